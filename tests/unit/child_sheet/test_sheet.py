"""The sheet of a child: sentences of its head, items with facts, chains in words, scores then and now."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from kodomo.child_sheet import waterfall, words
from kodomo.child_sheet.sheet import ChildSheet, read_sheet

AS_OF = dt.date(2026, 4, 1)
CHILD = {"person_id": "c", "child_label": "子", "display_name": "子", "birth_on": dt.date(2015, 1, 1), "sex": "女",
         "as_of_on": AS_OF}  # fmt: skip
ABUSE = {"as_of_on": AS_OF, "is_active_version": True, "difficulty_order": 1, "model_version": "v2",
         "difficulty_type": "abuse", "difficulty_label": "虐待", "score": Decimal("19.500"), "tier": "high",
         "tier_label": "ハイリスク", "threshold": Decimal("10.000"), "threshold_label": "ハイリスク",
         "is_override": False, "completeness": Decimal("0.8200")}  # fmt: skip
OF_ABUSE = {
    "model_version": "v2",
    "difficulty_type": "abuse",
    "source_label": "児童相談所の受付",
    "holder_label": "児童相談所",
}


def item(code: str, points: str, **more: object) -> dict[str, object]:
    row = {**OF_ABUSE, "item_code": code, "item_label": code, "band_label": "あり", "coefficient": Decimal(points)}
    return {**row, "is_counted": True, "evidence": None, **more}


def fact(code: str, day: dt.date, **more: object) -> dict[str, object]:
    row = {"item_code": code, "fact_relation_label": "本人", "fact_label": code, "fact_value_label": None}
    return {**row, "observed_on": day, "ended_on": None, "source_label": "児童相談所の受付",
            "delivered_on": dt.date(2026, 4, 1), **more}  # fmt: skip


TABLES = {
    "bi_child_tier": [ABUSE],
    "bi_contribution": [
        item("転居", "1.000"),
        item("虐待の通告", "12.000"),
        item("きょうだいの保護", "8.000"),
        item("支えあり", "-1.500"),
        item("小さい", "0.500", is_counted=False),
        item("別の版", "99.000", model_version="v1"),
    ],
    "bi_item_fact": [
        fact("虐待の通告", dt.date(2023, 1, 5)),
        fact("虐待の通告", dt.date(2024, 11, 2)),
        fact("きょうだいの保護", dt.date(2024, 1, 1), fact_relation_label="姉", fact_label="一時保護",
             ended_on=dt.date(2024, 2, 1)),
    ],
}  # fmt: skip


def sheet_of(**tables: list[dict[str, object]]) -> ChildSheet:
    return read_sheet({**TABLES, **tables}, CHILD)


def test_head_says_score_threshold_and_the_largest_reasons_with_their_dates() -> None:
    (score,) = sheet_of().types
    assert words.why(score) == (
        "19.5点（ハイリスクの基準10点）: 虐待の通告 2024年11月2日ほか1件、"
        "姉の一時保護 2024年1月1日から2024年2月1日まで、転居"
    )


def test_items_stand_by_size_and_what_does_not_count_last() -> None:
    (score,) = sheet_of().types
    assert [i.label for i in score.items] == ["虐待の通告", "きょうだいの保護", "支えあり", "転居", "小さい"]


def test_forced_tier_is_said() -> None:
    (score,) = sheet_of(bi_child_tier=[{**ABUSE, "is_override": True}]).types
    assert words.why(score).endswith("規則により段階を引き上げています")


def scored(day: dt.date, points: str, tier: str = "高") -> dict[str, object]:
    return {"scored_on": day, "difficulty_label": "虐待", "score": Decimal(points), "tier": tier, "tier_label": tier}


def test_change_is_that_since_the_as_of_date_before() -> None:
    history = [
        scored(AS_OF, "19.5"),
        scored(dt.date(2025, 10, 1), "4.5", "低"),
        scored(dt.date(2026, 1, 1), "6.5", "中"),
    ]
    sheet = sheet_of(bi_score_history=history)
    assert words.changed(sheet) == "前回（2026年1月1日）から 虐待 +13点（中 → ハイリスク）"
    assert [day for day, _ in sheet.history] == [AS_OF, dt.date(2026, 1, 1), dt.date(2025, 10, 1)]
    same = [scored(dt.date(2026, 1, 1), "19.5", "high")]
    assert words.changed(sheet_of(bi_score_history=same)) == "前回（2026年1月1日）から変化はありません。"
    assert "今回が最初" in words.changed(sheet_of(bi_score_history=[scored(AS_OF, "19.5")]))


def test_what_no_source_answers_is_said_once_for_all_types() -> None:
    gap = {"reason": "学齢簿に見当たらない", "source_label": "学齢簿", "items": 2, "item_labels": "欠席、不登校"}
    other = {"reason": "納品が遅れている", "source_label": "乳幼児健診", "items": 1, "item_labels": "未受診"}
    sheet = sheet_of(bi_unanswered=[gap, {**gap, "items": 1, "item_labels": "欠席"}, other])
    assert [(u.reason, u.items) for u in sheet.unanswered] == [("学齢簿に見当たらない", 2), ("納品が遅れている", 1)]
    assert words.sure(sheet) == "データ充足率 82%。答えのないデータ: 学齢簿に見当たらない、乳幼児健診: 納品が遅れている"
    assert words.sure(sheet_of()) == "データ充足率 82%。答えのないデータはありません。"


def test_audience_without_facts_of_relatives_has_those_of_the_child() -> None:
    own = {"observation_code": "x", "observation_label": "通告", "value_label": "該当",
           "observed_on": AS_OF, "ended_on": None,
           "source_id": "guidance_centre_cases", "source_label": "児童相談所の受付", "holder": "guidance_centre",
           "holder_label": "児童相談所", "age_then_label": "11歳", "delivery_id": "d", "line_number": 3}  # fmt: skip
    # One line holds several observations.
    of_the_line = {**own, "observation_code": "y", "observation_label": "一時保護"}
    parts = [
        item("通告", "3", evidence="d:3、d:4", observation_code="x"),
        item("ほか", "2", evidence="d:9", observation_code="x"),
    ]
    (score,) = sheet_of(bi_item_fact=[], bi_contribution=parts, bi_observation=[own, of_the_line]).types
    assert [[f.words for f in i.facts] for i in score.items] == [["通告 2026年4月1日"], []]


def test_audience_without_types_has_items_once_and_no_points() -> None:
    part = {name: value for name, value in item("欠席", "3").items() if name not in {"difficulty_type", "is_counted"}}
    sheet = sheet_of(bi_child_tier=[], bi_contribution=[part, {**part, "model_version": "v1"}])
    assert [i.label for i in sheet.other_items] == ["欠席"]
    assert (words.changed(sheet), words.sure(sheet)) == ("", "")


def step(number: int, link: str | None, **more: object) -> dict[str, object]:
    row = {"chain_type": "horizontal", "end_person_id": "e", "step_no": number, "step_person_id": f"p{number}"}
    shown = {"step_label": "人", "step_sex": "男", "step_birth_on": None, "step_link": link, "step_link_is_over": False}
    return {**row, **shown, "step_link_kind": None, "step_relation_label": None, **more}


CHAIN = {"chain_type": "horizontal", "chain_type_label": "横の連鎖", "end_person_id": "e", "steps": 3,
         "case_source_label": "要対協", "case_on": dt.date(2024, 6, 29)}  # fmt: skip


def test_chain_says_the_relation_at_each_step() -> None:
    steps = [
        step(0, None, step_relation_label="本人"),
        step(1, "parent", step_sex="女", step_relation_label="母"),
        step(2, "partner", step_link_is_over=True, step_link_kind="marriage", step_relation_label="母の元夫"),
        step(3, "child", step_relation_label="異父兄"),
    ]
    (chain,) = sheet_of(bi_chain=[CHAIN], bi_chain_step=steps[::-1]).chains
    assert chain.words == "母 → 母の元夫 → その子（異父兄）"


def test_chain_whose_way_is_withheld_has_no_words() -> None:
    steps = [{**step(1, "parent"), "step_person_id": None}]
    (chain,) = sheet_of(bi_chain=[CHAIN], bi_chain_step=steps).chains
    assert (chain.words, chain.case) == ("", "要対協")


def test_waterfall_sums_up_to_the_score() -> None:
    (score,) = sheet_of().types
    picture = waterfall.draw(score)
    assert "合計 19.5点" in picture
    assert "支えあり −1.5点" in picture
    assert "ハイリスクの基準 10" in picture
    assert "小さい" not in picture
    (empty,) = sheet_of(bi_contribution=[], bi_child_tier=[{**ABUSE, "score": Decimal(0)}]).types
    assert waterfall.draw(empty) == ""


def test_points_of_items_that_the_reader_does_not_see_are_one_bar() -> None:
    (score,) = sheet_of(bi_contribution=[item("転居", "1.5")]).types
    assert score.unseen == Decimal(18)
    assert "所属では表示できない項目 +18点、合計 19.5点" in waterfall.draw(score)
    (whole,) = sheet_of().types
    assert whole.unseen == 0


def test_item_of_a_chain_says_its_way() -> None:
    steps = [step(1, "parent", step_sex="女", step_relation_label="母"), step(2, "child", step_relation_label="姉")]
    chains = [CHAIN, {**CHAIN, "end_person_id": "x"}]
    more = [*steps, *({**row, "end_person_id": "x"} for row in steps)]
    (score,) = sheet_of(bi_chain=chains, bi_chain_step=more, bi_contribution=[item("横の連鎖", "11")]).types
    assert words.why(score).endswith(": 横の連鎖（母 → その子（姉）ほか1人）")


def test_item_of_many_facts_is_said_by_its_own_name() -> None:
    facts = [fact("欠席", dt.date(2025, month, 1), fact_value_label=f"{month}日") for month in range(1, 6)]
    (score,) = sheet_of(bi_item_fact=facts, bi_contribution=[item("欠席", "11", band_label="30〜89日")]).types
    assert words.why(score).endswith(": 欠席（30〜89日）")


def test_family_sheet_stands_by_nearness() -> None:
    row = {"relative_id": "m", "relation_rank": 10, "relation_label": "母", "relative_label": "母の名",
           "relative_birth_on": None, "residence_label": None, "lived_together_from": None,
           "lived_together_until": None, "case_count": 2,
           "last_case_on": dt.date(2024, 6, 29)}  # fmt: skip
    far = {**row, "relative_id": "g", "relation_rank": 30, "relation_label": "母方の祖母", "residence_label": "別居"}
    relatives = sheet_of(bi_family_sheet=[far, row]).relatives
    assert [(r.relation, r.residence, r.cases) for r in relatives] == [("母", "", 2), ("母方の祖母", "別居", 2)]

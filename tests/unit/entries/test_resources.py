"""What an area has: the entries in force, those for a child of it, and what is missing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.resources import by_kind, gaps, near, resource_kinds, resources
from kodomo.entries.store import EntryStore
from kodomo.home import Home

TODAY = dt.date(2026, 4, 10)
EXPECTED = ("居場所", "支援者・団体", "民生委員・児童委員", "学校の連絡先", "保育所・幼稚園などの連絡先")


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def given(kind: str = "place", name: str = "子ども食堂", **more: str) -> dict[str, str]:
    content = {"area_code": "mano", "kind": kind, "name": name, "opening": "土 11時〜", "checked_on": "2026-04-01"}
    return {**content, **more}


def keep(store: EntryStore, *arguments: str, **more: str) -> Any:
    return store.create("area_resource", given(*arguments, **more), by="aoi", department="child")


def names(store: EntryStore, area: str | None = "mano") -> list[str]:
    return [one.name for one in resources(store, TODAY, area)]


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({}, set()),
        ({"opening": ""}, {"opening"}),
        ({"kind": "school", "opening": ""}, set()),
        ({"area_code": "another city"}, {"area_code"}),
        ({"kind": "refuge"}, {"kind"}),
        ({"ages_from": "6", "ages_to": "5"}, {"ages_to"}),
        ({"ages_from": "6", "ages_to": "6"}, set()),
        ({"ages_to": "18"}, {"ages_to"}),
        ({"checked_on": "2026-04-11"}, {"checked_on"}),
        ({"checked_on": ""}, {"checked_on"}),
    ],
)
def test_form_says_what_to_correct(more: dict[str, str], wrong: set[str]) -> None:
    form = forms()["area_resource"]
    assert set(mistakes(form, clean(form, given(**more)), TODAY)) == wrong


def test_younger_end_of_ages_is_no_date() -> None:
    form = forms()["area_resource"]
    assert mistakes(form, clean(form, given(ages_from="6", ages_to="5")), TODAY) == {
        "ages_to": "「対象の年齢（から）」より小さい数です。"
    }


def test_entries_are_those_of_the_area_that_are_not_closed_by_kind_and_name(store: EntryStore) -> None:
    keep(store, "school", "い小学校")
    keep(store, name="ろ食堂")
    keep(store, name="い食堂")
    keep(store, name="閉じた食堂", closed_on="2026-04-10")
    keep(store, name="来月閉じる食堂", closed_on="2026-04-11")
    keep(store, name="よその食堂", area_code="ryotsu")
    assert names(store) == ["い食堂", "ろ食堂", "来月閉じる食堂", "い小学校"]
    assert len(names(store, None)) == 5
    assert [(kind.code, len(rows)) for kind, rows in by_kind(resources(store, TODAY, "mano"))] == [
        ("place", 3), ("school", 1),
    ]  # fmt: skip


def test_changed_and_deleted_entries_count_as_they_are_now(store: EntryStore) -> None:
    kept = keep(store)
    store.change(kept.record_id, 1, given(name="新しい名前"), by="ibu")
    assert names(store) == ["新しい名前"]
    store.delete(kept.record_id, 2, by="ibu", reason="r")
    assert names(store) == []


def child(**more: Any) -> dict[str, Any]:
    return {"person_id": "p1", "area_code": "mano", "age_years": 8, "horizontal_chains": 0, **more}


def test_child_has_what_its_area_has_for_its_age(store: EntryStore) -> None:
    keep(store, name="小学生", ages_from="6", ages_to="11")
    keep(store, name="六歳まで", ages_to="6")
    keep(store, name="十二歳から", ages_from="12")
    keep(store, name="だれでも")
    keep(store, name="よそ", area_code="ryotsu")

    def of(**more: Any) -> set[str]:
        return {one.name for one in near(child(**more), store, TODAY) or ()}

    assert of() == {"小学生", "だれでも"}
    assert of(age_years=6) == {"小学生", "六歳まで", "だれでも"}
    assert of(age_years=-1) == {"六歳まで", "だれでも"}
    assert of(age_years=17) == {"十二歳から", "だれでも"}


def test_child_whose_area_is_hidden_has_nothing_not_even_an_empty_list(store: EntryStore) -> None:
    keep(store)
    assert near(child(area_code=None), store, TODAY) is None
    assert near({"person_id": "p1"}, store, TODAY) is None
    assert near(child(area_code="aikawa"), store, TODAY) == []


def test_horizontal_chain_brings_places_to_be_first(store: EntryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.entries import resources as work

    turned = dict(reversed(resource_kinds().items()))
    monkeypatch.setattr(work, "resource_kinds", lambda: turned)
    keep(store, "supporter", "支援者")
    keep(store, "place", "居場所")
    assert [one.name for one in near(child(), store, TODAY) or ()] == ["支援者", "居場所"]
    assert [one.name for one in near(child(horizontal_chains=1), store, TODAY) or ()] == ["居場所", "支援者"]


def test_gap_is_a_kind_without_entry_an_age_without_place_and_what_was_not_checked(store: EntryStore) -> None:
    assert gaps([], TODAY) == [("登録がない", list(EXPECTED))]
    for kind in ("supporter", "welfare_commissioner", "school", "nursery"):
        keep(store, kind, kind)
    keep(store, name="小学生", ages_from="3", ages_to="11")
    keep(store, name="中学生", ages_from="13", ages_to="15", checked_on="2025-04-10")
    assert gaps(resources(store, TODAY), TODAY) == [("居場所がない年齢", ["0〜2歳", "12歳", "16〜17歳"])]
    later = TODAY + dt.timedelta(days=1)
    assert gaps(resources(store, later), later)[1:] == [("確かめてから12か月を超えた", ["中学生"])]
    keep(store, name="だれでも")
    assert gaps(resources(store, TODAY), TODAY) == []


def test_people_and_telephones_are_for_those_who_keep_the_register(store: EntryStore) -> None:
    keep(store, contact_person="山田", phone="0259-00-0000", place="真野1", ages_from="3")
    [one] = resources(store, TODAY)
    assert {"連絡先の人", "電話"} <= {label for label, _ in one.shown(to_staff=True)}
    assert [label for label, _ in one.shown(to_staff=False)] == ["所在地", "開いている日と時間", "確かめた日"]
    assert one.ages_ja == "3〜17歳"

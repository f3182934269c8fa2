"""Storage and text form of a determination: its own record with purpose, person and time; lines of text."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from kodomo.determination.determination import SCOPES_JA
from kodomo.determination.heard import Observation, observation_codes
from kodomo.determination.results import ChildResult, Contribution, Determination, Score
from kodomo.entries.changes import Change
from kodomo.errors import UsageError
from kodomo.japanese import japanese_date
from kodomo.linkage.explain import WITHHELD

CHANGES_JA = {"new": "新たに該当", "changed": "変化", "gone": "該当しなくなった", "same": ""}
MAX_PURPOSE = 1000


def checked_purpose(purpose: str) -> str:
    """The purpose without spaces around it. Raises UsageError when there is none."""
    text = purpose.strip()
    if not text:
        raise UsageError("A determination needs its purpose: --purpose TEXT.")
    if len(text) > MAX_PURPOSE:
        raise UsageError("The purpose has at most {max_purpose} characters.", max_purpose=MAX_PURPOSE)
    return text


def keep(store: Any, determination: Determination, person_id: str, purpose: str, by: str) -> str:
    """Keep a determination in the entries database; returns its id."""
    return store.record_determination(
        purpose=checked_purpose(purpose),
        scope=determination.scope,
        person_id=person_id,
        as_of_on=determination.as_of_on,
        publication=determination.publication,
        heard=[dataclasses.asdict(heard) for heard in determination.heard],
        result=[summary(child) for child in determination.children],
        determined_by=by,
    )


def summary(child: ChildResult) -> dict[str, Any]:
    """What is kept of a child's result: scores and tiers, priority, the items that count."""
    kept = ("model_version", "difficulty_type", "score", "tier", "is_override")
    return {
        "person_id": child.person_id,
        "scores": [{name: getattr(score, name) for name in kept} for score in child.scores],
        "priority_class": child.priority.priority_class if child.priority else None,
        "items": sorted({row.item_code for row in child.contributions if row.is_counted and row.change != "gone"}),
        "support_contents": [content.support_code for content in child.support_contents],
    }


def without_places(child: ChildResult, withheld: Collection[str]) -> ChildResult:
    """A child's result without what reveals a place that is withheld: the child's own, or that of a path of a chain.

    ``withheld``: the people whose place is. Grown-up relatives who live with a protected person are among them.
    """
    is_withheld = child.person_id in withheld
    chains = tuple(
        dataclasses.replace(chain, path=None)
        if is_withheld or chain.is_dv_protected or not set(withheld).isdisjoint(chain.path_ids)
        else chain
        for chain in child.chains
    )
    if not is_withheld:
        return dataclasses.replace(child, chains=chains)
    contributions = tuple(dataclasses.replace(row, evidence=None, sources=()) for row in child.contributions)
    changes = tuple(dataclasses.replace(change, happened_on=None) for change in child.changes)
    return dataclasses.replace(
        child, chains=chains, contributions=contributions, changes=changes, area_name=None, area_code=None,
        household_id=None,
    )  # fmt: skip


def result_labels(connection: Any) -> dict[str, dict[str, str]]:
    """Labels of difficulties, tiers and items of what is in service, in whose codes results are kept."""
    return {
        name: dict(connection.execute(query).fetchall())
        for name, query in {
            "difficulties": "select difficulty_type, label_ja from warehouse.seeds.difficulty_types",
            "tiers": "select tier, any_value(label_ja) from warehouse.seeds.risk_tiers group by tier",
            "items": "select item_code, label_ja from warehouse.seeds.risk_items",
        }.items()
    }


def heard_label(heard: Observation) -> str:
    """What was heard, for people: the fact, its value with the unit, its date."""
    code = observation_codes()[heard.observation_code]
    value = heard.text_value or (f"{heard.value:f}{code['unit_ja'] or ''}" if heard.value is not None else "")
    return " ".join(filter(None, [code["label_ja"], value, japanese_date(heard.observed_on)]))


def lines(determination: Determination, purpose: str) -> list[str]:
    """A determination as lines of text."""
    report = [
        f"個別検討（{SCOPES_JA[determination.scope]}）　基準日 {japanese_date(determination.as_of_on)}"
        f"　前回の一括検討 {japanese_date(determination.built_on)}",
        f"目的: {purpose}",
        *(f"今回聞いたこと: {heard_label(heard)}" for heard in determination.heard),
    ]
    for child in determination.children:
        report += ["", *_child_lines(child)]
    return report


def _child_lines(child: ChildResult) -> list[str]:
    birth = japanese_date(child.birth_on) or f"{japanese_date(child.expected_birth_on)}予定"
    report = [
        f"■ {child.display_name}  {child.kana or ''}  {birth}  {child.sex or ''}"
        + ("  支援措置" if child.is_dv_protected else ""),
        f"  個人ID {child.person_id}  世帯 {child.household_id or '—'}  地区 {child.area_name or '—'}"
        f"  支援機関 {'把握' if child.is_known_to_services else '未把握'}",
    ]
    report += [f"    {row.way_label}（{row.holder_label}、{japanese_date(row.known_on)}）" for row in child.known_by]
    for score in child.scores:
        trial = "" if score.status == "active" else "（試行）"
        forced = "・強制引上げ" if score.is_override else ""
        completeness = f"{score.completeness:.0%}" if score.completeness is not None else "—"
        report.append(
            f"  {score.difficulty_label}{trial}: {score.score:f}点 {score.tier_label}{forced}"
            f"  データ充足率 {completeness}{_before(score)}"
        )
    priority = child.priority
    if priority:
        report.append(
            f"  優先度 {priority.priority_class}  {priority.priority_rank}位  "
            f"検討期限 {japanese_date(child.due_by_on)}（{priority.due_days}日以内）"
        )
    if child.changes:
        report.append("  ● 変化")
        report += [f"    {_since(change)} {change.words}（{change.why}）" for change in child.changes]
    report.append("  ● 点数の内訳")
    report += [f"    {line}" for line in map(contribution_line, child.contributions)] or ["    なし"]
    report.append("  ● 連鎖")
    report += [
        f"    {chain.chain_label} {chain.steps}: {' → '.join(chain.path or [WITHHELD])}"
        f"（{chain.case_source_label} {japanese_date(chain.case_on)}）"
        for chain in child.chains
    ] or ["    なし"]
    report.append("  ● 支援内容（案）")
    report += [
        f"    {row.content_ja}" + (f"（{row.difficulty_labels}）" if row.difficulty_labels else "")
        for row in child.support_contents
    ] or ["    なし"]
    report.append("  ● データのない項目（リスクがないという意味ではない）")
    report += [f"    {row.item_label}（{row.source_label}）" for row in child.missing] or ["    なし"]
    report.append("  ● 答えのないデータ")
    report += [f"    {row.reason}（{row.item_labels}）" for row in child.unanswered] or ["    なし"]
    return report


def _since(change: Change) -> str:
    """前回の判定・決定（2026年4月1日）から: what a change is compared with."""
    bases = [label for label, is_so in (("判定", change.is_since_batch), ("決定", change.is_since_decision)) if is_so]
    return f"前回の{'・'.join(bases)}（{japanese_date(change.compared_on)}）から"


def _before(score: Score) -> str:
    if not score.is_changed:
        return ""
    if score.score_before is None:
        return "  ← 前回は対象外"
    return f"  ← 前回 {score.score_before:f}点 {score.tier_label_before}"


def contribution_line(row: Contribution) -> str:
    """One contribution with its sources and what changed."""
    counted = "" if row.is_counted or row.change == "gone" else "（不算入）"
    change = f"【{CHANGES_JA[row.change]}】" if CHANGES_JA[row.change] else ""
    sources = "、".join(source.text for source in row.sources)
    return (
        f"{row.difficulty_label} {row.coefficient:+f}{counted} {row.item_label}"
        f"［{row.band_label or '—'}］{change}" + (f" 出典: {sources}" if sources else "")
    )

"""What has happened in the city of the demo: deliveries that went wrong, and what staff entered between its batches.

Entries are made of the forms that the pages show, checked as there, in the names of the demo's accounts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path

from kodomo.access.scope import all_areas
from kodomo.entries.changes import read_changes
from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.meeting import (
    AGENDA,
    MEETING_FORM,
    Filters,
    Item,
    agenda,
    by_rank,
    capacities,
    facts_at_decision,
    meeting_record,
    months_later,
    record_id_of,
    with_agenda,
)
from kodomo.entries.plan import FORM as PLAN
from kodomo.entries.saved_conditions import FORM as SAVED_CONDITION
from kodomo.entries.saved_conditions import as_text
from kodomo.entries.store import EntryStore
from kodomo.entries.visits import FORM as VISIT
from kodomo.errors import KodomoError
from kodomo.home import Home

EARLIER_MONTHS = (6, 3)
"""Months before the last as-of date, for the batches before it."""
REFUSED = "newborn_visits"
"""Its file before the last comes without headings, and the last one mends it."""
LATE = "after_school_club"
"""Nothing came for the last batch."""
LEAD, DEPARTMENT = "child_all", "child"
PARTICIPANTS = "子ども若者課、児童相談所、教育委員会、健康医療対策課"
DAYS_TO_MEETING, DAYS_TO_SUPPORT, DAYS_OF_SUPPORT = 7, 10, 60
WATCHED, NO_NEED = ("watch", "学校・園の見守りが続いている。"), ("none", "既存の支援で足りている。")
SUPPORTS = (
    ("家庭訪問（週1回）と養育の相談", "子ども若者課"),
    ("登校の支援と別室での学習", "教育委員会"),
    ("保健師の訪問と受診の付添い", "健康医療対策課"),
)
GOALS = ("毎日の生活のリズムを家族と整える", "学校に安心して行ける日をふやす", "健診と受診をいっしょに済ませる")
VISITS = (
    ("訪問", "会えた", "玄関先で本人と話せた。"),
    ("訪問", "会えなかった", "留守だった。"),
    ("面談", "会えた", "学校で面談した。"),
)
ASSESSED = 3
"""Children of the coming meeting of whom the worker in charge has written down what is known."""
ASSESSMENT = {
    "asked": "本人と母（訪問）、学級担任（電話）",
    "known": "朝起きられず、休む日がふえている。",
    "unknown": "父の勤めの様子",
    "strengths": "祖母が週に2回来ている。",
    "own_tier": "latent",
    "own_tier_reason": "支える親族がいる。",
}
RESOURCES = (
    {"kind": "place", "name": "こどもの居場所", "opening": "月〜金 15時〜18時", "ages_from": "6", "ages_to": "17"},
    {"kind": "supporter", "name": "子育て支援の会", "resource_note": "食事と学習の支援"},
    {"kind": "welfare_commissioner", "name": "主任児童委員", "phone": "0259-00-0000"},
)
"""What areas have; the last area lacks the last of them, so that the page has a gap to show."""
OUTCOMES = ("改善", "継続中", "変化なし", "悪化")
CONDITIONS = {
    "未把握のハイリスク（会議がまだ）": {"tier": "high", "known": "unknown", "meeting": "none"},
    "連鎖があり支援機関が未把握": {"chain": "any", "known": "unknown"},
}


def earlier_dates(as_of_on: dt.date) -> list[dt.date]:
    """The as-of dates of the batches before the last one, oldest first."""
    return [months_later(as_of_on, -months) for months in EARLIER_MONTHS]


def spoil_deliveries(landing: Path, before: Path) -> None:
    """Take the headings from a file of the batch before the last, and the files of one source from the last.

    ``landing`` and ``before``: the landing folders of the last batch and of the one before it.
    """
    for path in (before / REFUSED).glob("*.csv"):
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    for path in (landing / LATE).glob("*.csv"):
        path.unlink()


def enter_meeting(home: Home, as_of_on: dt.date, today: dt.date) -> int:
    """Draw up the agenda of the meeting after a batch and decide its children; returns how many.

    The meeting is a week after the as-of date. Where that has not come yet, the agenda waits for it, with no decision.
    """
    from kodomo.determination.service import published_changes, published_children

    store, on = EntryStore(home), as_of_on + dt.timedelta(days=DAYS_TO_MEETING)
    if meeting_record(store, DEPARTMENT, on) is not None:
        return 0
    children = {child["person_id"]: child for child in published_children(home)}
    changes = read_changes(published_changes(home), children)
    waiting = by_rank(agenda(children.values(), store, on, Filters(), changes))[: next(iter(capacities()))]
    is_over = on <= today
    minutes = {"minutes": "順位の高い子どもから検討した。"} if is_over else {}
    content = _checked(
        MEETING_FORM,
        {
            "meeting_on": on.isoformat(),
            "participants": PARTICIPANTS,
            **minutes,
        },
        today,
    )
    ids = [item.person_id for item in waiting]
    for person_id in ids[:ASSESSED] if not is_over else ():
        assessment = {"assessed_on": today.isoformat(), **ASSESSMENT}
        _create(store, "assessment", _checked("assessment", assessment, today), None, person_id)
    _create(store, MEETING_FORM, {**content, AGENDA: with_agenda(None, ids, children)}, record_id_of(DEPARTMENT, on))
    if not is_over:
        return 0
    # The last fifth was left for the next meeting.
    decided = waiting[: len(waiting) * 4 // 5]
    for item, given in zip(decided, _decisions(on), strict=False):
        _decide(store, item, given, today)
    return len(decided)


def _decisions(on: dt.date) -> Iterator[dict[str, str]]:
    """One decision after the other, without end: of five children three get support."""
    supports = cycle(SUPPORTS)
    for number, decision in enumerate(cycle(("support", "support", "watch", "support", "none"))):
        given = {"meeting_on": on.isoformat(), "decision": decision, "agrees_with_tier": "yes"}
        if decision == "support":
            content, agency = next(supports)
            months = (1, 3, 6)[number % 3]
            given |= {"support_content": content, "lead_agency": agency}
            given |= {"review_on": months_later(on, months).isoformat()}
        else:
            given |= dict(zip(("decision", "reason"), WATCHED if decision == "watch" else NO_NEED, strict=True))
        if number % 7 == 4:
            given |= {"agrees_with_tier": "no", "disagreement_reason": "転居は進学のためで、生活は落ち着いている。"}
        yield given


def _decide(store: EntryStore, item: Item, given: Mapping[str, str], today: dt.date) -> None:
    """Keep a decision about a child and, where it is for support, the support with what came of it."""
    kept = _create(
        store, "decision", {**_checked("decision", given, today), **facts_at_decision(item.child)}, None, item.person_id
    )
    started_on = dt.date.fromisoformat(given["meeting_on"]) + dt.timedelta(days=DAYS_TO_SUPPORT)
    if given["decision"] != "support" or started_on > today:
        return
    ended_on = started_on + dt.timedelta(days=DAYS_OF_SUPPORT)
    outcome = OUTCOMES[(item.child["priority_rank"] or 0) % len(OUTCOMES)]
    is_over = ended_on <= today and outcome != "継続中"
    support = {
        "started_on": started_on.isoformat(),
        "support_content": given["support_content"],
        "lead_agency": given["lead_agency"],
        "outcome": outcome if is_over else "継続中",
        **({"ended_on": ended_on.isoformat()} if is_over else {}),
    }
    _create(store, "support", {**_checked("support", support, today), "decision_id": kept}, None, item.person_id)
    _follow(store, item, given, started_on, today, is_over=is_over)


def _follow(
    store: EntryStore, item: Item, given: Mapping[str, str], on: dt.date, today: dt.date, *, is_over: bool
) -> None:
    """The plan of a support that began on a day, and a visit at its beginning."""
    number = item.child["priority_rank"] or 0
    plan = {
        "planned_on": on.isoformat(),
        "wishes": "家族で落ち着いて過ごしたい。",
        "goal": GOALS[number % len(GOALS)],
        "step_1_action": given["support_content"],
        "step_1_actor": given["lead_agency"],
        "step_1_until": (on + dt.timedelta(days=DAYS_OF_SUPPORT)).isoformat(),
        "step_2_action": "家族と1か月ごとに話す",
        "step_2_actor": "子ども若者課",
        "step_2_until": months_later(on, 1).isoformat(),
        "review_on": max(given["review_on"], months_later(on, 3).isoformat()),
        "explained_on": on.isoformat(),
        **({"evaluation": "取り組みは続いた。次の計画に引き継ぐ。"} if is_over else {}),
    }
    _create(store, PLAN, _checked(PLAN, plan, today), None, item.person_id)
    way, result, summary = VISITS[number % len(VISITS)]
    visit = {"visited_on": on.isoformat(), "way": way, "result": result, "summary": summary}
    _create(store, VISIT, _checked(VISIT, visit, today), None, item.person_id)


def enter_records(home: Home, today: dt.date) -> None:
    """What the other pages show: conditions, places and people of areas, a request, a case from the paper ledger."""
    from kodomo.determination.service import in_service
    from kodomo.warehouse import records

    store = EntryStore(home)
    if store.current(SAVED_CONDITION):
        return
    for name, chosen in CONDITIONS.items():
        _create(store, SAVED_CONDITION, _checked(SAVED_CONDITION, {"name": name, "conditions": as_text(chosen)}, today))
    with in_service(home) as (connection, _):
        people = records(
            connection,
            "select children.person_id, mothers.person_id as mother_id "
            "from warehouse.marts.dim_child as children inner join warehouse.marts.dim_person as mothers "
            "on children.mother_id = mothers.person_id inner join warehouse.marts.bi_child as shown "
            "on children.person_id = shown.person_id where mothers.atena_no <> '' and not shown.is_dv_protected "
            "order by shown.priority_rank limit 3",
        )
    for area_code in all_areas():
        for resource in RESOURCES[: -1 if area_code == all_areas()[-1] else None]:
            content = {"area_code": area_code, "checked_on": today.isoformat(), **resource}
            _create(store, "area_resource", _checked("area_resource", content, today))
    week_ago = (today - dt.timedelta(days=7)).isoformat()
    asked = {"requested_on": week_ago, "request": "disclosure", "about": "保有している個人情報のすべて"}
    _create(store, "person_request", _checked("person_request", asked, today), None, people[0]["person_id"])
    case = {"registered_on": "1998-03-01", "closed_on": "1999-03-31", "case_class": "要保護児童"}
    _create(
        store,
        "paper_case",
        {**_checked("paper_case", case, today), "about_child_id": people[1]["person_id"]},
        None,
        people[1]["mother_id"],
    )


def _checked(form: str, given: Mapping[str, str], today: dt.date) -> dict[str, str]:
    """The content of a form as its page would keep it. Raises KodomoError where the page would send it back."""
    content = clean(forms()[form], given)
    if wrong := mistakes(forms()[form], content, today):
        raise KodomoError("The form {form} does not take: {fields}.", form=form, fields=", ".join(wrong))
    return content


def _create(
    store: EntryStore, form: str, content: Mapping[str, str], record_id: str | None = None, person_id: str | None = None
) -> str:
    version = store.create(form, content, by=LEAD, department=DEPARTMENT, person_id=person_id, record_id=record_id)
    return version.record_id

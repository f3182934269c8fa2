"""変化 against a second computation, in plain Python, over a whole city and two batches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from kodomo.entries.meeting import months_later
from kodomo.home import Home
from kodomo.scoring.replay import (
    PARAMETERS,
    SCRATCH,
    CompiledModels,
    beside_warehouse,
    close_scratch,
    moved_to,
    open_scratch,
)
from kodomo.seeds import read_seed
from tests.conftest import AS_OF, City

pytestmark = pytest.mark.slow
BEFORE = months_later(AS_OF, -36)
"""So long before that each kind of change occurs in between."""
MADE = (
    "intermediate.int_risk__scores",
    "intermediate.int_family__parents_as_of",
    "intermediate.int_household__members",
    "intermediate.int_person__residents",
    "marts.dim_child",
    "marts.fct_chain",
    "marts.fct_change_fact",
)
Fact = tuple[str, str, str, dt.date]
"""Child, kind, what it is, day."""
Change = tuple[str, str, str]
"""Child, kind, what moved."""
Place = Callable[[str], str]
"""How a relation of one of the batches is named."""


@dataclass
class Batches:
    """The batch of the city, and the relations of the one before it in ``earlier``."""

    connection: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def batches(city: City) -> Iterator[Batches]:
    """``scratch.marts.fct_change``: the batch's statement over both; every third child was decided about before."""
    home = Home(city.home)
    models = CompiledModels.of_last_build(home)
    with beside_warehouse(home) as connection:
        open_scratch(connection, BEFORE)
        models.execute(connection, [PARAMETERS], MADE)
        connection.execute("attach ':memory:' as earlier")
        for relation in MADE:
            name = relation.rpartition(".")[2]
            connection.execute(f"create table earlier.{name} as from {SCRATCH}.{relation}")
        close_scratch(connection)
        open_scratch(connection, AS_OF)
        connection.execute(f"create table {SCRATCH}.marts.fct_risk_score as from earlier.int_risk__scores")
        connection.execute(
            f"create table {SCRATCH}.marts.fct_change_fact_history as "
            f"select '{BEFORE}'::date as as_of_on, person_id, change_kind, fact_key from earlier.fct_change_fact "
            f"union all select '{AS_OF}'::date, person_id, change_kind, fact_key from warehouse.marts.fct_change_fact "
            "anti join earlier.fct_change_fact using (person_id, change_kind, fact_key)"
        )
        connection.execute(
            f"create table {SCRATCH}.marts.fct_decision as select person_id as decision_id, person_id, "
            f"'{BEFORE}'::date as meeting_on, '{BEFORE}'::date as decided_on, now()::timestamp as entered_at, "
            f"'{BEFORE}'::date as as_of_then from earlier.dim_child where hash(person_id) % 3 = 0"
        )
        moved = {
            PARAMETERS,
            *(f"marts.{name}" for name in ("fct_risk_score", "fct_change_fact_history", "fct_decision")),
        }
        sql = moved_to(models.statements["marts.fct_change"], SCRATCH, moved)
        connection.execute(f"create table {SCRATCH}.marts.fct_change as {sql}")
        yield Batches(connection)


def last_of_month(day: dt.date) -> dt.date:
    return months_later(day.replace(day=1), 1) - dt.timedelta(days=1)


def observed(batches: Batches) -> list[tuple[str | None, str, str, dt.date | None]]:
    """Whose facts of what kind the typed records hold: person, kind, code, day."""
    by_number = dict(batches.rows("select atena_no, person_id from warehouse.intermediate.int_person__atena"))
    by_pupil = dict(
        batches.rows("select school_person_no, person_id from warehouse.intermediate.int_person__pupil_numbers")
    )
    by_case = dict(
        batches.rows(
            "select source_key, person_id from warehouse.intermediate.int_person__identities "
            "where source_id = 'guidance_centre_cases'"
        )
    )
    kinds_of_abuse = {
        row["code"] for row in read_seed("code_lists") if row["code_list"] == "abuse_kind" and not row["is_none"]
    }
    facts: list[tuple[str | None, str, str, dt.date | None]] = []
    for pupil, number, month, days, absent in batches.rows(
        "select school_person_no, atena_no, attendance_month, school_days, absent_days "
        "from warehouse.staging.stg_education__school_attendance"
    ):
        if days and absent is not None and month is not None and absent >= days:
            person = by_number.get(number) or by_pupil.get(pupil)
            facts.append((person, "absent_month", "school_absence_rate", last_of_month(month)))
    for number, month, days, absent in batches.rows(
        "select child_atena_no, attendance_month, enrolled_days, absent_days "
        "from warehouse.staging.stg_child__nursery_attendance"
    ):
        if days and absent is not None and month is not None and absent >= days:
            facts.append((by_number.get(number), "absent_month", "nursery_absence_rate", last_of_month(month)))
    for number, day, attended_on in batches.rows(
        "select child_atena_no, scheduled_on, attended_on from warehouse.staging.stg_health__infant_checkups"
    ):
        if attended_on is None:
            facts.append((by_number.get(number), "missed_checkup", "checkup_missed", day))
    for number, day, reason in batches.rows(
        "select atena_no, valid_from, move_reason_code from warehouse.staging.stg_citizens__household_history"
    ):
        if reason in ("10", "16"):
            facts.append((by_number.get(number), "move", "household_move", day))
    for number, day in batches.rows(
        "select child_atena_no, registered_on from warehouse.staging.stg_child__council_cases"
    ):
        facts.append((by_number.get(number), "new_case", "council_case", day))
    for case, day in batches.rows(
        "select centre_case_no, received_on from warehouse.staging.stg_guidance_centre__guidance_centre_cases"
    ):
        facts.append((by_case.get(case), "new_case", "guidance_case", day))
    for number, day, abuse in batches.rows(
        "select child_atena_no, received_on, abuse_type from warehouse.staging.stg_child__child_consultations"
    ):
        if kinds_of_abuse & set((abuse or "").split("|")):
            facts.append((by_number.get(number), "new_case", "abuse_consultation", day))
    for husband, wife, day, notice in batches.rows(
        "select husband_atena_no, wife_atena_no, notified_on, notice_type "
        "from warehouse.staging.stg_citizens__marriages"
    ):
        if notice == "divorce":
            facts += [(by_number.get(number), "parent_separation", "divorce", day) for number in (husband, wife)]
    return facts


def separations(batches: Batches, place: Place, as_of: dt.date) -> Iterator[Fact]:
    """Parents who left a child or whom it left, day by day."""
    lived: dict[str, list[tuple[str, dt.date, dt.date]]] = {}
    for household, person, begin, end in batches.rows(
        f"select household_id, person_id, valid_from, valid_to from {place('int_household__members')}"
    ):
        if begin <= as_of:
            lived.setdefault(person, []).append((household, begin, end or dt.date.max))
    dead = {
        person
        for (person,) in batches.rows(f"select person_id from {place('int_person__residents')} where is_deceased")
    }

    def homes(person: str, day: dt.date) -> set[str]:
        return {household for household, begin, end in lived.get(person, ()) if begin <= day < end}

    for child, mother, father in batches.rows(
        f"select person_id, mother_id, father_id from {place('int_family__parents_as_of')}"
    ):
        for role, parent in (("mother", mother), ("father", father)):
            if parent is None or parent in dead:
                continue
            days = {end for person in (child, parent) for _, _, end in lived.get(person, ()) if end <= as_of}
            parted = [
                day
                for day in days
                if homes(child, day - dt.timedelta(days=1)) & homes(parent, day - dt.timedelta(days=1))
                and not homes(child, day) & homes(parent, day)
            ]
            if parted and not homes(child, as_of) & homes(parent, as_of):
                yield child, "parent_separation", role, max(parted)


def facts_at(batches: Batches, place: Place, ids: Mapping[str, str], as_of: dt.date) -> set[Fact]:
    """What may move a child, as known on a date, under the id that the child has now."""
    parents: dict[str, list[str]] = {}
    for child, *pair in batches.rows(
        f"select person_id, mother_id, father_id from {place('int_family__parents_as_of')}"
    ):
        for parent in pair:
            parents.setdefault(parent, []).append(child)
    facts = set(separations(batches, place, as_of))
    for person, kind, code, day in observed(batches):
        if person is not None and day is not None and day <= as_of:
            about = parents.get(person, []) if code == "divorce" else [person]
            facts |= {(child, kind, code, day) for child in about}
    facts |= {
        (child, "new_chain", f"{chain}|{end}", day)
        for child, chain, end, day in batches.rows(
            f"select person_id, chain_type, end_person_id, case_on from {place('fct_chain')} where as_of_on = '{as_of}'"
        )
    }
    return {(ids.get(child, child), kind, what, day) for child, kind, what, day in facts}


def now(name: str) -> str:
    """A relation of the batch at hand."""
    return f"warehouse.{'marts' if name.startswith(('fct', 'dim')) else 'intermediate'}.{name}"


def then(name: str) -> str:
    """A relation of the batch before."""
    return f"earlier.{name}"


def moved_scores(batches: Batches, ids: Mapping[str, str], children: set[str]) -> set[Change]:
    """Tiers and scores of the active versions that moved by more than the step of their kind."""
    active = {row["model_version"] for row in read_seed("risk_model_versions") if row["status"] == "active"}
    ranks = {(r["model_version"], r["difficulty_type"], r["tier"]): r["tier_rank"] for r in read_seed("risk_tiers")}
    kinds = {(row["measure"], row["direction"]): row for row in read_seed("change_kinds")}
    scores: list[dict[tuple[str, str, str], tuple[Decimal, int]]] = []
    for place in (then, now):
        rows = batches.rows(
            f"select person_id, model_version, difficulty_type, score, tier from {place('int_risk__scores')}"
        )
        scores.append(
            {
                (ids.get(person, person), version, kind): (score, ranks[version, kind, tier])
                for person, version, kind, score, tier in rows
                if version in active
            }
        )
    changes = set()
    # Both types that are in force concern every age: who was scored in one was in all.
    for key in scores[0].keys() & scores[1].keys():
        for measure, place in (("score", 0), ("tier", 1)):
            movement = scores[1][key][place] - scores[0][key][place]
            kind = kinds[measure, "rise" if movement > 0 else "fall"]
            if key[0] in children and abs(movement) > kind["step"]:
                changes.add((key[0], kind["change_kind"], key[2]))
    return changes


def expected(batches: Batches) -> set[Change]:
    """Every change, by the words of the definition."""
    ids = dict(batches.rows("select known_id, person_id from warehouse.intermediate.int_person__known_ids"))
    subjects, children = (
        {ids.get(person, person) for (person,) in batches.rows(f"select person_id from {place('dim_child')}")}
        for place in (then, now)
    )
    within = {row["change_kind"]: row["within_months"] for row in read_seed("change_kinds")}
    known = {fact[:-1] if fact[1] == "new_chain" else fact for fact in facts_at(batches, then, ids, BEFORE)}
    changes = moved_scores(batches, ids, children)
    for fact in facts_at(batches, now, ids, AS_OF):
        child, kind, what, day = fact
        is_recent = within[kind] is None or day > months_later(BEFORE, -within[kind])
        if is_recent and (fact[:-1] if kind == "new_chain" else fact) not in known:
            changes.add((child, kind, what.partition("|")[0]))
    return {change for change in changes if change[0] in children & subjects}


def test_changes_are_those_of_a_second_computation(batches: Batches) -> None:
    rows = batches.rows(f"select person_id, change_kind, subject from {SCRATCH}.marts.fct_change")
    held, wanted = set(rows), expected(batches)
    assert held - wanted == set()
    assert wanted - held == set()
    # Each kind is there, so that the agreement is not one over nothing.
    assert {kind for _, kind, _ in held} == {row["change_kind"] for row in read_seed("change_kinds")}


def test_a_change_says_whether_it_is_since_the_decision_too(batches: Batches) -> None:
    decided = {person for (person,) in batches.rows(f"select person_id from {SCRATCH}.marts.fct_decision")}
    rows = batches.rows(
        f"select person_id, compared_on, is_since_batch, is_since_decision from {SCRATCH}.marts.fct_change "
        "where person_id in (select person_id from earlier.dim_child)"
    )
    assert {row[3] for row in rows} == {False, True}
    assert [row for row in rows if row[1:] != (BEFORE, True, row[0] in decided)] == []


def test_first_batch_has_no_change(batches: Batches) -> None:
    assert batches.rows("select count(*) from warehouse.marts.fct_change") == [(0,)]

"""Leavers and arrivals against a second computation, in plain Python, over a whole city and over two deliveries."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pytest

from kodomo import dbt_runner
from kodomo.home import Home
from kodomo.seeds import read_seed
from tests.conftest import AS_OF, City

LATER = dt.date(2026, 5, 1)
REBUILT = (
    "int_person__register_states", "int_person__residents", "int_household__spells", "int_household__members_as_of",
    "int_person__persons", "int_person__subjects", "int_child__sightings", "int_child__profiles", "int_child__leavings",
    "int_child__leaver_families", "int_child__leaver_cases", "dim_child", "fct_decision", "fct_support", "fct_leaver",
    "fct_arrival",
)  # fmt: skip
GRAVE = {"high", "latent"}


def months_after(day: dt.date, months: int) -> dt.date:
    """The same day so many months later; the last of the month where there is none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for number in range(day.day, 0, -1):
        try:
            return dt.date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError(day)


def of_age_on(birth_on: dt.date) -> dt.date:
    """The first day on which a person is 18."""
    try:
        return birth_on.replace(year=birth_on.year + 18)
    except ValueError:
        return dt.date(birth_on.year + 18, 3, 1)


@dataclass
class Records:
    """What the typed records of a warehouse say, by person."""

    connection: duckdb.DuckDBPyConnection
    as_of: dt.date
    numbers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.numbers = dict(self.rows("select atena_no, person_id from intermediate.int_person__atena"))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def leavings(self) -> dict[str, tuple[str, dt.date | None, dt.date | None]]:
        """Person → kind, day, 18th birthday."""
        state: dict[str, tuple[Any, ...]] = {}
        for number, own_status, reason, moved, removed, is_removed, since, birth in self.rows(
            "select atena_no, resident_status_code, removal_reason_code, moved_on, removed_on, is_removed, "
            "resident_since_on, birth_on from staging.stg_citizens__resident_register"
        ):
            is_struck = is_removed or (is_removed is None and removed and removed <= self.as_of)
            status = {"20": "2", "21": "3"}.get(reason, "9") if own_status == "1" and is_struck else own_status
            gone_on = None if status == "1" else removed or moved
            lives_here = not max(filter(None, (birth, since)), default=dt.date.min) > self.as_of and (
                status == "1" or (gone_on is not None and gone_on > self.as_of)
            )
            person = self.numbers[number]
            row = (lives_here, since or dt.date.min, number, status, gone_on, birth)
            if person not in state or row[:3] > state[person][:3]:
                state[person] = row
        found: dict[str, tuple[str, dt.date | None, dt.date | None]] = {}
        for person in set(self.numbers.values()):
            if person not in state:
                found[person] = ("unregistered", None, None)
                continue
            lives_here, _, _, status, gone_on, birth = state[person]
            grown_on = of_age_on(birth) if birth else None
            is_gone = status != "1" and not lives_here and (gone_on is None or gone_on <= self.as_of)
            if is_gone and (grown_on is None or (gone_on or self.as_of) < grown_on):
                found[person] = ({"2": "moved", "3": "died"}.get(status, "removed"), gone_on, grown_on)
            elif grown_on is not None and grown_on <= self.as_of:
                found[person] = ("came_of_age", grown_on, grown_on)
        return found

    def cases(self) -> list[tuple[str, str, dt.date, dt.date | None, bool]]:
        """Person, reason, beginning, end, and whether one without an end goes on for good."""
        by_case = dict(
            self.rows(
                "select source_key, person_id from intermediate.int_person__identities "
                "where source_id = 'guidance_centre_cases'"
            )
        )
        found = [
            (self.numbers[number], "council_case", begun, ended, True)
            for number, begun, ended in self.rows(
                "select child_atena_no, registered_on, closed_on from staging.stg_child__council_cases"
            )
            if number in self.numbers and begun
        ]
        measures = {
            row["code"]
            for row in read_seed("code_lists")
            if row["code_list"] == "guidance_measure" and not row["is_none"]
        }
        for case, received, measure, taken, left in self.rows(
            "select centre_case_no, received_on, measure, protection_started_on, protection_ended_on "
            "from staging.stg_guidance_centre__guidance_centre_cases"
        ):
            if case not in by_case:
                continue
            if received and measures & set((measure or "").split("|")):
                found.append((by_case[case], "guidance_measure", received, None, False))
            if taken:
                found.append((by_case[case], "temporary_protection", taken, left, False))
        return found

    def leavers(self) -> dict[str, tuple[str, dt.date | None, str]]:
        """Person → kind, day, reasons joined by | in the order of the seed."""
        order = [row["reason"] for row in sorted(read_seed("leaver_reasons"), key=lambda row: row["sort_order"])]
        leavings = self.leavings()
        scores: dict[str, tuple[dt.date, str]] = {}
        dates = self.rows("select as_of_on, person_id, tier from marts.fct_support_priority order by as_of_on")
        for on, person, tier in dates:
            if on <= self.as_of:
                scores[person] = (on, tier)
        begins_on = months_after(min((on for on, _, _ in dates), default=self.as_of), -12)
        decisions: dict[str, tuple[dt.date, str]] = {}
        for person, on, decision in self.rows(
            "select person_id, coalesce(meeting_on, decided_on) as day, decision from raw.decisions order by day"
        ):
            decisions[person] = (on, decision)
        reasons: dict[str, set[str]] = {}
        for person, (kind, _, grown_on) in list(leavings.items()):
            if kind == "unregistered":
                last = scores.get(person) or decisions.get(person)
                leavings[person] = (kind, last[0] if last else None, grown_on)
        for person, reason, begun, given_end, is_lasting in self.cases():
            if person not in leavings or begun > self.as_of:
                continue
            _, left_on, grown_on = leavings[person]
            is_end = given_end is not None and given_end >= begun
            ended = given_end if is_end else None if is_lasting else months_after(begun, 12)
            goes_on = ended is None or ended > self.as_of
            was_open = ended is None or ended >= (left_on or self.as_of)
            is_recent = (
                left_on is None or left_on > begins_on or (goes_on and (grown_on is None or grown_on > begins_on))
            )
            if was_open and is_recent:
                reasons.setdefault(person, set()).add(reason)
        for person in leavings:
            if person in scores and scores[person][1] in GRAVE:
                reasons.setdefault(person, set()).add("tier")
            if person in decisions and decisions[person][1] != "none":
                reasons.setdefault(person, set()).add("decision")
        for person, begun, ended in self.rows("select person_id, started_on, ended_on from raw.supports"):
            if person in leavings and (ended is None or ended < begun or ended >= (leavings[person][1] or self.as_of)):
                reasons.setdefault(person, set()).add("support")
        return {
            person: (*leavings[person][:2], "|".join(sorted(own, key=order.index))) for person, own in reasons.items()
        }

    def arrivals(self) -> dict[str, tuple[dt.date, dt.date | None, dt.date | None]]:
        """Child → day, limit, first sighting since."""
        rules = sorted(read_seed("arrival_limits"), key=lambda rule: rule["rule_no"])
        first: dict[str, list[dt.date]] = {}
        for person, day in self.rows("select person_id, seen_on from marts.fct_sighting"):
            first.setdefault(person, []).append(day)
        found = {}
        for person, birth, since in self.rows(
            "select children.person_id, children.birth_on, residents.resident_from from marts.dim_child as children "
            "join intermediate.int_person__residents as residents using (person_id) where not is_unborn"
        ):
            if since is None or since <= birth:
                continue
            age = (since.year - birth.year) * 12 + since.month - birth.month - (since.day < birth.day)
            days = next((r["limit_days"] for r in rules if r["age_from_months"] <= age < r["age_to_months"]), None)
            limit = since + dt.timedelta(days=days) if days is not None else None
            found[person] = (since, limit, min((day for day in first.get(person, []) if day >= since), default=None))
        return found


def marts_of(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the marts hold, as ``Records`` gives it."""
    leavers = connection.execute("select person_id, kind, left_on, reasons from marts.fct_leaver").fetchall()
    arrivals = connection.execute(
        "select person_id, arrived_on, see_by_on, first_seen_on from marts.fct_arrival"
    ).fetchall()
    return {row[0]: row[1:] for row in leavers}, {row[0]: row[1:] for row in arrivals}


@pytest.fixture(scope="module")
def warehouse(city: City) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of the city, read-only."""
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        yield connection


def test_leavers_and_arrivals_of_a_city_are_those_of_a_second_computation(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    records = Records(warehouse, AS_OF)
    leavers, arrivals = marts_of(warehouse)
    assert leavers == records.leavers()
    assert arrivals == records.arrivals()
    assert len(arrivals) > 5
    waiting = warehouse.execute("select person_id from marts.fct_arrival where is_waiting").fetchall()
    assert {row[0] for row in waiting} == {person for person, (*_, seen) in arrivals.items() if seen is None}
    late = warehouse.execute("select count(*) from marts.fct_arrival where is_late").fetchone()[0]
    assert late == sum(seen is None and limit is not None and limit < AS_OF for _, limit, seen in arrivals.values())


@dataclass
class Town:
    """Children of the city, each with a part in the second delivery, and the warehouse after it."""

    parts: dict[str, str]
    connection: duckdb.DuckDBPyConnection


# Part → the tier that the child had in the first batch.
PARTS = {
    "moved": "high", "died": "latent", "removed": "latent", "unregistered": "high", "grown": "high",
    "moved_with_decision": "low", "moved_with_support": "low", "moved_with_case": "low", "moved_and_closed": "low",
    "moved_and_handed_over": "high", "moved_again": "latent", "moved_protected": "high",
    # Nearly: nothing open, no longer open, not yet gone, still a child, decided that nothing is needed.
    "moved_low": "low", "moved_after_case": "low", "moved_after_support": "low", "moves_tomorrow": "high",
    "grown_tomorrow": "high", "moved_not_needed": "low", "grown_low": "low",
    # Who came: not seen, not seen in time, seen on the day, seen the day before; and who was born here.
    "came": "low", "came_late": "low", "came_seen": "low", "came_unseen": "low", "born": "low",
}  # fmt: skip
CAME = {
    "came": dt.date(2026, 4, 20), "came_late": dt.date(2026, 1, 20), "came_seen": dt.date(2026, 4, 20),
    "came_unseen": dt.date(2026, 4, 20),
}  # fmt: skip


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The city a month later: each kind of leaving and arrival once, and once nearly."""
    home = Home(tmp_path_factory.mktemp("town")).ensure()
    shutil.copy(city.warehouse, home.warehouse)
    with duckdb.connect(str(home.warehouse)) as connection:
        parts = _choose(connection)
        _deliver(connection, parts)
    dbt_runner.invoke(home, ["run", "--select", *REBUILT])
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        yield Town(parts, connection)


def _choose(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """A child for each part, given its tier in the first batch: with nothing open, under one number."""
    free = connection.execute(
        """
        select children.person_id
        from marts.dim_child as children
        join marts.fct_support_priority using (person_id)
        where not children.is_unborn and not children.is_dv_protected and children.age_months between 24 and 200
            and children.person_id not in (
                select person_id from intermediate.int_observations__all
                where observation_code in ('council_case', 'guidance_measure', 'temporary_protection')
            )
            and children.person_id in (
                select person_id from intermediate.int_person__atena group by person_id having count(*) = 1
            )
            and children.person_id not in (select person_id from intermediate.int_person__support_measures)
        order by children.person_id
        """
    ).fetchall()
    parts = dict(zip(PARTS, (person for (person,) in free), strict=False))
    assert parts.keys() == PARTS.keys()
    for part, tier in PARTS.items():
        connection.execute("update marts.fct_support_priority set tier = ? where person_id = ?", [tier, parts[part]])
    return parts


def _deliver(connection: duckdb.DuckDBPyConnection, parts: dict[str, str]) -> None:
    register = "staging.stg_citizens__resident_register"

    def change(part: str, **values: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in values)
        connection.execute(f"update {register} set {names} where atena_no = ?", [*values.values(), parts[part]])

    def observe(part: str, code: str, begun: str, ended: str | None) -> None:
        connection.execute(
            "insert into staging.stg_child__council_cases by name "
            "select ? as case_no, ? as child_atena_no, ?::date as registered_on, ?::date as closed_on, "
            "'test' as delivery_id, 900000 + length(?) as line_number",
            [code, parts[part], begun, ended, part],
        )

    gone = dt.date(2026, 4, 10)
    for part in PARTS:
        if part.startswith("moved"):
            change(part, resident_status_code="2", moved_on=gone, moved_to="新潟市中央区")
    change("moves_tomorrow", resident_status_code="2", moved_on=LATER + dt.timedelta(days=1))
    change("died", resident_status_code="3", moved_on=gone)
    change("removed", resident_status_code="9", moved_on=gone)
    connection.execute(f"delete from {register} where atena_no = ?", [parts["unregistered"]])
    change("grown", birth_on=LATER.replace(year=LATER.year - 18))
    change("grown_low", birth_on=LATER.replace(year=LATER.year - 18))
    change("grown_tomorrow", birth_on=LATER.replace(year=LATER.year - 18) + dt.timedelta(days=1))
    observe("moved_with_case", "c1", "2026-04-02", None)
    # Closed on the day of the move: because of it. The day before: not.
    observe("moved_and_closed", "c2", "2025-04-02", "2026-04-10")
    observe("moved_after_case", "c3", "2025-04-02", "2026-04-09")
    for number, (part, decision) in enumerate(
        (("moved_with_decision", "watch"), ("moved_not_needed", "watch"), ("moved_not_needed", "none"))
    ):
        connection.execute(
            "insert into raw.decisions by name select ? as decision_id, ? as person_id, ?::date as meeting_on, "
            "?::date as decided_on, ? as decision, now()::timestamp as entered_at",
            [f"d{number}", parts[part], f"2026-04-0{number + 1}", f"2026-04-0{number + 1}", decision],
        )
    for number, (part, ended) in enumerate((("moved_with_support", None), ("moved_after_support", "2026-04-09"))):
        connection.execute(
            "insert into raw.supports by name select ? as support_id, ? as person_id, date '2026-04-02' as started_on, "
            "?::date as ended_on",
            [f"s{number}", parts[part], ended],
        )
    for number, (part, left_on, handed_on) in enumerate(
        # Handed over before the move; and an earlier leaving, before a return.
        (("moved_and_handed_over", "2026-04-10", "2026-04-03"), ("moved_again", "2025-01-05", "2025-01-20"))
    ):
        connection.execute(
            "insert into staging.stg_child__recorded_handovers by name select ? as record_no, ? as subject_no, "
            "?::date as left_on, 'handed_over' as outcome, ?::date as handed_on, 'test' as delivery_id, "
            "? as line_number",
            [f"h{number}", parts[part], left_on, handed_on, number],
        )
    # The measure of the mother ended with the move: it goes on where they went.
    connection.execute(
        "insert into intermediate.int_person__support_measures by name select person_id, date '2025-01-01' as "
        "measure_from, date '2026-04-10' as measure_until, false as is_in_force, 'test' as delivery_id, "
        "1 as line_number from (select unnest([mother_id]) as person_id from marts.dim_child where person_id = ?)",
        [parts["moved_protected"]],
    )
    for part, day in CAME.items():
        change(part, resident_since_on=day, moved_from="新潟市北区")
        connection.execute("delete from intermediate.int_observations__all where person_id = ?", [parts[part]])
    change("born", resident_since_on=connection.execute(
        f"select birth_on from {register} where atena_no = ?", [parts["born"]]
    ).fetchone()[0])  # fmt: skip
    for part, day in (("came_seen", CAME["came_seen"]), ("came_unseen", CAME["came_unseen"] - dt.timedelta(days=1))):
        connection.execute(
            "insert into intermediate.int_observations__all by name select ? as person_id, 'vaccination' as "
            "observation_code, ?::date as observed_on, 'vaccinations' as source_id, 'test' as delivery_id, "
            "1 as line_number",
            [parts[part], day],
        )
    connection.execute("update raw.run_parameters set as_of_on = ?", [LATER])


def test_each_kind_of_leaving_is_listed_with_its_reasons_and_what_is_nearly_one_is_not(town: Town) -> None:
    leavers, _ = marts_of(town.connection)
    listed = {part: leavers.get(person) for part, person in town.parts.items()}
    gone = dt.date(2026, 4, 10)
    assert listed == {
        "moved": ("moved", gone, "tier"),
        "died": ("died", gone, "tier"),
        "removed": ("removed", gone, "tier"),
        "unregistered": ("unregistered", AS_OF, "tier"),
        "grown": ("came_of_age", LATER, "tier"),
        "moved_with_decision": ("moved", gone, "decision"),
        "moved_with_support": ("moved", gone, "support"),
        "moved_with_case": ("moved", gone, "council_case"),
        "moved_and_closed": ("moved", gone, "council_case"),
        "moved_and_handed_over": ("moved", gone, "tier"),
        "moved_again": ("moved", gone, "tier"),
        "moved_protected": ("moved", gone, "tier"),
        **dict.fromkeys((
            "moved_low", "moved_after_case", "moved_after_support", "moves_tomorrow", "grown_tomorrow",
            "moved_not_needed", "grown_low", "came", "came_late", "came_seen", "came_unseen", "born",
        )),
    }  # fmt: skip
    records = Records(town.connection, LATER)
    assert leavers == records.leavers()


def test_each_kind_of_arrival_waits_until_a_service_saw_the_child(town: Town) -> None:
    rows = town.connection.execute(
        "select person_id, arrived_on, moved_from, is_waiting, is_late from marts.fct_arrival"
    ).fetchall()
    listed = {person: row for person, *row in rows}
    assert {part: listed.get(town.parts[part]) for part in (*CAME, "born")} == {
        "came": [CAME["came"], "新潟市北区", True, False],
        "came_late": [CAME["came_late"], "新潟市北区", True, True],
        "came_seen": [CAME["came_seen"], "新潟市北区", False, False],
        "came_unseen": [CAME["came_unseen"], "新潟市北区", True, False],
        "born": None,
    }
    assert marts_of(town.connection)[1] == Records(town.connection, LATER).arrivals()


def test_only_a_hand_over_of_this_leaving_closes_it(town: Town) -> None:
    rows = town.connection.execute("select person_id, is_open, handover_outcome, days_since from marts.fct_leaver")
    state = {person: (is_open, outcome, days) for person, is_open, outcome, days in rows.fetchall()}
    assert state[town.parts["moved"]] == (True, None, 21)
    assert state[town.parts["moved_and_handed_over"]] == (False, "handed_over", 21)
    assert state[town.parts["moved_again"]] == (True, None, 21)


def test_leaver_of_a_protected_family_stays_protected_when_the_measure_ends_with_the_move(town: Town) -> None:
    query = "select person_id, is_dv_protected, moved_to from marts.fct_leaver"
    rows = {person: row for person, *row in town.connection.execute(query).fetchall()}
    assert rows[town.parts["moved_protected"]] == [True, None]
    assert rows[town.parts["moved"]] == [False, "新潟市中央区"]


def test_move_deletes_nothing_of_what_was_known(town: Town) -> None:
    for table in ("fct_support_priority", "fct_risk_score"):
        query = f"select count(*) from marts.{table} where person_id = ? and as_of_on = ?"
        assert town.connection.execute(query, [town.parts["moved"], AS_OF]).fetchone()[0] > 0


def test_nobody_is_a_leaver_and_a_child_at_once(town: Town) -> None:
    both = "select count(*) from marts.fct_leaver semi join marts.dim_child using (person_id)"
    assert town.connection.execute(both).fetchone() == (0,)

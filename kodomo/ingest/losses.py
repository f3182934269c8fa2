"""Detects groups (by age or area) that lost more people between two states of the data than chance explains.

The share that leaves, dies or moves between two states is a limit of the seed ``loss_limits``; a group loses more than
chance where so many would be missing with a probability below its significance.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from kodomo.macros import load_macros
from kodomo.messages import Sentence
from kodomo.parameters import parameter
from kodomo.seeds import read_seed

DAYS_OF_A_YEAR = 365.25


@dataclass(frozen=True)
class Limit:
    """What is expected of a group. Ages are in whole years, both included; None: the group is no age."""

    grouped_by: str
    from_age: int | None
    to_age: int | None
    share: float
    """Missing from one state to the next, however little time lies between."""
    share_per_year: float
    fewest_people: int
    significance: float

    def expected(self, years: float) -> float:
        """The share that may be missing after so many years."""
        return min(0.95, self.share + self.share_per_year * years)


@dataclass(frozen=True)
class Loss:
    """A group that has lost more people than chance explains."""

    grouped_by: str
    group: str
    people: int
    missing: int

    @property
    def shown_group(self) -> Sentence | str:
        """The group for people: an age as its first and its last year."""
        if self.grouped_by != "age":
            return self.group
        first, last = self.group.split(" to ")
        return Sentence("{first} to {last}", first=first, last=last)

    def in_words(self) -> Sentence:
        """The group and its numbers."""
        return Sentence(
            {
                "all": "{missing} of the {people} people",
                "age": "{missing} of the {people} people aged {group}",
                "area": "{missing} of the {people} people of the area {group}",
            }[self.grouped_by],
            missing=self.missing,
            people=self.people,
            group=self.shown_group,
        )

    def __str__(self) -> str:
        return str(self.in_words())


def load_limits(compared: str) -> list[Limit]:
    """The limits of the seed for ``register`` or ``publication``."""
    return [
        Limit(
            grouped_by=row["grouped_by"],
            from_age=row["from_age"],
            to_age=row["to_age"],
            share=float(row["share"]),
            share_per_year=float(row["share_per_year"]),
            fewest_people=row["fewest_people"],
            significance=float(row["significance"]),
        )
        for row in read_seed("loss_limits")
        if row["compared"] == compared
    ]


def losses(
    limits: Iterable[Limit], people: Sequence[tuple[int | None, str | None, bool, bool]], years: float
) -> list[Loss]:
    """The groups that lost more than chance.

    ``people``: age in years and area (None: unknown) of each person of the state before, whether the person is missing
    now, and whether the person is missing from the area; ``years`` lie between the two states.
    """
    from scipy.stats import binom

    excessive = []
    for limit in limits:
        groups: dict[str, list[int]] = {}
        for age, area, is_missing, is_missing_there in people:
            if limit.grouped_by == "all":
                group, counts = "", is_missing
            elif limit.grouped_by == "area":
                group, counts = area, is_missing_there
            else:
                is_in_it = age is not None and (limit.from_age or 0) <= age <= (limit.to_age or 0)
                group, counts = (f"{limit.from_age} to {limit.to_age}" if is_in_it else None), is_missing
            if group is not None:
                count = groups.setdefault(group, [0, 0])
                count[0] += 1
                count[1] += counts
        for group, (total, missing) in sorted(groups.items()):
            if total < limit.fewest_people:
                continue
            if binom.sf(missing - 1, total, limit.expected(years)) < limit.significance:
                excessive.append(Loss(limit.grouped_by, group, total, missing))
    return excessive


def register_losses(
    connection: duckdb.DuckDBPyConnection, before: str, before_on: dt.date, now: str, now_on: dt.date
) -> list[Loss]:
    """What a full delivery of the register has lost against the one before; both are ids of deliveries in raw.

    Counted are the people with the status 住登者. Ages are those on the day of the delivery before, so that
    no person outgrows a group.
    """
    macros = load_macros()
    number = macros["normalise_id"]("atena_no", parameter("person_number_width"))
    is_resident = f"{macros['comparable_code']('resident_status_code')} = '1'"
    rows = connection.execute(
        f"""
        with here as (
            select
                {number} as atena_no,
                any_value(date_diff('month', {macros["parse_date"]("birth_on")}, ?::date) // 12) as age,
                any_value(former_municipality) as area
            from raw.resident_register
            where delivery_id = ? and {is_resident}
            group by all
        ),
        still as (
            select distinct {number} as atena_no from raw.resident_register where delivery_id = ? and {is_resident}
        )
        select here.age, here.area, still.atena_no is null as is_missing
        from here
        left join still on here.atena_no = still.atena_no
        where here.atena_no is not null
        """,
        [before_on, before, now],
    ).fetchall()
    people = [(age, area, is_missing, is_missing) for age, area, is_missing in rows]
    return losses(load_limits("register"), people, max(0.0, (now_on - before_on).days / DAYS_OF_A_YEAR))

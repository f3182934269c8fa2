"""Detects columns of a delivery that differ from the deliveries before it by more than those did among themselves.

A delivery is compared with the median of the last ``RECENT`` of its source and kind, with the last one, and with the
same month of earlier years; what counts is the smallest difference. Where the bound lies is in the seed
``profile_limits``. Where little came before, only crude changes are slips.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import duckdb

from kodomo.contract import Column, Contract, load_code_lists
from kodomo.ingest.profiles import FEWEST_OF_A_GROUP, QUANTILES, UNKNOWN, Figure, Profile, months, read_profiles
from kodomo.messages import JAPANESE, Sentence
from kodomo.parameters import parameter
from kodomo.seeds import read_seed

RECENT = 6
SAME_MONTH_YEARS = 3
MOST_READ = 50
"""Earlier deliveries whose profiles are read: four years of monthly ones."""
COMPARABLE_SIZE = 4
"""A delta is compared with those of at most so many times its rows, and at least that part of them: a first delta
brings years, a correction a few rows."""
SAMPLING = 4
"""Standard errors that the rows of a delta may lie apart by chance; the rows of a full delivery stay the same."""
MAD_TO_SPREAD = 1.4826
"""From a median deviation to a standard deviation, where differences are distributed normally."""
ACCEPTED_MORE = parameter("accepted_growth")
"""How many times an accepted deviation the same finding may be: it never comes back to the digit."""
Values = dict[str, Figure]
"""Item → figure of one measure of one column of one delivery."""


@dataclass(frozen=True)
class Limit:
    """A row of the seed profile_limits."""

    measure: str
    least_change: float
    crude_change: float
    spreads: float
    fewest_rows: int
    is_seasonal: bool

    def bound(self, past: int, is_new_season: bool) -> float:
        """The change that is a slip after so many deliveries, before the usual differences between them count."""
        known = 1 if is_new_season else min(past, RECENT)
        return self.least_change + (self.crude_change - self.least_change) * (RECENT - known) / (RECENT - 1)


@dataclass(frozen=True)
class Finding:
    """A column that differs. ``item``: what of it, so that an acceptance holds for the same only."""

    column: str
    measure: str
    item: str
    deviation: float
    sentence: Sentence


def load_profile_limits() -> dict[str, Limit]:
    """The limits by measure, in the order in which they are looked at."""
    return {
        row["measure"]: Limit(
            measure=row["measure"],
            least_change=float(row["least_change"]),
            crude_change=float(row["crude_change"]),
            spreads=float(row["spreads"]),
            fewest_rows=row["fewest_rows"],
            is_seasonal=row["is_seasonal"],
        )
        for row in read_seed("profile_limits")
    }


def seasonal_months(source_id: str) -> frozenset[int]:
    """Months in which a source changes much every year."""
    return frozenset(row["month"] for row in read_seed("delivery_seasons") if row["source_id"] in (None, source_id))


@dataclass(frozen=True)
class Past:
    """The deliveries that one is compared with, newest first."""

    recent: Sequence[Profile]
    same_month: Sequence[tuple[Profile, Profile | None]] = ()
    """Of earlier years, each with the delivery before it."""
    is_delta: bool = False
    """Whether the dates of each delivery are new ones, so that they are counted from its day."""

    @property
    def references(self) -> list[Profile]:
        """The last delivery, and those of the same month."""
        return [*self.recent[:1], *(profile for profile, _ in self.same_month)]


def past_of(now: Profile, earlier: Sequence[Profile], is_delta: bool) -> Past:
    """The past of a delivery among the earlier ones of its source and kind, which stand newest first."""
    if is_delta:
        times, read = COMPARABLE_SIZE, now.rows_read
        earlier = [one for one in earlier if one.rows_read <= times * read <= times**2 * one.rows_read]
    same_month = [
        (one, earlier[at + 1] if at + 1 < len(earlier) else None)
        for at, one in enumerate(earlier)
        if one.delivered_on.month == now.delivered_on.month and one.delivered_on.year < now.delivered_on.year
    ]
    return Past(earlier[:RECENT], same_month[:SAME_MONTH_YEARS], is_delta)


def findings(contract: Contract, now: Profile, past: Past) -> list[Finding]:
    """The columns that differ by more than chance, season and habit explain; of each column the first measure only."""
    if not past.recent:
        return []
    season = now.delivered_on.month in seasonal_months(contract.source_id) and not past.same_month
    limits, measures = load_profile_limits(), _measures(past.is_delta)
    found = []
    for column in contract.columns:
        for name, limit in limits.items():
            if season and limit.is_seasonal:
                continue
            if finding := _finding(measures[name], limit, column, now, past, season):
                found.append(finding)
                break
    return found


@dataclass(frozen=True)
class Difference:
    """How much one delivery differs from another in one measure of a column."""

    size: float
    item: str = ""
    before: float = 0
    now: float = 0
    rows: int = 0
    """Rows, or values, that were there before."""
    noise: float = 0
    """Standard error of the difference, were both a sample."""


Compare = Callable[[Column, Profile, Profile], "Difference | None"]
"""(column, delivery, earlier delivery) → difference; None where there is nothing to compare."""


@dataclass(frozen=True)
class Measure:
    """How a measure is compared and said."""

    compare: Compare
    say: Callable[[Column, Difference], Sentence]
    grows_with_time: bool = False
    """Whether a month between two deliveries is a month of difference."""


def _finding(
    measure: Measure,
    limit: Limit,
    column: Column,
    now: Profile,
    past: Past,
    is_new_season: bool,
) -> Finding | None:
    difference = _smallest(measure.compare, column, now, past)
    if difference is None or difference.rows < limit.fewest_rows:
        return None
    known = sum(measure.compare(column, now, one) is not None for one in past.recent)
    bound = limit.bound(known, is_new_season)
    if measure.grows_with_time:
        bound += max(0, months(now.delivered_on) - months(past.recent[0].delivered_on))
    if past.is_delta:
        bound = max(bound, SAMPLING * difference.noise)
    # To compare the deliveries before with each other costs more than to see that nothing has changed.
    if difference.size < bound or difference.size < limit.spreads * _spread(measure.compare, column, past):
        return None
    return Finding(column.name, limit.measure, difference.item, difference.size, measure.say(column, difference))


def _smallest(compare: Compare, column: Column, now: Profile, past: Past) -> Difference | None:
    """The difference from what fits best of what was before."""
    before = [*past.references, _median(column.name, past)]
    before += [
        one
        for profile, earlier in past.same_month
        if earlier is not None and (one := _moved(column.name, past.recent[0], earlier, profile)) is not None
    ]
    differences = [one for profile in before if (one := compare(column, now, profile)) is not None]
    return min(differences, key=lambda one: one.size, default=None)


def _spread(compare: Compare, column: Column, past: Past) -> float:
    """The usual difference of a delivery from the ones before it; 0 where fewer than three are known."""
    sizes = [
        difference.size
        for at, one in enumerate(past.recent[:-1])
        if (difference := _smallest(compare, column, one, Past(past.recent[at + 1 :], (), past.is_delta))) is not None
    ]
    return MAD_TO_SPREAD * statistics.median(sizes) if len(sizes) > 1 else 0.0


def _median(column: str, past: Past) -> Profile:
    """The figures of a column, each the median of those of the recent deliveries, as of the last of them."""
    last = past.recent[0]
    places = {place for one in past.recent for place in one.figures if place[0] in ("", column)}
    figures = {}
    for place in places:
        known = [(one, one.figures[place]) for one in past.recent if place in one.figures]
        # A code that most deliveries do not have is in none of them.
        if len(known) > len(past.recent) / 2:
            later = {
                one.delivery_id: months(last.delivered_on) - months(one.delivered_on)
                if past.is_delta and place[1] == "date"
                else 0
                for one, _ in known
            }
            figures[place] = Figure(
                statistics.median(figure.number + later[one.delivery_id] for one, figure in known),
                int(statistics.median(figure.row_count for _, figure in known)),
            )
    return Profile("", last.delivered_on, figures)


def _moved(column: str, last: Profile, earlier: Profile, same_month: Profile) -> Profile | None:
    """The last delivery with the dates of a column moved as they did in the same month of an earlier year."""
    dates = [one.items(column, "date") for one in (last, earlier, same_month)]
    if not all(dates):
        return None
    moved = {
        (column, "date", item): Figure(figure.number + dates[2][item].number - dates[1][item].number, figure.row_count)
        for item, figure in dates[0].items()
    }
    return Profile("", last.delivered_on, {**last.figures, **moved})


def _change(name: str, sign: int, column: Column, now: Profile, before: Profile) -> Difference | None:
    """How far a share has risen (``sign`` 1) or fallen (-1)."""
    one, other = now.get(column.name, name), before.get(column.name, name)
    if one is None or other is None:
        return None
    noise = (_variance(other.number, other.row_count) + _variance(other.number, one.row_count)) ** 0.5
    return Difference(sign * (one.number - other.number), "", other.number, one.number, other.row_count, noise)


def _more_rejected(column: Column, now: Profile, before: Profile) -> Difference | None:
    """How far the share of rows that are rejected for a column has risen."""
    one = now.get(column.name, "rejected")
    other = before.get(column.name, "rejected") or Figure(0.0, before.rows_read)
    if one is None or not other.row_count:
        return None
    noise = (_variance(other.number, other.row_count) + _variance(other.number, one.row_count)) ** 0.5
    rows = min(one.row_count, other.row_count)
    return Difference(one.number - other.number, "", other.number, one.number, rows, noise)


def _variance(share: float, rows: int) -> float:
    # One more row of each kind: a share of nothing in a few rows may be some.
    share = (share * rows + 1) / (rows + 2)
    return share * (1 - share) / max(rows, 1)


def _relative(name: str, column: Column, now: Profile, before: Profile) -> Difference | None:
    """By which part a mean has changed."""
    one, other = now.get(column.name, name), before.get(column.name, name)
    if one is None or other is None or not other.number:
        return None
    rows = min(one.row_count, other.row_count)
    return Difference(abs(one.number / other.number - 1), "", other.number, one.number, rows)


def _fewer_values(column: Column, now: Profile, before: Profile) -> Difference | None:
    """By which part the distinct values have become fewer, both as a count and for each value given."""
    one, other = now.get(column.name, "distinct"), before.get(column.name, "distinct")
    if one is None or other is None or not other.number or not other.row_count:
        return None
    per_value = one.number / one.row_count / (other.number / other.row_count)
    size = 1 - max(one.number / other.number, per_value)
    # Of two kinds one may be missing by chance.
    rows = min(one.row_count, other.row_count) if other.number >= 3 else 0
    return Difference(size, "", other.number, one.number, rows)


def _mix(column: Column, now: Profile, before: Profile) -> Difference | None:
    """The share of values that stand at other codes; the item is the code that has changed most, and how."""
    one, other = now.items(column.name, "code"), before.items(column.name, "code")
    totals = [sum(figure.number for figure in figures.values()) for figures in (one, other)]
    if not all(totals):
        return None
    shares = {
        code: tuple(
            figures[code].number / total if code in figures else 0.0
            for figures, total in zip((one, other), totals, strict=True)
        )
        for code in {*one, *other}
    }
    code = max(sorted(shares), key=lambda name: abs(shares[name][0] - shares[name][1]))
    size = sum(abs(share - earlier) for share, earlier in shares.values()) / 2
    noise = sum(_variance(earlier, round(total)) ** 0.5 for _, earlier in shares.values() for total in totals) / 2
    more = "+" if shares[code][0] > shares[code][1] else "-"
    return Difference(size, f"{more}{code}", shares[code][1], shares[code][0], round(min(totals)), noise)


def _dates(column: Column, now: Profile, before: Profile, is_delta: bool) -> dict[str, float] | None:
    """By how many months each quantile of the dates has moved; in a delta, the time between date and delivery."""
    one, other = now.items(column.name, "date"), before.items(column.name, "date")
    if not one or not other:
        return None
    passed = months(now.delivered_on) - months(before.delivered_on) if is_delta else 0
    return {item: one[item].number - other[item].number - passed for item in QUANTILES}


def _shift(is_delta: bool, column: Column, now: Profile, before: Profile) -> Difference | None:
    """The months by which four of the five quantiles at least have moved to the same side."""
    moved = _dates(column, now, before, is_delta)
    if moved is None:
        return None
    least, *_, most = sorted(moved.values())[1:-1]
    shift = max(least, -most, 0.0)
    rows = min(one.items(column.name, "date")["p50"].row_count for one in (now, before))
    return Difference(shift, "later" if least > 0 else "earlier", 0, shift, rows)


def _range(is_delta: bool, column: Column, now: Profile, before: Profile) -> Difference | None:
    moved = _dates(column, now, before, is_delta)
    if moved is None:
        return None
    rows = min(one.items(column.name, "date")["p50"].row_count for one in (now, before))
    size, item = max((-moved["p05"], "earlier"), (moved["p95"], "later"))
    return Difference(max(size, 0.0), item, 0, size, rows)


def _lost_group(column: Column, now: Profile, before: Profile) -> Difference | None:
    """The group that has lost the greatest part of its rows. Rows of groups that are new may be its own, renamed."""
    one, other = now.items(column.name, "group"), before.items(column.name, "group")
    if not one or not other:
        return None
    renamed = sum(figure.number for item, figure in one.items() if item not in other)
    fewest = load_profile_limits()["group"].fewest_rows
    lost = []
    for item, figure in sorted(other.items()):
        left = one[item].number if item in one else 0.0
        if figure.number >= fewest:
            size = 1 - (left + renamed) / figure.number
            lost.append(Difference(size, item, figure.number, left, round(figure.number), figure.number**-0.5))
    return max(lost, key=lambda difference: difference.size, default=None)


def _say_mix(column: Column, difference: Difference) -> Sentence:
    code = difference.item[1:]
    label: object = load_code_lists().get(column.code_list or "", {}).get(code, code)
    if code == UNKNOWN:
        label = Sentence("what the list does not have")
    elif column.type == "flag":
        label = Sentence("yes") if code == "true" else Sentence("no")
    return Sentence(
        "{heading}: another mix of codes ({code}: {before:.0f} % before, {now:.0f} % now)",
        heading=column.heading,
        code=label,
        before=100 * difference.before,
        now=100 * difference.now,
    )


def _say_months(name: str, column: Column, difference: Difference) -> Sentence:
    return Sentence(
        {
            "date earlier": "{heading}: the dates lie {months} months earlier than before",
            "date later": "{heading}: the dates lie {months} months later than before",
            "range earlier": "{heading}: the earliest dates lie {months} months before those of earlier deliveries",
            "range later": "{heading}: the latest dates lie {months} months after those of earlier deliveries",
        }[f"{name} {difference.item}"],
        heading=column.heading,
        months=round(difference.now),
    )


def _say_group(column: Column, difference: Difference) -> Sentence:
    return Sentence(
        "{heading}: {group} has fewer than {fewest} rows, {before:.0f} before"
        if difference.now < FEWEST_OF_A_GROUP
        else "{heading}: {group} has {now:.0f} rows, {before:.0f} before",
        heading=column.heading,
        group=difference.item,
        fewest=FEWEST_OF_A_GROUP,
        before=difference.before,
        now=difference.now,
    )


def _say(name: str, factor: int, column: Column, difference: Difference) -> Sentence:
    return Sentence(
        {
            "rejected": "{heading}: {now:.0f} % of the rows are rejected for it, {before:.0f} % before",
            "empty": "{heading}: empty in {now:.0f} % of the rows, in {before:.0f} % before",
            "distinct": "{heading}: {now:.0f} different values, {before:.0f} before",
            "length": "{heading}: {now:.1f} characters on average, {before:.1f} before",
            "future": "{heading}: {now:.0f} % of the dates are after the delivery, {before:.0f} % before",
            "joined": "{heading}: the register has {now:.0f} % of the numbers, {before:.0f} % before",
            "changed": "{heading}: {now:.0f} % of the rows have another value than in the last delivery",
        }[name],
        heading=column.heading,
        before=factor * difference.before,
        now=factor * difference.now,
    )


def _measures(is_delta: bool) -> dict[str, Measure]:
    """How each measure of the limits is compared."""
    return {
        "rejected": Measure(_more_rejected, partial(_say, "rejected", 100)),
        "empty": Measure(partial(_change, "empty", 1), partial(_say, "empty", 100)),
        "distinct": Measure(_fewer_values, partial(_say, "distinct", 1)),
        "code": Measure(_mix, _say_mix),
        "length": Measure(partial(_relative, "length"), partial(_say, "length", 1)),
        "date": Measure(partial(_shift, is_delta), partial(_say_months, "date"), grows_with_time=True),
        "range": Measure(partial(_range, is_delta), partial(_say_months, "range"), grows_with_time=True),
        "future": Measure(partial(_change, "future", 1), partial(_say, "future", 100)),
        "joined": Measure(partial(_change, "joined", -1), partial(_say, "joined", 100)),
        "changed": Measure(partial(_change, "changed", 1), partial(_say, "changed", 100)),
        "group": Measure(_lost_group, _say_group),
    }


def unaccepted(found: Sequence[Finding], accepted: Mapping[tuple[str, str, str], float]) -> list[Finding]:
    """The findings that go further than one of the same column, measure and item that was accepted."""
    return [
        one
        for one in found
        if one.deviation > ACCEPTED_MORE * accepted.get((one.column, one.measure, one.item), float("-inf"))
    ]


def compare_with_past(
    connection: duckdb.DuckDBPyConnection, contract: Contract, now: Profile, kind: str
) -> list[Finding]:
    """The findings of a delivery that no steward has accepted, against the loaded ones of its kind up to its date."""
    earlier = connection.execute(
        "select delivery_id, delivered_on from raw.deliveries where source_id = ? and kind = ? and status = 'loaded' "
        "and delivered_on <= ? and delivery_id <> ? order by delivered_on desc, sequence desc",
        [contract.source_id, kind, now.delivered_on, now.delivery_id],
    ).fetchall()
    profiles = read_profiles(connection, earlier[:MOST_READ])
    past = past_of(now, [profiles[one] for one, _ in earlier if one in profiles], kind == "delta")
    found = findings(contract, now, past)
    if not found:
        return []
    accepted = connection.execute(
        "select column_name, measure, item, max(deviation) from raw.finding_acceptances where source_id = ? "
        "group by all",
        [contract.source_id],
    ).fetchall()
    return unaccepted(found, {(column, name, item): deviation for column, name, item, deviation in accepted})


def keep_findings(
    connection: duckdb.DuckDBPyConnection, source_id: str, delivery_id: str, found: Sequence[Finding]
) -> None:
    """Write the findings of a delivery into raw.delivery_findings, in the place of those that it had."""
    connection.execute("delete from raw.delivery_findings where delivery_id = ?", [delivery_id])
    for one in found:
        connection.execute(
            "insert into raw.delivery_findings values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                delivery_id, source_id, one.column, one.measure, one.item, one.deviation,
                str(one.sentence), one.sentence.in_language(JAPANESE),
            ],
        )  # fmt: skip

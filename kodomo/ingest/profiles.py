"""What the columns of a delivery hold, as counts and aggregates: never a value of a person.

Texts that are kept are codes of a code list and the groups that a contract names (schools), where at least
``FEWEST_OF_A_GROUP`` rows have them. Of dates, only the months of quantiles are kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import duckdb
import pyarrow as pa

from kodomo.contract import Column, Contract, load_code_lists
from kodomo.ingest.load import Loaded
from kodomo.macros import load_macros
from kodomo.parameters import parameter
from kodomo.seeds import read_seed

REGISTER, REGISTER_NUMBER = "resident_register", "atena_no"
QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
FEWEST_OF_A_GROUP = 10
EXACT_UP_TO = 20_000
"""Of more rows the distinct values are estimated: only a fall by half is a slip."""
PLANNED = dt.timedelta(days=93)
"""How far ahead a date may be known: who enters a school in April is on its roster in January."""
READ_FROM = 0.1
"""The share of other texts from which on they are read for what they mean: few other texts are few other values."""
UNKNOWN = "unknown"
"""A code that is in no list, whatever it is."""
CODED, DATED = ("code", "flag"), ("date", "month")
Place = tuple[str, str, str]
"""Column (empty: the whole delivery), measure, and item of the measure (a code, a group, a quantile) or nothing."""


@dataclass(frozen=True)
class Figure:
    """A number, and of how many rows it is."""

    number: float
    row_count: int


@dataclass(frozen=True)
class Profile:
    """The figures of one delivery by place.

    Measures: rows; rejected (share of the rows read, for this column); empty (share), distinct (count), length (mean),
    code and group (rows by item), date (by quantile, months since the year 0), future (share of dates more than
    ``PLANNED`` after the delivery), joined (share of the numbers that the register has), changed (share of the values
    that differ from those of the same row in the full delivery before).
    """

    delivery_id: str
    delivered_on: dt.date
    figures: Mapping[Place, Figure] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Loaded rows of the delivery."""
        return int(self.figures[("", "rows", "")].number)

    @property
    def rows_read(self) -> int:
        """Rows of the file, loaded or rejected."""
        return self.figures[("", "rows", "")].row_count

    def get(self, column: str, measure: str, item: str = "") -> Figure | None:
        """The figure of a place; None where there is none."""
        return self.figures.get((column, measure, item))

    def items(self, column: str, measure: str) -> dict[str, Figure]:
        """The figures of a measure by item."""
        return {place[2]: one for place, one in self.figures.items() if place[:2] == (column, measure)}


def months(day: dt.date) -> int:
    """Months since the year 0."""
    return 12 * day.year + day.month


def measure(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivery_id: str,
    delivered_on: dt.date,
    loaded: Loaded,
    before: str | None = None,
) -> Profile:
    """The profile of a delivery whose rows are in raw.

    ``loaded``: what loading it has read. ``before``: the full delivery that a full one replaces.
    """
    figures: dict[Place, Figure] = {}
    rows = _plain(connection, contract, delivery_id, loaded, figures)
    read = loaded.loaded + loaded.rejected
    figures[("", "rows", "")] = Figure(rows, read)
    if loaded.rejected:
        _rejected(connection, contract, delivery_id, read, figures)
    if rows:
        connection.register("delivered_days", loaded.days)
        _listed(connection, contract, delivery_id, delivered_on, rows, figures)
        _joined(connection, contract, delivery_id, figures)
        if before is not None:
            _changed(connection, contract, delivery_id, before, figures)
        connection.unregister("delivered_days")
    return Profile(delivery_id, delivered_on, figures)


def _is_listed(column: Column) -> bool:
    """Whether the values of a column are counted one by one: they are few, or read for what they mean."""
    return column.type in CODED or column.type in DATED or column.is_group


def _plain(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivery_id: str,
    loaded: Loaded,
    figures: dict[Place, Figure],
) -> int:
    """Rows, and of each column the share of empty ones; of texts and numbers distinct values and mean length."""
    asked = ["count(*)"]
    columns = [column for column in contract.columns if column.name in loaded.filled]
    counting = "approx_count_distinct({})" if loaded.loaded > EXACT_UP_TO else "count(distinct hash({})) filter ({})"
    for column in columns:
        asked.append(f"count({column.name})")
        if not _is_listed(column):
            # Zeros before a number come and go with the tool that writes it.
            text = f"ltrim({column.name}, '0')" if column.type == "id" else column.name
            asked += [counting.format(column.name, f"{column.name} is not null"), f"avg(length({text}))"]
    (values,) = connection.execute(
        f"select {', '.join(asked)} from raw.{contract.source_id} where delivery_id = ?", [delivery_id]
    ).fetchall()
    numbers = iter(values)
    rows = next(numbers)
    if rows:
        figures.update({(column.name, "empty", ""): Figure(1.0, rows) for column in contract.columns})
    for column in columns:
        count = next(numbers)
        distinct, length = (0, 0.0) if _is_listed(column) else (next(numbers), next(numbers))
        figures[(column.name, "empty", "")] = Figure(1 - count / rows, rows)
        if not _is_listed(column):
            figures[(column.name, "distinct", "")] = Figure(distinct, count)
            figures[(column.name, "length", "")] = Figure(length, count)
    return rows


def _rejected(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivery_id: str,
    read: int,
    figures: dict[Place, Figure],
) -> None:
    names = {column.heading: column.name for column in contract.columns}
    for heading, count in connection.execute(
        "select column_name, count(*) from raw.rejects where delivery_id = ? and column_name is not null group by all",
        [delivery_id],
    ).fetchall():
        if heading in names:
            figures[(names[heading], "rejected", "")] = Figure(count / read, read)


def _listed(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivery_id: str,
    delivered_on: dt.date,
    rows: int,
    figures: dict[Place, Figure],
) -> None:
    """Codes, groups and dates: each distinct value is read once, for what it means."""
    columns = {
        column.name: column
        for column in contract.columns
        if _is_listed(column) and figures[(column.name, "empty", "")].number < 1
    }
    if not columns:
        return
    names = ", ".join(columns)
    connection.execute(
        "create or replace temp table listed_values as select column_name, value, count(*) as row_count "
        f"from (unpivot (select {names} from raw.{contract.source_id} where delivery_id = ?) "
        f"on {names} into name column_name value value) group by all",
        [delivery_id],
    )
    for name, distinct, filled in connection.execute(
        "select column_name, count(*), sum(row_count)::bigint from listed_values group by all"
    ).fetchall():
        figures[(name, "distinct", "")] = Figure(distinct, filled)
    _codes(connection, columns, rows, figures)
    _dates(connection, columns, delivered_on, figures)
    groups = [name for name, column in columns.items() if column.is_group]
    for name, value, count in connection.execute(
        "select column_name, value, row_count from listed_values where list_contains(?, column_name) "
        "and row_count >= ? order by all",
        [groups, FEWEST_OF_A_GROUP],
    ).fetchall():
        figures[(name, "group", value)] = Figure(count, rows)
    connection.execute("drop table listed_values")


def _codes(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Column], rows: int, figures: dict[Place, Figure]
) -> None:
    coded = [name for name, column in columns.items() if column.type in CODED]
    if not coded:
        return
    counts: dict[tuple[str, str], int] = {}
    flag = _flag("value") if any(columns[name].type == "flag" for name in coded) else "null"
    for name, flagged, text, is_nothing, count in connection.execute(
        f"select column_name, {flag}, {load_macros()['comparable_code']('value')}, "
        f"{load_macros()['is_nothing']('value')}, row_count from listed_values where list_contains(?, column_name)",
        [coded],
    ).fetchall():
        code = _meaning(columns[name], flagged, text, is_nothing)
        counts[(name, code)] = counts.get((name, code), 0) + count
    for (name, code), count in sorted(counts.items()):
        if code:
            figures[(name, "code", code)] = Figure(count, rows)
        else:
            # A word for nothing is nothing.
            empty = figures[(name, "empty", "")]
            figures[(name, "empty", "")] = Figure(empty.number + count / rows, rows)


def _flag(value: str) -> str:
    return f"{load_macros()['parse_flag'](value)}::varchar"


def _meaning(column: Column, flag: str | None, comparable: str, is_nothing: bool) -> str:
    """The code that a text of a code list or a flag means, ``unknown``, or nothing."""
    code = flag if column.type == "flag" else _codes_by_spelling().get(column.code_list or "", {}).get(comparable)
    return code or ("" if is_nothing else UNKNOWN)


@cache
def _codes_by_spelling() -> dict[str, dict[str, str]]:
    """List → comparable spelling → code."""
    written = [
        (code_list, text, code, priority)
        for code_list, labels in load_code_lists().items()
        for code, label in labels.items()
        for priority, text in ((1, code), (2, label))
    ]
    written += [(row["code_list"], row["spelling"], row["code"], 3) for row in read_seed("code_spellings")]
    names = ("code_list", "text", "code", "priority")
    table = pa.table(dict(zip(names, map(list, zip(*written, strict=True)), strict=True)))
    with duckdb.connect() as connection:
        connection.register("written", table)
        rows = connection.execute(
            f"select code_list, {load_macros()['comparable_code']('text')}, code from written order by priority desc"
        ).fetchall()
    spellings: dict[str, dict[str, str]] = {}
    for code_list, text, code in rows:
        spellings.setdefault(code_list, {})[text] = code
    return spellings


def _dates(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Column],
    delivered_on: dt.date,
    figures: dict[Place, Figure],
) -> None:
    dated = [name for name, column in columns.items() if column.type in DATED]
    if not dated:
        return
    monthly = [name for name in dated if columns[name].type == "month"]
    day = "delivered_days.day"
    if monthly:
        month = load_macros()["parse_month"]("value")
        day = f"case when list_contains($monthly, column_name) then {month} else {day} end"
    by_month: dict[str, list[tuple[int, int]]] = {}
    future: dict[str, int] = {}
    for name, number, count, later in connection.execute(
        f"""
        select
            column_name,
            (12 * year(day) + month(day))::integer,
            sum(row_count)::bigint,
            coalesce(sum(row_count) filter (where day > $latest), 0)::bigint
        from (
            select column_name, row_count, {day} as day
            from listed_values left join delivered_days using (value) where list_contains($dated, column_name)
        )
        where day is not null
        group by 1, 2
        order by 1, 2
        """,
        {"dated": dated, "latest": delivered_on + PLANNED, **({"monthly": monthly} if monthly else {})},
    ).fetchall():
        by_month.setdefault(name, []).append((number, count))
        future[name] = future.get(name, 0) + later
    for name, counts in by_month.items():
        total = sum(count for _, count in counts)
        if not columns[name].is_end:
            figures[(name, "future", "")] = Figure(future[name] / total, total)
        if total >= FEWEST_OF_A_GROUP:
            for item, share in QUANTILES.items():
                figures[(name, "date", item)] = Figure(_quantile(counts, share * total), total)


def _quantile(counts: Sequence[tuple[int, int]], position: float) -> int:
    """The month in which the row at a position lies; ``counts``: rows by month, in order."""
    for month, count in counts:
        position -= count
        if position <= 0:
            return month
    return counts[-1][0]


def _joined(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str, figures: dict[Place, Figure]
) -> None:
    """Of each number of a person, the share that the register in force has; none before there is a register."""
    width = parameter("person_number_width")
    names = [column.name for column in contract.columns if column.type == "id" and column.width == width]
    # A household has a number of the same width, but not the same numbers.
    names = [name for name in names if name.endswith(REGISTER_NUMBER) and figures[(name, "empty", "")].number < 1]
    if contract.source_id == REGISTER or not names:
        return
    register = connection.execute(
        "select delivery_id from raw.deliveries where source_id = ? and kind = 'full' and status = 'loaded' "
        "order by delivered_on desc, sequence desc limit 1",
        [REGISTER],
    ).fetchall()
    if not register:
        return
    is_known = "in (select number from known)"
    counted = ", ".join(
        f"count({name}), count(n{i}), count(n{i}) filter (where n{i} {is_known})" for i, name in enumerate(names)
    )
    for as_number in (_digits, _number):
        numbers = ", ".join(f"{name}, {as_number(name)} as n{i}" for i, name in enumerate(names))
        (values,) = connection.execute(
            f"with known as materialized (select distinct {_digits(REGISTER_NUMBER)} as number from raw.{REGISTER} "
            f"where delivery_id = ? and {_digits(REGISTER_NUMBER)} is not null), "
            f"numbers as (select {numbers} from raw.{contract.source_id} where delivery_id = ?) "
            f"select {counted} from numbers",
            [register[0][0], delivery_id],
        ).fetchall()
        if values[0::3] == values[1::3]:
            break
    for i, name in enumerate(names):
        total, _, joined = values[3 * i : 3 * i + 3]
        if total:
            figures[(name, "joined", "")] = Figure(joined / total, total)


def _digits(name: str) -> str:
    """SQL: the number of a person as a number where it is written in digits, as nearly all are."""
    return f"try_cast({name} as hugeint)"


def _number(name: str) -> str:
    """SQL: the number of a person as a number, whatever its spelling."""
    return _digits(load_macros()["normalise_id"](name, parameter("person_number_width")))


def _changed(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivery_id: str,
    before: str,
    figures: dict[Place, Figure],
) -> None:
    """Of each code, flag and date, the share that differs in meaning from the same row of the delivery before.

    Rows are the same where the key of the contract, or else the required numbers, are, and stand once in both.
    """
    by_name = {column.name: column for column in contract.columns}
    numbers = [column.name for column in contract.columns if column.type == "id"]
    key = contract.row_key or [name for name in numbers if by_name[name].required] or numbers[:1]
    names = [
        name
        for name, column in by_name.items()
        if (column.type in CODED or column.type == "date")
        and name not in key
        and figures[(name, "empty", "")].number < 1
    ]
    if not names or not key:
        return
    # Which row a key is of needs no more than its hash: of a few in a million, both are left out.
    text = ", ".join(f"coalesce({name}, '')" for name in key)
    rows = (
        f"select hash({text}) as key_hash, {', '.join(names)} from raw.{contract.source_id} where delivery_id = ? "
        "qualify count(*) over (partition by key_hash) = 1"
    )
    both = f"with earlier as ({rows}), delivered as ({rows}) select {{}} from delivered join earlier using (key_hash)"
    counted = ", ".join(
        f"count(earlier.{name} || delivered.{name}), count(*) filter (where earlier.{name} <> delivered.{name})"
        for name in names
    )
    (counts,) = connection.execute(both.format(counted), [before, delivery_id]).fetchall()
    for name, total, texts_changed in zip(names, counts[::2], counts[1::2], strict=True):
        changed = texts_changed
        if total and changed >= READ_FROM * total:
            pairs = connection.execute(
                both.format(f"earlier.{name}, delivered.{name}, count(*)")
                + f" where earlier.{name} <> delivered.{name} group by all",
                [before, delivery_id],
            ).fetchall()
            meanings = _meanings(connection, by_name[name], {text for *texts, _ in pairs for text in texts})
            changed = sum(count for *texts, count in pairs if len({meanings[text] for text in texts} - {""}) > 1)
        if total:
            figures[(name, "changed", "")] = Figure(changed / total, total)


def _meanings(connection: duckdb.DuckDBPyConnection, column: Column, texts: set[str]) -> dict[str, object]:
    """What each text of a date, a flag or a code means; nothing where it means nothing."""
    connection.register("other_texts", pa.table({"value": pa.array(sorted(texts), pa.string())}))
    macros = load_macros()
    if column.type == "date":
        rows = connection.execute(f"select value, {macros['parse_date']('value')} from other_texts").fetchall()
        meanings = {text: day or "" for text, day in rows}
    else:
        rows = connection.execute(
            f"select value, {_flag('value')}, {macros['comparable_code']('value')}, {macros['is_nothing']('value')} "
            "from other_texts"
        ).fetchall()
        meanings = {text: _meaning(column, *read) for text, *read in rows}
    connection.unregister("other_texts")
    return meanings


def keep_profile(connection: duckdb.DuckDBPyConnection, source_id: str, profile: Profile) -> None:
    """Write a profile into raw.column_profiles, in the place of one that the delivery had."""
    connection.execute("delete from raw.column_profiles where delivery_id = ?", [profile.delivery_id])
    places = list(profile.figures)
    connection.register(
        "column_figures",
        pa.table(
            {
                "column_name": pa.array([place[0] for place in places], pa.string()),
                "measure": pa.array([place[1] for place in places], pa.string()),
                "item": pa.array([place[2] for place in places], pa.string()),
                "number": pa.array([float(figure.number) for figure in profile.figures.values()], pa.float64()),
                "row_count": pa.array([figure.row_count for figure in profile.figures.values()], pa.int64()),
            }
        ),
    )
    connection.execute(
        "insert into raw.column_profiles by name select ? as delivery_id, ? as source_id, * from column_figures",
        [profile.delivery_id, source_id],
    )
    connection.unregister("column_figures")


def read_profiles(
    connection: duckdb.DuckDBPyConnection, deliveries: Iterable[tuple[str, dt.date]]
) -> dict[str, Profile]:
    """The kept profiles of deliveries (id, date) by id; one without is not in it."""
    days = dict(deliveries)
    figures: dict[str, dict[Place, Figure]] = {}
    for delivery_id, column, name, item, number, row_count in connection.execute(
        "select delivery_id, column_name, measure, item, number, row_count from raw.column_profiles "
        "where list_contains(?, delivery_id)",
        [list(days)],
    ).fetchall():
        figures.setdefault(delivery_id, {})[(column, name, item)] = Figure(number, row_count)
    return {
        delivery_id: Profile(delivery_id, day, figures[delivery_id])
        for delivery_id, day in days.items()
        if delivery_id in figures
    }

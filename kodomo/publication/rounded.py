"""The tables that an audience has with rounded counts (``rounded`` in access.yml), as a publication holds them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from kodomo.publication.rounding import (
    OVERALL,
    TOTAL,
    UNKNOWN,
    Counts,
    Exposed,
    round_counts,
    shape_of,
    with_totals,
)
from kodomo.publication.tables import MARTS, columns_of, literal, quote

COUNTS = "fct_area_count"
"""The mart of the true counts."""


def write_rounded(
    connection: duckdb.DuckDBPyConnection, target: str, name: str, source: str, key: str, before: Path | None
) -> Sequence[Exposed]:
    """Make the table ``name`` in the attached database ``target``: the mart ``source`` with rounded counts.

    Counts are those of the mart ``fct_area_count`` of ``target``; without it no table is made. ``before`` is
    everything.duckdb of the publication in service. Returns the tables that would give a count away.
    """
    marts = columns_of(connection, target, MARTS)
    if COUNTS not in marts:
        return []
    counts, ranks = _counts(connection, target)
    old_counts, old_shown = _date_before(before, name) if before else (None, None)
    rounded = round_counts(counts, shape_of(counts, ranks), key, old_counts, old_shown)
    connection.execute(
        "create temp table rounded_counts (difficulty_type varchar, area_code varchar, tier varchar, shown integer)"
    )
    if rounded.shown:
        connection.executemany(
            "insert into rounded_counts values (?, ?, ?, ?)",
            [[*cell, number] for cell, number in rounded.shown.items()],
        )
    label = "lpad(format('{:,}', %s), 9, ' ')"
    connection.execute(
        f"""
        create table {target}.main.{quote(name)} as
        select
            source.* replace (
                rounded.shown as children,
                {label % "rounded.shown"} as children_label,
                false as is_hidden,
                unknown.shown as unknown_children,
                coalesce({label % "unknown.shown"}, '—') as unknown_label
            )
        from {target}.{MARTS}.{quote(source)} as source
        inner join rounded_counts as rounded using (difficulty_type, area_code, tier)
        left join rounded_counts as unknown
            on unknown.difficulty_type = '{UNKNOWN}' and source.difficulty_type = '{OVERALL}'
            and source.area_code = unknown.area_code and source.tier = unknown.tier
        """
    )
    connection.execute("drop table rounded_counts")
    return rounded.exposed


def _date_before(everything: Path, name: str) -> tuple[Counts | None, Counts | None]:
    """The counts of what is in service and what was shown of them; None where it has no rounded counts."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(everything))} as served (read_only)")
        has_counts = COUNTS in columns_of(connection, "served", MARTS)
        if not has_counts or name not in columns_of(connection, "served", "main"):
            return None, None
        return _counts(connection, "served")[0], _shown(connection, f"served.main.{quote(name)}")


def _counts(connection: duckdb.DuckDBPyConnection, database: str) -> tuple[Counts, dict[str, int]]:
    """The true counts with their totals, and the ranks of the tiers. Children without a tier are in no count."""
    rows = connection.execute(
        f"select difficulty_type, area_code, tier, tier_rank, children, unknown_children "
        f"from {database}.{MARTS}.{COUNTS} where tier_rank > 0"
    ).fetchall()
    unknown: dict[str, int] = {}
    for table, area, _, _, _, count in rows:
        if table == OVERALL:
            unknown[area] = unknown.get(area, 0) + count
    ranks = {tier: rank for _, _, tier, rank, _, _ in rows}
    return with_totals({(table, area, tier): count for table, area, tier, _, count, _ in rows}, unknown), ranks


def _shown(connection: duckdb.DuckDBPyConnection, table: str) -> Counts:
    """What a published table shows."""
    rows = connection.execute(
        f"select difficulty_type, area_code, tier, children, unknown_children from {table}"
    ).fetchall()
    shown = {(kind, area, tier): count for kind, area, tier, count, _ in rows}
    unknown = {
        (UNKNOWN, area, TOTAL): count for kind, area, tier, _, count in rows if kind == OVERALL and tier == TOTAL
    }
    return {cell: count for cell, count in {**shown, **unknown}.items() if count is not None}

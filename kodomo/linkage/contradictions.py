"""Contradictions between the sources about families, for a steward to settle with the holders."""

from __future__ import annotations

from typing import Any

import duckdb

from kodomo.warehouse import records

PEOPLE = ("person_id", "other_person_id", "third_person_id")


def contradictions(connection: duckdb.DuckDBPyConnection, person_id: str | None = None) -> list[dict[str, Any]]:
    """One dictionary per contradiction, kinds together; only those that concern a person, if one is given."""
    return records(
        connection,
        """
        select kind, kind_label_ja, person_id, other_person_id, third_person_id, origin
        from intermediate.int_family__contradictions
        where $person is null or $person in (person_id, other_person_id, third_person_id)
        order by kind, person_id, other_person_id, third_person_id, origin
        """,
        {"person": person_id},
    )


def describe_contradiction(row: dict[str, Any]) -> str:
    """A contradiction as a line of text: ids without names."""
    return f"{row['kind_label_ja']}: {' / '.join(row[name] for name in PEOPLE if row[name])}（{row['origin']}）"

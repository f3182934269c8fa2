"""What a decision on a delivery would change: counts, by what the last run made of all deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kodomo.warehouse import records


@dataclass(frozen=True)
class Consequences:
    """What depends on a delivery, if it counts: rows, facts and people of the last run."""

    rows: int
    facts: int
    """Observations that the run has made of its rows."""
    people: int
    """People whom these are about."""
    mended: int
    """Rejects of earlier deliveries that its rows mend: without it they are open."""
    other_full: dict[str, Any] | None
    """The whole delivery that is the source's state without it (delivery_id, delivered_on, rows_loaded); None for one
    that adds rows, or is not the source's state."""
    is_state: bool
    """Whether it is the whole delivery that is the source's state, or would be."""


def consequences(connection: Any, delivery_id: str, *, deliveries: str, rejects: str, facts: str) -> Consequences:
    """What depends on one delivery. ``deliveries``, ``rejects``, ``facts``: relations as the marts of these names.

    Raises LookupError for a delivery that is not there.
    """
    found = records(connection, f"select * from {deliveries} where delivery_id = ?", [delivery_id])
    if not found:
        raise LookupError(delivery_id)
    delivery = found[0]
    (counted,) = records(
        connection,
        f"select count(*) as facts, count(distinct person_id) as people from {facts} where delivery_id = ?",
        [delivery_id],
    )
    (mended,) = records(
        connection, f"select count(*) as mended from {rejects} where resolved_by_delivery_id = ?", [delivery_id]
    )
    place = (delivery["delivered_on"], delivery["sequence"])
    others = records(
        connection,
        f"select delivery_id, delivered_on, sequence, rows_loaded from {deliveries} where source_id = ? "
        "and kind = 'full' and status = 'loaded' and delivery_id <> ? order by delivered_on desc, sequence desc",
        [delivery["source_id"], delivery_id],
    )
    is_full = delivery["kind"] == "full"
    is_state = is_full and not any((other["delivered_on"], other["sequence"]) > place for other in others)
    return Consequences(
        rows=delivery["rows_loaded"],
        facts=counted["facts"],
        people=counted["people"],
        mended=mended["mended"],
        other_full=others[0] if is_state and others else None,
        is_state=is_state,
    )

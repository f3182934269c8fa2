"""給付の案内: families who may have a benefit to claim by the data, and what came of telling them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from kodomo.entries.follow_ups import FollowUp, by_record, in_order, newest, records_by_child
from kodomo.entries.store import EntryStore

FORM = "benefit_check"
RESULTS = "benefit_check_result"


def unclaimed_benefits(rows: Iterable[Mapping[str, Any]], store: EntryStore) -> list[FollowUp]:
    """Rows of bi_unclaimed_benefit with what staff recorded since, those to be told first.

    A record is about the child and the benefit that it names, and counts for the months of the mart.
    """
    records = records_by_child(store, FORM)

    def standing(row: Mapping[str, Any]) -> FollowUp:
        if not row["is_candidate"]:
            return FollowUp(row, row["standing_label"], is_open=False)
        own = (
            version
            for version in records.get(row["person_id"], ())
            if version.content["benefit"] == row["benefit_label"]
            and dt.date.fromisoformat(version.content["checked_on"]) > row["counts_after_on"]
        )
        record = newest(own, RESULTS)
        return by_record(row, record, RESULTS) if record is not None else FollowUp(row)

    return in_order(map(standing, rows), "benefit_order")

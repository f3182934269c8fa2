"""The data that led to contact, explained to a family (理由の説明): records in plain words, without points.

A record of another person is never explained, nor one that may name who reported or what was said in confidence
(explanation.yml lists what is explained).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kodomo.access.access import PROTECTION, WITHHELD
from kodomo.japanese import japanese_date

TABLES = ("bi_contribution", "bi_item_fact")
"""What an explanation is read from."""
_FILE = Path(__file__).with_name("explanation.yml")


@dataclass(frozen=True)
class ExplainedRecords:
    """Records of one kind: whose it is, in plain words, its first and last day, and which department holds it."""

    is_of_child: bool
    words: str
    first_on: dt.date
    last_on: dt.date
    holder: str

    @property
    def when(self) -> str:
        """2025年4月1日から2026年3月1日まで, or the one day."""
        first = japanese_date(self.first_on)
        return first if self.first_on == self.last_on else f"{first}から{japanese_date(self.last_on)}まで"


@cache
def plain_words() -> dict[str, dict[str, str]]:
    """Observation → plain words, for records of the child (``child``) and of the reader (``own``)."""
    return yaml.safe_load(_FILE.read_text(encoding="utf-8"))


def explain(
    tables: Mapping[str, Iterable[Mapping[str, Any]]], child_id: str, reader_id: str
) -> tuple[ExplainedRecords, ...]:
    """What a reader may know of the records behind the items that count for a child, by the versions in force.

    ``tables``: rows about the child by bi_ table. A record of the child is for the child and its parents, one of
    the reader for the reader; what a support measure withholds is not. Those of the child first, then by words.
    """
    items = {
        row["item_code"]
        for row in tables.get("bi_contribution", ())
        if row["is_active_version"] and row["is_counted"] and (row["coefficient"] or 0) > 0
    }
    days: dict[tuple[bool, str, str], list[dt.date]] = defaultdict(list)
    for row in tables.get("bi_item_fact", ()):
        if row["item_code"] not in items or row.get(PROTECTION) == WITHHELD or row["observed_on"] is None:
            continue
        words = _words(row["observation_code"], row["fact_person_id"], child_id, reader_id)
        if words:
            days[row["fact_person_id"] == child_id, words, row["holder_label"]].append(row["observed_on"])
    explained = [
        ExplainedRecords(is_of_child, words, min(seen), max(seen), holder)
        for (is_of_child, words, holder), seen in days.items()
    ]
    return tuple(sorted(explained, key=lambda one: (not one.is_of_child, one.words, one.holder)))


def _words(code: str, person_id: str, child_id: str, reader_id: str) -> str | None:
    """The words for a record of a person; None where the reader may not know of it."""
    allowed = plain_words()
    if person_id == child_id and code in allowed["child"]:
        return allowed["child"][code]
    return allowed["own"].get(code) if person_id == reader_id else None

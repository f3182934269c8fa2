"""誤りの指摘: a line of a child's sheet that staff hold to be wrong, and what the holder's steward answers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kodomo.entries.store import EntryStore, Version

FORM, ANSWER = "disputed_line", "line_answer"
MEND, RIGHT = "mend", "right"
FACT = ("fact_person_id", "source_id", "observation_code", "observed_on", "ended_on", "value", "text_value")
"""What of a fact stays the same when it is delivered again: it is the same fact as long as all of it is."""
OPEN, MENDED, UPHELD = "open", "mended", "upheld"
STATES_JA = {OPEN: "指摘中", MENDED: "直りました", UPHELD: "正しいという回答"}


@dataclass(frozen=True)
class Place:
    """Where a fact stands in what is in service: delivery, line, and its observation."""

    delivery_id: str
    line_number: int
    observation_code: str

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Place | None:
        """The place of a fact in a row of a sheet; None where it is withheld."""
        if not row.get("delivery_id") or row.get("line_number") is None:
            return None
        return cls(row["delivery_id"], int(row["line_number"]), row["observation_code"])

    @property
    def key(self) -> str:
        """As a form sends it."""
        return f"{self.delivery_id}:{self.line_number}:{self.observation_code}"


@dataclass(frozen=True)
class Dispute:
    """A marked line. ``places``: where its fact stands now, empty where it is there no more."""

    version: Version
    answer: Version | None
    places: tuple[Place, ...]

    @property
    def state(self) -> str:
        """A key of STATES_JA: mended as soon as the fact is there no more, whatever the steward has answered."""
        if not self.places:
            return MENDED
        return UPHELD if self.answer is not None and self.answer.content["answer"] == RIGHT else OPEN

    @property
    def state_label(self) -> str:
        """The state for people."""
        if self.state == OPEN and self.answer is not None:
            return f"{STATES_JA[OPEN]}（直すという回答）"
        return STATES_JA[self.state]

    @property
    def is_waiting(self) -> bool:
        """Whether the steward has still to answer."""
        return self.state == OPEN and self.answer is None


def answer_id(record_id: str) -> str:
    """The id of the answer to a marked line: there is one."""
    return str(uuid.uuid5(uuid.UUID(record_id), ANSWER))


def answers(store: EntryStore) -> dict[str, Version]:
    """The newest answer by the id of its record."""
    return {version.record_id: version for version in store.current(ANSWER)}


def content_of(fact: Mapping[str, Any], what_is_wrong: str, line: str) -> dict[str, str]:
    """What is kept of a marked line: the fact and its place, the line in words, what is wrong with it.

    ``fact``: a row of fct_observation, with its person as ``fact_person_id``.
    """
    kept = {name: fact[name] for name in (*FACT, "delivery_id", "line_number") if fact.get(name) is not None}
    return {**{name: str(value) for name, value in kept.items()}, "line": line, "what_is_wrong": what_is_wrong}


def fact_of(content: Mapping[str, str]) -> dict[str, Any]:
    """The fact of a kept line, with its types; what it does not have is None."""
    days = {
        name: dt.date.fromisoformat(content[name]) if name in content else None for name in ("observed_on", "ended_on")
    }
    value = Decimal(content["value"]) if "value" in content else None
    return {**{name: content.get(name) for name in FACT}, **days, "value": value}


def is_about(version: Version, person_id: str, source_ids: Iterable[str]) -> bool:
    """Whether a marked line holds a fact of a person from one of the sources."""
    content = version.content
    return (
        version.form == FORM
        and content.get("fact_person_id") == person_id
        and content.get("source_id") in set(source_ids)
    )

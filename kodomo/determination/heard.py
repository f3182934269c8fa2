"""What was just heard of a person, for one determination: observations from texts as they are typed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache

from kodomo.contract import load_contracts
from kodomo.errors import UsageError
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.seeds import Row, read_seed

HEARD = "heard"
"""Delivery id of what was just heard: it sorts after every delivery, so that it counts as the latest of its day."""
HEARD_LABEL = "今回聞いたこと"
_HEARD = re.compile(r"(?:(?P<person>[^:=@]+):)?(?P<code>[a-z][a-z0-9_]*)(?:=(?P<value>[^@]*))?@(?P<date>[0-9-]{10})")


class AssessError(UsageError):
    """What was asked for cannot be determined; ``ja`` says so to staff."""

    def __init__(self, message: str, ja: str) -> None:
        super().__init__(message)
        self.ja = ja


@dataclass(frozen=True)
class Observation:
    """A fact just heard of a person. ``value``: a number, where the code has one; ``text_value``: else."""

    person_id: str
    observation_code: str
    observed_on: dt.date
    value: Decimal | None = None
    text_value: str | None = None
    ended_on: dt.date | None = None


@cache
def observation_codes() -> dict[str, Row]:
    """The seed observation_codes by code."""
    return {row["observation_code"]: row for row in read_seed("observation_codes")}


def source_label(source_id: str | None) -> str:
    """A source's name for people."""
    if source_id == HEARD:
        return HEARD_LABEL
    contract = load_contracts().get(source_id or "")
    return contract.label if contract else (source_id or "")


def parse_heard(text: str, person_id: str, relatives: dict[str, str | None]) -> Observation:
    """``[PERSON:]CODE[=VALUE]@DATE``; PERSON is ``mother``, ``father`` or a person id, by default the person itself.

    Raises UsageError saying what to write.
    """
    match = _HEARD.fullmatch(text.strip())
    if match is None:
        raise UsageError("--observe takes CODE=VALUE@DATE, such as school_absence_days=12@2026-03-31.")
    who = match["person"]
    subject: str | None = person_id
    if who in {"mother", "father"}:
        subject = relatives.get(who)
        if subject is None:
            raise UsageError("--observe: the {who} of this person is not known: give the person id.", who=who)
    elif who:
        subject = who
    return heard_observation(subject, match["code"], match["date"], match["value"])


def heard_observation(
    person_id: str, code: str, observed_on: str, value: str | None, ended_on: str | None = None
) -> Observation:
    """An observation of the register from texts as they are typed. Raises UsageError saying what to correct."""
    known = observation_codes().get(code)
    if known is None:
        raise AssessError(
            f"There is no observation {code}: see seeds/observation_codes.csv.", "聞いたことを一覧から選んでください。"
        )
    first, last = _date(observed_on), _date(ended_on) if ended_on else None
    if last is not None and last < first:
        raise AssessError(f"The end of {code} lies before its beginning.", "終了日が開始日より前です。")
    text = (value or "").strip()
    kind = known["value_type"]
    if kind in {"integer", "decimal"}:
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise AssessError(
                f"{code} ({known['label_ja']}) needs a number, such as {code}=3@{first}.",
                f"「{known['label_ja']}」の値を数字で入れてください。",
            ) from error
        if not number.is_finite() or abs(number) >= Decimal(10) ** 12:
            raise AssessError(
                f"{code} ({known['label_ja']}) needs a number of at most 12 digits.",
                f"「{known['label_ja']}」の値は12桁までの数字です。",
            )
        if kind == "integer" and number != number.to_integral_value():
            raise AssessError(
                f"{code} ({known['label_ja']}) needs a whole number.",
                f"「{known['label_ja']}」の値は整数で入れてください。",
            )
        return Observation(person_id, code, first, number, None, last)
    if kind == "text":
        if not text:
            raise AssessError(
                f"{code} ({known['label_ja']}) needs a value.", f"「{known['label_ja']}」の値を入れてください。"
            )
        return Observation(person_id, code, first, None, text, last)
    # That it happened once is what a fact without a value says.
    if text not in {"", "1"}:
        raise AssessError(
            f"{code} ({known['label_ja']}) takes no value: write {code}@{first}.",
            f"「{known['label_ja']}」に値は要りません。空にしてください。",
        )
    return Observation(person_id, code, first, None, None, last)


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise AssessError("A date is written as 2026-04-01.", "日付を 2026-04-01 のように入れてください。") from error


def refuse_unusable(heard: Sequence[Observation], as_of_on: dt.date) -> None:
    """Raise AssessError where an observation would not count: later than the date, or without a legal basis."""
    obstacles = observation_obstacles(as_of_on) if heard else {}
    for observation in heard:
        label = observation_codes()[observation.observation_code]["label_ja"]
        if obstacles[observation.observation_code]:
            raise AssessError(
                f"{label} may not be used: the register of data items does not approve it.",
                f"「{label}」は、データ項目の台帳で承認されていないため使えません。",
            )
        if observation.observed_on > as_of_on:
            raise AssessError(
                f"{label}: the date lies after the as-of date {as_of_on}, so that it would not count.",
                f"「{label}」の日付が基準日より後です。基準日を変えるか、日付を直してください。",
            )

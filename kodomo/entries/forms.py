"""forms.yml, read and checked: what a form asks for, and what is wrong with what was typed."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kodomo.contract import load_contracts
from kodomo.errors import KodomoError, UsageError
from kodomo.japanese import japanese_date
from kodomo.parameters import labels, parameter

EVERY_SOURCE = "all"
FORMS_FILE = Path(__file__).with_name("forms.yml")
MAX_TEXT = 2000
TODAY_JA = "今日より後の日付です。正しい日付を入れてください。"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,4})?")
# Beyond a tab and a line break, what is no character is no part of a text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Field:
    """One field: ``choices`` are value → label; other rules name another field or a bound."""

    name: str
    label_ja: str
    type: str
    is_required: bool
    choices: Mapping[str, str] = field(default_factory=dict)
    hint: str = ""
    not_after_today: bool = False
    not_before: str = ""
    at_most: str = ""
    lowest: int | None = None
    highest: int | None = None
    required_when: Mapping[str, str | list[str]] = field(default_factory=dict)

    @property
    def is_long(self) -> bool:
        """Whether it is a text of several lines."""
        return self.type == "text" and not self.choices and self.name in LONG_TEXTS

    def as_written(self, text: str) -> str:
        """A value of it as people write it."""
        if self.type == "date":
            return japanese_date(text)
        if self.type == "month":
            return japanese_date(f"{text}-01").removesuffix("1日")
        return self.choices.get(text, text)


LONG_TEXTS = {"summary", "reason", "about", "outcome_reason", "disagreement_reason", "support_content", "told_by"}


@dataclass(frozen=True)
class Form:
    """One form. ``source``: where its entries are delivered; ``number`` and ``person_column``: columns filled in."""

    name: str
    label_ja: str
    fields: tuple[Field, ...]
    source: str | None = None
    number: str | None = None
    person_column: str | None = None
    person_kind: str | None = None
    with_family: bool = False
    once_per: str | None = None
    note: str = ""

    def field(self, name: str) -> Field:
        """The field of that name. Raises KeyError."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    def shown(self, content: Mapping[str, str], *, with_words: bool = True) -> list[tuple[str, str]]:
        """Labels and values for people, of the fields that have one; texts in somebody's own words if wanted."""
        return [
            (f.label_ja, f.as_written(content[f.name]))
            for f in self.fields
            if content.get(f.name) and (with_words or not f.is_long)
        ]


@cache
def forms() -> dict[str, Form]:
    """Every form by name. Raises KodomoError when a form names a column that its source does not have."""
    return {name: _form(name, entry) for name, entry in yaml.safe_load(FORMS_FILE.read_text(encoding="utf-8")).items()}


def _choices(given: Any) -> dict[str, str]:
    """Value → label: as listed, or by the name of a list that stands elsewhere."""
    if given == "sources":
        return dict(_sources())
    if given == "decisions":
        return labels("decision")
    if given == "lead_agencies":
        return {name: name for name in (parameter("departments")[code] for code in parameter("lead_agencies"))}
    return dict(given) if isinstance(given, dict) else {choice: choice for choice in given}


def _form(name: str, entry: dict[str, Any]) -> Form:
    contract = load_contracts()[entry["source"]] if "source" in entry else None
    columns = {column.name: column for column in contract.columns} if contract else {}
    person = entry.get("person") or {}
    filled = {entry.get("number"), person.get("column")} - {None}
    if contract:
        named = set(entry["fields"]) | filled
        if unknown := sorted(named - set(columns)):
            raise KodomoError(f"forms.yml: {name}: {entry['source']} has no column {', '.join(unknown)}")
        if left_out := sorted(
            column.name for column in contract.columns if column.required and column.name not in named
        ):
            raise KodomoError(f"forms.yml: {name}: {', '.join(left_out)} is required by the contract")
    fields = []
    for field_name, rules in entry["fields"].items():
        column = columns.get(field_name)
        choices = _choices(rules.get("choices") or {})
        fields.append(
            Field(
                field_name,
                rules.get("label_ja") or column.heading,
                rules.get("type") or column.type,
                bool(rules.get("required", column.required if column else False)),
                choices,
                rules.get("hint", ""),
                bool(rules.get("not_after_today")),
                rules.get("not_before", ""),
                rules.get("at_most", ""),
                rules.get("from"),
                rules.get("to"),
                rules.get("required_when") or {},
            )
        )
    return Form(
        name,
        entry["label_ja"],
        tuple(fields),
        entry.get("source"),
        entry.get("number"),
        person.get("column"),
        person.get("kind"),
        bool(entry.get("with_family")),
        entry.get("once_per"),
        entry.get("note", ""),
    )


def _sources() -> dict[str, str]:
    labels = {contract.source_id: f"{contract.label}（{contract.holder_ja}）" for contract in load_contracts().values()}
    return {EVERY_SOURCE: "届いたデータと画面から入れた記録のすべて", **labels}


def clean(form: Form, typed: Mapping[str, str | None]) -> dict[str, str]:
    """What was typed, of the form's own fields only, in one spelling; empty fields are left out."""
    content = {}
    for entry in form.fields:
        text = unicodedata.normalize("NFC", typed.get(entry.name) or "").replace("\r\n", "\n").strip()
        if entry.type in {"date", "month", "int", "decimal"}:
            text = unicodedata.normalize("NFKC", text).replace("/", "-").replace(",", "")
        if text:
            content[entry.name] = text
    return content


def mistakes(form: Form, content: Mapping[str, str], today: dt.date | None = None) -> dict[str, str]:
    """Field → what to correct, in Japanese; empty when all is well. Expects what ``clean`` returns."""
    today = today or dt.date.today()
    found = {}
    for entry in form.fields:
        message = _mistake(entry, content, today)
        if message:
            found[entry.name] = message
    for entry in form.fields:
        if entry.name in found or entry.name not in content:
            continue
        before, most = entry.not_before, entry.at_most
        if before in content and before not in found and content[entry.name] < content[before]:
            found[entry.name] = f"「{form.field(before).label_ja}」より前の日付です。"
        if most in content and most not in found and Decimal(content[entry.name]) > Decimal(content[most]):
            found[entry.name] = f"「{form.field(most).label_ja}」より大きい数です。"
    return found


def require_right(name: str, typed: Mapping[str, str | None]) -> dict[str, str]:
    """What was typed into a form, as ``clean`` returns it. Raises UsageError saying what to correct."""
    form = forms()[name]
    content = clean(form, typed)
    wrong = mistakes(form, content)
    if wrong:
        raise UsageError("\n".join(f"{form.field(field).label_ja}: {message}" for field, message in wrong.items()))
    return content


def _mistake(entry: Field, content: Mapping[str, str], today: dt.date) -> str | None:
    text = content.get(entry.name)
    if text is None:
        needed = entry.is_required or _is_needed(entry, content)
        return f"「{entry.label_ja}」を{'選んで' if entry.choices else '入れて'}ください。" if needed else None
    if entry.choices and text not in entry.choices:
        return "一覧から選んでください。"
    if len(text) > MAX_TEXT:
        return f"{MAX_TEXT}文字までです。"
    if _CONTROL.search(text):
        return "使えない文字が入っています。打ち直してください。"
    if entry.type == "date":
        date = _date(text)
        if date is None:
            return "2026-04-01 のように、実在する日付を入れてください。"
        if date < dt.date(1900, 1, 1):
            return "1900年より後の日付を入れてください。"
        return TODAY_JA if entry.not_after_today and date > today else None
    if entry.type == "month":
        month = _date(f"{text}-01")
        if month is None:
            return "2026-04 のように、年と月を入れてください。"
        return "来月以降の月です。正しい年月を入れてください。" if entry.not_after_today and month > today else None
    if entry.type in {"int", "decimal"}:
        return _number_mistake(entry, text)
    return None


def _is_needed(entry: Field, content: Mapping[str, str]) -> bool:
    """Whether what others say makes a field required: all of it holds, and of a list any."""
    return bool(entry.required_when) and all(
        content.get(name) in ([value] if isinstance(value, str) else value)
        for name, value in entry.required_when.items()
    )


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _number_mistake(entry: Field, text: str) -> str | None:
    if not _NUMBER.fullmatch(text):
        return "数字で入れてください。"
    number = Decimal(text)
    if entry.type == "int" and number != number.to_integral_value():
        return "整数で入れてください。"
    if entry.lowest is not None and number < entry.lowest:
        return f"{entry.lowest}以上の数を入れてください。"
    if entry.highest is not None and number > entry.highest:
        return f"{entry.highest}以下の数を入れてください。"
    return None

"""forms.yml, read and checked: the fields of a form, and the mistakes in a submission."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    create_model,
)
from pydantic import Field as PydanticField
from pydantic_core import PydanticCustomError

from kodomo import clock
from kodomo.contract import load_contracts
from kodomo.errors import KodomoError, UsageError
from kodomo.japanese import japanese_date
from kodomo.parameters import labels, parameter
from kodomo.seeds import read_seed

EVERY_SOURCE = "all"
ANY = "*"
"""In ``required_when``: whatever the other field says."""
FORMS_FILE = Path(__file__).with_name("forms.yml")
MAX_TEXT = 2000
_DATE_JA = "2026-04-01 のように、実在する日付を入れてください。"
_MONTH_JA = "2026-04 のように、年と月を入れてください。"
TODAY_JA = "今日より後の日付です。正しい日付を入れてください。"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,4})?")
# Control characters other than tab and line break are not allowed in a text.
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
    row: tuple[str, int] | None = None
    """Of a field in a table of the form: the table's label, and the number of the row."""
    only_with: str = ""
    """The field without which this one says nothing."""
    possible_when: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)
    """Choice → another field → the values with which the choice is possible."""

    @property
    def is_long(self) -> bool:
        """Whether it is a text of several lines."""
        return self.type == "text" and not self.choices and self.name in LONG_TEXTS

    @property
    def is_words(self) -> bool:
        """Whether it holds words of the author, which may name a refuge."""
        return self.type == "text" and not self.choices

    def as_written(self, text: str) -> str:
        """A value of it as people write it."""
        if self.type == "date":
            return japanese_date(text)
        if self.type == "month":
            return japanese_date(f"{text}-01").removesuffix("1日")
        return self.choices.get(text, text)


LONG_TEXTS = {
    "summary", "reason", "about", "outcome_reason", "disagreement_reason", "support_content", "told_by", "participants",
    "minutes", "asked", "known", "unknown", "strengths", "wishes", "own_tier_reason", "goal", "evaluation",
    "staff_notes", "line", "what_is_wrong", "answer_reason", "resource_note",
}  # fmt: skip


@dataclass(frozen=True)
class Form:
    """One form. ``source``: where its entries are delivered; ``number``, ``person_column`` and ``department_column``:
    columns filled in."""

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
    department_column: str | None = None

    def field(self, name: str) -> Field:
        """The field of that name. Raises KeyError."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    def shown(self, content: Mapping[str, str], *, with_words: bool = True) -> list[tuple[str, str]]:
        """Labels and display values of the fields that have a value; free text only with ``with_words``."""
        return [
            (f.label_ja, f.as_written(content[f.name]))
            for f in self.fields
            if content.get(f.name) and (with_words or not f.is_words)
        ]

    def layout(self) -> list[Field | tuple[str, list[list[Field]]]]:
        """The fields as a page shows them: alone, or a table of them as its label and rows."""
        parts: list[Field | tuple[str, list[list[Field]]]] = []
        for table, group in groupby(self.fields, key=lambda entry: entry.row and entry.row[0]):
            if table is None:
                parts.extend(group)
            else:
                parts.append((table, [list(row) for _, row in groupby(group, key=lambda entry: entry.row)]))
        return parts


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
    if given == "tiers":
        return labels("tier")
    if given == "areas":
        return {row["area_code"]: row["area_name_ja"] for row in read_seed("areas")}
    if given == "resource_kinds":
        return {row["kind"]: row["label_ja"] for row in read_seed("resource_kinds")}
    if given == "lead_agencies":
        return {name: name for name in (parameter("departments")[code] for code in parameter("lead_agencies"))}
    return dict(given) if isinstance(given, dict) else {choice: choice for choice in given}


def _form(name: str, entry: dict[str, Any]) -> Form:
    contract = load_contracts()[entry["source"]] if "source" in entry else None
    columns = {column.name: column for column in contract.columns} if contract else {}
    person = entry.get("person") or {}
    filled = {entry.get("number"), person.get("column"), entry.get("department")} - {None}
    if contract:
        named = set(entry["fields"]) | filled
        if unknown := sorted(named - set(columns)):
            raise KodomoError(
                "forms.yml: {name}: {source} has no column {names}",
                name=name,
                source=entry["source"],
                names=", ".join(unknown),
            )
        if left_out := sorted(
            column.name for column in contract.columns if column.required and column.name not in named
        ):
            raise KodomoError(
                "forms.yml: {name}: {names} is required by the contract", name=name, names=", ".join(left_out)
            )
    fields = []
    for field_name, row, rules in _with_rows(entry["fields"]):
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
                row,
                rules.get("only_with", ""),
                rules.get("possible_when") or {},
            )
        )
    for place, entry_field in enumerate(fields):
        conditions = (name for others in entry_field.possible_when.values() for name in others)
        needs = {
            entry_field.not_before, entry_field.at_most, entry_field.only_with, *entry_field.required_when, *conditions,
        } - {""}  # fmt: skip
        if later := sorted(needs - {before.name for before in fields[:place]}):
            raise KodomoError(
                "forms.yml: {name}: {names} must stand before {name_2}",
                name=name,
                names=", ".join(later),
                name_2=entry_field.name,
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
        entry.get("department"),
    )


def _with_rows(fields: dict[str, Any]) -> Iterator[tuple[str, tuple[str, int] | None, dict[str, Any]]]:
    """Name, row and rules of each field. One with ``rows`` is a table: as many times its own fields, ``step_2_actor``.

    The first field of a table says whether the row is used: in the first row it is required, and in every row the
    others are required with it and say nothing without it.
    """
    for name, rules in fields.items():
        if "rows" not in rules:
            yield name, None, rules
            continue
        for number in range(1, rules["rows"] + 1):
            first = f"{name}_{number}_{next(iter(rules['fields']))}"
            for part, given in rules["fields"].items():
                own = f"{name}_{number}_{part}"
                rule = (
                    {"required": number == 1} if own == first else {"required_when": {first: ANY}, "only_with": first}
                )
                label = f"{rules['label_ja']}{number}：{given['label_ja']}"
                yield own, (rules["label_ja"], number), {**given, **rule, "label_ja": label}


def _sources() -> dict[str, str]:
    labels = {contract.source_id: f"{contract.label}（{contract.holder_ja}）" for contract in load_contracts().values()}
    return {EVERY_SOURCE: "届いたデータと画面から入れた記録のすべて", **labels}


def clean(form: Form, typed: Mapping[str, str | None]) -> dict[str, str]:
    """The submitted values of the form's own fields, normalised; empty fields are left out."""
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
    try:
        model = _known_model(form.name) if forms().get(form.name) is form else _model(form)
        model.model_validate(dict(content), context={"today": today or clock.today()})
    except ValidationError as error:
        return {
            str(detail["loc"][0]): _message(form.field(str(detail["loc"][0])), detail)
            for detail in error.errors(include_url=False, include_input=False)
        }
    return {}


def require_right(name: str, typed: Mapping[str, str | None]) -> dict[str, str]:
    """The submitted values of a form, as ``clean`` returns them. Raises UsageError saying what to correct."""
    form = forms()[name]
    content = clean(form, typed)
    wrong = mistakes(form, content)
    if wrong:
        raise UsageError("\n".join(f"{form.field(field).label_ja}: {message}" for field, message in wrong.items()))
    return content


@cache
def _known_model(name: str) -> type[BaseModel]:
    """The model of a form of forms.yml, made once; a page may ask with other choices, which is another form."""
    return _model(forms()[name])


def _model(form: Form) -> type[BaseModel]:
    """The fields of a form in their order, so that a rule about another field finds that one validated before."""
    fields: dict[str, Any] = {
        entry.name: (
            Annotated[_type(entry), WrapValidator(partial(_validate, form, entry))],
            PydanticField(default=None, validate_default=True),
        )
        for entry in form.fields
    }
    return create_model(form.name, __config__=ConfigDict(extra="ignore", hide_input_in_errors=True), **fields)


def _type(entry: Field) -> Any:
    """The type of a value that is there."""
    if entry.choices:
        return Literal[tuple(entry.choices)]
    if entry.type == "date":
        return Annotated[
            dt.date, PydanticField(ge=dt.date(1900, 1, 1)), BeforeValidator(partial(_spelt, _DATE, _DATE_JA))
        ]
    if entry.type == "month":
        return Annotated[dt.date, BeforeValidator(_first_of_month)]
    if entry.type in {"int", "decimal"}:
        bounds = PydanticField(ge=entry.lowest, le=entry.highest, multiple_of=1 if entry.type == "int" else None)
        return Annotated[Decimal, bounds, BeforeValidator(partial(_spelt, _NUMBER, "数字で入れてください。"))]
    return Annotated[str, PydanticField(max_length=MAX_TEXT), AfterValidator(_without_control)]


def _validate(form: Form, entry: Field, value: Any, handler: Callable[[Any], Any], info: ValidationInfo) -> Any:
    """One field: whether it may be empty, its type, and what it has to do with the fields before it."""
    if value is None:
        if entry.is_required or _is_needed(entry, info.data):
            raise _wrong(f"「{entry.label_ja}」を{'選んで' if entry.choices else '入れて'}ください。")
        return None
    value = handler(value)
    if entry.not_after_today and value > info.context["today"]:
        raise _wrong(TODAY_JA if entry.type == "date" else "来月以降の月です。正しい年月を入れてください。")
    before, most = info.data.get(entry.not_before), info.data.get(entry.at_most)
    if before is not None and value < before:
        less = "前の日付" if entry.type in {"date", "month"} else "小さい数"
        raise _wrong(f"「{form.field(entry.not_before).label_ja}」より{less}です。")
    if entry.only_with and info.data.get(entry.only_with) is None:
        raise _wrong(f"「{form.field(entry.only_with).label_ja}」を入れてください。")
    if most is not None and value > most:
        raise _wrong(f"「{form.field(entry.at_most).label_ja}」より大きい数です。")
    for name, values in entry.possible_when.get(value, {}).items() if entry.choices else ():
        if info.data.get(name) not in values:
            other = form.field(name)
            allowed = "・".join(other.choices.get(choice, choice) for choice in values)
            raise _wrong(f"「{other.label_ja}」が{allowed}のときだけ選べます。")
    return value


def _is_needed(entry: Field, others: Mapping[str, Any]) -> bool:
    """Whether what others say makes a field required: all of it holds, and of a list any."""
    return bool(entry.required_when) and all(
        others.get(name) is not None
        if value == ANY
        else others.get(name) in ([value] if isinstance(value, str) else value)
        for name, value in entry.required_when.items()
    )


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("form", "{message}", {"message": message})


def _spelt(pattern: re.Pattern[str], message: str, text: str) -> str:
    if not pattern.fullmatch(text):
        raise _wrong(message)
    return text


def _first_of_month(text: str) -> str:
    first = f"{text}-01"
    if not _DATE.fullmatch(first):
        raise _wrong(_MONTH_JA)
    return first


def _without_control(text: str) -> str:
    if _CONTROL.search(text):
        raise _wrong("使えない文字が入っています。打ち直してください。")
    return text


def _message(entry: Field, detail: Any) -> str:
    """What is wrong, in Japanese: our own words, or those for what the type itself does not take."""
    kind, bounds = detail["type"], detail.get("ctx", {})
    if kind == "form":
        return detail["msg"]
    if kind == "literal_error":
        return "一覧から選んでください。"
    if kind == "string_too_long":
        return f"{MAX_TEXT}文字までです。"
    if entry.type == "month":
        return _MONTH_JA
    if entry.type == "date":
        return "1900年より後の日付を入れてください。" if kind == "greater_than_equal" else _DATE_JA
    if kind == "multiple_of":
        return "整数で入れてください。"
    if kind == "greater_than_equal":
        return f"{bounds['ge']}以上の数を入れてください。"
    return f"{bounds['le']}以下の数を入れてください。"

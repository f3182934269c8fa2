"""個人情報ファイル簿 (Act on the Protection of Personal Information, article 75) and the draft of the assessment (PIA).

Both are made of facts that stand elsewhere: the contracts of the sources with their register, the forms, access.yml,
the labels of the marts, and the promises of docs/security.ja.md. What none of these says is left for a person to fill
in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import yaml

from kodomo.access.access import Access, Audience, read_access
from kodomo.contract import Contract, Roster, load_contracts
from kodomo.entries.forms import Form, forms
from kodomo.home import PROJECT
from kodomo.register import APPROVED, DELIVERIES, PURPOSES, USES

TO_FILL_IN = "〔記入〕"
"""Stands where a person has to write."""
RESULTS = ("fct_risk_score", "fct_risk_contribution", "fct_support_priority", "fct_support_content")
"""The marts about children that are made here: columns of these are the items of the file of determinations."""
_CHILDREN, _NAME, _RESULT = "bi_child", "display_name", "tier"
"""The list of children, and its columns that say who a child is and what was determined."""
_SECURITY = PROJECT / "docs" / "security.ja.md"
_SCHOOL_YEAR = "school_year"


@dataclass(frozen=True)
class PersonalFile:
    """A 個人情報ファイル: what article 75 asks for. Empty texts are for a person to fill in.

    ``holder``: department that keeps it, ``is_provided``: another organ provides it. ``waiting``: items that are
    delivered and not used, as the register does not approve them. ``recipients``: other organs that see it regularly;
    None where access.yml does not say.
    """

    name: str
    holder: str
    holder_ja: str
    is_provided: bool
    purposes: tuple[str, ...]
    legal_bases: tuple[str, ...]
    items: tuple[str, ...]
    waiting: tuple[str, ...]
    people: str
    collection: str
    sensitive: tuple[str, ...]
    recipients: tuple[str, ...] | None
    retention_months: tuple[int, ...]
    used_for: tuple[str, ...]

    @property
    def use_ja(self) -> str:
        """Whether it is used within its holder's organ or provided by another, in the words of the register."""
        return USES["provision" if self.is_provided else "within"]


@dataclass(frozen=True)
class Reader:
    """Who sees what: one audience of access.yml. ``pseudonymous``: instead of a person's number it has a hash."""

    label: str
    departments: tuple[str, ...]
    duties: tuple[str, ...]
    tables: int
    is_outside: bool
    is_pseudonymous: bool
    is_rounded: bool
    may_export: bool
    may_explore: bool


@dataclass(frozen=True)
class Assessment:
    """The facts of the draft of the assessment.

    ``promises``: measure, and the tests that hold it; ``limits``: risks that remain.
    """

    files: tuple[PersonalFile, ...]
    readers: tuple[Reader, ...]
    promises: tuple[tuple[str, str], ...]
    limits: tuple[str, ...]
    overseer_ja: str
    place_columns: int

    @property
    def provided(self) -> tuple[PersonalFile, ...]:
        """The files that other organs provide."""
        return tuple(file for file in self.files if file.is_provided)

    @property
    def sensitive(self) -> tuple[PersonalFile, ...]:
        """The files with information that needs special care."""
        return tuple(file for file in self.files if file.sensitive)

    @property
    def waiting(self) -> tuple[tuple[str, str], ...]:
        """Items that are not used for now, each with its file."""
        return tuple((file.name, item) for file in self.files for item in file.waiting)


def personal_files(holders: Iterable[str] | None = None) -> tuple[PersonalFile, ...]:
    """All files: of every source, of every form about a child that is no source, and of the determinations.

    ``holders``: only those of these departments.
    """
    access, contracts = read_access(), load_contracts()
    outside = _outside(access, contracts)
    files = [_of_source(contract, access, outside) for contract in contracts.values()]
    files += [_of_form(form, access, outside) for form in forms().values() if not form.source and form.person_kind]
    files.append(_of_results(access, outside))
    chosen = None if holders is None else set(holders)
    return tuple(file for file in files if chosen is None or file.holder in chosen)


def assessment() -> Assessment:
    """The facts of the draft of the assessment."""
    access = read_access()
    outside = _outside(access, load_contracts())
    promises, limits = _promises()
    return Assessment(
        files=personal_files(),
        readers=tuple(_reader(audience, access, outside) for audience in access.audiences.values()),
        promises=promises,
        limits=limits,
        overseer_ja=access.departments_ja[access.overseeing_department],
        place_columns=len(access.place_columns),
    )


def _outside(access: Access, contracts: Mapping[str, Contract]) -> frozenset[str]:
    """Departments that are another organ: those that provide, by their register, and those that hold no data."""
    providing = {one.holder for one in contracts.values() if any(_is_provision(c.register) for c in one.columns)}
    return frozenset(providing | (set(access.departments_ja) - {one.holder for one in contracts.values()}))


def _is_provision(register: Mapping[str, object]) -> bool:
    return register.get("use") == "provision"


def _of_source(contract: Contract, access: Access, outside: frozenset[str]) -> PersonalFile:
    registers = [column.register for column in contract.columns]
    approved = [column for column in contract.columns if column.register.get("status") == APPROVED]
    waiting = [column for column in contract.columns if column.register.get("status") != APPROVED]
    # The names in the list of children are those of the lists of people, not of records about some of them.
    has_names = contract.roster is not None and any(column.type == "name" for column in approved)
    readers = {
        department
        for audience in access.audiences.values()
        if _sees_facts_of(audience, contract.holder, access) or (has_names and _sees(audience, _NAME))
        for department in audience.departments
    }
    typed = [_typed_by(form, access) for form in forms().values() if form.source == contract.source_id]
    rhythm = f"（{DELIVERIES[contract.delivery]}、{contract.rhythm}）"
    delivered = [] if contract.delivery == "entry" else [f"{contract.holder_ja}から{rhythm}"]
    return PersonalFile(
        name=contract.title,
        holder=contract.holder,
        holder_ja=contract.holder_ja,
        is_provided=contract.holder in outside,
        purposes=_distinct(register.get("purpose") for register in registers),
        legal_bases=_distinct(register.get("legal_basis") for register in registers),
        items=tuple(column.heading for column in approved),
        waiting=tuple(f"{column.heading}（{column.register.get('status')}）" for column in waiting),
        people=_people(contract.roster, contract.label),
        collection="、".join(delivered + typed) or f"{contract.holder_ja}が入力画面から",
        sensitive=tuple(column.heading for column in approved if column.sensitive),
        recipients=_named(readers & outside - {contract.holder}, access),
        retention_months=tuple(sorted({int(register["retention_months"]) for register in registers})),
        used_for=_distinct(PURPOSES[name] for one in approved for name in one.register["permitted_purposes"]),
    )


def _of_form(form: Form, access: Access, outside: frozenset[str]) -> PersonalFile:
    """The file of what is typed into a form and kept here alone; nothing says its purpose or sensitive items."""
    page = access.entry_pages.get(form.name)
    readers = set(page.departments) if page else set()
    return PersonalFile(
        name=f"{form.label_ja}（入力画面から）",
        holder=access.overseeing_department,
        holder_ja=access.departments_ja[access.overseeing_department],
        is_provided=False,
        purposes=(),
        legal_bases=(),
        items=tuple(field.label_ja for field in form.fields),
        waiting=(),
        people=f"{form.label_ja}のある人",
        collection=_typed_by(form, access),
        sensitive=(),
        recipients=_named(readers & outside, access) if page else None,
        retention_months=(),
        used_for=(),
    )


def _typed_by(form: Form, access: Access) -> str:
    """Who types a form, in words."""
    page = access.entry_pages.get(form.name)
    return f"{'・'.join(_named(page.departments, access)) if page else '職員'}が入力画面から"


def _of_results(access: Access, outside: frozenset[str]) -> PersonalFile:
    readers = {
        department
        for audience in access.audiences.values()
        if _sees(audience, _RESULT)
        for department in audience.departments
    }
    return PersonalFile(
        name="判定の結果（点数・段階・根拠・優先度・支援内容の案）",
        holder=access.overseeing_department,
        holder_ja=access.departments_ja[access.overseeing_department],
        is_provided=False,
        purposes=(),
        legal_bases=(),
        items=_distinct(label for mart in RESULTS for label in _labels()[mart]),
        waiting=(),
        people="市が記録を持つ子ども（出生前を含む）",
        collection="ほかのファイルから計算",
        sensitive=(),
        recipients=_named(readers & outside, access),
        retention_months=(),
        used_for=(),
    )


def _sees_facts_of(audience: Audience, holder: str, access: Access) -> bool:
    """Whether an audience has a table of facts in which this holder's are."""
    by_holder = {name for one in access.audiences.values() for name, grant in one.grants.items() if grant.holders}
    return any(
        name in by_holder and (not grant.holders or holder in grant.holders) for name, grant in audience.grants.items()
    )


def _sees(audience: Audience, column: str) -> bool:
    """Whether an audience has this column of the list of children."""
    grant = audience.grants.get(_CHILDREN)
    return grant is not None and column not in grant.without


def _reader(audience: Audience, access: Access, outside: frozenset[str]) -> Reader:
    grants = audience.grants.values()
    return Reader(
        label=audience.label_ja,
        departments=_named(audience.departments, access),
        duties=tuple(access.duties_ja[duty] for duty in audience.duties),
        tables=len(audience.grants),
        is_outside=bool(audience.departments) and set(audience.departments) <= outside,
        is_pseudonymous=any(grant.pseudonyms for grant in grants),
        is_rounded=any(grant.is_rounded for grant in grants),
        may_export=audience.may_export,
        may_explore=audience.may_explore,
    )


def _people(roster: Roster | None, label: str) -> str:
    if roster is None:
        return f"{label}の記録のある人"
    ages = [
        f"{_age(months)}{word}"
        for months, word in ((roster.age_from_months, "以上"), (roster.age_to_months, "未満"))
        if months
    ]
    at = "（4月1日の年齢）" if ages and roster.ages_at == _SCHOOL_YEAR else ""
    return f"{roster.label}に載る人{'、' if ages else ''}{''.join(ages)}{at}"


def _age(months: int) -> str:
    return f"{months // 12}歳" if months % 12 == 0 else f"{months}か月"


def _named(departments: Iterable[str], access: Access) -> tuple[str, ...]:
    chosen = set(departments)
    return tuple(label for code, label in access.departments_ja.items() if code in chosen)


def _distinct(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value) for value in values if value))


@cache
def _labels() -> dict[str, tuple[str, ...]]:
    """Model → Japanese labels of its columns, of the marts of RESULTS."""
    labels = {}
    for path in sorted((PROJECT / "models" / "marts").rglob("*.yml")):
        text = path.read_bytes()
        if not any(name.encode() in text for name in RESULTS):
            continue
        for model in yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)).get("models", []):
            if model["name"] in RESULTS:
                labels[model["name"]] = tuple(column["config"]["meta"]["label_ja"] for column in model["columns"])
    return labels


@cache
def _promises() -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """What docs/security.ja.md promises, with the tests that hold it, and what it says it does not promise."""
    text = _SECURITY.read_text(encoding="utf-8").replace("`", "")
    parts = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", parts["約束していることと、確かめ方"], re.M)
    limits = re.findall(r"^- (.+)$", parts["約束していないこと"], re.M)
    return tuple((what, held) for what, held in rows[1:]), tuple(limits)

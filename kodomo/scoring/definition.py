"""A risk definition: the ``risk_*`` seeds and the rules of support in one folder, read with their types and checked
before anything runs."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from kodomo.csv_files import read_csv
from kodomo.errors import KodomoError, UsageError
from kodomo.messages import ENGLISH, Sentence, render
from kodomo.seeds import SEEDS, accepted_values, column_types, read_seed, reader

PRIORITY_RULES, SUPPORT_RULES = "support_priority_rules", "support_rules"
RULES = (PRIORITY_RULES, SUPPORT_RULES)
"""Tables whose rows belong to a version, or to every version that has no rows of its own; a folder without them means
those of the seeds."""
TABLES = (
    "risk_items",
    "risk_item_members",
    "risk_bands",
    "risk_coefficients",
    "risk_model_versions",
    "risk_groups",
    "risk_tiers",
    "risk_overrides",
    "risk_targets",
    *RULES,
)
MAY_BE_ABSENT = {"risk_item_members", "risk_groups", "risk_overrides", "risk_targets"}
REQUIRED_COLUMNS = {
    "risk_items": {"item_code", "kind"},
    "risk_item_members": {"item_code", "member_item_code"},
    "risk_bands": {"item_code", "band_no"},
    "risk_coefficients": {"model_version", "difficulty_type", "item_code", "band_no", "coefficient"},
    "risk_model_versions": {"model_version"},
    "risk_groups": {"group_code", "combine"},
    "risk_tiers": {"model_version", "difficulty_type", "tier", "tier_rank"},
    "risk_overrides": {"model_version", "difficulty_type", "item_code", "band_no", "at_least_tier"},
    "risk_targets": {"model_version", "difficulty_type"},
    PRIORITY_RULES: {"rule_no", "priority_class", "due_days"},
    SUPPORT_RULES: {"rule_no", "support_code", "content_ja"},
}
KEYS = {
    "risk_items": ("item_code",),
    "risk_item_members": ("item_code", "member_item_code"),
    "risk_bands": ("item_code", "band_no"),
    "risk_coefficients": ("model_version", "difficulty_type", "item_code", "band_no"),
    "risk_model_versions": ("model_version",),
    "risk_groups": ("group_code",),
    "risk_tiers": ("model_version", "difficulty_type", "tier"),
    "risk_overrides": ("model_version", "difficulty_type", "item_code", "band_no"),
    **dict.fromkeys(RULES, ("model_version", "rule_no")),
}
CATEGORIES = accepted_values("risk_items", "category")
KINDS = set(accepted_values("risk_items", "kind"))
AGGREGATES = set(accepted_values("risk_items", "aggregate"))
SCOPES = set(accepted_values("risk_items", "scope"))
STATUSES = set(accepted_values("risk_model_versions", "status"))
PRIORITY_CLASSES = accepted_values(PRIORITY_RULES, "priority_class")
CHAINS = accepted_values(SUPPORT_RULES, "chain")
# Without these nothing can be said of the rows; other columns may be left out, and are empty then.
_TELLING_COLUMNS = {
    "risk_items": ("observation_code", "scope", "aggregate"),
    "risk_bands": ("lower", "upper"),
    "risk_model_versions": ("status",),
    "risk_tiers": ("min_score",),
    "risk_targets": ("age_from_months", "age_to_months"),
}
_SEPARATORS = {";": "semicolons", "\t": "tabs", "，": "full-width commas"}


@dataclass(frozen=True)
class Mistake:
    """What is wrong in a definition: file, physical line, column and what to do."""

    file: str
    line: int
    template: str
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)
    is_fatal: bool = True
    """Scores cannot be computed with it. What is not fatal is odd, but has a definite meaning."""
    column: str = ""
    """The column to change; empty where the row or the file as a whole is wrong."""

    @property
    def message(self) -> str:
        """What is wrong and what to do, in English."""
        return self.words(ENGLISH)

    def words(self, language: str) -> str:
        """What is wrong and what to do, in a language."""
        return render(self.template, language, **self.details)

    def in_language(self, language: str) -> str:
        """File, line, and what to do, in a language."""
        return f"{self.file}:{self.line}: {self.words(language)}"

    def __str__(self) -> str:
        return self.in_language(ENGLISH)


class Finding(NamedTuple):
    """What a check says of one line of a table."""

    table: str
    line: int
    column: str
    template: str
    details: dict[str, Any]


def finding(template: str, table: str, line: int, column: str = "", **details: Any) -> Finding:
    """What is wrong in a line, from a template of the catalogue and its details."""
    return Finding(table, line, column, template, details)


def _mistake(finding: Finding, *, is_fatal: bool = True) -> Mistake:
    return Mistake(f"{finding.table}.csv", finding.line, finding.template, finding.details, is_fatal, finding.column)


@dataclass
class Definition:
    """The tables of a definition: rows as dictionaries with typed values.

    Each row has its ``_line``, and in ``_unread`` the columns whose value could not be read.
    """

    tables: dict[str, list[dict[str, Any]]]
    mistakes: list[Mistake] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    """Tables that could not be read at all: what refers to them is not judged."""

    def __getitem__(self, table: str) -> list[dict[str, Any]]:
        return self.tables[table]


def read_definition(folder: Path) -> Definition:
    """Read the ``risk_*.csv`` of a folder. What cannot be read is among the mistakes; optional columns may be absent.

    Raises UsageError when the folder is not there.
    """
    if not folder.is_dir():
        raise UsageError("There is no folder {folder}: a definition is a folder of risk_*.csv files.", folder=folder)
    definition = Definition({table: [] for table in TABLES})
    for table in TABLES:
        path = file_of(folder, table)
        if path.exists():
            _read_table(definition, table, path)
        elif table not in MAY_BE_ABSENT:
            definition.unread.add(table)
            definition.mistakes.append(_mistake(finding("the file is missing: add it with its heading row.", table, 1)))
    return definition


def file_of(folder: Path, table: str) -> Path:
    """The file of a table of a definition: of rules that the folder lacks, that of the seeds."""
    path = folder / f"{table}.csv"
    return SEEDS / path.name if table in RULES and not path.exists() else path


def _read_table(definition: Definition, table: str, path: Path) -> None:
    types = column_types()[table]

    def refuse(template: str, **details: Any) -> None:
        definition.unread.add(table)
        definition.mistakes.append(Mistake(path.name, 1, template, details))

    try:
        file = read_csv(path)
    except KodomoError as error:
        refuse(str(error).partition(": ")[2].replace("{", "{{").replace("}", "}}"))
        return
    missing = sorted(REQUIRED_COLUMNS[table] - set(file.header))
    twice = sorted(name for name, count in Counter(file.header).items() if count > 1 and name)
    problem: Finding | None = None
    if not file.header:
        problem = finding("the file is empty: write its heading row.", table, 1)
    elif len(file.header) == 1 and (separator := next((mark for mark in _SEPARATORS if mark in file.header[0]), None)):
        problem = finding(
            "the columns are separated by {separator}: save the file with commas.", table, 1,
            separator=_SEPARATORS[separator],
        )  # fmt: skip
    elif missing:
        problem = finding(
            "the column {names} is missing: add it{hint}.", table, 1,
            names=", ".join(missing), hint=_misspelt(missing, file.header, types),
        )  # fmt: skip
    elif twice:
        problem = finding("the column {names} is there twice: keep one.", table, 1, names=", ".join(twice))
    if problem is not None:
        refuse(problem.template, **problem.details)
    if table in definition.unread:
        return
    absent = [name for name in types if name not in file.header]
    for name in absent:
        hint = _misspelt([name], file.header, types)
        if hint or name in _TELLING_COLUMNS.get(table, ()):
            absence = finding(
                "the column {name} is missing, and counts as empty: add it{hint}.", table, 1, name=name, hint=hint
            )
            definition.mistakes.append(_mistake(absence, is_fatal=False))
    for line in file.too_long:
        definition.mistakes.append(_mistake(finding("more values than headings: quote the commas.", table, line)))
    add_rows(definition, table, ((line, dict(zip(file.header, values, strict=True))) for line, values in file.records))


def add_rows(definition: Definition, table: str, given: Iterable[tuple[int, Mapping[str, str]]]) -> None:
    """Add rows to a table of a definition: line and column → text, as a file has them. ``""`` and absent are empty.

    What cannot be read is empty, and among the mistakes.
    """
    types = column_types()[table]
    for line, texts in given:
        row: dict[str, Any] = {"_line": line, "_unread": set()}
        for name, column_type in types.items():
            value = texts.get(name, "")
            # A condition of a rule that is empty holds for every child.
            if value == "" and (column_type != "boolean" or table in RULES):
                row[name] = None
                continue
            convert, expected = reader(column_type)
            try:
                row[name] = convert(value)
            except (ValueError, InvalidOperation, OverflowError):
                row[name] = None
                row["_unread"].add(name)
                unread = finding(
                    "{name} is {value}: write {expected}.", table, line, name,
                    name=name, value=_written(value), expected=expected,
                )  # fmt: skip
                definition.mistakes.append(_mistake(unread))
        definition.tables[table].append(row)


def _misspelt(missing: list[str], header: list[str], types: Mapping[str, str]) -> Sentence:
    """Which heading may be meant by a missing one; false where none."""
    unknown = [name for name in header if name not in types]
    meant = [near[0] for name in missing if (near := get_close_matches(name, unknown, n=1, cutoff=0.75))]
    return Hint(" (is it {names}?)", names=", ".join(meant)) if meant else Hint()


class Hint(Sentence):
    """A guess in brackets that ends another sentence; false where there is none."""

    def __init__(self, template: str = "", **details: Any) -> None:
        super().__init__(template, **details)

    def __bool__(self) -> bool:
        return bool(self.template)


def _written(value: Any) -> Any:
    return Sentence("empty") if value is None else repr(value)


def check(
    definition: Definition, observations: Mapping[str, str | None] | None = None, *, is_tried: bool = False
) -> list[Mistake]:
    """Every mistake of a definition, in the order of files and lines.

    ``observations``: the observation codes that exist, with what stands against their use (see ``legal_basis``);
    None where an analyst's own file brings its own codes. ``is_tried``: the definition is only tried out, so that an
    approved version which has changed is odd, and stops nothing.
    """
    mistakes = [*definition.mistakes]
    finders = [
        _keys, _items, _members, _bands, _coefficients, _versions, _groups, _tiers, _overrides, _targets, _rules,
        _priority_rules, _support_rules,
    ]  # fmt: skip
    if observations is not None:
        finders += [partial(_observation_codes, observations=observations), _city_codes]
    mistakes += [_mistake(finding) for finder in finders for finding in finder(definition)]
    mistakes += [_mistake(finding, is_fatal=not is_tried) for finding in _approved(definition)]
    odd = [
        _never_missing, _tier_gaps, _empty_ranges, _unused_rows, _empty_tables, _version_rows, _odd_targets,
        _rival_rules,
    ]  # fmt: skip
    if observations is not None:
        odd.append(_valueless)
    mistakes += [_mistake(finding, is_fatal=False) for finder in odd for finding in finder(definition)]
    order = {f"{table}.csv": position for position, table in enumerate(TABLES)}
    return sorted(mistakes, key=lambda mistake: (order[mistake.file], mistake.line))


def _keys(definition: Definition) -> Iterator[Finding]:
    for table, names in KEYS.items():
        seen: set[tuple[Any, ...]] = set()
        for row in definition[table]:
            key = tuple(row[name] for name in names)
            empty = [
                name
                for name, value in zip(names, key, strict=True)
                if value is None and name not in row["_unread"] and (table not in RULES or name != "model_version")
            ]
            if row["_unread"] & set(names):
                continue
            if empty:
                listed = ", ".join(empty)
                yield finding("{names} is empty: fill it in.", table, row["_line"], empty[0], names=listed)
            elif key in seen:
                listed = ", ".join(str(value) for value in key if value is not None)
                yield finding("{key} is there twice: keep one row.", table, row["_line"], names[-1], key=listed)
            seen.add(key)


_ONE_OF = "{name} is {value}: write one of {known}."


def _items(definition: Definition) -> Iterator[Finding]:
    groups = {row["group_code"] for row in definition["risk_groups"]}
    for row in definition["risk_items"]:
        says = partial(finding, table="risk_items", line=row["_line"])
        if row["kind"] not in KINDS:
            yield says(_ONE_OF, column="kind", name="kind", value=_written(row["kind"]), known=", ".join(sorted(KINDS)))
        if row["kind"] == "observation" and row["observation_code"] is None:
            yield says("observation_code is empty: name the observation.", column="observation_code")
        for name, known in (("scope", SCOPES), ("aggregate", AGGREGATES)):
            # of a kind that is misspelt, what is written may be wrong as well
            is_told = row[name] is not None if row["kind"] not in KINDS else row["kind"] == "observation"
            if is_told and row[name] not in known:
                yield says(_ONE_OF, column=name, name=name, value=_written(row[name]), known=", ".join(sorted(known)))
        if row["kind"] == "chain":
            named = [name in (row["observation_code"] or row["item_code"] or "") for name in ("vertical", "horizontal")]
            if sum(named) != 1:
                yield says(
                    "a chain item has vertical or horizontal as its observation_code.", column="observation_code"
                )
        if row["group_code"] is not None and row["group_code"] not in groups and "risk_groups" not in definition.unread:
            yield says("group_code {group} is not in risk_groups.csv.", column="group_code", group=row["group_code"])


def _observation_codes(definition: Definition, observations: Mapping[str, str | None]) -> Iterator[Finding]:
    scored = _scored_items(definition)
    for row in definition["risk_items"]:
        code = row["observation_code"]
        if row["kind"] != "observation" or code is None:
            continue
        if code not in observations:
            near = get_close_matches(code, observations, n=1)
            yield finding(
                "there is no observation_code {code}{hint}: see observation_codes.csv.",
                "risk_items",
                row["_line"],
                "observation_code",
                code=code,
                hint=Hint(" (did you mean {name}?)", name=near[0]) if near else Hint(),
            )
        elif (obstacle := observations[code]) is not None and row["item_code"] in scored:
            yield finding(
                "{item} has no legal basis: {obstacle}. Have it approved, or take the item out.",
                "risk_items",
                row["_line"],
                "observation_code",
                item=row["item_code"],
                obstacle=obstacle,
            )


def _scored_items(definition: Definition) -> set[str]:
    """Items with a coefficient or an override in a version that is not retired: only these read data."""
    retired = {row["model_version"] for row in definition["risk_model_versions"] if row["status"] == "retired"}
    return {
        row["item_code"]
        for table in ("risk_coefficients", "risk_overrides")
        for row in definition[table]
        if row["model_version"] not in retired
    }


def _valueless(definition: Definition) -> Iterator[Finding]:
    """Items that need a number from an observation that has none: they would be missing for everybody."""
    types = {row["observation_code"]: row["value_type"] for row in read_seed("observation_codes")}
    for row in definition["risk_items"]:
        needs_value = row["aggregate"] in {"sum", "max", "min", "latest"}
        if row["kind"] == "observation" and needs_value and types.get(row["observation_code"]) in {"none", "text"}:
            yield finding(
                "{code} has no number to take: use any, count, months_since or in_force.",
                "risk_items",
                row["_line"],
                "aggregate",
                code=row["observation_code"],
            )


def _city_codes(definition: Definition) -> Iterator[Finding]:
    difficulties = [row["difficulty_type"] for row in read_seed("difficulty_types")]
    for row in definition["risk_items"]:
        if row["category"] is not None and row["category"] not in CATEGORIES:
            yield finding(
                _ONE_OF,
                "risk_items",
                row["_line"],
                "category",
                name="category",
                value=_written(row["category"]),
                known=", ".join(CATEGORIES),
            )
    for table in ("risk_coefficients", "risk_tiers", "risk_overrides", "risk_targets", SUPPORT_RULES):
        for row in definition[table]:
            name = row["difficulty_type"]
            if name is not None and name not in difficulties:
                yield finding(
                    "there is no difficulty_type {name}: write one of {known}.",
                    table,
                    row["_line"],
                    "difficulty_type",
                    name=name,
                    known=", ".join(difficulties),
                )


def _empty_ranges(definition: Definition) -> Iterator[Finding]:
    for row in definition["risk_items"]:
        if row["lookback_months"] is not None and row["lookback_months"] <= 0:
            yield finding(
                "lookback_months must be above 0, or empty for ever.", "risk_items", row["_line"], "lookback_months"
            )
    for table in ("risk_items", "risk_targets", *RULES):
        for row in definition[table]:
            low, high = row["age_from_months"], row["age_to_months"]
            if low is not None and high is not None and low >= high:
                yield finding(
                    "the age range {low} to {high} holds no age: widen it.",
                    table,
                    row["_line"],
                    "age_to_months",
                    low=low,
                    high=high,
                )
    for row in definition["risk_bands"]:
        if _is_empty(row):
            yield finding(
                "the band {lower} to {upper} holds no value: the upper bound is not in the band.",
                "risk_bands",
                row["_line"],
                "upper",
                lower=row["lower"],
                upper=row["upper"],
            )


def _empty_tables(definition: Definition) -> Iterator[Finding]:
    for table, what in (("risk_items", "item"), ("risk_model_versions", "version")):
        if not definition[table] and table not in definition.unread:
            yield finding("there is no {what}: add one.", table, 1, what=Sentence(what))
    if "risk_coefficients" in definition.unread:
        return
    used = {row["model_version"] for row in definition["risk_coefficients"]}
    for row in definition["risk_model_versions"]:
        if row["model_version"] is not None and row["model_version"] not in used:
            yield finding(
                "{version} has no coefficient: every score is 0.",
                "risk_model_versions",
                row["_line"],
                version=row["model_version"],
            )


def _version_rows(definition: Definition) -> Iterator[Finding]:
    active: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in definition["risk_model_versions"]:
        says = partial(finding, table="risk_model_versions", line=row["_line"])
        version = row["model_version"]
        if row["status"] is None:
            known = ", ".join(sorted(STATUSES))
            yield says(_ONE_OF, column="status", name="status", value=_written(None), known=known)
        if row["valid_from"] and row["valid_to"] and row["valid_from"] > row["valid_to"]:
            yield says("valid_from is after valid_to: mend one of them.", column="valid_from")
        if row["status"] == "active":
            for difficulty in sorted(
                {tier["difficulty_type"] or "" for tier in definition["risk_tiers"] if tier["model_version"] == version}
            ):
                others = (other for other in active[difficulty] if other["model_version"] != version)
                rival = next((other for other in others if _share_a_day(row, other)), None)
                active[difficulty].append(row)
                if rival is not None:
                    yield says(
                        "{version} and {other} are both active for {difficulty}: retire one, or make it a trial.",
                        column="status",
                        version=version,
                        other=rival["model_version"],
                        difficulty=difficulty,
                    )


def _share_a_day(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two versions may be in force on the same day; without an end a version goes on."""
    return not any(
        earlier["valid_to"] and later["valid_from"] and earlier["valid_to"] < later["valid_from"]
        for earlier, later in ((one, other), (other, one))
    )


def _holds_values(band: Mapping[str, Any]) -> bool:
    """Whether a band holds values that were observed; one for missing values does where it has a bound."""
    return not band["when_missing"] or band["lower"] is not None or band["upper"] is not None


def _is_empty(band: Mapping[str, Any]) -> bool:
    lower, upper = band["lower"], band["upper"]
    return lower is not None and upper is not None and lower >= upper


def _unused_rows(definition: Definition) -> Iterator[Finding]:
    with_bands = {row["item_code"] for row in definition["risk_bands"]}
    combined = {row["item_code"] for row in definition["risk_item_members"]}
    items = {row["item_code"] for row in definition["risk_items"]}
    for row in definition["risk_items"]:
        says = partial(finding, table="risk_items", line=row["_line"], column="item_code")
        code = row["item_code"]
        if code is not None and code not in with_bands and "risk_bands" not in definition.unread:
            yield says("{item} has no band: add one in risk_bands.csv.", item=code)
        if row["kind"] == "combination" and code not in combined and "risk_item_members" not in definition.unread:
            yield says("the combination {item} has no members: add them.", item=code)
    for row in definition["risk_groups"]:
        if row["group_code"] in items:
            yield finding(
                "{group} is also the code of an item: rename one.",
                "risk_groups",
                row["_line"],
                "group_code",
                group=row["group_code"],
            )


def _never_missing(definition: Definition) -> Iterator[Finding]:
    kinds = {row["item_code"]: row["kind"] for row in definition["risk_items"]}
    for row in definition["risk_bands"]:
        if row["when_missing"] and kinds.get(row["item_code"]) in {"combination", "chain"}:
            yield finding(
                "{item} is never missing: a {kind} is 0.",
                "risk_bands",
                row["_line"],
                "when_missing",
                item=row["item_code"],
                kind=Sentence(kinds[row["item_code"]]),
            )


def _members(definition: Definition) -> Iterator[Finding]:
    if "risk_items" in definition.unread:
        return
    kinds = {row["item_code"]: row["kind"] for row in definition["risk_items"]}
    for row in definition["risk_item_members"]:
        says = partial(finding, table="risk_item_members", line=row["_line"])
        if kinds.get(row["item_code"]) != "combination":
            yield says("{item} is no item of kind combination.", column="item_code", item=row["item_code"])
        member = row["member_item_code"]
        if member not in kinds:
            yield says("the member {item} is not in risk_items.csv.", column="member_item_code", item=member)
        elif kinds[member] == "combination":
            yield says("the member {item} is a combination: name its members.", column="member_item_code", item=member)


def _bands(definition: Definition) -> Iterator[Finding]:
    items = {row["item_code"] for row in definition["risk_items"]}
    by_item: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in definition["risk_bands"]:
        if row["item_code"] not in items and row["item_code"] is not None and "risk_items" not in definition.unread:
            yield finding(
                "the item {item} is not in risk_items.csv.",
                "risk_bands",
                row["_line"],
                "item_code",
                item=row["item_code"],
            )
        by_item[row["item_code"]].append(row)
    for item, rows in by_item.items():
        missing = [row for row in rows if row["when_missing"]]
        for row in missing[1:]:
            yield finding(
                "{item} has a second band for missing values: keep one.",
                "risk_bands",
                row["_line"],
                "when_missing",
                item=item,
            )
        ranges = [row for row in rows if _holds_values(row) and not _is_empty(row) and not row["_unread"]]
        ranges.sort(key=lambda row: (row["lower"] is not None, row["lower"] or Decimal(0)))
        widest = ranges[0] if ranges else None
        for band in ranges[1:]:
            if widest["upper"] is None or band["lower"] is None or band["lower"] < widest["upper"]:
                later, earlier = sorted((widest, band), key=lambda row: row["_line"], reverse=True)
                yield finding(
                    "{item}: band {band} overlaps band {other} (line {line_2}): let one begin where the other ends.",
                    "risk_bands",
                    later["_line"],
                    "lower",
                    item=item,
                    band=later["band_no"],
                    other=earlier["band_no"],
                    line_2=earlier["_line"],
                )
            if widest["upper"] is not None and (band["upper"] is None or band["upper"] > widest["upper"]):
                widest = band


def _is_named(row: Mapping[str, Any]) -> bool:
    """Whether a row names a band; the check of the keys reports what is missing."""
    return row["item_code"] is not None and row["band_no"] is not None


_NO_BAND = "{item} has no band {band} in risk_bands.csv."
_NO_VERSION = "the version {version} is not in risk_model_versions.csv."


def _coefficients(definition: Definition) -> Iterator[Finding]:
    bands = {(row["item_code"], row["band_no"]) for row in definition["risk_bands"]}
    versions = {row["model_version"] for row in definition["risk_model_versions"]}
    for row in definition["risk_coefficients"]:
        says = partial(finding, table="risk_coefficients", line=row["_line"])
        if _is_named(row) and (row["item_code"], row["band_no"]) not in bands and "risk_bands" not in definition.unread:
            yield says(_NO_BAND, column="band_no", item=row["item_code"], band=row["band_no"])
        if row["model_version"] not in versions and "risk_model_versions" not in definition.unread:
            yield says(_NO_VERSION, column="model_version", version=row["model_version"])
        if row["coefficient"] is None and "coefficient" not in row["_unread"]:
            yield says("coefficient is empty: write a number.", column="coefficient")


def _versions(definition: Definition) -> Iterator[Finding]:
    for row in definition["risk_model_versions"]:
        if row["status"] is not None and row["status"] not in STATUSES:
            yield finding(
                _ONE_OF,
                "risk_model_versions",
                row["_line"],
                "status",
                name="status",
                value=_written(row["status"]),
                known=", ".join(sorted(STATUSES)),
            )


def _groups(definition: Definition) -> Iterator[Finding]:
    kinds: dict[str, set[bool]] = defaultdict(set)
    for row in definition["risk_items"]:
        if row["group_code"] is not None:
            kinds[row["group_code"]].add(row["kind"] == "combination")
    for row in definition["risk_groups"]:
        says = partial(finding, table="risk_groups", line=row["_line"])
        if row["combine"] not in {"sum", "max"}:
            yield says("combine is {value}: write sum or max.", column="combine", value=_written(row["combine"]))
        if len(kinds[row["group_code"]]) > 1:
            yield says("combinations and other items must be in different groups.", column="group_code")


def _tiers(definition: Definition) -> Iterator[Finding]:
    by_model: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    versions = {row["model_version"] for row in definition["risk_model_versions"]}
    for row in definition["risk_tiers"]:
        says = partial(finding, table="risk_tiers", line=row["_line"])
        by_model[row["model_version"], row["difficulty_type"]].append(row)
        if row["tier_rank"] is None and "tier_rank" not in row["_unread"]:
            yield says("tier_rank is empty: write a whole number, the higher the graver.", column="tier_rank")
        if row["model_version"] not in versions and "risk_model_versions" not in definition.unread:
            yield says(_NO_VERSION, column="model_version", version=row["model_version"])
    for (version, difficulty), rows in by_model.items():
        ranks = Counter(row["tier_rank"] for row in rows)
        for row in rows:
            if row["tier_rank"] is not None and ranks[row["tier_rank"]] > 1:
                yield finding(
                    "{version} {difficulty}: rank {rank} is there twice.",
                    "risk_tiers",
                    row["_line"],
                    "tier_rank",
                    version=version,
                    difficulty=difficulty,
                    rank=row["tier_rank"],
                )


def _tier_gaps(definition: Definition) -> Iterator[Finding]:
    if "risk_tiers" in definition.unread:
        return
    by_model: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in definition["risk_tiers"]:
        by_model[row["model_version"], row["difficulty_type"]].append(row)
    for (version, difficulty), tiers in by_model.items():
        says = partial(finding, table="risk_tiers", column="min_score", version=version, difficulty=difficulty)
        rows = [row for row in tiers if row["tier_rank"] is not None and "min_score" not in row["_unread"]]
        if rows and not any(row["min_score"] is None for row in rows):
            yield says(
                "{version} {difficulty}: no tier is open below: leave the lowest min_score empty.",
                line=rows[0]["_line"],
            )
        ordered = sorted(rows, key=lambda row: row["tier_rank"])
        for before, after in pairwise(ordered):
            if after["min_score"] is None or (
                before["min_score"] is not None and after["min_score"] <= before["min_score"]
            ):
                yield says(
                    "{version} {difficulty}: the graver tier {tier} must begin above {other}.",
                    line=after["_line"],
                    tier=after["tier"],
                    other=before["tier"],
                )
    for row in definition["risk_coefficients"]:
        key = (row["model_version"], row["difficulty_type"])
        if key not in by_model:
            by_model[key] = []
            yield finding(
                "{version} {difficulty} has no tiers in risk_tiers.csv.",
                "risk_coefficients",
                row["_line"],
                "difficulty_type",
                version=key[0],
                difficulty=key[1],
            )


def _overrides(definition: Definition) -> Iterator[Finding]:
    bands = {(row["item_code"], row["band_no"]) for row in definition["risk_bands"]}
    tiers = {(row["model_version"], row["difficulty_type"], row["tier"]) for row in definition["risk_tiers"]}
    versions = {row["model_version"] for row in definition["risk_model_versions"]}
    for row in definition["risk_overrides"]:
        says = partial(finding, table="risk_overrides", line=row["_line"])
        version, tier = row["model_version"], row["at_least_tier"]
        if _is_named(row) and (row["item_code"], row["band_no"]) not in bands and "risk_bands" not in definition.unread:
            yield says(_NO_BAND, column="band_no", item=row["item_code"], band=row["band_no"])
        if tier is None:
            yield says("at_least_tier is empty: name the tier.", column="at_least_tier")
        elif "risk_model_versions" not in definition.unread and version is not None and version not in versions:
            yield says(_NO_VERSION, column="model_version", version=version)
        elif "risk_tiers" not in definition.unread and (version, row["difficulty_type"], tier) not in tiers:
            yield says(
                "the tier {tier} does not exist for {version} {difficulty}.",
                column="at_least_tier",
                tier=tier,
                version=version,
                difficulty=row["difficulty_type"],
            )


def _targets(definition: Definition) -> Iterator[Finding]:
    versions = {row["model_version"] for row in definition["risk_model_versions"]}
    for row in definition["risk_targets"]:
        says = partial(finding, table="risk_targets", line=row["_line"])
        version = row["model_version"]
        for name in ("model_version", "difficulty_type"):
            if row[name] is None:
                yield says("{names} is empty: fill it in.", column=name, names=name)
        if version is not None and version not in versions and "risk_model_versions" not in definition.unread:
            yield says(_NO_VERSION, column="model_version", version=version)


def _rules(definition: Definition) -> Iterator[Finding]:
    """What is wrong with a rule of either kind; the tiers of those without a version are the city's."""
    versions = {row["model_version"] for row in definition["risk_model_versions"]}
    tiers = sorted({row["tier"] for row in definition["risk_tiers"] if row["tier"] is not None})
    for table in RULES:
        for row in definition[table]:
            says = partial(finding, table=table, line=row["_line"])
            if row["model_version"] is None:
                continue
            if row["model_version"] not in versions and "risk_model_versions" not in definition.unread:
                yield says(_NO_VERSION, column="model_version", version=row["model_version"])
            for name in ("min_tier", "max_tier", "tier"):
                tier = row.get(name)
                if tier is not None and tier not in tiers and "risk_tiers" not in definition.unread:
                    yield says(_ONE_OF, column=name, name=name, value=_written(tier), known=", ".join(tiers))


def _priority_rules(definition: Definition) -> Iterator[Finding]:
    last: dict[str | None, dict[str, Any]] = {}
    for row in definition[PRIORITY_RULES]:
        says = partial(finding, table=PRIORITY_RULES, line=row["_line"])
        if row["priority_class"] not in PRIORITY_CLASSES:
            yield says(
                _ONE_OF, column="priority_class", name="priority_class", value=_written(row["priority_class"]),
                known=", ".join(PRIORITY_CLASSES),
            )  # fmt: skip
        for name in ("due_days", "min_difficulties"):
            is_needed = name == "due_days" and name not in row["_unread"]
            if (row[name] is None and is_needed) or (row[name] is not None and row[name] < 1):
                yield says("{name} is a whole number from 1 on.", column=name, name=name)
        before = last.get(row["model_version"])
        if before is None or (row["rule_no"] or 0) > (before["rule_no"] or 0):
            last[row["model_version"]] = row
    for row in last.values():
        if any(row[name] is not None for name in _PRIORITY_CONDITIONS) or row["_unread"]:
            yield finding(
                "the last rule must hold for every child: add one without conditions, or some get no priority.",
                PRIORITY_RULES,
                row["_line"],
                "rule_no",
            )


_PRIORITY_CONDITIONS = (
    "min_tier", "max_tier", "min_difficulties", "vertical", "horizontal", "age_from_months", "age_to_months",
    "is_known",
)  # fmt: skip


def _support_rules(definition: Definition) -> Iterator[Finding]:
    for row in definition[SUPPORT_RULES]:
        says = partial(finding, table=SUPPORT_RULES, line=row["_line"])
        if row["chain"] is not None and row["chain"] not in CHAINS:
            yield says(
                _ONE_OF, column="chain", name="chain", value=_written(row["chain"]), known=", ".join(CHAINS)
            )  # fmt: skip
        for name in ("support_code", "content_ja"):
            if row[name] is None:
                yield says("{names} is empty: fill it in.", column=name, names=name)


def _rival_rules(definition: Definition) -> Iterator[Finding]:
    """Active versions of the same day that both have rules of their own: those of one would hold for all children."""
    for table in RULES:
        with_rules = {row["model_version"] for row in definition[table]} - {None}
        earlier: list[dict[str, Any]] = []
        for row in definition["risk_model_versions"]:
            if row["status"] != "active" or row["model_version"] not in with_rules:
                continue
            if other := next((other for other in earlier if _share_a_day(row, other)), None):
                yield finding(
                    "{version} and {other} both have rules in {table}: keep those of one.",
                    "risk_model_versions",
                    row["_line"],
                    version=row["model_version"],
                    other=other["model_version"],
                    table=f"{table}.csv",
                )
            earlier.append(row)


def _odd_targets(definition: Definition) -> Iterator[Finding]:
    """Ranges that change nothing: of a type that the version does not score, or that share an age with another."""
    scored = {
        (row["model_version"], row["difficulty_type"])
        for table in ("risk_tiers", "risk_coefficients")
        for row in definition[table]
    }
    is_scored_known = definition.unread.isdisjoint({"risk_tiers", "risk_coefficients"})
    earlier: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in definition["risk_targets"]:
        key = (row["model_version"], row["difficulty_type"])
        if None in key or row["_unread"]:
            continue
        says = partial(finding, table="risk_targets", line=row["_line"], version=key[0], difficulty=key[1])
        if is_scored_known and key not in scored:
            yield says("{version} does not score {difficulty}: the row changes nothing.", column="difficulty_type")
        for other in earlier[key]:
            if _share_an_age(row, other):
                yield says(
                    "{version} {difficulty}: the ages overlap those of line {line_2}: write them as one row.",
                    column="age_from_months",
                    line_2=other["_line"],
                )
        earlier[key].append(row)


def _share_an_age(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    lows = [row["age_from_months"] for row in (one, other) if row["age_from_months"] is not None]
    highs = [row["age_to_months"] for row in (one, other) if row["age_to_months"] is not None]
    return not lows or not highs or max(lows) < min(highs)


# What makes a score: not the labels, nor the reasons, nor who approved it.
_SCORING_COLUMNS = {
    "risk_items": (
        "item_code",
        "kind",
        "observation_code",
        "scope",
        "lookback_months",
        "aggregate",
        "age_from_months",
        "age_to_months",
        "group_code",
    ),
    "risk_item_members": ("item_code", "member_item_code"),
    "risk_bands": ("item_code", "band_no", "lower", "upper", "when_missing"),
    "risk_coefficients": ("difficulty_type", "item_code", "band_no", "coefficient"),
    "risk_groups": ("group_code", "combine", "cap"),
    "risk_tiers": ("difficulty_type", "tier", "tier_rank", "min_score"),
    "risk_overrides": ("difficulty_type", "item_code", "band_no", "at_least_tier"),
    "risk_targets": ("difficulty_type", "age_from_months", "age_to_months"),
    PRIORITY_RULES: ("rule_no", *_PRIORITY_CONDITIONS, "priority_class", "due_days"),
    SUPPORT_RULES: (
        "rule_no", "difficulty_type", "tier", "chain", "age_from_months", "age_to_months", "support_code", "content_ja",
    ),
}  # fmt: skip
_ADDED_TABLES = {"risk_targets", *RULES}
"""Tables that are younger than the first approved version: without a row they are not in a hash."""


def version_hash(definition: Definition, version: str) -> str:
    """A hash over everything that makes the scores of a version, and over its own rules of support, however its files
    are ordered or written.

    Labels and reasons are not in it; nor are items and bands that the version does not use.
    """
    own = {
        table: [row for row in definition[table] if row["model_version"] == version]
        for table in ("risk_coefficients", "risk_tiers", "risk_overrides", "risk_targets", *RULES)
    }
    items = {row["item_code"] for table in ("risk_coefficients", "risk_overrides") for row in own[table]}
    bands = {
        (row["item_code"], row["band_no"]) for table in ("risk_coefficients", "risk_overrides") for row in own[table]
    }
    held = _held_at_zero(definition, own["risk_coefficients"])
    items |= held
    # A member without a coefficient never counts: it makes no score.
    members = [row for row in definition["risk_item_members"] if {row["item_code"], row["member_item_code"]} <= items]
    used_items = [row for row in definition["risk_items"] if row["item_code"] in items]
    groups = {row["group_code"] for row in used_items}
    rows = {
        **own,
        "risk_items": used_items,
        "risk_item_members": members,
        # Elsewhere a band without a coefficient changes nothing: it may be added for another version.
        "risk_bands": [
            row
            for row in definition["risk_bands"]
            if row["item_code"] in held or (row["item_code"], row["band_no"]) in bands
        ],
        "risk_groups": [row for row in definition["risk_groups"] if row["group_code"] in groups],
    }
    digest = hashlib.sha256()
    for table, names in _SCORING_COLUMNS.items():
        if table in _ADDED_TABLES and not rows[table]:
            continue
        lines = sorted("\x1f".join(_canonical(row[name]) for name in names) for row in rows[table])
        digest.update("\n".join([table, *lines, ""]).encode())
    return digest.hexdigest()


def _held_at_zero(definition: Definition, coefficients: list[dict[str, Any]]) -> set[str]:
    """Items of the max groups in which a coefficient is below 0: there a band without one is larger, and counts."""
    group_of = {row["item_code"]: row["group_code"] for row in definition["risk_items"]}
    lowering = {group_of.get(row["item_code"]) for row in coefficients if (row["coefficient"] or 0) < 0}
    lowering &= {row["group_code"] for row in definition["risk_groups"] if row["combine"] == "max"}
    return {item for item, group in group_of.items() if group in lowering}


def _canonical(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize() + 0, "f")
    return "" if value is None else str(value)


def _approved(definition: Definition) -> Iterator[Finding]:
    if definition.unread:
        return
    for row in definition["risk_model_versions"]:
        version = row["model_version"]
        if row["content_hash"] and version_hash(definition, version) != row["content_hash"]:
            yield finding(
                "{version} has changed since {approved_by} approved it on {approved_on}: "
                "put it back, and make the change a new version.",
                "risk_model_versions",
                row["_line"],
                "content_hash",
                version=version,
                approved_by=row["approved_by"],
                approved_on=row["approved_on"],
            )


class Lines:
    """Mistakes that stand in an error, a line each, in its language."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        return self.in_language(ENGLISH)

    def in_language(self, language: str) -> str:
        """The lines in a language."""
        return "\n".join(f"  {mistake.in_language(language)}" for mistake in self.mistakes)


def raise_for(mistakes: list[Mistake]) -> None:
    """Raise KodomoError with all mistakes, if one of them is fatal."""
    if any(mistake.is_fatal for mistake in mistakes):
        raise KodomoError("The definition has mistakes:\n{lines}", lines=Lines(mistakes))

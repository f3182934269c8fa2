"""A risk definition: the ``risk_*`` seeds in one folder, read with their types and checked before anything runs."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from kodomo.csv_files import read_csv
from kodomo.errors import KodomoError, UsageError
from kodomo.seeds import accepted_values, column_types, read_seed, reader

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
}
CATEGORIES = accepted_values("risk_items", "category")
KINDS = set(accepted_values("risk_items", "kind"))
AGGREGATES = set(accepted_values("risk_items", "aggregate"))
SCOPES = set(accepted_values("risk_items", "scope"))
STATUSES = set(accepted_values("risk_model_versions", "status"))
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
    """What is wrong in a definition: file, physical line and what to do."""

    file: str
    line: int
    message: str
    is_fatal: bool = True
    """Scores cannot be computed with it. What is not fatal is odd, but has a definite meaning."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


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
        path = folder / f"{table}.csv"
        if path.exists():
            _read_table(definition, table, path)
        elif table not in MAY_BE_ABSENT:
            definition.unread.add(table)
            definition.mistakes.append(Mistake(path.name, 1, "the file is missing: add it with its heading row."))
    return definition


def _read_table(definition: Definition, table: str, path: Path) -> None:
    types = column_types()[table]

    def refuse(message: str) -> None:
        definition.unread.add(table)
        definition.mistakes.append(Mistake(path.name, 1, message))

    try:
        file = read_csv(path)
    except KodomoError as error:
        refuse(str(error).partition(": ")[2])
        return
    missing = sorted(REQUIRED_COLUMNS[table] - set(file.header))
    twice = sorted(name for name, count in Counter(file.header).items() if count > 1 and name)
    if not file.header:
        refuse("the file is empty: write its heading row.")
    elif len(file.header) == 1 and (separator := next((mark for mark in _SEPARATORS if mark in file.header[0]), None)):
        refuse(f"the columns are separated by {_SEPARATORS[separator]}: save the file with commas.")
    elif missing:
        refuse(f"the column {', '.join(missing)} is missing: add it{_misspelt(missing, file.header, types)}.")
    elif twice:
        refuse(f"the column {', '.join(twice)} is there twice: keep one.")
    if table in definition.unread:
        return
    absent = [name for name in types if name not in file.header]
    for name in absent:
        hint = _misspelt([name], file.header, types)
        if hint or name in _TELLING_COLUMNS.get(table, ()):
            definition.mistakes.append(
                Mistake(path.name, 1, f"the column {name} is missing, and counts as empty: add it{hint}.", False)
            )
    for line in file.too_long:
        definition.mistakes.append(Mistake(path.name, line, "more values than headings: quote the commas."))
    for line, values in file.records:
        given = dict(zip(file.header, values, strict=True))
        row: dict[str, Any] = {"_line": line, "_unread": set()}
        for name, column_type in types.items():
            value = given.get(name, "")
            if value == "" and column_type != "boolean":
                row[name] = None
                continue
            convert, expected = reader(column_type)
            try:
                row[name] = convert(value)
            except (ValueError, InvalidOperation, OverflowError):
                row[name] = None
                row["_unread"].add(name)
                definition.mistakes.append(Mistake(path.name, line, f"{name} is {value!r}: write {expected}."))
        definition.tables[table].append(row)


def _misspelt(missing: list[str], header: list[str], types: Mapping[str, str]) -> str:
    """Which heading may be meant by a missing one."""
    unknown = [name for name in header if name not in types]
    meant = [near[0] for name in missing if (near := get_close_matches(name, unknown, n=1, cutoff=0.75))]
    return f" (is it {', '.join(meant)}?)" if meant else ""


def _written(value: Any) -> str:
    return "empty" if value is None else repr(value)


def check(
    definition: Definition, observations: Mapping[str, str | None] | None = None, *, is_tried: bool = False
) -> list[Mistake]:
    """Every mistake of a definition, in the order of files and lines.

    ``observations``: the observation codes that exist, with what stands against their use (see ``legal_basis``);
    None where an analyst's own file brings its own codes. ``is_tried``: the definition is only tried out, so that an
    approved version which has changed is odd, and stops nothing.
    """
    mistakes = [*definition.mistakes]
    finders = (_keys, _items, _members, _bands, _coefficients, _versions, _groups, _tiers, _overrides, _targets)
    for finder in finders:
        mistakes += [Mistake(f"{table}.csv", line, message) for table, line, message in finder(definition)]
    if observations is not None:
        mistakes += [
            Mistake(f"{table}.csv", line, message)
            for finder in (partial(_observation_codes, observations=observations), _city_codes)
            for table, line, message in finder(definition)
        ]
    mistakes += [
        Mistake(f"{table}.csv", line, message, is_fatal=not is_tried) for table, line, message in _approved(definition)
    ]
    odd = [_never_missing, _tier_gaps, _empty_ranges, _unused_rows, _empty_tables, _version_rows, _odd_targets]
    for finder in [*odd, _valueless] if observations is not None else odd:
        mistakes += [
            Mistake(f"{table}.csv", line, message, is_fatal=False) for table, line, message in finder(definition)
        ]
    order = {f"{table}.csv": position for position, table in enumerate(TABLES)}
    return sorted(mistakes, key=lambda mistake: (order[mistake.file], mistake.line))


Finding = tuple[str, int, str]


def _keys(definition: Definition) -> Iterator[Finding]:
    for table, names in KEYS.items():
        seen: set[tuple[Any, ...]] = set()
        for row in definition[table]:
            key = tuple(row[name] for name in names)
            empty = [
                name for name, value in zip(names, key, strict=True) if value is None and name not in row["_unread"]
            ]
            if row["_unread"] & set(names):
                continue
            if empty:
                yield table, row["_line"], f"{', '.join(empty)} is empty: fill it in."
            elif key in seen:
                yield table, row["_line"], f"{', '.join(map(str, key))} is there twice: keep one row."
            seen.add(key)


def _items(definition: Definition) -> Iterator[Finding]:
    groups = {row["group_code"] for row in definition["risk_groups"]}
    for row in definition["risk_items"]:
        line = row["_line"]
        if row["kind"] not in KINDS:
            yield "risk_items", line, f"kind is {_written(row['kind'])}: write one of {', '.join(sorted(KINDS))}."
        if row["kind"] == "observation" and row["observation_code"] is None:
            yield "risk_items", line, "observation_code is empty: name the observation."
        for name, known in (("scope", SCOPES), ("aggregate", AGGREGATES)):
            # of a kind that is misspelt, what is written may be wrong as well
            is_told = row[name] is not None if row["kind"] not in KINDS else row["kind"] == "observation"
            if is_told and row[name] not in known:
                yield "risk_items", line, f"{name} is {_written(row[name])}: write one of {', '.join(sorted(known))}."
        if row["kind"] == "chain":
            named = [name in (row["observation_code"] or row["item_code"] or "") for name in ("vertical", "horizontal")]
            if sum(named) != 1:
                yield "risk_items", line, "a chain item has vertical or horizontal as its observation_code."
        if row["group_code"] is not None and row["group_code"] not in groups and "risk_groups" not in definition.unread:
            yield "risk_items", line, f"group_code {row['group_code']} is not in risk_groups.csv."


def _observation_codes(definition: Definition, observations: Mapping[str, str | None]) -> Iterator[Finding]:
    scored = _scored_items(definition)
    for row in definition["risk_items"]:
        code = row["observation_code"]
        if row["kind"] != "observation" or code is None:
            continue
        if code not in observations:
            near = get_close_matches(code, observations, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            yield "risk_items", row["_line"], f"there is no observation_code {code}{hint}: see observation_codes.csv."
        elif (obstacle := observations[code]) is not None and row["item_code"] in scored:
            yield (
                "risk_items",
                row["_line"],
                f"{row['item_code']} has no legal basis: {obstacle}. Have it approved, or take the item out.",
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
            yield (
                "risk_items",
                row["_line"],
                f"{row['observation_code']} has no number to take: use any, count, months_since or in_force.",
            )


def _city_codes(definition: Definition) -> Iterator[Finding]:
    difficulties = [row["difficulty_type"] for row in read_seed("difficulty_types")]
    for row in definition["risk_items"]:
        if row["category"] is not None and row["category"] not in CATEGORIES:
            yield (
                "risk_items",
                row["_line"],
                f"category is {row['category']!r}: write one of {', '.join(CATEGORIES)}.",
            )
    for table in ("risk_coefficients", "risk_tiers", "risk_overrides", "risk_targets"):
        for row in definition[table]:
            name = row["difficulty_type"]
            if name is not None and name not in difficulties:
                yield (
                    table,
                    row["_line"],
                    f"there is no difficulty_type {name}: write one of {', '.join(difficulties)}.",
                )


def _empty_ranges(definition: Definition) -> Iterator[Finding]:
    for row in definition["risk_items"]:
        if row["lookback_months"] is not None and row["lookback_months"] <= 0:
            yield "risk_items", row["_line"], "lookback_months must be above 0, or empty for ever."
    for table in ("risk_items", "risk_targets"):
        for row in definition[table]:
            low, high = row["age_from_months"], row["age_to_months"]
            if low is not None and high is not None and low >= high:
                yield table, row["_line"], f"the age range {low} to {high} holds no age: widen it."
    for row in definition["risk_bands"]:
        if _is_empty(row):
            yield (
                "risk_bands",
                row["_line"],
                f"the band {row['lower']} to {row['upper']} holds no value: the upper bound is not in the band.",
            )


def _empty_tables(definition: Definition) -> Iterator[Finding]:
    for table, what in (("risk_items", "item"), ("risk_model_versions", "version")):
        if not definition[table] and table not in definition.unread:
            yield table, 1, f"there is no {what}: add one."
    if "risk_coefficients" in definition.unread:
        return
    used = {row["model_version"] for row in definition["risk_coefficients"]}
    for row in definition["risk_model_versions"]:
        if row["model_version"] is not None and row["model_version"] not in used:
            yield "risk_model_versions", row["_line"], f"{row['model_version']} has no coefficient: every score is 0."


def _version_rows(definition: Definition) -> Iterator[Finding]:
    active: dict[str, str] = {}
    for row in definition["risk_model_versions"]:
        line, version = row["_line"], row["model_version"]
        if row["status"] is None:
            yield "risk_model_versions", line, f"status is empty: write one of {', '.join(sorted(STATUSES))}."
        if row["valid_from"] and row["valid_to"] and row["valid_from"] > row["valid_to"]:
            yield "risk_model_versions", line, "valid_from is after valid_to: mend one of them."
        if row["status"] == "active":
            for difficulty in sorted(
                {tier["difficulty_type"] or "" for tier in definition["risk_tiers"] if tier["model_version"] == version}
            ):
                other = active.setdefault(difficulty, version)
                if other != version:
                    yield (
                        "risk_model_versions",
                        line,
                        f"{version} and {other} are both active for {difficulty}: retire one, or make it a trial.",
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
        code = row["item_code"]
        if code is not None and code not in with_bands and "risk_bands" not in definition.unread:
            yield "risk_items", row["_line"], f"{code} has no band: add one in risk_bands.csv."
        if row["kind"] == "combination" and code not in combined and "risk_item_members" not in definition.unread:
            yield "risk_items", row["_line"], f"the combination {code} has no members: add them."
    for row in definition["risk_groups"]:
        if row["group_code"] in items:
            yield "risk_groups", row["_line"], f"{row['group_code']} is also the code of an item: rename one."


def _never_missing(definition: Definition) -> Iterator[Finding]:
    kinds = {row["item_code"]: row["kind"] for row in definition["risk_items"]}
    for row in definition["risk_bands"]:
        if row["when_missing"] and kinds.get(row["item_code"]) in {"combination", "chain"}:
            yield "risk_bands", row["_line"], f"{row['item_code']} is never missing: a {kinds[row['item_code']]} is 0."


def _members(definition: Definition) -> Iterator[Finding]:
    if "risk_items" in definition.unread:
        return
    kinds = {row["item_code"]: row["kind"] for row in definition["risk_items"]}
    for row in definition["risk_item_members"]:
        if kinds.get(row["item_code"]) != "combination":
            yield "risk_item_members", row["_line"], f"{row['item_code']} is no item of kind combination."
        member = row["member_item_code"]
        if member not in kinds:
            yield "risk_item_members", row["_line"], f"the member {member} is not in risk_items.csv."
        elif kinds[member] == "combination":
            yield "risk_item_members", row["_line"], f"the member {member} is a combination: name its members."


def _bands(definition: Definition) -> Iterator[Finding]:
    items = {row["item_code"] for row in definition["risk_items"]}
    by_item: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in definition["risk_bands"]:
        if row["item_code"] not in items and row["item_code"] is not None and "risk_items" not in definition.unread:
            yield "risk_bands", row["_line"], f"the item {row['item_code']} is not in risk_items.csv."
        by_item[row["item_code"]].append(row)
    for item, rows in by_item.items():
        missing = [row for row in rows if row["when_missing"]]
        for row in missing[1:]:
            yield "risk_bands", row["_line"], f"{item} has a second band for missing values: keep one."
        ranges = [row for row in rows if _holds_values(row) and not _is_empty(row) and not row["_unread"]]
        ranges.sort(key=lambda row: (row["lower"] is not None, row["lower"] or Decimal(0)))
        widest = ranges[0] if ranges else None
        for band in ranges[1:]:
            if widest["upper"] is None or band["lower"] is None or band["lower"] < widest["upper"]:
                later, earlier = sorted((widest, band), key=lambda row: row["_line"], reverse=True)
                yield (
                    "risk_bands",
                    later["_line"],
                    f"{item}: band {later['band_no']} overlaps band {earlier['band_no']} (line {earlier['_line']}): "
                    "let one begin where the other ends.",
                )
            if widest["upper"] is not None and (band["upper"] is None or band["upper"] > widest["upper"]):
                widest = band


def _is_named(row: Mapping[str, Any]) -> bool:
    """Whether a row names a band; the check of the keys reports what is missing."""
    return row["item_code"] is not None and row["band_no"] is not None


def _coefficients(definition: Definition) -> Iterator[Finding]:
    bands = {(row["item_code"], row["band_no"]) for row in definition["risk_bands"]}
    versions = {row["model_version"] for row in definition["risk_model_versions"]}
    for row in definition["risk_coefficients"]:
        if _is_named(row) and (row["item_code"], row["band_no"]) not in bands and "risk_bands" not in definition.unread:
            yield (
                "risk_coefficients",
                row["_line"],
                f"{row['item_code']} has no band {row['band_no']} in risk_bands.csv.",
            )
        if row["model_version"] not in versions and "risk_model_versions" not in definition.unread:
            yield (
                "risk_coefficients",
                row["_line"],
                f"the version {row['model_version']} is not in risk_model_versions.csv.",
            )
        if row["coefficient"] is None and "coefficient" not in row["_unread"]:
            yield "risk_coefficients", row["_line"], "coefficient is empty: write a number."


def _versions(definition: Definition) -> Iterator[Finding]:
    for row in definition["risk_model_versions"]:
        if row["status"] is not None and row["status"] not in STATUSES:
            yield (
                "risk_model_versions",
                row["_line"],
                f"status is {row['status']!r}: write one of {', '.join(sorted(STATUSES))}.",
            )


def _groups(definition: Definition) -> Iterator[Finding]:
    kinds: dict[str, set[bool]] = defaultdict(set)
    for row in definition["risk_items"]:
        if row["group_code"] is not None:
            kinds[row["group_code"]].add(row["kind"] == "combination")
    for row in definition["risk_groups"]:
        if row["combine"] not in {"sum", "max"}:
            yield "risk_groups", row["_line"], f"combine is {_written(row['combine'])}: write sum or max."
        if len(kinds[row["group_code"]]) > 1:
            yield "risk_groups", row["_line"], "combinations and other items must be in different groups."


def _tiers(definition: Definition) -> Iterator[Finding]:
    by_model: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    versions = {row["model_version"] for row in definition["risk_model_versions"]}
    for row in definition["risk_tiers"]:
        by_model[row["model_version"], row["difficulty_type"]].append(row)
        if row["tier_rank"] is None and "tier_rank" not in row["_unread"]:
            yield "risk_tiers", row["_line"], "tier_rank is empty: write a whole number, the higher the graver."
        if row["model_version"] not in versions and "risk_model_versions" not in definition.unread:
            yield "risk_tiers", row["_line"], f"the version {row['model_version']} is not in risk_model_versions.csv."
    for (version, difficulty), rows in by_model.items():
        ranks = Counter(row["tier_rank"] for row in rows)
        for row in rows:
            if row["tier_rank"] is not None and ranks[row["tier_rank"]] > 1:
                yield "risk_tiers", row["_line"], f"{version} {difficulty}: rank {row['tier_rank']} is there twice."


def _tier_gaps(definition: Definition) -> Iterator[Finding]:
    if "risk_tiers" in definition.unread:
        return
    by_model: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in definition["risk_tiers"]:
        by_model[row["model_version"], row["difficulty_type"]].append(row)
    for (version, difficulty), tiers in by_model.items():
        rows = [row for row in tiers if row["tier_rank"] is not None and "min_score" not in row["_unread"]]
        if rows and not any(row["min_score"] is None for row in rows):
            yield (
                "risk_tiers",
                rows[0]["_line"],
                f"{version} {difficulty}: no tier is open below: leave the lowest min_score empty.",
            )
        ordered = sorted(rows, key=lambda row: row["tier_rank"])
        for before, after in pairwise(ordered):
            if after["min_score"] is None or (
                before["min_score"] is not None and after["min_score"] <= before["min_score"]
            ):
                yield (
                    "risk_tiers",
                    after["_line"],
                    f"{version} {difficulty}: the graver tier {after['tier']} must begin above {before['tier']}.",
                )
    for row in definition["risk_coefficients"]:
        key = (row["model_version"], row["difficulty_type"])
        if key not in by_model:
            by_model[key] = []
            yield "risk_coefficients", row["_line"], f"{key[0]} {key[1]} has no tiers in risk_tiers.csv."


def _overrides(definition: Definition) -> Iterator[Finding]:
    bands = {(row["item_code"], row["band_no"]) for row in definition["risk_bands"]}
    tiers = {(row["model_version"], row["difficulty_type"], row["tier"]) for row in definition["risk_tiers"]}
    versions = {row["model_version"] for row in definition["risk_model_versions"]}
    for row in definition["risk_overrides"]:
        line, version, tier = row["_line"], row["model_version"], row["at_least_tier"]
        if _is_named(row) and (row["item_code"], row["band_no"]) not in bands and "risk_bands" not in definition.unread:
            yield "risk_overrides", line, f"{row['item_code']} has no band {row['band_no']} in risk_bands.csv."
        if tier is None:
            yield "risk_overrides", line, "at_least_tier is empty: name the tier."
        elif "risk_model_versions" not in definition.unread and version is not None and version not in versions:
            yield "risk_overrides", line, f"the version {version} is not in risk_model_versions.csv."
        elif "risk_tiers" not in definition.unread and (version, row["difficulty_type"], tier) not in tiers:
            yield "risk_overrides", line, f"the tier {tier} does not exist for {version} {row['difficulty_type']}."


def _targets(definition: Definition) -> Iterator[Finding]:
    versions = {row["model_version"] for row in definition["risk_model_versions"]}
    for row in definition["risk_targets"]:
        line, version = row["_line"], row["model_version"]
        for name in ("model_version", "difficulty_type"):
            if row[name] is None:
                yield "risk_targets", line, f"{name} is empty: fill it in."
        if version is not None and version not in versions and "risk_model_versions" not in definition.unread:
            yield "risk_targets", line, f"the version {version} is not in risk_model_versions.csv."


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
        if is_scored_known and key not in scored:
            yield "risk_targets", row["_line"], f"{key[0]} does not score {key[1]}: the row changes nothing."
        for other in earlier[key]:
            if _share_an_age(row, other):
                yield (
                    "risk_targets",
                    row["_line"],
                    f"{key[0]} {key[1]}: the ages overlap those of line {other['_line']}: write them as one row.",
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
}
_ADDED_TABLES = {"risk_targets"}
"""Tables that are younger than the first approved version: without a row they are not in a hash."""


def version_hash(definition: Definition, version: str) -> str:
    """A hash over everything that makes the scores of a version, however its files are ordered or written.

    Labels and reasons are not in it; nor are items and bands that the version does not use.
    """
    own = {
        table: [row for row in definition[table] if row["model_version"] == version]
        for table in ("risk_coefficients", "risk_tiers", "risk_overrides", "risk_targets")
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
            yield (
                "risk_model_versions",
                row["_line"],
                f"{version} has changed since {row['approved_by']} approved it on {row['approved_on']}: "
                "put it back, and make the change a new version.",
            )


def raise_for(mistakes: list[Mistake]) -> None:
    """Raise KodomoError with all mistakes, if one of them is fatal."""
    if any(mistake.is_fatal for mistake in mistakes):
        lines = "\n".join(f"  {mistake}" for mistake in mistakes)
        raise KodomoError("The definition has mistakes:\n{lines}", lines=lines)

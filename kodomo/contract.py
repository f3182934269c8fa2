"""The delivery contract (納品仕様), read from ``models/sources/*.yml``: the only place where it is written down."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

from kodomo.errors import KodomoError
from kodomo.home import PROJECT
from kodomo.parameters import parameter
from kodomo.seeds import SEEDS, read_seed

SOURCES = PROJECT / "models" / "sources"

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_LETTER = re.compile(r"[\W_ー]+")
_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}
_WHITESPACE = re.compile(r"[\s\u200b\ufeff]+")


@dataclass(frozen=True)
class Column:
    """One column of an extract: its English name, its heading in the file, and what its values are."""

    name: str
    heading: str
    type: str
    code_list: str | None = None
    width: int | None = None
    required: bool = False
    """A row without a value in it is rejected."""
    optional: bool = False
    """A file without it is accepted."""
    sensitive: bool = False
    aliases: tuple[str, ...] = ()
    """Other spellings of the heading that mean this column in this extract only."""
    fallback: tuple[tuple[str, ...], ...] = ()
    """Columns whose value stands where this one is empty, the first that has one; of several together, their values
    with a space between them."""
    unit: str | None = None
    """What a number counts, as the seed units names it."""
    plausible: tuple[float, float] | None = None
    """The smallest and the greatest number that the column can hold."""
    ends: str | None = None
    """The date column of which a date is the end: an end before its beginning is none."""
    is_future: bool = False
    """Whether a date may lie ahead, and so be written in an era that has ended."""
    is_group: bool = False
    """Whether its values name groups of rows that come and go together, such as schools: their rows are counted."""
    is_external: bool = False
    """Whether an id is a holder's own number of a person, which other extracts may spell otherwise."""
    register: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)
    """The column's entry in the register of data items: the source's default with the column's own on top."""

    @property
    def is_end(self) -> bool:
        """Whether a date is read as an end or a day to come."""
        return self.ends is not None or self.is_future

    @property
    def keeps_text(self) -> bool:
        """Whether the text as delivered is kept beside the normalised one, for display."""
        return self.type in {"name", "kana", "text", "address"}


@dataclass(frozen=True)
class Origin:
    """Where the values of a column come from in a file: one heading, or several."""

    headings: tuple[str, ...]
    """As ``heading_key``."""
    takes: str = "join"
    """``join``: the values one after another, a part that repeats what stands before it once; ``first``: the first
    that is not empty; ``era``: an era, written before the date behind it where that has a year of an era alone."""
    separator: str = ""
    """What stands between joined values."""


@dataclass(frozen=True)
class Layout:
    """One way in which a source's files are written: heading → column, beside the contract that they all fulfil."""

    name: str
    title: str
    origins: dict[str, Origin]
    """By English name of the column."""
    required: frozenset[str]
    """Headings without which the file is refused."""
    not_used: frozenset[str] = frozenset()
    """Headings that belong to the layout and are not loaded."""
    values: dict[str, dict[str, str]] = field(default_factory=dict, hash=False)
    """By column: the value as this layout writes it (normalised) → as the contract does."""

    @cached_property
    def headings(self) -> frozenset[str]:
        """Every heading of the layout, loaded or not."""
        loaded = (heading for origin in self.origins.values() for heading in origin.headings)
        return frozenset(loaded) | self.not_used


@dataclass(frozen=True)
class RowState:
    """The columns of the contract that determine which row of a history is in force."""

    entity: tuple[str, ...]
    """What the rows of one history are about."""
    latest: str
    """Flag: the row in force."""
    order: tuple[str, ...]
    """Numbers that order the rows of one history."""
    deleted: str
    """Flag: the row counts as never written."""


CONTRACT_LAYOUT = "contract"
"""Name of the layout with the contract's own headings."""


@dataclass(frozen=True)
class Roster:
    """The people that a roster (a source with a row for every eligible person) lists."""

    label: str
    """What it is called where a child is missing from it."""
    age_from_months: int | None = None
    """Ages that belong on it, in completed months; None = open."""
    age_to_months: int | None = None
    ages_at: str | None = None
    """``school_year``: the ages are those on the first of April; None: those on the as-of date."""
    observations: tuple[str, ...] = ()
    """Observations that say that a child is on it; without one, all of the source."""
    lasts_months: int | None = None
    """For how long a row without an end covers the dates after it; None: for ever."""


@dataclass(frozen=True)
class Contract:
    """One extract: who delivers it, how, and its columns in the order of the file."""

    source_id: str
    title: str
    holder: str
    holder_ja: str
    """Name of the office: that of the department, where the contract names no other."""
    key: str
    delivery: str
    rhythm: str | None
    """How often the holder delivers, in Japanese; None for sources entered by hand."""
    late_after_days: int | None
    """Days after a delivery on which the next one is late."""
    coverage: str
    """``event``: no row is an answer too; ``roster``: only who is on it has an answer."""
    roster: Roster | None
    row_key: tuple[str, ...]
    columns: tuple[Column, ...]
    layouts: tuple[Layout, ...]
    """The ways in which files may be written; the first has the contract's own headings."""
    row_state: RowState | None
    """None: every row is in force."""
    fingerprint: str
    """Changes when the contract, an alias or a forbidden pattern does: what was refused under the old one is
    read again under the new one."""

    @property
    def label(self) -> str:
        """What the extract is called where people read it: its title without what is in brackets."""
        return self.title.split("（")[0]

    @cached_property
    def headings(self) -> frozenset[str]:
        """The headings of all its layouts, as ``heading_key``."""
        return frozenset().union(*(layout.headings for layout in self.layouts))

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Spellings of headings that this extract alone has → the contract's, both as ``heading_key``."""
        return {heading_key(alias): heading_key(column.heading) for column in self.columns for alias in column.aliases}

    def column(self, name: str) -> Column:
        """The column of that English name. Raises KeyError."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class HeadingRules:
    """Headings in other spellings, and headings that are never accepted."""

    aliases: dict[str, str]
    """Heading as delivered → heading of the contract, both as ``heading_key``."""
    forbidden: tuple[tuple[str, str], ...]
    """Patterns as ``forbidden_key``, each with its spelling in the seed."""

    def forbidden_in(self, text: str) -> str | None:
        """The first forbidden pattern that stands in a text, in whatever spelling; None if none does."""
        key = forbidden_key(text)
        return next((pattern for bare, pattern in self.forbidden if bare in key), None)


def heading_key(text: str) -> str:
    """A heading as it is compared: NFKC, without any spaces; half-width kana and 宛名№ become what they mean."""
    return _WHITESPACE.sub("", unicodedata.normalize("NFKC", text))


def forbidden_key(text: str) -> str:
    """A text as forbidden headings are looked for in it: only its letters and digits, whatever their width or case.

    Strokes go, ー too, and hiragana count as katakana: ﾏｲﾅﾝﾊﾞｰ, マイ・ナンバー and まいなんばー are one.
    """
    bare = _NO_LETTER.sub("", unicodedata.normalize("NFKC", text).casefold())
    return bare.translate(_KATAKANA)


@lru_cache
def load_heading_rules(seeds: Path = SEEDS) -> HeadingRules:
    """The seeds heading_aliases and forbidden_headings."""
    aliases = {
        heading_key(row["heading"]): heading_key(row["contract_heading"]) for row in read_seed("heading_aliases", seeds)
    }
    patterns = [row["pattern"] for row in read_seed("forbidden_headings", seeds)]
    forbidden = tuple((forbidden_key(pattern), pattern) for pattern in patterns)
    return HeadingRules(aliases=aliases, forbidden=forbidden)


@lru_cache
def load_trailer_words(seeds: Path = SEEDS) -> dict[str, list[str]]:
    """The seed trailer_words: kind (count, end, unit) → words."""
    words: dict[str, list[str]] = {}
    for row in read_seed("trailer_words", seeds):
        words.setdefault(row["kind"], []).append(unicodedata.normalize("NFKC", row["word"]))
    return words


@lru_cache
def load_code_lists(seeds: Path = SEEDS) -> dict[str, dict[str, str]]:
    """The seed code_lists: list → code → label."""
    lists: dict[str, dict[str, str]] = {}
    for row in read_seed("code_lists", seeds):
        lists.setdefault(row["code_list"], {})[row["code"]] = row["label_ja"]
    return lists


@lru_cache
def lists_with_none(seeds: Path = SEEDS) -> frozenset[str]:
    """The code lists that have a code for "none": a word for nothing is that code."""
    return frozenset(row["code_list"] for row in read_seed("code_lists", seeds) if row["is_none"] == "true")


def _column(entry: dict[str, Any], defaults: dict[str, Any]) -> Column:
    meta = entry["config"]["meta"]
    return Column(
        name=entry["name"],
        heading=meta["heading"],
        type=meta["type"],
        code_list=meta.get("code_list"),
        width=meta.get("width"),
        required=bool(meta.get("required", False)),
        optional=bool(meta.get("optional", False)),
        sensitive=bool(meta.get("sensitive", False)),
        aliases=tuple(meta.get("aliases") or ()),
        fallback=tuple((one,) if isinstance(one, str) else tuple(one) for one in meta.get("fallback") or ()),
        unit=meta.get("unit"),
        plausible=tuple(meta["plausible"]) if "plausible" in meta else None,
        ends=meta.get("ends"),
        is_future=bool(meta.get("future", False)),
        is_group=bool(meta.get("group", False)),
        is_external=bool(meta.get("external", False)),
        register={**defaults, **meta.get("register", {})},
    )


def _layouts(columns: tuple[Column, ...], entries: list[dict[str, Any]]) -> tuple[Layout, ...]:
    """The layout with the contract's own headings, and those of the contract's ``layouts``."""
    own = {column.name: Origin((heading_key(column.heading),)) for column in columns}
    optional = {column.name for column in columns if column.optional}
    layouts = [
        Layout(
            name=CONTRACT_LAYOUT,
            title="納品仕様",
            origins=own,
            required=frozenset(origin.headings[0] for name, origin in own.items() if name not in optional),
        )
    ]
    for entry in entries:
        mapped = {name: _origin(entry["columns"][name]) for name in entry["columns"]}
        if strange := mapped.keys() - own.keys():
            raise KeyError(f"layout {entry['name']}: no column {', '.join(sorted(strange))}")
        layouts.append(
            Layout(
                name=entry["name"],
                title=entry["title"],
                origins={**own, **mapped},
                required=frozenset(
                    heading
                    for name, origin in mapped.items()
                    if name not in optional and origin.takes != "first"
                    for heading in (origin.headings[1:] if origin.takes == "era" else origin.headings)
                ),
                not_used=frozenset(heading_key(heading) for heading in entry.get("not_used") or ()),
                values={
                    name: {str(delivered): str(meant) for delivered, meant in pairs.items()}
                    for name, pairs in (entry.get("values") or {}).items()
                },
            )
        )
    return tuple(layouts)


def _origin(entry: str | dict[str, Any]) -> Origin:
    if isinstance(entry, str):
        return Origin((heading_key(entry),))
    takes = next(takes for takes in ("join", "era", "first") if takes in entry)
    return Origin(tuple(heading_key(heading) for heading in entry[takes]), takes, entry.get("separator", ""))


def _row_state(entry: dict[str, Any] | None) -> RowState | None:
    if entry is None:
        return None
    return RowState(tuple(entry["entity"]), entry["latest"], tuple(entry["order"]), entry["deleted"])


def _coverage(meta: dict[str, Any], title: str) -> tuple[str, Roster | None]:
    """What no row of a source says. Raises KodomoError saying what to write."""
    coverage, roster = meta.get("coverage"), meta.get("roster") or {}
    if coverage not in {"event", "roster"}:
        raise KodomoError(
            "coverage is {coverage!r}: write event (no row is an answer too) or roster (who is missing has no answer).",
            coverage=coverage,
        )
    if coverage == "event":
        if roster:
            raise KodomoError("roster is for a source whose coverage is roster: take it out.")
        return coverage, None
    known = {"label_ja", "age_from_months", "age_to_months", "ages_at", "observations", "lasts_months"}
    if unknown := sorted(set(roster) - known):
        raise KodomoError(
            "roster has {names}: it takes {names_2}.", names=", ".join(unknown), names_2=", ".join(sorted(known))
        )
    if roster.get("ages_at") not in {None, "school_year"}:
        raise KodomoError(
            "roster: ages_at is {ages_at!r}: write school_year, or leave it out.", ages_at=roster["ages_at"]
        )
    for name in ("age_from_months", "age_to_months", "lasts_months"):
        if not isinstance(roster.get(name, 0), int):
            raise KodomoError("roster: {name} is {value!r}: write a number of months.", name=name, value=roster[name])
    return coverage, Roster(
        label=roster.get("label_ja") or title.split("（", maxsplit=1)[0],
        age_from_months=roster.get("age_from_months"),
        age_to_months=roster.get("age_to_months"),
        ages_at=roster.get("ages_at"),
        observations=tuple(roster.get("observations") or ()),
        lasts_months=roster.get("lasts_months"),
    )


@lru_cache
def load_contracts(folder: Path = SOURCES, seeds: Path = SEEDS) -> dict[str, Contract]:
    """The contracts of all sources by source id, in the order of their ids.

    Raises KodomoError, with the file's name, for a yml that is no contract.
    """
    rules_text = (seeds / "heading_aliases.csv").read_bytes() + (seeds / "forbidden_headings.csv").read_bytes()
    contracts: dict[str, Contract] = {}
    for path in sorted(folder.glob("*.yml")):
        raw = path.read_bytes()
        try:
            for source in yaml.load(raw, Loader=_Loader)["sources"]:
                if source["name"] != "raw":
                    continue
                for table in source["tables"]:
                    meta = table["config"]["meta"]
                    coverage, roster = _coverage(meta, table["description"])
                    columns = tuple(_column(c, meta.get("register", {})) for c in table["columns"])
                    contracts[table["name"]] = Contract(
                        source_id=table["name"],
                        title=table["description"],
                        holder=meta["holder"],
                        holder_ja=meta.get("holder_ja") or parameter("departments")[meta["holder"]],
                        key=meta["key"],
                        delivery=meta["delivery"],
                        rhythm=meta.get("rhythm"),
                        late_after_days=meta.get("late_after_days"),
                        coverage=coverage,
                        roster=roster,
                        row_key=tuple(meta.get("row_key") or ()),
                        columns=columns,
                        layouts=_layouts(columns, meta.get("layouts") or []),
                        row_state=_row_state(meta.get("row_state")),
                        fingerprint=hashlib.sha256(raw + rules_text).hexdigest()[:16],
                    )
        except KodomoError as error:
            raise KodomoError(
                "models/sources/{name} is not a delivery contract: {error}", name=path.name, error=error
            ) from error
        except (KeyError, TypeError, yaml.YAMLError) as error:
            raise KodomoError(
                "models/sources/{name} is not a delivery contract ({name_2}: {error}).",
                name=path.name,
                name_2=type(error).__name__,
                error=error,
            ) from error
    return contracts

"""The delivery contract (納品仕様), read from ``models/sources/*.yml``: the only place where it is written down."""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from kodomo.errors import KodomoError
from kodomo.home import PROJECT

SOURCES = PROJECT / "models" / "sources"
SEEDS = PROJECT / "seeds"

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
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
    register: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)
    """The column's entry in the register of data items: the source's default with the column's own on top."""

    @property
    def must_be_somebody(self) -> bool:
        """Whether it is a required number of a person or a household: zeros only stand for none."""
        return self.required and self.width is not None

    @property
    def keeps_text(self) -> bool:
        """Whether the text as delivered is kept beside the normalised one, for display."""
        return self.type in {"name", "kana", "text", "address"}


@dataclass(frozen=True)
class Contract:
    """One extract: who delivers it, how, and its columns in the order of the file."""

    source_id: str
    title: str
    holder: str
    holder_ja: str
    key: str
    delivery: str
    rhythm: str | None
    """How often the holder delivers, in Japanese; None for what people type."""
    late_after_days: int | None
    """Days after a delivery on which the next one is late."""
    row_key: tuple[str, ...]
    columns: tuple[Column, ...]
    fingerprint: str
    """Changes when the contract, an alias or a forbidden pattern does: what was refused under the old one is
    read again under the new one."""

    @property
    def label(self) -> str:
        """What the extract is called where people read it: its title without what is in brackets."""
        return self.title.split("（")[0]

    def column(self, name: str) -> Column:
        """The column of that English name. Raises KeyError."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class HeadingRules:
    """Headings in other spellings, and headings that are never accepted."""

    aliases: dict[str, str]
    """Heading as delivered → heading of the contract, both as ``heading_key``."""
    forbidden: tuple[str, ...]


def heading_key(text: str) -> str:
    """A heading as it is compared: NFKC, without any spaces; half-width kana and 宛名№ become what they mean."""
    return _WHITESPACE.sub("", unicodedata.normalize("NFKC", text))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@lru_cache
def load_heading_rules(seeds: Path = SEEDS) -> HeadingRules:
    """The seeds heading_aliases and forbidden_headings."""
    aliases = {
        heading_key(row["heading"]): heading_key(row["contract_heading"])
        for row in _rows(seeds / "heading_aliases.csv")
    }
    forbidden = tuple(heading_key(row["pattern"]) for row in _rows(seeds / "forbidden_headings.csv"))
    return HeadingRules(aliases=aliases, forbidden=forbidden)


@lru_cache
def load_trailer_words(seeds: Path = SEEDS) -> dict[str, list[str]]:
    """The seed trailer_words: kind (count, end, unit) → words."""
    words: dict[str, list[str]] = {}
    for row in _rows(seeds / "trailer_words.csv"):
        words.setdefault(row["kind"], []).append(unicodedata.normalize("NFKC", row["word"]))
    return words


@lru_cache
def load_code_lists(seeds: Path = SEEDS) -> dict[str, dict[str, str]]:
    """The seed code_lists: list → code → label."""
    lists: dict[str, dict[str, str]] = {}
    for row in _rows(seeds / "code_lists.csv"):
        lists.setdefault(row["code_list"], {})[row["code"]] = row["label_ja"]
    return lists


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
        register={**defaults, **meta.get("register", {})},
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
                    contracts[table["name"]] = Contract(
                        source_id=table["name"],
                        title=table["description"],
                        holder=meta["holder"],
                        holder_ja=meta["holder_ja"],
                        key=meta["key"],
                        delivery=meta["delivery"],
                        rhythm=meta.get("rhythm"),
                        late_after_days=meta.get("late_after_days"),
                        row_key=tuple(meta.get("row_key") or ()),
                        columns=tuple(_column(c, meta.get("register", {})) for c in table["columns"]),
                        fingerprint=hashlib.sha256(raw + rules_text).hexdigest()[:16],
                    )
        except (KeyError, TypeError, yaml.YAMLError) as error:
            raise KodomoError(
                f"models/sources/{path.name} is not a delivery contract ({type(error).__name__}: {error})."
            ) from error
    return contracts

"""The rows of a definition as texts, under the keys that name them: laid over one another, read and written."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kodomo import clock
from kodomo.csv_files import read_csv
from kodomo.errors import UsageError
from kodomo.files import atomic_path
from kodomo.home import Home
from kodomo.scoring.definition import KEYS, RULES, TABLES, Definition, Mistake, add_rows, check, file_of
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.scoring.versions import keep
from kodomo.seeds import column_types

OF_A_VERSION = ("risk_coefficients", "risk_tiers", "risk_overrides", "risk_targets", *RULES)
"""Tables whose rows belong to one version of the model; rules without a version belong to all that have none."""
ROW_KEYS = {**KEYS, "risk_targets": ("model_version", "difficulty_type", "age_from_months", "age_to_months")}
"""The columns that name a row. A range of ages has no other name than its ends."""

Texts = Mapping[str, str]
"""Column → text, as a file of the definition has it; an empty text is absent."""


@dataclass(frozen=True, order=True)
class Place:
    """A row of a definition: its table, and the texts of its key columns."""

    table: str
    key: tuple[str, ...]

    @classmethod
    def of(cls, table: str, texts: Texts) -> Place:
        """Where a row stands."""
        return cls(table, tuple(texts.get(name, "") for name in ROW_KEYS[table]))

    @property
    def text(self) -> str:
        """The key as it is kept."""
        return json.dumps(self.key, ensure_ascii=False)


Changes = Mapping[Place, Texts | None]
"""Rows to write; None takes a row out."""


@dataclass(frozen=True)
class PlacedMistake:
    """A mistake of a draft, at its row and column; ``column`` is empty where it is the row as a whole."""

    place: Place
    column: str
    mistake: Mistake

    @property
    def kind(self) -> tuple[Any, ...]:
        """What makes two mistakes the same one, before and after an edit."""
        return (self.place, self.column, self.mistake.template, str(self.mistake.words("en")))


def laid_over(base: Mapping[Place, Texts], rows: Changes) -> dict[Place, Texts]:
    """The rows of a definition after changes; a new row stands at the end."""
    texts: dict[Place, Texts] = dict(base)
    for place, changed in rows.items():
        if changed is None:
            texts.pop(place, None)
        else:
            texts[place] = changed
    return texts


def by_table(texts: Mapping[Place, Texts]) -> dict[str, list[tuple[Place, Texts]]]:
    """The rows of each table, in their order; a table without rows is there too."""
    tables: dict[str, list[tuple[Place, Texts]]] = {table: [] for table in TABLES}
    for place, row in texts.items():
        tables[place.table].append((place, row))
    return tables


def rules_of(texts: Mapping[Place, Texts], table: str, version: str) -> list[Texts]:
    """The rules of support that hold for a version, by their number: its own, or those without a version."""
    rows = [row for place, row in texts.items() if place.table == table]
    own = [row for row in rows if row.get("model_version") == version]
    return sorted(
        own or [row for row in rows if not row.get("model_version")], key=lambda row: int(row.get("rule_no", "0"))
    )


def definition_of(texts: Mapping[Place, Texts]) -> Definition:
    """A definition from the texts of its rows; lines are counted as in its files, the heading being the first."""
    definition = Definition({table: [] for table in TABLES})
    for table, rows in by_table(texts).items():
        add_rows(definition, table, ((line, row) for line, (_, row) in enumerate(rows, start=2)))
    return definition


def mistakes_of(texts: Mapping[Place, Texts]) -> list[PlacedMistake]:
    """The mistakes of a definition, in the order of its tables and rows."""
    tables = by_table(texts)
    placed = []
    for mistake in check(definition_of(texts), observation_obstacles(clock.today())):
        table = mistake.file.removesuffix(".csv")
        rows = tables[table]
        place = rows[mistake.line - 2][0] if 0 <= mistake.line - 2 < len(rows) else Place(table, ())
        placed.append(PlacedMistake(place, mistake.column, mistake))
    return placed


def read_texts(folder: Path) -> dict[Place, Texts]:
    """The rows of the files of a definition as texts. A definition that has been kept has no row twice."""
    texts: dict[Place, Texts] = {}
    for table in TABLES:
        path = file_of(folder, table)
        if not path.exists():
            continue
        file = read_csv(path)
        known = column_types()[table]
        for _, values in file.records:
            row = {
                name: value for name, value in zip(file.header, values, strict=True) if value != "" and name in known
            }
            texts[Place.of(table, row)] = row
    return texts


def write_texts(texts: Mapping[Place, Texts], folder: Path) -> None:
    """Write a definition as the files that ``kodomo score`` and ``kodomo model`` read.

    Raises UsageError where the folder holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError("{out} is not empty: name a new folder, so that nothing is mixed or lost.", out=folder)
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in by_table(texts).items():
        columns = list(column_types()[table])
        with atomic_path(folder / f"{table}.csv") as path, path.open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, fieldnames=columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(row for _, row in rows)


def keep_texts(home: Home, texts: Mapping[Place, Texts]) -> str:
    """Keep a definition in the home, once; its hash."""
    with tempfile.TemporaryDirectory() as folder:
        write_texts(texts, Path(folder))
        return keep(home, Path(folder))

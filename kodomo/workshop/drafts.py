"""Drafts of the risk definition: a new version of the model as rows with versions, of which each is valid.

A draft is a kept definition (``home.definitions``) with rows laid over it. Its first version copies the rows of the
base version under the draft's name; each later version writes the rows that an edit changes. Nothing is overwritten.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kodomo import clock
from kodomo.csv_files import read_csv
from kodomo.entries.store import ConflictError, EntryStore, UnknownRecordError, draft_rows, draft_versions, now
from kodomo.errors import UsageError
from kodomo.files import atomic_path
from kodomo.scoring.definition import KEYS, TABLES, Definition, Lines, Mistake, add_rows, check
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.scoring.versions import keep, kept_definition
from kodomo.seeds import SEEDS, column_types

CREATED, EDITED, COMMENTED = "created", "edited", "commented"
OF_A_VERSION = ("risk_coefficients", "risk_tiers", "risk_overrides", "risk_targets")
"""Tables whose rows belong to one version of the model."""
ROW_KEYS = {**KEYS, "risk_targets": ("model_version", "difficulty_type", "age_from_months", "age_to_months")}
"""The columns that name a row. A range of ages has no other name than its ends."""
LONGEST_COMMENT = 2000
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
_LONGEST_KEY = 512

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


class DraftMistakesError(UsageError):
    """An edit that would make the draft invalid: nothing was written."""

    def __init__(self, mistakes: Iterable[PlacedMistake]) -> None:
        self.mistakes = tuple(mistakes)
        lines = Lines(placed.mistake for placed in self.mistakes)
        super().__init__("The draft would have mistakes:\n{lines}", lines=lines)


@dataclass(frozen=True)
class Step:
    """One version of a draft: what was done by whom and when (UTC), with the comment."""

    version: int
    action: str
    comment: str | None
    entered_by: str
    entered_at: dt.datetime


@dataclass(frozen=True)
class Draft:
    """A draft as one of its versions has it. ``rows``: every row that it lays over the definition of its base."""

    draft_id: str
    model_version: str
    base_version: str
    definition_hash: str
    steps: tuple[Step, ...]
    rows: Changes
    base: Mapping[Place, Texts]

    @property
    def version(self) -> int:
        """The number of the version at hand."""
        return self.steps[-1].version

    @cached_property
    def texts(self) -> dict[Place, Texts]:
        """Every row of the whole definition, the base's first, in the order of their files."""
        return laid_over(self.base, self.rows)

    @cached_property
    def definition(self) -> Definition:
        """The definition with typed values; ``_line`` of a row is its place in the order of ``texts``."""
        return definition_of(self.texts)

    def own(self, table: str) -> list[Texts]:
        """The rows of a table that belong to the draft's version."""
        return [
            texts
            for place, texts in self.texts.items()
            if place.table == table and texts.get("model_version") == self.model_version
        ]

    def check(self) -> list[PlacedMistake]:
        """Every mistake of ``kodomo model check``, at its row and column."""
        return mistakes_of(self.texts)


def laid_over(base: Mapping[Place, Texts], rows: Changes) -> dict[Place, Texts]:
    """The rows of a definition after changes; a new row stands at the end."""
    texts: dict[Place, Texts] = dict(base)
    for place, changed in rows.items():
        if changed is None:
            texts.pop(place, None)
        else:
            texts[place] = changed
    return texts


def _by_table(texts: Mapping[Place, Texts]) -> dict[str, list[tuple[Place, Texts]]]:
    tables: dict[str, list[tuple[Place, Texts]]] = {table: [] for table in TABLES}
    for place, row in texts.items():
        tables[place.table].append((place, row))
    return tables


def definition_of(texts: Mapping[Place, Texts]) -> Definition:
    """A definition from the texts of its rows; lines are counted as in its files, the heading being the first."""
    definition = Definition({table: [] for table in TABLES})
    for table, rows in _by_table(texts).items():
        add_rows(definition, table, ((line, row) for line, (_, row) in enumerate(rows, start=2)))
    return definition


def mistakes_of(texts: Mapping[Place, Texts]) -> list[PlacedMistake]:
    """The mistakes of a definition, in the order of its tables and rows."""
    tables = _by_table(texts)
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
        path = folder / f"{table}.csv"
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


def copied(base: Mapping[Place, Texts], base_version: str, name: str) -> dict[Place, Texts]:
    """The rows of a version of the model under another name, as a draft of it."""
    rows = {
        Place.of(place.table, row): row
        for place, texts in base.items()
        if place.table in OF_A_VERSION and texts.get("model_version") == base_version
        for row in [{**texts, "model_version": name}]
    }
    version = {"model_version": name, "status": "draft"}
    return {Place.of("risk_model_versions", version): version, **rows}


@dataclass(frozen=True)
class Difference:
    """A row that two drafts have differently; None where one does not have it."""

    table: str
    key: tuple[str, ...]
    before: Texts | None
    after: Texts | None


def compare(before: Draft, after: Draft) -> list[Difference]:
    """What differs between two drafts, or two versions of one, whatever the names of their versions of the model."""

    def nameless(draft: Draft) -> dict[tuple[str, tuple[str, ...]], Texts]:
        rows = {}
        for place, texts in draft.texts.items():
            version = texts.get("model_version")
            if place.table == "risk_model_versions" or version not in (None, draft.model_version):
                continue
            row = {name: value for name, value in texts.items() if name != "model_version"}
            key = tuple(texts.get(name, "") for name in ROW_KEYS[place.table] if name != "model_version")
            rows[place.table, key] = row
        return rows

    one, other = nameless(before), nameless(after)
    return [
        Difference(*key, one.get(key), other.get(key))
        for key in sorted({**one, **other})
        if one.get(key) != other.get(key)
    ]


class DraftStore:
    """Reads and writes drafts in the entries database. A change is one transaction; the key is the lock."""

    def __init__(self, store: EntryStore, definition: Path = SEEDS) -> None:
        self.store, self.home, self.leading = store, store.home, definition

    def bases(self) -> list[dict[str, Any]]:
        """The versions of the definition that leads, which a draft may begin with: their rows, newest first."""
        definition = definition_of(read_texts(self.leading))
        return list(reversed(definition["risk_model_versions"]))

    def create(self, name: str, base_version: str, *, by: str, comment: str = "", draft_id: str | None = None) -> Draft:
        """A new draft that scores like the base version.

        ``draft_id``: an id that came with the empty form, so that a form sent twice is one draft: the second time
        raises ConflictError. Raises UsageError for a name that cannot be one, or is taken.
        """
        draft_id = draft_id or str(uuid.uuid4())
        if self.steps(draft_id):
            raise ConflictError("Another user has changed this record meanwhile: read it again, then change it.")
        if not _NAME.fullmatch(name):
            raise UsageError("A version's name is 2 to 40 of a-z, 0-9 and '-', beginning with a letter or a figure.")
        base = read_texts(self.leading)
        versions = {place.key[0] for place in base if place.table == "risk_model_versions"}
        if base_version not in versions:
            names = ", ".join(sorted(versions))
            raise UsageError(
                "There is no version {version}: it must be one of {names}.", version=base_version, names=names
            )
        if name in versions | {draft.model_version for draft in self.current()}:
            raise UsageError("There is a version {name} already: choose another name.", name=name)
        digest = keep(self.home, self.leading)
        rows = copied(base, base_version, name)
        self._write(draft_id, 1, CREATED, (name, base_version, digest), rows, comment, by)
        return self.draft(draft_id)

    def edit(self, draft_id: str, seen: int, changes: Changes, *, by: str, comment: str = "") -> list[PlacedMistake]:
        """Write a version with changed rows; what is odd about the draft afterwards.

        ``seen``: the version that the user had before them. Raises ConflictError where it is no longer the newest,
        DraftMistakesError where the edit makes a mistake that the version before did not have.
        """
        draft = self.draft(draft_id)
        if draft.version != seen:
            raise ConflictError("Another user has changed this record meanwhile: read it again, then change it.")
        written = {place: row and {name: text for name, text in row.items() if text} for place, row in changes.items()}
        if any(row is not None and Place.of(place.table, row) != place for place, row in written.items()):
            raise ValueError("a row is written under the key of another one")
        changed = {place: row for place, row in written.items() if draft.texts.get(place) != row}
        if any(len(place.text) > _LONGEST_KEY for place in changed):
            raise UsageError("A code is too long: keep it under 64 characters.")
        after = laid_over(draft.texts, changed)
        earlier = {placed.kind for placed in draft.check()}
        mistakes = mistakes_of(after)
        if new := [placed for placed in mistakes if placed.mistake.is_fatal and placed.kind not in earlier]:
            raise DraftMistakesError(new)
        names = (draft.model_version, draft.base_version, draft.definition_hash)
        self._write(draft_id, seen + 1, EDITED if changed else COMMENTED, names, changed, comment, by)
        return [placed for placed in mistakes if placed.place in draft.rows or placed.place in changed]

    def steps(self, draft_id: str) -> list[Step]:
        """Every version of a draft, oldest first; none where there is no such draft."""
        query = draft_versions.select().where(draft_versions.c.draft_id == draft_id).order_by(draft_versions.c.version)
        with self.store.engine.connect() as connection:
            return [
                Step(row["version"], row["action"], row["comment"], row["entered_by"], row["entered_at"])
                for row in connection.execute(query).mappings()
            ]

    def draft(self, draft_id: str, version: int | None = None) -> Draft:
        """A draft as a version of it, the newest by default. Raises UnknownRecordError."""
        steps = [step for step in self.steps(draft_id) if version is None or step.version <= version]
        if not steps or (version is not None and steps[-1].version != version):
            raise UnknownRecordError("There is no such record.")
        mine = draft_versions.c.draft_id == draft_id
        query = (
            draft_rows.select()
            .where(draft_rows.c.draft_id == draft_id, draft_rows.c.version <= steps[-1].version)
            .order_by(draft_rows.c.version, draft_rows.c.table_name, draft_rows.c.row_key)
        )
        rows: dict[Place, Texts | None] = {}
        with self.store.engine.connect() as connection:
            first = connection.execute(draft_versions.select().where(mine)).mappings().first()
            for row in connection.execute(query).mappings():
                place = Place(row["table_name"], tuple(json.loads(row["row_key"])))
                rows[place] = None if row["content"] is None else json.loads(row["content"])
        digest = first["definition_hash"]
        base = read_texts(kept_definition(self.home, digest))
        return Draft(draft_id, first["model_version"], first["base_version"], digest, tuple(steps), rows, base)

    def current(self) -> list[Draft]:
        """Every draft as its newest version, the one changed last first."""
        query = sa.select(draft_versions.c.draft_id, sa.func.max(draft_versions.c.entered_at).label("changed_at"))
        query = query.group_by(draft_versions.c.draft_id).order_by(sa.desc("changed_at"), draft_versions.c.draft_id)
        with self.store.engine.connect() as connection:
            ids = [row[0] for row in connection.execute(query)]
        return [self.draft(draft_id) for draft_id in ids]

    def named(self, name: str) -> Draft:
        """The draft of a version of the model, by its name. Raises UsageError naming the drafts that there are."""
        drafts = self.current()
        for draft in drafts:
            if draft.model_version == name:
                return draft
        names = ", ".join(sorted(draft.model_version for draft in drafts)) or "none"
        raise UsageError("There is no draft {name}; the drafts are: {names}.", name=name, names=names)

    def _write(
        self,
        draft_id: str,
        version: int,
        action: str,
        names: tuple[str, str, str],
        rows: Changes,
        comment: str,
        by: str,
    ) -> None:
        try:
            with self.store.writing() as connection:
                connection.execute(
                    draft_versions.insert().values(
                        draft_id=draft_id,
                        version=version,
                        action=action,
                        model_version=names[0],
                        base_version=names[1],
                        definition_hash=names[2],
                        comment=comment.strip()[:LONGEST_COMMENT] or None,
                        entered_by=by,
                        entered_at=now(),
                    )
                )
                values = [
                    {
                        "draft_id": draft_id,
                        "version": version,
                        "table_name": place.table,
                        "row_key": place.text,
                        "content": None if row is None else json.dumps(dict(row), ensure_ascii=False, sort_keys=True),
                    }
                    for place, row in rows.items()
                ]
                if values:
                    connection.execute(draft_rows.insert(), values)
        except IntegrityError as error:
            raise ConflictError(
                "Another user has changed this record meanwhile: read it again, then change it."
            ) from error


def write_definition(draft: Draft, folder: Path) -> None:
    """Write the whole definition of a draft as the files that ``kodomo score`` and ``kodomo model`` read.

    Raises UsageError where the folder holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError("{out} is not empty: name a new folder, so that nothing is mixed or lost.", out=folder)
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in _by_table(draft.texts).items():
        columns = list(column_types()[table])
        with atomic_path(folder / f"{table}.csv") as path, path.open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, fieldnames=columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(row for _, row in rows)

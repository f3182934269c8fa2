"""Drafts of the risk definition: a new version of the model as rows with versions, of which each is valid.

A draft is a kept definition (``home.definitions``) with rows laid over it. Its first version copies the rows of the
base version under the draft's name; each later version writes the rows that an edit changes. Nothing is overwritten.

A draft is open until one of its authors submits it. A second person sends it back, and it is open again, or approves
it: from then on it does not change.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kodomo.entries.store import ConflictError, EntryStore, UnknownRecordError, draft_rows, draft_versions, now
from kodomo.errors import KodomoError, UsageError
from kodomo.scoring.definition import RULES, Definition, Lines, version_hash
from kodomo.scoring.versions import keep, kept_definition, version_row
from kodomo.workshop.in_force import Approval, DefinitionStore, approved_texts, place_of, rivals_of
from kodomo.workshop.proposals import KeptProposal, proposed_rows
from kodomo.workshop.rows import (
    OF_A_VERSION,
    ROW_KEYS,
    Changes,
    Place,
    PlacedMistake,
    Texts,
    definition_of,
    keep_texts,
    laid_over,
    mistakes_of,
    read_texts,
    rules_of,
    write_texts,
)

CREATED, PROPOSED, EDITED, COMMENTED = "created", "proposed", "edited", "commented"
SUBMITTED, WITHDRAWN, RETURNED, APPROVED = "submitted", "withdrawn", "returned", "approved"
OPEN = "open"
_STATES = {SUBMITTED: SUBMITTED, APPROVED: APPROVED}
"""The state of a draft after an action that is no comment; after the others it is open."""
LONGEST_COMMENT = 2000
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
_LONGEST_KEY = 512


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

    @property
    def state(self) -> str:
        """``open``, ``submitted`` or ``approved``."""
        last = next(step.action for step in reversed(self.steps) if step.action != COMMENTED)
        return _STATES.get(last, OPEN)

    @property
    def writers(self) -> set[str]:
        """The accounts that wrote a row of it."""
        return {step.entered_by for step in self.steps if step.action in (CREATED, PROPOSED, EDITED)}

    @property
    def authors(self) -> set[str]:
        """The accounts that wrote or submitted it: none of them decides about it."""
        return self.writers | {step.entered_by for step in self.steps if step.action == SUBMITTED}

    @property
    def aim(self) -> str:
        """What the draft is for, as it was last submitted."""
        submitted = [step.comment for step in self.steps if step.action == SUBMITTED]
        return (submitted[-1] if submitted else None) or ""

    @property
    def content_hash(self) -> str:
        """The hash that the version would be held fast by."""
        return version_hash(self.definition, self.model_version)

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
class KeptVersion:
    """A version of the definition in force, with every row of that definition."""

    model_version: str
    texts: Mapping[Place, Texts]


@dataclass(frozen=True)
class Difference:
    """A row that two drafts have differently; None where one does not have it."""

    table: str
    key: tuple[str, ...]
    before: Texts | None
    after: Texts | None


def compare(before: Draft | KeptVersion, after: Draft | KeptVersion) -> list[Difference]:
    """What differs between two drafts or versions, whatever the names of their versions of the model.

    Of the rows that versions share, those count that one of the two scores by, or that a draft has changed; of the
    rules of support, those that hold for it.
    """
    shared = _used(before) | _used(after)

    def nameless(draft: Draft | KeptVersion) -> dict[tuple[str, tuple[str, ...]], Texts]:
        rows = {}
        for place, texts in draft.texts.items():
            version = texts.get("model_version")
            if place.table == "risk_model_versions" or version not in (None, draft.model_version):
                continue
            if place.table in RULES or (version is None and place not in shared):
                continue
            row = {name: value for name, value in texts.items() if name != "model_version"}
            key = tuple(texts.get(name, "") for name in ROW_KEYS[place.table] if name != "model_version")
            rows[place.table, key] = row
        for table in RULES:
            for texts in rules_of(draft.texts, table, draft.model_version):
                rows[table, (texts.get("rule_no", ""),)] = {
                    name: value for name, value in texts.items() if name != "model_version"
                }
        return rows

    one, other = nameless(before), nameless(after)
    return [
        Difference(*key, one.get(key), other.get(key))
        for key in sorted({**one, **other})
        if one.get(key) != other.get(key)
    ]


def _used(draft: Draft | KeptVersion) -> set[Place]:
    """The shared rows that a draft or version scores by, and those that a draft has changed."""
    items = {
        row["item_code"]
        for place, row in draft.texts.items()
        if place.table in ("risk_coefficients", "risk_overrides") and row["model_version"] == draft.model_version
    }
    places = [Place("risk_items", (item,)) for item in items]
    groups = {draft.texts[place].get("group_code") for place in places if place in draft.texts}
    used = {
        place
        for place in draft.texts
        if (place.table in ("risk_items", "risk_item_members", "risk_bands") and place.key[0] in items)
        or (place.table == "risk_groups" and place.key[0] in groups)
    }
    changed = draft.rows if isinstance(draft, Draft) else {}
    return used | {place for place in changed if place.table not in (*OF_A_VERSION, "risk_model_versions")}


class DraftStore:
    """Reads and writes drafts in the entries database. A change is one transaction; the key is the lock."""

    def __init__(self, store: EntryStore, definition: Path | None = None) -> None:
        self.store, self.home, self._definition = store, store.home, definition
        self.in_force = DefinitionStore(store)

    @property
    def leading(self) -> Path:
        """The folder of the definition that a new draft begins with: that in force, unless another one was given."""
        return self._definition or self.in_force.folder()

    def create(
        self, name: str, base_version: str, *, by: str, comment: str = "", draft_id: str | None = None,
        proposals: Sequence[KeptProposal] = (),
    ) -> Draft:  # fmt: skip
        """A new draft that scores like the base version, or in the types of ``proposals`` as was proposed.

        ``draft_id``: an id that came with the empty form, so that a form sent twice is one draft: the second time
        raises ConflictError. Raises UsageError for a name that cannot be one, or is taken, and what ``proposed_rows``
        raises.
        """
        draft_id = draft_id or str(uuid.uuid4())
        if self.steps(draft_id):
            raise _conflict()
        if not _NAME.fullmatch(name):
            raise UsageError("A version's name is 2 to 40 of a-z, 0-9 and '-', beginning with a letter or a figure.")
        leading = self.leading
        base = read_texts(leading)
        version_row(definition_of(base), base_version)
        versions = {place.key[0] for place in base if place.table == "risk_model_versions"}
        if name in versions | {draft.model_version for draft in self.current()}:
            raise UsageError("There is a version {name} already: choose another name.", name=name)
        digest = keep(self.home, leading)
        rows = proposed_rows(base, copied(base, base_version, name), proposals, name)
        action = PROPOSED if proposals else CREATED
        with self.store.writing() as connection:
            _insert(connection, draft_id, 1, action, (name, base_version, digest), rows, comment, by)
        return self.draft(draft_id)

    def edit(self, draft_id: str, seen: int, changes: Changes, *, by: str, comment: str = "") -> list[PlacedMistake]:
        """Write a version with changed rows; what is odd about the draft afterwards.

        ``seen``: the version that the user had before them. Raises ConflictError where it is no longer the newest,
        DraftMistakesError where the edit makes a mistake that the version before did not have.
        """
        draft = self._seen(draft_id, seen)
        written = {place: row and {name: text for name, text in row.items() if text} for place, row in changes.items()}
        if any(row is not None and Place.of(place.table, row) != place for place, row in written.items()):
            raise ValueError("a row is written under the key of another one")
        changed = {place: row for place, row in written.items() if draft.texts.get(place) != row}
        if any(len(place.text) > _LONGEST_KEY for place in changed):
            raise UsageError("A code is too long: keep it under 64 characters.")
        if draft.state == APPROVED or (changed and draft.state != OPEN):
            raise _not_open(draft)
        after = laid_over(draft.texts, changed)
        earlier = {placed.kind for placed in draft.check()}
        mistakes = mistakes_of(after)
        if new := [placed for placed in mistakes if placed.mistake.is_fatal and placed.kind not in earlier]:
            raise DraftMistakesError(new)
        self._write_step(draft, EDITED if changed else COMMENTED, comment, by, changed)
        return [placed for placed in mistakes if placed.place in draft.rows or placed.place in changed]

    def submit(self, draft_id: str, seen: int, *, by: str, comment: str) -> None:
        """Submit a draft for approval. ``comment``: what it is for.

        Raises UsageError for one who has not written it, without a comment, or where it is not open;
        DraftMistakesError where anything of it is wrong or odd; ConflictError as ``edit`` does.
        """
        draft = self._seen(draft_id, seen)
        if draft.state != OPEN:
            raise _not_open(draft)
        if by not in draft.writers:
            raise UsageError("A draft is submitted by those who wrote it.")
        if not comment.strip():
            raise UsageError("Say what the draft is for and why.")
        own = [placed for placed in draft.check() if placed.mistake.is_fatal or placed.place in draft.rows]
        if own:
            raise DraftMistakesError(own)
        self._write_step(draft, SUBMITTED, comment, by)

    def withdraw(self, draft_id: str, seen: int, *, by: str, comment: str = "") -> None:
        """Take back a submitted draft, to change it. Raises as ``submit`` does."""
        draft = self._submitted(draft_id, seen)
        if by not in draft.authors:
            raise UsageError("A draft is withdrawn by those who wrote it.")
        self._write_step(draft, WITHDRAWN, comment, by)

    def send_back(self, draft_id: str, seen: int, *, by: str, reason: str) -> None:
        """Send a submitted draft back to its authors. Raises as ``approve`` does."""
        draft = self._decided_by_another(draft_id, seen, by)
        if not reason.strip():
            raise UsageError("Say why the draft is sent back.")
        self._write_step(draft, RETURNED, reason, by)

    def approve(self, draft_id: str, seen: int, approval: Approval) -> str:
        """Approve a submitted draft: its version is in force from a date on and does not change; its hash.

        Draft and definition in force change in one transaction. Raises UsageError where an author decides, or where
        the version would not score as the draft does because the definition in force has changed since; ConflictError
        where another change came first; and what ``approved_texts`` raises.
        """
        draft = self._decided_by_another(draft_id, seen, approval.entered_by)
        before = self.in_force.changes()
        place = place_of(draft.model_version)
        texts = laid_over(self.in_force.texts(), draft.rows)
        texts = laid_over(texts, {place: {**texts[place], "note_ja": draft.aim}})
        if version_hash(definition_of(texts), draft.model_version) != draft.content_hash:
            raise KodomoError(
                "What {name} is made of has changed in the definition in force: make the draft anew.",
                name=draft.model_version,
            )
        after, changes = approved_texts(texts, draft.model_version, approval, draft_id)
        with self.store.writing() as connection:
            _insert_step(connection, draft, APPROVED, approval.reason, approval.entered_by)
            self.in_force.write(connection, after, changes, before)
        return draft.content_hash

    def _seen(self, draft_id: str, seen: int) -> Draft:
        draft = self.draft(draft_id)
        if draft.version != seen:
            raise _conflict()
        return draft

    def _submitted(self, draft_id: str, seen: int) -> Draft:
        draft = self._seen(draft_id, seen)
        if draft.state != SUBMITTED:
            raise UsageError("{name} is not submitted.", name=draft.model_version)
        return draft

    def _decided_by_another(self, draft_id: str, seen: int, by: str) -> Draft:
        draft = self._submitted(draft_id, seen)
        if by in draft.authors:
            raise UsageError("A second person decides: you have written or submitted this draft.")
        return draft

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

    def proposed(self, draft: Draft) -> Draft | None:
        """The first version of a draft that was made from proposals; None for any other draft."""
        return self.draft(draft.draft_id, 1) if draft.steps[0].action == PROPOSED else None

    def current(self) -> list[Draft]:
        """Every draft as its newest version, the one changed last first."""
        query = sa.select(draft_versions.c.draft_id, sa.func.max(draft_versions.c.entered_at).label("changed_at"))
        query = query.group_by(draft_versions.c.draft_id).order_by(sa.desc("changed_at"), draft_versions.c.draft_id)
        with self.store.engine.connect() as connection:
            ids = [row[0] for row in connection.execute(query)]
        return [self.draft(draft_id) for draft_id in ids]

    def side(self, name: str) -> Draft | KeptVersion:
        """What a comparison names: a draft by its id, or a version in force, pending or past by its name.

        Raises UnknownRecordError.
        """
        try:
            return self.kept(name)
        except UnknownRecordError:
            return self.draft(name)

    def kept(self, name: str) -> KeptVersion:
        """A version in force, pending or past, by its name. Raises UnknownRecordError."""
        texts = self.in_force.texts()
        if place_of(name) not in texts:
            raise UnknownRecordError("There is no such record.")
        return KeptVersion(name, texts)

    def rivals(self, draft: Draft, from_on: dt.date) -> list[str]:
        """The active versions that score a type of a draft on a date or later: what it would replace."""
        return rivals_of(definition_of(laid_over(self.in_force.texts(), draft.rows)), draft.model_version, from_on)

    def folder_with(self, names: Iterable[str]) -> Path:
        """The folder of the definition in force, with the drafts of these names laid over it; other names are passed
        over. Raises KodomoError where a draft would not score in it as it does by itself."""
        texts = self.in_force.texts()
        chosen = [draft for draft in self.current() if draft.model_version in names and draft.state != APPROVED]
        for draft in chosen:
            texts = laid_over(texts, draft.rows)
        definition = definition_of(texts)
        for draft in chosen:
            if version_hash(definition, draft.model_version) != draft.content_hash:
                raise KodomoError(
                    "What {name} is made of has changed in the definition in force: make the draft anew.",
                    name=draft.model_version,
                )
        return kept_definition(self.home, keep_texts(self.home, texts)) if chosen else self.in_force.folder()

    def named(self, name: str) -> Draft:
        """The draft of a version of the model, by its name. Raises UsageError naming the drafts that there are."""
        drafts = self.current()
        for draft in drafts:
            if draft.model_version == name:
                return draft
        names = ", ".join(sorted(draft.model_version for draft in drafts)) or "none"
        raise UsageError("There is no draft {name}; the drafts are: {names}.", name=name, names=names)

    def _write_step(self, draft: Draft, action: str, comment: str, by: str, rows: Changes | None = None) -> None:
        with self.store.writing() as connection:
            _insert_step(connection, draft, action, comment, by, rows)


def _conflict() -> ConflictError:
    return ConflictError("Another user has changed this record meanwhile: read it again, then change it.")


def _not_open(draft: Draft) -> UsageError:
    if draft.state == APPROVED:
        return UsageError("{name} is approved and stays as it is: make a new draft of it.", name=draft.model_version)
    return UsageError("{name} is submitted: withdraw it first, then change it.", name=draft.model_version)


def _insert_step(
    connection: sa.engine.Connection, draft: Draft, action: str, comment: str, by: str, rows: Changes | None = None
) -> None:
    names = (draft.model_version, draft.base_version, draft.definition_hash)
    _insert(connection, draft.draft_id, draft.version + 1, action, names, rows or {}, comment, by)


def _insert(
    connection: sa.engine.Connection,
    draft_id: str,
    version: int,
    action: str,
    names: tuple[str, str, str],
    rows: Changes,
    comment: str,
    by: str,
) -> None:
    """Write a version of a draft; its key is the lock."""
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
    try:
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
    except IntegrityError as error:
        raise _conflict() from error
    if values:
        connection.execute(draft_rows.insert(), values)


def write_definition(draft: Draft, folder: Path) -> None:
    """Write the whole definition of a draft as files. Raises UsageError where the folder holds something."""
    write_texts(draft.texts, folder)

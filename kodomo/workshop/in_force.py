"""The definition in force: the seeds until a first change is made in the home, from then on what the home keeps.

Each change (an approval, a retirement, an import) is a row of the entries database that names the whole definition
after it by its hash (``home.definitions``). Nothing is overwritten, and the number of the row is the lock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kodomo import clock
from kodomo.entries.store import ConflictError, EntryStore, definition_changes, now
from kodomo.errors import UsageError
from kodomo.scoring.definition import RULES, Definition, check, raise_for, read_definition, version_hash
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.scoring.versions import (
    active_rivals,
    difficulties_of,
    kept_definition,
    require_unapproved,
    version_row,
)
from kodomo.seeds import SEEDS
from kodomo.workshop.proposals import is_proposal, version_of_proposal
from kodomo.workshop.rows import Place, Texts, definition_of, keep_texts, laid_over, mistakes_of, read_texts

APPROVED, RETIRED, IMPORTED = "approved", "retired", "imported"
CANCELLED, RESUMED = "cancelled", "resumed"
"""Of an approval that has not begun, and of the versions that it would have replaced."""
ACTIVE, TRIAL, DRAFT, ENDED = "active", "trial", "draft", "retired"
SCORED = (ACTIVE, TRIAL)
"""Statuses of a version that runs score."""
LONGEST_REASON = 2000


@dataclass(frozen=True)
class Change:
    """A change of the definition in force. ``on_date``: of an approval the first as-of date that the version scores, of
    a retirement the last one, of a cancellation the date on which the version would have begun; ``person``: who
    decided, as people call them; ``entered_by``: the account."""

    action: str
    person: str
    reason: str
    entered_by: str
    model_version: str | None = None
    status: str | None = None
    on_date: dt.date | None = None
    draft_id: str | None = None
    number: int = 0
    definition_hash: str = ""
    entered_at: dt.datetime | None = None
    """UTC."""


@dataclass(frozen=True)
class Approval:
    """What a person decides about a version. ``replaces``: the active versions that end the day before it begins."""

    person: str
    reason: str
    entered_by: str
    from_on: dt.date
    is_trial: bool = False
    replaces: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """The status that the version gets."""
        return TRIAL if self.is_trial else ACTIVE


def place_of(version: str) -> Place:
    """Where the row of a version stands."""
    return Place("risk_model_versions", (version,))


def status_on(row: Mapping[str, Any], from_on: dt.date | None, date: dt.date) -> str:
    """The status of a version on an as-of date: a draft until it begins, retired after its last day.

    ``row``: typed values of risk_model_versions; ``from_on``: its first as-of date, where the home approved it.
    """
    if row["status"] not in SCORED:
        return row["status"]
    if row["valid_to"] is not None and row["valid_to"] < date:
        return ENDED
    return DRAFT if from_on is not None and from_on > date else row["status"]


class DefinitionStore:
    """Reads and changes the definition in force of a home. A change is one transaction."""

    def __init__(self, store: EntryStore) -> None:
        self.store, self.home = store, store.home

    def changes(self) -> list[Change]:
        """Every change, oldest first; none as long as the seeds are in force."""
        query = definition_changes.select().order_by(definition_changes.c.number)
        with self.store.engine.connect() as connection:
            return [Change(**row) for row in connection.execute(query).mappings()]

    def folder(self) -> Path:
        """The folder of the definition that leads, with the versions that have yet to begin and those that ended."""
        return self._folder_after(self.changes())

    def _folder_after(self, changes: Sequence[Change]) -> Path:
        return kept_definition(self.home, changes[-1].definition_hash) if changes else SEEDS

    def texts(self) -> dict[Place, Texts]:
        """The rows of the definition that leads."""
        return read_texts(self.folder())

    def versions(self, date: dt.date) -> list[dict[str, Any]]:
        """The versions as typed rows, newest first; ``status`` as on an as-of date, ``from_on`` as approved here,
        ``is_cancelled`` whether the approval was taken back."""
        changes = self.changes()
        starts = _starts(changes)
        cancelled = {change.model_version for change in changes if change.action == CANCELLED}
        rows = []
        for row in reversed(definition_of(read_texts(self._folder_after(changes)))["risk_model_versions"]):
            from_on = starts.get(row["model_version"])
            is_cancelled = row["model_version"] in cancelled
            status = status_on(row, from_on, date)
            rows.append({**row, "status": status, "from_on": from_on, "is_cancelled": is_cancelled})
        return rows

    def folder_on(self, date: dt.date) -> Path:
        """The folder of the definition as it is in force on an as-of date: what a run for that date scores by.

        Versions that begin later are drafts in it, those that have ended are retired.
        """
        changes = self.changes()
        folder, starts = self._folder_after(changes), _starts(changes)
        texts = read_texts(folder)
        changed: dict[Place, Texts] = {}
        for row in definition_of(texts)["risk_model_versions"]:
            status = status_on(row, starts.get(row["model_version"]), date)
            if status != row["status"]:
                place = place_of(row["model_version"])
                changed[place] = {**texts[place], "status": status}
        return kept_definition(self.home, keep_texts(self.home, laid_over(texts, changed))) if changed else folder

    def approve(self, version: str, approval: Approval) -> str:
        """Approve a version that is a draft in the definition in force, as an import brings it; its hash.

        Raises KodomoError or UsageError where it may not be approved as it is.
        """
        texts = self.texts()
        require_unapproved(version_row(definition_of(texts), version))
        after, changes = approved_texts(texts, version, approval)
        with self.store.writing() as connection:
            self.write(connection, after, changes, self.changes())
        return after[place_of(version)]["content_hash"]

    def retire(self, version: str, last_on: dt.date, *, person: str, reason: str, by: str) -> None:
        """End a version with an as-of date: runs for later dates do not score it, its past scores stay.

        Raises UsageError for a version that is not scored, or ends already.
        """
        _require(person, reason)
        before = self.changes()
        texts = self.texts()
        row = version_row(definition_of(texts), version)
        if row["status"] not in SCORED or row["valid_to"] is not None:
            raise UsageError("{version} is not in force, or its end is decided already.", version=version)
        if row["valid_from"] is not None and last_on < row["valid_from"]:
            raise UsageError(
                "{version} begins on {valid_from}: end it on that day or later.",
                version=version,
                valid_from=row["valid_from"],
            )
        place = place_of(version)
        after = laid_over(texts, {place: {**texts[place], "valid_to": last_on.isoformat()}})
        change = Change(RETIRED, person.strip(), reason.strip()[:LONGEST_REASON], by, version, None, last_on)
        with self.store.writing() as connection:
            self.write(connection, after, [change], before)

    def cancel(self, version: str, *, person: str, reason: str, by: str) -> list[str]:
        """Take back the approval of a version that has not begun; the versions that go on because of it.

        The version stays as it was approved, as one that is never scored. Those that it was to replace lose the end
        that the approval gave them. Raises UsageError for a version that has begun, was not approved here, or is to be
        replaced itself.
        """
        _require(person, reason)
        before = self.changes()
        texts = self.texts()
        row = version_row(definition_of(texts), version)
        from_on = _starts(before).get(version)
        if row["status"] not in SCORED or from_on is None or from_on <= clock.today():
            raise UsageError("{version} has begun, or is not approved: end it with a date.", version=version)
        if row["valid_to"] is not None:
            raise UsageError(
                "{version} ends on {valid_to}, because another version is to replace it: cancel that one first.",
                version=version,
                valid_to=row["valid_to"],
            )
        cancelled = Change(CANCELLED, person.strip(), reason.strip()[:LONGEST_REASON], by, version, None, from_on)
        changed: dict[Place, Texts] = {place_of(version): {**texts[place_of(version)], "status": ENDED}}
        resumed = _ended_for(before, version)
        for other in resumed:
            place = place_of(other)
            changed[place] = {name: text for name, text in texts[place].items() if name != "valid_to"}
        changes = [
            cancelled,
            *(replace(cancelled, action=RESUMED, model_version=other, on_date=None) for other in resumed),
        ]
        with self.store.writing() as connection:
            self.write(connection, laid_over(texts, changed), changes, before)
        return resumed

    def take_in(self, folder: Path, *, person: str, reason: str, by: str) -> list[Change]:
        """Lay the definition of a folder over the one in force; what changed, an import first.

        Rows that are not in the folder stay, and a version that is scored here stays as it is; the folder may end it.
        Of a proposal only the version's own rows are taken: its items stay as they are here.
        Raises KodomoError naming every mistake, and UsageError where nothing is new or a version is scored without an
        approval.
        """
        _require(person, reason)
        given = read_definition(folder)
        known = dict.fromkeys(observation_obstacles(clock.today()))
        raise_for(check(given, known))
        before, base = self.changes(), self.texts()
        given_rows = version_of_proposal(folder, base) if is_proposal(folder) else read_texts(folder)
        after = laid_over(base, {place: row for place, row in given_rows.items() if not _is_shared_rule(place, folder)})
        changes = [Change(IMPORTED, person.strip(), reason.strip()[:LONGEST_REASON], by)]
        here, there = definition_of(base), definition_of(after)
        rows_here = {row["model_version"]: row for row in here["risk_model_versions"]}
        for row in there["risk_model_versions"]:
            version, known_row = row["model_version"], rows_here.get(row["model_version"])
            if known_row is not None and known_row["status"] != DRAFT:
                after, change = _kept(after, base, here, there, version, changes[0])
                changes += [change] if change else []
            elif row["status"] in SCORED:
                changes += _brought(row, changes[0])
        if after == base:
            raise UsageError("The folder {folder} holds nothing new.", folder=folder)
        raise_for(check(definition_of(after), known))
        with self.store.writing() as connection:
            self.write(connection, after, changes, before)
        return changes

    def write(
        self, connection: sa.engine.Connection, texts: Mapping[Place, Texts], changes: Iterable[Change],
        before: list[Change],
    ) -> None:  # fmt: skip
        """Write changes within the caller's transaction. ``texts``: the definition after them; ``before``: what they
        were decided upon. Raises ConflictError where another change came first."""
        digest = keep_texts(self.home, texts)
        number = before[-1].number if before else 0
        values = [
            {**replace(change, number=number + place, definition_hash=digest, entered_at=now()).__dict__}
            for place, change in enumerate(changes, start=1)
        ]
        try:
            connection.execute(definition_changes.insert(), values)
        except IntegrityError as error:
            raise ConflictError(
                "Another user has changed the definition in force meanwhile: look at it again, then decide."
            ) from error


def _is_shared_rule(place: Place, folder: Path) -> bool:
    """Whether a row is a rule of all versions that the folder does not bring itself."""
    return place.table in RULES and not (folder / f"{place.table}.csv").exists()


def _starts(changes: Iterable[Change]) -> dict[str, dt.date]:
    """Of each version that was approved in the home its first as-of date; of a cancelled approval none."""
    starts = {}
    for change in changes:
        if change.action == APPROVED and change.model_version and change.on_date:
            starts[change.model_version] = change.on_date
        elif change.action == CANCELLED and change.model_version:
            starts.pop(change.model_version, None)
    return starts


def _ended_for(changes: Sequence[Change], version: str) -> list[str]:
    """The versions that the approval of a version ended: in the same change, on the day before it begins."""
    approved = next(change for change in changes if (change.action, change.model_version) == (APPROVED, version))
    if approved.on_date is None:
        return []
    last_on = approved.on_date - dt.timedelta(days=1)
    return [
        change.model_version or ""
        for change in changes
        if (change.action, change.on_date, change.definition_hash) == (RETIRED, last_on, approved.definition_hash)
    ]


def _require(person: str, reason: str) -> None:
    if not person.strip() or not reason.strip():
        raise UsageError("An approval needs the name of the person and a reason.")


def approved_texts(
    texts: Mapping[Place, Texts], version: str, approval: Approval, draft_id: str | None = None
) -> tuple[dict[Place, Texts], list[Change]]:
    """A definition in which a version is approved, and the changes to record, its own first.

    Raises UsageError where another active version scores the same types and is not to be replaced, or where a type
    would be left without a version; KodomoError where the definition has mistakes.
    """
    _require(approval.person, approval.reason)
    definition = definition_of(texts)
    approved = Change(
        APPROVED, approval.person.strip(), approval.reason.strip()[:LONGEST_REASON], approval.entered_by, version,
        approval.status, approval.from_on, draft_id,
    )  # fmt: skip
    changed: dict[Place, Texts] = {
        place_of(version): {
            **texts[place_of(version)],
            "status": approval.status,
            "approved_by": approved.person,
            "approved_on": clock.today().isoformat(),
            "valid_from": approval.from_on.isoformat(),
            "approval_reason_ja": approved.reason,
            "content_hash": version_hash(definition, version),
        }
    }
    changes = [approved]
    if not approval.is_trial:
        rivals = rivals_of(definition, version, approval.from_on)
        _require_replaced(definition, version, rivals, approval.replaces)
        last_on = approval.from_on - dt.timedelta(days=1)
        for other in rivals:
            changed[place_of(other)] = {**texts[place_of(other)], "valid_to": last_on.isoformat()}
            changes.append(replace(approved, action=RETIRED, model_version=other, status=None, on_date=last_on))
    after = laid_over(texts, changed)
    # What is odd about the versions at hand is mended before it is approved.
    raise_for(
        [
            replace(placed.mistake, is_fatal=placed.mistake.is_fatal or placed.place in changed)
            for placed in mistakes_of(after)
        ]
    )
    return after, changes


def rivals_of(definition: Definition, version: str, from_on: dt.date) -> list[str]:
    """The active versions that score a type of a version on a date or later, sorted."""
    ended = {
        row["model_version"]
        for row in definition["risk_model_versions"]
        if row["valid_to"] is not None and row["valid_to"] < from_on
    }
    return sorted({other for other, _ in active_rivals(definition, version)} - ended)


def _require_replaced(definition: Definition, version: str, rivals: list[str], replaces: tuple[str, ...]) -> None:
    if set(rivals) != set(replaces):
        raise UsageError(
            "Active for the same types: {rivals}. Approve as a trial, or as the one that replaces exactly these.",
            rivals=", ".join(rivals) or "—",
        )
    left = {kind for other in rivals for kind in difficulties_of(definition, other)}
    if left := left - difficulties_of(definition, version):
        raise UsageError(
            "No active version would score {types} any more: approve as a trial, or add them to the draft.",
            types=", ".join(sorted(left)),
        )


def _kept(
    after: dict[Place, Texts], base: Mapping[Place, Texts], here: Definition, there: Definition, version: str,
    imported: Change,
) -> tuple[dict[Place, Texts], Change | None]:  # fmt: skip
    """An import with the row of a version that is scored here as it is here, but for an end that the folder brings."""
    place = place_of(version)
    mine, given = base[place], after[place]
    if version_hash(here, version) != version_hash(there, version):
        raise UsageError(
            "{version} is scored here by other rows than the folder has: give the version of the folder another name.",
            version=version,
        )
    end = given.get("valid_to")
    if mine.get("status") in SCORED and not mine.get("valid_to") and end:
        change = replace(imported, action=RETIRED, model_version=version, on_date=dt.date.fromisoformat(end))
        return laid_over(after, {place: {**mine, "valid_to": end}}), change
    return laid_over(after, {place: mine}), None


def _brought(row: Mapping[str, Any], imported: Change) -> list[Change]:
    """The changes for a version that an import brings in force; it must have been approved where it comes from."""
    if not row["content_hash"]:
        raise UsageError(
            "{version} is {status} and has no approval: import it as a draft, and approve it here.",
            version=row["model_version"],
            status=row["status"],
        )
    approved = replace(
        imported,
        action=APPROVED,
        person=row["approved_by"] or imported.person,
        model_version=row["model_version"],
        status=row["status"],
        on_date=row["valid_from"],
    )
    if row["valid_to"] is None:
        return [approved]
    return [approved, replace(approved, action=RETIRED, status=None, on_date=row["valid_to"])]

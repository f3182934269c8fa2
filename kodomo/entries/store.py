"""The entries database: data entered by hand, each change a version of its own, with author and time.

SQLite in the home by default; where KODOMO_METADATA_URI names a database for Superset's metadata, its tables are there.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from kodomo.audit_chain import Anchor, Chain, Head, Line, Verdict
from kodomo.clock import now_utc as now
from kodomo.errors import KodomoError
from kodomo.faults import FaultError
from kodomo.home import Home
from kodomo.versions import enter

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).with_name("migrations")
VERSION_TABLE = "entry_alembic_version"
LOCK_SECONDS = 30
LOOK_SECONDS = 5

metadata = sa.MetaData()
versions = sa.Table(
    "entry_version",
    metadata,
    sa.Column("record_id", sa.String(36), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("form", sa.String(64), nullable=False, index=True),
    sa.Column("department", sa.String(64), nullable=False),
    sa.Column("person_id", sa.String(64), index=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("is_deleted", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.DateTime, nullable=False),
)
determinations = sa.Table(
    "entry_determination",
    metadata,
    sa.Column("determination_id", sa.String(36), primary_key=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("scope", sa.String(16), nullable=False),
    sa.Column("person_id", sa.String(64), nullable=False, index=True),
    sa.Column("as_of_on", sa.Date, nullable=False),
    sa.Column("publication", sa.String(128), nullable=False),
    sa.Column("heard", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("determined_by", sa.String(64), nullable=False),
    sa.Column("determined_at", sa.DateTime, nullable=False),
)
accesses = sa.Table(
    "entry_access",
    metadata,
    sa.Column("access_id", sa.String(36), primary_key=True),
    sa.Column("username", sa.String(64), nullable=False, index=True),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("purpose", sa.Text),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("happened_at", sa.DateTime, nullable=False),
)
effects = sa.Table(
    "entry_effect",
    metadata,
    sa.Column("record_id", sa.String(36), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("outcome", sa.String(64), nullable=False),
    sa.Column("message", sa.Text),
    sa.Column("run_id", sa.String(128), nullable=False),
    sa.Column("happened_at", sa.DateTime, nullable=False),
)
seen_lists = sa.Table(
    "entry_seen_list",
    metadata,
    sa.Column("record_id", sa.String(36), primary_key=True),
    sa.Column("scope", sa.String(255), primary_key=True),
    sa.Column("publication", sa.String(128), primary_key=True),
    sa.Column("person_ids", sa.Text, nullable=False),
    sa.Column("seen_at", sa.DateTime, nullable=False),
)
notices = sa.Table(
    "entry_notice",
    metadata,
    sa.Column("notice_id", sa.String(36), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("person_id", sa.String(64), nullable=False, index=True),
    sa.Column("record_id", sa.String(36)),
    sa.Column("detail", sa.String(64), nullable=False),
    sa.Column("on_date", sa.Date),
    sa.Column("shown_from", sa.Date, nullable=False),
    sa.Column("made_at", sa.DateTime, nullable=False),
    sa.Column("ended_at", sa.DateTime),
)
notice_states = sa.Table(
    "entry_notice_state",
    metadata,
    sa.Column("username", sa.String(64), primary_key=True),
    sa.Column("notice_id", sa.String(36), primary_key=True),
    sa.Column("read_at", sa.DateTime),
    sa.Column("mailed_at", sa.DateTime),
)
notice_choices = sa.Table(
    "entry_notice_choice",
    metadata,
    sa.Column("username", sa.String(64), primary_key=True),
    sa.Column("unwanted", sa.Text, nullable=False),
    sa.Column("chosen_at", sa.DateTime, nullable=False),
)
notice_marks = sa.Table(
    "entry_notice_mark",
    metadata,
    sa.Column("mark", sa.String(16), primary_key=True),
    sa.Column("publication", sa.String(128), nullable=False),
    sa.Column("judged_on", sa.Date, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("entries_until", sa.DateTime),
)
outbox = sa.Table(
    "entry_outbox",
    metadata,
    sa.Column("mail_id", sa.String(36), primary_key=True),
    sa.Column("username", sa.String(64), nullable=False),
    sa.Column("made_on", sa.Date, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime, nullable=False),
    sa.Column("claimed_at", sa.DateTime),
    sa.Column("sent_at", sa.DateTime),
    sa.Column("attempts", sa.Integer, nullable=False),
)
draft_versions = sa.Table(
    "entry_draft_version",
    metadata,
    sa.Column("draft_id", sa.String(36), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("model_version", sa.String(64), nullable=False),
    sa.Column("base_version", sa.String(64), nullable=False),
    sa.Column("definition_hash", sa.String(64), nullable=False),
    sa.Column("comment", sa.Text),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.DateTime, nullable=False),
)
draft_rows = sa.Table(
    "entry_draft_row",
    metadata,
    sa.Column("draft_id", sa.String(36), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("table_name", sa.String(64), primary_key=True),
    sa.Column("row_key", sa.String(512), primary_key=True),
    sa.Column("content", sa.Text),
)
case_sets = sa.Table(
    "entry_case_set",
    metadata,
    sa.Column("set_id", sa.String(36), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.DateTime, nullable=False),
)
case_set_children = sa.Table(
    "entry_case_set_child",
    metadata,
    sa.Column("set_id", sa.String(36), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("person_id", sa.String(64), primary_key=True),
)
definition_changes = sa.Table(
    "entry_definition",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("definition_hash", sa.String(64), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("model_version", sa.String(64)),
    sa.Column("status", sa.String(16)),
    sa.Column("on_date", sa.Date),
    sa.Column("draft_id", sa.String(36)),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.DateTime, nullable=False),
)
CHAIN = "entries"
"""The chain of what is done on the pages and with commands: accesses, determinations, versions of entries."""
TABLES = (
    versions, determinations, accesses, effects, seen_lists, notices, notice_states, notice_choices, notice_marks,
    outbox, draft_versions, draft_rows, case_sets, case_set_children, definition_changes,
)  # fmt: skip


class ConflictError(KodomoError):
    """The record has been changed by another user since it was read."""


class UnknownRecordError(KodomoError):
    """There is no such record, or not for this form."""


@dataclass(frozen=True)
class Version:
    """One version of one record. ``content``: field → text, as the form has it; empty fields are not there."""

    record_id: str
    version: int
    form: str
    department: str
    person_id: str | None
    content: Mapping[str, str]
    is_deleted: bool
    reason: str | None
    entered_by: str
    entered_at: dt.datetime
    """UTC."""


def entries_uri(home: Home) -> str:
    """The address of the entries database: SQLite in the home, or the database of Superset's metadata."""
    return os.environ.get("KODOMO_METADATA_URI") or f"sqlite:///{home.entries}"


@contextmanager
def looking(home: Home) -> Iterator[sa.engine.Connection | None]:
    """A connection that reads the entries as they are, of whatever version; None where there are none yet.

    Raises FaultError where the database cannot be opened.
    """
    uri = entries_uri(home)
    is_file = uri.startswith("sqlite")
    if is_file and not home.entries.exists():
        yield None
        return
    engine = sa.create_engine(
        f"sqlite:///file:{quote(str(home.entries))}?mode=ro&uri=true" if is_file else uri,
        poolclass=NullPool,
        connect_args={"timeout": LOOK_SECONDS} if is_file else {"connect_timeout": LOOK_SECONDS},
    )
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise FaultError("entries_damaged" if is_file else "database_unreachable") from error


def head(home: Home) -> Head | None:
    """The end of the chain of what is done, in entries of whatever version; None before its first line.

    Raises FaultError where the database cannot be opened.
    """
    with looking(home) as connection:
        return None if connection is None else Chain(CHAIN, home).head(connection)


def current_revision(connection: sa.engine.Connection) -> str | None:
    """The migration that the entries of a connection are at; None before the first."""
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def newest_revision() -> str | None:
    """The last migration of this code."""
    return _scripts().get_current_head()


def known_revisions() -> set[str]:
    """Every migration that this code knows."""
    return {script.revision for script in _scripts().walk_revisions()}


def _scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(MIGRATIONS))


class EntryStore:
    """Reads and writes entries. Every change is one row written in one transaction: a crash leaves old or new."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.uri = entries_uri(home)
        self.is_sqlite = self.uri.startswith("sqlite")
        options: dict[str, Any] = {"connect_args": {"timeout": LOCK_SECONDS}} if self.is_sqlite else {}
        self.engine = sa.create_engine(self.uri, poolclass=NullPool, **options)
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _durable)
        self._chain = Chain(CHAIN, home)
        self._upgrade()

    def _upgrade(self) -> None:
        """Bring the tables to the newest version; several processes may start at once."""
        from alembic import command
        from alembic.config import Config

        self.home.ensure()
        with self.home.entries_lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            enter(self.home)
            if self.is_sqlite and not self.home.entries.exists():
                self.home.entries.touch(mode=0o600)
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            with self.engine.connect() as connection:
                revision = current_revision(connection)
            if revision == newest_revision():
                return
            if revision is not None and revision not in known_revisions():
                raise FaultError("entries_newer")
            config.attributes["engine"] = self.engine
            command.upgrade(config, "head")

    @contextmanager
    def writing(self) -> Iterator[sa.engine.Connection]:
        """A connection whose changes are all kept at the end, or none."""
        with self.engine.begin() as connection:
            yield connection

    def create(
        self,
        form: str,
        content: Mapping[str, str],
        *,
        by: str,
        department: str,
        person_id: str | None = None,
        record_id: str | None = None,
    ) -> Version:
        """Write the first version of a new record.

        ``record_id``: an id that was given out with the empty form, so that a form sent twice is one record: the second
        time raises ConflictError.
        """
        record_id = record_id or str(uuid.uuid4())
        return self._write(Version(record_id, 1, form, department, person_id, dict(content), False, None, by, now()))

    def change(
        self, record_id: str, base: int, content: Mapping[str, str], *, by: str, reason: str | None = None
    ) -> Version:
        """Write the version after ``base``. Raises ConflictError when ``base`` is no longer the newest."""
        before = self.newest(record_id)
        return self._write_after(before, base, dict(content), False, by, reason)

    def delete(self, record_id: str, base: int, *, by: str, reason: str) -> Version:
        """Mark a record as deleted; its versions stay. Raises ConflictError like ``change``."""
        before = self.newest(record_id)
        return self._write_after(before, base, before.content, True, by, reason)

    def erase(self, record_id: str, *, by: str, reason: str) -> int:
        """Erase the content of every version of a record for good; its existence and who erased it stay on record.

        Returns how many versions were emptied.
        """
        before = self.newest(record_id)
        with self.writing() as connection:
            emptied = connection.execute(
                versions.update()
                .where(versions.c.record_id == record_id)
                .values(content="{}", person_id=None, reason=None)
            ).rowcount
            self._insert(
                connection,
                Version(
                    record_id, before.version + 1, before.form, before.department, None, {}, True, reason, by, now()
                ),
            )
        if self.is_sqlite:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
        return emptied

    def _write_after(
        self, before: Version, base: int, content: Mapping[str, str], is_deleted: bool, by: str, reason: str | None
    ) -> Version:
        if before.version != base or before.is_deleted:
            raise ConflictError("Another user has changed this record meanwhile: read it again, then change it.")
        return self._write(
            Version(
                before.record_id,
                base + 1,
                before.form,
                before.department,
                before.person_id,
                content,
                is_deleted,
                reason,
                by,
                now(),
            )
        )

    def _write(self, version: Version) -> Version:
        try:
            with self.writing() as connection:
                self._insert(connection, version)
        except IntegrityError as error:
            # Another user wrote this very version between reading and writing: the key holds one of the two.
            raise ConflictError(
                "Another user has changed this record meanwhile: read it again, then change it."
            ) from error
        return version

    def _insert(self, connection: sa.engine.Connection, version: Version) -> None:
        content = json.dumps(dict(version.content), ensure_ascii=False, sort_keys=True)
        self._insert_line(connection, versions, {**version.__dict__, "content": content})

    def _insert_line(self, connection: sa.engine.Connection, table: sa.Table, values: Mapping[str, Any]) -> None:
        """Write a line of what is done, and chain it."""
        connection.execute(table.insert().values(**values))
        self._chain.append(connection, _line(table, values), lambda: _count_lines(connection))

    def verify(self, anchors: Iterable[Anchor] = ()) -> Verdict:
        """Whether accesses, determinations and versions are as they were written."""
        with self.engine.connect() as connection:
            rows = [(table, dict(row)) for table in CHAINED for row in connection.execute(table.select()).mappings()]
            newest = {row["record_id"]: row for table, row in rows if table is versions}
            for table, row in rows:
                if table is versions and row["version"] > newest[row["record_id"]]["version"]:
                    newest[row["record_id"]] = row
            erased = {record for record, row in newest.items() if row["is_deleted"] and row["content"] == NOTHING}
            lines = [_line(table, row, is_erased=row.get("record_id") in erased) for table, row in rows]
            return self._chain.verify(connection, lines, anchors)

    def newest(self, record_id: str) -> Version:
        """The newest version of a record. Raises UnknownRecordError."""
        history = self.history(record_id)
        if not history:
            raise UnknownRecordError("There is no such record.")
        return history[-1]

    def history(self, record_id: str) -> list[Version]:
        """Every version of a record, oldest first."""
        query = versions.select().where(versions.c.record_id == record_id).order_by(versions.c.version)
        with self.engine.connect() as connection:
            return [_version(row) for row in connection.execute(query).mappings()]

    def current(
        self, form: str | None = None, *, person_id: str | None = None, with_deleted: bool = False
    ) -> list[Version]:
        """The newest version of every record (of one form, about one person), in the order of entry."""
        others = versions.alias()
        latest = (
            sa.select(others.c.record_id, sa.func.max(others.c.version).label("version"))
            .group_by(others.c.record_id)
            .subquery()
        )
        query = versions.select().join(
            latest,
            sa.and_(versions.c.record_id == latest.c.record_id, versions.c.version == latest.c.version),
        )
        if form is not None:
            query = query.where(versions.c.form == form)
        if person_id is not None:
            query = query.where(versions.c.person_id == person_id)
        if not with_deleted:
            query = query.where(versions.c.is_deleted.is_(False))
        query = query.order_by(versions.c.entered_at, versions.c.record_id)
        with self.engine.connect() as connection:
            return [_version(row) for row in connection.execute(query).mappings()]

    def versions(self) -> list[Version]:
        """Every version of every record, in the order of entry."""
        with self.engine.connect() as connection:
            query = versions.select().order_by(versions.c.entered_at, versions.c.record_id, versions.c.version)
            return [_version(row) for row in connection.execute(query).mappings()]

    def state(self) -> tuple[Any, ...]:
        """A value that changes with every entry, determination, access or erasure, for the invalidation of copies."""
        query = sa.select(
            *(
                column
                for table, moment in (
                    (versions, versions.c.entered_at),
                    (determinations, determinations.c.determined_at),
                    (accesses, accesses.c.happened_at),
                )
                for column in (
                    sa.select(sa.func.count()).select_from(table).scalar_subquery(),
                    sa.select(sa.func.max(moment)).scalar_subquery(),
                )
            )
        )
        with self.engine.connect() as connection:
            return tuple(connection.execute(query).one())

    def note_access(self, username: str, action: str, *, purpose: str | None = None, **detail: Any) -> None:
        """Record an access: the user, what was viewed, why and when."""
        with self.writing() as connection:
            values = {
                "access_id": str(uuid.uuid4()),
                "username": username,
                "action": action,
                "purpose": purpose,
                "detail": json.dumps(detail, ensure_ascii=False, default=str),
                "happened_at": now(),
            }
            self._insert_line(connection, accesses, values)

    def note_seen(self, record_id: str, scope: str, publication: str, person_ids: Iterable[str]) -> None:
        """Keep who is on a saved list now, of a scope and publication; of earlier publications the newest is kept."""
        mine = (seen_lists.c.record_id == record_id) & (seen_lists.c.scope == scope)
        with self.writing() as connection:
            before = connection.execute(
                sa.select(seen_lists.c.publication)
                .where(mine, seen_lists.c.publication != publication)
                .order_by(seen_lists.c.seen_at.desc())
            ).scalars()
            kept = next(iter(before.all()), publication)
            connection.execute(seen_lists.delete().where(mine, seen_lists.c.publication != kept))
            connection.execute(seen_lists.delete().where(mine, seen_lists.c.publication == publication))
            connection.execute(
                seen_lists.insert().values(
                    record_id=record_id,
                    scope=scope,
                    publication=publication,
                    person_ids=json.dumps(sorted(person_ids)),
                    seen_at=now(),
                )
            )

    def seen_before(self, record_id: str, scope: str, publication: str) -> tuple[dt.datetime, set[str]] | None:
        """Who was on a saved list when the scope last saw it in an earlier publication, and when (UTC)."""
        query = (
            seen_lists.select()
            .where(
                seen_lists.c.record_id == record_id,
                seen_lists.c.scope == scope,
                seen_lists.c.publication != publication,
            )
            .order_by(seen_lists.c.seen_at.desc())
        )
        with self.engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else (row["seen_at"], set(json.loads(row["person_ids"])))

    def accesses(self, username: str | None = None) -> list[dict[str, Any]]:
        """The recorded accesses, oldest first."""
        query = accesses.select().order_by(accesses.c.happened_at)
        if username is not None:
            query = query.where(accesses.c.username == username)
        with self.engine.connect() as connection:
            return [{**row, "detail": json.loads(row["detail"])} for row in connection.execute(query).mappings()]

    def record_determination(self, **values: Any) -> str:
        """Keep an individual determination as its own record; returns its id. ``heard`` and ``result`` as JSON."""
        determination_id = str(uuid.uuid4())
        row = {
            **values,
            "heard": json.dumps(values["heard"], ensure_ascii=False, default=str),
            "result": json.dumps(values["result"], ensure_ascii=False, default=str),
        }
        with self.writing() as connection:
            given = {"determination_id": determination_id, "determined_at": now(), **row}
            self._insert_line(connection, determinations, given)
        return determination_id

    def determination(self, determination_id: str) -> dict[str, Any]:
        """One kept determination. Raises UnknownRecordError."""
        rows = self._determinations(determinations.c.determination_id == determination_id)
        if not rows:
            raise UnknownRecordError("There is no such determination.")
        return rows[0]

    def determinations(self, *, by: str | None = None, person_id: str | None = None) -> list[dict[str, Any]]:
        """Kept determinations, newest first."""
        conditions = []
        if by is not None:
            conditions.append(determinations.c.determined_by == by)
        if person_id is not None:
            conditions.append(determinations.c.person_id == person_id)
        return self._determinations(*conditions)

    def _determinations(self, *conditions: Any) -> list[dict[str, Any]]:
        query = determinations.select().where(*conditions).order_by(determinations.c.determined_at.desc())
        with self.engine.connect() as connection:
            return [
                {**row, "heard": json.loads(row["heard"]), "result": json.loads(row["result"])}
                for row in connection.execute(query).mappings()
            ]

    def effect(self, record_id: str, version: int) -> dict[str, Any] | None:
        """The effect of a version in a run; None while no run has taken it."""
        query = effects.select().where(effects.c.record_id == record_id, effects.c.version == version)
        with self.engine.connect() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else dict(row)

    def effects(self) -> dict[tuple[str, int], tuple[str, str | None]]:
        """Outcome and message by record and version, of all that runs have taken."""
        query = sa.select(effects.c.record_id, effects.c.version, effects.c.outcome, effects.c.message)
        with self.engine.connect() as connection:
            return {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(query)}

    def note_effects(
        self,
        taken: list[tuple[str, int]],
        outcome: str,
        run_id: str,
        message: str | None = None,
        *,
        is_renewed: bool = False,
    ) -> None:
        """Record the effects of a run on versions; an effect on record already stays as it is.

        ``is_renewed``: the note of an earlier run is replaced where outcome or message differ.
        """
        known = self.effects()
        if is_renewed:
            changed = [place for place in taken if place in known and known[place] != (outcome, message)]
            with self.writing() as connection:
                for record_id, version in changed:
                    connection.execute(
                        effects.update()
                        .where(effects.c.record_id == record_id, effects.c.version == version)
                        .values(outcome=outcome, message=message, run_id=run_id, happened_at=now())
                    )
        values = [
            {
                "record_id": record_id,
                "version": version,
                "outcome": outcome,
                "message": message,
                "run_id": run_id,
                "happened_at": now(),
            }
            for record_id, version in taken
            if (record_id, version) not in known
        ]
        if values:
            with self.writing() as connection:
                connection.execute(effects.insert(), values)


def _durable(connection: Any, _record: Any) -> None:
    # Readers do not wait for the writer, and what was acknowledged is on the disk.
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    # What is erased is overwritten.
    connection.execute("pragma secure_delete = on")
    connection.execute(f"pragma busy_timeout = {LOCK_SECONDS * 1000}")


CHAINED = {
    versions: (("record_id", "version"), "entered_at"),
    determinations: (("determination_id",), "determined_at"),
    accesses: (("access_id",), "happened_at"),
}
"""The tables of what is done: key, and when."""
NOTHING = "{}"
_ERASABLE = ("content", "person_id", "reason")


def _line(table: sa.Table, row: Mapping[str, Any], *, is_erased: bool = False) -> Line:
    """A row as its chain knows it: of a version, what an erasure empties is apart."""
    names, moment = CHAINED[table]
    apart = _ERASABLE if table is versions else ()
    is_empty = bool(apart) and (row["content"], row["person_id"], row["reason"]) == (NOTHING, None, None)
    return Line(
        "|".join([table.name, *(str(row[name]) for name in names)]),
        row[moment].isoformat(),
        tuple(row[column.name] for column in table.columns if column.name not in apart),
        tuple(row[name] for name in apart) if apart else None,
        is_erased and is_empty,
    )


def _count_lines(connection: sa.engine.Connection) -> int:
    return sum(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in CHAINED)


def _version(row: Mapping[str, Any]) -> Version:
    return Version(**{**row, "content": json.loads(row["content"])})

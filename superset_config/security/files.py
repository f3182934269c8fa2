"""Wall B, files: every connection of Superset leads to the file of the scope that the user has at that moment."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.pool import NullPool

from kodomo.access.access import Access, read_access
from kodomo.access.scope import Scope
from kodomo.home import Home
from kodomo.publication import current, file_of
from superset_config.audit.table import audit_cursor
from superset_config.security import dialect  # noqa: F401  # registers duckdb+kodomo
from superset_config.security.statements import StatementRefusedError, check_statement, is_allowed

# One configuration for all: DuckDB refuses a second one of the same file within a process.
CONNECTION_CONFIG = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "2GB",
    "lock_configuration": "true",
}
# What SQLAlchemy asks when it connects, and what is executed instead.
ASKED_AT_CONNECTING = {"select current_schema()": "select 'main'"}
KEPT_CONNECTORS = 64
UNAVAILABLE_JA = "データを読み込めません。しばらくしてからもう一度お試しください。"
NOTHING_PUBLISHED_JA = "公開されたデータがまだありません。"
MISSING_JA = "この項目は、あなたの権限では表示できません。"


class QueryFailedError(Exception):
    """A query that the engine could not answer; the message is for staff and names no file, table or value."""


class GuardedCursor:
    """A cursor that executes allowed statements only, and whose errors reveal nothing about the machine."""

    def __init__(self, guarded: GuardedConnection, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection, self._connection, self._tables = guarded, connection, guarded.tables
        self._guarded = guarded
        # As DB-API says; Superset corrects types in it.
        self.description: Any = None

    @property
    def rowcount(self) -> int:
        """Unknown, as DB-API allows."""
        return -1

    def execute(self, statement: str, parameters: Any = None, context: Any = None) -> GuardedCursor:
        """Run one allowed SELECT. Raises StatementRefusedError or QueryFailedError."""
        try:
            return self._execute(statement, parameters)
        except (StatementRefusedError, QueryFailedError) as error:
            note_refusal(str(error))
            raise

    def _execute(self, statement: str, parameters: Any) -> GuardedCursor:
        if statement in ASKED_AT_CONNECTING:
            statement = ASKED_AT_CONNECTING[statement]
        elif self._guarded.live is not None and is_allowed(statement, self._guarded.live_tables):
            self._connection = self._guarded.live()
        else:
            check_statement(statement, self._tables)
        try:
            self._connection.execute(statement, list(parameters) if parameters else None)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise QueryFailedError(MISSING_JA) from _without_detail(error)
        except (duckdb.Error, RuntimeError) as error:
            raise QueryFailedError(UNAVAILABLE_JA) from _without_detail(error)
        self.description = self._connection.description
        return self

    def executemany(self, statement: str, parameters: Any = None, context: Any = None) -> None:
        """Refused: a published file is read, one statement at a time."""
        raise StatementRefusedError

    def fetchone(self) -> Any:
        """As DB-API says."""
        return self._connection.fetchone()

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """As DB-API says."""
        return self._connection.fetchmany() if size is None else self._connection.fetchmany(size)

    def fetchall(self) -> list[Any]:
        """As DB-API says."""
        return self._connection.fetchall()

    def close(self) -> None:
        """Nothing to close: the connection holds the result."""


def note_refusal(message: str) -> None:
    """Leave word for the answer of this request: parts of Superset turn any error of a query into a status of 500."""
    from flask import g, has_request_context

    if has_request_context():
        g.kodomo_refusal = message


def _without_detail(error: Exception) -> Exception:
    """The kind of an error, for logs: its text may quote values and paths."""
    return QueryFailedError(type(error).__name__)


class GuardedConnection:
    """A connection to one file that gives out guarded cursors only."""

    closed = False
    autocommit = None

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        tables: frozenset[str],
        live: Callable[[], duckdb.DuckDBPyConnection] | None = None,
        live_tables: Collection[str] = (),
    ) -> None:
        """``live`` opens what is made at the moment of the question, for statements over ``live_tables``."""
        self._connection, self.tables = connection, tables
        self.live, self.live_tables = live, frozenset(live_tables)
        self.notices: list[str] = []

    def cursor(self) -> GuardedCursor:
        """A cursor of its own."""
        return GuardedCursor(self, self._connection.cursor())

    def begin(self) -> None:
        """Nothing to begin: the file is only read."""

    def commit(self) -> None:
        """Nothing to commit."""

    def rollback(self) -> None:
        """Nothing to take back."""

    def close(self) -> None:
        """Close the connection; the last one gives the file free."""
        self._connection.close()
        self.closed = True


class OpenFiles:
    """The files in use, each opened once in this process: to open one takes longer than most questions.

    A file is known by its path and what the disk has there, so that another one in its place is opened anew; those of
    earlier publications are closed once a newer one is asked for and their readers have finished.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, int, int], duckdb.DuckDBPyConnection] = {}

    def cursor(self, path: str) -> duckdb.DuckDBPyConnection:
        """A connection of its own to a file. Raises duckdb.Error or OSError where it cannot be read."""
        with self._lock:
            key = _on_disk(path)
            if key not in self._open:
                self._open[key] = duckdb.connect(path, read_only=True, config=dict(CONNECTION_CONFIG))
                self._close_earlier(Path(path).parent)
            return self._open[key].cursor()

    def _close_earlier(self, folder: Path) -> None:
        for key in list(self._open):
            try:
                is_there = _on_disk(key[0]) == key
            except OSError:
                is_there = False
            if not is_there or Path(key[0]).parent != folder:
                self._open.pop(key).close()


def _on_disk(path: str) -> tuple[str, int, int]:
    status = os.stat(path)
    return path, status.st_ino, status.st_mtime_ns


OPEN_FILES = OpenFiles()
"""Those of this process: the pages of entry read the same files as the charts."""


class Connector:
    """Opens connections to one file for those who have some of its tables: what leads to the same is the same."""

    # An address that says nothing of the file: it may end up in a message.
    engine = (make_url("duckdb+kodomo:///:memory:"), {"poolclass": NullPool})

    def __init__(
        self, files: Files, path: str | None, tables: frozenset[str], live_tables: frozenset[str],
        is_dv_authorised: bool,
    ) -> None:  # fmt: skip
        self._files, self._path, self._tables, self._live_tables = files, path, tables, live_tables
        self._is_dv_authorised = is_dv_authorised

    def __call__(self) -> GuardedConnection:
        """A connection of its own. Raises QueryFailedError where there is nothing to read."""
        if self._path is None and not self._live_tables:
            note_refusal(NOTHING_PUBLISHED_JA)
            raise QueryFailedError(NOTHING_PUBLISHED_JA)
        try:
            connection = OPEN_FILES.cursor(self._path) if self._path else _empty()
        except (duckdb.Error, OSError) as error:
            note_refusal(UNAVAILABLE_JA)
            raise QueryFailedError(UNAVAILABLE_JA) from _without_detail(error)
        live = partial(audit_cursor, self._files.home, is_dv_authorised=self._is_dv_authorised)
        return GuardedConnection(connection, self._tables, live if self._live_tables else None, self._live_tables)


def _empty() -> duckdb.DuckDBPyConnection:
    """In memory there is nothing: what is asked for is made at the moment of the question."""
    return duckdb.connect(config=dict(CONNECTION_CONFIG))


class Files:
    """Where connections of Superset lead. ``mutate`` is its DB_CONNECTION_MUTATOR."""

    def __init__(self, home: Home, access: Access | None = None) -> None:
        self.home, self.access = home, access or read_access()
        self.connector = lru_cache(maxsize=KEPT_CONNECTORS)(partial(Connector, self))
        self.tables = lru_cache(maxsize=KEPT_CONNECTORS)(self._tables)

    def scope(self, roles: Iterable[str]) -> Scope:
        """The scope that roles give."""
        return Scope.from_roles(roles)

    def _tables(self, roles: frozenset[str]) -> tuple[Scope, frozenset[str], frozenset[str]]:
        scope = self.scope(roles)
        return (
            scope,
            frozenset(table.name for table in self.access.tables_for(scope) if not table.is_for_pages),
            frozenset(table.name for table in self.access.live_tables_for(roles)),
        )

    def mutate(
        self, uri: Any, params: dict[str, Any], username: str | None, security_manager: Any, source: Any
    ) -> tuple[URL, dict[str, Any]]:
        """Whatever address a database has, lead it to the file of the scope that the user has in this request."""
        place = place_of_request(self.home, security_manager)
        scope, tables, live_tables = self.tables(place.roles)
        file = file_of(place.folder, scope)
        url, options = Connector.engine
        creator = self.connector(None if file is None else str(file), tables, live_tables, scope.is_dv_authorised)
        return url, {**options, "creator": creator}


@dataclass(frozen=True)
class Place:
    """The source of an answer: a publication, read with these roles."""

    folder: Path | None
    roles: frozenset[str]


def place_of_request(home: Home, security_manager: Any) -> Place:
    """The publication in service and the roles of the user, as of the first call in the request.

    From where an answer is read and under what it is kept are the same, whatever is published or changed meanwhile.
    """
    from flask import g, has_request_context

    def resolved() -> Place:
        return Place(current(home), frozenset(user_roles(security_manager)))

    if not has_request_context():
        return resolved()
    places = g.setdefault("kodomo_places", {})
    user = getattr(getattr(g, "user", None), "id", None)
    if user not in places:
        places[user] = resolved()
    return places[user]


def user_roles(security_manager: Any) -> list[str]:
    """Names of the roles that the user of this request has now; none outside a request."""
    from flask import g, has_request_context

    user = getattr(g, "user", None) if has_request_context() else None
    if user is None or not getattr(user, "is_active", False):
        return []
    return [role.name for role in security_manager.get_user_roles(user)]


_PLACES = re.compile(r"(/[\w.@+-]+){2,}|\bpid\b|\bPID\b|Traceback|File \"|\.duckdb|\.py\b|0x[0-9a-f]{6,}")


def tells_of_the_machine(text: str) -> bool:
    """Whether a text holds a path, a process id or a stack trace."""
    return bool(_PLACES.search(text))

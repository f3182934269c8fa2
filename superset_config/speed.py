"""What Superset does again and again while it answers one question, done once; and questions in their order.

Nothing is kept here that decides who sees what beyond the request: roles, permissions and rules are read anew for each.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from flask import Flask, g, has_request_context

STATEMENTS, ENGINES = 2048, 64
"""How many of each are kept in a process."""
PATIENCE = 0.5
"""Seconds after which a request waits no longer for those before it: one of them is a large file or a list to print."""


def install(app: Flask) -> None:
    """Put the quicker ways in the place of Superset's own; ``app`` says how connections are made."""
    from superset.connectors.sqla.models import SqlaTable
    from superset.daos.datasource import DatasourceDAO
    from superset.models.core import Database

    app.wsgi_app = _one_after_another(app.wsgi_app)
    _ask_no_file_whether_it_is_there()
    _read_questions_by_one_schema()
    _clean_clauses_once()
    _look_for_subqueries_once()
    Database.db_engine_spec = property(_engine_spec)
    Database._execute_sql_with_mutation_and_logging = _execute
    Database._get_sqla_engine = _keep_engines(app, Database._get_sqla_engine)
    SqlaTable.column_names = property(_once_a_request(SqlaTable.column_names.fget))
    SqlaTable.verbose_map = property(_once_a_request(SqlaTable.verbose_map.fget))
    DatasourceDAO.get_datasource = classmethod(_find_datasource_once(DatasourceDAO.get_datasource.__func__))


class Turns:
    """One place, which is handed over in the order in which it was asked for.

    Semaphores and queues of the standard library let whoever comes just then pass those who wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._is_free = True

    @contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        """Wait for the place, for so many seconds at most, and go on: with the place if it came, without it if not."""
        has_place = self._take(patience)
        try:
            yield
        finally:
            if has_place:
                self._give()

    def _take(self, patience: float) -> bool:
        with self._lock:
            if self._is_free:
                self._is_free = False
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(patience):
            return True
        with self._lock:
            if mine.is_set():
                return True
            self._waiting.remove(mine)
            return False

    def _give(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_free = True


def _one_after_another(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Answers in the order in which they were asked for, unless one takes long.

    A process has threads enough, so that whoever connects and says nothing keeps nobody waiting. But it has one
    interpreter: threads that all compute take it from each other, and the unlucky ones are answered last.
    """
    turns = Turns()

    def answer_in_turn(environ: Any, start_response: Any) -> Any:
        with turns.turn(PATIENCE):
            return answer(environ, start_response)

    return answer_in_turn


def _ask_no_file_whether_it_is_there() -> None:
    """A server of metadata may hang up, so Superset asks it before each use; SQLite is a file."""
    from superset import db

    if db.engine.dialect.name == "sqlite":
        db.engine.dispatch.engine_connect.clear()


def _once_a_request(compute: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A property that a request works out once for each object."""

    def kept(self: Any) -> Any:
        if not has_request_context():
            return compute(self)
        found = g.setdefault("kodomo_kept", {})
        # The object itself is kept with it, so that its id is nobody else's.
        key = (compute, id(self))
        if key not in found:
            found[key] = (self, compute(self))
        return found[key][1]

    return kept


def _find_datasource_once(find: Callable[..., Any]) -> Callable[..., Any]:
    def found(cls: type, datasource_type: Any, database_id_or_uuid: int | str) -> Any:
        if not has_request_context():
            return find(cls, datasource_type, database_id_or_uuid)
        known = g.setdefault("kodomo_datasources", {})
        key = (str(getattr(datasource_type, "value", datasource_type)), str(database_id_or_uuid))
        if key not in known:
            known[key] = find(cls, datasource_type, database_id_or_uuid)
        return known[key]

    return found


@lru_cache(maxsize=ENGINES)
def _spec_of(kind: type, uri: str) -> Any:
    from superset.databases.utils import make_url_safe

    return kind.get_db_engine_spec(make_url_safe(uri))


def _engine_spec(self: Any) -> Any:
    """What Superset knows of the engine: the address tells, and it has no password that would matter for it."""
    return _spec_of(type(self), self.sqlalchemy_uri)


def _keep_engines(app: Flask, make: Callable[..., Any]) -> Callable[..., Any]:
    """An engine for each file: which file it is, is asked at every question; what leads to the same one is kept."""
    from sqlalchemy import create_engine
    from superset import security_manager

    @lru_cache(maxsize=ENGINES)
    def engine_of(connect: Callable[[], Any]) -> Any:
        url, options = connect.engine
        return create_engine(url, creator=connect, **options)

    def engine(self: Any, *arguments: Any, **named: Any) -> Any:
        mutate = app.config["DB_CONNECTION_MUTATOR"]
        _, options = mutate(None, {}, None, security_manager, None)
        connect = options.get("creator")
        if getattr(connect, "engine", None) is None:
            return make(self, *arguments, **named)
        return engine_of(connect)

    return engine


@lru_cache(maxsize=STATEMENTS)
def _statements(sql: str, engine: str) -> tuple[str, ...]:
    from superset.sql.parse import SQLScript

    return tuple(statement.format() for statement in SQLScript(sql, engine).statements)


def _execute(
    self: Any, sql: str, catalog: str | None = None, schema: str | None = None, fetch_last_result: bool = False
) -> tuple[Any, list[Any] | None, Any]:
    """As Superset's, which parses a statement each time it is asked. Returns cursor, rows and their description."""
    rows = description = None
    with self.get_raw_connection(catalog=catalog, schema=schema) as connection:
        cursor = connection.cursor()
        statements = _statements(sql, self.db_engine_spec.engine)
        for number, statement in enumerate(statements, start=1):
            self.db_engine_spec.execute(cursor, self.mutate_sql_based_on_config(statement, is_split=True), self)
            if fetch_last_result and number == len(statements):
                # The description is gone once the connection is closed.
                description, rows = cursor.description, self.db_engine_spec.fetch_data(cursor)
            else:
                cursor.fetchall()
        return cursor, rows, description


def _read_questions_by_one_schema() -> None:
    """What a question looks like is known once: Superset works it out anew for each, with all that is nested in it."""
    from superset.charts.data import api

    schema = api.ChartDataQueryContextSchema()
    api.ChartDataQueryContextSchema = lambda: schema


def _clean_clauses_once() -> None:
    """A clause of a rule or a metric is parsed once, wherever Superset looks at it."""
    from superset.common import query_object
    from superset.models import helpers
    from superset.utils import core

    clean = lru_cache(maxsize=STATEMENTS)(query_object.sanitize_clause)
    for module in (query_object, helpers, core):
        module.sanitize_clause = clean


def _look_for_subqueries_once() -> None:
    """An expression without a subquery is known as one by its text; any other is looked at as Superset does."""
    from superset.models import helpers
    from superset.sql.parse import SQLStatement

    validate = helpers.validate_adhoc_subquery

    @lru_cache(maxsize=STATEMENTS)
    def has_subquery(sql: str, engine: str) -> bool:
        return SQLStatement(sql, engine).has_subquery()

    def validate_others(sql: str, database: Any, catalog: str | None, default_schema: str, engine: str) -> str:
        if not has_subquery(sql, engine):
            return sql
        return validate(sql, database, catalog, default_schema, engine)

    helpers.validate_adhoc_subquery = validate_others

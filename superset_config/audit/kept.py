"""The record of a request in Superset's log: user, action, time, people concerned; no value asked or answered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import duckdb
from superset.utils.log import DBEventLogger

from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.publication import current

LOG_IN, LOG_IN_FAILED = "log_in", "log_in_failed"
# Telemetry of a page while it loads, and the steps of one answer, each of which Superset would commit.
_NOISE = frozenset(
    {
        "log", "LogRestApi.post", "execute_sql", "load_into_dataframe", "QueryObject.post_processing",
        "_get_data_response", "ChartDataRestApi.json_dumps", "DashboardFilterStateRestApi.post",
        "DashboardFilterStateRestApi.put", "DashboardFilterStateRestApi.get",
    }
)  # fmt: skip
# A filter on one of these says whose sheet is open.
_PERSON_COLUMNS = frozenset({"person_id", "child_label", "display_name"})
_MOST_PEOPLE = 20


class AuditLogger(DBEventLogger):
    """Superset's logger, without the values: its own keeps every filter, with the names of children in it."""

    def log_with_context(self, action: str, *args: Any, **named: Any) -> None:
        """Superset's, but for the steps that are not kept anyway."""
        if action not in _NOISE:
            super().log_with_context(action, *args, **named)

    def log(
        self,
        user_id: int | None,
        action: str,
        dashboard_id: int | None,
        duration_ms: int | None,
        slice_id: int | None,
        referrer: str | None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Keep one line for each record that concerns a person."""
        if action in _NOISE:
            return
        records = kwargs.get("records") or [kwargs.get("curated_payload") or {}]
        kept = [kept_of(record) for record in records if isinstance(record, Mapping)]
        dashboard_id = dashboard_id or next((row["dashboard"] for row in kept if "dashboard" in row), None)
        super().log(
            user_id, action, dashboard_id, duration_ms, slice_id, None, *args,
            **{**kwargs, "records": kept, "curated_payload": None},
        )  # fmt: skip


def kept_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """A description of the request: dashboard, dataset, form of the answer, filtered columns, and people concerned."""
    form = _mapping(record.get("form_data"))
    source = _mapping(record.get("datasource"))
    queries = record.get("queries")
    conditions = list(_conditions(queries if isinstance(queries, list) else []))
    kept = {
        "dashboard": _number(form.get("dashboardId") or record.get("dashboard_id")),
        "chart": _number(record.get("pk")) if "/chart/" in str(record.get("url_rule")) else None,
        "dataset": _number(source.get("id")),
        "format": _word(record.get("result_format") or record.get("format")),
        "kind": _word(record.get("result_type")),
        "filtered": sorted({column for column, _ in conditions}),
        "people": _people(conditions),
    }
    return {name: value for name, value in kept.items() if value}


def _conditions(queries: Iterable[Any]) -> Iterable[tuple[str, list[str]]]:
    for query in queries:
        filters = query.get("filters") if isinstance(query, Mapping) else None
        for condition in filters if isinstance(filters, list) else []:
            column = condition.get("col") if isinstance(condition, Mapping) else None
            if isinstance(column, str) and column.isidentifier():
                value = condition.get("val")
                yield column, [str(one) for one in (value if isinstance(value, list) else [value])]


def _people(conditions: list[tuple[str, list[str]]]) -> list[str]:
    """Ids of the people that filters name. Unknown values are left out, so that no typed text is kept."""
    asked = {(column, value) for column, values in conditions if column in _PERSON_COLUMNS for value in values}
    if not asked or (folder := current(Home.from_environment())) is None:
        return []
    return sorted(_ids(folder.name, tuple(sorted(asked)[:_MOST_PEOPLE])))


@lru_cache(maxsize=4096)
def _ids(_publication: str, asked: tuple[tuple[str, str], ...]) -> frozenset[str]:
    from kodomo.determination.service import in_service

    person_ids: set[str] = set()
    try:
        with in_service(Home.from_environment()) as (connection, _):
            for column, value in asked:
                query = f"select person_id from warehouse.marts.bi_child where {column} = ?"  # noqa: S608  # listed names
                person_ids |= {row[0] for row in connection.execute(query, [value]).fetchall()}
    except (KodomoError, duckdb.Error):
        # The question itself is answered, or refused, elsewhere.
        return frozenset()
    return frozenset(person_ids)


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> int | None:
    return int(value) if str(value or "").isdigit() else None


def _word(value: Any) -> str | None:
    return value[:16] if isinstance(value, str) and value.isidentifier() else None


def note(action: str, user_id: int | None = None) -> None:
    """A line of its own in Superset's log: who did what when."""
    import datetime as dt

    from superset import db
    from superset.models.core import Log

    db.session.add(Log(action=action, json="{}", user_id=user_id, dttm=dt.datetime.now(dt.UTC).replace(tzinfo=None)))
    db.session.commit()

"""The record of a request in Superset's log: user, action, time; no value asked or answered."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from flask import g, has_request_context
from sqlalchemy.exc import SQLAlchemyError
from superset.utils.log import DBEventLogger

from kodomo.clock import now_utc
from superset_config.audit.chain import append

LOG_IN, LOG_IN_FAILED = "log_in", "log_in_failed"
# Telemetry of a page while it loads, and the steps of one answer, each of which Superset would commit.
_NOISE = frozenset(
    {
        "log", "LogRestApi.post", "execute_sql", "load_into_dataframe", "QueryObject.post_processing",
        "_get_data_response", "ChartDataRestApi.json_dumps", "DashboardFilterStateRestApi.post",
        "DashboardFilterStateRestApi.put", "DashboardFilterStateRestApi.get",
    }
)  # fmt: skip
# Lines of answers with data wait until the answer is there, for the people in it.
ANSWERED = frozenset({"ChartDataRestApi.data", "ChartDataRestApi.get_data", "Datasource.samples", "answer"})
GROUP = "people_group"
"""The action of a line that holds the people of a group, to which others refer."""


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
        from superset import db

        if action in _NOISE:
            return
        records = kwargs.get("records") or [kwargs.get("curated_payload") or {}]
        kept = [kept_of(record) for record in records if isinstance(record, Mapping)]
        dashboard_id = dashboard_id or next((row["dashboard"] for row in kept if "dashboard" in row), None)
        if action in ANSWERED and has_request_context():
            lines = g.setdefault("kodomo_lines", [])
            lines += [
                {
                    "action": action, "user_id": user_id, "kept": row, "dashboard_id": dashboard_id,
                    "slice_id": slice_id, "duration_ms": duration_ms,
                }
                for row in kept
            ]  # fmt: skip
            return
        try:
            for row in kept:
                write_line(action, user_id, row, dashboard_id, slice_id, duration_ms)
        except SQLAlchemyError as error:
            # As Superset's: what was asked for is answered all the same.
            logging.getLogger(__name__).error("a line is not in the log", exc_info=error)
            db.session.rollback()


def deferred_lines() -> list[dict[str, Any]]:
    """The lines of this request that wait for its answer; each is handed out once."""
    return g.pop("kodomo_lines", [])


def kept_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """A description of the request: dashboard, dataset, form of the answer, filtered columns, and people concerned."""
    form = _mapping(record.get("form_data"))
    # The menu of a chart sends the whole question within a form.
    if isinstance(form.get("queries"), list):
        record = {**record, **form}
    source = _mapping(record.get("datasource"))
    kept = {
        "dashboard": _number(form.get("dashboardId") or record.get("dashboard_id")),
        "chart": _number(record.get("pk")) if "/chart/" in str(record.get("url_rule")) else None,
        "dataset": _number(source.get("id")),
        "format": _word(record.get("result_format") or record.get("format")),
        "kind": _word(record.get("result_type")),
        "filtered": sorted({column for column, _ in conditions_of(record) if column.isidentifier()}),
    }
    return {name: value for name, value in kept.items() if value}


def conditions_of(body: Any) -> list[tuple[str, list[str]]]:
    """Column and values of every filter of a question for chart data, or of the records behind a figure."""
    if not isinstance(body, Mapping):
        return []
    queries = body.get("queries")
    conditions = []
    for query in [body, *(queries if isinstance(queries, list) else [])]:
        filters = query.get("filters") if isinstance(query, Mapping) else None
        for condition in filters if isinstance(filters, list) else []:
            column = condition.get("col") if isinstance(condition, Mapping) else None
            if isinstance(column, str):
                value = condition.get("val")
                conditions.append((column, [str(one) for one in (value if isinstance(value, list) else [value])]))
    return conditions


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
    write_line(action, user_id, {})


def write_line(
    action: str, user_id: int | None, kept: Mapping[str, Any], dashboard_id: int | None = None,
    slice_id: int | None = None, duration_ms: int | None = None,
) -> None:  # fmt: skip
    """Write a line of Superset's log, with what is kept of a request, and chain it."""
    from superset import db
    from superset.models.core import Log

    session = db.session
    line = Log(
        action=action, json=json.dumps(kept), user_id=None if user_id is None else int(user_id),
        dashboard_id=dashboard_id or kept.get("dashboard"), slice_id=slice_id, duration_ms=duration_ms, dttm=now_utc(),
    )  # fmt: skip
    session.add(line)
    session.flush()
    append(session.connection(), line)
    session.commit()

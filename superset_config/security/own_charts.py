"""Charts and dashboards that staff make themselves: each is its author's alone, and no file's is changed by a request.

Superset shows a chart to all who may query its table. Here its ORM is asked for less (SQLAlchemy's documented events):
in a request, whatever page or list asks, there are the charts and dashboards that files describe and the user's own.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, has_request_context, request
from sqlalchemy import event, inspect, or_
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from kodomo.access.access import read_access
from superset_config.security.files import note_refusal, user_roles
from superset_config.security.web import refused

NOT_ALLOWED_JA = "保存できるのは、分析用の表を使った、自分だけが見る図表とダッシュボードです。公開や共有はできません。"
_IMPORTS = ("/api/v1/chart/import", "/api/v1/dashboard/import")


class NotOwnError(Exception):
    """A change that would show a chart to others, or that is not the user's to make."""

    def __init__(self) -> None:
        super().__init__(NOT_ALLOWED_JA)


def install(app: Flask) -> None:
    """Restrict what requests read and write of charts and dashboards."""
    from superset import db

    for name, handler in (("do_orm_execute", only_own), ("before_flush", reject_what_is_not_own)):
        if not event.contains(db.session, name, handler):
            event.listen(db.session, name, handler)

    @app.before_request
    def reject_imports() -> Response | None:
        # They have the permission of a change, and would bring charts that look like a file's.
        return refused() if request.path.startswith(_IMPORTS) else None


def only_own(state: ORMExecuteState) -> None:
    """Leave charts and dashboards of others out of every SELECT of a request."""
    if not state.is_select or state.is_column_load or not has_request_context() or g.get("kodomo_reads_account"):
        return
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    user_id = _user_id()
    for model in (Slice, Dashboard):
        visible = or_(model.is_managed_externally.is_(True), model.created_by_fk == user_id)
        state.statement = state.statement.options(with_loader_criteria(model, visible, include_aliases=True))


def reject_what_is_not_own(session: Session, *_: Any) -> None:
    """Raise NotOwnError unless charts and dashboards that a request changes are the user's and seen by nobody else."""
    if not has_request_context():
        return
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    with session.no_autoflush:
        user_id = _user_id()
        for changed in [*session.new, *session.dirty, *session.deleted]:
            if isinstance(changed, (Slice, Dashboard)) and not _may_change(session, changed, user_id):
                note_refusal(NOT_ALLOWED_JA)
                raise NotOwnError


def _may_change(session: Session, changed: Any, user_id: int | None) -> bool:
    if _is_managed(changed):
        return changed not in session.deleted and not _is_modified(session, changed)
    is_own = user_id is not None and (changed in session.new or changed.created_by_fk == user_id)
    if not is_own or changed in session.deleted:
        return is_own
    return _is_kept_private(changed, user_id) and _is_about_tables_to_explore(session, changed)


def _is_managed(changed: Any) -> bool:
    history = inspect(changed).attrs.is_managed_externally.history
    return bool(changed.is_managed_externally) or any(history.deleted or ())


def _is_modified(session: Session, changed: Any) -> bool:
    """Whether anything of it but the dashboards that a chart stands on is changed: these may be of staff."""
    from superset.models.slice import Slice

    if not isinstance(changed, Slice):
        return session.is_modified(changed)
    has_columns_changed = session.is_modified(changed, include_collections=False)
    return has_columns_changed or inspect(changed).attrs.owners.history.has_changes()


def _is_kept_private(changed: Any, user_id: int) -> bool:
    """One owner, and for a dashboard no reader, role or address of its own: a role on it would open its tables."""
    if {owner.id for owner in changed.owners} - {user_id}:
        return False
    return not any(getattr(changed, name, None) for name in ("published", "roles", "slug", "embedded", "external_url"))


def _is_about_tables_to_explore(session: Session, changed: Any) -> bool:
    """Whether a chart, or all charts of a dashboard, ask tables that an audience of the user may explore."""
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.slice import Slice

    is_chart = isinstance(changed, Slice)
    # What a file describes has the charts that the file says.
    if is_chart and any(board.is_managed_externally for board in changed.dashboards):
        return False
    charts = [changed] if is_chart else changed.slices
    if any(chart.datasource_type != "table" for chart in charts):
        return False
    names = dict(session.query(SqlaTable.id, SqlaTable.table_name).filter(SqlaTable.is_managed_externally.is_(True)))
    return {names.get(chart.datasource_id) for chart in charts} <= _tables_to_explore()


def _tables_to_explore() -> set[str]:
    from superset import security_manager

    access, roles = read_access(), set(user_roles(security_manager))
    audiences = [one for one in access.audiences.values() if one.may_explore and one.role in roles]
    return {table.name for audience in audiences for table in access.tables_of(audience.name)}


def _user_id() -> int | None:
    """The user of the request; reading the account is no question about charts."""
    from superset.utils.core import get_user_id

    g.kodomo_reads_account = True
    try:
        return get_user_id()
    finally:
        g.kodomo_reads_account = False

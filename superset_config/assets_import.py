"""Bring Superset's assets to what the files say, inside the caller's transaction.

``import_assets`` adds, changes and deletes, and commits nothing: the caller applies the rules of access
in the same transaction, so that a dashboard is never visible without its rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kodomo.access.access import read_access
from kodomo.errors import KodomoError
from superset_config.asset_audiences import for_audiences
from superset_config.asset_files import (
    Assets,
    asset_uuid,
    chart_config,
    dashboard_config,
    database_config,
    dataset_config,
    problems,
    query,
    read_assets,
)


@dataclass
class AssetChanges:
    """What an import did (or, rolled back, would do): titles by kind of asset."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.created or self.changed or self.deleted)


def import_assets() -> AssetChanges:
    """Make database, datasets, charts and dashboards what the files say; delete those that the files lack.

    Dashboards are made for every audience of access.yml, on the tables that publishing gives it.
    Needs an app context, and roles that exist already. Flushes, never commits. Raises KodomoError when the
    files do not fit together, or a dashboard names a role that does not exist.
    """
    from superset import db

    access = read_access()
    files = read_assets()
    if mistakes := problems(files, set(access.audiences), set(access.tables), access.tables_for_pages):
        raise KodomoError("The dashboards cannot be applied:\n  {problems}", problems="\n  ".join(mistakes))
    assets = for_audiences(files, access)
    before = _snapshot()
    with db.session.no_autoflush:
        database_id = _import_database(assets)
        datasets = _import_datasets(assets, database_id)
        charts = _import_charts(assets, datasets)
        _import_dashboards(assets, charts, datasets)
    db.session.flush()
    _delete_what_is_gone(assets)
    db.session.flush()
    db.session.expire_all()
    return _difference(before, _snapshot())


def _import_database(assets: Assets) -> int:
    from superset import db
    from superset.commands.database.importers.v1.utils import import_database

    database = import_database(database_config(assets), overwrite=True, ignore_permissions=True)
    db.session.flush()
    return database.id


def _import_datasets(assets: Assets, database_id: int) -> dict[str, dict[str, Any]]:
    from superset import db
    from superset.commands.dataset.importers.v1.utils import import_dataset

    imported = {}
    for dataset in assets.datasets.values():
        config = {**dataset_config(assets, dataset), "database_id": database_id}
        table = import_dataset(config, overwrite=True, ignore_permissions=True)
        db.session.flush()
        imported[str(table.uuid)] = {
            "datasource_id": table.id,
            "datasource_type": table.datasource_type,
            "datasource_name": table.table_name,
        }
    return imported


def _import_charts(assets: Assets, datasets: dict[str, dict[str, Any]]) -> dict[str, int]:
    from superset import db
    from superset.commands.chart.importers.v1.utils import import_chart
    from superset.commands.utils import update_chart_config_dataset
    from superset.utils import json

    imported = {}
    for chart in assets.charts.values():
        config = chart_config(chart)
        source = datasets[config["dataset_uuid"]]
        config["query_context"] = json.dumps(
            {
                "datasource": {"id": source["datasource_id"], "type": source["datasource_type"]},
                "force": False,
                "queries": [query(chart)],
                "result_format": "json",
                "result_type": "full",
            }
        )
        config = update_chart_config_dataset(config, source)
        slice_ = import_chart(config, overwrite=True, ignore_permissions=True)
        # An id can be worked out, and taken by a chart of staff before a file has it.
        slice_.owners = []
        db.session.flush()
        imported[str(slice_.uuid)] = slice_.id
    return imported


def _import_dashboards(assets: Assets, charts: dict[str, int], datasets: dict[str, dict[str, Any]]) -> None:
    from superset import db, security_manager
    from superset.commands.dashboard.importers.v1.utils import import_dashboard, update_id_refs
    from superset.models.slice import Slice

    now = datetime.now()
    for dashboard in assets.dashboards.values():
        config = update_id_refs(dashboard_config(assets, dashboard), charts, datasets)
        model = import_dashboard(config, overwrite=True, ignore_permissions=True)
        model.owners = []
        db.session.flush()
        ids = [charts[asset_uuid("chart", key)] for key in dashboard.charts()]
        model.slices = db.session.query(Slice).filter(Slice.id.in_(ids)).order_by(Slice.id).all()
        roles = {name: security_manager.find_role(name) for name in dashboard.roles}
        if missing := sorted(name for name, role in roles.items() if role is None):
            raise KodomoError(
                "Dashboard {slug} names roles that do not exist: {names}", slug=dashboard.slug, names=", ".join(missing)
            )
        model.roles = list(roles.values())
        # The list of dashboards begins with what was changed last.
        model.changed_on = now - timedelta(seconds=dashboard.order)


def _delete_what_is_gone(assets: Assets) -> None:
    """Delete managed assets that no file describes any more: dashboards first, then what they stood on."""
    from superset import db
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    wanted = {
        Dashboard: {asset_uuid("dashboard", name) for name in assets.dashboards},
        Slice: {asset_uuid("chart", key) for key in assets.charts},
        SqlaTable: {asset_uuid("dataset", name) for name in assets.datasets},
    }
    for model, uuids in wanted.items():
        for asset in db.session.query(model).filter(model.is_managed_externally.is_(True)):
            if str(asset.uuid) not in uuids:
                if model is Dashboard:
                    asset.slices, asset.roles, asset.owners = [], [], []
                db.session.delete(asset)
        db.session.flush()


def _snapshot() -> dict[tuple[str, str], tuple[str, str]]:
    """Every managed asset as it stands: (kind, uuid) -> (title, content)."""
    from superset import db
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    state = {}
    for table in db.session.query(SqlaTable).filter(SqlaTable.is_managed_externally.is_(True)):
        columns = sorted((c.column_name, c.verbose_name or "", c.type or "") for c in table.columns)
        metrics = sorted((m.metric_name, m.verbose_name or "", m.expression, m.d3format or "") for m in table.metrics)
        state["dataset", str(table.uuid)] = (table.table_name, repr((columns, metrics, table.schema)))
    for chart in db.session.query(Slice).filter(Slice.is_managed_externally.is_(True)):
        content = (chart.slice_name, chart.viz_type, chart.params, chart.query_context, chart.description)
        state["chart", str(chart.uuid)] = (chart.slice_name, repr(content))
    for board in db.session.query(Dashboard).filter(Dashboard.is_managed_externally.is_(True)):
        content = (
            board.dashboard_title,
            board.position_json,
            board.css,
            board.json_metadata,
            sorted(role.name for role in board.roles),
            sorted(chart.id for chart in board.slices),
        )
        state["dashboard", str(board.uuid)] = (board.dashboard_title, repr(content))
    return state


def _difference(
    before: dict[tuple[str, str], tuple[str, str]], after: dict[tuple[str, str], tuple[str, str]]
) -> AssetChanges:
    changes = AssetChanges()
    for key in sorted(before.keys() | after.keys()):
        kind = key[0]
        if key not in before:
            changes.created.append(f"{kind} {after[key][0]}")
        elif key not in after:
            changes.deleted.append(f"{kind} {before[key][0]}")
        elif before[key][1] != after[key][1]:
            changes.changed.append(f"{kind} {after[key][0]}")
    return changes

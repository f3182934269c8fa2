"""dbt's exposures of the dashboards: ``models/exposures.yml``, made of the files under ``assets``.

``python -m superset_config.exposures`` writes it again after a change of a dashboard; a test compares.
"""

from __future__ import annotations

from typing import Any

import yaml

from kodomo.access.access import read_access
from kodomo.home import PROJECT
from superset_config.asset_files import BI_MODELS, Assets, Dashboard, columns_in, read_assets, read_models

EXPOSURES = PROJECT / "models" / "exposures.yml"
_HEADING = "# Made of the dashboards by `python -m superset_config.exposures`; do not edit.\n"


def columns_shown(assets: Assets, dashboard: Dashboard) -> dict[str, list[str]]:
    """By dataset: the columns that the dashboard's charts and filters ask for, sorted."""
    columns: dict[str, set[str]] = {}
    for chart in (assets.charts[key] for key in dashboard.charts()):
        dataset = assets.datasets[chart.dataset]
        names = chart.columns()
        for metric in chart.metrics():
            names |= columns_in(dataset.metrics[metric]["expression"])
        # A name in a chart may be a metric's.
        columns.setdefault(dataset.name, set()).update(names & dataset.columns.keys())
    for definition in (assets.filters[key] for key in dashboard.filters):
        columns.setdefault(definition["dataset"], set()).add(definition["column"])
    return {name: sorted(columns[name]) for name in sorted(columns)}


def exposures(assets: Assets) -> dict[str, Any]:
    """The exposures of all dashboards that show models; those of live tables depend on none."""
    models, access = read_models(BI_MODELS), read_access()
    overseer = access.overseeing_department
    entries = []
    for slug, dashboard in sorted(assets.dashboards.items()):
        shown = {name: columns for name, columns in columns_shown(assets, dashboard).items() if name in models}
        if not shown:
            continue
        entries.append(
            {
                "name": f"dashboard_{slug.replace('-', '_')}",
                "label": dashboard.title,
                "type": "dashboard",
                "maturity": "high",
                "url": f"/superset/dashboard/{slug}/",
                "description": dashboard.description,
                "owner": {"name": access.departments_ja[overseer]},
                "depends_on": [f"ref('{name}')" for name in shown],
                "config": {"meta": {"audiences": list(dashboard.audiences), "columns": shown}},
            }
        )
    return {"version": 2, "exposures": entries}


def exposures_yaml() -> str:
    """The text of ``models/exposures.yml``."""
    return _HEADING + yaml.safe_dump(exposures(read_assets()), allow_unicode=True, sort_keys=False, width=120)


if __name__ == "__main__":
    EXPOSURES.write_text(exposures_yaml(), encoding="utf-8")

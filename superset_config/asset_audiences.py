"""The dashboards as each audience has them.

A chart is written once, for those who see everything. Publishing gives each audience tables of its own, without the
columns it may not see (access.yml); here every dashboard is made again on those tables, without what they lack.
Audiences whose tables are the same share a dashboard.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from kodomo.access.access import Access, PublishedTable
from superset_config.asset_files import Assets, Chart, Dashboard, Dataset

MIN_TABLE_COLUMNS = 2


def for_audiences(assets: Assets, access: Access) -> Assets:
    """All dashboards for all audiences: datasets are published tables, roles those of the audiences.

    A chart is left out where the audience has no table for it, or where a column it cannot do without is cut; a
    dashboard, where no chart remains.
    """
    datasets = {
        table.name: _dataset(assets.datasets[table.source], table)
        for table in access.published_tables()
        if table.source in assets.datasets
    }
    charts: dict[str, Chart] = {}
    dashboards: dict[str, Dashboard] = {}
    filters: dict[str, dict[str, Any]] = {}
    for dashboard in assets.dashboards.values():
        for audience in (access.audiences[name] for name in dashboard.audiences):
            tables = {table.source: table.name for table in access.tables_of(audience.name)}
            pages = [page.name for page in access.entry_pages.values() if page.may_include(audience)]
            here = {key: _chart(assets.charts[key], datasets, tables) for key in dashboard.charts()}
            shown = {key: chart for key, chart in here.items() if chart is not None}
            if dashboard.charts() and not shown:
                continue
            # A dashboard for one audience needs no suffix to distinguish it.
            alone = len(dashboard.audiences) == 1
            suffix = "" if alone else _suffix(shown, audience.suffix)
            slug = f"{dashboard.slug}-{suffix}" if suffix else dashboard.slug
            if slug in dashboards:
                dashboards[slug].roles.append(audience.role)
                continue
            keys = {}
            for key, chart in shown.items():
                name = f"{key}@{chart.dataset}"
                charts[name] = replace(chart, key=name)
                keys[key] = name
            filter_keys = []
            for key in dashboard.filters:
                definition = assets.filters[key]
                table = tables.get(definition["dataset"])
                if table is None or definition["column"] not in datasets[table].columns:
                    continue
                name = f"{key}@{table}"
                filters[name] = {**definition, "dataset": table}
                if definition.get("sort_by") not in datasets[table].metrics:
                    filters[name].pop("sort_by", None)
                filter_keys.append(name)
            dashboards[slug] = replace(
                dashboard,
                slug=slug,
                title=_title(dashboard.title, audience.label_ja) if suffix else dashboard.title,
                roles=[audience.role],
                filters=filter_keys,
                rows=_rows(dashboard.rows, keys, pages),
            )
    return replace(assets, datasets=datasets, charts=charts, dashboards=dashboards, filters=filters)


def _title(title: str, audience: str) -> str:
    """The title with the audience behind it: a bracket within the bracket becomes a dot."""
    return f"{title}（{audience.replace('（', '・').replace('）', '')}）"


def _suffix(charts: Mapping[str, Chart], suffix: str) -> str:
    """The suffix that distinguishes an audience's dashboard; empty if none of its tables is the audience's own."""
    return suffix if any("__" in chart.dataset for chart in charts.values()) else ""


def _dataset(dataset: Dataset, table: PublishedTable) -> Dataset:
    names = set(dataset.columns) - set(table.grant.without)
    return dataset.with_columns(table.name, names)


def _chart(chart: Chart, datasets: Mapping[str, Dataset], tables: Mapping[str, str]) -> Chart | None:
    """The chart on the audience's table, without the columns that it lacks; None where nothing useful remains."""
    table = tables.get(chart.dataset)
    if table is None:
        return None
    dataset = datasets[table]
    params = dict(chart.params)
    if any(condition["subject"] not in dataset.columns for condition in chart.filters):
        return None
    needed = [params.get(key) for key in ("x_axis", "source", "target")]
    if any(column and column not in dataset.columns for column in needed):
        return None
    if params.get("metric") and params["metric"] not in dataset.metrics:
        return None
    for key in ("all_columns", "groupby", "groupbyRows", "groupbyColumns"):
        if params.get(key):
            params[key] = [column for column in params[key] if column in dataset.columns]
    if params.get("metrics"):
        params["metrics"] = [metric for metric in params["metrics"] if metric in dataset.metrics]
        if not params["metrics"]:
            return None
    if chart.params.get("all_columns") and len(params["all_columns"]) < MIN_TABLE_COLUMNS:
        return None
    if chart.params.get("groupby") and not params["groupby"]:
        return None
    for key in ("timeseries_limit_metric", "x_axis_sort"):
        if params.get(key) and params[key] not in dataset.metrics and params[key] not in dataset.columns:
            del params[key]
    if "order_by" in params:
        known = set(dataset.columns) | set(dataset.metrics)
        params["order_by"] = [pair for pair in params["order_by"] if pair[0] in known]
    return replace(chart, dataset=table, params=params)


def _rows(
    rows: list[list[dict[str, Any]]], keys: Mapping[str, str], pages: Collection[str]
) -> list[list[dict[str, Any]]]:
    """The rows with the charts that remain, and the texts whose chart and page do; what is left of a row fills it."""
    remaining = []
    for row in rows:
        cells = [
            {**cell, "chart": keys[cell["chart"]]} if "chart" in cell else dict(cell)
            for cell in row
            if cell.get("chart", cell.get("beside")) in {None, *keys} and cell.get("page") in {None, *pages}
        ]
        if not cells:
            continue
        width = sum(cell["width"] for cell in row)
        share = width // len(cells)
        if len(cells) < len(row):
            cells = [{**cell, "width": share} for cell in cells]
            cells[-1]["width"] = width - share * (len(cells) - 1)
        remaining.append(cells)
    return remaining

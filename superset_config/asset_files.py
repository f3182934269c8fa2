"""The dashboards as files: read, checked, and turned into what Superset's importer takes. Needs no Superset.

A dashboard names charts and filters, a chart a dataset, a dataset the columns of a dbt model: labels and
types of columns come from the model's yml (``label_ja``, ``data_type``) and stand nowhere else.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import sqlglot
import yaml
from sqlglot import expressions as exp

from kodomo.home import PROJECT
from kodomo.parameters import colours, labels

ASSETS = PROJECT / "superset_config" / "assets"
BI_MODELS = PROJECT / "models" / "marts" / "bi"
LIVE = ASSETS / "live"
"""Tables that no run makes: they are computed at request time, with the same yml as a model."""
# Ids of assets follow from their names: the same file is the same asset on every server.
NAMESPACE = uuid.UUID("6f0f6f5e-7b0a-5d5e-9a53-2d1c5b0f4a11")
VERSION = "1.0.0"


def by_label(name: str) -> dict[str, str]:
    """Label → colour of a list of codes: Superset colours a series by what it is called."""
    return dict(zip(labels(name).values(), colours(name).values(), strict=True))


TIER_COLOURS = {
    **{f"{tier}_children": colour for tier, colour in colours("tier").items()},
    **by_label("tier"),
    "未判定": "#b8c0c8",
}
FAMILY_COLOURS = {
    "本人": "#c8102e",
    "父": "#2f6690",
    "母": "#d1739c",
    "親": "#7d6b91",
    "きょうだい": "#f0a202",
    "祖父母": "#5b8c5a",
    "その他の親族・元家族": "#8d99a6",
}
CHAIN_COLOURS = {
    **{f"{chain_type}ly_chained_children": colour for chain_type, colour in colours("chain_type").items()},
    **by_label("chain_type"),
}
MEETING_COLOURS = {
    **{f"class_{name.lower()}_children": colour for name, colour in colours("priority_class").items()},
    **by_label("decision"),
    "下がった": "#3d7d5a",
    "変わらない": "#b8c0c8",
    "上がった": "#c8102e",
    "支援の後の判定待ち": "#e6d7a8",
    "支援の前の判定なし": "#dfe3e7",
}
# None of them is a tier's; apart for the colour-blind too.
DIFFICULTY_COLOURS = {
    "総合": "#465464",
    "虐待": "#0072b2",
    "貧困": "#8c564b",
    "不登校": "#009e73",
    "ヤングケアラー": "#cc79a7",
    "産後うつ": "#56b4e9",
}
CHECK_COLOURS = {**colours("check_status"), **by_label("check_status")}
COLOURS = {
    **TIER_COLOURS,
    **CHAIN_COLOURS,
    **FAMILY_COLOURS,
    **MEETING_COLOURS,
    **DIFFICULTY_COLOURS,
    **CHECK_COLOURS,
}
"""The same thing has the same colour on every page."""
_JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
_TYPES = {
    "varchar": "VARCHAR",
    "integer": "INTEGER",
    "decimal": "DECIMAL",
    "date": "DATE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
}


def asset_uuid(kind: str, name: str) -> str:
    """The id of an asset, the same everywhere. ``kind``: database, dataset, chart, dashboard or filter."""
    return str(uuid.uuid5(NAMESPACE, f"{kind}/{name}"))


@dataclass(frozen=True)
class Column:
    """A column of a BI model: name, Japanese label, type (varchar, integer, decimal, date, boolean)."""

    name: str
    label: str
    data_type: str


@dataclass(frozen=True)
class Dataset:
    """A physical table of the published file, with the metrics that charts may use."""

    name: str
    label: str
    columns: dict[str, Column]
    metrics: dict[str, dict[str, Any]]
    main_date: str | None = None
    cache_timeout: int | None = None
    """Seconds that a result may be kept; -1 for never, None for Superset's own."""

    def with_columns(self, table: str, names: set[str]) -> Dataset:
        """The same dataset as an audience has it: named ``table``, with the columns ``names`` only."""
        metrics = {name: metric for name, metric in self.metrics.items() if columns_in(metric["expression"]) <= names}
        return Dataset(
            table,
            self.label,
            {n: c for n, c in self.columns.items() if n in names},
            metrics,
            self.main_date,
            self.cache_timeout,
        )


@dataclass(frozen=True)
class Chart:
    """One chart file. ``key`` is its path below ``charts/`` without the ending."""

    key: str
    title: str
    dataset: str
    viz_type: str
    params: dict[str, Any]
    description: str = ""

    @property
    def filters(self) -> list[dict[str, Any]]:
        """The chart's own conditions, each with subject, operator and comparator."""
        return self.params.get("adhoc_filters", [])

    def columns(self) -> set[str]:
        """Every column that the chart asks for (a name in ``order_by`` may be a metric's)."""
        names = {condition["subject"] for condition in self.filters}
        for key in ("groupby", "all_columns", "groupbyRows", "groupbyColumns"):
            value = self.params.get(key, [])
            names |= set(value if isinstance(value, list) else [value])
        names |= {
            self.params[key]
            for key in ("x_axis", "source", "target", "source_category", "target_category")
            if self.params.get(key)
        }
        return names

    def metrics(self) -> set[str]:
        """Every saved metric that the chart asks for."""
        names = set(self.params.get("metrics", []))
        names |= {self.params[key] for key in ("metric", "timeseries_limit_metric") if self.params.get(key)}
        return names


@dataclass(frozen=True)
class Dashboard:
    """One dashboard file: rows of charts and texts, native filters, and the audiences (access.yml) that see it.

    A text with ``beside`` stands there for those only who see that chart, one with ``page`` for those who may open that
    page of access.yml.
    """

    slug: str
    title: str
    description: str
    audiences: list[str]
    filters: list[str]
    rows: list[list[dict[str, Any]]]
    roles: list[str] = field(default_factory=list)
    order: int = 99
    css: str = ""
    color_scheme: str = "supersetColors"

    def charts(self) -> list[str]:
        """Keys of its charts, as they stand on the page."""
        return [cell["chart"] for row in self.rows for cell in row if "chart" in cell]


@dataclass
class Assets:
    """All assets of the project."""

    database: dict[str, Any]
    datasets: dict[str, Dataset]
    charts: dict[str, Chart]
    dashboards: dict[str, Dashboard]
    filters: dict[str, dict[str, Any]]
    models: dict[str, dict[str, Column]] = field(default_factory=dict)

    @cached_property
    def schema(self) -> str:
        """Schema of the tables in the published file."""
        return self.database["schema"]


@lru_cache
def read_models(folder: Path = BI_MODELS) -> dict[str, tuple[str, dict[str, Column]]]:
    """The ``bi_`` models: name -> (Japanese label, columns by name), as their yml declares them."""
    models = {}
    for path in sorted(folder.glob("*.yml")):
        for model in _load(path).get("models", []):
            if model["name"].startswith("bi_"):
                columns = {
                    column["name"]: Column(
                        column["name"],
                        column.get("config", {}).get("meta", {}).get("label_ja", ""),
                        column.get("data_type", ""),
                    )
                    for column in model["columns"]
                }
                label = model.get("config", {}).get("meta", {}).get("label_ja", "")
                models[model["name"]] = (label, columns)
    return models


def read_assets(folder: Path = ASSETS, models_folder: Path = BI_MODELS) -> Assets:
    """Everything below ``folder``. Raises KeyError or ValueError for a file that lacks what it must have."""
    models = {**read_models(models_folder), **(read_models(folder / "live") if (folder / "live").exists() else {})}
    defaults = _load(folder / "defaults.yml")
    datasets = {}
    for path in sorted((folder / "datasets").glob("*.yml")):
        content = _load(path)
        label, columns = models.get(path.stem, ("", {}))
        datasets[path.stem] = Dataset(
            path.stem,
            label,
            columns,
            content.get("metrics", {}),
            content.get("main_date"),
            content.get("cache_timeout"),
        )
    charts = {}
    for path in sorted((folder / "charts").rglob("*.yml")):
        content = _load(path)
        key = path.relative_to(folder / "charts").with_suffix("").as_posix()
        params = {**defaults.get(content["viz_type"], {}), **content.get("params", {})}
        charts[key] = Chart(
            key,
            content["title"],
            content["dataset"],
            content["viz_type"],
            params,
            content.get("description", ""),
        )
    common = (folder / "common.css").read_text(encoding="utf-8")
    dashboards = {}
    for path in sorted((folder / "dashboards").glob("*.yml")):
        content = _load(path)
        style = content.pop("style", None)
        css = common + ((folder / style).read_text(encoding="utf-8") if style else "")
        dashboards[path.stem] = Dashboard(**content, css=css)
    return Assets(
        database=_load(folder / "databases" / "kodomo.yml"),
        datasets=datasets,
        charts=charts,
        dashboards=dashboards,
        filters=_load(folder / "filters.yml"),
        models={name: columns for name, (_, columns) in models.items()},
    )


def columns_in(expression: str) -> set[str]:
    """Names of the columns that a metric's SQL reads."""
    return {column.name for column in sqlglot.parse_one(expression, dialect="duckdb").find_all(exp.Column)}


# The gate


def problems(assets: Assets, audiences: set[str], secured: set[str], for_pages: Collection[str] = ()) -> list[str]:
    """What would break or mislead once it is shipped: empty when all is well.

    ``audiences``: those of access.yml. ``secured``: the tables that it has a rule for. ``for_pages``: those that only
    the pages read.
    """
    mistakes = [
        *_dataset_problems(assets, secured),
        *_chart_problems(assets),
        *_dashboard_problems(assets, audiences),
        *_filter_problems(assets),
        *_orphans(assets, for_pages),
        *_duplicates(assets),
        *_untranslated(assets),
    ]
    return sorted(mistakes)


def _dataset_problems(assets: Assets, secured: set[str]) -> list[str]:
    mistakes = []
    for name, dataset in assets.datasets.items():
        if name not in assets.models:
            mistakes.append(f"dataset {name}: no dbt model of this name has a yml entry")
            continue
        for metric, definition in dataset.metrics.items():
            for column in sorted(columns_in(definition["expression"]) - set(dataset.columns)):
                mistakes.append(f"dataset {name}: metric {metric} reads {column}, which the model lacks")
        for column in dataset.columns.values():
            if column.data_type not in _TYPES:
                mistakes.append(f"dataset {name}: column {column.name} has no data_type that is known")
        if dataset.main_date and dataset.main_date not in dataset.columns:
            mistakes.append(f"dataset {name}: main_date {dataset.main_date} is no column")
    if secured is not None:
        mistakes += [f"model {name}: no rule of access covers it" for name in sorted(set(assets.models) - secured)]
    return mistakes


def _chart_problems(assets: Assets) -> list[str]:
    mistakes = []
    for key, chart in assets.charts.items():
        dataset = assets.datasets.get(chart.dataset)
        if dataset is None:
            mistakes.append(f"chart {key}: dataset {chart.dataset} does not exist")
            continue
        known = set(dataset.columns)
        mistakes += [f"chart {key}: column {n} is not in {chart.dataset}" for n in sorted(chart.columns() - known)]
        mistakes += [
            f"chart {key}: metric {n} is not in {chart.dataset}" for n in sorted(chart.metrics() - set(dataset.metrics))
        ]
        mistakes += [
            f"chart {key}: it is sorted by {n}, which {chart.dataset} lacks"
            for n, _ in chart.params.get("order_by", [])
            if n not in known | set(dataset.metrics)
        ]
    return mistakes


def _dashboard_problems(assets: Assets, audiences: set[str]) -> list[str]:
    mistakes = []
    for name, dashboard in assets.dashboards.items():
        if name != dashboard.slug:
            mistakes.append(f"dashboard {name}: its slug is {dashboard.slug}")
        mistakes += [
            f"dashboard {name}: chart {key} does not exist" for key in dashboard.charts() if key not in assets.charts
        ]
        mistakes += [
            f"dashboard {name}: filter {key} does not exist" for key in dashboard.filters if key not in assets.filters
        ]
        if not dashboard.audiences:
            mistakes.append(f"dashboard {name}: no audience sees it")
        mistakes += [
            f"dashboard {name}: audience {audience} does not exist"
            for audience in dashboard.audiences
            if audience not in audiences
        ]
        mistakes += [
            f"dashboard {name}: a text stands beside {cell['beside']}, which is not on it"
            for row in dashboard.rows
            for cell in row
            if cell.get("beside", cell.get("chart")) not in {None, *dashboard.charts()}
        ]
        for row in dashboard.rows:
            if sum(cell["width"] for cell in row) > 12:
                mistakes.append(f"dashboard {name}: a row is wider than 12 columns")
    return mistakes


def _filter_problems(assets: Assets) -> list[str]:
    mistakes = []
    for key, definition in assets.filters.items():
        dataset = assets.datasets.get(definition["dataset"])
        if dataset is None or definition["column"] not in dataset.columns:
            mistakes.append(f"filter {key}: {definition['dataset']} has no column {definition['column']}")
        elif definition.get("sort_by") and definition["sort_by"] not in dataset.metrics:
            mistakes.append(f"filter {key}: {definition['dataset']} has no metric {definition['sort_by']}")
    return mistakes


def _orphans(assets: Assets, for_pages: Collection[str]) -> list[str]:
    used_charts = {key for dashboard in assets.dashboards.values() for key in dashboard.charts()}
    used_filters = {key for dashboard in assets.dashboards.values() for key in dashboard.filters}
    used_datasets = {chart.dataset for chart in assets.charts.values()}
    return [
        *(f"chart {key}: no dashboard shows it" for key in set(assets.charts) - used_charts),
        *(f"filter {key}: no dashboard has it" for key in set(assets.filters) - used_filters),
        *(f"dataset {key}: no chart uses it" for key in set(assets.datasets) - used_datasets),
        *(
            f"model {key}: no dataset file shows it"
            for key in set(assets.models) - set(assets.datasets) - set(for_pages)
        ),
        *(f"dataset {key}: only the pages read its table" for key in set(assets.datasets) & set(for_pages)),
    ]


def _duplicates(assets: Assets) -> list[str]:
    mistakes = []
    for dashboard in assets.dashboards.values():
        keys = dashboard.charts()
        titles = [assets.charts[key].title for key in keys if key in assets.charts]
        place = f"dashboard {dashboard.slug}"
        mistakes += [f"{place}: chart {key} stands on it twice" for key in set(keys) if keys.count(key) > 1]
        mistakes += [f"{place}: two charts are called {name}" for name in set(titles) if titles.count(name) > 1]
    titles = [dashboard.title for dashboard in assets.dashboards.values()]
    mistakes += [f"two dashboards are called {title}" for title in set(titles) if titles.count(title) > 1]
    return mistakes


def _untranslated(assets: Assets) -> list[str]:
    texts = {f"chart {key}": [chart.title, chart.params.get("subheader", "連")] for key, chart in assets.charts.items()}
    texts |= {
        f"dashboard {key}": [
            board.title,
            board.description,
            *(cell["text"] for row in board.rows for cell in row if "text" in cell),
        ]
        for key, board in assets.dashboards.items()
    }
    texts |= {f"filter {key}": [definition["label"]] for key, definition in assets.filters.items()}
    texts |= {f"dataset {key}": [dataset.label] for key, dataset in assets.datasets.items()}
    texts |= {
        f"dataset {key}, metric {name}": [metric["label"]]
        for key, dataset in assets.datasets.items()
        for name, metric in dataset.metrics.items()
    }
    texts |= {
        f"model {key}, column {column.name}": [column.label]
        for key, columns in assets.models.items()
        for column in columns.values()
    }
    return [
        f"{place}: a text has no Japanese in it"
        for place, values in texts.items()
        for value in values
        if not _JAPANESE.search(value)
    ]


# What superset takes


def database_config(assets: Assets) -> dict[str, Any]:
    """The database, as Superset's importer takes it: nothing may be run on it but charts."""
    return {
        "database_name": assets.database["database_name"],
        "sqlalchemy_uri": assets.database["sqlalchemy_uri"],
        "uuid": asset_uuid("database", "kodomo"),
        "expose_in_sqllab": False,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {"allows_virtual_table_explore": False, "disable_data_preview": True},
        "is_managed_externally": True,
        "version": VERSION,
    }


def dataset_config(assets: Assets, dataset: Dataset) -> dict[str, Any]:
    """A dataset: every column under its Japanese label, every metric with its number format."""
    return {
        "table_name": dataset.name,
        "schema": assets.schema,
        "main_dttm_col": dataset.main_date,
        "cache_timeout": dataset.cache_timeout,
        "description": dataset.label,
        "uuid": asset_uuid("dataset", dataset.name),
        "database_uuid": asset_uuid("database", "kodomo"),
        "is_managed_externally": True,
        "version": VERSION,
        "columns": [
            {
                "column_name": column.name,
                "verbose_name": column.label,
                "type": _TYPES[column.data_type],
                "is_dttm": column.data_type in {"date", "timestamp"},
                "groupby": True,
                "filterable": True,
                "is_active": True,
            }
            for column in dataset.columns.values()
        ],
        "metrics": [
            {
                "metric_name": name,
                "verbose_name": metric["label"],
                "expression": metric["expression"],
                "d3format": metric.get("format"),
            }
            for name, metric in dataset.metrics.items()
        ],
    }


def chart_config(chart: Chart) -> dict[str, Any]:
    """A chart with its query, so that the API answers for it without a browser."""
    return {
        "slice_name": chart.title,
        "description": chart.description or None,
        "viz_type": chart.viz_type,
        "params": form_data(chart),
        "query_context": None,
        "uuid": asset_uuid("chart", chart.key),
        "dataset_uuid": asset_uuid("dataset", chart.dataset),
        "is_managed_externally": True,
        "version": VERSION,
    }


def form_data(chart: Chart) -> dict[str, Any]:
    """The chart's settings in full, as the browser reads them."""
    params = {key: value for key, value in chart.params.items() if key not in {"adhoc_filters", "order_by"}}
    params["viz_type"] = chart.viz_type
    params["adhoc_filters"] = [_adhoc_filter(chart.key, condition) for condition in chart.filters]
    if "order_by" in chart.params:
        params["order_by_cols"] = [json.dumps(pair) for pair in chart.params["order_by"]]
    params.setdefault("extra_form_data", {})
    return params


def _adhoc_filter(key: str, condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "expressionType": "SIMPLE",
        "clause": "WHERE",
        "subject": condition["subject"],
        "operator": condition["operator"],
        "comparator": condition.get("comparator"),
        "filterOptionName": f"filter_{asset_uuid('filter', key + condition['subject'])[:8]}",
    }


def query(chart: Chart) -> dict[str, Any]:
    """The query object that the browser builds for the chart: columns, metrics, conditions, order, limit."""
    params = chart.params
    columns: list[Any] = []
    if chart.viz_type.startswith("echarts_timeseries") or chart.viz_type in {"waterfall", "heatmap_v2"}:
        columns.append(
            {
                "columnType": "BASE_AXIS",
                "sqlExpression": params["x_axis"],
                "label": params["x_axis"],
                "expressionType": "SQL",
            }
        )
    if params.get("query_mode") == "raw":
        columns += params["all_columns"]
    else:
        groupby = params.get("groupby", [])
        columns += groupby if isinstance(groupby, list) else [groupby]
    columns += params.get("groupbyRows", []) + params.get("groupbyColumns", [])
    columns += [params[k] for k in ("source", "target", "source_category", "target_category") if params.get(k)]
    metrics = list(params.get("metrics", []))
    metrics += [params[k] for k in ("metric", "timeseries_limit_metric") if params.get(k)]
    return {
        "columns": columns,
        # Superset groups by the columns where there is a list of metrics, be it empty.
        "metrics": None if params.get("query_mode") == "raw" else metrics,
        "filters": [{"col": c["subject"], "op": c["operator"], "val": c.get("comparator")} for c in chart.filters],
        "orderby": [list(pair) for pair in params.get("order_by", [])],
        "row_limit": params.get("row_limit", 1000),
    }


def dashboard_config(assets: Assets, dashboard: Dashboard) -> dict[str, Any]:
    """A dashboard: its page, native filters, and colours that mean the same on every page."""
    return {
        "dashboard_title": dashboard.title,
        "slug": dashboard.slug,
        "css": dashboard.css,
        "description": dashboard.description,
        "uuid": asset_uuid("dashboard", dashboard.slug),
        "published": True,
        "is_managed_externally": True,
        "version": VERSION,
        "position": _position(assets, dashboard),
        "metadata": {
            "native_filter_configuration": [
                _native_filter(dashboard, assets.filters[key], key) for key in dashboard.filters
            ],
            "chart_configuration": {},
            "global_chart_configuration": {
                "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
                "chartsInScope": [],
            },
            "cross_filters_enabled": True,
            "filter_bar_orientation": "HORIZONTAL",
            "label_colors": COLOURS,
            "map_label_colors": COLOURS,
            "shared_label_colors": list(COLOURS),
            "color_scheme": dashboard.color_scheme,
            "color_scheme_domain": [],
            "refresh_frequency": 0,
            "timed_refresh_immune_slices": [],
            "expanded_slices": {},
            "default_filters": "{}",
        },
    }


def _position(assets: Assets, dashboard: Dashboard) -> dict[str, Any]:
    rows = [f"ROW-{number}" for number in range(len(dashboard.rows))]
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": dashboard.title}},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "children": rows, "parents": ["ROOT_ID"]},
    }
    placeholder = 0
    for row_id, row in zip(rows, dashboard.rows, strict=True):
        children = []
        for number, cell in enumerate(row):
            size = {"width": cell["width"], "height": cell["height"]}
            if "chart" in cell:
                placeholder += 1
                chart = assets.charts[cell["chart"]]
                child = f"CHART-{asset_uuid('chart', chart.key)[:8]}"
                # The importer puts the server's own number in the place of the placeholder.
                meta = {
                    **size,
                    "chartId": placeholder,
                    "sliceName": chart.title,
                    "uuid": asset_uuid("chart", chart.key),
                }
                kind = "CHART"
            else:
                child, kind, meta = f"MARKDOWN-{row_id}-{number}", "MARKDOWN", {**size, "code": cell["text"]}
            position[child] = {
                "id": child,
                "type": kind,
                "children": [],
                "meta": meta,
                "parents": ["ROOT_ID", "GRID_ID", row_id],
            }
            children.append(child)
        position[row_id] = {
            "id": row_id,
            "type": "ROW",
            "children": children,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
            "parents": ["ROOT_ID", "GRID_ID"],
        }
    return position


def _native_filter(dashboard: Dashboard, definition: dict[str, Any], key: str) -> dict[str, Any]:
    default = definition.get("default")
    column = definition["column"]
    mask: dict[str, Any] = {"extraFormData": {}, "filterState": {}, "ownState": {}}
    if default:
        mask = {
            "extraFormData": {"filters": [{"col": column, "op": "IN", "val": [default]}]},
            "filterState": {"value": [default], "label": default},
            "ownState": {},
        }
    configuration = {
        "id": f"NATIVE_FILTER-{asset_uuid('filter', f'{dashboard.slug}/{key}')}",
        "name": definition["label"],
        "filterType": "filter_select",
        "type": "NATIVE_FILTER",
        "description": "",
        "targets": [{"datasetUuid": asset_uuid("dataset", definition["dataset"]), "column": {"name": column}}],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "cascadeParentIds": [],
        "defaultDataMask": mask,
        "controlValues": {
            "enableEmptyFilter": bool(definition.get("required")),
            "defaultToFirstItem": False,
            "multiSelect": not definition.get("single"),
            "searchAllOptions": bool(definition.get("search")),
            "inverseSelection": False,
            # Only existing values can be chosen; an unknown typed name would show an empty page.
            "creatable": False,
            "sortAscending": True,
        },
    }
    if definition.get("sort_by"):
        configuration["sortMetric"] = definition["sort_by"]
    return configuration


def _load(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}

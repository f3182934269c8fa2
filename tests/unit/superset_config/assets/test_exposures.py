"""dbt's exposures are those of the dashboards, and name models and columns that exist."""

from __future__ import annotations

from kodomo.access.access import read_access
from superset_config.asset_files import read_assets, read_models
from superset_config.exposures import EXPOSURES, exposures, exposures_yaml


def test_file_is_what_the_dashboards_say() -> None:
    assert EXPOSURES.read_text(encoding="utf-8") == exposures_yaml(), "run: python -m superset_config.exposures"


def test_every_dashboard_of_models_has_an_exposure() -> None:
    # The audit log is no model: it is read when it is asked for.
    expected = {dashboard.title for slug, dashboard in read_assets().dashboards.items() if slug != "audit"}
    assert {entry["label"] for entry in exposures(read_assets())["exposures"]} == expected


def test_exposures_show_columns_of_granted_tables() -> None:
    models, access = read_models(), read_access()
    for entry in exposures(read_assets())["exposures"]:
        meta = entry["config"]["meta"]
        for table, columns in meta["columns"].items():
            assert set(columns) <= set(models[table][1]), entry["name"]
            # A chart without a table of the audience is left out of its dashboard: one of them has it.
            assert any(table in access.audiences[name].grants for name in meta["audiences"]), entry["name"]

"""The gate over dashboard → chart → dataset → dbt model → column, which needs no server."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest

from kodomo.access.access import read_access
from superset_config.asset_audiences import for_audiences
from superset_config.asset_files import (
    Assets,
    Column,
    asset_uuid,
    columns_in,
    dataset_config,
    form_data,
    problems,
    read_assets,
)

ACCESS = read_access()
AUDIENCES, SECURED = set(ACCESS.audiences), set(ACCESS.tables)


@pytest.fixture
def assets() -> Assets:
    return copy.deepcopy(read_assets())


def test_nothing_is_wrong_with_what_ships(assets: Assets) -> None:
    assert problems(assets, AUDIENCES, SECURED, ACCESS.tables_for_pages) == []


def rename_a_column(assets: Assets) -> None:
    dataset = assets.datasets["bi_child"]
    dataset.columns["zone"] = dataset.columns.pop("area_name")


def drop_a_metric(assets: Assets) -> None:
    del assets.datasets["bi_child"].metrics["high_children"]


def break_a_metric(assets: Assets) -> None:
    assets.datasets["bi_child"].metrics["children"]["expression"] = "sum(no_such_column)"


def drop_a_model(assets: Assets) -> None:
    del assets.models["bi_chain"]


def lose_a_chart(assets: Assets) -> None:
    del assets.charts["overview/trend"]


def orphan_a_chart(assets: Assets) -> None:
    assets.charts["overview/left_over"] = replace(
        assets.charts["overview/trend"], key="overview/left_over", title="残り"
    )


def orphan_a_dataset(assets: Assets) -> None:
    assets.datasets["bi_spare"] = replace(assets.datasets["bi_child"], name="bi_spare")


def double_a_chart(assets: Assets) -> None:
    assets.dashboards["overview"].rows.append(copy.deepcopy(assets.dashboards["overview"].rows[0]))


def double_a_title(assets: Assets) -> None:
    assets.dashboards["list"] = replace(assets.dashboards["list"], title=assets.dashboards["overview"].title)


def lose_the_audience(assets: Assets) -> None:
    assets.dashboards["list"] = replace(assets.dashboards["list"], audiences=[])


def name_an_unknown_audience(assets: Assets) -> None:
    assets.dashboards["list"].audiences.append("everybody")


def leave_a_title_in_english(assets: Assets) -> None:
    assets.charts["overview/trend"] = replace(assets.charts["overview/trend"], title="Trend")


def leave_a_column_without_a_label(assets: Assets) -> None:
    assets.models["bi_child"]["kana"] = Column("kana", "", "varchar")


def leave_a_table_without_a_rule(assets: Assets) -> None:
    assets.models["bi_new"] = dict(assets.models["bi_child"])


def lose_the_column_of_a_filter(assets: Assets) -> None:
    assets.filters["area"]["column"] = "zone"


def overfill_a_row(assets: Assets) -> None:
    assets.dashboards["list"].rows[0][0]["width"] = 13


def leave_a_text_beside_nothing(assets: Assets) -> None:
    assets.dashboards["list"].rows.append([{"text": "説明", "beside": "meeting/reviews", "width": 12, "height": 6}])


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (rename_a_column, "chart overview/tiers_by_area: column area_name is not in bi_child"),
        (drop_a_metric, "chart overview/high_children: metric high_children is not in bi_child"),
        (break_a_metric, "dataset bi_child: metric children reads no_such_column, which the model lacks"),
        (drop_a_model, "dataset bi_chain: no dbt model of this name has a yml entry"),
        (lose_a_chart, "dashboard overview: chart overview/trend does not exist"),
        (orphan_a_chart, "chart overview/left_over: no dashboard shows it"),
        (orphan_a_dataset, "dataset bi_spare: no chart uses it"),
        (double_a_chart, "dashboard overview: chart overview/children stands on it twice"),
        (double_a_title, "two dashboards are called 概況"),
        (lose_the_audience, "dashboard list: no audience sees it"),
        (name_an_unknown_audience, "dashboard list: audience everybody does not exist"),
        (leave_a_title_in_english, "chart overview/trend: a text has no Japanese in it"),
        (leave_a_column_without_a_label, "model bi_child, column kana: a text has no Japanese in it"),
        (leave_a_table_without_a_rule, "model bi_new: no rule of access covers it"),
        (lose_the_column_of_a_filter, "filter area: bi_child has no column zone"),
        (leave_a_text_beside_nothing, "dashboard list: a text stands beside meeting/reviews, which is not on it"),
        (overfill_a_row, "dashboard list: a row is wider than 12 columns"),
    ],
)
def test_mistake_is_reported(assets: Assets, mistake: Callable[[Assets], None], words: str) -> None:
    mistake(assets)
    assert words in problems(assets, AUDIENCES, SECURED)


def test_ids_follow_from_names() -> None:
    assert asset_uuid("chart", "overview/trend") == asset_uuid("chart", "overview/trend")
    assert asset_uuid("chart", "overview/trend") != asset_uuid("dashboard", "overview/trend")


def test_columns_carry_the_label_of_the_model(assets: Assets) -> None:
    config = dataset_config(assets, assets.datasets["bi_child"])
    labels = {column["column_name"]: column["verbose_name"] for column in config["columns"]}
    assert labels["area_name"] == "地区"
    assert all(labels.values())


def test_every_audience_has_charts_of_its_own_tables_only(assets: Assets) -> None:
    made = for_audiences(assets, ACCESS)
    for dashboard in made.dashboards.values():
        for role in dashboard.roles:
            audience = role.removeprefix("view_")
            tables = {table.name for table in ACCESS.tables_of(audience)}
            used = {made.charts[key].dataset for key in dashboard.charts()}
            used |= {made.filters[key]["dataset"] for key in dashboard.filters}
            assert used <= tables, (dashboard.slug, audience)


def test_charts_of_an_audience_ask_for_no_column_it_lacks(assets: Assets) -> None:
    made = for_audiences(assets, ACCESS)
    for chart in made.charts.values():
        dataset = made.datasets[chart.dataset]
        assert chart.columns() <= set(dataset.columns), chart.key
        assert chart.metrics() <= set(dataset.metrics), chart.key


def test_the_social_council_sees_no_score(assets: Assets) -> None:
    made = for_audiences(assets, ACCESS)
    asked = {
        name
        for dashboard in made.dashboards.values()
        if "view_social_council" in dashboard.roles and dashboard.slug != "areas"
        for key in dashboard.charts()
        for name in made.charts[key].columns()
    }
    assert asked
    assert not asked & {"tier_label", "tiers_text", "total_score", "priority_rank", "coefficient", "score"}


def test_a_text_beside_a_chart_is_for_those_who_see_the_chart(assets: Assets) -> None:
    boards = for_audiences(assets, ACCESS).dashboards
    beside = {
        slug: {cell["beside"] for row in board.rows for cell in row if "beside" in cell}
        for slug, board in boards.items()
        if slug.split("-")[0] == "list"
    }
    assert beside["list"] == beside["list-guidance_centre"] == {"list/chains"}
    assert not beside["list-health"] | beside["list-education"] | beside["list-social_council"]


def test_children_are_seen_one_by_one_on_the_page_only(assets: Assets) -> None:
    made = for_audiences(assets, ACCESS)
    assert not {slug for slug in made.dashboards if slug.split("-")[0] == "child"}
    assert {"bi_observation", "bi_family_member", "bi_chain_step"} <= ACCESS.tables_for_pages
    assert not ACCESS.tables_for_pages & set(assets.datasets)


def test_a_title_has_no_bracket_within_a_bracket(assets: Assets) -> None:
    titles = [board.title for board in for_audiences(assets, ACCESS).dashboards.values()]
    assert "効果（管理職・数値のみ）" in titles
    assert not [title for title in titles if title.count("（") > 1]


def test_sort_key_of_bars_has_the_name_left_out_of_the_page(assets: Assets) -> None:
    # The page knows the extra metric by its name and finds it by its label: the two have to be one.
    for key, chart in assets.charts.items():
        metric = chart.params.get("timeseries_limit_metric")
        if metric and chart.viz_type.startswith("echarts"):
            definition = assets.datasets[chart.dataset].metrics[metric]
            assert definition["label"] == metric, key
            assert not (chart.params.get("show_value") and chart.params.get("only_total")), f"{key}: it is in the total"


def test_no_table_of_a_dashboard_draws_markup_of_a_delivered_text(assets: Assets) -> None:
    """The map alone draws markup: its own, with the names of the city's areas, which are a seed."""
    tables = [chart for chart in assets.charts.values() if chart.viz_type in {"table", "pivot_table_v2"}]
    drawn = {chart.key: form_data(chart) for chart in tables if form_data(chart)["allow_render_html"]}
    assert len(tables) > 20
    assert list(drawn) == ["overview/area_map"]
    assert drawn["overview/area_map"]["groupby"] == ["area_name"]
    metric = assets.datasets["bi_child"].metrics["area_tile"]["expression"]
    assert columns_in(metric) == {"area_code", "area_name", "tier", "tier_rank"}

"""What an audience's dashboard has of a dashboard that is written for all."""

from __future__ import annotations

from kodomo.access.access import read_access
from superset_config.asset_audiences import for_audiences
from superset_config.asset_files import Assets, read_assets

ACCESS = read_access()


def texts(assets: Assets, slug: str) -> str:
    return "".join(cell.get("text", "") for row in assets.dashboards[slug].rows for cell in row)


def test_text_that_leads_to_a_page_is_for_those_who_may_open_it() -> None:
    assets = for_audiences(read_assets(), ACCESS)
    roles = {role: slug for slug, board in assets.dashboards.items() for role in board.roles if "概況" in board.title}
    for name in ("child", "guidance_centre", "health"):
        assert "/kodomo/children/?tier=high" in texts(assets, roles[f"view_{name}"]), name
    assert "/kodomo/children/" not in texts(assets, roles["view_analyst"])


def test_axis_and_label_of_a_bar_show_halves() -> None:
    shown = {chart.params["y_axis_format"] for chart in read_assets().charts.values() if "timeseries" in chart.viz_type}
    assert not {name for name in shown if name.endswith(("d", ".0f"))}

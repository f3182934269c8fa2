"""The data docs: the expectations and the results of the last run, as pages for stewards.

Great Expectations' own pages are in English and load a dozen files from outside, which a closed network must not
see; and they print what a result holds. These pages are made from names and counts alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from expectations.results import LAYERS, QualityResult
from kodomo.files import write_atomically
from kodomo.home import Home
from kodomo.parameters import labels

TEMPLATES = Path(__file__).with_name("templates")
RUNS_SHOWN = 30
LAYER_LABELS = {
    "raw": "納品データ（raw）",
    "staging": "整形（staging）",
    "intermediate": "中間（intermediate）",
    "marts": "公開用（marts）",
}
SEVERITY_LABELS = {
    "blocks_publication": "公開を止める",
    "steward_must_look": "担当者が確認",
    "note": "参考",
}
STATUS_LABELS = labels("check_status")


def site_folder(home: Home) -> Path:
    """Where the site is: static pages that ask for nothing from outside."""
    return home.data_docs


def write_site(
    home: Home, results: Sequence[QualityResult], history: Sequence[tuple[str, dt.datetime, str, int]] = ()
) -> Path:
    """Write the pages anew and return the first one.

    ``history`` has a row per run and status: run id, when, status, number of expectations; the newest first.
    """
    folder = site_folder(home)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)
    page = environment.get_template("index.html").render(
        layers=[(LAYER_LABELS[layer], [result for result in results if result.layer == layer]) for layer in LAYERS],
        runs=_runs(history),
        totals={status: sum(result.status == status for result in results) for status in STATUS_LABELS},
        is_blocked=any(result.is_blocking for result in results),
        severity_labels=SEVERITY_LABELS,
        status_labels=STATUS_LABELS,
        results=results,
    )
    index = folder / "index.html"
    return write_atomically(index, page)


def _runs(history: Sequence[tuple[str, dt.datetime, str, int]]) -> list[dict]:
    runs: dict[str, dict] = {}
    for run_id, checked_at, status, count in history:
        run = runs.setdefault(run_id, {"run_id": run_id, "checked_at": checked_at, "counts": {}})
        run["counts"][status] = count
    return list(runs.values())[:RUNS_SHOWN]

"""Trying out, comparing and replaying versions over a batch's data."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.conftest import AS_OF, PROJECT, City, kodomo

SEEDS = PROJECT / "seeds"


def rewrite(path: Path, change: Callable[[dict[str, str]], dict[str, str] | None]) -> None:
    """Change every row of a seed in place."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(kept for row in rows if (kept := change(dict(row))))


@pytest.fixture
def tried(tmp_path: Path) -> Path:
    """v2 as a draft under another name: moves weigh more in 虐待, and every child reaches its gravest tier."""
    folder = tmp_path / "tried"
    folder.mkdir()
    for path in SEEDS.glob("risk_*.csv"):
        shutil.copy(path, folder)

    def renamed(row: dict[str, str]) -> dict[str, str] | None:
        return {**row, "model_version": "v3"} if row["model_version"] == "v2" else None

    for name in ("coefficients", "tiers", "overrides", "targets"):
        rewrite(folder / f"risk_{name}.csv", renamed)
    rewrite(
        folder / "risk_coefficients.csv",
        lambda row: (
            {**row, "coefficient": "3.5"}
            if (row["difficulty_type"], row["item_code"]) == ("abuse", "household_moves")
            else row
        ),
    )
    empty = dict.fromkeys(("approved_by", "approved_on", "approval_reason_ja", "content_hash"), "")
    rewrite(
        folder / "risk_model_versions.csv",
        lambda row: (draft := renamed(row)) and {**draft, **empty, "status": "draft"},
    )
    rewrite(
        folder / "risk_tiers.csv",
        lambda row: (
            {**row, "min_score": {"high": "0", "latent": "-1"}.get(row["tier"], row["min_score"])}
            if row["difficulty_type"] == "abuse"
            else row
        ),
    )
    return folder


def test_a_definition_is_tried_on_the_mart_without_touching_it(city: City, tried: Path) -> None:
    before = city.warehouse.read_bytes()
    printed = json.loads(kodomo("score", "--definition", str(tried), "--json", home=city.home).stdout)
    assert city.warehouse.read_bytes() == before
    (comparison,) = printed["comparisons"]
    assert (comparison["before"], comparison["after"]) == ("v2", "v3")
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        moved = dict(
            connection.execute(
                "select tier, count(*) from marts.fct_risk_score where as_of_on = ? and difficulty_type = 'abuse' "
                "and model_version = 'v2' and tier <> 'high' group by tier",
                [AS_OF],
            ).fetchall()
        )
    changed = {
        row["tier_before"]: row["children"]
        for row in comparison["tiers"]
        if row["tier_before"] != row["tier_after"] and row["tier_after"] == "high" and row["difficulty_type"] == "abuse"
    }
    assert changed == moved
    assert comparison["changed"] == sum(moved.values()) > 0
    assert 0 < comparison["rescored"] < comparison["changed"]


def test_versions_that_score_nothing_in_common_are_not_compared(city: City) -> None:
    refused = kodomo("model", "diff", "v2", "trial-1", home=city.home, check=False)
    assert refused.returncode == 2
    assert "v2 scores abuse, poverty" in refused.stderr
    unknown = kodomo("model", "diff", "v2", "v9", home=city.home, check=False)
    assert unknown.returncode == 2
    assert "There is no version v9 to compare; there are trial-1, v2" in " ".join(unknown.stderr.split())


def test_a_replay_finds_the_rows_on_record_and_says_when_one_differs(city: City, tmp_path: Path) -> None:
    replay = ("model", "replay", "--as-of", AS_OF.isoformat())
    assert "the rows on record are the same" in kodomo(*replay, home=city.home).stdout
    home = tmp_path / "var"
    shutil.copytree(city.home, home, symlinks=True)
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute(
            "update marts.fct_risk_score set score = score + 1 where as_of_on = $as_of and person_id = "
            "(select min(person_id) from marts.fct_risk_score) and difficulty_type = 'abuse'",
            {"as_of": AS_OF},
        )
    differing = kodomo(*replay, home=home, check=False)
    assert differing.returncode == 1
    assert "2 rows on record differ" in differing.stdout

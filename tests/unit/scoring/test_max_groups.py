"""In a max group a band without a coefficient contributes 0: what lowers the score counts only without it."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from kodomo.home import Home
from kodomo.scoring.score import score

DEFINITION = {
    "risk_items": (
        "item_code,kind,observation_code,scope,aggregate,group_code\n"
        "protects,observation,protects,self,any,support\n"
        "other,observation,other,self,latest,support\n"
        "elsewhere,observation,elsewhere,self,any,support\n"
        "both,combination,,,,\n"
    ),
    "risk_bands": "item_code,band_no,lower,upper\nprotects,1,1,\nother,1,0,5\nother,2,5,\nelsewhere,1,1,\nboth,1,1,\n",
    "risk_item_members": "item_code,member_item_code\nboth,protects\nboth,other\n",
    "risk_coefficients": (
        "model_version,difficulty_type,item_code,band_no,coefficient\n"
        "v1,abuse,protects,1,-2\n"
        "v1,abuse,other,2,-1\n"
        "v1,abuse,both,1,4\n"
        "v1,poverty,elsewhere,1,3\n"
    ),
    "risk_model_versions": "model_version,status\nv1,draft\n",
    "risk_groups": "group_code,combine,cap\nsupport,max,\n",
    "risk_tiers": "model_version,difficulty_type,tier,tier_rank,min_score\nv1,abuse,low,1,\nv1,poverty,low,1,\n",
}


def scored(home: Home, folder: Path, lines: str, difficulty: str) -> tuple[str, set[tuple[str, str, str]]]:
    """Score and contributions of one person from lines of observations."""
    for table, text in DEFINITION.items():
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")
    observations = folder / "observations.csv"
    observations.write_text(f"person_id,observation_code,observed_on,value\n{lines}", encoding="utf-8")
    score(home, folder, observations, None, dt.date(2026, 4, 1), folder / "out")
    scores, contributions = (
        [
            row
            for row in csv.DictReader((folder / "out" / f"{mart}.csv").read_text(encoding="utf-8").splitlines())
            if row["difficulty_type"] == difficulty
        ]
        for mart in ("fct_risk_score", "fct_risk_contribution")
    )
    (total,) = [row["score"] for row in scores]
    return total, {(row["item_code"], row["coefficient"], row["is_counted"]) for row in contributions}


@pytest.mark.parametrize(
    ("observed", "expected_score", "expected_rows"),
    [
        ({"protects": 1}, "2.000", {("protects", "-2.000", "true"), ("both", "4.000", "true")}),
        (
            {"protects": 1, "other": 5},
            "3.000",
            {("protects", "-2.000", "false"), ("other", "-1.000", "true"), ("both", "4.000", "true")},
        ),
        ({"protects": 1, "other": 0}, "0.000", {("protects", "-2.000", "false"), ("other", "0.000", "true")}),
        ({"protects": 1, "elsewhere": 1}, "0.000", {("protects", "-2.000", "false"), ("elsewhere", "0.000", "true")}),
    ],
)
def test_nothing_below_zero_counts_beside_a_band_without_a_coefficient(
    observed: dict[str, int], expected_score: str, expected_rows: set[tuple[str, str, str]], home: Home, tmp_path: Path
) -> None:
    lines = "".join(f"p,{code},2026-03-01,{value}\n" for code, value in observed.items())
    assert scored(home, tmp_path, lines, "abuse") == (expected_score, expected_rows)


def test_band_without_a_coefficient_makes_no_row_in_a_score_without_negatives(home: Home, tmp_path: Path) -> None:
    lines = "p,other,2026-03-01,0\np,elsewhere,2026-03-01,\n"
    assert scored(home, tmp_path, lines, "poverty") == ("3.000", {("elsewhere", "3.000", "true")})

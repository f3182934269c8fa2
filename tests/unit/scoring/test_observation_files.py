"""What an analyst's observations may hold, and what is said of the rest."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.scoring.score import score

DEFINITION = {
    "risk_items": "item_code,kind,observation_code,scope,aggregate\na,observation,a,self,sum\n",
    "risk_bands": "item_code,band_no,lower,upper\na,1,,0.3\na,2,0.3,\n",
    "risk_coefficients": (
        "model_version,difficulty_type,item_code,band_no,coefficient\nv1,abuse,a,1,1\nv1,abuse,a,2,2\n"
    ),
    "risk_model_versions": "model_version,status\nv1,draft\n",
    "risk_tiers": "model_version,difficulty_type,tier,tier_rank,min_score\nv1,abuse,low,1,\n",
}


def score_of(home: Home, folder: Path, *values: str) -> str:
    """Score of one person with these values."""
    for table, text in DEFINITION.items():
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")
    observations = folder / "observations.csv"
    lines = "".join(f"p,a,2026-03-01,{value}\n" for value in values)
    observations.write_text(f"person_id,observation_code,observed_on,value\n{lines}", encoding="utf-8")
    score(home, folder, observations, None, dt.date(2026, 4, 1), folder / "out")
    (row,) = csv.DictReader((folder / "out" / "fct_risk_score.csv").read_text(encoding="utf-8").splitlines())
    return row["score"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["0.29999999999999993"], "1.000"),
        (["0.1", "0.2"], "2.000"),
        (["0.30000000000000004"], "2.000"),
        (["-9e17", "-9e17"], "1.000"),
        (["9e17", "9e17", "123456789012345678.5"], "2.000"),
    ],
)
def test_values_are_as_exact_as_what_programs_write(
    values: list[str], expected: str, home: Home, tmp_path: Path
) -> None:
    assert score_of(home, tmp_path, *values) == expected


@pytest.mark.parametrize("value", ["1e18", "12345678901234567890", "many"])
def test_a_value_that_is_no_number_or_too_large_is_named_by_its_line_alone(
    value: str, home: Home, tmp_path: Path
) -> None:
    with pytest.raises(KodomoError) as error:
        score_of(home, tmp_path, "1", value)
    assert str(error.value) == "observations.csv:3: value is not a number below 10^18."

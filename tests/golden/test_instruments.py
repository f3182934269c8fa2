"""Published instruments come out right for every person, at every boundary."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from kodomo.home import Home
from kodomo.scoring.score import score
from tests.golden.instruments import CHA2DS2_VASC, CURB_65, MCISAAC, WELLS_PE, Instrument, write_definition

AS_OF = dt.date(2026, 4, 1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One home, so that the scoring models are compiled once."""
    return Home(tmp_path_factory.mktemp("home") / "var")


def scored(instrument: Instrument, patients: list[dict[str, float]], home: Home, folder: Path) -> list[tuple]:
    """Score and class of each patient, in their order."""
    write_definition(instrument, folder)
    with (folder / "observations.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["person_id", "observation_code", "observed_on", "value"])
        for number, patient in enumerate(patients):
            writer.writerows([f"{number:05d}", code, "2026-03-01", value] for code, value in patient.items())
    people = "person_id,birth_on,sex\n" + "".join(f"{n:05d},,\n" for n in range(len(patients)))
    (folder / "people.csv").write_text(people, encoding="utf-8")
    score(home, folder, folder / "observations.csv", folder / "people.csv", AS_OF, folder / "out")
    with (folder / "out" / "fct_risk_score.csv").open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["person_id"])
    return [(Decimal(row["score"]), row["tier"]) for row in rows]


def test_cha2ds2_vasc(home: Home, tmp_path: Path) -> None:
    signs = ("congestive_heart_failure", "hypertension", "diabetes", "stroke", "vascular_disease", "female")
    patients, expected = [], []
    for present in product((0, 1), repeat=len(signs)):
        for age in (64, 65, 74, 75, 90):
            patients.append({"age": age, **dict(zip(signs, present, strict=True))})
            points = sum(present) + present[3] + (0 if age < 65 else 1 if age < 75 else 2)
            expected.append((points, "low" if points == 0 else "intermediate" if points == 1 else "high"))
    assert scored(CHA2DS2_VASC, patients, home, tmp_path) == expected
    assert {points for points, _ in expected} == set(range(10))


def test_curb_65(home: Home, tmp_path: Path) -> None:
    patients, expected = [], []
    for confusion, urea, rate, pressure, age in product((0, 1), (6.9, 7, 7.1, 12), (29, 30, 41), (0, 1), (64, 65, 80)):
        patients.append(
            {
                "confusion": confusion,
                "urea": urea,
                "respiratory_rate": rate,
                "low_blood_pressure": pressure,
                "age": age,
            }
        )
        points = confusion + (urea > 7) + (rate >= 30) + pressure + (age >= 65)
        expected.append((points, "group_1" if points < 2 else "group_2" if points == 2 else "group_3"))
    assert scored(CURB_65, patients, home, tmp_path) == expected


def test_wells_score_for_pulmonary_embolism(home: Home, tmp_path: Path) -> None:
    points_of = {
        "signs_of_deep_vein_thrombosis": 3,
        "alternative_less_likely": 3,
        "immobilised_or_operated": 1.5,
        "earlier_thrombosis": 1.5,
        "haemoptysis": 1,
        "malignancy": 1,
    }
    patients, expected = [], []
    for *present, rate in product(*[(0, 1)] * len(points_of), (99, 100, 100.5, 101)):
        signs = dict(zip(points_of, present, strict=True))
        patients.append({**signs, "heart_rate": rate})
        points = Decimal(str(sum(points_of[code] * seen for code, seen in signs.items()) + 1.5 * (rate > 100)))
        expected.append((points, "low" if points < 2 else "high" if points > 6 else "moderate"))
    assert scored(WELLS_PE, patients, home, tmp_path) == expected
    assert {name for _, name in expected} == {"low", "moderate", "high"}


def test_mcisaac_takes_a_point_off(home: Home, tmp_path: Path) -> None:
    signs = ("temperature_above_38", "no_cough", "tender_nodes", "tonsillar_swelling")
    patients, expected = [], []
    for *present, age in product(*[(0, 1)] * len(signs), (2, 3, 14, 15, 44, 45, 80)):
        patients.append({**dict(zip(signs, present, strict=True)), "age": age})
        points = sum(present) + (1 if 3 <= age < 15 else -1 if age >= 45 else 0)
        expected.append((points, "no_culture" if points < 2 else "culture" if points < 4 else "treat"))
    assert scored(MCISAAC, patients, home, tmp_path) == expected
    assert min(points for points, _ in expected) == -1

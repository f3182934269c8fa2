"""The engine against a second implementation of scoring.md, over generated definitions and observations."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kodomo.home import Home
from kodomo.scoring.score import score
from tests.unit.scoring.reference import completed_months, minus_months, score_person

AS_OF = [dt.date(2026, 3, 31), dt.date(2028, 2, 29), dt.date(2027, 2, 28), dt.date(2026, 12, 1)]
AGGREGATES = ["any", "count", "sum", "max", "min", "latest", "months_since", "in_force"]
CODES = ["x", "y", "z", "w"]
NEARLY_EIGHT = Decimal("7.999999999999999")


def generated_definition(rng: random.Random) -> dict[str, list[dict[str, Any]]]:
    """A definition with every kind of part, valid by construction."""
    groups = [
        {"group_code": f"g{i}", "combine": rng.choice(["sum", "max"]), "cap": rng.choice([None, Decimal(3)])}
        for i in range(3)
    ] + [{"group_code": "gc", "combine": rng.choice(["sum", "max"]), "cap": Decimal(2)}]
    items, bands, members = [], [], []
    for i in range(14):
        items.append(
            {
                "item_code": f"i{i:02d}",
                "kind": "observation",
                "observation_code": rng.choice(CODES),
                "scope": rng.choice(["self", "self", "self", "household", "family", "mother", "siblings"]),
                "lookback_months": rng.choice([None, 1, 6, 12, 13]),
                "aggregate": rng.choice(AGGREGATES),
                "age_from_months": rng.choice([None, None, -4, 0, 60]),
                "age_to_months": rng.choice([None, None, 0, 100]),
                "group_code": rng.choice([None, "g0", "g1", "g2"]),
            }
        )
        cuts = sorted({Decimal(rng.randrange(0, 12)) for _ in range(3)})
        edges = [rng.choice([None, cuts[0]]), *cuts[1:], None]
        for number, (lower, upper) in enumerate(itertools.pairwise(edges), start=1):
            if lower is None and upper is None:
                continue
            bands.append(
                {
                    "item_code": f"i{i:02d}",
                    "band_no": number,
                    "lower": lower,
                    "upper": upper,
                    "when_missing": False,
                }
            )
        if rng.random() < 0.2 and bands and bands[-1]["item_code"] == f"i{i:02d}":
            bands[-1]["when_missing"] = True
        elif rng.random() < 0.4:
            bands.append({"item_code": f"i{i:02d}", "band_no": 9, "lower": None, "upper": None, "when_missing": True})
    for i in range(3):
        items.append(
            {
                "item_code": f"k{i}",
                "kind": "combination",
                "observation_code": None,
                "scope": None,
                "lookback_months": None,
                "aggregate": None,
                "age_from_months": None,
                "age_to_months": rng.choice([None, 100]),
                "group_code": rng.choice([None, "gc"]),
            }
        )
        members += [
            {"item_code": f"k{i}", "member_item_code": f"i{j:02d}"} for j in rng.sample(range(14), rng.randrange(2, 6))
        ]
        low = rng.choice([0, 1, 2])
        bands.append({"item_code": f"k{i}", "band_no": 1, "lower": Decimal(low), "upper": None, "when_missing": False})
    models = [("v1", "abuse"), ("v1", "poverty"), ("v2", "abuse")]
    coefficients = [
        {
            "model_version": version,
            "difficulty_type": difficulty,
            "item_code": band["item_code"],
            "band_no": band["band_no"],
            "coefficient": Decimal(rng.randrange(-2000, 6001, 125)) / 1000,
        }
        for version, difficulty in models
        for band in bands
        if rng.random() < 0.8
    ]
    shapes = [
        (("high", 3, Decimal(9)), ("latent", 2, Decimal(4)), ("low", 1, None)),
        (("high", 30, Decimal("4.125")), ("low", 10, Decimal("-0.5"))),
        (("e", 5, Decimal(6)), ("d", 4, Decimal(5)), ("c", 3, Decimal(3)), ("b", 2, Decimal(0)), ("a", 1, None)),
    ]
    tiers = [
        {
            "model_version": version,
            "difficulty_type": difficulty,
            "tier": tier,
            "tier_rank": rank,
            "min_score": minimum,
        }
        for version, difficulty in models
        for tier, rank, minimum in rng.choice(shapes)
    ]
    overrides = [
        {
            "model_version": version,
            "difficulty_type": difficulty,
            "item_code": band["item_code"],
            "band_no": band["band_no"],
            "at_least_tier": rng.choice(
                [
                    row["tier"]
                    for row in tiers
                    if (row["model_version"], row["difficulty_type"]) == (version, difficulty)
                ]
            ),
        }
        for version, difficulty in models
        for band in rng.sample(bands, 2)
    ]
    targets = [
        {
            "model_version": version,
            "difficulty_type": difficulty,
            "age_from_months": rng.choice([None, None, -3, 0, 24, 100]),
            "age_to_months": rng.choice([None, None, 0, 24, 60, 150]),
        }
        for version, difficulty in rng.sample(models, 2)
        for _ in range(rng.choice([0, 1, 1, 2]))
    ]
    return {
        "risk_items": items,
        "risk_item_members": members,
        "risk_bands": bands,
        "risk_coefficients": coefficients,
        "risk_model_versions": [{"model_version": v, "status": "draft"} for v in ("v1", "v2")],
        "risk_groups": groups,
        "risk_tiers": tiers,
        "risk_overrides": overrides,
        "risk_targets": targets,
    }


def write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Rows as a CSV, as an analyst would save it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {
                name: "" if value is None else str(value).lower() if isinstance(value, bool) else value
                for name, value in row.items()
            }
            for row in rows
        )


def generated_observations(rng: random.Random, people: list[str], as_of: dt.date) -> list[dict[str, Any]]:
    """Observations around the edges of the windows, some after the as-of date, some ended, some without a value."""
    edges = [minus_months(as_of, months) for months in (1, 6, 12, 13)]
    rows = []
    for _ in range(12 * len(people)):
        day = rng.choice([as_of, *edges, as_of - dt.timedelta(days=rng.randrange(900))])
        on = day + dt.timedelta(days=rng.choice([-3, -1, 0, 0, 1, 3]))
        rows.append(
            {
                "person_id": rng.choice(people),
                "observation_code": rng.choice(CODES),
                "observed_on": on,
                "value": rng.choice(
                    [None, Decimal(rng.randrange(12)), Decimal(rng.randrange(-100, 1200)) / 100, NEARLY_EIGHT]
                ),
                "ended_on": rng.choice([None, None, on + dt.timedelta(days=rng.randrange(400)), as_of]),
            }
        )
    return rows


@pytest.mark.parametrize("seed", range(28))
def test_engine_gives_the_rows_of_the_reference(seed: int, home: Home, tmp_path: Path) -> None:
    rng = random.Random(seed)
    as_of = AS_OF[seed % len(AS_OF)]
    definition = generated_definition(rng)
    for table, rows in definition.items():
        if rows:
            write_table(tmp_path / f"{table}.csv", rows)
    people = [f"p{i}" for i in range(30)]
    births: dict[str, dt.date | None] = {person: as_of - dt.timedelta(days=rng.randrange(6500)) for person in people}
    births |= {"p0": as_of + dt.timedelta(days=75), "p1": as_of + dt.timedelta(days=1), "p2": as_of, "p3": None}
    births |= {"p4": as_of + dt.timedelta(days=150), "p5": dt.date(2024, 2, 29)}
    observations = generated_observations(rng, people[:25], as_of)
    write_table(tmp_path / "observations.csv", observations)
    write_table(tmp_path / "people.csv", [{"person_id": p, "birth_on": b, "sex": ""} for p, b in births.items()])
    score(home, tmp_path, tmp_path / "observations.csv", tmp_path / "people.csv", as_of, tmp_path / "out")

    expected_scores, expected_contributions = set(), set()
    for person in people:
        birth = births[person]
        age = None
        if birth is not None:
            age = completed_months(birth, as_of) if birth <= as_of else -1 - completed_months(as_of, birth)
        own = [
            {
                "code": row["observation_code"],
                "on": row["observed_on"],
                "ended": row["ended_on"],
                "value": row["value"],
                "line": line,
            }
            for line, row in enumerate(observations, start=2)
            if row["person_id"] == person
        ]
        for (version, difficulty), result in score_person(definition, own, age, as_of).items():
            key = (version, difficulty, person)
            expected_scores.add((*key, *(result[name] for name in ("score", "tier", "is_override", "completeness"))))
            expected_contributions.update((*key, *row) for row in result["contributions"])
    with (tmp_path / "out" / "fct_risk_score.csv").open() as file:
        scores = {
            (
                row["model_version"],
                row["difficulty_type"],
                row["person_id"],
                Decimal(row["score"]),
                row["tier"] or None,
                row["is_override"] == "true",
                Decimal(row["completeness"]) if row["completeness"] else None,
            )
            for row in csv.DictReader(file)
        }
    with (tmp_path / "out" / "fct_risk_contribution.csv").open() as file:
        contributions = {
            (
                row["model_version"],
                row["difficulty_type"],
                row["person_id"],
                row["item_code"],
                Decimal(row["coefficient"]),
                row["is_counted"] == "true",
            )
            for row in csv.DictReader(file)
            if Decimal(row["coefficient"]) != 0
        }
    assert scores == expected_scores
    assert contributions == expected_contributions

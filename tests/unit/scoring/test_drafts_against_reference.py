"""試算 of random drafts against the second implementation of scoring.md."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kodomo.home import Home
from kodomo.scoring.engine import load_bundle, memory_warehouse
from kodomo.scoring.replay import SCRATCH, CompiledModels, close_scratch, open_scratch
from kodomo.scoring.score import INPUTS, load_definition, set_as_of
from kodomo.workshop.drafts import Draft, Place, copied, definition_of, laid_over, read_texts
from kodomo.workshop.trial import evaluate
from tests.unit.scoring.reference import completed_months, score_person
from tests.unit.scoring.test_against_reference import (
    AS_OF,
    generated_definition,
    generated_observations,
    write_table,
)

NAME, BASE = "draft-1", "v1"
TIMES = 8
DIFFICULTIES = ("abuse", "poverty")


class QuietModels(CompiledModels):
    """Models that a report of a failure does not print."""

    def __repr__(self) -> str:
        return "models"


@pytest.fixture(scope="module")
def models(home: Home) -> CompiledModels:
    """The compiled scoring models, by relation."""
    statements = load_bundle(home.ensure()).statements
    return QuietModels({relation.replace('"', "").partition(".")[2]: sql for relation, sql in statements})


def edited(
    definition: dict[str, list[dict[str, Any]]],
    coefficients: dict[tuple[str, str, int], Decimal | None],
    step: Decimal,
) -> dict[str, list[dict[str, Any]]]:
    """The definition of the draft alone: the base's rows renamed, some coefficients changed, all thresholds moved."""
    own = {
        table: [{**row, "model_version": NAME} for row in definition[table] if row["model_version"] == BASE]
        for table in ("risk_coefficients", "risk_tiers", "risk_overrides", "risk_targets")
    }
    kept = [
        row for row in own["risk_coefficients"]
        if (row["difficulty_type"], row["item_code"], row["band_no"]) not in coefficients
    ]  # fmt: skip
    added = [
        {"model_version": NAME, "difficulty_type": kind, "item_code": item, "band_no": band, "coefficient": value}
        for (kind, item, band), value in coefficients.items()
        if value is not None
    ]
    tiers = [
        {**row, "min_score": None if row["min_score"] is None else row["min_score"] + step}
        for row in own["risk_tiers"]
    ]  # fmt: skip
    return {**definition, **own, "risk_coefficients": kept + added, "risk_tiers": tiers}


def as_text(row: dict[str, Any]) -> dict[str, str]:
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in row.items()}
    return {name: text for name, text in texts.items() if row[name] is not None}


@settings(
    max_examples=TIMES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_trial_of_a_random_draft_gives_the_rows_of_the_reference(
    data: st.DataObject, models: CompiledModels, tmp_path_factory: pytest.TempPathFactory
) -> None:
    seed = data.draw(st.integers(0, 10_000), label="seed")
    rng = random.Random(seed)
    as_of = AS_OF[seed % len(AS_OF)]
    base = generated_definition(rng)
    places = [(kind, band["item_code"], band["band_no"]) for kind in DIFFICULTIES for band in base["risk_bands"]]
    amounts = st.none() | st.decimals(-9, 9, places=3, allow_nan=False, allow_infinity=False)
    coefficients = data.draw(st.dictionaries(st.sampled_from(places), amounts, min_size=1, max_size=12), label="edits")
    step = data.draw(st.decimals(-3, 3, places=3), label="step")
    expected_definition = edited(base, coefficients, step)

    folder = tmp_path_factory.mktemp("definition")
    for table, rows in base.items():
        if rows:
            write_table(folder / f"{table}.csv", rows)
    texts = read_texts(folder)
    rows: dict[Place, Any] = copied(texts, BASE, NAME)
    for (kind, item, band), value in coefficients.items():
        place = Place("risk_coefficients", (NAME, kind, item, str(band)))
        changed = {"model_version": NAME, "difficulty_type": kind, "item_code": item, "band_no": band}
        rows[place] = None if value is None else as_text({**changed, "coefficient": value})
    for row in expected_definition["risk_tiers"]:
        rows[Place.of("risk_tiers", as_text(row))] = as_text(row)
    draft = Draft("d", NAME, BASE, "h", (), rows, texts)

    people = [f"p{number}" for number in range(15)]
    births = {person: as_of.replace(year=as_of.year - rng.randrange(18), day=1) for person in people}
    observations = generated_observations(rng, people[:12], as_of)
    with memory_warehouse() as connection:
        set_as_of(connection, as_of)
        load_definition(connection, definition_of(laid_over(texts, {})))
        connection.execute("create temp table people (person_id varchar, birth_on date)")
        connection.executemany("insert into people values (?, ?)", [list(row) for row in births.items()])
        connection.execute(
            "create temp table observations (person_id varchar, observation_code varchar, observed_on date, "
            "value decimal(36, 18), ended_on date, line_number bigint, text_value varchar)"
        )
        connection.executemany(
            "insert into observations values (?, ?, ?, ?, ?, ?, null)",
            [[*row.values(), line] for line, row in enumerate(observations, start=2)],
        )
        connection.execute(INPUTS)
        open_scratch(connection, as_of)
        evaluate(connection, models, draft.definition, NAME)
        scores = connection.execute(
            "select difficulty_type, person_id, score, tier, is_override, completeness "
            f"from {SCRATCH}.intermediate.int_risk__scores where model_version = ?", [NAME]
        ).fetchall()  # fmt: skip
        contributions = connection.execute(
            "select difficulty_type, person_id, item_code, coefficient, is_counted "
            f"from {SCRATCH}.intermediate.int_risk__contributions where model_version = ? and coefficient <> 0", [NAME]
        ).fetchall()  # fmt: skip
        versions = connection.execute(
            f"select distinct model_version from {SCRATCH}.intermediate.int_risk__scores"
        ).fetchall()
        close_scratch(connection)

    expected_scores, expected_contributions = set(), set()
    for person, birth in births.items():
        own = [
            {
                "code": row["observation_code"], "on": row["observed_on"], "ended": row["ended_on"],
                "value": row["value"], "line": line,
            }
            for line, row in enumerate(observations, start=2)
            if row["person_id"] == person
        ]  # fmt: skip
        results = score_person(expected_definition, own, completed_months(birth, as_of), as_of)
        for (version, difficulty), result in results.items():
            if version == NAME:
                names = ("score", "tier", "is_override", "completeness")
                expected_scores.add((difficulty, person, *(result[name] for name in names)))
                expected_contributions.update((difficulty, person, *row) for row in result["contributions"])
    assert versions == [(NAME,)]
    assert set(scores) == expected_scores
    assert set(contributions) == expected_contributions

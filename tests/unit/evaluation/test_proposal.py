"""Integer coefficients from outcomes that were drawn from known effects, and the definition that is written."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from kodomo.errors import KodomoError, UsageError
from kodomo.evaluation import proposal
from kodomo.evaluation.evidence import Cohort
from kodomo.evaluation.fitting import (
    auc_difference,
    calibration_line,
    fit_exact,
    fit_penalised,
    fit_rounded,
    logistic,
    parts,
)
from kodomo.home import Home
from kodomo.messages import ENGLISH, LANGUAGES, render
from kodomo.scoring.definition import check, read_definition
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.seeds import SEEDS

CHILDREN = 4_000
BANDS = [
    ("public_assistance", 1), ("checkup_missed", 1), ("checkup_missed", 2), ("young_mother", 1), ("school_absence", 1),
    ("nursery_absence", 1), ("visit_refused", 1), ("household_moves", 1), ("low_birth_weight", 1), ("bullying", 1),
]  # fmt: skip
EFFECTS = np.array([2.4, 2.1, 1.8, 1.5, 1.2, 0.9, 0.6, 0.0, 0.0, -0.8])
KIN = 3.0
"""Hand-made points of a chain, which is refused as evidence."""


@pytest.fixture(scope="module")
def learned() -> proposal.Learned:
    """Children at two dates, with outcomes drawn from ``EFFECTS``; half of them are there at both."""
    rng = np.random.default_rng(11)
    features = (rng.random((CHILDREN, len(BANDS))) < np.linspace(0.06, 0.2, len(BANDS))).astype(float)
    kin = rng.random(CHILDREN) < 0.05
    outcomes = (rng.random(CHILDREN) < logistic(-4.2 + features @ EFFECTS + 1.5 * kin)).astype(float)
    dates = np.arange(CHILDREN) % 2
    return proposal.Learned(
        features=features,
        outcomes=outcomes,
        people=np.where(np.arange(CHILDREN) < CHILDREN // 2, np.arange(CHILDREN) // 2, np.arange(CHILDREN)),
        dates=dates,
        bands=BANDS,
        hand_made=features @ np.arange(1, len(BANDS) + 1) / 2 + KIN * kin,
        hand_made_version="v1",
        refused=frozenset({"horizontal_chain", "council_case_open", "c_chain_now"}),
        carried=KIN * kin,
    )


@pytest.fixture(scope="module")
def proposed(learned: proposal.Learned, tmp_path_factory: pytest.TempPathFactory) -> proposal.Proposal:
    """A proposal from them, written as a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            proposal, "learn", lambda *_: (learned, [dt.date(2024, 4, 1), dt.date(2025, 4, 1)], (), [20, 50, 100])
        )
        patch.setattr(proposal, "EXACT_SECONDS", 1.0)
        home = Home(tmp_path_factory.mktemp("home") / "var")
        return proposal.propose(home, "abuse", tmp_path_factory.mktemp("proposal") / "abuse")


def test_the_effects_are_recovered_in_their_order(proposed: proposal.Proposal) -> None:
    points = {(row["item_code"], row["band_no"]): row["coefficient"] for row in proposed.coefficients}
    proposed_points = [points.get(band, 0) for band in BANDS]
    assert spearmanr(proposed_points, EFFECTS).statistic > 0.9
    assert points.get(("bullying", 1), 0) == 0, "a band that lowers the chance gets no points"
    assert all(value == int(value) > 0 for value in points.values())


def test_the_proposal_is_near_the_unconstrained_model(proposed: proposal.Proposal) -> None:
    judged = {judgement.name: judgement for judgement in proposed.judgements}
    best = max(judged[name].auc for name in ("unconstrained", "boosted"))
    assert proposed.shortfall == pytest.approx(best - judged[proposed.method].auc)
    assert proposed.shortfall < 0.02
    paired = {row["with"]: row for row in proposed.comparisons}
    assert paired.keys() == judged.keys() - {proposed.method, "rounded + carried"}
    for name, row in paired.items():
        assert row["difference"] == pytest.approx(judged[proposed.method].auc - judged[name].auc)
        assert row["low"] < row["difference"] < row["high"]
    assert judged["rounded + carried"].auc > judged["rounded"].auc, "the chain says something, and keeps its points"
    assert judged[proposed.method].slope == pytest.approx(1, abs=0.15)
    assert judged[proposed.method].auc_low < judged[proposed.method].auc < judged[proposed.method].auc_high


def test_written_proposal_is_a_valid_definition(proposed: proposal.Proposal) -> None:
    folder = Path(proposed.out)
    definition = read_definition(folder)
    assert check(definition, observation_obstacles(dt.date(2026, 4, 1))) == []
    assert [row["status"] for row in definition["risk_model_versions"]] == ["draft"]
    written = {(row["item_code"], row["band_no"]): row["coefficient"] for row in definition["risk_coefficients"]}
    assert all(written[row["item_code"], row["band_no"]] == row["coefficient"] for row in proposed.coefficients)
    assert not {row["item_code"] for row in proposed.coefficients} & {"horizontal_chain", "council_case_open"}
    assert ("bullying", 1) not in written
    assert (folder / "report.json").exists()
    assert (folder / "README.md").read_text(encoding="utf-8") == proposal.as_text(proposed) + "\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_is_in_the_language_of_its_reader(proposed: proposal.Proposal, language: str) -> None:
    report = proposal.as_text(proposed, partial(render, language=language))
    prose = re.sub(r"「.*?」|AUC|\|.*?\|$|^- \w.*$|`.*?`", "", report, flags=re.MULTILINE)
    assert bool(re.findall(r"[A-Za-z]{4,} [a-z]{2,}", prose)) == (language == ENGLISH)
    table = [line for line in report.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(proposed.coefficients) + 2 + len(proposed.judgements)
    assert sum(" ← " in line for line in table) == 1, "one model is the proposed one"


def test_items_made_from_cases_keep_their_points_in_the_new_units(
    learned: proposal.Learned, proposed: proposal.Proposal
) -> None:
    carried = {(row["item_code"], row["band_no"]): row["coefficient"] for row in proposed.carried}
    with (SEEDS / "risk_coefficients.csv").open(encoding="utf-8", newline="") as file:
        made = {
            (row["item_code"], int(row["band_no"])): float(row["coefficient"])
            for row in csv.DictReader(file)
            if (row["model_version"], row["difficulty_type"]) == ("v1", "abuse") and row["item_code"] in learned.refused
        }
    assert carried.keys() == {band for band in made if band[0] != "c_chain_now"}
    points = {(row["item_code"], row["band_no"]): row["coefficient"] for row in proposed.coefficients}
    mean_points = (learned.features @ [points.get(band, 0) for band in BANDS]).mean()
    ratio = mean_points / (learned.hand_made - learned.carried).mean()
    assert all(carried[band] == max(1, round(made[band] * ratio)) for band in carried)


def test_tiers_hold_what_the_meetings_can_look_at(learned: proposal.Learned, proposed: proposal.Proposal) -> None:
    tiers = {row["tier"]: row["min_score"] for row in read_definition(Path(proposed.out))["risk_tiers"]}
    assert tiers["low"] is None
    assert tiers["high"] > tiers["latent"] > 0
    points = {(row["item_code"], row["band_no"]): row["coefficient"] for row in proposed.coefficients}
    scores = learned.features[learned.dates == 1] @ [points.get(band, 0) for band in BANDS]
    assert 0 < (scores >= float(tiers["high"])).sum() <= 50


@pytest.mark.parametrize(
    ("version", "difficulty", "ages"),
    [
        ("trial-1", "truancy", [(72, None)]),
        ("trial-1", "postpartum_depression", [(None, 12)]),
        ("v1", "abuse", []),
        (None, "truancy", []),
    ],
)
def test_proposal_concerns_the_ages_of_the_version_in_force(
    version: str | None, difficulty: str, ages: list[tuple[int | None, int | None]]
) -> None:
    kept = proposal._kept_targets(read_definition(SEEDS), version, difficulty)
    assert [(row["age_from_months"], row["age_to_months"]) for row in kept] == ages


def test_nothing_is_overwritten_and_nothing_made_of_too_little(
    learned: proposal.Learned, proposed: proposal.Proposal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "var")
    with pytest.raises(UsageError, match="not empty"):
        proposal.propose(home, "abuse", Path(proposed.out))
    with pytest.raises(UsageError, match="no difficulty type measles"):
        proposal.propose(home, "measles", tmp_path / "out")
    few = replace(learned, outcomes=np.where(np.arange(CHILDREN) < 9, 1.0, 0.0))
    monkeypatch.setattr(proposal, "learn", lambda *_: (few, [dt.date(2025, 4, 1)], (), [20]))
    with pytest.raises(KodomoError, match="9 children became a case"):
        proposal.propose(home, "abuse", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("cases", "given", "expected"),
    [
        ([40, 35, 30, 30], [], [0, 1, 2]),  # enough at three dates
        ([10, 12, 9, 11, 10, 2, 9], [], [0, 1, 2, 3, 4]),  # the records of the sixth date were not kept yet
        ([2] * 12, [], list(range(proposal.MOST_FREEZES))),
        ([2] * 12, [1, 3], [1, 3]),
    ],
)
def test_older_dates_are_pooled_until_cases_suffice(
    cases: list[int], given: list[int], expected: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = dt.date(2025, 4, 1)

    class Connection:
        def execute(self, _: str) -> Connection:
            return self

        def fetchall(self) -> list[tuple[int]]:
            return [(20,)]

    @contextmanager
    def cohort(_: Home, wanted: dt.date | None, *__: Path | None) -> Iterator[Cohort]:
        date = wanted or newest
        yield Cohort(Connection(), date, date.replace(year=date.year + 1), ())

    def table(frozen: Cohort, *_: str) -> dict:
        struck = cases[newest.year - frozen.frozen_on.year]
        return {
            "features": np.ones((50, 1)), "outcomes": (np.arange(50) < struck).astype(float), "people": np.arange(50),
            "hand_made": np.zeros(50), "carried": np.zeros(50), "refused": [], "bands": [("epds", 1)],
            "unrecorded": [], "version": "v1",
        }  # fmt: skip

    monkeypatch.setattr(proposal, "cohort", cohort)
    monkeypatch.setattr(proposal, "_table", table)
    asked = [newest.replace(year=newest.year - years) for years in given]
    learned, dates, _, _ = proposal.learn(Home(tmp_path / "var"), "abuse", asked, None)
    assert [newest.year - date.year for date in dates[::-1]] == expected
    assert learned.outcomes.sum() == sum(cases[years] for years in expected)


def test_a_person_is_on_one_side_only(learned: proposal.Learned) -> None:
    for train, test in parts(learned.outcomes, learned.people):
        assert not set(learned.people[train]) & set(learned.people[test])


def test_the_exact_points_lose_no_more_than_the_rounded_ones(learned: proposal.Learned) -> None:
    penalised = fit_penalised(learned.features, learned.outcomes, learned.people)
    rounded = fit_rounded(learned.features, learned.outcomes, penalised)
    exact = fit_exact(learned.features, learned.outcomes, penalised, seconds=2.0)
    assert (exact.points == np.rint(exact.points)).all()
    assert exact.gap is not None
    assert exact.gap < 0.02
    losses = [
        -np.mean(np.where(learned.outcomes > 0, np.log(chances), np.log(1 - chances)))
        for chances in (card.chances(learned.features) for card in (exact, rounded))
    ]
    assert losses[0] < losses[1] + 5e-4


def test_points_below_zero_are_for_those_who_ask_for_them(learned: proposal.Learned) -> None:
    protecting = BANDS.index(("bullying", 1))
    penalised = fit_penalised(learned.features, learned.outcomes, learned.people, may_lower=True)
    rounded = fit_rounded(learned.features, learned.outcomes, penalised)
    exact = fit_exact(learned.features, learned.outcomes, penalised, seconds=2.0)
    assert all(card.points[protecting] < 0 for card in (penalised, rounded, exact))
    assert spearmanr(rounded.points, EFFECTS).statistic > 0.9
    assert not (fit_penalised(learned.features, learned.outcomes, learned.people).points < 0).any()


def test_the_interval_of_a_difference_is_that_of_resampled_children() -> None:
    rng = np.random.default_rng(2)
    outcomes = (rng.random(3_000) < 0.08).astype(float)
    first = np.rint(3 * outcomes + rng.normal(0, 3, 3_000))
    second = np.rint(first + outcomes + rng.normal(0, 2, 3_000))
    difference, low, high = auc_difference(first, second, outcomes)
    assert difference == pytest.approx(roc_auc_score(outcomes, first) - roc_auc_score(outcomes, second))
    draws = []
    for _ in range(300):
        rows = rng.integers(0, len(outcomes), len(outcomes))
        draws.append(roc_auc_score(outcomes[rows], first[rows]) - roc_auc_score(outcomes[rows], second[rows]))
    assert (high - low) / 2 == pytest.approx(1.96 * np.std(draws), rel=0.15)
    assert auc_difference(first, first, outcomes) == (0, 0, 0)


def test_calibration_line_converges_far_from_the_start() -> None:
    rng = np.random.default_rng(3)
    logit = rng.exponential(0.4, 20_000) - 6
    outcomes = (rng.random(20_000) < logistic(1 + 1.4 * (logit + 1))).astype(float)
    intercept, slope = calibration_line(logit, outcomes)
    assert slope == pytest.approx(1.4, abs=0.35)
    assert logistic(intercept + slope * logit).mean() == pytest.approx(outcomes.mean(), rel=1e-4)

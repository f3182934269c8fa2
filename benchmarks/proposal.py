"""Proposed coefficients beside the truth: how far the points of each difficulty type follow the generator's effects.

KODOMO_HOME=HOME .venv/bin/python benchmarks/proposal.py TRUTH [difficulty type …]

HOME has been built from a synthetic city (`kodomo synth OUT …`, `kodomo run`), TRUTH is its `OUT/truth`. For each type
the proposal is made as `kodomo model propose` makes it; then, over the children of the last freeze, with the log-odds
that the generator gave each of them from its factors (`factors.csv` × `effects.csv`):

- bands: rank correlation of the points of every band that was looked at (0 where it got none) with how much higher the
  true log-odds of the children who met it are, among bands that at least 20 of them met;
- factors: rank correlation of the generator's effects with how many points more the children with a factor have;
- children: rank correlation of the score with the true log-odds;
- AUC of the proposal, and what it is below the better unconstrained model, on the same parts;
- the exact fit beside fasterrisk (Liu et al., FasterRisk, NeurIPS 2022) on the same parts: AUC of both, their paired
  difference, the points of both and the seconds, with as many bands with points as the exact fit has in each part, and
  points from 0 to the same most. fasterrisk asks for versions of pandas and scikit-learn that this project cannot have,
  and runs without them: `.uv/bin/uv pip install --no-deps --target DIR fasterrisk`, then PYTHONPATH=DIR. Without it the
  lines are left out, and the reason is printed.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from kodomo.errors import KodomoError
from kodomo.evaluation.evidence import cohort
from kodomo.evaluation.fitting import MAX_POINTS, auc_difference, fit_exact, fit_penalised, log_loss, logistic, parts
from kodomo.evaluation.proposal import EXACT_SECONDS, Learned, Proposal, learn, propose
from kodomo.home import Home
from kodomo.scoring.replay import SCRATCH

TYPES = ("abuse", "poverty", "truancy", "young_carer", "postpartum_depression")
OUTCOMES = {"abuse": "case"}
"""What the generator calls an outcome, where it has another name."""
LEAST_MET = 20


def read_effects(truth: Path, outcome: str) -> dict[str, float]:
    """Factor → effect in log-odds."""
    with (truth / "effects.csv").open(encoding="utf-8", newline="") as file:
        return {row["factor"]: float(row["effect"]) for row in csv.DictReader(file) if row["outcome"] == outcome}


def read_factors(truth: Path, on: str) -> dict[str, dict[str, str]]:
    """Number of the register → factors of the child on the date nearest to ``on``."""
    by_date: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    with (truth / "factors.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            by_date[row["on"]][row["atena_no"]] = row
    return by_date[min(by_date, key=lambda date: abs(_months(date) - _months(on)))]


def _months(date: str) -> int:
    return int(date[:4]) * 12 + int(date[5:7])


def rank_correlation(first: list[float], second: list[float]) -> str:
    """Spearman's rho with the number of pairs; — where one of the lists does not vary."""
    if len(first) < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return f"— ({len(first)})"
    return f"{spearmanr(first, second).statistic:+.2f} ({len(first)})"


def beside_the_truth(home: Home, proposal: Proposal, truth: Path) -> dict[str, str]:
    """The three rank correlations of a proposal."""
    effects = read_effects(truth, OUTCOMES.get(proposal.difficulty_type, proposal.difficulty_type))
    with cohort(home, proposal.frozen_on[-1]) as frozen:
        children = frozen.connection.execute(
            "select frozen.current_person_id, frozen.bands "
            f"from {SCRATCH}.intermediate.int_evaluation__cohort "
            f"inner join {SCRATCH}.intermediate.int_evaluation__frozen as frozen using (person_id) "
            "where difficulty_type = ? order by frozen.current_person_id",
            [proposal.difficulty_type],
        ).fetchall()
        refused = {
            row[0]
            for row in frozen.connection.execute(
                f"select item_code from {SCRATCH}.intermediate.int_evaluation__refused_items where difficulty_type = ?",
                [proposal.difficulty_type],
            ).fetchall()
        }
    frozen_on = proposal.frozen_on[-1]
    # Who was not born yet at the freeze has factors a year later.
    factors = read_factors(truth, f"{frozen_on.year + 1}{str(frozen_on)[4:]}") | read_factors(truth, str(frozen_on))
    known = [
        (factors[person], [(band["item_code"], band["band_no"]) for band in bands or []])
        for person, bands in children
        if person in factors
    ]
    points = {(row["item_code"], row["band_no"]): row["coefficient"] for row in proposal.coefficients}
    true = np.array([sum(effect * float(row[factor]) for factor, effect in effects.items()) for row, _ in known])
    scores = np.array([sum(points.get(band, 0) for band in bands) for _, bands in known], dtype=float)
    met: dict[Any, list[int]] = defaultdict(list)
    for number, (_, bands) in enumerate(known):
        for band in bands:
            met[band].append(number)
    left_out = {tuple(band) for band in proposal.unrecorded}
    judged = [
        band
        for band in sorted(met)
        if LEAST_MET <= len(met[band]) <= len(known) - LEAST_MET and band[0] not in refused and band not in left_out
    ]
    lifts = [float(true[met[band]].mean() - np.delete(true, met[band]).mean()) for band in judged]
    with_factor = {factor: np.array([float(row[factor]) > 0 for row, _ in known]) for factor in effects}
    seen = [factor for factor, has in with_factor.items() if LEAST_MET <= has.sum() <= len(known) - LEAST_MET]
    return {
        "bands": rank_correlation([float(points.get(band, 0)) for band in judged], lifts),
        "factors": rank_correlation(
            [effects[factor] for factor in seen],
            [float(scores[with_factor[factor]].mean() - scores[~with_factor[factor]].mean()) for factor in seen],
        ),
        "children": rank_correlation(scores.tolist(), true.tolist()),
    }


def beside_fasterrisk(learned: Learned) -> list[str]:
    """Lines about the exact fit and fasterrisk, on the same parts of the same children."""
    from fasterrisk.fasterrisk import RiskScoreOptimizer
    from sklearn.metrics import roc_auc_score

    chances = {name: np.zeros(len(learned.outcomes)) for name in ("exact", "fasterrisk")}
    seconds = dict.fromkeys(chances, 0.0)
    used: dict[str, list[int]] = {name: [] for name in chances}
    losses: dict[str, list[float]] = {name: [] for name in chances}
    for train, test in parts(learned.outcomes, learned.people):
        features, outcomes = learned.features[train], learned.outcomes[train]
        started = time.perf_counter()
        penalised = fit_penalised(features, outcomes, learned.people[train])
        exact = fit_exact(features, outcomes, penalised, EXACT_SECONDS / 4)
        seconds["exact"] += time.perf_counter() - started
        size = int(np.count_nonzero(exact.points))
        chances["exact"][test] = exact.chances(learned.features[test])
        started = time.perf_counter()
        optimizer = RiskScoreOptimizer(X=features, y=2 * outcomes - 1, k=size, lb=0, ub=MAX_POINTS)
        optimizer.optimize()
        multiplier, intercept, points = optimizer.get_models(model_index=0)
        seconds["fasterrisk"] += time.perf_counter() - started
        chances["fasterrisk"][test] = logistic((intercept + learned.features[test] @ points) / multiplier)
        fitted = {
            "exact": exact.chances(features),
            "fasterrisk": logistic((intercept + features @ points) / multiplier),
        }
        for name, given in fitted.items():
            used[name].append(size if name == "exact" else int(np.count_nonzero(points)))
            losses[name].append(log_loss(given, outcomes))
    difference, low, high = auc_difference(chances["exact"], chances["fasterrisk"], learned.outcomes)
    lines = [
        f"{name}: AUC {roc_auc_score(learned.outcomes, chances[name]):.3f}, bands with points {used[name]}, "
        f"mean loss where fitted {np.mean(losses[name]):.5f}, {seconds[name]:.1f} s"
        for name in chances
    ]
    return [*lines, f"exact minus fasterrisk: AUC {difference:+.3f} ({low:+.3f} to {high:+.3f})"]


def main() -> None:
    """Print a line for each difficulty type."""
    truth, home = Path(sys.argv[1]), Home.from_environment()
    for difficulty in sys.argv[2:] or TYPES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                proposal = propose(home, difficulty, Path(folder) / difficulty)
            except KodomoError as error:
                print(f"{difficulty}: {error}")
                continue
            judged = {row.name: row for row in proposal.judgements}[proposal.method]
            versus = {row["with"]: row for row in proposal.comparisons}
            comparison = beside_the_truth(home, proposal, truth)
            try:
                other = beside_fasterrisk(learn(home, difficulty, proposal.frozen_on, None)[0])
            except ImportError as error:
                other = [f"not compared with fasterrisk: {error}"]
        print(
            f"{difficulty}: {proposal.cases} cases of {proposal.children:,}; rank correlation of points with effects: "
            f"bands {comparison['bands']}, factors {comparison['factors']}, children {comparison['children']}"
        )
        print(f"    AUC {judged.auc:.3f} ({judged.auc_low:.3f}–{judged.auc_high:.3f}), {proposal.method}")
        for name in ("unconstrained", "boosted"):
            row = versus[name]
            print(f"    minus {name}: {row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})")
        for line in other:
            print(f"    {line}")


if __name__ == "__main__":
    main()

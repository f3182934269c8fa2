"""Additive models of becoming a case, fitted to the bands that children met: penalised, integer, unconstrained.

Every function takes ``features`` (children × bands, 0 or 1) and ``outcomes`` (0 or 1 for each child). Points never
lower a score unless that is asked for: a band that seems to protect is left to people to judge.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

SEED = 20260401
MAX_POINTS = 10
MAX_BANDS = 25
PENALTIES = np.logspace(0, 2, 5)
"""Weights of the squared penalty that cross-validation chooses from; the loss beside it is the sum over children."""
PARTS_TO_CHOOSE = 5


@dataclass(frozen=True)
class Scorecard:
    """An additive model: chance of a case = logistic(intercept + scale × Σ points)."""

    points: np.ndarray
    intercept: float
    scale: float = 1.0
    penalty: float = 0.0
    """Weight of the squared penalty with which it was fitted."""
    gap: float | None = None
    """Of the exact method: how far the loss may be above the least possible one, as a share; 0 = proven least."""

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Σ points of each child."""
        return features @ self.points

    def chances(self, features: np.ndarray) -> np.ndarray:
        """The chance of a case of each child."""
        return logistic(self.intercept + self.scale * self.scores(features))


def logistic(logit: np.ndarray) -> np.ndarray:
    """Chances of log-odds."""
    from scipy.special import expit

    return expit(np.clip(logit, -35, 35))


def fit_penalised(
    features: np.ndarray, outcomes: np.ndarray, people: np.ndarray | None = None, *, may_lower: bool = False
) -> Scorecard:
    """Logistic regression with weights of 0 or more and a squared penalty that cross-validation chooses: the largest
    whose loss is within a standard error of the least (Hastie et al., The Elements of Statistical Learning, 7.10),
    because with few cases the least loss is a matter of luck.

    That no sign lowers the score is worth more than any penalty where cases are few: rare bands cannot cancel each
    other. Only the ``MAX_BANDS`` bands that spread the scores most keep their weight. ``people``: number of the
    person of each row (default: every row another one). ``may_lower``: weights below 0 as well.
    """
    least = None if may_lower else 0.0

    def fitted(rows: np.ndarray, targets: np.ndarray, penalty: float) -> Callable[[np.ndarray], np.ndarray]:
        intercept, weights = _weights(rows, targets, penalty, least)
        return lambda others: logistic(intercept + others @ weights)

    penalty = _best_penalty(fitted, features, outcomes, people, is_cautious=True)
    intercept, weights = _weights(features, outcomes, penalty, least)
    share = features.mean(axis=0)
    kept = np.argsort(-np.abs(weights) * np.sqrt(share * (1 - share)), kind="stable")[:MAX_BANDS]
    chosen = np.zeros(features.shape[1])
    intercept, chosen[kept] = _weights(features[:, kept], outcomes, penalty, least)
    chosen[np.abs(chosen) < 1e-3] = 0
    return replace(_recalibrated(Scorecard(chosen, intercept), features, outcomes), penalty=penalty)


def _weights(
    features: np.ndarray, outcomes: np.ndarray, penalty: float, least: float | None
) -> tuple[float, np.ndarray]:
    """Intercept and weights of ``least`` or more (None: any) with the least penalised loss."""
    from scipy.optimize import minimize

    patterns, cases, people = _patterns(features, outcomes)

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        logit = np.clip(at[0] + patterns @ at[1:], -35, 35)
        slope = people * logistic(logit) - cases
        value = (people * np.logaddexp(0, logit) - cases * logit).sum() + penalty / 2 * (at[1:] ** 2).sum()
        return float(value), np.concatenate([[slope.sum()], slope @ patterns + penalty * at[1:]])

    start = np.zeros(features.shape[1] + 1)
    start[0] = np.log(outcomes.mean() / (1 - outcomes.mean()))
    bounds = [(-15, 5)] + [(least, None)] * features.shape[1]
    estimate = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(estimate[0]), estimate[1:]


def _best_penalty(
    fit: Callable[[np.ndarray, np.ndarray, float], Callable[[np.ndarray], np.ndarray]],
    features: np.ndarray,
    outcomes: np.ndarray,
    people: np.ndarray | None,
    *,
    is_cautious: bool = False,
) -> float:
    """The penalty with the least loss over parts, each predicted from the others.

    ``fit``: features, outcomes and penalty → features → chances. ``people`` as for ``fit_penalised``.
    ``is_cautious``: the largest penalty whose loss is within a standard error of the least.
    """
    losses_by_part = []
    for train, test in parts(outcomes, np.arange(len(outcomes)) if people is None else people, PARTS_TO_CHOOSE):
        fits = (fit(features[train], outcomes[train], penalty) for penalty in PENALTIES)
        losses_by_part.append([log_loss(chances(features[test]), outcomes[test]) for chances in fits])
    losses = np.array(losses_by_part)
    means = losses.mean(axis=0)
    best = int(means.argmin())
    if is_cautious:
        margin = losses[:, best].std(ddof=1) / len(losses) ** 0.5
        best = int(np.flatnonzero(means <= means[best] + margin).max())
    return float(PENALTIES[best])


def fit_rounded(features: np.ndarray, outcomes: np.ndarray, penalised: Scorecard | None = None) -> Scorecard:
    """The penalised weights as whole points up to ``MAX_POINTS`` (down to as many below 0 where a weight is), by the
    multiplier with the least loss."""
    weights = (penalised or fit_penalised(features, outcomes)).points
    if not weights.any():
        return _recalibrated(Scorecard(np.zeros(len(weights)), 0.0), features, outcomes)
    candidates = [
        _recalibrated(Scorecard(np.rint(weights * top / np.abs(weights).max()), 0.0), features, outcomes)
        for top in range(3, MAX_POINTS + 1)
    ]
    return min(candidates, key=lambda card: log_loss(card.chances(features), outcomes))


def fit_exact(
    features: np.ndarray,
    outcomes: np.ndarray,
    penalised: Scorecard | None = None,
    seconds: float = 20.0,
    price: float = 2e-5,
) -> Scorecard:
    """The integer points with the least loss among the bands that the penalised model keeps.

    Minimises the logistic loss with the penalty of that model plus ``price`` for each band with points: a
    mixed-integer programme (HiGHS) over tangents of the loss, one more at each solution, until bound and loss meet or
    the time is over (after Ustun and Rudin, Learning Optimized Risk Scores, JMLR 2019). Points may be below 0 where a
    penalised weight is.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    start = penalised or fit_penalised(features, outcomes)
    kept = np.flatnonzero(start.points)
    if not len(kept):
        return fit_rounded(features, outcomes, start)
    top = MAX_POINTS
    bottom = -top if (start.points < 0).any() else 0
    scale = float(np.abs(start.points).max() * start.scale / top)
    patterns, cases, people = _patterns(features[:, kept], outcomes)
    count = len(kept)

    def loss(intercept: float, points: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean loss and its gradient in (intercept, points)."""
        logit = np.clip(intercept + scale * (patterns @ points), -35, 35)
        value = (people * np.logaddexp(0, logit) - cases * logit).sum() / people.sum()
        slope = (people * logistic(logit) - cases) / people.sum()
        bend = start.penalty * scale**2 / people.sum()
        return (
            float(value + bend / 2 * (points**2).sum()),
            np.concatenate([[slope.sum()], scale * (slope @ patterns) + bend * points]),
        )

    def settled(points: np.ndarray, intercept: float) -> tuple[float, float]:
        """The best intercept for these points, and the loss with it."""
        for _ in range(30):
            logit = intercept + scale * (patterns @ points)
            chances = logistic(logit)
            change = (people * chances - cases).sum() / max((people * chances * (1 - chances)).sum(), 1e-9)
            intercept -= float(np.clip(change, -2, 2))
            if abs(change) < 1e-10:
                break
        return intercept, loss(intercept, points)[0]

    # Variables: loss, intercept, points (whole), chosen (0 or 1).
    objective = np.concatenate([[1.0, 0.0], np.zeros(count), np.full(count, price)])
    bounds = Bounds(
        np.concatenate([[0.0, -15.0], np.full(count, bottom), np.zeros(count)]),
        np.concatenate([[np.inf, 5.0], np.full(count, top), np.ones(count)]),
    )
    integrality = np.concatenate([[0, 0], np.ones(2 * count)])
    # Points of a band that is not chosen are 0.
    linked = np.vstack(
        [np.hstack([np.zeros((count, 2)), sign * np.eye(count), -top * np.eye(count)]) for sign in (1, -1)]
    )
    tangents: list[np.ndarray] = []
    offsets: list[float] = []

    def touch(intercept: float, points: np.ndarray) -> None:
        value, gradient = loss(intercept, points)
        tangents.append(np.concatenate([[1.0], -gradient, np.zeros(count)]))
        offsets.append(value - float(gradient @ np.concatenate([[intercept], points])))

    best_points = np.clip(np.rint(start.points[kept] * start.scale / scale), bottom, top)
    best_intercept, best_loss = settled(best_points, start.intercept)
    best = best_loss + price * np.count_nonzero(best_points)
    touch(best_intercept, best_points)
    touch(start.intercept, start.points[kept] * start.scale / scale)
    touch(*_relaxed(loss, start.intercept, best_points, bottom, top))
    lower, until = 0.0, time.monotonic() + seconds

    def solve(whole: bool) -> Any:
        return milp(
            objective,
            constraints=[
                LinearConstraint(np.array(tangents), lb=np.array(offsets)),
                LinearConstraint(linked, ub=0.0),
            ],
            bounds=bounds,
            integrality=integrality if whole else None,
            options={"time_limit": max(until - time.monotonic(), 0.5), "mip_rel_gap": 1e-4},
        )

    # Tangents around the least loss cost little where points need not be whole yet.
    for _ in range(30 * count):
        result = solve(whole=False)
        if result.x is None or time.monotonic() > until - seconds / 2:
            break
        at = float(result.x[1]), result.x[2 : 2 + count]
        if loss(*at)[0] - result.x[0] < 1e-5:
            break
        touch(*at)
    while time.monotonic() < until and best - lower > 1e-3 * best:
        result = solve(whole=True)
        bound = getattr(result, "mip_dual_bound", None)
        lower = max(lower, float(bound) if bound is not None and np.isfinite(bound) else 0.0)
        if result.x is None:
            break
        points = np.rint(result.x[2 : 2 + count])
        intercept, value = settled(points, float(result.x[1]))
        total = value + price * np.count_nonzero(points)
        if total < best:
            best, best_points, best_intercept = total, points, intercept
        touch(intercept, points)
        touch(float(result.x[1]), points)
    points = np.zeros(features.shape[1])
    points[kept] = best_points
    # The penalty holds the chances back; which points are best is settled, and what they mean is fitted once more.
    card = _recalibrated(Scorecard(points, best_intercept, scale), features, outcomes)
    return replace(card, gap=max(best - lower, 0.0) / best)


def _relaxed(loss: Callable, intercept: float, points: np.ndarray, bottom: int, top: int) -> tuple[float, np.ndarray]:
    """The least loss where points need not be whole: a tangent there bounds well."""
    from scipy.optimize import minimize

    result = minimize(
        lambda at: loss(at[0], at[1:]),
        np.concatenate([[intercept], points]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-15, 5)] + [(bottom, top)] * len(points),
    )
    return float(result.x[0]), result.x[1:]


def fit_unconstrained(
    features: np.ndarray, outcomes: np.ndarray, people: np.ndarray | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """Logistic regression over all bands, with weights of either sign: features → chances."""
    from sklearn.linear_model import LogisticRegression

    def fitted(rows: np.ndarray, targets: np.ndarray, penalty: float) -> Callable[[np.ndarray], np.ndarray]:
        patterns, cases, count = _patterns(rows, targets)
        weights = np.concatenate([cases, count - cases])
        some = weights > 0
        signs = np.repeat([1, 0], len(patterns))
        # This solver leaves the intercept free: a penalised one is far off where cases are rare.
        model = LogisticRegression(C=1 / penalty, solver="lbfgs", max_iter=500)
        model.fit(np.vstack([patterns, patterns])[some], signs[some], sample_weight=weights[some])
        return lambda others: model.predict_proba(others)[:, 1]

    return fitted(features, outcomes, _best_penalty(fitted, features, outcomes, people))


def fit_boosted(features: np.ndarray, outcomes: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Boosted trees, which find combinations by themselves: features → chances."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=120, max_leaf_nodes=6, min_samples_leaf=30, l2_regularization=5, random_state=SEED
    )
    # Threads that wait for each other take hundreds of times as long as the work, where processors are busy.
    with threadpool_limits(limits=1):
        model.fit(features, outcomes)

    def chances(others: np.ndarray) -> np.ndarray:
        with threadpool_limits(limits=1):
            return model.predict_proba(others)[:, 1]

    return chances


def parts(outcomes: np.ndarray, people: np.ndarray, count: int = 5) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions to fit and to judge on: cases spread evenly, a person always on one side. Fewer cases, fewer parts."""
    from sklearn.model_selection import StratifiedKFold

    # Over people, not over rows in groups: the same parts, and a splitter for groups takes minutes here.
    persons, person = np.unique(people, return_inverse=True)
    has_case = np.bincount(person, weights=outcomes) > 0
    splitter = StratifiedKFold(max(2, min(count, int(has_case.sum()))), shuffle=True, random_state=SEED)
    tests = [np.isin(person, test) for _, test in splitter.split(persons, has_case)]
    return [(np.flatnonzero(~test), np.flatnonzero(test)) for test in tests]


def log_loss(chances: np.ndarray, outcomes: np.ndarray) -> float:
    """Mean logistic loss; a chance of 0 or 1 costs as much as one of 1e-12 beside it."""
    from sklearn.metrics import log_loss as mean_loss

    return float(mean_loss(outcomes, np.clip(chances, 1e-12, 1 - 1e-12), labels=[0, 1]))


def _patterns(features: np.ndarray, outcomes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Different rows of features, with cases and children of each."""
    # Rows as bits: whole rows of numbers take a hundred times as long to sort.
    bits = np.packbits(features > 0, axis=1)
    keys = np.ascontiguousarray(bits).view(np.dtype((np.void, max(bits.shape[1], 1)))).ravel()
    _, first, position = np.unique(keys, return_index=True, return_inverse=True)
    patterns = features[first]
    return patterns, np.bincount(position, weights=outcomes), np.bincount(position).astype(float)


def _recalibrated(card: Scorecard, features: np.ndarray, outcomes: np.ndarray) -> Scorecard:
    """The same points with the intercept and the scale that fit best."""
    scores = card.scores(features)
    if not scores.any():
        return replace(card, intercept=float(np.log(outcomes.mean() / (1 - outcomes.mean()))), scale=0.0)
    intercept, scale = calibration_line(scores, outcomes)
    return replace(card, intercept=intercept, scale=scale)


def calibration_line(scores: np.ndarray, outcomes: np.ndarray) -> tuple[float, float]:
    """Intercept and slope of a logistic regression of the outcomes on one column; both kinds of outcome occur."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    model = LogisticRegression(C=np.inf, solver="lbfgs", tol=1e-8, max_iter=1000)
    make_pipeline(scaler, model).fit(scores.reshape(-1, 1), outcomes)
    slope = float(model.coef_[0, 0] / scaler.scale_[0])
    return float(model.intercept_[0] - slope * scaler.mean_[0]), slope


@dataclass(frozen=True)
class Judgement:
    """How well scores separate cases from others, on children that the model was not fitted to."""

    name: str
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    at_capacity: list[dict] = field(default_factory=list)
    """Per capacity: precision and recall among that many highest scores; ties share alike."""
    calibration: list[dict] = field(default_factory=list)
    """Per fifth of the chances: mean chance, share that became a case, children."""
    slope: float | None = None
    """1 = chances are neither too extreme nor too timid."""


def judge(
    name: str, scores: np.ndarray, outcomes: np.ndarray, capacities: list[int], chances: np.ndarray | None = None
) -> Judgement:
    """Judge scores; with chances also their calibration. AUC interval after Hanley and McNeil (1982)."""
    cases, others = int(outcomes.sum()), int(len(outcomes) - outcomes.sum())
    auc = low = high = None
    if cases and others:
        from sklearn.metrics import roc_auc_score

        auc = float(roc_auc_score(outcomes, scores))
        first, second = auc / (2 - auc), 2 * auc * auc / (1 + auc)
        variance = auc * (1 - auc) + (cases - 1) * (first - auc * auc) + (others - 1) * (second - auc * auc)
        margin = 1.959964 * (max(variance, 0) / (cases * others)) ** 0.5
        low, high = max(0.0, auc - margin), min(1.0, auc + margin)
    calibration, slope = [], None
    if chances is not None and cases:
        from scipy.special import logit

        for part in np.array_split(np.argsort(chances, kind="stable"), 5):
            calibration.append(
                {
                    "chance": float(chances[part].mean()),
                    "became_case": float(outcomes[part].mean()),
                    "children": len(part),
                }
            )
        if others:
            slope = calibration_line(logit(np.clip(chances, 1e-9, 1 - 1e-9)), outcomes)[1]
    at_capacity = [_at(capacity, scores, outcomes) for capacity in capacities]
    return Judgement(name, auc, low, high, at_capacity, calibration, slope)


def auc_difference(scores: np.ndarray, others: np.ndarray, outcomes: np.ndarray) -> tuple[float, float, float]:
    """AUC of ``scores`` minus that of ``others`` over the same children, with its 95 % interval.

    After DeLong, DeLong and Clarke-Pearson (1988): what is common to both models cancels out.
    """
    from scipy.stats import rankdata

    cases = outcomes > 0
    beaten, unbeaten = [], []
    for given in (scores, others):
        # The share of the other side that each child stands above; equal scores count half.
        overall = rankdata(given)
        beaten.append((overall[cases] - rankdata(given[cases])) / (~cases).sum())
        unbeaten.append(1 - (overall[~cases] - rankdata(given[~cases])) / cases.sum())
    above, below = beaten[0] - beaten[1], unbeaten[0] - unbeaten[1]
    difference = float(above.mean())
    margin = 1.959964 * float(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below)) ** 0.5
    return difference, difference - margin, difference + margin


def _at(capacity: int, scores: np.ndarray, outcomes: np.ndarray) -> dict:
    seats = min(capacity, len(scores))
    order = np.sort(scores)[::-1]
    edge = order[seats - 1]
    above, tied = scores > edge, scores == edge
    # Who of those with equal scores is looked at is chance: each counts with their share of the seats left.
    cases = outcomes[above].sum() + outcomes[tied].sum() * (seats - above.sum()) / tied.sum()
    return {
        "capacity": capacity,
        "precision": float(cases / seats),
        "recall": float(cases / outcomes.sum()) if outcomes.sum() else None,
    }

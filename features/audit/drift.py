"""Checks of training against scoring: whether the rows to score are of the kind that was learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from touchline.features.audit import limits
from touchline.features.audit.boosted import Matrix, column, scores
from touchline.features.audit.case import Case, microseconds, quiet, values_of
from touchline.features.audit.codes import Code
from touchline.features.audit.findings import Finding, found
from touchline.features.audit.look import Values
from touchline.features.audit.plot import DAY
from touchline.features.audit.ranks import Floats, Ints, area_over, bins
from touchline.features.catalog import Account, Age, Calendar, DaysSinceFirst
from touchline.features.training import FeatureSet


@dataclass(frozen=True)
class Sides:
    """Rows of training, and rows to score or, without any, the latest rows of training."""

    learned: FeatureSet
    learned_rows: Ints
    scored: FeatureSet
    scored_rows: Ints
    words: str


def check_drift(case: Case) -> Iterator[Finding]:
    """DIVERGENCE, FILL_SHIFT, ADVERSARIAL."""
    sides = _sides(case)
    if min(len(sides.learned_rows), len(sides.scored_rows)) < limits.ENOUGH_ROWS:
        for code in (Code.DIVERGENCE, Code.FILL_SHIFT, Code.ADVERSARIAL):
            yield quiet(code, "too few rows on one side")
        return
    names = [n for n in case.training.names if n in sides.scored.names]
    case.w.progress("holding training against scoring")
    divergence: dict[str, float] = {}
    fill: dict[str, float] = {}
    chosen = [_some(rows, case.seed) for rows in (sides.learned_rows, sides.scored_rows)]
    x = np.empty((sum(map(len, chosen)), len(names)), np.float32)
    categories: set[str] = set()
    for i, name in enumerate(names):
        learned, scored = alike(values_of(sides.learned, name), values_of(sides.scored, name))
        both = learned, scored
        apart, fill[name] = _apart(*both, sides)
        if not moves_with_time(case, name):
            divergence[name] = apart
        x[:, i] = np.concatenate([column(v, rows) for v, rows in zip(both, chosen, strict=True)])
        if learned.numbers is None:
            categories.add(name)
    yield from _judge(Code.DIVERGENCE, divergence, limits.DIVERGENCE, f"divergence of {sides.words}")
    yield from _judge(Code.FILL_SHIFT, fill, limits.FILL_SHIFT, f"difference of fill rates, {sides.words}")
    yield _adversarial(case, sides, chosen, Matrix(x, tuple(names), frozenset(categories)))


def _sides(case: Case) -> Sides:
    as_of, year = case.as_of, limits.ADVERSARIAL_DAYS * DAY
    everything = np.arange(len(as_of))
    if case.scoring is not None:
        recent = everything[as_of >= int(as_of.max()) - year]
        return Sides(case.training, recent, case.scoring, np.arange(len(case.scoring)), "training and scoring")
    dates = np.unique(as_of)
    late = dates[int(len(dates) * (1 - limits.LATEST))]
    before = (as_of < late) & (as_of >= int(late) - year)
    return Sides(case.training, everything[before], case.training, everything[as_of >= late], "earlier and latest rows")


def alike(one: Values, other: Values) -> tuple[Values, Values]:
    """Two columns with the same codes for the same names."""
    if one.numbers is not None or other.numbers is not None:
        return one, other
    names = tuple(dict.fromkeys([*one.names, *other.names]))
    place = {name: i for i, name in enumerate(names)}

    def coded(values: Values) -> Values:
        new = np.array([*(place[n] for n in values.names), len(names)])
        return Values(None, new[values.code], len(names) + 1, names)

    return coded(one), coded(other)


def _apart(learned: Values, scored: Values, sides: Sides) -> tuple[float, float]:
    """Jensen-Shannon divergence, and difference of fill rates."""
    if learned.numbers is not None and scored.numbers is not None:
        a, b = learned.numbers[sides.learned_rows], scored.numbers[sides.scored_rows]
        code, size = bins(np.concatenate([a, b]))
        one, other = code[: len(a)], code[len(a) :]
    else:
        one, other, size = learned.code[sides.learned_rows], scored.code[sides.scored_rows], learned.size
    shares = [np.bincount(c, minlength=size) / len(c) for c in (one, other)]
    return jensen_shannon(*shares), abs(float(shares[0][-1] - shares[1][-1]))


def jensen_shannon(p: Floats, q: Floats) -> float:
    """Divergence of two distributions to the base 2, so that 1 means nothing in common."""
    middle = (p + q) / 2
    parts = [np.where(s > 0, s * np.log2(np.where(s > 0, s, 1) / np.where(middle > 0, middle, 1)), 0.0) for s in (p, q)]
    return float(sum(part.sum() for part in parts)) / 2


def _judge(code: Code, figures: dict[str, float], limit: float, what: str) -> Iterator[Finding]:
    worst = sorted(figures, key=lambda name: figures[name], reverse=True)
    wrong = [name for name in worst if figures[name] > limit][: limits.NAMED]
    for name in wrong:
        yield found(code, "warn", name, f"{what}: {figures[name]:.2f}", {"figure": figures[name]})
    if not wrong and worst:
        told = f"{len(worst)} features, the largest {what} is {figures[worst[0]]:.2f}"
        yield found(code, "ok", worst[0], told, {"features": len(worst), "largest": figures[worst[0]]})


def _adversarial(case: Case, sides: Sides, chosen: list[Ints], matrix: Matrix) -> Finding:
    """How well rows of the two sides are told apart, by features that do not simply grow with time."""
    ageing = [n for n in matrix.names if moves_with_time(case, n)]
    matrix = matrix.without(ageing)
    label = np.repeat([False, True], [len(rows) for rows in chosen])
    group = _groups_of_both(sides, chosen)
    auc = area_over(scores(matrix, label, group, case.seed), label, group)
    tell: Callable[[int], float] = lambda i: _single(matrix.x[:, i], label, group)  # noqa: E731
    best = sorted(range(len(matrix.names)), key=tell, reverse=True)[:3]
    subject = matrix.names[best[0]] if best else "features"
    names = ", ".join(matrix.names[i] for i in best)
    told = f"{sides.words} are told apart with an AUC of {auc.value:.2f}; most of all by {names}{_other_grid(sides)}"
    figures = {"auc": auc.value, "rows": len(label), "features_left_out": len(ageing)}
    return found(Code.ADVERSARIAL, "warn" if auc.value > limits.ADVERSARIAL else "ok", subject, told, figures)


def _other_grid(sides: Sides) -> str:
    """What to say if rows to score are as of another time of day or weekday than what was learned from."""
    learned, scored = (np.unique(microseconds(s)) for s in (sides.learned, sides.scored))
    if not np.isin(scored % DAY, learned % DAY).all():
        return "; the rows to score are as of another time of day"
    if not np.isin(scored // DAY % 7, learned // DAY % 7).all():
        return "; the rows to score are as of another day of the week"
    return ""


def _single(values: Floats, label: np.ndarray, group: Ints) -> float:  # type: ignore[type-arg]
    value = area_over(np.nan_to_num(values, nan=-np.inf), label, group).value
    return abs(value - 0.5)


def moves_with_time(case: Case, name: str) -> bool:
    """Whether a feature differs on other dates in any case: calendar, age, and days since the very first touch."""
    if name not in case.catalog:
        return False
    feature = case.catalog[name]
    inner = feature.inner if isinstance(feature, Account) else feature
    return isinstance(inner, Age | Calendar | DaysSinceFirst)


def _some(rows: Ints, seed: int) -> Ints:
    return np.sort(np.random.default_rng(seed).permutation(rows)[: limits.MODEL_ROWS // 2])


def _groups_of_both(sides: Sides, chosen: list[Ints]) -> Ints:
    """Accounts of the rows of both sides, numbered together: an account is judged by a model that saw none of it."""
    keys = np.concatenate([s.groups[rows] for s, rows in zip((sides.learned, sides.scored), chosen, strict=True)])
    return np.unique(keys.astype(str), return_inverse=True)[1]

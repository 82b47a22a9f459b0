"""How much each account moves a rank metric: the first-order change of the metric if the account came once more."""

from __future__ import annotations

import numpy as np

from touchline.models.evaluation.inputs import Bools, Floats, Ints
from touchline.models.evaluation.order import DateOrder, RankOrder
from touchline.models.evaluation.ranking import limit_of_dates
from touchline.models.evaluation.sample import Sample


def of_ranks(order: RankOrder, data: Sample) -> dict[str, Floats]:
    """Influence (groups,) on ROC-AUC (Obuchowski 1997) and on average precision; empty where a class is missing."""
    won, w = order.won, order.weight
    wins, others = w * won, w * ~won
    p, n = wins.sum(), others.sum()
    if not p or not n:
        return {}
    tie = np.cumsum(order.last) - order.last
    tied_wins, tied_others = np.bincount(tie, wins), np.bincount(tie, others)
    all_wins, all_others = np.cumsum(tied_wins), np.cumsum(tied_others)
    below = (n - all_others + tied_others / 2)[tie] / n
    above = (all_wins - tied_wins / 2)[tie] / p
    area = float((wins * below).sum() / p)
    of_area = wins * (below - area) / p + others * (above - area) / n
    precision = all_wins / (all_wins + all_others)
    gained = tied_wins / (all_wins + all_others)  # what a further row above adds to the precisions from here down
    if_won, always = (np.cumsum(v[::-1])[::-1][tie] for v in (gained, gained * precision))
    average = float((tied_wins * precision).sum() / p)
    of_precision = (wins * (precision[tie] - average) + wins * if_won - w * always) / p
    return {
        "roc_auc": _by_group(order.group, of_area, data),
        "pr_auc": _by_group(order.group, of_precision, data),
    }


def of_capacity(order: DateOrder, data: Sample, capacity: float, total: Floats) -> dict[str, Floats]:
    """Influence (groups,) on what the best leads hold, with the leads that one more account would push out.

    Those pushed out have the mean of the leads around the edge, from half the capacity to half as much again; `total`
    are all places of each date (dates,).
    """
    date = data.date[order.rows]
    limit = limit_of_dates(capacity, total)
    taken, near = _edge(order, date, limit)
    full = (limit < total)[date]
    at_edge = order.places * (near & full)
    made = (
        capacity if isinstance(capacity, float) else 0.0
    )  # a share of the dates makes room for a share of the account
    pushed = np.where(full, order.places * (taken - made), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_place = order.columns[near & full].sum(axis=0) / at_edge.sum() if at_edge.any() else np.zeros(4)
        moved = np.stack(
            [_by_group(order.group, order.columns[:, c] * taken - per_place[c] * pushed, data) for c in range(4)],
            axis=1,
        )
        won, weight = data.by_group(data.weight * data.won), data.by_group(data.weight)
        sums = (order.columns * taken[:, None]).sum(axis=0)
        capture, precision = sums[0] / won.sum(), sums[0] / sums[1]
        of_capture = (moved[:, 0] - capture * won) / won.sum()
        of_precision = (moved[:, 0] - precision * moved[:, 1]) / sums[1]
        rate = won.sum() / weight.sum()
        of_lift = of_precision / rate - precision / rate**2 * (won - rate * weight) / weight.sum()
    return {
        "capture": of_capture,
        "lift": of_lift,
        "precision": of_precision,
        "expected_wins": moved[:, 2] / data.dates,
        "expected_value": moved[:, 3] / data.dates,
    }


def _by_group(group: Ints, values: Floats, data: Sample) -> Floats:
    return np.bincount(group, values, minlength=data.groups).astype(np.float64, copy=False)


def _edge(order: DateOrder, date: Ints, limit: Floats) -> tuple[Floats, Bools]:
    """The share of each row that is taken, and whether it stands near the edge of the capacity."""
    tie = np.r_[0, np.cumsum(order.last)[:-1]]
    tied = np.bincount(tie, order.places)
    before = np.cumsum(tied) - tied
    first = before[tie[order.start[:-1]]]  # places before each date
    place = before[tie] - first[date]
    edge = limit[date]
    with np.errstate(invalid="ignore", divide="ignore"):
        taken = np.clip((edge - place) / tied[tie], 0, 1)
    middle = place + tied[tie] / 2
    return np.nan_to_num(taken), (middle > edge / 2) & (middle < 1.5 * edge)

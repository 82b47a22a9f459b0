"""Told: which groups of facts somebody is told, so that the truth can be asked with the others left out.

What is left out drops out of the likelihood: rates and counts of its touches, the arrivals of people, the visible fit.
Who is there when is always known (it is what rates are measured against), and so are calls and deals (they say which
accounts are in question). A hidden visible fit joins the hidden residual: its three values and shares are then those
of the three-point Gauss quadrature of the whole fit's distribution (Golub and Welsch 1969, "Calculation of Gauss
quadrature rules", Math. Comp. 23), which has the same first five moments.
"""

from collections.abc import Collection
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from touchline.features.sources.simulated.dynamics import FIT_COUNT, Floats, Model
from touchline.features.sources.simulated.kinds import (
    CONTENT_DOWNLOAD,
    DEMO_REQUEST,
    EVENT,
    HUMAN_COUNT,
    MAIL_KINDS,
    PRICING_PAGE,
    WEB_VISIT,
    WEBINAR,
)

#: Groups of facts: who the account and the person are; touches by channel, with what marketing sent; who came when.
FIT, WEB, EMAIL, EVENTS, PEOPLE = "fit", "web", "email", "events", "people"
GROUPS: tuple[str, ...] = (FIT, WEB, EMAIL, EVENTS, PEOPLE)

_KINDS_OF = {
    WEB: (WEB_VISIT, CONTENT_DOWNLOAD, PRICING_PAGE),
    EMAIL: MAIL_KINDS,
    EVENTS: (WEBINAR, DEMO_REQUEST, EVENT),
}
_SIZES = 2_000  # companies of even chance that stand for the distribution of their size


class Told(NamedTuple):
    """What the filter listens to."""

    kinds: NDArray[np.bool_]  # (K,) human touch kinds
    sends: bool
    arrivals: bool
    fit: bool  # the visible part
    residual_fit: Floats  # (U,) values of the hidden part
    residual_share: Floats  # (U,)
    attach_chance: Floats  # (R,) by role; its mean if the role, part of the fit, is not told


def told(model: Model, groups: Collection[str] = GROUPS) -> Told:
    """Turn names of groups into what the filter asks for; all groups give the truth itself.

    Raises
    ------
    ValueError
        If a name is none of `GROUPS`.
    """
    if strange := sorted(set(groups) - set(GROUPS)):
        raise ValueError(f"No such group of facts: {', '.join(strange)}. There are {', '.join(GROUPS)}.")
    kinds = np.zeros(HUMAN_COUNT, np.bool_)
    for group in set(groups) & set(_KINDS_OF):
        kinds[list(_KINDS_OF[group])] = True
    residual, share, attach = model.residual_fit, model.residual_share, model.attach_chance
    if FIT not in groups:
        residual, share = _quadrature(*_whole_fit(model), FIT_COUNT)
        attach = np.full_like(attach, model.role_share @ attach)
    arrays = (np.ascontiguousarray(values, np.float64) for values in (residual, share, attach))
    return Told(kinds, EMAIL in groups, PEOPLE in groups, FIT in groups, *arrays)


def _whole_fit(model: Model) -> tuple[Floats, Floats]:
    """Values of visible and hidden fit together, and their chances."""
    normal = NormalDist(model.log_size_mean, model.log_size_sd)
    log_size = [normal.inv_cdf((place + 0.5) / _SIZES) for place in range(_SIZES)]
    employees = np.maximum(1.0, np.rint(np.exp(log_size)))
    size = model.fit_offset - model.size_penalty * (np.log(employees) - model.best_log_size) ** 2
    value, chance = size, np.full(_SIZES, 1 / _SIZES)
    for fit, share in (
        (model.industry_fit, model.industry_share),
        (model.region_fit, model.region_share),
        (model.residual_fit, model.residual_share),
    ):
        value = np.add.outer(value, fit).ravel()
        chance = np.multiply.outer(chance, share).ravel()
    return value, chance


def _quadrature(value: Floats, chance: Floats, points: int) -> tuple[Floats, Floats]:
    """Few values and their chances with the same moments as many, up to the order 2 * points - 1 (by Lanczos)."""
    jacobi = np.zeros((points, points))
    before, now = np.zeros_like(value), np.sqrt(chance)
    for place in range(points):
        ahead = value * now
        jacobi[place, place] = now @ ahead
        ahead -= jacobi[place, place] * now
        if place:
            ahead -= jacobi[place, place - 1] * before
        if place + 1 < points:
            jacobi[place, place + 1] = jacobi[place + 1, place] = np.linalg.norm(ahead)
            before, now = now, ahead / jacobi[place, place + 1]
    nodes, vectors = np.linalg.eigh(jacobi)
    return nodes, vectors[0] ** 2

"""How steady families are: what each is worth, beside how much a retrain moves it.

A family whose share in scores is smaller than what another training of the same scorer would make of it says more about
the training than about the lead; it is not shown as a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from touchline.models.explainer import Contributions, Explainer
from touchline.models.scorer.model import ScoringModel

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 5_000


def steadiness(
    model: ScoringModel, twin: ScoringModel, features: pd.DataFrame, families: Mapping[str, str]
) -> dict[str, Any]:
    """Measure families on rows, by a model and its twin.

    Parameters
    ----------
    model, twin
        Two trainings of one scorer, on more and on fewer rows.
    features
        Rows to explain; of many, a regular sample.
    families
        Family of each feature.

    Returns
    -------
    dict
        `families`: for each its `share` (mean absolute log-odds) and its `noise` (mean absolute difference between the
        two models); `shown`: those whose share is not below their noise.
    """
    rows = features.iloc[:: max(1, len(features) // _ROWS)]
    both = [_by_family(Explainer(one, check=rows).explain(rows), families) for one in (model, twin)]
    names = sorted(set(both[0]) | set(both[1]))
    nothing = np.zeros(len(rows))
    found: dict[str, dict[str, float]] = {}
    for name in names:
        mine, other = (of.get(name, nothing) for of in both)
        found[name] = {"share": float(np.abs(mine).mean()), "noise": float(np.abs(mine - other).mean())}
    shown = [name for name, of in found.items() if of["share"] > 0 and of["share"] >= of["noise"]]
    return {"families": found, "shown": shown}


def _by_family(contributions: Contributions, families: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for i, name in enumerate(contributions.names):
        family = families[name]
        found[family] = found.get(family, 0.0) + contributions.of_features[:, i]
    return found

"""How steady families are: what each is worth, beside how much a retrain would move it.

A family whose share in scores is smaller than what a training on other accounts would make of it says more about the
training than about the lead; it is not shown as a reason. Other accounts there are none, so two models are fitted on
two halves of those there are. Each has half the accounts, so that the two differ by about the square root of two times
what two models of the full size would.
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
    model: ScoringModel,
    halves: tuple[ScoringModel, ScoringModel] | None,
    features: pd.DataFrame,
    families: Mapping[str, str],
) -> dict[str, Any]:
    """Measure families on rows.

    Parameters
    ----------
    model
        The model whose reasons are shown.
    halves
        Two models of its kind, each of half of the accounts (`fit_halves`); None if there are none, so that nothing is
        known of noise and all families are shown.
    features
        Rows to explain; of many, a regular sample.
    families
        Family of each feature.

    Returns
    -------
    dict
        `families`: for each its `share` (mean absolute log-odds) and its `noise` (mean absolute difference that another
        training would make; of a model that is steadied by the one before only its own half moves); `shown`: those
        whose share is not below their noise.
    """
    rows = features.iloc[:: max(1, len(features) // _ROWS)]
    mine = _by_family(Explainer(model, check=rows).explain(rows), families)
    noise = dict.fromkeys(mine, 0.0)
    if halves is not None:
        one, other = (_by_family(Explainer(half, check=rows).explain(rows), families) for half in halves)
        size = np.sqrt(0.5) * (0.5 if model.previous is not None else 1.0)
        noise = {name: size * float(np.abs(one[name] - other[name]).mean()) for name in one}
    found = {name: {"share": float(np.abs(of).mean()), "noise": noise.get(name, 0.0)} for name, of in mine.items()}
    shown = [name for name, of in found.items() if of["share"] > 0 and of["share"] >= of["noise"]]
    return {"families": found, "shown": shown}


def _by_family(contributions: Contributions, families: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for i, name in enumerate(contributions.names):
        family = families[name]
        found[family] = found.get(family, 0.0) + contributions.of_features[:, i]
    return found

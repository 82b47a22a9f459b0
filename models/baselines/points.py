"""Points: the score that most marketing automation shows, a sum of points for everything a lead ever did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import numpy as np

from touchline.features.catalog import Catalog, Count
from touchline.models.baselines.activities import activities_of
from touchline.models.baselines.base import read_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from touchline.features import FeatureSet, TrainingSet
    from touchline.features.catalog import Feature
    from touchline.playbook import Playbook


class Points:
    """Pardot's default scoring: each touch adds the points of its kind, for ever.

    Nothing decays and nothing is learned. The score is a number of points without bounds: the sum over kinds of points
    times touches ever known before as_of. Touches by machines do not count, which flatters the original a little.

    Pardot's defaults: form or landing page completed +50, form with errors -5, link clicked, file accessed, site search
    and visitor session +3, page viewed +1, e-mail opened 0. Which kind is which activity is in
    `touchline.models.baselines.activities`.

    Parameters
    ----------
    playbook
        Its kinds are what gets points.
    points
        Kind -> points, where a company's own points differ from the defaults.

    Raises
    ------
    CatalogError
        If `points` names a kind that the playbook does not have.

    Examples
    --------
    >>> from touchline.playbook import starter_playbook
    >>> Points(starter_playbook(), points={"webinar": 20}).points["webinar"]
    20

    References
    ----------
    help.pardot.com, "Prospect Scoring Overview" (article 2127224).
    """

    name = "Points (Pardot's defaults)"
    leaks: str | None = None

    def __init__(self, playbook: Playbook, *, points: Mapping[str, float] | None = None) -> None:
        defaults = {kind: activity.points for kind, activity in activities_of(playbook).items()}
        self.points: dict[str, float] = {**defaults, **(points or {})}
        Catalog(playbook, [Count(kind=kind) for kind in self.points])  # refuses kinds that do not exist

    @property
    def features(self) -> tuple[Feature, ...]:
        """How often each kind happened ever, of kinds that are worth anything."""
        return tuple(Count(kind=kind) for kind, worth in self.points.items() if worth)

    def fit(self, training: TrainingSet) -> Self:
        """Do nothing: points are made by hand."""
        del training
        return self

    def score(self, rows: FeatureSet) -> NDArray[np.float64]:
        """Points of n rows, shape (n,).

        Raises
        ------
        DataError
            If the set lacks counts over all of history; the default catalogue has none.
        """
        counts = read_features(rows, self.features, self.name).to_numpy(np.float64)
        return counts @ np.array([worth for worth in self.points.values() if worth], np.float64)

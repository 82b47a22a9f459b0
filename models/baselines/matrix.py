"""The fit x engagement matrix: a letter for who the lead is, a number for what it did of late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from touchline.features.catalog import Attribute, Catalog
from touchline.features.catalog.profile import CONTACT
from touchline.models.baselines.base import read_features
from touchline.models.baselines.scorecard import Ideal, Line, eloqua_scorecard

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from touchline.features import FeatureSet, TrainingSet
    from touchline.features.catalog import Feature
    from touchline.playbook import Playbook

CUT_OFFS = (75, 50, 25)
"""Points from which a lead is A, B, C (fit) or 1, 2, 3 (engagement); below them D or 4."""


class FitEngagement:
    """Eloqua's matrix: fit A to D times engagement 1 to 4, made by hand from two scorecards.

    An axis has 0 to 100 points: the mean of its criteria's points, weighted. Cut-offs are 75, 50 and 25.

    - Fit: the weighted share of ideal attributes that a lead matches. Without `ideal` nobody has said who fits, and
      learning it from outcomes would be another method; fit is then only the share of profile fields that are known.
    - Engagement: for each behaviour (forms, clicks, pages, opens) the points of the best rule that holds, such as
      "3 clicks within 7 days: 100". By default Eloqua's published example.

    The score is the place of the cell in the order in which lists sort grades: 16 for A1, 15 for A2, ... 1 for D4. Fit
    comes first, so that a D1 stands below an A4.

    Parameters
    ----------
    playbook
        Says which attributes and touch kinds there are.
    ideal
        What an ideal lead is.
    scorecard
        Lines of engagement, where a company's own differ from Eloqua's example.

    Raises
    ------
    CatalogError
        If an attribute or a kind does not exist, or an attribute cannot be known as of a date.
    ValueError
        If there is nothing to measure engagement by.

    References
    ----------
    docs.oracle.com, Eloqua user guide, "Configuring profile criteria" and "Configuring engagement criteria". The
    cut-offs are every company's own there; ours are equal steps.
    """

    name = "Fit x engagement (Eloqua's example)"
    leaks: str | None = None

    def __init__(
        self, playbook: Playbook, *, ideal: Sequence[Ideal] = (), scorecard: Sequence[Line] | None = None
    ) -> None:
        self.ideal = tuple(ideal)
        self.scorecard = eloqua_scorecard(playbook) if scorecard is None else tuple(scorecard)
        self.profile = tuple(i.feature for i in self.ideal) or _profile(playbook)
        if not self.scorecard:
            raise ValueError("no kind of the playbook shows interest; give a `scorecard` for engagement")
        Catalog(playbook, self.features)  # refuses names that do not exist

    @property
    def features(self) -> tuple[Feature, ...]:
        """Attributes for fit, and counts within the windows of the scorecard for engagement."""
        counts = [line.count(rule) for line in self.scorecard for rule in line.rules]
        return (*dict.fromkeys(self.profile), *dict.fromkeys(counts))

    def fit(self, training: TrainingSet) -> Self:
        """Do nothing: scorecards are made by hand."""
        del training
        return self

    def score(self, rows: FeatureSet) -> NDArray[np.float64]:
        """Place of each row's cell, 1 (D4) to 16 (A1), shape (n,).

        Raises
        ------
        DataError
            If the set lacks features.
        """
        fit, engagement = self._classes(rows)
        return (16 - 4 * fit - engagement).astype(np.float64)

    def grades(self, rows: FeatureSet) -> NDArray[np.str_]:
        """Cell of each row, such as "B2", shape (n,)."""
        fit, engagement = self._classes(rows)
        return np.char.add(np.array(list("ABCD"))[fit], np.array(list("1234"))[engagement])

    def _classes(self, rows: FeatureSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Class of each row on both axes, 0 (best) to 3."""
        values = read_features(rows, self.features, self.name)
        if self.ideal:
            matched = np.array([i.matches(values[i.feature.name]) for i in self.ideal], np.float64)
            fit = np.average(100 * matched, axis=0, weights=[i.weight for i in self.ideal])
        else:
            fit = 100 * values[[a.name for a in self.profile]].notna().to_numpy().mean(axis=1)
        points = np.array([line.points(values) for line in self.scorecard])
        engagement = np.average(points, axis=0, weights=[line.weight for line in self.scorecard])
        return _class_of(fit), _class_of(engagement)


def _class_of(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """0 from 75 points on, 1 from 50, 2 from 25, else 3; rounding in the mean moves nobody over an edge."""
    return (np.round(points, 6)[:, np.newaxis] < np.array(CUT_OFFS)).sum(axis=1)


def _profile(playbook: Playbook) -> tuple[Attribute, ...]:
    """All attributes whose value as of a date can be known."""
    declared = playbook.attributes
    known = [name for name, attribute in declared.items() if attribute.known != "never"]
    return tuple(Attribute(name) for name in [*known, *(name for name in CONTACT if name not in declared)])

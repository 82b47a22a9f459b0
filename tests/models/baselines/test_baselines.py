"""Of every baseline: it says what it needs, scores every row, and cannot beat the best without hindsight."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

from touchline.features import Catalog, DataError
from touchline.features.catalog import Count
from touchline.models.baselines import BaseRate, FitEngagement, OdooPLS, Points


def test_every_row_gets_a_number(simulated):
    for baseline in simulated.baselines:
        scores = baseline.fit(simulated.training).score(simulated.later)
        assert scores.shape == (len(simulated.later),)
        assert scores.dtype == np.float64
        assert np.isfinite(scores).all()
    assert len({baseline.name for baseline in simulated.baselines}) == len(simulated.baselines)


def test_only_hindsight_beats_the_exact_chance(simulated):
    """Nobody who reads the tables as of a date can rank better than the simulator's own chance, but Odoo as shipped."""
    best = roc_auc_score(simulated.later.y, simulated.truth)
    for baseline in simulated.baselines:
        found = roc_auc_score(simulated.later.y, baseline.fit(simulated.training).score(simulated.later))
        if baseline.leaks:
            assert found > best + 0.03, baseline.name
        elif isinstance(baseline, BaseRate):
            assert found == 0.5
        else:
            assert 0.52 < found < best - 0.03, baseline.name
    assert [b.name for b in simulated.baselines if b.leaks] == ["Odoo PLS, as shipped"]


def test_the_default_catalogue_with_what_they_ask_for_is_enough(playbook):
    wanted = [f for b in (Points(playbook), FitEngagement(playbook), OdooPLS(playbook)) for f in b.features]
    catalog = Catalog.default(playbook).add(*wanted)
    assert {f.name for f in wanted} <= set(catalog.names)
    assert len(catalog) < len(Catalog.default(playbook)) + len(wanted)


def test_a_feature_is_found_by_what_it_is_and_not_by_its_name(playbook, write_set):
    points = Points(playbook, points=dict.fromkeys(playbook.kinds, 0) | {"webinar": 7})
    (wanted,) = points.features
    impostor = Count(30, kind="webinar")
    rows = write_set({wanted: [1, 2], impostor: [5, 5]}, names={wanted: "webinars", impostor: wanted.name})
    assert points.score(rows).tolist() == [7, 14]


def test_what_is_lacking_is_named_with_a_way_to_mend_it(playbook, write_set):
    points = Points(playbook)
    half = {feature: [1] for feature in points.features[::2]}
    with pytest.raises(DataError, match=r"default\(playbook\)\.add\(\*baseline\.features\)") as said:
        points.score(write_set(half))
    lacking = {f.name for f in points.features} - {f.name for f in half}
    assert lacking
    assert all(name in str(said.value) for name in lacking)
    assert not any(f.name in str(said.value) for f in half)


def test_the_base_rate_is_the_share_of_rows_won(write_set):
    training = write_set({}, [True, False, False, False])
    assert BaseRate().fit(training).score(write_set({}, leads=["A", "B"])).tolist() == [0.25, 0.25]


def test_what_learns_refuses_to_score_before_it_has(playbook, write_set):
    for baseline in (BaseRate(), OdooPLS(playbook)):
        with pytest.raises(NotFittedError, match="call `fit`"):
            baseline.score(write_set({}, leads=["A"]))


def test_what_is_made_by_hand_learns_nothing(playbook, write_set, simulated):
    for make in (Points, FitEngagement):
        fresh = make(playbook).score(simulated.later)
        assert (make(playbook).fit(simulated.training).score(simulated.later) == fresh).all()

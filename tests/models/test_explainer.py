"""Parts are the score: contributions of features add up to the log-odds, whatever the parts and the calibrator."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest

from touchline.models import Rung, ScoringModel
from touchline.models.bands import Band
from touchline.models.calibration import Beta, Isotonic, Platt
from touchline.models.encoding import Encoder
from touchline.models.errors import FeatureError
from touchline.models.explainer import Explainer
from touchline.models.scorer.linear import fit_linear
from touchline.models.scorer.trees import REGULARISED, Trees, dataset, grow

RNG = np.random.default_rng(4)
CALIBRATORS = [
    Platt(0.8, -0.3),
    Beta(1.3, 0.6, 0.2),
    Isotonic((-6.0, -3.0, -1.0), (-7.0, -2.5, -2.0)),
    Platt(0.0, -4.0),  # flat: every lead alike
]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    n = 4_000
    numbers = {f"x{i}": np.where(RNG.random(n) < 0.1, np.nan, RNG.exponential(2, n)) for i in range(5)}
    words = pd.Categorical(RNG.choice(["red", "green", "blue"], n))
    return pd.DataFrame({**numbers, "colour": words})


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame) -> ScoringModel:
    signal = np.nan_to_num(frame["x0"]) * (frame["colour"] == "red") + np.nan_to_num(frame["x1"]) - 5
    won = RNG.random(len(frame)) < 1 / (1 + np.exp(-signal))
    encoder = Encoder.learn(frame)
    matrix, weight = encoder.encode(frame), np.ones(len(frame))
    linear = fit_linear(matrix, encoder, won, weight, [10.0])[0]
    settings = {**REGULARISED, "num_threads": 1, "seed": 1}
    booster, _ = grow(dataset(matrix, encoder, won, weight, settings), settings, 80)
    band = Band(((0.0, 0.0), (0.0, 0.0)))
    trees = Trees(booster.model_to_string())
    return ScoringModel(encoder, -3.0, linear, trees, Platt(), band, Rung.FULL)


@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("parts", ["both", "linear", "trees"])
def test_base_and_parts_are_the_log_odds(model, frame, calibrator, parts):
    gone = {"both": {}, "linear": {"trees": None}, "trees": {"linear": None}}[parts]
    changed = replace(model, calibrator=calibrator, **gone)
    found = Explainer(changed).explain(frame)
    assert found.of_features.shape == (len(frame), 6)
    np.testing.assert_allclose(found.base + found.of_features.sum(axis=1), changed.log_odds(frame), atol=1e-12)


@pytest.mark.parametrize("calibrator", CALIBRATORS[:3], ids=lambda c: type(c).__name__)
def test_a_calibrator_turns_no_part_round(model, frame, calibrator):
    plain = Explainer(replace(model, calibrator=Platt())).explain(frame).of_features
    found = Explainer(replace(model, calibrator=calibrator)).explain(frame).of_features
    assert (found * plain >= 0).all()
    clear = np.abs(plain).sum(axis=1) > 0.1
    np.testing.assert_array_equal(np.abs(plain[clear]).argmax(axis=1), np.abs(found[clear]).argmax(axis=1))


def test_a_straight_calibrator_scales_every_part_alike(model, frame):
    both = (Explainer(replace(model, calibrator=c)).explain(frame) for c in (Platt(), Platt(0.7, 1.0)))
    plain, found = (one.of_features for one in both)
    np.testing.assert_allclose(found, 0.7 * plain, atol=1e-5)


def test_values_of_the_linear_part_are_shapley_values(model, frame):
    """Against the definition: every coalition, features outside it at their mean."""
    linear = replace(model, trees=None, calibrator=Platt())
    found = Explainer(linear).explain(frame.head(3))
    columns = list(range(6))
    matrix = linear.encoder.encode(frame.head(3))
    assert linear.linear is not None
    parts = linear.linear.contributions(matrix)  # of one feature alone, beside its mean
    for row in range(3):
        for i in columns:
            value = 0.0
            others = [c for c in columns if c != i]
            for size in range(6):
                for coalition in combinations(others, size):
                    with_i, without = (
                        linear.linear.intercept + parts[row, list(c)].sum() for c in ((*coalition, i), coalition)
                    )
                    value += factorial(size) * factorial(5 - size) / factorial(6) * (with_i - without)
            assert found.of_features[row, i] == pytest.approx(value, abs=1e-9)


def test_a_steadied_model_has_the_mean_of_both(model, frame):
    before = replace(model, calibrator=Platt(0.5, -1.0))
    both = Explainer(model.steadied(before)).explain(frame)
    one, other = Explainer(model).explain(frame), Explainer(before).explain(frame)
    np.testing.assert_allclose(both.of_features, (one.of_features + other.of_features) / 2, atol=1e-12)
    assert both.base == pytest.approx((one.base + other.base) / 2)
    np.testing.assert_allclose(both.log_odds, model.steadied(before).log_odds(frame), atol=1e-12)


def test_of_the_base_rate_there_is_nothing_to_explain(model, frame):
    found = Explainer(replace(model, linear=None, trees=None, base=-3.0, calibrator=Platt())).explain(frame)
    assert found.base == -3.0
    assert not found.of_features.any()


def test_a_row_alone_is_explained_as_among_others(model, frame):
    whole = Explainer(model).explain(frame)
    alone = Explainer(model).explain(frame.iloc[[17]])
    np.testing.assert_array_equal(alone.of_features[0], whole.of_features[17])


def test_no_row_gives_no_row(model, frame):
    assert Explainer(model).explain(frame.head(0)).of_features.shape == (0, 6)


def test_a_missing_column_is_refused(model, frame):
    with pytest.raises(FeatureError, match="colour"):
        Explainer(model).explain(frame.drop(columns="colour"))


@pytest.mark.filterwarnings("ignore:The set_:PendingDeprecationWarning")  # on import of shap
def test_shap_draws_the_same_values(model, frame):
    shown = Explainer(model).explain(frame.head(5))
    explanation = shown.to_shap(frame.head(5))
    np.testing.assert_array_equal(explanation.values, shown.of_features)
    assert explanation.feature_names == list(shown.names)
    assert explanation.data[0, 5] == frame["colour"].iloc[0]

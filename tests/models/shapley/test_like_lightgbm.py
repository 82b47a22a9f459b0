"""Packed trees give what LightGBM gives, whatever the model and the row."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from touchline.models.shapley import TreeShapley, largest_difference

NUMBERS, CATEGORIES = 12, 4
GBDT: dict[str, Any] = {"objective": "binary", "num_leaves": 31, "min_data_in_leaf": 5}
FOREST = {"boosting": "rf", "bagging_fraction": 0.6, "bagging_freq": 1}
MODELS: dict[str, tuple[int, dict[str, Any]]] = {
    "plain": (30, {}),
    "one tree": (1, {}),
    "63 leaves": (20, {"num_leaves": 63}),
    "127 leaves": (8, {"num_leaves": 127, "min_data_in_leaf": 2}),
    "deep and narrow": (5, {"num_leaves": 127, "min_data_in_leaf": 1, "learning_rate": 0.5}),
    "depth 5": (30, {"max_depth": 5}),
    "depth 8": (30, {"max_depth": 8, "num_leaves": 63}),
    "stumps": (100, {"num_leaves": 2}),
    "2,000 trees": (2000, {"num_leaves": 4, "learning_rate": 0.02, "feature_fraction": 0.2, "max_bin": 31}),
    "dart": (40, {"boosting": "dart", "drop_rate": 0.3}),
    "random forest": (30, FOREST),
    "monotone": (30, {"monotone_constraints": [1, -1] + [0] * (NUMBERS + CATEGORIES - 2)}),
    "zero as missing": (30, {"zero_as_missing": True}),
    "nothing missing": (30, {"use_missing": False}),
    "one-hot categories": (30, {"max_cat_to_onehot": 64}),
    "many categories": (30, {"cat_smooth": 0.1, "min_data_per_group": 1, "max_cat_threshold": 200}),
    "weighted": (30, {"scale_pos_weight": 5.0}),
    "regression": (30, {"objective": "regression"}),
    "more thresholds than bytes count": (15, {"max_bin": 4000, "min_data_in_bin": 1, "extra_trees": True}),
}


def rows(size: int, seed: int) -> np.ndarray:
    """Numbers with NaN and zeros, one of them in float32's own digits; categories, of which one has 600."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(size, NUMBERS + CATEGORIES))
    x[:, 0] = x[:, 0].astype(np.float32)
    x[:, 1] = random.poisson(1, size)
    for f in range(0, NUMBERS, 2):
        x[random.random(size) < 0.05 * f, f] = np.nan
    for k, levels in enumerate([3, 12, 50, 600]):
        x[:, NUMBERS + k] = random.integers(0, levels, size)
    x[random.random(size) < 0.1, NUMBERS + 1] = np.nan
    return x


def train(trees: int, **told: Any) -> str:
    x = rows(1500, 1)
    random = np.random.default_rng(2)
    filled = np.nan_to_num(x)
    signal = (
        filled[:, 0] * filled[:, 3] + np.sin(3 * filled[:, 2]) + (filled[:, 13] % 3 == 1) + (filled[:, 15] % 7 == 1)
    )
    y = random.random(len(x)) < 1 / (1 + np.exp(1 - signal))
    told = {**GBDT, "verbose": -1, "num_threads": 1, "seed": 3, **told}
    categories = list(range(NUMBERS, NUMBERS + CATEGORIES))
    data = lgb.Dataset(x, y.astype(float), categorical_feature=categories, params=told)
    return lgb.train(told, data, trees).model_to_string()


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {}


@pytest.fixture(params=MODELS)
def text(request: pytest.FixtureRequest, texts: dict[str, str]) -> str:
    trees, told = MODELS[request.param]
    if request.param not in texts:
        texts[request.param] = train(trees, **told)
    return texts[request.param]


def test_contributions_are_those_of_lightgbm(text: str) -> None:
    matrix = np.vstack([rows(150, 5), edge_rows(text)])
    explainer = TreeShapley.of(text)
    assert largest_difference(explainer, text, matrix[:150]) < 1e-6
    assert largest_difference(explainer, text, matrix[150:]) < 1e-6
    single = np.clip(matrix, -3e38, 3e38).astype(np.float32)
    assert largest_difference(explainer, text, single[100:]) < 1e-6


def test_margins_are_those_of_lightgbm(text: str) -> None:
    matrix = np.vstack([rows(700, 5), edge_rows(text)])
    explainer = TreeShapley.of(text)
    exact = lgb.Booster(model_str=text).predict(matrix, raw_score=True, num_threads=1)
    np.testing.assert_allclose(explainer.margin(matrix), exact, rtol=0, atol=1e-12)
    total = explainer.expected + explainer.contributions(matrix, out=np.zeros(matrix.shape)).sum(axis=1)
    np.testing.assert_allclose(total, exact, rtol=0, atol=2e-6)


def test_one_row_is_the_batch_to_the_last_bit(text: str) -> None:
    matrix = np.vstack([rows(40, 6), edge_rows(text)[:40]])
    explainer = TreeShapley.of(text)
    batch = explainer.contributions(matrix, out=np.zeros(matrix.shape))
    np.testing.assert_array_equal([explainer.one(row) for row in matrix], batch)


def edge_rows(text: str) -> np.ndarray:
    """Values where decisions turn: thresholds and their neighbours, what is taken as zero, categories that are none."""
    odd = [np.nan, np.inf, -np.inf, 1e300, -1e300, 0.0, -0.0, 1e-35, 1.0000000180025095e-35, 1.1e-35, -1e-35, 5e-324]
    codes = [
        -1.0,
        -0.5,
        -1e-9,
        3.7,
        49.999,
        60.0,
        599.0,
        1000.0,
        2.0**31,
        2.0**32 + 3,
        1e9,
        -1e9,
        65535.0,
        255.0,
        254.0,
    ]
    random = np.random.default_rng(7)
    found = rows(250, 8)
    tree = next(part for part in text.split("\nTree=")[1:] if "\nthreshold=" in part)
    lines = dict(line.split("=", 1) for line in tree.split("\n") if "=" in line)
    splits = zip(
        lines["split_feature"].split(), lines["threshold"].split(), lines["decision_type"].split(), strict=True
    )
    exact: dict[int, list[float]] = {}
    for feature, threshold, kind in splits:
        if not int(kind) & 1:
            t = float(threshold)
            exact.setdefault(int(feature), []).extend([t, np.nextafter(t, np.inf), np.nextafter(t, -np.inf)])
    for f in range(found.shape[1]):
        pool = exact.get(f, []) + odd + (codes if f >= NUMBERS else [])
        chosen = random.random(len(found)) < 0.5
        found[chosen, f] = random.choice(pool, chosen.sum())
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data())
def test_random_small_models_are_explained_as_by_lightgbm(data: st.DataObject) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    features = data.draw(st.integers(1, 5))
    grid = data.draw(st.sampled_from([1, 2, 50]))
    x = (random.normal(size=(120, features)) * grid).round() / grid
    x[random.random(x.shape) < data.draw(st.sampled_from([0, 0.2]))] = np.nan
    categories = [f for f in range(features) if data.draw(st.booleans())]
    x[:, categories] = np.abs(x[:, categories] * 5).round()
    y = np.nansum(x, axis=1) * data.draw(st.sampled_from([0, 1])) + random.normal(size=120)
    told = {
        "verbose": -1,
        "num_threads": 1,
        "num_leaves": data.draw(st.integers(2, 20)),
        "min_data_in_leaf": data.draw(st.sampled_from([1, 5, 200])),
        "min_data_per_group": 1,
        "zero_as_missing": data.draw(st.booleans()),
        "use_missing": data.draw(st.booleans()),
        "boosting": data.draw(st.sampled_from(["gbdt", "dart", "rf"])),
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
    }
    dataset = lgb.Dataset(x, y, categorical_feature=categories, params=told)
    text = lgb.train(told, dataset, data.draw(st.integers(1, 8))).model_to_string()
    odd = np.array([np.nan, 0.0, -0.0, 1e-36, np.inf, -np.inf, -1.0, 7.5, 1e9])
    asked = np.vstack([x[:60], random.choice(odd, (60, features))])
    explainer = TreeShapley.of(text)
    assert largest_difference(explainer, text, asked) < 1e-6
    exact = lgb.Booster(model_str=text).predict(asked, raw_score=True, num_threads=1)
    np.testing.assert_allclose(explainer.margin(asked), exact, rtol=0, atol=1e-12)

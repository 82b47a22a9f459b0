"""Shapley values by their definition: all subsets of features, in plain Python, over LightGBM's JSON dump."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import factorial
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from touchline.models.shapley import TreeShapley

Expectation = Callable[[dict[str, Any], np.ndarray, frozenset[int]], float]


def goes_left(node: dict[str, Any], value: float) -> bool:
    """As LightGBM's documentation says."""
    if node["decision_type"] == "==":
        return not np.isnan(value) and int(value) >= 0 and str(int(value)) in node["threshold"].split("||")
    kind = node["missing_type"]
    if np.isnan(value) and kind != "NaN":
        value = 0.0
    if (kind == "NaN" and np.isnan(value)) or (kind == "Zero" and abs(value) <= 1e-35):
        return node["default_left"]
    return value <= node["threshold"]


def cover(node: dict[str, Any]) -> int:
    return node["internal_count"] if "split_feature" in node else node["leaf_count"]


def by_cover(node: dict[str, Any], row: np.ndarray, known: frozenset[int]) -> float:
    """The tree's expectation if only the features `known` are: both ways, weighted by training rows, elsewhere."""
    if "split_feature" not in node:
        return node["leaf_value"]
    ways = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return by_cover(ways[not goes_left(node, row[node["split_feature"]])], row, known)
    return sum(cover(way) / cover(node) * by_cover(way, row, known) for way in ways)


def leaf(node: dict[str, Any], row: np.ndarray) -> float:
    while "split_feature" in node:
        node = node["left_child" if goes_left(node, row[node["split_feature"]]) else "right_child"]
    return node["leaf_value"]


def over(background: np.ndarray) -> Expectation:
    """The expectation over a background's rows, of which the known features are replaced."""

    def expectation(node: dict[str, Any], row: np.ndarray, known: frozenset[int]) -> float:
        mixed = background.copy()
        mixed[:, list(known)] = row[list(known)]
        return float(np.mean([leaf(node, one) for one in mixed]))

    return expectation


def shapley(
    trees: list[dict[str, Any]], row: np.ndarray, expectation: Expectation = by_cover
) -> tuple[float, np.ndarray]:
    """The base, and what each feature adds."""
    n = len(row)
    found = np.zeros(n)
    worth = {
        frozenset(known): sum(expectation(tree, row, frozenset(known)) for tree in trees)
        for size in range(n + 1)
        for known in combinations(range(n), size)
    }
    for known, value in worth.items():
        for f in range(n):
            if f not in known:
                weight = factorial(len(known)) * factorial(n - len(known) - 1) / factorial(n)
                found[f] += weight * (worth[known | {f}] - value)
    return worth[frozenset()], found


def small_model(seed: int, **settings: Any) -> tuple[lgb.Booster, np.ndarray]:
    """Four numbers (NaN, zeros) and a category, so that all subsets can be gone through."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(400, 5)).round(2)
    x[random.random(x.shape) < 0.15] = np.nan
    x[random.random(400) < 0.3, 1] = 0
    x[:, 4] = random.integers(0, 6, 400)
    y = np.nansum(x[:, :3], axis=1) + x[:, 4] % 3 + random.normal(size=400)
    told = {"objective": "regression", "verbose": -1, "num_leaves": 12, "min_data_in_leaf": 5, "min_data_per_group": 5}
    told |= {"num_threads": 1, "learning_rate": 0.3, **settings}
    return lgb.train(told, lgb.Dataset(x, y, categorical_feature=[4], params=told), 6), x


@pytest.mark.parametrize("settings", [{}, {"zero_as_missing": True}, {"use_missing": False}, {"max_depth": 3}])
def test_contributions_are_the_mean_gain_over_all_orders_of_features(settings: dict[str, Any]) -> None:
    booster, x = small_model(1, **settings)
    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    explainer = TreeShapley.of(booster.model_to_string())
    for row in x[:12]:
        base, exact = shapley(trees, row)
        assert explainer.expected == pytest.approx(base, abs=1e-9)
        np.testing.assert_allclose(explainer.one(row), exact, atol=2e-7)


@pytest.mark.parametrize("settings", [{}, {"zero_as_missing": True}, {"num_leaves": 31, "min_data_in_leaf": 1}])
def test_over_a_background_unknown_features_come_from_its_rows(settings: dict[str, Any]) -> None:
    booster, x = small_model(2, **settings)
    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    background = x[100:107]
    explainer = TreeShapley.of(booster.model_to_string(), background=background)
    for row in x[:4]:
        base, exact = shapley(trees, row, over(background))
        assert explainer.expected == pytest.approx(base, abs=1e-9)
        np.testing.assert_allclose(explainer.one(row), exact, atol=2e-7)


def test_a_background_weighs_its_rows_by_how_often_they_are_there() -> None:
    booster, x = small_model(3)
    once = TreeShapley.of(booster.model_to_string(), background=x[:2])
    often = TreeShapley.of(booster.model_to_string(), background=np.repeat(x[:2], 4500, axis=0))
    np.testing.assert_allclose(often.contributions(x), once.contributions(x), atol=1e-7)


@pytest.mark.filterwarnings("ignore")  # shap imports what its peers have deprecated
@pytest.mark.parametrize("interventional", [False, True])
def test_it_agrees_with_shap_on_numbers(interventional: bool) -> None:
    import shap

    booster, x = numbers_only()
    background = x[:50] if interventional else None
    how = {"data": background, "feature_perturbation": "interventional"} if interventional else {}
    peer = shap.TreeExplainer(booster, **how)
    ours = TreeShapley.of(booster.model_to_string(), background=background)
    np.testing.assert_allclose(ours.contributions(x), peer.shap_values(x, check_additivity=False), atol=2e-6)
    assert ours.expected == pytest.approx(float(np.ravel(peer.expected_value)[0]), abs=1e-6)


def numbers_only() -> tuple[lgb.Booster, np.ndarray]:
    random = np.random.default_rng(4)
    x = random.normal(size=(300, 6))
    y = x[:, 0] * x[:, 1] + x[:, 2]
    told = {"verbose": -1, "num_leaves": 15, "max_depth": 5, "min_data_in_leaf": 5, "num_threads": 1}
    return lgb.train(told, lgb.Dataset(x, y), 20), x

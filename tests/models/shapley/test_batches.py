"""Batches: whatever the order in memory, the threads or the size, the same contributions; and when they fail."""

from __future__ import annotations

import logging
import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pytest

from touchline.models.errors import ModelError
from touchline.models.shapley import LightGBMShapley, TreeShapley, largest_difference, shapley_of
from touchline.models.shapley import explainer as batches


def rows(size: int) -> np.ndarray:
    return np.random.default_rng(size).normal(size=(size, 6))


def model(**told: object) -> lgb.Booster:
    x = rows(2000)
    told = {"verbose": -1, "num_threads": 1, "num_leaves": 15, **told}
    return lgb.train(told, lgb.Dataset(x, (x[:, 0] * x[:, 1] + x[:, 2] > 0).astype(float), params=told), 30)


@pytest.fixture(scope="module")
def text() -> str:
    return model(objective="binary").model_to_string()


@pytest.fixture(scope="module")
def packed(text: str) -> TreeShapley:
    return TreeShapley.of(text)


def test_threads_and_sizes_of_batches_change_no_bit(packed: TreeShapley) -> None:
    matrix = rows(2 * batches.CHUNK + 700)
    whole = packed.contributions(matrix, threads=3)
    np.testing.assert_array_equal(packed.contributions(matrix, threads=1), whole)
    np.testing.assert_array_equal(np.vstack([packed.contributions(part) for part in np.split(matrix, [1, 513])]), whole)
    np.testing.assert_array_equal(packed.margin(matrix, threads=3), packed.margin(matrix, threads=1))


def test_order_in_memory_changes_no_bit(packed: TreeShapley) -> None:
    matrix = rows(900).astype(np.float32)
    for same in (np.asfortranarray(matrix), matrix.astype(np.float64), np.repeat(matrix, 2, axis=0)[::2]):
        np.testing.assert_array_equal(packed.contributions(same), packed.contributions(matrix))
        np.testing.assert_array_equal(packed.margin(same), packed.margin(matrix))


def test_contributions_can_be_added_to_others(packed: TreeShapley) -> None:
    matrix = rows(600)
    exact = packed.contributions(matrix, out=np.zeros(matrix.shape))
    out = np.ones((6, 600)).T
    assert packed.contributions(matrix, out=out, scale=0.25) is out
    np.testing.assert_allclose(out, 1 + 0.25 * exact, rtol=1e-15)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513])
def test_any_number_of_rows_will_do(packed: TreeShapley, text: str, size: int) -> None:
    matrix = rows(600)[:size]
    assert packed.contributions(matrix).shape == (size, 6)
    exact = LightGBMShapley.of(text)
    np.testing.assert_allclose(packed.contributions(matrix), exact.contributions(matrix), atol=1e-6)
    np.testing.assert_allclose(packed.margin(matrix), exact.margin(matrix), atol=1e-12)


def test_the_fallback_has_the_same_interface(packed: TreeShapley, text: str) -> None:
    exact, row = LightGBMShapley.of(text), rows(1)[0]
    assert exact.features == packed.features
    assert exact.expected == pytest.approx(packed.expected, abs=1e-12)
    np.testing.assert_allclose(exact.one(row), packed.one(row), atol=1e-6)


def test_a_matrix_may_have_columns_that_no_tree_knows(text: str) -> None:
    wide = np.hstack([rows(50), np.ones((50, 2))])
    explainer = TreeShapley.of(text, features=8)
    assert not explainer.contributions(wide)[:, 6:].any()
    assert largest_difference(explainer, text, wide) < 1e-6
    with pytest.raises(ValueError, match="6 features, and the matrix only 5"):
        TreeShapley.of(text, features=5)


def test_a_matrix_of_another_width_is_refused(packed: TreeShapley) -> None:
    for ask in (packed.contributions, packed.margin):
        with pytest.raises(ValueError, match=r"shape \(rows, 6\)"):
            ask(np.zeros((3, 7)))
    with pytest.raises(ValueError, match=r"shape \(6,\)"):
        packed.one(np.zeros(7))
    with pytest.raises(ValueError, match="out has shape"):
        packed.contributions(rows(3), out=np.zeros((2, 6)))


def test_contributions_that_do_not_add_up_are_refused(text: str) -> None:
    broken = TreeShapley.of(text)
    broken._packed.entries[::7] += 100_000
    with pytest.raises(ModelError, match="miss the margin"):
        broken.contributions(rows(10))


def test_a_model_whose_packed_trees_are_wrong_falls_back(
    text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(shapley_of(text, check=rows(600)), TreeShapley)
    assert not caplog.records
    whole = TreeShapley.one
    wrong = TreeShapley.of(text)
    wrong.expected += 5e-6
    monkeypatch.setattr(TreeShapley, "of", lambda text, features=None: wrong)
    with caplog.at_level(logging.WARNING):
        assert isinstance(shapley_of(text, check=rows(600)), LightGBMShapley)
    assert "differ from LightGBM's contributions by 5.0e-06" in caplog.text
    assert whole is TreeShapley.one


def test_a_model_without_contributions_is_refused() -> None:
    several = lgb.train(
        {"objective": "multiclass", "num_class": 3, "verbose": -1},
        lgb.Dataset(rows(300), np.arange(300) % 3),
        2,
    ).model_to_string()
    with pytest.raises(ModelError, match="several outputs"):
        shapley_of(several)
    with pytest.raises(ValueError, match="not the text"):
        TreeShapley.of("nothing")


def test_more_thresholds_than_16_bits_fall_back(
    text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("touchline.models.shapley.codes.MOST_CODES", 10)
    with caplog.at_level(logging.WARNING):
        assert isinstance(shapley_of(text), LightGBMShapley)
    assert "more than fit into 16 bits" in caplog.text


def test_a_background_needs_trees_that_are_not_too_deep(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BITS", 2)
    monkeypatch.setattr(batches, "DEEPEST", 3)
    with pytest.raises(ValueError, match="max_depth of 8 or less"):
        TreeShapley.of(text, background=rows(50))


@pytest.mark.parametrize("y", [np.zeros(300), np.ones(300)])
def test_a_model_that_learned_nothing_gives_its_base(y: np.ndarray) -> None:
    text = lgb.train({"objective": "binary", "verbose": -1}, lgb.Dataset(rows(300), y), 3).model_to_string()
    for explainer in (TreeShapley.of(text), TreeShapley.of(text, background=rows(20))):
        assert not explainer.contributions(rows(5)).any()
        assert not explainer.one(rows(1)[0]).any()
        np.testing.assert_allclose(explainer.margin(rows(5)), explainer.expected, atol=1e-12)
    assert largest_difference(TreeShapley.of(text), text, rows(5)) < 1e-12


def test_importing_the_room_compiles_nothing() -> None:
    code = "import sys, touchline.models.shapley; assert not {'numba', 'lightgbm'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

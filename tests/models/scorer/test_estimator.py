"""`LeadScorer` keeps scikit-learn's contract and its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_validate
from sklearn.utils.estimator_checks import check_estimator

from touchline.features import TrainingSet
from touchline.models.errors import FeatureError
from touchline.models.scorer import LeadScorer, Rung
from touchline.models.splits import AsOfSplit
from touchline.playbook.data import SmallData


def test_it_passes_scikit_learns_own_checks() -> None:
    results = check_estimator(LeadScorer(n_jobs=1), on_skip=None)
    assert len(results) > 50
    assert {r["status"] for r in results} <= {"passed", "skipped"}


@pytest.fixture(scope="module")
def fitted(training: TrainingSet) -> LeadScorer:
    return LeadScorer().fit(training.X, training.y, **training.fit_parameters)


def test_two_fits_with_one_seed_give_the_same_bytes(training: TrainingSet, fitted: LeadScorer) -> None:
    again = clone(fitted).set_params(n_jobs=1).fit(training.X, training.y, **training.fit_parameters)
    assert again.model_.trees is not None
    assert fitted.model_.trees is not None
    assert again.model_.trees.text == fitted.model_.trees.text
    assert again.predict_proba(training.X).tobytes() == fitted.predict_proba(training.X).tobytes()


def test_the_order_of_rows_changes_nothing_that_matters(training: TrainingSet, fitted: LeadScorer) -> None:
    turn = np.random.default_rng(0).permutation(len(training))
    parameters = {k: np.asarray(v)[turn] for k, v in training.fit_parameters.items()}
    other = clone(fitted).fit(training.X.iloc[turn], training.y[turn], **parameters)
    assert other.choice_.chosen.name == fitted.choice_.chosen.name
    # LightGBM draws its bags by place, so trees differ; chances must not.
    a, b = (s.predict_proba(training.X)[:, 1] for s in (fitted, other))
    assert np.corrcoef(a, b)[0, 1] > 0.97


def test_a_lead_alone_gets_the_score_it_gets_among_others(training: TrainingSet, fitted: LeadScorer) -> None:
    whole = fitted.predict_proba(training.X)[:, 1]
    for at in (0, 777, len(training) - 1):
        assert fitted.predict_proba(training.X.iloc[[at]])[0, 1] == whole[at]


def test_cross_validate_works_with_splits_by_time(training: TrainingSet) -> None:
    split = AsOfSplit(training.as_of, purge=timedelta(days=91))
    parameters = {k: np.asarray(v) for k, v in training.fit_parameters.items()}
    found = cross_validate(
        LeadScorer(), training.X, training.y, groups=training.groups, cv=split, params=parameters, scoring="roc_auc"
    )
    assert found["test_score"][0] > 0.7


def test_chances_come_true_on_average_where_they_were_learned(training: TrainingSet, fitted: LeadScorer) -> None:
    expected = fitted.predict_proba(training.X)[:, 1].sum()
    assert 0.7 < training.y.sum() / expected < 1.4  # the level is that of the newest dates


def _frame(rows: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray[Any, np.dtype[np.bool_]]]:
    random = np.random.default_rng(seed)
    x = random.normal(size=rows).astype(np.float32)
    frame = pd.DataFrame(
        {"visits": x, "industry": pd.Categorical(random.choice(["software", "retail"], rows)), "known": x > 0}
    )
    return frame, random.random(rows) < 1 / (1 + np.exp(2 - 2 * x))


@pytest.mark.parametrize(
    ("deals", "rung"), [(14, Rung.NONE), (15, Rung.RANKS), (60, Rung.PROBABILITIES), (150, Rung.FULL)]
)
def test_the_ladder_counts_deals_not_rows(deals: int, rung: Rung) -> None:
    frame, won = _frame(2_000)
    names = np.array([f"deal {i % deals}" for i in np.cumsum(won)], object)
    names[~won] = None
    scorer = LeadScorer(n_jobs=1).fit(frame, won, deals=names)
    assert scorer.rung_ is rung
    assert scorer.model_.facts["evidence"]["deals"] == deals


def test_too_few_deals_give_the_base_rate_and_say_so() -> None:
    frame, won = _frame(300)
    scorer = LeadScorer(small_data=SmallData(ranks_from=200)).fit(frame, won)
    chances = scorer.predict_proba(frame)[:, 1]
    assert len(set(chances)) == 1
    assert chances[0] == pytest.approx((won.sum() + 0.5) / (len(won) + 1))
    assert "too few" in scorer.choice_.reason


def test_where_nothing_is_to_be_found_it_says_so() -> None:
    random = np.random.default_rng(5)
    said = 0
    for seed in range(6):
        frame, _ = _frame(1_500, seed)
        won = random.random(len(frame)) < 0.1
        scorer = LeadScorer(n_jobs=1).fit(frame, won)
        said += scorer.choice_.chosen.name == "base rate"
    assert said >= 5


def test_unseen_and_missing_categories_are_scored_alike() -> None:
    frame, won = _frame(2_000)
    frame["industry"] = frame["industry"].astype(object)
    scorer = LeadScorer(n_jobs=1).fit(frame, won)
    other = frame.assign(industry="mining")
    missing = frame.assign(industry=None)
    assert (scorer.predict_proba(other) == scorer.predict_proba(missing)).all()


def test_categories_are_read_by_name_whatever_codes_the_frame_gives_them() -> None:
    frame, won = _frame(2_000)
    won |= (frame["industry"] == "retail").to_numpy() & (frame["visits"] > 0).to_numpy()
    scorer = LeadScorer(n_jobs=1).fit(frame, won)
    turned = frame.assign(industry=frame["industry"].cat.reorder_categories(["software", "retail"][::-1]))
    turned["industry"] = turned["industry"].cat.add_categories(["a new one"])
    as_text = frame.assign(industry=frame["industry"].astype(str))
    for same in (turned, as_text):
        assert (scorer.predict_proba(frame) == scorer.predict_proba(same)).all()


def test_a_monotone_feature_never_counts_the_other_way() -> None:
    frame, won = _frame(2_000)
    scorer = LeadScorer(monotone={"visits": -1}, n_jobs=1).fit(frame, won)
    trees = scorer.model_.trees
    if trees is not None:  # the truth is the other way, so that trees that may not say it say nothing of it
        grid = frame.iloc[[0] * 50].assign(visits=np.linspace(-3, 3, 50, dtype=np.float32))
        assert (np.diff(trees.margin(scorer.model_.encoder.encode(grid))) <= 0).all()
    with pytest.raises(ValueError, match=r"monotone names features that are not there: visit$"):
        LeadScorer(monotone={"visit": 1}).fit(frame, won)


def test_absent_columns_are_refused_by_name_and_infinite_ones_too() -> None:
    frame, won = _frame(500)
    scorer = LeadScorer(n_jobs=1).fit(frame, won)
    with pytest.raises(FeatureError, match="columns that are not there: visits"):
        scorer.model_.probability(frame.drop(columns="visits"))
    with pytest.raises(FeatureError, match="infinite values in visits"):
        scorer.predict_proba(frame.assign(visits=np.float32(np.inf)))


def test_weights_scale_nothing() -> None:
    frame, won = _frame(1_000)
    one, thousand = (LeadScorer(n_jobs=1).fit(frame, won, sample_weight=np.full(len(won), w)) for w in (1.0, 1_000.0))
    np.testing.assert_allclose(one.predict_proba(frame), thousand.predict_proba(frame), rtol=1e-6)

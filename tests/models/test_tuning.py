"""A search for settings: what a trial is worth, when it wins, and that it goes on after a kill."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from touchline.models import LeadScorer, Tuned, TuningError, tune
from touchline.models.scorer.trees import settings_of
from touchline.models.tuning import _asked
from touchline.playbook.data import SmallData

LONG = timedelta(hours=1)
Company = tuple[pd.DataFrame, "np.ndarray[Any, np.dtype[np.bool_]]", "np.ndarray[Any, np.dtype[np.int64]]"]


def _company(seed: int = 0, rows: int = 1_200) -> Company:
    """Rows whose chance is high in the middle of `visits`: trees can say so, a linear part cannot."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(rows, 3)).astype(np.float32), columns=["visits", "age", "size"])
    won = random.random(rows) < np.where(frame["visits"].abs() < 0.5, 0.5, 0.05)
    return frame, won, np.arange(rows) // 2


@pytest.fixture(scope="module")
def company() -> Company:
    return _company()


def _tune(company: Company, **more: Any) -> Tuned:
    frame, won, groups = company
    options: dict[str, Any] = {"scorer": LeadScorer(n_jobs=2), "budget": LONG, **more}
    return tune(frame, won, groups=groups, **options)


def _least_average(scorer: LeadScorer) -> float:
    return min(c.loss for c in scorer.choice_.candidates if c.ridge is not None and c.kind is not None)


def test_a_trials_loss_is_that_of_the_scorer_with_its_settings(company: Company) -> None:
    frame, won, groups = company
    found = _tune(company, trials=3)
    assert found.default_loss == pytest.approx(_least_average(LeadScorer().fit(frame, won, groups=groups)), rel=1e-12)
    for row in found.table.iloc[1:].to_dict("records"):
        settings = {k: row[k] for k in found.table.columns[5:]}
        whole = {k: int(v) if k in ("num_leaves", "max_depth") else v for k, v in settings.items()}
        scorer = LeadScorer(settings=whole).fit(frame, won, groups=groups)
        assert row["loss"] == pytest.approx(_least_average(scorer), rel=1e-12)
        assert row["gain"] == pytest.approx(found.default_loss - row["loss"], abs=1e-12)
        assert row["error"] > 0


def test_settings_that_are_surely_better_win(company: Company) -> None:
    poor = LeadScorer(settings={"lambda_l2": 1e6, "max_bin": 31}, n_jobs=2)
    found = _tune(company, scorer=poor, trials=4)
    assert found.best == found.table["loss"].min() < found.default_loss
    assert found.settings["lambda_l2"] < 100
    assert found.settings["max_bin"] == 31  # what is not searched stays
    frame, won, groups = company
    better = LeadScorer(settings=found.settings).fit(frame, won, groups=groups)
    assert better.choice_.chosen.loss < poor.fit(frame, won, groups=groups).choice_.chosen.loss
    assert found.to_dict()["trials"] == 4


def test_where_nothing_is_to_be_found_the_default_settings_stay() -> None:
    frame, _, groups = _company(1)
    won = np.random.default_rng(2).random(len(frame)) < 0.1
    found = _tune((frame, won, groups), trials=6)
    assert found.table["loss"].min() <= found.default_loss  # the luckiest trial looks no worse
    assert found.settings == {}
    assert found.best == found.default_loss
    assert "the default settings stay" in found.reason


def test_the_best_of_many_is_no_luckier_than_one() -> None:
    draws = np.random.default_rng(0).normal(size=(20_000, 40))
    for trials in (1, 5, 40):
        lucky = (draws[:, :trials].max(axis=1) > _asked(trials)).mean()
        assert 0.12 < lucky < 0.17
    assert _asked(1) == pytest.approx(1)


def test_a_search_that_was_killed_goes_on_where_it_stopped(company: Company, tmp_path: Path) -> None:
    study = tmp_path / "a search?.db"

    def stop(step: str) -> None:
        if "trial 2" in step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _tune(company, trials=4, study=study, progress=stop)
    begun = _tune(company, trials=2, study=study)
    assert begun.table["trial"].tolist() == [0, 1]
    assert study.exists()
    whole = _tune(company, trials=4, study=study)
    pd.testing.assert_frame_equal(whole.table.iloc[:2], begun.table, check_dtype=False)
    assert whole.table["learning_rate"].iloc[1:].is_unique


def test_the_study_of_other_rows_is_refused_and_so_is_what_is_no_study(company: Company, tmp_path: Path) -> None:
    study = tmp_path / "study.db"
    _tune(company, trials=1, study=study)
    with pytest.raises(TuningError, match="of other rows or of another scorer"):
        _tune(_company(3), trials=1, study=study)
    with pytest.raises(TuningError, match="of other rows or of another scorer"):
        _tune(company, scorer=LeadScorer(monotone={"visits": 1}), trials=1, study=study)
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear customer, " * 100)
    with pytest.raises(TuningError, match="is no study"):
        _tune(company, trials=1, study=letter)
    assert letter.read_text() == "Dear customer, " * 100


def test_a_budget_that_is_too_small_gives_the_default_settings_their_turn(company: Company) -> None:
    found = _tune(company, budget=timedelta(microseconds=1))
    assert found.table["trial"].tolist() == [0]
    assert found.settings == {}


def test_too_few_deals_are_not_tuned() -> None:
    found = _tune(_company(), scorer=LeadScorer(small_data=SmallData(ranks_from=10_000)))
    assert len(found.table) == 0
    assert "too few" in found.reason
    assert found.to_dict()["loss"] is None


def test_without_optuna_it_says_which_extra_brings_it(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(TuningError, match=r'pip install "touchline\[tune\]"'):
        _tune(company)


def test_stumps_stay_stumps_whatever_is_set() -> None:
    assert settings_of("additive", {"num_leaves": 31, "lambda_l2": 2})["num_leaves"] == 2
    assert settings_of("additive", {"num_leaves": 31, "lambda_l2": 2})["lambda_l2"] == 2
    assert settings_of("regularised", {"num_leaves": 31})["num_leaves"] == 31

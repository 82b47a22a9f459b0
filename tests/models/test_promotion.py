"""A challenger scores only if it is not worse, its chances come true, and leads keep their tiers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from touchline.features import ScoringSet, TrainingSet, build_scoring_set
from touchline.models.calibration import Platt
from touchline.models.judging import capacity_per_date, judge
from touchline.models.promotion import Verdict, challenge, tier_churn
from touchline.models.scale import Scale
from touchline.models.scorer import LeadScorer, ScoringModel
from touchline.models.splits import AsOfSplit
from touchline.playbook import Playbook


@dataclass(frozen=True)
class Setting:
    early: TrainingSet
    later: TrainingSet
    today: ScoringSet
    model: ScoringModel
    playbook: Playbook

    def judge(self, challenger: ScoringModel) -> Verdict:
        return challenge(
            self.model,
            challenger,
            twins=(self.model, challenger),
            later=self.later,
            today=self.today,
            playbook=self.playbook,
            scale=Scale(),
            draws=400,
        )


@pytest.fixture(scope="module")
def setting(simulated_company: Path, training: TrainingSet, playbook: Playbook) -> Setting:
    before, after = next(AsOfSplit(training.as_of, purge=timedelta(days=91)).split())
    early, later = (training.take(np.isin(np.arange(len(training)), part)) for part in (before, after))
    model = LeadScorer().fit(early.X, early.y, **early.fit_parameters).model_
    assert model.parts
    last = training.as_of.max().to_pydatetime()
    return Setting(early, later, build_scoring_set(simulated_company / "tables", playbook, last), model, playbook)


def _failed(verdict: Verdict) -> set[str]:
    return {c.name for c in verdict.conditions if not c.met}


def test_the_same_model_again_is_allowed(setting: Setting) -> None:
    verdict = setting.judge(setting.model)
    assert _failed(verdict) - {"observed_expected"} == set()  # the level is the world's affair
    assert verdict.churn == 0


def test_a_model_that_knows_nothing_is_refused(setting: Setting) -> None:
    nothing = replace(setting.model, linear=None, trees=None, calibrator=Platt())
    verdict = setting.judge(nothing)
    assert {"log_loss", "capture", "tier_churn"} <= _failed(verdict)
    assert not verdict.promoted
    assert "log loss: challenger less champion is +" in verdict.words


def test_a_model_that_moves_every_lead_is_refused_though_it_ranks_the_same(setting: Setting) -> None:
    shifted = replace(setting.model, calibrator=lambda m: setting.model.calibrator(m) + 1.5)
    verdict = setting.judge(shifted)
    assert "tier_churn" in _failed(verdict)
    assert "capture" not in _failed(verdict)
    assert verdict.churn > 0.3


def test_a_retrain_that_is_steadied_keeps_more_leads_in_their_tier(setting: Setting) -> None:
    rows = setting.early
    other = LeadScorer(random_state=7).fit(rows.X, rows.y, **rows.fit_parameters).model_
    loose = tier_churn(setting.model, other, setting.today.X, Scale())
    steady = tier_churn(setting.model, other.steadied(setting.model), setting.today.X, Scale())
    assert steady <= 0.6 * loose + 0.005


def test_capacity_follows_the_distance_of_dates(playbook: Playbook) -> None:
    weekly = pd.Series(pd.date_range("2024-01-01", periods=8, freq="7D"))
    four = pd.Series(pd.date_range("2024-01-01", periods=8, freq="28D"))
    assert capacity_per_date(playbook, weekly) == 50
    assert capacity_per_date(playbook, four) == 200


def test_judging_uses_no_row_that_the_twin_could_have_seen(training: TrainingSet, playbook: Playbook) -> None:
    judged = judge(training, playbook, draws=200)
    horizon = timedelta(days=training.manifest["windows"]["horizon_days"])
    assert judged.test["as_of"].min() == pd.Timestamp(judged.test_from)
    seen = training.as_of[training.as_of <= judged.test_from - horizon]
    assert judged.twin.facts["evidence"]["rows"] == len(seen)
    assert judged.model.facts["evidence"]["rows"] == len(training)
    frame = judged.comparison.to_frame()
    assert frame.loc["Touchline", "log_loss"] < 1.02 * frame.loc["Logistic regression", "log_loss"]
    assert {"known", "new"} == set(judged.comparison.segments.loc["account"].index.get_level_values(0))

"""Tuning: a search for settings of the trees that keeps the default ones unless others are surely better.

Optuna proposes (tree-structured Parzen estimators; Akiba et al. 2019, "Optuna"), the cross-fitting of
`touchline.models.scorer` judges. With few deals the best of many trials is mostly the luckiest one, so that the least
loss alone proves nothing: a trial must beat the default settings on the same accounts by more than chance lends to the
best of so many.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike

from touchline.models.errors import TuningError
from touchline.models.scorer import LeadScorer
from touchline.models.scorer.choice import best_average, gained
from touchline.models.scorer.crossfit import Crossed
from touchline.models.scorer.fitting import Task
from touchline.models.scorer.trees import KINDS

if TYPE_CHECKING:
    import optuna
    import pandas as pd
    from optuna.trial import FrozenTrial

_LUCK = NormalDist().cdf(-1)
"""Chance that settings no better than ours are taken: that of one standard error, whatever the number of trials."""


@dataclass(frozen=True)
class Tuned:
    """What a search came to.

    Attributes
    ----------
    settings
        For `LeadScorer(settings=…)`: those of the winner; the scorer's own if no trial was surely better.
    table
        One row per trial, trial 0 with the scorer's own settings: `trial`, `loss`, `gain` (by how much its loss is less
        than that of trial 0), `error` (its standard error by account), `seconds`, and the settings tried.
    best, default_loss
        Mean log loss of the winner and of trial 0 on accounts left out; NaN if there was nothing to try them on.
    seconds
        What all trials took, those of earlier runs of the same study included.
    reason
        Why these settings, in a sentence.
    """

    settings: dict[str, Any]
    table: pd.DataFrame
    best: float
    default_loss: float
    seconds: float
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON, without the table."""
        losses = {"loss": self.best, "default_loss": self.default_loss}
        return {
            "settings": self.settings,
            "trials": len(self.table),
            "seconds": round(self.seconds, 1),
            **{name: None if np.isnan(loss) else loss for name, loss in losses.items()},
            "reason": self.reason,
        }


def tune(
    X: Any,  # noqa: N803
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    as_of: ArrayLike | None = None,
    deals: ArrayLike | None = None,
    scorer: LeadScorer | None = None,
    budget: timedelta,
    trials: int | None = None,
    study: Path | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda step: None,
) -> Tuned:
    """Search settings of the trees within a time budget.

    What is compared is the average of logistic regression and trees that does best, on accounts left out: the candidate
    that `LeadScorer` prefers. Search on rows that no later judgement uses.

    Parameters
    ----------
    X, y, groups, as_of, deals
        As `LeadScorer.fit` takes them.
    scorer
        The estimator whose settings are to be beaten, not fitted; its limits, constraints and seed hold for all trials.
    budget
        Time for this call. A trial that would not be over in time is not begun; trial 0 always is.
    trials
        The most trials there should be, those of earlier runs included; no limit by default.
    study
        SQLite file that keeps every finished trial: a search that was killed goes on from there, and one that is over
        goes further. In memory by default.
    seed
        Of Optuna's proposals. How many fit the budget depends on the machine; with `trials` a search can be repeated.
    progress
        Told what is under way.

    Raises
    ------
    TuningError
        If Optuna is not installed, or `study` is no study of these rows and this scorer.
    """
    from sklearn.base import clone

    require_optuna()
    scorer = cast("LeadScorer", clone(scorer or LeadScorer()))
    task = scorer.prepare(X, y, groups=groups, as_of=as_of, deals=deals)
    own = dict(scorer.settings or {})
    if not task.is_enough:
        return _nothing_to_tune(own, task)
    search = _open(study, _identity(task), seed)
    started = time.monotonic()
    progress("tuning: trial 0, the default settings")
    default = task.cross_fit()
    default_loss, margin = best_average(default)
    first = {"gain": 0.0, "error": 0.0, "seconds": time.monotonic() - started}
    if not _finished(search):
        _keep(search, {}, default_loss, first)
    slowest = first["seconds"]
    while (done := len(_finished(search))) < (trials or np.inf):
        spent = time.monotonic() - started
        if spent + slowest > budget.total_seconds():
            break
        progress(f"tuning {spent / budget.total_seconds():.0%}: trial {done}, {_so_far(search, default_loss)}")
        slowest = max(slowest, _try(search, task, default, margin))
    return _judged(search, own, default_loss)


def require_optuna() -> None:
    """Refuse at once what would fail after hours.

    Raises
    ------
    TuningError
        If Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise TuningError('tuning needs Optuna, which is not here: pip install "touchline[tune]"') from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # its log would write over the progress line


def _space() -> dict[str, Any]:
    """What is searched. Leaves and depth end where exact explanations become slow."""
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        "learning_rate": FloatDistribution(0.02, 0.2, log=True),
        "num_leaves": IntDistribution(4, 31),
        "max_depth": IntDistribution(2, 8),
        "min_sum_hessian_in_leaf": FloatDistribution(0.5, 10, log=True),
        "lambda_l2": FloatDistribution(1, 60, log=True),
        "feature_fraction": FloatDistribution(0.1, 1),
        "bagging_fraction": FloatDistribution(0.4, 1),
    }


def _try(search: optuna.Study, task: Task, default: Crossed, default_margin: Any) -> float:
    """One trial; how many seconds it took."""
    started = time.monotonic()
    trial = search.ask(_space())
    loss, margin = best_average(task.cross_fit(trial.params, known=default))
    gain, error = gained(default_margin, margin, default.rows)
    seconds = time.monotonic() - started
    for name, value in (("gain", gain), ("error", error), ("seconds", seconds)):
        trial.set_user_attr(name, value)
    search.tell(trial, loss)
    return seconds


def _keep(search: optuna.Study, params: Mapping[str, Any], loss: float, facts: Mapping[str, float]) -> None:
    """Write down a trial that Optuna did not propose."""
    from optuna.trial import create_trial

    search.add_trial(create_trial(value=loss, params=dict(params), user_attrs=dict(facts)))


def _finished(search: optuna.Study) -> list[FrozenTrial]:
    """The trials that came to an end; one that was killed counts as never begun."""
    from optuna.trial import TrialState

    return search.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _surely_better(found: list[FrozenTrial]) -> list[FrozenTrial]:
    """Trials that beat trial 0 by one standard error; by more where the best of many is looked for (Bonferroni)."""
    others = found[1:]
    asked = _asked(len(others))
    return [t for t in others if t.user_attrs["gain"] > asked * t.user_attrs["error"]]


def _asked(trials: int) -> float:
    return -NormalDist().inv_cdf(_LUCK / max(1, trials))


def _judged(search: optuna.Study, own: dict[str, Any], default_loss: float) -> Tuned:
    import pandas as pd

    found = _finished(search)
    columns = ("gain", "error", "seconds")
    rows = [
        {"trial": i, "loss": t.value, **{c: t.user_attrs[c] for c in columns}, **t.params} for i, t in enumerate(found)
    ]
    table = pd.DataFrame(rows)
    seconds = float(table["seconds"].sum())
    asked = f"by {_asked(len(found) - 1):.1f} standard errors by account, as the best of {len(found) - 1} must be"
    better = _surely_better(found)
    if not better:
        reason = f"the default settings stay: no trial is better {asked}"
        return Tuned(own, table, default_loss, default_loss, seconds, reason)
    winner = min(better, key=lambda t: cast("float", t.value))
    loss = cast("float", winner.value)
    reason = (
        f"trial {found.index(winner)}: its log loss is {1 - loss / default_loss:.1%} less than the default's, {asked}"
    )
    return Tuned({**own, **winner.params}, table, loss, default_loss, seconds, reason)


def _so_far(search: optuna.Study, default_loss: float) -> str:
    return f"least log loss {search.best_value:.5f}, by default {default_loss:.5f}"


def _nothing_to_tune(own: dict[str, Any], task: Task) -> Tuned:
    import pandas as pd

    reason = f"the default settings stay: {task.evidence.deals} won deals are too few to learn from"
    return Tuned(own, pd.DataFrame(), float("nan"), float("nan"), 0.0, reason)


def _identity(task: Task) -> str:
    """What trials must have in common to be compared: rows, labels, weights, accounts, dates, settings, seed."""
    rows, whole = task.rows, hashlib.sha256()
    for part in (rows.matrix, rows.won, rows.weight, rows.group, rows.date):
        whole.update(np.ascontiguousarray(part).tobytes())
    settings = {k: v for k, v in task.settings.items() if k != "num_threads"}  # threads change no result
    whole.update(json.dumps([KINDS, settings, task.encoder.to_dict(), task.seed], sort_keys=True, default=str).encode())
    return whole.hexdigest()


def _open(file: Path | None, identity: str, seed: int) -> optuna.Study:
    """The study in a file, or a new one; proposals go on where they stopped and do not begin anew."""
    import optuna
    from sqlalchemy import URL
    from sqlalchemy.exc import DatabaseError

    storage = None
    if file is not None:
        address = URL.create("sqlite", database=str(file)).render_as_string()
        try:
            storage = optuna.storages.RDBStorage(address)
        except DatabaseError:
            raise TuningError(f"{file} is no study and cannot become one; name another file") from None
    study = optuna.create_study(storage=storage, study_name="touchline", direction="minimize", load_if_exists=True)
    if study.user_attrs.setdefault("identity", identity) != identity:
        raise TuningError(f"{file} is the study of other rows or of another scorer; name another file, or remove it")
    study.set_user_attr("identity", identity)
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.get_trials(deepcopy=False)))
    return study

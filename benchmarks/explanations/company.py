"""One simulated company: its rows, the trainings that are compared, and its truth."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.explanations.truth import true_reasons
from benchmarks.quality import company
from touchline.features import Catalog, Tables, TrainingSet, build_scoring_set
from touchline.features.sources.simulated import DEFAULT_WORLD
from touchline.models.explainer import Contributions, Explainer
from touchline.models.judging import split_by_time
from touchline.models.reasons import Grouping
from touchline.models.scorer import LeadScorer
from touchline.models.scorer.fitting import fit_halves
from touchline.models.scorer.model import ScoringModel

WEEK, DAY = timedelta(days=7), timedelta(days=1)


@dataclass(frozen=True)
class Company:
    """What a company is measured with.

    Attributes
    ----------
    folder
        Its canonical tables are in `tables` there.
    early, late
        Rows to learn from, and later ones, of five dates.
    model
        Trained on the early rows.
    reseeded
        On the same rows with another seed.
    twin
        On rows that end three months earlier: a model one retrain older.
    halves
        Models of the same kind, each of half of the accounts: what the product tells noise by.
    """

    folder: Path
    leads: int
    seed: int
    catalog: Catalog
    early: TrainingSet
    late: TrainingSet
    model: ScoringModel
    reseeded: ScoringModel
    twin: ScoringModel
    halves: tuple[ScoringModel, ScoringModel] | None

    @cached_property
    def grouping(self) -> Grouping:
        """Of the model's features."""
        return Grouping.of(self.catalog, self.model.encoder.names)

    @cached_property
    def contributions(self) -> Contributions:
        """Of the model, to the late rows."""
        return Explainer(self.model).explain(self.late.X)

    @cached_property
    def keys(self) -> pd.MultiIndex:
        """Lead and date of the late rows."""
        return pd.MultiIndex.from_frame(self.late.arrow(["lead_id", "as_of"]).to_pandas())

    @cached_property
    def dates(self) -> list[datetime]:
        """Of the late rows."""
        return [moment.to_pydatetime() for moment in sorted(self.late.as_of.unique())]

    @cached_property
    def truth(self) -> pd.DataFrame:
        """The truth's reasons on the late dates and a week after each."""
        moments = [moment.date() for date in self.dates for moment in (date, date + WEEK)]
        return true_reasons(DEFAULT_WORLD, self.leads, self.seed, moments)

    @cached_property
    def top(self) -> NDArray[np.bool_]:
        """The tenth of the late rows that the model scores highest."""
        return self.contributions.log_odds >= np.quantile(self.contributions.log_odds, 0.9)

    def features(
        self, at: datetime, leads: list[str], *, known_before: datetime | None = None, without: list[str] | None = None
    ) -> pd.DataFrame:
        """Features of leads as of an instant, in the order of `leads`; without some touches, as if they never were."""
        folder = self.folder / "tables"
        if without is not None:
            folder = _copy_without(folder, self.folder / "fewer", without)
        playbook = self.catalog.playbook
        built = build_scoring_set(folder, playbook, at, catalog=self.catalog, leads=leads, known_before=known_before)
        return built.frame.set_index("lead_id", drop=False).loc[leads]


def found_company(folder: Path, leads: int, seed: int) -> Company:
    """Simulate a company and train on its early rows, three times."""
    rows, catalog = company(folder, DEFAULT_WORLD, leads, seed)
    early, late = split_by_time(rows.select(list(catalog.names)))
    as_of = early.as_of.to_numpy("datetime64[us]")
    before = early.take(as_of <= as_of.max() - np.timedelta64(91, "D"))
    scorer, *others = (
        LeadScorer(random_state=random_state).fit(part.X, part.y, **part.fit_parameters)
        for part, random_state in ((early, 0), (early, 1), (before, 0))
    )
    task = scorer.prepare(early.X, early.y, **early.fit_parameters)
    halves = fit_halves(task, scorer.model_, scorer.choice_.chosen)
    reseeded, twin = (other.model_ for other in others)
    return Company(folder, leads, seed, catalog, early, late, scorer.model_, reseeded, twin, halves)


def _copy_without(folder: Path, to: Path, touches: list[str]) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)
    file = Tables.open(to).file("touches")
    table = pq.read_table(file)
    pq.write_table(
        table.filter(pc.invert(pc.is_in(table["touch_id"], pa.array(touches, table["touch_id"].type)))), file
    )
    return to

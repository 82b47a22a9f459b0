"""What tests of baselines share: sets written by hand, and one small simulated company."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pytest

from touchline.features import Catalog, Tables, TrainingSet, build_training_set, check_tables
from touchline.features.catalog import Feature
from touchline.features.sources.simulated import simulate
from touchline.models.baselines import Baseline, BaseRate, FitEngagement, OdooPLS, Points
from touchline.playbook import Playbook, starter_playbook

WriteSet = Callable[..., TrainingSet]


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    return starter_playbook()


@pytest.fixture(scope="session")
def write_set() -> WriteSet:
    """Make a set of features and their values; each row is a lead of its own unless said otherwise."""
    return _write_set


def _write_set(
    values: Mapping[Feature, Sequence[Any]],
    won: Sequence[bool] | None = None,
    *,
    leads: Sequence[str] | None = None,
    weights: Sequence[float] | None = None,
    as_of: datetime = datetime(2024, 6, 3, tzinfo=UTC),
    names: Mapping[Feature, str] | None = None,
) -> TrainingSet:
    rows = len(next(iter(values.values()))) if values else len(leads or won or [])
    called = {f: (names or {}).get(f, f.name) for f in values}
    columns: dict[str, Any] = {
        "lead_id": list(leads) if leads else [f"L{i}" for i in range(rows)],
        "as_of": pa.array([as_of] * rows, pa.timestamp("us", "UTC")),
        "won": list(won) if won is not None else [False] * rows,
        "weight": list(weights) if weights else [1.0] * rows,
        **{called[f]: pa.array(list(column)) for f, column in values.items()},
    }
    theirs = [replace(f, name=called[f], family="any") for f in values]  # as a user's catalogue may have them
    declared = [{"name": f.name, "declaration": json.loads(json.dumps(f.to_dict()))} for f in theirs]
    manifest = {"kind": "training", "rows": rows, "features": declared, "windows": {"gap_days": 0, "horizon_days": 30}}
    return TrainingSet(manifest, held=pa.table(columns))


class Simulated(NamedTuple):
    """A company, its baselines, an early and a late set, and the chance that each late row truly had."""

    tables: Tables
    baselines: list[Baseline]
    training: TrainingSet
    later: TrainingSet
    truth: pd.Series


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory, playbook: Playbook) -> Simulated:
    folder = tmp_path_factory.mktemp("baselines")
    cut = datetime(2025, 1, 6, tzinfo=UTC)
    mondays = [(cut + timedelta(weeks=4 * i)).date() for i in range(8)]
    simulate(folder / "data", leads=2_500, seed=2, truth_as_of=mondays)
    check_tables(playbook, folder / "data", out=folder / "tables")
    tables = Tables.open(folder / "tables")
    baselines: list[Baseline] = [
        BaseRate(), Points(playbook), FitEngagement(playbook), OdooPLS(playbook),
        OdooPLS(playbook, form="as_shipped", tables=tables),
    ]  # fmt: skip
    catalog = Catalog(playbook, [f for b in baselines for f in b.features])
    training = build_training_set(tables, playbook, catalog=catalog, last=cut - timedelta(weeks=13), every="month")
    truth = pd.read_parquet(folder / "data" / "truth.parquet")
    rows = truth.loc[truth["won"].notna(), ["lead_id", "as_of"]]
    later = build_training_set(tables, playbook, catalog=catalog, rows=rows)
    keys = later.frame[["lead_id", "as_of"]]
    return Simulated(tables, baselines, training, later, keys.merge(truth, how="left")["probability"])

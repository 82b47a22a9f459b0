"""What Touchline's own runs share: the features as declarations, and the training set of the rows asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # noqa: F401  # pyright: ignore[reportUnusedImport]  # not timed, and it would come late
from pyarrow import parquet

from benchmarks.features.feature_set import Feature
from benchmarks.features.peers.task import Task
from touchline.features import Catalog, LocalEngine, Tables, TrainingSet, build_training_set
from touchline.features import catalog as declared
from touchline.features.kernel import scan  # noqa: F401  # pyright: ignore[reportUnusedImport]  # not timed either
from touchline.features.kernel.layout import is_sorted
from touchline.playbook import Playbook, load_playbook

is_sorted(np.zeros(1, np.int64))  # numba imports most of itself when it is first asked for anything
PLAYBOOK = Path(__file__).parents[1] / "playbook.toml"


def declare(feature: Feature) -> declared.Feature:
    """The declaration of a feature."""
    name, days, of = feature.name, feature.days, feature.of
    touches: dict[str, Any] = {"name": name, **({"kind": feature.kind} if feature.kind else {})}
    makers: dict[str, Callable[[], declared.Feature]] = {
        "count": lambda: declared.Count(days, **touches),
        "sum": lambda: declared.Sum(days, **touches),
        "since_last": lambda: declared.DaysSince(**touches),
        "since_first": lambda: declared.DaysSinceFirst(**touches),
        "decayed": lambda: declared.Decayed(half_life=days, **touches),
        "distinct": lambda: declared.Distinct(days, of=of, **touches),  # type: ignore[arg-type]
        "first": lambda: declared.First(of=of, **touches),  # type: ignore[arg-type]
        "last": lambda: declared.Last(of=of, **touches),  # type: ignore[arg-type]
        "account_count": lambda: declared.Account(declared.Count(days), name=name),
    }
    return makers[feature.what]()


def build(task: Task, *, memory: str, out: Path | None = None, engine: LocalEngine | None = None) -> TrainingSet:
    """The training set of the task's rows: in `out`, or in memory.

    Raises
    ------
    RuntimeError
        If rows were left out.
    """
    tables, playbook, more = recipe(task)
    made = build_training_set(tables, playbook, **more, out=out, engine=engine, memory=memory)
    if len(made) != len(more["rows"]):
        raise RuntimeError(f"Touchline gave {len(made):,} of {len(more['rows']):,} rows")
    return made


def recipe(task: Task) -> tuple[Tables, Playbook, dict[str, Any]]:
    """What `build_training_set` is to build: from which tables, by which playbook, and which features of which rows."""
    playbook = load_playbook(PLAYBOOK)
    catalog = Catalog(playbook, map(declare, task.features))
    rows = parquet.read_table(task.rows, columns=["lead_id", "as_of"])
    return Tables.open(task.tables), playbook, {"catalog": catalog, "rows": rows}

"""getML FastProp: of what it can generate, the counts and sums in windows.

It looks for features by itself; here it may only count and sum, and nothing that it finds is left out: eight besides
those that are asked for. Each kind is a column of ones and zeros, because it does not count by category. Its engine is
a process of its own, whose processor time and memory are counted. Its windows are closed at as_of and open at their
begin, ours are the other way round, so that it is given as_of a microsecond early.
"""

from __future__ import annotations

import re
import warnings

import getml
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from benchmarks.features.feature_set import KINDS, WINDOWS
from benchmarks.features.peers import Task, run
from benchmarks.features.peers.task import offspring, peak_of

ENOUGH = 500
"""Features that may be generated: more than there are."""


def count_with_fastprop(task: Task) -> None:
    """Load, fit and transform."""
    warnings.filterwarnings("ignore")
    home = f"{task.result}.getml"
    getml.engine.launch(launch_browser=False, in_memory=True, allow_push_notifications=False, home_directory=home)
    task.afterwards(getml.engine.shutdown)
    getml.set_project("benchmark")
    task.start()  # an engine that runs is taken for granted, as imports are
    rows = parquet.read_table(task.rows, columns=["lead_id", "as_of"])
    container, model = load(task, rows)
    task.lap("loading")
    aggregations = getml.feature_learning.aggregations
    learner = getml.feature_learning.FastProp(
        loss_function=getml.feature_learning.loss_functions.CrossEntropyLoss,
        aggregation=[aggregations.COUNT, aggregations.SUM],
        num_features=ENOUGH,
        sampling_factor=1.0,
    )
    pipeline = getml.Pipeline(data_model=model, feature_learners=[learner])
    pipeline.fit(container.train, check=False)
    task.lap("fitting")
    made = pipeline.transform(container.train)
    task.lap("transforming")
    write(task, rows, made, [str(feature.sql) for feature in pipeline.features])
    task.peak_elsewhere = sum(map(peak_of, offspring()))


def load(task: Task, rows: pa.Table) -> tuple[getml.data.Container, getml.data.DataModel]:
    """Touches and rows in the engine, and how they belong together: one join for each window."""
    touches = parquet.read_table(task.touches, columns=["lead_id", "occurred_at", "kind", "value"])
    for kind in KINDS:
        touches = touches.append_column(kind, pc.equal(touches["kind"], kind).cast(pa.float64()))
    early = pc.subtract(rows["as_of"], pa.scalar(1, pa.duration("us")))
    label = pa.array(np.arange(len(rows)) % 2, pa.float64())  # something must be predicted
    population = getml.DataFrame.from_arrow(
        pa.table({"lead_id": rows["lead_id"], "as_of": early, "label": label}),
        "rows",
        roles={"join_key": ["lead_id"], "time_stamp": ["as_of"], "target": ["label"]},
    )
    history = getml.DataFrame.from_arrow(
        touches.drop_columns("kind"),
        "touches",
        roles={"join_key": ["lead_id"], "time_stamp": ["occurred_at"], "numerical": ["value", *KINDS]},
    )
    model = getml.data.DataModel(population.to_placeholder("population"))
    for days in WINDOWS:
        model.population.join(
            history.to_placeholder(f"last{days}"),
            on="lead_id",
            time_stamps=("as_of", "occurred_at"),
            memory=getml.data.time.days(days),
        )
    container = getml.data.Container(train=population)
    container.add(**{f"last{days}": history for days in WINDOWS})
    return container, model


def write(task: Task, rows: pa.Table, made: np.ndarray, queries: list[str]) -> None:
    """Write the features asked for, each recognised by the query that getML gives for it."""
    asked = {"COUNT( * )": "count_any", 'SUM( t2."value" )': "sum_any"}
    asked |= {f'SUM( t2."{kind}" )': f"count_{kind}" for kind in KINDS}
    columns = {"lead_id": rows["lead_id"], "as_of": rows["as_of"]}
    for values, query in zip(made.T, queries, strict=True):
        days = re.search(r'JOIN "LAST(\d+)__', query)
        name = next((name for sql, name in asked.items() if f"SELECT {sql} AS" in query), None)
        if days and name:
            columns[f"{name}_{days[1]}d"] = pa.array(values)
    parquet.write_table(pa.table(columns), task.result)


if __name__ == "__main__":
    run(count_with_fastprop)

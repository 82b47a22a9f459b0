"""The nightly job, stage by stage: `python -m benchmarks.batch`.

A company is simulated and checked, a scorer fitted, and one night is run as `touchline score` runs it: five sets of
features (now, and with what was known a week, a fortnight and at the last batch ago), scores, reasons, touches, what
changed, moments and what to share, the store and the files. Beside it stand LightGBM's own `predict` and `pred_contrib`
on a sample of the same rows, extrapolated; what plain SQL takes for the features is told by `benchmarks.features`.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from touchline.features import Tables, build_scoring_set, build_training_set, check_tables
from touchline.features.sources.simulated import simulate
from touchline.models import LeadScorer, Scale, ScoringModel
from touchline.models.registry import LoadedModel
from touchline.pipelines.score import score
from touchline.playbook import parse_playbook, starter_text
from touchline.serve.store import Store

PLAYBOOK = parse_playbook(starter_text())
_SAMPLE = 2_000


@dataclass(frozen=True)
class OneModel:
    """A registry of the one model that was fitted here."""

    model: ScoringModel

    def load(self, which: str | int = "champion") -> LoadedModel:
        """The model, whichever is asked for."""
        del which
        return LoadedModel(self.model, Scale(), "lead-scorer", 1, "0" * 64, "", PLAYBOOK.digest, "", "0")


class Stages:
    """Seconds by stage, told from the job's own progress."""

    def __init__(self) -> None:
        self.seconds: dict[str, tuple[float, float]] = {}
        self._now = ("starting", time.perf_counter(), time.process_time())

    def __call__(self, step: str) -> None:
        """A step began."""
        self._end()
        name = "explaining" if step.startswith("explained") else step
        self._now = (name, time.perf_counter(), time.process_time())

    def _end(self) -> None:
        name, wall, cpu = self._now
        before = self.seconds.get(name, (0.0, 0.0))
        self.seconds[name] = (before[0] + time.perf_counter() - wall, before[1] + time.process_time() - cpu)

    def finish(self) -> None:
        """The job is done."""
        self._end()


def main() -> None:
    """Run one night and print what each stage took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description="The nightly job, stage by stage.")
    parser.add_argument("--leads", type=int, default=20_000, help="of the simulated company")
    parser.add_argument("--memory", default="2GB", help="what building features may use")
    asked = parser.parse_args()
    print(describe("duckdb", "lightgbm", "numba", "numpy", "pandas"), flush=True)
    with tempfile.TemporaryDirectory(prefix="touchline-batch-") as scratch:
        folder = Path(scratch)
        tables = _company(folder, asked.leads)
        model = _fitted(tables)
        end = datetime.fromisoformat(tables.manifest["result"]["last"])
        with Store.open(folder / "scores.db") as store, _said("the night before"):
            score(tables, PLAYBOOK, OneModel(model), store, playbook_text=starter_text(), as_of=end - timedelta(days=1),
                  memory=asked.memory)  # type: ignore[arg-type]  # fmt: skip
        stages = Stages()
        with Store.open(folder / "scores.db") as store:
            done = score(
                tables, PLAYBOOK, OneModel(model), store, playbook_text=starter_text(), as_of=end,  # type: ignore[arg-type]
                out=folder / "batch", memory=asked.memory, progress=stages,
            )  # fmt: skip
        stages.finish()
        _report(stages, done.batch.rows, tables)
        _plain_parts(model, tables, end, done.batch.rows)


def _company(folder: Path, leads: int) -> Tables:
    with _said("simulating and checking"):
        simulate(folder / "data", leads=leads, seed=1)
        check_tables(PLAYBOOK, folder / "data", out=folder / "tables")
    return Tables.open(folder / "tables")


def _fitted(tables: Tables) -> ScoringModel:
    with _said("fitting"):
        training = build_training_set(tables, PLAYBOOK, every="month", last=datetime(2025, 6, 1, tzinfo=UTC))
        some = training.take(np.random.default_rng(0).random(len(training)) < min(1, 100_000 / len(training)))
        return LeadScorer().fit(some.X, some.y, **some.fit_parameters).model_


def _report(stages: Stages, rows: int, tables: Tables) -> None:
    wall, cpu = (sum(of[i] for of in stages.seconds.values()) for i in (0, 1))
    print(f"\n{rows:,} leads, {tables.rows('touches'):,} touches")
    print("| stage | seconds | CPU s |\n|---|--:|--:|")
    for name, (seconds, own) in stages.seconds.items():
        print(f"| {name} | {seconds:.1f} | {own:.1f} |")
    print(f"| the whole night | {wall:.1f} | {cpu:.1f} |")
    print(f"peak memory, company included: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _plain_parts(model: ScoringModel, tables: Tables, end: datetime, rows: int) -> None:
    """What LightGBM's own score and contributions of the same rows would take."""
    if model.trees is None:
        print("the model has no trees: nothing to set beside it")
        return
    some = model.encoder.encode(build_scoring_set(tables, PLAYBOOK, end).frame)[:_SAMPLE]
    taken = {}
    for name, options in (("predict", {"raw_score": True}), ("pred_contrib", {"pred_contrib": True})):
        begun = time.process_time()
        model.trees.booster.predict(some, **options)
        taken[name] = (time.process_time() - begun) / len(some)
    print(
        f"LightGBM alone, extrapolated from {len(some):,} rows: predict {taken['predict'] * rows:.1f} CPU s, "
        f"pred_contrib {taken['pred_contrib'] * rows:.1f} CPU s"
    )


@contextmanager
def _said(what: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()

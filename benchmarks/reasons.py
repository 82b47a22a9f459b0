"""How fast leads are explained, in words: `python -m benchmarks.reasons`.

A company is simulated, a scorer fitted, and its leads are scored, explained, cut to the few reasons that sales reads
and put into words, part after part, the same leads over and over until there were so many. Features are computed
before: `python -m benchmarks.features` tells what they take.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.machine import describe
from touchline.features import Catalog, Tables, build_scoring_set, build_training_set, check_tables
from touchline.features.sources.simulated import simulate
from touchline.models import LeadScorer, Scale
from touchline.models.reasons.texts import sentences
from touchline.playbook import starter_playbook
from touchline.playbook.language import Language
from touchline.serve.batch import Explaining, Frames

PART = 100_000


def main() -> None:
    """Explain so many leads and print what each stage took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reasons", description="Leads explained, in words.")
    parser.add_argument("--leads", type=int, default=4_000, help="of the simulated company")
    parser.add_argument("--rows", type=int, default=1_000_000, help="leads to explain")
    asked = parser.parse_args()
    print(describe("lightgbm", "numba", "numpy", "pandas"), flush=True)
    playbook = starter_playbook()
    catalog = Catalog.default(playbook)
    with tempfile.TemporaryDirectory(prefix="touchline-reasons-") as folder:
        tables = _company(Path(folder), asked.leads)
        training = build_training_set(tables, playbook, every="month")
        scorer = LeadScorer().fit(training.X, training.y, **training.fit_parameters)
        explaining = Explaining(playbook, catalog, scorer.model_, Scale())
        as_of = datetime.fromisoformat(tables.manifest["result"]["last"])
        now = build_scoring_set(tables, playbook, as_of, catalog=explaining.catalog).frame
    part = _varied(pd.concat([now] * (PART // len(now) + 1), ignore_index=True).head(min(PART, asked.rows)))
    explaining.explain(Frames(part.head(10)))  # compiled before anything is timed
    taken = {"score and explain": 0.0, "words, English": 0.0, "words, French": 0.0}
    rows, began, cpu = 0, time.perf_counter(), time.process_time()
    while rows < asked.rows:
        explained = _timed(taken, "score and explain", lambda: explaining.explain(Frames(part)))
        reasons = explained.reasons
        for name, code in (("words, English", "en"), ("words, French", "fr")):
            language = Language.of(code)
            _timed(
                taken, name, lambda: sentences(reasons.table, reasons.grouping, catalog, language, as_of.date())  # noqa: B023  # called at once
            )  # fmt: skip
        rows += len(part)
    print(f"{rows:,} leads, {len(training.names)} features, {scorer.choice_.chosen.name}, in parts of {len(part):,}")
    print("| stage | CPU s |\n|---|--:|")
    for name, seconds in taken.items():
        print(f"| {name} | {seconds:.1f} |")
    whole = time.process_time() - cpu
    print(f"| all | {whole:.1f} ({time.perf_counter() - began:.1f} by the clock) |")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _company(folder: Path, leads: int) -> Tables:
    simulate(folder / "data", leads=leads, seed=1)
    check_tables(starter_playbook(), folder / "data", out=folder / "tables")
    return Tables.open(folder / "tables")


def _varied(rows: pd.DataFrame) -> pd.DataFrame:
    """The same leads with their last touches on other days, so that there are as many sentences as leads bring."""
    random = np.random.default_rng(0)
    moved = {
        name: (rows[name] + random.integers(0, 60, len(rows))).astype(np.float32)
        for name in rows.columns
        if name.startswith(("days_since", "account_days_since"))
    }
    return rows.assign(**moved)


def _timed(taken, name, work):
    start = time.process_time()
    found = work()
    taken[name] += time.process_time() - start
    return found


if __name__ == "__main__":
    main()

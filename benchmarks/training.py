"""What `LeadScorer` costs beside plain LightGBM: `python -m benchmarks.training [--rows 1000000] [--features 150]`.

The same matrix, the same parameters, the same number of rounds; ours chooses, calibrates and checks besides. Below
1,500 won deals it fits every candidate five times over, which is the price of honesty on little data and no fair race.
"""

from __future__ import annotations

import argparse
import time

import lightgbm as lgb
import numpy as np
import pandas as pd

from benchmarks.machine import describe
from touchline.models.encoding import Encoder
from touchline.models.scorer import LeadScorer
from touchline.models.scorer.trees import REGULARISED


def main() -> None:
    """Make rows, fit both, print seconds and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description="LeadScorer beside LightGBM.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=150)
    asked = parser.parse_args()
    print(describe("lightgbm", "scikit-learn", "numpy"), flush=True)
    frame, won, groups, dates = rows(asked.rows, asked.features)
    print(f"{len(frame):,} rows x {frame.shape[1]} features, {won.sum():,} won, {len(set(groups[won])):,} deals")

    wall, cpu = time.perf_counter(), time.process_time()
    scorer = LeadScorer().fit(frame, won, groups=groups, as_of=dates)
    ours = time.perf_counter() - wall, time.process_time() - cpu
    rounds = scorer.model_.facts["rounds"]["regularised"]
    chosen = f"{scorer.choice_.chosen.name}, {rounds} rounds"
    print(f"LeadScorer: {ours[0]:.1f} s, {ours[1]:.1f} CPU-s ({chosen})", flush=True)

    wall, cpu = time.perf_counter(), time.process_time()
    matrix = Encoder.learn(frame).encode(frame)
    weight = np.full(len(won), len(set(groups[won])) / won.sum())
    lgb.train(REGULARISED, lgb.Dataset(matrix, won, weight=weight, params=REGULARISED), rounds)
    plain = time.perf_counter() - wall, time.process_time() - cpu
    print(f"lightgbm.train: {plain[0]:.1f} s, {plain[1]:.1f} CPU-s")
    print(f"ratio: {ours[0] / plain[0]:.2f} by the clock, {ours[1] / plain[1]:.2f} of processor")


def rows(size: int, features: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Counts and days of leads, five leads to an account, ten dates to a lead; about one row in a hundred is won."""
    random = np.random.default_rng(0)
    account = np.arange(size) // 50
    interest = random.normal(size=size // 50 + 1)[account]
    columns = {
        f"f{i}": random.poisson(np.exp(np.clip(0.3 * interest * (i % 7 == 0), -3, 3))).astype(np.float32)
        if i % 3
        else random.exponential(30, size).astype(np.float32)
        for i in range(features)
    }
    chance = 1 / (1 + np.exp(5.2 - 1.2 * interest - 0.2 * columns["f7"]))
    return pd.DataFrame(columns), random.random(size) < chance, account, np.arange(size) % 10


if __name__ == "__main__":
    main()

"""Exact contributions beside LightGBM's own and its peers': `python -m benchmarks.shapley [--rows 32768] [--million]`.

80 features: 72 numbers, 30 of them with NaN, and 8 native categories. Every method explains rows of the same models in
turn, round after round, and what is compared is processor time per row, all threads counted: other work on the machine
spoils the clock, and spoils processor time less. Slow methods get fewer rows. A peer that cannot take native categories
is named with its error; `--numbers` trains on numbers only, so that all can run.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import lightgbm as lgb
import numpy as np

from benchmarks.machine import describe
from touchline.models.shapley import TreeShapley

SIZES = ((300, 31), (600, 63), (1000, 31))
SLOW = 60
"""Rows for methods that take a millisecond or more for each."""
PEER = """
import sys, time, warnings
warnings.filterwarnings("ignore")
import lightgbm as lgb, numpy as np
name, model, rows = sys.argv[1:]
x = np.load(rows)
booster = lgb.Booster(model_file=model)
if name == "woodelf":
    import pandas as pd, woodelf
    explainer = woodelf.WoodelfExplainer(booster)
    x = pd.DataFrame(x, columns=booster.feature_name())
else:
    import fasttreeshap
    explainer = fasttreeshap.TreeExplainer(booster, algorithm="v1", n_jobs=1)
explainer.shap_values(x[:50])
begin = time.process_time()
explainer.shap_values(x)
print((time.process_time() - begin) / len(x) * 1e6)
"""
"""Run by the Python of `--peers-venv`: the peers do not live with our versions."""

Explain = Callable[[np.ndarray], object]


def main() -> None:
    """Train, explain in turns, print tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shapley", description="Contributions beside peers.")
    parser.add_argument("--rows", type=int, default=16_384, help="rows for methods that are fast")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--train", type=int, default=30_000, help="rows to train on")
    parser.add_argument("--million", action="store_true", help="explain a million rows, and time single leads, too")
    parser.add_argument("--numbers", action="store_true", help="no categories, which most peers cannot take")
    parser.add_argument("--depth", type=int, default=-1, help="max_depth of the models")
    parser.add_argument("--sizes", default=",".join(f"{t}x{leaves}" for t, leaves in SIZES), help="trees x leaves")
    parser.add_argument("--peers-venv", type=Path, help="an environment with woodelf-explainer or fasttreeshap")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore", module="shap|matplotlib")
    print(describe("lightgbm", "shap", "numba", "numpy"), flush=True)
    x, y = leads(asked.train, 0, numbers=asked.numbers)
    new, _ = leads(asked.rows, 1, numbers=asked.numbers)
    categories = [] if asked.numbers else list(range(72, 80))
    for size in asked.sizes.split(","):
        trees, leaves = map(int, size.split("x"))
        told = {"objective": "binary", "num_leaves": leaves, "max_depth": asked.depth, "learning_rate": 0.05}
        told |= {"verbose": -1, "num_threads": 2}
        booster = lgb.train(told, lgb.Dataset(x, y, categorical_feature=categories, params=told), trees)
        compare(booster, new, asked.rounds, asked.peers_venv)
        if asked.million:
            at_scale(booster, new, numbers=asked.numbers)


def leads(size: int, seed: int, *, numbers: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rows and outcomes."""
    random, fixed = np.random.default_rng(seed), np.random.default_rng(99)
    x = random.normal(size=(size, 80))
    for f in range(30):
        x[random.random(size) < 0.02 + 0.02 * f, f] = np.nan
    for k, levels in enumerate([] if numbers else [5, 8, 10, 15, 20, 30, 40, 50]):
        x[:, 72 + k] = random.integers(0, levels, size)
        x[random.random(size) < 0.1 * (k % 2), 72 + k] = np.nan
    filled = np.nan_to_num(x)
    signal = filled[:, :72] @ (0.2 * fixed.normal(size=72)) + 0.5 * filled[:, 0] * filled[:, 31]
    signal += 0.6 * (filled[:, 79] % 3 == 1) + 0.4 * (filled[:, 76] % 4 == 2) - 4
    return x, (random.random(size) < 1 / (1 + np.exp(-signal))).astype(float)


def compare(booster: lgb.Booster, rows: np.ndarray, rounds: int, peers: Path | None) -> None:
    """One model: every method in turn, and a table."""
    begin = time.process_time()
    ours = TreeShapley.of(booster.model_to_string())
    packing = time.process_time() - begin
    exact = np.asarray(booster.predict(rows[:500], pred_contrib=True))
    apart = np.abs(ours.contributions(rows[:500]) - exact[:, :-1]).max()
    ways: dict[str, tuple[Explain, np.ndarray]] = {
        "LightGBM pred_contrib": (lambda x: booster.predict(x, pred_contrib=True), rows[: 4 * SLOW]),
        "Touchline, packed trees": (ours.contributions, rows),
        "Touchline, one lead at a time": (lambda x: [ours.one(row) for row in x], rows[:500]),
        "shap.TreeExplainer": (_shap(booster), rows[:SLOW]),
        "LightGBM predict (score only)": (lambda x: booster.predict(x, raw_score=True), rows[:8192]),
        "Touchline, margin (score only)": (ours.margin, rows),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for explain, mine in ways.values():
        explain(mine[:50])
    for _ in range(rounds):
        for name, (explain, mine) in ways.items():
            begin = time.process_time()
            explain(mine)
            spent[name].append((time.process_time() - begin) / len(mine) * 1e6)
    print(f"\n{booster.num_trees()} trees, {booster.dump_model()['tree_info'][0]['num_leaves']} leaves: ", end="")
    print(f"packed in {packing:.1f} CPU-s, differs from pred_contrib by {apart:.1e} at most")
    print(f"{'':34}{'CPU us/row':>11}{'against pred_contrib':>22}{'range':>16}")
    base = spent["LightGBM pred_contrib"]
    for name, took in spent.items():
        ratios = [b / t for b, t in zip(base, took, strict=True)]
        print(f"{name:34}{median(took):11.1f}{median(ratios):21.1f}x{min(ratios):10.1f}-{max(ratios):.1f}", flush=True)
    for name in ("woodelf", "fasttreeshap"):
        print(f"{name:34}{_peer(name, peers, booster, rows[:2000], median(base))}", flush=True)


def _shap(booster: lgb.Booster) -> Explain:
    import shap

    explainer = shap.TreeExplainer(booster)
    return lambda x: explainer.shap_values(x, check_additivity=False)


def _peer(name: str, venv: Path | None, booster: lgb.Booster, rows: np.ndarray, base: float) -> str:
    """A peer in its own environment: its time and ratio, or why there is none."""
    python = sys.executable if venv is None else str(venv / "bin" / "python")
    if venv is None and importlib.util.find_spec(name) is None:
        return " skipped: not installed here (--peers-venv)"
    with tempfile.TemporaryDirectory() as folder:
        model, table = Path(folder, "model.txt"), Path(folder, "rows.npy")
        booster.save_model(model)
        np.save(table, rows)
        command = [python, "-c", PEER, name, str(model), str(table)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f" failed: {(done.stderr.strip().splitlines() or ['no word'])[-1][:100]}"
    took = float(done.stdout.split()[-1])
    return f"{took:11.1f}{base / took:21.1f}x"


def at_scale(booster: lgb.Booster, rows: np.ndarray, *, numbers: bool) -> None:
    """A million rows by the clock, and single leads."""
    ours = TreeShapley.of(booster.model_to_string())
    million = leads(1_000_000, 2, numbers=numbers)[0].astype(np.float32)
    wall, cpu = time.perf_counter(), time.process_time()
    ours.contributions(million)
    print(f"a million rows: {time.perf_counter() - wall:.1f} s, {time.process_time() - cpu:.1f} CPU-s")
    took = []
    for row in rows[:3000]:
        begin = time.thread_time()
        ours.one(row)
        took.append(1e6 * (time.thread_time() - begin))
    print(f"one lead: median {median(took):.0f} us of processor, 99 of 100 within {np.quantile(took, 0.99):.0f} us")


if __name__ == "__main__":
    main()

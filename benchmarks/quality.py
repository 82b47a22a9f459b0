"""How much of what can be known a model finds, beside what people use today: `python -m benchmarks.quality`.

Companies are simulated, so that each lead's true chance is known. A model's score is the information it captures: the
share of the way from the base rate's log loss to that of the true chances, both expected under the true chances, on
as-of dates whose windows begin after all training windows are over. 100 is perfect, 0 is no better than saying the base
rate, below 0 is worse. Worlds: intent on the account, intent on the contact, a world that changes half way, and one in
which there is nothing to find.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.machine import describe
from touchline.features import Catalog, TrainingSet, build_training_set, check_tables
from touchline.features.sources.simulated import (
    CONTACT_WORLD,
    DEFAULT_WORLD,
    DRIFT_WORLD,
    NULL_WORLD,
    World,
    simulate,
)
from touchline.models.baselines import FitEngagement, OdooPLS, Points
from touchline.models.calibration import fit_platt
from touchline.models.encoding import Encoder
from touchline.models.evaluation import information_captured, roc_auc
from touchline.models.judging import as_chances, logistic_chances
from touchline.models.promotion import tier_churn
from touchline.models.scale import Scale
from touchline.models.scorer import LeadScorer
from touchline.models.splits import AsOfSplit
from touchline.playbook import starter_playbook

Floats = NDArray[np.float64]

WORLDS: dict[str, World] = {
    "account": DEFAULT_WORLD,
    "contact": CONTACT_WORLD,
    "drift": DRIFT_WORLD,
    "nothing": NULL_WORLD,
}
SIZES = (500, 1_000, 2_000, 4_000, 20_000)
"""Leads; about 15, 30, 60, 120 and 600 won deals to learn from."""


@dataclass(frozen=True)
class Result:
    """One model in one simulated company."""

    world: str
    leads: int
    seed: int
    deals: int
    model: str
    information: float
    observed_expected: float
    slope: float
    auc: float
    true_auc: float
    """What the ROC-AUC is expected to be under the true chances: what an honest report comes to on average."""
    seconds: float
    chosen: str = ""
    churn: float = np.nan
    """Share of later leads whose tier differs between a model trained three months earlier and this one."""
    steady_churn: float = np.nan
    """The same, this one steadied by the earlier."""


def main() -> None:
    """Run the companies asked for and print tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description="Models beside the truth.")
    parser.add_argument("--worlds", default=",".join(WORLDS), help=f"any of {', '.join(WORLDS)}")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="leads of each company")
    parser.add_argument("--seeds", type=int, default=10, help="companies of each world and size")
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--ours-only", action="store_true", help="leave the baselines out")
    parser.add_argument("--retrain", action="store_true", help="also measure how many leads a retrain moves")
    parser.add_argument("--plot", type=Path, help="draw how the information grows with the deals, as PNG")
    parser.add_argument("--out", type=Path, help="write every result as CSV; companies that it holds are not run again")
    asked = parser.parse_args()
    print(describe("lightgbm", "scikit-learn", "numpy"), flush=True)
    results = known_results(asked.out)
    known = {(r.world, r.leads, r.seed) for r in results}
    for leads in map(int, asked.sizes.split(",")):
        for world in asked.worlds.split(","):
            for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
                if (world, leads, seed) in known:
                    continue
                results += run(world, leads, seed, baselines=not asked.ours_only, retrain=asked.retrain)
                if asked.out:
                    pd.DataFrame(results).to_csv(asked.out, index=False)
                ours = next(r for r in reversed(results) if r.model == "Touchline")
                print(f"{world} {leads} {seed}: {ours.information:.1f} ({ours.chosen}, {ours.deals} deals)", flush=True)
    print(table(pd.DataFrame(results)))
    if asked.plot:
        draw(pd.DataFrame(results), asked.plot)


def known_results(file: Path | None) -> list[Result]:
    """The results of earlier runs, if there are any."""
    if file is None or not file.exists():
        return []
    return [Result(**row) for row in pd.read_csv(file, keep_default_na=True).to_dict("records")]


def run(world: str, leads: int, seed: int, *, baselines: bool, retrain: bool) -> list[Result]:
    """Simulate one company, fit every model on its earlier rows, and hold them against the truth on later ones."""
    with tempfile.TemporaryDirectory(prefix="touchline-quality-") as scratch:
        training, catalog = company(Path(scratch), WORLDS[world], leads, seed)
        truth = pd.read_parquet(Path(scratch) / "data" / "truth.parquet")
    purge = timedelta(days=training.manifest["windows"]["horizon_days"])
    before, after = next(AsOfSplit(training.as_of, purge=purge).split())
    early, late = (training.take(np.isin(np.arange(len(training)), part)) for part in (before, after))
    known = late.arrow(["lead_id", "as_of"]).to_pandas().merge(truth, on=["lead_id", "as_of"], how="left")
    true = known["probability"].to_numpy()
    deals = len({deal for deal in early.deals if deal is not None})
    found: list[Result] = []
    for model, chances, seconds, chosen in contestants(early, late, catalog, baselines=baselines):
        there = ~np.isnan(true)
        p, q = np.clip(chances[there], 1e-9, 1 - 1e-9), true[there]
        auc = roc_auc(late.y[there], p) if late.y[there].any() else np.nan
        true_auc = roc_auc(np.repeat([True, False], len(q)), np.tile(p, 2), np.concatenate([q, 1 - q]))
        information, slope, ratio = information_captured(q, p), _slope(p, q), q.sum() / p.sum()
        figures = (information, ratio, slope, auc, true_auc)
        found.append(Result(world, leads, seed, deals, model, *figures, seconds, chosen))
    if retrain:
        found[0] = replace(found[0], **retrained(early, late, list(catalog.names)))
    return found


def company(folder: Path, world: World, leads: int, seed: int) -> tuple[TrainingSet, Catalog]:
    """A simulated company's rows on the dates of which the truth is known, with the features of all models."""
    playbook = starter_playbook()
    simulate(folder / "data", leads=leads, seed=seed, world=world)
    check_tables(playbook, folder / "data", out=folder / "tables")
    catalog = Catalog.default(playbook)
    wanted = [feature for baseline in _baselines() for feature in baseline.features if feature.name not in catalog]
    rows = pd.read_parquet(folder / "data" / "truth.parquet", columns=["lead_id", "as_of"])
    both = catalog.add(*{feature.name: feature for feature in wanted}.values())
    return build_training_set(folder / "tables", playbook, catalog=both, rows=rows), catalog


def contestants(
    early: TrainingSet, late: TrainingSet, catalog: Catalog, *, baselines: bool
) -> Iterator[tuple[str, Floats, float, str]]:
    """Each model's name, its chances for the later rows, seconds to fit, and what it chose."""
    names = list(catalog.names)
    start = time.perf_counter()
    scorer = LeadScorer().fit(early.X[names], early.y, **early.fit_parameters)
    yield (
        "Touchline",
        scorer.predict_proba(late.X[names])[:, 1],
        time.perf_counter() - start,
        scorer.choice_.chosen.name,
    )
    if not baselines:
        return
    yield "base rate", np.full(len(late), early.base_rate), 0.0, ""
    for name, fit in (("logistic regression", logistic_chances), ("LightGBM, defaults", _plain_lightgbm)):
        start = time.perf_counter()
        chances = fit(early, late, names)
        yield name, chances, time.perf_counter() - start, ""
    for baseline in _baselines():
        start = time.perf_counter()
        chances = as_chances(baseline, early, late)
        yield baseline.name, chances, time.perf_counter() - start, ""


def retrained(early: TrainingSet, late: TrainingSet, names: list[str]) -> dict[str, float]:
    """How many leads change tier from one training to the next, three months of rows later, their facts the same."""
    as_of = early.as_of.to_numpy("datetime64[us]")
    before = early.take(as_of <= as_of.max() - np.timedelta64(91, "D"))
    old, new = (LeadScorer().fit(s.X[names], s.y, **s.fit_parameters).model_ for s in (before, early))
    features = late.X[names]
    return {
        "churn": tier_churn(old, new, features, Scale()),
        "steady_churn": tier_churn(old, new.steadied(old), features, Scale()),
    }


def _baselines() -> list[Any]:
    playbook = starter_playbook()
    return [Points(playbook), FitEngagement(playbook), OdooPLS(playbook)]


def _plain_lightgbm(early: TrainingSet, late: TrainingSet, names: list[str]) -> Floats:
    from lightgbm import LGBMClassifier

    encoder = Encoder.learn(early.X[names])
    model = LGBMClassifier(verbose=-1).fit(pd.DataFrame(encoder.encode(early.X)), early.y)
    return np.asarray(model.predict_proba(pd.DataFrame(encoder.encode(late.X))))[:, 1]


def _slope(p: Floats, q: Floats) -> float:
    """Calibration slope under the true chances: each row is won and not won, weighted by how likely that is."""
    margin = np.log(p) - np.log1p(-p)
    if margin.std() < 1e-9:
        return np.nan
    won = np.repeat([True, False], len(q))
    return fit_platt(np.tile(margin, 2), won, np.concatenate([q, 1 - q]), slope_sd=1e6).slope


def table(results: pd.DataFrame) -> str:
    """Mean information with its 95 % interval over companies, and how often chances come true, by world and size."""
    lines = [
        "",
        "| world | leads | deals | model | information | worst | O/E in 0.9-1.1 | slope in 0.9-1.1 | n |",
        "|---|--:|--:|---|--:|--:|--:|--:|--:|",
    ]
    for (world, leads, model), part in results.groupby(["world", "leads", "model"], sort=False):
        half = 1.96 * part["information"].std() / np.sqrt(len(part)) if len(part) > 1 else np.nan
        within = [(part[c].between(0.9, 1.1)).mean() for c in ("observed_expected", "slope")]
        if world == "nothing":  # there is next to nothing to capture: what counts is whether that is said
            said, deals = (part["chosen"] == "base rate").mean(), part["deals"].mean()
            if model == "Touchline":
                lines.append(
                    f"| {world} | {leads:,} | {deals:.0f} | {model}: says so {said:.0%} | | | | | {len(part)} |"
                )
            continue
        lines.append(
            f"| {world} | {leads:,} | {part['deals'].mean():.0f} | {model} "
            f"| {part['information'].mean():.1f} ± {half:.1f} | {part['information'].min():.1f} "
            f"| {within[0]:.0%} | {within[1]:.0%} | {len(part)} |"
        )
    ours = results[results["model"] == "Touchline"]
    optimism = (ours["auc"] - ours["true_auc"]).dropna()
    error = optimism.std() / np.sqrt(len(optimism)) if len(optimism) > 1 else np.nan
    lines.append(f"\nROC-AUC as reported less what is true, mean: {optimism.mean():+.4f} ± {1.96 * error:.4f}")
    moved = ours.dropna(subset=["churn"])
    if len(moved):
        lines.append(
            f"leads that change tier with a retrain three months on: {moved['churn'].mean():.1%}, "
            f"steadied {moved['steady_churn'].mean():.1%} (at most {moved['steady_churn'].max():.1%})"
        )
    return "\n".join(lines)


def draw(results: pd.DataFrame, file: Path) -> None:
    """Information by number of won deals, a line for each model, one picture for each world."""
    from matplotlib.figure import Figure

    worlds = [world for world in WORLDS if world != "nothing" and world in set(results["world"])]
    figure = Figure(figsize=(5 * len(worlds), 4), layout="constrained")
    for axes, world in zip(figure.subplots(1, len(worlds), squeeze=False)[0], worlds, strict=True):
        for model, part in results[results["world"] == world].groupby("model", sort=False):
            means = part.groupby("leads")[["deals", "information"]].mean()
            shown = np.clip(means["information"], -50, 100)
            axes.plot(means["deals"], shown, "o-", lw=3 if model == "Touchline" else 1, label=model)
        axes.axhline(0, color="0.5", lw=0.8)
        axes.set(title=f"intent on the {world}" if world != "drift" else "a world that changes", xscale="log")
        axes.set(xlabel="won deals to learn from", ylabel="information captured, %", ylim=(-52, 100))
    axes.legend(fontsize=8)
    figure.savefig(file, dpi=130)


if __name__ == "__main__":
    main()

"""`python -m benchmarks.explanations`: measure companies, print figures as they come, then one table with the aims."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmarks.explanations.company import found_company
from benchmarks.explanations.measures import agreement, deletion, exactness, movers, noise, shown_families, stability
from benchmarks.machine import describe

AIMS = {
    "additivity error": (None, "below 1e-6"),
    "additivity error, steadied": (None, "below 1e-6"),
    "top-2 families kept, independent retrain": (0.86, "0.90"),
    "top-2 families kept, new seed": (0.96, ""),
    "top-2 families kept, a day later": (None, "1"),
    "top driver kappa beside the average lead": (None, "0.50"),
    "top driver kappa beside nothing known": (0.30, "0.50"),
    "correlation, all groups": (0.73, "0.85"),
    "true mover of the week found, touches": (0.84, "0.88"),
}
"""What the prototype came to (600 won deals; on a world of the same family), and what we aim at."""

HIDDEN = "; unsteady families hidden"


def main() -> None:
    """Measure the companies asked for and print tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explanations", description="How true reasons are.")
    parser.add_argument("--leads", type=int, default=4_000, help="of each company; 4,000 have about 120 won deals")
    parser.add_argument("--seeds", type=int, default=2, help="companies; from 2 on each is retrained independently")
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--out", type=Path, help="write every figure as CSV")
    asked = parser.parse_args()
    print(describe("lightgbm", "scikit-learn", "numpy"), flush=True)
    rows: list[tuple[int, str, float]] = []
    for seed, name, value in measured(asked.leads, range(asked.first_seed, asked.first_seed + asked.seeds)):
        print(f"company {seed}: {name}: {value:.4g}", flush=True)
        rows.append((seed, name, value))
    figures = pd.DataFrame(rows, columns=["company", "figure", "value"])
    if asked.out:
        figures.to_csv(asked.out, index=False)
    print(table(figures))


def measured(leads: int, seeds: range) -> Iterator[tuple[int, str, float]]:
    """Figures of companies of one size; each is also explained by the model of the next."""
    with tempfile.TemporaryDirectory(prefix="touchline-explanations-") as scratch:
        companies = [found_company(Path(scratch) / str(seed), leads, seed) for seed in seeds]
        for place, company in enumerate(companies):
            stranger = companies[(place + 1) % len(companies)] if len(companies) > 1 else None
            every, shown = shown_families(company)
            steps = [
                exactness(company),
                deletion(company),
                stability(company, stranger, every),
                agreement(company, every),
                movers(company),
                noise(company, stranger),
            ]
            if shown < every:
                steps += [stability(company, stranger, shown, note=HIDDEN), agreement(company, shown, note=HIDDEN)]
            for step in steps:
                for name, value in step:
                    yield company.seed, name, value


def table(figures: pd.DataFrame) -> str:
    """Mean and range of each figure over companies, beside the prototype's and the aim."""
    lines = ["", "| figure | mean | lowest | highest | prototype | aim |", "|---|--:|--:|--:|--:|--:|"]
    for name, part in figures.groupby("figure", sort=False)["value"]:
        prototype, aim = AIMS.get(str(name), (None, ""))
        known = "" if prototype is None else f"{prototype:.2f}"
        lines.append(f"| {name} | {part.mean():.3g} | {part.min():.3g} | {part.max():.3g} | {known} | {aim} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""How often a 95 % interval holds the truth: rows redrawn, accounts redrawn, and ours.

    python -m benchmarks.coverage [--repetitions 400] [--accounts 3000] [--draws 1000]

A company is simulated again and again: accounts of hidden intent, several leads each, several as-of dates per lead,
about 59 won accounts among 3,000. Wins come in clusters: an account's deal makes rows of several of its leads positive.
The model and its scores are the same each time; what it truly achieves comes from one company of a million accounts.
Misses of 2.5 % on each side are what the level promises; the standard error of a coverage is printed.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from touchline.models.evaluation import (
    Bootstrap,
    at_capacity,
    bootstrap,
    calibration,
    count_interval,
    log_loss,
    observed_expected,
    pr_auc,
    roc_auc,
)

CONSTANT = 0.01
"""The chance that the base-rate model says, as if learned earlier."""
CAPACITY = 0.1
FIGURES = {
    "ROC-AUC": ("model", "roc_auc"),
    "log loss - that of base rate": ("model - constant", "log_loss"),
    "base rate (as O/E of a constant)": ("constant", "observed_expected"),
    f"capture at {CAPACITY:.0%}": ("model", "capture"),
    "PR-AUC": ("model", "pr_auc"),
    "lift": ("model", "lift"),
    "observed / expected": ("model", "observed_expected"),
    "calibration slope": ("model", "calibration_slope"),
    "ROC-AUC - that of a better model": ("noisier - model", "roc_auc"),
}
"""Name -> (which model or difference, metric)."""
MINUS = {"model - constant": ("model", "constant"), "noisier - model": ("noisier", "model")}
METHODS = ("rows, percentile", "accounts, percentile", "accounts, ours", "accounts, gamma")


@dataclass(frozen=True)
class Company:
    """Rows (rows,) of a simulated company."""

    won: NDArray[np.bool_]
    probability: NDArray[np.float64]
    noisier: NDArray[np.float64]
    account: NDArray[np.int64]
    date: NDArray[np.int64]

    @property
    def scores(self) -> dict[str, NDArray[np.float64]]:
        """The models that are compared."""
        return {
            "model": self.probability,
            "noisier": self.noisier,
            "constant": np.full(len(self.won), CONSTANT),
        }


def simulate(accounts: int, seed: int) -> Company:
    """Accounts with hidden intent, 1 to 6 leads, 1 to 8 weekly rows; a deal makes the rows before it positive."""
    random = np.random.default_rng(seed)
    intent = random.normal(size=accounts)
    deal = random.random(accounts) < _chance(1.3 * intent - 4.0)
    deal_week = random.integers(0, 14, accounts)
    style = random.choice([0.6, 1.6], accounts, p=[0.6, 0.4])
    account = np.repeat(np.arange(accounts), np.minimum(1 + random.poisson(1.2 * style), 6))
    interest = random.normal(scale=0.6, size=len(account))
    on_the_deal = random.random(len(account)) < np.where(interest > 0, 0.75, 0.45)
    begin = random.integers(0, 8, len(account))
    length = np.minimum(random.integers(1, 9, len(account)), 8 - begin)
    lead = np.repeat(np.arange(len(account)), length)
    week = begin[lead] + np.arange(len(lead)) - np.repeat(np.cumsum(length) - length, length)
    of = account[lead]
    won = deal[of] & on_the_deal[lead] & (deal_week[of] >= week) & (deal_week[of] < week + 6)
    seen = 0.9 * intent[of] + 0.5 * interest[lead] + random.normal(scale=0.5, size=len(lead))
    blurred = seen + random.normal(scale=0.4, size=len(lead))
    return Company(won, _chance(1.02 * seen - 5.1), _chance(0.9 * blurred - 5.1), of, week)


def _chance(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-log_odds))


def redrawn(company: Company, groups: NDArray[np.int64], draws: int, seed: int) -> Bootstrap:
    """All metrics with `groups` redrawn."""
    return bootstrap(company.scores, company.won, groups, as_of=company.date, capacity=CAPACITY, draws=draws, seed=seed)


def drawn(found: Bootstrap, which: str, metric: str) -> tuple[float, NDArray[np.float64]]:
    """A figure of the data and of the draws."""
    if which not in MINUS:
        one = found.drawn[which][metric]
        return one.value, one.draws
    of, to = MINUS[which]
    one, other = found.drawn[of][metric], found.drawn[to][metric]
    return one.value - other.value, one.draws - other.draws


def ours(found: Bootstrap, which: str, metric: str) -> tuple[float, float]:
    """The interval of a figure as a report gives it."""
    if which not in MINUS:
        return found.interval(which, metric)[1:]
    return found.paired(*MINUS[which], metric)[1:3]


def gamma(company: Company) -> tuple[float, float]:
    """The base rate's interval as tables give it, over the constant."""
    wins, rows = (np.bincount(company.account, v).astype(np.float64) for v in (company.won, np.ones_like(company.won)))
    low, high = count_interval(wins, rows, wins.sum() / (wins > 0).sum(), rows.sum())
    return low / rows.sum() / CONSTANT, high / rows.sum() / CONSTANT


def truths(company: Company) -> dict[str, float]:
    """What the models achieve on a company so large that luck does not count."""
    found = {}
    for model, p in company.scores.items():
        best = at_capacity(company.won, p, capacity=CAPACITY, as_of=company.date)
        found[model] = {
            "roc_auc": roc_auc(company.won, p),
            "pr_auc": pr_auc(company.won, p),
            "log_loss": log_loss(company.won, p),
            "observed_expected": observed_expected(company.won, p),
            "calibration_slope": calibration(company.won, p).slope,
            **best._asdict(),
        }
    return {
        name: found[MINUS[which][0]][metric] - found[MINUS[which][1]][metric]
        if which in MINUS
        else found[which][metric]
        for name, (which, metric) in FIGURES.items()
    }


def main() -> None:
    """Print the coverage of each method for each figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--accounts", type=int, default=3000)
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    started = time.perf_counter()
    truth = truths(simulate(1_000_000, seed=10**6))
    ends = {(name, method): [] for name in FIGURES for method in METHODS}
    values: dict[str, list[float]] = {name: [] for name in FIGURES}
    won = []
    for seed in range(options.repetitions):
        company = simulate(options.accounts, seed)
        won.append(len(np.unique(company.account[company.won])))
        by_row = redrawn(company, np.arange(len(company.won)), options.draws, seed)
        by_account = redrawn(company, company.account, options.draws, seed)
        for name, figure in FIGURES.items():
            values[name].append(drawn(by_account, *figure)[0])
            ends[name, METHODS[0]].append(np.nanquantile(drawn(by_row, *figure)[1], [0.025, 0.975]))
            ends[name, METHODS[1]].append(np.nanquantile(drawn(by_account, *figure)[1], [0.025, 0.975]))
            ends[name, METHODS[2]].append(ours(by_account, *figure))
        ends["base rate (as O/E of a constant)", METHODS[3]].append(gamma(company))
    error = np.sqrt(0.95 * 0.05 / options.repetitions)
    print(describe("numpy", "numba", "scipy"))
    print(
        f"{options.repetitions} companies of {options.accounts:,} accounts, {np.mean(won):.0f} won; "
        f"{options.draws:,} draws; "
        f"standard error of a coverage of 95 %: {100 * error:.1f} %; {time.perf_counter() - started:.0f} s\n"
    )
    print("| figure (truth; SD between companies) | method | coverage | truth below | truth above | mean width |")
    print("|---|---|---|---|---|---|")
    for (name, method), found in ends.items():
        if found:
            low, high = np.array(found).T
            below, above = (truth[name] < low).mean(), (truth[name] > high).mean()
            print(
                f"| {name} ({truth[name]:.4f}; {np.std(values[name]):.4f}) | {method} | {1 - below - above:.1%} | "
                f"{below:.1%} | {above:.1%} | {np.mean(high - low):.4f} |"
            )


if __name__ == "__main__":
    main()

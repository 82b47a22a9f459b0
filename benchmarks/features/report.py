"""What is printed: what the benchmark ran on, and a table of each case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.features.comparison import TOLERANCE
from benchmarks.features.contest import Standing
from benchmarks.features.environments import version_of
from benchmarks.features.lineup import BOUND, ENOUGH, LARGE, OURS, WIDER_BOUND, Case, Peer
from benchmarks.features.running import Spent, middle_of
from benchmarks.machine import Cost, describe

SHAPES = {
    "monthly": "12 monthly as-of dates",
    "weekly": "52 weekly as-of dates",
    "per-row": "an as-of instant of its own for each row",
}
NOTES = f"""
From file to file: each reads the touches and writes its features as Parquet. Imports are not timed, and neither is
starting an engine. CPU and wall are of the timed part, memory is the peak of the whole process; processes that it
starts, such as Java and Spark's Python workers, are counted with it. Ratios are to Touchline with memory enough
({ENOUGH}) / within bounded memory ({BOUND}, or {WIDER_BOUND} with more than {LARGE:,} touches); above 1 Touchline is
ahead. Numbers are equal where it says so: the same rows, whole numbers and categories exactly, others within
{TOLERANCE:g}.
"""


def heading(peers: Sequence[Peer]) -> str:
    """The machine, the versions and what the figures mean."""
    versions = {p.package: version_of(p.requirements, p.package) for p in peers}
    beside = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [describe("duckdb", "numba", "numpy", "pyarrow")]
    return "\n".join([*lines, *([f"beside {beside}"] if beside else []), NOTES])


def table(case: Case, rows: int, standings: Mapping[Peer, Standing]) -> str:
    """One case."""
    middles = {peer: middle_of(standing.runs) for peer, standing in standings.items() if standing.runs}
    ours = [middles[peer].cost for peer in OURS if peer in middles]
    lines = [
        f"## {SHAPES[case.shape]}: {case.touches:,} touches, {rows:,} rows\n",
        "| | features | CPU s | wall s | peak GB | CPU, of ours | wall, of ours | runs | numbers |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for peer, standing in standings.items():
        if peer in middles:
            lines += _lines(peer, middles[peer], ours, f"{len(standing.runs)} | {standing.verdict}")
        else:
            lines.append(f"| {peer.title} | | | | | | | | {standing.verdict} |")
    return "\n".join([*lines, ""])


def _lines(peer: Peer, spent: Spent, ours: list[Cost], end: str) -> Iterator[str]:
    cost = spent.cost
    features = len(peer.features) or ""
    yield f"| {peer.title} | {features} | {_figures(cost, f'{cost.peak / 1e9:.2f}', ours)} | {end} |"
    for lap, title in peer.laps.items():
        yield f"| {title} | {features} | {_figures(spent.laps[lap], '', ours)} | | |"


def _figures(cost: Cost, peak: str, ours: list[Cost]) -> str:
    cpu = " / ".join(f"{cost.cpu / our.cpu:.1f}" for our in ours)
    wall = " / ".join(f"{cost.wall / our.wall:.1f}" for our in ours)
    return f"{cost.cpu:.2f} | {cost.wall:.2f} | {peak} | {cpu} | {wall}"


def growth(touches: int, spent: Mapping[tuple[Peer, int], Spent]) -> str:
    """How the cost of Touchline grows with the number of features."""
    few, many = sorted({features for _, features in spent})
    lines = [
        f"## {few} features against {many}: {SHAPES['monthly']}, {touches:,} touches\n",
        f"| | CPU s: {few} | {many} | ratio | wall s: {few} | {many} | ratio | peak GB: {few} | {many} |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for peer in dict.fromkeys(peer for peer, _ in spent):
        a, b = (spent[peer, features].cost for features in (few, many))
        lines.append(
            f"| {peer.title} | {a.cpu:.2f} | {b.cpu:.2f} | {b.cpu / a.cpu:.2f} | {a.wall:.2f} | {b.wall:.2f} "
            f"| {b.wall / a.wall:.2f} | {a.peak / 1e9:.2f} | {b.peak / 1e9:.2f} |"
        )
    return "\n".join(lines)


def executors(touches: int, spent: Mapping[int, Spent]) -> str:
    """How the cost of Touchline on Spark grows with the number of executors, and what the driver does alone."""
    lines = [
        describe("pyspark", "numba", "numpy", "pyarrow") + "\n",
        f"## Touchline on Spark, executors of one core each: {SHAPES['monthly']}, {touches:,} touches\n",
        "| executors | CPU s | wall s | of it the driver alone | peak GB |",
        "|--:|--:|--:|--:|--:|",
    ]
    for n, each in spent.items():
        cost, alone = each.cost, each.laps["driver"]
        lines.append(f"| {n} | {cost.cpu:.1f} | {cost.wall:.1f} | {alone.wall:.1f} | {cost.peak / 1e9:.2f} |")
    return "\n".join(lines)

"""The command: `python -m benchmarks.features`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from pyarrow import parquet

from benchmarks.features import report
from benchmarks.features.contest import FEW, first_round, note, run_case
from benchmarks.features.feature_set import SETS
from benchmarks.features.generate import SHAPES, rows_file
from benchmarks.features.lineup import EXECUTORS, NAMES, ON_SPARK, OURS, PEERS, WARM, Peer, cases
from benchmarks.features.running import Bench, Spent, middle_of


def main() -> None:
    """Do what the options ask for; fail if a number differs from ours, or a peer fails."""
    options = read_options()
    with ExitStack() as stack:
        scratch = options.scratch or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="touchline-bench-")))
        bench = Bench(scratch.resolve(), options.peers_venv.expanduser().resolve())
        warm_up(bench)
        if options.growth:
            print(report.growth(options.touches, grow(bench, options.touches, options.rounds)))
            return
        if options.executors:
            print(report.executors(options.touches, spread(bench, options.touches, options.rounds)))
            return
        chosen = [peer for peer in PEERS if peer.name in options.only]
        print(report.heading(chosen), flush=True)
        missing = first_round(bench, [*OURS, *chosen])
        all_cases = cases(options.touches, options.shapes, options.only, limits=not options.no_limits)
        went_well = True
        for case in all_cases:
            shapes = [c.shape for c in all_cases if c.touches == case.touches]
            standings = run_case(bench, case, shapes, missing, options.rounds)
            rows = parquet.read_metadata(rows_file(bench.data(case.touches, shapes), case.shape)).num_rows
            print(report.table(case, rows, standings), flush=True)
            went_well &= not any(standing.went_wrong for standing in standings.values())
    if not went_well:
        sys.exit("A peer failed, or gave other numbers than Touchline: see the last column.")


def read_options() -> argparse.Namespace:
    """What the command line asks for."""

    def among(known: Sequence[str]) -> object:
        def read(names: str) -> tuple[str, ...]:
            asked = tuple(names.split(","))
            if unknown := [name for name in asked if name not in known]:
                raise argparse.ArgumentTypeError(f"there is no {unknown[0]!r}; there are {', '.join(known)}")
            return asked

        return read

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.features", description="The feature engine beside peers."
    )
    parser.add_argument("--touches", type=int, default=10_000_000)
    parser.add_argument("--shapes", type=among(SHAPES), default=SHAPES, help=f"any of {','.join(SHAPES)}")
    parser.add_argument(
        "--only", type=among(NAMES), default=NAMES, help=f"any of {','.join(NAMES)}; Touchline always runs"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of runs that are not long; the median is told")
    parser.add_argument("--no-limits", action="store_true", help="give everybody all touches, however long it takes")
    parser.add_argument("--growth", action="store_true", help="run Touchline alone, on 61 features and on 122")
    parser.add_argument("--executors", action="store_true", help="run Touchline on Spark alone, on 1 to 4 executors")
    parser.add_argument("--peers-venv", type=Path, default=Path("~/.cache/touchline-bench"), help="peers' environments")
    parser.add_argument("--scratch", type=Path, help="keep data and results here; a temporary folder otherwise")
    return parser.parse_args()


def warm_up(bench: Bench) -> None:
    """Have everything compiled that Touchline compiles, and say how long that takes."""
    few = bench.data(FEW, ("monthly",))
    shutil.rmtree(bench.compiled, ignore_errors=True)  # numba does not see every change of the code
    cold, warm = (bench.run(WARM, few, "monthly").cost.wall for _ in range(2))
    print(f"Touchline's functions are compiled once for each machine and version ({cold - warm:.0f} s, not counted).")


def grow(bench: Bench, touches: int, rounds: int) -> dict[tuple[Peer, int], Spent]:
    """Run Touchline on each set of features, in turn."""
    data = bench.data(touches, ("monthly",))
    runs: dict[tuple[Peer, int], list[Spent]] = {(peer, n): [] for peer in OURS for n in SETS}
    for turn in range(rounds):
        for (peer, features), costs in runs.items():
            note(f"round {turn + 1}: {peer}, {features} features")
            costs.append(bench.run(peer, data, "monthly", features=features))
    return {key: middle_of(costs) for key, costs in runs.items()}


def spread(bench: Bench, touches: int, rounds: int) -> dict[int, Spent]:
    """Run Touchline on Spark, on more and more executors, in turn."""
    data = bench.data(touches, ("monthly",))
    runs: dict[int, list[Spent]] = {n: [] for n in EXECUTORS}
    for turn in range(rounds):
        for n, costs in runs.items():
            note(f"round {turn + 1}: executors: {n}")
            costs.append(bench.run(ON_SPARK, data, "monthly", master=EXECUTORS[n]))
    return {n: middle_of(costs) for n, costs in runs.items()}


if __name__ == "__main__":
    main()

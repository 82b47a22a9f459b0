"""A contest: one case, run in turn by everybody who takes part, and everybody's numbers held against ours."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.features.comparison import differences
from benchmarks.features.environments import NotInstalledError
from benchmarks.features.lineup import BOUNDED, OURS, Case, Peer
from benchmarks.features.running import Bench, Spent

FEW = 5_000
"""Touches of the first round, which shows that everything runs, and leaves nothing to be compiled or cached later."""
LONG = 30.0
"""Seconds after which a run is long enough not to be repeated."""


@dataclass
class Standing:
    """How a peer did in a case."""

    runs: list[Spent] = field(default_factory=list)
    verdict: str = ""
    """Whether its numbers are ours; or why it has none."""
    went_wrong: bool = False

    def fail(self, why: str) -> None:
        """It has no numbers, or others."""
        self.verdict, self.went_wrong = why, True


def first_round(bench: Bench, peers: Iterable[Peer]) -> dict[Peer, str]:
    """Run everybody on few touches. Peers whose packages cannot be installed are left out; it is told why."""
    few = bench.data(FEW, ("monthly",))
    missing: dict[Peer, str] = {}
    for peer in peers:
        note(f"first round: {peer}")
        try:
            bench.run(peer, few, "monthly")
        except NotInstalledError as error:
            missing[peer] = f"not installed: {error}"
        except RuntimeError as error:  # if it is no accident it fails again, where it counts
            note(f"{peer} failed: {_last_line(error)}")
    return missing


def run_case(
    bench: Bench, case: Case, shapes: Sequence[str], missing: Mapping[Peer, str], rounds: int
) -> dict[Peer, Standing]:
    """Run and compare one case.

    Parameters
    ----------
    shapes
        All shapes that these touches are needed in.
    missing
        Peers that cannot take part, and why.

    Raises
    ------
    RuntimeError
        If Touchline itself fails.
    """
    note(f"generating {case.touches:,} touches")
    data = bench.data(case.touches, shapes)
    standings = {peer: Standing(verdict=missing.get(peer, "")) for peer in case.peers}
    for turn in range(rounds):
        for peer, standing in standings.items():
            if standing.verdict or (turn and standing.runs[-1].cost.wall > LONG):
                continue
            note(f"{case.shape}, {case.touches:,} touches, round {turn + 1}: {peer}")
            try:
                standing.runs.append(bench.run(peer, data, case.shape))
            except RuntimeError as error:
                if peer in OURS:
                    raise
                standing.fail(f"failed: {_last_line(error)}")
    for peer, standing in standings.items():
        if not standing.verdict and peer.features and peer is not BOUNDED:
            note(f"comparing {peer}")
            unequal = differences(bench.result(BOUNDED), bench.result(peer), peer.features, bench.scratch)
            standing.verdict = "equal"
            if unequal:
                standing.fail("; ".join(unequal))
    standings[BOUNDED].verdict = "what all are held against"
    return standings


def note(text: str) -> None:
    """Tell whoever waits what is going on."""
    print(text, file=sys.stderr, flush=True)


def _last_line(error: Exception) -> str:
    """What a process said last before it failed."""
    return str(error).strip().splitlines()[-1]

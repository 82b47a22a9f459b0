"""Running one peer, in a process of its own, and reading what it cost."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.features.environments import python_of
from benchmarks.features.feature_set import FEATURES
from benchmarks.features.lineup import LOCAL, Peer
from benchmarks.machine import Cost, measure, middle

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Spent:
    """What a peer's work cost, imports left out; of memory, the peak of its whole process."""

    cost: Cost
    laps: Mapping[str, Cost] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """Where everything is: scratch space, and the peers' environments."""

    scratch: Path
    environments: Path

    def data(self, touches: int, shapes: Sequence[str]) -> Path:
        """The folder of tables, and rows of some shapes, generated if it is not there yet."""
        asked = ",".join(shapes)
        place = self.scratch / f"touches-{touches}-{asked}"
        if not (place / "complete").exists():
            shutil.rmtree(place, ignore_errors=True)
            module = "benchmarks.features.generate"
            measure(
                [sys.executable, "-m", module, str(place), "--touches", str(touches), "--shapes", asked], folder=ROOT
            )
            (place / "complete").touch()
        return place

    def result(self, peer: Peer) -> Path:
        """Where a peer writes."""
        return self.scratch / "results" / f"{peer.module}.parquet"

    def run(self, peer: Peer, data: Path, shape: str, *, features: int = len(FEATURES), master: str = LOCAL) -> Spent:
        """Run a peer once; `master` is where Spark runs, for peers on Spark.

        Raises
        ------
        RuntimeError
            If it fails.
        NotInstalledError
            If its packages cannot be installed.
        """
        python = python_of(peer.package, peer.requirements, self.environments)
        result = self.result(peer)
        result.parent.mkdir(exist_ok=True)
        for left in result.parent.glob(f"{peer.module}.*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        told = result.with_suffix(".json")
        command = [python, "-m", f"benchmarks.features.peers.{peer.module}", "--features", str(features)]
        command += ["--master", master]
        command += ["--tables", str(data), "--rows", str(data / f"rows-{shape}.parquet")]
        whole = measure([*command, "--result", str(result), "--cost", str(told)], folder=ROOT, env=self.variables())
        return _read(told, whole)

    def variables(self) -> dict[str, str]:
        """Bytecode and compiled functions are kept between runs, and apart from everybody else's."""
        return {
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(self.scratch / "bytecode"),
            "NUMBA_CACHE_DIR": str(self.compiled),
        }

    @property
    def compiled(self) -> Path:
        """Where Touchline's compiled functions are."""
        return self.scratch / "compiled"


def _read(file: Path, whole: Cost) -> Spent:
    told = json.loads(file.read_text(encoding="utf-8"))
    laps = {name: Cost(wall, cpu, 0) for name, (wall, cpu) in told["laps"].items()}
    return Spent(Cost(told["wall"], told["cpu"], whole.peak + told["peak_elsewhere"]), laps)


def middle_of(runs: list[Spent]) -> Spent:
    """The median of each figure; of memory the largest."""
    laps = {name: middle([run.laps[name] for run in runs]) for name in runs[0].laps}
    return Spent(middle([run.cost for run in runs]), laps)

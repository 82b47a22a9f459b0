"""The demo: the main job on a made-up company, in one folder that can be deleted and made again."""

from __future__ import annotations

from pathlib import Path

from touchline.features import CheckResult, FeatureSet, build_training_set, check_tables
from touchline.features.sources.simulated import Traps, simulate
from touchline.features.tables.workspace import Progress
from touchline.playbook import load_playbook, starter_text


def run_demo(folder: Path, *, leads: int, progress: Progress) -> tuple[CheckResult, FeatureSet | None]:
    """Simulate a company into `folder/data`, check it into `folder/tables`, and build `folder/training` from it.

    The playbook in `folder` is written only if there is none, so that one can change it and run the demo again.

    Returns
    -------
    tuple
        The check's result; and the training set, unless the data was refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    playbook = folder / "playbook.toml"
    if not playbook.exists():
        playbook.write_text(starter_text(), encoding="utf-8")
    agreed = load_playbook(playbook)
    progress("simulating a company")
    simulate(folder / "data", leads=leads, seed=0, traps=Traps(duplicates=True, merges=True))
    checked = check_tables(agreed, folder / "data", out=folder / "tables", progress=progress)
    if not checked.ok:
        return checked, None
    return checked, build_training_set(folder / "tables", agreed, out=folder / "training", progress=progress)

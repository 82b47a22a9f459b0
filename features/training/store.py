"""Where a set is written: part after part, so that a job that was killed goes on where it stopped."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from touchline.features.sources import DataError
from touchline.features.tables.publish import MANIFEST, locked, publish, recover, write_json

PLAN = "plan.json"
_ROWS = 1 << 17


class Store:
    """A set in the making, in a hidden folder beside `out`; `finish` puts it in the place of `out` as a whole.

    Parameters
    ----------
    out
        The folder it will be.
    plan
        What is being built, how it is cut into parts, included. A folder that was left half done is gone on with if its
        plan is the same, and deleted if not.
    """

    def __init__(self, out: Path, plan: dict[str, Any]) -> None:
        self.out = out
        self.folder = out.parent / f".{out.name}.building"
        self.resumed = _read(self.folder / PLAN) == plan
        if not self.resumed:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            write_json(self.folder / PLAN, plan)

    def file(self, part: int) -> Path:
        """The file of a part."""
        return self.folder / f"part-{part:05}.parquet"

    def done(self, part: int) -> bool:
        """Whether a part is there, whole."""
        return self.file(part).exists()

    def write(self, part: int, rows: pa.Table) -> None:
        """Write a part; it is there as a whole or not at all."""
        half = self.file(part).with_suffix(".half")
        text = [f.name for f in rows.schema if not pa.types.is_floating(f.type)]
        parquet.write_table(
            rows, half, compression="lz4", use_dictionary=text, write_statistics=text, row_group_size=_ROWS
        )
        with half.open("rb+") as file:
            os.fsync(file.fileno())
        half.rename(self.file(part))

    def parts(self) -> list[Path]:
        """The files of all parts, in order."""
        return sorted(self.folder.glob("part-*.parquet"))

    def finish(self, manifest: dict[str, Any]) -> None:
        """Put the set in place, the manifest last."""
        (self.folder / PLAN).unlink()
        for half in self.folder.glob("*.half"):
            half.unlink()
        publish(self.folder, self.out, manifest)


@contextmanager
def place_for(out: Path) -> Generator[Path]:
    """Hold `out` for oneself, and give a scratch folder beside it.

    Raises
    ------
    BusyError
        If another job is writing there.
    DataError
        If `out` holds something that is not a set.
    """
    if out.exists() and not _is_set(out):
        raise DataError(str(out), "holds something else", "name an empty or a new folder for the set")
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(out):
        recover(out)
        scratch = out.parent / f".{out.name}.scratch"
        scratch.mkdir()
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _is_set(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    names = {file.name for file in folder.iterdir()}
    return not names or (MANIFEST in names and all(n == MANIFEST or n.startswith("part-") for n in names))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None

"""Putting finished tables in place: all of them or none, whatever happens in between."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from touchline.features.sources import DataError
from touchline.playbook.contracts import TABLES

MANIFEST = "manifest.json"
FORMAT = 2
"""Of the canonical tables; tables of another format are refused."""
OUR_FILES = {*(f"{name}.parquet" for name in TABLES), "quarantine.parquet", "playbook.json", MANIFEST}
"""All that a folder of tables may hold; one that holds anything else is somebody's."""


class BusyError(Exception):
    """Another job is writing to the same place; trying again later will do."""


@contextmanager
def scratch_for(out: Path | None) -> Generator[Path]:
    """A scratch folder, gone afterwards; beside `out` where there is one, so that finished work is only renamed.

    While it exists no other job can write to `out`. What a killed job left behind is cleared away.

    Raises
    ------
    BusyError
        If another job holds `out`.
    DataError
        If `out`, or the place of a refused result, holds something that Touchline did not write: that is never
        overwritten.
    """
    if out is None:
        with tempfile.TemporaryDirectory(prefix="touchline-") as folder:
            yield Path(folder)
        return
    for place in (out, refused(out)):
        refuse_foreign(place)
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(out):
        for place in (out, refused(out)):
            recover(place)
        scratch = out.parent / f".{out.name}.scratch"
        scratch.mkdir()
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def refused(out: Path) -> Path:
    """Where the quarantine goes if too many rows are bad."""
    return out.with_name(f"{out.name}.refused")


@contextmanager
def locked(out: Path) -> Generator[None]:
    """Hold `out` for oneself; raise BusyError if another job does."""
    path = out.parent / f".{out.name}.lock"
    while True:
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise BusyError(f"another job is writing to {out}; try again when it is done") from None
        if path.exists() and os.fstat(lock.fileno()).st_ino == path.stat().st_ino:
            break
        lock.close()  # the job before us took its lock file away between our two steps
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.close()


def refuse_foreign(out: Path) -> None:
    """Raise DataError if `out` exists and is not a folder that Touchline wrote (or an empty one)."""
    if out.exists() and not out.is_dir():
        raise DataError(str(out), "is a file, not a folder", "name a folder for the tables")
    if out.is_dir() and any(out.iterdir()) and not _is_ours(out):
        raise DataError(
            str(out), "holds files that Touchline did not write", "name an empty or a new folder for the tables"
        )


def _is_ours(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and "touchline" in manifest and {f.name for f in folder.iterdir()} <= OUR_FILES


def recover(out: Path) -> None:
    """Undo what a job that was killed left half done."""
    shutil.rmtree(out.parent / f".{out.name}.scratch", ignore_errors=True)
    replaced = out.parent / f".{out.name}.replaced"
    if replaced.exists() and not out.exists():
        replaced.rename(out)
    shutil.rmtree(replaced, ignore_errors=True)


def publish(finished: Path, out: Path, manifest: dict[str, Any]) -> None:
    """Put the folder `finished` in the place of `out`; the manifest is written last and all of it is on disk first."""
    write_json(finished / MANIFEST, manifest)
    for file in finished.iterdir():
        _sync(file)
    _sync(finished)
    replaced = out.parent / f".{out.name}.replaced"
    if out.exists():
        out.rename(replaced)
    finished.rename(out)
    _sync(out.parent)
    shutil.rmtree(replaced, ignore_errors=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write readable JSON."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

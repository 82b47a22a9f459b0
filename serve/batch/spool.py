"""Parts of a batch on disk, until it is known where each lead stands among all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pyarrow import feather

from touchline.serve.store.shapes import SHAPES, Part


class Spool:
    """Parts that are written once and read once, in order.

    Parameters
    ----------
    folder
        An empty or new one; it is the caller's to delete.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._parts = 0

    def write(self, part: Part) -> None:
        """Keep a part."""
        for name in SHAPES:
            feather.write_feather(getattr(part, name), str(self._file(self._parts, name)), compression="lz4")
        self._parts += 1

    def read(self) -> Iterator[Part]:
        """All parts; each is gone once it was read."""
        for number in range(self._parts):
            files = {name: self._file(number, name) for name in SHAPES}
            yield Part(**{name: feather.read_table(str(file)) for name, file in files.items()})
            for file in files.values():
                file.unlink()

    def _file(self, number: int, name: str) -> Path:
        return self._folder / f"{number:05}-{name}.arrow"

"""Spilling facts: one file of whole numbers per partition, appended to as batches come, read back in one piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from touchline.features.kernel.program import I64


class Spill:
    """Facts on disk, by partition.

    Parameters
    ----------
    folder
        An empty folder of one's own.
    edges
        Partition p holds leads `edges[p]` to `edges[p + 1]`.
    width
        Columns of the facts.
    """

    def __init__(self, folder: Path, edges: I64, width: int) -> None:
        self.edges = edges
        self.width = width
        self._part = np.repeat(np.arange(len(edges) - 1, dtype=np.int32), np.diff(edges))
        self._files = [(folder / f"facts-{p}").open("wb") for p in range(len(edges) - 1)]

    def add(self, columns: I64, size: int) -> None:
        """Append `size` facts, given column by column."""
        from touchline.features.kernel.layout import offsets, place_columns

        part = self._part[columns[0, :size] - self.edges[0]]
        at = offsets(part, len(self._files))
        rows = np.empty((size, self.width), np.int64)
        place_columns(columns, size, part, at[:-1].copy(), rows)
        for p, file in enumerate(self._files):
            if at[p] < at[p + 1]:
                rows[at[p] : at[p + 1]].tofile(file)

    def take(self, p: int) -> I64:
        """All facts of a partition; leads are numbered from 0. Its file is gone afterwards."""
        file = self._files[p]
        file.close()
        facts = np.fromfile(file.name, np.int64).reshape(-1, self.width)
        Path(file.name).unlink()
        facts[:, 0] -= self.edges[p]
        return facts

    def close(self) -> None:
        """Close what is still open."""
        for file in self._files:
            file.close()

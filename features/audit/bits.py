"""Comparing rows bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Changed:
    """What differs between two builds of the same rows."""

    shares: dict[str, float]
    """Feature -> share of rows in which it differs; only features that differ somewhere."""
    compared: int
    """Values that were compared."""
    leads: frozenset[str] = frozenset()
    """Leads of which something differs."""

    def joined(self, other: Changed) -> Changed:
        """Both together; of shares the larger."""
        names = dict.fromkeys([*self.shares, *other.shares])
        shares = {name: max(self.shares.get(name, 0.0), other.shares.get(name, 0.0)) for name in names}
        return Changed(shares, self.compared + other.compared, self.leads | other.leads)


def differing(before: pa.Table, after: pa.Table, names: Sequence[str]) -> Changed:
    """Compare the rows that both tables hold, by lead_id and as_of.

    Numbers are compared as the bits of their float32, so that -0.0 is not 0.0 and missing is missing; categories as
    text, whatever their codes.
    """
    if not before.num_rows or not after.num_rows:
        return Changed({}, 0)
    one, other = _matched(before, after)
    any_row = np.zeros(len(one), np.bool_)
    shares: dict[str, float] = {}
    for name in names:
        unequal = _bits(before[name], one) != _bits(after[name], other)
        if unequal.any():
            shares[name] = float(unequal.mean())
            any_row |= unequal
    leads = before["lead_id"].to_numpy()[one[any_row]]
    return Changed(shares, len(one) * len(names), frozenset(str(lead) for lead in leads))


def _matched(before: pa.Table, after: pa.Table) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of the rows that both hold."""
    import pandas as pd

    keys = [pd.MultiIndex.from_frame(t.select(["lead_id", "as_of"]).to_pandas()) for t in (before, after)]
    at = keys[1].get_indexer(keys[0])
    return np.flatnonzero(at >= 0), at[at >= 0]


def _bits(column: Any, at: NDArray[np.intp]) -> NDArray[Any]:
    import pyarrow as pa

    if pa.types.is_floating(column.type):
        numbers = column.to_numpy(zero_copy_only=False).astype(np.float32)
        return numbers.view(np.uint32)[at]
    told = column.cast(pa.string()) if not pa.types.is_string(column.type) else column
    return told.fill_null("\0").to_numpy(zero_copy_only=False).astype(object)[at]

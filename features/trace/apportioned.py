"""What apportioning gives: a long table of amounts, one for each row, group of features and touch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from touchline.features.kernel.program import F64, I64


@dataclass(frozen=True)
class Apportioned:
    """Amounts laid to touches; of each row and group they add up, with `untraced` and `rest`, to what was given.

    `row`, `group`, `touch` and `amount` stand side by side, in order of row and group, the largest amount (of either
    sign) first and of equal ones that of the latest touch. No amount is zero.
    """

    row: I64
    """Which of the rows, counted from the first of the call."""
    group: I64
    """Which group of features."""
    touch: I64
    """Which row of `touches`."""
    amount: F64
    touches: pa.Table
    """The touches named: touch_id, lead_id, occurred_at, known_at, kind, channel, campaign, asset, topic, direction,
    machine; each once, by account, and the latest first."""
    untraced: F64
    """rows x groups: what stands on no touch."""
    rest: F64
    """rows x groups: what was laid to touches that `top` left out."""

    def together(self) -> Apportioned:
        """The same with all groups as one: a touch has one amount in a row, the sum of those of its groups."""
        key, of = np.unique(self.row * max(1, len(self.touches)) + self.touch, return_inverse=True)
        row, touch = np.divmod(key, max(1, len(self.touches)))
        amount = np.bincount(of, self.amount, len(key))
        order = np.lexsort((touch, -np.abs(amount), row))  # touches stand by account, the latest first
        order = order[amount[order] != 0]
        untraced, rest = (of.sum(axis=1, keepdims=True) for of in (self.untraced, self.rest))
        return replace(
            self,
            row=row[order],
            group=np.zeros(len(order), np.int64),
            touch=touch[order],
            amount=amount[order],
            untraced=untraced,
            rest=rest,
        )

    def top(self, n: int) -> Apportioned:
        """The `n` largest amounts (of either sign) of each row and group; the others go to `rest`.

        Raises
        ------
        ValueError
            If `n` is negative.
        """
        if n < 0:
            raise ValueError(f"n is how many touches to keep, 0 or more, not {n}")
        groups = self.rest.shape[1]
        key = self.row * groups + self.group
        rank = np.arange(len(key)) - np.searchsorted(key, key)  # keys are in order
        return self.where(rank < n)

    def where(self, kept: NDArray[np.bool_]) -> Apportioned:
        """Some of the amounts, as a mask says; the others go to `rest`."""
        groups = self.rest.shape[1]
        key = self.row * groups + self.group
        left_out = np.bincount(key[~kept], self.amount[~kept], self.rest.size).reshape(self.rest.shape)
        named = np.zeros(len(self.touches), bool)
        named[self.touch[kept]] = True
        return replace(
            self,
            row=self.row[kept],
            group=self.group[kept],
            touch=(np.cumsum(named) - 1)[self.touch[kept]],
            amount=self.amount[kept],
            touches=self.touches.filter(pa.array(named)),
            rest=self.rest + left_out,
        )

    def __len__(self) -> int:
        return len(self.amount)

    def __repr__(self) -> str:
        rows, groups = self.untraced.shape
        return f"Apportioned: {len(self):,} amounts of {rows:,} rows x {groups} groups to {len(self.touches):,} touches"

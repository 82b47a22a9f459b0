"""Rounding parts of a sum so that they still add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor


def whole_points(parts: Sequence[float], total: float) -> list[int]:
    """Whole numbers near `parts` that add up to the rounded total, by largest remainders.

    Each is its part rounded down or up if the parts add up to the total; what they do not goes to the last, which is
    the line for everything else.
    """
    found = [floor(part) for part in parts]
    left = round(total) - sum(found)
    order = sorted(range(len(parts)), key=lambda i: (found[i] - parts[i], i))
    for i in order[: max(0, left)]:
        found[i] += 1
    if found:
        found[-1] += round(total) - sum(found)
    return found

"""Shapley: what each feature adds to a row's margin, exactly and fast enough for every open lead every night.

In: LightGBM's own model text, and rows as matrices. Out: contributions that add up to the margin. `TreeShapley` gives
what LightGBM's `pred_contrib` gives, or interventional values over a background; `LightGBMShapley` is LightGBM itself,
for models that cannot be packed; `shapley_of` takes the first that holds.

How it works. Of one leaf with value v, a row matters only by which features pass all their tests on the way to it: o_j
is 1 or 0, and z_j is the share of training rows that pass. The leaf's contributions are (Shapley, in its integral form)

    phi_i = v (o_i - z_i) * Integral_0^1 prod_{j != i} (o_j t + z_j (1 - t)) dt

which Gauss-Legendre nodes give exactly. So leaves of a subtree are summed into a table with an entry for each pattern
of passed tests (`packing`, `tables`), rows are coded once as places between thresholds (`codes`), and a batch is
compares of bytes and look-ups (`batch`). Contributions are summed in whole numbers, so that neither the order of trees
nor the number of threads changes a bit.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from touchline.models.shapley.choice import Shapley, largest_difference, shapley_of
    from touchline.models.shapley.explainer import TreeShapley
    from touchline.models.shapley.fallback import LightGBMShapley

__all__ = ["LightGBMShapley", "Shapley", "TreeShapley", "largest_difference", "shapley_of"]

_PLACES = {
    "LightGBMShapley": "fallback",
    "Shapley": "choice",
    "TreeShapley": "explainer",
    "largest_difference": "choice",
    "shapley_of": "choice",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: numba takes half a second."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)

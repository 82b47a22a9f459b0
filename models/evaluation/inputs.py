"""Checks of what is handed in: every message names the argument, what was expected and what came, never a value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Ranks:
    """Scores of a model that only ranks: any finite numbers, best leads highest.

    Log loss, Brier score, calibration and expected wins are NaN for such a model.
    """

    values: ArrayLike


def outcomes(y: ArrayLike, name: str = "y") -> Bools:
    """Outcomes (rows,) as booleans; 0 and 1 are understood.

    Raises
    ------
    ValueError
        If there is no row, a second dimension, or another value than two (missing ones included).
    """
    values = np.asarray(y)
    _one_dimension(values, name)
    if not len(values):
        raise ValueError(f"{name} has no row: evaluation needs at least one mature row")
    if values.dtype == bool:
        return values
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be boolean (or 0 and 1), got dtype {values.dtype}") from None
    if not np.isin(numbers, (0.0, 1.0)).all():
        raise ValueError(f"{name} must hold 0 and 1 only; immature rows are unknown, so leave them out first")
    return numbers.astype(bool)


def chances(probability: ArrayLike, rows: int, name: str = "probability") -> Floats:
    """Probabilities (rows,) between 0 and 1.

    Raises
    ------
    ValueError
        If the length differs from `rows`, or a value is missing or outside [0, 1].
    """
    values = numbers(probability, rows, name)
    if values.min() < 0 or values.max() > 1:
        raise ValueError(
            f"{name} must lie between 0 and 1, got {values.min():g} to {values.max():g}; "
            "wrap scores that only rank in Ranks(...)"
        )
    return values


def weights(weight: ArrayLike | None, rows: int, name: str = "weight") -> Floats:
    """Weights (rows,), all 1 if None; not negative, not all 0.

    Raises
    ------
    ValueError
        If they are something else.
    """
    if weight is None:
        return np.ones(rows)
    values = numbers(weight, rows, name)
    if values.min() < 0 or not values.sum() > 0:
        raise ValueError(f"{name} must not be negative and must not be 0 for every row")
    return values


def numbers(values: ArrayLike, rows: int, name: str) -> Floats:
    """Finite numbers (rows,).

    Raises
    ------
    ValueError
        If they are something else.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, got dtype {np.asarray(values).dtype}") from None
    _one_dimension(array, name)
    _length(array, rows, name)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds {int((~np.isfinite(array)).sum()):,} missing or infinite values of {rows:,}")
    return array


def codes(values: ArrayLike, rows: int, name: str) -> tuple[Ints, NDArray[np.object_]]:
    """Numbers from 0 for hashable values (rows,), in sorted order so that rows may come in any order; and the values.

    Raises
    ------
    ValueError
        If the length differs from `rows` or a value is missing.
    """
    import pandas as pd

    array = pd.Series(values if isinstance(values, np.ndarray | pd.Series) else np.asarray(values, dtype=object))
    _length(array, rows, name)
    number, found = pd.factorize(array, sort=True)
    if (number < 0).any():
        raise ValueError(
            f"{name} is missing in {int((number < 0).sum()):,} of {rows:,} rows; "
            "give a row without an account its lead's id instead"
        )
    return number.astype(np.int64), np.asarray(found, dtype=object)


def dates(as_of: ArrayLike, rows: int, name: str = "as_of") -> NDArray[np.datetime64]:
    """Instants (rows,) as datetime64[us].

    Raises
    ------
    ValueError
        If they are no datetimes, have another length or are missing.
    """
    import pandas as pd

    if isinstance(as_of, pd.Series | pd.DatetimeIndex) and isinstance(as_of.dtype, pd.DatetimeTZDtype):
        as_of = as_of.to_numpy(dtype="datetime64[us]")  # what has a zone is told in UTC
    array = np.asarray(as_of)
    if array.dtype.kind != "M":
        raise ValueError(f"{name} must be datetime64, got dtype {array.dtype}")
    _one_dimension(array, name)
    _length(array, rows, name)
    if np.isnat(array).any():
        raise ValueError(f"{name} is missing in {int(np.isnat(array).sum()):,} of {rows:,} rows")
    return array.astype("datetime64[us]")


def capacity_of(capacity: float, name: str = "capacity") -> float:
    """A number of leads (int, at least 1) as int, or a share of them (float in (0, 1]) as float.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(capacity, int | np.integer) and not isinstance(capacity, bool) and capacity >= 1:
        return int(capacity)
    if isinstance(capacity, float | np.floating) and 0 < capacity <= 1:
        return float(capacity)
    raise ValueError(
        f"{name} must be a number of leads (an int, at least 1) or a share of them (a float in (0, 1]), "
        f"got {capacity!r}"
    )


def _one_dimension(values: NDArray[np.generic], name: str) -> None:
    if values.ndim != 1:
        raise ValueError(f"{name} must have one dimension, got shape {values.shape}")


def _length(values: object, rows: int, name: str) -> None:
    if len(values) != rows:  # pyright: ignore[reportArgumentType]
        raise ValueError(f"{name} must have one value for each row of y: expected {rows:,}, got {len(values):,}")  # pyright: ignore[reportArgumentType]

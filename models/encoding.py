"""Encoding: from a frame of features to the matrix that models read, by lists that are stored with the model.

Numbers stay as they are and missing stays missing (NaN). A category becomes its place in the list of categories seen in
training; missing and unseen categories are missing. The lists, not the frame's own, decide, so that a notebook, a
batch and a Spark worker give the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from touchline.models.errors import FeatureError

if TYPE_CHECKING:
    import pandas as pd

Matrix = NDArray[np.float32] | NDArray[np.float64]


_EXACT_IN_FLOAT32 = [np.dtype(kind) for kind in ("float32", "bool", "int8", "int16", "uint8", "uint16")]


@dataclass(frozen=True)
class Encoder:
    """What a model knows of its columns.

    Attributes
    ----------
    names
        The columns, in the model's order.
    categories
        For each categorical column its categories, in order of their codes.
    """

    names: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]

    @classmethod
    def learn(cls, frame: pd.DataFrame) -> Encoder:
        """Learn columns and categories of a training frame; text, too, is taken as categories.

        Raises
        ------
        FeatureError
            If a column is neither numbers nor categories, or two have the same name.
        """
        names = tuple(str(name) for name in frame.columns)
        if len(set(names)) < len(names):
            raise FeatureError("two columns have the same name; give each feature a name of its own")
        categories: dict[str, tuple[str, ...]] = {}
        for name, column in zip(names, (frame.iloc[:, i] for i in range(len(names))), strict=True):
            if _is_categorical(column):
                categories[name] = tuple(sorted({str(v) for v in column.dropna().unique()}))
            elif not _is_numeric(column):
                raise FeatureError(f"column {name} holds {column.dtype}; features are numbers, booleans or categories")
        return cls(names, categories)

    @classmethod
    def plain(cls, names: Sequence[str]) -> Encoder:
        """An encoder of numbers only."""
        return cls(tuple(names), {})

    @property
    def categorical(self) -> list[int]:
        """Places of the categorical columns."""
        return [i for i, name in enumerate(self.names) if name in self.categories]

    def encode(self, frame: pd.DataFrame) -> Matrix:
        """The matrix of a frame, of shape (rows, features), a column after the other in memory.

        Columns are found by name; others are left aside. It is float32 if that loses nothing, else float64.

        Raises
        ------
        FeatureError
            If a column is missing (values may be missing, columns may not: a model without half of its features still
            gives numbers, and they are wrong), or does not hold what it held in training.
        """
        place = {str(name): i for i, name in enumerate(frame.columns)}
        missing = [name for name in self.names if name not in place]
        if missing:
            shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
            raise FeatureError(f"the model needs columns that are not there: {shown}; build the set with its catalogue")
        columns = [self._column(name, frame.iloc[:, place[name]]) for name in self.names]
        small = all(column.dtype == np.float32 for column in columns)
        matrix = np.empty((len(self.names), len(frame)), np.float32 if small else np.float64)
        for i, column in enumerate(columns):
            matrix[i] = column
        if np.isinf(matrix).any():
            infinite = [name for name, row in zip(self.names, matrix, strict=True) if np.isinf(row).any()]
            raise FeatureError(f"infinite values in {', '.join(infinite[:5])}; leave a value missing if it is unknown")
        return cast("Matrix", matrix.T)

    def _column(self, name: str, column: pd.Series[Any]) -> Matrix:
        if name in self.categories:
            return _codes(column, self.categories[name])
        if not _is_numeric(column):
            raise FeatureError(f"column {name} held numbers in training and holds {column.dtype} now")
        if column.dtype in _EXACT_IN_FLOAT32:
            return column.to_numpy(np.float32)
        return column.to_numpy(np.float64, na_value=np.nan)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {"names": list(self.names), "categories": {k: list(v) for k, v in self.categories.items()}}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Encoder:
        """From plain data."""
        return cls(tuple(content["names"]), {k: tuple(v) for k, v in content["categories"].items()})


def _is_categorical(column: pd.Series[Any]) -> bool:
    import pandas as pd

    kind = column.dtype
    return (
        isinstance(kind, pd.CategoricalDtype)
        or pd.api.types.is_string_dtype(kind)
        or pd.api.types.is_object_dtype(kind)
    )


def _is_numeric(column: pd.Series[Any]) -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype)


def _codes(column: pd.Series[Any], categories: tuple[str, ...]) -> NDArray[np.float32]:
    """Places in `categories`; NaN where missing or unseen."""
    import pandas as pd

    place = {name: float(i) for i, name in enumerate(categories)}
    if not isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype("category")
    own = [place.get(str(value), np.nan) for value in column.cat.categories]
    return np.array([*own, np.nan], np.float32)[column.cat.codes.to_numpy()]

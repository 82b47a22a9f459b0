"""Columns: numpy arrays to Arrow arrays, strings as dictionaries so that no text is made per row."""

# pyarrow ships no types, and its stubs know little of its arrays:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingTypeArgument=false

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from touchline.features.sources.simulated.schemas import TIME
from touchline.features.sources.simulated.streams import kernel

Bytes = NDArray[np.uint8]


def coded(codes: NDArray[np.integer], values: Sequence[str]) -> pa.DictionaryArray:
    """Strings `values[code]` of each row, null where the code is negative; no two `values` may be equal.

    (Arrow writes dictionaries with equal values in a form that differs from run to run.)
    """
    indices = pa.array(codes.astype(np.int32), pa.int32(), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))


def texts(values: Sequence[str]) -> pa.DictionaryArray:
    """Strings as they are, one per row; some may be equal."""
    return pa.array(values, pa.string()).dictionary_encode()


def times(microseconds: NDArray[np.int64]) -> pa.Array:
    """UTC instants, null where 0."""
    return pa.array(microseconds, pa.int64(), mask=microseconds == 0).cast(TIME)


def numbered(prefix: str, numbers: NDArray[np.int64], digits: int) -> pa.Array:
    """Strings of `prefix`, one letter, and each number with leading zeros."""
    width = digits + 1
    offsets = np.arange(numbers.size + 1, dtype=np.int32) * np.int32(width)
    text = _write_numbers(ord(prefix), np.ascontiguousarray(numbers), width)
    buffers = [None, pa.py_buffer(offsets.data), pa.py_buffer(text.data)]
    return pa.Array.from_buffers(pa.string(), numbers.size, buffers)


@kernel
def _write_numbers(letter: int, numbers: NDArray[np.int64], width: int) -> Bytes:
    text = np.empty((numbers.size, width), np.uint8)
    for row in range(numbers.size):
        left = numbers[row]
        for place in range(width - 1, 0, -1):
            text[row, place] = 48 + left % 10
            left //= 10
        text[row, 0] = letter
    return text

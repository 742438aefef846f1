"""NumPy's arrays and numbers in a pickle: made of their bytes, for element types that are plain bytes."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from minigrad.serialization.archive import Array
from minigrad.serialization.names import ARRAY_KINDS

_CODE = re.compile(f"[{ARRAY_KINDS}][0-9]{{1,9}}")


class ArrayType:
    """An element type, whose byte order a file says only after it has named it."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any, align: Any = False, copy: Any = True) -> None:
        """ValueError for a code such as ``"O8"``, whose elements are no plain bytes."""
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise ValueError(f"an array has elements of the type {code!r}")
        try:
            self.dtype: np.dtype[Any] = np.dtype(code)
        except TypeError:
            raise ValueError(f"an array has elements of the type {code!r}") from None

    def fill(self, state: Any) -> None:
        """Takes the byte order. ValueError for another state than NumPy writes."""
        order = state[1] if isinstance(state, tuple) and len(state) == 8 else None
        if order not in ("<", ">", "|", "=") or any(state[2:5]):
            raise ValueError(f"the type of an array's elements has the state {state!r}")
        self.dtype = self.dtype.newbyteorder(order)


def empty(kind: Any, shape: Any, code: Any) -> Array:
    """The array that is filled afterwards."""
    return np.empty(0, np.uint8)


def fill(array: Array, state: Any) -> None:
    """Gives an array its shape, element type and bytes. ValueError where these do not fit together."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise ValueError("an array has no shape and bytes")
    _, shape, kind, in_columns, data = state
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 32:
        raise ValueError(f"an array has the shape {shape!r}")
    if not isinstance(kind, ArrayType) or not isinstance(in_columns, bool) or not isinstance(data, bytes):
        raise ValueError("an array has no element type or no bytes")
    if math.prod(shape) * kind.dtype.itemsize != len(data):
        raise ValueError(f"an array of {kind.dtype} and shape {list(shape)} has {len(data)} bytes")
    state = (1, shape, kind.dtype, in_columns, data)
    array.__setstate__(state)


def scalar(kind: Any, data: Any) -> Any:
    """One of NumPy's numbers. ValueError where its bytes are not those of one."""
    if not isinstance(kind, ArrayType) or not isinstance(data, bytes) or len(data) != kind.dtype.itemsize:
        raise ValueError("a number of NumPy's has other bytes than its type")
    return np.ndarray((), kind.dtype, data)[()]

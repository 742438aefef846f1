"""NumPy's arrays and numbers, and sparse Tensors, made of what a pickle has of them.

An error tells no more of a value than its type: what a pickle made may be an object, whose ``__repr__`` is code, or a
list of itself.  ValueError for all that does not fit.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from minigrad.core.size import Size
from minigrad.formats import sparse_coo, sparse_csc, sparse_csr
from minigrad.functions.sparse import sparse_compressed_tensor, sparse_coo_tensor
from minigrad.serialization.archive import Array
from minigrad.serialization.names import ARRAY_KINDS
from minigrad.tensor import Tensor

_LAYOUTS = {f"torch.{form.name}": form for form in (sparse_coo, sparse_csr, sparse_csc)}
_CODE = re.compile(f"[{ARRAY_KINDS}][0-9]{{1,9}}")


class ArrayType:
    """An element type, whose byte order a file says only after it has named it."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any, align: Any = False, copy: Any = True) -> None:
        """ValueError for a code such as ``"O8"``, whose elements are no plain bytes."""
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise ValueError(f"an array has elements of the type {_told(code)}")
        try:
            self.dtype: np.dtype[Any] = np.dtype(code)
        except TypeError:
            raise ValueError(f"an array has elements of the type {code!r}") from None

    def fill(self, state: Any) -> None:
        """Takes the byte order. ValueError for another state than NumPy writes."""
        order: Any = state[1] if isinstance(state, tuple) and len(state) == 8 else None
        plain = type(order) is str and order in ("<", ">", "|", "=")
        if not plain or any(part is not None for part in state[2:5]):
            raise ValueError("the type of an array's elements has a state that is not of plain bytes")
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
        raise ValueError(f"an array has the shape {_told(shape)}")
    if not isinstance(kind, ArrayType) or not isinstance(in_columns, bool) or not isinstance(data, bytes):
        raise ValueError("an array has no element type or no bytes")
    # Texts of no length take no bytes, however many they are.
    if math.prod(shape) * (kind.dtype.itemsize or 1) != len(data):
        raise ValueError(f"an array of {kind.dtype} and shape {list(shape)} has {len(data)} bytes")
    state = (1, shape, kind.dtype, in_columns, data)
    array.__setstate__(state)


def scalar(kind: Any, data: Any) -> Any:
    """One of NumPy's numbers. ValueError where its bytes are not those of one."""
    if not isinstance(kind, ArrayType) or not isinstance(data, bytes) or len(data) != kind.dtype.itemsize:
        raise ValueError("a number of NumPy's has other bytes than its type")
    return np.ndarray((), kind.dtype, data)[()]


def layout(name: Any) -> Any:
    """The form of a sparse Tensor."""
    if not isinstance(name, str) or name not in _LAYOUTS:
        raise ValueError(f"it has a Tensor of the layout {_told(name)}")
    return _LAYOUTS[name]


def sparse(form: Any, parts: Any) -> Tensor:
    """A sparse Tensor of its parts."""
    count = 2 if form is sparse_coo else 3
    right = any(form is known for known in _LAYOUTS.values()) and isinstance(parts, tuple)
    if not right or not count < len(parts) < 5 or not isinstance(parts[count], Size):
        raise ValueError("it has a sparse Tensor that is not made of its parts")
    dense, size = parts[:count], parts[count]
    if not all(isinstance(t, Tensor) and not t._sparse for t in dense):
        raise ValueError("it has a sparse Tensor that is not made of dense ones")
    try:
        if form is not sparse_coo:
            return sparse_compressed_tensor(dense[0], dense[1], dense[2], size, layout=form)
        t = sparse_coo_tensor(dense[0], dense[1], size)
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    at = t._indices()._array
    ordered = np.lexsort(at[::-1]) if len(at) else np.empty(0)
    unique = bool((ordered == np.arange(at.shape[1])).all() and (at[:, 1:] != at[:, :-1]).any(axis=0).all())
    return t._coalesced_(unique and (len(parts) < 4 or parts[3] is True))


def _told(value: Any) -> str:
    """A text for an error; of what is no text only the type."""
    return repr(value[:50]) if type(value) is str else f"a {type(value).__name__}"

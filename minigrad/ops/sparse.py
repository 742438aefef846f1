"""Products of a sparse matrix, whose values and places are operands; rows of a table, whose gradient is sparse.

The gradients of the products are each other.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from minigrad.core.gradients import Lean
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.text import Plain
from minigrad.errors import runtime_error
from minigrad.kernels import sparse as k
from minigrad.kernels.scatter import add_to_rows
from minigrad.ops import classes


class Rows(Lean):
    """The gradient of a table of which few rows were named: their numbers, and what is added to each."""

    __slots__ = ("_array", "dtype", "index", "shape")
    # To the pass it is neither a view nor an array that it may add to.
    base, ndim = None, 0

    def __init__(self, index: Any, values: Any, shape: tuple[int, ...]) -> None:
        self.index, self._array, self.shape, self.dtype = index, values, shape, values.dtype

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, Rows):
            return other + self
        # as PyTorch, those of the use before first
        index = np.concatenate([other.index, self.index])
        return Rows(index, np.concatenate([other._array, self._array]), self.shape)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None) -> Any:
        """A dense gradient with the rows added, in place if it is to be there: the one thing that a pass does."""
        if ufunc is not np.add:
            return NotImplemented
        dense = inputs[0] if inputs[1] is self else inputs[1]
        y = dense.copy() if out is None else out[0]
        add_to_rows(y, self.index, self._array)
        return y

    def astype(self, dtype: Any) -> Rows:
        """In another element type, as that of a table of two bytes."""
        return Rows(self.index, self._array.astype(dtype), self.shape)

    def dense(self) -> Any:
        """All rows."""
        return np.zeros(self.shape, self.dtype) + self

    def tensor(self) -> Tensor:
        """The sparse Tensor that users get; its room lies above."""
        made: Any = import_module("minigrad.sparse.tensor").made
        places, numbers = self.index.astype(np.int64)[None], np.ascontiguousarray(self._array)
        t: Tensor = made(wrap(places), wrap(numbers), self.shape)
        return t


def _rows(g: Any, index: Any, weight_shape: Any, padding: int, by_count: bool) -> Any:
    if by_count:
        raise runtime_error("embedding_backward: scale_grad_by_freq not supported with sparse gradients")
    if isinstance(g, Tensor):  # a pass that is recorded has dense gradients
        return classes.embedding_backward(g, index, rows=weight_shape[0], padding=padding, by_count=by_count)
    at, values = index.reshape(-1), g.reshape(-1, weight_shape[1])
    if padding >= 0:
        at, values = at[at != padding], values[at != padding]
    return Rows(at, values, weight_shape)


# fmt: off
product: Op = Op("sparse_product", k.product, "values dense row col; rows",
                 lambda g, dense, row, col: sampled(g, dense, row, col),
                 lambda g, values, dense_shape, row, col: product(values, g, col, row, rows=dense_shape[0]),
                 None, None, order="C", text=Plain(k.product),
                 costs=lambda y, values, *_: values[0] * y[1])
sampled: Op = Op("sampled_product", k.sampled, "a b row col",
                 lambda g, b, row, col, a_shape: product(g, b, row, col, rows=a_shape[0]),
                 lambda g, a, row, col, b_shape: product(g, a, col, row, rows=b_shape[0]),
                 None, None, order="C", text=Plain(k.sampled),
                 costs=lambda y, a, *_: y[0] * a[1])
embedding_of_rows = Op("embedding_of_rows", classes.embedding.kernel, "weight index; padding by_count", _rows, None,
                       order="C", check=classes.embedding.check, grad_fn="EmbeddingBackward0",
                       reads=classes.embedding.reads, usual=classes.embedding.usual)
# fmt: on

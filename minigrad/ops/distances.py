"""The length of vectors, a record of its own since its gradient at 0 is none of its parts'."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.op import Array, Op
from minigrad.core.text import Plain
from minigrad.kernels.sums import sum_first, sum_rows, sum_squares
from minigrad.ops import elementwise as e
from minigrad.ops.printing import plain
from minigrad.ops.reduce import spread


def _length(x: Array, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    return np.sqrt(sum_squares(x, dim, keepdim))


def _length_vjp(g: Any, x: Any, y: Any, dim: Any, keepdim: bool) -> Any:
    full: dict[str, Any] = {"shape": tuple(x.shape), "dim": dim, "keepdim": keepdim}
    y = spread(y, **full)
    none = e.eq(y, 0.0)  # the subgradient there is 0, as PyTorch has it
    return e.where(none, 0.0, spread(g, **full) * (x / e.where(none, 1.0, y)))


# fmt: off
length = Op("length", _length, "x; dim keepdim", _length_vjp, order="C",
            text=Plain(_length, "x", plain("length"), sum_first=sum_first, sum_rows=sum_rows),
            grad_fn="LinalgVectorNormBackward0", derives={"x": "g * x / y"}, reads="norm", batch="dims")
# fmt: on

"""Matrix products. Batches in front broadcast; the engine sums over what was broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.tape import Array, Op


def product(a: Array, b: Array) -> Any:
    """``a @ b``. For two matrices np.dot: it calls BLAS with less around it, and also for a single row or
    column, where np.matmul takes four times as long without BLAS."""
    return np.dot(a, b) if a.ndim == 2 == b.ndim else np.matmul(a, b)


def times(a: Any, b: Any) -> Any:
    """``a @ b`` in a rule: of arrays by `product`, of Tensors recorded."""
    return product(a, b) if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) else a @ b


# fmt: off
matmul = Op("matmul", product, "a b", lambda g, b: times(g, b.mT), lambda g, a: times(a.mT, g),
                text="{} @ {}", onnx="MatMul")
dot    = Op("dot",    np.dot,    "a b", lambda g, b: g * b,    lambda g, a: g * a,    text="{} @ {}")
# fmt: on

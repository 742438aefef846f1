"""Products of a sparse matrix, whose values and places are operands. Their gradients are each other."""

from __future__ import annotations

from minigrad.core.op import Op
from minigrad.kernels import sparse as k
from minigrad.ops.buffered import called

# fmt: off
product: Op = Op("sparse_product", k.product, "values dense row col; rows",
                 lambda g, dense, row, col: sampled(g, dense, row, col),
                 lambda g, values, dense_shape, row, col: product(values, g, col, row, rows=dense_shape[0]),
                 None, None, order="C", text=called(k.product),
                 costs=lambda y, values, *_: values[0] * y[1])
sampled: Op = Op("sampled_product", k.sampled, "a b row col",
                 lambda g, b, row, col, a_shape: product(g, b, row, col, rows=a_shape[0]),
                 lambda g, a, row, col, b_shape: product(g, a, col, row, rows=b_shape[0]),
                 None, None, order="C", text=called(k.sampled),
                 costs=lambda y, a, *_: y[0] * a[1])
# fmt: on

"""Diagonals, which are views, and triangles of matrices."""

from __future__ import annotations

from minigrad.core import names
from minigrad.core.op import Op
from minigrad.core.text import Call, Plain
from minigrad.kernels import scatter as k


def _triangle_lines(v: Call) -> list[str]:
    diagonal = f", {v.params['diagonal']}" if v.params["diagonal"] else ""
    return [f"return np.{'triu' if v.params['upper'] else 'tril'}(x{diagonal})"]


# fmt: off
diagonal: Op = Op("diagonal", k.diagonal, "x; offset dim1 dim2",
                  lambda g, x_shape, offset, dim1, dim2:
                      undiagonal(g, shape=x_shape, offset=offset, dim1=dim1, dim2=dim2),
                  view=True, moves=True, usual={"offset": 0, "dim1": 0, "dim2": 1}, batch="dims")
undiagonal: Op = Op("embed_diagonal", k.undiagonal, "g; shape offset dim1 dim2",
                    lambda g, offset, dim1, dim2: diagonal(g, offset=offset, dim1=dim1, dim2=dim2), order="C",
                    grad_fn="DiagEmbedBackward0", complex="analytic", usual={"offset": 0, "dim1": 0, "dim2": 1},
                    batch="dims")
triangle: Op = Op("triangle", k.triangle, "x; diagonal upper",
                  lambda g, diagonal, upper: triangle(g, diagonal=diagonal, upper=upper), order="C",
                  grad_fn=names.of_triangle, text=Plain(k.triangle, "x", _triangle_lines), complex="analytic",
                  usual={"diagonal": 0, "upper": ...}, reads=lambda n: "triu" if n.params["upper"] else "tril",
                  batch="leading")
# fmt: on

"""Rows of samples for linear algebra; see op_samples.py.

Values are worked out in plain Python where that is short; what has several right answers (vectors up to their signs)
is compared with NumPy's own, and its properties are tested in test_linalg.py.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

NOT_0D = dict.fromkeys(
    [
        "triangles", "inv", "inv_ex", "zero_pivots", "solve", "solve_ex", "solve_triangular", "cholesky_solve",
        "det", "cofactor",
        "signed_logdet", "logabsdet", "det_sign", "cholesky", "cholesky_ex", "minors", "qr", "qr_q", "qr_triangle",
        "qr_r", "eigh", "eigenvectors", "eigenvalues", "eigvalsh", "svd", "left_vectors", "right_vectors",
        "singular_values", "svdvals", "pinv", "lu", "lu_regular", "lu_compact", "lu_pivots", "lu_info",
        "lu_permutation", "unpivot", "matrix_exp",
    ],
    "operands are matrices",
)  # fmt: skip

Matrix = list[list[float]]


def each(f: Callable[..., Any], dims: int = 0) -> Callable[..., np.ndarray]:
    """A function of matrices as lists, of each of a batch; its results have ``dims`` dimensions, for empty batches."""

    def value(*arrays: np.ndarray, **params: Any) -> np.ndarray:
        batch = arrays[0].shape[:-2]
        found = [f(*(a[at].tolist() for a in arrays), **params) for at in np.ndindex(batch)]
        return np.array(found).reshape((*batch, *np.shape(found[0]))) if found else np.zeros((0,) * dims)

    return value


def _minor(m: Matrix, i: int, j: int) -> float:
    return _det([row[:j] + row[j + 1 :] for row in m[:i] + m[i + 1 :]])


def _det(m: Matrix) -> float:
    return math.fsum((-1) ** j * m[0][j] * _minor(m, 0, j) for j in range(len(m))) if m else 1.0


def _cofactor(m: Matrix) -> Matrix:
    return [[(-1) ** (i + j) * _minor(m, i, j) for j in range(len(m))] for i in range(len(m))]


def _inv(m: Matrix) -> Matrix:
    d, c = _det(m), _cofactor(m)
    return [[c[j][i] / d for j in range(len(m))] for i in range(len(m))]


def _times(a: Matrix, b: Matrix) -> Matrix:
    return [
        [math.fsum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)]
        for row in a
    ]


def _solve(a: Matrix, b: Matrix) -> Matrix:
    return _times(_inv(a), b)


def _triangle(a: Matrix, below: float, on: float, above: float) -> Matrix:
    return [
        [x * (below if j < i else on if i == j else above) for j, x in enumerate(row)]
        for i, row in enumerate(a)
    ]


def _solve_triangular(a: Matrix, b: Matrix, upper: bool, unit: bool) -> Matrix:
    low, high = (0.0, 1.0) if upper else (1.0, 0.0)
    return _solve([[1.0 if unit and i == j else x for j, x in enumerate(row)]
                   for i, row in enumerate(_triangle(a, low, 1.0, high))], b)  # fmt: skip


def _cholesky_solve(a: Matrix, b: Matrix, upper: bool) -> Matrix:
    low = _triangle([list(row) for row in zip(*a, strict=True)] if upper else a, 1.0, 1.0, 0.0)
    return _solve(_times(low, [list(row) for row in zip(*low, strict=True)]), b)


def _cholesky(a: Matrix) -> Matrix:
    n = len(a)
    y = [[0.0] * n for _ in a]
    for i, j in itertools.product(range(n), range(n)):
        rest = math.fsum(y[i][k] * y[j][k] for k in range(j))
        if i >= j:
            y[i][j] = math.sqrt(a[i][i] - rest) if i == j else (a[i][j] - rest) / y[j][j]
    return y


def _lu(a: Matrix) -> list[float]:
    """Both triangles, and with which row each was exchanged."""
    a = [list(row) for row in a]
    n, m = len(a), len(a[0])
    pivots = []
    for k in range(min(n, m)):
        p = max(range(k, n), key=lambda i: abs(a[i][k]))
        pivots.append(p + 1.0)
        a[k], a[p] = a[p], a[k]
        for i in range(k + 1, n):
            a[i][k] /= a[k][k]
            for j in range(k + 1, m):
                a[i][j] -= a[i][k] * a[k][j]
    return [x for row in a for x in row] + pivots


def _matrix_exp(a: Matrix) -> Matrix:
    n = len(a)
    term: Matrix = [[float(i == j) for j in range(n)] for i in range(n)]
    total = term
    for k in range(1, 40):
        term = [[x / k for x in row] for row in _times(term, a)]
        total = [[x + y for x, y in zip(*rows, strict=True)] for rows in zip(total, term, strict=True)]
    return total


def _row_of(*parts: np.ndarray) -> np.ndarray:
    batch = parts[0].shape[:-2]
    return np.concatenate([p.reshape((*batch, math.prod(p.shape[len(batch) :]))) for p in parts], -1)


def _qr(x: np.ndarray, complete: bool) -> tuple[np.ndarray, np.ndarray]:
    return np.linalg.qr(x, "complete" if complete else "reduced")


def _svd(x: np.ndarray, full: bool) -> Any:
    return np.linalg.svd(x, full)


def rows() -> list[Any]:
    """The rows; a function, because op_samples.py imports this file."""
    from op_samples import Row, real, whole

    from minigrad.tape import TABLE

    def plus(x: Any, k: float = 2.5) -> Any:
        """More on the diagonal, so that the matrix is regular."""
        return x + TABLE["triangles"](TABLE["zero"](x) + k, below=0.0, on=1.0, above=0.0)

    def regular(op: Any, x: Any, *others: Any, **params: Any) -> Any:
        return op(plus(x), *others, **params)

    def by_triangle(op: Any, x: Any, b: Any, upper: bool) -> Any:
        """PyTorch's gradient is right for a triangle, and has values beside it."""
        sides = {"below": float(not upper), "on": 1.0, "above": float(upper)}
        return op(b, TABLE["triangles"](plus(x), **sides), upper=upper)

    def positive(x: Any) -> Any:
        return plus(x @ x.mT, 1.0)

    def symmetric(x: Any) -> Any:
        return x + x.mT

    def spread(x: np.ndarray) -> np.ndarray:
        return x + 2.5 * np.eye(*x.shape[-2:])

    def of_regular(f: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, *others, **params: f(spread(x), *others, **params)

    def of_positive(f: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, **params: f(x @ x.mT + np.eye(x.shape[-1]), **params)

    def of_symmetric(f: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, **params: f(x + x.mT, **params)

    def packed(factor: str, change: Any) -> Any:
        """The first input is a matrix, the second what ``factor`` has packed of it."""

        def run(op: Any, x: Any, **params: Any) -> Any:
            x = change(x)
            return op(x, TABLE[factor](x, **params), **params)

        return run

    def as_is(x: Any) -> Any:
        return x

    table = []
    for shape in ((2, 2, 3), (0, 3)):
        for weights in ((1.0, 0.5, 0.0),):
            params = dict(zip(("below", "on", "above"), weights, strict=True))
            table.append(Row("triangles", (real(*shape),), each(_triangle, 2) if 0 not in shape else
                             lambda x, **_: x, "0", params))  # fmt: skip
    for shape in ((3, 3), (0, 2, 2)):
        x, none = real(*shape), (lambda x, **_: x) if 0 in shape else None

        def row(name: str, value: Any, d: str = "0", result: str = "float", **more: Any) -> None:
            table.append(Row(name, (x,), value, d, {}, result, **more))  # noqa: B023

        row("inv", none or of_regular(each(_inv)), via=regular)
        row("inv_ex", none or of_regular(each(_inv)), via=regular)
        row("det", each(_det, 1))
        row("cofactor", none or each(_cofactor))
        row("zero_pivots", lambda x: np.zeros(x.shape[:-2], int), "", "int64",
            via=lambda op, x: op(plus(x), TABLE["inv_ex"](plus(x))).long())  # fmt: skip
        row("signed_logdet", lambda x: np.stack(np.linalg.slogdet(spread(x)), -1), "",
            via=lambda op, x: op(plus(x)))  # fmt: skip
        row("logabsdet", of_regular(each(lambda m: math.log(abs(_det(m))), 1)),
            via=packed("signed_logdet", plus))  # fmt: skip
        row("det_sign", each(lambda m: math.copysign(1, _det(m)), 1), via=packed("signed_logdet", as_is))
        row("cholesky", none or of_positive(each(_cholesky)), via=lambda op, x: op(positive(x)))
        row("cholesky_ex", none or of_positive(each(_cholesky)), via=lambda op, x: op(positive(x)))
        row("minors", lambda x: np.zeros(x.shape[:-2], int), "", "int64",
            via=lambda op, x: op(positive(x), TABLE["cholesky_ex"](positive(x))).long())  # fmt: skip
        row("matrix_exp", none or each(_matrix_exp))
        lower: dict[str, Any] = {"lower": True}
        for name, d, value in [
            ("eigh", "", lambda x, lower: _row_of(*np.linalg.eigh(x)[::-1])),
            ("eigenvectors", "0", lambda x, lower: np.linalg.eigh(x)[1]),
            ("eigenvalues", "0", lambda x, lower: np.linalg.eigh(x)[0]),
            ("eigvalsh", "0", lambda x, lower: np.linalg.eigvalsh(x)),
        ]:
            via = packed("eigh", symmetric) if name.startswith("eigen") else (
                lambda op, x, lower: op(symmetric(x), lower=lower)
            )  # fmt: skip
            table.append(Row(name, (x,), of_symmetric(value), d, lower, via=via))
        columns = real(*shape[:-1], 2)
        table.append(Row("solve", (x, columns), of_regular(each(_solve)) if none is None else lambda a, b: b, "01",
                         via=regular))  # fmt: skip
        table.append(Row("solve_ex", (x, columns), of_regular(each(_solve)) if none is None else lambda a, b: b, "01",
                         via=regular))  # fmt: skip
        for upper, unit in ((True, False), (False, False), (False, True)):
            params = {"upper": upper, "unit": unit}
            table.append(Row("solve_triangular", (x, columns), of_regular(each(_solve_triangular)) if none is None
                             else lambda a, b, **_: b, "01", params, via=regular))  # fmt: skip
            if not unit:
                table.append(Row("cholesky_solve", (x, columns), of_regular(each(_cholesky_solve)) if none is None else
                                 lambda a, b, **_: b, "01", {"upper": upper}, via=by_triangle))  # fmt: skip
    for shape in ((3, 2), (2, 2, 3), (0, 2, 2)):
        x = real(*shape)
        for complete in (False, True):
            params = {"complete": complete}
            d = "" if complete and shape == (3, 2) else "0"  # it has no gradient
            for name, value, gradient in [
                ("qr", lambda x, complete: _row_of(*_qr(x, complete)), ""),
                ("qr_q", lambda x, complete: _qr(x, complete)[0], d),
                ("qr_triangle", lambda x, complete: _qr(x, complete)[1], d),
            ]:
                via = None if name == "qr" else packed("qr", as_is)
                table.append(Row(name, (x,), value, gradient, params, via=via))
        table.append(Row("qr_r", (x,), lambda x: np.linalg.qr(x, "r"), ""))
        for full in (False, True):
            params = {"full": full}
            # of full vectors those beyond the values have no gradient
            d = "0" if not full or shape[-1] == shape[-2] else ""
            for name, value, gradient in [
                ("svd", lambda x, full: _row_of(*_svd(x, full)), ""),
                ("left_vectors", lambda x, full: _svd(x, full)[0], d),
                ("singular_values", lambda x, full: _svd(x, full)[1], "0"),
                ("right_vectors", lambda x, full: _svd(x, full)[2], d),
            ]:
                via = None if name == "svd" else packed("svd", as_is)
                table.append(Row(name, (x,), value, gradient, params, via=via))
        table.append(Row("svdvals", (x,), lambda x: np.linalg.svd(x, compute_uv=False), "0"))
        table.append(Row("pinv", (x,), lambda x, **_: np.linalg.pinv(x), "0", {"atol": 0.0, "rtol": 1e-7}))
        n, m = shape[-2:]
        if 0 not in shape:
            sizes = {"rows": n, "columns": m}
            table += [
                Row("lu", (x,), each(_lu), ""),
                Row("lu_regular", (x,), each(_lu), ""),
                Row("lu_compact", (x,), lambda x: each(_lu)(x)[..., : x.shape[-2] * x.shape[-1]].reshape(x.shape), "0",
                    via=packed("lu", as_is)),
                Row("lu_pivots", (x,), lambda x, rows, columns: each(_lu)(x)[..., rows * columns :].astype(int), "",
                    sizes, "int64", via=lambda op, x, **p: op(TABLE["lu"](x), **p).long()),
                Row("lu_permutation", (x,), lambda x, rows, columns: _order(x), "", sizes,
                    via=lambda op, x, **p: op(TABLE["lu"](x), **p)),
                Row("lu_info", (x,), lambda x: np.zeros(x.shape[:-2], int), "", {}, "int64",
                    via=lambda op, x: op(x).long()),
            ]  # fmt: skip
    empty: dict[str, Any] = {"rows": 2, "columns": 2}
    table += [
        Row("lu", (real(0, 2, 2),), lambda x: np.zeros((0, 6)), ""),
        Row("lu_regular", (real(0, 2, 2),), lambda x: np.zeros((0, 6)), ""),
        Row("lu_compact", (real(0, 2, 2),), lambda x: x, "0", via=packed("lu", as_is)),
        Row("lu_pivots", (real(0, 6),), lambda x, **_: np.zeros((0, 2), int), "", empty, "int64",
            via=lambda op, x, **p: op(x, **p).long()),
        Row("lu_permutation", (real(0, 6),), lambda x, **_: np.zeros((0, 2, 2)), "", empty),
        Row("lu_info", (real(0, 2, 2),), lambda x: np.zeros(0, int), "", {}, "int64", via=lambda op, x: op(x).long()),
        Row("unpivot", (whole(3, 4, 3),), lambda p, **_: np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]]), "",
            {"rows": 3, "dtype": np.dtype(np.float64)}, "int64", via=lambda op, p, **q: op(p, **q).long()),
        Row("unpivot", (whole(1, 2, 0, 2),), lambda p, **_: np.zeros((0, 2, 2), int), "",
            {"rows": 2, "dtype": np.dtype(np.float64)}, "int64", via=lambda op, p, **q: op(p, **q).long()),
    ]  # fmt: skip
    return table


def _order(x: np.ndarray) -> np.ndarray:
    """The permutation: ``x`` is it times both triangles."""
    n, m = x.shape[-2:]
    out = np.zeros((*x.shape[:-2], n, n))
    for at in np.ndindex(x.shape[:-2]):
        order = list(range(n))
        for k, p in enumerate(_lu(x[at].tolist())[n * m :]):
            order[k], order[int(p) - 1] = order[int(p) - 1], order[k]
        for place, row in enumerate(order):
            out[(*at, row, place)] = 1
    return out

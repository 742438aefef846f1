"""Systems of linear equations, inverses and products of many matrices, as ``torch.linalg`` has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from minigrad.core.apply import apply, cast, needs_value
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Number
from minigrad.errors import LinAlgError, runtime_error, type_error
from minigrad.functions.dims import tensor_list
from minigrad.functions.elementwise import own
from minigrad.functions.factorizations import LOWER, STRICTLY_LOWER, svdvals
from minigrad.functions.linalg import matmul
from minigrad.functions.matrix_checks import floats, matrix, no_info, one_dtype, same_batch, square
from minigrad.functions.parts import cat, stack
from minigrad.functions.products import multiplied
from minigrad.functions.results import InverseAndInfo, LeastSquares, ResultAndInfo
from minigrad.gate import public
from minigrad.ops import matrices as ops

_PIVOT = "The diagonal element {} is zero, the inversion could not be completed because the input matrix is singular."


# ---------------------------------------------------------------- inverses


def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices (..., n, n). LinAlgError where one is singular."""
    square("linalg.inv", A, low=RuntimeError)
    return apply(ops.inv, (A,))


def inv_ex(A: Tensor, *, check_errors: bool = False) -> InverseAndInfo:
    """`inv` without an error: inf for singular matrices; ``info`` has the number of their first pivot that is 0."""
    square("linalg.inv_ex", A, low=RuntimeError)
    y = apply(ops.inv_ex, (A,))
    info = apply(ops.zero_pivots, (A, y))
    if check_errors:
        needs_value("inv_ex(check_errors=True)")
        no_info("linalg.inv_ex", info, _PIVOT)
    return InverseAndInfo(y, info)


def pinv(
    A: Tensor, rcond: float | None = None, hermitian: bool = False, *, atol: Tensor | float | None = None,
    rtol: Tensor | float | None = None,
) -> Tensor:  # fmt: skip
    """The pseudo-inverse (..., n, m) of A (..., m, n), from the singular values above ``max(atol, rtol * largest)``.

    By default ``rtol`` is ``max(m, n) * eps``, or 0 where ``atol`` is given. The gradient takes the rank as fixed.
    """
    if A._array.ndim < 2 or A._array.dtype.kind not in "fc" or A._array.dtype == np.float16:
        raise runtime_error(
            f"linalg.pinv({A.dtype}{list(A._array.shape)}): expected a tensor with 2 or more dimensions of float, "
            "double, cfloat or cdouble types"
        )
    if hermitian:
        square("linalg.pinv", A)
        # One triangle decides, and the gradient is that of the whole matrix, as PyTorch's.
        A = A + (mirrored(A) - A).detach()
    least, ratio = tolerances(A, atol, rcond if rtol is None else rtol)
    if not isinstance(least, Tensor) and not isinstance(ratio, Tensor):
        return apply(ops.pinv, (A,), {"atol": float(least), "rtol": float(ratio)})
    needs_value("linalg.pinv() with tolerances in a Tensor")
    batch = A._array.shape[:-2]
    if 0 in batch:
        return apply(ops.pinv, (A,), {"atol": 0.0, "rtol": 0.0})
    leasts, ratios = (
        np.broadcast_to(np.asarray(getattr(t, "_array", t), float), batch) for t in (least, ratio)
    )
    parts = [
        apply(ops.pinv, (A[at],), {"atol": float(leasts[at]), "rtol": float(ratios[at])})
        for at in np.ndindex(batch)
    ]
    return stack(parts).reshape((*batch, *A._array.shape[:-3:-1])) if batch else parts[0]


def mirrored(A: Tensor) -> Tensor:
    """The symmetric or Hermitian matrix with the lower triangle of A."""
    low = apply(ops.triangles, (A,), LOWER)
    return low + apply(ops.triangles, (A,), STRICTLY_LOWER).mH


def tolerances(
    A: Tensor, atol: Tensor | Number | None, rtol: Tensor | Number | None
) -> tuple[Tensor | Number, Tensor | Number]:
    """Both tolerances, with the defaults for those that are not given."""
    least: Tensor | Number = 0.0 if atol is None else atol
    usual = float(np.finfo(A._array.dtype).eps) * max(A._array.shape[-2:])
    if rtol is not None:
        return least, rtol
    if isinstance(atol, Tensor):
        return least, wrap(np.where(atol._array > 0, 0.0, usual))
    return least, 0.0 if least > 0 else usual


# ---------------------------------------------------------------- systems


def _columns(name: str, A: Tensor, B: Tensor, left: bool) -> tuple[Tensor, bool]:
    """B as a matrix, and whether it was a vector, or a batch of them."""
    one_dtype(name, A, B)
    a, b = A._array.shape, B._array.shape
    vector = len(b) == 1 or (len(a) - 1 == len(b) and b == a[:-1])
    if vector and left:
        B = B.unsqueeze(-1)
    elif vector:
        raise runtime_error(
            f"{name}: Vector broadcasting of the left hand side is not supported for left=False. In this case "
            f"{name} is equivalent to B / A.squeeze(-1)"
        )
    _fits(name, A, B, left)
    same_batch(name, A, B)
    return B, vector


def _fits(name: str, A: Tensor, B: Tensor, left: bool) -> None:
    a, b = A._array.shape, B._array.shape
    if (b[-2] if left else b[-1]) != a[-1]:
        equation = "AX = B" if left else "XA = B"
        raise runtime_error(
            f"{name}: Incompatible shapes of A and B for the equation {equation} ({a[-2]}x{a[-1]} and {b[-2]}x{b[-1]})"
        )


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """``X`` with ``A @ X = B``, for square A (..., n, n) and B (..., n, k), (n) or a batch of (n); batches broadcast.

    With ``left=False`` it is ``X @ A = B``. LinAlgError where A is singular.
    """
    square("linalg.solve", A, low=RuntimeError)
    return _solved(ops.solve, "linalg.solve", A, B, left)


def _solved(op: Op, name: str, A: Tensor, B: Tensor, left: bool) -> Tensor:
    B, vector = _columns(name, A, B, left)
    if left:
        y = apply(op, (A, B))
        return own(y.squeeze(-1)) if vector else y
    return own(apply(op, (A.mT, B.mT)).mT)


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> ResultAndInfo:
    """`solve` without an error: inf where A is singular; ``info`` has the number of its first pivot that is 0."""
    square("linalg.solve_ex", A, low=RuntimeError)
    info = apply(ops.zero_pivots, (A, apply(ops.inv_ex, (A.detach(),))))
    if check_errors:
        needs_value("solve_ex(check_errors=True)")
        if info._array.any():
            raise LinAlgError("linalg.solve_ex: The solver failed because the input matrix is singular.")
    return ResultAndInfo(_solved(ops.solve_ex, "linalg.solve_ex", A, B, left), info)


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """``X`` with ``A @ X = B`` for the upper, or lower, triangle of A (..., n, n), and B (..., n, k).

    With ``left=False`` it is ``X @ A = B``, with ``unitriangular`` the diagonal of A counts as ones.  X has the
    element type of A.
    """
    square("linalg.solve_triangular", A)
    B = cast(B, A._array.dtype)
    matrix("linalg.solve_triangular", B, letter="B")
    _fits("linalg.solve_triangular", A, B, left)
    same_batch("linalg.solve_triangular", A, B)
    if left:
        return apply(ops.solve_triangular, (A, B), {"upper": upper, "unit": unitriangular})
    params = {"upper": not upper, "unit": unitriangular}
    return own(apply(ops.solve_triangular, (A.mT, B.mT), params).mT)


def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """``X`` with ``A @ X = B`` from what `lu_factor` gave of A; with ``left=False`` ``X @ A = B``.

    With ``adjoint`` A is transposed.
    """
    square("linalg.lu_solve", LU)
    matrix("linalg.lu_solve", B, letter="B")
    one_dtype("linalg.lu_solve", LU, B)
    if pivots._array.dtype != np.int32:
        raise runtime_error("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    if pivots._array.shape[-1:] != LU._array.shape[-1:]:
        raise runtime_error(
            "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix: "
            f"{list(pivots._array.shape)} for {list(LU._array.shape)}"
        )
    if not left:
        return own(lu_solve(LU, pivots, B.mH, left=True, adjoint=not adjoint).mH)
    _fits("linalg.lu_solve", LU, B, True)
    order = apply(ops.unpivot, (pivots,), {"rows": LU._array.shape[-1], "dtype": LU._array.dtype})
    if not adjoint:
        y = apply(ops.solve_triangular, (LU, matmul(order.mT, B)), {"upper": False, "unit": True})
        return apply(ops.solve_triangular, (LU, y), {"upper": True, "unit": False})
    y = apply(ops.solve_triangular, (LU.mH, B), {"upper": False, "unit": False})
    return matmul(order, apply(ops.solve_triangular, (LU.mH, y), {"upper": True, "unit": True}))


_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> LeastSquares:
    """The ``X`` for which the sum of squares of ``A @ X - B`` is least; where several are, the shortest of them.

    A is (..., m, n), B is (..., m, k), (m) or a batch of (m).

    ``residuals`` are these sums where m > n, all A have full rank and the driver is not ``"gelsy"``, the default;
    ``rank`` is not there with ``"gels"``, ``singular_values`` only with ``"gelsd"`` and ``"gelss"``.
    """
    matrix("linalg.lstsq", A)
    floats("linalg.lstsq", B)
    if A._array.dtype != B._array.dtype:
        raise runtime_error("torch.linalg.lstsq: Expected input and other to have the same dtype")
    name = "gelsy" if driver is None else driver
    if name not in _DRIVERS:
        raise runtime_error(
            "minigrad.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)"
        )
    a, b = A._array.shape, B._array.shape
    vector = (len(a) - 1 == len(b) and a[:-1] == b) or len(b) == 1
    columns = B.unsqueeze(-1) if vector else B
    if columns._array.shape[-2] != a[-2]:
        raise runtime_error("minigrad.linalg.lstsq: input.size(-2) should match other.size(-2)")
    same_batch("linalg.lstsq", A, columns)
    usual = float(np.finfo(A._array.dtype).eps) * max(a[-2:])
    ratio = 0.0 if name == "gels" else usual if rcond is None or rcond < 0 else float(rcond)
    solution = matmul(apply(ops.pinv, (A,), {"atol": 0.0, "rtol": ratio}), columns)
    values = svdvals(A.detach())
    ranks = (values > values.amax(-1, keepdim=True) * ratio).sum(-1) if min(a[-2:]) else values.sum(-1).long()
    nothing = A.new_empty(0).real
    residuals = A.reshape(-1)[:0].real  # recorded, as PyTorch's are
    if a[-2] > a[-1] and name != "gelsy" and _full(name, ranks, a[-1]):
        rest = matmul(A, solution) - columns
        residuals = (rest * rest.conj()).real.sum(-2)
    return LeastSquares(
        own(solution.squeeze(-1)) if vector else solution,
        residuals,
        ranks if name != "gels" else cast(nothing, np.dtype(np.int64)),
        values if name in ("gelsd", "gelss") else nothing,
    )


def _full(driver: str, ranks: Tensor, n: int) -> bool:
    if driver == "gels":
        return True  # which takes it for granted
    needs_value("lstsq(), whose residuals depend on the rank,")
    return bool((ranks._array == n).all())


# ---------------------------------------------------------------- tensors as matrices


def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse of A as a matrix from its last dimensions, from ``ind`` on, to the first ones."""
    if ind <= 0:
        raise runtime_error(f"Expected a strictly positive integer for 'ind', but got {ind}")
    shape = A._array.shape
    rows, columns = math.prod(shape[:ind]), math.prod(shape[ind:])
    if rows != columns:
        raise runtime_error(
            f"Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{columns} != {rows}"
        )
    return inv(A.reshape([rows, columns])).reshape([*shape[ind:], *shape[:ind]])


def tensorsolve(A: Tensor, B: Tensor, dims: Sequence[int] | None = None) -> Tensor:
    """``X`` with ``tensordot(A, X, X.ndim) = B``; before that the dimensions ``dims`` of A become the last ones."""
    if dims is not None:
        ndim = A._array.ndim
        last = [d % ndim for d in dims]
        A = A.permute([d for d in range(ndim) if d not in last] + last)
    shape = A._array.shape[B._array.ndim :]
    rows, columns = B._array.size, math.prod(shape)
    if rows != columns or A._array.size != rows * columns:
        raise runtime_error(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {columns} != {math.prod(A._array.shape[: B._array.ndim])}"
        )
    return solve(A.reshape([rows, columns]), B.reshape(-1)).reshape([*shape])


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of matrices in the order that takes the fewest multiplications; both ends may be vectors."""
    if not isinstance(tensors, (tuple, list)):
        raise type_error(
            f"multi_dot(): argument 'tensors' must be tuple of Tensors, not {type(tensors).__name__}"
        )
    if len(tensors) < 2:
        raise runtime_error(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    xs = tensor_list("multi_dot", tensors)
    for k, x in enumerate(xs):
        ends = {0: "first", len(xs) - 1: "last"}
        if k in ends and x._array.ndim not in (1, 2):
            raise runtime_error(
                f"multi_dot(): the {ends[k]} tensor must be 1D or 2D but got {x._array.ndim}D"
            )
        if k not in ends and x._array.ndim != 2:
            raise runtime_error(f"multi_dot(): tensor {k} must be 2D but got {x._array.ndim}D")
        if x._array.dtype != xs[0]._array.dtype:
            raise runtime_error(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is {xs[0].dtype} and tensor {k} "
                f"{x.dtype}"
            )
    shapes = [x._array.shape for x in xs]
    row, column = xs[0]._array.ndim == 1, xs[-1]._array.ndim == 1
    if row:
        xs[0] = xs[0].unsqueeze(0)
    if column:
        xs[-1] = xs[-1].unsqueeze(1)
    for k, (a, b) in enumerate(pairwise(xs)):
        if a._array.shape[1] != b._array.shape[0]:
            raise runtime_error(
                f"multi_dot(): tensors {k} and {k + 1} with shapes {list(shapes[k])} and {list(shapes[k + 1])} cannot "
                "be multiplied"
            )
    y = multiplied(xs)
    if row:
        y = y.squeeze(0)
    return own(y.squeeze(-1)) if column else own(y) if row else y


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """The powers 0 to ``N - 1`` of the elements of x (..., n), in rows (..., n, N); N is n unless it is given."""
    x = x if x._array.ndim else x.reshape(1)
    n = x._array.shape[-1] if N is None else N
    if n <= 1:
        raise runtime_error("N must be greater than 1.")
    if x._array.dtype.kind in "biu":
        x = cast(x, np.dtype(np.int64))
    powers = x.unsqueeze(-1).expand((*x._array.shape, n - 1)).cumprod(-1)
    ones = x.new_ones((*x._array.shape, 1))
    return cat([ones, powers], -1)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The inner products of vectors that stand along ``dim``, with the conjugates of x; x and y broadcast."""
    if x._array.dtype != y._array.dtype:
        raise runtime_error(
            f"linalg.vecdot: Expected x and y to have the same dtype, got {x.dtype} and {y.dtype}"
        )
    return (x.conj() * y).sum(dim)


LINALG = (
    "inv", "inv_ex", "lstsq", "lu_solve", "multi_dot", "pinv", "solve", "solve_ex", "solve_triangular", "tensorinv",
    "tensorsolve", "vander", "vecdot",
)  # fmt: skip
public(globals(), LINALG, home="minigrad.linalg")

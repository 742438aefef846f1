"""NumPy's products, and its linear algebra."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import Any, NamedTuple

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import needs_value
from minigrad.core.tensor import Tensor
from minigrad.dtypes import DTypeLike
from minigrad.errors import type_error, value_error
from minigrad.functions import algebra, creation, factorizations, linalg, matrix_norms, systems
from minigrad.tensor.as_numpy.common import Axis, Unused, alike, floating, numbers, own, tensor

# ---------------------------------------------------------------- products and matrices


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    return systems.vecdot(*alike(x1, x2), dim=axis)


def dot(a: Tensor, b: Tensor, out: Unused = None) -> Tensor:
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim <= 2:
        return linalg.matmul(*alike(a, b))
    return tensordot(a, b, ([-1], [-2]))


def vdot(a: Tensor, b: Tensor) -> Tensor:
    a, b = alike(a, b)
    return linalg.matmul(a.reshape(-1).conj(), b.reshape(-1))


def inner(a: Tensor, b: Tensor) -> Tensor:
    return a * b if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, ([-1], [-1]))


def outer(a: Tensor, b: Tensor, out: Unused = None) -> Tensor:
    return a.reshape(-1, 1) * b.reshape(1, -1)


def tensordot(a: Tensor, b: Tensor, axes: Any = 2) -> Tensor:
    axes = [numbers(x) for x in axes] if np.ndim(axes) or isinstance(axes, (list, tuple)) else int(axes)
    return own("tensordot")(*alike(a, b), axes)


def einsum(*operands: Any, optimize: Any = False, out: Unused = None, dtype: Unused = None) -> Tensor:
    """The subscripts are a text before the operands, or a list behind each of them, and one of the result."""
    if isinstance(operands[0], str):
        subscripts, parts = operands[0], operands[1:]
    else:
        parts, lists = operands[: len(operands) // 2 * 2 : 2], operands[1::2]
        texts = ["".join("..." if i is ... else ascii_letters[i] for i in places) for places in lists]
        subscripts = ",".join(texts)
        if len(operands) % 2:
            subscripts += "->" + "".join("..." if i is ... else ascii_letters[i] for i in operands[-1])
    taken = [tensor(a) for a in parts]
    if all(a.dtype == dtypes.bool for a in taken):
        raise type_error(
            "np.einsum of bools is not recorded by minigrad; convert them with .int() or .float()"
        )
    return own("einsum")(subscripts, *alike(*taken))


def kron(a: Tensor, b: Tensor) -> Tensor:
    return a.kron(b)


def cross(
    a: Tensor, b: Tensor, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = own("broadcast_tensors")(*alike(a.movedim(axisa, -1), b.movedim(axisb, -1)))
    return a.cross(b, -1).movedim(-1, axisc)


def trace(
    a: Tensor,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
    dtype: DTypeLike | None = None,
    out: Unused = None,
) -> Tensor:
    return a.diagonal(offset, axis1, axis2).sum(-1, dtype=dtype)


def diag(v: Tensor, k: int = 0) -> Tensor:
    return v.diag(k)


def diagflat(v: Tensor, k: int = 0) -> Tensor:
    return v.reshape(-1).diag(k)


def diagonal(a: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    return a.diagonal(offset, axis1, axis2)


def tril(m: Tensor, k: int = 0) -> Tensor:
    return _square(m).tril(k)


def triu(m: Tensor, k: int = 0) -> Tensor:
    return _square(m).triu(k)


def tril_indices_from(arr: Tensor, k: int = 0) -> tuple[Tensor, ...]:
    return tuple(own("tril_indices")(*_sizes("tril", arr), k))


def triu_indices_from(arr: Tensor, k: int = 0) -> tuple[Tensor, ...]:
    return tuple(own("triu_indices")(*_sizes("triu", arr), k))


def diag_indices_from(arr: Tensor) -> tuple[Tensor, ...]:
    if arr.ndim < 2 or len(set(arr.shape)) > 1:
        raise value_error(
            f"np.diag_indices_from takes an array of equal sizes, two or more, not of shape {list(arr.shape)}"
        )
    return (creation.arange(arr.shape[0]),) * arr.ndim


def _sizes(name: str, arr: Tensor) -> tuple[int, ...]:
    """Those of a matrix."""
    if arr.ndim != 2:
        raise value_error(f"np.{name}_indices_from takes a matrix, not an array of shape {list(arr.shape)}")
    return arr.shape


def _square(m: Tensor) -> Tensor:
    """A vector as the rows of a matrix."""
    return m.expand(len(m), len(m)) if m.ndim == 1 else m


def linalg_norm(x: Tensor, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return matrix_norms.norm(floating(x), ord, axis, keepdims)


def linalg_vector_norm(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    return matrix_norms.vector_norm(floating(x), ord, axis, keepdims)


def linalg_matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    return matrix_norms.matrix_norm(floating(x), ord, (-2, -1), keepdims)


def linalg_det(a: Tensor) -> Tensor:
    return algebra.det(floating(a))


def linalg_slogdet(a: Tensor) -> Any:
    return algebra.slogdet(floating(a))


def linalg_matrix_power(a: Tensor, n: int) -> Tensor:
    return algebra.matrix_power(floating(a) if n < 0 else a, n)


def linalg_inv(a: Tensor) -> Tensor:
    return systems.inv(floating(a))


def linalg_pinv(a: Tensor, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    return systems.pinv(floating(a), rtol=rtol if rcond is None else rcond, hermitian=hermitian)


def linalg_solve(a: Tensor, b: Tensor) -> Tensor:
    """``b`` is a vector if it has one dimension, and else matrices, as in NumPy 2."""
    return systems.solve(*alike(floating(a), floating(b)))


def linalg_cholesky(a: Tensor, /, *, upper: bool = False) -> Tensor:
    return factorizations.cholesky(floating(a), upper=upper)


def linalg_eigh(a: Tensor, UPLO: str = "L") -> Any:
    return factorizations.eigh(floating(a), UPLO)


def linalg_multi_dot(arrays: Sequence[Tensor], *, out: Unused = None) -> Tensor:
    return systems.multi_dot(alike(*arrays))


def linalg_eigvalsh(a: Tensor, UPLO: str = "L") -> Tensor:
    return factorizations.eigvalsh(floating(a), UPLO)


def linalg_svd(
    a: Tensor, full_matrices: bool = True, compute_uv: bool = True, hermitian: Unused = None
) -> Any:
    return (
        factorizations.svd(floating(a), full_matrices) if compute_uv else factorizations.svdvals(floating(a))
    )


def linalg_svdvals(x: Tensor, /) -> Tensor:
    return factorizations.svdvals(floating(x))


def linalg_qr(a: Tensor, mode: str = "reduced") -> Any:
    # mode "r" of PyTorch's has no gradient
    return factorizations.qr(floating(a))[1] if mode == "r" else factorizations.qr(floating(a), mode)


class EigResult(NamedTuple):
    """Eigenvalues, and the eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


def linalg_eig(a: Tensor) -> Any:
    values, vectors = factorizations.eig(floating(a))
    return EigResult(*_real(values, vectors))


def linalg_eigvals(a: Tensor) -> Tensor:
    return _real(factorizations.eigvals(floating(a)))[0]


def _real(values: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """NumPy gives real numbers where all eigenvalues are real."""
    needs_value("np.linalg.eig()")
    all_real = not values.imag.numpy(force=True).any()
    return tuple(x.real if all_real else x for x in (values, *others))


def linalg_lstsq(a: Tensor, b: Tensor, rcond: float | None = None) -> Any:
    needs_value("np.linalg.lstsq()")
    a, b = alike(floating(a), floating(b))
    _, _, rank, _ = np.linalg.lstsq(a.numpy(force=True), b.numpy(force=True), rcond)
    x = systems.lstsq(a, b if b.ndim > 1 else b[:, None], rcond=rcond, driver="gelsd").solution
    x = x if b.ndim > 1 else x[:, 0]
    full = rank == a.shape[1] < a.shape[0]
    left = ((b - a @ x).abs() ** 2).sum(0).reshape(-1) if full else creation.empty(0, dtype=x.dtype)
    return x, left, int(rank), factorizations.svdvals(floating(a))


def linalg_cond(x: Tensor, p: Any = None) -> Tensor:
    return matrix_norms.cond(floating(x), p)


def linalg_tensorsolve(a: Tensor, b: Tensor, axes: Any = None) -> Tensor:
    a, b = alike(floating(a), floating(b))
    return systems.tensorsolve(a, b, axes)


def linalg_tensorinv(a: Tensor, ind: int = 2) -> Tensor:
    return systems.tensorinv(floating(a), ind)


# ---------------------------------------------------------------- of the last dimensions, by the names of the array API


def linalg_matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    return linalg.matmul(*alike(x1, x2))


def linalg_outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    return outer(x1, x2)


def linalg_tensordot(x1: Tensor, x2: Tensor, /, *, axes: Any = 2) -> Tensor:
    return tensordot(x1, x2, axes)


def linalg_vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    return vecdot(x1, x2, axis=axis)


def linalg_cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    return cross(x1, x2, axis=axis)


def linalg_trace(x: Tensor, /, *, offset: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    return trace(x, offset, -2, -1, dtype)


def linalg_diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    return diagonal(x, offset, -2, -1)


def linalg_matrix_transpose(x: Tensor, /) -> Tensor:
    return x.mT

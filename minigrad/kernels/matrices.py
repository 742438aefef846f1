"""Linear algebra of matrices and batches of them, by NumPy. Only float32 and float64; float16 goes through float32.

Where a factorization has several results they stand in one array, flat for each matrix; `parts` takes them out again.
What a function refuses it says by ``np.linalg.LinAlgError``, which users see as `minigrad.linalg.LinAlgError`.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype.char == "e" else x


def _flat(x: Array, *parts: Array, dtype: Any = None) -> Any:
    """The results for each matrix of ``x`` in a row, in its element type or another."""
    batch = x.shape[:-2]
    rows = [p.reshape((*batch, int(np.prod(p.shape[len(batch) :])))) for p in parts]
    return np.concatenate(rows, -1).astype(x.dtype if dtype is None else dtype)


def part(packed: Array, start: int, shape: tuple[int, ...]) -> Any:
    """The result of that shape which begins at a place of each row."""
    size = int(np.prod(shape))
    return np.array(packed[..., start : start + size].reshape((*packed.shape[:-1], *shape)), order="C")


# ---------------------------------------------------------------- triangles


def triangles(x: Array, below: float, on: float, above: float) -> Any:
    """Elements below, on and above the diagonal, multiplied by three numbers; by 0 also inf and nan become 0."""
    n, m = x.shape[-2:]
    k = np.arange(m) - np.arange(n)[:, None]
    weights = np.where(k < 0, below, np.where(k == 0, on, above)).astype(x.dtype)
    return np.where(weights == 0, weights, x * weights)


# ---------------------------------------------------------------- inverse, determinant, systems


@functools.cache
def _mute() -> bool:
    """Whether this NumPy gives nan where it should raise: in WebAssembly LAPACK's word does not reach it."""
    try:
        np.linalg.inv(np.zeros((1, 1)))
    except np.linalg.LinAlgError:
        return False
    return True


def _lapack(function: Any, a: Array, *more: Array) -> Any:
    """What NumPy gives; np.linalg.LinAlgError on each NumPy where it can do nothing with a matrix of ``a``."""
    y = function(_wide(a), *map(_wide, more))
    if _mute():
        told = np.linalg.inv(_wide(a)) if more else y  # a right side may have nan of its own
        if _place_of(np.isnan(told), told, a) is not None:
            raise np.linalg.LinAlgError
    return y.astype((more or (a,))[-1].dtype)


def _one_by_one(function: Any, instead: Any, *operands: Array) -> Any:
    """As `_lapack`, and for each matrix that it refuses what ``instead`` gives."""
    try:
        return _lapack(function, *operands)
    except np.linalg.LinAlgError:
        if max(x.ndim for x in operands) == 2:
            return instead(*map(_wide, operands)).astype(operands[-1].dtype)
    batch = np.broadcast_shapes(*(x.shape[:-2] for x in operands))
    whole = [np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in operands]
    return np.stack([_one_by_one(function, instead, *each) for each in zip(*whole, strict=True)])


def _no_number(a: Array, *more: Array) -> Array:
    """Inf for a singular matrix; nan for one that has nan, which LAPACK does not tell apart."""
    return np.full_like(more[-1] if more else a, np.nan if np.isnan(a).any() else np.inf)


def inv(x: Array) -> Any:
    try:
        return _lapack(np.linalg.inv, x)
    except np.linalg.LinAlgError:
        y = inv_ex(x)
    at = _place_of(np.isinf(y), y, x)
    if at is not None:
        raise np.linalg.LinAlgError(
            f"linalg.inv: {_which(at, x)}The diagonal element {first_zero(_wide(x[at]))} is zero, the inversion could "
            "not be completed because the input matrix is singular."
        )
    return y


def _place_of(wrong: Array, y: Array, x: Array) -> Any:
    """The place in the batch of the first result that is wrong everywhere, None if there is none."""
    places = np.argwhere(wrong.all((-2, -1)) & np.isfinite(x).all((-2, -1)))
    return tuple(places[0]) if len(places) and y.size else None


def _which(at: tuple[int, ...], x: Array) -> str:
    return f"(Batch element {np.ravel_multi_index(at, x.shape[:-2])}): " if at else ""


def first_zero(x: Array) -> int:
    """The number of the first pivot of a singular matrix that is 0, counted from 1; the last, if rounding hides it."""
    a = np.array(x)
    n = len(a)
    for k in range(n):
        p = k + int(np.argmax(np.abs(a[k:, k])))
        a[[k, p]] = a[[p, k]]
        if a[k, k] == 0:
            return k + 1
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k] / a[k, k], a[k, k + 1 :])
    return n


def inv_ex(x: Array) -> Any:
    """The inverse, inf where there is none."""
    return _one_by_one(np.linalg.inv, _no_number, x)


def zero_pivots(x: Array, inverse: Array) -> Any:
    """By matrix the number of the first pivot that is 0, where there is no inverse."""
    out = np.zeros(x.shape[:-2], np.int32)
    suspects = np.isinf(inverse).all((-2, -1)) & np.isfinite(x).all((-2, -1)) & (x.shape[-1] > 0)
    for at in np.argwhere(suspects):
        out[tuple(at)] = first_zero(_wide(x[tuple(at)]))
    return out


def solve(a: Array, b: Array) -> Any:
    """The solutions of ``a @ y = b`` for the columns of ``b``."""
    try:
        return _lapack(np.linalg.solve, a, b)
    except np.linalg.LinAlgError:
        y = inv_ex(a)
    at = _place_of(np.isinf(y), y, a)
    if at is not None:
        which = _which(at, a)
        raise np.linalg.LinAlgError(
            f"linalg.solve: {which}The solver failed because the input matrix is singular."
        )
    return solve_ex(a, b)


def solve_ex(a: Array, b: Array) -> Any:
    """The solutions of ``a @ y = b``, inf where ``a`` is singular."""
    return _one_by_one(np.linalg.solve, _no_number, a, b)


def solve_triangular(a: Array, b: Array, upper: bool, unit: bool) -> Any:
    """The solutions of ``a @ y = b`` for one triangle of ``a``, with ones on its diagonal if ``unit``.

    Of an upper triangle nothing is left for LAPACK's elimination to do, so a lower one is turned upside down.
    """
    a, y = _wide(a), _wide(b)
    if not upper:
        a, y = a[..., ::-1, ::-1], y[..., ::-1, :]
    a = np.triu(a)
    if unit:
        a = np.where(np.eye(a.shape[-1], dtype=bool), a.dtype.type(1), a)
    y = solve_ex(a, y)
    return np.array(y if upper else y[..., ::-1, :], b.dtype, order="C")


def cholesky_solve(b: Array, a: Array, upper: bool) -> Any:
    """The solutions of ``l @ l* @ y = b`` for the lower triangle ``l`` of ``a``, or that of its transpose."""
    low = np.conj(np.swapaxes(a, -1, -2)) if upper else a
    y = solve_triangular(low, b, False, False)
    return solve_triangular(np.conj(np.swapaxes(low, -1, -2)), y, True, False)


def _unless_nan(y: Any, sign: Any, x: Array) -> Any:
    """``y``, and nan for a matrix that has nan, where LAPACK gives the sign 0."""
    regular = sign.all() if sign.ndim else sign
    return y if regular else np.where(np.isnan(x).any((-2, -1)), y.dtype.type(np.nan), y)


def det(x: Array) -> Any:
    y = np.linalg.det(_wide(x))
    return np.asarray(_unless_nan(y, y, x), x.dtype)


def signed_logdet(x: Array) -> Any:
    """The sign of the determinant and the logarithm of its size."""
    sign, size = np.linalg.slogdet(_wide(x))
    return np.stack((sign, _unless_nan(size, sign, x)), -1).astype(x.dtype)


def cofactor(x: Array) -> Any:
    """The derivative of the determinant: ``det(x) * inv(x).mT``, and what that tends to where ``x`` is singular.

    In float64.  Where the inverse loses more than half of the digits it comes from singular values: of
    ``u @ diag(s) @ v`` it is ``det(u) * det(v) * u @ diag(c) @ v`` with the products ``c`` of the other values.
    """
    a = x.astype(np.result_type(x, np.float64))
    fine = np.asarray(np.isfinite(a).all((-2, -1)))[..., None, None]
    a = np.where(fine, a, np.eye(a.shape[-1]))
    y = inv_ex(a)
    worst = np.abs(a).sum(-1).max(-1, initial=0.0) * np.abs(y).sum(-1).max(-1, initial=0.0)
    if (worst < 1e7).all():
        y = np.linalg.det(a)[..., None, None] * y.mT
    else:
        u, s, v = np.linalg.svd(a)
        others = np.where(np.eye(s.shape[-1], dtype=bool), 1.0, s[..., None, :]).prod(-1)
        sign = np.linalg.det(u) * np.linalg.det(v)
        y = (u.conj() * (sign[..., None] * others)[..., None, :]) @ v.conj()
    return np.where(fine, y, np.nan).astype(x.dtype)


# ---------------------------------------------------------------- Cholesky


def cholesky(x: Array) -> Any:
    """The lower triangle ``y`` with ``y @ y.mT = x``; only the lower triangle of ``x`` is read."""
    y = cholesky_ex(x)
    orders = minors(x, y)
    bad = np.argwhere(orders)
    if len(bad):
        at = tuple(bad[0])
        raise np.linalg.LinAlgError(
            f"linalg.cholesky: {_which(at, x)}The factorization could not be completed because the input is not "
            f"positive-definite (the leading minor of order {orders[at]} is not positive-definite)."
        )
    return y


def cholesky_ex(x: Array) -> Any:
    """As `cholesky`, as far as one comes where a matrix is not positive-definite."""
    return _one_by_one(np.linalg.cholesky, _begun, x)


def _begun(x: Array) -> Array:
    """Column after column of the factor, up to the first element of the diagonal that is not positive.

    That element says why. Behind it stands what stood in the matrix, as LAPACK leaves it.
    """
    a = np.tril(x)
    for k in range(len(a)):
        a[k, k] -= a[k, :k] @ a[k, :k].conj()
        if not a[k, k].real > 0:
            return a
        a[k, k] = np.sqrt(a[k, k])
        a[k + 1 :, k] = (a[k + 1 :, k] - a[k + 1 :, :k] @ a[k, :k].conj()) / a[k, k]
    a[-1, -1] = 0.0  # rounding hides which it was
    return a


def minors(x: Array, factor: Array) -> Any:
    """By matrix the order of the first leading minor that is not positive: there the diagonal of the factor ends."""
    bad = ~(np.diagonal(factor, axis1=-2, axis2=-1).real > 0)
    return np.asarray(np.where(bad.any(-1), bad.argmax(-1) + 1 if bad.size else 0, 0), np.int32)


# ---------------------------------------------------------------- factorizations with several results


def qr(x: Array, complete: bool) -> Any:
    """``q`` and ``r``, flat."""
    q, r = np.linalg.qr(_wide(x), "complete" if complete else "reduced")
    return _flat(x, q, r)


def qr_r(x: Array) -> Any:
    return np.asarray(np.linalg.qr(_wide(x), "r"), x.dtype)


def eigh(x: Array, lower: bool) -> Any:
    """The eigenvectors in columns and the eigenvalues, flat, of the Hermitian matrix with that triangle."""
    values, vectors = np.linalg.eigh(_wide(x), "L" if lower else "U")
    return _flat(x, vectors, values)


def eigvalsh(x: Array, lower: bool) -> Any:
    return np.linalg.eigvalsh(_wide(x), "L" if lower else "U").astype(x.real.dtype)


def eig(x: Array) -> Any:
    """The eigenvectors in columns and the eigenvalues, flat, all complex."""
    if not np.isfinite(x).all():
        raise np.linalg.LinAlgError("linalg.eig: the input matrix contains non-finite values.")
    values, vectors = np.linalg.eig(_wide(x))
    return _flat(x, vectors, values, dtype=np.result_type(x, np.complex64))


def svd(x: Array, full: bool) -> Any:
    """Left vectors in columns, singular values, right vectors in rows, flat."""
    _finite("linalg.svd", x)
    u, s, v = np.linalg.svd(_wide(x), full)
    return _flat(x, u, s, v)


def svdvals(x: Array) -> Any:
    _finite("linalg.svd", x)
    return np.linalg.svd(_wide(x), compute_uv=False).astype(x.real.dtype)


def _finite(name: str, x: Array) -> None:
    if not np.isfinite(x).all():
        raise np.linalg.LinAlgError(
            f"{name}: The algorithm failed to converge because the input matrix contained non-finite values."
        )


def pinv(x: Array, atol: float, rtol: float) -> Any:
    """From the singular values that are larger than ``atol`` and ``rtol`` times the largest."""
    _finite("linalg.svd", x)
    u, s, v = np.linalg.svd(_wide(x), False)
    large = s > np.maximum(atol, rtol * s.max(-1, keepdims=True, initial=0))
    inverse = np.where(large, 1 / np.where(large, s, 1), 0).astype(s.dtype)
    return np.array(np.matmul(v.mT.conj() * inverse[..., None, :], u.mT.conj()), x.dtype, order="C")


# ---------------------------------------------------------------- elimination with pivots


def lu(x: Array) -> Any:
    """Both triangles in one matrix, with rows exchanged, and with which row each was exchanged (from 1 on), flat."""
    a = np.array(_wide(x))
    n, m = a.shape[-2:]
    a = a.reshape(int(np.prod(x.shape[:-2])), n, m)
    pivots = np.zeros((len(a), min(n, m)), a.dtype)
    every = np.arange(len(a))
    for k in range(min(n, m)):
        column = a[:, k:, k]  # of complex numbers LAPACK adds the sizes of the parts
        p = k + np.argmax(np.abs(column.real) + np.abs(column.imag), -1)
        pivots[:, k] = p + 1
        row = a[every, p]
        a[every, p] = a[:, k]
        a[:, k] = row
        pivot = a[:, k, k]
        a[:, k + 1 :, k] /= np.where(pivot == 0, 1, pivot)[:, None]
        a[:, k + 1 :, k + 1 :] -= a[:, k + 1 :, k, None] * a[:, None, k, k + 1 :]
    return _flat(x, a.reshape(x.shape), pivots.reshape((*x.shape[:-2], min(n, m))))


def lu_regular(x: Array) -> Any:
    """As `lu`; RuntimeError, as PyTorch's, for a matrix that divides by zero when systems are solved with it."""
    packed = lu(x)
    zeros = zero_diagonal(lu_compact(x, packed))
    for at in np.argwhere(zeros)[:1]:
        k = zeros[tuple(at)]
        raise RuntimeError(
            f"{_which(tuple(at), x)}U[{k},{k}] is zero and using it on lu_solve would result in a division by zero. If "
            "you still want to perform the factorization, consider calling linalg.lu(A) or linalg.lu_factor_ex(A)"
        )
    return packed


def zero_diagonal(x: Array) -> Any:
    """By matrix the number of the first element of the diagonal that is 0, counted from 1; 0 if none is."""
    zero = np.diagonal(x, 0, -2, -1) == 0
    if not zero.shape[-1]:
        return np.zeros(zero.shape[:-1], np.int32)
    return np.where(zero.any(-1), zero.argmax(-1) + 1, 0).astype(np.int32)


def permutation(pivots: Array, rows: int, dtype: Any) -> Any:
    """The matrix ``p`` with ``x = p @ l @ u``, from the exchanges of rows."""
    batch = pivots.shape[:-1]
    order = np.broadcast_to(np.arange(rows), (int(np.prod(batch)), rows)).copy()
    flat = pivots.reshape(len(order), pivots.shape[-1]).astype(np.int64) - 1
    every = np.arange(len(order))
    for k in range(flat.shape[-1]):
        p = flat[:, k]
        row = order[every, p]
        order[every, p] = order[:, k]
        order[:, k] = row
    out = np.zeros((len(order), rows, rows), dtype)
    out[every[:, None], order, np.arange(rows)] = 1
    return out.reshape((*batch, rows, rows))


def whole(x: Array) -> Any:
    return x.real.astype(np.int32)


# ---------------------------------------------------------------- results taken out


def eigenvectors(x: Array, packed: Array, lower: bool) -> Any:
    return part(packed, 0, x.shape[-2:])


def eigenvalues(x: Array, packed: Array, lower: bool) -> Any:
    return part(packed.real, x.shape[-1] ** 2, x.shape[-1:])


def eig_vectors(x: Array, packed: Array) -> Any:
    return part(packed, 0, x.shape[-2:])


def eig_values(x: Array, packed: Array) -> Any:
    return part(packed, x.shape[-1] ** 2, x.shape[-1:])


def qr_q(x: Array, packed: Array, complete: bool) -> Any:
    n, m = x.shape[-2:]
    return part(packed, 0, (n, n if complete else min(n, m)))


def qr_triangle(x: Array, packed: Array, complete: bool) -> Any:
    n, m = x.shape[-2:]
    rows = n if complete else min(n, m)
    return part(packed, n * rows, (rows, m))


def left_vectors(x: Array, packed: Array, full: bool) -> Any:
    n, m = x.shape[-2:]
    return part(packed, 0, (n, n if full else min(n, m)))


def singular_values(x: Array, packed: Array, full: bool) -> Any:
    n, m = x.shape[-2:]
    return part(packed.real, n * (n if full else min(n, m)), (min(n, m),))


def right_vectors(x: Array, packed: Array, full: bool) -> Any:
    n, m = x.shape[-2:]
    rows = m if full else min(n, m)
    return part(packed, packed.shape[-1] - rows * m, (rows, m))


def lu_compact(x: Any, packed: Array) -> Any:
    return part(packed, 0, x.shape[-2:])


def lu_pivots(packed: Any, rows: int, columns: int) -> Any:
    return whole(part(packed, rows * columns, (min(rows, columns),)))


def lu_permutation(packed: Any, rows: int, columns: int) -> Any:
    return permutation(lu_pivots(packed, rows, columns), rows, packed.dtype)


def logabsdet(x: Any, packed: Array) -> Any:
    return part(packed.real, 1, ())


def det_sign(x: Any, packed: Array) -> Any:
    return part(packed, 0, ())


# ---------------------------------------------------------------- the exponential


def matrix_exp(x: Array) -> Any:
    """By a quotient of polynomials of order 13, of the matrix halved until it is small, and squared again.

    N. J. Higham, The scaling and squaring method for the matrix exponential revisited (SIAM J. Matrix Anal. 26, 2005).
    """
    a = x.astype(np.result_type(x, np.float64))
    norm = np.abs(a).sum(-2).max(-1, initial=0.0)
    halvings = np.ceil(np.log2(np.maximum(norm, 1e-300) / 5.4))
    halvings = np.where(np.isfinite(halvings), np.clip(halvings, 0, 1074), 0)
    a = a * np.ldexp(1.0, -halvings.astype(np.int32)[..., None, None])
    one = np.eye(a.shape[-1])
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a6 @ (a6 + 16380.0 * a4 + 40840800.0 * a2) + (
        33522128640.0 * a6 + 10559470521600.0 * a4 + 1187353796428800.0 * a2 + 32382376266240000.0 * one
    )
    even = a6 @ (182.0 * a6 + 960960.0 * a4 + 1323241920.0 * a2) + (
        670442572800.0 * a6 + 129060195264000.0 * a4 + 7771770303897600.0 * a2 + 64764752532480000.0 * one
    )
    odd = a @ odd
    y = solve_ex(even - odd, even + odd)
    for k in range(int(halvings.max(initial=0))):
        y = np.where((halvings > k)[..., None, None], y @ y, y)
    return y.astype(x.dtype)

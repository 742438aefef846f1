"""Linear algebra of matrices: inverse, determinant, systems, factorizations, the exponential.

A factorization with several results is one operation without gradient, which packs them in one array; an operation for
each result takes it out, and knows its gradient by the matrix that was factorized.  So a result that is not used has no
part in the gradient, which of the vectors is not finite where values repeat, and of the values always is.
"""

from __future__ import annotations

from typing import Any, NoReturn

from minigrad.core.op import Op
from minigrad.errors import runtime_error
from minigrad.kernels import matrices as k
from minigrad.ops import elementwise as e
from minigrad.ops.linalg import times as mm
from minigrad.ops.reduce import prod_others
from minigrad.ops.reduce import sum as total
from minigrad.ops.shape import cat, unslice


def _lower(x: Any) -> Any:
    return triangles(x, below=1.0, on=1.0, above=0.0)


def _upper(x: Any) -> Any:
    return triangles(x, below=0.0, on=1.0, above=1.0)


def _strictly_lower(x: Any) -> Any:
    return triangles(x, below=1.0, on=0.0, above=0.0)


def _diagonal(x: Any) -> Any:
    return triangles(x, below=0.0, on=1.0, above=0.0)


def _off_diagonal(x: Any) -> Any:
    return triangles(x, below=1.0, on=0.0, above=1.0)


def _one_on_the_diagonal(x: Any) -> Any:
    """``x`` with ones on its diagonal."""
    return _off_diagonal(x) + _diagonal(e.zero(x) + 1.0)


def _mirrored(x: Any) -> Any:
    """The lower triangle, also above the diagonal."""
    return _lower(x) + _strictly_lower(x).mT


def _turned(x: Any) -> Any:
    return x - x.mT


# ---------------------------------------------------------------- systems and determinants


def _inv_vjp(g: Any, y: Any) -> Any:
    return -mm(mm(y.mT, g), y.mT)


def _solve_vjp(g: Any, a: Any, y: Any, needs: Any, op: Op) -> Any:
    d = op(a.mT, g)
    return (-mm(d, y.mT) if needs[0] else None), (d if needs[1] else None)


def _solve_triangular_vjp(g: Any, a: Any, y: Any, upper: bool, unit: bool, needs: Any) -> Any:
    d = solve_triangular(a.mT, g, upper=not upper, unit=unit)
    if not needs[0]:
        return None, d
    shape: dict[str, Any] = {
        "below": 0.0 if upper else 1.0,
        "on": 0.0 if unit else 1.0,
        "above": 1.0 if upper else 0.0,
    }
    return triangles(-mm(d, y.mT), **shape), (d if needs[1] else None)


def _cofactor_vjp(g: Any, x: Any) -> Any:
    """In the basis of singular vectors, where cofactors are products of singular values: these without two of them."""
    packed = svd(x, full=False)
    u, s, v = _factors(x, packed, False)
    last = len(x.shape) - 1
    rows = _one_on_the_diagonal(s[..., None, :] + e.zero(u))
    pairs = _off_diagonal(prod_others(rows, dim=last))
    inner = mm(mm(u.mT, g), v.mT)
    diagonal = total(_diagonal(inner), dim=(last,), keepdim=True)
    on = _diagonal(mm(pairs, diagonal) + e.zero(u))
    sign = det(u) * det(v)
    return mm(mm(u * sign[..., None, None], on - (pairs * inner).mT), v)


# ---------------------------------------------------------------- factorizations


def _cholesky_vjp(g: Any, y: Any) -> Any:
    inner = triangles(mm(y.mT, _lower(g)), below=1.0, on=0.5, above=0.0)
    inner = solve_triangular(y.mT, inner, upper=True, unit=False)
    inner = solve_triangular(y.mT, inner.mT, upper=True, unit=False)
    return (inner + inner.mT) * 0.5


def _qr_parts(x: Any, packed: Any) -> tuple[Any, Any]:
    return qr_q(x, packed, complete=False), qr_triangle(x, packed, complete=False)


def _by_inverse(z: Any, r: Any) -> Any:
    """``z @ inv(r).mT``."""
    return solve_triangular(r, z.mT, upper=True, unit=False).mT


def _differentiable(x: Any, complete: bool) -> None:
    n, m = x.shape[-2:]
    if complete and n > m:
        raise runtime_error(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols; use mode='reduced'"
        )


def _qr_q_vjp(g: Any, x: Any, packed: Any, complete: bool) -> Any:
    _differentiable(x, complete)
    q, r = _qr_parts(x, packed)
    n, m = x.shape[-2:]
    d = _by_inverse(g + mm(q, _mirrored(-mm(g.mT, q))), r[..., :, :n])
    return d if n >= m else unslice(d, shape=tuple(x.shape), index=(Ellipsis, slice(None), slice(0, n)))


def _qr_triangle_vjp(g: Any, x: Any, packed: Any, complete: bool) -> Any:
    _differentiable(x, complete)
    q, r = _qr_parts(x, packed)
    n, m = x.shape[-2:]
    if n >= m:
        return _by_inverse(mm(q, _mirrored(mm(r, _upper(g).mT))), r)
    later = mm(x[..., :, n:], g[..., :, n:].mT)  # to what this multiplies, q has a gradient of its own
    inner = mm(r[..., :, :n], _upper(g[..., :, :n]).mT) - mm(later.mT, q)
    d = _by_inverse(mm(q, _mirrored(inner)) + later, r[..., :, :n])
    return cat(d, mm(q, g[..., :, n:]), dim=len(x.shape) - 1)


def _refused_r(g: object) -> NoReturn:
    raise runtime_error(
        "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
        "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
    )


def _between(w: Any) -> Any:
    """The differences of values, that of column less that of row, and 1 on the diagonal."""
    return _one_on_the_diagonal(w[..., None, :] - w[..., :, None])


def _eigenvectors_vjp(g: Any, x: Any, packed: Any, lower: bool) -> Any:
    v, w = eigenvectors(x, packed, lower=lower), eigenvalues(x, packed, lower=lower)
    inner = _off_diagonal(mm(v.mT, g)) / _between(w)
    return mm(mm(v, inner), v.mT)


def _eigenvalues_vjp(g: Any, x: Any, packed: Any, lower: bool) -> Any:
    v = eigenvectors(x, packed, lower=lower)
    return mm(v * g[..., None, :], v.mT)


def _eigvalsh_vjp(g: Any, x: Any, lower: bool) -> Any:
    return _eigenvalues_vjp(g, x, eigh(x, lower=lower), lower)


def _factors(x: Any, packed: Any, full: bool) -> tuple[Any, Any, Any]:
    """Vectors and values of which there are as many."""
    u, s, v = (op(x, packed, full=full) for op in (left_vectors, singular_values, right_vectors))
    n = min(x.shape[-2:])
    return (u[..., :, :n], s, v[..., :n, :]) if full else (u, s, v)


def _squares_between(s: Any) -> Any:
    """The differences of squares of values, and 1 on the diagonal."""
    return _one_on_the_diagonal((s[..., None, :] - s[..., :, None]) * (s[..., None, :] + s[..., :, None]))


def _left_vjp(g: Any, x: Any, packed: Any, full: bool) -> Any:
    u, s, v = _factors(x, packed, full)
    n, m = x.shape[-2:]
    g = g[..., :, : min(n, m)] if full else g
    inner = (_turned(mm(u.mT, g)) / _squares_between(s)) * s[..., None, :]
    d = mm(u, inner)
    if n > m:
        d = d + (g - mm(u, mm(u.mT, g))) / s[..., None, :]
    return mm(d, v)


def _right_vjp(g: Any, x: Any, packed: Any, full: bool) -> Any:
    u, s, v = _factors(x, packed, full)
    n, m = x.shape[-2:]
    g = g[..., : min(n, m), :] if full else g
    inner = s[..., :, None] * (_turned(mm(v, g.mT)) / _squares_between(s))
    d = mm(inner, v)
    if m > n:
        d = d + (g - mm(mm(g, v.mT), v)) / s[..., :, None]
    return mm(u, d)


def _singular_values_vjp(g: Any, x: Any, packed: Any, full: bool) -> Any:
    u, _, v = _factors(x, packed, full)
    return mm(u * g[..., None, :], v)


def _svdvals_vjp(g: Any, x: Any) -> Any:
    return _singular_values_vjp(g, x, svd(x, full=False), False)


def _pinv_vjp(g: Any, x: Any, y: Any) -> Any:
    """G. H. Golub and V. Pereyra, The differentiation of pseudo-inverses (SIAM J. Numer. Anal. 10, 1973)."""
    h, back = g.mT, y.mT
    rows = mm(mm(h, y), back)
    columns = mm(back, mm(y, h))
    return rows - mm(x, mm(y, rows)) + columns - mm(mm(columns, y), x) - mm(mm(back, g), back)


def _lu_vjp(g: Any, x: Any, packed: Any) -> Any:
    """By blocks: that of the square part, and what stands below or beside it."""
    n, m = x.shape[-2:]
    both, p = lu_compact(x, packed), lu_permutation(packed, rows=n, columns=m)
    size = min(n, m)
    square = both[..., :size, :size]
    dl, du = _strictly_lower(g[..., :size, :size]), _upper(g[..., :size, :size])
    more = None
    if m > n:
        beside = solve_triangular(square.mT, g[..., :, n:], upper=True, unit=True)
        dl = dl - _strictly_lower(mm(beside, both[..., :, n:].mT))
        more = beside
    elif n > m:
        more = _by_inverse(g[..., m:, :], square)
        du = du - _upper(mm(both[..., m:, :].mT, more))
    low = _one_on_the_diagonal(_strictly_lower(square))
    inner = _strictly_lower(mm(low.mT, dl)) + _upper(mm(du, _upper(square).mT))
    d = _by_inverse(solve_triangular(square.mT, inner, upper=True, unit=True), square)
    if more is not None:
        d = cat(d, more, dim=len(x.shape) - (1 if m > n else 2))
    return mm(p, d)


def _matrix_exp_vjp(g: Any, x: Any) -> Any:
    """A corner of the exponential of the matrix with ``g`` beside it.

    A. H. Al-Mohy and N. J. Higham, Computing the Frechet derivative of the matrix exponential (SIAM J. Matrix Anal. 30,
    2009).
    """
    a, n, last = x.mT, x.shape[-1], len(x.shape) - 1
    block = cat(cat(a, g, dim=last), cat(e.zero(a), a, dim=last), dim=last - 1)
    return matrix_exp(block)[..., :n, n:]


_OWN: dict[str, Any] = {"new": True, "order": "C"}  # memory of its own, by rows
_RAISES: dict[str, Any] = {"raises": True}

# fmt: off
triangles: Op = Op("triangles", k.triangles, "x; below on above",
                   lambda g, below, on, above: triangles(g, below=below, on=on, above=above))

# inverse, determinant, systems
inv = Op("inv", k.inv, "x", _inv_vjp, grad_fn="LinalgInvExBackward0", **_RAISES)
inv_ex = Op("inv_ex", k.inv_ex, "x", _inv_vjp, grad_fn="LinalgInvExBackward0")
zero_pivots = Op("zero_pivots", k.zero_pivots, "x inverse")
solve: Op = Op("solve", k.solve, "a b", joint=lambda g, a, y, needs: _solve_vjp(g, a, y, needs, solve),
                grad_fn="LinalgSolveExBackward0", **_RAISES)
solve_ex: Op = Op("solve_ex", k.solve_ex, "a b", joint=lambda g, a, y, needs: _solve_vjp(g, a, y, needs, solve_ex),
                  grad_fn="LinalgSolveExBackward0")
solve_triangular: Op = Op("solve_triangular", k.solve_triangular, "a b; upper unit", joint=_solve_triangular_vjp,
                          grad_fn="LinalgSolveTriangularBackward0", **_OWN)
det: Op = Op("det", k.det, "x", lambda g, x: g[..., None, None] * cofactor(x), grad_fn="LinalgDetBackward0")
cofactor: Op = Op("cofactor", k.cofactor, "x", _cofactor_vjp)
signed_logdet = Op("signed_logdet", k.signed_logdet, "x")
logabsdet = Op("logabsdet", k.logabsdet, "x packed", lambda g, x: g[..., None, None] * inv_ex(x).mT, None,
               grad_fn="LinalgSlogdetBackward0", **_OWN)
det_sign = Op("det_sign", k.det_sign, "x packed", lambda g, x: e.zero(x), None,
              grad_fn="LinalgSlogdetBackward0", **_OWN)

# factorizations
cholesky = Op("cholesky", k.cholesky, "x", _cholesky_vjp, grad_fn="LinalgCholeskyExBackward0", **_RAISES)
cholesky_ex = Op("cholesky_ex", k.cholesky_ex, "x", _cholesky_vjp, grad_fn="LinalgCholeskyExBackward0")
minors = Op("minors", k.minors, "x factor")
qr = Op("qr", k.qr, "x; complete")
qr_q: Op = Op("qr_q", k.qr_q, "x packed; complete", _qr_q_vjp, None, grad_fn="LinalgQrBackward0", **_OWN)
qr_triangle: Op = Op("qr_triangle", k.qr_triangle, "x packed; complete", _qr_triangle_vjp, None,
                     grad_fn="LinalgQrBackward0", **_OWN)
qr_r = Op("qr_r", k.qr_r, "x", _refused_r)
eigh = Op("eigh", k.eigh, "x; lower")
eigenvectors: Op = Op("eigenvectors", k.eigenvectors, "x packed; lower", _eigenvectors_vjp, None,
                      grad_fn="LinalgEighBackward0", **_OWN)
eigenvalues: Op = Op("eigenvalues", k.eigenvalues, "x packed; lower", _eigenvalues_vjp, None,
                     grad_fn="LinalgEighBackward0", **_OWN)
eigvalsh = Op("eigvalsh", k.eigvalsh, "x; lower", _eigvalsh_vjp, grad_fn="LinalgEighBackward0")
svd = Op("svd", k.svd, "x; full", **_RAISES)
left_vectors: Op = Op("left_vectors", k.left_vectors, "x packed; full", _left_vjp, None,
                      grad_fn="LinalgSvdBackward0", **_OWN)
right_vectors: Op = Op("right_vectors", k.right_vectors, "x packed; full", _right_vjp, None,
                       grad_fn="LinalgSvdBackward0", **_OWN)
singular_values: Op = Op("singular_values", k.singular_values, "x packed; full", _singular_values_vjp, None,
                         grad_fn="LinalgSvdBackward0", **_OWN)
svdvals = Op("svdvals", k.svdvals, "x", _svdvals_vjp, grad_fn="LinalgSvdBackward0", **_RAISES)
pinv = Op("pinv", k.pinv, "x; atol rtol", _pinv_vjp, grad_fn="LinalgPinvBackward0", **_RAISES)
lu = Op("lu", k.lu, "x")
lu_compact: Op = Op("lu_compact", k.lu_compact, "x packed", _lu_vjp, None, grad_fn="LinalgLuFactorExBackward0", **_OWN)
lu_pivots = Op("lu_pivots", k.lu_pivots, "packed; rows columns", **_OWN)
lu_info = Op("lu_info", k.zero_diagonal, "x")
lu_permutation = Op("lu_permutation", k.lu_permutation, "packed; rows columns", **_OWN)
unpivot = Op("unpivot", k.permutation, "pivots; rows dtype", **_OWN)

matrix_exp: Op = Op("matrix_exp", k.matrix_exp, "x", _matrix_exp_vjp, grad_fn="LinalgMatrixExpBackward0")
# fmt: on

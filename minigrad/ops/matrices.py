"""Linear algebra of matrices: inverse, determinant, systems, factorizations, the exponential.

A factorization with several results is one operation without gradient, which packs them in one array. An operation for
each result takes it out, and its gradient rule reads the matrix that was factorized.  So a result that is not used adds
nothing to the gradient: that of vectors is not finite where values repeat, while that of values always is.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from minigrad.core.basic import conj, real
from minigrad.core.op import Op, is_complex
from minigrad.core.text import Call, Plain
from minigrad.errors import runtime_error
from minigrad.kernels import matrices as k
from minigrad.ops import elementwise as e
from minigrad.ops.linalg import times as mm
from minigrad.ops.reads import of_matrices
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


def _h(x: Any) -> Any:
    """The transposed matrix, conjugated."""
    return conj(x.mT) if is_complex(x) else x.mT


def _mirrored(x: Any) -> Any:
    """The lower triangle, also above the diagonal; that is real."""
    if is_complex(x):
        return _strictly_lower(x) + _h(_strictly_lower(x)) + real(_diagonal(x))
    return _lower(x) + _strictly_lower(x).mT


def _turned(x: Any) -> Any:
    return x - _h(x)


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


def _cholesky_solve_vjp(g: Any, b: Any, a: Any, y: Any, upper: bool, needs: Any) -> Any:
    """By all elements of the factor, as those of one of full matrices: PyTorch's gradient is no triangle."""
    d = cholesky_solve(g, a, upper=upper)
    if not needs[1]:
        return d, None
    both = mm(d, _h(y))
    both = both + _h(both)
    return (d if needs[0] else None), (-mm(a, both) if upper else -mm(both, a))


def _cofactor_vjp(g: Any, x: Any) -> Any:
    """In the basis of singular vectors, where cofactors are products of singular values: these without two of them.

    Of complex matrices by the inverse, so not of singular ones.
    """
    if is_complex(x):
        y, inverse = cofactor(x), inv_ex(x).mT
        last = len(x.shape) - 1
        return total(g * y, dim=(last - 1, last), keepdim=True) * inverse - mm(mm(y, g.mT), inverse)
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


def _det_sign_vjp(g: Any, x: Any, y: Any) -> Any:
    """Of a complex determinant the sign turns with its angle."""
    if not is_complex(x):
        return e.zero(x)
    turn = real(conj(y) * g * -1j) * 1j
    return turn[..., None, None] * _h(inv_ex(x))


# ---------------------------------------------------------------- factorizations


def _cholesky_vjp(g: Any, y: Any) -> Any:
    inner = triangles(mm(_h(y), _lower(g)), below=1.0, on=0.5, above=0.0)
    inner = solve_triangular(_h(y), inner, upper=True, unit=False)
    inner = solve_triangular(_h(y), _h(inner), upper=True, unit=False)
    return (inner + _h(inner)) * 0.5


def _qr_parts(x: Any, packed: Any) -> tuple[Any, Any]:
    return qr_q(x, packed, complete=False), qr_triangle(x, packed, complete=False)


def _by_inverse(z: Any, r: Any) -> Any:
    """``z @ inv(r).mH``."""
    return _h(solve_triangular(r, _h(z), upper=True, unit=False))


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
    d = _by_inverse(g + mm(q, _mirrored(-mm(_h(g), q))), r[..., :, :n])
    return d if n >= m else unslice(d, shape=tuple(x.shape), index=(Ellipsis, slice(None), slice(0, n)))


def _qr_triangle_vjp(g: Any, x: Any, packed: Any, complete: bool) -> Any:
    _differentiable(x, complete)
    q, r = _qr_parts(x, packed)
    n, m = x.shape[-2:]
    if n >= m:
        return _by_inverse(mm(q, _mirrored(mm(r, _h(_upper(g))))), r)
    later = mm(x[..., :, n:], _h(g[..., :, n:]))  # to what this multiplies, q has a gradient of its own
    inner = mm(r[..., :, :n], _h(_upper(g[..., :, :n]))) - mm(_h(later), q)
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


def _check_phase(name: str, inner: Any) -> None:
    """RuntimeError where turning a vector around, which leaves it one, would change the loss.

    The rules go on with the vectors themselves: in a second derivative all that reaches these must come together.
    """
    array = getattr(inner, "_array", inner)
    if is_complex(array) and (np.abs(np.diagonal(array, axis1=-2, axis2=-1).imag) > 1e-2).any():
        raise runtime_error(
            f"linalg_{name}_backward: The eigenvectors in the complex case are specified up to multiplication by "
            "e^{i phi}. The specified loss function depends on this quantity, so it is ill-defined."
        )


def _eigenvectors_vjp(g: Any, x: Any, y: Any, packed: Any, lower: bool) -> Any:
    inner = mm(_h(y), g)
    _check_phase("eigh", inner)
    inner = _off_diagonal(_turned(inner) * 0.5) / _between(eigenvalues(x, packed, lower=lower))
    return mm(mm(y, inner), _h(y))


def _eigenvalues_vjp(g: Any, x: Any, packed: Any, lower: bool) -> Any:
    v = eigenvectors(x, packed, lower=lower)
    return mm(v * g[..., None, :], _h(v))


def _eig_vectors_vjp(g: Any, x: Any, y: Any, packed: Any) -> Any:
    """C. Boeddeker and others, On the computation of complex-valued gradients (2017); vectors have length 1."""
    inner = mm(_h(y), g)
    _check_phase("eig", inner)
    lengths = total(_diagonal(inner), dim=(len(x.shape) - 2,), keepdim=True)
    inner = inner - mm(_h(y), y * real(lengths))
    return _by_vectors(y, _off_diagonal(inner) / conj(_between(eig_values(x, packed))))


def _eig_values_vjp(g: Any, x: Any, packed: Any) -> Any:
    v = eig_vectors(x, packed)
    return _by_vectors(v, _diagonal(g[..., None, :] + e.zero(v)))


def _by_vectors(v: Any, inner: Any) -> Any:
    """``inv(v).mH @ inner @ v.mH``."""
    return solve(_h(v), mm(inner, _h(v)))


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
    turned = _turned(mm(_h(u), g))
    inner = (turned / _squares_between(s)) * s[..., None, :]
    if is_complex(
        x
    ):  # the phase of the vectors, which a loss must not depend on, is shared out as in PyTorch
        inner = _off_diagonal(inner) + _diagonal(turned) / (s[..., None, :] * 2.0)
    d = mm(u, inner)
    if n > m:
        d = d + (g - mm(u, mm(_h(u), g))) / s[..., None, :]
    return mm(d, v)


def _right_vjp(g: Any, x: Any, packed: Any, full: bool) -> Any:
    u, s, v = _factors(x, packed, full)
    n, m = x.shape[-2:]
    g = g[..., : min(n, m), :] if full else g
    inner = s[..., :, None] * (_turned(mm(v, _h(g))) / _squares_between(s))
    inner = _off_diagonal(inner) if is_complex(x) else inner  # see `_left_vjp`
    d = mm(inner, v)
    if m > n:
        d = d + (g - mm(mm(g, _h(v)), v)) / s[..., :, None]
    return mm(u, d)


def _singular_values_vjp(g: Any, x: Any, packed: Any, full: bool) -> Any:
    u, _, v = _factors(x, packed, full)
    return mm(u * g[..., None, :], v)


def _pinv_vjp(g: Any, x: Any, y: Any) -> Any:
    """G. H. Golub and V. Pereyra, The differentiation of pseudo-inverses (SIAM J. Numer. Anal. 10, 1973)."""
    h, back = _h(g), _h(y)
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
        beside = solve_triangular(_h(square), g[..., :, n:], upper=True, unit=True)
        dl = dl - _strictly_lower(mm(beside, _h(both[..., :, n:])))
        more = beside
    elif n > m:
        more = _by_inverse(g[..., m:, :], square)
        du = du - _upper(mm(_h(both[..., m:, :]), more))
    low = _one_on_the_diagonal(_strictly_lower(square))
    inner = _strictly_lower(mm(_h(low), dl)) + _upper(mm(du, _h(_upper(square))))
    d = _by_inverse(solve_triangular(_h(square), inner, upper=True, unit=True), square)
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


_TRIANGLES = {(1, 1, 0): "tril(x)", (0, 1, 1): "triu(x)", (1, 0, 0): "tril(x, -1)", (0, 0, 1): "triu(x, 1)"}


def _are_rows(pivots: Any, rows: int, dtype: Any) -> None:
    if pivots.size and not 1 <= pivots.min() <= pivots.max() <= rows:
        raise RuntimeError(
            f"pivots must be between 1 and {rows}, the number of rows, as lu_factor gives them"
        )


# ---------------------------------------------------------------- how they print


def _single(v: Call) -> bool:
    return v.dtype.char in "fd" and len(v.shape) == 2 and v.shape[0] > 0


def _triangles_lines(v: Call) -> list[str] | None:
    kind = v.params["below"], v.params["on"], v.params["above"]
    if kind == (1, 0.5, 0) and _single(v):
        return ["y = np.tril(x)", "np.fill_diagonal(y, np.diagonal(y) * 0.5)", "return y"]
    return [f"return np.{_TRIANGLES[kind]}"] if kind in _TRIANGLES else None


def _solve_triangular_lines(v: Call) -> list[str] | None:
    if not _single(v) or len(v.shapes[0]) > 2 or v.params["unit"]:
        return None
    singular = ["if (np.diagonal(a) == 0.0).any():", "    return np.full_like(b, np.inf)"]
    if v.params["upper"]:
        return [*singular, "return np.linalg.solve(np.triu(a), b)"]
    # Of an upper triangle nothing is left to eliminate.
    turned = "np.linalg.solve(np.triu(a[::-1, ::-1]), b[::-1])"
    return [*singular, f"return np.array({turned}[::-1], order='C')"]


_INV = ["try:", "    return np.linalg.inv(x)", "except np.linalg.LinAlgError:", "    if np.isnan(x).any():",
        "        return np.full_like(x, np.nan)", "    raise"]  # fmt: skip
_CHOLESKY = [
    "y = np.linalg.cholesky(x)",
    "if not (np.diagonal(y) > 0.0).all():",
    "    raise np.linalg.LinAlgError",
    "return y",
]


# fmt: off
triangles: Op = Op("triangles", k.triangles, "x; below on above",
                   lambda g, below, on, above: triangles(g, below=below, on=on, above=above), complex="analytic",
                   reads=lambda n: _TRIANGLES.get((n.params["below"], n.params["on"], n.params["above"]), ""),
                   text=Plain(k.triangles, "x", _triangles_lines), batch="leading")

# inverse, determinant, systems
inv = Op("inv", k.inv, "x", _inv_vjp, grad_fn="LinalgInvExBackward0", **_RAISES, complex="analytic",
         text=Plain(k.inv, "x", lambda v: _INV if _single(v) else None), batch="leading")
inv_ex = Op("inv_ex", k.inv_ex, "x", _inv_vjp, grad_fn="LinalgInvExBackward0", complex="analytic", reads="inv",
            batch="leading")
zero_pivots = Op("zero_pivots", k.zero_pivots, "x inverse", complex="analytic", batch="leading")
solve: Op = Op("solve", k.solve, "a b", joint=lambda g, a, y, needs: _solve_vjp(g, a, y, needs, solve),
                grad_fn="LinalgSolveExBackward0", **_RAISES, complex="analytic", batch="leading")
solve_ex: Op = Op("solve_ex", k.solve_ex, "a b", joint=lambda g, a, y, needs: _solve_vjp(g, a, y, needs, solve_ex),
                  grad_fn="LinalgSolveExBackward0", complex="analytic", reads="solve", batch="leading")
solve_triangular: Op = Op("solve_triangular", k.solve_triangular, "a b; upper unit", joint=_solve_triangular_vjp,
                          grad_fn="LinalgSolveTriangularBackward0", **_OWN, complex="analytic",
                          text=Plain(k.solve_triangular, "a, b", _solve_triangular_lines), batch="leading")
cholesky_solve: Op = Op("cholesky_solve", k.cholesky_solve, "b a; upper", joint=_cholesky_solve_vjp,
                        grad_fn="CholeskySolveBackward0", **_OWN, complex="own", batch="leading")
det: Op = Op("det", k.det, "x", lambda g, x: g[..., None, None] * cofactor(x), grad_fn="LinalgDetBackward0",
              complex="analytic", derives={"x": of_matrices("g * y * inv(x).T; its limit for singular x", "g * y")},
              batch="leading")
cofactor: Op = Op("cofactor", k.cofactor, "x", _cofactor_vjp, complex="analytic", batch="leading")
signed_logdet = Op("signed_logdet", k.signed_logdet, "x", complex="own", batch="leading")
logabsdet = Op("logabsdet", k.logabsdet, "x packed", lambda g, x: g[..., None, None] * _h(inv_ex(x)), None,
               grad_fn="LinalgSlogdetBackward0", **_OWN, complex="own", reads="slogdet(x)[1]",
               derives={"x": of_matrices("g * inv(x).T", "g")}, batch="together")
det_sign = Op("det_sign", k.det_sign, "x packed", _det_sign_vjp, None,
              grad_fn="LinalgSlogdetBackward0", **_OWN, complex="own", reads="slogdet(x)[0]", batch="together")

# factorizations
cholesky = Op("cholesky", k.cholesky, "x", _cholesky_vjp, grad_fn="LinalgCholeskyExBackward0", **_RAISES, complex="own",
              text=Plain(k.cholesky, "x", lambda v: _CHOLESKY if _single(v) else None),
              derives={"x": of_matrices("(s + s.T) / 2, with s = inv(y.T) @ half_lower(y.T @ g) @ inv(y)")},
              batch="leading")
cholesky_ex = Op("cholesky_ex", k.cholesky_ex, "x", _cholesky_vjp, grad_fn="LinalgCholeskyExBackward0", complex="own",
                 reads="cholesky", batch="leading")
minors = Op("minors", k.minors, "x factor", complex="own", batch="leading")
qr = Op("qr", k.qr, "x; complete", complex="own", batch="leading")
qr_q: Op = Op("qr_q", k.qr_q, "x packed; complete", _qr_q_vjp, None, grad_fn="LinalgQrBackward0", **_OWN, complex="own",
              reads="qr(x)[0]", batch="together")
qr_triangle: Op = Op("qr_triangle", k.qr_triangle, "x packed; complete", _qr_triangle_vjp, None,
                     grad_fn="LinalgQrBackward0", **_OWN, complex="own", reads="qr(x)[1]", batch="together")
qr_r = Op("qr_r", k.qr_r, "x", _refused_r, complex="own", batch="leading")
eigh = Op("eigh", k.eigh, "x; lower", **_RAISES, complex="own", batch="leading")
eigenvectors: Op = Op("eigenvectors", k.eigenvectors, "x packed; lower", _eigenvectors_vjp, None,
                      grad_fn="LinalgEighBackward0", **_OWN, complex="own", reads="eigh(x)[1]", batch="together")
eigenvalues: Op = Op("eigenvalues", k.eigenvalues, "x packed; lower", _eigenvalues_vjp, None,
                     grad_fn="LinalgEighBackward0", **_OWN, complex="own", reads="eigh(x)[0]", batch="together")
eigvalsh = Op("eigvalsh", k.eigvalsh, "x; lower",
              lambda g, x, lower: _eigenvalues_vjp(g, x, eigh(x, lower=lower), lower),
              grad_fn="LinalgEighBackward0", **_RAISES, complex="own", usual={"lower": ...}, batch="leading")
eig = Op("eig", k.eig, "x", **_RAISES, complex="own", batch="leading")
eig_vectors: Op = Op("eig_vectors", k.eig_vectors, "x packed", _eig_vectors_vjp, None,
                     grad_fn="LinalgEigBackward0", **_OWN, complex="own", reads="eig(x)[1]", batch="together")
eig_values: Op = Op("eig_values", k.eig_values, "x packed", _eig_values_vjp, None,
                    grad_fn="LinalgEigBackward0", **_OWN, complex="own", reads="eig(x)[0]", batch="together")
svd = Op("svd", k.svd, "x; full", **_RAISES, complex="own", batch="leading")
left_vectors: Op = Op("left_vectors", k.left_vectors, "x packed; full", _left_vjp, None,
                      grad_fn="LinalgSvdBackward0", **_OWN, complex="own", reads="svd(x)[0]", batch="together")
right_vectors: Op = Op("right_vectors", k.right_vectors, "x packed; full", _right_vjp, None,
                       grad_fn="LinalgSvdBackward0", **_OWN, complex="own", reads="svd(x)[2]", batch="together")
singular_values: Op = Op("singular_values", k.singular_values, "x packed; full", _singular_values_vjp, None,
                         grad_fn="LinalgSvdBackward0", **_OWN, complex="own", reads="svd(x)[1]", batch="together")
svdvals = Op("svdvals", k.svdvals, "x", lambda g, x: _singular_values_vjp(g, x, svd(x, full=False), False),
             grad_fn="LinalgSvdBackward0", **_RAISES, complex="own", batch="leading")
pinv = Op("pinv", k.pinv, "x; atol rtol", _pinv_vjp, grad_fn="LinalgPinvBackward0", **_RAISES, complex="own",
          usual={"atol": 0, "rtol": ...}, batch="leading")
lu = Op("lu", k.lu, "x", complex="analytic", batch="leading")
lu_regular = Op("lu_regular", k.lu_regular, "x", **_RAISES, complex="analytic", batch="leading")
lu_compact: Op = Op("lu_compact", k.lu_compact, "x packed", _lu_vjp, None, grad_fn="LinalgLuFactorExBackward0", **_OWN,
                    complex="own", batch="together")
lu_pivots = Op("lu_pivots", k.lu_pivots, "packed; rows columns", **_OWN, complex="analytic", batch="leading")
lu_info = Op("lu_info", k.zero_diagonal, "x", complex="analytic", batch="leading")
lu_permutation = Op("lu_permutation", k.lu_permutation, "packed; rows columns", **_OWN, complex="analytic",
                    batch="leading")
unpivot = Op("unpivot", k.permutation, "pivots; rows dtype", **_OWN, complex="analytic", check=_are_rows,
             batch="leading")

matrix_exp: Op = Op("matrix_exp", k.matrix_exp, "x", _matrix_exp_vjp, grad_fn="LinalgMatrixExpBackward0",
        complex="analytic", batch="leading")
# fmt: on

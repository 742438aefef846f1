"""minigrad.linalg beside NumPy's, its gradients where they are delicate, and what it refuses."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from cases import case

import minigrad as mg
from minigrad import autograd, linalg

inf, nan = math.inf, math.nan
rng = np.random.default_rng(7)
SQUARE, TALL, WIDE = (rng.standard_normal(s) for s in ((2, 3, 3), (2, 4, 3), (2, 3, 4)))
POSITIVE = SQUARE @ SQUARE.mT + np.eye(3)
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


def leaf(a: Any) -> Any:
    return mg.tensor(a, dtype=mg.float64, requires_grad=True)


def close(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(getattr(found, "_array", found), expected, tolerance, tolerance)


# ---------------------------------------------------------------- values


def test_factorizations_give_back_the_matrix() -> None:
    for x in (SQUARE, TALL, WIDE):
        t, one = mg.from_numpy(x), np.eye
        n, m = x.shape[-2:]
        for mode in ("reduced", "complete"):
            q, r = linalg.qr(t, mode)
            close(q @ r, x)
            close(q.mT @ q, np.broadcast_to(one(q.shape[-1]), (2, q.shape[-1], q.shape[-1])))
            assert np.array_equal(r.numpy(), np.triu(r.numpy()))
        assert linalg.qr(t, "r").Q.shape == (0,)
        close(linalg.qr(t, "r").R.abs(), linalg.qr(t).R.abs())
        for full in (False, True):
            u, s, v = linalg.svd(t, full)
            k = min(n, m)
            close((u[..., :k] * s[..., None, :]) @ v[..., :k, :], x)
            close(u.mT @ u, np.broadcast_to(one(u.shape[-1]), (2, u.shape[-1], u.shape[-1])))
            close(v @ v.mT, np.broadcast_to(one(v.shape[-2]), (2, v.shape[-2], v.shape[-2])))
            assert (s[:, :-1] >= s[:, 1:]).all()
        close(linalg.svdvals(t), s)
        p, low, up = linalg.lu(t)
        close(p @ low @ up, x)
        assert np.array_equal(low.numpy(), np.tril(low.numpy()))
        both, pivots = linalg.lu_factor(t)
        assert pivots.dtype is mg.int32
        for a, b in zip(mg.lu_unpack(both, pivots), (p, low, up), strict=True):
            assert mg.equal(a, b)
    for upper in (False, True):
        f = linalg.cholesky(mg.from_numpy(POSITIVE), upper=upper)
        close(f.mT @ f if upper else f @ f.mT, POSITIVE)
    w, v = linalg.eigh(mg.from_numpy(POSITIVE))
    close((v * w[..., None, :]) @ v.mT, POSITIVE)
    close(linalg.eigvalsh(mg.from_numpy(POSITIVE), "U"), w)
    h, tau = np.linalg.qr(TALL[0], "raw")
    close(linalg.householder_product(mg.from_numpy(h.T.copy()), mg.from_numpy(tau)), np.linalg.qr(TALL[0])[0])


def test_triangles_that_are_read() -> None:
    x = mg.tensor([[4.0, 100.0], [2.0, 5.0]])
    assert linalg.cholesky(x).tolist() == [[2.0, 0.0], [1.0, 2.0]]
    assert linalg.cholesky(x.mT, upper=True).tolist() == [[2.0, 1.0], [0.0, 2.0]]
    close(linalg.eigvalsh(x), np.linalg.eigvalsh([[4, 2], [2, 5]]), 1e-6)
    close(linalg.eigh(x, "U").eigenvalues, np.linalg.eigvalsh([[4, 100], [100, 5]]), 1e-6)


def test_systems() -> None:
    a, b = mg.from_numpy(SQUARE), mg.from_numpy(WIDE)
    close(a @ linalg.solve(a, b), WIDE)
    close(linalg.solve(a, b.mT, left=False) @ a, WIDE.mT)
    close(linalg.solve(a[0], b[0, :, 0]), np.linalg.solve(SQUARE[0], WIDE[0, :, 0]))
    close(linalg.solve(a, b[..., 0]), np.linalg.solve(SQUARE, WIDE[..., :1])[..., 0])  # a batch of vectors
    close(linalg.solve(a[0], b), np.linalg.solve(SQUARE[0], WIDE))
    close(linalg.inv(a), np.linalg.inv(SQUARE))
    for upper in (False, True):
        for unit in (False, True):
            t = np.triu(SQUARE) if upper else np.tril(SQUARE)
            t = np.where(np.eye(3, dtype=bool), 1.0, t) if unit else t
            y = linalg.solve_triangular(a, b, upper=upper, unitriangular=unit)
            close(t @ y.numpy(), WIDE)
            y = linalg.solve_triangular(a, b.mT, upper=upper, left=False, unitriangular=unit)
            close(y.numpy() @ t, WIDE.mT)
            assert linalg.solve_triangular(a, b.float(), upper=upper).dtype == mg.float64
            old = mg.triangular_solve(b, a, upper, True, unit)
            close(t.mT @ old.solution.numpy(), WIDE)
    both, pivots = linalg.lu_factor(a)
    for adjoint in (False, True):
        x = SQUARE.mT if adjoint else SQUARE
        close(x @ linalg.lu_solve(both, pivots, b, adjoint=adjoint).numpy(), WIDE)
        close(linalg.lu_solve(both, pivots, b.mT, left=False, adjoint=adjoint).numpy() @ x, WIDE.mT)
    close(mg.lu_solve(b, both, pivots), np.linalg.solve(SQUARE, WIDE))
    p = mg.from_numpy(POSITIVE)
    for upper in (False, True):
        f = linalg.cholesky(p, upper=upper)
        close(POSITIVE @ mg.cholesky_solve(b, f, upper).numpy(), WIDE)
        close(mg.cholesky_inverse(f, upper), np.linalg.inv(POSITIVE))


@pytest.mark.parametrize("upper", [False, True])
def test_the_gradient_of_a_factor_is_that_of_a_full_matrix(upper: bool) -> None:
    """That is PyTorch's: as if the matrix were made of all of the factor."""
    low = np.linalg.cholesky(POSITIVE)
    b, grads = mg.from_numpy(WIDE), []
    for solve in (
        lambda f: mg.cholesky_solve(b, f, upper),
        lambda f: linalg.inv(f.mT @ f if upper else f @ f.mT) @ b,
    ):
        f = mg.from_numpy(np.ascontiguousarray(np.swapaxes(low, -1, -2) if upper else low)).requires_grad_()
        solve(f).sin().sum().backward()
        grads.append(f.grad.numpy())
    close(grads[0], grads[1])


def test_determinants_powers_and_exponentials() -> None:
    a = mg.from_numpy(SQUARE)
    close(linalg.det(a), np.linalg.det(SQUARE))
    sign, size = linalg.slogdet(a)
    close(sign * size.exp(), np.linalg.det(SQUARE))
    assert mg.logdet(mg.tensor([[[1.0, 2], [2, 1]], [[2, 0], [0, 2]], [[1, 1], [1, 1]]]))[:1].isnan().all()
    assert mg.logdet(mg.from_numpy(SINGULAR)).item() == -inf
    assert linalg.det(mg.zeros(0, 0)).item() == 1
    for n in (-3, 0, 1, 2, 5):
        close(linalg.matrix_power(a, n), np.linalg.matrix_power(SQUARE, n), 1e-9)
    assert linalg.matrix_power(mg.tensor([[1, 1], [0, 1]]), 10).tolist() == [[1, 10], [0, 1]]
    turn = mg.tensor([[0.0, -math.pi / 3], [math.pi / 3, 0.0]], dtype=mg.float64)
    close(linalg.matrix_exp(turn), [[0.5, -math.sqrt(0.75)], [math.sqrt(0.75), 0.5]])
    close(
        linalg.matrix_exp(mg.tensor([[-400.0, 0], [0, 3.0]], dtype=mg.float64)),
        np.diag(np.exp([-400.0, 3.0])),
    )
    assert linalg.matrix_exp(mg.full((1, 1), nan)).isnan().all()


def test_products_and_tensors_as_matrices() -> None:
    xs = [mg.from_numpy(rng.standard_normal(s)) for s in ((3, 9), (9, 2), (2, 5), (5, 4))]
    close(linalg.multi_dot(xs), np.linalg.multi_dot([x.numpy() for x in xs]))
    close(
        linalg.multi_dot([xs[0][0], xs[1], xs[2][:, 0]]),
        xs[0].numpy()[0] @ xs[1].numpy() @ xs[2].numpy()[:, 0],
    )
    a = rng.standard_normal((2, 3, 6))
    close(linalg.tensorinv(mg.from_numpy(a)), np.linalg.tensorinv(a))
    b = rng.standard_normal((2, 3))
    close(linalg.tensorsolve(mg.from_numpy(a), mg.from_numpy(b)), np.linalg.tensorsolve(a, b))
    c = np.moveaxis(a, 0, 2)
    close(linalg.tensorsolve(mg.from_numpy(c), mg.from_numpy(b), (0, 1)) if c.shape[:2] == (3, 6) else 0,
          np.linalg.tensorsolve(c, b, (0, 1)) if c.shape[:2] == (3, 6) else 0)  # fmt: skip
    assert linalg.vander(mg.tensor([2, 3]), N=3).tolist() == [[1, 2, 4], [1, 3, 9]]
    close(linalg.vecdot(mg.from_numpy(TALL), mg.from_numpy(TALL), dim=1), (TALL * TALL).sum(1))


NORMS: list[tuple[Any, Any, Any]] = [
    (None, None, None), *((p, None, -1) for p in (2, 1, inf, -inf, 0, 3, -2, 0.5)),
    *((p, None, (0, 2)) for p in ("fro", "nuc", inf, -inf, 1, -1, 2, -2)),
]  # fmt: skip


def test_norms_are_numpy_s() -> None:
    for p, _, dim in NORMS:
        for keepdim in (False, True):
            with case((p, dim, keepdim)):
                found = linalg.norm(mg.from_numpy(TALL), p, dim, keepdim)
                close(
                    found,
                    np.linalg.norm(TALL if dim is not None else TALL.ravel(), p, dim, keepdim).reshape(
                        found.shape
                    ),
                )
    x = mg.from_numpy(TALL)
    close(linalg.vector_norm(x, 3), (np.abs(TALL) ** 3).sum() ** (1 / 3))
    close(linalg.matrix_norm(x), np.linalg.norm(TALL, axis=(-2, -1)))
    for p in (1, 2, inf):  # the largest of nothing is 0, the least does not exist
        assert linalg.matrix_norm(mg.zeros(2, 0, 5), p).tolist() == [0.0, 0.0]
        assert linalg.norm(mg.zeros(5, 0), p) == 0.0
    with pytest.raises(RuntimeError, match="If dim is specified, it must be of length 1 or 2"):
        linalg.norm(mg.zeros(2, 3, 4), dim=(0, 1, 2))
    with pytest.raises(IndexError, match="non-zero size"):
        linalg.matrix_norm(mg.zeros(0, 5), -2)
    close(linalg.norm(x[0], 2), np.linalg.norm(TALL[0], 2))
    # one element is its own norm, where its power leaves the type
    for p in (0.5, 2, 3, 50.0):
        for value in (3e20, -1e-30, 0.0):
            alone = mg.tensor([[value]], requires_grad=True)
            y = alone.norm(p, 1)
            y.backward()
            assert (y, alone.grad) == (abs(alone[0]), alone.sign())
    half = linalg.vector_norm(mg.full((4096,), 16.0, dtype=mg.float16))
    assert (half.dtype, half.item()) == (mg.float16, 1024)  # the sum of squares is beyond float16
    assert linalg.norm(mg.ones(2, dtype=mg.float32), dtype=mg.float64).dtype is mg.float64
    for p in (None, 2, -2, "fro", "nuc", 1, inf, -1):
        close(linalg.cond(mg.from_numpy(SQUARE), p), [np.linalg.cond(a, p) for a in SQUARE], 1e-9)
    assert linalg.cond(mg.from_numpy(SINGULAR), 1).item() == inf
    assert linalg.cond(mg.from_numpy(SINGULAR), "nuc").item() == inf
    ranks = mg.from_numpy(np.stack([np.eye(2), SINGULAR, np.zeros((2, 2))]))
    assert linalg.matrix_rank(ranks).tolist() == [2, 1, 0]
    assert linalg.matrix_rank(ranks, hermitian=True).tolist() == [2, 1, 0]
    assert linalg.matrix_rank(ranks, 1.0).tolist() == [0, 1, 0]
    assert linalg.matrix_rank(ranks, atol=mg.tensor([2.0, 0.0, 0.0]), rtol=0.5).tolist() == [0, 1, 0]


def test_least_squares_and_pseudo_inverses() -> None:
    b = rng.standard_normal((2, 4, 2))
    for driver in (None, "gels", "gelsd", "gelss"):
        y = linalg.lstsq(mg.from_numpy(TALL), mg.from_numpy(b), driver=driver)
        exact = [np.linalg.lstsq(TALL[k], b[k]) for k in range(2)]
        close(y.solution, np.stack([e[0] for e in exact]))
        if driver is not None:
            close(y.residuals, np.stack([e[1] for e in exact]))
        assert y.rank.tolist() == ([] if driver == "gels" else [3, 3])
        assert y.singular_values.shape == ((2, 3) if driver in ("gelsd", "gelss") else (0,))
    close(
        linalg.lstsq(mg.from_numpy(WIDE[0]), mg.ones(3, dtype=mg.float64)).solution,
        np.linalg.pinv(WIDE[0]) @ np.ones(3),
    )
    for x in (SQUARE, TALL, WIDE):
        close(linalg.pinv(mg.from_numpy(x)), np.linalg.pinv(x))
    close(linalg.pinv(mg.from_numpy(SINGULAR), hermitian=True), SINGULAR / 25)
    two = linalg.pinv(mg.from_numpy(np.stack([np.diag([4.0, 1.0])] * 2)), atol=mg.tensor([2.0, 0.5]))
    assert two.tolist() == [[[0.25, 0.0], [0.0, 0.0]], [[0.25, 0.0], [0.0, 1.0]]]


def test_older_names() -> None:
    x = mg.from_numpy(TALL)
    u, s, v = mg.svd(x)
    close(u * s[:, None, :] @ v.mT, TALL)
    assert mg.svd(x, some=False).U.shape == (2, 4, 4)
    assert (mg.svd(x, compute_uv=False).U == 0).all()
    assert mg.qr(x, some=False).Q.shape == (2, 4, 4)
    a = mg.from_numpy(SQUARE)
    assert mg.equal(a.inverse(), linalg.inv(a))
    assert mg.equal(a.det(), linalg.det(a))
    close(x.pinverse(), np.linalg.pinv(TALL))
    assert len(a.lu(get_infos=True)) == 3
    assert mg.equal(
        mg.from_numpy(POSITIVE).cholesky(True), linalg.cholesky(mg.from_numpy(POSITIVE), upper=True)
    )


# ---------------------------------------------------------------- gradients


def test_the_gradient_of_det_is_right_for_singular_matrices() -> None:
    """Of rank n - 1 and n - 2, where 1 / det is infinite, and of 0; also the second, a polynomial in the elements."""
    a = rng.standard_normal((3, 3))
    one = np.outer(a[0], a[1])
    for x in (a, np.stack([a[0], a[1], a[0] - 2 * a[1]]), one, np.zeros((3, 3))):
        assert autograd.gradcheck(linalg.det, leaf(x))
        assert autograd.gradgradcheck(linalg.det, leaf(x))
    x = leaf(SINGULAR)
    (g,) = autograd.grad(linalg.det(x), x)
    close(g, [[4.0, -2.0], [-2.0, 1.0]])
    narrow = mg.tensor(SINGULAR, dtype=mg.float32, requires_grad=True)
    (g,) = autograd.grad(linalg.det(narrow), narrow)
    assert g.tolist() == [[pytest.approx(4), pytest.approx(-2)], [pytest.approx(-2), pytest.approx(1)]]
    x = leaf([[nan, 1.0], [1.0, 2.0]])
    (g,) = autograd.grad(linalg.det(x), x)
    assert g.isnan().all()
    x = leaf(SINGULAR)
    (g,) = autograd.grad(linalg.slogdet(x).logabsdet, x)
    assert g.isinf().all()


def test_gradients_where_values_repeat() -> None:
    """Those of values are finite, and those of vectors are not."""
    one = np.diag([2.0, 2.0, 1.0])
    for f, expected in [
        (lambda t: linalg.svdvals(t).sum(), np.eye(3)),
        (lambda t: linalg.svd(t).S.sum(), np.eye(3)),
        (lambda t: linalg.eigvalsh(t).sum(), np.eye(3)),
        (lambda t: linalg.eigh(t).eigenvalues.square().sum(), 2 * one),
        (lambda t: linalg.matrix_norm(t, "nuc"), np.eye(3)),
        (lambda t: linalg.matrix_norm(t, 2), np.diag([0.5, 0.5, 0.0])),
        (lambda t: linalg.pinv(t).sum(), -np.array([[1, 1, 2], [1, 1, 2], [2, 2, 4]]) / 4),
    ]:  # fmt: skip
        x = leaf(one)
        (g,) = autograd.grad(f(x), x)
        close(g, expected)
    for vectors in (
        lambda t: linalg.svd(t).U,
        lambda t: linalg.svd(t).Vh,
        lambda t: linalg.eigh(t).eigenvectors,
    ):
        x = leaf(one)
        (g,) = autograd.grad(vectors(x).sum(), x)
        assert not g.isfinite().all()


def test_composed_functions_have_gradients_of_both_orders() -> None:
    a, b, p = SQUARE[0], WIDE[0], POSITIVE[0]
    for name, f, arrays in [
        ("logdet", lambda t: mg.logdet(t @ t.mT), [a]),
        ("matrix_power", lambda t: linalg.matrix_power(t, -2), [a]),
        ("solve-left", lambda s, t: linalg.solve(s, t.mT, left=False), [a, b]),
        ("solve-vector", lambda s, t: linalg.solve(s, t[:, 0]), [a, b]),
        ("cholesky-upper", lambda t: linalg.cholesky(t @ t.mT, upper=True), [a]),
        ("cholesky_solve", lambda s, t: mg.cholesky_solve(t, linalg.cholesky(s @ s.mT)), [a, b]),
        ("lu_solve", lambda s, t: linalg.lu_solve(*linalg.lu_factor(s), t), [a, b]),
        ("lstsq", lambda s, t: linalg.lstsq(s, t, driver="gelsd").residuals, [TALL[0], TALL[0][:, :1] ** 2]),
        ("householder", lambda t: linalg.householder_product(t, t[0]), [TALL[0]]),
        ("cond", linalg.cond, [a]),
        ("norm-3", lambda t: linalg.vector_norm(t, 3, 0), [a]),
        ("norm-inf", lambda t: linalg.matrix_norm(t, inf), [a]),
        ("eigh", lambda t: (linalg.eigh(t + t.mT).eigenvectors ** 2), [p]),
        ("svd", lambda t: linalg.svd(t, False).U.abs() @ linalg.svd(t, False).Vh.abs(), [b]),
    ]:  # fmt: skip
        with case(name):
            xs = [leaf(x) for x in arrays]
            assert autograd.gradcheck(f, xs, fast_mode=True)
            assert autograd.gradgradcheck(f, xs, fast_mode=True)


def test_the_gradient_of_a_norm_at_0_is_0() -> None:
    for p in (0, 1, 2, 3, 0.5, inf):
        x = leaf(np.zeros(3))
        (g,) = autograd.grad(linalg.vector_norm(x, p), x)
        assert g.tolist() == [0.0, 0.0, 0.0], p


def test_a_complete_qr_of_tall_matrices_and_r_alone_have_no_gradient() -> None:
    x = leaf(TALL)
    for result, says in [
        (linalg.qr(x, "complete").R, "not differentiable when mode='complete' and nrows > ncols"),
        (linalg.qr(x, "r").R, "depends on Q, which is not computed when mode='r'"),
    ]:
        with pytest.raises(RuntimeError, match=says):
            result.sum().backward()


# ---------------------------------------------------------------- errors

E = mg.eye(2)
BATCH = mg.tensor(np.stack([np.eye(2), SINGULAR]))
NOT_POSITIVE = mg.tensor([[1.0, 2.0], [2.0, 1.0]])
INTS, HALF = mg.ones(2, 2, dtype=mg.int64), mg.ones(2, 2, dtype=mg.float16)
LIN, RUN, NOT = linalg.LinAlgError, RuntimeError, NotImplementedError
REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "inv": (lambda: linalg.inv(BATCH[1]), LIN, r"^linalg.inv: The diagonal element 2 is zero, the inversion could .*"
            r"operands: \[2, 2\] float.*test_linalg.py"),
    "inv-batch": (lambda: linalg.inv(BATCH), LIN, r"^linalg.inv: \(Batch element 1\): The diagonal element 2 is zero"),
    "inv_ex": (lambda: linalg.inv_ex(BATCH, check_errors=True), LIN, r"^linalg.inv_ex: \(Batch element 1\): The diag"),
    "power": (lambda: linalg.matrix_power(BATCH[1], -1), LIN, "^linalg.inv: The diagonal element 2"),
    "solve": (lambda: linalg.solve(BATCH[1], BATCH[0]), LIN, "^linalg.solve: The solver failed because .* singular"),
    "solve-batch": (lambda: linalg.solve(BATCH, BATCH), LIN, r"^linalg.solve: \(Batch element 1\): The solver failed"),
    "solve_ex": (lambda: linalg.solve_ex(BATCH, BATCH, check_errors=True), LIN, "^linalg.solve_ex: The solver failed"),
    "cholesky": (lambda: linalg.cholesky(NOT_POSITIVE), LIN, r"^linalg.cholesky: The factorization could not be "
                 r"completed because the input is not positive-definite \(the leading minor of order 2 is"),
    "cholesky-batch": (lambda: linalg.cholesky(mg.stack([E, -E])), LIN, r"\(Batch element 1\): .*minor of order 1 is"),
    "cholesky-nan": (lambda: linalg.cholesky(E * nan), LIN, "minor of order 1 is not"),
    "cholesky_ex": (lambda: linalg.cholesky_ex(-E, check_errors=True), LIN, "^linalg.cholesky_ex: .*order 1"),
    "lu": (lambda: linalg.lu_factor_ex(BATCH, check_errors=True), LIN, r"\(Batch element 1\): U\[2,2\]"),
    "lu_factor": (lambda: linalg.lu_factor(BATCH), RUN, r"\(Batch element 1\): U\[2,2\] is zero .*linalg.lu\(A\)"),
    "svd-nan": (lambda: linalg.svd(E * nan), LIN, "^linalg.svd: The algorithm failed to converge .* non-finite values"),
    "svdvals-inf": (lambda: linalg.svdvals(E / 0), LIN, "^linalg.svd: The algorithm failed"),
    "rect": (lambda: linalg.det(mg.ones(2, 3)), RUN, "^linalg.det: A must be batches of square .* are 2 by 3"),
    "vector": (lambda: linalg.qr(mg.ones(3)), RUN, "^linalg.qr: The input tensor A must have at least 2 dimensions"),
    "vector-inv": (lambda: linalg.inv(mg.ones(3)), RUN, "^linalg.inv: The input tensor A must have at least 2"),
    "ints": (lambda: linalg.inv(INTS), RUN, "^linalg.inv: Expected a floating point or complex tensor as input. Got"),
    "half": (lambda: linalg.inv(HALF), RUN, "^linalg.inv: Low precision dtypes not supported. Got minigrad.float16"),
    "half-qr": (lambda: linalg.qr(HALF), NOT, "linalg.qr\" not implemented for 'Half'"),
    "half-norm": (lambda: linalg.matrix_norm(HALF, 2), RUN, "^linalg.matrix_norm: Low precision dtypes not supported"),
    "solve-shape": (lambda: linalg.solve(E, mg.ones(3, 2)), RUN, r"Incompatible shapes .* AX = B \(2x2 and 3x2"),
    "solve-right": (lambda: linalg.solve(E, mg.ones(2, 3), left=False), RUN, r"XA = B \(2x2 and 2x3\)"),
    "solve-dtype": (lambda: linalg.solve(E, E.double()), RUN, "Expected A and B to have the same dtype"),
    "cholesky-dtype": (lambda: mg.cholesky_solve(E, E.double()), RUN, "Expected A and B to have the same dtype"),
    "older-dtype": (lambda: mg.triangular_solve(E, E.double()), RUN, "Expected A and B to have the same dtype"),
    "solve-batches": (lambda: linalg.solve(mg.ones(2, 2, 2), mg.ones(3, 2, 2)), RUN, "do not broadcast"),
    "triangular": (lambda: linalg.solve_triangular(E, mg.ones(2), upper=True), RUN, "tensor B must have at least 2"),
    "qr-mode": (lambda: linalg.qr(E, "x"), RUN, "^qr received unrecognized mode 'x' but expected one of 'reduced'"),
    "uplo": (lambda: linalg.eigh(E, "x"), RUN, "^Expected UPLO argument to be 'L' or 'U', but got x"),
    "driver": (lambda: linalg.svd(E, driver="gesvd"), RUN, "keyword argument `driver=` is only supported on CUDA"),
    "lstsq": (lambda: linalg.lstsq(E, E, driver="x"), RUN, r"`driver` should be one of \(gels, gelsy, gelsd, gelss\)"),
    "pivot": (lambda: linalg.lu(E, pivot=False), RUN, "LU without pivoting is not implemented"),
    "order": (lambda: linalg.matrix_norm(E, "x"), RUN, "^linalg.matrix_norm: Order x not supported"),
    "dims": (lambda: linalg.norm(mg.ones(2, 2, 2), 2), RUN, "If dim is not specified but ord is, the input must"),
    "norm-ints": (lambda: linalg.norm(INTS), RUN, "^linalg.vector_norm: Expected a floating point or complex tensor"),
    "norm-empty": (lambda: linalg.vector_norm(mg.ones(0), inf), RUN, "^linalg.vector_norm cannot compute the inf norm"),
    "norm-dtype": (lambda: linalg.norm(E.double(), dtype=mg.float32), RUN, "convertible without narrowing"),
    "cond": (lambda: linalg.cond(E, "x"), RUN, "^linalg.cond got an invalid norm type: x"),
    "multi_dot": (lambda: linalg.multi_dot([E]), RUN, r"^multi_dot\(\): expected at least 2 tensors but got 1"),
    "multi_dot-fit": (lambda: linalg.multi_dot([E, mg.ones(3, 2)]), RUN, r"tensors 0 and 1 with shapes \[2, 2\]"),
    "tensorinv": (lambda: linalg.tensorinv(mg.ones(2, 3, 4)), RUN, r"^Expected self to satisfy .*but got 4 != 6"),
    "tensorsolve": (lambda: linalg.tensorsolve(mg.ones(2, 3, 5), mg.ones(2, 3)), RUN, r"but got 5 != 6"),
    "vander": (lambda: linalg.vander(mg.tensor(1)), RUN, "^N must be greater than 1"),
    "householder": (lambda: linalg.householder_product(mg.ones(2, 3), mg.ones(2)), RUN, r"input.shape\[-2\] must"),
    "power-float": (lambda: linalg.matrix_power(E, 1.5), TypeError, "must be int, not float"),
}  # fmt: skip


def test_what_is_refused() -> None:
    for name, (call, kind, says) in REFUSED.items():
        with case(name), pytest.raises(kind, match=says) as caught:
            call()
        assert caught.type is kind, name


def test_the_error_is_a_runtime_error_of_the_namespace() -> None:
    assert issubclass(LIN, RuntimeError)
    assert pickle.loads(pickle.dumps(LIN("no"))).args == ("no",)
    f = mg.compile(linalg.inv)
    close(f(mg.eye(2) * 4), np.eye(2) / 4)
    with pytest.raises(LIN, match=r"The diagonal element 2 is zero.*at .*test_linalg.py"):
        f(mg.tensor(SINGULAR, dtype=mg.float32))


def test_what_does_not_raise_tells_where() -> None:
    y = linalg.inv_ex(BATCH)
    assert (y.inverse[0].tolist(), y.inverse[1].isinf().all().item()) == ([[1, 0], [0, 1]], True)
    assert (y.info.tolist(), y.info.dtype) == ([0, 2], mg.int32)
    y = linalg.solve_ex(BATCH, BATCH)
    assert (y.result[0].tolist(), y.info.tolist()) == ([[1, 0], [0, 1]], [0, 2])
    y = linalg.cholesky_ex(mg.stack([E, NOT_POSITIVE]))
    assert (y.L[0].tolist(), y.info.tolist()) == ([[1, 0], [0, 1]], [0, 2])
    assert linalg.lu_factor_ex(BATCH).info.tolist() == [0, 2]
    assert linalg.inv_ex(E * nan).info.item() == 0


def test_of_what_is_not_a_number_nothing_else_is_said() -> None:
    unknown = mg.tensor([[nan, 1.0], [1.0, 1.0]])
    for f in (
        linalg.inv,
        linalg.det,
        mg.logdet,
        lambda a: linalg.slogdet(a)[1],
        lambda a: linalg.solve(a, E),
    ):
        assert f(unknown).isnan().all()
        batch = f(mg.stack([E, unknown]))
        assert batch[1].isnan().all()
        assert batch[0].isfinite().all()
    program = mg.source(linalg.inv(unknown.requires_grad_()).sum())
    space: dict[str, Any] = {}
    exec(program, space)
    assert np.isnan(space["run"](unknown.detach().numpy())[0]).all()


def test_nothing_is_a_batch_too() -> None:
    none = mg.ones(0, 2, 2)
    for f in (
        linalg.inv,
        linalg.det,
        linalg.cholesky,
        linalg.svdvals,
        linalg.pinv,
        linalg.matrix_exp,
        linalg.cond,
    ):
        assert f(none).shape[0] == 0
    assert linalg.inv(mg.ones(0, 0)).shape == (0, 0)
    assert linalg.matrix_rank(mg.ones(0, 0)).item() == 0
    assert linalg.svd(mg.ones(0, 3)).Vh.shape == (3, 3)

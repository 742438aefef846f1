import numpy as np
import pytest

import minigrad as mg


def checked(op, *arrays):
    inputs = [mg.tensor(a, dtype=mg.float64, requires_grad=True) for a in arrays]
    assert mg.autograd.gradcheck(op, inputs)
    assert mg.autograd.gradgradcheck(op, inputs)


def test_cube_root(work):
    op = work.cube_root()
    y = op(mg.tensor([-8.0, 1.0, 27.0], requires_grad=True))
    assert y.tolist() == pytest.approx([-2.0, 1.0, 3.0])
    (saved,) = y.grad_fn.saved
    assert saved.tolist() == y.tolist(), "what is kept for backward is the result"
    checked(op, [-2.0, 0.5, 1.5, 3.0])


def test_log_cosh(work):
    op = work.log_cosh()
    np.testing.assert_allclose(
        op(mg.tensor([0.5, 1000.0, -1000.0]), mg.tensor(0.0)).numpy(),
        [0.1201145, 999.30685, 999.30685],
        rtol=1e-6,
        err_msg="of a - b = 0.5, 1000 and -1000",
    )
    checked(op, [[-1.0, 0.2, 2.0]], [[0.5], [1.5]])

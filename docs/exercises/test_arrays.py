import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(4, 3))


def test_scale(work, check_vjp):
    check_vjp(work.scale, work.backward_of_scale, (X, rng.normal(size=3)))


def test_row_sums(work, check_vjp):
    check_vjp(work.row_sums, work.backward_of_row_sums, X)


def test_centre(work, check_vjp):
    check_vjp(work.centre, work.backward_of_centre, X)

import numpy as np

rng = np.random.default_rng(0)
X, W = rng.normal(size=(4, 3)), rng.normal(size=(3, 3))


def test_linear(work, check_vjp):
    check_vjp(work.linear, work.backward_of_linear, (X, W[:, :2], rng.normal(size=2)))


def test_twice(work, check_vjp):
    check_vjp(work.twice, work.backward_of_twice, (X, W))


def test_bilinear(work, check_vjp):
    check_vjp(work.bilinear, work.backward_of_bilinear, (X, W, rng.normal(size=(4, 3))))

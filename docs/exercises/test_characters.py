import numpy as np


def test_lookup(work, check_vjp):
    rows = np.array([2, 0, 2, 2])
    table = np.random.default_rng(0).normal(size=(4, 3))
    check_vjp(lambda t: t[rows], lambda t, g: work.backward_of_lookup(t, rows, g), table)


def test_draw(work):
    p = np.array([0.2, 0.5, 0.3])
    assert [work.draw(p, u) for u in (0.0, 0.19, 0.21, 0.69, 0.71, 0.99)] == [0, 0, 1, 1, 2, 2]

import numpy as np


def test_lookup(work, check_vjp):
    rows = np.array([2, 0, 2, 2])
    table = np.random.default_rng(0).normal(size=(5, 3))
    check_vjp(lambda table: table[rows], lambda table, g: work.backward_of_lookup(table, rows, g), table)


def test_draw(work):
    p = np.array([0.2, 0.5, 0.3])
    for u, expected in ((0.0, 0), (0.19, 0), (0.21, 1), (0.69, 1), (0.71, 2), (0.99, 2)):
        drawn = work.draw(p, u)
        assert drawn == expected, f"what u = {u} draws of the probabilities 0.2, 0.5 and 0.3"
    assert work.draw(np.array([0.0, 1.0]), 0.0) == 1, "a class with the probability 0 is never drawn"

import numpy as np

rng = np.random.default_rng(0)


def test_loss(work, check_vjp):
    prediction, target = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    check_vjp(lambda p: work.loss(p, target), lambda p, g: work.backward_of_loss(p, target, g)[0], prediction)


def test_network(work, check_vjp):
    shapes = ((5, 2), (2, 3), (3,), (3, 1), (1,))
    check_vjp(work.network, work.backward_of_network, tuple(rng.normal(size=s) for s in shapes))

import numpy as np

rng = np.random.default_rng(0)


def test_loss(work, check_vjp):
    prediction, target = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))

    def backward(prediction, g):
        pair = work.backward_of_loss(prediction, target, g)
        assert isinstance(pair, tuple), "a gradient for the prediction, and None for the target"
        return pair[0]

    check_vjp(lambda prediction: work.loss(prediction, target), backward, prediction)


def test_network(work, check_vjp):
    shapes = ((5, 2), (2, 3), (3,), (3, 1), (1,))
    check_vjp(work.network, work.backward_of_network, tuple(rng.normal(size=s) for s in shapes))

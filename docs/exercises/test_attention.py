import numpy as np

rng = np.random.default_rng(0)


def test_softmax(work, check_vjp):
    check_vjp(work.softmax, work.backward_of_softmax, rng.normal(size=4))


def test_look_up(work, check_vjp):
    arrays = rng.normal(size=3), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    check_vjp(work.look_up, work.backward_of_look_up, arrays)

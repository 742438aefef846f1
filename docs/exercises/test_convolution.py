import numpy as np

rng = np.random.default_rng(0)


def test_convolve(work, check_vjp):
    check_vjp(work.convolve, work.backward_of_convolve, (rng.normal(size=7), rng.normal(size=3)))

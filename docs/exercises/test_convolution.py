import numpy as np
import pytest

rng = np.random.default_rng(0)


def test_convolve(work, check_vjp):
    check_vjp(work.convolve, work.backward_of_convolve, (rng.normal(size=7), rng.normal(size=3)))


@pytest.mark.parametrize("stride", [2, 3])
def test_strided(work, check_vjp, stride):
    signal, kernel = rng.normal(size=9), rng.normal(size=3)

    def backward(signal, kernel, g):
        triple = work.backward_of_strided(signal, kernel, stride, g)
        assert isinstance(triple, tuple), "gradients for the signal and the kernel, and None for the stride"
        return triple[:2]

    check_vjp(lambda s, k: work.strided(s, k, stride), backward, (signal, kernel))

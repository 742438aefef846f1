import numpy as np
import pytest

rng = np.random.default_rng(0)
x = rng.normal(size=(3, 4))


def test_along(work):
    v = rng.normal(size=x.shape)
    assert work.along(lambda x: (x**3).sum(), x, v) == pytest.approx((3 * x**2 * v).sum(), abs=1e-8)


def test_is_right(work):
    def softmax(x):
        y = np.exp(x)
        return y / y.sum(axis=1, keepdims=True)

    def right(x, g):
        y = softmax(x)
        return y * (g - (g * y).sum(axis=1, keepdims=True))

    assert work.is_right(np.sin, lambda x, g: g * np.cos(x), x) is True, "this one is right"
    assert work.is_right(softmax, right, x) is True, "softmax with its gradient"
    assert work.is_right(np.sin, lambda x, g: -g * np.cos(x), x) is False, "a wrong sign"
    assert work.is_right(np.sin, lambda x, g: np.cos(x), x) is False, "g is left out"
    assert work.is_right(softmax, lambda x, g: np.zeros_like(x), x) is False, "always zero"


def test_normalize(work, check_vjp):
    check_vjp(work.normalize, work.backward_of_normalize, x)

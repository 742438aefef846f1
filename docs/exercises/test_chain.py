import numpy as np
import pytest


@pytest.mark.parametrize("name", ["four_steps", "used_twice", "ten_steps"])
def test_derivative(work, check_vjp, name):
    f, slope = getattr(work, name), getattr(work, f"slope_of_{name}")

    def by_element(x):
        return np.array([f(float(number)) for number in x])

    def slopes(x, g):
        return g * np.array([slope(float(number)) for number in x])

    check_vjp(by_element, slopes, np.array([-0.9, 0.4, 1.1]))

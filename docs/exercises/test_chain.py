import numpy as np
import pytest


@pytest.mark.parametrize("name", ["four_steps", "used_twice", "ten_steps"])
@pytest.mark.parametrize("x", [-0.9, 0.4, 1.1])
def test_slope(work, check_vjp, name, x):
    f, slope = getattr(work, name), getattr(work, f"slope_of_{name}")
    check_vjp(lambda x: np.asarray(f(float(x))), lambda x, g: g * slope(float(x)), np.array(x))

import math

import numpy as np


def test_slope_of_bell(work, check_vjp):
    check_vjp(work.bell, lambda x, g: g * work.slope_of_bell(x), np.array([-2.0, -0.3, 0.0, 0.7, 5.0]))


def test_measured_slope(work):
    # From one side a step of 0.01 would be off by 0.004.
    assert abs(work.measured_slope(math.sin, 1.0, 0.01) - math.cos(1.0)) < 1e-5, (
        "the way from x - step to x + step is 2 * step"
    )
    assert work.measured_slope(abs, 0.0, 0.1) == 0, "both sides of a kink count the same"


def test_lowest(work):
    assert work.lowest(lambda x: 2 * (x - 3), start=0.0, lr=0.25, steps=1) == 1.5, (
        "where the slope is -6, a step goes 0.25 * 6 to the right"
    )
    assert abs(work.lowest(lambda x: 2 * (x - 3), start=0.0, lr=0.25, steps=40) - 3) < 1e-9, (
        "each step asks for the slope where it stands"
    )

"""Exercises on slopes. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k slope`.
"""


def bell(x):
    """The curve 1 / (1 + x²)."""
    return 1 / (1 + x * x)


def slope_of_bell(x):
    """The derivative of `bell`, by a rule: no differences."""
    raise NotImplementedError("slope_of_bell: the derivative of 1 / (1 + x²)")


def measured_slope(f, x, step):
    """The slope of f at x, measured from both sides, from x - step to x + step.

    It is far closer than from one side: its error shrinks with the square of the step.
    """
    raise NotImplementedError("measured_slope: the rise from x - step to x + step, divided by the way")


def lowest(slope, start, lr, steps):
    """Where ``steps`` steps of gradient descent end, from ``start``, on a function with this ``slope``."""
    raise NotImplementedError("lowest: go against the slope, by lr times the slope, again and again")

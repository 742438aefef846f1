"""Exercises on the chain rule. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k chain`.
"""

import math


def four_steps(x):
    return math.exp(-math.sin(x * x))


def slope_of_four_steps(x):
    """The derivative of `four_steps`: go back from the end, with one number g."""
    raise NotImplementedError("slope_of_four_steps: exp, minus, sin and square, from the last to the first")


def used_twice(a):
    b = math.tanh(a)
    return b * b + 3 * b


def slope_of_used_twice(a):
    """The derivative of `used_twice`: what arrives at b, and then tanh's rule."""
    raise NotImplementedError("slope_of_used_twice: add up what arrives at b from both terms")


def ten_steps(x):
    y = x
    for _ in range(10):
        y = y * x + 1
    return y


def slope_of_ten_steps(x):
    """The derivative of `ten_steps`: keep every y, go back, and add up what arrives at x."""
    raise NotImplementedError("slope_of_ten_steps: x is used in each step")

"""Exercises on arrays. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k arrays`.
"""

import numpy as np


def scale(x, s):
    """Rows x, of shape (n, m), each multiplied by s, of shape (m,)."""
    return x * s


def backward_of_scale(x, s, g):
    """The gradients of x and of s; g has the shape (n, m)."""
    raise NotImplementedError("backward_of_scale: s is used in each row")


def row_sums(x):
    """The sum of each row of x, of shape (n, m)."""
    return x.sum(axis=1)


def backward_of_row_sums(x, g):
    """The gradient of x; g has the shape (n,)."""
    raise NotImplementedError("backward_of_row_sums: each element moves the sum of its row one to one")


def centre(x):
    """The columns of x, of shape (n, m), each less its mean."""
    return x - x.mean(axis=0)


def backward_of_centre(x, g):
    """The gradient of x; g has its shape."""
    raise NotImplementedError("backward_of_centre: x is used twice, and a mean spreads its gradient evenly")

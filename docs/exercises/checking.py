"""Exercises on checking a gradient. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k checking`.
"""

import numpy as np


def along(f, x, v, step=1e-6):
    """How fast f(x), one number, changes as the array x moves along v: measured from both sides."""
    raise NotImplementedError("along: a step forward, a step back, and what lies between")


def is_right(f, vjp, x, seed=0):
    """Whether `vjp(x, g)` is the gradient of `f(x)`, an array: to 1e-6, with a random g and along a random v."""
    raise NotImplementedError(
        "is_right: (f(x) * g).sum() is one number; its slope along v is (vjp(x, g) * v).sum()"
    )


def normalize(x):
    """Each row divided by its length."""
    return x / np.sqrt((x * x).sum(axis=1, keepdims=True))


def backward_of_normalize(x, g):
    """`g / length` is not enough: it takes the length for a constant. What does `check_vjp` say of it? Mend it."""
    raise NotImplementedError("backward_of_normalize: where x moves along its own row, nothing changes")

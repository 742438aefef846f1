"""Exercises on operations. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k operation`.
"""

import math

import numpy as np

from minigrad.tape import TABLE, Op


def cube_root():
    """The operation `cube_root` of x, by np.cbrt; its rule reads the result alone, so that x is not kept."""
    raise NotImplementedError("cube_root: the slope of x ** (1 / 3) is 1 / (3 * y ** 2)")


def log_cosh():
    """The operation `log_cosh` of a and b, log(cosh(a - b)), which does not overflow where a - b is 1000 or -1000."""
    raise NotImplementedError(
        "log_cosh: np.logaddexp(d, -d) - log 2; the slope is TABLE['tanh'] of minigrad.tape"
    )

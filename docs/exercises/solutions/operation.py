"""Worked solutions of the exercises on operations."""

import math

import numpy as np

from minigrad.tape import TABLE, Op

tanh = TABLE["tanh"]  # an operation runs on arrays and on Tensors, as a rule has to


def cube_root():
    return Op("cube_root", np.cbrt, "x", lambda g, y: g / (3.0 * y * y), cast="float")


def log_cosh():
    return Op(
        "log_cosh",
        lambda a, b: np.logaddexp(a - b, b - a) - math.log(2.0),
        "a b",
        lambda g, a, b: g * tanh(a - b),
        lambda g, a, b: -g * tanh(a - b),
        cast="float",
    )

"""Worked solutions of the exercises on arrays."""

import numpy as np


def scale(x, s):
    return x * s


def backward_of_scale(x, s, g):
    return g * s, (g * x).sum(axis=0)


def row_sums(x):
    return x.sum(axis=1)


def backward_of_row_sums(x, g):
    return np.broadcast_to(g[:, None], x.shape)


def centre(x):
    return x - x.mean(axis=0)


def backward_of_centre(x, g):
    # Of x itself g; of the mean, what arrives at all rows, with a minus, spread over the rows.
    return g - g.mean(axis=0)

"""Exercises on what the article leaves for later. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k later`.
"""

import numpy as np


def annealed(rate, step, steps):
    """The learning rate at `step`: half a wave of the cosine, from `rate` at step 0 down to 0 at step `steps`."""
    raise NotImplementedError("annealed: cos goes from 1 to -1 between 0 and pi; add 1, and halve")


def dropout(x, keep, share):
    """Where `keep` is 0, x is dropped; a `share` of the elements is. The rest is divided by the share that is left."""
    return np.where(keep, x / (1 - share), 0.0)


def backward_of_dropout(x, keep, share, g):
    """The gradient of x, and None for keep and for share."""
    raise NotImplementedError("backward_of_dropout: what was dropped does not move the result")


def sigmoid(x):
    """1 / (1 + exp(-x)) of each element, without a warning for -1000 or 1000."""
    raise NotImplementedError("sigmoid: exp(-abs(x)) never overflows")


def backward_of_sigmoid(x, g):
    """The gradient of x."""
    raise NotImplementedError("backward_of_sigmoid: the slope is y * (1 - y)")

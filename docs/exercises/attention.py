"""Exercises on attention. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k attention`.
"""

import numpy as np


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def backward_of_softmax(scores, g):
    """The gradient of the scores: each probability moves with each score."""
    raise NotImplementedError("backward_of_softmax: p * (g - the mean of g, weighted by p)")


def look_up(query, keys, values):
    """A soft lookup: query (m,), keys (n, m), values (n, k)."""
    return softmax(keys @ query) @ values


def backward_of_look_up(query, keys, values, g):
    """The gradients of all three."""
    raise NotImplementedError("backward_of_look_up: the values, then softmax, then keys @ query")

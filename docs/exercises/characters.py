"""Exercises on embeddings. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k characters`.
"""

import numpy as np


def backward_of_lookup(table, rows, g):
    """The gradient of the table, of shape (n, m), where ``table[rows]`` was computed.

    ``rows`` is an array of k numbers, some of them equal; g has the shape (k, m).
    """
    raise NotImplementedError("backward_of_lookup: what arrives at a row goes there, added up")


def draw(probabilities, u):
    """The class that a number u from [0, 1) draws: the first one where the running sum exceeds u."""
    raise NotImplementedError("draw: np.cumsum gives the running sum")

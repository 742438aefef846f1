"""Exercises on classes. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k classes`.
"""

import numpy as np


def softmax(scores):
    """The probabilities of one row of scores, of any size: 1,000 must not overflow."""
    raise NotImplementedError("softmax: subtract the largest score first; the result is the same")


def backward_of_cross_entropy(scores, label, g):
    """The gradient of a row of scores, where the cross entropy with ``label`` was computed and g arrives."""
    raise NotImplementedError("backward_of_cross_entropy: the probabilities, less 1 for the right class")

"""Worked solutions of the exercises on classes."""

import numpy as np


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def backward_of_cross_entropy(scores, label, g):
    gradient = softmax(scores)
    gradient[label] -= 1
    return g * gradient

"""Exercises on a neuron. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k neuron`.
"""

import numpy as np


def neuron(x, w, b):
    """relu of the weighted sum: x and w are arrays of n numbers, b is one."""
    raise NotImplementedError("neuron: the sum of x * w, plus b, and 0 where that is negative")


def backward_of_neuron(x, w, b, g):
    """The gradients of x, w and b, if g arrives at the neuron's value."""
    raise NotImplementedError("backward_of_neuron: nothing passes where the sum before relu is negative")


def leaky(x):
    """A relu that lets a tenth of negative numbers through; x is an array."""
    return np.where(x > 0, x, 0.1 * x)


def backward_of_leaky(x, g):
    """The gradient of x; g has its shape."""
    raise NotImplementedError("backward_of_leaky: which slope has each side?")

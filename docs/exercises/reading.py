"""Exercises on reading the generated backprop. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k reading`.
"""

import numpy as np

import minigrad as mg


def train(program, inputs, weights, lr, steps):
    """Runs a program that `mg.source` printed, whose function is called `run`; the losses of all steps.

    It is called with the arrays `inputs` and then the weights, a dict by name. Each step changes the weights in place.
    """
    raise NotImplementedError("train: exec the program, call run, subtract lr times the gradients")


def unreached(loss, net):
    """The names of the parameters of `net` to which the backward pass of `loss` does not come."""
    raise NotImplementedError("unreached: the explanation ends with the gradients that there are")


def forward(x, w, b):
    difference = np.tanh(x * w + b) - x
    return np.sum(difference * difference) / len(x)


def backward(x, w, b, g):
    """The gradients of x, w and b, which all have one length: line by line, from the last to the first."""
    raise NotImplementedError("backward: d_difference first; x is used twice")

"""Worked solutions of the exercises on a neuron."""

import numpy as np


def neuron(x, w, b):
    return np.maximum(np.sum(x * w) + b, 0.0)


def backward_of_neuron(x, w, b, g):
    passed = g if np.sum(x * w) + b > 0 else 0.0
    return passed * w, passed * x, passed


def leaky(x):
    return np.where(x > 0, x, 0.1 * x)


def backward_of_leaky(x, g):
    return np.where(x > 0, g, 0.1 * g)

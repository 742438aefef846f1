"""Exercises on convolution. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k convolution`.
"""

import numpy as np


def convolve(signal, kernel):
    """One number for each place where the kernel fits into the signal."""
    places = len(signal) - len(kernel) + 1
    return np.array([signal[i : i + len(kernel)] @ kernel for i in range(places)])


def backward_of_convolve(signal, kernel, g):
    """The gradients of the signal and of the kernel; g has a number for each place."""
    raise NotImplementedError("backward_of_convolve: go through the places, and add up what each hands back")


def strided(signal, kernel, stride):
    """The same at every place whose number is a multiple of the stride."""
    return convolve(signal, kernel)[::stride]


def backward_of_strided(signal, kernel, stride, g):
    """The gradients of the signal and of the kernel, and None for the stride; g has a number for each place used."""
    raise NotImplementedError("backward_of_strided: the k-th number of g belongs to the place k * stride")

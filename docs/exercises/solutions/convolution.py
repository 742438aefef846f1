"""Worked solutions of the exercises on convolution."""

import numpy as np


def convolve(signal, kernel):
    places = len(signal) - len(kernel) + 1
    return np.array([signal[i : i + len(kernel)] @ kernel for i in range(places)])


def backward_of_convolve(signal, kernel, g):
    g_signal, g_kernel = np.zeros_like(signal), np.zeros_like(kernel)
    for i in range(len(g)):
        g_signal[i : i + len(kernel)] += g[i] * kernel
        g_kernel += g[i] * signal[i : i + len(kernel)]
    return g_signal, g_kernel


def strided(signal, kernel, stride):
    return convolve(signal, kernel)[::stride]


def backward_of_strided(signal, kernel, stride, g):
    every = np.zeros(len(signal) - len(kernel) + 1)
    every[::stride] = g
    return *backward_of_convolve(signal, kernel, every), None

"""Worked solutions of the exercises on a network."""

import numpy as np


def loss(prediction, target):
    return np.mean((prediction - target) ** 2)


def backward_of_loss(prediction, target, g):
    return g * 2 * (prediction - target) / prediction.size, None


def network(x, W1, b1, W2, b2):
    return np.tanh(x @ W1 + b1) @ W2 + b2


def backward_of_network(x, W1, b1, W2, b2, g):
    h = np.tanh(x @ W1 + b1)
    dh = g @ W2.T
    dz = dh * (1 - h * h)
    return dz @ W1.T, x.T @ dz, dz.sum(axis=0), h.T @ g, g.sum(axis=0)

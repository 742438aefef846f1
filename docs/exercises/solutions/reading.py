"""Worked solutions of the exercises on reading the generated backprop."""

import numpy as np

import minigrad as mg


def train(program, inputs, weights, lr, steps):
    names = {}
    exec(program, names)
    losses = []
    for _ in range(steps):
        loss, gradients = names["run"](*inputs, *weights.values())
        losses.append(float(loss))
        for name, gradient in gradients.items():
            weights[name] -= lr * gradient
    return losses


def unreached(loss, net):
    gradients = str(mg.explain(loss, net)).rpartition("Gradients:")[2].split()
    return [name for name, _ in net.named_parameters() if f"{name}.grad" not in gradients]


def forward(x, w, b):
    difference = np.tanh(x * w + b) - x
    return np.sum(difference * difference) / len(x)


def backward(x, w, b, g):
    tanh = np.tanh(x * w + b)
    d_difference = g * 2 * (tanh - x) / len(x)
    d_sum = d_difference * (1 - tanh * tanh)
    return d_sum * w - d_difference, d_sum * x, d_sum

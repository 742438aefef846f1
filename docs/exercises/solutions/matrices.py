"""Worked solutions of the exercises on matrices."""


def linear(x, W, b):
    return x @ W + b


def backward_of_linear(x, W, b, g):
    return g @ W.T, x.T @ g, g.sum(axis=0)


def twice(x, W):
    return (x @ W) @ W


def backward_of_twice(x, W, g):
    between = x @ W
    g_between = g @ W.T
    return g_between @ W.T, between.T @ g + x.T @ g_between


def bilinear(x, W, y):
    return ((x @ W) * y).sum(axis=1)


def backward_of_bilinear(x, W, y, g):
    g_product = g[:, None] * y
    return g_product @ W.T, x.T @ g_product, g[:, None] * (x @ W)

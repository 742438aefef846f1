"""Exercises on matrices. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k matrices`.
"""


def linear(x, W, b):
    """x of shape (n, m), W (m, k), b (k,)."""
    return x @ W + b


def backward_of_linear(x, W, b, g):
    """The gradients of x, W and b; g has the shape (n, k)."""
    raise NotImplementedError("backward_of_linear: two products, and a sum over the rows")


def twice(x, W):
    """The same square matrix W as two layers."""
    return (x @ W) @ W


def backward_of_twice(x, W, g):
    """The gradients of x and W."""
    raise NotImplementedError("backward_of_twice: W is used twice")


def bilinear(x, W, y):
    """One number for each row: x[i] @ W @ y[i]."""
    return ((x @ W) * y).sum(axis=1)


def backward_of_bilinear(x, W, y, g):
    """The gradients of x, W and y; g is a number for each row."""
    raise NotImplementedError("backward_of_bilinear: first that of x @ W, which is g[:, None] * y")

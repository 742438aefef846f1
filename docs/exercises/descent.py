"""Exercises on descent. Replace each `raise` by your answer.

With pytest: `pytest docs/exercises -k descent`.
"""


def momentum_step(p, grad, velocity, lr, momentum):
    """One step of SGD with momentum: the new p, and the new velocity.

    The velocity is ``momentum`` times that of before, plus the gradient; p moves against it.
    """
    raise NotImplementedError("momentum_step: first the velocity, then p")


def largest_rate(steepest):
    """The learning rate above which gradient descent diverges on a bowl ``0.5 * steepest * x**2``."""
    raise NotImplementedError("largest_rate: a step keeps 1 - lr * steepest of x")

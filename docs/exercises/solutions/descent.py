"""Worked solutions of the exercises on gradient descent."""


def momentum_step(p, grad, velocity, lr, momentum):
    velocity = momentum * velocity + grad
    return p - lr * velocity, velocity


def largest_rate(steepest):
    return 2 / steepest

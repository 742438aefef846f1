"""Worked solutions of the exercises on second derivatives."""

from minigrad import autograd


def newton_step(f, x):
    x = x.detach().requires_grad_()
    (slope,) = autograd.grad(f(x), x, create_graph=True)
    (curvature,) = autograd.grad(slope, x)
    return (x - slope / curvature).detach()


def hessian_times(f, p, v):
    p = p.detach().requires_grad_()
    (gradient,) = autograd.grad(f(p), p, create_graph=True)
    return autograd.grad(gradient, p, v)[0]

"""How drawn gamma and Dirichlet numbers move with their parameters, by implicit differentiation.

Where ``F(x; a)`` is the distribution function and ``p`` its density, a number drawn at a fixed ``F`` has the
derivative ``dx/da = -(dF/da) / p(x)`` (M. Figurnov, S. Mohamed, A. Mnih, Implicit reparameterization gradients,
NeurIPS 2018). ``dF/da`` is the integral of ``p(t) * dlog p(t)/da`` up to x, or less that from x on, as all of it is 0.
``dlog p/da`` grows with t and changes its sign once, so on one of the two sides of x nothing cancels. There the
integrand is the exponential of a concave function times a logarithm, if ``log t``, or the logit of t, is the variable:
128 nodes of Gauss and Legendre are exact to 1e-9 or so up to where the exponential has fallen by e**-40.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.kernels.gamma import digamma

Array = np.ndarray[Any, Any]
_FALL, _CHUNK = -40.0, 2048


@functools.cache
def _nodes() -> tuple[Array, Array]:
    """Places in [0, 1] and weights."""
    x, w = np.polynomial.legendre.leggauss(128)
    return (x + 1) / 2, w / 2


def _integral(exponent: Callable[[Array], Any], factor: Callable[[Array], Any], count: int) -> Array:
    """That of ``exp(exponent(s)) * factor(s)`` over s from 0 on; the first is concave and 0 at 0."""
    end = np.ones(count)
    for _ in range(60):
        short = ~(exponent(end[:, None])[:, 0] <= _FALL)
        if not short.any():
            break
        end = np.where(short, 2 * end, end)
    for _ in range(60):
        long = exponent(end[:, None] / 2)[:, 0] <= _FALL
        if not long.any():
            break
        end = np.where(long, end / 2, end)
    for part in (0.75, 0.875, 0.9375):
        end = np.where(exponent(part * end[:, None])[:, 0] <= _FALL, part * end, end)
    x, w = _nodes()
    s = end[:, None] * x
    return (np.exp(exponent(s)) * factor(s)) @ w * end


def _chunked(slope: Callable[..., Any], *arrays: Array) -> Array:
    """`slope` of the elements, a chunk at a time; nan where its arguments are out of range."""
    kind = arrays[0].dtype
    whole = np.broadcast_arrays(*arrays)
    flat = [np.ravel(x).astype(np.float64) for x in whole]
    parts = [slope(*(x[i : i + _CHUNK, None] for x in flat)) for i in range(0, flat[0].size, _CHUNK)]
    return np.concatenate([np.empty(0), *parts]).reshape(whole[0].shape).astype(kind)


def gamma_slope(a: Array, x: Array) -> Array:
    """dx/da of a number x drawn with the shape a and scale 1."""

    def slope(a: Array, x: Array) -> Any:
        log_x, zero = np.log(x), digamma(a)
        side = np.where(log_x < zero, -1.0, 1.0)
        moved = _integral(
            lambda s: side * a * s - x * np.expm1(side * s), lambda s: s + side * (log_x - zero), len(a)
        )
        return x[:, 0] * moved

    return _chunked(slope, a, x)


def dirichlet_slope(x: Array, a: Array, total: Array) -> Array:
    """dx/da / (1 - x) of an element x drawn with the concentration a, where all of them sum to `total`."""

    def slope(x: Array, a: Array, total: Array) -> Any:
        log_x, zero, b = np.log(x), digamma(a) - digamma(total), total - a
        # log(1 - x), and the logit of x
        log_rest = np.log1p(-x)
        at = log_x - log_rest
        side = np.where(log_x < zero, -1.0, 1.0)

        def exponent(s: Array) -> Any:
            y = at + side * s
            return b * (-np.logaddexp(0, y) - log_rest) - a * (np.logaddexp(0, -y) + log_x)

        def factor(s: Array) -> Any:
            return side * (-np.logaddexp(0, -at - side * s) - zero)

        return x[:, 0] * _integral(exponent, factor, len(a))

    return _chunked(slope, x, a, total)

"""Special functions of elements, in NumPy alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.kernels.activations import _polynomial, erfc, normal_quantile

Array = np.ndarray[Any, Any]

_PI = math.pi
_PI_SQUARED = math.pi**2
_ROOT_HALF = math.sqrt(0.5)
_ROOT_PI = math.sqrt(math.pi)
_LOG2_E = math.log2(math.e)


# ---------------------------------------------------------------- products with logarithms


def xlogy(a: Any, b: Any) -> Any:
    """``a * log(b)``, 0 where ``a`` is 0 and ``b`` is a number."""
    return _times_log(a, b, np.log)


def xlog1py(a: Any, b: Any) -> Any:
    """``a * log(1 + b)``, 0 where ``a`` is 0 and ``b`` is a number."""
    return _times_log(a, b, np.log1p)


def _times_log(a: Any, b: Any, logarithm: Any) -> Any:
    dtype = np.result_type(a, b)
    a, b = np.asarray(a, dtype), np.asarray(b, dtype)  # the logarithm of a Python number would be of float64
    return np.where(np.equal(a, 0) & ~np.isnan(b), 0, np.multiply(a, logarithm(b)))


def logaddexp(a: Any, b: Any) -> Any:
    """``log(exp(a) + exp(b))``: NumPy's own takes one element at a time, and ten times as long."""
    return np.maximum(a, b) + np.log1p(np.exp(_apart(a, b)))


def logaddexp2(a: Any, b: Any) -> Any:
    """``log2(2**a + 2**b)``."""
    return np.maximum(a, b) + np.log1p(np.exp2(_apart(a, b))) * _LOG2_E


def _apart(a: Any, b: Any) -> Any:
    """How far the smaller lies below the larger, as a negative number; 0 for the same infinity."""
    return np.fmin(-np.abs(a - b), 0.0)


def entr(x: Array) -> Any:
    """``-x * log(x)``; 0 at 0, -inf below."""
    inner = np.where(x > 0, x, 1.0)
    return np.where(x > 0, -inner * np.log(inner), np.where(x == 0, 0.0, np.where(x < 0, -np.inf, x)))


# ---------------------------------------------------------------- sinc and its derivative


def sinc(x: Array) -> Any:
    """``sin(pi * x) / (pi * x)``."""
    z = np.where(x == 0, 1e-20, x * _PI)
    return np.sin(z) / z


def sinc_bend(x: Array) -> Any:
    """The derivative of `sinc` over ``x``, which is even and smooth; near 0 by its series."""
    z = x * _PI
    square = z * z
    near = np.abs(x) < 0.25
    safe = np.where(near, 1.0, z)
    far = (np.cos(safe) - np.sin(safe) / safe) / (safe * safe)
    # (cos z - sin(z) / z) / z**2 in powers of z**2: those of k have (-1)**(k + 1) * (2 * k + 2) / (2 * k + 3)!
    series = _polynomial(
        np.where(near, square, 0.0), -1.4797143443923793e-16, 4.498331606952833e-14, -1.0706029224547743e-11,
        1.9270852604185937e-09, -2.505210838544172e-07, 2.2045855379188714e-05, -0.0011904761904761906,
        0.03333333333333333, -0.3333333333333333,
    )  # fmt: skip
    return np.where(near, series, far) * _PI_SQUARED


# ---------------------------------------------------------------- the normal distribution


def ndtr(x: Array) -> Any:
    """The area below the normal density up to ``x``."""
    if x.dtype.char != "d":
        return ndtr(x.astype(np.float64)).astype(x.dtype)
    return 0.5 * erfc(-x * _ROOT_HALF)


def erfcx(x: Array) -> Any:
    """``exp(x * x) * erfc(x)``."""
    if x.dtype.char != "d":
        return erfcx(x.astype(np.float64)).astype(x.dtype)
    low = np.minimum(np.maximum(x, -27.0), 5.0)  # below, it is inf
    head = np.trunc(low * 16.0) / 16.0  # whose square is exact
    square = np.exp(head * head) * np.exp((low - head) * (low + head))
    return np.where(x < 5.0, square * erfc(low), _erfcx_far(np.maximum(x, 5.0)))


def _erfcx_far(x: Array) -> Any:
    """From 5 on, by Lentz's form of the continued fraction 7.1.14 of Abramowitz and Stegun, from its end."""
    fraction = x
    for k in range(30, 0, -1):
        fraction = x + (0.5 * k) / fraction
    return 1.0 / (fraction * _ROOT_PI)


def log_ndtr(x: Array) -> Any:
    """``log(ndtr(x))``, exact also where that is small."""
    if x.dtype.char != "d":
        return log_ndtr(x.astype(np.float64)).astype(x.dtype)
    z = -x * _ROOT_HALF
    low = np.maximum(z, 0.5)
    below = np.log(0.5 * erfcx(low)) - low * low
    return np.where(z < 0.5, np.log1p(-0.5 * erfc(-np.minimum(z, 0.5))), below)


def ndtri(p: Array) -> Any:
    """The inverse of `ndtr`."""
    if p.dtype.char != "d":
        return ndtri(p.astype(np.float64)).astype(p.dtype)
    return normal_quantile(p - 0.5, np.minimum(p, 1.0 - p))


# Of orthogonal polynomials, by PyTorch's names: that of degree 1, and the next one from the last two.
_PAIRS: dict[str, tuple[Any, Any]] = {
    "chebyshev_polynomial_t": (lambda x: x, lambda k, x, p, q: 2 * x * p - q),
    "chebyshev_polynomial_u": (lambda x: 2 * x, lambda k, x, p, q: 2 * x * p - q),
    "chebyshev_polynomial_v": (lambda x: 2 * x - 1, lambda k, x, p, q: 2 * x * p - q),
    "chebyshev_polynomial_w": (lambda x: 2 * x + 1, lambda k, x, p, q: 2 * x * p - q),
    "hermite_polynomial_h": (lambda x: 2 * x, lambda k, x, p, q: 2 * x * p - 2 * k * q),
    "hermite_polynomial_he": (lambda x: x, lambda k, x, p, q: x * p - k * q),
    "laguerre_polynomial_l": (lambda x: 1 - x, lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1)),
    "legendre_polynomial_p": (lambda x: x, lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1)),
}

# Those of a degree above 8 that need no steps, as in PyTorch: where |x| is up to so much and not below that, the first
# by the angle whose cosine x is, or without one by x and by 1 or -1, as the degree is even or odd.
_AT_ONCE: dict[str, tuple[float, Any, Any]] = {
    "chebyshev_polynomial_t": (1.0, lambda a, n: np.cos(n * a), lambda x, n, odd: np.where(x > 0, 1, odd)),
    "chebyshev_polynomial_u": (
        1.0,
        lambda a, n: np.sin((n + 1) * a) / np.sin(a),
        lambda x, n, odd: np.where(x > 0, 1, odd) * (n + 1),
    ),
    "chebyshev_polynomial_v": (
        1.0,
        lambda a, n: np.cos((n + 0.5) * a) / np.cos(a / 2),
        lambda x, n, odd: np.where(x > 0, 1, odd * (2 * n + 1)),
    ),
    "chebyshev_polynomial_w": (
        1.0,
        lambda a, n: np.sin((n + 0.5) * a) / np.sin(a / 2),
        lambda x, n, odd: np.where(x > 0, 2 * n + 1, odd),
    ),
    "laguerre_polynomial_l": (0.0, None, lambda x, n, odd: np.ones_like(x)),
    "legendre_polynomial_p": (1.0, None, lambda x, n, odd: np.where(x > 0, 1, odd)),
}


def polynomial(x: Any, n: Any, name: str) -> Any:
    """The one of degree ``n``, without its fraction; 0 below degree 0."""
    base = name.removeprefix("shifted_")
    first, step = _PAIRS[base]
    kind = np.result_type(x, n)
    # a degree that is no number, or endless, counts as one below 0
    x, degrees = np.broadcast_arrays(np.asarray(x, kind), np.trunc(np.where(np.isfinite(n), n, -1)))
    x = x if base == name else 2 * x - 1
    before, now = np.ones_like(x), first(x)
    y = np.where(degrees == 0, before, kind.type(0))
    if base in _AT_ONCE and degrees.max(initial=0) > 8:
        edge, inside, at_edge = _AT_ONCE[base]
        here = (degrees > 8) & (np.abs(x) == edge)
        y = np.where(here, at_edge(x, degrees, 1 - 2 * np.remainder(degrees, 2)).astype(kind), y)
        if inside is not None:
            there = (degrees > 8) & (np.abs(x) < edge)
            y = np.where(there, inside(np.arccos(np.where(there, x, 0)), degrees).astype(kind), y)
            here |= there
        degrees = np.where(here, -1, degrees)
    for k in range(1, 1 + int(degrees.max(initial=0))):
        if k % 64 == 0 and (np.isnan(now) | (degrees < k)).all():
            return np.where(degrees < k, y, now)
        y = np.where(degrees == k, now, y)
        before, now = now, step(k, x, now, before)
    return y

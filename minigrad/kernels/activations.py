"""Functions of single elements that NumPy lacks.

Bounds are calls of ``clip``: NumPy's maximum with a number takes four times as long as that of two arrays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.kernels.constants import constants
from minigrad.kernels.pieces import in_pieces
from minigrad.kernels.select import select

Array = np.ndarray[Any, Any]

_SQRT_HALF = math.sqrt(0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)
_SLOPE = math.sqrt(2 / math.pi)
_CUBIC = 0.044715
_INV_SQRT_PI = 1 / math.sqrt(math.pi)


# ---------------------------------------------------------------- the error function


def erf(x: Array) -> Any:
    if x.dtype.char == "f":
        return _erf_of_singles(x)
    return erf_of_doubles(x)


def erf_of_doubles(x: Array) -> Any:
    return select(np.abs(x) <= 0.46875, _erf_near(x), _erf_far(x))


def erfc(x: Array) -> Any:
    if x.dtype.char != "d":
        return erfc(x.astype(np.float64)).astype(x.dtype)
    y = _erfc_far(np.abs(x))
    return select(np.abs(x) <= 0.46875, 1.0 - _erf_near(x), select(x < 0, 2.0 - y, y))


def _erf_of_singles(x: Array) -> Any:
    """A quotient of polynomials that is exact to float32; beyond 4 it is 1 there."""
    x = x.clip(-4.0, 4.0)
    z = np.multiply(x, x)
    p = _polynomial(
        z, -2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
        -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02,
    )  # fmt: skip
    q = _polynomial(
        z, -1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
        -1.42647390514189e-02,
    )  # fmt: skip
    y: Array = np.multiply(x, p) / q
    # Rounding leads above 1: `1 - erf(x)` would be below 0, and its logarithm nan.
    return np.clip(y, -1.0, 1.0, out=y if y.shape else None)


# The three ranges and their coefficients are W. J. Cody's (Mathematics of Computation 23, 1969), good to 18 digits.


def _erf_near(x: Array) -> Any:
    z = np.minimum(np.multiply(x, x), 0.25)
    p = _polynomial(
        z, 1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
        3.20937758913846947e3,
    )  # fmt: skip
    q = _polynomial(
        z, 1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3
    )
    return x * (p / q)


def _erf_far(x: Array) -> Any:
    return np.copysign(1.0 - _erfc_far(np.abs(x)), x)


def _erfc_far(a: Array) -> Any:
    """erfc of numbers above 0.46875."""
    b = np.clip(a, 0.46875, 4.0)
    p = _polynomial(
        b, 2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
        2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
        1.23033935479799725e3,
    )  # fmt: skip
    q = _polynomial(
        b, 1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
        3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
    )  # fmt: skip
    middle = p / q
    c = np.clip(a, 4.0, 30.0)
    z = 1.0 / (c * c)
    p = _polynomial(
        z, 1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
        1.60837851487422766e-2, 6.58749161529837803e-4,
    )  # fmt: skip
    q = _polynomial(
        z, 1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
        2.33520497626869185e-3,
    )  # fmt: skip
    last = (_INV_SQRT_PI - z * (p / q)) / c
    # exp(-a * a) from a head of few digits, whose square is exact, and the rest
    a = np.minimum(a, 30.0)
    head = np.trunc(a * 16.0) / 16.0
    return np.exp(-head * head) * np.exp((head - a) * (head + a)) * np.where(a <= 4.0, middle, last)


def _polynomial(z: Any, first: float, *rest: float) -> Any:
    """The value of a polynomial whose highest coefficient comes first."""
    y = z * first + rest[0]
    for c in rest[1:]:
        y *= z
        y += c
    return y


def erfinv(x: Array) -> Any:
    if x.dtype.char != "d":
        return erfinv(x.astype(np.float64)).astype(x.dtype)
    return normal_quantile(0.5 * x, 0.5 * (1.0 - np.abs(x))) * _SQRT_HALF


def normal_quantile(q: Any, tail: Any) -> Any:
    """What a standard normal number is below with probability ``1 / 2 + q``; ``tail`` is ``1 / 2 - abs(q)``.

    The three ranges and their coefficients are M. Wichura's (algorithm AS 241, Applied Statistics 37, 1988), good to
    16 digits.
    """
    q, tail = np.asarray(q), np.asarray(tail)
    z = 0.180625 - q * q
    p = _polynomial(
        z, 2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
        13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.3871328727963666080,
    )  # fmt: skip
    d = _polynomial(
        z, 5226.4952788528545610, 28729.085735721942674, 39307.895800092710610, 21213.794301586595867,
        5394.1960214247511077, 687.18700749205790830, 42.313330701600911252, 1.0,
    )  # fmt: skip
    y = np.asarray(q * (p / d))
    far = np.abs(q) > 0.425
    if far.any():
        r = np.sqrt(-np.log(tail[far]))
        z = np.minimum(r, 5.0) - 1.6
        p = _polynomial(
            z, 7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258,
            3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734,
        )  # fmt: skip
        d = _polynomial(
            z, 1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
            1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1.0,
        )  # fmt: skip
        middle = p / d
        z = (r - 5.0).clip(0.0, 25.0)
        p = _polynomial(
            z, 2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
            2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990,
            6.65790464350110377720,
        )  # fmt: skip
        d = _polynomial(
            z, 2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
            7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1,
            1.0,
        )  # fmt: skip
        last = np.where(np.isinf(r), r, p / d)
        y[far] = np.copysign(np.where(r <= 5.0, middle, last), q[far])
    return y


# ---------------------------------------------------------------- gelu


def gelu(x: Array, approximate: str, out: Array | None = None) -> Any:
    return in_pieces(_gelu, x, spare=1, out=out, approximate=approximate)


def gelu_backward(d: Array, x: Array, approximate: str, out: Array | None = None) -> Any:
    """``d`` times the derivative of gelu."""
    return in_pieces(_gelu_backward, d, x, spare=2, out=out, approximate=approximate)


def _gelu(out: Array, spare: Array, x: Array, approximate: str) -> None:
    _normal(out, spare[0, ...], x, approximate)
    np.add(out, _OF_GELU[x.dtype.char][0], out)
    np.multiply(out, x, out)


def _gelu_backward(out: Array, spare: Array, d: Array, x: Array, approximate: str) -> None:
    half, minus_half, density, slope, minus_two, in_z = _OF_GELU[x.dtype.char]
    z, t = spare[0, ...], spare[1, ...]
    _normal(out, z, x, approximate)
    if approximate == "tanh":
        # (1 - tanh(u)**2) / 2 * u' for u = x * (s + s * c * x * x)
        np.multiply(z, in_z, z)
        np.add(z, slope, z)
        np.multiply(out, out, t)
        np.multiply(t, minus_two, t)
        np.add(t, half, t)
        np.multiply(z, t, z)
    else:
        np.multiply(z, minus_half, z)
        np.exp(z, z)
        np.multiply(z, density, z)
    np.multiply(z, x, z)
    np.add(out, half, out)
    np.add(out, z, out)
    np.multiply(out, d, out)


_OF_GELU = constants(0.5, -0.5, _DENSITY, _SLOPE, -2.0, 3.0 * _SLOPE * _CUBIC)

# The coefficients of p in `_normal` for float32, the highest first.
NORMAL = (
    1.7561704366111395e-09, -1.3226332986511578e-07, 3.964744310865027e-06, -5.530619321111902e-05,
    -3.259497655625583e-05, 0.03633308457464716, 0.797884941460254,
)  # fmt: skip
_NORMALS = constants(*NORMAL, _SLOPE * _CUBIC, _SLOPE, _SQRT_HALF, 0.5)


def _normal(out: Array, z: Array, x: Array, approximate: str) -> None:
    """The normal distribution function less 1/2, or what approximates it: ``tanh(x * p(x * x)) / 2``; z is ``x * x``.

    For float32, p is fitted to ``atanh(erf(x / sqrt(2))) / x`` up to 5.7, from where the function is 1/2 in float32.
    So it is exact to 2.9e-8, in half the time of `erf`.
    """
    first, *others, last, cubic, slope, sqrt_half, half = _NORMALS[x.dtype.char]
    np.multiply(x, x, z)
    if approximate == "tanh":
        np.multiply(z, cubic, out)
        np.add(out, slope, out)
    elif x.dtype.char == "f":
        np.multiply(z, first, out)
        for c in others:
            np.add(out, c, out)
            np.multiply(out, z, out)
        np.add(out, last, out)
    else:
        np.multiply(erf(np.multiply(x, sqrt_half)), half, out)
        return
    np.multiply(out, x, out)
    np.tanh(out, out)
    np.multiply(out, half, out)


# ---------------------------------------------------------------- the others


def silu(x: Array) -> Any:
    return x / (1.0 + np.exp(-x))


def mish(x: Array) -> Any:
    return x * np.tanh(x.clip(0.0, np.inf) + np.log1p(np.exp(-np.abs(x))))


def softplus(x: Array, beta: float, threshold: float) -> Any:
    z = x * beta
    return select(z > threshold, x, np.log1p(np.exp(z)) / beta)


def log_sigmoid(x: Array) -> Any:
    return x.clip(-np.inf, 0.0) - np.log1p(np.exp(-np.abs(x)))


def elu(x: Array, alpha: float, scale: float, input_scale: float) -> Any:
    below = np.expm1(x.clip(-np.inf, 0.0) * input_scale) * (alpha * scale)
    return select(x < 0, below, x * scale)  # at 0 an infinite alpha would give nan


def leaky_relu(x: Array, slope: float) -> Any:
    return np.maximum(x, x * slope) if 0.0 < slope <= 1.0 else select(x > 0, x, x * slope)


def prelu(x: Any, w: Any) -> Any:
    return select(np.greater(x, 0), x, np.multiply(x, w))


def hardsigmoid(x: Array) -> Any:
    return (x + 3.0).clip(0.0, 6.0) / 6.0


def hardswish(x: Array) -> Any:
    return x * (x + 3.0).clip(0.0, 6.0) / 6.0


def softshrink(x: Array, lambd: float) -> Any:
    return np.copysign(x - x.clip(-lambd, lambd), x)


def hardshrink(x: Array, lambd: float) -> Any:
    return select((x >= -lambd) & (x <= lambd), x.dtype.type(0), x)


def threshold(x: Array, threshold: float, value: float) -> Any:
    return select(x <= threshold, x.dtype.type(value), x)


def logit(x: Array, eps: float | None) -> Any:
    if eps is not None:
        x = x.clip(eps, 1.0 - eps)
    return np.log(x / (1.0 - x))


# ---------------------------------------------------------------- of losses


def huber(d: Array, delta: float) -> Any:
    """``d * d / 2`` up to delta, then straight on."""
    a = np.abs(d)
    low = a.clip(0.0, delta)
    return low * (a - 0.5 * low)


def bounded_below(x: Array, eps: float) -> Any:
    """``x``, and ``eps`` where it is less."""
    return np.maximum(x, eps)


def binary_cross_entropy(x: Any, target: Any) -> Any:
    zero, one = np.log1p(np.negative(x)).clip(-100.0, np.inf), np.log(x).clip(-100.0, np.inf)
    return (target - 1.0) * zero - target * one


def binary_cross_entropy_with_logits(x: Any, target: Any) -> Any:
    # At infinite x that is PyTorch's inf or nan.
    return (1.0 - target) * x - np.clip(x, -np.inf, 0.0) + np.log1p(np.exp(-np.abs(x)))

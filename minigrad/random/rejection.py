"""Numbers that are drawn until one is accepted: gamma, Poisson and binomial, in the order in which PyTorch draws.

An element takes as many uniform numbers as it needs, so the next one's depend on it: these are loops in Python, of one
to three microseconds an element.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.dtypes import working
from minigrad.random.algorithms import Array
from minigrad.random.bits import Bits

Unit = Callable[[], float]

# PyTorch has these in float32, whatever the element type.
_THIRD, _SQUEEZE = float(np.float32(1 / 3)), float(np.float32(0.0331))


def gamma(bits: Bits, shape: Array, kind: np.dtype[Any]) -> list[float]:
    """Gamma numbers for a vector of shape parameters, whose arithmetic is done in `kind`; nan below 0.

    G. Marsaglia, W. W. Tsang, A simple method for generating gamma variables, ACM TOMS 26 (2000).
    """
    a = shape.astype(working(kind))
    with np.errstate(all="ignore"):
        power = (1 / a).tolist()
        d = (np.where(a < 1, a + 1, a) - a.dtype.type(_THIRD)).astype(np.float64)
        c = (1 / np.sqrt(9.0 * d)).tolist()
    values = []
    with bits.lock, bits.one_by_one() as unit:
        for alpha, one_over, d_, c_ in zip(a.tolist(), power, d.tolist(), c, strict=True):
            if alpha > 0:
                scale = (1.0 - unit()) ** one_over if alpha < 1 else 1.0
                values.append(scale * _gamma(bits, unit, d_, c_))
            else:
                values.append(0.0 if alpha == 0 else math.nan)
    return values


def _gamma(bits: Bits, unit: Unit, d: float, c: float) -> float:
    while True:
        x, y = 0.0, 0.0
        while y <= 0.0:
            x = _normal(bits, unit)
            y = 1.0 + c * x
        v = y * y * y
        u = 1.0 - unit()
        square = x * x
        if u < 1.0 - _SQUEEZE * square * square:
            return d * v
        if math.log(u) < 0.5 * square + d * (1.0 - v + math.log(v)):
            return d * v


def _normal(bits: Bits, unit: Unit) -> float:
    """The next of `serial_normal`."""
    if bits.normal is not None:
        x, bits.normal = bits.normal, None
        return x
    angle = 2.0 * math.pi * unit()
    radius = math.sqrt(-2.0 * math.log1p(-unit()))
    bits.normal = radius * math.sin(angle)
    return radius * math.cos(angle)


def poisson(bits: Bits, rates: list[float]) -> list[float]:
    """Poisson numbers: products of uniform ones up to a rate of 10, from there on transformed rejection (PTRS).

    W. Hoermann, The transformed rejection method for generating Poisson random variables, Insurance: Mathematics and
    Economics 12 (1993).
    """
    with bits.lock, bits.one_by_one() as unit:
        return [_poisson_large(unit, rate) if rate >= 10 else _poisson_small(unit, rate) for rate in rates]


def _poisson_small(unit: Unit, rate: float) -> float:
    if rate == 0.0:
        return 0.0
    bound, product, count = math.exp(-rate), unit(), 0.0
    while product > bound:
        product *= unit()
        count += 1.0
    return count


def _poisson_large(unit: Unit, rate: float) -> float:
    log_rate = math.log(rate)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    one_over_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)
    while True:
        u = unit() - 0.5
        v = unit()
        us = 0.5 - abs(u)
        # us is 0 once in 2**53 draws
        k = float(math.floor((2 * a / us + b) * u + rate + 0.43)) if us else -1.0
        if us >= 0.07 and v <= v_r:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        height = _log(v) + math.log(one_over_alpha) - math.log(a / (us * us) + b)
        if height <= k * log_rate - rate - math.lgamma(k + 1):
            return k


def binomial(bits: Bits, counts: list[float], chances: list[float], kind: np.dtype[Any]) -> list[float]:
    """Binomial numbers: sums of geometric ones up to a mean of 10, from there on transformed rejection (BTRS).

    W. Hoermann, The generation of binomial random variates, J. Statist. Comput. Simul. 46 (1993).
    """
    with bits.lock, bits.one_by_one() as unit:
        return [_binomial(unit, n, p, working(kind).type) for n, p in zip(counts, chances, strict=True)]


def _binomial(unit: Unit, n: float, p: float, number: Any) -> float:
    if n <= 0 or p <= 0:
        return 0.0
    if p >= 1:
        return n
    if not 0 < p < 1 or n != n:
        return math.nan
    q = p if p <= 0.5 else float(number(1.0 - p))
    # the product is PyTorch's: rounded to the element type
    mean = float(number(n) * number(q))
    k = _binomial_large(unit, n, q) if mean >= 10 else _binomial_small(unit, n, q)
    return k if p <= 0.5 else n - k


def _binomial_small(unit: Unit, n: float, p: float) -> float:
    log_q, total, count = math.log1p(-p), 0.0, 0.0
    while True:
        total += math.ceil(_log(unit()) / log_q) if total < math.inf else math.inf
        if total > n:
            return count
        count += 1.0


def _binomial_large(unit: Unit, n: float, p: float) -> float:
    deviation = math.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    v_r = 0.92 - 4.2 / b
    r = p / (1 - p)
    alpha = (2.83 + 5.1 / b) * deviation
    m = math.floor((n + 1) * p)
    while True:
        u = unit() - 0.5
        v = unit()
        us = 0.5 - abs(u)
        k = float(math.floor((2 * a / us + b) * u + c)) if us else -1.0
        if k < 0 or k > n:
            continue
        if us >= 0.07 and v <= v_r:
            return k
        height = _log(v * alpha / (a / (us * us) + b))
        bound = (
            (m + 0.5) * math.log((m + 1) / (r * (n - m + 1)))
            + (n + 1) * math.log((n - m + 1) / (n - k + 1))
            + (k + 0.5) * math.log(r * (n - k + 1) / (k + 1))
            + _tail(m) + _tail(n - m) - _tail(k) - _tail(n - k)
        )  # fmt: skip
        if height <= bound:
            return k


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _tail(k: float) -> float:
    """What Stirling's formula for the logarithm of k! leaves out."""
    if k < 10:
        return math.lgamma(k + 1) - (k + 0.5) * math.log(k + 1) + (k + 1) - 0.5 * math.log(2 * math.pi)
    square = (k + 1) * (k + 1)
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)

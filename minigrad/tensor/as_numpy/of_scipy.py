"""Ufuncs of scipy.special that `minigrad.special` has under no name, made of what it has."""

from __future__ import annotations

import math

from minigrad.core.tensor import Tensor
from minigrad.tensor.as_numpy.common import floating, own


def loggamma(x: Tensor) -> Tensor:
    return own("where")(x < 0, math.nan, own("lgamma")(x))


def gamma(x: Tensor) -> Tensor:
    y = _sign(x) * own("lgamma")(x).exp()
    return own("where")((x < 0) & (x == x.floor()), math.nan, y)


def rgamma(x: Tensor) -> Tensor:
    return _sign(x) * (-own("lgamma")(x)).exp()


def betaln(a: Tensor, b: Tensor) -> Tensor:
    return own("lgamma")(a) + own("lgamma")(b) - own("lgamma")(a + b)


def beta(a: Tensor, b: Tensor) -> Tensor:
    return _sign(a) * _sign(b) * _sign(a + b) * betaln(a, b).exp()


def binom(n: Tensor, k: Tensor) -> Tensor:
    return 1 / ((n + 1) * beta(n - k + 1, k + 1))


def _sign(x: Tensor) -> Tensor:
    """That of the gamma function: below 0 it changes at each whole number."""
    return own("where")((x < 0) & (x.floor() % 2 != 0), -1.0, 1.0).to(floating(x).dtype)


def exp10(x: Tensor) -> Tensor:
    return 10.0 ** floating(x)


def log_expit(x: Tensor) -> Tensor:
    x = floating(x)
    return -own("logaddexp")(-x, own("zeros_like")(x))


def erfcinv(y: Tensor) -> Tensor:
    from minigrad.special import ndtri  # a later family

    return ndtri(y / 2) / -math.sqrt(2)


def rel_entr(x: Tensor, y: Tensor) -> Tensor:
    return own("where")((x < 0) | (y < 0), math.inf, own("xlogy")(x, x) - own("xlogy")(x, y))


def kl_div(x: Tensor, y: Tensor) -> Tensor:
    return rel_entr(x, y) - x + y


def huber(delta: Tensor, r: Tensor) -> Tensor:
    y = own("where")(r.abs() <= delta, r * r / 2, delta * (r.abs() - delta / 2))
    return own("where")(delta < 0, math.inf, y)


def pseudo_huber(delta: Tensor, r: Tensor) -> Tensor:
    below = (delta * delta + r * r).sqrt() + delta
    return own("where")(delta < 0, math.inf, delta * r * r / own("where")(below == 0, 1, below))

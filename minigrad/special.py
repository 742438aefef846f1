"""Special functions, under the names of ``torch.special``."""

from __future__ import annotations

from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.core.types import Operand
from minigrad.functions.activations import log_softmax, softmax
from minigrad.functions.gamma import mvlgamma as multigammaln, polygamma
from minigrad.functions.table import (
    digamma, digamma as psi, erf, erfc, erfinv, exp2, expm1, i0, igamma as gammainc, igammac as gammaincc,
    lgamma as gammaln, log1p, logit, logsumexp, round, sigmoid as expit, sinc, xlogy,
)  # fmt: skip
from minigrad.gate import public
from minigrad.hints import module_getattr
from minigrad.ops import gamma
from minigrad.ops import special as ops

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc",
    "gammaincc", "gammaln", "i0", "i0e", "i1", "i1e", "log1p", "log_ndtr", "log_softmax",
    "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "sinc",
    "softmax", "xlog1py", "xlogy", "zeta",
]  # fmt: skip


def entr(input: Tensor) -> Tensor:
    """``-input * log(input)``; 0 at 0, -inf below."""
    return apply(ops.entr, (input,))


def erfcx(input: Tensor) -> Tensor:
    """``exp(input**2) * erfc(input)``, without overflow and underflow."""
    return apply(ops.erfcx, (input,))


def ndtr(input: Tensor) -> Tensor:
    """The area below the normal density up to ``input``."""
    return apply(ops.ndtr, (input,))


def log_ndtr(input: Tensor) -> Tensor:
    """``log(ndtr(input))``, exact also far below 0."""
    return apply(ops.log_ndtr, (input,))


def ndtri(input: Tensor) -> Tensor:
    """The inverse of `ndtr`: -inf at 0, inf at 1, nan outside."""
    return apply(ops.ndtri, (input,))


def xlog1py(input: Operand, other: Operand) -> Tensor:
    """``input * log1p(other)``; 0 where ``input`` is 0, unless ``other`` is nan. One of the two is a Tensor."""
    return apply(ops.xlog1py, (input, other))


def i0e(input: Tensor) -> Tensor:
    """``exp(-abs(input)) * i0(input)``. It needs SciPy."""
    return apply(gamma.i0e, (input,))


def i1(input: Tensor) -> Tensor:
    """The modified Bessel function of order 1. It needs SciPy."""
    return apply(gamma.i1, (input,))


def i1e(input: Tensor) -> Tensor:
    """``exp(-abs(input)) * i1(input)``. It needs SciPy."""
    return apply(gamma.i1e, (input,))


def zeta(input: Operand, other: Operand) -> Tensor:
    """The sum of ``(k + other) ** -input`` for all whole k from 0 on. ``input`` has no gradient. It needs SciPy."""
    return apply(gamma.zeta, (input, other))


public(globals(), ("i0e", "i1", "i1e", "zeta", "entr", "erfcx", "log_ndtr", "ndtr", "ndtri", "xlog1py"))
module_getattr(globals())

"""Special functions, under the names of ``torch.special``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.core.types import Operand
from minigrad.functions.activations import log_softmax, softmax
from minigrad.functions.elementwise import round
from minigrad.functions.gamma import mvlgamma as multigammaln, polygamma
from minigrad.functions.table import (
    digamma, digamma as psi, erf, erfc, erfinv, exp2, expm1, i0, igamma as gammainc, igammac as gammaincc,
    lgamma as gammaln, log1p, logit, logsumexp, sigmoid as expit, sinc, xlogy,
)  # fmt: skip
from minigrad.gate import case, public
from minigrad.hints import module_getattr
from minigrad.ops import gamma
from minigrad.ops import special as ops

__all__ = [
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_polynomial_t",
    "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma", "entr", "erf", "erfc",
    "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln", "hermite_polynomial_h",
    "hermite_polynomial_he", "i0", "i0e", "i1", "i1e", "laguerre_polynomial_l", "legendre_polynomial_p", "log1p",
    "log_ndtr", "log_softmax", "logit", "logsumexp", "modified_bessel_i0", "modified_bessel_i1",
    "modified_bessel_k0", "modified_bessel_k1", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "sinc",
    "softmax", "spherical_bessel_j0", "xlog1py", "xlogy", "zeta",
]  # fmt: skip


def _of_each(op: Any, input: Tensor) -> Tensor:
    return apply(op, (input,))


entr = case(_of_each, "entr", "``-input * log(input)``; 0 at 0, -inf below.", ops.entr)
erfcx = case(_of_each, "erfcx", "``exp(input**2) * erfc(input)``, without overflow and underflow.", ops.erfcx)
ndtr = case(_of_each, "ndtr", "The distribution function of the standard normal.", ops.ndtr)
log_ndtr = case(_of_each, "log_ndtr", "``log(ndtr(input))``, accurate also far below 0.", ops.log_ndtr)
ndtri = case(_of_each, "ndtri", "The inverse of `ndtr`: -inf at 0, inf at 1, nan outside.", ops.ndtri)
i0e = case(_of_each, "i0e", "``exp(-abs(input)) * i0(input)``. It needs SciPy.", gamma.i0e)
i1 = case(_of_each, "i1", "The modified Bessel function of order 1. It needs SciPy.", gamma.i1)
i1e = case(_of_each, "i1e", "``exp(-abs(input)) * i1(input)``. It needs SciPy.", gamma.i1e)


def xlog1py(input: Operand, other: Operand) -> Tensor:
    """``input * log1p(other)``; 0 where ``input`` is 0, unless ``other`` is nan. One of the two is a Tensor."""
    return apply(ops.xlog1py, (input, other))


def zeta(input: Operand, other: Operand) -> Tensor:
    """The sum of ``(k + other) ** -input`` over k = 0, 1, ... (Hurwitz). No gradient by ``input``. It needs SciPy."""
    return apply(gamma.zeta, (input, other))


# ---------------------------------------------------------------- without gradients, as in PyTorch


def _bessel(name: str, of_scipy: str, text: str) -> Callable[[Tensor], Tensor]:
    def function(input: Tensor) -> Tensor:
        return apply(gamma.bessel, (input,), {"name": of_scipy})

    return _called(function, name, f"{text} It has no gradient, and needs SciPy.")


def _polynomial(name: str, text: str) -> Callable[[Operand, Operand], Tensor]:
    def function(input: Operand, n: Operand) -> Tensor:
        return apply(ops.orthogonal_polynomial, (input, n), {"name": name})

    return _called(
        function, name, f"{text} of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."
    )


def _called(function: Any, name: str, doc: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


airy_ai = _bessel("airy_ai", "airy", "The Airy function Ai.")
bessel_j0 = _bessel("bessel_j0", "j0", "The Bessel function of the first kind of order 0.")
bessel_j1 = _bessel("bessel_j1", "j1", "The Bessel function of the first kind of order 1.")
bessel_y0 = _bessel("bessel_y0", "y0", "The Bessel function of the second kind of order 0.")
bessel_y1 = _bessel("bessel_y1", "y1", "The Bessel function of the second kind of order 1.")
modified_bessel_i0 = _bessel("modified_bessel_i0", "i0", "The values of `i0`.")
modified_bessel_i1 = _bessel("modified_bessel_i1", "i1", "The values of `i1`.")
modified_bessel_k0 = _bessel(
    "modified_bessel_k0", "k0", "The modified Bessel function of the second kind of order 0."
)
modified_bessel_k1 = _bessel(
    "modified_bessel_k1", "k1", "The modified Bessel function of the second kind of order 1."
)
scaled_modified_bessel_k0 = _bessel(
    "scaled_modified_bessel_k0", "k0e", "``exp(input)`` times `modified_bessel_k0`."
)
scaled_modified_bessel_k1 = _bessel(
    "scaled_modified_bessel_k1", "k1e", "``exp(input)`` times `modified_bessel_k1`."
)
spherical_bessel_j0 = _bessel("spherical_bessel_j0", "spherical_j0", "``sin(input) / input``, 1 at 0.")
chebyshev_polynomial_t = _polynomial("chebyshev_polynomial_t", "The Chebyshev polynomial of the first kind")
chebyshev_polynomial_u = _polynomial("chebyshev_polynomial_u", "The Chebyshev polynomial of the second kind")
chebyshev_polynomial_v = _polynomial("chebyshev_polynomial_v", "The Chebyshev polynomial of the third kind")
chebyshev_polynomial_w = _polynomial("chebyshev_polynomial_w", "The Chebyshev polynomial of the fourth kind")
hermite_polynomial_h = _polynomial("hermite_polynomial_h", "The Hermite polynomial of physicists")
hermite_polynomial_he = _polynomial("hermite_polynomial_he", "The Hermite polynomial of probabilists")
laguerre_polynomial_l = _polynomial("laguerre_polynomial_l", "The Laguerre polynomial")
legendre_polynomial_p = _polynomial("legendre_polynomial_p", "The Legendre polynomial")
shifted_chebyshev_polynomial_t = _polynomial(
    "shifted_chebyshev_polynomial_t", "`chebyshev_polynomial_t` of 2x - 1,"
)
shifted_chebyshev_polynomial_u = _polynomial(
    "shifted_chebyshev_polynomial_u", "`chebyshev_polynomial_u` of 2x - 1,"
)
shifted_chebyshev_polynomial_v = _polynomial(
    "shifted_chebyshev_polynomial_v", "`chebyshev_polynomial_v` of 2x - 1,"
)
shifted_chebyshev_polynomial_w = _polynomial(
    "shifted_chebyshev_polynomial_w", "`chebyshev_polynomial_w` of 2x - 1,"
)


_MADE = [name for name in __all__ if "bessel" in name or "polynomial" in name]
public(
    globals(),
    ("i0e", "i1", "i1e", "zeta", "entr", "erfcx", "log_ndtr", "ndtr", "ndtri", "xlog1py", "airy_ai", *_MADE),
)
module_getattr(globals())

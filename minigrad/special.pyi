"""Written by `.ci/stubs`: the module, with the functions that it makes."""

from typing import Any
from __future__ import annotations
from collections.abc import Callable
from typing import Any
from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.core.types import Operand
from minigrad.functions.activations import log_softmax, softmax
from minigrad.functions.elementwise import round
from minigrad.functions.gamma import mvlgamma as multigammaln, polygamma
from minigrad.functions.table import digamma, digamma as psi, erf, erfc, erfinv, exp2, expm1, i0, igamma as gammainc, igammac as gammaincc, lgamma as gammaln, log1p, logit, logsumexp, sigmoid as expit, sinc, xlogy
from minigrad.gate import case, public
from minigrad.hints import module_getattr
from minigrad.ops import gamma
from minigrad.ops import special as ops
__all__ = ['airy_ai', 'bessel_j0', 'bessel_j1', 'bessel_y0', 'bessel_y1', 'chebyshev_polynomial_t', 'chebyshev_polynomial_u', 'chebyshev_polynomial_v', 'chebyshev_polynomial_w', 'digamma', 'entr', 'erf', 'erfc', 'erfcx', 'erfinv', 'exp2', 'expit', 'expm1', 'gammainc', 'gammaincc', 'gammaln', 'hermite_polynomial_h', 'hermite_polynomial_he', 'i0', 'i0e', 'i1', 'i1e', 'laguerre_polynomial_l', 'legendre_polynomial_p', 'log1p', 'log_ndtr', 'log_softmax', 'logit', 'logsumexp', 'modified_bessel_i0', 'modified_bessel_i1', 'modified_bessel_k0', 'modified_bessel_k1', 'multigammaln', 'ndtr', 'ndtri', 'polygamma', 'psi', 'round', 'scaled_modified_bessel_k0', 'scaled_modified_bessel_k1', 'shifted_chebyshev_polynomial_t', 'shifted_chebyshev_polynomial_u', 'shifted_chebyshev_polynomial_v', 'shifted_chebyshev_polynomial_w', 'sinc', 'softmax', 'spherical_bessel_j0', 'xlog1py', 'xlogy', 'zeta']
def _of_each(op: Any, input: Tensor) -> Tensor:
    ...
def entr(input: Tensor) -> Tensor:
    """``-input * log(input)``; 0 at 0, -inf below."""
def erfcx(input: Tensor) -> Tensor:
    """``exp(input**2) * erfc(input)``, without overflow and underflow."""
def ndtr(input: Tensor) -> Tensor:
    """The distribution function of the standard normal."""
def log_ndtr(input: Tensor) -> Tensor:
    """``log(ndtr(input))``, accurate also far below 0."""
def ndtri(input: Tensor) -> Tensor:
    """The inverse of `ndtr`: -inf at 0, inf at 1, nan outside."""
def i0e(input: Tensor) -> Tensor:
    """``exp(-abs(input)) * i0(input)``. It needs SciPy."""
def i1(input: Tensor) -> Tensor:
    """The modified Bessel function of order 1. It needs SciPy."""
def i1e(input: Tensor) -> Tensor:
    """``exp(-abs(input)) * i1(input)``. It needs SciPy."""
def xlog1py(input: Operand, other: Operand) -> Tensor:
    """``input * log1p(other)``; 0 where ``input`` is 0, unless ``other`` is nan. One of the two is a Tensor."""
def zeta(input: Operand, other: Operand) -> Tensor:
    """The sum of ``(k + other) ** -input`` over k = 0, 1, ... (Hurwitz). No gradient by ``input``. It needs SciPy."""
def _bessel(name: str, of_scipy: str, text: str) -> Callable[[Tensor], Tensor]:
    ...
def _polynomial(name: str, text: str) -> Callable[[Operand, Operand], Tensor]:
    ...
def _called(function: Any, name: str, doc: str) -> Any:
    ...
def airy_ai(input: Tensor) -> Tensor:
    """The Airy function Ai. It has no gradient, and needs SciPy."""
def bessel_j0(input: Tensor) -> Tensor:
    """The Bessel function of the first kind of order 0. It has no gradient, and needs SciPy."""
def bessel_j1(input: Tensor) -> Tensor:
    """The Bessel function of the first kind of order 1. It has no gradient, and needs SciPy."""
def bessel_y0(input: Tensor) -> Tensor:
    """The Bessel function of the second kind of order 0. It has no gradient, and needs SciPy."""
def bessel_y1(input: Tensor) -> Tensor:
    """The Bessel function of the second kind of order 1. It has no gradient, and needs SciPy."""
def modified_bessel_i0(input: Tensor) -> Tensor:
    """The values of `i0`. It has no gradient, and needs SciPy."""
def modified_bessel_i1(input: Tensor) -> Tensor:
    """The values of `i1`. It has no gradient, and needs SciPy."""
def modified_bessel_k0(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 0. It has no gradient, and needs SciPy."""
def modified_bessel_k1(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 1. It has no gradient, and needs SciPy."""
def scaled_modified_bessel_k0(input: Tensor) -> Tensor:
    """``exp(input)`` times `modified_bessel_k0`. It has no gradient, and needs SciPy."""
def scaled_modified_bessel_k1(input: Tensor) -> Tensor:
    """``exp(input)`` times `modified_bessel_k1`. It has no gradient, and needs SciPy."""
def spherical_bessel_j0(input: Tensor) -> Tensor:
    """``sin(input) / input``, 1 at 0. It has no gradient, and needs SciPy."""
def chebyshev_polynomial_t(input: Operand, n: Operand) -> Tensor:
    """The Chebyshev polynomial of the first kind of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
def chebyshev_polynomial_u(input: Operand, n: Operand) -> Tensor:
    """The Chebyshev polynomial of the second kind of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
def chebyshev_polynomial_v(input: Operand, n: Operand) -> Tensor:
    """The Chebyshev polynomial of the third kind of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
def chebyshev_polynomial_w(input: Operand, n: Operand) -> Tensor:
    """The Chebyshev polynomial of the fourth kind of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
def hermite_polynomial_h(input: Operand, n: Operand) -> Tensor:
    """The Hermite polynomial of physicists of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
def hermite_polynomial_he(input: Operand, n: Operand) -> Tensor:
    """The Hermite polynomial of probabilists of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
def laguerre_polynomial_l(input: Operand, n: Operand) -> Tensor:
    """The Laguerre polynomial of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
def legendre_polynomial_p(input: Operand, n: Operand) -> Tensor:
    """The Legendre polynomial of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
def shifted_chebyshev_polynomial_t(input: Operand, n: Operand) -> Tensor:
    """`chebyshev_polynomial_t` of 2x - 1, of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
def shifted_chebyshev_polynomial_u(input: Operand, n: Operand) -> Tensor:
    """`chebyshev_polynomial_u` of 2x - 1, of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
def shifted_chebyshev_polynomial_v(input: Operand, n: Operand) -> Tensor:
    """`chebyshev_polynomial_v` of 2x - 1, of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
def shifted_chebyshev_polynomial_w(input: Operand, n: Operand) -> Tensor:
    """`chebyshev_polynomial_w` of 2x - 1, of degree ``n``, 0 below degree 0; one of the two is a Tensor. No gradient."""
_MADE: Any

"""The gamma function, functions related to it, and Bessel functions: by SciPy."""

from __future__ import annotations

from typing import Any, NoReturn

from minigrad.core.op import Op
from minigrad.errors import not_implemented_error
from minigrad.kernels import gamma as k
from minigrad.ops import elementwise as e
from minigrad.ops.elementwise import where


def _density(a: Any, x: Any) -> Any:
    """That of the gamma distribution."""
    return e.exp((a - 1.0) * e.log(x) - x - lgamma(a))


def _no_derivative(name: str) -> Any:
    def rule(g: object) -> NoReturn:
        raise not_implemented_error(f"the derivative for '{name}: input' is not implemented.")

    return rule


def _i1_over(x: Any, y: Any) -> Any:
    """``y / x``, and a half at 0, where ``y`` is a Bessel function of order 1."""
    at_0 = e.eq(x, 0.0)
    return where(at_0, 0.5, y / where(at_0, 1.0, x))


_KIND: dict[str, Any] = {"elementwise": True, "new": True, "cast": "float"}
_FLOATS = {**_KIND, "cast": "floats"}
_PAIR = "input: Tensor, other: Tensor"

# fmt: off
lgamma: Op = Op("lgamma", k.lgamma, "x", lambda g, x: g * digamma(x), public="lgamma lgamma_",
                doc="The logarithm of the size of the gamma function. It needs SciPy.", **_KIND)
digamma: Op = Op("digamma", k.digamma, "x", lambda g, x: g * polygamma(x, n=1), public="digamma digamma_",
                 doc="The derivative of `lgamma`. It needs SciPy.", **_KIND)
polygamma: Op = Op("polygamma", k.polygamma, "x; n", lambda g, x, n: g * polygamma(x, n=n + 1), **_KIND)
zeta: Op = Op("zeta", k.zeta, "x q", _no_derivative("zeta"), lambda g, x, q: g * (-x * zeta(x + 1.0, q)), **_KIND)
igamma = Op("igamma", k.gammainc, "a x", _no_derivative("igamma"), lambda g, a, x: g * _density(a, x),
            public="igamma igamma_", form=_PAIR,
            doc="The incomplete gamma function of order ``input`` up to ``other``, over the whole one. The order has "
            "no gradient: NotImplementedError in backward. It needs SciPy.", **_FLOATS)
igammac = Op("igammac", k.gammaincc, "a x", _no_derivative("igammac"), lambda g, a, x: -(g * _density(a, x)),
             public="igammac igammac_", form=_PAIR, doc="``1 - igamma(input, other)``. It needs SciPy.", **_FLOATS)
i0: Op = Op("i0", k.i0, "x", lambda g, x: g * i1(x), public="i0 i0_",
            doc="The modified Bessel function of order 0. It needs SciPy.", **_KIND)
i0e: Op = Op("i0e", k.i0e, "x", lambda g, x, y: g * (i1e(x) - e.sign(x) * y), grad_fn="SpecialI0EBackward0", **_KIND)
i1: Op = Op("i1", k.i1, "x", lambda g, x, y: g * (i0(x) - _i1_over(x, y)), grad_fn="SpecialI1Backward0", **_KIND)
i1e: Op = Op("i1e", k.i1e, "x", lambda g, x, y: g * (i0e(x) - e.sign(x) * y - _i1_over(x, y)),
             grad_fn="SpecialI1EBackward0", **_KIND)
# Of several names, without gradients.
bessel = Op("bessel", k.bessel, "x; name", **_KIND)
# fmt: on

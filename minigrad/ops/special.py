"""Special functions of elements that NumPy computes; those of SciPy are in `minigrad.ops.gamma`."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.op import Op
from minigrad.kernels import special as k
from minigrad.ops import elementwise as e
from minigrad.ops.buffered import piece_by_piece
from minigrad.ops.elementwise import where

_PI = math.pi
_DENSITY = 1 / math.sqrt(2 * math.pi)
_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)


def _sinc_bend_vjp(g: Any, x: Any, y: Any) -> Any:
    small = e.lt(e.abs(x), 1e-3)
    inner = where(small, 1.0, x)
    far = (sinc(inner) * (-_PI * _PI) - where(small, 0.0, y) * 3.0) / inner
    return g * where(small, x * (_PI**4 / 15), far)


def _xlogy_vjp(g: Any, a: Any, b: Any, logarithm: Op, edge: float) -> Any:
    """``g`` times the logarithm; 0 where ``a`` is 0 and ``b`` at or below ``edge``, where there is no logarithm.

    The logarithm of a Python number is a Python number.
    """
    if not isinstance(b, (int, float)):
        return where(e.logical_and(e.eq(a, 0.0), e.le(b, edge)), 0.0, g * logarithm(b))
    slope = g * float(logarithm.kernel(b))
    return where(e.eq(a, 0.0), 0.0, slope) if b <= edge else slope


def _log_ndtr_vjp(g: Any, x: Any, y: Any) -> Any:
    # The density over the area: below 0 both may be too small, and above it `erfcx` too large.
    above = e.gt(x, 0.0)
    below = g * math.sqrt(2 / math.pi) / erfcx(where(above, 0.0, x) * -math.sqrt(0.5))
    return where(above, g * (e.exp(x * x * -0.5 - y) * _DENSITY), below)


_KIND: dict[str, Any] = {"elementwise": True, "new": True}
_BOTH = "input: Operand, other: Operand"

# fmt: off
logaddexp  = Op("logaddexp", piece_by_piece(k.logaddexp), "a b", lambda g, a, b: g * e.sigmoid(a - b),
                lambda g, a, b: g * e.sigmoid(b - a), cast="floats",
                public="logaddexp", form="input: Tensor, other: Tensor",
                doc="``log(exp(input) + exp(other))``, without overflow. NotImplementedError for integers.",
                **_KIND)
logaddexp2 = Op("logaddexp2", piece_by_piece(k.logaddexp2), "a b", lambda g, a, b: g * e.sigmoid((a - b) * math.log(2)),
                lambda g, a, b: g * e.sigmoid((b - a) * math.log(2)), cast="floats",
                public="logaddexp2", form="input: Tensor, other: Tensor",
                doc="``log2(2**input + 2**other)``, without overflow. NotImplementedError for integers.",
                **_KIND)
xlogy: Op = Op("xlogy", k.xlogy, "a b", lambda g, a, b: _xlogy_vjp(g, a, b, e.log, 0.0),
               lambda g, a, b: g * e.div(a, b), cast="float",
               public="xlogy xlogy_", form=_BOTH, doc="``input * log(other)``; 0 where ``input`` is 0, unless "
               "``other`` is nan.", **_KIND)
xlog1py: Op = Op("xlog1py", k.xlog1py, "a b", lambda g, a, b: _xlogy_vjp(g, a, b, e.log1p, -1.0),
                 lambda g, a, b: g * e.div(a, b + 1.0), cast="float",
                 grad_fn="SpecialXlog1PyBackward0", **_KIND)
entr = Op("entr", k.entr, "x", lambda g, x: g * (-e.log(x) - 1.0), cast="float",
          grad_fn="SpecialEntrBackward0", **_KIND)
sinc: Op = Op("sinc", k.sinc, "x", lambda g, x: g * (x * sinc_bend(x)), cast="float",
              public="sinc sinc_", doc="``sin(pi * input) / (pi * input)``, and 1 at 0.", complex="analytic",
              **_KIND)
sinc_bend: Op = Op("sinc_bend", k.sinc_bend, "x", _sinc_bend_vjp, cast="float", complex="analytic", **_KIND)
ndtr = Op("ndtr", k.ndtr, "x", lambda g, x: g * (e.exp(x * x * -0.5) * _DENSITY), cast="float", **_KIND)
log_ndtr = Op("log_ndtr", k.log_ndtr, "x", _log_ndtr_vjp, cast="float", grad_fn="SpecialLogNdtrBackward0", **_KIND)
ndtri = Op("ndtri", k.ndtri, "p", lambda g, y: g * (e.exp(y * y * 0.5) * (1 / _DENSITY)), cast="float",
           grad_fn="SpecialNdtriBackward0", **_KIND)
erfcx: Op = Op("erfcx", k.erfcx, "x", lambda g, x, y: g * (x * y * 2.0 - _TWO_OVER_ROOT_PI), cast="float",
               grad_fn="SpecialErfcxBackward0", **_KIND)
# Without gradients, as in PyTorch.
orthogonal_polynomial = Op("orthogonal_polynomial", k.polynomial, "x n; name", cast="float", raises=True, **_KIND)
# fmt: on

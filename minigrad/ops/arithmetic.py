"""Arithmetic of elements that few programs need: extremes without nan, signs, whole numbers, parts of a number."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core import names
from minigrad.core.op import Op
from minigrad.kernels import arithmetic as k
from minigrad.ops import elementwise as e
from minigrad.ops.elementwise import where


def _first_wins(a: Any, b: Any, compare: Op) -> Any:
    return e.logical_or(compare(a, b), e.isnan(b))


_PAIR = "input: Tensor, other: Tensor"

# fmt: off
fmax = Op("fmax", np.fmax, "a b", lambda g, a, b: where(_first_wins(a, b, e.ge), g, 0.0),
          lambda g, a, b: where(_first_wins(a, b, e.ge), 0.0, g), cast="same",
          public="fmax", form=_PAIR, doc="The larger of two elements; the number where one is nan.")
fmin = Op("fmin", np.fmin, "a b", lambda g, a, b: where(_first_wins(a, b, e.le), g, 0.0),
          lambda g, a, b: where(_first_wins(a, b, e.le), 0.0, g), cast="same",
          public="fmin", form=_PAIR, doc="The smaller of two elements; the number where one is nan.")
copysign = Op("copysign", np.copysign, "a b", lambda g, a, y: g * (e.sign(a) * e.sign(y)), lambda g: e.zero(g),
              cast="float", public="copysign copysign_", form="input: Tensor, other: Operand",
              doc="The size of ``input`` with the sign of ``other``; gradient 0 where ``input`` is 0.",
              grad_fn=names.of_number("Copysign", 1, 1))
nextafter = Op("nextafter", np.nextafter, "a b", lambda g, a, b: where(e.eq(a, b), 0.0, g),
               lambda g: e.zero(g), cast="floats",
               typed=True, public="nextafter nextafter_", form=_PAIR,
               doc="The next floating-point number from ``input`` towards ``other``.")
heaviside = Op("heaviside", k.heaviside, "x values", e.underived("heaviside"), e.underived("heaviside"),
               elementwise=True, new=True, grad_fn="NotImplemented")
nan_to_num = Op("nan_to_num", k.nan_to_num, "x; nan posinf neginf", lambda g, x: where(e.isfinite(x), g, 0.0),
                elementwise=True, new=True, usual={"nan": 0})
gcd = Op("gcd", np.gcd, "a b", cast="shifts",
         public="gcd gcd_", form=_PAIR, doc="The greatest common divisor of integers.")
lcm = Op("lcm", np.lcm, "a b", cast="shifts",
         public="lcm lcm_", form=_PAIR, doc="The least common multiple of integers.")
exponent = Op("exponent", k.exponent, "x", elementwise=True, new=True)
scale_down: Op = Op("scale_down", k.scale_down, "x exponent", lambda g, exponent: scale_down(g, exponent), None,
                    elementwise=True, new=True)
signbit  = Op("signbit", np.signbit, "x",
              public="signbit", doc="True where an element has a minus sign, also as -0 (bool).")
isneginf = Op("isneginf", np.isneginf, "x", elementwise=True, new=True,
              public="isneginf", doc="True where an element is -inf (bool).")
isposinf = Op("isposinf", np.isposinf, "x", elementwise=True, new=True,
              public="isposinf", doc="True where an element is inf (bool).")
# fmt: on

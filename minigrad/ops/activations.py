"""Activations and elements of losses, and the special functions that they need."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core.op import Op
from minigrad.core.text import Plain
from minigrad.errors import BadValue
from minigrad.kernels import activations as k
from minigrad.kernels.arithmetic import extremes
from minigrad.ops import elementwise as e
from minigrad.ops.buffered import buffered, piece_by_piece
from minigrad.ops.elementwise import where
from minigrad.ops.printing import plain

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
_SLOPE = math.sqrt(2 / math.pi)
_CUBIC = 0.044715


@piece_by_piece
def _gelu_backward_x(g: Any, d: Any, x: Any, approximate: str) -> Any:
    g, z = g * d, x * x
    if approximate == "tanh":
        t = e.tanh((x + z * x * _CUBIC) * _SLOPE)
        inner = (z * (3 * _CUBIC) + 1.0) * _SLOPE  # the derivative of what tanh is taken of
        bend = inner + x * (x * (3 * _CUBIC * _SLOPE) - t * (inner * inner))
        return g * ((1.0 - t * t) * bend)
    return g * (e.exp(z * -0.5) * (1 / math.sqrt(2 * math.pi)) * (2.0 - z))


@piece_by_piece
def _mish_vjp(g: Any, x: Any) -> Any:
    t = e.tanh(softplus(x, beta=1.0, threshold=20.0))
    return g * (t + x * e.sigmoid(x) * (1.0 - t * t))


@piece_by_piece
def _silu_vjp(g: Any, x: Any) -> Any:
    s = e.sigmoid(x)
    return g * (s * (x * (1.0 - s) + 1.0))


@piece_by_piece
def _softplus_vjp(g: Any, x: Any, beta: float, threshold: float) -> Any:
    z = x * beta
    return where(e.gt(z, threshold), g, g * e.sigmoid(z))


@piece_by_piece
def _elu_vjp(g: Any, x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    # of positive numbers exp may be inf, which would spoil the second derivative
    below = e.exp(where(e.lt(x, 0.0), x, 0.0) * input_scale) * (alpha * scale * input_scale)
    return where(e.gt(x, 0.0), g * scale, g * below)


def _outside(x: Any, low: float, high: float) -> Any:
    return e.logical_or(e.le(x, low), e.ge(x, high))


def _flat(g: Any, x: Any) -> Any:
    """``g``, for a rule that only compares ``x``: to PyTorch its slope by that is 0, and not missing."""
    return g if g.__class__ is np.ndarray else e.flat_in(g, x)


def _bent(above: Any, g: Any, x: Any, slope: Any) -> Any:
    g = _flat(g, x)
    return where(above, g, g * slope)


def _within(x: Any, lambd: float) -> Any:
    return e.logical_and(e.ge(x, -lambd), e.le(x, lambd))


@piece_by_piece
def _hardswish_vjp(g: Any, x: Any) -> Any:
    middle = g * (x * (1 / 3) + 0.5)
    return where(e.le(x, -3.0), 0.0, where(e.lt(x, 3.0), middle, g))


@piece_by_piece
def _logit_vjp(g: Any, x: Any, eps: float | None) -> Any:
    low, beyond = (0.0, math.nan) if eps is None else (eps, 0.0)
    outside = e.logical_or(e.lt(x, low), e.gt(x, 1.0 - low))
    inner = x if eps is None else where(outside, 0.5, x)
    return where(outside, beyond, g / (inner * (1.0 - inner)))


@piece_by_piece
def _bce_vjp(g: Any, x: Any, target: Any) -> Any:
    return g * ((x - target) / e.clamp((1.0 - x) * x, min=1e-12, max=None))


@piece_by_piece
def _bce_target_vjp(g: Any, x: Any) -> Any:
    low: dict[str, Any] = {"min": -100.0, "max": None}
    return g * (e.clamp(e.log1p(-x), **low) - e.clamp(e.log(x), **low))


def _probabilities(x: Any, target: Any) -> None:
    for name, values in (("input", np.asarray(x)), ("target", np.asarray(target))):
        least, most = extremes(values) if values.size else (0, 1)
        if not (least >= 0 and most <= 1):  # which nan is not
            hint = "; take the sigmoid, or use binary_cross_entropy_with_logits" if name == "input" else ""
            raise RuntimeError(f"all elements of {name} should be between 0 and 1{hint}")


def _not_negative(var: Any, eps: float) -> None:
    if np.any(np.less(var, 0)):
        raise BadValue("var has negative entry/entries", ValueError)


_KIND: dict[str, Any] = {"elementwise": True, "new": True}

_GELU_SLOPE = "d * (normal_cdf(x) + x * normal_pdf(x))"

# fmt: off
# special functions
erf: Op = Op("erf", piece_by_piece(k.erf), "x", lambda g, x: g * (e.exp(-(x * x)) * _TWO_OVER_ROOT_PI),
         cast="float",
         public="erf erf_", doc="The error function.", **_KIND)
erfc = Op("erfc", piece_by_piece(k.erfc), "x", lambda g, x: g * (e.exp(-(x * x)) * -_TWO_OVER_ROOT_PI),
          cast="float",
          public="erfc erfc_", doc="``1 - erf(input)``, exact also where that is small.", **_KIND)
erfinv: Op = Op("erfinv", piece_by_piece(k.erfinv), "x",
            lambda g, x: g * (e.exp(e.square(erfinv(x))) * (1 / _TWO_OVER_ROOT_PI)), cast="float",
            public="erfinv erfinv_", doc="The inverse of `erf`; inf at 1, nan beyond.", **_KIND)
logit = Op("logit", k.logit, "x; eps", _logit_vjp, cast="float",
           public="logit logit_", form="input: Tensor, eps: float | None = None",
           doc="``log(input / (1 - input))``, of ``input`` between ``eps`` and ``1 - eps`` if that is given.", **_KIND)

# activations
gelu = Op("gelu", buffered(k.gelu), "x; approximate",
          lambda g, x, approximate: gelu_backward(g, x, approximate=approximate), cast="floats", activation=True,
          text=Plain(k.gelu, "x", plain("gelu"), True, erf=k.erf_of_doubles), **_KIND, usual={"approximate": "none"})
gelu_backward: Op = Op("gelu_backward", buffered(k.gelu_backward, like=1), "d x; approximate",
                       lambda g, x, approximate: gelu_backward(g, x, approximate=approximate), _gelu_backward_x,
                       order="K", lies_like=1, new=True,
                       text=Plain(k.gelu_backward, "d, x", plain("gelu_backward"), True, erf=k.erf_of_doubles),
                       usual={"approximate": "none"},
                       reads=lambda n: "" if n.params["approximate"] == "tanh" else _GELU_SLOPE, batch="dims")
silu = Op("silu", k.silu, "x", _silu_vjp, cast="floats", activation=True, complex="analytic", **_KIND)
mish = Op("mish", k.mish, "x", _mish_vjp, cast="floats", activation=True, **_KIND)
softplus: Op = Op("softplus", piece_by_piece(k.softplus), "x; beta threshold", _softplus_vjp, cast="floats",
                  activation=True, **_KIND, usual={"beta": 1, "threshold": 20})
log_sigmoid = Op("log_sigmoid", piece_by_piece(k.log_sigmoid), "x", lambda g, x: g * e.sigmoid(-x), cast="floats",
                 activation=True, **_KIND)
elu = Op("elu", piece_by_piece(k.elu), "x; alpha scale input_scale", _elu_vjp, cast="floats", activation=True, **_KIND,
         usual={"alpha": 1, "scale": 1, "input_scale": 1})
leaky_relu = Op("leaky_relu", k.leaky_relu, "x; slope",
                lambda g, x, slope: _bent(e.gt(x, 0.0), g, x, slope), cast="floats", activation=True, **_KIND)
prelu = Op("prelu", k.prelu, "x w", lambda g, x, w: _bent(e.gt(x, 0.0), g, x, w),
           lambda g, x, w: where(e.gt(x, 0.0), 0.0, _flat(g, w) * x), cast="floats", activation=True,
           grad_fn="PreluKernelBackward0", **_KIND)
hardtanh = Op("hardtanh", e.clamp.kernel, "x; min max",
              lambda g, x, min, max: where(_outside(x, min, max), 0.0, _flat(g, x)), activation=True,
              text=e.clamp.text, into=e.clamp_into, numba=e.clamp_numba, **_KIND)
hardsigmoid = Op("hardsigmoid", k.hardsigmoid, "x",
                 lambda g, x: where(_outside(x, -3.0, 3.0), 0.0, _flat(g, x) * (1 / 6)), cast="floats", activation=True,
                 **_KIND)
hardswish = Op("hardswish", k.hardswish, "x", _hardswish_vjp, cast="floats", activation=True, **_KIND)
softshrink = Op("softshrink", piece_by_piece(k.softshrink), "x; lambd",
                lambda g, x, lambd: where(_within(x, lambd), 0.0, _flat(g, x)), cast="floats", **_KIND)
hardshrink = Op("hardshrink", k.hardshrink, "x; lambd",
                lambda g, x, lambd: where(_within(x, lambd), 0.0, _flat(g, x)), cast="floats",
                public="hardshrink", form="input: Tensor, lambd: float = 0.5",
                doc="0 from ``-lambd`` to ``lambd``, else ``input``.", **_KIND)
threshold = Op("threshold", k.threshold, "x; threshold value",
               lambda g, x, threshold: where(e.le(x, threshold), 0.0, _flat(g, x)), cast="number",
               public="threshold threshold_", form="input: Tensor, threshold: Number, value: Number",
               doc="``input`` where it is greater than ``threshold``, else ``value``.", **_KIND)

# elements of losses
huber = Op("huber", piece_by_piece(k.huber), "d; delta", lambda g, d, delta: g * hardtanh(d, min=-delta, max=delta),
           grad_fn="HuberLossBackward0", **_KIND)
bce = Op("bce", piece_by_piece(k.binary_cross_entropy), "x target", _bce_vjp, _bce_target_vjp, cast="floats",
         check=_probabilities, grad_fn="BinaryCrossEntropyBackward0", **_KIND)
bce_with_logits = Op("bce_with_logits", k.binary_cross_entropy_with_logits, "x target",
                     lambda g, x, target: g * (e.sigmoid(x) - target), lambda g, x: g * -x, cast="floats", lies_like=1,
                     grad_fn="BinaryCrossEntropyWithLogitsBackward0", **_KIND)
# Below the least length, and the least variance, the gradient passes too.
bounded_below = Op("bounded_below", k.bounded_below, "x; eps", lambda g: g, cast="float",
                   text="np.maximum({}, {eps})", **_KIND)
variance = Op("variance", k.bounded_below, "var; eps", lambda g: g, cast="float", check=_not_negative, **_KIND)
# fmt: on

"""NumPy's ufuncs on Tensors."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import ops
from minigrad.core.apply import apply
from minigrad.core.op import TABLE, Op
from minigrad.core.tensor import Tensor, extend
from minigrad.errors import type_error
from minigrad.functions import linalg
from minigrad.functions.creation import from_numpy
from minigrad.gate import methods
from minigrad.ops import elementwise as e
from minigrad.tensor.as_numpy import of_scipy
from minigrad.tensor.as_numpy.common import alike, floating, own, tensor
from minigrad.tensor.operators import operand


@extend
@methods
class _Ufuncs(Tensor):
    """What NumPy asks for."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions on Tensors: recorded like minigrad's own where there is one."""
        if list in (kinds := [*map(type, inputs)]) or tuple in kinds:
            inputs = tuple(tensor(x, self) if isinstance(x, (list, tuple)) else x for x in inputs)
        if ufunc is np.matmul and method == "__call__" and not options:
            return linalg.matmul(*alike(*map(tensor, inputs)))
        if ufunc in _NAMED and method == "__call__" and not options:
            return _NAMED[ufunc](*map(operand, inputs))
        if (along := _ALONG.get((ufunc, method))) is not None:
            from minigrad.tensor.by_numpy import called

            options = {"axis": 0, **options}
            if isinstance(along, str):
                return called(getattr(np, along), inputs, options)
            if len(options) == 1 and type(options["axis"]) is int:
                return along(inputs[0], options["axis"])
        op = _op(ufunc)
        if method == "outer" and op is not None and not options:
            a, b = map(tensor, inputs)
            return apply(op, (a.reshape((*a.shape, *[1] * b.ndim)), b))
        if op is None and method == "__call__" and not options and (function := _special(ufunc)) is not None:
            y = function(*map(tensor, inputs))
            if y.requires_grad or not any(map(_wants_grad, inputs)):
                return y
        plain = method == "__call__" and not options and not _has_own(ufunc.__name__)
        if op is None and plain and not any(map(_wants_grad, inputs)):
            return _of_arrays(ufunc, inputs)
        if op is None or method != "__call__" or options:
            raise type_error(_not_recorded(ufunc, method, inputs, options))
        return apply(op, inputs)


def _special(ufunc: np.ufunc) -> Any:
    """The function of `minigrad.special` for a ufunc of scipy.special, or None."""
    name = ufunc.__name__
    if getattr(sys.modules.get("scipy.special"), name, None) is not ufunc:
        return None
    from minigrad import special

    return getattr(special, name) if name in special.__all__ else getattr(of_scipy, name, None)


def _has_own(name: str) -> bool:
    try:
        own(name)
    except AttributeError:
        return False
    return True


def _wants_grad(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _of_arrays(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Any:
    """What a ufunc gives where no gradient is wanted and minigrad has no function of its name, as Tensors."""
    results = ufunc(*[x.numpy() if isinstance(x, Tensor) else x for x in inputs])
    found = [from_numpy(np.asarray(y)) for y in (results if isinstance(results, tuple) else (results,))]
    return tuple(found) if isinstance(results, tuple) else found[0]


@functools.cache
def _op(ufunc: np.ufunc) -> Op | None:
    """The operation that a ufunc is recorded as; it may be in a family that is not loaded yet."""
    return _OTHERS.get(ufunc) or _among(TABLE, ufunc) or _among(ops.TABLE, ufunc)


def _among(table: dict[str, Op], ufunc: np.ufunc) -> Op | None:
    built_in = (op for op in table.values() if op.home.startswith("minigrad."))
    return next((op for op in built_in if op.kernel is ufunc and not op.params), None)


def _not_recorded(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> str:
    """Why a call of NumPy's is refused, and what to write instead."""
    name, leaves = ufunc.__name__, "or t.detach().numpy() to leave the tape"
    name = f"np.{name}" if getattr(np, name, None) is ufunc else name
    out = options.get("out", ())
    if method == "__call__" and any(type(a) is np.ndarray for a in out):
        sign = _SIGNS.get(ufunc) if inputs[0] is out[0] else None
        what = f"a {sign}= t, with a NumPy array a," if sign else f"{name} with a NumPy array as out="
        tries = f"a = a {sign} t" if sign else f"t = {name}(...)"
        change = f"a {sign}= t.detach().numpy() to change the array" if sign else leaves[3:]
        return f"{what} would lose what a Tensor remembers; write {tries} for a Tensor, or {change}"
    if method != "__call__":
        instead = (
            "t.index_put_(..., accumulate=True)"
            if ufunc is np.add and method == "at"
            else "its own functions"
        )
        named = "".join(f" with {option}=" for option in [*options][-1:]) if (ufunc, method) in _ALONG else ""
        return f"{name}.{method} is not recorded by minigrad{named}; use {instead}, {leaves}"
    if _op(ufunc) is not None or ufunc is np.matmul:
        named, first = ", ".join(f"{option}=" for option in options), next(iter(options))
        instead = {"out": f"t = {name}(...)", "where": "minigrad.where", "dtype": "t.to(dtype)"}.get(
            first, "none"
        )
        return f"{name} is recorded by minigrad, but not with {named}; use {instead}, {leaves}"
    return f"{name} is not recorded by minigrad; use its own functions, {leaves}"


def _called(name: str) -> Callable[..., Any]:
    """A function of minigrad's by its name, of Tensors."""
    return lambda *inputs: own(name)(*inputs)


def _of_two(name: str) -> Callable[..., Any]:
    """A function of two Tensors of one type, by its name."""
    return lambda a, b: own(name)(*alike(*map(floating, map(tensor, (a, b)))))


# Recorded as these functions.
_NAMED: dict[np.ufunc, Callable[..., Any]] = {
    np.deg2rad: _called("deg2rad"), np.radians: _called("deg2rad"), np.rad2deg: _called("rad2deg"),
    np.degrees: _called("rad2deg"), np.rint: lambda x: floating(x).round(), np.positive: _called("positive"),
    np.conjugate: _called("conj"), np.float_power: _called("float_power"),
    np.ldexp: lambda a, b: own("ldexp")(tensor(a), tensor(b)),
    np.frexp: lambda x: tuple(own("frexp")(x)), np.fabs: lambda x: floating(x).abs(),
    np.modf: lambda x: (floating(x).frac(), floating(x).trunc()),
    np.divmod: lambda a, b: (tensor(a) // b, tensor(a) % b),
    np.heaviside: _of_two("heaviside"), np.logaddexp: _of_two("logaddexp"), np.logaddexp2: _of_two("logaddexp2"),
    np.vecdot: lambda a, b: (tensor(a).conj() * b).sum(-1),
}  # fmt: skip
_SIGNS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.true_divide: "/", np.floor_divide: "//", np.remainder: "%",
    np.power: "**", np.matmul: "@", np.bitwise_and: "&", np.bitwise_or: "|", np.bitwise_xor: "^",
}  # fmt: skip
# Along one dimension, the first if nothing else is said: as NumPy's functions of these names, or as these.
_ALONG: dict[tuple[np.ufunc, str], str | Callable[[Tensor, int], Tensor]] = {
    (np.add, "reduce"): "sum", (np.multiply, "reduce"): "prod", (np.maximum, "reduce"): "max",
    (np.minimum, "reduce"): "min", (np.fmax, "reduce"): "nanmax", (np.fmin, "reduce"): "nanmin",
    (np.logical_and, "reduce"): "all", (np.logical_or, "reduce"): "any", (np.add, "accumulate"): "cumsum",
    (np.multiply, "accumulate"): "cumprod", (np.maximum, "accumulate"): lambda t, dim: own("cummax")(t, dim)[0],
    (np.minimum, "accumulate"): lambda t, dim: own("cummin")(t, dim)[0],
    (np.logaddexp, "reduce"): lambda t, dim: own("logsumexp")(t, dim),
    (np.logaddexp, "accumulate"): lambda t, dim: own("logcumsumexp")(t, dim),
}  # fmt: skip
_OTHERS = {
    np.power: e.pow, np.floor_divide: e.floor_divide, np.remainder: e.remainder, np.fmod: e.fmod, np.sign: e.sign,
}  # fmt: skip

"""NumPy's ufuncs on Tensors."""

from __future__ import annotations

import functools
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
from minigrad.tensor.as_numpy.common import own
from minigrad.tensor.operators import operand


@extend
@methods
class _Ufuncs(Tensor):
    """What NumPy asks for."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions on Tensors: recorded like minigrad's own where there is one."""
        if ufunc is np.matmul and method == "__call__" and not options:
            return linalg.matmul(*(operand(x) for x in inputs))
        if ufunc in _NAMED and method == "__call__" and not options:
            return own(_NAMED[ufunc])(operand(inputs[0]))
        op = _op(ufunc)
        plain = method == "__call__" and not options and not _has_own(ufunc.__name__)
        if op is None and plain and not any(map(_wants_grad, inputs)):
            return _of_arrays(ufunc, inputs)
        if op is None or method != "__call__" or options:
            raise type_error(_not_recorded(ufunc, method, inputs, options))
        return apply(op, inputs)


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
    own = (op for op in table.values() if op.home.startswith("minigrad."))
    return next((op for op in own if op.kernel is ufunc and not op.params), None)


def _not_recorded(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> str:
    """Why a call of NumPy's is refused, and what to write instead."""
    name, leaves = f"np.{ufunc.__name__}", "or t.detach().numpy() to leave the tape"
    out = options.get("out", ())
    if method == "__call__" and any(type(a) is np.ndarray for a in out):
        sign = _SIGNS.get(ufunc) if inputs[0] is out[0] else None
        what = f"a {sign}= t, with a NumPy array a," if sign else f"{name} with a NumPy array as out="
        tries = f"a = a {sign} t" if sign else f"t = {name}(...)"
        change = f"a {sign}= t.detach().numpy() to change the array" if sign else leaves[3:]
        return f"{what} would lose what a Tensor remembers; write {tries} for a Tensor, or {change}"
    if method != "__call__":
        own = _METHODS.get((ufunc, method), "its own functions")
        return f"{name}.{method} is not recorded by minigrad; use {own}, {leaves}"
    if _op(ufunc) is not None or ufunc is np.matmul:
        named, first = ", ".join(f"{option}=" for option in options), next(iter(options))
        own = {"out": f"t = {name}(...)", "where": "minigrad.where", "dtype": "t.to(dtype)"}.get(
            first, "none"
        )
        return f"{name} is recorded by minigrad, but not with {named}; use {own}, {leaves}"
    return f"{name} is not recorded by minigrad; use its own functions, {leaves}"


# Recorded as functions of these names.
_NAMED = {
    np.deg2rad: "deg2rad", np.radians: "deg2rad", np.rad2deg: "rad2deg", np.degrees: "rad2deg", np.rint: "round",
    np.positive: "positive", np.conjugate: "conj",
}  # fmt: skip
_SIGNS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.true_divide: "/", np.floor_divide: "//", np.remainder: "%",
    np.power: "**", np.matmul: "@", np.bitwise_and: "&", np.bitwise_or: "|", np.bitwise_xor: "^",
}  # fmt: skip
_METHODS: dict[tuple[np.ufunc, str], str] = {
    (np.add, "reduce"): "t.sum()", (np.multiply, "reduce"): "t.prod()", (np.maximum, "reduce"): "t.amax()",
    (np.minimum, "reduce"): "t.amin()", (np.logical_and, "reduce"): "t.all()", (np.logical_or, "reduce"): "t.any()",
    (np.add, "accumulate"): "t.cumsum()", (np.multiply, "accumulate"): "t.cumprod()",
    (np.multiply, "outer"): "minigrad.outer", (np.add, "at"): "t.index_put_(..., accumulate=True)",
}  # fmt: skip
_OTHERS = {
    np.power: e.pow, np.floor_divide: e.floor_divide, np.remainder: e.remainder, np.fmod: e.fmod, np.sign: e.sign,
}  # fmt: skip

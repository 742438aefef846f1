"""`memory_format=`: a result that lies row by row, or with its channels last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core.apply import apply
from minigrad.core.basic import in_memory
from minigrad.core.tensor import Tensor, wrap
from minigrad.formats import channels_behind, preserve_format
from minigrad.kernels.order import channels_last, inverse, is_behind

LIKE = frozenset(f"{name}_like" for name in ("empty", "full", "ones", "rand", "randint", "randn", "zeros"))
CONVERT = frozenset([
    "cpu", "bfloat16", "bool", "byte", "cdouble", "cfloat", "char", "double", "float", "half", "int", "long", "short",
])  # fmt: skip
TAKES = LIKE | CONVERT | {"clone", "empty"}


def result(name: str, call: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """What ``call`` gives, in the format that is among the arguments given by name.

    TypeError for anything but a format, RuntimeError for one of another number of dimensions.
    """
    format = named.pop("memory_format")
    if format is None or format is preserve_format:
        return call(args, named)
    if name == "empty":
        y = call(args, named)
        return _laid(y, format).requires_grad_(y.requires_grad)
    key = "self" if "self" in named else "input"
    x, rest = (args[0], args[1:]) if args else (named.pop(key, None), ())
    if not isinstance(x, Tensor) or name in CONVERT:
        return in_format(call((x, *rest), named), format, x)
    if name == "clone":
        return apply(in_memory, (x,), {"axes": _axes(format, x._array.ndim)})
    return call((_laid(x, format), *rest), named)


def in_format(t: Tensor, format: Any, of: Any) -> Tensor:
    """The Tensor itself if it lies in the format, else a copy, recorded; ``of`` is what it was converted from.

    As in PyTorch, what lies otherwise than images with their channels last counts as row by row, unless it is a copy.
    """
    behind = channels_behind(format, t._array.ndim)
    if format is None or format is preserve_format:
        return t
    if not behind:
        return t if t is of and not is_behind(t._array) else t.contiguous()
    if is_behind(t._array):
        return t
    return apply(in_memory, (t,), {"axes": channels_last(t._array.ndim)})


def _axes(format: Any, ndim: int) -> tuple[int, ...]:
    return channels_last(ndim) if channels_behind(format, ndim) else tuple(range(ndim))


def _laid(t: Tensor, format: Any) -> Tensor:
    """A Tensor of the same shape and element type in memory of that format, with whatever is in it."""
    axes = _axes(format, t._array.ndim)
    return wrap(np.empty([t._array.shape[d] for d in axes], t._array.dtype).transpose(inverse(axes)))

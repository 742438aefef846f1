"""``out=``: a function writes its result into a Tensor that exists, as PyTorch's do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minigrad.core.mode import MODE
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error, type_error, warn

_KINDS = "biuf"  # a result of a later kind does not fit into an earlier one; signs are no matter


def write(name: str, out: Any, args: Iterable[Any], function: Callable[[], Any]) -> Any:
    """Calls the function without ``out``, to which its result is written; what it returns is ``out``.

    A Tensor of another shape takes that of the result. TypeError for what is no Tensor; RuntimeError where gradients
    are wanted, and for an ``out`` of a dtype to which the result is not cast.
    """
    outs = out if isinstance(out, (tuple, list)) else (out,)
    for t in outs:
        if not isinstance(t, Tensor):
            raise type_error(f"{name}(): argument 'out' must be Tensor, not {type(t).__name__}")
    if MODE.get().grad and any(t.requires_grad for t in (*outs, *_tensors(args))):
        raise runtime_error(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad. Use the result, or do it under no_grad()"
        )
    result = function()
    results = result if isinstance(result, tuple) else (result,)
    if len(results) != len(outs):
        raise type_error(f"{name}(): 'out' has {len(outs)} Tensors, and the result {len(results)}")
    for t, value in zip(outs, results, strict=True):
        _fit(name, t, value)
    return type(result)(*outs) if hasattr(result, "_fields") else out


def _tensors(args: Iterable[Any]) -> Iterable[Tensor]:
    for x in args:
        if isinstance(x, Tensor):
            yield x
        elif isinstance(x, (tuple, list)):
            yield from (t for t in x if isinstance(t, Tensor))


def _fit(name: str, out: Tensor, value: Tensor) -> None:
    """Writes a result."""
    mine, its = out._array.dtype, value._array.dtype
    if _rank(its) > _rank(mine):
        raise runtime_error(f"{name}(): result type {its} can't be cast to the desired output type {mine}")
    if out.shape != value.shape:
        if out._array.size:
            warn(
                f"{name}(): an output with one or more elements was resized since it had shape {list(out.shape)}, "
                f"which does not match the required output shape {list(value.shape)}. Use out.resize_(0) before, or "
                "an output of that shape"
            )
        out.data = value.new_empty(Size(value.shape), dtype=out.dtype)
    out.copy_(value)


def _rank(dtype: np.dtype[Any]) -> int:
    return _KINDS.index(dtype.kind if dtype.kind != "u" else "i")

"""`out=`: a result written into Tensors that the caller has."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.apply import cast, needs_value
from minigrad.core.mode import MODE
from minigrad.core.tensor import Tensor, wrap
from minigrad.dtypes import can_cast, scalar
from minigrad.errors import runtime_error, type_error, warn
from minigrad.hints.names import OUT

TAKES = frozenset(OUT.split())
# Those that compute in the element type of `out`, where no `dtype` says another.
_TYPED = """
    arange cumprod cumsum empty eye full linspace logspace nansum ones prod rand randint randn randperm range sum zeros
"""
_OF_OUT = frozenset(_TYPED.split())
# Those whose `out` has the element type of the result; others convert to it. (PyTorch's by trial, one by one.) Of those
# with several results all but two are like that.
_EXACT = """
    abs absolute addbmm addmm addmv alias_copy amax amin argmax argmin argsort as_strided_copy baddbmm bitwise_not
    bmm bucketize ceil chain_matmul complex conj_physical cross det diag diagonal_copy dot eigvalsh fix float_power
    floor frac gather hardshrink heaviside histc ihfft index_add index_copy index_select inner inv inverse isin
    isneginf isposinf log_softmax logcumsumexp masked_select matmul matrix_norm median mm msort multi_dot
    multinomial mv nan_to_num nanmedian nanquantile narrow_copy neg negative nonzero nonzero_static norm polar
    quantile renorm round scatter scatter_add scatter_reduce searchsorted sgn sign signbit slice_scatter softmax
    solve squeeze_copy svdvals t_copy take take_along_dim tensordot transpose_copy tril triu trunc unfold_copy
    unsqueeze_copy vdot vecdot vector_norm view_as_complex_copy view_copy where
"""
_IN_THEIR_TYPE = frozenset(_EXACT.split())
_CONVERTED = frozenset(["eig", "lstsq"])


def with_type_of(name: str, out: Any, named: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call, with the element type of ``out`` as ``dtype`` where the function takes it from there."""
    if isinstance(out, Tensor) and named.get("dtype") is None and name in _OF_OUT:
        return {**named, "dtype": out.dtype}
    return named


def into(name: str, result: Any, out: Any, exact: bool = False) -> Any:
    """``out``, a Tensor or one for each result, with the result of the function ``name`` in it.

    It is resized where its shape is another: then it stands on new memory, and views of it keep the old. UserWarning
    if it had elements.  RuntimeError if a gradient is wanted, or for a kind of dtype that it cannot hold; with
    ``exact``, where the caller names the dtype, for any other.
    """
    if isinstance(result, Tensor):
        if not isinstance(out, Tensor):
            raise type_error(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
        _check(name, result, out, exact or name in _IN_THEIR_TYPE)
        return _write(name, result, out)
    count = len(result)
    if not isinstance(out, (tuple, list)) or len(out) != count or not all(isinstance(t, Tensor) for t in out):
        raise type_error(
            f"{name}(): argument 'out' must be tuple of {count} Tensors, not {type(out).__name__}"
        )
    if len({id(t) for t in out}) < count:
        raise runtime_error(f"{name}(): argument 'out' has one Tensor for several results")
    for one, t in zip(result, out, strict=True):
        _check(name, one, t, name not in _CONVERTED)
    written = [_write(name, one, t) for one, t in zip(result, out, strict=True)]
    return result._make(written) if hasattr(result, "_make") else type(result)(written)


def check_gradient(name: str, result: Tensor, out: Tensor) -> None:
    """RuntimeError where a gradient is wanted, which none flows through."""
    if result.requires_grad or (out.requires_grad and MODE.get().grad):
        raise runtime_error(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            f"arguments requires grad; assign the result, or call it under no_grad()"
        )


def _check(name: str, result: Tensor, out: Tensor, exact: bool) -> None:
    check_gradient(name, result, out)
    value, array = result._array, out._array
    if name in ("all", "any"):
        fits = array.dtype.char in "?B"
    elif name == "bernoulli":
        fits = array.dtype.kind != "c"
    else:
        fits = value.dtype == array.dtype or (not exact and can_cast(value.dtype, array.dtype))
    if not fits:
        raise runtime_error(
            f"{name}(): result type {scalar(value.dtype)} can't be cast to the desired output type "
            f"{scalar(array.dtype)}"
        )


def _write(name: str, result: Tensor, out: Tensor) -> Tensor:
    value, array = result._array, out._array
    if value.shape == array.shape:
        return out.copy_(result)
    needs_value(f"resizing the out= of {name}()")
    if array.size:
        warn(
            f"An output with one or more elements was resized since it had shape {list(array.shape)}, which does not "
            f"match the required output shape {list(value.shape)}. Give {name}() one of that shape, or an empty one"
        )
    out.data = wrap(np.array(cast(result, array.dtype)._array))  # a copy: some functions give an operand back
    return out

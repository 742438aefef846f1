"""A result written over a Tensor: the array alone where nothing is recorded, otherwise on the tape as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core.apply import apply, cast
from minigrad.core.changes import RUNNING, changed, keeps_record, overlaps, will_change
from minigrad.core.mode import MODE
from minigrad.core.node import Node, Packed, next_seq
from minigrad.core.op import NO_PARAMS, Array, Op, Params
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor, data_leaf
from minigrad.core.views import carries_gradients, check_change, check_inference, rebase
from minigrad.dtypes import F32, F64, I64, can_cast, scalar
from minigrad.errors import runtime_error, warn_once
from minigrad.ops import shape

# Methods that write to single elements, so that elements may share memory; and whether PyTorch warns then.
_SOME = {"index_fill_": True, "index_put_": True, "tril_": False, "triu_": False}
IN_PLACE = """

The result is written over this Tensor, which is returned. RuntimeError for a result of another shape, or of a kind of
dtype that the Tensor cannot hold, and for a leaf that requires grad while grad mode is on.
"""


def in_place(function: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    """The method that puts a function's result in place of the Tensor: ``exp_`` for ``exp``."""

    def method(self: Tensor, /, *args: Any, **kwargs: Any) -> Tensor:
        if MODE.get().grad:
            check_change(self)
        since = next_seq()
        adds = kwargs.get("accumulate") or any(x is True for x in args[2:])  # to shared memory several times
        some = None if adds else _SOME.get(name)
        return store(self, function(self, *args, **kwargs), name[:-1], since, some=some)

    method.__wrapped__ = function  # type: ignore[attr-defined]
    return as_method(method, name)


def as_method(function: Any, name: str) -> Any:
    """A function that puts a result in place of a Tensor, under the name by which errors and pickles know it."""
    function.__name__, function.__qualname__, function.__module__ = name, f"Tensor.{name}", "minigrad"
    function.__doc__ = f"`{name[:-1]}`, in place.{IN_PLACE}"
    return function


# By the dtype of an array: the numbers that NumPy takes beside it as PyTorch does.
_TAKES = {F32: (float, int), F64: (float, int), I64: (int,)}


def update(t: Tensor, op: Op, operands: tuple[Any, ...], params: Params = NO_PARAMS) -> Tensor:
    """``t`` overwritten with ``op(*operands)``, of which ``t`` may be one; returns ``t``.

    Recorded where a gradient is wanted.  RuntimeError for a leaf that requires grad (or a view of one) while
    grad mode is on, for a result of another shape, or of a kind of dtype that ``t`` cannot hold.
    """
    mode = MODE.get()
    array = t._array
    quick = not mode.everything and not t._inference and has_no_history(t)
    if mode.grad and quick:
        for x in (t, *operands):
            if isinstance(x, Tensor) and carries_gradients(x):
                quick = False
    if quick and op.kernel.__class__ is np.ufunc and not params and array.flags.c_contiguous:
        others = [x._array if isinstance(x, Tensor) else x for x in operands]
        dtype = array.dtype
        numbers = _TAKES.get(dtype, ())
        # NumPy's reciprocal of a whole number is a whole number.
        alike = bool(numbers) and (dtype is not I64 or op.cast != "float")
        for x in others:
            alike = alike and (x.__class__ in numbers or getattr(x, "dtype", None) is dtype)
        if alike:
            if RUNNING:
                will_change(array)
            try:
                QUIET.run(op.kernel, *others, out=array)
            except (TypeError, ValueError, OverflowError):
                quick = False  # what fails says below why
            else:
                changed(array)
                return t
    if mode.grad:
        check_change(t)
    since = next_seq()
    result = apply(op, operands, params)
    node = t._node
    if mode.grad and node is not None and node.requires_grad and not op.differentiable and t._view is None:
        result = apply(shape.copy, (t, cast(result, array.dtype)))  # what was there gets a gradient of 0
    if array.dtype.kind == "c" and op.complex == "own" and result._array.dtype.kind in "fV":
        raise runtime_error(f"In-place {op.name} is not supported for complex tensors.")
    return store(t, result, op.name, since)


def has_no_history(t: Tensor) -> bool:
    """Whether a change in place need not be noted with a record."""
    return t._view is None and (t._node is None or t._node.tensor is not None)


def store(
    t: Tensor,
    result: Tensor,
    name: str,
    since: int | None = None,
    alike: bool = False,
    some: bool | None = None,
) -> Tensor:
    """Puts the values of ``result``, and its record, in place of those of ``t``.

    ``since``: the records of ``result`` made after that moment are parts of this change.  ``alike``: all values
    are one number, so that it does no harm if elements share memory.  ``some``: only what was named has changed,
    so that it does no harm where nothing is recorded, and whether PyTorch warns of that.
    """
    array, value = t._array, result._array
    if value.shape != array.shape:
        raise runtime_error(
            f"{name}_: output with shape {list(array.shape)} doesn't match the broadcast shape {list(value.shape)}"
        )
    if value.dtype != array.dtype and not can_cast(value.dtype, array.dtype):
        raise runtime_error(
            f"{name}_: result type {scalar(value.dtype)} can't be cast to the desired output type "
            f"{scalar(array.dtype)}; use the function that makes a new Tensor, or convert with .float() first"
        )
    mode = MODE.get()
    shared = array.size > 1 and not alike and not array.flags.forc and overlaps(array)
    named = shared and some is not None
    if named and mode.recorder is None and result._node is None and not carries_gradients(t):
        if some:
            warn_once(
                f"Use of {name}_ on expanded tensors is deprecated. Please clone() the tensor before performing this "
                "operation. This also applies to advanced indexing, such as tensor[mask] = number"
            )
    elif named and mode.recorder is not None:
        raise mode.recorder.refused(f"{name}_() of an expanded Tensor")
    elif shared:
        raise runtime_error(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )
    if not array.flags.writeable:
        raise runtime_error(
            f"{name}_: the NumPy array under this tensor, of shape {list(array.shape)}, is read-only; clone() the "
            "tensor, or copy the array before from_numpy()"
        )
    check_inference(t)
    result = cast(result, array.dtype)
    if mode.recorder is not None and result._node is None:
        result = apply(shape.alias, (result,))  # what is written must have a record
    node = result._node
    record = node is not None and (mode.grad or mode.everything)
    carries = mode.grad and ((node is not None and node.requires_grad) or carries_gradients(t))
    if record and node is not None:
        _keep_old(node, array, since)
    if mode.recorder is not None:
        result = mode.recorder.stores(t, result)
        node = result._node
    changed(array, recorded=record or carries)
    if shared:
        np.copyto(array, result._array, where=_differ(array, result._array))
    else:
        array[...] = result._array
    if not (record or carries):
        keeps_record(t)
    else:
        if node is None:
            node = data_leaf(result)
        if node.op is not None:
            node.seq = next_seq()  # after the change, so that backward does not take it for a later one
        rebase(t, node)
    return t


def _differ(a: Array, b: Array) -> Array:
    return (a != b) & ~((a != a) & (b != b))


def _keep_old(node: Node, array: Array, since: int | None) -> None:
    """What the rules of a change read of the old values must outlive them."""
    todo = [node]
    for n in todo:
        if n.op is None:
            continue
        if n.saved.__class__ is tuple:
            n.saved = tuple(
                a.copy() if isinstance(a, np.ndarray) and np.may_share_memory(a, array) else a
                for a in n.saved
            )
        elif isinstance(n.saved, Packed):
            n.saved.outlive(n, array)
        if since is not None:
            todo.extend(m for m in n.inputs if isinstance(m, Node) and m.seq > since and m not in todo)

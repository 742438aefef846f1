"""Changes in place: of the array alone where nothing is recorded, otherwise on the tape as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core.apply import apply, cast, single, wrap_operand
from minigrad.core.changes import changed, keeps_record
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import Node, next_seq
from minigrad.core.op import NO_PARAMS, Array, Op, Params
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.core.views import carries_gradients, check_change, check_inference, rebase
from minigrad.dtypes import F32, F64, can_cast
from minigrad.errors import runtime_error, type_error
from minigrad.functions.elementwise import Number, scaled
from minigrad.functions.index import Index, check_fits, split_key
from minigrad.gate import public
from minigrad.ops import elementwise as e
from minigrad.ops import index, shape


def update(t: Tensor, op: Op, operands: tuple[Any, ...], params: Params = NO_PARAMS) -> Tensor:
    """``t`` overwritten with ``op(*operands)``, of which ``t`` may be one; returns ``t``.

    Recorded where a gradient is wanted.  RuntimeError for a leaf that requires grad (or a view of one) while
    grad mode is on, for a result of another shape, or of a kind of dtype that ``t`` cannot hold.
    """
    mode = MODE.get()
    array = t._array
    quick = not mode.grad and not mode.everything and not t._inference and _has_no_history(t)
    if quick and op.kernel.__class__ is np.ufunc and array.flags.c_contiguous:
        others = [x._array if isinstance(x, Tensor) else x for x in operands]
        dtype = array.dtype
        if (dtype is F32 or dtype is F64) and all(
            x.__class__ in (float, int) or getattr(x, "dtype", None) is dtype for x in others
        ):
            try:
                QUIET.run(op.kernel, *others, out=array)
            except ValueError as error:
                raise errors.explain(op, operands, params, error, errors.here()) from error
            changed(array)
            return t
    if mode.grad:
        check_change(t)
    return store(t, apply(op, operands, params), op.name)


def add_scaled(t: Tensor, other: Any, alpha: Number) -> Tensor:
    """``t += alpha * other``; with nothing to record, two NumPy calls."""
    mode = MODE.get()
    if not mode.grad and not mode.everything and type(alpha) is float and _adds_plainly(t, other):
        QUIET.run(_axpy, [t._array], [other._array], alpha)
        changed(t._array)
        return t
    return update(t, e.add, (t, scaled("add", t, other, alpha)))


def foreach_add_(tensors: Sequence[Tensor], others: Sequence[Tensor], alpha: Number = 1) -> None:
    """``t += alpha * other`` for each pair, as under no_grad: an optimizer's step, with the bookkeeping done once."""
    mode = MODE.get()
    plain = not mode.everything
    arrays = []
    steps = []
    for t, o in zip(tensors, others, strict=True):
        a, b = t._array, o._array
        dtype = a.dtype  # `_adds_plainly` spelt out: its call would cost as much again
        if (
            dtype is not b.dtype
            or (dtype is not F32 and dtype is not F64)
            or a.shape != b.shape
            or not a.flags.c_contiguous
        ):
            plain = False
        arrays.append(a)
        steps.append(b)
    if plain:
        QUIET.run(_axpy, arrays, steps, alpha)
        changed(*arrays)
        return
    with ModeManager(mode.recording(False)):
        for t, o in zip(tensors, others, strict=True):
            add_scaled(t, o, alpha)


def _adds_plainly(t: Tensor, other: Any) -> bool:
    """Whether NumPy may add in place as it is: one shape, one float dtype, nothing that must be refused."""
    if not isinstance(other, Tensor) or t._inference or not _has_no_history(t):
        return False
    a, b = t._array, other._array
    plain = a.dtype is F32 or a.dtype is F64
    return bool(plain and a.dtype is b.dtype and a.shape == b.shape and a.flags.c_contiguous)


def _has_no_history(t: Tensor) -> bool:
    """Whether a change in place need not be noted with a record."""
    return t._view is None and (t._node is None or t._node.tensor is not None)


def _axpy(arrays: list[Array], steps: list[Array], alpha: float) -> None:
    dtype = factor = None
    for a, b in zip(arrays, steps, strict=True):
        if a.dtype is not dtype:
            dtype = a.dtype
            factor = np.array(alpha, dtype)  # taken in half the time of a Python number
        a += b * factor


def store(t: Tensor, result: Tensor, name: str, since: int | None = None, alike: bool = False) -> Tensor:
    """Puts the values of ``result``, and its record, in place of those of ``t``.

    ``since``: the records of ``result`` made after that moment are parts of this change.  ``alike``: all values
    are one number, so that it does no harm if elements share memory.
    """
    array, value = t._array, result._array
    if value.shape != array.shape:
        raise runtime_error(
            f"{name}_: output with shape {list(array.shape)} doesn't match the broadcast shape "
            f"{list(value.shape)}"
        )
    if value.dtype != array.dtype and not can_cast(value.dtype, array.dtype):
        raise runtime_error(
            f"{name}_: result type {value.dtype} can't be cast to the desired output type {array.dtype}"
        )
    if array.size > 1 and not alike and not array.flags.forc and _overlaps(array):
        raise runtime_error(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )
    if not array.flags.writeable:
        raise runtime_error(
            f"{name}_: the NumPy array under this tensor, of shape {list(array.shape)}, is read-only; clone() the "
            "tensor, or copy the array before from_numpy()"
        )
    mode = MODE.get()
    check_inference(t)
    result = cast(result, array.dtype)
    if mode.recorder is not None and result._node is None:
        result = apply(shape.alias, (result,))  # what is written must have a record
    node = result._node
    record = node is not None and (mode.grad or mode.everything)
    wanted = mode.grad and ((node is not None and node.requires_grad) or carries_gradients(t))
    if record and node is not None:
        _keep_old(node, array, since)
    changed(array, recorded=record or wanted)
    if mode.recorder is not None:
        mode.recorder.stores(t)
    array[...] = result._array
    if not (record or wanted):
        keeps_record(t)
    else:
        if node is None:
            node = leaf(result)
        if node.op is not None:
            node.seq = next_seq()  # after the change, so that backward does not take it for a later one
        rebase(t, node)
    return t


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
        if since is not None:
            todo.extend(m for m in n.inputs if m.__class__ is Node and m.seq > since and m not in todo)


def _overlaps(array: Array) -> bool:
    """Whether elements share memory, as those of an expanded array or of windows do."""
    reach = array.itemsize  # the bytes that the dimensions of smaller steps span
    for step, n in sorted((abs(s), n) for n, s in zip(array.shape, array.strides, strict=True) if n > 1):
        if step < reach:
            places = sum(np.ix_(*(np.arange(n) * s for n, s in zip(array.shape, array.strides, strict=True))))
            return bool(step == 0 or np.unique(places).size < array.size)
        reach += step * (n - 1)
    return False


def copy_(t: Tensor, source: Tensor | Number | np.generic) -> Tensor:
    """Writes ``source`` (a Tensor or number that broadcasts to the shape) over ``t``."""
    if MODE.get().grad:
        check_change(t)
    onto_itself = source is t
    dtype = t._array.dtype
    value: Any = source if isinstance(source, Tensor) else single(source, dtype)
    if (not value._array.size and t._array.size) or (
        value._array.ndim > t._array.ndim and _leading(value, t)
    ):
        raise runtime_error(
            f"The size of tensor a ({list(t._array.shape)}) must match the size of tensor b "
            f"({list(value._array.shape)})"
        )
    value = cast(value, dtype)
    if value._array.shape != t._array.shape:
        value = value.expand(t._array.shape)
    elif onto_itself:
        return t
    if t._view is None and MODE.get().grad and t._node is not None and t._node.requires_grad:
        value = apply(shape.copy, (t, value))  # what was there gets a gradient of 0
    elif np.may_share_memory(value._array, t._array):
        value = value.clone()
    elif value is source:
        value = apply(shape.alias, (value,))  # a record of its own, whose age may change
    return store(t, value, "copy", alike=not isinstance(source, Tensor))


def _leading(value: Tensor, t: Tensor) -> bool:
    extra = value._array.ndim - t._array.ndim
    return any(n != 1 for n in value._array.shape[:extra])


def fill_(t: Tensor, value: Tensor | Number) -> Tensor:
    """Writes one number (or 0-d Tensor) everywhere."""
    if isinstance(value, Tensor) and value._array.ndim:
        raise runtime_error(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} "
            "dimensions."
        )
    return copy_(t, value)


def zero_(t: Tensor) -> Tensor:
    """Writes 0 everywhere."""
    return copy_(t, 0)


def setitem(t: Tensor, key: Index | Tensor, value: Any) -> None:
    """``t[key] = value``, recorded where a gradient is wanted; if an index repeats, the last write stays."""
    basic, indices, pattern = split_key(key, t._array.shape)
    mode = MODE.get()
    if isinstance(value, np.ndarray):
        value = wrap_operand(value) if mode.recorder is not None else wrap(value.copy())
    elif isinstance(value, (list, tuple)):
        raise type_error(f"can't assign a {type(value).__name__} to a Tensor; use minigrad.tensor(...)")
    if mode.grad:
        check_change(t)
    part = t if basic is None else apply(shape.slice_, (t,), {"index": basic})
    if not indices:
        copy_(part, _drop_leading(value, part._array.ndim) if isinstance(value, Tensor) else value)
        return
    if isinstance(value, Tensor) and value._array.dtype != t._array.dtype:
        # PyTorch: one value under one mask is a masked_fill, which converts
        if value._array.size != 1 or len(indices) != 1 or indices[0]._array.dtype != bool:
            raise runtime_error(
                f"Index put requires the source and destination dtypes match, got {t.dtype} for the destination and "
                f"{value._array.dtype} for the source; convert it with .to({t.dtype})"
            )
        value = cast(value, t._array.dtype)
    if isinstance(value, Tensor):
        value = cast(_drop_leading(value, _picked_dims(part, indices)), t._array.dtype)
        check_fits(part, indices, pattern, value)
    if not isinstance(value, Tensor):
        value = single(value, t._array.dtype)
    store(part, apply(index.index_put, (part, value, *indices), {"pattern": pattern}), "index_put")


def _picked_dims(part: Tensor, indices: Sequence[Tensor]) -> int:
    """How many dimensions indexing with arrays gives; a mask takes several and gives one."""
    masks = [i._array.dtype == bool for i in indices]
    taken = sum(i._array.ndim if m else 1 for i, m in zip(indices, masks, strict=True))
    given = max(1 if m else i._array.ndim for i, m in zip(indices, masks, strict=True))
    return int(part._array.ndim - taken + given)


def _drop_leading(value: Any, ndim: int) -> Any:
    """A value may have further dimensions of size 1 in front, as in PyTorch."""
    extra = value._array.ndim - ndim
    if extra > 0 and all(n == 1 for n in value._array.shape[:extra]):
        return value.reshape(value._array.shape[extra:])
    return value


def masked_fill_(t: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """Writes ``value`` where ``mask`` (bool) holds."""
    if MODE.get().grad:
        check_change(t)
    since = next_seq()
    return store(t, t.masked_fill(mask, value), "masked_fill", since)


public(globals(), ("copy_", "fill_", "masked_fill_", "zero_"))

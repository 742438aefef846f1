"""Changes in place: of the array alone where nothing is recorded, otherwise on the tape as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core.apply import apply, cast, needs_value, single, wrap_operand
from minigrad.core.changes import RUNNING, changed, counted, keeps_record, overlaps, will_change
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.names import known_as
from minigrad.core.node import next_seq
from minigrad.core.op import Array
from minigrad.core.quiet import QUIET
from minigrad.core.recorder import Numeral
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Index, Number
from minigrad.core.views import apply_view, carries_gradients, check_change
from minigrad.dtypes import F32, F64
from minigrad.errors import clash, runtime_error, type_error
from minigrad.functions.elementwise import scaled
from minigrad.functions.index import check_fits, picked_shape, split_key
from minigrad.functions.store import has_no_history, store, update
from minigrad.gate import public
from minigrad.gate.overriding import foreign
from minigrad.ops import elementwise as e
from minigrad.ops import index, shape


def add_scaled(t: Tensor, other: Any, alpha: Number) -> Tensor:
    """``t += alpha * other``; with nothing to record, two NumPy calls."""
    mode = MODE.get()
    if not mode.grad and not mode.everything and type(alpha) is float and _adds_plainly(t, other):
        if RUNNING:
            will_change(t._array)
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
            or not (t._rows or a.flags.c_contiguous)
        ):
            plain = False
        arrays.append(a)
        steps.append(b)
    if plain:
        if RUNNING:
            will_change(*arrays)
        QUIET.run(_axpy, arrays, steps, alpha)
        changed(*arrays)
        return
    with ModeManager(mode.recording(False)):
        for t, o in zip(tensors, others, strict=True):
            add_scaled(t, o, alpha)


def foreach_move_(tensors: Sequence[Tensor], others: Sequence[Tensor], share: Any) -> None:
    """``t = (1 - share) * t + share * other`` for each pair, as under no_grad and as `foreach_add_`.

    ``share`` is a number, or a Tensor of one.
    """
    mode = MODE.get()
    if not mode.everything and not isinstance(share, Tensor) and all(map(_adds_plainly, tensors, others)):
        arrays = [t._array for t in tensors]
        if RUNNING:
            will_change(*arrays)
        QUIET.run(_move, arrays, [t._array for t in others], share)
        changed(*arrays)
        return
    with ModeManager(mode.recording(False)):
        for t, other in zip(tensors, others, strict=True):
            update(t, e.mul, (t, 1 - share))
            update(t, e.add, (t, other * share))


def _move(arrays: list[Array], others: list[Array], share: float) -> None:
    for a, b in zip(arrays, others, strict=True):
        a *= 1 - share
        a += b * share


def foreach_mul_(tensors: Sequence[Tensor], factor: Tensor) -> None:
    """Multiplies each Tensor by a ``factor`` without dimensions, in place; for no_grad, as `foreach_add_`."""
    if not MODE.get().everything and all(_adds_plainly(t, factor, True) for t in tensors):
        arrays = [t._array for t in tensors]
        if RUNNING:
            will_change(*arrays)
        QUIET.run(_multiply, arrays, factor._array)
        changed(*arrays)
        return
    for t in tensors:
        update(t, e.mul, (t, factor))


def _multiply(arrays: list[Array], factor: Array) -> None:
    for a in arrays:
        np.multiply(a, factor, a)


def _adds_plainly(t: Tensor, other: Any, number: bool = False) -> bool:
    """Whether NumPy may add in place as it is: one float dtype, nothing that must be refused, one shape or a number."""
    if not isinstance(other, Tensor) or t._inference or not has_no_history(t):
        return False
    a, b = t._array, other._array
    plain = a.dtype is F32 or a.dtype is F64
    fits = not b.ndim if number else a.shape == b.shape
    return bool(plain and a.dtype is b.dtype and fits and a.flags.c_contiguous)


_PIECE = 65_536


def _axpy(arrays: list[Array], steps: list[Array], alpha: float) -> None:
    dtype, factor = None, np.empty(())
    for a, b in zip(arrays, steps, strict=True):
        if a.dtype is not dtype:
            dtype = a.dtype
            factor = np.array(alpha, dtype)  # taken in half the time of a Python number
        if a.size > _PIECE and b.flags.c_contiguous:
            # the products stay in the cache: a third of the time
            a, b = a.reshape(-1), b.reshape(-1)
            scratch = np.empty(_PIECE, dtype)
            for i in range(0, a.size, _PIECE):
                part = a[i : i + _PIECE]
                part += np.multiply(b[i : i + _PIECE], factor, scratch[: part.size])
        else:
            a += b * factor


def copy_(self: Tensor, other: Tensor | Number | np.generic, non_blocking: bool = False) -> Tensor:
    """Writes ``other`` (a Tensor or number that broadcasts to this shape) over it; ``non_blocking`` changes nothing."""
    shape = self._array.shape
    if (
        isinstance(other, Tensor)
        and other._array.shape != shape
        and (text := clash((shape, other._array.shape)))
    ):
        raise runtime_error(f"copy_(): {text}")
    return _copied(self, other)


def _copied(self: Tensor, other: Any, alike: bool = False) -> Tensor:
    """`copy_`; ``alike``: one number, with which elements that share memory may be filled."""
    if _written(self, other):
        return self
    if MODE.get().grad:
        check_change(self)
    onto_itself = other is self
    dtype = self._array.dtype
    value: Any = other if isinstance(other, Tensor) else single(other, dtype, alike and self._array.size != 1)
    value = _spread(cast(value, dtype), self._array.shape)
    if onto_itself:
        if (recorder := MODE.get().recorder) is not None:
            recorder.stores(self, self)  # which checks
        counted(self._array)
        return self
    if self._view is None and MODE.get().grad and self._node is not None and self._node.requires_grad:
        value = apply(shape.copy, (self, value))  # what was there gets a gradient of 0
    elif np.may_share_memory(value._array, self._array):
        value = value.clone()
    elif value is other:
        value = apply(shape.alias, (value,))  # a record of its own, whose age may change
    return store(self, value, "copy", alike=alike)


def _spread(value: Tensor, shape: tuple[int, ...]) -> Tensor:
    """``value``, expanded to the shape of what it is copied to; RuntimeError where it does not broadcast to that."""
    if value._array.ndim > len(shape):
        raise runtime_error(
            f"copy_(): output with shape {list(shape)} doesn't match the broadcast shape "
            f"{list(value._array.shape)}: a value is repeated to the shape that it is written to, never the other way"
        )
    return value if value._array.shape == shape else value.expand(shape)


def overwritable(t: Tensor) -> bool:
    """Whether the memory of ``t`` may be written over without a record."""
    mode, base = MODE.get(), t if t._view is None else t._view.base
    if mode.everything or t._inference or base._inference or (mode.grad and carries_gradients(t)):
        return False
    return bool(t._array.flags.writeable)


def _written(t: Tensor, value: Any) -> bool:
    """Writes over ``t`` a number, or a Tensor of its shape and type, where nothing is recorded; whether it did."""
    array, mode = t._array, MODE.get()
    if value is t or not overwritable(t):
        return False
    if isinstance(value, Tensor):
        y = value._array
        if y.dtype is not array.dtype or y.shape != array.shape or (mode.grad and carries_gradients(value)):
            return False
        value = y
    elif value.__class__ not in (float, int) or array.dtype not in _HOLDING or not abs(value) < 1 << 63:
        return False
    if not array.flags.c_contiguous and overlaps(array):
        return False
    changed(array)
    array[...] = value
    keeps_record(t)
    return True


_HOLDING = (F32, F64)  # any number that is not too large


def fill_(t: Tensor, value: Tensor | Number) -> Tensor:
    """Writes one number (or 0-d Tensor) everywhere."""
    if isinstance(value, Tensor) and value._array.ndim:
        raise runtime_error(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
        )
    many = isinstance(value, Tensor)
    return _filled("FillBackward3" if many else "FillBackward2", t, value, not many)


def zero_(t: Tensor) -> Tensor:
    """Writes 0 everywhere."""
    return _filled("ZeroBackward0", t, 0, True)


def _filled(grad_fn: str, t: Tensor, value: Any, alike: bool) -> Tensor:
    before = t._node
    _copied(t, value, alike)
    return t if t._node is before or t._view is not None else known_as(grad_fn, t)


def setitem(t: Tensor, key: Index | Tensor, value: Any) -> None:
    """``t[key] = value``, recorded where a gradient is wanted; if an index repeats, the last write stays."""
    mode = MODE.get()
    if isinstance(value, np.ndarray):
        value = wrap_operand(value) if mode.recorder is not None else wrap(value.copy())
    elif not isinstance(value, (Tensor, int, float, complex, np.number, np.bool_, Numeral)):
        if foreign((value,)):
            t[key] = value
            return
        raise type_error(f"can't assign a {type(value).__name__} to a Tensor; use minigrad.tensor(...)")
    if key is False:
        return
    if key is True:
        key = None  # all, with a dimension in front
    if key is Ellipsis:
        _copied(t, _drop_leading(value, t._array.ndim) if isinstance(value, Tensor) else value)
        return
    try:
        basic, indices, pattern = split_key(key, t._array.shape)
    except IndexError:
        if foreign((key,)):
            t[key] = value
            return
        raise
    numbers = [i for i in indices if not i._array.ndim and i._array.dtype != bool]
    if mode.grad:
        check_change(t, bool(numbers) or basic not in (None, (), (slice(None),)))
    part = t if basic is None else apply_view(shape.slice_, t, {"index": basic})
    if not indices:
        _copied(part, _drop_leading(value, part._array.ndim) if isinstance(value, Tensor) else value)
        return
    if mode.recorder is not None and numbers and overlaps(part._array):
        needs_value("writing at an index that is a Tensor of one number, where elements share memory,")
    if isinstance(value, Tensor) and value._array.dtype != t._array.dtype:
        # PyTorch: one value under one mask is a masked_fill, which converts; so does a copy to where integers point,
        # which are Tensors without dimensions while a function is recorded.
        one_mask = value._array.size == len(indices) == 1 and indices[0]._array.dtype == bool
        if not one_mask and any(i._array.ndim or i._array.dtype == bool for i in indices):
            raise runtime_error(
                f"Index put requires the source and destination dtypes match, got {t.dtype} for the destination and "
                f"{value._array.dtype} for the source; convert it with .to({t.dtype})"
            )
        value = cast(value, t._array.dtype)
    if isinstance(value, Tensor):
        value = cast(_drop_leading(value, _picked_dims(part, indices)), t._array.dtype)
        if len(numbers) == len(indices):  # PyTorch copies to a view
            value = _spread(value, picked_shape(part, indices, pattern))
        else:
            check_fits(part, indices, pattern, value)
    if not isinstance(value, Tensor):
        value = single(value, t._array.dtype, False)
    store(part, apply(index.index_put, (part, value, *indices), {"pattern": pattern}), "index_put", some=True)


def _picked_dims(part: Tensor, indices: Sequence[Tensor]) -> int:
    """How many dimensions indexing with arrays gives; a mask takes several and gives one."""
    masks = [i._array.dtype == bool for i in indices]
    taken = sum(i._array.ndim if m else 1 for i, m in zip(indices, masks, strict=True))
    picked = max(1 if m else i._array.ndim for i, m in zip(indices, masks, strict=True))
    return int(part._array.ndim - taken + picked)


def _drop_leading(value: Any, ndim: int) -> Any:
    """A value may have further dimensions of size 1 in front, as in PyTorch."""
    extra = value._array.ndim - ndim
    if extra > 0 and all(n == 1 for n in value._array.shape[:extra]):
        return value.reshape(value._array.shape[extra:])
    return value


def masked_fill_(self: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """Writes ``value`` where ``mask`` (bool) holds."""
    if MODE.get().grad:
        check_change(self)
    since = next_seq()
    return store(self, self.masked_fill(mask, value), "masked_fill", since, some=True)


METHODS = """
    copy_ fill_ masked_fill_ zero_
"""
public(globals(), ("copy_", "fill_", "masked_fill_", "zero_"), home="minigrad", cls="Tensor.")

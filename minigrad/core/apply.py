"""`apply`: runs an op on Tensors and numbers, and records it. The hot path."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from sys import getrefcount
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from minigrad import errors
from minigrad.core import promote, tensor
from minigrad.core.basic import clone, real, to, to_integer
from minigrad.core.mode import MODE, RECORDERS
from minigrad.core.node import Const, Node, new, new_node
from minigrad.core.op import NO_PARAMS, Array, Op, Params, is_complex
from minigrad.core.orders import as_operands, own
from minigrad.core.quiet import QUIET
from minigrad.core.recorder import Numeral
from minigrad.core.rounded import made, rounding, rounds
from minigrad.core.tensor import Tensor, data_leaf, wrap
from minigrad.core.views import mark_view, refresh, refuse_inference
from minigrad.dtypes import F32, F64, I64, is_short, python_number
from minigrad.errors import here

_mode = MODE.get
_LOW, _HIGH = promote.LOW, promote.HIGH
Operands: TypeAlias = tuple[Any, Sequence[Any], tuple[Any, ...] | None, int, bool]


class NotAnOperand(TypeError):
    """An operand that is neither Tensor, array nor number; operators turn it into NotImplemented."""


def apply(op: Op, operands: Any, params: Params = NO_PARAMS) -> Tensor:
    """The result of an op, recorded where a gradient may be wanted; users call `minigrad.tape.apply`."""
    nodes: Any
    usual, rows = False, True
    if len(operands) == 2:  # two Tensors, taken apart by hand: a tenth of a small multiplication
        s, t = operands
        both = isinstance(s, Tensor) and isinstance(t, Tensor)
        if both and s._rows and t._rows and s._view is None and t._view is None:
            a, b = s._array, t._array
            dtype = a.dtype
            usual = dtype is b.dtype and (dtype is F64 or dtype is F32)
    if usual:
        m, n = s._node, t._node
        arrays: Any = (a, b)
        nodes, key = None if m is None or n is None else (m, n), 4
        if m is not None and m.requires_grad:
            key += 2
        if n is not None and n.requires_grad:
            key += 1
    else:
        operands, arrays, nodes, key, rows = _read(op := made(op, operands) if op.rounding else op, operands)
        if not key:
            return operands if type(operands) is Tensor else apply(rounding(op, operands), operands, params)
    if RECORDERS and params and (recorder := _mode().recorder) is not None:
        params = recorder.parameters(params)
    try:
        if params:
            y = QUIET.run(op.kernel, *arrays, **params)
        elif usual:
            y = QUIET.run(op.kernel, a, b)
        else:
            y = QUIET.run(op.kernel, *arrays)
    except Exception as error:
        y = _failed(op, operands, arrays, params, error)
    if type(y) is not ndarray:
        y = np.asarray(y)
    view = op.view
    if view is None and (y.base is not None or getrefcount(y) != _HELD_HERE):
        y = own(y, arrays, params)
    mode, out = _mode(), new(Tensor)
    out._array, out._view, out._rows = y, None, rows and view is False
    layout = op.layouts[key] if mode.grad else None
    if layout is not None or mode.everything:
        if nodes is None:
            nodes = tuple(map(_input, operands))
        if tensor.INFERENCE and layout is not None and not mode.transform:  # which lets go of its records
            refuse_inference(op, operands, layout)
        saved = () if layout is None else layout.pick((a, b, y) if usual else [*arrays, y])
        node = out._node = new_node(op, nodes, params, y.shape, y.dtype, layout, saved)
        if mode.observer is not None:
            mode.observer(node, [*arrays, y])
    else:
        out._node = None
    if mode.inference and (out._node is None or mode.observer is not None):
        tensor.for_inference(out)  # also while a function is recorded
    if view:
        mark_view(out, operands[0], op, params)
    return out if rows or view else as_operands(op, out, arrays)


def _read(op: Op, operands: Sequence[Any]) -> Operands:
    """Operands that the op takes, their arrays and records (None if one has none), the layout's key, whether rows."""
    if len(operands) == 1 and isinstance(t := operands[0], Tensor):  # as below, in half the time
        if t._view is not None:
            refresh(t)
        a, node = t._array, t._node
        if a.dtype is F32 or a.dtype is F64 or (a.dtype is I64 and op.cast is None):
            t._rows = t._rows or a.flags.c_contiguous
            key = 3 if node is not None and node.requires_grad else 2
            return operands, (a,), None if node is None else (node,), key, t._rows
    arrays: list[Any] = []
    nodes: list[Any] = []
    key, dtype = 1, None
    # usual: one dtype, nothing to convert; known: Tensors and numbers; bare: every input has a record
    usual = known = bare = rows = True
    for t in operands:
        key += key
        if isinstance(t, Tensor):
            if t._view is not None:
                refresh(t)
            a = t._array
            if not t._rows:
                t._rows = a.flags.c_contiguous
                rows = rows and t._rows
            node = t._node
            if node is None:
                bare = False
            elif node.requires_grad:
                key += 1
            nodes.append(node)
            arrays.append(a)
            if dtype is None:
                dtype = a.dtype
            elif a.dtype is not dtype:
                usual = False
                known = known and a.dtype.kind not in "cV"
        elif type(t) is float or (type(t) is int and _LOW <= t <= _HIGH):
            arrays.append(t)
            bare = False
        else:
            usual = known = False
    if (usual and (dtype is F32 or dtype is F64)) or (
        known and dtype is not None and promote.fits(op, arrays, dtype)
    ):
        return operands, arrays, tuple(nodes) if bare else None, key, rows
    return _convert(op, operands)


def call(op: Op, /, *operands: Any, **params: Any) -> Any:
    """Runs an op on Tensors (recording where gradients are wanted) or, with none among them, on arrays."""
    for t in operands:
        if isinstance(t, Tensor):
            return apply(op, operands, params)
    return op.kernel(*operands, **params)


Op.__call__ = call  # type: ignore[method-assign]


def _input(t: Any) -> Node | Const:
    return (t._node or data_leaf(t)) if isinstance(t, Tensor) else Const(t)


def _calibrated() -> int:
    """What getrefcount says in `apply` of an array that only its variable holds: interpreters differ."""
    y = np.empty(0)
    return getrefcount(y) if getattr(sys, "_is_gil_enabled", lambda: True)() else 0


_HELD_HERE = _calibrated()


def _failed(op: Op, operands: Sequence[Any], arrays: Sequence[Any], params: Params, error: Exception) -> Any:
    """The result after all, where a finalizer ran during another kernel; else raises what a user should see."""
    if not (isinstance(error, RuntimeError) and QUIET.busy()):
        misfit = bool(op.elementwise or op.parts) and promote.misfit(arrays)
        if op.raises and not misfit:
            fails_by_values(f"{op.name}()")
        # Of shapes that do not fit the message says more than NumPy's; else the cause may be a kernel of the user's.
        # No name holds it: the frame would hold what holds the frame.
        raise errors.explain(op, operands, error, here(), None if misfit else error)
    with np.errstate(all="ignore"):
        return op.kernel(*arrays, **params)


# ---------------------------------------------------------------- operands that are not all of one element type


def _convert(op: Op, operands: Sequence[Any]) -> Operands:
    """The operands as Tensors and numbers in the dtype in which they meet, and what `apply` reads of them."""
    ready: Any = []
    tensors = False
    for t in operands:
        if isinstance(t, Tensor):
            tensors = True
        elif isinstance(t, np.ndarray) and t.dtype.kind in "biufcV":
            t = wrap_operand(t)
        elif not isinstance(t := python_number(t) if isinstance(t, np.generic) else t, (int, float, complex)):
            raise NotAnOperand(
                f"{op.name}(): expected Tensors or numbers, got {type(t).__name__} (at {errors.place(*here())})"
            )
        ready.append(t)
    if operands and not tensors:
        kind, where = type(operands[0]).__name__, errors.place(*here())
        raise NotAnOperand(f"{op.name}(): argument 'input' must be Tensor, not {kind} (at {where})")
    if op.cast is not None:
        ready = _promoted(op, ready)
    if isinstance(ready, Tensor):
        return ready, (), None, 0, False  # it took more than this op
    nodes, arrays = list[Any](), list[Any]()
    key, rows, complex_ = 1, True, False
    for t in ready:
        node = None
        if isinstance(t, Tensor):
            node, t = t._node, t._array
            if rounds(op, t.dtype):
                return ready, (), None, 0, False  # it takes another op
            rows = rows and t.flags.c_contiguous
        elif isinstance(t, Numeral):
            t = t.value
        nodes.append(node)
        arrays.append(t)
        key = key << 1 | (node is not None and node.requires_grad)
        complex_ = complex_ or is_complex(t)
    if complex_:
        if not op.complex:
            raise errors.not_implemented_error(
                f'"{op.name}" not implemented for complex numbers; take the real and the imaginary part'
            )
        key = -key
    return ready, arrays, None if None in nodes else tuple(nodes), key, rows


def _promoted(op: Op, operands: list[Any]) -> Any:
    """The operands in the dtype in which they meet; or the result, if that takes more than the op."""
    dtype = promote.meet(op, operands)
    if op.wide and is_short(dtype):  # a number stays wide, also one in a Tensor
        return [cast(t, F32 if promote.is_number(t, dtype) else dtype) for t in operands]
    if op.cast == "rounds" and dtype.kind not in "fcV":  # NumPy 2.0 makes floats of integers
        return apply(clone, operands)
    if op.cast == "branches":
        values = [
            cast(t, dtype) if isinstance(t, Tensor) or is_short(dtype) else promote.held(t, dtype)
            for t in operands[1:]
        ]
        return [operands[0], *values]
    return [cast(t, dtype) for t in operands]


def cast(t: Any, dtype: np.dtype[Any]) -> Any:
    """A Tensor in another dtype, recorded; a Python number as that dtype holds it."""
    if not isinstance(t, Tensor):
        return promote.number(t, dtype)
    a = t._array
    if a.dtype == dtype:
        return t
    if t._view is not None:
        refresh(t)
    bare = (t._node is None or not t._node.requires_grad) and not _mode().everything
    if bare and a.dtype.kind in "biuf" and a.flags.c_contiguous:  # two thirds of the time of a record
        return wrap(QUIET.run(to.kernel, a, dtype=dtype))
    if a.dtype.kind == "c" and dtype.kind not in "cb":
        errors.warn_once("Casting complex values to real discards the imaginary part")
        t = apply(real, (t,))
    return apply(to if dtype.kind in "fcV" else to_integer, (t,), {"dtype": dtype})


def single(x: Any, dtype: np.dtype[Any], many: bool = True) -> Any:
    """A 0-d Tensor of a number. RuntimeError where the dtype is too small, but for a float of two bytes of not many."""
    if not many and is_short(dtype):
        return cast(single(x, F64), dtype)
    value: Any = promote.held(x, dtype)
    if isinstance(value, Numeral) and dtype in (F32, F64):  # another one in each replay
        if -promote.SAFE <= x <= promote.SAFE:
            return value * wrap(np.ones((), dtype))
        value = promote.held(float(x), dtype)
    return wrap(QUIET.run(np.asarray, value, dtype))


def wrap_operand(array: Array) -> Tensor:
    """A Tensor of an array that is an operand: a copy where it may be saved, for the array may change later."""
    mode = _mode()
    if mode.recorder is not None:
        return mode.recorder.array(array)
    array = promote.as_operand(array)
    return wrap(array.copy() if mode.grad else array)


def needs_value(what: str) -> None:
    """RuntimeError where a function is being recorded: what it does next would depend on a Tensor's values."""
    if (recorder := _mode().recorder) is not None:
        raise recorder.refused(what)


def reads(table: dict[Any, Any]) -> None:
    """Tells the recorder, if there is one, that a table of the whole process is asked."""
    if (recorder := _mode().recorder) is not None:
        recorder.reads(table)


def fails_by_values(what: str) -> None:
    """Tells the recorder, if there is one, that an error comes of the values of a Tensor; it may be caught."""
    if (recorder := _mode().recorder) is not None:
        recorder.failed(what)

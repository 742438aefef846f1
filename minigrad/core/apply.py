"""`apply`: runs an op on Tensors and numbers, and records it. The hot path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core import promote, tensor
from minigrad.core.basic import clone, to, to_integer
from minigrad.core.mode import MODE, RECORDERS
from minigrad.core.node import Const, Node, new, new_node
from minigrad.core.op import NO_PARAMS, Array, Layout, Op, Params
from minigrad.core.quiet import QUIET
from minigrad.core.recorder import Numeral
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.core.views import mark_view, refresh
from minigrad.dtypes import F16, F32, F64
from minigrad.errors import here

_mode = MODE.get


class NotAnOperand(TypeError):
    """An operand that is neither Tensor, array nor number; operators turn it into NotImplemented."""


def apply(op: Op, operands: Sequence[Any], params: Params = NO_PARAMS) -> Tensor:
    """The result of an op, with a record where a gradient may be wanted."""
    arrays: list[Any] = []
    nodes: list[Any] = []
    mask, bit, dtype = 0, 1, None
    usual = bare = True  # usual: one dtype, nothing to convert; bare: every input has a record
    for t in operands:
        if isinstance(t, Tensor):
            if t._view is not None:
                refresh(t)
            a = t._array
            node = t._node
            if node is None:
                bare = False
            elif node.requires_grad:
                mask |= bit
            nodes.append(node)
            arrays.append(a)
            if dtype is None:
                dtype = a.dtype
            elif a.dtype is not dtype:
                usual = False
        elif type(t) is float or type(t) is int:
            arrays.append(t)
            nodes.append(None)
            bare = False
        else:
            usual = False
        bit += bit
    if not usual or (dtype is not F32 and dtype is not F64 and (op.cast is not None or dtype is None)):
        operands, arrays, nodes, mask, bare = _convert(op, operands)
        if operands.__class__ is Tensor:
            return operands  # type: ignore[return-value]
    if RECORDERS and params:
        params = RECORDERS[-1].parameters(params)
    try:
        y = QUIET.run(op.kernel, *arrays, **params) if params else QUIET.run(op.kernel, *arrays)
    except Exception as error:
        y = _failed(op, operands, arrays, params, error)
    if y.__class__ is not np.ndarray:
        y = np.asarray(y)
    mode = _mode()
    out = new(Tensor)
    out._array = y
    out._view = None
    if mask and mode.grad and op.differentiable:
        if not bare:
            nodes = [_input(t) for t in operands]
        layout = op.layouts.get(mask | bit) or op.layout(mask, len(nodes))
        if tensor.INFERENCE and not mode.transform:  # a transform lets go of what it recorded
            _refuse_inference(op, operands, layout)
        arrays.append(y)  # it has the number after the inputs'
        out._node = new_node(op, tuple(nodes), params, y.shape, y.dtype, layout, layout.pick(arrays))
        if mode.observer is not None:
            mode.observer(out._node, arrays)
    elif mode.everything:
        out._node = new_node(op, tuple(map(_input, operands)), params, y.shape, y.dtype)
        if mode.observer is not None:
            mode.observer(out._node, [*arrays, y])
    else:
        out._node = None
        if mode.inference:
            tensor.for_inference(out)
    if op.view:
        mark_view(out, operands[0], op, params)
    return out


def call(op: Op, /, *operands: Any, **params: Any) -> Any:
    """Runs an op on Tensors (recording where gradients are wanted) or, with none among them, on arrays."""
    for t in operands:
        if isinstance(t, Tensor):
            return apply(op, operands, params)
    return op.kernel(*operands, **params)


Op.__call__ = call  # type: ignore[method-assign]


def _input(t: Any) -> Node | Const:
    return (t._node or leaf(t)) if isinstance(t, Tensor) else Const(t)


def _failed(op: Op, operands: Sequence[Any], arrays: Sequence[Any], params: Params, error: Exception) -> Any:
    """The result after all, where a finalizer ran during another kernel; else raises what a user should see."""
    if not (isinstance(error, RuntimeError) and QUIET.busy()):
        raise errors.explain(op, operands, params, error, here()) from error
    with np.errstate(all="ignore"):
        return op.kernel(*arrays, **params)


def _refuse_inference(op: Op, operands: Sequence[Any], layout: Layout) -> None:
    """RuntimeError if the rules in use read a Tensor that was made in inference mode."""
    for k in layout.keep:
        if k < len(operands) and isinstance(operands[k], Tensor) and operands[k]._inference:
            raise errors.runtime_error(
                f"Inference tensors cannot be saved for backward: the gradient of {op.name} reads its operand {k}, of "
                f"shape {list(operands[k]._array.shape)}, which was made under inference_mode(). Use no_grad() there, "
                "or clone() it"
            )


# ---------------------------------------------------------------- operands that are not all of one element type


def _convert(op: Op, operands: Sequence[Any]) -> tuple[Any, list[Any], list[Any], int, bool]:
    """The operands as Tensors and numbers in the dtype in which they meet, and what `apply` reads of them."""
    ready: Any = []
    if operands and not any(isinstance(t, Tensor) for t in operands):
        raise NotAnOperand(f"{op.name}(): argument 'input' must be Tensor, not {type(operands[0]).__name__}")
    for t in operands:
        if isinstance(t, np.generic):
            t = t.item()
        elif isinstance(t, np.ndarray):
            t = wrap_operand(t)
        elif not isinstance(t, (Tensor, int, float)):
            raise NotAnOperand(
                f"{op.name}(): expected Tensors or numbers, got {type(t).__name__} ({errors.place(*here())})"
            )
        ready.append(t)
    if op.cast is not None:
        ready = _promoted(op, ready)
        if isinstance(ready, Tensor):
            return ready, [], [], 0, False  # it took more than this op
    arrays = [_raw(t) for t in ready]
    nodes = [t._node if isinstance(t, Tensor) else None for t in ready]
    mask = sum(1 << i for i, n in enumerate(nodes) if n is not None and n.requires_grad)
    return ready, arrays, nodes, mask, all(n is not None for n in nodes)


def _promoted(op: Op, operands: list[Any]) -> Any:
    """The operands in the dtype in which they meet; or the result, if that takes more than the op."""
    dtype = promote.meet(op, operands)
    if op.wide and dtype == F16 and any(map(promote.is_wide, operands)):  # rounds once
        return cast(apply(op, [cast(t, F32) for t in operands]), F16)
    if op.cast == "rounds" and dtype.kind != "f":  # NumPy 2.0 makes floats of integers
        return apply(clone, operands)
    first = 1 if op.cast == "branches" else 0
    return operands[:first] + [cast(t, dtype) for t in operands[first:]]


def _raw(t: Any) -> Any:
    if isinstance(t, Tensor):
        return t._array
    return t.value if isinstance(t, Numeral) else t


def cast(t: Any, dtype: np.dtype[Any]) -> Any:
    """A Tensor in another dtype, recorded; a Python number as that dtype holds it."""
    if not isinstance(t, Tensor):
        return promote.number(t, dtype)
    if t._array.dtype == dtype:
        return t
    return apply(to if dtype.kind == "f" else to_integer, (t,), {"dtype": dtype})


def single(x: Any, dtype: np.dtype[Any]) -> Any:
    """A 0-d Tensor of a Python number."""
    return wrap(QUIET.run(np.asarray, promote.number(x, dtype), dtype))


def wrap_operand(array: Array) -> Tensor:
    """A Tensor of an array that is an operand: a copy where it may be saved, for the array may change later."""
    mode = _mode()
    if mode.recorder is not None:
        return mode.recorder.array(array)
    return wrap(array.copy() if mode.grad else array)


def needs_value(what: str) -> None:
    """RuntimeError where a function is being recorded: what it does next would depend on a Tensor's values."""
    if (recorder := _mode().recorder) is not None:
        raise recorder.refused(what)

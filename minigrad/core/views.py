"""Tensors that share memory: how a view follows its base, and which may be changed in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from minigrad.buffers import is_view
from minigrad.core import tensor
from minigrad.core.basic import view_scatter
from minigrad.core.changes import RUNNING, owner, part
from minigrad.core.layout import Layout
from minigrad.core.mode import MODE, RECORDERS, ModeManager
from minigrad.core.node import RETAIN, Node, new, new_node
from minigrad.core.op import NO_PARAMS, Op, Params
from minigrad.core.tensor import Tensor, View, leaf, wrap
from minigrad.dtypes import F32, F64
from minigrad.errors import explain, here, place, runtime_error

_mode = MODE.get
_LOST = "detach() before a change that requires grad"  # only while a function is recorded
_PART = "detach() of a whole"  # a view of what was detached
DETACHED = "detach()", _PART


def mark_view(out: Tensor, source: Tensor, op: Op, params: Params) -> None:
    """Notes of which Tensor the result of an op is a view, if its array shares memory with that of ``source``."""
    a, whole = out._array, source._array
    base = a.base
    # A part of a part stands on what that stands on.
    apart = base is None or (base is not whole and base is not whole.base)
    if apart and (not is_view(a) or (a.size and not np.may_share_memory(a, whole))):
        return
    mode = _mode()
    if out._inference or source._inference:  # the memory decides
        out._inference = source._inference
    outside = "" if mode.grad else "inference_mode()" if mode.inference else "no_grad()"
    view = source._view
    if view is None:  # as View(...), in half the time
        out._view = tuple.__new__(View, (source, ((op, params),), source._epoch, outside, False))
    else:
        outside = _PART if view.outside == "detach()" else view.outside or outside
        out._view = View(view.base, (*view.path, (op, params)), view.epoch, outside)


def apply_view(op: Op, t: Tensor, params: Params = NO_PARAMS) -> Tensor:
    """`apply` of an op that makes a view of one Tensor, in two thirds of the time in the usual modes."""
    if t._view is not None:
        refresh(t)
    array, node, mode, layout = t._array, t._node, _mode(), None
    if mode.everything or mode.inference or t._inference or RECORDERS:
        return op(t, **params)
    if node is not None and node.requires_grad and mode.grad:
        odd = tensor.INFERENCE or mode.observer is not None
        if odd or (array.dtype is not F32 and array.dtype is not F64):
            return op(t, **params)
        layout = op.layouts[3]
    out = new(Tensor)
    try:
        y = op.kernel(array, **params)
    except Exception as error:
        _refuse(op, t, error)
    out._array, out._node, out._view, out._rows = y, None, None, False
    if layout is not None:
        out._node = new_node(op, (node,), params, y.shape, y.dtype, layout, layout.pick((array, y)))
    mark_view(out, t, op, params)
    return out


def _refuse(op: Op, t: Tensor, error: Exception) -> NoReturn:
    """The kernel is not run again, for the handler of a signal may have raised it."""
    raise explain(op, (t,), error, here(), error)


def _tied(t: Tensor) -> View | None:
    """How a Tensor shares the memory of another; no more once that was given other memory."""
    view = t._view
    if view is not None and _mode().recorder is None and owner(view.base._array) is not owner(t._array):
        t._view = view = None
    return view


def refresh(t: Tensor) -> None:
    """Brings the record of a view up to date after its base was changed in place on the tape."""
    view = t._view
    if view is None or view.epoch == view.base._epoch or _tied(t) is None:
        return
    if view.base._view is not None:  # it got another shape in place: what it was before stands behind it
        t._view = view = view._replace(base=view.base._view.base)
        if view.epoch == view.base._epoch:
            return
    if view.outside == "a Function":
        raise RuntimeError(
            "a view that was made inside a Function is used after its base was changed in place "
            f"({place(*here())}); clone() it in forward"
        )
    if view.outside == _LOST:
        raise runtime_error(
            "compile(): a detached Tensor that became part of the graph by a change in place is used after it. clone() "
            "it where it is detached"
        )
    twin = view.base
    # The view was made when gradients flowed, so it is repeated with grad mode on; what was detached stays detached.
    # While a function is recorded, changes under no_grad() are followed too, through views that have no gradients.
    mode = _mode()
    flows = view.outside not in DETACHED and (mode.grad or mode.recorder is None or not view.outside)
    with ModeManager(mode.flowing() if flows else mode.recording(False)):
        for op, params in view.path:
            twin = op(twin, **params)
    node: Any = twin._node
    own = t._node
    if mode.recorder is not None and own is not None and own.requires_grad and not node.requires_grad:
        # Elsewhere neither a leaf nor a view of it hears of a change that requires no grad.
        if own.op is not None:
            raise mode.recorder.refuse(
                "a view of a detached Tensor that requires grad is used after a change in place of what that was "
                "detached from. clone() it where it is detached"
            )
        with ModeManager(mode.recording(False)):
            node = mode.recorder.wrote(t, node)
    replace_node(t, node)
    t._view = view._replace(epoch=view.base._epoch)


def replace_node(t: Tensor, node: Node | None) -> None:
    """A Tensor gets another history; `retain_grad` goes along, other hooks stay with the old one."""
    if RUNNING and (p := part()) is not None:
        p.replaces(t)
    before = t._node
    if before is not None and node is not None and before.hooks and RETAIN in before.hooks:
        node.hooks = {**(node.hooks or {}), RETAIN: before.hooks.pop(RETAIN)}
    t._node = node


def carries_gradients(t: Tensor) -> bool:
    """Whether a Tensor, or what it is a view of, carries gradients."""
    while True:
        node, view = t._node, t._view
        if node is not None and node.requires_grad:
            return True
        if view is None:
            return False
        t = view.base


def check_change(t: Tensor, part: bool = False) -> None:
    """RuntimeError for a Tensor that must not be changed, nor ``part`` of it, in place while this is recorded."""
    check_inference(t)
    view, recorder = _tied(t), MODE.get().recorder
    if view is not None and view.outside == _LOST:
        refresh(t)
    if recorder is not None:
        view = recorder.shown(t)
    own = t._node
    if view is not None and view.outside in DETACHED:
        # Only while a function is recorded: elsewhere nothing ties it to what it was detached from.
        if own is None or own.op is not None or not own.requires_grad:
            return
        view = None
    base = t if view is None else view.base
    node = base._node
    if view is not None and view.outside and carries_gradients(t):
        raise runtime_error(
            f"a view that was made inside {view.outside} is being changed in place where operations are "
            "recorded: its base would not know. clone() the view, or make it where it is changed"
        )
    grown = (node is not None and node.requires_grad) or (own is not None and own.requires_grad)
    if grown and (node is None or node.op is None):
        what = "a view of a leaf Variable" if part or view is not None else "a leaf Variable"
        raise runtime_error(
            f"{what} that requires grad is being used in an in-place operation. Change it under no_grad(), or work "
            "on a clone()."
        )
    if view is not None and node is not None and node.requires_grad:
        refresh(t)
        if t._node is None or not t._node.requires_grad:
            raise runtime_error(
                "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Make it "
                "outside no_grad(), or change it inside"
            )


def check_inference(t: Tensor) -> None:
    """RuntimeError for a Tensor of inference mode, outside of it."""
    if t._inference and not MODE.get().inference:
        raise runtime_error(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone() to get a "
            "normal tensor before doing inplace update"
        )


def refuse_inference(op: Op, operands: Sequence[Any], layout: Layout) -> None:
    """RuntimeError if the rules in use read a Tensor that was made in inference mode."""
    for k in layout.keep:
        if k < len(operands) and isinstance(operands[k], Tensor) and operands[k]._inference:
            raise runtime_error(
                f"Inference tensors cannot be saved for backward: the gradient of {op.name} reads its operand {k}, of "
                f"shape {list(operands[k]._array.shape)}, which was made under inference_mode(). Use no_grad() there, "
                "or clone() it"
            )


def rebase(t: Tensor, node: Node) -> None:
    """``t``, whose memory was changed, gets the record ``node``; if it is a view, its base gets one of the change.

    Other views of the base are older than it from now on, and follow it when they are used next: see `refresh`.
    """
    view = t._view
    mode = MODE.get()
    recorder = mode.recorder
    if view is not None and view.outside in DETACHED and mode.grad:
        if node.requires_grad and view.outside == _PART and recorder is not None:
            raise recorder.refuse(
                "a part of a detached Tensor gets values that require grad. clone() it where it is detached"
            )
        with ModeManager(mode.recording(False)):
            rebase(t, node)
        if node.requires_grad:  # eager mode would let gradients flow, but only through this one view
            t._view = View(view.base, view.path, -1, _LOST)
        return
    if view is None:
        replace_node(t, node if recorder is None else recorder.wrote(t, node))
        t._epoch += 1
        return
    if view.base._view is not None:
        refresh(t)
    base = (t._view or view).base
    merged = _scattered(base, base._node or leaf(base), wrap(t._array, node), view.path)
    replace_node(base, merged if recorder is None else recorder.wrote(base, merged))
    base._epoch += 1
    refresh(t)


def become_view(t: Tensor, reshaped: Callable[[Tensor], Tensor]) -> None:
    """``t`` becomes the view that ``reshaped`` makes of it: another shape, the same memory.

    What it was is from then on a Tensor of its own, to which its other views find when they are used next: their base
    is a view, which no base is otherwise, and has another age.
    """
    if RUNNING and part() is not None:
        raise runtime_error(
            "a Tensor gets no other shape in place in a part of a batch; use a new name for the view"
        )
    before, own = t, t._view is None or t._view.own
    if t._view is None:
        before = wrap(t._array, t._node)
        before._epoch, before._inference = t._epoch, t._inference
    with ModeManager(_mode().flowing()):
        y = reshaped(before)
    if before is not t:
        t._epoch += 1
    t._array, t._view, t._rows = y._array, y._view and y._view._replace(own=own), False
    replace_node(t, y._node)


def _scattered(base: Any, before: Any, value: Any, path: Any) -> Node:
    """The record of the base after a change through a view: the memory already holds the result."""
    layout = view_scatter.layout((before.requires_grad, value._node.requires_grad), before.dtype)
    array = base._array
    node = new_node(view_scatter, (before, value._node), {"path": path}, array.shape, array.dtype, layout)
    node.keep_few(array)
    return node

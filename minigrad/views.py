"""Tensors that share memory: which of them may be changed in place, and what a change means for their records."""

from __future__ import annotations

from typing import Any

from minigrad import errors, tape
from minigrad.errors import runtime_error
from minigrad.ops import shape
from minigrad.tape import MODE, ModeManager, TensorBase, leaf, wrap


def carries_gradients(t: TensorBase) -> bool:
    """Whether a Tensor, or what it is a view of, carries gradients."""
    base = t._view.base if t._view is not None else t
    return any(x._node is not None and x._node.requires_grad for x in (t, base))


def check_change(t: TensorBase) -> None:
    """RuntimeError for a Tensor that must not be changed in place where operations are recorded."""
    check_inference(t)
    view = t._view
    base = t if view is None else view.base
    node = base._node
    if view is not None and view.outside:
        if view.outside == "detach()":
            return  # only while a function is recorded: elsewhere nothing ties it to what it was detached from
        if carries_gradients(t):
            raise runtime_error(
                f"a view that was made inside {view.outside} is being changed in place where operations are "
                "recorded: its base would not know. clone() the view, or make it where it is changed",
            )
    if node is not None and node.op is None and node.requires_grad:
        what = "a view of a leaf Variable" if view is not None else "a leaf Variable"
        raise runtime_error(
            f"{what} that requires grad is being used in an in-place operation. Change it under no_grad(), or work "
            "on a clone()."
        )
    if view is not None and node is not None and node.requires_grad:
        tape.refresh(t)
        if t._node is None or not t._node.requires_grad:
            raise runtime_error(
                "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Make it "
                "outside no_grad(), or change it inside"
            )


def check_inference(t: TensorBase) -> None:
    """RuntimeError for a Tensor of inference mode, outside of it."""
    if t._inference and not MODE.get().inference:
        raise runtime_error(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone() to get a "
            "normal tensor before doing inplace update"
        )


def rebase(t: TensorBase, node: tape.Node) -> None:
    """``t``, whose memory was changed, has the history ``node``; if it is a view, so has its part of the base."""
    view = t._view
    mode = MODE.get()
    trace = mode.trace
    if view is not None and view.outside == "detach()" and mode.grad:
        with ModeManager(mode.recording(False)):
            rebase(t, node)
        return
    if view is None:
        tape.replace_node(t, node if trace is None else trace.wrote(t, node))
        t._epoch += 1
        return
    base = view.base
    merged = _written(base, base._node or leaf(base), wrap(t._array, node), view.path)
    tape.replace_node(base, merged if trace is None else trace.wrote(base, merged))
    base._epoch += 1
    tape.refresh(t)


def _written(base: Any, before: Any, value: Any, path: Any) -> tape.Node:
    """The record of the base after a change through a view: the memory already holds the result."""
    op = shape.view_scatter
    node = tape.new(tape.Node)
    node.op, node.inputs, node.params = op, (before, value._node), {"path": path}
    mask = before.requires_grad | value._node.requires_grad << 1
    node.requires_grad = bool(mask)
    node.layout = op.layouts.get(mask | 4) or op.layout(mask, 2)
    node.saved, node.hooks, node.tensor = (), None, None
    node.shape, node.dtype = base._array.shape, base._array.dtype
    node.code, node.lasti = errors.here()
    node.seq = tape.next_seq()
    return node

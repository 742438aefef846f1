"""Reverse mode: the tape walked backwards, in one loop for arrays and for Tensors."""

from __future__ import annotations

import contextvars
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.buffers import is_view
from minigrad.core import changes
from minigrad.core.basic import clone, sum_to, to
from minigrad.core.changes import changed, check_unchanged
from minigrad.core.mode import MODE
from minigrad.core.node import AFTER, Const, Freed, Node, differentiable
from minigrad.core.op import MANY, PARAM, SAVED, SHAPE, SHAPES, Array
from minigrad.core.tensor import Tensor, wrap


class Part:
    """The gradient of one output of a record that has several."""

    __slots__ = ("at", "grad", "shape")

    def __init__(self, at: int, grad: Array | Tensor) -> None:
        self.at, self.grad, self.shape = at, grad, ()


def run(
    roots: Sequence[Node],
    seeds: Sequence[Any],
    targets: Sequence[Node] | None = None,
    keep: bool = False,
    create: bool = False,
) -> dict[Node, Any]:
    """Propagates ``seeds``, the gradients of ``roots``, to the leaves.

    With ``create`` gradients are Tensors and every step is recorded; otherwise they are arrays (but where a
    whole function is being recorded, then they are Tensors that do not require grad).  Without
    ``targets`` the gradients are added to ``.grad`` of the leaves.  With them nothing is: the pass is limited
    to the records that lead to those nodes, and their gradients are returned.
    """
    # In a context of its own, with which its modes go, those of NumPy too, however the pass ends.
    return contextvars.copy_context().run(_run, roots, seeds, targets, keep, create)


def _run(
    roots: Sequence[Node], seeds: Sequence[Any], targets: Sequence[Node] | None, keep: bool, create: bool
) -> dict[Node, Any]:
    np.errstate(all="ignore").__enter__()  # in half the time of np.seterr, which tells what there was
    order = differentiable(roots)
    wanted: set[Node] | None = None
    ends: set[Node] = set()
    if targets is not None:
        ends = set(targets)
        wanted = set(targets)
        for node in order:
            if any(n in wanted for n in node.inputs):
                wanted.add(node)
        order = [node for node in order if node in wanted]
    grads: dict[Node, Any] = {}
    shared: set[Node] = set()  # whose gradient array somebody else may hold
    owned: set[Node] = set()  # whose gradient array was made here, by an addition
    mode = MODE.get()
    recorder = mode.recorder
    if recorder is not None and targets is not None:
        recorder.targets(roots, ends)
    record = create or recorder is not None
    for node, g in zip(roots, seeds, strict=True):
        if record:
            g = wrap(g)
        grads[node] = grads[node] + g if node in grads else g
        shared.add(node)
    found: dict[Node, Any] = {}
    anomaly = mode.anomaly
    infinite: list[Node] = []  # the first record that gave inf, while anomalies are looked for
    freed = None if keep else Freed(*errors.here())
    # What is recorded in order to be read again must be whole: also masks and what else has no gradient.
    MODE.set(mode.replace(grad=True, everything=True) if create else mode.recording(False))
    many: Any = ()
    try:
        for node in reversed(order):
            g = grads.pop(node, None)
            if g is None:
                continue
            if node.hooks is not None:
                g = _call_hooks(node, g, record)
            if node in ends:
                found[node] = g if node not in shared else _own(g)
                if wanted is not None and not any(n in wanted for n in node.inputs):
                    continue  # the pass ends here and leaves the record as it is
            saved = node.saved
            if saved.__class__ is Freed:
                raise errors.freed(node)
            if changes.last_change > node.seq:
                check_unchanged(node)
            if record:
                saved = _lift(node)
                if recorder is not None:
                    recorder.differentiates(node, g)
            inputs = node.inputs
            consume = None if record or node.op is None else node.op.consume
            if consume is not None and (
                node in shared or node in ends or node.hooks is not None or g.__class__ is not np.ndarray
            ):
                consume = None  # somebody else may hold g
            for at, rule, plain, sources in node.layout.steps:
                if at >= 0:
                    to_ = inputs[at]
                    if wanted is not None and to_ not in wanted:
                        continue
                if rule is None:
                    d = many[at]
                elif plain is None:
                    d = rule(g, *_arguments(node, saved, sources))
                elif len(plain) == 1:
                    d = (consume or rule)(g, saved[plain[0]])
                else:
                    d = rule(g, *[saved[k] for k in plain])
                if at < 0:
                    many = d
                    continue
                if d is None:
                    continue
                if anomaly is not None:
                    _check(node, d, anomaly, infinite)
                array = d if not record or d.__class__ is Part else d._array
                if array.shape != to_.shape or array.dtype is not to_.dtype:
                    if to_.shape is None:
                        _add_part(grads, to_, d)
                        continue
                    d = _fit(d, to_)
                    array = d._array if record else d
                before = grads.get(to_)
                if before is None:
                    grads[to_] = d
                    if (
                        (d is g and consume is None)
                        or rule is None
                        or (array.base is not None and is_view(array))
                    ):
                        shared.add(to_)
                elif to_ in owned:
                    before += d
                else:
                    grads[to_] = total = before + d
                    shared.discard(to_)
                    # A sum of numbers is no array to add to in place, and of one that does not lie row by
                    # row the next sum may lie otherwise: a recorded pass, which adds to none, must agree.
                    if not record and array.ndim and total.flags.c_contiguous:
                        owned.add(to_)
            if freed is not None and node.saved:
                node.saved = freed
        for node, g in grads.items():  # what is left has reached the leaves
            if node.hooks is not None:
                g = _call_hooks(node, g, record)
            if targets is None:
                if node in shared:
                    g = _own(g)
                t = node.tensor() if node.tensor is not None else None
                if t is not None and t._grad is None and not record and node.hooks is None:
                    t._grad = wrap(g)  # `accumulate` spelt out for the usual case
                else:
                    accumulate(node.tensor, g)
            elif node in ends:
                found[node] = _own(g) if node in shared else g
    finally:
        if recorder is not None:
            recorder.passed()
    return found


def _arguments(node: Node, saved: Any, sources: tuple[tuple[int, Any], ...]) -> list[Any]:
    """What a rule asks for beside the gradient."""
    found: list[Any] = []
    for kind, k in sources:
        if kind == SAVED:
            found.append(saved[k])
        elif kind == PARAM:
            found.append(node.params[k])
        elif kind == SHAPE:
            found.append(node.inputs[k].shape)
        elif kind == SHAPES:
            found.append(tuple(n.shape for n in node.inputs[k:]))
        elif kind == MANY:
            found.append(tuple(saved[i] for i in k))
        else:
            found.append(k)
    return found


def _lift(node: Node) -> list[Any]:
    """The saved arrays as Tensors on the tape, so that what a rule does with them is recorded."""
    sources = (*node.inputs, node)
    return [
        sources[k].value if sources[k].__class__ is Const else wrap(a, sources[k])
        for k, a in zip(node.layout.keep, node.saved, strict=False)
    ]


def _fit(d: Any, node: Node) -> Any:
    """A gradient in the shape and dtype of its input: what broadcasting repeated is summed."""
    if d.__class__ is np.ndarray:
        if d.shape != node.shape:
            d = sum_to.kernel(d, node.shape)
        return d if d.dtype is node.dtype else d.astype(node.dtype)
    if d.shape != node.shape:
        d = sum_to(d, shape=node.shape)
    if getattr(d, "_array", d).dtype != node.dtype:
        d = to(d, dtype=node.dtype)
    return d


def _add_part(grads: dict[Node, Any], node: Node, part: Part) -> None:
    parts = grads.setdefault(node, [None] * node.params["outputs"])
    before = parts[part.at]
    parts[part.at] = part.grad if before is None else before + part.grad


def _own(g: Array | Tensor) -> Array | Tensor:
    """A copy that nobody else holds."""
    return clone(g) if isinstance(g, Tensor) else np.array(g)


def accumulate(tensor: Any, g: Array | Tensor) -> None:
    """Adds to ``.grad`` of a Tensor, given by a weak reference, if it is still there."""
    t: Tensor | None = tensor() if tensor is not None else None
    if t is None:
        return
    before = t._grad
    recorder = MODE.get().recorder
    if recorder is not None and not recorder.accumulates(t, g):
        pass
    elif before is None:
        t._grad = wrap(g)
    elif isinstance(g, Tensor):
        t._grad = before + wrap(g)
    elif before.requires_grad:
        t._grad = before.detach() + wrap(g)
    else:
        changed(before._array)
        before._array += g
    hooks = t._node.hooks if t._node is not None else None
    for key, hook in tuple((hooks or {}).items()):
        if key <= AFTER and (returned := hook(t)) is not None:
            kind = RuntimeError if isinstance(returned, Tensor) else TypeError
            raise kind(
                f"Tensor post accumulate grad hooks should return None, got {type(returned).__name__}; change .grad "
                "in place"
            )


def _call_hooks(node: Node, g: Any, create: bool) -> Array | Tensor:
    t = g if create else wrap(g)
    for key, hook in tuple((node.hooks or {}).items()):
        replaced = hook(t) if key > AFTER else None
        if replaced is not None:
            if not isinstance(replaced, Tensor):
                raise TypeError(f"a hook must return None or a Tensor, got {type(replaced).__name__}")
            if replaced._array.shape != node.shape:
                raise RuntimeError(
                    f"hook '{getattr(hook, '__name__', hook)}' has changed the size of value: the gradient of "
                    f"{node.name()} at {node.where} has shape {list(node.shape)}, the hook returned "
                    f"{list(replaced._array.shape)}"
                )
            t = _fit(replaced, node)
    return t if create else t._array


def _check(node: Node, d: Array | Tensor, anomaly: list[Node], infinite: list[Node]) -> None:
    """Anomaly mode: RuntimeError at the first nan that a rule returns; ``infinite`` gets the first record with inf."""
    array = d.grad if isinstance(d, Part) else d
    array = getattr(array, "_array", array)
    if not np.isnan(array).any():
        if not infinite and np.isinf(array).any():
            infinite.append(node)
        return
    bad = int(np.isnan(array).sum())
    text = (
        f"Function '{node.name()}' returned nan values in its backward: {bad} of {array.size}. "
        f"Its forward ran at {node.where}."
    )
    first = min(anomaly, key=lambda n: n.seq, default=None)
    if first is not None and first.op is not None:
        text += f" The first non-finite value of the forward pass came from {first.op.name} at {first.where}."
    else:
        text += " Every recorded forward value was finite."
    if infinite:
        text += (
            f" The first infinite gradient came from the backward of {infinite[0].name()}, whose forward ran at "
            f"{infinite[0].where}."
        )
    error = RuntimeError(text)
    error.add_note(f"forward of {node.name()}: {node.where}")
    if infinite:
        error.add_note(f"first infinite gradient: {infinite[0].name()} at {infinite[0].where}")
    if first is not None:
        error.add_note(f"first non-finite forward value: {first.name()} at {first.where}")
    try:
        raise error
    finally:
        del error  # its traceback holds this frame: a cycle

"""What the engine does with one gradient: fits it, calls hooks, watches for nan, adds it to ``.grad``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import buffers
from minigrad.core.basic import clone, real, sum_to, to
from minigrad.core.changes import changed, keeps_record, overlaps
from minigrad.core.hooks import After, Before
from minigrad.core.mode import MODE
from minigrad.core.names import ends
from minigrad.core.node import AFTER, Node
from minigrad.core.op import Array, in_float32
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import runtime_error
from minigrad.kernels.order import by_steps, in_order, inverse


class Part:
    """The gradient of one output of a record that has several."""

    __slots__ = ("at", "grad", "shape")

    def __init__(self, at: int, grad: Array | Tensor) -> None:
        self.at, self.grad, self.shape = at, grad, ()

    def add_to(self, grads: dict[Node, Any], node: Node) -> None:
        """Adds it to the list of the gradients of the outputs of ``node``."""
        parts = grads.setdefault(node, [None] * node.params["outputs"])
        before = parts[self.at]
        parts[self.at] = self.grad if before is None else before + self.grad


class Lean:
    """A gradient of a leaf that is not an array: ``tensor()`` makes the Tensor that users get, ``dense()`` an array."""

    __slots__ = ()

    def tensor(self) -> Tensor:
        raise NotImplementedError

    def dense(self) -> Array:
        raise NotImplementedError

    def astype(self, dtype: Any) -> Lean:
        raise NotImplementedError


def fit(d: Any, node: Node) -> Any:
    """A gradient in the shape and dtype of its input: what broadcasting repeated is summed."""
    if node.dtype.kind != "c" and getattr(d, "_array", d).dtype.kind == "c":
        d = real(d)
    if type(d) is np.ndarray:
        if d.shape != node.shape:
            d = _summed(d if d.itemsize > 2 else in_float32(d), node.shape)
        return d if d.dtype is node.dtype else d.astype(node.dtype)
    if d.shape != node.shape:
        d = _summed(d, node.shape)
    if getattr(d, "_array", d).dtype != node.dtype:
        d = d.astype(node.dtype) if isinstance(d, Lean) else to(d, dtype=node.dtype)
    return d


def _summed(d: Any, shape: Sequence[int]) -> Any:
    try:
        return (sum_to.kernel if type(d) is np.ndarray else sum_to)(d, shape=shape)
    except (ValueError, IndexError):
        raise _misfit(d.shape, shape) from None


def takes(t: Tensor, node: Node) -> bool:
    """Whether a leaf that got another record than ``node`` after it was used takes one. RuntimeError by shape."""
    if t.requires_grad and t._array.shape != node.shape:
        raise _misfit(node.shape, t._array.shape)
    return t.requires_grad


def _misfit(shape: Sequence[int], expected: Sequence[int]) -> RuntimeError:
    """The error for a gradient that does not have the shape of its Tensor."""
    return runtime_error(
        f"a backward pass got an invalid gradient of shape {list(shape)}, but expected shape compatible with "
        f"{list(expected)}: .data was set to a Tensor of another shape after it was used; set .grad to None, and "
        "compute again what was computed with it"
    )


def own(g: Array | Tensor) -> Array | Tensor:
    """A copy, which shares memory with nothing; a sparse one is never changed in place, and stays."""
    if isinstance(g, Tensor):
        return g if g._sparse else clone(g)
    return buffers.copied(g)


# ---------------------------------------------------------------- hooks and .grad


def call_hooks(node: Node, g: Any, record: bool, kind: type[Before] | None = None) -> Any:
    """The gradient after the hooks of a Tensor, or those of that ``kind``, of its record, which may leave None.

    Each may replace it by a Tensor of the same shape. TypeError for another object, RuntimeError for another shape.
    """
    t = g if record else wrap(g)
    sparse = getattr(t, "_sparse", False)  # of several outputs there is a list
    for key, hook in tuple((node.hooks or {}).items()):
        own = type(hook) if type(hook) in (Before, After) else None
        replaced = hook(t) if key > AFTER and own is kind else None
        if kind is not None and replaced is not None:
            (replaced,) = replaced
            if t is None and replaced is not None:
                raise RuntimeError("can't replace a None gradient with a non-None value")
            t = None if replaced is None else t
        if sparse and isinstance(replaced, Tensor):
            t = replaced
        elif replaced is not None:
            if not isinstance(replaced, Tensor):
                raise TypeError(f"a hook must return None or a Tensor, got {type(replaced).__name__}")
            name = getattr(getattr(hook, "hook", hook), "__name__", hook)  # of the user's function
            if replaced._array.shape != node.shape:
                raise RuntimeError(
                    f"hook '{name}' has changed the size of value: the gradient of {node.placed()} has shape "
                    f"{list(node.shape)}, the hook returned {list(replaced._array.shape)}"
                )
            if replaced._array.dtype != node.dtype:
                raise RuntimeError(
                    f"hook '{name}' has changed the type of value (was {node.dtype} got {replaced._array.dtype}): "
                    f"the gradient of {node.placed()}"
                )
            t = fit(replaced, node)
    return t if record or sparse or t is None else t._array


class Each(dict[Node, Any]):
    """In the place of the gradients on their way: those that one record gives, each place of an input by itself."""

    def __init__(self) -> None:
        self.each: list[tuple[Node, Any]] = []  # in the order of the inputs

    def get(self, node: Node, default: Any = None) -> Any:
        return None

    def __setitem__(self, node: Node, d: Any) -> None:
        self.each.append((node, d))


def call_after(node: Node, g: Any, each: list[tuple[Node, Any]], record: bool) -> list[tuple[Node, Any]]:
    """The inputs of a record that get a gradient, each with what the hooks have made of it.

    RuntimeError for a hook that returns another number of gradients, another shape, or one for an input without.
    """
    grad_outputs = (g if record or g is None else wrap(g),)
    inputs, sent = [*ends(node.edges())], list[Any]()
    for n in inputs:
        at = next((i for i, (x, _) in enumerate(each) if x is n), None)
        sent.append(None if at is None else each.pop(at)[1])
    whole = [d.dense() if isinstance(d, Lean) else d for d in sent]
    grads = shown = tuple(d if d is None or record else wrap(d) for d in whole)
    for hook in [h for h in (node.hooks or {}).values() if type(h) is After]:
        grads = hook(grads, grad_outputs, node)
    # What no hook replaces goes on as it is: the gradient of a few rows too, which hooks see in full.
    return [
        (n, s if d is before else fit(d if record else getattr(d, "_array", d), n))
        for n, s, before, d in zip(inputs, sent, shown, grads, strict=True)
        if d is not None
    ]


def in_turn(order: Sequence[Node]) -> dict[Node, list[Node]]:
    """The leaves with hooks, by the record that sends the last gradient to each, in the order of PyTorch's engine."""
    last, turns, since, leaves = dict[Node, Node](), dict[Node, list[Node]](), None, list[Node]()
    for node in reversed(order):
        # A function of several records is one to PyTorch: its leaves come after the first of these, the last to send.
        if since is None or node.seq < since:
            since = node.outer[1] if hasattr(node, "outer") else None
            leaves = [n for n in ends(node.sends()) if n.requires_grad and n.op is None and n.hooks]
        for n in leaves:
            last.pop(n, None)
            last[n] = node
    for n, node in last.items():
        turns.setdefault(node, []).append(n)
    return turns


def laid(g: Any, t: Tensor) -> Any:
    """The gradient, laid out as its Tensor is, then it has the same views; row by row where that has gaps."""
    array, like = g._array if isinstance(g, Tensor) else g, t._array
    if array.strides == like.strides or (array.flags.c_contiguous and like.flags.c_contiguous):
        return g
    axes = by_steps(like)
    if like.flags.c_contiguous or not like.transpose(axes).flags.c_contiguous:
        axes = tuple(range(like.ndim))
    if array.transpose(axes).flags.c_contiguous:
        return g
    if isinstance(g, Tensor):
        return g.permute(axes).contiguous().permute(inverse(axes))
    return in_order(g, axes)


def accumulate(tensor: Any, g: Array | Tensor) -> None:
    """Adds to ``.grad`` of a Tensor, known by a weak reference, if it still exists, and calls the hooks for that."""
    t: Tensor | None = tensor() if tensor is not None else None
    if t is None:
        return
    node = t._node
    hooks = node.hooks if node is not None and node.op is None else None
    if node is not None and hooks and any(type(h) is Before for h in hooks.values()):
        passed = call_hooks(node, g, isinstance(g, Tensor), Before)
        if passed is None:
            return
        g = own(passed)
    before = t._grad
    sparse = type(g) is not np.ndarray and isinstance(g, Tensor) and g._sparse
    if before is None and not sparse:
        g = laid(g, t)
    recorder = MODE.get().recorder
    if recorder is not None and not recorder.accumulates(t, g):
        pass
    elif before is not None and before._sparse:
        t._grad = before + g if sparse else wrap(g) + before  # a dense one goes first
    elif before is None:
        t._grad = wrap(g)
    elif isinstance(g, Tensor):
        t._grad = before + wrap(g)
    else:
        array = before._array
        if not array.flags.forc and overlaps(array):
            raise runtime_error(
                "unsupported operation: more than one element of the written-to tensor refers to a single memory "
                "location: .grad was set to an expanded Tensor, to which no gradient can be added. Please clone() it"
            )
        changed(array)
        try:
            array += g
        except ValueError:
            raise _misfit(g.shape, array.shape) from None
        if before._node is not None:
            keeps_record(before)
    if not hooks:
        return
    last = [h for key, h in hooks.items() if key <= AFTER]
    for hook in [h for h in last if type(h) is not After]:
        # A hook may end with a change in place, which returns the Tensor itself; PyTorch takes that too.
        if (returned := hook(t)) is not None and returned is not t:
            kind = RuntimeError if isinstance(returned, Tensor) else TypeError
            raise kind(
                f"Tensor post accumulate grad hooks should return None, got {type(returned).__name__}; change .grad "
                "in place"
            )
    for hook in [h for h in last if type(h) is After]:
        hook((), (wrap(g),), node)


# ---------------------------------------------------------------- anomaly mode


class Watch:
    """Anomaly mode in one backward pass: RuntimeError at the first nan that a rule returns."""

    def __init__(self, forward: list[Node]) -> None:
        self.forward = forward  # the records whose value was not finite
        self.infinite: Node | None = None  # the first record whose rule returned inf

    def __call__(self, node: Node, d: Any, i: int) -> None:
        """Looks at the gradient of input ``i`` that a rule of ``node`` returned."""
        array = d.grad if isinstance(d, Part) else d
        array = getattr(array, "_array", array)
        if np.isnan(array).any():
            raise self.error(node, array, i)
        if self.infinite is None and np.isinf(array).any():
            self.infinite = node

    def error(self, node: Node, array: Any, i: int) -> RuntimeError:
        """What tells where nan came from: the record's line and the first values that were not finite before."""
        text = (
            f"Function '{node.name()}' returned nan values in its {i}th output: {int(np.isnan(array).sum())} of "
            f"{array.size}. Its forward ran at {node.where}."
        )
        notes = [f"forward of {node.name()}: {node.where}"]
        first, infinite = min(self.forward, key=lambda n: n.seq, default=None), self.infinite
        if first is not None and first.op is not None:
            text += (
                f" The first non-finite value of the forward pass came from {first.op.name} at {first.where}."
            )
        else:
            text += " Every recorded forward value was finite."
        if infinite is not None:
            text += (
                f" The first infinite gradient came from the backward of {infinite.name()}, whose forward ran at "
                f"{infinite.where}."
            )
            notes.append(f"first infinite gradient: {infinite.name()} at {infinite.where}")
        if first is not None:
            notes.append(f"first non-finite forward value: {first.name()} at {first.where}")
        error = RuntimeError(text)
        for note in notes:
            error.add_note(note)
        return error

"""Products of vectors with Jacobians, and whole Jacobians: what `functional` and `minigrad.func` share.

Backward gives ``v -> Jᵀv`` (`pull`).  That map is linear, and when it is recorded, backward through it gives its
transpose, ``u -> Ju``: forward mode out of two reverse passes (`Push`; the trick is by J. Townsend, 2017).
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd.at_once import OneByOne, each
from minigrad.core import engine
from minigrad.core.apply import apply
from minigrad.core.basic import to
from minigrad.core.mode import MODE
from minigrad.core.node import Node
from minigrad.core.tensor import Tensor, for_inference, leaf, wrap
from minigrad.core.views import refresh
from minigrad.errors import runtime_error
from minigrad.ops.shape import cat, permute, reshape, stack

Check = Callable[[int, "list[Tensor | None]"], None]


def node_of(t: Tensor) -> Node | None:
    """The record of a Tensor through which gradients flow, None where none do."""
    refresh(t)
    return t._node if t._node is not None and t._node.requires_grad else None


def bare(t: Tensor) -> Tensor:
    """A Tensor over the same memory, outside of any graph."""
    mode = MODE.get()
    if mode.recorder is None:
        return wrap(t._array)
    out = t.detach()
    if mode.inference:
        for_inference(out)
    return out


def pull(
    outputs: Sequence[Tensor], targets: Sequence[Node], cotangents: Sequence[Tensor], create: bool, keep: bool
) -> list[Tensor | None]:
    """``Jᵀv``, one Tensor per target, None for a target that no output depends on.

    ``create`` records the pass, ``keep`` leaves the graph for another one.
    """
    tensors = create or MODE.get().recorder is not None
    nodes: list[Node] = []
    seeds: list[Any] = []
    for t, v in zip(outputs, cotangents, strict=True):
        node = node_of(t)
        if node is None:
            continue
        nodes.append(node)
        if (v._array.dtype.kind == "c") != (t._array.dtype.kind == "c"):
            raise runtime_error(
                "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in "
                f"dtype: grad_output has a dtype of {v.dtype} and output has a dtype of {t.dtype}."
            )
        if not tensors:
            seeds.append(v._array.astype(t._array.dtype, copy=False))
        elif v._array.dtype != t._array.dtype:
            seeds.append(apply(to, (v,), {"dtype": t._array.dtype}))
        else:
            seeds.append(v)
    gradients = engine.run(nodes, seeds, targets, keep, create) if nodes and targets else {}
    products: list[Any] = [gradients.get(n) for n in targets]
    # Without a record the engine returns arrays.
    return products if tensors else [None if g is None else wrap(g) for g in products]


def ones(output: Tensor) -> Tensor:
    """The gradient that is implied: 1. RuntimeError for complex numbers, which have no steepest ascent."""
    if output._array.dtype.kind == "c":
        raise runtime_error(
            f"grad can be implicitly created only for real scalar outputs but got {output.dtype}; take abs() or the "
            "real part"
        )
    return wrap(np.ones(output._array.shape, output._array.dtype))


class Push:
    """``u -> Ju`` at one point, for any number of ``u``.

    Its construction is a recorded backward pass, each call a plain one through that record.  Both together, with the
    forward pass, take 1.4 to 2.5 times as long as a vjp on a perceptron (batch 32 to 1,000, width 64 to 512), and
    1.9 to 3.5 times on a chain of 50 elementwise operations (10 to 100,000 elements).
    """

    def __init__(self, outputs: Sequence[Tensor], targets: Sequence[Node]) -> None:
        self.dummies = [wrap(np.zeros(t._array.shape, t._array.dtype)) for t in outputs]
        self.nodes = [leaf(d, node_of(t) is not None) for d, t in zip(self.dummies, outputs, strict=True)]
        self.transposed = pull(outputs, targets, self.dummies, True, True)

    def __call__(self, tangents: Sequence[Tensor | None], create: bool, keep: bool) -> list[Tensor | None]:
        """One Tensor per output, None for one that does not depend on the targets; a tangent None is zero."""
        both = [
            (g, v) for g, v in zip(self.transposed, tangents, strict=True) if g is not None and v is not None
        ]
        return pull([g for g, _ in both], self.nodes, [v for _, v in both], create, keep)


# Rows of a Jacobian that one pass computes, and how many make that worth while.
_ROWS, _SOME = 64, 16


def by_rows(
    outputs: Sequence[Tensor], targets: Sequence[Node], create: bool, check: Check | None = None
) -> list[list[Tensor]]:
    """The Jacobian of every output (outer list) by every target, of shape output + input; a pass for some rows.

    ``check`` is called with the number of the output and each of its rows, which are computed alone then.
    """
    jacobians = []

    def row_of(out: Tensor, v: Tensor) -> list[Tensor | None]:
        return pull([out], targets, [v], create, True)

    for i, out in enumerate(outputs):
        if check is None and out._array.size >= _SOME:
            with contextlib.suppress(OneByOne):
                rows = _at_once(functools.partial(row_of, out), out._array, targets)
                shapes = [(*out._array.shape, *n.shape) for n in targets]
                jacobians.append(
                    [apply(reshape, (y,), {"shape": s}) for y, s in zip(rows, shapes, strict=True)]
                )
                continue
        blocks = [_Block(out._array.size, n.shape, n.dtype, create) for n in targets]
        for j in range(out._array.size):
            row = pull([out], targets, [_unit(out._array.shape, out._array.dtype, j)], create, True)
            if check is not None:
                check(i, row)
            for block, part in zip(blocks, row, strict=True):
                block.put(j, part)
        jacobians.append([b.finished((*out._array.shape, *b.shape), 0) for b in blocks])
    return jacobians


def by_columns(
    push: Push, outputs: Sequence[Tensor], targets: Sequence[Node], create: bool
) -> list[list[Tensor]]:
    """As `by_rows`, by columns."""
    jacobians: list[list[Tensor]] = [[] for _ in outputs]

    def column_of(i: int, v: Tensor) -> list[Tensor | None]:
        tangents: list[Tensor | None] = [None] * len(targets)
        tangents[i] = v
        return push(tangents, create, True)

    for i, n in enumerate(targets):
        size = math.prod(n.shape)
        if size >= _SOME:
            with contextlib.suppress(OneByOne):
                columns = _at_once(functools.partial(column_of, i), n, outputs)
                for y, row in zip(columns, jacobians, strict=True):
                    last = apply(permute, (y,), {"axes": (*range(1, y._array.ndim), 0)})
                    row.append(apply(reshape, (last,), {"shape": (*last._array.shape[:-1], *n.shape)}))
                continue
        blocks = [_Block(size, t._array.shape, t._array.dtype, create) for t in outputs]
        for j in range(size):
            for block, part in zip(blocks, column_of(i, _unit(n.shape, n.dtype, j)), strict=True):
                block.put(j, part)
        for block, row in zip(blocks, jacobians, strict=True):
            row.append(block.finished((*block.shape, *n.shape), -1))
    return jacobians


def _at_once(
    function: Callable[[Tensor], list[Tensor | None]], of: Any, parts: Sequence[Any]
) -> list[Tensor]:
    """What a linear function gives for all units of the shape of ``of``, along dimension 0; OneByOne if it cannot."""
    size, passes = math.prod(of.shape), []
    for start in range(0, size, _ROWS):
        count = min(_ROWS, size - start)
        units = np.zeros((count, size), of.dtype)
        units[range(count), range(start, start + count)] = 1
        passes.append(each(function, wrap(units.reshape(count, *of.shape))))
    likes = [getattr(part, "_array", part) for part in parts]
    return [
        wrap(np.zeros((size, *like.shape), like.dtype))
        if column[0] is None
        else column[0]
        if len(column) == 1
        else apply(cat, column, {"dim": 0})
        for like, column in zip(likes, zip(*passes, strict=True), strict=True)
    ]


class _Block:
    """One dense Jacobian while it is filled: an array, or the Tensors to be stacked if they are recorded."""

    def __init__(self, count: int, shape: tuple[int, ...], dtype: np.dtype[Any], create: bool) -> None:
        self.shape, self.dtype = shape, dtype
        tensors = create or MODE.get().recorder is not None
        self.parts: list[Tensor] | None = [] if tensors and count else None
        self.array = np.zeros((count, math.prod(shape)) if self.parts is None else (), dtype)

    def put(self, at: int, part: Tensor | None) -> None:
        """The next row or column; None is zero."""
        if self.parts is not None:
            self.parts.append(wrap(np.zeros(self.shape, self.dtype)) if part is None else part)
        elif part is not None:
            self.array[at] = part._array.reshape(-1)

    def finished(self, shape: tuple[int, ...], dim: int) -> Tensor:
        """The whole in ``shape``; the parts count along its first or its last dimension."""
        if self.parts is None:
            return wrap((self.array if dim == 0 else self.array.T).reshape(shape))
        whole = apply(stack, self.parts, {"dim": dim if dim == 0 else len(self.shape)})
        return apply(reshape, (whole,), {"shape": shape})


def _unit(shape: tuple[int, ...], dtype: np.dtype[Any], at: int) -> Tensor:
    """Zeros but for a one."""
    array = np.zeros(shape, dtype)
    array.reshape(-1)[at] = 1
    return wrap(array)

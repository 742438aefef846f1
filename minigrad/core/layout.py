"""`Layout`: what a record saves and which rules backward calls, for one set of inputs that want gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np

Rule: TypeAlias = Any  # a plain Python function
SAVED, PARAM, SHAPE, SHAPES, MANY, VALUE = range(6)  # where an argument of a rule comes from

# The gradient of an input: the input's number; its rule, None for a part of what the joint rule returns; the place in
# `Node.saved` of the array that the rule reads, if it reads nothing else; where each thing that it reads comes from.
# A plain tuple: the interpreter takes one apart in an eighth of the time of a NamedTuple.
Step: TypeAlias = "tuple[int, Rule, int | None, tuple[tuple[int, Any], ...]]"


class Layout:
    """For one set of inputs that want gradients: what `Node.saved` holds, and the rules to call."""

    __slots__ = ("adds", "consume", "fresh", "joint", "keep", "pick", "steps")

    keep: tuple[int, ...]  # input numbers; the count of inputs stands for the output
    # What is kept, of the arrays of the inputs and the output.
    pick: Callable[[Sequence[Any]], tuple[Any, ...]]
    joint: Step | None  # gives all inputs' gradients at once
    steps: tuple[Step, ...]
    consume: Rule | None
    adds: Rule | None
    fresh: bool  # whether the parts of the joint rule are arrays that nothing else holds

    def __init__(
        self,
        keep: list[int],
        joint: Step | None,
        steps: list[Step],
        consume: Rule | None = None,
        fresh: bool = False,
        adds: Rule | None = None,
    ) -> None:
        self.keep, self.joint, self.steps, self.consume = tuple(keep), joint, tuple(steps), consume
        self.fresh, self.adds = fresh, adds
        if len(keep) > 1:
            self.pick = itemgetter(*keep)  # four times as fast as a comprehension
        elif keep:
            only = keep[0]
            self.pick = lambda arrays: (arrays[only],)
        else:
            self.pick = lambda arrays: ()


class Layouts(dict[int, "Layout | None"]):
    """The layouts of an op, each made when it is first asked for.

    The key is, in binary, a 1 and then a digit for each input: whether it wants a gradient.  It is negative where
    elements are complex.
    """

    def __init__(self, make: Callable[[tuple[bool, ...], bool], Layout | None]) -> None:
        self.make = make

    def __missing__(self, key: int) -> Layout | None:
        layout = self[key] = self.make(tuple(digit == "1" for digit in f"{abs(key):b}"[1:]), key < 0)
        return layout


def holding(t: Any) -> Any:
    """A result whose record holds the numbers that its rules read, where PyTorch saves no Tensor: none is freed."""
    node = t._node
    if (
        node is None
        or not node.requires_grad
        or node.layout.joint is not None
        or type(node.saved) is not tuple
    ):
        return t
    held = [getattr((*node.inputs, node)[k], "value", None) for k in node.layout.keep]
    if held and all(type(x) in (int, float, complex) for x in held):
        steps: list[Step] = [
            (i, rule, None, tuple((VALUE, held[k]) if kind == SAVED else (kind, k) for kind, k in sources))
            for i, rule, _, sources in node.layout.steps
        ]
        node.layout, node.saved = Layout([], None, steps), ()
    return t


def arguments(node: Any, saved: Any, sources: tuple[tuple[int, Any], ...]) -> list[Any]:
    """What a rule reads beside the gradient."""
    values: list[Any] = []
    for kind, k in sources:
        if kind == SAVED:
            values.append(saved[k])
        elif kind == PARAM:
            values.append(node.params[k])
        elif kind == SHAPE:
            values.append(node.inputs[k].shape)
        elif kind == SHAPES:
            values.append(tuple(n.shape for n in node.inputs[k:]))
        elif kind == MANY:
            values.append(tuple(saved[i] for i in k))
        else:
            values.append(k)
    return values


class Totals(dict[Any, bool]):
    """The records whose gradient is a sum that a backward pass may add to in place, and whether it has no -0.0."""

    def take_part(self, x: Any, total: Any, g: Any) -> bool:
        """Whether `Op.adds` may add ``g`` to a part of this sum, with the numbers of an addition to the whole.

        That adds 0 to all the rest, and so makes 0 of each -0.0, of which no addition brings more.
        """
        if type(total) is not np.ndarray or type(g) is not np.ndarray or g.dtype is not total.dtype:
            return False
        if not self[x]:
            self[x] = total.dtype.kind == "f" and not np.signbit(total[total == 0]).any()
        return self[x]

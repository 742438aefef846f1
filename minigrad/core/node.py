"""`Node`: the record that an op was applied. The tape of a result is what can be reached from its node."""

from __future__ import annotations

import itertools
import operator
import sys
import weakref
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import Any, NamedTuple, Self

from minigrad import errors
from minigrad.core.hooks import AFTER as AFTER
from minigrad.core.hooks import RETAIN as RETAIN
from minigrad.core.hooks import After, Before, RemovableHandle, after_ids, ids, table
from minigrad.core.layout import Layout
from minigrad.core.names import Step, class_named, in_full
from minigrad.core.op import NO_PARAMS, Op, Params
from minigrad.errors import INSIDE

_SEQ = itertools.count(1)
next_seq = _SEQ.__next__
new = object.__new__
ONES: Params = {"fill": 1.0}  # the params of a leaf that is the 1 from which a backward pass starts
FEW = 64  # elements of a value that a record keeps for readers alone
_by_seq = operator.attrgetter("seq")


class Const:
    """An input that is a plain Python number."""

    __slots__ = ("value",)
    requires_grad, op, inputs, shape = False, None, (), ()

    def __init__(self, value: Any) -> None:
        self.value = value


class Freed(NamedTuple):
    """Stands in ``Node.saved`` once a backward pass has let the arrays go; says where that pass ran."""

    code: CodeType | None
    lasti: int


class Packed:
    """Stands in ``Node.saved`` for arrays that are kept elsewhere, or computed again when backward needs them."""

    __slots__ = ()

    def arrays(self, node: Node) -> tuple[Any, ...]:
        """What ``saved`` stands for; also where a backward pass asks again."""
        raise NotImplementedError

    def outlive(self, node: Node, array: Any) -> None:
        """An array is about to be overwritten by the operation of ``node``, whose rules read the old values."""


class Node:
    """One record: a leaf (``op`` is None) or the application of an op.

    ``saved`` holds the arrays that the rules in ``layout`` read.  ``code`` and ``lasti`` are the user's place:
    a code object and an instruction offset, from which the line is worked out when it is asked for.
    """

    __slots__ = (
        "__weakref__", "change", "code", "dtype", "few", "hooks", "inputs", "lasti", "layout", "op", "outer",
        "params", "requires_grad", "saved", "seq", "shape", "tensor",
    )  # fmt: skip

    op: Op | None
    inputs: tuple[Any, ...]
    params: Params
    saved: Any
    layout: Layout
    seq: int
    code: CodeType | None
    lasti: int
    shape: Any
    dtype: Any
    requires_grad: bool
    hooks: dict[int, Any] | None
    tensor: weakref.ref[Any] | None  # of a leaf: where the gradient goes
    # Of the last record of a function that PyTorch records as one: the name there (or those of several in a row, the
    # last first), and a ``seq`` before its first.
    outer: tuple[str, int]
    change: Any  # `Change` of its value in place that no record tells of; most nodes have none
    few: Any  # a small value that no other record can give, for readers that come when its Tensor is gone

    @classmethod
    def leaf(cls, shape: Any, dtype: Any, requires_grad: bool = False, tensor: Any = None) -> Self:
        """A record without history, of a Tensor that it holds weakly: a strong reference would be a cycle."""
        node = cls()
        node.op, node.inputs, node.params, node.saved, node.hooks = None, (), NO_PARAMS, (), None
        node.shape, node.dtype, node.requires_grad = shape, dtype, requires_grad
        node.tensor = None if tensor is None else weakref.ref(tensor)
        node.code, node.lasti, node.seq = None, -1, next_seq()
        return node

    def name(self) -> str:
        """PyTorch's name for the record, such as ``MulBackward0`` or ``torch::autograd::AccumulateGrad``."""
        return in_full(self.title())

    def title(self) -> str:
        """The name of PyTorch's class, as printed Tensors show it."""
        if self.op is None:
            return "AccumulateGrad"
        if hasattr(self, "outer"):
            return self.outer[0].partition(" ")[0]
        if name := self.op.grad_fn:
            return name if isinstance(name, str) else name(self)
        return "".join(w[:1].upper() + w[1:] for w in self.op.name.split("_")) + "Backward0"

    def shown(self) -> Node:
        """Itself, as users get it: of a class with PyTorch's name. Made here, so that recording does without."""
        base = Node if self.op is None else self.op.record or Node
        self.__class__ = class_named(self.title(), base)
        return self

    def keep_few(self, array: Any, own: bool = False) -> None:
        """Keeps ``array`` if it is small, or a copy unless it is in memory of its ``own``."""
        if array.size <= FEW:
            self.few = array if own and array.base is None else array.copy()

    @property
    def where(self) -> str:
        """The user's place, ``file.py:12``."""
        return errors.place(self.code, self.lasti)

    def placed(self) -> str:
        """Its name and where it was recorded, for messages; a leaf's record has no place."""
        return self.name() if self.op is None else f"{self.name()} at {self.where}"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The records that the gradient goes to next, as in PyTorch: of ``2 * x``, that of ``x`` comes first."""
        return tuple((n.shown() if n.requires_grad else None, 0) for n in self.sends())

    def sends(self) -> tuple[Any, ...]:
        """Where PyTorch's record sends gradients to: as `edges`, or past the steps of a function of several records."""
        if not hasattr(self, "outer"):
            return self.edges()
        inputs = self._arguments(self.outer[1])
        for name in self.outer[0].split()[:0:-1]:
            inputs = (Step(name, *inputs),)
        return inputs

    def edges(self) -> tuple[Any, ...]:
        """Where the record itself sends gradients to, in PyTorch's order."""
        op = self.op
        # A record that stands for a compiled function's result leads to what the call got, however many that are.
        if op is None or op.edges is None or len(self.inputs) != len(op.inputs):
            return self._led()
        return op.edges(self)

    def _led(self) -> tuple[Any, ...]:
        """The inputs that have a rule: indices, masks and targets are no edges in PyTorch. Of ``2 * x``, x is first."""
        if len(self.inputs) == 2 and self.inputs[0].__class__ is Const:
            return self.inputs[::-1]
        rules = self.op.rules if self.op is not None else ()
        if not rules:
            return self.inputs
        return tuple(n for i, n in enumerate(self.inputs) if rules[min(i, len(rules) - 1)] is not None)

    def _arguments(self, since: int) -> tuple[Any, ...]:
        """The records that came before ``since``, and leaves, from which what came later was computed."""
        found: dict[Node, None] = {}
        todo = [*self._led()[::-1]]
        while todo:
            n = todo.pop()
            if n.__class__ is Const:
                continue
            if n.op is None or n.seq < since:
                found[n] = None
            else:
                todo += n._led()[::-1]
        return tuple(found)

    @property
    def variable(self) -> Any:
        """The Tensor of a leaf's record, None if it is gone. AttributeError for other records."""
        if self.op is not None:
            raise AttributeError(f"{self.title()} has no variable; only AccumulateGrad has")
        return None if self.tensor is None else self.tensor()

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(grad_inputs, grad_outputs)`` when a backward pass has come through the record.

        Both are tuples, ``grad_inputs`` with an entry for each of ``next_functions`` (of several operations, for those
        of the last), None for what gets no gradient; a tuple that the hook returns (not None) replaces it. Of a leaf's
        record it is called when the gradient was added to ``.grad``, with an empty tuple. Returns a handle with
        ``remove()``. RuntimeError for a record of one of several outputs of a Function.
        """
        return self._hook(After(hook))

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(grad_outputs)`` before a backward pass goes through the record.

        A tuple that the hook returns (not None) replaces the gradient there; `autograd.grad` and `retain_grad` give the
        one before. Returns a handle with ``remove()``. RuntimeError for a record of one of several outputs of a
        Function.
        """
        return self._hook(Before(hook))

    def _hook(self, hook: Any) -> RemovableHandle:
        if any(n.shape is None for n in self.inputs) or self.shape is None:
            raise RuntimeError(
                "the record of one of several outputs of a Function has no hooks; use Tensor.register_hook"
            )
        last = self.op is None and type(hook) is After
        hooks = table(self)
        handle = RemovableHandle(hooks, after_ids if last else ids)
        hooks[handle.id] = hook
        return handle

    def copy(self) -> Node:
        """Another record with the same content."""
        twin = Node()
        twin.op, twin.inputs, twin.params, twin.saved = self.op, self.inputs, self.params, self.saved
        twin.shape, twin.dtype, twin.requires_grad = self.shape, self.dtype, self.requires_grad
        twin.code, twin.lasti, twin.seq = self.code, self.lasti, self.seq
        twin.hooks, twin.tensor = self.hooks, self.tensor
        if hasattr(self, "layout"):
            twin.layout = self.layout
        return twin

    def __reduce__(self) -> Any:
        raise TypeError(f"cannot pickle {self.title()!r} object")

    def __repr__(self) -> str:
        return f"<{self.title()} at {self.where}>"


def new_node(
    op: Op,
    inputs: tuple[Any, ...],
    params: Params,
    shape: Any,
    dtype: Any,
    layout: Layout | None = None,
    saved: Any = (),
) -> Node:
    """The record that an op is applied now; ``layout`` only if it carries gradients.

    Its place is the innermost frame outside of the package, looked for from the third frame out: two functions of the
    package lie between.  (Python makes an object of each frame that is looked at: 7 % of the instructions of a small
    multiplication.)  It is no ``Node.__init__``, for a call through that takes another 6 %.
    """
    node = Node()
    node.op = op
    node.inputs = inputs
    node.params = params
    node.shape = shape
    node.dtype = dtype
    node.saved = saved
    node.hooks = node.tensor = None
    if layout is None:
        node.requires_grad = False
    else:
        node.requires_grad = True
        node.layout = layout
    try:
        frame: FrameType | None = sys._getframe(3)
    except ValueError:  # called without a frame around, as by `_thread.start_new_thread`
        frame = None
    while frame is not None and INSIDE[(code := frame.f_code).co_filename]:
        frame = frame.f_back
    if frame is None:
        node.code, node.lasti = None, -1
    else:
        node.code, node.lasti = code, frame.f_lasti
    node.seq = next_seq()
    return node


def tape(roots: Iterable[Node]) -> list[Node]:
    """The records behind ``roots``, leaves too, in recording order."""
    todo = list(dict.fromkeys(roots))
    seen = set(todo)
    for node in todo:  # grows while it is walked: no recursion
        for n in node.inputs:
            if n not in seen and isinstance(n, Node):
                seen.add(n)
                todo.append(n)
    todo.sort(key=_by_seq)
    return todo


def differentiable(roots: Iterable[Node]) -> list[Node]:
    """The applications of ops through which gradients flow to ``roots``' leaves, in recording order."""
    todo = [n for n in dict.fromkeys(roots) if n.op is not None]
    seen = set(todo)
    for node in todo:
        for n in node.inputs:
            if n.requires_grad and n.op is not None and n not in seen:
                seen.add(n)
                todo.append(n)
    todo.sort(key=_by_seq)
    return todo

"""One run of a function for all elements of a batch: beside each operation on the first element, the same on all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from minigrad.core.apply import apply
from minigrad.core.basic import clone, sum_to
from minigrad.core.changes import memory_of
from minigrad.core.mode import MODE, RECORDERS, Mode, ModeManager
from minigrad.core.node import Node
from minigrad.core.op import Array, Op, Params
from minigrad.core.promote import as_operand
from minigrad.core.recorder import Recorder
from minigrad.core.tensor import Tensor, of_users, wrap
from minigrad.core.views import refresh
from minigrad.gate.overriding import now as overriding
from minigrad.ops import elementwise as e
from minigrad.ops import reduce
from minigrad.ops.linalg import matmul
from minigrad.ops.shape import alias, expand, permute, reshape, slice_, stack


class OneByOne(Exception):
    """The function has to run once for each element."""


class Batch(Recorder):
    """Hears of each operation on the first element, and does the same for all.

    ``values`` are the Tensors of all elements, by the records of the first one; the elements lie along dimension 0.
    What is not among them is the same for all elements. They are let go of with the records, so what the function
    has no more use for takes no memory.
    """

    def __init__(self, size: int) -> None:
        self.size, self.failure = size, ""
        self.outer: Mode = MODE.get()
        self.values: WeakKeyDictionary[Node, Tensor] = WeakKeyDictionary()
        # By its id, the first element, which so lives as long, and all of them.
        self._rows: dict[int, tuple[Tensor, Tensor]] = {}
        # By its id, what owns the memory of a result for the first element.
        self._memory: dict[int, ref[Array]] = {}
        self._outside: dict[Mode, Mode] = {}

    def enter(self, x: Tensor, dim: int) -> Tensor:
        """The first element along a dimension, for the function to run on."""
        first = slice_(x, index=(*(slice(None),) * dim, 0))
        row = apply(clone, (first,))
        row._array = _as_it_lies(first._array)
        row._rows = row._array.flags.c_contiguous
        others = (d for d in range(x._array.ndim) if d != dim)
        every = permute(x, axes=(dim, *others)) if dim else x
        self._rows[id(row)] = row, every
        self._note(row._array)
        if row._node is not None:
            self.values[row._node] = every
        return row

    def run(self, function: Callable[[], Any]) -> Any:
        """What the function returns for the first element. OneByOne where that does not tell what it does with all."""
        RECORDERS.append(self)
        try:
            with ModeManager(self.outer.replace(everything=True, observer=self._observe, recorder=self)):
                result = function()
        except Exception as error:
            raise OneByOne(self.failure or str(error)) from None
        finally:
            RECORDERS.remove(self)
            self._outside.clear()  # its modes hold what holds them
        if any(n.hooks and every.requires_grad for n, every in self.values.items()):
            self.refuse("a hook")
        if self.failure:
            raise OneByOne(self.failure)
        return result

    def all_of(self, t: Tensor) -> Tensor | None:
        """The results for all elements, by that for the first one; None if they are the same."""
        refresh(t)
        every = self._row(t) if t._node is None else self.values.get(t._node)
        return every if every is None or id(t) not in self._rows else alias(every)

    def spread(self, t: Tensor) -> Tensor:
        """The results for all elements, also where they are the same."""
        every = self.all_of(t)
        return expand(t, shape=(self.size, *t._array.shape)) if every is None else every

    def _row(self, t: Tensor) -> Tensor | None:
        return self._rows.get(id(t), (None, None))[1]

    def _note(self, array: Array) -> None:
        memory = memory_of(array)
        self._memory[id(memory)] = ref(memory)

    def _noted(self, array: Array) -> bool:
        memory = memory_of(array)
        known = self._memory.get(id(memory))
        return known is not None and known() is memory

    def _outer(self) -> ModeManager:
        """The mode without this run, but for what the function itself has switched."""
        now, outer = MODE.get(), self.outer
        if now not in self._outside:
            self._outside[now] = now.replace(
                everything=outer.everything, observer=outer.observer, recorder=outer.recorder
            )
        return ModeManager(self._outside[now])

    # ------------------------------------------------------------ told by the tape

    def _observe(self, record: Node, arrays: list[Any]) -> None:
        op = record.op
        if op is None or op.opaque:  # `function` tells of it
            return
        mapped = [isinstance(n, Node) and n in self.values for n in record.inputs]
        if op.depends is not None and op.depends(*arrays[:-1], **record.params):
            raise self.refuse(op.name)
        with self._outer():
            if any(mapped):
                if op.batch == "alone":
                    raise self.refuse(op.name)
                self._note(arrays[-1])
                call = Call(record, self._operands(record, mapped, arrays), mapped, self.size)
                try:
                    self.values[record] = call.result()
                except Exception as error:  # which is not that of the first element
                    raise self.refuse(str(error)) from error
            elif self.outer.observer is not None:
                # It is the same for all elements of this batch, but not of one around it.
                self.outer.observer(record, arrays)
                return
        if not record.requires_grad:  # no backward pass comes this way
            record.inputs = ()

    def _operands(self, record: Node, mapped: list[bool], arrays: list[Any]) -> list[Any]:
        operands = list[Any]()
        for n, every, a in zip(record.inputs, mapped, arrays, strict=False):
            if every:
                x = self.values[n]
                x = x if x._array.dtype == a.dtype else x.to(a.dtype)
            elif isinstance(n, Node):
                x = wrap(a)
                x._node = n
            else:  # a number, which may be another one in each call of what is recorded
                x = n.value
            operands.append(x)
        return operands

    def leaf(self, node: Node, before: Node | None, t: Any) -> None:
        every = self._row(t) if before is None else self.values.get(before)
        if every is not None:
            self._note(t._array)
            self.values[node] = every
        elif before is None and self._noted(t._array):
            raise self.refuse("the memory of an element")
        elif self.outer.recorder is not None:
            with self._outer():
                self.outer.recorder.leaf(node, before, t)

    def enters(self, node: Node, outer: Node) -> None:
        if outer in self.values:
            self.values[node] = self.values[outer]
        elif self.outer.recorder is not None:
            self.outer.recorder.enters(node, outer)

    def function(self, outputs: list[Any], records: list[Node | None]) -> None:
        for t, record in zip(outputs, records, strict=True):
            every = None if record is None else self.values.get(record)
            if isinstance(t, Tensor) and t._node is not None and every is not None:
                if self._flows(t._node):
                    raise self.refuse("a Function of which a gradient is wanted outside")
                self.values[t._node] = every
        if self.outer.recorder is not None:
            with self._outer():
                self.outer.recorder.function(outputs, records)

    def _flows(self, node: Node) -> bool:
        """Whether a gradient flows through what is recorded beside its parts, to Tensors of all elements."""
        inputs = [n for n in node.inputs if isinstance(n, Node)]
        if node.op is not None and node.op.opaque:
            return any(map(self._flows, inputs))
        every = self.values.get(node)
        return node.requires_grad if every is None else every.requires_grad

    def array(self, array: Array) -> Any:
        if self.outer.recorder is None:
            return wrap(as_operand(array))
        with self._outer():
            return self.outer.recorder.array(array)

    def made(self, t: Any) -> None:
        if self.outer.recorder is not None:
            self.outer.recorder.made(t)

    def reads(self, setting: dict[str, Any]) -> None:
        if self.outer.recorder is not None:
            self.outer.recorder.reads(setting)

    def refuse(self, message: str) -> Exception:
        self.failure = self.failure or message  # the function may catch the error
        return OneByOne(message)

    def refused(self, what: str) -> Exception:
        return self.refuse(what)

    def failed(self, what: str) -> None:
        self.refuse(what)

    def draws(self, generator: Any) -> None:
        raise self.refuse("random numbers")

    def parameters(self, params: Params) -> Params:
        if "generator" in params:
            self.draws(params["generator"])
        return params if self.outer.recorder is None else self.outer.recorder.parameters(params)

    def stores(self, t: Any, result: Any) -> Any:
        raise self.refuse("a change in place")

    def wrote(self, t: Any, node: Node) -> Node:
        raise self.refuse("a change in place")

    def accumulates(self, t: Any, g: Any) -> bool:
        raise self.refuse("backward()")

    def detaches(self, t: Any) -> None:
        raise self.refuse("detach_()")


def _as_it_lies(array: Array) -> Array:
    """A copy with the same strides."""
    if array.flags.c_contiguous or not array.size or min(array.strides) < 0:
        return array.copy("K")
    reach = sum((n - 1) * step for n, step in zip(array.shape, array.strides, strict=True))
    memory = np.empty(-(-reach // array.itemsize) + 1, array.dtype)
    copy = np.lib.stride_tricks.as_strided(memory, array.shape, array.strides)
    copy[...] = array
    return copy


def possible(tensors: Iterable[Any] = ()) -> bool:
    """Whether nobody else wants to hear of each operation on each element."""
    mode = MODE.get()
    within = mode.recorder is not None or mode.observer is None
    plain = not any(isinstance(x, Tensor) and of_users(type(x)) for x in tensors)
    return plain and within and mode.anomaly is None and not overriding().modes


def each(function: Callable[..., Sequence[Tensor | None]], *batches: Tensor) -> list[Tensor | None]:
    """What a function of elements gives for all that lie along dimension 0.  OneByOne where only a loop can tell."""
    if not possible(batches):
        raise OneByOne
    size = len(batches[0]._array)
    batch = Batch(size)
    row = [batch.enter(x, 0) for x in batches]
    return [None if t is None else batch.spread(t) for t in batch.run(lambda: function(*row))]


class Call:
    """An operation on all elements: its operands, which of them have the dimension of elements, the shapes of one.

    ``shapes`` are those of the operands, ``shape`` that of the result.  Records name the ways as ``batch``.
    """

    def __init__(self, record: Node, operands: list[Any], mapped: list[bool], size: int) -> None:
        self.op: Op = record.op  # type: ignore[assignment]
        self.operands, self.mapped, self.size = operands, mapped, size
        self.params, self.shape, self.dtype = record.params, record.shape, record.dtype
        self.shapes = [n.shape if isinstance(n, Node) else () for n in record.inputs]

    def result(self) -> Tensor:
        """What the operation gives for all elements."""
        way = self.op.batch or ("lined" if self.op.elementwise else "one_by_one")
        try:
            y = getattr(self, way)() if isinstance(way, str) else way(self)
            if y._array.shape == (self.size, *self.shape) and y._array.dtype == self.dtype:
                return y
        except Exception:  # of one element the error is the user's
            if way == "one_by_one":
                raise
        return self.one_by_one()

    def __call__(self, operands: Sequence[Any], **params: Any) -> Tensor:
        """The operation, with some parameters changed."""
        return apply(self.op, operands, {**self.params, **params})

    # ------------------------------------------------------------ ways

    def one_by_one(self) -> Tensor:
        """For each element a call of its own."""
        rows = []
        for i in range(self.size):
            operands = zip(self.operands, self.mapped, strict=True)
            rows.append(self([slice_(x, index=(i,)) if every else x for x, every in operands]))
        return stack(*rows, dim=0)

    def lined(self) -> Tensor:
        """What broadcasts: each operand gets as many dimensions for an element as the result has."""
        return self(self.lined_up(len(self.shape)))

    def leading(self) -> Tensor:
        """What works on the last dimensions, whatever is in front of them."""
        return self(self.operands) if self._of_one_rank() else self.one_by_one()

    def together(self) -> Tensor:
        """What works on the last dimensions of operands that all have the new one."""
        return self(self.spread())

    def dims(self) -> Tensor:
        """What goes along dimensions, which count from the new one on, and may have the shape of the result."""
        if not self._of_one_rank():
            return self.one_by_one()
        rank = len(self.params.get("shape", self.shapes[0]))
        changed: dict[str, Any] = {}
        for name, value in self.params.items():
            if name == "shape":
                changed[name] = (self.size, *value)
            elif name.startswith("dim") and isinstance(value, int):
                changed[name] = value + 1
            elif name.startswith("dim"):
                changed[name] = tuple(d + 1 for d in (range(rank) if value is None else value))
        return self(self.spread(), **changed)

    def shaped(self) -> Tensor:
        """What gets a shape, to which it may broadcast."""
        shape = self.params["shape"]
        lined = self.lined_up(len(shape)) if len(self.shapes[0]) < len(shape) else self.operands
        return self(lined, shape=(self.size, *shape))

    def summed_to(self) -> Tensor:
        """The sum of what was broadcast to a shape."""
        [x], shape = self.operands, self.params["shape"]
        more = len(self.shapes[0]) - len(shape)
        if more > 0:
            x = reduce.sum(x, dim=tuple(range(1, more + 1)), keepdim=False)
        return sum_to(x, shape=(self.size, *shape))

    def first(self) -> Tensor:
        """What works on the last dimensions of its first operand, with others that are the same for all."""
        return self.one_by_one() if any(self.mapped[1:]) else self(self.operands)

    def examples(self) -> Tensor:
        """What works on examples, along the first dimension of its first operand, with others that are the same."""
        if any(self.mapped[1:]):
            return self.one_by_one()
        x, *others = self.operands
        y = self([reshape(x, shape=(-1, *self.shapes[0][1:])), *others])
        return reshape(y, shape=(self.size, *self.shape))

    def product(self) -> Tensor:
        """A product of matrices, or of a matrix and a vector."""
        (a, b), (many_a, many_b), (of_a, of_b) = self.operands, self.mapped, self.shapes
        return self._product(a, b, many_a, many_b, of_a, of_b)

    def layer(self) -> Tensor:
        """A product with a transposed matrix, and a bias."""
        x, w, b = self.operands
        if not any(self.mapped[1:]):
            return self([x, w, b])
        w = permute(w, axes=(0, 2, 1) if self.mapped[1] else (1, 0))
        y = self._product(x, w, self.mapped[0], self.mapped[1], self.shapes[0], self.shapes[1][::-1])
        return e.add(y, self.lined_up(len(self.shape))[2])

    def dot(self) -> Tensor:
        """The product of two vectors."""
        return reduce.sum(e.mul(*self.operands), dim=(1,), keepdim=False)

    def largest(self) -> Tensor:
        """The largest of all."""
        return reduce.amax(*self.operands, dim=tuple(range(1, len(self.shapes[0]) + 1)), keepdim=False)

    def smallest(self) -> Tensor:
        """The smallest of all."""
        return reduce.amin(*self.operands, dim=tuple(range(1, len(self.shapes[0]) + 1)), keepdim=False)

    def mean_of_squares(self) -> Tensor:
        """The mean of squared differences."""
        d = e.sub(*self.lined_up(max(map(len, self.shapes))))
        return reduce.mean(e.square(d), dim=tuple(range(1, d._array.ndim)), keepdim=False)

    # ------------------------------------------------------------ for these

    def _of_one_rank(self) -> bool:
        return len(set(map(len, self.shapes))) == 1

    def lined_up(self, rank: int) -> list[Any]:
        """The operands, with so many dimensions for an element where it has fewer."""
        operands = zip(self.operands, self.mapped, self.shapes, strict=True)
        return [
            reshape(x, shape=(self.size, *[1] * (rank - len(shape)), *shape))
            if every and len(shape) < rank
            else x
            for x, every, shape in operands
        ]

    def spread(self) -> list[Any]:
        """The operands, each with the dimension of elements."""
        operands = zip(self.operands, self.mapped, self.shapes, strict=True)
        return [x if every else expand(x, shape=(self.size, *shape)) for x, every, shape in operands]

    def _product(
        self, a: Any, b: Any, many_a: bool, many_b: bool, of_a: tuple[int, ...], of_b: tuple[int, ...]
    ) -> Tensor:
        """``a @ b`` of one element's shapes ``of_a`` and ``of_b``; a vector is a row, or a column."""
        row, column = (1, *of_a) if len(of_a) == 1 else of_a, (*of_b, 1) if len(of_b) == 1 else of_b
        if many_a and not many_b and len(column) == 2:  # one product of all rows
            y = matmul(reshape(a, shape=(-1, of_a[-1])), reshape(b, shape=column))
            return reshape(y, shape=(self.size, *self.shape))
        rank = max(len(row), len(column))
        a, b = (
            reshape(x, shape=(self.size,) * many + (1,) * ((rank - len(shape)) * many) + shape)
            for x, many, shape in ((a, many_a, row), (b, many_b, column))
        )
        return reshape(matmul(a, b), shape=(self.size, *self.shape))

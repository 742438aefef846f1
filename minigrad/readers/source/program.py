"""The program behind a result: forward and backward records as one list of values, simplified.

The backward half is a recording: the engine runs once with ``create_graph`` over a copy of the
tape, everything it does is recorded, and its records are the second half of the program.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.core import engine
from minigrad.core.hooks import After
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import ONES, RETAIN, Const, Node, next_seq, tape
from minigrad.core.op import NO_PARAMS, Array, Op, Path
from minigrad.core.recorder import Numeral
from minigrad.core.tensor import Tensor, leaf, wrap


class Value:
    """One value of the program: what makes it, and out of what.

    ``op`` is the name of an operation, whose ``record`` it has, or of a leaf, ``"parameter"`` or
    ``"constant"``. ``fill`` is the number that all elements equal, where that is known. ``turned``: the
    input that `Op.lies_like` names does not lie in memory row by row, as far as is known. ``nodes`` are
    the records that computed it, ``origin`` the first record it came from, ``of``, in the backward half,
    the forward record that is being differentiated.
    """

    __slots__ = (
        "data", "dtype", "fill", "forward", "hint", "inputs", "is_constant", "is_parameter", "is_view", "nodes", "of",
        "op", "origin", "params", "record", "shape", "turned",
    )  # fmt: skip

    def __init__(
        self,
        op: Op | str,
        inputs: Sequence[Any],
        params: dict[str, Any],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        node: Node | None,
    ) -> None:
        self.record: Any = op if isinstance(op, Op) else None  # None of what no operation computes
        self.op: str = op.name if isinstance(op, Op) else op
        self.is_parameter = self.record is None and self.op == "parameter"
        self.is_constant = self.record is None and self.op == "constant"
        self.is_view: bool = self.record is not None and (self.record.view or self.record.repeats)
        self.inputs, self.params, self.shape, self.dtype = tuple(inputs), params, shape, dtype
        self.nodes = [] if node is None else [node]
        self.fill: Any = None
        self.data: Array | None = None
        self.forward = True
        self.of: Node | None = None
        self.origin = node
        self.hint = ""  # a name, for want of a variable's
        self.turned = False

    @property
    def shows(self) -> bool:
        """Whether it is a view of its first input, and printed as one, not as a number."""
        return self.fill is None and self.is_view

    def __repr__(self) -> str:
        return f"<{self.op} {list(self.shape)}>"


class Program:
    """What is computed from a root: ``values`` in order, the ``result`` and, by target, its ``gradients``."""

    def __init__(self, root: Node, targets: Sequence[Node]) -> None:
        self.values: list[Value] = []
        self.seen: dict[Any, Value] = {}
        self.value_of: dict[Node, Value] = {}
        self.forward = tape([root])
        for node in self.forward:
            self.value_of[node] = self._value(node)
        self.result = self.value_of[root]
        self.gradient: Value | None = None  # the parameter for the result's own gradient, if one is needed
        self.gradients: dict[Node, Value | None] = {}
        self.names: dict[Value, list[Node]] = {}  # a value that is the gradient of these
        if targets:
            self._differentiate(root, targets)

    # ------------------------------------------------------------ the backward half

    def _differentiate(self, root: Node, targets: Sequence[Node]) -> None:
        run = _Backward(self.forward, root, targets)
        seed = run.seed
        value = Value("parameter", (), {}, root.shape, root.dtype, seed)
        if np.prod(root.shape) == 1:
            value.fill = value.dtype.type(1)
        else:
            self.gradient = value
        value.forward = False
        self.value_of[seed] = value
        self.values.append(value)
        for old, copied in run.copies.items():
            self.value_of[copied] = self.value_of[old]
        for node in tape([t._node for t in run.results.values()]):
            if node not in self.value_of:
                self.value_of[node] = self._value(node, run)
        for old, g in run.gradients.items():
            if g in self.value_of:  # else no rule reads what arrives there
                self.names.setdefault(self.value_of[g], []).append(old)
        for target in targets:
            t = run.results.get(run.copies[target])
            self.gradients[target] = None if t is None else self.value_of[_without_copy(t._node)]

    # ------------------------------------------------------------ from records to values

    def _value(self, node: Node, run: _Backward | None = None) -> Value:
        if node.op is None:
            return self._leaf(node, run)
        value_of = self.value_of
        inputs = [n if n.__class__ is Const else value_of[n] for n in node.inputs]
        before = len(self.values)
        turned = node.op.lies_like is not None and _is_turned(node, run)
        result = self.make(node.op, inputs, node.params, node.shape, node.dtype, node, turned)
        if len(self.values) > before:
            forward, of = self._half(node, run)
            for value in self.values[before:]:
                value.forward, value.of, value.origin = forward, of, node
        return result

    def _half(self, node: Node, run: Any) -> tuple[bool, Node | None]:
        """Whether a record is one of the forward half, and else which record of that it differentiates."""
        return run is None, None if run is None else run.groups.get(node)

    def _leaf(self, node: Node, run: _Backward | None) -> Value:
        kind = "parameter" if run is None or node not in run.constants else "constant"
        value = Value(kind, (), NO_PARAMS, node.shape, node.dtype, node)
        value.forward = run is None
        if node.params is ONES:
            value.fill = value.dtype.type(1)
        if kind == "constant" and run is not None:
            value.data = array = run.constants[node]
            content, one = array.tobytes(), array.flat[:1]
            # Zeros of both signs are equal, and not the same; no nan is equal to itself.
            if array.size and (array == one[0]).all() and content == one.tobytes() * array.size:
                value.fill = one[0]
            key = ("constant", array.shape, array.dtype.str, content)
            if key in self.seen:
                return self.seen[key]
            self.seen[key] = value
        self.values.append(value)
        return value

    def make(
        self,
        op: Op,
        inputs: list[Any],
        params: dict[str, Any],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        node: Node | None = None,
        turned: bool = False,
    ) -> Value:
        """A value, simplified; one that is there already if it is the same."""
        if op.parts and _fits(op, inputs, shape, dtype):
            op, inputs, params = *self._taken_apart(op, inputs, dtype), NO_PARAMS
        x: Any = inputs[0] if inputs else None
        if op.joins is not None and x.__class__ is Value and x.record is op:
            params, inputs, x = op.joins(params, x.params), [x.inputs[0]], x.inputs[0]
        idle = op.idle is not None and x.__class__ is Value and op.idle(x.shape, shape, **params)
        if idle and not op.new:
            return self._also(x, node)
        if (
            (idle or copies(op))
            and x.__class__ is Value
            and x.record is not None
            and x.record.new
            and x.fill is None
        ):
            return self._also(x, node)  # in a program that changes nothing in place, a copy is the same
        if op.apart is not None and node is not None:
            inputs = self._apart(op.apart, inputs, node)
        number = None
        if op.fill is not None or any(map(_repeats_one, inputs)):
            number = _filled(op, inputs, dtype)
            if (
                number is None
                and op.elementwise
                and op.check is None
                and len(inputs) > 1
                and numpy_name(op.kernel)
            ):
                if op.unit is not None and node is not None:
                    for one, other in (inputs, inputs[::-1]):
                        same = other.__class__ is Value and (other.shape, other.dtype) == (shape, dtype)
                        if same and one.__class__ is Value and one.fill is not None and one.fill == op.unit:
                            return self._also(other, node)
                inputs = self._narrow(inputs, shape)
        operands = [id(v) if v.__class__ is Value else _identity(v) for v in inputs]
        key = (op, *operands, _same_params(params) if params else "", shape, dtype, turned)
        value = None if op.draws else self.seen.get(key)
        if value is not None:
            return self._also(value, node)
        value = self.seen[key] = Value(op, inputs, params, shape, dtype, node)
        value.fill, value.turned = number, turned
        self.values.append(value)
        return value

    def _taken_apart(self, op: Op, inputs: list[Any], dtype: Any) -> tuple[Op, list[Any]]:
        """The last step of those that an op consists of, and its operands; the steps before it become values."""
        before: Any = None
        for step, numbers, name in op.parts:
            operands = [before if n < 0 else inputs[n] for n in numbers]
            if step is not op.parts[-1][0]:
                before = self.make(step, operands, NO_PARAMS, _meet(operands), dtype)
                before.hint = name
        return step, operands

    def _also(self, value: Any, node: Node | None) -> Value:
        if node is not None:
            value.nodes.append(node)
        return value

    def _apart(self, copy: Op, inputs: list[Any], node: Node) -> list[Any]:
        """Two matrices that were equal and have become one value are two arrays again.

        BLAS multiplies a matrix with its own transpose by another routine, which rounds otherwise.
        """
        a, b, *rest = inputs
        if memory(a) is not memory(b) or _owner(node.inputs[0]) is _owner(node.inputs[1]):
            return inputs
        return [a, self._again(copy, b, node), *rest]

    def _again(self, copy: Op, v: Value, node: Node) -> Value:
        """The same value in memory of its own, which lies as the first one does: of a view, a view of a copy."""
        key = ("apart", id(v))
        if key not in self.seen:
            op, params = (v.record, v.params) if v.shows else (copy, NO_PARAMS)
            x = self._again(copy, v.inputs[0], node) if v.shows else v
            inputs = [x, *v.inputs[1:]] if v.shows else [x]
            again = self.seen[key] = Value(op, inputs, params, v.shape, v.dtype, node)
            again.nodes = list(v.nodes)  # they tell how it lies
            self.values.append(again)
        return self.seen[key]

    def _narrow(self, inputs: list[Any], shape: tuple[int, ...]) -> list[Any]:
        """Operands without the broadcasting that NumPy does by itself, and filled ones as numbers."""
        inputs = list(inputs)
        for i, v in enumerate(inputs):
            if v.__class__ is not Value:
                continue
            others = [w for k, w in enumerate(inputs) if k != i and w.__class__ is Value]
            if v.fill is not None and v.dtype.kind in "fiuV":
                typed = any(w.dtype == v.dtype for w in others)
                if typed and _meet(others) == shape:
                    inputs[i] = Const(v.fill)
                    continue
            op = v.record
            if op is not None and op.broadcasts is not None and v.inputs[0].__class__ is Value:
                small = v.inputs[0]
                steps = list(
                    steps_of(op.broadcasts(small.shape, v.shape, **v.params), small.shape, small.dtype)
                )
                if _meet([*others, steps[-1][2] if steps else small.shape]) == shape:
                    for (step, params), _, after in steps:
                        small = self.make(step, [small], params, after, small.dtype)
                    inputs[i] = small
        return inputs


def _fits(op: Op, inputs: list[Any], shape: tuple[int, ...], dtype: Any) -> bool:
    """Whether the steps of an op give its result: one that copies an operand gives the shape and dtype of that."""
    last, numbers, _ = op.parts[-1]
    x = inputs[numbers[0]] if last.same is not None else None
    return x.__class__ is not Value or (x.shape, x.dtype) == (shape, dtype)


def copies(op: Op) -> bool:
    """Whether an op gives its first input in an array of its own."""
    return op.same == 0 and op.order == "K" and not op.view and op.check is None


def numpy_name(kernel: Any) -> str:
    """How a program names a kernel that is NumPy's own, such as ``np.add``; else an empty string."""
    while kernel is not None:
        name, home = getattr(kernel, "__name__", ""), str(getattr(kernel, "__module__", None) or "numpy")
        for module in ("numpy", home) if home.partition(".")[0] == "numpy" else ():
            if getattr(sys.modules.get(module), name, None) is kernel:
                return f"np{module[5:]}.{name}"
        kernel = getattr(kernel, "__wrapped__", None)
    return ""


def steps_of(path: Path, shape: Any, dtype: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Each step of a path with the shapes before and after it."""
    for op, params in path:
        after = op.kernel(np.broadcast_to(np.zeros((), dtype), shape), **params).shape
        yield (op, params), shape, after
        shape = after


def memory(v: Value) -> Value:
    """The value whose array this one shows."""
    while v.shows:
        v = v.inputs[0]
    return v


def _owner(node: Node | Const) -> object:
    """The record whose array this one's result shows."""
    while node.op is not None and node.op.view:
        node = node.inputs[0]
    return node


def _identity(operand: Const) -> object:
    """What makes numbers the same; of values it is their id."""
    if isinstance(operand.value, Numeral):
        return "Numeral", operand.value.text
    return type(operand.value).__name__, repr(operand.value)


def _repeats_one(v: object) -> bool:
    """Whether an operand is known to repeat a number, or something smaller."""
    return v.__class__ is Value and (v.fill is not None or (v.record is not None and v.record.repeats))


def _meet(operands: Sequence[Any]) -> Any:
    try:
        return np.broadcast_shapes(*(w.shape if w.__class__ is Value else w for w in operands))
    except ValueError:
        return None


def _same_params(p: Any) -> object:
    """What makes parameters the same: the bytes of arrays, the text of numbers and the like, else the object itself."""
    if isinstance(p, dict):
        return tuple((k, _same_params(q)) for k, q in p.items())
    if isinstance(p, (tuple, list)):
        return (type(p), *map(_same_params, p))
    if isinstance(p, np.ndarray) and not p.dtype.hasobject:
        return p.shape, p.dtype.str, p.tobytes()
    plain = p is None or isinstance(
        p, (bool, int, float, complex, str, bytes, slice, np.generic, np.dtype, type)
    )
    return (type(p), repr(p)) if plain or isinstance(p, Op) else id(p)


def _filled(op: Op, inputs: list[Any], dtype: Any) -> Any:
    """The number that all elements equal, if that follows from the operands."""
    kind = dtype.type
    if op.fill is not None:
        return kind(op.fill)
    if op.check is not None:
        return None
    numbers = [
        v.value if v.__class__ is Const else None if v.fill is None else np.asarray(v.fill, v.dtype)
        for v in inputs
    ]
    with np.errstate(all="ignore"):  # a narrower type may not hold it
        if op.moves and inputs[0].__class__ is Value and inputs[0].fill is not None:
            return kind(inputs[0].fill)
        if not op.fold or any(n is None or isinstance(n, Numeral) for n in numbers):
            return None  # a Numeral is another number in the next run
        return kind(op.kernel(*numbers))


def _without_copy(node: Node) -> Node:
    """A leaf's gradient before the copy that keeps two leaves from sharing one array."""
    while node.op is not None and copies(node.op):
        node = node.inputs[0]
    return node


def _is_turned(node: Node, run: _Backward | None) -> bool:
    """Whether the input that `Op.lies_like` names did not lie in memory row by row, as far as that is known."""
    if run is not None and node in run.by_columns:
        return True
    keep, i = (
        node.layout.keep if node.requires_grad else (),
        node.op.lies_like if node.op is not None else None,
    )
    return i in keep and node.saved.__class__ is tuple and not node.saved[keep.index(i)].flags.c_contiguous


# ---------------------------------------------------------------- running the engine


class _Backward:
    """One recorded pass over a copy of the tape; the tape itself is left as it is."""

    def __init__(self, forward: Sequence[Node], root: Node, targets: Sequence[Node]) -> None:
        self.copies: dict[Node, Node] = {}
        self.groups: dict[Node, Node] = {}  # a backward record to the forward record it differentiates
        self.gradients: dict[Node, Node] = {}  # a forward record to the record of its gradient
        self.constants: dict[Node, Array] = {}
        self.by_columns: set[Node] = set()  # records whose `Op.lies_like` does not lie row by row
        self._current: Node | None = None
        self._in_hooks: list[tuple[int, int]] = []
        for node in forward:
            self.copies[node] = self._copy(node)
        seed = wrap(np.ones(root.shape, root.dtype))
        self.seed = leaf(seed)
        mode = MODE.get().replace(
            grad=True, inference=False, everything=True, anomaly=None, observer=self._observe
        )
        with ModeManager(mode):
            ends = [self.copies[t] for t in targets]
            self.results = engine.run([self.copies[root]], [seed], ends, keep=True, create=True)
        for copied in self.copies.values():
            copied.hooks = None  # they refer to this object: a cycle

    def _copy(self, node: Node) -> Node:
        copied = node.copy()
        copied.inputs = tuple(n if n.__class__ is Const else self.copies[n] for n in node.inputs)
        if node.requires_grad:
            mine = {k: self._watched(h) for k, h in (node.hooks or {}).items() if k >= 0}
            mine[RETAIN] = lambda g: self._arrived(node, g)
            copied.hooks = mine
        return copied

    def _watched(self, hook: Any) -> Any:
        if isinstance(hook, After):
            return After(self._watched(hook.hook))

        def call(*grads: Any) -> Any:
            before = next_seq()
            try:
                return hook(*grads)
            finally:
                self._in_hooks.append((before, next_seq()))

        return call

    def _arrived(self, node: Node, g: Tensor) -> None:
        self._current = node
        if g._node is not None:
            self.gradients[node] = g._node

    def _observe(self, record: Node, arrays: list[Any]) -> None:
        if self._current is not None:
            self.groups[record] = self._current
        like = record.op.lies_like if record.op is not None else None
        if like is not None and isinstance(arrays[like], np.ndarray) and not arrays[like].flags.c_contiguous:
            self.by_columns.add(record)
        for n, array in zip(record.inputs, arrays, strict=False):
            if (
                isinstance(n, Node)
                and n.op is None
                and n is not self.seed
                and n.seq > self.seed.seq
                and not any(a < n.seq < b for a, b in self._in_hooks)
            ):
                self.constants[n] = array

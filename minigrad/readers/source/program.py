"""The program behind a result: forward and backward records as one list of values, simplified.

The backward half is not written by anybody: the engine runs once with ``create_graph`` over a copy of the
tape, everything it does is recorded, and its records are the second half of the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core import engine
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import ONES, RETAIN, Const, Node, next_seq, tape
from minigrad.core.op import NO_PARAMS, TABLE, Array
from minigrad.core.recorder import Numeral
from minigrad.core.tensor import Tensor, leaf, wrap

Operand = "Value | Const"
VIEWS = ("reshape", "permute", "expand", "spread", "slice", "alias")
_MOVES = (*VIEWS, "flip", "clone", "contiguous", "to")
_REPEATED = ("spread", "expand")
_ZEROS = ("zero", "zeros")
_FOLDED = ("add", "sub", "mul", "div", "neg")


class Value:
    """One value of the program: what makes it, and out of what.

    ``op`` names an operation of the table, or is ``"parameter"``, ``"constant"`` or ``"mean_square"``.
    ``fill`` is the number that all elements equal, where that is known.  ``nodes`` are the records that computed it,
    ``origin`` the first record it came from, ``of``, in the backward half, the forward record that is being
    differentiated.
    """

    __slots__ = (
        "data",
        "dtype",
        "fill",
        "forward",
        "hint",
        "inputs",
        "nodes",
        "of",
        "op",
        "origin",
        "params",
        "shape",
    )

    def __init__(
        self,
        op: str,
        inputs: Sequence[Any],
        params: dict[str, Any],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        node: Node | None,
    ) -> None:
        self.op, self.inputs, self.params, self.shape, self.dtype = op, tuple(inputs), params, shape, dtype
        self.nodes = [] if node is None else [node]
        self.fill: Any = None
        self.data: Array | None = None
        self.forward = True
        self.of: Node | None = None
        self.origin = node
        self.hint = ""  # a name, where nobody gave one

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
        for old, new_ in run.copies.items():
            self.value_of[new_] = self.value_of[old]
        found = [t._node for t in run.found.values()]
        for node in tape(found):
            if node not in self.value_of:
                self.value_of[node] = self._value(node, run)
        for old, g in run.gradients.items():
            self.names.setdefault(self.value_of[g], []).append(old)
        for target in targets:
            t = run.found.get(run.copies[target])
            self.gradients[target] = None if t is None else self.value_of[_without_copy(t._node)]

    # ------------------------------------------------------------ from records to values

    def _value(self, node: Node, run: _Backward | None = None) -> Value:
        if node.op is None:
            return self._leaf(node, run)
        value_of = self.value_of
        inputs = [n if n.__class__ is Const else value_of[n] for n in node.inputs]
        before = len(self.values)
        params = node.params
        if node.op.name == "relu_backward" and _by_columns(node, run):
            params = {"by_rows": False}
        made = self.make(node.op.name, inputs, params, node.shape, node.dtype, node)
        if len(self.values) > before:
            forward, of = self._half(node, run)
            for value in self.values[before:]:
                value.forward, value.of, value.origin = forward, of, node
        return made

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
            if array.size and (array == array.flat[0]).all():
                value.fill = array.flat[0]
            key = ("constant", array.shape, array.dtype.str, array.tobytes())
            if key in self.seen:
                return self.seen[key]
            self.seen[key] = value
        self.values.append(value)
        return value

    def make(
        self,
        op: str,
        inputs: list[Any],
        params: dict[str, Any],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        node: Node | None = None,
    ) -> Value:
        """A value, simplified; one that is there already if it is the same."""
        if op == "alias" or (op == "reshape" and inputs[0].shape == shape):
            return self._also(inputs[0], node)
        if op == "copy":
            op, inputs = "clone", inputs[1:]
        if op == "permute":
            x, axes = inputs[0], tuple(params["axes"])
            if x.op == "permute":
                axes = tuple([x.params["axes"][a] for a in axes])
                x = x.inputs[0]
            if axes == tuple(range(len(axes))):
                return self._also(x, node)
            inputs, params = [x], {"axes": axes}
        if op == "clone" and inputs[0].op not in (*VIEWS, "parameter", "constant") and inputs[0].fill is None:
            return self._also(
                inputs[0], node
            )  # in a program that changes nothing in place, a copy is the same
        if op == "mse_loss":
            sizes = np.broadcast_shapes(*(i.shape for i in inputs))
            difference = self.make("sub", inputs, NO_PARAMS, sizes, dtype)
            difference.hint = "difference"
            op, inputs = "mean_square", [difference]
        if op in ("matmul", "linear") and node is not None:
            inputs = self._apart(inputs, node)
        fill = None
        if op in _ZEROS or any(map(_repeats_one, inputs)):  # otherwise there is nothing to fill or to narrow
            fill = _filled(op, inputs, params, dtype)
            if fill is None and op in _ELEMENTWISE:
                if op == "mul" and node is not None:
                    for one, other in (inputs, inputs[::-1]):
                        if (
                            _is_one(one)
                            and other.__class__ is Value
                            and (other.shape, other.dtype) == (shape, dtype)
                        ):
                            return self._also(other, node)
                inputs = self._narrow(inputs, shape, dtype)
        operands = [id(v) if v.__class__ is Value else _identity(v) for v in inputs]
        key = (op, *operands, repr(params) if params else "", shape, dtype)
        value = self.seen.get(key)
        if value is not None:
            return self._also(value, node)
        value = self.seen[key] = Value(op, inputs, params, shape, dtype, node)
        value.fill = fill
        self.values.append(value)
        return value

    def _also(self, value: Any, node: Node | None) -> Value:
        if node is not None:
            value.nodes.append(node)
        found: Value = value
        return found

    def _apart(self, inputs: list[Any], node: Node) -> list[Any]:
        """Two matrices that were equal and have become one value are two arrays again.

        BLAS multiplies a matrix with its own transpose by another routine, which rounds otherwise.
        """
        a, b, *rest = inputs
        if memory(a) is not memory(b) or _owner(node.inputs[0]) is _owner(node.inputs[1]):
            return inputs
        return [a, self._again(b, node), *rest]

    def _again(self, v: Value, node: Node) -> Value:
        """The same value in memory of its own, which lies as the first one does: of a view, a view of a copy."""
        key = ("apart", id(v))
        if key not in self.seen:
            view = v.op in VIEWS and v.fill is None
            op, params = (v.op, v.params) if view else ("clone", NO_PARAMS)
            made = Value(op, [self._again(v.inputs[0], node) if view else v], params, v.shape, v.dtype, node)
            made.nodes = list(v.nodes)  # they tell how it lies
            self.seen[key] = made
            self.values.append(made)
        return self.seen[key]

    def _narrow(self, inputs: list[Any], shape: tuple[int, ...], dtype: Any) -> list[Any]:
        """Operands without the broadcasting that NumPy does by itself, and filled ones as numbers."""
        inputs = list(inputs)
        for i, v in enumerate(inputs):
            if v.__class__ is not Value:
                continue
            others = [w for k, w in enumerate(inputs) if k != i and w.__class__ is Value]
            if v.fill is not None and v.dtype.kind in "fiu":
                typed = any(w.dtype == v.dtype for w in others)
                if typed and _meet(others) == shape:
                    inputs[i] = Const(v.fill)
                    continue
            if v.op in _REPEATED and v.inputs[0].__class__ is Value:
                small = v.inputs[0]
                target = _kept(v) if v.op == "spread" else small.shape
                if _meet([*others, target]) == shape:
                    if target != small.shape:
                        small = self.make("reshape", [small], {"shape": target}, target, small.dtype)
                    inputs[i] = small
        return inputs


_ELEMENTWISE = (
    "add", "sub", "mul", "div", "maximum", "minimum", "clamp_min", "clamp_max", "where", "eq", "ne", "lt",
    "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor",
    "atan2",
)  # fmt: skip


def memory(v: Value) -> Value:
    """The value whose array this one shows."""
    while v.op in VIEWS and v.fill is None:
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
    return v.__class__ is Value and (v.fill is not None or v.op in _REPEATED)


def _is_one(v: object) -> bool:
    return v.__class__ is Value and v.fill is not None and bool(v.fill == 1)


def _meet(operands: Sequence[Any]) -> Any:
    try:
        return np.broadcast_shapes(*(w.shape if w.__class__ is Value else w for w in operands))
    except ValueError:
        return None


def _kept(v: Value) -> tuple[int, ...]:
    """The shape from which NumPy's broadcasting makes the same as `spread`."""
    dim, small = v.params["dim"], v.inputs[0].shape
    if dim is None or v.params["keepdim"] or not v.shape:
        return tuple(small)
    return tuple(1 if d in dim else n for d, n in enumerate(v.shape))


def _filled(op: str, inputs: list[Any], params: dict[str, Any], dtype: Any) -> Any:
    """The number that all elements equal, if that follows from the operands."""
    if op in _ZEROS:
        return dtype.type(0)
    for v in inputs:
        if v.__class__ is Value and v.fill is not None:
            break
    else:
        return None
    kind = dtype.type
    if op in _MOVES:
        with np.errstate(all="ignore"):  # a narrower type may not hold it
            return kind(inputs[0].fill)
    if any(v.__class__ is Const and isinstance(v.value, Numeral) for v in inputs):
        return None  # it is another number in the next run
    if op in _FOLDED and all(v.__class__ is Const or v.fill is not None for v in inputs):
        with np.errstate(all="ignore"):
            numbers = [v.value if v.__class__ is Const else np.asarray(v.fill, v.dtype) for v in inputs]
            return kind(TABLE[op].kernel(*numbers))
    return None


def _without_copy(node: Node) -> Node:
    """A leaf's gradient before the copy that keeps two leaves from sharing one array."""
    found = node
    while found.op is not None and found.op.name == "clone":
        found = found.inputs[0]
    return found


def _by_columns(node: Node, run: _Backward | None) -> bool:
    """Whether the second operand of a record did not lie in memory row by row, as far as that is known."""
    if run is not None and node in run.by_columns:
        return True
    keep = node.layout.keep if node.requires_grad else ()
    return 1 in keep and node.saved.__class__ is tuple and not node.saved[keep.index(1)].flags.c_contiguous


# ---------------------------------------------------------------- running the engine


class _Backward:
    """One recorded pass over a copy of the tape; the tape itself is left as it is."""

    def __init__(self, forward: Sequence[Node], root: Node, targets: Sequence[Node]) -> None:
        self.copies: dict[Node, Node] = {}
        self.groups: dict[Node, Node] = {}  # a backward record to the forward record it differentiates
        self.gradients: dict[Node, Node] = {}  # a forward record to the record of its gradient
        self.constants: dict[Node, Array] = {}
        self.by_columns: set[Node] = set()  # records whose second operand does not lie row by row
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
            self.found = engine.run([self.copies[root]], [seed], ends, keep=True, create=True)
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
        def call(g: Any) -> Any:
            before = next_seq()
            try:
                return hook(g)
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
        if len(arrays) > 1 and isinstance(arrays[1], np.ndarray) and not arrays[1].flags.c_contiguous:
            self.by_columns.add(record)
        for n, array in zip(record.inputs, arrays, strict=False):
            if (
                n.__class__ is Node
                and n.op is None
                and n is not self.seed
                and n.seq > self.seed.seq
                and not any(a < n.seq < b for a, b in self._in_hooks)
            ):
                self.constants[n] = array

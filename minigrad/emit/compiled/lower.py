"""From what a trace found to a plan: which values there are, where each lives, and the text that computes them."""

from __future__ import annotations

import ast
import functools
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import BOOL, F32, F64
from minigrad.emit.compiled.trace import Trace
from minigrad.emit.source.expressions import Expr, Helpers, at, expression, fill, literal, parsed
from minigrad.emit.source.program import VIEWS, Program, Value, memory
from minigrad.emit.source.text import Text, _place, _wrapped
from minigrad.ops.linalg import by_matmul
from minigrad.ops.nn import LONG, TILED, long_row, together
from minigrad.tape import NO_PARAMS, TABLE, Const, Node, Scalar

_INTO = ", out=\0)"  # NUL stands for the name of a value until it has one
OUTSIDE = "outside"  # of a result that shows memory from outside
ALIGN = 64  # bytes


class Whole(Program):
    """The program of a trace: all records that its results, writes and draws need."""

    def __init__(self, trace: Trace, order: Sequence[Node]) -> None:
        self.values: list[Value] = []
        self.seen: dict[Any, Value] = {}
        self.value_of: dict[Node, Value] = {}
        self.names: dict[Value, list[Node]] = {}
        self.gradient = None
        self.gradients: dict[Node, Value | None] = {}
        self.trace: Any = trace
        self.by_tensor: dict[int, Value] = {}
        late: list[Node] = []
        for node in order:
            self._place(node, late)
        for node in late:
            self._place(node, [])
        self.forward = [n for n in order if n.op is not None and n not in trace.groups]
        for old, g in trace.gradients.items():
            if g in self.value_of:
                self.names.setdefault(self.value_of[g], []).append(old)

    def _place(self, node: Node, late: list[Node]) -> None:
        before = self.trace.follows.get(node)
        source = self.trace.sources.get(node)
        if source is not None:
            known = self.by_tensor.get(id(source))
            if known is None:
                known = self.by_tensor[id(source)] = Value("parameter", (), {}, node.shape, node.dtype, node)
                self.values.append(known)
            else:
                known.nodes.append(node)
            self.value_of[node] = known
        elif before is None:
            op = node.op
            if op is not None and op.name in ("draw", "bernoulli"):  # each is another
                self.value_of[node] = self._draw(node, op.name)
            elif op is None or TABLE.get(op.name) is op:  # the others only stand for gradients
                self.value_of[node] = self._value(node, self.trace)
        elif before in self.value_of:
            self.value_of[node] = self.value_of[before]
        else:
            late.append(node)

    def _draw(self, node: Node, op: str) -> Value:
        inputs = [n if n.__class__ is Const else self.value_of[n] for n in node.inputs]
        value = Value(op, inputs, node.params, node.shape, node.dtype, node)
        value.forward, value.of = self._half(node, self.trace)
        self.values.append(value)
        return value

    def _half(self, node: Node, run: Any) -> tuple[bool, Node | None]:
        groups = self.trace.groups
        return node not in groups, groups.get(node)


class Statement:
    """A line of the plan, and the values whose memory it reads."""

    def __init__(self, value: Value, kind: str, lines: Sequence[str], reads: Sequence[Value]) -> None:
        self.value, self.kind, self.lines, self.reads = value, kind, list(lines), list(reads)
        self.place = _place(value.origin if value.forward else value.of)  # in the user's code
        through = value.of.op.name if value.of is not None and value.of.op is not None else ""
        self.about = (
            "" if value.forward else f"backward of {through}{f'  ({self.place})' if self.place else ''}"
        )


class Slot:
    """A piece of the plan's memory, in use from one statement to another."""

    def __init__(self, value: Value, first: int) -> None:
        self.value, self.first, self.last, self.offset = value, first, first, -1
        self.group: Group | None = None  # the larger piece that it is a part of
        self.within = 0
        self.size = -(-max(1, math.prod(value.shape)) * value.dtype.itemsize // ALIGN) * ALIGN
        self.inherits: Slot | None = None


class Group:
    """Slots side by side, so that one call can serve them all."""

    def __init__(self, name: str, dtype: Any) -> None:
        self.name, self.dtype, self.size, self.offset = name, dtype, 0, 0


class Plan(Text):
    """A whole program as text: ``bind`` is called with what stays (parameters), and returns ``run``.

    Elementwise operations, products and sums write into memory that was planned; what the caller keeps, and
    operations that can only return, get arrays of their own.  Writes to memory from outside come last.
    """

    def __init__(
        self,
        program: Whole,
        given: Sequence[tuple[str, Node]],
        bound: set[Node],
        outputs: Sequence[Value],
        writes: Sequence[tuple[Node, Value]],
        numbers: Sequence[tuple[str, str]],
        title: str,
        boundary: Sequence[Value] = (),
        draws: bool = True,
        memories: Sequence[Any] | None = None,
        lent: bool = False,
    ) -> None:
        self._begin(program, given, {})
        self.whole = program
        self.title, self.otherwise = title, program.trace.otherwise
        self.outputs, self.writes, self.numbers = list(outputs), list(writes), list(numbers)
        self.bound, self.lent = bound, lent  # leaves that stay; whether ``bind`` is given its memory
        self.memories = list(range(len(self.outputs))) if memories is None else list(memories)
        self.boundary = dict.fromkeys(
            boundary
        )  # in order, so that names and parameters are the same each time
        self._read: dict[Value, list[Value]] = {}  # what `_inputs` found
        for name in ("np", "bind", "run", "memory"):
            self.names.reserve(name)
        for _, text in self.numbers:
            self.names.reserve(text)
        ends = [*self.outputs, *(v for _, v in self.writes)]
        if draws:  # all of them, for each moves the generator on
            ends += [program.value_of[d] for d in program.trace.draws]
        self.live = self._needed(ends)
        self.arguments: list[tuple[Node | None, Value]] = self._plan_parameters(given)
        self._lock = threading.Lock()
        self._built = self._over = False
        self.sharing: list[Plan] = [self]  # plans of the same values
        self._start()

    def _start(self) -> None:
        """What laying out begins with."""
        self.helpers = Helpers()
        self.expr_of: dict[Value, Expr] = {}
        self.setup: list[str] = []  # lines of bind
        self.statements: list[Statement] = []
        self.slots: dict[Value, Slot] = {}
        self.static: set[Value] = set()  # whose array is the same in every run
        self.models: dict[Value, Any] = {}
        self.fresh: set[Value] = set()
        self._numbers: dict[Any, str] = {}
        self._helped: dict[str, list[str]] = {}
        self.data: dict[str, Any] = {}  # what the text needs beside NumPy: constants, generators
        self._refilled: list[str] = []
        self.lasting_bytes = 0  # of arrays that stay beside the planned memory
        self.mask_of: dict[Value, Value] = {}  # of a gradient of relu: where it passes

    # ------------------------------------------------------------ what there is

    def _inputs(self, v: Value) -> list[Value]:
        found = self._read.get(v)
        if found is None:
            if v.fill is not None or not v.inputs or v in self.boundary:
                found = []
            else:
                found = [w for w in v.inputs if w.__class__ is Value]
            self._read[v] = found
        return found

    def _needed(self, ends: Sequence[Value]) -> list[Value]:
        found = set(ends)
        todo = list(found)
        for v in todo:  # grows while it is walked
            more = [w for w in self._inputs(v) if w not in found]
            if more:
                found.update(more)
                todo += more
        return [v for v in self.program.values if v in found]

    def _plan_parameters(self, given: Sequence[tuple[str, Node]]) -> list[tuple[Node | None, Value]]:
        """Leaves that are read or written, with their values, in the order given; they get their names."""
        live = set(self.live)
        written = {node for node, _ in self.writes}
        found: list[tuple[Node | None, Value]] = []
        for name, node in given:
            v = self.program.value_of.get(node)
            if v is None:
                if node not in written:
                    continue
                v = self.program.value_of[node] = Value("parameter", (), {}, node.shape, node.dtype, node)
            if v in live or node in written:
                found.append((node, v))
                if v not in self.name_of:
                    self.name_of[v] = self.names.take(name)
        for v in self.boundary:
            if v not in self.name_of:
                self.name_of[v] = self.names.take(v.hint or f"{v.op}_{len(self.name_of)}")
                found.append((None, v))
        return found

    def _owner(self, v: Value) -> Value:
        """The value whose memory this one shows; a view that had to be copied has memory of its own."""
        while v.op in VIEWS and v.fill is None and v not in self.slots and v not in self.fresh:
            v = v.inputs[0]
        return v

    def _is_leaf(self, v: Value) -> bool:
        return v.op == "parameter" or v in self.boundary

    # ------------------------------------------------------------ statements

    def build(self) -> None:
        """Lays the plan out, if that has not been done: it waits until somebody asks for statements or the text.

        A call that does not come again costs that much less.
        """
        with self._lock:
            if not self._built:
                names, named = self.names.copy(), dict(self.name_of)
                try:
                    self._build()
                except BaseException:  # also an interrupt: the next one begins anew
                    self._start()
                    self.names, self.name_of = names, named
                    raise
                self._built = True
                if self._over:
                    self._drop()

    def _build(self) -> None:
        self.users: dict[Value, list[Value | None]] = {v: [] for v in self.live}
        for v in self.live:
            for w in self._inputs(v):
                self.users[w].append(v)
        self._wanted = self._name_forward()
        self._wanted |= {v: v.hint for v in self.live if v.hint and v not in self._wanted}
        dirty = {self.program.value_of[node]: node for node, _ in self.writes}
        for v in self.live:
            self._model_leaf(v)
        keep = {id(v) for v in self.outputs}
        self._kept = {v for v in self.live if id(v) in keep}
        for v in self.outputs:
            while v.op in VIEWS and v.fill is None:
                v = v.inputs[0]
                self._kept.add(v)
        forward = True
        for v in self.live:
            if forward and not v.forward:
                self._gradient_names()  # of what has a name by now
            forward = v.forward
            self._state(v)
        self._finish(dirty)

    def _model_leaf(self, v: Value) -> None:
        if self._is_leaf(v):
            self.models[v] = np.empty(v.shape, v.dtype)
            if v.op == "parameter" and any(node in self.bound for node in v.nodes):
                self.static.add(v)

    def _model(self, v: Value) -> Any:
        """An array of the layout that a value will have."""
        found = self.models.get(v)
        if found is None:
            found = self.models[v] = np.empty(v.shape, v.dtype)
        return found

    def _plain(self, v: Value) -> bool:
        """Whether eager mode's array lies row by row, as planned memory does."""
        return not self.otherwise or self.otherwise.isdisjoint(v.nodes)

    def _state(self, v: Value) -> None:
        if self._is_leaf(v) or (v.fill is not None and not v.inputs):
            return
        if v.op == "constant":
            self._take_name(v, "constant")
            self.static.add(v)
            self.setup.append(f"{self.name_of[v]} = {self._data(v)}")
            return
        if v.fill is not None:
            return
        kernel = TABLE[v.op].kernel if v.op in TABLE else None
        by_element = isinstance(kernel, np.ufunc) or v.op == "where" or v.op in VIEWS
        xs = [self._operand(w) if by_element else self._whole_operand(w) for w in v.inputs]
        reads = [w for w in map(self._owner, self._inputs(v)) if w.fill is None]
        if v.op in VIEWS:
            self._view(v, xs, reads)
            return
        self._compute(v, xs, reads)

    def _data(self, v: Value) -> str:
        name = f"data_{len(self.data)}"
        self.data[name] = v.data
        return name

    def _operand(self, w: Any) -> Expr:
        if w.__class__ is Const and type(w.value) is Scalar:
            return parsed(w.value.text)
        return super()._operand(w)

    def _whole_operand(self, w: Any) -> Expr:
        """As `_operand`; of one number seen many times an array that holds it as often, where eager mode has one.

        A product of matrices rounds otherwise where NumPy cannot hand them to BLAS.
        """
        if w in self.name_of:
            return self._operand(w)
        real, axes = w, ""
        while real.__class__ is Value and real.fill is not None and real.op == "permute":
            real, axes = real.inputs[0], f".transpose({tuple(real.params['axes'])!r})" + axes
        base = real
        while (
            base.__class__ is Value
            and base.fill is not None
            and base.op in ("reshape", "slice", "alias", "permute")
        ):
            base = base.inputs[0]
        if base.__class__ is not Value or real.fill is None or not w.shape or base.op in VIEWS:
            return self._operand(w)
        key = ("full", repr(real.fill), real.shape, real.dtype.str, axes)
        text = f"np.full({real.shape!r}, {_text(literal(real.fill))}, np.dtype({real.dtype.name!r})){axes}"
        return ast.Name(self._lasting(key, "full", lambda name: self.setup.append(f"{name} = {text}")))

    def _take_name(self, v: Value, kind: str) -> str:
        wanted = self._wanted.get(v)
        name = self.name_of[v] = self.names.take(wanted) if wanted else self.names.take(kind, number=True)
        return name

    def _view(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        """A view of memory that stays is made once, others in each run; what NumPy would copy is copied."""
        source = v.inputs[0]
        made = expression(v, xs, self.helpers)
        model = (
            self._model(source)
            if source.fill is None
            else np.broadcast_to(np.empty((), source.dtype), source.shape)
        )
        shown = _apply_view(v, model)
        shares = source.fill is not None or not shown.size or np.may_share_memory(shown, model)
        if not shares:
            self._copy(v, xs[0], source, reads)
            return
        self.models[v] = shown
        if v.op == "slice" and not v.shape and Ellipsis not in v.params["index"]:
            made = at(
                xs[0], (*v.params["index"], Ellipsis)
            )  # with numbers alone it would be a number, not a view
        text = _text(made)
        if source in self.static:
            name = self._take_name(v, v.op)
            self.static.add(v)
            self.setup.append(f"{name} = {text}")
            return
        if len(self.users[v]) == 1 and v not in self._wanted and v not in self._kept and v.op == "permute":
            self.expr_of[v] = made
            return
        name = self._take_name(v, v.op)
        self.statements.append(Statement(v, "view", [f"{name} = {text}"], reads))

    def _copy(self, v: Value, x: Expr, source: Value, reads: list[Value]) -> None:
        name = self._take_name(v, v.op)
        if self._may_plan(v):
            self._plan(v)
            inner = _text(fill("{}.reshape({shape})", [ast.Name(name)], shape=source.shape))
            shaped = self.names.take(f"{name}_as", number=False)
            self.setup.append(f"{shaped} = {inner}")
            self.statements.append(Statement(v, "call", [f"np.copyto({shaped}, {_text(x)})"], reads))
            return
        self.fresh.add(v)
        text = _text(expression(v, [x], self.helpers))
        if v in self._kept:
            text = f"np.array({text})"
        self.statements.append(Statement(v, "call", [f"{name} = {text}"], reads))

    def _may_plan(self, v: Value) -> bool:
        return v not in self._kept and bool(v.shape) and self._plain(v)

    def _plan(self, v: Value) -> None:
        self.slots[v] = Slot(v, 0)
        self.static.add(v)

    # ------------------------------------------------------------ operations

    def _compute(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        if v.op == "relu_backward" and self._may_plan(v) and v.dtype in (F32, F64):
            self._mask(v, xs)
            return
        out_form = self._out_form(v, xs) if self._may_plan(v) else None
        if out_form is not None:
            name = self._take_name(v, v.op)
            self._plan(v)
            lines, extra = out_form
            self.statements.append(Statement(v, "call", [line.replace("\0", name) for line in lines], reads))
            self.setup += [line.replace("\0", name) for line in extra]
            return
        lines = self._returning(v, xs)
        name = self._take_name(v, v.op)
        self.fresh.add(v)
        if lines:
            lines = [line.replace("\0", name) for line in lines]
            self.statements.append(Statement(v, "call", lines, reads))
            return
        if v.op in ("draw", "bernoulli"):
            text = self._draw(v, xs)
        elif v.op == "square_sum":
            text = _text(fill("np.vdot({0}, {0})", xs))
        else:
            text = _text(expression(v, xs, self.helpers))
            single = v.op == "sum_to" and v.inputs[0].shape[:1] == (1,)
            if v.op in ("clone", "contiguous") or single:  # it may be a view, or what is cloned itself
                text = f"np.array({text}, order='K')"
        self.statements.append(Statement(v, "call", [f"{name} = {text}"], reads))

    def _mask(self, v: Value, xs: list[Expr]) -> None:
        """The gradient of relu: bits times 0 or 1, so that inf and nan do not pass where the mask is 0.

        The mask is a value of its own.  Once it is made nobody waits for what relu gave, whose memory is then free
        for the gradient that arrives.
        """
        g, y = v.inputs
        name = self._take_name(v, v.op)
        mask = self.mask_of[v] = Value("mask", [y], NO_PARAMS, v.shape, BOOL, None)
        mask.forward, mask.of, mask.origin = v.forward, v.of, v.origin
        self.name_of[mask] = made = self.names.take(f"{name}_mask")
        self._plan(v)
        self._plan(mask)
        of_y, of_g = ([self._owner(w)] if w.fill is None else [] for w in (y, g))
        zero = self._number(0.0, v.dtype)
        if memory(y).op == "relu":  # never negative; nan passes
            lines = [f"np.not_equal({_text(xs[1])}, {zero}, out={made})"]
        else:
            lines = [
                f"np.less_equal({_text(xs[1])}, {zero}, out={made})",
                f"np.logical_not({made}, out={made})",
            ]
        self.statements.append(Statement(mask, "call", lines, of_y))
        bits = "np.int32" if v.dtype == F32 else "np.int64"
        source = f"{_text(xs[0])}.view({bits})"
        if g in self.slots:
            self.setup.append(f"{name}_from = {source}")
            source = f"{name}_from"
        self.setup += [f"{name}_small = {made}.view(np.int8)", f"{name}_bits = {name}.view({bits})"]
        lines = [f"np.multiply({source}, {name}_small, out={name}_bits)"]
        self.statements.append(Statement(v, "call", lines, [*of_g, mask]))

    def _returning(self, v: Value, xs: list[Expr]) -> list[str]:
        """The lines of `_out_form` for a value that gets an array of its own: the first call makes it."""
        if not v.shape or not self._plain(v) or v.op in ("relu", "relu_backward", "clone", "contiguous"):
            return []
        form = self._out_form(v, xs)
        if form is None or form[1] or _INTO not in form[0][0]:
            return []
        first, *rest = form[0]
        return [f"\0 = {first.replace(_INTO, ')')}", *rest]

    def _draw(self, v: Value, xs: list[Expr]) -> str:
        source = f"generator_{len(self.data)}"
        self.data[source] = v.params["generator"]
        if v.op == "bernoulli":
            p = _text(xs[0])
            return f"{source}.bernoulli({p}, {v.shape!r}, np.dtype({v.dtype.name!r}))"
        arguments = f"arguments_{len(self.data)}"
        self.data[arguments] = v.params["arguments"]
        options = "".join(f", {k}={o!r}" for k, o in v.params["options"].items())
        return f"{source}.{v.params['method']}(*{arguments}{options})"

    def _number(self, value: Any, dtype: Any) -> str:
        """The name of a number that has the element type which it meets."""
        return self._lasting(
            (repr(value), dtype.str), "number", lambda name: self._define_number(name, value, dtype)
        )

    def _scalar(self, value: Scalar, dtype: Any) -> str:
        """The same for a number that is a parameter, and has another value in each run."""
        return self._lasting(
            (value.text, dtype.str), "number", lambda name: self._define_scalar(name, value, dtype)
        )

    def _define_number(self, name: str, value: Any, dtype: Any) -> None:
        """An array without dimensions, which a ufunc takes in half the time."""
        self.setup.append(f"{name} = np.array({_text(literal(dtype.type(value)))}, {_named(dtype)})")

    def _define_scalar(self, name: str, value: Scalar, dtype: Any) -> None:
        self.setup.append(f"{name} = np.empty((), {_named(dtype)})")
        self._refilled.append(
            f"{name}[()] = {value.text.strip('()') if value.text.count('(') == 1 else value.text}"
        )

    def _lasting(self, key: Any, stem: str, define: Callable[[str], None], number: bool = True) -> str:
        """The name of what stays between runs, defined where it is first asked for."""
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = self.names.take(stem, number=number)
            define(found)
        return found

    def _filled(self, stem: str, made: str, size: int) -> str:
        """The name of an array that stays, of so many bytes."""

        def define(name: str) -> None:
            self.setup.append(f"{name} = {made}")
            self.lasting_bytes += size

        return self._lasting(made, stem, define)

    def _arguments(self, v: Value, xs: list[Expr]) -> list[str]:
        """Operands of a ufunc as text; numbers as small arrays, where that changes nothing."""
        found = []
        others = [w for w in v.inputs if w.__class__ is Value]
        same = len({w.dtype for w in others}) == 1 and others[0].dtype.kind == "f"
        for w, x in zip(v.inputs, xs, strict=True):
            if w.__class__ is Const and same:
                if type(w.value) is Scalar:
                    found.append(self._scalar(w.value, others[0].dtype))
                    continue
                if type(w.value) is float or type(w.value) is int:
                    found.append(self._number(float(w.value), others[0].dtype))
                    continue
                if isinstance(w.value, np.floating):
                    found.append(self._number(float(w.value), others[0].dtype))
                    continue
            found.append(_text(x))
        return found

    def _out_form(self, v: Value, xs: list[Expr]) -> tuple[list[str], list[str]] | None:
        """Lines that write the value into memory that is there (named NUL), and lines of bind; None if it cannot."""
        if any(w.__class__ is Value and w.fill is not None for w in v.inputs):
            return None
        op = TABLE.get(v.op)
        kernel = op.kernel if op is not None else None
        if isinstance(kernel, np.ufunc) and not v.params and kernel.nout == 1:
            name = f"np.{kernel.__name__}"
            if getattr(np, kernel.__name__, None) is kernel and self._fits(v, kernel):
                return [f"{name}({', '.join(self._arguments(v, xs))}, out=\0)"], []
        texts = [_text(x) for x in xs]
        if v.op == "linear" and len(v.inputs[0].shape) == 2:
            x, w, b = texts
            turned = self._turned(v.inputs[1], w)
            lines, extra = self._bias(v, b)
            return [f"{self._product(v, *v.inputs[:2])}({x}, {turned}, out=\0)", *lines], extra
        if v.op == "matmul" and min(len(w.shape) for w in v.inputs) > 1:
            if len({w.dtype for w in v.inputs}) > 1:
                return None
            return [f"{self._product(v, *v.inputs)}({texts[0]}, {texts[1]}, out=\0)"], []
        if v.op == "relu" and v.dtype.kind == "f":
            return self._relu(v, v.inputs[0], texts[0])
        if v.op == "sum_to":
            return self._rows_summed(v, texts[0])
        if v.op in ("clone", "contiguous"):
            return [f"np.copyto(\0, {texts[0]})"], []
        if (
            v.op in ("sum", "amax", "amin")
            and v.shape
            and v.dtype == v.inputs[0].dtype
            and v.dtype.kind == "f"
        ):
            name = {"sum": "np.add", "amax": "np.maximum", "amin": "np.minimum"}[v.op]
            dim = v.params["dim"]
            axis = dim[0] if isinstance(dim, tuple) and len(dim) == 1 else dim
            return [f"{name}.reduce({texts[0]}, axis={axis!r}, out=\0, keepdims={v.params['keepdim']!r})"], []
        return None

    def _fits(self, v: Value, kernel: Any) -> bool:
        """Whether the ufunc by itself would give the value's element type and shape."""
        kinds: list[Any] = []
        for w in v.inputs:
            if w.__class__ is Value:
                kinds.append(w.dtype)
            elif isinstance(w.value, np.generic):
                kinds.append(w.value.dtype)
            elif type(w.value) in (float, int, bool, Scalar):
                kinds.append(float if type(w.value) is Scalar else type(w.value))
            else:
                return False
        shapes = tuple(w.shape for w in v.inputs if w.__class__ is Value)
        return bool(_result_of(kernel, tuple(kinds), shapes) == (v.dtype, v.shape))

    def _turned(self, w: Value, text: str) -> str:
        """The transpose of a weight, made once where the weight stays."""
        if w not in self.static or w not in self.name_of:
            return f"{text}.T"
        return self._lasting(
            ("T", w), f"{text}_T", lambda name: self.setup.append(f"{name} = {text}.T"), number=False
        )

    def _product(self, v: Value, a: Value, b: Value) -> str:
        """The function that `linalg.product` would call."""
        if len(a.shape) != 2 or len(b.shape) != 2:
            return "np.matmul"
        large = by_matmul(v.shape[0], a.shape[1], v.shape[1], v.dtype)
        return "np.matmul" if large and memory(a) is not memory(b) else "np.dot"

    def _bias(self, v: Value, b: str) -> tuple[list[str], list[str]]:
        """``+= b``; to a large value in long rows, with ``b`` repeated: NumPy takes half the time then."""
        if math.prod(v.shape) < TILED or v.shape[1] > LONG // 2 or not self._may_plan(v):
            return [f"np.add(\0, {b}, out=\0)"], []
        rows, n = v.shape
        count = together(rows, n)
        made = f"np.empty(({count}, {n}), {_named(v.dtype)})"
        tile = self._filled("tile", made, count * n * v.dtype.itemsize)
        whole = rows - rows % count
        extra = [f"\0_long = \0[:{whole}].reshape(-1, {count * n})"]
        lines = [f"np.copyto({tile}, {b})", f"np.add(\0_long, {tile}.reshape(-1), out=\0_long)"]
        if whole < rows:
            extra.append(f"\0_rest = \0[{whole}:]")
            lines.append(f"np.add(\0_rest, {b}, out=\0_rest)")
        return lines, extra

    def _relu(self, v: Value, source: Value, x: str) -> tuple[list[str], list[str]]:
        """The maximum with 0; of a large value with rows of zeros, which NumPy compares faster than with a number."""
        size = math.prod(v.shape)
        if size < LONG or source not in self.slots:
            return [f"np.maximum({x}, {self._number(0.0, v.dtype)}, out=\0)"], []
        row = long_row(size, v.shape[-1])
        zeros = self._filled("zeros", f"np.zeros({row}, {_named(v.dtype)})", row * v.dtype.itemsize)
        whole = size - size % row
        if whole == size:
            extra = [f"\0_long = \0.reshape(-1, {row})", f"\0_from = {x}.reshape(-1, {row})"]
            return [f"np.maximum(\0_from, {zeros}, out=\0_long)"], extra
        extra = [
            f"\0_long = \0.reshape(-1)[:{whole}].reshape(-1, {row})",
            f"\0_from = {x}.reshape(-1)[:{whole}].reshape(-1, {row})",
            f"\0_rest = \0.reshape(-1)[{whole}:]",
            f"\0_rest_from = {x}.reshape(-1)[{whole}:]",
        ]
        return [
            f"np.maximum(\0_from, {zeros}, out=\0_long)",
            f"np.maximum(\0_rest_from, {zeros}[:{size - whole}], out=\0_rest)",
        ], extra

    def _rows_summed(self, v: Value, x: str) -> tuple[list[str], list[str]] | None:
        w = v.inputs[0]
        if len(v.shape) != 1 or len(w.shape) != 2 or v.shape[0] != w.shape[1] or w.dtype not in (F32, F64):
            return None
        rows = w.shape[0]
        if rows == 1:
            return [f"np.copyto(\0, {x}[0])"], []
        if v.shape[0] == 1:
            return [f"np.add.reduce({x}, axis=0, out=\0)"], []
        ones = self._filled("ones", f"np.ones({rows}, {_named(w.dtype)})", rows * w.dtype.itemsize)
        return [f"np.dot({ones}, {x}, out=\0)"], []

    # ------------------------------------------------------------ memory, writes, results

    def _finish(self, dirty: dict[Value, Node]) -> None:
        self._schedule()
        self._commit(dirty)
        position = {s.value: i for i, s in enumerate(self.statements)}
        end = len(self.statements)
        for v, slot in self.slots.items():
            slot.first = slot.last = position.get(v, end)
        for i, s in enumerate(self.statements):
            for v in s.reads:
                if v in self.slots:
                    self.slots[v].last = max(self.slots[v].last, i)
        for v in [*self.outputs, *(v for _, v in self.writes)]:
            if self._owner(v) in self.slots:
                self.slots[self._owner(v)].last = end
        self._inherit(position)
        self.groups: list[Group] = []
        self._scale_together()
        self.bytes = _lay_out(list(self.slots.values()))

    def _schedule(self) -> None:
        """Puts statements in an order that needs less memory.

        Of those that differentiate one record the largest results come last, so that what they read can be gone; a
        mask is made as soon as nobody else reads what it is made of.
        """
        made = {s.value for s in self.statements}
        ordered: list[Statement] = []
        group: list[Statement] = []
        for s in [*self.statements, None]:
            if group and (s is None or s.value.forward or s.value.of is not group[0].value.of):
                ordered += self._small_first(group, made)
                group = []
            if s is not None:
                (ordered if s.value.forward or s.value.of is None else group).append(s)
        for mask in self.mask_of.values():
            y = self._owner(mask.inputs[0])
            if y not in self.slots or y in self._kept:
                continue
            before = {y, *self._made_of(mask, made)}
            [at] = [i for i, s in enumerate(ordered) if s.value is mask]
            last = max(i for i, s in enumerate(ordered) if s.value in before or (y in s.reads and i != at))
            if last < at:
                ordered.insert(last + 1, ordered.pop(at))
        self.statements = ordered

    def _small_first(self, group: list[Statement], made: set[Value]) -> list[Statement]:
        if len(group) < 2 or any(s.value.op in ("draw", "bernoulli") for s in group):
            return group
        here = {s.value for s in group}
        waits = {s.value: self._made_of(s.value, made) & here for s in group}
        rest = sorted(group, key=lambda s: math.prod(s.value.shape) * s.value.dtype.itemsize)
        found: list[Statement] = []
        while rest:
            s = next(s for s in rest if not waits[s.value])
            rest.remove(s)
            found.append(s)
            for others in waits.values():
                others.discard(s.value)
        return found

    def _made_of(self, v: Value, made: set[Value]) -> set[Value]:
        """The values with a statement of their own that the statement of ``v`` names."""
        found: set[Value] = set()
        todo = list(self._inputs(v))
        if v in self.mask_of:
            todo.append(self.mask_of[v])
        for w in todo:
            if w in made:
                found.add(w)
            else:
                todo.extend(self._inputs(w))
        return found

    def _inherit(self, position: dict[Value, int]) -> None:
        """An elementwise operation may write over an operand that nobody reads later."""
        taken: set[Slot] = set()
        views: dict[Value, list[Value]] = {}  # by whose memory they show
        for x in self.live:
            owner = self._owner(x)
            if owner is not x and self.models.get(x) is not None:
                views.setdefault(owner, []).append(x)
        for v, slot in sorted(self.slots.items(), key=lambda item: item[1].first):
            op = TABLE.get(v.op)
            if op is None or not (isinstance(op.kernel, np.ufunc) or v.op in ("relu", "relu_backward")):
                continue
            i = position.get(v)
            if i is None:
                continue
            for w in v.inputs:
                source = self.slots.get(w) if w.__class__ is Value else None
                if source is None or source.last != i or (w.shape, w.dtype) != (v.shape, v.dtype):
                    continue
                if source in taken:
                    continue
                if any(u is v for x in views.get(w, ()) for u in self.users[x]):
                    continue  # also read through a view, in another order
                slot.inherits = source
                taken.add(source)
                break

    def _keep_what_is_overwritten(self, dirty: dict[Value, Node]) -> None:
        """Copies, before the first write, of results and writes that show memory which is written itself."""
        self.early: list[str] = []
        self._before: dict[Value, str] = {}
        returned = [v for v, m in zip(self.outputs, self.memories, strict=True) if m != OUTSIDE]
        for v in dict.fromkeys([*returned, *(w for _, w in self.writes)]):
            if v.fill is None and self._owner(v) in dirty:
                name = self._before[v] = self.names.take("before")
                self.early.append(f"{name} = {self._copied(v)}")

    def _copied(self, v: Value) -> str:
        return f"np.array({_text(self._output(v))}, order='K')"

    def _scale_together(self) -> None:
        """Gradients that are all multiplied by one number, such as the rate, lie side by side: one call for all."""
        found: dict[tuple[str, Any], list[Statement]] = {}
        for s in self.statements:
            v = s.value
            slot = self.slots.get(v)
            if (
                v.op != "mul"
                or slot is None
                or slot.inherits is None
                or len(s.lines) != 1
                or slot.group is not None
            ):
                continue
            d = slot.inherits
            if d.inherits is None and d.value in v.inputs and any(w.__class__ is Const for w in v.inputs):
                number = next(w for w in v.inputs if w.__class__ is Const)
                if type(number.value) is Scalar:
                    found.setdefault((number.value.text, v.dtype), []).append(s)
        for (_, dtype), statements in found.items():
            if len(statements) < 3:
                continue
            group = Group(self.names.take("steps"), dtype)
            self.groups.append(group)
            for s in statements:
                slot = self.slots[s.value]
                for part in (slot, slot.inherits):
                    if part is not None:
                        part.group, part.within = group, group.size
                group.size += slot.size
            last = statements[-1]
            factor = last.lines[0].split(", ")[1]
            last.lines = [f"np.multiply({group.name}, {factor}, out={group.name})"]
            last.reads = [w for s in statements for w in s.reads]
            for s in statements[:-1]:
                self.statements.remove(s)

    def _commit(self, dirty: dict[Value, Node]) -> None:
        """Writes to memory from outside, after all else."""
        targets = {
            id(self.program.value_of[node]): self.name_of[self.program.value_of[node]]
            for node, _ in self.writes
        }
        self.committed: list[str] = []
        self._keep_what_is_overwritten(dirty)
        self._landed = {v: targets[id(self.program.value_of[node])] for node, v in self.writes}
        direct: dict[Value, str] = {}
        read_later: dict[Value, int] = {}
        for i, s in enumerate(self.statements):
            for v in s.reads:
                read_later[v] = i
        position = {s.value: i for i, s in enumerate(self.statements)}
        times: dict[Value, int] = {}
        shown: dict[Value, set[Value]] = {}  # by whose memory it is: what is written elsewhere
        for _, w in self.writes:
            times[w] = times.get(w, 0) + 1
            shown.setdefault(self._owner(w), set()).add(w)
        for node, v in self.writes:
            target = self.program.value_of[node]
            name = targets[id(target)]
            users = self.users.get(v, [])
            statement = self.statements[position[v]] if v in position else None
            others = shown.get(target, set()) - {v}
            if (
                statement is not None
                and v in self.slots
                and not users
                and v not in self._kept
                and times[v] == 1
                and not others
                and read_later.get(target, -1) <= position[v]
                and len(statement.lines) == 1
                and isinstance(getattr(TABLE.get(v.op), "kernel", None), np.ufunc)
                and all(self._owner(w) is not target or w is target for w in self._inputs(v))
                and v.dtype == target.dtype
            ):
                direct[v] = name
            else:
                source = self._before.get(v) or _text(self._output(v))
                self.committed.append(f"np.copyto({name}, {source})")
        last = []
        for s in list(self.statements):
            into = direct.get(s.value)
            if into is not None:
                mine = self.name_of[s.value]
                s.lines = [line.replace(f"out={mine})", f"out={into})") for line in s.lines]
                del self.slots[s.value]
                self.statements.remove(s)
                last.append(s)
        self.direct = last
        self.statements += last

    def let_go(self) -> None:
        """The recording is over: what only it needs is dropped, and the records once the plan is laid out."""
        with self._lock:
            self._over = True
            self.whole.trace = None
            if self._built:
                self._drop()

    def _drop(self) -> None:
        if all(plan._built for plan in self.sharing):
            for v in (v for plan in self.sharing for v in (*plan.live, *plan.mask_of.values())):
                v.origin = v.of = None
                if v.op != "parameter":
                    v.nodes = []
        del self.program, self.whole, self.users, self._read, self.otherwise
        self.writes = []

    def text(self, clock: bool = False) -> str:
        """The text of the module; with ``clock``, run returns the time before and after each line."""
        self.build()
        bound = [(n, v) for n, v in self.arguments if n in self.bound]
        passing = [(n, v) for n, v in self.arguments if n not in self.bound]
        head = [f'"""{self.title}"""', "", "import numpy as np", ""]
        for helper in self.helpers.texts.values():
            head += ["", helper, ""]
        for lines in self._helped.values():
            head += ["", *lines, ""]
        body = ["", _wrapped("def bind(", [*(["memory"] * self.lent), *self._once(bound)], "):", "")]
        if self.bytes and not self.lent:
            body.append(
                f"    memory = np.empty({self.bytes}, np.uint8)  # all results that nobody keeps, in turn"
            )
        for group in self.groups:
            end = group.offset + group.size
            body.append(f"    {group.name} = memory[{group.offset}:{end}].view({_named(group.dtype)})")
        for v, slot in sorted(self.slots.items(), key=lambda item: item[1].offset):
            if slot.inherits is not None:  # of one shape and type, and in the order of the program before it
                body.append(f"    {self.name_of[v]} = {self.name_of[slot.inherits.value]}")
                continue
            size = math.prod(v.shape) * v.dtype.itemsize
            body.append(
                f"    {self.name_of[v]} = memory[{slot.offset}:{slot.offset + size}].view({_named(v.dtype)})"
                f".reshape({v.shape!r})"
            )
        body += [f"    {line}" for line in self.setup]
        numbers = [text for _, text in self.numbers]
        body += ["", _wrapped("    def run(", [*self._once(passing), *numbers], "):", "    ")]
        body += [f"        {line}" for line in self._refilled]
        if clock:
            body.append("        times = [clock()]")
            for line in (line for line in self._run_lines() if not line.lstrip().startswith("#")):
                body += [line, "        times.append(clock())"]
            return "\n".join([*head, *body, "        return times", "", "    return run"]) + "\n"
        body += self._run_lines()
        claimed: dict[Value, Any] = {}
        results = [
            _text(self._result(v, m, claimed)) for v, m in zip(self.outputs, self.memories, strict=True)
        ]
        body += [
            _wrapped("        return (", results, ",)" if len(results) == 1 else ")", "        "),
            "",
            "    return run",
        ]
        return "\n".join([*head, *body]) + "\n"

    def _once(self, parameters: Sequence[tuple[Node | None, Value]]) -> list[str]:
        return list(dict.fromkeys(self.name_of[v] for _, v in parameters))

    def _run_lines(self) -> list[str]:
        lines: list[str] = []
        about = ""
        direct = {id(s) for s in self.direct}
        announced = False
        for s in self.statements:
            if id(s) in direct and not announced:
                announced = True
                lines += self._announced()
            if s.about != about and s.about:
                lines.append(f"        # {s.about}")
            about = s.about
            place = f"  # {s.place}" if s.place and not about else ""
            lines += [f"        {line}{place}" for line in s.lines]
        if not announced and (self.committed or self.early):
            lines += self._announced()
        return lines + [f"        {line}" for line in self.committed]

    def _announced(self) -> list[str]:
        return [
            *(f"        {line}" for line in self.early),
            "        # what changes in place, when nothing can fail any more",
        ]

    def _of_landed(self, v: Value) -> Expr:
        """What was changed in place, itself, or a view of it."""
        if v in self._landed:
            return ast.Name(self._landed[v])
        base = self._of_landed(v.inputs[0])
        if v.op == "slice" and not v.shape and Ellipsis not in v.params["index"]:
            return at(base, (*v.params["index"], Ellipsis))
        return expression(v, [base], self.helpers)

    def _result(self, v: Value, memory: Any, claimed: dict[Value, Any]) -> Expr:
        """A result, in memory that only those results share that share it in eager mode."""
        if v in self._before and memory != OUTSIDE:
            return ast.Name(self._before[v])
        made = self._output(v)
        if v.fill is not None:
            return made
        if memory == OUTSIDE and self._owner(v) in self._landed:
            return self._of_landed(v)
        owner = self._owner(v)
        if claimed.setdefault(owner, memory) == memory and (owner in self.fresh or memory == OUTSIDE):
            return made
        return fill("np.array({}, order='K')", [made])


@functools.lru_cache(maxsize=1024)
def _result_of(kernel: Any, kinds: tuple[Any, ...], shapes: tuple[Any, ...]) -> Any:
    """The element type and the shape of a ufunc's result; None if it takes no such operands."""
    try:
        return kernel.resolve_dtypes((*kinds, None))[-1], np.broadcast_shapes(*shapes)
    except (TypeError, ValueError):
        return None


@functools.cache
def _named(dtype: Any) -> str:
    """How a program names an element type; NumPy makes the name anew each time."""
    return f"np.{dtype.name}"


def _apply_view(v: Value, model: Any) -> Any:
    op = TABLE[v.op]
    return np.asarray(op.kernel(model, **v.params))


def _text(made: Expr) -> str:
    if made.__class__ is ast.Name:
        return made.id
    if made.__class__ is ast.Attribute and made.value.__class__ is ast.Name:
        return f"{made.value.id}.{made.attr}"
    return ast.unparse(made)


def _lay_out(slots: list[Slot]) -> int:
    """Gives each slot an offset, so that those in use at one time do not overlap; returns the bytes needed."""
    families: dict[int, list[Slot]] = {}
    root: dict[int, Any] = {}
    for slot in sorted(slots, key=lambda s: s.first):
        top: Any = slot if slot.inherits is None else root[id(slot.inherits)]
        top = slot.group or top
        root[id(slot)] = top
        families.setdefault(id(top), []).append(slot)
    placed: list[tuple[int, int, int, int]] = []  # first, last, offset, end
    total = 0
    groups = sorted(families.values(), key=lambda f: -max(s.size for s in f))
    for family in groups:
        first, last = min(s.first for s in family), max(s.last for s in family)
        group = family[0].group
        size = group.size if group is not None else max(s.size for s in family)
        offset = 0
        for begin, end in sorted((o, e) for f, until, o, e in placed if not (until < first or f > last)):
            if begin - offset >= size:
                break
            offset = max(offset, end)
        for s in family:
            s.offset = offset + s.within
        if group is not None:
            group.offset = offset
        placed.append((first, last, offset, offset + size))
        total = max(total, offset + size)
    return total

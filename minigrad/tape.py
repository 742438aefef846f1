"""The tape: operations (`Op`), their records (`Node`), and `apply`, which runs one and records it.

A recorded result points to its `Node`, a node to the nodes of its inputs; the tape of a result is what can
be reached from it, in the order of `Node.seq`.  A node holds data and never a closure, so that whoever wants
(backward, a drawing, a printed program) can read it.  See docs/architecture.md.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import itertools
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, TypeVar

import numpy as np

from minigrad import errors
from minigrad.buffers import is_view
from minigrad.dtypes import F32, F64
from minigrad.errors import INSIDE, here
from minigrad.scalars import Scalar as Scalar

if TYPE_CHECKING:
    from minigrad.tensor import Tensor

Array = np.ndarray[Any, Any]
Rule: TypeAlias = Any  # a plain Python function
Params: TypeAlias = dict[str, Any]  # of an op, by name


# ---------------------------------------------------------------- operations


class Op:
    """One differentiable operation: a NumPy kernel and the rules of its derivative.

    ``signature`` names inputs and, after a semicolon, parameters: ``"x; dim keepdim"``; a last input with a
    star (``"x *indices"``) takes any number.  There is one rule per input, or None where no gradient flows.
    A rule is called with ``g``, the gradient of the output, and whatever else its parameter names ask for: an
    input (``x``), only its shape (``x_shape``), the output (``y``), a parameter, or ``needs`` (which inputs
    want a gradient).  Only arrays named by a rule in use are kept for backward.  A rule consists of operators
    and other ops, so it runs on arrays (eager backward) and on Tensors (to be differentiated again).
    Broadcasting is undone by the engine.

    ``joint`` replaces the rules by one function that returns every input's gradient.  ``cast`` says how
    dtypes meet: ``"same"`` by promotion (``"number"``: bools are refused), ``"float"`` by promotion and integers
    become the default float (``"floats"``: are refused), ``"branches"`` by promotion of all but the first, None:
    not at all.  ``view``: the result may share the first input's memory.  ``consume`` computes the only rule
    for when ``g`` is an array that nobody else holds: it may write into it.  ``rows``: the result lies in memory
    row by row, also where that of the NumPy function that the op prints as does not.
    """

    def __init__(
        self,
        name: str,
        kernel: Callable[..., Any],
        signature: str,
        *rules: Rule | None,
        joint: Rule | None = None,
        cast: str | None = None,
        view: bool = False,
        consume: Rule | None = None,
        text: str | None = None,
        onnx: str | None = None,
        rows: bool = False,
    ) -> None:
        inputs, _, params = signature.partition(";")
        self.name, self.kernel, self.cast, self.view = name, kernel, cast, view
        self.consume, self.text, self.onnx, self.rows = consume, text, onnx, rows
        self.inputs = tuple(inputs.replace("*", "").split())
        self.star = len(self.inputs) - 1 if "*" in inputs else None
        self.params = tuple(params.split())
        self.rules, self.joint = rules, joint
        self.differentiable = joint is not None or any(rules)
        self.layouts: dict[int, Layout] = {}
        if rules and len(rules) != len(self.inputs):
            raise TypeError(f"op {name}: {len(rules)} rules for the {len(self.inputs)} inputs {self.inputs}")
        for rule in (*rules, joint):
            if rule is not None:
                self._reads(rule)
        if "y" in self.inputs or "needs" in self.inputs:
            raise TypeError(f"op {name}: y and needs have a meaning of their own, no input may be called so")
        if name in TABLE:
            raise TypeError(f"op {name} is declared twice")
        TABLE[name] = self

    def _reads(self, rule: Rule) -> tuple[str, ...]:
        """The names a rule asks for after ``g``; TypeError for one that the op cannot provide."""
        g, *names = _parameters(rule)
        known = {"y", "needs", *self.inputs, *self.params, *(f"{x}_shape" for x in self.inputs)}
        wrong = [n for n in names if n not in known]
        if g != "g" or wrong:
            raise TypeError(
                f"op {self.name}: a rule takes g first, then any of {sorted(known)}; got {g}, {names}"
            )
        return tuple(names)

    def layout(self, mask: int, count: int) -> Layout:
        """What to keep and which rules to call when the inputs in the bit mask want gradients."""
        wanted = [i for i in range(count) if mask >> i & 1]
        last = len(self.rules) - 1
        rules = [(-1, self.joint)] if self.joint else [(i, self.rules[min(i, last)]) for i in wanted]
        keep: list[int] = []
        steps: list[Step] = []
        for i, rule in rules:
            if rule is None:
                continue
            sources = tuple(self._source(name, mask, count, keep) for name in self._reads(rule))
            plain = tuple(k for kind, k in sources) if all(kind == SAVED for kind, k in sources) else None
            steps.append(Step(i, rule, plain, sources))
        if self.joint:
            steps.extend(Step(i, None, (), ()) for i in wanted)
        found = self.layouts[mask | 1 << count] = Layout(tuple(keep), tuple(steps), _picker(keep))
        return found

    def _source(self, name: str, mask: int, count: int, keep: list[int]) -> tuple[int, Any]:
        """Where the argument of a rule comes from; an array is added to ``keep``."""
        if name in self.params:
            return PARAM, name
        if name == "needs":
            return VALUE, tuple(bool(mask >> k & 1) for k in range(count))
        first = name.removesuffix("_shape")
        if name not in self.inputs and name != "y":
            at = self.inputs.index(first)
            return (SHAPES, at) if at == self.star else (SHAPE, at)
        at = count if name == "y" else self.inputs.index(name)
        many = name != "y" and at == self.star
        places = range(at, count) if many else [at]
        keep.extend(k for k in places if k not in keep)
        return (MANY, tuple(keep.index(k) for k in places)) if many else (SAVED, keep.index(at))

    def __call__(self, *operands: Any, **params: Any) -> Any:
        """Runs on Tensors (recording where gradients are wanted) or, with none among them, on arrays."""
        for t in operands:
            if isinstance(t, TensorBase):
                return apply(self, operands, params)
        return self.kernel(*operands, **params)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def _parameters(rule: Rule) -> tuple[str, ...]:
    """The names of a rule's parameters."""
    if hasattr(rule, "__wrapped__") or not hasattr(rule, "__code__"):
        return tuple(inspect.signature(rule).parameters)
    code = rule.__code__  # inspect.signature of every rule would be a tenth of the time to import minigrad
    return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


TABLE: dict[str, Op] = {}  # every op by name
SAVED, PARAM, SHAPE, SHAPES, MANY, VALUE = range(6)  # where an argument of a rule comes from


class Step(NamedTuple):
    """A rule to call and where its arguments come from.

    ``input`` -1 is a joint rule; the steps after it, without a rule, name the inputs that want a part of what
    it returns.
    """

    input: int
    rule: Rule | None
    plain: tuple[int, ...] | None  # places in Node.saved, when that is all it reads
    sources: tuple[tuple[int, Any], ...]


def _picker(keep: list[int]) -> Callable[[list[Any]], tuple[Any, ...]]:
    if len(keep) > 1:
        return itemgetter(*keep)  # four times as fast as a comprehension
    if keep:
        only = keep[0]
        return lambda arrays: (arrays[only],)
    return lambda arrays: ()


class Layout(NamedTuple):
    """For one set of inputs that want gradients: what Node.saved holds, and the rules to call."""

    keep: tuple[int, ...]  # input numbers; the count of inputs stands for the output
    steps: tuple[Step, ...]
    pick: Callable[[list[Any]], tuple[Any, ...]]  # what is kept, from the arrays of inputs and output


# ---------------------------------------------------------------- records


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


class Node:
    """One record: a leaf (``op`` is None) or the application of an op.

    ``saved`` holds the arrays that the rules in ``layout`` read.  ``code`` and ``lasti`` are the user's place:
    a code object and an instruction offset, from which the line is worked out when somebody asks.
    """

    __slots__ = (
        "__weakref__", "change", "code", "dtype", "hooks", "inputs", "lasti", "layout", "op", "params",
        "requires_grad", "saved", "seq", "shape", "tensor",
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
    hooks: dict[int, Callable[[Any], Any]] | None
    tensor: weakref.ref[Any] | None  # of a leaf: where the gradient goes
    change: Change  # of its value in place that no record tells of; most nodes have none

    def name(self) -> str:
        """PyTorch's name for the record, such as ``MulBackward0``."""
        if self.op is None:
            return "AccumulateGrad"
        return "".join(w[:1].upper() + w[1:] for w in self.op.name.split("_")) + "Backward0"

    @property
    def where(self) -> str:
        """The user's place, ``file.py:12``."""
        return errors.place(self.code, self.lasti)

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The records that the gradient goes to next, as in PyTorch."""
        return tuple((n if n.requires_grad else None, 0) for n in self.inputs)

    def copy(self) -> Node:
        """Another record with the same content."""
        made = new(Node)
        made.op, made.inputs, made.params, made.saved = self.op, self.inputs, self.params, self.saved
        made.shape, made.dtype, made.requires_grad = self.shape, self.dtype, self.requires_grad
        made.hooks, made.tensor = self.hooks, self.tensor
        made.seq, made.code, made.lasti = self.seq, self.code, self.lasti
        if self.requires_grad and self.op is not None:
            made.layout = self.layout
        return made

    def __repr__(self) -> str:
        return f"<{self.name()} at {self.where}>"


Path: TypeAlias = tuple[tuple[Op, Params], ...]


class View(NamedTuple):
    """How a Tensor shares another's memory: the steps from the base, and the base's age when it was made."""

    base: Tensor
    path: Path
    epoch: int
    outside: str = ""  # where it was made, if the tape knows nothing of the making


class TensorBase:
    """The storage of a Tensor, as far as the tape must know it."""

    __slots__ = ("__dict__", "__weakref__", "_array", "_node", "_view")

    _array: Array
    _node: Node | None
    _view: View | None
    _epoch = 0  # counts recorded changes in place, so that views know when their record is old
    _inference = False


T = TypeVar("T", bound=TensorBase)
_SEQ = itertools.count(1)
next_seq = _SEQ.__next__
new = object.__new__
NO_PARAMS: Params = {}
ONES: Params = {"fill": 1.0}  # the params of a leaf that is the 1 from which a backward pass starts
RETAIN = -1  # the key of the hook that keeps the gradient of a result
AFTER = -2  # it and the keys below are those of hooks that are called when a leaf's gradient was accumulated
_make: Any = TensorBase  # the class of results; tensor.py puts Tensor here


def results_are(cls: type[T]) -> type[T]:
    """Class decorator: `apply` returns instances of it."""
    global _make
    _make = cls
    return cls


def wrap(array: Any, node: Node | None = None) -> Tensor:
    """A Tensor of an array, sharing its memory."""
    if array.__class__ is not np.ndarray:
        if isinstance(array, TensorBase):  # a gradient, while a function is being recorded
            return array  # type: ignore[return-value]
        array = np.asarray(array)
    t: Tensor = new(_make)
    t._array = array
    t._node = node
    t._view = None
    if node is None:
        mode = _mode()
        if mode.inference:
            for_inference(t)
        if mode.trace is not None:
            mode.trace.made(t)
    return t


def for_inference(t: TensorBase) -> None:
    """Marks a Tensor as made in inference mode; from the first one on, `apply` looks at what it saves."""
    global INFERENCE
    INFERENCE = True
    t._inference = True


def leaf(t: TensorBase, requires_grad: bool = False) -> Node:
    """Gives a Tensor a record of its own, without history."""
    node = new(Node)
    before = t._node
    node.op, node.inputs, node.params, node.saved = None, (), NO_PARAMS, ()
    node.hooks = before.hooks if before is not None and before.op is None else None
    node.seq = next_seq()
    node.code, node.lasti = None, -1
    node.shape, node.dtype = t._array.shape, t._array.dtype
    node.requires_grad = requires_grad
    node.tensor = weakref.ref(t)  # a strong one would be a cycle
    t._node = node
    if (trace := _mode().trace) is not None:
        trace.leaf(node, before, t)
    return node


def tape(roots: Iterable[Node]) -> list[Node]:
    """The records behind ``roots``, leaves too, in recording order."""
    todo = list(dict.fromkeys(roots))
    seen = set(todo)
    for node in todo:  # grows while it is walked: no recursion
        for n in node.inputs:
            if n not in seen and n.__class__ is Node:
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


def _by_seq(node: Node) -> int:
    return node.seq


class NotAnOperand(TypeError):
    """An operand that is neither Tensor, array nor number; operators turn it into NotImplemented."""


# ---------------------------------------------------------------- modes


class Mode:
    """What is recorded: ``grad``, results that carry gradients; ``everything``, all others too. Immutable.

    ``trace`` is told what a recording of a whole function must know beside the records; see `emit.compiled`.
    """

    __slots__ = ("_other", "anomaly", "everything", "grad", "inference", "observer", "trace", "transform")

    def __init__(
        self,
        grad: bool = True,
        inference: bool = False,
        everything: bool = False,
        anomaly: list[Node] | None = None,  # the records with non-finite values, while they are looked for
        observer: Callable[[Node, list[Any]], None]
        | None = None,  # is shown each record, with all its arrays
        trace: Any = None,
        transform: str = "",  # inside a transform of `minigrad.func`: "reverse" or "forward"
    ) -> None:
        self.grad, self.inference, self.everything = grad, inference, everything
        self.anomaly, self.observer, self.trace = anomaly, observer, trace
        self.transform = transform
        self._other: Mode | None = None  # the same with grad the other way round, once asked for

    def replace(self, **fields: Any) -> Mode:
        """This mode with some fields changed."""
        now = {name: getattr(self, name) for name in self.__slots__ if name != "_other"}
        return Mode(**{**now, **fields})

    def recording(self, grad: bool) -> Mode:
        """This mode with ``grad`` on or off; made once, as every backward and every optimizer step asks for it.

        In inference mode it stays off.
        """
        if grad == self.grad or self.inference:
            return self
        if self._other is None:
            self._other = self.replace(grad=grad)
        return self._other


MODE: contextvars.ContextVar[Mode] = contextvars.ContextVar("minigrad_mode", default=Mode())  # noqa: B039 (immutable)
_mode = MODE.get


class _Way(functools.partial[None]):
    """The way out of a mode: what a ``with`` statement holds until it is left.

    An interrupt may come between any two instructions, so also on the way into ``__exit__``, which then never runs.
    But the statement lets go of this object in any case, and its end restores the mode.  It is no plain method, for
    the traceback of an interrupted one would keep it alive.
    """

    def __del__(self) -> None:
        manager, depth = self.args
        before = manager._before
        if len(before) > depth:
            MODE.set(before[depth])
            del before[depth:]


def _leave(manager: ModeManager, depth: int, *exc: object) -> None:
    MODE.set(manager._before[-1])
    manager._before.pop()


class _Exit:
    """``__exit__`` of a mode: looked up before the mode is entered, when nothing has to be restored yet."""

    def __get__(self, manager: ModeManager | None, cls: type[ModeManager]) -> Callable[..., None]:
        if manager is None:
            return _leave_by_hand
        return _Way(_leave, manager, len(manager._before))


def _leave_by_hand(manager: ModeManager, *exc: object) -> None:
    _leave(manager, 0)


class ModeManager:
    """A mode between enter and exit; may be nested. An interrupt at any instruction leaves no mode on."""

    __slots__ = ("__dict__", "_before", "_mode")
    __exit__ = _Exit()

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._before: list[Mode] = []

    def __enter__(self) -> Self:
        self._before.append(_mode())
        MODE.set(self._mode)
        return self


class _Quiet(threading.local):
    """Runs kernels with NumPy's floating-point warnings off, as PyTorch is silent about them.

    `np.errstate` around each call costs three times a small multiplication; running in a context of its own
    (NumPy keeps that state in one) costs a tenth of it.  A context is entered by one thread at a time.
    """

    def __init__(self) -> None:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


QUIET = _Quiet()
# The recordings of functions that are going on; where there are none, MODE need not be asked.
TRACES: list[Any] = []
INFERENCE = False  # whether a Tensor was ever made in inference mode


# ---------------------------------------------------------------- running and recording


def apply(op: Op, operands: Sequence[Any], params: Params = NO_PARAMS) -> Tensor:
    """Runs an op on Tensors and numbers and, where a gradient may be wanted, records it. The hot path."""
    arrays: list[Any] = []
    nodes: list[Any] = []
    mask, bit, dtype = 0, 1, None
    usual = bare = True  # usual: one dtype, nothing to convert; bare: every input has a record
    for t in operands:
        if isinstance(t, TensorBase):
            if t._view is not None:
                refresh(t)
            a = t._array
            node = t._node
            if node is None:
                bare = False
            elif node.requires_grad:
                mask |= bit
            nodes.append(node)
            arrays.append(a)
            if dtype is None:
                dtype = a.dtype
            elif a.dtype is not dtype:
                usual = False
        elif type(t) is float or type(t) is int:
            arrays.append(t)
            nodes.append(None)
            bare = False
        elif type(t) is Scalar:
            arrays.append(t.value)
            nodes.append(None)
            bare = False
        else:
            usual = False
        bit += bit
    if not usual or (dtype is not F32 and dtype is not F64 and (op.cast is not None or dtype is None)):
        operands, arrays, nodes, mask, bare = _convert(op, operands)
        if operands.__class__ is _make:
            return operands  # type: ignore[return-value]
    if TRACES and params:
        params = {k: p.__copy__() if type(p) is Scalar else p for k, p in params.items()}
    try:
        y = QUIET.run(op.kernel, *arrays, **params) if params else QUIET.run(op.kernel, *arrays)
    except Exception as error:
        if not str(error).startswith("cannot enter context"):
            raise errors.explain(op, operands, params, error, here()) from error
        with np.errstate(all="ignore"):  # a finalizer that runs during another kernel
            y = op.kernel(*arrays, **params)
    if y.__class__ is not np.ndarray:
        y = np.asarray(y)
    mode = _mode()
    out: Tensor = new(_make)
    out._array = y
    out._view = None
    wanted = mask and mode.grad and op.differentiable
    if wanted or mode.everything:
        if not bare:
            nodes = [(t._node or leaf(t)) if isinstance(t, TensorBase) else Const(t) for t in operands]
        node = new(Node)
        node.op = op
        node.inputs = tuple(nodes)
        node.params = params
        count = len(nodes)
        if wanted:
            node.requires_grad = True
            layout = op.layouts.get(mask | bit) or op.layout(mask, count)
            if INFERENCE and not mode.transform:  # a transform lets go of what it recorded
                _refuse_inference(op, operands, layout)
            arrays.append(y)  # it has the number after the inputs'
            node.saved = layout.pick(arrays)
            node.layout = layout
        else:
            node.requires_grad = False
            node.saved = ()
        node.hooks = None
        node.tensor = None
        node.shape = y.shape
        node.dtype = y.dtype
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and INSIDE[frame.f_code.co_filename]:
            frame = frame.f_back
        node.code, node.lasti = (None, -1) if frame is None else (frame.f_code, frame.f_lasti)
        node.seq = next_seq()
        out._node = node
        if mode.observer is not None:
            mode.observer(node, arrays if wanted else [*arrays, y])
    else:
        out._node = None
        if mode.inference:
            for_inference(out)
    if op.view:
        _mark_view(out, operands[0], op, params)
    return out


def _refuse_inference(op: Op, operands: Sequence[Any], layout: Layout) -> None:
    """RuntimeError if the rules in use read a Tensor that was made in inference mode."""
    for k in layout.keep:
        if k < len(operands) and isinstance(operands[k], TensorBase) and operands[k]._inference:
            raise errors.runtime_error(
                f"Inference tensors cannot be saved for backward: the gradient of {op.name} reads its operand {k}, of "
                f"shape {list(operands[k]._array.shape)}, which was made under inference_mode(). Use no_grad() there, "
                "or clone() it"
            )


def _convert(op: Op, operands: Sequence[Any]) -> tuple[Any, list[Any], list[Any], int, bool]:
    """The operands as Tensors and numbers in the dtype in which they meet, and what `apply` reads of them."""
    found: Any = []
    if operands and not any(isinstance(t, TensorBase) for t in operands):
        raise NotAnOperand(f"{op.name}(): argument 'input' must be Tensor, not {type(operands[0]).__name__}")
    for t in operands:
        if isinstance(t, np.generic):
            t = t.item()
        elif isinstance(t, np.ndarray):
            t = wrap_operand(t)
        elif not isinstance(t, (TensorBase, int, float)):
            raise NotAnOperand(
                f"{op.name}(): expected Tensors or numbers, got {type(t).__name__} ({errors.place(*here())})"
            )
        found.append(t)
    if op.cast is not None:
        found = cast_operands(op, found)
        if isinstance(found, TensorBase):
            return found, [], [], 0, False  # it took more than this op
    arrays = [_raw(t) for t in found]
    nodes = [t._node if isinstance(t, TensorBase) else None for t in found]
    mask = sum(1 << i for i, n in enumerate(nodes) if n is not None and n.requires_grad)
    return found, arrays, nodes, mask, all(n is not None for n in nodes)


def _raw(t: Any) -> Any:
    if isinstance(t, TensorBase):
        return t._array
    return t.value if type(t) is Scalar else t


def wrap_operand(array: Array) -> Tensor:
    """A Tensor of an array that is an operand: a copy where it may be saved, for the array may change later."""
    mode = _mode()
    if mode.trace is not None:
        return mode.trace.array(array)  # type: ignore[no-any-return]
    return wrap(array.copy() if mode.grad else array)


def needs_value(what: str) -> None:
    """RuntimeError where a function is being recorded: what it does next would depend on a Tensor's values."""
    if (trace := _mode().trace) is not None:
        raise trace.refused(what)


def _uncast(op: Op, operands: list[Any]) -> Any:
    raise RuntimeError(f"{op.name}: the operations that cast are not loaded; import minigrad first")


# ops/convert.py, which has the ops that cast, puts its own here
cast_operands: Callable[[Op, list[Any]], Any] = _uncast


# ---------------------------------------------------------------- shared memory


def _mark_view(out: TensorBase, source: Tensor, op: Op, params: Params) -> None:
    a = out._array
    if not is_view(a) or (a.size and not np.may_share_memory(a, source._array)):
        return
    mode = _mode()
    if out._inference or source._inference:  # the memory decides
        out._inference = source._inference
    outside = "" if mode.grad else "inference_mode()" if mode.inference else "no_grad()"
    view = source._view
    if view is None:
        out._view = View(source, ((op, params),), source._epoch, outside)
    else:
        outside = view.outside or outside
        out._view = View(view.base, (*view.path, (op, params)), view.epoch, outside)


def refresh(t: TensorBase) -> None:
    """Brings the record of a view up to date after its base was changed in place on the tape."""
    view = t._view
    if view is None or view.epoch == view.base._epoch:
        return
    if view.outside == "a Function":
        raise RuntimeError(
            "a view that was made inside a Function is used after its base was changed in place "
            f"({errors.place(*here())}); clone() it in forward"
        )
    again = view.base
    # It is a matter of the past, also under no_grad; what was detached stays so.
    with ModeManager(_mode().recording(view.outside != "detach()")):
        for op, params in view.path:
            again = apply(op, (again,), params)
    replace_node(t, again._node)
    t._view = View(view.base, view.path, view.base._epoch, view.outside)


def replace_node(t: TensorBase, node: Node | None) -> None:
    """A Tensor gets another history; `retain_grad` goes along, other hooks stay with the old one."""
    before = t._node
    if before is not None and node is not None and before.hooks and RETAIN in before.hooks:
        node.hooks = {**(node.hooks or {}), RETAIN: before.hooks.pop(RETAIN)}
    t._node = node


def owner(array: Array) -> Array:
    """The array whose memory this one shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


class Moment(NamedTuple):
    """When and where something was changed in place."""

    seq: int
    code: CodeType | None
    lasti: int


class Change:
    """The last change in place of a piece of memory, and when the last ones were that have no record."""

    __slots__ = ("last", "ref", "unrecorded")

    last: Moment

    def __init__(self, memory: Array) -> None:
        key = id(memory)
        self.ref = weakref.ref(memory, lambda _: _CHANGES.pop(key, None))
        self.unrecorded: deque[int] = deque(maxlen=8)

    def between(self, first: int, last: int) -> bool:
        """Whether there was a change without a record between two moments; True also where that is forgotten."""
        seen = self.unrecorded
        forgotten = len(seen) == seen.maxlen and seen[0] > last
        return forgotten or any(first < seq < last for seq in seen)


# Keyed by the identity of the memory's owner; an entry goes with its array.  A counter in each Tensor would
# cost every op; here only a change in place pays, and backward compares one number when there was none.
_CHANGES: dict[int, Change] = {}
last_change = 0


def changed(*arrays: Array, recorded: bool = False) -> None:
    """Notes that the memory of arrays is being changed in place; ``recorded`` if the tape gets a record of it."""
    global last_change
    last_change = next_seq()
    moment = Moment(last_change, *here())
    for array in arrays:
        memory = array if array.base is None else owner(array)
        change = _CHANGES.get(id(memory))
        if change is None:
            change = _CHANGES[id(memory)] = Change(memory)
        change.last = moment
        if not recorded:
            change.unrecorded.append(last_change)


def changes_of(arrays: Sequence[Array]) -> list[Change]:
    """The entries for the memory of arrays that are changed again and again; see `changed_again`."""
    unknown = [a for a in arrays if id(owner(a)) not in _CHANGES]
    if unknown:
        changed(*unknown)
    return [_CHANGES[id(owner(a))] for a in arrays]


def changed_again(changes: Sequence[Change]) -> None:
    """`changed`, for memory whose entries were looked up before; whoever holds them must hold the arrays too."""
    global last_change
    last_change = next_seq()
    moment = Moment(last_change, *here())
    for change in changes:
        change.last = moment
        change.unrecorded.append(last_change)


def keeps_record(t: TensorBase) -> None:
    """Notes that the value of ``t`` was changed, but not its record: no other reader could tell."""
    base = t if t._view is None else t._view.base
    if base._node is not None:
        base._node.change = _CHANGES[id(owner(base._array))]


def value_changed(node: Node, first: int, last: int) -> bool:
    """Whether the value of a record was changed in place, without another record, between two moments."""
    change: Change | None = getattr(node, "change", None)
    t = node.tensor() if node.tensor is not None else None
    if change is None and t is not None:
        change = _CHANGES.get(id(owner(t._array)))
    return change is not None and change.between(first, last)


def check_unchanged(node: Node) -> None:
    """RuntimeError if an array that ``node`` saved was changed in place since."""
    for array in node.saved:
        if isinstance(array, np.ndarray) and array.size:
            change = _CHANGES.get(id(owner(array)))
            if change is not None and change.last.seq > node.seq:
                raise errors.changed_in_place(node, array, change)

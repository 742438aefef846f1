"""A recording as later calls use it: its guards, what it runs, and what becomes of the results."""

from __future__ import annotations

import builtins
import contextlib
import functools
import threading
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.compiler import guards, interpret
from minigrad.compiler.by_numba import jitted
from minigrad.compiler.environment import Environment
from minigrad.compiler.graph import LoweredGraph, RecordedGraph, lower_graph
from minigrad.compiler.interpret import Interpreter, StepFailed
from minigrad.compiler.lower import Plan
from minigrad.compiler.rows import RowPlans
from minigrad.core.changes import changed
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor
from minigrad.dtypes import F64


def code(text: str, name: str) -> types.CodeType:
    """A generated text, compiled by Python."""
    compiled: types.CodeType = builtins.compile(text, name, "exec")
    return compiled


# Arrays, what runs on them, and whether that is the interpreter.
Instance = tuple[tuple[Any, ...], Callable[..., Any], bool]


class Replay:
    """One recording: its guards, and what a call runs where they hold: its graph, interpreted at first, or the plan."""

    # The arrays that stay, as they are now.
    bound: Callable[[], tuple[Any, ...]]
    # Whether they are those that idle plans stand on.
    current: Callable[[], bool]
    # Makes these the arrays that plans stand on.
    rebind: Callable[[tuple[Any, ...]], None]
    # Returns the arguments of the plan, or None where a guard fails; its text, and the names in that.
    enter: Callable[..., Any]
    entry_text: tuple[str, dict[str, Any]]
    # Turns results into Tensors, gradients and states; returns what the call returns.
    finish: Callable[..., Any]
    # The Tensors that a differentiable call depends on.
    leaves: Callable[..., list[Any]]
    # Those on modes and arguments, each with what it is about.
    guards: list[tuple[str, str]]
    # Dtypes and shapes of the arguments that it was recorded with.
    argument_types: list[tuple[Any, Any]]
    backward_text = ""
    # Of the arrays that stay; and the indices of those that each run changes.
    layouts: list[Any]
    written: list[int]
    environment: Environment
    # The random generators that a run draws from.
    generators: list[Any]
    # Whether a kernel may raise.
    may_raise: bool
    # What eager mode keeps for a backward pass.
    kept_bytes: int
    # The autograd.Function of a call whose results can be differentiated.
    step: Any = None
    # What Numba compiled.
    function: Any = None
    # Dtypes of results without dimensions, which Numba returns as numbers; None for other results.
    kinds: tuple[Any, ...] = ()

    def __init__(self, graph: RecordedGraph) -> None:
        # None once there is a plan.
        self.graph: RecordedGraph | None = graph
        # Instances that no call is running.
        self.idle: list[Instance] = []
        self.calls = 0
        self._count = len(graph.passing)
        self.enter = self.enter_by_text
        # Whether `enter` is for now one of `arguments.plain_entry`.
        self.enters_plainly = False
        # Whether the graph is interpreted for now.
        self.interprets = False
        self._interpreter: Interpreter | None = None
        self._lowered: LoweredGraph | None = None
        self._closed = False
        self._lock = threading.RLock()
        self._code: types.CodeType | None = None

    @property
    def lowered(self) -> LoweredGraph:
        """The plans, made at the first use."""
        lowered = self._lowered
        if lowered is None:
            with self._lock:
                if self.graph is not None:
                    return self.set_lowered(lower_graph(self.graph))
            return self.lowered  # another thread has made them
        return lowered

    def set_lowered(self, lowered: LoweredGraph) -> LoweredGraph:
        """Sets the plans, which replace the graph."""
        if self._closed:
            for plan in lowered.plans:
                plan.let_go()
        self._lowered, self.graph = lowered, None
        return lowered

    @property
    def plan(self) -> Plan:
        """The plan for all rows at once."""
        return self.lowered.plan

    @property
    def rows(self) -> RowPlans | None:
        """The plans for blocks of rows, where these are what runs."""
        return self.lowered.rows

    def let_go(self) -> None:
        """Drops what only the recorded call needs."""
        self._closed = True
        if self._lowered is not None:
            for plan in self._lowered.plans:
                plan.let_go()
        elif self.graph is not None:
            self.graph.trace.let_go()

    def enter_by_text(self, args: Any, kwargs: Any, mode: Any) -> Any:
        """`enter` at its first call, which compiles the text."""
        text, names = self.entry_text
        exec(code(text, "<guards of a compiled function>"), names)
        self.enter = names["enter"]
        return self.enter(args, kwargs, mode)

    @functools.cached_property
    def text(self) -> str:
        """The text of what runs."""
        lowered = self.lowered
        return lowered.plan.text() if lowered.rows is None else lowered.rows.text

    @property
    def signature(self) -> str:
        """The dtypes and shapes of the arguments that the recording is for."""
        return ", ".join(f"{dtype} {list(shape)}" for dtype, shape in self.argument_types) or "no Tensors"

    def moves(self) -> bool:
        """Whether the recording also serves the arrays that have replaced those it stands on; then it rebinds to them.

        They must lie as those did, and arrays that a run changes must share memory with no other.
        """
        arrays = self.bound()
        if [(a.shape, a.dtype, a.strides) for a in arrays] != self.layouts:
            return False
        for i in self.written:
            if any(np.may_share_memory(arrays[i], a) for k, a in enumerate(arrays) if k != i):
                return False
        self.idle.clear()  # they stand on the arrays of before
        self.rebind(arrays)
        return True

    def ready(self) -> Instance:
        """An instance on the arrays of now that no other call is running."""
        if self.interprets or self.enters_plainly:
            self._mature()
        try:
            return self.idle.pop()
        except IndexError:  # all instances are in use, or there is none yet
            arrays = self.bound()
            interprets = self.interprets
            return arrays, self.bind(arrays), interprets

    def _mature(self) -> None:
        """Switches, after enough calls, to the plan and to the compiled guards: dearer to make, cheaper to use."""
        if self.interprets and (self.calls >= interpret.OFTEN or self._lowered is not None):
            self.interprets, self._interpreter = False, None
            self.idle.clear()
        if self.enters_plainly and self.calls >= guards.OFTEN:
            self.enters_plainly = False
            self.enter = self.enter_by_text

    def bind(self, arrays: tuple[Any, ...]) -> Callable[..., Any]:
        """The function that runs on these arrays."""
        if self.interprets and (steps := self._interpreted()) is not None:
            return steps.bind(arrays)
        lowered = self.lowered
        run = self._bound(lowered, tuple(arrays[i] for i in lowered.bound))
        count, places = self._count, lowered.passing
        if places == [*range(count)]:
            return run
        return lambda *inputs: run(
            *[inputs[i] for i in places], *inputs[count:]
        )  # the plan does not read all

    def _bound(self, lowered: LoweredGraph, arrays: tuple[Any, ...]) -> Callable[..., Any]:
        """The plan on these arrays."""
        if lowered.rows is not None:
            return lowered.rows.bind(arrays, code)
        if self.function is not None:
            if all(k is None for k in self.kinds):
                return functools.partial(self.function, *arrays)
            return functools.partial(_converted, self.function, arrays, self.kinds)
        if self._code is None:
            self._code = code(self.text, "<compiled>")
        namespace = dict(lowered.plan.data)
        with np.errstate(all="ignore"):
            exec(self._code, namespace)
            bound: Callable[..., Any] = namespace["bind"](*arrays)
        return bound

    def compile_with_numba(self) -> None:
        """Has Numba compile the text; NotImplementedError where it cannot."""
        plan, arrays = self.plan, self.bound()
        value_of = {plan.name_of[v]: v for n, v in plan.arguments if n not in plan.bound}
        samples = [*(np.empty(v.shape, v.dtype) for v in value_of.values()), *(0.0 for _ in plan.numbers)]
        lasting = [arrays[i] for i in self.lowered.bound]
        with np.errstate(all="ignore"):
            self.function = jitted(self.text, plan.data, lasting, samples, code, self.may_raise)
        self.kinds = tuple(None if v.shape or v.dtype == F64 else v.dtype for v in plan.outputs)

    def _interpreted(self) -> Interpreter | None:
        """The graph as steps to interpret; None once there is a plan."""
        with self._lock:
            if self.graph is None:
                return None
            if self._interpreter is None:
                self._interpreter = Interpreter(self.graph)
            return self._interpreter

    def run(self, instance: Any, inputs: Any, args: Any, kwargs: Any) -> Any:
        """One replay; returns what the call returns."""
        self.calls += 1
        # An error restores them.
        states = [(g, g.get_state()) for g in self.generators] if self.may_raise else []
        try:
            if self.step is None:
                results = QUIET.run(instance[1], *inputs)
                if instance[2] is self.interprets:  # False if another thread has made the plan meanwhile
                    self.idle.append(instance)
                return self.finish(results, args, kwargs, None)
            call = Call(instance[1], inputs, args, kwargs)
            outs = self.step.apply(call, *self.leaves(args, kwargs))
        except Exception as error:
            for generator, state in states:
                generator.set_state(state)
            cause = error.__cause__ if isinstance(error, StepFailed) else error
            raise self._explained(error) from cause
        self.idle.append(instance)
        return self.finish(call.results, args, kwargs, outs if isinstance(outs, tuple) else (outs,))

    def _explained(self, error: Exception) -> Exception:
        """The error of a line of the plan as eager mode raises it, with the user's line."""
        place, trace = "", error.__traceback__
        if isinstance(error, StepFailed) and isinstance(error.__cause__, Exception):
            place, trace, error = str(error), None, error.__cause__
        while trace is not None:
            name = trace.tb_frame.f_code.co_filename
            if name.startswith("<compiled"):
                line = self.text.splitlines()[trace.tb_lineno - 1]
                place = line.rpartition("  # ")[2] if "  # " in line else line.strip()
            trace = trace.tb_next
        if not place:
            return error
        kind = IndexError if isinstance(error, IndexError) else RuntimeError
        return kind(f"{error} (in a replay of a compiled function; at {place})")

    def broken(self, args: Any, kwargs: Any, mode: Any) -> str:
        """What the first guard that fails is about."""
        env = self.environment
        guards = [*self.guards, *env.guards.expressions(), *env.mutable.expressions()]
        space = env.names | {"args": args, "kwargs": kwargs, "mode": mode}
        for guard, about in guards:
            with contextlib.suppress(Exception):
                if eval(guard, space):
                    continue
            return about
        return "the memory layout of an array"


class Call:
    """One call of a plan that is recorded as one operation."""

    def __init__(self, run: Any, inputs: Any, args: Any, kwargs: Any) -> None:
        self.run, self.inputs, self.args, self.kwargs = run, inputs, args, kwargs
        self.results: Any = None


def _converted(function: Any, arrays: tuple[Any, ...], kinds: tuple[Any, ...], *inputs: Any) -> list[Any]:
    results = function(*arrays, *inputs)
    return [r if k is None else np.asarray(r, k) for r, k in zip(results, kinds, strict=True)]


# ---------------------------------------------------------------- check=True


def checked(replay: Replay, instance: Any, inputs: Any, args: Any, kwargs: Any, function: Any) -> Any:
    """Runs a replay, then the function itself from the same state; returns what the function returns.

    RuntimeError where results, gradients or changed Tensors differ; by more than rounding, where the plan adds up in
    another order than eager mode.
    """
    tensors = list(
        {id(t): t for t in [*replay.environment.tensors.values(), *tensors_in(args, kwargs)]}.values()
    )
    generators = replay.generators
    before = _state(tensors), [g.get_state() for g in generators]
    states = [(s, {k: (v, dict(v)) for k, v in s.items()}) for s, _ in replay.environment.states]
    replayed = replay.run(instance, inputs, args, kwargs)
    after = [*_values(tensors_in(replayed)), *_values(tensors), *_gradients(tensors)]
    _restore(tensors, before[0])
    for g, state in zip(generators, before[1], strict=True):
        g.set_state(state)
    for state, entries in states:
        state.clear()
        for k, (entry, content) in entries.items():  # the same dicts, as guards ask for
            entry.clear()
            entry.update(content)
            state[k] = entry
    expected = function(*args, **kwargs)
    values = [*_values(tensors_in(expected)), *_values(tensors), *_gradients(tensors)]
    exact = replay.interprets or (replay.rows is None and replay.function is None)
    names = (
        ["a result"] * len(tensors_in(expected)) + ["a Tensor"] * len(tensors) + ["a gradient"] * len(tensors)
    )
    if len(after) != len(values):
        raise errors.runtime_error(
            "compile(check=True): the replay returns another number of Tensors than the function"
        )
    for name, a, b in zip(names, after, values, strict=True):
        difference = _difference(a, b, exact)
        if difference:
            raise errors.runtime_error(
                f"compile(check=True): {name} differs from that of the function itself: {difference}"
            )
    return expected


def _state(tensors: Sequence[Any]) -> list[Any]:
    return [(t._array.copy(), t._grad, None if t._grad is None else t._grad._array.copy()) for t in tensors]


def _restore(tensors: Sequence[Any], before: Sequence[Any]) -> None:
    for t, (array, grad, values) in zip(tensors, before, strict=True):
        changed(t._array)
        t._array[...] = array
        t._grad = grad
        if grad is not None:
            grad._array[...] = values


def _values(tensors: Sequence[Any]) -> list[Any]:
    return [t._array.copy() for t in tensors]


def _gradients(tensors: Sequence[Any]) -> list[Any]:
    return [None if t._grad is None else t._grad._array.copy() for t in tensors]


def _difference(a: Any, b: Any, exact: bool) -> str:
    if a is None or b is None:
        return "" if a is b else "one is None"
    if a.shape != b.shape or a.dtype != b.dtype:
        return f"{a.dtype} {list(a.shape)} instead of {b.dtype} {list(b.shape)}"
    if np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
        return ""
    if a.dtype.kind != "f":
        return "other integers"
    size = float(np.max(np.abs(b), initial=0.0))
    off = float(np.max(np.abs(a - b)))
    if not exact and off <= float(np.finfo(a.dtype).eps) ** 0.5 * size:
        return ""
    return f"by up to {off:.1e} where the largest is {size:.1e}"


def tensors_in(*values: Any) -> list[Any]:
    """The Tensors in a structure, in order."""
    tensors: list[Any] = []
    pending = list(values)[::-1]
    while pending:
        v = pending.pop()
        if isinstance(v, Tensor):
            tensors.append(v)
        elif isinstance(v, (tuple, list)):
            pending.extend(reversed(v))
        elif isinstance(v, dict):
            pending.extend(reversed(v.values()))
    return tensors

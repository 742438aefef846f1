"""A recording that is replayed: when it holds, what it runs, what is done with the results."""

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
from minigrad.compiler import conditions, interpret
from minigrad.compiler.by_numba import jitted
from minigrad.compiler.environment import Environment
from minigrad.compiler.goal import Goal, Planned, make_plan
from minigrad.compiler.interpret import Interpreter, StepFailed
from minigrad.compiler.lower import Plan
from minigrad.compiler.rows import RowPlans
from minigrad.core.changes import changed
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor
from minigrad.dtypes import F64


def code(text: str, name: str) -> types.CodeType:
    """A generated text, compiled by Python."""
    found: types.CodeType = builtins.compile(text, name, "exec")
    return found


Instance = tuple[
    tuple[Any, ...], Callable[..., Any], bool
]  # arrays, what is run on them, whether it interprets


class Replay:
    """One recording: when it holds, and what a call runs then: its goal, interpreted at first, or the plan for that."""

    bound: Callable[[], tuple[Any, ...]]  # the arrays that stay, as they are now
    current: Callable[[], bool]  # whether they are those that idle plans stand on
    stays: Callable[[tuple[Any, ...]], None]  # from now on they stand on these
    enter: Callable[..., Any]  # gives the arguments of the plan, or None where the recording does not hold
    entering: tuple[str, dict[str, Any]]  # its text, and the names in that
    finish: Callable[..., Any]  # makes Tensors, gradients, states of results; returns what the call returns
    leaves: Callable[..., list[Any]]  # the Tensors that a differentiable call depends on
    conditions: list[tuple[str, str]]  # on modes and arguments, and what each is about
    given: list[tuple[Any, Any]]  # element types and shapes of the arguments that it was recorded with
    backward_text = ""
    layouts: list[Any]  # of the arrays that stay
    written: list[int]  # which of them each run changes
    environment: Environment
    drawing: list[Any]  # the random generators that a run draws from
    may_raise: bool  # whether a kernel may
    kept_bytes: int  # what eager mode keeps for a backward pass
    step: Any = None  # the autograd.Function of a call whose results can be differentiated
    function: Any = None  # compiled by Numba
    kinds: tuple[Any, ...] = ()  # element types of results without dimensions, which Numba returns as numbers

    def __init__(self, goal: Goal) -> None:
        self.goal: Goal | None = goal  # until there is a plan
        self.idle: list[Instance] = []
        self.calls = 0
        self._count = len(goal.passing)
        self.enter = self.enter_by_text
        self.enters_plainly = False  # whether `enter` is another for now, that needs no compiler
        self.waits = False  # whether the goal is interpreted for now
        self._interpreter: Interpreter | None = None
        self._planned: Planned | None = None
        self._over = False
        self._lock = threading.RLock()
        self._code: types.CodeType | None = None

    @property
    def planned(self) -> Planned:
        """The plan, made when somebody asks for it."""
        made = self._planned
        if made is None:
            with self._lock:
                if self.goal is not None:
                    return self.plan_is(make_plan(self.goal))
            return self.planned  # another thread was quicker
        return made

    def plan_is(self, made: Planned) -> Planned:
        """From now on there is this plan."""
        if self._over:
            for plan in made.plans:
                plan.let_go()
        self._planned, self.goal = made, None
        return made

    @property
    def plan(self) -> Plan:
        """The plan for all rows at once."""
        return self.planned.plan

    @property
    def rows(self) -> RowPlans | None:
        """The plan in blocks of rows, where that is what is run."""
        return self.planned.rows

    def let_go(self) -> None:
        """The recording is over: what only it needs is dropped."""
        self._over = True
        if self._planned is not None:
            for plan in self._planned.plans:
                plan.let_go()
        elif self.goal is not None:
            self.goal.trace.let_go()

    def enter_by_text(self, args: Any, kwargs: Any, mode: Any) -> Any:
        """`enter` the first time: compiles the text."""
        text, names = self.entering
        exec(code(text, "<conditions of a compiled function>"), names)
        self.enter = names["enter"]
        return self.enter(args, kwargs, mode)

    @functools.cached_property
    def text(self) -> str:
        """The text that is run."""
        made = self.planned
        return made.plan.text() if made.rows is None else made.rows.text

    @property
    def signature(self) -> str:
        """The arguments that the recording is for, in words."""
        return ", ".join(f"{dtype} {list(shape)}" for dtype, shape in self.given) or "no Tensors"

    def moves(self) -> bool:
        """Whether the recording holds for the arrays that are there now, as others have come; if so, it stands on them.

        They must lie as those did, and what is changed must share memory with nothing else.
        """
        arrays = self.bound()
        if [(a.shape, a.dtype, a.strides) for a in arrays] != self.layouts:
            return False
        for i in self.written:
            if any(np.may_share_memory(arrays[i], a) for k, a in enumerate(arrays) if k != i):
                return False
        self.idle.clear()  # plans on arrays of before
        self.stays(arrays)
        return True

    def ready(self) -> Instance:
        """What is run, on the arrays that are there now, by nobody else."""
        if self.waits or self.enters_plainly:
            self._mature()
        try:
            return self.idle.pop()
        except IndexError:  # all are in use, or there is none yet
            arrays = self.bound()
            waits = self.waits
            return arrays, self.bind(arrays), waits

    def _mature(self) -> None:
        """Changes to what costs more to make and less to use, after as many calls as pay for it."""
        if self.waits and (self.calls >= interpret.OFTEN or self._planned is not None):
            self.waits, self._interpreter = False, None
            self.idle.clear()
        if self.enters_plainly and self.calls >= conditions.OFTEN:
            self.enters_plainly = False
            self.enter = self.enter_by_text

    def bind(self, arrays: tuple[Any, ...]) -> Callable[..., Any]:
        """What is run, on these arrays."""
        if self.waits and (steps := self._interpreted()) is not None:
            return steps.bind(arrays)
        made = self.planned
        run = self._bound(made, tuple(arrays[i] for i in made.bound))
        count, places = self._count, made.passing
        if places == [*range(count)]:
            return run
        return lambda *given: run(*[given[i] for i in places], *given[count:])  # it has no use for some

    def _bound(self, made: Planned, arrays: tuple[Any, ...]) -> Callable[..., Any]:
        """The plan on these arrays."""
        if made.rows is not None:
            return made.rows.bind(arrays, code)
        if self.function is not None:
            if all(k is None for k in self.kinds):
                return functools.partial(self.function, *arrays)
            return functools.partial(_converted, self.function, arrays, self.kinds)
        if self._code is None:
            self._code = code(self.text, "<compiled>")
        namespace = dict(made.plan.data)
        with np.errstate(all="ignore"):
            exec(self._code, namespace)
            bound: Callable[..., Any] = namespace["bind"](*arrays)
        return bound

    def compile_with_numba(self) -> None:
        """Has Numba compile the text; NotImplementedError where it cannot."""
        plan, arrays = self.plan, self.bound()
        seen = {plan.name_of[v]: v for n, v in plan.arguments if n not in plan.bound}
        samples = [*(np.empty(v.shape, v.dtype) for v in seen.values()), *(0.0 for _ in plan.numbers)]
        stay = [arrays[i] for i in self.planned.bound]
        with np.errstate(all="ignore"):
            self.function = jitted(self.text, plan.data, stay, samples, code, self.may_raise)
        self.kinds = tuple(None if v.shape or v.dtype == F64 else v.dtype for v in plan.outputs)

    def _interpreted(self) -> Interpreter | None:
        """The goal as steps to interpret; None if there is a plan by now."""
        with self._lock:
            if self.goal is None:
                return None
            if self._interpreter is None:
                self._interpreter = Interpreter(self.goal)
            return self._interpreter

    def run(self, instance: Any, given: Any, args: Any, kwargs: Any) -> Any:
        """One replay; what the call returns."""
        self.calls += 1
        drawn = [(g, g.get_state()) for g in self.drawing] if self.may_raise else []  # to be put back
        try:
            if self.step is None:
                results = QUIET.run(instance[1], *given)
                if instance[2] is self.waits:  # not when another thread has seen to a plan meanwhile
                    self.idle.append(instance)
                return self.finish(results, args, kwargs, None)
            call = Call(instance[1], given, args, kwargs)
            outs = self.step.apply(call, *self.leaves(args, kwargs))
        except Exception as error:
            for generator, state in drawn:
                generator.set_state(state)
            cause = error.__cause__ if isinstance(error, StepFailed) else error
            raise self._explained(error) from cause
        self.idle.append(instance)
        return self.finish(call.results, args, kwargs, outs if isinstance(outs, tuple) else (outs,))

    def _explained(self, error: Exception) -> Exception:
        """What a line of the plan raised, as eager mode's kind of error, with the user's line."""
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
        """What has changed, so that the recording does not hold."""
        env = self.environment
        conditions = [*self.conditions, *env.checks.expressions(), *env.mutable.expressions()]
        space = env.names | {"args": args, "kwargs": kwargs, "mode": mode}
        for condition, about in conditions:
            with contextlib.suppress(Exception):
                if eval(condition, space):
                    continue
            return about
        return "the memory layout of an array"


class Call:
    """One call of a plan that is recorded as one operation."""

    def __init__(self, run: Any, given: Any, args: Any, kwargs: Any) -> None:
        self.run, self.given, self.args, self.kwargs = run, given, args, kwargs
        self.results: Any = None


def _converted(function: Any, arrays: tuple[Any, ...], kinds: tuple[Any, ...], *given: Any) -> list[Any]:
    results = function(*arrays, *given)
    return [r if k is None else np.asarray(r, k) for r, k in zip(results, kinds, strict=True)]


# ---------------------------------------------------------------- check=True


def checked(replay: Replay, instance: Any, given: Any, args: Any, kwargs: Any, function: Any) -> Any:
    """A replay, then the function itself from the same state; returns what the function returns.

    RuntimeError where results, gradients or changed Tensors differ: at all, or, for plans that add up in another
    order, by more than rounding.
    """
    tensors = list(
        {id(t): t for t in [*replay.environment.tensors.values(), *tensors_in(args, kwargs)]}.values()
    )
    generators = replay.drawing
    before = _state(tensors), [g.get_state() for g in generators]
    states = [(s, {k: (v, dict(v)) for k, v in s.items()}) for s, _ in replay.environment.states]
    found = replay.run(instance, given, args, kwargs)
    after = [*_values(tensors_in(found)), *_values(tensors), *_gradients(tensors)]
    _restore(tensors, before[0])
    for g, state in zip(generators, before[1], strict=True):
        g.set_state(state)
    for state, entries in states:
        state.clear()
        for k, (entry, content) in entries.items():  # the same dicts, as conditions ask for
            entry.clear()
            entry.update(content)
            state[k] = entry
    expected = function(*args, **kwargs)
    wanted = [*_values(tensors_in(expected)), *_values(tensors), *_gradients(tensors)]
    exact = replay.waits or (replay.rows is None and replay.function is None)
    names = (
        ["a result"] * len(tensors_in(expected)) + ["a Tensor"] * len(tensors) + ["a gradient"] * len(tensors)
    )
    if len(after) != len(wanted):
        raise errors.runtime_error(
            "compile(check=True): the replay returns another number of Tensors than the function"
        )
    for name, a, b in zip(names, after, wanted, strict=True):
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
    found: list[Any] = []
    todo = list(values)[::-1]
    while todo:
        v = todo.pop()
        if isinstance(v, Tensor):
            found.append(v)
        elif isinstance(v, (tuple, list)):
            todo.extend(reversed(v))
        elif isinstance(v, dict):
            todo.extend(reversed(v.values()))
    return found

"""Plain functions of arrays as problems, and the checks of them."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from minigrad.errors import type_error
from minigrad.gradcheck import report
from minigrad.gradcheck.numeric import kinds
from minigrad.gradcheck.numeric.examine import examine
from minigrad.gradcheck.numeric.problem import Array, Finding, Problem, Result, Settings, Variable
from minigrad.gradcheck.numeric.shapes import misshapen
from minigrad.gradcheck.structure import leaves, named, replaced

Function = Callable[..., Any]


def check(
    kind: type[Subject], f: Function, derivative: Function, args: Any, s: Any, place: str | None, raises: bool
) -> bool:
    """`check_vjp` (of a `Vjp`) or `check_jvp`; ``place`` is where the derivative takes its cotangent or tangent."""
    name, title, s = f"check_{kind.what}", report.title(f), Settings(*s)
    for what, function in (("f", f), (kind.what, derivative)):
        if not callable(function):
            raise type_error(f"{name}(): {what} must be a function, got {type(function).__name__}")

    def run() -> Result:
        with np.errstate(all="ignore"):  # what is not finite is reported as such
            subject = kind(f, derivative, args, place)
            problem = subject.problem()
            findings = misshapen(problem, s)
            result = Result(findings, [], 0.0) if findings else examine(problem, s)
        if result.findings:
            raise report.failure(name, title, list(map(partial(_by_hand, subject), result.findings)), s)
        return result

    return report.conclude(name, title, run, raises)


def _by_hand(subject: Subject, finding: Finding) -> Finding:
    """Advice for the author of the derivative: there is no tape from which a value may have been detached."""
    if finding.kind != kinds.DETACHED or finding.projected:
        return finding
    hint = f"look for a part that the {subject.what} leaves out, cuts off or overwrites"
    return finding._replace(
        hint=f"the {subject.what} returns None: is a return missing?" if subject.silent else hint
    )


# ---------------------------------------------------------------- plain functions as problems


class Subject:
    """A function of arrays at a copy of its arguments, and the derivative that is claimed for it."""

    what: str  # vjp or jvp
    vector: str  # what it takes

    def __init__(self, f: Function, derivative: Function, args: Any, place: str | None) -> None:
        self.f, self.derivative = f, derivative
        args = tuple(args) if isinstance(args, (tuple, list)) else (args,)
        self.names = report.argument_names(f, len(args))
        for name, v in named(args, self.names):
            if hasattr(v, "requires_grad"):
                raise TypeError(
                    f"check_{self.what} is for functions of arrays, but {name} is a {type(v).__name__}: pass "
                    f"{name}.detach().numpy(). For functions of Tensors there is gradcheck"
                )
        self.order = self._order(place)
        self.inputs: list[Variable] = []
        self.args = tuple(replaced(v, self._copy, n) for v, n in zip(args, self.names, strict=True))
        if not self.inputs:
            raise ValueError(
                f"check_{self.what} needs at least one argument with floats to differentiate by, but got "
                f"{', '.join(_kind(v) for v in args) or 'none'}; make one a float64 array"
            )
        for x in self.inputs:
            report.warn_of_dtype(x.name, x.array.dtype)
        self.value = f(*self.args)
        given = [] if self.value is None else leaves(self.value, "output")
        self.outputs = [Variable(name, np.array(y)) for name, y in given]
        for name, y in self.outputs:
            if y.dtype.kind != "f":
                raise ValueError(report.no_derivative(name, y.dtype))
        if not self.outputs:
            raise TypeError(f"check_{self.what}: {report.title(f)} returned nothing; it must return arrays")
        self.moved = self.silent = False

    def _copy(self, name: str, value: Any) -> Any:
        """A leaf of the arguments to work on; if it is a float, it is one of the inputs."""
        if _is_float(value):
            value = np.array(value)  # of its own: strides of 0 and shared memory are gone
            self.inputs.append(Variable(name, value))
            return value
        return value.copy() if isinstance(value, np.ndarray) else value

    def _order(self, place: str | None) -> Callable[[tuple[Any, ...], Any], tuple[Any, ...]]:
        """How the derivative is called: ``place`` says it, or else the arguments that it takes."""
        what, vector = self.what, self.vector
        if place is not None and place not in _ORDERS:
            raise ValueError(f"check_{what}: {vector} is 'last', 'first' or 'only', not {place!r}")
        try:
            signature = inspect.signature(self.derivative)
        except (TypeError, ValueError):  # some of what is written in C tells nothing
            return _ORDERS[place or "last"]
        taken = list(signature.parameters)
        if place is None and taken[1:] == self.names != taken[:-1]:
            place = "first"  # `vjp(g, x)` of `f(x)`
        for order in (place,) if place else ("last", "only"):
            with contextlib.suppress(TypeError):
                signature.bind(*_ORDERS[order](tuple(self.names), vector))
                return _ORDERS[order]
        call = ", ".join(_ORDERS[place or "last"](tuple(self.names), vector))
        raise TypeError(
            f"check_{what} calls {what}({call}), but {report.title(self.derivative)} takes {signature}. "
            f"{vector}='last', 'first' or 'only' says where it takes the {vector}; a lambda may bring arguments into "
            "any other order"
        )

    def problem(self) -> Problem:
        """What is to be examined. RuntimeError if the function or its derivative changes an argument."""
        before = [x.array.tobytes() for x in self.inputs]
        inputs, outputs = ([(v.name, v.array.dtype) for v in side] for side in (self.inputs, self.outputs))
        advice = report.narrow(inputs, outputs, ".astype(np.float64)")
        problem = Problem(self.inputs, self.outputs, self.evaluate, self.answers, self.what == "vjp", advice)
        self.evaluate()
        self.answers(0, np.zeros_like(problem.seeded[0].array))
        for x, content in zip(self.inputs, before, strict=True):
            if x.array.tobytes() != content:
                raise RuntimeError(
                    f"check_{self.what}: {report.title(self.f)} or its {self.what} changed its argument {x.name} in "
                    "place; differences cannot be measured so. Let it work on a copy"
                )
        return problem

    def evaluate(self) -> list[Any]:
        """The outputs at the present contents of the inputs."""
        self.moved = True
        y = self.f(*self.args)
        return [y] if len(self.outputs) == 1 and y.__class__ is np.ndarray else [a for _, a in leaves(y)]

    def call(self, vector: Any) -> Any:
        """The derivative at the present point."""
        if self.moved:  # a layer that keeps what its backward pass needs must have seen this point last
            self.f(*self.args)
            self.moved = False
        answer = self.derivative(*self.order(self.args, vector))
        self.silent = answer is None
        return answer

    def answers(self, k: int, seed: Array) -> list[Any]:
        """What the derivative returns for a seed of variable k."""
        raise NotImplementedError


class Vjp(Subject):
    """A backward pass."""

    what, vector = "vjp", "cotangent"

    def answers(self, k: int, seed: Array) -> list[Any]:
        grads = self.call(_seeds(self.value, self.outputs, k, seed))
        if len(self.args) == 1 and not self._is_tuple(grads):
            grads = (grads,)
        parts = grads if isinstance(grads, (tuple, list)) else ()
        for name, v, d in zip(self.names, self.args, parts, strict=False):
            whole = type(v) is int or getattr(v, "dtype", np.dtype(bool)).kind in "iu"
            if whole and np.any(np.asarray(0 if d is None else d)):
                raise ValueError(
                    f"check_vjp: vjp returns a gradient for {name}, which is {np.asarray(v).dtype} and so "
                    "cannot be moved and is not checked. Pass it in float64, or return None for it"
                )
        return list(_answers(self.args, grads, "the arguments", "vjp"))

    def _is_tuple(self, grads: Any) -> bool:
        """Whether what vjp returned for one argument is a tuple around its gradient."""
        if not isinstance(grads, (tuple, list)) or len(grads) != 1:
            return False
        return not isinstance(self.args[0], (tuple, list)) or isinstance(grads[0], (tuple, list))


class Jvp(Subject):
    """A derivative in the direction of the inputs."""

    what, vector = "jvp", "tangent"

    def answers(self, k: int, seed: Array) -> list[Any]:
        tangent = _seeds(self.args, self.inputs, k, seed)
        change = self.call(tangent[0] if len(self.args) == 1 else tangent)
        return list(_answers(self.value, change, "the outputs", "jvp"))


_ORDERS: dict[str, Callable[[tuple[Any, ...], Any], tuple[Any, ...]]] = {
    "last": lambda args, g: (*args, g),
    "first": lambda args, g: (g, *args),
    "only": lambda args, g: (g,),
}


def _is_float(v: Any) -> bool:
    return isinstance(v, float) or (isinstance(v, (np.ndarray, np.floating)) and v.dtype.kind == "f")


def _seeds(template: Any, variables: list[Variable], k: int, seed: Array) -> Any:
    """The structure of arguments or results with ``seed`` for float k, zeros for the others, None for the rest."""
    seeds = iter([seed if n == k else np.zeros_like(v.array) for n, v in enumerate(variables)])
    return replaced(template, lambda _, v: next(seeds) if _is_float(v) else None)


def _answers(template: Any, answer: Any, name: str, what: str) -> Iterator[Any]:
    """The arrays of an answer in the places where ``template`` has floats; None for zeros, also of a whole branch."""
    if isinstance(template, (tuple, list, dict)):
        keys = list(template) if isinstance(template, dict) else list(range(len(template)))
        same = isinstance(answer, dict if isinstance(template, dict) else (tuple, list))
        if answer is not None and not (same and len(answer) == len(keys)):
            several = isinstance(answer, (tuple, list, dict))
            got = f"{len(answer)} entries" if several else type(answer).__name__
            raise TypeError(
                f"{what} must return {len(keys)} entries for {name}, in its structure (None for one without a "
                f"gradient); got {got}"
            )
        for key in keys:
            part = None if answer is None else answer[key]
            yield from _answers(template[key], part, f"{name}[{key!r}]", what)
    elif _is_float(template):
        yield None if answer is None else _array(answer, name, what)


def _array(answer: Any, name: str, what: str) -> Array:
    """What stands for one float. TypeError for what NumPy makes no numbers of."""
    try:
        array = np.asarray(answer)
    except ValueError:  # lists of several lengths
        array = np.asarray(None)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{what} must return an array for {name}; got {type(answer).__name__}")
    return array


def _kind(value: Any) -> str:
    """The class of an argument, and of an array what it holds."""
    return f"an array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__

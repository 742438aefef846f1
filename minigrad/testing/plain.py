"""Plain functions of arrays as problems for `numeric`, and the checks of them."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minigrad.testing import GradcheckError, GradcheckWarning, note, numeric, report
from minigrad.testing.numeric import Array, Finding, Out, Problem, Result, Settings, Slot


def check(
    what: str,
    f: Callable[..., Any],
    derivative: Callable[..., Any],
    args: Any,
    s: Settings,
    place: str | None,
    raise_exception: bool,
) -> bool:
    """`check_vjp` or `check_jvp`; ``place`` is where the derivative takes its cotangent or tangent."""
    pull = what == "check_vjp"

    def examine() -> Result:
        with np.errstate(all="ignore"):  # what is not finite is reported as such
            return _examine(f, derivative, args, s, pull, place)

    return verdict(what, report.title(f), examine, s, raise_exception)


def verdict(
    check: str, function: str, examine: Callable[[], Result], s: Settings, raise_exception: bool
) -> bool:
    """Runs a check: True, GradcheckError, False; a GradcheckWarning for what passes and is yet no rounding."""
    try:
        result = examine()
        if result.findings:
            raise GradcheckError(report.text(check, function, result.findings, s), result.findings)
    except GradcheckError:
        note(False, math.inf)
        if raise_exception:
            raise
        return False
    note(True, result.margin)
    for doubt in result.doubts:
        warnings.warn(doubtful(check, function, doubt), GradcheckWarning, stacklevel=4)
    return True


def doubtful(check: str, function: str, doubt: Finding) -> str:
    """The sentence about an error that the tolerance lets pass."""
    at = f"d {doubt.output}{list(doubt.at_output or ())} / d {doubt.input}{list(doubt.at_input or ())}"
    return (
        f"{check}: {function} {doubt.why}, which is more than measuring it can explain, at {at}: analytic "
        f"{report.number(doubt.analytic)}, numeric {report.number(doubt.numeric)}. Pass rtol=1e-5, atol=1e-7 "
        "to have it refused."
    )


# ---------------------------------------------------------------- plain functions as problems


def _is_float(v: Any) -> bool:
    return isinstance(v, float) or (isinstance(v, (np.ndarray, np.floating)) and v.dtype.kind == "f")


def _work(value: Any, name: str, slots: list[Slot]) -> Any:
    """A copy of an argument; its float arrays are noted."""
    if isinstance(value, (tuple, list)):
        fields = getattr(value, "_fields", None)
        parts = [
            _work(v, f"{name}.{fields[k]}" if fields else f"{name}[{k}]", slots) for k, v in enumerate(value)
        ]
        return type(value)(*parts) if fields else type(value)(parts)
    if isinstance(value, dict):
        return {key: _work(v, f"{name}[{key!r}]", slots) for key, v in value.items()}
    if _is_float(value):
        array = np.array(value)  # of its own: strides of 0 and shared memory are gone
        slots.append(Slot(name, array))
        return array
    return value.copy() if isinstance(value, np.ndarray) else value


def _fill(value: Any, arrays: Iterator[Any]) -> Any:
    """The structure of an argument with other arrays for its floats, None for the rest."""
    if isinstance(value, (tuple, list)):
        parts = [_fill(v, arrays) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {key: _fill(v, arrays) for key, v in value.items()}
    return next(arrays) if _is_float(value) else None


def _gather(template: Any, found: Any, name: str, what: str) -> Iterator[Any]:
    """What ``found`` has in the places where ``template`` has floats; None stands for a whole branch of zeros."""
    if isinstance(template, (tuple, list, dict)):
        keys = list(template) if isinstance(template, dict) else list(range(len(template)))
        if found is not None and (
            not isinstance(found, dict if isinstance(template, dict) else (tuple, list))
            or len(found) != len(keys)
        ):
            got = f"{len(found)} entries" if isinstance(found, (tuple, list, dict)) else type(found).__name__
            raise TypeError(f"{what} must return {len(keys)} entries for {name}, in its structure; got {got}")
        for key in keys:
            yield from _gather(template[key], None if found is None else found[key], f"{name}[{key!r}]", what)
    elif _is_float(template):
        yield found


_ORDERS: dict[str, Callable[[tuple[Any, ...], Any], tuple[Any, ...]]] = {
    "last": lambda args, g: (*args, g),
    "first": lambda args, g: (g, *args),
    "only": lambda args, g: (g,),
}


def _order(derivative: Callable[..., Any], place: str | None, names: list[str], pull: bool) -> Any:
    """How a derivative is called: ``place`` says it, or else the number of arguments that it takes."""
    what, vector = ("vjp", "cotangent") if pull else ("jvp", "tangent")
    if place is not None and place not in _ORDERS:
        raise ValueError(f"check_{what}: {vector} is 'last', 'first' or 'only', not {place!r}")
    try:
        signature = inspect.signature(derivative)
    except (TypeError, ValueError):  # some of what is written in C tells nothing
        return _ORDERS[place or "last"]
    for order in (place,) if place else ("last", "only"):
        with contextlib.suppress(TypeError):
            signature.bind(*_ORDERS[order](tuple(names), vector))
            return _ORDERS[order]
    call = ", ".join(_ORDERS[place or "last"](tuple(names), vector))
    raise TypeError(
        f"check_{what} calls {what}({call}), but {report.title(derivative)} takes {signature}. {vector}='last', "
        f"'first' or 'only' says where it takes the {vector}; a lambda may bring arguments into any other order"
    )


def _examine(
    f: Callable[..., Any],
    derivative: Callable[..., Any],
    args: Any,
    s: Settings,
    pull: bool,
    place: str | None = None,
) -> Result:
    given = tuple(args) if isinstance(args, (tuple, list)) else (args,)
    what = "vjp" if pull else "jvp"
    names = report.argument_names(f, len(given))
    for n, v in report.named(given, names):
        if hasattr(v, "requires_grad"):
            raise TypeError(
                f"check_{what} is for functions of arrays, but {n} is a {type(v).__name__}: pass "
                f"{n}.detach().numpy(). For functions of Tensors there is gradcheck"
            )
    order = _order(derivative, place, names, pull)
    slots: list[Slot] = []
    work = tuple(_work(v, n, slots) for v, n in zip(given, names, strict=True))
    if not slots:
        raise ValueError(
            f"check_{what} needs at least one argument with floats to differentiate by, but got "
            f"{', '.join(type(v).__name__ for v in given) or 'none'}; make one a float64 array"
        )
    for slot in slots:
        warn_of_dtype(slot.name, slot.array.dtype, 7)
    value = f(*work)
    flat = list(report.leaves(value, "output"))
    outputs = []
    for n, y in flat:
        y = np.array(y)
        if y.dtype.kind != "f":
            raise ValueError(no_derivative(n, str(y.dtype)))
        outputs.append(Out(n, y))
    if not outputs:
        raise TypeError(f"check_{what}: {report.title(f)} returned nothing; it must return arrays")
    before = [slot.array.copy() for slot in slots]
    whole = [
        k for k, v in enumerate(work) if type(v) is int or getattr(v, "dtype", np.dtype(bool)).kind in "iu"
    ]
    moved = False

    def evaluate() -> list[Any]:
        nonlocal moved
        moved = True
        y = f(*work)
        return (
            [y] if len(outputs) == 1 and y.__class__ is np.ndarray else [a for _, a in report.leaves(y, "")]
        )

    def call(vector: Any) -> Any:
        nonlocal moved
        if moved:  # a layer that keeps what its backward pass needs must have seen this point last
            f(*work)
            moved = False
        return derivative(*order(work, vector))

    def call_vjp(i: int, g: Array) -> list[Any]:
        seeds = (g if k == i else np.zeros_like(o.value) for k, o in enumerate(outputs))
        grads = call(_fill(value, seeds))
        grads = (grads,) if len(work) == 1 and not _is_args(grads, work) else grads
        for k in whole[: len(grads) if isinstance(grads, (tuple, list)) else 0]:
            if np.any(np.asarray(0 if grads[k] is None else grads[k])):
                raise ValueError(
                    f"check_vjp: vjp returns a gradient for {names[k]}, which is {np.asarray(work[k]).dtype} and so "
                    "cannot be moved and is not checked. Pass it in float64, or return None for it"
                )
        return [None if d is None else np.asarray(d) for d in _gather(work, grads, "the arguments", "vjp")]

    def call_jvp(j: int, t: Array) -> list[Any]:
        moves = (t if k == j else np.zeros_like(slot.array) for k, slot in enumerate(slots))
        tangent = _fill(work, moves)
        change = call(tangent[0] if len(work) == 1 else tangent)
        return [None if d is None else np.asarray(d) for d in _gather(value, change, "the outputs", "jvp")]

    inputs = [(x.name, x.array.dtype) for x in slots]
    advice = narrow(inputs, [(o.name, o.value.dtype) for o in outputs], ".astype(np.float64)")
    problem = Problem(
        slots, outputs, evaluate, call_vjp if pull else None, None if pull else call_jvp, advice
    )
    evaluate()
    (call_vjp if pull else call_jvp)(0, np.zeros_like(outputs[0].value if pull else slots[0].array))
    for slot, array in zip(slots, before, strict=True):
        if slot.array.tobytes() != array.tobytes():
            raise RuntimeError(
                f"check_{what}: {report.title(f)} or its {what} changed its argument {slot.name} in place; "
                "differences cannot be measured so. Let it work on a copy"
            )
    misshapen = _shapes(problem, s)
    return Result(misshapen, [], math.inf, 0) if misshapen else numeric.examine(problem, s)


def _is_args(grads: Any, work: tuple[Any, ...]) -> bool:
    """Whether what vjp returned for one argument is a tuple around its gradient."""
    if not isinstance(grads, (tuple, list)) or len(grads) != 1:
        return False
    return not isinstance(work[0], (tuple, list)) or isinstance(grads[0], (tuple, list))


def no_derivative(name: str, dtype: str) -> str:
    """The sentence about an output that cannot be differentiated."""
    return (
        f"{name} is {dtype}: it moves in steps, and so has no derivative to check. Return a float64 instead, or "
        "leave it out of what the checked function returns"
    )


def narrow(inputs: Iterable[tuple[str, Any]], results: Iterable[tuple[str, Any]], widen: str) -> str:
    """The advice where something is measured in less than float64; ``widen`` is what to write behind an input."""
    for name, dtype in inputs:
        if dtype.itemsize < 8:
            return f"use float64: {name} is {dtype}; pass {name}{widen}"
    for name, dtype in results:
        if dtype.itemsize < 8:
            return f"use float64 within the function too: {name} is {dtype}"
    return ""


def warn_of_dtype(name: str, dtype: Any, stacklevel: int) -> None:
    """As PyTorch: what is not float64 is likely to fail."""
    if dtype != np.float64:
        warnings.warn(
            f"{name} is {dtype} and not a double precision floating point. This check will likely fail if all the "
            "inputs are not of double precision floating point; convert it to float64.",
            stacklevel=stacklevel,
        )


# ---------------------------------------------------------------- wrong shapes


def _shapes(problem: Problem, s: Settings) -> list[Finding]:
    """Findings about derivatives that do not have the shape they must have, by what would make them right."""
    rng = np.random.default_rng(s.seed)
    call = problem.pull or problem.push
    if call is None:
        return []
    found = []
    drives = [o.value for o in problem.outputs] if problem.pull else [i.array for i in problem.inputs]
    wanted = (
        [i.array.shape for i in problem.inputs] if problem.pull else [o.value.shape for o in problem.outputs]
    )
    for d, drive in enumerate(drives):
        v = np.asarray(rng.standard_normal(drive.shape))
        for k, got in enumerate(call(d, v.copy())):
            if got is None or got.shape == wanted[k]:
                continue
            i, j = (d, k) if problem.pull else (k, d)
            with np.errstate(all="ignore"):
                if problem.pull:
                    true = np.tensordot(numeric.jacobian(problem, j, s.eps)[i], v.reshape(-1), 1)
                else:
                    true = np.tensordot(v.reshape(-1), numeric.jacobian(problem, j, s.eps)[i], 1)
            kind, why, hint = _reshaping(got, true.reshape(wanted[k]))
            out, inp = problem.outputs[i], problem.inputs[j]
            found.append(Finding(kind, why, hint, out.name, inp.name, out.value.shape, inp.array.shape))
    return found


def _reshaping(got: Array, true: Array) -> tuple[str, str, str]:
    """What turns a derivative of another shape into the measured one."""
    shown = f"a derivative of shape {list(got.shape)} was returned where {list(true.shape)} is needed"

    def same(a: Array) -> bool:
        return a.shape == true.shape and np.allclose(a, true, 1e-3, 1e-5)

    axes = numeric.broadcast_axes(true.shape, got.shape)
    if axes and same(got.sum(tuple(axes)).reshape(true.shape)):
        listed = " and ".join(map(str, axes))
        plural = "axes" if len(axes) > 1 else "axis"
        over = f"over {plural} {listed}"
        return numeric.MISSING_SUM, f"{shown}: summed {over} it agrees", f"sum it {over}"
    if axes and same(got.mean(tuple(axes)).reshape(true.shape)):
        return numeric.WRONG, f"{shown}: its mean over axes {axes} agrees", "average it over them"
    if got.ndim == true.ndim and got.ndim <= 5:
        for order in itertools.permutations(range(got.ndim)):
            if same(got.transpose(order)):
                return (
                    numeric.TRANSPOSED,
                    f"{shown}: with its axes in the order {order} it agrees",
                    "transpose it back",
                )
    if got.size == true.size and same(got.reshape(true.shape)):
        return numeric.WRONG, f"{shown}: the values agree", f"reshape it to {list(true.shape)}"
    repeats = not got.shape or numeric.broadcast_axes(got.shape, true.shape)
    if repeats and same(np.broadcast_to(got, true.shape)):
        return numeric.WRONG, f"{shown}: repeated to that shape it agrees", "np.broadcast_to(...) it"
    return numeric.WRONG, shown, "return one number for each that is asked for"

"""Functions of Tensors as problems for `minigrad.testing.numeric`: what `gradcheck` runs."""

from __future__ import annotations

import itertools
import math
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from minigrad.autograd import culprit, ownership
from minigrad.core import engine
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import differentiable, next_seq
from minigrad.core.op import Array
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.views import refresh
from minigrad.errors import INSIDE
from minigrad.testing import RECORD, GradcheckError, GradcheckWarning, note, numeric, report
from minigrad.testing.numeric import Finding, Out, Problem, Result, Settings, Slot
from minigrad.testing.plain import doubtful, narrow, no_derivative, warn_of_dtype


def options(forward: bool, backward: bool, batched: bool, batched_forward: bool) -> None:
    if not (forward or backward):
        raise ValueError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if batched and not backward:
        raise ValueError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if batched_forward and not forward:
        raise ValueError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    if forward or batched or batched_forward:
        raise NotImplementedError(
            "minigrad has one rule per op, the reverse one, and no vmap: there is no forward mode and no batched "
            "gradient of its own to check. Leave check_forward_ad, check_batched_grad and their like at False"
        )


# ---------------------------------------------------------------- inputs and outputs


def _no_input(given: Sequence[Any], names: Sequence[str]) -> ValueError:
    text = "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True. "
    for name, v in report.named(given, names):
        if isinstance(v, (np.ndarray, np.generic)):
            return ValueError(
                f"{text}Input {name} is an array: mg.tensor({name}, requires_grad=True) makes a Tensor of it. For a "
                f"function of arrays with a backward pass of its own, call {ownership.INSTEAD}."
            )
    return ValueError(f"{text}Make one with requires_grad=True, in float64.")


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _tensors(given: Sequence[Any], names: Sequence[str]) -> list[tuple[str, Any]]:
    return [(n, t) for n, t in report.named(given, names) if isinstance(t, Tensor)]


def _differentiable_inputs(given: Sequence[Any], names: Sequence[str]) -> list[tuple[str, Any]]:
    return [(n, t) for n, t in _tensors(given, names) if t.requires_grad]


def _outputs(func: Callable[..., Any], result: Any) -> list[tuple[str, Any]]:
    """What the function returned, flat and named."""
    found = list(report.leaves(result, "output"))
    for name, t in found:
        if not isinstance(t, Tensor):
            raise TypeError(
                f"{report.title(func)} must return Tensors, but {name} is {type(t).__name__}; without a Tensor "
                f"there is no gradient to check. A function of arrays is checked by {ownership.INSTEAD}"
            )
    return found


def _recorded(func: Callable[..., Any], given: Sequence[Any], **mode: Any) -> Any:
    """The function's value with its tape, whatever the grad mode is."""
    with ModeManager(MODE.get().replace(grad=True, inference=False, **mode)):
        return func(*given)


def _random_like(outputs: Sequence[Any], seed: int, strided: bool) -> list[Any]:
    rng = np.random.default_rng(seed)
    made = []
    for t in outputs:
        shape, dtype = t._array.shape, t._array.dtype
        if strided:
            array = rng.uniform(-1, 1, (*shape, 2)).astype(dtype)[..., 0]
        else:
            array = np.asarray(rng.uniform(-1, 1, shape)).astype(dtype)
        made.append(wrap(array).requires_grad_())
    return made


def _overlaps(a: Array) -> bool:
    """Whether two elements share a place in memory."""
    if a.size < 2:
        return False
    steps = sorted((abs(step), n) for step, n in zip(a.strides, a.shape, strict=True) if n > 1)
    reach = a.itemsize
    for step, n in steps:  # each dimension steps over all that the smaller ones reach
        if step < reach:
            break
        reach = step * (n - 1) + reach
    else:
        return False
    if steps[0][0] == 0:
        return True
    grid = sum(np.arange(n).reshape(-1, *(1,) * k) * step for k, (step, n) in enumerate(steps))
    return len(np.unique(grid)) < a.size


def _check_inputs(tensors: list[tuple[str, Any]], wanted: list[tuple[str, Any]]) -> None:
    for name, t in wanted:
        warn_of_dtype(f"Input {name} requires gradient, it", t._array.dtype, 6)
        if _overlaps(t._array):
            raise RuntimeError(
                f"Input {name} has elements that share memory (as expand() makes them), so one cannot be moved "
                "without another: call .contiguous() or .clone() on it before passing it to gradcheck."
            )
        if not t._array.flags.writeable:
            raise RuntimeError(
                f"Input {name} lies in read-only memory, so it cannot be moved: call .clone() on it before passing it "
                "to gradcheck."
            )
        for other, u in tensors:
            if u is not t and np.shares_memory(t._array, u._array):
                raise RuntimeError(
                    f"Inputs {name} and {other} share memory, so they depend on each other: one cannot be moved "
                    "without the other. Before passing them to gradcheck call .clone() on one of them, or "
                    ".detach().clone().requires_grad_() if it is a view of the other."
                )


# ---------------------------------------------------------------- the check


class Subject(NamedTuple):
    """What is checked: a function at its inputs, and the names of all of it."""

    check: str
    func: Callable[..., Any]
    given: tuple[Any, ...]
    names: list[str]
    outputs: list[str] | None  # names, where the function's own structure does not give them
    title: str
    user: Callable[..., Any]  # the user's function, which takes the first ``taken`` of what is given
    taken: int
    allow_numpy: bool


def function(func: Callable[..., Any], inputs: Any, allow_numpy: bool = False) -> Subject:
    """What `gradcheck` checks."""
    given = _tuple(inputs)
    count = len(given)
    names = report.argument_names(func, count)
    return Subject("gradcheck", func, given, names, None, report.title(func), func, count, allow_numpy)


def gradients(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any,
    s: Settings,
    strided: bool,
    allow_numpy: bool = False,
) -> Subject:
    """What `gradgradcheck` checks: the gradients as functions of the inputs and of the outputs' gradients."""
    given = _tuple(inputs)
    count = len(given)
    names = report.argument_names(func, count)
    wanted = _differentiable_inputs(given, names)
    if not wanted:
        raise _no_input(given, names)
    outputs = [(n, t) for n, t in _outputs(func, _value(func, given, func, given)) if t.requires_grad]
    made = (
        _random_like([t for _, t in outputs], s.seed, strided)
        if grad_outputs is None
        else _tuple(grad_outputs)
    )
    title = report.title(func)
    if not outputs:
        raise RuntimeError(
            f"gradgradcheck: no output of {title} requires grad, so there is no gradient to check"
        )
    if len(made) != len(outputs):
        raise RuntimeError(
            f"gradgradcheck got {len(made)} grad_outputs for the {len(outputs)} outputs of {title} that require grad"
        )

    def first(*args: Any) -> Any:
        from minigrad import autograd

        kept = [t for _, t in _outputs(func, func(*args[:count])) if t.requires_grad]
        sources = [t for _, t in _differentiable_inputs(args[:count], names)]
        grads = autograd.grad(kept, sources, list(args[count:]), create_graph=True, allow_unused=True)
        return tuple(g for g in cast("tuple[Any, ...]", grads) if g is not None)

    labels = [*names, *(f"grad of {n}" for n, _ in outputs)]
    used = [f"grad of {n}" for n, _ in wanted]
    every = (*given, *made)
    of = f"gradients of {title}"
    return Subject("gradgradcheck", first, every, labels, used, of, func, count, allow_numpy)


def run(what: Subject, s: Settings, undefined: bool, raise_exception: bool) -> bool:
    """True, or GradcheckError (False without ``raise_exception``)."""
    try:
        result = examine(what, s, undefined)
    except GradcheckError:
        note(False, math.inf)
        if raise_exception:
            raise
        return False
    note(True, result.margin, result.bare)
    for doubt in result.doubts:
        _warn(doubtful(what.check, what.title, doubt))
    return True


def _warn(text: str) -> None:
    """A GradcheckWarning at the user's line."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and INSIDE[frame.f_code.co_filename]:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, GradcheckWarning, stacklevel=level)


def examine(what: Subject, s: Settings, undefined: bool = True) -> Result:
    """The check itself, for readers that want its margin; GradcheckError when something is wrong."""
    func, given = what.func, what.given
    tensors = _tensors(given, what.names)
    wanted = _differentiable_inputs(given, what.names)
    if not wanted:
        raise _no_input(given, what.names)
    _check_inputs(tensors, wanted)
    before = [(n, t, t._array.copy()) for n, t in tensors]
    since = next_seq()
    try:
        flat = _outputs(func, _value(func, given, what.user, given[: what.taken]))
        if what.outputs is not None:
            flat = [(n, t) for n, (_, t) in zip(what.outputs, flat, strict=False)]
        _unchanged(what.title, before)
        bare = _bare(what, s)
        problem = _problem(func, given, flat, wanted, undefined)
        _unchanged(what.title, before)
        recorded = [k for k, (_, t) in enumerate(flat) if t.requires_grad]
        if not recorded:  # then nothing may move: as PyTorch, to the last digit
            s = s._replace(rtol=0.0, atol=1e-300)
        found = numeric.examine(problem, s)
        if found.findings:
            if not recorded:
                why = "no output requires grad, yet numeric is not zero"
                found = found._replace(
                    findings=[
                        f._replace(why=why) if f.kind == numeric.DETACHED else f for f in found.findings
                    ]
                )
            found = found._replace(findings=_dependent(found.findings, flat, wanted, since))
            first = found.findings[0].kind  # where it is the inputs' no op is to blame
            innocent = first == numeric.DEPENDENT or (first == numeric.NOISY and problem.narrow)
            rows = [] if innocent else _blame(func, given, found.findings[0], problem, recorded, s)
            raise GradcheckError(report.text(what.check, what.title, found.findings, s, rows), found.findings)
        return found._replace(bare=bare)
    finally:
        for _, t, array in before:
            if t._array.flags.writeable and t._array.tobytes() != array.tobytes():
                t._array[...] = array


def _value(func: Callable[..., Any], given: Sequence[Any], user: Callable[..., Any], inputs: Any) -> Any:
    """The function's value with its tape."""
    try:
        return _recorded(func, given)
    except Exception as error:
        if ownership.gives_arrays(user, inputs):
            error.add_note(
                f"{report.title(user)} works on arrays, but not on Tensors. A function of arrays, with the backward "
                f"pass that belongs to it, is checked by {ownership.INSTEAD}."
            )
        raise


def _bare(what: Subject, s: Settings) -> bool:
    """Whether the function is one of operators alone, which arrays have too; told only if somebody counts.

    GradcheckError if the derivatives that it records are not the user's.
    """
    if what.allow_numpy:
        return False
    watch, inputs = ownership.Watch(_recorded.__code__), what.given[: what.taken]
    _recorded(
        what.user, inputs, observer=watch
    )  # once more: a compiled function is another thing while it is watched
    finding = watch.finding()
    bare = finding is None and watch.shared and not watch.function and RECORD.get() is not None  # is counted
    arrays = watch.sure or ((finding or bare) and ownership.gives_arrays(what.user, inputs))
    if arrays and finding:
        raise GradcheckError(report.text(what.check, report.title(what.user), [finding], s), [finding])
    if watch.passes and watch.passes.layer:
        forward, backward, _ = watch.passes
        _warn(
            f"{what.check}: {backward} is not called: what {forward} records has derivatives of its own. Make an "
            "autograd.Function of the two to have that backward pass run and checked."
        )
    return bool(arrays)


def _dependent(
    findings: list[Finding], flat: list[tuple[str, Any]], wanted: list[tuple[str, Any]], since: int
) -> list[Finding]:
    """The findings; their verdict is another where a gradient reaches its input through records older than the call."""
    roots = [t._node for _, t in flat if t.requires_grad]
    old = [n for n in differentiable(roots) if n.seq < since]
    reasons = {}
    for name, t in wanted:
        behind, last = {t._node}, None
        for n in old:
            if not behind.isdisjoint(n.inputs):
                behind.add(n)
                last = n
        if last is None:
            continue
        other = next(
            (f"input {o}" for o, u in wanted if u is not t and u._node in behind), "a value from outside"
        )
        reasons[name] = (
            f"{other} is computed from {name} ({culprit._name(last)}, {last.where}): analytic follows that, but "
            f"{name} is moved alone"
        )
    hint = "compute it within the function, or make an input of its own of it: .detach().clone().requires_grad_()"
    return [
        f._replace(kind=numeric.DEPENDENT, why=reasons[f.input], hint=hint) if f.input in reasons else f
        for f in findings
    ]


def _unchanged(title: str, before: list[tuple[str, Any, Array]]) -> None:
    for name, t, array in before:
        if t._array.tobytes() != array.tobytes():
            raise RuntimeError(
                f"{title} changed its input {name} in place, so its slopes cannot be measured. Let it work on a copy: "
                f"{name.partition('[')[0]} = {name.partition('[')[0]}.clone()"
            )


def _problem(
    func: Callable[..., Any],
    given: tuple[Any, ...],
    flat: list[tuple[str, Any]],
    wanted: list[tuple[str, Any]],
    undefined: bool,
) -> Problem:
    """The function and its backward pass as the core wants them."""
    kept = [k for k, (_, t) in enumerate(flat) if t.requires_grad]
    if not kept:
        whole = [(n, t) for n, t in flat if t._array.dtype.kind != "f"]
        if whole and len(whole) == len(flat):
            raise ValueError(f"gradcheck: {no_derivative(whole[0][0], str(whole[0][1]._array.dtype))}")
        floats = [k for k, (_, t) in enumerate(flat) if t._array.dtype.kind == "f"]
    else:
        floats = kept
    names = [n for n, _ in flat]
    outputs = [Out(names[k], np.array(flat[k][1]._array)) for k in floats]
    slots = [Slot(n, t._array) for n, t in wanted]
    evaluate = _evaluator(func, given, floats, len(flat), outputs)
    inside = (
        (f"what {n.op.name} gives ({n.where})", n.dtype)
        for n in differentiable([flat[k][1]._node for k in kept])
        if n.op is not None and n.dtype is not None and n.dtype.itemsize < 8
    )
    results = itertools.chain(((o.name, o.value.dtype) for o in outputs), inside)
    advice = narrow([(n, t._array.dtype) for n, t in wanted], results, ".double()")
    if not kept:
        return Problem(slots, outputs, evaluate, lambda i, g: [None] * len(slots), None, advice)
    for t in (*(flat[k][1] for k in kept), *(t for _, t in wanted)):
        refresh(t)
    roots = [flat[k][1]._node for k in kept]
    targets = [t._node for _, t in wanted]
    zeros = [np.zeros_like(flat[k][1]._array) for k in kept]

    def pull(i: int, g: Array) -> Sequence[Any]:
        seed = g.astype(zeros[i].dtype, copy=False)
        if undefined:
            found = engine.run([roots[i]], [seed], targets, keep=True)
        else:
            found = engine.run(
                roots, [seed if k == i else z for k, z in enumerate(zeros)], targets, keep=True
            )
        return [found.get(n) for n in targets]

    if undefined and len(kept) > 1:
        _check_undefined(pull, roots, zeros, targets, [names[k] for k in kept])
    return Problem(slots, outputs, evaluate, pull, None, advice)


def _check_undefined(
    pull: Any, roots: list[Any], zeros: list[Any], targets: list[Any], names: list[str]
) -> None:
    """GradcheckError if a backward works with zeros for the gradients of other outputs, but not without them."""
    for i, name in enumerate(names):
        try:
            pull(i, zeros[i])
        except Exception as error:
            engine.run(roots, zeros, targets, keep=True)  # if this fails too, it is that error that matters
            raise GradcheckError(
                f"gradcheck: backward fails where only {name} has a gradient ({type(error).__name__}: {error}). With "
                "set_materialize_grads(False) the gradients of outputs that were not used are None: treat None as "
                "zeros, or pass check_undefined_grad=False."
            ) from error


def _evaluator(
    func: Callable[..., Any], given: tuple[Any, ...], kept: list[int], count: int, outputs: list[Out]
) -> Callable[[], Sequence[Any]]:
    """The function from the inputs' memory to arrays; without recording, if it works the same without."""
    bare = MODE.get().replace(grad=False, inference=False, everything=False, observer=None, anomaly=None)

    def under(mode: Any) -> Callable[[], Sequence[Any]]:
        def run() -> Sequence[Any]:
            with ModeManager(mode):
                result = func(*given)
            if count == 1 and isinstance(result, Tensor):
                return (result._array,)
            found = [t._array for _, t in report.leaves(result, "")]
            return [found[k] for k in kept]

        return run

    try:
        same = all(
            a.shape == o.value.shape and np.array_equal(a, o.value, equal_nan=True)
            for a, o in zip(under(bare)(), outputs, strict=True)
        )
    except Exception as error:  # it differentiates inside, say; the same error comes again if it is another
        _ = error
        same = False
    return under(bare) if same else under(bare.replace(grad=True))


def _blame(
    func: Callable[..., Any],
    given: tuple[Any, ...],
    f: Finding,
    problem: Problem,
    kept: list[int],
    s: Settings,
) -> list[tuple[str, str]]:
    """The op to blame, if it can be told."""
    names = [o.name for o in problem.outputs]

    def run() -> list[Any]:
        return [t for _, t in report.leaves(func(*given), "")]

    try:
        if f.kind == numeric.NON_DETERMINISTIC and not f.input:
            return culprit.first_difference(run)
        at = kept[names.index(f.output)] if kept else 0
        return culprit.search(run, at, f, s, problem.inputs)
    except Exception as error:  # the report matters more
        return [("culprit", f"not looked for: {type(error).__name__} when the function ran again")]

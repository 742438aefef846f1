"""Functions of Tensors as problems, and the checks of them: what `gradcheck` runs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import engine
from minigrad.core.mode import MODE, Mode, ModeManager
from minigrad.core.node import Node, differentiable, next_seq
from minigrad.core.op import Array
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh
from minigrad.errors import warn
from minigrad.gradcheck import arguments, culprit, ownership, report
from minigrad.gradcheck.numeric import kinds
from minigrad.gradcheck.numeric.examine import examine
from minigrad.gradcheck.numeric.problem import Finding, Problem, Result, Settings, Variable
from minigrad.gradcheck.outcome import OUTCOMES, GradcheckError, GradcheckWarning
from minigrad.gradcheck.structure import leaves

Function = Callable[..., Any]
Evaluate = Callable[[], Sequence[Any]]
Named = list[tuple[str, Any]]  # Tensors with their names


def check_options(forward: bool, backward: bool, batched: bool, batched_forward: bool) -> None:
    """PyTorch's ValueErrors, and NotImplementedError for what minigrad has no rules for."""
    if not (forward or backward):
        raise ValueError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if batched and not backward:
        raise ValueError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if batched_forward and not forward:
        raise ValueError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    if forward or batched or batched_forward:
        raise NotImplementedError(
            "minigrad has one rule per op, the reverse one, which vmap and jvp use too: there is no forward mode and "
            "no batched gradient of its own to check. Leave check_forward_ad, check_batched_grad and the like at False"
        )


class Subject(NamedTuple):
    """What is checked: a function at its inputs, and the names of all of it."""

    check: str
    func: Function
    inputs: tuple[Any, ...]
    names: list[str]
    outputs: list[str] | None  # names, where the function's own structure does not give them
    title: str
    user: Function  # the user's function, which takes the first ``taken`` inputs
    taken: int
    allow_numpy: bool

    def value(self) -> Named:
        """What the function returns, with its tape: flat and named."""
        return _value(self.func, self.inputs, self.user, self.inputs[: self.taken])

    def tensors(self) -> list[Any]:
        """What the function returns in the present mode, flat."""
        return [t for _, t in leaves(self.func(*self.inputs))]


def function(func: Function, inputs: Any, allow_numpy: bool) -> Subject:
    """What `gradcheck` checks."""
    args = arguments.as_tuple(inputs)
    names = report.argument_names(func, len(args))
    return Subject("gradcheck", func, args, names, None, report.title(func), func, len(args), allow_numpy)


def gradients(func: Function, inputs: Any, grads: Any, seed: int, strided: bool, numpy: bool) -> Subject:
    """What `gradgradcheck` checks: the gradients as functions of the inputs and of the outputs' gradients."""
    args = arguments.as_tuple(inputs)
    count, title = len(args), report.title(func)
    names = report.argument_names(func, count)
    sources = arguments.differentiable(args, names)
    outputs = [(n, t) for n, t in _value(func, args, func, args) if t.requires_grad]
    if any(t.is_complex() for _, t in outputs):
        return gradients(arguments.real_results(func), inputs, grads, seed, strided, numpy)
    if not outputs:
        text = f"no output of {title} requires grad, so there is no gradient to check"
        raise RuntimeError(f"gradgradcheck: {text}")
    cotangents = arguments.cotangents(outputs, grads, title, seed, strided)

    def first(*tensors: Any) -> tuple[Any, ...]:
        roots = _nodes([t for _, t in _flat(func, func(*tensors[:count])) if t.requires_grad])
        targets = _nodes([t for _, t in arguments.differentiable(tensors[:count], names)])
        return tuple(d for d in _gradients(roots, tensors[count:], targets, create=True) if d is not None)

    labels = [*names, *(f"grad of {n}" for n, _ in outputs)]
    results = [f"grad of {n}" for n, _ in sources]
    every, title = (*args, *cotangents), f"gradients of {title}"
    return Subject("gradgradcheck", first, every, labels, results, title, func, count, numpy)


def run(subject: Subject, settings: Any, undefined: bool, raises: bool) -> bool:
    """True, or GradcheckError (False without ``raises``)."""
    s = Settings(*settings)
    return report.conclude(subject.check, subject.title, lambda: _examine(subject, s, undefined), raises)


def _examine(subject: Subject, s: Settings, undefined: bool) -> Result:
    """The check itself. GradcheckError when something is wrong."""
    tensors = arguments.tensors(subject.inputs, subject.names)
    sources = arguments.differentiable(subject.inputs, subject.names)
    arguments.check_memory(tensors, sources)
    before = [(n, t, t._array.copy()) for n, t in tensors]
    since = next_seq()
    try:
        outputs = subject.value()
        if any(t.is_complex() for _, t in outputs):
            return _examine(subject._replace(func=arguments.real_results(subject.func)), s, undefined)
        if subject.outputs is not None:
            outputs = [(n, t) for n, (_, t) in zip(subject.outputs, outputs, strict=False)]
        _check_unchanged(subject.title, before)
        bare = _bare(subject, s)
        problem = _problem(subject, outputs, sources, undefined)
        _check_unchanged(subject.title, before)
        recorded = [k for k, (_, t) in enumerate(outputs) if t.requires_grad]
        if not recorded:  # then nothing may move: as PyTorch, to the last digit
            s = s._replace(rtol=0.0, atol=1e-300)
        result = examine(problem, s)
        if not result.findings:
            return result._replace(bare=bare)
        findings = _dependent(result.findings, outputs, sources, since)
        if not recorded:
            why = "no output requires grad, yet numeric is not zero"
            findings = [f._replace(why=why) if f.kind == kinds.DETACHED else f for f in findings]
        worst = findings[0]  # where it is the inputs' no op is to blame
        innocent = worst.kind == kinds.DEPENDENT or (worst.kind == kinds.NOISY and problem.narrow)
        at = next((k for k in recorded if outputs[k][0] == worst.output), 0)
        rows = [] if innocent else culprit.blame(subject.tensors, at, worst, s, problem.inputs)
        raise report.failure(subject.check, subject.title, findings, s, rows)
    finally:
        for _, t, array in before:
            if t._array.flags.writeable and t._array.tobytes() != array.tobytes():
                t._array[...] = array


# ---------------------------------------------------------------- the function and its backward pass


def _flat(func: Function, result: Any) -> Named:
    """What a function returned, flat and named. TypeError if it is not Tensors."""
    outputs = list(leaves(result, "output"))
    for name, t in outputs:
        if not isinstance(t, Tensor):
            raise TypeError(
                f"{report.title(func)} must return Tensors, but {name} is {type(t).__name__}; without a Tensor "
                f"there is no gradient to check. A function of arrays is checked by {ownership.INSTEAD}"
            )
    return outputs


def _recorded(func: Function, args: Sequence[Any], **mode: Any) -> Any:
    """A function's value with its tape, whatever the grad mode is."""
    with ModeManager(MODE.get().replace(grad=True, inference=False, **mode)):
        return func(*args)


def _value(func: Function, args: Sequence[Any], user: Function, taken: Sequence[Any]) -> Named:
    try:
        result = _recorded(func, args)
    except Exception as error:
        if ownership.gives_arrays(user, taken):
            error.add_note(
                f"{report.title(user)} works on arrays, but not on Tensors. A function of arrays, with the backward "
                f"pass that belongs to it, is checked by {ownership.INSTEAD}."
            )
        raise
    return _flat(func, result)


def _nodes(tensors: Sequence[Any]) -> list[Node]:
    for t in tensors:
        refresh(t)
    return [t._node for t in tensors]


def _gradients(roots: list[Node], seeds: Any, targets: list[Node], create: bool = False) -> list[Any]:
    """The gradients of some records by others; None where they do not depend on them."""
    grads = engine.run(roots, seeds, targets, keep=True, create=create)
    return [grads.get(node) for node in targets]


def _check_unchanged(title: str, before: list[tuple[str, Any, Array]]) -> None:
    for name, t, array in before:
        if t._array.tobytes() != array.tobytes():
            raise RuntimeError(
                f"{title} changed its input {name} in place, so its slopes cannot be measured. Let it work on a copy: "
                f"{name.partition('[')[0]} = {name.partition('[')[0]}.clone()"
            )


def _problem(subject: Subject, outputs: Named, sources: Named, undefined: bool) -> Problem:
    """The function and its backward pass. ValueError if no output moves continuously."""
    kept = [k for k, (_, t) in enumerate(outputs) if t.requires_grad]
    floats = kept or [k for k, (_, t) in enumerate(outputs) if t._array.dtype.kind == "f"]
    if outputs and not floats:
        name, t = outputs[0]
        raise ValueError(f"gradcheck: {report.no_derivative(name, t._array.dtype)}")
    values = [Variable(outputs[k][0], np.array(outputs[k][1]._array)) for k in floats]
    slots = [Variable(n, t._array) for n, t in sources]
    roots, targets = _nodes([outputs[k][1] for k in kept]), _nodes([t for _, t in sources])
    inside = (
        (f"what {n.op.name} gives ({n.where})", n.dtype)
        for n in differentiable(roots)
        if n.op is not None and n.dtype is not None and n.dtype.itemsize < 8
    )
    results = itertools.chain(((y.name, y.array.dtype) for y in values), inside)
    advice = report.narrow([(n, t._array.dtype) for n, t in sources], results, ".double()")
    zeros = [np.zeros_like(y.array) for y in values]

    def pull(i: int, g: Array) -> Sequence[Any]:
        if not roots:
            return [None] * len(targets)
        seed = g.astype(zeros[i].dtype, copy=False)
        if undefined:
            return _gradients([roots[i]], [seed], targets)
        return _gradients(roots, [seed if k == i else z for k, z in enumerate(zeros)], targets)

    if undefined and len(roots) > 1:
        for i, y in enumerate(values):
            try:
                pull(i, zeros[i])
            except Exception as error:
                _gradients(roots, zeros, targets)  # if this fails too, it is that error that matters
                raise GradcheckError(
                    f"gradcheck: backward fails where only {y.name} has a gradient ({type(error).__name__}: {error}). "
                    "With set_materialize_grads(False) the gradients of outputs that were not used are None: treat "
                    "None as zeros, or pass check_undefined_grad=False."
                ) from error
    evaluate = _evaluator(subject, floats, len(outputs), values)
    return Problem(slots, values, evaluate, pull, narrow=advice)


def _evaluator(subject: Subject, kept: list[int], count: int, values: list[Variable]) -> Evaluate:
    """The function from the inputs' memory to arrays; without recording, if it works the same without."""
    bare = MODE.get().replace(grad=False, inference=False, everything=False, observer=None, anomaly=None)

    def under(mode: Mode) -> Evaluate:
        def run() -> Sequence[Any]:
            with ModeManager(mode):
                result = subject.func(*subject.inputs)
            if count == 1 and isinstance(result, Tensor):
                return (result._array,)
            tensors = list(leaves(result))
            return [tensors[k][1]._array for k in kept]

        return run

    try:
        same = all(
            a.shape == y.array.shape and np.array_equal(a, y.array, equal_nan=True)
            for a, y in zip(under(bare)(), values, strict=True)
        )
    except Exception:  # it differentiates inside, say; if it is another error, it comes again
        same = False
    return under(bare) if same else under(bare.replace(grad=True))


# ---------------------------------------------------------------- what is to blame


def _bare(subject: Subject, s: Settings) -> bool:
    """Whether the function is one of operators alone, which arrays have too; told only where checks are counted.

    GradcheckError if the derivatives that it records are not the user's.
    """
    if subject.allow_numpy:
        return False
    args, title = subject.inputs[: subject.taken], report.title(subject.user)
    watch = ownership.Watch(_recorded.__code__)
    # Once more, for a compiled function is another thing while it is watched.
    _recorded(subject.user, args, observer=watch)
    finding = watch.finding()
    bare = finding is None and watch.shared and not watch.function and OUTCOMES.get() is not None
    arrays = watch.sure or ((finding or bare) and ownership.gives_arrays(subject.user, args))
    if arrays and finding:
        raise report.failure(subject.check, title, [finding], s)
    if watch.passes and watch.passes.layer:
        forward, backward, _ = watch.passes
        warn(
            f"{subject.check}: {backward} is not called: what {forward} records has derivatives of its own. Make an "
            "autograd.Function of the two to have that backward pass run and checked.",
            GradcheckWarning,
        )
    return bool(arrays)


def _dependent(findings: list[Finding], outputs: Named, sources: Named, since: int) -> list[Finding]:
    """The findings; of another kind where a gradient reaches its input through records older than the call."""
    roots = [t._node for _, t in outputs if t.requires_grad]
    old = [n for n in differentiable(roots) if n.seq < since]
    texts = {}
    for name, t in sources:
        behind, last = {t._node}, None
        for n in old:
            if not behind.isdisjoint(n.inputs):
                behind.add(n)
                last = n
        if last is None:
            continue
        others = (f"input {o}" for o, u in sources if u is not t and u._node in behind)
        texts[name] = (
            f"{next(others, 'a value from outside')} is computed from {name} ({culprit.name(last)}, {last.where}): "
            f"analytic follows that, but {name} is moved alone"
        )
    hint = "compute it within the function, or make an input of its own of it: .detach().clone().requires_grad_()"
    kind = kinds.DEPENDENT
    return [f._replace(kind=kind, why=texts[f.input], hint=hint) if f.input in texts else f for f in findings]

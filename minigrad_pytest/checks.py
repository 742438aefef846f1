"""The plugin's work; `minigrad_pytest` loads this as a plugin of its own once there are gradients to check."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import types
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import _pytest
import pluggy
import pytest

from minigrad_pytest import is_ours, unknown_arguments, uses_fixture

Function = Callable[..., Any]


# ---------------------------------------------------------------- options


def _option(config: pytest.Config, name: str, read: Callable[[str], Any], what: str) -> Any:
    """An option of the command line or else of the configuration file; None if neither has it."""
    value = config.getoption(f"gradcheck_{name}") or config.getini(f"gradcheck_{name}")
    if not value:
        return None
    try:
        return read(value)
    except (ValueError, KeyError):
        text = f"--gradcheck-{name} (or gradcheck_{name}) is {what}, not {value!r}"
        raise pytest.UsageError(text) from None


def _seed(text: str) -> int:
    seed = int.from_bytes(os.urandom(4), "big") if text == "random" else int(text)
    if not 0 <= seed < 2**32:
        raise ValueError
    return seed


def _step(text: str) -> float:
    step = float(text)
    if not 0.0 < step < float("inf"):
        raise ValueError
    return step


class Session:
    """The state of a run: the options, the present test, and the outcomes of its checks."""

    def __init__(self, config: pytest.Config) -> None:
        seed = _option(config, "seed", _seed, "a number from 0 to 2**32 - 1, or 'random'") or 0
        # With xdist all workers take the seed of the controller.
        self.seed: int = getattr(config, "workerinput", {}).get("gradcheck_seed", seed)
        self.eps: float | None = _option(config, "eps", _step, "a positive number")
        self.order: int = _option(config, "order", {"1": 1, "2": 2}.__getitem__, "1 or 2") or 1
        self.fulltrace = bool(config.getoption("fulltrace", False))
        self.item: pytest.Item | None = None
        self.checks: list[tuple[bool, float, bool]] = []  # in the present phase; see OUTCOMES


SESSION = pytest.StashKey[Session]()


def session_of(config: pytest.Config) -> Session:
    """The session of a run, a new one at the first call."""
    if SESSION not in config.stash:
        config.stash[SESSION] = Session(config)
    return config.stash[SESSION]


def pytest_report_header(config: pytest.Config) -> str | None:
    seed = session_of(config).seed
    return f"gradient checks: seed {seed}" if seed else None


# ---------------------------------------------------------------- one check


def _leaf(value: Any) -> Any:
    """An array as a Tensor: of floats a new float64 leaf that requires grad, of others a constant."""
    import numpy as np

    import minigrad as mg

    if not isinstance(value, (np.ndarray, np.generic)):
        return value
    if value.dtype.kind != "f":
        return mg.tensor(value)
    return mg.tensor(value, dtype=mg.float64, requires_grad=True)


def _check(session: Session, func: Function, inputs: Any, order: Any, options: dict[str, Any]) -> bool:
    """gradcheck, and gradgradcheck for order 2."""
    from minigrad.autograd import gradcheck, gradgradcheck

    if order not in (None, 1, 2):
        raise ValueError(f"gradcheck: order is 1 or 2, not {order!r}")
    checks = (gradcheck, gradgradcheck)[: order or session.order]
    return all(_run(session, check, (func, inputs), options, check is gradgradcheck) for check in checks)


def _run(
    session: Session, check: Function, args: tuple[Any, ...], options: dict[str, Any], known: bool = False
) -> bool:
    """A check with the session's options, counted; its report says how to repeat it."""
    from minigrad.errors import INSIDE
    from minigrad.testing import GradcheckError

    INSIDE[__file__] = True  # so that the line of an op that is checked by itself is that of the check
    every = {"seed": session.seed} | ({} if session.eps is None else {"eps": session.eps}) | options
    try:
        with _counted(session):
            return bool(check(*args, **(_known(check, every) if known else every)))
    except GradcheckError as error:
        error.add_note(_repeat(session, every["seed"], "seed" in options))
        raise


@contextmanager
def _counted(session: Session) -> Iterator[None]:
    """Counts every check, by whichever function."""
    from minigrad.gradcheck.outcome import OUTCOMES

    token = OUTCOMES.set(session.checks)
    try:
        yield
    finally:
        OUTCOMES.reset(token)


def _known(check: Function, options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in inspect.signature(check).parameters}


def _repeat(session: Session, seed: int, stated: bool) -> str:
    import shlex

    test = f"pytest {shlex.quote(session.item.nodeid)}" if session.item else "pytest"
    return f"repeat: {test} " + (f"(seed {seed} stands there)" if stated else f"--gradcheck-seed={seed}")


# ---------------------------------------------------------------- tracebacks


def _ours(file: str) -> bool:
    """Whether a file belongs to what runs checks; tracebacks leave its frames out."""
    import minigrad

    package = os.path.dirname(minigrad.__file__)
    return file == __file__ or file.startswith(os.path.join(package, "gradcheck", ""))


def _pytests(file: str) -> bool:
    return file.startswith(tuple(os.path.dirname(module.__file__ or "") for module in (_pytest, pluggy)))


def _places(error: BaseException) -> list[types.TracebackType]:
    """The traceback of an error without the frames that run checks; of a report, without pytest's either."""
    from minigrad.testing import GradcheckError

    hidden = [_ours, *([_pytests] if isinstance(error, GradcheckError) else [])]
    entries, entry = [], error.__traceback__
    while entry is not None:
        if not any(hides(entry.tb_frame.f_code.co_filename) for hides in hidden):
            entries.append(entry)
        entry = entry.tb_next
    return entries


def _prune(error: BaseException | None, seen: set[int]) -> None:
    """Takes the frames that run checks out of the traceback of an error, and of those that it came from."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    kept = None
    for place in reversed(_places(error)):
        kept = types.TracebackType(kept, place.tb_frame, place.tb_lasti, place.tb_lineno)
    error.__traceback__ = kept
    for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
        _prune(other, seen)


# ---------------------------------------------------------------- the fixtures


class Plain:
    """The value of the fixtures `check_vjp` and `check_jvp`: `minigrad.testing`'s, with the session's seed and step."""

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._name = session, name

    def __call__(self, f: Function, derivative: Function, args: Any, **options: Any) -> bool:
        __tracebackhide__ = True
        from minigrad import testing

        return _run(self._session, getattr(testing, self._name), (f, derivative, args), options)

    def __repr__(self) -> str:
        return f"<{self._name}, seed {self._session.seed}>"


class Gradcheck:
    """The value of the fixture `gradcheck`: `autograd.gradcheck` with the session's seed, for arrays too."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, func: Function, inputs: Any, *, order: int | None = None, **options: Any) -> bool:
        __tracebackhide__ = True
        several = isinstance(inputs, (tuple, list))
        leaves = tuple(map(_leaf, inputs)) if several else (_leaf(inputs),)
        return _check(self._session, func, leaves, order, options)

    def __repr__(self) -> str:
        return f"<gradcheck, seed {self._session.seed}>"


# ---------------------------------------------------------------- the mark


class _Misuse(Exception):
    """A mark that cannot work; the message says what to write."""


_ELSEWHERE = object()  # for the value of an argument that a fixture, parametrize or Hypothesis gives


def _marks(node: pytest.Item | pytest.Collector, function: Any, name: str) -> list[pytest.Mark]:
    """The marks of a test, innermost first; one that is not collected yet has its own in `pytestmark`."""
    own = [] if isinstance(node, pytest.Item) else getattr(function, "pytestmark", [])
    return [*(mark for mark in own if mark.name == name), *node.iter_markers(name)]


def _options(marks: Sequence[pytest.Mark]) -> dict[str, Any]:
    """The options of all marks together; the innermost has the last word."""
    if any(mark.args for mark in marks if is_ours([mark])):
        raise _Misuse("what the mark says has a name, as in @pytest.mark.gradcheck(inputs=[array, ...])")
    options: dict[str, Any] = {}
    for mark in reversed(marks):
        options |= mark.kwargs
    return options


def _inputs(value: Any, node: pytest.Item | pytest.Collector, function: Any, method: bool) -> dict[str, Any]:
    """The inputs of the check in their order: the name of the argument, and its value or _ELSEWHERE."""
    inputs = list(value) if isinstance(value, (tuple, list)) else [value]
    outer = list(inspect.signature(function).parameters)[method:]
    drawn = getattr(function, "hypothesis", None)
    every = list(inspect.signature(drawn.inner_test).parameters)[method:] if drawn else outer
    named = {name for name in inputs if isinstance(name, str)}
    if not inputs:
        raise _Misuse("its inputs are empty; write inputs=[array, ...]")
    if unknown := named - set(every):
        raise _Misuse(f"the input {min(unknown)!r} is the name of no argument")
    for mark in _marks(node, function, "parametrize"):
        names = mark.args[0] if mark.args else mark.kwargs.get("argnames", ())
        named.update(map(str.strip, names.split(",")) if isinstance(names, str) else names)
    free = [name for name in outer if name not in named]
    arrays = sum(not isinstance(x, str) for x in inputs)
    if arrays > len(free):
        raise _Misuse(f"it has {arrays} arrays as inputs, for the arguments ({', '.join(free)})")
    names = iter(free)
    return dict((x, _ELSEWHERE) if isinstance(x, str) else (next(names), x) for x in inputs)


@contextmanager
def without_inputs(collector: pytest.Collector, obj: Any) -> Iterator[None]:
    """Arrays of a mark are no fixtures: pytest collects the test by a signature without these arguments."""
    function = getattr(obj, "__func__", obj)  # of a static method
    try:
        value = _options(_marks(collector, function, "gradcheck")).get("inputs", ())
        method = isinstance(collector, pytest.Class) and not isinstance(obj, staticmethod)
        hidden = [n for n, x in _inputs(value, collector, function, method).items() if x is not _ELSEWHERE]
    except _Misuse:  # it is raised again when the test is set up
        hidden = []
    attributes, signature = vars(function), inspect.signature(function)
    before = {name: attributes[name] for name in ("__signature__",) if name in attributes}
    rest = [parameter for name, parameter in signature.parameters.items() if name not in hidden]
    attributes["__signature__"] = signature.replace(parameters=rest)
    try:
        yield
    finally:
        del attributes["__signature__"]
        attributes.update(before)


def _marked(item: pytest.Item) -> dict[str, Any] | None:
    """The options of a marked test, with `inputs` by name."""
    marks = list(item.iter_markers("gradcheck"))
    if not isinstance(item, pytest.Function):
        return None
    if not is_ours(marks):
        missing = unknown_arguments(item) if marks else []
        if missing:
            raise _Misuse(
                f"{missing[0]!r} is no fixture; for a check write @pytest.mark.gradcheck(inputs=[array, ...])"
            )
        return None
    if hasattr(item.cls, "assertEqual"):  # a TestCase
        raise _Misuse("it is for plain test functions and methods; call minigrad.autograd.gradcheck here")
    options = _options(marks)
    function = getattr(item.obj, "__func__", item.obj)
    return options | {"inputs": _inputs(options["inputs"], item, function, inspect.ismethod(item.obj))}


def _fail(item: pytest.Item, text: str) -> BaseException:
    """A failure that shows a text and the place of the test, and no traceback."""
    path, line, _ = item.location
    return pytest.fail.Exception(f"{text}\n\n{path}:{(line or 0) + 1}: {item.name}", pytrace=False)


def _misused(item: pytest.Item, error: _Misuse) -> BaseException:
    return _fail(item, f"@pytest.mark.gradcheck of {item.name} cannot work: {error}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    try:
        _marked(item)
    except _Misuse as error:
        raise _misused(item, error) from None


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a marked test: not once, but as the function of a check."""
    options = _marked(pyfuncitem)
    if options is None:
        return None
    from minigrad.autograd import GradcheckError

    inputs = options["inputs"]
    test = pyfuncitem.obj
    drawn = getattr(test, "hypothesis", None)
    fixtures = pyfuncitem.funcargs
    values = {name: fixtures[name] for name in inspect.signature(test).parameters if name in fixtures}
    values |= {name: value for name, value in inputs.items() if value is not _ELSEWHERE}
    body = drawn.inner_test if drawn else test
    check = _checked(session_of(pyfuncitem.config), body, options)
    try:
        if drawn is None:
            check(**values)
            return True
        drawn.inner_test = check  # what Hypothesis calls with each example
        try:
            test(**values)
        finally:
            drawn.inner_test = body
    except _Misuse as error:
        raise _misused(pyfuncitem, error) from None
    except GradcheckError as error:
        raise _fail(pyfuncitem, "\n".join([str(error), *getattr(error, "__notes__", ())])) from None
    except Exception as error:
        if _places(error):
            raise  # from within the test
        raise _fail(pyfuncitem, f"{type(error).__name__}: {error}") from None
    return True


def _checked(session: Session, body: Function, options: dict[str, Any]) -> Function:
    """A test whose call checks the gradients of what `body` returns."""
    order = options.get("order")
    rest = {name: value for name, value in options.items() if name not in ("inputs", "order")}
    signature = inspect.signature(body)
    names = inspect.Signature(
        [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in options["inputs"]]
    )

    @functools.wraps(body)
    def check(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        import minigrad as mg

        call = signature.bind(*args, **kwargs)
        leaves = {name: _leaf(call.arguments[name]) for name in options["inputs"]}
        for name, value in leaves.items():
            if not isinstance(value, mg.Tensor):
                kind = type(value).__name__
                raise _Misuse(f"the input {name!r} is a {kind}; give an array, np.array(...), or a Tensor")
        if not any(value.requires_grad for value in leaves.values()):
            raise _Misuse("no input has a gradient; give at least one array of floats")

        @functools.wraps(body)
        def func(*tensors: Any) -> Any:
            __tracebackhide__ = True
            call.arguments.update(zip(leaves, tensors, strict=True))
            result = body(*call.args, **call.kwargs)
            if not any(isinstance(x, mg.Tensor) for x in tensors):
                return result  # gradcheck tries it on arrays, too
            parts = result if isinstance(result, (tuple, list)) else [result]
            if not parts or not all(isinstance(part, mg.Tensor) for part in parts):
                kinds = ", ".join(sorted({type(part).__name__ for part in parts})) or "nothing in a tuple"
                raise _Misuse(f"it returns {kinds}; return the Tensor to differentiate, or a tuple of them")
            return result

        func.__signature__ = names  # type: ignore[attr-defined]
        with mg.random.fork_rng():
            mg.manual_seed(session.seed)
            good = _check(session, func, tuple(leaves.values()), order, rest)
        if not good:  # with raise_exception=False
            raise AssertionError(f"the gradient check of {body.__name__} failed")

    return check


# ---------------------------------------------------------------- around every test


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Seeds minigrad's generator for a test that checks gradients, and restores it afterwards."""
    session = session_of(item.config)
    session.item = item
    try:
        with _counted(session) if "minigrad" in sys.modules else nullcontext():
            if not is_ours(item.iter_markers("gradcheck")) and not uses_fixture(item):
                return (yield)
            from minigrad import random

            with random.fork_rng():
                random.manual_seed(session.seed)
                return (yield)
    finally:
        session.item = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    """Takes the plugin's frames out of a report, and adds the outcomes of checks, also in a worker of xdist."""
    session = session_of(item.config)
    error = call.excinfo.value if call.excinfo else None
    if error is not None and not session.fulltrace and _places(error):
        _prune(error, set())
        call.excinfo = pytest.ExceptionInfo.from_exception(error)
    report = yield
    checks = session.checks
    if checks:
        report.__dict__["gradchecks"] = checks[:]
        checks.clear()
    return report


def summary(reports: Sequence[Any]) -> str:
    """The line at the end: how much was checked, and the margins of what passed."""
    checks = [(*check, report.nodeid) for report in reports for check in report.gradchecks]
    margins = sorted((margin, test) for passed, margin, _, test in checks if passed)
    tests = len({test for *_, test in checks})
    line = f"gradient checks: {len(checks)} ran in {tests} test{'s' * (tests > 1)}"
    if margins:
        (loose, first), (tight, last) = margins[0], margins[-1]
        line += f"; error / tolerance:\n  tightest {tight:.2g} in {last}\n  loosest {loose:.2g} in {first}"
    bare = [test for *_, bare, test in checks if bare]
    if bare:
        line += (
            f"\n  {len(bare)} of these saw nothing but operators on Tensors, which are minigrad's own"
            f"\n  ({bare[0]}); a backward pass of yours is checked by check_vjp"
        )
    return line

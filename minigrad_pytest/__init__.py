"""The pytest plugin of minigrad: fixtures and a mark that check gradients, three options and a summary line.

docs/plugin.md is its manual.  pytest imports this module whenever it starts, so it stands outside `minigrad` and is
short: checks.py does the work, and is imported with NumPy when the first test asks for it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from minigrad_pytest.checks import Gradcheck, Plain

MARK = (
    "gradcheck(inputs, order=1, **options): check the gradients of what the test returns at `inputs`, which are "
    "arrays for its first arguments, or names of arguments that a fixture, parametrize or Hypothesis gives"
)
OPTIONS = {
    "seed": ("N", "seed of checks and of minigrad's generator, or 'random' (default: 0)"),
    "eps": ("STEP", "step of the finite differences (default: that of gradcheck)"),
    "order": ("1|2", "2 checks second derivatives too (default: 1)"),
}


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    group = parser.getgroup("minigrad", "gradient checks (minigrad)")
    for name, (value, text) in OPTIONS.items():
        group.addoption(f"--gradcheck-{name}", metavar=value, help=f"{text}; a test may say otherwise")
        parser.addini(f"gradcheck_{name}", f"default of --gradcheck-{name}", default="")
    # pytest rewrites the asserts in all that a plugin was installed with. There are none here, and where no bytecode
    # may be written (PYTHONDONTWRITEBYTECODE) rewriting minigrad took 0.3 s in every run that imports it.
    rewritten: set[str] = getattr(pluginmanager.rewrite_hook, "_must_rewrite", set())
    rewritten -= {"minigrad", "minigrad_pytest"}


def _has_options(config: pytest.Config) -> bool:
    return any(config.getoption(f"gradcheck_{n}") or config.getini(f"gradcheck_{n}") for n in OPTIONS)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    if _has_options(config):
        _load(config)


def _load(config: pytest.Config) -> Any:
    from minigrad_pytest import checks

    checks.session_of(config)  # raises at once for a wrong option
    if not config.pluginmanager.is_registered(checks):
        config.pluginmanager.register(checks, "minigrad-checks")
    return checks


@pytest.fixture(scope="session")
def check_vjp(pytestconfig: pytest.Config) -> Plain:
    """Check a backward pass written by hand: check_vjp(f, vjp, args, **options of minigrad.testing.check_vjp)."""
    return _plain(pytestconfig, "check_vjp")


@pytest.fixture(scope="session")
def check_jvp(pytestconfig: pytest.Config) -> Plain:
    """Check a forward derivative written by hand: check_jvp(f, jvp, args, **options of minigrad.testing.check_jvp)."""
    return _plain(pytestconfig, "check_jvp")


def _plain(config: pytest.Config, name: str) -> Plain:
    checks = _load(config)
    fixture: Plain = checks.Plain(checks.session_of(config), name)
    return fixture


@pytest.fixture(scope="session")  # so that Hypothesis and fixtures of any scope may use it
def gradcheck(pytestconfig: pytest.Config) -> Gradcheck:
    """Check gradients: gradcheck(func, inputs, order=1, **options of minigrad.autograd.gradcheck)."""
    checks = _load(pytestconfig)
    fixture: Gradcheck = checks.Gradcheck(checks.session_of(pytestconfig))
    return fixture


def is_ours(marks: Iterable[pytest.Mark]) -> bool:
    """Whether a mark is the plugin's, and no label that happens to have its name: it has inputs."""
    return any(
        mark.name == "gradcheck" and ("inputs" in mark.kwargs or any(map(_is_array, mark.args)))
        for mark in marks
    )


def _is_array(value: object) -> bool:
    """Whether a value is an array or Tensor, or a list of them: inputs without their name."""
    parts = value if isinstance(value, (tuple, list)) else [value]
    return any(hasattr(part, "__array__") for part in parts)


def unknown_arguments(item: pytest.Item) -> list[str]:
    """The arguments of a test that are no fixtures."""
    known = getattr(item, "_fixtureinfo", None)
    return (
        [name for name in known.argnames if name not in {"request", *known.name2fixturedefs}] if known else []
    )


def uses_fixture(item: pytest.Item) -> bool:
    """Whether a test uses a fixture of the plugin, and no other one of its name."""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    for name in ("gradcheck", "check_vjp", "check_jvp"):
        for fixture in reversed(known.get(name, ())):  # the innermost is used
            if fixture.func.__module__ == __name__:
                return True
            if name not in fixture.argnames:  # else it asks for the one that it hides
                break
    return False


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, obj: Any) -> Generator[None, Any, Any]:
    function = getattr(obj, "__func__", obj) if isinstance(obj, staticmethod) else obj
    if not inspect.isfunction(function):
        return (yield)
    if not is_ours([*getattr(function, "pytestmark", ()), *collector.iter_markers("gradcheck")]):
        return (yield)
    with _load(collector.config).without_inputs(collector, obj):
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "minigrad" in sys.modules or any(map(uses_fixture, items)):
        _load(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: all workers take the controller's seed."""
    if _has_options(node.config):
        node.workerinput["gradcheck_seed"] = _load(node.config).session_of(node.config).seed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for group in terminalreporter.stats.values() for r in group if hasattr(r, "gradchecks")]
    if reports:
        terminalreporter.write_line(_load(terminalreporter.config).summary(reports))

"""The pytest plugin of minigrad: a fixture and a mark that check gradients, three options and a summary line.

docs/plugin.md is its manual.  pytest imports this module whenever it starts, so it stands outside `minigrad` and is
short: checks.py does the work, and is imported with NumPy when the first test asks for it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from minigrad_pytest.checks import Gradcheck

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
    # pytest rewrites the asserts in whatever a plugin was installed with. There are none here, and where no bytecode
    # may be written (PYTHONDONTWRITEBYTECODE) rewriting minigrad took 0.3 s in every run that imports it.
    rewritten: set[str] = getattr(pluginmanager.rewrite_hook, "_must_rewrite", set())
    rewritten -= {"minigrad", "minigrad_pytest"}


def _given(config: pytest.Config) -> bool:
    return any(config.getoption(f"gradcheck_{n}") or config.getini(f"gradcheck_{n}") for n in OPTIONS)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    if _given(config):
        _load(config)


def _load(config: pytest.Config) -> Any:
    from minigrad_pytest import checks

    checks.session_of(config)  # says at once which option is wrong
    if not config.pluginmanager.is_registered(checks):
        config.pluginmanager.register(checks, "minigrad-checks")
    return checks


@pytest.fixture(scope="session")  # so that Hypothesis and fixtures of any scope may use it
def gradcheck(pytestconfig: pytest.Config) -> Gradcheck:
    """Check gradients: gradcheck(func, inputs, order=1, **options of minigrad.autograd.gradcheck)."""
    checks = _load(pytestconfig)
    made: Gradcheck = checks.Gradcheck(checks.session_of(pytestconfig))
    return made


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, obj: Any) -> Generator[None, Any, Any]:
    function = getattr(obj, "__func__", obj) if isinstance(obj, staticmethod) else obj
    if not inspect.isfunction(function):
        return (yield)
    marks = [*getattr(function, "pytestmark", ()), *collector.iter_markers("gradcheck")]
    if not any(mark.name == "gradcheck" for mark in marks):
        return (yield)
    with _load(collector.config).without_inputs(collector, obj):
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "minigrad" in sys.modules or any("gradcheck" in getattr(item, "fixturenames", ()) for item in items):
        _load(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: all workers take the controller's seed."""
    if _given(node.config):
        node.workerinput["gradcheck_seed"] = _load(node.config).session_of(node.config).seed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for found in terminalreporter.stats.values() for r in found if hasattr(r, "gradchecks")]
    if reports:
        terminalreporter.write_line(_load(terminalreporter.config).summary(reports))

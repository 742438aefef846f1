"""`pytest docs/exercises` grades what stands in this folder; with ``--solutions``, the worked solutions."""

import importlib.util
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_addoption(parser):
    parser.addoption("--solutions", action="store_true", help="grade the worked solutions")


@pytest.fixture(scope="module")
def work(request):
    """The module with the functions to be filled in, for ``test_slope.py`` that is ``slope.py``."""
    name = Path(request.path).stem.removeprefix("test_")
    folder = HERE / "solutions" if request.config.getoption("--solutions") else HERE
    spec = importlib.util.spec_from_file_location(f"exercise_{name}", folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

"""What is installed: its version and dependencies, what importing it brings along, what it may not name."""

import ast
import importlib.metadata
import importlib.resources
import re
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad

ROOT = Path(__file__).parent.parent
PACKAGE = Path(minigrad.__file__).parent


def python_files(*folders):
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


def test_importing_brings_along_numpy_and_nothing_else():
    program = (
        "import sys, numpy; before = set(sys.modules); import minigrad; print(*set(sys.modules) - before)"
    )
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    ).stdout
    packages = {module.partition(".")[0] for module in printed.split()}
    assert packages - sys.stdlib_module_names <= {"minigrad", "numpy"}


def test_the_version_stands_in_one_place():
    assert importlib.metadata.version("minigrad-tape") == minigrad.__version__


def test_it_needs_numpy_and_the_writer_of_drawings():
    requires = importlib.metadata.requires("minigrad-tape") or []
    always = {re.split(r"[^\w-]", line)[0] for line in requires if "extra ==" not in line}
    assert always == {"numpy", "graphviz"}


def test_it_carries_its_types():
    assert importlib.resources.files("minigrad").joinpath("py.typed").is_file()


@pytest.mark.parametrize("folder", [PACKAGE, ROOT / "examples"], ids=["package", "examples"])
def test_no_file_names_a_place_outside_the_repository(folder):
    outside = re.compile(
        r"""(?<![\w.])(?:\.\./|/(?:home|root|tmp|work|opt|usr|Users|mnt)(?:/|\b))|[A-Z]:\\"""
    )
    named = [
        f"{path.name}:{number}: {line.strip()}"
        for path in python_files(folder)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if outside.search(line)
    ]
    assert not named


def test_pytorch_is_never_imported():
    importers = []
    for path in python_files(PACKAGE, ROOT / "examples", ROOT / "tests"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if re.search(r"\btorch\b", text) else ():
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] == "torch" for name in names):
                importers.append(path.name)
    assert not importers

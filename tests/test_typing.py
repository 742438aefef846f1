"""What an editor sees: two typed programs of users, and the README's own, have no error in mypy and in pyright.

The programs stand in ``typed/``. They are copied elsewhere first, for a checker is milder with a package beside the
program than with an installed one: of the latter it takes only the names that are exported.
"""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import minigrad as mg

TESTS = Path(__file__).parent
STUBS = runpy.run_path(str(TESTS.parent / ".ci" / "stubs"))
PROGRAMS = ["training.py", "library.py"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the programs in it, those of ``typed/`` and the README's blocks in a row as ``taste.py``."""
    for name in PROGRAMS:
        shutil.copy(TESTS / "typed" / name, tmp_path)
    taste = (TESTS.parent / "README.md").read_text(encoding="utf-8").partition("## A taste")[2]
    blocks = re.findall(r"^```python\n(.*?)^```", taste.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    assert len(blocks) > 1
    (tmp_path / "taste.py").write_text("\n".join(blocks), encoding="utf-8")
    return tmp_path


def run(place: Path, *arguments: str) -> str:
    """What a checker says, run with the package in front of it: it looks where Python would import from."""
    environment = {**os.environ, "PYTHONPATH": str(Path(mg.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=place, env=environment, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr  # it is there, ran, and found the mistakes
    return done.stdout


def mypy(place: Path) -> list[tuple[str, int, str]]:
    """The errors that mypy finds when it is strict: file, line, sentence."""
    (place / "mypy.ini").write_text("[mypy]\nstrict = true\n", encoding="utf-8")
    told = run(place, "mypy", "--no-pretty", "--no-color-output", ".")
    found = re.findall(r"^(\w+\.py):(\d+): error: (.*)$", told, re.MULTILINE)
    return [(file, int(line), sentence) for file, line, sentence in found]


def pyright(place: Path) -> list[tuple[str, int, str]]:
    """The errors that pyright finds with its own settings: file, line, sentence."""
    settings = {"typeCheckingMode": "standard", "reportPossiblyUnboundVariable": "warning"}
    (place / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    told = json.loads(run(place, "basedpyright", "--outputjson", "--pythonpath", sys.executable))
    return [
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1, found["message"])
        for found in told["generalDiagnostics"]
        if found["severity"] == "error"
    ]


WRONG = """
import minigrad as mg
from minigrad import nn

x = mg.ones(2, 3)
net = nn.Sequential(nn.Linear(3, 1))
mg.lnspace(0, 1, 3)
x + "1"
x.max(1).shape
x.bakcward()
net("x")
nn.Linear(3, 1)(x, x)
mg.compile(nn.functional.relu)(3)
x.reshape(2.5)
mg.zeros(2, dtype="float")
mg.import_module
"""


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_programs_of_users_have_no_error_and_mistakes_are_found(
    place: Path, checker: Callable[[Path], list[tuple[str, int, str]]]
) -> None:
    """That nothing is an error is worth something only if a mistake is: here nothing has become Any."""
    (place / "wrong.py").write_text(WRONG, encoding="utf-8")
    found = checker(place)
    assert [error for error in found if error[0] != "wrong.py"] == []
    assert [line for _, line, _ in found] == list(range(7, WRONG.count("\n") + 1)), found


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_typed_programs_run(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(TESTS / "typed" / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- the stubs


def test_the_stubs_are_those_that_are_written() -> None:
    """If not, run `python .ci/stubs`."""
    for file, text in STUBS["STUBS"].items():
        assert file.read_text(encoding="utf-8") == text(), f"{file.name} is out of date"


def test_the_stub_of_tensor_has_every_method() -> None:
    (tensor,) = [
        node
        for node in ast.parse(STUBS["tensor_stub"]()).body
        if isinstance(node, ast.ClassDef) and node.name == "Tensor"
    ]
    named = {node.name for node in tensor.body if isinstance(node, ast.FunctionDef)}
    named |= {ast.unparse(t) for n in tensor.body if isinstance(n, ast.Assign) for t in n.targets}
    assert {name for name in vars(mg.Tensor) if not name.startswith("_")} <= named

"""What is loaded, or made, when it is first asked for: an import of minigrad does not grow with what there is."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import pickle
import pydoc
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad.functions import lookup, table
from minigrad.ops import later
from minigrad.tape import TABLE

ROOT = Path(__file__).parent.parent
PACKAGE = Path(mg.__file__).parent


def fresh(program: str, root: Path | None = None) -> list[str]:
    """The lines that a program prints in an interpreter of its own."""
    environment = {**os.environ, **({"PYTHONPATH": str(root)} if root else {})}
    command = [sys.executable, "-W", "error", "-c", "import minigrad as mg, sys, threading\n" + program]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def each(programs: Iterable[str], root: Path | None = None) -> list[list[str]]:
    """The lines that each program prints, as if it had an interpreter of its own: it is a fork after the import."""
    programs = list(programs)
    if not hasattr(os, "fork"):
        return [fresh(program, root) for program in programs]
    loop = f"""if True:
        import os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on warns of forks where BLAS has threads
        for program in {programs!r}:
            if pid := os.fork():
                os.waitpid(pid, 0)
                print("----", flush=True)
                continue
            try:
                exec(program)
            except BaseException as error:
                print(repr(error))
            sys.stdout.flush()
            os._exit(0)"""
    lines = iter(fresh(loop, root))
    return [list(iter(lambda: next(lines), "----")) for _ in programs]


def test_an_import_loads_what_every_program_needs() -> None:
    (line,) = fresh("print(*[m for m in sys.modules if m.startswith('minigrad.')])")
    rooms = {name.split(".")[1] for name in line.split()}
    assert not rooms & {
        "nn", "optim", "random", "func", "gradcheck", "readers", "compiler", "tape", "testing", "serialization",
        "distributed", "onnx", "utils",
    }  # fmt: skip
    families = {*later.OPS, *later.FUNCTIONS}
    assert {"draws", "nn", "parts"} <= families
    assert not {f"minigrad.{room}.{f}" for room in ("ops", "functions") for f in families} & set(line.split())


def test_an_import_makes_no_function_of_a_record() -> None:
    (names,) = fresh("from minigrad.functions import table; print(*table._MADE)")
    assert set(names.split()) == {"abs", "absolute", "neg", "negative"}  # those of operators


def test_a_reader_that_looks_for_names_loads_no_modules() -> None:
    program = """if True:
        from minigrad import nn, optim
        w = mg.ones(2, requires_grad=True)
        mg.explain((w * w).sum())
        print(*(m for m in sys.modules if m.startswith(("minigrad.nn.", "minigrad.optim."))))
    """
    loaded = fresh(program)[0].split()
    assert not {"minigrad.nn.rnn", "minigrad.nn.transformer", "minigrad.optim.adam"} & set(loaded)


FIRST = {
    "mg.ones(2).relu().tolist()": "[1.0, 1.0]",
    "mg.relu(mg.ones(2)).tolist()": "[1.0, 1.0]",
    "mg.ones(2).relu_().tolist()": "[1.0, 1.0]",
    "[t.tolist() for t in mg.ones(2).split(1)]": "[[1.0], [1.0]]",
    "[t.tolist() for t in mg.ones(2)]": "[1.0, 1.0]",
    "mg.cat([mg.ones(1), mg.zeros(1)]).tolist()": "[1.0, 0.0]",
    "mg.rand(2).shape": "minigrad.Size([2])",
    "mg.zeros(2).uniform_().shape": "minigrad.Size([2])",
    "mg.nn.Linear(2, 1).weight.shape": "minigrad.Size([1, 2])",
    "mg.nn.linear.Linear.__name__": "Linear",
    "mg.nn.functional.relu(mg.ones(1)).tolist()": "[1.0]",
    "mg.optim.sgd.SGD is mg.optim.SGD": "True",
    "mg.autograd.functional.jacobian(mg.exp, mg.zeros(1)).tolist()": "[[1.0]]",
    "mg.manual_seed(0) is mg.default_generator is mg.random.default_generator": "True",
    "mg.ones(1)": "tensor([1.])",
    "'mse_loss' in mg.tape.TABLE": "True",
    "__import__('copy').deepcopy(mg.ones(1)).tolist()": "[1.0]",
    "mg.Tensor.exp is mg.Tensor.exp is mg.exp": "True",
    "mg.mul is mg.multiply is mg.Tensor.mul is mg.Tensor.multiply": "True",
    "type('T', (mg.Tensor,), {'exp': lambda self: super(type(self), self).exp()})([0.0]).exp().tolist()": "[1.0]",
    "mg.load(mg.save)": "AttributeError",
    "mg.utils.data.DataLoader([1, 2], 2).__iter__().__next__()": "tensor([1, 2])",
    "mg.hasattr": "AttributeError",
    "[f(mg.ones(2)).tolist() for f in 3 * [mg.compile(lambda x: mg.fft.fft(x).real)]][2]": "[2.0, 0.0]",
}


def test_whatever_is_asked_for_first_is_there() -> None:
    programs = [f"try: print({code})\nexcept AttributeError: print('AttributeError')" for code in FIRST]
    assert dict(zip(FIRST, each(programs), strict=True)) == {code: [answer] for code, answer in FIRST.items()}


def test_a_method_takes_its_place_on_the_class() -> None:
    program = "vars(mg.Tensor)['exp'].name; mg.Tensor.exp; print(type(vars(mg.Tensor)['exp']).__name__)"
    assert fresh(program) == ["function"]


def test_what_was_put_in_the_place_of_a_method_stays() -> None:
    program = "later = vars(mg.Tensor)['exp']; mg.Tensor.exp = 1; later.__get__(None, mg.Tensor); print(mg.Tensor.exp)"
    assert fresh(program) == ["1"]


def test_every_name_is_the_function_it_was_made_for() -> None:
    for name in lookup.FUNCTIONS:
        assert getattr(mg, name) is getattr(mg, name) is lookup.function(name)
    for name in lookup.METHODS.keys() - {
        "add_",
        "sub_",
        "subtract_",
        "float_power_",
    }:  # those of `tensor/change.py`
        method = getattr(mg.Tensor, name)
        assert vars(mg.Tensor)[name] is method
        assert pickle.loads(pickle.dumps(method)) is method
        assert method.__doc__
        assert list(inspect.signature(method).parameters)


def test_help_knows_the_methods() -> None:
    program = "import pydoc; print(pydoc.plain(pydoc.render_doc(mg.Tensor)))"
    here = re.sub(
        r" \|  __slotnames__ = .*\n \| *\n", "", pydoc.plain(pydoc.render_doc(mg.Tensor))
    )  # a copy makes it
    assert "\n".join(fresh(program)).rstrip() == here.rstrip()


def test_a_star_import_has_every_public_name() -> None:
    program = "from minigrad import *\nnames = set(globals()); print(set(mg.__all__) - names, {'exp', 'nn'} <= names)"
    assert fresh(program) == ["set() True"]
    assert len(set(mg.__all__)) == len(mg.__all__)
    assert set(mg.__all__) <= set(dir(mg))


def test_two_threads_get_one_function() -> None:
    codes = ("mg.exp", "mg.Tensor.addcmul_", "mg.multiply", "mg.mul", "mg.nn.Linear")
    program = (
        "sys.setswitchinterval(1e-6); seen = []; wait = threading.Barrier(8)\n"
        "def ask(): wait.wait(); seen.append({})\n"
        "threads = [threading.Thread(target=ask) for _ in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]; print(len(set(map(id, seen))))"
    )
    assert each(program.format(code) for code in codes) == [["1"]] * len(codes)


# ---------------------------------------------------------------- families


def test_the_table_has_every_family() -> None:
    program = "from minigrad.core.op import TABLE; n = len(TABLE); from minigrad import {0}; print(n, len({0}.TABLE))"
    for door in ("tape", "ops"):
        some, every = map(int, fresh(program.format(door))[0].split())
        assert every == some + sum(len(names.split()) for names in later.OPS.values())


def test_names_and_signatures_of_all_records_are_right() -> None:
    names = table.check(op for op in TABLE.values() if op.home.startswith("minigrad."))
    assert names.keys() == {*table.__all__, *table.METHODS}


def test_the_name_of_an_operation_is_taken_before_its_family_is_loaded() -> None:
    program = "try: mg.tape.Op('mse_loss', abs, 'x')\nexcept TypeError as error: print(error)"
    assert fresh(program) == ["op mse_loss is declared twice"]


INTERRUPTED = """
import sys
from minigrad.core.op import TABLE
def stop(frame, event, arg):
    if "argsort" in TABLE and frame.f_code.co_name == "<module>":
        sys.settrace(None)
        raise KeyboardInterrupt
    return stop
sys.settrace(stop)
try:
    mg.tensor([2.0, 1.0]).argsort()
except KeyboardInterrupt:
    print("stopped")
print(mg.tensor([2.0, 1.0]).argsort().tolist())
"""


def test_a_family_whose_loading_was_interrupted_is_loaded_again() -> None:
    assert fresh(INTERRUPTED) == ["stopped", "[1, 0]"]


STOPPED = """
from minigrad.gate import overriding
def stop(door, func):
    overriding._arm = arm
    raise KeyboardInterrupt
arm, overriding._arm = overriding._arm, stop
try:
    mg.eye(2).to_sparse()
except KeyboardInterrupt:
    print("stopped")
print((mg.eye(2).to_sparse() @ mg.ones(2)).tolist())
"""


def test_doors_whose_arming_was_interrupted_are_armed_by_the_next_call() -> None:
    assert fresh(STOPPED) == ["stopped", "[1.0, 1.0]"]


def test_a_ufunc_is_found_in_a_family_that_is_not_loaded(grown: Path) -> None:
    assert fresh(
        "import numpy as np; print(np.float_power(mg.tensor([3.0]), mg.tensor([4.0])).tolist())", grown
    ) == ["[81.0]"]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with a family more: two files, and `.ci/stubs` has run."""
    root = tmp_path_factory.mktemp("grown")
    if not (ROOT / ".ci" / "stubs").exists():
        pytest.skip("the tests run beside an installed package, without .ci")
    for folder in ("minigrad", ".ci"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "minigrad" / "ops" / "planted.py").write_text(
        "import numpy as np\nfrom minigrad.core.op import Op\n"
        'raised = Op("raised", np.float_power, "a b", lambda g, a, b, y: g * (b * y / a), None,\n'
        '            cast="floats", public="raised raised_", doc="A power.")\n',
        encoding="utf-8",
    )
    (root / "minigrad" / "functions" / "planted.py").write_text(
        "from minigrad.core.apply import apply\nfrom minigrad.core.tensor import Tensor\n"
        "from minigrad.gate import public\nfrom minigrad.ops import planted\n"
        '__all__ = ["length"]\n'
        "def length(input: Tensor, other: Tensor) -> Tensor:\n"
        '    """As `raised`."""\n    return apply(planted.raised, (input, other))\n'
        'METHODS = "length length_"\npublic(globals(), __all__, home="minigrad")\n',
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, ".ci/stubs"], cwd=root, env=environment, check=True)
    return root


def test_a_family_is_two_files(grown: Path) -> None:
    codes = [
        "a.raised(b)",
        "a.raised_(b)",
        "mg.raised(a, b)",
        "a.length(b)",
        "a.length_(b)",
        "mg.length(a, b)",
    ]
    program = (
        "a, b = mg.tensor([3.0]), mg.tensor([4.0])\n"
        "print('minigrad.ops.planted' in sys.modules, 'length' in mg.__all__)\n"
        "print({}.tolist(), 'minigrad.ops.planted' in sys.modules)"
    )
    answers = each((program.format(code) for code in codes), grown)
    assert answers == [["False True", "[81.0] True"]] * len(codes)


def test_stubs_and_table_know_a_family(grown: Path) -> None:
    assert fresh("print('raised' in mg.tape.TABLE)", grown) == ["True"]
    for stub in ("functions/table.pyi", "core/tensor.pyi"):
        text = (grown / "minigrad" / stub).read_text(encoding="utf-8")
        assert "def raised(" in text, stub
        assert "length" in text, stub


# ---------------------------------------------------------------- modules


@pytest.mark.parametrize("package", [mg.nn, mg.optim, mg.autograd])
def test_what_a_package_loads_later_is_where_it_says(package: Any) -> None:
    """A type checker reads the import statements, Python a table of places: they agree."""
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    (block,) = [n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    said: dict[str, Any] = {}
    for statement in block.body:
        assert isinstance(statement, ast.ImportFrom)
        for name in [alias.name for alias in statement.names]:
            names = importlib.import_module(str(statement.module)).__all__ if name == "*" else [name]
            said.update(dict.fromkeys(names, statement.module))
    for name, place in said.items():
        assert getattr(package, name) is getattr(importlib.import_module(place), name)
    here = {alias.name for n in tree.body if isinstance(n, ast.ImportFrom) for alias in n.names}
    here |= {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    assert set(package.__all__) - here == said.keys() - here


def test_gradcheck_is_a_function_whatever_was_imported_before() -> None:
    program = "from minigrad.autograd.gradcheck import gradcheck as f; import minigrad.autograd.gradcheck\n"
    assert fresh(program + "print(mg.autograd.gradcheck is f, callable(f))") == ["True True"]

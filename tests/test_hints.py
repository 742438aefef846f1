"""Names that only PyTorch has say so; places in notebooks; threads."""

from __future__ import annotations

import importlib
import os
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import minigrad as mg
from minigrad import errors, func, nn
from minigrad.gradcheck.report import title
from minigrad.hints import lacking, nearest
from minigrad.hints.names import NAMES
from minigrad.hints.theirs import theirs as only_there
from minigrad.nn import functional as F

# ---------------------------------------------------------------- names

LACKING = "PyTorch has it, minigrad does not yet"
ASKED = {
    "nn.quantized": ["module 'minigrad.nn' has no attribute 'quantized'", LACKING],
    "nn.quantizad": ["Did you mean: 'quantized'", LACKING],
    "mg.quantization.quantize_dynamic": [LACKING, "model.half() and model.bfloat16()"],
    "mg.masked.masked_tensor": [LACKING, "the functions of minigrad.masked take a mask"],
    "mg.jit.script(nn.Linear(2, 3)).save": [
        "'Linear' object has no attribute 'save'",
        "is the module itself",
        "onnx",
    ],
    "mg.jit.trace(nn.ReLU(), mg.ones(1)).graph": [
        "minigrad.fx.symbolic_trace makes of it has code and graph"
    ],
    "nn.Lineer": ["Did you mean: 'Linear'"],
    "nn.Dense": ["Here a dense layer is nn.Linear(in_features, out_features)"],
    "nn.Relu": ["Did you mean: 'ReLU'"],
    "F.unflatten": ["There is minigrad.unflatten"],
    "mg.LSTM": ["There is minigrad.nn.LSTM"],
    "F.sigmod": ["Did you mean: 'sigmoid'"],
    "F.flatten": ["There is minigrad.flatten"],
    "mg.optim.SparseAdamm": ["Did you mean: 'SparseAdam'"],
    "mg.optim.lr_scheduler.SteplR": ["Did you mean: 'StepLR'"],
    "mg.optim.StepLR": ["There is minigrad.optim.lr_scheduler.StepLR"],
    "mg.optim.sgd_": ["Did you mean: 'sgd'"],
    "mg.autograd.kineto_available": ["'kineto_available'", LACKING],
    "mg.autograd.functional.jacobain": ["Did you mean: 'jacobian'"],
    "mg.func.functionalize": [LACKING],
    "mg.linalg.ldl_factor": ["'minigrad.linalg' has no attribute 'ldl_factor'", LACKING],
    "mg.fft.rffft": ["Did you mean: 'rfft'"],
    "mg.nested.nested_tensor": ["'minigrad' has no attribute 'nested'", LACKING],
    "mg.cuda.is_avilable()": ["Did you mean: 'is_available'"],
    "mg.utils.weak": ["'minigrad.utils' has no attribute 'weak'", LACKING],
    "mg.utils.data.DataLoder": ["Did you mean: 'DataLoader'"],
    "mg.nn.utils.clip_gard_norm_": ["Did you mean: 'clip_grad_norm_'"],
    "mg.zeroes": ["Did you mean: 'zeros'"],
    "mg.mse_loss": ["There is minigrad.nn.functional.mse_loss"],
    "mg.check_vjp": ["There is minigrad.testing.check_vjp"],
    "mg.Op": ["There is minigrad.tape.Op"],
    "mg.fx.replace_pattern": ["'minigrad.fx' has no attribute 'replace_pattern'", LACKING],
    "mg.accelerator.get_memory_info()": [LACKING, "minigrad computes on the CPU"],
    "mg.nn.parallel.gather": [LACKING, "nn.parallel.DistributedDataParallel"],
    "mg.serialization.safe_global": ["Did you mean: 'safe_globals'"],
    "mg.gradgradcheck": ["There is minigrad.autograd.gradgradcheck"],
    "mg.Value": [
        "'minigrad' has no attribute 'Value'. Here a Tensor",
        "minigrad.tensor(2.0, requires_grad=True)",
    ],
    "mg.draw_dot": ["Here minigrad.draw draws the graph"],
    "nn.MLP": ["Here minigrad.nn.Sequential puts layers in a row"],
    "mg.ones(2).to_sparse_bsr(2)": [
        "'Tensor' object has no attribute 'to_sparse_bsr'",
        LACKING,
        "sparse_csr",
    ],
    "mg.ones(2).astype(float)": ["no attribute 'astype'. Here x.to(dtype) converts"],
    "mg.ones(2).copy()": ["no attribute 'copy'. Here x.clone() copies"],
    "mg.ones(2).ptp()": ["no attribute 'ptp'. Here NumPy's functions take Tensors"],
    "mg.ones(2).polygamma_(0)": [LACKING, "x = x.polygamma(...)"],
    "mg.ones(2).ipu()": [LACKING, "CPU"],
    "nn.Parameter(mg.ones(2)).to_mkldnn()": ["'Parameter' object", LACKING],
    "mg.Tensor.to_mkldnn": ["type object 'Tensor' has no attribute 'to_mkldnn'", LACKING],
    "nn.Sequential().xpu()": ["'Sequential' object", LACKING, "CPU"],
}


def shown(error: BaseException) -> str:
    """What the interpreter prints of an error, its own suggestions included."""
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("code", ASKED)
def test_a_name_that_is_missing(code: str) -> None:
    with pytest.raises(AttributeError) as caught:
        eval(code, {"mg": mg, "nn": nn, "F": F})
    text = shown(caught.value)
    for part in ASKED[code]:
        assert part in text
    assert text.count("Did you mean") == ("Did you mean" in ASKED[code][0])
    assert caught.value.obj is None  # of which the interpreter makes a suggestion of its own


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("from minigrad.nn import quantized", ["cannot import name 'quantized' from 'minigrad.nn'", LACKING]),
        ("from minigrad.nn import Linear, quantized as Norm", ["'quantized'", LACKING]),
        ("from minigrad.nn import Lineer", ["'Lineer'", "Did you mean: 'Linear'"]),
        ("from minigrad import nested", ["'nested'", LACKING]),
        ("from minigrad.library import triton_op", ["'triton_op'", LACKING]),
        ("from minigrad import nothing_like_it", ["cannot import name 'nothing_like_it'"]),
    ],
)  # fmt: skip
def test_an_import_of_a_name_that_is_missing(code: str, says: list[str]) -> None:
    with pytest.raises(ImportError) as caught:
        exec(code, {})
    text = shown(caught.value)
    for part in says:
        assert part in text
    assert text.count("Did you mean") == ("Did you mean" in "".join(says))
    assert caught.value.name == code.split()[1]


def test_asking_whether_a_name_is_there() -> None:
    """Libraries ask so: what is missing stays an AttributeError."""
    for owner in (
        mg,
        nn,
        F,
        nn.init,
        mg.optim,
        mg.autograd,
        mg.autograd.functional,
        func,
        mg.Tensor,
        mg.ones(2),
    ):
        for name in ("rfft", "to_mkldnn", "zzz", "__array_interface__", "_private"):
            assert not hasattr(owner, name)
            assert getattr(owner, name, 7) == 7
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("minigrad.nested")


def test_a_probe_costs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "hint", lambda place, name: pytest.fail(f"searched for {name}"))
    for owner in (mg, nn, mg.ones(2), mg.Tensor):
        for name in ("__array_interface__", "__wrapped__", "_repr_html_", "_ipython_display_"):
            assert not hasattr(owner, name)


def test_a_tensor_s_own_names_are_its_own() -> None:
    """What PyTorch's Tensor has more is in nobody's way: attributes, methods of subclasses, `dir`."""

    class Mine(mg.Tensor):
        def to_mkldnn(self, dim: int) -> str:
            return f"mine {dim}"

        def __getattr__(self, name: str) -> str:
            return f"asked for {name}"

    t = Mine([1.0])
    assert t.to_mkldnn(1) == "mine 1"
    assert t.to_sparse_bsr == "asked for to_sparse_bsr"
    u: Any = mg.ones(2)
    u.volatile = 3
    assert u.volatile == 3
    assert {"to_mkldnn", "volatile"} & {*dir(t), *dir(u)} == {"to_mkldnn", "volatile"}
    assert {"sum", "grad", "T"} <= {*dir(mg.ones(2))}
    assert not {"to_mkldnn", "xpu", "volatile"} & {*dir(mg.ones(2))}


def test_every_name_of_pytorch_that_is_missing_says_so() -> None:
    said = [
        (place, name)
        for place, names in NAMES.items()
        for name in names.split()
        if not lacking(place.replace("torch", "minigrad"), name).startswith(". PyTorch has it, minigrad ")
    ]
    assert said == []
    assert lacking("minigrad.nn", "no_such_thing") == ""
    for place, names in NAMES.items():  # each module asks for what it says
        module: Any = importlib.import_module("minigrad")
        if place.rpartition(".")[2].islower():
            module = importlib.import_module(place.replace("torch", "minigrad", 1))
        for name in [n for n in names.split() if n not in dir(module) and module is not mg][:1]:
            with pytest.raises(AttributeError, match="PyTorch has it, minigrad "):
                getattr(module, name)


def test_what_is_suggested_exists_and_what_is_said_to_be_missing_is() -> None:
    theirs = {n for names in NAMES.values() for n in names.split()} | {*only_there("minigrad.nn.Module")}
    theirs |= {place.rpartition(".")[2] for place in NAMES}
    for names, said in nearest._SENTENCES.items():
        for path in re.findall(r"minigrad((?:\.\w+)+)", said):
            home: Any = mg
            for part in path[1:].split("."):
                home = getattr(home, part)
        for method in re.findall(r"[\w)]\.(\w+)\(", said):
            assert any(hasattr(o, method) for o in (mg, mg.Tensor, nn.Module)) or method in (
                "argsort",
                "from_numpy",
            )
        for name in names.split():
            assert name.rpartition(".")[2] in theirs


# ---------------------------------------------------------------- places


def where_in(file: str) -> str:
    space: dict[str, Any] = {"x": mg.ones(2, requires_grad=True)}
    exec(compile("\ny = x * 2", file, "exec"), space)
    return str(space["y"].grad_fn.where)


class Shell:
    """IPython, as far as it is asked for the numbers of cells."""

    def __init__(self, cells: dict[str, int]) -> None:
        self.cells, self.compile = cells, self

    def get_ipython(self) -> Shell | None:
        return self if self.cells else None

    def format_code_name(self, file: str) -> tuple[str, str] | None:
        return ("Cell", f"In[{self.cells[file]}]") if file in self.cells else None


def test_a_place_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = "/tmp/ipykernel_123/456.py"
    assert where_in("<ipython-input-10-ab12cd>") == "cell 10, line 2"
    assert where_in(kernel).endswith("456.py:2")
    monkeypatch.setitem(sys.modules, "IPython", Shell({kernel: 7}))
    assert where_in(kernel) == "cell 7, line 2"
    assert where_in("/tmp/ipykernel_123/other.py").endswith("other.py:2")
    assert where_in(__file__).endswith("test_hints.py:2")
    space = {"x": mg.ones(2, 3), "y": mg.ones(2, 4)}
    with pytest.raises(RuntimeError, match=r"at cell 7, line 1\)$"):
        exec(compile("x * y", kernel, "exec"), space)
    exec(compile("def wrong(x):\n    return x * x", kernel, "exec"), space)
    assert title(space["wrong"]) == "wrong (cell 7, line 1)"
    space["x"] = mg.ones(2, requires_grad=True)
    exec(compile("\n\nz = (x * x).sum()", kernel, "exec"), space)
    assert "  # cell 7, line 3" in mg.source(space["z"])


@pytest.mark.parametrize("shell", [None, Shell({}), object()])
def test_a_place_where_ipython_says_nothing(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", shell)
    assert where_in("/tmp/ipykernel_123/456.py").endswith("456.py:2")


@pytest.mark.parametrize(
    "file", ["<stdin>", "<string>", "<doctest tour[3]>", "<python-input-4>", "<console>"]
)
def test_a_place_that_is_no_file(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the user's also where the working directory is the package's."""
    monkeypatch.chdir(Path(mg.__file__).parent)
    errors.INSIDE.pop(file, None)
    assert where_in(file) == f"{file}:2"


def test_a_place_without_a_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError("the working directory was removed")

    monkeypatch.setattr(os, "getcwd", gone)
    assert where_in("relative_and_new.py") == "relative_and_new.py:2"
    assert where_in(os.path.join(os.sep, "absolute_and_new.py")).endswith("absolute_and_new.py:2")


# ---------------------------------------------------------------- threads


class Library:
    def __init__(self, threads: int) -> None:
        self.threads = threads

    def get_num_threads(self) -> int:
        return self.threads

    def set_num_threads(self, threads: int) -> None:
        self.threads = threads


def with_libraries(monkeypatch: pytest.MonkeyPatch, *libraries: Library) -> list[Library]:
    loaded = list(libraries)
    found = SimpleNamespace(lib_controllers=loaded)
    controller = SimpleNamespace(select=lambda user_api: found if user_api == "blas" else None)
    fake: Any = ModuleType("threadpoolctl")
    fake.ThreadpoolController = lambda: controller
    monkeypatch.setitem(sys.modules, "threadpoolctl", fake)
    return loaded


def test_threads_are_set_in_every_library(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = Library(2), Library(8)
    loaded = with_libraries(monkeypatch, one, two)
    assert mg.get_num_threads() == 8
    mg.set_num_threads(3)
    assert (one.threads, two.threads, mg.get_num_threads()) == (3, 3, 3)
    loaded.append(Library(8))  # such as SciPy's, with which Numba came
    mg.set_num_threads(2)
    assert [library.threads for library in loaded] == [2, 2, 2]


def test_threads_of_numpy() -> None:
    before = mg.get_num_threads()
    assert before >= 1
    try:
        mg.set_num_threads(1)
        assert mg.get_num_threads() == 1
    finally:
        mg.set_num_threads(before)
    assert mg.get_num_threads() == before


def test_a_library_whose_threads_cannot_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    with_libraries(monkeypatch)
    with pytest.warns(UserWarning, match="no threads that can be set"):
        mg.set_num_threads(1)
    assert mg.get_num_threads() == 1


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        (0, RuntimeError, "positive integer"),
        (-1, RuntimeError, "positive integer"),
        (1.0, RuntimeError, "expects an int, but got float"),
        (True, RuntimeError, "expects an int, but got bool"),
        ("2", RuntimeError, "expects an int, but got str"),
        (None, RuntimeError, "expects an int, but got NoneType"),
        (2**40, ValueError, "32 bits"),
    ],
)
def test_what_is_no_number_of_threads(given: Any, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        mg.set_num_threads(given)


@pytest.mark.parametrize("call", [mg.get_num_threads, lambda: mg.set_num_threads(1)])
def test_threads_without_threadpoolctl(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.raises(
        ImportError, match=r"the extra `threads`\): pip install threadpoolctl; .*OPENBLAS_NUM_THREADS"
    ):
        call()

"""minigrad in the place of ``torch``: the modules, scripts run from the command line, and what a script uses."""

from __future__ import annotations

import copy
import importlib
import io
import os
import pickle
import subprocess
import sys
import textwrap
import traceback
from collections import namedtuple
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import standin
from minigrad.standin import command, coverage, finder, run

Run = Callable[..., subprocess.CompletedProcess[str]]

# ---------------------------------------------------------------- modules


# By module of PyTorch, a name that is in it, and where that is here.
PLACES = {
    "torch.nn.functional relu": "nn.functional.relu", "torch.nn.parameter Parameter": "nn.Parameter",
    "torch.nn.modules Linear": "nn.Linear", "torch.nn.modules.linear Identity": "nn.Identity",
    "torch.nn.modules.activation MultiheadAttention": "nn.MultiheadAttention",
    "torch.nn.modules.container Sequential": "nn.Sequential", "torch.nn.modules.conv Conv2d": "nn.Conv2d",
    "torch.nn.modules.pooling MaxPool2d": "nn.MaxPool2d", "torch.nn.modules.flatten Flatten": "nn.Flatten",
    "torch.nn.modules.normalization LayerNorm": "nn.LayerNorm", "torch.nn.modules.rnn LSTM": "nn.LSTM",
    "torch.nn.modules.batchnorm BatchNorm1d": "nn.BatchNorm1d", "torch.nn.modules.dropout Dropout": "nn.Dropout",
    "torch.nn.modules.batchnorm _BatchNorm": "nn.normalization._BatchNorm",
    "torch.nn.modules.instancenorm InstanceNorm2d": "nn.InstanceNorm2d", "torch.nn.modules.loss _Loss": "nn.loss._Loss",
    "torch.nn.modules.conv _ConvNd": "nn.conv._Conv", "torch.nn.modules.conv _ConvTransposeMixin":
    "nn.conv._Transposed", "torch.nn.modules.conv _size_2_t": "nn.common_types._size_2_t",
    "torch.nn.modules.pooling _size_any_t": "nn.common_types._size_any_t", "torch.nn.functional grad": "nn.grad",
    "torch.utils.data.dataloader _utils": "utils.data._utils",
    "torch.distributions.multivariate_normal _batch_mahalanobis":
    "distributions.multivariate_normal._batch_mahalanobis",
    "torch.nn.modules.sparse Embedding": "nn.Embedding",
    "torch.nn.modules.transformer Transformer": "nn.Transformer", "torch.nn.modules.module Module": "nn.Module",
    "torch.nn.modules.upsampling Upsample": "nn.Upsample", "torch.nn.modules.padding ZeroPad2d": "nn.ZeroPad2d",
    "torch.nn.modules.distance PairwiseDistance": "nn.PairwiseDistance", "torch.nn.modules.fold Fold": "nn.Fold",
    "torch.nn.modules.pixelshuffle PixelShuffle": "nn.PixelShuffle", "torch.optim.adam Adam": "optim.Adam",
    "torch.optim.adamw AdamW": "optim.AdamW", "torch.optim.lr_scheduler StepLR": "optim.lr_scheduler.StepLR",
    "torch.utils.data.dataloader DataLoader": "utils.data.DataLoader", "torch.autograd.function Function":
    "autograd.Function", "torch.utils.data.dataset Dataset": "utils.data.Dataset", "torch.autograd.gradcheck gradcheck":
    "autograd.gradcheck", "torch.nn.utils.rnn pad_sequence": "nn.utils.rnn.pad_sequence", "torch.autograd gradcheck":
    "autograd.gradcheck", "torch.nn.utils.clip_grad clip_grad_norm_": "nn.utils.clip_grad_norm_",
    "torch.utils.data.sampler Sampler": "utils.data.Sampler", "torch.cuda.amp.autocast_mode autocast":
    "amp.autocast_mode.autocast", "torch.backends.cudnn is_available": "backends.cudnn.is_available",
}  # fmt: skip


def test_every_module_of_pytorch_is_where_its_names_are(torch: ModuleType) -> None:
    assert torch is mg
    assert finder.ours("functional") == "minigrad"
    for place, name in (where.split() for where in PLACES):
        value = getattr(importlib.import_module(place), name)
        ours: object = mg
        for part in PLACES[f"{place} {name}"].split("."):
            ours = getattr(ours, part)
        assert value is ours, place
    assert importlib.import_module("torch.optim.adam") is importlib.import_module("minigrad.optim.adam")
    for name in ("torch.optim.adam", "torch.nn", "torch"):  # the specs of our modules are as before
        module = sys.modules[name]
        assert module.__spec__ is not None
        assert module.__spec__.name == name.replace("torch", "minigrad")
        assert module.__name__ in (module.__spec__.name, "torch")
    assert "Linear" in dir(importlib.import_module("torch.nn.modules.linear"))
    for place, name in {"activation": "ReLU", "normalization": "LayerNorm", "pooling": "MaxPool2d"}.items():
        file = importlib.import_module(f"torch.nn.modules.{place}")
        assert vars(file)[name] is getattr(torch.nn, name)
        vars(file)["noted"] = file
        assert vars(file).pop("noted") is file


def test_what_is_compiled_may_reach_torch(torch: ModuleType) -> None:
    space: dict[str, Any] = {"torch": torch}
    exec("def f(x): return torch.exp(x) + torch.linalg.norm(x) + torch.pi", space)
    f = torch.compile(space["f"])
    for x in (torch.ones(2), torch.zeros(2)):
        assert torch.equal(f(x), space["f"](x))


REFUSED = """
seen, ran = [], 0
def branches(x): return x * 2 if x.sum() > 0 else x - 1
def draws(x): x.add_(1); seen.append(1); return x * x.max().item() + torch.randn(2)
def counts(x):
    global ran
    ran += 1
    return x + ran
def masks(x): return x[x > 0]
"""


def test_what_cannot_be_compiled_runs_uncompiled(torch: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minigrad.standin.compiled.CALLS", 0)
    space: dict[str, Any] = {"torch": torch}
    exec(REFUSED, space)
    for name, answers in {
        "branches": [[2, 2], [-2, -2]], "counts": [[2, 2], [1, 1]], "masks": [[1, 1], []], "draws": None,
    }.items():  # fmt: skip
        f = torch.compile(mode="reduce-overhead")(space[name])
        torch.manual_seed(0)
        with pytest.warns(UserWarning, match=rf"{name} runs uncompiled\. compile\(\)"):
            results = [f(torch.ones(2)), f(-torch.ones(2))]
        if answers is not None:
            assert [r.tolist() for r in results] == answers
        else:
            torch.manual_seed(0)
            expected = torch.full((2,), 4.0) + torch.randn(2), torch.randn(2)
            assert (len(space["seen"]), torch.equal(results[0], expected[0]), torch.equal(results[1], expected[1])) == (
                2, True, True,
            )  # fmt: skip
        with pytest.raises(RuntimeError, match=r"^compile\(\)"):
            torch.compile(space[name], fullgraph=True)(torch.ones(2))


def test_a_function_is_compiled_once_that_pays(torch: ModuleType) -> None:
    f = torch.compile(lambda x: x * 2)
    for n in range(1, 60):
        assert f(torch.ones(n)).tolist() == [2] * n
    assert f._recorded == 1
    g = torch.compile(lambda x: x * 2)
    for _ in range(60):
        assert g(torch.ones(2)).tolist() == [2, 2]
    assert (g._recorded, g.missed) == (1, 51)


def test_a_compiled_module_holds_the_module(torch: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minigrad.standin.compiled.CALLS", 0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
    c = torch.compile(net, backend=lambda graph, inputs: graph)
    assert (isinstance(c, torch.nn.Module), c._orig_mod is net, type(c).__name__) == (
        True,
        True,
        "OptimizedModule",
    )
    assert list(c.state_dict()) == ["_orig_mod.0.weight", "_orig_mod.0.bias"]
    c.eval()
    c.note = 3
    assert (net.training, net[1].training, c.training, net.note, c.note) == (False, False, False, 3, 3)
    with pytest.raises(AttributeError, match="absent"):
        _ = c.absent
    x = torch.ones(1, 2)
    assert torch.equal(c(x), net(x))
    assert torch.equal(copy.deepcopy(c)(x), net(x))
    outside = torch.nn.Sequential(c)

    def step() -> Any:
        return outside(x).sum()

    assert torch.equal(torch.compile(step, fullgraph=True)(), step())
    net.compile()
    assert torch.equal(net(x), c(x))


def test_sizes_for_modules_of_scripts(torch: ModuleType) -> None:
    utils = importlib.import_module("torch.nn.modules.utils")
    assert importlib.import_module("torch.nn").modules.utils is utils
    assert (utils._pair(3), utils._single(3), utils._triple([1, 2, 3])) == ((3, 3), (3,), (1, 2, 3))
    assert utils._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)
    assert utils._list_with_default([None, 2], [5, 6, 7]) == [6, 2]
    with pytest.raises(ValueError, match="at least 3"):
        utils._list_with_default([None, 2], [5, 6])
    state = {"module.a": 1, "b": 2}
    utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert state == {"a": 1, "b": 2}
    inner = torch.nn.Sequential(torch.nn.BatchNorm1d(1))
    state = torch.nn.ModuleDict({"module": inner}).state_dict()
    utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert state._metadata == inner.state_dict()._metadata


def test_private_files_that_scripts_import(torch: ModuleType) -> None:
    collate = importlib.import_module("torch.utils.data._utils.collate")
    assert collate.default_collate is torch.utils.data.default_collate
    assert torch.utils.data._utils.collate is collate
    worker = importlib.import_module("torch.utils.data._utils.worker")
    assert worker.get_worker_info() is None
    assert worker._generate_state((1 << 33) + 5, 3) == [1019788328, 1949907689, 3668932371, 3794128045]
    assert torch._disable_dynamo(recursive=False)(abs)(-1) == 1
    foreach = importlib.import_module("torch.utils._foreach_utils")
    assert foreach._foreach_supported_types == [torch.Tensor]
    stateless = importlib.import_module("torch.nn.utils.stateless")
    assert stateless is torch.nn.utils.stateless


MISSING = {
    "torch.export": "PyTorch has it, minigrad does not yet: minigrad.compile",
    "torch.no_such": "minigrad, which stands in for torch here, has no such module",
    "torch.tensor": "",  # a function
    "torch.device": "",  # a class, in a file of this name
    "torch.nn.functinal": "Did you mean: 'functional'?",
}


def test_a_module_that_is_missing_is_named_with_the_line(torch: ModuleType) -> None:
    for name, says in MISSING.items():
        code = compile(f"\nimport {name}", "train.py", "exec")
        with pytest.raises(ModuleNotFoundError) as caught:
            exec(code, {})
        assert str(caught.value).startswith(f"No module named {name!r} (at train.py:2)")
        assert says in str(caught.value)
        assert caught.value.name == name
    with pytest.raises(ImportError, match="cannot import name 'SyncBatchNor'"):
        exec("from torch.nn import SyncBatchNor", {})
    for place in ("torch.nn.modules", "torch.nn.modules.batchnorm"):
        with pytest.raises(
            ImportError, match=r"^cannot import name 'BatchNrm2d'.*Did you mean: 'BatchNorm2d'"
        ):
            exec(f"from {place} import BatchNrm2d", {})
        with pytest.raises(AttributeError, match="Did you mean: 'BatchNorm2d'"):
            exec(f"import {place}\n{place}.BatchNrm2d", {})
        assert not hasattr(importlib.import_module(place), "__wrapped__")


def test_what_is_built_on_pytorch_says_so(torch: ModuleType) -> None:
    for name, says in {
        "torchvision": "pip install --no-deps torchvision", "torchvision.transforms": "without PyTorch",
        "torchaudio": "needs PyTorch itself",
    }.items():  # fmt: skip
        with pytest.raises(ModuleNotFoundError, match=f"^No module named '{name.split('.')[0]}'") as caught:
            importlib.import_module(name)
        assert says in caught.value.__notes__[0]
    # Packages ask in this way whether another one is there.
    assert find_spec("torchvision") is None


def test_a_package_may_name_what_is_not_here(
    torch: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code beside the script gets an error at once, code of packages where it uses what it has imported."""
    script = tmp_path / "script"
    script.mkdir()
    monkeypatch.setattr(sys, "path", [str(script), str(tmp_path / "installed"), *sys.path[1:]])
    text = """
        import torch.nested, torch.distributed.rpc as rpc
        from torch.nested import nested_tensor as mm
        from torch.distributed import nn as distributed_nn
        from torch.distributed.tensor import Replicate
        from torch.distributed._composable.fsdp import FSDPModule
        from torch._C import DispatchKeySet, Value
        from torch._C._functorch import is_batchedtensor
        TABLE = {"replicate": Replicate(), "scalar": "Scalar" in torch.ops.aten.maximum.overloads()}
        @rpc.api.require
        def remote(): ...
        def use(x: torch.ScriptModule | None) -> torch.PyTorchFileReader: return mm(x)
        def call(): return remote()
        def place(): return Replicate()
        def load(): torch.ops.load_library("_C.so")
    """
    for home, name in (("installed", "built_on_torch"), ("script", "beside_the_script")):
        (tmp_path / home).mkdir(exist_ok=True)
        (tmp_path / home / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    importlib.invalidate_caches()
    with pytest.raises(
        ModuleNotFoundError, match=r"No module named 'torch\.nested' \(at .*beside_the_script.py:2\)"
    ):
        importlib.import_module("beside_the_script")
    package = importlib.import_module("built_on_torch")
    assert not package.rpc.is_available()
    assert not isinstance(
        mg.ones(2), torch.distributed.fsdp.FSDPModule
    )  # the private package loads the public one
    assert not isinstance(mg.ones(2), package.Replicate)
    assert package.TABLE["scalar"] is False
    assert isinstance(package.Value, type)
    assert repr(package.distributed_nn).startswith("<module 'torch.distributed.nn'")
    for call, says in {
        lambda: package.use(mg.ones(2)): r"torch\.nested\.nested_tensor is a name alone",
        package.call: r"rpc\.api\.require is a name alone", package.place: r"tensor\.Replicate is a name alone",
    }.items():  # fmt: skip
        with pytest.raises(NotImplementedError, match=says):
            call()
    with pytest.raises(OSError, match="compiled for PyTorch itself"):
        package.load()
    with pytest.raises(ModuleNotFoundError, match=r"torch\.nonsense"):
        exec(compile("import torch.nonsense", str(tmp_path / "installed" / "built_on_torch.py"), "exec"), {})
    for name in [name for name in sys.modules if name in ("built_on_torch", "beside_the_script")]:
        monkeypatch.delitem(sys.modules, name)


def test_a_package_in_plain_python_may_stand_for_one_of_them(
    torch: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torchaudio").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError):  # a folder of data has this name too
        importlib.import_module("torchaudio")
    (tmp_path / "torchaudio" / "__init__.py").write_text("import torch\nx = torch.ones(2)\n")
    (tmp_path / "other").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "other"))
    importlib.invalidate_caches()
    assert importlib.import_module("torchaudio").x.tolist() == [1, 1]
    monkeypatch.delitem(sys.modules, "torchaudio")
    (tmp_path / "torchaudio" / "lib").mkdir()
    for compiled in ("_C.so", "lib/_C.so"):
        (tmp_path / "torchaudio" / compiled).touch()
        with pytest.raises(ModuleNotFoundError, match="No module named 'torchaudio'"):
            importlib.import_module("torchaudio")
        (tmp_path / "torchaudio" / compiled).unlink()


Slip = namedtuple("Slip", "x y")


def test_trees_under_their_private_name(torch: ModuleType) -> None:
    trees = importlib.import_module("torch.utils._pytree")
    exec("from torch.utils._pytree import tree_map\nfrom torch.utils import _pytree", {})
    tree = {"a": [1, (2, 3)], "b": None}
    leaves, spec = trees.tree_flatten(tree)
    assert leaves == trees.tree_leaves(tree) == [1, 2, 3, None]
    assert (spec.num_leaves, spec == trees.tree_structure(tree)) == (4, True)
    assert trees.tree_unflatten(leaves, spec) == tree
    assert trees.tree_map_only(int, lambda x: -x, tree) == {"a": [-1, (-2, -3)], "b": None}
    assert trees.tree_map(lambda x, y: x + y, [1, (2,)], [3, (4,)]) == [4, (6,)]
    assert trees.tree_map(type, tree, is_leaf=lambda x: isinstance(x, list)) == {"a": list, "b": type(None)}
    assert (trees.tree_any(bool, tree), trees.tree_all(bool, tree)) == (True, False)
    for whole, kind in (
        (Slip(1, 2), "namedtuple"),
        ([1, 2], "list"),
        ((1, 2), "tuple"),
        ({"a": 1, "b": 2}, "dict"),
    ):
        parts, rest = getattr(trees, f"_{kind}_flatten")(whole)
        assert parts == [1, 2]
        assert getattr(trees, f"_{kind}_unflatten")(parts, rest) == whole
    assert trees._list_flatten_with_keys("ab")[0] == [
        (trees.SequenceKey(0), "a"),
        (trees.SequenceKey(1), "b"),
    ]
    with pytest.raises(ValueError, match="expects trees of one structure"):
        trees.tree_map(max, [1], (1,))
    with pytest.raises(ValueError, match="has length 3 but the spec refers to a pytree that holds 4"):
        trees.tree_unflatten(leaves[1:], spec)


def test_functions_of_numpy_give_what_they_give_with_pytorch(torch: ModuleType) -> None:
    x = mg.tensor([[3.0, 1.0], [2.0, 4.0]])
    stacked, tiled, unique = np.stack([x[0], x[1]]), np.tile(x, 2), np.unique(x)
    assert all(
        type(a) is np.ndarray for a in (stacked, tiled, unique, np.where(x > 2, x, 0), np.vstack([x, x]))
    )
    assert torch.from_numpy(np.concatenate([x, x])).shape == (4, 2)
    assert stacked.astype(int).tolist() == x.tolist()
    for wrapped in (np.cumsum(x), np.argsort(x), np.transpose(x), np.exp(x)):
        assert isinstance(wrapped, mg.Tensor), wrapped
    with pytest.raises(RuntimeError, match="grad"):
        np.stack([x.requires_grad_(), x])
    standin.uninstall()
    assert isinstance(np.stack([x, x]), mg.Tensor)
    standin.install()


def test_parts_of_the_standard_library_are_there_as_after_import_torch() -> None:
    script = """
        import sys, urllib, importlib, concurrent, multiprocessing
        print(sorted({"urllib.request", "importlib.metadata"} & set(sys.modules)))
        print(urllib.request.urlopen.__name__, multiprocessing.connection.Connection.__name__)
        print(importlib.util.find_spec("json").name, concurrent.futures.Future.__name__)
        print(hasattr(urllib, "requests"))
    """
    given = "from minigrad import standin; standin.install()\n" + textwrap.dedent(script)
    run = subprocess.run([sys.executable, "-c", given], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["[]", "urlopen", "Connection", "json", "Future", "False"]


def test_devices_are_pickled_and_malformed_ones_refused(torch: ModuleType) -> None:
    cpu, card = torch.zeros(1).device, torch.device("cuda:1")
    assert type(cpu) is type(card) is type(torch.eye(2).to_sparse().device) is torch.device
    assert pickle.loads(pickle.dumps((cpu, card))) == (cpu, card)
    kept = io.BytesIO()
    torch.save({"named": card}, kept)
    kept.seek(0)
    assert torch.load(kept) == {"named": cpu}
    assert {card: 2, torch.device("cpu", 0): 3}[cpu] == 3
    assert {card: 2}["cuda:1"] == 2
    for args in (
        ("cuda:x",),
        ("cuda:",),
        ("cuda:01",),
        ("cuda:1", 0),
        ("cuda", -1),
        (-1,),
        ("cuda:-1",),
        ("",),
    ):
        with pytest.raises(RuntimeError):
            torch.device(*args)
    for args in ((None,), (1.5,), (True,), ("cuda", 1.5)):
        with pytest.raises(TypeError, match="a name and an index"):
            torch.device(*args)
    assert importlib.import_module("torch.__config__") is torch.__config__
    standin.uninstall()
    assert pickle.loads(pickle.dumps(cpu)) == cpu
    standin.install()


def test_an_element_type_may_be_named(torch: ModuleType) -> None:
    kinds = {"float32": torch.float32, "float8_e5m2": torch.float8_e5m2}
    assert repr(kinds["float8_e5m2"]) == "torch.float8_e5m2"
    for use in (
        lambda d: torch.ones(2, dtype=d),
        lambda d: torch.ones(2).to(d),
        lambda d: mg.nn.Linear(1, 1).to(d),
    ):
        with pytest.raises(TypeError, match="minigrad computes in float16, bfloat16, float32, float64"):
            use(torch.float8_e5m2)


def test_types_print_as_pytorch_s_while_it_stands_in(torch: ModuleType) -> None:
    x = mg.ones(2, dtype=mg.float64)
    assert (repr(x), repr(x.dtype), repr(x.shape)) == (
        "tensor([1., 1.], dtype=torch.float64)", "torch.float64", "torch.Size([2])",
    )  # fmt: skip
    assert x.type() == "torch.DoubleTensor"
    assert "torch.return_types.max(" in repr(mg.max(x, 0))
    assert torch.__version__.startswith("2.")
    assert "2.2" < torch.__version__ > (1, 13)  # as versions, not as text
    standin.install()  # again is no other
    standin.uninstall()
    assert repr(x.dtype) == "minigrad.float64"
    assert mg.__version__ == "0.1.0"
    assert "torch" not in sys.modules
    standin.uninstall()


def test_versions_compare_as_pytorchs_do(torch: ModuleType) -> None:
    TorchVersion = importlib.import_module("torch.torch_version").TorchVersion

    rising = [
        "1.9",
        "1.10.dev1",
        "1.10a0",
        "1.10rc1",
        "1.10",
        "1.10+cpu",
        "1.10.post1",
        "1.10.1",
        "2.0",
        "2.13",
    ]
    for i, first in enumerate(rising):
        for k, second in enumerate(rising):
            a, b = TorchVersion(first), second
            assert (a < b, a <= b, a == b, a != b, a > b, a >= b) == (
                i < k,
                i <= k,
                i == k,
                i != k,
                i > k,
                i >= k,
            )
    assert TorchVersion("1.10") == "1.10.0"
    assert TorchVersion("2.1") >= [2]  # type: ignore[operator]
    assert TorchVersion("parrot") > "cat"
    file = io.BytesIO()
    torch.save(torch.__version__, file)
    file.seek(0)
    assert torch.load(file) == torch.__version__


def test_pytorch_that_is_imported_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = ModuleType("torch")
    monkeypatch.setitem(sys.modules, "torch", theirs)
    with pytest.raises(RuntimeError, match="torch, which is imported already"):
        standin.install()
    assert sys.modules["torch"] is theirs
    assert not any(isinstance(f, finder.Finder) for f in sys.meta_path)


# ---------------------------------------------------------------- scripts


@pytest.fixture
def launch(tmp_path: Path) -> Run:
    """Runs ``python -m minigrad`` with the script, beside which another ``torch`` stands."""
    (tmp_path / "torch.py").write_text("raise SystemExit('PyTorch itself')", encoding="utf-8")

    def launch(
        script: str, *arguments: str, options: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "train.py").write_text(script, encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "minigrad", *options, "train.py", *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "PYTHONPATH": str(Path(mg.__file__).parent.parent)},
        )  # fmt: skip

    return launch


def test_a_script_runs_as_python_runs_it(
    launch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what was told by PyTorch's own name stands, what mpiexec tells is told by it too
    for name, value in {"RANK": "1", "PMI_RANK": "3", "MPI_LOCALRANKID": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    script = """if True:
        import os, sys
        import torch
        import torch.nn.functional as F, torch.optim as optim
        from torch import nn
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(0)
        net = nn.Linear(2, 1).to(device)
        print(net, net.weight.dtype, F.relu(torch.tensor([-1.0, 2.0])), isinstance(optim.SGD, type))
        print(sys.argv, __name__, __file__, sys.modules["__main__"].net is net)
        print(sys.path[0])
        print(os.environ["RANK"], os.environ["LOCAL_RANK"])
        sys.exit(7)"""
    done = launch(script, "--time", "x", "--", options=("--time",))
    assert done.returncode == 7
    assert done.stdout.splitlines() == [
        "Linear(in_features=2, out_features=1, bias=True) torch.float32 tensor([0., 2.]) True",
        f"['train.py', '--time', 'x', '--'] __main__ {tmp_path / 'train.py'} True",
        str(tmp_path.resolve()),
        "1 2",
    ]
    assert done.stderr.startswith("minigrad: ")
    assert " s of CPU" in done.stderr
    assert ("MB of memory" in done.stderr) == (run.peak() is not None)


ERROR = """\
Traceback (most recent call last):
  File "{0}", line 6, in <module>
    f(torch.ones(2))
  File "{0}", line 5, in f
    return torch.export.export(x)
"""


def test_a_traceback_begins_and_ends_in_the_script(launch: Run, tmp_path: Path) -> None:
    done = launch("import torch\n\n\ndef f(x):\n    return torch.export.export(x)\nf(torch.ones(2))\n")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert [line for line in lines[:-1] if "^" not in line] == ERROR.format(
        tmp_path / "train.py"
    ).splitlines()
    assert lines[-1].startswith(
        "AttributeError: module 'minigrad' has no attribute 'export'. PyTorch has it, "
    )
    assert "minigrad.compile records a function and replays it" in lines[-1]


@pytest.mark.skipif(os.name == "nt", reason="an interrupt is no signal there")
def test_an_interrupt_passes(launch: Run, tmp_path: Path) -> None:
    done = launch("import os, signal, torch\nos.kill(os.getpid(), signal.SIGINT)\nwhile True: pass\n")
    assert done.returncode == -2
    assert done.stderr.count("  File ") == done.stderr.count(f'  File "{tmp_path / "train.py"}", line ') > 0
    assert done.stderr.endswith("KeyboardInterrupt\n")


def test_workers_find_the_stand_in(launch: Run) -> None:
    script = """import torch
from torch.utils.data import DataLoader, Dataset

class Squares(Dataset):
    def __len__(self):
        return 2
    def __getitem__(self, index):
        return torch.tensor(index**2)

if __name__ == "__main__":
    for batch in DataLoader(Squares(), 2, num_workers=1, multiprocessing_context="spawn"):
        print(batch)
"""
    done = launch(script)
    assert (done.stdout, done.stderr) == ("tensor([0, 1])\n", "")


def test_only_our_frames_go() -> None:
    """An error that a function of the package raises keeps its frames: only the look-up of a name is left out."""
    with pytest.raises(RuntimeError) as caught:
        mg.ones(2).reshape(3)
    whole = traceback.format_tb(caught.value.__traceback__)
    assert len(whole) > 1
    assert traceback.format_tb(run.trimmed(caught.value.__traceback__)) == whole
    with pytest.raises(AttributeError) as missing:
        mg.nn.SyncBatchNor  # type: ignore[attr-defined]  # noqa: B018
    assert len(traceback.format_tb(missing.value.__traceback__)) == 2
    assert len(traceback.format_tb(run.trimmed(missing.value.__traceback__))) == 1
    assert run.trimmed(None) is None


BAD = {
    "missing.py": (None, "can't open file 'missing.py': No such file or directory"),
    "bad.py": (b"x = 1\ny = (\n", "bad.py:2: '(' was never closed: this is not Python"),
    "coded.py": (b"x = '\xff'\n", "coded.py:"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, says = BAD[name]
    monkeypatch.chdir(tmp_path)
    if source is not None:
        Path(name).write_bytes(source)
    with pytest.raises(SystemExit) as caught:
        command.main(["--coverage", name])
    assert caught.value.code == 2
    assert f"-m minigrad: {says}" in capsys.readouterr().err


# ---------------------------------------------------------------- coverage

USES = """\
import numpy as np
import torch, torchvision
import torch.nn as nn
import torch.nn.functional as F
from torch import sparse_bsr_tensor
from torch.optim import *; from torch import optim
from torch.utils.tensorboard import SummaryWriter
import helper

Layer = nn.Linear
package = torch.nn

class Net(nn.Module):
    def sparse(self, x):
        return x.to_mkldnn(3).float() + x.my_own() + np.istft(1)
    def my_own(self, activation=F.relu):
        return package.quantized()(Layer(2, 2, dtype=torch.float8_e5m2), F.softmaxx)

def shadowed(nn):
    return nn.NothingOfTorch, lambda F: F.nothing

optim = Adam(Net().parameters()); optim.step()
worse = SparseAdam([])
y = torch.fft.rfft(torch.ones(2)); z = torch.float32.itemsize; v = {}.values(), torch.Tensor.to_mkldnn(y), y.is_sparse
Net().get_extra_state()
"""
HERE = {
    "torch.nn": "3, 11", "torch.nn.functional": "4", "torch.optim": "6", "torch.nn.Linear": "10, 17",
    "torch.nn.Module": "13", "torch.nn.functional.relu": "16", "torch.optim.Adam": "22", "torch.optim.SparseAdam": "23",
    "torch.ones": "24",
    "torch.float32": "24", "torch.Tensor": "24", "torch.fft.rfft": "24",
    "torch.utils.tensorboard.SummaryWriter": "7",
}  # fmt: skip
NOT_HERE = {
    "torchvision": ("2", "--no-deps torchvision"), "torch.sparse_bsr_tensor": ("5", "PyTorch has it"),
    "torch.Tensor.to_mkldnn": ("15, 24", "if it is asked of a torch.Tensor: PyTorch has it"),
    "torch.nn.quantized": ("17", "PyTorch has it"), "torch.float8_e5m2": ("17", "PyTorch has it"),
    "torch.nn.functional.softmaxx": ("17", "Did you mean: 'softmax'?"),
}  # fmt: skip


def test_the_names_that_a_script_uses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "train.py"
    script.write_text(USES, encoding="utf-8")
    (tmp_path / "helper.py").write_text("raise SystemExit('it is not run')", encoding="utf-8")
    before = set(sys.modules)
    with pytest.raises(SystemExit) as caught:
        command.main(["--coverage", str(script)])
    assert caught.value.code == 1
    assert not {name for name in set(sys.modules) - before if name.partition(".")[0] in ("torch", "helper")}
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert max(len(line) for line in lines if str(script) not in line) <= 80
    table: dict[str, tuple[str, str, str]] = {}
    name = ""
    for line in lines[: lines.index("")]:
        if line.startswith("    ") and not line.endswith(("here", "missing")):
            numbers, status, advice = table[name]
            table[name] = numbers, status, f"{advice} {line.strip()}".strip()
        else:
            name = line[:46].strip() or name
            table[name] = line[46:-8].strip(), line[-8:].strip(), ""
    here = {name: row for name, row in table.items() if row[1] == "here"}
    assert {name: row[0] for name, row in here.items()} == HERE
    assert table.keys() - here.keys() == NOT_HERE.keys()
    for name, (numbers, says) in NOT_HERE.items():
        assert table[name][:2] == (numbers, "missing"), name
        assert says in table[name][2], name
    assert (
        f"{len(table)} names of torch in {script}: {len(HERE)} are here, {len(NOT_HERE)} are missing." in text
    )
    assert "Not to be seen here" in text
    assert "Not looked into: helper" in text


def test_a_script_whose_names_are_all_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "train.py"
    script.write_text("import torch\n" + "torch.ones(1)\n" * 30, encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        command.main(["--coverage", str(script)])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0].split()[-2:] == ["...", "here"]
    assert "1 name of torch" in text
    assert "it is here." in text
    told = {
        b"import torch\ntorch.a\ntorch.b": "2 names of torch in x: all are missing.",
        b"": "no names of torch in x.",
    }
    for program, sentence in told.items():
        assert sentence in coverage.report(program, "x").text()

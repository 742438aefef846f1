"""`Finder`: ``import torch.x.y`` gives minigrad's module of that path, the same object."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from minigrad import dtypes
from minigrad.hints.names import VERSION
from minigrad.hints.nearest import hint
from minigrad.standin import older
from minigrad.standin.asking import asked, of_a_package
from minigrad.standin.torch_version import TorchVersion

# Where the names of a module of PyTorch's are, if it is not the module of the same path, and modules here whose names
# begin with an underscore. Empty: minigrad itself.
_ELSEWHERE = {
    **vars(import_module("minigrad"))["_ELSEWHERE"],
    "functional": "",
    "autograd.gradcheck": "autograd.gradcheck",
    "__config__": "__config__",
    "__future__": "__future__",
    "cpu.amp.autocast_mode": "amp.autocast_mode",
    "cuda.amp.autocast_mode": "amp.autocast_mode",
    "cuda.amp.grad_scaler": "amp.grad_scaler",
    "cuda.random": "cuda",
    "fx._compatibility": "fx._compatibility",
    "fx._symbolic_trace": "fx._symbolic_trace",
    "distributed.optim": "optim.redundancy",
    "jit.annotations": "standin.annotations",
    "nn._reduction": "nn._reduction",
    "nn.parallel.data_parallel": "nn.parallel",
    "nn.parallel.distributed": "nn.parallel",
    "optim.adamw": "optim.adam",
    "utils._foreach_utils": "utils._foreach_utils",
    "utils._pytree": "utils._pytree",
    "utils._python_dispatch": "utils._python_dispatch",
    "utils.data._utils": "utils.data._utils",
    "utils.data._utils.collate": "utils.data.collate",
    "utils.data._utils.worker": "utils.data.info",
}
# It comes with its parent: an import statement would put it in the place of the function of its name.
_WITH_ITS_PARENT = "autograd.gradcheck"

# Parts of PyTorch's compiler, of which scripts set the switches.
_SWITCHES = ("_dynamo", "_inductor", "_logging")
# What is built on the compiled parts of PyTorch. Packages in plain Python get their chance.
_COMPILED = "torchaudio torchtext"
ON_TOP = {
    *_COMPILED.split(),
    "fastai",
    "ignite",
    "lightning",
    "pytorch_lightning",
    "torchdata",
    "torchvision",
}


class Finder(MetaPathFinder):
    """Finds ``torch`` and its submodules in minigrad, before any finder looks for PyTorch itself."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """ModuleNotFoundError for a module that minigrad lacks, and for packages that need PyTorch's own code."""
        if fullname == "safetensors.torch":  # the package's own file is for PyTorch's Tensors
            return ModuleSpec(fullname, _Alias("minigrad.serialization.safetensors"))
        if fullname == "functorch":  # it comes with PyTorch, and is part of it
            return ModuleSpec(fullname, _Alias("minigrad.standin.functorch"))
        head, _, rest = fullname.partition(".")
        # A question whether it is there gets the answer of the other finders.
        imported = sys._getframe(2).f_code.co_name.startswith("_find_and_load")
        if imported and fullname in ON_TOP and _is_not_to_be_had(fullname):
            error = ModuleNotFoundError(f"No module named {fullname!r}{asked()}", name=fullname)
            error.add_note(f"Here minigrad stands in for torch: {lacking(fullname)}.")
            raise error
        if head != "torch":
            return None
        if rest == "_C":
            return ModuleSpec(fullname, _There(import_module("minigrad")._C), is_package=True)
        place = ours(rest)
        if place is None and rest.partition(".")[0] in _SWITCHES:
            modules = import_module("minigrad.standin.switches").MODULES
            if rest in modules:
                return ModuleSpec(fullname, _There(modules[rest]), is_package=True)
        if place is None and (spec := _by_its_names(fullname)) is not None:
            return spec
        if place is None:
            parent, _, name = fullname.rpartition(".")
            said = hint(parent.replace("torch", "minigrad", 1), name)
            said = said or ". minigrad, which stands in for torch here, has no such module"
            raise ModuleNotFoundError(f"No module named {fullname!r}{asked()}{said}", name=fullname)
        return ModuleSpec(fullname, _Alias(place), is_package=True)


class _Last(MetaPathFinder):
    """Finds what `_handle_fromlist` looks for in ``from torch.distributed import nn``, where no other finder does."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return _by_its_names(fullname) if fullname.startswith("minigrad.") else None


def _by_its_names(name: str) -> ModuleSpec | None:
    """A module of PyTorch that is not here, if a package asks for it: see `minigrad.standin.absent`."""
    if not of_a_package():
        return None
    absent = import_module("minigrad.standin.absent").absent(name.partition(".")[2])
    return None if absent is None else ModuleSpec(name, _There(absent), is_package=True)


class _There(Loader):
    """Puts a module that is there where a module of PyTorch is looked for."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = self.module


class _Alias(Loader):
    """Puts a module of minigrad where a module of PyTorch is looked for."""

    def __init__(self, place: str) -> None:
        self.place = place

    def exec_module(self, module: ModuleType) -> None:
        # The import system takes from sys.modules what stands there now. `module`, which it has made, is dropped.
        name = module.__name__
        sys.modules[name] = found = import_module(self.place)
        vars(found).setdefault("__path__", [])  # PyTorch's may be a package, where one file does here
        # PyTorch's files import it, and programs take it from them: `from torch.autograd.variable import torch`.
        if "torch" not in vars(found):
            older.put(found, "torch", import_module("minigrad"))
        if name == f"torch.{_WITH_ITS_PARENT}".rpartition(".")[0]:
            sys.modules[f"torch.{_WITH_ITS_PARENT}"] = import_module(
                f"minigrad.{_ELSEWHERE[_WITH_ITS_PARENT]}"
            )


def install() -> None:
    """From now on ``import torch`` gives minigrad, also where PyTorch is installed; types print as ``torch.float32``.

    RuntimeError if ``torch`` is imported already.
    """
    if any(isinstance(finder, Finder) for finder in sys.meta_path):
        return
    if "torch" in sys.modules:
        raise RuntimeError("minigrad cannot stand in for torch, which is imported already")
    minigrad = import_module("minigrad")
    minigrad.__dict__["__version__"] = TorchVersion(f"{VERSION}+minigrad.{minigrad.__version__}")
    minigrad.__dict__["__name__"] = "torch"  # packages look whether the first part of a name is the module's
    dtypes.print_as("torch")
    older.install()
    sys.meta_path.insert(0, Finder())
    sys.meta_path.append(_Last())


def uninstall() -> None:
    """Takes back what `install` does. Nothing happens if minigrad does not stand in for ``torch``."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        return
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, (Finder, _Last))]
    import_module("minigrad.standin.absent").forget()
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("functorch", "torch") or name == "safetensors.torch":
            del sys.modules[name]
    minigrad = import_module("minigrad")
    minigrad.__dict__["__version__"] = minigrad.__version__.partition("+minigrad.")[2]
    minigrad.__dict__["__name__"] = "minigrad"
    dtypes.print_as("minigrad")
    older.uninstall()


def ours(path: str) -> str | None:
    """The module of minigrad for ``torch.<path>``, such as ``minigrad.nn`` for ``nn``; None if there is none."""
    if not path:
        return "minigrad"
    if path in _ELSEWHERE:
        return f"minigrad.{_ELSEWHERE[path]}".rstrip(".")
    parent, _, name = path.rpartition(".")
    home = ours(parent)
    if home is None or name.startswith("_"):
        return None
    place = f"{home}.{name}"
    if not isinstance(vars(import_module(home)).get(name), (ModuleType, type(None))):
        return None  # a function or a class, such as `tensor`, in whose file the import would look
    if place in sys.modules:
        return place
    return place if hasattr(import_module(home), "__path__") and find_spec(place) else None


def lacking(name: str) -> str:
    """What is said of a package built on PyTorch that cannot be imported; empty for one that can."""
    if not _is_not_to_be_had(name):
        return ""
    if name in _COMPILED.split():
        return f"{name} needs PyTorch itself; a small use of it may load its data with NumPy and torch.from_numpy()"
    return f"{name} is not installed; `pip install --no-deps {name}` brings it without PyTorch"


def _is_not_to_be_had(name: str) -> bool:
    """Whether a package needs PyTorch's compiled code, or is not installed. One in plain Python may do without."""
    if name in _COMPILED.split():
        spec = PathFinder.find_spec(name)
        return spec is None or spec.origin is None or _has_compiled_code(spec)
    return all(
        finder.find_spec(name, None) is None for finder in sys.meta_path if not isinstance(finder, Finder)
    )


def _has_compiled_code(spec: ModuleSpec) -> bool:
    """Whether a package has extension modules of its own, in its folder or one below it."""
    for folder in spec.submodule_search_locations or ():
        for depth in ("*", "*/*"):
            if any(file.suffix in (".so", ".pyd", ".dylib") for file in Path(folder).glob(depth)):
                return True
    return False

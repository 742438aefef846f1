"""Modules of PyTorch that are not here, as packages import them: their names exist, and using one is an error.

A package names in its imports what few of its functions need, such as ``torch.fft``.  A script gets an error at once.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from types import FrameType, ModuleType
from typing import Any

from minigrad.errors import not_implemented_error
from minigrad.hints.nearest import instead
from minigrad.standin.asking import of_a_package
from minigrad.standin.modules import MODULES


class _Absent(type):
    """The class of names that are not here: no object is of such a class, and it makes none."""

    place: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """NotImplementedError; while modules are imported, which decorate and make tables, another name alone.

        An operation of ``torch.ops.aten`` that has the name of a function or method is that.
        """
        if args and (operation := _operation(cls.place)) is not None:
            return operation(*args, **kwargs)
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_name == "exec_module" and frame.f_code.co_filename.startswith(
                "<frozen importlib"
            ):
                return cls
            frame = frame.f_back
        home, _, name = cls.place.rpartition(".")
        said = instead(home.replace("torch", "minigrad", 1), name)
        raise not_implemented_error(f"{cls.place} is a name alone. {said}")

    def __getattr__(cls, name: str) -> Any:
        return named(f"{cls.place}.{name}")

    def __getitem__(cls, _: Any) -> Any:
        return cls

    def __iter__(cls) -> Iterator[Any]:  # else Python would go on with `__getitem__` for ever
        return iter(())

    def __repr__(cls) -> str:
        return f"<{cls.place}, which is not here>"


def _operation(place: str) -> Callable[..., Any] | None:
    """What is called as ``torch.ops.aten.add``, ``torch.ops.aten.add.Tensor`` or the like; None if nothing is."""
    *home, name = place.split(".")[:4]
    if home != ["torch", "ops", "aten"]:
        return None
    if name == "slice":
        return _slice
    minigrad = sys.modules["minigrad"]
    homes = minigrad, minigrad.Tensor, minigrad.nn.functional
    return next(filter(None, (getattr(home, name, None) for home in homes)), None)


def _slice(x: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)]


def named(place: str) -> Any:
    """The name ``place`` of PyTorch. AttributeError for those that Python asks for itself."""
    name = place.rpartition(".")[2]
    if name.startswith("__"):
        raise AttributeError(f"{place} is not here", name=name)
    return _Absent(name, (), {"place": place})


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return vars(self).setdefault(name, named(f"{self.__name__}.{name}"))


class Compiled(ModuleType):
    """``torch._C``: ``hasattr`` finds little in it, and what a package imports from it is a name."""

    def __getattr__(self, name: str) -> Any:
        if sys._getframe(1).f_code.co_name == "_handle_fromlist" and of_a_package():
            return vars(self).setdefault(name, named(f"torch._C.{name}"))
        if name == "_VariableFunctions":
            return import_module("minigrad.standin._VF")
        raise AttributeError(f"module 'torch._C' has no attribute {name!r} here", name=name, obj=self)


@functools.cache
def _modules() -> set[str]:
    """The modules of PyTorch that are not here."""
    found, package = set(), ""
    for word in MODULES.split():
        if word.endswith(":"):
            package = word[:-1]
        else:
            found.add(f"{package}.{word}".lstrip("."))
    return found


def absent(path: str) -> ModuleType | None:
    """The module ``torch.<path>`` by its names alone; None if PyTorch has none."""
    above = sys.modules.get(f"torch.{path}".rpartition(".")[0])
    if path not in _modules() and not path.startswith("_C.") and not isinstance(above, _Module):
        return None
    # A private package loads what is public of it: `distributed._composable.fsdp` is `distributed.fsdp`.
    public = ".".join(word for word in path.split(".") if not word.startswith("_"))
    if public != path and public in _modules():
        import_module(f"torch.{public}")
    module = _Module(f"torch.{path}")
    module.__path__ = []
    # Questions of which the answer is known.
    module.__dict__.update(is_available=lambda: False, is_traceable_wrapper_subclass=lambda t: False)
    return module


def forget() -> None:
    """Takes these modules out of those that are loaded, and out of the modules that an import has put them into."""
    for name, module in [*sys.modules.items()]:
        if isinstance(module, _Module):
            parent, _, last = name.rpartition(".")
            vars(sys.modules.get(parent, module)).pop(last, None)
            del sys.modules[name]

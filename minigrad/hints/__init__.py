"""The error for a name that PyTorch has and minigrad does not: it says so, and what to write instead."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from importlib import import_module
from opcode import opmap
from types import MappingProxyType
from typing import Any, NoReturn

from minigrad.hints.names import NAMES

# Methods of NumPy's arrays that a Tensor has under another name.
_NUMPYS = "astype choose compress conjugate copy fill flat partition ptp tobytes"

# Names that any module answers to: the stand-in puts `torch` here, which PyTorch's modules have from their imports.
EVERYWHERE: dict[str, Any] = {}


def missing(module: str, name: str) -> Exception:
    """What a module's ``__getattr__`` raises: AttributeError, or ImportError for ``from module import name``."""
    home, what = sys.modules[module], f"module {module!r} has no attribute {name!r}"
    if name.startswith("_") or f"{module}.{name}" in sys.modules:
        # A probe, or a module that is being imported.
        return AttributeError(what, name=name, obj=home)
    said = _hint(module, name)
    # An import statement replaces the text of an AttributeError; it lets other errors pass.
    caller = sys._getframe(1).f_back
    if caller is not None and caller.f_code.co_code[max(caller.f_lasti, 0)] == opmap["IMPORT_FROM"]:
        text = f"cannot import name {name!r} from {module!r}{said}"
        return ImportError(text, name=module, path=getattr(home, "__file__", None))
    # With obj=None the interpreter adds no suggestion of its own.
    return AttributeError(what + said, name=name, obj=None if said else home)


def module_getattr(space: dict[str, Any], files: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """Gives a module, by its ``globals()``, a ``__getattr__`` that raises `missing`; type checkers do not see it.

    ``files`` are modules of the package, each with the names that stand here too: it is loaded when one of them, or it
    itself, is first asked for. Returns all of these names.
    """
    places = {name: file for file, names in files.items() for name in names.split()}

    def __getattr__(name: str) -> Any:
        if name in places:
            value = getattr(import_module(f".{places[name]}", space["__package__"]), name)
            return space.setdefault(name, value)  # two threads may ask for it at once; both get one object
        if name in files:
            return import_module(f".{name}", space["__package__"])
        if name in EVERYWHERE:
            return EVERYWHERE[name]
        raise missing(space["__name__"], name)

    space["__getattr__"] = __getattr__
    if files:
        space["__dir__"] = lambda: sorted({*space, *space["__all__"], *files})
    return [*places]


class _Missing:
    """A method that only PyTorch has: to ask for it is an AttributeError, as for any name that is not there."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> NoReturn:
        what = f"type object {owner.__name__!r}" if instance is None else f"{owner.__name__!r} object"
        said = _hint("minigrad.Tensor", self.name)
        raise AttributeError(f"{what} has no attribute {self.name!r}{said}", name=self.name, obj=None)


class MissingMethods:
    """The last base of Tensor.

    With a ``__getattr__`` instead, Python 3.11 would specialise no attribute of a Tensor: a training step would take a
    sixth longer.  These descriptors cost nothing unless they are asked for.
    """

    __slots__ = ()
    # setattr afterwards would take five times as long
    locals().update({name: _Missing(name) for name in (NAMES["torch.Tensor"] + _NUMPYS).split()})


def lacking(place: str, name: str) -> str:
    """The hint for a name that only PyTorch has in ``place``, such as ``minigrad.nn.Module``; empty for other names."""
    from minigrad.hints.theirs import theirs  # which only an error needs

    return _hint(place, name) if name in theirs(place) else ""


@functools.lru_cache(256)  # a program may ask with hasattr() again and again
def _hint(place: str, name: str) -> str:
    """The end of "has no attribute ...": whether PyTorch has it, and what there is instead."""
    # only an error needs it
    from minigrad.hints.nearest import hint

    return hint(place, name)

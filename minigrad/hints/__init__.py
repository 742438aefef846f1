"""The error for a name that PyTorch has and minigrad does not: it says so, and what to write instead."""

from __future__ import annotations

import functools
import sys
from opcode import opmap
from typing import Any, NoReturn

from minigrad.hints.names import NAMES


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
    locals().update({name: _Missing(name) for name in NAMES["torch.Tensor"].split()})


def lacking(place: str, name: str) -> str:
    """The hint for a name that only PyTorch has in ``place``, such as ``minigrad.nn.Module``; empty for other names."""
    return _hint(place, name) if name in NAMES[place.replace("minigrad", "torch")].split() else ""


@functools.lru_cache(256)  # a program may ask with hasattr() again and again
def _hint(place: str, name: str) -> str:
    """The end of "has no attribute ...": whether PyTorch has it, and what there is instead."""
    # only an error needs it
    from minigrad.hints.nearest import hint

    return hint(place, name)

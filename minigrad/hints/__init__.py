"""What PyTorch has and minigrad does not: told where such a name is asked for."""

from __future__ import annotations

import functools
import sys
from opcode import opmap
from typing import Any, NoReturn

from minigrad.hints.names import NAMES


def missing(module: str, name: str) -> Exception:
    """What a module's ``__getattr__`` raises: AttributeError, or ImportError for ``from module import name``."""
    home, what = sys.modules[module], f"module {module!r} has no attribute {name!r}"
    if name.startswith("_") or f"{module}.{name}" in sys.modules:  # a probe; a module that is being imported
        return AttributeError(what, name=name, obj=home)
    said = _hint(module, name)
    # An import statement puts a text of its own in the place of an AttributeError, and lets others pass.
    caller = sys._getframe(1).f_back
    if caller is not None and caller.f_code.co_code[max(caller.f_lasti, 0)] == opmap["IMPORT_FROM"]:
        text = f"cannot import name {name!r} from {module!r}{said}"
        return ImportError(text, name=module, path=getattr(home, "__file__", None))
    # With obj=None the interpreter adds no suggestion of its own to ours.
    return AttributeError(what + said, name=name, obj=None if said else home)


class _Missing:
    """A method that PyTorch has: AttributeError, as for any name that is not there."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> NoReturn:
        what = f"type object {owner.__name__!r}" if instance is None else f"{owner.__name__!r} object"
        said = _hint("minigrad.Tensor", self.name)
        raise AttributeError(f"{what} has no attribute {self.name!r}{said}", name=self.name, obj=None)


class MissingMethods:
    """The last base of Tensor.

    A ``__getattr__`` there would slow every attribute of every Tensor, found ones too: by a sixth of a training step
    in Python 3.11, which does not specialise them then.  This costs only where it is met.
    """

    __slots__ = ()


for _name in NAMES["torch.Tensor"].split():
    setattr(MissingMethods, _name, _Missing(_name))


def lacking(place: str, name: str) -> str:
    """What to say of a name that only PyTorch has there (``minigrad.nn.Module``, say); empty for others."""
    return _hint(place, name) if name in NAMES[place.replace("minigrad", "torch")].split() else ""


@functools.lru_cache(256)  # for whoever asks with hasattr() again and again
def _hint(place: str, name: str) -> str:
    """What follows "has no attribute ...": whether PyTorch has it, and what there is instead."""
    from minigrad.hints.nearest import hint  # only needed on the way to an error

    return hint(place, name)

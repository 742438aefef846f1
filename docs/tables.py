"""What the pages say that is made from the package: the tables of operations, other names, what there is of PyTorch.

`conf.py` puts it on the pages.  It needs no Sphinx, so the tests read it too.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from pathlib import Path
from typing import Any, NamedTuple

import minigrad
from minigrad.core.op import is_ufunc
from minigrad.onnx.forms import FORMS
from minigrad.ops import TABLE
from minigrad.readers.source.program import numpy_name
from minigrad.standin import finder

PACKAGE = Path(minigrad.__file__).parent
Op = minigrad.tape.Op

# ---------------------------------------------------------------- operations

TYPES = {
    None: "kept", "same": "promoted", "number": "promoted; no bool",
    "float": "promoted; integers become float", "floats": "promoted; floats only", "bits": "promoted; no floats",
    "shifts": "promoted; no floats, not bools alone",
    "branches": "promoted, but for the condition", "rounds": "promoted; no bool",
}  # fmt: skip


def declared_in(place: str) -> list[Op]:
    """The operations that a module declares, such as ``"ops.shape"``, in its order."""
    text = PACKAGE.joinpath(*place.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    return [TABLE[name] for name in re.findall(r'\bOp\(\s*"(\w+)"', text)]


def public_names(op: Op) -> tuple[list[str], list[str]]:
    """The public names of an operation, and those of its methods in place; also of a function of its name."""
    names = [name.strip(".()") for name in op.public]
    if not names and op.name in minigrad.__all__:
        home = inspect.unwrap(getattr(minigrad, op.name)).__module__
        if home.startswith("minigrad.functions.") and not home.endswith(".creation"):
            others, in_place = other_names(op.name)
            return [op.name, *others], in_place
    return [n for n in names if not n.endswith("_")], [n for n in names if n.endswith("_")]


def differentiable(op: Op) -> list[str]:
    """The inputs that get a gradient."""
    rules = op.rules if op.joint is None else [op.joint] * len(op.inputs)
    return [x for x, rule in zip(op.inputs, rules, strict=False) if rule is not None]


def gradients(op: Op) -> str:
    """Which inputs get a gradient, in words."""
    inputs = differentiable(op)
    if not inputs:
        return "none"
    return "all" if len(inputs) == len(op.inputs) else ", ".join(inputs)


def readers(op: Op) -> str:
    """What the record tells readers of its own: how it prints, where it can be written to, what ONNX calls it."""
    printed = (
        op.text is not None or numpy_name(op.unchecked) or hasattr(inspect.unwrap(op.unchecked), "numpy")
    )
    written = op.into is not None or (is_ufunc(op.unchecked) and not op.params)
    facts = {"expression": printed, "in place": written, "ONNX": op.name in FORMS}
    return ", ".join(fact for fact, holds in facts.items() if holds) or "–"


def element_types(op: Op) -> str:
    """How the element types of operands meet."""
    text = TYPES[op.cast]
    if len(op.inputs) == 1:  # one type has nothing to meet
        text = text.replace("promoted", "kept").replace("kept; integers", "integers")
    text = f"{text}; no bool" if "b" in (op.refuse or {}) else text
    return f"{text}; complex" if op.complex else text


# ---------------------------------------------------------------- other names


def other_names(name: str) -> tuple[list[str], list[str]]:
    """The other names of a function, and the methods in place under any of its names."""
    function = getattr(minigrad, name)
    others = [n for n in minigrad.__all__ if n != name and getattr(minigrad, n) is function]
    return others, [f"{n}_" for n in (name, *others) if hasattr(minigrad.Tensor, f"{n}_")]


@functools.cache
def entries() -> set[str]:
    """The full names that have an entry of their own on the pages of the API."""
    order, full = list(TABLE), set()
    for page in (Path(__file__).parent / "api").glob("*.md"):
        module = ""
        text = page.read_text(encoding="utf-8")
        for kind, what in re.findall(r"^\.\. ([\w-]+):: ([^\n]+)$", text, re.MULTILINE):
            if kind == "currentmodule":
                module = what
            elif kind == "operations":
                first, last = map(order.index, what.split())
                heads = [public_names(TABLE[name])[0][:1] for name in order[first : last + 1]]
                full |= {f"minigrad.{name}" for names in heads for name in names}
            elif kind.startswith("auto"):
                name = what.partition("(")[0]
                full.add(name if name.startswith("minigrad.") else f"{module}.{name}")
    return full


def entry(place: str, name: str) -> str:
    """The name whose entry tells of a name: its own, or that of the function of which it is another name or form."""
    plain = name.removesuffix("_")
    others = other_names(plain)[0] if plain in minigrad.__all__ else []
    own = f"{place}.{name}"
    functions = (
        [f"minigrad.{n}" for n in (plain, *others)] if place in ("minigrad", "minigrad.Tensor") else []
    )
    return next((full for full in (own, *functions) if full in entries()), own)


# ---------------------------------------------------------------- what there is of PyTorch


class Coverage(NamedTuple):
    """Of one place of PyTorch, such as ``torch.nn``: the names that minigrad has too, and those that it lacks."""

    place: str
    here: list[str]
    lacking: list[str]


def coverage() -> list[Coverage]:
    """What there is of each place of PyTorch whose names are known, classes of other storage left out."""
    covered = []
    for block in (Path(__file__).parent / "pytorch_names.txt").read_text(encoding="utf-8").split("\n\n"):
        place, _, text = block.partition(":")
        owner = _ours(place)
        names = [n for n in text.split() if place != "torch" or n[0].islower() or n == "Tensor"]
        below = place.partition(".")[2]
        here = [
            n
            for n in names
            if owner is not None and (_has(owner, n) or _is_module(f"{below}.{n}".lstrip(".")))
        ]
        covered.append(Coverage(place, here, [n for n in names if n not in here]))
    return covered


def _ours(place: str) -> Any:
    """The module or class of minigrad that stands for one of PyTorch; None if there is none."""
    owner: Any = minigrad
    for name in place.split(".")[1:]:
        if not hasattr(owner, name):
            try:
                importlib.import_module(f"{owner.__name__}.{name}")
            except ImportError:
                return None
        owner = getattr(owner, name)
    return owner


def _is_module(path: str) -> bool:
    """Whether there is a module for one of PyTorch's; `ops` has the operations here, and compiled ones there."""
    return path != "ops" and finder.ours(path) is not None


def _has(owner: Any, name: str) -> bool:
    """Whether a name is public: of a module in its ``__all__``, if it has one."""
    names = getattr(owner, "__all__", None) if inspect.ismodule(owner) else None
    return hasattr(owner, name) if names is None else name in names

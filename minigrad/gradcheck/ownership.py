"""The owner of the derivatives that a check looks at: those that NumPy's functions record are not the user's."""

from __future__ import annotations

import dis
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import Node
from minigrad.core.tensor import Tensor
from minigrad.errors import INSIDE, here
from minigrad.gradcheck.numeric import kinds
from minigrad.gradcheck.numeric.problem import Finding
from minigrad.gradcheck.structure import leaves, replaced

INSTEAD = "check_vjp(f, vjp, args), of minigrad.testing or as a pytest fixture"

_FORWARD = {"", "call", "forward", "fprop", "fwd"}
_BACKWARD = {"backprop", "backward", "bprop", "bwd", "jvp", "pullback", "vjp"}


class Passes(NamedTuple):
    """A forward pass that ran, and the backward pass that stands beside it."""

    forward: str
    backward: str
    layer: bool  # both are methods of an object


class Watch:
    """An observer of the records of a function that is called in the frame of ``start``."""

    def __init__(self, start: CodeType) -> None:
        self.start = start
        self.function = False  # a `Function` ran, whose backward the tape calls
        self.numpy = False  # NumPy was called on Tensors
        self.sure = False  # and that in a forward pass with a backward pass of its own
        self.shared = True  # minigrad was only called in ways that arrays know too
        self._passes: dict[CodeType, Passes | None] = {}
        code = here()[0]  # functions may be defined where they are checked
        self._beside = (*code.co_varnames, *code.co_cellvars) if code else ()

    def __call__(self, node: Node, arrays: list[Any]) -> None:
        frames: list[FrameType] = []
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code is not self.start:
            frames.append(frame)
            frame = frame.f_back
        users = [f for f in frames if not INSIDE[f.f_code.co_filename]]
        if hasattr(node.op, "user_class"):
            self.function = True
            self._passes.update((f.f_code, None) for f in users)  # it may be what calls their backward pass
            return
        for user in users:
            if user.f_code not in self._passes:
                self._passes[user.f_code] = _passes(user, self._beside)
        # The function of minigrad that was called.
        entry = frames[frames.index(users[0]) - 1 if users else -1].f_code.co_name
        operator = bool(users) and _is_operator(users[0])
        called = entry in ("__array_ufunc__", "__array_function__") and not operator  # and not array @ Tensor
        called |= bool(users) and users[0].f_globals.get("__name__", "").startswith("numpy.")
        self.numpy |= called
        self.sure |= called and any(self._passes[user.f_code] for user in users)
        self.shared &= called or operator or hasattr(np.ndarray, entry)

    @property
    def passes(self) -> Passes | None:
        """The first forward pass that ran beside a backward pass."""
        return next(filter(None, self._passes.values()), None)

    def finding(self) -> Finding | None:
        """That minigrad's derivatives are checked, which is so if ``sure``, or if the function works on arrays."""
        passes = self.passes
        if passes:
            forward, backward, layer = passes
            why = f"{backward} is not called, for on Tensors {forward} records minigrad's own derivatives"
            names = [f"layer.{p.rpartition('.')[2]}" if layer else p for p in (forward, backward)]
        elif self.numpy and not self.function:
            why = "NumPy's functions record minigrad's own derivatives on Tensors, and here is nothing else"
            names = ["f", "vjp"]
        else:
            return None
        call = INSTEAD.replace("f, vjp", ", ".join(names))
        hint = f"call {call}; if minigrad's derivatives are meant, pass allow_numpy=True"
        return Finding(kinds.UNCHECKED, why, hint)


def _passes(frame: FrameType, beside: Sequence[str]) -> Passes | None:
    """The forward pass that a frame runs, if it is a method or function with a backward pass beside it."""
    code = frame.f_code
    if code.co_name.startswith("test"):
        return None
    owner = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
    cls = type(owner)
    if callable(getattr(cls, code.co_name, None)):
        name = None if isinstance(owner, Tensor) else _backward_of(code.co_name, dir(cls))
        return Passes(f"{cls.__name__}.{code.co_name}", f"{cls.__name__}.{name}", True) if name else None
    module = frame.f_globals.get("__name__")
    functions = (n for n, v in frame.f_globals.items() if getattr(v, "__module__", None) == module)
    name = _backward_of(code.co_name, (*beside, *functions))
    return Passes(code.co_name, name, False) if name else None


def _is_operator(frame: FrameType) -> bool:
    """Whether a frame is at an operator, which arrays hand to a Tensor through a ufunc."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in ("BINARY_OP", "COMPARE_OP")


def _backward_of(name: str, others: Iterable[str]) -> str | None:
    """The name of the backward pass of a function: ``backward`` for ``forward``, ``f_vjp`` for ``f``."""
    stem = set(name.split("_")) - _FORWARD
    for other in others:
        words = set(other.split("_"))
        if words & _BACKWARD and words - _BACKWARD - {""} == stem:
            return other
    return None


def gives_arrays(func: Callable[..., Any], inputs: Sequence[Any]) -> bool:
    """Whether a function works on arrays as it does on Tensors: then nothing in it is minigrad's."""
    # with an observer, so that a compiled function does not make a plan for arrays
    mode = MODE.get().replace(grad=False, inference=False, everything=False, observer=lambda *_: None)
    arrays = [replaced(v, lambda _, t: t._array.copy() if isinstance(t, Tensor) else t) for v in inputs]
    try:
        with ModeManager(mode), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = func(*arrays)
    except Exception:  # it is for Tensors
        return False
    parts = [part for _, part in leaves(result)]
    return bool(parts) and all(isinstance(part, (np.ndarray, np.generic, float, int)) for part in parts)

"""Whose derivatives a check looks at: minigrad's own, which NumPy's functions record on Tensors, are not the user's."""

from __future__ import annotations

import dis
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from types import CodeType, FrameType
from typing import Any

import numpy as np

from minigrad.errors import INSIDE
from minigrad.tape import MODE, Node, TensorBase
from minigrad.testing import report
from minigrad.testing.numeric import UNCHECKED, Finding

INSTEAD = "check_vjp(f, vjp, args), of minigrad.testing or as a pytest fixture"

_FORWARD = {"", "call", "forward", "fwd"}
_BACKWARD = {"backprop", "backward", "bwd", "jvp", "pullback", "vjp"}


class Watch:
    """An observer of the records of a function that is called in the frame of ``start``."""

    def __init__(self, start: CodeType) -> None:
        self.start = start
        self.numpy = False  # NumPy was called on Tensors
        self.function = False  # a `Function` ran, whose backward the tape calls
        self.shared = True  # all was called in ways that arrays know too: operators, methods, NumPy
        self.layer = False  # the backward pass below is a method
        self.passes: tuple[str, str] | None = (
            None  # names of a forward pass that ran and the backward pass beside it
        )

    def __call__(self, node: Node, arrays: list[Any]) -> None:
        if "ctx" in node.params:
            self.function = True
            return
        frames: list[FrameType] = []
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code is not self.start:
            frames.append(frame)
            frame = frame.f_back
        if frame is None:
            return  # not of the function, but of its gradients
        users = [f for f in frames if not INSIDE[f.f_code.co_filename]]
        operator = called = False
        entry = frames[
            frames.index(users[0]) - 1 if users else -1
        ].f_code.co_name  # what was called of minigrad
        if users:
            operator = _is_operator(users[0])
            called = entry == "__array_ufunc__" and not operator  # and not array @ Tensor
            self.numpy |= called or users[0].f_globals.get("__name__", "").startswith("numpy.")
        self.shared &= called or operator or hasattr(np.ndarray, entry)
        for user in users:
            if self.passes is None:
                self._look_for_backward(user)

    def _look_for_backward(self, frame: FrameType) -> None:
        code = frame.f_code
        owner = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
        cls = type(owner)
        if getattr(getattr(cls, code.co_name, None), "__code__", None) is code:
            beside = _backward_beside(code.co_name, dir(cls), method=True)
            if beside and not isinstance(owner, TensorBase):
                self.passes, self.layer = (f"{cls.__name__}.{code.co_name}", f"{cls.__name__}.{beside}"), True
        else:
            functions = [n for n, v in frame.f_globals.items() if callable(v)]
            beside = _backward_beside(code.co_name, functions, method=False)
            self.passes = (code.co_name, beside) if beside else None

    def finding(self) -> Finding | None:
        """That the check would be of minigrad's derivatives, for a function that works on arrays."""
        if self.function or not self.shared or not (self.numpy or self.passes):
            return None
        if self.passes:
            why = f"{self.passes[1]} is not called, for on Tensors {self.passes[0]} records minigrad's own derivatives"
        else:
            why = "NumPy's functions record minigrad's own derivatives on Tensors, and here is nothing else"
        names = [f"layer.{p.rpartition('.')[2]}" if self.layer else p for p in self.passes or ("f", "vjp")]
        call = INSTEAD.replace("f, vjp", ", ".join(names))
        return Finding(
            UNCHECKED, why, f"call {call}; if minigrad's derivatives are meant, pass allow_numpy=True"
        )


def _is_operator(frame: FrameType) -> bool:
    """Whether a frame is at an operator, which arrays hand to a Tensor through a ufunc."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in ("BINARY_OP", "COMPARE_OP")


def _backward_beside(name: str, others: Iterable[str], method: bool) -> str | None:
    """The name of the backward pass of a function: ``backward`` for ``forward``, ``f_vjp`` for ``f``."""
    stem = set(name.split("_")) - _FORWARD
    for other in others:
        words = set(other.split("_"))
        rest = words - _BACKWARD - {""}
        if words & _BACKWARD and (rest == stem or (method and not rest)):
            return other
    return None


def gives_arrays(func: Callable[..., Any], inputs: Sequence[Any]) -> bool:
    """Whether a function works on arrays as it does on Tensors: then nothing in it is minigrad's."""
    token = MODE.set(MODE.get().replace(grad=False, inference=False, everything=False, observer=None))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = func(*map(_arrays, inputs))
    except Exception:  # it is for Tensors
        return False
    finally:
        MODE.reset(token)
    parts = [part for _, part in report.leaves(result, "")]
    return bool(parts) and all(isinstance(part, (np.ndarray, np.generic, float, int)) for part in parts)


def _arrays(value: Any) -> Any:
    """An input with copies of the arrays in the places of its Tensors."""
    if isinstance(value, (tuple, list)):
        parts = [_arrays(v) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {key: _arrays(v) for key, v in value.items()}
    return value._array.copy() if isinstance(value, TensorBase) else value

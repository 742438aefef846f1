"""Branches and loops as functions, and functions of Python numbers under the names of PyTorch's compiler."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error
from minigrad.func.trees import flatten

__all__ = [
    "cond", "sym_float", "sym_int", "sym_ite", "sym_max", "sym_min", "sym_not", "sym_sqrt", "sym_sum", "while_loop",
]  # fmt: skip


def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], operands: Any = ()) -> Any:
    """``true_fn(*operands)`` where ``pred`` is true, and else ``false_fn(*operands)``; the other is not called.

    ``pred`` is a bool, or a Tensor of one element; in ``operands`` are Tensors, also in tuples, lists and dicts.
    RuntimeError for anything else.
    """
    if not isinstance(pred, (bool, Tensor)) or (isinstance(pred, Tensor) and pred._array.size != 1):
        raise runtime_error(f"Expected pred to be bool or single-element tensor, but got {pred}.")
    if not all(map(callable, (true_fn, false_fn))):
        raise runtime_error("Expect both branches to be callable.")
    if not isinstance(operands, (tuple, list)) or not all(
        isinstance(t, Tensor) for t in flatten(operands)[0]
    ):
        raise runtime_error(
            "Expect operands to be a tuple of possibly nested dict/list/tuple that only consists of tensor leaves, but "
            f"got {operands}."
        )
    return (true_fn if pred else false_fn)(*operands)


def while_loop(
    cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Sequence[Any]
) -> tuple[Any, ...]:
    """Replaces ``carried_inputs`` by ``body_fn`` of them while ``cond_fn`` of them holds; returns the last ones."""
    values = tuple(carried_inputs)
    while cond_fn(*values):
        new = body_fn(*values)
        values = tuple(new) if isinstance(new, (tuple, list)) else (new,)
    return values


def sym_int(a: Any) -> int:
    """``int(a)``."""
    return builtins.int(a)


def sym_float(a: Any) -> float:
    """``float(a)``."""
    return builtins.float(a)


def sym_not(a: Any) -> bool:
    """``not a``."""
    return not a


def sym_max(a: Any, b: Any) -> Any:
    """The larger number, a float if one of the two is."""
    larger = builtins.max(a, b)
    return builtins.float(larger) if isinstance(a, float) or isinstance(b, float) else larger


def sym_min(a: Any, b: Any) -> Any:
    """The smaller number, a float if one of the two is."""
    smaller = builtins.min(a, b)
    return builtins.float(smaller) if isinstance(a, float) or isinstance(b, float) else smaller


def sym_sqrt(a: Any) -> float:
    """The root of a number."""
    return math.sqrt(a)


def sym_sum(args: Iterable[Any]) -> Any:
    """The sum of numbers."""
    return builtins.sum(args)


def sym_ite(b: Any, t: Any, f: Any) -> Any:
    """``t if b else f``."""
    return t if b else f

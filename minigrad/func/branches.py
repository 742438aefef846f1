"""`cond`: one of two functions, by a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error
from minigrad.func.trees import flatten

__all__ = ["cond"]


def cond(
    pred: Any,
    true_fn: Callable[..., Any],
    false_fn: Callable[..., Any],
    operands: Any = (),
) -> Any:
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

"""Functions whose intermediate values PyTorch forgets and computes again: here they are kept, the numbers are the same.

A tape that is read afterwards, by `source`, `draw` or `compile`, holds each operation once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["checkpoint", "checkpoint_sequential"]

# What says how PyTorch computes again; no argument of the function.
_OPTIONS = ("use_reentrant", "preserve_rng_state", "context_fn", "determinism_check", "debug", "early_stop")


def checkpoint(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``function(*args, **kwargs)``. PyTorch's options, such as ``use_reentrant``, mean nothing and are not passed."""
    return function(*args, **{name: value for name, value in kwargs.items() if name not in _OPTIONS})


def checkpoint_sequential(
    functions: Iterable[Callable[[Any], Any]], segments: int, input: Any, **kwargs: Any
) -> Any:
    """What the functions, such as those of a `Sequential`, make of ``input`` one after the other."""
    for function in functions:
        input = function(input)
    return input

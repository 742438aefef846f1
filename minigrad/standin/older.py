"""What only scripts for PyTorch write: arguments in their order of years ago.

It is there while minigrad stands in for ``torch``, and costs nothing elsewhere.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

from minigrad.tensor import Tensor

# Functions and methods that once took factors by place: how many arguments have a place today, and the factors' names.
_FACTORS = {
    "add": (2, "alpha"), "sub": (2, "alpha"), "addcmul": (3, "value"), "addcdiv": (3, "value"),
    "addmm": (3, "beta alpha"), "addmv": (3, "beta alpha"), "addr": (3, "beta alpha"), "baddbmm": (3, "beta alpha"),
    "addbmm": (3, "beta alpha"),
}  # fmt: skip


def _with_factors(function: Callable[..., Any], places: int, factors: str) -> Callable[..., Any]:
    """The function, which also takes its factors by place: ``add(x, 2, y)`` is ``add(x, y, alpha=2)``."""

    @functools.wraps(function)
    def older(*args: Any, **named: Any) -> Any:
        if len(args) <= places:
            return function(*args, **named)
        if places == 2:
            numbers, others = [args[1]], (args[0], *args[2:])
        else:
            numbers = [x for x in args if not isinstance(x, Tensor)]
            others = tuple(x for x in args if isinstance(x, Tensor))
        return function(*others, **dict(zip(factors.split(), numbers, strict=False)), **named)

    return older


_before: list[tuple[Any, str, Any]] = []


def install() -> None:
    """From now on `add` and its like take factors by place."""
    minigrad = import_module("minigrad")
    for name, (places, factors) in _FACTORS.items():
        for home, called in ((minigrad, name), (Tensor, name), (Tensor, f"{name}_")):
            function = getattr(home, called, None)
            if function is not None:
                _before.append((home, called, vars(home).get(called)))
                setattr(home, called, _with_factors(function, places, factors))


def uninstall() -> None:
    """Takes back what `install` does."""
    while _before:
        home, name, function = _before.pop()
        delattr(home, name) if function is None else setattr(home, name, function)

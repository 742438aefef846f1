"""The functions that sparse Tensors take over, by the names of the public ones, and the names of their records."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from minigrad.core.apply import apply
from minigrad.core.node import next_seq
from minigrad.gate.precision import chosen
from minigrad.ops import shape as s

F = TypeVar("F", bound=Callable[..., Any])


def with_label(t: Any, label: str, since: int) -> Any:
    """A result whose record, made after that moment, is called as PyTorch's."""
    node = (t._numbers if t._sparse else t)._node
    if node is not None and node.seq > since and node.op is not None:
        node.outer = label if "Backward" in label else f"{label}Backward0", since
    return t


def labelled(label: str) -> Callable[[F], F]:
    """Decorator: the record of what a function returns has PyTorch's name."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(*args: Any, **named: Any) -> Any:
            since = next_seq()
            y = function(*args, **named)
            if y._sparse and y.requires_grad and y.is_leaf and not any(y is x for x in args):
                y._numbers = apply(s.alias, (y._numbers,))  # what was made of a leaf is none
            return with_label(y, label, since)

        return run  # type: ignore[return-value]

    return decorate


TABLE: dict[str, Callable[..., Any]] = {}


def taken(*names: str, label: str = "") -> Callable[[F], F]:
    """Decorator: what stands for the public functions of these names; records are called as the first, or ``label``."""

    def enter(function: F) -> F:
        label_of = label or names[0].title().replace("_", "")
        run: Callable[..., Any] = function if label_of == "-" else labelled(label_of)(function)
        TABLE.update({name: chosen(run, name) for name in names})
        return function

    return enter

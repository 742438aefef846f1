"""The functions that sparse Tensors take over, by the names of the public ones, and the names of their records."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from minigrad import dtypes
from minigrad.core.apply import apply
from minigrad.core.node import next_seq
from minigrad.core.tensor import Tensor
from minigrad.errors import not_implemented_error, runtime_error, type_error
from minigrad.gate.out import check_gradient, into
from minigrad.gate.precision import chosen
from minigrad.ops import shape as s

# Layouts, as PyTorch calls them in errors.
NAMES = {"sparse_coo": "Sparse", "sparse_csr": "SparseCsr", "sparse_csc": "SparseCsc"}

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


def refused(name: str, t: Tensor) -> Exception:
    """NotImplementedError: there is no such function of a sparse Tensor, or of a dense one."""
    if not t._sparse:
        return not_implemented_error(
            f"Could not run 'aten::{name}' with arguments from the 'CPU' backend: it is for sparse Tensors; convert "
            "with .to_sparse() first"
        )
    return not_implemented_error(
        f"Could not run 'aten::{name}' with arguments from the '{NAMES[t.layout.name]}CPU' backend: {name} is not "
        f"there for the layout {t.layout}; convert with .to_dense() first"
    )


def cast_for(name: str, value: Tensor, target: Tensor) -> Any:
    """The value in the element type of the Tensor that it goes into. RuntimeError where that is of a lower kind."""
    if not dtypes.can_cast(value.dtype.numpy, target.dtype.numpy):
        raise runtime_error(
            f"{name}: result type {dtypes.scalar(value.dtype)} can't be cast to the desired output type "
            f"{dtypes.scalar(target.dtype)}; use the function that makes a new Tensor, or convert with .float() first"
        )
    return value.to(target.dtype)


def stored(name: str, result: Any, out: Any) -> Any:
    """``out`` with a result in it. RuntimeError for another layout or kind of dtype, and where a gradient is wanted."""
    if not isinstance(out, Tensor):
        raise type_error(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if result._sparse != out._sparse:
        raise runtime_error(
            f"{name}(): the result has the layout {result.layout}, and the argument 'out' {out.layout}; leave 'out' out"
        )
    if not result._sparse:
        return into(name, result, out)
    check_gradient(name, result, out)
    return out._become(cast_for(name, result._in(out.layout), out))  # type: ignore[attr-defined]


TABLE: dict[str, Callable[..., Any]] = {}


def taken(*names: str, label: str = "") -> Callable[[F], F]:
    """Decorator: what stands for the public functions of these names; records are called as the first, or ``label``."""

    def enter(function: F) -> F:
        label_of = label or names[0].title().replace("_", "")
        run: Callable[..., Any] = function if label_of == "-" else labelled(label_of)(function)
        TABLE.update({name: chosen(run, name) for name in names})
        return function

    return enter

"""The arguments of a check of Tensors: which it takes, and what it says of others."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core.changes import overlaps
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import runtime_error, type_error
from minigrad.functions.complex import view_as_complex, view_as_real
from minigrad.gradcheck.ownership import INSTEAD
from minigrad.gradcheck.report import warn_of_dtype
from minigrad.gradcheck.structure import leaves, named, replaced


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Several values, or one."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def of_parts(func: Callable[..., Any], inputs: Any) -> tuple[Callable[..., Any], Any]:
    """A function and inputs that are real in place of complex ones: what is measured are slopes along both axes."""
    values = as_tuple(inputs)
    if not any(isinstance(t, Tensor) and t.is_complex() for _, t in leaves(values)):
        return func, inputs
    split: set[str] = set()

    def in_parts(name: str, t: Any) -> Any:
        if not (isinstance(t, Tensor) and t.is_complex()):
            return t
        split.add(name)
        return view_as_real(t.detach()).clone().requires_grad_(t.requires_grad)

    @functools.wraps(func)
    def parts(*values: Any) -> Any:
        return real_results(func)(
            *replaced(values, lambda name, t: view_as_complex(t) if name in split else t)
        )

    return parts, replaced(values, in_parts)


def real_results(func: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose complex results are pairs of real numbers."""

    @functools.wraps(func)
    def parts(*values: Any) -> Any:
        return replaced(
            func(*values), lambda _, t: view_as_real(t) if isinstance(t, Tensor) and t.is_complex() else t
        )

    return parts


def tensors(inputs: Sequence[Any], names: Sequence[str]) -> list[tuple[str, Any]]:
    """The Tensors in some inputs, with their names."""
    return [(n, t) for n, t in named(inputs, names) if isinstance(t, Tensor)]


def differentiable(inputs: Sequence[Any], names: Sequence[str]) -> list[tuple[str, Any]]:
    """The Tensors that require grad. ValueError if there is none."""
    leaves = [(n, t) for n, t in tensors(inputs, names) if t.requires_grad]
    if leaves:
        return leaves
    text = "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True. "
    for name, v in named(inputs, names):
        if isinstance(v, (np.ndarray, np.generic)):
            raise ValueError(
                f"{text}Input {name} is an array: mg.tensor({name}, requires_grad=True) makes a Tensor of it. For a "
                f"function of arrays with a backward pass of its own, call {INSTEAD}."
            )
    raise ValueError(f"{text}Make one with requires_grad=True, in float64.")


def cotangents(outputs: list[tuple[str, Any]], grads: Any, title: str, seed: int, strided: bool) -> list[Any]:
    """Cotangents for some outputs: random ones, or the user's, in which None is 1 for a single element."""
    if grads is None:
        return _random_like(outputs, seed, strided)
    tensors = list(as_tuple(grads))
    if len(tensors) != len(outputs):
        raise RuntimeError(
            f"gradgradcheck got {len(tensors)} grad_outputs for the {len(outputs)} outputs of {title} that require grad"
        )
    for k, (g, (_, t)) in enumerate(zip(tensors, outputs, strict=True)):
        if g is None and t._array.size == 1:
            tensors[k] = wrap(np.ones_like(t._array))
        elif not isinstance(g, Tensor):
            raise type_error(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        elif g._array.shape != t._array.shape:
            raise runtime_error(
                f"Mismatch in shape: grad_output has a shape of {list(g._array.shape)} and output has a shape of "
                f"{list(t._array.shape)}."
            )
    return tensors


def _random_like(outputs: list[tuple[str, Any]], seed: int, strided: bool) -> list[Any]:
    """Random cotangents, with gaps between their elements if they are to be ``strided``."""
    rng = np.random.default_rng(seed)
    arrays = []
    for _, t in outputs:
        shape, dtype = t._array.shape, t._array.dtype
        array = np.asarray(rng.uniform(-1, 1, (*shape, 2) if strided else shape)).astype(dtype)
        arrays.append(array[..., 0] if strided else array)
    return [wrap(array).requires_grad_() for array in arrays]


def check_memory(every: list[tuple[str, Any]], leaves: list[tuple[str, Any]]) -> None:
    """RuntimeError for ``leaves`` whose elements cannot be moved one by one; a warning for other than float64."""
    for name, t in leaves:
        warn_of_dtype(f"Input {name} requires gradient, it", t._array.dtype)
        if overlaps(t._array):
            raise RuntimeError(
                f"Input {name} has elements that share memory (as expand() makes them), so one cannot be moved "
                "without another: call .contiguous() or .clone() on it before passing it to gradcheck."
            )
        if not t._array.flags.writeable:
            raise RuntimeError(
                f"Input {name} lies in read-only memory, so it cannot be moved: call .clone() on it before passing it "
                "to gradcheck."
            )
        for other, u in every:
            if u is not t and np.shares_memory(t._array, u._array):
                raise RuntimeError(
                    f"Inputs {name} and {other} share memory, so they depend on each other: one cannot be moved "
                    "without the other. Before passing them to gradcheck call .clone() on one of them, or "
                    ".detach().clone().requires_grad_() if it is a view of the other."
                )

"""What packages built on PyTorch claim of their arguments: ``torch._check`` and its like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.dtypes import bool as bool_dtype
from minigrad.errors import type_error
from minigrad.gate.overriding import overrides
from minigrad.overrides import handle_torch_function
from minigrad.tensor import Tensor

__all__ = [
    "_assert", "_assert_async", "_check", "_check_index", "_check_is_size", "_check_not_implemented",
    "_check_tensor_all", "_check_type", "_check_value", "_check_with", "_has_compatible_shallow_copy_type",
]  # fmt: skip

_Message = Callable[[], object] | None


def _assert(condition: object, message: object) -> None:
    """AssertionError with the message if the condition is false; a Tensor of one element is true if that is.

    A condition that takes functions over, as what `fx` traces, is asked first.
    """
    if overrides(condition):
        handle_torch_function(_assert, (condition,), condition, message)
        return
    _claim(AssertionError, bool(condition), lambda: message)


def _assert_async(
    condition: Tensor, message: str = "Expected Tensor with single nonzero value, but got zero"
) -> None:
    """RuntimeError with the message if the one element of the condition is zero or False."""
    if not bool(condition):
        raise RuntimeError(message)


def _claim(kind: type[Exception], cond: object, message: _Message) -> None:
    if isinstance(cond, Tensor):
        raise type_error(
            "cond must be a bool, but got a Tensor; _check_tensor_all() takes one, and asks whether all are true"
        )
    if not isinstance(cond, bool):
        raise type_error(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is None:
        raise kind("Expected cond to be True, but got False.")
    if not callable(message):
        raise type_error(f"message must be a callable that gives the text, got {message!r}")
    raise kind(str(message()))


def _check(cond: bool, message: _Message = None) -> None:
    """RuntimeError with what ``message()`` gives if the bool is False. TypeError for anything but a bool."""
    _claim(RuntimeError, cond, message)


def _check_with(error_type: Any, cond: bool, message: _Message) -> None:
    """`_check` with an error of this class. TypeError for anything but a class of errors."""
    if not issubclass(error_type, Exception) or issubclass(error_type, Warning):
        raise type_error(f"error_type must be a class of errors, got {error_type}")
    _claim(error_type, cond, message)


def _check_is_size(i: int, message: _Message = None, *, max: int | None = None) -> None:
    """`_check` of whether a number is at least 0, and at most ``max``."""
    _claim(RuntimeError, i >= 0 and (max is None or i <= max), message)


def _check_index(cond: bool, message: _Message = None) -> None:
    """`_check` with an IndexError."""
    _claim(IndexError, cond, message)


def _check_value(cond: bool, message: _Message = None) -> None:
    """`_check` with a ValueError."""
    _claim(ValueError, cond, message)


def _check_type(cond: bool, message: _Message = None) -> None:
    """`_check` with a TypeError."""
    _claim(TypeError, cond, message)


def _check_not_implemented(cond: bool, message: _Message = None) -> None:
    """`_check` with a NotImplementedError."""
    _claim(NotImplementedError, cond, message)


def _check_tensor_all(cond: Any, message: _Message = None) -> None:
    """`_check` of whether all elements of a Tensor of bools are true. TypeError for other types of elements."""
    if not isinstance(cond, Tensor) or cond.dtype != bool_dtype:
        what = f"has dtype {cond.dtype}" if isinstance(cond, Tensor) else f"is {type(cond)}"
        raise type_error(f"cond must be a tensor with dtype torch.bool, but {what}")
    _claim(RuntimeError, bool(cond.all()), message)


def _has_compatible_shallow_copy_type(input: Tensor, from_: Tensor) -> bool:
    """Whether ``input.data = from_`` can do: both are dense, or sparse in the same way."""
    return bool(input.layout == from_.layout)

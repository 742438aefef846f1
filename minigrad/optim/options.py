"""Checks of optimizers' options, with the first words of PyTorch's sentences."""

from __future__ import annotations

from typing import Any

from minigrad.errors import runtime_error, type_error, value_error
from minigrad.tensor import Tensor


def chosen(given: dict[str, Any], names: str) -> dict[str, Any]:
    """The options among the local variables of a constructor, in the order in which PyTorch's groups have them."""
    return {name: given[name] for name in names.split()}


def check_one(name: str, x: Any) -> None:
    """ValueError for a Tensor of several elements."""
    if isinstance(x, Tensor) and x.numel() != 1:
        raise value_error(f"Tensor {name} must be 1-element, got shape {tuple(x.shape)}")


def check_rate(lr: Any) -> None:
    """ValueError for a learning rate that is negative, or a Tensor of several elements."""
    check_one("lr", lr)
    check(lr, "learning rate")


def check(value: Any, what: str) -> None:
    """ValueError for a negative number."""
    if not value >= 0.0:
        raise value_error(f"Invalid {what}: {value}; it must not be negative")


def check_betas(betas: Any) -> None:
    """ValueError unless both are in [0, 1); TypeError for anything but two."""
    if not hasattr(betas, "__getitem__"):
        raise type_error(f"betas must be two numbers, as in (0.9, 0.999), not {type(betas).__name__}")
    for i in (0, 1):
        if not 0.0 <= betas[i] < 1.0:
            raise value_error(f"Invalid beta parameter at index {i}: {betas[i]}; it must be in [0, 1)")


def check_moments(lr: Any, eps: Any, betas: Any, weight_decay: Any) -> None:
    """What Adam and its kin check, in PyTorch's order."""
    check_rate(lr)
    check(eps, "epsilon value")
    check_betas(betas)
    check(weight_decay, "weight_decay value")


def check_kernels(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """RuntimeError if PyTorch's kernels are chosen in a way that PyTorch refuses."""
    if fused and differentiable:
        raise runtime_error("`fused` does not support `differentiable`")
    if fused and foreach:
        raise runtime_error("`fused` and `foreach` cannot be `True` together.")

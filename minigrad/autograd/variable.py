"""`Variable`, which has been no more than a Tensor since PyTorch 0.4."""

from __future__ import annotations

from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.errors import type_error, warn


class _IsTensor(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_IsTensor):
    """A leaf over the memory of a Tensor, for old scripts: ``Variable(x)`` is ``x.detach()``.

    ``volatile`` is accepted with a UserWarning. TypeError for anything but a Tensor. Every Tensor is an instance.
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: bool | None = None) -> Any:
        if not isinstance(data, Tensor):
            raise type_error(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if volatile is not None:
            warn("volatile was removed and now has no effect. Use `with minigrad.no_grad():` instead.")
        leaf: Any = data.detach()
        return leaf.requires_grad_() if requires_grad else leaf

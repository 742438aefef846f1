"""All Tensors of a Module at once, converted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.autograd import no_grad
from minigrad.core.contents import Contents
from minigrad.device import check_device
from minigrad.dtypes import dtype as DType
from minigrad.errors import type_error
from minigrad.nn._text import type_name
from minigrad.nn.parameter import is_lazy
from minigrad.tensor import Tensor


def dtype_of_to(
    *args: Any,
    device: Any = None,
    dtype: Any = None,
    non_blocking: bool = False,
    copy: bool = False,
    tensor: Tensor | None = None,
    memory_format: Any = None,
    **other: Any,
) -> DType | None:
    """The dtype that the arguments of ``Module.to`` ask for. TypeError or RuntimeError for wrong ones."""
    for x in args if tensor is None else (*args, tensor):
        if isinstance(x, Tensor):
            dtype = x.dtype
        elif isinstance(x, DType):
            dtype = x
        # a bool is non_blocking, which changes nothing here
        elif not isinstance(x, bool) and x is not None:
            device = x
    if other or not (dtype is None or isinstance(dtype, DType)):
        raise type_error(
            f"to() received an invalid combination of arguments: {args}, dtype={dtype!r}, {other}; "
            "expected a dtype such as minigrad.float64, a device ('cpu'), both, or a Tensor"
        )
    if device is not None and not isinstance(device, str) and not hasattr(device, "type"):
        raise type_error(f"to() expects a dtype, a device or a Tensor, got {type_name(device)}")
    # A skeleton for `functional_call` keeps its values, which are not read.
    if getattr(device, "type", device) != "meta":
        check_device(device)
    return dtype


def convert(tables: Contents, fn: Callable[[Tensor], Tensor]) -> None:
    """Puts ``fn(t)`` for the data of each parameter, gradient and buffer of one module.

    Parameters and their gradients stay the objects that they are.
    """
    with no_grad():
        for p in tables.parameters.values():
            if p is None:
                continue
            # A gradient has its parameter's dtype, so both change together.
            grad, p.grad = p.grad, None
            try:
                p.data = fn(p.data)
                if grad is not None:
                    grad.data = fn(grad.data)
            finally:
                p.grad = grad
        for name, buffer in tables.buffers.items():
            if is_lazy(buffer):
                buffer.data = fn(buffer.data)
            elif buffer is not None:
                tables.buffers[name] = fn(buffer)

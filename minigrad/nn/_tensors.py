"""All Tensors of a Module at once, converted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from minigrad.autograd import no_grad
from minigrad.core.contents import Contents
from minigrad.device import DeviceLike, check_device
from minigrad.device import device as Device
from minigrad.dtypes import bfloat16, float16, float32, float64
from minigrad.dtypes import dtype as DType
from minigrad.errors import type_error, warn
from minigrad.functions.creation import empty_like
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


class Converted:
    """The part of a Module that converts its Tensors."""

    if TYPE_CHECKING:
        __minigrad_contents__: Callable[[], Contents]

        def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self: ...

    def to(self, *args: DType | DeviceLike | Tensor | bool, **kwargs: Any) -> Self:
        """Converts floating-point parameters and buffers in place; returns self.

        ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(tensor)``, or the keywords ``device``,
        ``dtype``, ``tensor``, ``non_blocking``, ``memory_format``, which those of 4 or 5 dimensions take. The only
        device is the CPU. Raises TypeError for a dtype that is not floating, AssertionError for a graphics card,
        RuntimeError for another device or a format of another number of dimensions; a UserWarning for a complex dtype.
        """
        dtype, format = dtype_of_to(*args, **kwargs), kwargs.get("memory_format")
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise type_error(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        if format is not None:
            self._apply(lambda t: t.to(memory_format=format) if t.dim() in (4, 5) else t)
        if dtype is None:
            return self
        if dtype.is_complex:
            warn(
                "Complex modules are a new feature under active development whose design may change, and some modules "
                "might not work as expected when using complex tensors as parameters or buffers."
            )
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() or t.is_complex() else t)

    def to_empty(self, *, device: DeviceLike, recurse: bool = True) -> Self:
        """Gives all parameters and buffers other memory, with whatever is in it; returns self."""
        check_device(device)
        return self._apply(empty_like, recurse)

    def share_memory(self) -> Self:
        """Moves parameters and buffers to memory that processes share, see `Tensor.share_memory_`; returns self."""
        return self._apply(lambda t: t.share_memory_())

    def cpu(self) -> Self:
        """Returns self: the CPU is the only device."""
        return self

    def cuda(self, device: DeviceLike | int = None) -> Self:
        """AssertionError: the CPU is the only device."""
        Device("cuda" if device is None or isinstance(device, int) else device)
        return self

    def _of_floats(self, dtype: DType) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Converts floating-point parameters and buffers to float32; returns self."""
        return self._of_floats(float32)

    def double(self) -> Self:
        """Converts floating-point parameters and buffers to float64; returns self."""
        return self._of_floats(float64)

    def half(self) -> Self:
        """Converts floating-point parameters and buffers to float16; returns self."""
        return self._of_floats(float16)

    def bfloat16(self) -> Self:
        """Converts floating-point parameters and buffers to bfloat16; returns self."""
        return self._of_floats(bfloat16)

    def type(self, dst_type: DType | str) -> Self:
        """Converts all parameters and buffers, also those of integers, to ``dst_type``; returns self.

        It is what ``Tensor.type`` takes.
        """
        return self._apply(lambda t: t.type(dst_type))

"""What a Tensor is made of and tells of itself."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import needs_value
from minigrad.core.mode import MODE
from minigrad.core.op import Array
from minigrad.core.quiet import QUIET
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor, extend, of_users
from minigrad.core.types import Number
from minigrad.core.views import refresh
from minigrad.device import DeviceLike
from minigrad.device import device as Device
from minigrad.errors import runtime_error, type_error, value_error, warn_once
from minigrad.functions.dims import one_dim
from minigrad.gate import methods
from minigrad.hints import MissingMethods

if TYPE_CHECKING:
    Own = TypeVar("Own", bound="Tensor")


@extend
@methods
class _Value(Tensor):
    """Its making, its array, its shape, its conversion to Python's values."""

    _grad: Tensor | None = None

    def __new__(cls, *data: int | Sequence[Any] | Array | Tensor, device: DeviceLike = None) -> Self:
        only = data[0] if len(data) == 1 else None
        if isinstance(only, Tensor) and device is None:
            return Tensor.as_subclass(only, cls)
        from minigrad.functions.typed import typed

        made = typed(data, dtypes.get_default_dtype(), device)
        return cls._make_subclass(cls, made, False)

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return tuple.__new__(Size, self._array.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""
        return dtypes.OF_NUMPY[self._array.dtype]

    @property
    def device(self) -> Device:
        """Always the CPU."""
        return Device()

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._array.itemsize

    def element_size(self) -> int:
        """The bytes of one element."""
        return self._array.itemsize

    @property
    def layout(self) -> Any:
        """``strided``: that of all dense Tensors."""
        from minigrad.formats import strided

        return strided

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._array.nbytes

    @overload
    def size(self, dim: None = None) -> Size: ...

    @overload
    def size(self, dim: int) -> int: ...

    def size(self, dim: int | None = None) -> Size | int:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self._array.shape[one_dim(dim, self._array.ndim)]

    def dim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self._array.size

    nelement = numel

    @property
    def strides(self) -> tuple[int, ...]:
        """The step in memory along each dimension in bytes, as NumPy's arrays have it; matplotlib asks for it."""
        return self._array.strides

    @overload
    def stride(self, dim: None = None) -> tuple[int, ...]: ...

    @overload
    def stride(self, dim: int) -> int: ...

    def stride(self, dim: int | None = None) -> tuple[int, ...] | int:
        """The step in memory along each dimension, in elements."""
        a, steps = self._array, list[int]()
        next_step = 1
        for n, step in zip(a.shape[::-1], a.strides[::-1], strict=True):
            # NumPy says 0 of a dimension of size 1 that it has added, and where there are no elements.
            unsaid = not step and (n == 1 or not a.size)
            steps.append(next_step if unsaid else step // a.itemsize)
            next_step = steps[-1] * max(n, 1)
        return tuple(steps[::-1]) if dim is None else steps[::-1][one_dim(dim, len(steps))]

    def dim_order(self, *, ambiguity_check: bool | list[Any] = False) -> tuple[int, ...]:
        """The dimensions in the order in which memory goes over them, the outermost first.

        ``ambiguity_check``: True for a RuntimeError where another order is as true, as with dimensions of size 1; of a
        list of memory formats, where it lies not in exactly one of them. TypeError for anything else.
        """
        steps, dims = self.stride(), range(self._array.ndim)
        if isinstance(ambiguity_check, bool):
            clear = not ambiguity_check or (
                min(self._array.shape, default=2) > 1 and len({*steps}) == len(steps)
            )
        elif isinstance(ambiguity_check, list):
            clear = [self.is_contiguous(f) for f in ambiguity_check].count(True) == 1
        else:
            raise type_error("The ambiguity_check argument must be a bool or a list of memory formats.")
        if not clear:
            raise runtime_error(
                "The tensor does not have unique dim order, or cannot map to exact one of the given memory formats."
            )
        return tuple(dims) if self.is_contiguous() else tuple(sorted(dims, key=lambda d: -steps[d]))

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether memory is in row order, or in that of the format, without gaps. TypeError for anything else."""
        if memory_format is not None:
            from minigrad.formats import rank_of

            if rank := rank_of(memory_format):
                a = self._array
                return a.ndim == rank and bool(np.moveaxis(a, 1, -1).flags.c_contiguous)
        return bool(self._array.flags.c_contiguous)

    def is_floating_point(self) -> bool:
        """Whether elements are floats."""
        return bool(self._array.dtype.kind in "fV")

    def is_inference(self) -> bool:
        """Whether it was made in inference mode."""
        return bool(self._inference)

    @property
    def _cdata(self) -> int:
        """A number that no other Tensor has while this one lives."""
        return id(self)

    def data_ptr(self) -> int:
        """The address of the first element."""
        needs_value("data_ptr()")
        return int(self._array.ctypes.data)

    def item(self) -> Number:
        """The one element as a Python number. RuntimeError unless there is exactly one."""
        if self._array.size != 1:
            raise runtime_error(
                f"a Tensor with {self._array.size} elements cannot be converted to Scalar: its shape is "
                f"{list(self._array.shape)}; use .tolist(), or reduce it with .sum() or .mean()"
            )
        needs_value("item()")
        return self._array.item()

    def tolist(self) -> list[Any]:
        """Nested lists of Python numbers; for a 0-d Tensor the number."""
        needs_value("tolist()")
        return self._array.tolist()

    def numpy(self, *, force: bool = False) -> Array:
        """An array over the same memory.

        RuntimeError if the Tensor requires grad, unless ``force`` is True or grad mode is off; TypeError for bfloat16.
        """
        if self.requires_grad and not force and MODE.get().grad:
            raise runtime_error(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        needs_value("numpy()")
        if self._array.dtype.kind == "V":
            raise type_error("Got unsupported ScalarType BFloat16: NumPy lacks it; use .float().numpy()")
        return self._array.view()  # of its own, for an array can be given another shape or made read-only

    def __array__(self, dtype: np.dtype[Any] | None = None, copy: bool | None = None) -> Array:
        if self.requires_grad and MODE.get().grad:
            raise runtime_error(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead. Of several "
                "Tensors stack() makes one that is recorded."
            )
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise value_error(
                    "Unable to avoid copy while converting a Tensor to an array of another dtype"
                )
            return QUIET.run(array.astype, dtype)
        return array.copy() if copy else array

    def __repr__(self) -> str:
        from minigrad._printing import tensor_text

        needs_value("printing a Tensor")
        suffixes = []
        usual = dtypes.default_float()
        default = self._array.dtype in (usual, dtypes.complex_of(usual), dtypes.I64, dtypes.BOOL)
        if not default or (self._array.size == 0 and self._array.dtype != dtypes.default_float()):
            suffixes.append(f"dtype={self.dtype}")
        refresh(self)
        node = self._node
        if node is not None and node.requires_grad:
            suffixes.append("requires_grad=True" if node.op is None else f"grad_fn=<{node.title()}>")
        kind = type(self)
        if not of_users(kind):
            return tensor_text(self._array, suffixes=suffixes)
        text = tensor_text(self._array, suffixes=suffixes, prefix=f"{kind.__name__}(")
        return f"Parameter({text})" if self._is_param else text

    _is_param = False  # whether it passes for a Parameter

    def __format__(self, spec: str) -> str:
        if self._array.ndim == 0 and (spec or type(self) is Tensor):
            return format(self.item(), spec)
        return object.__format__(self, spec) if spec else repr(self)

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise type_error("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if self._array.ndim == 0:
            raise type_error("iteration over a 0-d tensor")
        return iter(Tensor.unbind(self))

    def __delitem__(self, key: object) -> None:
        raise type_error("Tensor does not support deleting items; cat() what stays")

    def __reversed__(self) -> Tensor:
        return self.flip(0) if self._array.ndim else self

    def __contains__(self, element: object) -> bool:
        needs_value("the operator in")
        known = isinstance(element, (Tensor, int, float, complex, np.generic, np.ndarray))
        equal: Any = Tensor.__eq__(self, element) if known else NotImplemented
        if equal is NotImplemented:
            raise runtime_error(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element).__name__}"
            )
        return bool(equal._array.any())

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise runtime_error(
                f"Boolean value of Tensor with {'more than one value' if self._array.size else 'no values'} "
                "is ambiguous; use .any() or .all()"
            )
        needs_value("bool(): a condition")
        return bool(self._array.item())

    __nonzero__ = __bool__

    def __int__(self) -> int:
        return int(self._real())

    def __float__(self) -> float:
        if self.requires_grad and MODE.get().grad:
            warn_once(
                "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior. "
                "Consider using tensor.detach() first"
            )
        return float(self._real())

    def __complex__(self) -> complex:
        return complex(self._only())

    def _real(self) -> Number:
        """The one element. RuntimeError where it has an imaginary part."""
        only = self._only()
        if isinstance(only, complex):
            if only.imag:
                raise runtime_error(
                    "value cannot be converted to type double without overflow; take its real part"
                )
            only = only.real
        return only

    def _only(self) -> Number:
        """The one element; ValueError, where `item` has a RuntimeError: PyTorch's kinds."""
        needs_value("a conversion to a Python number")
        if self._array.size != 1:
            raise value_error(
                "only one element tensors can be converted to Python scalars, this one has shape "
                f"{list(self._array.shape)}"
            )
        return self._array.item()

    def __index__(self) -> int:
        if self._array.size != 1 or self._array.dtype.kind not in "biu":
            raise type_error("only integer tensors of a single element can be converted to an index")
        needs_value("use as an index of Python")
        return operator.index(self._array.item())

    def __dir__(self) -> list[str]:
        known = [vars(c) for c in type(self).__mro__ if c is not MissingMethods]
        return sorted({*vars(self)}.union(*known) - {"_array", "_node", "_rows", "_view"})

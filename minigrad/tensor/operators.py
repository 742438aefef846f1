"""Operators, and the functions that are methods too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from minigrad.core.apply import NotAnOperand, apply, wrap_operand
from minigrad.core.names import known_as
from minigrad.core.op import Array, Op
from minigrad.core.recorder import Numeral
from minigrad.core.tensor import Tensor, extend
from minigrad.core.types import Number, Operand
from minigrad.core.views import apply_view
from minigrad.errors import runtime_error, type_error, warn_once
from minigrad.functions import elementwise, inplace, linalg, lookup, table
from minigrad.functions import index as indexing
from minigrad.functions.store import update
from minigrad.gate import methods
from minigrad.gate.overriding import foreign
from minigrad.ops import elementwise as e
from minigrad.ops.shape import permute

if TYPE_CHECKING:
    T = TypeVar("T", bound="Tensor")


def _operator(op: Op) -> Callable[[Tensor, Operand], Tensor]:
    def method(self: Tensor, other: Any) -> Any:
        try:
            return apply(op, (self, other))
        except NotAnOperand:
            return method(self, other) if foreign((other,)) else NotImplemented

    return method


def _reflected(op: Op) -> Callable[[Tensor, Operand], Tensor]:
    def method(self: Tensor, other: Any) -> Any:
        try:
            return apply(op, (other, self))
        except NotAnOperand:
            return method(self, other) if foreign((other,)) else NotImplemented

    return method


def _in_place(op: Op) -> Callable[[T, Operand], T]:
    def method(self: T, other: Any) -> Any:
        try:
            return update(self, op, (self, other))
        except NotAnOperand:
            return method(self, other) if foreign((other,)) else NotImplemented

    return method


_BINARY = {
    "add": e.add, "sub": e.sub, "mul": e.mul, "truediv": e.div, "floordiv": e.floor_divide, "mod": e.remainder,
    "and": e.bitwise_and, "or": e.bitwise_or, "xor": e.bitwise_xor,
    "lshift": e.bitwise_left_shift, "rshift": e.bitwise_right_shift,
}  # fmt: skip
_COMPARE = {"eq": e.eq, "ne": e.ne, "lt": e.lt, "le": e.le, "gt": e.gt, "ge": e.ge}


def _with_functions(methods: type[Tensor]) -> type[Tensor]:
    """Class decorator: adds operators, and the functions that are methods too, where the class has none itself."""
    own = vars(methods)
    added: dict[str, Any] = {name: lookup.Later(name) for name in lookup.METHODS}
    for name, op in _BINARY.items():
        added |= {f"__{name}__": _operator(op), f"__r{name}__": _reflected(op), f"__i{name}__": _in_place(op)}
    added |= {f"__{name}__": _operator(op) for name, op in _COMPARE.items()}
    added |= {"__getitem__": indexing.getitem, "__setitem__": inplace.setitem}
    for name, function in added.items():
        if name.startswith("__"):
            function.__name__, function.__qualname__, function.__module__ = name, f"Tensor.{name}", "minigrad"
        if name not in own or name in ("__eq__", "__ne__"):
            setattr(methods, name, function)
    # Names of Python 2, which classes with a `__torch_function__` list.
    for name in ("div", "idiv"):
        setattr(methods, f"__{name}__", added[f"__{name.replace('div', 'truediv')}__"])
    return methods


@extend
@methods
@_with_functions
class _Operators(Tensor):
    """Operators that are more than one operation, and methods beside the functions."""

    def __rtruediv__(self, other: Operand) -> Tensor:
        kind: type = type(other)
        if kind in (int, float) or isinstance(other, Numeral):
            # PyTorch: only the reciprocal is kept, and the result may be changed in place
            return apply(e.mul, (apply(e.reciprocal, (self,)), other))
        try:
            return apply(e.div, (other, self))
        except NotAnOperand:
            return Tensor.__rtruediv__(self, other) if foreign((other,)) else NotImplemented

    __rdiv__ = __rtruediv__
    __neg__ = table.neg
    __pos__ = elementwise.positive
    __abs__ = table.abs
    __getitem__ = indexing.getitem
    __setitem__ = inplace.setitem

    def __invert__(self) -> Tensor:
        if self._array.dtype.kind in "fcV":
            raise type_error(
                "~ (operator.invert) is only implemented on integer and Boolean-type tensors; this one is of "
                f"{self._array.dtype}: convert it with .bool() first"
            )
        return apply(e.bitwise_not, (self,))

    def __pow__(self, exponent: Operand) -> Tensor:
        return elementwise.pow(self, exponent)

    def __rpow__(self, base: Operand) -> Tensor:
        return elementwise.pow(base, self)

    def __ipow__(self, exponent: Operand) -> Tensor:
        return self.pow_(exponent)

    def __matmul__(self, other: Tensor | Array) -> Tensor:
        return linalg.matmul(self, operand(other))

    def __rmatmul__(self, other: Tensor | Array) -> Tensor:
        return linalg.matmul(operand(other), self)

    @property
    def T(self) -> Tensor:
        """The dimensions in reverse order; deprecated in PyTorch but for matrices."""
        if self._array.ndim != 2:
            warn_once(
                "Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases."
                if not self._array.ndim
                else "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated. "
                "Consider `x.mT` to transpose batches of matrices or `x.permute(*range(x.ndim)[::-1])` to reverse the "
                "dimensions"
            )
        return apply_view(permute, self, {"axes": tuple(range(self._array.ndim))[::-1]})

    @property
    def real(self) -> Tensor:
        """The real part, as a view; of real numbers the Tensor itself."""
        return lookup.function("real")(self)

    @real.setter
    def real(self, value: Tensor | Number) -> None:
        part = self.real
        part[...] = value

    @property
    def imag(self) -> Tensor:
        """The imaginary part, as a view. RuntimeError for real numbers."""
        return lookup.function("imag")(self)

    @imag.setter
    def imag(self, value: Tensor | Number) -> None:
        part = self.imag
        part[...] = value

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged; RuntimeError for a vector."""
        ndim = self._array.ndim
        if ndim == 1:
            raise runtime_error(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {ndim}-D tensor."
            )
        axes = (*range(ndim - 2), ndim - 1, ndim - 2) if ndim else ()
        return known_as("TransposeBackward0", apply_view(permute, self, {"axes": axes}))

    @property
    def mH(self) -> Tensor:
        """`mT`, conjugated. RuntimeError for a vector."""
        if self._array.ndim == 1:
            raise runtime_error(
                "tensor.mH is only supported on matrices or batches of matrices. Got 1-D tensor."
            )
        return lookup.function("conj")(self.mT)

    @property
    def H(self) -> Tensor:
        """The transposed matrix, conjugated. RuntimeError for anything but a matrix."""
        ndim = self._array.ndim
        if ndim not in (0, 2):
            more = " For batches of matrices, consider using tensor.mH" if ndim > 2 else ""
            raise runtime_error(
                f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor.{more}"
            )
        return lookup.function("conj")(self.mT)

    def polygamma(self, n: int) -> Tensor:
        """`minigrad.polygamma` of it."""
        return lookup.function("polygamma")(n, self)

    def where(self, condition: Tensor, other: Operand) -> Tensor:
        """Itself where ``condition`` holds, else ``other``."""
        return elementwise.where(condition, self, other)


def operand(other: Any) -> Any:
    """An array among the operands as a Tensor."""
    return wrap_operand(other) if isinstance(other, np.ndarray) else other

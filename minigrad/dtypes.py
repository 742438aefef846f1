"""Element types under PyTorch's names, and PyTorch's rules for mixing them."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Iterable
from typing import Any, Self, TypeAlias

import numpy as np

__all__ = [
    "bfloat16", "bool", "cdouble", "cfloat", "chalf", "complex32", "complex64", "complex128", "double", "dtype",
    "float", "float8_e4m3fn", "float8_e5m2", "float16", "float32", "float64", "get_default_dtype", "half", "int",
    "int8", "int16", "int32", "int64", "long", "promote_types", "qint8", "qint32", "quint2x4", "quint4x2", "quint8",
    "result_type", "set_default_dtype", "short", "uint8", "uint16", "uint32", "uint64",
]  # fmt: skip

NumpyType: TypeAlias = np.dtype[Any]

# What types and sizes are printed with: scripts for PyTorch print "torch.float32" and so on.
_library = "minigrad"


def print_as(library: str) -> None:
    """From now on types and sizes print as those of this library."""
    global _library
    _library = library


def printed(name: str) -> str:
    """A name as it is printed, such as ``minigrad.float32``."""
    return f"{_library}.{name}"


_Bool: TypeAlias = bool  # the builtins, before the element types below take their names
_Int: TypeAlias = int


class dtype:
    """An element type such as ``minigrad.float32``; ``numpy`` is its NumPy twin."""

    __slots__ = ("is_complex", "is_floating_point", "name", "numpy")
    is_here = True  # whether Tensors have it

    def __init__(self, name: str) -> None:
        self.name = name
        self.numpy = np.dtype(name)
        self.is_floating_point, self.is_complex = self.numpy.kind in "fV", self.numpy.kind == "c"

    @property
    def dtype(self) -> NumpyType:
        """The same as ``numpy``: by it NumPy's functions take this object for their ``dtype``."""
        return self.numpy

    @property
    def itemsize(self) -> _Int:
        """Bytes per element."""
        return self.numpy.itemsize

    @property
    def is_signed(self) -> _Bool:
        """Whether negative values exist."""
        return self.numpy.kind in "ifcV"

    def to_complex(self) -> Self:
        """The complex type whose parts have this floating-point type. RuntimeError for others, and for float16."""
        if self.is_complex:
            return self
        if not self.is_here or self.numpy not in _COMPLEX_OF:
            raise RuntimeError(f"to_complex(): {self} has no complex type")
        other: Any = OF_NUMPY[_COMPLEX_OF[self.numpy]]
        return other

    def to_real(self) -> Self:
        """The type of the parts of a complex type; any other is real itself. RuntimeError for complex32."""
        if not self.is_complex:
            return self
        if not self.is_here:
            raise RuntimeError(f"to_real(): {self} is a name only")
        part: Any = OF_NUMPY[_REAL_OF[self.numpy]]
        return part

    def __repr__(self) -> str:
        return printed(self.name)

    def __reduce__(self) -> str:
        return self.name


class _Brain(dtype):
    """bfloat16, which is NumPy's by the package ml_dtypes: it is imported when the type is first used.

    NumPy gives it the kind "V", as it gives its own floats the kind "f".
    """

    __slots__ = ()

    def __init__(self) -> None:
        self.name, self.is_floating_point, self.is_complex = "bfloat16", True, False

    def __getattr__(self, name: str) -> Any:
        if name != "numpy":
            raise AttributeError(f"'dtype' object has no attribute {name!r}")
        try:
            from ml_dtypes import bfloat16 as scalar
        except ImportError as error:
            raise ImportError(
                "bfloat16 needs the package ml_dtypes (the extra `bfloat16`): pip install "
                '"minigrad-tape[bfloat16]"'
            ) from error
        self.numpy = np.dtype(scalar)
        OF_NUMPY[self.numpy], _COMPLEX_OF[self.numpy] = self, C64
        return self.numpy

    @property
    def itemsize(self) -> _Int:
        """2 bytes."""
        return 2

    @property
    def is_signed(self) -> _Bool:
        """True."""
        return True


class _Absent(dtype):
    """One that only PyTorch has: programs may name it and compare with it, and no Tensor has it."""

    __slots__ = ("_itemsize",)
    is_here = False

    def __init__(self, name: str, itemsize: _Int) -> None:
        self.name, self._itemsize = name, itemsize
        self.is_floating_point, self.is_complex = "float" in name, name.startswith("complex")

    @property
    def numpy(self) -> NumpyType:  # type: ignore[override]
        """TypeError."""
        raise TypeError(
            f"{self.name} is a name alone, no Tensor has this element type: "
            "minigrad computes in float16, bfloat16, float32, float64, complex64 and complex128, and counts in int8 to "
            "int64 and uint8"
        )

    @property
    def itemsize(self) -> _Int:
        """Bytes per element."""
        return self._itemsize

    @property
    def is_signed(self) -> _Bool:
        """Whether negative values exist."""
        return not self.name.startswith(("u", "q"))


DTypeLike: TypeAlias = "dtype | NumpyType | type[Any]"

bool = dtype("bool")
uint8 = dtype("uint8")
int8 = dtype("int8")
int16 = short = dtype("int16")
int32 = int = dtype("int32")
int64 = long = dtype("int64")
float16 = half = dtype("float16")
float32 = float = dtype("float32")
float64 = double = dtype("float64")
bfloat16 = _Brain()
float8_e4m3fn, float8_e5m2 = (_Absent(name, 1) for name in ("float8_e4m3fn", "float8_e5m2"))
complex32 = chalf = _Absent("complex32", 4)
complex64 = cfloat = dtype("complex64")
complex128 = cdouble = dtype("complex128")
uint16, uint32, uint64 = (_Absent(f"uint{8 * n}", n) for n in (2, 4, 8))
qint8, quint8, qint32, quint4x2, quint2x4 = (
    _Absent(name, n)
    for name, n in (("qint8", 1), ("quint8", 1), ("qint32", 4), ("quint4x2", 1), ("quint2x4", 1))
)

OF_NUMPY = {
    t.numpy: t
    for t in (bool, uint8, int8, int16, int32, int64, float16, float32, float64, complex64, complex128)
}
# As classes of one element type name it: FloatTensor, FloatStorage.
IN_CLASSES = {
    float32: "Float", float64: "Double", float16: "Half", bfloat16: "BFloat16", int64: "Long", int32: "Int",
    int16: "Short", int8: "Char", uint8: "Byte", bool: "Bool", complex64: "ComplexFloat", complex128: "ComplexDouble",
}  # fmt: skip
_IN_C = {
    float16: "c10::Half", bfloat16: "c10::BFloat16", int64: "long int", int16: "short int", int8: "signed char",
    uint8: "unsigned char", complex64: "c10::complex<float>", complex128: "c10::complex<double>",
}  # fmt: skip
F16, F32, F64 = float16.numpy, float32.numpy, float64.numpy
C64, C128 = complex64.numpy, complex128.numpy
I64, BOOL = int64.numpy, bool.numpy

# As in PyTorch there is one default for the process, so that new threads have it too.
_default = F32


def get_default_dtype() -> dtype:
    """The floating dtype that new tensors of Python floats get (float32 unless set)."""
    return OF_NUMPY[_default]


def set_default_dtype(d: DTypeLike) -> None:
    """Sets the dtype of new tensors of Python floats. TypeError unless ``d`` is a floating dtype."""
    global _default
    numpy = as_numpy(d)
    if numpy.kind not in "fV":
        raise TypeError(
            f"set_default_dtype: only floating-point types are supported as the default type, got {d!r}"
        )
    _default = numpy


def default_float() -> NumpyType:
    """The NumPy dtype of `get_default_dtype`."""
    return _default


def as_numpy(d: DTypeLike) -> NumpyType:
    """The NumPy dtype of a minigrad dtype, a NumPy dtype or a Python type; TypeError otherwise.

    Python's float and int are of 64 bits, as in PyTorch.
    """
    if isinstance(d, dtype):
        return d.numpy
    numpy: NumpyType | None = None
    if isinstance(d, np.dtype):
        if (known := OF_NUMPY.get(d)) is not None:
            return known.numpy
        numpy = d.newbyteorder("=")
        if numpy.name == "bfloat16":
            return bfloat16.numpy
    elif isinstance(d, type):
        numpy = _OF_PYTHON.get(d) or (np.dtype(d) if issubclass(d, np.generic) else None)
    if numpy is None or numpy not in OF_NUMPY:
        array = isinstance(d, np.dtype)
        given = f"can't convert np.ndarray of type numpy.{d.type.__name__}: " if array else ""
        raise TypeError(
            f"{given}minigrad has no element type {d!r}; it has bool, uint8, int8, int16, int32, int64, float16, "
            f"bfloat16, float32, float64, complex64, complex128{'; use .astype()' if array else ''}"
        )
    return OF_NUMPY[numpy].numpy  # one object for each, which the fast paths tell by identity


_PY_FLOAT = builtins.float
_OF_PYTHON = {builtins.complex: C128, builtins.float: F64, builtins.int: I64, builtins.bool: BOOL}
_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}
_COMPLEX_OF = {F32: C64, F64: C128}
_REAL_OF = {C64: F32, C128: F64}


def complex_of(d: NumpyType) -> NumpyType:
    """The complex dtype with the precision of a floating one, complex64 for float16; of others that of the default."""
    return (
        d if d.kind == "c" else _COMPLEX_OF.get(d, C64) if d.kind in "fV" else _COMPLEX_OF.get(_default, C64)
    )


def real_of(d: NumpyType) -> NumpyType:
    """The dtype of the parts of complex numbers; another as it is."""
    return _REAL_OF.get(d, d)


def promote(d: NumpyType, e: NumpyType) -> NumpyType:
    """PyTorch's ``promote_types``: int64 with float32 stays float32, where NumPy would widen."""
    if d is e or d == e:
        return d
    if _CATEGORY[d.kind] >= 2 and _CATEGORY[e.kind] < 2:
        return d
    if _CATEGORY[e.kind] >= 2 and _CATEGORY[d.kind] < 2:
        return e
    return np.promote_types(*(F32 if x.kind == "V" else x for x in (d, e)))


def working(d: NumpyType) -> NumpyType:
    """The dtype in which several steps are computed that end in ``d``: float32 for float16 and bfloat16, else ``d``."""
    return F32 if d == F16 or d.kind == "V" else d


def is_short(d: NumpyType | None) -> _Bool:
    """Whether a dtype is one of floats of two bytes."""
    return d is not None and (d == F16 or d.kind == "V")


@functools.cache
def largest(d: NumpyType) -> builtins.float:
    """The largest finite number of a floating or complex dtype."""
    return (2 - 2**-7) * 2.0**127 if d.kind == "V" else builtins.float(np.finfo(d).max)


def short_name(d: NumpyType) -> str:
    """PyTorch's name for a floating dtype of two bytes, which some functions do not take; "" for any other."""
    return "BFloat16" if d.kind == "V" else "Half" if d == F16 else ""


def scalar(d: dtype | NumpyType) -> str:
    """What PyTorch's sentences call an element type: Float, Long."""
    return IN_CLASSES[d if isinstance(d, dtype) else OF_NUMPY.get(d, bfloat16)]


def in_c(d: dtype | NumpyType) -> str:
    """What others of PyTorch's sentences call it: float, long int."""
    kind = d if isinstance(d, dtype) else OF_NUMPY.get(d, bfloat16)
    return _IN_C.get(kind, IN_CLASSES[kind].lower())


def limits(d: NumpyType) -> Any:
    """NumPy's ``finfo`` of a floating dtype."""
    if d.kind != "V":
        return np.finfo(d)
    from ml_dtypes import finfo

    return finfo(d)  # type: ignore[no-untyped-call, unused-ignore]


def can_cast(source: NumpyType, to: NumpyType) -> _Bool:
    """Whether PyTorch lets values of one dtype be written to another: never down a category."""
    return _CATEGORY[source.kind] <= _CATEGORY[to.kind]


def promote_types(type1: DTypeLike, type2: DTypeLike) -> dtype:
    """The dtype in which both meet: the smallest that both convert to, as in PyTorch."""
    return OF_NUMPY[promote(as_numpy(type1), as_numpy(type2))]


def common(operands: Iterable[object]) -> NumpyType:
    """The dtype in which operands meet.

    ``operands`` are arrays or numbers, NumPy's among them.  Arrays with dimensions decide first, then 0-d ones, then
    numbers; a later group only counts where its category (bool < integer < float < complex) is higher.  TypeError
    without operands.
    """
    groups: list[NumpyType | None] = [None, None, None]
    for x in operands:
        if isinstance(x, np.ndarray):
            at, d = (0 if x.ndim else 1), x.dtype
        else:
            at, d = 2, number_dtype(python_number(x) if isinstance(x, np.generic) else x)
        seen = groups[at]
        groups[at] = d if seen is None else promote(seen, d)
    result: NumpyType | None = None
    for d_ in groups:
        if d_ is not None and (result is None or _CATEGORY[d_.kind] > _CATEGORY[result.kind]):
            # A complex number keeps the precision of floats that decide before it.
            result = (
                complex_of(result) if d_.kind == "c" and result is not None and result.kind in "fV" else d_
            )
    if result is None:
        raise TypeError("at least one operand is needed to find a dtype")
    return result


def number_dtype(x: object) -> NumpyType:
    """The dtype that a Python number has on its own: bool, int64, the default float, or complex with its precision."""
    if isinstance(x, _PY_BOOL):
        return BOOL
    if isinstance(x, _PY_INT):
        return I64
    if isinstance(x, _PY_FLOAT):
        return _default
    if isinstance(x, complex):
        return complex_of(_default)
    raise TypeError(f"expected a number or a Tensor, got {type(x).__name__}")


_PY_BOOL, _PY_INT = builtins.bool, builtins.int


def python_number(x: Any) -> Any:
    """The Python number of a NumPy number; one of more than 64 bits is rounded to them."""
    number = x.item()
    if isinstance(number, np.generic):
        return (builtins.complex if x.dtype.kind == "c" else _PY_FLOAT)(number)
    return number


def result_type(tensor1: object, tensor2: object) -> dtype:
    """The dtype that arithmetic on the two (Tensors or numbers) would give."""
    return OF_NUMPY[common([getattr(t, "_array", t) for t in (tensor1, tensor2)])]

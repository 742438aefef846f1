"""Functions that make Tensors: from data, filled, in steps.

Sizes are given one by one or as one sequence.  ``dtype`` None means: that of the data; the default float for
``zeros`` and its like; int64 for whole numbers in ``arange`` and ``full``.  ``device`` may only be the CPU.
"""

from __future__ import annotations

import contextlib
import math
from array import ArrayType
from collections.abc import Callable, Iterator
from functools import partial, reduce
from itertools import chain
from typing import Any, SupportsFloat, overload

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, cast, needs_value, wrap_operand
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.op import Array
from minigrad.core.promote import held, number
from minigrad.core.quiet import QUIET
from minigrad.core.recorder import Numeral
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Sizes
from minigrad.core.views import apply_view
from minigrad.device import DeviceLike, device
from minigrad.dtypes import DTypeLike
from minigrad.errors import not_implemented_error, runtime_error, type_error, value_error, warn
from minigrad.functions.elementwise import NumberLike, own, raw
from minigrad.functions.shape import sizes
from minigrad.gate import case, public
from minigrad.kernels import spaced
from minigrad.kernels.order import by_steps as by_steps
from minigrad.kernels.order import inverse
from minigrad.ops import elementwise, shape

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_numpy", "full", "full_like",
    "linspace", "ones", "ones_like", "tensor", "zeros", "zeros_like",
]  # fmt: skip


def _finish(array: Tensor | Array, requires_grad: bool, on: DeviceLike = None) -> Tensor:
    if on is not None:
        device(on)
    t: Any = array if isinstance(array, Tensor) else wrap(array)
    if requires_grad:
        t.requires_grad_()
    return t


def _dtype(dtype: DTypeLike | None) -> np.dtype[Any]:
    return dtypes.default_float() if dtype is None else dtypes.as_numpy(dtype)


# ---------------------------------------------------------------- from data


def to_array(data: Any, dtype: DTypeLike | None = None) -> Array:
    """Data as an array in PyTorch's dtype for it: Python floats in the default float, arrays in their own."""
    if (array := _of_one_kind(data, dtype)) is not None:
        return array
    if not isinstance(data, (Tensor, np.ndarray, np.generic)):
        data = _plain(data)
    if isinstance(data, Tensor):
        array = data._array
    elif isinstance(data, (np.ndarray, np.generic)):
        array = np.asarray(data)
        dtypes.as_numpy(array.dtype)
    else:
        array = _from_nested(data, dtype)
        if array.dtype.kind == "c" and dtype is not None and dtypes.as_numpy(dtype).kind not in "cb":
            raise type_error(f"must be real number, not complex: {dtype} has no imaginary part")
        if dtype is not None and array.size and not _holds(array, dtypes.as_numpy(dtype)):
            raise runtime_error(f"value cannot be converted to type {dtype} without overflow")
        if dtype is None and (array.dtype.kind in "fcV" or array.size == 0):
            dtype = dtypes.OF_NUMPY.get(_meeting(data), dtype)
    target = dtypes.as_numpy(array.dtype if dtype is None else dtype)
    return array if array.dtype == target and array.dtype.isnative else QUIET.run(array.astype, target)


def _of_one_kind(data: Any, dtype: DTypeLike | None) -> Any:
    """`to_array` of Python's floats, or of whole numbers without a dtype, in half the time; None for anything else."""
    kinds = {*map(type, data)} if data.__class__ in (list, tuple) else {data.__class__}
    if kinds == {float}:
        target = _dtype(dtype)
        return QUIET.run(np.array, data, target) if target is dtypes.F32 or target is dtypes.F64 else None
    if kinds == {int} and dtype is None:
        with contextlib.suppress(OverflowError):
            return np.array(data, dtypes.I64)
    return None


def _holds(array: Array, dtype: np.dtype[Any]) -> bool:
    """Whether whole numbers of ``dtype`` hold all elements; without sign it has negative whole ones too."""
    if dtype.kind not in "iu" or array.dtype == dtype:
        return True
    if array.dtype.kind in "fV" and not np.isfinite(array).all():
        return False
    ends = np.iinfo(dtype)
    return bool(
        array.max() <= ends.max
        and array.min() >= (ends.min or (-ends.max if array.dtype.kind in "iu" else 0))
    )


def _meeting(data: Any) -> np.dtype[Any]:
    """The element type in which all numbers in nested sequences meet; Python's floats have the default one."""
    level = data if isinstance(data, (list, tuple)) else [data]
    kinds = set(map(type, level))
    while list in kinds or tuple in kinds:
        level = list(chain.from_iterable(level))
        kinds = set(map(type, level))
    met: set[np.dtype[Any]] = set()
    for kind in kinds:
        if issubclass(kind, np.generic):
            met.add(np.dtype(kind))
        elif issubclass(kind, (np.ndarray, Tensor)):
            met |= {raw(x).dtype for x in level if isinstance(x, kind)}
        elif issubclass(kind, (float, complex)):
            met.add(dtypes.number_dtype(kind(0)))
    return reduce(dtypes.promote, met) if met else dtypes.default_float()


def _lengths(data: Any) -> str:
    """The first two lengths that differ, of lists or tuples at the same depth; empty where there are none."""
    level, depth = [data], 0
    while level and all(isinstance(x, (list, tuple)) for x in level):
        other = next((x for x in level if len(x) != len(level[0])), None)
        if other is not None:
            return f"{len(level[0])} at dim {depth} (got {len(other)})"
        level, depth = list(chain.from_iterable(level)), depth + 1
    return ""


def _from_nested(data: Any, dtype: DTypeLike | None) -> Array:
    try:
        array = np.array(data)
    except ValueError:
        if not (lengths := _lengths(data)):
            raise type_error("tensor(): numbers and sequences stand side by side, as in [1, [2]]") from None
        raise value_error(f"expected sequence of length {lengths}: nested ones have one length") from None
    except OverflowError as error:
        raise value_error(f"tensor(): {error}") from None
    kind = "i" if dtype is None else dtypes.as_numpy(dtype).kind
    wants: Any = (SupportsFloat, *[complex] * (kind == "c")) if kind in "fcV" else (int, float)
    if array.dtype.kind in "fuOV" and array.size and _too_large(array, data):
        if kind not in "fcV":
            raise value_error("Overflow when unpacking long long: an integer does not fit into 64 bits")
        return array.astype(np.float64)
    if (
        array.dtype.kind == "i"
        and array.dtype != dtypes.I64
        and any(isinstance(x, int) and not isinstance(x, bool) for x in _leaves(data))
    ):
        return array.astype(dtypes.I64)  # NumPy's integer for Python's has 32 bits on some platforms
    if array.dtype.kind == "O" and all(isinstance(x, wants) for x in array.ravel()):  # large ints, Decimals
        return array.astype(np.complex128 if kind == "c" else np.float64)
    if array.dtype.kind not in "biufcV":
        known = complex, np.generic, np.ndarray, Tensor, int, float, *wants
        odd = (x for x in _leaves(data) if not isinstance(x, known))
        raise _no_number(data, next(odd, _first(data)), dtype)
    return array


def _no_number(data: Any, first: Any, dtype: DTypeLike | None) -> Exception:
    """The error for elements that are no numbers."""
    if isinstance(_first(data), str) and isinstance(data, (list, tuple)):
        return value_error("too many dimensions 'str': a Tensor holds numbers, not text")
    inside = "" if first is data else f" in a {type(data).__name__}"
    text = f"tensor(): a Tensor holds numbers, got {type(first).__name__} {first!r}{inside}"
    if isinstance(first, SupportsFloat):
        text += "; give a dtype of floats, or use float()"
    if isinstance(first, (str, bytes)):
        text = f"new(): invalid data type '{type(first).__name__}'; {text}"
    elif dtype is None:
        return runtime_error(f"Could not infer dtype of {type(first).__name__}; {text}")
    return type_error(text)


def _too_large(array: Array, data: Any) -> bool:
    """Whether data are integers that int64 does not hold: NumPy then makes uint64, floats or objects of them."""
    if array.dtype.kind == "O":
        return all(isinstance(x, int) for x in array.ravel())
    if array.dtype.kind == "u":
        return array.dtype == np.uint64 and not _has_arrays(data)
    return (
        array.itemsize > 2
        and bool((np.abs(array) >= 2.0**63).any())
        and all(isinstance(x, int) for x in _leaves(data))
    )


def _leaves(data: Any) -> Iterator[Any]:
    for x in data if isinstance(data, (list, tuple, range)) else [data]:
        yield from _leaves(x) if isinstance(x, (list, tuple, range)) else [x]


_NUMBERS = frozenset({bool, int, float, complex, np.float32, np.float64, np.int64})


def _plain(data: Any) -> Any:
    """Lists, tuples and arrays as they are; other sequences as what their elements are: Python's numbers or NumPy's."""
    if isinstance(data, Tensor):
        if data._array.size != 1:
            raise value_error(
                "tensor(): only one element tensors can be converted to Python scalars, an element has shape "
                f"{list(data._array.shape)}; use stack() or cat()"
            )
        return data._array.reshape(())
    if isinstance(data, (list, tuple)):
        return data if _NUMBERS.issuperset(map(type, data)) else [_plain(x) for x in data]
    if isinstance(data, (ArrayType, bytearray, memoryview)):
        return list(data)
    # Of pandas; a number of a recording is a float or an int.
    if hasattr(data, "__array__") and not isinstance(data, (float, int, np.ndarray, np.generic)):
        array = np.array(data)
        return array.tolist() if array.dtype.kind == "O" else array
    return data


def _first(data: Any) -> Any:
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return data


def _has_arrays(data: Any) -> bool:
    first = _first(data)
    return isinstance(first, (np.ndarray, np.generic, Tensor))


def tensor(
    data: Any, *, dtype: DTypeLike | None = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """A new leaf that holds a copy of ``data``: numbers, nested sequences, arrays or Tensors.

    RuntimeError for what has no element type, such as None; TypeError and ValueError for text; ValueError if sequences
    differ in length or a whole number needs more than 64 bits; RuntimeError if an integer ``dtype`` cannot hold a
    number, or if integers are to require grad.
    """
    if isinstance(data, Tensor):
        warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than tensor(sourceTensor)"
        )
    if MODE.get().recorder is not None and type(data) not in (int, float):
        return _copied(data, dtype, requires_grad)
    return _finish(np.array(to_array(data, dtype)), requires_grad, device)


def _copied(data: Any, dtype: DTypeLike | None, requires_grad: bool) -> Tensor:
    """`tensor`, where a function is being recorded: the copy is an operation."""
    if isinstance(data, np.ndarray):
        data = wrap_operand(data)
    if isinstance(data, Numeral) and type(data.value) is float and _dtype(dtype) in (dtypes.F32, dtypes.F64):
        return full((), data, dtype=dtype, requires_grad=requires_grad)
    if not isinstance(data, Tensor):
        if _has_arrays(data):
            needs_value("tensor() of a list of Tensors or arrays")
        return _finish(np.array(to_array(data, dtype)), requires_grad)
    with ModeManager(MODE.get().recording(False)):
        t = apply(shape.clone, (cast(data, data._array.dtype if dtype is None else dtypes.as_numpy(dtype)),))
    return t.requires_grad_(requires_grad)


def as_tensor(data: Any, dtype: DTypeLike | None = None, device: DeviceLike = None) -> Tensor:
    """As `tensor`, but a Tensor or array that fits is shared, not copied; a Tensor keeps its history."""
    if isinstance(data, Tensor):
        same = data if dtype is None else cast(data, dtypes.as_numpy(dtype))
        return _finish(same, False, device)
    if MODE.get().recorder is not None:
        whole = isinstance(data, np.ndarray)
        return as_tensor(wrap_operand(data), dtype, device) if whole else _copied(data, dtype, False)
    return _finish(to_array(data, dtype).view(), False, device)


def from_numpy(ndarray: Array) -> Tensor:
    """A Tensor over the same memory as an array. TypeError for anything but an array, and for another element type.

    Writing to the array later changes the Tensor; backward cannot see such writes.
    """
    if not isinstance(ndarray, np.ndarray):
        raise type_error(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.as_numpy(ndarray.dtype)
    if not ndarray.dtype.isnative:
        raise value_error(
            "given numpy array has byte order different from the native byte order; use .astype()"
        )
    return wrap(ndarray.view()) if MODE.get().recorder is None else wrap_operand(ndarray)


# ---------------------------------------------------------------- filled


def _shape(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    if not size:
        raise type_error(
            f'{name}() missing 1 required positional argument: "size"; an empty tuple makes it 0-d'
        )
    shape = sizes(name, size)
    for n in shape:
        if n < 0:
            raise runtime_error(f"Trying to create tensor with negative dimension {n}: {list(shape)}")
    if math.prod(shape) > 1 << 59:  # times 16 bytes, more than there are addresses
        raise runtime_error(f"Storage size calculation overflowed with sizes={list(shape)}")
    return shape


def _filled(
    make: Callable[..., Array], *size: Sizes, dtype: DTypeLike | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    return _finish(make(_shape(make.__name__, size), _dtype(dtype)), requires_grad, device)


_FLOATS = "of the default float unless ``dtype`` says another."
empty = case(
    _filled, "empty", f"A new Tensor of this size, with whatever is in its memory; {_FLOATS}", np.empty
)
zeros = case(_filled, "zeros", f"A new Tensor of this size, filled with 0; {_FLOATS}", np.zeros)
ones = case(_filled, "ones", f"A new Tensor of this size, filled with 1; {_FLOATS}", np.ones)


def _plain_number(name: str, x: Any) -> Any:
    """A Python number of a 0-d Tensor or NumPy number. TypeError for what has dimensions."""
    if getattr(x, "ndim", 0):
        raise type_error(
            f"{name}(): arguments must be Numbers, not {type(x).__name__} of shape {[*x.shape]}; use .item()"
        )
    x = dtypes.python_number(x) if hasattr(x, "item") else x
    if not isinstance(x, (int, float, complex, Numeral)):
        raise type_error(f"{name}(): arguments must be Numbers, not {type(x).__name__}")
    return x


def full(
    size: Sizes, fill_value: NumberLike | Numeral, *, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A new Tensor of this size, filled with ``fill_value``, in its dtype unless another is given."""
    value = fill_value if isinstance(fill_value, Numeral) else _plain_number("full", fill_value)
    kind = dtypes.number_dtype(value) if dtype is None else dtypes.as_numpy(dtype)
    whole = _shape("full", (size,))
    check = number if dtypes.is_short(kind) and math.prod(whole) == 1 else held  # as `single` has it
    value, moves = check(value, kind), isinstance(fill_value, Numeral) and kind in (dtypes.F32, dtypes.F64)
    ones = wrap(np.ones(whole, kind)) if moves else None
    filled = apply(elementwise.mul, (ones, value)) if moves else QUIET.run(np.full, whole, value, kind)
    return _finish(filled, requires_grad, device)


def eye(
    n: int, m: int | None = None, *, dtype: DTypeLike | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """An (n, m) matrix with ones on the diagonal and zeros elsewhere; m is n unless given.

    Of the default float unless ``dtype`` says another. RuntimeError for a negative size.
    """
    for name, size in (("n", n), ("m", m)):
        if size is not None and size < 0:
            raise runtime_error(f"{name} must be greater or equal to 0, got {size}")
    return _finish(np.eye(n, m, dtype=_dtype(dtype)), requires_grad, device)


def like(
    make: Callable[..., Tensor], input: Tensor, *, dtype: DTypeLike | None = None, requires_grad: bool = False,
    device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """What ``make`` fills, in the shape and dtype of ``input``."""
    options = {"dtype": dtype or input._array.dtype, "device": device}
    if input._array.flags.c_contiguous:
        return make(input._array.shape, requires_grad=requires_grad, **options)
    return own(laid_as(input._array, lambda size: make(size, **options))).requires_grad_(requires_grad)


def laid_as(array: Array, make: Callable[[tuple[int, ...]], Tensor]) -> Tensor:
    """What ``make`` fills row by row, turned as the array lies in memory: PyTorch draws in the order of memory."""
    if array.flags.c_contiguous:
        return make(array.shape)
    order = by_steps(array)
    source = make(tuple(array.shape[d] for d in order))
    if order == (*range(array.ndim),):
        return source
    return apply_view(shape.permute, source, {"axes": inverse(order)})


empty_like = case(like, "empty_like", "`empty` in the shape and dtype of ``input``.", empty)
zeros_like = case(like, "zeros_like", "`zeros` in the shape and dtype of ``input``.", zeros)
ones_like = case(like, "ones_like", "`ones` in the shape and dtype of ``input``.", ones)


def full_like(
    input: Tensor, fill_value: NumberLike, *, dtype: DTypeLike | None = None,
    requires_grad: bool = False, device: DeviceLike = None,
) -> Tensor:  # fmt: skip
    """`full` in the shape and dtype of ``input``."""
    make = partial(full, fill_value=fill_value)
    return like(make, input, dtype=dtype, requires_grad=requires_grad, device=device)


# ---------------------------------------------------------------- in steps


@overload
def arange(
    end: NumberLike,
    /,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor: ...


@overload
def arange(
    *, end: NumberLike, step: NumberLike = 1, dtype: DTypeLike | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor: ...  # fmt: skip


@overload
def arange(
    start: NumberLike, end: NumberLike, step: NumberLike = 1, *, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor: ...  # fmt: skip


def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from ``start`` (0 unless given) up to, but without, ``end``; ceil((end - start) / step) of them.

    Without a ``dtype``, int64 of whole numbers, else the default float. RuntimeError for a step of 0, or one that leads
    away from ``end``.
    """
    if end is None:
        start, end = None, start
    if end is None:
        raise type_error("arange() takes end, or start and end, as in arange(3) or arange(1, 3)")
    start, end, step = [_plain_number("arange", x) for x in (0 if start is None else start, end, step)]
    kind = None if dtype is None else dtypes.as_numpy(dtype)
    if kind is not None and kind.kind in "bc":
        raise not_implemented_error(f"\"arange\" not implemented for '{dtypes.scalar(kind)}'; use .to()")
    if not step or step != step:
        raise runtime_error("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise runtime_error(f"unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise runtime_error(
            f"upper bound and lower bound inconsistent with step sign: {start} to {end} by {step}"
        )
    if kind == dtypes.I64:
        start, end, step = int(start), int(end), int(step)  # here, but in no other dtype, before it counts
        if step == 0:
            raise value_error("step must be nonzero, also as an integer")
    whole = isinstance(start, int) and isinstance(end, int) and isinstance(step, int)
    if kind is None:
        kind = dtypes.I64 if whole else dtypes.default_float()
    count = -((start - end) // step) if whole else math.ceil((end - start) / step)
    if kind.kind in "iu" and not whole:
        start, step, whole = int(start), int(step), True
    make = spaced.counted_whole if whole and not dtypes.is_short(kind) else spaced.counted
    return _finish(QUIET.run(make, start, step, count, kind), requires_grad, device)


def linspace(
    start: NumberLike, end: NumberLike, steps: int, *, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``steps`` evenly spaced values from ``start`` to ``end``, both included; in the default float or ``dtype``.

    TypeError unless ``steps`` is an integer, RuntimeError if it is negative.
    """
    start, end = (_plain_number("linspace", x) for x in (start, end))
    if steps < 0:
        raise runtime_error("number of steps must be non-negative")
    kind = _dtype(dtype)
    if isinstance(start, complex) or isinstance(end, complex):
        if dtype is None:
            kind = dtypes.complex_of(kind)
        elif kind.kind != "c":
            raise runtime_error(f"linspace(): a complex number can't be safely cast to passed dtype {dtype}")
    if kind.kind == "b":
        raise not_implemented_error('"linspace" not implemented for bool; use .bool() on another one')
    start, end = (held(x, kind) for x in (start, end))
    return _finish(QUIET.run(spaced.between, start, end, steps, kind), requires_grad, device)


public(globals(), __all__, home="minigrad")

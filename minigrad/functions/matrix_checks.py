"""What functions of linear algebra take: matrices, square ones, of float32 or float64."""

from __future__ import annotations

import numpy as np

from minigrad.core.tensor import Tensor
from minigrad.dtypes import short_name
from minigrad.errors import LinAlgError, not_implemented_error, runtime_error


def matrix(
    name: str, input: Tensor, *, low: type[Exception] | None = NotImplementedError, letter: str = "A"
) -> None:
    """RuntimeError for vectors and integers; the error of PyTorch for float16 and bfloat16, unless ``low`` is None."""
    two_dims(name, input, letter)
    floats(name, input, low=low)


def two_dims(name: str, input: Tensor, letter: str = "A") -> None:
    """RuntimeError for vectors and numbers."""
    if input._array.ndim < 2:
        raise runtime_error(f"{name}: The input tensor {letter} must have at least 2 dimensions.")


def floats(name: str, input: Tensor, *, low: type[Exception] | None = NotImplementedError) -> None:
    """As `matrix`, of any number of dimensions."""
    dtype = input._array.dtype
    if dtype.kind not in "fcV":
        raise runtime_error(
            f"{name}: Expected a floating point or complex tensor as input. Got {input.dtype}; convert it with .float()"
        )
    if (short := short_name(dtype)) and low is not None:
        if low is NotImplementedError:
            raise not_implemented_error(
                f"\"{name}\" not implemented for '{short}'; convert with .float() first"
            )
        raise runtime_error(
            f"{name}: Low precision dtypes not supported. Got {input.dtype}; convert it with .float()"
        )


def square(name: str, input: Tensor, *, low: type[Exception] | None = NotImplementedError) -> None:
    """As `matrix`; RuntimeError also for matrices that are not square."""
    square_sizes(name, input)
    floats(name, input, low=low)


def square_sizes(name: str, input: Tensor) -> None:
    """As `square`, of any dtype."""
    two_dims(name, input)
    n, m = input._array.shape[-2:]
    if n != m:
        raise runtime_error(f"{name}: A must be batches of square matrices, but they are {n} by {m} matrices")


def one_dtype(name: str, a: Tensor, b: Tensor) -> None:
    """RuntimeError for two dtypes."""
    if a._array.dtype != b._array.dtype:
        raise runtime_error(
            f"{name}: Expected A and B to have the same dtype, but found A of type {a.dtype} and B of type {b.dtype} "
            "instead; convert one with .to(dtype)"
        )


def same_batch(name: str, A: Tensor, B: Tensor) -> None:
    """RuntimeError where the dimensions before those of the matrices do not broadcast."""
    a, b = A._array.shape[:-2], B._array.shape[:-2]
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        raise runtime_error(
            f"{name}: the batches {list(a)} and {list(b)} of A and B do not broadcast"
        ) from None


def no_info(name: str, info: Tensor, sentence: str) -> None:
    """LinAlgError with the first number in ``info`` that is not 0, in the place of {} in a sentence."""
    numbers = info._array.reshape(-1)
    for k in numbers.nonzero()[0][:1].tolist():
        which = f"(Batch element {k}): " if info._array.ndim else ""
        raise LinAlgError(f"{name}: {which}{sentence.format(int(numbers[k]))}")

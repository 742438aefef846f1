"""Window functions, scalars, and indices from flat positions, under PyTorch's names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Number
from minigrad.device import DeviceLike, check_device
from minigrad.dtypes import DTypeLike
from minigrad.errors import runtime_error, type_error, value_error
from minigrad.functions.creation import full
from minigrad.gate import public

__all__ = [
    "bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window", "scalar_tensor",
    "unravel_index",
]  # fmt: skip


def _kind(name: str, n: int, dtype: DTypeLike | None, device: DeviceLike) -> np.dtype[Any]:
    """The element type of a window of length ``n``."""
    check_device(device)
    kind = dtypes.default_float() if dtype is None else dtypes.as_numpy(dtype)
    if n < 0:
        raise runtime_error(f"{name} requires non-negative window_length, got window_length={n}")
    if kind.kind not in "fV":
        raise runtime_error(f"{name} expects floating point dtypes, got: {kind}")
    return kind


def _waves(
    name: str, n: int, periodic: bool, weights: Sequence[float], dtype: DTypeLike | None, device: DeviceLike,
    grad: bool,
) -> Tensor:  # fmt: skip
    """The sum of ``weights[k] * cos(2 pi k t)`` for t from 0 to 1, as a window."""
    kind = _kind(name, n, dtype, device)
    size = n + periodic
    values = np.ones(n, kind)
    if n > 1:
        # Step by step in this element type, as PyTorch, to its last bit.
        t: Any = np.arange(size, dtype=kind) * (math.pi / (size - 1))
        values = sum((np.cos(2 * k * t) * weights[k] for k in range(len(weights) - 1, 0, -1)), 0) + weights[0]
    return wrap(values[:n]).requires_grad_(grad)


def hann_window(
    window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``(1 - cos(2 pi t)) / 2`` over one turn of t, (window_length); of which, if ``periodic``, the end is left out.

    RuntimeError for a negative length and for whole numbers as ``dtype``.
    """
    return _waves("hann_window", window_length, periodic, (0.5, -0.5), dtype, device, requires_grad)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
    dtype: DTypeLike | None = None, device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``alpha - beta * cos(2 pi t)``, as `hann_window`."""
    return _waves("hamming_window", window_length, periodic, (alpha, -beta), dtype, device, requires_grad)


def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``0.42 - 0.5 * cos(2 pi t) + 0.08 * cos(4 pi t)``, as `hann_window`."""
    return _waves(
        "blackman_window", window_length, periodic, (0.42, -0.5, 0.08), dtype, device, requires_grad
    )


def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """From 0 up to 1 and down again, in straight lines, as `hann_window`."""
    kind = _kind("bartlett_window", window_length, dtype, device)
    size = window_length + periodic
    values = np.ones(window_length, kind)
    if window_length > 1:
        values = np.arange(size, dtype=kind) * (2 / (size - 1))
        values[(size + 1) // 2 :] = 2 - values[(size + 1) // 2 :]
    return wrap(values[:window_length]).requires_grad_(requires_grad)


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``i0(beta * sqrt(1 - (2 t - 1)**2)) / i0(beta)`` for t from 0 to 1, as `hann_window`; see `numpy.kaiser`."""
    kind = _kind("kaiser_window", window_length, dtype, device)
    whole = np.kaiser(window_length + (periodic and window_length > 1), beta)
    values = whole[:window_length]
    return wrap(values.astype(kind)).requires_grad_(requires_grad)


def scalar_tensor(
    s: Number, *, dtype: DTypeLike | None = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """A number as a Tensor without dimensions, of the default float unless ``dtype`` says something else."""
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    return full((), s, dtype=kind, device=device, requires_grad=requires_grad)


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """By dimension of an array of ``shape``, the places (int64) of the elements with these numbers, counted row by row.

    Numbers beyond the end wrap around. TypeError for numbers that are not whole, ValueError for a negative size.
    """
    if indices._array.dtype.kind not in "iu":
        raise type_error(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if min(sizes, default=0) < 0:
        raise value_error(f"'shape' cannot have negative values, but got {sizes}")
    rest, places = indices.long(), []
    for n in reversed(sizes):
        places.append(rest % n)
        rest = rest.div(n, rounding_mode="floor")
    return tuple(reversed(places))


public(globals(), __all__, home="minigrad")

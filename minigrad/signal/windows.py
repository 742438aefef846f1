"""Weights for pieces of signals, under the names of ``torch.signal.windows``.

All give a Tensor (M) of float32 or float64, the default float if no ``dtype`` is named. With ``sym`` they read the same
from both ends; without it they are periodic: the first M weights of the symmetric window of M + 1. ValueError for a
negative ``M``, another element type, and another ``layout`` than the strided one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minigrad import dtypes, formats
from minigrad.core.tensor import wrap
from minigrad.device import DeviceLike, check_device
from minigrad.dtypes import DTypeLike
from minigrad.errors import type_error, value_error
from minigrad.hints import module_getattr
from minigrad.tensor import Tensor

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann",
    "kaiser", "nuttall",
]  # fmt: skip


def _window(
    name: str,
    M: int,
    sym: bool,
    values: Callable[[Any, int], Any],
    dtype: Any,
    layout: Any,
    device: Any,
    grad: bool,
) -> Tensor:
    """``values(k, last)`` for k from 0 to M - 1, where ``last`` is the k at which the symmetric window ends."""
    kind = dtypes.default_float() if dtype is None else dtypes.as_numpy(dtype)
    check_device(device)
    if M < 0:
        raise value_error(f"{name} requires non-negative window length, got M={M}")
    if layout not in (None, formats.strided):
        raise value_error(f"{name} is implemented for strided tensors only, got: {layout}")
    if kind.char not in "fd":
        raise value_error(f"{name} expects float32 or float64 dtypes, got: {dtypes.OF_NUMPY[kind]}")
    try:
        M = operator.index(M)
    except TypeError:
        raise type_error(f"{name}(): argument 'M' must be int, not {type(M).__name__}") from None
    line = np.arange(M, dtype=np.float64)
    weights = np.ones(M) if M < 2 else values(line, M - 1 if sym else M)
    return wrap(np.asarray(weights).astype(kind)).requires_grad_(grad)


def bartlett(
    M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: Any = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A triangle from 0 to 1 and back."""
    return _window(
        "bartlett", M, sym, lambda k, last: 1 - abs(2 * k / last - 1), dtype, layout, device, requires_grad
    )


def cosine(
    M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: Any = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``sin(pi (k + 1/2) / M)``: half a period of the sine, at the midpoints of M equal parts."""
    return _window(
        "cosine",
        M,
        sym,
        lambda k, last: np.sin(np.pi * (k + 0.5) / (last + 1)),
        dtype,
        layout,
        device,
        requires_grad,
    )


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, dtype: DTypeLike | None = None,
    layout: Any = None, device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``exp(-abs(k - center) / tau)``, around the middle, or without ``sym`` around a ``center``.

    ValueError for a ``tau`` that is not positive, and a ``center`` of a symmetric window.
    """
    if tau <= 0:
        raise value_error(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise value_error("Center must be None for symmetric windows")

    def values(k: Any, last: int) -> Any:
        return np.exp(-abs(k - (last / 2 if center is None else center)) / tau)

    return _window("exponential", M, sym, values, dtype, layout, device, requires_grad)


def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: DTypeLike | None = None, layout: Any = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``exp(-(k - middle)**2 / (2 std**2))``. ValueError for a ``std`` that is not positive."""
    if std <= 0:
        raise value_error(f"Standard deviation must be positive, got: {std} instead.")
    return _window(
        "gaussian", M, sym, lambda k, last: np.exp(-0.5 * ((k - last / 2) / std) ** 2), dtype, layout, device,
        requires_grad,
    )  # fmt: skip


def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: DTypeLike | None = None, layout: Any = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``i0(beta * sqrt(1 - t**2)) / i0(beta)`` for t from -1 to 1. ValueError for a negative ``beta``."""
    if beta < 0:
        raise value_error(f"beta must be non-negative, got: {beta} instead.")

    def values(k: Any, last: int) -> Any:
        return np.i0(beta * np.sqrt(np.maximum(1 - (2 * k / last - 1) ** 2, 0))) / np.i0(beta)

    return _window("kaiser", M, sym, values, dtype, layout, device, requires_grad)


def general_cosine(
    M: int, *, a: Iterable[float], sym: bool = True, dtype: DTypeLike | None = None, layout: Any = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``a[0] - a[1] cos(2 pi t) + a[2] cos(4 pi t) - ...`` for t from 0 to 1.

    TypeError for an ``a`` that is not an iterable, ValueError for an empty one.
    """
    if not isinstance(a, Iterable):
        raise type_error("Coefficients must be a list/tuple")
    weights = [*a]
    if not weights:
        raise value_error("Coefficients cannot be empty")

    def values(k: Any, last: int) -> Any:
        return sum((-1) ** i * w * np.cos(2 * np.pi * i * k / last) for i, w in enumerate(weights))

    return _window("general_cosine", M, sym, values, dtype, layout, device, requires_grad)


def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, dtype: DTypeLike | None = None, layout: Any = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``alpha - (1 - alpha) cos(2 pi t)``."""
    kwargs: Any = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, **kwargs)


def hamming(
    M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: Any = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`general_hamming` with 0.54."""
    kwargs: Any = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return general_cosine(M, a=[0.54, 0.46], sym=sym, **kwargs)


def hann(
    M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: Any = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`general_hamming` with a half."""
    kwargs: Any = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return general_cosine(M, a=[0.5, 0.5], sym=sym, **kwargs)


def blackman(
    M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: Any = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`general_cosine` with 0.42, 0.5 and 0.08."""
    kwargs: Any = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, **kwargs)


def nuttall(
    M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: Any = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`general_cosine` with 0.3635819, 0.4891775, 0.1365995 and 0.0106411."""
    kwargs: Any = {"dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad}
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, **kwargs)


module_getattr(globals())

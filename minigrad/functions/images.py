"""Padding, resizing, and channels moved into planes, under PyTorch's names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core.apply import apply
from minigrad.core.promote import held
from minigrad.core.tensor import Tensor
from minigrad.dtypes import scalar
from minigrad.errors import not_implemented_error, runtime_error, type_error, value_error, warn
from minigrad.functions.dims import whole
from minigrad.functions.elementwise import own
from minigrad.functions.parts import cat, narrow
from minigrad.functions.shape import expand, flip, laid_like, permute, reshape
from minigrad.gate import public
from minigrad.ops import conv as ops
from minigrad.ops import pool

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]
# In nn.functional alone.
FUNCTIONAL = ["interpolate", "pad", "upsample", "upsample_bilinear", "upsample_nearest"]


# ---------------------------------------------------------------- padding


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Elements put around the last dimensions: ``pad`` is (left, right, top, bottom, ...).

    They are ``value`` (0), or with ``mode`` "reflect", "replicate" or "circular" those of the input. Negative numbers
    cut elements off.
    """
    counts = [whole("pad(): each element of argument 'pad'", n) for n in pad]
    shape = input._array.shape
    if len(counts) % 2:
        raise runtime_error(f"Padding length must be divisible by 2, got {len(counts)}: {counts}")
    if len(counts) > 2 * len(shape):
        raise runtime_error(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(counts)} and input of dimension {len(shape)}"
        )
    pads = [(counts[k], counts[k + 1]) for k in range(0, len(counts), 2)]  # from the last dimension on
    if mode == "constant":
        for d, (a, b) in enumerate(pads):
            n = shape[-1 - d]
            if n + a + b < 0 or -min(a, 0) > n or -min(b, 0) > n:
                raise runtime_error(
                    f"The input size {n}, plus negative padding {a} and {b}, resulted in a negative output size, which "
                    f"is invalid. Check dimension {len(shape) - 1 - d} of your input: narrow(): length must be "
                    "non-negative."
                )
        fill = held(0.0 if value is None else value, input._array.dtype)
        return apply(ops.pad_constant, (input,), {"pads": tuple(reversed(pads)), "value": fill})
    if value is not None and value != 0:
        raise runtime_error(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise not_implemented_error(f"Unrecognised padding mode {mode}")
    if not 1 <= len(pads) <= 3 or len(shape) not in (len(pads) + 1, len(pads) + 2):
        raise not_implemented_error(
            f"Padding size {len(counts)} is not supported for {len(shape)}D input tensor.\nSupported combinations for "
            "non-constant padding:\n  - 2D or 3D input: padding size = 2 (pads last dimension)\n  - 3D or 4D input: "
            "padding size = 4 (pads last 2 dimensions)\n  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    if 0 in shape[-len(pads) - 1 :]:
        raise runtime_error(
            f"Expected {len(pads) + 1}D or {len(pads) + 2}D (batch mode) tensor with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {list(shape)}"
        )
    if input._array.dtype == bool and mode != "circular":
        raise not_implemented_error(
            f"\"{mode} padding\" not implemented for 'Bool'; convert with .float() first"
        )
    y = input.contiguous() if mode == "circular" else input
    for d, (a, b) in enumerate(pads):
        y = _around(y, len(shape) - 1 - d, a, b, mode)
    y = y.clone() if y is input or y._view is not None else y
    return y if mode == "circular" else laid_like(y, input)


def _around(x: Tensor, d: int, a: int, b: int, mode: str) -> Tensor:
    """More elements before and after those of one dimension."""
    n, shape = x._array.shape[d], list(x._array.shape)
    if n + a + b < 1:
        raise runtime_error(
            f"input (size {n}) is too small for padding ({a}, {b}) at dimension {d} of input {shape}"
        )
    if mode == "reflect" and (a >= n or b >= n):
        raise runtime_error(
            "Padding size should be less than the corresponding input dimension, but got: padding "
            f"({a}, {b}) at dimension {d} of input {shape}"
        )
    start, stop = max(-a, 0), n - max(-b, 0)
    parts = [narrow(x, d, start, stop - start)] if (start, stop) != (0, n) else [x]
    if mode == "circular":  # of what is not cut off
        x, n = parts[0], stop - start
        if a > n or b > n:
            raise runtime_error(
                f"Padding value causes wrapping around more than once: ({a}, {b}) at dimension {d} of input {shape}"
            )
    if a > 0:
        parts.insert(0, _edge(x, d, a, mode, first=True))
    if b > 0:
        parts.append(_edge(x, d, b, mode, first=False))
    return cat(parts, d) if len(parts) > 1 else parts[0]


def _edge(x: Tensor, d: int, count: int, mode: str, first: bool) -> Tensor:
    n = x._array.shape[d]
    if mode == "circular":
        return narrow(x, d, n - count if first else 0, count)
    if mode == "reflect":
        return flip(narrow(x, d, 1 if first else n - 1 - count, count), d)
    shape = [*x._array.shape]
    shape[d] = count
    return expand(narrow(x, d, 0 if first else n - 1, 1), shape)


# ---------------------------------------------------------------- channels and planes


def _factor(name: str, what: str, x: Tensor, factor: int) -> tuple[int, ...]:
    shape: tuple[int, ...] = x._array.shape
    if len(shape) < 3:
        raise runtime_error(
            f"{name} expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)"
        )
    if factor <= 0:
        raise runtime_error(f"{name} expects a positive {what}, but got {factor}")
    return shape


def _moved(y: Tensor, input: Tensor) -> Tensor:
    """A result of its own, laid out as the input; a copy also where no element had to move."""
    y = laid_like(y.contiguous(), input)
    return y.clone() if np.may_share_memory(y._array, input._array) else own(y)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C * r * r, H, W) as (..., C, H * r, W * r), for a factor r."""
    r = upscale_factor
    *lead, channels, h, w = _factor("pixel_shuffle", "upscale_factor", input, r)
    if channels % (r * r):
        raise runtime_error(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    n = len(lead)
    split = permute(
        reshape(input, *lead, channels // (r * r), r, r, h, w), *range(n), n, n + 3, n + 1, n + 4, n + 2
    )
    return _moved(reshape(split, *lead, channels // (r * r), h * r, w * r), input)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H * r, W * r) as (..., C * r * r, H, W), for a factor r."""
    r = downscale_factor
    *lead, channels, h, w = _factor("pixel_unshuffle", "downscale_factor", input, r)
    for what, size, d in (("height", h, -2), ("width", w, -1)):
        if size % r:
            raise runtime_error(
                f"pixel_unshuffle expects {what} to be divisible by downscale_factor, but input.size({d})={size} is "
                f"not divisible by {r}"
            )
    n = len(lead)
    split = permute(
        reshape(input, *lead, channels, h // r, r, w // r, r), *range(n), n, n + 2, n + 4, n + 1, n + 3
    )
    return _moved(reshape(split, *lead, channels * r * r, h // r, w // r), input)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels of (batch, channels, ...), cut into ``groups``, one taken from each in turn."""
    shape = input._array.shape
    if len(shape) < 3:
        raise runtime_error(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}"
        )
    if groups <= 0:
        raise runtime_error(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    if shape[1] % groups:
        raise runtime_error(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} groups."
        )
    split = reshape(input, shape[0], groups, shape[1] // groups, *shape[2:])
    return _moved(reshape(split.transpose(1, 2), *shape), input)


# ---------------------------------------------------------------- resizing

_MODES = "nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact"
_RANKS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """An input ``(batch, channels, *sizes)`` resized to ``size``, or by ``scale_factor``.

    ``mode`` is "nearest", "nearest-exact" or "area"; for one size also "linear", for two "bilinear" or "bicubic", for
    three "trilinear". ``antialias`` averages where the result is smaller, for "bilinear" and "bicubic".
    """
    shape = input._array.shape
    rank = len(shape) - 2
    out, scales = _resized(shape[2:], size, scale_factor, recompute_scale_factor)
    if mode not in _MODES.split(" | ") or not 1 <= rank <= 3:
        raise not_implemented_error(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {len(shape)}D) for the modes: "
            f"{_MODES} (got {mode})"
        )
    if align_corners is not None and mode not in _RANKS:
        raise value_error(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if _RANKS.get(mode, rank) != rank:
        raise not_implemented_error(
            f"Got {len(shape)}D input, but {mode} mode needs {_RANKS[mode] + 2}D input"
        )
    if antialias and (mode not in ("bilinear", "bicubic") or rank != 2):
        raise value_error(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if min(*out, *shape[1:]) < 1:
        raise runtime_error(
            f"Input and output sizes should be greater than 0, but got input {list(shape)} output {out}"
        )
    kind = input._array.dtype.kind
    if kind not in "fV" and not (input._array.dtype == np.uint8 and mode.startswith("nearest")):
        raise not_implemented_error(
            f"\"interpolate\" in mode {mode} not implemented for '{scalar(input._array.dtype)}'; use .float() first"
        )
    if mode == "area":
        plans: Any = tuple(("adaptive", n, m) for n, m in zip(shape[2:], out, strict=True))
    elif mode in _RANKS:
        short = ("cubic" if mode == "bicubic" else "linear") + "-wide" * antialias
        # As in PyTorch, a size that stays the same keeps its values, whatever the factor; a cubic mode goes by that.
        rows = (
            (n, m, s if n != m or mode == "bicubic" else 0.0)
            for n, m, s in zip(shape[2:], out, scales, strict=True)
        )
        plans = tuple((short, *row, bool(align_corners)) for row in rows)
    else:
        plans = tuple((mode, n, m, s) for n, m, s in zip(shape[2:], out, scales, strict=True))
    return apply(pool.resample, (input,), {"plans": plans})


def _resized(sizes: tuple[int, ...], size: Any, factor: Any, recompute: bool | None) -> Any:
    """The sizes of the result, and by dimension the step between places in the input; 0.0 by the sizes."""
    rank = len(sizes)
    if size is not None and factor is not None:
        raise value_error("only one of size or scale_factor should be defined")
    if size is not None:
        if recompute:
            raise value_error("recompute_scale_factor is not meaningful with an explicit size.")
        out = list(size) if isinstance(size, (tuple, list)) else [size] * rank
        if len(out) != rank:
            raise value_error(
                "Input and output must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {list(sizes)} and output size of {size}. Please provide input tensor in (N, C, d1, d2, "
                "...,dK) format and output size in (o1, o2, ...,oK) format."
            )
        return [whole("interpolate(): argument 'size'", n) for n in out], [0.0] * rank
    if factor is None:
        raise value_error("either size or scale_factor should be defined")
    factors = list(factor) if isinstance(factor, (tuple, list)) else [factor] * rank
    if len(factors) != rank:
        raise value_error(
            "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
            f"dimensions of {list(sizes)} and scale_factor of shape {factor}. Please provide input tensor in (N, C, "
            "d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
        )
    if any(isinstance(f, (str, Tensor)) for f in factors):
        raise type_error(
            f"interpolate(): argument 'scale_factor' must be float or tuple of floats, not {factor}"
        )
    factors = [float(f) for f in factors]
    out = [math.floor(float(n * f)) for n, f in zip(sizes, factors, strict=True)]
    return out, [0.0 if recompute or f <= 0 else 1.0 / f for f in factors]


def upsample(
    input: Tensor, size: int | Sequence[int] | None = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """`interpolate`; deprecated in PyTorch."""
    warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with ``mode="nearest"``; deprecated in PyTorch."""
    warn("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with ``mode="bilinear", align_corners=True``; deprecated in PyTorch."""
    warn("`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, "bilinear", True)


public(globals(), __all__, home="minigrad")
public(globals(), FUNCTIONAL, check="Tensors")

"""From uniform numbers to others: real arithmetic as in PyTorch's kernels, and normal numbers, to the last bit."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.dtypes import limits, working
from minigrad.errors import runtime_error
from minigrad.random.bits import Bits

if TYPE_CHECKING:
    import numpy.typing as npt

Array = np.ndarray[Any, Any]


def libm(function: Callable[[float], float], x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`function` of each element by the C library: NumPy's own log differs by an ulp in 0.3% of values."""
    return np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


def narrow(x: npt.NDArray[np.float64], kind: np.dtype[Any]) -> Array:
    """`x` as `kind`; to those of two bytes PyTorch goes by float32, so it rounds twice."""
    with np.errstate(over="ignore"):
        return x.astype(working(kind)).astype(kind, copy=False)


def exp(x: float) -> float:
    return math.inf if x > 709.782712893384 else math.exp(x)  # Python would raise OverflowError


def fused(x: Array, slope: float, offset: float, kind: np.dtype[Any]) -> Array:
    """``x * slope + offset`` rounded once, to `kind`, as PyTorch's kernels have it by fused multiply-add.

    float32: in float64, where the product is exact. float64: what the product loses (Dekker's split) and what
    the sum loses (Knuth's two-sum) is added at the end.
    """
    if kind == np.float32:
        return (x * np.float64(slope) + float(offset)).astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        product = x * slope
        if offset == 0.0 or slope == 1.0:
            return product + offset
        split, cut = 134217729.0 * x, 134217729.0 * slope  # 2**27 + 1
        x_high, slope_high = split - (split - x), cut - (cut - slope)
        x_low, slope_low = x - x_high, slope - slope_high
        lost = product - x_high * slope_high - x_low * slope_high - x_high * slope_low
        lost = x_low * slope_low - lost
        total = product + offset
        moved = total - product
        lost += (product - (total - moved)) + (offset - moved)
        return np.where(np.isfinite(lost), total + lost, total)


# -------------------------------------------------------------------------------------- normal numbers

_BLOCK = 16  # normals of 16 and more are made in blocks of 8 pairs


def normal(bits: Bits, count: int, kind: np.dtype[Any], mean: float, std: float, blocks: bool) -> Array:
    """What `Generator.normal` returns, in one dimension."""
    work = working(kind)
    if count < _BLOCK or not blocks:
        return narrow(serial_normal(bits, count, mean, std), kind)
    # The last 16 are drawn anew when blocks do not come out even. Before that, float32 and float64
    # draw for the incomplete block too; float16 is made block by block and does not.
    whole = count - count % _BLOCK
    with bits.lock:
        unit = bits.uniform(count if work == kind else whole, work)[:whole]
        if whole < count:
            unit = np.concatenate([unit, bits.uniform(_BLOCK, work)])
    box_muller = _box_muller_float64 if work == np.float64 else _box_muller_float32
    with np.errstate(over="ignore", invalid="ignore"):  # a mean or std beyond the dtype gives inf or nan
        values = box_muller(unit.reshape(-1, 2, _BLOCK // 2), work.type(mean), work.type(std)).ravel()
        values = values.astype(kind, copy=False)
    return values if whole == count else np.concatenate([values[: count - _BLOCK], values[-_BLOCK:]])


def serial_normal(bits: Bits, count: int, mean: float, std: float) -> npt.NDArray[np.float64]:
    """Box-Muller in float64, one after the other; an odd value out waits in the stream."""
    if count == 0:
        return np.empty(0)
    with bits.lock:
        waiting = [] if bits.normal is None else [bits.normal]
        pairs = bits.uniform(2 * ((count - len(waiting) + 1) // 2), np.dtype(np.float64)).reshape(-1, 2)
        radius = np.sqrt(-2.0 * libm(math.log1p, -pairs[:, 1]))
        angle = 2.0 * math.pi * pairs[:, 0]
        drawn = np.stack([radius * libm(math.cos, angle), radius * libm(math.sin, angle)], axis=1).ravel()
        values = np.concatenate([waiting, drawn])
        bits.normal = float(values[count]) if len(values) > count else None
    return fused(values[:count], std, mean, np.dtype(np.float64))


def _box_muller_float64(unit: Array, mean: float, std: float) -> Array:
    """Normals from uniforms; both of shape (blocks, 2, 8), the radius from row 0 and the angle from row 1."""
    radius = np.sqrt(-2.0 * libm(math.log, 1.0 - unit[:, 0]))
    angle = 2.0 * math.pi * unit[:, 1]
    pairs = np.stack([radius * libm(math.cos, angle), radius * libm(math.sin, angle)], axis=1)
    return fused(pairs, std, mean, np.dtype(np.float64))


def _box_muller_float32(unit: Array, mean: float, std: float) -> Array:
    """As :func:`_box_muller_float64`, for float32.

    The logarithm, sine and cosine are Cephes' logf, sinf and cosf (S. Moshier) with fused multiply-adds, as
    in PyTorch's vector code. Plain float32 arithmetic would change the last digit of one value in a hundred.
    """
    values = np.empty(unit.shape, np.float32)
    two_pi = float(np.float32(2 * math.pi))
    chunk = 1024  # blocks, whose arrays stay in the cache: 50 ms for a million, and 75 at 256
    for start in range(0, len(unit), chunk):
        block = unit[start : start + chunk].astype(np.float64)
        radius = _f32(np.sqrt(-2.0 * _log(1.0 - block[:, 0])))
        sine, cosine = _sin_cos(_f32(two_pi * block[:, 1]))
        out = values[start : start + chunk]
        out[:, 0] = _f32(radius * cosine) * std + mean
        out[:, 1] = _f32(radius * sine) * std + mean
    return values


# Below, float32 arithmetic is done on float64 arrays that hold float32 values: a product is exact there, so
# _f32(x * y + z) rounds once, as a fused multiply-add does. Constants are the float32 nearest to Cephes'.


def _f32(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return x.astype(np.float32).astype(np.float64)


def _float32_constants(*numbers: float) -> list[float]:
    return [float(np.float32(number)) for number in numbers]


_LOG = _float32_constants(
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
_SIN = _float32_constants(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS = _float32_constants(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_QUARTER_PI = _float32_constants(0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)  # summands
_LN2_HIGH, _LN2_LOW, _SQRT_HALF, _FOUR_OVER_PI = _float32_constants(
    0.693359375, -2.12194440e-4, 0.707106781186547524, 1.27323954473516
)


def _polynomial(x: npt.NDArray[np.float64], coefficients: list[float]) -> npt.NDArray[np.float64]:
    first, second, *rest = coefficients
    y = _f32(first * x + second)
    for coefficient in rest:
        y = _f32(y * x + coefficient)
    return y


def _log(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Natural logarithm of x > 0: log(m) + e * log(2) with x = m * 2**e and sqrt(1/2) <= m < sqrt(2)."""
    mantissa, exponent = np.frexp(x)
    low = (mantissa < _SQRT_HALF).astype(np.float64)
    e = exponent - low
    m = mantissa + mantissa * low - 1.0
    square = _f32(m * m)
    y = _f32(_f32(_polynomial(m, _LOG) * m) * square + _f32(_LN2_LOW * e))
    return _f32(_LN2_HIGH * e + _f32(m + _f32(y - 0.5 * square)))


def _sin_cos(x: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Sine and cosine of 0 <= x < 8192, reduced to [-pi/4, pi/4] around the nearest even octant."""
    octant = (_f32(_FOUR_OVER_PI * x).astype(np.int32) + 1) & ~1
    k = octant.astype(np.float64)
    for part in _QUARTER_PI:
        x = _f32(x - part * k)
    square = _f32(x * x)
    sine = _f32(_f32(_polynomial(square, _SIN) * square) * x + x)
    cosine = _f32(_f32(_polynomial(square, _COS) * square) * square - 0.5 * square)
    cosine = _f32(cosine + 1.0)
    swap = (octant & 2) != 0
    sine, cosine = np.where(swap, cosine, sine), np.where(swap, sine, cosine)
    return sine * (1.0 - 0.5 * (octant & 4)), cosine * (1.0 - 0.5 * (octant + 2 & 4))  # signs by quadrant


# -------------------------------------------------------------------------------------- whole numbers


@functools.cache
def ends(kind: np.dtype[Any]) -> tuple[int, int]:
    """The least and the largest whole number of a dtype."""
    return (0, 1) if kind.kind == "b" else (int(np.iinfo(kind).min), int(np.iinfo(kind).max))


def representable(first: int, end: int, kind: np.dtype[Any], digits: int) -> tuple[int, int]:
    """Check [first, end) against `kind`; for a floating one, narrow it to bounds that it can hold."""
    if digits:
        smallest = -(largest := int(float(limits(kind).max)))
    else:
        smallest, largest = ends(kind)
    for name, bound in (("low", first), ("high - 1", end - 1)):
        if not smallest <= bound <= largest:
            raise runtime_error(f"integers: {name} = {bound} is out of bounds for {kind}")
        if digits and abs(bound) > 2**digits:
            warnings.warn(
                f"integers: {name} = {bound} is outside [-(2**{digits}), 2**{digits}]; beyond, {kind} does "
                "not hold every whole number, so some are never drawn",
                UserWarning,
                stacklevel=3,
            )
    if digits:
        # Where `kind` rounds a bound outwards, PyTorch steps inwards by the spacing of `kind` there.
        low, high = int(kind.type(first + 1)), int(kind.type(end - 1))
        if low < first:
            first = low + 2 ** (abs(first + 1).bit_length() - digits)
        if high >= end:
            end = high - 2 ** (abs(end - 1).bit_length() - digits)
    return first, end

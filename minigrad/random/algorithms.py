"""From uniform numbers to others: real arithmetic as in PyTorch's kernels, and normal numbers, to the last bit."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.dtypes import working
from minigrad.random.bits import Bits, constant, units

if TYPE_CHECKING:
    import numpy.typing as npt

Array = np.ndarray[Any, Any]


def libm(function: Callable[[float], float], x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`function` of each element by the C library: NumPy's own log differs by an ulp in 0.3% of values."""
    return np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


def through_libm(
    x: npt.NDArray[np.float64],
    ufunc: np.ufunc,
    function: Callable[[float], float],
    kind: np.dtype[Any],
    finish: Callable[[Array], Array],
    offset: float = 0.0,
) -> Array:
    """``finish(function(x))`` in float64, as `kind`, to which `finish` adds no more than `offset`.

    Many numbers of a shorter dtype go through NumPy's own function, in a tenth of the time, except where what float64
    loses could decide how float32 is rounded: near the middle of two numbers, and where the sum cancels.
    """
    if kind == np.float64 or x.size < 128:
        return narrow(finish(libm(function, x)), kind)
    y = np.ascontiguousarray(finish(ufunc(x)))
    near = np.abs((y.view(np.int64) & (2**29 - 1)) - 2**28) < 2**14
    near |= np.abs(y) < max(offset * 2.0**-10, float(np.finfo(np.float32).tiny))
    if near.any():
        y[near] = finish(libm(function, x[near]))
    return narrow(y, kind)


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


@functools.lru_cache(maxsize=64)
def scale(low: float, high: float, kind: np.dtype[Any]) -> tuple[Callable[[Array], Array], Any]:
    """What makes numbers from [low, high) of those from [0, 1), and the bound if rounding may reach it, else None.

    It does so for the largest number drawn, if for any.
    """
    work = working(kind)
    with np.errstate(over="ignore", invalid="ignore"):  # bounds near the largest number
        first, bound = work.type(low), kind.type(high)
        width = work.type(high) - first

        def scaled(unit: Array) -> Array:
            return fused(unit, width, first, work).astype(kind, copy=False)

        reaches = scaled(work.type(1 - 2.0 ** (-53 if work == np.float64 else -24))) == bound
    return scaled, bound if reaches else None


# -------------------------------------------------------------------------------------- normal numbers

_BLOCK = 16  # normals of 16 and more are made in blocks of 8 pairs
FEW = 4096  # numbers for which the calls of NumPy take most of the time
_AHEAD = 8192  # numbers that are made ahead
_OFTEN = 8  # draws in a row from which on they are


class Ahead:
    """Standard normals of float32 that are made before they are asked for, while a program draws few again and again.

    For few numbers the calls of NumPy take nearly all of the time: `randn` of 512 takes 0.4 of the time so.  What is
    made is a function of words alone, and each draw takes its own words as ever: where these are those that were
    expected, their normals are there already.
    """

    def __init__(self) -> None:
        self.words, self.made, self.at = b"", np.empty(0, np.float32), 0
        # how many draws followed each other, and where in the stream the last one ended
        self.draws, self.end = 0, -1

    def normals(self, bits: Bits, words: npt.NDArray[np.uint32]) -> Array:
        """The standard normals of words that were drawn just now, in whole blocks; with the lock held."""
        count, own = len(words), words.tobytes()
        self.draws, self.end = self.draws + 1 if bits.drawn - count == self.end else 0, bits.drawn
        if not self.words.startswith(own, self.at):
            if self.draws < _OFTEN:
                return _box_muller_float32(words)
            words = np.concatenate([words, bits.coming(_AHEAD)])
            self.words, self.made, self.at = words.tobytes(), _box_muller_float32(words), 0
        first = self.at // words.itemsize
        self.at += len(own)
        return self.made[first : first + count]


def normal(bits: Bits, ahead: Ahead, out: Array, mean: float, std: float, blocks: bool) -> None:
    """Puts what `Generator.normal` returns into a vector."""
    count, work = len(out), working(out.dtype)
    if count < _BLOCK or not blocks:
        values = serial_normal(bits, count, mean, std)
        standard = mean == 0 and std == 1 and work == out.dtype  # so none is too large
        out[:] = values if standard else narrow(values, out.dtype)
        return
    wide, standard = work == np.float64, mean == 0 and std == 1
    box_muller = _box_muller_float64 if wide else _box_muller_float32

    def convert(place: slice, words: Array) -> None:
        if whole := len(words) - len(words) % _BLOCK:
            out[place][:whole] = _scaled(box_muller(words[:whole]), mean, std)

    # The last 16 are drawn again when the count is no multiple of 16. Before that, float32 and float64
    # draw for the incomplete block too; float16 is made block by block and does not.
    rest = count % _BLOCK
    whole, drawn = count - rest, count if work == out.dtype else count - rest
    draw = bits.words64 if wide else bits.words
    # a mean or std beyond the dtype gives inf or nan
    with bits.lock, nullcontext() if standard else np.errstate(over="ignore", invalid="ignore"):
        if not rest and not wide and count <= _AHEAD // 8:
            out[:] = _scaled(ahead.normals(bits, bits.words(count)), mean, std)
            return
        if rest and count <= FEW:  # with the last 16, in half the time
            words = draw(drawn + _BLOCK)
            words[whole : whole + _BLOCK] = words[drawn:]
            values = _scaled(box_muller(words[: whole + _BLOCK]), mean, std)
            out[:whole], out[-_BLOCK:] = values[:whole], values[whole:]
            return
        bits.each(drawn, convert, wide)
        if rest:
            convert(slice(count - _BLOCK, count), draw(_BLOCK))


def _scaled(x: Array, mean: float, std: float) -> Array:
    """Normals of this mean and standard deviation, of standard ones."""
    scale, shift = x.dtype.type(std), x.dtype.type(mean)
    if shift == 0 or scale == 1:
        x = x * scale
        x += shift
        return x
    return fused(x, scale, shift, x.dtype)


def serial_normal(bits: Bits, count: int, mean: float, std: float) -> npt.NDArray[np.float64]:
    """Box-Muller in float64, one after the other; an odd value out waits in the stream."""
    if count == 0:
        return np.empty(0)
    with bits.lock:
        values = [] if bits.normal is None else [bits.normal]
        for turn, unit in bits.pairs((count - len(values) + 1) // 2):
            radius, angle = math.sqrt(-2.0 * math.log1p(-unit)), 2.0 * math.pi * turn
            values += radius * math.cos(angle), radius * math.sin(angle)
        bits.normal = values.pop() if len(values) > count else None
    normals = np.array(values)
    return normals + 0.0 if mean == 0 and std == 1 else fused(normals, std, mean, np.dtype(np.float64))


def _box_muller_float64(words: Array) -> Array:
    """Standard normals of words: of each 16, the first 8 give radii and the others angles."""
    unit = units(words).reshape(-1, 2, _BLOCK // 2)
    radius = np.sqrt(-2.0 * libm(math.log, 1.0 - unit[:, 0]))
    angle = 2.0 * math.pi * unit[:, 1]
    return np.stack([radius * libm(math.cos, angle), radius * libm(math.sin, angle)], axis=1).ravel()


def _box_muller_float32(words: Array) -> Array:
    """As :func:`_box_muller_float64`, for float32.

    The logarithm, sine and cosine are Cephes' logf, sinf and cosf (S. Moshier) with fused multiply-adds, as in
    PyTorch's vector code. Plain float32 arithmetic would change the last digit of one value in a hundred; it does
    where a product is exact, or rounded there too: 15 ns a number, against 27 with all steps in float64. Of few
    numbers the hundred calls take the time, 0.6 of what they take with Python's constants and a new array each.
    """
    # Eight words as one thing: twice as fast as by axes.
    rows = words.view(_EIGHT).reshape(-1, 2).T.copy().view(np.int32)
    rows &= _24_BITS
    units, angle = rows.astype(np.float32)
    radius = _log(np.subtract(_TOP, units, units))
    radius *= _MINUS_2
    np.sqrt(radius, radius)
    angle *= _TURN
    pairs = _cos_sin(angle)
    pairs *= radius
    return pairs.view(_EIGHT).T.copy().view(np.float32).ravel()


def _constants(dtype: npt.DTypeLike, *numbers: float) -> tuple[Array, ...]:
    return tuple(constant(x, dtype) for x in numbers)


def _coefficients(*numbers: float) -> tuple[Array, ...]:
    """Those of float32, as float64."""
    return _constants(np.float64, *(float(np.float32(x)) for x in numbers))


_EIGHT = np.dtype("V32")
_LOG = _coefficients(
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
_COS = _coefficients(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_SIN = _coefficients(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS_SIN = tuple(constant([[c], [s]], np.float64) for c, s in zip(_COS, _SIN, strict=True))
# The summands of half of pi; of the third only the product is rounded.
_HALF_PI, _HALF_PI_2 = _constants(np.float32, 1.5703125, 4.837512969970703125e-4)
(_MINUS_HALF_PI_3,) = _coefficients(-7.54978995489188216e-8)
_FOUR_OVER_PI, _TURN = _constants(np.float32, 1.27323954473516, 2 * math.pi * 2.0**-24)
# of numbers whose exponent still stands where it stands in the bits
_LN2_HIGH, _LN2_LOW = _constants(np.float32, 0.693359375 * 2.0**-23, -2.12194440e-4 * 2.0**-23)
_TOP, _ONE, _HALF, _MINUS_HALF, _MINUS_2 = _constants(np.float32, 2**24, 1, 0.5, -0.5, -2)
_1, _30, _24_BITS, _SIGN, _EXPONENT, _24_STEPS = _constants(
    np.int32, 1, 30, 2**24 - 1, -(2**31), -(2**23), 24 << 23
)
_SQRT_HALF = constant(0x3F3504F3, np.int32)  # its bits
_FROM_COS = constant([[1], [0]], np.int32)


def _polynomial(x: Array, coefficients: tuple[Array, ...], y: Array) -> Array:
    """Horner's rule of float64 `x` with fused multiply-adds of float32, into `y`: the product is exact in float64.

    Returns memory for float64 that is free again.
    """
    first, *others, last = coefficients
    wide = x * first
    for coefficient in others:
        wide += coefficient
        y[...] = wide
        wide[...] = y
        wide *= x
    wide += last
    y[...] = wide
    return wide


def _log(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Logarithm of x / 2**24, for whole x from 1 to 2**24.

    It is log(m) + e * log(2), with x = m * 2**e and sqrt(1/2) <= m < sqrt(2).
    """
    bits = x.view(np.int32)
    exponent = bits - _SQRT_HALF
    exponent &= _EXPONENT
    m = (bits - exponent).view(np.float32)
    m -= _ONE
    exponent -= _24_STEPS
    e = exponent.astype(np.float32)
    square, y = m * m, np.empty_like(m)
    wide = _polynomial(m.astype(np.float64), _LOG, y)
    y *= m
    wide[...] = y
    wide *= square
    wide += e * _LN2_LOW
    y[...] = wide
    square *= _HALF
    y -= square
    y += m
    e *= _LN2_HIGH
    y += e
    return y


def _cos_sin(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Cosine and sine of 0 <= x < 8, a vector, which is reduced in place by the nearest multiple of pi / 2."""
    quarter = (x * _FOUR_OVER_PI).astype(np.int32)
    quarter += _1
    quarter >>= _1
    k = quarter.astype(np.float32)
    x -= k * _HALF_PI
    x -= k * _HALF_PI_2
    wide = k.astype(np.float64)
    wide *= _MINUS_HALF_PI_3
    wide += x
    factor = np.empty((2, len(x)), np.float32)
    square, y = factor[0], np.empty_like(factor)
    factor[1] = wide
    np.multiply(factor[1], factor[1], square)
    wide = _polynomial(square.astype(np.float64), _COS_SIN, y)
    y *= square
    wide[...] = y
    wide *= factor
    square *= _MINUS_HALF
    wide += factor
    y[...] = wide
    y[0] += _ONE
    # Exchanged around the second axis; then the signs of the quadrants.
    bits = y.view(np.int32)
    bits ^= (bits[0] ^ bits[1]) & -(quarter & _1)
    quarter = quarter + _FROM_COS
    quarter <<= _30
    quarter &= _SIGN
    bits ^= quarter
    return y


# -------------------------------------------------------------------------------------- orders


def shuffled(count: int, targets: npt.NDArray[np.int64], kind: np.dtype[Any]) -> Array:
    """0..count-1, each but the last exchanged in turn with the one at its target, which is never before it."""
    if count < 512:
        row = list(range(count))
        for i, j in enumerate(targets.tolist()):
            row[i], row[j] = row[j], row[i]
        return np.array(row, dtype=kind)
    # What a step takes from its target is what the step before it put there: what that had found in its own place, and
    # so on back. Steps by target, in order: a million take 0.1 of the time of the loop.
    keys = np.sort(targets << 32 | np.arange(count - 1))
    steps, targets = keys & (2**32 - 1), keys >> 32
    found = np.arange(count)
    moves = steps != targets
    found[targets[moves]] = steps[moves]
    while not np.array_equal(found, further := found[found]):
        found = further
    order = np.empty(count, kind)
    order[-1] = found[-1]
    again = np.flatnonzero(targets[1:] == targets[:-1])
    order[steps] = targets
    order[steps[again + 1]] = found[steps[again]]
    return order

"""PyTorch's CPU random numbers: the same seed draws the same values.

The engine is NumPy's MT19937; what is PyTorch's own is how its 32-bit words become numbers. The reference is
PyTorch 2.13 on x86-64 with AVX2 or AVX-512 (one code path there). Where PyTorch calls the C library (float64
``normal``, ``exponential``, ...), this module does so too, through :mod:`math`.

The drawing methods of :class:`Generator` take a shape and a dtype and return a new ndarray. Nothing is seeded
or drawn before the first use, and ``numpy.random`` is not loaded before it.
"""

from __future__ import annotations

import math
import operator
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, SupportsInt

import numpy as np
import numpy.typing as npt

from minigrad.core.tensor import Tensor

if TYPE_CHECKING:
    from numpy.random import MT19937


__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]

Array = npt.NDArray[Any]
Shape = int | Sequence[int]

_DEFAULT_SEED = 67280421310721  # what PyTorch gives a new Generator
_UNFORESEEN = -1  # in place of a seed: ask the operating system at the first use
_WORDS = 624  # MT19937 makes its 32-bit words in batches of so many
_BLOCK = 16  # normals of 16 and more are made in blocks of 8 pairs

# The bytes of PyTorch's get_state(), so that a saved state travels both ways.
_STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),
        ("seeded", "<i4"),
        ("next", "<u8"),
        ("key", "<u8", (_WORDS,)),
        ("normal_x", "<f8"),  # unused there too
        ("normal", "<f8"),
        ("normal_rho", "<f8"),  # unused there too
        ("has_normal", "<i4"),
        ("padding", "V12"),  # a float32 cache that PyTorch never fills
    ]
)


_state_is: Callable[[Array], Any] = np.asarray  # tensor.py, which knows this module, puts `wrap` here


class Generator:
    """A stream of random numbers that equals ``torch.Generator`` on the CPU, draw by draw.

    Safe to share between threads: each draw holds the generator's lock, as in PyTorch.

    >>> Generator().manual_seed(0).integers(0, 10, 8).tolist()
    [4, 9, 3, 0, 3, 9, 7, 3]
    """

    def __init__(self, device: object = "cpu") -> None:
        if not (device is None or isinstance(device, str) or hasattr(device, "type")):
            raise TypeError(f"Generator(): device must be a device or a str like 'cpu', not {_kind(device)}")
        kind = str(getattr(device, "type", device or "cpu")).partition(":")[0]
        if kind != "cpu":
            raise RuntimeError(f"Generator(): no generator for device {device!s}; only 'cpu' exists here")
        self._lock = threading.RLock()  # reentrant: an interrupt on the way out of it locks nobody out
        self._seed = _DEFAULT_SEED
        self._bits: MT19937 | None = None  # made at the first use
        self._untouched = True  # nothing drawn since seeding; only get_state() tells the difference
        self._normal: float | None = None  # second half of the last Box-Muller pair
        self.resets = 0  # how often it was seeded or given a state

    @property
    def device(self) -> str:
        """Where the numbers are made: always ``'cpu'``."""
        return "cpu"

    # ---------------------------------------------------------------------------------- seed and state

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed`, in [-2**63, 2**64); a negative one counts from 2**64. Returns self.

        Raises:
            RuntimeError: `seed` is not an int.
            ValueError: it is out of range.
        """
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise RuntimeError(f"manual_seed expected an int, but got {_kind(seed)}")
        number = int(seed)
        if not -(2**63) <= number < 2**64:
            raise ValueError(f"manual_seed: {number} does not fit in 64 bits; use -2**63 to 2**64 - 1")
        with self._lock:
            self._reset(number % 2**64)
        return self

    def seed(self) -> int:
        """Start a stream that nobody can foretell; returns the 64-bit seed taken for it."""
        number = _os_seed()
        with self._lock:
            self._reset(number)
        return number

    def initial_seed(self) -> int:
        """The seed that the stream started from."""
        with self._lock:
            self._engine()
            return self._seed

    def get_state(self) -> Tensor:
        """The state: a Tensor of uint8 of shape (5056,), byte for byte PyTorch's; it includes a cached normal."""
        state: Tensor = _state_is(self._bytes())
        return state

    def _bytes(self) -> npt.NDArray[np.uint8]:
        with self._lock:
            engine = self._engine().state["state"]
            position = int(engine["pos"])
            record = np.zeros((), _STATE)
            record["seed"], record["seeded"], record["key"] = self._seed, 1, engine["key"]
            record["next"] = 0 if self._untouched else position
            record["left"] = 1 if self._untouched else _WORDS + 1 - position
            if self._normal is not None:
                record["normal"], record["has_normal"] = self._normal, 1
        return np.frombuffer(record.tobytes(), np.uint8).copy()

    def set_state(self, new_state: Tensor | npt.ArrayLike) -> None:
        """Go on from a state of :meth:`get_state`, or from one saved by PyTorch.

        Raises:
            TypeError: not an array of uint8.
            RuntimeError: wrong size, or bytes that are no state.
        """
        state = np.asarray(new_state)
        if state.dtype != np.uint8:
            raise TypeError(
                f"set_state: the state must be a uint8 array from get_state(), not {_kind(new_state)}"
            )
        if state.size != _STATE.itemsize:
            raise RuntimeError(f"set_state: expected size {_STATE.itemsize}, but found size {state.size}")
        record = np.frombuffer(state.tobytes(), _STATE)[0]
        left, position = int(record["left"]), int(record["next"])
        if record["seeded"] != 1 or not 0 < left <= _WORDS or position > _WORDS:
            raise RuntimeError("set_state: not an mt19937 state; pass what get_state() returned")
        with self._lock:
            engine = self._reset(int(record["seed"]))
            loaded = engine.state
            loaded["state"]["key"] = record["key"].astype(np.uint32)
            loaded["state"]["pos"] = _WORDS if left == 1 else position
            engine.state = loaded
            self._untouched = left == 1 and position == 0
            self._normal = float(record["normal"]) if record["has_normal"] else None

    def clone_state(self) -> Generator:
        """A new generator that goes on from this one's state."""
        clone = Generator()
        clone.set_state(self._bytes())
        return clone

    def __getstate__(self) -> tuple[npt.NDArray[np.uint8]]:  # a lock can be neither pickled nor copied
        return (self._bytes(),)  # the first protocols of pickle ask whether a state is true

    def __setstate__(self, state: Any) -> None:
        Generator.__init__(self)
        self.set_state(state[0] if isinstance(state, tuple) else state)

    # ---------------------------------------------------------------------------------- real numbers

    def uniform(
        self, shape: Shape, dtype: npt.DTypeLike = np.float32, low: float = 0.0, high: float = 1.0
    ) -> Array:
        """Real numbers from [low, high): ``torch.rand`` and ``Tensor.uniform_``.

        float32 and float16 have 24 random bits, float64 has 53.

        Raises:
            NotImplementedError: `dtype` is not floating.
            RuntimeError: low > high, or a bound or their difference does not fit in `dtype`.
        """
        size, kind = _shape(shape), _floating(dtype, "uniform")
        largest = float(np.finfo(kind).max)
        for name, bound in (("low", low), ("high", high)):
            if not -largest <= bound <= largest:
                raise RuntimeError(f"uniform: {name}={bound} is out of bounds for {kind}")
        if low > high:
            raise RuntimeError(f"uniform draws from [low, high), but found low={low} > high={high}")
        low, high = float(low), float(high)  # NumPy's numbers warn
        if high - low > largest:
            raise RuntimeError(f"uniform: the width of [{low}, {high}) is out of bounds for {kind}")
        with self._lock:
            unit = self._unit(math.prod(size), kind)
        work = _WORKING[kind]
        with np.errstate(over="ignore", invalid="ignore"):  # bounds near the largest number
            first, last = work.type(low), work.type(high)
            drawn = unit if (low, high) == (0, 1) else _fused(unit, last - first, first, work)
            values = drawn.astype(kind, copy=False)
        values[values == kind.type(high)] = kind.type(low)  # rounded up to the bound that is excluded
        return values.reshape(size)

    def normal(
        self,
        shape: Shape,
        dtype: npt.DTypeLike = np.float32,
        mean: float = 0.0,
        std: float = 1.0,
        *,
        blocks: bool = True,
    ) -> Array:
        """Normally distributed numbers: ``torch.randn`` and ``Tensor.normal_``.

        Fewer than 16 come from a Box-Muller in float64 whose second value is kept for the next call; 16 and
        more are made by blocks of 8 pairs, in float32 unless `dtype` is float64. Without `blocks` they come one
        after the other too: so PyTorch fills memory that is not contiguous.

        Raises:
            NotImplementedError: `dtype` is not floating.
            RuntimeError: `std` is negative or nan.
        """
        size, kind = _shape(shape), _floating(dtype, "normal")
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std={std}")
        count, work = math.prod(size), _WORKING[kind]
        with self._lock:
            if count < _BLOCK or not blocks:
                return _narrow(self._serial_normal(count, mean, std), kind).reshape(size)
            # The last 16 are drawn anew when blocks do not come out even. Before that, float32 and float64
            # draw for the incomplete block too; float16 is made block by block and does not.
            whole = count - count % _BLOCK
            unit = self._unit(count if work == kind else whole, work)[:whole]
            if whole < count:
                unit = np.concatenate([unit, self._unit(_BLOCK, work)])
        box_muller = _box_muller_float64 if work == np.float64 else _box_muller_float32
        with np.errstate(over="ignore", invalid="ignore"):  # a mean or std beyond the dtype gives inf or nan
            values = box_muller(unit.reshape(-1, 2, _BLOCK // 2), work.type(mean), work.type(std)).ravel()
            values = values.astype(kind, copy=False)
        if whole < count:
            values = np.concatenate([values[: count - _BLOCK], values[-_BLOCK:]])
        return values.reshape(size)

    def exponential(self, shape: Shape, dtype: npt.DTypeLike = np.float32, lambd: float = 1.0) -> Array:
        """Numbers of density ``lambd * exp(-lambd * x)``, by inversion in float64: ``Tensor.exponential_``.

        Raises:
            RuntimeError: `lambd` is not positive.
            NotImplementedError: `dtype` is not floating.
        """
        size, kind = _shape(shape), _floating(dtype, "exponential")
        if not lambd > 0:
            raise RuntimeError(f"exponential expects lambd > 0.0, but found lambd={lambd}")
        return _narrow(-1.0 / lambd * _libm(math.log1p, -self._doubles(size)), kind)

    def cauchy(
        self, shape: Shape, dtype: npt.DTypeLike = np.float32, median: float = 0.0, sigma: float = 1.0
    ) -> Array:
        """Cauchy numbers, by inversion in float64: ``Tensor.cauchy_``. RuntimeError unless sigma > 0."""
        size, kind = _shape(shape), _floating(dtype, "cauchy")
        if not sigma > 0:
            raise RuntimeError(f"cauchy expects sigma > 0.0, but found sigma={sigma}")
        tangent = _libm(math.tan, math.pi * (self._doubles(size) - 0.5))
        return _narrow(_fused(tangent, sigma, median, np.dtype(np.float64)), kind)

    def log_normal(
        self, shape: Shape, dtype: npt.DTypeLike = np.float32, mean: float = 1.0, std: float = 2.0
    ) -> Array:
        """exp(x) of normals x of `mean` and `std`: ``Tensor.log_normal_``. RuntimeError unless std > 0."""
        size, kind = _shape(shape), _floating(dtype, "log_normal")
        if not std > 0:
            raise RuntimeError(f"log_normal expects std > 0.0, but found std={std}")
        with self._lock:
            values = self._serial_normal(math.prod(size), mean, std)
        return _narrow(_libm(_exp, values), kind).reshape(size)

    # ---------------------------------------------------------------------------------- whole numbers

    def integers(
        self, low: int | None, high: int | None, shape: Shape, dtype: npt.DTypeLike = np.int64
    ) -> Array:
        """Whole numbers from [low, high): ``torch.randint`` and ``Tensor.random_``.

        Without `high`, up to the largest of `dtype` (of a floating one: the largest n such that 0..n are all
        representable); without `low`, from 0. As in PyTorch a number is a 32-bit draw modulo the range, or a
        64-bit draw from a range of 2**28 on.

        Raises:
            TypeError: a bound is not an int.
            RuntimeError: low >= high, or a bound is out of bounds for `dtype`.
            ValueError: a bound does not fit in int64.
            NotImplementedError: `dtype` is not a number.
        """
        size, kind = _shape(shape), np.dtype(dtype)
        if kind.kind not in "biuf":
            raise NotImplementedError(f"integers is not implemented for {kind}; use a real or bool dtype")
        digits = np.finfo(kind).nmant + 1 if kind.kind == "f" else 0
        largest = 2**digits if digits else 1 if kind.kind == "b" else int(np.iinfo(kind).max)
        first = 0 if low is None else _int(low, "integers: low")
        end = largest + 1 if high is None else _int(high, "integers: high")
        if high is None and low == -(2**63):
            largest, end = 2**63 - 1, 2**63
        for bound in (first, end if high is not None else end - 1):
            if not -(2**63) <= bound < 2**63:
                raise ValueError(f"integers: {bound} does not fit in int64")
        if first >= end:
            raise RuntimeError(f"integers expects low < high, but got low={first} >= high={end}")
        if (low, high) != (None, None) and end - first < 2**64:
            first, end = _representable(first, end, kind, digits)
        count, span = math.prod(size), end - first
        # Without bounds PyTorch goes by the dtype: int32 takes a 32-bit draw though its span is 2**31.
        wide = span >= 2**28 if (low, high) != (None, None) else kind.str[1:] in ("i8", "f8")
        with self._lock:
            words = self._words64(count) if wide else self._words(count).astype(np.uint64)
        if span < 2**64:
            words = words % np.uint64(span) + np.uint64(first % 2**64)  # wraps as two's complement does
        return words.view(np.int64).astype(kind).reshape(size)

    def permutation(self, n: int, dtype: npt.DTypeLike = np.int64) -> Array:
        """0..n-1 in random order, shape (n,): ``torch.randperm``, a forward Fisher-Yates shuffle.

        Raises:
            TypeError: `n` is not an int.
            RuntimeError: `n` is negative, or n - 1 is not exact in `dtype`.
            NotImplementedError: `dtype` is not a number.
        """
        (count,), kind = _shape(_int(n, "permutation: n")), np.dtype(dtype)
        if kind.kind not in "iuf":
            raise NotImplementedError(f"permutation is not implemented for {kind}; use a real dtype")
        largest = 2 ** (np.finfo(kind).nmant + 1) if kind.kind == "f" else int(np.iinfo(kind).max)
        if count - 1 > largest:
            raise RuntimeError(f"permutation: n={count} is too large for {kind}, exact only up to {largest}")
        with self._lock:
            words = self._words(max(count - 1, 0)).astype(np.int64)
        order = list(range(count))
        steps = np.arange(len(words))
        for i, j in enumerate((steps + words % (count - steps)).tolist()):  # each step needs the one before
            order[i], order[j] = order[j], order[i]
        return np.array(order, dtype=kind)

    def bernoulli(
        self, p: float | Array, shape: Shape | None = None, dtype: npt.DTypeLike | None = None
    ) -> Array:
        """Ones with probability `p`, else zeros: ``torch.bernoulli``, ``Tensor.bernoulli_``, dropout.

        Args:
            p: a number, or a floating array of probabilities that is broadcast to `shape`. An array is
                compared with uniforms of its own precision, a number with those of float64.
            shape: of the result; without it that of `p`.
            dtype: of the result; without it that of an array `p`, else float32.

        Raises:
            RuntimeError: a probability outside [0, 1], or an array that does not broadcast to `shape`.
            NotImplementedError: an array `p` that is not floating.
        """
        if isinstance(p, np.ndarray):
            chance, kind = p, _floating(p.dtype, "bernoulli")
        else:
            chance, kind = np.asarray(p, np.float64), np.dtype(np.float64)
        size = chance.shape if shape is None else _shape(shape)
        wrong = chance[~((chance >= 0) & (chance <= 1))]
        if wrong.size:
            raise RuntimeError(f"bernoulli expects p to be in [0, 1], but got p={wrong.flat[0]}")
        try:
            chance = np.broadcast_to(chance, size)
        except ValueError:
            raise RuntimeError(f"bernoulli: p of shape {chance.shape} does not broadcast to {size}") from None
        with self._lock:
            unit = self._unit(math.prod(size), kind)
        if dtype is None:
            dtype = kind if isinstance(p, np.ndarray) else np.float32
        return (unit.reshape(size) < chance).astype(dtype)

    def geometric(self, p: float, shape: Shape, dtype: npt.DTypeLike = np.float32) -> Array:
        """Number of trials up to the first success of chance `p`: ``Tensor.geometric_``.

        Raises:
            RuntimeError: p outside (0, 1).
            NotImplementedError: `dtype` is bool or not a number.
        """
        size, kind = _shape(shape), np.dtype(dtype)
        if kind.kind not in "iuf":
            raise NotImplementedError(f"geometric is not implemented for {kind}; use a real dtype")
        if not 0 < p < 1:
            raise RuntimeError(f"geometric expects p to be in (0, 1), but got p={p}")
        unit = np.maximum(self._doubles(size), np.finfo(np.float64).tiny)  # log(0) once in 2**53 draws
        return _narrow(np.ceil(_libm(math.log, unit) / math.log1p(-p)), kind)

    def multinomial(
        self, weights: Array, num_samples: int, replacement: bool = False
    ) -> npt.NDArray[np.int64]:
        """Indices drawn by weight, shape (..., num_samples): ``torch.multinomial``.

        Args:
            weights: floating, shape (n,) or (rows, n); a row need not sum to 1.

        Raises:
            RuntimeError: not floating, not 1-d or 2-d, a weight that is negative or not finite, a row without
                positive weight, or more samples than categories without replacement.
        """
        kind, samples = weights.dtype, _int(num_samples, "multinomial: num_samples")
        if kind not in _WORKING:
            raise RuntimeError(f"multinomial only supports floating weights, got {kind}")
        if weights.ndim not in (1, 2):
            raise RuntimeError(f"multinomial: weights must be 1-d or 2-d, got shape {weights.shape}")
        if samples <= 0:
            raise RuntimeError(f"multinomial: num_samples must be positive, got {samples}")
        if not replacement and samples > weights.shape[-1]:
            raise RuntimeError(f"multinomial: no {samples} of {weights.shape[-1]} without replacement")
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise RuntimeError("multinomial: weights contain inf, nan or a number below 0")
        if not (weights.sum(-1) > 0).all():
            raise RuntimeError("multinomial: the weights sum to 0, so nothing can be drawn")
        if samples == 1 or not replacement:
            # The race of exponential clocks: the largest weight / Exp(1) win, in order (Gumbel's trick).
            with np.errstate(divide="ignore", invalid="ignore"):
                race = weights / self.exponential(weights.shape, kind)
            return np.argsort(-race, axis=-1, kind="stable")[..., :samples].astype(np.int64)
        rows = np.atleast_2d(weights)
        cumulative = np.cumsum(rows, axis=-1, dtype=_WORKING[kind])
        cumulative = cumulative / cumulative[:, -1:]
        cumulative[:, -1] = 1
        unit = self._doubles((len(rows), samples))
        drawn = [np.searchsorted(row.astype(np.float64), u) for row, u in zip(cumulative, unit, strict=True)]
        return np.array(drawn, np.int64).reshape(*weights.shape[:-1], samples)

    # ---------------------------------------------------------------------------------- words to numbers
    # All but _doubles are called with the lock held.

    def _reset(self, seed: int) -> MT19937:
        self._seed, self._normal, self._untouched = seed, None, True
        self.resets += 1
        if self._bits is None:
            self._bits = np.random.MT19937(0)
        # The key grows from the low 32 bits of the seed: RandomState's seeding, not MT19937's own.
        np.random.RandomState(self._bits).seed(seed % 2**32)
        return self._bits

    def _engine(self) -> MT19937:
        if self._bits is not None:
            return self._bits
        made = self._reset(_os_seed() if self._seed == _UNFORESEEN else self._seed)
        self.resets -= 1  # nobody asked for it
        return made

    def _words(self, count: int) -> npt.NDArray[np.uint32]:
        engine = self._engine()
        self._untouched = self._untouched and count == 0
        return engine.random_raw(count).astype(np.uint32)

    def _words64(self, count: int) -> npt.NDArray[np.uint64]:
        words = self._words(2 * count).astype(np.uint64)
        return words[0::2] << np.uint64(32) | words[1::2]  # the first word is the high one

    def _unit(self, count: int, kind: np.dtype[Any]) -> Array:
        """Uniforms from [0, 1): float64 of 53 bits for a float64 `kind`, else float32 of 24 bits."""
        if kind == np.float64:
            return (self._words64(count) & np.uint64(2**53 - 1)).astype(np.float64) * 2.0**-53
        return (self._words(count) & np.uint32(2**24 - 1)).astype(np.float32) * np.float32(2.0**-24)

    def _doubles(self, size: tuple[int, ...]) -> npt.NDArray[np.float64]:
        with self._lock:
            return self._unit(math.prod(size), np.dtype(np.float64)).reshape(size)

    def _serial_normal(self, count: int, mean: float, std: float) -> npt.NDArray[np.float64]:
        """Box-Muller in float64, one after the other; an odd value out waits in the generator."""
        if count == 0:
            return np.empty(0)
        waiting = [] if self._normal is None else [self._normal]
        pairs = self._unit(2 * ((count - len(waiting) + 1) // 2), np.dtype(np.float64)).reshape(-1, 2)
        radius = np.sqrt(-2.0 * _libm(math.log1p, -pairs[:, 1]))
        angle = 2.0 * math.pi * pairs[:, 0]
        made = np.stack([radius * _libm(math.cos, angle), radius * _libm(math.sin, angle)], axis=1).ravel()
        values = np.concatenate([waiting, made])
        self._normal = float(values[count]) if len(values) > count else None
        return _fused(values[:count], std, mean, np.dtype(np.float64))


# -------------------------------------------------------------------------------------- arithmetic

# The dtype that PyTorch computes in, for each floating dtype.
_WORKING = {np.dtype(d): np.dtype(w) for d, w in (("f2", "f4"), ("f4", "f4"), ("f8", "f8"))}


def _libm(function: Callable[[float], float], x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`function` of each element by the C library: NumPy's own log differs by an ulp in 0.3% of values."""
    return np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


def _narrow(x: npt.NDArray[np.float64], kind: np.dtype[Any]) -> Array:
    """`x` as `kind`; to float16 PyTorch goes by float32, so it rounds twice."""
    with np.errstate(over="ignore"):
        return (x.astype(np.float32) if kind == np.float16 else x).astype(kind, copy=False)


def _exp(x: float) -> float:
    return math.inf if x > 709.782712893384 else math.exp(x)  # Python would raise OverflowError


def _fused(x: Array, slope: float, offset: float, kind: np.dtype[Any]) -> Array:
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


def _box_muller_float64(unit: Array, mean: float, std: float) -> Array:
    """Normals from uniforms; both of shape (blocks, 2, 8), the radius from row 0 and the angle from row 1."""
    radius = np.sqrt(-2.0 * _libm(math.log, 1.0 - unit[:, 0]))
    angle = 2.0 * math.pi * unit[:, 1]
    pairs = np.stack([radius * _libm(math.cos, angle), radius * _libm(math.sin, angle)], axis=1)
    return _fused(pairs, std, mean, np.dtype(np.float64))


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


# -------------------------------------------------------------------------------------- arguments


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{name} of {value.dtype}" if isinstance(value, np.ndarray) else name


def _int(value: object, name: str) -> int:
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an int, not {_kind(value)}") from None


def _shape(shape: Shape) -> tuple[int, ...]:
    given: Iterable[object] = shape if isinstance(shape, Iterable) else (shape,)
    size = tuple(_int(n, "each dimension of a shape") for n in given)
    for n in size:
        if n < 0:
            raise RuntimeError(f"cannot create an array with negative dimension {n}: {list(size)}")
    return size


def _floating(dtype: npt.DTypeLike, what: str) -> np.dtype[Any]:
    kind = np.dtype(dtype)
    if kind not in _WORKING:
        raise NotImplementedError(f"{what} is not implemented for {kind}; use float16, float32 or float64")
    return kind


def _representable(first: int, end: int, kind: np.dtype[Any], digits: int) -> tuple[int, int]:
    """Check [first, end) against `kind`; for a floating one, narrow it to bounds that it can hold."""
    if digits:
        smallest, largest = -int(np.finfo(kind).max), int(np.finfo(kind).max)
    elif kind.kind == "b":
        smallest, largest = 0, 1
    else:
        smallest, largest = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    for name, bound in (("low", first), ("high - 1", end - 1)):
        if not smallest <= bound <= largest:
            raise RuntimeError(f"integers: {name} = {bound} is out of bounds for {kind}")
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


def _os_seed() -> int:
    return int.from_bytes(os.urandom(8), "little")


# -------------------------------------------------------------------------------------- the default one

default_generator = Generator()
default_generator._seed = _UNFORESEEN  # as in PyTorch: who does not seed gets other numbers in each run


def manual_seed(seed: SupportsInt | str) -> Generator:
    """Seed the default generator, as :meth:`Generator.manual_seed`; returns it."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Give the default generator an unforeseeable seed, and return that."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state, as :meth:`Generator.get_state`."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor | npt.ArrayLike) -> None:
    """Set the default generator's state, as :meth:`Generator.set_state`."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Iterable[object] | None = None, enabled: bool = True, device_type: str | None = None
) -> Iterator[None]:
    """Draw inside the ``with`` block as you like: afterwards the default generator goes on as if you had not.

    Args:
        devices: other devices whose generators to fork; there are none here, so None or empty.
        enabled: False makes the block do nothing.
        device_type: accepted for PyTorch's sake.

    Raises:
        RuntimeError: `devices` names a device.
    """
    if not enabled:
        yield
        return
    others = list(devices or ())
    if others:
        raise RuntimeError(f"fork_rng: there is no device {others[0]!s}; the CPU is always forked")
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)

"""`Generator`: checks arguments, draws words, and turns them into the numbers into which PyTorch turns them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.core.apply import needs_value
from minigrad.core.tensor import Tensor, wrap
from minigrad.device import check_place, device
from minigrad.dtypes import limits, working
from minigrad.errors import not_implemented_error, runtime_error, type_error, value_error
from minigrad.kernels.arithmetic import extremes
from minigrad.random import rejection
from minigrad.random.algorithms import (
    FEW,
    Ahead,
    Array,
    exp,
    fused,
    libm,
    narrow,
    normal,
    scale,
    serial_normal,
    shuffled,
    through_libm,
)
from minigrad.random.arguments import (
    Shape,
    ends,
    floating,
    integer_range,
    kind_of,
    real_range,
    shape_of,
    whole,
)
from minigrad.random.bits import STATE, Bits, os_seed, units

if TYPE_CHECKING:
    import numpy.typing as npt


class Generator:
    """A stream of random numbers that equals ``torch.Generator`` on the CPU, draw by draw.

    Safe to share between threads: each draw holds the generator's lock, as in PyTorch.

    >>> Generator().manual_seed(0).integers(0, 10, 8).tolist()
    [4, 9, 3, 0, 3, 9, 7, 3]
    """

    __module__ = "minigrad.random"

    def __init__(self, device: Any = "cpu") -> None:
        if not (device is None or isinstance(device, str) or hasattr(device, "type")):
            raise type_error(
                f"Generator(): device must be a device or a str like 'cpu', not {kind_of(device)}"
            )
        check_place(device)
        self._bits, self._ahead = Bits(), Ahead()

    @classmethod
    def unforeseeable(cls) -> Generator:
        """One whose seed is taken from the operating system at the first use."""
        generator = cls()
        generator._bits.seed = None
        return generator

    @property
    def device(self) -> device:
        """Where the numbers are drawn: always the CPU."""
        return device("cpu")

    # ---------------------------------------------------------------------------------- seed and state

    def manual_seed(self, seed: int) -> Generator:
        """Starts the stream of `seed`, in [-2**63, 2**64); a negative one counts from 2**64. Returns self.

        Raises:
            RuntimeError: `seed` is not an int.
            ValueError: it is out of range.
        """
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise runtime_error(f"manual_seed expected an int, but got {kind_of(seed)}")
        number = int(seed)
        if not -(2**63) <= number < 2**64:
            raise value_error(f"manual_seed: {number} does not fit in 64 bits; use -2**63 to 2**64 - 1")
        with self._bits.lock:
            self._bits.start(number % 2**64)
        return self

    def seed(self) -> int:
        """Starts the stream of a random 64-bit seed, and returns that."""
        number = os_seed()
        with self._bits.lock:
            self._bits.start(number)
        return number

    def initial_seed(self) -> int:
        """The seed that the stream started from."""
        needs_value("the seed of a generator")
        with self._bits.lock:
            self._bits.engine()
            return self._bits.seed or 0

    def get_state(self) -> Tensor:
        """The state: a Tensor of uint8 of shape (5056,), byte for byte PyTorch's; it includes a cached normal."""
        needs_value("the state of a generator")
        return wrap(self._dump())

    def _dump(self) -> npt.NDArray[np.uint8]:
        with self._bits.lock:
            return self._bits.dump()

    def set_state(self, new_state: Tensor | npt.ArrayLike) -> Generator:
        """Continues from a state of :meth:`get_state`, or from one saved by PyTorch. Returns itself.

        Raises:
            TypeError: not an array of uint8.
            RuntimeError: wrong size, or bytes that are not a state.
        """
        state = np.asarray(new_state)
        if state.dtype != np.uint8:
            raise type_error(f"set_state: need the uint8 array of get_state(), not {kind_of(new_state)}")
        if state.size != STATE.itemsize:
            raise runtime_error(f"set_state: expected size {STATE.itemsize}, but found size {state.size}")
        with self._bits.lock:
            self._bits.load(state)
        return self

    def clone_state(self) -> Generator:
        """A new generator that continues from this one's state."""
        clone = Generator()
        clone.set_state(self._dump())
        return clone

    # A lock can be neither pickled nor copied. A tuple, for the first protocols of pickle ask whether a state is true.
    def __getstate__(self) -> tuple[npt.NDArray[np.uint8]]:
        return (self._dump(),)

    def __setstate__(self, state: Any) -> None:
        Generator.__init__(self)
        self.set_state(state[0] if isinstance(state, tuple) else state)

    # ---------------------------------------------------------------------------------- real numbers

    def uniform(
        self,
        shape: Shape,
        dtype: npt.DTypeLike = np.float32,
        low: float = 0.0,
        high: float = 1.0,
        *,
        out: Array | None = None,
    ) -> Array:
        """Uniform numbers from [low, high): ``torch.rand`` and ``Tensor.uniform_``.

        float32 and shorter dtypes have 24 random bits, float64 has 53. ``out`` is a C-contiguous array of the shape
        and dtype, which is filled and returned.

        Raises:
            NotImplementedError: `dtype` is not floating.
            RuntimeError: low > high, or a bound or their difference does not fit in `dtype`.
        """
        if np.dtype(dtype).kind == "c":  # both parts
            parts = self.uniform((*shape_of(shape), 2), np.empty(0, dtype).real.dtype, low, high)
            return parts.view(dtype)[..., 0]
        size, kind = shape_of(shape), floating(dtype, "uniform")
        work = working(kind)
        wide = work == np.float64
        if low == 0 and high == 1 and work == kind:
            return self._fill(size, kind, units, wide, out)
        low, high = real_range(low, high, kind)
        scaled, bound = scale(low, high, kind)

        def make(words: Array) -> Array:
            values = scaled(units(words))
            if bound is not None:
                values[values == bound] = kind.type(low)
            return values

        return self._fill(size, kind, make, wide, out)

    def normal(
        self,
        shape: Shape,
        dtype: npt.DTypeLike = np.float32,
        mean: float = 0.0,
        std: float = 1.0,
        *,
        blocks: bool = True,
        out: Array | None = None,
    ) -> Array:
        """Normally distributed numbers: ``torch.randn`` and ``Tensor.normal_``.

        Fewer than 16 come from a Box-Muller in float64 whose second value is kept for the next call; 16 and
        more are made by blocks of 8 pairs, in float32 unless `dtype` is float64. Without `blocks` they come one
        after the other too: so PyTorch fills memory that is not contiguous. ``out`` as for `uniform`; real dtypes.

        Raises:
            NotImplementedError: `dtype` is not floating.
            RuntimeError: `std` is negative or nan.
        """
        if np.dtype(dtype).kind == "c":  # parts of half the variance
            size, kind = (*shape_of(shape), 2), np.empty(0, dtype).real.dtype
            return self.normal(size, kind, mean, std * math.sqrt(0.5), blocks=blocks).view(dtype)[..., 0]
        size, kind = shape_of(shape), floating(dtype, "normal")
        if not std >= 0:
            raise runtime_error(f"normal expects std >= 0.0, but found std={std}")
        values = np.empty(size, kind) if out is None else out
        normal(self._bits, self._ahead, values.reshape(-1), mean, std, blocks)
        return values

    def exponential(self, shape: Shape, dtype: npt.DTypeLike = np.float32, lambd: float = 1.0) -> Array:
        """Numbers of density ``lambd * exp(-lambd * x)``, by inversion in float64: ``Tensor.exponential_``.

        Raises:
            RuntimeError: `lambd` is not positive.
            NotImplementedError: `dtype` is not floating.
        """
        size, kind = shape_of(shape), floating(dtype, "exponential")
        if not lambd > 0:
            raise runtime_error(f"exponential expects lambd > 0.0, but found lambd={lambd}")
        slope = -1.0 / lambd

        def make(words: Array) -> Array:
            return through_libm(-units(words), np.log1p, math.log1p, kind, lambda y: slope * y)

        return self._fill(size, kind, make, wide=True)

    def cauchy(
        self, shape: Shape, dtype: npt.DTypeLike = np.float32, median: float = 0.0, sigma: float = 1.0
    ) -> Array:
        """Cauchy numbers, by inversion in float64: ``Tensor.cauchy_``. RuntimeError unless sigma > 0."""
        size, kind = shape_of(shape), floating(dtype, "cauchy")
        if not sigma > 0:
            raise runtime_error(f"cauchy expects sigma > 0.0, but found sigma={sigma}")

        def make(words: Array) -> Array:
            x = math.pi * (units(words) - 0.5)
            finish = functools.partial(fused, slope=sigma, offset=median, kind=np.dtype(np.float64))
            return through_libm(x, np.tan, math.tan, kind, finish, abs(median))

        return self._fill(size, kind, make, wide=True)

    def log_normal(
        self, shape: Shape, dtype: npt.DTypeLike = np.float32, mean: float = 1.0, std: float = 2.0
    ) -> Array:
        """exp(x) of normals x of `mean` and `std`: ``Tensor.log_normal_``. RuntimeError unless std > 0."""
        size, kind = shape_of(shape), floating(dtype, "log_normal")
        if not std > 0:
            raise runtime_error(f"log_normal expects std > 0.0, but found std={std}")
        values = serial_normal(self._bits, math.prod(size), mean, std)
        return narrow(libm(exp, values), kind).reshape(size)

    def standard_gamma(self, alpha: Array) -> Array:
        """Gamma numbers of shapes `alpha` and scale 1, in their dtype: ``torch._standard_gamma``; nan below 0.

        Raises:
            NotImplementedError: `alpha` is not floating.
        """
        kind = floating(alpha.dtype, "gamma")
        values = np.array(rejection.gamma(self._bits, alpha.ravel(), kind)).reshape(alpha.shape)
        return np.maximum(narrow(values, kind), limits(kind).tiny)

    def dirichlet(self, alpha: Array) -> Array:
        """Points of the simplex, from gamma numbers along the last dimension: ``torch._sample_dirichlet``.

        Raises:
            NotImplementedError: `alpha` is not floating.
        """
        kind = floating(alpha.dtype, "dirichlet")
        values = np.array(rejection.gamma(self._bits, alpha.ravel(), np.dtype(np.float64))).reshape(
            alpha.shape
        )
        with np.errstate(invalid="ignore"):
            values = narrow(values / values.sum(-1, keepdims=True), kind)
        low, high = limits(kind).tiny, np.nextafter(kind.type(1), kind.type(0))
        return np.asarray(np.clip(values, low, high))

    # ---------------------------------------------------------------------------------- whole numbers

    def poisson(self, rate: Array) -> Array:
        """Poisson numbers of rates `rate`, in their dtype: ``torch.poisson``.

        Raises:
            RuntimeError: a rate is negative, or not finite.
            NotImplementedError: `rate` is not floating.
        """
        kind = floating(rate.dtype, "poisson")
        if not (rate >= 0).all() or not np.isfinite(rate).all():
            raise runtime_error("invalid Poisson rate, expected rate to be non-negative")
        return narrow(
            np.array(rejection.poisson(self._bits, rate.ravel().tolist())).reshape(rate.shape), kind
        )

    def binomial(self, count: Array, prob: Array) -> Array:
        """Successes in `count` trials of probability `prob`, which have one shape and dtype: ``torch.binomial``.

        Raises:
            NotImplementedError: they are not floating.
        """
        kind = floating(prob.dtype, "binomial")
        values = rejection.binomial(self._bits, count.ravel().tolist(), prob.ravel().tolist(), kind)
        return narrow(np.array(values).reshape(prob.shape), kind)

    def integers(
        self, low: int | None, high: int | None, shape: Shape, dtype: npt.DTypeLike = np.int64
    ) -> Array:
        """Integers from [low, high): ``torch.randint`` and ``Tensor.random_``.

        Without `high`, up to the largest of `dtype` (of a floating one: the largest n such that 0..n are all
        representable); without `low`, from 0. As in PyTorch a number is a 32-bit draw modulo the range, or a
        64-bit draw from a range of 2**28 on.

        Raises:
            TypeError: a bound is not an int.
            RuntimeError: low >= high, or a bound is out of bounds for `dtype`.
            ValueError: a bound does not fit in int64.
            NotImplementedError: `dtype` is not a number.
        """
        size, kind = shape_of(shape), np.dtype(dtype)
        first, end, wide = integer_range(low, high, kind)
        span = end - first

        def make(words: Array) -> Array:
            if span < 2 ** (8 * words.itemsize):
                by = np.array(span, words.dtype)
                words -= words // by * by  # 0.4 of the time of the remainder
            if first and span < 2**64:
                # The sum wraps as two's complement does.
                words = words.astype(np.uint64, copy=False) + np.uint64(first % 2**64)
            return words.astype(np.uint64, copy=False).view(np.int64)

        return self._fill(size, kind, make, wide)

    def permutation(self, n: int, dtype: npt.DTypeLike = np.int64) -> Array:
        """0..n-1 in random order, shape (n,): ``torch.randperm``, a forward Fisher-Yates shuffle.

        Raises:
            TypeError: `n` is not an int.
            RuntimeError: `n` is negative, or n - 1 is not exact in `dtype`.
            NotImplementedError: `dtype` is not a number.
        """
        (count,), kind = shape_of(whole(n, "permutation: n")), np.dtype(dtype)
        if kind.kind not in "iufV":
            raise not_implemented_error(f"permutation is not implemented for {kind}; use a real dtype")
        largest = 2 ** (limits(kind).nmant + 1) if kind.kind in "fV" else ends(kind)[1]
        if count - 1 > largest:
            raise runtime_error(f"permutation: n={count} is too large for {kind}, exact only up to {largest}")
        with self._bits.lock:
            words = self._bits.words(max(count - 1, 0)).astype(np.int64)
        steps = np.arange(len(words))
        return shuffled(count, steps + words % (count - steps), kind)

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
            chance, kind = p, floating(p.dtype, "bernoulli")
            wrong: Any = chance[~((chance >= 0) & (chance <= 1))].flat[:1]
        else:
            chance, kind = np.asarray(p, np.float64), np.dtype(np.float64)
            wrong = () if 0 <= p <= 1 else [p]
        size = chance.shape if shape is None else shape_of(shape)
        if len(wrong):
            raise runtime_error(f"bernoulli expects p to be in [0, 1], but got p={wrong[0]}")
        if chance.shape != size and (chance.size != 1 or chance.ndim > len(size)):
            try:
                chance = np.broadcast_to(chance, size)
            except ValueError:
                raise runtime_error(f"bernoulli: p of shape {chance.shape} does not fit {size}") from None
        if dtype is None:
            dtype = kind if isinstance(p, np.ndarray) else np.float32
        chances = chance.reshape(-1)
        values = np.empty(size, dtype)
        flat = values.reshape(-1)

        def compare(place: slice, words: Array) -> None:
            np.less(
                units(words), chances[place] if chances.size > 1 else chances, flat[place], casting="unsafe"
            )

        with self._bits.lock:
            self._bits.each(flat.size, compare, kind == np.float64)
        return values

    def geometric(self, p: float, shape: Shape, dtype: npt.DTypeLike = np.float32) -> Array:
        """Numbers of trials up to the first success, of probability `p`: ``Tensor.geometric_``.

        Raises:
            RuntimeError: p outside (0, 1).
            NotImplementedError: `dtype` is bool or not a number.
        """
        size, kind = shape_of(shape), np.dtype(dtype)
        if kind.kind not in "iufV":
            raise not_implemented_error(f"geometric is not implemented for {kind}; use a real dtype")
        if not 0 < p < 1:
            raise runtime_error(f"geometric expects p to be in (0, 1), but got p={p}")
        # Zero, whose logarithm is infinite, comes once in 2**53 draws.
        unit = np.maximum(self._doubles(size), np.finfo(np.float64).tiny)
        return narrow(np.ceil(libm(math.log, unit) / math.log1p(-p)), kind)

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
        kind, samples = weights.dtype, whole(num_samples, "multinomial: num_samples")
        if kind.kind not in "fV":
            raise runtime_error(f"multinomial only supports floating weights, got {kind}")
        if weights.ndim not in (1, 2):
            raise runtime_error(f"multinomial: weights must be 1-d or 2-d, got shape {weights.shape}")
        if samples <= 0:
            raise runtime_error(f"multinomial: num_samples must be positive, got {samples}")
        if not replacement and samples > weights.shape[-1]:
            raise runtime_error(f"multinomial: no {samples} of {weights.shape[-1]} without replacement")
        least, most = extremes(weights) if weights.size else (0, 1)
        if not (least >= 0 and most < math.inf):  # which nan is not
            raise runtime_error("probability tensor contains either `inf`, `nan` or element < 0")
        if np.count_nonzero(weights.any(-1)) < weights[..., :1].size or not weights.shape[-1]:
            raise runtime_error("invalid multinomial distribution (sum of probabilities <= 0)")
        if samples == 1 or not replacement:
            # The race of exponential clocks: the largest weight / Exp(1) win, in order (Gumbel's trick).
            with np.errstate(divide="ignore", invalid="ignore"):
                turned = 0 < weights.strides[0] < weights.strides[-1]  # drawn in the order of memory
                clocks = self.exponential(weights.shape[::-1] if turned else weights.shape, kind)
                race = weights / (clocks.T if turned else clocks)
            if samples == 1:
                return race.argmax(-1, keepdims=True).astype(np.int64, copy=False)
            return np.argsort(-race, axis=-1, kind="stable")[..., :samples].astype(np.int64)
        rows = np.atleast_2d(weights)
        cumulative = np.cumsum(rows, axis=-1, dtype=working(kind))
        cumulative = cumulative / cumulative[:, -1:]
        cumulative[:, -1] = 1
        unit = self._doubles((len(rows), samples))
        drawn = [np.searchsorted(row.astype(np.float64), u) for row, u in zip(cumulative, unit, strict=True)]
        return np.array(drawn, np.int64).reshape(*weights.shape[:-1], samples)

    def _fill(
        self,
        size: tuple[int, ...],
        kind: npt.DTypeLike,
        make: Callable[[Array], Array],
        wide: bool = False,
        out: Array | None = None,
    ) -> Array:
        """An array, or `out`, of what `make` returns for words, of 64 bits if `wide`."""
        if out is None and (count := math.prod(size)) <= FEW:  # no memory to fill, in two thirds of the time
            with self._bits.lock:
                words: Array = self._bits.words64(count) if wide else self._bits.words(count)
            return make(words).astype(kind, copy=False).reshape(size)
        values = np.empty(size, kind) if out is None else out
        flat = values.reshape(-1)

        def put(place: slice, words: Array) -> None:
            flat[place] = make(words)

        with self._bits.lock:
            self._bits.each(flat.size, put, wide)
        return values

    def _doubles(self, size: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """Uniform numbers from [0, 1) with 53 bits."""
        return self._fill(size, np.float64, units, wide=True)

"""`Bits`: PyTorch's stream of random words, its seed and its state; words become uniform numbers here."""

from __future__ import annotations

import os
from _thread import RLock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.core.changes import RUNNING, part
from minigrad.core.mode import MODE, RECORDERS
from minigrad.errors import runtime_error
from minigrad.kernels.sharing import blocks

if TYPE_CHECKING:  # importing it takes a millisecond
    import numpy.typing as npt
    from numpy.random import MT19937

_DEFAULT_SEED = 67280421310721  # what PyTorch gives a new Generator
_WORDS = 624  # MT19937 makes its 32-bit words in batches of so many

_PART = 1 << 15  # words that are made at once
# Freed at once: after that glibc does not give back the memory of every part, to get new pages for the next one, which
# took half of the time of 32,768 normal numbers.
np.empty(1 << 22, np.uint8)


def constant(value: Any, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """A read-only array: NumPy takes one without dimensions in half the time of a Python number."""
    array = np.array(value, dtype)
    array.flags.writeable = False
    return array


_53_BITS = 2**53 - 1
# Of words of 64 and of 32 bits: those that are used, as which they are read, and what the last of them counts.
_LONG, _SHORT = (
    (constant(2**n - 1, f"u{k}"), np.dtype(f"i{k}"), np.dtype(f"f{k}"), constant(2.0**-n, f"f{k}"))
    for n, k in ((53, 8), (24, 4))
)

# The bytes of PyTorch's get_state(), so that a saved state travels both ways.
STATE = np.dtype(
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


class Bits:
    """MT19937, seeded and saved as PyTorch does. All methods are called with the lock held."""

    def __init__(self) -> None:
        # reentrant: an interrupt on the way out of it leaves nothing locked
        self.lock = RLock()
        # None: the operating system is asked at the first use
        self.seed: int | None = _DEFAULT_SEED
        # the second half of the last Box-Muller pair
        self.normal: float | None = None
        # created at the first use
        self._engine: MT19937 | None = None
        # whether no word was drawn since seeding, which only the saved state tells
        self._untouched = True
        # how many words were drawn, but for those of `each`
        self.drawn = 0

    def start(self, seed: int) -> MT19937:
        """Begins the stream of a seed."""
        if RUNNING or RECORDERS:
            self._told()
        return self._begin(seed)

    def _begin(self, seed: int) -> MT19937:
        self.seed, self.normal, self._untouched = seed, None, True
        if self._engine is None:
            self._engine = np.random.MT19937(0)
        # The key grows from the low 32 bits of the seed: RandomState's seeding, not MT19937's own.
        np.random.RandomState(self._engine).seed(seed % 2**32)
        return self._engine

    def engine(self) -> MT19937:
        """The source of the words, seeded."""
        if self._engine is not None:
            return self._engine
        return self._begin(os_seed() if self.seed is None else self.seed)

    def words(self, count: int) -> npt.NDArray[np.uint32]:
        """The next words of 32 bits."""
        return self._raw(count).astype(np.uint32)

    def words64(self, count: int) -> npt.NDArray[np.uint64]:
        """The next words of 64 bits, each made of two."""
        return _pairs(self._raw(2 * count))

    def pairs(self, count: int) -> Iterator[tuple[float, float]]:
        """Pairs of the next float64 of [0, 1), as Python's numbers: of few in a third of the time of `units`."""
        words = iter(self._raw(4 * count).tolist())
        numbers = (((high << 32 | low) & _53_BITS) * 2.0**-53 for high, low in zip(words, words, strict=True))
        return zip(numbers, numbers, strict=True)

    def _told(self) -> None:
        """Tells whoever has to take back, or repeat, what is drawn."""
        if (p := part()) is not None:
            p.draws(self)
        if (recorder := MODE.get().recorder) is not None:
            recorder.draws(self)

    def _raw(self, count: int) -> npt.NDArray[np.uint64]:
        if RUNNING or RECORDERS:
            self._told()
        engine = self.engine()
        self._untouched = self._untouched and count == 0
        self.drawn += count
        return engine.random_raw(count)

    def coming(self, count: int) -> npt.NDArray[np.uint32]:
        """The words of 32 bits that come next, which stay to be drawn."""
        twin = np.random.MT19937(0)  # an interrupt leaves the stream where it is
        twin.state = self.engine().state
        return twin.random_raw(count).astype(np.uint32)

    def each(
        self, count: int, convert: Callable[[slice, npt.NDArray[Any]], object], wide: bool = False
    ) -> None:
        """``convert(place, words)`` for parts of ``count`` elements: a word each, of 64 bits if ``wide``.

        It may overwrite the words. A part begins at a multiple of 16. Words come in order, and threads share what is
        made of them while it is in the cache: 38 million uniform numbers take 0.3 of the processor time that they took
        when each step went over all.
        """
        if count <= _PART:
            convert(slice(count), self.words64(count) if wide else self.words(count))
            return
        self._raw(0)
        self._untouched = False
        draw, turn = self.engine().random_raw, Lock()

        def work(starts: Iterator[int]) -> None:
            while True:
                with turn:
                    if (start := next(starts, None)) is None:
                        return
                    stop = min(start + _PART, count)
                    words = draw((stop - start) << wide)
                convert(slice(start, stop), _pairs(words) if wide else words.astype(np.uint32))

        blocks(work, count, _PART)

    @contextmanager
    def one_by_one(self) -> Iterator[Callable[[], float]]:
        """A function that returns the next float64 of [0, 1). Words come in blocks; those left over go back."""
        if RUNNING or RECORDERS:
            self._told()
        engine, untouched, used, block = self.engine(), self._untouched, 0, list[float]()
        start = engine.state

        def unit() -> float:
            nonlocal used, block
            if not block:
                block = units(self.words64(256))[::-1].tolist()
            used += 1
            return block.pop()

        try:
            yield unit
        finally:
            engine.state, self._untouched = start, untouched
            self.words(2 * used)

    def dump(self) -> npt.NDArray[np.uint8]:
        """The state as PyTorch's bytes."""
        engine = self.engine().state["state"]
        position = int(engine["pos"])
        record = np.zeros((), STATE)
        record["seed"], record["seeded"], record["key"] = self.seed, 1, engine["key"]
        record["next"] = 0 if self._untouched else position
        record["left"] = 1 if self._untouched else _WORDS + 1 - position
        if self.normal is not None:
            record["normal"], record["has_normal"] = self.normal, 1
        return np.frombuffer(record.tobytes(), np.uint8).copy()

    def load(self, state: npt.NDArray[np.uint8]) -> None:
        """Goes on from a state of the right size. RuntimeError, and nothing is changed, for bytes that are none."""
        record = np.frombuffer(state.tobytes(), STATE)[0]
        left, position = int(record["left"]), int(record["next"])
        if record["seeded"] != 1 or not 0 < left <= _WORDS or position > _WORDS:
            raise runtime_error("set_state: not an mt19937 state; pass what get_state() returned")
        engine = self.start(int(record["seed"]))
        loaded = engine.state
        loaded["state"]["key"] = record["key"].astype(np.uint32)
        loaded["state"]["pos"] = _WORDS if left == 1 else position
        engine.state = loaded
        self._untouched = left == 1 and position == 0
        self.normal = float(record["normal"]) if record["has_normal"] else None


def _pairs(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Words of 64 bits, each made of two."""
    return words[0::2] << np.uint64(32) | words[1::2]  # the first word is the high one


def units(words: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers from [0, 1) of words, which are overwritten: float64 of 53 bits for long words, else float32 of 24."""
    mask, signed, kind, last = _LONG if words.itemsize == 8 else _SHORT
    words &= mask
    # as signed ones, for which processors have an instruction
    values: npt.NDArray[Any] = words.view(signed).astype(kind)
    values *= last
    return values


def os_seed() -> int:
    """64 bits from the operating system."""
    return int.from_bytes(os.urandom(8), "little")

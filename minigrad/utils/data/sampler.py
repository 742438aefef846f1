"""Samplers: the order in which the samples of a dataset come, as indices."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from minigrad import random
from minigrad.errors import not_implemented_error, type_error, value_error
from minigrad.functions.creation import as_tensor
from minigrad.random import Generator

T = TypeVar("T", covariant=True)


def drawn_seed(generator: Generator | None = None) -> int:
    """A seed, drawn as PyTorch draws those of a sampler and of the workers."""
    source = random.default_generator if generator is None else generator
    return int(source.integers(None, None, (), np.int64))


class Sampler(Generic[T]):
    """Iterates over indices of samples, or lists of them: a subclass has ``__iter__``, and maybe ``__len__``."""

    def __iter__(self) -> Iterator[T]:
        raise not_implemented_error("Subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler[int]):
    """All indices, in order."""

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All indices in random order, or drawn with ``replacement``.

    Args:
        data_source: has a length.
        replacement: an index may come again.
        num_samples: how many; as many as there are samples, unless given.
        generator: unless given, a new one in each pass, whose seed the default generator draws.

    Raises:
        TypeError: `replacement` is not a bool.
        ValueError: `num_samples`, or the length of the data, is not a positive int.
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples
        if not isinstance(replacement, bool):
            raise type_error(f"replacement should be a boolean value, but got replacement={replacement}")
        _check_positive("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices a pass has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, count = len(self.data_source), self.num_samples
        generator = self.generator
        if generator is None:
            generator = Generator().manual_seed(drawn_seed())
        if self.replacement:
            for begin in range(0, count, 32):  # by 32, as PyTorch draws them
                yield from generator.integers(0, n, min(32, count - begin)).tolist()
            return
        for begin in range(0, count + 1, n):  # where n divides count, a last order is drawn and not used
            yield from generator.permutation(n).tolist()[: count - begin]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given indices, in random order."""

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        source = random.default_generator if self.generator is None else self.generator
        for i in source.permutation(len(self.indices)).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with probabilities in proportion to weights, which need not sum up to 1.

    Args:
        weights: numbers of shape (n,), not negative.
        num_samples: how many indices a pass has.
        replacement: an index may come again.
        generator: the default one, unless given.

    Raises:
        ValueError: `num_samples` is not a positive int, `replacement` is not a bool, or `weights` is not 1-d.
        RuntimeError: when indices are drawn, if weights do not allow that many, are negative or not finite.
    """

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Generator | None = None
    ) -> None:
        _check_positive("num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise value_error(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = as_tensor(weights, dtype=np.dtype(np.float64))
        if self.weights.ndim != 1:
            raise value_error(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        source = random.default_generator if self.generator is None else self.generator
        yield from source.multinomial(self.weights.numpy(), self.num_samples, self.replacement).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of ``batch_size`` indices of another sampler; ``drop_last`` leaves out a last one that is shorter.

    ValueError if ``batch_size`` is not a positive int, or ``drop_last`` not a bool.
    """

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool) -> None:
        _check_positive("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise value_error(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler: Iterable[int] = sampler
        self.batch_size, self.drop_last = batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(itertools.islice(numbers, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


def _check_positive(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise value_error(f"{name} should be a positive integer value, but got {name}={value!r}")

"""Samplers: the order in which the samples of a dataset come, as their numbers."""

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
    """The numbers of samples, or lists of them: a subclass has ``__iter__``, and ``__len__`` where that is known."""

    def __iter__(self) -> Iterator[T]:
        raise not_implemented_error("Subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler[int]):
    """All numbers, in order."""

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All numbers in random order, or with ``replacement`` any.

    Args:
        data_source: has a length.
        replacement: each number may come again.
        num_samples: how many; as many as there are samples, unless given.
        generator: what draws; unless given, one whose seed the default generator draws, in each pass anew.

    Raises:
        TypeError: `replacement` is no bool.
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
        """How many numbers come."""
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
    """Given numbers, in random order."""

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
    """Numbers with probabilities in proportion to weights, which need not sum up to 1.

    Args:
        weights: numbers of shape (n,), not negative.
        num_samples: how many numbers come.
        replacement: each may come again.
        generator: what draws; the default one, unless given.

    Raises:
        ValueError: `num_samples` is not a positive int, `replacement` is no bool, or `weights` is not 1-d.
        RuntimeError: when numbers are drawn, if weights do not allow that many, are negative or not finite.
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
    """Lists of ``batch_size`` numbers of another sampler; the last may be shorter, or is left out with ``drop_last``.

    ValueError if ``batch_size`` is not a positive int, or ``drop_last`` no bool.
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

"""Datasets: samples by index, or one after the other."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from minigrad.errors import not_implemented_error, type_error, value_error, warn
from minigrad.functions.draws import randperm
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.random import Generator

T = TypeVar("T", covariant=True)
S = TypeVar("S")


class Samples(Protocol[T]):
    """Whatever has samples by number: a dataset, or a list."""

    def __getitem__(self, index: Any, /) -> T: ...


class Dataset(Generic[T]):
    """Base class of datasets with samples by index: a subclass has ``__getitem__``, and usually ``__len__``.

    With ``__getitems__``, which takes a list of indices, `DataLoader` asks for the samples of a batch at once.
    """

    def __getitem__(self, index: Any) -> T:
        raise not_implemented_error("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T], Iterable[T]):
    """Base class of datasets that are iterated over: a subclass has ``__iter__``, else making one is a TypeError.

    Each worker of a `DataLoader` iterates over its own copy; with `get_worker_info` it can choose its part.
    """

    def __add__(self, other: Dataset[Any]) -> ChainDataset[Any]:  # type: ignore[override]
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Samples along the first dimension of Tensors: sample ``i`` is a tuple, with ``tensor[i]`` of each.

    ValueError if the Tensors differ in the size of that dimension.
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        for t in tensors:
            if not callable(t.size):  # an array's is a number
                raise type_error(
                    f"TensorDataset takes Tensors, got {type(t).__name__}; minigrad.from_numpy(array) makes one"
                )
        sizes = [t.size(0) for t in tensors]
        if len(set(sizes)) > 1:
            raise value_error(f"Size mismatch between tensors: they have {sizes} samples")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].size(0)


class StackDataset(Dataset[Any]):
    """Zips datasets: sample ``i`` is a tuple of theirs, or a dict where they are given by name.

    ValueError if there is none, if some have names and some have not, or if they differ in length.
    """

    datasets: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise value_error("StackDataset takes datasets by their places or by names, not both")
        if not (args or kwargs):
            raise value_error("At least one dataset should be passed")
        self.datasets = args or kwargs
        lengths = [len(d) for d in self._all()]
        if len(set(lengths)) > 1:
            raise value_error(f"Size mismatch between datasets: their lengths are {lengths}")
        self._length = lengths[0]

    def _all(self) -> list[Any]:
        return list(self.datasets.values() if isinstance(self.datasets, dict) else self.datasets)

    def _sample(self, parts: Iterable[Any]) -> Any:
        return (
            dict(zip(self.datasets, parts, strict=True)) if isinstance(self.datasets, dict) else tuple(parts)
        )

    def __getitem__(self, index: Any) -> Any:
        return self._sample(d[index] for d in self._all())

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        columns = []
        for dataset in self._all():
            column = samples(dataset, indices)
            if len(column) != len(indices):
                raise value_error(
                    f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(column)}"
                )
            columns.append(column)
        return [self._sample(parts) for parts in zip(*columns, strict=True)]

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T]):
    """Concatenates datasets. ValueError for none, and for an `IterableDataset`."""

    datasets: list[Any]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise value_error("datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise value_error("ConcatDataset does not support IterableDataset; ChainDataset is for these")
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))

    @property
    def cummulative_sizes(self) -> list[int]:
        """As ``cumulative_sizes``, with a FutureWarning."""
        warn("cummulative_sizes attribute is renamed to cumulative_sizes", FutureWarning)
        return self.cumulative_sizes

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if index < 0:
            if -index > len(self):
                raise value_error(
                    f"absolute value of index should not exceed dataset length: {index} of {len(self)}"
                )
            index += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        before = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - before]


class ChainDataset(IterableDataset[T]):
    """Chains datasets that are iterated over. ValueError for another one, when its turn comes."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def _checked(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise value_error(f"ChainDataset only supports IterableDataset, got {type(dataset).__name__}")
            yield dataset

    def __iter__(self) -> Iterator[T]:
        for dataset in self._checked():
            yield from dataset

    def __len__(self) -> int:
        return sum(len(d) for d in self._checked())


class Subset(Dataset[T]):
    """The samples of a dataset at ``indices``.

    NotImplementedError for a subclass with its own ``__getitem__`` but not ``__getitems__``, which batches would
    bypass.
    """

    dataset: Any
    indices: Sequence[Any]

    def __init__(self, dataset: Samples[T], indices: Sequence[Any]) -> None:
        self.dataset, self.indices = dataset, indices
        cls = type(self)
        if cls.__getitem__ is not Subset.__getitem__ and cls.__getitems__ is Subset.__getitems__:
            raise not_implemented_error(
                f"{cls.__name__} overrides __getitem__ but not __getitems__, which DataLoader calls: add "
                "def __getitems__(self, indices): return [self[i] for i in indices]"
            )

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[Any]) -> Any:
        return samples(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def samples(dataset: Any, indices: Sequence[Any]) -> Any:
    """The samples of these numbers, asked for at once where the dataset can."""
    at_once = getattr(dataset, "__getitems__", None)
    if callable(at_once):
        return at_once(indices)
    return [dataset[i] for i in indices]


def random_split(
    dataset: Samples[S], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[S]]:
    """Splits a dataset at random into parts that do not overlap.

    ``lengths`` are numbers of samples, or fractions whose sum is 1: these are rounded down, and the samples that are
    left go to the first parts, one each. ``generator``: the default one, unless given.

    ValueError for lengths that do not sum up to the length of the dataset, and for a fraction outside [0, 1]; a
    UserWarning for a part without samples.
    """
    total = len(dataset)  # type: ignore[arg-type]
    counts: list[Any] = list(lengths)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise value_error(f"Fraction at index {i} is not between 0 and 1: it is {fraction}")
        counts = [math.floor(total * fraction) for fraction in lengths]
        for i in range(total - sum(counts)):
            counts[i % len(counts)] += 1
        for i, count in enumerate(counts):
            if count == 0:
                warn(f"Length of split at index {i} is 0. This might result in an empty dataset.")
    if sum(counts) != total:
        raise value_error(
            f"Sum of input lengths does not equal the length of the input dataset! {sum(counts)} and {total}"
        )
    order = randperm(int(sum(counts)), generator=generator).tolist()
    ends = itertools.accumulate(counts)
    return [Subset(dataset, order[end - count : end]) for end, count in zip(ends, counts, strict=True)]

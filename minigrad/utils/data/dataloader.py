"""`DataLoader`: a dataset as an iterable of batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from minigrad.errors import type_error, value_error, warn
from minigrad.hints import module_getattr
from minigrad.utils.data.collate import default_collate as default_collate
from minigrad.utils.data.collate import default_convert
from minigrad.utils.data.dataset import Dataset as Dataset
from minigrad.utils.data.dataset import IterableDataset, Samples
from minigrad.utils.data.fetch import Fetcher
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler, drawn_seed
from minigrad.utils.data.sampler import Sampler as Sampler

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

    from minigrad.random import Generator
    from minigrad.utils.data.workers import Workers

T = TypeVar("T", covariant=True)
_collate_fn_t = Callable[[list[Any]], Any]  # packages annotate with it
module_getattr(globals(), {"_utils": ""})  # programs reach `default_collate` by it


class _DatasetKind:
    """Whether a dataset is asked for samples by number, or iterated over."""

    Map, Iterable = 0, 1


_FIXED = frozenset({"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"})


class DataLoader(Generic[T]):
    """Iterates over a dataset in batches; each ``iter`` is a pass over it, in PyTorch's order for the same seed.

    Args:
        dataset: has ``__getitem__`` and ``__len__``, such as a list, or is an `IterableDataset`.
        batch_size: samples in a batch; None gives single samples.
        shuffle: the samples come in random order, a new one in each pass.
        sampler: the indices of the samples, in order.
        batch_sampler: lists of indices, a batch each.
        num_workers: how many processes make batches; with 0, this one makes them.
        collate_fn: makes a batch of a list of samples; `default_collate`, unless given.
        pin_memory: for a graphics card; as there is none, a UserWarning.
        drop_last: leaves out a last batch that is not full.
        timeout: how many seconds to wait for a batch of a worker; 0 for ever.
        worker_init_fn: called in each worker with its number, after its random numbers were seeded.
        multiprocessing_context: how processes start, such as ``"spawn"``; Python's default, unless given.
        generator: draws the order and the seeds of workers; the default one, unless given.
        prefetch_factor: how many batches each worker prepares ahead; 2, unless given.
        persistent_workers: keeps the processes from one pass to the next.
        pin_memory_device: accepted for PyTorch's sake.
        in_order: False gives the batches of workers as they are ready.

    Random numbers in a worker begin from a base seed, drawn in each pass, plus the worker's number. A batch is sent as
    a pickle, and the Tensors in it are leaves. An exception in a worker is raised here, with its type, and names the
    worker and the item. Workers end when the pass does, when its iterator is dropped, or with the program.

    Raises:
        ValueError: arguments that exclude each other or are out of range.
        RuntimeError: in a pass, a worker has died, or took longer than `timeout`.
    """

    dataset: Any
    batch_size: int | None
    collate_fn: Callable[[Any], Any]
    _initialized = False

    def __init__(
        self,
        dataset: Samples[T],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], object] | None = None,
        multiprocessing_context: str | BaseContext | None = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_numbers(num_workers, timeout, prefetch_factor, persistent_workers)
        self._iterates = isinstance(dataset, IterableDataset)
        if self._iterates:
            for name, value in (
                ("shuffle", shuffle or None),
                ("sampler", sampler),
                ("batch_sampler", batch_sampler),
            ):
                if value is not None:
                    raise value_error(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise value_error("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise value_error(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise value_error(
                "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
            )
        if sampler is None:
            if self._iterates:
                sampler = _Endless()
            else:
                sized: Any = dataset
                sampler = RandomSampler(sized, generator=generator) if shuffle else SequentialSampler(sized)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        self.num_workers, self.timeout, self.worker_init_fn = num_workers, timeout, worker_init_fn
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers, self.in_order = persistent_workers, in_order
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.multiprocessing_context = _context(multiprocessing_context, num_workers)
        default = default_convert if batch_sampler is None else default_collate
        self.collate_fn = default if collate_fn is None else collate_fn
        self._iterator: _BaseDataLoaderIter | None = None
        self._length: int | None = None  # of a dataset that is iterated over, if it was asked for
        self._initialized = True
        self._check_processors()

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in _FIXED:
            raise value_error(
                f"{name} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if self.persistent_workers and self._iterator is not None:
            self._iterator.restart()
            return self._iterator
        self._check_processors()
        iterator = self._get_iterator()
        if self.persistent_workers:
            self._iterator = iterator
        return iterator

    def _get_iterator(self) -> _BaseDataLoaderIter:
        """A pass over the data; loaders of packages wrap it."""
        return (_MultiProcessingDataLoaderIter if self.num_workers else _SingleProcessDataLoaderIter)(self)

    def __len__(self) -> int:
        """How many batches a pass has. TypeError where the dataset or the sampler has no length."""
        if not self._iterates:
            return len(self._index_sampler)
        length: int = len(self.dataset)
        self._length = length
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    @property
    def _dataset_kind(self) -> int:
        return _DatasetKind.Iterable if self._iterates else _DatasetKind.Map

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        """What gives the numbers of a batch, or of a sample where there are no batches."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def _check_processors(self) -> None:
        """Warns of more workers than processors."""
        if self.num_workers:
            here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
            if here is None or self.num_workers > here:
                warn(
                    f"This DataLoader will create {self.num_workers} worker processes in total, and this machine has "
                    f"{here or 'an unknown number of'} processors: more workers than that may be slower than fewer"
                )


class _BaseDataLoaderIter:
    """A pass over the data, under the name that packages ask for."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        # a package may bring a loader of its own
        self._loader, self._given, self._length = loader, 0, getattr(loader, "_length", None)
        if loader.pin_memory:
            warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be "
                "used."
            )
        self._numbers = iter(loader._index_sampler)
        base_seed = drawn_seed(loader.generator)
        self._workers: Workers | None = None
        self._fetcher: Fetcher | None = None
        if loader.num_workers:
            from minigrad.utils.data.workers import Workers

            self._workers = Workers(loader, base_seed)
            self._begin(again=False)
        else:
            self._fetcher = Fetcher(
                loader.dataset,
                loader._auto_collation,
                loader.collate_fn,
                loader.drop_last,
                bool(loader._dataset_kind),
            )

    def restart(self) -> None:
        """The next pass, with the same workers."""
        self._given, self._length = 0, self._loader._length
        self._begin(again=True)

    def _begin(self, again: bool) -> None:
        if self._workers is not None:
            self._workers.begin(iter(self._loader._index_sampler), again)

    def __iter__(self) -> Self:
        return self

    def __len__(self) -> int:
        return len(self._loader._index_sampler)

    def __next__(self) -> Any:
        if self._fetcher is not None:
            batch = self._fetcher.fetch(next(self._numbers))
        elif self._workers is not None:
            batch = self._workers.next()
        self._given += 1
        if self._length is not None and self._given > self._length:
            warn(
                f"Length of IterableDataset {self._loader.dataset} was reported to be {self._length} (when accessing "
                f"len(dataloader)), but {self._given} samples have been fetched. With workers, each iterates over its "
                "own copy, of which get_worker_info() tells it the part that is its"
            )
        return batch


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """One without workers."""


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """One with workers."""


class _Endless:
    """The sampler of a dataset that is iterated over: no numbers, as often as they are asked for."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


def _check_numbers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    if num_workers < 0:
        raise value_error(
            "num_workers option should be non-negative; use num_workers=0 to make batches in this process"
        )
    if timeout < 0:
        raise value_error("timeout option should be non-negative")
    if num_workers == 0:
        if prefetch_factor is not None:
            raise value_error(
                "prefetch_factor option could only be specified in multiprocessing: it needs num_workers > 0"
            )
        if persistent_workers:
            raise value_error("persistent_workers option needs num_workers > 0")
        if timeout:
            raise value_error("timeout option needs num_workers > 0")
    elif prefetch_factor is not None and prefetch_factor <= 0:
        raise value_error(f"prefetch_factor option should be positive, got {prefetch_factor}")


def _context(context: str | BaseContext | None, num_workers: int) -> BaseContext | None:
    """How processes begin. ValueError for a name that is none, TypeError for another object."""
    if context is None:
        return None
    if num_workers == 0:
        raise value_error("multiprocessing_context can only be used with num_workers > 0")
    import multiprocessing
    from multiprocessing.context import BaseContext

    if isinstance(context, str):
        names = multiprocessing.get_all_start_methods()
        if context not in names:
            raise value_error(
                f"multiprocessing_context option should specify a valid start method in {names}, but got {context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, BaseContext):
        raise type_error(
            "multiprocessing_context option should be a valid context object or a string specifying the start method, "
            f"but got {type(context).__name__}"
        )
    return context

"""`Fetcher`: the batch of some numbers of samples, made in the process that calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from minigrad.tensor import Tensor
from minigrad.utils.data.collate import default_collate
from minigrad.utils.data.dataset import Subset, TensorDataset


class Fetcher:
    """What makes batches of a dataset.

    ``batched``: numbers come in lists, and ``collate`` makes a value of the samples; otherwise it converts one sample.
    """

    def __init__(
        self, dataset: Any, batched: bool, collate: Callable[[Any], Any], drop_last: bool,
        iterates: bool,
    ) -> None:  # fmt: skip
        self.dataset, self.batched, self.collate, self.drop_last = dataset, batched, collate, drop_last
        self._samples: Iterator[Any] | None = iter(dataset) if iterates else None
        self._ended = False
        # Tensors whose rows are the samples: one index for each Tensor is faster than one for each sample.
        self._rows = _rows(dataset) if batched and collate is default_collate else None

    def fetch(self, index: Any) -> Any:
        """The batch of these numbers; of a dataset that is iterated over, of as many samples as there are numbers.

        StopIteration where there are no more. An exception gets a note of which sample it came from.
        """
        if self._samples is not None:
            return self.collate(self._next(self._samples, index))
        if self._rows is not None and type(index) is list and all(type(i) is int for i in index):
            tensors, numbers = self._rows
            index = index if numbers is None else [numbers[i] for i in index]
            return [t[index] for t in tensors]
        if not self.batched:
            return self.collate(self._sample(index))
        at_once = getattr(self.dataset, "__getitems__", None)
        return self.collate(at_once(index) if at_once else [self._sample(i) for i in index])

    def _sample(self, index: Any) -> Any:
        try:
            return self.dataset[index]
        except Exception as error:
            error.add_note(f"(at item {index!r} of the dataset)")
            raise

    def _next(self, samples: Iterator[Any], index: Any) -> Any:
        if self._ended:
            raise StopIteration
        if not self.batched:
            return next(samples)
        batch: list[Any] = []
        for _ in index:
            try:
                batch.append(next(samples))
            except StopIteration:
                self._ended = True
                break
        if not batch or (self.drop_last and len(batch) < len(index)):
            raise StopIteration
        return batch


def _rows(dataset: Any) -> tuple[tuple[Tensor, ...], Sequence[int] | None] | None:
    """The Tensors of a `TensorDataset`, or of a `Subset` of one and its numbers; None for other datasets."""
    if type(dataset) is TensorDataset and all(type(t) is Tensor for t in dataset.tensors):
        return dataset.tensors, None
    if (
        type(dataset) is Subset
        and type(dataset.indices) is list
        and all(type(i) is int for i in dataset.indices)
    ):
        rows = _rows(dataset.dataset)
        if rows is not None and rows[1] is None:
            return rows[0], dataset.indices
    return None

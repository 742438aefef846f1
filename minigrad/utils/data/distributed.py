"""`DistributedSampler`: shares the samples out to several processes."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from minigrad import distributed
from minigrad.errors import value_error
from minigrad.random import Generator
from minigrad.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Gives process ``rank`` every ``num_replicas``-th index, of an order that all processes draw alike.

    Each process gets equally many: the first indices come again at the end, unless ``drop_last`` leaves out the last.

    Args:
        dataset: has a length.
        num_replicas: how many processes there are; unless given, those of `minigrad.distributed`.
        rank: the number of this one; unless given, that of `minigrad.distributed`.
        shuffle: random order; a new one in each epoch, if `set_epoch` is called.
        seed: the same in all processes.
        drop_last: leaves out indices until all processes have equally many.

    ValueError for a rank that is out of range, or where `init_process_group` was not called.
    """

    def __init__(
        self, dataset: Sized, num_replicas: int | None = None, rank: int | None = None, shuffle: bool = True,
        seed: int = 0, drop_last: bool = False,
    ) -> None:  # fmt: skip
        self.num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
        self.rank = distributed.get_rank() if rank is None else rank
        if not 0 <= self.rank < self.num_replicas:
            raise value_error(
                f"Invalid rank {self.rank}, rank should be in the interval [0, {self.num_replicas - 1}]"
            )
        self.dataset, self.shuffle, self.seed, self.drop_last = dataset, shuffle, seed, drop_last
        self.epoch = 0
        n = len(dataset)
        self.num_samples = n // self.num_replicas if drop_last else -(-n // self.num_replicas)
        self.total_size = self.num_samples * self.num_replicas

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        numbers = list(range(n))
        if self.shuffle:
            numbers = Generator().manual_seed(self.seed + self.epoch).permutation(n).tolist()
        numbers *= max(1, -(-self.total_size // n)) if n else 1
        return iter(numbers[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch, which is added to the seed."""
        self.epoch = epoch

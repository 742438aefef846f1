"""What a worker knows of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class WorkerInfo:
    """The number of a worker, how many there are, its seed, and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker of a `DataLoader`, its `id`, `num_workers`, `seed` and `dataset`; None elsewhere."""
    return _info


def begin(info: WorkerInfo) -> None:
    """This process is a worker from now on."""
    global _info
    _info = info


def _generate_state(base_seed: int, worker_id: int) -> list[int]:
    """The seed of NumPy's random numbers in a worker, four words, as PyTorch makes it; packages call it too."""
    return (
        np.random.SeedSequence([worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0])
        .generate_state(4)
        .tolist()
    )

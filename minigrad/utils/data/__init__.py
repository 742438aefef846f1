"""Datasets, samplers, and `DataLoader`, which makes batches: in PyTorch's order for the same seed."""

from __future__ import annotations

from minigrad.hints import module_getattr as _module_getattr
from minigrad.utils.data.collate import default_collate as default_collate
from minigrad.utils.data.collate import default_convert as default_convert
from minigrad.utils.data.dataloader import DataLoader as DataLoader
from minigrad.utils.data.dataset import ChainDataset as ChainDataset
from minigrad.utils.data.dataset import ConcatDataset as ConcatDataset
from minigrad.utils.data.dataset import Dataset as Dataset
from minigrad.utils.data.dataset import IterableDataset as IterableDataset
from minigrad.utils.data.dataset import StackDataset as StackDataset
from minigrad.utils.data.dataset import Subset as Subset
from minigrad.utils.data.dataset import TensorDataset as TensorDataset
from minigrad.utils.data.dataset import random_split as random_split
from minigrad.utils.data.distributed import DistributedSampler as DistributedSampler
from minigrad.utils.data.info import get_worker_info as get_worker_info
from minigrad.utils.data.sampler import BatchSampler as BatchSampler
from minigrad.utils.data.sampler import RandomSampler as RandomSampler
from minigrad.utils.data.sampler import Sampler as Sampler
from minigrad.utils.data.sampler import SequentialSampler as SequentialSampler
from minigrad.utils.data.sampler import SubsetRandomSampler as SubsetRandomSampler
from minigrad.utils.data.sampler import WeightedRandomSampler as WeightedRandomSampler

__all__ = [
    "BatchSampler", "ChainDataset", "ConcatDataset", "DataLoader", "Dataset", "DistributedSampler",
    "IterableDataset", "RandomSampler", "Sampler", "SequentialSampler", "StackDataset", "Subset", "SubsetRandomSampler",
    "TensorDataset", "WeightedRandomSampler", "default_collate", "default_convert", "get_worker_info", "random_split",
]  # fmt: skip

_module_getattr(globals(), {"_utils": ""})

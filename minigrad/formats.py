"""PyTorch's names for how elements lie in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minigrad import dtypes

__all__ = [
    "channels_last", "channels_last_3d", "contiguous_format", "jagged", "layout", "legacy_contiguous_format",
    "memory_format", "preserve_format", "sparse_bsc", "sparse_bsr", "sparse_coo", "sparse_csc", "sparse_csr", "strided",
]  # fmt: skip


@dataclass(frozen=True, repr=False)
class memory_format:
    """The order of dimensions in memory: ``contiguous_format`` is that of rows, ``channels_last`` has C behind W."""

    name: str

    def __repr__(self) -> str:
        return dtypes.printed(self.name)

    def __reduce__(self) -> str:
        return self.name


class layout(memory_format):
    """The kind of memory: ``strided``, or one of `minigrad.sparse`; the other kinds are names, to compare with."""


contiguous_format = memory_format("contiguous_format")
legacy_contiguous_format = contiguous_format
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
strided = layout("strided")
jagged, sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr = map(
    layout, ("jagged", "sparse_bsc", "sparse_bsr", "sparse_coo", "sparse_csc", "sparse_csr")
)

_CHANNELS = {"channels_last": 4, "channels_last_3d": 5}


def rank_of(format: Any) -> int:
    """How many dimensions a format with the channels last has, 0 for other formats. TypeError for anything else."""
    if format is None or format is contiguous_format or format is preserve_format:
        return 0
    if not isinstance(format, memory_format) or format.name not in _CHANNELS:
        raise TypeError(f"argument 'memory_format' must be memory_format, not {type(format).__name__}")
    return _CHANNELS[format.name]


def channels_behind(format: Any, ndim: int) -> bool:
    """Whether a format has the channels last. RuntimeError where dimensions do not fit, TypeError for anything else."""
    rank = rank_of(format)
    if rank not in (0, ndim):
        raise RuntimeError(f"required rank {rank} tensor to use {format.name} format, got rank {ndim}")
    return rank > 0

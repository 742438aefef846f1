"""Lists of Tensors by their kind, as PyTorch's own optimizers, and packages of them, split them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.core.tensor import Tensor

_foreach_supported_types = [Tensor]


def _group_tensors_by_device_and_dtype(
    tensorlistlist: Sequence[Sequence[Any]], with_indices: bool = False
) -> dict[tuple[Any, Any], tuple[list[list[Any]], list[int]]]:
    """Splits lists by device and dtype of the first list's Tensors: for each, the parts, and their row numbers."""
    groups: dict[tuple[Any, Any], tuple[list[list[Any]], list[int]]] = {}
    for i, first in enumerate(tensorlistlist[0]):
        key = first.device, first.dtype
        lists, rows = groups.setdefault(key, ([[] for _ in tensorlistlist], []))
        for row, source in zip(lists, tensorlistlist, strict=True):
            if source:  # one that has nothing stays empty
                row.append(source[i])
        rows += [i] * with_indices
    return groups


def _get_foreach_kernels_supported_devices() -> list[str]:
    """The devices for which PyTorch has such functions; the CPU, the only device here, is not among them."""
    return ["cuda", "xpu", "mtia"]


def _get_fused_kernels_supported_devices() -> list[str]:
    """The devices for which PyTorch has fused optimizers."""
    return ["mps", "cuda", "xpu", "hpu", "cpu", "mtia"]

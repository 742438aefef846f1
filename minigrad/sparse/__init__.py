"""Sparse Tensors, under the names of ``torch.sparse``: `minigrad.sparse_coo_tensor` makes them.

A sparse Tensor holds values and their indices. What is computed with it is computed with these, so gradients have the
same indices, and every reader sees dense operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.hints import module_getattr

if TYPE_CHECKING:
    from minigrad.sparse.dims import spdiags as spdiags
    from minigrad.sparse.products import addmm as addmm
    from minigrad.sparse.products import mm as mm
    from minigrad.sparse.products import sampled_addmm as sampled_addmm
    from minigrad.sparse.sums import log_softmax as log_softmax
    from minigrad.sparse.sums import softmax as softmax
    from minigrad.sparse.sums import sum as sum
    from minigrad.sparse.types import *  # noqa: F403

__all__ = module_getattr(
    globals(),
    {
        "dims": "spdiags",
        "products": "addmm mm sampled_addmm",
        "sums": "log_softmax softmax sum",
        "types": "BFloat16Tensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor "
        "ShortTensor check_sparse_tensor_invariants",
    },
)

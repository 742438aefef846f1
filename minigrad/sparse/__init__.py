"""Sparse Tensors, under the names of ``torch.sparse``: `minigrad.sparse_coo_tensor` makes them.

A sparse Tensor holds numbers and their places. What is computed with it is computed with these, so gradients have the
same places, and every reader sees dense operations.
"""

from __future__ import annotations

from minigrad.hints import module_getattr

__all__ = module_getattr(
    globals(),
    {
        "dims": "spdiags",
        "products": "addmm mm sampled_addmm",
        "sums": "log_softmax softmax sum",
        "types": "ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor ShortTensor "
        "check_sparse_tensor_invariants",
    },
)

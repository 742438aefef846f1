"""Sparse Tensors in a pickle: made of their parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.size import Size
from minigrad.formats import sparse_coo, sparse_csc, sparse_csr
from minigrad.functions.sparse import sparse_compressed_tensor, sparse_coo_tensor
from minigrad.tensor import Tensor

_LAYOUTS = {f"torch.{form.name}": form for form in (sparse_coo, sparse_csr, sparse_csc)}


def layout(name: Any) -> Any:
    """The layout of a name. ValueError for another name."""
    form = _LAYOUTS.get(name) if isinstance(name, str) else None
    if form is None:
        raise ValueError(f"it has a Tensor of the layout {name}")
    return form


def of_parts(form: Any, parts: Any) -> Tensor:
    """A sparse Tensor of places, numbers and a size. ValueError where they do not belong together."""
    count = 2 if form is sparse_coo else 3
    right = form in _LAYOUTS.values() and isinstance(parts, tuple) and count < len(parts) < 5
    if (
        not right
        or not all(isinstance(t, Tensor) for t in parts[:count])
        or not isinstance(parts[count], Size)
    ):
        raise ValueError("it has a sparse Tensor that is not made of its parts")
    try:
        if form is not sparse_coo:
            return sparse_compressed_tensor(*parts[:4], layout=form)
        t = sparse_coo_tensor(*parts[:3])
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    at = t._indices()._array
    ordered = np.lexsort(at[::-1]) if len(at) else np.empty(0)
    unique = (ordered == np.arange(at.shape[1])).all() and (at[:, 1:] != at[:, :-1]).any(axis=0).all()
    return t._coalesced_(bool(unique) and (len(parts) < 4 or parts[3] is True))

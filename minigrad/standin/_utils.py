"""What packages take from ``torch._utils`` and ``torch._tensor``, and what plain pickles of PyTorch's call there.

To read a pickle with `pickle` is to trust it; `minigrad.load` reads files by code of its own: see `serialization`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.core.tensor import wrap
from minigrad.nn.parameter import Parameter
from minigrad.nn.utils import parameters_to_vector as _flatten_dense_tensors
from minigrad.storage import TypedStorage
from minigrad.tensor import Tensor

__all__ = ["Tensor", "_flatten_dense_tensors", "_unflatten_dense_tensors"]


def _unflatten_dense_tensors(flat: Tensor, tensors: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Views of ``flat`` in the shapes of the others."""
    like = list(tensors)
    return tuple(
        part.view(t.shape) for part, t in zip(flat.split([t.numel() for t in like]), like, strict=True)
    )


def _rebuild_tensor(
    storage: TypedStorage, storage_offset: int, size: Sequence[int], stride: Sequence[int]
) -> Tensor:
    memory, step = storage._flat, storage.element_size()
    strides = tuple(n * step for n in stride)
    return wrap(np.ndarray(tuple(size), memory.dtype, memory, storage_offset * step, strides))


def _rebuild_tensor_v2(
    storage: TypedStorage,
    storage_offset: int,
    size: Sequence[int],
    stride: Sequence[int],
    requires_grad: bool,
    backward_hooks: Any,
    metadata: dict[str, bool] | None = None,
) -> Tensor:
    t = _rebuild_tensor(storage, storage_offset, size, stride)
    for mark in metadata or ():  # of what PyTorch does when values are read
        t = t.conj() if mark == "conj" else -t
    return t.requires_grad_(requires_grad)


def _rebuild_parameter(data: Tensor, requires_grad: bool, backward_hooks: Any) -> Parameter:
    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(
    data: Tensor, requires_grad: bool, backward_hooks: Any, state: dict[str, Any]
) -> Parameter:
    parameter = Parameter(data, requires_grad)
    vars(parameter).update(state)
    return parameter


def _rebuild_from_type_v2(
    func: Callable[..., Tensor], new_type: type[Tensor], args: tuple[Any, ...], state: dict[str, Any]
) -> Tensor:
    t = func(*args)
    t = t if type(t) is new_type else t.as_subclass(new_type)
    vars(t).update(state)
    return t

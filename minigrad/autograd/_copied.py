"""What programs take from ``torch.autograd.functional`` under PyTorch's private names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.autograd import functional
from minigrad.core.tensor import Tensor


def _as_tuple(
    inp: Any, arg_name: str = "inputs", fn_name: str = "function"
) -> tuple[bool, tuple[Tensor, ...]]:
    """Whether it is a tuple, and it as one; TypeError for anything but Tensors in it."""
    return functional._tuple(inp, arg_name, fn_name)


def _tuple_postprocess(res: Any, to_unpack: bool | tuple[bool, bool]) -> Any:
    """The only part of ``res`` unless it was a tuple, of each of its parts by the second of two."""
    outer, inner = to_unpack if isinstance(to_unpack, tuple) else (to_unpack, True)
    res = res if inner else tuple(part[0] for part in res)
    return res if outer else res[0]


def _grad_preprocess(inputs: Sequence[Tensor], create_graph: bool, need_graph: bool) -> tuple[Tensor, ...]:
    """Other Tensors of the same values: with the history of those that have one, if that is to be recorded."""
    return tuple(
        t.view_as(t) if create_graph and t.requires_grad else t.detach().requires_grad_(need_graph)
        for t in inputs
    )


def _grad_postprocess(inputs: Any, create_graph: bool) -> Any:
    """Tensors, as deep as they lie in tuples, without their history unless ``create_graph``."""
    if isinstance(inputs, Tensor):
        return inputs if create_graph else inputs.detach()
    return tuple(_grad_postprocess(t, create_graph) for t in inputs)


def _construct_standard_basis_for(
    tensors: Sequence[Tensor], tensor_numels: Sequence[int]
) -> tuple[Tensor, ...]:
    """The columns of an identity matrix, as many for each Tensor as it has elements, of its element type."""
    chunks: list[Tensor] = []
    for t, n in zip(tensors, tensor_numels, strict=True):
        before = sum(c.shape[1] for c in chunks)
        chunks.append(t.new_zeros(sum(tensor_numels), n))
        chunks[-1].diagonal(-before).fill_(1)
    return tuple(chunks)

"""What modules copied out of PyTorch's files take from these files, under PyTorch's private names."""

from __future__ import annotations

from minigrad.core.size import Size
from minigrad.core.tensor import Tensor
from minigrad.nn import _reduction as _Reduction
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.init import constant_, xavier_normal_, xavier_uniform_
from minigrad.nn.modules.utils import _ntuple, _pair, _quadruple, _single, _triple
from minigrad.nn.transformer import NonDynamicallyQuantizableLinear, _get_activation_fn, _get_clones

__all__ = [
    "F", "NonDynamicallyQuantizableLinear", "_Reduction", "_addindent", "_arg_requires_grad", "_check_arg_device",
    "_get_activation_fn", "_get_clones", "_is_make_fx_tracing", "_ntuple", "_pair", "_quadruple", "_shape_t",
    "_single", "_triple", "apply_permutation", "constant_", "init", "xavier_normal_", "xavier_uniform_",
]  # fmt: skip


def _addindent(text: str, spaces: int) -> str:
    """A text of which each line but the first begins ``spaces`` further to the right."""
    return text.replace("\n", "\n" + " " * spaces)


_shape_t = int | list[int] | Size


def apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    """What stands at the places of a permutation."""
    return tensor.index_select(dim, permutation)


# What `MultiheadAttention.forward` asks of its arguments, in copies of it.


def _check_arg_device(x: Tensor | None) -> bool:
    return True


def _arg_requires_grad(x: Tensor | None) -> bool:
    return x is not None and x.requires_grad


def _is_make_fx_tracing() -> bool:
    return False

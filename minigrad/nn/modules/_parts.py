"""What modules copied out of PyTorch's files take from these files, under PyTorch's private names."""

from __future__ import annotations

from minigrad.nn.modules.utils import _ntuple, _pair, _quadruple, _single, _triple
from minigrad.nn.transformer import NonDynamicallyQuantizableLinear, _get_activation_fn, _get_clones

__all__ = [
    "NonDynamicallyQuantizableLinear", "_addindent", "_get_activation_fn", "_get_clones", "_ntuple", "_pair",
    "_quadruple", "_single", "_triple",
]  # fmt: skip


def _addindent(text: str, spaces: int) -> str:
    """A text of which each line but the first begins ``spaces`` further to the right."""
    return text.replace("\n", "\n" + " " * spaces)

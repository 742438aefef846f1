"""What modules copied out of PyTorch's files take from these files, under PyTorch's private names."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from minigrad.errors import runtime_error
from minigrad.nn import functional
from minigrad.nn.container import ModuleList
from minigrad.nn.module import Module
from minigrad.nn.modules.utils import _ntuple, _pair, _quadruple, _single, _triple
from minigrad.nn.transformer import NonDynamicallyQuantizableLinear

__all__ = [
    "NonDynamicallyQuantizableLinear", "_addindent", "_get_activation_fn", "_get_clones", "_ntuple", "_pair",
    "_quadruple", "_single", "_triple",
]  # fmt: skip


def _addindent(text: str, spaces: int) -> str:
    """A text of which each line but the first begins ``spaces`` further to the right."""
    return text.replace("\n", "\n" + " " * spaces)


def _get_clones(module: Module, N: int) -> ModuleList:
    """N copies of a module, each with parameters of its own."""
    return ModuleList([deepcopy(module) for _ in range(N)])


def _get_activation_fn(activation: str) -> Callable[..., Any]:
    """`relu` or `gelu`, by its name. RuntimeError for another name."""
    if activation not in ("relu", "gelu"):
        raise runtime_error(f"activation should be relu/gelu, not {activation}")
    return getattr(functional, activation)

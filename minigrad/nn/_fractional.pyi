"""Written by `.ci/stubs`: the module, with the functions that it makes."""

from typing import Any
from __future__ import annotations
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Concatenate, ParamSpec
from minigrad.errors import runtime_error, value_error
from minigrad.functions import pool
from minigrad.functions.conv import conv1d
from minigrad.functions.creation import arange
from minigrad.functions.dims import each_dim
from minigrad.functions.draws import rand
from minigrad.functions.index import gather
from minigrad.functions.parts import cat
from minigrad.functions.shape import broadcast_to
from minigrad.gate import case, public, ranks
from minigrad.tensor import Tensor
__all__ = ['adaptive_max_pool1d_with_indices', 'adaptive_max_pool2d_with_indices', 'adaptive_max_pool3d_with_indices', 'conv_tbc', 'fractional_max_pool2d', 'fractional_max_pool2d_with_indices', 'fractional_max_pool3d', 'fractional_max_pool3d_with_indices', 'max_pool1d_with_indices', 'max_pool2d_with_indices', 'max_pool3d_with_indices']
P = ParamSpec('P')
def _with_indices(rank: int, input: Tensor, kernel_size: int | Sequence[int], output_size: int | Sequence[int] | None=None, output_ratio: float | Sequence[float] | None=None, return_indices: bool=False, _random_samples: Tensor | None=None) -> tuple[Tensor, Tensor]:
    ...
def _starts(sample: Tensor, size: int, kernel: int, count: int) -> Tensor:
    """Where the windows of one side begin, by a number of [0, 1) for each image; the last ends where the side does."""
def _fractional_max_pool(rank: int, input: Tensor, kernel_size: int | Sequence[int], output_size: int | Sequence[int] | None=None, output_ratio: float | Sequence[float] | None=None, return_indices: bool=False, _random_samples: Tensor | None=None) -> Any:
    """The largest value in each of ``output_size`` windows of (N, C, {sizes}) or (C, {sizes}), whose places are drawn.

The windows have the size ``kernel_size`` and are about evenly apart; each channel has places of its own (Graham,
2014). ``output_ratio`` tells the output's size by the input's. With ``return_indices`` a tuple: the values, and
where they stand in an image. ``_random_samples`` (N, C, {rank}) takes the place of what is drawn.

ValueError unless one of size and ratio is there, RuntimeError for a window that does not fit."""
def fractional_max_pool2d(input: Tensor, kernel_size: int | Sequence[int], output_size: int | Sequence[int] | None=None, output_ratio: float | Sequence[float] | None=None, return_indices: bool=False, _random_samples: Tensor | None=None) -> Any:
    """The largest value in each of ``output_size`` windows of (N, C, height, width) or (C, height, width), whose places are drawn.

The windows have the size ``kernel_size`` and are about evenly apart; each channel has places of its own (Graham,
2014). ``output_ratio`` tells the output's size by the input's. With ``return_indices`` a tuple: the values, and
where they stand in an image. ``_random_samples`` (N, C, 2) takes the place of what is drawn.

ValueError unless one of size and ratio is there, RuntimeError for a window that does not fit."""
def fractional_max_pool3d(input: Tensor, kernel_size: int | Sequence[int], output_size: int | Sequence[int] | None=None, output_ratio: float | Sequence[float] | None=None, return_indices: bool=False, _random_samples: Tensor | None=None) -> Any:
    """The largest value in each of ``output_size`` windows of (N, C, depth, height, width) or (C, depth, height, width), whose places are drawn.

The windows have the size ``kernel_size`` and are about evenly apart; each channel has places of its own (Graham,
2014). ``output_ratio`` tells the output's size by the input's. With ``return_indices`` a tuple: the values, and
where they stand in an image. ``_random_samples`` (N, C, 3) takes the place of what is drawn.

ValueError unless one of size and ratio is there, RuntimeError for a window that does not fit."""
def fractional_max_pool2d_with_indices(input: Tensor, kernel_size: int | Sequence[int], output_size: int | Sequence[int] | None=None, output_ratio: float | Sequence[float] | None=None, return_indices: bool=False, _random_samples: Tensor | None=None) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool2d` with ``return_indices=True``."""
def fractional_max_pool3d_with_indices(input: Tensor, kernel_size: int | Sequence[int], output_size: int | Sequence[int] | None=None, output_ratio: float | Sequence[float] | None=None, return_indices: bool=False, _random_samples: Tensor | None=None) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool3d` with ``return_indices=True``."""
def _places_too(function: Callable[..., Any], input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, dilation: int | Sequence[int]=1, ceil_mode: bool=False, return_indices: bool=False) -> Any:
    ...
def _adaptive_places_too(function: Callable[..., Any], input: Tensor, output_size: Any, return_indices: bool=False) -> Any:
    ...
def _all_with_indices(form: Callable[Concatenate[Callable[..., Any], P], Any], functions: Iterable[Callable[..., Any]]) -> Iterator[Callable[P, Any]]:
    ...
def max_pool1d_with_indices(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, dilation: int | Sequence[int]=1, ceil_mode: bool=False, return_indices: bool=False) -> Any:
    """`max_pool1d` with its indices: the pair of both, whatever ``return_indices`` says."""
def max_pool2d_with_indices(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, dilation: int | Sequence[int]=1, ceil_mode: bool=False, return_indices: bool=False) -> Any:
    """`max_pool2d` with its indices: the pair of both, whatever ``return_indices`` says."""
def max_pool3d_with_indices(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, dilation: int | Sequence[int]=1, ceil_mode: bool=False, return_indices: bool=False) -> Any:
    """`max_pool3d` with its indices: the pair of both, whatever ``return_indices`` says."""
def adaptive_max_pool1d_with_indices(input: Tensor, output_size: Any, return_indices: bool=False) -> Any:
    """`adaptive_max_pool1d` with its indices: the pair of both, whatever ``return_indices`` says."""
def adaptive_max_pool2d_with_indices(input: Tensor, output_size: Any, return_indices: bool=False) -> Any:
    """`adaptive_max_pool2d` with its indices: the pair of both, whatever ``return_indices`` says."""
def adaptive_max_pool3d_with_indices(input: Tensor, output_size: Any, return_indices: bool=False) -> Any:
    """`adaptive_max_pool3d` with its indices: the pair of both, whatever ``return_indices`` says."""
def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int=0) -> Tensor:
    """`conv1d` of (time, batch, channels), with a weight of (width, channels, output channels)."""

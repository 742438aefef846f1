"""Written by `.ci/stubs`: the module, with the functions that it makes."""

from typing import Any
from __future__ import annotations
import math
from collections.abc import Callable
from typing import Any
import numpy as np
from minigrad import dtypes
from minigrad.core.apply import apply, cast, single
from minigrad.core.tensor import Tensor
from minigrad.core.types import Dim, Number
from minigrad.dtypes import DTypeLike
from minigrad.errors import index_error, type_error, value_error
from minigrad.functions import activations, reduce, sorting
from minigrad.functions.dims import all_dims, one_dim
from minigrad.functions.elementwise import where
from minigrad.functions.lookup import function
from minigrad.functions.matrix_norms import vector_norm
from minigrad.gate import case, public
from minigrad.hints import module_getattr
from minigrad.ops import elementwise as e
from minigrad.ops import special
__all__ = ['amax', 'amin', 'argmax', 'argmin', 'cumprod', 'cumsum', 'log_softmax', 'logaddexp', 'logsumexp', 'mean', 'median', 'norm', 'normalize', 'prod', 'softmax', 'softmin', 'std', 'sum', 'var']
_F32: Any
def _counting(name: str, input: Tensor, mask: Tensor) -> Tensor:
    """The mask as bools in the shape of ``input``."""
def _filled(name: str, input: Tensor, mask: Tensor | None, value: Number | Callable[[Tensor], Number]) -> Tensor:
    """``input`` with ``value``, or what that makes of the input, where it is masked out."""
def _least(input: Tensor) -> Number:
    ...
def _faintest(input: Tensor) -> Number:
    """What adds nothing to a sum of exponentials."""
def _most(input: Tensor) -> Number:
    ...
def _bounds(dtype: np.dtype[Any]) -> tuple[Number, Number]:
    ...
def _dims(input: Tensor, dim: Dim) -> tuple[int, ...]:
    """Dimensions counted from the front, all of them for None and ()."""
def _to(t: Tensor, dtype: DTypeLike | None, input: Tensor) -> Tensor:
    """``t`` in ``dtype``, by default in that of ``input``."""
def _sum_dtype(input: Tensor, dtype: DTypeLike | None) -> np.dtype[Any]:
    """Integers add up in int64."""
def sum(input: Tensor, dim: Dim=None, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The sum of what the mask leaves."""
def prod(input: Tensor, dim: Dim=None, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The product of what the mask leaves."""
def _reduction(how: tuple[Callable[..., Tensor], Callable[[Tensor], Number]], input: Tensor, dim: Dim=None, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    ...
def _place(how: tuple[Callable[..., Tensor], Callable[[Tensor], Number]], input: Tensor, dim: int | None=None, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    ...
def amax(input: Tensor, dim: Dim=None, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The greatest element that the mask leaves. Equal ones share the gradient."""
def amin(input: Tensor, dim: Dim=None, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The least element that the mask leaves. Equal ones share the gradient."""
def argmax(input: Tensor, dim: int | None=None, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The index of `amax`, in the dtype of ``input`` as in PyTorch; of the flattened input without ``dim``."""
def argmin(input: Tensor, dim: int | None=None, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The index of `amin`, in the dtype of ``input`` as in PyTorch; of the flattened input without ``dim``."""
def mean(input: Tensor, dim: Dim=None, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The mean of what the mask leaves. ValueError if ``dtype``, or without it the input, has integers."""
def _count(name: str, input: Tensor, dim: Dim, keepdim: bool, mask: Tensor | None) -> Any:
    """How many elements the mask leaves."""
def median(input: Tensor, dim: int=-1, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The lower median of what the mask leaves, as `nanmedian`. ValueError for integers where it leaves nothing."""
def logsumexp(input: Tensor, dim: Dim=None, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """``log(sum(exp(input)))`` of what the mask leaves."""
def norm(input: Tensor, ord: float | None=2.0, dim: Dim=None, *, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The `linalg.vector_norm` of what the mask leaves."""
def _variance(name: str, input: Tensor, dim: Dim=None, unbiased: bool | None=None, *, correction: float | None=None, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    ...
def var(input: Tensor, dim: Dim=None, unbiased: bool | None=None, *, correction: float | None=None, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The variance of the n elements that the mask leaves: squared deviations, summed, over ``n - correction`` (1)."""
def std(input: Tensor, dim: Dim=None, unbiased: bool | None=None, *, correction: float | None=None, keepdim: bool=False, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The root of `var`."""
def cumsum(input: Tensor, dim: int, *, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """Running sums along ``dim``; masked elements count as 0."""
def cumprod(input: Tensor, dim: int, *, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """Running products along ``dim``; masked elements count as 1."""
def softmax(input: Tensor, dim: int, *, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """`softmax` of what the mask leaves, 0 elsewhere; nan where it leaves nothing."""
def log_softmax(input: Tensor, dim: int, *, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """The logarithm of `softmax`."""
def softmin(input: Tensor, dim: int, *, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """`softmax` of ``-input``."""
def _dtype(input: Tensor, dtype: DTypeLike | None) -> DTypeLike:
    ...
def normalize(input: Tensor, ord: float, dim: int, *, eps: float=1e-12, dtype: DTypeLike | None=None, mask: Tensor | None=None) -> Tensor:
    """``input`` over the larger of its `norm` and ``eps``; 0 where it is masked out."""
def logaddexp(input: Tensor, other: Tensor, *, dtype: DTypeLike | None=None, input_mask: Tensor | None=None, other_mask: Tensor | None=None) -> Tensor:
    """`logaddexp`; masked elements count as -inf."""

"""Norms, distances and statistics made of them, under PyTorch's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, cast
from minigrad.core.layout import holding
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Dim, Number
from minigrad.dtypes import DTypeLike
from minigrad.errors import not_implemented_error, runtime_error, value_error, warn
from minigrad.functions.complex import complex as complex_
from minigrad.functions.creation import ones_like
from minigrad.functions.dims import all_dims, one_dim
from minigrad.functions.elementwise import where
from minigrad.functions.lengths import length
from minigrad.functions.parts import cat
from minigrad.functions.reduce import nansum
from minigrad.gate import public
from minigrad.ops import elementwise as e

__all__ = ["cdist", "corrcoef", "cov", "deg2rad", "dist", "nanmean", "norm", "pdist", "rad2deg", "renorm"]


def norm(
    input: Tensor, p: Number | str | None = "fro", dim: Dim = None, keepdim: bool = False,
    dtype: DTypeLike | None = None,
) -> Tensor:  # fmt: skip
    """``sum(abs(input)**p)**(1/p)`` over ``dim``, or over all; ``"fro"`` is 2, and ``inf`` the largest absolute value.

    ``"nuc"`` is the sum of the singular values of matrices. The gradient at 0 is 0. RuntimeError for integers.
    """
    if dtype is not None:
        input = cast(input, dtypes.as_numpy(dtype))
    if input._array.dtype.kind not in "fcV":
        raise runtime_error(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {input.dtype}"
        )
    if isinstance(p, str) and p != "fro":
        from minigrad.functions.matrix_norms import matrix_norm

        return matrix_norm(input, p, tuple(range(input._array.ndim)) if dim is None else dim, keepdim)
    order = 2.0 if p is None or isinstance(p, str) else float(p)
    dims = all_dims(dim, input._array.ndim)
    return length(input, order, dims, keepdim)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """`norm` of ``input - other``."""
    return norm(input - other, p)


def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:  # fmt: skip
    """The distances of all rows of ``x1`` from all rows of ``x2``.

    For ``p`` 2 and more than 25 rows they are computed by a matrix product, as in PyTorch, which is fast and less
    exact: that of a row from itself may be a little more than 0. ``compute_mode`` may ask for this always or never:
    ``"use_mm_for_euclid_dist"``, ``"donot_use_mm_for_euclid_dist"``.
    """
    a, b = x1._array, x2._array
    for n, x in enumerate((x1, x2), 1):
        if x._array.dtype.kind not in "fV":
            raise runtime_error(f"cdist only supports floating-point dtypes, X{n} got: {x.dtype}")
        if x._array.ndim < 2:
            raise runtime_error(f"cdist only supports at least 2D tensors, X{n} got: {x._array.ndim}D")
    if a.shape[-1] != b.shape[-1]:
        raise runtime_error(
            f"X1 and X2 must have the same number of columns. X1: {a.shape[-1]} X2: {b.shape[-1]}"
        )
    if a.dtype != b.dtype:
        raise runtime_error(
            f"cdist: expected X1 and X2 to have the same dtype, got {x1.dtype} and {x2.dtype}"
        )
    if p < 0:
        raise runtime_error("cdist only supports non-negative p values")
    always, never = "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"
    if compute_mode not in (always, never, f"{always}_if_necessary"):
        raise value_error(f"{compute_mode} is not a valid value for compute_mode")
    many = compute_mode == always or max(a.shape[-2], b.shape[-2]) > 25
    if p == 2 and many and compute_mode != never and a.size and b.size:
        return _by_product(x1, x2)
    difference = x1.unsqueeze(-2) - x2.unsqueeze(-3)
    if not a.shape[-1]:
        return difference.sum(-1)
    return length(difference, float(p), (difference._array.ndim - 1,), False)


def _by_product(x: Tensor, y: Tensor) -> Tensor:
    """Of ``|x|² - 2xy + |y|²``, all in one product. No gradient flows where the distance is 0."""
    xx, yy = ((t * t).sum(-1, keepdim=True) for t in (x, y))
    squares = cat([x * -2.0, xx, ones_like(xx)], -1) @ cat([y, ones_like(yy), yy], -1).mT
    none = squares <= 0
    return where(none, 0.0, where(none, 1.0, squares).sqrt())


def pdist(input: Tensor, p: float = 2) -> Tensor:
    """The distances of the rows of a matrix (n, m), each pair once, in the order of rows: (n * (n - 1) / 2)."""
    x = input._array
    if x.ndim != 2:
        raise runtime_error(f"pdist only supports 2D tensors, got: {x.ndim}D")
    if x.dtype.kind not in "fV":
        raise runtime_error("pdist only supports floating-point dtypes")
    if short := dtypes.short_name(x.dtype):
        raise not_implemented_error(f"\"pdist\" not implemented for '{short}'; use .float() first")
    if p < 0:
        raise runtime_error("pdist only supports non-negative p values")
    first, second = (wrap(k) for k in np.triu_indices(len(x), 1))
    difference = input[first] - input[second]
    return length(difference, float(p), (1,), False) if x.size else difference.sum(-1)


def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Slices along ``dim`` whose norm is larger than ``maxnorm`` made as long as that."""
    ndim = input._array.ndim
    if input._array.dtype.kind not in "fV":
        raise runtime_error(f"renorm: expected a floating point tensor, got {input.dtype}")
    if p <= 0:
        raise runtime_error("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise runtime_error(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if ndim < 2:
        raise runtime_error(f"renorm: input needs at least 2 dimensions, got {ndim} dimensions")
    d = one_dim(dim, ndim)
    size = length(input, float(p), tuple(k for k in range(ndim) if k != d), True)
    return (input * where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)).contiguous()


def nanmean(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The mean over ``dim`` of the elements that are not nan."""
    if input._array.dtype.kind not in "fV":
        raise runtime_error(
            f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype}"
        )
    numbers = (~input.isnan()).sum(dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / numbers


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians; integers become the default float. RuntimeError for complex numbers."""
    return _times("deg2rad", input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees; integers become the default float. RuntimeError for complex numbers."""
    return _times("rad2deg", input, 180 / math.pi)


def _times(name: str, input: Tensor, factor: float) -> Tensor:
    kind = input._array.dtype
    if kind.kind == "c":
        raise runtime_error(f"{name} is not supported for complex tensors.")
    return holding(
        apply(e.mul, (input if kind.kind in "fV" else cast(input, dtypes.default_float()), factor))
    )


def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariances of rows; each column is an observation, which ``fweights`` repeats and ``aweights`` weights."""
    x = input
    if x._array.ndim > 2:
        raise runtime_error(
            f"cov(): expected input to have two or fewer dimensions but got an input with {x._array.ndim} dimensions"
        )
    if x._array.dtype == bool:
        raise runtime_error("cov(): bool dtype is not supported for input")
    x = x.reshape(1, -1) if x._array.ndim < 2 else x
    if x._array.dtype.kind not in "fcV":
        x = cast(x, dtypes.default_float())
    count = x._array.shape[1]
    weights: Any = None
    for name, w in (("fweights", fweights), ("aweights", aweights)):
        if w is None:
            continue
        if w._array.ndim > 1:
            raise runtime_error(
                f"cov(): expected {name} to have one or fewer dimensions but got {name} with {w._array.ndim} dimensions"
            )
        if w._array.size != count:
            raise runtime_error(
                f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                f"{w._array.size} != {count}"
            )
        if (name == "fweights") != (w._array.dtype.kind in "iu"):
            kind = "integral" if name == "fweights" else "floating point"
            raise runtime_error(
                f"cov(): expected {name} to have {kind} dtype but got {name} with {w.dtype} dtype"
            )
        if (w._array < 0).any():
            raise runtime_error(f"cov(): {name} cannot be negative")
        weights = w if weights is None else weights * w
    total: Any = count if weights is None else weights.sum()
    if weights is not None and float(total.detach()) == 0:
        raise runtime_error("cov(): weights sum to zero, can't be normalized")
    mean = (
        (x if weights is None else x * weights).sum(1, True) / total if count else x.sum(1, True) / math.nan
    )
    norm_factor: Any = total - correction
    if weights is not None and aweights is not None and correction:
        norm_factor = total - correction * (weights * aweights).sum() / total
    if float(norm_factor.detach() if isinstance(norm_factor, Tensor) else norm_factor) <= 0:
        warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations."
        )
        norm_factor = 0.0
    x = x - mean
    y: Tensor = x @ (x if weights is None else x * weights).mH / norm_factor
    return y.reshape(()) if len(x._array) == 1 else y


def corrcoef(input: Tensor) -> Tensor:
    """The correlation coefficients of the rows; each column is an observation."""
    if input._array.ndim > 2:
        raise runtime_error(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input._array.ndim} dimensions"
        )
    c = cov(input)
    if not c._array.ndim:
        return c / c
    deviation = c.diagonal().sqrt()
    c = c / deviation.unsqueeze(-1) / deviation.unsqueeze(-2)
    if c._array.dtype.kind == "c":
        return complex_(c.real.clamp(-1, 1), c.imag.clamp(-1, 1))
    return c.clamp(-1, 1)


METHODS = """
    corrcoef cov deg2rad deg2rad_ dist nanmean norm rad2deg rad2deg_ renorm renorm_
"""
public(globals(), __all__, home="minigrad")

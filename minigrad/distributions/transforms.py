"""Invertible functions, with the logarithm of the determinant of their Jacobian."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.core.size import Size
from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.transform import ComposeTransform as ComposeTransform
from minigrad.distributions.transform import IndependentTransform as IndependentTransform
from minigrad.distributions.transform import ReshapeTransform as ReshapeTransform
from minigrad.distributions.transform import Transform as Transform
from minigrad.distributions.transform import _InverseTransform as _InverseTransform
from minigrad.distributions.transform import deep
from minigrad.distributions.transform import identity_transform as identity_transform
from minigrad.distributions.utils import formula, sum_rightmost, tril_matrix_to_vec, vec_to_tril_matrix
from minigrad.errors import value_error
from minigrad.functions.arranged import broadcast_shapes
from minigrad.functions.creation import eye, ones
from minigrad.functions.parts import cat, stack
from minigrad.functions.typed import finfo
from minigrad.linalg import cholesky
from minigrad.nn.functional import logsigmoid, pad, softmax, softplus

__all__ = [
    "AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform",
    "CumulativeDistributionTransform", "ExpTransform", "IndependentTransform", "LowerCholeskyTransform",
    "PositiveDefiniteTransform", "PowerTransform", "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform",
    "SoftplusTransform", "StackTransform", "StickBreakingTransform", "TanhTransform", "Transform",
    "identity_transform",
]  # fmt: skip


# ---------------------------------------------------------------- element by element


class ExpTransform(Transform):
    """``exp(x)``."""

    codomain, bijective, sign = constraints.positive, True, +1

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """``x ** exponent``, of positive numbers."""

    domain = codomain = constraints.positive
    bijective = True

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.exponent = exponent

    @property
    def sign(self) -> Any:
        return self.exponent.sign() if isinstance(self.exponent, Tensor) else math.copysign(1, self.exponent)

    def _call(self, x: Tensor) -> Tensor:
        return x**self.exponent

    def _inverse(self, y: Tensor) -> Tensor:
        return y ** (1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()

    def _joint(self, shape: Sequence[int]) -> Size:
        return Size(broadcast_shapes(tuple(shape), getattr(self.exponent, "shape", ())))

    forward_shape = inverse_shape = _joint


class SigmoidTransform(Transform):
    """``1 / (1 + exp(-x))``, kept off 0 and 1."""

    codomain, bijective, sign = constraints.unit_interval, True, +1

    def _call(self, x: Tensor) -> Tensor:
        limits = finfo(x.dtype)
        return x.sigmoid().clamp(min=limits.tiny, max=1.0 - limits.eps)

    def _inverse(self, y: Tensor) -> Tensor:
        limits = finfo(y.dtype)
        y = y.clamp(min=limits.tiny, max=1.0 - limits.eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


class SoftplusTransform(Transform):
    """``log(1 + exp(x))``."""

    codomain, bijective, sign = constraints.positive, True, +1

    def _call(self, x: Tensor) -> Tensor:
        return softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x)


class TanhTransform(Transform):
    """``tanh(x)``. With ``cache_size=1`` the inverse of a result near to 1 is exact."""

    codomain, bijective, sign = constraints.interval(-1.0, 1.0), True, +1

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        # 1 - tanh(x)**2 = 4 / (exp(x) + exp(-x))**2
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class AbsTransform(Transform):
    """``|x|``; the inverse returns the positive value."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """``loc + scale * x``; ``event_dim`` is the number of event dimensions."""

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    event_dim = formula(lambda self: self._event_dim)
    domain = formula(lambda self: deep(constraints.real, self._event_dim))

    codomain = domain

    @property
    def sign(self) -> Any:
        scale = self.scale
        return scale.sign() if isinstance(scale, Tensor) else (scale > 0) - (scale < 0)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        scale = self.scale
        if isinstance(scale, Tensor):
            log_det = scale.abs().log().expand(broadcast_shapes(scale.shape, x.shape))
        else:
            log_det = x.new_full(x.shape, math.log(abs(scale)))
        return sum_rightmost(log_det, self._event_dim)

    def _joint(self, shape: Sequence[int]) -> Size:
        shapes = (getattr(x, "shape", ()) for x in (self.loc, self.scale))
        return Size(broadcast_shapes(tuple(shape), *shapes))

    forward_shape = inverse_shape = _joint


class CumulativeDistributionTransform(Transform):
    """The cumulative distribution function of ``distribution``, as a transform."""

    codomain, bijective, sign = constraints.unit_interval, True, +1

    def __init__(self, distribution: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.distribution = distribution

    domain = formula(lambda self: self.distribution.support)

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self.distribution.log_prob(x)


# ---------------------------------------------------------------- vectors and matrices


def _vector(shape: Sequence[int]) -> Sequence[int]:
    """The shape. ValueError for one without dimensions."""
    if len(shape) < 1:
        raise value_error("Too few dimensions on input")
    return shape


class SoftmaxTransform(Transform):
    """Softmax along the last dimension; it is not bijective, so it has no log determinant."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return softmax(x, dim=-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def _same_shape(self, shape: Sequence[int]) -> Size:
        return Size(_vector(shape))

    forward_shape = inverse_shape = _same_shape


class StickBreakingTransform(Transform):
    """Maps n numbers to n + 1 that sum to 1: each takes a fraction of what the ones before have left."""

    domain, codomain, bijective = constraints.real_vector, constraints.simplex, True

    def _parts(self, x: Tensor) -> Tensor:
        """Numbers moved so that zeros give equal parts."""
        left = x.shape[-1] + 1 - ones(x.shape[-1], dtype=x.dtype).cumsum(-1)
        return x - left.log()

    def _call(self, x: Tensor) -> Tensor:
        part = self._parts(x).sigmoid()
        left = (1 - part).cumprod(-1)
        return pad(part, [0, 1], value=1) * pad(left, [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        first = y[..., :-1]
        left = y.shape[-1] - ones(first.shape[-1], dtype=y.dtype).cumsum(-1)
        rest = (1 - first.cumsum(-1)).clamp(min=finfo(y.dtype).tiny)
        return first.log() - rest.log() + left.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = self._parts(x)
        return (-x + logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        return Size((*_vector(shape)[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return Size((*_vector(shape)[:-1], shape[-1] - 1))


class LowerCholeskyTransform(Transform):
    """Maps matrices to lower triangular ones with a positive diagonal."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class CorrCholeskyTransform(Transform):
    """Maps n (n - 1) / 2 numbers to the Cholesky factor of an n x n correlation matrix: rows of norm 1.

    ``tanh(x)``, row by row below the diagonal, is the fraction that each entry takes of the norm that is left, as
    in `StickBreakingTransform` for sums (Stan's reference manual, "Cholesky factors of correlation matrices").
    """

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        eps = finfo(x.dtype).eps
        part = vec_to_tril_matrix(x.tanh().clamp(min=eps - 1, max=1 - eps), -1)
        left = (1 - part.square()).sqrt().cumprod(-1)
        return (part + eye(part.shape[-1], dtype=x.dtype)) * pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        left = 1 - y.square().cumsum(-1)
        before = tril_matrix_to_vec(pad(left[..., :-1], [1, 0], value=1), -1)
        part = tril_matrix_to_vec(y, -1) / before.sqrt()
        return (part.log1p() - (-part).log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        left = tril_matrix_to_vec(1 - y.square().cumsum(-1), -2)
        slope = x + softplus(-2 * x) - math.log(2)  # that of tanh
        return 0.5 * left.log().sum(-1) - 2 * slope.sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        count = _vector(shape)[-1]
        side = round((0.25 + 2 * count) ** 0.5 + 0.5)
        if side * (side - 1) // 2 != count:
            raise value_error("Input is not a flattened lower-diagonal number")
        return Size((*shape[:-1], side, side))

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        if len(shape) < 2:
            raise value_error("Too few dimensions on input")
        side = shape[-1]
        if shape[-2] != side:
            raise value_error("Input is not square")
        return Size((*shape[:-2], side * (side - 1) // 2))


class PositiveDefiniteTransform(Transform):
    """Maps matrices to positive definite ones, by a Cholesky factor."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform()._inverse(cholesky(y))


class _PartsTransform(Transform):
    """Transforms of parts along a dimension."""

    def __init__(self, tseq: Sequence[Transform], dim: int, cache_size: int) -> None:
        super().__init__(cache_size)
        if not all(isinstance(t, Transform) for t in tseq):
            raise value_error("All elements of tseq must be Transform instances")
        self.transforms, self.dim = [t.with_cache(cache_size) for t in tseq], dim

    bijective = formula(lambda self: all(t.bijective for t in self.transforms))

    def _split(self, x: Tensor) -> Sequence[Tensor]:
        raise NotImplementedError

    def _join(self, parts: Sequence[Tensor]) -> Tensor:
        raise NotImplementedError

    def _call(self, x: Tensor) -> Tensor:
        return self._join([t(part) for t, part in zip(self.transforms, self._split(x), strict=True)])

    def _inverse(self, y: Tensor) -> Tensor:
        return self._join([t.inv(part) for t, part in zip(self.transforms, self._split(y), strict=True)])

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        parts = zip(self.transforms, self._split(x), self._split(y), strict=True)
        return self._join([t.log_abs_det_jacobian(a, b) for t, a, b in parts])


class StackTransform(_PartsTransform):
    """Applies a transform to each slice along ``dim``. ValueError unless there are as many slices."""

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    domain = formula(lambda self: constraints.stack([t.domain for t in self.transforms], self.dim))
    codomain = formula(lambda self: constraints.stack([t.codomain for t in self.transforms], self.dim))

    def _split(self, x: Tensor) -> Sequence[Tensor]:
        _check_size(x, self.dim, len(self.transforms))
        return x.unbind(self.dim)

    def _join(self, parts: Sequence[Tensor]) -> Tensor:
        return stack(list(parts), self.dim)


class CatTransform(_PartsTransform):
    """Applies a transform to each part along ``dim``; ``lengths`` are the sizes of the parts, 1 by default.

    ValueError unless there is one for each transform, and their sum is the size of what is transformed.
    """

    def __init__(
        self,
        tseq: Sequence[Transform],
        dim: int = 0,
        lengths: Sequence[int] | None = None,
        cache_size: int = 0,
    ) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise value_error(f"lengths ({len(self.lengths)}) must match transforms ({len(self.transforms)})")

    event_dim = formula(lambda self: max(t.event_dim for t in self.transforms))
    length = formula(lambda self: sum(self.lengths))

    @property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    def _split(self, x: Tensor) -> Sequence[Tensor]:
        _check_size(x, self.dim, self.length)
        return x.split(self.lengths, self.dim)

    def _join(self, parts: Sequence[Tensor]) -> Tensor:
        return cat(list(parts), self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        depth = self.event_dim
        parts = zip(self.transforms, self._split(x), self._split(y), strict=True)
        each = [sum_rightmost(t.log_abs_det_jacobian(a, b), depth - t.event_dim) for t, a, b in parts]
        # the dimension of the parts, from behind: that of the batch, or of the event, over which one sums
        dim = (self.dim - x.dim() if self.dim >= 0 else self.dim) + depth
        return cat(each, dim) if dim < 0 else stack(each).sum(0)


def _check_size(x: Tensor, dim: int, size: int) -> None:
    if not -x.dim() <= dim < x.dim():
        raise value_error(f"dim {dim} out of range for tensor with {x.dim()} dimensions")
    if x.shape[dim] != size:
        raise value_error(f"x.size({dim}) = {x.shape[dim]} must equal length {size}")

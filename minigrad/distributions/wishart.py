"""The Wishart distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.chi2 import Chi2
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.multivariate_normal import OfCovariance, _log_diagonal
from minigrad.distributions.utils import draw, formula, one_matrix, recorded, showing, vec_to_tril_matrix
from minigrad.errors import value_error, warn
from minigrad.functions.algebra import cholesky_solve, slogdet
from minigrad.functions.arranged import broadcast_shapes
from minigrad.functions.creation import arange, tensor
from minigrad.functions.elementwise import where
from minigrad.functions.ensured import everywhere
from minigrad.functions.gamma import mvlgamma
from minigrad.functions.typed import finfo

__all__ = ["Wishart"]


def mvdigamma(x: Tensor, rows: int) -> Tensor:
    """The derivative of `mvlgamma`."""
    return (x.unsqueeze(-1) - arange(rows, dtype=x.dtype) / 2).digamma().sum(-1)


class Wishart(OfCovariance):
    """The Wishart distribution: the sum of ``df`` outer products of normal vectors with mean 0 and covariance V.

    V is given as ``covariance_matrix``, as ``precision_matrix``, its inverse, or as ``scale_tril``, its Cholesky
    factor. ``df``, a number or a Tensor, need not be an integer.  Samples come from Bartlett's decomposition; gradients
    flow to the parameters.

    ValueError unless ``df > rows - 1`` and one matrix is given; a warning for ``df < rows``, where samples may be
    singular.
    """

    support = constraints.positive_definite
    has_rsample = True

    @property
    def arg_constraints(self) -> Any:  # type: ignore[override]
        """The constraint of each parameter: that of ``df`` depends on the size of the matrices."""
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def __init__(
        self, df: Any, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        name, matrix = one_matrix(self, covariance_matrix, precision_matrix, scale_tril)
        rows = matrix.shape[-1]
        freedom = df if isinstance(df, Tensor) else tensor(float(df), dtype=matrix.dtype)
        batch = broadcast_shapes(matrix.shape[:-2], freedom.shape)
        self.df = freedom.expand(batch) if isinstance(df, Tensor) else freedom
        if not everywhere(freedom > rows - 1):
            with showing():
                raise value_error(f"Value of df={df} expected to be greater than ndim - 1 = {rows - 1}.")
        if not recorded() and bool((freedom < rows).any()):
            warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim."
            )
        setattr(self, name, matrix.expand(*batch, *matrix.shape[-2:]))
        super().__init__(batch, matrix.shape[-2:], validate_args)
        self._follow(name, matrix)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Wishart, _instance)
        vars(new).update(vars(self))
        new.df = self.df.expand(batch_shape)
        for name in ("covariance_matrix", "precision_matrix", "scale_tril"):
            if name in vars(self):
                setattr(new, name, getattr(self, name).expand(*batch_shape, *self.event_shape))
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _each(self, numbers: Tensor) -> Tensor:
        """Numbers, one for each distribution, as factors of matrices."""
        return numbers.expand(self._batch_shape)[..., None, None]

    mean = formula(lambda self: self._each(self.df) * self.covariance_matrix)

    @property
    def mode(self) -> Tensor:
        factor = self.df - self._event_shape[-1] - 1
        return self._each(where(factor <= 0, math.nan, factor)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        return self._each(self.df) * (v.square() + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _bartlett(self, shape: Shape) -> Tensor:
        rows = self._event_shape[-1]
        df = self.df.unsqueeze(-1) - arange(rows, dtype=self._unbroadcasted_scale_tril.dtype)
        lengths = Chi2(df.expand(*self._batch_shape, rows)).rsample(shape).sqrt()
        below = draw(
            "normal", self._unbroadcasted_scale_tril, (*shape, *self._batch_shape, rows * (rows - 1) // 2)
        )
        factor = self._unbroadcasted_scale_tril @ (
            vec_to_tril_matrix(below, -1) + lengths.clamp(min=finfo(lengths.dtype).eps).diag_embed()
        )
        return factor @ factor.mT

    def rsample(self, sample_shape: Shape = (), max_try_correction: int | None = None) -> Tensor:
        """Draws, of which those that are singular in this precision are drawn again, ``max_try_correction`` times.

        PyTorch's test for singular draws is inverted, so it draws the regular ones once more.  The same is done here,
        so that a seed gives the same numbers.
        """
        sample = self._bartlett(tuple(sample_shape))
        if recorded():
            return sample
        again = self._well(sample, sample_shape)
        for _ in range(10 if max_try_correction is None else max_try_correction):
            if not bool(again.any()):
                break
            fresh = self._bartlett((int(again.sum()),))
            whole = bool(again.all())
            sample = fresh.reshape(sample.shape) if whole else sample.index_put((again,), fresh)
            again = ~self._well(sample, sample_shape)
        return sample

    def _well(self, sample: Tensor, sample_shape: Shape) -> Tensor:
        """For each draw whether all matrices of the batch are positive definite."""
        holds = self.support.check(sample.detach())
        return holds.reshape(*sample_shape, -1).all(dim=-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        rows, df, factor = self._event_shape[-1], self.df, self._unbroadcasted_scale_tril
        scale = factor.expand(broadcast_shapes(factor.shape, value.shape))
        trace = cholesky_solve(value.expand(scale.shape), scale).diagonal(dim1=-2, dim2=-1).sum(-1)
        constant = df * (rows * math.log(2) / 2 + _log_diagonal(factor)) + mvlgamma(df / 2, rows)
        return (df - rows - 1) / 2 * slogdet(value).logabsdet - trace / 2 - constant

    def entropy(self) -> Tensor:
        rows, df = self._event_shape[-1], self.df
        size = (rows + 1) * (rows * math.log(2) / 2 + _log_diagonal(self._unbroadcasted_scale_tril))
        spread = mvlgamma(df / 2, rows) - (df - rows - 1) / 2 * mvdigamma(df / 2, rows)
        return size + spread + df * rows / 2

"""`kl_divergence`: how far one distribution is from another, by closed forms for pairs of families."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minigrad.core.apply import reads
from minigrad.core.tensor import Tensor
from minigrad.distributions.bernoulli import Bernoulli
from minigrad.distributions.beta import Beta
from minigrad.distributions.binomial import Binomial
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.cauchy import Cauchy
from minigrad.distributions.continuous_bernoulli import ContinuousBernoulli
from minigrad.distributions.dirichlet import Dirichlet
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.exponential import Exponential
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.geometric import Geometric
from minigrad.distributions.gumbel import Gumbel
from minigrad.distributions.half_normal import HalfNormal
from minigrad.distributions.independent import Independent
from minigrad.distributions.laplace import Laplace
from minigrad.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from minigrad.distributions.multivariate_normal import MultivariateNormal, _batch_mahalanobis, _log_diagonal
from minigrad.distributions.normal import Normal
from minigrad.distributions.one_hot_categorical import OneHotCategorical
from minigrad.distributions.pareto import Pareto
from minigrad.distributions.poisson import Poisson
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.uniform import Uniform
from minigrad.distributions.utils import euler_constant, sum_rightmost
from minigrad.distributions.wishart import Wishart, mvdigamma
from minigrad.functions.algebra import cholesky_solve
from minigrad.functions.arranged import broadcast_shapes
from minigrad.functions.creation import full_like
from minigrad.functions.elementwise import where
from minigrad.functions.gamma import mvlgamma
from minigrad.functions.table import lgamma, maximum, xlogy
from minigrad.hints import missing
from minigrad.linalg import solve_triangular
from minigrad.nn.functional import softplus

__all__ = ["kl_divergence", "register_kl"]

Divergence = Callable[[Any, Any], Tensor]
_KL_REGISTRY: dict[tuple[type, type], Divergence] = {}


def register_kl(type_p: Any, type_q: Any) -> Callable[[Divergence], Divergence]:
    """A decorator that registers a function of p and q with `kl_divergence`. TypeError for other classes."""
    for kind in (type_p, type_q):
        if not isinstance(kind, type):
            raise TypeError(f"Expected a Distribution subclass but got {kind}")

    def decorator(function: Divergence) -> Divergence:
        _KL_REGISTRY[type_p, type_q] = function
        return function

    return decorator


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The Kullback-Leibler divergence, the mean under p of ``log(p / q)``, for each of the batch.

    The most specific registered pair of classes is used, by p first. NotImplementedError where there is none.
    """
    reads(_KL_REGISTRY)
    for kind_p in type(p).__mro__:
        for kind_q in type(q).__mro__:
            if (kind_p, kind_q) in _KL_REGISTRY:
                return _KL_REGISTRY[kind_p, kind_q](p, q)
    raise NotImplementedError(
        f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}"
    )


# ---------------------------------------------------------------- one family


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).square()
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).square() - 1 - ratio.log())


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Tensor:
    success = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    success = where(q.probs == 0, math.inf, success)
    failure = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    failure = where(q.probs == 1, math.inf, failure)
    return where(p.probs == 0, 0.0, success) + where(p.probs == 1, 0.0, failure)


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Tensor:
    part = p.probs * (p.logits - q.logits)
    part = where((q.probs == 0).expand(part.shape), math.inf, part)
    return where((p.probs == 0).expand(part.shape), 0.0, part).sum(-1)


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Tensor:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented"
        )
    each = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return where(p.total_count > q.total_count, math.inf, p.total_count * each)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Tensor:
    odds = p.mean * (p.logits - q.logits)
    return odds + p._log_norm() + (-p.probs).log1p() - q._log_norm() - (-q.probs).log1p()


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    norm = lgamma(total) - lgamma(b.sum(-1)) - (lgamma(a) - lgamma(b)).sum(-1)
    return norm + ((a - b) * (a.digamma() - total.digamma().unsqueeze(-1))).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    norm = b * (p.rate / q.rate).log() + lgamma(b) - lgamma(a)
    return norm + (a - b) * a.digamma() + (q.rate - p.rate) * (a / p.rate)


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, apart = p.scale / q.scale, (p.loc - q.loc) / q.scale
    moment = (lgamma(1 + ratio) - apart).exp()
    return -ratio.log() + apart + euler_constant * ratio + moment - (1 + euler_constant)


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, apart = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + apart / q.scale + ratio * (-apart / p.scale).exp() - 1


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio, scale = q.alpha / p.alpha, p.scale / q.scale
    value = q.alpha * scale.log() - ratio.log() + ratio - 1
    return where(p.scale < q.scale, math.inf, value)


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    value = ((q.high - q.low) / (p.high - p.low)).log()
    return where((q.low > p.low) | (q.high < p.high), math.inf, value)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    # F. Chyzak, F. Nielsen, A closed-form formula for the KL divergence between Cauchy distributions (2019)
    apart = (p.scale + q.scale).square() + (p.loc - q.loc).square()
    return apart.log() - (4 * p.scale * q.scale).log()


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two (Low Rank) Multivariate Normals with different event shapes "
            "cannot be computed"
        )
    n, batch = p.event_shape[0], broadcast_shapes(p.batch_shape, q.batch_shape)
    ours, theirs = (d.scale_tril.expand(*batch, n, n) for d in (p, q))
    trace = solve_triangular(theirs, ours, upper=False).square().sum((-2, -1))
    distance = _batch_mahalanobis(theirs, q.loc - p.loc)
    return _log_diagonal(theirs) - _log_diagonal(ours) + 0.5 * (trace + distance - n)


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("KL between Independents of unlike reinterpreted_batch_ndims")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("KL between distributions of unlike transforms is not implemented")
    more = len(p.event_shape) - len(p.base_dist.event_shape)
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), more)


# ---------------------------------------------------------------- two families
# The mean of -log q under p needs few moments of p.


def _to_normal(p: Any, q: Any) -> Tensor:
    distance = (p.variance + (p.mean - q.loc).square()) / (2 * q.scale.square())
    return distance + 0.5 * math.log(2 * math.pi) + q.scale.log() - p.entropy()


def _to_exponential(p: Any, q: Any) -> Tensor:
    return q.rate * p.mean - q.rate.log() - p.entropy()


def _to_gamma(p: Any, q: Any) -> Tensor:
    a, b = q.concentration, q.rate
    if isinstance(p, Exponential):
        log_mean = -euler_constant - p.rate.log()
    elif isinstance(p, Beta):
        log_mean = p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    elif isinstance(p, Uniform):
        log_mean = _log_mean(p.low.clamp(min=0), p.high)
    else:
        log_mean = p.scale.log() + p.alpha.reciprocal()
    return lgamma(a) - a * b.log() - (a - 1) * log_mean + b * p.mean - p.entropy()


def _from_pareto(divergence: Divergence, most: int) -> Divergence:
    """A divergence by moments that are infinite up to the exponent ``most``; there no gradient flows."""

    def function(p: Any, q: Any) -> Tensor:
        infinite = p.alpha <= most
        tame = Pareto(p.scale, where(infinite, most + 1.0, p.alpha), validate_args=False)
        return where(infinite, math.inf, divergence(tame, q))

    return function


def _never(p: Any, q: Any) -> Tensor:
    """p draws what q never does."""
    like = p.mean + q.mean
    return full_like(like, math.inf)


def _to_continuous_bernoulli(p: Any, q: Any) -> Tensor:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_norm()


def _to_uniform(p: Any, q: Any) -> Tensor:
    """From a family on [0, 1]."""
    return where((q.high < 1) | (q.low > 0), math.inf, (q.high - q.low).log() - p.entropy())


_PAIRS: tuple[tuple[Divergence, tuple[Any, ...], tuple[Any, ...]], ...] = (
    (_to_normal, (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Uniform), (Normal,)),
    (_to_exponential, (Beta, ContinuousBernoulli, Gamma), (Exponential,)),
    (_to_gamma, (Beta, Exponential), (Gamma,)),
    (_from_pareto(_to_normal, 2), (Pareto,), (Normal,)),
    (_from_pareto(_to_exponential, 1), (Pareto,), (Exponential,)),
    (_from_pareto(_to_gamma, 1), (Pareto,), (Gamma,)),
    (_to_continuous_bernoulli, (Beta,), (ContinuousBernoulli,)),
    (_to_uniform, (Beta, ContinuousBernoulli), (Uniform,)),
    (_never, (Normal, Laplace, Gumbel), (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (_never, (Exponential, Gamma), (Beta, ContinuousBernoulli, Pareto, Uniform)),
    (_never, (Pareto,), (Beta, ContinuousBernoulli, Uniform)),
    (_never, (Poisson,), (Bernoulli, Binomial)),
    (_never, (Beta, ContinuousBernoulli), (Pareto,)),
)
_KL_REGISTRY.update({(p, q): function for function, ps, qs in _PAIRS for p in ps for q in qs})
_KL_REGISTRY |= {
    (HalfNormal, HalfNormal): lambda p, q: _normal(p.base_dist, q.base_dist),
    (OneHotCategorical, OneHotCategorical): lambda p, q: _categorical(p._categorical, q._categorical),
    (Beta, Beta): lambda p, q: _dirichlet(p._dirichlet, q._dirichlet),
    (Geometric, Geometric): lambda p, q: -p.entropy() - (-q.probs).log1p() / p.probs - q.logits,
    (Poisson, Poisson): lambda p, q: p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate),
    (Bernoulli, Poisson): lambda p, q: q.rate - p.probs * q.rate.log() - p.entropy(),
    (Uniform, Exponential): lambda p, q: where(p.low < 0, math.inf, _to_exponential(p, q)),
    (Uniform, Gamma): lambda p, q: where(p.low < 0, math.inf, _to_gamma(p, q)),
    (Uniform, ContinuousBernoulli): lambda p, q: where(
        (p.low < 0) | (p.high > 1), math.inf, _to_continuous_bernoulli(p, q)
    ),
}


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Exponential, q: Gumbel) -> Tensor:
    product, moved = p.rate * q.scale, q.loc / q.scale
    tail = (moved + product.log() - (product + 1).log()).exp()
    return product.reciprocal() - moved + tail + product.log() - 1


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Gamma, q: Gumbel) -> Tensor:
    product, moved, a = p.rate * q.scale, q.loc / q.scale, p.concentration
    tail = moved.exp() * (1 + product.reciprocal()).pow(-a)
    return (a - 1) * a.digamma() - lgamma(a) - a + product.log() + a / product - moved + tail


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Normal, q: Gumbel) -> Tensor:
    apart, ratio = (p.loc - q.loc) / q.scale, (p.scale / q.scale).square()
    return apart + (0.5 * ratio - apart).exp() + q.scale.log() - p.entropy()


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    z = (p.loc - q.loc) / p.scale
    size = p.scale * (math.sqrt(2 / math.pi) * (-0.5 * z.square()).exp() + z * (z / math.sqrt(2)).erf())
    return (2 * q.scale).log() + size / q.scale - p.entropy()


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Uniform, q: Gumbel) -> Tensor:
    width = q.scale / (p.high - p.low)
    tail = ((q.loc - p.low) / q.scale).exp() - ((q.loc - p.high) / q.scale).exp()
    return width.log() + width * tail + ((p.high + p.low) / 2 - q.loc) / q.scale


def _log_mean(low: Tensor, high: Tensor) -> Tensor:
    """The mean of log x between two bounds."""
    return (xlogy(high, high) - xlogy(low, low)) / (high - low) - 1


@register_kl(Uniform, Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Tensor:
    a, b, low, high = q.concentration1, q.concentration0, p.low.clamp(min=0), p.high.clamp(max=1)
    norm = lgamma(a) + lgamma(b) - lgamma(a + b)
    value = norm - (a - 1) * _log_mean(low, high) - (b - 1) * _log_mean(1 - high, 1 - low) - p.entropy()
    return where((p.low < 0) | (p.high > 1), math.inf, value)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    low = maximum(p.low, q.scale)  # p.low, where the divergence is finite
    value = (q.alpha + 1) * _log_mean(low, p.high) - q.alpha * q.scale.log() - q.alpha.log() - p.entropy()
    return where(p.low < q.scale, math.inf, value)


@register_kl(Wishart, Wishart)
def _wishart_wishart(p: Wishart, q: Wishart) -> Tensor:
    rows = p.event_shape[-1]
    scale = q.scale_tril
    # the trace of inverse(V of q) @ V of p
    trace = cholesky_solve(p.covariance_matrix, scale).diagonal(dim1=-2, dim2=-1).sum(-1)
    volumes = q.df * (_log_diagonal(scale) - _log_diagonal(p.scale_tril)) + p.df * (trace - rows) / 2
    gammas = mvlgamma(q.df / 2, rows) - mvlgamma(p.df / 2, rows)
    return volumes + gammas + (p.df - q.df) / 2 * mvdigamma(p.df / 2, rows)


if not TYPE_CHECKING:  # a type checker shall see that a name is missing

    def __getattr__(name: str) -> Divergence:
        """PyTorch's private names of the pairs, which programs call: `_kl_normal_normal`."""
        for (p, q), function in _KL_REGISTRY.items():
            if name.startswith("_kl_") and name.replace("_", "") == f"kl{p.__name__}{q.__name__}".lower():
                return function
        raise missing(__name__, name)

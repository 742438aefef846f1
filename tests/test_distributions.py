"""Probability distributions: PyTorch's draws and values, and what holds without PyTorch."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

import minigrad as mg
from minigrad import distributions as D
from minigrad.autograd import gradcheck
from minigrad.autograd.functional import jacobian
from minigrad.distributions import biject_to, constraints
from minigrad.distributions.utils import tril_matrix_to_vec
from minigrad.functions.draws import sample_dirichlet, standard_gamma
from minigrad.kernels import implicit

t = mg.tensor
Row = tuple[Callable[[], D.Distribution], list[float], list[float], list[float] | None]

# What PyTorch 2.13 computes: after manual_seed(1), d.sample((2,)); log_prob of that; entropy.
# fmt: off
GOLDEN: list[Row] = [
    (lambda: D.Normal(t([0.5, -1.0]), t([1.0, 2.0])),
     [1.16135, -0.466152, 0.561677, 0.242635],
     [-1.13763, -1.64771, -0.920841, -1.8051], [1.41894, 2.11209]),
    (lambda: D.LogNormal(0.1, 0.5), [1.5383, 1.26296], [-0.875161, -0.494878], [0.825791]),
    (lambda: D.HalfNormal(2.0), [1.3227, 0.533848], [-1.13763, -0.954563], [1.41894]),
    (lambda: D.Uniform(-1.0, 3.0), [2.03053, 0.117244], [-1.38629, -1.38629], [1.38629]),
    (lambda: D.Bernoulli(t([0.2, 0.7])),
     [0.0, 1.0, 0.0, 0.0],
     [-0.223144, -0.356675, -0.223144, -1.20397], [0.500402, 0.610864]),
    (lambda: D.Bernoulli(logits=t([0.2, -0.7])),
     [0.0, 1.0, 1.0, 0.0],
     [-0.798139, -1.10319, -0.598139, -0.403186], [0.688172, 0.635455]),
    (lambda: D.Categorical(t([0.1, 0.2, 0.7])), [0.0, 1.0], [-2.30259, -1.60944], [0.801819]),
    (lambda: D.Categorical(logits=t([[0.1, 0.2, 0.7], [1.0, 0.0, -1.0]])),
     [0.0, 0.0, 0.0, 0.0],
     [-1.36795, -0.407606, -1.36795, -0.407606], [1.06143, 0.832395]),
    (lambda: D.OneHotCategorical(t([0.1, 0.2, 0.7])), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [-2.30259, -1.60944],
    [0.801819]),
    (lambda: D.Exponential(1.5), [0.0419977, 0.169545], [0.342469, 0.151148], [0.594535]),
    (lambda: D.Laplace(0.5, 2.0), [1.9483, -0.664565], [-2.11044, -1.96858], [2.38629]),
    (lambda: D.Gumbel(0.5, 2.0), [3.06345, 0.0134333], [-2.25243, -1.72529], [2.27036]),
    (lambda: D.Cauchy(0.5, 2.0), [-9.7991, -1.84835], [-5.15271, -2.70442], [3.22417]),
    (lambda: D.HalfCauchy(2.0), [10.2991, 2.34835], [-4.45957, -2.01128], [2.53102]),
    (lambda: D.Pareto(1.5, 3.0), [1.53183, 1.6327], [0.609152, 0.354057], [0.640186]),
    (lambda: D.GeneralizedPareto(0.5, 1.0, -0.5), [1.51538, 0.802132], [-0.708648, -0.163774], [0.5]),
    (lambda: D.Weibull(1.5, 3.0), [0.596848, 0.95035], [-1.21297, -0.473951], [0.691663]),
    (lambda: D.ContinuousBernoulli(t([0.3, 0.9])),
     [0.669513, 0.534251, 0.308967, 0.877585],
     [-0.173364, -0.118376, 0.132126, 0.636005], [-0.0293863, -0.179631]),
    (lambda: D.Geometric(t([0.2, 0.7])),
     [1.0, 1.0, 4.0, 0.0],
     [-1.83258, -1.56065, -2.50201, -0.356675], [2.50201, 0.872663]),
    (lambda: D.MultivariateNormal(t([0.5, -1.0]), t([[2.0, 0.3], [0.3, 0.5]])),
     [1.43529, -0.679656, 0.587225, -0.567815],
     [-2.04504, -1.98564], [2.79072]),
    (lambda: D.MultivariateNormal(t([0.5, -1.0]), precision_matrix=t([[2.0, 0.3], [0.3, 0.5]])),
     [0.990227, -0.916648, 0.545718, -0.148756],
     [-2.13935, -2.07995], [2.88503]),
    (lambda: D.LowRankMultivariateNormal(t([0.5, -1.0]), t([[1.0], [2.0]]), t([0.5, 0.7])),
     [1.20496, 0.842536, 0.447378, -0.605146],
     [-2.76143, -2.44954], [3.39545]),
    (lambda: D.RelaxedBernoulli(t(0.5), t([0.2, 0.7])),
     [0.379161, 0.449877, 0.027707, 0.976607],
     [-0.941523, -0.89973, 1.49642, 1.45068], None),
    (lambda: D.RelaxedOneHotCategorical(t(0.5), t([0.1, 0.2, 0.7])),
     [0.173566, 0.032879, 0.793555, 0.0105903, 0.000323005, 0.989087],
     [0.867488, 6.28388], None),
    (lambda: D.LogisticNormal(t([0.1, 0.2]), t([1.0, 2.0])),
     [0.517045, 0.326308, 0.156647, 0.370174, 0.509442, 0.120383],
     [0.847957, 1.05935], None),
    (lambda: D.Independent(D.Normal(t([0.5, -1.0]), t([1.0, 2.0])), 1),
     [1.16135, -0.466152, 0.561677, 0.242635],
     [-2.78534, -2.72594], [3.53102]),
    (lambda: D.MixtureSameFamily(D.Categorical(t([0.3, 0.7])), D.Normal(t([0.5, -1.0]), t([1.0, 2.0]))),
     [0.561677, 0.048094],
     [-1.5033, -1.47063], None),
    (lambda: D.TransformedDistribution(D.Normal(t([0.5, -1.0]), 1.0), [D.AffineTransform(1, 0.5), D.TanhTransform()]),
     [0.918707, 0.560432, 0.856708, 0.669953],
     [1.41356, 0.115584, 1.09637, 0.176917], None),
]
# Densities by SciPy.
BY_SCIPY: list[Row] = [
    (lambda: D.Multinomial(5, t([0.1, 0.2, 0.7])), [1.0, 1.0, 3.0, 0.0, 3.0, 2.0], [-1.98632, -3.23908], [2.13772]),
    (lambda: D.Kumaraswamy(2.0, 3.0), [0.297268, 0.588493], [0.3936, 0.411282], [-0.208426]),
    (lambda: D.Gamma(t([0.5, 3.0]), t([1.0, 2.0])),
     [1.14334, 2.01324, 0.137801, 1.66989],
     [-1.78268, -1.2407, 0.280806, -0.927969], [0.0906095, 1.15443]),
    (lambda: D.Chi2(t([1.5, 3.0])),
     [2.86802, 4.26411, 0.458004, 3.2588],
     [-2.42056, -2.32588, -0.756924, -1.95766], [1.37496, 2.05412]),
    (lambda: D.Beta(t([0.5, 3.0]), 2.0),
     [0.291268, 0.611257, 0.0659589, 0.626656],
     [-0.0152035, 0.555594, 1.00344, 0.564937], [-0.765279, -0.234906]),
    (lambda: D.Dirichlet(t([0.5, 3.0, 1.0])),
     [0.167828, 0.591036, 0.241136, 0.151782, 0.595178, 0.25304],
     [1.02888, 1.09309], [-1.93224]),
    (lambda: D.StudentT(5.0, 0.5, 2.0), [1.89156, 0.970689], [-1.93902, -1.69482], [2.32065]),
    (lambda: D.FisherSnedecor(5.0, 6.0), [1.9812, 1.28949], [-1.81242, -1.10811], None),
    (lambda: D.InverseGamma(3.0, 2.0), [0.512951, 0.639645], [0.157586, 0.0469274], [0.695158]),
    (lambda: D.Poisson(t([1.5, 30.0])), [0.0, 25.0, 0.0, 31.0], [-1.5, -2.97367, -1.5, -2.65511], None),
    (lambda: D.Binomial(40, t([0.1, 0.6])),
     [1.0, 27.0, 4.0, 24.0],
     [-2.72277, -2.49313, -1.58043, -2.05641], [2.04094, 2.5494]),
    (lambda: D.NegativeBinomial(5.0, t([0.3, 0.6])), [3.0, 5.0, 7.0, 9.0],
    [-1.83994, -2.2993, -4.41209, -2.6066], None),
    (lambda: D.LKJCholesky(3, t([0.5, 2.0])),
     [1.0, 0.0, 0.0, -0.343601, 0.939116, 0.0, 0.672149, -0.250834, 0.696633, 1.0, 0.0, 0.0, -0.116427, 0.993199, 0.0,
      -0.50286, -0.378961, 0.776866, 1.0, 0.0, 0.0, -0.0279227, 0.99961, 0.0, 0.0430979, -0.733897, 0.677892, 1.0, 0.0,
      0.0, -0.474348, 0.880337, 0.0, -0.211106, 0.730994, 0.648908],
     [-2.16953, -1.14093, -2.14226, -1.86276], None),
    (lambda: D.Wishart(4.0, t([[2.0, 0.3], [0.3, 0.5]])),
     [3.03895, -1.39344, -1.39344, 1.64437, 9.09457, 1.11347, 1.11347, 1.48301], [-5.57833, -5.544], [6.15992]),
    (lambda: D.Wishart(t([3.5, 5.0]), precision_matrix=t([[2.0, 0.3], [0.3, 0.5]])),
     [12.5396, -8.76423, -8.76423, 6.30011, 2.94723, -2.21005, -2.21005, 6.14312, 2.15818, -0.0105019, -0.0105019,
      1.03525, 2.56378, -1.44937, -1.44937, 12.764],
     [-14.2702, -5.79676, -5.19362, -6.45677], [6.10559, 6.95201]),
    (lambda: D.VonMises(t([0.5, -1.0]), t([1.0, 4.0])),
     [0.59341, -1.18319, 0.870334, -1.14228],
     [-1.07815, -0.32978, -1.14158, -0.303268], None),
]
# fmt: on
ALL = [*GOLDEN, *BY_SCIPY]


def close(x: Any, y: Any, tolerance: float = 2e-5) -> bool:
    return np.allclose(np.asarray(x), np.asarray(y), rtol=tolerance, atol=tolerance)


def test_draws_are_those_of_pytorch() -> None:
    for make, drawn, _, _ in ALL:
        d = make()
        mg.manual_seed(1)
        x = d.sample((2,))
        assert x.shape == (2, *d.batch_shape, *d.event_shape)
        assert close(x.flatten(), drawn), d
        assert not x.requires_grad


def values_are_those_of_pytorch(rows: list[Row]) -> None:
    for make, drawn, log_prob, entropy in rows:
        d = make()
        d._validate_args = False  # points of the simplex are rounded here
        x = t(drawn).reshape(2, *d.batch_shape, *d.event_shape)
        assert close(d.log_prob(x).flatten(), log_prob), d
        assert d.log_prob(x).shape == (2, *d.batch_shape)
        # the same of more of them
        more = d.expand((3, 2, *d.batch_shape))
        assert (more.batch_shape, more.event_shape) == ((3, 2, *d.batch_shape), d.event_shape)
        assert close(more.log_prob(x)[2].flatten(), log_prob), d
        assert more.sample((2,)).shape == (2, *more.batch_shape, *more.event_shape)
        if entropy is None:
            with pytest.raises(NotImplementedError):
                d.entropy()
        else:
            assert close(d.entropy().flatten(), entropy), d


def test_values_are_those_of_pytorch() -> None:
    values_are_those_of_pytorch(GOLDEN)


def test_values_by_scipy_are_those_of_pytorch() -> None:
    pytest.importorskip("scipy")
    values_are_those_of_pytorch(BY_SCIPY)


# ---------------------------------------------------------------- what holds of all


def grid(d: D.Distribution) -> tuple[np.ndarray, np.ndarray]:
    """Places and weights for an integral over the support of a distribution of numbers: by a change of variables."""
    s = np.linspace(-1, 1, 4001)[1:-1]
    low, high = (getattr(d.support, name, None) for name in ("lower_bound", "upper_bound"))
    if low is None:
        x, slope = np.tan(s * math.pi / 2), math.pi / 2 / np.cos(s * math.pi / 2) ** 2
    elif high is None:
        x = float(low) + np.exp(8 * np.arctanh(s))
        slope = (x - float(low)) * 8 / (1 - s * s)
    else:
        x = float(low) + (float(high) - float(low)) * (1 + s * (1.5 - 0.5 * s * s)) / 2
        slope = (float(high) - float(low)) * 0.75 * (1 - s * s)
    return x, slope * (s[1] - s[0])


def integrates_to_1(rows: list[Row]) -> int:
    count = 0
    for make, *_ in rows:
        d = make()
        if d.event_shape or type(d).__name__ in ("VonMises", "MixtureSameFamily"):
            continue
        if d.has_enumerate_support:
            total = d.log_prob(d.enumerate_support()).exp().sum(0)
        elif d.support.is_discrete:
            total = d.log_prob(mg.arange(200.0).reshape(-1, *[1] * len(d.batch_shape))).exp().sum(0)
        else:
            x, weights = (mg.tensor(a).float().reshape(-1, *[1] * len(d.batch_shape)) for a in grid(d))
            d._validate_args = False
            total = (d.log_prob(x).exp() * weights).nan_to_num(0, 0, 0).sum(0)
        assert close(total, 1.0, 3e-3), (d, total)
        count += 1
    return count


def test_densities_integrate_to_1() -> None:
    assert integrates_to_1(GOLDEN) == 20


def test_densities_by_scipy_integrate_to_1() -> None:
    pytest.importorskip("scipy")
    assert integrates_to_1(BY_SCIPY) == 10


def test_quantiles_are_the_inverse_of_the_distribution_function() -> None:
    count, p = 0, mg.linspace(0.1, 0.9, 5)
    for make, *_ in GOLDEN:
        d = make()
        try:
            places = d.icdf(p.reshape(-1, *[1] * len(d.batch_shape)))
        except NotImplementedError:
            continue
        assert close(
            d.cdf(places), np.broadcast_to(np.asarray(p).reshape(-1, *[1] * len(d.batch_shape)), places.shape)
        ), d
        count += 1
    assert count == 14


def test_draws_have_the_mean_and_variance_that_are_stated() -> None:
    mg.manual_seed(0)
    for make, *_ in GOLDEN:
        d, n = make(), 3000
        try:
            mean, variance = np.asarray(d.mean), np.asarray(d.variance)
        except NotImplementedError:
            continue
        if not (np.isfinite(mean).all() and np.isfinite(variance).all()) or isinstance(d, D.Pareto):
            continue
        x = np.asarray(d.sample((n,)))
        # five deviations of the mean; of the variance as of a distribution of moderate tails
        assert (np.abs(x.mean(0) - mean) < 5 * np.sqrt(variance / n)).all(), d
        assert (np.abs(x.var(0) - variance) < 0.25 * variance + 1e-6).all(), d


def test_divergences_are_the_mean_of_what_they_mean() -> None:
    mg.manual_seed(0)
    v, w = t([0.5, -1.0]), t([1.0, 2.0])
    pairs: list[tuple[Any, Any]] = [
        (D.Normal(v, w), D.Normal(w, w * 2)), (D.Laplace(v, w), D.Laplace(w, w * 2)), (D.Normal(v, w),
    D.Laplace(w, w)),
        (D.Laplace(v, w), D.Normal(w, w * 2)), (D.Gumbel(v, w), D.Normal(v, w * 2)),
        (D.Normal(v, w), D.Gumbel(v, w * 2)),
        (D.Exponential(w), D.Exponential(w * 2)), (D.Exponential(w), D.Normal(v, w)),
        (D.Exponential(w), D.Gumbel(v, w)),
        (D.Uniform(0.1, w), D.Uniform(-1.0, w + 1)), (D.Uniform(0.1, w), D.Normal(v, w)),
        (D.Uniform(v, w), D.Gumbel(v, w)),
        (D.Uniform(0.1, w), D.Exponential(w)), (D.Uniform(3.0, w + 5), D.Pareto(w, 2.0)),
        (D.Pareto(w, 5.0), D.Pareto(0.9, w)),
        (D.Bernoulli(t([0.3, 0.9])), D.Bernoulli(t([0.5, 0.6]))),
        (D.Geometric(t([0.3, 0.9])), D.Geometric(t([0.5, 0.6]))),
        (D.Categorical(t([0.2, 0.3, 0.5])), D.Categorical(t([0.4, 0.3, 0.3]))), (D.Cauchy(v, w), D.Cauchy(w, w * 2)),
        (D.HalfNormal(w), D.HalfNormal(w * 2)), (D.LogNormal(v, w), D.LogNormal(w, w * 2)),
        (D.ContinuousBernoulli(t([0.3, 0.9])), D.ContinuousBernoulli(t([0.5, 0.6]))),
        (D.MultivariateNormal(v, t([[2.0, 0.3], [0.3, 0.5]])), D.MultivariateNormal(w, t([[3.0, 0.1], [0.1, 0.8]]))),
        (D.MultivariateNormal(v, t([[2.0, 0.3], [0.3, 0.5]])), D.LowRankMultivariateNormal(w, t([[1.0], [2.0]]), w)),
        (D.Independent(D.Normal(v, w), 1), D.Independent(D.Normal(w, w * 2), 1)),
        (D.OneHotCategorical(t([0.2, 0.3, 0.5])), D.OneHotCategorical(t([0.4, 0.3, 0.3]))),
    ]  # fmt: skip
    check_divergences(pairs)
    assert mg.isinf(D.kl_divergence(D.Normal(0.0, 1.0), D.Gamma(1.0, 1.0)))
    assert mg.isinf(D.kl_divergence(D.Uniform(0.0, 2.0), D.Uniform(0.5, 2.0)))


def test_divergences_by_scipy_are_the_mean_of_what_they_mean() -> None:
    pytest.importorskip("scipy")
    v = t([[2.0, 0.3], [0.3, 0.5]])
    check_divergences([(D.Wishart(4.0, v), D.Wishart(t(5.5), precision_matrix=v))])


def check_divergences(pairs: list[tuple[Any, Any]]) -> None:
    for p, q in pairs:
        x = p.sample((4000,))
        differences = np.asarray((p.log_prob(x) - q.log_prob(x)).double())
        error = differences.std(0) / math.sqrt(len(differences))
        exact = np.asarray(_divergence(p, q))
        assert (np.abs(differences.mean(0) - exact) < 5 * error + 1e-5).all(), (
            p,
            q,
            exact,
            differences.mean(0),
        )


def _divergence(p: Any, q: Any) -> Any:
    try:
        return D.kl_divergence(p, q)
    except ImportError:  # by SciPy
        return (p.log_prob(p.sample((4000,))) - q.log_prob(p.sample((4000,)))).mean(0)


def test_a_divergence_of_ones_own() -> None:
    class Mine(D.Normal):
        pass

    p, q = Mine(0.0, 1.0), D.Normal(1.0, 1.0)
    assert D.kl_divergence(p, q) == D.kl_divergence(D.Normal(0.0, 1.0), q)
    D.register_kl(Mine, D.Normal)(lambda p, q: t(7.0))
    try:
        assert D.kl_divergence(p, q) == 7.0
    finally:
        del D.kl._KL_REGISTRY[Mine, D.Normal]
    # Programs call the functions of pairs by PyTorch's private names.
    halves = D.HalfNormal(1.0), D.HalfNormal(2.0)
    assert D.kl._kl_normal_normal(D.Normal(0.0, 1.0), q) == D.kl_divergence(D.Normal(0.0, 1.0), q)
    assert D.kl._kl_halfnormal_halfnormal(*halves) == D.kl_divergence(*halves)
    assert D.kl._kl_beta_continuous_bernoulli is D.kl._KL_REGISTRY[D.Beta, D.ContinuousBernoulli]
    assert not hasattr(D.kl, "_kl_poisson_normal")
    with pytest.raises(NotImplementedError, match="Poisson and q type Normal"):
        D.kl_divergence(D.Poisson(1.0), q)
    with pytest.raises(TypeError, match="Distribution subclass"):
        D.register_kl(3, D.Normal)


# ---------------------------------------------------------------- gradients


def double(*values: Any) -> Any:
    return mg.tensor(values, dtype=mg.float64, requires_grad=True)


def test_gradients_of_densities_and_of_draws() -> None:
    """By finite differences; a draw of the same seed is a function of the parameters."""
    loc, scale, odds = double(0.3, -0.4), double(1.2, 0.7), double(0.2, -0.5, 0.4)
    value = mg.tensor([0.4, 0.6], dtype=mg.float64)
    for kind in (D.Normal, D.Laplace, D.Cauchy, D.Gumbel, D.LogNormal):

        def of(loc: Any, scale: Any, kind: Any = kind) -> Any:
            mg.manual_seed(3)
            d = kind(loc, scale)
            return d.log_prob(value), d.rsample((2,)), d.entropy() if kind is not D.LogNormal else d.mean

        assert gradcheck(of, (loc, scale))
    for one in (D.Exponential, D.HalfNormal, D.HalfCauchy):
        assert gradcheck(lambda scale, one=one: one(scale).log_prob(value), (scale,))
    matrix = double((1.2, 0.0), (0.3, 0.7))

    def vector(loc: Any, tril: Any) -> Any:
        mg.manual_seed(3)
        d = D.MultivariateNormal(loc, scale_tril=tril.tril())
        return d.log_prob(value), d.rsample(), d.entropy()

    assert gradcheck(vector, (loc, matrix))
    assert gradcheck(lambda m: D.MultivariateNormal(value, m @ m.mT).log_prob(loc.detach()), (matrix,))
    place = mg.tensor([2, 0])
    assert gradcheck(
        lambda o: (D.Categorical(logits=o).log_prob(place), D.Categorical(logits=o).entropy()), (odds,)
    )
    assert gradcheck(lambda o: D.Bernoulli(logits=o).log_prob(mg.tensor([1.0, 0.0, 1.0]).double()), (odds,))

    def relaxed(o: Any) -> Any:
        mg.manual_seed(3)
        return D.RelaxedOneHotCategorical(0.7, logits=o).rsample(), D.RelaxedBernoulli(
            0.7, logits=o
        ).rsample()

    assert gradcheck(relaxed, (odds,))
    through = D.OneHotCategoricalStraightThrough(logits=odds)
    (through.rsample() * mg.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert odds.grad is not None


def test_gradients_of_draws_by_rejection() -> None:
    """They are the implicit ones: of the quantile, at the place that was drawn."""
    special = pytest.importorskip("scipy.special")
    a = np.array([0.05, 0.4, 1.0, 3.0, 20.0, 300.0]).repeat(20)
    rng = np.random.default_rng(0)
    x, h = np.maximum(rng.gamma(a), 1e-30), 1e-5 * a
    below, above = special.gammainc(a, x), special.gammaincc(a, x)

    def quantile(a: Any) -> Any:
        return np.where(below < 0.5, special.gammaincinv(a, below), special.gammainccinv(a, above))

    expected = (quantile(a + h) - quantile(a - h)) / (2 * h)
    assert np.allclose(implicit.gamma_slope(a, x), expected, rtol=1e-5, atol=0)
    b = rng.permutation(np.minimum(a, 20.0))
    a = np.minimum(a, 50.0)
    x, h = rng.beta(a, b).clip(1e-30, 1 - 1e-9), 1e-5 * a
    below, above = special.betainc(a, b, x), special.betaincc(a, b, x)

    def beta_quantile(a: Any) -> Any:
        return np.where(below < 0.5, special.betaincinv(a, b, below), special.betainccinv(a, b, above))

    expected = (beta_quantile(a + h) - beta_quantile(a - h)) / (2 * h)
    kept = (x > 1e-6) & (x < 1 - 1e-6)
    assert kept.sum() > 80
    ours = implicit.dirichlet_slope(x, a, a + b) * (1 - x)
    assert np.allclose(ours[kept], expected[kept], rtol=1e-4, atol=1e-12)
    # through the functions: the total of a point of the simplex does not move
    alpha = double((0.5, 2.0, 3.0), (1.0, 1.0, 9.0))
    mg.manual_seed(0)
    y = sample_dirichlet(alpha)
    y.sum().backward(retain_graph=True)
    assert close(alpha.grad, 0.0, 1e-12)
    g = standard_gamma(alpha)
    (first,) = mg.autograd.grad(g.sum(), alpha, create_graph=True)
    assert np.allclose(
        first.numpy(force=True), implicit.gamma_slope(alpha.numpy(force=True), g.numpy(force=True))
    )
    with pytest.raises(NotImplementedError, match="drawn gamma"):
        first.sum().backward()


def test_what_is_drawn_by_rejection_is_drawn_in_replays() -> None:
    rates = t([0.5, 30.0])
    f = mg.compile(lambda x: mg.poisson(x) + standard_gamma(x) + mg.binomial(x.ceil(), mg.full_like(x, 0.4)))
    mg.manual_seed(2)
    drawn = [f(rates).tolist() for _ in range(3)]
    mg.manual_seed(2)
    for values in drawn:
        x = mg.poisson(rates) + standard_gamma(rates) + mg.binomial(rates.ceil(), mg.full_like(rates, 0.4))
        assert x.tolist() == values
    with pytest.raises(RuntimeError, match="invalid Poisson rate"):
        mg.poisson(t(-1.0))
    with pytest.raises(NotImplementedError, match="poisson"):
        mg.poisson(t(1))
    with pytest.raises(RuntimeError, match="expected"):
        mg.binomial(t(1.0), t(0.5).double())


# ---------------------------------------------------------------- transforms and constraints

VECTOR = mg.tensor([[0.3, -0.7, 1.1], [-0.2, 0.4, 0.9]], dtype=mg.float64)
OF_EVENTS = D.CatTransform(
    [D.IndependentTransform(g(), 1) for g in (D.ExpTransform, D.TanhTransform)], -1, [1, 2]
)
TRANSFORMS: list[Any] = [
    OF_EVENTS,
    D.ExpTransform(), D.AffineTransform(1.0, -2.0), D.AffineTransform(VECTOR[0], 2.0, event_dim=1),
    D.SigmoidTransform(),
    D.TanhTransform(), D.TanhTransform(cache_size=1), D.SoftplusTransform(), D.StickBreakingTransform(),
    D.ComposeTransform([D.ExpTransform(), D.PowerTransform(1.5)]), D.identity_transform,
    D.ComposeTransform([D.AffineTransform(0.5, 2.0), D.StickBreakingTransform()]), D.SigmoidTransform().inv.inv,
    D.IndependentTransform(D.ExpTransform(), 1), D.ReshapeTransform((3,), (3, 1)),
    D.StackTransform([D.ExpTransform(), D.TanhTransform(), D.AffineTransform(0.0, 3.0)], -1),
    D.CatTransform([D.ExpTransform(), D.TanhTransform()], -1, [1, 2]), D.ExpTransform().inv.inv,
    D.CumulativeDistributionTransform(D.Normal(0.0, 1.0)),
]  # fmt: skip


def test_transforms_are_inverted_and_have_their_determinants() -> None:
    for f in TRANSFORMS:
        y = f(VECTOR)
        assert y.shape == f.forward_shape(VECTOR.shape)
        assert f.inverse_shape(y.shape) == VECTOR.shape
        assert close(f.inv(y), VECTOR, 1e-9), f
        assert bool(f.codomain.check(y).all()), f
        assert f.bijective
        log_det = f.log_abs_det_jacobian(VECTOR, y)
        assert close(f.inv.log_abs_det_jacobian(y, VECTOR), -log_det)
        total = log_det.reshape(2, -1).sum(-1)
        for row in range(2):
            # of a point of the simplex the last number follows from the others
            free = jacobian(lambda x, f=f: f(x).flatten()[:3], VECTOR[row])
            assert close(total[row], free.det().abs().log(), 1e-9), f


def test_correlations_of_numbers() -> None:
    f = D.CorrCholeskyTransform()
    y = f(VECTOR)
    assert bool(constraints.corr_cholesky.check(y).all())
    assert close(f.inv(y), VECTOR, 1e-9)
    assert (f.forward_shape((2, 3)), f.inverse_shape((2, 3, 3))) == ((2, 3, 3), (2, 3))
    for row, x in enumerate(VECTOR):
        # of each row the entry on the diagonal follows from the others
        free = jacobian(lambda x: tril_matrix_to_vec(f(x), -1), x)
        assert close(f.log_abs_det_jacobian(x, y[row]), free.det().abs().log(), 1e-9)
    assert close(biject_to(constraints.corr_cholesky)(VECTOR), y)
    d = D.TransformedDistribution(D.Independent(D.Normal(z(2, 3), 1.0), 1), [f])
    values = d.log_prob(f(t([[0.1, 0.2, 0.3], [-0.5, 0.0, 0.4]])))
    assert (d.batch_shape, d.event_shape) == ((2,), (3, 3))
    assert close(values, [-2.6685, -2.5657], 1e-4)  # PyTorch's
    one_of_all = D.TransformedDistribution(D.Independent(D.Normal(z(2, 3), 1.0), 2), [f])
    assert close(one_of_all.log_prob(f(t([[0.1, 0.2, 0.3], [-0.5, 0.0, 0.4]]))), values.sum())
    for wrong, message in (((4,), "lower-diagonal"), ((), "Too few")):
        with pytest.raises(ValueError, match=message):
            f.forward_shape(wrong)
    for wrong, message in (((2, 3), "not square"), ((2,), "Too few")):
        with pytest.raises(ValueError, match=message):
            f.inverse_shape(wrong)


def test_transforms_of_parts_say_what_does_not_fit() -> None:
    f = D.CatTransform([D.ExpTransform(), D.TanhTransform()], 0, [1, 2])
    assert (f.length, f.event_dim) == (3, 0)
    mixed = D.CatTransform([D.ExpTransform(), D.IndependentTransform(D.TanhTransform(), 1)], -1, [1, 2])
    assert close(
        mixed.log_abs_det_jacobian(VECTOR, mixed(VECTOR)), OF_EVENTS.log_abs_det_jacobian(VECTOR, VECTOR)
    )
    stacked: Any = D.StackTransform
    for call, message in (
        (lambda: stacked([D.ExpTransform(), 3]), "must be Transform instances"),
        (lambda: D.CatTransform([D.ExpTransform()], 0, [1, 2]), r"lengths \(2\) must match transforms \(1\)"),
        (lambda: f(z(4)), r"x.size\(0\) = 4 must equal length 3"),
        (lambda: D.CatTransform([f], 1, [3])(z(3)), "dim 1 out of range"),
        (lambda: stacked([f, f])(z(3, 3)), r"x.size\(0\) = 3 must equal length 2"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    for g in (D.SoftmaxTransform(), D.StickBreakingTransform()):
        with pytest.raises(ValueError, match="Too few dimensions"):
            g.forward_shape(())


def test_transforms_by_numbers_equal_those_by_tensors() -> None:
    assert D.PowerTransform(2.0) == D.PowerTransform(t(2.0))
    assert D.AffineTransform(1.0, 2) == D.AffineTransform(t(1.0), 2.0)
    assert D.AffineTransform(1.0, 2) != D.AffineTransform(t(1.0), t(3.0))
    assert D.AffineTransform(t([1.0, 1.0]), 2) != D.AffineTransform(t([1.0]), 2)


def test_gradients_at_the_edges_of_formulas() -> None:
    p = t(0.5).double().requires_grad_()
    (g,) = mg.autograd.grad(D.Binomial(5, p).log_prob(t(2.0).double()), p, create_graph=True)
    assert close(g.detach(), 2 / 0.5 - 3 / 0.5)
    (second,) = mg.autograd.grad(g, p)
    assert close(second, -2 / 0.25 - 3 / 0.25)
    # where a moment or a divergence is infinite, or there is none, no gradient flows
    edges: list[tuple[Any, list[float]]] = [
        (lambda x: D.FisherSnedecor(3.0, x).mean, [2.0, 1.0]),
        (lambda x: D.FisherSnedecor(3.0, x).variance, [4.0, 2.0]),
        (lambda x: D.StudentT(x).variance, [2.0, 1.0]),
        (lambda x: D.kl_divergence(D.Pareto(1.0, x), D.Normal(0.0, 1.0)), [2.0, 1.0]),
        (lambda x: D.kl_divergence(D.Pareto(1.0, x), D.Exponential(1.0)), [1.0, 0.5]),
        (lambda x: D.kl_divergence(D.Pareto(1.0, x), D.Gamma(2.0, 1.0)), [1.0, 0.5]),
    ]
    for f, values in edges:
        x = t([*values, 5.0]).requires_grad_()
        f(x).sum().backward()
        assert x.grad is not None
        assert x.grad[:2].tolist() == [0.0, 0.0]
        assert bool(x.grad[2].isfinite())
        assert x.grad[2] != 0
    unknown = D.Pareto(1.0, math.nan, validate_args=False)
    assert bool(D.kl_divergence(unknown, D.Exponential(1.0)).isnan())


def test_values_by_pytorchs_keywords() -> None:
    mixture = D.MixtureSameFamily(D.Categorical(t([1.0, 3.0])), D.Normal(t([0.0, 0.0]), 1.0))
    assert close(mixture.log_prob(x=t(0.0)), D.Normal(0.0, 1.0).log_prob(t(0.0)))
    assert close(mixture.cdf(x=t(0.0)), 0.5)
    assert close(D.HalfCauchy(1.0).icdf(prob=t(0.5)), 1.0, 1e-6)
    assert bool(constraints.multinomial(3).check(x=t([1.0, 2.0])))


def test_generalized_pareto_of_all_shapes() -> None:
    """A concentration of 0 is the exponential distribution, one of -1 the uniform one."""
    x = t([0.0, 0.5, 2.0])
    exponential, uniform = D.Exponential(0.5), D.GeneralizedPareto(0.0, 2.0, -1.0)
    for concentration in (0.0, 1e-9):
        d = D.GeneralizedPareto(0.0, 2.0, concentration)
        for name in ("log_prob", "cdf"):
            assert close(getattr(d, name)(x), getattr(exponential, name)(x)), name
        assert close(d.icdf(t(0.3)), exponential.icdf(t(0.3)))
    assert close(uniform.log_prob(x), [-math.log(2)] * 3)
    assert close(D.GeneralizedPareto(1.0, 2.0, 0.3).log_survival_function(t(3.0)), -math.log(1.3) / 0.3)
    heavy = D.GeneralizedPareto(0.0, 1.0, t([0.4, 0.6, 1.5]))
    assert close(heavy.mean[:2], [1 / 0.6, 2.5], 1e-5)
    assert mg.isnan(heavy.mean[2])
    assert mg.isnan(heavy.variance).tolist() == [False, True, True]
    with pytest.raises(ValueError, match="support"):
        uniform.log_prob(t(2.5))


def test_wishart_arguments_and_slopes() -> None:
    pytest.importorskip("scipy")
    v = t([[2.0, 0.3], [0.3, 0.5]])
    for args, message in (
        ((1.0, v), "expected to be greater"),
        ((3.0, v, v), "Exactly one"),
        ((3.0, v[0]), "two-dim"),
    ):
        with pytest.raises(ValueError, match=message):
            D.Wishart(*args)
    with pytest.warns(UserWarning, match="Low df"):
        D.Wishart(1.5, v)
    d = D.Wishart(5.0, v)
    assert close(d.precision_matrix @ v, mg.eye(2))
    assert close(d.mean, 5 * v)
    assert close(d.mode, 2 * v)
    assert mg.isnan(D.Wishart(3.0, v).mode).all()
    scale = double((1.2, 0.0), (0.3, 0.7))
    x = mg.tensor([[1.0, 0.2], [0.2, 0.8]], dtype=mg.float64)

    def of(tril: Any) -> Any:
        d = D.Wishart(mg.tensor(4.0, dtype=mg.float64), scale_tril=tril.tril())
        mg.manual_seed(3)
        return d.log_prob(x), d.entropy(), d.rsample()

    assert gradcheck(of, (scale,))
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        D.LKJCholesky(1)


def test_transforms_compare_and_keep_the_last_pair() -> None:
    f = D.TanhTransform(cache_size=1)
    x = t([20.0])
    y = f(x)
    assert f(x) is y
    assert f.inv(y) is x
    assert f.inv.inv is f
    assert f == D.TanhTransform() != D.ExpTransform()
    assert D.AffineTransform(t([1.0]), 2) == D.AffineTransform(t([1.0]), 2) != D.AffineTransform(t([1.0]), 3)
    assert f.with_cache(0)._cache_size == 0
    assert [D.AffineTransform(0, -2.0).sign, D.ComposeTransform([f, D.AffineTransform(0, -2.0)]).sign] == [
        -1,
        -1,
    ]
    for wrong in (
        lambda: D.TanhTransform(cache_size=2),
        lambda: D.ReshapeTransform((3,), (3, 1)).event_dim,
        lambda: D.ReshapeTransform((3,), (4,)),
        lambda: D.ReshapeTransform((3,), (3, 1))(x),
    ):
        with pytest.raises(ValueError, match=r"cache_size|event_dim|elements|mismatch"):
            wrong()


CONSTRAINTS: list[tuple[Any, Any, Any]] = [
    (constraints.positive, [1.0], [0.0]), (constraints.nonnegative, [0.0], [-1.0]), (constraints.real, [1.0],
    [math.nan]),
    (constraints.unit_interval, [1.0], [1.5]), (constraints.greater_than(2.0), [3.0], [2.0]),
    (constraints.less_than(2.0), [1.0], [2.0]), (constraints.interval(-1.0, 3.0), [-1.0], [4.0]),
    (constraints.half_open_interval(-1.0, 3.0), [-1.0], [3.0]), (constraints.simplex, [0.4, 0.6], [0.4, 0.5]),
    (constraints.real_vector, [0.4, 0.6], [0.4, math.nan]), (constraints.boolean, [1.0], [0.5]),
    (constraints.independent(constraints.positive, 1), [0.4, 0.6], [0.4, 0.0]),
    (constraints.one_hot, [0.0, 1.0], [1.0, 1.0]), (constraints.positive_integer, [1], [0]),
    (constraints.nonnegative_integer, [0.0], [0.5]), (constraints.integer_interval(0, 3), [3], [4]),
    (constraints.integer_interval(0, 3), [3.0], [2.5]), (constraints.nonnegative_integer, [0], [-1]),
    (constraints.multinomial(3), [1, 2], [1, 3]), (constraints.lower_triangular, [[1.0, 0.0], [2.0, 3.0]],
    [[1.0, 1.0]] * 2),
    (constraints.lower_cholesky, [[1.0, 0.0], [2.0, 3.0]], [[1.0, 0.0], [2.0, -3.0]]),
    (constraints.positive_definite, [[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]]),
    (constraints.positive_semidefinite, [[1.0, 0.0], [0.0, 0.0]], [[1.0, 2.0], [2.0, 1.0]]),
    (constraints.symmetric, [[1.0, 2.0], [2.0, 1.0]], [[1.0, 2.0], [3.0, 1.0]]), (constraints.square, [[1.0]],
    [[1.0, 2.0]]),
    (constraints.corr_cholesky, [[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.6, 0.9]]),
    (constraints.stack([constraints.real, constraints.positive], -1), [-1.0, 1.0], [-1.0, -1.0]),
    (constraints.cat([constraints.real, constraints.positive], -1, [1, 2]), [-1.0, 1.0, 1.0], [-1.0, 1.0, 0.0]),
]  # fmt: skip


def test_constraints_tell_what_they_hold() -> None:
    for constraint, inside, outside in CONSTRAINTS:
        assert bool(constraint.check(t(inside)).all()), constraint
        assert not bool(constraint.check(t(outside)).all()), constraint
        for registry in (D.biject_to, D.transform_to):
            try:
                f = registry(constraint)
            except NotImplementedError:
                continue
            shape = f.inverse_shape(np.shape(inside))
            y = f(mg.tensor(np.random.default_rng(0).normal(size=shape)))
            assert y.shape == np.shape(inside)
            assert bool(constraint.check(y).all()), (constraint, f)
            assert bool(constraint.check(f(f.inv(y))).all())
            assert close(f(f.inv(y)), y, 1e-9), f
    assert repr(constraints.interval(0, 2)) == "Interval(lower_bound=0, upper_bound=2)"
    with pytest.raises(ValueError, match="dependent"):
        D.Uniform.support.check(t(1.0))
    with pytest.raises(NotImplementedError, match="Boolean"):
        D.biject_to(constraints.boolean)
    with pytest.raises(TypeError, match="Constraint"):
        D.biject_to.register(int, D.ExpTransform)


# ---------------------------------------------------------------- arguments

z, one = mg.zeros, mg.ones
WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: D.Normal(0.0, -1.0), r"Expected parameter scale \(Tensor of shape \(\)\) of distribution Normal\(loc:"),
    (lambda: D.Normal("a", 1.0), "Number or Tensor"), (lambda: D.Uniform(1.0, 0.0), "not defined"),
    (lambda: D.Bernoulli(), "Either `probs` or `logits`"),
    (lambda: D.Bernoulli(0.5, 0.5), "Either `probs` or `logits`"),
    (lambda: D.Bernoulli(1.5), "Expected parameter probs"), (lambda: D.Geometric(0.0), "to be positive"),
    (lambda: D.HalfNormal(-1.0), "parameter scale"), (lambda: D.HalfCauchy(0.0), "parameter scale"),
    (lambda: D.RelaxedOneHotCategorical(1.0, t([-1.0, 2.0]), validate_args=False), "parameter probs"),
    (lambda: D.Categorical(t(0.5)), "at least one-dimensional"),
    (lambda: D.Dirichlet(t(0.5)), "at least one-dimensional"),
    (lambda: D.Categorical(t([0.5, 0.5])).log_prob(t(2)), "within the support"),
    (lambda: D.Exponential(1.0).log_prob(t(-1.0)), "within the support"),
    (lambda: D.Normal(0.0, 1.0).log_prob(0.3), "must be a Tensor"),
    (lambda: D.Normal(z(3), 1.0).log_prob(z(2)), "not broadcastable"),
    (lambda: D.MultivariateNormal(z(2), mg.eye(2)).log_prob(z(3)), "right-most size"),
    (lambda: D.MultivariateNormal(z(2)), "Exactly one"),
    (lambda: D.MultivariateNormal(t(0.0), mg.eye(2)), "loc must be"),
    (lambda: D.MultivariateNormal(z(2), z(2)), "two-dimensional"),
    (lambda: D.MultivariateNormal(z(2), -mg.eye(2)), "parameter covariance_matrix"),
    (lambda: D.LowRankMultivariateNormal(t(0.0), mg.eye(2), one(2)), "loc must be"),
    (lambda: D.LowRankMultivariateNormal(z(2), one(3, 1), one(2)), "cov_factor"),
    (lambda: D.LowRankMultivariateNormal(z(2), one(2, 1), one(3)), "cov_diag"),
    (lambda: D.Independent(D.Normal(0.0, 1.0), 1), "reinterpreted_batch_ndims"),
    (lambda: D.MixtureSameFamily(D.Categorical(one(3)), D.Normal(z(2), 1.0)), "does not equal"),
    (lambda: D.MixtureSameFamily(D.Categorical(one(3, 2)), D.Normal(z(2, 2), 1.0)), "not compatible"),
    (lambda: D.MixtureSameFamily(D.Normal(z(2), 1.0), D.Normal(z(2), 1.0)), "Categorical"),
    (lambda: D.MixtureSameFamily(D.Categorical(one(3)), 1.0), "Distribution"),
    (lambda: D.Multinomial(-1, one(3)), "total_count must not be negative, got -1"),
    (lambda: D.TransformedDistribution(D.Normal(0.0, 1.0), [1]), "transforms must be"),
    (lambda: D.TransformedDistribution(D.Normal(0.0, 1.0), 3), "transforms must be"),
    (lambda: D.TransformedDistribution(D.Normal(0.0, 1.0), D.StickBreakingTransform()), "at least 1"),
    (lambda: D.Distribution.set_default_validate_args(3), "True or False"),
]  # fmt: skip


def test_wrong_arguments_are_value_errors() -> None:
    for wrong, match in WRONG:
        with pytest.raises(ValueError, match=match):
            wrong()
    assert D.Normal(0.0, -1.0, validate_args=False).scale == -1.0
    D.Distribution.set_default_validate_args(False)
    try:
        assert D.Normal(0.0, -1.0).scale == -1.0
    finally:
        D.Distribution.set_default_validate_args(True)
    for call in (
        lambda: D.Bernoulli(0.5).rsample(),
        lambda: D.Distribution().mean,
        lambda: D.Independent(D.Bernoulli(one(2)), 1).enumerate_support(),
        lambda: D.Binomial(t([1.0, 2.0]), 0.5).enumerate_support(),
    ):
        with pytest.raises(NotImplementedError):
            call()


def test_numbers_shapes_and_what_is_printed() -> None:
    d = D.Normal(0, 1)
    assert d.sample((3, 2)).shape == d.rsample((3, 2)).shape == (3, 2)
    assert (repr(d), repr(D.Normal(z(2), 1.0))) == (
        "Normal(loc: 0.0, scale: 1.0)",
        f"Normal(loc: {z(2).size()}, scale: {z(2).size()})",
    )
    assert [repr(d) for d in (D.Beta(1.0, 2.0), D.Multinomial(2, one(2)), D.OneHotCategorical(one(2)))] == [
        "Beta()", "Multinomial()", "OneHotCategorical()",
    ]  # fmt: skip
    assert D.Normal(one(3, 1).double(), one(2).double()).sample().dtype == mg.float64
    assert close([d.cdf(d.icdf(t(0.3))), d.perplexity(), d.stddev], [0.3, math.exp(d.entropy()), 1.0])
    both = D.Independent(D.Normal(z(2, 3), 1.0), 1)
    assert (both.batch_shape, both.event_shape, both.has_rsample) == ((2,), (3,), True)
    assert close(both.log_prob(z(2, 3)), D.Normal(z(2, 3), 1.0).log_prob(z(2, 3)).sum(-1))
    turned = D.TransformedDistribution(d, [D.AffineTransform(1.0, -2.0)])
    # the ends of the support, where there is no density
    ends = [D.LogNormal(0.0, 1.0), D.Weibull(1.0, 2.0), D.InverseGamma(1.0, 2.0), D.Kumaraswamy(1.0, 2.0)]
    assert [x.cdf(t(0.0)).item() for x in ends] == [0.0] * 4
    with pytest.raises(ValueError, match="within the support"):
        ends[0].cdf(t(-1.0))
    cauchy = D.HalfCauchy(1.0, validate_args=False)
    assert close([cauchy.log_prob(t(0.5)), cauchy.log_prob(t(0.5).double())], [-0.6747262, -0.6747262])
    assert cauchy.log_prob(t(0.5).double()).dtype == mg.float32
    assert D.Dirichlet(t([0.5, 0.9])).mode.tolist() == [1.0, 0.0]
    assert close([turned.cdf(t(0.3)), turned.icdf(turned.cdf(t(0.3)))], [1 - d.cdf(t(0.35)), 0.3])
    mixed = D.MixtureSameFamily(D.Categorical(t([0.25, 0.75])), D.Independent(D.Normal(mg.eye(2), 1.0), 1))
    assert close(mixed.mean, [0.25, 0.75])
    assert close(mixed.variance, 1 + 0.25 * 0.75)
    assert (mixed.sample((4,)).shape, mixed.log_prob(z(4, 2)).shape) == ((4, 2), (4,))
    full = D.LowRankMultivariateNormal(z(3), t([[1.0], [2.0], [0.5]]), one(3))
    same = D.MultivariateNormal(z(3), precision_matrix=full.precision_matrix)
    assert close(same.covariance_matrix, full.covariance_matrix)
    assert close(same.log_prob(one(3)), full.log_prob(one(3)))
    assert D.Categorical(one(2, 3)).enumerate_support().tolist() == [[0, 0], [1, 1], [2, 2]]
    assert D.OneHotCategorical(one(3)).enumerate_support().tolist() == mg.eye(3).tolist()
    assert D.Bernoulli(z(2)).enumerate_support(expand=False).shape == (2, 1)


def test_a_step_of_a_variational_autoencoder_compiles() -> None:
    def losses(compiled: bool) -> list[float]:
        mg.manual_seed(0)
        encoder, decoder = mg.nn.Linear(6, 4), mg.nn.Linear(2, 6)
        optimizer = mg.optim.SGD([*encoder.parameters(), *decoder.parameters()], 0.1)
        x = (mg.rand(8, 6) < 0.5).float()

        def step(x: Any) -> Any:
            mean, log_variance = encoder(x).chunk(2, -1)
            q = D.Normal(mean, (0.5 * log_variance).exp())
            p = D.Independent(D.Bernoulli(logits=decoder(q.rsample())), 1)
            loss = (D.kl_divergence(q, D.Normal(0.0, 1.0)).sum(-1) - p.log_prob(x)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        f = mg.compile(step) if compiled else step
        return [f(x).item() for _ in range(3)]

    assert losses(True) == losses(False)


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    mg.manual_seed(0)
    values_are_those_of_pytorch(GOLDEN)
    d = D.Gamma(t(2.0), 1.0)
    x = d.sample()
    with pytest.raises(ImportError, match="the extra `scipy`"):
        d.log_prob(x)


def test_a_family_of_natural_parameters_has_its_entropy_from_the_normalizer() -> None:
    for d in (
        D.Normal(t([1.0, -2.0]), t([2.0, 0.5])),
        D.Bernoulli(t(0.3)),
        D.Exponential(t(2.0)),
        D.Gamma(t(2.0), t(3.0)),
    ):
        assert isinstance(d, D.ExponentialFamily)
        by_gradient = D.ExponentialFamily.entropy(d)
        assert by_gradient.tolist() == pytest.approx(d.entropy().tolist(), rel=1e-5)
    for d in (D.Beta(t(2.0), t(3.0)), D.Dirichlet(t([1.0, 2.0])), D.Poisson(t(4.0)), D.ExponentialFamily()):
        with pytest.raises(NotImplementedError):
            D.ExponentialFamily.entropy(d)
    assert D.Beta(t(2.0), t(3.0))._log_normalizer(t(2.0), t(3.0)).item() == pytest.approx(math.log(1 / 12))
    assert D.Dirichlet(t([1.0, 2.0]))._log_normalizer(t([1.0, 2.0])).item() == pytest.approx(math.log(1 / 2))
    assert D.Poisson(t(4.0))._log_normalizer(*D.Poisson(t(4.0))._natural_params).item() == pytest.approx(4.0)


class Matrices(D.MultivariateNormal):
    """Normal vectors of four numbers, shown as matrices: it states another shape of an event than its base keeps."""

    @property
    def event_shape(self) -> Any:
        return mg.Size([2, 2])


def test_a_family_may_state_another_shape_than_its_base_reckons_with() -> None:
    d, plain = (kind(mg.zeros(3, 4), scale_tril=mg.eye(4) * 2) for kind in (Matrices, D.MultivariateNormal))
    assert d.event_shape == (2, 2)
    for name in ("variance", "covariance_matrix", "precision_matrix", "scale_tril"):
        assert mg.equal(getattr(d, name), getattr(plain, name)), name
    assert mg.equal(d.entropy(), plain.entropy())
    assert mg.equal(d.log_prob(mg.ones(4)), plain.log_prob(mg.ones(4)))


def test_a_family_or_a_transform_may_be_a_module_too() -> None:
    class Shift(D.Transform, mg.nn.Module):
        domain = codomain = constraints.real
        bijective = True

        def __init__(self) -> None:
            super().__init__(cache_size=1)
            self.by = mg.nn.Parameter(t(2.0))

        def _call(self, x: Any) -> Any:
            return x + self.by

    shift = Shift()
    y = shift(t(1.0))
    assert y.item() == 3
    assert shift.inv(y).item() == 1
    assert [*dict(shift.named_parameters())] == ["by"]

    class Fixed(D.Distribution, mg.nn.Module):
        arg_constraints: ClassVar[dict[str, Any]] = {}

        def __init__(self) -> None:
            super().__init__(validate_args=False)
            self.at = mg.nn.Parameter(t(2.0))

    assert [*dict(Fixed().named_parameters())] == ["at"]
    D.register_kl(Fixed, object)(lambda p, q: t(0.0))


# A family, its parameters, one of which is wrong in the second row, and a value inside and outside of the support.
VALIDATED: dict[str, tuple[Any, Any, Any, Any, Any]] = {
    "Normal": (D.Normal, ([0.0, 1.0], [1.0, 2.0]), ([0.0, 1.0], [1.0, -2.0]), [0.0, 1.0], [0.0, math.nan]),
    "Bernoulli": (D.Bernoulli, ([0.2, 0.3],), ([0.2, 1.3],), [0.0, 1.0], [0.5, 1.0]),
    "Uniform": (D.Uniform, ([0.0, 1.0], [1.0, 2.0]), ([0.0, 1.0], [1.0, -2.0]), [0.5, 1.5], [0.5, 5.0]),
    "Geometric": (D.Geometric, ([0.2, 0.3],), ([0.2, 0.0],), [0.0, 1.0], [0.5, 1.0]),
    "Categorical": (D.Categorical, ([[0.2, 0.8]],), ([[-0.2, 1.2]],), [1.0], [3.0]),
    "Dirichlet": (D.Dirichlet, ([1.0, 2.0],), ([1.0, -2.0],), [0.4, 0.6], [0.4, 0.9]),
    "LogNormal": (D.LogNormal, ([0.0], [1.0]), ([0.0], [-1.0]), [1.0], [-1.0]),
    "MultivariateNormal": (
        D.MultivariateNormal,
        ([0.0, 1.0], [[2.0, 1.0], [1.0, 2.0]]),
        ([0.0, 1.0], [[1.0, 2.0], [2.0, 1.0]]),
        [1.0, 1.0],
        [math.inf, math.nan],
    ),
    "Wishart": (D.Wishart, (3.0, [[1.0]]), (3.0, [[-1.0]]), [[1.0]], [[-1.0]]),
    "degrees of freedom": (D.Wishart, (2.0, [[1.0]]), (-0.5, [[1.0]]), [[1.0]], [[-1.0]]),
    "Independent": (
        lambda a, b: D.Independent(D.Normal(a, b), 1),
        ([0.0, 1.0], [1.0, 2.0]),
        ([0.0, 1.0], [-1.0, 2.0]),
        [0.0, 1.0],
        [0.0, math.nan],
    ),
}


@pytest.mark.parametrize("name", VALIDATED)
def test_replays_validate_in_the_words_of_eager_mode(name: str) -> None:
    make, good, bad, inside, outside = VALIDATED[name]

    def density(value: Any, *params: Any) -> Any:
        return make(*params).log_prob(value)

    def told(f: Any, *args: Any) -> Any:
        tensors = [mg.tensor(a) for a in args]
        try:
            return f(*tensors).tolist()
        except ValueError as error:
            return str(error)

    for rows in (((inside, *good), (inside, *good), (inside, *bad), (outside, *good), (inside, *good)),
                 ((inside, *bad), (inside, *good), (inside, *bad))):  # fmt: skip
        compiled = mg.compile(density)
        for row in rows:
            expected = told(density, *row)
            assert isinstance(expected, str) == (row[0] is outside or row[1:] == bad)
            assert told(compiled, *row) == pytest.approx(expected)
    unchecked = mg.compile(lambda value, *params: make(*params, validate_args=False).log_prob(value))
    if name in ("Normal", "Bernoulli"):
        assert not isinstance(told(unchecked, inside, *bad), str)

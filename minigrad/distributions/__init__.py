"""Probability distributions, under the names of ``torch.distributions``."""
# ruff: noqa: F403, F405

from __future__ import annotations

from minigrad.distributions import constraints as constraints
from minigrad.distributions.bernoulli import Bernoulli as Bernoulli
from minigrad.distributions.beta import Beta as Beta
from minigrad.distributions.binomial import Binomial as Binomial
from minigrad.distributions.categorical import Categorical as Categorical
from minigrad.distributions.cauchy import Cauchy as Cauchy
from minigrad.distributions.chi2 import Chi2 as Chi2
from minigrad.distributions.constraint_registry import biject_to as biject_to
from minigrad.distributions.constraint_registry import transform_to as transform_to
from minigrad.distributions.continuous_bernoulli import ContinuousBernoulli as ContinuousBernoulli
from minigrad.distributions.dirichlet import Dirichlet as Dirichlet
from minigrad.distributions.distribution import Distribution as Distribution
from minigrad.distributions.exp_family import ExponentialFamily as ExponentialFamily
from minigrad.distributions.exponential import Exponential as Exponential
from minigrad.distributions.fishersnedecor import FisherSnedecor as FisherSnedecor
from minigrad.distributions.gamma import Gamma as Gamma
from minigrad.distributions.generalized_pareto import GeneralizedPareto as GeneralizedPareto
from minigrad.distributions.geometric import Geometric as Geometric
from minigrad.distributions.gumbel import Gumbel as Gumbel
from minigrad.distributions.half_cauchy import HalfCauchy as HalfCauchy
from minigrad.distributions.half_normal import HalfNormal as HalfNormal
from minigrad.distributions.independent import Independent as Independent
from minigrad.distributions.inverse_gamma import InverseGamma as InverseGamma
from minigrad.distributions.kl import kl_divergence as kl_divergence
from minigrad.distributions.kl import register_kl as register_kl
from minigrad.distributions.kumaraswamy import Kumaraswamy as Kumaraswamy
from minigrad.distributions.laplace import Laplace as Laplace
from minigrad.distributions.lkj_cholesky import LKJCholesky as LKJCholesky
from minigrad.distributions.log_normal import LogNormal as LogNormal
from minigrad.distributions.logistic_normal import LogisticNormal as LogisticNormal
from minigrad.distributions.lowrank_multivariate_normal import (
    LowRankMultivariateNormal as LowRankMultivariateNormal,
)
from minigrad.distributions.mixture_same_family import MixtureSameFamily as MixtureSameFamily
from minigrad.distributions.multinomial import Multinomial as Multinomial
from minigrad.distributions.multivariate_normal import MultivariateNormal as MultivariateNormal
from minigrad.distributions.negative_binomial import NegativeBinomial as NegativeBinomial
from minigrad.distributions.normal import Normal as Normal
from minigrad.distributions.one_hot_categorical import OneHotCategorical as OneHotCategorical
from minigrad.distributions.one_hot_categorical import (
    OneHotCategoricalStraightThrough as OneHotCategoricalStraightThrough,
)
from minigrad.distributions.pareto import Pareto as Pareto
from minigrad.distributions.poisson import Poisson as Poisson
from minigrad.distributions.relaxed_bernoulli import RelaxedBernoulli as RelaxedBernoulli
from minigrad.distributions.relaxed_categorical import RelaxedOneHotCategorical as RelaxedOneHotCategorical
from minigrad.distributions.studentT import StudentT as StudentT
from minigrad.distributions.transformed_distribution import TransformedDistribution as TransformedDistribution
from minigrad.distributions.transforms import *
from minigrad.distributions.uniform import Uniform as Uniform
from minigrad.distributions.von_mises import VonMises as VonMises
from minigrad.distributions.weibull import Weibull as Weibull
from minigrad.distributions.wishart import Wishart as Wishart
from minigrad.hints import module_getattr

__all__ = [
    "AbsTransform", "AffineTransform", "Bernoulli", "Beta", "Binomial", "CatTransform", "Categorical", "Cauchy",
    "Chi2", "ComposeTransform", "ContinuousBernoulli", "CorrCholeskyTransform", "CumulativeDistributionTransform",
    "Dirichlet", "Distribution", "ExpTransform", "Exponential", "ExponentialFamily", "FisherSnedecor", "Gamma",
    "GeneralizedPareto", "Geometric", "Gumbel", "HalfCauchy", "HalfNormal", "Independent", "IndependentTransform",
    "InverseGamma", "Kumaraswamy",
    "LKJCholesky", "Laplace", "LogNormal", "LogisticNormal", "LowRankMultivariateNormal",
    "LowerCholeskyTransform", "MixtureSameFamily", "Multinomial", "MultivariateNormal", "NegativeBinomial",
    "Normal", "OneHotCategorical", "OneHotCategoricalStraightThrough", "Pareto", "Poisson",
    "PositiveDefiniteTransform", "PowerTransform", "RelaxedBernoulli", "RelaxedOneHotCategorical",
    "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform", "StackTransform",
    "StickBreakingTransform", "StudentT", "TanhTransform", "Transform", "TransformedDistribution", "Uniform",
    "VonMises", "Weibull", "Wishart", "biject_to", "constraints", "identity_transform", "kl_divergence",
    "register_kl", "transform_to",
]  # fmt: skip
module_getattr(globals())

"""Sets of values: what a parameter may be, and what a distribution is over.

A constraint has `check(value)`, which tells for each event whether it is in the set; `event_dim`, the number of
dimensions of an event; and `is_discrete`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions.constraint import REAL as real
from minigrad.distributions.constraint import Constraint as Constraint
from minigrad.distributions.utils import formula
from minigrad.functions.creation import ones
from minigrad.functions.parts import cat as _cat_tensors
from minigrad.functions.parts import stack as _stack_tensors
from minigrad.functions.typed import finfo
from minigrad.linalg import cholesky_ex, eigvalsh

__all__ = [
    "Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property",
    "greater_than", "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval",
    "is_dependent", "less_than", "lower_cholesky", "lower_triangular", "multinomial", "nonnegative",
    "nonnegative_integer", "one_hot", "positive", "positive_definite", "positive_integer", "positive_semidefinite",
    "real", "real_vector", "simplex", "square", "stack", "symmetric", "unit_interval",
]  # fmt: skip


class _Dependent(Constraint):
    """A set that depends on other parameters. Called with ``is_discrete`` or ``event_dim``, it gives one with these."""

    _is_discrete: Any = NotImplemented
    _event_dim: Any = NotImplemented

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        if is_discrete is not NotImplemented:
            self._is_discrete = is_discrete
        if event_dim is not NotImplemented:
            self._event_dim = event_dim

    is_discrete = formula(lambda self: self._known(self._is_discrete, "is_discrete"))
    event_dim = formula(lambda self: self._known(self._event_dim, "event_dim"))

    def _known(self, value: Any, name: str) -> Any:
        if value is NotImplemented:
            raise NotImplementedError(f".{name} cannot be determined statically")
        return value

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> _Dependent:
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, value: Tensor) -> Tensor:
        raise ValueError("Cannot determine validity of dependent constraint")


class dependent_property(property, _Dependent):
    """A property whose value is a constraint that depends on other parameters; on the class it is `dependent`."""

    def __init__(
        self, fn: Any = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented
    ) -> None:
        property.__init__(self, fn)
        _Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Any) -> dependent_property:  # type: ignore[override]
        return dependent_property(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


def is_dependent(constraint: object) -> bool:
    """Whether a constraint depends on other parameters."""
    return isinstance(constraint, _Dependent)


class _Bounds(Constraint):
    """Numbers between bounds, of which subclasses have one or two."""

    def __repr__(self) -> str:
        bounds = ", ".join(f"{name}={bound}" for name, bound in vars(self).items())
        return f"{type(self).__name__.lstrip('_')}({bounds})"


@dataclass(frozen=True, eq=False, repr=False)
class _Interval(_Bounds):
    lower_bound: Any
    upper_bound: Any

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)


@dataclass(frozen=True, eq=False, repr=False)
class _HalfOpenInterval(_Bounds):
    lower_bound: Any
    upper_bound: Any

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value < self.upper_bound)


def _whole(value: Tensor, holds: Tensor) -> Tensor:
    """Whether numbers for which something holds are whole too, as integers are."""
    return holds if value._array.dtype.kind in "iu" else (value % 1 == 0) & holds


@dataclass(frozen=True, eq=False, repr=False)
class _IntegerInterval(_Bounds):
    lower_bound: Any
    upper_bound: Any

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return _whole(value, (value >= self.lower_bound) & (value <= self.upper_bound))


@dataclass(frozen=True, eq=False, repr=False)
class _GreaterThan(_Bounds):
    lower_bound: Any

    def check(self, value: Tensor) -> Tensor:
        return value > self.lower_bound


@dataclass(frozen=True, eq=False, repr=False)
class _GreaterThanEq(_GreaterThan):
    def check(self, value: Tensor) -> Tensor:
        return value >= self.lower_bound


@dataclass(frozen=True, eq=False, repr=False)
class _IntegerGreaterThan(_GreaterThan):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return _whole(value, value >= self.lower_bound)


@dataclass(frozen=True, eq=False, repr=False)
class _LessThan(_Bounds):
    upper_bound: Any

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound


class _Multinomial(Constraint):
    """Counts that sum to `upper_bound` at most."""

    is_discrete, event_dim = True, 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, x: Tensor) -> Tensor:
        return (x >= 0).all(dim=-1) & (x.sum(dim=-1) <= self.upper_bound)


@dataclass(frozen=True, eq=False, repr=False)
class _Independent(Constraint):
    """Events of a constraint, put together along the last dimensions."""

    base_constraint: Constraint
    reinterpreted_batch_ndims: int

    is_discrete = formula(lambda self: self.base_constraint.is_discrete)
    event_dim = formula(lambda self: self.base_constraint.event_dim + self.reinterpreted_batch_ndims)

    def check(self, value: Tensor) -> Tensor:
        holds, n = self.base_constraint.check(value), self.reinterpreted_batch_ndims
        if holds.dim() < n:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        return holds.reshape(*holds.shape[: holds.dim() - n], -1).all(dim=-1)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """The support of a mixture: `base_constraint`, that of its components, which have one batch dimension more."""

    def __init__(self, base_constraint: Constraint) -> None:
        self.base_constraint = base_constraint
        self.event_dim, self.is_discrete = base_constraint.event_dim, base_constraint.is_discrete

    def check(self, value: Tensor) -> Tensor:
        holds = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        return holds.all(dim=-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint!r})"


class _Parts(Constraint):
    """Values whose parts along a dimension have constraints of their own."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        self.cseq, self.dim = list(cseq), dim

    is_discrete = formula(lambda self: any(c.is_discrete for c in self.cseq))
    event_dim = formula(lambda self: max(c.event_dim for c in self.cseq))


class _Stack(_Parts):
    @property
    def event_dim(self) -> Any:
        deepest: int = super().event_dim
        return deepest + (self.dim + deepest < 0)

    def check(self, value: Tensor) -> Tensor:
        parts = value.unbind(self.dim)
        return _stack_tensors([c.check(v) for c, v in zip(self.cseq, parts, strict=True)], self.dim)


class _Cat(_Parts):
    def __init__(
        self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None
    ) -> None:
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)

    def check(self, value: Tensor) -> Tensor:
        parts = value.split(self.lengths, self.dim)
        return _cat_tensors([c.check(v) for c, v in zip(self.cseq, parts, strict=True)], self.dim)


# ---------------------------------------------------------------- the sets


def _close(a: Any, b: Any) -> Tensor:
    return (a - b).abs() <= 1e-6


class _Boolean(Constraint):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


class _OneHot(Constraint):
    is_discrete, event_dim = True, 1

    def check(self, value: Tensor) -> Tensor:
        return ((value == 0) | (value == 1)).all(dim=-1) & (value.sum(-1) == 1)


class _Simplex(Constraint):
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(dim=-1) & _close(value.sum(-1), 1.0)


class _Square(Constraint):
    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        shape = value.shape
        return (ones(shape[:-2]) if value.dim() > 2 else ones(())) == float(shape[-2] == shape[-1])


class _LowerTriangular(_Square):
    def check(self, value: Tensor) -> Tensor:
        return (value.tril() == value).flatten(-2).all(dim=-1) & super().check(value)


class _LowerCholesky(_LowerTriangular):
    def check(self, value: Tensor) -> Tensor:
        return super().check(value) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(dim=-1)


class _CorrCholesky(_LowerCholesky):
    def check(self, value: Tensor) -> Tensor:
        tolerance = finfo(value.dtype).eps * value.shape[-1] * 10
        unit: Tensor = ((value.square().sum(-1) - 1.0).abs() < tolerance).all(dim=-1)
        return super().check(value) & unit


class _Symmetric(_Square):
    def check(self, value: Tensor) -> Tensor:
        square = super().check(value)
        if value.shape[-2] != value.shape[-1]:
            return square
        return square & _close(value, value.mT).flatten(-2).all(dim=-1)


class _PositiveSemidefinite(_Symmetric):
    def check(self, value: Tensor) -> Tensor:
        holds = super().check(value)
        if value.shape[-2] != value.shape[-1]:
            return holds
        return holds & (eigvalsh(value.where(holds[..., None, None], 0.0)) >= 0).all(dim=-1)


class _PositiveDefinite(_Symmetric):
    def check(self, value: Tensor) -> Tensor:
        holds = super().check(value)
        return holds if value.shape[-2] != value.shape[-1] else holds & (cholesky_ex(value).info == 0)


dependent = _Dependent()
independent = _Independent
boolean = _Boolean()
one_hot = _OneHot()
real_vector = _Independent(real, 1)
nonnegative = _GreaterThanEq(0.0)
positive = _GreaterThan(0.0)
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
unit_interval = _Interval(0.0, 1.0)
simplex = _Simplex()
lower_triangular = _LowerTriangular()
lower_cholesky = _LowerCholesky()
corr_cholesky = _CorrCholesky()
square = _Square()
symmetric = _Symmetric()
positive_semidefinite = _PositiveSemidefinite()
positive_definite = _PositiveDefinite()
greater_than, greater_than_eq, less_than = _GreaterThan, _GreaterThanEq, _LessThan
interval, half_open_interval, integer_interval = _Interval, _HalfOpenInterval, _IntegerInterval
multinomial = _Multinomial
cat, stack = _Cat, _Stack

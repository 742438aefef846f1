"""From a constraint to a transform of unconstrained numbers: `biject_to` is invertible, `transform_to` need not be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.distributions import constraints as c
from minigrad.distributions import transforms as t

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]

Factory = Callable[[Any], t.Transform]


class ConstraintRegistry:
    """Functions from constraints to transforms, by the class of a constraint."""

    def __init__(self) -> None:
        self._by_class: dict[type, Factory] = {}

    def register(self, constraint: Any, factory: Factory | None = None) -> Any:
        """Registers a factory for a class of constraints, or for one of them; without it, a decorator.

        TypeError for anything but a constraint.
        """
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = constraint if isinstance(constraint, type) else type(constraint)
        if not issubclass(kind, c.Constraint):
            raise TypeError(
                f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}"
            )
        self._by_class[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> t.Transform:
        """The transform for a constraint. NotImplementedError where there is none."""
        factory = self._by_class.get(type(constraint))
        if factory is None:
            raise NotImplementedError(
                f"Cannot transform {type(constraint).__name__} constraints: no transform is registered for "
                f"{constraint!r}"
            )
        return factory(constraint)


def _above(constraint: Any) -> t.Transform:
    return t.ComposeTransform([t.ExpTransform(), t.AffineTransform(constraint.lower_bound, 1)])


def _between(constraint: Any) -> t.Transform:
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and (low, high) == (0, 1):
        return t.SigmoidTransform()
    return t.ComposeTransform([t.SigmoidTransform(), t.AffineTransform(low, high - low)])


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _fill() -> None:
    for registry in (biject_to, transform_to):
        registry.register(c.real, lambda _: t.identity_transform)
        registry.register(c.greater_than, _above)
        registry.register(c.greater_than_eq, _above)
        registry.register(
            c.less_than,
            lambda below: t.ComposeTransform([t.ExpTransform(), t.AffineTransform(below.upper_bound, -1)]),
        )
        registry.register(c.interval, _between)
        registry.register(c.half_open_interval, _between)
        registry.register(c.independent, _independent(registry))
        registry.register(c.stack, _stack(registry))
        registry.register(c.cat, _cat(registry))
        registry.register(c.corr_cholesky, lambda _: t.CorrCholeskyTransform())
    biject_to.register(c.simplex, lambda _: t.StickBreakingTransform())
    transform_to.register(c.simplex, lambda _: t.SoftmaxTransform())
    transform_to.register(c.lower_cholesky, lambda _: t.LowerCholeskyTransform())
    transform_to.register(c.positive_definite, lambda _: t.PositiveDefiniteTransform())
    transform_to.register(c.positive_semidefinite, lambda _: t.PositiveDefiniteTransform())


def _independent(registry: ConstraintRegistry) -> Factory:
    def factory(constraint: Any) -> t.Transform:
        base = registry(constraint.base_constraint)
        return t.IndependentTransform(base, constraint.reinterpreted_batch_ndims)

    return factory


def _stack(registry: ConstraintRegistry) -> Factory:
    return lambda constraint: t.StackTransform([registry(part) for part in constraint.cseq], constraint.dim)


def _cat(registry: ConstraintRegistry) -> Factory:
    def factory(constraint: Any) -> t.Transform:
        parts = [registry(part) for part in constraint.cseq]
        return t.CatTransform(parts, constraint.dim, constraint.lengths)

    return factory


_fill()

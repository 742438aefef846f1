"""`Distribution`: what all of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from minigrad.autograd import no_grad
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.constraints import Constraint, is_dependent
from minigrad.distributions.utils import attribute, broadcast_all, lazy_property, parameters, showing
from minigrad.errors import value_error, warn
from minigrad.functions.ensured import everywhere

__all__ = ["Distribution"]

Shape = Sequence[int]


class Distribution:
    """Base class: distributions of events of shape `event_shape`, one for each index of `batch_shape`.

    Args:
        batch_shape: the shape of the batch of distributions.
        event_shape: the shape of one event.
        validate_args: whether parameters and values are checked, with ValueError. Numba checks shapes alone.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    arg_constraints: ClassVar[Mapping[str, Constraint]] = {}
    _validate_args: bool = __debug__
    # Whether `repr` names the parameters: PyTorch's does not where it keeps them in another distribution.
    _shown: ClassVar[bool] = True

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Sets whether distributions check arguments by default (`validate_args`). ValueError unless a bool."""
        if value not in (True, False):
            raise value_error(f"validate_args is True or False, got {value!r}")
        Distribution._validate_args = bool(value)

    def __init__(
        self, batch_shape: Shape = (), event_shape: Shape = (), validate_args: bool | None = None
    ) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self.arg_constraints.items():
                lazy = name not in vars(self) and isinstance(getattr(type(self), name, None), lazy_property)
                if is_dependent(constraint) or lazy:
                    continue  # told from others, or computed when it is first read
                value = getattr(self, name)
                if not everywhere(constraint.check(value)):
                    with showing():
                        raise value_error(
                            f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of "
                            f"distribution {self!r} to satisfy the constraint {constraint!r}, but found invalid "
                            f"values:\n{value}"
                        )
        super().__init__()  # a family may be a Module too

    @property
    def batch_shape(self) -> Size:
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one event."""
        return self._event_shape

    @property
    def support(self) -> Any:
        """The constraint that values satisfy."""
        raise NotImplementedError

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        """The same distributions, repeated to another batch shape as `Tensor.expand` does."""
        new = type(self).__new__(type(self)) if _instance is None else _instance
        vars(new).update(vars(self))
        shape = Size(batch_shape)
        # also those of the class above, whose constructor a family may have called with others
        stated = [vars(cls).get("arg_constraints") for cls in type(self).__mro__]
        for name, constraint in (
            item for table in stated if isinstance(table, dict) for item in table.items()
        ):
            value = vars(self).get(name)
            if isinstance(value, Tensor):
                event = value.shape[value.dim() - constraint.event_dim :]
                setattr(new, name, value.expand((*shape, *event)))
        new._batch_shape = shape
        return new

    # ------------------------------------------------------------ draws

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draws ``sample_shape`` times from each; no gradient flows through them."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """As `sample`, with the gradients of the parameters. NotImplementedError where there are none."""
        raise NotImplementedError(f"{type(self).__name__} has no rsample: has_rsample is False")

    def sample_n(self, n: int) -> Tensor:
        """``sample((n,))``, with a FutureWarning."""
        warn("`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", FutureWarning)
        return self.sample((n,))

    def rsample_n(self, n: int) -> Tensor:
        """``rsample((n,))``."""
        return self.rsample((n,))

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values, along a new first dimension; for each of the batch if ``expand``."""
        raise NotImplementedError

    # ------------------------------------------------------------ densities and numbers

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, of a value."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of what is not above ``value``."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of `cdf`."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The expected value of ``-log_prob``, in nats."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """``exp(entropy())``."""
        return self.entropy().exp()

    @property
    def mean(self) -> Tensor:
        """The mean of each."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The value of the greatest density, or probability."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The variance of each."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The square root of `variance`."""
        return self.variance.sqrt()

    # ------------------------------------------------------------ for the families

    def _extended_shape(self, sample_shape: Shape = ()) -> Size:
        """The shape of a sample."""
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """What `expand` of a subclass fills. NotImplementedError for one with a constructor but no `expand`."""
        if _instance is None and type(self).__init__ != cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"{type(self).__name__} has an __init__ of its own, so it needs an expand of its own too"
            )
        return type(self).__new__(type(self)) if _instance is None else _instance

    def _validate_sample(self, value: Tensor) -> None:
        """ValueError for a value of another shape, or outside the support."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise value_error("The value argument to log_prob must be a Tensor")
        shape, ours = tuple(value.shape), self._extended_shape()
        events = len(self._event_shape)
        if shape[len(shape) - events :] != tuple(self._event_shape):
            raise value_error(
                f"The right-most size of value must match event_shape: {shape} vs {tuple(self._event_shape)}."
            )
        for i, j in zip(reversed(shape), reversed(ours), strict=False):
            if i != 1 and j != 1 and i != j:
                raise value_error(
                    f"Value is not broadcastable with batch_shape+event_shape: {shape} vs {tuple(ours)}."
                )
        try:
            support = self.support
        except NotImplementedError:
            return
        if not everywhere(support.check(value)):
            with showing():
                raise value_error(
                    f"Expected value argument ({type(value).__name__} of shape {shape}) to be within the support "
                    f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
                )

    def __repr__(self) -> str:
        parts = []
        for name in self.arg_constraints if self._shown else ():
            value = vars(self).get(name)
            if isinstance(value, Tensor):
                parts.append(f"{name}: {value if value.numel() == 1 else value.size()}")
        return f"{type(self).__name__}({', '.join(parts)})"


class LocScale(Distribution):
    """Distributions symmetric around ``loc``, with width ``scale``."""

    arg_constraints = parameters(loc=constraints.real, scale=constraints.positive)
    support = constraints.real
    has_rsample = True
    mode = attribute("loc")

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

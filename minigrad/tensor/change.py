"""Changes in place that are no function: steps with a factor, random draws."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, cast, needs_value
from minigrad.core.changes import RUNNING, changed, keeps_record, will_change
from minigrad.core.mode import MODE
from minigrad.core.op import Array
from minigrad.core.recorder import Draws
from minigrad.core.tensor import Tensor, extend
from minigrad.core.tensor import wrap as constant
from minigrad.core.types import Number, Operand
from minigrad.core.views import check_change
from minigrad.dtypes import F64
from minigrad.errors import not_implemented_error, runtime_error, type_error
from minigrad.functions import elementwise, inplace
from minigrad.functions.dims import whole
from minigrad.functions.store import update
from minigrad.gate import methods
from minigrad.ops import elementwise as e


@extend
@methods
class _Change(Tensor):
    """Methods that overwrite the Tensor."""

    def add_(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        """``self += alpha * other``."""
        return inplace.add_scaled(self, other, alpha)

    def sub_(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        """``self -= alpha * other``."""
        return update(self, e.sub, (self, elementwise.scaled("sub", self, other, alpha)))

    subtract_ = sub_

    def float_power_(self, exponent: Operand) -> Tensor:
        """`float_power`, in place. RuntimeError where that is of another dtype: it is float64, or complex128."""
        double = dtypes.promote(F64, dtypes.common([self._array, elementwise.raw(exponent)]))
        if self._array.dtype != double:
            raise runtime_error(
                f"the base given to float_power_ has dtype {self._array.dtype} but the operation's result "
                f"requires dtype {double}"
            )
        return self.pow_(cast(exponent, double))

    def fill_diagonal_(self, fill_value: Number, wrap: bool = False) -> Tensor:
        """The elements whose indices are all equal become ``fill_value``.

        In a matrix of more rows than columns ``wrap`` begins again below, after an empty row. RuntimeError for fewer
        than two dimensions, and for more than two of several lengths.
        """
        shape = self._array.shape
        if len(shape) < 2:
            raise runtime_error(f"dimensions must larger than 1, got a Tensor of shape {list(shape)}")
        if len(shape) > 2 and len(set(shape)) > 1:
            raise runtime_error(
                f"all dimensions of input must be of equal length, got a Tensor of shape {list(shape)}"
            )
        key: tuple[Array, ...] = (np.arange(min(shape)),) * len(shape)
        if wrap and len(shape) == 2 and shape[0] > shape[1] > 0:
            key = np.divmod(np.arange(0, shape[0] * shape[1], shape[1] + 1), shape[1])
        self[tuple(map(constant, key))] = fill_value
        return self

    def uniform_(
        self, from_: float = 0.0, to: float = 1.0, *, generator: Draws | None = None, **named: float
    ) -> Tensor:
        """Overwritten with uniform draws from [from, to)."""
        if "from" in named:
            from_ = named.pop("from")
        if named:
            raise type_error(f"uniform_() got an unexpected keyword argument {next(iter(named))!r}")
        return self._draw(generator, "uniform", (), (from_, to))

    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Draws | None = None) -> Tensor:
        """Overwritten with normal draws."""
        return self._draw(generator, "normal", (), (mean, std), blocks=self.is_contiguous())

    def bernoulli_(self, p: Tensor | float = 0.5, *, generator: Draws | None = None) -> Tensor:
        """Overwritten with 1 of probability ``p`` and 0 else."""
        if isinstance(p, Tensor):
            needs_value("bernoulli_() of a Tensor")
        chance = elementwise.raw(p)
        if isinstance(chance, np.ndarray) and chance.ndim:
            from minigrad.functions.creation import by_steps

            if elementwise.broadcast("bernoulli_", chance.shape, self._array.shape) != self._array.shape:
                raise runtime_error(
                    f"bernoulli_(): p of shape {list(chance.shape)} does not expand to {list(self._array.shape)}"
                )
            chance = np.broadcast_to(chance, self._array.shape).transpose(by_steps(self._array))
        if self.is_complex():
            raise not_implemented_error(f"\"bernoulli_\" not implemented for '{dtypes.scalar(self.dtype)}'")
        return self._draw(generator, "bernoulli", (chance,), of=p if isinstance(p, Tensor) else None)

    @overload
    def random_(self, to: int = ..., *, generator: Draws | None = None) -> Tensor: ...

    @overload
    def random_(self, from_: int, to: int | None, /, *, generator: Draws | None = None) -> Tensor: ...

    def random_(self, *bounds: Any, generator: Draws | None = None, **named: Any) -> Tensor:
        """Overwritten with whole numbers: ``random_(from, to)`` from ``from`` up to but not including ``to``.

        ``random_(to)`` begins at 0; where ``to`` is None, and in ``random_()``, they go up to the largest that the
        dtype holds (of a floating one, the largest up to which it holds all). RuntimeError for an empty range.
        """
        names = ("to",) if len(bounds) == 1 and not named else ("from", "to")
        bounds_ = {**dict(zip(names, bounds, strict=False)), **named}
        if sorted(bounds_) not in ([], ["to"], ["from", "to"]) or len(bounds_) < len(bounds) + len(named):
            raise type_error(
                "random_() takes nothing, to, or from and to, whole numbers of which to may be None"
            )
        low, high = (0 if bounds_ else None), bounds_.get("to")
        if "from" in bounds_:
            low = whole("random_(): argument 'from'", bounds_["from"])
        if bounds_ and not (high is None and "from" in bounds_):
            high = whole("random_(): argument 'to'", high)
        return self._draw(generator, "integers", (low, high))

    def exponential_(self, lambd: float = 1.0, *, generator: Draws | None = None) -> Tensor:
        """Overwritten with draws of density ``lambd * exp(-lambd * x)``."""
        return self._draw(generator, "exponential", (), (lambd,))

    def cauchy_(self, median: float = 0.0, sigma: float = 1.0, *, generator: Draws | None = None) -> Tensor:
        """Overwritten with draws of a Cauchy distribution. RuntimeError unless ``sigma`` > 0."""
        return self._draw(generator, "cauchy", (), (median, sigma))

    def geometric_(self, p: float, *, generator: Draws | None = None) -> Tensor:
        """Overwritten with numbers of trials up to the first success of chance ``p``."""
        return self._draw(generator, "geometric", (p,))

    def log_normal_(self, mean: float = 1.0, std: float = 2.0, *, generator: Draws | None = None) -> Tensor:
        """Overwritten with exp(x) of normal draws x. RuntimeError unless ``std`` > 0."""
        return self._draw(generator, "log_normal", (), (mean, std))

    def _draw(
        self,
        generator: Draws | None,
        method: str,
        before: tuple[Any, ...],
        after: tuple[Any, ...] = (),
        of: Tensor | None = None,
        **options: Any,
    ) -> Tensor:
        """Overwritten with draws, which come in the order in which the elements lie in memory.

        The generator's method gets ``before``, the shape, the dtype, and ``after``; ``of`` gets a gradient of 0.
        """
        if MODE.get().grad:
            check_change(self)
        kind = self._array.dtype
        plain = self._array.flags.c_contiguous and kind.kind == "f"
        if plain and method in ("uniform", "normal") and inplace.overwritable(self):
            # drawn where it belongs: 0.7 of the time for 38 million
            if RUNNING:
                will_change(self._array)
            if (source := generator) is None:
                from minigrad.random import default_generator as source
            getattr(source, method)(*before, self._array.shape, kind, *after, **options, out=self._array)
            changed(self._array)
            keeps_record(self)
            return self
        from minigrad.functions.creation import laid_as
        from minigrad.functions.draws import drawn

        numbers = laid_as(
            self._array, lambda size: drawn(generator, method, *before, size, kind, *after, **options)
        )
        if of is not None and of.requires_grad:
            numbers = apply(e.flat_in, (numbers, of))
        return inplace.copy_(self, numbers)

"""Rprop."""

from __future__ import annotations

from typing import Any

from minigrad.errors import value_error
from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check_rate, chosen
from minigrad.optim.rule import Group, Named, Rule, where
from minigrad.tensor import Tensor

__all__ = ["Rprop"]


@constructor(check="none")
class Rprop(Rule):
    """Rprop, which uses only the signs of gradients (Riedmiller and Braun 1993).

    A step takes the gradient g of a parameter p, negated with ``maximize``, and for each element does ::

        s = s * (eta+  if g * b > 0 else  eta-  if g * b < 0 else  1), between both step_sizes
        g = 0  if g * b < 0 else  g
        p = p - sign(g) * s
        b = g

    ``etas`` are eta- and eta+. s begins with ``lr``; s and b are ``state[p]["step_size"]`` and ``["prev"]``.
    ``foreach`` and ``capturable`` choose among PyTorch's kernels and change nothing here. ``differentiable`` has
    the step recorded, for parameters that are not leaves.

    Raises ValueError for a negative rate, and unless 0 < eta- < 1 < eta+.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise value_error(
                f"Invalid eta values: {etas[0]}, {etas[1]}; expected 0 < {etas[0]} < 1 < {etas[1]}"
            )
        options = "lr etas step_sizes foreach maximize differentiable capturable"
        super().__init__(params, chosen(locals(), options))

    def _entries(self, group: Group) -> dict[str, Any]:
        return {"prev": 0.0, "step_size": group["lr"]}

    def _numbers(self, group: Group, counts: Named) -> Named:
        (slower, faster), (low, high) = group["etas"], group["step_sizes"]
        return {"slower": slower, "faster": faster, "low": low, "high": high}

    @staticmethod
    def _update(u: Any) -> None:
        product = u.g * u.prev
        turned = product < 0.0
        # A gradient that is not a number has sign 0: it changes neither the parameter nor the size of its steps.
        step = where(
            product > 0.0, u.step_size * u.faster, where(turned, u.step_size * u.slower, u.step_size)
        )
        u.step_size = step.clamp(u.low, u.high)
        u.prev = where(turned, 0.0, u.g)
        u.param = u.param - u.prev.sign() * u.step_size

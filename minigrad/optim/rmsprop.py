"""RMSprop."""

from __future__ import annotations

from typing import Any

from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check, check_rate, chosen
from minigrad.optim.rule import Group, Named, Rule
from minigrad.tensor import Tensor

__all__ = ["RMSprop"]


@constructor(check="none")
class RMSprop(Rule):
    """RMSprop (Hinton 2012, lecture 6 of his course), plain, centered (Graves 2013, arXiv:1308.0850), with momentum.

    A step takes the gradient g of a parameter p, negated with ``maximize``, and does ::

        g = g + weight_decay * p
        v = alpha * v + (1 - alpha) * g * g
        a = a + (1 - alpha) * (g - a)                       # with centered
        d = g / (sqrt(v - a * a  if centered else  v) + eps)
        b = momentum * b + d                                # with momentum
        p = p - lr * (b  if momentum else  d)

    v, a and b are ``state[p]["square_avg"]``, ``["grad_avg"]`` and ``["momentum_buffer"]``. ``foreach`` and
    ``capturable`` choose among PyTorch's kernels and change nothing here. ``differentiable`` has the step recorded,
    for parameters that are not leaves.

    Raises ValueError for a negative option.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        check(eps, "epsilon value")
        check(momentum, "momentum value")
        check(weight_decay, "weight_decay value")
        check(alpha, "alpha value")
        options = "lr momentum alpha eps centered weight_decay capturable foreach maximize differentiable"
        super().__init__(params, chosen(locals(), options))

    def _entries(self, group: Group) -> dict[str, Any]:
        momentum = ("momentum_buffer",) if group["momentum"] > 0 else ()
        return dict.fromkeys(("square_avg", *momentum, *(("grad_avg",) if group["centered"] else ())), 0.0)

    def _numbers(self, group: Group, counts: Named) -> Named:
        return {
            "decay": group["weight_decay"] if group["weight_decay"] != 0 else None,
            "alpha": group["alpha"],
            "weight": 1 - group["alpha"],
            "eps": group["eps"],
            "momentum": group["momentum"] if group["momentum"] > 0 else None,
            "centered": bool(group["centered"]),
            "rate": group["lr"],
        }

    @staticmethod
    def _update(u: Any) -> None:
        u.square_avg = v = u.square_avg * u.alpha + u.g * u.g * u.weight
        if u.centered:
            u.grad_avg = u.grad_avg + (u.g - u.grad_avg) * u.weight
            v = v - u.grad_avg * u.grad_avg
        d = u.g / (v.sqrt() + u.eps)
        if u.momentum is not None:
            u.momentum_buffer = d = u.momentum_buffer * u.momentum + d
        u.param = u.param - d * u.rate

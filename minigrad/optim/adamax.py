"""Adamax."""

from __future__ import annotations

from typing import Any

from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check_moments, chosen
from minigrad.optim.rule import Group, Named, Rule, power, ratio
from minigrad.tensor import Tensor

__all__ = ["Adamax"]


@constructor(check="none")
class Adamax(Rule):
    """Adamax, the variant of Adam with the infinity norm (Kingma and Ba 2015, arXiv:1412.6980).

    Step t takes the gradient g of a parameter p, negated with ``maximize``, and does ::

        g = g + weight_decay * p
        m = m + (1 - beta1) * (g - m)
        u = max(beta2 * u, abs(g) + eps)
        p = p - lr / (1 - beta1**t) * m / u

    m and u are ``state[p]["exp_avg"]`` and ``["exp_inf"]``. ``foreach`` and ``capturable`` choose among PyTorch's
    kernels and change nothing here. ``differentiable`` has the step recorded, for parameters that are not leaves.

    Raises ValueError for a negative option, and for a beta that is not in [0, 1).
    """

    _names = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_moments(lr, eps, betas, weight_decay)
        options = "lr betas eps weight_decay foreach maximize differentiable capturable"
        super().__init__(params, chosen(locals(), options))

    def _numbers(self, group: Group, counts: Named) -> Named:
        beta1, beta2 = group["betas"]
        return {
            "decay": group["weight_decay"] if group["weight_decay"] != 0 else None,
            "weight1": 1 - beta1,
            "beta2": beta2,
            "eps": group["eps"],
            "rate": ratio(group["lr"], 1 - power(beta1, counts["step"])),
        }

    @staticmethod
    def _update(u: Any) -> None:
        u.exp_avg = u.exp_avg + (u.g - u.exp_avg) * u.weight1
        u.exp_inf = (u.exp_inf * u.beta2).maximum(u.g.abs() + u.eps)
        u.param = u.param - u.exp_avg / u.exp_inf * u.rate

"""Adam with a rectified rate."""

from __future__ import annotations

from typing import Any

from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check_moments, chosen
from minigrad.optim.rule import Group, Named, Rule, lift, moments, power, ratio, root, where
from minigrad.tensor import Tensor

__all__ = ["RAdam"]


@constructor(check="none")
class RAdam(Rule):
    """Adam whose rate is rectified while v is not known well (Liu et al. 2020, arXiv:1908.03265).

    Step t takes the gradient g of a parameter p, negated with ``maximize``, and does ::

        g = g + weight_decay * p
        m = m + (1 - beta1) * (g - m)
        v = beta2 * v + (1 - beta2) * g * g
        R = 2 / (1 - beta2) - 1,   r = R - 2 * t * beta2**t / (1 - beta2**t)
        s = sqrt((r-4) * (r-2) * R / ((R-4) * (R-2) * r) * (1 - beta2**t))
        p = p - lr / (1 - beta1**t) * m * (s / (sqrt(v) + eps)  if r > 5 else  1)

    With ``decoupled_weight_decay`` p is multiplied by ``1 - lr * weight_decay`` first, and g stays as it is. m and
    v are ``state[p]["exp_avg"]`` and ``["exp_avg_sq"]``. ``foreach`` and ``capturable`` choose among PyTorch's
    kernels and change nothing here. ``differentiable`` has the step recorded, for parameters that are not leaves.

    Raises ValueError for a negative option, and for a beta that is not in [0, 1).
    """

    _names = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_moments(lr, eps, betas, weight_decay)
        options = (
            "lr betas eps weight_decay maximize foreach capturable decoupled_weight_decay differentiable"
        )
        super().__init__(params, chosen(locals(), options))

    def _numbers(self, group: Group, counts: Named) -> Named:
        t, lr, (beta1, beta2) = counts["step"], group["lr"], group["betas"]
        left = power(beta2, t)
        longest = ratio(2.0, 1 - lift(beta2, t)) - 1
        length = longest - ratio(2 * t * left, 1 - left)
        known = length > 5.0
        rate = ratio(lr, 1 - power(beta1, t))
        rectified = None
        if known is not False:
            above = (length - 4) * (length - 2) * longest
            rectified = rate * root(ratio(above, (longest - 4) * (longest - 2) * length)) * root(1 - left)
        return {
            **moments(group),
            "eps": group["eps"],
            "rate": None if known is True else rate,
            "rectified": rectified,
            # a Tensor while a function is recorded
            "known": known,
        }

    @staticmethod
    def _update(u: Any) -> None:
        u.exp_avg = m = u.exp_avg + (u.g - u.exp_avg) * u.weight1
        u.exp_avg_sq = v = u.exp_avg_sq * u.beta2 + u.g * u.g * u.weight2
        p = u.param if u.shrink is None else u.param * u.shrink
        plain = None if u.rate is None else m * u.rate
        rectified = None if u.rectified is None else m / (v.sqrt() + u.eps) * u.rectified
        if plain is None or rectified is None:
            u.param = p - (plain if rectified is None else rectified)
        else:
            u.param = p - where(u.known, rectified, plain)

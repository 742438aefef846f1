"""Adam with Nesterov's momentum."""

from __future__ import annotations

from typing import Any

from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check, check_moments, chosen
from minigrad.optim.rule import Group, Named, Rule, moments, narrow, power, ratio, root, wide
from minigrad.tensor import Tensor

__all__ = ["NAdam"]


@constructor(check="none")
class NAdam(Rule):
    """Adam with Nesterov's momentum (Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ).

    Step t takes the gradient g of a parameter p, negated with ``maximize``, and does ::

        g = g + weight_decay * p
        mu(t) = beta1 * (1 - 0.5 * 0.96**(t * momentum_decay))
        product = mu(1) * ... * mu(t)
        m = m + (1 - beta1) * (g - m)
        v = beta2 * v + (1 - beta2) * g * g
        n = (1 - mu(t)) / (1 - product) * g + mu(t+1) / (1 - product * mu(t+1)) * m
        p = p - lr * n / (sqrt(v / (1 - beta2**t)) + eps)

    With ``decoupled_weight_decay`` p is multiplied by ``1 - lr * weight_decay`` first, and g stays as it is. m, v
    and the product are ``state[p]["exp_avg"]``, ``["exp_avg_sq"]`` and ``["mu_product"]``.

    ``foreach`` and ``capturable`` choose among PyTorch's kernels and change nothing here. ``differentiable`` has
    the step recorded, for parameters that are not leaves.

    Raises ValueError for a negative option, and for a beta that is not in [0, 1).
    """

    _counts = ("step", "mu_product")
    _names = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_moments(lr, eps, betas, weight_decay)
        check(momentum_decay, "momentum_decay value")
        options = "lr betas eps weight_decay momentum_decay decoupled_weight_decay maximize foreach"
        super().__init__(params, chosen(locals(), f"{options} capturable differentiable"))

    def _first(self, name: str, group: Group) -> Any:
        return 1.0 if name == "mu_product" else 0.0

    def _numbers(self, group: Group, counts: Named) -> Named:
        t, lr, (beta1, beta2) = counts["step"], group["lr"], group["betas"]
        mu, ahead = (beta1 * (1.0 - 0.5 * power(0.96, k * group["momentum_decay"])) for k in (t, t + 1))
        counts["mu_product"] = counts["mu_product"] * narrow(mu, counts["mu_product"])
        product = wide(counts["mu_product"])
        correction = root(1 - power(beta2, t))
        return {
            **moments(group),
            # of the last two lines, multiplied above and below by sqrt(1 - beta2**t): an operation less
            "eps": group["eps"] * correction,
            "now": ratio(lr * (1.0 - mu), 1.0 - product) * correction,
            "ahead": ratio(lr * ahead, 1.0 - product * ahead) * correction,
        }

    @staticmethod
    def _update(u: Any) -> None:
        u.exp_avg = u.exp_avg + (u.g - u.exp_avg) * u.weight1
        u.exp_avg_sq = u.exp_avg_sq * u.beta2 + u.g * u.g * u.weight2
        p = u.param if u.shrink is None else u.param * u.shrink
        u.param = p - (u.g * u.now + u.exp_avg * u.ahead) / (u.exp_avg_sq.sqrt() + u.eps)

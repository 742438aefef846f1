"""Adam, and AdamW, whose weight decay is apart from the gradient."""

from __future__ import annotations

from typing import Any

from minigrad.errors import runtime_error, value_error
from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check_kernels, check_moments, check_one, chosen
from minigrad.optim.rule import Group, Named, Rule, moments, power, ratio, root
from minigrad.tensor import Tensor

__all__ = ["Adam", "AdamW"]


@constructor(check="none")
class Adam(Rule):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980), in the form that PyTorch has.

    Step t takes the gradient g of a parameter p, negated with ``maximize``, and does ::

        g = g + weight_decay * p
        m = m + (1 - beta1) * (g - m)
        v = beta2 * v + (1 - beta2) * g * g
        p = p - lr / (1 - beta1**t) * m / (sqrt(v) / sqrt(1 - beta2**t) + eps)

    With ``amsgrad`` (Reddi et al. 2018) the largest v so far takes the place of v in the last line. With
    ``decoupled_weight_decay`` it is `AdamW`: p is multiplied by ``1 - lr * weight_decay`` first, and g stays.

    m, v and their largest are ``state[p]["exp_avg"]``, ``["exp_avg_sq"]`` and ``["max_exp_avg_sq"]``. ``lr`` and both
    ``betas`` may be Tensors of one element. ``foreach``, ``fused`` and ``capturable`` choose among PyTorch's kernels
    and change nothing here. ``differentiable`` has the step recorded, for parameters that are not leaves.

    Raises ValueError for a negative option, and for a beta that is not in [0, 1).
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_moments(lr, eps, betas, weight_decay)
        if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor) or not all(
            isinstance(beta, (float, Tensor)) for beta in betas
        ):
            raise value_error("betas must be either both floats or both Tensors")
        for i in (0, 1):
            check_one(f"betas[{i}]", betas[i])
        for name, option in (("lr", lr), ("betas[0]", betas[0]), ("betas[1]", betas[1])):
            if isinstance(option, Tensor) and foreach and not capturable:
                raise value_error(
                    f"{name} as a Tensor is not supported for capturable=False and foreach=True"
                )
        betas = (betas[0], betas[1])
        options = "lr betas eps weight_decay amsgrad maximize foreach capturable differentiable fused"
        super().__init__(params, chosen(locals(), f"{options} decoupled_weight_decay"))
        check_kernels(fused, foreach, differentiable)

    def _step_of_rows(self, step: Any, p: Tensor, g: Tensor, own: Named, fresh: bool) -> None:
        raise runtime_error("Adam does not support sparse gradients, please consider SparseAdam instead")

    def _entries(self, group: Group) -> dict[str, float]:
        names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
        return dict.fromkeys(names if group["amsgrad"] else names[:2], 0.0)

    def _numbers(self, group: Group, counts: Named) -> Named:
        t, lr, (beta1, beta2) = counts["step"], group["lr"], group["betas"]
        correction = root(1 - power(beta2, t))
        return {
            **moments(group),
            # of the last line, multiplied above and below by sqrt(1 - beta2**t): an operation less
            "eps": group["eps"] * correction,
            "rate": ratio(lr, 1 - power(beta1, t)) * correction,
            "amsgrad": group["amsgrad"],
        }

    @staticmethod
    def _update(u: Any) -> None:
        u.exp_avg = u.exp_avg + (u.g - u.exp_avg) * u.weight1
        u.exp_avg_sq = v = u.exp_avg_sq * u.beta2 + u.g * u.g * u.weight2
        if u.amsgrad:
            u.max_exp_avg_sq = v = u.max_exp_avg_sq.maximum(v)
        p = u.param if u.shrink is None else u.param * u.shrink
        u.param = p - u.exp_avg / (v.sqrt() + u.eps) * u.rate


@constructor(check="none")
class AdamW(Adam):
    """Adam whose weight decay stays out of the gradient (Loshchilov and Hutter 2019, arXiv:1711.05101).

    As `Adam` with ``decoupled_weight_decay``: a step multiplies p by ``1 - lr * weight_decay`` first.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip

    def __setstate__(self, state: Named) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # also one that Adam has saved
            group["decoupled_weight_decay"] = True

"""Adagrad."""

from __future__ import annotations

from typing import Any

from minigrad.errors import runtime_error
from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check, check_kernels, check_rate, chosen
from minigrad.optim.rule import Group, Named, Rule, ratio
from minigrad.tensor import Tensor

__all__ = ["Adagrad"]


@constructor(check="none")
class Adagrad(Rule):
    """Adagrad (Duchi, Hazan and Singer 2011, https://jmlr.org/papers/v12/duchi11a.html).

    Step t takes the gradient g of a parameter p, negated with ``maximize``, and does ::

        g = g + weight_decay * p
        s = s + g * g          # from initial_accumulator_value on
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    s is ``state[p]["sum"]``, and there before the first step. ``foreach`` and ``fused`` choose among PyTorch's kernels
    and change nothing here. ``differentiable`` has the step recorded, for parameters that are not leaves.

    Raises ValueError for a negative option.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_rate(lr)
        check(lr_decay, "lr_decay value")
        check(weight_decay, "weight_decay value")
        check(initial_accumulator_value, "initial_accumulator_value value")
        check(eps, "epsilon value")
        options = (
            "lr lr_decay eps weight_decay initial_accumulator_value foreach maximize differentiable fused"
        )
        super().__init__(params, chosen(locals(), options))
        check_kernels(fused, foreach, differentiable)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p] = self._begin(p, group)

    def share_memory(self) -> None:
        """Moves the sums to memory that processes share, see `Tensor.share_memory_`."""
        for state in self.state.values():
            state["sum"].share_memory_()

    def _step_of_rows(self, step: Any, p: Tensor, g: Tensor, own: Named, fresh: bool) -> None:
        if step.group["weight_decay"] != 0:
            raise runtime_error("weight_decay option is not compatible with sparse gradients")
        if step.group["fused"]:
            raise runtime_error("`fused` does not support sparse grad or complex param")
        step.rows(p, g, own, fresh)

    def _entries(self, group: Group) -> dict[str, Any]:
        return {"sum": self.defaults["initial_accumulator_value"]}

    def _numbers(self, group: Group, counts: Named) -> Named:
        return {
            "decay": group["weight_decay"] if group["weight_decay"] != 0 else None,
            "eps": group["eps"],
            "rate": ratio(group["lr"], 1 + (counts["step"] - 1) * group["lr_decay"]),
        }

    @staticmethod
    def _update(u: Any) -> None:
        u.sum = u.sum + u.g * u.g
        u.param = u.param - u.g / (u.sum.sqrt() + u.eps) * u.rate

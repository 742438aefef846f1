"""Adam for gradients that have few rows."""

from __future__ import annotations

from typing import Any

from minigrad.errors import runtime_error, value_error
from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check_betas, check_one
from minigrad.optim.rule import Group, Named, Rule, power, root
from minigrad.tensor import Tensor

__all__ = ["SparseAdam"]


@constructor(check="none")
class SparseAdam(Rule):
    """`Adam` for sparse gradients, as of ``nn.Embedding(sparse=True)``: rows that have none keep their state too.

    Step t takes the gradient g of a parameter p, negated with ``maximize``, and does, for the rows that g has ::

        m = m + (1 - beta1) * (g - m)
        v = v + (1 - beta2) * (g * g - v)
        p = p - lr * sqrt(1 - beta2**t) / (1 - beta1**t) * m / (sqrt(v) + eps)

    m and v are ``state[p]["exp_avg"]`` and ``["exp_avg_sq"]``.

    Raises ValueError for a learning rate or ``eps`` that is not positive, for a beta that is not in [0, 1), and for
    parameters that are sparse or complex; RuntimeError for a dense gradient.
    """

    _names = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        check_one("lr", lr)
        if not lr > 0.0:
            raise value_error(f"Invalid learning rate: {lr}; it must be positive")
        if not eps > 0.0:
            raise value_error(f"Invalid epsilon value: {eps}; it must be positive")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        at = [(i, k, p) for i, group in enumerate(self.param_groups) for k, p in enumerate(group["params"])]
        if sparse := [[i, k] for i, k, p in at if p.is_sparse]:
            raise value_error(
                f"Sparse params at indices {sparse}: SparseAdam requires dense parameter tensors"
            )
        if complex_ := [[i, k] for i, k, p in at if p.is_complex()]:
            raise value_error(
                f"Complex params at indices {complex_}: SparseAdam does not support complex parameters"
            )

    def _step_of_rows(self, step: Any, p: Tensor, g: Tensor, own: Named, fresh: bool) -> None:
        step.rows(p, g, own, fresh)

    def _apply(self) -> None:
        for group in self.param_groups:
            if any(p.grad is not None and not p.grad.is_sparse for p in group["params"]):
                raise runtime_error(
                    "SparseAdam does not support dense gradients, please consider Adam instead"
                )
        super()._apply()

    def _numbers(self, group: Group, counts: Named) -> Named:
        beta1, beta2 = group["betas"]
        step = counts["step"]
        return {
            "new": 1 - beta1,
            "new_square": 1 - beta2,
            "eps": group["eps"],
            "rate": group["lr"] * root(1 - power(beta2, step)) / (1 - power(beta1, step)),
        }

    @staticmethod
    def _update(u: Any) -> None:
        u.exp_avg = u.exp_avg + (u.g - u.exp_avg) * u.new
        u.exp_avg_sq = u.exp_avg_sq + (u.g * u.g - u.exp_avg_sq) * u.new_square
        u.param = u.param - u.exp_avg / (u.exp_avg_sq.sqrt() + u.eps) * u.rate

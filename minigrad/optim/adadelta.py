"""Adadelta."""

from __future__ import annotations

from typing import Any

from minigrad.errors import value_error
from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check, check_rate, chosen
from minigrad.optim.rule import Group, Named, Rule
from minigrad.tensor import Tensor

__all__ = ["Adadelta"]


@constructor(check="none")
class Adadelta(Rule):
    """Adadelta (Zeiler 2012, arXiv:1212.5701).

    A step takes the gradient g of a parameter p, negated with ``maximize``, and does ::

        g = g + weight_decay * p
        v = rho * v + (1 - rho) * g * g
        d = sqrt(u + eps) / sqrt(v + eps) * g
        u = rho * u + (1 - rho) * d * d
        p = p - lr * d

    v and u are ``state[p]["square_avg"]`` and ``["acc_delta"]``. ``foreach`` and ``capturable`` choose among
    PyTorch's kernels and change nothing here. ``differentiable`` has the step recorded, for parameters that are no
    leaves.

    Raises ValueError for a negative option, and for a rho that is not in [0, 1].
    """

    _names = ("square_avg", "acc_delta")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        if not 0.0 <= rho <= 1.0:
            raise value_error(f"Invalid rho value: {rho}; it must be in [0, 1]")
        check(eps, "epsilon value")
        check(weight_decay, "weight_decay value")
        options = "lr rho eps weight_decay maximize capturable foreach differentiable"
        super().__init__(params, chosen(locals(), options))

    def _numbers(self, group: Group, counts: Named) -> Named:
        return {
            "decay": group["weight_decay"] if group["weight_decay"] != 0 else None,
            "rho": group["rho"],
            "weight": 1 - group["rho"],
            "eps": group["eps"],
            "rate": group["lr"],
        }

    @staticmethod
    def _update(u: Any) -> None:
        u.square_avg = u.square_avg * u.rho + u.g * u.g * u.weight
        d = (u.acc_delta + u.eps).sqrt() / (u.square_avg + u.eps).sqrt() * u.g
        u.acc_delta = u.acc_delta * u.rho + d * d * u.weight
        u.param = u.param - d * u.rate

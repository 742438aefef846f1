"""Averaged gradient descent."""

from __future__ import annotations

from typing import Any

from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check, check_rate, chosen
from minigrad.optim.rule import Group, Named, Rule, lift, most, narrow, power, ratio, where, wide
from minigrad.tensor import Tensor

__all__ = ["ASGD"]


@constructor(check="none")
class ASGD(Rule):
    """Gradient descent with an average of the parameters (Polyak and Juditsky 1992, doi.org/10.1137/0330046).

    Step t takes the gradient g of a parameter p, negated with ``maximize``, and does ::

        g = g + weight_decay * p
        p = p * (1 - lambd * eta) - eta * g
        a = a + mu * (p - a)
        eta = lr / (1 + lambd * lr * t)**alpha
        mu = 1 / max(1, t - t0)

    The average a is ``state[p]["ax"]``; eta and mu, for the next step, are ``["eta"]``, which begins with ``lr``,
    and ``["mu"]``, which begins with 1. ``foreach`` and ``capturable`` choose among PyTorch's kernels and change
    nothing here. ``differentiable`` has the step recorded, for parameters that are not leaves.

    Raises ValueError for a negative rate or weight decay.
    """

    _counts = ("step", "eta", "mu")
    _names = ("ax",)

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_rate(lr)
        check(weight_decay, "weight_decay value")
        options = "lr lambd alpha t0 weight_decay foreach maximize differentiable capturable"
        super().__init__(params, chosen(locals(), options))

    def _first(self, name: str, group: Group) -> Any:
        return {"step": 0.0, "eta": group["lr"], "mu": 1.0}[name]

    def _numbers(self, group: Group, counts: Named) -> Named:
        t, lr, lambd = counts["step"], group["lr"], group["lambd"]
        eta, mu = wide(counts["eta"]), wide(counts["mu"])
        later = ratio(lift(lr, t), power(1 + lambd * lr * t, group["alpha"]))
        counts["eta"] = narrow(later, counts["eta"])
        counts["mu"] = narrow(ratio(1.0, most(t - group["t0"], 1.0)), counts["mu"])
        return {
            "decay": group["weight_decay"] if group["weight_decay"] != 0 else None,
            "shrink": 1 - lambd * eta,
            "eta": eta,
            "mu": mu,
            # a Tensor while a function is recorded
            "averages": mu != 1.0,
        }

    @staticmethod
    def _update(u: Any) -> None:
        u.param = p = u.param * u.shrink - u.g * u.eta
        average = p if u.averages is False else u.ax + (p - u.ax) * u.mu
        u.ax = average if u.averages is True or u.averages is False else where(u.averages, average, p)

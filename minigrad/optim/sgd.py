"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from minigrad.errors import runtime_error, value_error
from minigrad.functions.inplace import foreach_add_
from minigrad.gate import constructor
from minigrad.gate.overriding import DOORS
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check_kernels, check_one, chosen
from minigrad.optim.rule import Group, Named, Rule
from minigrad.tensor import Tensor

__all__ = ["SGD"]


@constructor(check="none")
class SGD(Rule):
    """Gradient descent with momentum, weight decay and Nesterov's variant, all as PyTorch defines them.

    A step takes the gradient g of a parameter p, negated with ``maximize``, and does ::

        g = g + weight_decay * p
        b = momentum * b + (1 - dampening) * g      # the first time b = g
        g = g + momentum * b  if nesterov else  b   # with momentum only
        p = p - lr * g

    Parameters without a gradient are left alone. b is kept in ``state[p]["momentum_buffer"]``. ``lr`` and
    ``weight_decay`` may be Tensors of one element. ``differentiable`` has the step recorded, for parameters
    that are not leaves. ``foreach`` and ``fused`` choose among PyTorch's kernels and change nothing here.

    Raises ValueError for negative options, and for Nesterov without momentum or with dampening.
    """

    _counts = ()
    _lazy = "momentum_buffer"

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_one("lr", lr)
        if lr < 0.0:
            raise value_error(f"Invalid learning rate: {lr}; it must not be negative")
        if momentum < 0.0:
            raise value_error(f"Invalid momentum value: {momentum}; it must not be negative")
        if weight_decay < 0.0:
            raise value_error(f"Invalid weight_decay value: {weight_decay}; it must not be negative")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise value_error(
                "Nesterov momentum requires a momentum and zero dampening, "
                f"got momentum={momentum} and dampening={dampening}"
            )
        options = "lr momentum dampening weight_decay nesterov maximize foreach differentiable fused"
        super().__init__(params, chosen(locals(), options))
        check_kernels(fused, foreach, differentiable)

    def _entries(self, group: Group) -> dict[str, Any]:
        return {"momentum_buffer": 0.0} if group["momentum"] != 0 else {}

    def _numbers(self, group: Group, counts: Named) -> Named:
        momentum, damped = group["momentum"], group["dampening"]
        moves = momentum != 0
        return {
            "decay": group["weight_decay"] if _is_some(group["weight_decay"]) else None,
            "momentum": momentum if moves and (not group["fresh"] or group["nesterov"]) else None,
            "weight": 1 - damped if moves and not group["fresh"] and damped != 0 else None,
            "moves": moves,
            "fresh": group["fresh"],
            "nesterov": bool(group["nesterov"]),
            "rate": group["lr"],
        }

    def _step_of_rows(self, step: Any, p: Tensor, g: Tensor, own: Named, fresh: bool) -> None:
        """At once, over Tensors: with momentum the buffer is sparse, and has all rows of all steps."""
        group = step.group
        if group["fused"]:
            raise runtime_error("`_fused_sgd` does not support sparse gradients")
        if _is_some(group["weight_decay"]):
            raise runtime_error(
                "add(sparse, dense) is not supported. Use add(dense, sparse) instead: weight decay is for dense ones"
            )
        g = -g if group["maximize"] else g
        if group["momentum"] != 0:
            b = g.clone() if fresh else own["momentum_buffer"] * group["momentum"]
            own["momentum_buffer"] = b = b if fresh else b + g * (1 - group["dampening"])
            g = g + b * group["momentum"] if group["nesterov"] else b
        p.add_(g, alpha=-group["lr"])

    @staticmethod
    def _update(u: Any) -> None:
        g = u.g
        if u.moves:
            new = g if u.weight is None else g * u.weight
            u.momentum_buffer = b = g.detach() if u.fresh else u.momentum_buffer * u.momentum + new
            g = g + b * u.momentum if u.nesterov else b
        u.param = u.param - g * u.rate

    def _apply(self) -> None:
        if self.defaults["differentiable"]:
            super()._apply()
            return
        # The plain step is one call for all parameters of a group: at small sizes the bookkeeping is what costs.
        plain = []
        for group in self.param_groups:
            lr = group["lr"]
            if (
                group["momentum"] != 0
                or _is_some(group["weight_decay"])
                or group["maximize"]
                or isinstance(lr, Tensor)
                or (DOORS.armed and any(map(_is_sparse, group["params"])))
            ):
                super()._apply()
                return
            # Not `.grad`, which looks at who asks: a part of a batch has been refused.
            params = [p for p in group["params"] if p._grad is not None]
            plain.append((params, [p._grad for p in params], -lr))
        for params, grads, alpha in plain:
            foreach_add_(params, grads, alpha=alpha)


def _is_sparse(p: Tensor) -> bool:
    return p._sparse or (p._grad is not None and p._grad._sparse)


def _is_some(x: float | Tensor) -> bool:
    """Whether a number, such as weight decay, has to be taken into account."""
    return isinstance(x, Tensor) or x != 0

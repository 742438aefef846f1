"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from minigrad.autograd.modes import enable_grad, is_compiling, recording
from minigrad.functions.inplace import foreach_add_
from minigrad.gate import constructor
from minigrad.optim.optimizer import Loss, Optimizer, ParamsT
from minigrad.tensor import Tensor

__all__ = ["SGD"]


@constructor(check="none")
class SGD(Optimizer):
    """Gradient descent with momentum, weight decay and Nesterov's variant, all as PyTorch defines them.

    A step takes the gradient g of a parameter p, negated with ``maximize``, and does ::

        g = g + weight_decay * p
        b = momentum * b + (1 - dampening) * g      # the first time b = g
        g = g + momentum * b  if nesterov else  b   # with momentum only
        p = p - lr * g

    Parameters without a gradient are left alone. b is kept in ``state[p]["momentum_buffer"]``. ``lr`` and
    ``weight_decay`` may be Tensors of one element. ``differentiable`` has the step recorded, for parameters
    that are no leaves. ``foreach`` and ``fused`` choose among PyTorch's kernels and change nothing here.

    Raises ValueError for negative options, and for Nesterov without momentum or with dampening.
    """

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
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(lr.shape)}")
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}; it must not be negative")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}; it must not be negative")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}; it must not be negative")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                "Nesterov momentum requires a momentum and zero dampening, "
                f"got momentum={momentum} and dampening={dampening}"
            )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        if fused and differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # State dicts of old PyTorch versions lack these.
        added = {
            "nesterov": False,
            "maximize": False,
            "foreach": None,
            "differentiable": False,
            "fused": None,
        }
        for group in self.param_groups:
            for option, value in added.items():
                group.setdefault(option, value)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], Loss]) -> Loss: ...

    def step(self, closure: Callable[[], Loss] | None = None) -> Loss | None:
        """Changes every parameter that has a gradient; returns what ``closure``, called first, returns.

        RuntimeError, before anything is changed, if a loaded momentum buffer does not fit its parameter.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        # All is looked up and checked before the first parameter changes, so that no step is half done.
        work = [(_options(group), *self._with_gradient(group)) for group in self.param_groups]
        differentiable = self.defaults["differentiable"]
        for (lr, momentum, dampening, weight_decay, nesterov, maximize), params, grads, buffers in work:
            plain = momentum == 0 and weight_decay == 0 and not maximize and not differentiable
            if plain and not isinstance(lr, Tensor):
                # The plain step, in one call for all parameters: at small sizes bookkeeping is what costs.
                foreach_add_(params, grads, alpha=-lr)
                continue
            with recording(differentiable):
                for p, g, b in zip(params, grads, buffers, strict=True):
                    if maximize:
                        g = -g
                    if isinstance(weight_decay, Tensor):
                        g = g + p * weight_decay
                    elif weight_decay != 0:
                        g = g.add(p, alpha=weight_decay)
                    if momentum != 0:
                        if b is None:
                            b = self.state[p]["momentum_buffer"] = g.detach().clone()
                        else:
                            b.mul_(momentum).add_(g, alpha=1 - dampening)
                        g = g.add(b, alpha=momentum) if nesterov else b
                    if isinstance(lr, Tensor):
                        p.sub_(g * lr)
                    else:
                        p.add_(g, alpha=-lr)
        return loss

    def _with_gradient(self, group: dict[str, Any]) -> tuple[list[Tensor], list[Tensor], list[Tensor | None]]:
        """The parameters that have a gradient, these, and their momentum buffers."""
        params = [p for p in group["params"] if p.grad is not None]
        grads: list[Any] = [p._grad for p in params]
        if group["momentum"] == 0:
            return params, grads, [None] * len(params)
        buffers = []
        for p in params:
            b = self.state[p].get("momentum_buffer")
            if b is not None and b.shape != p.shape:
                raise RuntimeError(
                    f"SGD: a momentum buffer of shape {tuple(b.shape)} belongs to a parameter of shape "
                    f"{tuple(p.shape)}; the state was loaded from an optimizer of another model"
                )
            buffers.append(b)
        return params, grads, buffers


def _options(
    group: dict[str, Any],
) -> tuple[float | Tensor, float, float, float | Tensor, bool, bool]:
    return (
        _number(group["lr"]),
        group["momentum"],
        group["dampening"],
        _number(group["weight_decay"]),
        group["nesterov"],
        group["maximize"],
    )


def _number(x: float | Tensor) -> float | Tensor:
    """A Tensor option as a number, unless gradients are to flow through it or it may differ in another replay."""
    return x.item() if isinstance(x, Tensor) and not x.requires_grad and not is_compiling() else x

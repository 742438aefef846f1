"""Muon."""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import value_error
from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check_one, chosen
from minigrad.optim.rule import Group, Named, Rule
from minigrad.tensor import Tensor

__all__ = ["Muon"]


@constructor(check="none")
class Muon(Rule):
    """Gradient descent along orthogonalized momentum (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon).

    A step takes the gradient g of a matrix p and does ::

        b = b + (1 - momentum) * (g - b)
        u = orthogonal(g + momentum * (b - g)  if nesterov else  b)
        p = p * (1 - lr * weight_decay) - lr * ratio * u

    ``orthogonal`` divides the matrix by its norm, or by ``eps``, and takes ``ns_steps`` Newton-Schulz steps, ``X
    = a * X + (b * X @ X.T + c * (X @ X.T)**2) @ X`` with ``ns_coefficients`` a, b, c. ``ratio`` is ``sqrt(max(1,
    rows / columns))``, or with ``adjust_lr_fn="match_rms_adamw"`` ``0.2 * sqrt(max(rows, columns))``. b is
    ``state[p]["momentum_buffer"]``.

    PyTorch makes the matrices orthogonal in bfloat16; here they stay in their dtype, so a step differs from PyTorch's
    in the third digit.

    Raises ValueError for a negative option, and for a parameter that is not a matrix: biases, and what follows or
    precedes the hidden layers, go into another optimizer.
    """

    _counts = ()
    _names = ("momentum_buffer",)
    _elementwise = False

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_one("lr", lr)
        for name, value in (("Learning rate", lr), ("momentum", momentum), ("weight decay", weight_decay)):
            if not value >= 0.0:
                raise value_error(f"{name} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise value_error(
                f"Adjust learning rate function {adjust_lr_fn} is not supported; it is 'original' or 'match_rms_adamw'"
            )
        if ns_steps >= 100:
            raise value_error(
                f"Number of steps must be less than 100 for computational efficiency, got {ns_steps}"
            )
        if len(ns_coefficients) != 3:
            raise value_error(f"Coefficients must be a tuple of exactly 3 values, got {len(ns_coefficients)}")
        options = "lr weight_decay momentum nesterov ns_coefficients eps ns_steps adjust_lr_fn"
        super().__init__(params, chosen(locals(), options))
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise value_error(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {tuple(p.shape)}"
                    )

    def _numbers(self, group: Group, counts: Named) -> Named:
        a, b, c = group["ns_coefficients"]
        matching = group["adjust_lr_fn"] == "match_rms_adamw"
        return {
            "shrink": 1 - group["lr"] * group["weight_decay"],
            "rate": group["lr"],
            "momentum": group["momentum"],
            "weight": 1 - group["momentum"],
            "nesterov": bool(group["nesterov"]),
            "matching": matching,
            "a": a,
            "b": b,
            "c": c,
            "eps": group["eps"],
            "steps": group["ns_steps"],
        }

    @staticmethod
    def _update(u: Any) -> None:
        rows, columns = u.param.shape
        u.momentum_buffer = x = u.momentum_buffer + (u.g - u.momentum_buffer) * u.weight
        if u.nesterov:
            x = u.g + (x - u.g) * u.momentum
        if rows > columns:
            x = x.T
        x = x / (x * x).sum().sqrt().clamp(min=u.eps)
        for _ in range(u.steps):
            square = x @ x.T
            x = x * u.a + (square * u.b + square @ square * u.c) @ x
        if rows > columns:
            x = x.T
        scale = 0.2 * math.sqrt(max(rows, columns)) if u.matching else math.sqrt(max(1, rows / columns))
        u.param = u.param * u.shrink - x * (u.rate * scale)

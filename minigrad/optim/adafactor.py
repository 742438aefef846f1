"""Adafactor."""

from __future__ import annotations

from typing import Any

from minigrad.dtypes import limits
from minigrad.errors import value_error
from minigrad.gate import constructor
from minigrad.optim.optimizer import ParamsT
from minigrad.optim.options import check_one, chosen
from minigrad.optim.rule import Group, Named, Rule, least, most, power, ratio, root
from minigrad.tensor import Tensor

__all__ = ["Adafactor"]


@constructor(check="none")
class Adafactor(Rule):
    """Adafactor, which keeps squares of gradients as a row and a column (Shazeer and Stern 2018, arXiv:1804.04235).

    Step t takes the gradient g of a parameter p, negated with ``maximize``, and does ::

        w = t**beta2_decay,   rho = min(lr, 1 / sqrt(t)),   alpha = max(eps2, rms(p)) * rho
        p = p * (1 - lr * weight_decay)
        R = R + w * (mean over columns of g * g - R)
        C = C + w * (mean over rows of g * g - C)
        V = R @ C / max(eps1, mean of R)        # of a vector: V = V + w * (g * g - V)
        u = g / sqrt(max(V, eps1**2))
        p = p - alpha * u / max(1, rms(u) / d)

    ``eps`` are eps1, where None stands for the dtype's smallest step from 1, and eps2. R and C are
    ``state[p]["row_var"]`` and ``["col_var"]``, of the last two dimensions; V of a vector is ``["variance"]``.
    ``foreach`` chooses among PyTorch's kernels and changes nothing here.

    Raises ValueError for a negative option (beta2_decay: a positive one), and for a d below 1.
    """

    _elementwise = False

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_one("lr", lr)
        if not lr >= 0.0:
            raise value_error(f"Learning rate should be >= 0 but is: {lr}")
        if not beta2_decay <= 0.0:
            raise value_error(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        for name, value in (("epsilon1", eps[0]), ("epsilon2", eps[1]), ("weight_decay", weight_decay)):
            if value is not None and not value >= 0.0:
                raise value_error(f"{name} should be >= 0 but is: {value}")
        if not d >= 1.0:
            raise value_error(f"Clipping threshold d should be >= 1 but is: {d}")
        super().__init__(params, chosen(locals(), "lr beta2_decay eps d weight_decay foreach maximize"))

    def _shapes(self, p: Tensor, group: Group) -> dict[str, tuple[int, ...]]:
        shape = tuple(p.shape)
        if len(shape) < 2:
            return {"variance": shape}
        return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}

    def _numbers(self, group: Group, counts: Named) -> Named:
        t, lr, decay = counts["step"], group["lr"], group["weight_decay"]
        eps1, eps2 = group["eps"]
        return {
            "shrink": 1 - lr * decay if decay != 0 else None,
            "weight": power(t, group["beta2_decay"]),
            "rho": least(lr, ratio(1, root(t))),
            "eps1": eps1,
            "eps2": eps2,
            "d": group["d"],
        }

    @staticmethod
    def _update(u: Any) -> None:
        p, g = u.param, u.g
        eps1 = float(limits(p.dtype.numpy).eps) if u.eps1 is None else u.eps1
        rate = most(_rms(p), u.eps2) * u.rho
        if g.dim() > 1:
            square = g * g
            u.row_var = rows = u.row_var + (square.mean(-1, keepdim=True) - u.row_var) * u.weight
            u.col_var = u.col_var + (square.mean(-2, keepdim=True) - u.col_var) * u.weight
            v = rows @ u.col_var / rows.mean(-2, keepdim=True).clamp(min=eps1)
        else:
            u.variance = v = u.variance + (g * g - u.variance) * u.weight
        step = g * v.clamp(min=eps1 * eps1).rsqrt()
        if u.shrink is not None:
            p = p * u.shrink
        u.param = p - step * ratio(rate, most(_rms(step) / u.d, 1.0))


def _rms(x: Tensor) -> Tensor:
    """The root of the mean square, in double precision."""
    return (x * x).mean().sqrt().double()

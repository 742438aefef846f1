"""Weights as length and direction, computed by a hook: PyTorch's older ``nn.utils.weight_norm``."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from minigrad.functions.dims import one_dim
from minigrad.functions.matrix_norms import vector_norm
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter, is_lazy
from minigrad.tensor import Tensor

__all__ = ["remove_weight_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


class WeightNorm:
    """The hook that computes the weight before each call of its module."""

    def __init__(self, name: str, dim: int) -> None:
        self.name, self.dim = name, dim

    def compute_weight(self, module: Module) -> Tensor:
        """``g * v / ‖v‖``."""
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return v * (g / norm_except_dim(v, 2, self.dim))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))

    def remove(self, module: Module) -> None:
        """Makes the weight a parameter again."""
        weight = self.compute_weight(module).detach()
        delattr(module, self.name)
        for letter in "gv":
            del module._parameters[f"{self.name}_{letter}"]
        setattr(module, self.name, Parameter(weight))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Splits ``module.weight`` (``name``) into a length and a direction, ``g * v / ‖v‖``; returns the module.

    Parameters ``weight_g``, with a length for each index of ``dim`` (None: one for all), and ``weight_v`` take its
    place; a hook computes it before each call. FutureWarning: `nn.utils.parametrizations.weight_norm` is the newer
    form. RuntimeError if it was done before, ValueError for a lazy module, IndexError for a ``dim`` that is not there.
    """
    warnings.warn(
        "`nn.utils.weight_norm` is deprecated in favor of `nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    refuse_twice(module, name, WeightNorm, "weight_norm")
    weight = getattr(module, name)
    if is_lazy(weight):
        raise ValueError(
            "The module passed to `WeightNorm` can't have uninitialized parameters. Call it with a batch first"
        )
    hook = WeightNorm(name, -1 if dim is None else dim)
    length = norm_except_dim(weight, 2, hook.dim).detach()
    del module._parameters[name]
    module.register_parameter(f"{name}_g", Parameter(length))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Makes ``module.weight`` an ordinary parameter again, and returns the module. ValueError if it is one."""
    take_off(module, name, WeightNorm, "weight_norm")
    return module


# ---------------------------------------------------------------- what the older hooks share


def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The norms over all dimensions but ``dim``, which they keep; -1 means over all, without dimensions.

    IndexError for a ``dim`` that the Tensor does not have.
    """
    if dim == -1:
        return vector_norm(v, float(pow))
    kept = one_dim(dim, v.dim())
    others = [d for d in range(v.dim()) if d != kept]
    # one dimension more, for where there are no others
    return vector_norm(v.unsqueeze(-1), float(pow), [*others, -1], keepdim=True).squeeze(-1)


def refuse_twice(module: Module, name: str, kind: type, what: str) -> None:
    """RuntimeError if a hook of this kind computes the parameter already."""
    hooks: list[Any] = [hook for hook in module._forward_pre_hooks.values() if isinstance(hook, kind)]
    if any(hook.name == name for hook in hooks):
        raise RuntimeError(f"Cannot register two {what} hooks on the same parameter {name}")


def take_off(module: Module, name: str, kind: Any, what: str) -> None:
    """Removes a hook of this kind. ValueError if there is none."""
    hooks: dict[int, Any] = module._forward_pre_hooks
    for key, hook in hooks.items():
        if type(hook) is kind and hook.name == name:
            hook.remove(module)
            del hooks[key]
            return
    raise ValueError(f"{what} of '{name}' not found in {module}")

"""Weights with a largest singular value of 1, computed by a hook: PyTorch's older ``nn.utils.spectral_norm``."""

from __future__ import annotations

from typing import Any, TypeVar

from minigrad.autograd import no_grad
from minigrad.nn import functional as F
from minigrad.nn.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter, is_lazy
from minigrad.nn.utils._weight_norm import refuse_twice, take_off
from minigrad.tensor import Tensor

__all__ = ["remove_spectral_norm", "spectral_norm"]

M = TypeVar("M", bound=Module)


class SpectralNorm:
    """The hook that computes the weight before each call of its module."""

    def __init__(
        self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        """The weight with ``dim`` as rows."""
        return weight.movedim(self.dim, 0).reshape(weight.shape[self.dim], -1)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight divided by its largest singular value."""
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(matrix.mT.mv(u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(matrix.mv(v), dim=0, eps=self.eps))
                # copies: the next call changes the vectors, and this one may still be differentiated
                u, v = u.clone(), v.clone()
        return weight / u.dot(matrix.mv(v))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))

    def remove(self, module: Module) -> None:
        """Makes the weight a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for name in (self.name, f"{self.name}_u", f"{self.name}_v", f"{self.name}_orig"):
            delattr(module, name)
        module.register_parameter(self.name, Parameter(weight.detach()))


class SpectralNormStateDictHook:
    """Notes in the metadata of a state how it is laid out."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Module, state: Any, prefix: str, metadata: dict[str, Any]) -> None:
        metadata.setdefault("spectral_norm", {})[f"{self.name}.version"] = 1


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divides ``module.weight`` (``name``) by its largest singular value, and returns the module.

    The parameter is then ``weight_orig``, and its singular vectors are buffers, ``weight_u`` and ``weight_v``. A hook
    computes the weight before each call. `nn.utils.parametrizations.spectral_norm` is the newer form. RuntimeError if
    it was done before, ValueError for a lazy module or a parameter that is None.
    """
    if dim is None:
        dim = int(isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)))
    refuse_twice(module, name, SpectralNorm, "spectral_norm")
    hook = SpectralNorm(name, n_power_iterations, dim, eps)
    weight = module._parameters[name]
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    if is_lazy(weight):
        raise ValueError(
            "The module passed to `SpectralNorm` can't have uninitialized parameters. Call it with a batch first"
        )
    with no_grad():
        u, v = (weight.new_empty(n).normal_(0, 1) for n in hook.reshape_weight_to_matrix(weight).shape)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.data)
    module.register_buffer(f"{name}_u", F.normalize(u, dim=0, eps=eps))
    module.register_buffer(f"{name}_v", F.normalize(v, dim=0, eps=eps))
    module.register_forward_pre_hook(hook)
    module._register_state_dict_hook(SpectralNormStateDictHook(name))
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Makes ``module.weight`` an ordinary parameter again, and returns the module. ValueError if it is one."""
    take_off(module, name, SpectralNorm, "spectral_norm")
    for key, hook in module._state_dict_hooks.items():
        if isinstance(hook, SpectralNormStateDictHook) and hook.name == name:
            del module._state_dict_hooks[key]
            break
    return module

"""Pruning, weights set to zero for good: PyTorch's ``nn.utils.prune``.

A pruned parameter ``weight`` becomes ``weight_orig``, which is trained, and a buffer ``weight_mask`` of ones and zeros.
A hook multiplies them before each call.
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, TypeVar

from minigrad.functions.creation import ones_like, zeros_like
from minigrad.functions.distances import norm
from minigrad.functions.draws import rand, rand_like
from minigrad.functions.sorting import kthvalue, topk
from minigrad.nn.module import Module
from minigrad.nn.utils.convert_parameters import parameters_to_vector
from minigrad.tensor import Tensor

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
    "RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned",
    "l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove",
]  # fmt: skip

M = TypeVar("M", bound=Module)


# ---------------------------------------------------------------- what users call


def identity(module: M, name: str) -> M:
    """Prepares a parameter for pruning without pruning any of it; returns the module, as all of these do."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: M, name: str, amount: float) -> M:
    """Prunes randomly drawn elements of a parameter.

    ``amount``, here and below, is a fraction (float) or a number (int) of what is not pruned yet. TypeError for
    anything else, ValueError for less than 0 or more than there are.
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: M, name: str, amount: float, importance_scores: Tensor | None = None) -> M:
    """Prunes the elements of a parameter with the smallest absolute values, or with the smallest scores."""
    L1Unstructured.apply(module, name, amount, importance_scores)
    return module


def random_structured(module: M, name: str, amount: float, dim: int) -> M:
    """Prunes whole channels, indices of ``dim``, that are drawn at random. ValueError for fewer than two dimensions."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: M, name: str, amount: float, n: float | str, dim: int, importance_scores: Tensor | None = None
) -> M:
    """Prunes the channels, indices of ``dim``, with the smallest norms of order ``n``, a number or "fro"."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prunes several parameters, pairs of a module and a name, as if they were one vector.

    ``pruning_method`` is one of the unstructured classes, made with the remaining keywords.
    TypeError for another kind.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    pairs = [(module, name, getattr(module, name)) for module, name in parameters]
    vector = parameters_to_vector([scores.get((module, name), tensor) for module, name, tensor in pairs])
    masks = parameters_to_vector([getattr(m, f"{name}_mask", ones_like(t)) for m, name, t in pairs])
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    container = PruningContainer()
    container._tensor_name = method._tensor_name = "temp"
    container.add_pruning_method(method)
    mask = container.compute_mask(vector, masks)
    start = 0
    for module, name, tensor in pairs:
        custom_from_mask(module, name, mask[start : start + tensor.numel()].view_as(tensor))
        start += tensor.numel()


def custom_from_mask(module: M, name: str, mask: Tensor) -> M:
    """Prunes the elements of a parameter where ``mask``, of its shape, is 0."""
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module: M, name: str) -> M:
    """Makes a pruned parameter, with its zeros, an ordinary one. ValueError if it is not pruned."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Module) -> bool:
    """Whether a parameter of the module, or of one below it, is pruned."""
    hooks = [hook for m in module.modules() for hook in m.__dict__.get("_forward_pre_hooks", {}).values()]
    return any(isinstance(hook, BasePruningMethod) for hook in hooks)


# ---------------------------------------------------------------- methods


class BasePruningMethod(ABC):
    """A way to prune: a subclass has ``PRUNING_TYPE`` and ``compute_mask``, and is used by its ``apply``.

    ``PRUNING_TYPE`` is ``"unstructured"`` (single elements), ``"structured"`` (channels, indices of ``self.dim``) or
    ``"global"`` (all at once); it decides what a second method gets to see.
    """

    PRUNING_TYPE: ClassVar[str]
    _tensor_name: str | None = None

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of ones and zeros for ``t``, which is ``default_mask`` or has fewer ones."""

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, str(self._tensor_name), self.apply_mask(module))

    def apply_mask(self, module: Module) -> Tensor:
        """The original parameter times the mask. RuntimeError before ``apply``."""
        if self._tensor_name is None:
            raise RuntimeError(f"Module {module} has to be pruned")
        mask: Tensor = getattr(module, f"{self._tensor_name}_mask")
        original: Tensor = getattr(module, f"{self._tensor_name}_orig")
        return mask.to(original.dtype) * original

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> Any:
        """Prunes a parameter by ``cls(*args, **kwargs)``, on top of what is pruned already; returns the method.

        ValueError for ``importance_scores`` of another shape. Where anything fails, the parameter stays as it was.
        """
        hooks = module._forward_pre_hooks
        before = {
            k: h for k, h in hooks.items() if isinstance(h, BasePruningMethod) and h._tensor_name == name
        }
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        tensor: Tensor = getattr(module, name)
        if importance_scores is None:
            importance_scores = tensor
        elif importance_scores.shape != tensor.shape:
            raise ValueError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got "
                f"{importance_scores.shape} vs {tensor.shape}"
            )
        if before:
            earlier = next(iter(before.values()))
            container = earlier if isinstance(earlier, PruningContainer) else PruningContainer(earlier)
            trial = PruningContainer(*container, method)
            mask = trial.compute_mask(importance_scores, getattr(module, f"{name}_mask").detach().clone())
            container.add_pruning_method(method)
            method = container
            for key in before:
                del hooks[key]
        else:
            mask = method.compute_mask(importance_scores, ones_like(tensor))
            module.register_parameter(f"{name}_orig", module._parameters[name])
            del module._parameters[name]
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None
    ) -> Tensor:
        """``t`` times the mask that the method computes for it, or for ``importance_scores`` of its shape.

        ValueError for scores of another shape.
        """
        if importance_scores is None:
            importance_scores = t
        elif importance_scores.shape != t.shape:
            raise ValueError(
                "importance_scores should have the same shape as tensor t, got "
                f"{importance_scores.shape} vs {t.shape}"
            )
        mask = ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(importance_scores, mask)

    def remove(self, module: Module) -> None:
        """Makes the parameter, with its zeros, an ordinary one. RuntimeError before ``apply``."""
        weight = self.apply_mask(module)
        name = str(self._tensor_name)
        if hasattr(module, name):
            delattr(module, name)
        original: Any = module._parameters.pop(f"{name}_orig")
        original.data = weight.detach()
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Methods that pruned one parameter, one after the other; the last computes the mask."""

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Adds a method. TypeError for anything else, ValueError for one of another parameter."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._tensor_name != method._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to "
                f"PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of the last method, which is shown what the mask so far leaves."""
        method: Any = self._pruning_methods[-1]
        mask = default_mask.to(t.dtype)
        part: Any
        if method.PRUNING_TYPE == "unstructured":
            part = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError(
                    'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
                )
            dim = method.dim + t.dim() if method.dim < 0 else method.dim
            if dim < 0:
                raise IndexError(f"Index is out of bounds for tensor with dimensions {t.dim()}")
            part = [slice(None)] * t.dim()
            part[dim] = default_mask.sum([d for d in range(t.dim()) if d != dim]) != 0
            part = tuple(part)
        elif method.PRUNING_TYPE == "global":
            part = (slice(None),) * t.dim()
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask = mask.clone()
        mask[part] = method.compute_mask(t[part], default_mask=default_mask[part]).to(mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """``default_mask``."""
        return default_mask


class _ByAmount(BasePruningMethod):
    """Base class of methods that prune a fraction or a number."""

    def __init__(self, amount: float) -> None:
        number: Any = amount
        if not isinstance(number, numbers.Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        if amount < 0 or (not isinstance(number, numbers.Integral) and amount > 1.0):
            raise ValueError(
                f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer"
            )
        self.amount = amount

    def _count(self, size: int) -> int:
        """How many of ``size``; ValueError for more than these."""
        amount: Any = self.amount
        count = int(amount) if isinstance(amount, numbers.Integral) else round(amount * size)
        if count > size:
            raise ValueError(
                f"amount={count} should be smaller than the number of parameters to prune={size}"
            )
        return count


class _Unstructured(_ByAmount):
    """Base class of methods that prune single elements: those with the ``largest`` or smallest of ``_values``."""

    PRUNING_TYPE = "unstructured"
    largest: ClassVar[bool]

    def _values(self, t: Tensor) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """``default_mask`` with that many more zeros."""
        count = self._count(t.numel())
        mask = default_mask.clone()
        if count:
            chosen = topk(self._values(t).reshape(-1), count, largest=self.largest).indices
            mask.view(-1)[chosen] = 0
        return mask


class RandomUnstructured(_Unstructured):
    """Prunes elements that are drawn at random."""

    largest = True

    def _values(self, t: Tensor) -> Tensor:
        return rand_like(t)


class L1Unstructured(_Unstructured):
    """Prunes the elements with the smallest absolute values."""

    largest = False

    def _values(self, t: Tensor) -> Tensor:
        return t.abs()

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, importance_scores: Tensor | None = None
    ) -> L1Unstructured:
        """As `BasePruningMethod.apply`."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _Structured(_ByAmount):
    """Base class of methods that prune channels: those that ``_kept`` leaves out."""

    PRUNING_TYPE = "structured"
    dim: int

    def _kept(self, t: Tensor, size: int, count: int) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """``default_mask`` with zeros for that many more channels."""
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {t.dim()} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        size = t.shape[self.dim]
        count = self._count(size)
        if not count:
            return default_mask
        mask = zeros_like(t, requires_grad=False)
        part: list[Any] = [slice(None)] * t.dim()
        part[self.dim] = self._kept(t, size, count)
        mask[tuple(part)] = 1
        return mask * default_mask.to(mask.dtype)


class RandomStructured(_Structured):
    """Prunes channels that are drawn at random."""

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _kept(self, t: Tensor, size: int, count: int) -> Tensor:
        drawn = rand(size)
        return drawn > kthvalue(drawn, count).values


class LnStructured(_Structured):
    """Prunes the channels with the smallest norms of order ``n``."""

    def __init__(self, amount: float, n: float | str, dim: int = -1) -> None:
        super().__init__(amount)
        self.n, self.dim = n, dim

    def _kept(self, t: Tensor, size: int, count: int) -> Tensor:
        others = [d for d in range(t.dim()) if d != self.dim % t.dim()]
        return topk(norm(t, self.n, others), size - count).indices

    @classmethod
    def apply(  # type: ignore[override]
        cls,
        module: Module,
        name: str,
        amount: float,
        n: float | str,
        dim: int,
        importance_scores: Tensor | None = None,
    ) -> LnStructured:
        """As `BasePruningMethod.apply`."""
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes what another mask has as 0."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The product of both masks. ValueError for other shapes."""
        if default_mask.shape != self.mask.shape:
            raise ValueError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(default_mask.dtype)

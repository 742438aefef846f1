"""What optimizers copied out of PyTorch's files take from ``torch.optim.optimizer``, under PyTorch's private names."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from minigrad.autograd.grad_mode import set_grad_enabled
from minigrad.dtypes import dtype, float32, get_default_dtype
from minigrad.functions.complex import view_as_real
from minigrad.tensor import Tensor

P = ParamSpec("P")
T = TypeVar("T")

# Parts of docstrings.
_params_doc = _foreach_doc = _fused_doc = _capturable_doc = _differentiable_doc = _maximize_doc = ""


def _use_grad_for_differentiable(func: Callable[P, T]) -> Callable[P, T]:
    """The step with gradients recorded where the optimizer's ``differentiable`` is set, else without."""

    @functools.wraps(func)
    def step(*args: P.args, **kwargs: P.kwargs) -> T:
        optimizer: Any = args[0]
        with set_grad_enabled(optimizer.defaults["differentiable"]):
            return func(*args, **kwargs)

    return step


def _disable_dynamo_if_unsupported(single_tensor_fn: object = None) -> Callable[[T], T]:
    return lambda func: func


def _default_to_fused_or_foreach(
    params: Sequence[Tensor], differentiable: bool, use_fused: bool = False
) -> tuple[bool, bool]:
    """Neither: they are for graphics cards, unless ``use_fused`` is set."""
    return use_fused and not differentiable and all(p.is_floating_point() for p in params), False


def _get_value(x: Any) -> Any:
    return x.item() if isinstance(x, Tensor) else x


def _stack_if_compiling(x: T) -> T:
    return x


def _to_scalar(x: Any) -> Any:
    return x.squeeze() if isinstance(x, Tensor) and x.dim() else x


def _get_scalar_dtype(is_fused: bool | None = None) -> dtype:
    default = get_default_dtype()
    return default if default.itemsize == 8 and not is_fused else float32


def _view_as_real(params: list[Tensor], *state_and_grads: list[Tensor]) -> None:
    """Puts pairs of numbers in the place of complex ones, in each list."""
    for i, p in enumerate(params):
        if p.is_complex():
            for tensors in (params, *state_and_grads):
                tensors[i] = view_as_real(tensors[i])

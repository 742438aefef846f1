"""Clipping of gradients: PyTorch's ``nn.utils.clip_grad``."""

from __future__ import annotations

from collections.abc import Iterable
from types import GeneratorType

from minigrad.autograd import no_grad
from minigrad.core.contents import contents
from minigrad.core.tensor import Tensor
from minigrad.dtypes import F32, F64
from minigrad.errors import runtime_error, type_error, warn
from minigrad.functions.creation import tensor
from minigrad.functions.inplace import foreach_mul_
from minigrad.functions.lengths import length_of_all
from minigrad.functions.matrix_norms import vector_norm
from minigrad.functions.parts import stack

Tensors = Tensor | Iterable[Tensor]

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales the gradients of ``parameters`` in place, so that their norm as one vector is at most ``max_norm``.

    Returns the norm before, of order ``norm_type``: a Tensor without dimensions.
    RuntimeError for one that is inf or nan where ``error_if_nonfinite`` says so; then nothing is scaled.  ``foreach``
    changes nothing.
    """
    several = _several(parameters)
    if not several and isinstance(parameters, GeneratorType):
        warn("`parameters` is an empty generator, no gradient clipping will occur.")
    total = get_total_norm(_gradients(several), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(several, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of `clip_grad_norm_`; FutureWarning."""
    warn("`nn.utils.clip_grad_norm` is now deprecated in favor of `nn.utils.clip_grad_norm_`.", FutureWarning)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of order ``norm_type`` of all ``tensors`` as one vector, a Tensor without dimensions.

    RuntimeError for one that is inf or nan where ``error_if_nonfinite`` says so.
    """
    several = _several(tensors)
    if not several:
        return tensor(0.0)
    order = float(norm_type)
    with no_grad():
        if order == 2 and all(map(_plain, several)):
            total = length_of_all(several)
        else:
            total = vector_norm(stack([vector_norm(t, order) for t in several]), order)
        if error_if_nonfinite and not bool(total.isfinite()):
            raise runtime_error(
                f"The total norm of order {order} for gradients from `parameters` is non-finite, so it cannot be "
                f"clipped: it is {total.item()}. Look for its source with autograd.detect_anomaly(), or pass "
                "error_if_nonfinite=False to scale by it all the same"
            )
    return total


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scales the gradients of ``parameters`` in place by ``max_norm / total_norm``, where that is less than 1."""
    with no_grad():
        # PyTorch's 1e-6 keeps a length of 0 from dividing.
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        gradients = _gradients(parameters)
        if all(map(_plain, gradients)):
            foreach_mul_(gradients, factor)
            return
        for g in gradients:
            g.mul_(factor)


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Keeps each element of the gradients of ``parameters`` between ``-clip_value`` and ``clip_value``, in place."""
    limit = float(clip_value)
    with no_grad():
        for g in _gradients(parameters):
            g.clamp_(-limit, limit)


def _plain(t: Tensor) -> bool:
    """Whether `length_of_all` takes it."""
    return t.__class__ is Tensor and (t._array.dtype is F32 or t._array.dtype is F64)


def _several(tensors: Tensors) -> list[Tensor]:
    if contents(tensors) is not None and not isinstance(tensors, Iterable):
        raise type_error(f"'{type(tensors).__name__}' object is not iterable; pass its parameters()")
    return [tensors] if isinstance(tensors, Tensor) else [*tensors]


def _gradients(parameters: Tensors) -> list[Tensor]:
    return [g for p in _several(parameters) if (g := p.grad) is not None]

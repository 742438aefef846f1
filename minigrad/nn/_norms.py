"""Normalizations over features, channels or groups, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minigrad.autograd import no_grad
from minigrad.core.apply import cast
from minigrad.dtypes import limits, scalar, working
from minigrad.errors import not_implemented_error, runtime_error, value_error
from minigrad.functions import norms
from minigrad.functions.images import pad
from minigrad.functions.norms import channel_norm, features, follow, running_norm, scaled, standardize
from minigrad.functions.shape import laid_like
from minigrad.gate import public
from minigrad.tensor import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


def _vectors(*parts: Tensor | None) -> bool:
    """Whether all that are not None are vectors."""
    return all(t is None or t._array.ndim == 1 for t in parts)


def _check_types(input: Tensor, *parts: Tensor | None) -> None:
    """RuntimeError unless all are of one type; with an input of two bytes, all others may be of float32."""
    kind = input._array.dtype
    if kind.kind not in "fV":
        raise not_implemented_error(
            f"norms are not implemented for '{scalar(input.dtype)}'; use .float() first"
        )
    others = [t for t in parts if t is not None]
    wrong = [t for t in others if t._array.dtype is not kind and t._array.dtype != kind]
    if not wrong or (kind.itemsize == 2 and all(t._array.dtype == np.float32 for t in others)):
        return
    raise runtime_error(
        f"mixed dtype (CPU): all inputs must share same datatype, but got an input {list(input.shape)} of "
        f"{input.dtype} and a weight or statistic of {wrong[0].dtype}; convert the input, or the module"
    )


def _check_both(mean: Tensor | None, var: Tensor | None) -> None:
    """ValueError for one of the running statistics alone."""
    if (mean is None) != (var is None):
        raise value_error("running_mean and running_var must either both be None or neither be None")


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """``(input - mean) / sqrt(variance + eps) * weight + bias`` over the last dimensions, of ``normalized_shape``."""
    shape = features(input, normalized_shape, weight, bias)
    _check_types(input, weight, bias)
    if weight is not None:
        return cast(norms.layer_norm(input, weight, bias, eps), input._array.dtype)
    ndim = input._array.ndim
    dims = tuple(range(ndim - len(shape), ndim))
    return _standardized(input, dims, eps, weight, bias, shape)


def _standardized(
    input: Tensor,
    dims: tuple[int, ...],
    eps: float,
    weight: Tensor | None,
    bias: Tensor | None,
    shape: tuple[int, ...],
) -> Tensor:
    """`standardize`, and what scales it; floats of two bytes are rounded once."""
    kind = input._array.dtype
    x = input if weight is None and bias is None else cast(input, working(kind))
    return cast(scaled(standardize(x, dims, eps), weight, bias, shape), kind)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """``input / sqrt(mean(input**2) + eps) * weight`` over the last dimensions.

    ``eps`` None is the epsilon of the dtype that it is computed in, float32 for shorter ones. ValueError for an input
    of too few dimensions.
    """
    if not isinstance(normalized_shape, int) and input._array.ndim < len(normalized_shape):
        raise value_error(
            f"Input tensor must have at least {len(normalized_shape)} dimensions, but got {input._array.ndim}"
        )
    shape = features(input, normalized_shape, weight)
    if input._array.dtype.kind not in "fV":
        raise not_implemented_error(
            f"rms_norm: expected a floating input, got {input.dtype}; use .float() first"
        )
    least = float(limits(working(input._array.dtype)).eps) if eps is None else eps
    dims = tuple(range(-len(shape), 0))
    x = cast(input, working(input._array.dtype))
    x = laid_like(x.contiguous(), x)
    y = scaled(x * (x.square().mean(dims, keepdim=True) + least).rsqrt(), weight, None, shape)
    return cast(y, input._array.dtype)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalizes each of ``num_groups`` groups of channels (dimension 1) to mean 0 and variance 1, then scales.

    RuntimeError unless the channels are divisible by ``num_groups`` and there is a weight and a bias for each of them.
    """
    size = input._array.shape
    if len(size) < 2:
        raise runtime_error(f"Expected at least 2 dimensions for input tensor but received {len(size)}")
    channels = size[1]
    _verify_batch_size((size[0] * channels // max(num_groups, 1), num_groups, *size[2:]))
    if num_groups <= 0:
        raise runtime_error(f"Expected num groups to be greater than 0, got {num_groups}")
    if channels % num_groups:
        raise runtime_error(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(size)} "
            f"and num_groups={num_groups}"
        )
    for name, t in (("weight", weight), ("bias", bias)):
        if t is not None and t._array.shape != (channels,):
            raise runtime_error(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(t._array.shape)} and input of shape {list(size)}"
            )
    _check_types(input, weight, bias)
    if weight is not None:
        return cast(channel_norm(input, weight, bias, num_groups, eps), input._array.dtype)
    x = input if bias is None else cast(input, working(input._array.dtype))  # rounded once
    groups = x.reshape(size[0], num_groups, channels // num_groups * math.prod(size[2:]))
    y = laid_like(standardize(groups, (2,), eps).reshape(size), input)
    return cast(scaled(y, None, bias, (channels, *(1,) * (len(size) - 2))), input._array.dtype)


def _verify_batch_size(size: Sequence[int]) -> None:
    """ValueError if a channel has a single value; ``size[1]`` is the number of channels."""
    if size[0] * math.prod(size[2:]) == 1:
        raise value_error(
            f"Expected more than 1 value per channel when training, got input size {list(size)}; call eval() on the "
            "module where it does not train, or give a larger batch"
        )


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalizes each channel (dimension 1) to mean 0 and variance 1, then scales it by weight and bias.

    Training uses the input's own mean and variance, and updates the running ones in place; evaluation uses these.
    ValueError for one value per channel in training, and for one of the running statistics alone; RuntimeError for
    sizes and dtypes that do not fit. With an input of two bytes, all others may be float32.
    """
    size = input._array.shape
    if size == (0,):
        return scaled(input.clone(), weight, bias, ())
    if len(size) < 2:
        raise runtime_error(f"batch_norm expects an input of 2 dimensions or more, got {list(size)}")
    if training:
        _verify_batch_size(size)
        _check_both(running_mean, running_var)
    channels = size[1]
    _per_channel(channels, running_mean, running_var, weight, bias)
    _check_types(input, running_mean, running_var, weight, bias)
    dims = (0, *range(2, len(size)))
    shape = (channels, *(1,) * (len(size) - 2))
    if not training:
        return _by_running(input, running_mean, running_var, weight, bias, eps, shape)
    if weight is not None and _vectors(weight, bias):
        y = channel_norm(input, weight, bias, 0, eps)
        follow(input, running_mean, running_var, momentum, y)
        return cast(y, input._array.dtype)
    follow(input, running_mean, running_var, momentum)
    return _standardized(input, dims, eps, weight, bias, shape)


def _per_channel(channels: int, *parts: Tensor | None) -> None:
    for name, t in zip(("running_mean", "running_var", "weight", "bias"), parts, strict=True):
        if t is not None and t._array.size != channels:
            raise runtime_error(
                f"{name} should contain {channels} elements not {t._array.size}: the input has {channels} channels"
            )


def _by_running(
    input: Tensor,
    mean: Tensor | None,
    var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    shape: tuple[int, ...],
) -> Tensor:
    if mean is None or var is None:
        raise runtime_error("Expected running_mean and running_var to be defined when training=False")
    if weight is not None and _vectors(weight, bias, mean, var):
        return cast(running_norm(input, mean, var, weight, bias, eps), input._array.dtype)
    scale = (var.detach() + eps).rsqrt()
    if weight is not None:  # a vector's product, so that one of the input's size is left out
        scale = scale * weight.reshape(scale._array.shape)
    centred = (input - mean.detach().reshape(shape)) * scale.reshape(shape)
    return cast(scaled(centred, None, bias, shape), input._array.dtype)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`batch_norm` of each example alone; the running statistics follow the averages over the batch.

    It raises as `batch_norm` does.
    """
    size = input._array.shape
    if use_input_stats and math.prod(size[2:]) == 1:
        raise value_error(f"Expected more than 1 spatial element when training, got input size {list(size)}")
    if len(size) < 2:
        raise runtime_error(f"instance_norm expects an input of 2 dimensions or more, got {list(size)}")
    if use_input_stats:
        _check_both(running_mean, running_var)
    _per_channel(size[1], running_mean, running_var, weight, bias)
    _check_types(input, running_mean, running_var)
    _check_types(input, weight, bias)
    dims, shape = tuple(range(2, len(size))), (size[1], *(1,) * (len(size) - 2))
    if not use_input_stats:
        return _by_running(input, running_mean, running_var, weight, bias, eps, shape)
    with no_grad():
        if running_mean is not None:
            running_mean.mul_(1 - momentum).add_(input.detach().mean((0, *dims)), alpha=momentum)
        if running_var is not None:
            running_var.mul_(1 - momentum).add_(input.detach().var(dims).mean(0), alpha=momentum)
    if weight is not None and _vectors(weight, bias):
        y = channel_norm(input.contiguous(), weight, bias, size[1], eps)  # as in PyTorch, row by row
        return cast(y, input._array.dtype)
    return _standardized(input, dims, eps, weight, bias, shape)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """``input / (k + alpha * mean)**beta``, where the mean is of the squares of the ``size`` nearest channels.

    For (N, C, ...); channels beyond the first and last count as 0. ValueError for fewer than 3 dimensions.
    """
    dim = input.dim()
    if dim < 3:
        raise value_error(f"Expected 3D or higher dimensionality input (got {dim} dimensions)")
    if input.is_complex():
        raise not_implemented_error(f"\"local_response_norm\" not implemented for '{scalar(input.dtype)}'")
    if not input._array.size:
        return input
    channels = input._array.shape[1]
    squares = pad(input * input, (*(0, 0) * (dim - 2), size // 2, (size - 1) // 2))
    total = squares.narrow(1, 0, channels)
    for first in range(1, size):
        total = total + squares.narrow(1, first, channels)
    return input / (total * (alpha / size) + k) ** beta


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

"""Normalizations as modules."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from minigrad.device import DeviceLike, check_device
from minigrad.dtypes import I64
from minigrad.dtypes import dtype as DType
from minigrad.errors import value_error, warn
from minigrad.functions.creation import ones, zeros
from minigrad.functions.norms import follow
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "CrossMapLRN2d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d",
    "InstanceNorm3d", "LayerNorm", "LocalResponseNorm", "RMSNorm", "SyncBatchNorm",
]  # fmt: skip


class _Scaled(Module):
    """A module with a weight that starts with ones, and a bias with zeros; or without them."""

    weight: Parameter | None
    bias: Parameter | None

    def _register(
        self, shape: tuple[int, ...], weight: bool, bias: bool, device: DeviceLike, dtype: DType | None
    ) -> None:
        check_device(device)
        self.register_parameter("weight", Parameter(ones(shape, dtype=dtype)) if weight else None)
        self.register_parameter("bias", Parameter(zeros(shape, dtype=dtype)) if bias else None)

    def reset_parameters(self) -> None:
        """Sets the weight to ones and the bias to zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class LayerNorm(_Scaled):
    """``(x - mean) / sqrt(variance + eps) * weight + bias`` over the last dimensions, of ``normalized_shape``."""

    _told = "*normalized_shape eps elementwise_affine bias?"

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._register(self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    single = isinstance(normalized_shape, (int, np.integer))
    return (int(normalized_shape),) if single else tuple(normalized_shape)  # type: ignore[arg-type]


class RMSNorm(Module):
    """``x / sqrt(mean(x**2) + eps) * weight`` over the last dimensions; ``eps`` None is the dtype's epsilon."""

    weight: Parameter | None
    _told = "*normalized_shape eps elementwise_affine"

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        check_device(device)
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = Parameter(ones(self.normalized_shape, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def reset_parameters(self) -> None:
        """Sets the weight to ones."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)


class GroupNorm(_Scaled):
    """Normalizes ``num_groups`` groups of channels of (N, C, ...) to mean 0 and variance 1, then scales by channel.

    ValueError unless ``num_channels`` is divisible by ``num_groups``.
    """

    _told = "*num_groups *num_channels eps affine bias?"

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: DeviceLike = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise value_error(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._register((num_channels,), affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)


class _Running(_Scaled):
    """What batch and instance norm share: running means and variances of the channels."""

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None
    ranks: ClassVar[tuple[int, ...]]
    _version = 2
    _told = "*num_features eps momentum affine bias? track_running_stats"

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: DeviceLike = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._register((num_features,), affine, affine and bias, device, dtype)
        track = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype) if track else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype) if track else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype=I64) if track else None)

    def reset_running_stats(self) -> None:
        """Sets the running means to 0, the variances to 1, and the count to 0."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Resets the running values too."""
        self.reset_running_stats()
        super().reset_parameters()

    def _upgrade_state(self, state: dict[str, Any], prefix: str, version: int | None) -> None:
        """States of PyTorch before 0.4.1 have no count of batches."""
        if (version is None or version < 2) and self.num_batches_tracked is not None:
            state.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in self.ranks:
            expected = " or ".join(f"{n}D" for n in self.ranks)
            raise value_error(f"expected {expected} input (got {input.dim()}D input)")


class _BatchNorm(_Running):
    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        share: Any = self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if share is None:  # the plain average of all batches
                share = 1.0 / self.num_batches_tracked.double()
        by_batch = self.training or (self.running_mean is None and self.running_var is None)
        averages = isinstance(share, Tensor)
        known = not averages and (not self.training or self.track_running_stats)
        running = (self.running_mean, self.running_var) if known else (None, None)
        how: Any = (by_batch, 0.0 if share is None or averages else share, self.eps)
        y = F.batch_norm(input, *running, self.weight, self.bias, *how)
        if averages:
            follow(input, self.running_mean, self.running_var, share)
        return y


class _InstanceNorm(_Running):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: DeviceLike = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = input.dim() == self.ranks[0]
        channels = input.shape[0 if single else 1]
        if channels != self.num_features:
            if self.affine:
                raise value_error(
                    f"expected input's size at dim={0 if single else 1} to match num_features ({self.num_features}), "
                    f"but got: {channels}."
                )
            warn(
                f"input's size at dim={0 if single else 1} does not match num_features. You can silence this warning "
                "by not passing in num_features, which is not used because affine=False"
            )
        x = input.unsqueeze(0) if single else input
        by_input = self.training or not self.track_running_stats
        how = (by_input, 0.0 if self.momentum is None else self.momentum, self.eps)
        y = F.instance_norm(x, self.running_mean, self.running_var, self.weight, self.bias, *how)
        return y.squeeze(0) if single else y


class SyncBatchNorm(_BatchNorm):
    """`BatchNorm1d` for (N, C, ...) that on graphics cards shares a batch's mean and variance among processes.

    On the CPU it is plain batch norm, as in PyTorch, and raises ValueError in training by several processes
    (`distributed`). ``process_group`` changes nothing.
    """

    process_group: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: DeviceLike = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")
        if input.size(1) == 0:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")
        processes = sys.modules.get("minigrad.distributed")
        if self.training and processes is not None and processes.is_initialized():
            raise ValueError(
                "SyncBatchNorm expected input tensor to be on GPU or XPU, and minigrad computes on the CPU: each "
                "process has the mean and variance of its own part with BatchNorm"
            )

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """The module with every batch norm in it replaced, with its own parameters and buffers; returns it."""
        converted = module
        if isinstance(module, _BatchNorm):
            how = (module.eps, module.momentum, module.affine, module.track_running_stats, process_group)
            converted = SyncBatchNorm(module.num_features, *how, bias=module.bias is not None)
            for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                setattr(converted, name, getattr(module, name))
            converted.training = module.training
        for name, child in module.named_children():
            converted.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return converted


class BatchNorm1d(_BatchNorm):
    """Normalizes each channel of (N, C) or (N, C, L) to mean 0 and variance 1 over the batch, then scales it.

    Training moves ``running_mean`` and ``running_var`` towards the batch's by the fraction ``momentum`` (None: plain
    averages). Evaluation uses them, or without ``track_running_stats`` the batch's.
    """

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` for (N, C, H, W)."""

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """`BatchNorm1d` for (N, C, D, H, W)."""

    ranks = (5,)


class InstanceNorm1d(_InstanceNorm):
    """Normalizes each channel of each example, (N, C, L) or (C, L), to mean 0 and variance 1; ``affine`` scales it."""

    ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` for (N, C, H, W) or (C, H, W)."""

    ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """`InstanceNorm1d` for (N, C, D, H, W) or (C, D, H, W)."""

    ranks = (4, 5)


class LocalResponseNorm(Module):
    """``x / (k + alpha * mean)**beta`` of (N, C, ...): the mean of the squares of the ``size`` nearest channels."""

    _told = "*size alpha beta k"

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)


class CrossMapLRN2d(LocalResponseNorm):
    """`LocalResponseNorm` of images (N, C, H, W) as Torch7 had it, for its weights.

    The channels are those at most ``(size - 1) // 2`` away, and the first, which stays for all behind it as in PyTorch.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() != 4:
            raise value_error(f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead.")
        squares, reach = input * input, (self.size - 1) // 2
        total = F.pad(squares, (0, 0, 0, 0, reach, reach)).unfold(1, 2 * reach + 1, 1).sum(-1)
        total[:, reach + 1 :] += squares[:, :1]
        return input / (total * (self.alpha / self.size) + self.k) ** self.beta

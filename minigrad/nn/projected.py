"""A linear map and the cross entropy of what it gives, as a module."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal

from minigrad.device import DeviceLike
from minigrad.dtypes import bfloat16, float16, float32, float64
from minigrad.dtypes import dtype as DType
from minigrad.nn._projected import linear_cross_entropy
from minigrad.nn.linear import Linear
from minigrad.nn.loss import _Loss
from minigrad.tensor import Tensor

__all__ = ["LinearCrossEntropyLoss", "LinearCrossEntropyOptions"]


@dataclasses.dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch is to compute `nn.functional.linear_cross_entropy` in chunks of the batch.

    The fields are checked as PyTorch checks them, and change nothing: here the scores are one array, and the
    gradient can be differentiated again. ValueError for a value that a field cannot have.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: Literal["accurate", "balanced", "compact", "auto"] = "auto"
    acc_dtype: DType | None = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method is not None and self.chunking_method != "auto":
            name, colon, factor = self.chunking_method.partition(":")
            if name != "aspect_ratio" or (colon and not (factor.isdigit() and int(factor) > 0)):
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size: Any = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype is not None and self.acc_dtype not in (float16, bfloat16, float32, float64):
            raise ValueError(f"acc_dtype must be None or an element type of floats, got {self.acc_dtype!r}")


class LinearCrossEntropyLoss(_Loss):
    """`nn.functional.linear_cross_entropy` with a `Linear` of its own.

    ``out_features`` are the sizes of the dimensions that a loss of several values has beside the batch's.
    RuntimeError for a ``weight`` of another shape than (num_classes,), or a smoothing outside of [0, 1].
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: DeviceLike = None,
        dtype: DType | None = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        if weight is not None and weight.shape != (num_classes,):
            raise RuntimeError(f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}")
        if not 0 <= label_smoothing <= 1.0:
            raise RuntimeError(f"expected label_smoothing to be in range [0, 1], got {label_smoothing}")
        super().__init__(None, None, reduction)
        self.register_buffer("weight", weight)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        size = num_classes * math.prod(out_features)
        self.linear = Linear(in_features, size, bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        linear, shape = self.linear, (self.num_classes, *self.out_features)
        named = ("weight", "reduction", "ignore_index", "label_smoothing", "options")
        how: Any = {name: getattr(self, name) for name in named}
        bias = None if linear.bias is None else linear.bias.reshape(shape)
        weight = linear.weight.reshape(*shape, linear.in_features)
        return linear_cross_entropy(input, weight, target, linear_bias=bias, **how)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, out_features={self.out_features}, "
            f"bias={self.linear.bias is not None}, reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )

"""Linear, Bilinear and Identity."""

from __future__ import annotations

import math

from minigrad.device import DeviceLike, check_device
from minigrad.dtypes import dtype as DType
from minigrad.errors import value_error
from minigrad.functions.creation import empty
from minigrad.functions.nn import plain_linear
from minigrad.gate import constructor
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

__all__ = ["Bilinear", "Identity", "Linear"]


class Identity(Module):
    """Returns its input; its constructor takes any arguments, so that it can stand in for any module."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


@constructor(check="none")
class Linear(Module):
    """``y = x @ weight.T + bias``, for x of shape (..., in_features) and y of shape (..., out_features).

    ``weight`` has shape (out_features, in_features), ``bias`` (out_features) or is None. Both start
    uniformly distributed in ±1/sqrt(in_features), drawn in PyTorch's order (weight, then bias).
    RuntimeError for an input whose last size or element type does not fit.
    """

    in_features: int
    out_features: int
    weight: Parameter
    bias: Parameter | None
    _told = "in_features out_features bias?"

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        check_device(device)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in_features), dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        # With a = sqrt(5) the gain is 1/sqrt(3) and the bound of kaiming_uniform_ becomes 1/sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        # The table is faster than `Module.__getattr__`, and a gate in front of `linear` costs 5 % of a small layer.
        own = self._parameters
        weight = own.get("weight")
        if weight is None or "bias" not in own or input.__class__ is not Tensor:
            return F.linear(input, self.weight, self.bias)
        return plain_linear(input, weight, own["bias"])


class Bilinear(Module):
    """``x1 @ weight[k] @ x2 + bias[k]`` for each k: (..., in1) and (..., in2) to (..., out).

    ``weight`` is (out_features, in1_features, in2_features). Both start uniformly distributed in ±1/sqrt(in1_features).
    """

    weight: Parameter
    bias: Parameter | None
    _told = "in1_features in2_features out_features bias?"

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        check_device(device)
        if in1_features <= 0:
            raise value_error(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in1_features, in2_features), dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

"""PyTorch's names for kinds of arguments, for annotations and ``isinstance``."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TypeAlias

from minigrad import dtypes
from minigrad.core.size import Size as Size
from minigrad.device import DeviceLike, device
from minigrad.storage import UntypedStorage as Storage
from minigrad.tensor import Tensor

__all__ = ["Device", "Number", "Storage"]

Number: TypeAlias = int | float | bool
Device: TypeAlias = DeviceLike
# The names that PyTorch's own annotations use.
_int, _float, _bool, _str, _bytes, _complex = (
    builtins.int, builtins.float, builtins.bool, builtins.str, builtins.bytes, builtins.complex,
)  # fmt: skip
_dtype, _device = dtypes.dtype, device
_size: TypeAlias = Size | list[int] | tuple[int, ...]
_Number = (int, float, bool)
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]

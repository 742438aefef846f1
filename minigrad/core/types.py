"""What users may pass, by name: the types in the signatures of public functions."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import Any, SupportsIndex, TypeAlias

import numpy as np

from minigrad.core.op import Array
from minigrad.core.tensor import Tensor

# Python's bool, where a method of Tensor has taken its name.
Flag: TypeAlias = bool
Number: TypeAlias = "int | float | bool"
Operand: TypeAlias = "Tensor | Number | complex | Array | np.generic"
# Of Tensors, those of one number.
NumberLike: TypeAlias = "Tensor | Number | complex | np.generic"
Dim: TypeAlias = "int | Sequence[int] | None"
Sizes: TypeAlias = "int | Sequence[int]"
# Or a tuple of them.
Index: TypeAlias = "SupportsIndex | slice | EllipsisType | Array | Sequence[Any] | None"

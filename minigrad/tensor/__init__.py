"""The methods of `Tensor`: a file has a family of them, and puts it on the class. No calculus is done here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.core.size import Size as Size
from minigrad.core.tensor import Tensor as Tensor
from minigrad.tensor import (
    change as change, convert as convert, copies as copies, gradient as gradient, interchange as interchange,
    operators as operators, places as places, shared as shared, subclasses as subclasses, ufuncs as ufuncs,
    value as value,
)  # fmt: skip

# Pickles name it by this place.
from minigrad.tensor.copies import _restore as _restore

if TYPE_CHECKING:
    from typing_extensions import TypeIs


def is_tensor(obj: object) -> TypeIs[Tensor]:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)

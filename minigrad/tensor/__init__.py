"""The methods of `Tensor`: a file has a family of them, and puts it on the class. No calculus is done here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.core.size import Size as Size
from minigrad.core.tensor import Tensor as Tensor
from minigrad.tensor import change as change
from minigrad.tensor import convert as convert
from minigrad.tensor import copies as copies
from minigrad.tensor import gradient as gradient
from minigrad.tensor import interchange as interchange
from minigrad.tensor import operators as operators
from minigrad.tensor import places as places
from minigrad.tensor import shared as shared
from minigrad.tensor import subclasses as subclasses
from minigrad.tensor import ufuncs as ufuncs
from minigrad.tensor import value as value

# Pickles name it by this place.
from minigrad.tensor.copies import _restore as _restore

if TYPE_CHECKING:
    from typing_extensions import TypeIs


def is_tensor(obj: object) -> TypeIs[Tensor]:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)

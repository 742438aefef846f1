"""Conditions on values, on which a recorded function depends."""

from __future__ import annotations

from typing import Any

from minigrad.core.apply import apply, fails_by_values
from minigrad.core.mode import MODE
from minigrad.core.op import Array, Op
from minigrad.core.tensor import Tensor


def _ensured(holds: Array) -> Array:
    if not holds.all():
        raise ValueError("values do not satisfy a condition")
    return holds


# In a replay: then the function itself is run, which raises in its own words. Numba cannot raise, and leaves it out.
_ensure = Op("ensure", _ensured, "holds", raises=True, order="K", numba="{}", listed=False, batch="leading")


def everywhere(holds: Any) -> bool:
    """Whether a condition holds for all values; of a recorded function each replay asks again."""
    if type(holds) is not Tensor:
        return bool(holds.all())
    if holds._array.all():
        if MODE.get().recorder is not None:
            apply(_ensure, (holds,))
        return True
    fails_by_values("a check of values")
    return False

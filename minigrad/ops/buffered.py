"""Kernels that write large results into memory that is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import buffers
from minigrad.core.text import Call, Text, TextOf

LARGE = 1 << 15  # elements from which memory that is new to the system costs more than to look for a buffer


def buffered(kernel: Callable[..., Any], like: int = 0) -> Callable[..., Any]:
    """A kernel that takes ``out``, an array of the shape and type of an operand, called with a buffer for it."""

    def run(*arrays: Any, **params: Any) -> Any:
        x = arrays[like]
        if x.size < LARGE or x.dtype.char == "e":
            return kernel(*arrays, **params)
        return kernel(*arrays, **params, out=buffers.empty(x.shape, x.dtype))

    return run


def called(kernel: Callable[..., Any]) -> TextOf:
    """`Op.text`: a call of the kernel itself."""

    def text(v: Call) -> Text:
        # Under names of their own: of a `dim` in a text, a tuple of one dimension becomes a number.
        places = ["{}"] * len(v.shapes) + [f"{name}={{its_{name}}}" for name in v.params]
        values = {f"its_{name}": value for name, value in v.params.items()}
        return f"{{kernel}}({', '.join(places)})", {"kernel": kernel, **values}

    return text

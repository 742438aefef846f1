"""What the forms of operations write to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Out(Protocol):
    """What a form writes to. ``node`` is the record; ``twin`` is that of a larger batch."""

    node: Any
    twin: Any
    parts: dict[Any, list[str]]

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Adds an operator and returns the name of its result."""

    def several(self, operator: str, inputs: Sequence[str], count: int, **attributes: Any) -> list[str]:
        """Adds an operator of several results and returns their names."""

    def array(self, values: Any, dtype: Any = None) -> str:
        """The name of a constant, by default of the type of the first input."""

    def sized(self, sizes: Sequence[Any]) -> str:
        """The name of a vector of sizes, where -1 stands for that of the batch."""

    def is_batch(self, size: int, twin: int) -> bool:
        """Whether a size of both runs is that of the batch."""

    def type(self, dtype: Any) -> int:
        """ONNX's number of an element type."""

    def refuse(self, why: str) -> Exception:
        """What is raised for an operation without a form."""

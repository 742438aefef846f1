"""Functions that are printed: what a call of a recording does around its plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Names:
    """The objects that printed functions read, each by a name; ``space`` holds them."""

    def __init__(self, **known: Any) -> None:
        self.space: dict[str, Any] = known

    def name(self, value: Any) -> str:
        """The name of an object."""
        name = f"v{len(self.space)}"
        self.space[name] = value
        return name

    def function(self, arguments: str, result: str, lines: Sequence[str] = ()) -> Any:
        """A function that runs ``lines`` and returns ``result``."""
        body = "".join(f"    {line}\n" for line in (*lines, f"return {result}"))
        exec(f"def printed({arguments}):\n{body}", self.space)
        return self.space.pop("printed")  # which holds the names, so they must not hold it

"""The only device."""

from __future__ import annotations

from typing import Any, TypeAlias


class device:
    """Where data lives: always the CPU. Compares with its name and prints as PyTorch's."""

    __slots__ = ("index", "type")

    def __init__(self, type: device | str = "cpu", index: int | None = None) -> None:
        name = getattr(type, "type", type)
        if str(name).partition(":")[0] != "cpu":
            raise RuntimeError(f"minigrad computes on the CPU only; there is no device {type!r}")
        self.type, self.index = "cpu", index

    def __repr__(self) -> str:
        return f"device(type='{self.type}')"

    def __str__(self) -> str:
        return self.type

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) or other == "cpu"

    def __hash__(self) -> int:
        return hash("cpu")

    def __reduce__(self) -> Any:
        return device, (self.type, self.index)


DeviceLike: TypeAlias = "device | str | None"

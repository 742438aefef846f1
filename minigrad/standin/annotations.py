"""``torch.jit.annotations``: where older scripts take the names of types from."""
# ruff: noqa: UP035

from typing import Any, Dict, List, Optional, Tuple, Union

__all__ = [
    "Any", "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "Dict", "List", "Optional", "Tuple", "Union",
]  # fmt: skip


class _BroadcastingList:
    """``BroadcastingList2[int]`` annotates what may be a number or a list of two; nothing looks at it here."""

    def __getitem__(self, types: Any) -> None:
        return None


BroadcastingList1, BroadcastingList2, BroadcastingList3 = (_BroadcastingList() for _ in range(3))

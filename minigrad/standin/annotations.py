"""``torch.jit.annotations``: where older scripts take the names of types from."""
# ruff: noqa: UP006, UP035

from typing import Any, Dict, List, Optional, Tuple, Union

BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = List

__all__ = [
    "Any", "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "Dict", "List", "Optional", "Tuple", "Union",
]  # fmt: skip

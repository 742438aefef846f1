"""``torch.jit.annotations``: where older scripts take the names of types from."""
# ruff: noqa: UP035

from typing import Any, Dict, List, Optional, Tuple, Union

__all__ = ["Any", "Dict", "List", "Optional", "Tuple", "Union"]

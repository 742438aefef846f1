"""What PyTorch is to do one day when a module changes its dtype: here parameters stay the objects that they are."""

from __future__ import annotations

from minigrad.settings import _values

__all__ = [
    "get_overwrite_module_params_on_conversion", "get_swap_module_params_on_conversion",
    "set_overwrite_module_params_on_conversion", "set_swap_module_params_on_conversion",
]  # fmt: skip


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """Accepted, and remembered."""
    _values["overwrite_params"] = value


def get_overwrite_module_params_on_conversion() -> bool:
    """What `set_overwrite_module_params_on_conversion` was last called with."""
    return _values["overwrite_params"]


def set_swap_module_params_on_conversion(value: bool) -> None:
    """Accepted, and remembered."""
    _values["swap_params"] = value


def get_swap_module_params_on_conversion() -> bool:
    """What `set_swap_module_params_on_conversion` was last called with."""
    return _values["swap_params"]

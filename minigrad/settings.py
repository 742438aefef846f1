"""Settings of PyTorch's that change nothing here: what is computed is the same each time, in full precision."""

from __future__ import annotations

from minigrad.errors import runtime_error, type_error

__all__ = [
    "are_deterministic_algorithms_enabled", "get_float32_matmul_precision", "get_num_interop_threads",
    "is_deterministic_algorithms_warn_only_enabled", "set_float32_matmul_precision", "set_num_interop_threads",
    "use_deterministic_algorithms",
]  # fmt: skip

_values = {"deterministic": False, "warn_only": False}
_precision = ["highest"]


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted, and remembered: every operation of minigrad gives the same each time anyway. TypeError for no bool."""
    if not isinstance(mode, bool):
        raise type_error(
            f"use_deterministic_algorithms(): argument 'mode' must be bool, not {type(mode).__name__}"
        )
    _values["deterministic"], _values["warn_only"] = mode, mode and warn_only


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was last called with."""
    return _values["deterministic"]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was last called with ``warn_only``."""
    return _values["warn_only"]


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted, and remembered: products are computed in float32. RuntimeError for another name."""
    if precision not in ("highest", "high", "medium"):
        raise runtime_error(f"float32 matmul precision is 'highest', 'high' or 'medium', got {precision!r}")
    _precision[0] = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was last called with."""
    return _precision[0]


def set_num_interop_threads(num: int) -> None:
    """Accepted: operations run one after the other. RuntimeError unless ``num`` is a positive int."""
    if type(num) is not int or num <= 0:
        raise runtime_error(f"set_num_interop_threads expects a positive integer, but got {num!r}")


def get_num_interop_threads() -> int:
    """1: operations run one after the other."""
    return 1

"""Settings of PyTorch's that change nothing here: what is computed is the same each time, in full precision."""

from __future__ import annotations

from minigrad.errors import runtime_error, type_error

__all__ = [
    "are_deterministic_algorithms_enabled", "get_deterministic_debug_mode", "get_float32_matmul_precision",
    "get_num_interop_threads", "is_deterministic_algorithms_warn_only_enabled", "is_warn_always_enabled",
    "set_deterministic_debug_mode", "set_float32_matmul_precision", "set_flush_denormal", "set_num_interop_threads",
    "set_warn_always", "use_deterministic_algorithms",
]  # fmt: skip

_values = {
    "deterministic": False,
    "warn_only": False,
    "warn_always": False,
    "overwrite_params": False,
    "swap_params": False,
}
_precision = ["highest"]


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted, and remembered: every operation of minigrad gives the same each time anyway.

    TypeError for anything but bools.
    """
    for name, flag in (("mode", mode), ("warn_only", warn_only)):
        if not isinstance(flag, bool):
            raise type_error(
                f"use_deterministic_algorithms(): argument {name!r} must be bool, not {type(flag).__name__}"
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


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by number or word: 0 "default", 1 "warn", 2 "error".

    RuntimeError for another number or word, TypeError for anything else.
    """
    if not isinstance(debug_mode, (int, str)):
        raise type_error(f"debug_mode must be str or int, but got {type(debug_mode).__name__}")
    modes = ("default", "warn", "error")
    mode = modes.index(debug_mode) if debug_mode in modes else debug_mode
    if mode not in (0, 1, 2):
        raise runtime_error(f"a debug mode is 0 to 2, 'default', 'warn' or 'error', got {debug_mode!r}")
    use_deterministic_algorithms(mode != 0, warn_only=mode == 1)


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2: what `set_deterministic_debug_mode` or `use_deterministic_algorithms` was last called with."""
    return 0 if not _values["deterministic"] else 1 if _values["warn_only"] else 2


def set_warn_always(b: bool) -> None:
    """Accepted, and remembered: which warnings are shown is up to Python's filters.

    RuntimeError for anything but a bool.
    """
    if not isinstance(b, bool):
        raise runtime_error(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _values["warn_always"] = b


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` was last called with."""
    return _values["warn_always"]


def set_flush_denormal(mode: bool) -> bool:
    """False: NumPy has no such setting."""
    return False

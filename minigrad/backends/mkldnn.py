"""Intel's library for layers, which is not here. The flags can be set and mean nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager

from minigrad.backends._flags import held

VERBOSE_OFF, VERBOSE_ON, VERBOSE_ON_CREATION = 0, 1, 2
allow_tf32 = True
deterministic = False
enabled = True
fp32_precision = "none"


def is_available() -> bool:
    """False."""
    return False


is_acl_available = is_available


class verbose:
    """A context that prints nothing."""

    def __init__(self, level: int) -> None:
        self.level = level

    def __enter__(self) -> verbose:
        return self

    def __exit__(self, *exc: object) -> None: ...


def flags(
    enabled: bool = False, deterministic: bool = False, allow_tf32: bool = True, fp32_precision: str = "none"
) -> AbstractContextManager[None]:
    """A context with other flags."""
    return held(
        globals(),
        enabled=enabled,
        deterministic=deterministic,
        allow_tf32=allow_tf32,
        fp32_precision=fp32_precision,
    )

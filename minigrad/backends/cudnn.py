"""The convolutions of NVIDIA's library, which is not here.

The flags can be set and mean nothing: what minigrad computes is the same each time, and there is nothing to try out.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from minigrad.backends._flags import held

allow_tf32 = True
benchmark = False
benchmark_limit: int | None = None
deterministic = False
enabled = True


def is_available() -> bool:
    """False."""
    return False


def version() -> int | None:
    """None."""
    return None


def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int | None = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
    fp32_precision: str = "none",
    depthwise_kernel: str = "auto",
) -> AbstractContextManager[None]:
    """A context with other flags; those that are not given take the defaults shown here."""
    return held(
        globals(), enabled=enabled, benchmark=benchmark, benchmark_limit=benchmark_limit,
        deterministic=deterministic, allow_tf32=allow_tf32,
    )  # fmt: skip

"""Graphics cards, of which there is none. What can be set is remembered, and means nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

matmul = SimpleNamespace(
    allow_tf32=False, allow_fp16_reduced_precision_reduction=True, allow_bf16_reduced_precision_reduction=True
)
# Which of PyTorch's kernels of attention a script has switched on.
_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built() -> bool:
    """False."""
    return False


is_flash_attention_available = is_built


def enable_flash_sdp(enabled: bool) -> None:
    """Remembered; `scaled_dot_product_attention` computes as before."""
    _attention["flash"] = bool(enabled)


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """As `enable_flash_sdp`."""
    _attention["mem_efficient"] = bool(enabled)


def enable_math_sdp(enabled: bool) -> None:
    """As `enable_flash_sdp`."""
    _attention["math"] = bool(enabled)


def enable_cudnn_sdp(enabled: bool) -> None:
    """As `enable_flash_sdp`."""
    _attention["cudnn"] = bool(enabled)


def flash_sdp_enabled() -> bool:
    """What was set last; True before."""
    return _attention["flash"]


def mem_efficient_sdp_enabled() -> bool:
    """What was set last; True before."""
    return _attention["mem_efficient"]


def math_sdp_enabled() -> bool:
    """What was set last; True before."""
    return _attention["math"]


def cudnn_sdp_enabled() -> bool:
    """What was set last; True before."""
    return _attention["cudnn"]


@contextmanager
def sdp_kernel(
    enable_flash: bool = True,
    enable_math: bool = True,
    enable_mem_efficient: bool = True,
    enable_cudnn: bool = True,
) -> Iterator[None]:
    """The older name of `minigrad.nn.attention.sdpa_kernel`: inside, the flags say something else."""
    before = dict(_attention)
    _attention.update(
        flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn
    )
    try:
        yield
    finally:
        _attention.update(before)

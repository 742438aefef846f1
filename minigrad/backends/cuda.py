"""Graphics cards, of which there is none. What can be set is remembered, and means nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from minigrad.hints import module_getattr as _module_getattr

matmul = SimpleNamespace(
    allow_tf32=False, allow_fp16_reduced_precision_reduction=True, allow_bf16_reduced_precision_reduction=True,
    fp32_precision="none",
)  # fmt: skip
# Which of PyTorch's kernels of attention a script has switched on.
_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built() -> bool:
    """False."""
    return False


is_flash_attention_available = is_built


def _switch(kernel: str) -> tuple[Callable[[bool], None], Callable[[], bool]]:
    def enable(enabled: bool) -> None:
        """Remembered; `scaled_dot_product_attention` computes as before."""
        _attention[kernel] = bool(enabled)

    def is_enabled() -> bool:
        """What was set last; True before."""
        return _attention[kernel]

    enable.__name__ = enable.__qualname__ = f"enable_{kernel}_sdp"
    is_enabled.__name__ = is_enabled.__qualname__ = f"{kernel}_sdp_enabled"
    return enable, is_enabled


enable_flash_sdp, flash_sdp_enabled = _switch("flash")
enable_mem_efficient_sdp, mem_efficient_sdp_enabled = _switch("mem_efficient")
enable_math_sdp, math_sdp_enabled = _switch("math")
enable_cudnn_sdp, cudnn_sdp_enabled = _switch("cudnn")


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


_module_getattr(globals())

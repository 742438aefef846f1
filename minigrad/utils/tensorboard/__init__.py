"""What a training run tells TensorBoard: PyTorch's ``utils.tensorboard``."""

from typing import TYPE_CHECKING

from minigrad.hints import module_getattr

if TYPE_CHECKING:
    from minigrad.utils.tensorboard.writer import SummaryWriter as SummaryWriter

__all__ = module_getattr(globals(), {"writer": "SummaryWriter"})

"""What a registered hook is taken off with, under the name of ``torch.utils.hooks``."""

from minigrad.core.hooks import RemovableHandle as RemovableHandle

__all__ = ["RemovableHandle"]

"""The handle that removes a registered hook, under the name of ``torch.utils.hooks``."""

from minigrad.core.hooks import RemovableHandle as RemovableHandle

__all__ = ["RemovableHandle"]

"""DLPack under the names of ``torch.utils.dlpack``."""

from minigrad.functions.exchange import from_dlpack as from_dlpack
from minigrad.functions.exchange import to_dlpack as to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]

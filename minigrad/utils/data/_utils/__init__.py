"""Where PyTorch has what a `DataLoader` works with. Names only."""

from minigrad.utils.data import collate as collate
from minigrad.utils.data import info as worker

__all__ = ["collate", "worker"]

"""Who is measured: a name, the package it needs, and the file here that does the same work with it."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, NamedTuple


class Peer(NamedTuple):
    """``module`` has ``about()``, and ``chain`` and ``step`` as far as the peer can do them.

    ``compiles`` says that it is minigrad's compiled step.
    """

    name: str
    package: str
    module: str
    also: tuple[str, ...] = ()
    compiles: bool = False

    def installed(self) -> bool:
        return all(importlib.util.find_spec(name) is not None for name in (self.package, *self.also))

    def load(self) -> Any:
        return importlib.import_module(f"peers.{self.module}")


PEERS = (
    Peer("minigrad", "minigrad", "by_minigrad"),
    Peer("compiled", "minigrad", "by_compiled", compiles=True),
    Peer("numba", "numba", "by_numba", also=("scipy",), compiles=True),
    Peer("threads", "threadpoolctl", "by_threads", compiles=True),
    Peer("by hand", "numpy", "by_hand"),
    Peer("torch", "torch", "by_torch"),
    Peer("autograd", "autograd", "by_autograd"),
    Peer("mygrad", "mygrad", "by_mygrad"),
    Peer("jax", "jax", "by_jax"),
)
BY_NAME = {peer.name: peer for peer in PEERS}

"""The names that only PyTorch has, by place."""

from __future__ import annotations

from minigrad.hints.names import NAMES

# Beside `NAMES`: what PyTorch's modules have once they are scripted or traced.
_BEYOND = {"minigrad.nn.Module": ("code", "graph", "inlined_graph", "save", "save_to_buffer")}


def theirs(place: str) -> list[str]:
    """The names that only PyTorch has in ``place``."""
    return [*NAMES.get(place.replace("minigrad", "torch", 1), "").split(), *_BEYOND.get(place, ())]

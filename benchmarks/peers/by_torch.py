"""PyTorch, eager, on the CPU."""

from typing import Any

import torch

from peers import torch_api

package = torch
chain, step = torch_api.use(torch)


def about() -> str:
    return f"torch {torch.__version__}"


def threads() -> str:
    return f"{torch.get_num_threads()} threads"


def long(length: int) -> dict[str, Any]:
    return torch_api.long(torch, length)


def peak(batch: int, dtype: str) -> dict[str, Any]:
    return torch_api.peak(torch, batch, dtype)


def kept(batch: int, dtype: str) -> int:
    """Bytes of what PyTorch says that it saves, each memory once, without what was there before."""
    loss_of, net, x, target = torch_api.model(torch, batch, dtype)
    there = {t.untyped_storage().data_ptr() for t in (*net.parameters(), x, target)}
    saved: dict[int, int] = {}

    def note(t: torch.Tensor) -> torch.Tensor:
        storage = t.untyped_storage()
        if storage.data_ptr() not in there:
            saved[storage.data_ptr()] = storage.nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(note, lambda t: t):
        loss = loss_of(x, target)
    assert loss.requires_grad
    return sum(saved.values())

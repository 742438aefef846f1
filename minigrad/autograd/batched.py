"""Batches of gradients: one backward pass for each."""

from __future__ import annotations

from typing import Any

from minigrad import autograd
from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.errors import index_error, runtime_error, value_error
from minigrad.ops.shape import stack


def grads(
    outputs: Any, grad_outputs: Any, inputs: Any, retain: bool | None, create: bool, unused: Any, fill: bool
) -> Any:
    """What `autograd.grad` gives with ``is_grads_batched``: it is called for each element of ``grad_outputs``.

    RuntimeError without gradients, ValueError for those without a dimension in front or of several lengths,
    IndexError for empty batches.
    """
    one = isinstance(grad_outputs, Tensor)
    batches = [grad_outputs] if one else list(grad_outputs or ())
    if not any(isinstance(g, Tensor) for g in batches):
        raise runtime_error("grad(): is_grads_batched=True needs grad_outputs, a batch for each output")
    if not all(isinstance(g, Tensor) and g.dim() for g in batches):
        raise value_error(
            "grad(): with is_grads_batched=True each of grad_outputs is a batch, with a dimension in front"
        )
    lengths = [len(g) for g in batches]
    if len({*lengths}) > 1:
        raise value_error(f"grad(): the batches of grad_outputs have several lengths: {lengths}")
    if not lengths[0]:
        raise index_error("grad(): with is_grads_batched=True the batches of grad_outputs must not be empty")
    keep = create if retain is None else retain
    passes = []
    for i in range(lengths[0]):
        seeds = [g[i] for g in batches]
        passes.append(
            autograd.grad(
                outputs, inputs, seeds[0] if one else seeds, keep or i + 1 < lengths[0], create,
                allow_unused=unused, materialize_grads=fill,
            )
        )  # fmt: skip
    if isinstance(passes[0], dict):
        return {name: _stacked([p[name] for p in passes]) for name in passes[0]}
    return tuple(map(_stacked, zip(*passes, strict=True)))


def _stacked(gradients: Any) -> Tensor | None:
    return None if gradients[0] is None else apply(stack, tuple(gradients), {"dim": 0})

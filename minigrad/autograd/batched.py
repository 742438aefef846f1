"""Batches of gradients."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

from minigrad import autograd
from minigrad.autograd.at_once import OneByOne, each
from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.errors import index_error, runtime_error, value_error
from minigrad.ops.shape import cat


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
    keep, count = create if retain is None else retain, lengths[0]

    def passed(keep: bool, *seeds: Tensor) -> list[Tensor | None]:
        chosen = seeds[0] if one else seeds
        found = autograd.grad(
            outputs, inputs, chosen, keep, create, allow_unused=unused, materialize_grads=fill
        )
        return [*(found.values() if isinstance(found, dict) else found)]

    # The last pass frees the graph.
    several = count if keep else count - 1
    passes: list[list[Tensor | None]] = []
    if several > 1:
        with contextlib.suppress(OneByOne):
            passes.append(each(functools.partial(passed, True), *[g[:several] for g in batches]))
    for i in range(several if passes else 0, count):
        row = passed(keep or i + 1 < count, *[g[i] for g in batches])
        passes.append([None if t is None else t.unsqueeze(0) for t in row])
    gradients = [
        None if column[0] is None else apply(cat, column, {"dim": 0}) for column in zip(*passes, strict=True)
    ]
    return dict(zip(inputs, gradients, strict=True)) if isinstance(inputs, dict) else tuple(gradients)

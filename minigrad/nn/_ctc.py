"""The loss of connectionist temporal classification, as `minigrad.nn.functional` offers it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.apply import apply, needs_value
from minigrad.core.tensor import wrap
from minigrad.errors import not_implemented_error, runtime_error, type_error
from minigrad.functions.elementwise import where
from minigrad.gate import public
from minigrad.nn._reductions import weighted
from minigrad.ops import ctc as ops
from minigrad.tensor import Tensor

__all__ = ["ctc_loss"]


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """``-log`` of the probability that sequences show their targets, with repeats and blanks between.

    ``log_probs`` (T, N, C) or (T, C) are logarithms of probabilities, ``targets`` classes (N, S), or those of all
    sequences one behind the other. The lengths (N) are Tensors of integers, or tuples. "mean" divides each loss by its
    target's length first. A target that does not fit has loss inf, 0 with ``zero_infinity``. RuntimeError for shapes,
    lengths and classes that do not fit.

    The gradient is that by ``log_probs``; PyTorch's has ``exp(log_probs)`` added, which `log_softmax` removes again.
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction; expected 'none', 'mean' or 'sum'")
    x, single = log_probs, log_probs.dim() == 2 and targets.dim() < 2
    if single:
        x, targets = x.unsqueeze(1), targets.unsqueeze(0) if targets.dim() else targets
    shape = x._array.shape
    if not x._array.size:
        raise runtime_error("log_probs tensor must not be empty")
    if x._array.dtype.char not in "fd":
        raise not_implemented_error(f'"ctc_loss" not implemented for {x.dtype}')
    if len(shape) != 3:
        raise runtime_error(
            f"Expected 3-dimensional tensor, but got {len(shape)}-dimensional tensor for log_probs"
        )
    lengths = _lengths("input", input_lengths, shape[1])
    sizes = _lengths("target", target_lengths, shape[1])
    if not 0 <= blank < shape[2]:
        raise runtime_error(f"blank must be in label range, of {shape[2]} classes; got {blank}")
    padded = _padded(targets, sizes, shape[1])
    losses: Tensor = apply(ops.ctc, (x, padded, lengths, sizes), {"blank": int(blank)})
    if zero_infinity:
        losses = where(losses.isinf(), 0.0, losses)
    if reduction == "mean":
        losses = losses / sizes.clamp_min(1).to(losses.dtype)
    return weighted(losses.squeeze(0) if single else losses, None, reduction)


def _lengths(name: str, lengths: Any, n: int) -> Tensor:
    if not isinstance(lengths, Tensor):
        if not isinstance(lengths, (tuple, list)):
            raise type_error(
                f"ctc_loss(): {name}_lengths must be a Tensor or a tuple of ints, not {lengths!r}"
            )
        lengths = wrap(np.array(lengths, np.int64))
    if lengths._array.dtype.kind not in "iu":
        raise runtime_error(f"{name}_lengths must be integral")
    if lengths._array.size != n:
        raise runtime_error(f"{name}_lengths must be of size batch_size, {n}; got {lengths._array.size}")
    flat: Tensor = lengths.reshape(-1)
    return flat


def _padded(targets: Tensor, sizes: Tensor, n: int) -> Tensor:
    """Targets as rows."""
    t = targets._array
    if t.ndim not in (1, 2):
        raise runtime_error(f"Expected 1 to 2 dimensions, but got {t.ndim}-dimensional tensor for targets")
    if t.dtype.kind not in "iu":
        raise runtime_error(f"ctc_loss(): targets must be integers, got {targets.dtype}")
    if t.ndim == 2:
        if len(t) != n:
            raise runtime_error(
                f"Expected tensor to have size {n} at dimension 0, but got size {len(t)} for targets"
            )
        return targets
    needs_value("ctc_loss() of targets one behind the other")
    counts = sizes._array
    if (counts < 0).any():
        raise runtime_error(f"Expected target_lengths to have value at least 0, but got value {counts.min()}")
    if counts.sum() != t.size:
        raise runtime_error(
            f"Expected tensor to have size {counts.sum()} at dimension 0, but got size {t.size} for targets"
        )
    rows = np.zeros((n, counts.max(initial=0)), np.int64)
    rows[np.arange(rows.shape[1]) < counts[:, None]] = t
    return wrap(rows)


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

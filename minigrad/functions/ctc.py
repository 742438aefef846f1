"""The losses of connectionist temporal classification."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.apply import apply, needs_value
from minigrad.core.tensor import Tensor, wrap
from minigrad.dtypes import scalar
from minigrad.errors import not_implemented_error, runtime_error, type_error
from minigrad.ops import ctc as ops

__all__: list[str] = []


def losses(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int
) -> tuple[Tensor, Tensor]:
    """The loss of each sequence, and the lengths of their targets. RuntimeError for what does not fit."""
    x, single = log_probs, log_probs.dim() == 2 and targets.dim() < 2
    if single:
        x, targets = x.unsqueeze(1), targets.unsqueeze(0) if targets.dim() else targets
    shape = x._array.shape
    if not x._array.size:
        raise runtime_error("log_probs tensor must not be empty")
    if x._array.dtype.char not in "fd":
        raise not_implemented_error(f"\"ctc_loss\" not implemented for '{scalar(x.dtype)}'")
    if len(shape) != 3:
        raise runtime_error(
            f"Expected 3-dimensional tensor, but got {len(shape)}-dimensional tensor for log_probs"
        )
    lengths = _lengths("input", input_lengths, shape[1])
    sizes = _lengths("target", target_lengths, shape[1])
    if not 0 <= blank < shape[2]:
        raise runtime_error(f"blank must be in label range, of {shape[2]} classes; got {blank}")
    padded = _padded(targets, sizes, shape[1])
    y: Tensor = apply(ops.ctc, (x, padded, lengths, sizes), {"blank": int(blank)})
    return (y.squeeze(0), sizes.squeeze(0)) if single else (y, sizes)


def _lengths(name: str, lengths: Any, n: int) -> Tensor:
    if not isinstance(lengths, Tensor):
        listed = isinstance(lengths, (tuple, list))
        if not listed or not all(hasattr(type(n), "__index__") for n in lengths):
            raise type_error(
                f"ctc_loss(): {name}_lengths must be a Tensor or a tuple of ints, not {lengths!r}"
            )
        lengths = wrap(np.array(lengths, np.int64))
    if lengths._array.dtype.kind not in "iu":
        raise runtime_error(f"{name}_lengths must be integral")
    if lengths._array.size != n:
        raise runtime_error(f"{name}_lengths must be of size batch_size, {n}; got {lengths._array.size}")
    return lengths.reshape(-1)


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

"""The loss of connectionist temporal classification, as `minigrad.nn.functional` offers it."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.errors import value_error
from minigrad.functions import ctc as functions
from minigrad.functions.elementwise import where
from minigrad.gate import public
from minigrad.nn._reductions import reduced
from minigrad.tensor import Tensor

__all__ = ["ctc_loss"]


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Connectionist temporal classification: ``-log`` of the probability of the targets, with repeats and blanks.

    ``log_probs`` (T, N, C) or (T, C) are log probabilities, ``targets`` are classes (N, S), or those of all
    sequences concatenated. The lengths (N) are Tensors of integers, or tuples. "mean" divides each loss by its
    target's length first. A target that does not fit has loss inf, 0 with ``zero_infinity``. RuntimeError for shapes,
    lengths and classes that do not fit, ValueError for another reduction.

    The gradient is that by ``log_probs``; PyTorch's has ``exp(log_probs)`` added, which `log_softmax` removes again.
    """
    if reduction not in ("none", "mean", "sum"):
        raise value_error(f"{reduction} is not a valid value for reduction; expected 'none', 'mean' or 'sum'")
    losses, sizes = functions.losses(log_probs, targets, input_lengths, target_lengths, blank)
    if zero_infinity:
        losses = where(losses.isinf(), 0.0, losses)
    if reduction == "mean":
        losses = losses / sizes.clamp_min(1).to(losses.dtype)
    return reduced(losses, reduction)


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

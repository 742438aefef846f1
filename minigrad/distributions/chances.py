"""Probabilities and their logarithms, each computed from the other when it is first read."""

from __future__ import annotations

from typing import Any

from minigrad.core.size import Size
from minigrad.core.tensor import Tensor
from minigrad.distributions.utils import (
    broadcast_all,
    lazy_property,
    logits_to_probs,
    one_of,
    probs_to_logits,
)


class _Either:
    """A family with either `probs` or `logits`."""

    @property
    def param_shape(self) -> Size:
        """The shape of `probs`."""
        values = vars(self)
        return Size((values["probs"] if "probs" in values else values["logits"]).shape)


class Odds(_Either):
    """Of single trials: `probs` of success, and `logits`, their log odds."""

    def _set(self, probs: Any, logits: Any, *others: Any) -> Tensor:
        """Sets the one that is not None, in the shape that it has together with others, and returns it."""
        name = one_of(self, probs=probs, logits=logits)
        value = broadcast_all(probs if name == "probs" else logits, *others)[0]
        setattr(self, name, value)
        return value

    @lazy_property
    def logits(self) -> Tensor:
        """The log odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return logits_to_probs(self.logits, is_binary=True)


class Weights(_Either):
    """Of categories, in the last dimension: `probs`, which sum to 1, and `logits`, their logarithms."""

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return logits_to_probs(self.logits)

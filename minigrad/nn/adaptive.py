"""Softmax over many classes, the rare ones in clusters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from minigrad.core.apply import needs_value
from minigrad.core.tensor import wrap
from minigrad.device import DeviceLike
from minigrad.dtypes import dtype as DType
from minigrad.errors import runtime_error, value_error
from minigrad.functions.parts import cat
from minigrad.nn import functional as F
from minigrad.nn.container import ModuleList, Sequential
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Softmax with its loss, for many classes sorted by frequency: Grave et al., arXiv:1609.04309.

    ``head`` scores the classes below ``cutoffs[0]`` and each cluster. Cluster k = 1, 2, ... begins at
    ``cutoffs[k - 1]``, and scores its classes from ``in_features // div_value**k`` features. Input (N, in_features)
    and int64 target (N), or both without N. Returns ``(output, loss)``: the log probability of each target, and minus
    their mean. ValueError unless the cutoffs increase, RuntimeError for shapes and targets that do not fit.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        firsts = list(cutoffs)
        if not firsts:
            raise value_error("cutoffs should be a sequence of length larger than 0")
        rising = all(a < b for a, b in pairwise([0, *firsts, n_classes]))
        if not rising or any(int(c) != c for c in firsts):
            raise value_error(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                f"value is between 1 and n_classes-1; got {firsts} for n_classes={n_classes}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*firsts, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = firsts[0]
        self.n_clusters = len(firsts)
        self.head_size = self.shortlist_size + self.n_clusters
        how: dict[str, Any] = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **how)
        self.tail = ModuleList()
        for k, (first, stop) in enumerate(pairwise(self.cutoffs), 1):
            width = int(in_features // div_value**k)
            layers = (
                Linear(in_features, width, bias=False, **how),
                Linear(width, stop - first, bias=False, **how),
            )
            self.tail.append(Sequential(*layers))

    def reset_parameters(self) -> None:
        """Draws all weights anew."""
        self.head.reset_parameters()
        for layers in self.tail:
            for layer in layers.children():
                layer.reset_parameters()

    def forward(self, input: Tensor, target: Tensor) -> _ASMoutput:
        if target.dim() > 1:
            raise runtime_error("0D or 1D target tensor expected, multi-target not supported")
        if input.dim() != target.dim() + 1:
            raise runtime_error(
                f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found inputs with size "
                f"{list(input._array.shape)}"
            )
        x, t = (input, target) if target.dim() else (input.unsqueeze(0), target.unsqueeze(0))
        if len(x._array) != len(t._array):
            raise runtime_error("Input and target should have the same size in the batch dimension.")
        needs_value("AdaptiveLogSoftmaxWithLoss")
        classes = t._array
        if classes.size and not 0 <= classes.min() <= classes.max() < self.n_classes:
            raise runtime_error(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{classes.min()}, "
                f"{classes.max()}] were found. "
            )
        cluster = np.searchsorted(self.cutoffs, classes, side="right")  # 0: in the head
        places = np.where(cluster > 0, self.shortlist_size + cluster - 1, classes)
        output = F.log_softmax(self.head(x), 1).gather(1, wrap(places[:, None])).squeeze(1)
        rows, parts = [], []
        for k, layers in enumerate(self.tail, 1):
            of_cluster = np.nonzero(cluster == k)[0]
            if of_cluster.size:
                logs = F.log_softmax(layers(x[wrap(of_cluster)]), 1)
                inner = wrap((classes[of_cluster] - self.cutoffs[k - 1])[:, None])
                rows.append(of_cluster)
                parts.append(logs.gather(1, inner).squeeze(1))
        if parts:
            alone = np.nonzero(cluster == 0)[0]
            order = np.argsort(np.concatenate([*rows, alone]))
            zeros = wrap(np.zeros(len(alone), output._array.dtype))
            output = output + cat((*parts, zeros))[wrap(order)]
        loss = (-output).mean()
        return _ASMoutput(output if target.dim() else output.squeeze(0), loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log probabilities of all classes: (N, n_classes)."""
        head = F.log_softmax(self.head(input), 1)
        parts = [head.narrow(1, 0, self.shortlist_size)]
        for k, layers in enumerate(self.tail):
            parts.append(F.log_softmax(layers(input), 1) + head.narrow(1, self.shortlist_size + k, 1))
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each row: (N)."""
        return self.log_prob(input).argmax(1)

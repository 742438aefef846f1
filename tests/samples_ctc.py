"""Rows of samples for the loss of connectionist temporal classification, by all ways there are; see op_samples.py."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

NOT_0D = dict.fromkeys(("ctc", "ctc_backward"), "operands have a time")


def _shown(x: Any, target: Any, length: int, size: int, blank: int) -> list[tuple[tuple[int, ...], float]]:
    """The ways of a sequence that show its target, with their probabilities."""
    ways = []
    for way in itertools.product(range(x.shape[1]), repeat=length):
        shown = [c for c, _ in itertools.groupby(way) if c != blank]
        if shown == target[:size].tolist():
            ways.append((way, math.exp(math.fsum(x[t, c] for t, c in enumerate(way)))))
    return ways


def _loss(x: Any, target: Any, lengths: Any, sizes: Any, blank: int) -> Any:
    totals = [
        math.fsum(p for _, p in _shown(x[:, n], target[n], lengths[n], sizes[n], blank))
        for n in range(x.shape[1])
    ]
    return np.array([-math.log(total) for total in totals])


def _backward(d: Any, x: Any, target: Any, lengths: Any, sizes: Any, blank: int) -> Any:
    y = np.zeros(x.shape)
    for n in range(x.shape[1]):
        ways = _shown(x[:, n], target[n], lengths[n], sizes[n], blank)
        total = math.fsum(p for _, p in ways)
        for way, p in ways:
            y[np.arange(len(way)), n, way] -= d[n] * p / total
    return y


def rows() -> list[Any]:
    """The rows; a function, because op_samples.py imports this file."""
    from op_samples import Row, real, whole

    table = []
    for n, s, blank in ((2, 2, 0), (1, 1, 2), (1, 0, 0), (0, 2, 0)):
        classes = whole(0, 2, n, s) if blank else whole(1, 3, n, s)
        inputs = (real(4, n, 3), classes, whole(3, 5, n), whole(min(s, 1), s + 1, n))
        table += [
            Row("ctc", inputs, _loss, "0", {"blank": blank}),
            Row("ctc_backward", (real(n), *inputs), _backward, "0", {"blank": blank}),
        ]
    return table

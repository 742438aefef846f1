"""Connectionist temporal classification: all alignments of a target to a sequence, by steps over time.

Graves, Fernandez, Gomez, Schmidhuber (2006), "Connectionist Temporal Classification: Labelling Unsegmented Sequence
Data with Recurrent Neural Networks". Its states are the target's classes with blanks around each; a state is entered
from itself, from the one before, or past a blank where the classes on both sides differ. The backward variables are the
forward ones of sequences and targets in reverse.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def states(target: Array, sizes: Array, blank: int) -> Array:
    """The class of each state, as (sequence, state)."""
    n, s = target.shape
    classes = np.full((n, 2 * s + 1), blank, np.int64)
    classes[:, 1::2] = np.where(np.arange(s) < sizes[:, None], target, blank)  # padding may hold anything
    return classes


def ways(x: Array, times: Array, classes: Array) -> tuple[Array, Array]:
    """By step, sequence and state: the logarithm of the sum over all ways to there, and of what shows there.

    Step t of sequence n stands in ``x[times[t, n], n]``.
    """
    n, s = classes.shape
    shown = x[times[:, :, None], np.arange(n)[:, None], classes]
    a = np.full((len(x), n, s + 2), -np.inf, x.dtype)  # two states in front, in which no way is
    a[0, :, 2:4] = shown[0, :, :2]
    never = np.where(classes[:, 2:] == classes[:, :-2], x.dtype.type(-np.inf), x.dtype.type(0))
    for before, new, more in zip(a, a[1:, :, 2:], shown[1:], strict=False):
        np.logaddexp(before[:, 2:], before[:, 1:-1], out=new)
        np.logaddexp(new[:, 2:], before[:, 2:-2] + never, out=new[:, 2:])
        new += more
    return a[:, :, 2:], shown


def total(a: Array, lengths: Array, sizes: Array) -> Array:
    """The logarithm of the sum over all ways: they end in the last class, or in the blank behind."""
    ends = a[np.maximum(lengths, 1) - 1, np.arange(len(sizes))]
    behind = 2 * sizes[:, None] - np.arange(a.shape[2])
    y = np.logaddexp.reduce(np.where((behind == 0) | (behind == 1), ends, -np.inf), axis=1)
    return np.where(lengths > 0, y, np.where(sizes > 0, -np.inf, 0)).astype(a.dtype)


def ctc(x: Array, target: Array, lengths: Array, sizes: Array, blank: int) -> Any:
    """``-log`` of the probability of each target, of ``x`` (time, sequence, class); infinite where it does not fit."""
    if not x.size:
        return np.zeros(x.shape[1], x.dtype)
    a, _ = ways(x, np.arange(len(x))[:, None], states(target, sizes, blank))
    return -total(a, lengths, sizes)


def ctc_backward(d: Array, x: Array, target: Array, lengths: Array, sizes: Array, blank: int) -> Any:
    """``-d`` times the probability, of all alignments, that a sequence shows a class at a time."""
    if not x.size:
        return np.zeros(x.shape, x.dtype)
    steps, classes = np.arange(len(x))[:, None], states(target, sizes, blank)
    a, shown = ways(x, steps, classes)
    left = lengths - 1 - steps
    behind = 2 * sizes[:, None] - np.arange(classes.shape[1])
    when, which = np.maximum(left, 0), np.maximum(behind, 0)
    b, _ = ways(x, when, np.take_along_axis(classes, which, 1))
    b = np.take_along_axis(np.take_along_axis(b, when[:, :, None], 0), which[None], 2)
    p = np.exp(a + b - shown - total(a, lengths, sizes)[:, None])
    p *= -d[:, None]
    p[(left[:, :, None] < 0) | (behind < 0) | (d == 0)[:, None]] = 0.0  # a loss of inf may have d = 0
    places = np.arange(x[:, :, 0].size).reshape(p.shape[0], -1, 1) * x.shape[2] + classes
    return np.bincount(places.ravel().astype(np.intp), p.ravel(), x.size).astype(x.dtype).reshape(x.shape)

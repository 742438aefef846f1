"""Connectionist temporal classification: all alignments of a target to a sequence, by steps over time.

Graves, Fernandez, Gomez, Schmidhuber (2006), "Connectionist Temporal Classification: Labelling Unsegmented Sequence
Data with Recurrent Neural Networks". Its states are the target's classes with blanks around each; a state is entered
from itself, from the one before, or past a blank where the classes on both sides differ. The backward variables are the
forward ones of sequences and targets in reverse, so both come from one pass over twice as many sequences.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def states(target: Array, sizes: Array, blank: int) -> tuple[Array, Array]:
    """The class of each state, and whether it may be entered past a blank, as (sequence, state)."""
    n, s = target.shape
    classes = np.full((n, 2 * s + 1), blank, np.int64)
    classes[:, 1::2] = np.where(np.arange(s) < sizes[:, None], target, blank)  # padding may hold anything
    skips = np.zeros(classes.shape, bool)
    skips[:, 3::2] = classes[:, 3::2] != classes[:, 1:-2:2]
    return classes, skips


def both_ways(
    classes: Array, skips: Array, lengths: Array, sizes: Array, steps: int
) -> tuple[Array, Array, Array, Array, Array]:
    """The forward problem and behind it the reverse one: classes, skips and steps of each, and the way back.

    Of the reverse, step t of sequence n is ``when[t, n]`` and state s is ``which[n, s]``; both are their own inverses.
    """
    n, width = classes.shape
    when = np.maximum(lengths - 1 - np.arange(steps)[:, None], 0)
    which = np.maximum(2 * sizes[:, None] - np.arange(width), 0)
    rows = np.arange(n)[:, None]
    backwards = classes[rows, which]
    back_skips = np.zeros((n, width), bool)
    back_skips[:, 3::2] = backwards[:, 3::2] != backwards[:, 1:-2:2]
    times = np.concatenate([np.broadcast_to(np.arange(steps)[:, None], (steps, n)), when], axis=1)
    return np.concatenate([classes, backwards]), np.concatenate([skips, back_skips]), times, when, which


def forward(emitted: Array, skips: Array, lengths: Array, kept: Array | None = None) -> Array:
    """The logarithms of the sums over all ways to each state, at the end of each sequence; ``kept`` gets every step."""
    a = np.full(emitted.shape[1:], -np.inf, emitted.dtype)
    a[:, :2] = emitted[0, :, :2]
    never = np.where(skips, emitted.dtype.type(0), emitted.dtype.type(-np.inf))
    if kept is not None:
        kept[0] = a
    for t in range(1, len(emitted)):
        new = a.copy()
        np.logaddexp(new[:, 1:], a[:, :-1], out=new[:, 1:])
        np.logaddexp(new[:, 2:], a[:, :-2] + never[:, 2:], out=new[:, 2:])
        new += emitted[t]
        a = np.where(t < lengths[:, None], new, a)
        if kept is not None:
            kept[t] = a
    return a


def last(width: int, sizes: Array) -> Array:
    """Where a target of each size may end: in its last class, or in the blank behind."""
    behind = 2 * sizes[:, None] - np.arange(width)
    return (behind == 0) | (behind == 1)


def _total(a: Array, lengths: Array, sizes: Array) -> Array:
    total: Array = np.logaddexp.reduce(np.where(last(a.shape[1], sizes), a, -np.inf), axis=1)
    return np.where(lengths > 0, total, np.where(sizes > 0, -np.inf, 0)).astype(a.dtype)


def ctc(x: Array, target: Array, lengths: Array, sizes: Array, blank: int) -> Any:
    """``-log`` of the probability of each target, of ``x`` (time, sequence, class); infinite where it does not fit."""
    classes, skips = states(target, sizes, blank)
    if not x.size:
        return np.zeros(x.shape[1], x.dtype)
    emitted = x[:, np.arange(x.shape[1])[:, None], classes]
    return -_total(forward(emitted, skips, lengths), lengths, sizes)


def ctc_backward(d: Array, x: Array, target: Array, lengths: Array, sizes: Array, blank: int) -> Any:
    """``-d`` times the probability, of all alignments, that a sequence shows a class at a time."""
    steps, n, count = x.shape
    if not x.size:
        return np.zeros(x.shape, x.dtype)
    classes, skips = states(target, sizes, blank)
    both, both_skips, times, when, which = both_ways(classes, skips, lengths, sizes, steps)
    emitted = x[times[:, :, None], np.arange(2 * n)[:, None] % n, both]
    a = np.empty_like(emitted)
    ends = forward(emitted, both_skips, np.concatenate([lengths, lengths]), a)
    total = _total(ends[:n], lengths, sizes)
    b = a[:, n:][when[:, :, None], np.arange(n)[:, None], which]
    p = np.exp(a[:, :n] + b - emitted[:, :n] - total[:, None])
    p[~inside(steps, classes.shape[1], lengths, sizes)] = 0.0
    p *= -d[:, None]
    p[:, d == 0] = 0.0  # also where the loss is infinite
    places = (np.arange(steps * n).reshape(steps, n, 1) * count + classes).ravel().astype(np.intp, copy=False)
    return np.bincount(places, p.ravel(), x.size).astype(x.dtype).reshape(x.shape)


def inside(steps: int, width: int, lengths: Array, sizes: Array) -> Array:
    """Which times and states are of the sequence and its target."""
    early = np.arange(steps)[:, None] < lengths
    return early[:, :, None] & (np.arange(width) <= 2 * sizes[:, None])

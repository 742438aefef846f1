"""The loss of connectionist temporal classification."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.apply import needs_value
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor
from minigrad.kernels import ctc as k
from minigrad.ops import elementwise as e
from minigrad.ops.index import index, unindex
from minigrad.ops.reduce import logsumexp, sum
from minigrad.ops.shape import cat, reshape, slice_, stack


def _array(t: Any) -> Any:
    return t._array if isinstance(t, Tensor) else t


def _is_target(x: Any, target: Any, lengths: Any, sizes: Any, blank: int) -> None:
    steps, n, count = x.shape
    for name, numbers, most in (("input", lengths, steps), ("target", sizes, target.shape[1])):
        if n and not 0 <= numbers.min() <= numbers.max() <= most:
            bound = f"at least 0, but got value {numbers.min()}" if numbers.min() < 0 else ""
            bound = bound or f"at most {most}, but got value {numbers.max()}"
            raise RuntimeError(f"Expected {name}_lengths to have value {bound}")
    classes = target[np.arange(target.shape[1]) < sizes[:, None]]
    if classes.size and not 0 <= classes.min() <= classes.max() < count:
        wrong = classes.min() if classes.min() < 0 else classes.max()
        raise RuntimeError(
            f"Expected targets to be classes of log_probs, of which there are {count}, got {wrong}"
        )


def _by_x(g: Any, d: Any, x: Any, target: Any, lengths: Any, sizes: Any, blank: int) -> Any:
    """How the probabilities of classes change along ``g``: the recursions with their derivatives along ``g`` beside."""
    needs_value("the second derivative of ctc_loss()")
    target, lengths, sizes = map(_array, (target, lengths, sizes))
    steps, n, _ = x.shape
    if not steps or not n:
        return x * 0.0
    classes, skips = k.states(target, sizes, blank)
    both, skips, times, when, which = k.both_ways(classes, skips, lengths, sizes, steps)
    rows, width = np.arange(n)[:, None], classes.shape[1]
    how: dict[str, Any] = {"pattern": (True, True, True)}
    at = (times[:, :, None], np.arange(2 * n)[:, None] % n, both)
    emitted, moved = index(x, *at, **how), index(g, *at, **how)
    kind = _array(x).dtype.type
    never = -3e4 if kind is np.float16 else -1e30  # for no probability: differences of it are numbers
    first = np.broadcast_to(np.arange(width) < 2, both.shape)
    a, da = e.where(first, _step(emitted, 0), never), e.where(first, _step(moved, 0), 0.0)
    ways, changes = [a], [da]
    for t in range(1, steps):
        before = [a, _later(a, 1, kind(never)), e.where(skips, _later(a, 2, kind(never)), never)]
        log = logsumexp(stack(*before, dim=0), dim=(0,), keepdim=False)
        slopes = [da, _later(da, 1, kind(0)), _later(da, 2, kind(0))]
        change = _step(moved, t)
        for way, slope in zip(before, slopes, strict=True):
            change = change + e.exp(way - log) * slope
        runs = np.broadcast_to(t < np.concatenate([lengths, lengths])[:, None], both.shape)
        a, da = e.where(runs, _step(emitted, t) + log, a), e.where(runs, change, da)
        ways.append(a)
        changes.append(da)
    end = e.where(k.last(width, sizes), slice_(a, index=(slice(0, n),)), never)
    total = reshape(logsumexp(end, dim=(1,), keepdim=False), shape=(n, 1))
    rise = sum(e.exp(end - total) * slice_(da, index=(slice(0, n),)), dim=(1,), keepdim=True)
    back = (when[:, :, None], n + rows, which)
    here = (slice(None), slice(0, n))
    every, slopes_ = stack(*ways, dim=0), stack(*changes, dim=0)
    emitted, moved = slice_(emitted, index=here), slice_(moved, index=here)
    p = e.exp(slice_(every, index=here) + index(every, *back, **how) - emitted - total)
    dp = p * (slice_(slopes_, index=here) + index(slopes_, *back, **how) - moved - rise)
    dp = e.where(k.inside(steps, width, lengths, sizes), dp, 0.0) * -reshape(d, shape=(n, 1))
    return unindex(dp, np.arange(steps)[:, None, None], rows, classes, shape=tuple(x.shape), **how)


def _step(x: Any, t: int) -> Any:
    return slice_(x, index=(t,))


def _later(x: Any, by: int, fill: Any) -> Any:
    """States moved on by some places."""
    n, width = x.shape
    if by >= width:
        return e.where(np.ones((n, width), bool), fill, x)
    return cat(np.full((n, by), fill), slice_(x, index=(slice(None), slice(0, width - by))), dim=1)


def _by_d(g: Any, x: Any, *rest: Any, blank: int) -> Any:
    return sum(
        g * ctc_backward(np.ones(x.shape[1], _array(x).dtype), x, *rest, blank=blank),
        dim=(0, 2),
        keepdim=False,
    )


# fmt: off
ctc = Op("ctc", k.ctc, "x target lengths sizes; blank",
         lambda g, x, target, lengths, sizes, blank: ctc_backward(g, x, target, lengths, sizes, blank=blank),
         None, None, None, order="C", check=_is_target)
ctc_backward: Op = Op("ctc_backward", k.ctc_backward, "d x target lengths sizes; blank",
                      lambda g, x, target, lengths, sizes, blank: _by_d(g, x, target, lengths, sizes, blank=blank),
                      _by_x, None, None, None, order="C", raises=True)
# fmt: on

"""Softmax and what losses of classes need. Rows are taken in blocks that stay in the cache."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.buffers import Empty
from minigrad.kernels.scatter import add_to_rows, starts
from minigrad.kernels.sharing import by_rows
from minigrad.kernels.sums import in_columns, row_sums

Array = np.ndarray[Any, Any]


def softmax(x: Array, dim: int, out: Array | None = None) -> Any:
    return _turned(_softmax_rows, dim, out, x)


def safe_softmax(x: Array, dim: int, out: Array | None = None) -> Any:
    """`softmax`, and 0 in rows of nothing but -inf: what a query sees whose keys are all masked."""
    return _turned(_safe_softmax_rows, dim, out, x)


def log_softmax(x: Array, dim: int, out: Array | None = None) -> Any:
    return _turned(_log_softmax_rows, dim, out, x)


def softmax_backward(g: Array, y: Array, dim: int, out: Array | None = None) -> Any:
    return _turned(_softmax_backward_rows, dim, out, g, y)


def log_softmax_backward(g: Array, y: Array, dim: int, out: Array | None = None) -> Any:
    return _turned(_log_softmax_backward_rows, dim, out, g, y)


def _turned(f: Any, dim: int, out: Array | None, *arrays: Array) -> Any:
    """A function of rows, or of the columns of matrices, along ``dim``; written into ``out``, if that is given."""
    shape = arrays[0].shape
    if out is None:
        out = np.empty(shape, arrays[-1].dtype)
    if not out.size:
        return out
    if len(shape) == 2 and dim == 1:
        by_rows(f, *arrays, out)
        return out
    n = shape[dim] if shape else 1
    if dim >= len(shape) - 1:
        by_rows(f, *[a.reshape(-1, n) for a in arrays], out.reshape(-1, n))
        return out
    if in_columns(shape, dim):
        stack = -1, n, math.prod(shape[dim + 1 :])
        by_rows(f, *[np.ascontiguousarray(a).reshape(stack) for a in arrays], out.reshape(stack))
        return out
    turned = [np.moveaxis(a, dim, -1) for a in arrays]
    y = np.empty(turned[0].shape, out.dtype)
    by_rows(f, *[t.reshape(-1, n) for t in turned], y.reshape(-1, n))
    out[...] = np.moveaxis(y, -1, dim)
    return out


def row_most(x: Array) -> Any:
    """The largest of each row, or of each column of matrices; of many short rows by their places, in half the time."""
    if x.ndim == 3 or len(x) < 8 or not 1 < x.shape[1] < 256:
        return np.maximum.reduce(x, axis=1, keepdims=True)
    return x.take(x.argmax(1) + starts(*x.shape)).reshape(-1, 1)


def _softmax_rows(x: Array, y: Array) -> None:
    np.subtract(x, row_most(x), y)
    np.exp(y, y)
    np.divide(y, row_sums(y), y)


def _safe_softmax_rows(x: Array, y: Array) -> None:
    most = row_most(x)
    np.subtract(x, np.where(most == -np.inf, most.dtype.type(0), most), out=y)
    np.exp(y, out=y)
    total = row_sums(y)
    np.divide(y, np.where(total == 0.0, total.dtype.type(1), total), out=y)


def _log_softmax_rows(x: Array, y: Array) -> None:
    np.subtract(x, row_most(x), y)
    np.subtract(y, np.log(row_sums(np.exp(y))), y)


def _softmax_backward_rows(g: Array, y: Array, out: Array) -> None:
    np.multiply(g, y, out=out)
    np.subtract(g, row_sums(out), out=out)
    np.multiply(out, y, out=out)


def _log_softmax_backward_rows(g: Array, y: Array, out: Array) -> None:
    np.exp(y, out=out)
    np.multiply(out, row_sums(g), out=out)
    np.subtract(g, out, out=out)


# ---------------------------------------------------------------- losses of classes
#
# Numbers for classes stand in rows (count, classes) with a target (count), or in the columns of a stack of matrices
# (count, classes, places) with a target (count, places): those of images need no copy then.


def _at(shape: tuple[int, ...], target: Array) -> Any:
    """Where the class of each target stands in the flattened array."""
    if len(shape) == 2:
        return starts(*shape) + target
    count, classes, places = shape
    return starts(count, classes * places).reshape(-1, 1) + (target * places + np.arange(places))


def _classes(target: Array, ignore: int, classes: int) -> tuple[Array, Array | None]:
    """A target that is a class everywhere, as NumPy's own integers (see `flat_places`), and where it is ignored.

    None if that is nowhere.
    """
    target = target.astype(np.intp, copy=False)
    # What is not ignored is a class: a number below these is the least in the target, one above the largest.
    outside = target.argmin if ignore < 0 else target.argmax
    if target.size and not 0 <= ignore < classes and target.item(outside()) != ignore:
        return target, None
    ignored = target == ignore
    return np.where(ignored, 0, target), ignored


def _count(target: Array, ignored: Array | None) -> int:
    return target.size if ignored is None else target.size - int(np.count_nonzero(ignored))


def _mean(losses: Array, ignored: Array | None) -> Any:
    """The mean of losses without those that are ignored, which are 0."""
    return np.asarray(np.add.reduce(losses, None) / _count(losses, ignored), losses.dtype)


def _of_each(d: Array, target: Array, ignored: Array | None, mean: bool) -> Any:
    """The cotangent of each loss, 0 where it is ignored; a number if it is the same for all."""
    if mean:
        d = d[()] / _count(target, ignored)
    return d if ignored is None else np.where(ignored, d.dtype.type(0), d)


def log_loss(
    x: Array, target: Array, ignore: int, mean: bool, found: list[Any] | None = None, empty: Empty = np.empty
) -> Any:
    """``-log(softmax(x))`` of one class for each row, without the other classes' logarithms; 0 where it is ignored.

    With ``mean`` their mean. What `log_loss_backward` begins with is added to ``found``: of rows less their largest
    element the exponentials and their sums, where the class of each row stands in the flattened matrix, which NumPy
    indexes in a fifth of the time, and which rows are ignored.
    """
    shape, exps = target.shape, empty(x.shape, x.dtype)
    out, sums = np.zeros(shape, x.dtype), np.empty(shape, x.dtype)
    target, ignored = _classes(target, ignore, x.shape[1])
    flat, at = exps.reshape(-1), _at(x.shape, target)

    def rows(x: Array, at: Array, y: Array, total: Array, out: Array) -> None:
        np.subtract(x, row_most(x), y)
        chosen = flat.take(at)
        np.exp(y, y)
        total[...] = row_sums(y)[:, 0]
        np.log(total, out)
        np.subtract(out, chosen, out)

    if x.size:
        by_rows(rows, x, at, exps, sums, out)
    if ignored is not None:
        out[ignored] = 0.0
    if found is not None:
        found += [exps, sums, at, ignored]
    return _mean(out, ignored) if mean else out


def log_loss_backward(
    d: Array, x: Array, target: Array, y: Array, ignore: int, mean: bool, found: list[Any] | None = None,
    empty: Empty = np.empty,
) -> Any:  # fmt: skip
    """``d * (softmax(x) - 1 at the target)``, written over the exponentials that `log_loss` has ``found``.

    ``y`` is `log_loss`, from which softmax would follow less exactly.
    """
    if found is None:
        log_loss(x, target, ignore, mean, found := [], empty)
    out, sums, at, ignored = found
    if x.size:
        each = _of_each(d, at, ignored, mean)
        by_rows(lambda t, factor: np.multiply(t, factor, out=t), out, (each / sums)[:, None])
        out.reshape(-1)[at] -= each
    return out


def nll(x: Array, target: Array, ignore: int, mean: bool) -> Any:
    """``-x`` of one class for each row, 0 where it is ignored; with ``mean`` their mean."""
    target, ignored = _classes(target, ignore, x.shape[1])
    if not x.shape[1]:
        y = np.zeros(target.shape, x.dtype)
    elif x.flags.c_contiguous:
        y = -x.take(_at(x.shape, target))
    else:  # of which `take` copies the whole
        y = -np.ascontiguousarray(np.take_along_axis(x, target[:, None], 1)[:, 0])
    if ignored is not None:
        y[ignored] = 0.0
    return _mean(y, ignored) if mean else y


def nll_backward(d: Array, target: Array, classes: int, ignore: int, mean: bool) -> Any:
    out = np.zeros((len(target), classes, *target.shape[1:]), d.dtype)
    ignored = target == ignore
    out.reshape(-1)[_at(out.shape, target)[~ignored]] = -_of_each(d, target, ignored, mean)[~ignored]
    return out


def one_hot(target: Array, classes: int) -> Any:
    out = np.zeros((target.size, classes), np.int64)
    out.reshape(-1)[starts(*out.shape) + target.reshape(-1)] = 1
    return out.reshape((*target.shape, classes))


# ---------------------------------------------------------------- rows of a table


def embedding(weight: Array, index: Array, padding: int, by_count: bool) -> Any:
    # `take` refuses int64 where NumPy's own integer has 32 bits, as in WebAssembly.
    return weight.take(index.astype(np.intp, copy=False), 0)


def embedding_backward(
    d: Array, index: Array, rows: int, padding: int, by_count: bool, out: Array | None = None
) -> Any:
    """The sum of the gradients of each row of the table."""
    flat = index.reshape(-1)
    d = d.reshape(flat.size, d.shape[-1])
    if out is None:
        out = np.zeros((rows, d.shape[1]), d.dtype)
    else:
        out.fill(0.0)
    if not flat.size:
        return out
    if by_count or flat.size > 8 * rows:
        # Those of one row are brought together and added at once.
        order = np.argsort(flat, kind="stable")
        places = flat[order]
        first = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
        sums = np.add.reduceat(d[order], first, axis=0)
        if by_count:
            sums /= np.diff(first, append=flat.size).reshape(-1, 1).astype(d.dtype)
        out[places[first]] = sums
    else:
        add_to_rows(out, flat, d, zeros=True)
    if padding >= 0:
        out[padding] = 0.0
    return out


def embedding_transposed(u: Array, index: Array, padding: int, by_count: bool) -> Any:
    """What `embedding_backward` does to a cotangent: rows of it, but for those of padding, over their counts."""
    index = index.astype(np.intp, copy=False)
    y = u.take(index, 0)
    if by_count and index.size:
        y /= np.bincount(index.reshape(-1))[index][..., np.newaxis].astype(y.dtype)
    if padding >= 0:
        y[index == padding] = 0.0
    return y

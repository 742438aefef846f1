"""Orders: sorting, the largest elements, medians, places in a sorted row.

Equal elements keep their order, but among the largest, and nan counts as larger than any number.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from minigrad.kernels.scatter import starts
from minigrad.kernels.ties import FEW, first_places
from minigrad.kernels.ties import kth_place as kth_of_row

Array: TypeAlias = np.ndarray[Any, Any]

FEW_ELEMENTS = 1024  # that NumPy's stable sort of places takes no longer than `places`
PARTS = 48  # of a row, at least, whose extremes tell which elements may be among the first


def along_last(x: Array, dim: int) -> Array:
    """The array with ``dim`` as its last dimension, row by row; a 0-d array as a row of one."""
    x = x.reshape(1) if not x.ndim else x
    return np.ascontiguousarray(x if dim in (-1, x.ndim - 1) else np.moveaxis(x, dim, -1))


def back(x: Array, dim: int, ndim: int) -> Array:
    """`along_last` undone."""
    if not ndim:
        return x.reshape(())
    return np.ascontiguousarray(x if dim in (-1, ndim - 1) else np.moveaxis(x, -1, dim))


def places(x: Array, descending: bool) -> Array:
    """Value and place of each element of the last dimension as one whole number, which sorts as the values do.

    For elements of up to 32 bits: NumPy sorts such numbers of 64 bits in a fifth of the time of a stable argsort.
    """
    if x.dtype.kind == "f":
        bits = (x.astype(np.float32) + np.float32(0)).view(np.int32)  # -0 as 0
        # Negative numbers count down from the sign bit; a nan is the largest of all, of whichever sign.
        key = np.where(bits < 0, ~bits, bits ^ np.int32(-(2**31))).view(np.uint32)
        key[np.isnan(x)] = 0xFFFFFFFF
    else:
        key = (x.astype(np.int64) + 2**31).astype(np.uint32)
    if descending:
        key = ~key
    whole = key.astype(np.uint64)
    whole <<= np.uint64(32)
    whole |= np.arange(x.shape[-1], dtype=np.uint64)
    return whole


def packs(x: Array) -> bool:
    """Whether `places` can hold the elements."""
    return x.dtype.itemsize < 4 or x.dtype in (np.dtype(np.float32), np.dtype(np.int32))


def argsort(x: Array, dim: int, descending: bool) -> Any:
    """The places of the elements in increasing, or decreasing, order along ``dim``."""
    rows = along_last(x, dim)
    if rows.size <= FEW_ELEMENTS:
        order = _stable_argsort(rows, descending)
    elif packs(rows):
        whole = places(rows, descending)
        whole.sort(axis=-1)
        whole &= 0xFFFFFFFF
        order = whole.view(np.int64)
    else:
        order = _wide_argsort(rows, descending)
    return back(order, dim, x.ndim)


def _wide_argsort(rows: Array, descending: bool) -> Array:
    """`argsort` along the last dimension for elements of 64 bits."""
    turned = rows[..., ::-1] if descending else rows
    # The order that need not be stable is had in a third of the time, and is the same where nothing is equal.
    order = turned.argsort(-1)
    values = np.take_along_axis(turned, order, -1)
    equal = values[..., 1:] == values[..., :-1]
    if rows.dtype.kind == "f":
        equal |= np.isnan(values[..., :-1])
    if equal.any():
        return _stable_argsort(rows, descending)
    return _places_of(order, descending)


def _stable_argsort(rows: Array, descending: bool) -> Array:
    """`argsort` along the last dimension as NumPy has it; of few elements the shortest way."""
    turned = rows[..., ::-1] if descending else rows
    return _places_of(turned.argsort(-1, "stable"), descending)


def _places_of(order: Array, descending: bool) -> Array:
    """The places that a sort of rows, turned around if ``descending``, has found."""
    order = order.astype(np.int64, copy=False)
    return order.shape[-1] - 1 - order[..., ::-1] if descending else order


def top_places(x: Array, k: int, dim: int, largest: bool, sorted: bool) -> Any:
    """The places of the ``k`` largest, or smallest, elements along ``dim``, in their order unless ``sorted`` is False.

    Where elements are equal, those that PyTorch takes.
    """
    rows = along_last(x, dim)
    n = rows.shape[-1]
    flat = rows.reshape(-1, n) if n else rows.reshape(0, 0)
    if not k or not rows.size:
        return back(np.zeros((*rows.shape[:-1], k), np.int64), dim, x.ndim)
    unclear: Any = range(len(flat))
    if sorted or k * FEW <= n:
        ahead = _ahead(flat, min(k + 1, n), largest)
        # All first ones beside each other, all second ones and so on: NumPy's inner loops are long then.
        values = flat.take((ahead.T + starts(*flat.shape)).astype(np.intp, copy=False))  # see `flat_places`
        clear = (np.greater if largest else np.less)(values[:-1], values[1:])  # not where one is nan
        places = ahead[:, :k]
        # Of few elements `all` takes six times as long.
        unclear = () if not clear.size or clear.item(clear.argmin()) else np.flatnonzero(~clear.all(0))
    else:
        places = np.empty((len(flat), k), np.int64)
    if len(unclear):
        places = places.copy()
    for i in unclear:
        places[i] = first_places(flat[i], k, largest, sorted)
    return back(places.reshape(*rows.shape[:-1], k), dim, x.ndim)


def _ahead(rows: Array, k: int, largest: bool) -> Array:
    """The places of the first ``k`` elements of each row; of equal ones any."""
    if rows.size <= FEW_ELEMENTS:
        order = rows.argsort(1)[:, :: -1 if largest else 1].astype(np.int64, copy=False)
        return order[:, :k]
    if k <= rows.shape[1] // 16:
        some = _candidates(rows, k, largest)
        if some is not None:
            values, where = some
            return np.take_along_axis(where, argsort(values, 1, largest)[:, :k], 1)
    return argsort(rows, 1, largest)[:, :k]


def _candidates(rows: Array, k: int, largest: bool) -> tuple[Array, Array] | None:
    """The elements of each row that may be among the first ``k``, and their places; None if these are too many.

    A row is folded to the extremes of some of its parts; none that lies behind the ``k``-th of these can be one of
    them. That leaves few more than ``k``, in an eighth of the time of a partition of the rows.
    """
    count, n = rows.shape
    extremes, ufunc = rows, np.maximum if largest else np.minimum
    # In halves, which are long rows: to reduce over parts of 64 takes twice the time.
    while (half := extremes.shape[1] // 2) >= max(4 * k, PARTS) or extremes is rows:
        extremes = ufunc(extremes[:, :half], extremes[:, half : 2 * half])
    at = extremes.shape[1] - k if largest else k - 1
    extremes.sort(axis=1)  # in half the time of a partition
    bound = extremes[:, at : at + 1]
    if rows.dtype.kind == "f" and np.isnan(bound).any():
        return None
    if largest:
        chosen = np.less(rows, bound)
        np.logical_not(chosen, out=chosen)  # a nan is the largest
    else:
        chosen = np.less_equal(rows, bound)
    if np.count_nonzero(chosen) > count * (n // 4):
        return None
    flat = np.flatnonzero(chosen)  # in a tenth of the time of the places in two dimensions
    row = flat // n
    counts = np.bincount(row, minlength=count)
    most = int(counts.max())
    if most > n // 4:
        return None
    values = rows.reshape(-1)[flat]
    place = flat - row * n
    if count == 1:
        return values[None], place[None]
    column = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    at_row = row * most + column
    padded = np.full(count * most, _last(rows.dtype, largest), rows.dtype)
    padded[at_row] = values
    where = np.zeros(count * most, np.int64)
    where[at_row] = place
    return padded.reshape(count, most), where.reshape(count, most)


def _last(dtype: Any, descending: bool) -> Any:
    """What comes last in an order, so that it stands behind all others."""
    if dtype.kind == "f":
        return -np.inf if descending else np.nan
    if dtype.kind == "b":
        return not descending
    return np.iinfo(dtype).min if descending else np.iinfo(dtype).max


def kth_place(x: Array, k: int, dim: int) -> Any:
    """The place of the ``k``-th smallest element, from 0, along ``dim``, which stays with size 1; as `top_places`."""
    rows = along_last(x, dim)
    flat = rows.reshape(-1, rows.shape[-1])
    equal = flat == np.partition(flat, k, -1)[:, k : k + 1]
    places = equal.argmax(-1).astype(np.int64, copy=False)
    for i in np.flatnonzero(np.count_nonzero(equal, -1) != 1):  # none where it is nan
        places[i] = kth_of_row(flat[i], k)
    return back(places.reshape(*rows.shape[:-1], 1), dim, x.ndim)


def median_place(x: Array, dim: int, ignore: bool) -> Any:
    """The place of the lower median along ``dim``, which stays with size 1.

    That of a nan, if there is one; with ``ignore`` nans do not count.
    """
    rows = along_last(x, dim)
    n = rows.shape[-1]
    if rows.dtype.kind != "f":
        middle = np.zeros((*rows.shape[:-1], 1), np.int64) + (n - 1) // 2
    else:
        nans = np.isnan(rows).sum(-1, keepdims=True, dtype=np.int64)
        numbers = n - nans
        middle = np.maximum(numbers - 1, 0) // 2
        if not ignore:
            middle = np.where(nans > 0, numbers, middle)
    order = np.take_along_axis(argsort(rows, rows.ndim - 1, False), middle, -1)
    return back(order, dim, x.ndim)


def median(x: Array, ignore: bool) -> Any:
    """The lower median of all."""
    flat = x.reshape(-1)
    return flat[median_place(flat, 0, ignore)].reshape(())


def mode_place(x: Array, dim: int) -> Any:
    """The last place of the value that comes most often along ``dim``, the smallest of several; with size 1."""
    rows = along_last(x, dim)
    n = rows.shape[-1]
    order = np.argsort(rows, axis=-1, kind="stable")
    values = np.take_along_axis(rows, order, -1)
    first = np.ones(rows.shape, bool)
    first[..., 1:] = values[..., 1:] != values[..., :-1]
    number = np.arange(n)
    begins = np.maximum.accumulate(np.where(first, number, 0), axis=-1)
    ends = np.argmax(number - begins, axis=-1, keepdims=True)  # of the first of the longest runs
    return back(np.take_along_axis(order, ends, -1).astype(np.int64, copy=False), dim, x.ndim)


def searchsorted(row: Array, values: Array, right: bool) -> Any:
    """Where ``values`` would be put into sorted rows: one for all, or one for each of the leading places."""
    side: Any = "right" if right else "left"
    if row.ndim <= 1:
        return np.asarray(np.searchsorted(row, values, side)).astype(np.int64, copy=False)
    # Rows and values are ranked together: one sort puts every value among the elements of its own row.
    n, m = row.shape[-1], values.shape[-1]
    kind = np.result_type(row, values)
    first, second = (row, values) if right else (values, row)
    both = np.concatenate([first.astype(kind), second.astype(kind)], axis=-1)
    order = np.argsort(both, axis=-1, kind="stable")
    from_row = order < n if right else order >= m
    before = np.cumsum(from_row, axis=-1, dtype=np.int64)
    ranks = np.empty_like(before)
    np.put_along_axis(ranks, order, before, -1)
    return np.ascontiguousarray(ranks[..., n:] if right else ranks[..., :m])


def logcumsumexp(x: Array, dim: int) -> Any:
    """``log(cumsum(exp(x)))`` without overflow."""
    if not x.ndim:
        return x.copy()
    y: Array = np.ascontiguousarray(np.logaddexp.accumulate(x, axis=dim))
    return y


_LEAST = float(np.finfo(np.float64).min)


def exp_sums(d: Array, x: Array, s: Array, dim: int, reverse: bool) -> Any:
    """Sums of ``d * exp(x - s)``: over d and s from each place on (``reverse``), or over d and x up to it.

    In logarithms, so that nothing overflows: of the positive parts of ``d``, then of the negative ones. In float64,
    since an error in ``s`` is one of the logarithm.
    """
    own = d.dtype
    d, x, s = (a.astype(np.float64, copy=False) for a in (d, x, s))
    there, gone = (x, s) if reverse else (-s, -x)

    def part(d: Array) -> Any:
        some = d > 0
        logs = np.where(some, np.log(np.where(some, d, 1.0)), _LEAST) - gone
        if not d.ndim:
            return np.where(some, np.exp(logs + there), 0.0)
        logs = np.flip(logcumsumexp(np.flip(logs, dim), dim), dim) if reverse else logcumsumexp(logs, dim)
        y = np.exp(logs + there)
        # where all that is summed is 0; an x of inf stays nan
        return y if reverse else np.where(there == np.inf, 0.0, y)

    return np.asarray(part(d) - part(-d), own, order="C")


def contained(x: Array, tests: Array, invert: bool) -> Any:
    """Whether each element of ``x`` is one of ``tests``."""
    return np.isin(x, tests, invert=invert)

"""The rows of `op_samples` for orders, parts of matrices and writing by index; values worked out slice by slice."""

from __future__ import annotations

import bisect
import math
import statistics
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from op_samples import NOT_0D, NOT_EMPTY, Row, flags, real, whole, zeros_in

NOT_EMPTY |= {
    "kth_place": "no element of nothing",
    "median_place": "no median of nothing",
    "median": "no median of nothing",
    "mode_place": "no mode of nothing",
}
NOT_0D |= {
    "searchsorted": "a row has a dimension",
    "index_add": "slices have a dimension",
    "diagonal": "it needs two dimensions",
    "embed_diagonal": "its operand has a dimension",
    "triangle": "it needs two dimensions",
}


def _along(x: np.ndarray, dim: int, f: Callable[[list[Any]], list[int]], dtype: Any = np.int64) -> np.ndarray:
    """What ``f`` makes of each list along ``dim``."""
    if not x.ndim:
        return np.asarray(f([x.item()])[0], dtype)
    rows = np.moveaxis(x, dim, -1)
    lists = [
        f(row.tolist())
        for row in rows.reshape(math.prod(rows.shape[:-1]), -1 if rows.size else rows.shape[-1])
    ]
    length = len(f([0.0] * x.shape[dim]))
    return np.moveaxis(np.array(lists, dtype).reshape(*rows.shape[:-1], length), -1, dim)


def _argsort(x: Any, dim: int, descending: bool) -> Any:
    return _along(x, dim, lambda r: sorted(range(len(r)), key=lambda i: -r[i] if descending else r[i]))


def _top(x: Any, k: int, dim: int, largest: bool, sorted: bool) -> Any:
    order = np.argsort(-x if largest else x, axis=dim) if x.ndim else np.zeros((), int)
    return np.take(order, range(k), axis=dim) if x.ndim else order


def _kth_place(x: Any, k: int, dim: int) -> Any:
    return _along(x, dim, lambda r: [r.index(sorted(r)[k])])


def _median_place(x: Any, dim: int, ignore: bool) -> Any:
    return _along(x, dim, lambda r: [r.index(statistics.median_low(r))])


def _mode(row: list[Any]) -> list[int]:
    counts = Counter(row)
    best = min(v for v in row if counts[v] == max(counts.values()))
    return [max(i for i, v in enumerate(row) if v == best)]


def _running(x: Any, dim: int, largest: bool) -> Any:
    def places(row: list[Any]) -> list[int]:
        return [max(range(i + 1), key=lambda j: (row[j] if largest else -row[j], j)) for i in range(len(row))]

    return _along(x, dim, places)


def _searchsorted(row: Any, values: Any, right: bool) -> Any:
    find = bisect.bisect_right if right else bisect.bisect_left
    rows = (
        np.broadcast_to(np.sort(row), (*np.shape(values)[:-1], row.shape[-1]))
        if row.ndim < 2
        else np.sort(row)
    )
    out = np.zeros(np.shape(values), np.int64)
    for at in np.ndindex(*np.shape(values)):
        out[at] = find(rows[at[:-1]].tolist(), values[at])
    return out


def _isin(x: Any, tests: Any, invert: bool) -> Any:
    return np.array([(v in tests.ravel().tolist()) != invert for v in x.ravel().tolist()], bool).reshape(
        x.shape
    )


def _logcumsumexp(x: Any, dim: int) -> Any:
    return _along(
        x, dim, lambda r: [math.log(math.fsum(map(math.exp, r[: i + 1]))) for i in range(len(r))], float
    )


def _exp_sums(d: Any, x: Any, s: Any, dim: int, reverse: bool) -> Any:
    if not x.ndim or not x.size:
        return d * np.exp(x - s)
    d, x, s = (np.moveaxis(a, dim, -1) for a in (d, x, s))
    y = [
        (d * np.exp(x[..., [j]] - s))[..., j:].sum(-1)
        if reverse
        else (d * np.exp(x - s[..., [j]]))[..., : j + 1].sum(-1)
        for j in range(x.shape[-1])
    ]
    return np.stack(y, dim)


def _sorted_row(op: Any, row: Any, values: Any, right: bool) -> Any:
    return op(row.gather(-1, row.argsort()), values, right=right)


def _writes(x: Any, v: Any, index: Any, dim: int, f: Callable[[Any, Any], Any]) -> Any:
    """``x`` with ``f(old, new)`` at each place, one write after the other."""
    out = np.array(x)
    line = out.reshape(out.shape or (1,))
    index = np.atleast_1d(index)
    for at in np.ndindex(*index.shape):
        place = (*at[:dim], int(index[at]), *at[dim + 1 :])
        line[place] = f(line[place], np.broadcast_to(v, index.shape)[at])
    return out


def _put(x: Any, v: Any, index: Any, dim: int) -> Any:
    return _writes(x, v, index, dim, lambda old, new: new)


def _add(x: Any, v: Any, index: Any, dim: int) -> Any:
    return _writes(x, v, index, dim, lambda old, new: old + new)


def _add_slices(x: Any, v: Any, index: Any, dim: int) -> Any:
    y = np.moveaxis(np.array(x), dim, 0)
    for k, row in zip(index, np.moveaxis(v, dim, 0), strict=True):
        y[k] = y[k] + row
    return np.moveaxis(y, 0, dim)


def _times(x: Any, v: Any, index: Any, dim: int) -> Any:
    return _writes(x, v, index, dim, lambda old, new: old * new)


def _extreme(x: Any, v: Any, index: Any, dim: int, largest: bool) -> Any:
    return _writes(x, v, index, dim, max if largest else min)


def _winners(x: Any, index: Any, dim: int) -> Any:
    numbers = np.arange(index.size).reshape(index.shape)
    final = _put(np.full(x.shape, -1), numbers, index, dim)
    return np.isin(numbers, final)


def _masked(x: Any, mask: Any, v: Any) -> Any:
    source = iter(v.ravel().tolist())
    pairs = zip(x.ravel().tolist(), np.broadcast_to(mask, x.shape).ravel().tolist(), strict=True)
    return np.array([next(source) if chosen else own for own, chosen in pairs]).reshape(x.shape)


def _picked(g: Any, mask: Any, shape: Any) -> Any:
    chosen = g[np.broadcast_to(mask, g.shape)].tolist()
    return np.array(chosen + [0.0] * (math.prod(shape) - len(chosen))).reshape(shape)


def _tri(x: Any, diagonal: int, upper: bool) -> Any:
    out = x.copy()
    for at in np.ndindex(*x.shape):
        if at[-1] - at[-2] < diagonal if upper else at[-1] - at[-2] > diagonal:
            out[at] = 0.0
    return out


def _undiagonal(g: Any, shape: Any, offset: int, dim1: int, dim2: int) -> Any:
    out = np.zeros(shape)
    for at in np.ndindex(*g.shape):
        place = list(at[:-1])
        ends = {dim1: at[-1] + max(-offset, 0), dim2: at[-1] + max(offset, 0)}
        for d in sorted(ends):
            place.insert(d, ends[d])
        out[tuple(place)] = g[at]
    return out


def _two(dim1: int, dim2: int, offset: int = 0) -> dict[str, int]:
    return {"offset": offset, "dim1": dim1, "dim2": dim2}


def _length(x: Any, dim: Any, keepdim: bool) -> Any:
    dims = tuple(range(x.ndim)) if dim is None else dim
    return np.vectorize(math.sqrt, otypes=[float])(np.sum(x * x, axis=dims, keepdims=keepdim))


# fmt: off
ROWS = [
    *(Row("length", (x,), _length, "0", {"dim": dim, "keepdim": keep})
      for x, dim, keep in ((real(3, 4), (1,), False), (real(3, 4), (0, 1), True), (real(3), None, False),
                           (real(), None, False), (real(0, 3), (0,), False), (real(0, 3), (1,), True))),
    *(Row("argsort", (draw,), _argsort, "", {"dim": d, "descending": down}, result="int64")
      for draw, d, down in ((real(3, 4), 1, False), (real(3, 4), 0, True), (whole(0, 3, 3, 6), 1, True),
                            (real(), 0, False), (real(0, 3), 0, False), (real(0, 3), 1, True))),
    *(Row("top_places", (draw,), _top, "", {"k": k, "dim": d, "largest": most, "sorted": True}, result="int64")
      for draw, k, d, most in ((real(3, 4), 2, 1, True), (real(3, 4), 2, 0, False),
                      (real(2, 70), 3, 1, True),
                               (real(), 1, 0, True), (real(0, 3), 2, 1, True))),
    *(Row("kth_place", (draw,), _kth_place, "", {"k": k, "dim": d}, result="int64")
      for draw, k, d in ((real(3, 4), 1, 1), (real(3, 4), 2, 0), (real(), 0, 0))),
    *(Row("median_place", (draw,), _median_place, "", {"dim": d, "ignore": some}, result="int64")
      for draw, d, some in ((real(3, 4), 1, False), (real(3, 4), 0, True), (real(), 0, False))),
    *(Row("mode_place", (draw,), lambda x, dim: _along(x, dim, _mode), "", {"dim": d}, result="int64")
      for draw, d in ((whole(0, 3, 3, 6), 1), (whole(0, 2, 5, 2), 0), (real(), 0))),
    *(Row("running_place", (draw,), _running, "", {"dim": d, "largest": most}, result="int64")
      for draw, d, most in ((real(3, 4), 1, True), (whole(0, 3, 5, 2), 0, False), (real(), 0, True),
                            (real(0, 3), 1, True))),
    *(Row("median", (draw,), lambda x, ignore: statistics.median_low(x.ravel().tolist()), "0", {"ignore": some})
      for draw, some in ((real(3, 4), False), (real(5), True), (real(), False))),
    *(Row("searchsorted", (row, values), _searchsorted, "", {"right": right}, result="int64", via=_sorted_row)
      for row, values, right in ((real(5), real(2, 3), False), (whole(0, 5, 6), whole(0, 5, 4), True),
                                 (whole(0, 5, 2, 6), whole(0, 5, 2, 4), True),
                                 (whole(0, 5, 2, 6), whole(0, 5, 2, 4), False), (real(0), real(3), False))),
    *(Row("isin", (x, tests), _isin, "", {"invert": invert}, result="bool")
      for x, tests, invert in ((whole(0, 5, 2, 3), whole(0, 5, 2), False),
                      (whole(0, 5), whole(0, 5, 3), True),
                               (whole(0, 5, 0, 3), whole(0, 5, 3), False))),
    *(Row("logcumsumexp", (draw,), _logcumsumexp, "0", {"dim": d})
      for draw, d in ((real(3, 4), 1), (real(3, 4), 0), (real(), 0), (real(0, 3), 0))),
    *(Row("exp_sums", (draw,) * 3, _exp_sums, "012", {"dim": d, "reverse": reverse})
      for draw, d in ((real(3, 4), 1), (real(3, 4), 0), (real(), 0), (real(0, 3), 0)) for reverse in (True, False)),
    *(Row("scatter", (x, v, index), _put, "01", {"dim": d})
      for x, v, index, d in ((real(3, 4), real(2, 4), whole(0, 3, 2, 4), 0),
                      (real(3, 4), real(3, 6), whole(0, 4, 3, 6), 1),
                             (real(), real(1), whole(0, 1, 1), 0),
                      (real(0, 3), real(0, 3), whole(0, 1, 0, 3), 0))),
    *(Row("scatter_winners", (x, index), _winners, "", {"dim": d}, result="bool")
      for x, index, d in ((real(3, 4), whole(0, 3, 5, 4), 0), (real(), whole(0, 1, 1), 0),
                      (real(0), whole(0, 1, 0), 0))),
    *(Row("scatter_add", (x, v, index), _add, "01", {"dim": d})
      for x, v, index, d in ((real(3, 4), real(5, 4), whole(0, 3, 5, 4), 0),
                      (real(3, 4), real(2, 3), whole(0, 4, 2, 3), 1),
                             (real(), real(1), whole(0, 1, 1), 0),
                      (real(0, 3), real(0, 3), whole(0, 1, 0, 3), 0))),
    *(Row("index_add", (x, v, index), _add_slices, "01", {"dim": d})
      for x, v, index, d in ((real(3, 4), real(5, 4), whole(0, 3, 5), 0),
                             (real(2, 3, 2), real(2, 2, 2), whole(0, 3, 2), 1),
                             (real(0, 3), real(0, 2), whole(0, 3, 2), 1))),
    *(Row("scatter_extreme", (x, v, index), _extreme, "01", {"dim": d, "largest": most})
      for x, v, index, d, most in ((real(3, 4), real(5, 4), whole(0, 3, 5, 4), 0, True),
                                   (real(3, 4), real(3, 6), whole(0, 4, 3, 6), 1, False),
                                   (real(), real(1), whole(0, 1, 1), 0, True),
                                   (real(0, 3), real(0, 3), whole(0, 1, 0, 3), 0, True))),
    *(Row("scatter_product", (x, v, index), _times, "01", {"dim": d})
      for x, v, index, d in ((real(3, 4), real(5, 4), whole(0, 3, 5, 4), 0),
                      (zeros_in(3, 4), zeros_in(3, 3), whole(0, 4, 3, 3), 1),
                             (real(), real(1), whole(0, 1, 1), 0),
                      (real(0, 3), real(0, 3), whole(0, 1, 0, 3), 0))),
    *(Row("masked_scatter", (x, flags(*mask), v), _masked, "02")
      for x, mask, v in ((real(3, 4), (3, 4), real(12)), (real(2, 3), (3,), real(2, 4)), (real(),
                      (), real(2)),
                         (real(0, 3), (3,), real(2)))),
    *(Row("masked_gather", (g, flags(*mask)), _picked, "0", {"shape": shape})
      for g, mask, shape in ((real(3, 4), (3, 4), (12,)), (real(2, 3), (3,), (2, 4)), (real(), (), (2,)),
                      (real(0, 3), (3,), (2,)))),
    *(Row("diagonal", (x,), lambda x, offset, dim1, dim2: np.diagonal(x, offset, dim1, dim2), "0", _two(a, b, offset))
      for x, offset, a, b in ((real(3, 4), 0, 0, 1), (real(3, 4), 2, 0, 1), (real(3, 4), -1, 1, 0),
                      (real(2, 3, 4), 1, 2, 0),
                              (real(0, 3), 0, 0, 1))),
    *(Row("embed_diagonal", (g,), _undiagonal, "0", {"shape": shape, **_two(a, b, offset)})
      for g, shape, offset, a, b in ((real(3), (3, 4), 0, 0, 1), (real(2), (3, 3), -1, 0, 1), (real(3, 2),
                      (4, 3, 2), 1, 2, 0),
                                     (real(0), (0, 3), 0, 0, 1))),
    *(Row("triangle", (x,), _tri, "0", {"diagonal": k, "upper": upper})
      for x, k, upper in ((real(3, 4), 0, True), (real(2, 4, 3), 1, False), (real(3, 3), -1, True),
                      (real(0, 3), 0, False))),
]
# fmt: on

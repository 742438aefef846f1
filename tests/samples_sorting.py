"""The rows of `op_samples` for orders, parts of matrices and writing by index; values worked out slice by slice."""

from __future__ import annotations

import bisect
import math
import statistics
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from op_samples import NOT_0D, NOT_EMPTY, Row, real, whole

NOT_EMPTY |= {
    "median_place": "no median of nothing",
    "median": "no median of nothing",
    "mode_place": "no mode of nothing",
}
NOT_0D |= {"searchsorted": "a row has a dimension"}


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


def _top(x: Any, k: int, dim: int, largest: bool) -> Any:
    return _along(x, dim, lambda r: sorted(range(len(r)), key=lambda i: -r[i] if largest else r[i])[:k])


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


def _sorted_row(op: Any, row: Any, values: Any, right: bool) -> Any:
    return op(row.gather(-1, row.argsort()), values, right=right)


# fmt: off
ROWS = [
    *(Row("argsort", (draw,), _argsort, "", {"dim": d, "descending": down}, result="int64")
      for draw, d, down in ((real(3, 4), 1, False), (real(3, 4), 0, True), (whole(0, 3, 3, 6), 1, True),
                            (real(), 0, False), (real(0, 3), 0, False), (real(0, 3), 1, True))),
    *(Row("top_places", (draw,), _top, "", {"k": k, "dim": d, "largest": most}, result="int64")
      for draw, k, d, most in ((real(3, 4), 2, 1, True), (real(3, 4), 2, 0, False), (whole(0, 9, 2, 70), 3, 1, True),
                               (real(), 1, 0, True), (real(0, 3), 2, 1, True))),
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
      for x, tests, invert in ((whole(0, 5, 2, 3), whole(0, 5, 2), False), (whole(0, 5), whole(0, 5, 3), True),
                               (whole(0, 5, 0, 3), whole(0, 5, 3), False))),
    *(Row("logcumsumexp", (draw,), _logcumsumexp, "0", {"dim": d})
      for draw, d in ((real(3, 4), 1), (real(3, 4), 0), (real(), 0), (real(0, 3), 0))),
]
# fmt: on

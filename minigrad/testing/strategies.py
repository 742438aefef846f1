"""Hypothesis strategies for gradient checks: arrays of floats away from kinks, and shapes that broadcast.

Hypothesis is imported with the first strategy; the extra ``testing`` brings it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["broadcastable_arrays", "broadcastable_shapes", "float_arrays", "shapes"]

Array = npt.NDArray[Any]
Shape = tuple[int, ...]


@contextmanager
def _needed() -> Iterator[None]:
    """Around imports of Hypothesis: ImportError names the extra."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            "minigrad.testing.strategies needs Hypothesis (the extra `testing`): pip install hypothesis"
        ) from error


def shapes(
    *, min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 4
) -> SearchStrategy[Shape]:
    """Shapes; with ``min_side=0`` empty ones too."""
    with _needed():
        from hypothesis.extra import numpy as hnp

    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def broadcastable_shapes(
    count: int = 2, *, min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 4
) -> SearchStrategy[tuple[Shape, ...]]:
    """``count`` shapes that broadcast with each other."""
    with _needed():
        from hypothesis.extra import numpy as hnp

    tuples = hnp.mutually_broadcastable_shapes(
        num_shapes=count, min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side
    )
    return tuples.map(lambda drawn: drawn.input_shapes)


def float_arrays(
    shape: Any = None,
    *,
    dtype: npt.DTypeLike = np.float64,
    min_value: float = -2.0,
    max_value: float = 2.0,
    away_from: float | Iterable[float] = (),
    gap: float = 0.01,
    apart: bool = False,
) -> SearchStrategy[Array]:
    """Arrays of finite floats from ``min_value`` to ``max_value``.

    ``shape`` is a shape, an int, or a strategy for shapes (`shapes()` if it is None).  No element is nearer than
    ``gap`` to a number in ``away_from``, where the function has its kinks or poles; with ``apart`` no two
    elements are nearer to each other than that, so that no maximum and no sort has a tie.  ValueError if this
    leaves no numbers.
    """
    with _needed():
        from hypothesis import strategies as st
        from hypothesis.extra import numpy as hnp

    kind = np.dtype(dtype)
    if kind.kind not in "fV":
        raise ValueError(f"float_arrays: dtype is a float, not {kind}")
    points = [away_from] if isinstance(away_from, (int, float)) else list(away_from)
    spans = _spans(kind, min_value, max_value, [float(point) for point in points], gap)
    size = shapes() if shape is None else shape
    if apart:
        return _apart(kind, size, spans, gap)
    width: Any = min(64, kind.itemsize * 8)
    spanned = [st.floats(lo, hi, width=width, allow_subnormal=False) for lo, hi in spans]
    return hnp.arrays(kind, size, elements=st.one_of(spanned))


def broadcastable_arrays(
    count: int = 2,
    *,
    min_dims: int = 0,
    max_dims: int = 3,
    min_side: int = 1,
    max_side: int = 4,
    **options: Any,
) -> SearchStrategy[tuple[Array, ...]]:
    """``count`` arrays that broadcast with each other; the ``options`` are those of `float_arrays`."""
    with _needed():
        from hypothesis import strategies as st

    sizes = {"min_dims": min_dims, "max_dims": max_dims, "min_side": min_side, "max_side": max_side}
    tuples = broadcastable_shapes(count, **sizes)
    return tuples.flatmap(lambda drawn: st.tuples(*(float_arrays(shape, **options) for shape in drawn)))


def _spans(
    kind: np.dtype[Any], low: float, high: float, points: list[float], gap: float
) -> list[tuple[float, float]]:
    """What is left of an interval when the neighbourhoods of some points are cut out, with ends of that dtype."""
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"float_arrays: {low} to {high} is no range of finite numbers")
    edges = [(-math.inf, low), *sorted((p - gap, p + gap) for p in points), (high, math.inf)]
    spans, reached = [], low
    for start, end in edges:
        first, last = _inward(kind, reached, math.inf), _inward(kind, min(start, high), -math.inf)
        if first <= last and start >= reached:
            spans.append((first, last))
        reached = max(reached, end)
    if not spans:
        raise ValueError(f"float_arrays: nothing from {low} to {high} is {gap} away from {points}")
    return spans


def _inward(kind: np.dtype[Any], end: float, towards: float) -> float:
    """The number of that dtype next to ``end``, on the inner side."""
    near = kind.type(end)
    outside = near < end if towards > 0 else near > end
    return float(np.nextafter(near, kind.type(towards)) if outside else near)


def _apart(
    kind: np.dtype[Any], size: Any, spans: list[tuple[float, float]], gap: float
) -> SearchStrategy[Array]:
    """Arrays whose elements are different points of a grid that is a little wider than the gap."""
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp

    step = 1.5 * gap
    grid = np.concatenate([lo + step * np.arange(int((hi - lo) / step) + 1) for lo, hi in spans]).astype(kind)
    places = st.integers(0, len(grid) - 1)
    return hnp.arrays(np.int64, size, elements=places, unique=True).map(lambda at: grid[at])

"""Values and gradients in short: as text, and as small pictures; and the arrays of values, as far as they are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.core import changes
from minigrad.core.changes import value_changed
from minigrad.core.node import Const, Node, next_seq
from minigrad.core.tensor import Tensor
from minigrad.readers import values

NAN = 100  # in a heat map
CELLS, BINS = 12, 24  # a heat map has at most so many rows and columns, a histogram so many bars


@dataclass(slots=True)
class Amount:
    """A value or a gradient, in texts: its size, what is in it, and a picture of that where it has many elements."""

    size: str
    text: str
    single: str = ""  # the number, where it is one
    # A heat map has rows of -99 to 99, for minus to plus the largest element, or NAN; a histogram one row, of 0 to 99.
    picture: list[list[int]] = field(default_factory=list)
    bars: bool = False


def amount(array: Any, digits: int = 4, pictured: bool = True) -> Amount:
    """An array, or the list of the gradients of several outputs, in short; with a picture or without."""
    if isinstance(array, list):
        return Amount("", ", ".join("none" if a is None else amount(raw(a), digits).text for a in array))
    array = np.asarray(array)
    single = values.number(array.item(), digits) if array.size == 1 else ""
    drawn = _picture(array) if pictured else ([], False)
    return Amount(values.size(array.shape), values.text(array, digits), single, *drawn)


def raw(t: Any) -> Any:
    """The array of a Tensor, or of an array."""
    return np.asarray(getattr(t, "_array", t))


def _picture(array: Any) -> tuple[list[list[int]], bool]:
    """Few elements as a heat map, many as a histogram; whether it is one."""
    if array.size < 2 or array.dtype.kind not in "fiuV":
        return [], False
    rows = array.reshape(-1, array.shape[-1]).astype(np.float64)
    rows = rows.T if rows.shape[1] == 1 else rows  # a column lies down
    if max(rows.shape) <= CELLS:
        finite, infinite = np.where(np.isfinite(rows), rows, 0.0), np.isinf(rows)
        # What is finite stays paler than what is not.
        cells = finite / (float(np.abs(finite).max()) or 1.0) * (74 if infinite.any() else 99)
        cells = np.where(infinite, 99 * np.sign(rows), np.where(np.isnan(rows), NAN, cells))
        return [[round(v) for v in row] for row in cells.tolist()], False
    finite = rows[np.isfinite(rows)]
    if not finite.size:
        return [], False
    count, _ = np.histogram(finite, BINS)
    return [(99 * count // count.max()).tolist()], True


# ---------------------------------------------------------------- arrays


def arrays_of(records: Sequence[Node], held: Iterable[Tensor]) -> dict[Node, Any]:
    """The arrays of the values of records: those on the tape and in Tensors, and what follows from them."""
    arrays = kept(records, held)
    with np.errstate(all="ignore"):
        for node in records:
            if node.op is not None and node not in arrays:
                _recompute(node, arrays)
    return arrays


def kept(records: Sequence[Node], held: Iterable[Tensor]) -> dict[Node, Any]:
    """The arrays that the tape keeps, those of leaves, and those of other Tensors, if they are as they were."""
    arrays: dict[Node, Any] = {}
    now, first_use = next_seq(), dict[Node, int]()
    for node in records:
        for n in node.inputs:
            if isinstance(n, Node):
                first_use.setdefault(n, node.seq)
        if node.op is not None and node.saved.__class__ is tuple and node.saved and not node.op.opaque:
            for k, a in zip(node.layout.keep, node.saved, strict=False):
                n = node if k == len(node.inputs) else node.inputs[k]
                if isinstance(n, Node) and not changes.changed_since(a, node.seq):
                    arrays[n] = a
    for t in held:
        n = t._node
        if n is None or n in arrays or t._sparse or (t._view and t._view.epoch != t._view.base._epoch):
            continue
        if not value_changed(n, n.seq, now):
            arrays[n] = t._array
    for n, since in first_use.items():
        if n in arrays or value_changed(n, since, now):
            continue
        alive = n.tensor() if n.op is None and n.tensor is not None else None
        if alive is not None and (alive._node is n or not changes.changed_since(alive._array, since)):
            arrays[n] = alive._array
        elif hasattr(n, "few") and not changes.changed_since(n.few, n.seq):
            arrays[n] = n.few
    return arrays


def _recompute(node: Node, arrays: dict[Node, Any]) -> None:
    """The value of a record from those of its inputs, where nothing kept it."""
    op: Any = node.op
    if op.opaque or op.draws or node.shape is None:
        return
    operands = [n.value if n.__class__ is Const else arrays.get(n) for n in node.inputs]
    if any(a is None for a in operands):
        return
    y = np.asarray(op.kernel(*operands, **node.params))
    if y.shape == tuple(node.shape):
        arrays[node] = y

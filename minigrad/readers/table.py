"""The tape as a table in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from minigrad.core.node import Const, Node, Packed, tape
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh
from minigrad.errors import no_result, user_frame
from minigrad.readers import notebook, places
from minigrad.readers.columns import WIDTH, aligned, fitted

if TYPE_CHECKING:
    from minigrad.nn import Module

_EMPTY = "An empty tape: nothing here was computed from a Tensor that requires grad, outside of no_grad."


class TapeRow(NamedTuple):
    """One record: a leaf, or an operation that was applied."""

    number: int
    name: str
    operation: str
    inputs: tuple[str, ...]  # numbers of rows, or values of plain numbers
    shape: tuple[int, ...] | None  # None: the operation has several results, and a row for each
    dtype: str
    # None: they were freed; 0 too where hooks keep them, or a checkpoint computes them again
    saved_bytes: int | None
    line: str


class TapeTable(list[TapeRow]):
    """The records behind a result, in recording order; prints as an aligned table."""

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [
            ("#", "name", "operation", "inputs", "shape", "dtype", "saved", "line")
        ]
        for r in self:
            saved = "freed" if r.saved_bytes is None else f"{r.saved_bytes:,} B" if r.saved_bytes else ""
            shape = "" if r.shape is None else " × ".join(map(str, r.shape)) or "number"
            inputs = " ".join(r.inputs)
            rows.append((str(r.number), r.name, r.operation, inputs, shape, r.dtype, saved, r.line))
        return rows

    def __str__(self) -> str:
        if not self:
            return _EMPTY
        whole = aligned(rows := self._rows(), right=(0, 6))
        if len(whole.split("\n", 2)[1]) <= WIDTH:  # the rule is as long as the longest line
            return whole
        # What has no inputs leaves its name the room of theirs.
        narrow = [(n, _told(*row[:3]), *row[3:]) for n, *row in rows[1:]]
        return aligned(fitted([("#", "operation", *rows[0][4:]), *narrow], 5, 1, 2, least=16), right=(0, 4))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return notebook.table(self._rows(), right=(0, 6)) if self else f"<p>{_EMPTY}</p>"


def tape_table(
    result: Tensor | Sequence[Tensor], params: Module | Mapping[str, Tensor] | None = None
) -> TapeTable:
    """The tape behind ``result``, one or several Tensors, as rows that print as a table.

    ``params``, a Module or a dict of names to Tensors, names rows; so do the variables of your program.
    ``saved`` counts the bytes that a record holds for backward; an array that several hold counts for each.
    TypeError for a ``result`` or ``params`` of anything but Tensors.
    """
    results: list[Any] = list(result) if isinstance(result, (tuple, list)) else [result]
    for t in results:
        if not isinstance(t, Tensor):
            raise no_result("tape_table", t)
        refresh(t)
    names = places.given(params)
    nodes = tape([t._node for t in results if t._node is not None])
    numbers = {node: i for i, node in enumerate(nodes)}
    names = places.with_variables(names, places.variables(user_frame(), records=nodes))
    names |= places.numbered(nodes, names)
    return TapeTable(_row(node, numbers, names.get(node, "")) for node in nodes)


def _told(name: str, operation: str, inputs: str) -> str:
    """A name, an operation and its inputs in one cell."""
    if inputs:
        call = f"{operation}({inputs.replace(' ', ', ')})"
        return f"{name} = {call}" if name else call
    return name if operation != "input" or name.startswith("input") else f"{operation} {name}"


def _row(node: Node, numbers: dict[Node, int], name: str) -> TapeRow:
    inputs = tuple(repr(n.value) if n.__class__ is Const else f"#{numbers[n]}" for n in node.inputs)
    saved: int | None = 0
    if node.saved.__class__ is tuple:
        saved = sum(a.nbytes for a in node.saved if hasattr(a, "nbytes"))
    elif node.saved and not isinstance(node.saved, Packed):
        saved = None
    kind = node.op.name if node.op is not None else "parameter" if node.requires_grad else "input"
    line = node.where if node.op is not None else ""
    dtype = "" if node.dtype is None else str(node.dtype)
    shape = None if node.shape is None else tuple(node.shape)
    return TapeRow(numbers[node], name, kind, inputs, shape, dtype, saved, line)

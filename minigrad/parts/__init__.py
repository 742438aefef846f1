"""`in_parts`: a function of a batch, run on parts of it, one after another or on threads."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from minigrad.core import changes
from minigrad.core.mode import MODE
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import runtime_error, type_error, value_error
from minigrad.func.trees import Spec, flatten, unflatten
from minigrad.functions.parts import cat, narrow
from minigrad.parts.journal import Grads, Journal
from minigrad.threads import Team

__all__ = ["in_parts"]

if TYPE_CHECKING:
    P = ParamSpec("P")
    R = TypeVar("R")


def in_parts(
    function: Callable[P, R], *, parts: int, batch: Any, reduce: Any, threads: int = 1, gradients: str = ""
) -> Callable[P, R]:
    """``function`` of a batch (compiled or not), run on ``parts`` parts of the batch instead of on all of it at once.

    ``batch`` names the arguments that carry the batch, by position or keyword, one or a tuple: Tensors, or trees of
    them, with the rows along dimension 0.  ``reduce`` says what becomes of results: ``"sum"``, ``"mean"`` (weighted by
    rows, so means over parts give the mean over the batch) or ``"join"`` along dimension 0; a tuple, list or dict says
    it for each place of such a result.  Gradients of a ``backward()`` inside are added or averaged likewise, then added
    to ``.grad``; ``gradients`` says it where ``reduce`` has neither ``"sum"`` nor ``"mean"``, or both.  Parts run in
    order, or with ``threads`` at once, each on one thread of BLAS (the extra ``threads``).

    When a part raises (a note names it), or the user interrupts, then gradients, values of Tensors and generators are
    as before the call, and nothing runs any more.  RuntimeError where a part clears gradients or reads those of before
    the call, steps an optimizer or changes what it has computed gradients of; on threads also where it draws random
    numbers or changes what another part changes.
    """
    ways = flatten(reduce)[0]
    if not {*ways} <= {"sum", "mean", "join"} or gradients not in ("", "sum", "mean"):
        raise value_error(f"in_parts(): no such way to combine: {gradients or reduce!r}; see help(in_parts)")
    for name, n in (("parts", parts), ("threads", threads)):
        if type(n) is not int or n < 1:
            raise value_error(f"in_parts(): {name} must be a whole number from 1 on, got {n!r}")
    told = {*ways} - {"join"}
    by = gradients or (told.pop() if len(told) == 1 else "")

    def call(*args: Any, **kwargs: Any) -> Any:
        if (recorder := MODE.get().recorder) is not None:
            raise recorder.refuse("in_parts() cannot be recorded: write in_parts(compile(function), ...)")
        if changes.part() is not None:  # what it gives is the same, by definition
            return function(*args, **kwargs)
        pieces, sizes = _pieces(args, kwargs, batch if isinstance(batch, tuple) else (batch,), parts)
        return _run(function, pieces, sizes, min(threads, len(sizes)), Total(reduce, by, sizes))

    return functools.wraps(function, updated=())(call)


def _pieces(args: Any, kwargs: Any, places: tuple[Any, ...], parts: int) -> tuple[list[Any], list[int]]:
    """The arguments of each part, and how many rows it has."""
    values = {**dict(enumerate(args)), **kwargs}
    if not all(place in values for place in places):
        raise type_error(f"in_parts(): batch={places} names an argument that the call does not have")
    trees = {place: flatten(values[place]) for place in places}
    tensors = [t for leaves, _ in trees.values() for t in leaves]
    if not tensors or not all(isinstance(t, Tensor) and t._array.ndim for t in tensors):
        raise type_error("in_parts(): what carries the batch must be Tensors with at least one dimension")
    rows = len(tensors[0]._array)
    if any(len(t._array) != rows for t in tensors):
        raise value_error(f"in_parts(): the batch has {', '.join(str(len(t._array)) for t in tensors)} rows")
    count = max(1, min(parts, rows))
    ends = [k * rows // count for k in range(count + 1)]
    pieces = []
    for low, high in itertools.pairwise(ends):
        inputs = values.copy()
        for place, (leaves, spec) in trees.items():
            inputs[place] = unflatten([_rows(t, low, high) for t in leaves], spec)
        pieces.append(([inputs[i] for i in range(len(args))], {name: inputs[name] for name in kwargs}))
    return pieces, [high - low for low, high in itertools.pairwise(ends)]


def _rows(t: Tensor, low: int, high: int) -> Tensor:
    mode = MODE.get()
    recorded = (mode.grad and t.requires_grad) or mode.everything or t._inference
    return narrow(t, 0, low, high - low) if recorded else wrap(t._array[low:high])


class Total:
    """Results and gradients of parts, combined in order, wherever they come from."""

    def __init__(self, reduce: Any, gradients: str, sizes: list[int]) -> None:
        self.reduce, self.gradients = reduce, gradients
        self.shares = [n / (sum(sizes) or 1) for n in sizes] if len(sizes) > 1 else [1.0]
        self.count = 0
        self.leaves, self.grads = list[Any](), Grads()
        self.spec: Any = None

    def add(self, result: Any, grads: Grads) -> None:
        """What the next part returns, and the gradients that it leaves."""
        share, (leaves, spec) = self.shares[self.count], flatten(result)
        if self.count and spec != self.spec:
            raise runtime_error(f"in_parts(): one part returns {self.spec}, another {spec}")
        values = [_weighted(way, v, share) for way, v in zip(_ways(self.reduce, spec), leaves, strict=True)]
        if self.count:
            values = [v if v is None else before + v for before, v in zip(self.leaves, values, strict=True)]
        if grads and not self.gradients:
            raise runtime_error("in_parts(): reduce does not tell what becomes of gradients; say gradients=")
        for key, (t, g) in grads.items():
            g = _weighted(self.gradients, g, share)
            self.grads[key] = t, self.grads[key][1] + g if key in self.grads else g
        self.leaves, self.spec, self.count = values, spec, self.count + 1

    def result(self) -> Any:
        """What the function returns for the batch."""
        leaves = [(v[0] if len(v) == 1 else cat(v)) if type(v) is list else v for v in self.leaves]
        return unflatten(leaves, self.spec)


def _ways(reduce: Any, spec: Spec) -> list[str]:
    """How each leaf of a result is combined."""
    if isinstance(reduce, str):
        return [reduce] * spec.num_leaves
    keys = spec.keys or range(len(spec.parts))
    known = reduce.keys() if isinstance(reduce, dict) else range(len(reduce))
    if {*keys} != {*known}:
        raise runtime_error(f"in_parts(): reduce={reduce!r} does not fit the {spec} returned")
    return [way for key, part in zip(keys, spec.parts, strict=True) for way in _ways(reduce[key], part)]


def _weighted(way: str, value: Any, share: float) -> Any:
    """A value as it is added to those of other parts; in a list, if it is joined. TypeError where neither can be."""
    tensor, number = isinstance(value, Tensor), type(value) in (int, float)
    if value is None or (way == "sum" and (tensor or number)):
        return value
    if way == "join" and tensor and value._array.ndim:
        return [value]
    if way == "mean" and (number or (tensor and value._array.dtype.kind in "fV")):
        return value if share == 1.0 else value * share
    what = f"{value.dtype} {list(value.shape)}" if tensor else type(value).__name__
    raise type_error(f"in_parts(): a part returns a {what}, which {way!r} does not combine")


def _run(function: Any, pieces: list[Any], sizes: list[int], threads: int, total: Total) -> Any:
    """Runs all parts and applies what they leave. If that fails, nothing has happened."""
    journal = Journal("in_parts()", alone=threads == 1)

    def part(k: int) -> tuple[Any, Grads]:
        args, kwargs = pieces[k]
        try:
            return journal.run(lambda: function(*args, **kwargs))
        except Exception as error:
            low = sum(sizes[:k])
            error.add_note(
                f"in part {k + 1} of {len(sizes)} of in_parts(), rows {low} to {low + sizes[k] - 1}"
            )
            raise

    team = Team(part, len(pieces), threads)
    try:
        try:
            team.begin()
            for outcome in team:
                total.add(*outcome)
            result = total.result()
            journal.deposit(total.grads)
            return result
        finally:
            team.end()
            journal.end()
    finally:  # again, for an interrupt may have come there
        team.end()
        journal.end()

"""A network in numbers: its modules, what comes out of each, and what that costs."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad import random
from minigrad.core.changes import owner
from minigrad.core.contents import contents, walk
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import Node
from minigrad.core.tensor import Tensor
from minigrad.errors import type_error
from minigrad.readers import notebook
from minigrad.readers.columns import WIDTH, aligned, fitted

if TYPE_CHECKING:
    from minigrad.nn import Module


_NUMBERS = 2, 3, 4, 5  # columns


class SummaryRow(NamedTuple):
    """One module; what its submodules do stands in their rows."""

    name: str
    module: str
    depth: int
    output: str
    parameters: int
    shared: int  # parameters that an earlier row counts
    multiply_adds: int
    activation_bytes: int
    calls: int


class Summary(list[SummaryRow]):
    """The modules of a network; prints as a table with totals."""

    @property
    def parameters(self) -> int:
        """Elements of all parameters, shared ones once."""
        return sum(r.parameters for r in self)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of all operations whose record gives them."""
        return sum(r.multiply_adds for r in self)

    @property
    def activation_bytes(self) -> int:
        """Bytes that are kept for backward, parameters left out."""
        return sum(r.activation_bytes for r in self)

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [
            ("module", "output", "parameters", "multiply-adds", "kept for backward", "calls")
        ]
        for r, after in zip(self, [*self[1:], None], strict=True):
            inner = after is not None and after.depth > r.depth
            label = "  " * r.depth + (f"{r.name.rpartition('.')[2]}: {r.module}" if r.name else r.module)
            label = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in label)
            own = f"{r.parameters:,}" if r.parameters else ""
            shared = f"{r.shared:,} shared" if r.shared else ""
            count = f"{own} (+{shared})" if own and shared else own or shared
            calls = f"{r.calls}" if r.calls > 1 else ""
            output = r.output if r.calls or inner else "not called"
            products = f"{r.multiply_adds:,}" if r.multiply_adds else ""
            rows.append((label, output, count, products, _bytes(r.activation_bytes), calls))
        totals = (f"{self.parameters:,}", f"{self.multiply_adds:,}", _bytes(self.activation_bytes))
        rows.append(("total", "", *totals, ""))
        return rows

    def __str__(self) -> str:
        rows = self._rows()
        whole = aligned(rows, _NUMBERS, foot=True)
        if len(whole.split("\n", 2)[1]) <= WIDTH:
            return whole
        upper = ("", "", "", "multiply-", "kept for", "")
        narrow = [
            upper,
            tuple(cell.removeprefix("multiply-").removeprefix("kept for ") for cell in rows[0]),
            *rows[1:],
        ]
        return aligned(fitted(narrow, 0, 1, least=20, heads=2), _NUMBERS, heads=2, foot=True)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return notebook.table(self._rows(), right=_NUMBERS)


def summary(model: Module, *inputs: object) -> Summary:
    """Runs ``model`` once on ``inputs`` and tells, module by module, what comes out and what it costs.

    Rows have the shape of the output, parameters (each counted once, where it comes first), multiply-adds (of
    operations whose record gives ``costs``: matrix products) and the bytes of the arrays that are kept for backward
    (each once, parameters and inputs left out).  Buffers and the random generator are put back as they were.  TypeError
    if ``model`` is not a Module, or takes other arguments.
    """
    if contents(model) is None:
        raise type_error(f"summary() takes a Module and its inputs, got {type(model).__name__}")
    try:
        inspect.signature(model.forward).bind(*inputs)
    except TypeError as error:
        raise type_error(
            f"summary() runs the model on the inputs that follow it, as in summary(net, x): {error}"
        ) from None
    modules = {name: module for name, module, _ in walk(model)}
    calls = _Calls(model, modules.values(), inputs)
    handles = []
    with _restored(modules.values()):
        try:
            for module in modules.values():
                handles.append(module.register_forward_pre_hook(calls.enter, prepend=True))
                handles.append(module.register_forward_hook(calls.leave))
            mode = MODE.get().replace(grad=True, inference=False, everything=True, observer=calls.observe)
            with ModeManager(mode):
                model(*inputs)
        finally:
            for handle in handles:
                handle.remove()
    rows, counted = Summary(), set[int]()
    for name, module in modules.items():
        sizes = {id(p): p.numel() for p in module.parameters(recurse=False)}
        shared = sum(n for key, n in sizes.items() if key in counted)
        depth = name.count(".") + 1 if name else 0
        own = calls.of[module]
        figures = (sum(sizes.values()) - shared, shared, own.multiply_adds, own.kept, own.calls)
        rows.append(SummaryRow(name, type(module).__name__, depth, own.output, *figures))
        counted |= sizes.keys()
    return rows


@dataclass(slots=True)
class _Figures:
    """What the calls of one module came to."""

    output: str = ""
    calls: int = 0
    multiply_adds: int = 0
    kept: int = 0


class _Calls:
    """Counts for each module what happens while it is the innermost one."""

    def __init__(self, model: Module, modules: Collection[Module], inputs: Iterable[object]) -> None:
        self.entered = [model]
        self.of = {module: _Figures() for module in modules}
        state = [t for m in modules for t in (*m.parameters(recurse=False), *m.buffers(recurse=False))]
        arrays = [t._array for t in (*inputs, *state) if isinstance(t, Tensor) and not t._sparse]
        self.seen = {id(owner(a)): a for a in arrays}  # holds the arrays, so that no id is used again

    def enter(self, module: Module, args: object) -> None:
        self.entered.append(module)
        self.of[module].calls += 1

    def leave(self, module: Module, args: object, output: object) -> None:
        while self.entered.pop() is not module:
            pass
        self.of[module].output = _shapes(output)

    def observe(self, node: Node, arrays: list[Any]) -> None:
        own = self.of[self.entered[-1]]
        if node.op is not None and node.op.costs is not None:
            own.multiply_adds += node.op.costs(node.shape, *(n.shape for n in node.inputs))
        for a in node.saved if node.saved.__class__ is tuple else ():  # what hooks keep is not known
            if isinstance(a, np.ndarray) and id(owner(a)) not in self.seen:
                self.seen[id(owner(a))] = a
                own.kept += a.nbytes


@contextmanager
def _restored(modules: Collection[Module]) -> Iterator[None]:
    """Puts the buffers of modules, and the random generator, back as they were."""
    tables = [module.__minigrad_contents__().buffers for module in modules]
    buffers = [(table, dict(table)) for table in tables]
    values = [
        (t, t._array.copy()) for _, own in buffers for t in own.values() if t is not None and not t._sparse
    ]
    generator = random.get_rng_state()
    try:
        yield
    finally:
        random.set_rng_state(generator)
        for table, own in buffers:
            table.clear()
            table.update(own)
        for t, before in values:
            t._array[...] = before


def _shapes(output: object) -> str:
    if isinstance(output, Tensor):
        return " × ".join(map(str, output._array.shape)) or "number"
    if isinstance(output, (tuple, list)):
        return "(" + ", ".join(_shapes(t) for t in output) + ")"
    return "None" if output is None else type(output).__name__


def _bytes(n: int) -> str:
    return f"{n:,} B" if n else ""

"""A network in numbers: its modules, what comes out of each, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad import random
from minigrad.core.changes import owner
from minigrad.core.contents import Contents, contents, walk
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import Node
from minigrad.core.tensor import Tensor
from minigrad.errors import type_error

if TYPE_CHECKING:
    from minigrad.nn import Module

# Multiply-adds of the operations that consist of them, from the shapes of the inputs and of the output.
_MULTIPLY_ADDS: dict[str, Callable[[list[tuple[int, ...]], tuple[int, ...]], int]] = {
    "matmul": lambda shapes, y: math.prod(y) * shapes[0][-1],
    "linear": lambda shapes, y: math.prod(y) * shapes[0][-1],
    "conv": lambda shapes, y: math.prod(y) * math.prod(shapes[1][1:]),
}


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
        """Multiply-adds of all matrix products and convolutions."""
        return sum(r.multiply_adds for r in self)

    @property
    def activation_bytes(self) -> int:
        """Bytes that are kept for backward, parameters left out."""
        return sum(r.activation_bytes for r in self)

    def __str__(self) -> str:
        rows = [("module", "output", "parameters", "multiply-adds", "kept for backward", "calls")]
        for r, after in zip(self, [*self[1:], None], strict=True):
            inner = after is not None and after.depth > r.depth
            label = "  " * r.depth + (f"{r.name.rpartition('.')[2]}: {r.module}" if r.name else r.module)
            count = f"{r.parameters:,}" if r.parameters or not r.shared else ""
            if r.shared:
                count += f" (+{r.shared:,} shared)" if count else f"{r.shared:,} shared"
            calls = "" if r.calls == 1 else f"{r.calls}" if r.calls else "" if inner else "not called"
            cells = (
                count if count != "0" else "",
                _number(r.multiply_adds),
                _bytes(r.activation_bytes),
                calls,
            )
            rows.append((label, r.output, *cells))
        total = (
            "total",
            "",
            f"{self.parameters:,}",
            f"{self.multiply_adds:,}",
            _bytes(self.activation_bytes),
            "",
        )
        rows.append(total)
        rows = [("".join(c if c.isprintable() else ascii(c)[1:-1] for c in a), *rest) for a, *rest in rows]  # type: ignore[misc]
        kept = [k for k in range(6) if any(row[k] for row in rows[1:])]
        widths = {k: max(len(row[k]) for row in rows) for k in kept}
        lines = [
            "  ".join(row[k].rjust(widths[k]) if k > 1 else row[k].ljust(widths[k]) for k in kept).rstrip()
            for row in rows
        ]
        rule = "─" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])

    __repr__ = __str__


def summary(model: Module, *inputs: object) -> Summary:
    """Runs ``model`` once on ``inputs`` and tells, module by module, what comes out and what it costs.

    Rows have the shape of the output, parameters (each counted once, where it comes first), multiply-adds (of
    matrix products and convolutions) and the bytes of the arrays that are kept for backward (each once,
    parameters and inputs left out).  Buffers and the random generator are put back as they were.  TypeError
    if ``model`` is no Module.
    """
    if contents(model) is None:
        raise type_error(f"summary() takes a Module and its inputs, got {type(model).__name__}")
    modules: dict[str, Module] = {}
    tables: dict[Module, Contents] = {}
    for name, module, held in walk(model):
        modules[name], tables[module] = module, held
    stack: list[Module] = [model]
    calls: dict[Module, int] = dict.fromkeys(modules.values(), 0)
    outputs: dict[Module, str] = {}
    products: dict[Module, int] = dict.fromkeys(modules.values(), 0)
    kept: dict[Module, int] = dict.fromkeys(modules.values(), 0)
    given = [t._array for t in inputs if isinstance(t, Tensor)]
    state = [t for held in tables.values() for t in (*held.parameters.values(), *held.buffers.values())]
    seen = {id(owner(a)): a for a in (*given, *(t._array for t in state if t is not None))}  # kept alive

    def enter(module: Module, args: object) -> None:
        stack.append(module)
        calls[module] += 1

    def leave(module: Module, args: object, output: object) -> None:
        while stack.pop() is not module:
            pass
        outputs[module] = _shapes(output)

    def observe(node: Node, arrays: list[Any]) -> None:
        if node.op is None:
            return
        count = _MULTIPLY_ADDS.get("conv" if node.op.name.startswith("conv") else node.op.name)
        if count is not None and len(node.inputs) > 1:
            products[stack[-1]] += count([n.shape for n in node.inputs], node.shape)
        for a in node.saved:
            if isinstance(a, np.ndarray) and id(owner(a)) not in seen:
                seen[id(owner(a))] = a
                kept[stack[-1]] += a.nbytes

    buffers = [(held.buffers, dict(held.buffers)) for held in tables.values()]
    values = [(t, t._array.copy()) for _, own in buffers for t in own.values() if t is not None]
    handles = []
    drawn = random.get_rng_state()
    try:
        with ModeManager(MODE.get().replace(grad=True, inference=False, everything=True, observer=observe)):
            for module in modules.values():
                handles.append(module.register_forward_pre_hook(enter, prepend=True))
                handles.append(module.register_forward_hook(leave))
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        random.set_rng_state(drawn)
        for table, own in buffers:
            table.clear()
            table.update(own)
        for t, before in values:
            t._array[...] = before
    found, counted = Summary(), set[int]()
    for name, module in modules.items():
        sizes = {id(p): p._array.size for p in tables[module].parameters.values() if p is not None}
        shared = sum(n for key, n in sizes.items() if key in counted)
        own_size = sum(n for key, n in sizes.items() if key not in counted)
        counted |= sizes.keys()
        depth = name.count(".") + 1 if name else 0
        kind = type(module).__name__
        found.append(
            SummaryRow(
                name, kind, depth, outputs.get(module, ""), own_size, shared, products[module], kept[module],
                calls[module],
            )
        )  # fmt: skip
    return found


def _shapes(output: object) -> str:
    if isinstance(output, Tensor):
        return " × ".join(map(str, output._array.shape)) or "number"
    if isinstance(output, (tuple, list)):
        return "(" + ", ".join(_shapes(t) for t in output) + ")"
    return type(output).__name__


def _number(n: int) -> str:
    return f"{n:,}" if n else ""


def _bytes(n: int) -> str:
    return f"{n:,} B" if n else ""

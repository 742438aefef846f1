"""`FlopCounterMode`: the multiplications and additions of matrix products and convolutions, as PyTorch counts them.

The records tell their multiply-adds (``costs``) and PyTorch's name for them (``grad_fn``). A multiply-add is two
operations, and a product's gradient for a factor takes as many as the product. A backward pass with ``create_graph``
computes with Tensors, so its products are counted as any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad.autograd.profiler import Watch
from minigrad.core import op as records
from minigrad.core.node import next_seq
from minigrad.errors import value_error, warn
from minigrad.gate.names import COMPOSED
from minigrad.hints import module_getattr
from minigrad.utils.module_tracker import ModuleTracker

__all__ = ["FlopCounterMode"]

# By PyTorch's name of a record, what it counts forwards and backwards.
_COUNTED = {
    "MmBackward0": ("mm", "mm"), "AddmmBackward0": ("addmm", "mm"), "BmmBackward0": ("bmm", "bmm"),
    "BaddbmmBackward0": ("baddbmm", "bmm"), "ConvolutionBackward0": ("convolution", "convolution_backward"),
    "AddbmmBackward0": ("", "bmm"),
}  # fmt: skip
# It does not count these on a CPU.
_NOT_COUNTED = {
    "MvBackward0", "AddmvBackward0", "AddrBackward0", "DotBackward0", "MkldnnRnnLayerBackward0",
    "ScaledDotProductFlashAttentionForCpuBackward0",
}  # fmt: skip
_SUFFIXES = ["", "K", "M", "B", "T"]


class _Event(NamedTuple):
    """Something that was counted: when, in which modules, as what, and how many operations."""

    seq: int
    modules: frozenset[str]
    kind: str
    flops: int


class FlopCounterMode(Watch):
    """Counts in a ``with`` statement, and prints a table at its end.

    Matrix products, convolutions and their gradients count, as in PyTorch on a CPU: so products with a vector do
    not, nor an LSTM, nor `scaled_dot_product_attention` of four dimensions without dropout, nor what is compiled.

    Args:
        mods: an older argument of PyTorch's; it changes nothing, and a UserWarning says so.
        depth: how deep the table goes into modules; None for all.
        display: whether the table is printed.
        custom_mapping: formulas of PyTorch's, which no record here would call.

    Raises:
        RuntimeError: it is entered twice, or ends where it does not run, as in another thread.
        ValueError: there is a `custom_mapping`.
    """

    def __init__(
        self, mods: Any = None, depth: int | None = 2, display: bool = True, custom_mapping: Any = None
    ) -> None:
        super().__init__()
        if mods is not None:
            warn("mods argument is not needed anymore, you can stop passing it")
        if custom_mapping:
            raise value_error(
                "custom_mapping is not taken: records tell what operations cost; declare one with costs"
            )
        self.depth, self.display = depth, display
        self.mod_tracker = ModuleTracker()
        self._events: list[_Event] = []
        self._by_kernel: dict[Any, Any] = {}
        self._known = 0
        self._within = "", 0, 0

    def __enter__(self) -> Self:
        self.start()
        self._events.clear()
        COMPOSED.append(self._composed)
        self.mod_tracker.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self.mod_tracker.__exit__(*exc)
        COMPOSED.remove(self._composed)
        if self.display:
            print(self.get_table(self.depth))

    # ---------------------------------------------------------------- counting

    def _count(self, kind: str, count: int) -> None:
        self._events.append(_Event(next_seq(), frozenset(self.mod_tracker.parents), kind, count))

    def kernel(self, kernel: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs a kernel, and counts it where its record tells the costs."""
        y = self.run_kernel(kernel, *args, **kwargs)
        if self._known != len(records.TABLE):
            self._by_kernel = {op.kernel: op for op in records.TABLE.values() if op.costs is not None}
            self._known = len(records.TABLE)
        op = self._by_kernel.get(kernel)
        if op is not None:
            shapes = [np.shape(a) for a in args]
            count = 2 * op.costs(y.shape, *shapes)
            inputs = [SimpleNamespace(shape=shape) for shape in shapes]
            kinds = _kinds(_label(op, SimpleNamespace(inputs=inputs, shape=y.shape, params=kwargs)), shapes)
            if kinds is not None:
                # A batch of rows that do not lie one behind the other is multiplied first, and the bias added.
                scattered = kinds[0] == "addmm" and len(shapes) == 3 and not args[0].flags.c_contiguous
                self._count("mm" if scattered and len(shapes[0]) > 2 else kinds[0], count)
        return y

    def _composed(self, label: str, since: int) -> None:
        """A function of several records is over: what it counted is of its kind, or counts nothing."""
        kinds = _kinds(label, ())
        if label and (kinds is None or kinds[0] or kinds[1]):
            for i in range(len(self._events) - 1, -1, -1):
                event = self._events[i]
                if event.seq < since:
                    break
                if kinds is None or not kinds[0]:
                    del self._events[i]
                else:
                    self._events[i] = event._replace(kind=kinds[0])

    def rules(self, run: Any, node: Any, g: Any, unpacked: Any = None) -> None:
        """Sends a gradient on, and counts the products of a rule that runs on arrays."""
        label, since, end = self._within
        if hasattr(node, "outer") and not since < node.seq <= end:  # one inside of another is its part
            label, since = node.outer
            self._within = label, since, end = label, since, node.seq
        op = node.op
        if op is not None and op.costs is not None and isinstance(g, np.ndarray):
            shapes = [n.shape for n in node.inputs]
            own = _label(op, node)
            kinds = _kinds(label, shapes) if since < node.seq <= end else ("", "")
            kinds = _kinds(own, shapes) if kinds is not None and not kinds[1] else kinds
            needs = [x.requires_grad and (run.leads is None or x in run.leads) for x in node.inputs]
            if kinds is not None and op.gradient_costs is not None:
                self._count(kinds[1], 2 * op.gradient_costs(needs, node.shape, *shapes))
            elif kinds is not None:
                # PyTorch counts the gradient of a convolution's weight as if there were no groups.
                times = needs[0] + needs[1] * node.params.get("groups", 1)
                if times:
                    self._count(kinds[1], 2 * times * op.costs(node.shape, *shapes))
        self.send_rules(run, node, g, unpacked)

    # ---------------------------------------------------------------- what was counted

    @property
    def flop_counts(self) -> dict[str, dict[str, int]]:
        """The operations by module, and there by their kind, such as ``"aten.mm"``; ``"Global"`` is all."""
        counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for _, modules, kind, count in self._events:
            for module in modules:
                counts[module][f"aten.{kind}"] += count
        return counts

    def get_flop_counts(self) -> dict[str, dict[str, int]]:
        """The same, as plain dicts."""
        return {module: dict(kinds) for module, kinds in self.flop_counts.items()}

    def get_total_flops(self) -> int:
        """All operations."""
        return sum(event.flops for event in self._events)

    def get_table(self, depth: int | None = None) -> str:
        """A table of modules and their kinds of operations; ``depth`` (by default that of the mode) is how deep."""
        depth = self.depth if depth is None else depth
        counts, total = self.flop_counts, self.get_total_flops()
        scale = max(0, min(len(_SUFFIXES) - 1, (len(str(total)) - 2) // 3))

        def rows_of(module: str, indent: str) -> list[list[str]]:
            entries = [
                (module, sum(counts[module].values())),
                *((f" - {k}", n) for k, n in counts[module].items()),
            ]
            return [
                [
                    indent + name,
                    f"{n / 1000**scale:.3f}{_SUFFIXES[scale]}",
                    f"{n / total:.2%}" if total else "0%",
                ]
                for name, n in entries
            ]

        rows, whole = [], False
        for module in sorted(counts.keys() - {"Global"}):
            level = module.count(".")
            if depth is None or level < depth:
                rows += rows_of(module, " " * level)
                whole = whole or sum(counts[module].values()) >= total
        if counts and not whole:
            rows = rows_of("Global", "") + [[f" {first}", *others] for first, *others in rows]
        return _aligned([["Module", "FLOP", "% Total"], *(rows or [["Global", "0", "0%"]])])


def _label(op: Any, node: Any) -> str:
    """PyTorch's name of a record."""
    name = op.grad_fn
    return name(node) if callable(name) else name


def _kinds(label: str, shapes: Sequence[Any]) -> tuple[str, str] | None:
    """What PyTorch calls it forwards and backwards; None where it counts nothing."""
    for name in label.split():
        if name in _NOT_COUNTED:
            return None
        if name in _COUNTED:
            return _COUNTED[name]
    if not shapes:
        return "", ""
    return _COUNTED[
        "AddmmBackward0"
        if len(shapes) > 2
        else "BmmBackward0"
        if min(map(len, shapes)) > 2
        else "MmBackward0"
    ]


def _aligned(rows: list[list[str]]) -> str:
    """Rows as a table, as the package tabulate aligns them; the first is the head."""
    if all(row[1][-1:].isdigit() for row in rows[1:]):
        rows = [rows[0], *([a, f"{float(b):g}", c] for a, b, c in rows[1:])]
    widths = [max(len(rows[0][i]) + 2, *(len(row[i]) for row in rows)) for i in range(3)]
    lines = [[row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2])] for row in rows]
    lines.insert(1, ["-" * n for n in widths])
    return "\n".join("  ".join(line) for line in lines)


module_getattr(globals())

"""A function run on leaves of its own, whose derivatives a transform then asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd.modes import recorded
from minigrad.autograd.products import node_of
from minigrad.core.mode import MODE
from minigrad.core.node import Node
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.errors import here, runtime_error, value_error
from minigrad.func.trees import flatten, unflatten
from minigrad.ops.shape import alias


class Level:
    """The leaves of one transform, and which of its records others may see. Created before recording is turned on."""

    def __init__(self) -> None:
        # whether results may depend on Tensors that other graphs compute
        self.recording = MODE.get().grad
        self.nodes: list[Node] = []
        # the record that each leaf stands for; None for one outside of any graph
        self.outer: list[Node | None] = []
        # leaves that no other graph leads to
        self.own: set[Node] = set()

    def enter(self, x: object) -> Tensor:
        """A leaf that stands for ``x``, over the same memory."""
        if not isinstance(x, Tensor):
            raise value_error(f"Thing passed to transform API must be Tensor, got {type(x).__name__}")
        x_node = node_of(x) if self.recording else None
        inside = wrap(x._array)
        if inside._array.dtype.kind != "f":
            raise runtime_error(
                f"only Tensors of floating point dtype can require gradients, this one is {inside.dtype}"
            )
        node = leaf(inside, True)
        self.nodes.append(node)
        self.outer.append(x_node)
        if x_node is None:
            self.own.add(node)
        return inside

    def leave(self) -> None:
        """Ties the leaves to what they stand for."""
        for node, outer in zip(self.nodes, self.outer, strict=True):
            if outer is not None:
                node.op, node.inputs, node.tensor = alias, (outer,), None
                node.layout = alias.layout((True,))  # type: ignore[assignment]
                node.code, node.lasti = here()

    def leads_out(self, tensors: Sequence[Tensor], own: set[Node] | None = None) -> bool:
        """Whether a gradient can flow from the Tensors to a leaf outside of this level.

        If not, all records behind them are added to ``own``, which spares the next question the walk.
        """
        known = self.own if own is None else own
        todo = [n for n in map(node_of, tensors) if n is not None and n not in known]
        seen = set(todo)
        while todo:
            node = todo.pop()
            if node.op is None:
                return True
            for n in node.inputs:
                if n.requires_grad and n not in seen and n not in known:
                    seen.add(n)
                    todo.append(n)
        if own is not None:
            own |= seen
        return False

    def show(self, tensors: Sequence[Tensor], create: bool) -> list[Tensor]:
        """The Tensors as a caller sees them: without history, where that leads to this level alone."""
        own = set(self.own)
        return [t if create and self.leads_out([t], own) else wrap(t._array) for t in tensors]


class Run:
    """One run of a function on the leaves of a level, and its results, flat, with their history."""

    def __init__(
        self,
        name: str,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: Any,
        has_aux: bool,
    ) -> None:
        self.name, self.argnums, self.level = name, argnums, Level()
        places = places_of(argnums, len(args))
        self.inputs, self.inputs_spec = flatten(tuple(args[i] for i in places))
        called = list(args)
        forward = name.startswith("jvp") or MODE.get().transform == "forward"
        with recorded(transform="forward" if forward else "reverse"):
            inside = unflatten([self.level.enter(x) for x in self.inputs], self.inputs_spec)
            for i, x in zip(places, inside, strict=True):
                called[i] = x
            output = func(*called, **kwargs)
        aux: Any = None
        if has_aux:
            if not (isinstance(output, tuple) and len(output) == 2):
                raise runtime_error(
                    f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True"
                )
            output, aux = output
        self.level.leave()
        self.output = output
        self.outputs, self.spec = flatten(output)
        self.aux = self._show_aux(aux) if has_aux else None

    def _show_aux(self, aux: Any) -> Any:
        leaves, spec = flatten(aux)
        for t in leaves:
            if not isinstance(t, Tensor):
                raise runtime_error(f"Expected tensors, got unsupported type {type(t).__name__}")
        return unflatten(self.level.show(leaves, self.level.recording), spec)

    def check_outputs(self) -> None:
        """RuntimeError unless the result is a tree of Tensors."""
        if len(self.outputs) < 1 or (len(self.outputs) == 1 and self.outputs[0] is None):
            raise runtime_error(
                f"{self.name}: Expected f to be a function that has non-empty output (got output = {self.output})"
            )
        for t in self.outputs:
            if not isinstance(t, Tensor):
                raise runtime_error(
                    f"{self.name}: expected f(*primals) to return only tensors, got unsupported type {type(t).__name__}"
                )

    def check_floats(self) -> None:
        """RuntimeError unless the result is a tree of Tensors of floats."""
        self.check_outputs()
        for t in self.outputs:
            if t._array.dtype.kind != "f":
                raise runtime_error(
                    f"{self.name}: All outputs of f must be floating-point Tensors, got Tensor with dtype {t.dtype}"
                )

    def create(self, vectors: Sequence[Tensor] = ()) -> bool:
        """Whether derivatives are recorded: the results, or the vectors, depend on an outer graph."""
        return self.level.recording and self.level.leads_out([*self.outputs, *vectors])

    def shown_outputs(self) -> Any:
        """The result as the caller gets it."""
        return unflatten(self.level.show(self.outputs, self.level.recording), self.spec)

    def shown_inputs(self, gradients: Sequence[Tensor | None], create: bool) -> Any:
        """Derivatives by the inputs (None is zero) as the caller gets them, always in a tuple."""
        return unflatten(self.level.show(filled(gradients, self.inputs), create), self.inputs_spec)

    def shown_jacobians(self, rows: Sequence[Sequence[Tensor]], create: bool) -> Any:
        """Jacobians, by output and input, as the caller gets them."""
        trees = [unflatten(self.level.show(row, create), self.inputs_spec) for row in rows]
        return unflatten([t[0] for t in trees] if isinstance(self.argnums, int) else trees, self.spec)


def filled(gradients: Sequence[Tensor | None], like: Sequence[Tensor]) -> list[Tensor]:
    """The gradients, with zeros for None."""
    return [
        wrap(np.zeros(t._array.shape, t._array.dtype)) if g is None else g
        for g, t in zip(gradients, like, strict=True)
    ]


def places_of(argnums: object, count: int) -> list[int]:
    """The positions of the arguments to differentiate by; all of them for None."""
    if argnums is None:
        return list(range(count))
    if not isinstance(argnums, (int, tuple)):
        raise runtime_error(f"argnums must be int or Tuple[int, ...], got: {type(argnums).__name__}")
    places = []
    for n in argnums if isinstance(argnums, tuple) else (argnums,):
        if not isinstance(n, int):
            raise runtime_error(f"argnum must be int, got: {type(n).__name__}")
        if not -count <= n < count:
            raise runtime_error(f"Got argnum={n}, but only {count} positional inputs")
        places.append(n % count)
    if not places:
        raise runtime_error("argnums must be non-empty")
    if len(set(places)) != len(places):
        raise runtime_error(f"argnums elements must be unique, got {tuple(places)}")
    return places


def not_all(argnums: object) -> None:
    """RuntimeError for None, which `places_of` takes for all arguments."""
    if argnums is None:
        raise runtime_error("argnums must be int or Tuple[int, ...], got: NoneType")

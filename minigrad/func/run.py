"""A function run on leaves of its own, whose derivatives a transform then asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd.grad_mode import recorded
from minigrad.autograd.levels import Level
from minigrad.core.mode import MODE
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import runtime_error
from minigrad.func.trees import flatten, unflatten


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
        """RuntimeError unless the result is a tree of Tensors of floats, which may be complex."""
        self.check_outputs()
        for t in self.outputs:
            if t._array.dtype.kind not in "fcV":
                raise runtime_error(
                    f"{self.name}: All outputs of f must be floating-point Tensors, got Tensor with dtype {t.dtype}"
                )

    def check_real(self, name: str) -> None:
        """As `check_floats`; RuntimeError also for complex numbers."""
        self.check_floats()
        for what, tensors in (("input", self.inputs), ("output", self.outputs)):
            for i, t in enumerate(tensors):
                if t._array.dtype.kind == "c":
                    raise runtime_error(
                        f"{name}: Expected all {what}s to be real but received complex tensor at flattened {what} idx: "
                        f"{i}; take view_as_real() of it"
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

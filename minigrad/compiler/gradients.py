"""Results that carry gradients: an `autograd.Function` whose forward is a replay and whose backward is a plan."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minigrad import autograd
from minigrad.compiler.arguments import tensors_in
from minigrad.compiler.plan import Plan
from minigrad.compiler.statements import Statements
from minigrad.compiler.values import TracedProgram
from minigrad.core import engine
from minigrad.core.mode import MODE
from minigrad.core.node import Node
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import leaf, wrap
from minigrad.readers.source.program import Value, memory


class Step:
    """What a call of a differentiable recording runs: the Function, and how its Tensors are found among the leaves."""

    def __init__(
        self, function: type[autograd.Function], targets: list[Callable[[Any], Any]], text: str
    ) -> None:
        self.function, self.targets, self.text = function, targets, text


class Gradients:
    """The gradients of results with respect to what was there before the run, recorded by it.

    ``targets`` are these Tensors, ``seeds`` those that stand for the cotangents of the results, and ``grads`` the
    gradients of the targets, None where no result depends on one.  RuntimeError where the backward pass fails.
    """

    def __init__(self, recording: Any, results: list[Any]) -> None:
        self.recording, self.results = recording, results
        run = self.run = recording.run
        before: dict[
            int, tuple[Any, list[Node]]
        ] = {}  # Tensors, each with the records that have stood for it
        for n, t in run.sources.items():
            if t._node is not None and t.requires_grad:
                before.setdefault(id(t), (t, []))[1].append(n)
        for n in run.follows:  # records since a change under no_grad()
            t = n.tensor() if n.op is None and n.requires_grad and n.tensor is not None else None
            if t is not None and id(t) in before:
                before[id(t)][1].append(n)
        self.targets = [t for t, _ in before.values()]
        self._nodes = [[n for n in nodes if n.requires_grad] for _, nodes in before.values()]
        self.seeds: list[Any] = []
        # Whether the records behind the results have saved arrays.
        self.saves = True
        with run.recording():
            for t in results:
                seed = wrap(np.ones(t._array.shape, t._array.dtype))
                run.sources[leaf(seed)] = seed
                run.tensors[id(seed)] = seed
                run.paths[id(seed)] = "gradient"
                self.seeds.append(seed)
            roots = [t._node for t in results]
            ends = [n for nodes in self._nodes for n in nodes]
            with _cut(ends):
                grads = engine.run(roots, self.seeds, ends, True, False)
            self.grads = [self._sum(nodes, grads) for nodes in self._nodes]

    def _sum(self, leaves: list[Node], grads: dict[Node, Any]) -> Any:
        """The gradient of a Tensor, summed over the records that have stood for it."""
        total = None
        for n in leaves:
            if n in grads:
                total = grads[n] if total is None else total + grads[n]
                if total is not grads[n]:
                    self.run.groups[total._node] = n  # a record of the backward half
        return total

    def saved_in(self, program: TracedProgram) -> list[Value]:
        """The computed values of a program's forward half that the backward half reads."""
        self._values = [program.value_of[g._node] for g in self.grads if g is not None]
        seeds = {program.by_tensor[id(s)] for s in self.seeds if id(s) in program.by_tensor}
        pending, seen = list(self._values), set(self._values)
        saved: dict[Value, None] = {}
        leaves: set[Value] = set()
        for v in pending:
            if v.fill is not None or v.is_constant or v in seeds:
                continue
            if v.is_parameter:
                leaves.add(v)
            elif v.forward and memory(v) is v:
                saved[v] = None
            else:
                more = [w for w in v.inputs if w.__class__ is Value and w not in seen]
                seen.update(more)
                pending += more
        read = [t for t in self.run.sources.values() if program.by_tensor.get(id(t)) in leaves]
        self.read = list({id(t): t for t in read}.values())
        self.saved = list(saved)
        return self.saved

    def function(
        self,
        compiled: Any,
        program: TracedProgram,
        numbers: list[str],
        count: int,
        returned: list[int],
        why_once: str,
    ) -> Step:
        """The Function.

        ``count`` results of a run come before what is saved.  ``returned`` are the places of the differentiable
        results among the Tensors that the function returns.  ``why_once`` says why it may not run again, or is empty.
        """
        # In eager mode a second backward pass is refused where a record has saved arrays.
        more = [np.empty(0)] if self.saves else []
        run_backward, text = self._backward(compiled.__name__, program, numbers)
        function, name = compiled.function, compiled.__name__
        find = self.recording._finder
        targets, read = [find(t) for t in self.targets], [find(t) for t in self.read]
        opened = [self.recording.number_of[id(t)] for t in self.results]
        reached = []  # for each result, whether it depends on each target
        for t in self.results:
            ancestors = set(self.run.order([t._node]))
            pairs = zip(self._nodes, self.grads, strict=True)
            reached.append([g is not None and not ancestors.isdisjoint(nodes) for nodes, g in pairs])
        shapes = [(t._array.shape, t._array.dtype) for t in self.results]
        present, parameters = [g is not None for g in self.grads], len(numbers)

        class Function(autograd.Function):
            @staticmethod
            def forward(ctx: Any, call: Any, *tensors: Any) -> Any:
                results, _ = call.results = QUIET.run(call.run, *call.inputs)
                outs = tuple(wrap(results[i]) for i in opened)
                ctx.save_for_backward(
                    *(f(call.leaves) for f in read), *map(wrap, results[count:]), *map(wrap, more)
                )
                ctx.call = call.args, call.kwargs, call.leaves
                ctx.numbers = call.inputs[len(call.inputs) - parameters :]
                ctx.set_materialize_grads(False)
                return outs if len(outs) > 1 else outs[0]

            @staticmethod
            def backward(ctx: Any, *grads: Any) -> Any:
                if MODE.get().grad:
                    return (None, *_again((function, name), ctx.call, targets, returned, grads, why_once))
                arrays = [t._array for t in ctx.saved_tensors]
                arrays = arrays[: len(arrays) - len(more)]
                seeds = [
                    np.zeros(*like) if g is None else g._array for g, like in zip(grads, shapes, strict=True)
                ]
                computed = iter(
                    run_backward([*arrays[: len(read)], *seeds, *arrays[len(read) :]], ctx.numbers)
                )
                rows = [row for row, g in zip(reached, grads, strict=True) if g is not None]
                results = [next(computed) if here else None for here in present]
                flows = [any(row[j] for row in rows) for j in range(len(present))]
                return (None, *(wrap(r) if here else None for r, here in zip(results, flows, strict=True)))

        Function.__name__ = Function.__qualname__ = f"Compiled_{name}"
        return Step(Function, targets, text)

    def _backward(
        self, name: str, program: TracedProgram, numbers: list[str]
    ) -> tuple[Callable[..., Any], str]:
        """The backward plan as a function of the arrays that it reads, seeds and saved values; and its text."""
        sources, paths = self.run.sources, self.run.paths
        first = {id(t): n for n, t in reversed(sources.items())}
        outside = [*self.read, *self.seeds]
        leaves = [(paths.get(id(t), "tensor"), first[id(t)]) for t in outside]
        outputs = [(v, i) for i, v in enumerate(self._values)]
        statements = Statements(program, leaves, set(), outputs, (), numbers, boundary=self.saved)
        plan = Plan(statements, f"The gradients of {name}, as recorded. Printed by minigrad.")
        by_tensor = program.by_tensor
        places = {id(by_tensor[id(t)]): i for i, t in enumerate(outside) if id(t) in by_tensor}
        places |= {id(v): len(outside) + i for i, v in enumerate(self.saved)}
        order = [places[id(v)] for v in plan.takes]
        idle: list[Any] = []

        def run_backward(arrays: list[Any], leaves: Sequence[Any]) -> Any:
            try:
                run = idle.pop()
            except IndexError:  # all are in use, or there is none yet
                run = plan.bind(())
            results, _ = QUIET.run(run, *[arrays[i] for i in order], *leaves)
            idle.append(run)
            return results

        return run_backward, plan.text


@contextlib.contextmanager
def _cut(ends: list[Node]) -> Iterator[None]:
    """A pass inside stops at these records: the user's own pass calls their hooks, and goes on behind them."""
    held = [(n, n.hooks, n.inputs) for n in ends]
    try:
        for node in ends:
            node.hooks, node.inputs = None, ()
        yield
    finally:
        for node, hooks, inputs in held:
            node.hooks, node.inputs = hooks, inputs


def _again(again: Any, call: Any, targets: Any, numbers: list[int], grads: Any, why_once: str) -> list[Any]:
    """Gradients that can be differentiated again: the function itself runs once more, on the tape.

    ``numbers`` are the places, among the Tensors that it returns, of those that ``grads`` belong to.
    """
    function, name = again
    if why_once:
        raise NotImplementedError(
            f"create_graph=True through the compiled {name} would run it once more, and it {why_once}; "
            "call it uncompiled"
        )
    args, kwargs, leaves = call
    with autograd.enable_grad():
        result = function(*args, **kwargs)
    returned = tensors_in(result)
    pairs = [(returned[i], g) for i, g in zip(numbers, grads, strict=True) if g is not None]
    inputs = [find(leaves) for find in targets]
    outs, cotangents = [t for t, _ in pairs], [g for _, g in pairs]
    with _cut([t._node for t in inputs]):
        return list(autograd.grad(outs, inputs, cotangents, create_graph=True, allow_unused=True))

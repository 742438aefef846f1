"""Results that carry gradients: an `autograd.Function` whose forward is a replay and whose backward is a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import autograd
from minigrad.compiler.lower import Plan
from minigrad.compiler.replay import code, tensors_in
from minigrad.compiler.trace import Trace
from minigrad.compiler.traced import TracedProgram
from minigrad.core import engine
from minigrad.core.mode import MODE
from minigrad.core.node import Node, tape
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import leaf, wrap
from minigrad.readers.source.program import Value, memory


class Gradients:
    """The gradients of results with respect to leaves, recorded by a trace.

    ``targets`` are these leaves, ``seeds`` the Tensors that stand for the cotangents of the results, and ``grads`` the
    gradients of the targets, None where no result depends on one.  RuntimeError where the backward pass fails.
    """

    def __init__(self, trace: Trace, results: list[Any]) -> None:
        self.trace, self.results = trace, results
        env = trace.environment
        # Tensors, each with the records that have stood for it.
        leaves: dict[int, tuple[Any, list[Node]]] = {}
        for n, t in trace.sources.items():
            if t._node is not None and t.requires_grad:
                leaves.setdefault(id(t), (t, []))[1].append(n)
        for n in trace.follows:  # records since a change under no_grad()
            t = n.tensor() if n.op is None and n.requires_grad and n.tensor is not None else None
            if t is not None and id(t) in leaves:
                leaves[id(t)][1].append(n)
        self.targets = [t for t, _ in leaves.values()]
        self._nodes = [[n for n in nodes if n.requires_grad] for _, nodes in leaves.values()]
        self.seeds: list[Any] = []
        self.plan: Plan | None = None
        with trace.recording():
            for t in results:
                seed = wrap(np.ones(t._array.shape, t._array.dtype))
                trace.sources[leaf(seed)] = seed
                env.tensors[id(seed)] = seed
                env.paths[id(seed)] = "gradient"
                self.seeds.append(seed)
            nodes = [t._node for t in results]
            ends = [n for nodes in self._nodes for n in nodes]
            hooks = [(n, n.hooks) for n in ends]
            try:
                for node, _ in hooks:
                    node.hooks = None  # the user's backward pass will call them
                grads = engine.run(nodes, self.seeds, ends, True, False)
            finally:
                for node, before in hooks:
                    node.hooks = before
            self.grads = [self._sum(nodes, grads) for nodes in self._nodes]

    def _sum(self, leaves: list[Node], grads: dict[Node, Any]) -> Any:
        """The gradient of a Tensor, summed over the records that have stood for it."""
        total = None
        for n in leaves:
            if n in grads:
                total = grads[n] if total is None else total + grads[n]
                if total is not grads[n]:
                    self.trace.groups[total._node] = n  # a record of the backward half
        return total

    def saved_in(self, program: TracedProgram) -> list[Value]:
        """The computed values of a program's forward half that the backward half reads."""
        self.grad_values = [program.value_of[g._node] for g in self.grads if g is not None]
        seeds = {program.by_tensor[id(s)] for s in self.seeds if id(s) in program.by_tensor}
        pending, seen = list(self.grad_values), set(self.grad_values)
        saved: dict[Value, None] = {}
        leaves: dict[Value, None] = {}
        for v in pending:
            if v.fill is not None or v.is_constant or v in seeds:
                continue
            if v.is_parameter:
                leaves[v] = None
                continue
            base = memory(v)
            if v.forward and base is v:
                saved[v] = None
                continue
            for w in v.inputs:
                if w.__class__ is Value and w not in seen:
                    seen.add(w)
                    pending.append(w)
        read = [t for t in self.trace.sources.values() if program.by_tensor.get(id(t)) in leaves]
        # The Tensors that the backward half reads.
        self.read = list({id(t): t for t in read}.values())
        self.saved = list(saved)
        return self.saved

    def function(
        self,
        compiled: Any,
        program: TracedProgram,
        numbers: Sequence[tuple[str, str]],
        opened: list[int],
        kept: list[int],
        returned: list[int],
        finder: Callable[[Any], Callable[[Any, Any], Any]],
        why_once: str,
    ) -> tuple[type[autograd.Function], Callable[..., list[Any]], str]:
        """The Function, a function of a call's arguments that returns its leaves, and the text of the backward plan.

        ``opened`` and ``kept`` are the indices, in what a plan returns, of the results and of what is saved.
        ``returned`` are the indices of the results among the Tensors that the function returns.  ``finder`` makes of
        a Tensor a function that looks it up in a call's arguments.  ``why_once`` says why the function may not run
        again, or is empty.
        """
        run_backward, text = self._backward(compiled, program, numbers)
        targets, read = [finder(t) for t in self.targets], [finder(t) for t in self.read]

        def leaves(args: Any, kwargs: Any) -> list[Any]:
            return [find(args, kwargs) for find in targets]

        count, parameters = len(read), len(numbers)
        # For each result, whether it depends on each target.
        reached = []
        for t in self.results:
            ancestors = set(tape([t._node]))
            pairs = zip(self._nodes, self.grads, strict=True)
            reached.append([g is not None and not ancestors.isdisjoint(nodes) for nodes, g in pairs])
        shapes = [(t._array.shape, t._array.dtype) for t in self.results]
        present = [g is not None for g in self.grads]

        class Step(autograd.Function):
            @staticmethod
            def forward(ctx: Any, call: Any, *tensors: Any) -> Any:
                run, arrays, args, kwargs = call.run, call.inputs, call.args, call.kwargs
                call.results = results = QUIET.run(run, *arrays)
                outs = tuple(wrap(results[i]) for i in opened)
                references = [find(args, kwargs) for find in read]
                ctx.save_for_backward(*references, *(wrap(results[i]) for i in kept))
                ctx.call = (args, kwargs)
                ctx.numbers = arrays[len(arrays) - parameters :]
                ctx.set_materialize_grads(False)
                return outs if len(outs) > 1 else outs[0]

            @staticmethod
            def backward(ctx: Any, *grads: Any) -> Any:
                if MODE.get().grad:
                    return (None, *_rerun(compiled, ctx.call, leaves, returned, grads, why_once))
                arrays = [t._array for t in ctx.saved_tensors]
                seeds = [
                    np.zeros(*like) if g is None else g._array for g, like in zip(grads, shapes, strict=True)
                ]
                computed = iter(run_backward([*arrays[:count], *seeds, *arrays[count:]], ctx.numbers))
                rows = [row for row, g in zip(reached, grads, strict=True) if g is not None]
                flows = [any(row[j] for row in rows) for j in range(len(present))]
                results = [next(computed) if here else None for here in present]
                return (None, *(wrap(r) if here else None for r, here in zip(results, flows, strict=True)))

        Step.__name__ = Step.__qualname__ = f"Compiled_{compiled.__name__}"
        return Step, leaves, text

    def _backward(
        self, compiled: Any, program: TracedProgram, numbers: Sequence[tuple[str, str]]
    ) -> tuple[Callable[[list[Any], Sequence[Any]], Any], str]:
        """The backward plan as a function, and its text.

        The function takes the arrays of the Tensors that the plan reads, of the seeds and of the saved values.
        """
        sources, env = self.trace.sources, self.trace.environment
        first = {id(t): n for n, t in reversed(sources.items())}
        outside = [*self.read, *self.seeds]
        leaves = [(env.paths.get(id(t), "tensor"), first[id(t)]) for t in outside]
        title = f"The gradients of {compiled.__name__}, as recorded. Printed by minigrad."
        plan = Plan(
            program, leaves, set(), self.grad_values, [], numbers, title, boundary=self.saved, draws=False
        )
        self.plan, text = plan, plan.text()
        compiled_text, data = code(text, f"<gradients of {compiled.__name__}>"), plan.data
        places = {
            id(program.by_tensor[id(t)]): i for i, t in enumerate(outside) if id(t) in program.by_tensor
        }
        places |= {id(v): len(outside) + i for i, v in enumerate(self.saved)}
        order = [places[id(v)] for _, v in plan.arguments]
        idle: list[Any] = []

        def run_backward(arrays: list[Any], leaves: Sequence[Any]) -> Any:
            try:
                run = idle.pop()
            except IndexError:  # all instances are in use, or there is none yet
                namespace = dict(data)
                exec(compiled_text, namespace)
                run = namespace["bind"]()
            results = QUIET.run(run, *[arrays[i] for i in order], *leaves)
            idle.append(run)
            return results

        return run_backward, text

    def let_go(self) -> None:
        """Drops what only the recorded call needs."""
        if self.plan is not None:
            self.plan.let_go()


def _rerun(compiled: Any, call: Any, leaves: Any, numbers: list[int], grads: Any, why_once: str) -> list[Any]:
    """Gradients that can be differentiated again: the function itself runs once more, on the tape.

    ``numbers`` are the indices, among the Tensors that it returns, of those that ``grads`` belong to.
    """
    if why_once:
        raise NotImplementedError(
            f"create_graph=True through the compiled {compiled.__name__} would run it once more, and it {why_once}; "
            "call it uncompiled"
        )
    args, kwargs = call
    with autograd.enable_grad():
        result = compiled.function(*args, **kwargs)
    returned = tensors_in(result)
    outs = [returned[i] for i in numbers]
    pairs = [(t, g) for t, g in zip(outs, grads, strict=True) if g is not None]
    grad_outputs = [g for _, g in pairs]
    return list(
        autograd.grad(
            [t for t, _ in pairs], leaves(args, kwargs), grad_outputs, create_graph=True, allow_unused=True
        )
    )

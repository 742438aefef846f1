"""Results that carry gradients: one `autograd.Function`, forward a replay, backward a plan of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import autograd
from minigrad.compiler.lower import Plan
from minigrad.compiler.replay import code, tensors_in
from minigrad.compiler.trace import Trace
from minigrad.compiler.whole import Whole
from minigrad.core import engine
from minigrad.core.mode import MODE
from minigrad.core.node import Node, tape
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import leaf, wrap
from minigrad.readers.source.program import Value, memory


class Gradients:
    """The gradients of results with respect to the leaves, for given ones of the results, recorded by a trace.

    ``targets`` are those leaves, ``seeds`` stand for the gradients of the results, and ``found`` are those of the
    targets, None where no result depends on one.  RuntimeError where there is no backward pass.
    """

    def __init__(self, trace: Trace, results: list[Any]) -> None:
        self.trace, self.results = trace, results
        env = trace.environment
        leaves: dict[
            int, tuple[Any, list[Node]]
        ] = {}  # Tensors, each with the records that have stood for it
        for n, t in trace.sources.items():
            if t._node is not None and t.requires_grad:
                leaves.setdefault(id(t), (t, []))[1].append(n)
        for n in trace.follows:  # from a change under no_grad() on
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
            ends = [n for mine in self._nodes for n in mine]
            hooks = [(n, n.hooks) for n in ends]
            try:
                for node, _ in hooks:
                    node.hooks = None  # the pass that a user starts calls them itself
                found = engine.run(nodes, self.seeds, ends, True, False)
            finally:
                for node, before in hooks:
                    node.hooks = before
            self.found = [self._sum(mine, found) for mine in self._nodes]

    def _sum(self, leaves: list[Node], found: dict[Node, Any]) -> Any:
        """The gradient of a Tensor for which these records have stood."""
        total = None
        for n in leaves:
            if n in found:
                total = found[n] if total is None else total + found[n]
                if total is not found[n]:
                    self.trace.groups[total._node] = n  # it belongs to the backward half
        return total

    def saved_in(self, program: Whole) -> list[Value]:
        """Of the forward half of a program: computed values that the backward half reads."""
        self.wanted = [program.value_of[g._node] for g in self.found if g is not None]
        seeds = {program.by_tensor[id(s)] for s in self.seeds if id(s) in program.by_tensor}
        todo, seen = list(self.wanted), set(self.wanted)
        saved: dict[Value, None] = {}
        leaves: dict[Value, None] = {}
        for v in todo:
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
                    todo.append(w)
        read = [t for t in self.trace.sources.values() if program.by_tensor.get(id(t)) in leaves]
        self.read = list({id(t): t for t in read}.values())  # Tensors that it reads
        self.saved = list(saved)
        return self.saved

    def function(
        self, compiled: Any, program: Whole, numbers: Sequence[tuple[str, str]], opened: list[int],
        kept: list[int], returned: list[int], finder: Callable[[Any], Callable[[Any, Any], Any]], once: str,
    ) -> tuple[type[autograd.Function], Callable[..., list[Any]], str]:  # fmt: skip
        """The Function, what finds the leaves that a call depends on, and the text of the backward plan.

        ``opened`` and ``kept`` number, among what a plan returns, the results and what is saved; ``returned`` numbers
        the results among the Tensors that the function returns; ``finder`` makes what finds a Tensor in a call's
        arguments; ``once`` tells why the function may not be run again.
        """
        run_backward, text = self._backward(compiled, program, numbers)
        targets, read = [finder(t) for t in self.targets], [finder(t) for t in self.read]

        def leaves(args: Any, kwargs: Any) -> list[Any]:
            return [find(args, kwargs) for find in targets]

        count, parameters = len(read), len(numbers)
        behind = [set(tape([t._node])) for t in self.results]  # what each result was computed from
        reached = [
            [
                not nodes.isdisjoint(mine) and g is not None
                for mine, g in zip(self._nodes, self.found, strict=True)
            ]
            for nodes in behind
        ]
        del behind
        shapes = [(t._array.shape, t._array.dtype) for t in self.results]
        present = [g is not None for g in self.found]

        class Step(autograd.Function):
            @staticmethod
            def forward(ctx: Any, call: Any, *tensors: Any) -> Any:
                run, arrays, args, kwargs = call.run, call.given, call.args, call.kwargs
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
                    return (None, *_again(compiled, ctx.call, leaves, returned, grads, once))
                arrays = [t._array for t in ctx.saved_tensors]
                seeds = [
                    np.zeros(*made) if g is None else g._array for g, made in zip(grads, shapes, strict=True)
                ]
                found = iter(run_backward([*arrays[:count], *seeds, *arrays[count:]], ctx.numbers))
                given = [row for row, g in zip(reached, grads, strict=True) if g is not None]
                wanted = [any(row[j] for row in given) for j in range(len(present))]
                results = [next(found) if here else None for here in present]
                return (None, *(wrap(r) if here else None for r, here in zip(results, wanted, strict=True)))

        Step.__name__ = Step.__qualname__ = f"Compiled_{compiled.__name__}"
        return Step, leaves, text

    def _backward(
        self, compiled: Any, program: Whole, numbers: Sequence[tuple[str, str]]
    ) -> tuple[Callable[[list[Any], Sequence[Any]], Any], str]:
        """What runs the backward plan, on arrays of Tensors that it reads, of seeds and of saved values; its text."""
        sources, env = self.trace.sources, self.trace.environment
        first = {id(t): n for n, t in reversed(sources.items())}
        outside = [*self.read, *self.seeds]
        given = [(env.paths.get(id(t), "tensor"), first[id(t)]) for t in outside]
        title = f"The gradients of {compiled.__name__}, as recorded. Printed by minigrad."
        plan = Plan(program, given, set(), self.wanted, [], numbers, title, boundary=self.saved, draws=False)
        self.plan, text = plan, plan.text()
        compiled_text, data = code(text, f"<gradients of {compiled.__name__}>"), plan.data
        places = {
            id(program.by_tensor[id(t)]): i for i, t in enumerate(outside) if id(t) in program.by_tensor
        }
        places |= {id(v): len(outside) + i for i, v in enumerate(self.saved)}
        order = [places[id(v)] for _, v in plan.arguments]
        idle: list[Any] = []

        def run_backward(arrays: list[Any], given: Sequence[Any]) -> Any:
            try:
                run = idle.pop()
            except IndexError:  # all are in use, or there is none yet
                namespace = dict(data)
                exec(compiled_text, namespace)
                run = namespace["bind"]()
            results = QUIET.run(run, *[arrays[i] for i in order], *given)
            idle.append(run)
            return results

        return run_backward, text

    def let_go(self) -> None:
        """The recording is over."""
        if self.plan is not None:
            self.plan.let_go()


def _again(compiled: Any, call: Any, leaves: Any, numbers: list[int], grads: Any, once: str) -> list[Any]:
    """Gradients that can be differentiated again: the function itself is run once more, and recorded.

    ``numbers`` tells which of the Tensors that it returns the gradients belong to.
    """
    if once:
        raise NotImplementedError(
            f"create_graph=True through the compiled {compiled.__name__} would run it once more, and it {once}; call "
            "it uncompiled"
        )
    args, kwargs = call
    with autograd.enable_grad():
        result = compiled.function(*args, **kwargs)
    returned = tensors_in(result)
    outs = [returned[i] for i in numbers]
    pairs = [(t, g) for t, g in zip(outs, grads, strict=True) if g is not None]
    given = [g for _, g in pairs]
    return list(
        autograd.grad(
            [t for t, _ in pairs], leaves(args, kwargs), given, create_graph=True, allow_unused=True
        )
    )

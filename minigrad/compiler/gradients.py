"""Results that carry gradients: an `autograd.Function` whose forward is a replay and whose backward is a plan."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minigrad import autograd
from minigrad.compiler.kinds import SetIn, of_minigrad
from minigrad.compiler.plan import Plan
from minigrad.compiler.statements import Statements
from minigrad.compiler.values import TracedProgram
from minigrad.compiler.watch import stored
from minigrad.compiler.world import World
from minigrad.core import engine
from minigrad.core.mode import MODE
from minigrad.core.node import Node, differentiable
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import leaf, wrap
from minigrad.errors import runtime_error
from minigrad.readers.source.program import Value, memory


class Gradients:
    """The gradients of results with respect to what was there before the run, recorded by it.

    ``targets`` are these Tensors, ``seeds`` those that stand for the cotangents of the results, and ``grads`` the
    gradients of the targets, None where no result depends on one.  RuntimeError where the backward pass fails.
    """

    def __init__(self, recording: Any, results: list[Any]) -> None:
        self.recording, self.results = recording, results
        run = self.run = recording.run
        known = {id(t) for t in run.sources.values() if t._node is not None and t.requires_grad}
        # Records since a change under no_grad() stand for a Tensor too.
        since = [(n, n.tensor()) for n in run.follows if n.op is None and n.tensor is not None]
        records: dict[int, list[Node]] = {}
        for n, t in (*run.sources.items(), *since):
            if n.requires_grad and id(t) in known:
                records.setdefault(id(t), []).append(n)
        self.seeds: list[Any] = []
        with run.recording():
            for t in results:
                # As a cotangent mostly lies: so the plan adds up in the order of eager mode.
                seed = wrap(np.ones_like(t._array, subok=False))
                run.stands_for(seed, leaf(seed))
                run.tensors[id(seed)], run.paths[id(seed)] = seed, "gradient"
                self.seeds.append(seed)
            ends = [n for nodes in records.values() for n in nodes]
            # The pass stops there: the user's own pass calls their hooks, and goes on behind them.
            held, acts = [(n, n.hooks, n.inputs) for n in ends], len(run.acts)
            try:
                for n in ends:
                    n.hooks, n.inputs = None, ()
                self._behind = [_behind(t._node) for t in results]
                grads = engine.run([t._node for t in results], self.seeds, ends, True, False)
            except RuntimeError as error:  # as where a saved Tensor was changed
                reason = str(error).partition(" (at ")[0].rstrip(".")
                raise runtime_error(
                    f"compile(): backward() of a result would raise: {reason}. Or detach() the result"
                ) from error
            finally:
                for n, hooks, inputs in held:
                    n.hooks, n.inputs = hooks, inputs
            if any(n.op is not None and n.op.draws for n in run.acts[acts:]):
                raise runtime_error(
                    "compile(): backward() of a result would draw random numbers, which a recording draws with those "
                    "of the call. Call it inside of the compiled function, or detach() the result"
                )
            self._refuse_changes()
            # What is detached inside is not a target: a result would keep alive what has computed it.
            reached = set[Node]().union(*self._behind)
            records = {i: nodes for i, nodes in records.items() if not reached.isdisjoint(nodes)}
            self.targets, self._records = [run.tensors[i] for i in records], list(records.values())
            self.grads = [self._sum(nodes, grads) for nodes in self._records]
        self._guards: list[Any] = []
        if (read := _read_in_backward(reached, recording.world.set_in)) is not None:
            changed = {id(table) for table, *_ in recording.stores}
            self._guards = recording.world.guards.shared_with(read.guards, changed)
            self._refuse_reads(read)

    def _refuse_reads(self, read: World) -> None:
        """RuntimeError if hooks or Functions read what a later call may have set by then, which is in no guard."""
        recording = self.recording
        places = {*recording.world.options, *((id(table), key) for table, key, _ in recording.stores)}
        options = places & read.options.keys() if read.may_name("param_groups") else ()
        keys = defaultdict[int, set[Any]](set)
        for i, key in places:
            keys[i].add(key)
        if what := read.guards.reads(keys) or next((str(key) for _, key in options), ""):
            raise runtime_error(
                f"compile(): backward() of a result would read {what} in a hook or a Function, and each call may set "
                "that. Call it inside of the compiled function, or leave this part uncompiled"
            )

    def _refuse_changes(self) -> None:
        """RuntimeError if hooks or Functions have changed anything but Tensors, since the function itself returned."""
        world, before = self.recording.world, self.recording.stores
        stores, grown = stored(world)
        known = {(id(table), key) for table, key, _ in before}
        more = [key for table, key, _ in stores if (id(table), key) not in known]
        names = [repr(key) if type(key) is str else "an entry of a table" for key in more]
        if what := world.guards.changed(grown) or "".join(names[:1]):
            raise runtime_error(
                f"compile(): backward() of a result would change {what} in a hook or a Function, which a replay does "
                "not repeat. Call it inside of the compiled function, or leave this part uncompiled"
            )

    def all_reach(self) -> bool:
        """Whether each result depends on a target."""
        ends = {n for nodes in self._records for n in nodes}
        return not any(map(ends.isdisjoint, self._behind))

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
        pending, seen = list(self._values), {*self._values, *seeds}
        self.saved: list[Value] = []
        leaves: set[Value] = set()
        for v in pending:  # the loop appends to it
            if v.fill is not None or v.is_constant:
                continue
            if v.is_parameter:
                leaves |= {v} - seeds
            elif v.forward and memory(v) is v:
                self.saved.append(v)
            else:
                more = {w: None for w in v.inputs if w.__class__ is Value and w not in seen}
                seen.update(more)
                pending += more
        read = [t for t in self.run.sources.values() if program.by_tensor.get(id(t)) in leaves]
        self.read = list({id(t): t for t in read}.values())
        return self.saved

    def step(self, program: TracedProgram, saves: bool) -> tuple[Callable[..., Any], str]:
        """What makes the results of a replay results of a Function; and the text of the backward plan.

        In eager mode a second backward pass is refused where a record has saved arrays, which ``saves`` tells.
        """
        recording = self.recording
        name, places = recording.compiled.__name__, recording.place
        find_targets = recording.names.function("leaves", f"[{', '.join(map(places, self.targets))}]")
        find_read = recording.names.function("leaves", f"[{', '.join(map(places, self.read))}]")
        opened = [recording.number_of[id(t)] for t in self.results]
        count = len(recording.results)
        more = [np.empty(0)] if saves else []
        # For each target, the place of its gradient, and the results that depend on it.
        flows: list[tuple[int, list[int]]] = []
        place = 0
        for nodes, g in zip(self._records, self.grads, strict=True):
            results = [i for i, a in enumerate(self._behind) if g is not None and not a.isdisjoint(nodes)]
            flows.append((place, results))
            place += g is not None
        shapes = [(t._array.shape, t._array.dtype) for t in self.results]
        run_backward, text, numbers = self._backward(program, len(more))
        found = ", ".join(recording.numbers[name] for name in numbers)
        find_numbers = recording.names.function("leaves", f"[{found}]")
        grad, guards, rows = MODE.get().grad, recording.world.guards, self._guards

        class Function(autograd.Function):
            @staticmethod
            def forward(ctx: Any, call: Any, *tensors: Any) -> Any:
                results, leaves = call
                ctx.save_for_backward(*find_read(leaves), *map(wrap, results[count:]), *map(wrap, more))
                ctx.numbers = find_numbers(leaves)
                ctx.set_materialize_grads(False)
                return tuple(wrap(results[i]) for i in opened)

            @staticmethod
            def backward(ctx: Any, *grads: Any) -> Any:
                if MODE.get().grad:
                    raise RuntimeError(
                        f"create_graph=True through the compiled {name}, whose backward pass is not recorded as "
                        "operations; compile the function that takes the gradient, or call it uncompiled"
                    )
                if rows and (what := guards.changed(set(), rows)):
                    raise RuntimeError(
                        f"compile(): {what} has changed since the call of {name}, and a hook or a Function may read it "
                        "in backward(). Change it after that, or call backward() inside"
                    )
                saved = [t._array for t in ctx.saved_tensors]
                pairs = zip(grads, shapes, strict=True)
                seeds = [np.zeros(*like) if g is None else g._array for g, like in pairs]
                computed = run_backward([*saved, *seeds], ctx.numbers)
                return None, *(
                    wrap(computed[place]) if any(grads[i] is not None for i in results) else None
                    for place, results in flows
                )

        Function.__name__ = Function.__qualname__ = f"Compiled_{name}"

        def step(results: Any, leaves: list[Any]) -> Any:
            # The function itself may turn gradients on where the call is made without.
            call = [results, leaves]
            with contextlib.nullcontext() if grad else autograd.enable_grad():
                outs = Function.apply(call, *find_targets(leaves))
            call.clear()  # the record keeps what forward got
            return outs

        return step, text

    def _backward(self, program: TracedProgram, more: int) -> tuple[Callable[..., Any], str, list[str]]:
        """The backward plan as a function of arrays (read, saved, ``more``, seeds) and numbers; its text, and these."""
        run, by_tensor = self.run, program.by_tensor
        leaves = [(run.paths.get(id(t), "tensor"), run.record_of(t)) for t in (*self.read, *self.seeds)]
        outputs = [(v, i) for i, v in enumerate(self._values)]
        statements = Statements(
            program, leaves, set(), outputs, (), [*self.recording.numbers], boundary=self.saved
        )
        name = self.recording.compiled.__name__
        plan = Plan(statements, f"The gradients of {name}, as recorded. Printed by minigrad.")
        sources = [*(by_tensor.get(id(t)) for t in self.read), *self.saved, *[None] * more]
        sources += [by_tensor.get(id(t)) for t in self.seeds]
        order = [sources.index(v) for v in plan.takes]
        idle: list[Any] = []

        def run_backward(arrays: list[Any], numbers: list[Any]) -> Any:
            try:
                run = idle.pop()
            except IndexError:  # all are in use, or there is none yet
                run = plan.bind(())
            results, _ = QUIET.run(run, *[arrays[i] for i in order], *numbers)
            idle.append(run)
            return results

        return run_backward, plan.text, plan.numbers


def _read_in_backward(nodes: Iterable[Node], set_in: SetIn) -> World | None:
    """The world of what hooks and Functions read, if any, which eager mode would only call in the backward pass."""
    codes: list[Any] = []
    for n in nodes:
        if n.op is not None:
            cls = getattr(n.op, "user_class", autograd.Function)
            codes += [cls.backward, cls.vjp] if n.op.opaque else []
            if n.op.opaque and "ctx" in n.params:  # what forward has kept
                kept = vars(n.params["ctx"])
                codes += [kept.get("calls")] if of_minigrad(cls) else kept.values()
            codes += (n.hooks or {}).values()
    if not codes:
        return None
    world = World(len, set_in, takes=False)
    for code in codes:
        world.follow(code, "")
    world.settle_names()
    return world


def _behind(node: Node) -> set[Node]:
    """The records through which gradients flow to a record, and itself."""
    nodes = differentiable([node])
    return {node, *nodes, *(x for n in nodes for x in n.inputs if x.requires_grad)}

"""Recording: a call runs once under a `Run`, is undone, and becomes a `Replay`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.compiler.arguments import Arguments, Number, tensors_in
from minigrad.compiler.by_numba import NumbaPlan, NumbaStatements
from minigrad.compiler.gradients import Gradients
from minigrad.compiler.plan import Plan
from minigrad.compiler.recorder import Run
from minigrad.compiler.replay import Effects, Kept, Replay, Returned
from minigrad.compiler.scalars import Scalar
from minigrad.compiler.statement import OUTSIDE
from minigrad.compiler.statements import Statements
from minigrad.compiler.values import TracedProgram
from minigrad.compiler.world import World
from minigrad.core.changes import overlaps, owner
from minigrad.core.mode import MODE
from minigrad.core.node import Freed, Node
from minigrad.core.tensor import Tensor, leaf
from minigrad.core.views import refresh
from minigrad.dtypes import dtype
from minigrad.readers.source.program import memory


class Recording:
    """One call that is recorded."""

    def __init__(self, compiled: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.compiled, self.args, self.kwargs = compiled, args, kwargs
        self.world = World(compiled.function)
        self.arguments = Arguments(self.world, compiled.function, args, kwargs)
        tensors, paths = dict(self.world.tensors), dict(self.world.paths)
        for where, t in self.arguments.tensors:
            tensors[id(t)] = t
            paths[id(t)] = self.arguments.names[where]
        for p, name, t in _kept_by(self.world.states):
            tensors[id(t)] = t
            paths[id(t)] = f"{name}_of_{paths.get(id(p), 'a_parameter')}"
        # By the id of a gradient, the Tensor that it belongs to.
        self.owner_of: dict[int, Any] = {}
        for t in list(tensors.values()):
            if t.is_leaf and t._grad is not None:
                tensors.setdefault(id(t._grad), t._grad)
                paths.setdefault(id(t._grad), f"grad_{paths[id(t)]}")
                self.owner_of[id(t._grad)] = t
        self.tensors = tensors
        generators = [g for g, _ in self.world.generators]
        self.run = Run(tensors, paths, self.world.states, self.world.arrays, generators, self.world.home)

    def record(self) -> Replay:
        """Runs the function, leaves everything as it was before, and returns what later calls run."""
        run, world = self.run, self.world
        with run:
            args, kwargs = self.arguments.inputs
            with run.recording(), world.watching():
                result = self.compiled.function(*args, **kwargs)
            run.check()
            self.arguments.refuse_changes()
            world.guards.settle(world.tensors.values())
            world.refuse_changes()
            replay = self._replay(result)
        return replay

    def values(self) -> Expected:
        """What the function itself returns and does; everything is left as it was before."""
        with self.run:
            args, kwargs = self.arguments.inputs
            with self.run.recording(), self.world.watching():
                result = self.compiled.function(*args, **kwargs)
            return Expected(result, list(self.tensors.values()))

    # ------------------------------------------------------------ what the call does

    def _result(self, t: Any) -> int:
        """The number of a Tensor among the results."""
        if id(t) not in self.number_of:
            self.number_of[id(t)] = len(self.results)
            self.results.append(t)
        return self.number_of[id(t)]

    def _flatten(self, value: Any) -> Any:
        """The structure of a result, with `Returned` for new Tensors, and `Kept` for what each call finds."""
        if isinstance(value, Tensor):
            self.returned.append(value)
            find = self._finder(value)
            return Returned(self._result(value)) if find is None else Kept(find)
        if value.__class__ in (tuple, list):
            return value.__class__(self._flatten(v) for v in value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return value.__class__(*(self._flatten(v) for v in value))
        if value.__class__ is dict:
            return {k: self._flatten(v) for k, v in value.items()}
        if type(value) is Scalar:
            for place in self.arguments.numbers:
                if place.scalar is value:
                    return Kept(place.find)
            for number, find in self.world.options:
                if number is value:
                    return Kept(find)
            return value.__copy__()
        if isinstance(value, np.ndarray):
            raise errors.runtime_error("compile(): the function returns an array of NumPy; return the Tensor")
        plain = (bool, int, float, str, bytes, complex, type, np.generic, dtype)
        if value is None or isinstance(value, plain) or (isinstance(value, tuple) and not tensors_in(value)):
            return value
        if self.arguments.holds(value):
            return value
        raise errors.runtime_error(
            f"compile(): the function returns a {type(value).__name__}, which a replay could not make anew. Return "
            "Tensors, numbers, texts, and tuples, lists and dicts of them"
        )

    def _finder(self, t: Any) -> Any:
        """How a call finds a Tensor of before it among its leaves; None for one that the run has created."""
        place = self.arguments.place_of(t)
        if place is not None:
            return lambda leaves: leaves[place]
        of = self.owner_of.get(id(t))
        if of is not None:
            find = self._finder(of)
            return lambda leaves: find(leaves)._grad
        return (lambda leaves: t) if id(t) in self.tensors else None

    def _effects(self, result: Any) -> Effects:
        run = self.run
        self.results: list[Any] = []
        self.number_of: dict[int, int] = {}
        # The Tensors that the function returns.
        self.returned: list[Any] = []
        effects = Effects(self._flatten(result), self.world.states)
        for t, before in run.grads.values():
            g = t._grad
            if g is not before:
                number = None if g is None or id(g) in self.tensors else self._result(g)
                effects.grads.append((self._finder(t), number, None if g is None else self._finder(g)))
        for t in [*self.results]:  # a new leaf with a gradient
            if t._grad is not None and t.is_leaf:
                effects.own.append((self.number_of[id(t)], self._result(t._grad)))
        before = {id(s): b for s, b in run.states}
        for state in self.world.states:
            old = before[id(state)]
            for p, entries in state.items():
                was = old[p][1] if p in old else {}
                for key, value in entries.items():
                    if value is was.get(key):
                        continue
                    if not isinstance(value, Tensor):
                        raise errors.runtime_error(
                            f"compile(): the optimizer keeps {key!r}, a {type(value).__name__}, and changes it at "
                            "each step; a replay repeats only what is done to Tensors"
                        )
                    effects.state.append((state, p, key, self._result(value)))
            if any(key not in state for key in old):
                raise errors.runtime_error(
                    "compile(): the function drops state of an optimizer; do that outside"
                )
        return effects

    # ------------------------------------------------------------ the plan

    def _replay(self, result: Any) -> Replay:
        run = self.run
        effects = self._effects(result)
        results = self.results
        with run.recording():
            for t in results:
                refresh(t)  # a view shows what its base has become
                if t._node is None:  # no operation computed it
                    leaf(t)
        live = [t for t in results if t._node.requires_grad and t._node.op is not None]
        for t in live:
            if t._node.hooks:
                raise errors.runtime_error(
                    "compile(): a result has a hook, or retains its gradient, which each call would give to a new "
                    "Tensor. Do that outside, with what the call returns"
                )
        behind = {
            id(t): [n for n in run.order([t._node]) if n.requires_grad and n not in run.sources] for t in live
        }
        grown = {t._node for t in results if t._node.op is None and t._node not in run.sources}
        if any(n in grown for nodes in behind.values() for n in nodes):
            raise errors.runtime_error(
                "compile(): a Tensor that the function makes and that requires grad is returned beside a result that "
                "is computed from it; a call is one record, so no gradient would flow from one to the other. Return "
                "one of them, or make the Tensor outside and pass it as an argument"
            )
        freed = {i for i, nodes in behind.items() if any(type(n.saved) is Freed for n in nodes)}
        if any(t._grad is not None and t._grad.requires_grad for t in self.tensors.values()):
            raise errors.runtime_error(
                "compile(): a gradient that requires grad stays in .grad, as backward(create_graph=True) leaves it; "
                "take it by autograd.grad()"
            )
        opened = [t for t in live if id(t) not in freed and any(t is r for r in self.returned)]
        gradients, failure = None, None
        if opened:
            try:
                gradients = Gradients(self, opened)
            except (
                RuntimeError
            ) as error:  # backward() on a result raises it, as where a saved Tensor was changed
                freed |= set(map(id, opened))
                failure = error
        if gradients is not None and not gradients.targets:
            raise errors.runtime_error(
                "compile(): a result requires grad because of a Tensor that the function makes, which no later call "
                "could reach. detach() the result, or make that Tensor outside and pass it as an argument"
            )
        nodes = [t._node for t in results]
        roots = [*nodes, *(node for _, node in run.written.values()), *run.draws, *run.checks]
        roots += [] if gradients is None else [g._node for g in gradients.grads if g is not None]
        order = run.order(roots)
        self._refuse_overlaps(order)
        program = TracedProgram(run, order)
        value = program.value_of
        for t, n in run.written.values():
            a = t._array
            if a.size > 1 and not a.flags.forc and value[n].fill is None and overlaps(a):
                raise errors.runtime_error(
                    f"compile(): {run.paths[id(t)]} is changed in place, and several of its elements are one place in "
                    "memory, as expand() leaves them. clone() it first"
                )
        outside = {id(owner(t._array)) for t in self.tensors.values()}
        homes = [id(owner(t._array)) for t in results]
        outputs = [
            (value[n], (OUTSIDE, home) if home in outside else home)
            for n, home in zip(nodes, homes, strict=True)
        ]
        saved = [] if gradients is None else gradients.saved_in(program)
        # A result that backward reads is saved as it is, so that a change of it in place is noticed.
        own = {memory(v): home for v, home in outputs if home.__class__ is int}
        outputs += [(v, own.get(v, ("saved", i))) for i, v in enumerate(saved)]
        writes = [(self._node_of(t), value[n], id(owner(t._array))) for t, n in run.written.values()]
        leaves, bound, passing = self._leaves(order, gradients)
        numbers = [*self.arguments.numbers, *(Number(*option) for option in self.world.options)]
        title = f"{self.compiled.__name__}, as recorded. Printed by minigrad."
        texts = [n.scalar.text for n in numbers]
        numba = self.compiled.backend == "numba"
        statements = (NumbaStatements if numba else Statements)(
            program, leaves, {n for n, _ in bound}, outputs, writes, texts, effects=[*run.draws, *run.checks]
        )
        plan = (NumbaPlan if numba else Plan)(statements, title)
        effects.settle(
            [t.requires_grad and t._node.op is None for t in results],
            {
                self.number_of[i]: _freed(t, failure if any(t is o for o in opened) else None)
                for t in live
                if (i := id(t)) in freed
            },
            [self.number_of[id(t)] for t in opened] if gradients is not None else [],
            # The memory decides: a view of what was made elsewhere is as that.
            [i for i, home in enumerate(homes) if MODE.get().inference and home not in outside],
        )
        replay = Replay(plan, self.arguments, self.world, effects, run.states)
        replay.set_memory({value[n]: t for n, t in bound if n in value}, [t for t, _ in run.written.values()])
        looked_at = {*plan.stays}
        self.world.guards.settle(t for n, t in bound if n in value and value[n] in looked_at)
        replay.set_inputs({value[n]: self._finder(t) for n, t in passing if n in value}, numbers)
        replay.set_gradients(
            [
                (arguments, self._finder(of))
                for i, of in self.owner_of.items()
                if (arguments := self.arguments.place_of(self.tensors[i])) is not None
            ]
        )
        replay.generators = list(
            {id(g): g for n in run.draws if (g := n.params.get("generator")) is not None}.values()
        )
        replay.may_raise = any(n.op is not None and n.op.raises for n in order)
        replay.kept_bytes, replay.kept = sum(run.kept.values()), len(saved)
        if gradients is not None:
            names = [i for i, t in enumerate(self.returned) if any(t is o for o in opened)]
            gradients.saves = any(n.saved for t in opened for n in behind[id(t)])
            replay.step = gradients.function(
                self.compiled, program, texts, len(results), names, self._why_once(effects)
            )
        replay.first = [
            (name, run.returned[n]) for name, v in statements.opaque() for n in v.nodes if n in run.returned
        ]
        self.arguments.let_go()
        for v in program.values:  # records hold arrays
            v.nodes, v.origin, v.of = [], None, None
        return replay

    def _leaves(self, order: list[Node], gradients: Any) -> Any:
        """The records of Tensors from outside with their names; those whose arrays stay, and the others."""
        run, arguments = self.run, self.arguments
        seeds = set() if gradients is None else set(map(id, gradients.seeds))
        used = {id(t): t for n in order if (t := run.sources.get(n)) is not None and id(t) not in seeds}
        used |= {id(t): t for t, _ in run.written.values()}
        first = {id(t): n for n, t in reversed(run.sources.items())}
        names = {id(t): self.world.owned.get(id(t)) or run.paths[id(t)] for t in used.values()}
        roots = {name.partition(".")[0] for name in names.values() if "." in name}
        leaves: list[Any] = []
        bound: list[Any] = []
        passing: list[Any] = []
        for t in sorted(used.values(), key=lambda t: arguments.place_of(t) is None):
            node, name = first.get(id(t)) or self._node_of(t), names[id(t)]
            # Without the name of the one object that all belong to.
            leaves.append((name.partition(".")[2] if len(roots) == 1 and "." in name else name, node))
            stays = arguments.place_of(t) is None and id(t) not in self.owner_of
            (bound if stays else passing).append((node, t))
        return leaves, bound, passing

    def _node_of(self, t: Any) -> Node:
        for n, source in self.run.sources.items():
            if source is t:
                return n
        node = Node.leaf(t._array.shape, t._array.dtype, tensor=t)  # the Tensor was written, and never read
        self.run.sources[node] = t
        return node

    def _refuse_overlaps(self, order: list[Node]) -> None:
        """RuntimeError if two Tensors alias memory that is written: a plan orders values, and knows no aliases."""
        run = self.run
        if not run.written:
            return
        used = {id(t): t for n in order if (t := run.sources.get(n)) is not None}
        used |= {id(t): t for t, _ in run.written.values()}
        # An argument that is a view reads its base.
        read = set(order)
        used |= {id(t): t for _, t in self.arguments.tensors if t._view is not None and t._node in read}
        spans = [(*_span(t._array), i) for i, t in used.items() if t._array.size]
        for start, end, a in (span for span in spans if span[2] in run.written):
            for first, last, b in spans:
                if first < end and start < last and a != b:
                    raise errors.runtime_error(
                        f"compile(): {run.paths[a]} is changed in place while {run.paths[b]}, that shows the same "
                        "memory, takes part too. Make the view inside of the compiled function, or clone() it"
                    )

    def _why_once(self, effects: Effects) -> str:
        """Why the function may not run again unseen; empty if it may."""
        if self.run.draws:
            return "draws random numbers"
        return "changes Tensors" if self.run.written or effects.grads or effects.state else ""


def _kept_by(states: list[dict[Any, Any]]) -> Iterator[tuple[Any, str, Any]]:
    """The Tensors that optimizers keep of each parameter, with that and their keys."""
    for state in states:
        for p, entries in state.items():
            for key, t in entries.items():
                if isinstance(t, Tensor):
                    yield p, str(key), t


def _freed(t: Any, error: Exception | None) -> Node:
    """The record of a result whose graph a backward pass in the function has freed, or whose own raises an error."""
    node: Node = t._node.copy()
    node.saved = node.saved if type(node.saved) is Freed else Freed(*errors.here())
    node.inputs, node.hooks, node.tensor = (), None, None
    if error is not None:
        kind, arguments = type(error), error.args

        def refuse(g: Any) -> None:
            raise kind(*arguments)

        node.hooks = {0: refuse}
    return node


def _span(array: Any) -> tuple[int, int]:
    """The addresses of an array's first byte and of the one after its last."""
    if not array.flags.c_contiguous:
        return np.lib.array_utils.byte_bounds(array)
    start: int = array.__array_interface__["data"][0]
    return start, start + array.nbytes


class Expected:
    """What a call returns and does, to be compared with what a replay does."""

    def __init__(self, result: Any, tensors: list[Any]) -> None:
        self.tensors = tensors
        self.values = self._of(result)

    def _of(self, result: Any) -> list[tuple[str, Any]]:
        values = [("a result", t._array.copy()) for t in tensors_in(result)]
        for t in self.tensors:
            g = t._grad
            values += [("a Tensor", t._array.copy()), ("a gradient", None if g is None else g._array.copy())]
        return values

    def compare(self, result: Any, exact: bool) -> None:
        """RuntimeError where results, gradients or changed Tensors differ; unless ``exact``, by more than rounding."""
        values = self._of(result)
        if len(values) != len(self.values):
            raise errors.runtime_error(
                "compile(check=True): the replay returns another number of Tensors than the function"
            )
        for (name, a), (_, b) in zip(values, self.values, strict=True):
            if difference := _difference(a, b, exact):
                raise errors.runtime_error(
                    f"compile(check=True): {name} differs from that of the function itself: {difference}"
                )


def _difference(a: Any, b: Any, exact: bool) -> str:
    if a is None or b is None:
        return "" if a is b else "one is None"
    if a.shape != b.shape or a.dtype != b.dtype:
        return f"{a.dtype} {list(a.shape)} instead of {b.dtype} {list(b.shape)}"
    if np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
        return ""
    if a.dtype.kind != "f":
        return "other integers"
    size, off = float(np.max(np.abs(b), initial=0.0)), float(np.max(np.abs(a - b)))
    if not exact and off <= float(np.finfo(a.dtype).eps) ** 0.5 * size:
        return ""
    return f"by up to {off:.1e} where the largest is {size:.1e}"

"""Recording: a call runs once under a `Run`, is undone, and becomes a `Replay`."""

from __future__ import annotations

import math
import re
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad.compiler.arguments import Again, Arguments, fields_of, shows, tensors_in, with_fields
from minigrad.compiler.by_numba import NumbaPlan, NumbaStatements
from minigrad.compiler.gradients import Gradients
from minigrad.compiler.guards import Names, base_of, same
from minigrad.compiler.kinds import FIXED, SetIn, added_to
from minigrad.compiler.plan import Plan
from minigrad.compiler.recorder import Run
from minigrad.compiler.replay import Replay
from minigrad.compiler.scalars import Scalar, plain
from minigrad.compiler.shared import Shown, shown_in, tie
from minigrad.compiler.statements import Statements
from minigrad.compiler.values import OUTSIDE, TracedProgram
from minigrad.compiler.watch import changes, to_find, unread, watching
from minigrad.compiler.world import World
from minigrad.core.changes import overlaps, owner
from minigrad.core.mode import MODE
from minigrad.core.node import Freed, Node
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.core.views import refresh
from minigrad.dtypes import dtype
from minigrad.errors import here, runtime_error
from minigrad.readers.source.program import Value, memory
from minigrad.testing.close import assert_close

# What a function may return besides Tensors, and tuples, lists and dicts of them.
_PLAIN = (
    type(None), bool, int, float, str, bytes, complex, type, dtype, types.GenericAlias, types.UnionType,
)  # fmt: skip


class WithoutSize(Exception):
    """Parameters have no values yet: the first call of a lazy module sets their sizes."""


class Recording:
    """One call that is recorded."""

    def __init__(
        self, compiled: Any, args: Any, kwargs: Any, set_in: SetIn = types.MappingProxyType({})
    ) -> None:
        self.compiled = compiled
        self.world = World(compiled.function, set_in)
        # What the function has stored in objects and dicts.
        self.stores: list[Any] = []
        self.arguments = Arguments(self.world, compiled, args, kwargs, self.world.exact)
        if self.world.exact and not self.arguments.exact:  # an argument has code that needs it
            identities, self.world = self.world.guards.identities, World(compiled.function, set_in)
            self.world.guards.identities = identities
            self.arguments = Arguments(self.world, compiled, args, kwargs, True)
        tensors, paths = dict(self.world.tensors), dict(self.world.paths)
        for where, t in self.arguments.tensors:
            tensors[id(t)] = t
            paths[id(t)] = self.arguments.names[where]
        for state in self.world.states:
            for p, content in state.items():
                if not isinstance(content, dict) or self.world.takes(state, p):
                    continue
                for key, t in content.items():
                    if isinstance(t, Tensor):
                        tensors[id(t)] = t
                        paths[id(t)] = f"{key}_of_{paths.get(id(p), 'a_parameter')}"
                        if not self.world.takes(content, key):  # then no other argument may be it
                            self.world.tensors[id(t)] = t
        # By the id of a gradient, the Tensor that it belongs to.
        self.owner_of: dict[int, Any] = {}
        for t in list(tensors.values()):
            if t.is_leaf and t._grad is not None:
                tensors.setdefault(id(t._grad), t._grad)
                paths.setdefault(id(t._grad), f"grad_{paths[id(t)]}")
                self.owner_of[id(t._grad)] = t
        self.tensors = tensors
        if any(isinstance(type(t)._array, property) for t in tensors.values()):
            raise WithoutSize
        self.run = Run(self.world, tensors, paths)
        self.names = Names(wrap=wrap, np=np, math=math)
        # Numbers that each call takes: their names, and the expressions that find them.
        self.numbers = {number.text: f"leaves[{place}]" for number, place in self.arguments.numbers}
        self.kinds: list[str] = []  # that these are floats or ints, as they were
        for table, key, number, value in self.world.options.values():
            if isinstance(number, Scalar) and number.text not in self.numbers:  # others are among the leaves
                option = f"{self.names.name(table)}[{self.names.key(key)}]"
                self.numbers[number.text] = option
                self.kinds.append(f"type({option}) is {self.names.name(type(value))}")
        # The Tensors that a call makes; their numbers by id; those of them and of others that the function returns.
        self.results: list[Any] = []
        self.number_of: dict[int, int] = {}
        self.returned: list[Any] = []
        # By id, names of lists and dicts that are returned, "open" while their items are looked at.
        self._containers: dict[int, str] = {}
        # By id, those that are views of others, or of what was there before.
        self.shown: dict[int, Shown] = {}

    def _call(self) -> Any:
        args, kwargs = self.arguments.inputs
        with self.run.recording(), watching(self.world):
            return self.compiled.function(*args, **kwargs)

    def record(self) -> Replay:
        """Runs the function, leaves everything as it was before, and returns what later calls run."""
        world = self.world
        with self.run:
            result = self._call()
            self.run.check()
            self.arguments.refuse_changes()
            self.stores = changes(world)
            found = to_find(world, self.stores)
            if found and not self.run.returned:  # kernels of the user run once
                raise Again(found)
            replay = self._replay(result)
        replay.set_in = found or world.set_in
        world.guards.kept = {}
        world.guards.forget(unread(world, self.stores))
        return replay

    def fail(self, error: Exception) -> None:
        """Raises what the function raises in a call whose replay has raised ``error``; all is left as it was."""
        with self.run:
            try:
                self._call()
            except Exception as own:
                raise own from error

    # ------------------------------------------------------------ a call that is checked

    def _values(self, result: Any) -> list[tuple[str, Any]]:
        """Copies of the arrays of results, of Tensors that were there before, and of their gradients."""
        values = [("a result", t) for t in tensors_in(result)]
        for t in self.tensors.values():
            values += [("a Tensor", t), ("a gradient", t._grad)]
        return [(name, np.zeros(0) if t is None else t._array.copy()) for name, t in values]

    def check(self, call: Callable[[], Any], exact: bool) -> Any:
        """What ``call`` returns. RuntimeError where results, gradients or changed Tensors differ from the function's.

        Unless ``exact``, by more than rounding.
        """
        with self.run:
            expected = self._values(self._call())
        result = call()
        for (name, a), (_, b) in zip(self._values(result), expected, strict=True):
            rounded = b.dtype.kind == "f" and not exact
            largest = np.max(np.abs(b), initial=0.0, where=np.isfinite(b)) if rounded else 0.0
            off = float(np.finfo(b.dtype).eps if rounded else 0.0) ** 0.5 * largest
            try:
                assert_close(a, b, rtol=0.0, atol=off, equal_nan=True)
            except AssertionError as error:
                raise runtime_error(
                    f"compile(check=True): {name} differs from that of the function itself: {error}"
                ) from error
        return result

    # ------------------------------------------------------------ what a call does, as printed functions

    def place(self, t: Any) -> str:
        """How a call finds a Tensor of before it; empty for one that the run has created."""
        place = self.arguments.place_of(t)
        if place is not None:
            return f"leaves[{place}]"
        if id(t) in self.owner_of:
            return f"{self.place(self.owner_of[id(t)])}._grad"
        return self.names.name(t) if id(t) in self.tensors else ""

    def _value(self, t: Any) -> str:
        """How a call finds, or makes, a Tensor or None."""
        return "None" if t is None else self.place(t) or f"made[{self._number(t)}]"

    def _number(self, t: Any) -> int:
        """The number of a Tensor among the results."""
        if id(t) not in self.number_of:
            self.number_of[id(t)] = len(self.results)
            self.results.append(t)
        return self.number_of[id(t)]

    def _printed(self, value: Any) -> str:
        """A result of the function as an expression; one that stands where guards see it is returned as it is."""
        name = self.names.name
        if isinstance(value, Tensor):
            self.returned.append(value)
            return self._value(value)
        if isinstance(value, Scalar):
            return self._of_numbers(value.text)
        if (place := self.arguments.place_of(value)) is not None or self.arguments.holds(value):
            self.returned += tensors_in(value)
            return name(value) if place is None else f"leaves[{place}]"
        if value.__class__ in (list, dict, OrderedDict) or fields_of(value) is not None:
            return self._container(value)
        named = (
            isinstance(value, tuple) and hasattr(value, "_fields") and not getattr(value, "__dict__", None)
        )
        if value.__class__ is tuple or named:
            items = "".join(f"{self._printed(v)}, " for v in value)
            # Of a named tuple without the __new__ that its class may have.
            made = f"{name(tuple.__new__)}({name(value.__class__)}, ({items}))"
            return f"({items})" if value.__class__ is tuple else made
        if type(value) is slice:
            return f"slice({', '.join(map(self._printed, (value.start, value.stop, value.step)))})"
        if isinstance(value, (*_PLAIN, *FIXED)):
            return name(value)
        if isinstance(value, np.ndarray):
            raise runtime_error("compile(): the function returns a NumPy array; return the Tensor")
        raise runtime_error(
            f"compile(): the function returns or stores a {type(value).__name__}, which a replay could not make anew. "
            "Return Tensors, numbers, strings, and tuples, lists, dicts and dataclasses of them"
        )

    def _of_numbers(self, text: str) -> str:
        """An expression of numbers, in which each is read where a call finds it."""
        return re.sub(r"(?<![\w.])[A-Za-z_]\w*", lambda name: self.numbers.get(name[0], name[0]), text)

    def _container(self, value: Any) -> str:
        """A new list, dict or object of a dataclass as an expression; in a second place it is the same one."""
        name, variable = self.names.name, self._containers.get(id(value), "")
        if variable == "open":
            raise runtime_error("compile(): the function returns a list or a dict that holds itself")
        if variable:
            self.returned += tensors_in(value)
            return variable
        variable = f"container_{len(self._containers)}"
        self._containers[id(value)] = "open"
        entries = value if isinstance(value, dict) else fields_of(value)
        if entries is None:
            text = f"[{', '.join(map(self._printed, value))}]"
        else:
            text = f"{{{', '.join(f'{name(plain(k))}: {self._printed(v)}' for k, v in entries.items())}}}"
        if value.__class__ is OrderedDict:
            text = f"{name(OrderedDict)}({text})"
        elif entries is not None and entries is not value:
            text = f"{name(with_fields)}({name(type(value))}, {text})"
        self._containers[id(value)] = variable
        return f"({variable} := {text})"

    def _effects(self) -> Iterator[str]:
        """The calls, as tuples, that set gradients and the states of optimizers."""
        name = self.names.name
        for before in self.run.before:
            t, g = before.tensor, before.tensor._grad
            if g is not before.grad:
                yield f"(setattr, {self.place(t)}, '_grad', {self._value(g)}), "
        for table, key, _ in self.stores:
            value = self._printed(table[key])
            yield f"({name(base_of(table).__setitem__)}, {name(table)}, {name(plain(key))}, {value}), "

    def _made(self) -> Iterator[str]:
        """The lines that make the Tensors of results what they are, beside their values."""
        outside = {id(owner(t._array)) for t in self.tensors.values()}
        for i, t in enumerate(self.results):
            # The memory decides: a view of what was made elsewhere is as that.
            inference = t._inference and id(owner(t._array)) not in outside
            if inference is not MODE.get().inference:
                yield f"made[{i}]._inference = {inference}"
            if t.requires_grad and t._node.op is None:
                yield f"made[{i}].requires_grad_()"

    def _shared(self, tied: list[Any]) -> Iterator[str]:
        """The lines that make results views of others; ``tied`` are those whose base is none of them."""
        for i, t in enumerate(self.results):
            if (shown := self.shown.get(id(t))) is not None:
                view = self.names.name(shown._replace(base=None).of)  # a recording keeps no Tensor of a call
                yield f"made[{i}] = {view}({self._value(shown.base)})"
        for some, *how in tied:
            yield f"{self.names.name(tie)}([{', '.join(map(self._value, some))}], *{how})"

    # ------------------------------------------------------------ gradients

    def _gradients(self) -> tuple[Gradients | None, bool, list[str]]:
        """The gradients of the results that carry some, and whether records behind these have saved arrays.

        The lines give the others, whose graph is freed, a record that refuses a backward pass.
        """
        run, results = self.run, self.results
        live = [t for t in results if t._node.requires_grad and t._node.op is not None]
        if any(t._node.hooks for t in live):
            raise runtime_error(
                "compile(): a result has a hook, or retains its gradient, which each call would give to a new "
                "Tensor. Do that outside, with what the call returns"
            )
        live = [t for t in live if id(t) not in self.shown]
        behind = {
            id(t): {n for n in run.order([t._node]) if n.requires_grad and n not in run.sources} for t in live
        }
        grown = {t._node for t in results if t._node.op is None and t._node not in run.sources}
        if not all(grown.isdisjoint(nodes) for nodes in behind.values()):
            raise runtime_error(
                "compile(): a Tensor that the function makes and that requires grad is returned beside a result that "
                "is computed from it; a call is one record, so no gradient would flow from one to the other. Return "
                "one of them, or make the Tensor outside and pass it as an argument"
            )
        if any(t._grad is not None and t._grad.requires_grad for t in self.tensors.values()):
            raise runtime_error(
                "compile(): a gradient that requires grad stays in .grad, as backward(create_graph=True) leaves it; "
                "take it by autograd.grad()"
            )
        freed = {id(t) for t in live if any(type(n.saved) is Freed for n in behind[id(t)])}
        opened = [t for t in live if id(t) not in freed and any(t is r for r in self.returned)]
        gradients = Gradients(self, opened) if opened else None
        if gradients is not None and not gradients.all_reach():
            raise runtime_error(
                "compile(): a result requires grad because of a Tensor that the function makes, which no later call "
                "could reach. detach() the result, or make that Tensor outside and pass it as an argument"
            )
        lines = []
        for i, t in enumerate(results):
            if id(t) in freed:
                behind_it = {id(s): s for n in run.order([t._node]) if (s := run.sources.get(n)) is not None}
                leads = "".join(f"{self.place(s)}._node, " for s in behind_it.values() if s.requires_grad)
                record = self.names.name(_freed(t._node, ()))
                lines.append(f"made[{i}]._node = {self.names.name(_freed)}({record}, ({leads}))")
        if gradients is not None:
            lines += [f"made[{self.number_of[id(t)]}] = outs[{k}]" for k, t in enumerate(opened)]
        return gradients, any(n.saved for t in opened for n in behind[id(t)]), lines

    # ------------------------------------------------------------ the plan

    def _replay(self, result: Any) -> Replay:
        run, results = self.run, self.results
        structure, effects = self._printed(result), "".join(self._effects())
        grown = [t for t in results if t._grad is not None and t.is_leaf]
        own = [f"made[{self._number(t)}]._grad = made[{self._number(t._grad)}]" for t in grown]
        with run.recording():
            for t in results:
                refresh(t)  # a view shows what its base has become
                run.shares(t)
                if t._node is None:  # no operation computed it
                    leaf(t)
        for t in results:
            if type(t) is not Tensor or added_to(t):
                what = f"a {type(t).__name__}" if type(t) is not Tensor else "a Tensor with attributes"
                raise runtime_error(
                    f"compile(): the function makes and returns {what}, and a replay makes plain Tensors. Make that of "
                    "what the call returns"
                )
        computed = {id(t) for t in results if t._node in run.groups} | {
            id(b.tensor._grad) for b in run.before
        }
        self.shown, tied = shown_in(results, self.tensors, self._number, computed)
        lines = list(self._made())
        gradients, saves, differentiated = self._gradients()
        roots = [*(t._node for t in results), *(node for _, node in run.written.values()), *run.acts]
        roots += [] if gradients is None else [g._node for g in gradients.grads if g is not None]
        order = run.order(roots)
        program = TracedProgram(run, order)
        self._refuse_aliases(order, program)
        saved = [] if gradients is None else gradients.saved_in(program)
        plan, opaque = self._plan(program, order, saved)
        bound = [self._tensor(v) for v in plan.stays]
        self.world.guards.settle((run.path(t), t) for t in bound)
        replay = Replay(plan, self.arguments, self.world, bound)
        replay.inputs = self.names.function("leaves", self._inputs(plan))
        made = ", ".join(f"wrap(arrays[{i}])" for i in range(len(results)))
        lines = [f"made = [{made}]", *lines, *differentiated, *self._shared(tied), *own]
        replay.finish = self.names.function("arrays, outs, leaves", f"{structure}, ({effects})", lines)
        generators = [g for n in run.acts if (g := n.params.get("generator")) is not None]
        replay.generators = list({id(g): g for g in generators}.values())
        replay.kept_bytes = sum(run.kept.values())
        replay.first = [(name, run.returned[n]) for name, v in opaque for n in v.nodes if n in run.returned]
        if gradients is not None:
            replay.step, replay.backward_text = gradients.step(program, saves)
        self.arguments.settle()
        for v in program.values:  # records hold arrays
            v.nodes, v.origin, v.of = [], None, None
        return replay

    def _tensor(self, v: Value) -> Any:
        """The Tensor from outside that a value is."""
        return next(self.run.sources[n] for n in v.nodes if n in self.run.sources)

    def _plan(self, program: TracedProgram, order: list[Node], saved: list[Value]) -> tuple[Plan, Any]:
        """The plan, and the values of kernels that it has no source of."""
        run, value, arguments = self.run, program.value_of, self.arguments
        outside = {id(owner(t._array)) for t in self.tensors.values()}
        outputs: list[tuple[Value, Any]] = []
        for t in self.results:
            home = id(owner(t._array))
            outputs.append((value[t._node], (OUTSIDE, home) if home in outside else home))
        # A result that backward reads is saved as it is, so that a change of it in place is noticed.
        own = {memory(v): home for v, home in outputs if home.__class__ is int}
        outputs += [(v, own.get(v, ("saved", i))) for i, v in enumerate(saved)]
        used = self._used(order)
        names = {i: run.paths[i] for i in used}
        # Without the name of the one object that all belong to.
        roots = {name.partition(".")[0] for name in names.values() if "." in name}
        if len(roots) == 1:
            names = {i: name.partition(".")[2] or name for i, name in names.items()}
        tensors = sorted(used.values(), key=lambda t: arguments.place_of(t) is None)
        leaves = [(names[id(t)], run.record_of(t)) for t in tensors]
        stays = [t for t in tensors if arguments.place_of(t) is None and id(t) not in self.owner_of]
        bound = {run.record_of(t) for t in stays}
        writes = [(run.record_of(t), value[n], id(owner(t._array))) for t, n in run.written.values()]
        kinds = (NumbaStatements, NumbaPlan) if self.compiled.backend == "numba" else (Statements, Plan)
        statements = kinds[0](program, leaves, bound, outputs, writes, [*self.numbers], effects=run.acts)
        title = f"{self.compiled.__name__}, as recorded. Printed by minigrad."
        return kinds[1](statements, title), statements.opaque()

    def _inputs(self, plan: Plan) -> str:
        """What the plan takes in a call, or None where a guard on its leaves fails, as an expression."""
        name = self.names.name
        inputs = [f"{self.place(self._tensor(v))}._array" for v in plan.takes]
        inputs += [self.numbers[name] for name in plan.numbers]
        owned = [(t, self.arguments.place_of(self.tensors[i])) for i, t in self.owner_of.items()]
        guards = [f"{self.place(t)}._grad is leaves[{place}]" for t, place in owned if place is not None]
        guards += self.kinds
        pairs = [(b.tensor, self.owner_of.get(id(b.grad), b.tensor)) for b in self.run.before]
        guards += [f"{self.place(t)}._grad is {self.place(o)}._grad" for t, o in pairs if o is not t]
        guards += [f"{self.place(t)}._view is None" for t in self.run.detached]
        # A change of an argument is one of its base, which has to be the same one in each call.
        memory = {id(owner(t._array)) for t, _ in self.run.written.values()}
        views = [(t, view) for t, _, view, *_ in self.run.before if id(owner(t._array)) in memory and view]
        # So is a result that may be a part of such a view: it may be one of another part in a later call.
        for t in self.tensors.values():
            base, path, *_ = t._view or (None, ())
            if any(s.base is base and s.path[: len(path)] == path for s in self.shown.values()):
                views.append((t, t._view))
        for t, (base, path, *_) in views:
            if id(base) in self.tensors:
                guards.append(f"{name(shows)}({self.place(t)}, {self.place(base)}, {name(path)})")
        # Gradients may be other Tensors in each call.
        if loose := [t for v in plan.takes if id(t := self._tensor(v)) in self.owner_of]:
            places = ", ".join(map(self.place, loose))
            guards.append(f"{name(_traits_of)}([{places}]) == {name(_traits_of(loose))}")
        apart = [p for p, t in self.arguments.tensors if id(t) not in self.owner_of]
        if self.world.may_name("grad") and self.owner_of and apart:
            owners = ", ".join(self.place(t) for t in self.owner_of.values())
            guards.append(f"{name(_apart)}([{', '.join(f'leaves[{p}]' for p in apart)}], [{owners}])")
        for text, value in self.world.seen.items():
            read = self._of_numbers(text)
            if value.__class__ in (bool, int):
                guards.append(f"{read} == {name(value)}")
            else:  # nan is no number, not even itself
                guards.append(
                    f"{name(same)}({read}, {name(value)})" if value == value else f"{read} != {read}"
                )
        return f"[{', '.join(inputs)}]" + (f" if {' and '.join(guards)} else None" if guards else "")

    def _used(self, order: list[Node]) -> dict[int, Any]:
        """The Tensors from outside that records read, or that are written, by id."""
        run = self.run
        known = [t for n in order if (t := run.sources.get(n)) is not None]
        return {id(t): t for t in (*known, *(t for t, _ in run.written.values()))}

    def _refuse_aliases(self, order: list[Node], program: TracedProgram) -> None:
        """RuntimeError if memory that is written is shown twice: a plan orders values, and knows no aliases."""
        run, read = self.run, set(order)
        used = self._used(order)
        # An argument that is a view reads its base.
        used |= {id(t): t for _, t in self.arguments.tensors if t._view is not None and t._node in read}
        for t, n in run.written.values():
            a = t._array
            if a.size > 1 and not a.flags.forc and program.value_of[n].fill is None and overlaps(a):
                raise runtime_error(
                    f"compile(): {run.path(t)} is changed in place, and several of its elements are one place in "
                    "memory, as expand() leaves them. clone() it first"
                )
            for other in used.values():
                if other is not t and np.may_share_memory(a, other._array):
                    raise runtime_error(
                        f"compile(): {run.path(t)} is changed in place while {run.path(other)}, that shows the same "
                        "memory, takes part too. Make the view inside of the compiled function, or clone() it"
                    )


def _traits_of(gradients: list[Any]) -> list[Any]:
    """How gradients lie in memory, and whether they require grad, and are made in inference mode."""
    return [(g._array.strides, g._node is not None and g.requires_grad, g._inference) for g in gradients]


def _apart(tensors: list[Any], owners: list[Any]) -> bool:
    """Whether none of the Tensors is the gradient of one of the owners."""
    gradients = {id(t._grad) for t in owners}
    return all(id(t) not in gradients for t in tensors)


def _freed(record: Node, leaves: tuple[Node, ...]) -> Node:
    """A copy of a record, from which a backward pass to any of these leaves comes to a graph that is freed."""
    node = record.copy()
    node.saved = node.saved if type(node.saved) is Freed else Freed(*here())
    node.inputs, node.hooks, node.tensor = leaves, None, None
    return node

"""Recording: a call runs once under a `Trace`, and becomes a `Replay`.

The file has more than 500 lines because one class follows a call from its first argument to what a replay returns.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable
from itertools import pairwise
from operator import attrgetter, is_
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.compiler import arguments, interpret, rows
from minigrad.compiler.arguments import Where
from minigrad.compiler.environment import Environment
from minigrad.compiler.gradients import Gradients
from minigrad.compiler.graph import RecordedGraph, lower_graph
from minigrad.compiler.lower import OUTSIDE, is_outside
from minigrad.compiler.replay import Replay, code, tensors_in
from minigrad.compiler.scalars import Scalar
from minigrad.compiler.trace import Trace
from minigrad.compiler.traced import TracedProgram
from minigrad.core.changes import changed, changed_again, changes_of, owner
from minigrad.core.mode import MODE
from minigrad.core.node import Freed, Node, tape
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.core.views import refresh
from minigrad.dtypes import dtype

_array_of = attrgetter("_array")
# Guards that read the arguments of a call.
_OF_ARGUMENTS = re.compile(r"(?<![\w'\".])(?:args|kwargs)\[")


class Recording:
    """One call that is recorded."""

    def __init__(self, compiled: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.compiled, self.args, self.kwargs = compiled, args, kwargs
        self.environment = env = Environment()
        # Those on the arguments, as expressions.
        self.guards: list[str] = []
        # Of the Tensors among the arguments: their places, by id, and for each a guard on what stands there.
        self.locations: dict[int, Where] = {}
        self.tensor_guards: list[Any] = []
        # Lists and dicts that the function gets, each with its content and its name.
        self.copies: list[tuple[Any, list[Any], str]] = []
        # Arguments that are views: records may read their values from their base.
        self._views: list[Any] = []
        # By the id of an argument that is no leaf: the leaf that the function gets for it.
        self._replaced: dict[int, Any] = {}
        self._stand_ins: list[Any] = []
        names = arguments.names_of(compiled.function, args)
        self.inputs = (
            tuple(self._argument(a, Where.argument("args", i), names[i]) for i, a in enumerate(args)),
            {k: self._argument(a, Where.argument("kwargs", k), k) for k, a in kwargs.items()},
        )
        named = f"[*kwargs] == {env.constant([*kwargs])}" if kwargs else "not kwargs"
        self.guards.insert(0, f"len(args) == {len(args)} and {named}")
        env.around(compiled.function)
        texts = env.guards.texts
        self.through_arguments = [c for c in texts if _OF_ARGUMENTS.search(c[0])]
        env.guards.texts = [c for c in texts if not _OF_ARGUMENTS.search(c[0])]
        env.names["unchanged"] = env.guards.function(code, "unchanged")

    # ------------------------------------------------------------ arguments

    def _argument(self, value: Any, where: Where, name: str) -> Any:
        """Adds the guards on an argument; returns what the function gets for it."""
        env = self.environment
        guards = self.guards
        if isinstance(value, Tensor):
            return self._tensor(value, where, name)
        if type(value) is float:
            guards.append(f"{where}.__class__ is float")
            number = env.number(value, name, where, name)
            env.dynamic.append(({}, "", number, where))
            return number
        if value.__class__ in (tuple, list):
            guards.append(f"{where}.__class__ is {value.__class__.__name__} and len({where}) == {len(value)}")
            return self._copied(
                value.__class__(
                    self._argument(v, where.inside(i), f"{name}_{i}") for i, v in enumerate(value)
                ),
                name,
            )
        if value.__class__ is dict:
            guards.append(f"{where}.__class__ is dict and [*{where}] == {env.constant([*value])}")
            copied = {}
            for k, v in value.items():
                named = "" if isinstance(k, (str, int)) else env.constant(k)
                copied[k] = self._argument(v, where.inside(k, named), f"{name}_{k}")
            return self._copied(copied, name)
        if isinstance(value, np.ndarray):
            raise TypeError(
                f"compile(): the argument {name} is an array of NumPy; give Tensors, such as from_numpy({name})"
            )
        if value is None or isinstance(value, (bool, int, str, bytes, complex)):
            constant = env.constant(value)
            guards.append(f"equal({where}, {constant})")
            return value
        env.look(value, where, name)
        return value

    def _copied(self, container: Any, name: str) -> Any:
        """Notes a list or dict that the function gets in place of the caller's, to notice a change of it."""
        content = list(container.items()) if isinstance(container, dict) else list(container)
        self.copies.append((container, content, name))
        return container

    def _refuse_changed_arguments(self) -> None:
        for container, content, name in self.copies:
            now = list(container.items()) if isinstance(container, dict) else list(container)
            same = len(now) == len(content) and all(
                a is b or (a.__class__ is tuple and a[0] == b[0] and a[1] is b[1])
                for a, b in zip(now, content, strict=True)
            )
            if not same:
                raise errors.runtime_error(
                    f"compile(): the function changes the {type(container).__name__} {name}, and a replay would not. "
                    "Return what is new"
                )

    def _tensor(self, t: Any, where: Where, name: str) -> Any:
        env, a = self.environment, t._array
        refresh(t)
        known = self.locations.get(id(t))
        if known is not None:
            self.guards.append(f"{where} is {known}")
            return self._replaced.get(id(t), t)
        self.guards += [f"{where} is not {other}" for other in self.locations.values()]
        self.locations[id(t)] = where
        if t._view is not None:
            self._views.append(t)
        env.follow_hooks(t._node, name)
        self.tensor_guards.append(arguments.tensor_guard(t, env.names))
        self.guards.append(f"{env.constant(self.tensor_guards[-1])}({where})")
        env.grads[id(t)] = where, t._grad is not None, f"the gradient of {name}"
        inside = t
        if not t.is_leaf:
            inside = wrap(a)
            leaf(inside, True)
            self._replaced[id(t)] = inside
            self._stand_ins.append(inside)
        env.tensors[id(inside)] = inside
        env.paths[id(inside)] = name
        if t._grad is not None and t.is_leaf:
            env.tensors[id(t._grad)] = t._grad
            env.gradient_of[id(t._grad)] = t
            env.paths[id(t._grad)] = f"grad_{name}"
        self.locations[id(inside)] = where
        return inside

    # ------------------------------------------------------------ the run

    def run(self) -> tuple[Any, Replay]:
        env = self.environment
        trace = self.trace = Trace(env)
        args, kwargs = self.inputs
        result = trace.run(self.compiled.function, args, kwargs)
        try:
            self._find_effects(result)
            replay = self._replay()
        except BaseException:
            trace.undo()
            raise
        first = None if self._replaced else self._first_result(result)
        if self._replaced:
            trace.undo()
        trace.settle()
        self._let_go(replay)
        if (
            self._replaced
        ):  # the run used stand-ins, so the call is served again, with the arguments themselves
            inputs = replay.enter(self.args, self.kwargs, MODE.get())
            if inputs is not None:
                return replay.run(replay.ready(), inputs, self.args, self.kwargs), replay
            return self.compiled.function(*self.args, **self.kwargs), replay
        return first, replay

    def _let_go(self, replay: Replay) -> None:
        """Drops what only this call needs: its arguments, and the records with the arrays that they saved."""
        self.environment.let_go(self.locations)
        if self.gradients is not None:
            self.gradients.let_go()
        replay.let_go()

    def _find_effects(self, result: Any) -> None:
        env, trace = self.environment, self.trace
        self._refuse_side_effects()
        self._refuse_changed_arguments()
        # The Tensors that the function returns, and the index at which each comes first.
        self.returned: list[Any] = []
        self.first_index: dict[int, int] = {}
        self.structure = self._flatten(result)
        # Tensors whose gradient is another one now, with that.
        self.new_grads: list[tuple[Any, Any]] = []
        for t, before in trace.grads.values():
            if t._grad is not before:
                self.new_grads.append((t, t._grad))
        for t in list(env.tensors.values()):
            watched = id(t) in trace.grads or any(x is t for x, _ in self.new_grads)
            record = None if watched or t._grad is None else t._grad._node
            if record is not None and record.seq >= trace.start:
                self.new_grads.append((t, t._grad))
        self.new_state: list[tuple[dict[Any, Any], Any, str, Any]] = []
        for state, before in env.states:
            for p, entries in state.items():
                old = before.get(p, {})
                for key, value in entries.items():
                    if value is not old.get(key):
                        if not isinstance(value, Tensor):
                            raise errors.runtime_error(
                                f"compile(): the optimizer keeps {key!r}, a {type(value).__name__}, and changes it at "
                                "each step; a replay repeats only what is done to Tensors"
                            )
                        self.new_state.append((state, p, key, value))

    def _refuse_side_effects(self) -> None:
        """RuntimeError if the run has changed what a replay does not change."""
        env = self.environment
        with contextlib.suppress(Exception):
            if not self.through_arguments and env.names["unchanged"]():
                return
        for expression, path in (*env.guards.expressions(), *self.through_arguments):
            with contextlib.suppress(Exception):
                if eval(expression, env.names | {"args": self.args, "kwargs": self.kwargs}):
                    continue
            raise errors.runtime_error(
                f"compile(): the function changes {path or 'an object of Python'}, and a replay would not: it "
                "repeats only what is done to Tensors, gradients and the state of optimizers. Do that outside"
            )

    def _flatten(self, value: Any) -> Any:
        """The structure of a result, with `_Returned` for Tensors and `_LookUp` for numbers that are parameters."""
        if isinstance(value, Tensor):
            self.returned.append(value)
            return _Returned(self.first_index.setdefault(id(value), len(self.returned) - 1))
        if value.__class__ in (tuple, list):
            return value.__class__(self._flatten(v) for v in value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return value.__class__(*(self._flatten(v) for v in value))
        if value.__class__ is dict:
            return {k: self._flatten(v) for k, v in value.items()}
        if type(value) is Scalar:
            for group, key, number, where in self.environment.dynamic:
                if number is value:
                    return _LookUp(where.look_up if isinstance(where, Where) else _option(group, key))
            value.settle()  # computed from a parameter
            return value.value
        if isinstance(value, np.ndarray):
            raise errors.runtime_error("compile(): the function returns an array of NumPy; return the Tensor")
        plain = value is None or isinstance(
            value, (bool, int, float, str, bytes, complex, type, np.generic, dtype)
        )
        if (
            plain
            or id(value) in self.environment._pins
            or (isinstance(value, tuple) and not tensors_in(value))
        ):
            return value
        raise errors.runtime_error(
            f"compile(): the function returns a {type(value).__name__}, which a replay could not make anew. Return "
            "Tensors, numbers, texts, and tuples, lists and dicts of them"
        )

    # ------------------------------------------------------------ the plan

    def _replay(self) -> Replay:
        env, trace = self.environment, self.trace
        with trace.recording():
            for t in self.returned:
                refresh(t)  # a view shows what its base has become
        live = [
            t
            for t in self.returned
            if t._node is not None and t._node.requires_grad and id(t) not in env.tensors
        ]
        self.freed = {id(t): _freed(t._node) for t in live if t._node in trace.differentiated}
        self.differentiable = list({id(t): t for t in live if id(t) not in self.freed}.values())
        try:
            gradients = Gradients(trace, self.differentiable) if self.differentiable else None
        except RuntimeError:  # backward() on a result raises it, as where a saved Tensor was changed
            self.freed |= {id(t): _freed(t._node) for t in self.differentiable}
            self.differentiable, gradients = [], None
        self.gradients = gradients
        roots = [t._node for t in self.returned if t._node is not None]
        roots += [node for _, node in trace.written.values()]
        roots += [g._node for _, g in self.new_grads if g is not None and g._node is not None]
        roots += [t._node for _, _, _, t in self.new_state]
        roots += [] if gradients is None else [g._node for g in gradients.grads if g is not None]
        with trace.recording():
            for t in [*self.returned, *(g for _, g in self.new_grads if g is not None)]:
                if t._node is None:  # no operation computed it
                    roots.append(leaf(t))
        order = tape([*roots, *trace.follows, *trace.follows.values(), *trace.draws, *trace.checks])
        self._survey(order)
        self._check_overlaps(order)

        results: list[Node] = []
        memories: list[Any] = []
        index: dict[int, int] = {}
        outside = {id(owner(t._array)) for t in env.tensors.values()}

        def out(n: Node, memory: Any = None) -> int:
            results.append(n)
            memories.append(
                len(results) if memory is None else (OUTSIDE, memory) if memory in outside else memory
            )
            return len(results) - 1

        for t in self.returned:
            if id(t) not in index and id(t) not in env.tensors:
                index[id(t)] = out(t._node, id(owner(t._array)))
        grads = [
            (t, g, None if g is None or id(g) in env.tensors else out(g._node)) for t, g in self.new_grads
        ]
        state = [(s, p, key, out(t._node)) for s, p, key, t in self.new_state]
        writes = [(self._node_of(t), node) for t, node in trace.written.values()]
        homes = [id(owner(t._array)) for t, _ in trace.written.values()]
        self.numbers = [(where, s.text) for _, _, s, where in env.dynamic]
        leaves, bound, passing = self._outer_leaves()
        graph = RecordedGraph(
            trace, order, [(path, n) for path, n, _ in leaves], [n for n, _ in bound], [n for n, _ in passing],
            self._batch(passing), results, memories, writes, homes, self.numbers,
            f"{self.compiled.__name__}, as recorded. Printed by minigrad.", self.compiled.backend,
            self.compiled.threads or 1,
        )  # fmt: skip
        replay = Replay(graph)
        replay.argument_types = [
            (t._array.dtype, t._array.shape) for t in tensors_in(self.args, tuple(self.kwargs.values()))
        ]
        replay.kept_bytes = sum(trace.kept.values())
        self._set_guards(replay, [t for _, t in bound], [t for _, t in passing])
        self._set_finish(replay, index, grads, state)
        generators = [n.params["generator"] for n in trace.draws if "generator" in n.params]
        replay.generators = list({id(g): g for g in generators}.values())
        replay.may_raise = self.may_raise
        if self.may_interpret and self.compiled.backend == "numpy":
            distinct = not any(map(is_outside, memories)) and len({*memories}) == len(memories)
            replay.interprets = distinct and self.size <= interpret.SMALL and self.widest < rows.LARGE
            return replay
        program = TracedProgram(trace, order)
        saved = [] if gradients is None else gradients.saved_in(program)
        replay.set_lowered(lower_graph(graph, program, saved))
        if self.compiled.backend == "numba":
            replay.compile_with_numba()
        for plan in replay.lowered.plans:
            plan.build()
        if gradients is not None and gradients.targets:
            opened = [index[id(t)] for t in self.differentiable]
            kept = [len(results) + i for i in range(len(saved))]
            numbers = [self.first_index[id(t)] for t in self.differentiable]
            replay.step, replay.leaves, replay.backward_text = gradients.function(
                self.compiled, program, self.numbers, opened, kept, numbers, self._finder, self._why_once()
            )
        return replay

    def _survey(self, order: list[Node]) -> None:
        """Surveys the records: the Tensors that they read, the bytes of the results, whether a kernel may raise.

        ``may_interpret``: the plan can wait, for no record of the graph holds arrays.
        """
        sources = self.trace.sources
        self.used: dict[int, Any] = {}
        self.size = self.widest = 0  # bytes
        self.may_interpret, self.may_raise = not self.differentiable, False
        for n in order:
            op = n.op
            source = sources.get(n)
            if source is not None:
                self.used[id(source)] = source
            # A Function with several results has no shape.
            size = 0 if n.shape is None else math.prod(n.shape) * n.dtype.itemsize
            if size > self.widest:
                self.widest = size
            if op is not None:
                self.size += size
                if op.raises:
                    self.may_raise = True
                if n.requires_grad and n.saved and n.saved.__class__ is not Freed:
                    self.may_interpret = False
        self.used |= {id(t): t for t, _ in self.trace.written.values()}
        for seed in () if self.gradients is None else self.gradients.seeds:
            self.used.pop(id(seed), None)

    def _batch(self, passing: list[tuple[Node, Any]]) -> list[Node]:
        """The arguments that may have a row for each of a batch, where that is large enough to be split."""
        if self.compiled.exact or self.differentiable or self.compiled.backend != "numpy":
            return []
        candidates = [(n, t) for n, t in passing if id(t) in self.locations and t._array.ndim]
        counts = {t._array.shape[0] for _, t in candidates}
        return [n for n, _ in candidates] if len(counts) == 1 and min(counts) >= rows.LEAST else []

    def _node_of(self, t: Any) -> Node:
        for n, source in self.trace.sources.items():
            if source is t:
                return n
        node = Node.leaf(t._array.shape, t._array.dtype, tensor=t)  # the Tensor was written, and never read
        self.trace.sources[node] = t
        return node

    def _check_overlaps(self, order: list[Node]) -> None:
        """RuntimeError if two Tensors alias memory that is written: a plan orders values, and knows no aliases."""
        trace = self.trace
        if not trace.written:
            return
        read = set(order) if self._views else set()
        used = {**self.used, **{id(t): t for t in self._views if t._node in read}}
        if all(t._array.base is None and t._array.flags.owndata for t in used.values()) and len(
            {id(t._array) for t in used.values()}
        ) == len(used):
            return  # each Tensor has memory of its own
        spans = sorted((*_span(t._array), number) for number, t in used.items())
        if all(one[1] <= after[0] for one, after in pairwise(spans)):
            return
        written = [span for span in spans if span[2] in trace.written]
        for start, end, number in written:
            if any(first < end and start < last and other != number for first, last, other in spans):
                raise errors.runtime_error(
                    "compile(): a Tensor is changed in place while another one, that shows the same memory, takes "
                    "part too. Make the view inside of the compiled function, or clone() it"
                )

    def _outer_leaves(self) -> tuple[list[Any], list[Any], list[Any]]:
        """The leaves that are Tensors from outside, as (name, leaf, Tensor), arguments first; then the used ones.

        The second list has the used leaves whose arrays stay, the third the others.
        """
        env, trace = self.environment, self.trace
        paths = env.paths | env.owned
        firsts = {
            paths[id(t)].partition(".")[0] for t in trace.sources.values() if "." in paths.get(id(t), "")
        }
        leaves: dict[int, tuple[Node, Any]] = {}
        for n, t in trace.sources.items():
            leaves.setdefault(id(t), (n, t))
        named: list[Any] = []
        bound: list[Any] = []
        passing: list[Any] = []
        for n, t in sorted(leaves.values(), key=lambda leaf: id(leaf[1]) not in self.locations):
            path = paths.get(id(t), "tensor")
            if len(firsts) == 1 and "." in path:
                path = path.partition(".")[2]
            named.append((path, n, t))
            if id(t) in self.used:
                place = env.places.get(id(t))
                stays = place is not None and place[1] and id(t) not in self.locations
                (bound if stays else passing).append((n, t))
        return named, bound, passing

    def _expression(self, t: Any) -> str:
        """The expression of a Tensor's array in a replay."""
        where = self.locations.get(id(t))
        if where is not None:
            return f"{where}._array"
        where = self.locations.get(id(self.environment.gradient_of.get(id(t))))
        if where is not None:
            return f"{where}._grad._array"
        return self.environment.places[id(t)][0]

    def _set_guards(self, replay: Replay, bound: list[Any], passing: list[Any]) -> None:
        env = self.environment
        env.guard_arrays()
        self._guard_gradients()
        self._guard_gradient_arguments()
        env.names["as_before"] = env.mutable.function(code, "as_before")
        outer = ["unchanged()", "as_before()", *(c for c, _ in (*self.through_arguments, *env.settled))]
        space = env.names
        # The arrays that the function reaches by itself and changes, by the id of their memory.
        written: dict[int, list[Any]] = {}
        self._written = written
        for t, _ in self.trace.written.values():
            if id(t) not in self.locations and id(env.gradient_of.get(id(t))) not in self.locations:
                written.setdefault(id(owner(t._array)), []).append(t._array)
        space["written"], space["apart"] = written, lambda a: _apart(a, written)
        stays = {number for number, (_, stays) in env.places.items() if stays and number in env.tensors}
        space["known"] = frozenset(stays - self.locations.keys())
        owners = [env.tensors[n] for n, (_, present, _) in env.grads.items() if present and n in stays]
        space["owners"] = [o for o in owners if id(o._grad) not in self.locations]
        for number, where in self.locations.items():
            if number in env.places:
                self.guards.append(f"{where} is {env.pin(env.tensors[number])}")
        self._guard_written_arguments(bound)
        mode_guard = MODE.get(), arguments.mode_guard(*env.modes)  # mostly it is this very object
        modes = "(mode is {} or {}(mode))".format(*map(env.constant, mode_guard))
        self._set_entry(replay, mode_guard, passing, [modes, *self.guards, *outer])
        self._set_bound(replay, bound)
        about = [(c, "the arguments") for c in self.guards]
        replay.guards = [(modes, "the grad mode"), *about, *self.through_arguments, *env.settled]
        replay.environment = env
        replay.layouts = [(a.shape, a.dtype, a.strides) for a in replay.bound()]

    def _guard_written_arguments(self, bound: list[Any]) -> None:
        """Adds guards: no other Tensor that takes part aliases the memory of an argument that is changed."""
        env = self.environment
        locations = self.locations
        share = env.constant(np.may_share_memory)
        owners = [o for n, o in env.tensors.items() if n in env.places and n not in locations]
        known = [*bound, *(o for o in owners if o._grad is not None and id(o._grad) not in locations)]
        for t, _ in self.trace.written.values():
            where = locations.get(id(t))
            if where is None:
                continue
            others = [other for other in dict.fromkeys(locations.values()) if other != where]
            apart = env.constant(lambda a: not any(_shares(a, t) for t in known))
            self.guards.append(f"{apart}({where}._array)")
            self.guards += [f"not {share}({where}._array, {o}._array)" for o in others]

    def _set_entry(self, replay: Replay, mode_guard: Any, passing: list[Any], guards: list[str]) -> None:
        """Sets the text of ``enter``, and for plain arguments a function that serves the first calls."""
        env, args = self.environment, self.args
        inputs = [*map(self._expression, passing), *(where for where, _ in self.numbers)]
        text = "def enter(args, kwargs, mode):\n    try:\n        if (\n            "
        text += "\n            and ".join(guards)
        text += f"\n        ):\n            return ({', '.join(inputs)}{',' if len(inputs) == 1 else ''})\n"
        text += "    except (LookupError, AttributeError, ValueError, TypeError, RuntimeError):\n"
        text += "        pass  # what is asked about is gone\n"
        text += "    return None\n"
        replay.entry_text = text, env.names
        options = [(group, key) for group, key, _, _ in env.dynamic]
        if (
            all(isinstance(t, Tensor) and id(t) not in env.places for t in args)
            and len({*map(id, args)}) == len(args)
            and all(group for group, _ in options)
            and not (self.kwargs or self.through_arguments or env.settled)
            and self.locations.keys().isdisjoint(self.trace.written)
            and self.locations.keys().isdisjoint(env.gradient_of)
            and not any(n in self.locations for n in self.trace.asked)
        ):
            places = {self.locations[id(t)]: i for i, t in enumerate(args)}
            locations = [self.locations.get(id(t)) for t in passing]
            indices = [places[where] for where in locations if where in places]
            if len(indices) == len(passing):
                replay.enter = arguments.plain_entry(
                    self.tensor_guards, indices, options, mode_guard, env.names
                )
                replay.enters_plainly = True

    def _guard_gradient_arguments(self) -> None:
        """Adds guards on which arguments are gradients of others, where the function reads these gradients."""
        env = self.environment
        places = dict.fromkeys(self.locations.values())
        for number, (holder, present, _) in env.grads.items():
            if not present or number not in self.trace.asked or number not in self.locations:
                continue
            grads = [n for n, o in env.gradient_of.items() if id(o) == number]
            mine = {self.locations[n] for n in grads if n in self.locations}
            for where in places:
                if where != holder:
                    self.guards.append(f"({where} is {holder}._grad) is {where in mine}")

    def _guard_gradients(self) -> None:
        """Adds guards on whether a Tensor has a gradient, where the function has read its gradient."""
        env = self.environment
        for number, (where, present, about) in env.grads.items():
            if number not in self.trace.asked:
                continue
            if number in self.locations:
                env.settled.append((f"{where}._grad is {'not ' * present}None", about))
            else:
                env.mutable.gradients.append((env.tensors[number], not present, where, about))

    def _set_bound(self, replay: Replay, tensors: list[Any]) -> None:
        """Sets the functions of the arrays that plans stand on, and notes which of them each replay changes."""
        numbers = {id(t): i for i, t in enumerate(tensors)}
        often = [numbers[id(t)] for t, _ in self.trace.written.values() if id(t) in numbers]
        self._changes: list[Any] = []
        changes = self._changes
        arrays: list[Any] = []

        def bound() -> tuple[Any, ...]:
            return tuple(map(_array_of, tensors))

        def current() -> bool:
            return all(map(is_, map(_array_of, tensors), arrays))

        written = self._written
        mine = {id(owner(tensors[i]._array)) for i in often}
        others = {number: arrays for number, arrays in written.items() if number not in mine}

        def rebind(now: tuple[Any, ...]) -> None:
            arrays[:] = now
            changed = [now[i] for i in often]
            changes[:] = changes_of(changed)
            written.clear()
            written.update(others)
            for a in changed:
                written[id(owner(a))] = [*written.get(id(owner(a)), []), a]

        replay.bound, replay.current, replay.rebind, replay.written = bound, current, rebind, often
        rebind(bound())

    def _set_finish(self, replay: Replay, index: dict[int, int], grads: Any, state: Any) -> None:
        """Sets ``finish``, which turns results into Tensors, gradients and states, and notes changes in place."""
        env, trace, locations = self.environment, self.trace, self.locations
        new = _inference_tensor if env.modes[1] else wrap
        pinned = [(t, i) for t, g, i in grads if id(t) not in locations and id(g) not in env.tensors]
        passed = [
            (locations[id(t)].look_up, i)
            for t, g, i in grads
            if id(t) in locations and id(g) not in env.tensors
        ]
        known = [(self._finder(t), self._known_finder(g)) for t, g, _ in grads if id(g) in env.tensors]
        # Functions that look up gradients of before the call, which it returns.
        taken: list[Any] = []
        self._taken = taken
        often, overwritten = False, []
        for t, _ in trace.written.values():
            if env.places.get(id(t), ("", False))[1] and id(t) not in locations:
                often = True
            else:
                overwritten.append(self._known_finder(t))
        changes = self._changes
        build = self._result_builder(index, new)

        def finish(results: Any, args: Any, kwargs: Any, outs: Any) -> Any:
            arrays = [find(args, kwargs)._array for find in overwritten]  # before a gradient is dropped
            if taken:
                results = [*results, *(find(args, kwargs) for find in taken)]
            for t, g in [(find(args, kwargs), grad_of(args, kwargs)) for find, grad_of in known]:
                t._grad = g
            for t, i in pinned:
                t._grad = None if i is None else new(results[i])
            for find, i in passed:
                find(args, kwargs)._grad = None if i is None else new(results[i])
            for entries, p, key, i in state:
                entries[p][key] = new(results[i])
            if often:
                changed_again(changes)
            if arrays:
                changed(*arrays)
            return build(results, args, kwargs, outs)

        def finish_in_place(results: Any, args: Any, kwargs: Any, outs: Any) -> Any:
            changed_again(changes)
            return build(results, args, kwargs, outs)

        replay.finish = finish
        if not (pinned or passed or known or taken or state or overwritten):
            replay.finish = finish_in_place if often else build  # the usual case of a step, at half the cost

    def _result_builder(self, index: dict[int, int], new: Callable[[Any], Any]) -> Callable[..., Any]:
        """The function that builds what the call returns, of the arguments of ``finish``."""
        makers = {i: self._tensor_builder(self.returned[i], index, new) for i in self.first_index.values()}
        if isinstance(self.structure, _Returned):
            return makers[0]
        structure = self.structure

        def build(results: Any, args: Any, kwargs: Any, outs: Any) -> Any:
            tensors = {i: make(results, args, kwargs, outs) for i, make in makers.items()}
            return _rebuilt(structure, tensors, args, kwargs)

        return build

    def _tensor_builder(self, t: Any, index: dict[int, int], new: Callable[[Any], Any]) -> Callable[..., Any]:
        env = self.environment
        owner = next((o for o, g in self.new_grads if g is t and id(t) not in env.tensors), None)
        if owner is not None:
            find = self._finder(owner)
            return lambda results, args, kwargs, outs: find(args, kwargs)._grad
        if id(t) in env.gradient_of and id(t) not in self.locations:
            self._taken.append(self._known_finder(t))
            taken, k = self._taken, len(self._taken)
            return lambda results, *rest: results[k - 1 - len(taken)]  # they stand at the end
        if id(t) in env.tensors:
            find = self._finder(t)
            return lambda results, args, kwargs, outs: find(args, kwargs)
        i = index[id(t)]
        for k, other in enumerate(self.differentiable):
            if other is t:
                if self.gradients is not None and self.gradients.targets:
                    return lambda results, args, kwargs, outs: outs[k]
                return lambda results, *rest: new(results[i]).requires_grad_()
        if id(t) in self.freed:
            node = self.freed[id(t)]
            return lambda results, args, kwargs, outs: wrap(results[i], node)
        return lambda results, args, kwargs, outs: new(results[i])

    def _known_finder(self, t: Any) -> Callable[[Any, Any], Any]:
        """A function that looks up a Tensor of before the call: an argument, a gradient, or one that stays."""
        owner = self.environment.gradient_of.get(id(t))
        if owner is None or id(t) in self.locations:
            return self._finder(t)
        find = self._finder(owner)
        return lambda args, kwargs: find(args, kwargs)._grad

    def _first_result(self, result: Any) -> Any:
        """What the recorded call itself returns."""
        passed = {id(t): t for t in tensors_in(self.args, self.kwargs)}
        back = {id(inside): passed[original] for original, inside in self._replaced.items()}
        for _, g in self.new_grads:
            if g is not None and g._node is not None and not g._node.requires_grad:
                g._node = None
        for _, _, _, t in self.new_state:
            t._node = None
        returned = []
        for t in self.returned:
            if self.environment.modes[1] and id(t) not in self.environment.tensors:
                t._inference = True
            if id(t) in back:
                t = back[id(t)]
            elif t._node is not None and not t._node.requires_grad and id(t) not in self.environment.tensors:
                t._node = None
                t._view = None
            returned.append(t)
        return _rebuilt(self.structure, returned, self.args, self.kwargs)

    def _finder(self, t: Any) -> Callable[[Any, Any], Any]:
        """A function that looks up what stands for this Tensor in a replay's arguments; else it returns the Tensor."""
        original = next((k for k, r in self._replaced.items() if r is t), id(t))
        where = self.locations.get(original) or self.locations.get(id(t))
        return (lambda args, kwargs: t) if where is None else where.look_up

    def _why_once(self) -> str:
        """Why the function may not run again unseen; empty if it may."""
        if self.trace.draws:
            return "draws random numbers"
        return "changes Tensors" if self.trace.written or self.new_grads or self.new_state else ""


def _apart(array: Any, written: dict[int, list[Any]]) -> bool:
    """Whether an array shares no memory with the written arrays, which are listed by the id of their memory."""
    arrays = written.get(id(array if array.base is None else owner(array)))
    return arrays is None or not any(np.may_share_memory(array, a) for a in arrays)


def _shares(array: Any, t: Any) -> bool:
    """Whether an array shares memory with a Tensor or its gradient."""
    g = t._grad
    return np.may_share_memory(array, t._array) or (g is not None and np.may_share_memory(array, g._array))


class _Returned:
    """Stands in a structure for a Tensor that the call returns."""

    def __init__(self, number: int) -> None:
        self.number = number


class _LookUp:
    """Stands in a structure for a number that each call looks up."""

    def __init__(self, find: Callable[[Any, Any], Any]) -> None:
        self.find = find


def _option(group: dict[str, Any], key: str) -> Callable[[Any, Any], Any]:
    return lambda args, kwargs: group[key]


def _rebuilt(structure: Any, tensors: Any, args: Any, kwargs: Any) -> Any:
    """A structure with these Tensors, by index, and the numbers of a call with these arguments."""
    if isinstance(structure, _Returned):
        return tensors[structure.number]
    if structure.__class__ in (tuple, list):
        return structure.__class__([_rebuilt(v, tensors, args, kwargs) for v in structure])
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return structure.__class__(*[_rebuilt(v, tensors, args, kwargs) for v in structure])
    if structure.__class__ is dict:
        return {k: _rebuilt(v, tensors, args, kwargs) for k, v in structure.items()}
    return structure.find(args, kwargs) if isinstance(structure, _LookUp) else structure


def _span(array: Any) -> tuple[int, int]:
    """The addresses of an array's first byte and of the one after its last; zeros for an empty array."""
    if not array.size:
        return 0, 0
    if not array.flags.c_contiguous:
        return np.lib.array_utils.byte_bounds(array)
    start: int = array.__array_interface__["data"][0]
    return start, start + array.nbytes


def _freed(node: Node) -> Node:
    """The record of a result whose graph a backward pass in the function has freed."""
    copied = node.copy()
    copied.inputs, copied.hooks, copied.tensor = (), None, None
    copied.saved = node.saved if node.saved.__class__ is Freed else Freed(*errors.here())
    return copied


def _inference_tensor(array: Any) -> Any:
    t = wrap(array)
    t._inference = True
    return t

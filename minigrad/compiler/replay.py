"""A recording as later calls use it: its guards, the plan, and what becomes of the results."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from itertools import chain, repeat
from operator import attrgetter, is_
from typing import Any

import numpy as np

from minigrad.autograd.modes import enable_grad
from minigrad.compiler.arguments import Arguments, Number, memory_of
from minigrad.compiler.plan import Plan
from minigrad.compiler.recorder import at_once, calls
from minigrad.compiler.world import World
from minigrad.core.changes import RUNNING, changed, changed_again, changes_of, part, will_change
from minigrad.core.mode import MODE, Mode
from minigrad.core.node import Node, new
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import LinAlgError
from minigrad.readers.source.program import Value

_array_of = attrgetter("_array")


class Effects:
    """What a call does beside computing: its results, gradients, and states of optimizers.

    Results are numbered; a result is a new Tensor in each call.
    """

    def __init__(self, structure: Any, states: list[dict[Any, Any]]) -> None:
        self.structure = structure
        # How a call finds a Tensor, the number of its new gradient, and how it finds a gradient of before.
        self.grads: list[tuple[Any, int | None, Any]] = []
        # Results that are leaves, each with the number of its gradient.
        self.own: list[tuple[int, int]] = []
        # The state of an optimizer, a parameter, a key, and the number of what it gets.
        self.state: list[tuple[dict[Any, Any], Any, str, int]] = []

    def settle(
        self, leaves: list[bool], freed: dict[int, Node], opened: list[int], inference: list[int]
    ) -> None:
        """Notes which results require grad as leaves, whose graph is freed, and which carry gradients,
        and which were made in inference mode."""
        self.leaves = [i for i, requires_grad in enumerate(leaves) if requires_grad]
        self.freed, self.opened, self.inference = freed, opened, inference

    def tensors(self, arrays: Sequence[Any], outs: Any) -> list[Any]:
        """The results as Tensors."""
        tensors: list[Any] = []
        for a in arrays:  # `wrap` spelt out
            t = new(Tensor)
            t._array = a if a.__class__ is np.ndarray else np.asarray(a)
            t._node = t._view = None
            tensors.append(t)
        for i in self.inference:
            tensors[i]._inference = True
        for i in self.leaves:
            tensors[i].requires_grad_()
        for i, node in self.freed.items():
            tensors[i] = wrap(arrays[i], node)
        for i, out in zip(self.opened, outs, strict=True):
            tensors[i] = out
        for i, g in self.own:
            tensors[i]._grad = tensors[g]
        return tensors

    def gradients(self, tensors: list[Any], leaves: list[Any]) -> Any:
        """An iterator that sets gradients."""
        owners = [find(leaves) for find, _, _ in self.grads]
        grads = [
            tensors[i] if i is not None else None if known is None else known(leaves)
            for _, i, known in self.grads
        ]
        return map(setattr, owners, repeat("_grad"), grads)

    def states(self, tensors: list[Any]) -> list[tuple[Any, ...]]:
        """The calls that set the states of optimizers."""
        rows: list[tuple[Any, ...]] = []
        fresh: dict[tuple[int, int], dict[Any, Any]] = {}
        for state, p, key, number in self.state:
            entries = state.get(p) if p in state else fresh.get((id(state), id(p)))
            if entries is None:
                entries = fresh[id(state), id(p)] = {}
                rows.append((state.__setitem__, p, entries))
            rows.append((entries.__setitem__, key, tensors[number]))
        return rows


class Replay:
    """One recording: its guards, and what a call runs where they hold."""

    # The random generators that a run draws from; whether a kernel may raise; what eager mode keeps for backward.
    generators: list[Any]
    may_raise: bool
    kept_bytes: int
    # What kernels of the user returned while the call was recorded.
    first: list[tuple[str, Any]]
    # Of a call whose results carry gradients; see `minigrad.compiler.gradients`.
    step: Any = None

    def __init__(
        self, plan: Plan, arguments: Arguments, world: World, effects: Effects, states: list[tuple[Any, Any]]
    ) -> None:
        self.plan, self.arguments, self.world, self.effects = plan, arguments, world, effects
        self.mode: Mode = MODE.get()
        # Whether a part of a batch runs here, as `minigrad.in_parts` runs them.
        self.in_part = part() is not None
        self.calls = 0
        # Functions that run the plan, each with memory of its own, that no call is running.
        self.idle: list[Any] = []
        # The states of optimizers before the call, as dicts, with their keys and values.
        pairs = [(state, {k: entries for k, (entries, _) in before.items()}) for state, before in states]
        pairs += [entry for _, before in states for entry in before.values()]
        values = chain.from_iterable(content.values() for _, content in pairs)
        self._states = [d for d, _ in pairs], [[*content] for _, content in pairs], [*values]

    @property
    def text(self) -> str:
        """The text of what runs."""
        return self.plan.text + (f"\n\n{self.step.text}" if self.step is not None else "")

    def set_memory(self, tensors: dict[Value, Any], written: list[Any]) -> None:
        """Sets the Tensors whose arrays stay, by the values that they give, and those that are changed in place."""
        self._bound = [tensors[v] for v in self.plan.stays]
        self._arrays = [t._array for t in self._bound]
        self._layouts = [(a.shape, a.dtype, a.strides) for a in self._arrays]
        ids = {id(t) for t in written}
        self._often = [i for i, t in enumerate(self._bound) if id(t) in ids]
        self._note()

    def _note(self) -> None:
        written = [self._arrays[i] for i in self._often]
        self._changes = changes_of(written)
        self._written = {memory_of(a) for a in written}

    def set_inputs(self, passing: dict[Value, Callable[[Any], Any]], numbers: list[Number]) -> None:
        """Sets what a run takes: how the arrays of arguments and gradients are found, and numbers."""
        self._find = [passing[v] for v in self.plan.takes]
        self._numbers = [number.find for number in numbers]
        texts = {number.scalar.text: number.find for number in numbers}
        self._settled = [(texts[text], comparison, value) for text, comparison, value in self.world.settled]
        # Those of the arrays that a run changes.
        self._changed = [i for i, v in enumerate(self.plan.takes) if v in self.plan.targets]

    def set_gradients(self, pairs: list[tuple[int, Callable[[Any], Any]]]) -> None:
        """Sets which leaves are the gradients of known Tensors."""
        self._gradients = pairs

    # ------------------------------------------------------------ guards

    def enter(self, args: Any, kwargs: Any, mode: Mode) -> tuple[list[Any], list[Any]] | None:
        """The leaves of a call and what the plan takes, or None where a guard fails."""
        if mode is not self.mode and not self._same_mode(mode):
            return None
        if (RUNNING or self.in_part) and (part() is not None) is not self.in_part:
            return None
        leaves = self.arguments.match(args, kwargs)
        if leaves is None or not self.world.guards.hold() or not self._state_holds():
            return None
        for place, find in self._gradients:
            if leaves[place] is not find(leaves)._grad:
                return None
        for find, comparison, value in self._settled:
            x = find(leaves)
            if not (_equal(x, value) if not comparison else getattr(float, comparison)(x, 0.0) is value):
                return None
        if not all(map(is_, map(_array_of, self._bound), self._arrays)) and not self._moves():
            return None
        arrays = [find(leaves)._array for find in self._find]
        for a in arrays:
            if (id(a) if a.base is None else memory_of(a)) in self._written and self._shares(a):
                return None
        if self._changed and not self._apart(arrays):
            return None
        return leaves, [*arrays, *[find(leaves) for find in self._numbers]]

    def _same_mode(self, mode: Mode) -> bool:
        mine = self.mode
        observed = mode.everything or mode.anomaly is not None or mode.observer is not None
        return mode.grad is mine.grad and mode.inference is mine.inference and not observed

    def _state_holds(self) -> bool:
        dicts, keys, values = self._states
        if not values:
            return not any(dicts)
        # Keys are parameters, whose comparison would compute.
        if [*map(len, dicts)] != [*map(len, keys)]:
            return False
        return all(map(is_, chain.from_iterable(dicts), chain.from_iterable(keys))) and all(
            map(is_, chain.from_iterable(map(dict.values, dicts)), values)
        )

    def _moves(self) -> bool:
        """Whether the recording also serves the arrays that have replaced those of before; then it stands on them."""
        arrays = [t._array for t in self._bound]
        if [(a.shape, a.dtype, a.strides) for a in arrays] != self._layouts:
            return False
        for i in self._often:
            if any(np.may_share_memory(arrays[i], a) for k, a in enumerate(arrays) if k != i):
                return False
        self.idle = []  # they stand on the arrays of before
        self._arrays = arrays
        self._note()
        return True

    def _shares(self, array: Any) -> bool:
        return any(np.may_share_memory(array, self._arrays[i]) for i in self._often)

    def _apart(self, arrays: list[Any]) -> bool:
        """Whether the arrays that a run takes and changes share memory with no other."""
        others = [*arrays, *self._arrays]
        return not any(
            np.may_share_memory(arrays[i], a) for i in self._changed for k, a in enumerate(others) if k != i
        )

    def broken(self, args: Any, kwargs: Any, mode: Mode) -> str:
        """What the first guard that fails is about."""
        if mode is not self.mode and not self._same_mode(mode):
            return "the grad mode"
        about = self.arguments.broken(args, kwargs) or self.world.guards.broken()
        return about or (
            "the memory layout of an array" if self._state_holds() else "the state of an optimizer"
        )

    # ------------------------------------------------------------ a call

    def run(self, leaves: list[Any], inputs: list[Any], args: Any, kwargs: Any) -> Any:
        """One replay; returns what the call returns."""
        self.calls += 1
        effects = self.effects
        positions = [(g.restore, g.get_state()) for g in self.generators]
        over: list[bool] = []
        try:
            arrays = self._arrays
            first, self.first = self.first, []
            try:
                run = self.idle.pop()
            except IndexError:  # all are in use, or there is none yet
                run = self.plan.bind(arrays, returned=first) if first else self.plan.bind(arrays)
            if self.step is None:
                results, writes = QUIET.run(run, *inputs)
                outs: Any = ()
            else:
                call = Call(run, inputs, leaves, args, kwargs)
                targets = [find(leaves) for find in self.step.targets]
                # The function itself may turn gradients on where the call is made without.
                with contextlib.nullcontext() if self.mode.grad else enable_grad():
                    outs = self.step.function.apply(call, *targets)
                outs = outs if isinstance(outs, tuple) else (outs,)
                results, writes = call.results
            tensors = effects.tensors(results[: len(results) - self.kept], outs) if results else []
            structure = effects.structure
            result = (
                tensors[0]
                if structure.__class__ is Returned and not structure.number
                else rebuilt(structure, tensors, leaves)
            )
            if writes or effects.grads or effects.state:
                if RUNNING:
                    will_change(*(self._arrays[i] for i in self._often))
                if self._changes:
                    changed_again(self._changes)
                if self._changed:
                    changed(*(inputs[i] for i in self._changed))
                last = calls([*effects.states(tensors), (over.append, True)])
                at_once(calls(writes), effects.gradients(tensors, leaves), last)
        except BaseException as error:
            if not over:
                for restore, position in positions:
                    restore(position)
            if isinstance(error, Exception):
                raise self._explained(error) from error
            raise
        if arrays is self._arrays and not first:
            self.idle.append(run)
        return result

    # The number of results that backward reads alone.
    kept = 0

    def _explained(self, error: Exception) -> Exception:
        """The error of a line of the plan as eager mode raises it, with the user's line."""
        place, trace = "", error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename.startswith("<compiled"):
                line = self.plan.text.splitlines()[trace.tb_lineno - 1]
                if not place:  # what is deeper is in the text of a kernel
                    place = line.rpartition("  # ")[2] if "  # " in line else line.strip()
            trace = trace.tb_next
        if not place:
            return error
        kind: type[Exception] = IndexError if isinstance(error, IndexError) else RuntimeError
        if isinstance(error, np.linalg.LinAlgError):
            kind = LinAlgError
        message = str(error).replace("out of bounds for axis", "out of bounds for dimension")
        return kind(f"{message} (in a replay of a compiled function; at {place})")


class Call:
    """One call of a plan that is recorded as one operation."""

    def __init__(self, run: Any, inputs: Any, leaves: Any, args: Any, kwargs: Any) -> None:
        self.run, self.inputs, self.leaves, self.args, self.kwargs = run, inputs, leaves, args, kwargs
        self.results: Any = None


class Returned:
    """Stands in a structure for the Tensor of that number among the results."""

    def __init__(self, number: int) -> None:
        self.number = number


class Kept:
    """Stands in a structure for a Tensor or a number that each call finds among its leaves."""

    def __init__(self, find: Callable[[Any], Any]) -> None:
        self.find = find


def rebuilt(structure: Any, tensors: list[Any], leaves: list[Any]) -> Any:
    """A structure with the Tensors and numbers of a call."""
    kind = structure.__class__
    if kind is Returned:
        return tensors[structure.number]
    if kind is Kept:
        return structure.find(leaves)
    if kind in (tuple, list):
        return kind([rebuilt(v, tensors, leaves) for v in structure])
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return kind(*[rebuilt(v, tensors, leaves) for v in structure])
    if kind is dict:
        return {k: rebuilt(v, tensors, leaves) for k, v in structure.items()}
    return structure


def _equal(a: Any, b: Any) -> bool:
    """Whether two numbers are the same, also in sign."""
    return bool(a == b and (a != 0 or repr(a) == repr(b))) or (a != a and b != b)

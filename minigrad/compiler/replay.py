"""A recording as later calls use it: its guards, the plan, and what becomes of the results."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any

import numpy as np

from minigrad.compiler.arguments import Arguments
from minigrad.compiler.kinds import SetIn
from minigrad.compiler.plan import Plan
from minigrad.compiler.recorder import at_once
from minigrad.compiler.world import World
from minigrad.core.changes import RUNNING, changed, changed_again, changes_of, memory_of, part, will_change
from minigrad.core.mode import MODE, Mode
from minigrad.core.quiet import QUIET


def observed(mode: Mode) -> bool:
    """Whether operations are observed, or what they give is kept, so that each has to run."""
    return mode.everything or any(v is not None for v in (mode.anomaly, mode.observer, mode.parametrized))


def _situation(mode: Mode) -> tuple[Any, ...]:
    """What a recording depends on beside arguments and what the code reaches; first, whether a part of a batch runs."""
    return part() is not None, mode.grad, mode.inference, mode.asked, observed(mode), mode.autocast


class Replay:
    """One recording: its guards, and what a call runs where they hold.

    ``bound`` are the Tensors whose arrays stay.  Of the printed functions, ``inputs`` finds what the plan takes, and
    ``finish`` returns the result and the calls that set gradients and states.  ``leaves`` are the leaves of a call's
    arguments there, ``made`` the Tensors of its results.
    """

    inputs: Callable[[list[Any]], list[Any] | None]
    finish: Callable[[Any, Any, list[Any]], tuple[Any, tuple[tuple[Any, ...], ...]]]
    # The random generators that a run draws from; the bytes that eager mode keeps for backward.
    generators: list[Any]
    kept_bytes: int
    # What kernels of the user returned while the call was recorded.
    first: list[tuple[str, Any]]
    # What the function is known to set in tables; see `World`.
    set_in: SetIn
    # What makes results that carry gradients, and the text of their backward plan; see `minigrad.compiler.gradients`.
    step: Any = None
    backward_text = ""

    def __init__(self, plan: Plan, arguments: Arguments, world: World, bound: list[Any]) -> None:
        self.plan, self.arguments, self.world = plan, arguments, world
        self.mode: Mode = MODE.get()
        self._situation = _situation(self.mode)
        self.calls = 0
        self._bound = bound
        # The places of the arrays that a run changes, first of those that stay, then of those that it takes.
        self._often = [i for i, v in enumerate(plan.stays) if v in plan.targets]
        self._changed = [len(bound) + i for i, v in enumerate(plan.takes) if v in plan.targets]
        # Arrays of NumPy that the code reaches: their elements are constants of the recording.
        self._known = world.guards.arrays() if self._often or self._changed else []
        self._stand_on([t._array for t in bound])

    def _stand_on(self, arrays: list[Any]) -> None:
        # The arrays, and the functions that run the plan on them, each with memory of its own, that no call is running:
        # one object, since another thread may come in between.
        self._standing: tuple[list[Any], list[Any]] = arrays, []
        written = [arrays[i] for i in self._often]
        self._changes = changes_of(written)
        self._written = {id(memory_of(a)) for a in written}

    @property
    def text(self) -> str:
        """The text of what runs."""
        return f"{self.plan.text}\n\n{self.backward_text}" if self.backward_text else self.plan.text

    # ------------------------------------------------------------ guards

    def enter(self, args: Any, kwargs: Any, mode: Mode) -> tuple[list[Any], list[Any]] | None:
        """The leaves of a call and what the plan takes, or None where a guard fails."""
        if (mode is not self.mode or RUNNING or self._situation[0]) and _situation(mode) != self._situation:
            return None
        leaves = self.arguments.match(args, kwargs)
        if leaves.__class__ is str or not self.world.guards.hold():
            return None
        if self.world.guards.moved and not self._moves():
            return None
        try:
            inputs = self.inputs(leaves)
        except (LookupError, ArithmeticError, ValueError):  # a number is gone, or too large for a float
            return None
        if inputs is None:
            return None
        taken = inputs[: len(self.plan.takes)]
        memory = [id(a) if a.base is None else id(memory_of(a)) for a in taken]
        often = () if self._written.isdisjoint(memory) else self._often
        if self._changed and not all(taken[i - len(self._bound)].flags.writeable for i in self._changed):
            return None
        if (often or self._changed) and _alias(
            [*self._standing[0], *taken, *self._known], [*often, *self._changed]
        ):
            return None
        return leaves, inputs

    def _moves(self) -> bool:
        """Whether the recording also serves the arrays that have replaced those of before; then it stands on them."""
        arrays = [t._array for t in self._bound]
        if not all(map(is_, arrays, self._standing[0])):
            if _alias(arrays, self._often):
                return False
            self._stand_on(arrays)
        self.world.guards.moved = False
        return True

    def broken(self, args: Any, kwargs: Any, mode: Mode) -> str:
        """What the first guard that fails is about."""
        if _situation(mode) != self._situation:
            return "the grad mode"
        about = self.arguments.match(args, kwargs)
        about = about if about.__class__ is str else self.world.guards.broken()
        return about or "a number that is compared or read, or the memory layout of an array"

    # ------------------------------------------------------------ a call

    def run(self, leaves: list[Any], inputs: list[Any]) -> Any:
        """One replay; returns what the call returns."""
        self.calls += 1
        positions = self.generators and [(g.set_state, g.get_state()) for g in self.generators]
        over: list[bool] = []
        try:
            arrays, idle = self._standing
            first, self.first = self.first, []
            try:
                run = idle.pop()
            except IndexError:  # all are in use, or there is none yet
                run = self.plan.bind(arrays, returned=first)
            results, writes = QUIET.run(run, *inputs)
            outs = () if self.step is None else self.step(results, leaves)
            result, effects = self.finish(results, outs, leaves)
            if writes or effects:
                if RUNNING:
                    will_change(*(arrays[i] for i in self._often))
                if self._changes:
                    changed_again(self._changes)
                if self._changed:
                    changed(*(inputs[i - len(arrays)] for i in self._changed))
                at_once(writes, effects, [(over.append, True)])
        except BaseException:
            if not over:
                for restore, position in positions:
                    restore(position)
            raise
        if not first:
            idle.append(run)
        return result


def _alias(arrays: list[Any], written: list[int]) -> bool:
    """Whether one of the arrays, whose places are ``written``, shares memory with another."""
    return any(np.may_share_memory(arrays[i], a) for i in written for k, a in enumerate(arrays) if k != i)

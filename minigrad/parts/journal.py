"""Runs that may be taken back: what a run does to gradients is held back, what it does to memory can be undone."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from threading import get_ident
from typing import Any

import numpy as np

from minigrad.buffers import is_view
from minigrad.core.changes import RUNNING, changed
from minigrad.core.op import Array
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error

Grads = dict[int, tuple[Tensor, Any]]  # Tensors and their gradients, by identity


class Journal:
    """What several runs have changed, as it was before them.

    ``alone`` is False if they run at the same time.  Then what one changes no other may change, and none draws random
    numbers: the outcome would depend on which comes first.
    """

    def __init__(self, user: str, alone: bool) -> None:
        self.user, self.alone, self.applied = user, alone, False
        self._lock = threading.RLock()
        # the memory, weakly, with its values, and the run that changed it first
        self._memory: dict[int, tuple[weakref.ref[Array], Array, object]] = {}
        self._nodes: list[tuple[Tensor, Any]] = []
        self._grads: list[tuple[Tensor, Any]] = []
        self._generators: dict[int, tuple[Any, Any]] = {}
        if vars(Tensor)["_grad"] is not _GRADIENT:
            Tensor._grad = _GRADIENT  # type: ignore[assignment]

    def run(self, function: Callable[[], Any]) -> tuple[Any, Grads]:
        """What a function returns, and the gradients that it leaves, which are not put into ``.grad``."""
        run = Run(self)
        try:
            RUNNING[get_ident()] = run
            return function(), run.grads
        finally:
            RUNNING.pop(get_ident(), None)

    def keep(self, memory: Array, run: object = None) -> None:
        """Keeps the values of memory that is about to be changed."""
        with self._lock:
            key, kept = id(memory), self._memory
            if key not in kept:
                kept[key] = weakref.ref(memory, lambda _: kept.pop(key, None)), memory.copy(), run
            elif kept[key][2] is not run and not self.alone:
                raise runtime_error(
                    f"{self.user}: two parts that run at once change the same Tensor; use one thread"
                )

    def deposit(self, grads: Grads) -> None:
        """Adds gradients to ``.grad`` as a backward pass does, without hooks; the runs are over."""
        self.alone = True
        for t, g in grads.values():
            before = t._grad
            self._grads.append((t, before))
            if before is None:
                t._grad = g
            elif g.requires_grad or before.requires_grad:
                t._grad = before.detach() + g
            else:
                self.keep(before._array)
                changed(before._array)
                before._array += g._array
        self.applied = True

    def end(self) -> None:
        """No run goes on, and unless gradients were deposited, all is as it was before; may be called again."""
        RUNNING.pop(get_ident(), None)
        if self.applied:
            return
        for ref, values, _ in list(self._memory.values()):
            memory = ref()
            if memory is not None:
                memory[...] = values
        for t, node in reversed(self._nodes):
            t._node = node
        for t, g in self._grads:
            t._grad = g
        for bits, state in self._generators.values():
            with bits.lock:
                bits.load(state)


class Run:
    """A run in the thread that it runs in: its gradients, and what is to be kept before it changes."""

    def __init__(self, journal: Journal) -> None:
        self.journal, self.grads = journal, Grads()

    def changes(self, arrays: Sequence[Array]) -> None:
        """Memory is about to be changed. RuntimeError where a gradient was computed for what is there."""
        for array in arrays:
            memory = _memory(array)
            if any(_memory(t._array) is memory for t, _ in self.grads.values()):
                raise self.refused("change a Tensor after its gradient was computed")
            self.journal.keep(memory, self)

    def replaces(self, t: Tensor) -> None:
        """A Tensor is about to get another record."""
        self.journal._nodes.append((t, t._node))

    def draws(self, bits: Any) -> None:
        """Random numbers are about to be drawn. RuntimeError where other runs run at the same time."""
        kept = self.journal._generators
        if not self.journal.alone:
            user = self.journal.user
            raise runtime_error(
                f"{user}: on threads no random numbers are drawn, whose order would be by chance; draw "
                "them before the call and pass them with the batch, or use one thread"
            )
        if id(bits) not in kept:
            kept[id(bits)] = bits, None  # reading the state may seed it, which comes here again
            kept[id(bits)] = bits, bits.dump()

    def asks(self, t: Tensor) -> None:
        """The user reads a gradient. RuntimeError for one from before the run."""
        if self.hides(t):
            raise self.refused("read a gradient of before the call")

    def hides(self, t: Tensor) -> bool:
        """Whether a Tensor has a gradient from before the run, and none of the run."""
        return id(t) not in self.grads and t.__dict__.get("_grad") is not None

    def refused(self, what: str) -> RuntimeError:
        """The error for what must stand before or after the runs."""
        return runtime_error(
            f"{self.journal.user}: one part of a batch must not {what}; do that before or after the call"
        )


class _Gradient:
    """Stands in for ``Tensor._grad`` from the first `Journal` on: a run sees its own gradients, and no others.

    It stays: to take it off after each run would, with CPython's bound of changes of a class, end the caching of all
    attributes of Tensors.
    """

    def __get__(self, t: Any, owner: Any = None) -> Any:
        if RUNNING and t is not None and (run := RUNNING.get(get_ident())) is not None:
            return run.grads.get(id(t), (t, None))[1]
        return None if t is None else t.__dict__.get("_grad")

    def __set__(self, t: Any, grad: Any) -> None:
        if not RUNNING or (run := RUNNING.get(get_ident())) is None:
            t.__dict__["_grad"] = grad
        elif grad is not None:
            run.grads[id(t)] = t, grad
        elif run.grads.pop(id(t), None) is None and run.hides(t):
            raise run.refused("clear a gradient")


_GRADIENT = _Gradient()


def _forked() -> None:
    """A forked child has one thread; others to come may get the numbers of those that have not come along."""
    for thread in RUNNING.keys() - {get_ident()}:
        del RUNNING[thread]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _memory(array: Any) -> Any:
    """The array that lives as long as the memory is the Tensor's own: pooled memory is used again."""
    while isinstance(array.base, np.ndarray) and is_view(array):
        array = array.base
    return array

"""What is recorded: a value in a context variable, and the one way to set it for a while."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from typing import Any

from minigrad.core.node import Node
from minigrad.core.recorder import Recorder


class Samples:
    """The place of a `vmap`: ``i``, and of its arguments their memory, the first address and the step, in bytes."""

    def __init__(self, rows: list[tuple[Any, int, int]]) -> None:
        self.i, self.rows = 0, rows


class Mode:
    """What is recorded: ``grad``, results that carry gradients; ``everything``, all others too. Immutable.

    ``anomaly`` lists the records whose values are not finite, while these are looked for; an empty tuple is for none.
    ``observer`` is called with each new record and the arrays of its inputs and its output.
    ``transform`` is the kind of transform of `minigrad.func` that runs the code, "reverse" or "forward".
    ``autocast`` is the NumPy dtype in which products are computed, while that is on; see `minigrad.gate.precision`.
    ``asked``: in inference mode, where ``grad`` stays off, whether `enable_grad` holds.
    ``backward``: a pass over Tensors is going on, whose gradients lie as those of one over arrays do.
    ``hooks``: whether hooks of modules are called in backward; a reader runs rules to look at them.
    ``parametrized``: what parametrizations have computed, by module and name, while it is kept.
    ``samples``: by each `vmap` that runs, outermost first, which element it is at and where those of its arguments lie.
    ``recorder`` is told what a recording of a function must know beside the records; see `minigrad.core.recorder`.
    """

    __slots__ = (
        "_other", "anomaly", "asked", "autocast", "backward", "everything", "grad", "hooks", "inference", "observer",
        "parametrized", "recorder", "samples", "transform",
    )  # fmt: skip

    def __init__(
        self,
        grad: bool = True,
        inference: bool = False,
        everything: bool = False,
        anomaly: list[Node] | tuple[()] | None = None,
        observer: Callable[[Node, list[Any]], None] | None = None,
        recorder: Recorder | None = None,
        transform: str = "",
        autocast: Any = None,
        backward: bool = False,
        asked: bool = False,
        hooks: bool = True,
        parametrized: dict[Any, Any] | None = None,
        samples: tuple[Samples, ...] = (),
    ) -> None:
        self.grad, self.inference, self.everything = grad, inference, everything
        self.anomaly, self.observer, self.recorder = anomaly, observer, recorder
        self.transform, self.autocast, self.backward = transform, autocast, backward
        self.asked, self.hooks, self.parametrized, self.samples = asked, hooks, parametrized, samples
        self._other: Mode | None = None  # the same with grad the other way round, once asked for

    def replace(self, **fields: Any) -> Mode:
        """This mode with some fields changed."""
        now = {name: getattr(self, name) for name in self.__slots__ if name != "_other"}
        return Mode(**{**now, **fields})

    def recording(self, grad: bool) -> Mode:
        """This mode with ``grad`` on or off; made once, as every backward and every optimizer step asks for it.

        In inference mode it stays off.
        """
        if self.inference:
            return self if grad == self.asked else self.replace(asked=grad)
        if grad == self.grad:
            return self
        if self._other is None:
            self._other = self.replace(grad=grad)
        return self._other

    def flowing(self) -> Mode:
        """This mode with gradients on, in inference mode too: a view carries them on, wherever it is asked for."""
        return self.replace(grad=True, inference=False) if self.inference else self.recording(True)


MODE: contextvars.ContextVar[Mode] = contextvars.ContextVar("minigrad_mode", default=Mode())  # noqa: B039 (immutable)
_mode = MODE.get
# The recordings of functions that are going on; where there are none, MODE need not be asked.
RECORDERS: list[Any] = []


class _Way(functools.partial[None]):
    """The way out of a mode: what a ``with`` statement holds until it is left.

    An interrupt may come between any two instructions, so also on the way into ``__exit__``, which then never runs.
    But the statement lets go of this object in any case, and its end restores the mode.  It is no plain method, for
    the traceback of an interrupted one would keep it alive.
    """

    def __del__(self) -> None:
        manager, depth = self.args
        before = manager._before
        if len(before) > depth:
            MODE.set(before[depth])
            del before[depth:]


def _leave(manager: ModeManager, depth: int, *exc: object) -> None:
    MODE.set(manager._before[-1])
    manager._before.pop()


class _Exit:
    """``__exit__`` of a mode: looked up before the mode is entered, when nothing has to be restored yet."""

    def __get__(self, manager: ModeManager | None, cls: type[ModeManager]) -> Callable[..., None]:
        if manager is None:
            return _leave_by_hand
        return _Way(_leave, manager, len(manager._before))


def _leave_by_hand(manager: ModeManager, *exc: object) -> None:
    _leave(manager, 0)


class ModeManager:
    """A mode between enter and exit; may be nested. An interrupt at any instruction leaves no mode on."""

    __slots__ = ("__dict__", "_before", "_mode")
    __exit__ = _Exit()

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._before: list[Mode] = []

    def __enter__(self) -> Any:
        self._before.append(_mode())
        MODE.set(self._mode)

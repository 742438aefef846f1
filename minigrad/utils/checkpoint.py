"""Checkpoints: intermediate values are not kept, but computed again when a backward pass needs them."""

from __future__ import annotations

import contextlib
import contextvars
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from minigrad.autograd.grad_mode import no_grad
from minigrad.autograd.graph import Packing
from minigrad.core.changes import changed_since, check_unchanged
from minigrad.core.mode import MODE, Mode, ModeManager
from minigrad.core.node import Node, Packed, next_seq
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.errors import here, place, runtime_error, value_error, warn
from minigrad.hints import module_getattr
from minigrad.random import fork_rng, get_rng_state, set_rng_state

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = [
    "CheckpointError", "check_backward_validity", "checkpoint", "checkpoint_sequential", "detach_variable",
    "get_device_states", "noop_context_fn", "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
    "set_device_states",
]  # fmt: skip


class CheckpointError(RuntimeError):
    """A checkpointed function that does something else when it runs again."""


def noop_context_fn() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Two contexts, for the first run and for the second, that do nothing."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Calls ``function(*args, **kwargs)`` and keeps nothing for backward: a backward pass runs it again.

    Gradients flow to the arguments, and to what else the function uses, such as parameters. With
    ``preserve_rng_state`` the second run draws the numbers of the first. ``context_fn`` returns a context for each of
    the two runs. ``determinism_check="none"`` allows other shapes in the second run. With ``use_reentrant`` nothing is
    recorded where no argument requires grad, as in PyTorch; ``debug`` and ``early_stop`` change nothing. Where nothing
    is recorded, and where a whole tape is read or compiled, it is a plain call.

    ValueError, with ``use_reentrant`` True or not given, for keywords of the function, ``context_fn`` and ``debug``.

    Backward raises `CheckpointError`, a RuntimeError, if the second run records other operations, and RuntimeError if
    an argument or a leaf that the function has read was changed in place since the first run.
    """
    if determinism_check not in ("default", "none"):
        raise value_error(
            f"determinism_check should be one of ('default', 'none') but got {determinism_check}"
        )
    if use_reentrant is None:
        warn(
            "utils.checkpoint: the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
            "recommended"
        )
        use_reentrant = True
    if use_reentrant and kwargs:
        raise value_error(
            f"Unexpected keyword arguments: {', '.join(kwargs)}; checkpoint(..., use_reentrant=False) passes them on"
        )
    if use_reentrant and (context_fn is not noop_context_fn or debug):
        raise value_error("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
    mode = MODE.get()
    if use_reentrant and not any(isinstance(x, Tensor) and x.requires_grad for x in args):
        warn("None of the inputs have requires_grad=True. Gradients will be None")
        with no_grad():
            return function(*args)
    if not mode.grad or mode.everything or mode.recorder is not None or mode.transform:
        return function(*args, **kwargs)
    first, second = context_fn()
    region = _Region(function, args, kwargs, preserve_rng_state, second, determinism_check == "default")
    with ModeManager(mode.replace(observer=Packing(region.keep, mode.observer))), first:
        result = function(*args, **kwargs)
    region.whole = True
    return result


class _Enough(BaseException):
    """Ends a second run that is wanted for the records of a part of the first one."""


class _Region:
    """One call of a checkpointed function: how to run it again, and what that gives."""

    def __init__(
        self, function: Any, args: Any, kwargs: Any, preserve: bool, context: Any, check: bool
    ) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.state = get_rng_state() if preserve else None
        self.context, self.check, self.autocast = context, check, MODE.get().autocast
        self.since = next_seq()
        self.place = here()
        # What the second run must record again: the names of the operations, and the shapes of their results.
        self.records: list[tuple[str, Any]] = []
        # The leaves that were read, which must not have changed.
        self.leaves: dict[Node, None] = {}
        self.values: dict[int, tuple[Any, ...]] = {}
        # False while the first run goes on, in which the function may differentiate what it has computed so far.
        self.whole = False

    def keep(self, node: Node) -> Packed:
        """Stands for what a record has saved."""
        self.records.append((node.name(), node.shape))
        for n in node.inputs:
            if n.op is None and isinstance(n, Node):
                self.leaves[n] = None
        return _Forgotten(self, len(self.records) - 1)

    def run(self) -> dict[int, tuple[Any, ...]]:
        """The function once more, whose records give what they have saved."""
        self.unchanged()
        twins: list[Node] = []
        saved: list[Any] = []
        records: list[tuple[str, Any]] = []  # as `keep` has named them: a function may name its last one anew

        def collect(node: Node) -> Any:
            twins.append(node)
            saved.append(node.saved)
            records.append((node.name(), node.shape))
            if not self.whole and len(twins) == len(self.records):
                raise _Enough
            return node.saved

        args = _detached(self.args)
        kwargs = dict(zip(self.kwargs, _detached(tuple(self.kwargs.values())), strict=True))
        # As for the first run, what a checkpoint inside packs is not seen.
        with (
            ModeManager(Mode(observer=Packing(collect, None), autocast=self.autocast)),
            fork_rng(enabled=self.state is not None),
            self.context,
            contextlib.suppress(_Enough),
        ):
            if self.state is not None:
                set_rng_state(self.state)
            self.function(*args, **kwargs)
        self.compare(records)
        for twin in twins:
            check_unchanged(twin)
        # A change in place has left a twin the old values; what holds its numbers has dropped what it saved.
        return {i: twin.saved or saved[i] for i, twin in enumerate(twins)}

    def unchanged(self) -> None:
        """RuntimeError if a second run would read other values than the first."""
        tensors = [t for t in (*self.args, *self.kwargs.values()) if isinstance(t, Tensor)]
        tensors += [t for n in self.leaves if n.tensor is not None and (t := n.tensor()) is not None]
        for t in tensors:
            if changed_since(t._array, self.since):
                raise runtime_error(
                    f"checkpoint() at {place(*self.place)}: a Tensor of shape {list(t._array.shape)} that the function "
                    "has read was changed in place since, so running it again would give other values"
                )

    def compare(self, records: list[tuple[str, Any]]) -> None:
        """`CheckpointError` if the second run has recorded something else."""
        if len(records) != len(self.records):
            raise CheckpointError(
                "checkpoint: A different number of tensors was saved during the original forward and recomputation: "
                f"{len(self.records)} operations first, {len(records)} then (checkpoint() at {place(*self.place)})"
            )
        for k, (before, after) in enumerate(zip(self.records, records, strict=True)):
            if before[0] != after[0] or (self.check and before[1] != after[1]):
                raise CheckpointError(
                    "checkpoint: Recomputed values for the following tensors have different metadata than during the "
                    f"forward pass: operation {k}, first {before[0]} of shape {list(before[1])}, then {after[0]} of "
                    f"shape {list(after[1])} (checkpoint() at {place(*self.place)})"
                )


class _Forgotten(Packed):
    """What a record of a region has saved."""

    __slots__ = ("number", "region")

    def __init__(self, region: _Region, number: int) -> None:
        self.region, self.number = region, number

    def arrays(self, node: Node) -> tuple[Any, ...]:
        # Each is asked for once in a pass, and goes then. Passes in several threads may run the region at one time.
        region = self.region
        saved = region.values.pop(self.number, None)
        if saved is None:
            values = contextvars.copy_context().run(region.run)
            saved = values.pop(self.number)
            region.values = values
        return saved


def _detached(values: tuple[Any, ...]) -> list[Any]:
    """Leaves of their own for a second run, over the same memory."""
    results: list[Any] = []
    for x in values:
        if isinstance(x, Tensor):
            twin = wrap(x._array)
            if x.requires_grad:
                leaf(twin, True)
            x = twin
        results.append(x)
    return results


def checkpoint_sequential(
    functions: Iterable[Callable[[Any], Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
) -> Any:
    """Calls a list of functions, such as a `Sequential`, one after the other on ``input``.

    The list is cut into ``segments`` equal parts; all but the last run as one `checkpoint` each.
    """
    steps = list(functions)
    size = len(steps) // segments
    start = 0
    for _ in range(segments - 1):
        input = checkpoint(
            _chain(steps[start : start + size]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve_rng_state,
        )
        start += size
    return _chain(steps[start:])(input)


def _chain(steps: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for step in steps:
            x = step(x)
        return x

    return run


# What reversible networks and checkpoints written by hand take from PyTorch's module of this name.


def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """The numbers and the generators' states of the cards that hold the arguments: two empty lists."""
    return [], []


def set_device_states(
    devices: Iterable[Any], states: Iterable[Any], *, device_type: str | None = None
) -> None:
    """Does nothing for empty lists. RuntimeError for the state of a card."""
    for _ in zip(devices, states, strict=False):
        raise runtime_error("set_device_states: minigrad runs on the CPU only, so no card has a state to set")


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Each Tensor of a tuple as a leaf of its own over the same memory, which requires grad if it did."""
    if not isinstance(inputs, tuple):
        raise runtime_error(
            f"Only tuple of tensors is supported. Got Unsupported input type: {type(inputs).__name__}"
        )
    return tuple(_detached(inputs))


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warns if no Tensor among the inputs asks for a gradient, so that a checkpoint by hand gives none."""
    if not any(x.requires_grad for x in inputs if isinstance(x, Tensor)):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", UserWarning, stacklevel=2
        )


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Does nothing: a second run always ends where nothing more of it is wanted."""
    yield


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Does nothing: an error already names the first operation that differs."""
    yield


module_getattr(globals())

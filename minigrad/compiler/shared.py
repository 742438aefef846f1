"""Results that show the memory of others: a call makes these views anew, so that a change in place is seen by all."""

from __future__ import annotations

from collections.abc import Callable, Container
from contextlib import nullcontext
from typing import Any, NamedTuple

from minigrad.core.changes import overlaps
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.tensor import View, wrap
from minigrad.core.views import DETACHED

# Where a view may have been made, as `View.outside` tells.
_OUTSIDE = ("", "no_grad()", "inference_mode()")


class Shown(NamedTuple):
    """A result that is a view: of which Tensor, by which operations, whether gradients flow, and `View.outside`."""

    base: Any
    path: Any
    flows: bool
    outside: str

    def of(self, base: Any) -> Any:
        """The view of the base in a call."""
        mode, t = MODE.get(), base
        with nullcontext() if mode.grad == self.flows else ModeManager(mode.recording(self.flows)):
            for op, params in self.path:
                t = op(t, **params)
        if t._view is not None:
            of_base = "" if base._view is None else base._view.outside
            t._view = t._view._replace(outside=of_base or self.outside)
        return t


def shown_in(
    results: list[Any], known: dict[int, Any], add: Callable[[Any], object], gradients: Container[int]
) -> tuple[dict[int, Shown], list[tuple[list[Any], str, bool]]]:
    """The results that are views, by id, and arguments of `tie` for those whose base no call can give.

    The base of a view is ``known`` before the call, or a result; ``add`` makes it one.  In eager mode ``gradients``, by
    id, are no views.
    """
    views = [t for t in results if id(t) not in known and _is_view(t)]
    bases = {id(t) for t in results} | known.keys()
    tied: list[tuple[list[Any], str, bool]] = []
    for base in {id(t._view.base): t._view.base for t in views if id(t._view.base) not in bases}.values():
        some = [t for t in views if t._view.base is base]
        repeats = any(not t._array.flags.forc and overlaps(t._array) for t in some)
        plain = base._node is not None and not any(t.requires_grad for t in (base, *some))
        if plain and (len(some) > 1 or repeats):
            add(base)
            bases.add(id(base))
        elif len(some) > 1:  # a call is one record, which ends at what the function returns
            tied.append((some, "a Function", False))
    shown: dict[int, Shown] = {}
    for t in views:
        base, path, _, outside, _ = t._view
        if id(base) in bases:
            # The base may require grad only since the view was made.
            flows = t.requires_grad or not (outside or base.requires_grad)
            shown[id(t)] = Shown(base, path, flows, outside)
    several = {id(t) for some, *_ in tied for t in some} | shown.keys() | known.keys()
    for t in (t for t in results if t._view is not None and id(t) not in several):
        base, path, _, outside, _ = t._view
        if outside in DETACHED:
            outside = None if path[-1][0].elementwise else ""  # itself, or a view of it
        own = id(t) in gradients and (outside or not t.requires_grad)
        if outside is not None and not own:
            tied.append(([t], outside, bool(outside) and base.requires_grad))
    return shown, tied


def _is_view(t: Any) -> bool:
    """Whether a result is a view that each call can make anew."""
    view = t._view
    if view is None or view.base._view is not None:
        return False
    grown = t.requires_grad and (t._node.op is None or not view.base.requires_grad)
    return not grown and view.outside in _OUTSIDE


def tie(tensors: list[Any], outside: str, carries: bool) -> None:
    """Makes results views of a Tensor that nobody else has; ``carries`` if that one alone requires grad.

    Several of "a Function" refuse a change in place that the others would not know of.
    """
    first = tensors[0]
    base = wrap(first._array, None if outside or first.is_leaf else first._node)
    if carries:
        base.requires_grad_()
    for t in tensors:
        if t._view is None:
            t._view = View(base, (), base._epoch, outside)

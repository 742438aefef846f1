"""Anomaly mode: the first non-finite value, with the line that computed it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd.grad_mode import Switch, _ModeManager
from minigrad.core.mode import MODE
from minigrad.core.node import Node
from minigrad.errors import warn
from minigrad.gate import constructor


def _watching(on: bool, check: bool = True) -> dict[str, Any]:
    """The fields of a mode in which non-finite values are noted, or are not: an empty tuple where none are sought."""
    if on and not check:
        return {"anomaly": (), "observer": None}
    bad: list[Node] = []

    def watch(node: Node, arrays: list[Any]) -> None:
        results = arrays[len(node.inputs) :]
        if not all(np.isfinite(y).all() for y in results if y.dtype.kind in "fcV"):
            bad.append(node)

    return {"anomaly": bad, "observer": watch} if on else {"anomaly": None, "observer": None}


@constructor()
class detect_anomaly(_ModeManager):
    """Backward raises RuntimeError at the first nan, naming the forward line that it belongs to.

    The message and the exception's notes also name the first non-finite value (nan or inf) of the forward
    pass recorded in this mode.  ``check_nan=False`` records without raising.
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__()
        warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging."
        )
        self._check = check_nan

    def __enter__(self) -> None:
        self._fields = _watching(True, self._check)
        super().__enter__()

    def clone(self) -> _ModeManager:
        return detect_anomaly(self._check)


@constructor()
class set_detect_anomaly(Switch):
    """Switches anomaly mode on or off at once; as a context manager, restores it on exit."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(**_watching(mode, check_nan))


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return MODE.get().anomaly is not None


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode looks for nan: unless it was told not to."""
    return MODE.get().anomaly != ()

"""``torch.compile`` for scripts: what cannot be recorded runs as it is, as in PyTorch."""

from __future__ import annotations

import functools
import warnings
from typing import Any

from minigrad.compiler import Compiled
from minigrad.compiler import compile as strictly
from minigrad.nn.module import Module

# A recording takes as long as so many calls, so it is made after as many that none fitted: programs that end soon, and
# texts that grow by a word in each call, would else wait for recordings alone.
CALLS = 50


class Tolerant(Compiled[..., Any]):
    """A compiled function that gives up compiling where a recording is refused. That leaves everything as it was."""

    refused: bool
    missed: int  # how many calls no recording fitted

    def __init__(self, function: Any, check: bool, backend: str) -> None:
        super().__init__(function, check, backend)
        vars(self).update(refused=False, missed=0)

    def __reduce__(self) -> Any:
        return Tolerant, (self.function, self.check, self.backend)

    def _record(self, args: Any, kwargs: Any, mode: Any) -> Any:
        """None, whereupon the call runs the function itself: after a refusal, and while a recording would not pay."""
        vars(self)["missed"] += 1
        if self.refused or self.missed <= (self._recorded + 1) * CALLS:
            return None
        try:
            replay = super()._record(args, kwargs, mode)
            if replay is None or replay.enter(args, kwargs, mode) is not None:
                return replay
            reason = f"recording it changes {replay.broken(args, kwargs, mode)}"
            self.recordings.remove(replay)
        except Exception as error:  # if it is one of the function, the call raises it again
            reason = str(error)
        self.refused = True
        warnings.warn(f"torch.compile: {self.__name__} runs uncompiled. {reason}", stacklevel=3)
        return None


class OptimizedModule(Module):
    """What ``torch.compile`` makes of a Module, which stands in it as ``_orig_mod`` and has its attributes."""

    def __init__(self, mod: Module, compiled: Any) -> None:
        super().__init__()
        self._orig_mod = mod
        self.training = mod.training
        self._compiled = compiled  # from now on attributes are those of the Module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The compiled call."""
        return self._compiled(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        mod = super().__getattr__("_orig_mod")
        return mod if name == "_orig_mod" else getattr(mod, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self) or "_compiled" not in vars(self):
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)


def compile(model: Any = None, *, fullgraph: bool = False, backend: Any = "inductor", **options: Any) -> Any:
    """`minigrad.compile`; without ``fullgraph`` what that refuses runs uncompiled, with a warning.

    A ``backend`` of the script's own is not called.
    """
    if callable(backend):
        backend = "inductor"
    if model is None:
        return functools.partial(compile, fullgraph=fullgraph, backend=backend, **options)
    made = strictly(model, backend=backend, **options)
    if type(made) is not Compiled:  # disabled
        return made
    if not fullgraph:
        made = Tolerant(made.function, made.check, made.backend)
    return OptimizedModule(model, made) if isinstance(model, Module) else made

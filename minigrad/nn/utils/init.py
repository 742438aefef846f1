"""`skip_init`: a module whose parameters are not drawn."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from minigrad.errors import runtime_error
from minigrad.nn.module import Module
from minigrad.random import get_rng_state, set_rng_state

__all__ = ["skip_init"]

M = TypeVar("M", bound=Module)


def skip_init(module_cls: type[M], *args: Any, **kwargs: Any) -> M:
    """``module_cls(*args, **kwargs)`` with no draw from the generator: what it holds is for the caller to set.

    RuntimeError unless ``module_cls`` is a class of modules that takes ``device``, as PyTorch demands.
    """
    kind: Any = module_cls
    if not (isinstance(kind, type) and issubclass(kind, Module)):
        raise runtime_error(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise runtime_error("Module must support a 'device' arg to skip initialization")
    before = get_rng_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        set_rng_state(before)

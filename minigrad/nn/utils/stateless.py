"""`functional_call` in the place where PyTorch had it before 2.0."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.errors import warn

__all__ = ["functional_call"]


def functional_call(
    module: Any,
    parameters_and_buffers: Mapping[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """`minigrad.func.functional_call`, with a FutureWarning that it stands there."""
    warn(
        "`nn.utils.stateless.functional_call` is deprecated, it has moved: use `func.functional_call` instead",
        FutureWarning,
    )
    return import_module("minigrad.func").functional_call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )


def _reparametrize_module(module: Any, parameters_and_buffers: Mapping[str, Tensor], **options: bool) -> Any:
    """In ``with``: the module has other parameters and buffers, by name; packages ask for it."""
    return import_module("minigrad.func.modules")._reparametrize_module(
        module, parameters_and_buffers, **options
    )

"""``functorch``, where `minigrad.func` was before it came into PyTorch: its functions warn that they have moved."""

from __future__ import annotations

import copy
import functools
import warnings
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

from minigrad import func
from minigrad.errors import runtime_error
from minigrad.hints import missing
from minigrad.nn import Module
from minigrad.tensor import Tensor

__all__ = [
    "combine_state_for_ensemble", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "make_functional",
    "make_functional_with_buffers", "vjp", "vmap",
]  # fmt: skip

_State = tuple[Tensor, ...]


def _moved(name: str, function: Callable[..., Any], place: str) -> Callable[..., Any]:
    """The function, which warns of its new place: FutureWarning."""

    @functools.wraps(function)
    def here(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(
            f"We've integrated functorch into PyTorch: functorch.{name} is deprecated, use {place}",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    return here


grad = _moved("grad", func.grad, "torch.func.grad")
grad_and_value = _moved("grad_and_value", func.grad_and_value, "torch.func.grad_and_value")
hessian = _moved("hessian", func.hessian, "torch.func.hessian")
jacfwd = _moved("jacfwd", func.jacfwd, "torch.func.jacfwd")
jacrev = _moved("jacrev", func.jacrev, "torch.func.jacrev")
jvp = _moved("jvp", func.jvp, "torch.func.jvp")
vjp = _moved("vjp", func.vjp, "torch.func.vjp")
vmap = _moved("vmap", func.vmap, "torch.vmap")


class _Functional(Module):
    """A copy of a module that is called with its parameters, and its buffers, which come first."""

    def __init__(self, model: Module, *names: Sequence[str]) -> None:
        super().__init__()
        self.stateless_model, self.names = model, names

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        state: dict[str, Tensor] = {}
        for names, values in zip(self.names, args, strict=False):
            if len(values) != len(names):
                raise runtime_error(f"a functional module of {len(names)} Tensors got {len(values)}: {names}")
            state.update(zip(names, values, strict=True))
        return func.functional_call(self.stateless_model, state, args[len(self.names) :], kwargs)


def _functional(
    model: Module, tracked: bool, *tables: Callable[[Module], Iterable[tuple[str, Tensor]]]
) -> Any:
    model = copy.deepcopy(model)
    parts = [dict(table(model)) for table in tables]
    state = [tuple(t.detach().requires_grad_(tracked and t.requires_grad) for t in d.values()) for d in parts]
    return _Functional(model, *(tuple(d) for d in parts)), *state


def _make_functional(model: Module, disable_autograd_tracking: bool = False) -> tuple[_Functional, _State]:
    """``f(params, *args)``, which runs a copy of the module, and the ``params``. RuntimeError for one with buffers."""
    if next(iter(model.buffers()), None) is not None:
        raise runtime_error(
            "make_functional(model): `model` has buffers; make_functional_with_buffers(model) returns them too"
        )
    return _functional(model, not disable_autograd_tracking, Module.named_parameters)


def _with_buffers(
    model: Module, disable_autograd_tracking: bool = False
) -> tuple[_Functional, _State, _State]:
    """``f(params, buffers, *args)``, the ``params`` and the ``buffers``."""
    return _functional(model, not disable_autograd_tracking, Module.named_parameters, Module.named_buffers)


def _ensemble(models: Sequence[Module]) -> tuple[_Functional, _State, _State]:
    """`make_functional_with_buffers` of the first module, with the states of all, stacked."""
    params, buffers = (tuple(t.detach() for t in state.values()) for state in func.stack_module_state(models))
    return _with_buffers(models[0])[0], params, buffers


make_functional = _moved("make_functional", _make_functional, "torch.func.functional_call")
make_functional_with_buffers = _moved(
    "make_functional_with_buffers", _with_buffers, "torch.func.functional_call"
)
combine_state_for_ensemble = _moved("combine_state_for_ensemble", _ensemble, "torch.func.stack_module_state")


def __getattr__(name: str) -> Any:
    if name == "__version__":  # PyTorch's, which the stand-in writes to the package
        return import_module("minigrad").__version__
    raise missing("minigrad.func", name)

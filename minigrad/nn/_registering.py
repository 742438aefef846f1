"""`Hooked`: how hooks come to a Module, and those that are called for every Module."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from minigrad.core.hooks import RemovableHandle, register
from minigrad.errors import runtime_error
from minigrad.nn._hooks import EVERY, REGISTRATION, ForwardHook, OldHook, StateTable, Table

__all__ = [
    "register_module_backward_hook", "register_module_buffer_registration_hook", "register_module_forward_hook",
    "register_module_forward_pre_hook", "register_module_full_backward_hook", "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook", "register_module_parameter_registration_hook",
]  # fmt: skip

Hook = Callable[..., Any]


class Hooked:
    """What a Module has of hooks: its tables, and the methods that put hooks into them."""

    # Most modules never have hooks; their tables are made when they are first asked for, and set this to True.
    _hooked = False
    _forward_pre_hooks = Table[Hook]()
    _forward_hooks = Table[Hook]()
    _backward_pre_hooks = Table[Hook]()
    _backward_hooks = Table[Hook]()
    _state_dict_pre_hooks = StateTable[Hook]()
    _state_dict_hooks = StateTable[Hook]()
    _load_state_dict_pre_hooks = StateTable[Hook]()
    _load_state_dict_post_hooks = StateTable[Hook]()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args)`` before ``forward``; a result that is not None replaces ``args``.

        With ``with_kwargs`` it is ``hook(module, args, kwargs)``, returning None or both anew. ``prepend``
        puts it before the hooks already there.
        """
        kept = ForwardHook(hook, True) if with_kwargs else hook
        return register(self._forward_pre_hooks, kept, prepend)

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args, output)`` after ``forward``; a result that is not None replaces the output.

        With ``with_kwargs`` it is ``hook(module, args, kwargs, output)``. ``always_call`` calls it also
        when ``forward`` raised (with output None). ``prepend`` puts it before the hooks already there.
        """
        kept = ForwardHook(hook, with_kwargs, always_call) if with_kwargs or always_call else hook
        return register(self._forward_hooks, kept, prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_output)`` when the gradients of the module's results are known.

        ``grad_output`` is a tuple with an entry for each result, None for what got no gradient. A tuple that the
        hook returns (not None) replaces it; RuntimeError for another length or shape. ``prepend`` puts the hook
        before those already there.
        """
        return register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_input, grad_output)`` when gradients have passed the module.

        ``grad_input`` is a tuple with an entry for each positional argument, None for anything but a Tensor; a tuple
        that the hook returns (not None) replaces it. Where no argument requires grad, it holds None only, and the hook
        is called as soon as ``grad_output`` is known. Results must be a Tensor or a tuple, and neither they nor the
        arguments may be changed in place. RuntimeError in backward for a tuple of another length or shape.
        """
        return register(_of_one_kind(self._backward_hooks, hook), hook, prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """Calls ``hook(module, grad_input, grad_output)`` of the record of the module's result, as PyTorch once did.

        ``grad_input`` is that of the last operation, so ``register_full_backward_hook`` is nearly always what is meant.
        RuntimeError where the module has hooks of that kind.
        """
        old = OldHook(hook)
        return register(_of_one_kind(self._backward_hooks, old), old)

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Calls ``hook(module, prefix, keep_vars)`` before ``state_dict`` looks at the module."""
        return register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Calls ``hook(module, state_dict, prefix, local_metadata)`` when the module and all below it are written.

        The hook changes ``state_dict`` in place: RuntimeError if it returns anything.
        """
        return register(self._state_dict_hooks, InPlace(hook))

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Calls ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, errors)``.

        That is before ``load_state_dict`` looks at the module; ``state_dict`` is a copy that the hook may change, and
        the lists take what else is wrong.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Calls ``hook(module, incompatible_keys)`` when ``load_state_dict`` is through with the module and its parts.

        It may change the lists ``missing_keys`` and ``unexpected_keys`` in place, before they become an error.
        RuntimeError if it returns anything.
        """
        return register(self._load_state_dict_post_hooks, hook)

    def _register_state_dict_hook(self, hook: Hook) -> RemovableHandle:
        """As ``register_state_dict_post_hook``; of the outermost module, what the hook returns is the result."""
        return register(self._state_dict_hooks, hook)

    def _register_load_state_dict_pre_hook(self, hook: Hook, with_module: bool = False) -> RemovableHandle:
        """As ``register_load_state_dict_pre_hook``; only ``with_module`` passes the module to the hook."""
        of = weakref.ref(self) if with_module else None
        return register(self._load_state_dict_pre_hooks, LoadHook(hook, of))


class InPlace:
    """A hook of ``state_dict`` that may return nothing."""

    def __init__(self, hook: Hook) -> None:
        self.hook = hook

    def __call__(self, *args: Any) -> None:
        if self.hook(*args) is not None:
            raise runtime_error("state_dict post-hook must return None; change the state_dict in place")


class LoadHook:
    """A hook of ``load_state_dict``, and weakly the module that it is called with."""

    def __init__(self, hook: Hook, module: weakref.ref[Any] | None) -> None:
        self.hook, self.module = hook, module

    def __getstate__(self) -> tuple[Hook, Any]:
        return self.hook, None if self.module is None else self.module()

    def __setstate__(self, state: tuple[Hook, Any]) -> None:
        self.hook = state[0]
        self.module = None if state[1] is None else weakref.ref(state[1])

    def __call__(self, *args: Any) -> None:
        if self.module is None:
            self.hook(*args)
        else:
            self.hook(self.module(), *args)


def _of_one_kind(table: Any, hook: Any) -> Any:
    """The table of backward hooks; RuntimeError where those in it are of the other kind."""
    if any((type(other) is OldHook) != (type(hook) is OldHook) for other in table.values()):
        raise runtime_error(
            "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of "
            "them."
        )
    return table


# ---------------------------------------------------------------- hooks of all modules


class EveryHandle(RemovableHandle):
    """The handle of a hook of all modules; without any, calls look for none."""

    def remove(self) -> None:
        """Takes the hook off; a second call does nothing."""
        super().remove()
        Hooked._hooked = bool(EVERY)


def _every(table: str, hook: Any) -> RemovableHandle:
    handle = EveryHandle(EVERY)
    EVERY[handle.id] = (table, hook)
    Hooked._hooked = True
    return handle


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, args)`` before ``forward`` of every module; a result that is not None replaces ``args``."""
    return _every("_forward_pre_hooks", ForwardHook(hook, False))


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Calls ``hook(module, args, output)`` after ``forward`` of every module, before the hooks of its own."""
    return _every("_forward_hooks", ForwardHook(hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, grad_output)`` for every module: see ``Module.register_full_backward_pre_hook``."""
    return _every("_backward_pre_hooks", hook)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, grad_input, grad_output)`` for every module: see ``Module.register_full_backward_hook``."""
    return _every("_backward_hooks", hook)


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """The same for the record of the result of every module: see ``Module.register_backward_hook``."""
    return _every("_backward_hooks", OldHook(hook))


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, name, param)`` when a parameter is registered; a result that is not None replaces it."""
    return register(REGISTRATION["parameter"], hook)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, name, buffer)`` when a buffer is registered; a result that is not None replaces it."""
    return register(REGISTRATION["buffer"], hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, name, submodule)`` when a module is registered; a result that is not None replaces it."""
    return register(REGISTRATION["module"], hook)

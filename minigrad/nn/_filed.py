"""The attributes of a Module in a file: those that PyTorch's has, with the tables of hooks that it looks for."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

_MEMBERS: dict[str, type] = {"_parameters": Parameter, "_buffers": Tensor, "_modules": Module}
_HOOKS = (
    "_backward_pre_hooks", "_backward_hooks", "_forward_hooks", "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called", "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs", "_state_dict_hooks",
    "_state_dict_pre_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
)  # fmt: skip
# Attributes that only one of the two packages has.
_OTHERS = {"_hooked", "_is_full_backward_hook"}
# The modules with the classes of hooks that a file may have: objects of data alone, which compute a parameter.
_COMPUTING = {"minigrad.nn.utils._weight_norm", "minigrad.nn.utils.prune"}

_DATA = (str, int, float, bool, type(None), Tensor)


def is_hook(cls: type) -> bool:
    """Whether an object of the class may be a hook in a file."""
    return cls.__module__ in _COMPUTING


def written(module: Module, state: dict[str, Any]) -> dict[str, Any]:
    """What a file has for the attributes of a module. ValueError where it has hooks."""
    _check_hooks(type(module), state)
    kept = {name: value for name, value in state.items() if name not in _OTHERS}
    kept |= {table: OrderedDict(state.get(table, ())) for table in _HOOKS} | {"_is_full_backward_hook": None}
    kept.setdefault("_non_persistent_buffers_set", set())
    return kept | {name: getattr(module, name) for name in module._also_saved}


def read(module: Module, state: dict[str, Any]) -> dict[str, Any]:
    """The attributes for a module that was just made, which gets members from a file. ValueError for wrong ones."""
    cls = type(module)
    _check_hooks(cls, state)
    for table, kind in _MEMBERS.items():
        members = state.get(table, {})
        if not isinstance(members, dict) or not all(
            type(name) is str and (member is None or isinstance(member, kind))
            for name, member in members.items()
        ):
            raise ValueError(f"the {table} of a {cls.__qualname__} are not {kind.__name__}s by their names")
        vars(module)[table].update(members)
    unsaved = state.get("_non_persistent_buffers_set", set())
    if not isinstance(unsaved, set) or not isinstance(state.get("training", True), bool):
        raise ValueError(f"a {cls.__qualname__} is damaged")
    if unsaved:
        module._non_persistent_buffers_set.update(unsaved)
    for hook in state.get("_forward_pre_hooks", {}).values():
        module.register_forward_pre_hook(hook)
    known = {*_MEMBERS, *_HOOKS, *_OTHERS, *cls._also_saved, "_non_persistent_buffers_set"}
    return {name: value for name, value in state.items() if name not in known}


def check_hook(cls: type, state: dict[str, Any]) -> None:
    """ValueError where a hook would hold what it could call: anything but numbers, texts, Tensors and other hooks."""
    for value in state.values():
        for item in value if type(value) in (tuple, list) else (value,):
            if type(item) not in _DATA and not is_hook(type(item)):
                raise ValueError(f"a {cls.__qualname__} has an attribute of type {type(item).__name__}")


def _check_hooks(cls: type, state: dict[str, Any]) -> None:
    # Only of dicts: to ask another object for its values could run code of its own.
    tables = [state.get(table, {}) for table in _HOOKS]
    right = all(isinstance(table, dict) for table in tables)
    hooks = [hook for table in tables for hook in table.values()] if right else []
    computing = state.get("_forward_pre_hooks", {})
    if not right or len(hooks) > len(computing) or not all(is_hook(type(hook)) for hook in hooks):
        raise ValueError(f"a {cls.__qualname__} has hooks, which are functions; remove them before save()")

"""The state of a Module: written into a dict and loaded from one, with hooks on the way."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, NamedTuple

from minigrad.autograd import no_grad
from minigrad.core.contents import Contents, walk
from minigrad.errors import runtime_error, type_error, warn
from minigrad.nn.parameter import Parameter, is_lazy
from minigrad.tensor import Tensor

# the name under which a module saves what is not a Tensor
EXTRA_STATE = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` returns: the names on one side only."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Lists(NamedTuple):
    """What is wrong with a state, as it becomes known."""

    missing: list[str]
    unexpected: list[str]
    errors: list[str]


def saved(tables: Contents) -> dict[str, Tensor]:
    """The parameters and persistent buffers of one module."""
    tensors: dict[str, Tensor] = {k: p for k, p in tables.parameters.items() if p is not None}
    for k, b in tables.buffers.items():
        if b is not None and k not in tables.unsaved:
            tensors[k] = b
    return tensors


def state_dict(module: Any, destination: Any, prefix: str, keep_vars: bool) -> dict[str, Any]:
    """Writes a module and all below it into ``destination``, whose ``_metadata`` gets the versions of the classes."""
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    metadata: dict[str, Any] = {"version": module._version}
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = metadata
    for hook in _hooks(module, "_state_dict_pre_hooks"):
        hook(module, prefix, keep_vars)
    module._save_to_state_dict(destination, prefix, keep_vars)
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=prefix + name + ".", keep_vars=keep_vars)
    for hook in _hooks(module, "_state_dict_hooks"):
        returned = hook(module, destination, prefix, metadata)
        destination = destination if returned is None else returned
    return destination


def positional(args: tuple[Any, ...], destination: Any, prefix: str, keep_vars: bool) -> Any:
    """The arguments of ``Module.state_dict`` where some came without a keyword; keywords go before them."""
    warn(
        "Positional args are being deprecated, use kwargs instead: state_dict(destination=..., prefix=..., "
        "keep_vars=...)",
        FutureWarning,
    )
    if len(args) > 3:
        raise type_error(f"state_dict() takes at most 3 arguments besides the module, got {len(args)}")
    names = "destination", "prefix", "keep_vars"
    first = {"destination": None, "prefix": "", "keep_vars": False, **dict(zip(names, args, strict=False))}
    return (
        first["destination"] if destination is None else destination,
        prefix or first["prefix"],
        keep_vars or first["keep_vars"],
    )


def _instead(state: object) -> str:
    return (
        "load() reads the file"
        if isinstance(state, (str, PathLike))
        else "state_dict() makes one of a module"
    )


def load(model: Any, state: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Copies the values of a state into a model.

    With ``assign`` the Tensors themselves are taken over.  All names and shapes are looked at before the first value
    is copied, but for what hooks want to see loaded, and classes that load themselves.
    """
    if not isinstance(state, Mapping):
        raise type_error(f"Expected state_dict to be dict-like, got {type(state)}; {_instead(state)}")
    for _ in walk(model, shared=True):  # ValueError where a module contains itself
        pass
    lists = Lists([], [], [])
    steps: list[Any] = []
    copied: Any = OrderedDict(state)  # hooks may change it
    metadata = copied._metadata = getattr(state, "_metadata", None)

    def visit(module: Any, state: Any, prefix: str) -> None:
        about = {} if metadata is None else metadata.get(prefix[:-1], {})
        about = {**about, "assign_to_params_buffers": True} if assign else about
        if _own_way(type(module)):
            carry_out(steps)
            steps.clear()
            module._load_from_state_dict(state, prefix, about, True, *lists)
        else:
            steps.extend(plan(module, state, prefix, about, True, lists))
        for name, child in module._modules.items():
            if child is not None:
                inner = f"{prefix}{name}."
                visit(child, {k: v for k, v in state.items() if k.startswith(inner)}, inner)
        for hook in _hooks(module, "_load_state_dict_post_hooks"):
            carry_out(steps)
            steps.clear()
            if hook(module, IncompatibleKeys(lists.missing, lists.unexpected)) is not None:
                raise runtime_error(
                    "Hooks registered with register_load_state_dict_post_hook are not expected to return new values; "
                    "change the lists of incompatible_keys in place"
                )

    visit(model, copied, "")
    errors = lists.errors
    if strict:
        errors[:0] = [*_listed("Missing", lists.missing), *_listed("Unexpected", lists.unexpected)]
    if errors:
        raise runtime_error(
            "Error(s) in loading state_dict for {}:\n\t{}".format(type(model).__name__, "\n\t".join(errors))
        )
    carry_out(steps)
    return IncompatibleKeys(lists.missing, lists.unexpected)


def plan(
    module: Any, state: dict[str, Any], prefix: str, metadata: dict[str, Any], strict: bool, lists: Lists
) -> list[Any]:
    """What loads one module, once all is known to fit; what does not goes into the lists."""
    for hook in _hooks(module, "_load_state_dict_pre_hooks"):
        hook(state, prefix, metadata, strict, *lists)
    upgrade = getattr(module, "_upgrade_state", None)
    if upgrade is not None:
        upgrade(state, prefix, metadata.get("version"))
    steps: list[Any] = []
    tables = module.__minigrad_contents__()
    own = saved(tables)
    assign = metadata.get("assign_to_params_buffers", False)
    for name, tensor in own.items():
        key = prefix + name
        if key not in state:
            lists.missing.extend([key] * strict)
            continue
        value = state[key]
        # PyTorch before 0.4 had no Tensors without dimensions.
        if isinstance(value, Tensor) and not is_lazy(tensor) and tensor.shape == () and value.shape == (1,):
            value = value[0]
        if error := _misfit(key, tensor, value):
            lists.errors.append(error)
        else:
            steps.append(Load(tables, name, tensor, value, assign))
    extra = prefix + EXTRA_STATE
    if _has_extra(type(module)):
        if extra in state:
            steps.append(Restore(module, state[extra]))
        else:
            lists.missing.extend([extra] * strict)
    known = {*own, *([EXTRA_STATE] if _has_extra(type(module)) else ())}
    for key in state if strict else ():
        if key.startswith(prefix):
            name, dot, _ = key[len(prefix) :].partition(".")
            if name not in (module._modules if dot else known):
                lists.unexpected.append(key)
    return steps


class Load(NamedTuple):
    """One Tensor of a module and its value in a state."""

    tables: Contents
    name: str
    tensor: Tensor
    value: Any
    assign: bool

    def __call__(self) -> None:
        tables, name, tensor, value, assign = self
        if not assign:
            if is_lazy(value):  # then both are
                return
            if is_lazy(tensor):
                tensor.materialize(value.shape)
            tensor.copy_(value)
        elif isinstance(tensor, Parameter):
            if not isinstance(value, Parameter):
                value = Parameter(value, requires_grad=tensor.requires_grad)
            tables.parameters[name] = value.requires_grad_(tensor.requires_grad)
        elif isinstance(value, Parameter):  # as in PyTorch it becomes one of the module
            del tables.buffers[name]
            tables.parameters[name] = value
        else:
            tables.buffers[name] = value


class Restore(NamedTuple):
    """What is not a Tensor in the state of a module."""

    module: Any
    value: Any

    def __call__(self) -> None:
        self.module.set_extra_state(self.value)


def carry_out(steps: Iterable[Any]) -> None:
    """Loads what is planned: Tensors first, then what a class restores by itself."""
    steps = list(steps)
    with no_grad():
        for step in steps:
            if isinstance(step, Load):
                step()
    for step in steps:
        if not isinstance(step, Load):
            step()


def _hooks(module: Any, table: str) -> list[Any]:
    return list(module.__dict__.get(table, {}).values())


def _own_way(cls: type) -> bool:
    """Whether a class loads itself."""
    return cls._load_from_state_dict is not _base(cls)._load_from_state_dict  # type: ignore[attr-defined]


def _has_extra(cls: type) -> bool:
    return cls.set_extra_state is not _base(cls).set_extra_state  # type: ignore[attr-defined]


def _base(cls: type) -> Any:
    """`Module`: the last class that has a state."""
    return next(c for c in reversed(cls.__mro__) if "set_extra_state" in vars(c))


def _misfit(key: str, own: Tensor, value: Any) -> str:
    """Why a value cannot be copied, "" if it can."""
    if not isinstance(value, Tensor):
        return (
            f'While copying the parameter named "{key}", expected minigrad.Tensor from '
            f"checkpoint but received {type(value)}; wrap arrays in minigrad.from_numpy"
        )
    if not is_lazy(own) and own.shape != value.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
            f"the shape in current model is {own.shape}."
        )
    return ""


def _listed(what: str, keys: Iterable[str]) -> list[str]:
    names = ", ".join(f'"{key}"' for key in keys)
    return [f"{what} key(s) in state_dict: {names}. "] if names else []

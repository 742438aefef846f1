"""All Tensors of a Module at once: converted, saved and loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from minigrad.autograd import no_grad
from minigrad.core.contents import Contents, join, walk
from minigrad.device import device as Device
from minigrad.dtypes import dtype as DType
from minigrad.errors import runtime_error, type_error
from minigrad.nn._text import type_name
from minigrad.nn.parameter import Parameter, is_lazy
from minigrad.tensor import Tensor

# the name under which a module saves what is no Tensor
EXTRA_STATE = "_extra_state"


def dtype_of_to(
    *args: Any,
    device: Any = None,
    dtype: Any = None,
    non_blocking: bool = False,
    copy: bool = False,
    **other: Any,
) -> DType | None:
    """The dtype that the arguments of ``Module.to`` ask for. TypeError or RuntimeError for wrong ones."""
    for x in args:
        if isinstance(x, Tensor):
            dtype = x.dtype
        elif isinstance(x, DType):
            dtype = x
        # a bool is non_blocking, which changes nothing here
        elif not isinstance(x, bool) and x is not None:
            device = x
    other.pop("memory_format", None)
    if other or not (dtype is None or isinstance(dtype, DType)):
        raise type_error(
            f"to() received an invalid combination of arguments: {args}, dtype={dtype!r}, {other}; "
            "expected a dtype such as minigrad.float64, a device ('cpu'), both, or a Tensor"
        )
    if device is not None and not isinstance(device, str) and not hasattr(device, "type"):
        raise type_error(f"to() expects a dtype, a device or a Tensor, got {type_name(device)}")
    if device is not None:
        Device(device)
    return dtype


def convert(tables: Contents, fn: Callable[[Tensor], Tensor]) -> None:
    """Puts ``fn(t)`` for the data of each parameter, gradient and buffer of one module; Parameters stay themselves."""
    with no_grad():
        for p in tables.parameters.values():
            if p is None:
                continue
            # A gradient has its parameter's dtype, so both change together.
            grad, p.grad = p.grad, None
            p.data = fn(p.data)
            p.grad = None if grad is None else fn(grad)
        for name, buffer in tables.buffers.items():
            if is_lazy(buffer):
                buffer.data = fn(buffer.data)
            elif buffer is not None:
                tables.buffers[name] = fn(buffer)


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` returns: the names on one side only."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def saved(tables: Contents) -> dict[str, Tensor]:
    """The parameters and persistent buffers of one module."""
    tensors: dict[str, Tensor] = {k: p for k, p in tables.parameters.items() if p is not None}
    for k, b in tables.buffers.items():
        if b is not None and k not in tables.unsaved:
            tensors[k] = b
    return tensors


def load(model: Any, state: Mapping[str, Any], strict: bool, assign: bool, no_extra: Any) -> IncompatibleKeys:
    """Copies the values of a state into a model.

    With ``assign`` the Tensors themselves are taken over.  ``no_extra`` is the ``set_extra_state`` of classes without.
    All names and shapes are looked at before the first value is copied.
    """
    if not isinstance(state, Mapping):
        raise type_error(f"Expected state_dict to be dict-like, got {type(state)}.")
    missing: list[str] = []
    errors: list[str] = []
    expected: set[str] = set()
    tensors: list[tuple[Contents, str, Tensor, Tensor]] = []
    extras: list[tuple[Any, Any]] = []
    for path, module, tables in walk(model, shared=True):
        own = saved(tables)
        extra = [EXTRA_STATE] * (type(module).set_extra_state is not no_extra)
        keys = {name: join(path, name) for name in [*own, *extra]}
        expected.update(keys.values())
        missing += [key for key in keys.values() if key not in state]
        for name, key in keys.items():
            if key not in state:
                continue
            if name not in own:
                extras.append((module, state[key]))
            elif error := _misfit(key, own[name], state[key]):
                errors.append(error)
            else:
                tensors.append((tables, name, own[name], state[key]))
    unexpected = [key for key in state if key not in expected]
    if strict:
        errors[:0] = [*_listed("Missing", missing), *_listed("Unexpected", unexpected)]
    if errors:
        raise runtime_error(
            "Error(s) in loading state_dict for {}:\n\t{}".format(type(model).__name__, "\n\t".join(errors))
        )
    with no_grad():
        for tables, name, tensor, value in tensors:
            if not assign:
                if is_lazy(value):  # then both are
                    continue
                if is_lazy(tensor):
                    tensor.materialize(value.shape)
                tensor.copy_(value)
            elif isinstance(tensor, Parameter):
                if not isinstance(value, Parameter):
                    value = Parameter(value, requires_grad=tensor.requires_grad)
                tables.parameters[name] = value.requires_grad_(tensor.requires_grad)
            else:
                tables.buffers[name] = value
    for module, value in extras:
        module.set_extra_state(value)
    return IncompatibleKeys(missing, unexpected)


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

"""Parameters computed from others: PyTorch's ``nn.utils.parametrize``.

The Tensor ``module.weight`` becomes a property that computes it anew each time it is asked for, so the module gets a
class of its own: ``ParametrizedLinear``, a subclass of ``Linear``.  The functions are modules in
``module.parametrizations.weight``, where the Tensor that is trained is called ``original``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

from minigrad.autograd import no_grad
from minigrad.core.mode import MODE, ModeManager
from minigrad.nn._text import type_name
from minigrad.nn.container import ModuleDict, ModuleList
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]  # fmt: skip

M = TypeVar("M", bound=Module)


@contextmanager
def cached() -> Iterator[None]:
    """A context in which each parametrized Tensor is computed once, and then cached."""
    mode = MODE.get()
    with nullcontext() if mode.parametrized is not None else ModeManager(mode.replace(parametrized={})):
        yield


class ParametrizationList(ModuleList):
    """The parametrizations of one Tensor in their order, and what the first of them takes: ``original``.

    Where the first has a ``right_inverse`` that returns several Tensors, these are ``original0``, ``original1``, ...
    ValueError for functions that change the shape or the dtype, unless ``unsafe``.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype, before = original.shape, original.dtype, original.data
        with no_grad():
            value: Any = original
            for module in reversed(list(self)):
                value = _inverse(module, value)
        if not isinstance(value, (Tensor, Sequence)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
                f"{type(value).__name__}"
            )
        self.is_tensor = isinstance(value, Tensor)
        self.ntensors = 1 if isinstance(value, Tensor) else len(value)
        if isinstance(value, Tensor):
            if value.dtype != dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                    f"original.dtype: {dtype}\nright_inverse(original).dtype: {value.dtype}"
                )
            # The same object, so that an optimizer that has it need not be told.
            original.data = value.detach()
            _register(self, "original", original)
        else:
            for i, part in enumerate(value):
                if not isinstance(part, Tensor):
                    raise ValueError(
                        "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element "
                        f"{i} of the sequence with type {type(part).__name__}."
                    )
                if isinstance(original, Parameter):
                    part = Parameter(part, original.requires_grad)
                _register(self, f"original{i}", part.requires_grad_(original.requires_grad))
        if not self.unsafe:
            try:
                about = "unparametrized", dtype, shape
                _check("A parametrization", self(), "the tensor", about, "parametrized")
            except BaseException:
                original.data = before
                raise

    def _originals(self) -> list[Tensor]:
        names = ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]
        return [getattr(self, name) for name in names]

    def right_inverse(self, value: Tensor) -> None:
        """Sets ``original`` (or ``original0``, ...) so that the functions return ``value``, if they can.

        RuntimeError for a function without ``right_inverse``, ValueError where it returns Tensors that do not fit.
        """
        with no_grad():
            result: Any = value
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse."
                    )
                result = module.right_inverse(result)
        if self.is_tensor:
            if not isinstance(result, Tensor):
                raise ValueError(f"`right_inverse` should return a tensor. Got {type(result).__name__}")
            result = [result]
        elif not isinstance(result, Sequence):
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors. Got {type(result).__name__}."
            )
        elif len(result) != self.ntensors:
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of "
                f"length {len(result)}."
            )
        originals = self._originals()
        for i, (original, part) in enumerate(zip(originals, result, strict=True)):
            which = "" if self.is_tensor else f" {i}"
            if not isinstance(part, Tensor):
                raise ValueError(
                    f"Tensor{which} returned by `right_inverse` is of type {type(part).__name__}"
                )
            if part.dtype != original.dtype:
                raise ValueError(
                    f"The tensor{which} returned by `right_inverse` has dtype {part.dtype} while `original` has dtype "
                    f"{original.dtype}"
                )
        for original, part in zip(originals, result, strict=True):
            original.data = part.detach()

    def forward(self) -> Tensor:
        """The Tensor."""
        first, *rest = self
        value: Tensor = first(*self._originals())
        for module in rest:
            value = module(value)
        return value


def register_parametrization(
    module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> M:
    """Makes ``module.weight`` (``tensor_name``) the result of ``parametrization(original)``; returns the module.

    ``parametrization`` takes a Tensor and returns one; several are called in the order of registration. Its method
    ``right_inverse``, if it has one, computes ``original`` from a value, so ``module.weight`` may be assigned.
    The ``state_dict`` has ``parametrizations.weight.original``.

    ValueError where shape or dtype change, unless ``unsafe``, or if the module has no such parameter or buffer; then
    nothing has changed. TypeError unless ``parametrization`` is a Module.
    """
    if not isinstance(parametrization, Module):
        raise TypeError(
            f"register_parametrization(): argument 'parametrization' must be a Module, not "
            f"{type_name(parametrization)}; put a function into the forward of one"
        )
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_one(module, tensor_name, parametrization)
        functions = _lists(module)[tensor_name]
        functions.append(parametrization)
        functions.unsafe = functions.unsafe or unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        functions = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            module.parametrizations = ModuleDict()
        _lists(module)[tensor_name] = functions
        _set_class(module, type(module) if len(_lists(module)) == 1 else type(module).__bases__[0])
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a Tensor of the module, or the one of this name, is parametrized."""
    lists = getattr(module, "parametrizations", None)
    if not isinstance(lists, ModuleDict):
        return False
    return len(lists) > 0 if tensor_name is None else tensor_name in lists


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Makes ``module.weight`` (``tensor_name``) an ordinary parameter or buffer again; returns the module.

    It keeps the computed value, or with ``leave_parametrized=False`` that of ``original``. ValueError if it is not
    parametrized, or if several originals should be left.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    functions = _lists(module)[tensor_name]
    if functions.is_tensor:
        tensor: Tensor = functions.original
        if leave_parametrized:
            with no_grad():
                tensor.data = getattr(module, tensor_name).detach()
    elif leave_parametrized:
        value: Tensor = getattr(module, tensor_name)
        tensor = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    base = type(module).__bases__[0]
    del _lists(module)[tensor_name]
    _set_class(module, base)
    if not is_parametrized(module):
        del module.parametrizations
    _register(module, tensor_name, tensor)
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that the module had before it was parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: M, tensor_name: str | None = None
) -> M:
    """Registers the parametrizations of one module, or those of one Tensor, with another; returns the other.

    They share functions and originals; a missing Tensor is added.
    """
    if not is_parametrized(from_module):
        return to_module
    for name in [*_lists(from_module)] if tensor_name is None else [tensor_name]:
        functions = _lists(from_module)[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        for function in functions:
            register_parametrization(to_module, name, function)
        copied = _lists(to_module)[name]
        for original in (*functions._parameters, *functions._buffers):
            setattr(copied, original, getattr(functions, original))
    return to_module


# ---------------------------------------------------------------- the class of a parametrized module


def _set_class(module: Module, base: type) -> None:
    """Gives the module a new subclass of ``base`` with a property for each parametrized Tensor, or ``base`` itself.

    Classes are never changed, since copies of the module have the same.
    """
    names = [*_lists(module)]
    if not names:
        module.__class__ = base
        return
    content: dict[str, Any] = {name: _property(name) for name in names}
    content |= {"__module__": base.__module__, "__getstate__": _refuse_to_pickle}
    if not hasattr(base, "__deepcopy__"):
        content["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{base.__name__}", (base,), content)


def _property(name: str) -> property:
    def get(module: Module) -> Tensor:
        functions = module.parametrizations[name]
        known = MODE.get().parametrized
        if known is None:
            return functions()
        key = id(module), name
        if key not in known:
            known[key] = module, functions()  # the module stays alive so long
        return known[key][1]

    def put(module: Module, value: Tensor) -> None:
        module.parametrizations[name].right_inverse(value)

    return property(get, put, doc=f"What the parametrizations make of ``parametrizations.{name}.original``.")


def _refuse_to_pickle(module: Module) -> Any:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(). A pickle would need their "
        "class, which no file has"
    )


def _deepcopy(module: Module, memo: dict[int, Any]) -> Module:
    copied = memo[id(module)] = object.__new__(type(module))
    copied.__dict__.update(copy.deepcopy(module.__dict__, memo))
    return copied


# ---------------------------------------------------------------- Tensors


def _lists(module: Any) -> Any:
    return module.parametrizations


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _inverse(module: Any, value: Any) -> Any:
    """What ``right_inverse`` returns; ``value`` where there is none, or it is not implemented."""
    if hasattr(module, "right_inverse"):
        try:
            return module.right_inverse(value)
        except NotImplementedError:
            pass
    return value


def _check_one(module: Module, name: str, parametrization: Module) -> None:
    """ValueError unless one more function of a parametrized Tensor keeps its shape and dtype, and its inverse too."""
    value: Tensor = getattr(module, name)
    about = f"module.{name}", value.dtype, value.shape
    result = parametrization(value)
    _check("A parametrization", result, "the tensor", about, f"parametrization(module.{name})")
    if hasattr(parametrization, "right_inverse"):
        back = _inverse(parametrization, result)
        _check("parametrization.right_inverse", back, "the tensor that it inverts", about, "returned")


def _check(what: str, result: Any, of: str, before: tuple[str, Any, Any], after: str) -> None:
    """ValueError unless it is a Tensor of the dtype and the shape that stand in ``before`` with a name."""
    name, dtype, shape = before
    if not isinstance(result, Tensor):
        raise ValueError(f"{what} must return a tensor. Got {type(result).__name__}.")
    for kind, old, new in (("dtype", dtype, result.dtype), ("shape", shape, result.shape)):
        if old != new:
            raise ValueError(
                f"Registering a parametrization may not change the {kind} of {of}, unless `unsafe` flag is "
                f"enabled.\n{name} {kind}: {old}\n{after} {kind}: {new}"
            )

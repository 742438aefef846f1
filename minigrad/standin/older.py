"""What only scripts and packages for PyTorch write: devices, compiled parts, private names.

It is there while minigrad stands in for ``torch``, and costs nothing elsewhere.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType, NoneType, SimpleNamespace
from typing import Any

import numpy as np

from minigrad.device import TAKEN, device
from minigrad.errors import runtime_error, type_error
from minigrad.gate import overriding
from minigrad.hints import EVERYWHERE
from minigrad.nn.module import Module
from minigrad.random import default_generator
from minigrad.tensor import Tensor

_DEVICES = frozenset([
    "cpu", "cuda", "hip", "hpu", "ipu", "lazy", "maia", "meta", "mps", "mtia", "privateuseone", "vulkan", "xla",
    "xpu",
])  # fmt: skip


# What `Tensor.device` and the state of the generator were before each ``with torch.device("meta")``.
_told: list[Any] = []


class _Any(type):
    """`torch.device` is the class of every device."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, device)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, device)


class NamedDevice(device, metaclass=_Any):
    """A device that a script only names: ``torch.device("cuda").type``. Whatever is to be on it refuses it.

    RuntimeError for a name that no device of PyTorch's has, and for an index that is negative or told twice. TypeError
    for anything but a name, device or index.
    """

    __slots__ = ()
    __module__ = "minigrad"

    def __init__(self, type: device | str | int = "cpu", index: int | None = None) -> None:
        if isinstance(type, int) and not isinstance(type, bool):
            index, type = type, "cuda"
        if not isinstance(type, (str, device)) or not isinstance(index, (int, NoneType)):
            raise type_error(f"device() takes a name and an index, got {type!r} and {index!r}")
        kind, colon, number = str(type).partition(":")
        if kind not in _DEVICES:
            raise runtime_error(
                f"Expected one of {', '.join(sorted(_DEVICES))} device type, got {str(type)!r}"
            )
        if colon and not re.fullmatch("0|[1-9][0-9]*", number):
            raise runtime_error(f"Invalid device string: {type!r}")
        if colon and index is not None:
            raise runtime_error(f"type (string) must not include an index because index was passed: {type}")
        if index is not None and index < 0:
            raise runtime_error(f"Device index must not be negative, got {index}")
        self.type, self.index = kind, int(number) if colon else index

    def __repr__(self) -> str:
        return f"device(type={self.type!r}" + (")" if self.index is None else f", index={self.index})")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return str(self) == other
        return self.type == other.type and (self.type == "cpu" or self.index == other.index)

    def __enter__(self) -> device:
        """In ``with``: what PyTorch makes without values, for "meta", has some. Tensors tell it, and no draw counts."""
        if self.type != "meta":
            return super().__enter__()
        _told.append((vars(Tensor)["device"], default_generator.get_state()))
        type.__setattr__(Tensor, "device", _telling(self))
        TAKEN.append("meta")
        return self

    def __exit__(self, *caught: object) -> None:
        if self.type == "meta":
            TAKEN.pop()
            told, state = _told.pop()
            type.__setattr__(Tensor, "device", told)
            default_generator.set_state(state)

    def __hash__(self) -> int:
        return hash(self.type if self.type == "cpu" else str(self))  # that of the name which is equal to it


NamedDevice.__name__ = NamedDevice.__qualname__ = "device"  # as messages call it


def _telling(place: Any) -> property:
    """The attribute of that name; whoever takes functions over, as sparse Tensors do, is told the name."""

    def device(t: Any) -> Any:
        return place

    return property(device)


def _nothing(*args: Any) -> None:
    """What packages built on PyTorch ask of its compiled code, answered: nobody counts, and nothing is traced."""


class _Keys:
    """PyTorch's dispatch keys, as their names."""

    def __getattr__(self, name: str) -> str:
        return name


def _namespace(before: Callable[[str], Any], name: str) -> Any:
    """As ``torch.ops.name``: the operations of a namespace that `library.custom_op` has made, or ``before(name)``."""
    found = sys.modules.get("minigrad.library") and import_module("minigrad.library").of_namespace(name)
    return SimpleNamespace(**found) if found else before(name)


def _load_library(path: str) -> None:
    """OSError, upon which packages do without their compiled part."""
    raise OSError(f"{path} is compiled for PyTorch itself, for which minigrad stands in")


def _classes() -> ModuleType:
    """``torch.classes``: no class of C++ is here. Programs give it a ``__path__``, so that no watcher asks it."""
    classes = ModuleType("torch.classes")
    named = import_module("minigrad.standin.absent").named
    classes.__dict__.update(
        __file__="_classes.py",
        __getattr__=lambda name: named(f"torch.classes.{name}"),
        load_library=_load_library,
    )
    return classes


def _parse_to(*args: Any, **named: Any) -> tuple[Any, Any, bool, Any]:
    """What the arguments of ``to`` ask for: a device, a dtype, whether it need not wait, and a format of memory."""
    from minigrad.nn._tensors import dtype_of_to

    dtype = dtype_of_to(*args, **named)
    places = [
        x for x in (*args, named.get("device"), named.get("tensor")) if isinstance(x, (str, device, Tensor))
    ]
    place: Any = next(iter(places), None)
    place = place.device if isinstance(place, Tensor) else place
    return place if place is None else device(place), dtype, False, named.get("memory_format")


class _Layers:
    """``torch._C._nn``: functions of layers."""

    _parse_to = staticmethod(_parse_to)

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("minigrad").nn.functional, name)


# Parts of the standard library that `import torch` loads, so scripts import only the package: here they are loaded when
# one is asked for. Only packages that are loaded anyway or hold little, as all starts pay for them.
_LOADED = {
    "concurrent": "futures", "importlib": "abc machinery metadata resources util", "multiprocessing": "connection",
    "urllib": "error parse request response",
}  # fmt: skip


def _part(package: str, parts: frozenset[str], name: str) -> Any:
    """As ``__getattr__`` of a package: its module ``name``."""
    if name in parts:
        return import_module(f"{package}.{name}")
    raise AttributeError(f"module {package!r} has no attribute {name!r}")


# Classes that packages name in annotations alone.
_ANNOTATED = (
    "DeviceObjType", "PyTorchFileReader", "PyTorchFileWriter", "ScriptModule", "ScriptObject", "SymBool", "SymFloat",
    "SymInt",
)  # fmt: skip
_before: list[tuple[Any, str, Any]] = []


def _compile(model: Any = None, **options: Any) -> Any:
    return import_module("minigrad.standin.compiled").compile(model, **options)


def _compile_forward(module: Module, **options: Any) -> None:
    """Puts a compiled ``forward`` in the place of the module's."""
    module.forward = _compile(module.forward, **options)  # type: ignore[method-assign]


def put(home: Any, name: str, value: Any) -> None:
    """Sets a name until `uninstall`."""
    _before.append((home, name, vars(home).get(name)))
    setattr(home, name, value)


def install() -> None:
    """From now on a device may be named that is not there, and modules and functions have PyTorch's private names."""
    minigrad, ops = (import_module(f"minigrad{module}") for module in ("", ".ops"))
    named = import_module("minigrad.standin.absent").named
    cpu = NamedDevice()
    put(minigrad, "device", NamedDevice)
    put(Tensor, "device", _telling(cpu))  # so that `type(t.device)` is `torch.device`
    put(minigrad, "compile", _compile)
    put(Module, "compile", _compile_forward)
    compiled = import_module("minigrad.standin.absent").Compiled("minigrad._C")
    put(minigrad, "_C", compiled)
    # NumPy takes its own as none: its functions get arrays of Tensors, and give arrays, as they do with PyTorch's.
    put(Tensor, "__array_function__", np.ndarray.__array_function__)
    put(Tensor, "__array_wrap__", lambda like, array, *context: minigrad.from_numpy(np.asarray(array)))
    compiled.__dict__.update(
        _log_api_usage_once=_nothing, _get_tracing_state=_nothing, _TensorMeta=type(Tensor),
        _disabled_torch_function_impl=overriding.plainly, _disabled_torch_dispatch_impl=Tensor.__torch_dispatch__,
        DisableTorchFunctionSubclass=overriding.DisableTorchFunctionSubclass,
        DisableTorchFunction=overriding.DisableTorchFunction,
        _is_torch_function_mode_enabled=lambda: bool(overriding.now().modes),
        __path__=[], _nn=_Layers(),
        _are_functorch_transforms_active=lambda: False,  # a batch is one call after another of plain Tensors
        Generator=minigrad.Generator, default_generator=default_generator,
        DispatchKey=_Keys(), DispatchKeySet=lambda key: frozenset([key]),
    )  # fmt: skip
    for name in _ANNOTATED:
        put(minigrad, name, named(f"torch.{name}"))
    put(minigrad, "functional", minigrad)  # its names are the first ones
    put(minigrad, "torch", minigrad)
    put(minigrad, "classes", _classes())
    EVERYWHERE["torch"] = minigrad
    for name in (
        "aten",
        "prims",
        "torchvision",
    ):  # our `ops` has another meaning, and packages name what PyTorch's holds
        put(ops, name, named(f"torch.ops.{name}"))
    for package, parts in _LOADED.items():
        put(
            import_module(package), "__getattr__", functools.partial(_part, package, frozenset(parts.split()))
        )
    put(ops, "__getattr__", functools.partial(_namespace, vars(ops)["__getattr__"]))
    put(ops, "load_library", _load_library)


def uninstall() -> None:
    """Takes back what `install` does."""
    EVERYWHERE.clear()
    while _before:
        home, name, function = _before.pop()
        if function is not None:
            setattr(home, name, function)
        elif name in vars(home):
            delattr(home, name)

"""`TorchDispatchMode`: a mode that takes over what a program calls, under PyTorch's names for its lower layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.errors import not_implemented_error
from minigrad.gate.overriding import called
from minigrad.overrides import TorchFunctionMode

__all__ = ["TorchDispatchMode"]


# Return types of functions that PyTorch's dispatcher never sees; a getter has none.
_NO_TENSORS = {
    "", "Array", "None", "Number", "Own", "RemovableHandle", "Size | int", "TypedStorage", "UntypedStorage", "bool",
    "complex", "float", "int", "list[Any]", "list[str]", "str", "tuple[Any, ...]", "tuple[int, ...] | int",
}  # fmt: skip


class Overload:
    """A public function as PyTorch's lower layer calls it: ``aten.add.default``."""

    namespace = "aten"

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._last = called(function).rpartition(".")[2]

    @property
    def __name__(self) -> str:
        return f"{self._last}.default"

    def name(self) -> str:
        """``aten::add``."""
        return f"aten::{self._last}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Overload) and self._function is other._function

    def __hash__(self) -> int:
        return hash(self._function)

    def __str__(self) -> str:
        return f"aten.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverload(op='aten.{self._last}', overload='default')>"


class TorchDispatchMode(TorchFunctionMode):
    """In ``with``: every public function calls ``__torch_dispatch__`` of the mode in its place.

    A subclass defines ``__torch_dispatch__``, in which the mode is off. It sees the public functions that a program
    calls, not the operations that these consist of, and no backward pass. NotImplementedError for a class without it.
    """

    def __init__(self, _dispatch_key: Any = None) -> None: ...

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if str(getattr(func, "__annotations__", {}).get("return", "")) in _NO_TENSORS:
            return func(*args, **(kwargs or {}))
        return self.__torch_dispatch__(Overload(func), types, args, kwargs or {})

    def __torch_dispatch__(self, func: Overload, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What stands in the place of ``func(*args, **kwargs)``."""
        raise not_implemented_error(f"{type(self).__name__} is a mode without a __torch_dispatch__")

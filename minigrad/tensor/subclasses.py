"""Subclasses of Tensor: operations on one give its class back, unless it says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from minigrad.core.tensor import Tensor, extend
from minigrad.gate.overriding import DisableTorchFunctionSubclass, arm, plainly


@extend
class _Subclasses(Tensor):
    """What PyTorch asks of classes that take functions over."""

    def __init_subclass__(cls, **options: Any) -> None:
        super(Tensor, cls).__init_subclass__(**options)
        if cls.__torch_function__ is not plainly:
            arm()

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The result of ``func``, a public function that got Tensors of this class, with Tensors of the class in it.

        A subclass may write its own, and call this one by ``super()``. ``types`` are the classes of arguments that
        take over; NotImplemented where this class is none of their subclasses, so that theirs are asked.
        """
        if not all(issubclass(cls, kind) for kind in types):
            return NotImplemented
        with DisableTorchFunctionSubclass():
            result = func(*args, **(kwargs or {}))
            return result if func in nowrap() else converted(result, cls)


def nowrap() -> set[Any]:
    """The functions whose results stay as they are: they are kept somewhere."""
    return {Tensor.grad.__get__}


def converted(result: Any, cls: type[Tensor]) -> Any:
    """A result with its Tensors as ones of a class, also those in tuples and lists."""
    if cls is Tensor:
        return result
    if isinstance(result, Tensor):
        return result if isinstance(result, cls) else result.as_subclass(cls)
    if isinstance(result, (tuple, list)):
        values = (converted(x, cls) for x in result)
        return type(result)._make(values) if hasattr(result, "_make") else type(result)(values)
    return result

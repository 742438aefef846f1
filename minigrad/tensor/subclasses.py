"""Subclasses of Tensor: their making, and that operations on one give its class back unless it says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from minigrad.core.apply import apply
from minigrad.core.mode import MODE, RECORDERS
from minigrad.core.node import new
from minigrad.core.tensor import Tensor, extend, of_class, of_users
from minigrad.errors import not_implemented_error, type_error
from minigrad.gate import methods
from minigrad.gate.overriding import DisableTorchFunctionSubclass, arm, each_of, is_operator, plainly
from minigrad.ops import shape

if TYPE_CHECKING:
    Own = TypeVar("Own", bound="Tensor")


@extend
@methods
class _Subclasses(Tensor):
    """What PyTorch asks of classes that take functions over."""

    @staticmethod
    def __torch_dispatch__(func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The function: there is nothing below the public ones that a class takes over."""
        return func(*args, **(kwargs or {}))

    _replaces = False  # whether a class has methods of its own in the place of the Tensor's

    def __init_subclass__(cls, **options: Any) -> None:
        super(Tensor, cls).__init_subclass__(**options)
        if any(name in vars(Tensor) for name in vars(cls) if name[:2] != "__" or is_operator(name)):
            cls._replaces = True
        # those of the package are parts of the Tensor's, or take nothing over
        if of_users(cls) and cls.__torch_function__ is not plainly and not _dispatches(cls):
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
            return result if func == _GRAD else converted(result, cls)

    def as_subclass(self, cls: type[Own]) -> Own:
        """This Tensor as one of a subclass, of the same memory and in the same graph. TypeError for any other class.

        What operations make of it are of that class too, by its ``__torch_function__``. NotImplementedError for a
        class with a ``__torch_dispatch__``.
        """
        kind: object = cls
        if not (isinstance(kind, type) and issubclass(kind, Tensor)):
            raise type_error(f"as_subclass() takes a subclass of Tensor, got {cls!r}")
        return of_class(apply(shape.alias, (self,)), _possible(cls))

    @staticmethod
    def _make_subclass(cls: type[Own], data: Tensor, requires_grad: bool = False) -> Own:
        """A leaf of another class over the same memory."""
        t = new(_possible(cls))
        t._array, t._node, t._view, t._rows = data._array, None, None, False
        if data._inference:
            t._inference = True
        if RECORDERS and (recorder := MODE.get().recorder) is not None:
            recorder.made(t)
        if requires_grad is not False:
            Tensor.requires_grad_(t, requires_grad)
        return t

    @staticmethod
    def _make_wrapper_subclass(cls: type, *args: Any, **kwargs: Any) -> NoReturn:
        """NotImplementedError: such a Tensor has no memory, and takes over all that happens to it."""
        raise _refused(cls)


def _possible(cls: type[Own]) -> type[Own]:
    """The class; NotImplementedError for one of which no Tensors can be made."""
    if _dispatches(cls):
        raise _refused(cls)
    return cls


def _dispatches(cls: type[Tensor]) -> bool:
    return cls.__torch_dispatch__ is not Tensor.__torch_dispatch__


def _refused(cls: type) -> Exception:
    return not_implemented_error(
        f"{cls.__name__} is to take over, by __torch_dispatch__, what is below the public functions of PyTorch, and "
        "there is nothing below them here: write a __torch_function__, and make Tensors by as_subclass()"
    )


def nowrap() -> set[Any]:
    """The functions whose results stay as they are: they are kept somewhere."""
    return {_GRAD}


_GRAD = vars(Tensor)["grad"].__get__


def converted(result: Any, cls: type[Tensor]) -> Any:
    """A result with its Tensors as ones of a class, also those in tuples and lists."""
    if cls is Tensor:
        return result
    if isinstance(result, Tensor):
        return result if isinstance(result, cls) else result.as_subclass(cls)
    return each_of(result, lambda x: converted(x, cls))

"""Parameters and buffers: Tensors that a Module takes note of when they are assigned to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, TypeGuard, TypeVar

from minigrad import dtypes
from minigrad.core.changes import RUNNING, part
from minigrad.core.tensor import of_users, wrap
from minigrad.device import DeviceLike, check_device
from minigrad.errors import runtime_error, type_error, value_error
from minigrad.functions.creation import empty
from minigrad.gate import constructor
from minigrad.gate.overriding import plainly
from minigrad.tensor import Tensor

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]

T = TypeVar("T", bound=Tensor)


class _ParameterMeta(type(Tensor)):  # type: ignore[misc]
    """A Tensor of a user's class is a Parameter if it was made one."""

    def __instancecheck__(cls, instance: object) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        return cls is Parameter and isinstance(instance, Tensor) and getattr(instance, "_is_param", False)


@constructor(check="none")
class Parameter(Tensor, metaclass=_ParameterMeta):
    """A Tensor that a :class:`~minigrad.nn.Module` registers when it becomes one of its attributes.

    ``data`` is a Tensor of any shape; the Parameter is a new leaf that shares its memory (and forgets its
    history). It requires grad unless told otherwise, also inside ``no_grad``.

    Raises TypeError if ``data`` is not a Tensor, RuntimeError if it should require grad and holds integers or bools.
    """

    _warns_of_hooks = False
    _is_param = True
    __torch_function__ = plainly  # type: ignore[assignment]

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        if (
            data.__class__ is not Tensor
            and isinstance(data, Tensor)
            and (data._sparse or of_users(type(data)))
        ):
            return _marked(data, requires_grad)  # type: ignore[return-value]
        return _leaf(cls, data, requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Like PyTorch's, the copy has the values and the flag, but no gradient.
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return memo[id(self)]


class Buffer(Tensor):
    """A Tensor that becomes a buffer of the :class:`~minigrad.nn.Module` it is assigned to.

    With ``persistent=False`` it is left out of the module's ``state_dict``. Shares the memory of ``data``.
    """

    persistent: bool
    __torch_function__ = plainly  # type: ignore[assignment]

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        return _leaf(cls, data, False)

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        self.persistent = persistent


def _rebuild_buffer(cls: type[Buffer], data: Tensor, persistent: bool) -> Buffer:
    """What pickles of minigrad 0.1.0 call."""
    return cls(data, persistent=persistent)


def _marked(data: Tensor, requires_grad: bool) -> Tensor:
    """A leaf of the class of ``data`` that passes for a Parameter. RuntimeError where `detach` gives another class."""
    leaf = data.detach().requires_grad_(requires_grad)
    if type(leaf) is not type(data):
        raise runtime_error(
            f"Creating a Parameter from an instance of type {type(data).__name__} requires that detach() returns an "
            f"instance of the same type, but type {type(leaf).__name__} was found instead: see its __torch_function__"
        )
    vars(leaf)["_is_param"] = True
    return leaf


def _leaf(cls: type[T], data: Tensor | None, requires_grad: bool) -> T:
    if data is None:
        data = empty(0)
    if not isinstance(data, Tensor):
        raise type_error(
            f"{cls.__name__} expects a Tensor, got {type(data).__name__}; "
            f"for arrays and lists write {cls.__name__}(minigrad.tensor(...))"
        )
    return Tensor._make_subclass(cls, data, requires_grad)


# ---------------------------------------------------------------- without a size yet

_FIRST = "Call `forward` with a batch first: it sets the sizes."


class UninitializedTensorMixin(Tensor):
    """A Tensor with a dtype and no shape yet. Until ``materialize``, ValueError for whatever needs values."""

    cls_to_become: type[Tensor]
    __torch_function__ = plainly  # type: ignore[assignment]

    def _refuse(self) -> Any:
        raise value_error(
            f"Attempted to use an uninitialized parameter: a {type(self).__name__} has no values. {_FIRST}"
        )

    # Until then the slot of Tensor holds an empty array of the dtype; only operations ask for the array itself.
    _array = property(_refuse, Tensor.__dict__["_array"].__set__)

    @property
    def shape(self) -> Any:
        """Raises RuntimeError: there is none yet."""
        raise runtime_error(
            f"Can't access the shape of an uninitialized parameter or buffer. {_FIRST} A module that has its sizes "
            "loads no state of one that has not."
        )

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type that it will have."""
        return self.data.dtype

    def is_floating_point(self) -> bool:
        """Whether the element type is a float."""
        return self.dtype.is_floating_point

    @property
    def data(self) -> Tensor:
        """An empty Tensor of the dtype; setting it sets the dtype."""
        return wrap(Tensor.__dict__["_array"].__get__(self))

    @data.setter
    def data(self, value: Tensor) -> None:
        self._array, self._rows = value._array, False

    def detach(self) -> Self:
        """Returns itself: there is no memory to share."""
        return self

    def materialize(
        self, shape: int | Sequence[int], device: DeviceLike = None, dtype: dtypes.dtype | None = None
    ) -> None:
        """Becomes an ordinary Parameter or Tensor of this shape, with uninitialized values."""
        check_device(device)
        sizes = (shape,) if isinstance(shape, int) else tuple(shape)
        values = empty(sizes, dtype=dtype or self.dtype)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        self.data = values

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied: Self = memo.setdefault(id(self), _without_size(type(self), self.requires_grad, self.dtype))
        vars(copied).update(vars(self))
        return copied

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _without_size, (type(self), self.requires_grad, self.dtype), vars(self)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A Parameter whose shape the first call of a lazy module sets."""

    cls_to_become = Parameter

    def __new__(
        cls, requires_grad: bool = True, device: DeviceLike = None, dtype: dtypes.dtype | None = None
    ) -> Self:
        check_device(device)
        return _without_size(cls, requires_grad, dtype)


class UninitializedBuffer(UninitializedTensorMixin, Buffer):
    """A buffer whose shape the first call of a lazy module sets."""

    cls_to_become = Tensor

    def __new__(
        cls,
        requires_grad: bool = False,
        device: DeviceLike = None,
        dtype: dtypes.dtype | None = None,
        persistent: bool = True,
    ) -> Self:
        check_device(device)
        buffer = _without_size(cls, requires_grad, dtype)
        buffer.persistent = persistent
        return buffer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass


U = TypeVar("U", bound=UninitializedTensorMixin)


def _without_size(cls: type[U], requires_grad: bool, dtype: dtypes.dtype | None) -> U:
    tensor: Any = Tensor._make_subclass(cls.cls_to_become, empty(0, dtype=dtype), requires_grad)
    tensor.__class__ = cls
    return tensor


def is_lazy(param: Any) -> TypeGuard[UninitializedTensorMixin]:
    """Whether it is an :class:`UninitializedParameter` or an :class:`UninitializedBuffer`."""
    return isinstance(param, UninitializedTensorMixin)


def clear_grad(p: Tensor, set_to_none: bool) -> None:
    """Drops a gradient, or zeroes it in place and cuts it from any graph that it came from."""
    if RUNNING and (running := part()) is not None:
        raise running.refused("call zero_grad()")
    grad = p.grad
    if grad is None:
        return
    if set_to_none:
        p.grad = None
        return
    if grad.grad_fn is not None:
        grad = p.grad = grad.detach()
    grad.requires_grad_(False)
    grad.zero_()

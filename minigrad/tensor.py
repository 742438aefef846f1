"""`Tensor`: an array, its record on the tape, and its operators. No calculus is done here."""

from __future__ import annotations

import copy
import math
import operator
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    ParamSpec,
    Self,
    SupportsIndex,
    TypeAlias,
    TypeVar,
    overload,
)

import numpy as np

from minigrad import autograd, dtypes, errors
from minigrad._printing import tensor_text
from minigrad.autograd.hooks import RemovableHandle, after_ids
from minigrad.buffers import is_view
from minigrad.core.apply import NotAnOperand, apply, cast, needs_value, wrap_operand
from minigrad.core.mode import MODE, RECORDERS
from minigrad.core.node import RETAIN, Node, new
from minigrad.core.op import TABLE, Array, Op
from minigrad.core.quiet import QUIET
from minigrad.core.recorder import Numeral
from minigrad.core.tensor import Tensor as Tensor
from minigrad.core.tensor import extend, leaf, wrap
from minigrad.core.types import Number, Operand, Sizes
from minigrad.core.views import check_change, refresh
from minigrad.device import DeviceLike
from minigrad.device import device as Device
from minigrad.errors import type_error
from minigrad.functions import creation, elementwise, inplace, linalg, reduce, table
from minigrad.functions import index as indexing
from minigrad.functions import shape as shapes
from minigrad.functions.dims import one_dim, whole
from minigrad.functions.store import in_place, update
from minigrad.gate import gated, methods
from minigrad.hints import MissingMethods
from minigrad.ops import elementwise as e
from minigrad.ops.shape import permute
from minigrad.random import Generator

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    P = ParamSpec("P")
    T = TypeVar("T", bound="Tensor")

Flag: TypeAlias = bool  # Python's, where a method of Tensor has taken its name


class Size(tuple[int, ...]):
    """A shape: a tuple of ints that stays one where it is sliced, joined or repeated. TypeError for anything else."""

    def __new__(cls, sizes: Iterable[int] = ()) -> Self:
        made = tuple(sizes)
        for i, n in enumerate(made):
            if not hasattr(n, "__index__"):
                raise TypeError(f"Size() takes an iterable of int (item {i} is {type(n).__name__})")
        return tuple.__new__(cls, (n.__index__() for n in made))

    @overload
    def __getitem__(self, key: SupportsIndex) -> int: ...

    @overload
    def __getitem__(self, key: slice) -> Size: ...

    def __getitem__(self, key: SupportsIndex | slice) -> int | Size:
        found: Any = tuple.__getitem__(self, key)
        return tuple.__new__(Size, found) if key.__class__ is slice else found

    def __add__(self, other: tuple[Any, ...]) -> Size:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: tuple[Any, ...]) -> Size:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size((*other, *self))

    def __mul__(self, times: SupportsIndex) -> Size:
        return tuple.__new__(Size, tuple.__mul__(self, times))

    __rmul__ = __mul__

    def numel(self) -> int:
        """How many elements a Tensor of this shape has."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"minigrad.Size({list(self)})"


def _operator(op: Op) -> Callable[[Tensor, Operand], Tensor]:
    def method(self: Tensor, other: Any) -> Any:
        try:
            return apply(op, (self, other))
        except NotAnOperand:
            return NotImplemented

    return method


def _reflected(op: Op) -> Callable[[Tensor, Operand], Tensor]:
    def method(self: Tensor, other: Any) -> Any:
        try:
            return apply(op, (other, self))
        except NotAnOperand:
            return NotImplemented

    return method


_divided = _reflected(e.div)


def _in_place(op: Op) -> Callable[[T, Operand], T]:
    def method(self: T, other: Any) -> Any:
        try:
            return update(self, op, (self, other))
        except NotAnOperand:
            return NotImplemented

    return method


_BINARY = {
    "add": e.add, "sub": e.sub, "mul": e.mul, "truediv": e.div, "floordiv": e.floor_divide, "mod": e.remainder,
    "and": e.bitwise_and, "or": e.bitwise_or, "xor": e.bitwise_xor,
}  # fmt: skip
_COMPARE = {"eq": e.eq, "ne": e.ne, "lt": e.lt, "le": e.le, "gt": e.gt, "ge": e.ge}


def _with_functions(methods: type[Tensor]) -> type[Tensor]:
    """Class decorator: adds operators, and the functions that are methods too, where the class has none itself."""
    own = vars(methods)
    added: dict[str, Any] = dict(table.METHODS)
    for space in (elementwise, reduce, shapes, indexing, linalg, inplace):
        for name in space.METHODS.split():
            function = vars(space).get(name)
            added[name] = function or gated(in_place(vars(space)[name[:-1]], name))
    for name, op in _BINARY.items():
        added |= {f"__{name}__": _operator(op), f"__r{name}__": _reflected(op), f"__i{name}__": _in_place(op)}
    added |= {f"__{name}__": _operator(op) for name, op in _COMPARE.items()}
    for name, function in added.items():
        if name not in own or name in ("__eq__", "__ne__"):
            setattr(methods, name, function)
    return methods


@extend
@methods
@_with_functions
class _Methods(Tensor):
    """An n-dimensional array that remembers how it was computed.

    ``Tensor(2, 3)``, or of a `Size`, makes one of that shape with whatever is in it, ``Tensor([1, 2])`` one of the
    default float and ``Tensor()`` one without elements, as in PyTorch; `minigrad.tensor` is the usual way.
    TypeError for a float.
    """

    __hash__ = object.__hash__
    _grad: Tensor | None = None

    def __new__(cls, *data: int | Sequence[Any] | Array | Tensor) -> Self:
        only = data[0] if len(data) == 1 else None
        if len(data) != 1 or only.__class__ in (int, Size):  # sizes
            shape: Any = only if isinstance(only, Size) else data or (0,)
            array = np.empty(shape, dtypes.default_float())
        elif only is None or isinstance(only, (bool, float, complex, str)):
            raise TypeError(
                f"Tensor(): data must be a sequence (got {type(only).__name__}); use minigrad.tensor"
            )
        else:
            if isinstance(only, (Tensor, np.ndarray)):
                needs_value("Tensor() of a Tensor or an array")
            array = np.array(creation.to_array(only, dtypes.get_default_dtype()))
        made: Self = cls._make_subclass(cls, wrap(array), False)
        return made

    @staticmethod
    def _make_subclass(cls: type[T], data: Tensor, requires_grad: bool = False) -> T:
        """A leaf of another class over the same memory."""
        t = new(cls)
        t._array, t._node, t._view = data._array, None, None
        if data._inference:
            t._inference = True
        if RECORDERS and (recorder := MODE.get().recorder) is not None:
            recorder.made(t)
        if requires_grad is not False:
            t.requires_grad_(requires_grad)
        return t

    # ------------------------------------------------------------ value and description

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return tuple.__new__(Size, self._array.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""
        return dtypes.OF_NUMPY[self._array.dtype]

    @property
    def device(self) -> Device:
        """Always the CPU."""
        return Device()

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._array.nbytes

    @overload
    def size(self, dim: None = None) -> Size: ...

    @overload
    def size(self, dim: int) -> int: ...

    def size(self, dim: int | None = None) -> Size | int:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self._array.shape[one_dim(dim, self._array.ndim)]

    def dim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self._array.size

    nelement = numel

    @overload
    def stride(self, dim: None = None) -> tuple[int, ...]: ...

    @overload
    def stride(self, dim: int) -> int: ...

    def stride(self, dim: int | None = None) -> tuple[int, ...] | int:
        """The step in memory along each dimension, in elements."""
        steps = tuple(n // self._array.itemsize for n in self._array.strides)
        return steps if dim is None else steps[one_dim(dim, len(steps))]

    def is_contiguous(self) -> bool:
        """Whether memory is in row order without gaps."""
        return bool(self._array.flags.c_contiguous)

    def is_floating_point(self) -> bool:
        """Whether elements are floats."""
        return bool(self._array.dtype.kind == "f")

    def is_inference(self) -> bool:
        """Whether it was made in inference mode."""
        return self._inference

    def data_ptr(self) -> int:
        """The address of the first element."""
        needs_value("data_ptr()")
        return int(self._array.ctypes.data)

    def item(self) -> Number:
        """The one element as a Python number. RuntimeError if there are others."""
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        needs_value("item()")
        return self._array.item()  # type: ignore[no-any-return]

    def tolist(self) -> list[Any]:
        """Nested lists of Python numbers; for a 0-d Tensor the number."""
        needs_value("tolist()")
        return self._array.tolist()  # type: ignore[no-any-return]

    def numpy(self, *, force: bool = False) -> Array:
        """The array itself, in shared memory. RuntimeError if it requires grad, unless ``force`` (a detached one)."""
        if self.requires_grad and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        needs_value("numpy()")
        return self._array

    def __array__(self, dtype: np.dtype[Any] | None = None, copy: bool | None = None) -> Array:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(
                    "Unable to avoid copy while converting a Tensor to an array of another dtype"
                )
            return QUIET.run(array.astype, dtype)
        return array.copy() if copy else array

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Tensor:
        """NumPy's functions on Tensors: recorded like minigrad's own where there is one."""
        if ufunc is np.matmul and method == "__call__" and not options:
            return linalg.matmul(*(_operand(x) for x in inputs))
        op = _UFUNCS.get(ufunc)
        if op is None or method != "__call__" or options:
            raise type_error(_not_recorded(ufunc, method, inputs, options))
        return apply(op, inputs)

    def __repr__(self) -> str:
        needs_value("printing a Tensor")
        suffixes = []
        default = self._array.dtype in (dtypes.default_float(), dtypes.I64, dtypes.BOOL)
        if not default or (self._array.size == 0 and self._array.dtype != dtypes.default_float()):
            suffixes.append(f"dtype={self.dtype}")
        refresh(self)
        node = self._node
        if node is not None and node.requires_grad:
            suffixes.append("requires_grad=True" if node.op is None else f"grad_fn=<{node.name()}>")
        return tensor_text(self._array, suffixes=suffixes)

    def __format__(self, spec: str) -> str:
        if self._array.ndim == 0:
            return format(self.item(), spec)
        return object.__format__(self, spec) if spec else repr(self)

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if self._array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(shapes.unbind(self))

    def __contains__(self, element: object) -> bool:
        needs_value("the operator in")
        if not isinstance(element, (Tensor, int, float, np.generic, np.ndarray)):
            raise RuntimeError(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element).__name__}"
            )
        return bool(np.any(QUIET.run(operator.eq, self._array, elementwise.raw(element))))

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise RuntimeError(
                f"Boolean value of Tensor with {'more than one value' if self._array.size else 'no values'} "
                "is ambiguous; use .any() or .all()"
            )
        needs_value("bool(): a condition")
        return bool(self._array.item())

    def __int__(self) -> int:
        return int(self._only())

    def __float__(self) -> float:
        return float(self._only())

    def __complex__(self) -> complex:
        return complex(self._only())

    def _only(self) -> Number:
        """The one element; ValueError, where `item` has a RuntimeError: PyTorch's kinds."""
        needs_value("a conversion to a Python number")
        if self._array.size != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars, this one has shape "
                f"{list(self._array.shape)}"
            )
        return self._array.item()  # type: ignore[no-any-return]

    def __index__(self) -> int:
        if self._array.size != 1 or self._array.dtype.kind not in "biu":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        needs_value("use as an index of Python")
        return operator.index(self._array.item())

    def __dir__(self) -> list[str]:
        known = [vars(c) for c in type(self).__mro__ if c is not MissingMethods]
        return sorted({*vars(self)}.union(*known) - {"_array", "_node", "_view"})

    # ------------------------------------------------------------ gradient

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded. May be set on leaves."""
        node = self._node
        if self._view is not None:
            refresh(self)
            node = self._node
        return node is not None and node.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Turns recording on or off for a leaf. RuntimeError for other Tensors and for integers."""
        if requires_grad == self.requires_grad:
            return self
        if self._inference and requires_grad and not MODE.get().inference:
            raise errors.runtime_error(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed; clone() it first"
            )
        if not self.is_leaf:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                "in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if requires_grad and self._array.dtype.kind != "f":
            raise RuntimeError(
                f"only Tensors of floating point dtype can require gradients, this one is {self.dtype}; "
                "convert it with .float() first"
            )
        leaf(self, requires_grad)  # a record of its own: what was recorded before stays as it was
        return self

    def _ask(self) -> None:
        """A recording holds as long as there is a gradient, or none, as there is now."""
        if (recorder := MODE.get().recorder) is not None:
            recorder.asks(self)

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have added up here, None before the first."""
        if RECORDERS:
            self._ask()
        if self._grad is None and not self.is_leaf and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). Call .retain_grad() on it first.",
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if RECORDERS:
            self._ask()
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                )
            if value._array.shape != self._array.shape:
                raise RuntimeError(
                    f"assigned grad has data of a different size: {list(value._array.shape)} for "
                    f"{list(self._array.shape)}"
                )
            if value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"assigned grad has data of a different type: {value.dtype} for {self.dtype}"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def is_leaf(self) -> bool:
        """Whether it was not computed from Tensors that require grad."""
        refresh(self)
        node = self._node
        return node is None or node.op is None or not node.requires_grad

    @property
    def grad_fn(self) -> Node | None:
        """The record of the operation that made it, None for a leaf."""
        return None if self.is_leaf else self._node

    @property
    def data(self) -> Tensor:
        """The same memory without history; setting it gives the Tensor other memory."""
        return shapes.detach(self)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        needs_value("setting .data")
        self._array = value._array
        node = self._node
        if node is not None and node.op is None:
            leaf(self, node.requires_grad)
        self._view = None

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on a result."""
        return bool(
            self._node is not None and self._node.op is not None and RETAIN in (self._node.hooks or {})
        )

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Iterable[Tensor] | None = None,
    ) -> None:
        """Adds the gradients of this Tensor to ``.grad`` of the leaves (or ``inputs``) that it was computed from.

        ``gradient``, of the same shape, is needed unless there is one element.  The saved arrays are freed
        unless ``retain_graph``; ``create_graph`` records the pass so that it can be differentiated again.
        RuntimeError if nothing requires grad, the graph was freed, or a saved array was changed in place.
        """
        autograd.plain_backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def retain_grad(self) -> None:
        """Keeps the gradient of a result in ``.grad`` too."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if not self.is_leaf:
            me = weakref.ref(self)

            def keep(g: Tensor) -> None:
                t = me()
                if t is not None:
                    t._grad = g.clone() if t._grad is None else t._grad + g

            self._hooks()[RETAIN] = keep

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Calls ``hook(grad)`` when the gradient is known; what it returns, if anything, replaces it."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        hooks = self._hooks()
        handle = RemovableHandle(hooks)
        kept = hooks.pop(RETAIN, None)
        hooks[handle.id] = hook
        if kept is not None:
            hooks[RETAIN] = kept  # the gradient that is kept is the one after all hooks
        return handle

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Calls ``hook(self)`` each time a backward pass has put or added a gradient into ``.grad`` of a leaf.

        `autograd.grad` leaves ``.grad`` alone, and so calls no hook. RuntimeError for what is no leaf or does not
        require grad.
        """
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if not self.is_leaf:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        hooks = self._hooks()
        handle = RemovableHandle(hooks, after_ids)
        hooks[handle.id] = hook
        return handle

    def _hooks(self) -> dict[int, Callable[[Tensor], Any]]:
        node = self._node
        if node is None:
            raise RuntimeError("a Tensor without a record has no hooks")
        if node.hooks is None:
            node.hooks = {}
        return node.hooks

    def detach_(self) -> Self:
        """Forgets its history."""
        if self._view is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead")
        if self._node is not None and self._node.op is None:
            self._node.tensor = None  # of what was computed from it, no gradient arrives any more
        self._node = None  # views of it keep theirs
        return self

    # ------------------------------------------------------------ operators

    def __rtruediv__(self, other: Operand) -> Tensor:
        kind: type = type(other)
        if kind not in (int, float) and not isinstance(other, Numeral):
            return _divided(self, other)
        # PyTorch: only the reciprocal is kept, and the result may be changed in place
        return apply(e.mul, (apply(e.reciprocal, (self,)), other))

    __neg__ = table.neg
    __pos__ = elementwise.positive
    __abs__ = table.abs
    __invert__ = table.bitwise_not
    __getitem__ = indexing.getitem
    __setitem__ = inplace.setitem

    def __pow__(self, exponent: Operand) -> Tensor:
        return elementwise.pow(self, exponent)

    def __rpow__(self, base: Operand) -> Tensor:
        return elementwise.pow(base, self)

    def __ipow__(self, exponent: Operand) -> Tensor:
        return self.pow_(exponent)

    def __matmul__(self, other: Tensor | Array) -> Tensor:
        return linalg.matmul(self, _operand(other))

    def __rmatmul__(self, other: Tensor | Array) -> Tensor:
        return linalg.matmul(_operand(other), self)

    @property
    def T(self) -> Tensor:
        """The dimensions in reverse order."""
        return apply(permute, (self,), {"axes": tuple(range(self._array.ndim))[::-1]})

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged; RuntimeError for a vector."""
        ndim = self._array.ndim
        if ndim == 1:
            raise RuntimeError(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {ndim}-D tensor."
            )
        return apply(permute, (self,), {"axes": (*range(ndim - 2), ndim - 1, ndim - 2) if ndim else ()})

    def where(self, condition: Tensor, other: Operand) -> Tensor:
        """Itself where ``condition`` holds, else ``other``."""
        return elementwise.where(condition, self, other)

    # ------------------------------------------------------------ in place

    def add_(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        """``self += alpha * other``."""
        return inplace.add_scaled(self, other, alpha)

    def sub_(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        """``self -= alpha * other``."""
        return update(self, e.sub, (self, elementwise.scaled("sub", self, other, alpha)))

    subtract_ = sub_

    def uniform_(
        self, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None, **named: float
    ) -> Tensor:
        """Overwritten with uniform draws from [from, to)."""
        if "from" in named:
            from_ = named.pop("from")
        if named:
            raise TypeError(f"uniform_() got an unexpected keyword argument {next(iter(named))!r}")
        return self._draw(generator, "uniform", (), (from_, to))

    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Overwritten with normal draws."""
        return self._draw(generator, "normal", (), (mean, std), blocks=self.is_contiguous())

    def bernoulli_(self, p: Tensor | float = 0.5, *, generator: Generator | None = None) -> Tensor:
        """Overwritten with 1 of probability ``p`` and 0 else."""
        if isinstance(p, Tensor):
            needs_value("bernoulli_() of a Tensor")
        chance = elementwise.raw(p)
        if isinstance(chance, np.ndarray) and chance.ndim:
            chance = np.broadcast_to(chance, self._array.shape).transpose(_in_memory(self._array))
        return self._draw(generator, "bernoulli", (chance,))

    @overload
    def random_(self, to: int = ..., *, generator: Generator | None = None) -> Tensor: ...

    @overload
    def random_(self, from_: int, to: int | None, /, *, generator: Generator | None = None) -> Tensor: ...

    def random_(self, *bounds: Any, generator: Generator | None = None, **named: Any) -> Tensor:
        """Overwritten with whole numbers: ``random_(from, to)`` from ``from`` up to but not including ``to``.

        ``random_(to)`` begins at 0; where ``to`` is None, and in ``random_()``, they go up to the largest that the
        dtype holds (of a floating one, the largest up to which it holds all). RuntimeError for an empty range.
        """
        names = ("to",) if len(bounds) == 1 and not named else ("from", "to")
        given = {**dict(zip(names, bounds, strict=False)), **named}
        if sorted(given) not in ([], ["to"], ["from", "to"]) or len(given) < len(bounds) + len(named):
            raise type_error(
                "random_() takes nothing, to, or from and to, whole numbers of which to may be None"
            )
        low, high = (0 if given else None), given.get("to")
        if "from" in given:
            low = whole("random_(): argument 'from'", given["from"])
        if given and not (high is None and "from" in given):
            high = whole("random_(): argument 'to'", high)
        return self._draw(generator, "integers", (low, high))

    def exponential_(self, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Overwritten with draws of density ``lambd * exp(-lambd * x)``."""
        return self._draw(generator, "exponential", (), (lambd,))

    def _draw(
        self,
        generator: Generator | None,
        method: str,
        before: tuple[Any, ...],
        after: tuple[Any, ...] = (),
        **options: Any,
    ) -> Tensor:
        """Overwritten with draws, which come in the order in which the elements lie in memory.

        The generator's method gets ``before``, the shape, the dtype, and ``after``.
        """
        if MODE.get().grad:
            check_change(self)
        array = self._array
        order = _in_memory(array)
        shape = tuple(array.shape[d] for d in order)
        drawn = creation.drawn(generator, method, *before, shape, array.dtype, *after, **options)
        if order != list(range(len(order))):
            drawn = apply(permute, (drawn,), {"axes": tuple(int(d) for d in np.argsort(order))})
        return inplace.copy_(self, drawn)

    # ------------------------------------------------------------ dtype, copies, like-makers

    def to(
        self, *args: dtypes.DTypeLike | DeviceLike | Tensor | bool, dtype: dtypes.DTypeLike | None = None,
        device: DeviceLike = None, copy: bool = False, **ignored: object,
    ) -> Tensor:  # fmt: skip
        """In another dtype (recorded); itself if nothing changes. A device may only be the CPU."""
        unknown = ignored.keys() - {"non_blocking", "memory_format"}
        if unknown:
            raise type_error(f"to() got an unexpected keyword argument '{min(unknown)}'")
        for a in args:
            if isinstance(a, Tensor):
                dtype = a._array.dtype
            elif isinstance(a, (str, Device)):
                device = a
            elif isinstance(a, bool):
                continue
            elif a is not None:
                dtype = a
        if device is not None:
            Device(device)
        changed: Tensor = self if dtype is None else cast(self, dtypes.as_numpy(dtype))
        return changed.clone() if copy and changed is self else changed

    @overload
    def type(self, dtype: None = None) -> str: ...

    @overload
    def type(self, dtype: dtypes.DTypeLike) -> Tensor: ...

    def type(self, dtype: dtypes.DTypeLike | None = None) -> str | Tensor:
        """In another dtype; without one, the name of its type."""
        return f"minigrad.{self.dtype.name}" if dtype is None else self.to(dtype)

    def type_as(self, other: Tensor) -> Tensor:
        """In the dtype of ``other``."""
        return self.to(other)

    def float(self) -> Tensor:
        """In float32."""
        return self.to(dtypes.float32)

    def double(self) -> Tensor:
        """In float64."""
        return self.to(dtypes.float64)

    def half(self) -> Tensor:
        """In float16."""
        return self.to(dtypes.float16)

    def long(self) -> Tensor:
        """In int64."""
        return self.to(dtypes.int64)

    def int(self) -> Tensor:
        """In int32."""
        return self.to(dtypes.int32)

    def short(self) -> Tensor:
        """In int16."""
        return self.to(dtypes.int16)

    def byte(self) -> Tensor:
        """In uint8."""
        return self.to(dtypes.uint8)

    def bool(self) -> Tensor:
        """In bool: whether nonzero."""
        return self.to(dtypes.bool)

    def cpu(self) -> Tensor:
        """Itself."""
        return self

    def new_tensor(
        self, data: Any, *, dtype: dtypes.DTypeLike | None = None, requires_grad: Flag = False
    ) -> Tensor:
        """`minigrad.tensor` in this dtype."""
        return creation.tensor(data, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_zeros(
        self, *size: Sizes, dtype: dtypes.DTypeLike | None = None, requires_grad: Flag = False
    ) -> Tensor:
        """`minigrad.zeros` in this dtype."""
        return creation.zeros(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_ones(
        self, *size: Sizes, dtype: dtypes.DTypeLike | None = None, requires_grad: Flag = False
    ) -> Tensor:
        """`minigrad.ones` in this dtype."""
        return creation.ones(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_empty(
        self, *size: Sizes, dtype: dtypes.DTypeLike | None = None, requires_grad: Flag = False
    ) -> Tensor:
        """`minigrad.empty` in this dtype."""
        return creation.empty(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_full(
        self, size: Sizes, fill_value: Tensor | Number, *, dtype: dtypes.DTypeLike | None = None,
        requires_grad: Flag = False,
    ) -> Tensor:  # fmt: skip
        """`minigrad.full` in this dtype."""
        return creation.full(size, fill_value, dtype=dtype or self.dtype, requires_grad=requires_grad)

    # ------------------------------------------------------------ copy and pickle

    def __getstate__(self) -> Any:
        """What a user set on it: attributes, and slots of a subclass; None if there is nothing."""
        state: Any = object.__getstate__(self)
        attributes = {k: v for k, v in (state[0] or {}).items() if k not in _PRIVATE}
        slots = {k: v for k, v in state[1].items() if k not in Tensor.__slots__}
        return (attributes or None, slots) if slots else attributes or None

    def __deepcopy__(self, memo: dict[Any, Any]) -> Self:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment; use .detach().clone()"
            )
        if id(self) in memo:
            return memo[id(self)]  # type: ignore[no-any-return]
        t = memo[id(self)] = _restore(*copy.deepcopy(self._parts(), memo))
        if self._grad is not None:
            t._grad = copy.deepcopy(self._grad, memo)
        state = copy.deepcopy(self.__getstate__(), memo)
        if state is not None and hasattr(t, "__setstate__"):
            t.__setstate__(state)
        elif state is not None:
            attributes, slots = state if isinstance(state, tuple) else (state, {})
            t.__dict__.update(attributes or {})
            for name, value in slots.items():
                setattr(t, name, value)
        return t  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        # Like PyTorch's: a copy of a result is a leaf over its memory, and hooks and gradients stay behind.
        hooks = self._node.hooks if self._node is not None and self._warns_of_hooks else None
        for key, hook in (hooks or {}).items():
            if key >= 0:
                warnings.warn(
                    f"backward hook {hook!r} on tensor will not be serialized: copies and pickles of a Tensor "
                    "have no hooks",
                    stacklevel=2,
                )
        return _restore, self._parts(), self.__getstate__()

    _warns_of_hooks = True

    def _parts(self) -> tuple[Any, ...]:
        """What `_restore` takes: for a view all of the memory, so that Tensors that share it do so afterwards."""
        needs_value("a copy or a pickle of a Tensor")
        array = memory = self._array
        while is_view(memory) and isinstance(memory.base, np.ndarray):
            memory = memory.base
        plain = memory.flags.c_contiguous or memory.flags.f_contiguous
        if memory is array or type(memory) is not np.ndarray or memory.dtype.hasobject or not plain:
            return array, self.requires_grad, type(self)
        offset = array.ctypes.data - memory.ctypes.data
        return memory, self.requires_grad, type(self), (array.dtype, array.shape, offset, array.strides)


_PRIVATE = frozenset({"_epoch", "_grad", "_inference"})


def _restore(
    memory: Any, requires_grad: bool, cls: type[Tensor] = Tensor, place: tuple[Any, ...] | None = None
) -> Any:
    """A leaf of an array, or of the place in its memory that is given by a dtype, shape, offset and strides."""
    dtype, shape, offset, strides = place or (memory.dtype, memory.shape, 0, memory.strides)
    dtype = np.dtype(dtype.str)  # an unpickled array has another object, which is not recognised as quickly
    if place or memory.dtype is not dtype:
        memory = np.ndarray(shape, dtype, memory.reshape(-1, order="A"), offset, strides)
    return Tensor._make_subclass(cls, creation.from_numpy(memory), requires_grad)


def is_tensor(obj: object) -> TypeIs[Tensor]:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


def _in_memory(array: Array) -> list[int]:
    """The dimensions by their steps in memory, the longest first."""
    return sorted(range(array.ndim), key=lambda d: -abs(array.strides[d]))


def _operand(other: Any) -> Any:
    return wrap_operand(other) if isinstance(other, np.ndarray) else other


def _not_recorded(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> str:
    """Why a call of NumPy's is refused, and what to write instead."""
    name, leaves = f"np.{ufunc.__name__}", "or t.detach().numpy() to leave the tape"
    out = options.get("out", ())
    if method == "__call__" and any(type(a) is np.ndarray for a in out):
        sign = _SIGNS.get(ufunc) if inputs[0] is out[0] else None
        what = f"a {sign}= t, with a NumPy array a," if sign else f"{name} with a NumPy array as out="
        tries = f"a = a {sign} t" if sign else f"t = {name}(...)"
        change = f"a {sign}= t.detach().numpy() to change the array" if sign else leaves[3:]
        return f"{what} would lose what a Tensor remembers; write {tries} for a Tensor, or {change}"
    if method != "__call__":
        own = _METHODS.get((ufunc, method), "its own functions")
        return f"{name}.{method} is not recorded by minigrad; use {own}, {leaves}"
    if ufunc in _UFUNCS or ufunc is np.matmul:
        given, first = ", ".join(f"{option}=" for option in options), next(iter(options))
        own = {"out": f"t = {name}(...)", "where": "minigrad.where", "dtype": "t.to(dtype)"}.get(
            first, "none"
        )
        return f"{name} is recorded by minigrad, but not with {given}; use {own}, {leaves}"
    return f"{name} is not recorded by minigrad; use its own functions, {leaves}"


_SIGNS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.true_divide: "/", np.floor_divide: "//", np.remainder: "%",
    np.power: "**", np.matmul: "@", np.bitwise_and: "&", np.bitwise_or: "|", np.bitwise_xor: "^",
}  # fmt: skip
_METHODS: dict[tuple[np.ufunc, str], str] = {
    (np.add, "reduce"): "t.sum()", (np.multiply, "reduce"): "t.prod()", (np.maximum, "reduce"): "t.amax()",
    (np.minimum, "reduce"): "t.amin()", (np.logical_and, "reduce"): "t.all()", (np.logical_or, "reduce"): "t.any()",
    (np.add, "accumulate"): "t.cumsum()", (np.multiply, "accumulate"): "t.cumprod()",
    (np.multiply, "outer"): "minigrad.outer", (np.add, "at"): "t.index_put_(..., accumulate=True)",
}  # fmt: skip
_UFUNCS: dict[np.ufunc, Op] = {
    op.kernel: op for op in reversed(TABLE.values()) if isinstance(op.kernel, np.ufunc) and not op.params
}
_UFUNCS |= {
    np.power: e.pow, np.floor_divide: e.floor_divide, np.remainder: e.remainder, np.fmod: e.fmod, np.sign: e.sign,
}  # fmt: skip
empty = creation.empty

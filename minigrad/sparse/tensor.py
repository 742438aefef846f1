"""`Sparse`: a Tensor that is two dense ones, the values ("numbers" in this room) and their indices ("places").

All that is computed with it is computed with these, so every reader of the tape sees operations that it knows. The
class takes functions over by ``__torch_function__``; what is written for it stands here, and in `TABLE`. Rows, columns
and other forms of PyTorch's are read from the places.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, NoReturn

import numpy as np

from minigrad import dtypes
from minigrad.autograd.grad_mode import is_grad_enabled
from minigrad.core.apply import apply, needs_value
from minigrad.core.node import Node, new
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import index_error, not_implemented_error, runtime_error, type_error, value_error
from minigrad.formats import sparse_coo, sparse_csc, sparse_csr
from minigrad.functions.dims import one_dim
from minigrad.gate.overriding import arm, plainly
from minigrad.kernels.sparse import ordered
from minigrad.ops import shape as s
from minigrad.sparse.table import NAMES, TABLE, cast_for, labelled, refused, stored

# Properties and functions that are those of the numbers; of the second kind the result is sparse.
_OF_NUMBERS = frozenset([
    "device", "dtype", "element_size", "get_device", "grad_fn", "is_complex", "is_cpu", "is_cuda", "is_floating_point",
    "is_inference", "is_leaf", "is_pinned", "is_signed", "itemsize", "retains_grad",
])  # fmt: skip
_EACH = frozenset([
    "bfloat16", "bool", "byte", "char", "cpu", "cuda", "detach", "double", "float", "half", "int", "long", "neg",
    "negative", "positive", "short", "to",
])  # fmt: skip
# Functions that leave 0 as it is; what is repeated is added up before.
_FROM_ZERO = frozenset([
    "abs", "absolute", "arcsin", "arcsinh", "arctan", "arctanh", "asin", "asinh", "atan", "atanh", "ceil", "deg2rad",
    "erf", "erfinv", "expm1", "floor", "frac", "isinf", "isnan", "isneginf", "isposinf", "log1p", "nan_to_num",
    "rad2deg", "relu", "round", "sgn", "sign", "signbit", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc",
])  # fmt: skip


def called(func: Any) -> str:
    """The name of a function that was called, of a property that of its getter."""
    owner = getattr(func, "__self__", None)
    getter: Any = owner.fget if isinstance(owner, property) else func
    name: str = getter.__name__
    return name.strip("_") if name.startswith("__") else name


class Sparse(Tensor):
    """A sparse Tensor. Users know it as Tensor."""

    __slots__ = ("_coalesced", "_form", "_numbers", "_places", "_sizes")

    _sparse = True
    _view = None
    _rows = False
    _places: Tensor  # where the numbers are, by sparse dimension: (sparse_dim, nnz), of whole numbers
    _numbers: Tensor  # (nnz, *sizes of the dense dimensions)
    _sizes: Size
    _form: Any  # the layout
    _coalesced: bool  # whether the places are sorted and none stands twice

    def __getattr__(self, name: str) -> NoReturn:
        # Code for dense Tensors would read the empty slot.
        if name == "_array":
            raise not_implemented_error(
                f"this operation takes no Tensor of the layout {self._form}: convert with .to_dense() first, or leave "
                "this part out of a compiled function"
            )
        raise AttributeError(f"'Tensor' object has no attribute {name!r}")

    @property
    def _node(self) -> Node | None:  # type: ignore[override]
        return self._numbers._node

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if isinstance(getattr(func, "__self__", None), property) and not isinstance(args[0], Sparse):
            return plainly(func, types, args, kwargs)  # a dense Tensor is given a sparse gradient
        name, named = called(func), dict(kwargs or {})
        out = named.pop("out", None)
        try:
            result = cls._run(func, name, args, named, out)
            return result if out is None else stored(name, result, out)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            # What Python or NumPy say inside has no line of the user's; `grad` runs hooks, whose errors are left alone.
            if " (at " in str(error) or name == "grad":
                raise
            kind = index_error if isinstance(error, IndexError) else type_error
            given = ", ".join(type(x).__name__ for x in (*args[1:], *named.values()))
            raise kind(f"{name}() of a sparse Tensor does not take ({given}): {error}") from error

    @staticmethod
    def _run(func: Any, name: str, args: tuple[Any, ...], named: dict[str, Any], out: Any) -> Any:
        t = next((x for x in _flat((*args, *named.values())) if isinstance(x, Sparse)), None)
        own = TABLE.get(name)
        if own is not None and t is not None:
            return own(*args, **named)
        if t is None or not args or t is not args[0]:
            first = next((x for x in args if isinstance(x, Tensor)), out)
            raise refused(name, first if t is None else t)
        method = vars(Sparse).get(name)
        if callable(method):
            return method(*args, **named)
        plain = [x._numbers if isinstance(x, Sparse) else x for x in args]
        if name in _OF_NUMBERS:
            return func(*plain, **named)
        if name in _EACH:
            numbers = func(*plain, **named)
            return t if numbers is t._numbers else t._like(numbers)
        if name in _FROM_ZERO:
            t = t._summed()
            return t._like(func(t._numbers, *plain[1:], **named))
        out_of_place = getattr(Tensor, name[:-1], None) if name[-1] == "_" else None
        if out_of_place is None:
            raise refused(name, t)
        return t._become(cast_for(name, out_of_place(*args, **named), t))

    # ------------------------------------------------------------ parts

    def _like(self, numbers: Tensor) -> Sparse:
        """Other numbers at the same places."""
        return made(self._places, numbers, self._sizes, self._form, self._coalesced)

    def _become(self, other: Any) -> Sparse:
        """Another's parts; under ``no_grad`` a leaf stays one. RuntimeError where operations are recorded."""
        if not isinstance(other, Sparse):
            raise runtime_error(
                "the result is dense, so it does not go into a sparse Tensor; use .to_dense()"
            )
        if self.requires_grad and self.is_leaf and is_grad_enabled():
            raise runtime_error(
                "a leaf Variable that requires grad is being used in an in-place operation; use no_grad()"
            )
        if self.requires_grad and self.is_leaf:
            numbers = other._numbers.detach().requires_grad_()
            numbers.grad = self._numbers.grad if numbers.shape == self._numbers.shape else None
        else:
            numbers = other._numbers
        self._places, self._numbers, self._sizes = other._places, numbers, other._sizes
        self._coalesced = other._coalesced
        return self

    def _keys(self) -> Any:
        """The places as one number each, in the order of rows."""
        sizes = self._sizes[: self.sparse_dim()]
        return keys(self._places._array, sizes)

    def _summed(self) -> Sparse:
        """With what is repeated added up; the form stays."""
        return self if self._form is not sparse_coo else self.coalesce()

    def _coo(self) -> Sparse:
        """In the form of places."""
        if self._form is sparse_coo:
            return self
        t = made(self._places.long(), self._numbers, self._sizes, sparse_coo, self._form is sparse_csr)
        return t if t._coalesced else t.coalesce()

    def _must_be(self, form: Any, name: str, what: str) -> None:
        if self._form is not form:
            raise runtime_error(f"{name} expected {what} tensor layout but got {NAMES[self._form.name]}")

    @labelled("Coalesce")
    def coalesce(self) -> Sparse:
        """With the places sorted, and what is repeated added up; itself if it is so already."""
        self._must_be(sparse_coo, "coalesce", "sparse coordinate")
        if self._coalesced:
            return self
        needs_value("coalesce()")
        order = ordered(at := self._keys())
        at = at[order]
        first = np.concatenate([[True], at[1:] != at[:-1]])[: len(at)]
        numbers = self._numbers.index_select(0, wrap(order))
        if not first.all():
            count = int(first.sum())
            none = numbers.detach().new_zeros((count, *numbers.shape[1:]))
            numbers = none.index_add(0, wrap(np.cumsum(first) - 1), numbers)
        return made(wrap(self._places._array[:, order[first]]), numbers, self._sizes, sparse_coo, True)

    def is_coalesced(self) -> bool:
        """Whether the places are sorted and none stands twice."""
        self._must_be(sparse_coo, "is_coalesced", "sparse coordinate")
        return self._coalesced

    def _coalesced_(self, coalesced: bool) -> Sparse:
        self._coalesced = coalesced
        return self

    def indices(self) -> Tensor:
        """The places (sparse_dim, nnz). RuntimeError where some may stand twice."""
        self._must_be(sparse_coo, "indices", "sparse coordinate")
        return self._unique("indices", self._places)

    @labelled("Values")
    def values(self) -> Tensor:
        """The numbers (nnz, ...), with their record. RuntimeError where places may stand twice."""
        if self._form is not sparse_coo:
            return self._numbers
        return self._unique("values", self._numbers)

    def _unique(self, what: str, part: Tensor) -> Tensor:
        if not self._coalesced:
            raise runtime_error(f"Cannot get {what} on an uncoalesced tensor, please call .coalesce() first")
        return apply(s.alias, (part,))

    def _indices(self) -> Tensor:
        """The places as they are."""
        if self._form is not sparse_coo:
            raise refused("_indices", self)
        return self._places

    def _values(self) -> Tensor:
        """The numbers as they are, without record."""
        if self._form is not sparse_coo:
            raise refused("_values", self)
        return self._numbers.detach()

    def _nnz(self) -> int:
        """How many numbers there are."""
        return len(self._numbers)

    # ------------------------------------------------------------ what there is to know

    @property
    def shape(self) -> Size:
        return self._sizes

    @property
    def layout(self) -> Any:
        return self._form

    @property
    def is_sparse(self) -> bool:
        return self._form is sparse_coo

    @property
    def is_sparse_csr(self) -> bool:
        return self._form is sparse_csr

    @property
    def ndim(self) -> int:
        return len(self._sizes)

    @property
    def nbytes(self) -> int:
        raise runtime_error("nbytes is not defined for sparse tensors; add those of the indices and values")

    def size(self, dim: int | None = None) -> Any:
        return self._sizes if dim is None else self._sizes[one_dim(dim, self.ndim)]

    def dim(self) -> int:
        return len(self._sizes)

    def numel(self) -> int:
        return math.prod(self._sizes)

    ndimension, nelement = dim, numel

    def sparse_dim(self) -> int:
        """How many dimensions have places."""
        return len(self._places)

    def dense_dim(self) -> int:
        """How many dimensions each number has."""
        return self.ndim - self.sparse_dim()

    def is_contiguous(self, memory_format: Any = None) -> bool:
        return False

    def contiguous(self, memory_format: Any = None) -> NoReturn:
        raise runtime_error("unsupported memory format option Contiguous: it is sparse; use .coalesce()")

    def stride(self, dim: int | None = None) -> Any:
        if self._form is not sparse_coo:
            raise runtime_error("Sparse CSR tensors do not have strides")
        return (0,) * self.ndim if dim is None else 0

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        if dtype is not None:
            return self.to(dtype)
        return self._numbers.type().replace(".", ".sparse.", 1)

    def is_same_size(self, other: Tensor) -> bool:
        return self.shape == other.shape

    def __len__(self) -> int:
        return self._sizes[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def item(self) -> Any:
        if self.numel() != 1:
            raise runtime_error(f"a Tensor with {self.numel()} elements cannot be converted to Scalar")
        return self.to_dense().item()

    def __bool__(self) -> bool:
        return bool(self.to_dense()) if self.numel() == 1 else bool(wrap(np.empty(2)))

    def __float__(self) -> float:
        if self.numel() != 1:
            raise value_error("only one element tensors can be converted to Python scalars")
        return float(self.item())

    def numpy(self, *, force: bool = False) -> NoReturn:
        raise type_error(
            f"can't convert {NAMES[self._form.name]} layout tensor to numpy. Use Tensor.to_dense() first."
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.numpy()

    def tolist(self) -> NoReturn:
        raise runtime_error("Cannot access data pointer of Tensor that doesn't have storage; use .to_dense()")

    def data_ptr(self) -> NoReturn:
        self.tolist()

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise type_error("Cannot assign to a sparse tensor; build another, or use .to_dense()")

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        from minigrad.sparse.text import sparse_text

        needs_value("printing a Tensor")
        numbers, places = self._numbers._array, self._places._array
        suffixes = [f"size={tuple(self._sizes)}", f"nnz={len(numbers)}"]
        usual = dtypes.default_float()
        if numbers.dtype not in (usual, dtypes.complex_of(usual), dtypes.I64, dtypes.BOOL):
            suffixes.append(f"dtype={self.dtype}")
        suffixes.append(f"layout={self._form}")
        if self.requires_grad:
            own = self._numbers.grad_fn
            suffixes.append("requires_grad=True" if own is None else f"grad_fn=<{own.title()}>")
        parts = {"indices": places, "values": numbers}
        if self._form is sparse_csr:
            parts = {"crow_indices": self.crow_indices()._array, "col_indices": places[1], "values": numbers}
        elif self._form is sparse_csc:
            parts = {"ccol_indices": self.ccol_indices()._array, "row_indices": places[0], "values": numbers}
        text = sparse_text(parts, suffixes, self._form is sparse_coo)
        return f"Parameter containing:\n{text}" if vars(self).get("_is_param") else text

    def __format__(self, spec: str) -> str:
        return object.__format__(self, spec) if spec else repr(self)

    # ------------------------------------------------------------ gradients

    @property
    def requires_grad(self) -> bool:
        return self._numbers.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Sparse:
        self._numbers.requires_grad_(requires_grad)
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient of its numbers, at their places."""
        g = self._numbers.grad
        if g is None:
            return None
        if self._coalesced or self._form is not sparse_coo:
            return self._like(g)
        _, first = np.unique(self._keys(), return_index=True)
        return made(wrap(self._places._array[:, first]), g[wrap(first)], self._sizes, sparse_coo, True)

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        t: Any = None if value is None else value.sparse_mask(self)
        self._numbers.grad = None if t is None else t._numbers

    @property
    def data(self) -> Sparse:
        return self._like(self._numbers.data)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Sparse):
            raise refused("set_data", self)
        self._become(value)

    def retain_grad(self) -> None:
        self._numbers.retain_grad()

    def register_hook(self, hook: Callable[[Any], Any]) -> Any:
        def of_numbers(g: Tensor) -> Any:
            replaced = hook(self._like(g))
            return None if replaced is None else replaced._numbers

        return self._numbers.register_hook(of_numbers)

    def detach_(self) -> Sparse:
        self._numbers = self._numbers.detach()
        return self

    def backward(self, gradient: Any = None, *args: Any, **named: Any) -> None:
        if gradient is None:
            raise runtime_error("grad can be implicitly created only for scalar outputs")
        self.to_dense().backward(gradient.to_dense(), *args, **named)

    # ------------------------------------------------------------ other forms

    @labelled("ToDense")
    def to_dense(self, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
        """The same elements in a dense Tensor; gradients reach the places alone."""
        sizes, count = self._sizes, math.prod(self._sizes[: self.sparse_dim()])
        flat = self._numbers.detach().new_zeros((count, *sizes[self.sparse_dim() :]))
        dense = flat.index_add(0, wrap(self._keys()), self._numbers).reshape(sizes)
        return dense if dtype is None else dense.to(dtype)

    @labelled("ToSparseCsr")
    def _in(self, form: Any) -> Sparse:
        """By places, by rows or by columns."""
        if form is self._form:
            return self
        if form is sparse_coo:
            return self._coo()
        if form not in (sparse_csr, sparse_csc):
            raise not_implemented_error(
                f"to_sparse(): there are the layouts sparse_coo, sparse_csr and sparse_csc, not {form}"
            )
        if self.ndim != 2 or self.dense_dim():
            raise runtime_error(
                f"only a matrix of numbers has the layout {form} here, this one has shape {list(self._sizes)}"
            )
        t = self._coo().coalesce()
        if form is sparse_csr:
            return made(t._places, t._numbers, t._sizes, form)
        order = wrap(ordered(t._places._array[1]))
        return made(t._places[:, order], t._numbers.index_select(0, order), t._sizes, form)

    @labelled("Clone")
    def clone(self, *, memory_format: Any = None) -> Sparse:
        """A copy, also of the places."""
        return made(self._places.clone(), self._numbers.clone(), self._sizes, self._form, self._coalesced)

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        from copy import deepcopy

        if id(self) not in memo:
            places, numbers = deepcopy(self._places, memo), deepcopy(self._numbers, memo)
            t = memo[id(self)] = made(places, numbers, self._sizes, self._form, self._coalesced)
            vars(t).update(vars(self))  # that it is a Parameter
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return made, (self._places, self._numbers, self._sizes, self._form, self._coalesced)


def made(
    places: Tensor, numbers: Tensor, sizes: Iterable[int], form: Any = sparse_coo, coalesced: bool = False
) -> Sparse:
    """A sparse Tensor of these parts, which nobody checks."""
    t: Sparse = new(Sparse)
    t._places, t._numbers, t._sizes, t._form = places, numbers, Size(sizes), form
    t._coalesced = coalesced or (form is sparse_coo and len(numbers) < 2)
    return t


def keys(places: Any, sizes: Iterable[int]) -> Any:
    """Places as one number each, in the order of rows."""
    total = np.zeros(places.shape[1], np.int64)
    for at, n in zip(places, sizes, strict=True):
        total = total * n + at
    return total


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    """Arguments, and what lists and tuples among them hold."""
    for x in values:
        if isinstance(x, (list, tuple)):
            yield from x
        else:
            yield x


Sparse.__name__ = Sparse.__qualname__ = "Tensor"
Sparse.__module__ = "minigrad"
arm()
for _file in ("dims", "elements", "forms", "products", "sums"):  # each enters its functions into the table
    import_module(f"minigrad.sparse.{_file}")

"""Written by `.ci/stubs`: the class Tensor with all its methods."""

import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import EllipsisType
from typing import Any, Literal, NamedTuple, NoReturn, Self, SupportsIndex, TypeVar, overload

import numpy as np

from minigrad import dtypes
from minigrad.core.hooks import RemovableHandle
from minigrad.core.node import Node
from minigrad.core.op import Array, Path
from minigrad.core.recorder import Draws
from minigrad.core.size import Size
from minigrad.device import DeviceLike
from minigrad.device import device as Device
from minigrad.dtypes import DTypeLike
from minigrad.functions.results import Extremes, MantissaAndExponent, InverseAndInfo, ResultAndInfo, FactorAndInfo, SignAndLogDet, QR, OlderQR, Eig, Eigh, SVD, OlderSVD, LU, Unpacked, LUFactor, LUFactorAndInfo, LeastSquares, TriangularSolution
from minigrad.hints import MissingMethods
from minigrad.storage import TypedStorage, UntypedStorage

class View(NamedTuple):
    base: Tensor
    path: Path
    epoch: int
    outside: str = ...
    own: bool = ...

class ValuesAndIndices(NamedTuple):
    values: Tensor
    indices: Tensor

class Tensor(MissingMethods):
    """An n-dimensional array that remembers how it was computed.

``Tensor(2, 3)``, or of a `Size`, makes one of that shape with whatever is in it, ``Tensor([1, 2])`` one of the
default float and ``Tensor()`` one without elements, as in PyTorch; `minigrad.tensor` is the usual way.
``Tensor(t)`` of a Tensor shares its memory, and gradients pass. TypeError for a float."""

    _array: Array
    _node: Node | None
    _rows: bool
    _view: View | None
    _epoch: builtins.int
    _inference: builtins.bool
    _sparse: builtins.bool
    def add_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic, *, alpha: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """``self += alpha * other``."""
    def sub_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic, *, alpha: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """``self -= alpha * other``."""
    subtract_ = sub_
    def float_power_(self, exponent: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`float_power`, in place. RuntimeError where that is of another dtype: it is float64, or complex128."""
    def fill_diagonal_(self, fill_value: builtins.int | builtins.float | builtins.bool, wrap: builtins.bool=False) -> Tensor:
        """The elements whose indices are all equal become ``fill_value``.
    
    In a matrix of more rows than columns ``wrap`` begins again below, after an empty row. RuntimeError for fewer
    than two dimensions, and for more than two of several lengths."""
    def uniform_(self, from_: builtins.float=0.0, to: builtins.float=1.0, *, generator: Draws | None=None, **named: builtins.float) -> Tensor:
        """Overwritten with uniform draws from [from, to)."""
    def normal_(self, mean: builtins.float=0.0, std: builtins.float=1.0, *, generator: Draws | None=None) -> Tensor:
        """Overwritten with normal draws."""
    def bernoulli_(self, p: Tensor | builtins.float=0.5, *, generator: Draws | None=None) -> Tensor:
        """Overwritten with 1 of probability ``p`` and 0 else."""
    @overload
    def random_(self, to: builtins.int=..., *, generator: Draws | None=None) -> Tensor:
        ...
    @overload
    def random_(self, from_: int, to: int | None, /, *, generator: Draws | None=None) -> Tensor:
        ...
    def exponential_(self, lambd: builtins.float=1.0, *, generator: Draws | None=None) -> Tensor:
        """Overwritten with draws of density ``lambd * exp(-lambd * x)``."""
    def cauchy_(self, median: builtins.float=0.0, sigma: builtins.float=1.0, *, generator: Draws | None=None) -> Tensor:
        """Overwritten with draws of a Cauchy distribution. RuntimeError unless ``sigma`` > 0."""
    def geometric_(self, p: builtins.float, *, generator: Draws | None=None) -> Tensor:
        """Overwritten with numbers of trials up to the first success of chance ``p``."""
    def log_normal_(self, mean: builtins.float=1.0, std: builtins.float=2.0, *, generator: Draws | None=None) -> Tensor:
        """Overwritten with exp(x) of normal draws x. RuntimeError unless ``std`` > 0."""
    def _draw(self, generator: Draws | None, method: str, before: tuple[Any, ...], after: tuple[Any, ...]=(), of: Tensor | None=None, **options: Any) -> Tensor:
        """Overwritten with draws, which come in the order in which the elements lie in memory.
    
    The generator's method gets ``before``, the shape, the dtype, and ``after``; ``of`` gets a gradient of 0."""
    def to(self, *args: dtypes.DTypeLike | DeviceLike | Tensor | builtins.bool, dtype: dtypes.DTypeLike | None=None, device: DeviceLike=None, copy: builtins.bool=False, **ignored: object) -> Tensor:
        """In another dtype (recorded); itself if nothing changes, unless ``copy``. A device may only be the CPU.
    
    By place come a device, a dtype or a Tensor that has it, then ``non_blocking``, which changes nothing, and
    ``copy``. TypeError for two of a kind."""
    @overload
    def type(self, dtype: None=None, non_blocking: builtins.bool=False) -> str:
        ...
    @overload
    def type(self, dtype: dtypes.DTypeLike | str | Callable[..., Tensor], non_blocking: builtins.bool=False) -> Tensor:
        ...
    def type_as(self, other: Tensor) -> Tensor:
        """In the dtype of ``other``."""
    def cpu(self) -> Tensor:
        """Itself."""
    def new(self, *args: Any, device: DeviceLike=None) -> Tensor:
        """Memory of those sizes in this dtype, or a copy of data: PyTorch's way before `new_empty` and `new_tensor`."""
    def new_tensor(self, data: Any, *, dtype: dtypes.DTypeLike | None=None, device: DeviceLike=None, requires_grad: builtins.bool=False) -> Tensor:
        """`minigrad.tensor`, in the dtype of this Tensor unless ``dtype`` says another."""
    def new_empty_strided(self, size: Sequence[builtins.int], stride: Sequence[builtins.int], *, dtype: dtypes.DTypeLike | None=None, device: DeviceLike=None, requires_grad: builtins.bool=False) -> Tensor:
        """`minigrad.empty_strided`, in the dtype of this Tensor unless ``dtype`` says another."""
    def new_full(self, size: builtins.int | Sequence[builtins.int], fill_value: Tensor | (builtins.int | builtins.float | builtins.bool), *, dtype: dtypes.DTypeLike | None=None, device: DeviceLike=None, requires_grad: builtins.bool=False) -> Tensor:
        """`minigrad.full`, in the dtype of this Tensor unless ``dtype`` says another."""
    def __getstate__(self) -> Any:
        """What a user set on it: attributes, and slots of a subclass; None if there is nothing."""
    def __deepcopy__(self, memo: dict[Any, Any]) -> Self:
        ...
    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        ...
    def _parts(self) -> tuple[Any, ...]:
        """What `_restore` takes: for a view all of the memory, so that Tensors that share it do so afterwards."""
    @property
    def requires_grad(self) -> builtins.bool:
        """Whether operations on it are recorded. May be set on leaves."""
    @requires_grad.setter
    def requires_grad(self, value: builtins.bool) -> None:
        ...
    def requires_grad_(self, requires_grad: builtins.bool=True) -> Self:
        """Turns recording on or off for a leaf. RuntimeError for other Tensors and for integers."""
    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have added up here, None before the first."""
    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        ...
    @grad.deleter
    def grad(self) -> None:
        ...
    @property
    def is_leaf(self) -> builtins.bool:
        """Whether it was not computed from Tensors that require grad."""
    @property
    def grad_fn(self) -> Node | None:
        """The record of the operation that made it, None for a leaf."""
    @property
    def _base(self) -> Tensor | None:
        """The Tensor that this one is a view of, None if it is not a view."""
    def _is_view(self) -> builtins.bool:
        """Whether it shows the memory of another Tensor."""
    @property
    def _version(self) -> builtins.int:
        """How often its memory was changed in place, through whichever Tensor. RuntimeError of inference mode's."""
    @property
    def data(self) -> Tensor:
        """A Tensor over the same memory, without history; setting it gives the Tensor other memory.
    
    No backward pass notices a change in place of it, unlike one of `detach`."""
    @data.setter
    def data(self, value: Tensor) -> None:
        ...
    @property
    def retains_grad(self) -> builtins.bool:
        """Whether `retain_grad` was called on a result."""
    def backward(self, gradient: Tensor | None=None, retain_graph: builtins.bool | builtins.int | None=None, create_graph: builtins.bool | builtins.int=False, inputs: Tensor | Iterable[Tensor] | None=None) -> None:
        """Adds the gradients of this Tensor to ``.grad`` of the leaves (or ``inputs``) that it was computed from.
    
    ``gradient``, of the same shape, is needed unless there is one element.  The saved arrays are freed
    unless ``retain_graph``; ``create_graph`` records the pass so that it can be differentiated again.
    RuntimeError if nothing requires grad, the graph was freed, or a saved array was changed in place."""
    def retain_grad(self) -> None:
        """Keeps the gradient of a result in ``.grad`` too, which backward fills of leaves only.
    
    Nothing happens for a leaf. RuntimeError for a Tensor that does not require grad."""
    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Calls ``hook(grad)`` when the gradient is known. What ``hook`` returns, unless None, takes its place."""
    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Calls ``hook(self)`` each time a backward pass has put or added a gradient into ``.grad`` of a leaf.
    
    `autograd.grad` leaves ``.grad`` alone, and so calls no hook. RuntimeError if it is not a leaf or does not
    require grad."""
    def _hooks(self) -> dict[builtins.int, Callable[[Tensor], Any]]:
        ...
    def detach_(self) -> Self:
        """Forgets how this Tensor was computed, and returns it: it no longer requires grad. RuntimeError for a view."""
    def __array_function__(self, func: Callable[..., Any], types: tuple[builtins.type, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """NumPy's functions on Tensors: recorded where minigrad has one that means the same."""
    def __array_namespace__(self, *, api_version: str | None=None) -> Any:
        """Functions of Tensors by the names of the array API standard; einops asks for it."""
    def __dlpack__(self, *, stream: Any=None, max_version: tuple[builtins.int, builtins.int] | None=None, dl_device: tuple[builtins.int, builtins.int] | None=None, copy: builtins.bool | None=None) -> Any:
        """A capsule of DLPack over the same memory; a CPU has no ``stream``. BufferError if it requires grad."""
    def __dlpack_device__(self) -> tuple[builtins.int, builtins.int]:
        """The kind of device and its number, as DLPack has them: the CPU."""
    def __rtruediv__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    __rdiv__ = __rtruediv__
    def __invert__(self) -> Tensor:
        ...
    def __pow__(self, exponent: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __rpow__(self, base: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __ipow__(self, exponent: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __matmul__(self, other: Tensor | Array) -> Tensor:
        ...
    def __rmatmul__(self, other: Tensor | Array) -> Tensor:
        ...
    @property
    def T(self) -> Tensor:
        """The dimensions in reverse order; deprecated in PyTorch but for matrices."""
    @property
    def real(self) -> Tensor:
        """The real part, as a view; of real numbers the Tensor itself."""
    @real.setter
    def real(self, value: Tensor | (builtins.int | builtins.float | builtins.bool)) -> None:
        ...
    @property
    def imag(self) -> Tensor:
        """The imaginary part, as a view. RuntimeError for real numbers."""
    @imag.setter
    def imag(self, value: Tensor | (builtins.int | builtins.float | builtins.bool)) -> None:
        ...
    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged; RuntimeError for a vector."""
    @property
    def mH(self) -> Tensor:
        """`mT`, conjugated. RuntimeError for a vector."""
    @property
    def H(self) -> Tensor:
        """The transposed matrix, conjugated. RuntimeError for anything but a matrix."""
    def polygamma(self, n: builtins.int) -> Tensor:
        """`minigrad.polygamma` of it."""
    def where(self, condition: Tensor, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """Itself where ``condition`` holds, else ``other``."""
    @property
    def is_cpu(self) -> builtins.bool:
        """True."""
    @property
    def is_cuda(self) -> builtins.bool:
        """False."""
    is_mps = is_xpu = is_xla = is_mtia = is_vulkan = is_meta = is_cuda
    is_sparse = is_sparse_csr = is_nested = is_quantized = is_mkldnn = is_cuda
    def is_signed(self) -> builtins.bool:
        """Whether negative values exist."""
    def get_device(self) -> builtins.int:
        """-1, as of every Tensor on the CPU."""
    def pin_memory(self, device: DeviceLike=None) -> Tensor:
        """RuntimeError: memory is pinned for a graphics card."""
    def is_pinned(self, device: DeviceLike=None) -> builtins.bool:
        """False."""
    def cuda(self, device: Any=None, non_blocking: builtins.bool=False) -> Tensor:
        """AssertionError: the only device is the CPU."""
    def is_shared(self) -> builtins.bool:
        """Whether its memory is that of `share_memory_`."""
    def share_memory_(self) -> Self:
        """Moves the values to memory that processes share; returns itself.
    
    A process that is started from now on has it, as an argument or by a fork, and sees what others write. A view
    that was taken before keeps the old memory. Through a queue goes a copy."""
    @staticmethod
    def __torch_dispatch__(func: Callable[..., Any], types: Any, args: Any=(), kwargs: Any=None) -> Any:
        """The function: there is nothing below the public ones that a class takes over."""
    def __init_subclass__(cls, **options: Any) -> None:
        ...
    @classmethod
    def __torch_function__(cls, func: Callable[..., Any], types: Iterable[builtins.type], args: tuple[Any, ...]=(), kwargs: dict[str, Any] | None=None) -> Any:
        """The result of ``func``, a public function that got Tensors of this class, with Tensors of the class in it.
    
    A subclass may write its own, and call this one by ``super()``. ``types`` are the classes of arguments that
    take over; NotImplemented where this class is none of their subclasses, so that theirs are asked."""
    def as_subclass(self, cls: builtins.type[Own]) -> Own:
        """This Tensor as one of a subclass, of the same memory and in the same graph. TypeError for any other class.
    
    What operations make of it are of that class too, by its ``__torch_function__``. NotImplementedError for a
    class with a ``__torch_dispatch__``."""
    @staticmethod
    def _make_subclass(cls: builtins.type[Own], data: Tensor, requires_grad: builtins.bool=False) -> Own:
        """A leaf of another class over the same memory."""
    @staticmethod
    def _make_wrapper_subclass(cls: builtins.type, *args: Any, **kwargs: Any) -> NoReturn:
        """NotImplementedError: such a Tensor has no memory, and takes over all that happens to it."""
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions on Tensors: recorded like minigrad's own where there is one."""
    _grad: Tensor | None
    def __new__(cls, *data: builtins.int | Sequence[Any] | Array | Tensor, device: DeviceLike=None) -> Self:
        ...
    @property
    def shape(self) -> Size:
        """The size of each dimension."""
    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""
    @property
    def device(self) -> Device:
        """Always the CPU."""
    @property
    def ndim(self) -> builtins.int:
        """The number of dimensions."""
    @property
    def itemsize(self) -> builtins.int:
        """Bytes per element."""
    def element_size(self) -> builtins.int:
        """The bytes of one element."""
    @property
    def layout(self) -> Any:
        """``strided``: that of all dense Tensors."""
    @property
    def nbytes(self) -> builtins.int:
        """Bytes of all elements."""
    @overload
    def size(self, dim: None=None) -> Size:
        ...
    @overload
    def size(self, dim: builtins.int) -> builtins.int:
        ...
    def dim(self) -> builtins.int:
        """The number of dimensions."""
    ndimension = dim
    def numel(self) -> builtins.int:
        """The number of elements."""
    nelement = numel
    @property
    def strides(self) -> tuple[builtins.int, ...]:
        """The step in memory along each dimension in bytes, as NumPy's arrays have it; matplotlib asks for it."""
    @overload
    def stride(self, dim: None=None) -> tuple[builtins.int, ...]:
        ...
    @overload
    def stride(self, dim: builtins.int) -> builtins.int:
        ...
    def dim_order(self, *, ambiguity_check: builtins.bool | list[Any]=False) -> tuple[builtins.int, ...]:
        """The dimensions in the order in which memory goes over them, the outermost first.
    
    ``ambiguity_check``: True for a RuntimeError where another order is as true, as with dimensions of size 1; of a
    list of memory formats, where it lies not in exactly one of them. TypeError for anything else."""
    def is_contiguous(self, memory_format: Any=None) -> builtins.bool:
        """Whether memory is in row order, or in that of the format, without gaps. TypeError for anything else."""
    def is_floating_point(self) -> builtins.bool:
        """Whether elements are floats."""
    def is_inference(self) -> builtins.bool:
        """Whether it was made in inference mode."""
    @property
    def _cdata(self) -> builtins.int:
        """A number that no other Tensor has while this one lives."""
    def data_ptr(self) -> builtins.int:
        """The address of the first element."""
    def item(self) -> builtins.int | builtins.float | builtins.bool:
        """The one element as a Python number. RuntimeError unless there is exactly one."""
    def tolist(self) -> list[Any]:
        """Nested lists of Python numbers; for a 0-d Tensor the number."""
    def numpy(self, *, force: builtins.bool=False) -> Array:
        """An array over the same memory.
    
    RuntimeError if the Tensor requires grad, unless ``force`` is True or grad mode is off; TypeError for bfloat16."""
    def __array__(self, dtype: np.dtype[Any] | None=None, copy: builtins.bool | None=None) -> Array:
        ...
    def __repr__(self) -> str:
        ...
    def __format__(self, spec: str) -> str:
        ...
    def __len__(self) -> builtins.int:
        ...
    def __iter__(self) -> Iterator[Tensor]:
        ...
    def __delitem__(self, key: object) -> None:
        ...
    def __reversed__(self) -> Tensor:
        ...
    def __contains__(self, element: object) -> builtins.bool:
        ...
    def __bool__(self) -> builtins.bool:
        ...
    __nonzero__ = __bool__
    def __int__(self) -> builtins.int:
        ...
    def __float__(self) -> builtins.float:
        ...
    def __complex__(self) -> complex:
        ...
    def _real(self) -> builtins.int | builtins.float | builtins.bool:
        """The one element. RuntimeError where it has an imaginary part."""
    def _only(self) -> builtins.int | builtins.float | builtins.bool:
        """The one element; ValueError, where `item` has a RuntimeError: PyTorch's kinds."""
    def __index__(self) -> builtins.int:
        ...
    def __dir__(self) -> list[str]:
        ...
    def __add__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __radd__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __iadd__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Self:
        ...
    def __sub__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __rsub__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __isub__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Self:
        ...
    def __mul__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __rmul__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __imul__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Self:
        ...
    def __truediv__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __itruediv__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Self:
        ...
    def __floordiv__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __rfloordiv__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __ifloordiv__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Self:
        ...
    def __mod__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __rmod__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __imod__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Self:
        ...
    def __and__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __rand__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __iand__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Self:
        ...
    def __or__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __ror__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __ior__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Self:
        ...
    def __xor__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __rxor__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __ixor__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Self:
        ...
    def __lshift__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __rlshift__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __ilshift__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Self:
        ...
    def __rshift__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __rrshift__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __irshift__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Self:
        ...
    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        ...
    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        ...
    def __lt__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __le__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __gt__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __ge__(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        ...
    def __neg__(self) -> Tensor:
        ...
    def __pos__(self) -> Tensor:
        ...
    def __abs__(self) -> Tensor:
        ...
    def float(self) -> Tensor:
        """In float32."""
    def double(self) -> Tensor:
        """In float64."""
    def half(self) -> Tensor:
        """In float16."""
    def bfloat16(self) -> Tensor:
        """In bfloat16."""
    def long(self) -> Tensor:
        """In int64."""
    def int(self) -> Tensor:
        """In int32."""
    def short(self) -> Tensor:
        """In int16."""
    def char(self) -> Tensor:
        """In int8."""
    def byte(self) -> Tensor:
        """In uint8."""
    def bool(self) -> Tensor:
        """In bool."""
    def cfloat(self) -> Tensor:
        """In complex64."""
    def cdouble(self) -> Tensor:
        """In complex128."""
    def new_zeros(self, *size: builtins.int | Sequence[builtins.int], dtype: DTypeLike | None=None, device: DeviceLike=None, requires_grad: builtins.bool=False) -> Tensor:
        """`minigrad.zeros` in this dtype."""
    def new_ones(self, *size: builtins.int | Sequence[builtins.int], dtype: DTypeLike | None=None, device: DeviceLike=None, requires_grad: builtins.bool=False) -> Tensor:
        """`minigrad.ones` in this dtype."""
    def new_empty(self, *size: builtins.int | Sequence[builtins.int], dtype: DTypeLike | None=None, device: DeviceLike=None, requires_grad: builtins.bool=False) -> Tensor:
        """`minigrad.empty` in this dtype."""
    def __getitem__(self, key: SupportsIndex | slice | EllipsisType | Array | Sequence[Any] | None | tuple[Any, ...] | Tensor) -> Tensor:
        ...
    def __setitem__(self, key: SupportsIndex | slice | EllipsisType | Array | Sequence[Any] | None | tuple[Any, ...] | Tensor, value: Any) -> None:
        ...
    def clone(self) -> Tensor:
        """A copy in memory of its own, with the gradient passing through."""
    def mul(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input * other``."""
    def mul_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`mul`, in place."""
    def multiply(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input * other``."""
    def multiply_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`multiply`, in place."""
    def neg(self) -> Tensor:
        """``-input``. RuntimeError for bool."""
    def neg_(self) -> Tensor:
        """`neg`, in place."""
    def negative(self) -> Tensor:
        """``-input``. RuntimeError for bool."""
    def negative_(self) -> Tensor:
        """`negative`, in place."""
    def floor_divide(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """The quotient rounded down, as ``//``. It has no gradient: RuntimeError in backward, as in PyTorch; ``div`` with a rounding mode is the same with a gradient of 0."""
    def floor_divide_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`floor_divide`, in place."""
    def remainder(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """The remainder with the sign of ``other``, as Python's ``%``."""
    def remainder_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`remainder`, in place."""
    def fmod(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """The remainder with the sign of ``input``."""
    def fmod_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`fmod`, in place."""
    def reciprocal(self) -> Tensor:
        """``1 / x``."""
    def reciprocal_(self) -> Tensor:
        """`reciprocal`, in place."""
    def exp(self) -> Tensor:
        """e to the power of each element."""
    def exp_(self) -> Tensor:
        """`exp`, in place."""
    def exp2(self) -> Tensor:
        """2 to the power of each element."""
    def exp2_(self) -> Tensor:
        """`exp2`, in place."""
    def expm1(self) -> Tensor:
        """``exp(x) - 1``, exact near 0."""
    def expm1_(self) -> Tensor:
        """`expm1`, in place."""
    def log(self) -> Tensor:
        """The natural logarithm; nan below 0, -inf at 0."""
    def log_(self) -> Tensor:
        """`log`, in place."""
    def log2(self) -> Tensor:
        """The logarithm to base 2."""
    def log2_(self) -> Tensor:
        """`log2`, in place."""
    def log10(self) -> Tensor:
        """The logarithm to base 10."""
    def log10_(self) -> Tensor:
        """`log10`, in place."""
    def log1p(self) -> Tensor:
        """``log(1 + x)``, exact near 0."""
    def log1p_(self) -> Tensor:
        """`log1p`, in place."""
    def sqrt(self) -> Tensor:
        """The square root; nan below 0, gradient inf at 0."""
    def sqrt_(self) -> Tensor:
        """`sqrt`, in place."""
    def rsqrt(self) -> Tensor:
        """One over the square root."""
    def rsqrt_(self) -> Tensor:
        """`rsqrt`, in place."""
    def sigmoid(self) -> Tensor:
        """``1 / (1 + exp(-x))``, without overflow."""
    def sigmoid_(self) -> Tensor:
        """`sigmoid`, in place."""
    def sin(self) -> Tensor:
        """The sine of radians."""
    def sin_(self) -> Tensor:
        """`sin`, in place."""
    def cos(self) -> Tensor:
        """The cosine of radians."""
    def cos_(self) -> Tensor:
        """`cos`, in place."""
    def tan(self) -> Tensor:
        """The tangent of radians."""
    def tan_(self) -> Tensor:
        """`tan`, in place."""
    def asin(self) -> Tensor:
        """The inverse sine, in radians."""
    def asin_(self) -> Tensor:
        """`asin`, in place."""
    def arcsin(self) -> Tensor:
        """The inverse sine, in radians."""
    def arcsin_(self) -> Tensor:
        """`arcsin`, in place."""
    def acos(self) -> Tensor:
        """The inverse cosine, in radians."""
    def acos_(self) -> Tensor:
        """`acos`, in place."""
    def arccos(self) -> Tensor:
        """The inverse cosine, in radians."""
    def arccos_(self) -> Tensor:
        """`arccos`, in place."""
    def atan(self) -> Tensor:
        """The inverse tangent, in radians."""
    def atan_(self) -> Tensor:
        """`atan`, in place."""
    def arctan(self) -> Tensor:
        """The inverse tangent, in radians."""
    def arctan_(self) -> Tensor:
        """`arctan`, in place."""
    def sinh(self) -> Tensor:
        """The hyperbolic sine."""
    def sinh_(self) -> Tensor:
        """`sinh`, in place."""
    def cosh(self) -> Tensor:
        """The hyperbolic cosine."""
    def cosh_(self) -> Tensor:
        """`cosh`, in place."""
    def tanh(self) -> Tensor:
        """The hyperbolic tangent."""
    def tanh_(self) -> Tensor:
        """`tanh`, in place."""
    def asinh(self) -> Tensor:
        """The inverse hyperbolic sine."""
    def asinh_(self) -> Tensor:
        """`asinh`, in place."""
    def arcsinh(self) -> Tensor:
        """The inverse hyperbolic sine."""
    def arcsinh_(self) -> Tensor:
        """`arcsinh`, in place."""
    def acosh(self) -> Tensor:
        """The inverse hyperbolic cosine."""
    def acosh_(self) -> Tensor:
        """`acosh`, in place."""
    def arccosh(self) -> Tensor:
        """The inverse hyperbolic cosine."""
    def arccosh_(self) -> Tensor:
        """`arccosh`, in place."""
    def atanh(self) -> Tensor:
        """The inverse hyperbolic tangent."""
    def atanh_(self) -> Tensor:
        """`atanh`, in place."""
    def arctanh(self) -> Tensor:
        """The inverse hyperbolic tangent."""
    def arctanh_(self) -> Tensor:
        """`arctanh`, in place."""
    def hypot(self, other: Tensor) -> Tensor:
        """``sqrt(input**2 + other**2)``. NotImplementedError for integers."""
    def hypot_(self, other: Tensor) -> Tensor:
        """`hypot`, in place."""
    def atan2(self, other: Tensor) -> Tensor:
        """The angle of the points (other, input), in radians."""
    def atan2_(self, other: Tensor) -> Tensor:
        """`atan2`, in place."""
    def arctan2(self, other: Tensor) -> Tensor:
        """The angle of the points (other, input), in radians."""
    def arctan2_(self, other: Tensor) -> Tensor:
        """`arctan2`, in place."""
    def abs(self) -> Tensor:
        """The absolute value; gradient 0 at 0."""
    def abs_(self) -> Tensor:
        """`abs`, in place."""
    def absolute(self) -> Tensor:
        """The absolute value; gradient 0 at 0."""
    def absolute_(self) -> Tensor:
        """`absolute`, in place."""
    def sign(self) -> Tensor:
        """-1, 0 or 1; gradient 0."""
    def sign_(self) -> Tensor:
        """`sign`, in place."""
    def floor(self) -> Tensor:
        """The next whole number below; gradient 0."""
    def floor_(self) -> Tensor:
        """`floor`, in place."""
    def ceil(self) -> Tensor:
        """The next whole number above; gradient 0."""
    def ceil_(self) -> Tensor:
        """`ceil`, in place."""
    def trunc(self) -> Tensor:
        """The whole number towards 0; gradient 0."""
    def trunc_(self) -> Tensor:
        """`trunc`, in place."""
    def fix(self) -> Tensor:
        """The whole number towards 0; gradient 0."""
    def fix_(self) -> Tensor:
        """`fix`, in place."""
    def maximum(self, other: Tensor) -> Tensor:
        """The larger of two elements; nan wins; at a tie each gets half the gradient."""
    def minimum(self, other: Tensor) -> Tensor:
        """The smaller of two elements; nan wins; at a tie each gets half the gradient."""
    def eq(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input == other`` by element (bool)."""
    def eq_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`eq`, in place."""
    def ne(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input != other`` by element (bool)."""
    def ne_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`ne`, in place."""
    def not_equal(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input != other`` by element (bool)."""
    def not_equal_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`not_equal`, in place."""
    def lt(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input < other`` by element (bool)."""
    def lt_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`lt`, in place."""
    def less(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input < other`` by element (bool)."""
    def less_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`less`, in place."""
    def le(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input <= other`` by element (bool)."""
    def le_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`le`, in place."""
    def less_equal(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input <= other`` by element (bool)."""
    def less_equal_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`less_equal`, in place."""
    def gt(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input > other`` by element (bool)."""
    def gt_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`gt`, in place."""
    def greater(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input > other`` by element (bool)."""
    def greater_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`greater`, in place."""
    def ge(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input >= other`` by element (bool)."""
    def ge_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`ge`, in place."""
    def greater_equal(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input >= other`` by element (bool)."""
    def greater_equal_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`greater_equal`, in place."""
    def isnan(self) -> Tensor:
        """True where an element is nan (bool)."""
    def isinf(self) -> Tensor:
        """True where an element is infinite (bool)."""
    def isfinite(self) -> Tensor:
        """True where an element is finite (bool)."""
    def logical_not(self) -> Tensor:
        """True where an element is zero (bool)."""
    def logical_not_(self) -> Tensor:
        """`logical_not`, in place."""
    def logical_and(self, other: Tensor) -> Tensor:
        """True where both are nonzero (bool)."""
    def logical_and_(self, other: Tensor) -> Tensor:
        """`logical_and`, in place."""
    def logical_or(self, other: Tensor) -> Tensor:
        """True where one is nonzero (bool)."""
    def logical_or_(self, other: Tensor) -> Tensor:
        """`logical_or`, in place."""
    def logical_xor(self, other: Tensor) -> Tensor:
        """True where exactly one is nonzero (bool)."""
    def logical_xor_(self, other: Tensor) -> Tensor:
        """`logical_xor`, in place."""
    def bitwise_not(self) -> Tensor:
        """Each bit flipped; for bool, not."""
    def bitwise_not_(self) -> Tensor:
        """`bitwise_not`, in place."""
    def bitwise_and(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """And of the bits of integers or bools."""
    def bitwise_and_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`bitwise_and`, in place."""
    def bitwise_or(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """Or of the bits of integers or bools."""
    def bitwise_or_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`bitwise_or`, in place."""
    def bitwise_xor(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """Exclusive or of the bits of integers or bools."""
    def bitwise_xor_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`bitwise_xor`, in place."""
    def bitwise_left_shift(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input * 2**other`` of integers, in their bits; 0 where ``other`` is not from 0 to their number."""
    def bitwise_left_shift_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`bitwise_left_shift`, in place."""
    def bitwise_right_shift(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input // 2**other`` of integers, in their bits; 0 or -1 where ``other`` is not from 0 to their number."""
    def bitwise_right_shift_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`bitwise_right_shift`, in place."""
    def logsumexp(self, dim: builtins.int | Sequence[builtins.int] | None, keepdim: builtins.bool=False) -> Tensor:
        """``log(sum(exp(input)))`` over ``dim``, without overflow; integers become the default float."""
    def erf(self) -> Tensor:
        """The error function."""
    def erf_(self) -> Tensor:
        """`erf`, in place."""
    def erfc(self) -> Tensor:
        """``1 - erf(input)``, exact also where that is small."""
    def erfc_(self) -> Tensor:
        """`erfc`, in place."""
    def erfinv(self) -> Tensor:
        """The inverse of `erf`; inf at 1, nan beyond."""
    def erfinv_(self) -> Tensor:
        """`erfinv`, in place."""
    def logit(self, eps: builtins.float | None=None) -> Tensor:
        """``log(input / (1 - input))``, of ``input`` between ``eps`` and ``1 - eps`` if that is given."""
    def logit_(self, eps: builtins.float | None=None) -> Tensor:
        """`logit`, in place."""
    def hardshrink(self, lambd: builtins.float=0.5) -> Tensor:
        """0 from ``-lambd`` to ``lambd``, else ``input``."""
    def threshold(self, threshold: builtins.int | builtins.float | builtins.bool, value: builtins.int | builtins.float | builtins.bool) -> Tensor:
        """``input`` where it is greater than ``threshold``, else ``value``."""
    def threshold_(self, threshold: builtins.int | builtins.float | builtins.bool, value: builtins.int | builtins.float | builtins.bool) -> Tensor:
        """`threshold`, in place."""
    def fmax(self, other: Tensor) -> Tensor:
        """The larger of two elements; the number where one is nan."""
    def fmin(self, other: Tensor) -> Tensor:
        """The smaller of two elements; the number where one is nan."""
    def copysign(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """The size of ``input`` with the sign of ``other``; gradient 0 where ``input`` is 0."""
    def copysign_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`copysign`, in place."""
    def nextafter(self, other: Tensor) -> Tensor:
        """The next floating-point number from ``input`` towards ``other``."""
    def nextafter_(self, other: Tensor) -> Tensor:
        """`nextafter`, in place."""
    def gcd(self, other: Tensor) -> Tensor:
        """The greatest common divisor of integers."""
    def gcd_(self, other: Tensor) -> Tensor:
        """`gcd`, in place."""
    def lcm(self, other: Tensor) -> Tensor:
        """The least common multiple of integers."""
    def lcm_(self, other: Tensor) -> Tensor:
        """`lcm`, in place."""
    def signbit(self) -> Tensor:
        """True where an element has a minus sign, also as -0 (bool)."""
    def isneginf(self) -> Tensor:
        """True where an element is -inf (bool)."""
    def isposinf(self) -> Tensor:
        """True where an element is inf (bool)."""
    def lgamma(self) -> Tensor:
        """The logarithm of the size of the gamma function. It needs SciPy."""
    def lgamma_(self) -> Tensor:
        """`lgamma`, in place."""
    def digamma(self) -> Tensor:
        """The derivative of `lgamma`. It needs SciPy."""
    def digamma_(self) -> Tensor:
        """`digamma`, in place."""
    def igamma(self, other: Tensor) -> Tensor:
        """The incomplete gamma function of order ``input`` up to ``other``, over the whole one. The order has no gradient: NotImplementedError in backward. It needs SciPy."""
    def igamma_(self, other: Tensor) -> Tensor:
        """`igamma`, in place."""
    def igammac(self, other: Tensor) -> Tensor:
        """``1 - igamma(input, other)``. It needs SciPy."""
    def igammac_(self, other: Tensor) -> Tensor:
        """`igammac`, in place."""
    def i0(self) -> Tensor:
        """The modified Bessel function of order 0. It needs SciPy."""
    def i0_(self) -> Tensor:
        """`i0`, in place."""
    def relu(self) -> Tensor:
        """``max(input, 0)``; gradient 0 at 0. RuntimeError for bool."""
    def relu_(self) -> Tensor:
        """`relu`, in place."""
    def logaddexp(self, other: Tensor) -> Tensor:
        """``log(exp(input) + exp(other))``, without overflow. NotImplementedError for integers."""
    def logaddexp2(self, other: Tensor) -> Tensor:
        """``log2(2**input + 2**other)``, without overflow. NotImplementedError for integers."""
    def xlogy(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input * log(other)``; 0 where ``input`` is 0, unless ``other`` is nan."""
    def xlogy_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`xlogy`, in place."""
    def sinc(self) -> Tensor:
        """``sin(pi * input) / (pi * input)``, and 1 at 0."""
    def sinc_(self) -> Tensor:
        """`sinc`, in place."""
    def log_softmax(self, dim: builtins.int, dtype: DTypeLike | None=None) -> Tensor:
        """The logarithm of `softmax`, which may be far below what float numbers hold of softmax itself."""
    def prelu(self, weight: Tensor) -> Tensor:
        """``input`` where it is positive, else ``weight * input``, with one weight, or one for each channel."""
    def softmax(self, dim: builtins.int, dtype: DTypeLike | None=None) -> Tensor:
        """``exp(input)`` divided by its sum along ``dim``; NotImplementedError for integers without a ``dtype``."""
    def cholesky(self, upper: builtins.bool=False) -> Tensor:
        """`linalg.cholesky`; deprecated in PyTorch."""
    def cholesky_inverse(self, upper: builtins.bool=False) -> Tensor:
        """The inverse of A, from the factor L of `cholesky` of A; with ``upper`` from its transpose."""
    def cholesky_solve(self, L: Tensor, upper: builtins.bool=False) -> Tensor:
        """``X`` with ``A @ X = input``, from the factor L of `cholesky` of A; with ``upper`` from its transpose."""
    def det(self) -> Tensor:
        """The determinant of square matrices (..., n, n). The gradient is right for singular ones, too."""
    def inverse(self) -> Tensor:
        """`linalg.inv`."""
    def logdet(self) -> Tensor:
        """The logarithm of the determinant: nan where that is negative, -inf where it is 0."""
    def lu(self, pivot: builtins.bool=True, get_infos: builtins.bool=False) -> tuple[Tensor, ...]:
        """`linalg.lu_factor`; with ``get_infos`` `linalg.lu_factor_ex`. Deprecated in PyTorch."""
    def lu_solve(self, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
        """`linalg.lu_solve`, with ``b`` in front."""
    def matrix_exp(self) -> Tensor:
        """The sum of ``matrix_power(A, k) / k!`` of square matrices (..., n, n)."""
    def matrix_power(self, n: builtins.int) -> Tensor:
        """A (..., m, m) times itself, ``n`` factors; its inverse where n is negative, the identity for 0.
    
    By squares. LinAlgError for a negative power of singular A."""
    def orgqr(self, input2: Tensor) -> Tensor:
        """`linalg.householder_product`."""
    def ormqr(self, tau: Tensor, other: Tensor, left: builtins.bool=True, transpose: builtins.bool=False) -> Tensor:
        """``Q @ other``, or with ``left=False`` ``other @ Q``; with ``transpose`` the adjoint of Q in its place.
    
    Q is (..., m, m), the whole product of the reflections of which `orgqr` gives the first columns."""
    def pinverse(self, rcond: builtins.float=1e-15) -> Tensor:
        """`linalg.pinv` with another tolerance."""
    def qr(self, some: builtins.bool=True) -> OlderQR:
        """`linalg.qr`; without ``some`` it is complete. Deprecated in PyTorch."""
    def slogdet(self) -> SignAndLogDet:
        """The sign of the determinant, and the logarithm of its size: -inf where A is singular, the gradient inf."""
    def svd(self, some: builtins.bool=True, compute_uv: builtins.bool=True) -> OlderSVD:
        """`linalg.svd` with the right vectors in columns; without ``some`` with all vectors.
    
    Without ``compute_uv`` U and V are zeros."""
    def triangular_solve(self, A: Tensor, upper: builtins.bool=True, transpose: builtins.bool=False, unitriangular: builtins.bool=False) -> TriangularSolution:
        """`linalg.solve_triangular`, with a copy of A beside it; ``transpose`` takes A transposed. Deprecated."""
    def aminmax(self, *, dim: builtins.int | None=None, keepdim: builtins.bool=False) -> Extremes:
        """The least and the greatest element, ``(min, max)``, over ``dim`` or over all; equal ones share the gradient."""
    def frexp(self) -> MantissaAndExponent:
        """``mantissa`` from 0.5 to 1 and ``exponent`` (int32), with ``input = mantissa * 2**exponent``.
    
    The gradient takes the exponent as fixed. RuntimeError for integers."""
    def heaviside(self, values: Tensor) -> Tensor:
        """0 below 0, 1 above, and ``values`` at 0; no gradient. RuntimeError unless both have one dtype."""
    def heaviside_(self, values: Tensor) -> Tensor:
        """`heaviside`, in place."""
    def is_nonzero(self) -> builtins.bool:
        """Whether the only element is not 0. RuntimeError unless there is just one."""
    def is_same_size(self, other: Tensor) -> builtins.bool:
        """Whether two Tensors have one shape."""
    def ldexp(self, other: Tensor) -> Tensor:
        """``input * 2**other``; with whole numbers in the element type of the input, where that is one of floats."""
    def ldexp_(self, other: Tensor) -> Tensor:
        """`ldexp`, in place."""
    def nan_to_num(self, nan: builtins.float | None=None, posinf: builtins.float | None=None, neginf: builtins.float | None=None) -> Tensor:
        """nan as ``nan`` (0), inf and -inf as ``posinf`` and ``neginf``: without them the extremes of the dtype."""
    def nan_to_num_(self, nan: builtins.float | None=None, posinf: builtins.float | None=None, neginf: builtins.float | None=None) -> Tensor:
        """`nan_to_num`, in place."""
    def argwhere(self) -> Tensor:
        """The indices of the elements that are not 0, a row for each element."""
    def diff(self, n: builtins.int=1, dim: builtins.int=-1, prepend: Tensor | None=None, append: Tensor | None=None) -> Tensor:
        """The differences of neighbours along ``dim``, ``n`` times; of bools whether they differ."""
    def dsplit(self, indices_or_sections: builtins.int | Sequence[builtins.int]) -> tuple[Tensor, ...]:
        """`tensor_split` along the third dimension, into equal parts where a number is given."""
    def hsplit(self, indices_or_sections: builtins.int | Sequence[builtins.int]) -> tuple[Tensor, ...]:
        """`tensor_split` along columns (a vector: along its only dimension), into equal parts where a number is given."""
    def narrow_copy(self, dim: builtins.int, start: builtins.int, length: builtins.int) -> Tensor:
        """`narrow`, as a copy."""
    def repeat_interleave(self, repeats: Tensor | builtins.int | None=None, dim: builtins.int | None=None, *, output_size: builtins.int | None=None) -> Tensor:
        """Each element, or each slice along ``dim``, several times in a row; ``repeats`` may be a vector (int32 or int64).
    
    With ``repeats`` alone: the places 0, 1, ..., each as often as it says."""
    def roll(self, shifts: builtins.int | Sequence[builtins.int], dims: builtins.int | Sequence[builtins.int] | None=None) -> Tensor:
        """Elements moved on along ``dims``; what leaves at the end comes in at the beginning.
    
    Without ``dims``, of the flattened input."""
    def rot90(self, k: builtins.int=1, dims: Sequence[builtins.int]=(0, 1)) -> Tensor:
        """A quarter turn, ``k`` times, from the first of the two ``dims`` towards the second."""
    def split_with_sizes(self, split_sizes: Sequence[builtins.int], dim: builtins.int=0) -> tuple[Tensor, ...]:
        """Parts of the sizes listed along ``dim``; all are views."""
    def vsplit(self, indices_or_sections: builtins.int | Sequence[builtins.int]) -> tuple[Tensor, ...]:
        """`tensor_split` along rows, into equal parts where a number is given."""
    def adjoint(self) -> Tensor:
        """The conjugates of transposed matrices. RuntimeError for a vector."""
    def angle(self) -> Tensor:
        """The angles to the positive real axis, in radians: of real numbers 0, or pi where they are negative.
    
    The gradient of real numbers is 0; nan stays nan."""
    def conj(self) -> Tensor:
        """The conjugates, in memory of their own; of real numbers the Tensor itself."""
    def conj_physical(self) -> Tensor:
        """`conj`."""
    def conj_physical_(self) -> Tensor:
        """`conj_physical`, in place."""
    def is_complex(self) -> builtins.bool:
        """Whether the element type is complex."""
    def is_conj(self) -> builtins.bool:
        """False: a conjugate has memory of its own."""
    def is_neg(self) -> builtins.bool:
        """False."""
    def isreal(self) -> Tensor:
        """True where the imaginary part is 0 (bool)."""
    def resolve_conj(self) -> Tensor:
        """The Tensor itself: a conjugate has memory of its own."""
    def resolve_neg(self) -> Tensor:
        """The Tensor itself."""
    def sgn(self) -> Tensor:
        """``input / abs(input)``, 0 at 0; of real numbers `sign`."""
    def sgn_(self) -> Tensor:
        """`sgn`, in place."""
    def sum_to_size(self, *size: builtins.int | Sequence[builtins.int]) -> Tensor:
        """The sum over what broadcasting from ``size`` repeats. RuntimeError where it does not broadcast to this shape."""
    def unfold(self, dimension: builtins.int, size: builtins.int, step: builtins.int) -> Tensor:
        """All windows of ``size`` along ``dimension``, each ``step`` further, as a view with a last dimension of ``size``.
    
    RuntimeError for a size that is greater than the dimension, or a step that is not greater than 0."""
    def unsafe_chunk(self, chunks: builtins.int, dim: builtins.int=0) -> tuple[Tensor, ...]:
        """The parts of `chunk`; a change in place of one shows in ``input``, and no gradient of ``input`` knows of it."""
    def unsafe_split(self, split_size: builtins.int, dim: builtins.int=0) -> tuple[Tensor, ...]:
        """The parts of `split`, as `unsafe_chunk` gives those of `chunk`."""
    def bincount(self, weights: Tensor | None=None, minlength: builtins.int=0) -> Tensor:
        """How often each number from 0 on occurs in a vector of whole numbers (int64), or the sums of their ``weights``."""
    def histc(self, bins: builtins.int=100, min: builtins.int | builtins.float | builtins.bool=0, max: builtins.int | builtins.float | builtins.bool=0) -> Tensor:
        """How many elements lie in each of ``bins`` equal parts from ``min`` to ``max``, by default the input's extremes.
    
    In the dtype of ``input``. NotImplementedError for integers."""
    def histogram(self, bins: builtins.int | Tensor=100, *, range: Any=None, weight: Tensor | None=None, density: builtins.bool=False) -> Any:
        """How many elements (or how much ``weight``) lie in each part: a number of equal ones, or edges in a Tensor.
    
    The equal parts lie in ``range``, by default from the least element to the largest. A range of no length is widened
    by one half at each end.
    Returns ``hist`` and ``bin_edges``; with ``density`` the area under the histogram is 1."""
    def unique(self, sorted: builtins.bool=True, return_inverse: builtins.bool=False, return_counts: builtins.bool=False, dim: builtins.int | None=None) -> Any:
        """The distinct elements in increasing order, or the distinct slices along ``dim``; whatever ``sorted`` says.
    
    With ``return_inverse`` also where each element of the input stands among them, and with ``return_counts`` how
    often each occurs (both int64): then the result is a tuple. Backward through it is a NotImplementedError."""
    def unique_consecutive(self, return_inverse: builtins.bool=False, return_counts: builtins.bool=False, dim: builtins.int | None=None) -> Any:
        """The elements (or slices along ``dim``) that differ from the one before; further results as of `unique`."""
    def diag(self, diagonal: builtins.int=0) -> Tensor:
        """A matrix with a vector on its diagonal, or the diagonal of a matrix as a copy."""
    def diag_embed(self, offset: builtins.int=0, dim1: builtins.int=-2, dim2: builtins.int=-1) -> Tensor:
        """Matrices over two new dimensions, with the last dimension of the input on their diagonal."""
    def diagflat(self, offset: builtins.int=0) -> Tensor:
        """A matrix with the flattened input on its diagonal."""
    def diagonal(self, offset: builtins.int=0, dim1: builtins.int=0, dim2: builtins.int=1) -> Tensor:
        """The diagonal over two dimensions as the last dimension: a view. ``offset`` counts to the right."""
    def diagonal_scatter(self, src: Tensor, offset: builtins.int=0, dim1: builtins.int=0, dim2: builtins.int=1) -> Tensor:
        """A copy with ``src`` as its `diagonal`."""
    def select_scatter(self, src: Tensor, dim: builtins.int, index: builtins.int) -> Tensor:
        """A copy with ``src`` as its slice at ``index`` along ``dim``."""
    def slice_scatter(self, src: Tensor, dim: builtins.int=0, start: builtins.int | None=None, end: builtins.int | None=None, step: builtins.int=1) -> Tensor:
        """A copy with ``src`` as the slice from ``start`` to before ``end`` along ``dim``."""
    def trace(self) -> Tensor:
        """The sum of the diagonal of a matrix."""
    def tril(self, diagonal: builtins.int=0) -> Tensor:
        """The lower triangles of matrices, up to that diagonal; zeros elsewhere."""
    def tril_(self, diagonal: builtins.int=0) -> Tensor:
        """`tril`, in place."""
    def triu(self, diagonal: builtins.int=0) -> Tensor:
        """The upper triangles of matrices, from that diagonal on; zeros elsewhere."""
    def triu_(self, diagonal: builtins.int=0) -> Tensor:
        """`triu`, in place."""
    def corrcoef(self) -> Tensor:
        """The correlation coefficients of the rows; each column is an observation."""
    def cov(self, *, correction: builtins.int=1, fweights: Tensor | None=None, aweights: Tensor | None=None) -> Tensor:
        """The covariances of rows; each column is an observation, which ``fweights`` repeats and ``aweights`` weights."""
    def deg2rad(self) -> Tensor:
        """Degrees as radians; integers become the default float. RuntimeError for complex numbers."""
    def deg2rad_(self) -> Tensor:
        """`deg2rad`, in place."""
    def dist(self, other: Tensor, p: builtins.float=2) -> Tensor:
        """`norm` of ``input - other``."""
    def nanmean(self, dim: builtins.int | Sequence[builtins.int] | None=None, keepdim: builtins.bool=False, *, dtype: DTypeLike | None=None) -> Tensor:
        """The mean over ``dim`` of the elements that are not nan."""
    def norm(self, p: builtins.int | builtins.float | builtins.bool | str | None='fro', dim: builtins.int | Sequence[builtins.int] | None=None, keepdim: builtins.bool=False, dtype: DTypeLike | None=None) -> Tensor:
        """``sum(abs(input)**p)**(1/p)`` over ``dim``, or over all; ``"fro"`` is 2, and ``inf`` the largest absolute value.
    
    ``"nuc"`` is the sum of the singular values of matrices. The gradient at 0 is 0. RuntimeError for integers."""
    def rad2deg(self) -> Tensor:
        """Radians as degrees; integers become the default float. RuntimeError for complex numbers."""
    def rad2deg_(self) -> Tensor:
        """`rad2deg`, in place."""
    def renorm(self, p: builtins.float, dim: builtins.int, maxnorm: builtins.float) -> Tensor:
        """Slices along ``dim`` whose norm is larger than ``maxnorm`` made as long as that."""
    def renorm_(self, p: builtins.float, dim: builtins.int, maxnorm: builtins.float) -> Tensor:
        """`renorm`, in place."""
    def bernoulli(self, p: builtins.float | None=None, *, generator: Any=None) -> Tensor:
        """1 with the probability that each element states, or with ``p`` for all, else 0, in its dtype."""
    def multinomial(self, num_samples: builtins.int, replacement: builtins.bool=False, *, generator: Any=None) -> Tensor:
        """Places (int64) drawn by the weights in a vector, or in each row of a matrix, which need not sum to 1.
    
    RuntimeError for weights that are negative or not finite, for a row of zeros, and for more samples than there are
    weights without ``replacement``."""
    def add(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic, *, alpha: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """``input + alpha * other``."""
    def addcdiv(self, tensor1: Tensor, tensor2: Tensor, *, value: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """``input + value * tensor1 / tensor2``."""
    def addcdiv_(self, tensor1: Tensor, tensor2: Tensor, *, value: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """`addcdiv`, in place."""
    def addcmul(self, tensor1: Tensor, tensor2: Tensor, *, value: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """``input + value * tensor1 * tensor2``."""
    def addcmul_(self, tensor1: Tensor, tensor2: Tensor, *, value: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """`addcmul`, in place."""
    def allclose(self, other: Tensor, rtol: builtins.float=1e-05, atol: builtins.float=1e-08, equal_nan: builtins.bool=False) -> builtins.bool:
        """Whether `isclose` holds everywhere; the same errors."""
    def clamp(self, min: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic | None=None, max: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic | None=None) -> Tensor:
        """Each element, moved to the nearer bound if it is below ``min`` or above ``max``.
    
    The bounds are numbers, Tensors or None; ``max`` wins where ``min`` is above it.
    The gradient passes where min <= input <= max. RuntimeError if both bounds are None."""
    def clamp_(self, min: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic | None=None, max: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic | None=None) -> Tensor:
        """`clamp`, in place."""
    def clamp_max(self, max: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic) -> Tensor:
        """Each element, or ``max`` where that is smaller."""
    def clamp_max_(self, max: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic) -> Tensor:
        """`clamp_max`, in place."""
    def clamp_min(self, min: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic) -> Tensor:
        """Each element, or ``min`` where that is larger."""
    def clamp_min_(self, min: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic) -> Tensor:
        """`clamp_min`, in place."""
    def clip(self, min: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic | None=None, max: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic | None=None) -> Tensor:
        """Each element, moved to the nearer bound if it is below ``min`` or above ``max``.
    
    The bounds are numbers, Tensors or None; ``max`` wins where ``min`` is above it.
    The gradient passes where min <= input <= max. RuntimeError if both bounds are None."""
    def clip_(self, min: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic | None=None, max: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic | None=None) -> Tensor:
        """`clip`, in place."""
    def div(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic, *, rounding_mode: str | None=None) -> Tensor:
        """``input / other``; with a rounding mode ``"trunc"`` (to 0) or ``"floor"`` (down) the gradient is 0."""
    def div_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic, *, rounding_mode: str | None=None) -> Tensor:
        """`div`, in place."""
    def divide(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic, *, rounding_mode: str | None=None) -> Tensor:
        """``input / other``; with a rounding mode ``"trunc"`` (to 0) or ``"floor"`` (down) the gradient is 0."""
    def divide_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic, *, rounding_mode: str | None=None) -> Tensor:
        """`divide`, in place."""
    def equal(self, other: Tensor) -> builtins.bool:
        """Whether shape and all elements are the same. TypeError for anything but a Tensor."""
    def float_power(self, exponent: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input ** exponent`` in float64, or in complex128."""
    def frac(self) -> Tensor:
        """The part behind the point, with the sign of ``input``. NotImplementedError for integers."""
    def frac_(self) -> Tensor:
        """`frac`, in place."""
    def isclose(self, other: Tensor, rtol: builtins.float=1e-05, atol: builtins.float=1e-08, equal_nan: builtins.bool=False) -> Tensor:
        """``|input - other| <= atol + rtol * |other|`` by element (bool).
    
    RuntimeError unless the two have one dtype and shapes that broadcast, or for a negative tolerance."""
    def lerp(self, end: Tensor, weight: Tensor | (builtins.int | builtins.float | builtins.bool)) -> Tensor:
        """``input + weight * (end - input)``; all Tensors of one floating dtype, but for a weight without dimensions."""
    def lerp_(self, end: Tensor, weight: Tensor | (builtins.int | builtins.float | builtins.bool)) -> Tensor:
        """`lerp`, in place."""
    def masked_fill(self, mask: Tensor, value: Tensor | (builtins.int | builtins.float | builtins.bool)) -> Tensor:
        """``value`` (a number or a 0-d Tensor) where ``mask`` (bool) holds, else ``input``, in its dtype."""
    @overload
    def nonzero(self, *, as_tuple: Literal[False]=False) -> Tensor:
        ...
    @overload
    def nonzero(self, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]:
        ...
    def nonzero_static(self, *, size: builtins.int | None=None, fill_value: builtins.int=-1) -> Tensor:
        """`nonzero` of a fixed number of rows: the first ``size``, or with rows of ``fill_value`` behind them.
    
    TypeError without ``size``, RuntimeError for a negative one."""
    def positive(self) -> Tensor:
        """``input`` itself. RuntimeError for bool."""
    def pow(self, exponent: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input ** exponent``; at least one of the two is a Tensor.
    
    The gradient of ``x ** 0`` is 0, also at x = 0. RuntimeError for integers to a negative power."""
    def pow_(self, exponent: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`pow`, in place."""
    def round(self, *, decimals: builtins.int=0) -> Tensor:
        """To ``decimals`` places, halves to even; gradient 0. NotImplementedError for bool, and of integers to places."""
    def round_(self, *, decimals: builtins.int=0) -> Tensor:
        """`round`, in place."""
    def square(self) -> Tensor:
        """``input * input``."""
    def square_(self) -> Tensor:
        """`square`, in place."""
    def sub(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic, *, alpha: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """``input - alpha * other``."""
    def subtract(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic, *, alpha: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """``input - alpha * other``."""
    def true_divide(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """``input / other``."""
    def true_divide_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | complex | Array | np.generic) -> Tensor:
        """`true_divide`, in place."""
    def istft(self, n_fft: builtins.int, hop_length: builtins.int | None=None, win_length: builtins.int | None=None, window: Tensor | None=None, center: builtins.bool=True, normalized: builtins.bool=False, onesided: builtins.bool | None=None, length: builtins.int | None=None, return_complex: builtins.bool=False) -> Tensor:
        """The signal of which ``input`` ([batch,] frequency, piece) is the `stft`, ``length`` points of it.
    
    Pieces are added, weighted by the window, over the sum of its squares.  RuntimeError where that is 0 somewhere."""
    def stft(self, n_fft: builtins.int, hop_length: builtins.int | None=None, win_length: builtins.int | None=None, window: Tensor | None=None, center: builtins.bool=True, pad_mode: str='reflect', normalized: builtins.bool=False, onesided: builtins.bool | None=None, return_complex: builtins.bool | None=None, align_to_window: builtins.bool | None=None) -> Tensor:
        """The transforms of overlapping pieces of a signal (time) or (batch, time): ([batch,] frequency, piece).
    
    A piece has ``n_fft`` points, ``hop_length`` (a quarter of it) behind the one before, times ``window`` (of
    ``win_length`` points, in the middle).  With ``center`` the signal is extended by half a piece at both ends, by
    ``pad_mode``.  ``onesided`` leaves out the conjugates of a real signal; ``normalized`` divides by the root of
    ``n_fft``.  Without ``return_complex`` parts stand along a last dimension."""
    def mvlgamma(self, p: builtins.int) -> Tensor:
        """The logarithm of the gamma function of ``p`` dimensions: p*(p-1)/4 * log(pi) and ``lgamma(input - k/2)``, k < p.
    
    It needs SciPy."""
    def mvlgamma_(self, p: builtins.int) -> Tensor:
        """`mvlgamma`, in place."""
    def gather(self, dim: builtins.int, index: Tensor, *, sparse_grad: builtins.bool=False) -> Tensor:
        """``out[i][j] = input[i][index[i][j]]`` for dim 1, and so for others; in the shape of ``index`` (int64).
    
    ``sparse_grad`` changes nothing: no gradient is sparse. RuntimeError where an index is out of range or the shapes do
    not fit."""
    def index_put(self, indices: Sequence[Tensor | None], values: Tensor, accumulate: builtins.bool=False) -> Tensor:
        """A copy of ``input`` with ``values`` written to, or with ``accumulate`` added to, ``input[indices]``.
    
    ``indices`` is a tuple of index Tensors.  Without ``accumulate`` the last write stays where an index
    repeats, and only that one gets a gradient."""
    def index_put_(self, indices: Sequence[Tensor | None], values: Tensor, accumulate: builtins.bool=False) -> Tensor:
        """`index_put`, in place."""
    def index_select(self, dim: builtins.int, index: Tensor) -> Tensor:
        """The slices of ``input`` at ``index`` (a vector of integers) along ``dim``. IndexError outside [0, size)."""
    def masked_select(self, mask: Tensor) -> Tensor:
        """The elements where ``mask`` (bool) holds, in one dimension; both broadcast."""
    def take(self, index: Tensor) -> Tensor:
        """The elements of the flattened input at ``index``. RuntimeError for one that is not int64."""
    def take_along_dim(self, indices: Tensor, dim: builtins.int | None=None) -> Tensor:
        """Elements of ``input`` at ``indices`` (int64) along ``dim``; both broadcast in the other dimensions.
    
    Negative indices count from the end. Without ``dim`` it is `gather` of all elements, and takes none."""
    def copy_(self, other: Tensor | (builtins.int | builtins.float | builtins.bool) | np.generic, non_blocking: builtins.bool=False) -> Tensor:
        """Writes ``other`` (a Tensor or number that broadcasts to this shape) over it; ``non_blocking`` changes nothing."""
    def fill_(self, value: Tensor | (builtins.int | builtins.float | builtins.bool)) -> Tensor:
        """Writes one number (or 0-d Tensor) everywhere."""
    def masked_fill_(self, mask: Tensor, value: Tensor | (builtins.int | builtins.float | builtins.bool)) -> Tensor:
        """Writes ``value`` where ``mask`` (bool) holds."""
    def zero_(self) -> Tensor:
        """Writes 0 everywhere."""
    def addmm(self, mat1: Tensor, mat2: Tensor, *, beta: builtins.float=1, alpha: builtins.float=1) -> Tensor:
        """``beta * input + alpha * (mat1 @ mat2)``, of (n, k) and (k, m); ``input`` broadcasts to (n, m)."""
    def addmm_(self, mat1: Tensor, mat2: Tensor, *, beta: builtins.float=1, alpha: builtins.float=1) -> Tensor:
        """`addmm`, in place."""
    def addmv(self, mat: Tensor, vec: Tensor, *, beta: builtins.float=1, alpha: builtins.float=1) -> Tensor:
        """``beta * input + alpha * (mat @ vec)``, of (n, k) and (k); ``input`` broadcasts to (n)."""
    def addmv_(self, mat: Tensor, vec: Tensor, *, beta: builtins.float=1, alpha: builtins.float=1) -> Tensor:
        """`addmv`, in place."""
    def baddbmm(self, batch1: Tensor, batch2: Tensor, *, beta: builtins.float=1, alpha: builtins.float=1) -> Tensor:
        """``beta * input + alpha * bmm(batch1, batch2)``, of (b, n, k) and (b, k, m); ``input`` broadcasts to (b, n, m)."""
    def baddbmm_(self, batch1: Tensor, batch2: Tensor, *, beta: builtins.float=1, alpha: builtins.float=1) -> Tensor:
        """`baddbmm`, in place."""
    def bmm(self, mat2: Tensor) -> Tensor:
        """The products of two batches of matrices, (b, n, k) and (b, k, m), without broadcasting."""
    def dot(self, tensor: Tensor) -> Tensor:
        """The inner product of two vectors of one length (0-d)."""
    def ger(self, vec2: Tensor) -> Tensor:
        """All products of the elements of two vectors, (n, m)."""
    def matmul(self, other: Tensor) -> Tensor:
        """The matrix product: (..., n, k) with (..., k, m), batches broadcasting; vectors as rows or columns.
    
    Two vectors give their inner product (0-d). RuntimeError where sizes or dtypes do not fit."""
    def mm(self, mat2: Tensor) -> Tensor:
        """The product of two matrices, (n, k) and (k, m). RuntimeError for other numbers of dimensions."""
    def mv(self, vec: Tensor) -> Tensor:
        """A matrix (n, k) times a vector (k)."""
    def outer(self, vec2: Tensor) -> Tensor:
        """All products of the elements of two vectors, (n, m)."""
    def vdot(self, other: Tensor) -> Tensor:
        """The inner product of two vectors of one length (0-d), with the conjugate of ``input``."""
    def chunk(self, chunks: builtins.int, dim: builtins.int=0) -> tuple[Tensor, ...]:
        """At most ``chunks`` parts of equal size along ``dim``, the last perhaps smaller; all are views."""
    def narrow(self, dim: builtins.int, start: Tensor | builtins.int, length: builtins.int) -> Tensor:
        """``length`` elements from ``start`` along ``dim``."""
    def select(self, dim: builtins.int, index: builtins.int) -> Tensor:
        """The slice at ``index`` along ``dim``, without that dimension. IndexError out of range."""
    def split(self, split_size_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int=0) -> tuple[Tensor, ...]:
        """Parts of one size (the last may be smaller), or of the sizes listed, along ``dim``; all are views."""
    def tensor_split(self, indices_or_sections: builtins.int | Tensor | Sequence[builtins.int], dim: builtins.int=0) -> tuple[Tensor, ...]:
        """Parts between the indices listed, or a number of parts whose sizes differ by at most 1."""
    def unbind(self, dim: builtins.int=0) -> tuple[Tensor, ...]:
        """The slices along ``dim``, without that dimension; all are views."""
    def addbmm(self, batch1: Tensor, batch2: Tensor, *, beta: builtins.int | builtins.float | builtins.bool=1, alpha: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """``beta * input + alpha *`` the sum of all ``batch1[i] @ batch2[i]``, of (b, n, k) and (b, k, m): (n, m)."""
    def addbmm_(self, batch1: Tensor, batch2: Tensor, *, beta: builtins.int | builtins.float | builtins.bool=1, alpha: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """`addbmm`, in place."""
    def addr(self, vec1: Tensor, vec2: Tensor, *, beta: builtins.int | builtins.float | builtins.bool=1, alpha: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """``beta * input + alpha * outer(vec1, vec2)``, of (n) and (m); ``input`` broadcasts to (n, m)."""
    def addr_(self, vec1: Tensor, vec2: Tensor, *, beta: builtins.int | builtins.float | builtins.bool=1, alpha: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """`addr`, in place."""
    def cross(self, other: Tensor, dim: builtins.int | None=None) -> Tensor:
        """The vector product over ``dim``, which has size 3: without it, over the first such dimension."""
    def inner(self, other: Tensor) -> Tensor:
        """Products summed over the last dimensions; with a number, its products with all elements."""
    def kron(self, other: Tensor) -> Tensor:
        """Kronecker's product: a copy of ``other`` for each element of ``input``, multiplied by it."""
    def all(self, dim: builtins.int | Sequence[builtins.int] | None=None, keepdim: builtins.bool=False) -> Tensor:
        """True where all elements along ``dim`` are nonzero (bool; uint8 stays uint8); ``dim=()`` reduces none."""
    def amax(self, dim: builtins.int | Sequence[builtins.int] | None=(), keepdim: builtins.bool=False) -> Tensor:
        """The maximum over ``dim``; equal elements share the gradient evenly.
    Over nothing IndexError, or without a ``dim`` RuntimeError."""
    def amin(self, dim: builtins.int | Sequence[builtins.int] | None=(), keepdim: builtins.bool=False) -> Tensor:
        """The minimum over ``dim``; equal elements share the gradient evenly.
    Over nothing IndexError, or without a ``dim`` RuntimeError."""
    def any(self, dim: builtins.int | Sequence[builtins.int] | None=None, keepdim: builtins.bool=False) -> Tensor:
        """True where any element along ``dim`` is nonzero (bool; uint8 stays uint8); ``dim=()`` reduces none."""
    def argmax(self, dim: builtins.int | None=None, keepdim: builtins.bool=False) -> Tensor:
        """The index (int64) of the first maximum, in the flattened Tensor when ``dim`` is None."""
    def argmin(self, dim: builtins.int | None=None, keepdim: builtins.bool=False) -> Tensor:
        """The index (int64) of the first minimum, in the flattened Tensor when ``dim`` is None."""
    def count_nonzero(self, dim: builtins.int | Sequence[builtins.int] | None=None) -> Tensor:
        """How many elements over ``dim`` are nonzero (int64)."""
    def cumprod(self, dim: builtins.int, *, dtype: DTypeLike | None=None) -> Tensor:
        """The running product along ``dim``; its gradient is exact also at zeros."""
    def cumprod_(self, dim: builtins.int, *, dtype: DTypeLike | None=None) -> Tensor:
        """`cumprod`, in place."""
    def cumsum(self, dim: builtins.int, *, dtype: DTypeLike | None=None) -> Tensor:
        """The running sum along ``dim``; integers add up in int64."""
    def cumsum_(self, dim: builtins.int, *, dtype: DTypeLike | None=None) -> Tensor:
        """`cumsum`, in place."""
    @overload
    def max(self) -> Tensor:
        ...
    @overload
    def max(self, dim: builtins.int, keepdim: builtins.bool=False) -> ValuesAndIndices:
        ...
    @overload
    def max(self, other: Tensor, /) -> Tensor:
        ...
    @overload
    def max(self, *, other: Tensor) -> Tensor:
        ...
    def mean(self, dim: builtins.int | Sequence[builtins.int] | None=None, keepdim: builtins.bool=False, *, dtype: DTypeLike | None=None) -> Tensor:
        """The mean over ``dim``; nan over nothing. RuntimeError for integers."""
    @overload
    def min(self) -> Tensor:
        ...
    @overload
    def min(self, dim: builtins.int, keepdim: builtins.bool=False) -> ValuesAndIndices:
        ...
    @overload
    def min(self, other: Tensor, /) -> Tensor:
        ...
    @overload
    def min(self, *, other: Tensor) -> Tensor:
        ...
    def nansum(self, dim: builtins.int | Sequence[builtins.int] | None=None, keepdim: builtins.bool=False, *, dtype: DTypeLike | None=None) -> Tensor:
        """The sum over ``dim`` with nan counted as 0. RuntimeError for complex numbers."""
    def prod(self, dim: builtins.int | None=None, keepdim: builtins.bool=False, *, dtype: DTypeLike | None=None) -> Tensor:
        """The product over ``dim`` (one dimension, or None for all); its gradient is exact also at zeros."""
    def std(self, dim: builtins.int | Sequence[builtins.int] | None | builtins.bool=None, unbiased: builtins.bool | None=None, keepdim: builtins.bool=False, *, correction: builtins.float | None=None) -> Tensor:
        """The square root of `var`. The gradient is 0 where the deviation is 0. UserWarning as from `var`."""
    def sum(self, dim: builtins.int | Sequence[builtins.int] | None=None, keepdim: builtins.bool=False, *, dtype: DTypeLike | None=None) -> Tensor:
        """The sum over ``dim``; integers and bools add up in int64 unless ``dtype`` says otherwise."""
    def var(self, dim: builtins.int | Sequence[builtins.int] | None | builtins.bool=None, unbiased: builtins.bool | None=None, keepdim: builtins.bool=False, *, correction: builtins.float | None=None) -> Tensor:
        """The variance over ``dim``: squared deviations over (count - correction), which is 1 unless given.
    
    UserWarning where the correction takes all degrees of freedom: the value is nan or inf then."""
    def eig(self, eigenvectors: builtins.bool=False) -> NoReturn:
        """RuntimeError: it is `linalg.eig` or `linalg.eigvals` today, which are complex."""
    def lstsq(self, A: Tensor) -> NoReturn:
        """RuntimeError: it is `linalg.lstsq` today, with the arguments the other way round."""
    def reinforce(self, *args: Any) -> NoReturn:
        """RuntimeError: `distributions` have what took its place."""
    def resize(self, *sizes: Any) -> Tensor:
        """`reshape`, where it does not change the number of elements. A UserWarning says that it is deprecated."""
    def resize_as(self, tensor: Tensor) -> Tensor:
        """`resize` to the shape of another Tensor."""
    def set_(self, source: Any=None, storage_offset: builtins.int=0, size: Sequence[builtins.int] | None=None, stride: Sequence[builtins.int] | None=None) -> Tensor:
        """Gives the Tensor the memory of another Tensor, or of a storage, without a copy; without a source, none.
    
    With ``size`` it shows so much of it from ``storage_offset`` on, with ``stride`` or row by row. RuntimeError for a
    Tensor of another element type, TypeError for another object."""
    def solve(self, A: Tensor) -> NoReturn:
        """RuntimeError: it is `linalg.solve` today, with the arguments the other way round."""
    def symeig(self, eigenvectors: builtins.bool=False, upper: builtins.bool=True) -> NoReturn:
        """RuntimeError: it is `linalg.eigh` or `linalg.eigvalsh` today."""
    def apply_(self, callable: Any) -> Tensor:
        """Each element becomes ``callable`` of it, a Python number. Slow; RuntimeError for Tensors that require grad."""
    def as_strided_(self, size: Sequence[builtins.int], stride: Sequence[builtins.int], storage_offset: builtins.int | None=None) -> Tensor:
        """`as_strided`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    def is_set_to(self, tensor: Tensor) -> builtins.bool:
        """Whether both show the same elements of the same memory in the same way."""
    def map2_(self, x: Tensor, y: Tensor, callable: Any) -> Tensor:
        """Each element becomes ``callable`` of it, the one of ``x`` and the one of ``y``."""
    def map_(self, tensor: Tensor, callable: Any) -> Tensor:
        """Each element becomes ``callable`` of it and the one of ``tensor``, which broadcasts to it.
    
    TypeError for a Tensor of another element type."""
    def resize_(self, *size: builtins.int | Sequence[builtins.int], memory_format: Any=None) -> Tensor:
        """Gives the Tensor another shape, also with more or fewer elements: those that lie one after another in its memory.
    
    Where the memory is too small, the Tensor gets new memory with what was there, and zeros behind it; others that
    share the old keep it. A Tensor of this shape stays as it is, but for a ``memory_format`` that is given.
    RuntimeError for a Tensor that requires grad, and for ``preserve_format``."""
    def resize_as_(self, the_template: Tensor, *, memory_format: Any=None) -> Tensor:
        """`resize_` to the shape of another Tensor, and with ``preserve_format`` as that lies in memory."""
    def squeeze_(self, dim: builtins.int | Sequence[builtins.int] | None=None) -> Tensor:
        """`squeeze`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    def storage(self) -> TypedStorage:
        """All of the memory that the Tensor shows a part of, in its element type; with PyTorch's UserWarning."""
    def swapaxes_(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """`transpose`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    def swapdims_(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """`transpose`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    def t_(self) -> Tensor:
        """`t`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    def transpose_(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """`transpose`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    def unsqueeze_(self, dim: builtins.int) -> Tensor:
        """`unsqueeze`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    def untyped_storage(self) -> UntypedStorage:
        """All of the memory that the Tensor shows a part of, as bytes."""
    def index_add(self, dim: builtins.int, index: Tensor, source: Tensor, *, alpha: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """A copy with ``alpha`` times the slices of ``source`` added to those that ``index`` (a vector) names."""
    def index_add_(self, dim: builtins.int, index: Tensor, source: Tensor, *, alpha: builtins.int | builtins.float | builtins.bool=1) -> Tensor:
        """`index_add`, in place."""
    def index_copy(self, dim: builtins.int, index: Tensor, source: Tensor) -> Tensor:
        """A copy with the slices of ``source`` in place of those that ``index`` (a vector) names."""
    def index_copy_(self, dim: builtins.int, index: Tensor, source: Tensor) -> Tensor:
        """`index_copy`, in place."""
    def index_fill(self, dim: builtins.int, index: Tensor, value: Tensor | (builtins.int | builtins.float | builtins.bool)) -> Tensor:
        """A copy with ``value`` (a number or a 0-d Tensor) in the slices that ``index`` (a vector) names."""
    def index_fill_(self, dim: builtins.int, index: Tensor, value: Tensor | (builtins.int | builtins.float | builtins.bool)) -> Tensor:
        """`index_fill`, in place."""
    def index_reduce(self, dim: builtins.int, index: Tensor, source: Tensor, reduce: str, *, include_self: builtins.bool=True) -> Tensor:
        """`scatter_reduce` of the slices that ``index`` (a vector) names; there is no ``"sum"``."""
    def index_reduce_(self, dim: builtins.int, index: Tensor, source: Tensor, reduce: str, *, include_self: builtins.bool=True) -> Tensor:
        """`index_reduce`, in place."""
    def masked_scatter(self, mask: Tensor, source: Tensor) -> Tensor:
        """A copy with the first elements of ``source``, one after the other, where ``mask`` (bool) holds."""
    def masked_scatter_(self, mask: Tensor, source: Tensor) -> Tensor:
        """`masked_scatter`, in place."""
    def put(self, index: Tensor, source: Tensor, accumulate: builtins.bool=False) -> Tensor:
        """A copy with ``source`` written to (with ``accumulate`` added to) the flattened places of ``index``."""
    def put_(self, index: Tensor, source: Tensor, accumulate: builtins.bool=False) -> Tensor:
        """`put`, in place."""
    def scatter(self, dim: builtins.int, index: Tensor, src: Tensor | (builtins.int | builtins.float | builtins.bool) | None=None, *, reduce: str | None=None, value: builtins.int | builtins.float | builtins.bool | None=None) -> Tensor:
        """A copy with ``out[i][index[i][j]] = src[i][j]`` for dim 1, and so for others; ``src`` may be a number.
    
    Where an index repeats, the last write stays, and only that one gets a gradient. ``reduce`` may be ``"add"`` or
    ``"multiply"``."""
    def scatter_(self, dim: builtins.int, index: Tensor, src: Tensor | (builtins.int | builtins.float | builtins.bool) | None=None, *, reduce: str | None=None, value: builtins.int | builtins.float | builtins.bool | None=None) -> Tensor:
        """`scatter`, in place."""
    def scatter_add(self, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
        """A copy with ``out[i][index[i][j]] += src[i][j]`` for dim 1, and so for others."""
    def scatter_add_(self, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
        """`scatter_add`, in place."""
    def scatter_reduce(self, dim: builtins.int, index: Tensor, src: Tensor, reduce: str, *, include_self: builtins.bool=True) -> Tensor:
        """For each place the ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"`` of what ``src`` has for it.
    
    What is there counts too, unless ``include_self`` is False. Equal extremes share the gradient."""
    def scatter_reduce_(self, dim: builtins.int, index: Tensor, src: Tensor, reduce: str, *, include_self: builtins.bool=True) -> Tensor:
        """`scatter_reduce`, in place."""
    def broadcast_to(self, *size: builtins.int | Sequence[builtins.int]) -> Tensor:
        """Dimensions of size 1 repeated to a larger size without copying; -1 keeps a size."""
    def contiguous(self, *, memory_format: Any=None) -> Tensor:
        """Itself if its memory is in row order, or in that of the format, else a copy.
    
    RuntimeError for ``preserve_format``, and for a format of another number of dimensions."""
    def detach(self) -> Tensor:
        """A Tensor over the same memory, without history: no gradient flows through it."""
    def expand(self, *size: builtins.int | Sequence[builtins.int]) -> Tensor:
        """Dimensions of size 1 repeated to a larger size without copying; -1 keeps a size."""
    def expand_as(self, other: Tensor) -> Tensor:
        """Expanded to the shape of ``other``."""
    def flatten(self, start_dim: builtins.int=0, end_dim: builtins.int=-1) -> Tensor:
        """The dimensions from ``start_dim`` through ``end_dim`` as one."""
    def flip(self, *dims: builtins.int | Sequence[builtins.int]) -> Tensor:
        """The order along ``dims`` reversed, in new memory."""
    def fliplr(self) -> Tensor:
        """Columns in reverse order. RuntimeError under two dimensions."""
    def flipud(self) -> Tensor:
        """Rows in reverse order. RuntimeError for a 0-d Tensor."""
    def moveaxis(self, source: builtins.int | Sequence[builtins.int], destination: builtins.int | Sequence[builtins.int]) -> Tensor:
        """Dimensions moved from ``source`` to ``destination``, the others keeping their order."""
    def movedim(self, source: builtins.int | Sequence[builtins.int], destination: builtins.int | Sequence[builtins.int]) -> Tensor:
        """Dimensions moved from ``source`` to ``destination``, the others keeping their order."""
    def permute(self, *dims: builtins.int | Sequence[builtins.int]) -> Tensor:
        """The same elements with the dimensions in another order: a view."""
    def ravel(self) -> Tensor:
        """All elements in one dimension."""
    def repeat(self, *repeats: builtins.int | Sequence[builtins.int]) -> Tensor:
        """The Tensor repeated so many times along each dimension; further counts add dimensions in front."""
    def reshape(self, *shape: builtins.int | Sequence[builtins.int]) -> Tensor:
        """The same elements in another shape; one size may be -1. A view where the memory allows it."""
    def reshape_as(self, other: Tensor) -> Tensor:
        """Reshaped to the shape of ``other``."""
    def squeeze(self, dim: builtins.int | Sequence[builtins.int] | None=None) -> Tensor:
        """The same elements without the dimensions of size 1, or without those among ``dim``.
    
    RuntimeError if ``dim`` names a dimension twice."""
    def swapaxes(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """The same elements with two dimensions exchanged: a view."""
    def swapdims(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """The same elements with two dimensions exchanged: a view."""
    def t(self) -> Tensor:
        """The transpose of a matrix; a vector or number as it is. RuntimeError beyond two dimensions."""
    def tile(self, *dims: builtins.int | Sequence[builtins.int]) -> Tensor:
        """As `repeat`, with missing leading counts taken as 1."""
    def transpose(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """The same elements with two dimensions exchanged: a view."""
    def unflatten(self, dim: builtins.int, sizes: Sequence[builtins.int]) -> Tensor:
        """Dimension ``dim`` split into ``sizes``, one of which may be -1."""
    def unsqueeze(self, dim: builtins.int) -> Tensor:
        """The same elements with a new dimension of size 1 at ``dim``."""
    def view(self, *size: builtins.int | Sequence[builtins.int] | dtypes.dtype, dtype: DTypeLike | None=None) -> Tensor:
        """As `reshape`, but RuntimeError where that would copy.
    
    With an element type in place of sizes, the same memory read as that type: the last dimension then has more or
    fewer elements, and no gradient flows through it. RuntimeError where the bytes of the last dimension do not fit."""
    def view_as(self, other: Tensor) -> Tensor:
        """Viewed in the shape of ``other``."""
    def argsort(self, dim: builtins.int=-1, descending: builtins.bool=False, stable: builtins.bool=False) -> Tensor:
        """The places (int64) of the elements in increasing order along ``dim``. Always stable."""
    def cummax(self, dim: builtins.int) -> ValuesAndIndices:
        """The largest element so far along ``dim``, and its place: the last of equal ones."""
    def cummin(self, dim: builtins.int) -> ValuesAndIndices:
        """The smallest element so far along ``dim``, and its place: the last of equal ones."""
    def kthvalue(self, k: builtins.int, dim: builtins.int=-1, keepdim: builtins.bool=False) -> ValuesAndIndices:
        """The ``k``-th smallest element (from 1) along ``dim``, and its place (int64). RuntimeError out of range."""
    def logcumsumexp(self, dim: builtins.int) -> Tensor:
        """``log(cumsum(exp(input)))`` along ``dim``, without overflow. NotImplementedError for integers."""
    @overload
    def median(self) -> Tensor:
        ...
    @overload
    def median(self, dim: builtins.int, keepdim: builtins.bool=False) -> ValuesAndIndices:
        ...
    def mode(self, dim: builtins.int=-1, keepdim: builtins.bool=False) -> ValuesAndIndices:
        """The most frequent element along ``dim`` (the smallest of several), and its last place (int64)."""
    def msort(self) -> Tensor:
        """The elements in increasing order along the first dimension."""
    @overload
    def nanmedian(self) -> Tensor:
        ...
    @overload
    def nanmedian(self, dim: builtins.int, keepdim: builtins.bool=False) -> ValuesAndIndices:
        ...
    def nanquantile(self, q: Tensor | builtins.float, dim: builtins.int | None=None, keepdim: builtins.bool=False, *, interpolation: str='linear') -> Tensor:
        """`quantile` of the elements that are not nan."""
    def quantile(self, q: Tensor | builtins.float, dim: builtins.int | None=None, keepdim: builtins.bool=False, *, interpolation: str='linear') -> Tensor:
        """The elements below which shares ``q`` (a number, or a vector, whose dimension comes first) of all lie.
    
    Between two elements by ``"linear"``, ``"lower"``, ``"higher"``, ``"nearest"`` or ``"midpoint"``."""
    def sort(self, dim: builtins.int=-1, descending: builtins.bool=False, stable: builtins.bool | None=None) -> ValuesAndIndices:
        """The elements in increasing order along ``dim``, and their places (int64). Equal elements keep their order."""
    def topk(self, k: builtins.int, dim: builtins.int=-1, largest: builtins.bool=True, sorted: builtins.bool=True) -> ValuesAndIndices:
        """The ``k`` largest elements (or smallest) along ``dim``, in order if ``sorted``, and their places (int64).
    
    Of equal elements it takes those that PyTorch takes. RuntimeError where there are fewer than ``k``."""
    def _coalesced_(self, coalesced: builtins.bool) -> Tensor:
        """Says that a sparse Tensor is coalesced. NotImplementedError for a dense one."""
    def _indices(self) -> Tensor:
        """The indices of a sparse Tensor, coalesced or not. NotImplementedError for a dense one."""
    def _nnz(self) -> builtins.int:
        """How many values a sparse Tensor has. NotImplementedError for a dense one."""
    def _values(self) -> Tensor:
        """The values of a sparse Tensor, detached. NotImplementedError for a dense one."""
    def ccol_indices(self) -> Tensor:
        """Where each column of a CSC matrix begins among its values. RuntimeError for another."""
    def coalesce(self) -> Tensor:
        """Sorts the indices, and adds up the values of equal ones. RuntimeError for a dense Tensor."""
    def col_indices(self) -> Tensor:
        """The columns of the values of a CSR matrix. RuntimeError for another."""
    def crow_indices(self) -> Tensor:
        """Where each row of a CSR matrix begins among its values. RuntimeError for another."""
    def dense_dim(self) -> builtins.int:
        """The number of dense dimensions, those of each value: all for a dense Tensor."""
    def indices(self) -> Tensor:
        """The indices (sparse_dim, nnz) of a coalesced Tensor. RuntimeError for another."""
    def is_coalesced(self) -> builtins.bool:
        """Whether the indices are sorted and unique. RuntimeError for a dense Tensor."""
    def row_indices(self) -> Tensor:
        """The rows of the values of a CSC matrix. RuntimeError for another."""
    def sparse_dim(self) -> builtins.int:
        """The number of sparse dimensions, those that are indexed: 0 for a dense Tensor."""
    def sparse_mask(self, mask: Tensor) -> Tensor:
        """The elements at the indices of ``mask``, a sparse Tensor of the same size."""
    def sparse_resize_(self, size: Any, sparse_dim: builtins.int, dense_dim: builtins.int) -> Tensor:
        """Changes the size of a sparse Tensor, in place; it keeps its values. RuntimeError for a dense one."""
    def sparse_resize_and_clear_(self, size: Any, sparse_dim: builtins.int, dense_dim: builtins.int) -> Tensor:
        """Changes the size of a sparse Tensor, in place, and removes its values. RuntimeError for a dense one."""
    def to_dense(self, dtype: DTypeLike | None=None, *, masked_grad: builtins.bool | None=None) -> Tensor:
        """Converts a sparse Tensor to a dense one; returns a dense Tensor itself."""
    def to_sparse(self, sparse_dim: builtins.int | None=None, *, layout: Any=None, blocksize: Any=None, dense_dim: builtins.int | None=None) -> Tensor:
        """Converts to a sparse Tensor of the elements that are not 0, by default in COO format (``layout``).
    
    With ``sparse_dim`` only so many first dimensions are indexed, with ``dense_dim`` all but so many last ones; the
    others are dimensions of each value. RuntimeError for either out of range, for a ``blocksize``, and for CSR or CSC
    of anything but a matrix; NotImplementedError for the layouts ``sparse_bsr`` and ``sparse_bsc``."""
    def to_sparse_coo(self) -> Tensor:
        """Converts to COO format: `to_sparse` without arguments."""
    def to_sparse_csc(self, dense_dim: builtins.int | None=None) -> Tensor:
        """Converts a matrix to CSC format: see `sparse_csc_tensor`."""
    def to_sparse_csr(self, dense_dim: builtins.int | None=None) -> Tensor:
        """Converts a matrix to CSR format: see `sparse_csr_tensor`."""
    def values(self) -> Tensor:
        """The values (nnz, ...) of a coalesced Tensor; gradients pass through them. RuntimeError for another."""
    def as_strided(self, size: Sequence[builtins.int], stride: Sequence[builtins.int], storage_offset: builtins.int | None=None) -> Tensor:
        """A view of the memory of ``input`` with these sizes, and these steps in elements.
    
    It begins ``storage_offset`` elements after the start of the memory; by default where ``input`` begins. Elements
    that are shown several times get the sum of their gradients. A view may reach what its base has and it does not
    show; then the gradient goes to the base. RuntimeError for negative steps, for what lies outside the base, and for
    a base whose elements leave gaps in memory."""
    def as_strided_scatter(self, src: Tensor, size: Sequence[builtins.int], stride: Sequence[builtins.int], storage_offset: builtins.int | None=None) -> Tensor:
        """A copy of ``input`` with ``src`` in place of its `as_strided`, which must not show an element twice."""
    def storage_offset(self) -> builtins.int:
        """How many elements of its memory lie before the first one."""

T = TypeVar("T", bound=Tensor)
Own = TypeVar("Own", bound=Tensor)
INFERENCE: bool

def extend(methods: type[Tensor]) -> type[Tensor]: ...
def wrap(array: Any, node: Node | None = None) -> Tensor: ...
def for_inference(t: Tensor) -> None: ...
def of_parts(cls: builtins.type[Any], *parts: Any, **named: Any) -> Any: ...
def of_class(t: Tensor, cls: builtins.type[T]) -> T: ...
def of_users(cls: builtins.type) -> builtins.bool: ...
def leaf(t: Tensor, requires_grad: bool = False) -> Node: ...
def called(t: Tensor, name: builtins.str) -> Tensor: ...
def data_leaf(t: Tensor) -> Node: ...

"""Modules that learn their sizes from the first input, and then become the ordinary ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from minigrad.autograd import no_grad
from minigrad.device import DeviceLike
from minigrad.dtypes import dtype as DType
from minigrad.errors import not_implemented_error, runtime_error, value_error
from minigrad.nn import conv, linear, normalization
from minigrad.nn.module import Module
from minigrad.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from minigrad.tensor import Tensor

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyLinear",
]  # fmt: skip

_Base: Any = Module if TYPE_CHECKING else object


class LazyModuleMixin(_Base):  # type: ignore[misc]
    """Makes a module lazy, as the first of its bases: the first call runs ``initialize_parameters`` on its arguments.

    That gives every :class:`UninitializedParameter` and :class:`UninitializedBuffer` its shape. Then the module's class
    becomes ``cls_to_become``, if that is not None.
    """

    cls_to_become: type[Module] | None = None
    _waits = True

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Sets the sizes; every class writes its own."""
        raise not_implemented_error(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of the module itself has no size yet."""
        return any(map(is_lazy, (*self._parameters.values(), *self._buffers.values())))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._waits:
            self.initialize_parameters(*args, **kwargs)
            if self.has_uninitialized_params():
                raise runtime_error(f"module {type(self).__name__} has not been fully initialized")
            if self.cls_to_become is None:
                self._waits = False
            else:
                self.__class__ = self.cls_to_become  # type: ignore[assignment]
        return Module.__call__(self, *args, **kwargs)


class _Lazy(LazyModuleMixin):
    """What the modules here share: one number follows from the input, and from it the shapes of all Tensors."""

    _number: str

    def _forget(self, dtype: DType | None) -> None:
        """Puts Tensors without size in the place of those that the ordinary class has made."""
        for name, p in self._parameters.items():
            if p is not None:
                self._parameters[name] = UninitializedParameter(dtype=dtype)
        for name, b in self._buffers.items():
            if b is not None and b.dim():
                self._buffers[name] = UninitializedBuffer(dtype=dtype)

    def _number_in(self, input: Tensor) -> int:
        raise NotImplementedError

    def _shapes(self, n: int) -> dict[str, tuple[int, ...]]:
        raise NotImplementedError

    def reset_parameters(self) -> None:
        """Draws the values anew, where there are any."""
        if getattr(self, self._number) and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Takes the sizes from the input, and draws the values that were not loaded.

        RuntimeError for an input that does not fit what was loaded.
        """
        n = self._number_in(input)
        shapes = {name: s for name, s in self._shapes(n).items() if getattr(self, name) is not None}
        own = {name: getattr(self, name) for name in shapes}
        for name, tensor in own.items():
            if not is_lazy(tensor) and tensor.shape != shapes[name]:
                raise runtime_error(
                    f"{type(self).__name__} would have a {name} of shape {list(shapes[name])} for an input of shape "
                    f"{list(input.shape)}, but one of shape {list(tensor.shape)} was loaded"
                )
        setattr(self, self._number, n)
        if self.has_uninitialized_params():
            with no_grad():
                loaded = [(t, t.detach().clone()) for t in own.values() if not is_lazy(t)]
                for name, tensor in own.items():
                    if is_lazy(tensor):
                        tensor.materialize(shapes[name])
                self.reset_parameters()
                for tensor, values in loaded:
                    tensor.copy_(values)


class LazyLinear(_Lazy, linear.Linear):
    """:class:`Linear` whose ``in_features`` the first input sets."""

    cls_to_become = linear.Linear
    _number = "in_features"

    def __init__(
        self, out_features: int, bias: bool = True, device: DeviceLike = None, dtype: DType | None = None
    ) -> None:
        super().__init__(0, out_features, bias, device, dtype)
        self._forget(dtype)

    def _number_in(self, input: Tensor) -> int:
        return input.shape[-1]

    def _shapes(self, n: int) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.out_features, n), "bias": (self.out_features,)}


class _LazyConv(_Lazy):
    _number = "in_channels"

    def _number_in(self, input: Tensor) -> int:
        rank, ndim = self._rank, input.dim()
        if ndim not in (rank + 1, rank + 2):
            raise runtime_error(
                f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {type(self).__name__}, but got "
                f"input of size: {list(input.shape)}"
            )
        n: int = input.shape[-rank - 1]
        if n % self.groups:
            raise value_error("in_channels must be divisible by groups")
        return n

    def _shapes(self, n: int) -> dict[str, tuple[int, ...]]:
        return {"weight": self._weight_shape(n), "bias": (self.out_channels,)}


class _LazyPlain(_LazyConv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype
        )
        self._forget(dtype)


class LazyConv1d(_LazyPlain, conv.Conv1d):
    """:class:`Conv1d` whose ``in_channels`` the first input sets."""

    cls_to_become = conv.Conv1d


class LazyConv2d(_LazyPlain, conv.Conv2d):
    """:class:`Conv2d` whose ``in_channels`` the first input sets."""

    cls_to_become = conv.Conv2d


class LazyConv3d(_LazyPlain, conv.Conv3d):
    """:class:`Conv3d` whose ``in_channels`` the first input sets."""

    cls_to_become = conv.Conv3d


class _LazyTransposed(_LazyConv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
        padding_mode: str = "zeros",
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            0, out_channels, kernel_size, stride, padding, output_padding, groups, bias, dilation, padding_mode,
            device, dtype,
        )  # fmt: skip
        self._forget(dtype)


class LazyConvTranspose1d(_LazyTransposed, conv.ConvTranspose1d):
    """:class:`ConvTranspose1d` whose ``in_channels`` the first input sets."""

    cls_to_become = conv.ConvTranspose1d


class LazyConvTranspose2d(_LazyTransposed, conv.ConvTranspose2d):
    """:class:`ConvTranspose2d` whose ``in_channels`` the first input sets."""

    cls_to_become = conv.ConvTranspose2d


class LazyConvTranspose3d(_LazyTransposed, conv.ConvTranspose3d):
    """:class:`ConvTranspose3d` whose ``in_channels`` the first input sets."""

    cls_to_become = conv.ConvTranspose3d


class _LazyNorm(_Lazy):
    _number = "num_features"
    _unbatched = 0  # the rank of an input without a batch, if there may be one

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: DeviceLike = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self._forget(dtype)

    def _number_in(self, input: Tensor) -> int:
        self._check_input_dim(input)
        return input.shape[0 if input.dim() == self._unbatched else 1]

    def _shapes(self, n: int) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (n,))


class LazyBatchNorm1d(_LazyNorm, normalization.BatchNorm1d):
    """:class:`BatchNorm1d` whose ``num_features`` the first input sets."""

    cls_to_become = normalization.BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, normalization.BatchNorm2d):
    """:class:`BatchNorm2d` whose ``num_features`` the first input sets."""

    cls_to_become = normalization.BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, normalization.BatchNorm3d):
    """:class:`BatchNorm3d` whose ``num_features`` the first input sets."""

    cls_to_become = normalization.BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, normalization.InstanceNorm1d):
    """:class:`InstanceNorm1d` whose ``num_features`` the first input sets; ``affine`` by default."""

    cls_to_become = normalization.InstanceNorm1d
    _unbatched = 2


class LazyInstanceNorm2d(_LazyNorm, normalization.InstanceNorm2d):
    """:class:`InstanceNorm2d` whose ``num_features`` the first input sets; ``affine`` by default."""

    cls_to_become = normalization.InstanceNorm2d
    _unbatched = 3


class LazyInstanceNorm3d(_LazyNorm, normalization.InstanceNorm3d):
    """:class:`InstanceNorm3d` whose ``num_features`` the first input sets; ``affine`` by default."""

    cls_to_become = normalization.InstanceNorm3d
    _unbatched = 4

"""Convolutions, and windows as columns, under PyTorch's names.

An input is (batch, channels, *sizes), or one sample without the batch. RuntimeError where shapes do not fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.dtypes import BOOL, IN_CLASSES, in_c
from minigrad.errors import describe, index_error, not_implemented_error, runtime_error
from minigrad.functions.elementwise import own
from minigrad.functions.shape import reshape, squeeze, unsqueeze
from minigrad.gate import public, ranks
from minigrad.kernels.windows import Pads, all_places, places
from minigrad.ops import conv as ops

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]
FUNCTIONAL = ["fold", "unfold"]  # in nn.functional alone


def numbers(name: str, value: Any, rank: int) -> tuple[int, ...]:
    """One integer for each dimension. RuntimeError for another number of them."""
    if value.__class__ is int:
        return (value,) * rank
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(values) not in (1, rank):
        raise runtime_error(
            f"expected {name} to be a single integer value or a list of {rank} values to match the convolution "
            f"dimensions, but got {name}={list(values)}"
        )
    return tuple(int(v) for v in (values * rank if len(values) == 1 else values))


def _channels_last(shape: tuple[int, ...], channels: int, rank: int) -> str:
    """What to try with an input whose last dimension has the channels."""
    return (
        f"; if the last dimension has the channels: .movedim(-1, {-rank - 1})"
        if shape[-1] == channels
        else ""
    )


def _operands(name: str, rank: int, x: Tensor, w: Tensor, bias: Tensor | None) -> bool:
    """Whether the input has a batch; RuntimeError where dimensions or element types do not fit."""
    if w._array.ndim != rank + 2:
        raise runtime_error(
            f"{name}: expected a weight of {rank + 2} dimensions, but got one of size {list(w._array.shape)}"
        )
    if x._array.ndim not in (rank + 1, rank + 2):
        few = (
            "; unsqueeze(0) adds a dimension, of one channel or one example" if x._array.ndim <= rank else ""
        )
        raise runtime_error(
            f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {name}, but got input of size: "
            f"{list(x._array.shape)}{few}"
        )
    dtype = x._array.dtype
    for what, t in (("bias", bias), ("weight", w)):
        if t is not None and t._array.dtype != dtype:
            raise runtime_error(
                f"Input type ({in_c(dtype)}) and {what} type ({in_c(t.dtype)}) should be "
                f"the same: input {describe(x)}, "
                f"{what} {describe(t)}; convert one with .to(dtype)"
            )
    if dtype == BOOL:
        raise not_implemented_error(f"\"{name}\" not implemented for 'Bool'; convert with .float() first")
    return x._array.ndim == rank + 2


def _steps(stride: tuple[int, ...], dilation: tuple[int, ...], groups: int) -> None:
    if min(stride) < 1:
        raise runtime_error("non-positive stride is not supported")
    if min(dilation) < 1:
        raise runtime_error(f"dilation should be greater than zero, but got {list(dilation)}")
    if groups < 1:
        raise runtime_error("non-positive groups is not supported")


def _bias(w: tuple[int, ...], filters: int, bias: Tensor | None, head: str = "") -> None:
    if bias is not None and bias._array.shape != (filters,):
        raise runtime_error(
            f"Given {head}weight of size {list(w)}, expected bias to be 1-dimensional with {filters} elements, but got "
            f"bias of size {list(bias._array.shape)} instead"
        )


def _pads(padding: Any, kernel: tuple[int, ...], stride: Any, dilation: tuple[int, ...]) -> Pads:
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * len(kernel)
        if padding != "same":
            raise runtime_error(f"Invalid padding string: '{padding}'; it may be 'same' or 'valid'")
        if max(stride) > 1:
            raise runtime_error("padding='same' is not supported for strided convolutions")
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((t // 2, t - t // 2) for t in total)
    pads = numbers("padding", padding, len(kernel))
    if min(pads) < 0:
        raise runtime_error("negative padding is not supported")
    return tuple((p, p) for p in pads)


def by(sizes: Sequence[int]) -> str:
    """Sizes as PyTorch's errors write them: ``8 x 8``."""
    return " x ".join(map(str, sizes))


# ---------------------------------------------------------------- convolutions


def _conv(
    rank: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """The products of each filter with the windows of ``input``, summed: what learning calls a convolution.

    ``input`` is (batch, channels, {sizes}), ``weight`` (filters, channels / groups, {kernel}). ``padding`` says how
    many zeros stand at each side, or is ``"same"`` or ``"valid"``.
    """
    name = f"conv{rank}d"
    batched = _operands(name, rank, input, weight, bias)
    shape, filters = input._array.shape, weight._array.shape
    kernel = filters[2:]
    stride, dilation = numbers("stride", stride, rank), numbers("dilation", dilation, rank)
    _steps(stride, dilation, groups)
    pads = _pads(padding, kernel, stride, dilation)
    channels, sizes = shape[-rank - 1], shape[-rank:]
    if channels != filters[1] * groups:
        raise runtime_error(
            f"Given groups={groups}, weight of size {list(filters)}, expected input{list(shape)} to have "
            f"{filters[1] * groups} channels, but got {channels} channels instead"
            f"{_channels_last(shape, filters[1] * groups, rank)}"
        )
    if not filters[0]:
        raise runtime_error(
            f"Given groups={groups}, expected weight to be at least 1 at dimension 0, but got weight of size "
            f"{list(filters)} instead"
        )
    if filters[0] % groups:
        raise runtime_error(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size {list(filters)} instead"
        )
    _bias(filters, filters[0], bias)
    if min(all_places(sizes, kernel, stride, pads, dilation)) < 1:
        padded = [n + a + b for n, (a, b) in zip(sizes, pads, strict=True)]
        spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        raise runtime_error(
            f"Calculated padded input size per channel: ({by(padded)}). Kernel size: ({by(spans)}). Kernel size can't "
            "be greater than actual input size; give padding, or a smaller kernel"
        )
    if 0 in kernel:
        raise runtime_error(
            f"{name}: expected a kernel without a size of 0, but got weight of size {list(filters)}"
        )
    params = {"stride": stride, "pads": pads, "dilation": dilation, "groups": groups}
    operands = (input if batched else unsqueeze(input, 0), weight)
    y = apply(ops.conv, operands if bias is None else (*operands, bias), params)
    return y if batched else own(squeeze(y, 0))


conv1d, conv2d, conv3d = ranks(_conv)


def _conv_transpose(
    rank: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """The gradient of `conv{rank}d` for its input; ``weight`` is (channels, filters / groups, {kernel}).

    ``output_padding`` chooses among the sizes that `conv{rank}d` would make ``input`` of.
    """
    name = f"conv_transpose{rank}d"
    batched = _operands(name, rank, input, weight, bias)
    shape, filters = input._array.shape, weight._array.shape
    kernel = filters[2:]
    stride, dilation = numbers("stride", stride, rank), numbers("dilation", dilation, rank)
    more = numbers("output_padding", output_padding, rank)
    _steps(stride, dilation, groups)
    pads = _pads(numbers("padding", padding, rank), kernel, stride, dilation)
    channels, sizes = shape[-rank - 1], shape[-rank:]
    if channels != filters[0]:
        raise runtime_error(
            f"Given transposed=1, weight of size {list(filters)}, expected input{list(shape)} to have {filters[0]} "
            f"channels, but got {channels} channels instead{_channels_last(shape, filters[0], rank)}"
        )
    if channels % groups:
        raise runtime_error(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size {list(filters)} instead"
        )
    if min(more) < 0:
        raise runtime_error("negative output_padding is not supported")
    if any(m >= s and m >= d for m, s, d in zip(more, stride, dilation, strict=True)):
        raise runtime_error(
            f"output padding must be smaller than either stride or dilation, but got output_padding {list(more)}, "
            f"stride {list(stride)} and dilation {list(dilation)}"
        )
    _bias(filters, filters[1] * groups, bias, "transposed=1, ")
    full = zip(sizes, kernel, stride, pads, dilation, more, strict=True)
    out = tuple((n - 1) * s - a - b + d * (k - 1) + 1 + m for n, k, s, (a, b), d, m in full)
    if min(out) < 1:
        raise runtime_error(
            f"Given input size per channel: ({by(sizes)}). Calculated output size per channel: ({by(out)}). Output "
            "size is too small"
        )
    # What output_padding adds is cut off again by `conv`, which might find room for another window there.
    pads = tuple((a, b - m) for (a, b), m in zip(pads, more, strict=True))
    params = {"sizes": out, "stride": stride, "pads": pads, "dilation": dilation, "groups": groups}
    y = apply(ops.conv_input, (input if batched else unsqueeze(input, 0), weight), params)
    if bias is not None:
        y = y + reshape(bias, -1, *[1] * rank)
    return y if batched else own(squeeze(y, 0))


conv_transpose1d, conv_transpose2d, conv_transpose3d = ranks(_conv_transpose)


# ---------------------------------------------------------------- windows as columns


def _pair(name: str, value: Any) -> tuple[int, int]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2:
        raise runtime_error(f"It is expected {name} equals to 2, but got size {len(values)}")
    return int(values[0]), int(values[1])


def _window(kernel: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, Any]:
    """The parameters of `fold` and `unfold`, checked."""
    values = {
        "kernel": (kernel, 1),
        "dilation": (dilation, 1),
        "padding": (padding, 0),
        "stride": (stride, 1),
    }
    pairs = {name: _pair(f"{name}_size" if name == "kernel" else name, v) for name, (v, _) in values.items()}
    for name, (_, least) in values.items():
        if min(pairs[name]) < least:
            short = {"kernel": "kernel size", "padding": "padding"}.get(name, name)
            raise runtime_error(
                f"{short} should be {'greater than zero' if least else 'non-negative'}, but got {name}_height: "
                f"{pairs[name][0]} {name}_width: {pairs[name][1]}"
            )
    pads = tuple((p, p) for p in pairs.pop("padding"))
    return {**pairs, "pads": pads}


def refuse(name: str, x: Tensor, kinds: str) -> None:
    """NotImplementedError for an element type that is not of these kinds."""
    if x._array.dtype.kind not in kinds:
        kind = IN_CLASSES[x.dtype]
        raise not_implemented_error(f"\"{name}\" not implemented for '{kind}'; convert with .float() first")


def unfold(
    input: Tensor,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """The windows of (batch, channels, height, width) as columns: (batch, channels * kernel places, places)."""
    shape = input._array.shape
    if len(shape) < 3:
        raise index_error(
            f"Dimension out of range: unfold expects an input of 3 or 4 dimensions, got {list(shape)}"
        )
    params = _window(kernel_size, dilation, padding, stride)
    if len(shape) > 4 or 0 in shape[-3:]:
        raise runtime_error(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(shape)}"
        )
    refuse("im2col", input, "fV")
    out = _columns(shape[-2:], params)
    if min(out) < 1:
        raise runtime_error(
            f"Given input with spatial size {shape[-2:]}, {_told(params)}, calculated shape of the array of sliding "
            f"blocks as {out}, but its components must be at least one."
        )
    if len(shape) == 3:
        return own(squeeze(apply(ops.unfold, (unsqueeze(input, 0),), params), 0))
    return apply(ops.unfold, (input,), params)


def _columns(sizes: Sequence[int], params: dict[str, Any]) -> tuple[int, ...]:
    how = [params[name] for name in ("kernel", "stride", "pads", "dilation")]
    return tuple(max(0, n) for n in map(places, sizes, *how))


def _told(params: dict[str, Any]) -> str:
    pads = tuple(p for p, _ in params["pads"])
    return f"kernel_size={params['kernel']}, dilation={params['dilation']}, padding={pads}"


def fold(
    input: Tensor,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Columns added up in the places of an image of ``output_size`` that `unfold` would take them from."""
    shape, sizes = input._array.shape, _pair("output_size", output_size)
    params = _window(kernel_size, dilation, padding, stride)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise runtime_error(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(shape)}"
        )
    count = math.prod(params["kernel"])
    if shape[-2] % count:
        raise runtime_error(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={shape[-2]} and kernel_size={params['kernel']}."
        )
    out = _columns(sizes, params)
    if math.prod(out) != shape[-1] or min(out) < 1:
        raise runtime_error(
            f"Given output_size={sizes}, {_told(params)}, stride={params['stride']}, expected size of input's "
            f"dimension 2 to match the calculated number of sliding blocks {out[0]} * {out[1]} = {math.prod(out)}, but "
            f"got input.size(2)={shape[-1]}."
        )
    refuse("col2im", input, "fV")
    params = {"sizes": sizes, **params}
    if len(shape) == 2:
        return own(squeeze(apply(ops.fold, (unsqueeze(input, 0),), params), 0))
    return apply(ops.fold, (input,), params)


public(globals(), __all__, home="minigrad")
public(globals(), FUNCTIONAL)

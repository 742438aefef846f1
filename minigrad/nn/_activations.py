"""Activations, dropout and embedding, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd import no_grad
from minigrad.core.apply import needs_value
from minigrad.core.promote import held, number
from minigrad.core.tensor import called
from minigrad.dtypes import F64, I64, DTypeLike, working
from minigrad.errors import runtime_error, type_error, value_error, warn
from minigrad.functions import activations as functions
from minigrad.functions.creation import empty, from_numpy, zeros_like
from minigrad.functions.dims import one_dim
from minigrad.gate import public
from minigrad.nn._reductions import refuse_whole
from minigrad.tensor import Tensor

__all__ = [
    "alpha_dropout", "celu", "dropout", "dropout1d", "dropout2d", "dropout3d", "elu", "embedding",
    "feature_alpha_dropout", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "leaky_relu", "log_softmax", "logsigmoid", "mish", "one_hot", "prelu", "relu6", "rrelu", "selu", "sigmoid", "silu",
    "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold",
]  # fmt: skip


# ---------------------------------------------------------------- softmax


def _dim_of(name: str, dim: int | None, input: Tensor) -> int:
    return _get_softmax_dim(name, input._array.ndim, 3) if dim is None else dim


def _get_softmax_dim(name: str, ndim: int, stacklevel: int) -> int:
    """The dimension that PyTorch once took where none was given, with a warning."""
    warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument."
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None
) -> Tensor:
    """``exp(input)`` divided by its sum along ``dim``: positive numbers that add up to 1."""
    return functions.softmax(input, _dim_of("softmax", dim, input), dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None
) -> Tensor:
    """The logarithm of :func:`softmax`."""
    return functions.log_softmax(input, _dim_of("log_softmax", dim, input), dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None
) -> Tensor:
    """:func:`softmax` of ``-input``."""
    return functions.softmax(-input, _dim_of("softmin", dim, input), dtype)


def gumbel_softmax(
    logits: Tensor, tau: float | Tensor = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """:func:`softmax` of ``(logits + g) / tau``, where g is drawn from the Gumbel distribution.

    With ``hard`` it is 1 at the largest and 0 elsewhere, with the gradient of the softmax. Jang, Gu, Poole (2017),
    "Categorical Reparameterization with Gumbel-Softmax".
    """
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.")
    draws = -empty(logits.shape, dtype=logits.dtype).exponential_().log()
    soft: Tensor = functions.softmax((logits + called(draws, "noise")) / tau, dim)
    if not hard:
        return soft
    values = soft.detach()
    ones = zeros_like(values).scatter(dim, values.max(dim, keepdim=True)[1], 1.0)
    return ones - values + soft


# ---------------------------------------------------------------- element by element


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``input * Phi(input)``, Phi the standard normal distribution function; ``approximate="tanh"`` approximates it.

    RuntimeError for another ``approximate``.
    """
    if approximate not in ("none", "tanh"):
        raise runtime_error(f"approximate argument must be either none or tanh, got {approximate!r}.")
    return functions.gelu(input, approximate=approximate)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * sigmoid(input)``."""
    return functions.silu(input, inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * tanh(softplus(input))``."""
    return functions.mish(input, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``negative_slope * input``."""
    return functions.leaky_relu(input, inplace, slope=float(negative_slope))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``alpha * (exp(input) - 1)``."""
    return functions.plain_elu(input, inplace, alpha=float(alpha), scale=1.0, input_scale=1.0)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``alpha * (exp(input / alpha) - 1)``."""
    return functions.celu_(input, alpha) if inplace else functions.celu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """``scale * elu(input, alpha)`` with the constants for which layers keep mean 0 and variance 1."""
    return functions.selu_(input) if inplace else functions.selu(input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * input)) / beta``, and ``input`` where ``beta * input`` is above ``threshold``."""
    return functions.softplus(input, beta=float(beta), threshold=float(threshold))


def logsigmoid(input: Tensor) -> Tensor:
    """``log(sigmoid(input))``, without underflow."""
    return functions.log_sigmoid(input.contiguous())  # as in PyTorch, row by row


def softsign(input: Tensor) -> Tensor:
    """``input / (1 + |input|)``."""
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """``input - tanh(input)``."""
    return input - input.tanh()


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``input`` moved by ``lambd`` towards 0, but not beyond it. RuntimeError for a negative ``lambd``."""
    if lambd < 0:
        raise runtime_error(f"lambda must be greater or equal to 0, but found to be {lambd:g}.")
    return functions.softshrink(input, lambd=float(lambd))


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 where ``|input| <= lambd``, else ``input``."""
    return functions.hardshrink(input, lambd=float(lambd))


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` between the bounds; no gradient at or beyond them.

    ValueError where they cross, RuntimeError for bools and for bounds that the dtype cannot hold.
    """
    if min_val > max_val:
        raise value_error("min_val cannot be greater than max_val")
    kind = input._array.dtype.kind
    if kind == "b":
        raise runtime_error("Bool inputs not supported for hardtanh")
    low, high = (number(b, F64 if kind in "fcV" else I64) for b in (min_val, max_val))
    if input._array.itemsize < 4:  # others hold all bounds but absurd ones
        for bound in (low, high):
            held(bound, input._array.dtype)
    return functions.hardtanh(input, inplace, min=low, max=high)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(0, input), 6)``. RuntimeError for bools."""
    if input._array.dtype.kind == "b":
        raise runtime_error("Boolean inputs not supported for relu6")
    return hardtanh(input, 0.0, 6.0, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``relu6(input + 3) / 6``."""
    return functions.hardsigmoid(input, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * relu6(input + 3) / 6``."""
    return functions.hardswish(input, inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``input`` where it is greater than ``threshold``, else ``value``."""
    dtype = input._array.dtype
    if all(isinstance(x, (int, float)) for x in (threshold, value)):  # others are refused there
        threshold, value = held(threshold, working(dtype)), held(value, dtype)
    return functions.threshold(input, inplace, threshold=threshold, value=value)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``input`` where it is positive, else ``weight * input``, with one weight, or one for each channel."""
    return functions.prelu(input, weight)


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """:func:`leaky_relu` with a random slope for each element when ``training``, else with the mean of the bounds."""
    function = functions.rrelu_ if inplace else functions.rrelu
    return function(input, lower, upper, training)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along ``dim``, times the sigmoid of the second. RuntimeError for an odd size, or no dimension."""
    if not input._array.ndim:
        raise runtime_error("glu does not support 0-dimensional tensors")
    d = one_dim(dim, input._array.ndim)
    size = input._array.shape[d]
    if size % 2:
        raise runtime_error(f"Halving dimension must be even, but dimension {d} is size {size}")
    refuse_whole("glu", input)
    return input.narrow(d, 0, size // 2) * input.narrow(d, size // 2, size // 2).sigmoid()


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-input))``."""
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return input.tanh()


# ---------------------------------------------------------------- dropout


def _probability(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise value_error(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Sets each element to 0 with probability ``p`` and divides the rest by ``1 - p``.

    Outside of training it is ``input`` itself.
    """
    _probability(p)
    return functions.dropout_(input, p, training) if inplace else functions.dropout(input, p, training)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps mean 0 and variance 1, for networks of :func:`selu`."""
    _probability(p)
    function = functions.alpha_dropout_ if inplace else functions.alpha_dropout
    return function(input, p, training)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """:func:`alpha_dropout` of whole channels."""
    _probability(p)
    function = functions.feature_alpha_dropout_ if inplace else functions.feature_alpha_dropout
    return function(input, p, training)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """:func:`dropout` of whole channels of (N, C, L) or (C, L). RuntimeError for other dimensions."""
    _probability(p)
    if input.dim() not in (2, 3):
        raise runtime_error(
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input. Note that dropout1d exists to "
            "provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional "
            "batch dimension (i.e. 2D or 3D inputs)."
        )
    return _of_channels(input, p, training, inplace, input.dim() == 3)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """:func:`dropout` of whole channels of (N, C, H, W); warns for what is neither 4-d nor 3-d."""
    _probability(p)
    if input.dim() not in (3, 4):
        warn(
            f"dropout2d: Received a {input.dim()}-D input to dropout2d, which is deprecated and will result in an "
            "error in a future release. To retain the behavior and silence this warning, please use dropout instead. "
            "Note that dropout2d exists to provide channel-wise dropout on inputs with 2 spatial dimensions, a "
            "channel dimension, and an optional batch dimension (i.e. 3D or 4D inputs)."
        )
    if input.dim() == 3:
        warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is "
            "desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change "
            "in a future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To "
            "maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead."
        )
    return _of_channels(input, p, training, inplace, True)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """:func:`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W); warns for other dimensions."""
    _probability(p)
    if input.dim() not in (4, 5):
        warn(
            f"dropout3d: Received a {input.dim()}-D input to dropout3d, which is deprecated and will result in an "
            "error in a future release. To retain the behavior and silence this warning, please use dropout instead. "
            "Note that dropout3d exists to provide channel-wise dropout on inputs with 3 spatial dimensions, a "
            "channel dimension, and an optional batch dimension (i.e. 4D or 5D inputs)."
        )
    return _of_channels(input, p, training, inplace, input.dim() == 5)


def _of_channels(input: Tensor, p: float, training: bool, inplace: bool, batched: bool) -> Tensor:
    if inplace and batched:
        return functions.feature_dropout_(input, p, training)
    if inplace:
        functions.feature_dropout_(input.unsqueeze(0), p, training)
        return input
    if batched:
        return functions.feature_dropout(input, p, training)
    return functions.feature_dropout(input.unsqueeze(0), p, training).squeeze(0)


# ---------------------------------------------------------------- rows by number


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Each class as a row of zeros with a 1 at its index: int64 of shape (..., num_classes).

    ``num_classes`` is the largest class plus 1 by default. RuntimeError for classes that are negative or too large.
    """
    array = tensor._array
    if array.dtype != np.int64:
        raise runtime_error(
            f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}; use .long()"
        )
    if num_classes == -1:
        needs_value("one_hot() without num_classes")
        if not array.size:
            raise runtime_error("Can not infer total number of classes from empty tensor.")
        if array.min() < 0:
            raise runtime_error("Class values must be non-negative.")
        num_classes = int(array.max()) + 1
    elif num_classes < 1 and array.size:
        raise runtime_error("num_classes should be positive")
    elif num_classes < 1:
        raise runtime_error("Can not infer total number of classes from empty tensor.")
    return functions.one_hot(tensor, num_classes)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of ``weight`` (rows, width) at the integer indices ``input``: of shape ``(*input.shape, width)``.

    Row ``padding_idx`` gets no gradient. With ``max_norm``, looked-up rows that are longer are scaled to it, in place.
    ``scale_grad_by_freq`` divides a row's gradient by how often it was looked up. With ``sparse`` the gradient of a
    leaf is a sparse Tensor; a backward pass that is itself recorded makes a dense one. IndexError for an index out of
    range, ValueError for such a ``padding_idx``, RuntimeError for other dtypes and for a weight that is no matrix.
    """
    array, index = weight._array, input._array
    if array.ndim != 2:
        raise runtime_error(
            f"'weight' must be 2-D: indices come first, then a weight (rows, size), got {list(array.shape)}"
        )
    if index.dtype.char not in "ilq":  # int32 and int64
        raise runtime_error(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{input.dtype} instead (while checking arguments for embedding); use .long()"
        )
    rows = len(array)
    padding = -1
    if padding_idx is not None:
        if not hasattr(type(padding_idx), "__index__"):
            raise type_error(
                f"embedding(): argument 'padding_idx' must be int, not {type(padding_idx).__name__}"
            )
        if not -rows <= padding_idx < rows:
            raise value_error("Padding_idx must be within num_embeddings")
        padding = padding_idx % rows
    if max_norm is not None:
        _renormed(weight, index, max_norm, norm_type)
    sparse = sparse and weight.requires_grad and weight.is_leaf
    return functions.embedding(weight, input, padding, bool(scale_grad_by_freq), sparse)


def _renormed(weight: Tensor, index: Any, max_norm: float, norm_type: float) -> None:
    """Scales the rows at ``index`` that are longer than ``max_norm``, in place and unrecorded."""
    needs_value("embedding() with max_norm")
    places = np.unique(index)
    if not places.size or places[0] < 0 or places[-1] >= len(weight._array):
        return
    rows = weight._array[places]
    norms = np.linalg.norm(rows, norm_type, axis=1, keepdims=True)
    scale = np.where(norms > max_norm, max_norm / (norms + 1e-7), 1.0).astype(rows.dtype)
    with no_grad():
        weight[from_numpy(places)] = from_numpy(rows * scale)


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

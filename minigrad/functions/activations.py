"""Softmax, activations, dropout, embedding and the losses that PyTorch has in its first namespace, too."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minigrad import dtypes, random
from minigrad.core.apply import apply, cast
from minigrad.core.mode import MODE
from minigrad.core.node import next_seq
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor, called
from minigrad.core.views import check_change
from minigrad.dtypes import DTypeLike
from minigrad.errors import not_implemented_error, runtime_error
from minigrad.functions.creation import laid_as
from minigrad.functions.dims import one_dim
from minigrad.functions.draws import drawn
from minigrad.functions.store import store, update
from minigrad.gate import case, public
from minigrad.kernels.sums import in_columns
from minigrad.ops import activations as a
from minigrad.ops import classes as c
from minigrad.ops import draws
from minigrad.ops import elementwise as e
from minigrad.ops.shape import reshape

__all__ = [
    "alpha_dropout", "alpha_dropout_", "celu", "celu_", "dropout", "dropout_", "feature_alpha_dropout",
    "feature_alpha_dropout_", "feature_dropout", "feature_dropout_", "log_softmax", "prelu", "rrelu", "rrelu_",
    "selu", "selu_", "softmax",
]  # fmt: skip

# As in the paper on self-normalizing networks.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    """``exp(input)`` divided by its sum along ``dim``; NotImplementedError for integers without a ``dtype``."""
    return _of_rows(c.softmax, input, dim, dtype)


def safe_softmax(input: Tensor, dim: int) -> Tensor:
    """`softmax`, and 0 along ``dim`` where there is nothing but -inf."""
    return _of_rows(c.safe_softmax, input, dim, None)


def log_softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    """The logarithm of `softmax`, which may be far below what float numbers hold of softmax itself."""
    return _of_rows(c.log_softmax, input, dim, dtype)


def _of_rows(op: Op, input: Tensor, dim: int, dtype: DTypeLike | None) -> Tensor:
    if dtype is not None:
        input = cast(input, dtypes.as_numpy(dtype))
    d = one_dim(dim, input._array.ndim)
    if input._array.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"{op.name}\" not implemented for '{dtypes.scalar(input.dtype)}'; give a dtype"
        )
    return apply(op, (input,), {"dim": d})


# ---------------------------------------------------------------- activations


def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``max(0, input) + min(0, alpha * (exp(input / alpha) - 1))``. RuntimeError for alpha 0."""
    if alpha == 0:
        raise runtime_error("ZeroDivisionError: alpha cannot be 0 for CELU")
    return elu(input, alpha, 1.0, 1.0 / alpha)


def selu(input: Tensor) -> Tensor:
    """``scale * elu(input, alpha)`` with the constants for which layers keep mean 0 and variance 1."""
    return elu(input, SELU_ALPHA, SELU_SCALE)


def elu(input: Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Tensor:
    """``scale * input`` above 0, ``scale * alpha * (exp(input_scale * input) - 1)`` below."""
    params = {"alpha": float(alpha), "scale": float(scale), "input_scale": float(input_scale)}
    return apply(a.elu, (input,), params)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``input`` where it is positive, else ``weight * input``, with one weight, or one for each channel."""
    x, w = input._array, weight._array
    if x.dtype != w.dtype:
        raise runtime_error(
            f"prelu: Type promoting not supported. Got {input.dtype} and {weight.dtype}; convert one with .to()"
        )
    if w.ndim > 1:
        raise runtime_error(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {w.ndim}")
    if w.size != 1:
        if not x.ndim:
            raise runtime_error("prelu: Not allow zero-dim input tensor.")
        channels = x.shape[1] if x.ndim > 1 else 1
        if channels != w.size:
            raise runtime_error(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {w.size} and "
                f"channel size = {channels}."
            )
        weight = apply(reshape, (weight,), {"shape": (w.size, *(1,) * (x.ndim - 2))})
    elif w.ndim:
        weight = apply(reshape, (weight,), {"shape": ()})
    return apply(a.prelu, (input, weight))


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
    generator: random.Generator | None = None,
) -> Tensor:  # fmt: skip
    """``input`` where it is positive, else ``slope * input``: with the mean of the bounds, or drawn when training.

    RuntimeError for bounds that are not finite or not in order, NotImplementedError for integers.
    """
    for name, bound in (("lower", lower), ("upper", upper)):
        if not math.isfinite(bound):
            raise runtime_error(f"rrelu: {name} bound must be finite, got {bound}")
    if lower > upper:
        raise runtime_error(
            f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}"
        )
    if not training:
        return apply(a.leaky_relu, (input,), {"slope": (float(lower) + float(upper)) / 2})
    if input._array.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"rrelu\" not implemented for '{dtypes.scalar(input.dtype)}'; use .float() first"
        )
    source = random.default_generator if generator is None else generator
    slopes = apply(draws.slopes, (input.detach(),), {"generator": source, "lower": lower, "upper": upper})
    return apply(e.mul, (input, called(slopes, "slopes")))


# ---------------------------------------------------------------- dropout


def _dropped(name: str, input: Tensor, p: float, train: bool) -> Tensor:
    if not 0 <= p <= 1:
        raise runtime_error(f"dropout probability has to be between 0 and 1, but got {p}")
    array = input._array
    if p == 0 or not train or not array.size:
        return input
    if p == 1:
        return apply(e.mul, (input, array.dtype.type(0).item()))
    if array.dtype.kind not in "fV":
        raise runtime_error(
            f"result type Float can't be cast to the desired output type {dtypes.scalar(input.dtype)}: dropout in "
            "training needs a Tensor of floats; convert it with .float()"
        )
    shape = array.shape
    feature = "feature" in name
    if feature:
        if array.ndim < 2:
            raise runtime_error("Feature dropout requires at least 2 dimensions in the input")
        shape = (*shape[:2], *(1,) * (array.ndim - 2))
    plain = feature or array.flags.c_contiguous
    noise = _drops(array, p, shape) if plain else laid_as(array, lambda size: _drops(array, p, size))
    if "alpha" not in name:
        return apply(e.mul, (input, called(apply(e.div, (noise, 1 - p)), "mask")))
    low = 1.7580993408473766  # SELU_ALPHA * SELU_SCALE, to which selu falls
    scale = 1 / math.sqrt((low * low * p + 1) * (1 - p))
    shift = apply(e.add, (apply(e.mul, (apply(e.add, (noise, -1.0)), low * scale)), low * scale * p))
    kept = apply(e.mul, (input, called(apply(e.mul, (noise, scale)), "mask")))
    return apply(e.add, (kept, called(shift, "shift")))


def _drops(array: Any, p: float, shape: tuple[int, ...]) -> Tensor:
    return drawn(None, "bernoulli", 1 - p, shape, array.dtype)


dropout = case(_dropped, "dropout", """
    Sets each element to 0 with probability ``p`` and divides the rest by ``1 - p``.

    Without ``train`` it is ``input`` itself.
    """)  # fmt: skip
feature_dropout = case(_dropped, "feature_dropout", """
    `dropout` of whole channels: those of the first two dimensions. RuntimeError for fewer.
    """)  # fmt: skip
alpha_dropout = case(_dropped, "alpha_dropout", """
    Dropout that keeps mean 0 and variance 1, for networks of `selu`.
    """)  # fmt: skip
feature_alpha_dropout = case(_dropped, "feature_alpha_dropout", "`alpha_dropout` of whole channels.")


# ---------------------------------------------------------------- in place


def over(input: Tensor, function: Callable[..., Tensor], *args: Any) -> Tensor:
    """``input`` overwritten with a function of it."""
    if MODE.get().grad:
        check_change(input)
    since = next_seq()
    result = function(input, *args)
    return input if result is input else store(input, result, function.__name__, since)


def rrelu_(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
    generator: random.Generator | None = None,
) -> Tensor:  # fmt: skip
    """`rrelu`, in place."""
    return over(input, rrelu, lower, upper, training, generator)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu`, in place."""
    return over(input, celu, alpha)


def selu_(input: Tensor) -> Tensor:
    """`selu`, in place."""
    return over(input, selu)


def _dropped_over(function: Callable[..., Tensor], input: Tensor, p: float, train: bool) -> Tensor:
    # what stays as it is may be a leaf
    changes = train and p != 0 and input._array.size
    return over(input, function, p, train) if changes else function(input, p, train)


dropout_, feature_dropout_, alpha_dropout_, feature_alpha_dropout_ = (
    case(_dropped_over, f"{function.__name__}_", f"`{function.__name__}`, in place.", function)
    for function in (dropout, feature_dropout, alpha_dropout, feature_alpha_dropout)
)


# ---------------------------------------------------------------- for minigrad.nn.functional alone


def _plain(op: Op) -> Callable[..., Tensor]:
    """An operation of one operand, which ``inplace`` overwrites."""

    def function(input: Tensor, inplace: bool = False, **params: Any) -> Tensor:
        return update(input, op, (input,), params) if inplace else apply(op, (input,), params)

    return function


gelu, silu, mish, softplus, log_sigmoid = map(_plain, (a.gelu, a.silu, a.mish, a.softplus, a.log_sigmoid))
plain_elu, leaky_relu, hardtanh, threshold = map(_plain, (a.elu, a.leaky_relu, a.hardtanh, a.threshold))
hardsigmoid, hardswish, softshrink = map(_plain, (a.hardsigmoid, a.hardswish, a.softshrink))
hardshrink, huber = map(_plain, (a.hardshrink, a.huber))


def bce(input: Tensor, target: Tensor) -> Tensor:
    """The elements of the cross entropy of two classes, of probabilities."""
    return apply(a.bce, (input, target))


def bounded_below(x: Tensor, eps: float) -> Tensor:
    """``x``, and ``eps`` where it is less; the gradient passes everywhere."""
    return apply(a.bounded_below, (x,), {"eps": eps})


def variance(var: Tensor, eps: float) -> Tensor:
    """`bounded_below` ``eps``; ValueError where it is negative."""
    return apply(a.variance, (var,), {"eps": eps})


def bce_with_logits(input: Tensor, target: Tensor) -> Tensor:
    """The elements of the cross entropy of two classes."""
    return apply(a.bce_with_logits, (input, target))


def by_columns(x: Tensor) -> bool:
    """Whether losses of classes, the second dimension, take less time as those of columns than of rows."""
    return x._array.flags.c_contiguous and x._array.size > 0 and in_columns(x._array.shape, 1)


def log_loss(rows: Tensor, target: Tensor, ignore: int, mean: bool) -> Tensor:
    """``-log(softmax(rows, 1))`` of the class of each row, or column, or the mean of those that are not ignored."""
    losses = apply(c.log_loss, (rows, target), {"ignore": ignore, "mean": mean})
    node = losses._node
    if node is None or not node.requires_grad:
        c.EXPS.take(losses._array, rows._array)  # no gradient will ask for them
    else:
        c.EXPS.until(losses._array, node)
    return losses


def nll(rows: Tensor, target: Tensor, ignore: int, mean: bool) -> Tensor:
    """``-rows`` of the class of each row, or column, or the mean of those that are not ignored."""
    return apply(c.nll, (rows, target), {"ignore": ignore, "mean": mean})


def one_hot(target: Tensor, classes: int) -> Tensor:
    """1 in the place that each class names, else 0."""
    return apply(c.one_hot, (target,), {"classes": classes})


def embedding(weight: Tensor, index: Tensor, padding: int, by_count: bool, sparse: bool = False) -> Tensor:
    """Rows of ``weight``; ``padding`` (-1: none) gets no gradient, the others by how often they are named.

    With ``sparse``, for a leaf, the gradient is a sparse Tensor.
    """
    op = c.embedding
    if sparse:
        from minigrad.ops.sparse import embedding_of_rows as op
    return apply(op, (weight, index), {"padding": padding, "by_count": by_count})


def bag_sums(rows: Tensor, bags: Tensor, count: int) -> Tensor:
    """The sums (count, width) of those rows (n, width) that have the same number in ``bags`` (n)."""
    return apply(c.embedding_backward, (rows, bags), {"rows": count, "padding": -1, "by_count": False})


METHODS = "log_softmax prelu softmax"

public(globals(), __all__, home="minigrad")

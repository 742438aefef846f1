"""How operations are written in ONNX: the one table of it, by the name of the record.

An entry is the name of ONNX's operator, where the inputs are the same, or a function of an `Out`, the names of the
inputs and the parameters of the record, which returns the name of the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.kernels.along import resample
from minigrad.onnx.out import Out
from minigrad.onnx.recurrent import gru, lstm, rnn


def _sizes(o: Out, sizes: Sequence[int], twin: Sequence[int], free: int) -> str:
    """A constant of sizes, in which ``free`` stands for the one that depends on the batch."""
    places = [n if n == m else free for n, m in zip(sizes, twin, strict=True)]
    if places.count(-1) > 1:
        raise o.refuse("two sizes depend on the batch")
    return o.array(places, np.int64)


def _expand(o: Out, x: str, shape: Any) -> str:
    """A size that depends on the batch is there already, or is that of the batch."""
    old, new = (tuple(n.inputs[0].shape) for n in (o.node, o.twin))
    wide = o.twin.params["shape"]
    rows = set()
    for k in range(1, len(shape) + 1):
        if shape[-k] != wide[-k] and (k > len(old) or old[-k] == new[-k]):
            if not o.is_batch(shape[-k], wide[-k]):
                raise o.refuse("it repeats rows as often as there are in the batch")
            rows.add(len(shape) - k)
    if rows:
        pairs = enumerate(zip(shape, wide, strict=True))
        return o("Expand", x, o.sized([-1 if k in rows else n if n == m else 1 for k, (n, m) in pairs]))
    return o("Expand", x, _sizes(o, shape, wide, 1))


def _gather(o: Out, x: str, index: str, dim: int) -> str:
    if len(o.node.shape) == len(o.node.inputs[0].shape):
        return o("GatherElements", x, index, axis=dim)
    axis = o.array([dim], np.int64)
    return o("Squeeze", o("GatherElements", x, o("Unsqueeze", index, axis), axis=dim), axis)


def _part(o: Out, index: Any) -> str:
    """The matrix that is cut out of the vector of a recurrent layer's results, still as rows."""
    source = o.node.inputs[0]
    rows, width = source.inputs[0].shape[0], source.inputs[1].shape[1]
    states = math.prod(source.inputs[1].shape)
    names = o.parts[source]
    ends = [0, rows * width, *(rows * width + k * states for k in range(1, len(names)))]
    (cut,) = index
    if (cut.start or 0) not in ends[:-1]:
        raise o.refuse("it takes a result of a recurrent layer apart")
    return names[ends.index(cut.start or 0)]


def _wholes(index: Any, shape: Sequence[int]) -> Any:
    """An index in which a slice of as many rows as there are is that of all."""
    if not all(isinstance(i, slice) for i in index):
        return index
    return tuple(slice(None) if i == slice(None, n) else i for i, n in zip(index, shape, strict=False))


def _slice(o: Out, x: str, index: Any) -> str:
    if o.node.inputs[0] in o.parts:
        return _part(o, index)
    index, other = (_wholes(n.params["index"], n.inputs[0].shape) for n in (o.node, o.twin))
    if index != other:
        raise o.refuse("the place depends on the size of the batch")
    axis = 0
    cuts, gone, new = list[Any](), list[int](), list[int]()
    for i in index:
        if i is None:
            new.append(axis - len(gone) + len(new))
        elif i is Ellipsis:
            axis += len(o.node.inputs[0].shape) - sum(k is not None for k in index) + 1
        else:
            whole = isinstance(i, slice)
            if whole and i != slice(None):
                cuts.append(
                    (axis, i.start or 0, np.iinfo(np.int64).max if i.stop is None else i.stop, i.step or 1)
                )
            elif not whole:
                cuts.append((axis, i, i + 1 if i != -1 else np.iinfo(np.int64).max, 1))
                gone.append(axis)
            axis += 1
    if cuts:
        axes, starts, ends, steps = (o.array(list(c), np.int64) for c in zip(*cuts, strict=True))
        x = o("Slice", x, starts, ends, axes, steps)
    if gone:
        x = o("Squeeze", x, o.array(gone, np.int64))
    return o("Unsqueeze", x, o.array(new, np.int64)) if new else x


def _index(o: Out, x: str, *indices: str, pattern: Sequence[bool]) -> str:
    if pattern.count(True) > 1 or o.node.inputs[1].dtype.kind == "b":
        raise o.refuse("ONNX takes whole numbers along one dimension")
    return o("Gather", x, *indices, axis=pattern.index(True))


def _diagonal(o: Out, x: str, offset: int, dim1: int, dim2: int) -> str:
    """The elements at their places among those of both dimensions, which come last."""
    shape = o.node.inputs[0].shape
    if (shape[dim1], shape[dim2]) != tuple(o.twin.inputs[0].shape[d] for d in (dim1, dim2)):
        raise o.refuse("a diagonal along the batch")
    rest = [d for d in range(len(shape)) if d not in (dim1, dim2)]
    places = np.arange(shape[dim1] * shape[dim2]).reshape(shape[dim1], shape[dim2]).diagonal(offset)
    x = o("Transpose", x, perm=[*rest, dim1, dim2])
    rows = o("Reshape", x, o.array([*[0] * len(rest), -1], np.int64))
    return o("Gather", rows, o.array(places, np.int64), axis=len(rest))


def _logit(o: Out, x: str, eps: float | None) -> str:
    x = x if eps is None else _clip(o, x, eps, 1 - eps)
    return o("Log", o("Div", x, o("Sub", o.array(1.0), x)))


def _nan_to_num(o: Out, x: str, nan: float, posinf: Any, neginf: Any) -> str:
    most = np.finfo(o.node.dtype).max
    for sign, value, limit in ((1, posinf, most), (0, neginf, -most)):
        found = o("IsInf", x, detect_positive=sign, detect_negative=1 - sign)
        x = o("Where", found, o.array(limit if value is None else value), x)
    return o("Where", o("IsNaN", x), o.array(nan), x)


def _typed(o: Out, x: str) -> str:
    """The first input in the type of the result."""
    to = o.node.dtype
    return x if o.node.inputs[0].dtype == to else o("Cast", x, to=o.type(to))


def _reduced(operator: str) -> Callable[..., str]:
    def form(o: Out, x: str, dim: Any = None, keepdim: bool = False) -> str:
        axes = range(len(o.node.inputs[0].shape)) if dim is None else np.atleast_1d(dim).tolist()
        return o(operator, _typed(o, x), o.array(list(axes), np.int64), keepdims=int(keepdim))

    return form


_mean = _reduced("ReduceMean")


def _deviations(o: Out, x: str, dim: Any) -> tuple[str, str]:
    """The distance of each element to the mean, and its square."""
    d = o("Sub", x, _mean(o, x, dim, True))
    return d, o("Mul", d, d)


def _standardize(o: Out, x: str, dim: Any, eps: float) -> str:
    d, square = _deviations(o, x, dim)
    return o("Div", d, o("Sqrt", o("Add", _mean(o, square, dim, True), o.array(eps))))


def _var(o: Out, x: str, dim: Any, correction: Any, keepdim: bool) -> str:
    shape, wide = (n.inputs[0].shape for n in (o.node, o.twin))
    count, other = (
        np.prod([s[d] for d in (range(len(s)) if dim is None else np.atleast_1d(dim))]) for s in (shape, wide)
    )
    if count != other:
        raise o.refuse("a variance over the batch")
    square = _deviations(o, x, dim)[1]
    return o("Mul", _mean(o, square, dim, keepdim), o.array(count / (count - correction)))


def _arg(operator: str) -> Callable[..., str]:
    def form(o: Out, x: str, dim: Any, keepdim: bool) -> str:
        if dim is None:
            x, dim = o("Reshape", x, o.array([-1], np.int64)), 0
        return o(operator, x, axis=dim, keepdims=int(keepdim))

    return form


def _linear(o: Out, x: str, w: str, b: str) -> str:
    if len(o.node.inputs[0].shape) == 2:
        return o("Gemm", x, w, b, transB=1)
    return o("Add", o("MatMul", x, o("Transpose", w, perm=[1, 0])), b)


def _conv(o: Out, *inputs: str, stride: Any, pads: Any, dilation: Any, groups: int) -> str:
    (begins, ends) = zip(*pads, strict=True)
    return o(
        "Conv", *inputs, strides=list(stride), pads=[*begins, *ends], dilations=list(dilation), group=groups
    )


def _conv_input(
    o: Out, d: str, w: str, sizes: Any, stride: Any, pads: Any, dilation: Any, groups: int
) -> str:
    """A transposed convolution; what is cut off less at the end is ONNX's padding of the output."""
    (begins, ends) = zip(*pads, strict=True)
    return o(
        "ConvTranspose", d, w, strides=list(stride), pads=[*begins, *[max(n, 0) for n in ends]],
        output_padding=[max(-n, 0) for n in ends], dilations=list(dilation), group=groups,
    )  # fmt: skip


def _resample(o: Out, x: str, plans: Any) -> str:
    """A product with a matrix along each dimension, which is what it does to an identity matrix."""
    if all(plan[0] == "mean" or (plan[0] == "adaptive" and plan[1] % plan[2] == 0) for plan in plans):
        return _pool("AveragePool", "mean")(o, x, plans)
    for k, plan in enumerate(reversed(plans)):
        matrix = o.array(resample(np.eye(plan[1], dtype=np.float64), (plan,)))
        after = "wvu"[:k]
        x = o("Einsum", x, matrix, equation=f"...a{after},ab->...b{after}")
    return x


def _pool(operator: str, kind: str) -> Callable[..., str]:
    def form(o: Out, x: str, plans: Any) -> str:
        rows, counted = [], 0
        for plan in plans:
            if plan[0] == kind:
                size, kernel, stride, pad = plan[1:5]
                dilation, out = (plan[5], plan[6]) if kind == "window" else (1, plan[5])
                counted = 0 if kind == "window" else int(plan[6])
            elif plan[0] == "adaptive" and plan[1] % plan[2] == 0:
                size, out = plan[1:3]
                kernel = stride = size // out
                pad, dilation = 0, 1
            else:
                raise o.refuse(f"plan {plan[0]!r}")
            end = max(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - size - pad)
            if end > pad and counted:
                raise o.refuse("ceil_mode with padding that counts")
            rows.append((kernel, stride, pad, end, dilation))
        kernels, strides, begins, ends, dilations = (list(c) for c in zip(*rows, strict=True))
        more = {"dilations": dilations} if kind == "window" else {"count_include_pad": counted}
        return o(operator, x, kernel_shape=kernels, strides=strides, pads=begins + ends, **more)

    return form


def _pad(o: Out, x: str, pads: Any, value: float) -> str:
    before = len(o.node.inputs[0].shape) - len(pads)
    begins, ends = zip(*pads, strict=True)
    return o("Pad", x, o.array([*[0] * before, *begins, *[0] * before, *ends], np.int64), o.array(value))


def _stack(o: Out, *xs: str, dim: int) -> str:
    return o("Concat", *(o("Unsqueeze", x, o.array([dim], np.int64)) for x in xs), axis=dim)


def _clip(o: Out, x: str, min: Any, max: Any) -> str:
    return o("Clip", x, *("" if v is None else o.array(v) for v in (min, max)))


def _elu(o: Out, x: str, alpha: float, scale: float, input_scale: float) -> str:
    if scale == input_scale == 1:
        return o("Elu", x, alpha=alpha)
    low = o("Mul", o("Elu", o("Mul", x, o.array(input_scale)), alpha=alpha), o.array(scale))
    return o("Where", o("Greater", x, o.array(0.0)), o("Mul", x, o.array(scale)), low)


def _softplus(o: Out, x: str, beta: float, threshold: float) -> str:
    """Above the threshold it is ``x``, which needs a form of its own where that differs."""
    scaled = x if beta == 1 else o("Mul", x, o.array(beta))
    y = o("Softplus", scaled)
    y = y if beta == 1 else o("Div", y, o.array(beta))
    if np.exp(-threshold) < np.finfo(o.node.dtype).eps:
        return y
    return o("Where", o("Greater", scaled, o.array(threshold)), x, y)


def _log(base: float) -> Callable[..., str]:
    return lambda o, x: o("Div", o("Log", x), o.array(np.log(base)))


def _cumsum(o: Out, x: str, dim: int, dtype: Any, back: Any, reverse: bool) -> str:
    return o("CumSum", _typed(o, x), o.array(dim, np.int64), reverse=int(reverse))


def _channel_norm(o: Out, x: str, w: str, *b: str, groups: int, eps: float) -> str:
    size = o.node.inputs[0].shape
    each = o.array([size[1], *[1] * (len(size) - 2)], np.int64)
    if groups:
        y = _standardize(o, o("Reshape", x, o.array([0, groups, -1], np.int64)), (2,), eps)
        y = o("Reshape", y, o.array([0, *size[1:]], np.int64))
    else:
        y = _standardize(o, x, (0, *range(2, len(size))), eps)
    y = o("Mul", y, o("Reshape", w, each))
    return o("Add", y, o("Reshape", *b, each)) if b else y


def _running_norm(o: Out, x: str, mean: str, var: str, w: str, *b: str, eps: float) -> str:
    shift = b[0] if b else o.array(np.zeros(o.node.inputs[3].shape))
    return o("BatchNormalization", x, w, shift, mean, var, epsilon=eps)


def _safe_softmax(o: Out, x: str, dim: int) -> str:
    most = o("ReduceMax", x, o.array([dim], np.int64), keepdims=1)
    return o("Where", o("Equal", most, o.array(-np.inf)), o.array(0.0), o("Softmax", x, axis=dim))


def _bits(operator: str) -> Callable[..., str]:
    return lambda o, *xs: o(operator if o.node.dtype.kind == "b" else f"Bitwise{operator}", *xs)


def _round(o: Out, x: str, decimals: int) -> str:
    if decimals:
        raise o.refuse("decimals")
    return o("Round", x)


def _truncated(o: Out, x: str) -> str:
    return o("Mul", o("Sign", x), o("Floor", o("Abs", x)))


def _whole(o: Out) -> bool:
    return bool(o.node.dtype.kind != "f")


def _apart(o: Out, a: str, b: str, zero: str) -> str:
    """Whether one number is below 0 and the other is not."""
    return o("Xor", o("Less", a, zero), o("Less", b, zero))


def _remainder(o: Out, a: str, b: str) -> str:
    """With the sign of ``b``; of floats ONNX has that of ``a`` alone."""
    if _whole(o):
        return o("Mod", a, b)
    rest, zero = o("Mod", a, b, fmod=1), o.array(0.0)
    wrong = o("And", o("Not", o("Equal", rest, zero)), _apart(o, rest, b, zero))
    return o("Where", wrong, o("Add", rest, b), rest)


def _floor_divide(o: Out, a: str, b: str) -> str:
    """What is left without the remainder, so that no rounding of the quotient counts."""
    quotient = o("Div", o("Sub", a, _remainder(o, a, b)), b)
    if _whole(o):
        return quotient
    whole = o("Round", quotient)
    return o("Where", o("Equal", b, o.array(0.0)), o("Div", a, b), whole)


def _order(o: Out, x: str, dim: int, descending: bool) -> str:
    shape, wide = (n.inputs[0].shape for n in (o.node, o.twin))
    if not shape:
        return o.array(0, np.int64)
    fixed = shape[dim] == wide[dim]
    count = o.array([shape[dim]], np.int64) if fixed else o("Shape", x, start=dim, end=dim + 1)
    return o.several("TopK", [x, count], 2, axis=dim, largest=int(descending))[1]


def _top(o: Out, x: str, k: int, dim: int, largest: bool, sorted: bool) -> str:
    return o.several(
        "TopK", [x, o.array([k], np.int64)], 2, axis=dim, largest=int(largest), sorted=int(sorted)
    )[1]


def _kth(o: Out, x: str, k: int, dim: int) -> str:
    return o("Gather", _top(o, x, k + 1, dim, False, True), o.array([k], np.int64), axis=dim)


def _flip(o: Out, x: str, dims: Sequence[int]) -> str:
    starts, ends, steps = (o.array([n] * len(dims), np.int64) for n in (-1, np.iinfo(np.int64).min, -1))
    return o("Slice", x, starts, ends, o.array(list(dims), np.int64), steps)


def _cross(o: Out, a: str, b: str, dim: int) -> str:
    def turned(x: str, by: int) -> str:
        return o("Gather", x, o.array([by % 3, (by + 1) % 3, (by + 2) % 3], np.int64), axis=dim)

    products = (o("Mul", turned(a, k), turned(b, -k)) for k in (1, 2))
    return o("Sub", *products)


def _logical(operator: str) -> Callable[..., str]:
    """`any` and `all` by the largest and the smallest of zeros and ones."""

    def form(o: Out, x: str, dim: Any, keepdim: bool) -> str:
        bits = o("Cast", o("Cast", x, to=o.type(np.bool_)), to=o.type(np.int32))
        axes = range(len(o.node.inputs[0].shape)) if dim is None else np.atleast_1d(dim).tolist()
        y = o(operator, bits, o.array(list(axes), np.int64), keepdims=int(keepdim))
        return o("Cast", y, to=o.type(o.node.dtype))

    return form


Form = str | Callable[..., Any]

_ALIKE = """
    add:Add sub:Sub mul:Mul div:Div neg:Neg pow:Pow reciprocal:Reciprocal exp:Exp log:Log sqrt:Sqrt sigmoid:Sigmoid
    sin:Sin cos:Cos tan:Tan asin:Asin acos:Acos atan:Atan sinh:Sinh cosh:Cosh tanh:Tanh asinh:Asinh acosh:Acosh
    atanh:Atanh abs:Abs sign:Sign floor:Floor ceil:Ceil maximum:Max minimum:Min clamp_min:Max clamp_max:Min where:Where
    eq:Equal lt:Less le:LessOrEqual gt:Greater ge:GreaterOrEqual isnan:IsNaN isinf:IsInf logical_not:Not
    logical_and:And logical_or:Or logical_xor:Xor matmul:MatMul dot:MatMul erf:Erf relu:Relu mish:Mish
    hardswish:HardSwish clone:Identity contiguous:Identity alias:Identity
"""

FORMS: dict[str, Form] = {
    **{pair.partition(":")[0]: pair.partition(":")[2] for pair in _ALIKE.split()},
    "all": _logical("ReduceMin"),
    "any": _logical("ReduceMax"),
    "argsort": _order,
    "amax": _reduced("ReduceMax"),
    "amin": _reduced("ReduceMin"),
    "argmax": _arg("ArgMax"),
    "argmin": _arg("ArgMin"),
    "bitwise_and": _bits("And"),
    "bitwise_not": _bits("Not"),
    "bitwise_or": _bits("Or"),
    "bitwise_xor": _bits("Xor"),
    "bounded_below": lambda o, x, eps: o("Max", x, o.array(eps)),
    "cat": lambda o, *xs, dim: o("Concat", *xs, axis=dim),
    "clamp": _clip,
    "conv": _conv,
    "conv_input": _conv_input,
    "cross": _cross,
    "in_memory": lambda o, x, axes: o("Identity", x),
    "cumsum": _cumsum,
    "det": lambda o, x: o("Det", x),
    "diagonal": _diagonal,
    "div_floor": _floor_divide,
    "elu": _elu,
    "erfc": lambda o, x: o("Sub", o.array(1.0), o("Erf", x)),
    "embedding": lambda o, w, i, padding, by_count: o("Gather", w, i),
    "exp2": lambda o, x: o("Exp", o("Mul", x, o.array(np.log(2)))),
    "expand": _expand,
    "expm1": lambda o, x: o("Sub", o("Exp", x), o.array(1.0)),
    "flip": _flip,
    "floor_divide": _floor_divide,
    "fmod": lambda o, a, b: o("Mod", a, b, fmod=1),
    "index": _index,
    "gather": _gather,
    "gru": gru,
    "gelu": lambda o, x, approximate: o("Gelu", x, approximate=approximate),
    "hardshrink": lambda o, x, lambd: o(
        "Where", o("LessOrEqual", o("Abs", x), o.array(lambd)), o.array(0.0), x
    ),
    "hardsigmoid": lambda o, x: o("HardSigmoid", x, alpha=1 / 6),
    "hardtanh": _clip,
    "channel_norm": _channel_norm,
    "kth_place": _kth,
    "layer_norm": lambda o, *xs, eps: o(
        "LayerNormalization", *xs, axis=-len(o.node.inputs[1].shape), epsilon=eps
    ),
    "leaky_relu": lambda o, x, slope: o("LeakyRelu", x, alpha=slope),
    "length": _reduced("ReduceL2"),
    "lerp": lambda o, a, b, w: o("Add", a, o("Mul", w, o("Sub", b, a))),
    "linear": _linear,
    "log10": _log(10),
    "log1p": lambda o, x: o("Log", o("Add", x, o.array(1.0))),
    "log2": _log(2),
    "log_sigmoid": lambda o, x: o("Neg", o("Softplus", o("Neg", x))),
    "log_softmax": lambda o, x, dim: o("LogSoftmax", x, axis=dim),
    "logit": _logit,
    "logsumexp": _reduced("ReduceLogSumExp"),
    "lstm": lstm,
    "max": _reduced("ReduceMax"),
    "max_pool": _pool("MaxPool", "window"),
    "mean": _mean,
    "mse_loss": lambda o, a, b: _mean(o, o("Mul", d := o("Sub", a, b), d)),
    "min": _reduced("ReduceMin"),
    "nan_to_num": _nan_to_num,
    "ne": lambda o, a, b: o("Not", o("Equal", a, b)),
    "one_hot": lambda o, t, classes: o("OneHot", t, o.array([classes], np.int64), o.array([0, 1], np.int64)),
    "pad_constant": _pad,
    "permute": lambda o, x, axes: o("Transpose", x, perm=list(axes)),
    "prod": _reduced("ReduceProd"),
    "power": lambda o, x, exponent: o("Pow", x, o.array(exponent)),
    "prelu": lambda o, x, w: o("Where", o("Greater", x, o.array(0.0)), x, o("Mul", x, w)),
    "remainder": _remainder,
    "resample": _resample,
    "reshape": lambda o, x, shape: o("Reshape", x, _sizes(o, shape, o.twin.params["shape"], -1)),
    "rnn": rnn,
    "round": _round,
    "running_norm": _running_norm,
    "rsqrt": lambda o, x: o("Reciprocal", o("Sqrt", x)),
    "safe_softmax": _safe_softmax,
    "silu": lambda o, x: o("Mul", x, o("Sigmoid", x)),
    "scatter": lambda o, x, v, i, dim: o("ScatterElements", x, i, v, axis=dim),
    "scatter_add": lambda o, x, v, i, dim: o("ScatterElements", x, i, v, axis=dim, reduction="add"),
    "slice": _slice,
    "softmax": lambda o, x, dim: o("Softmax", x, axis=dim),
    "softplus": _softplus,
    "softshrink": lambda o, x, lambd: o("Shrink", x, lambd=lambd, bias=lambd),
    "square": lambda o, x: o("Mul", x, x),
    "stack": _stack,
    "standardize": _standardize,
    "std": lambda o, *x, **p: o("Sqrt", _var(o, *x, **p)),
    "sum": _reduced("ReduceSum"),
    "to": lambda o, x, dtype: o("Cast", x, to=o.type(dtype)),
    "to_integer": lambda o, x, dtype: o("Cast", x, to=o.type(dtype)),
    "threshold": lambda o, x, threshold, value: o(
        "Where", o("LessOrEqual", x, o.array(threshold)), o.array(value), x
    ),
    "top_places": _top,
    "trunc": _truncated,
    "trunc_divide": lambda o, a, b: o("Div", a, b) if _whole(o) else _truncated(o, o("Div", a, b)),
    "triangle": lambda o, x, diagonal, upper: o("Trilu", x, o.array(diagonal, np.int64), upper=int(upper)),
    "var": _var,
}

"""PyTorch's names of ``grad_fn`` for functions that are one record there and several here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.core.node import next_seq
from minigrad.core.tensor import Tensor

Label = str | Callable[..., str]
# Called after each such function, with the name and the ``seq`` before its first record.
COMPOSED: list[Callable[[str, int], None]] = []

# By the name of the function: its own in capitals with "Backward0" behind, or what stands behind "=".
_PLAIN = """
addbmm addcdiv addcmul addmm addmv addr aminmax angle as_strided_scatter baddbmm block_diag bmm cdist
channel_shuffle cholesky cholesky_inverse cholesky_solve cross=LinalgCross cummax cummin cumprod cumsum
deg2rad=Deg2Rad diagonal_scatter dist fill frac frexp glu index_add index_copy index_put index_reduce index_select
kthvalue ldexp lu_solve=LinalgLuSolve lu_unpack masked_select mode msort=Sort mv mvlgamma nansum narrow_copy
embedding_bag native_batch_norm native_group_norm native_layer_norm pixel_shuffle pixel_unshuffle put rad2deg=Rad2Deg
renorm roll repeat rot90 scatter_reduce segment_reduce select_scatter slice_scatter std_mean t take
tile=Repeat topk trace
triangular_solve unbind var_mean vdot chunk=Split split_with_sizes cholesky_ex=LinalgCholeskyEx
factorizations.cholesky=LinalgCholeskyEx householder_product=LinalgHouseholderProduct lstsq=LinalgLstsq
factorizations.lu=LinalgLu solve=LinalgSolveEx solve_ex=LinalgSolveEx vecdot=Vdot vector_norm=LinalgVectorNorm
binary_cross_entropy binary_cross_entropy_with_logits mse_loss huber_loss soft_margin_loss multi_margin_loss
multilabel_margin_loss ormqr pdist polar multi_dot=ViewBackward0 cov=SqueezeBackward0
unsafe_split unsafe_chunk=UnsafeSplit chain_matmul=ViewBackward0
tensor_split=SliceBackward0 hsplit=SliceBackward0 vsplit=SliceBackward0 dsplit=SliceBackward0 avg_pool2d=AvgPool2D
avg_pool3d=AvgPool3D fractional_max_pool2d=FractionalMaxPool2D fractional_max_pool3d=FractionalMaxPool3D
max_unpool2d=MaxUnpool2D max_unpool3d=MaxUnpool3D grid_sampler_2d=GridSampler2D grid_sampler_3d=GridSampler3D
affine_grid=AffineGridGenerator batch_norm=NativeBatchNorm group_norm=NativeGroupNorm kron=UnsafeView
quantile=SqueezeBackward4 nanquantile=SqueezeBackward4 tensordot=View trapezoid=MulBackward1 unique=Unique2
diagonal_copy=DiagonalBackward0_copy instance_norm=ViewBackward0 pairwise_distance=NormBackward1
"""


def _of_dim(stem: str, number: int) -> Label:
    """Along a dimension; of all elements it is a record."""

    def label(input: Any, dim: Any = None, *_: Any, **named: Any) -> str:
        return "" if dim is None or isinstance(dim, Tensor) else f"{stem}Backward{number}"

    return label


def _of_value(stem: str) -> Label:
    """0 with a number, 1 with a Tensor in its place."""
    return lambda *args, **named: f"{stem}Backward{int(isinstance((*args, *named.values())[-1], Tensor))}"


def _of_scatter(*args: Any, **named: Any) -> str:
    """1 of a number; with a ``reduce`` others."""
    return (
        ""
        if "reduce" in named
        else f"ScatterBackward{int(not isinstance((*args, *named.values())[-1], Tensor))}"
    )


def _of_nll(input: Tensor, *_: Any, **named: Any) -> str:
    return "NllLossBackward0" if input._array.ndim < 3 else "NllLoss2DBackward0"


def _of_cross_entropy(
    input: Tensor, target: Tensor, weight: Any = None, size_average: Any = None, ignore_index: Any = None,
    reduce: Any = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> str:  # fmt: skip
    if target._array.dtype.kind in "fV":
        return "DivBackward1" if reduction == "mean" else "NegBackward0"
    return "" if label_smoothing else f"{_of_nll(input)} LogSoftmaxBackward0"


def _of_transposed(input: Tensor, weight: Tensor, *_: Any, **named: Any) -> str:
    return "ConvolutionBackward0" if input._array.ndim == weight._array.ndim else "SqueezeBackward1"


def _of_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Any = None, dropout_p: float = 0.0, *_: Any, **named: Any
) -> str:
    flash = query._array.ndim == 4 and not dropout_p
    return "ScaledDotProductFlashAttentionForCpuBackward0" if flash else "UnsafeViewBackward0"


def _of_pad(input: Tensor, pad: Any, mode: str = "constant", *_: Any) -> str:
    stem = {"reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CopySlices"}.get(mode, "")
    return f"{stem}{len(pad) // 2}DBackward0" if stem.endswith("Pad") else stem


def _of_adaptive_mean(input: Tensor, output_size: Any) -> str:
    sizes = output_size if isinstance(output_size, (tuple, list)) else (output_size,)
    return "MeanBackward1" if all(n == 1 for n in sizes) else ""


def _of_linalg_norm(input: Tensor, ord: Any = None, dim: Any = None, *_: Any, **named: Any) -> str:
    along = len(dim) if isinstance(dim, (tuple, list)) else input._array.ndim if dim is None else 1
    return "LinalgVectorNormBackward0" if ord is None or along == 1 else ""


def _of_split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> str:
    sizes = isinstance(split_size_or_sections, (tuple, list))
    return "SplitWithSizesBackward0" if sizes else "SplitBackward0"


def _of_line(stem: str) -> str:
    """Of one dimension it is that of two, between others."""
    return f"SqueezeBackward1 {stem}Backward0 UnsqueezeBackward0"


def _in_place(stem: str, at: int = 0, plain: str = "") -> Label:
    """1 where argument ``at``, ``inplace``, is True; of a function that is in place always, ``at`` is 0."""

    def label(*args: Any, inplace: bool = not at, **named: Any) -> str:
        if not inplace and args[at : at + 1] != (True,):
            return plain
        return "" if not args or args[0]._view is not None else f"{stem}Backward1"

    return label


LABELS: dict[str, Label] = {
    "bilinear": lambda input1, input2, weight, bias=None: "ViewBackward0" if bias is None else "AddBackward0",
    "adaptive_avg_pool2d": _of_adaptive_mean, "adaptive_avg_pool3d": _of_adaptive_mean,
    "clamp": lambda *args, **named:
        "ClampBackward0" if any(isinstance(x, Tensor) for x in (*args[1:], *named.values())) else "",
    "clamp_min": _of_value("ClampMin"), "clamp_max": _of_value("ClampMax"), "cross_entropy": _of_cross_entropy,
    "grid_sample": lambda input, *_, **named: f"GridSampler{input._array.ndim - 2}DBackward0",
    "index_fill": _of_value("IndexFill"), "masked_fill": _of_value("MaskedFill"),
    "max": _of_dim("Max", 0), "median": _of_dim("Median", 1), "min": _of_dim("Min", 0),
    "nanmedian": lambda input, dim=None, *_, **named: f"NanmedianBackward{int(dim is not None)}",
    "nll_loss": _of_nll, "matrix_norms.norm": _of_linalg_norm, "pad": _of_pad,
    "norm": lambda input, p=None, *_, **named:
        "" if isinstance(p, str) and p != "fro" else "LinalgVectorNormBackward0",
    "avg_pool1d": _of_line("AvgPool2D"), "max_pool1d": _of_line("MaxPool2DWithIndices"),
    "max_unpool1d": _of_line("MaxUnpool2D"), "adaptive_max_pool1d": _of_line("AdaptiveMaxPool2D"),
    "adaptive_avg_pool1d": _of_line("AdaptiveAvgPool2D"), "conv_transpose1d": _of_transposed,
    "conv_transpose2d": _of_transposed, "conv_transpose3d": _of_transposed,
    "scaled_dot_product_attention": _of_attention,
    "smooth_l1_loss": lambda input, target, size_average=None, reduce=None, reduction="mean", beta=1.0:
        "SmoothL1LossBackward0" if beta else "",
    "repeat_interleave": lambda input, repeats=None, dim=None, **named:
        "IndexSelectBackward0" if isinstance(repeats, Tensor) and dim is not None else "ViewBackward0",
    "celu": _in_place("Celu", 2, "CeluBackward0"), "elu": _in_place("Elu", 2), "selu": _in_place("Elu", 1),
    "leaky_relu": _in_place("LeakyRelu", 2), "rrelu": _in_place("RreluWithNoise", 4, "RreluWithNoiseBackward0"),
    "threshold": _in_place("Threshold", 3), "celu_": _in_place("Celu"), "elu_": _in_place("Elu"),
    "selu_": _in_place("Elu"), "leaky_relu_": _in_place("LeakyRelu"), "rrelu_": _in_place("RreluWithNoise"),
    "threshold_": _in_place("Threshold"), "scatter": _of_scatter, "split": _of_split,
    "diag": lambda input, *_, **named: "DiagonalBackward0_copy" if input._array.ndim == 2 else "",
    "rsub": lambda input, other, **named: f"RsubBackward{int(not isinstance(other, Tensor))}",
    "sort": lambda input, dim=-1, descending=False, stable=None: f"SortBackward{int(stable is not None)}",
}  # fmt: skip
for _entry in _PLAIN.split():
    _name, _, _label = _entry.partition("=")
    _label = _label or "".join(word[:1].upper() + word[1:] for word in _name.split("_"))
    LABELS[_name] = _label if "Backward" in _label else f"{_label}Backward0"


def label_of(function: Any) -> Label | None:
    """PyTorch's name for the records of a function, None where it has one of its own or several."""
    _, room, file = f"{function.__module__}..".split(".")[:3]
    if room not in ("functions", "nn"):
        return None
    return LABELS.get(f"{file}.{function.__name__}") or LABELS.get(function.__name__)


def named_as(label: Label, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose results' records have PyTorch's name, and lead to the arguments' records."""

    plain = isinstance(label, str)

    def run(*args: Any, **named: Any) -> Any:
        since = next_seq()
        y = function(*args, **named)
        for hear in COMPOSED:
            hear(label if plain else label(*args, **named), since)  # type: ignore[arg-type, operator]
        if y.__class__ is Tensor:
            if y._node is None:
                return y
            several = (y,)
        elif isinstance(y, tuple):
            several = y
        else:
            return y
        name: Any = label if plain else None
        for t in several:
            node = t._node
            # What is an argument has its name already.
            if node is not None and node.seq > since and node.op is not None:
                if name is None:
                    name = label(*args, **named)  # type: ignore[operator]
                if name:
                    node.outer = name, since
        return y

    return run

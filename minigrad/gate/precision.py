"""What `minigrad.autocast` makes of the arguments of public functions: which run in lower precision, and which do not.

As in PyTorch a function computes in the element type that autocast names, in float32, or in the widest type among its
arguments; all others take what they get. float64, and what has no floats, stays as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minigrad.core.apply import cast
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.tensor import Tensor
from minigrad.dtypes import F32, F64, NumpyType, promote
from minigrad.errors import runtime_error

# By the name of the function; that of a method in place, which ends with "_", is another.
_LOWER = """
addbmm addmm baddbmm bmm chain_matmul conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d conv_tbc
corrcoef cov linear lstm matmul matrix_power mm multi_dot plain_linear prelu rmatmul rnn_relu rnn_tanh
scaled_dot_product_attention tensordot vecdot
"""
_FLOAT32 = """
adaptive_avg_pool3d adaptive_max_pool3d avg_pool3d binary_cross_entropy binary_cross_entropy_with_logits cdist cholesky
cholesky_ex cholesky_inverse cholesky_solve cond cosine_embedding_loss cross_entropy ctc_loss eig eigh eigvals eigvalsh
fft fft2 fftn fractional_max_pool2d fractional_max_pool3d geqrf grid_sample grid_sampler_2d grid_sampler_3d hfft
hinge_embedding_loss householder_product huber_loss ifft ifft2 ifftn ihfft inv inv_ex inverse irfft irfft2 irfftn istft
kl_div l1_loss lstsq lu_factor lu_solve margin_ranking_loss matrix_rank max_pool3d max_unpool1d max_unpool2d
max_unpool3d mse_loss mse_mean multi_margin_loss multilabel_margin_loss nanquantile nll_loss orgqr ormqr polar
poisson_nll_loss prod qr quantile rfft rfft2 rfftn smooth_l1_loss soft_margin_loss solve stft svd svdvals tensorinv
tensorsolve trace triangular_solve triplet_margin_loss view_as_complex
"""
# Of which a product, computed in lower precision by itself, is a part.
_GIVEN = "addmv bilinear mv"
_WIDEST = "cat concat concatenate stack index_copy"
# None: by its arguments.
_WAYS: dict[str, str | None] = {
    **dict.fromkeys(_LOWER.split(), "lower"),
    **dict.fromkeys(_FLOAT32.split(), "float32"),
    **dict.fromkeys(_WIDEST.split(), "widest"),
    **dict.fromkeys(_GIVEN.split(), "given"),
    **dict.fromkeys(("einsum", "layer", "pad")),
}


def chosen(function: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """The function; one that autocast is about, by its name, converts its arguments first, and runs with autocast off.

    With ``out`` nothing is converted, as in PyTorch.
    """
    name = name or function.__name__
    name = name.strip("_") if name.startswith("__") else name
    if name not in _WAYS:
        return function
    way = _WAYS[name]

    @functools.wraps(function)
    def run(*args: Any, **named: Any) -> Any:
        mode = MODE.get()
        if mode.autocast is None:
            return function(*args, **named)
        here = "given" if named.get("out") is not None else way or _by_arguments(name, args, named)
        to: NumpyType = F32
        if here == "lower":
            to = mode.autocast
        elif here == "states":
            to = promote(mode.autocast, _dtype(args[2][0]))
        elif here == "widest":
            to = _widest((*args, *named.values()), mode.autocast)
        with ModeManager(mode.replace(autocast=None)):
            if here == "given":
                return function(*args, **named)
            return function(*converted(args, to), **converted(named, to))

    return run


def _by_arguments(name: str, args: tuple[Any, ...], named: dict[str, Any]) -> str:
    """The precision of a function that is one thing or another."""
    if name == "pad":
        mode = named.get("mode") or (*args, "", "", "constant")[2]
        return "float32" if mode in ("reflect", "replicate") else "given"
    if name == "layer":
        # A cell has no direction; sequences of several lengths are several runs.
        steps = len(args) < 6 or len(args[4]) > 1
        by_states = args[0] == "GRU" or (args[0] == "LSTM" and steps)
        return "lower" if not by_states else "states" if _takes_part(args[2][0]) else "given"
    if not isinstance(args[0], str):
        return "lower"
    # einsum is a matrix product where it sums over a letter of several terms
    terms, _, result = args[0].replace(" ", "").partition("->")
    letters = [c for term in terms.split(",") for c in set(term)]
    return "lower" if any(letters.count(c) > 1 and c not in result for c in letters) else "given"


def _takes_part(x: Any) -> bool:
    return isinstance(x, Tensor) and (d := _dtype(x)).kind in "fV" and d != F64


def _dtype(x: Tensor) -> NumpyType:
    return x.dtype.numpy if x._sparse else x._array.dtype


def converted(x: Any, to: NumpyType) -> Any:
    """A value whose Tensors of floats, but those of float64, have another element type, also in containers."""
    if x.__class__ is list or x.__class__ is tuple:
        return type(x)(converted(y, to) for y in x)
    if x.__class__ is dict:
        return {converted(k, to): converted(y, to) for k, y in x.items()}
    if not _takes_part(x):
        return x
    return x.to(to) if x._sparse else cast(x, to)


def _widest(args: tuple[Any, ...], lower: NumpyType) -> NumpyType:
    """The widest type among Tensors, the lower one at least. RuntimeError where float16 meets bfloat16."""
    to = lower
    for x in args:
        for y in x if isinstance(x, (list, tuple)) else (x,):
            if _takes_part(y):
                dtype = _dtype(y)
                if dtype.itemsize == to.itemsize and dtype != to:
                    raise runtime_error(f"autocast: {dtype} does not meet {to}; convert one with .float()")
                to = promote(to, dtype)
    return to

"""`out=`: a result written into Tensors that the caller has."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.apply import cast
from minigrad.core.mode import MODE
from minigrad.core.op import Array
from minigrad.core.tensor import Tensor, wrap
from minigrad.dtypes import can_cast
from minigrad.errors import runtime_error, type_error, warn

# The functions that have `out` in PyTorch.
_NAMES = """
    abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr alias_copy all amax amin aminmax
    angle any arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort
    as_strided_copy asin asinh atan atan2 atanh avg_pool2d avg_pool3d baddbmm bernoulli bitwise_and
    bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm bucketize cat ceil
    cholesky cholesky_ex cholesky_inverse cholesky_solve clamp clamp_max clamp_min clip column_stack
    concat concatenate cond conj_physical copysign cos cosh cross cummax cummin cumprod cumsum deg2rad det
    diag diagonal_copy diff digamma div divide dot dstack eigh eigvalsh empty entr eq erf erfc erfcx
    erfinv exp exp2 expand_copy expit expm1 eye fix float_power floor floor_divide fmax fmin fmod frac
    frexp full gammainc gammaincc gammaln gather gcd ge gelu ger greater greater_equal gt hardshrink
    heaviside histc histogram householder_product hstack hypot i0 i0e i1 i1e igamma igammac index_add
    index_copy index_reduce index_select inner inv inv_ex inverse isin isneginf isposinf kron kthvalue lcm
    ldexp le lerp less less_equal lgamma linear linspace log log10 log1p log2 log_ndtr log_softmax
    logaddexp logaddexp2 logcumsumexp logical_and logical_not logical_or logical_xor logit logsigmoid
    logspace logsumexp lstsq lt lu lu_factor lu_factor_ex lu_solve lu_unpack masked_select matmul
    matrix_norm matrix_power matrix_rank max maximum mean median min minimum mm mode msort mul multi_dot
    multigammaln multinomial multiply mv mvlgamma nan_to_num nanmean nanmedian nanquantile nansum
    narrow_copy native_batch_norm ndtr ndtri ne neg negative nextafter nonzero norm normal normalize
    not_equal ones orgqr outer permute_copy pinv polygamma pow prod psi qr quantile rad2deg rand randint
    randn randperm range reciprocal remainder renorm round row_stack rsqrt scatter scatter_add
    scatter_reduce searchsorted sgn sigmoid sign signbit sin sinc sinh slice_scatter slogdet softmax
    softplus softshrink solve solve_ex solve_triangular sort split_with_sizes_copy sqrt square
    squeeze_copy stack std sub subtract sum svd svdvals t_copy take take_along_dim tan tanh tensordot
    tensorinv tensorsolve threshold topk transpose_copy triangular_solve tril triu true_divide trunc
    unbind_copy unfold_copy unsqueeze_copy var vdot vecdot vector_norm view_copy vstack where xlog1py
    xlogy zeros zeta
"""
TAKES = frozenset(_NAMES.split())
# Those that compute in the element type of `out`, where no `dtype` says another.
_TYPED = """
    arange cumprod cumsum empty eye full linspace logspace nansum ones prod rand randint randn randperm range sum zeros
"""
_OF_OUT = frozenset(_TYPED.split())


def with_type_of(name: str, out: Any, named: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call, with the element type of ``out`` as ``dtype`` where the function takes it from there."""
    if isinstance(out, Tensor) and named.get("dtype") is None and name in _OF_OUT:
        return {**named, "dtype": out.dtype}
    return named


def into(name: str, result: Any, out: Any) -> Any:
    """``out``, a Tensor or one for each result, with the result of the function ``name`` in it.

    It is resized where its shape is another: then it stands on new memory, and views of it keep the old. UserWarning
    if it had elements.  RuntimeError if a gradient is wanted, or for a kind of dtype that it cannot hold.
    """
    if isinstance(result, Tensor):
        if not isinstance(out, Tensor):
            raise type_error(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
        _check(name, result, out)
        return _write(name, result, out)
    count = len(result)
    if not isinstance(out, (tuple, list)) or len(out) != count or not all(isinstance(t, Tensor) for t in out):
        raise type_error(
            f"{name}(): argument 'out' must be tuple of {count} Tensors, not {type(out).__name__}"
        )
    for one, t in zip(result, out, strict=True):
        _check(name, one, t)
    written = [_write(name, one, t) for one, t in zip(result, out, strict=True)]
    return result._make(written) if hasattr(result, "_make") else type(result)(written)


def _check(name: str, result: Tensor, out: Tensor) -> None:
    if result.requires_grad or (out.requires_grad and MODE.get().grad):
        raise runtime_error(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            f"arguments requires grad; assign the result, or call it under no_grad()"
        )
    value, array = result._array, out._array
    if value.dtype != array.dtype and not can_cast(value.dtype, array.dtype):
        raise runtime_error(
            f"{name}(): result type {value.dtype} can't be cast to the desired output type {array.dtype}"
        )


def _write(name: str, result: Tensor, out: Tensor) -> Tensor:
    value, array = result._array, out._array
    if value.shape == array.shape:
        return out.copy_(result)
    if array.size:
        warn(
            f"An output with one or more elements was resized since it had shape {list(array.shape)}, which does not "
            f"match the required output shape {list(value.shape)}. Give {name}() one of that shape, or an empty one"
        )
    out.data = wrap(_apart(cast(result, array.dtype)._array))
    return out


def _apart(array: Array) -> Array:
    """An array in memory of its own."""
    return array if array.base is None and array.flags.owndata else np.array(array)

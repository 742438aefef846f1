"""``out=``: the result of a function in a Tensor that is there, as PyTorch's functions take it.

The function computes as without it, and the result is copied. It saves no memory here: it makes scripts run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.core.mode import MODE, ModeManager
from minigrad.core.tensor import Tensor
from minigrad.dtypes import can_cast
from minigrad.errors import runtime_error, type_error, warn

# The functions that take it in PyTorch.
_NAMES = """
    abs acos acosh add addbmm addcdiv addcmul addmm addmv addr all amax amin aminmax angle any arange argmax argmin asin
    asinh atan atan2 atanh baddbmm bernoulli bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
    bitwise_xor bmm bucketize cat ceil chain_matmul cholesky cholesky_ex cholesky_inverse cholesky_solve clamp clamp_max
    clamp_min column_stack concat cond conj_physical copysign cos cosh cross cummax cummin cumprod cumsum deg2rad det
    diag diff digamma div dot dstack eigh eigvalsh empty entr eq erf erfc erfcx erfinv exp exp2 expm1 eye fix
    float_power floor floor_divide fmax fmin fmod frac frexp full gather gcd ge ger gt hamming_window heaviside histc
    householder_product hstack hypot i0 i0e i1 i1e igamma igammac index_select inner inv inv_ex inverse isneginf
    isposinf kron kthvalue lcm ldexp le lerp lgamma linspace log log10 log1p log2 log_ndtr log_softmax logaddexp
    logaddexp2 logcumsumexp logical_and logical_not logical_or logical_xor logit logspace logsumexp lt lu lu_factor
    lu_factor_ex lu_solve lu_unpack masked_select matmul matrix_norm matrix_power matrix_rank max maximum mean median
    min minimum mm mode msort mul multi_dot multinomial mv mvlgamma nan_to_num nanmean nanmedian nanquantile narrow_copy
    ndtr ndtri ne neg nextafter nonzero norm normal ones outer pinv polygamma pow prod qr quantile rad2deg rand randint
    randn randperm range reciprocal remainder renorm round rsqrt searchsorted sgn sigmoid sign signbit sin sinc sinh
    slogdet softmax solve solve_ex solve_triangular sort sqrt square stack std std_mean sub sum svd svdvals take
    take_along_dim tan tanh tensorinv tensorsolve topk triangular_solve tril triu trunc var var_mean vdot vecdot
    vector_norm vstack where xlog1py xlogy zeros zeta
"""
TAKE = frozenset(_NAMES.split())

_MAKE = frozenset(
    [
        "arange",
        "empty",
        "eye",
        "full",
        "linspace",
        "logspace",
        "ones",
        "rand",
        "randint",
        "randn",
        "randperm",
        "zeros",
    ]
)


def into(call: Callable[..., Any], name: str, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Calls the function without ``out``, and gives ``out`` with the result in it.

    What makes Tensors makes one of the dtype of ``out``, so that draws have its bits.
    """
    named = dict(named)
    out = named.pop("out")
    if out is None:
        return call(args, named)
    many = isinstance(out, (tuple, list))
    for t in out if many else (out,):
        if not isinstance(t, Tensor):
            raise type_error(f"{name}(): argument 'out' must be Tensor, not {type(t).__name__}")
    if name in _MAKE and not many:
        named.setdefault("dtype", out.dtype)
    result = call(args, named)
    if many != isinstance(result, tuple) or (many and len(out) != len(result)):
        count = len(result) if isinstance(result, tuple) else 1
        raise type_error(f"{name}(): argument 'out' must be {count} Tensors, as many as there are results")
    if not many:
        return _put(name, result, out)
    outs = [_put(name, part, t) for part, t in zip(result, out, strict=True)]
    return type(result)(*outs) if hasattr(result, "_fields") else tuple(outs)


def _put(name: str, result: Tensor, out: Tensor) -> Tensor:
    if MODE.get().grad and (result.requires_grad or out.requires_grad):
        raise runtime_error(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            f"arguments requires grad; write t = {name}(...), or call it under no_grad()"
        )
    if not can_cast(result._array.dtype, out._array.dtype):
        raise runtime_error(
            f"{name}(): result type {result.dtype} can't be cast to the desired output type {out.dtype} of out="
        )
    with ModeManager(MODE.get().replace(grad=False)):
        if out._array.shape == result._array.shape:
            out.copy_(result)
        else:
            if out._array.size:
                warn(
                    f"{name}(): An output with one or more elements was resized since it had shape "
                    f"{list(out._array.shape)}, which does not match the required output shape "
                    f"{list(result._array.shape)}"
                )
            out.data = result.to(out.dtype, copy=True)
    return out

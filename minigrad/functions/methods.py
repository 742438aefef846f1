"""Methods of Tensor that are functions too, most of which change their first argument in place."""

from __future__ import annotations

from minigrad.core.tensor import Tensor

__all__ = [  # noqa: F822 (`functions/table.pyi` shows type checkers what they are)
    "abs_", "acos_", "acosh_", "addmv_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan_", "arctanh_",
    "as_strided_", "asin_", "asinh_", "atan_", "atanh_", "ceil_", "clamp_", "clamp_max_", "clamp_min_", "clip_",
    "cos_", "cosh_", "deg2rad_", "detach", "detach_", "erf_", "erfc_", "exp2_", "exp_", "expm1_", "fill_", "fix_",
    "floor_", "frac_", "gcd_", "i0_", "index_put_", "is_inference", "is_signed", "lcm_", "ldexp_", "log1p_",
    "log2_", "log10_", "log_", "logit_", "nan_to_num_", "neg_", "negative_", "rad2deg_", "reciprocal_", "relu_",
    "round_", "rsqrt_", "sigmoid_", "sin_", "sinc_", "sinh_", "sqrt_", "square_", "tan_", "tanh_", "threshold_",
    "trunc_", "xlogy_", "zero_",
]  # fmt: skip
globals().update({name: getattr(Tensor, name) for name in __all__})

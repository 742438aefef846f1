"""Written by `.ci/stubs`: the functions that follow from the records of operations, and the cases of others."""

from collections.abc import Iterable, Sequence
from typing import Any

from minigrad.core.op import Op
from minigrad.core.tensor import Tensor
from minigrad.core.types import Dim, Number, NumberLike, Operand, Sizes
from minigrad.core.tensor import ValuesAndIndices
from minigrad.device import DeviceLike
from minigrad.dtypes import DTypeLike
from minigrad.functions.fourier import Norm
from minigrad.random import Generator
from minigrad.functions.activations import celu as celu, celu_ as celu_, log_softmax as log_softmax, prelu as prelu, rrelu as rrelu, rrelu_ as rrelu_, selu as selu, selu_ as selu_, softmax as softmax
from minigrad.functions.algebra import cholesky as cholesky, cholesky_inverse as cholesky_inverse, cholesky_solve as cholesky_solve, det as det, inverse as inverse, logdet as logdet, lu as lu, lu_solve as lu_solve, lu_unpack as lu_unpack, matrix_exp as matrix_exp, matrix_power as matrix_power, orgqr as orgqr, ormqr as ormqr, pinverse as pinverse, qr as qr, slogdet as slogdet, svd as svd, triangular_solve as triangular_solve
from minigrad.functions.arithmetic import aminmax as aminmax, cumulative_trapezoid as cumulative_trapezoid, frexp as frexp, heaviside as heaviside, is_floating_point as is_floating_point, is_nonzero as is_nonzero, is_same_size as is_same_size, ldexp as ldexp, nan_to_num as nan_to_num, trapezoid as trapezoid, trapz as trapz
from minigrad.functions.arranged import argwhere as argwhere, atleast_3d as atleast_3d, block_diag as block_diag, broadcast_shapes as broadcast_shapes, cartesian_prod as cartesian_prod, column_stack as column_stack, combinations as combinations, diff as diff, dsplit as dsplit, dstack as dstack, hsplit as hsplit, meshgrid as meshgrid, narrow_copy as narrow_copy, repeat_interleave as repeat_interleave, roll as roll, rot90 as rot90, split_with_sizes as split_with_sizes, vander as vander, vsplit as vsplit
from minigrad.functions.complex import adjoint as adjoint, angle as angle, complex as complex, conj as conj, conj_physical as conj_physical, imag as imag, is_complex as is_complex, is_conj as is_conj, is_neg as is_neg, isreal as isreal, polar as polar, real as real, resolve_conj as resolve_conj, resolve_neg as resolve_neg, sgn as sgn, view_as_complex as view_as_complex, view_as_complex_copy as view_as_complex_copy, view_as_real as view_as_real, view_as_real_copy as view_as_real_copy
from minigrad.functions.copies import alias_copy as alias_copy, constant_pad_nd as constant_pad_nd, diagonal_copy as diagonal_copy, expand_copy as expand_copy, gradient as gradient, permute_copy as permute_copy, split_with_sizes_copy as split_with_sizes_copy, squeeze_copy as squeeze_copy, t_copy as t_copy, transpose_copy as transpose_copy, unbind_copy as unbind_copy, unfold_copy as unfold_copy, unsafe_chunk as unsafe_chunk, unsafe_split as unsafe_split, unsqueeze_copy as unsqueeze_copy, view_copy as view_copy
from minigrad.functions.counts import bincount as bincount, histc as histc, histogram as histogram, histogramdd as histogramdd, unique as unique, unique_consecutive as unique_consecutive
from minigrad.functions.diagonals import diag as diag, diag_embed as diag_embed, diagflat as diagflat, diagonal as diagonal, diagonal_scatter as diagonal_scatter, select_scatter as select_scatter, slice_scatter as slice_scatter, trace as trace, tril as tril, tril_indices as tril_indices, triu as triu, triu_indices as triu_indices
from minigrad.functions.distances import cdist as cdist, corrcoef as corrcoef, cov as cov, deg2rad as deg2rad, dist as dist, nanmean as nanmean, norm as norm, pdist as pdist, rad2deg as rad2deg, renorm as renorm
from minigrad.functions.draws import bernoulli as bernoulli, binomial as binomial, multinomial as multinomial, normal as normal, poisson as poisson, rand_like as rand_like, randint as randint, randint_like as randint_like, randn_like as randn_like, randperm as randperm
from minigrad.functions.exchange import asarray as asarray, empty_permuted as empty_permuted, empty_strided as empty_strided, from_dlpack as from_dlpack, frombuffer as frombuffer, to_dlpack as to_dlpack
from minigrad.functions.fourier import istft as istft, stft as stft
from minigrad.functions.gamma import mvlgamma as mvlgamma, polygamma as polygamma
from minigrad.functions.images import channel_shuffle as channel_shuffle, pixel_shuffle as pixel_shuffle, pixel_unshuffle as pixel_unshuffle
from minigrad.functions.lowered import grid_sampler as grid_sampler, grid_sampler_2d as grid_sampler_2d, grid_sampler_3d as grid_sampler_3d, native_batch_norm as native_batch_norm, native_group_norm as native_group_norm, native_layer_norm as native_layer_norm
from minigrad.functions.lowrank import pca_lowrank as pca_lowrank, svd_lowrank as svd_lowrank
from minigrad.functions.parts import cat as cat, chunk as chunk, concat as concat, concatenate as concatenate, hstack as hstack, narrow as narrow, row_stack as row_stack, select as select, split as split, stack as stack, tensor_split as tensor_split, unbind as unbind, vstack as vstack
from minigrad.functions.pool import adaptive_avg_pool1d as adaptive_avg_pool1d, avg_pool1d as avg_pool1d
from minigrad.functions.products import addbmm as addbmm, addr as addr, chain_matmul as chain_matmul, cross as cross, einsum as einsum, inner as inner, kron as kron, tensordot as tensordot
from minigrad.functions.quantized import fake_quantize_per_channel_affine as fake_quantize_per_channel_affine, fake_quantize_per_tensor_affine as fake_quantize_per_tensor_affine
from minigrad.functions.removed import eig as eig, lstsq as lstsq, matrix_rank as matrix_rank, solve as solve, symeig as symeig
from minigrad.functions.scatter import index_add as index_add, index_copy as index_copy, index_fill as index_fill, index_reduce as index_reduce, masked_scatter as masked_scatter, put as put, scatter as scatter, scatter_add as scatter_add, scatter_reduce as scatter_reduce
from minigrad.functions.segments import segment_reduce as segment_reduce
from minigrad.functions.sorting import argsort as argsort, bucketize as bucketize, isin as isin, kthvalue as kthvalue, logcumsumexp as logcumsumexp, median as median, mode as mode, msort as msort, nanmedian as nanmedian, searchsorted as searchsorted, sort as sort, topk as topk
from minigrad.functions.spaced import logspace as logspace, range as range
from minigrad.functions.sparse import dsmm as dsmm, sparse_compressed_tensor as sparse_compressed_tensor, sparse_coo_tensor as sparse_coo_tensor, sparse_csc_tensor as sparse_csc_tensor, sparse_csr_tensor as sparse_csr_tensor, spmm as spmm
from minigrad.functions.strides import as_strided as as_strided, as_strided_copy as as_strided_copy, as_strided_scatter as as_strided_scatter
from minigrad.functions.typed import BFloat16Tensor as BFloat16Tensor, BoolTensor as BoolTensor, ByteTensor as ByteTensor, CharTensor as CharTensor, DoubleTensor as DoubleTensor, FloatTensor as FloatTensor, HalfTensor as HalfTensor, IntTensor as IntTensor, LongTensor as LongTensor, ShortTensor as ShortTensor, can_cast as can_cast, finfo as finfo, get_default_device as get_default_device, iinfo as iinfo, numel as numel, set_default_device as set_default_device, set_default_tensor_type as set_default_tensor_type, typename as typename
from minigrad.functions.windows import bartlett_window as bartlett_window, blackman_window as blackman_window, hamming_window as hamming_window, hann_window as hann_window, kaiser_window as kaiser_window, scalar_tensor as scalar_tensor, unravel_index as unravel_index

abs_ = Tensor.abs_
acos_ = Tensor.acos_
acosh_ = Tensor.acosh_
addmv_ = Tensor.addmv_
arccos_ = Tensor.arccos_
arccosh_ = Tensor.arccosh_
arcsin_ = Tensor.arcsin_
arcsinh_ = Tensor.arcsinh_
arctan_ = Tensor.arctan_
arctanh_ = Tensor.arctanh_
as_strided_ = Tensor.as_strided_
asin_ = Tensor.asin_
asinh_ = Tensor.asinh_
atan_ = Tensor.atan_
atanh_ = Tensor.atanh_
ceil_ = Tensor.ceil_
clamp_ = Tensor.clamp_
clamp_max_ = Tensor.clamp_max_
clamp_min_ = Tensor.clamp_min_
clip_ = Tensor.clip_
cos_ = Tensor.cos_
cosh_ = Tensor.cosh_
deg2rad_ = Tensor.deg2rad_
detach = Tensor.detach
detach_ = Tensor.detach_
erf_ = Tensor.erf_
erfc_ = Tensor.erfc_
exp2_ = Tensor.exp2_
exp_ = Tensor.exp_
expm1_ = Tensor.expm1_
fill_ = Tensor.fill_
fix_ = Tensor.fix_
floor_ = Tensor.floor_
frac_ = Tensor.frac_
gcd_ = Tensor.gcd_
i0_ = Tensor.i0_
index_put_ = Tensor.index_put_
is_inference = Tensor.is_inference
is_signed = Tensor.is_signed
lcm_ = Tensor.lcm_
ldexp_ = Tensor.ldexp_
log1p_ = Tensor.log1p_
log2_ = Tensor.log2_
log10_ = Tensor.log10_
log_ = Tensor.log_
logit_ = Tensor.logit_
nan_to_num_ = Tensor.nan_to_num_
neg_ = Tensor.neg_
negative_ = Tensor.negative_
rad2deg_ = Tensor.rad2deg_
reciprocal_ = Tensor.reciprocal_
relu_ = Tensor.relu_
round_ = Tensor.round_
rsqrt_ = Tensor.rsqrt_
sigmoid_ = Tensor.sigmoid_
sin_ = Tensor.sin_
sinc_ = Tensor.sinc_
sinh_ = Tensor.sinh_
sqrt_ = Tensor.sqrt_
square_ = Tensor.square_
tan_ = Tensor.tan_
tanh_ = Tensor.tanh_
threshold_ = Tensor.threshold_
trunc_ = Tensor.trunc_
xlogy_ = Tensor.xlogy_
zero_ = Tensor.zero_

def clone(input: Tensor) -> Tensor:
    """A copy in memory of its own, with the gradient passing through."""
def mul(input: Operand, other: Operand) -> Tensor:
    """``input * other``."""
multiply = mul
def neg(input: Tensor) -> Tensor:
    """``-input``. RuntimeError for bool."""
negative = neg
def floor_divide(input: Operand, other: Operand) -> Tensor:
    """The quotient rounded down, as ``//``. It has no gradient: RuntimeError in backward, as in PyTorch; ``div`` with a rounding mode is the same with a gradient of 0."""
def remainder(input: Operand, other: Operand) -> Tensor:
    """The remainder with the sign of ``other``, as Python's ``%``."""
def fmod(input: Tensor, other: Operand) -> Tensor:
    """The remainder with the sign of ``input``."""
def reciprocal(input: Tensor) -> Tensor:
    """``1 / x``."""
def exp(input: Tensor) -> Tensor:
    """e to the power of each element."""
def exp2(input: Tensor) -> Tensor:
    """2 to the power of each element."""
def expm1(input: Tensor) -> Tensor:
    """``exp(x) - 1``, exact near 0."""
def log(input: Tensor) -> Tensor:
    """The natural logarithm; nan below 0, -inf at 0."""
def log2(input: Tensor) -> Tensor:
    """The logarithm to base 2."""
def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10."""
def log1p(input: Tensor) -> Tensor:
    """``log(1 + x)``, exact near 0."""
def sqrt(input: Tensor) -> Tensor:
    """The square root; nan below 0, gradient inf at 0."""
def rsqrt(input: Tensor) -> Tensor:
    """One over the square root."""
def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``, without overflow."""
def sin(input: Tensor) -> Tensor:
    """The sine of radians."""
def cos(input: Tensor) -> Tensor:
    """The cosine of radians."""
def tan(input: Tensor) -> Tensor:
    """The tangent of radians."""
def asin(input: Tensor) -> Tensor:
    """The inverse sine, in radians."""
arcsin = asin
def acos(input: Tensor) -> Tensor:
    """The inverse cosine, in radians."""
arccos = acos
def atan(input: Tensor) -> Tensor:
    """The inverse tangent, in radians."""
arctan = atan
def sinh(input: Tensor) -> Tensor:
    """The hyperbolic sine."""
def cosh(input: Tensor) -> Tensor:
    """The hyperbolic cosine."""
def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
def asinh(input: Tensor) -> Tensor:
    """The inverse hyperbolic sine."""
arcsinh = asinh
def acosh(input: Tensor) -> Tensor:
    """The inverse hyperbolic cosine."""
arccosh = acosh
def atanh(input: Tensor) -> Tensor:
    """The inverse hyperbolic tangent."""
arctanh = atanh
def hypot(input: Tensor, other: Tensor) -> Tensor:
    """``sqrt(input**2 + other**2)``. NotImplementedError for integers."""
def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle of the points (other, input), in radians."""
arctan2 = atan2
def abs(input: Tensor) -> Tensor:
    """The absolute value; gradient 0 at 0."""
absolute = abs
def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1; gradient 0."""
def floor(input: Tensor) -> Tensor:
    """The next whole number below; gradient 0."""
def ceil(input: Tensor) -> Tensor:
    """The next whole number above; gradient 0."""
def trunc(input: Tensor) -> Tensor:
    """The whole number towards 0; gradient 0."""
fix = trunc
def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two elements; nan wins; at a tie each gets half the gradient."""
def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two elements; nan wins; at a tie each gets half the gradient."""
def eq(input: Tensor, other: Operand) -> Tensor:
    """``input == other`` by element (bool)."""
def ne(input: Tensor, other: Operand) -> Tensor:
    """``input != other`` by element (bool)."""
not_equal = ne
def lt(input: Tensor, other: Operand) -> Tensor:
    """``input < other`` by element (bool)."""
less = lt
def le(input: Tensor, other: Operand) -> Tensor:
    """``input <= other`` by element (bool)."""
less_equal = le
def gt(input: Tensor, other: Operand) -> Tensor:
    """``input > other`` by element (bool)."""
greater = gt
def ge(input: Tensor, other: Operand) -> Tensor:
    """``input >= other`` by element (bool)."""
greater_equal = ge
def isnan(input: Tensor) -> Tensor:
    """True where an element is nan (bool)."""
def isinf(input: Tensor) -> Tensor:
    """True where an element is infinite (bool)."""
def isfinite(input: Tensor) -> Tensor:
    """True where an element is finite (bool)."""
def logical_not(input: Tensor) -> Tensor:
    """True where an element is zero (bool)."""
def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """True where both are nonzero (bool)."""
def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """True where one is nonzero (bool)."""
def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """True where exactly one is nonzero (bool)."""
def bitwise_not(input: Tensor) -> Tensor:
    """Each bit flipped; for bool, not."""
def bitwise_and(input: Operand, other: Operand) -> Tensor:
    """And of the bits of integers or bools."""
def bitwise_or(input: Operand, other: Operand) -> Tensor:
    """Or of the bits of integers or bools."""
def bitwise_xor(input: Operand, other: Operand) -> Tensor:
    """Exclusive or of the bits of integers or bools."""
def bitwise_left_shift(input: Operand, other: Operand) -> Tensor:
    """``input * 2**other`` of integers, in their bits; 0 where ``other`` is not from 0 to their number."""
def bitwise_right_shift(input: Operand, other: Operand) -> Tensor:
    """``input // 2**other`` of integers, in their bits; 0 or -1 where ``other`` is not from 0 to their number."""
def logsumexp(input: Tensor, dim: Dim, keepdim: bool=False) -> Tensor:
    """``log(sum(exp(input)))`` over ``dim``, without overflow; integers become the default float."""
def erf(input: Tensor) -> Tensor:
    """The error function."""
def erfc(input: Tensor) -> Tensor:
    """``1 - erf(input)``, exact also where that is small."""
def erfinv(input: Tensor) -> Tensor:
    """The inverse of `erf`; inf at 1, nan beyond."""
def logit(input: Tensor, eps: float | None=None) -> Tensor:
    """``log(input / (1 - input))``, of ``input`` between ``eps`` and ``1 - eps`` if that is given."""
def hardshrink(input: Tensor, lambd: float=0.5) -> Tensor:
    """0 from ``-lambd`` to ``lambd``, else ``input``."""
def threshold(input: Tensor, threshold: Number, value: Number) -> Tensor:
    """``input`` where it is greater than ``threshold``, else ``value``."""
def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two elements; the number where one is nan."""
def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two elements; the number where one is nan."""
def copysign(input: Tensor, other: Operand) -> Tensor:
    """The size of ``input`` with the sign of ``other``; gradient 0 where ``input`` is 0."""
def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The next floating-point number from ``input`` towards ``other``."""
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor of integers."""
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple of integers."""
def signbit(input: Tensor) -> Tensor:
    """True where an element has a minus sign, also as -0 (bool)."""
def isneginf(input: Tensor) -> Tensor:
    """True where an element is -inf (bool)."""
def isposinf(input: Tensor) -> Tensor:
    """True where an element is inf (bool)."""
def lgamma(input: Tensor) -> Tensor:
    """The logarithm of the size of the gamma function. It needs SciPy."""
def digamma(input: Tensor) -> Tensor:
    """The derivative of `lgamma`. It needs SciPy."""
def igamma(input: Tensor, other: Tensor) -> Tensor:
    """The incomplete gamma function of order ``input`` up to ``other``, over the whole one. The order has no gradient: NotImplementedError in backward. It needs SciPy."""
def igammac(input: Tensor, other: Tensor) -> Tensor:
    """``1 - igamma(input, other)``. It needs SciPy."""
def i0(input: Tensor) -> Tensor:
    """The modified Bessel function of order 0. It needs SciPy."""
def relu(input: Tensor) -> Tensor:
    """``max(input, 0)``; gradient 0 at 0. RuntimeError for bool."""
def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """``log(exp(input) + exp(other))``, without overflow. NotImplementedError for integers."""
def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """``log2(2**input + 2**other)``, without overflow. NotImplementedError for integers."""
def xlogy(input: Operand, other: Operand) -> Tensor:
    """``input * log(other)``; 0 where ``input`` is 0, unless ``other`` is nan."""
def sinc(input: Tensor) -> Tensor:
    """``sin(pi * input) / (pi * input)``, and 1 at 0."""
def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Sets each element to 0 with probability ``p`` and divides the rest by ``1 - p``.

Without ``train`` it is ``input`` itself."""
def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`dropout` of whole channels: those of the first two dimensions. RuntimeError for fewer."""
def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout that keeps mean 0 and variance 1, for networks of `selu`."""
def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`alpha_dropout` of whole channels."""
def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`dropout`, in place."""
def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`feature_dropout`, in place."""
def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`alpha_dropout`, in place."""
def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`feature_alpha_dropout`, in place."""
def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None=None, stride: int | Sequence[int]=1, padding: int | Sequence[int] | str=0, dilation: int | Sequence[int]=1, groups: int=1) -> Tensor:
    """The products of each filter with the windows of ``input``, summed: what learning calls a convolution.

``input`` is (batch, channels, length), ``weight`` (filters, channels / groups, kernel). ``padding`` says how
many zeros stand at each side, or is ``"same"`` or ``"valid"``."""
def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None=None, stride: int | Sequence[int]=1, padding: int | Sequence[int] | str=0, dilation: int | Sequence[int]=1, groups: int=1) -> Tensor:
    """The products of each filter with the windows of ``input``, summed: what learning calls a convolution.

``input`` is (batch, channels, height, width), ``weight`` (filters, channels / groups, kH, kW). ``padding`` says how
many zeros stand at each side, or is ``"same"`` or ``"valid"``."""
def conv3d(input: Tensor, weight: Tensor, bias: Tensor | None=None, stride: int | Sequence[int]=1, padding: int | Sequence[int] | str=0, dilation: int | Sequence[int]=1, groups: int=1) -> Tensor:
    """The products of each filter with the windows of ``input``, summed: what learning calls a convolution.

``input`` is (batch, channels, depth, height, width), ``weight`` (filters, channels / groups, kD, kH, kW). ``padding`` says how
many zeros stand at each side, or is ``"same"`` or ``"valid"``."""
def conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor | None=None, stride: int | Sequence[int]=1, padding: int | Sequence[int]=0, output_padding: int | Sequence[int]=0, groups: int=1, dilation: int | Sequence[int]=1) -> Tensor:
    """The gradient of `conv1d` for its input; ``weight`` is (channels, filters / groups, kernel).

``output_padding`` chooses among the sizes that `conv1d` would make ``input`` of."""
def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None=None, stride: int | Sequence[int]=1, padding: int | Sequence[int]=0, output_padding: int | Sequence[int]=0, groups: int=1, dilation: int | Sequence[int]=1) -> Tensor:
    """The gradient of `conv2d` for its input; ``weight`` is (channels, filters / groups, kH, kW).

``output_padding`` chooses among the sizes that `conv2d` would make ``input`` of."""
def conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor | None=None, stride: int | Sequence[int]=1, padding: int | Sequence[int]=0, output_padding: int | Sequence[int]=0, groups: int=1, dilation: int | Sequence[int]=1) -> Tensor:
    """The gradient of `conv3d` for its input; ``weight`` is (channels, filters / groups, kD, kH, kW).

``output_padding`` chooses among the sizes that `conv3d` would make ``input`` of."""
def empty(*size: Sizes, dtype: DTypeLike | None=None, device: DeviceLike=None, requires_grad: bool=False) -> Tensor:
    """A new Tensor of this size, with whatever is in its memory; of the default float unless ``dtype`` says another."""
def zeros(*size: Sizes, dtype: DTypeLike | None=None, device: DeviceLike=None, requires_grad: bool=False) -> Tensor:
    """A new Tensor of this size, filled with 0; of the default float unless ``dtype`` says another."""
def ones(*size: Sizes, dtype: DTypeLike | None=None, device: DeviceLike=None, requires_grad: bool=False) -> Tensor:
    """A new Tensor of this size, filled with 1; of the default float unless ``dtype`` says another."""
def empty_like(input: Tensor, *, dtype: DTypeLike | None=None, requires_grad: bool=False, device: DeviceLike=None) -> Tensor:
    """`empty` in the shape and dtype of ``input``."""
def zeros_like(input: Tensor, *, dtype: DTypeLike | None=None, requires_grad: bool=False, device: DeviceLike=None) -> Tensor:
    """`zeros` in the shape and dtype of ``input``."""
def ones_like(input: Tensor, *, dtype: DTypeLike | None=None, requires_grad: bool=False, device: DeviceLike=None) -> Tensor:
    """`ones` in the shape and dtype of ``input``."""
def rand(*size: Sizes, generator: Generator | None=None, dtype: DTypeLike | None=None, device: DeviceLike=None, requires_grad: bool=False) -> Tensor:
    """A new Tensor of this size: numbers drawn uniformly from [0, 1).

Of the default float unless ``dtype`` says another."""
def randn(*size: Sizes, generator: Generator | None=None, dtype: DTypeLike | None=None, device: DeviceLike=None, requires_grad: bool=False) -> Tensor:
    """A new Tensor of this size: numbers drawn from the normal distribution with mean 0 and variance 1.

Of the default float unless ``dtype`` says another."""
def fft(input: Tensor, n: int | None=None, dim: int=-1, norm: Norm=None) -> Tensor:
    """The transform along ``dim``: ``sum(x[t] * exp(-2j * pi * k * t / n))`` for k = 0 to n - 1, complex.

The input is cut off or filled up with zeros to ``n``.  ``norm`` tells where it is divided: "backward" (the
inverse by n), "forward" (the transform by n), or "ortho" (both by the root of n)."""
def ifft(input: Tensor, n: int | None=None, dim: int=-1, norm: Norm=None) -> Tensor:
    """The inverse of `fft`."""
def rfft(input: Tensor, n: int | None=None, dim: int=-1, norm: Norm=None) -> Tensor:
    """The first ``n // 2 + 1`` numbers of `fft` of real ones; the others are conjugates."""
def irfft(input: Tensor, n: int | None=None, dim: int=-1, norm: Norm=None) -> Tensor:
    """The inverse of `rfft`: ``n`` real numbers, by default an even number."""
def hfft(input: Tensor, n: int | None=None, dim: int=-1, norm: Norm=None) -> Tensor:
    """The real transform of a signal of which ``input`` is the first half; the other is its conjugate."""
def ihfft(input: Tensor, n: int | None=None, dim: int=-1, norm: Norm=None) -> Tensor:
    """The inverse of `hfft`."""
def fft2(input: Tensor, s: Dim=None, dim: Dim=(-2, -1), norm: Norm=None) -> Tensor:
    """`fft` along two dimensions."""
def ifft2(input: Tensor, s: Dim=None, dim: Dim=(-2, -1), norm: Norm=None) -> Tensor:
    """The inverse of `fft2`."""
def rfft2(input: Tensor, s: Dim=None, dim: Dim=(-2, -1), norm: Norm=None) -> Tensor:
    """`rfft` along the last of two dimensions, `fft` along the other."""
def irfft2(input: Tensor, s: Dim=None, dim: Dim=(-2, -1), norm: Norm=None) -> Tensor:
    """The inverse of `rfft2`."""
def hfft2(input: Tensor, s: Dim=None, dim: Dim=(-2, -1), norm: Norm=None) -> Tensor:
    """`hfft` along the last of two dimensions, `fft` along the other."""
def ihfft2(input: Tensor, s: Dim=None, dim: Dim=(-2, -1), norm: Norm=None) -> Tensor:
    """The inverse of `hfft2`."""
def fftn(input: Tensor, s: Dim=None, dim: Dim=None, norm: Norm=None) -> Tensor:
    """`fft` along all dimensions, those of ``dim``, or as many of the last as in ``s``."""
def ifftn(input: Tensor, s: Dim=None, dim: Dim=None, norm: Norm=None) -> Tensor:
    """The inverse of `fftn`."""
def rfftn(input: Tensor, s: Dim=None, dim: Dim=None, norm: Norm=None) -> Tensor:
    """`rfft` along the last of the dimensions, `fft` along the others."""
def irfftn(input: Tensor, s: Dim=None, dim: Dim=None, norm: Norm=None) -> Tensor:
    """The inverse of `rfftn`."""
def hfftn(input: Tensor, s: Dim=None, dim: Dim=None, norm: Norm=None) -> Tensor:
    """`hfft` along the last of the dimensions, `fft` along the others."""
def ihfftn(input: Tensor, s: Dim=None, dim: Dim=None, norm: Norm=None) -> Tensor:
    """The inverse of `hfftn`."""
def fftfreq(n: int, d: float=1.0, *, dtype: DTypeLike | None=None, device: DeviceLike=None, requires_grad: bool=False) -> Tensor:
    """The frequencies of what `fft` gives for ``n`` points at distances ``d``, in cycles per unit of ``d``."""
def rfftfreq(n: int, d: float=1.0, *, dtype: DTypeLike | None=None, device: DeviceLike=None, requires_grad: bool=False) -> Tensor:
    """The frequencies of what `rfft` gives for ``n`` points at distances ``d``, in cycles per unit of ``d``."""
def fftshift(input: Tensor, dim: Dim=None) -> Tensor:
    """The frequency 0 moved to the middle of the dimensions."""
def ifftshift(input: Tensor, dim: Dim=None) -> Tensor:
    """The inverse of `fftshift`."""
def max_pool1d(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, dilation: int | Sequence[int]=1, ceil_mode: bool=False, return_indices: bool=False) -> Any:
    """The maximum of each window of (batch, channels, length).

With ``return_indices`` also where it stands, counted row by row. The gradient flows to the first of equal maxima.
``stride`` is ``kernel_size`` by default; padding is never a maximum."""
def max_pool2d(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, dilation: int | Sequence[int]=1, ceil_mode: bool=False, return_indices: bool=False) -> Any:
    """The maximum of each window of (batch, channels, height, width).

With ``return_indices`` also where it stands, counted row by row. The gradient flows to the first of equal maxima.
``stride`` is ``kernel_size`` by default; padding is never a maximum."""
def max_pool3d(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, dilation: int | Sequence[int]=1, ceil_mode: bool=False, return_indices: bool=False) -> Any:
    """The maximum of each window of (batch, channels, depth, height, width).

With ``return_indices`` also where it stands, counted row by row. The gradient flows to the first of equal maxima.
``stride`` is ``kernel_size`` by default; padding is never a maximum."""
def avg_pool2d(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, ceil_mode: bool=False, count_include_pad: bool=True, divisor_override: int | None=None) -> Tensor:
    """The mean of each window of (batch, channels, height, width).

The sum is divided by the size of the window, without the padding in it unless ``count_include_pad``, or by
``divisor_override``."""
def avg_pool3d(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, ceil_mode: bool=False, count_include_pad: bool=True, divisor_override: int | None=None) -> Tensor:
    """The mean of each window of (batch, channels, depth, height, width).

The sum is divided by the size of the window, without the padding in it unless ``count_include_pad``, or by
``divisor_override``."""
def lp_pool1d(input: Tensor, norm_type: int | float, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, ceil_mode: bool=False) -> Tensor:
    """``sum(x**norm_type) ** (1 / norm_type)`` of each window of (batch, channels, length).

With ``inf`` it is the largest absolute value, with ``-inf`` the smallest."""
def lp_pool2d(input: Tensor, norm_type: int | float, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, ceil_mode: bool=False) -> Tensor:
    """``sum(x**norm_type) ** (1 / norm_type)`` of each window of (batch, channels, height, width).

With ``inf`` it is the largest absolute value, with ``-inf`` the smallest."""
def lp_pool3d(input: Tensor, norm_type: int | float, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, ceil_mode: bool=False) -> Tensor:
    """``sum(x**norm_type) ** (1 / norm_type)`` of each window of (batch, channels, depth, height, width).

With ``inf`` it is the largest absolute value, with ``-inf`` the smallest."""
def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The means of ``output_size`` windows that cover (batch, channels, height, width).

Where a size cannot be divided evenly, windows overlap. None leaves a dimension as it is."""
def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """The means of ``output_size`` windows that cover (batch, channels, depth, height, width).

Where a size cannot be divided evenly, windows overlap. None leaves a dimension as it is."""
def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool=False) -> Any:
    """The maxima of ``output_size`` windows that cover (batch, channels, height, width).

Where a size cannot be divided evenly, windows overlap. None leaves a dimension as it is. With ``return_indices``
also where the maxima stand."""
def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool=False) -> Any:
    """The maxima of ``output_size`` windows that cover (batch, channels, depth, height, width).

Where a size cannot be divided evenly, windows overlap. None leaves a dimension as it is. With ``return_indices``
also where the maxima stand."""
def max_unpool1d(input: Tensor, indices: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, output_size: Sequence[int] | None=None) -> Tensor:
    """Zeros, with the elements where ``indices``, as `max_pool1d` returns them, tell."""
def max_unpool2d(input: Tensor, indices: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, output_size: Sequence[int] | None=None) -> Tensor:
    """Zeros, with the elements where ``indices``, as `max_pool2d` returns them, tell."""
def max_unpool3d(input: Tensor, indices: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, output_size: Sequence[int] | None=None) -> Tensor:
    """Zeros, with the elements where ``indices``, as `max_pool3d` returns them, tell."""
def var(input: Tensor, dim: Dim | bool=None, unbiased: bool | None=None, keepdim: bool=False, *, correction: float | None=None) -> Tensor:
    """The variance over ``dim``: squared deviations over (count - correction), which is 1 unless given.

UserWarning where the correction takes all degrees of freedom: the value is nan or inf then."""
def std(input: Tensor, dim: Dim | bool=None, unbiased: bool | None=None, keepdim: bool=False, *, correction: float | None=None) -> Tensor:
    """The square root of `var`. The gradient is 0 where the deviation is 0. UserWarning as from `var`."""
def var_mean(input: Tensor, dim: Dim | bool=None, unbiased: bool | None=None, keepdim: bool=False, *, correction: float | None=None) -> tuple[Tensor, Tensor]:
    """`var` and `mean`."""
def std_mean(input: Tensor, dim: Dim | bool=None, unbiased: bool | None=None, keepdim: bool=False, *, correction: float | None=None) -> tuple[Tensor, Tensor]:
    """`std` and `mean`."""
def amax(input: Tensor, dim: Dim=(), keepdim: bool=False) -> Tensor:
    """The maximum over ``dim``; equal elements share the gradient evenly.
Over nothing IndexError, or without a ``dim`` RuntimeError."""
def amin(input: Tensor, dim: Dim=(), keepdim: bool=False) -> Tensor:
    """The minimum over ``dim``; equal elements share the gradient evenly.
Over nothing IndexError, or without a ``dim`` RuntimeError."""
def argmax(input: Tensor, dim: int | None=None, keepdim: bool=False) -> Tensor:
    """The index (int64) of the first maximum, in the flattened Tensor when ``dim`` is None."""
def argmin(input: Tensor, dim: int | None=None, keepdim: bool=False) -> Tensor:
    """The index (int64) of the first minimum, in the flattened Tensor when ``dim`` is None."""
def any(input: Tensor, dim: Dim=None, keepdim: bool=False) -> Tensor:
    """True where any element along ``dim`` is nonzero (bool; uint8 stays uint8); ``dim=()`` reduces none."""
def all(input: Tensor, dim: Dim=None, keepdim: bool=False) -> Tensor:
    """True where all elements along ``dim`` are nonzero (bool; uint8 stays uint8); ``dim=()`` reduces none."""
def cumsum(input: Tensor, dim: int, *, dtype: DTypeLike | None=None) -> Tensor:
    """The running sum along ``dim``; integers add up in int64."""
def cumprod(input: Tensor, dim: int, *, dtype: DTypeLike | None=None) -> Tensor:
    """The running product along ``dim``; its gradient is exact also at zeros."""
def quantile(input: Tensor, q: Tensor | float, dim: int | None=None, keepdim: bool=False, *, interpolation: str='linear') -> Tensor:
    """The elements below which shares ``q`` (a number, or a vector, whose dimension comes first) of all lie.

Between two elements by ``"linear"``, ``"lower"``, ``"higher"``, ``"nearest"`` or ``"midpoint"``."""
def nanquantile(input: Tensor, q: Tensor | float, dim: int | None=None, keepdim: bool=False, *, interpolation: str='linear') -> Tensor:
    """`quantile` of the elements that are not nan."""
def cummax(input: Tensor, dim: int) -> ValuesAndIndices:
    """The largest element so far along ``dim``, and its place: the last of equal ones."""
def cummin(input: Tensor, dim: int) -> ValuesAndIndices:
    """The smallest element so far along ``dim``, and its place: the last of equal ones."""

__all__ = ["clone", "mul", "multiply", "neg", "negative", "floor_divide", "remainder", "fmod", "reciprocal", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "sigmoid", "sin", "cos", "tan", "asin", "arcsin", "acos", "arccos", "atan", "arctan", "sinh", "cosh", "tanh", "asinh", "arcsinh", "acosh", "arccosh", "atanh", "arctanh", "hypot", "atan2", "arctan2", "abs", "absolute", "sign", "floor", "ceil", "trunc", "fix", "maximum", "minimum", "eq", "ne", "not_equal", "lt", "less", "le", "less_equal", "gt", "greater", "ge", "greater_equal", "isnan", "isinf", "isfinite", "logical_not", "logical_and", "logical_or", "logical_xor", "bitwise_not", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "logsumexp", "erf", "erfc", "erfinv", "logit", "hardshrink", "threshold", "fmax", "fmin", "copysign", "nextafter", "gcd", "lcm", "signbit", "isneginf", "isposinf", "lgamma", "digamma", "igamma", "igammac", "i0", "relu", "logaddexp", "logaddexp2", "xlogy", "sinc", "alpha_dropout", "alpha_dropout_", "celu", "celu_", "dropout", "dropout_", "feature_alpha_dropout", "feature_alpha_dropout_", "feature_dropout", "feature_dropout_", "log_softmax", "prelu", "rrelu", "rrelu_", "selu", "selu_", "softmax", "cholesky", "cholesky_inverse", "cholesky_solve", "det", "inverse", "logdet", "lu", "lu_solve", "lu_unpack", "matrix_exp", "matrix_power", "orgqr", "ormqr", "pinverse", "qr", "slogdet", "svd", "triangular_solve", "aminmax", "cumulative_trapezoid", "frexp", "heaviside", "is_floating_point", "is_nonzero", "is_same_size", "ldexp", "nan_to_num", "trapezoid", "trapz", "argwhere", "atleast_3d", "block_diag", "broadcast_shapes", "cartesian_prod", "column_stack", "combinations", "diff", "dsplit", "dstack", "hsplit", "meshgrid", "narrow_copy", "repeat_interleave", "roll", "rot90", "split_with_sizes", "vander", "vsplit", "adjoint", "angle", "complex", "conj", "conj_physical", "imag", "is_complex", "is_conj", "is_neg", "isreal", "polar", "real", "resolve_conj", "resolve_neg", "sgn", "view_as_complex", "view_as_complex_copy", "view_as_real", "view_as_real_copy", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "alias_copy", "constant_pad_nd", "diagonal_copy", "expand_copy", "gradient", "permute_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy", "transpose_copy", "unbind_copy", "unfold_copy", "unsafe_chunk", "unsafe_split", "unsqueeze_copy", "view_copy", "bincount", "histc", "histogram", "histogramdd", "unique", "unique_consecutive", "diag", "diag_embed", "diagflat", "diagonal", "diagonal_scatter", "select_scatter", "slice_scatter", "trace", "tril", "tril_indices", "triu", "triu_indices", "cdist", "corrcoef", "cov", "deg2rad", "dist", "nanmean", "norm", "pdist", "rad2deg", "renorm", "bernoulli", "binomial", "multinomial", "normal", "poisson", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "asarray", "empty_permuted", "empty_strided", "from_dlpack", "frombuffer", "to_dlpack", "istft", "stft", "mvlgamma", "polygamma", "channel_shuffle", "pixel_shuffle", "pixel_unshuffle", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "native_batch_norm", "native_group_norm", "native_layer_norm", "pca_lowrank", "svd_lowrank", "cat", "chunk", "concat", "concatenate", "hstack", "narrow", "row_stack", "select", "split", "stack", "tensor_split", "unbind", "vstack", "adaptive_avg_pool1d", "avg_pool1d", "max_pool1d", "max_pool2d", "max_pool3d", "addbmm", "addr", "chain_matmul", "cross", "einsum", "inner", "kron", "tensordot", "fake_quantize_per_channel_affine", "fake_quantize_per_tensor_affine", "eig", "lstsq", "matrix_rank", "solve", "symeig", "index_add", "index_copy", "index_fill", "index_reduce", "masked_scatter", "put", "scatter", "scatter_add", "scatter_reduce", "segment_reduce", "argsort", "bucketize", "cummax", "cummin", "isin", "kthvalue", "logcumsumexp", "median", "mode", "msort", "nanmedian", "nanquantile", "quantile", "searchsorted", "sort", "topk", "logspace", "range", "dsmm", "sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor", "sparse_csr_tensor", "spmm", "as_strided", "as_strided_copy", "as_strided_scatter", "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor", "ShortTensor", "can_cast", "finfo", "get_default_device", "iinfo", "numel", "set_default_device", "set_default_tensor_type", "typename", "bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window", "scalar_tensor", "unravel_index", "abs_", "acos_", "acosh_", "addmv_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan_", "arctanh_", "as_strided_", "asin_", "asinh_", "atan_", "atanh_", "ceil_", "clamp_", "clamp_max_", "clamp_min_", "clip_", "cos_", "cosh_", "deg2rad_", "detach", "detach_", "erf_", "erfc_", "exp2_", "exp_", "expm1_", "fill_", "fix_", "floor_", "frac_", "gcd_", "i0_", "index_put_", "is_inference", "is_signed", "lcm_", "ldexp_", "log1p_", "log2_", "log10_", "log_", "logit_", "nan_to_num_", "neg_", "negative_", "rad2deg_", "reciprocal_", "relu_", "round_", "rsqrt_", "sigmoid_", "sin_", "sinc_", "sinh_", "sqrt_", "square_", "tan_", "tanh_", "threshold_", "trunc_", "xlogy_", "zero_", "all", "amax", "amin", "any", "argmax", "argmin", "cumprod", "cumsum", "empty", "empty_like", "ones", "ones_like", "std", "std_mean", "var", "var_mean", "zeros", "zeros_like"]
METHODS: frozenset[str]

def form(op: Op) -> str: ...
def check(ops: Iterable[Op]) -> dict[str, Any]: ...
def made(name: str) -> Any: ...

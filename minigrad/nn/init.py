"""Initial values for parameters, drawn as PyTorch draws them: the same seed gives the same numbers.

Every function fills its Tensor in place, outside of any graph, and returns it. ``generator`` is the
:class:`minigrad.Generator` to draw from (None: the default one). Fan-in and fan-out are those of a weight of
shape ``(out, in, *kernel)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from minigrad.autograd import no_grad
from minigrad.errors import not_implemented_error, value_error, warn
from minigrad.functions.creation import empty, empty_like, from_numpy
from minigrad.functions.creation import eye as eye_matrix
from minigrad.functions.creation import tensor as make
from minigrad.functions.draws import randperm
from minigrad.functions.elementwise import where
from minigrad.functions.matrix_checks import floats
from minigrad.gate import case, public
from minigrad.hints import module_getattr
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from typing import ParamSpec

    from minigrad.random import Generator

    P = ParamSpec("P")

__all__ = [
    "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal",
    "kaiming_normal_", "kaiming_uniform", "kaiming_uniform_", "normal", "normal_", "ones_", "orthogonal",
    "orthogonal_", "sparse", "sparse_", "trunc_normal_", "uniform", "uniform_", "xavier_normal",
    "xavier_normal_", "xavier_uniform", "xavier_uniform_", "zeros_",
]  # fmt: skip

_GAINS = {
    "linear": 1, "conv1d": 1, "conv2d": 1, "conv3d": 1, "conv_transpose1d": 1, "conv_transpose2d": 1,
    "conv_transpose3d": 1, "sigmoid": 1, "tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor for initial weights in front of a nonlinearity, as PyTorch recommends it.

    1 for linear, conv and sigmoid, 5/3 for tanh, sqrt(2) for relu, 3/4 for selu, and sqrt(2 / (1 + s**2)) for
    leaky_relu with slope s = ``param`` (0.01 if None). ValueError for other names and slopes.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise value_error(f"negative_slope {slope} not a valid number")
        # A product becomes inf where a power would raise OverflowError.
        return math.sqrt(2.0 / (1 + float(slope) * float(slope)))
    if nonlinearity not in _GAINS:
        raise value_error(
            f"Unsupported nonlinearity {nonlinearity}; known are {', '.join(sorted([*_GAINS, 'leaky_relu']))}"
        )
    return _GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fills with uniform draws between ``a`` and ``b``."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fills with normal draws of mean ``mean`` and standard deviation ``std``."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fills with normal draws restricted to [a, b]; warns if the mean is more than 2 std outside.

    By rejection, as PyTorch 2.13 does (older ones invert the distribution function): candidates are normal
    where more than 30 % of them would be kept, else uniform on [a, b], kept with a probability in proportion
    to the density.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect."
        )
    with no_grad():
        if _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std) > 0.3:
            values = _reject_normal(tensor, mean, std, a, b, generator)
        else:
            values = _reject_uniform(tensor, mean, std, a, b, generator)
        return tensor.copy_(values)


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _reject_normal(
    like: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None
) -> Tensor:
    # The bounds as the dtype has them: else a value that equals a rounded bound would be drawn again without end.
    lo, hi = make([a, b], dtype=like.dtype).tolist()
    values = empty_like(like).normal_(mean, std, generator=generator)
    while (outside := (values < lo) | (values > hi)).any():
        values = where(outside, empty_like(like).normal_(mean, std, generator=generator), values)
    return values


def _reject_uniform(
    like: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None
) -> Tensor:
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2

    def draw() -> tuple[Tensor, Tensor]:
        """Candidates, and which of them to reject."""
        candidates = empty_like(like).uniform_(a, b, generator=generator)
        log_density = ((candidates - mean) / std) ** 2 * -0.5 - peak
        return candidates, empty_like(like).uniform_(generator=generator).log_() > log_density

    values, pending = draw()
    while pending.any():
        candidates, rejected = draw()
        values = where(pending, candidates, values)
        pending = pending & rejected
    return values


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fills with ``val``."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fills with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fills with zeros."""
    with no_grad():
        return tensor.zero_()


def eye_(tensor: Tensor) -> Tensor:
    """Fills a 2-d Tensor with the identity matrix. ValueError for other dimensions."""
    _check_dim(tensor, tensor.ndim == 2, "Only tensors with 2 dimensions are supported")
    with no_grad():
        return tensor.copy_(eye_matrix(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fills the weight of a convolution (3 to 5 dimensions) so that it returns its input, in each of ``groups``.

    ValueError for other dimensions, or if dimension 0 is not divisible by ``groups``.
    """
    _check_dim(tensor, tensor.ndim in (3, 4, 5), "Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups != 0:
        raise value_error(f"dim 0 must be divisible by groups, got {tensor.shape[0]} and {groups}")
    per_group = tensor.shape[0] // groups
    centre = tuple(size // 2 for size in tensor.shape[2:])
    with no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(per_group, tensor.shape[1])):
                tensor[(group * per_group + channel, channel, *centre)] = 1
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fills with uniform draws in ±gain·sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fills with normal draws of standard deviation gain·sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _kaiming(
    name: str, tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    if 0 in tensor.shape:
        warn("Initializing zero-element tensors is a no-op")
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    bound = math.sqrt(3.0) * std
    return (
        normal_(tensor, 0, std, generator) if "normal" in name else uniform_(tensor, -bound, bound, generator)
    )


kaiming_uniform_ = case(_kaiming, "kaiming_uniform_", """
    Fills with uniform draws in ±gain·sqrt(3 / fan) (He et al. 2015).

    ``mode`` names the fan, "fan_in" or "fan_out"; ``a`` is the slope where ``nonlinearity`` is leaky_relu.
    ValueError for fewer than 2 dimensions or another mode. A Tensor without elements is left, with a warning.
    """)  # fmt: skip
kaiming_normal_ = case(_kaiming, "kaiming_normal_", """
    Fills with normal draws of standard deviation gain / sqrt(fan); arguments as for ``kaiming_uniform_``.
    """)  # fmt: skip


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fills with a random matrix (dim 0, all others) of orthonormal rows or columns, times ``gain``.

    The Q of a QR decomposition of a normal matrix, with R's diagonal made positive so that Q is uniformly
    distributed (Saxe et al. 2013; Mezzadri, arXiv:math-ph/0609050). ValueError for fewer than 2 dimensions.
    """
    _check_dim(tensor, tensor.ndim >= 2, "Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    if tensor.is_complex():
        raise not_implemented_error(f"orthogonal_() is not implemented for {tensor.dtype}")
    floats("orthogonal_", tensor)
    shape = (rows, tensor.numel() // rows)
    a = empty(shape, dtype=tensor.dtype).normal_(0, 1, generator=generator).numpy()
    wide = shape[0] < shape[1]
    q, r = np.linalg.qr(a.T if wide else a)
    q = q * np.sign(np.diag(r))
    with no_grad():
        tensor.copy_(from_numpy(q.T if wide else q).reshape(tensor.shape))
        tensor.mul_(gain)
    return tensor


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Fills with normal draws of standard deviation ``std``, and sets the fraction ``sparsity`` of each column to zero.

    ValueError unless there are 2 dimensions (Martens 2010). As in PyTorch, which elements become zero is drawn from
    the default generator.
    """
    _check_dim(tensor, tensor.ndim == 2, "Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[randperm(rows)[:zeros], column] = 0
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Into how many inputs each output looks, and the reverse."""
    _check_dim(
        tensor,
        tensor.ndim >= 2,
        "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions",
    )
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor))))


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    """The fan of a mode. ValueError for another than ``fan_in`` and ``fan_out``."""
    modes = ["fan_in", "fan_out"]
    if mode.lower() not in modes:
        raise value_error(f"Mode {mode} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]


def _check_dim(tensor: Tensor, good: bool, message: str) -> None:
    if not good:
        raise value_error(f"{message}, got shape {tuple(tensor.shape)}")


public(globals(), [name for name in __all__ if name in globals()], check="Tensors")


def _deprecated(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """The function under its old name, without the underscore, with PyTorch's warning."""
    new = function.__name__
    old = new[:-1]

    def filled(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        warn(f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.", FutureWarning)
        return function(*args, **kwargs)

    filled.__name__ = filled.__qualname__ = old
    filled.__doc__ = f"`{new}`, under the name that it had before; FutureWarning."
    return filled


constant = _deprecated(constant_)
dirac = _deprecated(dirac_)
eye = _deprecated(eye_)
kaiming_normal = _deprecated(kaiming_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
normal = _deprecated(normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
uniform = _deprecated(uniform_)
xavier_normal = _deprecated(xavier_normal_)
xavier_uniform = _deprecated(xavier_uniform_)
# Under the names that copies of PyTorch's own code call.
_no_grad_fill_, _no_grad_zero_ = constant_, zeros_
_no_grad_normal_, _no_grad_trunc_normal_, _no_grad_uniform_ = normal_, trunc_normal_, uniform_
module_getattr(globals())

"""Written by `.ci/stubs`: the module, with the functions that it makes."""

from typing import Any
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
    P = ParamSpec('P')
__all__ = ['calculate_gain', 'constant', 'constant_', 'dirac', 'dirac_', 'eye', 'eye_', 'kaiming_normal', 'kaiming_normal_', 'kaiming_uniform', 'kaiming_uniform_', 'normal', 'normal_', 'ones_', 'orthogonal', 'orthogonal_', 'sparse', 'sparse_', 'trunc_normal_', 'uniform', 'uniform_', 'xavier_normal', 'xavier_normal_', 'xavier_uniform', 'xavier_uniform_', 'zeros_']
_GAINS: Any
def calculate_gain(nonlinearity: str, param: float | None=None) -> float:
    """The factor for initial weights in front of a nonlinearity, as PyTorch recommends it.

1 for linear, conv and sigmoid, 5/3 for tanh, sqrt(2) for relu, 3/4 for selu, and sqrt(2 / (1 + s**2)) for
leaky_relu with slope s = ``param`` (0.01 if None). ValueError for other names and slopes."""
def uniform_(tensor: Tensor, a: float=0.0, b: float=1.0, generator: Generator | None=None) -> Tensor:
    """Fills with uniform draws between ``a`` and ``b``."""
def normal_(tensor: Tensor, mean: float=0.0, std: float=1.0, generator: Generator | None=None) -> Tensor:
    """Fills with normal draws of mean ``mean`` and standard deviation ``std``."""
def trunc_normal_(tensor: Tensor, mean: float=0.0, std: float=1.0, a: float=-2.0, b: float=2.0, generator: Generator | None=None) -> Tensor:
    """Fills with normal draws restricted to [a, b]; warns if the mean is more than 2 std outside.

By rejection, as PyTorch 2.13 does (older ones invert the distribution function): candidates are normal
where more than 30 % of them would be kept, else uniform on [a, b], kept with a probability in proportion
to the density."""
def _normal_cdf(x: float) -> float:
    ...
def _reject_normal(like: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None) -> Tensor:
    ...
def _reject_uniform(like: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None) -> Tensor:
    ...
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fills with ``val``."""
def ones_(tensor: Tensor) -> Tensor:
    """Fills with ones."""
def zeros_(tensor: Tensor) -> Tensor:
    """Fills with zeros."""
def eye_(tensor: Tensor) -> Tensor:
    """Fills a 2-d Tensor with the identity matrix. ValueError for other dimensions."""
def dirac_(tensor: Tensor, groups: int=1) -> Tensor:
    """Fills the weight of a convolution (3 to 5 dimensions) so that it returns its input, in each of ``groups``.

ValueError for other dimensions, or if dimension 0 is not divisible by ``groups``."""
def xavier_uniform_(tensor: Tensor, gain: float=1.0, generator: Generator | None=None) -> Tensor:
    """Fills with uniform draws in ±gain·sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
def xavier_normal_(tensor: Tensor, gain: float=1.0, generator: Generator | None=None) -> Tensor:
    """Fills with normal draws of standard deviation gain·sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
def _kaiming(name: str, tensor: Tensor, a: float=0, mode: str='fan_in', nonlinearity: str='leaky_relu', generator: Generator | None=None) -> Tensor:
    ...
def kaiming_uniform_(tensor: Tensor, a: float=0, mode: str='fan_in', nonlinearity: str='leaky_relu', generator: Generator | None=None) -> Tensor:
    """Fills with uniform draws in ±gain·sqrt(3 / fan) (He et al. 2015).

``mode`` names the fan, "fan_in" or "fan_out"; ``a`` is the slope where ``nonlinearity`` is leaky_relu.
ValueError for fewer than 2 dimensions or another mode. A Tensor without elements is left, with a warning."""
def kaiming_normal_(tensor: Tensor, a: float=0, mode: str='fan_in', nonlinearity: str='leaky_relu', generator: Generator | None=None) -> Tensor:
    """Fills with normal draws of standard deviation gain / sqrt(fan); arguments as for ``kaiming_uniform_``."""
def orthogonal_(tensor: Tensor, gain: float=1, generator: Generator | None=None) -> Tensor:
    """Fills with a random matrix (dim 0, all others) of orthonormal rows or columns, times ``gain``.

The Q of a QR decomposition of a normal matrix, with R's diagonal made positive so that Q is uniformly
distributed (Saxe et al. 2013; Mezzadri, arXiv:math-ph/0609050). ValueError for fewer than 2 dimensions."""
def sparse_(tensor: Tensor, sparsity: float, std: float=0.01, generator: Generator | None=None) -> Tensor:
    """Fills with normal draws of standard deviation ``std``, and sets the fraction ``sparsity`` of each column to zero.

ValueError unless there are 2 dimensions (Martens 2010). As in PyTorch, which elements become zero is drawn from
the default generator."""
def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Into how many inputs each output looks, and the reverse."""
def _xavier_std(tensor: Tensor, gain: float) -> float:
    ...
def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    """The fan of a mode. ValueError for another than ``fan_in`` and ``fan_out``."""
def _check_dim(tensor: Tensor, good: bool, message: str) -> None:
    ...
def _deprecated(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """The function under its old name, without the underscore, with PyTorch's warning."""
def constant(*args: Any, **kwargs: Any) -> Tensor:
    """`constant_`, under the name that it had before; FutureWarning."""
def dirac(*args: Any, **kwargs: Any) -> Tensor:
    """`dirac_`, under the name that it had before; FutureWarning."""
def eye(*args: Any, **kwargs: Any) -> Tensor:
    """`eye_`, under the name that it had before; FutureWarning."""
def kaiming_normal(*args: Any, **kwargs: Any) -> Tensor:
    """`kaiming_normal_`, under the name that it had before; FutureWarning."""
def kaiming_uniform(*args: Any, **kwargs: Any) -> Tensor:
    """`kaiming_uniform_`, under the name that it had before; FutureWarning."""
def normal(*args: Any, **kwargs: Any) -> Tensor:
    """`normal_`, under the name that it had before; FutureWarning."""
def orthogonal(*args: Any, **kwargs: Any) -> Tensor:
    """`orthogonal_`, under the name that it had before; FutureWarning."""
def sparse(*args: Any, **kwargs: Any) -> Tensor:
    """`sparse_`, under the name that it had before; FutureWarning."""
def uniform(*args: Any, **kwargs: Any) -> Tensor:
    """`uniform_`, under the name that it had before; FutureWarning."""
def xavier_normal(*args: Any, **kwargs: Any) -> Tensor:
    """`xavier_normal_`, under the name that it had before; FutureWarning."""
def xavier_uniform(*args: Any, **kwargs: Any) -> Tensor:
    """`xavier_uniform_`, under the name that it had before; FutureWarning."""
def _no_grad_fill_(tensor: Tensor, val: float) -> Tensor:
    """Fills with ``val``."""
def _no_grad_zero_(tensor: Tensor) -> Tensor:
    """Fills with zeros."""
def _no_grad_normal_(tensor: Tensor, mean: float=0.0, std: float=1.0, generator: Generator | None=None) -> Tensor:
    """Fills with normal draws of mean ``mean`` and standard deviation ``std``."""
def _no_grad_trunc_normal_(tensor: Tensor, mean: float=0.0, std: float=1.0, a: float=-2.0, b: float=2.0, generator: Generator | None=None) -> Tensor:
    """Fills with normal draws restricted to [a, b]; warns if the mean is more than 2 std outside.

By rejection, as PyTorch 2.13 does (older ones invert the distribution function): candidates are normal
where more than 30 % of them would be kept, else uniform on [a, b], kept with a probability in proportion
to the density."""
def _no_grad_uniform_(tensor: Tensor, a: float=0.0, b: float=1.0, generator: Generator | None=None) -> Tensor:
    """Fills with uniform draws between ``a`` and ``b``."""

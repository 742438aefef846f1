"""What the families share: operands that broadcast, clamped probabilities, and attributes computed once."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

from minigrad import dtypes
from minigrad.autograd import enable_grad
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.tensor import Tensor
from minigrad.errors import value_error
from minigrad.functions.arranged import broadcast_shapes
from minigrad.functions.creation import arange, tensor
from minigrad.functions.draws import drawn, randn
from minigrad.functions.typed import finfo
from minigrad.nn.functional import binary_cross_entropy_with_logits, softmax

euler_constant = 0.57721566490153286060


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """The values as Tensors of one shape; numbers take the element type of the Tensors, or the default float.

    ValueError for what is neither Tensor nor number.
    """
    if not all(isinstance(v, (Tensor, int, float)) for v in values):
        raise value_error("Input arguments must all be instances of Number or Tensor")
    tensors = [v for v in values if isinstance(v, Tensor)]
    dtype = tensors[0].dtype if tensors else dtypes.get_default_dtype()
    operands = [v if isinstance(v, Tensor) else tensor(float(v), dtype=dtype) for v in values]
    shape = broadcast_shapes(*(v.shape for v in operands))
    return tuple(v if v.shape == shape else v.expand(shape) for v in operands)


def draw(method: str, like: Tensor, shape: Any, *arguments: Any) -> Tensor:
    """Numbers from the default generator, in the element type of a Tensor; they have no gradient."""
    return drawn(None, method, tuple(shape), like._array.dtype, *arguments)


def _standard_normal(shape: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Draws of a standard normal in a shape; families that are written for PyTorch call it by this name."""
    return randn(tuple(shape), dtype=dtype, device=device)


def recorded() -> bool:
    """Whether a function is recorded for other values too."""
    return MODE.get().recorder is not None


def parameters(**constraints: Any) -> dict[str, Any]:
    """What a family states of its parameters: their names and constraints."""
    return constraints


def sum_rightmost(value: Any, dim: int) -> Any:
    """The sum over the last ``dim`` dimensions."""
    if dim == 0:
        return value
    return value.reshape(*value.shape[: value.dim() - dim], -1).sum(-1)


_sum_rightmost = sum_rightmost  # PyTorch's name


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The lower triangles of matrices ``(*, n, n)``, up to diagonal ``diag``, as vectors in the order of their rows.

    ValueError for a diagonal that the matrix does not have.
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise value_error(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows = arange(n)
    return mat[..., rows.view(n, 1) + (diag + 1) > rows]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Lower triangular matrices from vectors, row by row; the inverse of `tril_matrix_to_vec`.

    ValueError for a length that is not that of a triangle.
    """
    length = vec.shape[-1]
    n = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * length + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    if not round(n, 6).is_integer():
        raise value_error(
            f"The size of last dimension is {length} which cannot be expressed as the lower triangular part "
            "of a square D x D matrix."
        )
    side = round(n)
    rows = arange(side)
    matrix = vec.new_zeros((*vec.shape[:-1], side, side))
    matrix[..., rows.view(side, 1) + (diag + 1) > rows] = vec
    return matrix


def clamp_probs(probs: Tensor) -> Tensor:
    """Clamps probabilities to [eps, 1 - eps], eps of the element type."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities from log odds, or from log weights in the last dimension."""
    return logits.sigmoid() if is_binary else softmax(logits, dim=-1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log odds, or log weights, from probabilities, which are clamped first."""
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


def bce(logits: Tensor, value: Tensor) -> Tensor:
    """``-log_prob`` of Bernoulli trials."""
    return binary_cross_entropy_with_logits(logits, value, reduction="none")


def one_of(owner: object, **options: Any) -> str:
    """The name of the option that is not None. ValueError unless it is one alone."""
    names = [name for name, value in options.items() if value is not None]
    if len(names) != 1:
        known = "` or `".join(options)
        rule = (
            f"Either `{known}` must be specified, but not both"
            if len(options) == 2
            else f"Exactly one of `{known}` may be specified"
        )
        raise value_error(f"{rule} (of {type(owner).__name__}).")
    return names[0]


def one_matrix(
    owner: object, covariance_matrix: Any, precision_matrix: Any, scale_tril: Any
) -> tuple[str, Any]:
    """The one that is not None, and its name. ValueError unless it is one alone and has two dimensions."""
    options = {
        "covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril,
    }  # fmt: skip
    name = one_of(owner, **options)
    matrix: Any = options[name]
    if matrix.dim() < 2:
        raise value_error(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
    return name, matrix


R = TypeVar("R")


def showing() -> ModeManager:
    """In it a sentence may show the values that are refused, also where a function is recorded."""
    return ModeManager(MODE.get().replace(recorder=None, everything=False))


class _Formula(property):
    def __set_name__(self, owner: type, name: str) -> None:
        self.__doc__ = getattr(getattr(super(owner, owner), name, None), "__doc__", None)


def formula(read: Callable[[Any], R]) -> R:
    """A property that is one expression; its docstring is that of the class above."""
    return _Formula(read)  # type: ignore[return-value]


def attribute(path: str) -> Any:
    """A property that is another attribute, such as ``"loc"`` or ``"base_dist.loc"``."""
    return formula(attrgetter(path))


class lazy_property:
    """A method without arguments as an attribute that is computed when it is first read, and kept."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Tensor:
        if instance is None:
            return self  # type: ignore[return-value]
        with enable_grad():
            value: Tensor = self.wrapped(instance)
        vars(instance)[self.wrapped.__name__] = value
        return value

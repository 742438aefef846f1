"""The functions behind the modules: PyTorch's ``nn.functional``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from minigrad.functions import nn as functions
from minigrad.functions.nn import linear
from minigrad.gate import public
from minigrad.hints import missing
from minigrad.nn._reductions import legacy_reduction, warn_of_sizes, weighted
from minigrad.tensor import Tensor

# By file: loaded when one of its names is first asked for.
_FILES = {
    "_activations": "alpha_dropout celu dropout dropout1d dropout2d dropout3d elu embedding feature_alpha_dropout gelu "
    "glu hardshrink hardsigmoid hardswish hardtanh leaky_relu log_softmax logsigmoid mish one_hot prelu relu6 rrelu "
    "selu sigmoid silu softmax softmin softplus softshrink softsign tanh tanhshrink threshold",
    "_losses": "binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss "
    "cross_entropy gaussian_nll_loss hinge_embedding_loss huber_loss kl_div margin_ranking_loss nll_loss "
    "poisson_nll_loss smooth_l1_loss soft_margin_loss triplet_margin_loss",
    "_distances": "cosine_similarity normalize pairwise_distance",
    "_norms": "batch_norm group_norm instance_norm layer_norm rms_norm",
}
_PLACES = {name: file for file, names in _FILES.items() for name in names.split()}

if TYPE_CHECKING:
    from minigrad.nn._activations import *  # noqa: F403
    from minigrad.nn._distances import *  # noqa: F403
    from minigrad.nn._losses import *  # noqa: F403
    from minigrad.nn._norms import *  # noqa: F403

__all__ = ["l1_loss", "linear", "mse_loss", "relu", *_PLACES]


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(input, 0)``, element by element; with ``inplace`` the input itself is changed and returned.

    The gradient passes where the input is greater than 0 (at 0 it is 0).
    """
    return input.relu_() if inplace else functions.relu(input)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared error ``(input - target)**2``: its mean, its sum, or with ``reduction="none"`` itself.

    ``input`` and ``target`` should have the same shape (others broadcast, with a UserWarning). ``weight``
    has the shape of ``input``; the mean is then the weighted one, ``sum(weight * error) / sum(weight)``.
    Raises ValueError for another ``reduction`` and for a weight of another shape, RuntimeError for shapes
    that do not broadcast.
    """
    if not functions.same_shape(input, target):
        warn_of_sizes(input, target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    if weight is None and reduction == "mean":
        return functions.mse_mean(input, target)
    return weighted((input - target) ** 2, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute error ``|input - target|``; the arguments are those of :func:`mse_loss`."""
    warn_of_sizes(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    return weighted((input - target).abs(), weight, reduction)


linear.__module__ = __name__  # pickles name it by where users find it
public(globals(), ("l1_loss", "mse_loss", "relu"), check="Tensors")
if not TYPE_CHECKING:  # a type checker shall see that a name is missing

    def __getattr__(name: str) -> Any:
        if name in _PLACES:
            function = getattr(import_module(f"minigrad.nn.{_PLACES[name]}"), name)
            return globals().setdefault(name, function)
        raise missing(__name__, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

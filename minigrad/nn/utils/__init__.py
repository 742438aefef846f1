"""What helps with modules and their inputs: PyTorch's ``nn.utils``. Names only."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from minigrad.hints import missing

if TYPE_CHECKING:
    from minigrad.nn.utils import parametrizations as parametrizations
    from minigrad.nn.utils import parametrize as parametrize
    from minigrad.nn.utils import prune as prune
    from minigrad.nn.utils import rnn as rnn
    from minigrad.nn.utils import stateless as stateless
    from minigrad.nn.utils._spectral_norm import *  # noqa: F403
    from minigrad.nn.utils._weight_norm import *  # noqa: F403
    from minigrad.nn.utils.clip_grad import *  # noqa: F403
    from minigrad.nn.utils.convert_parameters import *  # noqa: F403
    from minigrad.nn.utils.fusion import *  # noqa: F403
    from minigrad.nn.utils.init import *  # noqa: F403
    from minigrad.nn.utils.memory_format import *  # noqa: F403

# By module, the names that stand here too.
_NAMES = {
    "clip_grad": (
        "clip_grad_norm",
        "clip_grad_norm_",
        "clip_grad_value_",
        "clip_grads_with_norm_",
        "get_total_norm",
    ),
    "convert_parameters": ("parameters_to_vector", "vector_to_parameters"),
    "fusion": ("fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"),
    "init": ("skip_init",),
    "memory_format": ("convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"),
    "parametrizations": (),
    "parametrize": (),
    "prune": (),
    "rnn": (),
    "stateless": (),
    "_spectral_norm": ("remove_spectral_norm", "spectral_norm"),
    "_weight_norm": ("remove_weight_norm", "weight_norm"),
}
__all__ = [
    "parametrizations",
    "parametrize",
    "prune",
    "rnn",
    "stateless",
    *(name for names in _NAMES.values() for name in names),
]

if not TYPE_CHECKING:  # a type checker shall see that a name is missing

    def __getattr__(name: str) -> Any:
        if name in _NAMES:
            return import_module(f"{__name__}.{name}")
        for home, names in _NAMES.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{home}"), name)
        raise missing(__name__, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

"""What helps with modules and their inputs: PyTorch's ``nn.utils``. Names only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.hints import module_getattr

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

__all__ = module_getattr(
    globals(),
    {
        "clip_grad": "clip_grad_norm clip_grad_norm_ clip_grad_value_ clip_grads_with_norm_ get_total_norm",
        "convert_parameters": "parameters_to_vector vector_to_parameters",
        "fusion": "fuse_conv_bn_eval fuse_conv_bn_weights fuse_linear_bn_eval fuse_linear_bn_weights",
        "init": "skip_init",
        "memory_format": "convert_conv2d_weight_memory_format convert_conv3d_weight_memory_format",
        "_spectral_norm": "remove_spectral_norm spectral_norm",
        "_weight_norm": "remove_weight_norm weight_norm",
        **dict.fromkeys(_MODULES := ("parametrizations", "parametrize", "prune", "rnn", "stateless"), ""),
    },
)
__all__ += _MODULES

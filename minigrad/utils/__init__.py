"""What is around training: `data` makes batches, `checkpoint` saves memory, `benchmark`, `flop_counter` measure."""

from typing import TYPE_CHECKING

from minigrad.hints import module_getattr

if TYPE_CHECKING:
    from minigrad.utils import benchmark as benchmark
    from minigrad.utils import checkpoint as checkpoint
    from minigrad.utils import data as data
    from minigrad.utils import deterministic as deterministic
    from minigrad.utils import dlpack as dlpack
    from minigrad.utils import flop_counter as flop_counter
    from minigrad.utils import hooks as hooks
    from minigrad.utils import model_zoo as model_zoo
    from minigrad.utils import module_tracker as module_tracker
    from minigrad.utils import tensorboard as tensorboard
    from minigrad.utils.swap import swap_tensors as swap_tensors

__all__ = [
    "benchmark", "checkpoint", "data", "deterministic", "dlpack", "flop_counter", "hooks", "model_zoo",
    "module_tracker", "swap_tensors", "tensorboard",
]  # fmt: skip

_FILES = {*__all__, "_pytree", "_python_dispatch"} - {"swap_tensors"}
module_getattr(globals(), {**dict.fromkeys(_FILES, ""), "swap": "swap_tensors"})

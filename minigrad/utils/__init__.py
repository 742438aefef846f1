"""Tools for training: `data` makes batches, `checkpoint` saves memory, `benchmark` and `flop_counter` measure."""

from typing import TYPE_CHECKING

from minigrad.hints import module_getattr

if TYPE_CHECKING:
    from minigrad.utils import (
        backcompat as backcompat, benchmark as benchmark, checkpoint as checkpoint, data as data,
        deterministic as deterministic, dlpack as dlpack, flop_counter as flop_counter, hooks as hooks,
        model_zoo as model_zoo, module_tracker as module_tracker, tensorboard as tensorboard,
    )  # fmt: skip
    from minigrad.utils.swap import swap_tensors as swap_tensors

__all__ = [
    "backcompat", "benchmark", "checkpoint", "data", "deterministic", "dlpack", "flop_counter", "hooks", "model_zoo",
    "module_tracker", "swap_tensors", "tensorboard",
]  # fmt: skip

_FILES = {*__all__, "_pytree", "_python_dispatch"} - {"swap_tensors"}
module_getattr(globals(), {**dict.fromkeys(_FILES, ""), "swap": "swap_tensors"})

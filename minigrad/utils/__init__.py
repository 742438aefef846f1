"""What is around training: `data` makes batches, `checkpoint` saves memory, `benchmark` measures."""

from importlib import import_module
from typing import TYPE_CHECKING

from minigrad.hints import missing

if TYPE_CHECKING:
    from minigrad.utils import benchmark as benchmark
    from minigrad.utils import checkpoint as checkpoint
    from minigrad.utils import data as data
    from minigrad.utils import dlpack as dlpack
    from minigrad.utils import hooks as hooks
    from minigrad.utils import model_zoo as model_zoo

__all__ = ["benchmark", "checkpoint", "data", "dlpack", "hooks", "model_zoo"]

if not TYPE_CHECKING:

    def __getattr__(name):
        if name in __all__ or name == "_pytree":
            return import_module(f"minigrad.utils.{name}")
        raise missing(__name__, name)

    def __dir__():
        return sorted({*globals(), *__all__})

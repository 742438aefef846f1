"""PyTorch in miniature, in NumPy, that shows its work."""

from importlib import import_module
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

from minigrad import autograd, nn, optim, random
from minigrad._printing import printoptions, set_printoptions
from minigrad.autograd import enable_grad, inference_mode, no_grad, set_grad_enabled
from minigrad.autograd.anomaly import is_anomaly_enabled
from minigrad.autograd.modes import is_grad_enabled, is_inference_mode_enabled
from minigrad.dtypes import *  # noqa: F403
from minigrad.functions.creation import *  # noqa: F403
from minigrad.functions.elementwise import *  # noqa: F403
from minigrad.functions.index import *  # noqa: F403
from minigrad.functions.linalg import *  # noqa: F403
from minigrad.functions.nn import relu
from minigrad.functions.reduce import *  # noqa: F403
from minigrad.functions.shape import *  # noqa: F403
from minigrad.hints import missing
from minigrad.random import (
    Generator,
    default_generator,
    fork_rng,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from minigrad.tensor import Size, Tensor, is_tensor
from minigrad.threads import get_num_threads, set_num_threads

if TYPE_CHECKING:
    from minigrad import func
    from minigrad.emit.compiled import compile
    from minigrad.emit.draw import Drawing, draw
    from minigrad.emit.source import source
    from minigrad.emit.summary import summary
    from minigrad.emit.table import tape_table

__version__ = "0.1.0"

newaxis = None

# Names imported one by one; what the modules above list in their own __all__ is exported too.
__all__ = [
    "Drawing", "Generator", "Size", "Tensor", "autograd", "compile", "default_generator", "draw", "e",
    "enable_grad", "fork_rng", "func", "get_num_threads", "get_rng_state", "inf", "inference_mode", "initial_seed",
    "is_anomaly_enabled", "is_grad_enabled", "is_inference_mode_enabled", "is_tensor", "manual_seed", "nan", "newaxis",
    "nn", "no_grad", "optim", "pi", "printoptions", "random", "relu", "seed", "set_grad_enabled",
    "set_num_threads", "set_printoptions", "set_rng_state", "source", "summary", "tape_table",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Loads what not every program needs, when it is first asked for: importing minigrad is to cost little."""
    if name == "func":
        return import_module("minigrad.func")
    places = {
        "Drawing": "draw",
        "draw": "draw",
        "compile": "compiled",
        "source": "source",
        "summary": "summary",
        "tape_table": "table",
    }
    if name not in places:
        raise missing(__name__, name)
    return getattr(import_module(f"minigrad.emit.{places[name]}"), name)

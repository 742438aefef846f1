"""PyTorch in miniature, in NumPy, that shows its work."""

from importlib import import_module
from math import e as e, inf as inf, nan as nan, pi as pi
from types import ModuleType
from typing import TYPE_CHECKING

# To a type checker a package offers what it imports by `*` or `as` itself.
from minigrad import autograd as autograd, nn as nn, optim as optim, random as random
from minigrad._printing import printoptions as printoptions, set_printoptions as set_printoptions
from minigrad.autograd import enable_grad as enable_grad, inference_mode as inference_mode
from minigrad.autograd import no_grad as no_grad, set_grad_enabled as set_grad_enabled
from minigrad.autograd.anomaly import is_anomaly_enabled as is_anomaly_enabled
from minigrad.autograd.modes import is_grad_enabled as is_grad_enabled
from minigrad.autograd.modes import is_inference_mode_enabled as is_inference_mode_enabled
from minigrad.device import device as device
from minigrad.dtypes import *
from minigrad.functions.creation import *
from minigrad.functions.draws import *
from minigrad.functions.elementwise import *
from minigrad.functions.index import *
from minigrad.functions.linalg import *
from minigrad.functions.parts import *
from minigrad.functions.reduce import *
from minigrad.functions.shape import *
from minigrad.functions.table import *
from minigrad.hints import missing as _missing
from minigrad.random import Generator as Generator, default_generator as default_generator
from minigrad.random import fork_rng as fork_rng, get_rng_state as get_rng_state, initial_seed as initial_seed
from minigrad.random import manual_seed as manual_seed, seed as seed, set_rng_state as set_rng_state
from minigrad.tensor import Size as Size, Tensor as Tensor, is_tensor as is_tensor
from minigrad.threads import get_num_threads as get_num_threads, set_num_threads as set_num_threads

__version__ = "0.1.0"

newaxis = None

if TYPE_CHECKING:
    from minigrad import func as func, tape as tape, testing as testing
    from minigrad.compiler import compile as compile
    from minigrad.parts import in_parts as in_parts
    from minigrad.readers.draw import Drawing as Drawing, draw as draw
    from minigrad.readers.source import source as source
    from minigrad.readers.summary import summary as summary
    from minigrad.readers.table import tape_table as tape_table
else:
    __all__ = [
        name
        for name, value in globals().items()
        if name not in ("TYPE_CHECKING", "ModuleType", "import_module")
        and not name.startswith("_")
        and (value in (autograd, nn, optim, random) if isinstance(value, ModuleType) else True)
    ]
    __all__ += ["Drawing", "compile", "draw", "func", "in_parts", "source", "summary", "tape_table"]

    def __getattr__(name):
        """Loads what not every program needs, when it is first asked for: importing minigrad is to cost little."""
        if name in ("func", "tape", "testing"):
            return import_module(f"minigrad.{name}")
        places = {
            "Drawing": "readers.draw",
            "draw": "readers.draw",
            "compile": "compiler",
            "in_parts": "parts",
            "source": "readers.source",
            "summary": "readers.summary",
            "tape_table": "readers.table",
        }
        if name not in places:
            raise _missing(__name__, name)
        return getattr(import_module(f"minigrad.{places[name]}"), name)

"""PyTorch in miniature, in NumPy, that shows its work."""

from minigrad import autograd, nn, optim, random
from minigrad._printing import set_printoptions
from minigrad.autograd import enable_grad, inference_mode, no_grad, set_grad_enabled
from minigrad.autograd.anomaly import is_anomaly_enabled
from minigrad.autograd.modes import is_grad_enabled, is_inference_mode_enabled
from minigrad.dtypes import *  # noqa: F403 (the element types)
from minigrad.emit.draw import draw
from minigrad.functions.creation import *  # noqa: F403
from minigrad.functions.elementwise import *  # noqa: F403
from minigrad.functions.index import *  # noqa: F403
from minigrad.functions.linalg import *  # noqa: F403
from minigrad.functions.inplace import foreach_add_ as _foreach_add_
from minigrad.functions.nn import relu
from minigrad.functions.reduce import *  # noqa: F403
from minigrad.functions.shape import *  # noqa: F403
from minigrad.random import Generator, default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from minigrad.tensor import Size, Tensor

__version__ = "0.1.0"

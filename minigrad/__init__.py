"""PyTorch in miniature, in NumPy, that shows its work.

Names are PyTorch's.  `explain`, `source`, `draw` and `tape_table` show how a result was computed and how its gradients
are; `summary` counts; `compile` records a function and replays it; `in_parts` runs a batch in parts.
"""

from importlib import import_module
from math import e as e, inf as inf, nan as nan, pi as pi
from types import ModuleType
from typing import TYPE_CHECKING

# Before `tensor`, the function, which has the name of the package.
import minigrad.tensor as _package  # noqa: F401

# To a type checker a package offers what it imports by `*` or `as` itself.
from minigrad import autograd as autograd
from minigrad.autograd import enable_grad as enable_grad, inference_mode as inference_mode
from minigrad.autograd import no_grad as no_grad, set_grad_enabled as set_grad_enabled
from minigrad.autograd.grad_mode import is_grad_enabled as is_grad_enabled
from minigrad.autograd.grad_mode import is_inference_mode_enabled as is_inference_mode_enabled
from minigrad.device import device as device
from minigrad.dtypes import *
from minigrad.functions.creation import *
from minigrad.functions.elementwise import *
from minigrad.functions.index import *
from minigrad.functions.linalg import *
from minigrad.functions.reduce import *
from minigrad.functions.shape import *
from minigrad.hints import missing as _missing
from minigrad.tensor import Size as Size, Tensor as Tensor, is_tensor as is_tensor

__version__ = "0.1.0"

newaxis = None

if TYPE_CHECKING:
    from minigrad import __config__ as __config__
    from minigrad import (
        accelerator as accelerator,
        amp as amp,
        backends as backends,
        cpu as cpu,
        cuda as cuda,
    )
    from minigrad.control import *
    from minigrad.cpu import get_device_module as get_device_module
    from minigrad.cuda import OutOfMemoryError as OutOfMemoryError
    from minigrad import compiler as compiler, multiprocessing as multiprocessing, storage as storage
    from minigrad import distributed as distributed, distributions as distributions, onnx as onnx
    from minigrad import (
        fft as fft,
        func as func,
        fx as fx,
        hub as hub,
        linalg as linalg,
        masked as masked,
        mps as mps,
        nn as nn,
        optim as optim,
        overrides as overrides,
        profiler as profiler,
        quasirandom as quasirandom,
        random as random,
    )
    from minigrad import serialization as serialization, signal as signal, sparse as sparse
    from minigrad import special as special, tape as tape, testing as testing
    from minigrad import utils as utils, version as version, xpu as xpu
    from minigrad._printing import printoptions as printoptions, set_printoptions as set_printoptions
    from minigrad.amp.autocast_mode import autocast as autocast, clear_autocast_cache as clear_autocast_cache
    from minigrad.amp.autocast_mode import get_autocast_dtype as get_autocast_dtype
    from minigrad.amp.autocast_mode import is_autocast_cache_enabled as is_autocast_cache_enabled
    from minigrad.amp.autocast_mode import is_autocast_enabled as is_autocast_enabled
    from minigrad.amp.autocast_mode import get_autocast_cpu_dtype as get_autocast_cpu_dtype
    from minigrad.amp.autocast_mode import get_autocast_gpu_dtype as get_autocast_gpu_dtype
    from minigrad.amp.autocast_mode import is_autocast_cpu_enabled as is_autocast_cpu_enabled
    from minigrad.amp.autocast_mode import set_autocast_cache_enabled as set_autocast_cache_enabled
    from minigrad.amp.autocast_mode import set_autocast_cpu_dtype as set_autocast_cpu_dtype
    from minigrad.amp.autocast_mode import set_autocast_cpu_enabled as set_autocast_cpu_enabled
    from minigrad.amp.autocast_mode import set_autocast_dtype as set_autocast_dtype
    from minigrad.amp.autocast_mode import set_autocast_enabled as set_autocast_enabled
    from minigrad.amp.autocast_mode import set_autocast_gpu_dtype as set_autocast_gpu_dtype
    from minigrad.amp.grad_scaler import GradScaler as GradScaler
    from minigrad.autograd.anomaly_mode import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
    from minigrad.autograd.anomaly_mode import is_anomaly_enabled as is_anomaly_enabled
    from minigrad.compiler import compile as compile
    from minigrad.formats import *
    from minigrad.func import vmap as vmap
    from minigrad.nn.torch_forms import *
    from minigrad.parts import in_parts as in_parts
    from minigrad.functions.table import *
    from minigrad.functions.table import (  # written out there: editors take the first star that has a name
        all as all, amax as amax, amin as amin, any as any, argmax as argmax, argmin as argmin,
        cumprod as cumprod, cumsum as cumsum, empty as empty, empty_like as empty_like, ones as ones,
        ones_like as ones_like, std as std, std_mean as std_mean, var as var, var_mean as var_mean,
        zeros as zeros, zeros_like as zeros_like,
    )  # fmt: skip
    from minigrad.random import Generator as Generator, default_generator as default_generator
    from minigrad.random import fork_rng as fork_rng, get_rng_state as get_rng_state
    from minigrad.random import initial_seed as initial_seed, manual_seed as manual_seed, seed as seed
    from minigrad.random import set_rng_state as set_rng_state
    from minigrad.readers.draw import Drawing as Drawing, draw as draw
    from minigrad.readers.explain import explain as explain
    from minigrad.readers.source import source as source
    from minigrad.readers.summary import summary as summary
    from minigrad.readers.table import tape_table as tape_table
    from minigrad.serialization import load as load, save as save
    from minigrad.settings import *
    from minigrad.storage import *
    from minigrad.threads import get_num_threads as get_num_threads, set_num_threads as set_num_threads
else:
    # What not every program needs is loaded, or made, when it is first asked for: the time to import minigrad is not to
    # grow with what there is. Modules, and the modules of single names:
    from minigrad.functions import lookup as _lookup

    _MODULES = (
        "__config__", "__future__", "accelerator", "amp", "backends", "compiler", "cpu", "cuda", "distributed",
        "distributions", "fft", "func", "futures", "fx", "gradcheck", "hub", "jit", "library", "linalg", "masked",
        "mps", "multiprocessing", "nn", "onnx", "optim", "overrides", "profiler", "quasirandom", "random",
        "serialization", "signal", "sparse", "special", "storage", "tape", "testing", "threads", "types", "utils",
        "version", "xpu",
    )  # fmt: skip
    # Modules that PyTorch has under another name, and loads with itself.
    _ELSEWHERE = {
        "_VF": "standin._VF",
        "_jit_internal": "standin.annotations",
        "_tensor": "standin._utils",
        "_tensor_str": "_printing",
        "_utils": "standin._utils",
        "_vmap_internals": "func.batching",
        "torch_version": "standin.torch_version",
    }
    _PLACES = {
        name: place
        for place, names in {
            "_printing": "printoptions set_printoptions",
            "amp.autocast_mode": "autocast clear_autocast_cache get_autocast_dtype is_autocast_cache_enabled "
            "is_autocast_enabled get_autocast_cpu_dtype get_autocast_gpu_dtype is_autocast_cpu_enabled "
            "set_autocast_cache_enabled set_autocast_cpu_dtype set_autocast_cpu_enabled "
            "set_autocast_dtype set_autocast_enabled set_autocast_gpu_dtype",
            "amp.grad_scaler": "GradScaler",
            "autograd.anomaly_mode": "is_anomaly_check_nan_enabled is_anomaly_enabled",
            "compiler": "compile",
            "compiler.names": "_disable_dynamo",
            "functions.draws": "_sample_dirichlet _standard_gamma",
            "control": "cond sym_float sym_int sym_ite sym_max sym_min sym_not sym_sqrt sym_sum while_loop",
            "cpu": "get_device_module",
            "cuda": "OutOfMemoryError",
            "formats": "channels_last channels_last_3d contiguous_format jagged layout legacy_contiguous_format "
            "memory_format preserve_format sparse_bsc sparse_bsr sparse_coo sparse_csc sparse_csr strided",
            "func": "vmap",
            "futures": "Future",
            "parts": "in_parts",
            "random": "Generator default_generator fork_rng get_rng_state initial_seed manual_seed seed set_rng_state",
            "readers.draw": "Drawing draw",
            "readers.explain": "explain",
            "readers.source": "source",
            "readers.summary": "summary",
            "readers.table": "tape_table",
            "serialization": "load save",
            "nn.torch_forms": "adaptive_max_pool1d batch_norm bilinear binary_cross_entropy_with_logits conv_tbc "
            "cosine_embedding_loss cosine_similarity ctc_loss embedding group_norm gru_cell "
            "hinge_embedding_loss instance_norm kl_div layer_norm lstm_cell margin_ranking_loss "
            "max_pool1d_with_indices norm_except_dim pairwise_distance poisson_nll_loss rms_norm "
            "rnn_relu_cell rnn_tanh_cell triplet_margin_loss",
            "settings": "are_deterministic_algorithms_enabled get_deterministic_debug_mode "
            "get_float32_matmul_precision get_num_interop_threads is_deterministic_algorithms_warn_only_enabled "
            "is_warn_always_enabled set_deterministic_debug_mode set_float32_matmul_precision set_flush_denormal "
            "set_num_interop_threads set_warn_always use_deterministic_algorithms",
            "functions.segments": "_segment_reduce",
            "sparse.making": "_convert_indices_from_coo_to_csr _convert_indices_from_csr_to_coo",
            "standin._VF": "_log_softmax _pack_padded_sequence _pad_packed_sequence _shape_as_tensor _softmax _unique2 "
            "_weight_norm convolution embedding_bag frobenius_norm gru lstm nuclear_norm rnn_relu rnn_tanh",
            "standin.claims": "_assert _assert_async _check _check_index _check_is_size _check_not_implemented "
            "_check_tensor_all _check_type _check_value _check_with _has_compatible_shallow_copy_type",
            "standin.switches": "_dynamo _inductor _logging",
            "storage": "TypedStorage UntypedStorage is_storage",
            "threads": "get_num_threads set_num_threads",
        }.items()
        for name in names.split()
    }
    __all__ = [
        name
        for name, value in globals().items()
        if name not in ("TYPE_CHECKING", "ModuleType", "import_module")
        and not name.startswith("_")
        and (value is autograd or not isinstance(value, ModuleType))
    ]
    __all__ += ["func", "linalg", "nn", "optim", "random", "special", "utils"]
    __all__ += [*(name for name in _PLACES if not name.startswith("_")), *sorted(_lookup.FUNCTIONS)]

    def __getattr__(name):
        """Loads or makes what is asked for the first time; then it is here."""
        if name in _MODULES or name in _ELSEWHERE:
            return import_module(f"minigrad.{_ELSEWHERE.get(name, name)}")
        if name in _PLACES:
            value = getattr(import_module(f"minigrad.{_PLACES[name]}"), name)
        elif name in _lookup.FUNCTIONS:
            value = _lookup.function(name)
        elif (
            name.startswith("_foreach_")
            and name in (foreach := import_module("minigrad.functions.foreach")).NAMES
        ):
            value = foreach.made(name)
        else:
            raise _missing("minigrad", name)
        # Two threads may ask for it at once; both get one object.
        return globals().setdefault(name, value)

    def __dir__():
        return sorted({*globals(), *__all__, *_MODULES})

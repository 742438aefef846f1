"""What the names in a pickle of PyTorch's stand for: all that a file may name, and what minigrad writes of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad import dtypes
from minigrad.dtypes import NumpyType


class Callee(NamedTuple):
    """A function or class that a file may call: only its name, by which the reader picks code of its own."""

    name: str


class StorageType(NamedTuple):
    """The class of a storage, which tells the dtype of its elements; None where each is a byte."""

    of: dtypes.dtype | None

    @property
    def dtype(self) -> NumpyType | None:
        """That of NumPy. ImportError for bfloat16 without the package ml_dtypes."""
        return None if self.of is None else self.of.numpy


TENSOR = Callee("torch._utils _rebuild_tensor_v2")
PARAMETER = Callee("torch._utils _rebuild_parameter")
PARAMETER_WITH_STATE = Callee("torch._utils _rebuild_parameter_with_state")
SPARSE = Callee("torch._utils _rebuild_sparse_tensor")
LAYOUT = Callee("torch.serialization _get_layout")
WITH_ATTRIBUTES = Callee("torch._tensor _rebuild_from_type_v2")
TENSOR_CLASS = Callee("torch Tensor")
PARAMETER_CLASS = Callee("torch.nn.parameter Parameter")
SIZE = Callee("torch Size")
DEVICE = Callee("torch device")
ORDERED_DICT = Callee("collections OrderedDict")
COUNTER = Callee("collections Counter")
BYTES = Callee("_codecs encode")
NO_BYTES = Callee("__builtin__ bytes")
# Pickles of protocol 2 call `builtins` by its name in Python 2.
SET = Callee("__builtin__ set")
BYTEARRAY = Callee("__builtin__ bytearray")
COMPLEX = Callee("__builtin__ complex")
# NumPy's pickles make an empty array first, and fill it as they do the attributes of an object.
ARRAY = Callee("numpy._core.multiarray _reconstruct")
ARRAY_CLASS = Callee("numpy ndarray")
ARRAY_TYPE = Callee("numpy dtype")
SCALAR = Callee("numpy._core.multiarray scalar")
# Files with more than weights have these too.
DEFAULT_DICT = Callee("collections defaultdict")
DEQUE = Callee("collections deque")
FROZEN_SET = Callee("__builtin__ frozenset")
RANGE = Callee("__builtin__ xrange")
SLICE = Callee("__builtin__ slice")
SIMPLE_NAMESPACE = Callee("types SimpleNamespace")
PATH = Callee("pathlib PosixPath")
PARTIAL = Callee("functools partial")
VERSION = Callee("torch.torch_version TorchVersion")
MOMENTS = [Callee(f"datetime {kind}") for kind in ("datetime", "date", "time", "timedelta")]
# PyTorch's functions, and classes in classes, are named by a call of this.
ATTRIBUTE = Callee("__builtin__ getattr")
FUNCTIONS = Callee("torch._C _VariableFunctionsClass")
FACTORIES = {kind: Callee(f"__builtin__ {kind.__name__}") for kind in (dict, list, set, int, float, str)}
# The kinds of elements that arrays in a file may have: those that are plain bytes.
ARRAY_KINDS = "biufcSU"

ALLOWED: dict[str, Any] = {
    **{callee.name: callee for callee in (
        TENSOR, SPARSE, LAYOUT, PARAMETER, PARAMETER_WITH_STATE, WITH_ATTRIBUTES, TENSOR_CLASS, PARAMETER_CLASS, SIZE,
        DEVICE, ORDERED_DICT, COUNTER, BYTES, NO_BYTES, SET, BYTEARRAY, COMPLEX, ARRAY, ARRAY_CLASS, ARRAY_TYPE, SCALAR,
    )},
    "numpy.core.multiarray _reconstruct": ARRAY, "numpy.core.multiarray scalar": SCALAR,
    "torch._utils _rebuild_tensor": TENSOR,
    "builtins set": SET, "builtins bytes": NO_BYTES, "builtins bytearray": BYTEARRAY, "builtins complex": COMPLEX,
    **{f"torch {name}Storage": StorageType(d) for d, name in dtypes.IN_CLASSES.items()},
    "torch.storage UntypedStorage": StorageType(None),
    **{f"torch {d.name}": d for d in vars(dtypes).values() if isinstance(d, dtypes.dtype)},
}  # fmt: skip

# What `load` takes besides where it is asked for more than weights.
MORE: dict[str, Callee] = {
    **{callee.name: callee for callee in (
        DEFAULT_DICT, DEQUE, FROZEN_SET, RANGE, SLICE, SIMPLE_NAMESPACE, ATTRIBUTE, FUNCTIONS, *FACTORIES.values(),
        PARTIAL, VERSION, *MOMENTS,
    )},
    **{f"{home} {system}Path": PATH for home in ("pathlib", "pathlib._local") for system in ("Posix", "Windows")},
}  # fmt: skip


def modern(name: str) -> str:
    """The name in Python 3, which pickles of its own protocols have, of what is built into Python."""
    return name.replace("__builtin__ x", "builtins ").replace("__builtin__ ", "builtins ")


MORE.update({modern(name): callee for name, callee in MORE.items()})

# What PyTorch's files may have and minigrad has no place for, by words in the name.
ELSEWHERE = {
    "complex32": "the element type complex32",
    "q": "quantised Tensors", "per_": "quantised Tensors", "nested": "nested Tensors",
    "float8": "element types of 8 bits", "meta": "Tensors without values", "uint16": "the element type uint16",
    "uint32": "the element type uint32", "uint64": "the element type uint64", "tensor_v3": "rarer element types",
    "subclass": "subclasses of Tensor",
}  # fmt: skip


def elsewhere(name: str) -> str | None:
    """What of PyTorch's that minigrad lacks a name stands for; None if it is not such a name."""
    home, _, last = name.partition(" ")
    if home.partition(".")[0] != "torch":
        return None
    plain = last.lower().removeprefix("_rebuild_")
    for word, what in ELSEWHERE.items():
        if plain.startswith(word) or (len(word) > 4 and word in plain):
            return what
    return None

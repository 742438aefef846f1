"""Kinds of arguments, as annotations name them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.core.tensor import Tensor
from minigrad.dtypes import as_numpy, dtype
from minigrad.errors import not_implemented_error


class Kind(NamedTuple):
    """What an annotation allows: how an error calls it, and whether a value is it."""

    text: str
    holds: Callable[[Any], bool]


def _is_int(x: Any) -> bool:
    if isinstance(x, Tensor):  # of any shape, as `operator.index` takes it
        return x._array.size == 1 and x._array.dtype.kind in "iu"
    if isinstance(x, np.ndarray):
        return x.ndim == 0 and x.dtype.kind in "iu"
    return hasattr(x.__class__, "__index__") and not isinstance(x, (bool, np.bool_))


def _is_number(x: Any) -> bool:
    plain = isinstance(x, (int, float, np.bool_, np.integer, np.floating))
    return plain or (isinstance(x, Tensor) and x._array.ndim == 0)


def is_boxed(x: Any) -> bool:
    """Whether a number stands in a Tensor or is NumPy's."""
    return isinstance(x, np.generic) or (isinstance(x, Tensor) and x._array.size == 1)


def _is_dtype(x: Any) -> bool:
    if isinstance(x, dtype):
        return True  # also one that Tensors do not have, of which the function tells
    try:
        as_numpy(x)
    except TypeError:
        return False
    return True


def _is_generator(x: Any) -> bool:
    from minigrad.random import Generator

    return isinstance(x, Generator)


def _all(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda x: isinstance(x, (tuple, list)) and all(map(holds, x))


KINDS = {
    "Tensor": Kind("Tensor", lambda x: isinstance(x, Tensor)),
    "Sequence[Tensor]": Kind("tuple of Tensors", _all(lambda x: isinstance(x, Tensor))),
    "int": Kind("int", _is_int),
    "place": Kind("int", lambda x: _is_int(x) and getattr(x, "ndim", 0) == 0),
    "Sequence[int]": Kind("tuple of ints", _all(_is_int)),
    "Dim": Kind("int, tuple of ints or None", lambda x: x is None or _is_int(x) or _all(_is_int)(x)),
    "float": Kind("float", _is_number),
    **dict.fromkeys(
        ("Number", "NumberLike", "np.generic"),
        Kind("Number", lambda x: _is_number(x) or isinstance(x, complex)),  # which the functions refuse
    ),
    "bool": Kind("bool", lambda x: isinstance(x, (bool, np.bool_))),
    "str": Kind("str", lambda x: isinstance(x, str)),
    "None": Kind("None", lambda x: x is None),
    "DType": Kind("minigrad.dtype", _is_dtype),
    "Generator": Kind("minigrad.Generator", _is_generator),
    "Device": Kind("str or minigrad.device", lambda x: isinstance(x, str) or type(x).__name__ == "device"),
}
# What parameters of these names are, whatever their annotation, unless it has an int.
BY_NAME = {
    "dtype": "DType | None",
    "device": "Device | None",
    "generator": "Generator | None",
    "requires_grad": "bool",
    "size": "Sequence[int] | None",
    "fill_value": "Number",
}
# PyTorch takes a Tensor of one whole number for a size whatever its shape, for anything else only without dimensions:
# parameters of these names, and all of these functions.
PLACES = frozenset([
    "axis", "axis0", "axis1", "bins", "blank", "chunks", "col", "correction", "decimals", "dim", "dim0", "dim1",
    "dim2", "dimension", "downscale_factor", "edge_order", "end_dim", "hop_length", "n_fft", "num_classes",
    "num_groups", "offset", "p", "r", "row", "start_dim", "steps", "upscale_factor", "win_length", "window_length",
])  # fmt: skip
WITHOUT_SIZES = frozenset([
    "diag", "diff", "fftfreq", "istft", "matrix_power", "polygamma", "polygamma_", "rfftfreq", "rot90", "unfold",
    "unfold_copy", "vander",
])  # fmt: skip
# Flags that PyTorch hands on to what it wrote in C, which takes nothing but a bool.
STRICT = frozenset({
    "align_corners", "batch_first", "ceil_mode", "count_include_pad", "include_last_offset", "is_causal", "log_input",
    "log_target", "scale_grad_by_freq", "sparse", "training", "use_input_stats", "zero_infinity",
})  # fmt: skip


@functools.cache
def kind_of(annotation: str) -> Kind | None:
    """The kind that an annotation names; None if it says nothing that can be checked."""
    parts = [KINDS.get(part) for part in annotation.split(" | ")]
    kinds = [part for part in parts if part is not None]
    if len(kinds) < len(parts):
        return None
    text = " or ".join(dict.fromkeys(kind.text for kind in kinds))
    return kinds[0] if len(kinds) == 1 else Kind(text, lambda x: any(kind.holds(x) for kind in kinds))


def of_parameter(function: str, name: str, annotation: str, many: bool) -> Kind | None:
    """The kind of a parameter of a function; of each of ``many``."""
    if annotation in ("int", "int | None") and (name in PLACES or function in WITHOUT_SIZES):
        return kind_of(annotation.replace("int", "place"))
    # the size of a window is not a shape, and `Tensor.type` takes more than dtypes
    plain = many or "int" in annotation or annotation == "TypeLike | None"
    return kind_of(annotation if plain else BY_NAME.get(name) or annotation)


# ---------------------------------------------------------------- functions with arguments of their own

_MAKERS = frozenset([
    "arange", "empty", "empty_like", "eye", "full", "full_like", "linspace", "logspace", "ones", "ones_like", "rand",
    "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "zeros", "zeros_like",
])  # fmt: skip
_LIKE = frozenset(["new_empty", "new_full", "new_ones", "new_tensor", "new_zeros"])
_OTHERS = frozenset([
    "bartlett_window", "blackman_window", "empty_permuted", "empty_strided", "fftfreq", "hamming_window",
    "hann_window", "kaiser_window", "new_empty_strided", "normal", "range", "rfftfreq", "scalar_tensor", "tril_indices",
    "triu_indices",
])  # fmt: skip
# Functions that take two numbers and no Tensor, as PyTorch's do.
OF_NUMBERS = frozenset([
    "add", "div", "divide", "floor_divide", "mul", "multiply", "sub", "subtract", "true_divide",
])  # fmt: skip
# Functions that once took their numbers by place, as in ``p.add_(-lr, grad)``.
NUMBERS_FIRST = frozenset(["add", "addbmm", "addcdiv", "addcmul", "addmm", "addmv", "addr", "baddbmm", "sub"])
# Functions whose last argument, a list of whole numbers, may come one by one too, as in ``x.squeeze(0, 1)``.
ONE_BY_ONE = frozenset(["count_nonzero", "dsplit", "hsplit", "squeeze", "vsplit"])
# Arguments that say nothing here, and the functions that take them in PyTorch.
IDLE = {"layout": _MAKERS | _LIKE | _OTHERS, "pin_memory": _MAKERS | _LIKE | _OTHERS | {"tensor"}}


def says_nothing(name: str, value: Any) -> bool:
    """Whether an argument of PyTorch's asks for what is so here anyway: the layout, not pinned."""
    from minigrad.formats import layout, strided

    if isinstance(value, layout) and value is not strided:
        raise not_implemented_error(
            f"what is made has the layout strided here, not {value}; use .to_sparse()"
        )
    return value is False if name == "pin_memory" else value is None or isinstance(value, layout)


# NumPy's and PyTorch's other names of a parameter, as PyTorch takes them.
ALIASES = {
    "axis": "dim",
    "keepdims": "keepdim",
    "x": "input",
    "a": "input",
    "x1": "input",
    "x2": "other",
    "axis0": "dim0",
    "axis1": "dim1",
    "split_size": "split_size_or_sections",
    "sections": "indices_or_sections",
    "indices": "indices_or_sections",
    "tensor_indices_or_sections": "indices_or_sections",
    "element": "elements",
    "test_element": "test_elements",
    "input2": "L",
    "b": "B",
}
RENAMED = frozenset(ALIASES.values())
# What PyTorch's documentation calls the first Tensor, in functions that take it as ``input``.
FIRST = frozenset(["self", "t", "tensor", "A", "L", "x", "b"])

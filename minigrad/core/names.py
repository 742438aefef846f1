"""PyTorch's names of records, where they are not those of the ops: `Facts.grad_fn`, as functions of a node."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Naming = Callable[[Any], str]
# PyTorch's engine has these itself, and their names are those of C++.
_OF_ENGINE = ("AccumulateGrad", "CopyBackwards", "CopySlices")


@functools.cache
def class_named(name: str, base: type) -> type:
    """A class of records with the name that PyTorch's has: programs that draw graphs print ``type(fn).__name__``."""
    return type(name, (base,), {"__slots__": (), "__module__": "builtins", "__doc__": base.__doc__})


def in_full(title: str) -> str:
    """What a record's ``name()`` is, by the name of its class."""
    return f"torch::autograd::{title}" if title in _OF_ENGINE else title


class Step:
    """A record that PyTorch has and minigrad does not, for those who follow ``next_functions``."""

    __slots__ = ("_name", "inputs")

    def __init__(self, name: str, *inputs: Any) -> None:
        self._name, self.inputs = name, inputs

    def shown(self) -> Step:
        """Itself, of a class with PyTorch's name."""
        self.__class__ = class_named(self._name, Step)
        return self

    def name(self) -> str:
        return in_full(self._name)

    @property
    def requires_grad(self) -> bool:
        return any(n.requires_grad for n in self.inputs)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        return tuple((n.shown() if n.requires_grad else None, 0) for n in self.inputs)

    def __repr__(self) -> str:
        return f"<{self._name}>"


def _is_number(n: Any) -> bool:
    return not hasattr(n, "seq")  # a `Const`


def of_dims(stem: str) -> Naming:
    """0 of all elements, 1 along dimensions."""
    return lambda node: f"{stem}Backward{int(node.params['dim'] is not None)}"


def of_number(stem: str, at: int, number: int) -> Naming:
    """``number`` where input ``at`` is a Python number; of two Tensors the other one of 0 and 1."""
    return lambda node: f"{stem}Backward{number if _is_number(node.inputs[at]) else 1 - number}"


def of_prod(node: Any) -> str:
    """Of all elements it is the product of them in a row."""
    return f"ProdBackward{int(len(node.inputs[0].shape) > 1)}"


def of_sub(node: Any) -> str:
    return "RsubBackward1" if _is_number(node.inputs[0]) else "SubBackward0"


def of_pow(node: Any) -> str:
    return "PowBackward2" if _is_number(node.inputs[0]) else "PowBackward1"


def of_round(node: Any) -> str:
    return f"RoundBackward{int(node.params['decimals'] != 0)}"


def of_matmul(node: Any) -> str:
    """By the dimensions of the factors; products in batches are reshaped ones in PyTorch.

    Of a matrix (or a batch of just one) that needs a gradient and a batch it is the transpose of a product of two
    matrices, laid out anew.
    """
    a, b = (len(n.shape) for n in node.inputs)
    alone = a == b == 3 and node.inputs[0].shape[0] == 1 != node.inputs[1].shape[0]
    if (alone or a == 2 < b) and node.inputs[0].requires_grad:
        return "TransposeBackward0" if 1 in node.shape[-2:] else "CloneBackward0"
    return {(2, 2): "MmBackward0", (2, 1): "MvBackward0", (1, 1): "DotBackward0"}.get(
        (a, b), "UnsafeViewBackward0"
    )


def of_linear(node: Any) -> str:
    return "AddmmBackward0" if len(node.shape) == 2 else "ViewBackward0"


def edges_of_linear(node: Any) -> tuple[Any, ...]:
    """Those of ``addmm(b, x, w.t())``, in batches between views."""
    x, w, b = node.inputs
    if len(node.shape) == 2:
        return b, x, Step("TBackward0", w)
    return (Step("AddmmBackward0", b, Step("ViewBackward0", x), Step("TBackward0", w)),)


def edges_without_number(at: int) -> Callable[[Any], tuple[Any, ...]]:
    """Of functions that PyTorch has with a number for input ``at``, which is not an edge then."""
    return lambda node: tuple(n for i, n in enumerate(node.inputs) if i != at or not _is_number(n))


def ends(edges: Iterable[Any]) -> Iterator[Any]:
    """The records of edges, without the steps that only PyTorch has."""
    for n in edges:
        yield from ends(n.inputs) if isinstance(n, Step) else (n,)


def known_as(name: str, y: Any) -> Any:
    """The result of one record, which has PyTorch's name of the function that made it."""
    node = y._node
    if node is not None:
        node.outer = name, node.seq
    return y


def of_slice(node: Any) -> str:
    """By what stands last between the brackets and is not all of a dimension."""
    index, name, d = node.params["index"], "AliasBackward0", 0
    if len(index) == 1 and isinstance(index[0], slice):
        return "SliceBackward0"
    for k in index:
        if k is None:
            name = "UnsqueezeBackward0"
            continue
        if not isinstance(k, slice):
            name = "SelectBackward0"
        elif k.indices(size := node.inputs[0].shape[d]) != (0, size, 1):
            name = "SliceBackward0"
        d += 1
    return name


def of_triangle(node: Any) -> str:
    return "TriuBackward0" if node.params["upper"] else "TrilBackward0"


def of_standardize(node: Any) -> str:
    return f"Native{'Batch' if 0 in node.params['dim'] else 'Layer'}NormBackward0"


def of_channel_norm(node: Any) -> str:
    return f"Native{'Group' if node.params['groups'] else 'Batch'}NormBackward0"


def of_max_pool(node: Any) -> str:
    """One dimension is pooled as two by PyTorch."""
    plans = node.params["plans"]
    rank = max(len(plans), 2)
    if plans[0][0] == "adaptive":
        return f"AdaptiveMaxPool{rank}DBackward0"
    return f"MaxPool{rank}DWithIndicesBackward0"


def of_resample(node: Any) -> str:
    """Averages over windows, and interpolation."""
    plans = node.params["plans"]
    rank, kind = len(plans), plans[0][0]
    if kind == "mean":
        return f"AvgPool{max(rank, 2)}DBackward0"
    if kind == "adaptive":
        return f"AdaptiveAvgPool{max(rank, 2)}DBackward0"
    if kind.startswith("nearest"):
        return f"UpsampleNearest{'Exact' if kind != 'nearest' else ''}{rank}DBackward0"
    mode = "Bicubic" if kind.startswith("cubic") else ("Linear", "Bilinear", "Trilinear")[rank - 1]
    return f"Upsample{mode}{rank}D{'Aa' if kind.endswith('wide') else ''}Backward0"

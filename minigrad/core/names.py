"""PyTorch's names of records, where they are not those of the ops: `Facts.grad_fn`, as functions of a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Naming = Callable[[Any], str]


class Step:
    """A record that PyTorch has and minigrad has not, for those who follow ``next_functions``."""

    __slots__ = ("_name", "inputs")

    def __init__(self, name: str, *inputs: Any) -> None:
        self._name, self.inputs = name, inputs

    def name(self) -> str:
        return self._name

    @property
    def requires_grad(self) -> bool:
        return any(n.requires_grad for n in self.inputs)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        return tuple((n if n.requires_grad else None, 0) for n in self.inputs)

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
    """By the dimensions of the factors; products in batches are reshaped ones in PyTorch."""
    a, b = (len(n.shape) for n in node.inputs)
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


def of_reshape(node: Any) -> str:
    """That of unsqueeze or squeeze where dimensions of size 1 are all that came or went."""
    before, after = node.inputs[0].shape, node.shape
    if _adds_one(before, after):
        return "UnsqueezeBackward0"
    if _adds_one(after, before):
        return "SqueezeBackward1"
    if len(after) < len(before) and tuple(n for n in before if n != 1) == tuple(after):
        return "SqueezeBackward0"
    return "ViewBackward0"


def _adds_one(less: Any, more: Any) -> bool:
    if len(more) != len(less) + 1:
        return False
    less, more = tuple(less), tuple(more)
    return any(n == 1 and more[:d] + more[d + 1 :] == less for d, n in enumerate(more))


def of_permute(node: Any) -> str:
    """That of transpose where two of three or more dimensions change places; a matrix may be ``.T``."""
    axes = node.params["axes"]
    moved = sum(a != d for d, a in enumerate(axes))
    return "TransposeBackward0" if moved == 2 and len(axes) > 2 else "PermuteBackward0"


def of_slice(node: Any) -> str:
    """By what stands last between the brackets and is not all of a dimension."""
    index = node.params["index"]
    for k in reversed(index):
        if k is None:
            return "UnsqueezeBackward0"
        if k is not Ellipsis and not isinstance(k, slice):
            return "SelectBackward0"
        if isinstance(k, slice) and k != slice(None):
            break
    return "SliceBackward0" if any(isinstance(k, slice) for k in index) else "AliasBackward0"


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

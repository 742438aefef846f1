"""Orders under PyTorch's names: sorting, medians and quantiles, places in sorted rows.

Equal elements keep their order, and nan counts as larger than any number. A dimension out of range raises
IndexError.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, cast, needs_value
from minigrad.core.basic import in_memory
from minigrad.core.promote import number as wrapped
from minigrad.core.tensor import Tensor, ValuesAndIndices, wrap
from minigrad.core.types import Number
from minigrad.errors import index_error, not_implemented_error, runtime_error, type_error
from minigrad.functions.dims import one_dim
from minigrad.functions.elementwise import dropped, lerp, own, where
from minigrad.functions.index import gather
from minigrad.gate import case, public
from minigrad.kernels.order import by_steps
from minigrad.ops import index
from minigrad.ops import sorting as ops

__all__ = [
    "argsort", "bucketize", "cummax", "cummin", "isin", "kthvalue", "logcumsumexp", "median", "mode", "msort",
    "nanmedian", "nanquantile", "quantile", "searchsorted", "sort", "topk",
]  # fmt: skip


# A class for each, which prints its name, and by which pickles find it.
_KINDS: dict[str, Any] = {
    name: type(f"_{name.title()}", (ValuesAndIndices,), {"__slots__": (), "__module__": __name__})
    for name in ("sort", "topk", "kthvalue", "median", "nanmedian", "mode", "cummax", "cummin")
}
globals().update({kind.__name__: kind for kind in _KINDS.values()})


def _taken(name: str, input: Tensor, d: int, indices: Tensor) -> Any:
    return _KINDS[name](apply(index.gather, (input, indices), {"dim": d}), indices)


def _dropped(pair: Any, d: int, keepdim: bool) -> Any:
    if keepdim or not pair.values._array.ndim:
        return pair
    return type(pair)(dropped(pair.values, d), dropped(pair.indices, d))


# ---------------------------------------------------------------- sorting


def sort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool | None = None
) -> ValuesAndIndices:
    """The elements in increasing order along ``dim``, and their places (int64). Equal elements keep their order."""
    order = argsort(input, dim, descending)
    values = apply(index.gather, (input, order), {"dim": one_dim(dim, input._array.ndim)})
    return _KINDS["sort"](_laid_as(input, values), order)


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The places (int64) of the elements in increasing order along ``dim``. Always stable."""
    params = {"dim": one_dim(dim, input._array.ndim), "descending": descending}
    return _laid_as(input, apply(ops.argsort, (input,), params))


def _laid_as(input: Tensor, y: Tensor) -> Tensor:
    """A result that lies row by row, in the order of ``input``."""
    if input._array.flags.c_contiguous:
        return y
    axes = by_steps(input._array)
    return y if axes == tuple(range(len(axes))) else apply(in_memory, (y,), {"axes": axes})


def msort(input: Tensor) -> Tensor:
    """The elements in increasing order along the first dimension."""
    return sort(input, 0).values


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesAndIndices:
    """The ``k`` largest elements (or smallest) along ``dim``, in order if ``sorted``, and their places (int64).

    Of equal elements it takes those that PyTorch takes. RuntimeError where there are fewer than ``k``.
    """
    d = one_dim(dim, input._array.ndim)
    if not 0 <= k <= (input._array.shape[d] if input._array.ndim else 1):
        raise runtime_error(
            f"selected index k out of range: k is {k} for a tensor of shape {list(input._array.shape)}"
        )
    if input._array.dtype == bool:
        raise not_implemented_error("\"topk_cpu\" not implemented for 'Bool'")
    order = _first_places(input, int(k), d, largest, sorted)
    return _taken("topk", input, d, order)


def _first_places(input: Tensor, k: int, d: int, largest: bool, sorted: bool) -> Tensor:
    if not input._array.ndim and not k:
        raise runtime_error("selected index k out of range: a 0-dim tensor has one element; k is 0")
    return apply(ops.top_places, (input,), {"k": k, "dim": d, "largest": largest, "sorted": sorted})


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """The ``k``-th smallest element (from 1) along ``dim``, and its place (int64). RuntimeError out of range."""
    d = one_dim(dim, input._array.ndim)
    size = input._array.shape[d] if input._array.ndim else 1
    if not size and input._array.ndim:
        raise index_error(f"kthvalue(): Expected reduction dim {d} to have non-zero size.")
    if not 1 <= k <= size:
        raise runtime_error(f"kthvalue(): selected number k out of range for dimension {d}: {k} of {size}")
    if input._array.dtype == bool:
        raise not_implemented_error("\"kthvalue_cpu\" not implemented for 'Bool'")
    order = apply(ops.kth_place, (input,), {"k": int(k) - 1, "dim": d})
    return _dropped(_taken("kthvalue", input, d, order), d, keepdim)


# ---------------------------------------------------------------- medians, modes, quantiles


@overload
def median(input: Tensor) -> Tensor: ...


@overload
def median(input: Tensor, dim: int, keepdim: bool = False) -> ValuesAndIndices: ...


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | ValuesAndIndices:
    """The lower median of all, or over ``dim`` with its index; nan where there is a nan.

    Over all, equal elements share the gradient; over ``dim`` the element at the place gets it.
    """
    return _middle("median", input, dim, keepdim)


@overload
def nanmedian(input: Tensor) -> Tensor: ...


@overload
def nanmedian(input: Tensor, dim: int, keepdim: bool = False) -> ValuesAndIndices: ...


def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | ValuesAndIndices:
    """`median` of the elements that are not nan."""
    return _middle("nanmedian", input, dim, keepdim)


def _middle(name: str, input: Tensor, dim: int | None, keepdim: bool) -> Tensor | ValuesAndIndices:
    if input._array.dtype == bool:
        raise not_implemented_error(f"\"{name}_out\" not implemented for 'Bool'")
    ignore = name == "nanmedian"
    if dim is None:
        if not input._array.size:
            none = np.nan if input._array.dtype.kind in "fV" else np.iinfo(input._array.dtype).min
            return wrap(np.full((), none, input._array.dtype))
        return apply(ops.median, (input,), {"ignore": ignore})
    d = _some(name, input, dim)
    place = apply(ops.median_place, (input,), {"dim": d, "ignore": ignore})
    return _dropped(_taken(name, input, d, place), d, keepdim)


def _some(name: str, input: Tensor, dim: int) -> int:
    """``dim`` from the front. IndexError where nothing lies along it."""
    d = one_dim(dim, input._array.ndim)
    if input._array.ndim and not input._array.shape[d]:
        raise index_error(f"{name}(): Expected reduction dim {d} to have non-zero size.")
    return d


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """The most frequent element along ``dim`` (the smallest of several), and its last place (int64)."""
    d = _some("mode", input, dim)
    place = apply(ops.mode_place, (input,), {"dim": d})
    return _dropped(_taken("mode", input, d, place), d, keepdim)


_ROUNDINGS: dict[str, Any] = {"nearest": Tensor.round, "lower": Tensor.floor, "higher": Tensor.ceil}


def _quantile(
    name: str, input: Tensor, q: Tensor | float, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear",
) -> Tensor:  # fmt: skip
    x, how, ignore = input._array, interpolation, name == "nanquantile"
    if not x.size:
        raise runtime_error(f"{name}() input tensor must be non-empty")
    if x.dtype not in (np.float32, np.float64):
        raise runtime_error(f"{name}() input tensor must be either float or double dtype")
    if how not in ("linear", "lower", "higher", "nearest", "midpoint"):
        raise runtime_error(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {how}"
        )
    share = q._array if isinstance(q, Tensor) else np.asarray(q, x.dtype)
    if isinstance(q, Tensor):
        needs_value(f"{name}() with a Tensor of shares")
        if share.dtype != x.dtype:
            raise runtime_error(f"{name}() q tensor must be same dtype as the input tensor")
    if share.ndim > 1:
        raise runtime_error(f"{name}() q must be a scalar or 1D tensor")
    if not ((share >= 0) & (share <= 1)).all():
        raise runtime_error(f"{name}() q values must be in the range [0, 1]")
    ndim = x.ndim
    d = 0 if dim is None else one_dim(dim, ndim)
    rows = input.reshape(-1) if dim is None or not ndim else input.movedim(d, -1)
    ordered = sort(rows).values
    nans = ordered.detach().isnan().sum(-1, keepdim=True)
    last = ordered._array.shape[-1] - 1
    counted = ((last - nans).clamp(min=0) if ignore else nans * 0 + last).to(input.dtype)
    rank = (q.reshape(-1) if isinstance(q, Tensor) else wrap(share.reshape(-1))) * counted
    if not ignore:  # one nan makes all of them nan, and the last of them gets the gradient
        rank = where(nans > 0, float(last), rank)
    if how in _ROUNDINGS:
        rank = _ROUNDINGS[how](rank.detach())
    below = rank.detach().floor()
    y = gather(ordered, -1, below.to(dtypes.int64))
    if how in ("linear", "midpoint"):
        weight = rank - below if how == "linear" else below * 0 + 0.5
        y = lerp(y, gather(ordered, -1, rank.detach().ceil().to(dtypes.int64)), weight)
    y = y.movedim(-1, 0) if share.ndim else own(y.squeeze(-1))
    if keepdim:
        shape = [1] * ndim if dim is None else [n if k != d else 1 for k, n in enumerate(x.shape)]
        y = y.reshape([*share.shape, *shape])
    return own(y.contiguous())


quantile = case(_quantile, "quantile", """
    The elements below which shares ``q`` (a number, or a vector, whose dimension comes first) of all lie.

    Between two elements by ``"linear"``, ``"lower"``, ``"higher"``, ``"nearest"`` or ``"midpoint"``.
    """)  # fmt: skip
nanquantile = case(_quantile, "nanquantile", "`quantile` of the elements that are not nan.")


# ---------------------------------------------------------------- running


def _running(name: str, input: Tensor, dim: int) -> ValuesAndIndices:
    d = one_dim(dim, input._array.ndim)
    place = apply(ops.running_place, (input,), {"dim": d, "largest": name == "cummax"})
    y: ValuesAndIndices = _taken(name, input, d, place)
    return y


cummax = case(
    _running, "cummax", "The largest element so far along ``dim``, and its place: the last of equal ones."
)
cummin = case(
    _running, "cummin", "The smallest element so far along ``dim``, and its place: the last of equal ones."
)


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """``log(cumsum(exp(input)))`` along ``dim``, without overflow. NotImplementedError for integers."""
    d = one_dim(dim, input._array.ndim)
    if input._array.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"logcumsumexp_out_cpu\" not implemented for '{dtypes.scalar(input.dtype)}'"
        )
    return apply(ops.logcumsumexp, (input,), {"dim": d})


# ---------------------------------------------------------------- places in a sorted row


def searchsorted(
    sorted_sequence: Tensor, input: Tensor | Number, *, out_int32: bool = False, right: bool = False,
    side: str | None = None, sorter: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Where elements would be put into a sorted row, or into rows with the same leading sizes; int64.

    Before equal elements, or with ``right`` (or ``side="right"``) behind them. ``sorter`` tells the order of a row that
    is not sorted, as `argsort` does. With ``out_int32`` the places are int32. RuntimeError for sizes that do not fit.
    """
    if side not in (None, "left", "right"):
        raise runtime_error(
            f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}".replace("torch.", "")
        )
    if side == "left" and right:
        raise runtime_error("searchsorted(): side and right can't be set to opposites, got side of left")
    if sorter is not None:
        if sorter._array.shape != sorted_sequence._array.shape:
            raise runtime_error("searchsorted(): boundary tensor and sorter must have same size")
        if sorter._array.dtype != np.int64:
            raise runtime_error(
                f"searchsorted(): sorter must be a tensor of long dtype but got {sorter.dtype}"
            )
        sorted_sequence = gather(sorted_sequence, -1, sorter)
    row = sorted_sequence._array
    number = not isinstance(input, Tensor)
    # A float is compared with integers as it is.
    kind = dtypes.F64 if isinstance(input, float) and row.dtype.kind not in "fV" else row.dtype
    values: Any = wrap(np.asarray(wrapped(input, kind), kind)) if number else input
    if not row.ndim:
        raise runtime_error(
            "searchsorted(): input value can be a scalar only when boundary tensor dimension is 1"
        )
    if row.ndim > 1 and row.shape[:-1] != values._array.shape[:-1]:
        raise runtime_error(
            "searchsorted(): boundary tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor "
            f"and input value tensor must match, but we got boundary tensor {list(row.shape)} and input value "
            f"tensor {list(values._array.shape)}"
        )
    if not number and values._array.dtype != row.dtype:
        both = dtypes.promote(row.dtype, values._array.dtype)
        sorted_sequence, values = cast(sorted_sequence, both), cast(values, both)
    y = apply(ops.searchsorted, (sorted_sequence, values), {"right": right or side == "right"})
    return cast(y, np.dtype(np.int32)) if out_int32 else y


def bucketize(
    input: Tensor | Number, boundaries: Tensor, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """Between which of the sorted ``boundaries`` (a vector) each element lies: how many are below it; int64.

    With ``right``, how many are not above it. With ``out_int32`` int32. RuntimeError unless they are a vector.
    """
    if boundaries._array.ndim != 1:
        raise runtime_error(
            f"bucketize(): boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})"
        )
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def isin(
    elements: Tensor | Number, test_elements: Tensor | Number, *, assume_unique: bool = False,
    invert: bool = False,
) -> Tensor:  # fmt: skip
    """Whether each element is one of ``test_elements``; with ``invert``, whether it is none."""
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise type_error("isin(): at least one of elements and test_elements must be a Tensor")
    pair = [x if isinstance(x, Tensor) else wrap(np.asarray(x)) for x in (elements, test_elements)]
    return apply(ops.isin, tuple(pair), {"invert": invert})


METHODS = """
    argsort cummax cummin kthvalue logcumsumexp median mode msort nanmedian nanquantile quantile sort topk
"""
public(globals(), __all__, home="minigrad")

"""`vmap`: a function of one element, mapped over a dimension of Tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad.autograd.at_once import Batch, OneByOne, possible
from minigrad.core.apply import needs_value
from minigrad.core.changes import memory_of, start
from minigrad.core.mode import MODE, ModeManager, Samples
from minigrad.core.tensor import Tensor
from minigrad.errors import index_error, runtime_error, value_error
from minigrad.func.trees import Spec, flatten, unflatten
from minigrad.ops.shape import cat, permute, slice_, stack
from minigrad.random import default_generator


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Maps ``func`` over a dimension of its arguments, and stacks the results.

    ``in_dims`` is the dimension of each positional argument: a tree like the arguments, or one int for all; None passes
    an argument whole to every call, as keywords are. ``out_dims`` is where the dimension goes in the results; None
    returns what is the same for all (ValueError if it is not). Results are trees of Tensors. With
    ``randomness`` "error", drawing numbers is a RuntimeError; with "different" each call draws its own, one after the
    other, with "same" all draw the same. With ``chunk_size`` so many elements are computed at once, in less memory.

    ``func`` runs once, on the first element; beside each operation of its run, the same is done on all elements. An
    operation that has no form for many is called for one element after the other. Where ``func`` looks at values,
    draws numbers or changes something in place, it runs again, once for each element. What other threads compute
    for ``func`` is taken for the same for all. It nests with all transforms. RuntimeError where the dimension is empty.
    """
    name = getattr(func, "__name__", repr(func))
    if randomness not in ("error", "different", "same"):
        raise runtime_error(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise value_error(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        leaves, spec, dims = _mapped(name, args, in_dims)
        size = _length(name, leaves, dims)
        if size > 1 and possible(leaves):
            call = functools.partial(
                _at_once, name, lambda row: func(*unflatten(row, spec), **kwargs), out_dims
            )
            step = min(chunk_size or size, size)
            try:
                return _joined(
                    [call(*_part(leaves, dims, i, min(step, size - i))) for i in range(0, size, step)]
                )
            except OneByOne:
                pass
        outputs: list[list[Any]] = []
        shape = spec  # of the results, from the first call on
        state = default_generator._dump()
        rows = [(x._array, d) for x, d in zip(leaves, dims, strict=True) if d is not None]
        samples = Samples([(memory_of(a), start(a), a.strides[d]) for a, d in rows])
        with ModeManager(MODE.get().replace(samples=(*MODE.get().samples, samples))):
            for samples.i in range(size):
                if randomness == "same":
                    default_generator.set_state(state)
                row = [x if d is None else _row(x, d, samples.i) for x, d in zip(leaves, dims, strict=True)]
                results, out_spec = flatten(func(*unflatten(row, spec), **kwargs))
                if outputs and shape != out_spec:
                    raise value_error(
                        f"vmap({name}, ...): the calls return different structures, {shape} and {out_spec}"
                    )
                shape = out_spec
                outputs.append(results)
        if randomness == "error" and not np.array_equal(state, default_generator._dump()):
            default_generator.set_state(state)  # what is refused draws nothing
            raise runtime_error(
                "vmap: called random operation while in randomness error mode. Use randomness='same' or 'different', "
                "or draw outside"
            )
        places = _spread(
            out_dims, shape, f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims", "outputs"
        )
        columns = zip(*outputs, strict=True)
        return unflatten([_stacked(name, c, d) for c, d in zip(columns, places, strict=True)], shape)

    return wrapper


def _part(leaves: list[Any], dims: list[int | None], first: int, size: int) -> tuple[Any, ...]:
    """So many elements, from one on: the Tensors that have them, the dimensions, and how many they are."""
    parts = []
    for x, d in zip(leaves, dims, strict=True):
        if d is not None and x._array.shape[d] > size:
            x = slice_(x, index=(*(slice(None),) * d, slice(first, first + size)))
        parts.append(x)
    return parts, dims, size


def _at_once(
    name: str, function: Callable[[list[Any]], Any], out_dims: Any, leaves: list[Any], dims: Any, size: int
) -> tuple[list[Any], list[int | None], Spec]:
    """The results for all elements, where they have them, and their structure.  OneByOne where only a loop can tell."""
    batch = Batch(size)
    row = [x if d is None else batch.enter(x, d) for x, d in zip(leaves, dims, strict=True)]
    results, shape = batch.run(lambda: flatten(function(row)))
    label = f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims"
    places = _spread(out_dims, shape, label, "outputs")
    return [_placed(batch, t, d) for t, d in zip(results, places, strict=True)], places, shape


def _placed(batch: Batch, t: Any, dim: int | None) -> Any:
    """The result for all elements, by that for the first one."""
    if dim is None and not (isinstance(t, Tensor) and batch.all_of(t) is not None):
        return t
    rank = t._array.ndim + 1 if isinstance(t, Tensor) else 0
    if dim is None or not -rank <= dim < rank:
        raise OneByOne
    every, dim = batch.spread(t), dim % rank
    return permute(every, axes=(*range(1, dim + 1), 0, *range(dim + 1, rank))) if dim else every


def _joined(parts: list[tuple[list[Any], list[int | None], Spec]]) -> Any:
    """The results of all parts as one tree."""
    found, places, shape = parts[0]
    if len(parts) > 1:
        columns = zip(*[found for found, *_ in parts], strict=True)
        pairs = zip(columns, places, strict=True)
        found = [c[0] if d is None else cat(*c, dim=d % c[0]._array.ndim) for c, d in pairs]
    return unflatten(found, shape)


def _vmap(func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0) -> Callable[..., Any]:
    """`vmap` as ``torch._vmap_internals`` has it, which packages of before ``torch.func`` use."""
    return vmap(func, in_dims, out_dims)


def _mapped(name: str, args: tuple[Any, ...], in_dims: Any) -> tuple[list[Any], Spec, list[int | None]]:
    """The leaves of the arguments, their structure, and the dimension of each that is mapped over."""
    label = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"
    leaves, spec = flatten(args)
    if not isinstance(in_dims, (int, tuple)):
        raise value_error(
            f"{label}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
            f"got: {type(in_dims)}."
        )
    if not leaves:
        raise value_error(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
            "function with no inputs. The latter is unsupported."
        )
    dims = _spread(in_dims, spec, f"{label}: in_dims", "inputs")
    for i, (x, d) in enumerate(zip(leaves, dims, strict=True)):
        if d is None:
            continue
        if not isinstance(x, Tensor):
            raise value_error(
                f"{label}: Got in_dim={d} for an input but the input is of type {type(x)}. We cannot vmap over "
                "non-Tensor arguments, please use None as the respective in_dim"
            )
        ndim = x._array.ndim
        if not -ndim <= d < ndim:
            raise value_error(
                f"{label}: Got in_dim={d} for some input, but that input is a Tensor of dimensionality {ndim} so "
                f"expected in_dim to satisfy -{ndim} <= in_dim < {ndim}."
            )
        dims[i] = d % ndim
    return leaves, spec, dims


def _spread(dims: Any, spec: Spec, label: str, what: str) -> list[int | None]:
    """A dimension for each leaf of a tree, from one tree of dimensions that may end earlier."""
    try:
        return list(_each(dims, spec))
    except LookupError:
        raise value_error(
            f"{label} is not compatible with the structure of `{what}`. It has structure {flatten(dims)[1]} but "
            f"`{what}` has structure {spec}."
        ) from None


def _each(dims: Any, spec: Spec) -> Iterator[int | None]:
    """LookupError where the trees differ."""
    if dims is None or (isinstance(dims, int) and not isinstance(dims, bool)):
        yield from [dims] * _count(spec)
        return
    keys = tuple(dims) if isinstance(dims, dict) else ()
    if type(dims) is not spec.kind or len(dims) != len(spec.parts) or set(keys) != set(spec.keys):
        raise LookupError
    parts = [dims[k] for k in spec.keys] if isinstance(dims, dict) else dims
    for part, below in zip(parts, spec.parts, strict=True):
        yield from _each(part, below)


def _count(spec: Spec) -> int:
    return 1 if spec.kind is None else sum(map(_count, spec.parts))


def _length(name: str, leaves: list[Any], dims: list[int | None]) -> int:
    """How many elements are mapped over, at least one."""
    sizes = [x._array.shape[d] for x, d in zip(leaves, dims, strict=True) if d is not None]
    if not sizes:
        raise value_error("vmap: Expected at least one Tensor to vmap over")
    if len(set(sizes)) > 1:
        raise value_error(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
            "mapped dimension"
        )
    if not sizes[0]:
        raise runtime_error(
            f"vmap({name}, ...): the mapped dimension is empty, so no call tells the results' shapes"
        )
    return int(sizes[0])


def _row(x: Tensor, dim: int, i: int) -> Any:
    return slice_(x, index=(*(slice(None),) * dim, i))


def _stacked(name: str, column: tuple[Any, ...], dim: int | None) -> Any:
    """The results of all calls as one."""
    first = column[0]
    if dim is None:
        if isinstance(first, Tensor):
            needs_value("vmap() with out_dims=None")
        arrays = [getattr(t, "_array", t) for t in column]
        if not all(np.array_equal(arrays[0], a, equal_nan=_is_float(a)) for a in arrays[1:]):
            raise value_error(
                f"vmap({name}, ...): `{name}` can not return what differs from call to call when out_dim is None"
            )
        return first
    for t in column:
        if not isinstance(t, Tensor):
            raise value_error(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(t)}. Did you mean to set "
                "out_dims= to None for output?"
            )
    rank = first._array.ndim + 1
    if not -rank <= dim < rank:
        raise index_error(
            f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {dim})"
        )
    return stack(*column, dim=dim % rank)


def _is_float(a: Any) -> bool:
    return isinstance(a, np.ndarray) and a.dtype.kind in "fcV"

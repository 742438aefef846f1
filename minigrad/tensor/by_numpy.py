"""NumPy's functions on Tensors: which are recorded, how, and what is said of the others.

A function in `minigrad.tensor.as_numpy` has the name and the parameters of one of NumPy's. Its annotations tell what
its arguments become: a ``Tensor`` is made of an array, a list or a number; as an ``Operand`` a number stays one; what
is ``Unused`` may only have NumPy's default.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import needs_value
from minigrad.core.tensor import Tensor
from minigrad.errors import type_error
from minigrad.functions import creation
from minigrad.tensor.as_numpy import along, elements, polynomials, products, reductions, shapes, spectra
from minigrad.tensor.as_numpy.common import NotNumbers, own, tensor

LEAVE = "t.detach().numpy() to leave the tape"


class Form:
    """A function that one of NumPy's is recorded as."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        parameters = inspect.signature(function).parameters.values()
        # The annotations of its parameters, and of what follows those that have a name.
        self.kinds = {p.name: p.annotation for p in parameters if p.kind is not p.VAR_POSITIONAL}
        self.open = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.rest = next((p.annotation for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.positional = [
            p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]

    def call(self, func: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """The function on the arguments of NumPy's."""
        like = next(_tensors((*args, *options.values())), None)
        kinds = [*(self.kinds[name] for name in self.positional)]
        if len(args) > len(kinds):
            if self.rest is None:
                raise type_error(_not_with(func, f"{len(args)} arguments"))
            kinds += [self.rest] * (len(args) - len(kinds))
        names = [*self.positional, *("an operand" for _ in kinds)]
        taken = [_taken(func, *each, like) for each in zip(names, kinds, args, strict=False)]
        named = {
            name: _taken(func, name, self.kinds.get(name, "Any" if self.open else "Unused"), x, like)
            for name, x in options.items()
        }
        return self.function(*taken, **{k: x for k, x in named.items() if self.open or k in self.kinds})


def _numpys(name: str) -> Any:
    """A function of NumPy's by its name here: ``linalg_norm`` is in ``np.linalg``; older versions may lack some."""
    space, _, inner = name.partition("_")
    return (
        getattr(getattr(np, space), inner, None)
        if space in ("linalg", "fft") and inner
        else getattr(np, name, getattr(np.lib.stride_tricks, name, None))
    )


FORMS: dict[Any, Form] = {
    _numpys(name): Form(function)
    for space in (reductions, along, elements, shapes, products, polynomials, spectra)
    for name, function in vars(space).items()
    if inspect.isfunction(function) and function.__module__ == space.__name__ and name[0] != "_"
}
FORMS.pop(None, None)
FORMS |= {np.amax: FORMS[np.max], np.amin: FORMS[np.min], np.around: FORMS[np.round]}
# They answer questions about arrays, on which no gradient depends.
ASKS = {
    np.allclose, np.array2string, np.array_equal, np.array_equiv, np.array_repr, np.array_str, np.can_cast,
    np.einsum_path, np.iscomplexobj, np.isrealobj, np.may_share_memory, np.result_type, np.shares_memory,
}  # fmt: skip
# What they give has no gradient: numbers of elements, places, answers, sets.
PLAIN = {
    np.argpartition, np.digitize, np.flatnonzero, np.histogram, np.histogram2d, np.histogram_bin_edges,
    np.histogramdd, np.intersect1d, np.iscomplex, np.isin, np.isneginf, np.isposinf, np.isreal, np.lexsort,
    np.linalg.matrix_rank, np.nanargmax, np.nanargmin, np.setdiff1d, np.setxor1d, np.union1d, np.unique,
}  # fmt: skip
# They write into their first argument, which the tape would not see.
WRITE = {np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask}


def called(func: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """What a function of NumPy's gives for arguments among which are Tensors.

    TypeError if it is not recorded, or not with these arguments. Where no Tensor requires grad, a function that is not
    recorded works on the arrays, as `Tensor.__array__` gives them.
    """
    form = FORMS.get(func)
    if form is not None:
        try:
            return form.call(func, args, options)
        except NotNumbers:  # matplotlib lets NumPy broadcast None beside arrays
            if any(t.requires_grad for t in _tensors((*args, *options.values()))):
                raise
            return func(*_arrays(args), **_arrays(options))
    if func in ASKS:
        return func(*_arrays(args, detach=True), **_arrays(options, detach=True))
    name = _name(func)
    # Behind the first two there may be weights.
    if func in PLAIN and not any(t.requires_grad for t in _tensors((*args[2:], *options.values()))):
        needs_value(f"{name}()")
        return _as_tensors(func(*_arrays(args, detach=True), **_arrays(options, detach=True)))
    if func in WRITE:
        if args and not isinstance(args[0], Tensor):
            raise type_error(
                f"{name} would write a Tensor into an array, which loses what it remembers; np.stack, np.where and "
                f"np.broadcast_to make a Tensor of Tensors. Or {LEAVE}"
            )
        raise type_error(f"{name} does not write into a Tensor; use an assignment t[...] = x")
    if any(t.requires_grad for t in _tensors((*args, *options.values()))):
        raise type_error(f"{name} is not recorded by minigrad; use its own functions, or {LEAVE}")
    if not hasattr(func, "_implementation") or "out" in options:
        raise type_error(f"{name} does not make or fill Tensors; use minigrad's own functions, or t.numpy()")
    return func(*_arrays(args), **_arrays(options))


def _is_default(x: Any) -> bool:
    return x is None or x is np._NoValue


def _is_numpys(func: Any, name: str, x: Any) -> bool:
    """Whether an argument is NumPy's default for its parameter, where NumPy tells it."""
    try:
        default = inspect.signature(func).parameters[name].default
    except (ValueError, KeyError):
        return False
    return type(x) is type(default) and x == default


def _taken(func: Any, name: str, kind: str, x: Any, like: Tensor | None) -> Any:
    """An argument as the annotation of its parameter has it."""
    if kind == "Unused":
        if _is_default(x) or _is_numpys(func, name, x):
            return None
        raise type_error(_not_with(func, f"{name}="))
    if kind == "Sequence[Tensor]":
        return list(x) if isinstance(x, Tensor) else [tensor(each, like) for each in x]
    several = isinstance(x, (np.ndarray, list, tuple))
    if kind == "Tensor" or (kind == "Tensor | None" and x is not None) or (kind == "Operand" and several):
        return tensor(x, like)
    if kind == "DTypeLike | None":
        ours = x is None or isinstance(x, dtypes.dtype)
        return x if ours else dtypes.OF_NUMPY[dtypes.as_numpy(np.dtype(x))]
    return bool(x) if kind == "bool" else x


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for x in values:
        if isinstance(x, Tensor):
            yield x
        elif isinstance(x, (list, tuple)):
            yield from _tensors(x)


def _arrays(x: Any, detach: bool = False) -> Any:
    """Arguments with arrays in the place of Tensors."""
    if isinstance(x, Tensor):
        return x.numpy(force=detach)
    if isinstance(x, (list, tuple)):
        return type(x)(_arrays(each, detach) for each in x)
    return {k: _arrays(v, detach) for k, v in x.items()} if isinstance(x, dict) else x


def _as_tensors(x: Any) -> Any:
    """Results with Tensors in the place of arrays."""
    if isinstance(x, (list, tuple)):
        return type(x)(map(_as_tensors, x))
    return creation.from_numpy(np.asarray(x)) if isinstance(x, (np.ndarray, np.generic)) else x


def _name(func: Any) -> str:
    module = getattr(func, "__module__", None) or "numpy"
    return f"np{module.removeprefix('numpy')}.{getattr(func, '__name__', func)}"


def _not_with(func: Any, what: str) -> str:
    name = _name(func)
    instead = f"write t = {name}(...)" if what == "out=" else "use minigrad's own functions"
    return f"{name} is recorded by minigrad, but not with {what}; {instead}, or {LEAVE}"


class Namespace:
    """What ``t.__array_namespace__()`` gives: the names of the array API standard, as functions of Tensors.

    Those that NumPy has are recorded as NumPy's are; the others are minigrad's.
    """

    def __getattr__(self, name: str) -> Any:
        func = getattr(np, name, None)
        form = FORMS.get(func)
        if form is None:
            return own(name)

        def function(*args: Any, **options: Any) -> Any:
            return form.call(func, args, options)

        function.__name__ = function.__qualname__ = name
        function.__doc__ = form.function.__doc__
        return self.__dict__.setdefault(name, function)

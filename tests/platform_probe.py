"""Run by test_platforms.py as ``python platform_probe.py 32`` (or 64): prints what operations give, as JSON.

With 32, NumPy is made to behave as in WebAssembly, where its own integer has 32 bits: whatever NumPy makes of Python
integers, and the indices that it finds, come as int32, and what takes places or counts refuses int64, as before NumPy
2.1. Of methods only these are changed; reductions through methods and ufuncs are not, so a kernel must say its dtype
where it could matter.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

FINDS = ("argmax", "argmin", "argsort", "nonzero", "flatnonzero", "argwhere", "searchsorted", "bincount", "digitize",
         "unravel_index", "ravel_multi_index", "lexsort", "indices", "ix_")  # fmt: skip
MAKES = ("array", "asarray", "asanyarray", "ascontiguousarray", "atleast_1d", "arange", "full", "stack", "concatenate",
         "where", "sum", "prod", "cumsum", "cumprod", "repeat", "broadcast_to")  # fmt: skip
FOUND = ("argmax", "argmin", "argsort", "nonzero")  # also as methods
TAKES = {"take": 1, "repeat": 1, "put": 1, "bincount": 0}  # which argument has the places or counts


def _has_int64(x: Any) -> bool:
    if isinstance(x, (np.ndarray, np.generic)):
        return bool(x.dtype == np.int64)
    # what NumPy's own `as_strided` hands to `np.asarray`: its type is said
    if hasattr(x, "__array_interface__"):
        return bool(np.dtype(x.__array_interface__["typestr"]) == np.int64)
    return isinstance(x, (list, tuple)) and any(map(_has_int64, x))


def _narrow(y: Any) -> Any:
    if isinstance(y, (tuple, list)):
        return type(y)(map(_narrow, y))
    is_int64 = isinstance(y, (np.ndarray, np.generic)) and y.dtype == np.int64
    return y.astype(np.int32) if is_int64 and (np.abs(y) < 2**31).all() else y


def _finding(function: Any) -> Any:
    return functools.wraps(function)(lambda *args, **kwargs: _narrow(function(*args, **kwargs)))


def _making(function: Any) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        y = function(*args, **kwargs)
        says = kwargs.get("dtype") is not None or any(
            isinstance(a, (np.dtype, type)) or _has_int64(a) for a in args
        )
        return y if says else _narrow(y)

    return call


def _taking(function: Any, at: int) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if isinstance(args[at], np.ndarray) and args[at].dtype == np.int64:
            raise TypeError("Cannot cast array data from dtype('int64') to dtype('int32')")
        return function(*args, **kwargs)

    return call


def _silent(function: Any) -> Any:
    """Nan for a matrix that LAPACK refuses, without an error."""

    @functools.wraps(function)
    def call(a: Any, *b: Any) -> Any:
        try:
            return function(a, *b)
        except np.linalg.LinAlgError:
            if a.ndim == 2 and (not b or b[0].ndim == 2):
                return np.full_like(b[0] if b else a, np.nan)
        batch = np.broadcast_shapes(*(x.shape[:-2] for x in (a, *b)))
        whole = [np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (a, *b)]
        return np.stack([call(*each) for each in zip(*whole, strict=True)])

    return call


def pretend() -> None:
    """NumPy as it is in WebAssembly: a C long has 32 bits, and what LAPACK refuses is nan."""
    for name in ("inv", "solve", "cholesky"):
        setattr(np.linalg, name, _silent(getattr(np.linalg, name)))
    for name in FINDS:
        setattr(np, name, _finding(getattr(np, name)))
    for name in MAKES:
        setattr(np, name, _making(getattr(np, name)))
    for name, at in TAKES.items():
        setattr(np, name, _taking(getattr(np, name), at))
    methods = gc.get_referents(np.ndarray.__dict__)[0]  # which Python itself does not let be set
    methods["take"] = _taking(np.ndarray.take, 1)
    for name in FOUND:
        methods[name] = _finding(getattr(np.ndarray, name))
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(np.ndarray))
    np.intp = np.int_ = np.int32  # type: ignore[misc, assignment]


MAKERS = """
mg.tensor(2); mg.tensor([1, 2]); mg.tensor([[1], [2]]); mg.tensor(range(3))
mg.tensor([[True, 2], (3, 4)]); mg.tensor([]); mg.tensor([1, np.int8(2)]); mg.tensor([np.int8(1), 2])
mg.tensor([mg.tensor(1), 2]); mg.tensor(2**40); mg.tensor([2**40, 1]); mg.tensor([True])
mg.tensor(np.int64(3)); mg.tensor(np.int8([3])); mg.as_tensor([1]); mg.asarray(1); mg.tensor([1, 2.0])
mg.full((2,), 3); mg.full_like(x, 3, dtype=mg.int64); mg.arange(3); mg.arange(2**33, 2**33 + 3)
mg.arange(5, 0, -2); mg.linspace(0, 3, 4, dtype=mg.int64); mg.randint(0, 9, (3,))
mg.randint(2**40, 2**41, (3,)); mg.randperm(4); x.exp().multinomial(1); x.exp().multinomial(2)
x.exp().multinomial(2, True); dist.Categorical(x.exp()).sample(); dist.Multinomial(3, x.exp()).sample()
i.new_tensor([4]); i.new_full((2,), 4); i.new_zeros(2)
mg.zeros(2, dtype=mg.int64); mg.tensor([1]).fill_(3); x.argmax(); x.argmax(1); x.argmin()
x.argmin(0, True); x.max(1).indices; x.min(0).indices; x.nonzero(); x[0, 0].nonzero()
x.nonzero(as_tuple=True)[0]; mg.count_nonzero(x); mg.count_nonzero(x, 0); (x > 0).sum(); (x > 0).sum(0)
i.sum(); i.int().sum(); (x > 0).cumsum(0); i.short().cumsum(0); i.short().cumprod(0); i.byte().prod()
(x > 0).prod(); i.any(); i.max(); i.amax(0); (x > 0) + 1; (x > 0) * 2; i + 1; i // 2; i % 2; i ** 2
2 ** i; -i; ~i; i & 1; i == 1; (x > 0) // 1; x.long(); x.to(mg.int64); mg.where(x > 0, 1, 2)
mg.where(x > 0, i[0], 2); mg.maximum(i, mg.tensor(1)); i.clamp(1, 2); mg.cat([i, i]); mg.stack([i, i])
i[1]; i[[0, 1]]; i[mg.tensor([0, 1])]; i[[True, False, True]]; x[[0, 1], [1, 0]]
x[x.argmax(0), [0, 1, 2]]; x[:, [0, 2]]; x.gather(1, x.argmax(1, True)); x.take(mg.tensor([0, 1]))
x.index_select(1, mg.tensor([0, 1])); x.take_along_dim(x.argmax(1, True), 1); mg.bitwise_xor(i, 2)
i.repeat(2); i.flip(0); i.masked_fill(i > 1, 9); i.float(); mg.result_type(i, 1); (i > 0).long()
x.repeat_interleave(i[:2], 0); mg.bincount(i); mg.unique(i, return_inverse=True); x.T.kthvalue(2)
mg.nn.functional.embedding(i[:2], x.T); mg.nn.functional.interpolate(x[None], 5, mode="linear")
mg.segment_reduce(x[0], "sum", lengths=i[:2]); x.to_sparse_csr().crow_indices(); x.to_sparse_csc().to_dense()
mg.sparse_csr_tensor(i[:2] - 1, i[:1], x[0, :1], (1, 2)).to_dense(); pack(x.T, i[1:].flip(0)).batch_sizes
pad(pack(x.T, i[1:].flip(0)))[1]
lin.inv(s); lin.inv(b); lin.inv(b[:2]); lin.inv(s * mg.nan); lin.inv(s + 0j); lin.inv(s[:0, :0]); lin.inv(b[:0])
lin.inv_ex(b); lin.solve(s, s); lin.solve(b, s); lin.solve(b[:2], s); lin.solve(b[0], s * mg.nan); lin.solve_ex(b, s)
lin.solve_triangular(s * 0, s, upper=True); lin.cholesky(s); lin.cholesky(b); lin.cholesky(-s); lin.cholesky_ex(b)
lin.matrix_power(s, -2); lin.tensorinv(s, 1); lin.det(b); lin.slogdet(b); lin.matrix_exp(s); lin.cond(s, 1)
"""


def probe() -> dict[str, Any]:
    """Dtypes and values, by what was called."""
    from op_samples import ROWS  # after `pretend`

    import minigrad as mg

    told: dict[str, Any] = {}

    def tell(name: str, call: Callable[[], Any]) -> None:
        try:
            y = call()
        except Exception as error:
            told[name] = f"{type(error).__name__}: {error}"
            return
        many = y if isinstance(y, (tuple, list)) else [y]
        told[name] = [[str(t.dtype), t.tolist()] if mg.is_tensor(t) else str(t) for t in many]

    x = mg.tensor([[0.5, -2.0, 0.0], [1.5, 3.0, -1.0]])
    rnn = mg.nn.utils.rnn
    names = {"mg": mg, "np": np, "x": x, "i": mg.tensor([1, 2, 3])}
    singular = mg.tensor([[1.0, 2.0], [2.0, 4.0]])
    names |= {"lin": mg.linalg, "s": singular, "b": mg.stack([mg.eye(2), 3 * mg.eye(2), singular])}
    names |= {"dist": mg.distributions}
    names |= {"pack": rnn.pack_padded_sequence, "pad": rnn.pad_packed_sequence}
    mg.manual_seed(0)
    for line in MAKERS.replace("\n", ";").split(";"):
        if line.strip():
            tell(line.strip(), lambda line=line: eval(line.strip(), names))
    for row in ROWS:
        arrays = row.draw()
        for kind in (None, np.int64, np.bool_):
            given = [a if kind is None or a.dtype.kind != "f" else np.abs(a).astype(kind) for a in arrays]
            tell(f"{row.id} {kind}", lambda row=row, given=given: row.run(*map(mg.from_numpy, given)))

    def whole(x: Any) -> Any:
        i = x.argmax(1)
        made = mg.tensor([1, 2]), mg.arange(2), x.max(0).indices, x.argmin() + 1, (x > 0).sum(0)
        return (i, i + 1, x[mg.arange(2), i], x[[1, 0]], mg.count_nonzero(x), mg.where(x > 0, 1, 2), *made)

    def wanted(x: Any) -> Any:
        return (x[mg.arange(2), x.argmax(1)] * x.max(1).values + x.gather(1, x.argmin(1, True)).sum()).sum()

    for f in (whole, wanted):
        tell(f.__name__, lambda f=f: f(x))
        compiled = mg.compile(f)
        for k in range(3):
            tell(f"{f.__name__}, call {k}", lambda compiled=compiled: compiled(x * 1.0))
        mg.source(compiled)
        tell(f"{f.__name__}, planned", lambda compiled=compiled: compiled(x * 1.0))
    w = x.clone().requires_grad_()
    told["the inputs of what is printed"] = [
        p for p in str(mg.source(wanted(w))).split("\n") if "int64 [" in p
    ]
    return told


if __name__ == "__main__":
    if sys.argv[1] == "32":
        pretend()
    print(json.dumps(probe()))

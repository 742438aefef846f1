"""`assert_close`: PyTorch's comparison of values in tests of programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.core.tensor import Tensor
from minigrad.functions.elementwise import close

# How far apart values may be, relative to the expected one and absolutely, by the bytes of a float or a part; 0 is for
# whole numbers, "V" for bfloat16.
_TOLERANCES: dict[object, tuple[float, float]] = {
    0: (0.0, 0.0), 2: (1e-3, 1e-5), 4: (1.3e-6, 1e-5), 8: (1e-7, 1e-7), "V": (1.6e-2, 1e-5),
}  # fmt: skip


class NotCloseError(AssertionError):
    """What `assert_close` raises."""


_KINDS = (Tensor, np.ndarray, np.generic, bool, int, float, complex)  # what holds numbers


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None,
    atol: float | None = None, equal_nan: bool = False, check_device: bool = True, check_dtype: bool = True,
    check_layout: bool = True, check_stride: bool = False, msg: str | Callable[[str], str] | None = None,
) -> None:  # fmt: skip
    """AssertionError unless ``|actual - expected| <= atol + rtol * |expected|`` for Tensors, arrays and numbers.

    Sequences and mappings of these are compared item by item. The tolerances are PyTorch's for the element type, the
    looser of two, unless given; integers must be equal. ``msg`` stands for the message of the error, or makes it of
    that. ValueError where only one of ``rtol`` and ``atol`` is given, TypeError for types that cannot be compared, and
    without ``allow_subclasses`` for Tensors or arrays of different classes.
    """
    if (rtol is None) != (atol is None):
        raise ValueError("rtol and atol must both be specified or both be unspecified")

    def fail(what: str, where: str) -> None:
        text = f"{what}{f', at {where}' if where else ''}"
        raise NotCloseError(text if msg is None else msg(text) if callable(msg) else msg)

    def compare(a: Any, b: Any, where: str) -> None:
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            if a.keys() != b.keys():
                fail(f"The keys of the mappings do not match: {list(a)} != {list(b)}", where)
            for key in a:
                compare(a[key], b[key], f"{where}[{key!r}]")
        elif isinstance(a, Sequence) and isinstance(b, Sequence) and not isinstance(a, (str, bytes)):
            if len(a) != len(b):
                fail(f"The length of the sequences mismatch: {len(a)} != {len(b)}", where)
            for i, (x, y) in enumerate(zip(a, b, strict=True)):
                compare(x, y, f"{where}[{i}]")
        else:
            leaves(a, b, where)

    def leaves(a: Any, b: Any, where: str) -> None:
        if a is None or b is None:
            if a is not b:
                fail(f"None mismatch: {a} is not {b}", where)
            return
        related = allow_subclasses or type(a) is type(b) or not isinstance(a, (Tensor, np.ndarray))
        if not (related and isinstance(a, _KINDS) and isinstance(b, _KINDS)):
            raise TypeError(
                f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}."
                + (f" They stand at {where}." if where else "")
            )
        if check_dtype and type(a) is not type(b) and {type(a), type(b)} <= {bool, int, float, complex}:
            fail(f"The (d)types do not match: {type(a)} != {type(b)}.", where)
        if any(isinstance(v, Tensor) and v._sparse for v in (a, b)):
            return parts(a, b, where)
        x, y = (np.asarray(v._array if isinstance(v, Tensor) else v) for v in (a, b))
        single = not isinstance(a, (Tensor, np.ndarray))
        if x.shape != y.shape:
            fail(f"The values for attribute 'shape' do not match: {list(x.shape)} != {list(y.shape)}", where)
        if check_dtype and not single and x.dtype != y.dtype:
            fail(f"The values for attribute 'dtype' do not match: {x.dtype} != {y.dtype}", where)
        if check_stride and isinstance(a, Tensor) and isinstance(b, Tensor) and a.stride() != b.stride():
            fail(f"The values for attribute 'stride()' do not match: {a.stride()} != {b.stride()}", where)
        kinds = [
            _TOLERANCES[v.dtype.kind if v.dtype.kind == "V" else v.real.itemsize * (v.dtype.kind in "fc")]
            for v in (x, y)
        ]
        relative = max(k[0] for k in kinds) if rtol is None else rtol
        absolute = max(k[1] for k in kinds) if atol is None else atol
        with np.errstate(all="ignore"):
            good = close(x, y, relative, absolute, equal_nan)
            if not good.all():
                whole = {x.dtype.kind, y.dtype.kind} <= set("biu")
                wide = np.dtype(object) if whole else np.result_type(x, y, np.float64)
                apart = np.abs(x.astype(wide) - y.astype(wide))
                fail(
                    f"{'Scalars' if single else 'Tensor-likes'} are not close! Mismatched elements: "
                    f"{good.size - np.count_nonzero(good)} / {good.size}; greatest absolute difference: "
                    f"{np.nanmax(apart, initial=0.0):.6g} (up to {absolute} allowed, and {relative} of the expected)",
                    where,
                )

    def parts(a: Any, b: Any, where: str) -> None:
        """Of sparse Tensors: places and numbers, or all elements where only one is sparse."""
        layouts = [getattr(v, "layout", None) for v in (a, b)]
        shapes = [list(getattr(v, "shape", ())) for v in (a, b)]
        if shapes[0] != shapes[1]:
            fail(f"The values for attribute 'shape' do not match: {shapes[0]} != {shapes[1]}", where)
        if layouts[0] is not layouts[1]:
            if check_layout:
                fail(f"The values for attribute 'layout' do not match: {layouts[0]} != {layouts[1]}", where)
            a, b = (v.to_dense() if isinstance(v, Tensor) else v for v in (a, b))
            return leaves(a, b, where)
        if a._nnz() != b._nnz():
            fail(
                f"The number of specified values in sparse tensors does not match: {a._nnz()} != {b._nnz()}",
                where,
            )
        leaves(a._places.long(), b._places.long(), f"indices of {where}" if where else "indices")
        leaves(a._numbers, b._numbers, f"values of {where}" if where else "values")

    compare(actual, expected, "")

"""Matrix products, under PyTorch's names. Operands must have one dtype, as in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable

from minigrad.core.apply import apply, cast
from minigrad.core.layout import holding
from minigrad.core.names import known_as
from minigrad.core.promote import held
from minigrad.core.tensor import Tensor
from minigrad.dtypes import BOOL, F32, in_c, short_name, working
from minigrad.errors import clash, describe, not_implemented_error, runtime_error
from minigrad.functions.elementwise import broadcast, own
from minigrad.functions.shape import reshape, unsqueeze
from minigrad.gate import public
from minigrad.gate.names import named_as
from minigrad.ops import elementwise as e
from minigrad.ops import linalg
from minigrad.ops import shape as s

__all__ = [
    "addmm", "addmv", "baddbmm", "bmm", "dot", "ger", "matmul", "mm", "mv", "outer", "vdot",
]  # fmt: skip


def _same_dtype(name: str, a: Tensor, b: Tensor) -> None:
    if a._array.dtype != b._array.dtype:
        raise runtime_error(
            f"{name}: expected m1 and m2 to have the same dtype, but got: {in_c(a.dtype)} != "
            f"{in_c(b.dtype)}; "
            f"convert one with .to(dtype) (operands: {describe(a)} and {describe(b)})"
        )
    if a._array.dtype is BOOL:
        raise not_implemented_error(
            f"\"{name}\" not implemented for 'Bool'; convert with .int() or .float() first"
        )


_BY_VECTOR = "UnsafeViewBackward0 MvBackward0"
_row = named_as(
    lambda a, b: _BY_VECTOR if b.dim() > 2 else "SqueezeBackward4 MmBackward0",
    lambda a, b: own(apply(linalg.matmul, (unsqueeze(a, 0), b)).squeeze(-2)),
)
_column = named_as(
    lambda a, b: _BY_VECTOR if a.dim() > 2 else "MvBackward0",
    lambda a, b: own(apply(linalg.matmul, (a, unsqueeze(b, 1))).squeeze(-1)),
)


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product: (..., n, k) with (..., k, m), batches broadcasting; vectors as rows or columns.

    Two vectors give their inner product (0-d). RuntimeError where sizes or dtypes do not fit.
    """
    a, b = input, other
    _same_dtype("matmul", a, b)
    p, q = a._array.ndim, b._array.ndim
    if p == 2 and q == 2:
        return mm(a, b)
    if p == 0 or q == 0:
        raise runtime_error(f"both arguments to matmul need to be at least 1D, but they are {p}D and {q}D")
    if p == 1 and q == 1:
        return dot(a, b)
    _check(a._array.shape, b._array.shape)
    if p == 1:
        return _row(a, b)
    if q == 1:
        return _column(a, b)
    if q == 2 and a._array.size:
        # One product instead of a batch of them, and no batch of gradients to sum.
        shape = a._array.shape
        rows = apply(linalg.matmul, (reshape(a, -1, shape[-1]), b))
        return known_as("UnsafeViewBackward0", own(reshape(rows, (*shape[:-1], b._array.shape[-1]))))
    return apply(linalg.matmul, (a, b))


def _check(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    if text := clash((a[:-2], b[:-2])):
        raise runtime_error(
            f"matmul: {text}: the batches {list(a[:-2])} and {list(b[:-2])} do not broadcast: {list(a)} @ {list(b)}"
        )
    if a[-1] == b[-2 if len(b) > 1 else 0]:
        return
    if len(b) == 1 < len(a):
        rows = math.prod(a[:-1])
        text = f"size mismatch, got input ({rows}), mat ({rows}x{a[-1]}), vec ({b[0]})"
    elif len(b) == 2:
        left = f"{math.prod(a[:-1])}x{a[-1]}"
        text = f"mat1 and mat2 shapes cannot be multiplied ({left} and {b[-2]}x{b[-1]})"
    else:
        batches = math.prod(broadcast("matmul", a[:-2], b[:-2]))
        text = (
            f"Expected size for first two dimensions of batch2 tensor to be: [{batches}, {a[-1]}] but got: "
            f"[{batches}, {b[-2]}]"
        )
    raise runtime_error(f"{text}: {list(a)} @ {list(b)}; is a transpose (.mT) missing?")


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, (n, k) and (k, m). RuntimeError for other numbers of dimensions."""
    _same_dtype("mm", input, mat2)
    _dims((input, 2, "self must be a matrix"), (mat2, 2, "mat2 must be a matrix"))
    a, b = input._array.shape, mat2._array.shape
    if a[1] != b[0]:
        _check(a, b)
    return apply(linalg.matmul, (input, mat2))


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices, (b, n, k) and (b, k, m), without broadcasting."""
    _same_dtype("bmm", input, mat2)
    _dims((input, 3, "batch1 must be a 3D tensor"), (mat2, 3, "batch2 must be a 3D tensor"))
    a, b = input._array.shape, mat2._array.shape
    if a[0] != b[0] or a[2] != b[1]:
        raise runtime_error(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a[0]}, {a[2]}] but got: "
            f"[{b[0]}, {b[1]}]."
        )
    return apply(linalg.matmul, (input, mat2))


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix (n, k) times a vector (k)."""
    _same_dtype("mv", input, vec)
    if input._array.ndim != 2 or vec._array.ndim != 1:
        raise runtime_error(
            f"vector + matrix @ vector expected, got 1, {input._array.ndim}, {vec._array.ndim}: "
            f"{list(input._array.shape)} and {list(vec._array.shape)}; use @"
        )
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors of one length (0-d)."""
    _same_dtype("dot", input, tensor)
    if not input._array.ndim == tensor._array.ndim == 1:
        raise runtime_error(
            f"1D tensors expected, but got {input._array.ndim}D and {tensor._array.ndim}D tensors: "
            f"{list(input._array.shape)} and {list(tensor._array.shape)}; use @, or (a * b).sum()"
        )
    if input._array.size != tensor._array.size:
        raise runtime_error(
            f"inconsistent tensor size, expected tensor [{input._array.size}] and src [{tensor._array.size}] "
            "to have the same number of elements: the product of two vectors takes two of one length"
        )
    return apply(linalg.dot, (input, tensor))


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The inner product of two vectors of one length (0-d), with the conjugate of ``input``."""
    return dot(input.conj(), other)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of the elements of two vectors, (n, m)."""
    _dims((input, 1, "outer: Expected 1-D argument self"), (vec2, 1, "outer: Expected 1-D argument vec2"))
    return apply(e.mul, (unsqueeze(input, 1), vec2))


ger = outer


def _dims(*operands: tuple[Tensor, int, str]) -> None:
    for t, n, text in operands:
        if t._array.ndim != n:
            use = "use reshape(-1)" if n == 1 else "use @"
            raise runtime_error(f"{text}, but got {t._array.ndim}-D, of shape {list(t._array.shape)}; {use}")


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``, of (n, k) and (k, m); ``input`` broadcasts to (n, m)."""
    return _plus("addmm", mm, input, mat1, mat2, beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``, of (n, k) and (k); ``input`` broadcasts to (n)."""
    return _plus("addmv", mv, input, mat, vec, beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * bmm(batch1, batch2)``, of (b, n, k) and (b, k, m); ``input`` broadcasts to (b, n, m)."""
    return _plus("baddbmm", bmm, input, batch1, batch2, beta, alpha)


def unread(input: Tensor) -> Tensor:
    """Zeros for a Tensor that is taken 0 times: its nan and inf do not count, but its shape and record do."""
    return apply(s.copy, (input, input.new_zeros(()).expand(input._array.shape)))


def _plus(
    name: str, product_of: Callable[[Tensor, Tensor], Tensor], input: Tensor, a: Tensor, b: Tensor, beta: float,
    alpha: float,
) -> Tensor:  # fmt: skip
    _same_dtype(name, input, a)
    dtype = input._array.dtype
    beta, alpha = (held(x, working(dtype)) for x in (beta, alpha))  # of integers: whole, as in PyTorch
    if short_name(dtype) and b._array.dtype == dtype:  # in float32, rounded once
        wide = [cast(t, F32) for t in (input, a, b)]
        return cast(_plus(name, product_of, wide[0], wide[1], wide[2], beta, alpha), dtype)
    product = product_of(a, b)
    if alpha != 1:
        product = holding(product * alpha)
    shape = product._array.shape
    if beta == 0:
        input, beta = unread(input), 1
    total = apply(e.add, (input if beta == 1 else holding(input * beta), product))
    if total._array.shape != shape:
        raise runtime_error(
            f"The expanded size of the tensor {list(shape)} must match the existing size {list(input._array.shape)}"
        )
    # As a product lies, whatever the order of the input.
    return total if total._array.flags.c_contiguous else apply(s.contiguous, (total,))


METHODS = """
    addmm addmm_ addmv addmv_ baddbmm baddbmm_ bmm dot ger matmul mm mv outer vdot
"""
public(globals(), __all__, home="minigrad")

"""Sums of products, under PyTorch's names. What does not fit raises RuntimeError."""

from __future__ import annotations

import functools
import math
import string
from collections.abc import Sequence
from typing import Any

from minigrad.core.apply import apply, cast
from minigrad.core.promote import held
from minigrad.core.tensor import Tensor
from minigrad.core.types import Number
from minigrad.dtypes import common, scalar, working
from minigrad.errors import runtime_error, type_error, value_error, warn_once
from minigrad.functions.diagonals import diagonal
from minigrad.functions.dims import one_dim, tensor_list
from minigrad.functions.elementwise import broadcast, check_factor, own
from minigrad.functions.linalg import bmm, matmul, unread
from minigrad.gate import public
from minigrad.ops import linalg as ops

__all__ = ["addbmm", "addr", "chain_matmul", "cross", "einsum", "inner", "kron", "tensordot"]


# ---------------------------------------------------------------- einsum


def einsum(*args: Any) -> Tensor:
    """Sums of products by Einstein's rule: ``einsum("ij,jk->ik", a, b)`` is a matrix product.

    Also ``einsum(a, [0, 1], b, [1, 2], [0, 2])``, with numbers from 0 to 51 for letters; without the last list the
    dimensions of the result are in the order of the numbers.
    A letter that the result does not have is summed over; ``...`` stands for dimensions that broadcast. Pairs of
    operands are multiplied from the left to the right.
    """
    if len(args) > 1 and isinstance(args[0], Tensor):
        args = _equation(args)
    if not args or not isinstance(args[0], str):
        raise type_error("einsum(): argument 'equation' (position 1) must be str")
    equation, *operands = args
    xs = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], (tuple, list)) else operands
    if not xs:
        raise runtime_error("einsum(): must provide at least one operand")
    tensor_list("einsum", xs)
    terms, result = _terms(equation, tuple([x._array.ndim for x in xs]))
    parts = [_plain(term, x) for term, x in zip(terms, xs, strict=True)]
    sizes: dict[str, int] = {}
    for i, (letters, x) in enumerate(parts):
        for letter, n in zip(letters, x._array.shape, strict=True):
            before = sizes.setdefault(letter, n)
            if n != before and 1 not in (n, before):
                raise runtime_error(
                    f"einsum(): subscript {letter} has size {n} for operand {i} which does not broadcast with "
                    f"previously seen size {before}"
                )
            sizes[letter] = n if before == 1 else before
    letters, y = parts[0]
    order = result + "".join(sorted(set("".join(c for c, _ in parts)) - set(result)))
    rest = parts[1:]
    while rest:
        other, x = rest.pop(0)
        later = {letter for ls, _ in rest for letter in ls} | set(result)
        letters, y = _pair(letters, y, other, x, later, order)
    letters, y = _summed(letters, y, set(result), order)
    places = [letters.index(c) for c in result]
    # what an operand already is becomes a view of it, as in PyTorch
    return y if places == list(range(len(places))) and y is not xs[0] else y.permute(places)


def _equation(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The equation and the operands, of operands that are each followed by the numbers of their dimensions."""
    *terms, result = (_letters(numbers) for numbers in (*args[1::2], *args[2 * (len(args) // 2) :]))
    if len(args) % 2 == 0:
        return ",".join([*terms, result]), *args[::2]
    return f"{','.join(terms)}->{result}", *args[:-1:2]


_LETTERS = "".join(sorted(string.ascii_letters))  # in the order of a result that is not spelt out


def _letters(numbers: Any) -> str:
    """The letters that stand for the numbers 0 to 51, and "..." for an Ellipsis."""
    letters = ""
    if not isinstance(numbers, (list, tuple)):
        raise type_error(
            f"einsum(): an operand needs a list of numbers behind it, got {type(numbers).__name__}"
        )
    for k in numbers:
        if k is not Ellipsis and not 0 <= k < 52:
            raise value_error("einsum(): subscript in subscript list is not within the valid range [0, 52)")
        letters += "..." if k is Ellipsis else _LETTERS[k]
    return letters


_DOTS = [chr(k) for k in range(0x370, 0x3D0)]  # letters for the dimensions that "..." stands for


@functools.lru_cache(maxsize=128)
def _terms(equation: str, ndims: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The letters of each operand and of the result, "..." written out from the right."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        more = "more" if len(ndims) > len(terms) else "fewer"
        raise runtime_error(f"einsum(): {more} operands were provided than specified in the equation")
    widest = 0
    written = []
    for n, (term, ndim) in enumerate(zip(terms, ndims, strict=True)):
        letters = term.replace("...", "", 1)
        for c in letters:
            if c not in string.ascii_letters:
                raise runtime_error(
                    f"einsum(): invalid subscript given at index {equation.find(c)} in the equation "
                    f"string, subscripts must be in [a-zA-Z]"
                )
        extra = ndim - len(letters)
        if extra < 0 or (extra and "..." not in term):
            raise runtime_error(
                f"einsum(): the number of subscripts in the equation ({len(letters)}) "
                + ("is more than" if "..." in term else "does not match")
                + f" the number of dimensions ({ndim}) for operand {n}"
                + ("" if "..." in term else " and no ellipsis was given")
            )
        widest = max(widest, extra)
        written.append((term, extra))
    full = (*(term.replace("...", "".join(_DOTS[widest - extra : widest])) for term, extra in written),)
    dots = "".join(_DOTS[:widest])
    if arrow:
        for c in right.replace("...", "", 1):
            if c not in "".join(full):
                raise runtime_error(
                    f"einsum(): output subscript {c} does not appear in the equation for any input operand"
                )
        result = right.replace("...", dots)
        if len(set(result)) < len(result):
            raise runtime_error("einsum(): output subscript appears more than once in the output")
        return full, result
    together = "".join(full)
    return full, dots + "".join(sorted(c for c in set(together) - set(dots) if together.count(c) == 1))


def _plain(term: str, x: Tensor) -> tuple[str, Tensor]:
    """An operand without repeated letters: of these the diagonal is taken."""
    k = 0
    while k < len(term):
        again = term.find(term[k], k + 1)
        if again < 0:
            k += 1
            continue
        if x._array.shape[k] != x._array.shape[again]:
            raise runtime_error(
                f"einsum(): subscript {term[k]} is repeated for an operand but the sizes don't match, "
                f"{x._array.shape[again]} != {x._array.shape[k]}"
            )
        x = diagonal(x, 0, k, again)
        term = term[:k] + term[k + 1 : again] + term[again + 1 :] + term[k]
    return term, x


def _summed(letters: str, x: Tensor, kept: set[str], order: Sequence[str]) -> tuple[str, Tensor]:
    if kept.issuperset(letters):
        return letters, x
    letters, before = "".join(c for c in order if c in letters), letters
    dims = [k for k, c in enumerate(letters) if c not in kept]
    return "".join(c for c in letters if c in kept), _arranged(x, before, letters).sum(dims)


def _pair(
    a: str, x: Tensor, b: str, y: Tensor, later: set[str], order: Sequence[str] = ()
) -> tuple[str, Tensor]:
    """The sum of products of two operands over the letters that nothing later needs: as one matrix product.

    It lies in memory as in PyTorch, where all dimensions are put into an order before.
    """
    order = order or [*dict.fromkeys(a + b)]
    whole = later.issuperset(set(a) ^ set(b))
    sizes = dict(zip(b, y._array.shape, strict=True))
    for letter, n in zip(a, x._array.shape, strict=True):
        sizes[letter] = n if sizes.get(letter, 1) == 1 else sizes[letter]
    a, x = _summed(a, x, later | set(b), order)
    b, y = _summed(b, y, later | set(a), order)
    batch = [c for c in order if c in a and c in b and c in later]
    inner = [c for c in order if c in a and c in b and c not in later]
    if not inner:  # products without a sum
        out = "".join(c for c in order if c in a or c in b)
        return out, _arranged(x, a, out) * _arranged(y, b, out)
    for letters, t in ((a, x), (b, y)):  # what has size 1 on one side is expanded, so that it can be summed
        t_sizes = [sizes[c] for c in letters]
        if list(t._array.shape) != t_sizes:
            if t is x:
                x = x.expand(t_sizes)
            else:
                y = y.expand(t_sizes)
    rows, columns = [c for c in order if c in a and c not in b], [c for c in order if c in b and c not in a]
    if rows and columns and whole and order.index(rows[0]) > order.index(columns[-1]):
        a, x, rows, b, y, columns = b, y, columns, a, x, rows
    size = {
        name: math.prod(sizes[c] for c in group)
        for name, group in (("b", batch), ("i", inner), ("r", rows), ("c", columns))
    }
    out = "".join(batch + rows + columns)
    left = _arranged(x, a, batch + rows + inner)
    right = _arranged(y, b, batch + inner + columns)
    if batch:
        product = bmm(
            _shaped(left, size["b"], size["r"], size["i"]), _shaped(right, size["b"], size["i"], size["c"])
        )
    else:
        product = matmul(_shaped(left, size["r"], size["i"]), _shaped(right, size["i"], size["c"]))
    return out, own(product.reshape([sizes[c] for c in out]))


def _shaped(x: Tensor, *shape: int) -> Tensor:
    return x if x._array.shape == shape else x.reshape(shape)


def _arranged(x: Tensor, letters: str, order: Sequence[str]) -> Tensor:
    """Its dimensions in another order, with one of size 1 for a letter that it lacks."""
    places = [letters.index(c) for c in order if c in letters]
    x = x if places == list(range(len(places))) else x.permute(places)
    for d, c in enumerate(order):
        x = x if c in letters else x.unsqueeze(d)
    return x


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Products summed over the last ``dims`` dimensions of ``a`` and the first of ``b``, or over two lists of them."""
    x, y = a._array, b._array
    if isinstance(dims, Tensor):
        dims = dims.tolist() if dims._array.size > 1 else int(dims)
    if isinstance(dims, int):
        if dims < 0:
            raise runtime_error(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(x.ndim, y.ndim):
            raise runtime_error(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = (list(range(x.ndim - dims, x.ndim)), list(range(dims)))
    if not isinstance(dims, (tuple, list)):
        raise runtime_error(f"tensordot expects dims to be int or two lists of int, but got dims={dims}")
    first, second = (list(d) if isinstance(d, (tuple, list)) else [d] for d in dims)
    if len(first) != len(second):
        raise runtime_error("both dimension lists should have same length")
    if x.dtype != y.dtype:
        raise runtime_error("both inputs should have same dtype")
    first, second = [one_dim(d, x.ndim) for d in first], [one_dim(d, y.ndim) for d in second]
    letters = _DOTS[: x.ndim + y.ndim]
    left, right = letters[: x.ndim], letters[x.ndim :]
    for p, q in zip(first, second, strict=True):
        if x.shape[p] != y.shape[q] and 1 not in (x.shape[p], y.shape[q]):
            raise runtime_error(
                f"contracted dimensions need to match, but first has size {x.shape[p]} in dim {p} and second has size "
                f"{y.shape[q]} in dim {q}"
            )
        right[q] = left[p]
    kept = {c for c in left if c not in right} | {c for c in right if c not in left}
    return _pair("".join(left), a, "".join(right), b, kept)[1]


# ---------------------------------------------------------------- other products


def kron(input: Tensor, other: Tensor) -> Tensor:
    """Kronecker's product: a copy of ``other`` for each element of ``input``, multiplied by it."""
    ndim = max(input._array.ndim, other._array.ndim)
    a, b = ((1,) * (ndim - t._array.ndim) + t._array.shape for t in (input, other))
    left = input.reshape([n for pair in zip(a, (1,) * ndim, strict=True) for n in pair])
    right = other.reshape([n for pair in zip((1,) * ndim, b, strict=True) for n in pair])
    return own((left * right).reshape([n * m for n, m in zip(a, b, strict=True)]))


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Products summed over the last dimensions; with a number, its products with all elements."""
    x, y = input._array, other._array
    if not x.ndim or not y.ndim:
        return input * other
    if x.ndim == y.ndim == 1:
        return input.dot(other)
    if x.shape[-1] != y.shape[-1]:
        raise runtime_error(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(x.shape)} and {list(y.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vector product over ``dim``, which has size 3: without it, over the first such dimension."""
    if input._array.ndim != other._array.ndim:
        raise runtime_error("linalg.cross: inputs must have the same number of dimensions.")
    if input._array.dtype != other._array.dtype:
        raise runtime_error(f"expected scalar type {scalar(input.dtype)} but found {scalar(other.dtype)}")
    shape = broadcast("cross", input._array.shape, other._array.shape)
    if dim is None:
        warn_once(
            "Using cross without specifying the dim arg is deprecated. Please either pass the dim explicitly or use "
            "linalg.cross, whose default is the last dimension"
        )
        dim = next((d for d, n in enumerate(shape) if n == 3), -1)
        if 3 not in shape:
            raise runtime_error("no dimension of size 3 in input")
    d = one_dim(dim, len(shape))
    if input._array.shape[d] != 3 or other._array.shape[d] != 3:
        raise runtime_error(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input._array.shape[d]} and "
            f"{other._array.shape[d]}"
        )
    return apply(ops.cross, (input.expand(shape), other.expand(shape)), {"dim": d})


def multiplied(xs: list[Tensor]) -> Tensor:
    """The product of matrices that fit, in the cheapest order: by the costs of all parts of the chain."""
    count = len(xs)
    sizes = [xs[0]._array.shape[0], *(x._array.shape[1] for x in xs)]
    cost = {(k, k): (0, k) for k in range(count)}
    for length in range(1, count):
        for a in range(count - length):
            z = a + length
            cost[a, z] = min(
                (cost[a, k][0] + cost[k + 1, z][0] + sizes[a] * sizes[k + 1] * sizes[z + 1], k)
                for k in range(a, z)
            )

    def product(a: int, z: int) -> Tensor:
        k = cost[a, z][1]
        return xs[a] if a == z else matmul(product(a, k), product(k + 1, z))

    return product(0, count - 1)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of matrices, in the order that takes the fewest multiplications; deprecated in PyTorch."""
    warn_once(
        "chain_matmul is deprecated and will be removed in a future PyTorch release. Use linalg.multi_dot"
    )
    if not matrices:
        raise runtime_error("chain_matmul(): Expected one or more matrices")
    for m in matrices:
        if m._array.ndim != 2:
            raise runtime_error(f"Tensor dimension is {m._array.ndim}, expected 2 instead")
    return multiplied(list(matrices))


def _weighted(input: Tensor, beta: Number, other: Tensor, alpha: Number) -> Tensor:
    """``beta * input + alpha * other``; where beta is 0 the input does not count, even if it is nan."""
    scaled = other if alpha == 1 else other * alpha
    if beta == 0:
        return unread(input) + scaled
    return (input if beta == 1 else input * beta) + scaled


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``, of (n) and (m); ``input`` broadcasts to (n, m)."""
    for n, v in enumerate((vec1, vec2), 1):
        if v._array.ndim != 1:
            raise runtime_error(f"addr: Expected 1-D argument vec{n}, but got {v._array.ndim}-D")
    shape = (vec1._array.size, vec2._array.size)
    product = vec1.unsqueeze(1) * vec2
    meet = common([input._array, product._array])
    for name, factor in (("beta", beta), ("alpha", alpha)):
        check_factor("addr", name, factor, meet)
    # the element types may differ here: the input takes part in that of the result
    start = cast(_expanded("addr", input, shape), meet)
    return _weighted(start, held(beta, meet), product, held(alpha, meet))


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """``beta * input + alpha *`` the sum of all ``batch1[i] @ batch2[i]``, of (b, n, k) and (b, k, m): (n, m)."""
    for n, b in enumerate((batch1, batch2), 1):
        if b._array.ndim != 3:
            raise runtime_error(f"batch{n} must be a 3D tensor")
    (count, _, k), (other, rows, _) = batch1._array.shape, batch2._array.shape
    if (count, k) != (other, rows):
        raise runtime_error(
            f"addbmm: batch1 {list(batch1._array.shape)} and batch2 {list(batch2._array.shape)} must have the same "
            "number of batches, and sizes for a matrix product"
        )
    if input._array.dtype != batch1._array.dtype:
        raise runtime_error(
            f"addbmm: self and mat2 must have the same dtype, but got {scalar(input.dtype)} and {scalar(batch1.dtype)}"
        )
    product = tensordot(batch1, batch2, ([0, 2], [0, 1]))
    beta, alpha = (held(x, working(product._array.dtype)) for x in (beta, alpha))  # of integers: whole
    return _weighted(_expanded("addbmm", input, product._array.shape), beta, product, alpha).contiguous()


def _expanded(name: str, input: Tensor, shape: tuple[int, ...]) -> Tensor:
    if broadcast(name, input._array.shape, shape) != shape:
        raise runtime_error(
            f"{name}: the input's shape {list(input._array.shape)} does not expand to {list(shape)}"
        )
    return input.expand(shape)


METHODS = """
    addbmm addbmm_ addr addr_ cross inner kron
"""
public(globals(), __all__, home="minigrad")

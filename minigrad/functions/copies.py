"""Views as copies, windows and differences, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.core import basic
from minigrad.core.apply import apply, cast
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Number, Sizes
from minigrad.dtypes import default_float
from minigrad.errors import runtime_error
from minigrad.functions.diagonals import diagonal
from minigrad.functions.dims import one_dim
from minigrad.functions.elementwise import own
from minigrad.functions.images import pad as padded
from minigrad.functions.parts import cat, chunk, split, unbind
from minigrad.gate import public
from minigrad.ops import shape, strided

__all__ = [
    "alias_copy", "constant_pad_nd", "diagonal_copy", "expand_copy", "gradient",
    "permute_copy", "split_with_sizes_copy",
    "squeeze_copy", "t_copy", "transpose_copy", "unbind_copy", "unfold_copy", "unsafe_chunk", "unsafe_split",
    "unsqueeze_copy", "view_copy",
]  # fmt: skip


# ---------------------------------------------------------------- views, copied


def _copied(view: Tensor) -> Tensor:
    """A copy that lies row by row, whatever the view does."""
    return apply(shape.contiguous, (view,))


def alias_copy(input: Tensor) -> Tensor:
    """A copy of ``input``."""
    return _copied(input)


def diagonal_copy(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of `diagonal`."""
    return _copied(diagonal(input, offset, dim1, dim2))


def expand_copy(input: Tensor, size: Sequence[int]) -> Tensor:
    """A copy of `Tensor.expand`."""
    return _copied(input.expand(size))


def permute_copy(input: Tensor, dims: Sequence[int]) -> Tensor:
    """A copy of `permute`."""
    return _copied(input.permute(dims))


def squeeze_copy(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """A copy of `squeeze`."""
    return _copied(input.squeeze() if dim is None else input.squeeze(dim))


def t_copy(input: Tensor) -> Tensor:
    """A copy of `t`."""
    return _copied(input.t())


def transpose_copy(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """A copy of `transpose`."""
    return _copied(input.transpose(dim0, dim1))


def unsqueeze_copy(input: Tensor, dim: int) -> Tensor:
    """A copy of `unsqueeze`."""
    return _copied(input.unsqueeze(dim))


def view_copy(input: Tensor, size: Sequence[int]) -> Tensor:
    """A copy of `Tensor.view`."""
    return _copied(input.view(size))


def split_with_sizes_copy(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Copies of the parts of `split`."""
    return tuple(map(_copied, split(input, [*split_sizes], dim)))


def unbind_copy(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Copies of the parts of `unbind`."""
    return tuple(map(_copied, unbind(input, dim)))


def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """The parts of `chunk`; a change in place of one shows in ``input``, and no gradient of ``input`` knows of it."""
    return tuple(map(own, chunk(input, chunks, dim)))


def unsafe_split(tensor: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """The parts of `split`, as `unsafe_chunk` gives those of `chunk`."""
    return tuple(map(own, split(tensor, split_size, dim)))


# ---------------------------------------------------------------- windows and sums


def unfold(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of ``size`` along ``dimension``, each ``step`` further, as a view with a last dimension of ``size``.

    RuntimeError for a size that is greater than the dimension, or a step that is not greater than 0.
    """
    d = one_dim(dimension, self._array.ndim)
    n = self._array.shape[d] if self._array.ndim else 1
    if size < 0:
        raise runtime_error(f"size is {size} but must be >= 0")
    if size > n:
        raise runtime_error(f"maximum size for tensor at dimension {d} is {n} but size is {size}")
    if step <= 0:
        raise runtime_error(f"step is {step} but must be > 0")
    if not self._array.ndim:
        return self.reshape(1)[:size]
    return apply(strided.sliding, (self,), {"dim": d, "size": int(size), "step": int(step)})


def unfold_copy(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """A copy of `Tensor.unfold`."""
    return _copied(unfold(input, dimension, size, step))


def sum_to_size(self: Tensor, *size: Sizes) -> Tensor:
    """The sum over what broadcasting from ``size`` repeats. RuntimeError where it does not broadcast to this shape."""
    wanted = size[0] if len(size) == 1 and not isinstance(size[0], int) else size
    target = tuple(int(n) for n in wanted)  # type: ignore[arg-type]
    sizes = self._array.shape
    aligned = (1,) * (len(sizes) - len(target)) + target
    if len(target) > len(sizes) or any(t not in (1, n) for t, n in zip(aligned, sizes, strict=True)):
        raise runtime_error(f"size {{{list(target)}}} is not expandable to size {{{list(sizes)}}}.")
    return self if target == sizes else apply(basic.sum_to, (self,), {"shape": target})


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: Number = 0) -> Tensor:
    """`nn.functional.pad` with a constant."""
    return padded(input, pad, "constant", value)


# ---------------------------------------------------------------- differences


def gradient(
    input: Tensor, *, spacing: Any = 1, dim: int | Sequence[int] | None = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """Slopes of a function whose values on a grid are ``input``, one Tensor for each of ``dim``.

    Inside by central differences of second order, at the ends by differences of order ``edge_order``.  ``spacing`` is
    one distance, one for each dimension, or vectors of coordinates.  (Fornberg, Mathematics of Computation 51, 1988.)
    """
    if input._array.dtype.kind in "bu":
        raise runtime_error(f"torch.gradient does not support {input.dtype} input; convert it with .float()")
    ndim = input._array.ndim
    dims = (
        [*range(ndim)]
        if dim is None
        else [one_dim(d, ndim) for d in ([dim] if isinstance(dim, int) else dim)]
    )
    if len({*dims}) < len(dims):
        raise runtime_error(f"torch.gradient: a dim appears multiple times in the list of dims: {dims}")
    steps = _spacings(spacing, dims, input)
    if edge_order not in (1, 2):
        raise runtime_error("torch.gradient only supports edge_order=1 and edge_order=2.")
    for d in dims:
        if input._array.shape[d] < edge_order + 1:
            raise runtime_error("torch.gradient expected each dimension size to be at least edge_order+1")
    x = input if input._array.dtype.kind in "fcV" else cast(input, default_float())
    return tuple(_slopes(x, d, step, edge_order) for d, step in zip(dims, steps, strict=True))


def _spacings(spacing: Any, dims: list[int], input: Tensor) -> list[Any]:
    """By dimension, the distance or the coordinates."""
    spacing = 1 if spacing is None else spacing
    several = [*spacing] if isinstance(spacing, (list, tuple)) else [spacing] * len(dims)
    if len(several) != len(dims):
        raise runtime_error(
            f"torch.gradient expected spacing to be unspecified, a scalar or a list of length {len(dims)}, got a list "
            f"of length {len(several)}"
        )
    for d, s in zip(dims, several, strict=True):
        if isinstance(s, Tensor) and s._array.ndim and s._array.size != input._array.shape[d]:
            raise runtime_error(
                f"torch.gradient expected the coordinates of dimension {d} to be {input._array.shape[d]}, got "
                f"{s._array.size}"
            )
    return several


def _slopes(x: Tensor, d: int, step: Any, edge_order: int) -> Tensor:
    n = x._array.shape[d]

    def part(start: int, count: int) -> Tensor:
        return x.narrow(d, start, count)

    def along(t: Tensor) -> Tensor:
        return t.reshape([-1 if k == d else 1 for k in range(x._array.ndim)])

    even = not (isinstance(step, Tensor) and step._array.ndim)
    h: Any = wrap(step._array) if isinstance(step, Tensor) else step
    gaps = None if even else (step[1:] - step[:-1]).to(x.dtype)

    def gap(k: int) -> Any:
        return h if gaps is None else gaps[k]

    def end(first: int, second: int, third: int, a: Any, b: Any, sign: float) -> Tensor:
        if edge_order == 1:
            return (part(second, 1) - part(first, 1)) / a * sign
        # the slope at its first point of the parabola through three points, at distances a and b
        lead = part(first, 1) * (-(2 * a + b) / (a * (a + b)))
        slope = lead + part(second, 1) * ((a + b) / (a * b)) - part(third, 1) * (a / (b * (a + b)))
        return slope * sign

    pieces = [end(0, 1, min(2, n - 1), gap(0), gap(min(1, n - 2)), 1.0)]
    if n > 2:
        if gaps is None:
            pieces.append((part(2, n - 2) - part(0, n - 2)) / (2 * h))
        else:
            a, b = along(gaps[:-1]), along(gaps[1:])
            left, right = part(0, n - 2) * (-b / (a * (a + b))), part(2, n - 2) * (a / (b * (a + b)))
            pieces.append(left + part(1, n - 2) * ((b - a) / (a * b)) + right)
    pieces.append(end(n - 1, n - 2, max(n - 3, 0), gap(n - 2), gap(max(n - 3, 0)), -1.0))
    return cat(pieces, d)


METHODS = """
    sum_to_size unfold unsafe_chunk unsafe_split
"""
public(globals(), __all__, home="minigrad")
public(globals(), ("sum_to_size", "unfold"), home="minigrad", cls="Tensor.")

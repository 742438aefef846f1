"""Names that PyTorch keeps for the error alone, which says what to use, and memory that a Tensor takes over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from minigrad.core.apply import needs_value
from minigrad.core.mode import MODE
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.views import check_change
from minigrad.errors import runtime_error, type_error, warn
from minigrad.functions.strides import as_strided
from minigrad.gate import public
from minigrad.storage import TypedStorage, UntypedStorage

__all__ = ["eig", "lstsq", "matrix_rank", "solve", "symeig"]


def _removed(name: str, now: str) -> NoReturn:
    raise runtime_error(
        f"This function was deprecated since version 1.9 and is now removed: {name}. Use {now} instead."
    )


def symeig(input: Tensor, eigenvectors: bool = False, upper: bool = True) -> NoReturn:
    """RuntimeError: it is `linalg.eigh` or `linalg.eigvalsh` today."""
    _removed("symeig", "linalg.eigh(A, UPLO='U'), or linalg.eigvalsh for the values alone,")


def eig(input: Tensor, eigenvectors: bool = False) -> NoReturn:
    """RuntimeError: it is `linalg.eig` or `linalg.eigvals` today, which are complex."""
    _removed("eig", "linalg.eig, or linalg.eigvals for the values alone; they are complex,")


def lstsq(input: Tensor, A: Tensor) -> NoReturn:
    """RuntimeError: it is `linalg.lstsq` today, with the arguments the other way round."""
    _removed("lstsq", "linalg.lstsq(A, B), with the arguments the other way round,")


def solve(input: Tensor, A: Tensor) -> NoReturn:
    """RuntimeError: it is `linalg.solve` today, with the arguments the other way round."""
    _removed("solve", "linalg.solve(A, B), with the arguments the other way round,")


def matrix_rank(input: Tensor, tol: Any = None, symmetric: bool = False) -> NoReturn:
    """RuntimeError: it is `linalg.matrix_rank` today."""
    _removed("matrix_rank", "linalg.matrix_rank, with `hermitian` for `symmetric`,")


def reinforce(self: Tensor, *args: Any) -> NoReturn:
    """RuntimeError: `distributions` have what took its place."""
    raise runtime_error(
        "reinforce() was removed. Use distributions: m = Categorical(probs); action = m.sample(); loss = "
        "-m.log_prob(action) * reward; loss.backward()"
    )


def resize(self: Tensor, *sizes: Any) -> Tensor:
    """`reshape`, where it does not change the number of elements. A UserWarning says that it is deprecated."""
    warn("non-inplace resize is deprecated; use reshape()")
    return self.reshape(*sizes)


def resize_as(self: Tensor, tensor: Tensor) -> Tensor:
    """`resize` to the shape of another Tensor."""
    warn("non-inplace resize_as is deprecated; use reshape_as()")
    return self.reshape(tensor._array.shape)


def set_(
    self: Tensor, source: Any = None, storage_offset: int = 0, size: Sequence[int] | None = None,
    stride: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Gives the Tensor the memory of another Tensor, or of a storage, without a copy; without a source, none.

    With ``size`` it shows so much of it from ``storage_offset`` on, with ``stride`` or row by row. RuntimeError for a
    Tensor of another element type, TypeError for another object.
    """
    needs_value("set_()")
    if MODE.get().grad:
        check_change(self)
    kind = self._array.dtype
    if source is None:
        base = wrap(np.empty(0, kind))
    elif isinstance(source, Tensor):
        if source._array.dtype != kind:
            raise runtime_error(
                f"Could not set tensor of type {source.dtype} to a tensor of type {self.dtype}"
            )
        base = source.detach()
    elif isinstance(source, (TypedStorage, UntypedStorage)):
        base = wrap(source._flat.view(kind))
        size = [base._array.size - storage_offset] if size is None else size
    else:
        raise type_error(
            f"set_(): argument 'source' must be a Tensor or a storage, not {type(source).__name__}"
        )
    if size is not None:
        steps = [1]
        for n in [*size][:0:-1]:
            steps.insert(0, steps[0] * max(n, 1))
        base = as_strided(base, size, steps[: len(size)] if stride is None else stride, storage_offset)
    self.data = base
    return self


METHODS = "eig lstsq reinforce resize resize_as set_ solve symeig"
public(globals(), __all__, home="minigrad")
public(globals(), ["reinforce", "resize", "resize_as", "set_"], home="minigrad", cls="Tensor.")

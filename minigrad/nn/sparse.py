"""Embedding and EmbeddingBag: rows of a table, by index."""

from __future__ import annotations

from minigrad.autograd import no_grad
from minigrad.device import DeviceLike, check_device
from minigrad.dtypes import dtype as DType
from minigrad.errors import value_error
from minigrad.functions.creation import empty
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

__all__ = ["Embedding", "EmbeddingBag"]


class _Rows(Module):
    """What the two kinds of tables have in common: a weight of rows, of which one may be zeros."""

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    weight: Parameter
    _padding = "padding_idx"  # how its error begins

    def _set_options(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
    ) -> None:
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise value_error(f"{self._padding} must be within num_embeddings")
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq

    def _set_weight(self, rows: Tensor | None, freeze: bool, dtype: DType | None) -> None:
        shape = self.num_embeddings, self.embedding_dim
        if rows is not None and tuple(rows.shape) != shape:
            raise value_error("Shape of weight does not match num_embeddings and embedding_dim")
        values = empty(shape, dtype=dtype) if rows is None else rows
        self.weight = Parameter(values, requires_grad=not freeze)
        if rows is None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the rows anew."""
        init.normal_(self.weight)
        self._fill_padding_idx_with_zero()

    def _fill_padding_idx_with_zero(self) -> None:
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)


def _rows_and_width(embeddings: Tensor) -> tuple[int, int]:
    if embeddings.dim() != 2:
        raise value_error("Embeddings parameter is expected to be 2-dimensional")
    return embeddings.shape[0], embeddings.shape[1]


class Embedding(_Rows):
    """Looks up rows of ``weight`` (num_embeddings, embedding_dim) by an input of integer indices.

    The weight starts normally distributed, and with zeros in row ``padding_idx``, which gets no gradient. The other
    arguments are those of :func:`minigrad.nn.functional.embedding`. ValueError for a ``padding_idx`` out of range.
    """

    _padding = "Padding_idx"

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        check_device(device)
        self._set_options(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq)
        self._set_weight(_weight, _freeze, dtype)
        self.sparse = sparse

    def forward(self, input: Tensor) -> Tensor:
        how = (self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse)
        return F.embedding(input, self.weight, self.padding_idx, *how)

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        defaults = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False}
        parts += [f"{name}={getattr(self, name)}" for name, d in defaults.items() if getattr(self, name) != d]
        return ", ".join([*parts, "sparse=True"] if self.sparse else parts)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An Embedding whose weight is ``embeddings``; with ``freeze`` it gets no gradient."""
        rows, width = _rows_and_width(embeddings)
        how = (padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
        return cls(rows, width, *how, _weight=embeddings, _freeze=freeze)


class EmbeddingBag(_Rows):
    """The mean, sum or maximum, by ``mode``, of bags of rows of ``weight`` (num_embeddings, embedding_dim).

    The weight starts normally distributed, with zeros in row ``padding_idx``. The arguments are those of
    :func:`minigrad.nn.functional.embedding_bag`. ValueError for a ``padding_idx`` out of range.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        check_device(device)
        self._set_options(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq)
        self._set_weight(_weight, False, dtype)
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    def forward(
        self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        how = (self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode, self.sparse)
        which = (per_sample_weights, self.include_last_offset, self.padding_idx)
        return F.embedding_bag(input, self.weight, offsets, *how, *which)

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        defaults = {"max_norm": None, "norm_type": 2, "scale_grad_by_freq": False}
        parts += [
            f"{name}={getattr(self, name)!r}" for name, d in defaults.items() if getattr(self, name) != d
        ]
        parts.append(f"mode={self.mode!r}")
        return ", ".join(parts if self.padding_idx is None else [*parts, f"padding_idx={self.padding_idx}"])

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """An EmbeddingBag whose weight is ``embeddings``; with ``freeze`` it gets no gradient."""
        rows, width = _rows_and_width(embeddings)
        how = (max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings, include_last_offset)
        bag = cls(rows, width, *how, padding_idx)
        bag.weight.requires_grad_(not freeze)
        return bag

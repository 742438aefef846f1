"""Sequences of different lengths: padded to one size, or packed without padding, as recurrent layers take them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad.core.apply import cast
from minigrad.core.names import known_as
from minigrad.core.tensor import wrap
from minigrad.dtypes import bfloat16, float16, float32, float64, int8, int16, int32, int64, uint8
from minigrad.errors import runtime_error, type_error, value_error
from minigrad.functions.creation import as_tensor, full
from minigrad.functions.dims import one_dim, tensor_list
from minigrad.functions.parts import cat
from minigrad.gate import public
from minigrad.tensor import Tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences of several lengths packed without padding: step by step, the longest sequence first.

    ``data`` (total length, ...) has the first elements of all sequences, then the second ones, and so on;
    ``batch_sizes`` (int64, longest length) says how many sequences have each step. ``sorted_indices`` are the
    indices of the sequences before they were sorted, ``unsorted_indices`` the inverse. Made by
    :func:`pack_sequence` and :func:`pack_padded_sequence`.
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise type_error("PackedSequence expects data and batch_sizes, or a pair of them")
            data, batch_sizes = data
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with ``data.to(...)``."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def double(self) -> PackedSequence:
        """The same in float64."""
        return self.to(float64)

    def float(self) -> PackedSequence:
        """The same in float32."""
        return self.to(float32)

    def half(self) -> PackedSequence:
        """The same in float16."""
        return self.to(float16)

    def bfloat16(self) -> PackedSequence:
        """The same in bfloat16."""
        return self.to(bfloat16)

    def long(self) -> PackedSequence:
        """The same in int64."""
        return self.to(int64)

    def int(self) -> PackedSequence:
        """The same in int32."""
        return self.to(int32)

    def short(self) -> PackedSequence:
        """The same in int16."""
        return self.to(int16)

    def char(self) -> PackedSequence:
        """The same in int8."""
        return self.to(int8)

    def byte(self) -> PackedSequence:
        """The same in uint8."""
        return self.to(uint8)

    def cpu(self) -> PackedSequence:
        """The same: there is one device."""
        return self

    @property
    def is_cuda(self) -> bool:
        """False: there is one device."""
        return False

    def is_pinned(self) -> bool:
        """False: there is one kind of memory."""
        return False


def runs_of(batch_sizes: Tensor) -> tuple[tuple[int, int], ...]:
    """How many steps have each size: pairs of a number of steps and a number of sequences."""
    return tuple((len(list(group)), int(n)) for n, group in groupby(batch_sizes.tolist()))


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The places at which the numbers 0, 1, ... stand in a permutation; None of None."""
    if permutation is None:
        return None
    order = np.asarray(permutation.tolist(), np.int64)
    inverse = np.empty_like(order)
    inverse[order] = np.arange(len(order))
    return wrap(inverse)


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Sequence[int] | Any,
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Packs the padded sequences in ``input`` (longest, batch, ...), of these ``lengths``.

    ``batch_first`` is for (batch, longest, ...). RuntimeError for lengths that are not sorted, the longest first,
    unless ``enforce_sorted`` is False, and for lengths that are not positive, too large or not one for each sequence.
    """
    sizes = np.asarray(lengths.tolist() if isinstance(lengths, Tensor) else lengths, np.int64)
    if sizes.ndim != 1:
        raise runtime_error("'lengths' argument should be a 1D CPU int64 tensor")
    if not input._array.size:
        raise runtime_error("Cannot pack empty tensors.")
    if batch_first:
        input = input.transpose(0, 1)
    one_dim(1, input._array.ndim)  # IndexError for a vector
    longest, batch = input._array.shape[:2]
    if len(sizes) != batch:
        raise runtime_error(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} (batch_size={batch})"
        )
    order: Any = None
    if not enforce_sorted:
        order = np.argsort(-sizes, kind="stable")
        sizes = sizes[order]
    if sizes.min() <= 0:
        raise runtime_error(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if (sizes[1:] > sizes[:-1]).any():
        raise runtime_error(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False`, and the sequences are sorted here"
        )
    if sizes[0] > longest:
        raise runtime_error(
            f"Expected lengths of at most {longest}, the padded size, but got {sizes[0]} (input "
            f"{list(input._array.shape)})"
        )
    held = np.arange(sizes[0])[:, None] < sizes
    step, sequence = np.nonzero(held)
    rows = step * batch + (sequence if order is None else order[sequence])
    data = input.reshape(longest * batch, *input._array.shape[2:])[wrap(rows)]
    counts = wrap(held.sum(1, dtype=np.int64))
    known_as("PackPaddedSequenceBackward0", data)
    return PackedSequence(data, counts, None if order is None else wrap(order))


def _lengths(sequence: PackedSequence) -> Any:
    counts = np.asarray(sequence.batch_sizes.tolist())
    return (counts[:, None] > np.arange(counts[0])).sum(0, dtype=np.int64)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Unpacks to one Tensor (longest, batch, ...) with ``padding_value`` behind each sequence, and the lengths.

    ``batch_first`` makes it (batch, longest, ...). ``total_length`` replaces the longest length; ValueError if it is
    less.
    """
    lengths = _lengths(sequence)
    longest, batch = int(lengths[0]), len(lengths)
    if total_length is not None:
        if total_length < longest:
            raise value_error(
                f"Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {longest}"
            )
        longest = total_length
    step = np.arange(longest)[:, None]
    first = np.append(0, np.cumsum(sequence.batch_sizes.tolist()))
    first = np.append(first, np.zeros(longest, np.int64))[:longest, None]
    rows = np.where(step < lengths, first + np.arange(batch), len(sequence.data._array))
    if sequence.unsorted_indices is not None:
        order = np.asarray(sequence.unsorted_indices.tolist())
        rows, lengths = rows[:, order], lengths[order]
    y = _with_padding(sequence.data, rows.T if batch_first else rows, padding_value)
    if sequence.unsorted_indices is not None:
        known_as("IndexSelectBackward0", y)
    elif batch_first:
        known_as("TransposeBackward0", y)
    return y, wrap(lengths)


def _with_padding(data: Tensor, rows: Any, value: float) -> Tensor:
    """The rows of ``data`` by number; the number behind the last one stands for a row of ``value``."""
    if rows.size and rows.max() == len(data._array):
        padding = full((1, *data._array.shape[1:]), value, dtype=data.dtype)
        data = cat((data, padding))
    return known_as("CopySlices", data[wrap(np.ascontiguousarray(rows))])


def pad_sequence(
    sequences: Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Pads Tensors (length, ...) to one length and stacks them: (longest, batch, ...).

    ``batch_first`` makes it (batch, longest, ...). ``padding_side`` is "right" or "left". RuntimeError for another
    one, for an empty list, and for anything but Tensors of a dimension or more.
    """
    if not isinstance(sequences, Iterable):
        raise runtime_error(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    several = [*sequences]
    if not several:
        raise runtime_error("received an empty list of sequences")
    tensors = tensor_list("pad_sequence", several)
    if padding_side not in ("right", "left"):
        raise runtime_error(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    if not all(t._array.ndim for t in tensors):
        raise runtime_error("pad_sequence: a Tensor without dimensions has no length; use reshape(1)")
    # as in PyTorch, all get the first one's element type
    tensors = [cast(t, tensors[0]._array.dtype) for t in tensors]
    lengths = np.array([len(t._array) for t in tensors])
    longest = int(lengths.max())
    step = np.arange(longest)[:, None]
    if padding_side == "left":
        step = step - (longest - lengths)
    first = np.cumsum(lengths) - lengths
    rows = np.where((step >= 0) & (step < lengths), first + step, lengths.sum())
    return _with_padding(cat(tensors), rows.T if batch_first else rows, padding_value)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of these lengths in a padded Tensor: the inverse of :func:`pad_sequence`."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    sizes = as_tensor(lengths).tolist()
    return [sequence[:n].clone() for sequence, n in zip(padded_sequences.unbind(0), sizes, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs Tensors (length, ...) of decreasing lengths, or of any if ``enforce_sorted`` is False."""
    lengths = [len(t._array) for t in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The Tensors that were packed."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


public(globals(), __all__[1:], check="Tensors", home="minigrad.nn.utils.rnn")

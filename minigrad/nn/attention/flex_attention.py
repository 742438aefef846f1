"""`flex_attention`: attention whose scores and mask are functions of positions, as in ``torch.nn.attention``.

Such a function gets the indices of batch, head, query and key, as integer Tensors that broadcast to all positions.  It
must consist of operations that broadcast too.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

from minigrad.dtypes import float64
from minigrad.errors import runtime_error, value_error
from minigrad.functions.creation import arange
from minigrad.functions.elementwise import where
from minigrad.functions.parts import cat
from minigrad.tensor import Tensor

__all__ = [
    "AuxOutput", "AuxRequest", "BlockMask", "and_masks", "create_block_mask", "create_mask", "flex_attention",
    "noop_mask", "or_masks",
]  # fmt: skip

MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
_DEFAULT_SPARSE_BLOCK_SIZE = 128  # packages name it


def _places(*shape: int) -> list[Tensor]:
    """The numbers along each dimension, with the others of length 1."""
    return [arange(n).reshape([n if d == k else 1 for k in range(len(shape))]) for d, n in enumerate(shape)]


def noop_mask(batch: Tensor, head: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
    """Every query sees every key."""
    return (q_idx >= 0) & (kv_idx >= 0)


def and_masks(*mask_mods: MaskMod) -> MaskMod:
    """The mask function that allows what all of these allow. RuntimeError for anything but a function."""
    return _joined(operator.and_, noop_mask, mask_mods)


def or_masks(*mask_mods: MaskMod) -> MaskMod:
    """The mask function that allows what any of these allows. RuntimeError for anything but a function."""
    return _joined(operator.or_, lambda *places: ~noop_mask(*places), mask_mods)


def _joined(join: Callable[[Tensor, Tensor], Tensor], first: MaskMod, mods: tuple[MaskMod, ...]) -> MaskMod:
    if not all(map(callable, mods)):
        raise runtime_error(f"All inputs should be callable mask_mods, got {mods}")
    return lambda *places: reduce(join, (mod(*places) for mod in mods), first(*places))


def create_mask(
    mod_fn: MaskMod, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None
) -> Tensor:
    """The bool mask (B, H, Q_LEN, KV_LEN) of a mask function; None stands for 1."""
    shape = (1 if B is None else B, 1 if H is None else H, Q_LEN, KV_LEN)
    return mod_fn(*_places(*shape)).bool().expand(shape)


class BlockMask:
    """A mask, and which of its blocks are empty; here `flex_attention` reads only the mask."""

    def __init__(self, mask: Tensor, mask_mod: MaskMod, block: tuple[int, int]) -> None:
        self.mask, self.mask_mod, self.BLOCK_SIZE = mask, mask_mod, block
        self.seq_lengths = tuple(mask.shape[-2:])

    @property
    def shape(self) -> tuple[int, ...]:
        """(batches, heads, queries, keys)."""
        return tuple(self.mask.shape)

    def numel(self) -> int:
        """How many elements the mask has."""
        return math.prod(self.shape)

    def to_dense(self) -> Tensor:
        """1 for each block in which a query sees a key, else 0."""
        rows, columns = self.BLOCK_SIZE
        mask = self.mask
        lines = [part.any(-2, keepdim=True) for part in mask.split(rows, -2)]
        blocks = [[part.any(-1, keepdim=True) for part in line.split(columns, -1)] for line in lines]
        return cat([cat(line, -1) for line in blocks], -2).int()

    def sparsity(self) -> float:
        """The percentage of blocks that are empty."""
        return 100.0 * (1.0 - float(self.to_dense().float().mean()))

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%)"


def create_block_mask(
    mask_mod: MaskMod, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None,
    BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE, _compile: bool = False,
) -> BlockMask:  # fmt: skip
    """The `BlockMask` of a mask function, for `flex_attention`; B and H of None broadcast."""
    block = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else tuple(BLOCK_SIZE)
    return BlockMask(create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device), mask_mod, (block[0], block[1]))


class AuxRequest(NamedTuple):
    """What else `flex_attention` is to return: the logarithms of the sums of exponentials, the largest scores."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What an `AuxRequest` has asked for, each (B, H, L), else None."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


def flex_attention(
    query: Tensor, key: Tensor, value: Tensor, score_mod: Callable[..., Tensor] | None = None,
    block_mask: BlockMask | None = None, scale: float | None = None, enable_gqa: bool = False,
    return_lse: bool = False, kernel_options: Any = None, *, return_aux: AuxRequest | None = None,
) -> Any:  # fmt: skip
    """``softmax(mod(query @ key.mT * scale)) @ value``: (B, H, L, E), (B, H, S, E) and (B, H, S, V) give (B, H, L, V).

    ``score_mod(score, batch, head, q_idx, kv_idx)`` returns other scores; ``block_mask`` says what a query may see.  A
    query that may see nothing gives zeros.  With ``enable_gqa`` heads of query share those of key and value.  With
    ``return_lse`` the logarithms of the sums of exponentials, (B, H, L), come too, with ``return_aux`` an `AuxOutput`
    of what that asks for.  Scores are float64 for float64, else float32, and all in memory at once.  ValueError for
    shapes that do not fit, and for different dtypes.
    """
    dtype = query.dtype
    if not dtype == key.dtype == value.dtype:
        raise value_error(
            f"Expected query, key, and value to have the same dtype, but got {dtype}, {key.dtype} and {value.dtype}"
        )
    if not query.dim() == key.dim() == value.dim() == 4:
        raise value_error(
            "query, key, and value must be 4D tensors: (batch, heads, sequence, features), but got shapes "
            f"{[tuple(x.shape) for x in (query, key, value)]}"
        )
    if key.shape[:3] != value.shape[:3] or key.shape[0] not in (1, query.shape[0]):
        raise value_error(
            "Expect key and value to have the same batches, heads and lengths, and the batches of query or one, but "
            f"got shapes {[tuple(x.shape) for x in (query, key, value)]}"
        )
    query, key, value = (x if dtype == float64 else x.float() for x in (query, key, value))
    if key.shape[-1] != query.shape[-1]:
        raise value_error(
            "Expect query and key/value to have the same embedding dimension: query has "
            f"{query.shape[-1]}, key {key.shape[-1]}"
        )
    heads, groups = query.shape[-3], key.shape[-3]
    if heads != groups:
        if not enable_gqa:
            raise value_error(
                f"Expect query and key/value to have the same number of heads: query has {heads}, key {groups}; "
                "with enable_gqa=True several heads of query share one of key"
            )
        if heads % groups:
            raise value_error(
                f"Expect number of query heads to be a multiple of kv heads but got {heads}, {groups}"
            )
        key, value = (x.repeat_interleave(heads // groups, -3) for x in (key, value))
    scores = (query * (1.0 / math.sqrt(query.shape[-1]) if scale is None else scale)) @ key.mT
    shape = scores.shape
    if score_mod is not None:
        scores = score_mod(scores, *_places(*shape)).to(query.dtype).expand(shape)
    if block_mask is not None:
        b, h, *lengths = block_mask.shape
        if lengths != [*shape[2:]] or b not in (1, shape[0]) or h not in (1, shape[1]):
            raise value_error(
                f"block_mask was created for block_mask.shape={block_mask.shape} but got q_len={shape[-2]} and "
                f"kv_len={shape[-1]}, with {shape[0]} batches and {shape[1]} heads"
            )
        scores = where(block_mask.mask, scores, -math.inf)
    lse = scores.logsumexp(-1)
    p = (scores - where(lse == -math.inf, 0.0, lse).unsqueeze(-1)).exp()
    y = (p @ value).to(dtype)
    if return_aux is not None:
        most = scores.amax(-1) if return_aux.max_scores else None
        return y, AuxOutput(lse if return_aux.lse else None, most)
    return (y, lse) if return_lse else y

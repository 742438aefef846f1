"""What subclasses of recurrent layers ask of them, in copies of PyTorch's ``forward``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad.core.mode import MODE
from minigrad.errors import runtime_error, value_error
from minigrad.tensor import Tensor

__all__ = ["Asked"]


class Asked:
    """Methods of `nn.RNNBase`."""

    if TYPE_CHECKING:
        _all_weights: list[list[str]]
        batch_first: bool
        hidden_size: int
        proj_size: int
        input_size: int
        _states: Any

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """ValueError for another dtype than the weights', RuntimeError for another size than the module's."""
        weight = getattr(self, self._all_weights[0][0])
        if input._array.dtype != weight._array.dtype and MODE.get().autocast is None:
            raise value_error(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). Convert input: "
                f"input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )
        rank = 3 if batch_sizes is None else 2
        if input.dim() != rank:
            raise runtime_error(f"input must have {rank} dimensions, got {input.dim()}")
        if input._array.shape[-1] != self.input_size:
            raise runtime_error(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{input._array.shape[-1]}"
            )

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape of the hidden states for an input, or for packed data with their ``batch_sizes``."""
        batch = input.size(0 if self.batch_first else 1) if batch_sizes is None else int(batch_sizes[0])
        return len(self._all_weights), batch, self.proj_size or self.hidden_size

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, ...], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """RuntimeError for another shape."""
        if tuple(hx.shape) != tuple(expected_hidden_size):
            raise runtime_error(msg.format(expected_hidden_size, [*hx.shape]))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raises for an input or states that do not fit."""
        self.check_input(input, batch_sizes)
        batch = self.get_expected_hidden_size(input, batch_sizes)[1]
        self._states([hidden] if isinstance(hidden, Tensor) else hidden, input, batch, None)

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states in the order of other sequences."""
        if permutation is None:
            return hx
        if isinstance(hx, Tensor):
            return hx.index_select(1, permutation)
        return tuple(t.index_select(1, permutation) for t in hx)

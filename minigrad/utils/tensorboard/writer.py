"""`SummaryWriter`: that of the package tensorboardX (the extra ``tensorboard``), which takes arrays."""

from __future__ import annotations

import functools
from typing import Any, Self

from minigrad.core.tensor import Tensor
from minigrad.errors import warn

__all__ = ["SummaryWriter"]


def _arrays(x: Any) -> Any:
    """What is given, with arrays in the place of Tensors."""
    if isinstance(x, Tensor):
        return x.detach().float().numpy() if x.is_floating_point() else x.detach().numpy()
    if isinstance(x, dict):
        return {key: _arrays(value) for key, value in x.items()}
    return type(x)(map(_arrays, x)) if type(x) in (list, tuple) else x


class SummaryWriter:
    """Writes the files that TensorBoard shows; its methods are those of tensorboardX, and take Tensors too."""

    def __init__(self, *args: Any, **options: Any) -> None:
        try:
            import tensorboardX
        except ImportError:
            raise ModuleNotFoundError(
                "utils.tensorboard needs the package tensorboardX (the extra `tensorboard`): pip install "
                '"minigrad-tape[tensorboard]"',
                name="tensorboardX",
            ) from None
        self._writer = tensorboardX.SummaryWriter(*args, **options)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._writer, name)
        if not name.startswith("add_"):
            return value
        return functools.wraps(value)(lambda *args, **options: value(*_arrays(args), **_arrays(options)))

    def add_graph(self, model: Any, *inputs: Any, **options: Any) -> None:
        """Writes nothing, and warns: `minigrad.draw` draws what a model records."""
        warn("add_graph() writes no graph for TensorBoard; minigrad.draw(model(x)) draws it")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._writer.close()

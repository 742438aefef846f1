"""How sparse Tensors look as text: character for character that of PyTorch's ``repr``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad._printing import values_text, with_suffixes


def sparse_text(parts: dict[str, np.ndarray[Any, Any]], suffixes: Sequence[str], below: bool) -> str:
    """The text of a Tensor that consists of such arrays; the suffixes begin a line, or follow where there is room."""
    indent = len("tensor(")
    texts = []
    for name, array in parts.items():
        opening = f"{name}=tensor("
        hidden = "" if array.size else f", size={array.shape}"
        texts.append(opening + values_text(array, indent + len(opening)) + hidden + ")")
    return with_suffixes("tensor(" + (",\n" + " " * indent).join(texts), suffixes, indent, below=below)

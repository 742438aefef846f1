"""How a tensor looks as text: the layout of PyTorch's ``repr``, from a NumPy array.

The format (scientific, plain or whole numbers) and the width of columns are chosen once for the whole tensor, so that
columns line up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "PRINT_OPTS",
    "PrintOptions",
    "get_printoptions",
    "printoptions",
    "set_printoptions",
    "tensor_text",
]


@dataclass
class PrintOptions:
    """What :func:`set_printoptions` sets; the defaults are PyTorch's."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}

# As in PyTorch there is one setting for the process: a choice in the main thread holds for what other threads print.
# Programs know it as ``torch._tensor_str.PRINT_OPTS``, and write to it.
PRINT_OPTS = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how Tensors are printed. None leaves an option as it is, but makes ``sci_mode`` automatic.

    Args:
        precision: digits after the point of a floating number (4).
        threshold: with more elements than this, only the edges are printed (1000).
        edgeitems: how many items of each edge a summary shows (3).
        linewidth: characters a line (80).
        profile: start from ``"default"``, ``"short"`` or ``"full"`` (all elements).
        sci_mode: scientific notation always (True), never (False) or where the numbers ask for it (None).

    Raises:
        ValueError: an unknown profile.
    """
    base = PRINT_OPTS
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: unknown profile {profile!r}; take one of {list(_PROFILES)}")
        base = _PROFILES[profile]
    options = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    vars(PRINT_OPTS).update(asdict(base), sci_mode=sci_mode, **changes)


def get_printoptions() -> dict[str, Any]:
    """The options in force, by name."""
    return asdict(PRINT_OPTS)


@contextmanager
def printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> Iterator[None]:
    """:func:`set_printoptions` for the length of a ``with`` block."""
    before = get_printoptions()
    set_printoptions(precision, threshold, edgeitems, linewidth, profile, sci_mode)
    try:
        yield
    finally:
        set_printoptions(**before)


def tensor_text(array: npt.NDArray[Any], *, suffixes: Sequence[str] = (), prefix: str = "tensor(") -> str:
    """The text of a tensor, character for character that of PyTorch's ``repr``.

    Args:
        array: the values, of any shape and of any dtype that a Tensor has.
        suffixes: what follows the values, such as ``"dtype=torch.float64"`` or ``"requires_grad=True"``; the
            caller decides on them. Only ``size=(...)`` is added here, in front, where the values do not show
            the shape: an empty array that is not 1-d, or ``edgeitems=0``.
        prefix: the opening; further lines are indented by its length.

    >>> tensor_text(np.array([1.0, 2.5, -3.0], dtype=np.float32), suffixes=["requires_grad=True"])
    'tensor([ 1.0000,  2.5000, -3.0000], requires_grad=True)'
    """
    options = PRINT_OPTS
    shape_is_hidden = array.ndim != 1 if array.size == 0 else not options.edgeitems
    pieces = [f"size={array.shape}", *suffixes] if shape_is_hidden else suffixes
    return with_suffixes(prefix + values_text(array, len(prefix)), pieces, len(prefix))


def with_suffixes(text: str, pieces: Sequence[str], indent: int, *, below: bool = False) -> str:
    """A text with what follows its values, and the bracket that ends it; ``below`` begins in a line of its own."""
    column = len(text) - text.rfind("\n") + 1  # PyTorch's count: one or two more than the characters there
    for piece in pieces:
        if below or column + len(piece) + 2 > PRINT_OPTS.linewidth:
            text += ",\n" + " " * indent + piece
            column, below = indent + len(piece), False
        else:
            text += ", " + piece
            column += len(piece) + 2
    return text + ")"


def values_text(array: npt.NDArray[Any], indent: int) -> str:
    """The values in brackets, whose further lines are indented."""
    return _values(array, indent, PRINT_OPTS) if array.size else "[]"


def _tensor_str(self: Any, indent: int) -> str:
    """The values of a Tensor without what stands around them; packages know it by PyTorch's private name."""
    return values_text(self._array, indent)


class _Formatter:
    """PyTorch's private name for how one Tensor's numbers are written: ``_Formatter(tensor).format(value)``."""

    def __init__(self, tensor: Any) -> None:
        self.format, self.max_width = _number_format(tensor._array.ravel(), PRINT_OPTS)

    def width(self) -> int:
        """The characters of a number."""
        return self.max_width


def _values(array: npt.NDArray[Any], indent: int, options: PrintOptions) -> str:
    summarise = array.size > options.threshold
    write, width = _number_format(_edges(array, options.edgeitems) if summarise else array, options)
    if array.ndim == 0:
        return write(array.item())
    return _nested(array, indent, summarise, write, width, options)


def _edges(array: npt.NDArray[Any], edgeitems: int) -> npt.NDArray[Any]:
    """What a summary shows of an array: only these elements choose the number format."""
    for axis, size in enumerate(array.shape):
        if size > 2 * edgeitems:
            # np.take would copy all of what is not contiguous, such as an expanded array
            array = array[(slice(None),) * axis + ([*range(edgeitems), *range(size - edgeitems, size)],)]
    return array


def _number_format(shown: npt.NDArray[Any], options: PrintOptions) -> tuple[Callable[[Any], str], int]:
    """The one format for all numbers of a tensor, chosen from those `shown`, and its width."""
    if shown.dtype.kind == "c":
        (first, one), (second, other) = (_number_format(part, options) for part in (shown.real, shown.imag))

        def both(value: complex) -> str:
            imaginary = second(value.imag).lstrip()
            return f"{first(value.real)}{'' if imaginary[0] == '-' else '+'}{imaginary}j"

        return both, one + other + 1
    write: Callable[[Any], str] = str
    widest = shown.ravel().tolist()
    if shown.dtype.kind in "fV":
        # Zeros and non-finite values neither choose the format nor widen the column.
        numbers = shown[np.isfinite(shown) & (shown != 0)].astype(np.float64)
        widest = numbers.tolist()
        write, whole = _whole, bool((numbers == np.ceil(numbers)).all())
        if widest:
            small, large = float(np.abs(numbers).min()), float(np.abs(numbers).max())
            scientific = options.sci_mode
            if scientific is None:
                scientific = large / small > 1000.0 or large > 1e8 or small < 1e-4
            if scientific or not whole:
                write = f"{{:.{options.precision}{'e' if scientific else 'f'}}}".format
    width = max((len(write(value)) for value in widest), default=1)
    return lambda value: write(value).rjust(width), width


def _whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"


def _nested(
    array: npt.NDArray[Any],
    indent: int,
    summarise: bool,
    write: Callable[[Any], str],
    width: int,
    options: PrintOptions,
) -> str:
    """The bracketed text of an array of one dimension or more."""
    edge = options.edgeitems
    cut = summarise and len(array) > 2 * edge
    head, tail = (array[:edge], array[len(array) - edge :]) if cut else (array, array[:0])
    gap = ["..."] if cut else []

    if array.ndim > 1:
        above, below = (
            [_nested(row, indent + 1, summarise, write, width, options) for row in part]
            for part in (head, tail)
        )
        rows = above + gap + below
        return "[" + (",\n" + "\n" * (array.ndim - 2) + " " * (indent + 1)).join(rows) + "]"

    if cut and edge:
        gap = [" ..."]
    items = [write(value) for value in head.tolist()] + gap + [write(value) for value in tail.tolist()]
    per_line = max(1, (options.linewidth - indent) // (width + 2))
    lines = [", ".join(items[start : start + per_line]) for start in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"

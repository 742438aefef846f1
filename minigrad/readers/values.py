"""Values, parameters and calls as short texts."""

from __future__ import annotations

import ast
import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from minigrad.core.node import Const, Node
from minigrad.core.op import Array, Op
from minigrad.core.tensor import Tensor
from minigrad.dtypes import dtype

SMALL = 6  # arrays of so many elements are printed
LONG = 32  # characters of a parameter that are shown
LONGEST = 64  # characters of a whole call, in a box


def size(shape: Sequence[int] | None) -> str:
    """``3 × 4``; ``number`` for a 0-d shape, nothing where there are several results."""
    if shape is None:
        return ""
    return " × ".join(map(str, shape)) if shape else "number"


def text(array: Array, digits: int = 4) -> str:
    """Small arrays as they are, larger ones as min, mean and max (or what all are) and how many are not finite."""
    array = np.asarray(array)
    if array.size <= SMALL:
        if array.ndim == 0:
            return number(array.item(), digits)
        return _nested(array, digits) if array.size else "empty"
    kind = array.dtype.kind
    if kind == "b":
        return f"{int(np.count_nonzero(array))} of {array.size} true"
    if kind == "c":
        return f"of size {text(np.abs(array), digits)}"
    if kind not in "iufV":
        return f"{array.size} elements"
    mask = np.isfinite(array)
    bad = array.size - int(np.count_nonzero(mask))
    finite = array[mask] if bad else array
    if not finite.size:
        return f"all {bad} not finite"
    least, largest = finite.min().item(), finite.max().item()
    if least == largest and not bad:
        return f"all {number(least, digits)}"
    mean = float(finite.mean(dtype=np.float64))
    if kind == "f" and abs(mean) < np.finfo(array.dtype).eps * np.abs(finite).max():
        mean = 0.0  # less than the rounding of the elements
    shown = (number(n, digits) for n in (least, mean, largest))
    summary = " … ".join(shown)
    return f"{summary}, {bad} not finite" if bad else summary


def number(value: Any, digits: int = 4) -> str:
    """A number in so many digits; a part of a complex one that is only rounding is 0."""
    if isinstance(value, complex) and math.isfinite(abs(value)):
        least = abs(value) * 10 ** -(digits + 3)
        value = complex(*(0.0 if abs(part) < least else part for part in (value.real, value.imag)))
    return f"{value + 0.0:.{digits}g}" if isinstance(value, (float, complex)) else str(value)


def _nested(array: Array, digits: int) -> str:
    if array.ndim == 1:
        return "[" + ", ".join(number(v, digits) for v in array.tolist()) + "]"
    return "[" + ", ".join(_nested(row, digits) for row in array) + "]"


def byte_count(n: int) -> str:
    """``1.5 kB``."""
    if n < 1000:
        return f"{n} B"
    power = min((len(str(n)) - 1) // 3, 3)
    return f"{n / 1000**power:.3g} {('kB', 'MB', 'GB')[power - 1]}"


def cut(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


# ---------------------------------------------------------------- operations


def part_of(node: Node) -> str:
    """Which part of a vector of several arrays a record takes, by the name that the vector's record has for it."""
    source, index = node.inputs[0] if node.inputs else None, node.params.get("index")
    packs = source.op.packs if isinstance(source, Node) and source.op is not None else None
    if packs is None or not _is_index(index):
        return ""
    parts = packs(source)
    ends = [*accumulate(map(math.prod, parts.values()), initial=0)]
    found = (name for name, *at in zip(parts, ends, ends[1:], strict=False) if (slice(*at),) == index)
    return next(found, "")


def parts_of(node: Node) -> str:
    """What a vector of several arrays holds: ``output 10 × 4, then h 2 × 4``."""
    op: Any = node.op
    parts = op.packs(node) if op.packs is not None else {}
    return ", then ".join(f"{name} {size(shape)}" for name, shape in parts.items())


def call(node: Node) -> str:
    """An operation with its numbers and parameters: ``mul(·, 2.0)``, ``sum(dim=1)``; ``output of lstm``."""
    if node.op is None:
        return ""
    if part := part_of(node):
        return f"{part} of {name_of(node.inputs[0])}"
    arguments: list[str] = []
    if any(n.__class__ is Const for n in node.inputs):
        arguments = [number(n.value) if n.__class__ is Const else "·" for n in node.inputs]
    name, told = _as_call(reading(node), tuple(input_names(node)))
    for key, value in parameters(node) if name is None else ():
        if key == "index" or _is_index(value):
            arguments.append(cut(f"[{_index(value)}]", LONG))
        elif text := words(key, value):
            arguments.append(cut(f"{key}={text}", LONG))
    arguments += told
    name = name or node.op.name
    return f"{name}({', '.join(arguments)})" if arguments else name


def name_of(node: Node) -> str:
    """What an operation is called: as its record says that it reads, or by its name."""
    op: Any = node.op
    return _as_call(reading(node), tuple(input_names(node)))[0] or str(op.name)


def reading(node: Node) -> str:
    """How an operation reads, if its record says so: in the names of inputs, with the parameters filled in."""
    op: Any = node.op
    reads = str(op.reads(node) if callable(op.reads) else op.reads)
    if "{" in reads:
        reads = reads.format(**{k: words(k, v) for k, v in node.params.items()})
    if not reads.isidentifier():
        return reads
    inputs = [x if i != op.star else f"*{x}" for i, x in enumerate(op.inputs)]
    return f"{reads}({', '.join([*inputs, *(f'{k}={words(k, v)}' for k, v in parameters(node))])})"


def input_names(node: Node) -> list[str]:
    """What the record calls the inputs."""
    op: Any = node.op
    if op.star is None:
        return list(op.inputs)
    return [*op.inputs[: op.star], *(f"{op.inputs[-1]}{k + 1}" for k in range(len(node.inputs) - op.star))]


@functools.lru_cache(maxsize=1024)
def _as_call(text: str, inputs: tuple[str, ...]) -> tuple[str | None, list[str]]:
    """The name of a call and its arguments beside whole inputs; of parts of these, a dot in the place of the name."""
    try:
        tree = ast.parse(text, mode="eval").body if text else None
    except SyntaxError:  # a parameter that is no expression
        tree = None
    if not isinstance(tree, ast.Call):
        return None, []
    whole = ast.Name, ast.Starred, ast.List
    kept = [*(a for a in tree.args if not isinstance(a, whole)), *tree.keywords]
    inner = rf"\b({'|'.join(inputs)})\b(?!=)"
    return ast.unparse(tree.func), [cut(re.sub(inner, "·", ast.unparse(a)), LONG) for a in kept]


def parameters(node: Node) -> Iterator[tuple[str, Any]]:
    """The parameters of an operation that say something."""
    op: Any = node.op
    for name in op.params:
        value = node.params.get(name)
        empty = (
            value is None or value is False or (isinstance(value, tuple) and not value and name != "shape")
        )
        if not (empty or (name in op.usual and _is_usual(value, op.usual[name]))):
            yield name, value


def _is_usual(value: Any, usual: Any) -> bool:
    if isinstance(value, tuple):
        return all(_is_usual(part, usual) for part in value)
    return usual is ... or bool(value == usual)


def words(name: str, value: object) -> str:
    """A parameter by its name: slices without brackets, one dimension as a number."""
    if name == "index":
        return _index(value) or "()"
    return parameter(value[0] if name == "dim" and isinstance(value, tuple) and len(value) == 1 else value)


def parameter(value: object) -> str:
    """A parameter of an operation; empty for an object that has no text of its own."""
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    if isinstance(value, Op):
        return value.name
    if isinstance(value, (np.ndarray, Tensor)):
        array = value._array if isinstance(value, Tensor) else value
        return text(array) if array.size <= SMALL else f"{size(array.shape)} {array.dtype}"
    if isinstance(value, tuple) and value and all(map(_is_step, value)):
        return "".join(map(_step, value))
    if isinstance(value, (tuple, list)):
        inner = ", ".join(parameter(v) or "…" for v in value)
        return f"({inner},)" if len(value) == 1 and not isinstance(value[0], (tuple, list)) else f"({inner})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {parameter(v) or '…'}" for k, v in value.items()) + "}"
    if isinstance(value, slice) or value is Ellipsis:
        return _index(value)
    if isinstance(value, (bool, int, str, np.dtype, dtype, type(None))):
        return str(value)
    if callable(value):
        return str(getattr(value, "__name__", ""))
    if type(value).__repr__ is object.__repr__:
        return ""
    # An address would make a picture differ from one process to the next.
    return " ".join(re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value)).split())


def _is_step(value: object) -> bool:
    """Whether a value is a step of the way to a view: an operation and its parameters."""
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Op)


def _step(step: tuple[Op, Mapping[str, Any]]) -> str:
    """``[1:]``, or ``.reshape(shape=(2, 3))``."""
    op, params = step
    if params.keys() == {"index"}:
        return f"[{_index(params['index'])}]"
    if params.keys() == {"shape"}:
        return f".{op.name}{parameter(params['shape'])}"
    return f".{op.name}({', '.join(f'{k}={parameter(v)}' for k, v in params.items() if parameter(v))})"


def _is_index(value: object) -> bool:
    """Whether a value is what stands between brackets: slices, the one or the other."""
    return isinstance(value, tuple) and any(isinstance(v, slice) or v is Ellipsis for v in value)


def _index(value: object) -> str:
    """``1:, ::2``."""
    if isinstance(value, tuple):
        return ", ".join(map(_index, value))
    if isinstance(value, slice):
        start, stop, step = ("" if n is None else str(n) for n in (value.start, value.stop, value.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return "..." if value is Ellipsis else parameter(value)

"""Why a bound is missed: of each kind of case that may be behind, a name and the cause, as the page says them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Miss(NamedTuple):
    """A bound that is not met: the row and the case, the figure, and the bound."""

    where: str
    figure: str
    bound: str


# The first that matches "where: figure" counts.
REASONS = (
    (
        r"compiled, .* × jax",
        "Compiled, against JAX",
        "XLA makes one program of a step, in which several operations share a pass over memory.",
    ),
    (
        r"compiled, .* × by hand",
        "Compiled small steps, against code by hand",
        "the same calls of NumPy remain, and they take most of the time; Numba makes a step faster, but a call still "
        "checks its arguments.",
    ),
    (
        r"compiled, .* × torch",
        "Compiled large steps, against PyTorch",
        "products of matrices take most of the time, and are as fast in both; what is left is a pass over memory for "
        "each step.",
    ),
    (
        r"step, .* × by hand",
        "An eager step, against code by hand",
        "each operation is recorded, some microseconds each, which counts while arrays are small.",
    ),
    (
        r"step, .* × torch",
        "An eager step, against PyTorch's",
        "both spend small steps around the arithmetic: Python here, C++ there, of which a faster processor takes more "
        "off.",
    ),
    (
        r"buffers of threads",
        "Buffers of threads",
        "each thread has its own, and what does not grow with the rows, gradients say, weighs more in a small batch.",
    ),
    (
        r"the first call",
        "The first call",
        "it records, plans and compiles, which takes as long for a small batch, whose eager steps are short.",
    ),
    (
        r"a replay beside",
        "A replay's own cost",
        "it looks at each module, table and Tensor that the function reaches, since Python can change each without a "
        "trace, and makes the Tensors of results and gradients.",
    ),
    (
        r".*(conv2d|LeNet)",
        "Convolutions",
        "NumPy has none: they are products of windows, image after image; PyTorch has kernels for them.",
    ),
    (r"memory, .*LSTM", "Memory", "many small operations leave many records."),
    (
        r".*LSTM",
        "LSTM",
        "each step in time is some calls of NumPy on small arrays, one after the other. Halves of a batch on two "
        "threads take 1.2 to 2 times as long, for each call needs Python's lock.",
    ),
    (
        r".*(embedding and MLP)",
        "A small network with an embedding",
        "its operations are many and its arrays small, so the calls cost more than the arithmetic.",
    ),
    (
        r"operations, (embedding|topk|scatter_add|cumsum)",
        "Indices and running sums",
        "NumPy takes several passes for them, and holds Python's lock while it adds at indices, 1.7 ns an element; "
        "PyTorch shares the rows among two threads.",
    ),
    (
        r"minigrad over NumPy",
        "Import",
        "the bytecode of the core's modules is read and run; families of operations load where they are first used. On "
        "a busy machine it takes some ms more.",
    ),
    (
        r"operations, |training, ",
        "Functions by element and by row",
        "NumPy goes over memory once for each elementary step, 24 times for a layer norm and 41 for a gelu, forward "
        "and backward: 2.9 and 4.5 ns an element on one core. Between two steps a thread needs Python's lock, so two "
        "take 0.6 to 0.75 of that. PyTorch's kernels do it in one pass.",
    ),
)


def why(miss: Miss) -> tuple[str, str]:
    """The name of its kind, and the cause; a kind of its own for what no one has explained."""
    for pattern, kind, cause in REASONS:
        if re.match(pattern, f"{miss.where}: {miss.figure}"):
            return kind, cause
    return "Others", "the cause is not known."


def grouped(missed: Sequence[Miss]) -> str:
    """A list, in Markdown: each kind with its cause, and below it the cases with their figures and bounds."""
    kinds: dict[tuple[str, str], list[Miss]] = {}
    for miss in missed:
        kinds.setdefault(why(miss), []).append(miss)
    lines = []
    for (kind, cause), cases in kinds.items():
        lines.append(f"- **{kind}**: {cause}")
        lines += [f"  - {miss.where}: {miss.figure}, bound {miss.bound}" for miss in cases]
    return "\n".join(lines)

"""Tables in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

WIDTH = 80
Rows = Sequence[Sequence[str]]
# What stands for signs that the output may not know, each as wide.
_ASCII = str.maketrans("─∂×…·µ", "-dx~.u")


def printable(text: str) -> str:
    """Text as the standard output can write it: a file or a pipe on Windows knows few signs."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "replace").decode(encoding)
    return text


def fitted(rows: Rows, *columns: int, least: int = 12, heads: int = 1) -> list[list[str]]:
    """Rows whose cells are printable; ``columns`` are cut in turn, until the table is no wider than ``WIDTH``."""
    cells = [
        ["".join(c if c.isprintable() else ascii(c)[1:-1] for c in cell) for cell in row] for row in rows
    ]
    for column in columns:
        widths = _widths(cells, heads)
        over = sum(widths.values()) + 2 * len(widths) - 2 - WIDTH
        if over > 0 and column in widths:
            room = max(least, widths[column] - over)
            for row in cells:
                row[column] = shortened(row[column], room)
    return cells


def shortened(text: str, room: int) -> str:
    """A name of at most ``room`` characters: of one that is longer the middle is left out, of a call the end."""
    if len(text) <= room:
        return text
    end = 0 if " " in text else room // 2
    return f"{text[: room - 1 - end]}…{text[len(text) - end :]}"


def aligned(rows: Rows, right: Sequence[int] = (), heads: int = 1, foot: bool = False) -> str:
    """Lines of cells in columns, with a rule under the heads and above a foot; empty columns are left out."""
    widths = _widths(rows := fitted(rows), heads)
    lines = [
        "  ".join(row[k].rjust(n) if k in right else row[k].ljust(n) for k, n in widths.items()).rstrip()
        for row in rows
    ]
    rule, last = "─" * max(map(len, lines)), len(lines) - foot
    return printable(
        "\n".join([*lines[:heads], rule, *lines[heads:last], *([rule, lines[-1]] if foot else [])])
    )


def _widths(rows: Rows, heads: int) -> dict[int, int]:
    """The width of each column that is not empty."""
    kept = [k for k in range(len(rows[0])) if any(row[k] for row in rows[heads:])]
    return {k: max(len(row[k]) for row in rows) for k in kept}

"""Programs that run twice, as they are and compiled, and have to do the same: the tables of the tests are of these.

A table is one text.  A line `== name | 3` begins a program, which may take so many recordings in all (without a number,
any).  `C` compiles, `T(seed, *shape)` makes a Tensor, `with called():` stands around a call that may raise.  After each
`look()` all that the program can see is compared, as fuzz_compile.py does it, and how Tensors lie in memory.  What
follows `-- ` is done in four rounds, `k` = 0 to 3, with `F = C(f)`, each followed by a `look()`.  A program that says
"or refused" may be refused.
"""

from __future__ import annotations

from textwrap import indent
from typing import Any

import pytest
from fuzz_compile import Look, both, disagreement


def programs(text: str, kind: Any = int) -> Any:
    """Parameters (program, most) from a table; what stands after the name is of this kind."""
    rows = []
    for part in text.split("\n== ")[1:]:
        title, _, program = part.partition("\n")
        name, _, most = title.partition(" | ")
        rows.append(pytest.param(looped(program), kind(most or 0), id=name))
    return pytest.mark.parametrize(("program", "most"), rows)


def looped(program: str) -> str:
    """A program whose lines after `-- ` are what each of four rounds does."""
    start, line, round_ = program.partition("\n-- ")
    round_ = indent(f"{round_.rstrip()}\nlook()\n", "    ")
    return f"{start}\nF = C(f)\nfor k in range(4):\n{round_}" if line else program


def agree(program: str, most: int = 0) -> None:
    runs = both(program)
    looks, others = ([entry for entry in run.log if isinstance(entry, Look)] for run in runs)
    assert len(looks) > 3, "the program ends early"
    difference, refusal = disagreement(program, runs)
    assert not difference, difference
    if refusal:
        assert "or refused" in program
        return
    assert [look.layouts for look in others] == [
        look.layouts for look in looks
    ] or "lies otherwise" in program
    assert sum(len(c.recordings) for c in runs[1].made) <= (most or 1000)

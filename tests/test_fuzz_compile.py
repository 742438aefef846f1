"""The short form of fuzz_compile.py: random programs in random surroundings, compiled and not."""

from __future__ import annotations

import fuzz_compile


def test_compiled_programs_do_what_eager_ones_do() -> None:
    tried, kinds, refusals = fuzz_compile.fuzz(0, 250, shrinks=60)
    assert not kinds, "\n".join(f"# seed {row[1]}: {row[3]}\n{row[2]}" for row in kinds.values())
    assert refusals.total() < tried / 4  # what is refused is compared with nothing

"""The short form of fuzz_compile.py: random programs in random surroundings, compiled and not."""

from __future__ import annotations

from typing import Any

import fuzz_compile
import pytest
from fuzz_compile import Run

from minigrad.func import trees


def test_compiled_programs_do_what_eager_ones_do() -> None:
    tried, kinds, refusals = fuzz_compile.fuzz(0, 250, shrinks=60)
    assert not kinds, "\n".join(f"# seed {row[1]}: {row[3]}\n{row[2]}" for row in kinds.values())
    assert refusals.total() < tried / 4  # what is refused is compared with nothing


STORED = """
store = types.SimpleNamespace(n=2)
o = operation({0})
samples = [sample({0}, k) for k in range({1})]
def f(x):
    store.k = 2
    return mg.func.vmap(lambda t: t * 2)(x), o(*samples)
F = C(f)
r = F(T(1, 3, 4))
look()
"""


@pytest.mark.parametrize("registered", [{}, {Run: (lambda run: ([], None), lambda parts, _: Run("", False))}])
def test_a_setting_that_a_run_asks_for_guards_nothing_that_it_has_stored(
    registered: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "REGISTERED", registered)
    row = [i for i, r in enumerate(fuzz_compile.ROWS) if r.op == "rnn"][3]
    text = STORED.format(row, len(fuzz_compile.ROWS[row].inputs))
    assert fuzz_compile.disagreement(text) == ("", "")

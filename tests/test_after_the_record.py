"""What must stay as it was, however the rooms lie: names in pickles, sentences of errors, words in drawings."""

from __future__ import annotations

import importlib
import operator
import pickle
import pickletools
from typing import Any

import pytest
from cases import case

import minigrad as mg
from minigrad import nn

PUBLIC = sorted(n for n in mg.__all__ if getattr(getattr(mg, n), "__wrapped__", None) is not None)


def _names(value: object) -> set[str]:
    """The modules that a pickle names."""
    texts = [a for op, a, _ in pickletools.genops(pickle.dumps(value, 2)) if op.name == "GLOBAL"]
    return {str(t).partition(" ")[0] for t in texts}


def test_a_pickle_names_a_function_by_where_users_take_it_from() -> None:
    assert PUBLIC
    for name in PUBLIC:
        function = getattr(mg, name)
        home = importlib.import_module(function.__module__)
        with case(name):
            assert pickle.loads(pickle.dumps(function)) is function
            assert not home.__name__.startswith("minigrad.functions")
            assert operator.attrgetter(function.__qualname__)(home) is function


def test_so_does_one_of_what_a_program_keeps() -> None:
    places = {
        "minigrad",
        "minigrad.tensor",
        "minigrad.nn.parameter",
        "minigrad.nn.linear",
        "minigrad.nn.functional",
    }
    view = mg.arange(6.0).reshape(2, 3).t()
    kept: list[Any] = [
        view,
        mg.Size([2, 3]),
        mg.device("cpu"),
        nn.Linear(2, 3),
        nn.functional.linear,
        mg.cat,
        mg.exp,
    ]
    for value in kept:
        assert {n for n in _names(value) if n.startswith("minigrad")} <= places, value


@pytest.mark.parametrize(
    ("a", "b", "sizes"),
    [((3, 3, 2), (2, 2, 2), "(3) must match the size of tensor b (2) at non-singleton dimension 0"),
     ((4, 1, 2, 3), (5, 2, 3, 2), "(4) must match the size of tensor b (5) at non-singleton dimension 0"),
     ((4, 2, 2, 3), (3, 3, 2), "(2) must match the size of tensor b (3) at non-singleton dimension 1")],
)  # fmt: skip
def test_batches_that_do_not_broadcast(a: tuple[int, ...], b: tuple[int, ...], sizes: str) -> None:
    for product in (mg.matmul, lambda x, y: x @ y):
        with pytest.raises(RuntimeError) as error:
            product(mg.ones(a), mg.ones(b))
        text = str(error.value)
        assert text.startswith(f"matmul: The size of tensor a {sizes}")
        assert f"{list(a)} @ {list(b)}" in text
    for x, y in (((3, 1, 2, 3), (3, 3, 2)), ((1, 2, 3), (4, 3, 2)), ((0, 2, 3), (1, 3, 2))):
        assert mg.matmul(mg.ones(x), mg.ones(y)).shape[-2:] == (2, 2)


@pytest.mark.parametrize(
    ("index", "words"),
    [(0, "slice([0])"), ((0, -1), "slice([0, -1])"), ((slice(1, None), 0), "slice([1:, 0])"),
     ((None,), "slice([None, :, :])")],
)  # fmt: skip
def test_an_index_is_drawn_in_brackets(index: Any, words: str) -> None:
    x = mg.ones(2, 3, requires_grad=True)
    assert words in mg.draw(x[index]).dot

"""The fixture that watches over global state is itself watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import state

import minigrad as mg
from minigrad._printing import printoptions
from minigrad.core.mode import MODE, Mode


def _grad_mode() -> Callable[[], Any]:
    token = MODE.set(Mode(grad=False))
    return lambda: MODE.reset(token)


def _default_dtype() -> Callable[[], Any]:
    mg.set_default_dtype(mg.float64)
    return lambda: mg.set_default_dtype(mg.float32)


def _np_geterr() -> Callable[[], Any]:
    old = np.seterr(divide="raise")
    return lambda: np.seterr(**old)


def _print_options() -> Callable[[], Any]:
    options = printoptions(precision=2)
    options.__enter__()
    return lambda: options.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("grad mode", _grad_mode),
        ("default dtype", _default_dtype),
        ("np.geterr", _np_geterr),
        ("print options", _print_options),
    ],
)
def test_a_change_is_seen(name: str, change: Callable[[], Callable[[], Any]]) -> None:
    before = state()
    undo = change()
    after = state()
    undo()
    assert [n for n in before if before[n] != after[n]] == [name]
    assert state() == before


_seen: list[bytes] = []


@pytest.mark.parametrize("turn", ["first", "second"])
def test_draws_do_not_reach_the_next_test(turn: str) -> None:
    _seen.append(mg.get_rng_state().numpy().tobytes())
    mg.manual_seed(len(_seen))
    assert set(_seen) == {_seen[0]}

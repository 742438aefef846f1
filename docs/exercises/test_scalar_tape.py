import contextlib
import io
import runpy
from pathlib import Path

import pytest

import minigrad as mg

PROGRAM = Path(__file__).parents[2] / "examples" / "learn" / "scalar_tape.py"


@pytest.fixture(scope="module")
def number():
    with contextlib.redirect_stdout(io.StringIO()):
        return runpy.run_path(str(PROGRAM))["Number"]


@pytest.mark.parametrize("start", [0.7, -0.7])
@pytest.mark.parametrize("name", ["exp", "relu"])
def test_of_one(work, number, name, start):
    x = number(start)
    y = getattr(work, name)(x, number)
    (y * y + y).backward()
    t = mg.tensor(start, dtype=mg.float64, requires_grad=True)
    (getattr(t, name)() ** 2 + getattr(t, name)()).backward()
    assert y.value == pytest.approx(getattr(t, name)().item()), "the value"
    assert x.grad == pytest.approx(t.grad.item()), f"the gradient of x, of {name}(x) squared plus {name}(x)"


def test_divide(work, number):
    a, b = number(3.0), number(4.0)
    y = work.divide(a, b, number)
    (y + a).backward()
    assert y.value == pytest.approx(0.75)
    assert a.grad == pytest.approx(1.25), "the gradient of a, of a / b + a"
    assert b.grad == pytest.approx(-0.1875), "the gradient of b"

"""Defects seen in other libraries of this kind, one test each, named after the defect (and who has it)."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import threading
import types
import weakref
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_docs

import minigrad as mg
from minigrad import autograd, nn

ROOT = Path(mg.__file__).parent.parent


def double(*values: Any) -> Any:
    return mg.tensor(list(values), dtype=mg.float64, requires_grad=True)


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program of its own, without the packages that are not needed at run time."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_grad_mode_that_is_not_restored_after_an_exception() -> None:
    """autograd: a trace stack stays pushed when the traced function raises."""
    for mode in (mg.no_grad, mg.enable_grad, mg.inference_mode, autograd.detect_anomaly):
        with pytest.raises(KeyError), mode():
            raise KeyError
        assert mg.is_grad_enabled()
        assert not mg.is_inference_mode_enabled()
        assert not mg.is_anomaly_enabled()

    @mg.no_grad()
    def fails() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert mg.is_grad_enabled()


def test_a_backward_that_raises_leaves_the_next_one_whole() -> None:
    x = double(1.0, 2.0)
    x.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (x * x).sum().backward()
    y = double(1.0, 2.0)
    (y * y).sum().backward()
    assert y.grad.tolist() == [2.0, 4.0]
    assert mg.is_grad_enabled()


def test_thread_a_s_no_grad_switching_off_thread_b() -> None:
    """MyGrad: the mode is one for the process."""
    off, done = threading.Event(), threading.Event()

    def a() -> None:
        with mg.no_grad():
            off.set()
            done.wait(10)

    thread = threading.Thread(target=a)
    thread.start()
    off.wait(10)
    try:
        x = double(3.0)
        (x * x).sum().backward()
        assert x.grad.tolist() == [6.0]
    finally:
        done.set()
        thread.join()


def test_a_second_backward_that_silently_does_nothing() -> None:
    """MyGrad: the graph is gone and nobody says so."""
    x = double(3.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()
    assert x.grad.tolist() == [6.0]


def test_a_second_backward_that_adds_stale_gradients_again() -> None:
    """micrograd: gradients of intermediates stay from the first pass."""
    x = double(3.0)
    m = x * 2
    y = (m * m).sum()
    y.backward(retain_graph=True)
    assert x.grad.tolist() == [24.0]
    y.backward(retain_graph=True)
    assert x.grad.tolist() == [48.0]  # micrograd: 24 + 24 + 24 and more


def test_a_plus_a_recorded_with_one_edge() -> None:
    """micrograd draws one edge; here the record has both, whoever draws it."""
    x = double(3.0)
    m = x * 1
    y = m + m
    assert [n for n, _ in y.grad_fn.next_functions] == [m.grad_fn, m.grad_fn]
    y.backward()
    assert x.grad.tolist() == [2.0]


def test_recursion_error_on_deep_graphs() -> None:
    """micrograd, torchviz, MyGrad's drawing."""
    x = mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(20 * sys.getrecursionlimit()):
        y = y + 0.0
    y.backward(retain_graph=True)
    assert x.grad.item() == 1.0
    repr(y)
    repr(y.grad_fn)
    node = weakref.ref(y.grad_fn)
    del y
    assert node() is None


@pytest.mark.parametrize("dtype", [mg.float16, mg.float32], ids=lambda d: d.name)
def test_float32_times_2_0_becoming_float64(dtype: Any) -> None:
    """MyGrad, DeZero: a Python number widens."""
    x = mg.ones(3, dtype=dtype, requires_grad=True)
    for f in (
        lambda t: t * 2.0, lambda t: 2.0 * t, lambda t: t + 1, lambda t: 1 / t, lambda t: t - 0.5,
        lambda t: t**2, lambda t: t**0.5, lambda t: 2.0**t,
        lambda t: t * np.float64(2), lambda t: np.float64(2) * t,
        lambda t: t.mean() * 3.0, lambda t: t.clamp(0.0, 2.0), lambda t: t.exp2(), lambda t: t.log10(),
        lambda t: t.var(correction=0) + 1.0, lambda t: mg.where(t > 0, t, 0.0), lambda t: t.sigmoid(),
    ):  # fmt: skip
        y = f(x)
        assert y.dtype is dtype
        (g,) = autograd.grad(y.sum(), x, create_graph=True)
        assert g.dtype is dtype


def test_parameter_order_that_depends_on_hash_seeds() -> None:
    """DeZero keeps parameters in a set."""
    code = (
        "from minigrad import nn\n"
        "class M(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        for n in ('zeta', 'alpha', 'mu', 'beta', 'eta'):\n"
        "            setattr(self, n, nn.Linear(2, 2))\n"
        "print(*(n for n, _ in M().named_parameters()))"
    )
    first, second = (run(code, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert first.stdout.split()[:3] == ["zeta.weight", "zeta.bias", "alpha.weight"]


def test_a_mistyped_module_attribute_that_reads_as_none() -> None:
    """minitorch: __getattr__ returns None."""
    with pytest.raises(AttributeError, match="weight"):
        _ = nn.Linear(2, 2).wieght
    with pytest.raises(AttributeError):
        _ = mg.ones(1).shpae


@pytest.mark.parametrize("missing", ["graphviz", "matplotlib", "tqdm", "wasmtime"])
def test_a_missing_optional_package_surfacing_later_as_name_error(missing: str) -> None:
    """MyGrad, DeZero: the import fails silently and the name is missing at its use."""
    done = run(
        f"import sys\nsys.modules[{missing!r}] = None\n"
        "import minigrad as mg\n"
        "x = mg.ones(2, requires_grad=True)\n(x * x).sum().backward()\nprint(x.grad.tolist())\n"
        "draw = getattr(mg, 'draw', None)\n"
        "try:\n    draw and draw(x * x)\nexcept NameError: raise\nexcept Exception: pass"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == "[2.0, 2.0]"
    assert "NameError" not in done.stderr


def test_docstring_examples_that_rot_because_nobody_runs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """MyGrad. Here test_docs.py runs every ``>>>`` in the package, and fails for a rotten one."""
    files = {p.relative_to(ROOT).with_suffix("") for p in (ROOT / "minigrad").rglob("*.py")}
    assert {".".join(p.parts).removesuffix(".__init__") for p in files} == {"minigrad", *test_docs.MODULES}
    for shown in ("2", "3"):
        module = types.ModuleType("planted", f">>> int(mg.tensor(1) + 1)\n{shown}\n")
        monkeypatch.setitem(sys.modules, "planted", module)
        with pytest.raises(AssertionError, match="Expected:") if shown == "3" else nullcontext():
            test_docs.test_the_examples_in_docstrings("planted")


def test_a_wrong_gradient_after_a_captured_array_was_changed() -> None:
    """HIPS/autograd keeps a reference to the user's array and reads it again in backward."""
    a, x = np.array([2.0, 3.0]), double(1.0, 1.0)
    y = (x * a).sum()
    a *= 100
    y.backward()
    assert x.grad.tolist() == [2.0, 3.0]
    w = mg.tensor(a)  # a copy
    z = (x * w).sum()
    a[:] = 0
    x.grad = None
    z.backward()
    assert x.grad.tolist() == [200.0, 300.0]
    m = x * 1
    y = (m * m).sum()
    m.mul_(5)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.backward()


def test_all_ones_cotangents_that_hide_errors() -> None:
    """A gradient that ignores the incoming one passes a check that seeds with ones; see test_every_op."""
    from test_every_op import PLANTED

    assert {"forgotten-g", "right-for-ones-only", "2.001-for-2.0"} <= set(PLANTED)


def test_assert_for_user_errors() -> None:
    """`python -O` must refuse what `python` refuses."""
    code = (
        "import minigrad as mg\n"
        "for f in (lambda: mg.ones(2) + mg.ones(3), lambda: mg.ones(2) @ mg.ones(3),\n"
        "          lambda: mg.ones(2, requires_grad=True).mul(2).backward()):\n"
        "    try: f()\n"
        "    except RuntimeError: print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-O", "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == ["refused"] * 3, done.stderr


def test_a_docstring_ten_times_its_function_or_none() -> None:
    """Every public function says what it does, in a few words."""
    for name, f in vars(mg).items():
        if inspect.isfunction(f) and not name.startswith("_"):
            assert f.__doc__, f"mg.{name} has no docstring"
            assert len(f.__doc__.splitlines()) < 30, f"mg.{name}"

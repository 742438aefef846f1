"""gradcheck, gradgradcheck, check_vjp and check_jvp: every verdict, by planting its very fault."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import inspect
import os
import pickle
import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from op_samples import ROWS, Row

import minigrad as mg
from minigrad import autograd
from minigrad.autograd import Function, GradcheckError, gradcheck, gradgradcheck
from minigrad.core.mode import MODE
from minigrad.core.op import TABLE, Op
from minigrad.testing import GradcheckWarning, check_jvp, check_vjp, numeric

RNG = np.random.default_rng(20)
TIGHT: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-7}


def real(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 1.5, shape)


def leaf(*shape: int) -> Any:
    return mg.tensor(real(*shape), requires_grad=True)


def failure(check: Callable[[], Any], kind: str) -> GradcheckError:
    """The error of a check, after what every report must keep to."""
    with pytest.raises(GradcheckError) as caught:
        check()
    error = caught.value
    assert error.verdict == kind, str(error)
    text = str(error)
    assert f"verdict   {kind}: " in text.replace("    verdict", "  verdict").replace(
        "verdict     ", "verdict   "
    )
    assert max(map(len, text.splitlines())) <= 80, text
    assert len(text.splitlines()) < 25, text
    assert "seed 0" in text
    return error


def said(error: GradcheckError) -> str:
    """The text of a report, without its layout."""
    return " ".join(str(error).split())


def line_of(text: str, label: str) -> str:
    return next(line for line in text.splitlines() if line.split()[:1] == [label])


# ---------------------------------------------------------------- planted faults, in a vjp written by hand


def affine(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.tanh(x @ w + b)


def backward_of_affine(x: Any, w: Any, b: Any, g: Any) -> tuple[Any, ...]:
    d = g * (1 - np.tanh(x @ w + b) ** 2)
    return d @ w.T, x.T @ d, d.sum(0)


ARGS = (real(5, 3), real(3, 4), real(4))


def planted(at: int, fault: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The backward pass with one gradient replaced; the fault also gets the gradient before the bias's sum."""

    def vjp(x: Any, w: Any, b: Any, g: Any) -> tuple[Any, ...]:
        found = list(backward_of_affine(x, w, b, g))
        found[at] = fault(found[at], g * (1 - np.tanh(x @ w + b) ** 2))
        return tuple(found)

    return vjp


def test_a_right_backward_pass_by_hand() -> None:
    assert check_vjp(affine, backward_of_affine, ARGS) is True
    assert check_vjp(affine, backward_of_affine, ARGS, fast_mode=True) is True


@pytest.mark.parametrize("fast", [False, True])
def test_constant_factor(fast: bool) -> None:
    vjp = planted(1, lambda d, _: d * 2.5)
    error = failure(lambda: check_vjp(affine, vjp, ARGS, fast_mode=fast), numeric.FACTOR)
    text = str(error)
    assert text.startswith("check_vjp: affine (")
    assert "analytic = 5/2 (2.5) x numeric" in text
    finding = error.findings[0]
    assert (finding.output, finding.input) == ("output", "w")
    assert (finding.failing, finding.total) == (60, 240)
    assert (
        f"d output[{', '.join(map(str, finding.at_output))}] / d w[{', '.join(map(str, finding.at_input))}]"
        in text
    )
    assert "(shapes: output [5, 4], w [3, 4])" in text
    assert finding.analytic == pytest.approx(2.5 * finding.numeric, rel=1e-7)
    assert finding.error == pytest.approx(abs(finding.analytic - finding.numeric))
    assert finding.relative == pytest.approx(1.5, rel=1e-6)
    for value in (finding.analytic, finding.numeric, finding.left, finding.right):
        assert f"{value:.10g}" in text
    assert finding.left == pytest.approx(finding.numeric, rel=1e-4)
    assert finding.right == pytest.approx(finding.numeric, rel=1e-4)
    assert "60 of 240 elements" in text
    assert "atol 1e-06 + rtol 1e-05 x |numeric|" in text
    assert "eps 1e-06, seed 0" in text
    assert ("fast mode" in text) is fast


def test_a_factor_that_is_no_fraction() -> None:
    error = failure(lambda: check_vjp(affine, planted(0, lambda d, _: d * 0.7123457), ARGS), numeric.FACTOR)
    assert "analytic = 0.7123457 x numeric" in said(error)


def test_a_factor_next_to_one() -> None:
    error = failure(lambda: check_vjp(affine, planted(0, lambda d, _: d * 1.0001), ARGS), numeric.FACTOR)
    assert "analytic = 1.0001 x numeric" in said(error)


def test_mean_instead_of_sum_names_the_broadcast_axis() -> None:
    error = failure(lambda: check_vjp(affine, planted(2, lambda _, d: d.mean(0)), ARGS), numeric.FACTOR)
    assert "analytic = 1/5 (0.2) x numeric" in said(error)
    assert "5 is the length of output's axis 0, along which b is broadcast: mean instead of sum?" in said(
        error
    )


def test_sum_instead_of_mean() -> None:
    f, vjp = (lambda x: x.mean()), (lambda x, g: np.full(x.shape, g))
    error = failure(lambda: check_vjp(f, vjp, real(7)), numeric.FACTOR)
    assert "analytic = 7 x numeric" in said(error)
    assert "7 is the length of x's axis 0: sum instead of mean?" in said(error)


def test_wrong_sign() -> None:
    error = failure(lambda: check_vjp(affine, planted(1, lambda d, _: -d), ARGS), numeric.SIGN)
    assert "analytic = -numeric" in said(error)


def test_a_missing_return() -> None:
    with pytest.raises(TypeError, match="returned nothing; it must return arrays"):
        check_vjp(lambda x: None, lambda x, g: g, np.ones(2))
    error = failure(lambda: check_vjp(np.exp, lambda x, g: None, np.ones(2)), numeric.DETACHED)
    assert "the vjp returns None: is a return missing?" in said(error)


def test_gradients_in_the_wrong_order() -> None:
    def vjp(x: Any, w: Any, b: Any, g: Any) -> tuple[Any, Any, Any]:
        return g * x, g * w, g

    args = np.linspace(0.5, 1, 6).reshape(2, 3), np.linspace(2, 1, 6).reshape(2, 3), np.ones((2, 3))
    error = failure(lambda: check_vjp(lambda x, w, b: x * w + b, vjp, args), numeric.EXCHANGED)
    assert [f.kind for f in error.findings] == [numeric.EXCHANGED] * 2
    assert "is right for" in said(error)
    # One that is right for neither is not.
    failure(
        lambda: check_vjp(lambda x, w, b: x * w + b, lambda *a: (a[3] * a[0], 2 * a[3] * a[1], a[3]), args),
        numeric.WRONG,
    )


def test_transposed_shape() -> None:
    error = failure(lambda: check_vjp(affine, planted(1, lambda d, _: d.T), ARGS), numeric.TRANSPOSED)
    assert "shape [4, 3] was returned where [3, 4] is needed" in said(error)
    assert "axes in the order (1, 0)" in said(error)


def test_transposed_values_of_a_square() -> None:
    def vjp(x: Any, w: Any, g: Any) -> tuple[Any, Any]:
        return g @ w.T, (x.T @ g).T

    error = failure(lambda: check_vjp(np.matmul, vjp, (real(2, 3), real(3, 3))), numeric.TRANSPOSED)
    assert "axes 0 and 1 of input 1 are exchanged in what is returned" in said(error) or "of x2" in said(
        error
    )


def test_transposed_values_of_more_than_four_axes() -> None:
    def vjp(x: Any, g: Any) -> Any:
        return np.swapaxes(g * np.cos(x), 1, 3)

    error = failure(lambda: check_vjp(lambda x: np.sin(x), vjp, real(1, 2, 2, 2, 1)), numeric.TRANSPOSED)
    assert "axes 1 and 3 of x are exchanged in what is returned" in said(error)


def test_a_matrix_where_its_transpose_belongs() -> None:
    def f(x: Any, w: Any) -> Any:
        return x @ w

    error = failure(
        lambda: check_vjp(f, lambda x, w, g: (g @ w, x.T @ g), (real(2, 3), real(3, 3))), numeric.TRANSPOSED
    )
    assert "axis 1 of output and axis 1 of x are exchanged: a matrix instead of its transpose" in said(error)


def test_the_incoming_gradient_transposed() -> None:
    def f(x: Any) -> Any:
        return x * x

    error = failure(lambda: check_vjp(f, lambda x, g: 2 * x * g.T, real(3, 3)), numeric.TRANSPOSED)
    assert "axes 0 and 1 of output are exchanged in what comes in" in said(error)


def test_missing_sum_by_shape() -> None:
    error = failure(lambda: check_vjp(affine, planted(2, lambda _, d: d), ARGS), numeric.MISSING_SUM)
    assert "shape [5, 4] was returned where [4] is needed: summed over axis 0 it agrees" in said(error)
    assert "sum it over axis 0" in said(error)


@pytest.mark.parametrize("row", [0, 3])
def test_missing_sum_by_value(row: int) -> None:
    error = failure(lambda: check_vjp(affine, planted(2, lambda _, d: d[row]), ARGS), numeric.MISSING_SUM)
    assert f"only index {row} of the output's axis 0 (length 5) reaches the input" in said(error)
    assert "sum the incoming gradient over axis 0" in said(error)


@pytest.mark.parametrize("fast", [False, True])
def test_detached(fast: bool) -> None:
    vjp = planted(1, lambda d, _: None)
    error = failure(lambda: check_vjp(affine, vjp, ARGS, fast_mode=fast), numeric.DETACHED)
    assert "analytic is zero everywhere" in said(error)
    assert error.findings[0].analytic == 0


def test_detached_in_part() -> None:
    def fault(d: Any, _: Any) -> Any:
        d = d.copy()
        d[1] = 0
        return d

    error = failure(lambda: check_vjp(affine, planted(1, fault), ARGS), numeric.DETACHED)
    assert "analytic is zero in all failing elements" in said(error)
    assert "20 of 240 elements, all in w[1, :]" in said(error)


@pytest.mark.parametrize("fast", [False, True])
def test_non_deterministic_backward(fast: bool) -> None:
    noise = np.random.default_rng(0)
    vjp = planted(0, lambda d, _: d + 1e-9 * noise.standard_normal())
    error = failure(lambda: check_vjp(affine, vjp, ARGS, fast_mode=fast), numeric.NON_DETERMINISTIC)
    assert "backward gives another value for the same incoming gradient" in said(error)
    assert line_of(str(error), "first") != line_of(str(error), "second")
    vjp = planted(0, lambda d, g: d * (1 + 1e-9 * noise.standard_normal()))
    assert check_vjp(affine, vjp, ARGS, nondet_tol=1e-6)


@pytest.mark.parametrize("fast", [False, True])
def test_non_deterministic_forward(fast: bool) -> None:
    noise = np.random.default_rng(0)

    def f(x: Any) -> Any:
        return x * noise.random(x.shape)

    error = failure(lambda: check_vjp(f, lambda x, g: g, real(3), fast_mode=fast), numeric.NON_DETERMINISTIC)
    assert "the function gives another value when it is called again at the same point" in said(error)


@pytest.mark.parametrize("fast", [False, True])
def test_kink(fast: bool) -> None:
    def f(x: Any) -> Any:
        return np.maximum(x, 0.0)

    x = np.array([1.0, 0.0, -1.0])
    error = failure(lambda: check_vjp(f, lambda x, g: g * (x > 0), x, fast_mode=fast), numeric.KINK)
    finding = error.findings[0]
    assert (finding.at_input, finding.failing) == ((1,), 1)
    assert (finding.left, finding.right) == (0.0, pytest.approx(1.0))
    assert "the one-sided slopes differ" in said(error)
    assert "slopes: left 0, right 1" in said(error)


def test_a_kink_near_by() -> None:
    x = np.array([1.0, 3e-7, -1.0])
    failure(lambda: check_vjp(lambda x: np.abs(x), lambda x, g: g * np.sign(x), x), numeric.KINK)


def test_a_jump() -> None:
    error = failure(lambda: check_vjp(np.floor, lambda x, g: 0 * g, np.array([0.5, 2.0])), numeric.KINK)
    assert "the function jumps here" in said(error)


def test_a_wrong_rule_at_a_kink_is_wrong() -> None:
    with pytest.raises(GradcheckError) as caught:
        check_vjp(np.abs, lambda x, g: 5 * g, np.zeros(3))
    assert caught.value.verdict != numeric.KINK


def test_too_noisy_for_rounding() -> None:
    def f(x: Any) -> Any:
        return np.sin(x) + 1e7

    error = failure(lambda: check_vjp(f, lambda x, g: g * np.cos(x), real(3)), numeric.NOISY)
    eps = error.findings[0].eps
    assert eps is not None
    assert eps > 1e-6
    assert f"with eps={eps:g} they agree" in said(error)
    assert f"pass eps={eps:g}" in said(error)
    f32 = mg.tensor(real(4), requires_grad=True)
    error = failure(lambda: gradcheck(lambda x: (x.float() * 3).sin(), (f32,)), numeric.NOISY)
    assert gradcheck(lambda x: (x.float() * 3).sin(), (f32,), eps=error.findings[0].eps)


def test_too_noisy_for_curvature() -> None:
    error = failure(lambda: check_vjp(np.sin, lambda x, g: g * np.cos(x), real(3), eps=0.3), numeric.NOISY)
    eps = error.findings[0].eps
    assert eps is not None
    assert eps < 0.3
    assert "curvature" in said(error)
    assert check_vjp(np.sin, lambda x, g: g * np.cos(x), real(3), eps=eps)


def test_plainly_wrong() -> None:
    error = failure(lambda: check_vjp(affine, planted(0, lambda d, _: d**2), ARGS), numeric.WRONG)
    assert "no simple change" in said(error)


def test_one_number_is_no_evidence_for_a_factor() -> None:
    failure(lambda: check_vjp(lambda x: x**3, lambda x, g: g * 1.2345678, np.array(0.8)), numeric.WRONG)
    error = failure(
        lambda: check_vjp(lambda x: x**3, lambda x, g: g * 1.5 * x**2, np.array(0.8)), numeric.FACTOR
    )
    assert "1/2 (0.5)" in said(error)


def test_backward_that_is_not_a_multiple_of_what_comes_in() -> None:
    error = failure(lambda: check_vjp(np.sin, lambda x, g: np.cos(x), np.array(0.8)), numeric.WRONG)
    assert "backward of zeros is not zero" in said(error)


def test_not_finite() -> None:
    error = failure(
        lambda: check_vjp(np.sqrt, lambda x, g: g / (2 * np.sqrt(x)), np.array([0.0, 1.0])),
        numeric.NOT_FINITE,
    )
    assert "the function is not finite here or next to it" in said(error)
    assert error.findings[0].at_input == (0,)


@pytest.mark.parametrize(
    ("shape", "hint"),
    [((1, 4), "reshape it to [4]"), ((7,), "return one number for each"), ((), "broadcast_to")],
)
def test_other_wrong_shapes(shape: tuple[int, ...], hint: str) -> None:
    def vjp(x: Any, g: Any) -> Any:
        return np.full((), g) if not shape else np.resize(np.full(4, g), shape)

    assert hint in str(failure(lambda: check_vjp(lambda x: x.sum(), vjp, real(4)), numeric.WRONG))


# ---------------------------------------------------------------- structures, jvp


class Pair(NamedTuple):
    left: Any
    right: Any


def test_structures_of_arguments_and_results() -> None:
    def f(layer: dict[str, Any], pair: Pair, n: int) -> Pair:
        return Pair(layer["w"] * pair.left * n, pair.right.sum() * pair.left)

    def vjp(layer: dict[str, Any], pair: Pair, n: int, g: Pair, wrong: float = 1.0) -> tuple[Any, ...]:
        right = np.full(pair.right.shape, (g.right * pair.left).sum()) * wrong
        left = g.left * layer["w"] * n + g.right * pair.right.sum()
        return {"w": g.left * pair.left * n}, Pair(left, right), None

    args = ({"w": real(3)}, Pair(real(3), real(2, 2)), 2)
    assert check_vjp(f, vjp, args)
    error = failure(lambda: check_vjp(f, lambda *a: vjp(*a, wrong=3.0), args), numeric.FACTOR)
    assert "d output.right[" in said(error)
    assert "/ d pair.right[" in said(error)


def test_several_outputs_and_a_scalar() -> None:
    def f(a: Any, s: float) -> tuple[Any, Any]:
        return a * s, a.sum() + s

    def vjp(a: Any, s: float, g: tuple[Any, Any]) -> tuple[Any, Any]:
        return g[0] * s + g[1], (g[0] * a).sum() + g[1]

    assert check_vjp(f, vjp, (real(3), 0.5))
    error = failure(lambda: check_vjp(f, lambda *a: (vjp(*a)[0], -vjp(*a)[1]), (real(3), 0.5)), numeric.SIGN)
    assert "/ d s " in said(error)
    assert "s []" in said(error)
    assert "also" in said(error)


def test_jvp() -> None:
    def jvp(x: Any, w: Any, b: Any, t: Any) -> Any:
        return (t[0] @ w + x @ t[1] + t[2]) * (1 - affine(x, w, b) ** 2)

    for fast in (False, True):
        assert check_jvp(affine, jvp, ARGS, fast_mode=fast)
        error = failure(
            lambda f=fast: check_jvp(affine, lambda *a: 2 * jvp(*a), ARGS, fast_mode=f), numeric.FACTOR
        )
        assert "analytic = 2 x numeric" in said(error)
    assert check_jvp(np.sin, lambda x, t: t * np.cos(x), real(3))
    error = failure(
        lambda: check_jvp(lambda x: x * x, lambda x, t: (2 * x * t).T, real(3, 3)), numeric.TRANSPOSED
    )
    assert "axes 0 and 1 of output are exchanged in what is returned" in said(error)
    failure(lambda: check_jvp(np.sin, lambda x, t: 0 * t, real(3)), numeric.DETACHED)


def test_wrong_structure_of_what_vjp_returns() -> None:
    with pytest.raises(
        TypeError, match=r"must return 3 entries .*None for one without a gradient.* got 2 entries"
    ):
        check_vjp(affine, lambda *a: backward_of_affine(*a)[:2], ARGS)
    for wrong, kind in (((real(3), 1.0), "tuple"), ("a", "str"), (object(), "object")):
        with pytest.raises(TypeError, match=f"vjp must return an array for .* got {kind}"):
            check_vjp(np.sin, lambda x, g, wrong=wrong: wrong, real(3))
    with pytest.raises(TypeError, match="vjp must be a function, got NoneType"):
        check_vjp(np.sin, None, real(3))


def test_arguments_are_not_touched_and_errors_restore() -> None:
    x = real(4)
    before = x.tobytes()
    calls = 0

    def f(x: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyError("mine")
        return x * x

    with pytest.raises(KeyError):
        check_vjp(f, lambda x, g: 2 * x * g, x)
    assert x.tobytes() == before

    def spoils(x: Any) -> Any:
        x *= 2
        return x

    with pytest.raises(RuntimeError, match="changed its argument x in place"):
        check_vjp(spoils, lambda x, g: 2 * g, x)
    assert x.tobytes() == before


def test_plain_functions_that_cannot_be_checked() -> None:
    with pytest.raises(ValueError, match=r"at least one argument with floats .* got int"):
        check_vjp(lambda n: n, lambda n, g: g, 3)
    with pytest.raises(ValueError, match=r"output is int64: it moves in steps"):
        check_vjp(np.argmax, lambda x, g: g, real(3))
    with pytest.warns(UserWarning, match="x is float32 and not a double precision"):
        check_vjp(lambda x: x, lambda x, g: g, np.ones(2, np.float32), eps=1e-2, rtol=1e-3)


def test_vjp_may_spoil_its_cotangent_and_return_it() -> None:
    def vjp(x: Any, g: Any) -> Any:
        g *= np.cos(x)
        return g

    assert check_vjp(np.sin, vjp, real(3, 2))


# ---------------------------------------------------------------- the tape


class Cube(Function):
    """x ** 3 with a factor on its backward."""

    @staticmethod
    def forward(ctx: Any, x: Any, factor: float) -> Any:
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x * x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * x * x * 3.0 * ctx.factor, None


def test_a_function_that_is_right() -> None:
    x = leaf(2, 3)
    assert gradcheck(Cube.apply, (x, 1.0))
    assert gradcheck(Cube.apply, (x, 1.0), fast_mode=True)
    assert gradgradcheck(Cube.apply, (x, 1.0))


def test_a_function_that_is_wrong() -> None:
    error = failure(lambda: gradcheck(Cube.apply, (leaf(2, 3), 2.0)), numeric.FACTOR)
    assert str(error).startswith("gradcheck: Cube.apply (")
    assert "/ d x[" in said(error)


def test_an_operation_has_its_name_and_those_of_its_inputs() -> None:
    op = Op("apart", lambda x, at: x - at, "x at", lambda g: g, lambda g: -2.0 * g, listed=False)
    error = failure(lambda: gradcheck(op, (leaf(2, 3), leaf(3))), numeric.FACTOR)
    assert str(error).startswith("gradcheck: apart\n")
    assert "/ d at[" in said(error)


def here() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def culprit(error: GradcheckError) -> str:
    text = str(error)
    return text[text.index("\n  culprit") :] if "\n  culprit" in text else ""


@pytest.mark.parametrize("fast", [False, True])
def test_the_culprit_in_a_longer_tape(fast: bool) -> None:
    line = 0

    def network(x: Any, w: Any) -> Any:
        nonlocal line
        h = (x @ w).tanh()
        c, line = Cube.apply(h, -1.0), here()
        return (c.exp() * 0.5 + h).sum(1)

    error = failure(lambda: gradcheck(network, (leaf(2, 3), leaf(3, 2)), fast_mode=fast), numeric.WRONG)
    found = culprit(error)
    assert f"Cube, {os.path.relpath(__file__)}:{line}" in found or f"test_gradcheck.py:{line}" in found
    assert "(op 3 of 7)" in found
    assert "its own rule for x: wrong sign, analytic = -numeric" in " ".join(found.split())


def test_an_op_that_draws_numbers_is_no_culprit() -> None:
    generators = [np.random.default_rng(0)]

    def kernel(x: Any) -> Any:
        return x * generators[0].uniform(1, 2, x.shape)

    noise = Op("noise", kernel, "x", lambda g, x, y: g * y / x, draws=True, listed=False)

    def f(x: Any) -> Any:  # repeatable, though the op by itself is not
        generators[0] = np.random.default_rng(0)
        return Cube.apply(noise(x), 2.0)

    error = failure(lambda: gradcheck(f, (leaf(3),)), numeric.FACTOR)
    assert "Cube, " in culprit(error)
    assert "noise" not in culprit(error)


def test_the_culprit_among_several_outputs() -> None:
    class Split(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g * 2 + h * 4

    def f(x: Any) -> Any:
        a, b = Split.apply(x.sin())
        return a.exp() + b

    error = failure(lambda: gradcheck(f, (leaf(3),)), numeric.WRONG)
    assert "Split, " in culprit(error)
    assert "4/3" in culprit(error)


@pytest.fixture
def plant() -> Iterator[Callable[..., None]]:
    """Replaces what an op's rules return, and puts everything back."""
    done: list[tuple[Any, Any, Any]] = []

    def change(name: str, at: int, fault: Callable[[Any], Any]) -> None:
        op = TABLE[name]
        done.append((op, op.rules, op.joint))

        def wrong(rule: Any) -> Any:
            @functools.wraps(rule)
            def call(*args: Any) -> Any:
                d = rule(*args)
                if isinstance(d, (list, tuple)):
                    return [fault(p) if k == at and p is not None else p for k, p in enumerate(d)]
                return d if d is None else fault(d)

            return call

        if op.joint is not None:
            op.joint = wrong(op.joint)
        else:
            op.rules = tuple(wrong(r) if k == at and r else r for k, r in enumerate(op.rules))
        op.layouts.clear()

    yield change
    for op, rules, joint in reversed(done):
        op.rules, op.joint = rules, joint
        op.layouts.clear()


def test_the_culprit_may_be_an_op_of_the_table(plant: Any) -> None:
    plant("mul", 1, lambda d: d * 1.01)

    def f(x: Any, y: Any) -> Any:
        a = x.exp()
        b = y.sin()
        c, at = a * b, here()
        lines.append(at)
        return c.log() + a

    lines: list[int] = []
    error = failure(lambda: gradcheck(f, (leaf(3), leaf(3))), numeric.FACTOR)
    assert f"test_gradcheck.py:{lines[0]}    (op 3 of 5)" in culprit(error)
    assert "its own rule for b: wrong by a constant factor" in " ".join(culprit(error).split())


def test_no_op_is_to_blame() -> None:
    def hooked(x: Any) -> Any:
        h = x.sin()
        h.register_hook(lambda g: g * 2)
        return h.exp()

    error = failure(lambda: gradcheck(hooked, (leaf(3),)), numeric.FACTOR)
    assert "a hook on the result of sin, " in culprit(error)


def test_detached_on_the_tape() -> None:
    def cut(x: Any) -> Any:
        h = x.exp()
        return h.detach() * x

    error = failure(
        lambda: gradcheck(lambda x, y: cut(x) * 0 + x.exp().detach() * y, (leaf(2), leaf(2))),
        numeric.DETACHED,
    )
    assert "before mul, " in culprit(error)
    assert "detach(), .data or NumPy in between" in " ".join(culprit(error).split())

    def silent(x: Any, y: Any) -> Any:
        with mg.no_grad():
            h = x.exp()
        return h * y

    error = failure(lambda: gradcheck(silent, (leaf(2), leaf(2))), numeric.DETACHED)
    assert "exp, " in culprit(error)
    assert "it ran under no_grad()" in culprit(error)


def test_the_kink_is_named() -> None:
    x = mg.tensor([1.0, 0.0, -1.0], dtype=mg.float64, requires_grad=True)
    error = failure(lambda: gradcheck(lambda x: (x * 2).relu().exp(), (x,)), numeric.KINK)
    assert "relu, " in culprit(error)
    assert "(op 2 of 3)" in culprit(error)


def test_where_randomness_enters() -> None:
    def dropout(x: Any) -> Any:
        h = x.exp()
        return h * mg.rand(3, dtype=mg.float64)

    error = failure(lambda: gradcheck(dropout, (leaf(3),)), numeric.NON_DETERMINISTIC)
    assert "mul, " in culprit(error)
    assert "its input b differs" in culprit(error)


def test_non_deterministic_backward_on_the_tape() -> None:
    noise = np.random.default_rng(0)

    class Noisy(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * (2 + 1e-9 * noise.standard_normal())

    f = lambda x: Noisy.apply(x.sin()).exp()  # noqa: E731
    for fast in (False, True):
        error = failure(lambda fast=fast: gradcheck(f, (leaf(3),), fast_mode=fast), numeric.NON_DETERMINISTIC)
        assert "Noisy, " in culprit(error)
    assert gradcheck(f, (leaf(3),), nondet_tol=1e-6)


# ---------------------------------------------------------------- gradgradcheck


class Twice(Function):
    """Right at first order; its backward leaves x's own part out of what can be differentiated again."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * x.detach() * 2


def test_gradgradcheck() -> None:
    x = leaf(3)
    assert gradgradcheck(lambda x, y: (x * y).tanh(), (leaf(2, 3), leaf(3)))
    assert gradgradcheck(lambda x, y: (x * y).tanh(), (leaf(2, 3), leaf(3)), fast_mode=True)
    assert gradgradcheck(lambda x: (x.exp(), x.sin()), x, gen_non_contig_grad_outputs=True)
    assert gradgradcheck(lambda x: x * x, x, mg.tensor(real(3), requires_grad=True))
    assert gradcheck(Twice.apply, (x,))
    error = failure(lambda: gradgradcheck(Twice.apply, (x,)), numeric.DETACHED)
    text = str(error)
    assert text.startswith("gradgradcheck: gradients of Twice.apply (")
    assert "d grad of x[" in text
    assert " / d x[" in text
    assert gradgradcheck(Twice.apply, (x,), raise_exception=False) is False


def test_gradgradcheck_of_an_op(plant: Any) -> None:
    plant("cos", 0, lambda d: d * 1.5)
    assert gradcheck(lambda x: x.sin(), (leaf(3),))
    error = failure(lambda: gradgradcheck(lambda x: x.sin() * 2, (leaf(3),)), numeric.FACTOR)
    assert "cos, " in culprit(error)


def test_gradgradcheck_of_the_wrong_number_of_gradients() -> None:
    with pytest.raises(RuntimeError, match="got 2 grad_outputs for the 1 outputs"):
        gradgradcheck(lambda x: x * x, leaf(3), (leaf(3), leaf(3)))
    with pytest.raises(
        RuntimeError, match=r"grad_output has a shape of \[2\] and output has a shape of \[3\]"
    ):
        gradgradcheck(lambda x: x * x, leaf(3), leaf(2))
    with pytest.raises(TypeError, match="can be either Tensors or None, but got ndarray"):
        gradgradcheck(lambda x: x * x, leaf(3), (real(3),))
    assert gradgradcheck(lambda x: (x * x).sum(), leaf(3), (None,))


# ---------------------------------------------------------------- inputs and outputs


def test_structures_on_the_tape() -> None:
    a, b, c = leaf(2), leaf(2), leaf(3)
    constant = mg.tensor(real(2))

    def f(pair: Any, c: Any, n: int, **extra: Any) -> Any:
        return {"first": pair[0] * pair[1] * n, "rest": (c.exp(), [constant * pair[0]])}

    assert gradcheck(f, ((a, b), c, 2))
    assert gradcheck(f, [(a, constant), c, 2])
    assert gradcheck(lambda x: x * x, a)
    assert gradcheck(lambda x, y: x * y, (a, a))
    assert gradcheck(lambda x: (x, x * 2, constant), a)

    def wrong(pair: Any, c: Any) -> Any:
        return {"first": pair[0] * Cube.apply(pair[1], 2.0), "rest": c}

    error = failure(lambda: gradcheck(wrong, ((a, b), c)), numeric.FACTOR)
    assert "d output['first'][" in said(error)
    assert "/ d pair[1][" in said(error)


def test_what_a_closure_reads_is_checked_too() -> None:
    """PyTorch moves the input itself, so a function may look at it from outside: a module's parameter, say."""
    layer = mg.nn.Linear(3, 2).double()
    x = mg.tensor(real(4, 3))
    assert gradcheck(lambda *_: layer(x).tanh(), tuple(layer.parameters()))
    assert gradcheck(layer, (leaf(4, 3),))


def test_not_contiguous_inputs_and_0d_and_empty() -> None:
    x = mg.tensor(real(4, 3), requires_grad=True)
    y = x.detach().t()[1:, ::2].requires_grad_()
    assert not y.is_contiguous()
    before = y.tolist()
    assert gradcheck(lambda y: y.sin(), (y,))
    assert y.tolist() == before
    assert gradcheck(lambda s: s * s, (mg.tensor(0.5, dtype=mg.float64, requires_grad=True),))
    for fast in (False, True):
        assert gradcheck(
            lambda e, s: e.sum() * s,
            (mg.zeros(0, 3, dtype=mg.float64, requires_grad=True), leaf()),
            fast_mode=fast,
        )


def test_a_non_leaf_and_a_view_as_input() -> None:
    x = leaf(3, 2)
    assert gradcheck(lambda h: h.exp(), (x * 2,))
    assert gradcheck(lambda h: h.exp(), ((x * 2)[1:],))


def test_no_input_requires_grad() -> None:
    with pytest.raises(ValueError, match="expects at least one input tensor to require gradient"):
        gradcheck(lambda x: x, (mg.tensor(real(3)),))
    with pytest.raises(ValueError, match="expects at least one input tensor to require gradient"):
        gradgradcheck(lambda x: x, (mg.tensor(real(3)),))


def test_inputs_that_are_not_float64_warn() -> None:
    x = mg.tensor(real(3), dtype=mg.float32, requires_grad=True)
    with pytest.warns(
        UserWarning, match="Input x requires gradient, it is float32 and not a double precision"
    ) as seen:
        gradcheck(lambda x: x * 2, (x,), eps=1e-2)
    assert seen[0].filename == __file__


def test_inputs_that_share_memory() -> None:
    wide = mg.tensor(real(3)).expand(2, 3).requires_grad_()
    with pytest.raises(
        RuntimeError, match=r"Input x has elements that share memory .*call \.contiguous\(\) or \.clone"
    ):
        gradcheck(lambda x: x * 2, (wide,))
    sliding = mg.from_numpy(np.lib.stride_tricks.as_strided(np.arange(5.0), (3, 3), (8, 8))).requires_grad_()
    with pytest.raises(RuntimeError, match="elements that share memory"):
        gradcheck(lambda x: x * 2, (sliding,))
    woven = mg.from_numpy(np.lib.stride_tricks.as_strided(np.arange(9.0), (2, 3), (8, 16))).requires_grad_()
    assert gradcheck(lambda x: x * 2, (woven,))  # strides that cross, but no place twice
    x = leaf(3)
    with pytest.raises(RuntimeError, match=r"Inputs x and y share memory.*call \.clone\(\) on one"):
        gradcheck(lambda x, y: x * y, (x, x.detach()))
    frozen = real(3)
    frozen.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        still = mg.from_numpy(frozen).requires_grad_()
    if not still._array.flags.writeable:
        with pytest.raises(RuntimeError, match=r"lies in read-only memory.*clone"):
            gradcheck(lambda x: x * 2, (still,))


def test_outputs_that_cannot_be_checked() -> None:
    with pytest.raises(ValueError, match=r"output is int64: it moves in steps, .* Return a float64 instead"):
        gradcheck(lambda x: x.argmax(), (leaf(3),))
    with pytest.raises(ValueError, match=r"output is bool"):
        gradcheck(lambda x: x > 1, (leaf(3),))
    assert gradcheck(lambda x: (x * 2, x.argmax()), (leaf(3),))
    with pytest.raises(TypeError, match="must return Tensors, but output is float"):
        gradcheck(lambda x: x.sum().item(), (leaf(3),))
    with pytest.raises(TypeError, match=r"must return Tensors, but output\[1\] is NoneType"):
        gradcheck(lambda x: (x, None), (leaf(3),))


def test_outputs_that_do_not_require_grad() -> None:
    for fast in (False, True):
        assert gradcheck(lambda x: mg.ones(3, dtype=mg.float64), (leaf(3),), fast_mode=fast)
        error = failure(
            lambda fast=fast: gradcheck(lambda x: x.detach() * 2, (leaf(3),), fast_mode=fast),
            numeric.DETACHED,
        )
        assert error.findings[0].numeric == pytest.approx(2.0)
        assert "no output requires grad, yet numeric is not zero" in said(error)
        assert "before mul, " in culprit(error)
        assert "its input is the value of x, without its record" in said(error)


def test_functions_that_change_their_input() -> None:
    constant = mg.tensor(real(3))

    def f(x: Any, c: Any) -> Any:
        c.add_(1.0)
        return x * c

    before = constant.tolist()
    with pytest.raises(RuntimeError, match=r"f \(.*\) changed its input c in place.*c = c\.clone\(\)"):
        gradcheck(f, (leaf(3), constant))
    assert constant.tolist() == before

    def g(x: Any) -> Any:
        x._array[0] += 1.0
        return x * 2

    x = leaf(3)
    before = x.tolist()
    with pytest.raises(RuntimeError, match="changed its input x in place"):
        gradcheck(g, (x,))
    assert x.tolist() == before


def test_functions_that_keep_state() -> None:
    state = {"calls": 0}

    def f(x: Any) -> Any:
        state["calls"] += 1
        return x * state["calls"]

    failure(lambda: gradcheck(f, (leaf(3),)), numeric.NON_DETERMINISTIC)


def test_a_function_that_differentiates_inside() -> None:
    def slope(x: Any) -> Any:
        (g,) = autograd.grad(x.exp().sum(), x, create_graph=True)
        return g * x

    assert gradcheck(slope, (leaf(3),))


def test_undefined_gradients() -> None:
    class Two(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g * 2 + h * 3

    with pytest.raises(
        GradcheckError, match=r"backward fails where only output\[0\] has a gradient .*treat None as zeros"
    ):
        gradcheck(Two.apply, (leaf(3),))
    assert gradcheck(Two.apply, (leaf(3),), check_undefined_grad=False)


def test_options() -> None:
    x = leaf(3)
    assert gradcheck(Cube.apply, (x, 2.0), raise_exception=False) is False
    assert gradcheck(Cube.apply, (x, 1.0), raise_exception=False) is True
    assert check_vjp(np.sin, lambda x, g: g, real(3), raise_exception=False) is False
    assert gradcheck(lambda x: x * 2, x, masked=True, check_grad_dtypes=True)
    with pytest.raises(ValueError, match="at least one input"):  # what cannot be checked is no failed check
        gradcheck(lambda x: x, (mg.tensor(real(3)),), raise_exception=False)
    with pytest.raises(ValueError, match="check_forward_ad or check_backward_ad to be True"):
        gradcheck(lambda x: x, x, check_backward_ad=False)
    with pytest.raises(NotImplementedError, match="no forward mode"):
        gradcheck(lambda x: x, x, check_forward_ad=True)
    with pytest.raises(NotImplementedError, match="which vmap and jvp use too"):
        gradgradcheck(lambda x: x, x, check_batched_grad=True)


def test_signatures() -> None:
    parameters = inspect.signature(gradcheck).parameters
    defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
    assert list(parameters)[:2] == ["func", "inputs"]
    assert defaults == {
        "eps": 1e-6, "atol": 1e-5, "rtol": 1e-3, "raise_exception": True, "nondet_tol": 0.0,
        "check_undefined_grad": True, "check_grad_dtypes": False, "check_batched_grad": False,
        "check_batched_forward_grad": False, "check_forward_ad": False, "check_backward_ad": True,
        "fast_mode": False, "masked": None, "seed": 0, "allow_numpy": False,
    }  # fmt: skip
    parameters = inspect.signature(gradgradcheck).parameters
    assert list(parameters)[:3] == ["func", "inputs", "grad_outputs"]
    assert parameters["masked"].default is False
    assert parameters["gen_non_contig_grad_outputs"].default is False


def test_the_seed_is_stated_and_decides() -> None:
    x = leaf(3)
    texts = []
    for seed in (5, 5, 6):
        with pytest.raises(GradcheckError, match=f"seed {seed}, fast mode") as caught:
            gradcheck(lambda x: Cube.apply(x, 2.0), (x,), seed=seed, fast_mode=True)
        texts.append(str(caught.value).partition("culprit")[0])
    assert texts[0] == texts[1]


# ---------------------------------------------------------------- nothing leaks


@pytest.mark.parametrize(
    "f", [lambda x, c: (x * c).exp(), lambda x, c: Cube.apply(x, 2.0) * c, lambda x, c: x / "no"]
)
@pytest.mark.parametrize("fast", [False, True])
def test_nothing_leaks(f: Any, fast: bool) -> None:
    x, c = leaf(3), mg.tensor(real(3))
    x.grad = mg.tensor(real(3))
    grad, bits = x.grad, (x._array.tobytes(), c._array.tobytes(), x.grad._array.tobytes())
    mode, random = MODE.get(), mg.get_rng_state().tolist()
    for check in (gradcheck, gradgradcheck):
        with contextlib.suppress(GradcheckError, TypeError):
            check(f, (x, c), fast_mode=fast)
        assert MODE.get() is mode
        assert x.grad is grad
        assert (x._array.tobytes(), c._array.tobytes(), x.grad._array.tobytes()) == bits
        assert (x.requires_grad, x.is_leaf, c.requires_grad) == (True, True, False)
    assert mg.get_rng_state().tolist() == random


@pytest.mark.parametrize("at", [1, 2, 3, 7, 11])
def test_inputs_are_restored_after_an_exception(at: int) -> None:
    x = leaf(4)
    bits, mode = x._array.tobytes(), MODE.get()
    calls = 0

    def f(x: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= at:
            raise KeyError("mine")
        return x.exp()

    with pytest.raises(KeyError):
        gradcheck(f, (x,))
    assert x._array.tobytes() == bits
    assert MODE.get() is mode


def test_grad_mode_outside_does_not_matter() -> None:
    with mg.no_grad():
        assert gradcheck(lambda x: x.exp(), (leaf(3),))
        failure(lambda: gradcheck(Cube.apply, (leaf(3), 2.0)), numeric.FACTOR)


@pytest.mark.parametrize("factor", [1.0, 2.0], ids=["passes", "fails"])
def test_memory_is_one_jacobian_per_pair(factor: float) -> None:
    n = 600
    x = mg.tensor(real(n), requires_grad=True)
    # The first failure imports parts of NumPy.
    gradcheck(lambda x: (Cube.apply(x, factor), x * 2), (leaf(2),), raise_exception=False)
    gc.collect()
    tracemalloc.start()
    gradcheck(lambda x: (Cube.apply(x, factor), x * 2), (x,), raise_exception=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 8 * n * n * 1.25


# ---------------------------------------------------------------- every op of the table

DRAWS = int(os.environ.get("GRADCHECK_DRAWS", "8"))  # per row of the table; every op has several
DIFFERENTIABLE = [r for r in ROWS if r.d]
OPS = sorted({r.op for r in DIFFERENTIABLE})


def inputs(row: Row, seed: int) -> list[Any]:
    return [mg.from_numpy(a).requires_grad_(k in row.wanted) for k, a in enumerate(row.draw(seed))]


@pytest.mark.parametrize("op", OPS)
def test_no_false_alarm(op: str) -> None:
    """Random inputs at PyTorch's tolerances; a draw next to a kink is one if the report says so."""
    kinks = 0
    for row in DIFFERENTIABLE:
        for seed in range(DRAWS if row.op == op else 0):
            try:
                gradcheck(row.run, inputs(row, seed), fast_mode=seed > 1, seed=seed)  # warnings are errors
            except GradcheckError as error:
                if error.verdict != numeric.KINK:
                    raise
                kinks += 1
    assert kinks <= 2


FLAT = {"sign", "floor", "ceil", "trunc", "round", "div_floor", "trunc_divide"}


def flat(op: str, at: int) -> bool:
    """Whether a rule is zero, so that no relative error can be planted in it."""
    return op in FLAT or (op, at) in {
        ("relu_backward", 1), ("flat_in", 1), ("max_unpick", 1), ("max_pick", 1), ("copy", 0), ("copysign", 1),
        ("nextafter", 1), ("det_sign", 0),
    }  # fmt: skip


# Their second derivatives replay a layer for each element. One rule gives the gradients of all of their inputs, so two
# places stand for all.
REPLAYED = {"rnn_backward", "gru_backward", "lstm_backward"}
RULES = [
    (r, at)
    for op in OPS
    for at in sorted({k for r in DIFFERENTIABLE if r.op == op for k in r.wanted})
    for r in [next(r for r in DIFFERENTIABLE if r.op == op and at in r.wanted)]
    if not flat(op, at) and (op not in REPLAYED or at in (0, 3))
]


def caught(rows: list[Row], at: int, check: Callable[[Row, int], None]) -> bool:
    for row in rows:
        for seed in range(3):
            try:
                check(row, seed)
            except (GradcheckError, GradcheckWarning):
                return True
    return False


def place_of(row: Row, at: int) -> int:
    """Where among the operands of the op the input of a row stands."""
    if row.via is None:
        return at
    xs, places = inputs(row, 0), []

    def op(*operands: Any, **params: Any) -> Any:
        places.extend(i for i, x in enumerate(operands) if x is xs[at])
        return TABLE[row.op](*operands, **params)

    row.via(op, *xs, **row.params)
    return places[0] if places else at


@pytest.mark.parametrize(("row", "at"), RULES, ids=[f"{r.op}-{at}" for r, at in RULES])
def test_no_fault_missed(row: Row, at: int, plant: Any) -> None:
    """A relative error of 1e-4 in any rule: refused at tight tolerances, warned of at PyTorch's."""
    op, place = row.op, place_of(row, at)
    plant(op, place if TABLE[op].joint else min(place, len(TABLE[op].rules) - 1), lambda d: d * 1.0001)
    rows = [
        r for r in DIFFERENTIABLE if r.op == op and at in r.wanted and all(0 not in i.shape for i in r.inputs)
    ]
    for fast in (False, True):
        assert caught(
            rows, at, lambda row, seed, f=fast: gradcheck(row.run, inputs(row, seed), fast_mode=f, **TIGHT)
        )
    # What warns is the same whatever the operation: one mode in turn shows that it does.
    turn = bool(OPS.index(op) % 2)
    assert caught(rows, at, lambda row, seed: gradcheck(row.run, inputs(row, seed), fast_mode=turn))


def test_what_passes_with_an_error_that_is_no_rounding_warns() -> None:
    x = leaf(3)
    with pytest.warns(
        GradcheckWarning, match=r"passes, but is off by 1\.0e-04 .*Pass rtol=1e-5, atol=1e-7"
    ) as seen:
        assert gradcheck(Cube.apply, (x, 1.0001))
    assert seen[0].filename == __file__
    failure(lambda: gradcheck(Cube.apply, (x, 1.0001), **TIGHT), numeric.FACTOR)
    with pytest.warns(GradcheckWarning):
        assert check_vjp(np.sin, lambda x, g: g * np.cos(x) * 1.0001, real(3), rtol=1e-3)
    assert gradcheck(lambda x: (x.float() * 3).sin().double(), (x,), eps=1e-3)  # rounding, not a fault


# ---------------------------------------------------------------- names


def test_importing_minigrad_loads_nothing_that_runs_a_check() -> None:
    program = (
        "import sys, minigrad, minigrad.testing; print(sorted(m for m in sys.modules if 'gradcheck' in m))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (
        done.stdout.strip()
        == "['minigrad.autograd.gradcheck', 'minigrad.gradcheck', 'minigrad.gradcheck.outcome']"
    )


def test_each_door_leads_to_the_same_objects() -> None:
    module = importlib.import_module("minigrad.autograd.gradcheck")  # as in PyTorch the function hides it
    assert autograd.gradcheck is gradcheck is module.gradcheck
    assert autograd.gradgradcheck is module.gradgradcheck
    assert autograd.GradcheckError is mg.testing.GradcheckError is module.GradcheckError
    assert mg.testing.GradcheckWarning is module.GradcheckWarning
    assert repr(GradcheckError) == "<class 'minigrad.testing.GradcheckError'>"
    error = pickle.loads(
        pickle.dumps(failure(lambda: check_vjp(affine, planted(1, lambda d, _: -d), ARGS), "wrong sign"))
    )
    assert error.findings[0].kind == numeric.SIGN

import pytest

import minigrad as mg


def test_newton_step(work):
    x = mg.tensor(4.0, dtype=mg.float64)
    assert work.newton_step(lambda x: (x - 1) ** 2, x).item() == pytest.approx(1.0), (
        "one step finds the bottom of a parabola"
    )
    assert work.newton_step(lambda x: 4 * x - x**2, x).item() == pytest.approx(2.0), (
        "where the curvature is negative, the step goes to the top"
    )
    for _ in range(8):
        x = work.newton_step(lambda x: x**4 - 3 * x**3 + 2, x)
    assert x.item() == pytest.approx(2.25), "eight steps from 4, on x**4 - 3 * x**3 + 2"


def test_hessian_times(work):
    def f(p):
        return (p[0] * p[1]).sin() + p[1] ** 3

    p, v = mg.tensor([0.3, 0.7], dtype=mg.float64), mg.tensor([1.0, -2.0], dtype=mg.float64)
    expected = mg.autograd.functional.hessian(f, p) @ v
    assert work.hessian_times(f, p, v).tolist() == pytest.approx(expected.tolist()), (
        "beside the whole Hessian, times v"
    )

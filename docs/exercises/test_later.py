import numpy as np
import pytest

import minigrad as mg

rng = np.random.default_rng(0)


def test_annealed(work):
    optimizer = mg.optim.SGD([mg.nn.Parameter(mg.zeros(1))], lr=0.3)
    schedule = mg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=8)
    for step in range(9):
        assert work.annealed(0.3, step, 8) == pytest.approx(schedule.get_last_lr()[0], abs=1e-9), (
            f"the rate at step {step} of 8, from 0.3"
        )
        optimizer.step()
        schedule.step()


def test_dropout(work, check_vjp):
    x, keep = rng.normal(size=(4, 3)), rng.integers(0, 2, size=(4, 3))

    def backward(x, g):
        triple = work.backward_of_dropout(x, keep, 0.25, g)
        assert isinstance(triple, tuple), "a gradient for x, and None for keep and for share"
        return triple[0]

    check_vjp(lambda x: work.dropout(x, keep, 0.25), backward, x)


def test_sigmoid(work, check_vjp):
    x = np.array([-1000.0, -2.0, 0.0, 1.0, 1000.0])
    with np.errstate(over="raise", invalid="raise"):
        y = work.sigmoid(x)
    assert y == pytest.approx(mg.sigmoid(mg.tensor(x)).numpy())
    check_vjp(work.sigmoid, work.backward_of_sigmoid, rng.normal(size=(2, 3)))

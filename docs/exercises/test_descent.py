import pytest

import minigrad as mg


def test_momentum_step(work):
    p = mg.nn.Parameter(mg.tensor(10.0, dtype=mg.float64))
    optimizer = mg.optim.SGD([p], lr=0.1, momentum=0.9)
    x, velocity = 10.0, 0.0
    for _ in range(5):
        optimizer.zero_grad()
        (p**2).backward()
        optimizer.step()
        x, velocity = work.momentum_step(x, 2 * x, velocity, 0.1, 0.9)
        assert x == pytest.approx(p.item()), "p after a step, beside that of optim.SGD"


@pytest.mark.parametrize("steepest", [0.5, 10.0])
def test_largest_rate(work, steepest):
    for share, grows in ((0.99, False), (1.01, True)):
        x = 1.0
        for _ in range(50):
            x -= share * work.largest_rate(steepest) * steepest * x
        assert (abs(x) > 1) is grows, (
            f"x {'grows' if grows else 'shrinks'} in 50 steps from 1, at {share} times the right rate"
        )

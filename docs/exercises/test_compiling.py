import pytest

import minigrad as mg
from minigrad import nn


def test_training_step(work):
    def trained(make):
        mg.manual_seed(0)
        net = nn.Linear(3, 1)
        step = make(net, mg.optim.SGD(net.parameters(), lr=0.1))
        losses = [step(mg.randn(8, 3), mg.randn(8, 1)).item() for _ in range(5)]
        return losses, net.weight.tolist(), step

    def eager(net, optimizer):
        def step(x, target):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(net(x), target)
            loss.backward()
            optimizer.step()
            return loss

        return step

    *compiled, step = trained(work.training_step)
    assert len(step.report()) == 2
    assert compiled == list(trained(eager)[:2])


def test_huber(work):
    compiled = mg.compile(work.huber)
    for values, expected in (([0.5, -3.0], [0.125, 2.5]), ([2.0, -0.5], [1.5, 0.125])):
        assert compiled(mg.tensor(values)).tolist() == expected
    assert len(compiled.report()) == 1


def test_weighted(work):
    compiled = mg.compile(lambda x, epoch: x / (1 + epoch))
    assert work.weighted(compiled, mg.ones(2), 3).tolist() == pytest.approx([1 + 1 / 2 + 1 / 3] * 2)
    assert len(compiled.report()) == 1

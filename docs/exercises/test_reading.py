import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

rng = np.random.default_rng(0)


def network():
    mg.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    return net, mg.randn(8, 3), mg.randn(8, 1)


def test_train(work):
    net, x, target = network()
    loss = nn.functional.mse_loss(net(x), target)
    program = mg.source(loss, net, inputs={"x": x, "target": target})
    weights = {name: p.detach().numpy().copy() for name, p in net.named_parameters()}
    optimizer, expected = mg.optim.SGD(net.parameters(), lr=0.1), []
    for _ in range(4):
        loss = nn.functional.mse_loss(net(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    losses = work.train(program, [x.numpy(), target.numpy()], weights, lr=0.1, steps=4)
    assert losses == pytest.approx(expected), "the losses of four steps, beside those of SGD"
    assert weights["0.bias"] == pytest.approx(net[0].bias.detach().numpy()), "the first bias after four steps"


def test_unreached(work):
    net, x, _ = network()
    assert work.unreached(net(x).sum(), net) == []
    last = net[2](net[0](x).detach()).sum()
    assert work.unreached(last, net) == ["0.weight", "0.bias"], "the first layer is cut off by detach"
    net[2].bias.requires_grad_(False)
    assert work.unreached(net(x).sum(), net) == ["2.bias"], "the last bias is frozen"


def test_backward(work, check_vjp):
    check_vjp(work.forward, work.backward, tuple(rng.normal(size=(3, 5))))

"""The front door: a tour of the library on one page. If this passes, minigrad works."""

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import functional as F


def test_a_number() -> None:
    x = mg.tensor(3.0, requires_grad=True)
    y = x**2 + 2 * x + 1
    y.backward()
    assert (y.item(), x.grad.item()) == (16.0, 8.0)


def test_a_neuron_with_numpy() -> None:
    data = np.array([[0.0, 1.0], [2.0, 3.0]])
    w = mg.tensor([1.0, -1.0], dtype=mg.float64, requires_grad=True)
    out = mg.tanh(data @ w)
    out.sum().backward()
    assert np.allclose(w.grad.numpy(), ((1 - np.tanh(data @ [1.0, -1.0]) ** 2)[:, None] * data).sum(0))


def test_a_gradient_of_a_gradient() -> None:
    x = mg.tensor(2.0, requires_grad=True)
    (slope,) = mg.autograd.grad(x.exp() * x, x, create_graph=True)
    (curvature,) = mg.autograd.grad(slope, x)
    assert np.isclose(curvature.item(), np.exp(2.0) * 4, rtol=1e-6)


def test_a_function_of_ones_own() -> None:
    class Square(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    x = mg.tensor([1.0, 2.0], requires_grad=True)
    Square.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_network_learns() -> None:
    mg.manual_seed(0)
    x = mg.linspace(-2, 2, 64).unsqueeze(1)
    target = x.sin() * 2 + 0.1 * mg.randn(64, 1)
    model = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss = nn.MSELoss()(model(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.03 < 1.0 < losses[0]
    assert sum(losses[-10:]) < 0.05 * sum(losses[:10])

    with mg.no_grad():
        guess = model.eval()(mg.tensor([[1.0]]))
    assert not guess.requires_grad
    assert abs(guess.item() - 2 * np.sin(1.0)) < 0.3

    again = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 1))
    again.load_state_dict(model.state_dict())
    assert mg.equal(again(x), model(x))
    assert [n for n, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert F.mse_loss(model(x), target).item() <= losses[-1] * 1.01


def test_the_same_seed_the_same_numbers() -> None:
    mg.manual_seed(7)
    first = mg.rand(3), mg.randn(2, 2), mg.randint(0, 10, (4,)), mg.randperm(5)
    mg.manual_seed(7)
    second = mg.rand(3), mg.randn(2, 2), mg.randint(0, 10, (4,)), mg.randperm(5)
    assert all(mg.equal(a, b) for a, b in zip(first, second, strict=True))
    assert (first[0] >= 0).all()
    assert (first[0] < 1).all()
    assert sorted(first[3].tolist()) == [0, 1, 2, 3, 4]


def test_it_prints_like_pytorch() -> None:
    w = mg.tensor([[1.0, 2.0], [3.0, 4.5]], requires_grad=True)
    assert repr(w) == "tensor([[1.0000, 2.0000],\n        [3.0000, 4.5000]], requires_grad=True)"
    assert repr(w.sum()) == "tensor(10.5000, grad_fn=<SumBackward0>)"

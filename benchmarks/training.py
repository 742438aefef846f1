"""Training steps of small networks in float32, by PyTorch's names: ``m`` is torch or minigrad."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

Work = Callable[[], list[Any]]
# What is measured: its name, and the bounds on minigrad's time, eager and compiled, in PyTorch's.
BOUNDS = {
    "LeNet, batch 64": (1.8, 1.3),
    "transformer, 4 layers of 128, 64 tokens, batch 16": (1.5, 1.1),
    "character LSTM, 64 wide, 100 steps, batch 16": (1.2, 1.0),
    "embedding and MLP, batch 32": (0.7, 0.3),
}
LETTERS = 65


def lenet(m: Any, batch: int) -> tuple[Any, Any, list[Any]]:
    nn = m.nn
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    random = np.random.default_rng(0)
    images = random.standard_normal((batch, 1, 28, 28)).astype(np.float32)
    return net, m.optim.SGD(net.parameters(), lr=0.01), [images, random.integers(0, 10, batch)]


def transformer(m: Any, batch: int, tokens: int, layers: int) -> tuple[Any, Any, list[Any]]:
    nn = m.nn

    class Transformer(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.token, self.place = nn.Embedding(LETTERS, 128), nn.Embedding(tokens, 128)
            self.layers = nn.ModuleList(
                nn.TransformerEncoderLayer(128, 4, 512, 0.0, "gelu", batch_first=True, norm_first=True)
                for _ in range(layers)
            )
            self.head = nn.Linear(128, LETTERS)
            self.places = m.arange(tokens)
            self.mask = nn.Transformer.generate_square_subsequent_mask(tokens)

        def forward(self, x: Any) -> Any:
            x = self.token(x) + self.place(self.places)
            for layer in self.layers:
                x = layer(x, src_mask=self.mask)
            return self.head(x).reshape(-1, LETTERS)

    net, random = Transformer(), np.random.default_rng(0)
    letters = random.integers(0, LETTERS, (batch, tokens + 1))
    return net, m.optim.Adam(net.parameters(), lr=1e-4), [letters[:, :-1], letters[:, 1:].ravel()]


def characters(m: Any, batch: int, steps: int) -> tuple[Any, Any, list[Any]]:
    nn = m.nn

    class Characters(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.letter, self.lstm, self.head = (
                nn.Embedding(LETTERS, 64),
                nn.LSTM(64, 64),
                nn.Linear(64, LETTERS),
            )

        def forward(self, x: Any) -> Any:
            y, _ = self.lstm(self.letter(x))
            return self.head(y).reshape(-1, LETTERS)

    net, random = Characters(), np.random.default_rng(0)
    letters = random.integers(0, LETTERS, (steps + 1, batch))
    return net, m.optim.Adam(net.parameters(), lr=1e-3), [letters[:-1], letters[1:].ravel()]


def names(m: Any, batch: int) -> tuple[Any, Any, list[Any]]:
    nn = m.nn
    net = nn.Sequential(nn.Embedding(27, 10), nn.Flatten(), nn.Linear(30, 200), nn.Tanh(), nn.Linear(200, 27))
    random = np.random.default_rng(0)
    data = [random.integers(0, 27, (batch, 3)), random.integers(0, 27, batch)]
    return net, m.optim.SGD(net.parameters(), lr=0.1), data


def prepare(m: Any, name: str, small: bool, prepared: Callable[[Any], Any]) -> Work:
    """The step of a name, which returns the loss and the parameters; what is called is ``prepared(train)``."""
    few = 2 if small else 0
    m.manual_seed(0)
    kind = name.partition(",")[0]
    if kind == "LeNet":
        net, optimizer, data = lenet(m, few or 64)
    elif kind == "transformer":
        net, optimizer, data = transformer(m, few or 16, few or 64, few or 4)
    elif kind == "character LSTM":
        net, optimizer, data = characters(m, few or 16, few or 100)
    else:
        net, optimizer, data = names(m, few or 32)
    # Two batches in turn: that of the other step, turned round.
    batches = itertools.cycle([[m.from_numpy(a[::step].copy()) for a in data] for step in (1, -1)])
    parameters, loss_of = list(net.parameters()), m.nn.functional.cross_entropy

    @prepared
    def train(x: Any, target: Any) -> Any:
        loss = loss_of(net(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    def run() -> list[Any]:
        return [train(*next(batches)), *parameters]

    return run

"""How long drawing takes, and how large pictures get: ``python benchmarks/draw.py``.

The bounds: the DOT text of a tape of 100,000 records in under 5 s, a stack of 12 blocks in fewer than 80 boxes,
the article's network laid out in under 1 s by either engine, also the first time in WebAssembly, when that is
compiled: in processes of their own, whose cache is empty, on all cores and on one.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import memory

import minigrad as mg
from minigrad import nn

RECORDS = 100_000


def chain() -> Any:
    """The same two operations over and over."""
    y = mg.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(RECORDS // 2):
        y = y * 1.0001 + 0.1
    return y


def tangle() -> Any:
    """Operations at random on results at random, with nothing to fold."""
    choose = random.Random(1)
    seen = [mg.tensor([1.0, 2.0], requires_grad=True)]
    steps: list[Callable[[Any, Any], Any]] = [
        lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a.tanh(), lambda a, b: a.sin(),
    ]  # fmt: skip
    for _ in range(RECORDS):
        other = seen[max(0, len(seen) - choose.randint(1, 6))]
        seen.append(choose.choice(steps)(seen[-1], other))
    return seen[-1]


class Block(nn.Module):
    """Attention with one head and a small network, as in a transformer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))

    def forward(self, x: Any) -> Any:
        """One block."""
        weights = (self.q(x) @ self.k(x).mT / 4).exp()
        x = x + self.o(weights / weights.sum(-1, keepdim=True) @ self.v(x))
        return x + self.mlp(x)


def stack() -> tuple[Any, Any]:
    """Twelve blocks between two linear layers."""
    net = nn.Sequential(nn.Linear(4, 16), *[Block(16) for _ in range(12)], nn.Linear(16, 2))
    return net, net(mg.randn(2, 5, 4)).sum()


def article() -> tuple[Any, Any]:
    """The article's network and its loss."""
    layers: list[Any] = []
    for n in (2, 64, 64):
        layers += [nn.Linear(n, 64), nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(64, 1))
    return net, nn.functional.mse_loss(net(mg.randn(1000, 2)), mg.randn(1000, 1))


@contextlib.contextmanager
def without_dot() -> Iterator[None]:
    """Nothing on the PATH, so that the WebAssembly build is used."""
    path = os.environ["PATH"]
    os.environ["PATH"] = ""
    try:
        yield
    finally:
        os.environ["PATH"] = path


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Does it and says how long it took."""
    begin = time.perf_counter()
    found = work()
    print(f"{time.perf_counter() - begin:8.3f} s  {what}: {found if isinstance(found, mg.Drawing) else ''}")
    return found


def main() -> None:
    """Measures."""
    for make in (chain, tangle):
        result = make()
        before = memory.now()
        timed(f"{make.__name__} of {RECORDS:,}", lambda: mg.draw(result))  # noqa: B023 (called at once)
        timed("  every box", lambda: mg.draw(result, max_nodes=None, fold=False))  # noqa: B023
        print(f"            {(memory.now() - before) / 1e6:.0f} MB more resident once they are dropped")
    net, out = stack()
    for direction in ("forward", "both"):
        d = timed(f"12 blocks, {direction}", lambda: mg.draw(out, net, direction=direction))  # noqa: B023
        timed("  its layout", d.svg)
        page(d)
    net, loss = article()
    for direction in ("forward", "both"):
        if shutil.which("dot"):
            timed(f"article, {direction}, dot", lambda: mg.draw(loss, net, direction=direction).svg())  # noqa: B023
        with without_dot():
            for time_ in ("opened", "again"):
                name = f"article, {direction}, WebAssembly, {time_}"
                timed(name, lambda: mg.draw(loss, net, direction=direction).svg())  # noqa: B023
        page(mg.draw(loss, net, direction=direction))
    for cores in (os.cpu_count() or 1, 1):
        found = sorted(first_in_webassembly(cores) for _ in range(5))
        print(
            f"{found[2]:8.3f} s  article, forward, WebAssembly, compiled first, {cores} cores (median of 5)"
        )


def page(drawing: mg.Drawing) -> None:
    """How long the page takes that folds and switches, and how large it gets."""
    begin = time.perf_counter()
    size = len(drawing.html().encode())
    print(f"{time.perf_counter() - begin:8.3f} s    its page, {size / 1e3:,.0f} kB")


def first_in_webassembly(cores: int) -> float:
    """Seconds from ``draw`` to SVG in a fresh process that finds nothing compiled."""
    with tempfile.TemporaryDirectory() as cache:
        own = {**os.environ, "XDG_CACHE_HOME": cache, "HOME": cache, "LOCALAPPDATA": cache}
        call = [sys.executable, __file__, "first", str(cores)]
        return float(subprocess.run(call, env=own, check=True, capture_output=True, text=True).stdout)


def first(cores: int) -> None:
    """The work of such a process."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    net, loss = article()
    with without_dot():
        begin = time.perf_counter()
        mg.draw(loss, net).svg()
        print(time.perf_counter() - begin)


if __name__ == "__main__":
    if sys.argv[1:2] == ["first"]:
        first(int(sys.argv[2]))
    else:
        main()

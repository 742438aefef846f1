"""Slow gradcheck against the least it can cost, and beside PyTorch's: python benchmarks/gradcheck.py [--help].

A check of 1,000 inputs against 1,000 outputs needs 2,000 evaluations and 1,000 backward passes.  The bound is
1.2 x the time of just these, taken in turn with the check.  The fastest round counts: on a machine that others
use too, everything slower measures them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread for both: a second only adds noise here

import numpy as np

BOUND = 1.2
KINDS = ("elementwise", "dense", "chain")


def function(mg: Any, kind: str, n: int) -> tuple[Callable[[Any], Any], Any]:
    """A function of n inputs and n outputs, in minigrad or torch, and its input."""
    rng = np.random.default_rng(0)
    x = mg.tensor(rng.uniform(0.5, 1.5, n), requires_grad=True)
    w = mg.tensor(rng.standard_normal((n, n)) / n**0.5)
    if kind == "elementwise":
        return (lambda x: x.exp() * x.sin()), x
    if kind == "dense":
        return (lambda x: (w @ x).tanh()), x
    return (lambda x: ((((x * x + 1.0).log() * x).tanh() + x).sqrt() * 0.5).exp()), x


def least(mg: Any, grad: Any, f: Callable[[Any], Any], x: Any) -> float:
    """Seconds of the processor for the evaluations and the backward passes alone."""
    n = x.numel()
    seeds = [mg.tensor(np.eye(1, n, k)[0]) for k in range(n)]
    begin = time.process_time()
    with mg.no_grad():
        for _ in range(2 * n):
            f(x)
    y = f(x)
    for seed in seeds:
        grad(y, x, seed, retain_graph=True)
    return time.process_time() - begin


def seconds(call: Callable[[], Any]) -> float:
    begin = time.process_time()
    call()
    return time.process_time() - begin


def measure(n: int, rounds: int, with_torch: bool) -> bool:
    """Prints a line per function; whether all keep the bound."""
    import minigrad as mg

    torch = None
    if with_torch:
        try:
            import torch  # type: ignore[no-redef]

            torch.set_num_threads(1)
        except ImportError:
            print("torch is not installed")
    print(f"{n} inputs, {n} outputs, the fastest of {rounds} rounds; the bound is {BOUND:g}")
    print(f"{'function':<12} {'least':>10} {'gradcheck':>10} {'ratio':>7} {'torch':>10}")
    kept = True
    for kind in KINDS:
        f, x = function(mg, kind, n)
        g, z = function(torch, kind, n) if torch else (None, None)
        floor, ours, theirs = [], [], []
        for _ in range(rounds):
            floor.append(least(mg, mg.autograd.grad, f, x))
            ours.append(seconds(lambda f=f, x=x: mg.autograd.gradcheck(f, (x,))))
            if torch:
                theirs.append(seconds(lambda g=g, z=z: torch.autograd.gradcheck(g, (z,))))
        ratio = min(ours) / min(floor)
        kept &= ratio <= BOUND
        shown = f"{min(theirs) * 1e3:7.1f} ms" if theirs else "-"
        print(
            f"{kind:<12} {min(floor) * 1e3:7.1f} ms {min(ours) * 1e3:7.1f} ms "
            f"{ratio:7.2f} {shown:>10}{'' if ratio <= BOUND else '   MISSED'}"
        )
    return kept


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Time slow gradcheck against the evaluations that it needs.")
    parser.add_argument("--size", type=int, default=1000, help="inputs and outputs")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--no-torch", action="store_true", help="leave PyTorch out")
    given = parser.parse_args(argv)
    return 0 if measure(given.size, given.rounds, not given.no_torch) else 1


if __name__ == "__main__":
    sys.exit(main())

"""What a compiled function stores in objects and dicts."""

from __future__ import annotations

import functools
import gc
import re
import types
import weakref
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.tape import TABLE, Op


class Layer(nn.Module):
    """A layer of four numbers; subclasses say what they keep."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.kept, self.count = nn.Linear(4, 4), None, 0
        self.table: dict[Any, Any] = {}
        self.build(0)

    def build(self, n: int) -> None:
        """What subclasses begin with."""


# Classes of layers by what they do, or after `=` whole modules. What is "again" goes by a number or a dict that it
# changes, and is recorded at each call.
LAYERS = """
== keeps what it computes
def forward(self, x):
    self.kept = (x @ x.T).softmax(-1)
    self.shape, self.pair, self.text = x.shape, {"x": x, "sum": [x.sum()]}, f"{x.ndim}"
    return self.inner(self.kept @ x)
== reads what it has kept
def forward(self, x): self.kept = self.inner(x); self.count = self.kept.shape[0]; return self.kept.relu() / self.count
== keeps it detached and in training alone
def forward(self, x):
    y = self.inner(x)
    if self.training: self.kept = y.detach()
    return y
== computes it once
def forward(self, x):
    if self.kept is None: self.kept = mg.arange(x.shape[1]).float().cos()
    return self.inner(x) * self.kept
== computes it where it has none
def forward(self, x):
    if not hasattr(self, "mask"): self.mask = mg.ones(4, 4).tril()
    return self.inner(x @ self.mask)
== grows
def build(self, n): self.kept, self.count = mg.arange(n).float().cos(), n
def forward(self, x):
    if x.shape[0] > self.count: self.build(x.shape[0])
    return self.inner(x) * self.kept[: x.shape[0], None]
== remembers by size
def forward(self, x):
    n = x.shape[0]
    if n not in self.table: self.table[n] = mg.ones(n, n).tril()
    return self.table[n] @ self.inner(x)
== stores under a computed name
def forward(self, x):
    for i in range(2): setattr(self, f"kept_{i}", x := self.inner(x))
    return x * self.kept_0
== keeps numbers in lists and tuples
def forward(self, x):
    if self.count == 0: self.last, self.both, self.mean = [1, 0.5], (1.0, 2), {"m": 0.0}
    self.count += 1
    self.mean = {"m": 0.9 * self.mean["m"] + 0.1 * self.count}
    self.last, self.both = [self.last[0] + 1, self.last[1] * 0.5], (self.both[1] * 0.5, self.last[0])
    return self.inner(x) * self.last[1] + self.both[0] + self.mean["m"]
== keeps what it gets
def forward(self, x): self.kept, self.first = x, x[:1]; return self.inner(x)
== logs in a dict
def forward(self, x):
    y = self.inner(x)
    self.table["mean"], self.count = y.detach().mean(), 3
    self.kept = {"y": y.detach()}; self.table["shape"] = y.shape; self.table["mean"] = y.detach().mean() * 2.0
    return y
== keeps a view of what it changes
def forward(self, x):
    if not hasattr(self, "late"): self.late = x.detach()
    y = self.inner(x * 1.0); x.data.mul_(2.0); return y
== remembers and logs alike
def build(self, n): self.other = {}
def forward(self, x):
    if "y" not in self.table: self.table["y"] = mg.ones(4)
    self.other["y"] = y = self.inner(x)
    return y * self.table["y"]
== keeps features by hooks
def build(self, n):
    self.layers, self.table = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)), {"old": 1, 2: None}
    for i, layer in enumerate(self.layers): layer.register_forward_hook(self.keeps(2 - i))
def keeps(self, name):
    features = self.table
    def hook(module, args, output): features[name] = output.detach()
    return hook
def forward(self, x): return self.layers(x)
== counts
def forward(self, x): self.count += 1; return self.inner(x) * self.count
== computes with numbers that it stores
def build(self, n): self.mean, self.rate = 0.25, 1e-2
def forward(self, x):
    self.count += 1
    self.mean = 0.9 * self.mean + self.count / (2 + self.count % 3)
    self.rate = min(self.rate * 1.5, 0.1) if self.count < 1000 else -abs(self.rate) // 2 - self.count
    y = self.inner(x) * (1 - 0.9**self.count)
    if self.count % 100 == 99 or self.count == 0: y = y * 2
    return y * self.mean + self.rate * (10**400 > self.count)
== asks for numbers that it stores | again
def forward(self, x):
    self.count += 1
    y = mg.tensor([0.5, self.count, self.count, self.count]) * mg.tensor([self.count / 2, *[self.count] * 3])
    y = self.inner(x).roll(self.count) * [1, 2, 3][self.count % 3] + y * x.long() * self.count
    return y * (self.count & 5) * float(f"{self.count}")
== asks for the type of a number that it stores | again
def forward(self, x): self.count += 1; return self.inner(x) * (2 if type(self.count) is int else 3)
== reads a computed name | again
def forward(self, x): n = getattr(self, "".join(["cou", "nt"])); self.count = x.shape[0] + n; return self.inner(x)
== counts what it logs
def forward(self, x): self.table["x"] = x.mean(); return self.inner(x) * len(self.table)
== averages
def forward(self, x):
    self.kept = x.mean(0) if self.kept is None else self.kept * 0.5 + x.mean(0)
    return self.inner(x + self.kept)
== has a state of several, as that of a recurrent cell; a list is read before it is set
def build(self, n): self.state, self.kept = (mg.zeros(4), (mg.ones(4), 1)), [mg.ones(4), None]
def forward(self, x):
    h, (c, n) = self.state
    y = self.inner(x + h * c + self.kept[0])
    self.state = y.detach().mean(0), ((h + c).tanh(), n)
    self.kept = [y.detach().sum(0).cos(), None]
    return y * n
== counts and averages in dicts and lists
def build(self, n):
    self.table = {"n": 0, 3: 0.5, "mean": mg.zeros(4), "inner": {"n": 1}}
    self.rates, self.sums = [0.5, 1, "a"], [mg.zeros(4), None]
    self.by_weight = {p: mg.zeros_like(p) for p in self.inner.parameters()}
    self.counts = {p: 0 for p in self.by_weight}
def forward(self, x):
    y = self.inner(x) * (1 - 0.9 ** (self.table["n"] + 1)) + self.rates[0] * self.sums[-2]
    self.table["n"] += 1; self.table["inner"]["n"] *= 2 - self.table["n"] % 2; self.table[3] = 0.5 * self.table[3]
    self.table["mean"] = 0.9 * self.table["mean"] + y.detach().mean(0) * self.table[3]
    for i, rate in enumerate(self.rates[:2]): self.rates[i] = 0.5 * rate + self.table["n"] % 3
    self.sums[0] = self.sums[0] * 0.5 + x.detach().mean(0)
    for p in self.by_weight: self.by_weight[p] = self.by_weight[p] * 0.9 + p.detach(); self.counts[p] += 1
    return y + self.counts[self.inner.bias] * self.table["mean"] + self.by_weight[self.inner.bias]
== counts by mode, under keys of several kinds
def build(self, n): self.table = {(True, "n"): 0, (False, "n"): 0, 0.5: 1, None: 2}
def forward(self, x):
    self.table[self.training, "n"] += 1; self.table[0.5] *= 2; self.table[None] += 1
    return self.inner(x) * self.table[self.training, "n"] + self.table[None] / self.table[0.5]
== counts in one branch or the other
def build(self, n): self.evals, self.last = 0, mg.zeros(4)
def forward(self, x):
    if self.training: self.count += 1
    else: self.evals += 1; self.last = x.detach().mean(0)
    return self.inner(x) * (self.count - self.evals) + self.last
== has a cached property
@functools.cached_property
def mask(self): return mg.ones(4, 4).tril()
def forward(self, x): return self.inner(x @ self.mask)
== two layers that keep it
= nn.Sequential(layer("reads what it has kept"), layer("keeps what it computes"), layer("reads what it has kept"))
== a norm of weights
= nn.Sequential(weight_normed())
== a spectral norm
= nn.Sequential(nn.utils.spectral_norm(nn.Linear(4, 4)))
== an average of all batches
= nn.Sequential(nn.BatchNorm1d(4, momentum=None), nn.RReLU(), nn.Linear(4, 4))
"""
TEXTS = {name: text for name, _, text in (part.partition("\n") for part in LAYERS.split("\n== ")[1:])}


def layer(name: str) -> Any:
    """A module that does what the table says under this name."""
    text = TEXTS[name]
    if text[0] == "=":
        return eval(text[2:])
    space = {"mg": mg, "nn": nn, "functools": functools, "Layer": Layer, "__name__": __name__}
    body = text.replace("\n", "\n    ")
    exec(compile(f"class Own(Layer):\n    {body}", __file__, "exec"), space)
    return space["Own"]()  # type: ignore[operator]


def weight_normed() -> Any:
    with pytest.warns(FutureWarning):
        return nn.utils.weight_norm(nn.Linear(4, 4))


def state(module: Any) -> Any:
    """What is stored in a module and in those that it holds, as text."""
    rows = [(k, v) for m in module.modules() for k, v in vars(m).items() if k[0] != "_" and k != "training"]
    return repr([(k, v, getattr(v, "requires_grad", None)) for k, v in rows])


def graphless(text: str) -> str:
    return re.sub(r",\s*grad_fn=<\w+>", "", text)


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_stored_is_there_after_each_call(name: str) -> None:
    """In both halves of a training step, by itself and compiled as a whole, for two sizes and in both modes."""

    def train(way: Any, whole: bool) -> list[str]:
        mg.manual_seed(0)
        net, log = layer(name), list[str]()
        opt = optim.SGD(net.parameters(), lr=0.1)
        run = net if whole else way(net)

        def step(x: Any) -> Any:
            opt.zero_grad()
            y = run(x)
            (y * y).mean().backward()
            opt.step()
            return y

        step = way(step) if whole else step
        for k, n in enumerate([3, 3, 3, 2, 5, 5, 3]):
            x = mg.randn(n, 4, generator=mg.Generator().manual_seed(k))
            log += [repr(step(x).detach()), state(net), repr([*net.parameters()])]
        net.eval()
        for _ in range(3):
            log += [repr((net if whole else run)(mg.ones(3, 4))), state(net)]
        if way is mg.compile and "again" not in name:
            before = len((step if whole else run).recordings)
            step(mg.ones(3, 4))
            step(mg.ones(3, 4))
            step(mg.ones(3, 4))
            assert len((step if whole else run).recordings) <= before + 2  # and then it is replayed
            assert before <= 14
        return log

    for whole in (False, True):
        for i, (found, expected) in enumerate(
            zip(train(mg.compile, whole), train(lambda f: f, whole), strict=True)
        ):
            assert graphless(found) == graphless(expected), (whole, i)


# Steps of optimizers as people write them: the state of a parameter, an attribute, an option that counts.
STEPS = [
    """
state = self.state[p]
if not state: state["step"], state["mean"], state["rms"] = 0, mg.zeros_like(p), mg.zeros_like(p)
state["step"] += 1
state["mean"] = 0.9 * state["mean"] + 0.1 * p.grad
state["rms"].mul_(0.99).addcmul_(p.grad, p.grad, value=0.01)
rate = group["lr"] / (1 - 0.9 ** state["step"])
p.addcdiv_(state["mean"], state["rms"].sqrt().add_(1e-8), value=-rate)""",
    "self.count = getattr(self, 'count', 0) + 1; p -= group['lr'] / self.count * p.grad",
    "group['count'] += 1; group['lr'] *= 0.9; p -= group['lr'] / group['count'] * p.grad",
    "h = self.state[p].setdefault('h', {'n': 0}); h['n'] += 1; p -= group['lr'] / h['n'] * p.grad",
    "m = self.state[p].get('m', 0 * p) + p.grad; self.state[p] = {'m': m * 0.9}; p -= group['lr'] * m",
    "t = self.state[p].get('t', 1); p -= group['lr'] / t ** 0.5 * p.grad; self.state[p]['t'] = t + 1",
]


@pytest.mark.parametrize("text", STEPS)
def test_an_optimizer_of_the_user_is_replayed(text: str) -> None:
    body = text.strip().replace("\n", "\n            ")
    exec(
        f"""
class Own(optim.Optimizer):
    def __init__(self, params): super().__init__(params, {{"lr": 0.1, "count": 0}})
    @mg.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                {body.replace(chr(10), chr(10) + "    ")}
""",
        space := {"mg": mg, "optim": optim},
    )

    def train(way: Any) -> list[Any]:
        mg.manual_seed(0)
        net = nn.Linear(4, 1)
        opt = space["Own"](net.parameters())  # type: ignore[operator]

        @way
        def step(x: Any) -> Any:
            opt.zero_grad()
            loss = net(x).square().mean()
            loss.backward()
            opt.step()
            return loss

        log = [step(mg.randn(3, 4)).item() for _ in range(6)]
        if way is mg.compile:
            assert len(step.recordings) <= 2  # the first call makes the state
        return [*log, repr(opt.state_dict()), repr(vars(opt).get("count"))]

    assert train(mg.compile) == train(lambda f: f)


def test_a_kernel_of_the_user_runs_once_in_a_call_that_counts() -> None:
    calls = list[int]()
    op = Op("noisy", lambda x: (calls.append(1), x * len(calls))[1], "x", lambda g, y: g, cast="float")
    TABLE.pop(op.name)
    counts = {"n": 0}

    def f(x: Any) -> Any:
        counts["n"] += 1
        return op(x) * counts["n"]

    g = mg.compile(f)
    assert [g(mg.ones(1)).item() for _ in range(4)] == [1.0, 4.0, 9.0, 16.0]
    assert len(g.recordings) == 2


def test_what_a_state_holds_is_seen() -> None:
    p = nn.Parameter(mg.ones(2))
    opt = optim.SGD([p])
    opt.state[p] = {"list": [0.5], "object": types.SimpleNamespace(k=1), "array": np.ones(2)}
    opt.state["own"] = [1.0]
    opt.param_groups[0]["array"] = np.zeros(1 << 15)

    def f(x: Any) -> Any:
        state = opt.state[p]
        return x * state["list"][0] * state["object"].k + float(state["array"][1]) * opt.state["own"][0]

    def large(x: Any) -> Any:
        return x * float(opt.param_groups[0]["array"][0])

    g = mg.compile(f)
    for _ in range(3):
        assert g(mg.ones(2)).tolist() == f(mg.ones(2)).tolist()
        opt.state[p]["list"][0] += 1.0
        opt.state[p]["object"].k += 1
        assert g(mg.ones(2)).tolist() == f(mg.ones(2)).tolist()
        opt.state[p]["array"][1] += 1.0
        opt.state["own"][0] += 1.0
    with pytest.raises(RuntimeError, match="reaches a ndarray"):
        mg.compile(large)(mg.ones(2))


def test_a_hook_reads_an_attribute_beside_one_that_is_stored() -> None:
    net = Layer()

    def f(x: Any) -> Any:
        y = net.inner(x)
        y.register_hook(lambda g: g * net.scale)
        net.kept = y.detach()
        return y.sum()

    g = mg.compile(f)
    for net.scale in (2.0, 3.0):
        net.zero_grad()
        g(mg.ones(2, 4)).backward()
        assert net.inner.bias.grad.tolist() == [2 * net.scale] * 4
    loss, net.scale = g(mg.ones(2, 4)), 5.0
    with pytest.raises(RuntimeError, match="has changed since the call"):
        loss.backward()


def test_a_table_that_holds_itself_is_replaced() -> None:
    held: list[Any] = [mg.ones(1)]
    held.append(held)
    table = {"x": held}

    def f(x: Any) -> Any:
        table["x"] = x
        return x * 2

    g, x = mg.compile(f), mg.ones(2)
    assert g(x).tolist() == [2.0, 2.0]
    assert table["x"] is x


def test_a_tensor_that_an_attribute_or_a_state_holds_is_an_argument_too() -> None:
    """The recording of a call that leaves it as it was, or gets what it reads itself, serves no other argument."""
    net, opt = Layer(), optim.SGD([mg.ones(1, requires_grad=True)])
    a, b = mg.ones(2, 4), mg.zeros(2, 4)

    def keep(x: Any) -> Any:
        setattr(net, "".join(["ke", "pt"]), x)
        return x * 2

    def add(x: Any) -> Any:
        return x + sum(state["a"] for state in opt.state.values())

    kept, added, net.kept = mg.compile(keep), mg.compile(add), a
    opt.state[opt.param_groups[0]["params"][0]] = {"a": a}
    for x in (a, b, a, a, b):
        kept(x)
        assert net.kept is x
        assert added(x).tolist() == add(x).tolist()


@pytest.mark.parametrize("change", ["del net.count", "net.kept = lambda: x"])
def test_what_no_replay_could_store_is_refused(change: str) -> None:
    exec(f"def f(x):\n    {change}\n    return x", space := {"net": (net := Layer())})
    before = state(net)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"compile\(\): the function (changes|returns or stores)"):
            mg.compile(space["f"])(mg.ones(4, 4))
        assert state(net) == before


def test_neither_a_recording_nor_a_module_keeps_what_was_stored_before() -> None:
    net = layer("keeps what it computes")
    step = mg.compile(net)
    for _ in range(3):
        step(mg.ones(3, 4))
    old = weakref.ref(net.kept)
    step(mg.ones(3, 4))
    gc.collect()
    assert old() is None


def test_a_record_keeps_neither_what_was_detached_nor_what_its_backward_pass_has_read() -> None:
    net = Layer()
    net.kept = mg.zeros(4)

    def f(x: Any) -> Any:
        y = net.inner(x).tanh()
        net.kept = net.kept.detach() + y.mean(0)
        return (net.kept * y).sum()

    g, losses, refs = mg.compile(f), list[Any](), list[Any]()
    for _ in range(5):
        x = mg.ones(3, 4)
        refs += [weakref.ref(x), weakref.ref(x._array), weakref.ref(net.kept)]
        losses.append(g(x))
        losses[-1].backward()
    del x
    gc.collect()
    assert all(r() is None for r in refs)


def test_buffers_stay_where_they_are() -> None:
    net = mg.compile(nn.Sequential(nn.BatchNorm1d(4), Layer().inner))
    net(mg.ones(3, 4))
    assert len(net.recordings[0].plan.takes) == 1  # the argument


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_loss_that_is_stored_alone_goes_backward(backend: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba", reason="Numba is not installed: pip install numba")
    net, x = Layer(), mg.ones(2, 4)

    def f(x: Any) -> None:
        net.kept = (net.inner(x) ** 2).mean()

    g, grads = mg.compile(f, backend=backend), []
    for way in (f, g, g, g):
        net.zero_grad()
        way(x)
        net.kept.backward()
        grads.append(net.inner.weight.grad.tolist())
    for row in grads[1:]:
        np.testing.assert_allclose(row, grads[0], rtol=1e-6 if backend == "numba" else 0.0)


def test_many_recordings_are_told_at_the_line_of_the_call() -> None:
    f = mg.compile(lambda x, n: x * len(n))
    for n in range(15):
        f(mg.ones(2), "n" * n)
    with pytest.warns(UserWarning, match=r"recorded 16 times.* recording: n$") as told:
        f(mg.ones(2), "n" * 15)
    assert told[0].filename == __file__

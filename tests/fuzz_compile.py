"""Random programs and random surroundings: what a compiled function does is what the function itself does.

    python tests/fuzz_compile.py --programs 100000 --seed 7 [--minutes 60] [--jobs 2]

A program is a script: surroundings, a function, and some calls with changes between them.  It runs twice, with `C` the
identity and with `C` as `minigrad.compile`.  After each call all that it can see is compared: Tensors (bits, dtype,
shape, requires_grad, is_leaf, gradients), which of them share memory, optimizers, generators, Python values, errors.
Statements come from the templates below and from the rows of op_samples.py, so a new operation joins by itself.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import contextlib
import functools
import random
import re
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from op_samples import ROWS

import minigrad as mg
from minigrad import nn, optim
from minigrad.tape import TABLE

# What every program begins with; it runs anew for each, so that programs may patch it.
PRELUDE = """
import argparse, collections, dataclasses, functools, math, types
import minigrad as mg
from minigrad import autograd, nn, optim
Point = collections.namedtuple("Point", "a b")

@dataclasses.dataclass
class Config:
    rate: float = 0.5
    power: int = 2

class Net(nn.Module):
    def __init__(self, tied=False):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.register_buffer("mean", mg.zeros(4))
        self.scale = 2.0
        if tied:
            self.second.weight = self.first.weight
    def forward(self, x):
        h = self.first(x).tanh()
        if self.training:
            with mg.no_grad():
                self.mean.mul_(0.9).add_(h.reshape(-1, 4).mean(0).to(self.mean.dtype) * 0.1)
        return self.second(h - self.mean) * self.scale

class Dropout(nn.Module):
    p = 0.5
    def forward(self, x):
        return x * (mg.rand_like(x) > self.p) / (1 - self.p) if self.training else x

class Adam(optim.Optimizer):
    def __init__(self, params, lr=0.01, betas=(0.9, 0.99), eps=1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))
    @mg.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                b1, b2 = group["betas"]
                state = self.state[p]
                if not state:
                    state["m"], state["v"] = mg.zeros_like(p), mg.zeros_like(p)
                state["m"].mul_(b1).add_(p.grad, alpha=1 - b1)
                state["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                p.addcdiv_(state["m"], state["v"].sqrt() + group["eps"], value=-group["lr"])

class Box:
    gain = 3.0
    def __init__(self, call):
        self.call_it, self.offset = call, 0.25
    def call(self, *args):
        return self.call_it(*args)
    def scaled(self, t):
        return t * self.gain + self.offset
    @property
    def twice(self):
        return self.offset * 2
    @staticmethod
    def squared(t):
        return t * t

def clip(params, most):
    grads = [p.grad for p in params if p.grad is not None]
    norm = mg.stack([(g * g).sum() for g in grads]).sum().sqrt() if grads else mg.zeros(())
    for g in grads:
        g.mul_((most / (norm + 1e-6)).clamp(max=1.0).to(g.dtype))
    return norm
"""
CODE = compile(PRELUDE, "prelude.py", "exec")
sys.modules["program"] = types.ModuleType("program")  # where classes of programs are at home
sys.modules["program"].__file__ = "program.py"


def tensor(seed: int, *shape: int, grad: bool = False, dtype: Any = None) -> Any:
    """A Tensor of numbers that depend on the seed alone; called `T` in programs."""
    values = np.random.default_rng(seed).uniform(-1.5, 1.5, shape)
    return mg.tensor(values, dtype=dtype or mg.get_default_dtype(), requires_grad=grad)


def operation(row: int) -> Any:
    """The operation of a row of op_samples.py with its parameters."""
    op = TABLE[ROWS[row].op]
    via = ROWS[row].via
    return functools.partial(op if via is None else functools.partial(via, op), **ROWS[row].params)


def sample(row: int, place: int) -> Any:
    """An input of a row of op_samples.py."""
    a = ROWS[row].draw(place)[place]
    return mg.tensor(a.astype(mg.get_default_dtype().name) if a.dtype.kind == "f" else a)


def tensors_in(value: Any) -> Iterator[Any]:
    if isinstance(value, mg.Tensor):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for v in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(v)


def total(value: Any) -> Any:
    """A sum over the results that carry a gradient."""
    return sum((t * t.detach().cos()).sum() for t in tensors_in(value) if t.requires_grad)


def poke(value: Any) -> None:
    """Writes into results: whoever shares their memory shows it."""
    for t in tensors_in(value):
        with mg.no_grad():
            t.logical_not_() if t.dtype == mg.bool else t.add_(1)


# ---------------------------------------------------------------- what a program sees


class Look:
    """All that can be seen in the names of a program, as rows (path, what), and the pairs that share memory."""

    def __init__(self, space: dict[str, Any]) -> None:
        self.rows: list[tuple[str, Any]] = []
        self.index: dict[int, int] = {}
        self.tensors: list[tuple[str, Any]] = []
        for name, value in space.items():
            if name not in HIDDEN and name[0] != "_":
                self.add(name, value)
        self.add("the random state", mg.default_generator)
        self.pairs = self._pairs()

    def add(self, path: str, value: Any) -> None:
        if isinstance(value, mg.Tensor):
            first = id(value) not in self.index
            number = self.index.setdefault(id(value), len(self.index))
            self.rows.append((f"identity of {path}", number))
            if first:
                self.tensors.append((path, value))
                a = value.detach().numpy()
                self.rows.append((f"requires_grad of {path}", value.requires_grad))
                self.rows.append((f"is_leaf of {path}", value.is_leaf))
                self.rows.append((f"values of {path}", a.copy()))
                if value.is_leaf or value.retains_grad:
                    self.add(f"{path}.grad", value.grad)
        elif isinstance(value, (list, tuple)):
            self.rows.append((f"type of {path}", (type(value).__name__, len(value))))
            for i, v in enumerate(value):
                self.add(f"{path}[{i}]", v)
        elif isinstance(value, dict):
            self.rows.append((f"keys of {path}", [k for k in value if isinstance(k, (str, int))]))
            for i, v in enumerate(value.values()):
                self.add(f"{path}[{i}]", v)
        elif value is None or isinstance(value, (bool, int, float, str)):
            self.rows.append((f"value of {path}", (type(value).__name__, repr(value))))
        elif isinstance(value, mg.random.Generator):
            self.rows.append((f"state of {path}", value.get_state().numpy()))
        elif isinstance(value, optim.Optimizer):
            self.add(f"{path}.param_groups", value.param_groups)
            self.add(f"{path}.state", value.state)
        elif isinstance(value, nn.Module):
            for name, t in (*value.named_parameters(), *value.named_buffers()):
                self.add(f"{path}.{name}", t)
            self.add(f"{path}.training", value.training)
        elif type(value).__module__ == "program" or isinstance(
            value, (types.SimpleNamespace, argparse.Namespace)
        ):
            self.add(path, vars(value))

    def _pairs(self) -> set[tuple[str, str]]:
        spans = []
        for path, t in self.tensors:
            a = t._array
            if a.size:
                spans.append((*np.lib.array_utils.byte_bounds(a), path, a))
        spans.sort(key=lambda s: s[:2])
        pairs = set()
        for i, (_, end, path, a) in enumerate(spans):
            for start, _, other, b in spans[i + 1 :]:
                if start >= end:
                    break
                if np.shares_memory(a, b):
                    pairs.add((min(path, other), max(path, other)))
        return pairs


def differs(a: Any, b: Any) -> str:
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return "" if type(a) is type(b) and a == b else f"eager {a!r}, compiled {b!r}"
    if a.dtype != b.dtype or a.shape != b.shape:
        return f"eager {a.dtype}{list(a.shape)}, compiled {b.dtype}{list(b.shape)}"
    if a.tobytes() == b.tobytes():
        return ""
    same = np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if same and (
        a.dtype.kind != "f" or np.array_equal(np.signbit(a) & ~np.isnan(a), np.signbit(b) & ~np.isnan(b))
    ):
        return ""
    return f"eager {a.ravel()[:4].tolist()}, compiled {b.ravel()[:4].tolist()}"


# ---------------------------------------------------------------- running


class Stop(Exception):
    """The program ends here: a call was refused."""


# Sentences of refusals that the documentation announces; any other refusal is a disagreement.
DOCUMENTED = (
    "needs the values of a Tensor",
    "which was computed before the call",
    "that shows the same memory, takes part too",
    "of a Tensor is taken that was changed under no_grad",
    "becomes part of the graph by a change in place",
    "a computed Tensor that requires grad is changed under no_grad",
    "changes requires_grad of",
    "seeds a random generator or sets its state",
    "is made of the memory of another one behind the tape",
    "and it draws random numbers; call it uncompiled",
)


# What a sentence of a replay adds to that of eager mode.
REPLAYED = r"[;:,. ]*[([]?(?:while|in|during) (?:a|the) replay"


class Run:
    """One run of a program."""

    def __init__(self, text: str, compiled: bool) -> None:
        code = _code(text)
        self.log: list[Any] = []  # Looks, and errors as texts
        self.refusal = ""
        self.space = {**LIBRARY, "__name__": "program"}
        self.space |= {"C": mg.compile if compiled else lambda f: f, "look": self.look}
        self.space |= {"caught": self.caught, "called": self.called}
        self.compiled = compiled
        mg.manual_seed(7)
        try:
            exec(CODE, self.space)
            with np.errstate(all="ignore"):
                exec(code, self.space)
        except Stop:
            pass
        except Exception as e:
            if _refuses(e):
                self.refusal = str(e)
            else:
                self.log.append(("error", _sentence(e)))
        finally:
            mg.set_default_dtype(mg.float32)

    @contextlib.contextmanager
    def caught(self, call: bool = False) -> Iterator[None]:
        """Notes an error; with ``call``, around a call of the function, also what there was before and is after it."""
        before = Look(self.space) if call and self.compiled else None
        try:
            yield
        except Exception as e:
            entry = ["error", _sentence(e)]
            if call:
                entry += [before, Look(self.space)]
            self.log.append(tuple(entry))
            if _refuses(e):
                self.log.pop()
                self.refusal = str(e)
                if before is not None and (difference := compare(before, Look(self.space))):
                    self.refusal = f"a refused call has changed {difference}"
                raise Stop from None

    def called(self) -> Any:
        return self.caught(True)

    def look(self) -> None:
        self.log.append(Look(self.space))


@functools.lru_cache(4)
def _code(text: str) -> types.CodeType:
    return compile(text, "program.py", "exec")


def _refuses(e: Exception) -> bool:
    return isinstance(e, (RuntimeError, NotImplementedError)) and str(e).startswith(
        ("compile():", "create_graph=True through")
    )


def _sentence(e: Exception) -> str:
    """An error without places, and without the names of operations, which in a replay are those of a plan."""
    text = re.sub(r"[\w./<>-]*\.py:\d+|0x[0-9a-f]+|(?<=saved by )\w+|\w+ +at +(?=saved an)", "", str(e))
    return f"{type(e).__name__}: {re.split(REPLAYED, text)[0]}".removesuffix(" (at )")


def compare(a: Look, b: Look) -> str:
    for (path, x), (other, y) in zip(a.rows, b.rows, strict=False):
        if path != other:
            return f"{path}: compiled has {other} there"
        if difference := differs(x, y):
            return f"{path}: {difference}"
    if len(a.rows) != len(b.rows):
        return f"the number of values: eager {len(a.rows)}, compiled {len(b.rows)}"
    if a.pairs != b.pairs:
        pair = min(a.pairs ^ b.pairs)
        return f"memory of {pair[0]}, {pair[1]}: shared in {'eager' if pair in a.pairs else 'compiled'} mode alone"
    return ""


def disagreement(text: str) -> tuple[str, str]:
    """What a program does otherwise when compiled, and the sentence of a refusal; empty where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        eager, compiled = Run(text, False), Run(text, True)
    for a, b in zip(eager.log, compiled.log, strict=False):
        if isinstance(a, Look) and isinstance(b, Look):
            if difference := compare(a, b):
                return difference, ""
        elif isinstance(a, Look) or isinstance(b, Look) or a[:2] != b[:2]:
            return f"error: eager {_brief(a)}, compiled {_brief(b)}", ""
        elif len(a) > 2 and (difference := compare(a[3], b[3])):  # the call has raised in both
            if not compare(b[2], b[3]):
                return "", ""  # it is undone, where eager mode leaves what is done: the states have parted
            return f"half of a call that raises: {difference}", ""
    if compiled.refusal:
        documented = any(s in compiled.refusal for s in DOCUMENTED) and "has changed" not in compiled.refusal
        return "" if documented else f"refused: {compiled.refusal}", compiled.refusal
    if len(eager.log) != len(compiled.log):
        longer = max(eager.log, compiled.log, key=len)
        return f"error: {'eager' if longer is eager.log else 'compiled'} {_brief(longer[-1])}", ""
    return "", ""


def _brief(entry: Any) -> str:
    return "goes on" if isinstance(entry, Look) else entry[1]


def kind_of(difference: str) -> str:
    """The class of a disagreement, without names and numbers."""
    text = re.sub(r"\[[^]]*\]|\(\w+\)|\d+(\.\d+)?|\b(argument_)?[a-z]\d*(?=\W)", "", difference)
    if "half of" in text:
        return "half of a call that raises"
    text = re.sub(r"recording \S* ?changes.*so", "recording changes .., so", text)
    if "error: " in text:
        return ", ".join(part[:60] for part in text.split(", compiled"))
    return text[:90] if "refused" in text else re.split(": eager|: compiled", text)[0]


# ---------------------------------------------------------------- programs

SURROUNDINGS = {
    "w0": "w0 = T(1, 3, 4, grad=True)",
    "w1": "w1 = T(2, 4, grad=True)",
    "w2": "w2 = T(3, grad=True)",
    "w3": "w3 = T(4, 4, 4, grad=True)",
    "p0": "p0 = nn.Parameter(T(5, 3, 4))",
    "u0": "u0 = T(6, 3, 4)",
    "u1": "u1 = T(7, 4)",
    "v0": "v0 = u0[1:]",
    "b0": "b0 = T(8, 3, 4) > 0",
    "i0": "i0 = mg.tensor([2, 0, 1])",
    "j0": "j0 = mg.tensor(1)",
    "ws": "ws = [T(9, 4, grad=True), T(10, 4, grad=True)]",
    "table": "table = {'a': T(11, 4, grad=True), 'b': T(12, 3, 4)}",
    "K": "K = 1.5",
    "N": "N = 2",
    "FLAG": "FLAG = True",
    "cfg": "cfg = {'a': 0.5, 'n': 2, 'deep': {'on': True, 'x': [0.1, 0.2]}}",
    "ns": "ns = argparse.Namespace(a=0.75, n=3)",
    "plain": "plain = types.SimpleNamespace(a=0.3, t=T(13, 4))",
    "conf": "conf = Config()",
    "box": "box = Box(None)",
    "gen": "gen = mg.Generator().manual_seed(5)",
    "drop": "drop = Dropout()",
    "helper": "def helper(t, k=2.0):\n    return (t * k).sin()",
    "closure": "def make(k):\n    def closure(t):\n        return t * k\n    def change(v):\n        nonlocal k\n"
    "        k = v\n    return closure, change\nclosure, change = make(0.5)",
    "part": "part = functools.partial(mg.clamp, max=0.5)",
    "inner": "inner = C(lambda t: t.tanh() * 2)",
}  # fmt: skip
NETS = ["Net()", "Net(tied=True)", "nn.Linear(4, 4)", "nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))",
        "nn.Sequential(nn.Linear(4, 4), Dropout(), nn.Tanh())", "nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])[0]"]  # fmt: skip
OPTIMIZED = ["net.parameters()", "[w0, w1]", "ws", "[w0, p0]", "[{'params': [w0]}, {'params': [w1], 'lr': 0.3}]",
             "[*net.parameters(), w1]"]  # fmt: skip
OPTIMIZERS = [f"optim.{name}" for name in optim.__all__ if name != "Optimizer"] + ["Adam"]
OPTIONS = {
    "lr": ("0.1", "0.05"), "momentum": ("0.9", "0.0"), "weight_decay": ("0.01", "0.0"), "dampening": ("0.1",),
    "maximize": ("True",), "betas": ("(0.8, 0.9)", "(0.5, 0.6)"), "eps": ("1e-6",), "alpha": ("0.9",),
}  # fmt: skip

# {f}: a float Tensor, {l}: a leaf with a gradient, {m}: a mask, {i}: whole numbers, {s}: a number, {d}: a dimension.
NUMBERS = r"""2;0.5;-1.5;3;K;N;cfg['a'];cfg['n'];cfg['deep']['x'][1];ns.a;ns.n;plain.a;conf.rate;conf.power;box.offset
box.twice;Box.gain;len(ws);x.shape[0];x.numel();x.dim();y.dim();a;a * 2;1 - a;math.pi;(K if FLAG else N)
opt.param_groups[0]['lr'];getattr(ns, 'late', 1.0);cfg.get('late', 2.0);float(FLAG);int(x.requires_grad);max(K, N)
int(w0.requires_grad);int(net.training);int(w0.grad is None);int(mg.is_grad_enabled());(1 if y.dtype == mg.float32 else 2)
cfg.setdefault('a', 9);sum(cfg['deep']['x']);min(ns.n, 3);round(K);abs(a)"""
EXPRESSIONS = r"""{f} + {f};{f} * {f};{f} - {f};{f} / ({f}.abs() + 1);{f} * {s};{s} - {f};{f} / {s};{f} ** 2;-{f};{f} @ {f}.mT
{f} @ w3;{f}.sum();{f}.sum({d});{f}.mean({d}, keepdim=True);{f}.max();{f}.amax({d});{f}.max({d})[0];{f}.var();{f}.std({d})
{f}.exp();{f}.sin();{f}.tanh();{f}.abs().sqrt();{f}.relu();{f}.sigmoid();mg.relu({f});{f}.abs();{f}.sign();{f}.clamp(-1, {s})
{f} > {f};{f} >= 0;{f} == {f};{m} & {m};~{m};{m}.logical_not();{m}.sum();{m}.any({d});{m}.to({f}.dtype);{m} * {f};{f} * {m}
mg.where({m}, {f}, {f});mg.where({m}, {f}, {s});{f}.masked_fill({m}, {s});{f}[{m}];{f}[b0[0]];{f}[i0];{f}[j0];{f}[:, j0]
{f}[{i}];{f}[:, {i}];{f}[j0, {i}];{f}[{i}, None];{f}[..., j0, i0];{f}.index_select(0, i0);{f}.gather(0, {i});{f}.argmax({d})
{f}.argmin();mg.arange(3);{i} + 1;{i} * {i};{f}.long();{f}.to(mg.float64);{f}.float();{f}.double();{i}.to({f}.dtype);{i} % 3
{f}[0];{f}[1:];{f}[::2];{f}[:, 1:3];{f}[..., -1];{f}[None];{f}.T;{f}.mT;{f}.reshape(-1);{f}.view(-1);{f}.flatten();{f}.expand(2, 3, 4)
{f}.expand(3, 4);{f}.unsqueeze({d});{f}.squeeze();{f}.transpose(0, -1);{f}.flip({d});{f}.contiguous();{f}.clone();{f}.detach()
{f}.movedim(0, -1);{f}.permute(1, 0);{f}.narrow(0, 0, 1);{f}.unbind(0)[0];{f}.chunk(2)[0];{f}.split(1)[-1];{f}.broadcast_to(3, 4)
mg.cat([{f}, {f}]);mg.stack([{f}, {f}], {d});mg.zeros_like({f});mg.ones_like({f});mg.full_like({f}, {s});mg.zeros(3, 4);mg.full((4,), {s})
-mg.zeros_like({f});mg.rand_like({f});mg.randn(3, 4);mg.randn(4, generator=gen);mg.rand(3, 4);mg.bernoulli({f}.sigmoid());mg.randperm(3)
mg.randint(0, 3, (3,));mg.normal({f}, 1.0);drop({f});mg.tensor({s});mg.tensor([0.5, 1.0, 2.0, {s}]);mg.tensor(False);mg.as_tensor({f})
net({f});net(x);nn.functional.mse_loss({f}, {f});nn.functional.linear({f}, w3, w1);helper({f});helper({f}, {s});helper({f}, k={s})
closure({f});part({f});inner({f});box.scaled({f});Box.squared({f});sum(w.sum() for w in ws);{f} + ws[0];{f} * ws[-1];table['a'] * {f}
sum((t.sum() for t in table.values()), {f});plain.t + {f};mg.outer(w1, u1);{f}.cumsum({d});{f}.prod({d});{f}.cumprod({d});{f}.logsumexp({d})
mg.lerp({f}, {f}, {s});mg.addcmul({f}, {f}, {f}, value={s});mg.maximum({f}, {f});mg.minimum({f}, {f});mg.fmod({f}, {f});{f} // {s}
{f}.round();{f}.floor();{f}.nansum();{f}.std_mean({d})[0] if False else {f};mg.equal;{f} if FLAG else {f} * 2;{f} if x.requires_grad else -{f}
{l}.grad * 2;{l}.data;{l}.detach() * 2;{f}.tile(2);{f}.half();autograd.grad({f}.sum(), {l})[0];autograd.grad(({f} * {f}).sum(), [{l}], retain_graph=True)[0]
autograd.grad(({f} * {f}).sum(), {l}, create_graph=True)[0];autograd.grad({f}.sin().sum(), [{l}, w1], allow_unused=True)[0]
autograd.grad(net(x).sum(), net.parameters(), allow_unused=True)[0];mg.func.grad(lambda t: (t * t * {s}).sum())({f});x.grad;y + x;x * y"""
STATEMENTS = r"""{f}.add_({f});{f}.mul_({s});{f}.sub_({f}.detach());{f}.zero_();{f}.fill_({s});{f}.copy_({f});{f}.relu_();{f}.clamp_(0)
{f}[0] = {s};{f}[0] = {f};{f}[:, 1] = {s};{f}[{m}] = {s};{f}[{m}] = {f};{f}[i0] = {f};{f}[j0] = {s};{f}[..., j0] = {f};{f}.T.add_({s})
{f}[1:].mul_({s});{f}.masked_fill_({m}, {s});{f} += {s};{f} *= {f};{f} -= {f};{f}.detach_();{f}.div_({s});{f}.exp_();{f}.t_();{f}.unsqueeze_(0)
{f}.normal_();{f}.uniform_(generator=gen);{f}.bernoulli_(0.5);{f}.lerp_({f}, 0.5);{f}.neg_();{f}.data.mul_({s});{f}.index_add_
with mg.no_grad():\n    {f} = {f} * {s};with mg.no_grad():\n    {f}.add_({f});with mg.no_grad():\n    {f}.mul_({s});with mg.no_grad():\n    {l} -= 0.1
with mg.no_grad():\n    {f}.view(-1)[0] = {s};with mg.enable_grad():\n    {f} = {f} * w0;with mg.no_grad():\n    {l}.copy_({l} * {s})
with mg.no_grad():\n    if {l}.grad is not None:\n        {l}.sub_({l}.grad, alpha=0.1);for p in net.parameters():\n    if p.grad is not None:\n        p.grad.mul_(0.5)
opt.zero_grad();opt.zero_grad();opt.zero_grad(set_to_none=False);net.zero_grad();{l}.grad = None;opt.step();opt.step();opt2.step();opt2.zero_grad()
{f}.sum().backward();({f} * {f}).sum().backward();({f} * {f}).mean().backward(retain_graph=True);{f}.sum().backward(inputs=[{l}])
({f} ** 2).sum().backward(create_graph=True);{f}.backward({f});net(x).pow(2).mean().backward();({f} * w0).sum().backward();{l}.grad.zero_()
clip(net.parameters(), 0.5);clip([w0, w1], 1.0);{l}.grad = {l}.grad * 0.5;{l}.grad = {f}.detach();{f}.retain_grad();{f}.requires_grad_()
{f}.register_hook(lambda g: g * 2);for w in ws:\n    {f} = {f} * w;for k in range(N):\n    {f} = {f} * 0.5 + k;if FLAG:\n    {f} = {f} + 1
if y.requires_grad:\n    {f} = {f} * 3;if cfg['deep']['on']:\n    {f}.mul_(2);assert x.dim() < 3;raise ValueError('as said')
if {l}.grad is not None:\n    {f} = {f} + {l}.grad;mg.manual_seed(3);gen.manual_seed(3);del {f};{f} = {f}.detach().requires_grad_()"""
CHANGES = r"""K = {s};N = {n};FLAG = not FLAG;cfg['a'] = {s};cfg['n'] = {n};cfg['deep']['on'] = False;cfg['deep']['x'][1] = {s};cfg['late'] = {s}
cfg['deep'] = {{'on': True, 'x': [1.0, {s}]}};ns.a = {s};ns.n = {n};ns.late = {s};plain.a = {s};plain.t = T({n}, 4);conf.rate = {s};conf.power = {n}
conf = Config({s}, {n});box.offset = {s};Box.gain = {s};box.gain = {s};ws.append(T({n}, 4, grad=True));ws[0] = T({n}, 4, grad=True);ws = ws[::-1]
ws.pop();table['c'] = T({n}, 4);table['a'] = T({n}, 4);table = dict(reversed(table.items()));w0.data = T({n}, 3, 4);w1.data = T({n}, 4);w0.data = T({n}, 4, 3).T
w0 = T({n}, 3, 4, grad=True);w1.requires_grad_(False);w1.requires_grad_();w0.requires_grad_(not w0.requires_grad);u0.requires_grad_();w0.grad = None
w0.grad = T({n}, 3, 4);w1.grad = None;w1.grad = T({n}, 4);opt.zero_grad();opt.zero_grad(set_to_none=False);opt.param_groups[0]['lr'] = {s};opt.param_groups[0]['lr'] *= 0.5
opt.param_groups[0]['momentum'] = 0.5;opt.param_groups[0]['betas'] = (0.7, {s});opt.param_groups[0]['weight_decay'] = 0.2;opt.state.clear()
opt.param_groups[0]['maximize'] = True;net.eval();net.train();drop.eval();drop.p = 0.25;net.zero_grad();net.scale = {s};net.requires_grad_(False)
handle = w0.register_hook(lambda g: g * 2);handle = w1.register_hook(lambda g: g + 1);handle.remove();handle = net.register_forward_hook(lambda m, i, o: o * 2)
handle = w0.register_post_accumulate_grad_hook(lambda t: t.grad.mul_(2));mg.set_default_dtype(mg.float64);mg.manual_seed({n});gen.manual_seed({n})
def helper(t, k=1.0):\n    return t * k;helper.__code__ = (lambda t, k: t - k).__code__;helper.__defaults__ = ({s},);change({s});part = functools.partial(mg.clamp, max={s})
Net.forward = lambda self, x: self.first(x);Box.scaled = lambda self, t: t - 1;Box.squared = staticmethod(lambda t: t + 1);box = Box(None);u0.add_(1);v0.mul_(2)
with mg.no_grad():\n    w0.mul_(0.5);u1 = T({n}, 4);u0 = T({n}, 3, 4);i0 = mg.tensor([1, 1, 0]);j0 = mg.tensor(2);b0 = ~b0;b0.logical_not_();j0.fill_(0);i0[0] = 1
net.load_state_dict({{k: v * 0.5 for k, v in net.state_dict().items()}});opt.load_state_dict(opt.state_dict());net = type(net)() if isinstance(net, Net) else net
for p in net.parameters():\n    p.data = p.data * 0.5;gen = mg.Generator().manual_seed({n});i0 = mg.tensor([2]);w0.grad.zero_();nn.Linear.forward"""
X = r"""T({n}, 3, 4);T({n}, 3, 4, grad=True);T({n}, 4, 3).T;T({n}, 6, 4)[::2];w0;T({n}, 5, 4);T({n}, 3, 4, dtype=mg.float64);u0
T({n}, 3, 4, grad=True) * 1;T({n}, 4).expand(3, 4);T({n}, 3, 4, grad=True)[:];T({n}, 1, 4);p0;T({n}, 2, 3, 4)[0];T({n}, 3, 8, grad=True)[:, ::2];x;u0.detach()"""
Y = r"""T({n}, 4);T({n}, 4, grad=True);x;x[0];x.T.T;x.detach();w1;T({n}, 3, 4);T({n});T({n}, 4) > 0;mg.tensor([0, 2, 1]);T({n}, 8)[::2];u1;T({n}, 3, 4, grad=True);y
T({n}, 4, dtype=mg.float64);p0;mg.tensor([0, {n} % 3]);mg.tensor({n} % 3)"""
AFTER = r"""with caught():\n    total({r}).backward();with caught():\n    total({r}).backward();with caught():\n    opt.step();with caught():\n    opt.zero_grad();poke({r})
with caught():\n    total({r}).backward(retain_graph=True);x.grad = None;with caught():\n    poke(x);with caught():\n    total(({r}, {r0})).backward();opt.step();w0.grad = None
with caught():\n    g = autograd.grad(total({r}), [w0], allow_unused=True);with caught():\n    g = autograd.grad(total({r}), x, allow_unused=True, create_graph=True)"""


def split(text: str) -> list[str]:
    return [t.replace("\\n", "\n") for t in re.split(r"[;\n]", text) if t]


LISTS = {
    name: split(globals()[name])
    for name in ("NUMBERS", "EXPRESSIONS", "STATEMENTS", "CHANGES", "X", "Y", "AFTER")
}
LIBRARY = {"T": tensor, "operation": operation, "sample": sample, "total": total, "poke": poke}
HIDDEN = {
    "mg",
    "nn",
    "optim",
    "autograd",
    "math",
    "types",
    "functools",
    "argparse",
    "Point",
    "C",
    "caught",
    "called",
    "look",
}


@dataclass
class Program:
    """A program as pieces that can be left out one by one."""

    setup: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    form: str = "({},)"
    wrap: str = "F = C(f)"
    calls: list[str] = field(default_factory=list)
    signature: str = "x, y"

    def text(self) -> str:
        body = "\n".join([*self.body, f"return {self.form.format(', '.join(self.returned))}"])
        function = f"def f({self.signature}):\n" + "\n".join(f"    {line}" for line in body.split("\n"))
        return "\n".join([*self.setup, function, self.wrap, *self.calls, ""])


class Maker:
    """Makes one program: each statement runs in eager mode while it is chosen, and mostly stays where it works."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.number = 20
        self.program = Program()
        self.names: dict[str, list[str]] = {"f": [], "l": [], "m": [], "i": []}

    def pick(self, kind: str) -> str:
        names = self.names[kind]
        return self.r.choice(names[-4:] if self.r.random() < 0.6 else names)

    def fill(self, template: str) -> str:
        def value(match: re.Match[str]) -> str:
            kind = match[1]
            if kind == "s":
                return self.r.choice(LISTS["NUMBERS"])
            return self.r.choice(["0", "-1", "1"]) if kind == "d" else self.pick(kind)

        return re.sub(r"\{([flmisd])\}", value, template)

    def change(self, template: str, **names: str) -> str:
        self.number += 1
        return template.format(
            n=self.number, s=self.r.choice(["0.25", "1.25", "-2.0", "3.0", "0.0"]), **names
        )

    def some_change(self) -> str:
        """A change, mostly of what the function mentions."""
        text = self.program.text()
        for template in self.r.choices(LISTS["CHANGES"], k=12):
            name = re.sub(r"^(with mg.no_grad\(\):\s+|for p in |def |handle = )", "", template)
            if re.search(rf"\b{re.split(r'[^A-Za-z_0-9]', name)[0]}\b", text):
                break
        return template

    def surroundings(self) -> dict[str, str]:
        r = self.r
        parts = {**SURROUNDINGS, "net": f"net = {r.choice(NETS)}"}
        for name in ("opt", "opt2"):
            kind = r.choice(OPTIMIZERS)
            names = [k for k in OPTIONS if k in TAKES[kind] and (k == "lr" or r.random() < 0.4)]
            options = ", ".join(f"{k}={r.choice(OPTIONS[k])}" for k in names)
            parts[name] = f"{name} = {kind}({r.choice(OPTIMIZED)}, {options})"
        return parts

    def classify(self, name: str, value: Any) -> None:
        if isinstance(value, mg.Tensor) and value.numel() < 500:
            kind = "f" if value.dtype.is_floating_point else "m" if value.dtype == mg.bool else "i"
            self.names[kind].append(name)

    def __call__(self) -> Program:
        r, program = self.r, self.program
        parts = self.surroundings()
        run = Run("\n".join(parts.values()), False)
        space = run.space
        kinds = [r.choice(LISTS["X"][:4]), r.choice([y for y in LISTS["Y"] if y != "y"])]
        number = r.random() < 0.4
        program.signature = "x, y, a" if number else "x, y"
        space |= {"a": 0.5}
        for name, template in zip("xy", kinds, strict=True):
            exec(f"{name} = {self.change(template)}", space)
        for name in ("w2", "w1", "w0", "p0", "u1", "u0", "b0", "i0", "y", "x"):
            self.classify(name, space[name])
        self.names["l"] = ["w0", "w0", "w1", "p0", "ws[0]", "x"]
        self.body(space, parts)
        program.returned = self.results()
        program.form = r.choice(
            ["({},)", "({},)", "[{}]", "({},)[0]", "{{'r': [{}], 'k': 1}}", "Point(({},), 2)"]
        )
        program.wrap = r.choice(
            ["F = C(f)"] * 6
            + ["F = C(functools.partial(f))", "F = functools.partial(C(f))", "F = C(Box(f).call)", "F = Box(C(f)).call",
               "F = C(lambda *args: f(*args))", "f = C(f)\nF = C(lambda *args: f(*args))"]
        )  # fmt: skip
        self.calls(kinds, number)
        self.keep(parts)
        return program

    def body(self, space: dict[str, Any], parts: dict[str, str]) -> None:
        r = self.r
        done = tries = 0
        length = r.choice([2, 3, 4, 6, 8, 12])
        while done < length and tries < 3 * length + 10:
            tries += 1
            name = ""
            if r.random() < 0.15:
                line, name = self.row(done, parts, space)
            elif r.random() < 0.65:
                name = f"t{done}"
                line = f"{name} = {self.fill(r.choice(LISTS['EXPRESSIONS']))}"
            else:
                line = self.fill(r.choice(LISTS["STATEMENTS"]))
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    exec(line, space)
            except Exception:
                if r.random() > 0.004 or re.match(r"\w+ (=|[*+-]=)", line):
                    continue
            self.program.body.append(line)
            done += 1
            if name:
                self.classify(name, space.get(name))

    def row(self, done: int, parts: dict[str, str], space: dict[str, Any]) -> tuple[str, str]:
        """A statement that calls an operation of the table."""
        k = self.r.randrange(len(ROWS))
        row, operands = ROWS[k], []
        for i, draw in enumerate(row.inputs):
            kind = {"bool": "m", "whole": "i"}.get(draw.kind, "f")
            fitting = [n for n in self.names[kind] if tuple(getattr(space.get(n), "shape", ())) == draw.shape]
            if fitting and kind == "f":
                operands.append(self.r.choice(fitting))
            else:
                operands.append(f"s{k}_{i}")
                parts[operands[-1]] = f"{operands[-1]} = sample({k}, {i})"
                exec(parts[operands[-1]], space)
        parts[f"o{k}"] = f"o{k} = operation({k})  # {row.op}"
        exec(parts[f"o{k}"], space)
        return f"t{done} = o{k}({', '.join(operands)})", f"t{done}"

    def results(self) -> list[str]:
        names = [n for kind in "fmi" for n in self.names[kind] if n[0] == "t"]
        chosen = [*names[-2:], *self.r.sample(names, min(len(names), self.r.randint(0, 2)))]
        return list(dict.fromkeys(chosen)) or ["x"] if self.r.random() < 0.95 else [*chosen, "x", "w0"]

    def calls(self, kinds: list[str], number: bool) -> None:
        r, calls = self.r, self.program.calls
        before = [self.some_change() for _ in range(r.choice([0, 0, 1, 2, 3]))]
        after = [r.choice(LISTS["AFTER"]) for _ in range(r.choice([0, 1, 1, 2]))]
        for k in range(r.randint(4, 7)):
            if k and r.random() < 0.5:
                calls.append(self.change(self.some_change()))
            calls += [self.change(c) for c in before if r.random() < 0.5]
            for name, kind, others in zip("xy", kinds, (LISTS["X"], LISTS["Y"]), strict=True):
                calls.append(f"{name} = {self.change(r.choice(others) if r.random() < 0.15 else kind)}")
            arguments = f"x, y, {r.choice(['0.5', '0.5', '1.5', '0.0', '-2.0', '1'])}" if number else "x, y"
            block = (
                r.choice(["", "", "", "", "", "mg.no_grad()", "mg.inference_mode()", "mg.enable_grad()"])
                if r.random() < 0.4
                else ""
            )
            calls.append(f"with called(){', ' * bool(block)}{block}:\n    r{k} = F({arguments})\nlook()")
            calls += [self.change(c, r=f"r{k}", r0="r0") for c in after if r.random() < 0.8]
        calls.append("look()")

    def keep(self, parts: dict[str, str]) -> None:
        """Only those of the surroundings that the program mentions."""
        text = self.program.text()
        for name, part in reversed(parts.items()):
            if re.search(rf"\b{name}\b", text) or (name == "closure" and re.search(r"\bchange\(", text)):
                self.program.setup.insert(0, part)
                text += part


def _takes() -> dict[str, Any]:
    weights = [mg.ones(1, requires_grad=True)]
    space: dict[str, Any] = {"__name__": "program"}
    exec(CODE, space)
    return {name: eval(name, space)(weights, lr=0.1).defaults for name in OPTIMIZERS}


TAKES = _takes()


def shrink(program: Program, difference: str, most: int = 250) -> tuple[Program, str]:
    """The program without what the disagreement does not need."""
    kind, tries = kind_of(difference), 0
    smaller = True
    while smaller and tries < most:
        smaller = False
        for part in ("calls", "body", "returned", "setup"):
            size = max(1, len(getattr(program, part)) // 2)
            while size and tries < most:
                for i in reversed(range(0, len(getattr(program, part)), size)):
                    rest = list(getattr(program, part))
                    del rest[i : i + size]
                    less = Program(**{**vars(program), part: rest})
                    tries += 1
                    with contextlib.suppress(SyntaxError):
                        now = disagreement(less.text())[0]
                        if now and kind_of(now) == kind:
                            program, difference, smaller = less, now, True
                size //= 2
    return program, difference


# ---------------------------------------------------------------- the command


def fuzz(first: int, count: int, end: float = float("inf"), shrinks: int = 250) -> Any:
    """Programs tried, disagreements by kind (how many, seed, text, difference), refusals by sentence."""
    kinds: dict[str, list[Any]] = {}
    refusals: collections.Counter[str] = collections.Counter()
    tried = 0
    for seed in range(first, first + count):
        if time.time() > end:
            break
        program = Maker(seed)()
        tried += 1
        difference, refusal = disagreement(program.text())
        if refusal:
            refusals[kind_of(f"refused: {refusal}")] += 1
        if difference:
            kind = kind_of(difference)
            if kind not in kinds:
                small, difference = shrink(program, difference, shrinks)
                kinds[kind] = [0, seed, small.text(), difference]
            kinds[kind][0] += 1
    return tried, kinds, refusals


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", type=int, help="only print the program of this seed, and what it does")
    options = parser.parse_args()
    if options.show is not None:
        text = Maker(options.show)().text()
        print(text, disagreement(text), sep="\n# ")
        return 0
    start, kinds, refusals, tried = time.time(), {}, collections.Counter(), 0
    first, size = options.seed * 10_000_000, 200
    parts = [
        (first + i, min(size, options.programs - i), start + 60 * options.minutes)
        for i in range(0, options.programs, size)
    ]
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        for count, some, sentences in pool.map(fuzz, *zip(*parts, strict=True)):
            tried += count
            refusals.update(sentences)
            for kind, row in some.items():
                if kind not in kinds:
                    kinds[kind] = row
                    print(f"# seed {row[1]}: {row[3]}\n{row[2]}", flush=True)
                else:
                    kinds[kind][0] += row[0]
    for sentence, count in refusals.most_common():
        print(f"{count:7} {sentence}")
    for kind, row in sorted(kinds.items(), key=lambda item: -item[1][0]):
        print(f"{row[0]:7} {kind}  (seed {row[1]})")
    seconds = time.time() - start
    print(f"programs {tried}, disagreements {sum(row[0] for row in kinds.values())} of {len(kinds)} kinds, "
          f"refused {sum(refusals.values())}, {tried / seconds:.0f} programs a second")  # fmt: skip
    return int(bool(kinds))


if __name__ == "__main__":
    sys.exit(main())

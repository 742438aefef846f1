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
import math
import random
import re
import sys
import time
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from op_samples import ROWS

import minigrad as mg
from minigrad import autograd, nn, optim
from minigrad.tape import TABLE

# What every program begins with.
PRELUDE = """
class Config(Settings):
    pass
class Net(nn.Module):
    def __init__(self, tied=False):
        super().__init__()
        self.first, self.second, self.scale = nn.Linear(4, 4), nn.Linear(4, 4), 2.0
        self.register_buffer("mean", mg.zeros(4))
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
                    state["m"], state["v"], state["t"] = mg.zeros_like(p), mg.zeros_like(p), 0
                state["t"] += 1
                state["m"] = state["m"] * b1 + p.grad * (1 - b1)
                state["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                rate = group["lr"] / (1 - b1 ** state["t"])
                p.addcdiv_(state["m"], state["v"].sqrt() + group["eps"], value=-rate)
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
class Decorated:
    def __init__(self, f):
        functools.update_wrapper(self, f)
        self.f, self.k = f, 2.0
    def __call__(self, t):
        return self.f(t) * self.k
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


@dataclass
class Settings:
    rate: float = 0.5
    power: int = 2


Point = collections.namedtuple("Point", "a b")


def tensor(seed: int, *shape: int, grad: bool = False, dtype: Any = None) -> Any:
    """A Tensor of numbers that depend on the seed alone; called `T` in programs."""
    values = np.random.default_rng(seed).uniform(-1.5, 1.5, shape)
    return mg.tensor(values, dtype=dtype or mg.get_default_dtype(), requires_grad=grad)


def operation(row: int) -> Any:
    """The operation of a row of op_samples.py with its parameters."""
    op, via = TABLE[ROWS[row].op], ROWS[row].via
    # The closure is small, for a recording follows it.
    fits = ROWS[row].inputs[0].shape if "strided" in op.name else None
    call = functools.partial(op if via is None else functools.partial(via, op), **ROWS[row].params)

    def apply(*operands: Any) -> Any:
        # The functions that call operations bring operands to one dtype, and kernels count on it.
        if len({t.dtype for t in operands if t.is_floating_point()}) > 1:
            raise TypeError("floats of several kinds")
        if fits is not None and operands[0].shape != fits:
            raise TypeError("places outside of the memory")
        result = call(*operands)
        if any(t.requires_grad and not t.is_floating_point() for t in tensors_in(result)):
            raise TypeError("whole numbers that require grad")
        return result

    return apply


def sample(row: int, place: int) -> Any:
    """An input of a row of op_samples.py."""
    a = ROWS[row].draw(place)[place]
    return mg.tensor(a.astype(mg.get_default_dtype().name) if a.dtype.kind == "f" else a)


def tensors_in(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple, dict)):
        return [t for v in (value.values() if isinstance(value, dict) else value) for t in tensors_in(v)]
    return [value] if isinstance(value, mg.Tensor) else []


def total(value: Any) -> Any:
    """A sum over the results that carry a gradient."""
    return sum((t * t.detach().cos()).sum() for t in tensors_in(value) if t.requires_grad)


def poke(value: Any) -> None:
    """Writes into results: whoever shares their memory shows it."""
    with mg.no_grad():
        for t in tensors_in(value):
            t.logical_not_() if t.dtype == mg.bool else t.add_(1)


def alter(value: Any) -> None:
    """Changes the last result in place where operations are recorded: the others that share its memory show it."""
    for t in tensors_in(value)[-1:]:
        t.logical_not_() if t.dtype == mg.bool else t.mul_(2)


LIBRARY = {f.__name__: f for f in (alter, operation, sample, total, poke)} | {"T": tensor}
LIBRARY |= {"mg": mg, "nn": nn, "optim": optim, "autograd": autograd, "math": math, "types": types}
LIBRARY |= {"argparse": argparse, "collections": collections, "functools": functools}
LIBRARY |= {"Point": Point, "Settings": Settings}
NAMESPACES = types.SimpleNamespace, argparse.Namespace
HIDDEN = {*LIBRARY, "C", "caught", "called", "look"}

# ---------------------------------------------------------------- what a program sees


class Look:
    """All that can be seen in the names of a program, as rows (path, what), and the pairs that share memory."""

    def __init__(self, space: dict[str, Any]) -> None:
        self.rows: list[tuple[str, Any]] = []
        # How they lie, but for gradients; dimensions that have no step, and empty ones, do not count.
        self.layouts: list[tuple[str, Any]] = []
        self.tensors: dict[int, tuple[str, Any]] = {}
        for name, value in space.items():
            if name not in HIDDEN and name[0] != "_":
                self.add(name, value)
        self.add("the random state", mg.default_generator)
        self.pairs = self._pairs()

    def add(self, path: str, value: Any) -> None:
        row = self.rows.append
        if isinstance(value, mg.Tensor):
            known = self.tensors.setdefault(id(value), (path, value))[0]
            row((f"identity of {path}", known))
            if known == path:
                row((f"values of {path}", value.detach().numpy().copy()))
                steps = zip(value.shape, value._array.strides, strict=True)
                if not path.endswith(".grad"):
                    self.layouts.append((path, [s for n, s in steps if n > 1 and value.numel()]))
                row((f"requires_grad of {path}", value.requires_grad))
                row((f"is_leaf of {path}", value.is_leaf))
                # What repeats, as some rules return it, is none.
                row((f"is_view of {path}", value._is_view() and value._array.flags.writeable))
                if value.is_leaf or value.retains_grad:
                    self.add(f"{path}.grad", value.grad)
        elif isinstance(value, (list, tuple, dict)):
            keys = list(value) if isinstance(value, dict) else range(len(value))
            plain = [k for k in keys if isinstance(k, (str, int))]
            row((f"content of {path}", (type(value).__name__, plain)))
            for i, v in enumerate(value.values() if isinstance(value, dict) else value):
                self.add(f"{path}[{i}]", v)
        elif value is None or isinstance(value, (bool, int, float, str)):
            row((f"value of {path}", repr(value)))
        elif isinstance(value, mg.Generator):
            row((f"state of {path}", value.get_state().numpy()))
        elif isinstance(value, optim.Optimizer):
            self.add(f"{path}.param_groups", value.param_groups)
            self.add(f"{path}.state", value.state)
        elif isinstance(value, optim.lr_scheduler.LRScheduler):
            self.add(path, value.state_dict())
        elif isinstance(value, nn.Module):
            self.add(path, dict((*value.named_parameters(), *value.named_buffers())))
            self.add(f"{path}.training", value.training)
            self.add(f"{path}.kept", getattr(value, "kept", None))
        elif type(value).__module__ == "program" or isinstance(value, NAMESPACES):
            self.add(path, vars(value))

    def _pairs(self) -> set[tuple[str, str]]:
        spans = [(*np.lib.array_utils.byte_bounds(t._array), path, t._array)
                 for path, t in self.tensors.values() if t._array.size]  # fmt: skip
        spans.sort(key=lambda span: span[:2])
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
    floats = a.dtype.kind == "f"
    signs = not floats or np.array_equal(np.signbit(a) & ~np.isnan(a), np.signbit(b) & ~np.isnan(b))
    if signs and np.array_equal(a, b, equal_nan=floats):
        return ""
    if floats and np.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True):
        return f"rounded, eager {a.ravel()[:4].tolist()}, compiled {b.ravel()[:4].tolist()}"
    return f"eager {a.ravel()[:4].tolist()}, compiled {b.ravel()[:4].tolist()}"


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
        return f"memory of {' and '.join(pair)}: shared in {'eager' if pair in a.pairs else 'compiled'} mode alone"
    return ""


# ---------------------------------------------------------------- running

# Refusals that the documentation announces; any other is a disagreement.
DOCUMENTED = (
    "needs the values of a Tensor", "which was computed before the call", "shows the same memory, takes part",
    "of a Tensor is taken that was changed under no_grad", "becomes part of the graph by a change in place",
    "a computed Tensor that requires grad is changed under no_grad", "changes requires_grad of",
    "a random generator is made, or seeded", "is made of the memory of another one behind the tape",
    "in place, which is not part of a replay", "or call it uncompiled",
    "a gradient that requires grad stays in .grad", "adds or removes a hook of a Tensor",
    "a result has a hook, or retains its gradient", "several of its elements are one place in memory",
    "is returned beside a result that is computed from it", "clone() it where it is detached",
    "because of a Tensor that the function makes", "backward() of a result would raise",
    "which the function may ask for",
    "not part of a replay: it repeats what is done to",
)  # fmt: skip
# The rows whose operations programs call; the others may return their input's memory and are called by rules alone.
CALLED = [k for k, row in enumerate(ROWS) if row.op not in ("spread", "sum_to", "contiguous")]
# Changes of classes and functions that the prelude defines.
PATCHES = re.compile(r"\b(Net|Box|Dropout|Adam)\.\w+ = |\bdrop\.p = |__class__")
# What a replay adds to the sentence of eager mode.
REPLAYED = r"[;:,. ]*[([]?(?:while|in|during) (?:a|the) replay"


class Stop(Exception):
    """The program ends here: a call was refused."""


class Run:
    """One run of a program: ``log`` holds a Look for each `look()`, and errors as tuples."""

    def __init__(self, text: str, compiled: bool, copies: bool = False) -> None:
        code = _code(text)
        # With copies of what is saved, each gradient is that of the values at the call, whatever is changed later.
        hooks = autograd.graph.saved_tensors_hooks
        saved = hooks(mg.clone, lambda t: t) if copies else contextlib.nullcontext()
        self.log: list[Any] = []
        self.refusal, self.compiled = "", compiled
        self.made: list[Any] = []
        self.space = {**LIBRARY, "__name__": "program", "C": self.compile if compiled else lambda f: f}
        self.space |= {"caught": self.caught, "called": lambda: self.caught(True)}
        self.space["look"] = lambda: self.log.append(Look(self.space))
        mg.manual_seed(7)
        try:
            self.space |= _prelude() if PATCHES.search(text) is None else _prelude.__wrapped__()
            with np.errstate(all="ignore"), saved, self.caught():
                exec(code, self.space)
        except Stop:
            pass
        finally:
            mg.set_default_dtype(mg.float32)

    def compile(self, function: Any) -> Any:
        self.made.append(mg.compile(function))
        return self.made[-1]

    @contextlib.contextmanager
    def caught(self, call: bool = False) -> Iterator[None]:
        """Notes an error; with ``call``, around a call of the function, also what there was before and is after it."""
        before = Look(self.space) if call and self.compiled else None
        try:
            yield
        except Stop:
            raise
        except Exception as e:
            if not str(e).startswith(("compile():", "create_graph=True through")):
                self.log.append(("error", _sentence(e), *([before, Look(self.space)] if call else [])))
                return
            self.refusal = str(e)
            if before is not None and (difference := compare(before, Look(self.space))):
                self.refusal = f"a refused call has changed {difference}"
            raise Stop from None


@functools.cache
def _prelude() -> dict[str, Any]:
    """What the prelude defines; anew for programs that patch it."""
    space = {**LIBRARY, "__name__": "program"}
    exec(CODE, space)
    return {name: value for name, value in space.items() if name not in LIBRARY and name[0] != "_"}


@functools.lru_cache(4)
def _code(text: str) -> types.CodeType:
    return compile(text, "program.py", "exec")


def _sentence(e: Exception) -> str:
    """An error without places, and without the names of operations, which in a replay are those of a plan."""
    text = re.sub(r"[\w./<>-]*\.py:\d+|0x[0-9a-f]+", "", str(e))
    text = re.sub(r"(?<=saved by )\S+", "", text)
    text = re.sub(r"(?<=inplace operation: )(Compiled_)?.* saved an array.*", r"\1", text)
    return re.sub(r" \(at (, in \w+)?\)$", "", f"{type(e).__name__}: {re.split(REPLAYED, text)[0]}")


# What docs/compile.md says of results.  "A backward pass frees it as a whole, and it keeps what its own backward pass
# reads, also where eager mode would keep less or other arrays: a change in place that eager mode's backward refuses may
# go through, and the gradient is that of the values at the call", which eager mode gives where it saves copies; "a
# change in place of one of several results that are views of a Tensor that is not returned" is refused.
ONE_RECORD = (
    "Trying to backward through the graph a second time", "an inplace operation: Compiled_",
    "a view that was made inside a Function is",
)  # fmt: skip
# "A backward pass that needs what was changed through `.data` since".
NEEDED = re.compile("error: eager .*, compiled RuntimeError: one of the variables needed")
GOES_THROUGH = re.compile("error: eager RuntimeError: one of the variables needed")
# "A gradient that a Tensor gets from a call and also from elsewhere ... is added up in another order. So is one of a
# Tensor that is changed under `no_grad()`, as a step of an optimizer does, between two uses."
BETWEEN = re.compile(r"def f\(.*?(?:no_grad\(|\.step\().*?(?:backward|grad)\(.*?\nF = ", re.DOTALL)
GAPS = re.compile(r"def f\(.*?(?: [-+*/@]= |\w_\().*?@.*?\[::2\]", re.DOTALL)
ROUNDED = re.compile(r"values of (\S*\.grad|g\[\d+\]): rounded")
# "Only an element chosen by a Tensor, x[i] with i = mg.tensor(2), is a copy where in eager mode it is a view."
CHOSEN = re.compile(r"\[(?:[^]]*[ ,(])?(?:i|j0|y|t\d+)\b|\{i\}|mg\.tensor\(1\)\]")


def documented(text: str, difference: str) -> bool:
    """Whether docs/compile.md names the difference."""
    if re.match("memory of .*shared in eager|is_view of .*eager True", difference):
        return CHOSEN.search(text) is not None
    if NEEDED.match(difference) and ".data" in text:
        return True
    if GAPS.search(text) and re.match(r"values of .*: rounded", difference):
        return True
    if ROUNDED.match(difference):
        return "total(" in text or BETWEEN.search(text) is not None
    return any(sentence in difference.partition(", compiled ")[2] for sentence in ONE_RECORD)


def disagreement(text: str, runs: Any = None) -> tuple[str, str]:
    """What a program does otherwise when compiled, and the sentence of a refusal; empty where there is none."""
    difference, refusal = _disagreement(text, *(runs or both(text)))
    if GOES_THROUGH.match(difference):
        difference, refusal = _disagreement(text, *both(text, copies=True))
    return ("" if documented(text, difference) else difference), refusal


def both(text: str, copies: bool = False) -> tuple[Run, Run]:
    """Both runs of a program; ``copies`` are what eager mode saves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Run(text, False, copies), Run(text, True)


def _disagreement(text: str, eager: Run, compiled: Run) -> tuple[str, str]:
    """`disagreement`, also what the pages name."""
    stopped = False
    for a, b in zip(eager.log, compiled.log, strict=False):
        if isinstance(a, Look) and isinstance(b, Look):
            if difference := compare(a, b):
                # A backward pass that has stopped, which the pages name.
                return "" if stopped and re.match(r"values? of \w+\.grad: ", difference) else difference, ""
        elif isinstance(a, Look) or isinstance(b, Look) or _other_error(text, a[1], b[1]):
            return f"error: eager {_brief(a)}, compiled {_brief(b)}", ""
        elif len(a) > 2 and len(b) > 3 and (difference := compare(a[3], b[3])):  # a call has raised in both
            if not compare(b[2], b[3]):
                return "", ""  # it is undone, where eager mode leaves what is done: the states have parted
            return f"half of a call that raises: {difference}", ""
        else:
            raised = "one of the variables needed" in a[1] or "Trying to backward through" in a[1]
            stopped |= "_hook(" in text and raised
    if compiled.refusal:
        known = any(s in compiled.refusal for s in DOCUMENTED) and "has changed" not in compiled.refusal
        return "" if known else f"refused: {compiled.refusal}", compiled.refusal
    if len(eager.log) != len(compiled.log):
        longer = max(eager.log, compiled.log, key=len)
        return f"error: {'eager' if longer is eager.log else 'compiled'} {_brief(longer[-1])}", ""
    return "", ""


def _other_error(text: str, a: str, b: str) -> bool:
    """Whether a compiled call raises another error: operations are called behind the checks of their functions."""
    behind = "operation(" in text and not any(sentence in b for sentence in ONE_RECORD)
    alike = a == b.replace("Compiled_", "")
    # Where eager mode alone refuses a backward pass, the next errors are not of the same step.
    return not alike and ("one of the variables needed" in a or not behind)


def _brief(entry: Any) -> str:
    return "goes on" if isinstance(entry, Look) else entry[1]


def kind_of(difference: str) -> str:
    """The class of a disagreement, without names and numbers."""
    text = re.sub(r"\[[^]]*\]|\(\w+\)|\d+(\.\d+)?|\b[a-z]\d*(?=\W)", "", difference)
    text = re.sub(r"recording \S* ?changes.*so", "recording changes .., so", text)
    if "error: " in text:
        return ", ".join(part[:60] for part in text.split(", compiled"))
    return text[:90] if "refused" in text else re.split(": ", text)[0]


# ---------------------------------------------------------------- programs


def split(text: str) -> list[str]:
    return [t.replace("\\n", "\n") for t in re.split("[;\n]", text)]


SURROUNDINGS = split(r"""w0 = T(1, 3, 4, grad=True);w1 = T(2, 4, grad=True);w2 = T(3, grad=True)
w3 = T(4, 4, 4, grad=True);p0 = nn.Parameter(T(5, 3, 4))\np0.grad = T(14, 3, 4);u0 = T(6, 3, 4);u1 = T(7, 4)
v0 = u0[1:];b0 = T(8, 3, 4) > 0;i0 = mg.tensor([2, 0, 1]);j0 = mg.tensor(1)
ws = [T(9, 4, grad=True), T(10, 4, grad=True)];table = {'a': T(11, 4, grad=True), 'b': T(12, 3, 4)};K = 1.5;N = 2
FLAG = True;cfg = {'a': 0.5, 'n': 2, 'deep': {'on': True, 'x': [0.1, 0.2]}};conf = Config();box = Box(None)
ns = argparse.Namespace(a=0.75, n=3);plain = types.SimpleNamespace(a=0.3, t=T(13, 4))
gen = mg.Generator().manual_seed(5);drop = Dropout();def helper(t, k=2.0):\n    return (t * k).sin()
part = functools.partial(mg.clamp, max=0.5)
def make(k):\n    def change(v):\n        nonlocal k\n        k = v\n    return (lambda t: t * k), change
closure, change = make(0.5);inner = C(lambda t: t.tanh() * 2)
def made(k):\n    return mg.full((4,), k * 0.5)
store = types.SimpleNamespace(t=T(15, 4), n=2, m=0.5, kept={'a': T(16, 4)}, pair=(T(17, 4), 2))
store.nums, store.duo, store.info = [1, 0.5], (1.0, 2), {'n': 0, 'm': 0.5}
feats = {'b': 1};KEY = 'n';log = {'n': 1, 'm': 0.5, 't': T(19, 4), 3: 2, 'deep': {'n': 0}}
seq = [2, 0.5, T(20, 4), None]
by = {w0: 0, w1: T(21, 4)}
other = argparse.Namespace(a=0.75, n=3);normal = mg.distributions.Normal(T(18, 4), 1.0);deco = Decorated(mg.tanh)
order = [types.SimpleNamespace(k=2.0, a=1), types.SimpleNamespace(k=0.5, a=2)]""")
NETS = split("""Net();Net(tied=True);nn.Linear(4, 4);nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
nn.Sequential(nn.Linear(4, 4), Dropout(), nn.Tanh());nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])[0]""")
OPTIMIZED = split("""net.parameters();[w0, w1];ws;[w0, p0];[{'params': [w0]}, {'params': [w1], 'lr': 0.3}]
[*net.parameters(), w1]""")
# Muon takes matrices only, and LBFGS goes by values.
OPTIMIZERS = [
    f"optim.{n}" for n in optim.__all__ if n[0].isupper() and n not in ("Optimizer", "Muon", "LBFGS")
]
OPTIMIZERS.append("Adam")
OPTIONS = split("""lr=0.1;lr=0.05;momentum=0.9;momentum=0.0;weight_decay=0.01;weight_decay=0.0;dampening=0.1
maximize=True;betas=(0.8, 0.9);betas=(0.5, 0.6);eps=1e-6;alpha=0.9""")
SCHEDULES = split("""StepLR(opt, 2);ExponentialLR(opt, 0.9);CosineAnnealingLR(opt, 4)
LambdaLR(opt, lambda n: K / (1 + n));MultiStepLR(opt, [1, 3]);LinearLR(opt, 0.5, total_iters=2)
CosineAnnealingWarmRestarts(opt, 2)""")
WRAPS = split(r"""F = C(f);F = C(f);F = C(f);F = C(f);F = C(f);F = C(functools.partial(f));F = functools.partial(C(f))
F = C(Box(f).call);F = Box(C(f)).call;F = C(lambda *args: f(*args));f = C(f)\nF = C(lambda *args: f(*args))
G = C(lambda d, *a: f(d['x'], d['y'][0], *a))\nF = lambda x, y, *a: G({'x': x, 'y': [y]}, *a)
G = C(f)\nF = lambda x, y, *a: G(*[x], **dict(zip(('y', 'a'), (y, *a))))
G = C(lambda s: f(s.rate, s.power[0], *s.power[1:]))\nF = lambda x, y, *a: G(Settings(x, [y, *a]))
G = C(lambda s, t: f(t[0], t[1]['y'], *s.rate))\nF = lambda x, y, *a: G(Settings(a), (x, {'y': y}))""")
FORMS = split(
    "({},);({},);[{}];({},)[0];{{'r': [{}], 'k': 1}};Point(({},), 2);collections.OrderedDict(r=({},))"
)
# {f}: a float Tensor, {l}: a leaf with a gradient, {m}: a mask, {i}: whole numbers, {s}: a number, {d}: a dimension.
NUMBERS = split(r"""2;0.5;3;K;N;cfg['a'];cfg['n'];cfg['deep']['x'][1];ns.a;ns.n;plain.a;conf.rate;conf.power
box.offset;box.twice;Box.gain;len(ws);x.shape[0];x.dim();a;1 - a;(K if FLAG else N);opt.param_groups[0]['lr']
getattr(ns, 'late', 1.0);cfg.get('late', 2.0);float(FLAG);int(x.requires_grad);int(w0.requires_grad)
int(w0.grad is None);int(mg.is_grad_enabled());(1 if y.dtype == mg.float32 else 2);cfg.setdefault('a', 9)
sum(cfg['deep']['x']);abs(a);getattr(ns, KEY);getattr(store, KEY + '');getattr(conf, 'r' + 'ate');getattr(ns, KEY, 'a')
len('%s' % ns);(2 if ns == other else 3);(2 if type(a) is float else 3);(0.5 if KEY is 'n' else a);[ns].count(other)
sorted(order, key=lambda o: o.a)[0].k;max(o.k for o in order);order[-1].k""")
EXPRESSIONS = split(r"""{f} + {f};{f} * {f};{f} - {f};{f} / ({f}.abs() + 1);{f} * {s};{s} - {f};{f} / {s};{f} ** 2
-{f};{f} @ {f}.mT;{f} @ w3;{f}.sum();{f}.sum({d});{f}.mean({d}, keepdim=True);{f}.max({d})[0];{f}.clamp(-1, {s})
{f} > {f};{f} == {f};{m} & {m};~{m};{m}.sum();{m}.any({d});{m}.to({f}.dtype);{m} * {f};{f} * {m}
mg.where({m}, {f}, {f});mg.where({m}, {f}, {s});{f}.masked_fill({m}, {s});{f}[{m}];{f}[b0[0]];{f}[i0];{f}[j0]
{f}[:, j0];{f}[{i}];{f}[:, {i}];{f}[j0, {i}];{f}[{i}, None];{f}[..., j0, i0];{f}.index_select(0, i0);{f}.gather(0, {i})
{f}.argmax({d});mg.arange(3);{i} + 1;{i} * {i};{f}.long();{f}.to(mg.float64);{f}.float();{i}.to({f}.dtype);{i} % 3
{f}[0];{f}[1:];{f}[::2];{f}[:, 1:3];{f}[..., -1];{f}[None];{f}.mT;{f}.reshape(-1);{f}.view(-1);{f}.expand(2, 3, 4)
{f}.expand(3, 4);{f}.unsqueeze({d});{f}.squeeze();{f}.flip({d});{f}.contiguous();{f}.clone();{f}.detach()
{f}.permute(1, 0);{f}.narrow(0, 0, 1);{f}.unbind(0)[0];{f}.split(1)[-1];mg.cat([{f}, {f}]);mg.stack([{f}, {f}], {d})
mg.zeros_like({f});mg.ones_like({f});mg.full_like({f}, {s});mg.zeros(3, 4);mg.full((4,), {s});-mg.zeros_like({f})
mg.rand_like({f});mg.randn(3, 4);mg.randn(4, generator=gen);mg.rand(3, 4);mg.bernoulli({f}.sigmoid());mg.randperm(3)
mg.randint(0, 3, (3,));mg.normal({f}, 1.0);drop({f});mg.tensor({s});mg.tensor([0.5, 1.0, 2.0, {s}]);mg.tensor(False)
mg.as_tensor({f});net({f});net(x);nn.functional.mse_loss({f}, {f});nn.functional.linear({f}, w3, w1);helper({f})
helper({f}, {s});helper({f}, k={s});closure({f});part({f});inner({f});box.scaled({f});sum(w.sum() for w in ws)
{f} + ws[0];{f} * ws[-1];table['a'] * {f};sum((t.sum() for t in table.values()), {f});plain.t + {f};{f} // {s}
{f} if FLAG else {f} * 2;{f} if x.requires_grad else -{f};{l}.grad * 2;{l}.data;{l}.detach() * 2;{f}.tile(2)
autograd.grad({f}.sum(), {l})[0];autograd.grad(({f} * {f}).sum(), [{l}], retain_graph=True)[0]
autograd.grad(({f} * {f}).sum(), {l}, create_graph=True)[0]
autograd.grad({f}.sin().sum(), [{l}, w1], allow_unused=True)[0]
autograd.grad(net(x).sum(), net.parameters(), allow_unused=True)[0];mg.func.grad(lambda t: (t * t * {s}).sum())({f})
mg.func.vmap(lambda t: t * {f}.sum())({f});mg.func.vjp(helper, {f})[1]({f})[0];mg.func.jvp(helper, ({f},), ({f},))[1]
x.grad;y + x;x * y;made(N);made(3);made(k=N);store.t;store.t + {f};{f} * store.n;store.kept['a'] + {f}
store.pair[0] + {f};{f} * store.pair[1];log['t'] + {f};{f} * log['n'];{f} * log[3];{f} - log['m'];seq[2] + {f}
{f} * seq[0];{f} * store.nums[0] + store.nums[-1];{f} * store.duo[1];{f} - store.info['m'];{f} * store.info['n']
{f} * plan.last_epoch
{f} * seq[1];by[w1] + {f};{f} * by[w0];{f} + log['deep']['n'];normal.log_prob({f});normal.rsample();deco({f})
{f}.sum() * mg.tensor(0.5)
mg.normal(mg.tensor({s}), 1.0);mg.distributions.Normal({f}, 1.0).log_prob(store.t)""")
STATEMENTS = split(r"""{f}.add_({f});{f}.mul_({s});{f}.sub_({f}.detach());{f}.zero_();{f}.fill_({s});{f}.copy_({f})
{f}.clamp_(0);{f}[0] = {s};{f}[0] = {f};{f}[{m}] = {s};{f}[{m}] = {f};{f}[i0] = {f};{f}[j0] = {s};{f}[..., j0] = {f}
{f}.T.add_({s});{f}[1:].mul_({s});{f}.masked_fill_({m}, {s});{f} += {s};{f} *= {f};{f}.detach_();{f}.div_({s})
{f}.unsqueeze_(0);{f}.normal_();{f}.uniform_(generator=gen);{f}.bernoulli_(0.5);{f}.lerp_({f}, 0.5);{f}.data.mul_({s})
with mg.no_grad():\n    {f} = {f} * {s};with mg.no_grad():\n    {f}.add_({f});with mg.no_grad():\n    {f}.mul_({s})
with mg.no_grad():\n    {l} -= 0.1;with mg.no_grad():\n    {f}.view(-1)[0] = {s}
with mg.enable_grad():\n    {f} = {f} * w0;with mg.no_grad():\n    {l}.copy_({l} * {s})
with mg.no_grad():\n    if {l}.grad is not None:\n        {l}.sub_({l}.grad, alpha=0.1)
for p in net.parameters():\n    if p.grad is not None:\n        p.grad.mul_(0.5);opt.zero_grad();opt.zero_grad()
opt.zero_grad(set_to_none=False);net.zero_grad();{l}.grad = None;opt.step();opt.step();opt2.step();opt2.zero_grad()
{f}.sum().backward();({f} * {f}).sum().backward();({f} * {f}).mean().backward(retain_graph=True)
{f}.sum().backward(inputs=[{l}]);({f} ** 2).sum().backward(create_graph=True);{f}.backward({f})
net(x).pow(2).mean().backward();({f} * w0).sum().backward();{l}.grad.zero_();clip(net.parameters(), 0.5)
clip([w0, w1], 1.0);{l}.grad = {l}.grad * 0.5;{l}.grad = {f}.detach();{f}.retain_grad();{f}.requires_grad_()
{f}.register_hook(lambda g: g * 2);for w in ws:\n    {f} = {f} * w;for k in range(N):\n    {f} = {f} * 0.5 + k
if FLAG:\n    {f} = {f} + 1;if y.requires_grad:\n    {f} = {f} * 3;if cfg['deep']['on']:\n    {f}.mul_(2)
assert x.dim() < 3;raise ValueError('as said');if {l}.grad is not None:\n    {f} = {f} + {l}.grad
cfg['a'] = {s};box.offset *= 0.5;ws.append({f});gen.manual_seed(3);del {f};{f} = {f}.detach().requires_grad_()
store.t = {f};store.t = {f}.detach();store.pair = ({f}, {s});store.n = x.shape[0]
store.kept = {{'a': {f}}};box.kept = {f};store.f1 = {f};store.f2 = {f}.detach();store.f1 = ({f}, {s});store.f3 = N
store.kept['b'] = mg.ones(4);store.n += 1;store.m = store.m * 0.5 + store.n;store.n = 0 if store.n > 3 else store.n + 1
if store.n % 3 == 1:\n    {f} = {f} * store.m;{f} = {f} * (0.9**store.n - store.m // 2);store.m = min(store.m, {s}) / 3
box.offset = box.offset / 2 + store.n;store.n = 2;box.offset = 0.25;opt.param_groups[0]['lr'] *= 0.5
opt.param_groups[-1]['lr'] = {s};store.n = store.n ** 2 % 5;store.kept['a'] = {f};net.kept = {f};store.t = store.t * 0.5
if getattr(store, 'late', None) is None:\n    store.late = {f}.detach();store.late = {f}[1:]
store.pair = (store.pair[0] * 0.5, store.pair[1]);store.pair = (store.t, 2);store.pair = ({f}.detach(), store.n)
store.t = store.t.detach() * 0.5 + {f};store.t, store.pair = store.pair[0], (store.t, 3);store.t.mul_({s})
store.list = [{f}, store.t];{f} = {f} + store.list[0];store.t = {l}
if len(store.kept) < N:\n    store.kept[N] = made(4) * {s};log['n'] += 1;log['m'] = log['m'] * 0.5 + log['n'] % 3
log['t'] = {f}
log['t'] = log['t'] * 0.5 + {f}.detach();log[3] -= 1;log['deep']['n'] = log['n'];log['n'], log['m'] = log['m'], {s}
seq[0] = seq[0] + 1;seq[1] *= 0.5;seq[2] = {f}.detach() + seq[2];seq[-2] = {f}
for i in range(2):\n    seq[i] = seq[i] * 2
by[w0] += 1;by[w1] = by[w1] * 0.9 + w1.detach();if log['n'] > 2:\n    {f} = {f} * log['m'];opt.count = log['n'] + 1
plan.step();plan.step();store.nums = [store.nums[0] + 1, store.nums[1] * {s}];store.duo = (store.duo[1] / 2, N)
store.info = {{'n': store.info['n'] + 1, 'm': store.info['m'] * 0.5 + store.info['n']}};store.nums[0] += 1
store.duo = (store.nums[0], 0.5);store.nums = [{s}, {f}.detach()];store.info['n'] = store.nums[0]
if seq[0] % 2 == 0:\n    {f} = {f} * seq[1];log['new'] = {f};seq[3] = {f};opt.param_groups[0]['k'] = N""")
CHANGES = split(r"""K = {s};N = {n};FLAG = not FLAG;cfg['a'] = {s};cfg['n'] = {n};cfg['deep']['on'] = False
cfg['deep']['x'][1] = {s};cfg['late'] = {s};cfg['deep'] = {{'on': True, 'x': [1.0, {s}]}};ns.a = {s};ns.n = {n}
ns.late = {s};plain.a = {s};plain.t = T({n}, 4);conf.rate = {s};conf.power = {n};conf = Config({s}, {n})
box.offset = {s};Box.gain = {s};box.gain = {s};ws.append(T({n}, 4, grad=True));ws[0] = T({n}, 4, grad=True)
ws = ws[::-1];ws.pop();table['c'] = T({n}, 4);table['a'] = T({n}, 4);table = dict(reversed(table.items()))
w0.data = T({n}, 3, 4);w1.data = T({n}, 4);w0.data = T({n}, 4, 3).T;w0 = T({n}, 3, 4, grad=True)
w1.requires_grad_(False);w1.requires_grad_();w0.requires_grad_(not w0.requires_grad);u0.requires_grad_();w0.grad = None
w0.grad = T({n}, 3, 4);w1.grad = None;w1.grad = T({n}, 4);opt.zero_grad();opt.zero_grad(set_to_none=False)
opt.param_groups[0]['lr'] = {s};opt.param_groups[0]['lr'] *= 0.5;opt.param_groups[0]['momentum'] = 0.5
opt.param_groups[0]['betas'] = (0.7, {s});opt.param_groups[0]['weight_decay'] = 0.2;opt.state.clear()
opt.param_groups[0]['maximize'] = True;net.eval();net.train();drop.eval();drop.p = 0.25;net.zero_grad();net.scale = {s}
net.requires_grad_(False);handle = w0.register_hook(lambda g: g * 2);handle = w1.register_hook(lambda g: g + 1)
handle.remove();handle = net.register_forward_hook(lambda m, i, o: o * 2)
handle = w0.register_post_accumulate_grad_hook(lambda t: [t.grad.mul_(2), None][1]);mg.set_default_dtype(mg.float64)
mg.manual_seed({n});gen.manual_seed({n});def helper(t, k=1.0):\n    return t * k
helper.__code__ = (lambda t, k: t - k).__code__;helper.__defaults__ = ({s},);change({s})
part = functools.partial(mg.clamp, max={s});Net.forward = lambda self, x: self.first(x)
Box.scaled = lambda self, t: t - 1;Box.squared = staticmethod(lambda t: t + 1);box = Box(None);u0.add_(1);v0.mul_(2)
with mg.no_grad():\n    w0.mul_(0.5);u1 = T({n}, 4);u0 = T({n}, 3, 4);i0 = mg.tensor([1, 1, 0]);j0 = mg.tensor(2)
b0 = ~b0;b0.logical_not_();j0.fill_(0);i0[0] = 1
net.load_state_dict({{k: v * 0.5 for k, v in net.state_dict().items()}});opt.load_state_dict(opt.state_dict())
net = type(net)() if isinstance(net, Net) else net;for p in net.parameters():\n    p.data = p.data * 0.5
made.__defaults__ = ({n},);made.k = {s};store.t = T({n}, 4);store.n = {n}
store.pair = (T({n}, 4), {n});store.pair = (store.t, 1);store.t = w1;store.t = x;store.t.add_(1);store.list = None
store.t = T({n}, 4, grad=True);store.t = store.t.detach().clone().requires_grad_();store.t = T({n}, 8)[::2]
store.late = None;del store.late;store.kept.clear();store.f1 = None;store.f2 = {n};del store.f3
normal.loc = T({n}, 4);normal.loc.add_(1);normal.scale = mg.tensor(2.0);deco.k = {s};deco.f = mg.sin;KEY = 'a';KEY = 'n'
log['n'] = {n};log['m'] = {s};log['t'] = T({n}, 4);log['t'] = x;log['n'] = {s};log.pop('new', None);seq[0] = {n}
seq[2] = w1
seq[2] = store.t;seq.append(1);seq[1] = None;by[w0] = {n};by.clear();log['deep'] = {{'n': {s}}};seq[2].mul_(2)
store.nums = [{n}, {s}];store.nums[0] = {s};store.nums.append({n});store.duo = ({s}, {s});store.duo = store.nums
store.info['m'] = {s};store.info = log;seq = store.nums;plan.last_epoch = {n};plan.load_state_dict(plan.state_dict())
plan = optim.lr_scheduler.StepLR(opt, {n} % 3 + 1)
other.a = {s};other.n = 3;order.reverse();order[0].a = {n};order[1].k = {s}
gen = mg.Generator().manual_seed({n});i0 = mg.tensor([2]);w0.grad.zero_();ws[0].grad = ws[-1].grad""")
X = split(r"""T({n}, 3, 4);T({n}, 3, 4, grad=True);T({n}, 4, 3).T;T({n}, 6, 4)[::2];w0;T({n}, 5, 4)
T({n}, 3, 4, dtype=mg.float64);u0;T({n}, 3, 4, grad=True) * 1;T({n}, 4).expand(3, 4);T({n}, 3, 4, grad=True)[:]
T({n}, 1, 4);p0;w0.data;w0.detach();u0.data[:2];T({n}, 2, 3, 4)[0];T({n}, 3, 8, grad=True)[:, ::2];x;u0.detach()""")
Y = split(r"""T({n}, 4);T({n}, 4, grad=True);x;x[0];x.T.T;x.detach();w1;T({n}, 3, 4);T({n});T({n}, 4) > 0
mg.tensor([0, 2, 1]);T({n}, 8)[::2];u1;T({n}, 3, 4, grad=True);y;T({n}, 4, dtype=mg.float64);p0;mg.tensor([0, {n} % 3])
mg.tensor({n} % 3);w1.data;w1.grad;store.t;u1.detach()""")
AFTER = split(r"""with caught():\n    total({r}).backward();with caught():\n    total({r}).backward()
with caught():\n    opt.step();with caught():\n    opt.zero_grad();poke({r})
with caught():\n    alter({r});with caught():\n    alter({r})
with caught():\n    alter({r})\n    total(({r}, x)).backward()
with caught():\n    total({r}).backward(retain_graph=True);x.grad = None;with caught():\n    poke(x)
with caught():\n    total(({r}, {r0})).backward();opt.step();w0.grad = None
with caught():\n    g = autograd.grad(total({r}), [w0], allow_unused=True)
with caught():\n    g = autograd.grad(total({r}), x, allow_unused=True, retain_graph=True)""")


@dataclass
class Program:
    """A program as pieces that can be left out one by one."""

    setup: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    form: str = "({},)"
    wrap: str = "F = C(f)"
    signature: str = "x, y"

    def text(self) -> str:
        body = "\n".join([*self.body, f"return {self.form.format(', '.join(self.returned))}"])
        function = f"def f({self.signature}):\n    " + body.replace("\n", "\n    ")
        return "\n".join([*self.setup, function, self.wrap, *self.calls, ""])


class Maker:
    """Makes one program: each statement runs in eager mode while it is chosen, and stays where it works."""

    def __init__(self, seed: int) -> None:
        self.r, self.number, self.program = random.Random(seed), 20, Program()
        self.names = collections.defaultdict(list, l=["w0", "w0", "w1", "p0", "ws[0]", "x"])
        self.parts = {t.removeprefix("def ").split("(")[0].split(" ")[0].strip(","): t for t in SURROUNDINGS}

    def fill(self, template: str) -> str:
        def value(match: re.Match[str]) -> str:
            kind = match[1]
            if kind in "sd":
                return self.r.choice(NUMBERS if kind == "s" else ["0", "-1", "1"])
            return self.r.choice(self.names[kind][-4:] if self.r.random() < 0.6 else self.names[kind])

        return re.sub(r"\{([flmisd])\}", value, template)

    def change(self, template: str, **names: str) -> str:
        self.number += 1
        number = self.r.choice(["0.25", "1.25", "-2.0", "3.0", "0.0"])
        return template.format(n=self.number, s=number, **names)

    def some_change(self) -> str:
        """A change, mostly of what the function mentions."""
        text = self.program.text()
        for template in self.r.choices(CHANGES, k=12):
            name = re.sub(r"^(with mg.no_grad\(\):\s+|for p in |def |handle = )", "", template)
            if re.search(rf"\b{re.split(r'[^A-Za-z_0-9]', name)[0]}\b", text):
                break
        return template

    def classify(self, name: str, value: Any) -> None:
        if isinstance(value, mg.Tensor) and value.numel() < 500:
            kind = "f" if value.is_floating_point() else "m" if value.dtype == mg.bool else "i"
            self.names[kind].append(name)

    def make(self) -> Program:
        r, program, parts = self.r, self.program, self.parts
        parts["net"] = f"net = {r.choice(NETS)}"
        for name in ("opt", "opt2"):
            kind = r.choice(OPTIMIZERS)
            options = {o.split("=")[0]: o for o in r.sample(OPTIONS, 6)} | {"lr": r.choice(OPTIONS[:2])}
            taken = [o for key, o in options.items() if key in TAKES[kind]]
            parts[name] = f"{name} = {kind}({', '.join([r.choice(OPTIMIZED), *taken])})"
        parts["plan"] = f"plan = optim.lr_scheduler.{r.choice(SCHEDULES)}"
        space = Run("\n".join(parts.values()), False).space | {"a": 0.5}
        kinds = {"x": r.choice(X[:4]), "y": r.choice([y for y in Y if y != "y"])}
        for name, template in kinds.items():
            exec(f"{name} = {self.change(template)}", space)
        for name in ("w2", "w1", "w0", "p0", "u1", "u0", "b0", "i0", "y", "x"):
            self.classify(name, space[name])
        program.signature = r.choice(["x, y", "x, y", "x, y, a"])
        self.body(space)
        names = [n for kind in "fmi" for n in self.names[kind] if n[0] == "t"]
        chosen = [*names[-2:], *r.sample(names, min(len(names), r.randint(0, 2)))] + ["x"] * (
            r.random() < 0.05
        )
        program.returned = list(dict.fromkeys(chosen)) or ["x"]
        program.form, program.wrap = r.choice(FORMS), r.choice(WRAPS)
        self.calls(kinds)
        text = program.text()
        for name, part in reversed(parts.items()):  # of the surroundings only what the program mentions
            if re.search(rf"\b{name}\b", text) or (name == "closure" and "change(" in text):
                program.setup.insert(0, part)
                text += part
        return program

    def body(self, space: dict[str, Any]) -> None:
        r, length, body = self.r, self.r.choice([2, 3, 4, 6, 8, 12]), self.program.body
        for _ in range(3 * length + 10):
            name = f"t{len(body)}" if r.random() < 0.7 else ""
            if name:
                line = f"{name} = {self.row(space) if r.random() < 0.2 else self.fill(r.choice(EXPRESSIONS))}"
            else:
                line = self.fill(r.choice(STATEMENTS))
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    exec(line, space)
            except Exception:
                if name or "=" in line or r.random() > 0.02:
                    continue  # few stay that raise
            body.append(line)
            if name:
                self.classify(name, space[name])
            if len(body) == length:
                break

    def row(self, space: dict[str, Any]) -> str:
        """A call of an operation of the table."""
        k = self.r.choice(CALLED)
        more, operands = {f"o{k}": f"o{k} = operation({k})  # {ROWS[k].op}"}, []
        for i, draw in enumerate(ROWS[k].inputs):
            fitting = [n for n in self.names["f"] if tuple(getattr(space.get(n), "shape", "?")) == draw.shape]
            if fitting and draw.kind not in ("bool", "whole"):
                operands.append(self.r.choice(fitting))
            else:
                operands.append(f"s{k}_{i}")
                more[operands[-1]] = f"s{k}_{i} = sample({k}, {i})"
        self.parts |= more
        exec("\n".join(more.values()), space)
        return f"o{k}({', '.join(operands)})"

    def calls(self, kinds: dict[str, str]) -> None:
        r, calls = self.r, self.program.calls
        before = [self.some_change() for _ in range(r.choice([0, 0, 1, 2, 3]))]
        after = [r.choice(AFTER) for _ in range(r.choice([0, 1, 1, 2]))]
        for k in range(r.randint(4, 7)):
            calls += [self.change(self.some_change())] * (k > 0 and r.random() < 0.5)
            calls += [self.change(c) for c in before if r.random() < 0.5]
            for name, kind in kinds.items():
                some = r.choice(X if name == "x" else Y) if r.random() < 0.15 else kind
                calls.append(f"{name} = {self.change(some)}")
            number = f", {r.choice(['0.5', '0.5', '1.5', '0.0', '-2.0', '1'])}"
            number *= "a" in self.program.signature
            block = r.choice(["", *[""] * 14, ", mg.no_grad()", ", mg.no_grad()", ", mg.inference_mode()"])
            calls.append(f"with called(){block}:\n    r{k} = F(x, y{number})\nlook()")
            calls += [self.change(c, r=f"r{k}", r0="r0") for c in after if r.random() < 0.8]
        calls.append("look()")


SPACE = LIBRARY | _prelude()
TAKES = {name: eval(f"{name}([T(0, 1, grad=True)], lr=0.1).defaults", SPACE) for name in OPTIMIZERS}
del TAKES["optim.Adafactor"]["eps"]  # which is a pair there


def shrink(program: Program, difference: str, most: int = 250) -> tuple[Program, str]:
    """The program without what the disagreement does not need."""
    kind, before = kind_of(difference), None
    while most > 0 and before != program:
        before = program
        for part in ("calls", "body", "returned", "setup"):
            for size in (8, 3, 1):
                for i in reversed(range(0, len(getattr(program, part)) if most > 0 else 0, size)):
                    pieces = getattr(program, part)
                    most -= 1
                    less = replace(program, **{part: pieces[:i] + pieces[i + size :]})
                    with contextlib.suppress(SyntaxError):
                        now = disagreement(less.text())[0]
                        if now and kind_of(now) == kind:
                            program, difference = less, now
    return program, difference


# ---------------------------------------------------------------- the command


def fuzz(first: int, count: int, end: float = math.inf, shrinks: int = 250) -> Any:
    """Programs tried, disagreements by kind (how many, seed, text, difference), refusals by sentence."""
    kinds: dict[str, list[Any]] = {}
    refusals: collections.Counter[str] = collections.Counter()
    for seed in range(first, first + count):
        if time.time() > end:
            return seed - first, kinds, refusals
        program = Maker(seed).make()
        difference, refusal = disagreement(program.text())
        refusals.update([kind_of(f"refused: {refusal}")] * bool(refusal))
        if difference and (kind := kind_of(difference)) not in kinds:
            small, difference = shrink(program, difference, shrinks)
            kinds[kind] = [0, seed, small.text(), difference]
        if difference:
            kinds[kind_of(difference)][0] += 1
    return count, kinds, refusals


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    defaults: dict[str, Any] = {"programs": 1000, "seed": 0, "minutes": 1e9, "jobs": 1}
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    start, tried = time.time(), 0
    kinds: dict[str, list[Any]] = {}
    refusals: collections.Counter[str] = collections.Counter()
    end, first, size = start + 60 * options.minutes, options.seed * 10**7, 200
    parts = [(first + i, min(size, options.programs - i), end) for i in range(0, options.programs, size)]
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        for count, some, sentences in pool.map(fuzz, *zip(*parts, strict=True)):
            tried += count
            refusals.update(sentences)
            for kind, row in some.items():
                if kind not in kinds:
                    print(f"# seed {row[1]}: {row[3]}\n{row[2]}", flush=True)
                    kinds[kind] = [0, *row[1:]]
                kinds[kind][0] += row[0]
    for sentence, count in refusals.most_common():
        print(f"{count:7} {sentence}")
    for kind, row in sorted(kinds.items(), key=lambda item: -item[1][0]):
        print(f"{row[0]:7} {kind}  (seed {row[1]})")
    print(f"programs {tried}, disagreements {sum(row[0] for row in kinds.values())} of {len(kinds)} kinds, refused "
          f"{refusals.total()}, {tried / (time.time() - start):.0f} programs a second")  # fmt: skip
    return int(bool(kinds))


if __name__ == "__main__":
    sys.exit(main())

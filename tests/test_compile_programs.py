"""What a compiled function does to Tensors, in programs of a few lines; see compiled_programs.py."""

from __future__ import annotations

import re

import pytest
from compiled_programs import agree, looped, programs
from fuzz_compile import Run
from hypothesis import given, settings
from hypothesis import strategies as st

ARGUMENTS = r"""
== an argument that only gives its shape | 1
def f(like, x, y): return mg.zeros_like(like) + x * y, like.shape[0] * x
-- r = F(T(k, 2, 3), T(9 + k, 3), T(20 + k, 2, 3))
== shapes and dtypes | 9
def f(x): return (x * 2 + 1).sum(-1)
-- r = [F(T(k, *shape)) for shape in ((3, 4), (2, 4), (0, 4), (4,))]
r += [F(mg.ones(3, 4, dtype=d)) for d in (mg.float64, mg.float16, mg.int64, mg.int32, mg.bool)]
== arguments that do not lie row by row | 6
def f(x): return x.reshape(-1) * 2.0, x.T @ x, x + 1.0, x.sum(0)
-- a = T(k, 8, 8); b = a[:4, :4]
r = [F(x) for x in (b, b.T, a[::2, ::2], b[:, :1].expand(4, 4), T(k, 4, 4), b.clone())]
== the same Tensor twice | 4
def f(x, y): return x * y, x - y, x is y
-- x, y = T(k, 3, grad=True), T(9 + k, 3, grad=True); r = [F(x, x), F(x, y), F(y, x)]; total(r).backward()
== numbers, texts and flags | 4
def f(x, n, how="sin", flag=False): return getattr(x * n, how)() + (1.0 if flag else n)
-- x = T(k, 3); r = F(x, 2), F(x, 2, how="cos"), F(x, n=2, how="cos", flag=True), F(x, True, flag=True)
== identity of numbers and texts | 6
p, q = (int("1000"), "".join(["a", "b"]), float("1.5")), (int("1000"), "".join(["a", "b"]), float("1.5"))
def f(x, a, b): return x * (2.0 if a is b else 3.0)
-- r = [F(T(k, 2), *row) for row in (*zip(p, p), *zip(p, q))]
== a float is no constant | 1
def f(x, a): return (x * a + a / 2) ** 2 - a, a
-- r = [F(T(k, 3), a) for a in (0.5, 1.0, -3.0, 0.0, 1e300, math.inf, math.nan, -0.0)]
== a float beside complex numbers | 4
def f(x, a): return mg.exp(2j * a * x), (1j - a) * x, (a + 1j).real * x, a / 1j * x, 1j / a * x, a**1j * x, a == 1j
-- r = F(T(k, 3), 0.5 * k + 0.5)
== a float that is compared | 4
def f(x, a): return x * a if a > 0.5 else x - a
-- r = [F(T(k, 3), a) for a in (0.25, 0.75, 0.25, 0.1, 0.75)]
== a function of math that raises for some numbers | 3
def f(x, s):
    try: n = math.floor(s)
    except (ValueError, OverflowError): n = 7
    return x * n, math.ceil(n / 3)
-- r = F(T(k, 3), (1.5, math.nan, 2.5, math.inf)[k])
== numbers by any name and of any size | 4
opt = optim.SGD([T(0, 1, grad=True)], lr=0.5); g = C(lambda x, **options: x * options["lambda"])
h = C(lambda x, a: x * (a * float("-inf")) + a * math.inf); lr = C(lambda x: (x * 2.0, opt.param_groups[0]["lr"]))
def f(x, np): return x * np
-- x, a = T(k, 2), 0.5 + k; opt.param_groups[0]["lr"] = 0.25 * k; r = F(x, a), g(x, **{"lambda": a}), h(x, a), lr(x)
== nested arguments and results | 2
from collections import OrderedDict
def f(a, *rest, key=None, **more):
    x, (y, z) = a["x"], a["rest"]
    ordered = OrderedDict(a=x, b=[y * 3.0])
    return {"s": [x + y, (z, rest[0] * 2.0)], "p": Point(x, y * 3.0), "n": ordered, "k": key, "m": more["m"] - 1.0}
-- x, y, z, v = (T(4 * k + i, 3) for i in range(4)); r = F({"x": x, "rest": (y, z)}, v, key="k" if k % 2 else 5, m=z)
== data of a parameter that changes
w = nn.Parameter(T(1, 3))  # or refused
def f(d):
    with mg.no_grad():
        w.add_(1)
    return d * 2.0
-- r = F(w.data if k == 2 else T(k, 3))
== objects of numbers and Tensors | 1
import dataclasses
@dataclasses.dataclass
class Batch:
    x: object
    scale: float
    count: int = 1
    more: object = None
def f(b): return b.x * b.scale + b.count + b.more[0] * b.more[1]["a"], b.scale / b.count
-- b = Batch(T(k, 2), 0.5 * k, k + 1, [k, {"a": 2.0 * k}]); r = F(b), b
== a list of numbers that is known elsewhere | 5
known = [1.0, 2]
def f(x, n): return x * 2.0 if n is known else x * n[0] + n[1]
-- r = [F(T(k, 3), n) for n in (known, [0.5 * k, k], known)]
== numbers that float16 rounds once, and that are infinite where nothing is written | 9
g = C(lambda x, s: (mg.zeros(2, dtype=mg.float16).fill_(s), mg.tensor(s, dtype=mg.float16)))
def f(x, s): return mg.where(x > 0, x, s), mg.tensor(s), mg.as_tensor(s)
-- r = F(T(k, 3), (0.5, 1e39, 2.0, -1e39)[k]), g(0, (0.5, 1 + 2**-11 + 2**-30, 2.0, 3.0)[k])
== numbers that are written, and make Tensors | 2
def f(x, s):
    y, z = x * 1.0, x * 1.0
    y.fill_(s); z[0] = s; z[1:] = s / 2
    return y, z, mg.tensor(s), mg.as_tensor(s) * x, mg.tensor(s, dtype=mg.float64), mg.full_like(x, s)
-- with called(): r = F(T(k, 3), (0.5, 1e300, math.inf, -0.0)[k])
== dicts in another order | 4
join = lambda d: functools.reduce(lambda s, t: s * 2.0 + t, d.values())
g = C(lambda **d: join(d))
def f(d): return join(d)
-- x, y = T(k, 3), T(9 + k, 3); r = F({"a": x, "b": y}), F({"b": y, "a": x}), g(a=x, b=y), g(b=y, a=x)
== arguments that are known elsewhere | 4
w, v = T(1, 3, grad=True), T(2, 3, grad=True)
def f(x): return x * w + 1.0, x is w
-- for x in (w, v, w, v, T(3, 3), w): w.grad = v.grad = None; r = F(x); r[0].sum().backward(); look()
== all kinds of things as arguments | 10
nets = [Net(), Net()]
def f(x, how): return how(x) if callable(how) else x if how is None else x.to(how)
-- x = T(k, 3, 4); r = [F(x, net) for net in nets]; total(r).backward()
r += [F(x, mg.float32), F(x, mg.int64), F(x, mg.sin), F(x, None)]
== gradients of arguments | 5
kept = T(77, 3, grad=True)
def f(x, y):
    loss = (x * y.sin()).sum()
    if loss.requires_grad: loss.backward()
    return loss.detach()
-- x, y = T(k, 3), T(9 + k, 3); r = [F(x, y)]; x.requires_grad_(); r += [F(x, y), F(x, y), F(kept, x)]
== arguments with a history | 4
w = T(1, 3, grad=True)
def f(x, y): return x * y
-- x = T(k, 3, grad=True); r = F(x.exp(), w * 2.0); r.sum().backward(); s = F(F(x, w), F(w, x)).sum()
== arguments that overlap | 3
def f(x, y): z = x + 1.0; return z + y, (z * y).sum()
-- x = T(k, 3, 3); r = F(x, x[0]), F(x, x.T), F(x[:2], x[1:]), F(x, T(k, 3))
== changed arguments | 3
def f(x, y): x += y; x[0] *= 2.0; x[1:].mul_(x[0]); return x
-- x, y = T(k, 3), T(9 + k, 3); r = F(x, y)
== an argument is changed where its base is another one
def f(x, y): y.fill_(7.0); return x * 2.0
-- x, z = T(k, 3, 2), T(9, 3, 2); y = x[0]
for a, b in ((x, y), (x, y), (z, y), (x, x[1]), (x, y), (z, x[2])): r = F(a, b); look()
== an index is no constant | 1
def f(x, i): return x[:, i] + 0.0, x.index_select(0, i.reshape(1)), x[i] * 1, x[i, 0] * 1
-- r = [F(T(k, 3, 3), mg.tensor(i)) for i in (0, 2, 1, 0)]
== parameters and gradients as arguments | 4
net = Net(); norm = C(lambda gs: sum((g * g).sum() for g in gs))
def f(ps, lr):
    with mg.no_grad():
        for p in ps: p.sub_(p.grad * lr)
-- net.zero_grad(set_to_none=k % 2 == 0); net(T(k, 3, 4)).square().mean().backward()
n = norm([p.grad for p in net.parameters()]); F(list(net.parameters()), 0.1 / (k + 1))
== arguments that are gradients of others or not | 8
g = C(lambda g, p: (p.grad - g, g * 1.0))
def f(p, g): p.grad.mul_(2.0); return g + 1.0
-- for i in range(3):
    p = T(0, 2, grad=True); p.grad = T(k, 2); h = p.grad if i < 2 else T(50 + k, 2); r = F(p, h), g(h, p); look()
== a new gradient of a known Tensor as an argument | 6
w = T(0, 3, grad=True); w.grad = T(1, 3)
def f(g): (w * 3.0).sum().backward(); return g * 2.0
-- r = F(T(k, 3)); look(); w.grad = T(20 + k, 3) if k > 1 else w.grad; r = F(w.grad if k > 1 else T(5, 3))
== lists and dicts stay the ones that they are | 3
box = types.SimpleNamespace(kept=[T(1, 3)], other=None)
def f(x, p, d):
    box.other = box.kept; box.kept = [x * 2.0]
    return p, d, (d["a"], {"p": p, "q": [box.other]}), box.kept
-- p = [T(k, 3)]; d = {"a": [T(k, 4)], "b": 0.5 * k}; before = box.kept; r = F(T(k, 3), p, d)
s = r[0] is p, r[1] is d, r[2][0] is d["a"], r[2][1]["q"][0] is box.other, box.other is before, r[3] is box.kept
== lists and dicts are the same or not | 8
one = [T(1, 3)]; ns = types.SimpleNamespace(kept={"a": one[0]})
def f(x, p, q): return x * 2.0 if p is q else x * 3.0 if p is one else x * 5.0 if p is ns.kept else x * 7.0
-- p, q = [T(k, 3)], {"a": ns.kept["a"]}; r = []
for u, v in ((p, p), (p, [*p]), (one, p), ([*one], p), (one, one), (ns.kept, q), (q, ns.kept), (q, q), (p, [*p])):
    r.append(F(T(k, 3), u, v)); look()
== lists in lists that are made inside | 1
def f(x): y = [x * 2.0]; z = [y, {"a": [x * 3.0]}]; return z, y, z[1], z[1]["a"]
-- r = F(T(k, 3)); s = r[0][0] is r[1], r[0][1] is r[2], r[2]["a"] is r[3]
== hooks of arguments | 8
def f(x): y = (x * 2.0).sum(); y.backward(); return y.detach()
-- x = T(k, 3, grad=True); h = x.register_hook(lambda g: g * 3.0) if k % 2 else None; r = F(x)
== parts of one array, one of which is changed | 1
import numpy as np
_memory = np.ones((6, 4)); w = mg.from_numpy(_memory[0])
def f(x): return w.add_(x).sum()
-- r = F(mg.from_numpy(_memory[k + 1]))
== parts of one array as arguments | 1
import numpy as np
_memory = np.arange(8.0)
def f(x, y): x.mul_(2); return x + y
-- r = F(mg.from_numpy(_memory[:4]), mg.from_numpy(_memory[4:]))
== an argument that shows what is changed, and is not used | 1
table = mg.zeros(4, 3)
def f(x, unused): table.add_(1); return x * 2
-- r = F(mg.ones(3), table[0])
== an argument that shows what is changed
w = mg.zeros(4, 3)
def f(x): w.add_(1); return x * 2  # or refused
-- r = F(mg.ones(3) if k < 2 else w[k])
== arguments of which one shows a part of another that is changed
v, known = mg.ones(6), mg.ones(3)
def f(x, y): x.mul_(2); return x + y + known  # or refused
-- r = F(v[:3], v[2:5] if k > 1 else v[3:])
== a changed argument that shows what is known
v, known = mg.ones(6), mg.ones(3)
def f(x, y): x.mul_(2); return x + y + known  # or refused
-- r = F(known[0:] if k > 1 else v[3:], v[:3])
== a Tensor that comes to show what is changed
a, b = mg.zeros(3), mg.ones(3)
def f(x): a.add_(x); return b + 1  # or refused
-- b.data = a if k == 2 else b; r = F(mg.ones(3))
== memory that was replaced, and an argument that shows it
w = mg.zeros(2, 3)
def f(x): w.add_(1); return x * 2  # or refused
-- w.data = mg.zeros(2, 3) if k == 1 else w; r = F(w[0] if k == 2 else mg.ones(3))
== the gradient of a known Tensor as an argument, changed inside | 2
w = T(3, 3, grad=True); w.grad = T(1, 3)
def f(x): w.grad.add_(1.0); return x * 2.0
-- r = F(T(k, 3) if k < 3 else w.grad)
== a view of a known gradient as an argument, changed inside
w = T(3, 3, grad=True); w.grad = T(1, 3)
def f(x): w.grad.add_(1.0); return x * 2.0  # or refused
-- r = F(T(k, 3) if k < 2 else w.grad[0:])
== equal matrices that have become one lie as they did: BLAS rounds otherwise | 1
def f(x, b): y = ((x + b) @ (x + b).mT).sum(dim=0); y.backward(mg.full_like(y, 0.7)); return y
-- x, b = T(k, 30, 40, grad=True, dtype=mg.float64), T(k + 9, 40, grad=True, dtype=mg.float64); r = F(x, b)
== to ask a defaultdict for a key makes none
import collections
counts = collections.defaultdict(int, a=0)
def f(x): return x * 2 if "a" in counts else x * 3
-- r = F(mg.ones(1)); counts.pop("a", 0) if k == 1 else None
== to ask for a state makes none
w = T(1, 3, grad=True); opt = optim.SGD([w], lr=0.1, momentum=0.9); steps = True
def f(x):
    opt.zero_grad(); (w * x).sum().backward()
    if steps: opt.step()
-- steps = k % 2 == 0; opt.state.clear(); F(T(k, 3))
== a seed of another dtype
w = T(1, 3, grad=True)
def f(x): w.backward(x); return x
-- r = F(T(k, 3, dtype=mg.float64)); w.backward(T(k, 3, dtype=mg.float64), create_graph=k > 1); w.grad = None
"""


RESULTS = r"""
== a negative deviation, which each call checks | 1
def f(mean, std): return mg.normal(mean, std)
-- r = F(T(k, 3), T(9, 3).abs())
with called(): F(T(k, 3), -T(9, 3).abs())
== a detached Tensor that is changed and not used | 1
w = T(2, 3, grad=True)
def f(x): x.data.copy_(0.5 * x.data + 0.5 * w); return x * x
-- x = T(k, 3, grad=True); F(x).sum().backward()
== facts are returned | 2
def f(x): return list(x.shape), str(x.dtype), x.ndim, x.requires_grad, x * 1.0, "s", None
-- r = F(T(k, 2 + k % 2, 3))
== identity of results | 4
w = T(5, 3, grad=True); g = C(lambda x: x)
def f(x, y): s = x + y; return s, s, x, w, [s]
-- x, y = T(k, 3, grad=True), T(9 + k, 3); r = F(x, y), g(y), g(x)
== results that share memory | 3
def f(x): y = x * 2.0; return y, y[0], x.T, x.detach()
-- x = T(k, 3, 3); y, row, t, d = F(x); row.zero_(); t += 1.0; d *= 2.0
== views of what no call returns | 1
w = T(5, 3, 4, grad=True)
def f(x):
    h = x * w; d = h.detach(); part = (x * 3.0)[1].requires_grad_()
    with mg.no_grad():
        of_plain, of_grown = (x * w)[0], (x * w + h)[0]
        r = [(x * 2.0)[0], (x * w)[0], of_plain, h[1], part, (w * x).detach()[0], (x - w).detach()]
    return r
-- r = F(T(k, 3, 4))
for t in r:
    with caught(): t.mul_(2.0)
    with caught(): t.detach_()
== constants made inside | 2
def f(x):
    c = mg.tensor([1.0, 2.0, 3.0]); e = mg.empty(3); e.fill_(4.0); z = mg.zeros(3); z[1] = 2.0
    return x * c + e - z + mg.arange(3) + mg.eye(3)[1], mg.zeros(3), c
-- y, zeros, c = F(T(k, 3)); zeros += 1.0; c.zero_()
== one value under a mask that changes, whole and of rows | 1
def f(x, v): y, z = x * 1.0, x * 1.0; y[x > 0] = 0.5; y[x[:, 0] > 0] = v; z[x > 1] = v[:1]; return y, z
-- r = F(T(k, 3, 4) * 2, T(k + 9, 4))
== what is computed once leaves the gradient of what is changed
store, w = types.SimpleNamespace(kept=None), mg.full((2,), 3.0, requires_grad=True)
def f(x):
    x.mul_(2.0)
    if store.kept is None: store.kept = mg.ones(2)
    return x * w * store.kept
-- w.grad = None; F(mg.ones(2)).sum().backward()
== what is stored beside the result is the result
store, layer = types.SimpleNamespace(), nn.Linear(4, 4)
def f(x): store.kept = layer(x); store.table = {"y": store.kept}; return store.kept
-- y = F(T(k, 2, 4)); y.sum().backward(); same = y is store.kept, y is store.table["y"]
== written through a mask | 2
def f(x): y = x * 1.0; y[y > 0.5] = 0.5; return y, x.masked_fill(x < 0, 0.0)
-- r = F(T(k, 5))
== a copy of an argument that is returned too | 2
c = mg.zeros(3)
def g(y): c.copy_(y); return c[1:], y.reshape(3, 1)
g = C(g)
def f(y): c.copy_(y); return y[1:], y[0]
-- r = F(T(k, 3)); s = g(T(k, 3)); s[0].mul_(2.0)
== a reshape that copies is made anew in each run | 1
w = T(1, 2, 3).T
def f(x): return w.reshape(-1) * x
-- r = F(T(k, 6)); w.add_(1.0)
== results of one number, the whole first
base = mg.ones(3, 4)
def f(a): t = mg.full_like(base, 0.2); return t, t[..., -1], t[0], t * a, mg.zeros(3)
-- r = F(1.0 + k)
== results of one number, in parts
base = mg.ones(3, 4)
def f(a): t = mg.full_like(base, 0.2); return t[0:2], t[1:], t[0].expand(3, 4), t[0] * a, t.detach()
-- r = F(1.0 + k)
== an expanded result that repeats nothing can be written to
w = T(1, 3, 4)
def f(x):
    with mg.no_grad(): w.add_(x)
    return w.expand(3, 4)
-- r = F(T(k, 4)); r.add_(1.0)
== the dtype counts of a Tensor whose values do not
w = mg.ones(4, requires_grad=True)
def f(a): t = w * a; t.normal_(); return t
-- r = F(0.5); w.data = [mg.ones(4), mg.ones(4, dtype=mg.float64), mg.ones(5), mg.ones(5)][k]
== an element by a constant Tensor of one number is the call's own
w = T(1, 2, 3, grad=True)
def f(x): return (w + x)[mg.tensor(1)], (w + x)[mg.tensor(1), mg.tensor(2)]
-- first = F(T(k, 3)); F(T(9, 3))
== a number of another dtype is converted where a Tensor is the index
i, v = mg.tensor(1), mg.tensor(2.0)
def f(x): x[..., i] = v; return x + 1.0
-- x = T(k, 3, 4, dtype=mg.float64); r = F(x)
== numbers made of a float argument are returned anew
def f(x, s): return x, s, s * 2.0, {"minus": -s}
-- r = F(mg.ones(1), 0.25 * (k + 1))
== a returned view shows what its base has become | 1
state = mg.zeros(2, 2)
def f(x): row = state[0]; state.add_(x); return row, state[1], state.T
-- r = F(T(k, 2, 2))
== an equal number in the place of another needs no new recording | 3
box = types.SimpleNamespace(scale=1000.5, name="a")
def f(x): return x * box.scale if box.name == "a" else x
F = C(f)
for k in range(4): box.scale, box.name = float("1000.5"), "".join(["a"]); r = F(mg.ones(2)); look()
box.scale = 1000; r = F(mg.ones(2)); look(); box.name = "b"; r = F(mg.ones(2)); look()
== keys of all kinds
import enum, numpy as np
table = {enum.IntEnum("L", "LOW").LOW: 2.0, np.str_("a"): 3.0, "b": 5.0, None: 7.0, (1, 2): 11.0, 4: 13.0, True: 17.0}
def f(x): return x * math.prod(table.values())
F = C(f)
for key in [*table, *table]: table[key] += 1.0; r = F(mg.ones(1)), F(mg.ones(1)); look()
== results that lie as in eager mode
def f(x): return (x * 2)[:, ::2], (x + 1)[:, 1], x.sum(1).expand(4, 3), (x + 3)[::2].T[1:], x.sum(0)[::3]
def g(x): return x * 2, (x * 2)[:, ::2], (x * 2)[0], (x + 1)[::2], (x + 1)[1::2]
g = C(g)
-- r = F(T(k, 3, 8)), g(T(k, 3, 8))
== a Tensor of numbers, some of them of the call
def f(x, a): return mg.tensor([0.5, 1 - a]), mg.as_tensor([[a], [2]]), mg.tensor((a, a * 2)) + x
-- r = F(T(k, 2), k / 4)
== numbers and products that lie as in eager mode
def f(x, y):
    one, t = mg.ones_like(x), x[..., None, None]
    numbers = one * 2, mg.zeros_like(x).fill_(3), mg.full_like(x, 2).mT, mg.ones_like(y) + mg.ones_like(x)
    mixed = one.exp(), one.mT * y.mT[..., :1], mg.ones_like(y).add(x, alpha=2), one.where(y > 0, y), one + y
    h = y[None].permute(0, 3, 1, 2) * 2
    images = mg.stack([h, h], -2), mg.cat([h, h], 1), mg.stack([h, h])
    return numbers, mixed, t @ t, x.mT @ y, x.nan_to_num(), images
-- r = F(T(k, 4, 2, 3).permute(1, 2, 0), T(k, 2, 3, 4))
"""


BACKWARD = r"""
== an op of the user with two results | 2
class Two(autograd.Function):
    @staticmethod
    def forward(ctx, x, y): ctx.save_for_backward(x, y); return x * y, x + y
    @staticmethod
    def backward(ctx, g, h): x, y = ctx.saved_tensors; return g * y + h, g * x + h
w = T(1, 3, grad=True)
def f(x): return Two.apply(w, x)
-- a, b = F(T(k, 3)); (a * b).sum().backward()
== a Function inside, with and without gradients | 2
class Cube(autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward(x); return x * x * x
    @staticmethod
    def backward(ctx, g): return g * 3.0 * ctx.saved_tensors[0] ** 2
def f(x):
    y = Cube.apply(x.sin()).sum()
    if y.requires_grad: y.backward()
    return y
-- x = T(k, 3, grad=True); r = F(x), F(x.detach())
== Functions that save what they compute, draw, make and return | 2
class Swish(autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        s, n, mask = (x * k).sigmoid(), mg.tensor(2.0), mg.rand(3) * (x > 0)
        ctx.save_for_backward(x, s, n, mask); ctx.k = k
        return x * s * n * mask
    @staticmethod
    def backward(ctx, g): x, s, n, mask = ctx.saved_tensors; return g * n * mask * (s + ctx.k * x * s * (1 - s)), None
class Two(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        v, i = x.max(0)
        ctx.mark_non_differentiable(i); ctx.save_for_backward(x, v, i)
        return v, x.exp(), i
    @staticmethod
    def backward(ctx, g, h, _):
        x, v, i = ctx.saved_tensors
        return mg.zeros(3).index_add(0, i[None], g[None] * v * x[i]) + h
def f(x): y = Swish.apply(x, 2.0); return y, *Two.apply(y * x)
-- mg.manual_seed(k); x = T(k, 3, grad=True); a, b, c, i = F(x); (a.sum() + b * c.sum() * i).backward()
== a leaf that no given result depends on gets no gradient | 1
def f(x, y): return x * y, x + 1.0, y.exp()
-- x, y = T(k, 2, grad=True), T(k + 9, 2, grad=True); F(x, y)[(0, 1, 2, 1)[k]].sum().backward()
== a result that nobody needs is not computed | 1
net = Net()
def f(x): net(x).sum().backward()
-- net.zero_grad(); F(T(k, 3, 4))
== a leaf that is changed after its use | 3
w, v = T(1, 3, grad=True), T(2, 3, grad=True)
def f(x):
    before = w * 0.5 + v
    with mg.no_grad(): w.add_(x); v.mul_(2.0)
    return before + w
-- r = F(T(k, 3)); r.sum().backward()
== two Tensors that change places, and one that gets what another was
a, b, c = T(1, 3), T(2, 3), T(3, 3)
def f(x): old = a.clone(); a.copy_(b); b.copy_(old); c.copy_(b); b.mul_(2.0); return x * c
-- r = F(T(k, 3))
== a hook that draws twice | 2
w = T(1, 8, grad=True)
def drawn(g): a = mg.rand(8); mg.rand(3); return a
def f(x): w.grad = None; y = w * x; y.register_hook(drawn); (y * y).sum().backward(); return mg.rand(2)
-- r = F(T(k, 8))
== a Tensor that requires grad after its first use | 1
def f(x):
    v = mg.tensor([1.0, 2.0, 3.0]); y = v * 2.0
    v.requires_grad_()
    return autograd.grad((v * y * x).sum(), v)[0]
-- r = F(T(k, 3))
== a leaf that becomes a result is seen
w, v = T(1, 2, grad=True), T(2, 2, grad=True)
def f(x): return (x * w).sum()
-- with called(): F(T(k, 2)).backward()
if k == 1: w.requires_grad_(False); w.mul_(v)
== gradients returned | 3
w = T(1, 2, grad=True); own = C(lambda x: x.grad)
def f(x): (w * x).sum().backward(); return w.grad
-- x = T(k, 2, grad=True); x.grad = T(50 + k, 2); g = own(x); r = F(T(k, 2)); w.grad = mg.zeros(2) if k == 2 else w.grad
== gradients that are used and dropped | 2
w = T(1, 3, grad=True); opt = optim.SGD([w], lr=0.01)
def takes(x): y = x.grad * 3; x.grad = None; return y
takes = C(takes)
def f(x): (x * w).sum().backward(); opt.step(); opt.zero_grad()
-- w.grad = T(20 + k, 3); x = T(40 + k, 3, grad=True); x.grad = T(60 + k, 3); F(T(k, 3)); r = takes(x)
== gradients taken away and returned | 6
w = T(1, 2, grad=True)
def takes(x): g = x.grad; x.grad = None; return g
def gives(x, y): w.grad = x; y.grad = w.grad
takes, gives = C(takes), C(gives)
def f(x): g = w.grad; w.grad = None; (w * x).sum().backward(); return g, w.grad
-- w.grad = T(20 + k, 2); before = w.grad; r = F(T(k, 2)); x = T(3, 2, grad=True); x.grad = T(k, 2); g = takes(x)
y, z = T(5, 2, grad=True), T(k, 2); gives(z, y)
== an alias made by detach stays outside of the graph | 4
v = T(1, 3, grad=True)
def outside(x): t = v.detach(); t[1:].add_(1.0); return t * x
outside = C(outside)
def f(x): t = v.detach(); t.mul_(1.5); t[0] = 0.25; (v * t * x).sum().backward()
-- v.grad = None; F(T(k, 3)); r = outside(T(k, 3))
== a buffer that is changed before its use | 2
b, v = T(0, 3), T(1, 3, grad=True)
def f(x): b.mul_(0.9).add_(x); return v * b
-- F(T(k, 3)).sum().backward()
== several forwards before backward | 2
net = Net()
def f(x): return net(x)
-- net.zero_grad(); ys = [F(T(10 * k + i, 3, 4)) for i in range(3)]
for y in reversed(ys): y.sum().backward(); look()
== backward outside | 3
net = Net(); opt = optim.SGD(net.parameters(), lr=0.1)
def f(x): return net(x), net.first(x)
-- x = T(k, 3, 4, grad=k % 2 == 1); opt.zero_grad(); y, h = F(x)
loss = (y * y).mean() + (0.1 * h.sum() if k < 3 else 0.0); loss.backward(retain_graph=k == 2)
if k == 2: loss.backward()
opt.step()
== saved arrays that change before backward | 8
w = T(5, 3, grad=True); change = C(lambda x: x.mul_(2.0))
def f(x): return (x * w).sin()
-- x = T(k, 3); y, z = F(x), x * w; (x if k % 2 else w.data).mul_(2.0)
with called(): y.sum().backward()
with called(): F(x).sum().backward()
change(x)
with called(): z.sum().backward()
== a change of a result that backward needs
g, h = C(lambda x: (x * 2.0).exp()), C(lambda x: x.exp() * 2.0)
def f(x): return x.tanh()
-- for way in (F, g, h):
    x = T(k, 3, grad=True); y = way(x)
    with mg.no_grad(): y.add_(1.0)
    with called(): y.sum().backward()
== grad modes | 7
w = T(5, 3, grad=True)
def f(x): return x * w
-- x = T(k, 3, grad=k == 1); r = [F(x), F(x.detach())]
with mg.no_grad(): r += [F(x), mg.is_grad_enabled()]
with mg.inference_mode(): r += [F(x).is_inference(), mg.is_inference_mode_enabled()]
with mg.no_grad(), mg.enable_grad(): r += [F(x)]
== modes inside | 3
w = T(5, 3, grad=True)
@mg.no_grad()
def f(x):
    y = x * w
    with mg.enable_grad(): z = x * w
    return y, z, z.detach(), mg.is_grad_enabled()
-- r = F(T(k, 3)), mg.is_grad_enabled()
== gradients that the function turns on are there
w = T(1, 3, grad=True)
def f(x):
    y = x + 1.0
    with mg.enable_grad(): z = y * w
    return y, z
-- with mg.no_grad(): r = F(T(k, 3))
r[1].sum().backward()
== a view made and changed without gradients has none
w = T(1, 3, 4, grad=True)
def f(): row = w.narrow(0, 0, 1); row.mul_(2.0); return row
-- with mg.no_grad(): r = F()
== products of a batch and a matrix, whatever the layout | 6
w, b = T(1, 9, 33, grad=True), T(2, 9, grad=True); to = nn.functional.linear
def f(x): return to(x, w, b).transpose(0, 1) + x.transpose(0, 1) @ w.T
-- x = (T(k, 4, 7, 33), T(k, 7, 4, 33).transpose(0, 1), T(k, 4, 33, 7).mT)[k % 3].requires_grad_(); y = F(x)
y.backward(T(9 + k, *y.shape) if k < 3 else T(9 + k, 4, 7, 9).transpose(0, 1))
== a change of a view of a leaf, before other errors and of every kind
def f(x, t, y): t.lerp_(y.double(), 0.5); return x + 1.0
g = C(lambda x: x.mul_(2.0))
def h(x): x[1:].mul_(2.0); return x
h = C(h)
-- y = T(9, 2)
for x in (T(k, 4, grad=True)[:2], T(k, 4)[::2].requires_grad_(), T(k, 2, grad=True), T(k, 4)[::2], T(k, 2)):
    with caught(): F(x, x, y)
    with caught(): g(x)
    with caught(): h(x)
    with caught(): h(x.detach())
    look()
== a view of what becomes a leaf | 1
ns = types.SimpleNamespace(v=None)
def f(x): y = x * 2.0; ns.v = y[1:]; y.requires_grad_(); return y
-- r = F(T(k, 3)); v = ns.v; (r * r).sum().backward()
with caught(): v.mul_(2.0)
== a change of a part of a leaf, at an index that is a Tensor | 1
u, at = T(1, 3, 2, grad=True), mg.tensor(1)
def f(x): u[at] = 2.0; return x * 2.0
-- with caught(): F(T(k, 2))
== a view of a leaf onto itself | 1
def f(x): x.copy_(x)
-- x = T(k, 3, grad=k > 0)[:]
with caught(): F(x)
== autocast around and inside, of other types | 6
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 2)); ns = types.SimpleNamespace()
def f(x):
    y = net(x) if mg.is_autocast_enabled("cpu") else net(x) * 2.0
    with mg.autocast("cpu", dtype=ns.dtype): return y, net(x)
-- ns.dtype = (mg.float16, mg.float16, mg.bfloat16, mg.bfloat16)[k]; x = T(k, 3, 4)
with mg.autocast("cpu", dtype=mg.bfloat16, enabled=k % 2 > 0): r = F(x)
with mg.autocast("cpu", dtype=mg.float16, enabled=k > 2): q = F(x)
r, q = total(r).float(), total(q).float(); r.backward()
== the default dtype | 2
def f(x): return mg.zeros(2) + x, x / 2
-- mg.set_default_dtype(mg.float64 if k % 2 else mg.float32); x = mg.tensor([1, 2]); r = F(x)
mg.set_default_dtype(mg.float32)
== generators | 4
own, *others = (mg.Generator().manual_seed(i) for i in range(3))
g = C(lambda x, generator: x + mg.rand(3, generator=generator))
def f(x): return x + mg.randn(3, generator=own)
-- r = F(T(0, 3)), g(T(0, 3), others[k % 2])
== hooks are seen after the memory of a parameter was replaced
w = T(1, 3, grad=True)
def f(x): (x * w).sum().backward()
changes = [lambda: None, lambda: setattr(w, "data", mg.full((3,), 2.0)), lambda: w.register_hook(lambda g: g * 10)]
changes += [lambda: w.requires_grad_(False).requires_grad_(), lambda: w.register_hook(lambda g: g * 3)]
F = C(f)
for change in changes:
    handle = change() is None
    for k in range(2): F(T(k, 3)); look()
"""


# What is done in a step with a network, an optimizer, a batch and its targets.
STEP = """
net = Net(); opt = optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
def loss_of(x, t):
    return nn.functional.mse_loss(net(x), t)
def f(x, t):
    {}
F = C(f)
for k in range(6):
    r = F(T(k, 4, 4), T(50 + k, 4, 4)); look()
"""
STEPS = r"""
== zero at the end | 2
loss = loss_of(x, t); loss.backward(); opt.step(); opt.zero_grad()
return loss
== never zero | 2
loss = loss_of(x, t); loss.backward(); opt.step()
return loss.detach()
== two losses | 2
opt.zero_grad(); y = net(x); a, b = nn.functional.mse_loss(y, t), y.abs().mean()
a.backward(retain_graph=True); b.backward(); opt.step()
return a, b
== backward of two graphs | 2
net.zero_grad()
for part in (slice(2), slice(2, 4)): (loss_of(x[part], t[part]) / 2.0).backward()
opt.step()
return [p.grad for p in net.parameters()]
== a metric under no_grad | 2
opt.zero_grad(); y = net(x)
with mg.no_grad(): metric = (y - t).abs().amax(); after = net(x)
loss = nn.functional.mse_loss(y, t.detach()); loss.backward(); opt.step()
return loss, metric, after, net(x)
== a penalty of gradients | 2
opt.zero_grad(); loss = loss_of(x, t); grads = autograd.grad(loss, list(net.parameters()), create_graph=True)
total = loss + 0.1 * sum((g * g).sum() for g in grads); total.backward(); opt.step()
return total
== clipped | 2
opt.zero_grad(); loss_of(x, t).backward()
norm = mg.stack([(p.grad * p.grad).sum() for p in net.parameters()]).sum().sqrt()
for p in net.parameters(): p.grad.mul_((0.5 / (norm + 1e-6)).clamp(max=1.0))
opt.step()
return norm
== gradients replaced | 2
opt.zero_grad(); loss_of(x, t).backward()
for p in net.parameters(): p.grad = p.grad.sign()
net.first.bias.grad = None; opt.step()
== data by hand | 1
loss = loss_of(x, t); ps = list(net.parameters())
for p, g in zip(ps, autograd.grad(loss, ps)): p.data.sub_(g, alpha=0.1)
return loss
== by hand | 2
loss = loss_of(x, t); loss.backward()
with mg.no_grad():
    for p in net.parameters(): p -= 0.1 * p.grad; p.grad.zero_()
return loss
== with a closure | 2
def closure(): opt.zero_grad(); loss = loss_of(x, t); loss.backward(); return loss
return opt.step(closure)
== hooks inside | 2
opt.zero_grad(); h = net.first(x); h.register_hook(lambda g: g * 2.0); h.retain_grad()
loss = nn.functional.mse_loss(net.second(h.tanh()), t); loss.backward(); opt.step()
return loss, h.grad
== chosen inputs | 2
opt.zero_grad(); loss_of(x, t).backward(inputs=[net.second.weight]); opt.step()
"""


@programs(STEPS)
def test_steps(program: str, most: int) -> None:
    agree(STEP.format(program.replace("\n", "\n    ")), most)


TRAINING = r"""
== two players, of whom one is frozen while the other learns | 2
maker, judge = nn.Linear(4, 4), nn.Linear(4, 1)
opts = optim.SGD(maker.parameters(), lr=0.1), optim.Adam(judge.parameters(), lr=0.1)
def f(x):
    opts[1].zero_grad(); (judge(x) - judge(maker(x).detach())).mean().backward(); opts[1].step()
    judge.requires_grad_(False)
    opts[0].zero_grad(); loss = judge(maker(x)).mean(); loss.backward(); opts[0].step()
    judge.requires_grad_(True)
    return loss
-- r = F(T(k, 3, 4))
== a layer that is frozen for a moment | 1
net = nn.Linear(4, 4)
def f(x): net.requires_grad_(False); y = net(x); net.requires_grad_(True); return y
-- r = F(T(k, 3, 4))
== options whose names are no names of variables | 2
net = Net(); more = {"my-key": 0.5, "lambda": 0.25, "x": 2.0, "weight": 3.0, "np": 1.0}
opt = optim.SGD([{"params": list(net.parameters()), **more}], lr=0.1)
def f(x):
    opt.zero_grad(); loss = net(x).square().mean() * opt.param_groups[0]["lambda"]; loss.backward(); opt.step()
    return loss
-- opt.param_groups[0]["lambda"] = 0.25 * k; r = F(T(k, 3, 4))
== a variable that is named like a method, and what a step changes is returned itself | 2
step = 0; net = Net(); opt = optim.SGD(net.parameters(), lr=0.05)
def f(x):
    opt.zero_grad(); net(x).square().mean().backward(); opt.step()
    return net.first.weight.detach(), net.first.weight.grad
-- step = k; r = F(T(k, 3, 4))
== a scheduler needs no new recording | 2
net = Net(); opt = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
def f(x): opt.zero_grad(); loss = net(x).square().mean(); loss.backward(); opt.step(); return loss
F = C(f)
for k in range(30): opt.param_groups[0]["lr"] = 0.1 * 0.9**k; r = F(T(k, 3, 4)); look()
== schedulers within the step | 40
s = optim.lr_scheduler
makers = [
    lambda o: s.StepLR(o, 3), lambda o: s.MultiStepLR(o, [3, 5, 5]), lambda o: s.OneCycleLR(o, 0.2, total_steps=14),
    lambda o: s.CyclicLR(o, 0.01, 0.1, 3, mode="triangular2", cycle_momentum=False),
    lambda o: s.LambdaLR(o, lambda e: 1 / (1 + e)), lambda o: s.CosineAnnealingWarmRestarts(o, 2, T_mult=2),
    lambda o: s.PolynomialLR(o, 4, power=2.0),
    lambda o: s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=2), s.CosineAnnealingLR(o, 5)], [2]),
    lambda o: s.ChainedScheduler([s.ConstantLR(o, total_iters=2), s.ExponentialLR(o, 0.9)]),
]
for i, make in enumerate(makers):
    w = T(1, 3, grad=True)
    opt = optim.AdamW([w], lr=0.1) if i % 2 else optim.SGD([w], lr=mg.tensor(0.1) if i == 4 else 0.1, momentum=0.9)
    schedule = make(opt)
    def f(x, opt=opt, schedule=schedule, w=w):
        opt.zero_grad(); (w * x).square().sum().backward(); opt.step(); schedule.step(); return w.detach() * 1.0
    F = C(f)
    for k in range(12):
        r, states = F(T(k, 3)), [p.state_dict() for p in getattr(schedule, "_schedulers", [schedule])]
        rates = [p.pop("_schedulers", 0) for p in states], schedule.get_last_lr(); look()
== a schedule of one's own within the step | 4
class Warm(optim.lr_scheduler.LRScheduler):
    def get_lr(self):
        self.asked = [self.last_epoch, 0.5 * self.last_epoch]
        return [base * min(1.0, (self.last_epoch + 1) / 3) for base in self.base_lrs]
w = T(1, 3, grad=True); opt = optim.SGD([w], lr=0.1); schedule = Warm(opt)
def f(x): w.grad = None; (w * x).sum().backward(); opt.step(); schedule.step()
F = C(f)
for k in range(9): F(T(k, 3)); state = schedule.state_dict(), opt.param_groups[0]["lr"]; look()
== a step whose parts are read before the last is made | 3
ps = [T(i, 4, grad=True) for i in range(4)]; opt = optim.SGD(ps, lr=0.1, momentum=0.9, dampening=0.1, maximize=True)
def f(x): opt.zero_grad(); sum((p * x).sin().sum() for p in ps).backward(); opt.step()
-- F(T(k, 4)); look(); F(T(k + 4, 4))
== a gradient is added to what others show | 4
w = T(1, 3, grad=True); v = T(2, 3, grad=True)
def f(x):
    t = x * 2.0
    w.grad = t.detach(); (w * x).sum().backward(); part = t[1:]
    (v * x).sum().backward(); g, h = v.grad, v.grad.detach(); (v * x).sum().backward(); w.backward(x)
    return t, part + 1.0, g + 1.0, h + 1.0
-- v.grad = None; r = F(T(k, 3))
== gradients accumulate | 4
net = Net(); opt = optim.SGD(net.parameters(), lr=0.1); update = C(opt.step)
def f(x): loss = net(x).square().mean() / 3.0; loss.backward(); return loss
F = C(f)
for k in range(9):
    r = F(T(k, 3, 4)); look()
    if k % 3 == 2: update(); opt.zero_grad(set_to_none=k > 5); look()
== training and evaluation | 4
class Noisy(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.count = Net(), 0
        self.register_buffer("seen", mg.tensor(0))
    def forward(self, x):
        if self.training: self.seen += 1; x = x * mg.bernoulli(mg.full_like(x, 0.5)) * 2.0
        return self.inner(x)
net = Noisy(); _call = C(net)
for k in range(8): net.train(k % 4 < 2); net.zero_grad(); r = _call(T(k, 3, 4)); r.sum().backward(); look()
== tied parameters | 4
net = Net(True); opt = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
def f(x): opt.zero_grad(); loss = net(x).square().mean(); loss.backward(); opt.step(); return loss
F = C(f)
for k in range(6):
    if k == 3: net.second.weight = nn.Parameter(T(8, 4, 4))
    r = F(T(k, 3, 4)); look()
== three hundred steps | 2
net = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)); x, t = T(1, 13, 8, 2), T(2, 13, 8, 1); s = 0.0
opt = optim.SGD(net.parameters(), lr=0.02, momentum=0.9, weight_decay=0.001, nesterov=True)
def f(x, t): opt.zero_grad(); loss = nn.functional.mse_loss(net(x), t); loss.backward(); opt.step(); return loss
F = C(f)
for k in range(300):
    s += F(x[k % 13], t[k % 13]).item() * (k % 7 + 1)
    if k % 60 == 59: look()
== large batches | 1
net = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
def f(x, t): return autograd.grad(nn.functional.mse_loss(net(x), t), list(net.parameters()))
-- r = F(T(k, 700, 2), T(k + 9, 700, 1))
"""


@programs(ARGUMENTS + RESULTS + BACKWARD + TRAINING)
def test_what_eager_mode_does(program: str, most: int) -> None:
    agree(program, most)


# What changes between two steps; `G` stands for the options of the optimizer.
CHANGES_TEXT = """
nothing: pass
learning rate: G["lr"] = 0.3
learning rate 0: G["lr"] = 0.0
whole learning rate: G["lr"] = 1
learning rate in a Tensor: G["lr"] = mg.tensor(0.05)
momentum: G["momentum"] = 0.5
no momentum: G["momentum"] = 0.0
dampening: G["dampening"] = 0.3
weight decay: G["weight_decay"] = 0.2
nesterov: G.update(momentum=0.9, nesterov=True)
maximize: G["maximize"] = True
state of the module loaded: net.load_state_dict({n: T(9, *v.shape) for n, v in net.state_dict().items()})
state of the module assigned: net.load_state_dict({n: T(9, *v.shape) for n, v in net.state_dict().items()}, assign=True)
state of the optimizer loaded: opt.load_state_dict(other.state_dict())
parameter replaced: net[0].weight = nn.Parameter(T(7, 5, 2))
parameter replaced, here and there: G["params"][0] = net[0].weight = nn.Parameter(T(7, 5, 2))
data: net[0].weight.data = T(8, 5, 2)
data in another layout: net[0].weight.data = T(8, 2, 5).T
in place: mg.no_grad()(lambda: (net[0].weight.mul_(0.5), net[2].bias.add_(1.0)))()
through NumPy: net[0].weight.detach().numpy()[:2] = 0.25
frozen: net[0].requires_grad_(False)
no bias: net[0].bias = None
another layer: net[1] = nn.ReLU()
one more layer: net.append(nn.Sigmoid())
evaluation: net.eval()
no gradients: net.zero_grad()
other gradients: [setattr(p, "grad", mg.ones_like(p)) for p in net.parameters()]
no state: opt.state.clear()
buffer changed: [b.zero_() for p in net.parameters() for b in opt.state[p].values()]
buffer with another array: [setattr(b, "data", b.data * 2.0) for p in net.parameters() for b in opt.state[p].values()]
buffer replaced: [opt.state[p].update({n: b * 2.0 for n, b in opt.state[p].items()}) for p in net.parameters()]
a group added: opt.add_param_group({"params": [T(3, 3, grad=True)], "lr": 5.0})
a group of its own: opt.add_param_group({"params": [G["params"].pop()], "lr": 5.0})
hook of a parameter: handle = net[0].weight.register_hook(lambda g: g * 2.0)
hook of a module: handle = net[0].register_forward_hook(lambda m, a, y: y * 2.0)
hook before a module: handle = net[2].register_forward_pre_hook(lambda m, a: (a[0] * 2.0,))
method replaced: net[1].forward = lambda x: x * 0.5
"""
CHANGES = dict(row.split(": ", 1) for row in CHANGES_TEXT.strip().split("\n"))
CHANGING = """
net, net2 = (nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)) for _ in range(2))
opt, other = optim.SGD(net.parameters(), OPTIONS), optim.SGD(net2.parameters(), lr=0.03, momentum=0.7)
for p in net2.parameters():
    other.state[p]["momentum_buffer"] = mg.ones_like(p)
def f(x, t):
    opt.zero_grad(); loss = nn.functional.mse_loss(net(x), t); loss.backward(); opt.step()
    return loss
F = C(f)
def some(n):
    for k in range(n):
        with called():
            r = F(T(k, 4, 2), T(50 + k, 4, 1))
        look()
some(4)
"""
OPTIONS = ["lr=0.1", "lr=0.1, momentum=0.9, weight_decay=0.01"]


def changing(options: str, changes: list[str], calls: int) -> str:
    lines = [f"with caught():\n    {CHANGES[c]}\nsome({calls})" for c in changes]
    text = "\n".join([CHANGING, *lines]).replace("OPTIONS", options)
    return re.sub(r"\bG\b", "opt.param_groups[0]", text)


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "momentum"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_training_step_sees_what_changed(change: str, options: str) -> None:
    agree(changing(options, [change], 4), 5)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(sorted(CHANGES)), max_size=5), st.sampled_from(OPTIONS))
def test_a_training_step_sees_any_changes(changes: list[str], options: str) -> None:
    agree(changing(options, changes, 3), 4 * (1 + len(changes)))


def test_a_program_that_differs_is_seen() -> None:
    program = "_k = 1.0 + (C.__name__ == 'compile') * 1e-6\ndef f(x):\n    return x * _k\n-- r = F(T(k, 2))"
    with pytest.raises(AssertionError, match="values of r: rounded"):
        agree(looped(program))


# What is refused, with words of the sentence; the last line is the call, after which all is as it was.
REFUSED = r"""
== elements at one place in memory | several of its elements are one place in memory
def f(x): x[0] = 1.0; return x * 2.0
F(mg.ones(3).expand(2, 3))
== a leaf beside what needs it | is returned beside a result that is computed from it
def f(x): t = (x * 2.0).detach().requires_grad_(); return t * 2.0, t
F(T(1, 3))
== a leaf of its own | because of a Tensor that the function makes
def f(x): t = (x * 2.0).requires_grad_(); return t * 2.0
F(T(1, 3))
== grad mode is left switched | leaves grad mode
def f(x): mg.set_grad_enabled(False); return x * 2.0
F(T(1, 3))
== numbers that a backward pass outside would draw | would draw random numbers
def f(x): y = x * 2; y.register_hook(lambda g: g + mg.rand(3)); return y * 3
F(T(1, 3, grad=True))
== a list that a hook fills in a backward pass outside | would change seen in a hook
seen = []
def f(x): y = x * 2; y.register_hook(lambda g: seen.append(g)); return y * 3
F(T(1, 3, grad=True))
== a count in the backward of a Function | would change Counted.calls in a hook or a Function
class Counted(autograd.Function):
    calls = 0
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): Counted.calls += 1; return g * 2
def f(x): return Counted.apply(x) * 3
F(T(1, 3, grad=True))
== autocast is left on | autocast or anomaly mode switched
def f(x): mg.set_autocast_enabled("cpu", True); return x @ x
F(T(1, 3, 3))
== the memory of an array is changed | shows the memory of a NumPy array
a = T(1, 3).numpy()
def f(x): mg.from_numpy(a)[1:].add_(x); return x * 2.0
F(1.5)
== the memory of an array is returned | shows the memory of a NumPy array
a = T(1, 3).numpy()
def f(x): return mg.as_tensor(a)[1:], x * 2.0
F(1.5)
== an argument that holds itself | argument xs holds itself
def f(xs): return xs[0] * 2.0
items = [T(1, 3)]; items.append({"a": items}); F(items)
== a list that holds itself | holds itself
def f(x): xs = [x]; xs.append(xs); return xs
F(T(1, 3))
== a leaf that is a view of an argument | because of a Tensor that the function makes
def f(x): t = x[:1].requires_grad_(); return t[0]
F(T(1, 3, 4))
== a view joins the graph, and is changed again | becomes part of the graph by a change in place
w = T(2, 3, 4, grad=True); x = T(1, 6, 4)[::2]
def f(x): x *= w; x += 1.0; x[0] *= 2.0; return x * 3.0
F(x)
== a result that retains its gradient | a result has a hook, or retains its gradient
w = T(1, 3, grad=True)
def f(x): y = (w * x).exp(); y.retain_grad(); return y
F(T(1, 3))
== a gradient that requires grad stays | a gradient that requires grad stays in .grad
w = T(1, 3, grad=True)
def f(x): (w * x).exp().sum().backward(create_graph=True); return w * x
F(T(1, 3))
== detached before a change | because of a Tensor that the function makes
def f(x): t = x * 2.0; p = t.detach().requires_grad_(); t.add_(t); return p[..., -1]
F(T(1, 3))
== a part of what was detached becomes part of the graph | clone() it where it is detached
w = T(2, 4, grad=True)
def f(x): t = mg.func.grad(lambda v: (v * v).sum())(x * 2.0); t[0] = w; return t
F(T(1, 3, 4))
== detached, then part of the graph | clone() it where it is detached
w = T(2, 3, grad=True)
def f(x): t = x.detach(); t.mul_(w); return t * 3.0
F(T(1, 3))
== a view of a detached leaf, then what that shows is changed | clone() it where it is detached
w = T(1, 4, grad=True)
def f(x): leaf = w.detach().requires_grad_(); part = leaf[1:]; w.data.mul_(x); return part
F(2.0)
== a hook on a parameter that was stepped before | adds or removes a hook
p = nn.Parameter(T(1, 3)); p.grad = T(2, 3); opt = optim.SGD([p], lr=0.1)
def f(): opt.step(); p.register_hook(lambda g: g * 2); return p * 2.0
F()
== changed, then made to require grad | changes requires_grad of u
u = T(1, 3)
def f(a): u.mul_(a); u.requires_grad_(); return a * 2
F(0.5)
== an error that comes of a Tensor which joins the graph | becomes part of the graph
w = T(1, 3, grad=True); base = T(2, 4, 3).T
def f(x, y):
    y.add_(w[:1])
    (w * w).sum().backward(inputs=[x])
F(base, base[0])
== an argument that is made to require grad | changes requires_grad of x
def f(x): x.requires_grad_(); return x * 2.0
F(T(1, 3))
== the gradient of a leaf that has changed | changed under no_grad() after it had been used
v = T(1, 2, grad=True)
def f(x):
    a = v * x
    with mg.no_grad(): v.mul_(0.5)
    return autograd.grad((a + v * 2).sum(), [v])[0]
F(T(2, 2))
== a backward pass into what was computed before | which was computed before the call
w = T(1, 3, grad=True); h = w * 2.0
def f(x): (x * h).sum().backward()
F(T(2, 3))
== what a view shows is put back | values of a Tensor
a = T(1, 6)
def f(x, y): x.mul_(2); return bool(x.sum() > 0)
F(a[:4], T(2, 4))
== what lies in one place is put back | values of a Tensor
import numpy as np
_memory = np.ones(4); p, q = mg.from_numpy(_memory), mg.from_numpy(_memory)
def f(x): p.add_(1); q.mul_(3); return bool(x.sum() > 0)
F(T(2, 1))
== a set among the arguments | the function changes s
def f(x, s): s.add(1); return x * 2
F(T(2, 1), set())
== a list among the arguments | changes a list or a dict among its arguments
xs = [T(1, 3)]
def f(xs): xs.append(xs[0] * 2.0); return xs[0] + 1.0
F(xs)
== a dict among the arguments | changes a list or a dict among its arguments
d = {"x": T(1, 3)}
def f(d): d["y"] = d["x"] * 2.0; return d["x"] + 1.0
F(d)
== several values under a mask | indexing with a mask
def f(x, v): return x.clone().index_put_((x > 0,), v)
F(mg.ones(2), mg.ones(2))
== a Parameter that is returned | makes and returns a Parameter
def f(x): return nn.Parameter(mg.zeros(3))
F(T(1, 3))
== a Tensor of a class that is returned | makes and returns a Special
class Special(mg.Tensor):
    pass
def f(x): return Special(mg.zeros(3))
F(T(1, 3))
== a Tensor with attributes that is returned | makes and returns a Tensor with attributes
def f(x): y = x * 2; y.tag = 1; return y
F(T(1, 3))
== an attribute of an argument that is set | sets an attribute of x
def f(x): x.tag = 1; return x * 2
F(T(1, 3))
== an attribute of an argument | with the attribute scale, which the function may ask for
x = T(1, 3); x.scale = 2.0
def f(x): return x * x.scale
F(x)
== a scheduler that compares losses | needs the values of a Tensor
w = T(1, 2, grad=True); opt = optim.SGD([w], lr=0.5); schedule = optim.lr_scheduler.ReduceLROnPlateau(opt)
def f(): w.grad = None; loss = w.sum(); loss.backward(); opt.step(); schedule.step(loss)
F()
== an option of an optimizer | changes the options of an optimizer
w = T(1, 2, grad=True); opt = optim.SGD([w], lr=0.5)
def f(): g = opt.param_groups[0]; g["lr"] = g.pop("lr")
F()
== a hook that reads later what each call sets | would read plain.n in a hook or a Function
plain = types.SimpleNamespace(n=0); w = T(1, 2, grad=True)
def f(x): plain.n += 1; y = w * x; y.register_hook(lambda g: g * plain.n); return y.sum()
F(T(1, 2))
== a hook that reads later an option of an optimizer | would read lr in a hook or a Function
w = T(1, 2, grad=True); opt = optim.SGD([w], lr=0.5)
def f(x): y = w * x; y.register_hook(lambda g: g * opt.param_groups[0]["lr"]); opt.zero_grad(); return y.sum()
F(T(1, 2))
== a result whose backward pass would raise | backward() of a result would raise: one of the variables
w = T(1, 2, grad=True)
def f(x): t = x * 2; y = t * w; t.zero_(); return y
F(T(1, 2))
== a result without a rule | backward() of a result would raise: derivative for floor_divide
w = T(1, 2, grad=True)
def f(): return w // 2, w * 2
F()
== a buffer that is set | write into a Tensor, as copy_() does
net = nn.Module(); net.register_buffer("mean", mg.zeros(2))
def f(x): net.mean = 0.5 * net.mean + 0.5 * x; return x - net.mean
F(T(1, 2))
== a hook of what is changed between two uses | a Tensor with a hook is changed under no_grad() between two uses
w = T(1, 3, grad=True)
handle = w.register_post_accumulate_grad_hook(lambda t: [t.grad.mul_(2), None][1])
def f(x):
    y = w * x
    with mg.no_grad(): w.mul_(3.0)
    (y + w * w).sum().backward()
    return x * 2.0
F(T(2, 3))
== the gradient of a view kept while its base changes | adds or removes a hook
w = T(1, 3, 2, grad=True); v = w.T.T
def f(x):
    v.retain_grad()
    with mg.no_grad(): w.sub_(x)
    return v.sum() * x
F(T(2, 3, 2))
"""


@programs(REFUSED, str)
def test_refused(program: str, most: str) -> None:
    start, _, call = program.rstrip().rpartition("\n")
    run = Run(f"{start}\nF = C(f)\nwith called():\n    {call}", True)
    assert most in run.refusal, run.log
    assert not run.made[0].recordings


# Expressions of a Tensor and a number that changes; then of a Tensor, a parameter and a number.
FLOATS = """
x * math.exp(-s); x * math.sqrt(s); x * s.real; x * +s; x * float.__mul__(float(s), 2.0); x * float(f"{s:.3f}")
x * max(s, 0.1); x.clamp(max=s); x.abs() ** s; x * round(s, 2); x * (s * True); x * copy.copy(s)
mg.full((3,), s) * x; x * np.float64(s).item(); x * (2.0 if isinstance(s, float) else 3.0); x + s / 3 - (1 - s) * 2
"""
GRADIENTS = """
x * w * s; x * w / s; s / (w * w + x * x); x - w * s; x.add(w, alpha=s); (x * w).sum() * s; mg.lerp(x, w, s)
(x * w).mul_(s); (w * x) ** s; (x * w).sum() + s * w.square().sum(); s**w * x; (w * x).clamp(max=s)
(w * x - s).relu() * -s
"""
FLOATING = """
import copy, numpy as np
w = mg.tensor([0.5, 1.5, 0.7], requires_grad=True); x = mg.tensor([0.4, 1.0, 2.0])
def f(x, s):
    y = {}
    {}
    return y
-- w.grad = None; r = F(x, (0.3, 0.7, 0.7, 1.3)[k])
{}
"""


def rows(table: str) -> list[str]:
    return table.strip().replace("\n", "; ").split("; ")


@pytest.mark.parametrize("row", rows(FLOATS))
def test_a_float_argument_is_never_taken_for_a_constant(row: str) -> None:
    agree(looped(FLOATING.format(row, "pass", "")))


@pytest.mark.parametrize("row", rows(GRADIENTS))
def test_gradients_see_a_float_argument(row: str) -> None:
    agree(looped(FLOATING.format(row, "y.sum().backward()", "")))
    agree(looped(FLOATING.format(row, "pass", "r.sum().backward()")))


# Statements of a function of x, each a draw.
DRAWS = """
rand: x + mg.rand(4, 5)
randn: x * mg.randn(4, 5)
small: x + mg.randn(3)[0]
randint: x + mg.randint(0, 1000, (4, 5))
randperm: x[:, mg.randperm(5)] + mg.rand(1)
normal: x + mg.normal(0.5, 2.0, (4, 5))
normal_: x + mg.empty(4, 5).normal_(1.0, 2.0)
uniform_: x + mg.empty(4, 5).uniform_(-1.0, 2.0)
bernoulli: mg.bernoulli(x.sigmoid())
bernoulli_: x + mg.empty(4, 5).bernoulli_(0.3)
bernoulli of a constant chance: mg.bernoulli(mg.full((4, 5), 0.5)) * x
exponential_: x.clone().exponential_(2.0)
random_: x + mg.empty(4, 5, dtype=mg.int64).random_(0, 100)
like: x * mg.rand_like(x)
two: mg.rand(4, 5) - mg.rand(4, 5) + x
not used: (mg.rand(3), x * mg.rand(4, 5))[1]
normal_ of a copy: x.clone().normal_()
normal of Tensors: mg.normal(x, x.abs() + 1)
"""
DRAWN = """
def f(x):
    return {}
-- if k == 2:
    mg.manual_seed(3)
r = F(T(0, 4, 5)); u = mg.rand(1)
"""


@programs("\n== ".join(["", *DRAWS.strip().split("\n")]).replace(": ", " | 1\n"))
def test_draws(program: str, most: int) -> None:
    agree(looped(DRAWN.format(program)), most)

"""Ways in which a function reaches Python objects: a compiled one sees each change, or refuses the way at once.

`REFUSED`, `KEPT`, `PATCHED` and `CHANGED` are tables of ways; `PLAIN` holds what people write every day, which must
work and needs one recording.
"""

# The tables have a row a line, and write what people may write.
# ruff: noqa: E501, RUF012, RUF015, SIM115, UP030, UP031, UP032

import abc
import argparse
import array
import builtins
import collections
import configparser
import contextlib
import contextvars
import copy
import ctypes
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import gc
import importlib
import inspect
import io
import itertools
import json
import locale
import logging
import math
import operator
import os
import pathlib
import pickle
import platform
import queue
import random
import re
import sys
import threading
import time
import types
import typing
import uuid
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.compiler import kinds
from minigrad.nn import functional as F

THIS: Any = sys.modules[__name__]
X = np.array([0.5, -1.5, 2.0])
K = 2.0
KEY = "k"


def compiled(f: Any) -> Any:
    return mg.compile(f)


def outcome(f: Any) -> Any:
    """What a call gives: values, or the type of its error."""
    try:
        return f(mg.tensor(X)).detach().numpy()
    except Exception as error:
        return type(error)


def agree(a: Any, b: Any) -> bool:
    return (
        a is b if isinstance(a, type) or isinstance(b, type) else a.dtype == b.dtype and np.array_equal(a, b)
    )


def refused(f: Any, words: str = "") -> None:
    """The first call and the second raise, and name a line of this file."""
    g = compiled(f)
    for _ in range(2):
        with pytest.raises((RuntimeError, TypeError), match=r"compile\(\)") as caught:
            g(mg.tensor(X))
        assert words in str(caught.value)
        assert "test_compile_world.py" in str(caught.value)


# ---------------------------------------------------------------- what no recording can guard, by name

# fmt: off
REFUSED: dict[str, Callable[[Any], Any]] = {
    "sys.argv": lambda x: x * len(sys.argv),
    "sys.path": lambda x: x * len(sys.path),
    "sys.flags": lambda x: x * sys.flags.debug,
    "sys.getrecursionlimit": lambda x: x * sys.getrecursionlimit(),
    "sys.getrefcount": lambda x: x * sys.getrefcount(x),
    "sys.getsizeof": lambda x: x * sys.getsizeof(KEPT),
    "sys.modules": lambda x: x * sys.modules[__name__].K,
    "sys._getframe": lambda x: x * sys._getframe().f_globals["K"],
    "inspect.currentframe": lambda x: x * inspect.currentframe().f_globals["K"],  # type: ignore[union-attr]
    "inspect.signature": lambda x: x * len(inspect.signature(compiled).parameters),
    "os.environ": lambda x: x * len(os.environ),
    "os.environ.get": lambda x: x * float(os.environ.get("K", 2)),
    "os.getenv": lambda x: x * float(os.getenv("K", 2)),
    "os.getcwd": lambda x: x * len(os.getcwd()),
    "os.listdir": lambda x: x * len(os.listdir(".")),
    "os.path.exists": lambda x: x * os.path.exists("K"),
    "os.getpid": lambda x: x * os.getpid(),
    "pathlib.Path.cwd": lambda x: x * len(str(pathlib.Path.cwd())),
    "time.time": lambda x: x * time.time(),
    "time.perf_counter": lambda x: x * time.perf_counter(),
    "datetime.now": lambda x: x * datetime.datetime.now().second,
    "random.random": lambda x: x * random.random(),
    "random.shuffle": lambda x: random.shuffle([1, 2]) or x,
    "np.random.rand": lambda x: x * np.random.rand(),
    "np.random.default_rng": lambda x: x * np.random.default_rng().random(),
    "np.load": lambda x: x * np.load("file.npy"),
    "np.fromfile": lambda x: x * np.fromfile("file.npy"),
    "np.loadtxt": lambda x: x * np.loadtxt("file.txt"),
    "np.geterr": lambda x: x * (np.geterr()["divide"] == "warn"),
    "uuid": lambda x: x * uuid.uuid4().int,
    "threading.get_ident": lambda x: x * threading.get_ident(),
    "threading.active_count": lambda x: x * threading.active_count(),
    "gc": lambda x: x * gc.isenabled(),
    "logging.getLogger": lambda x: x * logging.getLogger("k").level,
    "logging.info": lambda x: logging.info("x") or x,
    "logging.root": lambda x: x * logging.root.level,
    "warnings.warn": lambda x: warnings.warn("k", stacklevel=1) or x,
    "decimal.getcontext": lambda x: x * decimal.getcontext().prec,
    "decimal.Decimal": lambda x: x * float(decimal.Decimal("1") / 3),
    "fractions": lambda x: x * float(fractions.Fraction(1, 3)),
    "locale": lambda x: x * len(locale.localeconv()),
    "platform": lambda x: x * len(platform.node()),
    "json": lambda x: x * json.loads("2"),
    "pickle": lambda x: x * pickle.loads(b"I2\n."),
    "io.StringIO": lambda x: x * len(io.StringIO("ab").getvalue()),
    "weakref.ref": lambda x: x * (weakref.ref(compiled)() is None),
    "contextvars": lambda x: x * len(contextvars.copy_context()),
    "importlib": lambda x: x * importlib.import_module("math").pi,
    "re": lambda x: x * len(re.findall("a", "aa")),
    "eval": lambda x: eval("x * K"),
    "exec": lambda x: exec("K") or x,
    "compile of Python": lambda x: compile("K", "", "eval") and x,
    "__import__": lambda x: x * __import__("math").pi,
    "__builtins__": lambda x: x * eval("K"),
    "globals": lambda x: x * globals()["K"],
    "locals": lambda x: x * len(locals()),
    "open": lambda x: open("file") and x,
    "input": lambda x: input() and x,
    "print": lambda x: print("x") or x,
    "id": lambda x: x * (id(x) % 7),
    "hash": lambda x: x * hash("k"),
    "memoryview": lambda x: x * len(memoryview(b"ab")),
    "bytearray": lambda x: x * len(bytearray(2)),
    "__globals__": lambda x: x * compiled.__globals__["K"],
    "__closure__": lambda x: x * len(compiled.__closure__ or ()),
    "__subclasses__": lambda x: x * len(Base.__subclasses__()),
    "__dict__ of a module": lambda x: x * THIS.__dict__["K"],
    "vars of a module": lambda x: x * vars(THIS)["K"],
    "getattr of a module": lambda x: x * getattr(THIS, NAME),
    "getattr of a module in a loop": lambda x: x * sum(getattr(THIS, n) for n in [NAME]),
    "getattr of numpy": lambda x: x * float(getattr(np, "random").rand()),  # noqa: B009
    "getattr of np.random by a computed name": lambda x: x * float(getattr(np, "ran" + "dom").rand()),
    "getattr of a module in a helper": lambda x: x * picked(THIS, NAME),
    "dir of a module": lambda x: x * len(dir(THIS)),
    "attrgetter of a module": lambda x: x * operator.attrgetter("K")(THIS),
    "set of objects": lambda x: x * next(iter(OBJECTS)).k,
    "opaque default beside another value": lambda x: x * with_clock(x, abs),
    "cached function in a list": lambda x: x * CACHED[0](),
    "cached method": lambda x: x * Remembers().mask(3),
    "cached static method": lambda x: x * Remembers.scales(3),
    "list with an __iter__ of its own": lambda x: x * sum(ITERATES),
    "get_num_threads": lambda x: x * mg.get_num_threads(),
    "set_num_threads": lambda x: mg.set_num_threads(1) or x,
    "deterministic algorithms": lambda x: x * mg.are_deterministic_algorithms_enabled(),
    "precision of products": lambda x: x * len(mg.get_float32_matmul_precision()),
    "set_printoptions": lambda x: mg.set_printoptions(precision=2) or x,
    "initial_seed": lambda x: x * (mg.initial_seed() % 7),
    "seed of the default generator": lambda x: x * (mg.default_generator.initial_seed() % 7),
    "static method of a class": lambda x: x * float(Drawing.rand()),
    "partial of a class": lambda x: x * float(Drawing.partial()),
    "partial method": lambda x: x * Drawing().partial_method(),
    "method with an import": lambda x: x * Drawing().drawn(),
    "copy of a Module": lambda x: copy.deepcopy(NET)(x),
    "count of changes of a Tensor": lambda x: x * x._version,
    "base of a Tensor": lambda x: x * (x._base is None),
    "whether a Tensor is a view": lambda x: x * x._is_view(),
    "whether memory is shared": lambda x: x * x.is_shared(),
    "class of another's object": lambda x: x * float(len(fractions.Fraction(1).__class__.__name__)),
    "ufunc of a Python function": lambda x: x * float(UFUNC(2.0)),
}
# fmt: on


def with_clock(x: Any, clock: Any = time.time) -> Any:
    return clock(2.0)


class Base:
    k = 2.0


def picked(owner: Any, name: str) -> Any:
    return getattr(owner, name)


class Drawing:
    rand = staticmethod(np.random.rand)
    partial = staticmethod(functools.partial(np.random.rand))
    partial_method = functools.partialmethod(lambda self, high: float(np.random.rand()) * high, 2.0)
    # Python 3.13 warns where this is asked for, and later ones make a method of it: only the function may ask.
    unused = functools.partial(float)

    def drawn(self) -> float:
        from numpy import random as numbers

        return float(numbers.rand())


OBJECTS = {Base()}
NAME = "K"
UFUNC = np.frompyfunc(lambda v: v * K, 1, 1)


CACHED = [functools.lru_cache(lambda: K)]


class Remembers:
    @functools.lru_cache(maxsize=4)  # noqa: B019
    def mask(self, n: int) -> Any:
        return mg.ones(n)

    scales = staticmethod(functools.cache(lambda n: mg.ones(n)))


class Iterates(list[float]):
    def __iter__(self) -> Any:
        return iter([K])


ITERATES = Iterates([2.0])


@pytest.mark.parametrize("way", REFUSED)
def test_what_code_reaches_by_name_and_no_recording_guards_is_refused(way: str) -> None:
    refused(REFUSED[way])


def imports_the_clock(x: Any) -> Any:
    import time as clock

    return x * clock.time()


def imports_a_name(x: Any) -> Any:
    from os import getpid

    return x * getpid()


def imports_what_is_not_there_yet(x: Any) -> Any:
    import this as poem

    return x * len(poem.s)


def imports_from_numpy(x: Any) -> Any:
    from numpy.random import default_rng

    return x * default_rng().random()


@pytest.mark.parametrize(
    "f", [imports_the_clock, imports_a_name, imports_what_is_not_there_yet, imports_from_numpy]
)
def test_an_import_inside_of_what_no_recording_guards_is_refused(f: Any) -> None:
    refused(f)


# ---------------------------------------------------------------- objects that no recording can guard, by where they stand


def parser() -> Any:
    settings = configparser.ConfigParser()
    settings["a"] = {"k": "2"}
    return settings


class Local(threading.local):
    k = 2.0


# What is made outside, and how the function uses it.
KEPT: dict[str, tuple[Callable[[], Any], Callable[[Any, Any], Any]]] = {
    "zip": (lambda: zip([1.0, 2.0], strict=True), lambda x, v: x * next(v)[0]),
    "map": (lambda: map(float, [1, 2, 3]), lambda x, v: x * next(v)),
    "filter": (lambda: filter(None, [1.0, 2.0]), lambda x, v: x * next(v)),
    "enumerate": (lambda: enumerate([1.0, 2.0]), lambda x, v: x * next(v)[1]),
    "reversed": (lambda: reversed([1.0, 2.0]), lambda x, v: x * next(v)),
    "iterator of a list": (lambda: iter([1.0, 2.0, 3.0]), lambda x, v: x * next(v)),
    "iterator of a dict": (lambda: iter({1: 2}), lambda x, v: x * next(v)),
    "generator": (lambda: (k for k in [1.0, 2.0, 3.0]), lambda x, v: x * next(v)),
    "bound __next__": (lambda: iter([1.0, 2.0]).__next__, lambda x, v: x * v()),
    "finditer": (lambda: re.finditer("a", "aaa"), lambda x, v: x * next(v).end()),
    "count": (lambda: itertools.count(1), lambda x, v: x * next(v)),
    "cycle": (lambda: itertools.cycle([1.0, 2.0]), lambda x, v: x * next(v)),
    "chain": (lambda: itertools.chain([1.0], [2.0]), lambda x, v: x * next(v)),
    "file": (lambda: open(__file__), lambda x, v: x * len(next(v))),
    "view of values": (lambda: {1: 2.0}.values(), lambda x, v: x * sum(v)),
    "view of keys": (lambda: {1: 2.0}.keys(), lambda x, v: x * sum(v)),
    "view of items": (lambda: {1: 2.0}.items(), lambda x, v: x * len(v)),
    "mapping proxy": (lambda: types.MappingProxyType({"k": 2.0}), lambda x, v: x * v["k"]),
    "large array": (lambda: np.ones(1 << 20), lambda x, v: x * float(v[0])),
    "array of objects": (lambda: np.array([1, None]), lambda x, v: x * v[0]),
    "record array": (lambda: np.rec.array([(1.0, 2)], names="k,n"), lambda x, v: x * float(v.k[0])),
    "matrix of NumPy": (lambda: np.ma.array([1.0, 2.0]), lambda x, v: x * float(v[0])),
    "polynomial": (lambda: np.poly1d([1.0, 2.0]), lambda x, v: x * float(v(2.0))),
    "vectorize": (lambda: np.vectorize(lambda v: v * K), lambda x, v: x * float(v(2.0))),
    "np Generator": (np.random.default_rng, lambda x, v: x * v.random()),
    "RandomState": (lambda: np.random.RandomState(1), lambda x, v: x * v.rand()),
    "its bound method": (lambda: np.random.RandomState(1).rand, lambda x, v: x * v()),
    "Random": (lambda: random.Random(1), lambda x, v: x * v.random()),
    "memoryview": (lambda: memoryview(b"ab"), lambda x, v: x * v[0]),
    "bytearray": (lambda: bytearray(b"ab"), lambda x, v: x * v[0]),
    "array.array": (lambda: array.array("d", [2.0]), lambda x, v: x * v[0]),
    "ConfigParser": (parser, lambda x, v: x * v["a"].getfloat("k")),
    "section of a ConfigParser": (lambda: parser()["a"], lambda x, v: x * v.getfloat("k")),
    "logger": (lambda: logging.getLogger("k"), lambda x, v: x * v.level),
    "weak reference": (lambda: weakref.ref(Base), lambda x, v: x * v().k),
    "weak proxy": (lambda: weakref.proxy(Base), lambda x, v: x * v.k),
    "weak dict": (lambda: weakref.WeakValueDictionary({1: Base}), lambda x, v: x * v[1].k),
    "weak set": (lambda: weakref.WeakSet([Base]), lambda x, v: x * len(v)),
    "decimal context": (decimal.getcontext, lambda x, v: x * v.prec),
    "Decimal": (lambda: decimal.Decimal(2), lambda x, v: x * float(v)),
    "Event": (threading.Event, lambda x, v: x * v.is_set()),
    "Lock": (threading.Lock, lambda x, v: x * v.locked()),
    "thread's own": (Local, lambda x, v: x * v.k),
    "Queue": (queue.Queue, lambda x, v: x * v.qsize()),
    "StringIO": (lambda: io.StringIO("ab"), lambda x, v: x * len(v.getvalue())),
    "BytesIO": (lambda: io.BytesIO(b"ab"), lambda x, v: x * len(v.getvalue())),
    "context variable": (lambda: contextvars.ContextVar("k", default=2.0), lambda x, v: x * v.get()),
    "exception": (lambda: ValueError(2.0), lambda x, v: x * v.args[0]),
    "exception of the user": (lambda: type("E", (Exception,), {})(2.0), lambda x, v: x * v.args[0]),
    "C number": (lambda: ctypes.c_double(2.0), lambda x, v: x * v.value),
    "cell": (lambda: types.CellType(2.0), lambda x, v: x * v.cell_contents),
    "ChainMap": (lambda: collections.ChainMap({"k": 2.0}), lambda x, v: x * v["k"]),
    "pattern": (lambda: re.compile("a"), lambda x, v: x * len(v.findall("aa"))),
    "path": (lambda: pathlib.Path("."), lambda x, v: x * v.exists()),
    "attrgetter": (lambda: operator.attrgetter("k"), lambda x, v: x * v(Base)),
    "function of another module": (lambda: time.time, lambda x, v: x * v()),
    "module": (lambda: time, lambda x, v: x * v.time()),
    "class of another module": (lambda: fractions.Fraction, lambda x, v: x * float(v(1))),
}  # fmt: skip


# Where a value `v` stands: what comes before, how the function reads it there (or the whole function), how it is put.
HOLDERS_TEXT = """
closure: s = None | s | s = v
global: pass | HELD | space["HELD"] = v
module of Python: m = types.ModuleType("of_the_user") | m.a | m.a = v
class: class A: a = None | A.a | A.a = v
property: class A(Thing): half = property(lambda self: self.k) ;; s = A() | s.half | s.k = v
attribute: s = Thing() | s.k | s.k = v
attribute by text: s = simple() | getattr(s, "a") | s.a = v
attribute by key: s, key = simple(), "a" | getattr(s, key) | s.a = v
vars: s = simple() | vars(s)["a"] | s.a = v
slot: s = Slots() | s.k | s.k = v
private slot: s = Slots() | s.get() | s.set(v)
dataclass: s = Record() | s.k | s.k = v
argparse: s = argparse.Namespace() | s.a | s.a = v
list: s = [1, None] | s[1] | s[1] = v
dict: s = {} | s["a"] | s["a"] = v
defaultdict: s = collections.defaultdict(float) | s["a"] | s["a"] = v
UserDict: s = collections.UserDict() | s["a"] | s["a"] = v
deque: s = collections.deque([0, 1]) | s[1] | s[1] = v
tuple: s = (1, [None]) | s[1][0] | s[1][0] = v
depth: s = simple(a={"a": [(None, Record())]}) | s.a["a"][0][1].k | s.a["a"][0][1].k = v
default: def f(x, a=None): return use(x, a) | f | f.__defaults__ = (v,)
keyword default: def f(x, *, a=None): return use(x, a) | f | f.__kwdefaults__ = {"a": v}
keyword default of a helper: g = lambda x, *, a=None: use(x, a) ;; f = lambda x: g(x) | f | g.__kwdefaults__ = {"a": v}
attribute of a function: def f(x): return use(x, f.a) | f | f.a = v
list in a partial: s = [None] ;; f = functools.partial(lambda s, x: use(x, s[0]), s) | f | s[0] = v
partial: f = functools.partial(lambda x, a: use(x, a), a=None) | f | f.keywords["a"] = v
partial of a helper: p = functools.partial(lambda x, a: use(x, a), a=None) ;; f = lambda x: p(x) | f | p.keywords["a"] = v
method: class A(Thing): run = lambda self, x: use(x, self.k) ;; f = A().run | f | f.__self__.k = v
callable object: class A(Thing): __call__ = lambda self, x: use(x, self.k) ;; f = A() | f | f.k = v
Module: class A(nn.Module): forward = lambda self, x: use(x, self.a) ;; f = A() | f | f.__dict__["a"] = v
Module of the library: s = nn.Sequential(nn.Tanh()) ;; f = lambda x: use(s(x), s[0].a) | f | s[0].a = v
Parameter: s = nn.Parameter(mg.ones(3)) ;; f = lambda x: use(x * s, s.a).detach() | f | s.a = v
"""
HOLDERS = dict(row.split(": ", 1) for row in HOLDERS_TEXT.strip().split("\n"))


def held(holder: str, use: Any) -> tuple[Any, Any]:
    """A function that uses a value which stands there, and what puts another value there."""
    before, read, put = HOLDERS[holder].split(" | ")
    function = "" if read == "f" else f"f = lambda x: use(x, {read})"
    nonlocal_ = "nonlocal s; " if put.startswith("s = ") else ""
    lines = [*before.split(" ;; "), f"def put(v): {nonlocal_}{put}", function, "return f, put"]
    space: dict[str, Any] = {**globals(), "use": use, "HELD": None}
    space["space"] = space
    exec(compile("\n    ".join(["def make():", *filter(None, lines)]), __file__, "exec"), space)
    made: tuple[Any, Any] = space["make"]()
    return made


@pytest.mark.parametrize("kind", KEPT)
@pytest.mark.parametrize("holder", HOLDERS)
def test_objects_that_no_recording_guards_are_refused_wherever_they_stand(kind: str, holder: str) -> None:
    make, use = KEPT[kind]
    f, put = held(holder, use)
    put(value := make())
    refused(f)
    if isinstance(value, io.IOBase):
        value.close()


# What is read there, and one value after another; a function makes the next from the last, in place.
READ: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "float": (lambda x, v: x * v, (2.0, 3.0, 0.0, -0.0, float("nan"), float("inf"))),
    "kind of number": (lambda x, v: x - v if isinstance(v, int) else x + v / 2, (1, 1.0, np.float64(1.0), 0)),
    "flag or number": (lambda x, v: -x if v is True else x * v, (1, True, 1, False, 0)),
    "condition": (lambda x, v: x if v else -x, (True, False, None, 1)),
    "string": (lambda x, v: {"a": x, "b": -x}[v], ("a", "b")),
    "Tensor": (lambda x, v: x + v, (mg.arange(3), mg.ones(3), mg.ones(3).float(), mg.ones(1), lambda v: v.mul_(2))),
    "list": (lambda x, v: sum((x * k for k in v), x), ([1.0, 2.0], lambda v: v.append(3.0), lambda v: v.reverse(), [])),
    "list, with identities": (
        lambda x, v: sum((x * k for k in v if k is not x), x),
        ([1.0, 2.0], lambda v: v.append(3.0), lambda v: v.reverse(), []),
    ),
    "list of Tensors": (lambda x, v: sum(v, x), ([mg.ones(3)], lambda v: v.append(mg.arange(3)), lambda v: v.pop(0))),
    "order of a dict": (
        lambda x, v: functools.reduce(lambda s, k: s * 2.0 + k, v.values(), x),
        ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}, lambda v: v.update(b=v.pop("b"))),
    ),
    "function": (lambda x, v: v(x), (mg.sin, mg.cos, lambda x: x * 2.0, lambda x: x * 3.0)),
    "set": (lambda x, v: x * float(len(v)), ({1}, {1, 2}, lambda v: v.clear())),
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("holder", HOLDERS)
def test_what_the_function_reads_elsewhere_is_never_stale(holder: str, kind: str) -> None:
    use, values = READ[kind]
    f, put = held(holder, use)
    g = compiled(f)
    now: Any = None
    for i, v in enumerate(values):
        if kind != "function" and isinstance(v, types.FunctionType):
            v(now)
        else:
            put(now := copy.deepcopy(v))
        for k in range(3):
            x = mg.arange(3) * 0.5 - k
            assert g(x).numpy().tobytes() == f(x).numpy().tobytes(), f"value {i}, call {k}"
    assert len(g.recordings) <= len(values) + 1


# ---------------------------------------------------------------- functions and classes that are replaced


@dataclasses.dataclass
class Record:
    k: Any = 2.0
    other: Any = 1.0


NET = nn.Sequential(nn.Linear(3, 3), nn.Tanh()).double()


def stepped(x: Any) -> Any:
    w = nn.Parameter(mg.ones(3, dtype=mg.float64))
    opt = mg.optim.SGD([w], lr=0.1)
    (w * x).sum().backward()
    opt.step()
    return w.detach()


def loops(x: Any) -> Any:
    for i, k in enumerate(range(3)):
        x = x * (i + k + 1.0)
    return x


def steps_nothing(self: Any, closure: Any = None) -> None:
    return None


class Count(int):
    pass


# The function, the owner of a name, the name, what replaces it there.
PATCHED: dict[str, tuple[Any, Any, str, Any]] = {
    "math.exp": (lambda x: x * math.exp(1.0), math, "exp", math.cos),
    "math.pi": (lambda x: x * math.pi, math, "pi", 3.0),
    "np.exp": (lambda x: x * float(np.exp(1.0)), np, "exp", np.cos),
    "np.pi": (lambda x: x * np.pi, np, "pi", 3.0),
    "np.linalg.norm": (lambda x: x * float(np.linalg.norm([3.0, 4.0])), np.linalg, "norm", sum),
    "mg.exp": (lambda x: mg.exp(x), mg, "exp", mg.sin),
    "F.relu": (lambda x: F.relu(x), F, "relu", mg.sin),
    "nn.functional.relu": (lambda x: nn.functional.relu(x), F, "relu", mg.sin),
    "nn.functional": (lambda x: nn.functional.relu(x), nn, "functional", types.SimpleNamespace(relu=mg.sin)),
    "operator.mul": (lambda x: operator.mul(x, 2.0), operator, "mul", operator.add),
    "functools.reduce": (
        lambda x: functools.reduce(operator.mul, [x, x]), functools, "reduce", lambda f, v: f(v[0], 1.0)
    ),
    "itertools.chain": (lambda x: sum(itertools.chain([x], [x])), itertools, "chain", lambda *a: a[0]),
    "copy.deepcopy": (lambda x: x * copy.deepcopy([2.0])[0], copy, "deepcopy", lambda v: [3.0]),
    "Tensor.sum": (lambda x: x.sum(), mg.Tensor, "sum", mg.Tensor.mean),
    "Tensor.relu of a list": (lambda x: [t.relu() for t in [x]][0], mg.Tensor, "relu", mg.Tensor.sin),
    "Tensor.T": (lambda x: x.shape[0] * x, mg.Tensor, "shape", (7,)),
    "Linear.forward": (NET, nn.Linear, "forward", lambda self, x: x),
    "Linear.forward of an item": (lambda x: NET[0](x), nn.Linear, "forward", lambda self, x: x),
    "Tanh.forward": (lambda x: NET[1](-x), nn.Tanh, "forward", lambda self, x: x),
    "Sequential.forward": (NET, nn.Sequential, "forward", lambda self, x: x),
    "Module.__call__": (lambda x: NET(x), nn.Module, "__call__", lambda self, x: x),
    "SGD.step": (stepped, mg.optim.SGD, "step", steps_nothing),
    "builtins.round": (lambda x: x * round(2.6), builtins, "round", lambda v: 7.0),
    "builtins.divmod": (lambda x: x * divmod(7, 2)[0], builtins, "divmod", lambda a, b: (9.0, 1)),
    "a global range in a loop": (loops, THIS, "range", lambda n: [1] * n),
    "a builtin that appears as a global": (lambda x: x * max(2.0, 3.0), THIS, "max", min),
    "a builtin in a comprehension": (lambda x: x * sum([abs(k) for k in [-2.0]]), THIS, "abs", float),
    "global": (lambda x: x * K, THIS, "K", 3.0),
    "global of the same value and other kind": (lambda x: x * (2.0 if type(K) is float else 3.0), THIS, "K", 2),
    "global through the module": (lambda x: x * THIS.K, THIS, "K", 3.0),
    "helper": (lambda x: helper(x), THIS, "helper", lambda x: x + 1.0),
    "global of a helper of a helper": (lambda x: helper(x), THIS, "K", 3.0),
    "class": (lambda x: x * Base.k, THIS, "Base", types.SimpleNamespace(k=3.0)),
    "attribute of a class": (lambda x: x * Base.k, Base, "k", 3.0),
    "attribute of a class through an object": (lambda x: x * Base().k, Base, "k", 3.0),
    "__name__ of a module": (lambda x: x * len(__name__), THIS, "__name__", "k"),
    "__file__ of a module": (lambda x: x * len(__file__), THIS, "__file__", "k"),
    "annotations of typing": (lambda x: typing.cast(Any, x), typing, "cast", lambda a, b: b * 2.0),
    "dataclasses.replace": (
        lambda x: x * dataclasses.replace(Record(1.0), k=2.0).k, dataclasses, "replace", lambda r, k: Record(3.0)
    ),
    "default of a dataclass": (lambda x: x * Record().k, Record, "__init__", lambda self: setattr(self, "k", 5.0)),
}  # fmt: skip


def helper(x: Any) -> Any:
    return deeper(x)


def deeper(x: Any) -> Any:
    return x * K


@pytest.mark.parametrize("way", PATCHED)
def test_what_is_replaced_is_seen(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    f, owner, name, new = PATCHED[way]
    g = compiled(f)
    before = outcome(f)
    assert agree(outcome(g), before)
    assert agree(outcome(g), before)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, new, raising=False)
        after, seen = outcome(f), outcome(g)
    assert not agree(before, after)
    assert agree(seen, after)
    assert agree(outcome(g), before)


# ---------------------------------------------------------------- objects that change


def reads(value: Any, use: Any, change: Any) -> Callable[[], Iterator[Any]]:
    def make() -> Iterator[Any]:
        v = value()
        yield lambda x: use(x, v)
        change(v)
        yield

    return make


class Thing:
    k: Any = 1.0

    def __init__(self, k: Any = 2.0) -> None:
        self.k = k

    def times(self, x: Any) -> Any:
        return x * self.k

    @property
    def half(self) -> Any:
        return self.k / 2

    @classmethod
    def of_class(cls) -> Any:
        return cls.k

    @staticmethod
    def fixed() -> Any:
        return 2.0


class Sub(Thing):
    pass


@dataclasses.dataclass
class Rows:
    rows: list[str] = dataclasses.field(default_factory=list)


class Vector:
    """Its content is reached by methods whose names no code mentions."""

    def __init__(self) -> None:
        self.items: Any = [2.0, 3.0]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, i: int) -> Any:
        return self.items[i]

    def __iter__(self) -> Any:
        return iter(self.items)

    def __contains__(self, v: Any) -> bool:
        return v in self.items

    def __bool__(self) -> bool:
        return len(self.items) > 2

    def __call__(self) -> Any:
        return self.items[0]

    def __float__(self) -> float:
        return float(self.items[0])

    def __index__(self) -> int:
        return len(self.items)

    def __eq__(self, other: object) -> bool:
        return len(self.items) == other

    def __enter__(self) -> Any:
        return self.items[0]

    def __exit__(self, *_: Any) -> None:
        return None

    def __rmul__(self, x: Any) -> Any:
        return x * self.items[0]

    def __getattr__(self, name: str) -> Any:
        if name != "first":
            raise AttributeError(name)
        return self.items[0]


def appended(v: Any) -> None:
    v.items.insert(0, 5.0)


def put(name: str, value: Any) -> Any:
    return lambda v: setattr(v, name, value)


def put_item(key: Any, value: Any) -> Any:
    return lambda v: operator.setitem(v, key, value)


class AttrDict(dict):  # type: ignore[type-arg]
    __getattr__ = dict.__getitem__


class Named(typing.NamedTuple):
    k: Any
    rest: Any


class Slots:
    __slots__ = ("__private", "k")

    def __init__(self) -> None:
        self.__private = 2.0

    def set(self, v: Any) -> None:
        self.__private = v

    def get(self) -> Any:
        return self.__private


class Mode(enum.Enum):
    A = 1.0
    B = 2.0
    LIST = [1.0]


class Descriptor:
    def __init__(self) -> None:
        self.v = 2.0

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        return self.v


class Described:
    d = Descriptor()


class Listed(list):  # type: ignore[type-arg]
    k: Any = 1.0


class Text(str):
    k: Any


def tensor(*shape: int) -> Any:
    return mg.tensor(np.arange(1.0, 1.0 + math.prod(shape)).reshape(shape))


HIDDEN = [2.0]


def entered(x: Any, v: Any) -> Any:
    with v as k:
        return x * k


def make_function(k: Any) -> Any:
    return lambda: 2.0


def make_default(k: Any = 2.0) -> Any:
    def f(k: Any = k) -> Any:
        return k

    return f


def make_keyword() -> Any:
    def f(*, k: Any = 2.0) -> Any:
        return k

    return f


def make_cell(k: Any) -> Any:
    return lambda: k


class Scales(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.k = 0.5

    def forward(self, x: Any) -> Any:
        return x * self.k


def back(x: Any, v: Any) -> Any:
    y = x.detach().requires_grad_()
    (g,) = mg.autograd.grad(v(y).sum(), y)
    return g


class Meta(type):
    @property
    def k(cls) -> Any:
        return 2.0


class Abstract(abc.ABC):  # noqa: B024
    pass


def module(**names: Any) -> Any:
    m = types.ModuleType("of_the_user")
    vars(m).update(names)
    return m


def with_attribute(k: Any = 2.0) -> Any:
    w: Any = nn.Parameter(mg.tensor(np.ones(3)))
    w.k = k
    return w


class Special(mg.Tensor):
    __torch_function__ = mg.overrides._disabled_torch_function_impl

    def scaled(self) -> Any:
        return self * HIDDEN[0]


def with_buffer() -> Any:
    m = nn.Module()
    m.register_buffer("k", tensor(3))
    return m


def sgd(**options: Any) -> Any:
    return mg.optim.SGD([nn.Parameter(mg.tensor(np.ones(3)))], lr=2.0, **options)


def decorated() -> Any:
    def decorator(f: Any) -> Any:
        @functools.wraps(f)
        def wrapper(x: Any) -> Any:
            return f(x)

        return wrapper

    return decorator(lambda x: x * HIDDEN[0])


@contextlib.contextmanager
def manager() -> Iterator[Any]:
    yield HIDDEN[0]


def several() -> Iterator[Any]:
    yield from HIDDEN


class Doubled(mg.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * HIDDEN[0]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * HIDDEN[0]


def matched(x: Any, v: Any) -> Any:
    match v:
        case Record(_, other):
            return x * other


class WithPartial:
    def scale(self, x: Any, k: Any) -> Any:
        return x * k[0]

    scaled = functools.partialmethod(scale, k=HIDDEN)


class Cached:
    @functools.cached_property
    def k(self) -> Any:
        return 2.0


def asked(v: Any) -> Any:
    assert v.k
    return v


@dataclasses.dataclass(frozen=True)
class Frozen:
    k: float


class Decorates(contextlib.ContextDecorator):
    k = 2.0

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        return None


class ByClass:
    k = 2.0

    @functools.singledispatchmethod
    def scale(self, x: Any) -> Any:
        return x * self.k


simple = types.SimpleNamespace
SIMPLE, SPACE, NAMES = simple(q=1.0), argparse.Namespace(q=1.0), {"z": "q"}
# fmt: off
ROWS: dict[str, tuple[Any, Any, Any]] = {
    "vars": (lambda: simple(k=2.0), lambda x, v: x * vars(v)["k"], put("k", 3.0)),
    "vars of an object": (Thing, lambda x, v: x * vars(v)[KEY], put("k", 3.0)),
    "__dict__": (Thing, lambda x, v: x * v.__dict__["k"], put("k", 3.0)),
    "sum of vars": (lambda: simple(a=2.0), lambda x, v: x * sum(vars(v).values()), put("b", 3.0)),
    "getattr by key": (lambda: simple(k=2.0), lambda x, v: x * getattr(v, KEY), put("k", 3.0)),
    "getattr by a made key": (lambda: simple(a1=2.0), lambda x, v: x * getattr(v, f"a{len(KEY)}"), put("a1", 3.0)),
    "getattr with a default": (simple, lambda x, v: x * getattr(v, "k", 2.0), put("k", 3.0)),
    "getattr passed on": (lambda: simple(a=simple(b=2.0)), lambda x, v: x * functools.reduce(getattr, ["a", "b"], v), lambda v: setattr(v.a, "b", 3.0)),
    "getattr under another name": (lambda: simple(q=2.0), lambda x, v: (lambda g: x * g(v, "".join(["q"])))(getattr), put("q", 3.0)),
    "getattr unpacked": (lambda: (simple(q=2.0), "q"), lambda x, v: x * getattr(*v), lambda v: setattr(v[0], "q", 3.0)),
    "getattr by a sum": (lambda: simple(k_q=2.0), lambda x, v: x * getattr(v, KEY + "_q"), put("k_q", 3.0)),
    "getattr by an entry": (lambda: simple(q=2.0), lambda x, v: x * getattr(v, NAMES["z"]), put("q", 3.0)),
    "getattr by a key, with a text": (lambda: simple(k="sin"), lambda x, v: getattr(x, getattr(v, KEY, "cos"))(), put("k", "tan")),
    "getattr by a text in lower case": (lambda: simple(q=2.0), lambda x, v: x * getattr(v, "Q".lower()), put("q", 3.0)),
    "getattr of a module of builtins": (lambda: simple(k_q=2.0), lambda x, v: x * builtins.getattr(v, KEY + "_q"), put("k_q", 3.0)),
    "hasattr": (simple, lambda x, v: x * 3.0 if hasattr(v, "k") else x, put("k", 3.0)),
    "attrgetter inside": (lambda: simple(k=2.0), lambda x, v: x * operator.attrgetter(KEY)(v), put("k", 3.0)),
    "methodcaller inside": (Thing, lambda x, v: operator.methodcaller("times", x)(v), put("k", 3.0)),
    "itemgetter inside": (lambda: {"k": 2.0}, lambda x, v: x * operator.itemgetter(KEY)(v), put_item("k", 3.0)),
    "dir": (simple, lambda x, v: x * len(dir(v)), put("q", 3.0)),
    "in vars": (simple, lambda x, v: x * ("q" in vars(v)), put("q", 3.0)),
    "in argparse": (argparse.Namespace, lambda x, v: x * ("".join(["q"]) in v), put("q", 3.0)),
    "argparse": (lambda: argparse.Namespace(lr=2.0), lambda x, v: x * v.lr, put("lr", 3.0)),
    "argparse unpacked": (lambda: argparse.Namespace(lr=2.0), lambda x, v: x * dict(**vars(v))["lr"], put("lr", 3.0)),
    "repr of a namespace": (lambda: simple(q=2.0), lambda x, v: x * len(repr(v)), put("q", 30.0)),
    "text of a namespace": (lambda: simple(q=2.0), lambda x, v: x * len(f"{v}"), put("q", 30.0)),
    "text of a namespace by %": (lambda: simple(q=2.0), lambda x, v: x * len("%s" % v), put("q", 30.0)),
    "text of a namespace by operator": (lambda: simple(q=2.0), lambda x, v: x * len(operator.mod("%s", v)), put("q", 30.0)),
    "text of a namespace by its method": (lambda: argparse.Namespace(q=2.0), lambda x, v: x * len(v.__repr__()), put("q", 30.0)),
    "text of a namespace by str in a list": (lambda: [str, simple(q=2.0)], lambda x, v: x * len(v[0](v[1])), lambda v: put("q", 30.0)(v[1])),
    "equal namespaces": (lambda: simple(q=2.0), lambda x, v: x if v == SIMPLE else -x, put("q", 1.0)),
    "unequal namespaces in lists": (lambda: [simple(q=2.0)], lambda x, v: x if v != [SIMPLE] else -x, lambda v: put("q", 1.0)(v[0])),
    "equal by operator": (lambda: argparse.Namespace(q=2.0), lambda x, v: x if operator.eq(v, SPACE) else -x, put("q", 1.0)),
    "place of a namespace": (lambda: [simple(q=2.0), simple(q=1.0)], lambda x, v: x * v.index(SIMPLE), lambda v: put("q", 1.0)(v[0])),
    "count of a namespace": (lambda: [simple(q=2.0)], lambda x, v: x * v.count(SIMPLE), lambda v: put("q", 1.0)(v[0])),
    "key with a hash of its own": (lambda: {Frozen(1.0): 2.0}, lambda x, v: x * v[Frozen(1.0)], put_item(Frozen(1.0), 3.0)),
    "context that decorates": (Decorates, lambda x, v: v(lambda: x * v.k)(), put("k", 3.0)),
    "method by the class of its argument": (lambda: ByClass(), lambda x, v: v.scale(x), put("k", 3.0)),
    "astuple": (Record, lambda x, v: x * sum(dataclasses.astuple(v)), put("other", 3.0)),
    "asdict": (Record, lambda x, v: x * sum(dataclasses.asdict(v).values()), put("other", 3.0)),
    "fields": (Record, lambda x, v: x * sum(getattr(v, f.name) for f in dataclasses.fields(v)), put("other", 3.0)),
    "equal dataclasses": (Record, lambda x, v: x * 2.0 if v == Record(2.0, 3.0) else x, put("other", 3.0)),
    "repr of a dataclass": (Record, lambda x, v: x * len(repr(v)), put("other", 30.0)),
    "copy": (lambda: simple(q=2.0), lambda x, v: x * copy.copy(v).q, put("q", 3.0)),
    "deepcopy": (lambda: simple(q=[2.0]), lambda x, v: x * sum(vars(copy.deepcopy(v))["q"]), lambda v: v.q.append(1.0)),
    "replaced __dict__": (Thing, lambda x, v: x * v.k, put("__dict__", {"k": 3.0})),
    "replaced __class__": (Thing, lambda x, v: x * v.q() if hasattr(v, "q") else x, put("__class__", type("Other", (Thing,), {"q": lambda self: 5.0}))),
    "name of its class": (Thing, lambda x, v: x * len(type(v).__name__), put("__class__", Sub)),
    "object's attribute over its class's": (Slots, lambda x, v: x * 3.0 if hasattr(v, "k") else x, put("k", 3.0)),
    "private slot": (Slots, lambda x, v: x * v.get(), lambda v: v.set(3.0)),
    "deleted attribute": (Thing, lambda x, v: x * v.k, lambda v: delattr(v, "k")),
    "deleted attribute, then an error": (lambda: simple(k=2.0), lambda x, v: x * v.k, lambda v: delattr(v, "k")),
    "method on the object": (Thing, lambda x, v: v.times(x), put("times", lambda x: x * 5.0)),
    "property": (Thing, lambda x, v: x * v.half, put("k", 3.0)),
    "descriptor": (lambda: Described.__dict__["d"], lambda x, v: x * Described().d, put("v", 3.0)),
    "len": (Vector, lambda x, v: x * len(v), appended),
    "getitem": (Vector, lambda x, v: x * v[0], appended),
    "iter": (Vector, lambda x, v: x * sum(k for k in v), appended),
    "contains": (Vector, lambda x, v: x * (5.0 in v), appended),
    "bool": (Vector, lambda x, v: x if v else -x, appended),
    "call": (Vector, lambda x, v: x * v(), appended),
    "float": (Vector, lambda x, v: x * float(v), appended),
    "index": (Vector, lambda x, v: x * [0, 1, 2, 3][v], appended),
    "eq": (Vector, lambda x, v: x * 2.0 if v == 3 else x, appended),
    "with": (Vector, lambda x, v: entered(x, v), appended),
    "operator": (Vector, lambda x, v: 1.0 * x * float(2.0 * v), appended),
    "__getattr__": (Vector, lambda x, v: x * v.first, appended),
    "unpacking": (Vector, lambda x, v: x * (lambda a, *b: a)(*v), appended),
    "AttrDict": (lambda: AttrDict(lr=2.0), lambda x, v: x * v.lr, put_item("lr", 3.0)),
    "move_to_end": (lambda: collections.OrderedDict(a=1.0, b=2.0), lambda x, v: x * [*v.values()][0], lambda v: v.move_to_end("a")),
    "order of OrderedDict's keys": (lambda: collections.OrderedDict(a=1, b=1), lambda x, v: x if [*v][0] == "a" else -x, lambda v: v.move_to_end("a")),
    "Counter": (collections.Counter, lambda x, v: x * v["k"], lambda v: v.update(["k"])),
    "deque": (lambda: collections.deque([1.0, 2.0]), lambda x, v: x * v[0], lambda v: v.rotate(1)),
    "get of a defaultdict": (lambda: collections.defaultdict(float), lambda x, v: x * v.get("k", 2.0), lambda v: v["k"]),
    "default_factory": (lambda: collections.defaultdict(float), lambda x, v: x * v.default_factory(), put("default_factory", lambda: 3.0)),
    "UserDict": (lambda: collections.UserDict(k=2.0), lambda x, v: x * v["k"], put_item("k", 3.0)),
    "UserDict's data": (lambda: collections.UserDict(k=2.0), lambda x, v: x * v["k"], put("data", {"k": 3.0})),
    "UserList": (lambda: collections.UserList([2.0]), lambda x, v: x * v[0], put_item(0, 3.0)),
    "set": (lambda: {1}, lambda x, v: x * len(v), lambda v: v.add(2)),
    "kind of a set's number": (lambda: {1}, lambda x, v: x * 2 if type([*v][0]) is int else x, lambda v: (v.clear(), v.add(1.0))),
    "set in a list": (lambda: [{1}], lambda x, v: x * len(v[0]), lambda v: v[0].add(2)),
    "tuple of lists": (lambda: (1, [2.0]), lambda x, v: x * v[1][0], lambda v: put_item(0, 3.0)(v[1])),
    "named tuple": (lambda: Named(2.0, [1.0]), lambda x, v: x * sum(v.rest), lambda v: v.rest.append(2.0)),
    "slice of a list": (lambda: [1.0, 2.0], lambda x, v: x * sum(v[:2]), put_item(0, 4.0)),
    "key of a dict": (lambda: {Thing(): 1.0}, lambda x, v: x * [*v][0].k, lambda v: setattr([*v][0], "k", 3.0)),
    "order of keys": (lambda: {"a": 1, "b": 1}, lambda x, v: x if [*v][0] == "a" else -x, lambda v: v.update(a=v.pop("a"))),
    "renamed key": (lambda: {"a": 1}, lambda x, v: x if "a" in v else -x, lambda v: v.update(b=v.pop("a"))),
    "kind of a key": (lambda: {1: 1}, lambda x, v: x if type([*v][0]) is int else -x, lambda v: v.update({1.0: v.pop(1)})),
    "list subclass": (lambda: Listed([2.0]), lambda x, v: x * v[0], put_item(0, 3.0)),
    "attribute of a list subclass": (lambda: Listed([2.0]), lambda x, v: x * v.k, put("k", 3.0)),
    "attribute of a str subclass": (lambda: Text("a"), lambda x, v: x * getattr(v, "k", 2.0), put("k", 3.0)),
    "attribute of an int subclass": (lambda: Count(2), lambda x, v: x * getattr(v, "k", 2.0) * int(v), put("k", 3.0)),
    "list that is a member": (lambda: Mode.LIST.value, lambda x, v: x * sum(Mode.LIST.value), lambda v: v.append(1.0)),
    "bound get": (lambda: {"k": 2.0}, lambda x, v: (lambda get: x * get("k"))(v.get), put_item("k", 3.0)),
    "bound __getitem__": (lambda: {"k": 2.0}.__getitem__, lambda x, v: x * v("k"), lambda v: put_item("k", 3.0)(v.__self__)),
    "bound get outside": (lambda: {"k": 2.0}.get, lambda x, v: x * v("k"), lambda v: put_item("k", 3.0)(v.__self__)),
    "bound count": (lambda: [1, 2].count, lambda x, v: x * v(1), lambda v: v.__self__.append(1)),
    "keywords of a partial": (lambda: functools.partial(lambda k: k, k=2.0), lambda x, v: x * v(), lambda v: v.keywords.update(k=3.0)),
    "list in a partial": (lambda: functools.partial(sum, [2.0]), lambda x, v: x * v(), lambda v: v.args[0].append(3.0)),
    "bound method": (lambda: Thing().times, lambda x, v: v(x), lambda v: setattr(v.__self__, "k", 3.0)),
    "code": (lambda: make_function(2.0), lambda x, v: x * v(), lambda v: setattr(v, "__code__", (lambda: 5.0).__code__)),
    "default": (lambda: make_default(), lambda x, v: x * v(), lambda v: setattr(v, "__defaults__", (3.0,))),
    "keyword default": (lambda: make_keyword(), lambda x, v: x * v(), lambda v: v.__kwdefaults__.update(k=3.0)),
    "keyword defaults": (lambda: make_keyword(), lambda x, v: x * v(), lambda v: setattr(v, "__kwdefaults__", {"k": 3.0})),
    "list in a default": (lambda: make_default([2.0]), lambda x, v: x * sum(v()), lambda v: v.__defaults__[0].append(3.0)),
    "cell": (lambda: make_cell(2.0), lambda x, v: x * v(), lambda v: setattr(v.__closure__[0], "cell_contents", 3.0)),
    "emptied cell": (lambda: make_cell(2.0), lambda x, v: x * v(), lambda v: delattr(v.__closure__[0], "cell_contents")),
    "attribute of a function": (lambda: make_default(), lambda x, v: x * getattr(v, "k", 2.0), put("k", 3.0)),
    "name of a function": (lambda: make_default(), lambda x, v: x * len(v.__name__), put("__name__", "k" * 40)),
    "doc of a function": (lambda: make_default(), lambda x, v: x * len(v.__doc__ or ""), put("__doc__", "k" * 40)),
    "annotations": (lambda: make_default(), lambda x, v: x * len(v.__annotations__), lambda v: v.__annotations__.update(z=1)),
    "name of a class": (lambda: type("C", (), {}), lambda x, v: x * len(v.__name__), put("__name__", "k" * 40)),
    "class's attribute": (lambda: type("C", (), {"k": 2.0}), lambda x, v: x * v.k, put("k", 3.0)),
    "class's attribute on the subclass": (lambda: type("C", (Base,), {}), lambda x, v: x * v.k, put("k", 3.0)),
    "class's attribute on the object's class": (lambda: type("C", (Base,), {})(), lambda x, v: x * v.k, lambda v: setattr(type(v), "k", 3.0)),
    "object's attribute": (lambda: type("C", (Base,), {})(), lambda x, v: x * v.k, put("k", 3.0)),
    "bases": (lambda: type("C", (Thing,), {}), lambda x, v: x * v.fixed(), put("__bases__", (type("D", (Thing,), {"fixed": staticmethod(lambda: 7.0)}),))),
    "staticmethod": (lambda: type("C", (Thing,), {}), lambda x, v: x * v.fixed(), put("fixed", staticmethod(lambda: 7.0))),
    "classmethod": (lambda: type("C", (Thing,), {}), lambda x, v: x * v.of_class(), put("k", 7.0)),
    "init": (lambda: type("C", (Thing,), {}), lambda x, v: x * v().k, put("__init__", lambda self: setattr(self, "k", 7.0))),
    "special method that appears": (lambda: type("C", (Thing,), {})(), lambda x, v: x if v else -x, lambda v: setattr(type(v), "__bool__", lambda self: False)),
    "property on the class": (lambda: type("C", (Thing,), {})(), lambda x, v: x * v.half, lambda v: setattr(type(v), "half", property(lambda self: 7.0))),
    "metaclass": (lambda: Meta("C", (), {}), lambda x, v: x * v.k, lambda v: setattr(type(v), "k", property(lambda cls: 7.0))),
    "ABC": (Thing, lambda x, v: x if isinstance(v, Abstract) else -x, lambda v: Abstract.register(type("Q", (), {})) and Abstract.register(Thing)),
    "module": (lambda: module(k=2.0), lambda x, v: x * v.k, put("k", 3.0)),
    "function of a module": (lambda: module(f=lambda: 2.0), lambda x, v: x * v.f(), put("f", lambda: 3.0)),
    "module in a dict": (lambda: {"m": module(k=2.0)}, lambda x, v: x * v["m"].k, lambda v: setattr(v["m"], "k", 3.0)),
    "getattr of a module's constant": (lambda: module(k=2.0), lambda x, v: x * getattr(v, "k"), put("k", 3.0)),  # noqa: B009
    "name that appears in a module": (module, lambda x, v: x * getattr(v, "k", 2.0), put("k", 3.0)),
    "__getattr__ of a module": (lambda: module(q=[2.0], __getattr__=lambda n: HIDDEN[0]), lambda x, v: x * v.k, lambda v: HIDDEN.__setitem__(0, 3.0)),
    "Tensor": (lambda: [tensor(3)], lambda x, v: x * v[0], lambda v: put_item(0, tensor(1))(v)),
    "shape of a Tensor": (lambda: tensor(3), lambda x, v: x * v.shape[0], put("data", tensor(5))),
    "length of a Tensor": (lambda: tensor(3), lambda x, v: x * len(v), put("data", tensor(5))),
    "dtype of a Tensor": (lambda: tensor(3), lambda x, v: x.to(v.dtype), put("data", tensor(3).to(mg.float32))),
    "strides of a Tensor": (lambda: tensor(3, 3), lambda x, v: x * v.stride(0), put("data", tensor(3, 3).T)),
    "requires_grad": (lambda: tensor(3), lambda x, v: x if v.requires_grad else -x, lambda v: v.requires_grad_()),
    "attribute of a Tensor": (lambda: tensor(3), lambda x, v: x * getattr(v, "k", 2.0), put("k", 3.0)),
    "attribute of a Parameter": (lambda: with_attribute(), lambda x, v: (x * v * v.k).detach(), put("k", 3.0)),
    "list that is a Parameter's attribute": (lambda: with_attribute([2.0]), lambda x, v: (x * sum(v.k)).detach(), lambda v: v.k.append(3.0)),
    "method of a Tensor's class": (lambda: Special(tensor(3)), lambda x, v: x * v.scaled(), lambda v: HIDDEN.__setitem__(0, 3.0)),
    "training": (Scales, lambda x, v: v(x) if v.training else -x, lambda v: v.eval()),
    "number of a Module": (lambda: Scales(), lambda x, v: v(x), put("k", 0.25)),
    "parameter": (lambda: nn.Linear(3, 3).double(), lambda x, v: v(x), put("weight", nn.Parameter(mg.tensor(np.ones((3, 3)))))),
    "parameter that goes": (lambda: nn.Linear(3, 3).double(), lambda x, v: v(x), put("bias", None)),
    "buffer": (lambda: with_buffer(), lambda x, v: x * v.k, put("k", tensor(1) * 7.0)),
    "submodule": (lambda: nn.Sequential(nn.Tanh()), lambda x, v: v(x), put_item(0, nn.ReLU())),
    "submodule appended": (lambda: nn.Sequential(nn.Tanh()), lambda x, v: v(x), lambda v: v.append(nn.ReLU())),
    "ModuleList": (lambda: nn.ModuleList([nn.Tanh()]), lambda x, v: functools.reduce(lambda y, m: m(y), v, x), lambda v: v.append(nn.Tanh())),
    "ModuleDict by key": (lambda: nn.ModuleDict({"k": nn.Tanh()}), lambda x, v: v[KEY](x), put_item("k", nn.ReLU())),
    "Module by a made name": (lambda: nn.Sequential(nn.Tanh()), lambda x, v: getattr(v, str(0))(x), put_item(0, nn.ReLU())),
    "forward on the object": (nn.Tanh, lambda x, v: v(x), put("forward", lambda x: x * 5.0)),
    "forward hook": (nn.Tanh, lambda x, v: v(x), lambda v: v.register_forward_hook(lambda m, a, y: y * 5.0)),
    "forward pre-hook": (nn.Tanh, lambda x, v: v(x), lambda v: v.register_forward_pre_hook(lambda m, a: (a[0] * 5.0,))),
    "hook of the user's Module": (Scales, lambda x, v: v(x), lambda v: v.register_forward_hook(lambda m, a, y: y * 5.0)),
    "backward hook of the user's Module": (Scales, lambda x, v: back(x, v), lambda v: v.register_full_backward_hook(lambda m, a, b: (b[0] * 5.0,))),
    "Module in a plain list": (lambda: [Scales()], lambda x, v: v[0](x), lambda v: setattr(v[0], "k", 0.25)),
    "number of parameters": (lambda: nn.Sequential(nn.Tanh()), lambda x, v: x * len([*v.parameters()]), lambda v: v.append(nn.Linear(3, 3))),
    "names of modules": (lambda: nn.Sequential(nn.Tanh()), lambda x, v: x * len([*v.named_modules()]), lambda v: v.append(nn.Tanh())),
    "parameter of a distribution": (lambda: mg.distributions.Normal(tensor(3), 1.0), lambda x, v: v.log_prob(x), put("loc", tensor(1))),
    "distribution of another one": (lambda: mg.distributions.Independent(mg.distributions.Normal(tensor(3), 1.0), 1), lambda x, v: v.log_prob(x), lambda v: v.base_dist.loc.add_(1)),
    "computed when asked for": (lambda: mg.distributions.Categorical(logits=tensor(3)), lambda x, v: x * v.probs, lambda v: v.probs.mul_(2)),
    "Tensors of a dataset": (lambda: mg.utils.data.TensorDataset(tensor(3)), lambda x, v: x * v[1][0], lambda v: setattr(v, "tensors", (tensor(3) * 3,))),
    "learning rate": (lambda: sgd(), lambda x, v: x * v.param_groups[0]["lr"], lambda v: v.param_groups[0].update(lr=3.0)),
    "flag of an optimizer": (lambda: sgd(momentum=0.5), lambda x, v: x if v.param_groups[0]["nesterov"] else -x, lambda v: v.param_groups[0].update(nesterov=True)),
    "groups of an optimizer": (lambda: sgd(), lambda x, v: x * len(v.param_groups), lambda v: v.add_param_group({"params": [nn.Parameter(mg.tensor(np.ones(3)))]})),
    "option that appears": (lambda: sgd(), lambda x, v: x * v.param_groups[0].get("k", 2.0), lambda v: v.param_groups[0].update(k=3.0)),
    "array of NumPy": (lambda: np.ones(3), lambda x, v: x * float(v[0]), put_item(0, 3.0)),
    "0-d array of NumPy": (lambda: np.array(2.0), lambda x, v: x * float(v), lambda v: v.fill(3.0)),
    "compiled function": (lambda: [2.0], lambda x, v: (inner := compiled(lambda y: y * v[0]), inner(x))[1], put_item(0, 3.0)),
    "compiled function outside": (lambda: simple(f=mg.compile(lambda y: y * HIDDEN[0])), lambda x, v: v.f(x), lambda v: HIDDEN.__setitem__(0, 3.0)),
    "singledispatch": (lambda: functools.singledispatch(lambda x: x * 2.0), lambda x, v: v(x), lambda v: v.register(mg.Tensor, lambda x: x * 5.0)),
    "decorated": (lambda: decorated(), lambda x, v: v(x), lambda v: HIDDEN.__setitem__(0, 3.0)),
    "context manager": (lambda: manager, lambda x, v: entered(x, v()), lambda v: HIDDEN.__setitem__(0, 3.0)),
    "generator function": (lambda: several, lambda x, v: x * sum(v()), lambda v: HIDDEN.__setitem__(0, 3.0)),
    "Function": (lambda: [Doubled], lambda x, v: v[0].apply(x), lambda v: HIDDEN.__setitem__(0, 3.0)),
    "match": (Record, lambda x, v: matched(x, v), put("other", 3.0)),
    "partial method": (WithPartial, lambda x, v: v.scaled(x), lambda v: HIDDEN.__setitem__(0, 3.0)),
    "cached property": (lambda: asked(Cached()), lambda x, v: x * v.k, put("k", 3.0)),
    "bytes": (lambda: [b"a"], lambda x, v: x * v[0][0], put_item(0, b"b")),
    "complex": (lambda: [2j], lambda x, v: x * v[0].imag, put_item(0, 3j)),
    "np scalar": (lambda: [np.float64(2.0)], lambda x, v: x * v[0], put_item(0, np.float64(3.0))),
    "kind of a np scalar": (lambda: [np.float64(2.0)], lambda x, v: x * v[0].itemsize, put_item(0, np.float32(2.0))),
    "sign of zero": (lambda: [0.0], lambda x, v: x * math.copysign(1.0, v[0]), put_item(0, -0.0)),
    "flag": (lambda: [1], lambda x, v: x if v[0] is True else -x, put_item(0, True)),
    "range": (lambda: [range(2)], lambda x, v: x * sum(v[0]), put_item(0, range(3))),
    "slice": (lambda: [slice(2)], lambda x, v: x[v[0]], put_item(0, slice(1))),
    "dtype": (lambda: [mg.float32], lambda x, v: x.to(v[0]), put_item(0, mg.float64)),
    "value of a member": (lambda: enum.Enum("E", {"A": 2.0}).A, lambda x, v: x * v.value, put("_value_", 3.0)),
    "format of an attribute": (lambda: simple(q=2), lambda x, v: x * len("{0.q}".format(v)), put("q", 30)),
    "format by a text kept outside": (lambda: (simple(q=2), "{0.q}"), lambda x, v: x * len(v[1].format(v[0])), lambda v: put("q", 30)(v[0])),
    "defaults of an optimizer": (lambda: sgd(), lambda x, v: x * v.defaults["lr"], lambda v: v.defaults.update(lr=3.0)),
    "attribute of a compiled function": (lambda: mg.compile(lambda y: y * 2.0), lambda x, v: v(x) * getattr(v, "k", 1.0), put("k", 3.0)),
    "enum": (lambda: [Mode.A], lambda x, v: x * v[0].value, put_item(0, Mode.B)),
    "None": (lambda: [None], lambda x, v: x if v[0] is None else -x, put_item(0, 0)),
    "type": (lambda: [float], lambda x, v: x * v[0](2.5), put_item(0, int)),
}
# fmt: on
CHANGED = {name: reads(*row) for name, row in ROWS.items()}


# What defines `f`, and after each `-- ` what changes.
WAYS = """
== a module imported inside
m = sys.modules["of_the_user"] = module(k=2.0)
def f(x):
    import of_the_user
    return x * of_the_user.k
-- m.k = 3.0
-- sys.modules["of_the_user"] = module(k=5.0)
== a name imported inside
m = sys.modules["of_the_user"] = module(k=2.0)
def f(x):
    from of_the_user import k
    return x * k
-- m.k = 3.0
== a global that goes
GOES = 2.0
def f(x): return x * GOES
-- del GOES
== a name nearer in a helper
k = [3.0, 2.0]
def f(x): return x * max(k)
-- max = min
-- k = [7.0]
-- del max, k
== a context that is none
ctx = contextlib.nullcontext(2.0)
def f(x):
    with ctx as k: return x * k
-- ctx.enter_result = 3.0
-- ctx = contextlib.nullcontext(5.0)
== the default dtype
def f(x): return x.to(mg.float32) * mg.ones(3)
-- mg.set_default_dtype(mg.float64)
-- mg.set_default_dtype(mg.float32)
== the dtype of autocast
def f(x):
    with mg.autocast("cpu"): y = x.float() @ mg.ones(3)
    return (y / 3.0).double()
-- mg.set_autocast_dtype("cpu", mg.float16)
-- mg.set_autocast_dtype("cpu", mg.bfloat16)
== the errors of NumPy
zero, old = [0.0], np.seterr(divide="ignore")
def f(x): return x * (np.float64(1.0) / np.float64(zero[0]) > 3)
-- np.seterr(divide="raise")
-- np.seterr(**old)
== a hook of a Tensor
w, k = nn.Parameter(mg.tensor(np.ones(3))), [2.0]
def f(x):
    (g,) = mg.autograd.grad((w * x).sum(), w)
    return g
-- handle = w.register_hook(lambda g: g * k[0])
-- k[0] = 3.0
== a hook of a Module
f, k = nn.Tanh(), [2.0]
handle = f.register_forward_hook(lambda m, a, y: y * k[0])
-- k[0] = 3.0
-- handle.remove()
== a hook of an optimizer
w, k = nn.Parameter(mg.tensor(np.ones(3))), [2.0]
opt = mg.optim.SGD([w], lr=0.5)
def f(x):
    with mg.no_grad():
        w.fill_(1.0)
    w.grad = x * 1.0; opt.step()
    return w.detach() * 1.0
@mg.no_grad()
def doubles(*_):
    w.mul_(k[0])
-- handle = opt.register_step_post_hook(doubles)
-- k[0] = 3.0
-- handle.remove()
== a forward of the user
key = ["a"]
class Net(nn.Module):
    scale = 2.0
    def __init__(self):
        super().__init__()
        self.layers, self.layer0, self.options = {"a": nn.Tanh()}, nn.Tanh(), simple(k=2.0)
    def forward(self, x):
        return self.layers[key[0]](x) * self.scale * self.options.k + getattr(self, f"layer{0}")(x)
f = Net()
-- f.scale = 3.0
-- f.options.k = 5.0
-- f.layers["a"] = nn.ReLU()
-- f.layer0 = nn.ReLU()
-- Net.forward = lambda self, x: x * 7.0
-- f.forward = lambda x: x * 9.0
== a class that decorates and names itself as the function
class Scaled:
    def __init__(self, f): functools.update_wrapper(self, f); self.f, self.k = f, 2.0
    def __call__(self, x): return self.f(x) * self.k
f = Scaled(lambda x: x + 1.0)
-- f.k = 3.0
-- f.f = lambda x: x - 1.0
== attributes that a Module takes from a dict of its own
class Net(nn.Module):
    def __init__(self): super().__init__(); self.more = {"k": 2.0}
    def __getattr__(self, name): return vars(self)["more"][name]
    def forward(self, x): return x * self.k
f = Net()
-- f.more["k"] = 3.0
-- f.k = 5.0
== an inherited method
class A:
    def scale(self): return 2.0
class B(A):
    def scale(self): return super().scale() * 2.0
class C(B): pass
c = C()
def f(x): return x * c.scale()
-- A.scale = lambda self: 3.0
-- C.scale = lambda self: 5.0
-- c.scale = lambda: 7.0
-- del c.scale, C.scale; B.scale = A.scale
== an attribute found by MRO
class A: k = 2.0
class B: k = 3.0
class C(A): pass
c = C()
def f(x): return x * c.k
-- C.__bases__ = (B,)
-- B.k = 5.0
== a method of the object
thing = Thing(); f = thing.times
-- thing.k = 3.0
== a callable object
class Scale:
    k = 2.0
    def __call__(self, x): return x * self.k
f = Scale()
-- f.k = 3.0
-- Scale.__call__ = lambda self, x: x * 5.0
== a partial that is compiled
f = functools.partial(lambda k, x: x * k[0], [2.0])
-- f.args[0][0] = 3.0
== a name that a module makes when it is asked for
m, made = module(), {"k": 2.0}
m.__getattr__ = lambda name: made[name]
def f(x): return x * m.k
-- made["k"] = 3.0
-- m.k = 5.0
== no number in a list
number = float("nan"); numbers = [number]
def f(x): return x * (number in numbers) + 1.0
-- number = float("nan")
== which of equal texts and tuples
one = two = "a text".upper(), (1.5,), [1e300]
def f(x): return x * (one[0] is two[0]) + 2 * (one[1] is two[1]) - 3.0 * (one[2][0] is two[2][0])
-- two = "a text".upper(), *one[1:]
-- two = one[0], tuple([1.5]), one[2]
-- two = *one[:2], [float("1e300")]
== an equal number is put where another stood
number, kept = [0.5], {"k": 0.5}
def f(x):
    kept["k"] = number[0]
    return x * (number[0] if kept["k"] is number[0] else 7.0)
-- number[0] = float("1.5")
== a view whose base joins the graph
base = tensor(3); view = base[1:]
def f(x): return x if view.requires_grad else -x
-- base.mul_(nn.Parameter(tensor(3)))
== the attributes of a module of the library
f = nn.LeakyReLU(0.5)
-- f.__dict__ = {**f.__dict__, "negative_slope": 0.25}
== a class whose module is no text
K = 2.0
f = type("C", (), {"__call__": lambda self, x: x * K, "__module__": property(lambda self: 1)})()
-- K = 3.0
"""


def run(text: str, space: dict[str, Any]) -> None:
    exec(compile(text, __file__, "exec"), space)


def changes_of(program: str) -> Callable[[], Iterator[Any]]:
    def make() -> Iterator[Any]:
        space = dict(globals())
        start, *changes = program.split("\n-- ")
        run(start, space)
        yield space["f"]
        for change in changes:
            run(change, space)
            yield

    return make


CHANGED |= {name: changes_of(text) for name, _, text in (p.partition("\n") for p in WAYS.split("\n== ")[1:])}


@pytest.mark.parametrize("way", CHANGED)
def test_what_changes_is_seen(way: str) -> None:
    HIDDEN[0] = 2.0
    changes = CHANGED[way]()
    f = next(changes)
    g = compiled(f)
    before = outcome(f)
    assert agree(outcome(g), before)
    assert agree(outcome(g), before)
    for _ in changes:
        after = outcome(f)
        assert not agree(before, after)
        for _ in range(2):
            assert agree(outcome(g), after), "a call is stale"
        before = after


# ---------------------------------------------------------------- arguments that are nearly the same


class Number(float):
    k = 2.0


class Word(str):
    k = 2.0


def word(k: float) -> Any:
    made = Word("ab")
    made.k = k  # type: ignore[misc]
    return made


class Same:
    def __init__(self, k: Any) -> None:
        self.k = k

    def times(self, x: Any, a: Any) -> Any:
        return x * (a if a is self.k else 7.0)

    def of_type(self, x: Any, a: Any) -> Any:
        return x * (a if type(a) is float else 7.0)


ONE = 1.5
# A function, and the arguments of one call after another.
GIVEN: dict[str, tuple[Any, tuple[tuple[Any, ...], ...]]] = {
    "signs of zeros": (lambda x, a: x * a, tuple((k,) for k in (np.float64(0.0), np.float64(-0.0), np.float32(0.0), np.float32(-0.0), 0.0, -0.0, 0))),
    "signs of complex zeros": (lambda x, a: (x * a).imag + x, tuple((complex(0.0, k),) for k in (0.0, -0.0))),
    "type of a number": (lambda x, a: x * a if type(a) is float else x + a, ((2.0,), (3.0,), (2,), (True,))),
    "type in a table": (lambda x, a: x * {int: 2.0, float: 3.0}[type(a)], ((2.0,), (3.0,), (2,))),
    "type by map": (lambda x, a: x * sum(t is float for t in map(type, [a, 1])), ((2.0,), (2,))),
    "number made by its type": (lambda x, a: x * type(a)("3"), ((2.0,), (3.0,), (2,))),
    "type by another's method": (lambda x, a, s: s.of_type(x, a), ((2.0, Same(1)), (3.0, Same(1)), (2, Same(1)))),
    "identity by another's method": (lambda x, a, s: s.times(x, a), ((ONE, Same(ONE)), (float("1.5"), Same(ONE)))),
    "kinds of keys": (lambda x, d: x * d[1] * (2.0 if type([*d][0]) is int else 3.0), (({1: 2.0},), ({True: 2.0},), ({1.0: 2.0},))),
    "attribute of a key": (lambda x, d: x * [*d][0].k, (({Same(2.0): 1.0},), ({Same(3.0): 1.0},))),
    "attribute of a text": (lambda x, s: x * len(s) * s.k, ((word(2.0),), (word(3.0),))),
    "class of a number": (lambda x, a: x * getattr(a, "k", 5.0), ((Number(2.0),), (2.0,))),
}  # fmt: skip


@pytest.mark.parametrize("way", GIVEN)
def test_arguments_that_are_nearly_the_same_are_told_apart(way: str) -> None:
    f, calls = GIVEN[way]
    g = compiled(f)
    for args in calls * 2:
        expected, got = f(mg.tensor(X), *args).numpy(), g(mg.tensor(X), *args).numpy()
        assert expected.tobytes() == got.tobytes(), args


# ---------------------------------------------------------------- what people write

LOG = logging.getLogger("of the tests")
SENTINEL = object()
Array = typing.Union[int, None]  # noqa: UP007
VERBOSE = False
PLAIN = """
== branches that do not run
def f(x):
    if VERBOSE:
        print("x", file=sys.stderr); LOG.info("at %s", time.time())
    if x.ndim > 3:
        raise ValueError(f"at {time.time()} {os.getpid()}")
    assert x.ndim == 1, sys.argv
    return x * 2.0 if math.pi > 3 else x * random.random()
== attributes that are not mentioned
class Trainer:
    def __init__(self):
        self.logger, self.lock, self.scale, self.clock = LOG, threading.Lock(), 2.0, time.time
        self.rows = open(os.devnull); self.rows.close()
    def log(self):
        self.logger.info("at %s", self.clock())
    def step(self, x):
        return x * self.scale
f = Trainer().step
== iterators made inside
def f(x):
    for i, (a, b) in enumerate(zip([1.0, 2.0], map(float, [3, 4]), strict=True)):
        x = x * a + b * i
    total = sum(k for k in reversed(sorted([2.0, 1.0])))
    first = next(iter({"a": x}.values()))
    return first * total + next(itertools.count(3)) + sum(itertools.islice(itertools.cycle([1.0]), 3))
== sentinels and hints
def f(x, v=SENTINEL):
    y: Array | None = 3
    x = typing.cast(Array, x)
    return x * 2.0 if v is SENTINEL and isinstance(x, (mg.Tensor, np.ndarray)) and y else x
== errors that are caught
def f(x):
    try:
        raise ValueError("k")
    except (ValueError, queue.Empty) if VERBOSE else ValueError:
        x = x * 2.0
    with contextlib.suppress(KeyError):
        {}["k"]
    return x
== classes made inside
def f(x):
    thing, record, point = Sub(3.0), dataclasses.replace(Record(), other=5.0), Named(x, [1.0])
    counts = collections.Counter("aab"); counts.update(Rows().rows)
    return thing.times(point.k) * record.other + counts["a"] + Mode.A.value
== isinstance of library classes
def f(x):
    ok = isinstance([x], collections.abc.Sequence) and callable(f) and issubclass(Sub, Thing)
    return x * 2.0 if ok and isinstance(2.0, (int, float)) and not isinstance(x, str) else x
== constants of NumPy
def f(x): return x * np.pi + np.float64(2.0) * float(np.sqrt(2.0)) + np.finfo(np.float64).eps
== names that are computed beside objects of the library
normal, loader = mg.distributions.Normal(0.0, 1.0), mg.utils.data.DataLoader([1])
space = types.SimpleNamespace(kq=2.0, clip=mg.clamp, loader=loader)
def f(x): return normal.log_prob(x) * getattr(space, KEY + "q") + space.clip(x, max=len(space.loader))
== an import inside
def f(x):
    import math as m
    from functools import reduce
    import minigrad.nn.functional as functional
    return functional.relu(x) * m.pi + reduce(operator.add, [1.0, 2.0])
== a context manager of the user
def f(x): return entered(x, manager())
== texts
def f(x, mode="Mean"):
    name = f"{mode.lower():>8}".strip() + "%d" % 1
    return x * (2.0 if name == "mean1" else 3.0) * len("-".join([mode, "a"]))
== a configuration with what no recording guards
args = argparse.Namespace(lr=2.0, out=pathlib.Path("."), started=datetime.datetime.now(), log=LOG)
def f(x): return x * args.lr
== recursion
def power(x, n): return x if n == 1 else x * power(x, n - 1)
def f(x): return power(x, 3)
== a decorator of the user
f = decorated()
== a module with a logger
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.log, self.calls = nn.Linear(3, 3).double(), LOG, itertools.count()
    def forward(self, x):
        if not self.training:
            self.log.info("%d", next(self.calls))
        return self.inner(x).relu()
f = Net()
"""


@pytest.mark.parametrize(
    "program", [pytest.param(p, id=p.partition("\n")[0]) for p in PLAIN.split("\n== ")[1:]]
)
def test_what_people_write_works(program: str) -> None:
    space = dict(globals())
    run(program.partition("\n")[2], space)
    f, g = space["f"], compiled(space["f"])
    expected = f(mg.tensor(X)).detach().numpy()
    for _ in range(3):
        assert agree(g(mg.tensor(X)).detach().numpy(), expected)
    assert len(g.recordings) == 1


def sets_a_new_global(x: Any) -> Any:
    global NEVER_SET
    NEVER_SET = 1  # type: ignore[name-defined]
    return x * 2.0


def test_a_new_global_is_not_set_in_replays() -> None:
    try:
        with pytest.raises(RuntimeError, match="the function changes NEVER_SET"):
            compiled(sets_a_new_global)(mg.tensor(X))
    finally:
        vars(THIS).pop("NEVER_SET", None)


@pytest.mark.parametrize(
    "f", [lambda holder, w: holder.w * w, lambda w, holder: w * holder.w], ids=["after", "before"]
)
def test_a_Tensor_may_be_an_argument_and_stand_in_another_one(f: Any) -> None:
    w = tensor(3)
    holder, g = types.SimpleNamespace(w=w), compiled(f)
    for other in (w, w, tensor(3) * 2.0, w):
        args = (holder, other) if f.__code__.co_varnames[0] == "holder" else (other, holder)
        assert g(*args).tolist() == f(*args).tolist()
    assert len(g.recordings) == 2


def test_a_trace_function_is_put_back() -> None:
    events: list[str] = []

    def trace(frame: Any, event: str, arg: Any) -> Any:
        events.append(event)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(RuntimeError, match="time"):
            compiled(imports_the_clock)(mg.tensor(X))
        after = sys.gettrace()
    finally:
        sys.settrace(before)
    assert after is trace


PACKAGE = """
SCALE = 2.0
def scaled(x): return x * SCALE
class Options:
    def __init__(self): self.k = 3.0
class Net(nn.Module):
    def __init__(self): super().__init__(); self.options = Options()
    def forward(self, x): return scaled(x) * self.options.k
"""


def test_code_of_installed_packages_is_followed(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "installed.py").write_text(f"from minigrad import nn\n{PACKAGE}")
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    monkeypatch.delitem(sys.modules, "installed", raising=False)
    installed = importlib.import_module("installed")
    net = installed.Net()
    f = lambda x: net(x) + installed.scaled(x) * installed.Options().k  # noqa: E731
    g = compiled(f)
    for change in (
        lambda: None,
        lambda: setattr(installed, "SCALE", 5.0),
        lambda: setattr(net.options, "k", 7.0),
    ):
        change()
        for _ in range(2):
            assert agree(outcome(g), outcome(f))
    assert len(g.recordings) == 3
    assert kinds.foreign(np.__file__)


class Written(typing.Generic[typing.TypeVar("T")]):
    __slots__ = ("a",)
    __hash__ = object.__hash__
    whole = property(lambda self: self.a)


def test_objects_of_classes_in_c_may_hold_more_than_attributes() -> None:
    """Such as those of Cython, Rust and pybind11, which name no module."""
    for cls in (re.Pattern, type(np.random.default_rng), np.ndarray, type("Inherits", (re.Scanner,), {})):
        assert kinds.written_in_c(cls) is (cls.__name__ != "Inherits")
    assert not kinds.has_no_hidden_state(type(np.random.default_rng))
    assert kinds.has_no_hidden_state(Written)

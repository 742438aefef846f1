"""Ways in which a function reaches Python objects: a compiled one sees each change, or refuses the way at once.

The tables are texts. An expression without `x` is a factor of it. Each row has a module of its own with what
SURROUNDINGS defines, so it may change all of that. `REFUSED` and `KEPT` are what no recording guards; `READ`,
`PATCHED`, `CHANGED` and `WAYS` what it guards; `PLAIN` is what people write every day, and needs one recording.
"""

# The tables write what people may write.
# ruff: noqa: E501

import ctypes
import gc
import importlib
import io
import os
import re
import string
import subprocess
import sys
import time
import types
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.compiler import kinds

# What rows may name.
MODULES = """
abc argparse array bisect builtins collections configparser contextlib contextvars copy ctypes dataclasses datetime decimal
enum fractions functools gc heapq importlib inspect io itertools json locale logging math operator os pathlib pickle platform
queue random re string sys threading time types typing uuid warnings weakref
"""
SURROUNDINGS = """
import collections.abc
import numpy as np
import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F
Any, simple = typing.Any, types.SimpleNamespace
K, KEY, NAME, HIDDEN, VERBOSE, SENTINEL = 2.0, "k", "K", [2.0], False, object()
X = np.array([0.5, -1.5, 2.0])
Array, LOG = typing.Union[int, None], logging.getLogger("of the tests")
NET = nn.Sequential(nn.Linear(3, 3), nn.Tanh()).double()
HISTORY = mg.ones(3, requires_grad=True) * 2.0
def tensor(*shape): return mg.tensor(np.arange(1.0, 1.0 + math.prod(shape)).reshape(shape))
def deeper(x): return x * K
def helper(x): return deeper(x)
def picked(owner, name): return getattr(owner, name)
def caught(f):
    try: return f()
    except Exception: return 2.0
def with_clock(x, clock=time.time): return clock(2.0)
def entered(x, v):
    with v as k:
        return x * k
def loops(x):
    for i, k in enumerate(range(3)):
        x = x * (i + k + 1.0)
    return x
def stepped(x):
    w = nn.Parameter(mg.ones(3, dtype=mg.float64))
    opt = mg.optim.SGD([w], lr=0.1)
    (w * x).sum().backward()
    opt.step()
    return w.detach()
def back(x, v):
    y = x.detach().requires_grad_()
    return mg.autograd.grad(v(y).sum(), y)[0]
def matched(x, v):
    match v:
        case Record(_, other):
            return x * other
def asked(v):
    assert v.k
    return v
def decorated():
    def decorator(f):
        @functools.wraps(f)
        def wrapper(x): return f(x)
        return wrapper
    return decorator(lambda x: x * HIDDEN[0])
@contextlib.contextmanager
def manager(): yield HIDDEN[0]
def several(): yield from HIDDEN
def parameter(**own):
    w = nn.Parameter(tensor(3) * 0 + 1)
    vars(w).update(own)
    return w
def sgd(**options): return mg.optim.SGD([parameter()], lr=2.0, **options)
def module(**names):
    m = types.ModuleType("of_the_user")
    vars(m).update(names)
    return m
def parser():
    settings = configparser.ConfigParser()
    settings["a"] = {"k": "2"}
    return settings
class Base:
    k = 2.0
class Moved(mg.distributions.Normal): pass
NORMAL = mg.distributions.Normal(0.0, 1.0)
class Pair: pass
class Thing:
    k = 1.0
    def __init__(self, k=2.0): self.k = k
    def times(self, x): return x * self.k
    @property
    def half(self): return self.k / 2
    @classmethod
    def of_class(cls): return cls.k
    @staticmethod
    def fixed(): return 2.0
class Sub(Thing): pass
@dataclasses.dataclass
class Record:
    k: Any = 2.0
    other: Any = 1.0
@dataclasses.dataclass
class Rows:
    rows: list[str] = dataclasses.field(default_factory=list)
SIMPLE, SPACE, NAMES = simple(q=1.0), argparse.Namespace(q=1.0), {"z": "q"}
@dataclasses.dataclass(frozen=True)
class Frozen:
    k: float
class Decorates(contextlib.ContextDecorator):
    k = 2.0
    def __enter__(self): return self
    def __exit__(self, *_): return None
class ByClass:
    k = 2.0
    @functools.singledispatchmethod
    def scale(self, x): return x * self.k
class Named(typing.NamedTuple):
    k: Any
    rest: Any
class Vector:  # whose content is reached by methods that no code mentions
    def __init__(self): self.items = [2.0, 3.0]
    def __len__(self): return len(self.items)
    def __getitem__(self, i): return self.items[i]
    def __iter__(self): return iter(self.items)
    def __contains__(self, v): return v in self.items
    def __bool__(self): return len(self.items) > 2
    def __call__(self): return self.items[0]
    def __float__(self): return float(self.items[0])
    def __index__(self): return len(self.items)
    def __eq__(self, other): return len(self.items) == other
    def __enter__(self): return self.items[0]
    def __exit__(self, *_): return None
    def __rmul__(self, x): return x * self.items[0]
    def __getattr__(self, name):
        if name != "first":
            raise AttributeError(name)
        return self.items[0]
class Config(collections.UserDict):
    scale = 1.0
    def __getitem__(self, key): return self.data[key] * self.scale
class Of(typing.Generic[typing.TypeVar("T")]): k = 2.0
class Keyed:
    def __init__(self): self.names = ["k"]
    def keys(self): return self.names
    def __getitem__(self, key): return 2.0
class AttrDict(dict):
    __getattr__ = dict.__getitem__
class Slots:
    __slots__ = ("__private", "k")
    def __init__(self): self.__private = 2.0
    def set(self, v): self.__private = v
    def get(self): return self.__private
class Mode(enum.Enum):
    A, B, LIST = 1.0, 2.0, [1.0]
    @classmethod
    def _missing_(cls, v): return cls.B if HIDDEN[0] == 2.0 else cls.A
class OfModule(types.ModuleType):
    k = property(lambda self: HIDDEN[0])
@mg.library.custom_op("of_the_tests::scale", mutates_args=())
def scale_op(x: mg.Tensor) -> mg.Tensor: return x * 2.0
scale_op.register_autograd(lambda ctx, g: g * 2.0)
own_op = mg.tape.Op("of_the_rows", lambda x: x * HIDDEN[0], "x", lambda g: g * HIDDEN[0], listed=False)
class Descriptor:
    def __init__(self): self.v = 2.0
    def __get__(self, owner, cls=None): return self.v
class Described:
    d = Descriptor()
class Listed(list):
    k = 1.0
class Text(str): pass
class Count(int): pass
class Iterates(list):
    def __iter__(self): return iter([K])
class Local(threading.local):
    k = 2.0
class Meta(type):
    @property
    def k(cls): return 2.0
class Abstract(abc.ABC): pass
class Scales(nn.Module):
    def __init__(self):
        super().__init__()
        self.k = 0.5
    def forward(self, x): return x * self.k
class Buffered(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("k", tensor(3))
class Special(mg.Tensor):
    __torch_function__ = mg.overrides._disabled_torch_function_impl
    def scaled(self): return self * HIDDEN[0]
class Doubled(mg.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * HIDDEN[0]
    @staticmethod
    def backward(ctx, g): return g * HIDDEN[0]
class WithPartial:
    def scale(self, x, k): return x * k[0]
    scaled = functools.partialmethod(scale, k=HIDDEN)
class Cached:
    @functools.cached_property
    def k(self): return 2.0
class Drawing:
    rand = staticmethod(np.random.rand)
    partial = staticmethod(functools.partial(np.random.rand))
    partial_method = functools.partialmethod(lambda self, high: float(np.random.rand()) * high, 2.0)
    # Python 3.13 warns where this is asked for, and later ones make a method of it: only the function may ask.
    unused = functools.partial(float)
    def drawn(self):
        from numpy import random as numbers
        return float(numbers.rand())
class Remembers:
    @functools.lru_cache(maxsize=4)
    def mask(self, n): return mg.ones(n)
    scales = staticmethod(functools.cache(lambda n: mg.ones(n)))
OBJECTS, CACHED, ITERATES = {Base()}, [functools.lru_cache(lambda: K)], Iterates([2.0])
GET, FIRST, PATTERN = operator.itemgetter("k"), operator.itemgetter(0), re.compile("weight$")
ASK, SPACES, RELU = getattr, {"this": THIS}, "relu"
UFUNC = np.frompyfunc(lambda v: v * K, 1, 1)
"""
CODE = compile(SURROUNDINGS, __file__, "exec")
LIBRARY = {name: importlib.import_module(name) for name in MODULES.split()}
X = np.array([0.5, -1.5, 2.0])


def surroundings(**names: Any) -> dict[str, Any]:
    """The names of a new module of the user."""
    this = types.ModuleType("of_the_rows")
    vars(this).update({**LIBRARY, "__file__": __file__, "THIS": this, **names})
    exec(CODE, vars(this))
    return vars(this)


def run(text: str, space: dict[str, Any]) -> None:
    exec(compile(text, __file__, "exec"), space)


def value(text: str, space: dict[str, Any]) -> Any:
    return eval(compile(text, __file__, "eval"), space)


def factor(text: str) -> str:
    """What a function of x gives: the text itself, or x times it."""
    return text if re.search(r"\bx\b", text) else f"x * ({text})"


def rows(table: str) -> list[str]:
    """The rows of a table; a line that is indented goes on with the one before."""
    return re.sub(r"\n +", " ", table.strip()).split("\n")


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


def refused(f: Any, what: str) -> None:
    """The first call and the second raise, and name a line of this file."""
    g = mg.compile(f)
    for _ in range(2):
        with pytest.raises((RuntimeError, TypeError), match=r"compile\(\)[\s\S]*test_compile_world\.py"):
            pytest.fail(f"{what} gives {g(mg.tensor(X))}")


# ---------------------------------------------------------------- what no recording can guard

REFUSED = """
len(sys.argv); len(sys.path); sys.flags.debug; sys.getrecursionlimit(); sys.getrefcount(x) * x; sys.getsizeof(K)
sys.modules[__name__].K; sys._getframe().f_globals["K"]; inspect.currentframe().f_globals["K"]
len(inspect.signature(helper).parameters); len(os.environ); float(os.environ.get("K", 2)); float(os.getenv("K", 2))
len(os.getcwd()); len(os.listdir(".")); os.path.exists("K"); os.getpid(); len(str(pathlib.Path.cwd())); time.time()
time.perf_counter(); datetime.datetime.now().second; random.random(); random.shuffle([1, 2]) or x; np.random.rand()
np.random.default_rng().random(); np.load("file.npy"); np.fromfile("file.npy"); np.loadtxt("file.txt")
np.savez_compressed("k", K); np.fromregex("k", "a", []); np.getbufsize(); np.info(K) or x; X.tofile("k") or x; X.ctypes.data % 7
float(np.datetime64("now").astype(int)); np.lib.format.open_memmap("k").sum(); x.__hash__() % 7; mg.hub.get_dir() and x
mg.utils.benchmark.Timer("1").timeit(1).mean; contextlib.chdir(".") and x
np.geterr()["divide"] == "warn"; uuid.uuid4().int; threading.get_ident(); threading.active_count(); gc.isenabled()
logging.getLogger("k").level; logging.info("x") or x; logging.root.level; warnings.warn("k", stacklevel=1) or x
decimal.getcontext().prec; float(decimal.Decimal("1") / 3); float(fractions.Fraction(1, 3)); len(locale.localeconv())
len(platform.node()); json.loads("2"); pickle.loads(b"I2\\n."); len(io.StringIO("ab").getvalue())
weakref.ref(helper)() is None; len(contextvars.copy_context()); importlib.import_module("math").pi
eval("x * K"); exec("K") or x; compile("K", "", "eval") and x; __import__("math").pi
globals()["K"]; len(locals()); open("file") and x; input() and x; print("x") or x; id(x) % 7; hash("k"); eval("K")
len(memoryview(b"ab")); len(bytearray(2)); helper.__globals__["K"]; len(helper.__closure__ or ())
len(Base.__subclasses__()); THIS.__dict__["K"]; vars(THIS)["K"]; getattr(THIS, NAME)
sum(getattr(THIS, n) for n in [NAME]); float(getattr(np, "random").rand()); float(getattr(np, "ran" + "dom").rand())
picked(THIS, NAME); getattr(SPACES["this"], NAME); ASK(THIS, NAME); len(dir(THIS)); operator.attrgetter("K")(THIS); next(iter(OBJECTS)).k; with_clock(x, abs)
CACHED[0](); Remembers().mask(3); Remembers.scales(3); sum(ITERATES); mg.get_num_threads(); mg.set_num_threads(1) or x
mg.are_deterministic_algorithms_enabled(); x * mg.backends.cuda.flash_sdp_enabled(); len(mg.get_float32_matmul_precision()); mg.set_printoptions(precision=2) or x
caught(lambda: time.time()); caught(lambda: x.sum().item()); caught(lambda: mg.in_parts(helper, parts=2, batch=0, reduce='join')(x)); caught(lambda: (HISTORY * x).sum().backward(retain_graph=True)) or x; mg.initial_seed() % 7; mg.default_generator.initial_seed() % 7; float(Drawing.rand()); float(Drawing.partial())
Drawing().partial_method(); Drawing().drawn(); copy.deepcopy(NET)(x); x * x._version; x * (x._base is None)
len(string.Formatter().vformat("{0.k}", (Base,), {})); len(typing.get_type_hints(helper)); len(NET[0].weight.exp().grad_fn.next_functions); typing.Annotated[int, 2.0].__metadata__[0]
mg.__future__.get_swap_module_params_on_conversion(); mg.__future__.set_overwrite_module_params_on_conversion(True) or x; mg.save({}, "k") or x; mg.load("k")["k"]; x * x._is_view(); x * x.is_shared(); x * x.storage_offset(); x.as_strided((3,), (1,), 0); float(len(fractions.Fraction(1).__class__.__name__)); float(UFUNC(2.0))
"""
# What is imported inside, and used.
IMPORTS = """
import time as clock; clock.time()
from os import getpid; getpid()
import this as poem; len(poem.s)
from numpy.random import default_rng; default_rng().random()
import numpy.random as draws; draws.rand()
from numpy import random as draws; draws.rand()
from numpy import linalg, random; random.rand()
from numpy import fromfile as read; read("x")
import numpy.lib.format as form; form.magic(1, 0)[0]
import minigrad as library; library.get_num_threads()
from typing import get_type_hints as hints; len(hints(float))
"""


@pytest.mark.parametrize("line", rows(REFUSED))
def test_what_code_reaches_by_name_and_no_recording_guards_is_refused(line: str) -> None:
    space = surroundings()
    for row in line.split("; "):
        refused(value(f"lambda x: {factor(row)}", space), row)


@pytest.mark.parametrize("row", rows(IMPORTS))
def test_an_import_inside_of_what_no_recording_guards_is_refused(row: str) -> None:
    statement, use = row.split("; ")
    run(f"def f(x):\n    {statement}\n    return {factor(use)}", space := surroundings())
    refused(space["f"], row)


# How a function uses an object that no recording can guard, and such objects.
KEPT = """
next(v) <- map(float, [1, 2]); filter(None, [1.0]); reversed([1.0, 2.0]); iter([1.0, 2.0, 3.0]); iter({1: 2});
    (k for k in [1.0, 2.0]); itertools.count(1); itertools.cycle([1.0, 2.0]); itertools.chain([1.0], [2.0])
next(v)[0] <- zip([1.0, 2.0]); enumerate([1.0, 2.0])
next(v).end() <- re.finditer("a", "aaa")
len(next(v)) <- open(__file__)
v() <- iter([1.0, 2.0]).__next__; np.random.RandomState(1).rand; time.time
sum(v) <- {1: 2.0}.values(); {1: 2.0}.keys()
len(v) <- {1: 2.0}.items(); weakref.WeakSet([Base])
v["k"] <- types.MappingProxyType({"k": 2.0}); collections.ChainMap({"k": 2.0})
float(v[0]) <- np.ones(1 << 20); np.ma.array([1.0, 2.0])
v[0] <- np.array([1, None]); memoryview(b"ab"); bytearray(b"ab"); array.array("d", [2.0])
float(v["k"]) <- np.array([(2.0,)], [("k", float)])[0]
v.k <- type("Number", (np.float64,), {"k": 2.0})(2.0)
float(v.k[0]) <- np.rec.array([(1.0, 2)], names="k,n")
float(v(2.0)) <- np.poly1d([1.0, 2.0]); np.vectorize(lambda v: v * K); fractions.Fraction
v.random() <- np.random.default_rng(); random.Random(1)
v.rand() <- np.random.RandomState(1)
v.getfloat("a", "k") <- parser()
v.getfloat("k") <- parser()["a"]
v.level <- logging.getLogger("k")
v().k <- weakref.ref(Base)
v.k <- weakref.proxy(Base); Local()
v[1].k <- weakref.WeakValueDictionary({1: Base})
v.prec <- decimal.getcontext()
float(v) <- decimal.Decimal(2)
v.is_set() <- threading.Event()
v.locked() <- threading.Lock()
v.qsize() <- queue.Queue()
len(v.getvalue()) <- io.StringIO("ab"); io.BytesIO(b"ab")
v.get() <- contextvars.ContextVar("k", default=2.0)
v.args[0] <- ValueError(2.0); type("E", (Exception,), {})(2.0)
v.value <- ctypes.c_double(2.0)
v.cell_contents <- types.CellType(2.0)
v.end() <- re.match("a", "aa")
v.exists() <- pathlib.Path(".")
v(Base) <- operator.attrgetter("k")
v.time() <- time
"""
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
HOLDERS = dict(row.split(": ", 1) for row in rows(HOLDERS_TEXT))


def held(holder: str, use: str, space: dict[str, Any]) -> tuple[Any, Any]:
    """A function that uses a value which stands there, and what puts another value there."""
    before, read, put = HOLDERS[holder].split(" | ")
    function = "" if read == "f" else f"f = lambda x: use(x, {read})"
    nonlocal_ = "nonlocal s; " if put.startswith("s = ") else ""
    lines = [*before.split(" ;; "), f"def put(v): {nonlocal_}{put}", function, "return f, put"]
    space |= {"use": value(f"lambda x, v: {factor(use)}", space), "HELD": None, "space": space}
    run("\n    ".join(["def make():", *filter(None, lines)]), space)
    made: tuple[Any, Any] = space["make"]()
    return made


@pytest.mark.parametrize("holder", HOLDERS)
def test_objects_that_no_recording_guards_are_refused_wherever_they_stand(holder: str) -> None:
    space = surroundings()
    for use, _, objects in (row.partition(" <- ") for row in rows(KEPT)):
        for text in objects.split("; "):
            f, put = held(holder, use, space)
            put(v := value(text, space))
            refused(f, f"{use} of {text}")
            if isinstance(v, io.IOBase):
                v.close()


# What is read there, and one value after another; after `>` a change of the last one in place.
READ = """
x * v | 2.0; 3.0; 0.0; -0.0; math.nan; math.inf
x - v if isinstance(v, int) else x + v / 2 | 1; 1.0; np.float64(1.0); 0
-x if v is True else x * v | 1; True; 1; False; 0
x if v else -x | True; False; None; 1
{"a": x, "b": -x}[v] | "a"; "b"
x + v | mg.arange(3); mg.ones(3); mg.ones(3).float(); mg.ones(1); > v.mul_(2)
sum((x * k for k in v), x) | [1.0, 2.0]; > v.append(3.0); > v.reverse(); []
sum((x * k for k in v if k is not x), x) | [1.0, 2.0]; > v.append(3.0); > v.reverse(); []
sum(v, x) | [mg.ones(3)]; > v.append(mg.arange(3)); > v.pop(0)
functools.reduce(lambda s, k: s * 2 + k, v.values(), x) | {"a": 1.0, "b": 2.0}; {"b": 2.0, "a": 1.0}; > v.update(b=v.pop("b"))
v(x) | mg.sin; mg.cos; lambda x: x * 2.0; lambda x: x * 3.0
x * float(len(v)) | {1}; {1, 2}; > v.clear()
"""


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_the_function_reads_elsewhere_is_never_stale(holder: str) -> None:
    for use, _, values in (row.partition(" | ") for row in rows(READ)):
        space = surroundings()
        f, put = held(holder, use, space)
        g = mg.compile(f)
        for i, text in enumerate(values.split("; ")):
            if text[0] == ">":
                run(text[2:], space)
            else:
                space["v"] = value(text, space)
                put(space["v"])
            for k in range(3):
                x = mg.arange(3) * 0.5 - k
                assert g(x).numpy().tobytes() == f(x).numpy().tobytes(), f"{use}, value {i}, call {k}"
        assert len(g.recordings) <= i + 2, use


# ---------------------------------------------------------------- functions and classes that are replaced

# What a function reads (or the whole function), and what is replaced.
PATCHED = """
math.exp(1.0) | math.exp = math.cos
math.pi | math.pi = 3.0
float(np.exp(1.0)) | np.exp = np.cos
np.pi | np.pi = 3.0
float(np.linalg.norm([3.0, 4.0])) | np.linalg.norm = sum
mg.exp(x) | mg.exp = mg.sin
F.relu(x); nn.functional.relu(x) | F.relu = mg.sin
nn.functional.relu(x) | nn.functional = simple(relu=mg.sin)
getattr(F, RELU)(x) | F.relu = mg.sin
operator.mul(x, 2.0) | operator.mul = operator.add
functools.reduce(operator.mul, [x, x]) | functools.reduce = lambda f, v: f(v[0], 1.0)
sum(itertools.chain([x], [x])) | itertools.chain = lambda *a: a[0]
copy.deepcopy([2.0])[0] | copy.deepcopy = lambda v: [3.0]
x.sum() | mg.Tensor.sum = mg.Tensor.mean
[t.relu() for t in [x]][0] | mg.Tensor.relu = mg.Tensor.sin
x * 2.0; deeper(x) | mg.Tensor.__mul__ = lambda a, b: a
2.0 - x | mg.Tensor.__rsub__ = lambda a, b: a
-x; (lambda y: -y)(x) | mg.Tensor.__neg__ = mg.Tensor.exp
x * (x < 1.0) | mg.Tensor.__lt__ = mg.Tensor.__gt__
x * x[0]; x * FIRST(x) | mg.Tensor.__getitem__ = lambda a, i: a.exp()
sum(x) * x; sum(k for k in x) * x | mg.Tensor.__iter__ = lambda a: iter([a])
len(x) * x | mg.Tensor.__len__ = lambda a: 7
sum([x, x]); operator.add(0.0, x); [*map(operator.add, [0.0], [x])][0] | mg.Tensor.__radd__ = lambda a, b: a * 7.0
{"+": operator.mul}["+"](x, 2.0); functools.reduce(operator.mul, [x, x]) | mg.Tensor.__mul__ = mg.Tensor.__sub__
x * (1.0 < x) | mg.Tensor.__gt__ = lambda a, b: a
+x | mg.Tensor.__pos__ = mg.Tensor.exp
[*x][0] * x; max(*x.shape, 3) * len((*x,)) * x | mg.Tensor.__iter__ = lambda a: iter([a])
np.add(x, 1.0) | mg.Tensor.__array_ufunc__ = lambda *a, **k: mg.ones(3)
x * getattr(x, "of_the_user", 2.0) | mg.Tensor.of_the_user = 3.0
NET[0].weight.exp() @ x | nn.Parameter.exp = mg.Tensor.sin
f = NET; NET[0](x) | nn.Linear.__call__ = lambda self, x: x
NET[0].weight @ x | nn.Module.__getattr__ = lambda self, name: mg.ones(3, 3, dtype=mg.float64)
x.shape[0] * x | mg.Tensor.shape = (7,)
NORMAL.log_prob(x) | mg.distributions.Normal.log_prob = lambda self, x: x
f = NET; NET[0](x) | nn.Linear.forward = lambda self, x: x
NET[1](-x) | nn.Tanh.forward = lambda self, x: x
getattr(NET[0], "new", 2.0); x if hasattr(NET[0], "new") else -x | nn.Linear.new = 5.0
f = NET; NET(x) | nn.Sequential.forward = lambda self, x: x
NET(x) | nn.Module.__call__ = lambda self, x: x
stepped(x) | mg.optim.SGD.step = lambda self, closure=None: None
round(2.6) | builtins.round = lambda v: 7.0
divmod(7, 2)[0] | builtins.divmod = lambda a, b: (9.0, 1)
loops(x) | THIS.range = lambda n: [1] * n
max(2.0, 3.0) | THIS.max = min
sum([abs(k) for k in [-2.0]]) | THIS.abs = float
K; THIS.K; helper(x) | THIS.K = 3.0
2.0 if type(K) is float else 3.0 | THIS.K = 2
helper(x) | THIS.helper = lambda x: x + 1.0
Base.k | THIS.Base = simple(k=3.0)
Base.k; Base().k | Base.k = 3.0
len(__name__) | THIS.__name__ = "k"
len(__file__) | THIS.__file__ = "k"
typing.cast(Any, x) | typing.cast = lambda a, b: b * 2.0
dataclasses.replace(Record(1.0), k=2.0).k | dataclasses.replace = lambda r, k: Record(3.0)
Record().k | Record.__init__ = lambda self: setattr(self, "k", 5.0)
"""


@pytest.mark.parametrize("row", rows(PATCHED))
def test_what_is_replaced_is_seen(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    uses, target, new = re.fullmatch(r"(.*) \| ([\w.]+) = (.*)", row).groups()  # type: ignore[union-attr]
    for use in uses.split("; "):
        space = surroundings()
        f = value(use[4:] if use[:4] == "f = " else f"lambda x: {factor(use)}", space)
        owner, name, new_one = (
            value(target.rpartition(".")[0], space),
            target.rpartition(".")[2],
            value(new, space),
        )
        g = mg.compile(f)
        before = outcome(f)
        assert agree(outcome(g), before), use
        assert agree(outcome(g), before), use
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, new_one, raising=False)
            after, seen = outcome(f), outcome(g)
        assert not agree(before, after), use
        assert agree(seen, after), use
        assert agree(outcome(g), before), use


# ---------------------------------------------------------------- objects that change

# An object `v`, a change of it, and how functions read it.
CHANGED = """
simple(k=2.0) | v.k = 30.0 | vars(v)["k"]; sum(vars(v).values()); getattr(v, KEY); operator.attrgetter(KEY)(v);
    (lambda g: g(v, "".join(["k"])))(getattr); dict(**vars(v))["k"]; len(repr(v)); len(f"{v}"); len("{0.k}".format(v));
    copy.copy(v).k
simple(q=2.0) | v.q = 3.0 | getattr(v, "".join(["q"])); (lambda g: g(v, "".join(["q"])))(getattr); copy.copy(v).q
simple(a=2.0) | v.b = 3.0 | sum(vars(v).values())
simple(a1=2.0) | v.a1 = 3.0 | getattr(v, f"a{len(KEY)}")
simple(a=simple(b=2.0)) | v.a.b = 3.0 | functools.reduce(getattr, ["a", "b"], v)
simple() | v.k = 3.0 | getattr(v, "k", 2.0); x * 3.0 if hasattr(v, "k") else x
simple() | v.q = 3.0 | len(dir(v)); "q" in vars(v)
simple(q=[2.0]) | v.q.append(1.0) | sum(vars(copy.deepcopy(v))["q"])
simple(k=2.0) | del v.k | v.k
(simple(q=2.0), "q") | v[0].q = 3.0 | getattr(*v)
(simple(q=2), "{0.q}") | v[0].q = 30 | len(v[1].format(v[0]))
argparse.Namespace() | v.q = 3.0 | "".join(["q"]) in v
simple(k_q=2.0) | v.k_q = 3.0 | getattr(v, KEY + "_q"); builtins.getattr(v, KEY + "_q")
simple(q=2.0) | v.q = 3.0 | getattr(v, NAMES["z"]); getattr(v, "Q".lower())
simple(k="sin") | v.k = "tan" | getattr(x, getattr(v, KEY, "cos"))()
simple(q=2.0) | v.q = 30.0 | len("%s" % v); len(operator.mod("%s", v))
argparse.Namespace(q=2.0) | v.q = 30.0 | len(v.__repr__())
[str, simple(q=2.0)] | v[1].q = 30.0 | len(v[0](v[1]))
simple(q=2.0) | v.q = 1.0 | x if v == SIMPLE else -x
[simple(q=2.0)] | v[0].q = 1.0 | x if v != [SIMPLE] else -x; v.count(SIMPLE)
argparse.Namespace(q=2.0) | v.q = 1.0 | x if operator.eq(v, SPACE) else -x
[simple(q=2.0), simple(q=1.0)] | v[0].q = 1.0 | v.index(SIMPLE)
{Frozen(1.0): 2.0} | v[Frozen(1.0)] = 3.0 | v[Frozen(1.0)]
Decorates() | v.k = 3.0 | v(lambda: x * v.k)()
ByClass() | v.k = 3.0 | v.scale(x)
mg.distributions.Normal(tensor(3), 1.0) | v.loc = tensor(1) | v.log_prob(x)
mg.distributions.Independent(mg.distributions.Normal(tensor(3), 1.0), 1) | v.base_dist.loc.add_(1) | v.log_prob(x)
Moved(tensor(3), 1.0) | mg.distributions.register_kl(Moved, Moved)(lambda p, q: p.loc * 7.0) | x * mg.distributions.kl_divergence(v, Moved(x, 1.0))
Pair() | mg.utils._pytree.register_pytree_node(Pair, lambda p: ([1, 2], None), lambda v, _: Pair()) | len(mg.utils._pytree.tree_leaves(v))
module(__version__="1") | v.__version__ = "11" | len(v.__version__)
mg.distributions.Categorical(logits=tensor(3)) | v.probs.mul_(2) | x * v.probs
mg.utils.data.TensorDataset(tensor(3)) | v.tensors = (tensor(3) * 3,) | x * v[1][0]
Record() | v.other = 30.0 | sum(dataclasses.astuple(v)); sum(dataclasses.asdict(v).values());
    sum(getattr(v, f.name) for f in dataclasses.fields(v)); len(repr(v)); matched(x, v)
Record() | v.other = 3.0 | x * 2.0 if v == Record(2.0, 3.0) else x
Thing() | v.k = 3.0 | vars(v)[KEY]; v.__dict__["k"]; operator.methodcaller("times", x)(v); v.half
Thing() | v.__dict__ = {"k": 3.0} | v.k
Thing() | v.__class__ = type("Other", (Thing,), {"q": lambda self: 5.0}) | x * v.q() if hasattr(v, "q") else x
Thing() | v.__class__ = Sub | len(type(v).__name__)
Thing() | del v.k | v.k
Thing() | v.times = lambda x: x * 5.0 | v.times(x)
Thing() | Abstract.register(type("Q", (), {})); Abstract.register(Thing) | x if isinstance(v, Abstract) else -x
Slots() | v.k = 3.0 | x * 3.0 if hasattr(v, "k") else x
Described.__dict__["d"] | v.v = 3.0 | Described().d
Vector() | v.items.insert(0, 5.0) | len(v); v[0]; sum(k for k in v); 5.0 in v; x if v else -x; v(); float(v);
    [0, 1, 2, 3][v]; x * 2.0 if v == 3 else x; entered(x, v); float(2.0 * v); v.first; (lambda a, *b: a)(*v)
AttrDict(lr=2.0) | v["lr"] = 3.0 | v.lr
{"k": 2.0} | v["k"] = 3.0 | operator.itemgetter(KEY)(v); (lambda get: get("k"))(v.get)
Config(k=2.0) | v.scale = 3.0 | v.scale; v["k"]
Config(k=2.0) | Config.__getitem__ = lambda self, key: 7.0 | v["k"]
functools.partial(deeper) | v.k = 3.0 | v(x) * getattr(v, "k", 2.0)
slice(Vector()) | v.stop.items.pop() | v.stop.items[-1]; x[v]
(operator.or_(Abstract, str), Base()) | Abstract.register(Base) | x if isinstance(v[1], v[0]) else -x
(operator.or_(Base, str), list[Base], typing.Optional[Base]) | Base.k = 3.0 | v[0].__args__[0].k; v[1].__args__[0].k;
    typing.get_args(v[2])[0].k
Keyed() | v.names.append("j") | sum({**v}.values()); len(dict(v))
Of[int] | Of.k = 3.0 | v.k; v().k
{"k": 2.0}.get | v.__self__["k"] = 3.0 | v("k")
{"k": 2.0}.__getitem__ | v.__self__["k"] = 3.0 | v("k")
[1, 2].count | v.__self__.append(1) | v(1)
collections.OrderedDict(a=1.0, b=2.0) | v.move_to_end("a") | [*v.values()][0]; x if [*v][0] == "a" else -x
collections.Counter() | v.update(["k"]) | v["k"]
collections.deque([1.0, 2.0]) | v.rotate(1) | v[0]
collections.defaultdict(float) | v["k"] | v.get("k", 2.0)
collections.defaultdict(float) | v.default_factory = lambda: 3.0 | v.default_factory()
collections.UserDict(k=2.0) | v.data = {"k": 3.0} | v["k"]
collections.UserList([2.0]) | v[0] = 3.0 | v[0]
{1} | v.add(2) | len(v)
{1} | v.clear(); v.add(1.0) | x * 2 if type([*v][0]) is int else x
[{1}] | v[0].add(2) | len(v[0])
Named(2.0, [1.0]) | v.rest.append(2.0) | sum(v.rest)
[1.0, 2.0] | v[0] = 4.0 | sum(v[:2])
{Thing(): 1.0} | [*v][0].k = 3.0 | [*v][0].k
{"a": 1} | v.update(b=v.pop("a")) | x if "a" in v else -x
{1: 1} | v.update({1.0: v.pop(1)}) | x if type([*v][0]) is int else -x
Listed([2.0]) | v[0] = 3.0 | v[0]
Listed([2.0]) | v.k = 3.0 | v.k
Text("a") | v.k = 3.0 | getattr(v, "k", 2.0)
Count(2) | v.k = 3.0 | getattr(v, "k", 2.0) * int(v)
Mode.LIST.value | v.append(1.0) | sum(Mode.LIST.value)
lambda: 2.0 | v.__code__ = (lambda: 5.0).__code__ | v()
lambda k=[2.0]: sum(k) | v.__defaults__[0].append(3.0) | v()
lambda k=2.0: k | v.__defaults__ = 3.0, v.__defaults__[-1] + 1.0 | v()
lambda *, k=2.0: k | v.__kwdefaults__.update(k=3.0) | v()
(lambda k: lambda: k)(2.0) | del v.__closure__[0].cell_contents | v()
lambda: 2.0 | v.k = 3.0 | getattr(v, "k", 2.0)
lambda: 2.0 | v.__name__ = "k" * 40 | len(v.__name__)
lambda: 2.0 | v.__doc__ = "k" * 40 | len(v.__doc__ or "")
lambda: 2.0 | v.__annotations__.update(z=1) | len(v.__annotations__)
type("C", (), {"k": 2.0}) | v.__name__ = "k" * 40 | len(v.__name__)
type("C", (Base,), {}) | v.k = 3.0 | v.k
type("C", (Base,), {})() | type(v).k = 3.0 | v.k
type("C", (Base,), {})() | v.k = 3.0 | v.k
type("C", (Thing,), {}) | v.__bases__ = (type("D", (Thing,), {"fixed": staticmethod(lambda: 7.0)}),) | v.fixed()
type("C", (Thing,), {}) | v.fixed = staticmethod(lambda: 7.0) | v.fixed()
type("C", (Thing,), {}) | v.k = 7.0 | v.of_class()
type("C", (Thing,), {}) | v.__init__ = lambda self: setattr(self, "k", 7.0) | v().k
type("C", (Thing,), {})() | type(v).__bool__ = lambda self: False | x if v else -x
type("C", (Thing,), {})() | type(v).half = property(lambda self: 7.0) | v.half
Meta("C", (), {}) | type(v).k = property(lambda cls: 7.0) | v.k
module(k=2.0) | v.k = 3.0 | v.k; getattr(v, "k")
module(f=lambda: 2.0) | v.f = lambda: 3.0 | v.f()
module() | v.k = 3.0 | getattr(v, "k", 2.0)
module(q=[2.0], __getattr__=lambda n: HIDDEN[0]) | HIDDEN[0] = 3.0 | v.k
{"m": module(k=2.0)} | v["m"].k = 3.0 | v["m"].k
tensor(3) | v.data = tensor(5) | v.shape[0]; len(v)
tensor(3) | v.data = tensor(3).to(mg.float32) | x.to(v.dtype)
tensor(3, 3) | v.data = tensor(3, 3).T | v.stride(0)
tensor(3) | v.requires_grad_() | x if v.requires_grad else -x
tensor(3) | v.k = 3.0 | getattr(v, "k", 2.0)
parameter(k=2.0) | v.k = 3.0 | (x * v * v.k).detach()
parameter(k=[2.0]) | v.k.append(3.0) | (x * sum(v.k)).detach()
Special(tensor(3)) | HIDDEN[0] = 3.0 | v.scaled()
Scales() | v.eval() | v(x) if v.training else -x
Scales() | v.k = 0.25 | v(x)
[Scales()] | v[0].k = 0.25 | v[0](x)
Scales() | v.register_forward_hook(lambda m, a, y: y * 5.0) | v(x)
Scales() | v.register_full_backward_hook(lambda m, a, b: (b[0] * 5.0,)) | back(x, v)
nn.Linear(3, 3).double() | v.weight = nn.Parameter(mg.tensor(np.ones((3, 3)))) | v(x)
nn.Linear(3, 3).double() | v.bias = None | v(x)
Buffered() | v.k = tensor(1) * 7.0 | x * v.k
nn.Sequential(nn.Tanh()) | v[0] = nn.ReLU() | v(x); getattr(v, str(0))(x)
nn.Sequential(nn.Tanh()) | v.append(nn.ReLU()) | v(x); len([*v.named_modules()])
nn.Sequential(nn.Tanh()) | v.append(nn.Linear(3, 3)) | len([*v.parameters()])
nn.ModuleList([nn.Tanh()]) | v.append(nn.Tanh()) | functools.reduce(lambda y, m: m(y), v, x)
nn.ModuleDict({"k": nn.Tanh()}) | v["k"] = nn.ReLU() | v[KEY](x)
nn.Tanh() | v.forward = lambda x: x * 5.0 | v(x)
nn.Tanh() | v.register_forward_hook(lambda m, a, y: y * 5.0) | v(x)
nn.Tanh() | v.register_forward_pre_hook(lambda m, a: (a[0] * 5.0,)) | v(x)
sgd() | v.param_groups[0].update(lr=3.0) | v.param_groups[0]["lr"]
sgd() | v.param_groups[0].update(k=3.0) | v.param_groups[0].get("k", 2.0)
sgd() | v.add_param_group({"params": [parameter()]}) | len(v.param_groups)
sgd() | v.defaults.update(lr=3.0) | v.defaults["lr"]
sgd(momentum=0.5) | v.param_groups[0].update(nesterov=True) | x if v.param_groups[0]["nesterov"] else -x
np.ones(3) | v[0] = 3.0 | float(v[0])
np.array(2.0) | v.fill(3.0) | float(v)
np.ones(3) | v.flags.writeable = False | x if v.flags.writeable else -x
[2.0] | v[0] = 3.0 | mg.compile(lambda y: y * v[0])(x)
simple(f=mg.compile(lambda y: y * HIDDEN[0])) | HIDDEN[0] = 3.0 | v.f(x)
mg.compile(lambda y: y * 2.0) | v.k = 3.0 | v(x) * getattr(v, "k", 1.0)
functools.singledispatch(lambda x: x * 2.0) | v.register(mg.Tensor, lambda x: x * 5.0) | v(x)
decorated() | HIDDEN[0] = 3.0 | v(x)
manager | HIDDEN[0] = 3.0 | entered(x, v())
[setattr(manager, "k", 2.0), manager][1] | v.k = 3.0 | v.k
[nn.Parameter(tensor(3)) * 2] | v[0].sigmoid_() | len(v[0].grad_fn.name())
mg.func.vmap(functools.partial(lambda k, row: row * k[0], HIDDEN)) | HIDDEN[0] = 3.0 | v(x)
mg.no_grad()(functools.partial(lambda k, y: y * k[0], HIDDEN)) | HIDDEN[0] = 3.0 | v(x)
several | HIDDEN[0] = 3.0 | sum(v())
[Doubled] | HIDDEN[0] = 3.0 | v[0].apply(x)
WithPartial() | HIDDEN[0] = 3.0 | v.scaled(x)
asked(Cached()) | v.k = 3.0 | v.k
[b"a"] | v[0] = b"b" | v[0][0]
[2j] | v[0] = 3j | v[0].imag
[np.float64(2.0)] | v[0] = np.float64(3.0) | v[0]
[np.float64(2.0)] | v[0] = np.float32(2.0) | v[0].itemsize
[range(2)] | v[0] = range(3) | sum(v[0])
[slice(2)] | v[0] = slice(1) | x[v[0]]
[re.compile("a")] | v[0] = re.compile("b") | len(v[0].findall("aab"))
{"k": 2.0} | v["k"] = 3.0 | GET(v)
Vector() | v.items[0] = 5.0 | operator.itemgetter(0)(v); FIRST(v)
[[Thing(2.0), 1.0], [Thing(3.0), 2.0]] | v[0][0].k = 5.0 | sorted(v, key=lambda row: row[0].k)[0][1]; heapq.nsmallest(1, v, key=lambda row: row[0].k)[0][1]
[1.0, 2.0, 3.0] | v[1] = 0.5 | bisect.bisect(v, 1.5)
[mg.float32] | v[0] = mg.float64 | x.to(v[0])
[float] | v[0] = int | v[0](2.5)
[Mode.A] | v[0] = Mode.B | v[0].value
enum.Enum("E", {"A": 2.0}).A | v._value_ = 3.0 | v.value
Mode | v._member_map_["A"] = v.B | v["A"].value
Mode | v._value2member_map_[1.0] = v.B | v(1.0).value
HIDDEN | v[0] = 3.0 | Mode(9.0).value
[np.ones((3, 2))] | v[0] = np.asfortranarray(v[0]) | mg.tensor(v[0]).stride(0); v[0].strides[0]
np.ones((3, 3)) | warnings.simplefilter("ignore"); v.strides = 8, 24 | v.strides[0]
OfModule("of_the_user") | HIDDEN[0] = 3.0 | v.k
own_op | HIDDEN[0] = 3.0 | v(x); back(x, v)
scale_op | v.register_kernel("cpu", lambda x: x * 3.0) | v(x)
scale_op | v.register_autograd(lambda ctx, g: g * 3.0) | back(x, v)
"""


def seen(program: str) -> None:
    """What the function of a program gives is what its compiled form gives, before and after each change."""
    space = surroundings()
    start, *changes = program.split("\n-- ")
    run(start, space)
    f, g = space["f"], mg.compile(space["f"])
    before = outcome(f)
    assert agree(outcome(g), before)
    assert agree(outcome(g), before)
    for change in changes:
        run(change, space)
        after = outcome(f)
        assert not agree(before, after), "nothing has changed"
        for _ in range(2):
            assert agree(outcome(g), after), f"a call is stale after {change}"
        before = after


@pytest.mark.parametrize("row", rows(CHANGED))
def test_what_changes_is_seen(row: str) -> None:
    made, change, uses = row.split(" | ")
    for use in uses.split("; "):
        seen(f"""
def make():
    v = {made}
    def use(x, v): return {factor(use)}
    def f(x): return use(x, v)
    def change(): {change}
    return f, change
f, change = make()
-- change()""")


# What defines `f`, and after each `-- ` what changes.
WAYS = """
== a module imported inside
m = sys.modules["of_the_user"] = module(k=2.0)
def f(x): import of_the_user; return x * of_the_user.k
-- m.k = 3.0
-- sys.modules["of_the_user"] = module(k=5.0)
== modules imported inside by where they are
top, sub, __package__ = module(k=2.0, __path__=[]), module(k=3.0), "of_the_user"
sys.modules |= {"of_the_user": top, "of_the_user.sub": sub}; top.sub = sub
def f(x):
    import of_the_user.sub
    from . import sub as a
    from .sub import k
    return x * of_the_user.k * of_the_user.sub.k + a.k - x * k
-- sub.k = 5.0
-- top.k = 7.0
-- top.sub = module(k=9.0)
== a name imported inside
m = sys.modules["of_the_user"] = module(k=2.0)
def f(x): from of_the_user import k; return x * k
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
== the filters of warnings
def f(x):
    with warnings.catch_warnings(record=True) as caught: F.softmax(x)
    return x * (2.0 + len(caught))
warnings.simplefilter("ignore")
-- warnings.simplefilter("always")
-- warnings.simplefilter("error")
-- warnings.filters = [("ignore", None, Warning, None, 0)]
== the errors of NumPy
zero, old = [0.0], np.seterr(divide="ignore")
def f(x): return x * (np.float64(1.0) / np.float64(zero[0]) > 3)
-- np.seterr(divide="raise")
-- np.seterr(**old)
== how NumPy prints
third = np.array([1 / 3])
def f(x): return x * len(f"{third}")
-- np.set_printoptions(precision=2)
-- np.set_printoptions(precision=8)
== a hook of a Tensor
w, k = nn.Parameter(mg.tensor(np.ones(3))), [2.0]
def f(x): (g,) = mg.autograd.grad((w * x).sum(), w); return g
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
    with mg.no_grad(): w.fill_(1.0)
    w.grad = x * 1.0; opt.step()
    return w.detach() * 1.0
@mg.no_grad()
def doubles(*_): w.mul_(k[0])
-- handle = opt.register_step_post_hook(doubles)
-- k[0] = 3.0
-- handle.remove()
== what a library calls of the user's classes
a, b, c, d, e, k = 1.0, 1.0, 1.0, 1.0, 1.0, 1.0
class Optimizer(mg.optim.Optimizer):
    def moved(self, p): return p.grad * a
    @mg.no_grad()
    def step(self):
        low, high = self.param_groups[0]["k"]
        for p in self.param_groups[0]["params"]: p.sub_(self.moved(p) * low)
class Data(mg.utils.data.Dataset):
    def __init__(self): self.file = io.StringIO()  # which nothing reads
    def __getitem__(self, i): return mg.ones(3) * b
class Times(mg.distributions.Transform):
    domain = codomain = mg.distributions.constraints.real
    bijective = True
    def _inverse(self, y): return y * c
class Mixed:
    def _ff_block(self, x): return x * x * d
class Layer(Mixed, nn.TransformerEncoderLayer): pass
class Net(nn.Module):
    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True): return [("w", w)] * int(e)
class Leaky(nn.LeakyReLU): pass
w = nn.Parameter(tensor(3) * 0)
layer, part, inverse = Layer(3, 1, 3, dropout=0.0).double(), mg.utils.data.Subset(Data(), [0]), Times().inv
opt, net, leaky = Optimizer([w], {"k": (1.0, 2.0)}), Net(), Leaky(0.5)
@mg.no_grad()
@mg.enable_grad()
def helper(x): return x + k
def f(x):
    with mg.no_grad(): w.zero_()
    w.grad = x * 1.0; opt.step()
    y = layer(x[None])[0] + helper(inverse(w * 1.0 + part[0] * x))
    return leaky(y * len([*net.parameters()])).detach()
-- a = 3.0
-- b = 2.0
-- c = 2.0
-- d = 2.0
-- e = 2.0
-- k = -9.0
-- leaky.negative_slope = 0.25
-- layer.norm_first = True
-- opt.param_groups[0]["k"] = 3.0, 2.0
-- opt.param_groups[0]["k"] = 3.0, 2.0, 1.0
== a number that a Tensor is added to
def f(x):
    k = 0.0
    k += x
    return k
-- mg.Tensor.__radd__, old = lambda a, b: a * 7.0, mg.Tensor.__radd__
-- mg.Tensor.__radd__ = old
== an option of an optimizer has another type
w = parameter()
opt = mg.optim.SGD([w], lr=0.5, weight_decay=0.5)
def f(x):
    with mg.no_grad(): w.fill_(1.0)
    w.grad = x * 1.0; opt.step(); return w.detach() * 1.0
-- opt.param_groups[0]["weight_decay"] = 0
-- opt.param_groups[0]["lr"] = mg.tensor(0.25)
== parametrized Tensors that are kept
net = nn.utils.parametrize.register_parametrization(nn.Linear(3, 3).double(), "weight", nn.Tanh())
context, original = contextlib.ExitStack(), net.parametrizations.weight.original
def f(x): return net(x).detach()
-- context.enter_context(nn.utils.parametrize.cached()); original.data.mul_(2.0); net(tensor(3)); original.data.div_(2.0)
-- context.close()
== another import
def f(x): import math; return x * math.sqrt(4.0)
-- old = builtins.__import__; builtins.__import__ = lambda n, *a: simple(sqrt=abs) if n == "math" else old(n, *a)
-- builtins.__import__ = old
== a forward of the user
key = ["a"]
class Net(nn.Module):
    scale = 2.0
    def __init__(self):
        super().__init__()
        self.layers, self.layer0, self.options = {"a": nn.Tanh()}, nn.Tanh(), simple(k=2.0)
    def forward(self, x): return self.layers[key[0]](x) * self.scale * self.options.k + getattr(self, f"layer{0}")(x)
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
== kinds of methods that are the user's
class OfClass(property):
    def __get__(self, owner, cls=None): return self.fget(cls) * HIDDEN[0]
class Fixed(staticmethod):
    def __get__(self, owner, cls=None): return lambda: HIDDEN[0]
class Partly(functools.partial):
    def __call__(self, *args): return super().__call__(*args) * HIDDEN[0]
class Context(contextlib.nullcontext):
    def __enter__(self): return HIDDEN[0]
class A: a, b = OfClass(lambda cls: cls.k), Fixed(None); k = 2.0
part, context = Partly(operator.add, 1.0), Context()
def f(x): return entered(x * A.a * A().b() + part(x), context)
-- HIDDEN[0] = 3.0
-- Partly.__call__ = lambda self, x: x
-- A.k = 3.0
== what a function reads that is registered for a class
class Leaf: pass
mg.utils._pytree.register_pytree_node(Leaf, lambda _: ([HIDDEN[0]], None), lambda v, _: Leaf())
leaf = Leaf()
def f(x): return x * mg.utils._pytree.tree_leaves(leaf)[0]
-- HIDDEN[0] = 3.0
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
== a callable object
class Scale:
    k = 2.0
    def __call__(self, x): return x * self.k
f = Scale()
-- f.k = 3.0
-- Scale.__call__ = lambda self, x: x * 5.0
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
def f(x): kept["k"] = number[0]; return x * (number[0] if kept["k"] is number[0] else 7.0)
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


def programs(table: str) -> Any:
    """Parameters of the programs of a table, each after a line `== name`."""
    parts = [part.partition("\n") for part in table.split("\n== ")[1:]]
    return pytest.mark.parametrize("program", [pytest.param(text, id=name) for name, _, text in parts])


@programs(WAYS)
def test_what_programs_change_is_seen(program: str) -> None:
    seen(program)


# ---------------------------------------------------------------- arguments that are nearly the same

# A function of `x` and others, and the others of one call after another.
GIVEN = """
x, a: x * a | (np.float64(0.0),) (np.float64(-0.0),) (np.float32(0.0),) (np.float32(-0.0),) (0.0,) (-0.0,) (0,)
x, a: (x * a).imag + x | (complex(0.0, 0.0),) (complex(0.0, -0.0),)
x, a: x * a if type(a) is float else x + a | (2.0,) (3.0,) (2,) (True,)
x, a: x * {int: 2.0, float: 3.0}[type(a)] | (2.0,) (3.0,) (2,)
x, a: x * sum(t is float for t in map(type, [a, 1])) | (2.0,) (2,)
x, a: x * float(HALF * a) * float((THIRDS * a).sum()) | (0.3,) (0.7,)
x, a: mg.func.vmap(lambda row: row * a)(x) | (2.0,) (3.0,)
x, t: x * len(t.grad_fn.name()) | (PLACE * 2,) (PLACE.sigmoid(),)
x, a: x * type(a)("3") | (2.0,) (3.0,) (2,)
x, a, s: s.of_type(x, a) | (2.0, Same(1)) (3.0, Same(1)) (2, Same(1))
x, a, s: s.times(x, a) | (ONE, Same(ONE)) (float("1.5"), Same(ONE))
x, d: x * d[1] * (2.0 if type([*d][0]) is int else 3.0) | ({1: 2.0},) ({True: 2.0},) ({1.0: 2.0},)
x, d: x * [*d][0].k | ({Same(2.0): 1.0},) ({Same(3.0): 1.0},)
x, s: x * len(s) * s.k | (word(2.0),) (word(3.0),)
x, a: x * getattr(a, "k", 5.0) | (Number(2.0),) (2.0,)
"""
SAME = """
ONE, HALF, THIRDS = 1.5, np.float32(0.5), np.ones(3, np.float32) / 3
PLACE = mg.ones(3).requires_grad_()
class Number(float): k = 2.0
class Word(str): k = 2.0
def word(k):
    made = Word("ab")
    made.k = k
    return made
class Same:
    def __init__(self, k): self.k = k
    def times(self, x, a): return x * (a if a is self.k else 7.0)
    def of_type(self, x, a): return x * (a if type(a) is float else 7.0)
"""


@pytest.mark.parametrize("row", rows(GIVEN))
def test_arguments_that_are_nearly_the_same_are_told_apart(row: str) -> None:
    space = surroundings()
    function, calls = row.split(" | ")
    run(f"{SAME}f = lambda {function}\ncalls = [{calls.replace(') (', '), (')}]", space)
    f, g = space["f"], mg.compile(space["f"])
    for args in space["calls"] * 2:
        expected, got = f(mg.tensor(space["X"]), *args).numpy(), g(mg.tensor(space["X"]), *args).numpy()
        assert expected.tobytes() == got.tobytes(), args


BATCHES = """
Point(mg.ones(3) * k, k) | x * b.a * b.k
Point(mg.ones(3) * k, 2.0)._replace(k=k) | x * b.twice() * b[1]
Batch(mg.ones(3) * k) | x * b.a * b.more["k"]; b.scaled(x); Batch(b.a * x, b.more).scaled(x)
[Batch((mg.ones(3) * k, None), {"k": mg.ones(3) * k})] | x * b[0].a[0] + b[0].more["k"]
mg.max(mg.ones(2, 3) * k, 0) | x * b.values + b.indices
"""
BATCHES_OF = """
class Point(typing.NamedTuple):
    a: Any
    k: Any
    def twice(self): return self.a * 2
class Doubled(Point):
    __slots__ = ()
    def __new__(cls, a, k): return super().__new__(cls, a * 2, k)
@dataclasses.dataclass
class Batch:
    a: Any
    more: dict[str, Any] = dataclasses.field(default_factory=lambda: {"k": 1})
    def scaled(self, x): return self.a * x * K
    def swap(self, **own): self.__dict__ = own
    @functools.cached_property
    def sum(self): return self.a.sum()
"""


@pytest.mark.parametrize("row", rows(BATCHES))
def test_each_call_may_have_another_object_of_Tensors(row: str) -> None:
    space = surroundings()
    run(BATCHES_OF, space)
    batch, uses = row.split(" | ")
    for use in uses.split("; "):
        f = value(f"lambda x, b: {use}", space)
        g = mg.compile(f)
        for k in (1.0, 2.0, 3.0):
            args = mg.tensor(X), value(batch, {**space, "k": k})
            assert agree(g(*args).numpy(), f(*args).numpy()), use
        assert len(g.recordings) == 1, use
    space["K"] = 3.0
    assert agree(g(*args).numpy(), f(*args).numpy())


@pytest.mark.parametrize("use", ["b is c", "b is POINT", "c is ROW"])
def test_tuples_are_told_apart_where_the_code_asks_which_they_are(use: str) -> None:
    space = surroundings()
    run(BATCHES_OF + "W = mg.ones(3); POINT, ROW, N = Point(W, 2), (W, 2), 2", space)
    f = value(f"lambda x, b, c: x * (2 if {use} else 3)", space)
    g = mg.compile(f)
    for pair in (
        "(Point(W, N),) * 2",
        "Point(W, N), Point(W, N)",
        "POINT, POINT",
        "(W, N), ROW",
        "(W, N), (W, N)",
    ):
        args = mg.tensor(X), *value(pair, space)
        assert agree(g(*args).numpy(), f(*args).numpy()), pair


@pytest.mark.parametrize("use", ["b", "b._replace(k=2)", "Doubled(x, b)"])
def test_a_named_tuple_that_is_returned_is_not_made_by_its_new(use: str) -> None:
    space = surroundings()
    run(BATCHES_OF, space)
    f = value(f"lambda x, b: {use}", space)
    args = mg.tensor(X), value("Doubled(mg.ones(3), 1.5)", space)
    expected, got = f(*args), mg.compile(f)(*args)
    assert type(got) is type(expected)
    assert agree(got.a.numpy(), expected.a.numpy())
    space["Tagged"] = type("Tagged", (space["Point"],), {})
    tagged = value("lambda x: [b for b in [Tagged(x, 2)] if setattr(b, 'tag', x) is None][0]", space)
    with pytest.raises(RuntimeError, match="returns or stores a Tagged"):
        mg.compile(tagged)(mg.tensor(X))


@pytest.mark.parametrize("use", ["setattr(b, 'a', b.a + x)", "b.sum", "b.swap(a=x)"])
def test_an_object_of_Tensors_that_the_function_changes(use: str) -> None:
    space = surroundings()
    run(BATCHES_OF, space)
    f = value(f"lambda x, b: ({use}, b.a * x)[1]", space)
    b, c = value("Batch(mg.ones(3)), Batch(mg.ones(3))", space)
    g = mg.compile(f)
    if "swap" in use:
        with pytest.raises(RuntimeError, match="the function changes b"):
            g(mg.tensor(X), b)
        assert b.a.tolist() == [1, 1, 1]
        return
    for k in (1.0, 2.0, 2.0):
        assert agree(g(mg.tensor(X) * k, b).numpy(), f(mg.tensor(X) * k, c).numpy())
        assert agree(b.a.numpy(), c.a.numpy())
        assert vars(b).keys() == vars(c).keys()


# ---------------------------------------------------------------- what people write

PLAIN = """
== branches that do not run
def f(x):
    if VERBOSE: print("x", file=sys.stderr); LOG.info("at %s", time.time())
    if x.ndim > 3: raise ValueError(f"at {time.time()} {os.getpid()}")
    assert x.ndim == 1, sys.argv
    return x * 2.0 if math.pi > 3 else x * random.random()
== attributes that are not mentioned
class Trainer:
    def __init__(self):
        self.logger, self.lock, self.scale, self.clock = LOG, threading.Lock(), 2.0, time.time
        self.rows = open(os.devnull); self.rows.close()
    def log(self): self.logger.info("at %s", self.clock())
    def step(self, x): return x * self.scale
f = Trainer().step
== iterators made inside
def f(x):
    for i, (a, b) in enumerate(zip([1.0, 2.0], map(float, [3, 4]), strict=True)): x = x * a + b * i
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
    try: raise ValueError("k")
    except (ValueError, queue.Empty) if VERBOSE else ValueError: x = x * 2.0
    with contextlib.suppress(KeyError): {}["k"]
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
== patterns, heaps and filters of warnings
def f(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = [name for name, _ in NET.named_parameters() if PATTERN.search(name)]
    rows = sorted([(2.0, "b"), (1.0, "a")], key=FIRST)
    return x * len(names) * heapq.nlargest(1, [1.0, 2.0])[0] * bisect.bisect([1.0, 2.0], 1.5) * rows[0][0] * len(re.sub("a", "bb", "aa"))
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
        if not self.training: self.log.info("%d", next(self.calls))
        return self.inner(x).relu()
f = Net()
"""


@programs(PLAIN)
def test_what_people_write_works(program: str) -> None:
    run(program, space := surroundings())
    f, g = space["f"], mg.compile(space["f"])
    for _ in range(3):
        assert agree(g(mg.tensor(X)).detach().numpy(), f(mg.tensor(X)).detach().numpy())
    assert len(g.recordings) == 1


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ("def f(x):\n    global NEVER_SET\n    NEVER_SET = 1\n    return x * 2.0", "NEVER_SET"),
        (
            "whole = np.ones(3)\npart = whole[1:]\npart.flags.writeable = False\n"
            "def f(x):\n    whole[1] += 1\n    return x * float(part[0])",
            "whole",
        ),
        (
            "import warnings\ndef f(x):\n    warnings.simplefilter('error')\n    return x * 2.0",
            "warnings.filters",
        ),
        ("def f(x):\n    np.new = 2.0\n    return x * 2.0", "numpy.new"),
    ],
)
def test_what_a_replay_does_not_do_is_refused(lines: str, name: str) -> None:
    run(lines, space := {"__file__": __file__, "np": np})
    with pytest.raises(RuntimeError, match=f"the function changes {name}"):
        mg.compile(space["f"])(mg.tensor(X))


@pytest.mark.parametrize("text", ["type(x) is mg.Tensor", "(lambda: type)()(a) is int", "type(a) is float"])
def test_types_of_numbers_alone_make_numbers_count(text: str) -> None:
    f = value(
        f"lambda x, a: x * OPT.param_groups[0]['lr'] * a if {text} else -x * a", space := surroundings()
    )
    space["OPT"] = opt = value("mg.optim.SGD([tensor(3)], lr=0.1)", space)
    g = mg.compile(f)
    for lr in (0.5, 0.25, 0.125):
        opt.param_groups[0]["lr"] = lr
        assert g(mg.tensor(X), lr).tolist() == f(mg.tensor(X), lr).tolist()
    assert len(g.recordings) == (1 if "Tensor" in text else 3)


@pytest.mark.parametrize("names", ["holder, w", "w, holder"])
def test_a_Tensor_may_be_an_argument_and_stand_in_another_one(names: str) -> None:
    f = value(f"lambda {names}: holder.w * w", space := surroundings())
    w, g = space["tensor"](3), mg.compile(f)
    holder = types.SimpleNamespace(w=w)
    for other in (w, w, w * 2.0, w):
        args = value(names, {"holder": holder, "w": other})
        assert g(*args).tolist() == f(*args).tolist()
    assert len(g.recordings) == 2


FRESH = """
import abc
import numpy as np
import minigrad as mg
from minigrad import nn
class Abstract(abc.ABC): pass
class Thing: pass
x, thing = mg.ones(3), Thing()
def asked(f, change=None):
    g = mg.compile(f)
    for again in change, None:
        for _ in range(2): assert g(x).tolist() == f(x).tolist()
        if again: again()
asked(lambda x: x if isinstance(thing, Abstract) else -x, lambda: Abstract.register(Thing))
def flag(): mg.backends.cudnn.benchmark = True
asked(lambda x: x if mg.backends.cudnn.benchmark else -x, flag)
distributions = lambda x: x if mg.distributions.Distribution._validate_args else -x
asked(distributions, lambda: mg.distributions.Distribution.set_default_validate_args(False))
each = lambda x: mg.func.vmap(lambda r: mg.nn.functional.dropout(r, 0.2, True), randomness="different")(x)
assert mg.compile(each)(x).shape == x.shape  # the first numbers that are drawn
try: asked(lambda x: x * float(np.random.rand()))
except RuntimeError as error: assert "numpy.random" in str(error)
else: raise SystemExit("np.random is not refused")
"""


def test_modules_that_a_recording_loads_are_guarded_too() -> None:
    """In a new process, where nothing has asked for them."""
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_trace_function_is_put_back() -> None:
    def trace(frame: Any, event: str, arg: Any) -> Any:
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(RuntimeError, match="time"):
            mg.compile(value("lambda x: x * time.time()", surroundings()))(mg.tensor(X))
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
    g = mg.compile(f)
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


def test_objects_of_classes_in_c_may_hold_more_than_attributes() -> None:
    """Such as those of Cython, Rust and pybind11, which name no module."""
    inherits = type("Inherits", (re.Scanner,), {})  # type: ignore[attr-defined]
    structure = type("Structure", (ctypes.Structure,), {})  # its class is of C
    for cls in (re.Pattern, type(np.random.default_rng), np.ndarray, structure, inherits):
        assert kinds.written_in_c(cls) is (cls is not inherits)
    assert not kinds.has_no_hidden_state(type(np.random.default_rng))
    f = value("lambda x: x if x is None else x * len(K.__name__)", {"K": type(np.random.default_rng)})
    with pytest.raises(RuntimeError, match="the class cython_function_or_method of the module"):
        mg.compile(f)(mg.tensor(X))
    run(
        """
class Written(typing.Generic[typing.TypeVar("T")]):
    __slots__ = ("a",)
    __hash__ = object.__hash__
    whole = property(lambda self: self.a)
class Shown(dict):
    __dict__ = property(dict.copy)
""",
        space := surroundings(),
    )
    assert kinds.has_no_hidden_state(space["Written"])
    assert not kinds.has_no_hidden_state(space["Shown"])


def test_what_is_registered_for_a_class_reaches_nothing_unguarded() -> None:
    class Leaf:
        pass

    def flat(_: Any) -> Any:
        return [time.perf_counter()], None

    mg.utils._pytree.register_pytree_node(Leaf, flat, lambda v, _: Leaf())
    leaf = Leaf()
    refused(lambda x: x * mg.utils._pytree.tree_leaves(leaf)[0], "a clock that a registered function reads")


def test_a_tensor_that_leaves_the_graph_after_its_grad_fn_was_asked_for() -> None:
    held = [mg.ones(2, requires_grad=True) * 2]
    compiled = mg.compile(lambda x: x * (2 if held[0].grad_fn else 1))
    assert compiled(mg.ones(1)).tolist() == [2]
    held[0].detach_()
    assert compiled(mg.ones(1)).tolist() == [1]


def test_everyday_names_are_no_reason_to_refuse() -> None:
    class Net(nn.Module):
        def dump(self, x: Any) -> Any:
            return x * 2

        def forward(self, x: Any) -> Any:
            return self.dump(x) * len(string.digits[:3])

    assert mg.compile(Net())(mg.ones(1)).tolist() == [6]
    ranges, kinds = mg.compile(lambda x: (slice(0, 2), int | str, list[int], x + 1))(mg.ones(1))[:2]
    assert (ranges, kinds) == (slice(0, 2), int | str)


def test_the_fast_path_of_attention_is_a_setting() -> None:
    mha = mg.backends.mha
    compiled = mg.compile(lambda x: x * (1 + mha.get_fastpath_enabled()))
    try:
        assert compiled(mg.ones(1)).tolist() == [1]
        mha.set_fastpath_enabled(True)
        assert compiled(mg.ones(1)).tolist() == [2]
    finally:
        mha.set_fastpath_enabled(False)
    with pytest.raises(RuntimeError, match="set_fastpath_enabled"):
        mg.compile(lambda x: mha.set_fastpath_enabled(True) or x)(mg.ones(1))


@pytest.mark.parametrize("kind", ["u2", ">f4"])
def test_a_known_array_of_a_type_that_no_tensor_has(kind: str) -> None:
    known = np.array([1, 2, 3], kind)
    for f in (lambda x: x * known, lambda x: mg.func.vmap(lambda r: r * known)(x)):
        compiled, x = mg.compile(f), mg.ones(2, 3)
        for k in (1, 7):
            known[0] = k
            assert compiled(x).tolist() == f(x).tolist() == [[k, 2, 3]] * 2


def test_an_argument_that_is_changed_and_shows_a_known_array() -> None:
    known = np.ones(3)

    def f(u: Any) -> Any:
        u.add_(1)
        return u * known

    compiled = mg.compile(f)
    assert compiled(mg.zeros(3, dtype=mg.float64)).tolist() == [1, 1, 1]
    with pytest.raises(RuntimeError, match="the function changes known"):
        compiled(mg.from_numpy(known))
    assert known.tolist() == [1, 1, 1]


def test_a_refusal_keeps_nothing_alive() -> None:
    class Big:
        pass

    def reaches(x: Any) -> Any:
        big = Big()
        return x * time.perf_counter(), big

    def catches(x: Any) -> Any:
        big = Big()
        try:
            return x * time.perf_counter(), big
        except RuntimeError:
            return x

    def asks(x: Any) -> Any:
        big = Big()
        return x * x.item(), big

    gc.collect()
    gc.disable()
    try:
        for f in reaches, catches, asks:
            with pytest.raises(RuntimeError, match=r"the module time|the value"):
                mg.compile(f)(mg.ones(1))
            assert not any(type(o) is Big for o in gc.get_objects()), f.__name__
    finally:
        gc.enable()


def test_a_result_whose_graph_is_gone_where_leaves_have_hooks() -> None:
    net, seen = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4)), mg.ones(1, requires_grad=True)

    def f(x: Any) -> Any:
        y = net(x)
        y.sum().backward()
        return y

    handle = seen.register_hook(lambda g: None)
    try:
        for g in f, mg.compile(f):
            for _ in range(2):
                with pytest.raises(RuntimeError, match="backward through the graph a second time"):
                    g(mg.ones(3, 4)).sum().backward()
    finally:
        handle.remove()


def test_the_library_of_python_may_lie_in_an_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    place = os.path.join(os.sep, "lib", "python.zip", "dataclasses.py")
    assert not kinds.foreign.__wrapped__(place)
    monkeypatch.setattr("types.__file__", os.path.join(os.path.dirname(place), "types.py"))
    assert kinds.foreign.__wrapped__(place)

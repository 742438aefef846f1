"""Subclasses of Tensor, objects with a __torch_function__, and modes: what PyTorch makes of them."""

from __future__ import annotations

import copy
import inspect
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_lazy import each

import minigrad as mg
from minigrad import overrides
from minigrad.nn import functional as F


class Kept(mg.Tensor):
    """A subclass without anything."""


class Under(Kept):
    """One of that."""


class Other(mg.Tensor):
    """One that has nothing to do with them."""


class Logged(mg.Tensor):
    """Notes the names of functions."""

    names: list[str] = []  # noqa: RUF012 (of the test)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        cls.names.append(func.__name__)
        return super().__torch_function__(func, types, args, kwargs)


class Alike:
    """No Tensor, but has a __torch_function__."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func.__name__, len(args), kwargs


class Silent:
    """One that leaves all functions to others."""

    @classmethod
    def __torch_function__(cls, *args: Any, **kwargs: Any) -> Any:
        return NotImplemented


X = mg.tensor([[1.0, 2.0], [3.0, 4.0]]).as_subclass(Kept)
PLAIN = mg.ones(2, 2)
A: Any = Alike()


# ---------------------------------------------------------------- the class of results

SAME: list[Callable[[], Any]] = [
    lambda: X + 1, lambda: 1 - X, lambda: PLAIN * X, lambda: 2 / X, lambda: X @ PLAIN, lambda: -X, lambda: X == X,
    lambda: X[0], lambda: X[X > 1], lambda: PLAIN[(X > 9).long()], lambda: X.T, lambda: X.data, lambda: X.detach(),
    lambda: X.sum(), lambda: mg.exp(X), lambda: mg.add(PLAIN, other=X), lambda: X.double(), lambda: X.new_zeros(2),
    lambda: mg.zeros_like(X), lambda: mg.cat([PLAIN, X]), lambda: F.softmax(X, 0), lambda: F.linear(PLAIN, X),
    lambda: mg.nn.Linear(2, 1)(X), lambda: mg.nn.LSTM(2, 1)(X[None])[0], lambda: mg.linalg.inv(X),
    lambda: mg.special.expit(X), lambda: np.sin(X), lambda: np.add(np.ones(2), X), lambda: next(iter(X)),
    lambda: X.max(0).values, lambda: mg.sort(X)[1], lambda: X.split(1)[0], lambda: mg.broadcast_tensors(X, PLAIN)[1],
    lambda: mg.add(PLAIN, 1, out=X.clone()), lambda: X.clone().mul_(PLAIN), lambda: mg.as_tensor(X),
    lambda: mg.autograd.grad((P := X.clone().requires_grad_()).sum(), P)[0],
    lambda: copy.copy(X), lambda: copy.deepcopy(X), lambda: pickle.loads(pickle.dumps(X)), lambda: reversed(X),
    lambda: type(X.max(0))(t for t in X.max(0)).indices,
    lambda: mg.nn.Parameter(X), lambda: mg.nn.Parameter(X) * 2, lambda: mg.stack([*X]),
]  # fmt: skip


@pytest.mark.parametrize("make", SAME, ids=range(len(SAME)))
def test_results_are_of_the_class(make: Callable[[], Any]) -> None:
    assert type(make()) is Kept


def test_what_is_no_tensor_and_what_is_made_anew_is_plain() -> None:
    assert type(X.shape) is mg.Size
    assert type(X.tolist()[0][0]) is type(X.sum().item()) is float
    assert type(mg.tensor(X)) is type(X.as_subclass(mg.Tensor)) is mg.Tensor
    with overrides.DisableTorchFunctionSubclass():
        assert type(X + 1) is mg.Tensor


def test_a_change_in_place_is_one_of_the_tensor_itself() -> None:
    t = mg.zeros(3).as_subclass(Kept)
    before, row = t, t[1:]
    t += 1
    row.mul_(2)
    t[0] = 5
    assert t is before
    assert (t.tolist(), row.tolist()) == ([5, 2, 2], [2, 2])


def test_gradients_pass_and_are_plain() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x.as_subclass(Kept)
    z = (y * y)[:1]
    z += y[1]
    z.sum().backward()
    assert x.grad is not None
    assert (x.grad.tolist(), type(x.grad)) == ([2, 1], mg.Tensor)
    leaf = Kept([3.0]).requires_grad_()
    (leaf * 2).sum().backward()
    assert type(leaf.grad) is mg.Tensor
    assert mg.autograd.gradcheck(
        lambda t: t**3, mg.ones(2, dtype=mg.float64).as_subclass(Kept).requires_grad_()
    )


def test_a_function_of_ones_own_keeps_the_class() -> None:
    class Twice(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    x = Kept([1.0]).requires_grad_()
    y = Twice.apply(x)
    y.sum().backward()
    assert (type(y), x.grad) == (Kept, mg.tensor([2.0]))


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: X[0], "Kept([1., 2.])"),
        (lambda: X[0].requires_grad_() * 1, "Kept([1., 2.], grad_fn=<AliasBackward0>)"),
        (lambda: mg.nn.Parameter(X[0]), "Parameter(Kept([1., 2.], requires_grad=True))"),
        (lambda: mg.nn.Parameter(mg.ones(1)), "Parameter containing:\ntensor([1.], requires_grad=True)"),
        (lambda: mg.nn.Buffer(mg.ones(1)), "tensor([1.])"),
    ],
)
def test_the_text_names_the_class(made: Callable[[], Any], text: str) -> None:
    assert repr(made()) == text


# ---------------------------------------------------------------- who is asked

OPERATORS = {
    "x + 1": "add", "1 + x": "add", "1 - x": "__rsub__", "x / 2": "div", "x // 2": "__floordiv__",
    "x % 2": "remainder", "x ** 2": "pow", "2 ** x": "__rpow__", "x @ x": "matmul", "-x": "neg", "abs(x)": "abs",
    "x < 1": "lt", "x == x": "__eq__", "p >= x": "le", "x[0]": "__getitem__", "x.__setitem__(0, 1)": "__setitem__",
    "x.__iadd__(1)": "add_", "x.shape": "__get__", "setattr(x, 'grad', None)": "__set__", "len(x)": "__len__",
    "bool(x.sum())": "sum __bool__", "repr(x)": "__repr__",
    "x.exp()": "exp", "mg.exp(x)": "exp", "x.exp_()": "exp_", "F.relu(x)": "relu", "mg.stack((p, x))": "stack",
    "x.is_contiguous()": "is_contiguous", "copy.deepcopy(x)": "__deepcopy__", "x.as_subclass(mg.Tensor)": "",
}  # fmt: skip


@pytest.mark.parametrize("code", OPERATORS)
def test_a_class_hears_the_names(code: str) -> None:
    x = mg.ones(2).as_subclass(Logged)
    Logged.names.clear()
    eval(code, globals(), {"x": x, "p": mg.ones(2)})
    assert Logged.names == OPERATORS[code].split()


def test_subclasses_are_asked_first_and_strangers_refuse() -> None:
    k, u, o = (mg.ones(1).as_subclass(c) for c in (Kept, Under, Other))
    assert type(k + u) is type(u + k) is type(mg.add(k, u)) is Under
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+: 'Kept' and 'Other'"):
        k + o
    asked: list[str] = []
    answer = classmethod(lambda cls, *a, **k: asked.append(cls.__name__) or NotImplemented)
    first: Any = type("First", (mg.Tensor,), {"__torch_function__": answer})
    second: Any = type("Second", (first,), {})
    a, b = (mg.ones(1).as_subclass(c) for c in (first, second))
    with pytest.raises(TypeError, match="NotImplemented"):
        mg.add(a, b)
    assert asked == ["Second", "First"]
    with pytest.raises(
        TypeError, match=r"(?s)'minigrad.add'.*NotImplemented.*class '.*Kept'.*class '.*Other'"
    ):
        mg.add(k, o)


def test_an_operator_leaves_a_type_error_to_the_other_operand() -> None:
    class Fails(mg.Tensor):
        @classmethod
        def __torch_function__(cls, *args: Any, **kwargs: Any) -> Any:
            raise TypeError

    class Right:
        def __radd__(self, other: Any) -> str:
            return "right"

    right: Any = Right()
    assert mg.ones(1).as_subclass(Fails) + right == "right"


DUCKS = {
    "mg.exp(A)": ("exp", 1, None), "mg.add(1, A)": ("add", 2, None), "mg.add(PLAIN, other=A)": ("add", 1, {"other": A}),
    "PLAIN + A": ("add", 2, None), "PLAIN @ A": ("matmul", 2, None), "PLAIN < A": ("lt", 2, None),
    "mg.cat([PLAIN, A])": ("cat", 1, None), "F.linear(PLAIN, A)": ("linear", 2, None), "mg.mean(A)": ("mean", 1, None),
    "PLAIN[A]": ("__getitem__", 2, None), "PLAIN.add_(A)": ("add_", 2, None), "mg.linalg.inv(A)": ("inv", 1, None),
    "mg.sum(A, dim=0)": ("sum", 1, {"dim": 0}), "F.cross_entropy(A, PLAIN)": ("cross_entropy", 2, None),
}  # fmt: skip


def test_what_acts_like_a_tensor_is_asked() -> None:
    for code, answer in DUCKS.items():
        assert eval(code) == answer, code
    for call in (lambda: mg.exp(Silent()), lambda: PLAIN + Silent()):  # type: ignore[arg-type, operator]
        with pytest.raises(TypeError, match=r"NotImplemented|unsupported operand"):
            call()
    with pytest.raises(RuntimeError, match="infer dtype"):
        mg.tensor(A)


FIRST = {
    "mg.mean(A())": "['mean', 1]",
    "mg.add(mg.ones(1), A())": "['add', 2]",
    "mg.ones(1) * A()": "['mul', 2]",
    "mg.nn.functional.pad(A(), (1, 1))": "['pad', 2]",
    "A() / mg.ones(1)": "['__rtruediv__', 2]",
    "mg.ones(1)[A()]": "['__getitem__', 2]",
    "mg.ones(1, 1)[0, A()]": "['__getitem__', 2]",
    "mg.ones(1).__setitem__(0, A())": "None",
    "mg.ones(1).__setitem__(A(), 0)": "None",
    # What the function calls is asked first.
    "mg.ones(1).clamp_(max=A())": "['clamp_', 1]",
    "mg.conj(A())": "['conj', 1]",
    "mg.msort(A())": "['msort', 1]",
}


def test_the_first_call_is_heard_too_with_the_arguments_that_it_was_given() -> None:
    head = (
        "class A:\n"
        "  def __torch_function__(s, f, t, a=(), k=None): return [f.__name__, len(a)]\n"
        "  def __getitem__(self, i): return 0\n"
        "  def __len__(self): return 1\n"
        "print("
    )
    assert each([f"{head}{code})" for code in FIRST]) == [[answer] for answer in FIRST.values()]


def test_a_class_that_switches_it_off_has_plain_results() -> None:
    class Plain(mg.Tensor):
        __torch_function__ = overrides._disabled_torch_function_impl  # type: ignore[assignment]

    x = Plain([1.0])
    assert (type(x + 1), type(x.add_(1)), type(x)) == (mg.Tensor, Plain, Plain)
    with pytest.raises(RuntimeError, match=r"requires that detach\(\) returns an instance of the same type"):
        mg.nn.Parameter(x)
    own = type("Own", (mg.nn.Parameter,), {})(mg.ones(1))
    assert (type(own * 2), repr(own)) == (
        mg.Tensor,
        "Parameter containing:\nParameter(Own([1.], requires_grad=True))",
    )


# ---------------------------------------------------------------- modes


class Noted(overrides.TorchFunctionMode):
    """Notes the names of functions; a subclass that calls no constructor."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


def test_modes_hear_all_functions_the_innermost_first() -> None:
    with Noted() as outer, Noted() as inner:
        y = mg.ones(2).as_subclass(Kept) + mg.tensor([1, 2])
        mg.nn.Linear(2, 1)(z := mg.rand(1, 2)).shape  # noqa: B018
        mg.nn.MSELoss()(z, z)
    assert inner.names[:3] == outer.names[:3] == ["ones", "tensor", "add"]
    assert inner.names[-4:] == ["rand", "linear", "__get__", "mse_loss"]
    assert type(y) is Kept
    assert not overrides.has_torch_function((PLAIN,))


def test_a_mode_is_over_after_an_error_and_in_other_threads() -> None:
    class Fails(overrides.TorchFunctionMode):
        pass

    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append((mg.ones(1) + 1).tolist()))
    with pytest.raises(NotImplementedError, match="Fails is a mode without"), Fails():
        thread.start() or thread.join() or mg.ones(1)  # type: ignore[func-returns-value]
    assert seen == [[2.0]]
    with Noted() as noted, overrides.DisableTorchFunction():
        assert mg.ones(1).tolist() == [1]
    assert noted.names == []


# ---------------------------------------------------------------- modules


def test_a_parameter_of_a_subclass_is_one() -> None:
    net = mg.nn.Linear(2, 1)
    net.weight = mg.nn.Parameter(mg.ones(1, 2).as_subclass(Kept))
    net.register_buffer("b", mg.zeros(1).as_subclass(Kept))
    assert isinstance(net.weight, mg.nn.Parameter)
    assert isinstance(copy.deepcopy(net).weight, mg.nn.Parameter)
    assert not isinstance(X, mg.nn.Parameter)
    assert {n: type(t) for n, t in net.state_dict().items()} == {"weight": Kept, "bias": mg.Tensor, "b": Kept}
    net.load_state_dict({n: t * 2 for n, t in net.state_dict().items()})
    before = net.weight.tolist()
    optimizer = mg.optim.Adam(net.parameters())
    assert type(net(PLAIN)) is Kept
    net(PLAIN).sum().backward()
    optimizer.step()
    assert type(net.weight) is type(net.double().weight) is Kept
    assert net.weight.tolist() != before
    with pytest.raises(pickle.PicklingError, match=r"as_subclass\(minigrad.Tensor\)"):
        mg.save(net.state_dict(), "unused")


class Tagged(mg.Tensor):
    """A subclass with a constructor, an attribute, and methods of its own in the place of the Tensor's."""

    tag = ""

    def __new__(cls, data: Any, tag: str = "") -> Tagged:
        t = mg.as_tensor(data).as_subclass(cls)
        t.tag = tag
        return t

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = super().__torch_function__(func, types, args, kwargs)
        if isinstance(result, cls):
            result.tag = next((a.tag for a in args if isinstance(a, cls)), "")
        return result

    def requires_grad_(self, requires_grad: bool = True) -> Tagged:
        self.requires_grad = requires_grad
        return self

    def _fails(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a method that the user did not call")

    reshape = expand = clone = abs = __mul__ = __getitem__ = new_zeros = detach = unsqueeze = _fails


def test_attributes_are_kept_by_copies_and_by_what_the_class_does() -> None:
    t = Tagged([[1.0, 2.0], [3.0, 4.0]], "m")
    for u in (
        t + 1,
        t.sum(0),
        pickle.loads(pickle.dumps(t)),
        copy.copy(t),
        Tagged([1.0], "m").requires_grad_(),
    ):
        assert u.tag == "m"  # type: ignore[attr-defined]


def test_functions_call_no_methods_of_the_class_that_nobody_called() -> None:
    t = Tagged([[1.0, 2.0], [3.0, 4.0]], "m")
    for y in (
        mg.diff(t), mg.roll(t, 1), mg.kron(t, t), mg.take(t, mg.tensor([0])), mg.rot90(t), mg.cov(t), mg.dist(t, t),
        mg.linalg.norm(t, 2), mg.masked_select(t, t > 1), mg.block_diag(t, t), t.float(), mg.atleast_3d(t),
    ):  # fmt: skip
        assert type(y) is Tagged
    same = mg.atleast_2d(t)
    view = mg.narrow(t, 0, 0, 1)
    view.fill_(9)
    assert same.tolist() == t.tolist() == [[9, 9], [3, 4]]
    x = mg.ones(2, 2, requires_grad=True)
    product = Tagged.__add__(x.as_subclass(Tagged), 0)
    mg.swapaxes(product, 0, 1).mul_(
        mg.tensor([2.0, 3.0])
    )  # the view of what a function composed of methods gives
    product.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[2, 2], [3, 3]]
    base, w = mg.Tensor._make_subclass(Tagged, mg.zeros(1, 1)), mg.ones(1, 1, requires_grad=True)
    mg.swapaxes(base, 0, 1).add_(w)
    base.sum().backward()
    assert w.grad == 1
    y = mg.tensor([-1.0, 2.0], requires_grad=True)
    z = y.as_subclass(Tagged) + 0
    assert F.relu(z, inplace=True) is z
    z.sum().backward()
    assert y.grad is not None
    assert y.grad.tolist() == [0, 1]


# ---------------------------------------------------------------- what costs nothing, and what is refused


def test_nothing_is_armed_before_the_first_class() -> None:
    program = """if True:
        from minigrad.gate.overriding import DOORS
        import inspect, pydoc
        mg.nn.LazyLinear(1), mg.nn.Parameter(mg.ones(1)), mg.nn.Buffer(mg.ones(1)), mg.optim.SGD
        class Own(mg.nn.Parameter): pass
        class Dispatches(mg.Tensor):
            @classmethod
            def __torch_dispatch__(cls, func, types, args, kwargs): pass
        show = lambda: [pydoc.render_doc(f) for f in (mg.abs, mg.cat, mg.Tensor)] + [inspect.signature(mg.add)]
        before = DOORS.armed, show(), mg.abs, mg.Tensor.abs
        class First(mg.Tensor): pass
        print(before == (False, show(), mg.abs, mg.Tensor.abs), DOORS.armed)
        print(type(mg.fliplr(First([[1.0]]))).__name__, type(First([1.0]).erfinv()).__name__)  # of families loaded now
        try: mg.abs()
        except TypeError as error: print(str(error).partition(" (at")[0])"""
    assert each([program]) == [["True True", "First First", "abs() missing 1 required argument: 'input'"]]


def test_a_class_that_takes_over_what_is_below_is_refused() -> None:
    class Wraps(mg.Tensor):
        @classmethod
        def __torch_dispatch__(cls, *args: Any) -> Any: ...

    for make in (
        lambda: Wraps([1.0]),
        lambda: X.as_subclass(Wraps),
        lambda: mg.Tensor._make_wrapper_subclass(Wraps, (1,)),
    ):
        with pytest.raises(NotImplementedError, match="Wraps is to take over, by __torch_dispatch__"):
            make()


def test_compile_refuses_what_takes_over() -> None:
    compiled = mg.compile(lambda t: t * 2)
    assert compiled(PLAIN).equal(PLAIN * 2)
    with pytest.raises(
        RuntimeError, match=r"Kept takes over mul by __torch_function__.*as_subclass\(minigrad.Tensor\)"
    ):
        compiled(X)
    with Noted() as noted:
        compiled(PLAIN)
    assert noted.names == ["mul"]
    with pytest.raises(RuntimeError, match="takes over mul"):
        mg.compile(lambda t: t * X)(PLAIN)


# ---------------------------------------------------------------- minigrad.overrides


def test_functions_of_ones_own_may_be_taken_over() -> None:
    def own(a: Any, b: int = 1) -> Any:
        if overrides.has_torch_function((a,)):
            return overrides.handle_torch_function(own, (a,), a, b=b)
        return type(a)

    @overrides.wrap_torch_function(lambda a: (a,))
    def wrapped(a: Any) -> Any:
        return type(a)

    assert own(A, b=2) == ("own", 1, {"b": 2})
    assert (own(PLAIN), own(X), wrapped(1), wrapped(A)) == (mg.Tensor, Kept, int, ("wrapped", 1, {}))
    with pytest.raises(TypeError, match=r"no implementation found for '.*own' on types that implement"):
        own(Silent())


def test_what_can_be_taken_over_is_listed() -> None:
    functions = overrides.get_overridable_functions()
    assert {mg.exp, mg.cat} <= set(functions[mg])
    assert {mg.Tensor.exp, vars(mg.Tensor)["shape"].__get__} <= set(functions[mg.Tensor])
    ignored = overrides.get_ignored_functions()
    assert {mg.tensor, mg.zeros, mg.is_tensor} <= ignored
    assert not ignored & set(functions[mg])
    stand_ins = overrides.get_testing_overrides()
    assert stand_ins[mg.exp](1) == -1
    assert inspect.signature(stand_ins[mg.add]) == inspect.signature(mg.add)
    names = [overrides.resolve_name(f) for f in (mg.exp, F.gelu, vars(mg.Tensor)["shape"].__get__, print)]
    assert names == ["minigrad.exp", "minigrad.nn.functional.gelu", "minigrad.Tensor.shape.__get__", None]
    assert [overrides.is_tensor_like(x) for x in (X, A, 1)] == [True, True, False]
    assert overrides.is_tensor_method_or_property(mg.Tensor.add_)
    assert [overrides.has_torch_function_unary(x) for x in (X, mg.nn.Parameter(PLAIN), PLAIN)] == [
        True,
        False,
        False,
    ]
    assert overrides.has_torch_function_variadic(1, A)

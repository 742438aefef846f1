"""What follows from the record of an operation alone: public functions and methods; and what a record may not say."""

from __future__ import annotations

import inspect
import linecache
import math
import pickle
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.core.op import CASTS
from minigrad.functions import elementwise, index, inplace, linalg, parts, reduce, shape, table
from minigrad.ops.shape import cat
from minigrad.tape import TABLE, Op

ROOT = Path(__file__).resolve().parent.parent
X = mg.tensor([[1.0, 5.0, 2.0], [4.0, 0.0, 9.0]])


# ---------------------------------------------------------------- declarations that contradict themselves


def rule(g: Any) -> Any:
    return g


BAD: list[tuple[str, dict[str, Any], tuple[Any, ...], str]] = [
    ("a b", {}, (rule,), "1 rules for the 2 inputs"),
    ("x", {"joint": rule}, (rule,), "joint gives every input's gradient"),
    ("x", {"joint": rule, "consume": rule}, (), "consume and adds stand beside one rule"),
    ("x", {"joint": rule, "adds": rule}, (), "consume and adds stand beside one rule"),
    ("x", {}, ("g",), "a rule is a function or None; got 'g'"),
    ("x", {}, (lambda x: x,), "a rule takes g first"),
    ("x", {}, (lambda *gs: gs,), "a rule takes g first"),
    ("x", {}, (lambda g, other: g,), "a rule takes g first, then any of .*'x_shape'.*; got .*'other'"),
    ("x y", {}, (), "y and needs have a meaning of their own"),
    ("x; needs", {}, (), "y and needs have a meaning of their own"),
    ("x; y", {}, (), "y and needs have a meaning of their own"),
    ("a a", {}, (), "a name of its own"),
    ("x; dim x", {}, (), "a name of its own"),
    ("a, b", {}, (), "a name of its own"),
    ("*xs dim", {}, (), "the last input may have a star"),
    ("*a *b", {}, (), "the last input may have a star"),
    ("x", {"cast": "Float"}, (), "cast is one of .*'floats'.*; got 'Float'"),
    ("x", {"refuse": {"b": "no"}}, (), "refuse goes with a cast"),
    ("x", {"cast": "same", "refuse": {"bool": "no"}}, (), "its keys are kinds"),
    ("x", {"order": "F"}, (), "order is"),
    ("x", {"same": 1}, (), "numbers of inputs, 0 to 0; got 1"),
    ("a b", {"lies_like": -1}, (), "numbers of inputs, 0 to 1; got -1"),
    ("x", {"view": True, "new": True}, (), "a view is not new memory"),
    ("x", {"colour": "red"}, (), "'colour' is not a fact of an operation"),
]


@pytest.mark.parametrize(
    ("signature", "facts", "rules", "sentence"), BAD, ids=[f"{b[0]} {b[3][:20]}" for b in BAD]
)
def test_a_bad_declaration_is_a_type_error(
    signature: str, facts: dict[str, Any], rules: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(TypeError, match=f"op planted: .*{sentence}"):
        Op("planted", np.positive, signature, *rules, **facts)
    assert "planted" not in TABLE


@pytest.mark.parametrize("cast", CASTS)
def test_every_cast_that_is_described_is_known(cast: str | None) -> None:
    Op("planted", np.positive, "x", cast=cast, listed=False)
    text = (ROOT / "minigrad" / "core" / "facts.py").read_text(encoding="utf-8")
    assert cast is None or f'"{cast}"' in text


def test_a_name_in_the_table_is_declared_once() -> None:
    with pytest.raises(TypeError, match="op exp is declared twice"):
        Op("exp", np.exp, "x")
    module = {"Op": Op, "__name__": "minigrad.ops.made_up"}
    with pytest.raises(TypeError, match="op declared_in_a_list is declared twice"):
        exec("both = [Op('declared_in_a_list', abs, 'x') for _ in range(2)]", module)
    exec("Op('declared_in_a_list', abs, 'x')", {**module})  # the module is loaded again
    TABLE.pop("declared_in_a_list")


# ---------------------------------------------------------------- public names


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Any]]]:
    """Declares an operation; what is published of it by name, methods too."""
    before = dict(TABLE)

    def declare(*args: Any, **facts: Any) -> dict[str, Any]:
        op = Op(*args, **facts)
        published = table.check(TABLE.values())
        assert op.public
        return published

    yield declare
    TABLE.clear()
    TABLE.update(before)


FORMS = [
    ("x", "a: Tensor, b: Tensor", "planted"),
    ("a b c", "", "planted"),
    ("a b", "input: Tensor", "planted"),
    ("x; dim", "", "planted"),
    ("x; dim", "input: Tensor", "planted"),
    ("x; dim", "input: Tensor, dim: int, keepdim: bool = False", "planted"),
    ("x", "input: Tensor, dim", "planted"),
    ("x", "input Tensor", "planted"),
    ("x", "*tensors: Tensor", "planted"),
    ("*xs", "", "planted()"),
    ("*xs", "*tensors: Tensor", "planted"),  # a method is called on one Tensor
]


@pytest.mark.parametrize(("signature", "form", "public"), FORMS, ids=[f"{s} ({f})" for s, f, _ in FORMS])
def test_a_form_that_does_not_fit_is_a_type_error(
    declared: Any, signature: str, form: str, public: str
) -> None:
    with pytest.raises(TypeError, match=r"op planted: its public signature .* say which by form="):
        declared("planted", np.positive, signature, public=public, form=form, doc=".")


@pytest.mark.parametrize("public", ["planted planted", "exp", "planted exp_", "planted,", "multiply()"])
def test_a_public_name_that_is_taken_is_a_type_error(declared: Any, public: str) -> None:
    with pytest.raises(TypeError, match=r"op planted: the public name .* is taken, or is not a name"):
        declared("planted", np.positive, "x", public=public, doc=".")


def test_no_name_is_written_by_hand_and_follows_from_a_record() -> None:
    by_hand = [elementwise, reduce, shape, parts, index, linalg]
    names = [n for module in by_hand for n in module.__all__] + list(table.__all__)
    assert len(set(names)) == len(names)
    methods = [n for module in (*by_hand, inplace) for n in module.METHODS.split()] + list(table.METHODS)
    assert len(set(methods)) == len(methods)


def test_names_of_the_file_itself_may_be_public(declared: Any) -> None:
    functions = declared("planted", np.positive, "x", public="apply update dict zip", doc=".")
    assert functions["zip"](X).equal(X)
    assert table.check(TABLE.values())["update"](X).equal(X)


# ---------------------------------------------------------------- functions with parameters


def scaled(x: Any, factor: float, dim: Any, dim2: Any, axes: Any) -> Any:
    return np.array([factor, dim or 0, -1 if dim2 is None else dim2, *(axes or ())], np.float64)


def test_parameters_reach_the_kernel_with_dimensions_from_the_front(declared: Any) -> None:
    form = "input: Tensor, factor: float = 2.0, dim: int = -1, *, dim2: int | None = None, axes: Dim = None"
    f = declared("planted", scaled, "x; factor dim dim2 axes", public="planted", form=form, doc=".")[
        "planted"
    ]
    assert f(X).tolist() == [2, 1, -1]
    assert f(X, 3.0, -2, dim2=-2, axes=(-1, 0)).tolist() == [3, 0, 0, 0, 1]
    assert f(X, axis=0, factor=mg.tensor(0.5)).tolist() == [0.5, 0, -1]
    assert str(inspect.signature(f)).replace("'", "") == f"({form}) -> Tensor"
    with pytest.raises(
        IndexError, match=r"range of \[-2, 1\], but got 2\) in planted\(\) of .* \(at .*test_records.py"
    ):
        f(X, dim2=2)
    with pytest.raises(TypeError, match=r"argument 'factor' must be float, not str \(at .*test_records.py"):
        f(X, "2")


def test_a_method_in_place_checks_its_arguments_as_the_function_does(declared: Any) -> None:
    methods = declared(
        "planted", lambda x, factor, dim: x * factor, "x; factor dim", lambda g, factor: g * factor, cast="floats",
        public="planted planted_", form="input: Tensor, factor: float, *, dim: int = 0", doc=".",
    )  # fmt: skip
    planted_ = methods["planted_"]
    x = X.clone()
    assert planted_(x, 2.0, axis=-1) is x
    assert x.equal(X * 2)
    for call, sentence in [
        (
            lambda: planted_(x, "2"),
            r"planted_\(\): argument 'factor' must be float, not str \(at .*test_records",
        ),
        (
            lambda: planted_(x, 2.0, slope=1),
            r"planted_\(\) got an unexpected keyword argument 'slope'.* \(at ",
        ),
        (lambda: planted_(3, 2.0), r"planted_\(\): argument 'self' must be Tensor, not int"),
        (lambda: planted_(x), r"planted_\(\) missing 1 required argument: 'factor' \(at "),
    ]:
        with pytest.raises(TypeError, match=sentence):
            call()
    w = X.clone().requires_grad_()
    y = w * 1.0
    planted_(y, 3.0).sum().backward()
    assert w.grad is not None
    assert w.grad.equal(mg.full((2, 3), 3.0))


@pytest.mark.parametrize("form", ["*tensors: Tensor", "tensors: Sequence[Tensor]"])
def test_a_starred_input_takes_any_number(declared: Any, form: str) -> None:
    facts = {
        "joint": cat.joint,
        "cast": "same",
        "public": "planted()",
        "form": f"{form}, dim: int = -2",
        "doc": ".",
    }
    f = declared("planted", cat.unchecked, "*xs; dim", **facts)["planted"]
    call = f if form.startswith("*") else lambda *xs, **named: f(xs, **named)
    w = X.clone().requires_grad_()
    y = call(w, X, w, dim=-1)
    y.sum().backward()
    assert y.equal(mg.cat([X, X, X], 1))
    assert w.grad is not None
    assert w.grad.equal(mg.full((2, 3), 2.0))
    assert call(X, axis=0).equal(X)
    with pytest.raises(RuntimeError, match=r"planted expects a non-empty TensorList \(at .*test_records.py"):
        call()
    with pytest.raises(TypeError, match=r"must be .*Tensor"):
        call(X, "2")


# ---------------------------------------------------------------- what tools see of them


def test_methods_are_pickled_by_name_and_errors_call_them_so() -> None:
    for name in dir(mg.Tensor):
        method = getattr(mg.Tensor, name, None)
        if inspect.isfunction(method) and (
            not name.startswith("_") or name.strip("_") in ("add", "radd", "iadd", "eq")
        ):
            assert pickle.loads(pickle.dumps(method)) is method, name
    for name in ("exp_", "mul_", "add_", "round_", "float", "clone", "__add__", "__isub__"):
        with pytest.raises(TypeError, match=rf"^(Tensor\.)?{name}\(\) "):
            getattr(mg.Tensor, name)()


def test_the_text_of_a_function_with_parameters_is_found() -> None:
    linecache.checkcache()
    assert inspect.getsource(mg.logsumexp).startswith("def logsumexp(input: Tensor, dim: Dim, keepdim")
    with pytest.raises(IndexError) as caught:
        mg.ones(2).logsumexp(5)
    assert "_all_dims(dim, input._array.ndim)" in "".join(traceback.format_tb(caught.value.__traceback__))


def test_the_stubs_know_the_annotations() -> None:
    stub = (ROOT / "minigrad" / "functions" / "table.pyi").read_text(encoding="utf-8")
    for op in TABLE.values():
        for kind in re.findall(r": ([\w ,.|\[\]]+?)(?= =|, \w+:|, \*|$)", op.form):
            assert all(
                n in ("int", "float", "bool", "str", "None") or n in stub for n in re.findall(r"\w+", kind)
            )
    # What `case` makes is written out, as editors do not read what it returns.
    assert "def zeros(*size: Sizes, dtype: DTypeLike | None=None," in stub
    assert (
        'fft(input: Tensor, n: int | None=None, dim: int=-1, norm: Norm=None) -> Tensor:\n    """The' in stub
    )


# ---------------------------------------------------------------- in place


def test_a_result_without_gradient_leaves_one_of_zero() -> None:
    """As in PyTorch: the Tensor still requires grad."""
    for name in ("eq_", "less_", "logical_and_"):
        w = mg.tensor([1.0, 2.0], requires_grad=True)
        y = w * 3.0
        getattr(y, name)(mg.tensor([3.0, 1.0]))
        assert y.requires_grad
        (y * w).sum().backward()
        assert w.grad is not None
        assert w.grad.equal(y.detach())


def test_a_comparison_in_place_is_recorded_for_compile() -> None:
    def f(w: Any, x: Any) -> Any:
        y = w * 3.0
        return (y.eq_(x) * w).sum()

    compiled = mg.compile(f)
    for values in ([3.0, 1.0], [1.0, 6.0], [3.0, 6.0]):
        w, x = mg.tensor([1.0, 2.0], requires_grad=True), mg.tensor(values)
        for g in (compiled, f):
            w.grad = None
            g(w, x).backward()
            assert w.grad is not None
            assert w.grad.tolist() == [float(values[0] == 3.0), float(values[1] == 6.0)]


def test_what_numpy_refuses_in_place_is_said_as_elsewhere() -> None:
    with mg.no_grad():
        for change in (lambda: mg.ones(2).bitwise_and_(mg.ones(2)), lambda: mg.ones(2).bitwise_not_()):
            with pytest.raises(
                NotImplementedError, match=r"not implemented for floats.* at .*test_records.py:\d+\)"
            ):
                change()


def test_float_power_in_place_is_for_float64() -> None:
    x = mg.tensor([2.0, 3.0], dtype=mg.float64)
    assert x.float_power_(2) is x
    assert x.tolist() == [4.0, 9.0]
    with pytest.raises(
        RuntimeError, match=r"has dtype float32 but the operation's result requires dtype float64 \(at "
    ):
        mg.ones(2).float_power_(2)


def test_parameters_are_not_lost_where_numpy_writes_in_place(declared: Any) -> None:
    """The kernel is a ufunc, which could write into the Tensor at once, but for its parameters."""
    methods = declared(
        "planted", np.add, "x other; dtype", public="planted_", form="input: Tensor, other: Tensor, *, dtype: DType",
        doc=".", cast="same",
    )  # fmt: skip
    with mg.no_grad():
        y = methods["planted_"](mg.ones(2), mg.full((2,), 1e-4), dtype=np.float16)
    assert y.tolist() == [1.0, 1.0]


def test_what_is_not_implemented_says_where() -> None:
    whole, flags = mg.tensor([1, 2]), mg.tensor([True])
    for call in (
        lambda: mg.abs(flags), lambda: flags.floor_(), lambda: mg.bitwise_and(whole, 1.5), lambda: whole.frac(),
        lambda: whole.lerp(whole, 0.5), lambda: flags @ flags, lambda: flags % flags,
    ):  # fmt: skip
        with pytest.raises(NotImplementedError, match=r"\(at .*test_records.py:\d+\)$"):
            call()


# ---------------------------------------------------------------- kernels that read more than NumPy

FACTOR = 0.5


def error_function(x: Any) -> Any:
    return np.frompyfunc(math.erf, 1, 1)(x).astype(x.dtype)


def scaled_by_constants(x: Any) -> Any:
    return x * FACTOR * math.pi * math.prod(x.shape[:1])


def test_a_program_does_not_read_what_it_does_not_import(declared: Any) -> None:
    op = Op("planted", scaled_by_constants, "x", lambda g: g * (FACTOR * math.pi * 2), cast="floats")
    w = mg.tensor([1.0, 2.0], dtype=mg.float64, requires_grad=True)
    program: dict[str, Any] = {}
    exec(mg.source(op(w).sum()), program)
    assert program["run"](w.detach().numpy())[0] == op(w).sum().item()
    op = Op("planted_error", error_function, "x", lambda g, x: g * x, cast="floats")
    with pytest.raises(NotImplementedError, match=r"its kernel reads math\.erf, .*give its record a text="):
        mg.source(op(w))
    compiled = mg.compile(lambda t: op(t) * 2.0)
    for _ in range(3):
        assert compiled(w).tolist() == [2 * math.erf(1.0), 2 * math.erf(2.0)]


def test_batches_that_do_not_broadcast_are_named() -> None:
    with pytest.raises(RuntimeError, match=r"the batches \[2\] and \[3\] do not broadcast.*test_records\.py"):
        mg.ones(2, 4, 5) @ mg.ones(3, 5, 6)
    assert (mg.ones(2, 1, 4, 5) @ mg.ones(3, 5, 6)).shape == (2, 3, 4, 6)

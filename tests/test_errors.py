"""Errors name the user's line, the shapes, and what to try."""

from __future__ import annotations

import math
import re
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import autograd, nn
from minigrad.core.op import TABLE, Op
from minigrad.nn import functional as F
from minigrad.ops import shape

HERE = Path(__file__).name


def ones(*shape: int, **options: Any) -> Any:
    return mg.ones(*shape, **options)


# What goes wrong, PyTorch's kind of exception, and what the message must say.
MISTAKES: dict[str, tuple[Any, type[Exception], list[str]]] = {
    "add": (lambda: ones(2, 3) + ones(2, 4), RuntimeError, ["add", "[2, 3]", "[2, 4]", "(3)", "(4)", "n 1"]),
    "add-tries": (lambda: ones(3, 2) * ones(3), RuntimeError, ["mul", "[3, 2]", "[3]", "unsqueeze"]),
    "where": (lambda: mg.where(ones(2) > 0, ones(3), 0.0), RuntimeError, ["where", "[2]", "[3]"]),
    "mm": (lambda: ones(2, 3) @ ones(2, 3), RuntimeError, ["2x3 and 2x3", "[2, 3] @ [2, 3]", "transpose"]),
    "mv": (lambda: ones(2, 3) @ ones(2), RuntimeError, ["[2, 3] @ [2]"]),
    "dot": (lambda: ones(3) @ ones(2), RuntimeError, ["[3]", "[2]"]),
    "bmm": (lambda: ones(2, 3, 4) @ ones(3, 4, 5), RuntimeError, ["matmul", "[2, 3, 4]", "[3, 4, 5]"]),
    "unfold-int8": (lambda: F.unfold(ones(1, 1, 3, 3, dtype=mg.int8), 2), NotImplementedError, ["im2col", "'Char'"]),
    "matmul-number": (lambda: mg.matmul(ones(2), mg.tensor(1.0)), RuntimeError, ["1D and 0D"]),
    "matmul-dtype": (
        lambda: ones(2, 2) @ ones(2, 2, dtype=mg.float64), RuntimeError,
        ["[2, 2] float32", "[2, 2] float64", ".to("],
    ),
    "linear": (
        lambda: F.linear(ones(5, 4), ones(2, 3)), RuntimeError,
        ["linear", "[5, 4]", "[2, 3]", "5x4 and 3x2", "in_features"],
    ),
    "linear-dtype": (
        lambda: F.linear(ones(5, 3), ones(2, 3, dtype=mg.float64)), RuntimeError,
        ["linear", "[5, 3] float32", "[2, 3] float64", ".to(float64)"],
    ),
    "linear-bias": (
        lambda: F.linear(ones(5, 3), ones(2, 3), ones(2, dtype=mg.float64)), RuntimeError,
        ["linear", "bias [2] float64"],
    ),
    "linear-bias-shape": (
        lambda: F.linear(ones(5, 3), ones(2, 3), ones(4, 5, 2)), RuntimeError, ["linear", "[4, 5, 2]", "[5, 2]"],
    ),
    "index": (lambda: ones(3, 4)[1, 7], IndexError, ["index 7", "dimension 1", "size 4"]),
    "index-array": (lambda: ones(3, 4)[[0, -9]], IndexError, ["index -9", "dimension 0", "size 3"]),
    "index-many": (lambda: ones(3, 4)[0, 0, 0], IndexError, ["too many indices", "dimension 2"]),
    "gather": (lambda: mg.gather(ones(3), 0, mg.tensor([3])), RuntimeError, ["index 3", "size 3"]),
    "dim": (lambda: ones(2, 3).sum(2), IndexError, ["[-2, 1]", "got 2"]),
    "reshape": (lambda: ones(2, 3).reshape(4), RuntimeError, ["[4]", "6; it takes 4 elements"]),
    "reshape-rest": (lambda: ones(2, 3).reshape(-1, 4), RuntimeError, ["of size 6; -1 would be 6 / 4"]),
    "cat": (lambda: mg.cat([ones(2, 3), ones(2, 4)]), RuntimeError, ["3", "4", "number 1"]),
    "cat-nothing": (lambda: mg.cat([]), ValueError, ["cat", "non-empty"]),
    "stack-nothing": (lambda: mg.stack([]), RuntimeError, ["stack", "non-empty"]),
    "unbind": (lambda: mg.tensor(1.0).unbind(), IndexError, ["no dimensions"]),
    "isclose": (lambda: ones(2).isclose(ones(3)), RuntimeError, ["[2]", "[3]"]),
    "isclose-dtype": (lambda: mg.allclose(ones(2), ones(2).double()), RuntimeError, ["Float did not match D", ".to("]),
    "isclose-rtol": (lambda: mg.isclose(ones(2), ones(2), rtol=-1), RuntimeError, ["rtol", "-1"]),
    "isclose-number": (lambda: mg.isclose(ones(2), 1.0), TypeError, ["'other'", "float"]),
    "equal": (lambda: mg.equal(ones(2), 1.0), TypeError, ["'other'", "float"]),
    "complex": (lambda: ones(2).masked_fill(ones(2) > 0, 1j), RuntimeError, ["float32", "1j", "complex"]),
    "bits": (lambda: ones(2) & ones(2), NotImplementedError, ["bitwise_and", "floats", ".int()"]),
    "bits-mixed": (lambda: ones(2) | mg.arange(2), NotImplementedError, ["bitwise_or", "'Float'", ".int()"]),
    "bits-not": (lambda: ~ones(2), TypeError, ["operator.invert", "float32"]),
    "bits-not-complex": (lambda: ~mg.tensor([1j]), TypeError, ["operator.invert", "complex64"]),
    "no-size": (lambda: mg.zeros(), TypeError, ["zeros", "size"]),
    "too-large": (lambda: mg.tensor(2**64), ValueError, ["64 bits"]),
    "too-large-by-one": (lambda: mg.tensor([1, 2**63]), ValueError, ["64 bits"]),
    "infinite-int": (lambda: mg.tensor(math.inf, dtype=mg.int64), RuntimeError, ["int64", "overflow"]),
    "texts": (lambda: mg.tensor(np.array(["a"]), dtype=mg.float32), TypeError, ["<U1"]),
    "bool-range": (lambda: mg.arange(2, dtype=mg.bool), NotImplementedError, ["arange", "'Bool'"]),
    "step": (lambda: mg.arange(0, 1, 0.1, dtype=mg.int64), ValueError, ["step"]),
    "eye": (lambda: mg.eye(2, -3), RuntimeError, ["m must", "-3"]),
    "linspace": (lambda: mg.linspace(0, 1, 3.0), TypeError, ["steps", "float"]),
    "stack": (lambda: mg.stack([ones(2), ones(3)]), RuntimeError, ["[2]", "[3]", "entry 1"]),
    "expand": (lambda: ones(2, 3).expand(2, 4), RuntimeError, ["(4)", "(3)", "[2, 3]"]),
    "squeeze-twice": (lambda: ones(2, 1).squeeze((1, -1)), RuntimeError, ["dim 1", "multiple times"]),
    "index-select": (lambda: ones(3).index_select(0, mg.tensor([0, -1])), IndexError, ["index -1", "out of range"]),
    "squeeze-view": (lambda: ones(2, 3).T.view(6), RuntimeError, [".reshape("]),
    "int-grad": (lambda: mg.arange(3).requires_grad_(), RuntimeError, ["int64", ".float()"]),
    "int-mean": (lambda: mg.arange(3).mean(), RuntimeError, ["int64", ".float()"]),
    "numpy": (lambda: ones(2, requires_grad=True).numpy(), RuntimeError, ["detach()"]),
    "bool": (lambda: bool(ones(2)), RuntimeError, [".any()", ".all()"]),
    "bool-empty": (lambda: bool(ones(0)), RuntimeError, ["no values", ".any()"]),
    "neg-bool": (lambda: -mg.tensor([True]), RuntimeError, ["Negation", "~"]),
    "no-inputs": (lambda: mg.autograd.grad(ones(2, requires_grad=True).sum(), []), RuntimeError, ["cannot be empty"]),
    "item": (lambda: ones(2).item(), RuntimeError, ["2 elements"]),
    "device": (lambda: mg.zeros(2, device="cuda"), AssertionError, ["cuda", "CPU"]),
    "leaf": (lambda: ones(2, requires_grad=True).add_(1), RuntimeError, ["leaf", "no_grad()", "clone()"]),
    "non-scalar": (lambda: (ones(2, requires_grad=True) * 1).backward(), RuntimeError, ["[2]", ".sum()"]),
    "ufunc": (lambda: np.spacing(ones(2, requires_grad=True)), TypeError, ["spacing", ".detach().numpy()"]),
    "data": (lambda: mg.tensor("no"), TypeError, ["str", "'no'"]),
    "ragged": (lambda: mg.tensor([[1], [1, 2]]), ValueError, ["length 1 at dim 1 (got 2)"]),
    "none-in-a-list": (lambda: mg.tensor([[1, None]]), RuntimeError, ["dtype of NoneType", "None in a list"]),
    "str-in-a-list": (lambda: mg.tensor([1, "a"]), TypeError, ["str 'a' in a list"]),
    "not-a-tensor": (lambda: mg.exp([1.0]), TypeError, ["list", "minigrad.tensor(...)"]),
    "dtype-name": (lambda: mg.zeros(2, dtype="float32"), TypeError, ["str; write minigrad.float32"]),
    "dtype-as-device": (lambda: ones(2).to("int64"), RuntimeError, ["'int64'", "write minigrad.int64"]),
    "randint-size": (lambda: mg.randint(0, 5), TypeError, ["randint(0, 10, (3,))"]),
    "column": (
        lambda: F.cross_entropy(ones(2, 3), mg.tensor([[0], [1]])), RuntimeError, ["[2, 3]", "[2, 1]", ".squeeze(1)"]
    ),
    "loss-not-made": (lambda: nn.MSELoss(ones(2), ones(2)), RuntimeError, ["[2]", "loss(input, target)"]),
    "list-of-modules": (lambda: nn.Sequential([nn.ReLU()]), TypeError, ["list", "Sequential(*modules)"]),
    "function-as-module": (lambda: nn.Sequential(F.relu), TypeError, ["relu is a function", "ReLU()"]),
    "class-as-module": (lambda: nn.Sequential(nn.ReLU), TypeError, ["make one of it: ReLU()"]),
    "not-called": (lambda: mg.optim.SGD(nn.Linear(1, 1).parameters), TypeError, ["call it: parameters()"]),
    "one-beta": (lambda: mg.optim.Adam([ones(1, requires_grad=True)], betas=0.9), TypeError, ["(0.9, 0.999)"]),
    "network-for-its-result": (lambda: mg.draw(nn.Linear(1, 1)), TypeError, ["Linear", "draw(net(x), net)"]),
    "number-for-a-tensor": (lambda: mg.explain(1.0), TypeError, ["float", ".item()"]),
    "no-inputs-to-run-on": (lambda: mg.summary(nn.Linear(1, 1)), TypeError, ["summary(net, x)", "'input'"]),
    "module-for-parameters": (
        lambda: mg.optim.SGD([nn.Linear(1, 1)]), TypeError, ["one of the params", "pass its parameters()"]
    ),
    "probability": (lambda: nn.Dropout("0.5"), TypeError, ["dropout", "str"]),
    "missing": (lambda: nn.MaxPool2d(), TypeError, ["MaxPool2d.__init__()", "'kernel_size'"]),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "says"), MISTAKES.values(), ids=MISTAKES)
def test_errors_speak_in_shapes_and_say_what_to_try(
    call: Any, kind: type[Exception], says: list[str]
) -> None:
    with pytest.raises(kind) as caught:
        call()
    for part in says:
        assert part in str(caught.value)
    assert "_array" not in str(caught.value)
    assert "lambda" not in str(caught.value)


def test_an_error_names_what_the_line_calls() -> None:
    class Tall(nn.Sequential):
        def forward(self, x: Any) -> Any:
            return super().forward(x.sum(2))

    for call, name in [
        (lambda: F.softmax(ones(3), dim=1), "softmax"),
        (lambda: ones(3).unsqueeze(3), "unsqueeze"),
        (lambda: nn.Sequential(nn.BatchNorm1d(3))(ones(2, 4)), "BatchNorm1d"),
        (lambda: mg.optim.SGD([]), "SGD"),
        (lambda: Tall()(ones(2, 3)), "sum"),
        (lambda: F.poisson_nll_loss(ones(3), ones(4)), "poisson_nll_loss"),
    ]:
        with pytest.raises(
            (IndexError, RuntimeError, ValueError), match=rf"test_errors\.py:\d+, in {name}\)"
        ):
            call()
    with pytest.raises(IndexError, match=r"test_errors\.py:\d+\)$"):
        ones(3)[4]
    with pytest.raises(TypeError, match=r"^LambdaLR\.__init__\(\) missing"):
        mg.optim.lr_scheduler.LambdaLR(mg.optim.SGD([ones(1)]))  # type: ignore[call-arg]


# The errors of operations that the user wrote name the user's line.
NAMED = ["add", "add-tries", "where", "mm", "mv", "dot", "bmm", "matmul-number", "matmul-dtype", "linear",
         "linear-dtype", "linear-bias", "index", "index-array", "index-many", "cat",
         "cat-nothing", "stack", "unbind", "isclose-rtol",
         "expand", "reshape",
         "leaf"]  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_errors_name_the_line(name: str) -> None:
    call, kind, _ = MISTAKES[name]
    with pytest.raises(kind) as caught:
        call()
    lines = [int(n) for n in re.findall(rf"{re.escape(HERE)}:(\d+)", _text(caught.value))]
    first = call.__code__.co_firstlineno
    assert lines, f"no line in: {_text(caught.value)}"
    assert set(lines) <= set(range(first, first + 3))


def _text(error: BaseException) -> str:
    return "\n".join([str(error), *getattr(error, "__notes__", [])])


def line() -> int:
    return sys._getframe(1).f_lineno


def test_the_line_is_the_caller_s_and_not_the_package_s() -> None:
    layer = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(4, 1))
    with pytest.raises(RuntimeError) as caught:
        layer(ones(5, 3))
    at = line() - 1
    assert f"{HERE}:{at}" in str(caught.value)
    assert "[1, 4]" in str(caught.value)
    assert "[5, 2]" in str(caught.value)


def test_second_backward_after_grad_and_backward_functions() -> None:
    for run in (lambda y, x: autograd.grad(y, x), lambda y, x: autograd.backward(y)):
        x = ones(2, requires_grad=True)
        y = (x * x).sum()
        run(y, x)
        with pytest.raises(RuntimeError, match=f"{HERE}:{run.__code__.co_firstlineno}"):
            y.backward()


def test_a_saved_array_changed_in_place() -> None:
    x = ones(2, requires_grad=True)
    m = x * 1
    saved = line() + 1
    y = m.sin()
    changed = line() + 1
    m += 1
    with pytest.raises(RuntimeError) as caught:
        y.sum().backward()
    text = str(caught.value)
    assert f"sin at tests/{HERE}:{saved}" in text.replace("\\", "/") or f"{HERE}:{saved}" in text
    assert f"{HERE}:{changed}" in text
    assert "[2]" in text
    assert "clone()" in text


def test_anomaly() -> None:
    x = mg.zeros(2, requires_grad=True)
    with autograd.detect_anomaly():
        forward = line() + 1
        y = x / x
        with pytest.raises(RuntimeError) as caught:
            y.sum().backward()
    assert f"{HERE}:{forward}" in str(caught.value)
    assert "DivBackward0" in str(caught.value)
    assert any(f"{HERE}:{forward}" in n for n in caught.value.__notes__)


def test_lines_of_statements_that_span_several() -> None:
    x = ones(2, requires_grad=True)
    start = line() + 1
    y = (
        x
        * 2.0
    )  # fmt: skip
    assert HERE in y.grad_fn.where
    assert start <= int(y.grad_fn.where.rpartition(":")[2]) <= start + 3


def test_the_line_of_code_that_has_no_file() -> None:
    space = {"x": ones(2, requires_grad=True)}
    exec("y = x * 2", space)
    assert space["y"].grad_fn.where == "<string>:1"


def test_a_record_names_its_place() -> None:
    x = ones(2, requires_grad=True)
    at = line() + 1
    y = x * 2
    assert y.grad_fn.where.endswith(f"{HERE}:{at}")
    at = line() + 1
    z = nn.Linear(2, 2)(y)
    assert f"{HERE}:{at}" in repr(z.grad_fn)


def test_the_cause_is_shown_where_it_says_more() -> None:
    with pytest.raises(RuntimeError) as caught:
        ones(2) + ones(3)
    assert "direct cause" not in "".join(traceback.format_exception(caught.value)), "NumPy says less"
    with pytest.raises(RuntimeError) as caught:
        Op("a_kernel_that_fails", lambda x: x.no_such_name, "x")(ones(2))
    TABLE.pop("a_kernel_that_fails")
    assert isinstance(caught.value.__cause__, AttributeError)


class _Late(Exception):
    pass


@pytest.mark.parametrize("raised", [TimeoutError, _Late, Exception, ConnectionError, ValueError, KeyError])
def test_what_the_handler_of_a_signal_raises_within_a_kernel_is_the_program_s(
    raised: type[Exception],
) -> None:
    def kernel(x: Any) -> Any:
        raise raised("late")

    seen = RuntimeError if raised in (ValueError, KeyError) else raised
    with pytest.raises(seen, match="late") as info:
        Op("late", kernel, "x", listed=False)(ones(2))
    assert type(info.value) is seen
    assert ("operands" in str(info.value)) == (seen is RuntimeError)


def test_what_the_handler_of_a_signal_raises_within_a_view_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def once(x: Any, axes: Any) -> Any:
        monkeypatch.undo()
        raise TimeoutError("late")

    monkeypatch.setattr(shape.permute, "kernel", once)
    with pytest.raises(TimeoutError, match="late"):
        _ = ones(2, 2).T


def test_an_error_leaves_everything_as_it_was() -> None:
    x = ones(2, requires_grad=True)
    for wrong in (
        lambda: x + ones(3),
        lambda: x @ ones(3),
        lambda: x[5],
        lambda: x.sum(4),
        lambda: x.reshape(7),
    ):
        with pytest.raises((RuntimeError, IndexError)):
            wrong()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    assert mg.is_grad_enabled()


# ---------------------------------------------------------------- NumPy's functions, and its warnings

INTO_ARRAYS: dict[str, tuple[str, list[str]]] = {
    "+=": ("a += t", ["a += t, with a NumPy array a", "a = a + t", "a += t.detach().numpy()"]),
    "@=": ("b @= s", ["a @= t", "a = a @ t"]),
    "//=": ("a //= t", ["a //= t", "a = a // t"]),
    "out": ("np.add(t, t, out=a)", ["np.add with a NumPy array as out=", "t = np.add(...)", ".detach().numpy()"]),
    "exp-out": ("np.exp(t, out=a)", ["np.exp with a NumPy array as out=", "t = np.exp(...)"]),
    "power-out": ("np.float_power(t, t, out=a)", ["np.float_power with a NumPy array as out="]),
    "out-tensor": ("np.add(t, t, out=t)", ["np.add is recorded", "not with out=", "t = np.add(...)"]),
    "where": ("np.add(t, t, where=a > 0)", ["np.add is recorded", "not with where=", "minigrad.where"]),
    "dtype": ("np.add(t, t, dtype=float)", ["not with dtype=", "t.to(dtype)"]),
    "matmul": ("np.matmul(s, s, casting='no')", ["np.matmul is recorded", "not with casting="]),
    "reduce": ("np.subtract.reduce(t)", ["np.subtract.reduce is not recorded", ".detach().numpy()"]),
    "accumulate": ("np.hypot.accumulate(t)", ["np.hypot.accumulate is not", ".detach().numpy()"]),
    "outer": ("np.hypot.outer(t, t, dtype=float)", ["np.hypot.outer is not recorded", ".detach().numpy()"]),
    "at": ("np.add.at(t, [0], 1.0)", ["np.add.at is not recorded", "accumulate=True"]),
    "unknown": ("np.nextafter(t, t, casting='no')", ["np.nextafter is recorded", "not with casting="]),
}  # fmt: skip


@pytest.mark.parametrize(("code", "says"), INTO_ARRAYS.values(), ids=INTO_ARRAYS)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_what_is_refused_of_numpy_says_why(code: str, says: list[str], requires_grad: bool) -> None:
    space = {
        "np": np, "a": np.ones(2, np.float32), "b": np.ones((2, 2), np.float32),
        "t": ones(2, requires_grad=requires_grad), "s": ones(2, 2, requires_grad=requires_grad),
    }  # fmt: skip
    with pytest.raises(TypeError) as caught:
        exec(code, space)
    for part in [*says, "(at <string>:1)"]:
        assert part in str(caught.value)
    assert space["a"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", ["isclose", "allclose"])
def test_a_comparison_that_is_wrong_names_itself(name: str) -> None:
    call = getattr(mg, name)
    for a, b, options in [
        (ones(2), ones(2).double(), {}), (ones(2), ones(3), {}), (ones(2), ones(2), {"rtol": -1.0}),
    ]:  # fmt: skip
        with pytest.raises(RuntimeError, match=f"^{name}: "):
            call(a, b, **options)
    with pytest.raises(TypeError, match=rf"{name}\(\)"):
        call(ones(2), 1.0)


def _replayed(value: float) -> Any:
    """A function with a number beyond float32, replayed until it is compiled."""
    compiled = mg.compile(lambda x: x * value + value)
    x = ones(3)
    return [compiled(x) for _ in range(140)][-1]


# What computes outside of kernels: infinities, nan and numbers beyond the element type pass in silence, as in PyTorch.
SILENT: dict[str, tuple[Any, Any]] = {
    "linspace": (lambda: mg.linspace(-3e38, 3e38, 3), [math.nan, -math.inf, math.nan]),
    "linspace-inf": (lambda: mg.linspace(0, math.inf, 2), [math.nan, math.nan]),
    "arange": (lambda: mg.arange(0, 2e5, 1e5, dtype=mg.float16), [0.0, math.inf]),
    "tensor": (lambda: mg.tensor([1e300], dtype=mg.float32), [math.inf]),
    "setitem": (lambda: _set(ones(2).half(), 0, 1e300), [math.inf, 1.0]),
    "setitem-mask": (lambda: _set(ones(2).half(), mg.tensor([True, False]), 1e300), [math.inf, 1.0]),
    "to": (lambda: mg.tensor([math.inf, 3e38]).half(), [math.inf, math.inf]),
    "normal": (lambda: mg.normal(mg.full((1,), math.inf), mg.full((1,), math.inf)).isfinite(), [False]),
    "uniform_": (lambda: ones(1).uniform_(0.0, 3.4e38).isfinite(), [True]),
    "uniform_-numpy": (lambda: ones(1).uniform_(0.0, np.float32(3e38)).isfinite(), [True]),
    "isclose": (lambda: mg.isclose(mg.tensor([3e38]), mg.tensor([-3e38])), [False]),
    "contains": (lambda: mg.tensor(1e300 in ones(2, dtype=mg.float16)), False),
    "asarray": (lambda: mg.tensor(np.asarray(mg.tensor([3e38]), "float16")), [math.inf]),
    "item": (lambda: mg.tensor(mg.tensor(3e38).half().item()), math.inf),
    "replay": (lambda: _replayed(1e39), [math.inf] * 3),
}  # fmt: skip


def _set(t: Any, key: Any, value: Any) -> Any:
    t[key] = value
    return t


@pytest.mark.parametrize(("call", "gives"), SILENT.values(), ids=SILENT)
def test_what_is_beyond_a_type_passes_in_silence(call: Any, gives: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = call()
        assert repr(made)
    np.testing.assert_equal(made.tolist(), gives)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_no_whole_number_is_infinite(value: float) -> None:
    for change in (lambda t: t.fill_(value), lambda t: _set(t, 0, value)):
        with pytest.raises(RuntimeError, match="overflow"):
            change(mg.arange(3))


def test_an_error_names_the_function_that_was_called_and_the_label() -> None:
    x, labels = mg.zeros(3, 4), mg.tensor([0, 9, 1])
    for call, name in (
        (lambda: F.cross_entropy(x, labels), "cross_entropy"),
        (lambda: F.cross_entropy(x, labels, label_smoothing=0.1), "cross_entropy"),
        (lambda: nn.CrossEntropyLoss()(x.T[None], labels[None]), "cross_entropy"),
        (lambda: F.nll_loss(x, labels), "nll_loss"),
    ):
        with pytest.raises(IndexError, match=f"{name}: Target 9 is out of bounds: target number 1 has to be"):
            call()


class _Hasty(nn.Module):
    def __init__(self) -> None:
        self.layer = nn.Linear(1, 1)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: mg.tensor([[1, 2], [3]]), "length 2 at dim 1 (got 1): nested ones have one length (at "),
        (lambda: mg.tensor([[[1], [2]], [[3], [4, 5]]]), "length 1 at dim 2 (got 2): nested ones"),
        (lambda: mg.tensor([1, [2]]), "numbers and sequences stand side by side, as in [1, [2]] (at "),
        (lambda: mg.tensor([1, "a"]), "numbers, got str 'a' in a list (at "),
        (lambda: nn.Embedding(3, 2)(mg.tensor([1, 4])), "there is no row 4, the weight has 3 rows"),
        (lambda: nn.Embedding(3, 2)(mg.tensor([-1, 1])), "there is no row -1, the weight has 3 rows"),
        (lambda: mg.optim.Adam(nn.Linear(1, 1)), "but got minigrad.nn.linear.Linear; pass its parameters()"),
        (_Hasty, "begin with super().__init__()"),
    ],
)
def test_what_beginners_do_wrong_is_told_with_what_to_do(call: Any, says: str) -> None:
    with pytest.raises((ValueError, IndexError, TypeError, AttributeError)) as told:
        call()
    assert says in str(told.value)

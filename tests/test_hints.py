"""Names that only PyTorch has say so; places in notebooks; threads."""

from __future__ import annotations

import importlib
import math
import re
import traceback
from typing import Any

import pytest

import minigrad as mg
from minigrad import func, nn
from minigrad.hints import lacking, nearest
from minigrad.hints.names import NAMES
from minigrad.nn import functional as F

# ---------------------------------------------------------------- names

LACKING = "PyTorch has it, minigrad does not yet"
ASKED = {
    "nn.BCELoss": ["module 'minigrad.nn' has no attribute 'BCELoss'", LACKING, "p.log()"],
    "nn.BCELos": ["Did you mean: 'BCELoss'", LACKING],
    "nn.Lineer": ["Did you mean: 'Linear'"],
    "nn.Relu": ["Did you mean: 'ReLU'"],
    "nn.Softmax": [LACKING, "logsumexp"],
    "nn.Unflatten": ["minigrad has minigrad.unflatten"],
    "nn.Conv2d": [LACKING],
    "nn.init.kaiming_uniform": ["minigrad has minigrad.nn.init.kaiming_uniform_"],
    "F.softmax": [LACKING, "logsumexp"],
    "F.sigmoid": ["minigrad has minigrad.sigmoid"],
    "F.flatten": ["There is minigrad.flatten"],
    "mg.optim.Adam": [LACKING, "minigrad.optim.SGD"],
    "mg.optim.lr_scheduler.StepLR": ["'lr_scheduler'", LACKING, "param_groups"],
    "mg.optim.sgd_": ["Did you mean: 'sgd'"],
    "mg.autograd.Variable": [LACKING, "requires_grad=True"],
    "mg.autograd.functional.jacobain": ["Did you mean: 'jacobian'"],
    "mg.func.vmap": [LACKING],
    "mg.linalg.svd": ["'minigrad' has no attribute 'linalg'", LACKING],
    "mg.cuda.is_available()": [LACKING, "CPU"],
    "mg.einsum": [LACKING, "matmul"],
    "mg.utils.data": [LACKING, "randperm"],
    "mg.nn.utils.clip_grad_norm_": ["'utils'", "grad.mul_"],
    "mg.zeroes": ["Did you mean: 'zeros'"],
    "mg.mse_loss": ["There is minigrad.nn.functional.mse_loss"],
    "mg.ones(2).softmax(0)": ["'Tensor' object has no attribute 'softmax'", LACKING, "logsumexp"],
    "mg.ones(2).cumsum_(0)": [LACKING, "x.copy_(x.cumsum(...))"],
    "mg.ones(2).cuda()": [LACKING, "CPU"],
    "nn.Parameter(mg.ones(2)).norm()": ["'Parameter' object", LACKING, "square()"],
    "mg.Tensor.softmax": ["type object 'Tensor' has no attribute 'softmax'", LACKING],
    "nn.Sequential().cuda()": ["'Sequential' object", LACKING, "CPU"],
}


def shown(error: BaseException) -> str:
    """What the interpreter prints of an error, its own suggestions included."""
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("code", ASKED)
def test_a_name_that_is_missing(code: str) -> None:
    with pytest.raises(AttributeError) as caught:
        eval(code, {"mg": mg, "nn": nn, "F": F})
    text = shown(caught.value)
    for part in ASKED[code]:
        assert part in text
    assert text.count("Did you mean") == ("Did you mean" in ASKED[code][0])


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("from minigrad.nn import BCELoss", ["cannot import name 'BCELoss' from 'minigrad.nn'", LACKING, "log()"]),
        ("from minigrad.nn import Linear, BCELoss as Loss", ["'BCELoss'", LACKING]),
        ("from minigrad.nn import Lineer", ["'Lineer'", "Did you mean: 'Linear'"]),
        ("from minigrad import linalg", ["'linalg'", LACKING]),
        ("from minigrad.optim import Adam", ["'Adam'", "minigrad.optim.SGD"]),
        ("from minigrad import nothing_like_it", ["cannot import name 'nothing_like_it'"]),
    ],
)  # fmt: skip
def test_an_import_of_a_name_that_is_missing(code: str, says: list[str]) -> None:
    with pytest.raises(ImportError) as caught:
        exec(code, {})
    text = shown(caught.value)
    for part in says:
        assert part in text
    assert text.count("Did you mean") == ("Did you mean" in "".join(says))
    assert caught.value.name == code.split()[1]


def test_asking_whether_a_name_is_there() -> None:
    """Libraries ask so: what is missing stays an AttributeError."""
    for owner in (
        mg,
        nn,
        F,
        nn.init,
        mg.optim,
        mg.autograd,
        mg.autograd.functional,
        func,
        mg.Tensor,
        mg.ones(2),
    ):
        for name in ("softmax", "Adam", "values", "zzz", "__array_interface__", "_private"):
            assert not hasattr(owner, name)
            assert getattr(owner, name, 7) == 7
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("minigrad.linalg")


def test_a_probe_costs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "hint", lambda place, name: pytest.fail(f"searched for {name}"))
    for owner in (mg, nn, mg.ones(2), mg.Tensor):
        for name in ("__array_interface__", "__wrapped__", "_repr_html_", "_ipython_display_"):
            assert not hasattr(owner, name)


def test_a_tensor_s_own_names_are_its_own() -> None:
    """What PyTorch's Tensor has more is in nobody's way: attributes, methods of subclasses, `dir`."""

    class Mine(mg.Tensor):
        def softmax(self, dim: int) -> str:
            return f"mine {dim}"

        def __getattr__(self, name: str) -> str:
            return f"asked for {name}"

    t = Mine([1.0])
    assert t.softmax(1) == "mine 1"
    assert t.argsort == "asked for argsort"
    u: Any = mg.ones(2)
    u.values = 3
    assert u.values == 3
    assert {"softmax", "values"} & {*dir(t), *dir(u)} == {"softmax", "values"}
    assert {"sum", "grad", "T"} <= {*dir(mg.ones(2))}
    assert not {"softmax", "cuda", "values"} & {*dir(mg.ones(2))}


def test_every_name_of_pytorch_that_is_missing_says_so() -> None:
    said = [
        (place, name)
        for place, names in NAMES.items()
        for name in names.split()
        if not lacking(place.replace("torch", "minigrad"), name).startswith(". PyTorch has it, minigrad ")
    ]
    assert said == []
    assert lacking("minigrad.nn", "no_such_thing") == ""


# The inputs of the formulas, and what each gives where the shortest other way says so.
X, P, Y = mg.tensor([[0.5, -1.0, 2.0], [0.0, 3.0, -4.0]]), mg.tensor([0.2, 0.9]), mg.tensor([1, 0])


def formula(name: str, **values: Any) -> Any:
    code = next(code for names, code in nearest._FORMULAS.items() if name in names.split())
    return eval(code, {"minigrad": mg, **values})


@pytest.mark.parametrize("name", nearest._FORMULAS)
def test_the_formulas_run(name: str) -> None:
    classes = (
        "cross_entropy" in name.split() or "nll" in name or "one_hot" in name or "embedding" in name.split()
    )
    square = mg.arange(9.0).reshape(3, 3)
    made = formula(
        name.split()[0], x=square if name in ("trace", "tril", "triu") else X, y=Y if classes else X * 0.5, p=P,
        dim=1, n=3, weight=mg.eye(3),
    ) if "BCELoss" not in name.split() else formula("BCELoss", p=P, y=Y)  # fmt: skip
    assert made.isfinite().all()


def test_formulas_are_right() -> None:
    soft = formula("softmax", x=X, dim=1)
    assert mg.allclose(soft.sum(1), mg.ones(2))
    assert mg.allclose(formula("log_softmax", x=X, dim=1).exp(), soft)
    assert formula("CrossEntropyLoss", x=X, y=Y).item() == pytest.approx(
        -(soft[0, 1] * soft[1, 0]).log().item() / 2
    )
    assert formula("NLLLoss", x=soft.log(), y=Y).item() == pytest.approx(
        formula("CrossEntropyLoss", x=X, y=Y).item()
    )
    assert formula("BCELoss", p=P, y=Y).item() == pytest.approx(-(math.log(0.2) + math.log(0.1)) / 2)
    logits = (P / (1 - P)).log()
    assert formula("BCEWithLogitsLoss", x=logits, y=Y).item() == pytest.approx(
        formula("BCELoss", p=P, y=Y).item()
    )
    assert mg.allclose(formula("Softplus", x=X), X.exp().log1p())
    assert mg.allclose(formula("LogSigmoid", x=X), X.sigmoid().log())
    assert mg.allclose(formula("ELU", x=X), mg.where(X > 0, X, X.exp() - 1))
    assert mg.allclose(formula("leaky_relu", x=X), mg.where(X > 0, X, 0.01 * X))
    assert formula("HuberLoss", x=X, y=X - mg.tensor([0.5, 2.0, 0.0])).item() == pytest.approx(
        (0.125 + 1.5) / 3
    )
    assert formula("one_hot", y=Y, n=3).tolist() == [[0, 1, 0], [1, 0, 0]]
    square = mg.arange(9.0).reshape(3, 3)
    assert formula("trace", x=square, n=3).item() == 12
    assert formula("tril", x=square, n=3).tolist() == [[0, 0, 0], [3, 4, 0], [6, 7, 8]]
    assert formula("triu", x=square, n=3).tolist() == [[0, 1, 2], [0, 4, 5], [0, 0, 8]]
    normed = formula("layer_norm", x=X)
    assert mg.allclose(normed.mean(1), mg.zeros(2), atol=1e-6)
    assert mg.allclose(normed.var(1, correction=0), mg.ones(2))


def test_what_is_suggested_exists_and_what_is_said_to_be_missing_is() -> None:
    theirs = {n for names in NAMES.values() for n in names.split()}
    for names, said in {**nearest._FORMULAS, **nearest._SENTENCES}.items():
        for path in re.findall(r"minigrad((?:\.\w+)+)", said):
            home: Any = mg
            for part in path[1:].split("."):
                home = getattr(home, part)
        for method in re.findall(r"[\w)]\.(\w+)\(", said):
            assert any(hasattr(o, method) for o in (mg, mg.Tensor, nn.Module)) or method in (
                "argsort",
                "from_numpy",
            )
        for name in names.split():
            assert name.rpartition(".")[2] in theirs
    gone = [
        n
        for names in nearest._FORMULAS
        for n in names.split()
        if any(hasattr(o, n) for o in (mg, mg.Tensor, nn, F))
    ]
    assert gone == [], "these exist now: take them out of minigrad/hints/nearest.py"

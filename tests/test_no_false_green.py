"""A check that passes must have checked what was meant: hand-written backward passes, labels, float32, dependence."""

from __future__ import annotations

import functools
import textwrap
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd import GradcheckError, gradcheck, gradgradcheck
from minigrad.testing import GradcheckWarning, check_jvp, check_vjp, numeric

pytest_plugins = ["pytester"]

X = np.array([[0.5, -1.0], [2.0, 0.3]])
W = np.array([[0.1, 0.2], [0.3, -0.4]])


def leaf(array: Any = X, **options: Any) -> Any:
    return mg.tensor(array, requires_grad=True, **options)


def said(error: BaseException) -> str:
    return " ".join(str(error).split())


def refused(check: Callable[[], Any], kind: str = numeric.UNCHECKED) -> str:
    """What a check says that does not pass."""
    with pytest.raises(GradcheckError) as caught:
        check()
    assert caught.value.verdict == kind, str(caught.value)
    assert max(map(len, str(caught.value).splitlines())) < 100
    return said(caught.value)


# ---------------------------------------------------------------- functions of NumPy, given Tensors


class Dense:
    """tanh(x W + b), by hand, with a transpose forgotten."""

    def __init__(self, w: Any = W, b: Any = 0.5) -> None:
        self.w, self.b = w, b

    def forward(self, x: Any) -> Any:
        self.x = x
        self.y = np.tanh(x @ self.w + self.b)
        return self.y

    def backward(self, g: Any) -> Any:
        h = g * (1 - self.y**2)
        self.dw, self.db = self.x.T @ h, h.sum(0)
        return h @ self.w

    def __call__(self, x: Any) -> Any:
        return self.forward(x)


class Linear(Dense):
    def forward(self, x: Any) -> Any:  # operators alone, which say nothing of NumPy
        return x @ self.w + self.b


def logged(f: Any) -> Any:
    @functools.wraps(f)
    def wrapper(*args: Any) -> Any:
        return f(*args)

    return wrapper


class Decorated(Linear):
    forward = logged(Linear.forward)


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def affine(x: Any, w: Any) -> Any:
    return x @ w


def affine_backward(x: Any, w: Any, g: Any) -> Any:
    return g @ w, x.T @ g


LAYERS: dict[str, Any] = {
    "a layer's method": Dense().forward,
    "a layer that is called": Dense(),
    "a layer in a lambda": lambda x: Dense().forward(x).sum(),
    "layers in a row": lambda x: Dense().forward(Dense().forward(x)),
    "a layer and one of minigrad's reductions": lambda x: mg.logsumexp(Dense().forward(x), 0),
    "a layer of operators": Linear().forward,
    "a decorated layer": Decorated().forward,
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_whose_backward_is_not_called_does_not_pass(name: str) -> None:
    for check in (gradcheck, gradgradcheck):
        text = refused(lambda check=check: check(LAYERS[name], leaf()))
        assert ".backward is not called" in text
        assert "call check_vjp(layer." in text
        assert "allow_numpy=True" in text
        assert check(LAYERS[name], leaf(), raise_exception=False) is False
        assert check(LAYERS[name], leaf(), allow_numpy=True)


def warned(x: Any) -> Any:
    warnings.warn("mine", stacklevel=1)
    return x


FUNCTIONS: dict[str, Any] = {
    "a ufunc": np.tanh,
    "a function": relu,
    "operators between ufuncs": lambda x: (np.exp(x) * W).sum(0) / 2,
    "views of what NumPy gave": lambda x: np.square(x).T.reshape(4, 1),
    "np.matmul": lambda x: np.matmul(W, x),
    "np.where": lambda x: np.where(x > 0, x, 0) * 2,
    "np.dot and np.sum": lambda x: np.sum(np.dot(x, W), axis=0),
    "several results": lambda x: (np.sin(x), {"other": x * 2}),
    "one that warns of arrays": lambda x: np.tanh(x if isinstance(x, mg.Tensor) else warned(x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_numpy_alone_does_not_pass(name: str) -> None:
    text = refused(lambda: gradcheck(FUNCTIONS[name], leaf()))
    assert "NumPy's functions record minigrad's own derivatives" in text
    assert "call check_vjp(f, vjp, args)" in text
    assert gradcheck(FUNCTIONS[name], leaf(), allow_numpy=True)


def test_a_backward_pass_beside_the_function_is_named() -> None:
    text = refused(lambda: gradcheck(affine, (leaf(), leaf(W))))
    assert "affine_backward is not called" in text
    assert "call check_vjp(affine, affine_backward, args)" in text
    assert "affine_backward" in refused(lambda: gradcheck(lambda x: affine(x, W), leaf()))

    def forward(x: Any) -> Any:
        return x * 2

    def backward(x: Any, g: Any) -> Any:
        return g

    with pytest.raises(GradcheckError, match=r"call check_vjp\(forward, backward, args\)"):
        gradcheck(forward, leaf())
    assert not check_vjp(forward, backward, X, raise_exception=False)


class Halved(mg.autograd.Function):
    """A backward pass by hand that the tape does call."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return np.tanh(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 0.5 * g * (1 - mg.tanh(x) ** 2)


class Twice(mg.autograd.Function):
    """A right one, whose forward works on arrays too."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 2


class Wrapping:
    """A layer whose forward runs a Function that calls its backward."""

    def forward(self, x: Any) -> Any:
        return Halved.apply(x) + 1

    def backward(self, g: Any) -> Any:
        return g


def test_what_is_minigrads_is_not_mistaken() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradcheck(lambda x: mg.sin(np.exp(x)), leaf())
        assert gradcheck(lambda x: np.exp(x.unsqueeze(0)), leaf())
        assert gradcheck(lambda x: np.exp(x) * leaf(W), leaf())
        assert gradcheck(lambda x: np.exp(Twice.apply(x)), leaf())
        assert gradcheck(
            lambda x: W @ x + np.float64(2) * x, leaf()
        )  # operators, which arrays hand over as ufuncs
        assert gradcheck(lambda x: x**2 + x.sum(0), leaf())
        assert gradcheck(mg.nn.Linear(2, 2, dtype=mg.float64), leaf())
        assert gradcheck(lambda x: mg.autograd.grad(x.exp().sum(), x, create_graph=True)[0], leaf())
    for f in (Halved.apply, Wrapping().forward):
        text = refused(lambda f=f: gradcheck(f, leaf()), numeric.FACTOR)
        assert "analytic = 1/2" in text


def test_a_compiled_function_is_checked_as_it_runs() -> None:
    """While it is watched it runs as it is written; what is checked is its plan."""
    compiled = mg.compile(lambda x: mg.sin(x) * x)
    compiled(leaf())
    seen: list[str] = []

    def f(x: Any) -> Any:
        y = compiled(x)
        seen.append(y.grad_fn.op.name if y.requires_grad else "")
        return y

    assert gradcheck(f, leaf())
    assert seen[:2] == [compiled(leaf()).grad_fn.op.name, "mul"]
    assert seen[0] != "mul"
    assert len(compiled.recordings) == 2  # with gradients and without, none for arrays
    refused(lambda: gradcheck(mg.compile(lambda x: np.tanh(x)), leaf()))


def test_a_layer_of_minigrads_functions_with_a_backward_warns() -> None:
    class Layer(mg.nn.Module):
        def forward(self, x: Any) -> Any:
            return mg.tanh(x)

        def backward(self, g: Any) -> Any:
            return g

    with pytest.warns(GradcheckWarning, match=r"Layer\.backward is not called.*autograd\.Function") as seen:
        gradcheck(Layer(), leaf())
    assert seen[0].filename == __file__


def test_a_function_that_needs_arrays_is_told_where_to_go() -> None:
    for f in (
        lambda x: np.spacing(x),
        lambda x: np.sort_complex(x).real,
        lambda x: np.sum(x, out=np.zeros(())),
    ):
        for check in (gradcheck, gradgradcheck):
            with pytest.raises((TypeError, RuntimeError)) as caught:
                check(f, leaf())
            (note,) = caught.value.__notes__
            assert "works on arrays, but not on Tensors" in note
            assert "check_vjp(f, vjp, args)" in note
    with pytest.raises(RuntimeError) as caught:  # one that works on neither
        gradcheck(lambda x: x @ mg.ones(5, 5, dtype=mg.float64), leaf())
    assert not hasattr(caught.value, "__notes__")


def test_an_array_where_a_tensor_belongs() -> None:
    for check in (gradcheck, gradgradcheck):
        with pytest.raises(
            ValueError, match=r"Input x is an array: mg\.tensor\(x, requires_grad=True\).*check_vjp"
        ):
            check(relu, X)
        with pytest.raises(ValueError, match=r"Input w\[0\] is an array"):
            check(lambda x, w: x * w[0], (mg.tensor(X), [W]))
    with pytest.raises(
        TypeError, match=r"output is ndarray; .* A function of arrays is checked by check_vjp"
    ):
        gradcheck(lambda x: x.detach().numpy(), leaf())


# ---------------------------------------------------------------- the functions of testing


def test_a_layer_by_its_own_methods() -> None:
    right = Dense()
    right.backward = lambda g: (g * (1 - right.y**2)) @ W.T  # type: ignore[method-assign]
    assert check_vjp(right.forward, right.backward, X)
    layer = Dense()
    text = refused(lambda: check_vjp(layer.forward, layer.backward, X), numeric.WRONG)
    assert "Dense.forward" in text


def test_what_a_layer_keeps_is_that_of_the_point() -> None:
    """Differences move the point; a backward pass that reads what the last forward kept must not see that."""
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept[:] = [x.copy(), np.sinh(x)]
        return kept[1]

    def vjp(g: Any) -> Any:
        np.testing.assert_array_equal(kept[0], X)
        return g * np.cosh(kept[0])

    assert check_vjp(f, vjp, X)
    assert check_vjp(f, vjp, X, fast_mode=True)
    assert check_jvp(f, vjp, X)
    assert check_jvp(f, vjp, X, fast_mode=True)


def test_the_order_of_arguments() -> None:
    right = lambda g, x, w: (g @ w.T, x.T @ g)  # noqa: E731
    assert check_vjp(affine, lambda x, w, g: right(g, x, w), (X, W))
    assert check_vjp(affine, right, (X, W), cotangent="first")
    assert check_vjp(affine, right, (X, W))  # by the names of its arguments
    assert check_jvp(affine, lambda t, x, w: t[0] @ w + x @ t[1], (X, W))
    assert check_vjp(lambda x: x * x, lambda x, x_: 2 * x * x_, (X,))
    assert check_vjp(affine, lambda g: right(g, X, W), (X, W))
    assert check_vjp(affine, lambda *g: right(*g, X, W), (X, W), cotangent="only")
    assert check_jvp(affine, lambda t, x, w: t[0] @ w + x @ t[1], (X, W), tangent="first")
    with pytest.raises(ValueError, match="cotangent is 'last', 'first' or 'only', not 'middle'"):
        check_vjp(affine, right, (X, W), cotangent="middle")
    with pytest.raises(
        TypeError, match=r"calls vjp\(x, w, cotangent\), but <lambda> .* takes \(g, x\)\. cotangent="
    ):
        check_vjp(affine, lambda g, x: g, (X, W))
    with pytest.raises(TypeError, match=r"calls jvp\(tangent, x, w\)"):
        check_jvp(affine, lambda t: t, (X, W), tangent="first")


def test_what_check_vjp_would_not_check_is_refused() -> None:
    whole = np.array([[1, 2], [3, 4]])
    with pytest.raises(
        ValueError, match=r"returns a gradient for w, which is int64 and so .* is not checked"
    ):
        check_vjp(affine, affine_backward, (X, whole))
    assert check_vjp(affine, lambda x, w, g: (g @ w.T, None), (X, whole))
    assert check_vjp(affine, lambda x, w, g: (g @ w.T, np.zeros_like(w)), (X, whole))
    for args in ((leaf(), W), (X, mg.tensor(W)), (X, [leaf(W)])):
        with pytest.raises(TypeError, match=r"for functions of arrays, but \S+ is a Tensor: .*gradcheck"):
            check_vjp(affine, affine_backward, args)


# ---------------------------------------------------------------- float32


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.filterwarnings("ignore:.*not a double precision")
def test_float32_is_told_to_use_float64(fast: bool) -> None:
    narrow = X.astype(np.float32)
    cases: dict[str, Callable[[], Any]] = {
        "x is float32; pass x.double()": lambda: gradcheck(
            lambda x: mg.sin(3 * x), leaf(narrow), fast_mode=fast
        ),
        "x is float16; pass x.double()": lambda: gradcheck(
            lambda x: x.exp(), leaf(X.astype(np.float16)), fast_mode=fast
        ),
        "output is float32": lambda: gradcheck(lambda x: mg.sin(x.float()), leaf(), fast_mode=fast),
        "what to gives (": lambda: gradcheck(lambda x: x.float().sin().double(), leaf(), fast_mode=fast),
        "x is float32; pass x.astype(np.float64)": lambda: check_vjp(
            np.sin, lambda x, g: g * np.cos(x), narrow, fast_mode=fast
        ),
    }
    for advice, check in cases.items():
        with pytest.raises(GradcheckError) as caught:
            check()
        text = said(caught.value)
        assert "use float64" in text, text
        assert advice in text
        assert "eps=0" not in text
        assert "eps=1" not in text
    error = refused(
        lambda: gradcheck(lambda x: x.detach() * x, leaf(narrow), fast_mode=fast, eps=1e-2), numeric.FACTOR
    )
    assert "use float64: x is float32" in error  # no verdict is sure, whatever it is


def test_a_step_that_is_lost_is_no_lack_of_finite_values() -> None:
    error = refused(lambda: check_vjp(np.sin, lambda x, g: g * np.cos(x), 1e12 * X), numeric.NOISY)
    assert "x does not move: 5e+11 has too few digits for it" in error
    assert "check at smaller values" in error


# ---------------------------------------------------------------- inputs that depend on each other


def test_inputs_that_depend_on_each_other() -> None:
    x = leaf()
    y = x * 2
    product = lambda x, y: x.sin() * y  # noqa: E731
    for check in (gradcheck, gradgradcheck):
        for options in ({}, {"fast_mode": True}):
            text = refused(lambda c=check, o=options: c(product, (x, y), **o), numeric.DEPENDENT)
            assert "input y is computed from x (mul, test_no_false_green.py:" in text.replace("tests/", "")
            assert "x is moved alone" in text
            assert ".detach().clone().requires_grad_()" in text
            assert "culprit" not in text
    assert gradcheck(product, (x, y.detach().clone().requires_grad_()))
    assert gradcheck(lambda x, y: x.sin(), (x, y))
    z = (y + 1).exp()
    assert "input z is computed from x (exp, " in refused(
        lambda: gradcheck(lambda x, z: x * z, (x, z)), numeric.DEPENDENT
    )
    assert gradcheck(lambda z: z * z, z)
    text = refused(lambda: gradcheck(lambda x: x.sin() * y, x), numeric.DEPENDENT)
    assert "a value from outside is computed from x (mul, " in text
    for other in (x.detach(), x[0], x.T):
        with pytest.raises(RuntimeError, match=r"share memory, so they depend on each other: .*\.clone\(\)"):
            gradcheck(lambda a, b: a.sum() * b, (x, other.requires_grad_()))
    # a fault that has nothing to do with it keeps its verdict
    both = lambda x, y, z: (x * y, Halved.apply(z))  # noqa: E731
    with pytest.raises(GradcheckError) as caught:
        gradcheck(both, (x, y, leaf()))
    assert {f.input: f.kind for f in caught.value.findings} == {"x": numeric.DEPENDENT, "z": numeric.FACTOR}


# ---------------------------------------------------------------- the plugin

HEAD = """
import numpy as np
import pytest
import minigrad as mg

X = np.array([[0.5, -1.0], [2.0, 0.3]])

class Dense:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def forward(self, x):
        self.x, self.y = x, np.tanh(x @ self.w + self.b)
        return self.y

    def backward(self, g):
        h = g * (1 - self.y**2)
        self.dw, self.db = self.x.T @ h, h.sum(0)
        return h @ self.w.T

layer = Dense(2 * X, np.ones(2))
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Runs a test file in this process."""
    # Where one of these is set, pytest's summary repeats whole messages.
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = -p no:cacheprovider --strict-markers")

    def go(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=HEAD + textwrap.dedent(source))
        return pytester.runpytest_inprocess("-p", "no:randomly", *options)

    return go


def test_the_fixtures_for_backward_passes_by_hand(run: Any) -> None:
    found = run("""
        def forward(x, w, b):
            return Dense(w, b).forward(x)

        def vjp(x, w, b, g):
            made = Dense(w, b)
            made.forward(x)
            return made.backward(g), made.dw, made.db

        ARGS = (X, 2 * X, np.ones(2))

        def test_layer(check_vjp):
            assert check_vjp(layer.forward, layer.backward, X)
            assert check_vjp(forward, vjp, ARGS)

        def test_first(check_jvp):
            assert check_jvp(np.sin, lambda t, x: t * np.cos(x), X, tangent="first")

        def test_wrong(check_vjp):
            check_vjp(forward, lambda *a: (vjp(*a)[0].T, *vjp(*a)[1:]), ARGS)

        def test_wrong_too(check_jvp):
            check_jvp(np.sin, lambda x, t: -t * np.cos(x), X, seed=3)

        def test_options(check_vjp, pytestconfig):
            import minigrad.testing

            seen = {}
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(minigrad.testing, "check_vjp", lambda *args, **options: seen.update(options))
                check_vjp(forward, vjp, ARGS)
                assert seen == {"seed": 7, "eps": 1e-5}
                check_vjp(forward, vjp, ARGS, seed=1, eps=1e-4, atol=1.0)
                assert seen == {"seed": 1, "eps": 1e-4, "atol": 1.0}
        """, "--gradcheck-seed=7", "--gradcheck-eps=1e-5")  # fmt: skip
    found.assert_outcomes(passed=3, failed=2)
    found.stdout.fnmatch_lines([
        ">*check_vjp(forward, lambda*",
        "E *GradcheckError: check_vjp: forward (test_it.py:*)",
        "E *transposed: *",
        "E *repeat: pytest test_it.py::test_wrong --gradcheck-seed=7",
        "test_it.py:*: GradcheckError",
        "E *check_jvp: sin*",
        "E *wrong sign*",
        "E *repeat: pytest test_it.py::test_wrong_too (seed 3 stands there)",
        "gradient checks: 5 ran in 4 tests; error / tolerance:",
        "  tightest *",
    ])  # fmt: skip
    assert "minigrad_pytest" not in found.stdout.str()
    assert "plain.py" not in found.stdout.str()


@pytest.mark.parametrize("style", ["long", "short", "native", "line"])
def test_a_report_stands_alone(run: Any, style: str) -> None:
    found = run("""
        import minigrad.testing

        def wrong(x, g):
            return -g * np.cos(x)

        def test_vjp(check_vjp):
            check_vjp(np.sin, wrong, X)

        def test_direct():
            minigrad.testing.check_vjp(np.sin, wrong, X)

        def test_gradcheck(gradcheck):
            try:
                raise KeyError("earlier")
            except KeyError:
                gradcheck(layer.forward, X)

        def test_error(check_vjp):
            check_vjp(np.sin, lambda x, g: g.nothing, X)
        """, f"--tb={style}")  # fmt: skip
    found.assert_outcomes(failed=4)
    text = found.stdout.str()
    assert text.count("wrong sign: analytic = -numeric") == 2
    for file in ("minigrad_pytest", "checks.py", "gradcheck/", "checking.py", "plain.py", "testing/__"):
        assert file not in text
    assert "/pluggy/" not in text.partition("KeyError")[0]


def test_a_layer_in_the_fixture_and_the_mark_does_not_pass(run: Any) -> None:
    found = run("""
        @pytest.mark.gradcheck(inputs=[X])
        def test_mark(x):
            return layer.forward(x)

        @pytest.mark.gradcheck(inputs=["x", X])
        @pytest.mark.parametrize("x", [X])
        def test_names(x, w):
            return np.tanh(x @ w)

        @pytest.mark.gradcheck(inputs=[X], allow_numpy=True, order=2)
        def test_meant(x):
            return layer.forward(x)

        def test_fixture(gradcheck):
            gradcheck(lambda x: layer.forward(x).sum(), X)

        def test_fixture_meant(gradcheck):
            gradcheck(layer.forward, X, allow_numpy=True, order=2)

        def test_operators(gradcheck):
            gradcheck(lambda x, w: x @ w, [X, X])

        @pytest.mark.gradcheck(inputs=[X])
        def test_mine(x):
            return mg.sin(np.exp(x))

        @pytest.mark.gradcheck(inputs=[X])
        def test_scale(x):
            return x * 2

        def test_scale_backward():  # the test of another thing
            pass
        """)
    found.assert_outcomes(passed=6, failed=3)
    found.stdout.fnmatch_lines([
        "gradcheck: test_mark (test_it.py:*)",
        "*verdict  nothing of yours is checked: Dense.backward is not called*",
        "*call check_vjp(layer.forward, layer.backward, args)*",
        "gradcheck: test_names (test_it.py:*)",
        "*verdict  nothing of yours is checked: NumPy's functions record minigrad's own",
        ">*gradcheck(lambda x: layer.forward(x).sum(), X)",
        "E *Dense.backward is not called*",
        "gradient checks: 10 ran in 8 tests; *",
        "  2 of these saw nothing but operators *",
        "  (test_it.py::test_operators); a backward pass *check_vjp",
    ])  # fmt: skip


def test_names_of_others_are_left_alone(pytester: pytest.Pytester) -> None:
    """A mark without inputs is a label; fixtures and arguments of the same names are the project's own."""
    pytester.makeini(
        "[pytest]\nfilterwarnings = error\nmarkers =\n    gradcheck: slow checks of ours\n"
        "addopts = -p no:cacheprovider --strict-markers"
    )
    pytester.makeconftest("""
        import sys
        import pytest

        @pytest.fixture
        def gradcheck():
            return "ours"

        @pytest.fixture
        def check_vjp(gradcheck):
            return gradcheck

        def pytest_unconfigure():
            print("loaded:", *sorted({"numpy", "minigrad", "minigrad_pytest.checks"} & set(sys.modules)))
        """)
    folder = pytester.mkdir("gradcheck")  # pytest takes the names of folders for keywords
    (folder / "test_labels.py").write_text(
        textwrap.dedent("""
        import unittest
        import pytest

        pytestmark = pytest.mark.gradcheck

        @pytest.mark.gradcheck("why", slow=True)
        def test_arguments(tmp_path):
            assert tmp_path.is_dir()

        @pytest.mark.gradcheck(order=2, eps=1)
        class TestClass:
            def test_method(self): pass

        @pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.gradcheck([2]))])
        def test_param(x): pass

        class TestUnit(unittest.TestCase):
            @pytest.mark.gradcheck
            def test_unit(self): pass

        def test_fixtures(gradcheck, check_vjp):
            assert (gradcheck, check_vjp) == ("ours", "ours")

        @pytest.mark.parametrize("check_jvp", [True])
        def test_argument(check_jvp):
            assert check_jvp is True
        """)
    )
    found = pytester.runpytest_subprocess("-q", "-s", "-m", "gradcheck")
    found.assert_outcomes(passed=7)
    assert [line.rstrip() for line in found.outlines if "loaded" in line] == ["loaded:"]


def test_labels_and_fixtures_beside_ours(run: Any) -> None:
    found = run("""
        pytestmark = pytest.mark.gradcheck("a label of the module")

        @pytest.fixture
        def gradcheck(gradcheck):
            return lambda f: gradcheck(f, X)

        def test_wrapped(gradcheck):
            assert gradcheck(mg.tanh)
            assert mg.randn(1).item() == drawn

        drawn = mg.randn(1, generator=mg.Generator().manual_seed(0)).item()

        @pytest.mark.gradcheck(inputs=[X])
        def test_check(x):
            return mg.tanh(x)

        @pytest.mark.gradcheck([X])
        def test_forgotten(x):
            return x

        @pytest.mark.gradcheck("label")
        def test_unknown(x):
            return x
        """)
    found.assert_outcomes(passed=2, errors=2)
    found.stdout.fnmatch_lines([
        "*cannot work: what the mark says has a name*",
        "*cannot work: 'x' is no fixture; for a check write @pytest.mark.gradcheck(inputs=*",
        "gradient checks: 2 ran in 2 tests; *",
    ])  # fmt: skip

"""The pytest plugin: fixture, mark, options and summary, in this process, in others, and under pytest-xdist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy  # noqa: F401 (imported here: pytester forgets what an inner run imports)
import numpy as np
import numpy.random
import pytest
from hypothesis import find, given, settings

import minigrad.testing
import minigrad_pytest.checks  # noqa: F401
from minigrad.testing.strategies import broadcastable_arrays, broadcastable_shapes, float_arrays, shapes

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parent.parent / "docs" / "plugin.md"

HEAD = """
import numpy as np
import pytest
import minigrad as mg
from hypothesis import given, settings, strategies as st

X = np.array([0.5, 1.0])

class Halved(mg.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return mg.tanh(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 0.5 * g * (1 - mg.tanh(x) ** 2)
"""


@pytest.fixture
def run(pytester):
    """Runs a test file in this process."""
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = -p no:cacheprovider --strict-markers")

    def go(source, *options):
        pytester.makepyfile(test_it=HEAD + textwrap.dedent(source))
        return pytester.runpytest_inprocess("-p", "no:randomly", *options)

    return go


# ---------------------------------------------------------------- start


def fresh(*args, cwd, **env):
    """pytest in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args],
        cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_starting_imports_no_numpy(tmp_path):
    (tmp_path / "test_it.py").write_text("def test(): pass\n")
    (tmp_path / "watch.py").write_text(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    print('loaded:', *sorted({'numpy', 'minigrad', 'minigrad_pytest'} & set(sys.modules)))\n"
    )
    done = fresh("--co", "-p", "watch", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert "1 test collected" in done.stdout, done.stdout + done.stderr
    assert "loaded: minigrad_pytest\n" in done.stdout
    done = fresh("-p", "watch", "-p", "no:minigrad", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert "1 passed" in done.stdout
    assert "loaded:\n" in done.stdout.replace(": \n", ":\n")


def test_without_the_plugin_its_names_are_unknown(run):
    found = run("def test(gradcheck): pass", "-p", "no:minigrad")
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines(["*fixture 'gradcheck' not found"])


def test_pytest_is_needed_by_the_plugin_alone():
    program = "import sys; import minigrad.testing.strategies; print('pytest' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_nothing_is_printed_where_nothing_is_checked(run):
    assert "gradient checks" not in run("def test(): pass").stdout.str()


def test_in_a_process_of_its_own(tmp_path):
    (tmp_path / "test_it.py").write_text(
        HEAD + "def test(gradcheck): assert gradcheck(mg.tanh, X, order=2)\n"
    )
    done = fresh("-W", "error", cwd=tmp_path)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert re.search(
        r"^gradient checks: 2 ran in 1 test; error / tolerance:\n  tightest \S+ in test_it", done.stdout, re.M
    )


# ---------------------------------------------------------------- the fixture


def test_the_fixture_is_called_like_the_function(run):
    run("""
        def test_tensors_and_arrays(gradcheck):
            x = mg.tensor(X, requires_grad=True)
            assert gradcheck(mg.tanh, x)
            assert gradcheck(mg.mul, (x, X), order=2, fast_mode=True)
            assert gradcheck(lambda a, k: a[k], [X, np.array([1, 1, 0])])

        def test_a_wrong_gradient(gradcheck):
            with pytest.raises(mg.autograd.GradcheckError, match="constant factor"):
                gradcheck(Halved.apply, X)
            assert not gradcheck(Halved.apply, X, raise_exception=False)

        def test_with_what_it_gives(checked):
            assert checked

        @pytest.fixture(scope="module")
        def checked(gradcheck):
            return gradcheck(mg.exp, X)

        @given(st.integers(1, 3))
        def test_under_hypothesis(gradcheck, n):
            gradcheck(lambda x: x**n, X)
        """).assert_outcomes(passed=4)


def test_a_report_shows_your_line_and_none_of_ours(run, pytester):
    found = run("""
        def test(gradcheck):
            gradcheck(Halved.apply, X)
        """, "--gradcheck-seed=7")  # fmt: skip
    found.assert_outcomes(failed=1)
    line = (pytester.path / "test_it.py").read_text().splitlines().index("    gradcheck(Halved.apply, X)") + 1
    found.stdout.fnmatch_lines([
        ">*gradcheck(Halved.apply, X)",
        "E*GradcheckError: gradcheck: Halved.apply*",
        "E*wrong by a constant factor*",
        "E*seed 7*",
        f"E*culprit*Halved, test_it.py:{line}",
        "E*repeat: pytest test_it.py::test --gradcheck-seed=7",
        f"test_it.py:{line}: GradcheckError",
    ])  # fmt: skip
    assert "minigrad_pytest" not in found.stdout.str()
    assert "gradcheck.py" not in found.stdout.str()


def test_an_error_in_the_function_shows_the_function(run):
    found = run("""
        def f(x):
            return x @ mg.ones(5, 5, dtype=mg.float64)

        def test_fixture(gradcheck):
            gradcheck(f, X)

        @pytest.mark.gradcheck(inputs=[X])
        def test_mark(x):
            return f(x)
        """)
    found.assert_outcomes(failed=2)
    found.stdout.fnmatch_lines(
        [">*gradcheck(f, X)", "test_it.py:*: in f", ">*return f(x)", "test_it.py:*: in f"]
    )
    assert "minigrad_pytest" not in found.stdout.str()
    assert "gradcheck.py" not in found.stdout.str()


def test_full_trace_hides_nothing(run):
    found = run("def test(gradcheck): gradcheck(Halved.apply, X)", "--full-trace")
    found.stdout.fnmatch_lines(["*minigrad_pytest*checks.py:*"])


# ---------------------------------------------------------------- the mark


def test_the_mark_makes_a_test_a_check(run):
    found = run("""
        @pytest.mark.gradcheck(inputs=[X, X])
        def test_product(x, y):
            assert x.dtype == mg.float64 and x.requires_grad
            return x * y

        @pytest.mark.gradcheck(inputs=[np.float32(0.5), np.array([1, 0])])
        def test_kinds(x, k):
            assert x.dtype == mg.float64 and k.dtype == mg.int64
            return (x * k, k + x)

        @pytest.mark.gradcheck(inputs=[mg.tensor(X, requires_grad=True)], order=2, fast_mode=True)
        def test_second_order(x):
            return mg.exp(x)

        @pytest.mark.gradcheck(inputs=[X])
        def test_wrong(x):
            return Halved.apply(x) + 1
        """)
    found.assert_outcomes(passed=3, failed=1)
    found.stdout.fnmatch_lines([
        "gradcheck: test_wrong (test_it.py:*)",
        "*wrong by a constant factor: analytic = *0.5*",
        "*culprit*Halved, test_it.py:*",
        "repeat: pytest test_it.py::test_wrong --gradcheck-seed=0",
        "test_it.py:*: test_wrong",
        "gradient checks: 5 ran in 4 tests; *",
    ])  # fmt: skip
    assert "checks.py" not in found.stdout.str()


def test_the_mark_with_parametrize_fixtures_and_classes(run):
    run("""
        @pytest.fixture
        def w():
            return np.array([2.0, 3.0])

        @pytest.mark.parametrize("n", [1, 2])
        @pytest.mark.gradcheck(inputs=[X])
        def test_parametrized(n, x, tmp_path):
            assert tmp_path.is_dir()
            return x**n

        @pytest.mark.parametrize("x", [X, 2 * X], ids=["one", "two"])
        @pytest.mark.gradcheck(inputs=[X, "w", "x"])
        def test_named(x, v, w):
            return x * v / w

        @pytest.mark.gradcheck(order=2, inputs=[X])
        class TestAll:
            def test_method(self, x):
                assert isinstance(self, TestAll)
                return x * x

            @staticmethod
            def test_static(x):
                return mg.sin(x)

            @pytest.mark.gradcheck(order=1)
            def test_once(self, x):
                return mg.cos(x)
        """, "-v").assert_outcomes(passed=7)  # fmt: skip


def test_the_mark_with_hypothesis(run):
    found = run("""
        from hypothesis import Phase
        from minigrad.testing.strategies import float_arrays

        @pytest.mark.gradcheck(inputs=["x", X])
        @given(n=st.integers(1, 3), x=float_arrays((2,)))
        @settings(max_examples=10)
        def test_right(n, x, w):
            return x**n * w

        class TestIt:
            @pytest.mark.gradcheck(inputs=[X])
            @given(n=st.integers(1, 3))
            @settings(max_examples=10)
            def test_method(self, x, n):
                return x**n

        @pytest.mark.gradcheck(inputs=["x"])
        @given(x=float_arrays((2,), min_value=1))
        @settings(derandomize=True, phases=[Phase.generate, Phase.shrink])  # to explain takes a hundred more runs
        def test_wrong(x):
            return Halved.apply(x)
        """)
    found.assert_outcomes(passed=2, failed=1)
    found.stdout.fnmatch_lines([
        "gradcheck: test_wrong (*",
        "repeat: pytest test_it.py::test_wrong --gradcheck-seed=0",
        "*test_wrong(*",
        "*x=array(*",
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("mark", "body", "sentence"),
    [
        (
            "",
            "return x",
            "'x' is no fixture; for a check write @pytest.mark.gradcheck(inputs=[[]array, ...[]])",
        ),
        ("(inputs=[])", "return x", "its inputs are empty*"),
        ("([X])", "return x", "what the mark says has a name*"),
        ("(inputs=[X, X])", "return x", "it has 2 arrays as inputs, for the arguments (x)"),
        ("(inputs=['y'])", "return x", "the input 'y' is the name of no argument"),
        (
            "(inputs=[[0.5]])",
            "return x",
            "the input 'x' is a list; give an array, np.array(...), or a Tensor",
        ),
        ("(inputs=[np.arange(3)])", "return x", "no input has a gradient; give at least one array of floats"),
        (
            "(inputs=[X])",
            "x * x",
            "it returns NoneType; return the Tensor to differentiate, or a tuple of them",
        ),
        ("(inputs=[X])", "return (x, 1)", "it returns Tensor, int; *"),
    ],
)
def test_a_mark_that_cannot_work_says_why(run, mark, body, sentence):
    found = run(f"@pytest.mark.gradcheck{mark}\ndef test(x): {body}")
    assert not found.parseoutcomes().get("passed")
    found.stdout.fnmatch_lines(
        [f"@pytest.mark.gradcheck of test cannot work: {sentence}", "", "test_it.py:*: test"]
    )


def test_other_mistakes_get_a_line(run):
    found = run("""
        import unittest

        @pytest.mark.gradcheck(inputs=[X], epsilon=1)
        def test_option(x):
            return x

        @pytest.mark.gradcheck(inputs=[X], order=3)
        def test_order(x):
            return x

        class TestCase(unittest.TestCase):
            @pytest.mark.gradcheck(inputs=[X])
            def test_unittest(self, x):
                return x
        """)
    found.assert_outcomes(failed=2, errors=1)
    found.stdout.fnmatch_lines(["*cannot work: it is for plain test functions*"])
    found.stdout.fnmatch_lines(["TypeError: *'epsilon'*", "ValueError: gradcheck: order is 1 or 2, not 3"])


# ---------------------------------------------------------------- options


def test_the_options_are_defaults(run, pytester):
    source = """
        import functools

        seen = []

        @pytest.fixture(autouse=True)
        def spied(monkeypatch):
            for real in (mg.autograd.gradcheck, mg.autograd.gradgradcheck):
                @functools.wraps(real)
                def spy(func, inputs, name=real.__name__, **options):
                    seen.append((name, options))
                    return True

                monkeypatch.setattr(mg.autograd, real.__name__, spy)

        def test_plain(gradcheck):
            gradcheck(mg.tanh, X)
            gradcheck(mg.tanh, X, eps=1e-4, order=1, seed=1)
            print(seen)
        """
    found = run(source, "-s")
    found.stdout.fnmatch_lines(
        ["*[[]('gradcheck', {'seed': 0}), ('gradcheck', {'seed': 1, 'eps': 0.0001})[]]*"]
    )
    found = run(source, "-s", "--gradcheck-order=2", "--gradcheck-eps=1e-5", "--gradcheck-seed=9")
    both = "('gradcheck', {'seed': 9, 'eps': 1e-05}), ('gradgradcheck', {'seed': 9, 'eps': 1e-05})"
    found.stdout.fnmatch_lines(
        ["gradient checks: seed 9", f"*[[]{both}, ('gradcheck', {{'seed': 1, 'eps': 0.0001}})[]]*"]
    )
    pytester.makeini("[pytest]\ngradcheck_seed = 5\ngradcheck_order = 2")
    pytester.runpytest_inprocess("-s").stdout.fnmatch_lines(["*'gradgradcheck', {'seed': 5}*"])


@pytest.mark.parametrize("option", ["seed=x", "seed=-1", "eps=0", "eps=nan", "order=3"])
def test_a_bad_option_is_an_error_at_once(run, option):
    found = run("def test(): pass", f"--gradcheck-{option}")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(
        [f"ERROR: --gradcheck-{option.partition('=')[0]} (or gradcheck_*) is *, not '*'"]
    )


def test_random_numbers_are_those_of_the_seed(run):
    source = """
        drawn = {}

        @pytest.mark.parametrize("k", [0, 1])
        def test_drawn(gradcheck, k):
            drawn[k] = mg.randn(3).tolist()

        def test_same():
            assert drawn[0] == drawn[1]
            print("drawn", drawn[0])
        """
    with minigrad.random.fork_rng():
        minigrad.manual_seed(4)
        expected = minigrad.randn(3).tolist()
        before = minigrad.get_rng_state()
        run(source, "-s", "--gradcheck-seed=4").stdout.fnmatch_lines(
            [f"*drawn {str(expected).replace('[', '[[]')}*"]
        )
        np.testing.assert_array_equal(minigrad.get_rng_state(), before)


def test_a_random_seed_is_told(run):
    found = run("def test(gradcheck): gradcheck(Halved.apply, X)", "--gradcheck-seed=random")
    (told,) = re.findall(r"^gradient checks: seed (\d+)$", found.stdout.str(), re.M)
    assert f"--gradcheck-seed={told}" in found.stdout.str()


# ---------------------------------------------------------------- the summary


def test_the_summary_counts_and_names_the_margins(run):
    found = run("""
        def test_exact(gradcheck):
            gradcheck(lambda x: 0 * x, X)

        def test_by_the_function():
            assert mg.autograd.gradcheck(mg.tanh, mg.tensor(X, requires_grad=True), eps=1e-3)

        def test_plain_numpy():
            from minigrad.testing import check_vjp
            assert check_vjp(np.sin, lambda x, g: g * np.cos(x), X)

        def test_wrong_as_it_should_be(gradcheck):
            with pytest.raises(RuntimeError):
                gradcheck(Halved.apply, X)
        """)
    found.assert_outcomes(passed=4)
    found.stdout.fnmatch_lines([
        "gradient checks: 4 ran in 4 tests; error / tolerance:",
        "  tightest * in test_it.py::test_by_the_function",
        "  loosest 0 in test_it.py::test_exact",
    ])  # fmt: skip


def test_with_xdist(tmp_path):
    pytest.importorskip("xdist")
    body = """
        @pytest.mark.parametrize("n", [1, 2, 3])
        @pytest.mark.gradcheck(inputs=[X])
        def test_power(x, n):
            return x**n

        def test_wrong(gradcheck):
            gradcheck(Halved.apply, X)
        """
    (tmp_path / "test_it.py").write_text(HEAD + textwrap.dedent(body))
    done = fresh("-n", "2", "-W", "error", "--gradcheck-seed=random", cwd=tmp_path)
    assert "1 failed, 3 passed" in done.stdout, done.stdout + done.stderr
    assert (
        len(
            re.findall(
                r"^gradient checks: 4 ran in 4 tests; .*\n  tightest \S+ in test_it.py::test_power\[\d\]$",
                done.stdout,
                re.M,
            )
        )
        == 1
    )
    (told,) = re.findall(r"^gradient checks: seed (\d+)$", done.stdout, re.M)
    assert f"--gradcheck-seed={told}" in done.stdout


# ---------------------------------------------------------------- strategies


@pytest.mark.parametrize("strategy", [shapes, broadcastable_shapes, float_arrays, broadcastable_arrays])
def test_without_hypothesis_the_extra_is_named(strategy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("hypothesis", "hypothesis.extra"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="the extra `testing`"):
        strategy()


def test_float_arrays_keep_away():
    @settings(max_examples=200, database=None)
    @given(float_arrays(dtype=np.float32, min_value=-1, max_value=0.7, away_from=(0, 0.7, -1), gap=0.1))
    def check(x):
        assert x.dtype == np.float32
        assert np.isfinite(x).all()
        assert ((x >= -0.9001) & (x <= 0.6001) & (abs(x) >= 0.1)).all()

    check()


def test_float_arrays_reach_both_sides_and_any_shape():
    assert find(
        float_arrays((2,), away_from=1.0), lambda x: x[0] > 1 > x[1], settings=settings(database=None)
    ).shape == (2,)
    assert (
        find(float_arrays(shapes(min_side=0)), lambda x: x.size == 0, settings=settings(database=None)).size
        == 0
    )
    assert (
        find(float_arrays(dtype=np.float16), lambda x: x.ndim == 0, settings=settings(database=None)).dtype
        == np.float16
    )


def test_float_arrays_apart_have_no_ties():
    @settings(max_examples=50, database=None)
    @given(float_arrays((3, 4), away_from=0.0, gap=0.05, apart=True))
    def check(x):
        ordered = np.sort(x, axis=None)
        assert (np.diff(ordered) >= 0.05).all()
        assert (abs(x) >= 0.05).all()

    check()


def test_broadcastable_ones_broadcast():
    @settings(max_examples=50, database=None)
    @given(broadcastable_shapes(3), broadcastable_arrays(2, max_dims=2, min_value=1, max_value=2))
    def check(three, arrays):
        assert len(three) == 3
        np.broadcast_shapes(*three)
        assert (arrays[0] * arrays[1] >= 1).all()

    check()


@pytest.mark.parametrize(
    "options",
    [{"dtype": int}, {"min_value": 1, "max_value": 0}, {"away_from": 0, "gap": 3}, {"max_value": np.inf}],
)
def test_impossible_float_arrays_are_refused(options):
    with pytest.raises(ValueError, match="float_arrays: "):
        float_arrays(**options)


# ---------------------------------------------------------------- the page


def test_the_page_for_library_authors_is_true(pytester):
    """Its ```python blocks are test files, and each ```console block is what pytest says of the one before."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(python|console)\n(.*?)^```$", text, re.M | re.S)
    assert [kind for kind, _ in blocks].count("console") >= 2
    source = ""
    for kind, block in blocks:
        if kind == "python":
            source = block
            continue
        command, *shown = block.splitlines()
        words = command.removeprefix("$ pytest ").split()
        pytester.makepyfile(**{Path(words[0]).stem: source})
        printed = pytester.runpytest_inprocess("-p", "no:cacheprovider", *words).stdout.lines
        at = 0
        for line in shown:
            if line.strip() in ("", "..."):
                continue
            pattern = re.sub(r"([\[\]*?])", r"[\1]", line).replace("...", "*")
            while at < len(printed) and not fnmatchcase(printed[at], pattern):
                at += 1
            assert at < len(printed), f"not printed, or not in this order: {line}\n" + "\n".join(printed)
            at += 1

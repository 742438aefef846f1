"""The documentation is true: every snippet runs and prints what is shown, and every public name is described.

The ```python blocks of a page run in order in one namespace. A ```text block right after one is what it
prints, ``...`` standing for anything; a snippet may end in an error, whose message is then the end of the
block, and may be broken into lines.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import functools
import html
import importlib
import inspect
import io
import linecache
import pkgutil
import re
import runpy
import sys
import traceback
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from cases import case

import minigrad as mg
from minigrad.core import facts
from minigrad.core.op import CASTS
from minigrad.ops import TABLE

sys.path.insert(0, str(Path(__file__).parent.parent / "docs"))
import calls
import links
import rules
import tables
from snippets import Snippet, file_name, snippets

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts)]
MODULES = [m.name for m in pkgutil.walk_packages(mg.__path__, "minigrad.")]


def run(snippet: Snippet, namespace: dict[str, Any], file: str) -> tuple[str, bool]:
    """What a snippet prints, with the message of the error that ends it, and whether there was one."""
    printed = io.StringIO()
    # Its lines can be looked up, as those of a file can, also from later snippets.
    linecache.cache[file] = (len(snippet.code), None, snippet.code.splitlines(keepends=True), file)
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(snippet.code, file, "exec"), namespace)
        except Exception as error:
            if snippet.output is None:
                raise
            return printed.getvalue() + "".join(traceback.format_exception_only(error)), True
    return printed.getvalue(), False


def differs(snippet: Snippet, printed: str, failed: bool) -> str | None:
    flags = doctest.ELLIPSIS | (doctest.NORMALIZE_WHITESPACE if failed else 0)
    want, checker = snippet.output or "", doctest.OutputChecker()
    if checker.check_output(want, printed, flags):
        return None
    return checker.output_difference(doctest.Example(snippet.code, want), printed, flags)


WITH_SNIPPETS = [page for page in PAGES if snippets(page.read_text(encoding="utf-8"))]


@pytest.fixture
def declared() -> Iterator[None]:
    """A page may declare operations; they go with it."""
    before = set(TABLE)
    yield
    for name in TABLE.keys() - before:
        del TABLE[name]


@pytest.fixture
def lines() -> Iterator[None]:
    """The lines of snippets can be looked up until the test ends."""
    with mock.patch.dict(linecache.cache):
        yield


@pytest.mark.usefixtures("declared", "lines")
@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=[p.name for p in WITH_SNIPPETS])
def test_every_snippet_prints_what_the_page_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a page may save files
    # A page sets it, and it is put back.
    monkeypatch.setattr(mg.backends.cudnn, "benchmark", mg.backends.cudnn.benchmark)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for n, snippet in enumerate(snippets(page.read_text(encoding="utf-8"))):
        printed, failed = run(snippet, namespace, file_name(page.stem, n))
        if snippet.output is None:
            continue
        difference = differs(snippet, printed, failed)
        assert difference is None, f"{page.name}:{snippet.line}\n{difference}"


def test_a_wrong_output_is_noticed(lines: None) -> None:
    (right, wrong, missing) = snippets(
        "```python\nprint(1)\n```\n\n```text\n1\n```\n"
        "```python\nprint(1)\n```\n```text\n2\n```\n"
        "```python\nprint(1)\n1 / 0\n```\n```text\n1\n```\n"
    )
    assert differs(right, *run(right, {}, "page.py")) is None
    assert differs(wrong, *run(wrong, {}, "page.py")) is not None
    assert differs(missing, *run(missing, {}, "page.py")) is not None


@pytest.mark.parametrize("name", ["minigrad", *MODULES])
def test_the_examples_in_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=options)
    report = io.StringIO()
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs={"mg": mg, "minigrad": mg}):
        runner.run(test, out=report.write)
    assert not runner.failures, report.getvalue()


# ---------------------------------------------------------------- what stands beside the snippets


def test_the_picture_in_the_tour_is_the_one_it_draws(lines: None) -> None:
    """If not, save the ``picture`` of the tour anew as docs/_static/tape.svg."""
    namespace: dict[str, Any] = {}
    for n, snippet in enumerate(snippets((DOCS / "tour.md").read_text(encoding="utf-8"))):
        run(snippet, namespace, file_name("tour", n))
        if "picture" in namespace:
            break
    dot, svg = namespace["picture"].dot, (DOCS / "_static" / "tape.svg").read_text(encoding="utf-8")
    labels = [
        line.strip() for text in re.findall(r'label="([^"]*)"', dot) for line in re.split(r"\\[nl]", text)
    ]
    shown = [html.unescape(text).strip() for text in re.findall(r"<text.*?>(.*?)<", svg)]
    assert sorted(filter(None, labels)) == sorted(filter(None, shown))
    edges = re.findall(r"(n\d+) -> (n\d+)", dot)
    assert sorted(edges) == sorted(re.findall(r"<title>(n\d+)&#45;&gt;(n\d+)</title>", svg))
    tips = {html.unescape(tip) for tip in re.findall(r'xlink:title="([^"]*)"', svg)}
    assert {tip.replace("\\n", "\n") for tip in re.findall(r'tooltip="([^"]+)"', dot)} - {" "} <= tips


def test_the_picture_in_the_readme_shows_the_graph_and_the_program_as_they_are() -> None:
    """If not, run ``python docs/picture.py``."""
    page = runpy.run_path(str(DOCS / "picture.py"))
    svg = (DOCS / "_static" / "readme.svg").read_text(encoding="utf-8")
    code = re.findall(r'<text [^>]*xml:space="preserve">(.*?)</text>', svg)
    assert [html.unescape(re.sub(r"<[^>]*>", "", line)) for line in code] == page["program"]()
    whole, frame = re.findall(r' width="(\d+)" height="(\d+)"', svg)[:2]
    assert [int(n) - 1 for n in whole] == [int(n) for n in frame], "the frame is within the picture"
    dot = page["drawing"]().dot
    labels = {
        line for text in re.findall(r'label="([^"]*)"', dot) for line in re.split(r"\\[nl]", text) if line
    }
    shown = {
        html.unescape(text)
        for text in re.findall(r"<text (?!x=\"[\d.]+\" y=\"[\d.]+\" fill)[^>]*>(.*?)</text>", svg)
    }
    assert {t.strip() for t in labels} <= {t.strip() for t in shown}
    edges = re.findall(r"(n\d+) -> (n\d+)", dot)
    assert sorted(edges) == sorted(re.findall(r"<title>(n\d+)&#45;&gt;(n\d+)</title>", svg))


QUOTED = re.compile(r"```\{code-block\} python\n:caption: (\S+)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(("name", "text"), QUOTED.findall((DOCS / "core.md").read_text(encoding="utf-8")))
def test_the_page_of_the_core_quotes_the_files_as_they_are(name: str, text: str) -> None:
    assert text in (ROOT / "minigrad" / "core" / name).read_text(encoding="utf-8")


# A sentence or two say what these are for.
NOT_QUOTED = {
    "facts.py", "gradients.py", "hooks.py", "layout.py", "plans.py", "promote.py", "size.py", "text.py", "types.py",
}  # fmt: skip


def test_what_the_pages_count_of_the_core_is_so() -> None:
    page = (DOCS / "core.md").read_text(encoding="utf-8")
    files = list((Path(mg.__file__).parent / "core").glob("*.py"))
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    said = re.search(r"stands on ([\w-]+) files in `minigrad/core`, some ([\d,]+) lines", page)
    numbers = {
        22: "twenty-two",
        23: "twenty-three",
        24: "twenty-four",
        25: "twenty-five",
    }  # without __init__.py
    assert said is not None
    assert said[1] == numbers[len(files) - 1]
    assert int(said[2].replace(",", "")) == pytest.approx(lines, rel=0.05)
    table = (DOCS / "architecture.md").read_text(encoding="utf-8").partition("| needed for | fields")[2]
    named = set(re.findall(r"`(\w+)`", table.partition("\n\n")[0])) | {"rules"}
    assert named >= facts.NAMES


def test_the_page_of_the_core_names_every_file_and_quotes_the_others() -> None:
    page = (DOCS / "core.md").read_text(encoding="utf-8")
    files = {f.name for f in (ROOT / "minigrad" / "core").glob("*.py")} - {"__init__.py"}
    assert files - {name for name, _ in QUOTED.findall(page)} == NOT_QUOTED
    assert all(f"`{name}`" in page for name in files)


# ---------------------------------------------------------------- names in the pages

ROOMS = {m.split(".")[1] for m in MODULES}
FILE = re.compile(r"[\w./-]+/[\w.-]*|[\w-]+\.pyi?")


def lacking(text: str, *, bare: bool = False) -> list[str]:
    """The files and modules that a text has in backticks and that do not exist; ``bare``: all files, not only paths."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    missing = []
    for name in re.findall(r"(?<!`)`([\w./-]+)(?:\(.*?\))?`(?!`)", prose):
        if FILE.fullmatch(name):
            places = [
                ROOT / name,
                ROOT / "minigrad" / name,
                *([] if "/" in name else (ROOT / "minigrad").rglob(name)),
            ]
            looked_at = bare or ("/" in name and name.endswith((".py", ".pyi")))
            if looked_at and not any(p.exists() for p in places):
                missing.append(name)
        elif name.partition(".")[0] in {"minigrad", *ROOMS} and re.fullmatch(r"\w+(\.\w+)+", name):
            missing += [] if exists(name) else [name]
    return missing


def exists(name: str) -> bool:
    """Whether a dotted name, with or without ``minigrad.``, leads to a module or to something in one."""
    value: Any = mg
    path = "minigrad"
    for part in name.removeprefix("minigrad.").split("."):
        path = f"{path}.{part}"
        if path in MODULES:
            value = importlib.import_module(path)
        elif hasattr(value, part):
            value = getattr(value, part)
        else:
            return False
    return True


NAMING = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES[1:]]


@pytest.mark.parametrize("page", NAMING, ids=[p.name for p in NAMING])
def test_no_page_names_a_file_or_a_module_that_is_not_there(page: Path) -> None:
    inside = page.name in ("architecture.md", "core.md")  # of these every file is one of the package
    assert lacking(page.read_text(encoding="utf-8"), bare=inside) == []


def test_a_name_that_is_not_there_is_noticed() -> None:
    text = "`core/op.py` `minigrad/ops` `ops/sums.py` `op.py` `sums9.py` `core.op.Op` `core.op.Ob` `minigrad.emit.draw`"
    assert lacking(text, bare=True) == ["ops/sums.py", "sums9.py", "core.op.Ob", "minigrad.emit.draw"]


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    pages = {
        "index.html": '<a href="api/a.html#x">a</a> <a href="#top">b</a> <img src="no.svg"> <a href="https://e.org/x">c</a>',
        "api/a.html": '<p id="x"></p> <a class="d" href="../index.html#y&amp;z">e</a> <a href="./">f</a>',
        "_static/gallery/drawn.html": '<a href="nowhere.html">g</a>',
    }
    for name, text in pages.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    told = [(page.name, link) for page, link in links.broken(tmp_path)]
    assert told == [
        ("a.html", "../index.html#y&z"), ("a.html", "./"), ("index.html", "#top"), ("index.html", "no.svg")
    ]  # fmt: skip


# ---------------------------------------------------------------- what the pages take from the package


def test_the_tables_of_operations_have_every_record_once() -> None:
    page = (DOCS / "api" / "operations.md").read_text(encoding="utf-8")
    places = re.findall(r"^\.\. operation-table:: (\S+)$", page, re.MULTILINE)
    assert sorted(op.name for place in places for op in tables.declared_in(place)) == sorted(TABLE)


def test_what_the_tables_of_operations_say() -> None:
    assert tables.public_names(TABLE["mul"]) == (["mul", "multiply"], ["mul_", "multiply_"])
    assert tables.public_names(TABLE["add"]) == (["add"], ["add_"])
    assert tables.public_names(TABLE["zeros"]) == tables.public_names(TABLE["draw"]) == ([], [])
    assert [tables.gradients(TABLE[name]) for name in ("mul", "where", "floor", "eq", "cat")] == [
        "all", "a, b", "all", "none", "all"
    ]  # fmt: skip
    assert [rules.gradients(name) for name in ("floor_divide", "heaviside", "div")] == [
        "refused",
        "refused",
        "all",
    ]
    assert set(tables.TYPES) == set(CASTS)
    assert tables.element_types(TABLE["div"]) == "promoted; integers become float; complex"
    assert tables.element_types(TABLE["exp"]) == "integers become float; complex"
    assert tables.element_types(TABLE["neg"]) == "kept; no bool; complex"

    assert tables.readers(TABLE["tanh"]) == "expression, in place, ONNX"
    assert [tables.readers(TABLE[name]) for name in ("floor_divide", "prod_others")] == [
        "expression, ONNX",
        "–",
    ]
    assert [rules.orders(name) for name in ("mul", "ctc", "eq", "draw")] == [
        "0, 1, 2", "0, 1", "0", "own tests"
    ]  # fmt: skip


def test_what_the_rules_of_derivatives_say() -> None:
    assert rules.text("tanh") == (["∂x = g * (1 - y * y)"], "")
    # In the names of the function's parameters, and with which defaults; none where the order is another one.
    for function, told in {
        "tanh": (["∂input = g * (1 - y * y)"], ""),
        "multiply": (["∂input = g * other", "∂other = g * input"], ""),
        "mean": (["∂input = spread(g / n)"], ""),
        "sub": (["∂input = g", "∂other = -g"], "alpha=1"),
        "median": (["∂input = g where input == y, shared if several are; else 0"], "dim=None"),
        "nn.functional.relu": (["∂input = where(y <= 0, 0, g)"], ""),
        "nn.functional.leaky_relu": (["∂input = where(input > 0, g, g * negative_slope)"], ""),
        "nn.functional.gelu": (
            ["∂input = g * (normal_cdf(input) + input * normal_pdf(input))"],
            "approximate='none'",
        ),
        "nn.functional.linear": (["∂input = g @ weight", "∂weight = g.T @ input", "∂bias = g"], ""),
        "linalg.solve": (["∂A = -(solve(A.T, g) @ y.T)", "∂B = solve(A.T, g)"], "left=True"),
        **dict.fromkeys(["solve", "scatter", "nn.functional.embedding", "eq", "zeros"], ([], "")),
    }.items():
        assert rules.of_function(function.split(".")[-1], attrgetter(function)(mg)) == told, function
    assert rules.of_function("pow", mg.pow)[0][1] == "∂exponent = g * y * log(input)"
    assert rules.text("leaky_relu")[0] == ["∂x = where(x > 0, g, g * slope)"]
    assert rules.text("matmul")[0] == ["∂a = g @ b.T", "∂b = a.T @ g"]
    assert rules.text("cumprod")[0] == ["∂x = cumsum(g * y, reverse=True) / x; its limit at 0"]
    assert rules.text("max_pool")[0] == ["∂x = g at the largest element of each window, else 0"]
    # Where they depend on sizes or parameters, one sample stands for them.
    clamped = ["∂x = where(logical_and(x >= -0.5, x <= 0.75), g, 0)"]
    assert rules.text("clamp") == (clamped, "``clip(x, -0.5, 0.75)``, x 2 × 3")
    given = [name for name in TABLE if rules.gradients(name) not in ("none", "refused")]
    untold = {name for name in given if not rules.text(name)[0]}
    # Of what no sample is of: that of a sparse gradient, those of gradients of draws.
    assert {n for n in untold if not TABLE[n].draws} == {
        "embedding_of_rows",
        "gamma_slope",
        "dirichlet_slope",
    }


class _Names(dict[str, Any]):
    """The names of a derivation: Tensors, public functions, else operations called as their records are."""

    def __missing__(self, name: str) -> Any:
        place = next((m for m in (mg, mg.linalg, mg.nn.functional, mg.special) if name in m.__all__), None)
        public = getattr(place, name, name)  # words stand for themselves: norm=forward

        def call(*args: Any, **keywords: Any) -> Any:
            with contextlib.suppress(TypeError):
                return public(*args, **keywords)
            return mg.tape.apply(TABLE[name], args, keywords)

        return public if name not in TABLE else call


def _spread(like: mg.Tensor, g: mg.Tensor, dim: int | tuple[int, ...] | None = None) -> mg.Tensor:
    for d in (
        [] if dim is None or g.ndim in (0, like.ndim) else sorted(dim if isinstance(dim, tuple) else (dim,))
    ):
        g = g.unsqueeze(d)
    return g


def _of_told(function: Any, told: calls.Told) -> list[tuple[mg.Tensor | None, mg.Tensor]]:
    """For the inputs of a call with other numbers, the gradients that the told rules give, and those of autograd."""
    _, given = calls.called(function, told.drawn, seed=1)
    names, code = _Names(given), lambda text: re.sub(r"\by\[(\d)\]", r"y_\1", text)
    for step, _ in reversed(told.steps):
        exec(code(step), {}, names)
    ends = [
        n for n in names if re.fullmatch(r"y|result|y_?\d", n) and n not in given and names[n].requires_grad
    ]
    grads = {n: mg.randn(names[n].shape, dtype=names[n].dtype) for n in ends}
    wanted = {n: t for n, t in given.items() if t.requires_grad}
    theirs = mg.autograd.grad(
        [names[n] for n in ends], [*wanted.values()], [*grads.values()], allow_unused=True
    )
    for step, by in told.steps:
        if (g := grads.get(code(step).split(" = ")[0])) is None:
            continue
        for x, rule in (code(text)[1:].split(" = ", 1) for text in by):
            like = names[x]
            names |= {"g": g, "spread": functools.partial(_spread, like)}
            d = mg.as_tensor(eval(rule, {}, names))
            d = d.real if d.is_complex() and not like.is_complex() else d
            d = d.sum_to_size(mg.broadcast_shapes(like.shape)) if d.ndim and d.shape != like.shape else d
            grads[x] = grads.get(x, 0) + d.expand(like.shape)
    return [(grads.get(n), w) for n, w in zip(wanted, theirs, strict=True) if w is not None]


def test_the_rules_that_entries_tell_give_the_gradients_of_other_numbers() -> None:
    checked = 0
    for path, function in calls.functions().items():
        told = calls.derivative(path, function)
        if told is None:
            continue
        with case(path):
            try:
                pairs = _of_told(function, told)
            except (SyntaxError, TypeError, NameError, AttributeError, ValueError, RuntimeError):
                continue  # words, constants of the function, or parameters that a text has otherwise than a call
            for ours, theirs in pairs:
                found, wanted = (
                    mg.as_tensor(0 if t is None else t.detach()).cdouble() for t in (ours, theirs)
                )
                assert np.allclose(found, wanted, 3e-3, 3e-3, equal_nan=True), told.steps
            checked += 1
    assert checked > 250
    assert sum(calls.derivative(path, f) is not None for path, f in calls.functions().items()) > 500


def test_the_page_of_coverage_tells_of_every_place() -> None:
    page = (DOCS / "api" / "coverage.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\.\. coverage-names:: (\S+)$", page, re.MULTILINE))
    places = {c.place: c for c in tables.coverage()}
    assert {name for name, c in places.items() if c.here} - told == {"torch.nn.parameter"}
    assert "exp_" in places["torch.Tensor"].here
    assert "xpu" in places["torch.Tensor"].lacking
    assert {"cuda", "distributions", "fft"} < {*places["torch"].here}
    assert {"export", "nested", "ops"} < {*places["torch"].lacking}
    assert "quantized" in places["torch.nn"].lacking


EDIT = re.compile(r"<!-- stands in (\S+) -->\n```python\n(.*?)```", re.DOTALL)


def test_the_worked_example_of_contributing_is_how_it_was_done() -> None:
    """The edits stand in the files, and no other line of the package, but for what is generated, tells of hypot."""
    edits = EDIT.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert [name for name, _ in edits] == ["minigrad/ops/elementwise.py", "tests/op_samples.py"]
    texts = {file: file.read_text(encoding="utf-8") for file in (ROOT / "minigrad").rglob("*.py")}
    texts[ROOT / "tests" / "op_samples.py"] = (ROOT / "tests" / "op_samples.py").read_text(encoding="utf-8")
    for name, text in edits:
        assert texts[ROOT / name].count(text) == 1
        texts[ROOT / name] = texts[ROOT / name].replace(text, "")
    telling = {file.name for file, text in texts.items() if re.search(r"\bhypot\b", text)}
    assert telling == {"names.py"}  # all names of PyTorch
    a = mg.tensor(3.0, requires_grad=True)
    assert (mg.hypot(a, a + 1).item(), a.hypot(a + 1).item()) == (5.0, 5.0)


# ---------------------------------------------------------------- completeness of the API pages


def public(module: Any) -> set[str]:
    names = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    kinds = type(importlib)  # submodules are no names of the API
    return {n for n in names if not isinstance(getattr(module, n), kinds)}


def described(*pages: str) -> set[str]:
    """Names that a directive documents, or that the text has in backticks."""
    text = "".join((DOCS / "api" / f"{page}.md").read_text(encoding="utf-8") for page in pages)
    directives = re.findall(
        r"^\.\. auto(?:function|class|method|property|exception):: ([\w.]+)", text, re.MULTILINE
    )
    members = [n for line in re.findall(r":members: (.+)", text) for n in line.split(",")]
    literals = re.findall(r"`([\w.]+)`", text)
    order = list(TABLE)
    for first, last in re.findall(r"^\.\. operations:: (\w+) (\w+)$", text, re.MULTILINE):
        for name in order[order.index(first) : order.index(last) + 1]:
            directives += [n.strip(".()") for n in TABLE[name].public]
    return {name.strip().rpartition(".")[2] for name in (*directives, *members, *literals)}


FAMILIES = [
    (mg, ["tensor", "functions", "sparse", "dtypes", "autograd", "random", "saving", "script"]),
    (mg.autograd, ["autograd"]),
    (mg.nn, ["nn"]),
    (mg.nn.functional, ["nn"]),
    (mg.nn.init, ["nn"]),
    (mg.nn.utils, ["nn"]),
    (mg.optim, ["optim"]),
    (mg.optim.lr_scheduler, ["optim"]),
    (mg.optim.swa_utils, ["optim"]),
    (mg.linalg, ["linalg"]),
    (mg.fft, ["fft"]),
    (mg.special, ["special"]),
    (mg.distributions, ["distributions"]),
    (mg.masked, ["masked"]),
    (mg.sparse, ["sparse"]),
    (mg.random, ["random"]),
    (mg.utils.data, ["data"]),
    (mg.distributed, ["distributed"]),
    (mg.onnx, ["onnx"]),
    (mg.nn.parallel, ["distributed"]),
    (mg.Tensor, ["tensor", "functions", "sparse"]),
]


@pytest.mark.parametrize(("owner", "pages"), FAMILIES, ids=[f[0].__name__ for f in FAMILIES])
def test_the_api_pages_describe_every_public_name(owner: Any, pages: list[str]) -> None:
    names = described(*pages)
    # The entry of a function tells its other names.
    entries = {id(getattr(mg, n)) for n in names if inspect.isfunction(getattr(mg, n, None))}
    missing = {n for n in public(owner) - names if id(getattr(owner, n)) not in entries}
    assert not {
        n
        for n in missing
        if getattr(owner, n).__doc__.split("\n")[0] != f"`{n.removesuffix('_')}`, in place."
    }


@pytest.mark.parametrize("owner", [f[0] for f in FAMILIES], ids=[f[0].__name__ for f in FAMILIES])
def test_every_public_name_has_a_docstring(owner: Any) -> None:
    values = {n: getattr(owner, n) for n in public(owner)}
    bare = [n for n, v in values.items() if (callable(v) or isinstance(v, property)) and not v.__doc__]
    assert not bare


def test_entries_show_what_docstrings_say() -> None:
    """Sphinx takes a lone ``1.`` for a list without items, and repeats the text of ``a, b: text`` for each."""
    for file in Path(mg.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "Args:" not in text and not re.search(r'"""\w{1,3}\."""', text):
            continue  # most, without reading their syntax
        found = [n for n in ast.walk(ast.parse(text)) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
        for said in filter(None, map(ast.get_docstring, found)):
            assert not re.fullmatch(r"\w{1,3}\.", said), file
            arguments = said.partition("Args:\n")[2]
            assert not re.search(r"^    \w+(, \W*\w+)+: ", arguments, re.MULTILINE), file

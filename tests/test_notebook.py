"""In a notebook: everything that reads the tape shows itself as HTML, and places are cells."""

from __future__ import annotations

import re
import sys
import webbrowser
import xml.etree.ElementTree as ET
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from test_draw import any_engine, browser, tried_each
from test_player import no_folded_layouts

import minigrad as mg
from minigrad import nn
from minigrad.readers import notebook

__all__ = ["any_engine", "no_folded_layouts"]  # fixtures

CELLS = [
    "import minigrad as mg\nnet = mg.nn.Sequential(mg.nn.Linear(2, 3), mg.nn.Tanh(), mg.nn.Linear(3, 1))",
    "x, target = mg.randn(4, 2), mg.randn(4, 1)\nloss = mg.nn.functional.mse_loss(net(x), target)",
    "mg.explain(loss, net)",
    "mg.draw(loss, net)",
    "mg.source(loss, net)",
    "a = 1\n\n\n\nx @ target",
]


def parsed(html: str) -> ET.Element:
    """The HTML as XML, which what readers write is too, but for attributes without quotes."""
    return ET.fromstring(
        "<all>" + html.replace("class=n", 'class="n"').replace(" open ", ' open="" ') + "</all>"
    )


def test_cells_of_a_notebook(
    any_engine: None, no_folded_layouts: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shells = pytest.importorskip("IPython.core.interactiveshell")
    config = pytest.importorskip("traitlets.config").Config({"HistoryManager": {"enabled": False}})
    shell: Any = shells.InteractiveShell.instance(config=config)
    try:
        shell.display_formatter.active_types = ["text/html", "image/svg+xml", "text/plain"]
        results = [shell.run_cell(cell, store_history=True) for cell in CELLS]
        shown = [shell.display_formatter.format(r.result)[0] for r in results[2:5]]
    finally:
        shells.InteractiveShell.clear_instance()
    explained, drawn, printed = shown
    assert "cell 2, line 2" in explained["text/plain"]
    assert (
        "<i>  cell 2, line 2  loss = mg.nn.functional.mse_loss(net(x), target)</i>" in explained["text/html"]
    )
    assert "cell 2, line 2" in printed["text/html"]
    assert drawn["text/html"].startswith("<iframe")
    assert "cell 2, line 2" in unescape(drawn["text/html"])
    assert str(results[5].error_in_exec).endswith("(at cell 6, line 5, in matmul)")


def test_the_rules_of_a_notebooks_page_do_not_win(tmp_path: Path) -> None:
    browser()
    rules = ".host :is(td, th, pre) { text-align: right; font-family: Verdana } .host thead th { border: 0 }"
    table = notebook.table([("name", "saved"), ("  weight", "8 B")], right=(1,))
    page = f"<html><head></head><body>{table}{notebook.python('x = 1')}<style>{rules}</style></body></html>"
    page = page.replace("<body>", '<body data-ready="true" class="host">')
    look = """
    const of = (selector) => { const s = getComputedStyle(all(selector)[0]);
      return [s.textAlign, s.whiteSpace, s.borderBottomWidth, s.fontFamily.includes('monospace')]; };
    told.looks = ['th', 'td', 'td.n', 'pre'].map(of);
    """
    (told,) = tried_each([(page, look)], tmp_path)
    assert [align for align, *_ in told["looks"]][:3] == ["left", "left", "right"]
    assert [space for _, space, *_ in told["looks"]] == ["pre"] * 4
    assert [told["looks"][0][2], told["looks"][3][3]] == ["1px", True]


def test_tables_and_modules_have_html_forms() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 1)))
    loss = net(mg.ones(1, 2)).sum()
    tape = parsed(mg.tape_table(loss, net)._repr_html_())
    assert [th.text for th in tape.iter("th")][:4] == ["#", "name", "operation", "inputs"]
    assert len(list(tape.iter("tr"))) == len(mg.tape_table(loss, net)) + 1
    *_, last = parsed(mg.summary(net, mg.ones(1, 2))._repr_html_()).iter("tr")
    assert [td.text for td in last][:3] == ["total", None, "13"]
    assert "An empty tape" in mg.tape_table(mg.ones(2))._repr_html_()
    compiled = mg.compile(lambda x: (x * x).sum())
    assert "Nothing has been recorded" in compiled.report()._repr_html_()
    compiled(mg.ones(3))
    compiled(mg.ones(3))
    assert "float32 [3]" in parsed(compiled.report()._repr_html_()).findtext(".//p", "")
    module = parsed(net._repr_html_())
    assert [b.text for b in module.iter("b")] == ["Sequential", "Linear", "Sequential", "ReLU", "Linear"]
    assert next(s.text for s in module.iter("small")) == "13 parameters"

    class Own(nn.Module):
        def __repr__(self) -> str:
            return "<own>"

    assert Own()._repr_html_() == "<pre>&lt;own&gt;</pre>"


def test_a_printed_program_is_a_str_that_is_highlighted() -> None:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    text = mg.source((w * w).sum(), {"w": w})
    assert isinstance(text, str)
    html = text._repr_html_()  # type: ignore[attr-defined]
    shown = "".join(parsed(re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)).itertext())
    assert shown == text
    assert "<b>def</b> run(w)" in html
    assert re.search(r"<i># \S+\.py:\d+</i>", html)
    strange = 'x = """a\n  <b>"""  # é\n\nif x:\n\tpass\n'
    assert "".join(parsed(notebook.python(strange).partition("</style>")[2]).itertext()) == strange


def test_show_opens_the_page(any_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    w = mg.tensor(1.0, requires_grad=True)
    drawing = mg.draw(w * w)
    drawing.show()
    file = Path(opened[0].removeprefix("file://"))
    assert file.read_text(encoding="utf-8") == drawing.html()
    file.unlink()

    class Shell:
        kernel = True

    class Python:
        shown: list[object] = []  # noqa: RUF012
        display = type("display", (), {"display": shown.append})
        get_ipython = Shell

    monkeypatch.setitem(sys.modules, "IPython", Python)  # type: ignore[arg-type]
    drawing.show()
    assert Python.shown == [drawing]
    assert len(opened) == 1

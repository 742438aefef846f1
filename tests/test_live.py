"""Live cells: blocks of the pages, edited and run in a browser, by a Pyodide that lies on this machine.

``MINIGRAD_PYODIDE`` names its folder (with NumPy's wheel in it); without, a folder ``pyodide`` in the checkout is
looked for. CONTRIBUTING.md says more. Where there is none, only what needs none is tested.
"""

from __future__ import annotations

import http.server
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_draw import browser

sys.path.insert(0, str(Path(__file__).parent.parent / "docs"))
from snippets import file_name, snippets

from minigrad.readers import places
from minigrad.readers.draw import engines

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PYODIDE = Path(os.environ.get("MINIGRAD_PYODIDE") or ROOT / "pyodide")

CONF = """
import importlib.util, sys
sys.path[:0] = [{docs!r}, {root!r}]
spec = importlib.util.spec_from_file_location("pages", {docs!r} + "/conf.py")
pages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pages)
extensions, html_theme = ["myst_parser", "live"], "basic"
html_static_path, html_css_files = [{docs!r} + "/_static"], pages.html_css_files
live_pyodide = "/pyodide/"
suppress_warnings = ["myst.xref_missing", "toc.not_included", "image.not_readable"]
def setup(app):
    app.add_directive("cell", pages.Cell)
    app.add_directive("exercises", pages.Exercises)
"""
DRIVER = """<script type="module">
const told = {}, all = (s) => [...document.querySelectorAll(s)];
const until = async (f) => {
  for (const begun = performance.now(); !f(); await new Promise((r) => setTimeout(r, 20)))
    if (performance.now() - begun > 60000) throw new Error(`waited for ${f}`);
};
const bars = all('.live-bar'), outs = all('.live-output'), codes = all('.live pre');
const [RUN, STOP, RESET] = [0, 1, 2], state = (n) => bars[n].querySelector('.live-state').textContent;
const asked = () => performance.getEntriesByType('resource').map((r) => r.name);
const loaded = () => asked().filter((name) => /pyodide|live_worker|bz2|wasm/.test(name)).length;
const over = (n) => until(() => bars[n].children[STOP].hidden);
const run = async (n, code) => {
  if (code !== undefined) codes[n].textContent = code;
  bars[n].children[RUN].click();
  await over(n);
  return outs[n].innerText;
};
const key = (n, key, more = {}) => codes[n].dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, ...more}));
try { {PROGRAM} } catch (e) { errors.push(String(e)); }
told.errors = errors;
const next = await (await fetch('/told', {method: 'POST', body: JSON.stringify(told)})).text();
if (next) location.href = next;
</script></body>"""
LISTEN = """<head><script>const errors = [];
for (const kind of ['error', 'unhandledrejection'])
  addEventListener(kind, (e) => errors.push(String(e.message || e.reason)));
</script>"""

EDITED = """
told.buttons = bars.map((b) => [b.children[RUN].innerText, b.querySelector('.live-name').innerText]);
told.before = [loaded(), codes.filter((p) => p.isContentEditable).length];
told.second = await run(1, "print(6 * 7)\\nx.ndim, x.sum().item()");
told.first = outs[0].innerText;
told.editable = codes.filter((p) => p.isContentEditable).length;
codes[1].focus();
getSelection().selectAllChildren(codes[1]);
document.execCommand('insertText', false, 'for i in range(2):');
key(1, 'Enter');
document.execCommand('insertText', false, 'print(i)');
key(1, 'Enter', {ctrlKey: true});
await over(1);
told.typed = outs[1].innerText;
told.error = await run(1, "def f(x):\\n    return 1 / x\\n\\nf(0)");
told.syntax = await run(1, "x = 3\\nif x = 4:\\n    pass");
codes[1].textContent = "print('on')\\nwhile True: pass";
bars[1].children[RUN].click();
await until(() => outs[1].innerText.startsWith('on'));
bars[1].children[STOP].click();
await over(1);
told.stopped = [outs[1].innerText, state(1)];
told.shown = outs[1].nextElementSibling.hidden;
bars[1].children[RESET].click();
told.reset = [codes[1].textContent, outs[1].innerText, outs[1].nextElementSibling.hidden];
"""
AS_PRINTED = """
await run(bars.length - 1);
told.printed = outs.map((o) => [...o.querySelectorAll('pre')].map((e) => e.textContent).join(''));
const page = outs.map((o) => o.nextElementSibling);
told.page = page.map((e) => e?.matches('.printed:not(img, .picture)') ? e.textContent : null);
told.pictures = all('.live-output img, .live-output svg').length;
told.twice = all('img').filter((e) => !e.closest('.live-output') && e.checkVisibility()).length;
if (all('.live-output figure button').length) {
  all('.live-output figure button')[0].click();
  await until(() => all('iframe.player').length && all('iframe.player')[0].contentDocument.querySelector('svg .node'));
  told.player = all('iframe.player').length;
}
"""
PLAYED = """
const at = 0, network = 3; // the bar of the last block stands in the panel, before all others
const title = () => outs[at].querySelector('title').textContent;
const control = (name) => all(`[data-live=${name}]`)[0];
const choose = (name, value) => { control(name).value = value; control(name).dispatchEvent(new Event('change')); };
choose('width', '8');
bars[at].children[RUN].click();
await until(() => outs[at].querySelector('svg'));
told.before = title();
choose('rate', '0.0003');
await until(() => title() !== told.before);
bars[at].children[STOP].click();
await over(at);
told.state = state(at);
told.code = codes[1].textContent;
told.parameters = outs[network].innerText;
codes[network - 1].textContent += "\\nprint(rate)";
told.kept = await run(network); // the interpreter is alive
bars[at].children[RESET].click();
told.reset = [codes[1].textContent, control('width').value];
"""
GRADED = """
const last = bars.length - 1, button = (n) => bars[n].children[3];
const check = async (code) => {
  if (code !== undefined) codes[last].textContent = code;
  button(last).click();
  await over(last);
  return outs[last].innerText;
};
told.shown = bars.map((b, n) => getComputedStyle(button(n)).display !== 'none');
told.unsolved = await check();
told.solved = await check(document.querySelector('details.solutions pre').textContent);
told.wrong = await check(codes[last].textContent.replace('x -= lr', 'x += lr').replace('-2 * x', '2 * x'));
told.syntax = await check('def lowest(:');
told.state = state(last);
"""
ALONE = """
told.out = await run(0);
told.state = state(0);
told.page = outs[0].nextElementSibling.hidden;
told.button = bars[0].children[RUN].disabled;
"""


class Server(http.server.ThreadingHTTPServer):
    """The site, a Pyodide under ``/pyodide/``, and in its pages one program each, which tells what it saw."""

    def __init__(self, site: Path, programs: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.site, self.programs, self.left = site, programs, list(programs)[1:]
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()


class Handler(http.server.SimpleHTTPRequestHandler):
    server: Server

    def translate_path(self, path: str) -> str:
        path = path.partition("?")[0]
        inside = path.startswith("/pyodide/")
        return str(PYODIDE / path.removeprefix("/pyodide/") if inside else self.server.site / path[1:])

    def do_GET(self) -> None:
        program = self.server.programs.get(self.path[1:])
        if program is None:
            return super().do_GET()
        name, _, without = self.path[1:].partition("?")
        page = (self.server.site / name).read_text(encoding="utf-8").replace("<head>", LISTEN, 1)
        page = page.replace('"/pyodide/"', '"/nowhere/"') if without == "without" else page
        self.answer(page.replace("</body>", DRIVER.replace("{PROGRAM}", program), 1))

    def do_POST(self) -> None:
        self.server.told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(f"/{self.server.left.pop(0)}" if self.server.left else "")

    def answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None: ...


def built(folder: Path) -> Path:
    """Some pages as the documentation has them, but for the theme."""
    source, site = folder / "pages", folder / "site"
    source.mkdir()
    for page in ("index", "tour", "playground", "learn/slope", "learn/descent"):
        (source / page).parent.mkdir(exist_ok=True)
        shutil.copyfile(DOCS / f"{page}.md", source / f"{page}.md")
    (source / "conf.py").write_text(CONF.format(docs=str(DOCS), root=str(ROOT)), encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-Q", "-b", "html", str(source), str(site)]
    subprocess.run(command, check=True, timeout=120)
    return site


def tried(site: Path, programs: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    """What the programs told, each in its page, one after the other."""
    server = Server(site, programs)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = ["headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking"]
    command = [browser(), *(f"--{option}" for option in options), f"--user-data-dir={folder / 'profile'}"]
    command.append(f"http://127.0.0.1:{server.server_port}/{next(iter(programs))}")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            return [server.told.get(timeout=120) for _ in programs]
        finally:
            process.terminate()
            server.shutdown()
            server.server_close()


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_blocks_are_edited_and_run_in_a_browser(tmp_path: Path) -> None:
    if not (PYODIDE / "pyodide.mjs").exists():
        pytest.skip("no Pyodide here: MINIGRAD_PYODIDE names no folder that has pyodide.mjs")
    for needed in ("sphinx", "myst_parser", "hatchling"):
        pytest.importorskip(needed)
    browser()
    programs = {
        "tour.html": EDITED,
        "tour.html?": AS_PRINTED,
        "learn/slope.html": AS_PRINTED,
        "learn/descent.html": AS_PRINTED,
        "learn/slope.html?check": GRADED,
        "playground.html": PLAYED,
        "index.html?without": ALONE,
    }
    edited, *printed, graded, played, alone = tried(built(tmp_path), programs, tmp_path)
    for told in (edited, *printed, graded, played, alone):
        assert told["errors"] == []

    tour = snippets((DOCS / "tour.md").read_text(encoding="utf-8"))
    assert edited["buttons"] == [["Edit and run", file_name("tour", n)] for n in range(len(tour))]
    assert edited["before"] == [0, 0], "nothing is loaded unasked"
    assert edited["first"] == tour[0].output, "it stands above and runs first"
    assert edited["second"].splitlines()[-2:] == ["42", "(2, 10.0)"]
    assert edited["editable"] == 1
    assert edited["typed"] == "0\n1\n"
    assert edited["error"].splitlines() == [
        "line 4 of this block: f(0)", "line 2 of this block: return 1 / x", "ZeroDivisionError: division by zero"
    ]  # fmt: skip
    assert 'File "this block", line 2' in edited["syntax"]
    assert edited["stopped"][0] == "on\n"
    assert edited["stopped"][1].startswith("stopped: what was computed is gone")
    assert edited["shown"] is True
    assert edited["reset"] == [tour[1].code, "", False]

    for told in printed:
        assert len(told["printed"]) > 5
        for told_live, page in zip(told["printed"], told["page"], strict=True):
            if page is None:
                assert told_live == ""
            else:
                # A page shows neither warnings, each with its line, nor the notes of an error.
                live = re.sub(r"^\w+\.py:\d+: \w+Warning: .*\n(  .*\n)?", "", told_live, flags=re.MULTILINE)
                *_, end = re.split(r"^line \d+ of [\w. ]+: .*\n", live, flags=re.MULTILINE)
                said = squeezed(live if end == live else live.partition("line ")[0] + end)
                notes = ".*" if end != live else ""
                assert re.fullmatch(re.escape(squeezed(page)).replace(r"\.\.\.", ".*") + notes, said), (
                    page,
                    live,
                )
    assert [told["pictures"] for told in printed] == [1, 2, 1]
    assert [told["twice"] for told in printed] == [0, 0, 0], "the page's own are hidden"
    assert [told.get("player") for told in printed] == [1, 1, None]

    assert graded["shown"] == [False] * (len(graded["shown"]) - 1) + [True]
    assert graded["unsolved"].count("not done yet") == 3
    assert graded["solved"] == "slope_of_bell: right\nmeasured_slope: right\nlowest: right\n3 of 3 right\n"
    assert "verdict   wrong sign: analytic = -numeric" in graded["wrong"]
    assert "+ where -1.5 = lowest(<lambda>, start=0.0, lr=0.25, steps=1)" in squeezed(graded["wrong"])
    assert graded["wrong"].endswith("1 of 3 right\n")
    assert graded["syntax"].startswith("slope:\nline 1 of this block: def lowest(:\nSyntaxError: ")
    assert graded["state"] == ""

    assert re.match(r"epoch \d+: loss ", played["before"])
    assert played["state"] == "stopped"
    assert played["code"] == "rate = 0.0003\nwidth = 8\n"
    assert played["parameters"] == "177 parameters\n"
    assert played["kept"] == "177 parameters\n0.0003\n"
    assert played["reset"] == ["rate = 0.001\nwidth = 64\n", "64"]

    assert alone["out"] == ""
    assert alone["state"].startswith("Python could not be loaded from 127.0.0.1")
    assert (alone["button"], alone["page"]) == (False, False), (
        "it may be tried again, and the page is as it was"
    )


def test_the_playground_trains_and_draws(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in snippets((DOCS / "playground.md").read_text(encoding="utf-8")):
        exec(block.code, names)
    names["width"] = 16
    frames = names["training"](each=20)
    titles = [re.findall(r"<title>(.*?)</title>", next(frames))[0] for _ in range(10)]
    losses = [float(re.findall(r"loss ([\d.]+)", title)[0]) for title in titles]
    assert titles[-1].startswith("epoch 200: ")
    assert losses[-1] < 0.8 < losses[0]
    names["rate"] = 30.0
    assert list(frames) == [], "it ends where it diverges"
    names["target"] = lambda x, y: np.where(x > 0, np.nan, y)
    assert list(names["training"]()) == []
    assert "Diverged in epoch 20" in (said := capsys.readouterr().out)
    assert said.endswith("not finite at some of the points: choose another one.\n")


def test_a_later_block_knows_the_lines_of_those_above(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the worker does in Python, with a page that only listens."""
    worker = (DOCS / "_static" / "live_worker.js").read_text(encoding="utf-8")
    program = re.findall(r"const RUNNER = `(.*?)`;", worker, re.DOTALL)[0].replace("\\\\", "\\")
    told: list[tuple[Any, ...]] = []
    page: dict[str, Any] = {"tell": lambda *what: told.append(what), "draw": None}
    for name, has in (("live_page", page), ("pyodide", {}), ("pyodide.ffi", {"JsException": OSError})):
        module = types.ModuleType(name)
        vars(module).update(has)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(engines, "elsewhere", None)
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, getattr(sys, stream))
    names: dict[str, Any] = {}
    exec(program, names)
    first = "import minigrad as mg\nx = mg.ones(2, requires_grad=True)\ny = x.exp()  # above"
    assert names["run"](first, "a chapter", 3, 1) == "ok"
    assert names["run"]("z = y * y", "a chapter", 6, 2) == "ok"
    for name, line in (("y", "y = x.exp()  # above"), ("z", "z = y * y")):
        node = names["names"][name].grad_fn
        assert places.line(node.code, node.lasti)[0] == line
    assert names["run"]("1 / 0", "a chapter", 3, 1) == "error"
    assert told[-1][1].startswith("line 1 of this block: 1 / 0")
    assert names["run"]("def f():\n    return 1 / 0", "a chapter", 3, 1) == "ok"
    assert names["run"]("f()", "a chapter", 6, 2) == "error"
    assert told[-1][1].startswith("line 1 of this block: f()\nline 5 of a chapter: return 1 / 0\n")
    assert names["run"]("def f():\nreturn 1", "a chapter", 6, 2) == "error"
    assert '"this block", line 2' in told[-1][1]
    assert told[-1][1].endswith("after function definition on line 1\n")

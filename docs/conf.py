"""How the documentation is built: ``sphinx -W -b html docs docs/_build``; see CONTRIBUTING.md."""

import contextlib
import functools
import io
import linecache
import os
import re
import sys
from pathlib import Path
from types import MappingProxyType
from unittest import mock

# Before NumPy is imported. The chapters train small networks; on a busy machine threads of BLAS that wait for each
# other made a build of two minutes one of more than a quarter of an hour.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

import calls
import chapters
import links
import rules
import tables
from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList
from snippets import file_name
from sphinx import addnodes
from sphinx.ext.napoleon import GoogleDocstring
from sphinx.util import logging

import minigrad
from minigrad.ops import TABLE

project = "minigrad"
author = "the minigrad authors"
version = release = minigrad.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "live",
    "notebooks",
]
exclude_patterns = ["_build", "exercises"]
default_role = "code"  # docstrings write `name` and ``name``

myst_heading_anchors = 3

autodoc_typehints = (
    "none"  # shapes and element types stand in the text, where NumPy's annotations cannot say them
)
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
add_module_names = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# Names in programs link to their entries. No program is run for that.
extensions.append("sphinx_codeautolink")
codeautolink_concat_default = True  # the programs of a page share their names
suppress_warnings = ["codeautolink.parse_block"]  # the page of the core quotes parts of functions

# A colon in the first line of a property is one of the sentence: what stands before it is no type.
GoogleDocstring._parse_attribute_docstring = GoogleDocstring._consume_to_end

html_theme = "furo"
html_title = f"minigrad {release}"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["pages.css", "live.css"]
html_copy_source = False
html_baseurl = os.environ.get(
    "MINIGRAD_SITE_URL", ""
)  # with a slash at its end; notebooks install the wheel from there
html_search_scorer = str(Path(__file__).parent / "scorer.js")

html_show_copyright = False

MOST_LINES = 8  # of a derivative that stands open in an entry

# From where a page loads Pyodide when a reader runs its blocks: the release that tests/test_live.py knows.
live_pyodide = os.environ.get("MINIGRAD_PYODIDE_URL", "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/")


def run_the_snippets(page):
    """The variables of a page's snippets, whose lines can be looked up; a snippet may end in an error."""
    text = (Path(__file__).parent / f"{page}.md").read_text(encoding="utf-8")
    names = {"__name__": page}
    for n, code in enumerate(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)):
        file = file_name(page, n)
        linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(RuntimeError):
            exec(compile(code, file, "exec"), names)
        yield names


def draw_the_gallery(app):
    """Saves every Drawing of gallery.md under the name that it has there, and the pages with players."""
    *_, names = run_the_snippets("gallery")
    folder = Path(__file__).parent / "_static" / "gallery"
    folder.mkdir(exist_ok=True)
    for name, drawing in names.items():
        if isinstance(drawing, minigrad.Drawing):
            drawing.save(folder / f"{name}.svg")
    names["training"].save(folder / "training.html")
    names["network"].save(folder / "network.html")
    # Without the gradients of the page, so that those of the player are seen to arrive.
    minigrad.draw(names["t"]["loss"], names["t"], show="value").save(folder / "by_hand.html")
    neuron = next(run_the_snippets("explain"))
    names = {name: t for name, t in neuron.items() if isinstance(t, minigrad.Tensor)}
    minigrad.draw(neuron["loss"], names, show=("value", "grad")).save(folder / "neuron.html")


class FromTables(Directive):
    """A directive whose content are the lines that `lines` gives."""

    def lines(self):
        raise NotImplementedError

    def run(self):
        node = nodes.Element()
        self.state.nested_parse(StringList(self.lines(), self.name), self.content_offset, node)
        return node.children


class Operations(FromTables):
    """The functions of the records from one to another, in the order of the table: ``.. operations:: exp sigmoid``."""

    required_arguments = 2

    def lines(self):
        names = list(TABLE)
        first, last = map(names.index, self.arguments)
        public = [op.public[0].strip(".()") for op in map(TABLE.get, names[first : last + 1]) if op.public]
        return [f".. autofunction:: minigrad.{name}" for name in public]


class OperationTable(FromTables):
    """The records that a module declares: public names, gradients, element types; ``.. operation-table:: ops.nn``."""

    required_arguments = 1

    def lines(self):
        rows = [("operation", "public names", "gradients", "orders", "readers", "rule", "element types")]
        for op in tables.declared_in(self.arguments[0]):
            names, in_place = tables.public_names(op)
            links = [*map(linked, names), *(linked(name, "minigrad.Tensor") for name in in_place)]
            texts, sample = rules.text(op.name)
            rule = ", ".join(f"``{text}``" for text in texts) + (sample and f" in {sample}")
            facts = (
                rules.gradients(op.name),
                rules.orders(op.name),
                tables.readers(op),
                rule,
                tables.element_types(op),
            )
            rows.append((f"``{op.name}``", ", ".join(links) or "–", *facts))
        lines = [".. list-table::", "   :header-rows: 1", "   :class: operations", ""]
        for row in rows:
            lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
        return lines


class CoverageTable(FromTables):
    """How many names of each place of PyTorch there are."""

    def lines(self):
        lines = [
            ".. list-table::",
            "   :header-rows: 1",
            "",
            "   * - place",
            "     - there",
            "     - not there",
        ]
        for place, here, lacking in tables.coverage():
            lines += [f"   * - ``{place}``", f"     - {len(here)}", f"     - {len(lacking)}"]
        return lines


class CoverageNames(FromTables):
    """The names of one place of PyTorch that are there, and those that are not: ``.. coverage-names:: torch.nn``."""

    required_arguments = 1

    def lines(self):
        (covered,) = [c for c in tables.coverage() if c.place == self.arguments[0]]
        place = covered.place.replace("torch", "minigrad", 1)
        here = " ".join(linked(name, place) for name in covered.here)
        lacking = " ".join(f"``{name}``" for name in covered.lacking)
        return [".. container:: names", "", f"   **There**: {here}", "", f"   **Not there**: {lacking}"]


class CoverageNowhere(FromTables):
    """The places of PyTorch of which nothing is there."""

    def lines(self):
        return [", ".join(f"``{c.place}`` ({len(c.lacking)})" for c in tables.coverage() if not c.here) + "."]


class OfFiles(Directive):
    """A directive whose content comes from files: Sphinx makes the page anew where one of them has changed."""

    def note(self, *files):
        for file in files:
            self.state.document.settings.env.note_dependency(str(file))


class Cell(OfFiles):
    """A cell of a program in ``examples/learn``, what it prints, and what it draws: ``.. cell:: slope tape``."""

    required_arguments = 2
    option_spec = MappingProxyType(
        {"alt": directives.unchanged, "hide": directives.flag, "page": directives.flag}
    )

    def run(self):
        program, name = self.arguments
        cell = chapters.cells(program)[name]
        self.note(chapters.EXAMPLES / "learn" / f"{program}.py")
        shown = [block(cell.code, "python", cell=(f"{program}.py", cell.line))]
        if "hide" in self.options:  # it runs with the others where a reader runs them
            shown[0]["classes"].append("hidden")
        if cell.printed:
            shown.append(block(cell.printed.rstrip(), "text", classes=["printed"]))
        for picture, drawn in cell.pictures.items():
            folder = Path(__file__).parent / "_static" / "learn"
            folder.mkdir(exist_ok=True)
            file = folder / f"{program}_{picture}.svg"
            file.write_text(drawn if isinstance(drawn, str) else drawn.svg(), encoding="utf-8")
            image = nodes.image(
                uri=f"/_static/learn/{file.name}", alt=self.options["alt"], classes=["printed"]
            )
            shown.append(image)
            if "page" in self.options:
                page = drawn.save(file.with_suffix(".html")).name
                link = (
                    f'<p class="printed"><a href="../_static/learn/{page}">Walk around in this graph</a></p>'
                )
                shown.append(nodes.raw("", link, format="html"))
        return shown


class Exercises(OfFiles):
    """The exercises of a chapter, and below them, folded, the worked solutions: ``.. exercises:: slope``."""

    required_arguments = 1

    def run(self):
        file = f"{self.arguments[0]}.py"
        files = [Path(__file__).parent / "exercises" / name for name in (file, f"solutions/{file}")]
        self.note(*files)
        task, solution = (path.read_text(encoding="utf-8").rstrip() for path in files)
        head = '<details class="solutions"><summary>Worked solutions</summary>'
        return [
            block(task, "python", cell=(f"exercises/{file}", 0, self.arguments[0]), classes=["task"]),
            nodes.raw("", head, format="html"),
            block(solution, "python", classes=["task"]),
            nodes.raw("", "</details>", format="html"),
        ]


class Printed(OfFiles):
    """What a program in ``examples`` prints: ``.. printed:: by_hand.py``; from a text to another, if said."""

    required_arguments, optional_arguments, final_argument_whitespace = 1, 1, True
    option_spec = MappingProxyType({"from": directives.unchanged, "to": directives.unchanged})

    def run(self):
        program, *arguments = " ".join(self.arguments).split()
        self.note(chapters.EXAMPLES / program)
        text = chapters.printed_by(program, *arguments)
        return [block(chapters.cut(text, self.options.get("from", ""), self.options.get("to")), "text")]


def block(text, language, **attributes):
    return nodes.literal_block(text, text, language=language, **attributes)


def linked(name, place="minigrad"):
    """A public name of a place as a link to its entry; as plain code where it has none."""
    return f":py:obj:`{name} <{tables.entry(place, name)}>`"


def add_other_names(app, what, name, obj, options, lines):
    """Puts the other names of a function or method, and its derivative, at the end of its entry."""
    place, _, function = name.rpartition(".")
    if what not in ("function", "method", "property") or not place.startswith("minigrad"):
        return
    said: list[tuple[str, list[str]]] = []
    if place == "minigrad" and function in minigrad.__all__:
        others, in_place = tables.other_names(function)
        said = [("Other names", others), ("In place", in_place)]
    sentences = [f"{title}: {', '.join(f'``{n}``' for n in names)}." for title, names in said if names]
    if sentences:
        lines += ["", " ".join(sentences), ""]
    if place not in calls.PLACES or function.endswith("_"):
        return
    # In other places functions of the same names do more than the operation, such as mask.
    texts, where = rules.of_function(function, obj) if place in calls.RECORDS else ([], "")
    if texts:
        where = where and f", with ``{where}``"
        lines += ["", f"Derivative{where}: {', '.join(f'``{text}``' for text in texts)}.", ""]
    elif told := calls.derivative(name.removeprefix("minigrad."), getattr(obj, "fget", obj)):
        lines += ["", f"Derivative, in ``{told.call}`` with {told.shapes}:", "", *folded(told.lines()), ""]


def folded(lines):
    """A block of lines, which a reader opens if it is long."""
    text = [".. code-block:: text", "", *(f"   {line}" for line in lines), ""]
    if len(lines) <= MOST_LINES:
        return text
    head = f"<details><summary>{len(lines)} lines, the last operation first</summary>"
    return [".. raw:: html", "", f"   {head}", "", *text, ".. raw:: html", "", "   </details>", ""]


def with_few_entries(app, pagename, templatename, context, doctree):
    """The tree of pages at the left, made without the entries of objects and sections, which it leaves out anyway.

    Sphinx copies all of them first, on each page: half of the time of a build.
    """
    whole = context["toctree"]

    def toctree(**options):
        with mock.patch.object(app.env, "tocs", few_entries(app.env)):
            return whole(**options)

    context["toctree"] = toctree


@functools.cache
def few_entries(env):
    """The entries of every page without those of objects and sections."""
    return {name: pruned(toc) for name, toc in env.tocs.items()}


def pruned(toc):
    """A page's entries without the branches in which no other page is named."""
    toc = toc.deepcopy()
    for page in toc.children:
        for below in page.children[1:]:
            if not any(below.findall(addnodes.toctree)):
                page.remove(below)
            else:
                for item in [i for i in below.children if not any(i.findall(addnodes.toctree))]:
                    below.remove(item)
    return toc


def open_pictures(app, doctree):
    """A picture on a page leads to itself, where it is as large as it was drawn; a wide one scrolls."""
    up = "../" * app.env.docname.count("/")
    for image in list(doctree.findall(nodes.image)):
        _, inside, path = image["uri"].partition("_static/")
        if inside and not isinstance(image.parent, nodes.reference):
            link = nodes.reference("", "", refuri=f"{up}_static/{path}", title="Open the picture")
            link["classes"] = ["picture", *(c for c in image["classes"] if c == "printed")]
            least = least_width(Path(__file__).parent / "_static" / path)
            opening = f'<span class="wide"><span style="--least: {least}px">'
            around = [nodes.raw("", text, format="html") for text in (opening, "</span></span>")]
            image.parent.replace(image, [around[0], link, around[1]])
            link.append(image)


# A picture much wider than the screen begins at its middle: its corners may be empty.
MIDDLE = """addEventListener("DOMContentLoaded", () => {
  for (const e of document.querySelectorAll(".wide"))
    if (e.scrollWidth > 2.2 * e.clientWidth) e.scrollLeft = (e.scrollWidth - e.clientWidth) / 2;
});"""


def least_width(file):
    """In pixels, of a picture whose first letters are then 9 pixels high; 0 for one without letters."""
    drawn = file.read_text(encoding="utf-8") if file.suffix == ".svg" else ""
    told = re.search(r'viewBox="\S+ \S+ ([\d.]+).*?font-size[:=]"?([\d.]+)', drawn, re.DOTALL)
    return round(float(told[1]) * 9 / float(told[2])) if told else 0


COLUMNS = re.compile(r"\S {2,}\S.*\n(.*\n)*?.*\S {2,}\S|──|^def ", re.MULTILINE)


def keep_columns(app, doctree):
    """Printed tables and programs keep their lines on a narrow screen, and scroll; messages wrap."""
    for printed in doctree.findall(nodes.literal_block):
        if printed.get("language") == "text" and COLUMNS.search(printed.astext()):
            printed["classes"].append("columns")


def check_links(app, error):
    """Warns of each link within the site that leads nowhere."""
    if error is None and app.builder.name == "html":
        for page, link in links.broken(Path(app.outdir)):
            logging.getLogger(__name__).warning("%s has a link that leads nowhere: %s", page.name, link)


def setup(app):
    """Called by Sphinx."""
    app.add_directive("cell", Cell)
    app.add_directive("exercises", Exercises)
    app.add_directive("printed", Printed)
    app.add_directive("operations", Operations)
    app.add_directive("operation-table", OperationTable)
    app.add_directive("coverage-table", CoverageTable)
    app.add_directive("coverage-names", CoverageNames)
    app.add_directive("coverage-nowhere", CoverageNowhere)
    app.connect("autodoc-process-docstring", add_other_names)
    app.add_js_file(None, body=MIDDLE)
    app.connect("builder-inited", draw_the_gallery)
    app.connect("doctree-read", open_pictures)
    app.connect("doctree-read", keep_columns)
    app.connect("html-page-context", with_few_entries, priority=400)  # the theme makes the tree at 500
    app.connect("build-finished", check_links)

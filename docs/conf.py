"""How the documentation is built: ``sphinx -W -b html docs docs/_build``; see CONTRIBUTING.md."""

import contextlib
import io
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

import minigrad
from minigrad.ops import TABLE

project = "minigrad"
author = "the minigrad authors"
version = release = minigrad.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
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

html_theme = "furo"
html_title = f"minigrad {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_copyright = False


def draw_the_gallery(app):
    """Runs the snippets of gallery.md and saves every Drawing under the name that it has there."""
    here = Path(__file__).parent
    page = (here / "gallery.md").read_text(encoding="utf-8")
    names = {"__name__": "gallery"}
    for code in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, "gallery.py", "exec"), names)
    folder = here / "_static" / "gallery"
    folder.mkdir(exist_ok=True)
    for name, drawing in names.items():
        if isinstance(drawing, minigrad.Drawing):
            drawing.save(folder / f"{name}.svg")
    names["training"].save(folder / "training.html")


class Operations(Directive):
    """The functions of the records from one to another, in the order of the table: ``.. operations:: exp sigmoid``."""

    required_arguments = 2

    def run(self):
        names = list(TABLE)
        first, last = map(names.index, self.arguments)
        lines = []
        for op in map(TABLE.get, names[first : last + 1]):
            here = [name.strip(".()") for name in op.public]
            if here:
                others = ", ".join(f"``{name}``" for name in here[1:])
                lines += [f".. autofunction:: minigrad.{here[0]}", "", f"   Also: {others}." if others else "", ""]
        node = nodes.Element()
        self.state.nested_parse(StringList(lines, "operations"), self.content_offset, node)
        return node.children


class OperationTable(Directive):
    """Every record with its public names, the gradients it has, and how its element types meet."""

    TYPES = {
        None: "kept", "same": "promoted", "number": "promoted, no bool", "float": "promoted, integers become float",
        "floats": "promoted, floats only", "bits": "promoted, no floats", "branches": "promoted",
        "rounds": "kept, no bool",
    }  # fmt: skip

    def run(self):
        rows = [("operation", "public names", "gradients", "element types")]
        for op in TABLE.values():
            names = ", ".join(f"``{name.strip('.()')}``" for name in op.public) or "–"
            flows = len(op.inputs) if op.joint else sum(rule is not None for rule in op.rules)
            gradients = f"{flows} of {len(op.inputs)}" if op.differentiable else "–"
            rows.append((f"``{op.name}``", names, gradients, self.TYPES[op.cast]))
        lines = [".. list-table::", "   :header-rows: 1", ""]
        for row in rows:
            lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
        node = nodes.Element()
        self.state.nested_parse(StringList(lines, "operations"), self.content_offset, node)
        return node.children


def setup(app):
    """Called by Sphinx."""
    app.add_directive("operations", Operations)
    app.add_directive("operation-table", OperationTable)
    app.connect("builder-inited", draw_the_gallery)

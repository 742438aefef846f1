"""How the documentation is built: ``sphinx -W -b html docs docs/_build``; see CONTRIBUTING.md."""

import contextlib
import io
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import minigrad

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


def setup(app):
    """Called by Sphinx."""
    app.connect("builder-inited", draw_the_gallery)

"""A notebook of each chapter: its text, its cells, and its exercises with their tests; the page has a link to it.

A Sphinx extension of its own. Where ``html_baseurl`` says at what address the site stands, the first cell installs the
wheel that lies there, and links lead there.
"""

import ast
import json
import re
from pathlib import Path

import chapters
from docutils import nodes

HERE = Path(__file__).parent
DIRECTIVE = re.compile(r"^```\{([\w-]+)\} *(.*)\n((?:.*\n)*?)```\n", re.MULTILINE)
LINK = re.compile(r"!?\[([^]]*)\]\((?!https?:)([^)#]*)([^)]*)\)")
WRITE = """# Writes the tests of the exercises below, beside this notebook.
from pathlib import Path

for name, text in {}.items():
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")
"""
CHECK = """import sys

sys.path.insert(0, "docs/exercises")
from grader import grade

for name, wrong in grade("{}").items():
    print(name, wrong or "right", sep=": ")
"""


def cells(page, address="", wheel=""):
    """The cells of a chapter: "markdown" or "code", and the text."""
    yield (
        "code",
        f'%pip install -q "minigrad-tape[testing,viz] @ {address}{wheel}"'
        if address
        else ('# Once, in a checkout of minigrad:\n# %pip install -q ".[testing,viz]"'),
    )
    parts = DIRECTIVE.split(page.read_text(encoding="utf-8"))
    for text, kind, argument, options in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=False):
        yield "markdown", linked(text, page, address)
        yield from shown(kind, argument.split(), options)
    yield "markdown", linked(parts[-1], page, address)


def shown(kind, arguments, options):
    """What a directive shows."""
    if kind == "cell":
        cell = chapters.cells(arguments[0])[arguments[1]]
        pictures = [f"SVG({k})" if isinstance(v, str) else k for k, v in cell.pictures.items()]
        head = "from IPython.display import SVG, display\n\n" if pictures else ""
        yield "code", "\n".join([head + cell.code, *(f"\ndisplay({picture})" for picture in pictures)])
    elif kind == "printed":
        part = dict(re.findall(r"^:(from|to): (.*)$", options, re.MULTILINE))
        text = chapters.cut(chapters.printed_by(*arguments), part.get("from", ""), part.get("to"))
        yield "markdown", f"```text\n{text}\n```"
    elif kind == "literalinclude":
        text = (HERE / "learn" / arguments[0]).read_text(encoding="utf-8")
        name = options.split()[1]
        (part,) = [node for node in ast.parse(text).body if getattr(node, "name", "") == name]
        yield "markdown", f"```python\n{ast.get_source_segment(text, part)}\n```"
    elif kind == "exercises":
        names = ["conftest.py", "grader.py", f"test_{arguments[0]}.py"]
        files = [
            *(HERE / "exercises" / name for name in names),
            chapters.EXAMPLES / "learn" / "scalar_tape.py",
        ]
        texts = {
            file.relative_to(chapters.ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files
        }
        yield "code", WRITE.format(json.dumps(texts, ensure_ascii=False))
        task = HERE / "exercises" / f"{arguments[0]}.py"
        yield "code", f"%%writefile docs/exercises/{task.name}\n{task.read_text(encoding='utf-8')}"
        yield "code", CHECK.format(arguments[0])


def linked(text, page, address):
    """Links within the site lead to its address; without one their words stay."""

    def link(match):
        words, target, place = match[1], match[2], match[3]
        if not address:
            return "" if match[0].startswith("!") else words
        target = (
            (page.parent / target).resolve().relative_to(HERE).as_posix() if target else f"learn/{page.name}"
        )
        return f"{match[0].partition('](')[0]}]({address}{re.sub(r'[.]md$', '.html', target)}{place})"

    return LINK.sub(link, text).strip("\n")


def notebook(page, address="", wheel=""):
    """The file's text, in version 4.5 of the format."""
    parts = [(kind, text.strip("\n")) for kind, text in cells(page, address, wheel) if text.strip()]
    more = {"markdown": {}, "code": {"execution_count": None, "outputs": []}}
    listed = [
        {
            "cell_type": kind,
            "id": f"cell-{n}",
            "metadata": {},
            "source": text.splitlines(keepends=True),
            **more[kind],
        }
        for n, (kind, text) in enumerate(parts)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {"cells": listed, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def chapters_of(folder=HERE / "learn"):
    return [
        page for page in sorted(folder.glob("*.md")) if "```{exercises}" in page.read_text(encoding="utf-8")
    ]


def write(app):
    """All notebooks, beside the pages."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = getattr(app, "live", {}).get("wheel", "")
    wheel = wheel and f"_static/{wheel}"
    for page in chapters_of():
        text = notebook(page, app.config.html_baseurl if wheel else "", wheel)
        (folder / f"{page.stem}.ipynb").write_text(text, encoding="utf-8")


def link(app, doctree):
    """Below the title of a chapter."""
    page = Path(app.env.doc2path(app.env.docname))
    if page in chapters_of():
        words = f'<p class="notebook"><a href="../_static/notebooks/{page.stem}.ipynb" download>As a notebook</a></p>'
        (title,) = list(doctree.findall(nodes.title))[:1]
        title.parent.insert(title.parent.index(title) + 1, nodes.raw("", words, format="html"))


def setup(app):
    """Called by Sphinx."""
    app.connect("builder-inited", write, priority=600)  # the wheel is built at 500
    app.connect("doctree-read", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

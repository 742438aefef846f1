"""The page to walk around in, and what SVG pictures have in common."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from html import escape
from pathlib import Path

from minigrad.emit.draw.dot import plain
from minigrad.emit.draw.graph import Graph

_STYLE = (
    "<style>.node text:first-of-type{font-weight:bold;font-size:10.5px}.node text~text{font-size:9.5px;fill:#333}"
    ".key text:first-of-type{font-weight:normal;font-size:9px}</style>"
)


_TIP = r'<g id="a_([nrc]\d+)"><a xlink:title="[^"]*"'


def styled(svg: str, graph: Graph) -> str:
    """An SVG picture with bold titles over smaller lines, which plain labels of Graphviz cannot have.

    Tooltips are written anew, for Graphviz reads backslashes and entities in them twice.
    """
    tips = {box.id: box.tip for box in graph.boxes}
    tips.update((f"c{c.id}", c.label) for c in graph.clusters)
    svg = re.sub(_TIP, lambda m: f'<g id="a_{m[1]}"><a xlink:title="{_attribute(tips[m[1]])}"', svg)
    svg = svg[svg.index("<svg") :]
    end = svg.index(">") + 1
    return svg[:end] + _STYLE + svg[end:]


def _attribute(text: str) -> str:
    return escape(plain(text)).replace("\n", "&#10;").replace("\t", "    ")


def write(graph: Graph, pictures: dict[str, str]) -> str:
    """One HTML file with everything in it: the pictures, what is known of each box, style and program."""
    data = {
        "boxes": {b.id: {k: v for k, v in asdict(b).items() if k in ("kind", "title", "lines", "tip", "cluster")}
                  for b in graph.boxes},
        "clusters": {f"c{c.id}": asdict(c) for c in graph.clusters},
        "edges": {e.id: [e.source, e.target] for e in graph.edges},
        "notes": graph.notes,
    }  # fmt: skip
    # in a script element only "</" and "<!--" could end it or change its meaning
    told = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
    views = "".join(
        f'<div class="view" data-view="{name}">{_inline(styled(svg, graph))}</div>'
        for name, svg in pictures.items()
    )
    here = Path(__file__).parent
    template = (here / "page.html").read_text(encoding="utf-8")
    parts = {
        "style": (here / "page.css").read_text(encoding="utf-8"),
        "views": views,
        "data": told,
        "program": (here / "page.js").read_text(encoding="utf-8"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], template)


def _inline(svg: str) -> str:
    """A picture as part of a page: ids that are the page's own, tooltips left to the page."""
    svg = re.sub(r' xlink:title="[^"]*"', "", svg)
    svg = re.sub(r"<title>[^<]*</title>\n?", "", svg)
    return re.sub(r'\bid="([^"]*)"', lambda m: f'data-id="{m[1]}"', svg)

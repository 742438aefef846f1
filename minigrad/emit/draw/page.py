"""The page to walk around in, and what SVG pictures have in common."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

from minigrad.emit.draw.graph import Graph

_HERE = Path(__file__).parent


def styled(svg: str) -> str:
    """An SVG picture with its size in its own units, so that it is scaled with the page."""
    return svg[svg.index("<svg") :]


def write(graph: Graph, pictures: dict[str, str]) -> str:
    """One HTML file with everything in it: the pictures, what is known of each box, style and program."""
    data = {
        "boxes": {b.id: {k: v for k, v in asdict(b).items() if k in ("kind", "title", "lines", "tip", "cluster")}
                  for b in graph.boxes},
        "clusters": {f"c{c.id}": asdict(c) for c in graph.clusters},
        "edges": [[e.source, e.target, e.kind] for e in graph.edges],
        "notes": graph.notes,
    }  # fmt: skip
    # in a script element only "</" and "<!--" could end it or change its meaning
    told = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
    views = "".join(
        f'<div class="view" data-view="{name}">{_inline(svg, name)}</div>' for name, svg in pictures.items()
    )
    template = (_HERE / "page.html").read_text(encoding="utf-8")
    parts = {
        "style": (_HERE / "page.css").read_text(encoding="utf-8"),
        "views": views,
        "data": told,
        "program": (_HERE / "page.js").read_text(encoding="utf-8"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], template)


def _inline(svg: str, view: str) -> str:
    """A picture as part of a page: ids that are the page's own, tooltips left to the page."""
    svg = styled(svg)
    svg = re.sub(r' xlink:title="[^"]*"', "", svg)
    svg = re.sub(r"<title>[^<]*</title>\n?", "", svg)
    return re.sub(r'\bid="([^"]*)"', lambda m: f'data-id="{m[1]}"', svg)

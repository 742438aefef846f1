"""The page that shows a drawing and folds its frames, and the style that SVG pictures share with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from minigrad.readers.draw import dot, engines, states
from minigrad.readers.draw.graph import Graph

_STYLE = (
    # Without geometricPrecision letters keep to whole pixels, and do not fit into small boxes.
    "<style>text{text-rendering:geometricPrecision}"
    ".node text:first-of-type{font-weight:bold;font-size:10.5px}.node text~text{font-size:9.5px;fill:#333}"
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
    return _with_style(svg)


def _with_style(svg: str) -> str:
    svg = svg[svg.index("<svg") :]
    end = svg.index(">") + 1
    # spaces behind a text gave it room in the layout
    return svg[:end] + _STYLE + re.sub("(?:\xa0|&#160;)+</text>", "</text>", svg[end:])


def _attribute(text: str) -> str:
    return escape(dot.plain(text)).replace("\n", "&#10;").replace("\t", "    ")


def write(
    views: Sequence[tuple[str, Graph]],
    refused: dict[str, str],
    legend: bool = True,
    steps: dict[str, Any] | None = None,
) -> str:
    """One HTML file with everything in it: pictures, layouts, facts about each box, style and program.

    ``views`` are directions with their graphs; ``refused`` says of the other directions why they are missing;
    ``steps`` is what the player plays.
    """
    graphs: list[Graph] = []
    for _, graph in views:
        if not any(graph is g for g in graphs):
            graphs.append(graph)
    prepared = [_View(name, graph) for name, graph in views]
    svgs = iter(engines.pictures([text for view in prepared for text in view.texts()]))
    shown = "".join(view.shown(svgs, legend) for view in prepared)
    entries = [
        {"name": v.name, "graph": [v.graph is g for g in graphs].index(True), "layouts": v.layouts}
        for v in prepared
    ]
    data = {"views": entries, "graphs": [_data(g) for g in graphs], "refused": refused, "player": steps}
    here = Path(__file__).parent
    template = (here / "page.html").read_text(encoding="utf-8")
    filled = {
        "style": _edge_style() + "\n" + (here / "page.css").read_text(encoding="utf-8"),
        "views": shown,
        # in a script element only "</" and "<!--" could end it or change its meaning
        "data": json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c"),
        "program": "".join(
            (here / name).read_text(encoding="utf-8") for name in ("page.js", "player.js", "export.js")
        ),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda m: filled[m[1]], template)


class _View:
    """A direction in a page: a picture with every frame open, and the layouts of folded states."""

    def __init__(self, name: str, graph: Graph) -> None:
        self.name, self.graph = name, graph
        self.part = Graph(*dot.part(graph, name))
        self.states = states.states(self.part)
        self.layouts: list[dict[str, Any]] = []

    def texts(self) -> Iterator[str]:
        """The graphs to lay out: the picture, its folded states, folded modules by themselves."""
        inside = states.inside(self.part)
        boxes = [replace(states.closed(c, inside[c.id]), cluster=0) for c in self.part.clusters]
        for graph in (self.part, *(graph for _, graph in self.states), Graph(boxes)):
            yield dot.write(graph, self.name, legend=False, notes=False)

    def shown(self, svgs: Iterator[str], legend: bool) -> str:
        """The view as HTML, from the pictures of `texts`."""
        picture = next(svgs)
        self.layouts = [{"folded": [], **states.geometry(picture)}]
        for state, _ in self.states:
            self.layouts.append({"folded": [f"c{c}" for c in sorted(state)], **states.geometry(next(svgs))})
        folded = re.findall(r'<g id="f\d+" class="node module">.*?</a>\n</g>\n</g>\n', next(svgs), re.DOTALL)
        end = picture.rindex("</g>")
        picture = _inline(picture[:end] + "".join(folded) + picture[end:])
        key = f'<div class="legend">{_key(self.part)}</div>'
        return f'<div class="view" data-view="{self.name}">{picture}{key if legend else ""}</div>'


def _key(graph: Graph) -> str:
    """The legend, in the page's own letters."""
    boxes, edges = dot.key(graph)
    words = []
    for style, meaning in boxes:
        fill, line = re.findall(r'color="(#\w+)"', style)
        border = "double" if "peripheries" in style else "dashed" if "dashed" in style else "solid"
        round_ = ";border-radius:4px" if "rounded" in style else ""
        wide = ";border-width:3px" if "penwidth" in style or border == "double" else ""
        look = f"background:{fill};border-color:{line};border-style:{border}{round_}{wide}"
        words.append(f'<span><i style="{look}"></i>{meaning}</span>')
    words += [
        f'<span><b style="color:{colour}">{dash}</b> {meaning}</span>' for dash, colour, meaning in edges
    ]
    if any(" … " in line for box in graph.boxes for line in box.lines):
        words.append("<span>a … b … c: least, mean and largest element</span>")
    return "".join(words)


def _data(graph: Graph) -> dict[str, Any]:
    inside, keys = states.inside(graph), states.keys(graph)
    return {
        "boxes": {b.id: {"title": b.title, "tip": b.tip, "cluster": b.cluster} for b in graph.boxes},
        "clusters": {
            f"c{c.id}": {
                "parent": c.parent,
                "label": c.label,
                "width": round(10 * max(map(dot.width, c.label.split("\n"))), 1),
                "key": keys[c.id],
                "tip": states.content(inside[c.id]),
            }
            for c in graph.clusters
        },
        "edges": {e.id: [e.source, e.target] for e in graph.edges},
        "places": graph.places,
        "notes": graph.notes,
    }


def _inline(svg: str) -> str:
    """A picture as part of a page: ids that are the page's own, and nothing that the page says better."""
    svg = _with_style(svg)
    svg = re.sub(r"<!--.*?-->\n|<title>[^<]*</title>\n", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xlink:title="[^"]*"| font-family="[^"]*"| text-anchor="middle"', "", svg)
    svg = re.sub(r'<g id="a_[^"]*"><a>\n(.*?)</a>\n</g>\n', r"\1", svg, flags=re.DOTALL)
    svg = re.sub(r'(<g id="[^"]*" class="edge.*?>\n)(.*?)(?=</g>)', _edge, svg, flags=re.DOTALL)
    svg = re.sub(r'(<text[^>]*?) text-anchor="start"|(<text[^>]*?) font-size="[\d.]+"', _first, svg)
    svg = re.sub(r'\bid="([^"]*)"', lambda m: f'data-id="{m[1]}"', svg)
    return re.sub(r' (?:d|points)="[^"]*"', _rounded, svg)


def _rounded(match: re.Match[str]) -> str:
    """Places to a tenth of a point."""
    return re.sub(r"(\.\d)\d+", r"\1", match[0])


def _first(match: re.Match[str]) -> str:
    return str(match[1] or match[2])


def _edge(match: re.Match[str]) -> str:
    """An edge without its place, which the layouts have, and without its colours, which its class has."""
    return match[1] + re.sub(r' (?:d|points|fill|stroke|font-size)="[^"]*"', "", match[2])


def _edge_style() -> str:
    """The colours of edges, with no more weight than attributes have."""
    rules = [f":where(.edge, .cluster) text {{ fill: {dot.GREY}; }}"]
    for kind, look in dot.EDGES.items():
        colour = (re.search(r'color="(#\w+)"', look) or [dot.GREY, dot.GREY])[1]
        rules.append(f":where(.edge.{kind} path) {{ fill: none; stroke: {colour}; }}")
        rules.append(f":where(.edge.{kind} polygon) {{ fill: {colour}; stroke: {colour}; }}")
    return "\n".join(rules)

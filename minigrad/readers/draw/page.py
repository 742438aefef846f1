"""The page that shows a drawing and folds its frames, and the style that SVG pictures share with it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from minigrad.readers.draw import dot, engines, states
from minigrad.readers.draw.graph import Box, Graph

WEIGHT = 300_000  # bytes of a page of a network of sixty boxes
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
    return _with_style(dot.without_sides(svg))


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
    steps: dict[str, Any] | str = "",
) -> str:
    """One HTML file with everything in it: pictures, layouts, facts about each box, style and program.

    ``views`` are directions with their graphs; ``refused`` says of the other directions why they are missing;
    ``steps`` is what the player plays, or why there is none.
    """
    graphs: list[Graph] = []
    for _, graph in views:
        if not any(graph is g for g in graphs):
            graphs.append(graph)
    prepared = [_View(name, graph) for name, graph in views]
    svgs = map(dot.without_sides, engines.pictures([text for view in prepared for text in view.texts()]))
    shown = "".join(view.shown(svgs, legend) for view in prepared)
    entries = [
        {"name": v.name, "graph": [v.graph is g for g in graphs].index(True), "layouts": v.layouts}
        for v in prepared
    ]
    lines: dict[str, int] = {}
    told = [_data(g, lines) for g in graphs]
    here = Path(__file__).parent
    template = (here / "page.html").read_text(encoding="utf-8")
    filled = {
        "style": _colours() + "\n" + (here / "page.css").read_text(encoding="utf-8"),
        "views": shown,
        "data": _json(
            {"views": [], "graphs": told, "lines": list(lines), "refused": refused, **_played(steps)}
        ),
        "program": "".join(
            re.sub(r"^\s+|^//.*\n", "", (here / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
            for name in ("page.js", "player.js", "export.js")
        ),
    }
    _lighten(entries, WEIGHT - sum(len(text.encode()) for text in (template, *filled.values())))
    filled["data"] = filled["data"].replace("[]", _json(entries), 1)
    return re.sub(r"\{\{(\w+)\}\}", lambda m: filled[m[1]], template)


def _played(steps: dict[str, Any] | str) -> dict[str, Any]:
    return {"unplayed": steps} if isinstance(steps, str) else {"player": steps, "unplayed": ""}


def _lighten(views: list[dict[str, Any]], room: int) -> None:
    """Leaves out the folded layouts that are least likely to be asked for, if what is left of the page fits then."""
    sizes = [[len(_json(layout)) + 1 for layout in view["layouts"]] for view in views]
    over = sum(map(sum, sizes)) - room
    if over > sum(sum(several[1:]) for several in sizes):
        return  # in a large page they are a small part
    while over > 0:
        n = max(range(len(views)), key=lambda n: len(sizes[n]))
        views[n]["layouts"].pop()
        over -= sizes[n].pop()


def _json(data: Any) -> str:
    """Data as a script element holds it: only "</" and "<!--" could end that or change its meaning.

    No file holds half a character.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<\ud800-\udfff]", lambda m: f"\\u{ord(m[0]):04x}", text)


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
        key = f'<div class="legend">{_key(self.part, bool(folded))}</div>'
        return f'<div class="view" data-view="{self.name}">{picture}{key if legend else ""}</div>'


def _key(graph: Graph, folds: bool) -> str:
    """The legend, in the page's own letters; what is ``folds`` is shown where something is folded."""
    boxes, edges = dot.key(graph)
    module = dot.STYLES["module"]
    words = []
    for style, meaning in [*boxes, *([module] if folds and module not in boxes else [])]:
        fill, line = re.findall(r'color="(#\w+)"', style)
        border = "double" if "peripheries" in style else "dashed" if "dashed" in style else "solid"
        round_ = ";border-radius:4px" if "rounded" in style else ""
        wide = ";border-width:3px" if "penwidth" in style or border == "double" else ""
        look = f"background:{fill};border-color:{line};border-style:{border}{round_}{wide}"
        kind = "" if (style, meaning) in boxes else ' class="folds"'
        words.append(f'<span{kind}><i style="{look}"></i>{meaning}</span>')
    words += [
        f'<span><b style="color:{colour}">{dash}</b> {meaning}</span>' for dash, colour, meaning in edges
    ]
    if any(" … " in line for box in graph.boxes for line in box.lines):
        words.append("<span>a … b … c: least, mean and largest element</span>")
    return "".join(words)


def _data(graph: Graph, lines: dict[str, int]) -> dict[str, Any]:
    inside, keys = states.inside(graph), states.keys(graph)
    return {
        "boxes": {b.id: _told(b, lines) for b in graph.boxes},
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


def _told(box: Box, lines: dict[str, int]) -> dict[str, Any]:
    """A box for the page: of its tip the numbers of the lines, many of which are shared; "" stands for the title."""
    titled = f"{box.tip}\n".startswith(f"{box.title}\n")
    tip = box.tip[len(box.title) :] if titled else box.tip
    told: dict[str, Any] = {
        "title": box.title,
        "tip": [lines.setdefault(line, len(lines)) for line in tip.split("\n")],
    }
    return told | {"cluster": box.cluster} if box.cluster else told


def _inline(svg: str) -> str:
    """A picture as part of a page: ids that are the page's own, and nothing that the page says better."""
    svg = _with_style(svg)
    svg = re.sub(r"<!--.*?-->\n|<title>[^<]*</title>\n", "", svg, flags=re.DOTALL)
    # Newer Graphviz asks for spaces to be kept; none matters here.
    unused = r' xlink:title="[^"]*"| font-family="[^"]*"| text-anchor="middle"| xml:space="preserve"'
    svg = re.sub(unused, "", svg).replace("&#45;", "-")
    svg = re.sub(r'<g id="a_[^"]*"><a>\n(.*?)</a>\n</g>\n', r"\1", svg, flags=re.DOTALL)
    svg = re.sub(r'(<g id="[^"]*" class="edge.*?>\n)(.*?)(?=</g>)', _edge, svg, flags=re.DOTALL)
    svg = re.sub(r'(<text[^>]*?) text-anchor="start"|(<text[^>]*?) font-size="[\d.]+"', _first, svg)
    leading = _leading(svg)
    node = functools.partial(_node, leading)
    svg = re.sub(r'<g id="[^"]*" class="node (\w+)">\n.*?</g>\n', node, svg, flags=re.DOTALL)
    svg = svg.replace('class="graph"', f'class="graph" data-leading="{leading}"', 1)
    svg = re.sub(r'(<g id="[^"]*" class="cluster.*?)<path[^>]*/>', r"\1<path/>", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]*)"', lambda m: f'data-id="{m[1]}"', svg)
    return re.sub(r' points="[^"]*"', _rounded, svg).replace(">\n", ">")


def _leading(svg: str) -> float:
    """How far below the first line of a box the second stands: engines differ."""
    lines = re.search(r'<text x="([^"]*)" y="([^"]*)">[^<]*</text>\n<text x="\1" y="([^"]*)">', svg)
    return round(float(lines[3]) - float(lines[2]), 2) if lines else 12


def _node(leading: float, match: re.Match[str]) -> str:
    """A box without the colours that its class has; of one with round corners only the sides are told."""
    fill, stroke = re.findall(r'color="(#\w+)"', dot.STYLES[match[1]][0])
    node = match[0].replace(f' fill="{fill}"', "").replace(f' stroke="{stroke}"', "")
    node = re.sub(r' d="([^"]*)"', _sides, node)
    texts = re.findall(r'<text x="([^"]*)" y="([^"]*)">', node)
    for k, (x, y) in enumerate(texts[1:], 1):  # one below another, as the page knows
        if x == texts[0][0] and abs(float(y) - float(texts[0][1]) - leading * k) < 0.05:
            node = node.replace(f' x="{x}" y="{y}"', "", 1)
    return node


def _sides(match: re.Match[str]) -> str:
    """Left, top, right and bottom of a path, in place of the path."""
    x, y = ([float(n) for n in re.findall(f"-?[\\d.]+(?={end})", match[1])] for end in (",", '[C "]|$'))
    return f' data-box="{min(x):.0f} {min(y):.0f} {max(x):.0f} {max(y):.0f}"'


def _rounded(match: re.Match[str]) -> str:
    """Places to a tenth of a point."""
    return re.sub(r"(\.\d)\d+", r"\1", match[0])


def _first(match: re.Match[str]) -> str:
    return str(match[1] or match[2])


def _edge(match: re.Match[str]) -> str:
    """An edge without its place, which the layouts have, and without its colours, which its class has."""
    placed = "x|y|" if match[2].count("<text") == 1 else ""
    return match[1] + re.sub(rf' (?:{placed}d|points|fill|stroke|font-size)="[^"]*"', "", match[2])


def _colours() -> str:
    """The colours of boxes and edges, with no more weight than attributes have."""
    rules = [
        f":where(.edge, .cluster) text {{ fill: {dot.GREY}; }}",
        f":where(.cluster path) {{ stroke: {dot.GREY}; }}",
    ]
    for kind, (look, _) in dot.STYLES.items():
        fill, stroke = re.findall(r'color="(#\w+)"', look)
        rules.append(f":where(.node.{kind} :is(path, polygon):not([fill])) {{ fill: {fill}; }}")
        rules.append(f":where(.node.{kind} :is(path, polygon, polyline)) {{ stroke: {stroke}; }}")
    for kind, look in dot.EDGES.items():
        colour = (re.search(r'color="(#\w+)"', look) or [dot.GREY, dot.GREY])[1]
        rules.append(f":where(.edge.{kind} path) {{ fill: none; stroke: {colour}; }}")
        rules.append(f":where(.edge.{kind} polygon) {{ fill: {colour}; stroke: {colour}; }}")
    return "\n".join(rules)

"""A `Graph` as text in the DOT language."""

from __future__ import annotations

import math
import re
import textwrap
import unicodedata
from collections.abc import Iterable

from minigrad.readers.draw.graph import Box, Cluster, Edge, Graph

# Graphviz knows the widths of this font without having it, and names a generic family beside it.
FONT = "Helvetica"
# A picture is laid out in one place and shown in another, which may lack its font. So boxes are as wide as their text
# is at most: by the widest advances, in ems, that Arial, DejaVu Sans, Helvetica, Liberation Sans and Verdana have in
# bold, and by those of monospaced fonts.
MONOSPACED = 0.61
ADVANCES = {
    character: ems
    for ems, characters in [
        (0.41, " \xa0',./:;I\\ijl|·"),
        (0.54, '!"()*-[]_`frt'),
        (0.73, "$0123456789?CEFJLPSTYZabcdeghknopqsuvxyz{}λ∂∑"),
        (0.92, "#&+<=>ABDGHKNOQRUVXw^~±×∞"),
        (1.12, "%@MWm…—"),
    ]
    for character in characters
}
TITLE, LINE, KEY = 10.5, 9.5, 9  # sizes of text in boxes: those in the style sheet of a picture
PADDING = 12  # in points, left and right together
# Shapes and borders tell the kinds apart in print; colours (after Okabe and Ito, safe for the colour-blind) on
# a screen.  What stands outside of boxes has a grey that can be read on white and on black.
GREY = "#808080"
STYLES = {
    "input": ('shape=box style=filled fillcolor="#cfe8f7" color="#0072b2"', "input"),
    "parameter": ('shape=box peripheries=2 style=filled fillcolor="#fbe3b5" color="#b36b00"', "parameter"),
    "op": ('shape=box style="filled,rounded" fillcolor="#f4f4f4" color="#666666"', "operation"),
    "module": ('shape=box3d style=filled fillcolor="#e8e8e8" color="#444444"', "operations, in one box"),
    "result": ('shape=box style="filled,rounded" penwidth=2.4 fillcolor="#bfe6d8" color="#00684a"', "result"),
    "seed": ('shape=box style="filled,dashed" fillcolor="#f7dcec" color="#8a3a6b"', "gradient to begin with"),
    "step": (
        'shape=box style="filled,rounded,dashed" fillcolor="#faf0f6" color="#8a3a6b"',
        "step of backward",
    ),
    "gradient": (
        'shape=box style="filled,rounded" penwidth=2.4 fillcolor="#f0c4de" color="#8a3a6b"',
        "gradient of a leaf",
    ),
}
EDGES = {
    "use": "",
    "next": 'style=dashed color="#3d8fc4" constraint=false',
    "gradient": 'color="#b5538f"',
    "saved": f'style=dotted color="{GREY}" arrowhead=vee',
}
LEGEND = {
    "next": ("- - -", "#3d8fc4", "to the next repetition"),
    "gradient": ("——", "#b5538f", "gradient"),
    "saved": ("······", GREY, "value read by backward"),
}
# In a picture of more boxes labels stand where the layout leaves room for them: given rows of their own they double the
# rows that a far curve is led through. The layout of 300 boxes took 1.35 s of a processor, and takes 0.12.
CROWD = 120
_BAD = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"


def plain(text: str) -> str:
    """Text without the characters that no XML may have: they are written as escapes."""
    return re.sub(_BAD, lambda m: ascii(m[0])[1:-1], text.replace("\r\n", "\n").replace("\r", "\n"))


def width(text: str, weight: float = 1.0) -> float:
    """How wide a line of text is at most, in ems; ``weight`` is 0.92 where it is not bold."""
    return max(MONOSPACED * len(text), weight * sum(map(_advance, text)))


def _advance(c: str) -> float:
    known = ADVANCES.get(c)
    if known is not None:
        return known
    if unicodedata.category(c) in ("Mn", "Me", "Cf"):  # it stands on another one
        return 0.0
    if unicodedata.east_asian_width(c) in "WF":
        return 1.4 if unicodedata.category(c) == "So" else 1.05
    parts = unicodedata.normalize("NFKD", c)
    return 1.2 if parts == c else width(parts)


def _padded(text: str) -> str:
    """A line with spaces behind it, so that Graphviz takes it to be as wide as it may be: a title has no width to set.

    Graphviz takes no character to be narrower than it is in Helvetica.
    """
    least = sum(0.2 if _advance(c) < MONOSPACED else 0.5 for c in text)
    return text + "\xa0" * math.ceil((width(text) - least) / 0.27)


def quoted(text: str) -> str:
    """A DOT string that comes out as the text itself; ``&`` and ``\\`` would mean something else."""
    text = plain(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n").replace("\t", "    ") + '"'


def label(title: str, lines: Iterable[str] = ()) -> str:
    """A label of several lines; an empty title becomes a space, as Graphviz drops empty lines."""
    return quoted("\n".join([title if title.strip() else "\xa0", *(line for line in lines if line)]))


def write(graph: Graph, direction: str, legend: bool = True, notes: bool = True) -> str:
    """The DOT text of the forward part, the backward part, or both."""
    import graphviz

    boxes, edges, clusters = part(graph, direction)
    out = graphviz.Digraph("tape")
    body = out.body
    long = [line for note in graph.notes if notes for line in plain(note).split("\n")]
    lines = [part for line in long for part in textwrap.wrap(line, 90, break_on_hyphens=False)]
    title = quoted("\n".join(map(_padded, lines)))
    crowded = len(boxes) > CROWD
    beside = "forcelabels=false " if crowded else ""
    body.append(
        f'\tgraph [{beside}rankdir=TB ranksep=0.32 nodesep=0.22 bgcolor=transparent fontname="{FONT}" fontsize=10 '
        f'fontcolor="{GREY}" labelloc=b label={title} compound=true tooltip=" "]\n'
    )
    body.append(f'\tnode [fontname="{FONT}" fontsize=11 margin="0.08,0.065" height=0.3 width=0.3]\n')
    body.append(
        f'\tedge [fontname="{FONT}" fontsize=8.5 color="{GREY}" fontcolor="{GREY}" arrowsize=0.6 tooltip=" "]\n'
    )
    inside: dict[int, list[Box]] = {}
    for box in boxes:
        inside.setdefault(box.cluster, []).append(box)
    below: dict[int, list[Cluster]] = {}
    for cluster in clusters:
        below.setdefault(cluster.parent, []).append(cluster)
    against = direction == "both"
    sides = (False, True) if against and len({box.backward for box in boxes}) > 1 else (None,)
    if len(sides) > 1:
        body.extend(_beside(boxes))
    for side in sides:
        if side is not None:
            look = f'id=side{side:d} label="" tooltip="" style=invis margin=0'
            body.append(f"\tsubgraph cluster_side{side:d} {{ graph [{look}]\n")
        todo: list[Cluster | int | str] = [0]
        while todo:  # an explicit stack: modules may be nested as deep as they like
            at = todo.pop()
            if isinstance(at, str):
                body.append(at)
                continue
            if isinstance(at, Cluster):
                body.append(_open(at))
                todo.append("\t}\n")
                number = at.id
            else:
                number = at
            body.extend(
                _node(box) for box in inside.get(number, ()) if number or side in (None, box.backward)
            )
            frames = reversed(below.get(number, []))
            todo.extend(frame for frame in frames if number or side in (None, frame.backward))
        if side is not None:
            body.append("\t}\n")
    word = "xlabel" if crowded else "label"
    entering = set[str]() if against else _entering(boxes, edges, clusters)
    body.extend(_edge(edge, against, word, edge.id in entering) for edge in edges)
    if legend:
        body.extend(_legend(boxes, edges))
    return str(out.source)


def _beside(boxes: list[Box]) -> list[str]:
    """Puts the forward pass at the left and the backward pass at the right, each in its invisible frame.

    Alone, frames stand the other way round as often. The order of two points above them decides, with an edge from each
    to the first and the last box at the top of its side.
    """
    sides = {"left": (False, ("input", "parameter")), "right": (True, ("gradient",))}
    lines = [f'\t{point} [style=invis shape=point width=0.01 label=""]\n' for point in sides]
    lines.append("\t{rank=same left -> right [style=invis]}\n")
    for point, (side, kinds) in sides.items():
        own = [box for box in boxes if box.backward == side]
        top = [box.id for box in own if box.kind in kinds] or [box.id for box in own]
        lines += [f"\t{point} -> {id} [style=invis weight=0]\n" for id in dict.fromkeys(top[:1] + top[-1:])]
    return lines


_SIDE = r'<g id="side\d"[^>]*>\s*<title>[^<]*</title>\s*</g>\s*'


def without_sides(svg: str) -> str:
    """An SVG picture without the groups of invisible frames, in which is nothing."""
    return re.sub(_SIDE, "", svg)


def part(graph: Graph, direction: str) -> tuple[list[Box], list[Edge], list[Cluster]]:
    """The boxes, edges and frames of a direction."""
    own = {b.id for b in graph.boxes if b.backward}
    if direction == "both" or not own:
        return graph.boxes, graph.edges, graph.clusters
    clusters = [c for c in graph.clusters if c.backward == (direction == "backward")]
    if direction == "forward":
        edges = [e for e in graph.edges if e.target not in own]
        used = {x for e in edges for x in (e.source, e.target)}
        read = {e.source for e in graph.edges if e.target in own}
        return [b for b in graph.boxes if b.id in used or b.id not in read | own], edges, clusters
    edges = [e for e in graph.edges if e.target in own]
    keep = own | {e.source for e in edges}
    known = {c.id for c in clusters} | {0}
    boxes = []
    for b in graph.boxes:
        if b.id in keep:
            at = b.cluster if b.cluster in known else 0
            boxes.append(Box(b.id, b.kind, b.title, b.lines, b.tip, at, b.count, b.backward))
    return boxes, edges, clusters


def _node(box: Box) -> str:
    style = STYLES[box.kind][0]
    title = f"{box.title} × {box.count}" if box.count > 1 and box.kind == "module" else box.title
    return (
        f"\t{box.id} [id={box.id} class={box.kind} label={label(title, box.lines)} {_wide(title, box.lines)} "
        f"tooltip={quoted(box.tip)} {style}]\n"
    )


def _wide(title: str, lines: Iterable[str] = (), size: float = TITLE) -> str:
    """The width of a box with this text."""
    points = [size * width(line) for line in _lines(title)]
    points += [LINE * width(line, 0.92) for text in lines for line in _lines(text)]
    return f"width={max(0.3, (max(points) + PADDING) / 72):.2f}"


def _lines(text: str) -> list[str]:
    return plain(text).replace("\t", "    ").split("\n")


def _entering(boxes: list[Box], edges: list[Edge], clusters: list[Cluster]) -> set[str]:
    """Edges from values into frames that do not hold them.

    Such a value stands above the frame, in line with what it goes to.  Beside the frame, in the row of its parameters,
    each layer would stand further left than the one before, and four layers would take half as much room again.
    """
    home, parent = {box.id: box for box in boxes}, {cluster.id: cluster.parent for cluster in clusters}
    entering = set()
    for edge in edges:
        frame, frames = home[edge.source].cluster, {0}
        while frame:
            frames.add(frame)
            frame = parent[frame]
        if home[edge.source].kind != "parameter" and home[edge.target].cluster not in frames:
            entering.add(edge.id)
    return entering


def _edge(edge: Edge, against: bool, word: str, enters: bool) -> str:
    source, target, look = edge.source, edge.target, EDGES[edge.kind]
    if against and edge.kind == "gradient":
        source, target, look = target, source, look + " dir=back"
    elif against and edge.kind == "saved":
        look += " constraint=false"
    text = f"id={edge.id} class={edge.kind} {look}{' minlen=2 weight=8' * enters}"
    if edge.label and edge.kind != "saved":
        # beside the edge, with room for a wider font
        text += f' {word}="\xa0{edge.label}\xa0\xa0\\l"'
    return f"\t{source} -> {target} [{text}]\n"


def _open(cluster: Cluster) -> str:
    look = (
        'style="rounded,dashed" penwidth=1.4 color="#3d8fc4"'
        if cluster.kind == "repeated"
        else f'style=rounded color="{GREY}"'
    )
    return (
        f"\tsubgraph cluster_{cluster.id} {{ graph [id=c{cluster.id} class={cluster.kind} {look} labelloc=t "
        f"labeljust=l fontsize=10 margin=9 label={_title(cluster.label)} tooltip={quoted(cluster.label)}]\n"
    )


def _title(text: str) -> str:
    """The label of a frame: at the left, and as wide as it may need."""
    return '"' + "".join(quoted(_padded(line))[1:-1] + r"\l" for line in _lines(text)) + '"'


def key(graph: Graph) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
    """The legend as data: styles of boxes with their meanings; dashes, colours and meanings of edges."""
    boxes, edges = {b.kind for b in graph.boxes}, {e.kind for e in graph.edges}
    return [STYLES[k] for k in STYLES if k in boxes], [LEGEND[k] for k in LEGEND if k in edges]


def _legend(boxes: list[Box], edges: list[Edge]) -> list[str]:
    kinds = [k for k in STYLES if any(b.kind == k for b in boxes)]
    lines = ['\tsubgraph cluster_legend { graph [id=legend label="" style=invis margin=4]\n']
    names = [f"key{i}" for i in range(len(kinds))]
    for name, kind in zip(names, kinds, strict=True):
        style, meaning = STYLES[kind]
        lines.append(
            f'\t{name} [id={name} class=key tooltip=" " fontsize={KEY} height=0.2 label={quoted(meaning)} '
            f"{_wide(meaning, size=KEY)} {style}]\n"
        )
    for kind in [k for k in LEGEND if any(e.kind == k for e in edges)]:
        dash, colour, meaning = LEGEND[kind]
        text = f"{dash} {meaning}"
        lines.append(
            f'\tkey{len(names)} [id=key{len(names)} class=key tooltip=" " shape=plaintext fontsize={KEY} height=0.2 '
            f'fontcolor="{colour}" label="{text}" {_wide(text, size=KEY)}]\n'
        )
        names.append(f"key{len(names)}")
    if len(names) > 1:
        lines.append(f"\t{' -> '.join(names)} [style=invis]\n")
    lines.append("\t}\n")
    return lines


def summary(direction: str, graph: Graph) -> tuple[int, int]:
    """How many boxes and edges a direction has."""
    boxes, edges, _ = part(graph, direction)
    return len(boxes), len(edges)

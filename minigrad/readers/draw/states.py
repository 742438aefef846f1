"""What the page shows when modules are folded: a layout by Graphviz for each state that is likely to be asked for.

A module folds in all its frames at once, forward and backward, so a state is a set of names.  There may be more
states than can be laid out: the page derives the others itself, from the nearest one that is here.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import Any

from minigrad.readers.draw.graph import Box, Cluster, Edge, Graph

# What one view may have laid out, in boxes and edges over all of its states: together, which is the size of the
# page (about 30 bytes each), and the sum of their squares, which is the time (about 8 µs each).
ELEMENTS, SQUARES = 1_200, 80_000
ATTEMPTS = 2_000  # combinations of modules that are looked at
_SVG = "{http://www.w3.org/2000/svg}"

State = frozenset[int]  # the folded frames, none inside of another


def keys(graph: Graph) -> dict[int, str]:
    """For each frame the name of what is folded together: a module, forward and backward."""
    names = {c.id: c.label.removesuffix(", backward") if c.backward else c.label for c in graph.clusters}
    same = Counter((names[c.id], c.backward) for c in graph.clusters)
    return {  # two loops may be called the same
        c.id: names[c.id] if same[names[c.id], c.backward] == 1 else f"{c.label} ({c.id})"
        for c in graph.clusters
    }


def states(graph: Graph) -> list[tuple[State, Graph]]:
    """The folded states that are laid out, and what is drawn in each; without the one in which all is open."""
    pictures: dict[State, Graph] = {}
    elements = squares = 0
    sure = True
    known = keys(graph)
    for certain, names in _candidates(graph, known):
        state = outermost(graph, {c for c, name in known.items() if name in names})
        if not state or state in pictures:
            continue
        picture = folded(graph, state)
        n = len(picture.boxes) + len(picture.edges)
        sure = sure and certain
        if elements + n > ELEMENTS or squares + n * n > SQUARES:
            if sure:
                continue  # a coarser one may fit
            break
        pictures[state] = picture
        elements, squares = elements + n, squares + n * n
    return list(pictures.items())


def _candidates(graph: Graph, names: dict[int, str]) -> Iterator[tuple[bool, frozenset[str]]]:
    """Sets of names, the most useful first; True for those behind which a smaller one may come."""
    around = {c.id: c.parent for c in graph.clusters}
    above: dict[str, set[str]] = {name: {name} for name in names.values()}
    levels: dict[int, set[str]] = {}
    for c in graph.clusters:
        depth, at = 1, c.parent
        while at:
            above[names[c.id]].add(names[at])
            depth, at = depth + 1, around[at]
        levels.setdefault(depth, set()).add(names[c.id])
    every = list(above)
    yield True, frozenset(every)
    for name in every:  # one module open, and the rest folded
        yield True, frozenset(every) - above[name]
    for depth in sorted(levels):  # all modules of a level
        yield True, frozenset(levels[depth])
    for name in every:  # one module folded
        yield True, frozenset([name])
    several = (c for n in range(2, len(every) + 1) for c in combinations(every, n))
    for some in islice(several, ATTEMPTS):
        if not any(a in above[b] for a in some for b in some if a != b):
            yield False, frozenset(some)


def outermost(graph: Graph, chosen: set[int]) -> State:
    """Those of the chosen frames that stand in no other of them."""
    around = _around(graph, chosen)
    return frozenset(c.id for c in graph.clusters if c.id in chosen and not around.get(c.parent, 0))


def _around(graph: Graph, chosen: set[int]) -> dict[int, int]:
    """For each frame the outermost chosen one that it is or stands in, 0 for none."""
    around: dict[int, int] = {0: 0}
    for c in graph.clusters:  # a frame stands behind the one around it
        around[c.id] = around.get(c.parent, 0) or (c.id if c.id in chosen else 0)
    return around


def folded(graph: Graph, state: State) -> Graph:
    """The graph with each frame of ``state`` as one box; its edges are those of what is inside."""
    around = _around(graph, set(state))
    at = {b.id: around.get(b.cluster, 0) for b in graph.boxes}
    contents = inside(graph)
    out = Graph()
    for b in graph.boxes:
        if not at[b.id]:
            out.boxes.append(b)
    for c in graph.clusters:
        if c.id in state:
            out.boxes.append(closed(c, contents[c.id]))
        elif not around[c.id]:
            out.clusters.append(c)
    known: set[tuple[str, str, str]] = set()
    for e in graph.edges:
        source, target = (f"f{at[x]}" if at[x] else x for x in (e.source, e.target))
        ends = (source, target, e.kind)
        if (source, target) == (e.source, e.target):
            out.edges.append(e)
        elif source != target and ends not in known:
            known.add(ends)
            out.edges.append(Edge(source, target, e.label, e.kind, e.count, e.id))
    return out


def closed(c: Cluster, boxes: Sequence[Box]) -> Box:
    """A frame as a box; ``boxes`` are those in it."""
    return Box(f"f{c.id}", "module", c.label, [content(boxes)], c.label, c.parent, 1, c.backward)


def inside(graph: Graph) -> dict[int, list[Box]]:
    """For each frame the boxes in it, also those in frames in it."""
    contents: dict[int, list[Box]] = {c.id: [] for c in graph.clusters}
    parent = {c.id: c.parent for c in graph.clusters}
    for b in graph.boxes:
        at = b.cluster
        while at:
            contents[at].append(b)
            at = parent[at]
    return contents


def content(boxes: Sequence[Box]) -> str:
    """The content of a frame in words: ``2 parameters, 1 operation``."""
    kinds = Counter("parameter" if b.kind == "parameter" else "operation" for b in boxes if b.kind != "input")
    return ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in sorted(kinds.items(), reverse=True))


def geometry(svg: str) -> dict[str, Any]:
    """Where everything stands in a picture, as few numbers as will do, in texts: a page has many pictures.

    ``nodes``: the place of the first text. ``edges``: the points of the curve, each from the one before it, and behind
    slashes the tip of the arrow and the place of the label. ``frames``: left, top, right, bottom, and the place of the
    label.
    """
    root = ET.fromstring(svg)
    size = [float(n) for n in (root.get("viewBox") or "").split()][2:]
    shift = root[0].get("transform") or ""
    size += _numbers(shift[shift.rindex("translate") :])
    told: dict[str, list[str]] = {"node": [], "edge": [], "cluster": []}
    for g in root.iter(f"{_SVG}g"):
        kind = (g.get("class") or "").partition(" ")[0]
        text = g.find(f".//{_SVG}text")
        at = [] if text is None else [float(text.get(k) or 0) for k in "xy"]
        path, arrow = g.find(f".//{_SVG}path"), g.find(f".//{_SVG}polygon")
        curve = [] if path is None else _numbers(path.get("d") or "")
        if kind == "node":
            places = _whole(at)
        elif kind == "edge":
            tip = [] if arrow is None else _tip(curve, arrow)
            parts = [_whole(_steps([round(n) for n in curve])), _whole(tip), _whole(at)]
            places = "/".join(parts).rstrip("/")
        elif kind == "cluster":
            x, y = curve[::2], curve[1::2]
            places = _whole([*(f(n) for f in (min, max) for n in (x, y)), *at])
        else:
            continue
        told[kind].append(f"{g.get('id')} {places}")
    nodes, edges, frames = map(";".join, told.values())
    return {"size": size, "nodes": nodes, "edges": edges, "frames": frames}


def _whole(numbers: Sequence[float]) -> str:
    return " ".join(str(round(n)) for n in numbers)


def _numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", text)]


def _steps(points: list[int]) -> list[int]:
    """Each point as its distance from the one before it: smaller numbers."""
    return points[:2] + [n - before for before, n in zip(points, points[2:], strict=False)]


def _tip(curve: list[float], arrow: ET.Element) -> Sequence[float]:
    """The point of an arrow that is farthest from the curve, which ends at its other side."""
    n = _numbers(arrow.get("points") or "")
    corners = list(zip(n[::2], n[1::2], strict=True))
    ends = (curve[:2], curve[-2:])
    return max(corners, key=lambda c: min(math.dist(c, e) for e in ends))

"""From records to a picture: boxes, frames and edges."""

from __future__ import annotations

from typing import Any

from minigrad.core.node import Const, Node
from minigrad.readers import values
from minigrad.readers.draw.boxes import Labels
from minigrad.readers.draw.frames import frames, innermost, outside_of_loops
from minigrad.readers.draw.graph import Box, Edge, Graph
from minigrad.readers.draw.groups import Groups, Leaf
from minigrad.readers.draw.player import Player
from minigrad.readers.draw.records import Records, is_leaf


def build(records: Records, groups: Groups, show: frozenset[str], player: Player | None = None) -> Graph:
    """The picture of grouped records. It has texts only, and keeps nothing of the tape.

    A ``player`` notes in it where its steps stand.
    """
    labels = Labels(records, show)
    clusters, where = frames(groups, records.names)
    ids = {c: f"n{k}" for k, c in enumerate(groups.drawn)}
    folded: dict[int, list[int]] = {c: [] for c in groups.drawn}
    for i, c in enumerate(groups.first):
        if i != c:
            folded[c].append(i)
    graph = Graph(clusters=clusters)
    for c in groups.drawn:
        box = labels.item(groups, c, ids[c], folded[c])
        box.cluster = where[c]
        graph.boxes.append(box)
    leaf_ids: dict[Node, str] = {}
    for leaf in groups.leaves:
        box = labels.leaf(leaf, f"n{len(graph.boxes)}")
        box.cluster = _leaf_frame(records, groups, graph, where, leaf, box)
        graph.boxes.append(box)
        leaf_ids.update(dict.fromkeys(leaf.nodes, box.id))
    uses: dict[tuple[Node, int], str] = {}
    graph.edges = _edges(records, groups, ids, leaf_ids, "shape" in show, uses)
    if player is not None:
        boxes = {n: ids[groups.first[groups.item_of[k]]] for k, n in enumerate(records.ops)}
        player.place(graph, boxes | leaf_ids, uses, records.backward.of)
    return graph


def _leaf_frame(
    records: Records, groups: Groups, graph: Graph, where: dict[int, int], leaf: Leaf, box: Box
) -> int:
    """The frame for a leaf: around all that read it in the forward part; inputs stand outside."""
    if box.kind == "input" and not any(id(n) in records.names.owners for n in leaf.nodes):
        return 0
    early = sorted(c for c in leaf.users if not groups.items[c].backward)
    frame = innermost(graph.clusters, [where[c] for c in early])
    return outside_of_loops(graph.clusters, frame) if len(leaf.nodes) == 1 else frame


def _edges(
    records: Records,
    groups: Groups,
    ids: dict[int, str],
    leaf_ids: dict[Node, str],
    shapes: bool,
    uses: dict[tuple[Node, int], str],
) -> list[Edge]:
    """An edge for each use of a value by another box; uses that repetitions share are one, counted.

    ``uses`` gets the edge of each input of each record.
    """
    edges: dict[Any, Edge] = {}
    for k, node in enumerate(records.ops):
        i = groups.item_of[k]
        item, c = groups.items[i], groups.first[i]
        for slot, n in enumerate(node.inputs):
            if n.__class__ is Const:
                continue
            kind = "gradient" if item.backward else "use"
            position: Any = (k - item.start, slot)
            if is_leaf(n):
                source = leaf_ids.get(n, "")
                if item.backward and n not in records.backward.seeds:
                    kind = "saved"
            else:
                j = groups.item_of[records.at[n]]
                producer, d = groups.items[j], groups.first[j]
                source = "" if i == j else ids[d]
                at = records.at[n] - producer.start
                position = at if item.several else (at, *position)
                if item.backward and not producer.backward:
                    kind = "saved"
                elif j < i and d >= c:
                    kind = "next"  # from one repetition to the following one
            if not source:
                continue  # inside of one box
            key = (source, ids[c], position, kind)
            if key in edges:
                edges[key].count += 1
            else:
                label = values.size(n.shape) if shapes else ""
                edges[key] = Edge(source, ids[c], label, kind, 1, f"e{len(edges)}")
            uses[node, slot] = edges[key].id
    return list(edges.values())

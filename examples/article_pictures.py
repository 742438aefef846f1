"""The pictures of `article_mlp.py`: the problem, the fit, the losses and the graph."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import handwritten
import numpy as np
from handwritten import Array, Layer

import minigrad as mg

if TYPE_CHECKING:
    from article_mlp import Grid, Problem, Record
    from matplotlib.axes import Axes

NAMES = ("objective.png", "samples.png", "predictions.png", "losses.png", "graph.svg")
COLOURS, OFF = "viridis", "RdBu_r"
"""Colour maps: of heights, one scale for all pictures; and of errors, white where there is none."""


def draw_all(
    folder: Path,
    problem: "Problem",
    grid: "Grid",
    net: mg.nn.Module,
    layers: list[Layer],
    record: "Record",
    bound: float,
) -> None:
    by_minigrad = grid.predicted(problem, net)
    by_hand = grid.heights(problem, lambda x: handwritten.forward(layers, x).prediction)
    _problem(folder, problem, grid)
    _predictions(folder / "predictions.png", grid, by_minigrad, by_hand)
    _losses(folder / "losses.png", record, bound)
    _graph(folder / "graph.svg", problem, net)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _levels(heights: Sequence[Array], symmetric: bool = False) -> Any:
    from matplotlib.ticker import MaxNLocator

    locator = MaxNLocator(30, symmetric=symmetric)
    return locator.tick_values(min(h.min() for h in heights), max(h.max() for h in heights))


def _contours(axes: "Axes", title: str, grid: "Grid", height: Array, levels: Any, colours: str) -> Any:
    axes.set(title=title, xlabel="x", ylabel="y", aspect="equal")
    axes.label_outer()
    return axes.contourf(grid.x, grid.y, height, levels=levels, cmap=colours)


def _problem(folder: Path, problem: "Problem", grid: "Grid") -> None:
    figure = _figure(6.4, 5.2)
    axes = figure.subplots()
    title = r"To be learnt: $\sin x + x\,\cos y + y + 3^{\,x/3}$"
    filled = _contours(axes, title, grid, grid.true, _levels([grid.true]), COLOURS)
    figure.colorbar(filled, ax=axes, shrink=0.9)
    figure.savefig(folder / "objective.png", dpi=120)

    figure = _figure(6.4, 5.2)
    axes = figure.subplots()
    points = problem.points
    size = 12 if len(points) <= 2000 else 4
    scale = {"vmin": grid.true.min(), "vmax": grid.true.max(), "cmap": COLOURS}
    dots = axes.scatter(points[:, 0], points[:, 1], s=size, c=problem.values[:, 0], **scale)
    axes.set(title=f"What the network sees: {len(points):,} samples", xlabel="x", ylabel="y", aspect="equal")
    axes.set(xlim=(grid.x.min(), grid.x.max()), ylim=(grid.y.min(), grid.y.max()))
    figure.colorbar(dots, ax=axes, shrink=0.9)
    figure.savefig(folder / "samples.png", dpi=120)


def _predictions(path: Path, grid: "Grid", by_minigrad: Array, by_hand: Array) -> None:
    """The truth and both predictions on one scale, and how far minigrad's is off."""
    heights = {"The truth": grid.true, "Learnt by minigrad": by_minigrad, "Learnt by hand": by_hand}
    levels = _levels([*heights.values()])
    figure = _figure(11, 9.2)
    axes = figure.subplots(2, 2, sharex=True, sharey=True).ravel()
    for one, (title, height) in zip(axes, heights.items(), strict=False):
        filled = _contours(one, title, grid, height, levels, COLOURS)
        figure.colorbar(filled, ax=one, shrink=0.9)
    error = by_minigrad - grid.true
    most = float(np.abs(error).max())
    title = f"Error of minigrad's: {grid.off(by_minigrad):.1f} (RMS), {most:.1f} at most"
    filled = _contours(axes[3], title, grid, error, _levels([error], symmetric=True), OFF)
    figure.colorbar(filled, ax=axes[3], shrink=0.9)
    # Constrained layout lets square axes with bars push a label over the border.
    figure.savefig(path, dpi=110, bbox_inches="tight")


def _losses(path: Path, record: "Record", bound: float) -> None:
    figure = _figure(7.4, 7)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    loss, loss_by_hand = (np.array(column) for column in zip(*record.losses, strict=True))
    steps = np.arange(1, len(loss) + 1)
    above.plot(steps, loss, lw=5, alpha=0.4, label="minigrad")
    above.plot(steps, loss_by_hand, "k--", lw=1, label="by hand")
    above.set(title="Loss: the mean squared error of the standardised values", ylabel="MSE", yscale="log")
    above.legend(loc="upper right")
    peak = int(loss.argmax())
    if 0 < peak < len(loss) - 1:
        note = f"the first {peak} steps overshoot:\nthe loss is steep where training starts"
        at = {"xytext": (2.2 * (peak + 1), float(loss[peak]) / 3), "textcoords": "data"}
        above.annotate(note, (peak + 1, float(loss[peak])), **at, arrowprops={"arrowstyle": "->"}, va="top")
    below.plot(steps, record.differences, lw=0.8)
    below.axhline(bound, color="tab:red", lw=1)
    below.text(1, bound / 2, "above this line they disagree", color="tab:red", va="top")
    below.set(title="Largest relative difference of a gradient from the one by hand", yscale="log")
    below.set(xlabel="epoch, counted from 1", xscale="log", ylabel="difference")
    for axes in (above, below):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def _graph(path: Path, problem: "Problem", net: mg.nn.Module) -> None:
    """The tape of one step; each module is one box."""
    x, target = mg.from_numpy(problem.x), mg.from_numpy(problem.target)
    prediction = net(x)
    loss = 0.5 * mg.nn.MSELoss()(prediction, target)
    names = {"x": x, "target": target, "prediction": prediction, "loss": loss, **dict(net.named_parameters())}
    mg.draw(loss, names, show=("shape",)).save(path)


def compare_fits(path: Path, grid: "Grid", fits: Mapping[str, Array]) -> None:
    """The error of several predictions, on one scale."""
    errors = {name: height - grid.true for name, height in fits.items()}
    levels = _levels([*errors.values()], symmetric=True)
    rows = math.ceil(len(errors) / 2)
    figure = _figure(9.5, 4.4 * rows)
    axes = figure.subplots(rows, 2, sharex=True, sharey=True).ravel()
    for one, (name, error) in zip(axes, errors.items(), strict=True):
        title = f"{name}\noff by {grid.off(fits[name]):.1f} (RMS), {np.abs(error).max():.1f} at most"
        filled = _contours(one, title, grid, error, levels, OFF)
    figure.colorbar(filled, ax=axes, shrink=0.7, label="prediction - truth")
    figure.savefig(path, dpi=110)

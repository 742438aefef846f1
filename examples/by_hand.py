"""One step of gradient descent, worked by hand and by the tape, side by side.

Two inputs, three hidden neurons with ReLU, one output; the wanted output is the average of the inputs:

    x1 --w1--> h1 --w7--\\
    x2 --w2-->     b1    \\
    x1 --w3--> h2 --w8----> output
    x2 --w4-->     b2    /    b4
    x1 --w5--> h3 --w9--/
    x2 --w6-->     b3

Every change is printed with the sum that gives it. A change is what a number should move by, so it is minus
the gradient of half the squared error, which is what the tape is asked for.

    python examples/by_hand.py
    python examples/by_hand.py --draw by_hand.html      # needs the extra `examples`, or Graphviz
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import minigrad as mg

BOUND = 1e-12
"""Numbers further apart than this do not agree."""
LEARNING_RATE = 0.001

START = {
    "x1": 0.8, "x2": 1.6,
    "w1": 0.5, "w2": 0.25, "b1": 0.1,
    "w3": 0.3, "w4": 0.6, "b2": 0.04,
    "w5": 0.3, "w6": -0.5, "b3": 0.1,
    "w7": 0.2, "w8": 0.5, "w9": -0.7, "b4": 0.1,
}  # fmt: skip
HIDDEN = (("h1", "w1", "w2", "b1", "w7"), ("h2", "w3", "w4", "b2", "w8"), ("h3", "w5", "w6", "b3", "w9"))
"""Each hidden neuron: its name, the weights and the bias that lead into it, and the weight that leads out."""


class Worked(NamedTuple):
    """A number, and the sum that gives it."""

    value: float
    sum: str


def paper(value: float) -> str:
    """A number as one would write it on paper: no more digits than it has, and no -0."""
    return f"{round(value, 9) + 0.0:.9g}"


def forward_by_hand(n: dict[str, float]) -> dict[str, Worked]:
    """The hidden neurons, the output and the wanted output."""
    found, terms = {}, []
    output = n["b4"]
    for hidden, w, w_, b, out in HIDDEN:
        before = n["x1"] * n[w] + n["x2"] * n[w_] + n[b]
        value = max(before, 0.0)
        inside = f"{paper(n['x1'])} x {paper(n[w])} + {paper(n['x2'])} x {paper(n[w_])} + {paper(n[b])}"
        found[hidden] = Worked(value, f"relu({inside}) = relu({paper(before)})")
        output += value * n[out]
        terms.append(f"{paper(value)} x {paper(n[out])}")
    found["output"] = Worked(output, f"{' + '.join(terms)} + {paper(n['b4'])}")
    wanted = (n["x1"] + n["x2"]) / 2
    found["wanted"] = Worked(wanted, f"({paper(n['x1'])} + {paper(n['x2'])}) / 2")
    return found


def changes_by_hand(found: dict[str, Worked]) -> dict[str, Worked]:
    """What every number should move by, from the output back to the inputs' weights."""
    n = START
    output, wanted = found["output"].value, found["wanted"].value
    rise = wanted - output
    changes = {
        "output": Worked(rise, f"{paper(wanted)} - {paper(output)}"),
        "b4": Worked(rise, "the output's"),
    }
    for hidden, *_, out in HIDDEN:
        value = found[hidden].value
        changes[out] = Worked(rise * value, f"{paper(rise)} x {paper(value)}")
    for hidden, w, w_, b, out in HIDDEN:
        wish = rise * n[out]
        changes[hidden] = Worked(wish, f"{paper(rise)} x {paper(n[out])}")
        open_ = found[hidden].value > 0
        passed = wish if open_ else 0.0
        changes[b] = Worked(
            passed, f"{hidden}'s, passed by ReLU" if open_ else f"{hidden}'s, stopped by ReLU"
        )
        for weight, carried in ((w, "x1"), (w_, "x2")):
            changes[weight] = Worked(passed * n[carried], f"{paper(passed)} x {paper(n[carried])}")
    return changes


def by_tape(picture: Path | None = None) -> tuple[dict[str, float], dict[str, float]]:
    """The same changes, and every weight and bias after the step, by backward and SGD; and the graph, drawn."""
    n = {name: mg.tensor(value, dtype=mg.float64) for name, value in START.items()}
    learnt = [number.requires_grad_() for name, number in n.items() if name[0] in "wb"]
    optimizer = mg.optim.SGD(learnt, lr=LEARNING_RATE)

    n["output"] = n["b4"]
    for hidden, w, w_, b, out in HIDDEN:
        n[hidden] = (n["x1"] * n[w] + n["x2"] * n[w_] + n[b]).relu()
        n["output"] = n["output"] + n[hidden] * n[out]
    for name in ("output", "h1", "h2", "h3"):
        n[name].retain_grad()
    n["wanted"] = (n["x1"] + n["x2"]) / 2
    n["loss"] = 0.5 * (n["output"] - n["wanted"]) ** 2
    n["loss"].backward()
    if picture is not None:
        mg.draw(n["loss"], n, show=("value", "grad"), fold=False).save(picture)

    known = {name: number.grad for name, number in n.items() if number.is_leaf or number.retains_grad}
    changes = {name: -grad.item() for name, grad in known.items() if grad is not None}
    optimizer.step()
    return changes, {name: n[name].item() for name in START}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Work one step of gradient descent by hand and by the tape.")
    help_ = "draw the graph with all values and gradients, as .html to walk around in, .svg or .png"
    parser.add_argument("--draw", type=Path, metavar="FILE", help=help_)
    picture = parser.parse_args(argv).draw

    found = forward_by_hand(START)
    print(f"Forward, with x1 = {paper(START['x1'])} and x2 = {paper(START['x2'])}:")
    for name, (value, sum_) in found.items():
        print(f"  {name + ':':<8} {sum_} = {paper(value)}")

    changes = changes_by_hand(found)
    tape_changes, tape_after = by_tape(picture)
    print(f"\nBackward, what each should change by:\n  {'':<42} {'by hand':>10} {'from the tape':>14}")
    apart = []
    for name, (change, sum_) in changes.items():
        from_tape = tape_changes.get(name, math.nan)
        apart.append(abs(change - from_tape))
        line = f"{name + ':':<8} {sum_} = {paper(change)}"
        print(f"  {line:<42} {paper(change):>10} {paper(from_tape):>14}")

    print(f"\nThe step: all changes are known now, so each is scaled by {LEARNING_RATE} and applied:")
    after = {name: START[name] + LEARNING_RATE * changes[name].value for name in START if name in changes}
    for name, value in after.items():
        apart.append(abs(value - tape_after[name]))
        line = f"{name + ':':<8} {paper(START[name])} + {LEARNING_RATE} x {paper(changes[name].value)}"
        print(f"  {line:<42} {paper(value):>10} {paper(tape_after[name]):>14}")
    before, now = found["output"].value, forward_by_hand(START | after)["output"].value
    print(f"  The output moves from {paper(before)} to {paper(now)}, towards {paper(found['wanted'].value)}.")

    if not all(difference <= BOUND for difference in apart):
        print("\nerror: a number from the tape is not the one worked out by hand", file=sys.stderr)
        return 1
    print(f"\nBy hand and from the tape they agree: all {len(apart)} numbers, to within {BOUND:.0e}.")
    if picture is not None:
        print(f"The graph is in {picture}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

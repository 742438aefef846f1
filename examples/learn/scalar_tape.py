"""A tape for numbers, in a screen of code."""

# %% number
import math


class Number:
    """A number that remembers its inputs, and the slope of itself by each."""

    def __init__(self, value, inputs=()):
        self.value, self.inputs, self.grad = value, inputs, 0.0

    def __add__(self, other):
        return Number(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Number(
            self.value * other.value, [(self, other.value), (other, self.value)]
        )

    def tanh(self):
        y = math.tanh(self.value)
        return Number(y, [(self, 1 - y * y)])

    def tape(self):
        """All numbers behind this one, each after its inputs."""
        order, seen, todo = [], set(), [(self, False)]
        while todo:
            number, inputs_are_in = todo.pop()
            if inputs_are_in:
                order.append(number)
            elif number not in seen:
                seen.add(number)
                todo.append((number, True))
                todo += [(x, False) for x, _ in number.inputs]
        return order

    def backward(self):
        self.grad = 1.0
        for number in reversed(self.tape()):
            for x, slope in number.inputs:
                x.grad += slope * number.grad


# %% neuron
x1, x2, w1, w2, b = (Number(v) for v in (0.5, -1.0, 0.8, 0.3, 0.1))
y = (x1 * w1 + x2 * w2 + b).tanh()
y.backward()
print(f"y = {y.value:.6f}")
print(f"dy/dw1 = {w1.grad:.6f}, dy/dw2 = {w2.grad:.6f}, dy/db = {b.grad:.6f}")

# %% order
for number in y.tape():
    count = len(number.inputs)
    print(f"{number.value:+.4f}  grad {number.grad:+.4f}  inputs {count}")

# %% same
import minigrad as mg

t = {
    n: mg.tensor(v.value, dtype=mg.float64, requires_grad=True)
    for n, v in [("w1", w1), ("w2", w2), ("b", b)]
}
(0.5 * t["w1"] - 1.0 * t["w2"] + t["b"]).tanh().backward()
print(", ".join(f"dy/d{n} = {v.grad.item():.6f}" for n, v in t.items()))

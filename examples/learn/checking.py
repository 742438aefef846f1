"""Checking a gradient: measured slopes, random directions, and faults that hide."""

# %% function
import numpy as np


def softmax(x):
    y = np.exp(x - x.max(axis=1, keepdims=True))
    return y / y.sum(axis=1, keepdims=True)


def backward(x, g):
    y = softmax(x)
    return y * (g - (g * y).sum(axis=1, keepdims=True))


# %% measured
rng = np.random.default_rng(0)
x, weights = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))


def f(x):
    return (softmax(x) * weights).sum()


def measured(x, i, j, step=1e-6):
    to = np.zeros_like(x)
    to[i, j] = step
    return (f(x + to) - f(x - to)) / (2 * step)


gradient = backward(x, weights)
for i, j in ((0, 0), (1, 2), (3, 1)):
    print(f"by the rule {gradient[i, j]:+.8f}  measured {measured(x, i, j):+.8f}")

# %% step
steps = 10.0 ** np.arange(-12, 0)
to = np.zeros_like(x)
to[0, 0] = 1
off = []
for step in steps:
    one_sided = (f(x + step * to) - f(x)) / step
    both = (f(x + step * to) - f(x - step * to)) / (2 * step)
    off.append([abs(one_sided - gradient[0, 0]), abs(both - gradient[0, 0])])


# %% errors
def curve(values, colour, name, at):
    downward = -14 * np.log10(np.maximum(values, 1e-13))
    points = " ".join(f"{60 + 42 * k},{y:.0f}" for k, y in enumerate(downward))
    line = f'points="{points}" fill="none" stroke="{colour}" stroke-width="2"'
    return f'<polyline {line}/><text x="{at}" y="30" fill="{colour}">{name}</text>'


svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 232" role="img"'
svg += ' font-family="sans-serif" font-size="13" fill="#7a7a7a">'
for power in (-12, -9, -6, -3):
    y, at = -14 * power, 60 + 42 * (power + 12)
    svg += f'<path d="M60 {y}H522" stroke="#888" opacity="0.3"/>'
    svg += f'<text x="52" y="{y + 4}" text-anchor="end">1e{power}</text>'
    svg += f'<text x="{at}" y="200" text-anchor="middle">1e{power}</text>'
one, both = np.array(off).T
svg += curve(one, "#d55e00", "from one side", 420)
svg += curve(both, "#0072b2", "from both", 330)
svg += '<text x="60" y="222">step</text></svg>'

# %% direction
v = rng.normal(size=x.shape)
along = (f(x + 1e-6 * v) - f(x - 1e-6 * v)) / 2e-6
print(f"measured {along:.8f}, by the rule {(gradient * v).sum():.8f}")

# %% ones
ones = np.ones_like(x)


def zero(x, g):
    return np.zeros_like(x)


for name, rule in (("the right rule", backward), ("always zero", zero)):
    print(f"{name:<14} with g = 1: {abs(rule(x, ones)).max():.0e}")

# %% checked
from minigrad.testing import GradcheckError, check_vjp

print(check_vjp(softmax, backward, x))

# %% faults
faults = {
    "a minus too much": lambda x, g: -backward(x, g),
    "divided by the rows": lambda x, g: backward(x, g) / len(x),
    "always zero": zero,
    "the sum is left out": lambda x, g: softmax(x) * g,
}
for name, wrong in faults.items():
    try:
        check_vjp(softmax, wrong, x)
    except GradcheckError as error:
        told = str(error).partition("verdict")[2].partition("\n  at ")[0]
        print(name, *(line.strip() for line in told.splitlines()), sep="\n    ")

# %% report
try:
    check_vjp(softmax, faults["the sum is left out"], x)
except GradcheckError as error:
    print(error)

# %% kink
try:
    check_vjp(lambda x: np.maximum(x, 0), lambda x, g: g * (x > 0), np.zeros(3))
except GradcheckError as error:
    print(error)

# %% tensors
import minigrad as mg

layer = mg.nn.Linear(3, 2, dtype=mg.float64)
data = mg.tensor(x, requires_grad=True)
print(mg.autograd.gradcheck(lambda x: layer(x).tanh(), data))
print(mg.autograd.gradgradcheck(lambda x: layer(x).tanh(), data))

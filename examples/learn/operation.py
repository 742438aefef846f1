"""Writing an operation: a kernel, a rule, and a check that the two belong together."""

# %% wrong
import numpy as np

import minigrad as mg
from minigrad.tape import Op


def bell(x):
    return np.exp(-x * x)


bump = Op("bump", bell, "x", lambda g, x, y: -g * x * y, cast="float")
x = mg.tensor([-1.0, 0.5, 2.0], dtype=mg.float64, requires_grad=True)
try:
    mg.autograd.gradcheck(bump, [x])
except RuntimeError as error:
    print(error)

# %% right
bump = Op("bump", bell, "x", lambda g, x, y: -2.0 * g * x * y, cast="float")
print(mg.autograd.gradcheck(bump, [x]))

# %% twice
print(mg.autograd.gradgradcheck(bump, [x]))

# %% keeps
by_output = Op("bump", bell, "x", lambda g, x: -2.0 * g * x * bump(x), cast="float")
for op in (bump, by_output):
    saved = op(x).grad_fn.saved
    print(f"{len(saved)} arrays are kept, {sum(a.nbytes for a in saved)} bytes")

# %% two
two = Op(
    "bump_at", lambda x, at: np.exp(-((x - at) ** 2)), "x at",
    lambda g, x, at, y: -2.0 * g * (x - at) * y,
    lambda g, x, at, y: 2.0 * g * (x - at) * y,
    cast="float", text="np.exp(-({0} - {1}) ** 2)",
)  # fmt: skip
at = mg.tensor([[0.0], [1.0]], dtype=mg.float64, requires_grad=True)
print(two(x, at).shape, mg.autograd.gradcheck(two, [x, at]))

# %% source
print(mg.source(two(x, at).sum(), inputs={"x": x, "at": at}))

# %% picture
names = {"x": x, "at": at}
picture = mg.draw(
    two(x, at).sum(), names, direction="both", show=("shape",), legend=False
)

"""The chain rule on a graph: slopes multiply along a path, and paths add up."""

# %% steps
import math

import minigrad as mg

x = 0.8
u = x**2  # du/dx = 2 x
y = math.sin(u)  # dy/du = cos u
slope = math.cos(u) * 2 * x
print(f"u = {u:.4f}, y = {y:.4f}, dy/dx = {slope:.6f}")

# %% tape
x = mg.tensor(0.8, dtype=mg.float64, requires_grad=True)
(x**2).sin().backward()
print(f"{x.grad.item():.6f}")

# %% backwards
# cos(u) is known before 2x is asked for: the pass starts at the result, and carries
# the slope of the result by everything on the way.
g = 1.0  # dy/dy
g = g * math.cos(0.8**2)  # dy/du
g = g * 2 * 0.8  # dy/dx
print(f"{g:.6f}")

# %% twice
a = mg.tensor(3.0, requires_grad=True)
b = a * 2
c = b * b + b
c.backward()
print(a.grad)

# %% paths
b = 6.0
through_left_factor = b * 2
through_right_factor = b * 2
through_sum = 1 * 2
print(through_left_factor + through_right_factor + through_sum)

# %% picture
b = a * 2
b.retain_grad()
c = b * b + b
names = {"a": a, "b": b, "c": c}
picture = mg.draw(c, names, direction="both", show=("value", "grad"), legend=False)

# %% again
a.grad = None
(a * 2).backward()
(a * 2).backward()
print(a.grad)

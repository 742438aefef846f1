"""A derivative is a slope: how far a result moves when an input moves a little."""

# %% function
import minigrad as mg


def f(x):
    return x**3 - 2 * x


print(f"f(1.5) = {f(1.5)}")

# %% secant
for h in (1.0, 0.1, 0.01, 0.001):
    rise = f(1.5 + h) - f(1.5)
    print(f"step {h:<5}  rise {rise:<11.8f}  slope {rise / h:.6f}")


# %% rule
def slope_of_f(x):
    return 3 * x**2 - 2


print(slope_of_f(1.5))

# %% rounding
for h in (1e-4, 1e-8, 1e-12, 1e-16):
    print(f"step {h:.0e}  off by {abs((f(1.5 + h) - f(1.5)) / h - 4.75):.1e}")

# %% tape
x = mg.tensor(1.5, dtype=mg.float64, requires_grad=True)
y = f(x)
y.backward()
print(x.grad)

# %% picture
picture = mg.draw(f(x), {"x": x}, direction="both", show="value", legend=False)

# %% downhill
position = mg.tensor(1.5, dtype=mg.float64, requires_grad=True)
for step in range(9):
    f(position).backward()
    if step % 2 == 0:
        x, slope = position.item(), position.grad.item()
        print(f"x = {x:.4f}  f = {f(x):.4f}  slope = {slope:.4f}")
    with mg.no_grad():
        position -= 0.1 * position.grad
    position.grad = None

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


# %% secants
def at(x, y):
    return f"{150 * x - 55:.1f},{130 - 7 * y:.1f}"


curve = " ".join(at(x / 20, f(x / 20)) for x in range(10, 57))
svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 440 150" width="440">'
look = 'fill="none" stroke-width="1.5"'
svg += f'<polyline points="{curve}" {look} stroke="#888" />'
for h, colour in ((1.0, "#d55e00"), (0.5, "#e69f00"), (0.001, "#0072b2")):
    slope = (f(1.5 + h) - f(1.5)) / h
    ends = [at(x, f(1.5) + slope * (x - 1.5)) for x in (1.2, 2.7)]
    svg += f'<polyline points="{" ".join(ends)}" {look} stroke="{colour}" />'
x, y = at(1.5, f(1.5)).split(",")
svg += f'<circle cx="{x}" cy="{y}" r="4" fill="#0072b2" /></svg>'


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

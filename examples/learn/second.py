"""Derivatives of derivatives: the backward pass is on the tape too."""

# %% twice
import minigrad as mg
from minigrad import autograd

x = mg.tensor(2.0, requires_grad=True)
(first,) = autograd.grad(x**4, x, create_graph=True)
(second,) = autograd.grad(first, x)
print(f"{first.item()} = 4 * 2**3, {second.item()} = 12 * 2**2")

# %% source
(first,) = autograd.grad(x**4, x, create_graph=True)
print(mg.source(first, inputs={"x": x}))


# %% newton
def f(x):
    return x**4 - 3 * x**3 + 2


x = mg.tensor(4.0, dtype=mg.float64, requires_grad=True)
for _ in range(6):
    (slope,) = autograd.grad(f(x), x, create_graph=True)
    (curvature,) = autograd.grad(slope, x)
    print(f"x = {x.item():.8f}  slope {slope.item():+.1e}")
    x = (x - slope / curvature).detach().requires_grad_()


# %% steps
def at(x, slope):
    return f"{160 * x - 300:.1f},{130 - slope:.1f}"


def slope_at(x):
    return 4 * x**3 - 9 * x**2


svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 150" width="400">'
look, x = 'fill="none" stroke-width="1.5"', 4.0
svg += f'<path d="M0 130H400" {look} stroke="#bbb" />'
points = " ".join(at(k / 20, slope_at(k / 20)) for k in range(39, 82))
svg += f'<polyline points="{points}" {look} stroke="#0072b2" />'
for _ in range(4):  # down the tangent to where it is 0, and up to the curve
    after = x - slope_at(x) / (12 * x**2 - 18 * x)
    way = " ".join((at(x, slope_at(x)), at(after, 0), at(after, slope_at(after))))
    svg += f'<polyline points="{way}" {look} stroke="#d55e00" />'
    x = after
svg += "</svg>"


# %% hessian
def bowl(p):
    return 0.5 * (p[0] ** 2 + 10 * p[1] ** 2) + p[0] * p[1]


p = mg.tensor([1.0, 2.0], requires_grad=True)
print(autograd.functional.hessian(bowl, p))

# %% product
(g,) = autograd.grad(bowl(p), p, create_graph=True)
direction = mg.tensor([1.0, -1.0])
(product,) = autograd.grad(g, p, direction)
print(product)

# %% penalty
mg.manual_seed(0)
net = mg.nn.Sequential(mg.nn.Linear(1, 16), mg.nn.Tanh(), mg.nn.Linear(16, 1))
optimizer = mg.optim.Adam(net.parameters(), lr=0.02)
points = mg.linspace(-2, 2, 21)[:, None].requires_grad_()
for _ in range(500):
    values = net(points)
    (slopes,) = autograd.grad(values.sum(), points, create_graph=True)
    loss = ((slopes - points.cos()) ** 2).mean() + net(
        mg.zeros(1, 1)
    ).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with mg.no_grad():
    off = (net(points) - points.sin()).abs().max().item()
print(f"learnt from its slopes alone, the net is within {off:.3f} of the sine")

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

"""From numbers to arrays: one rule for all, and why broadcasting is summed."""

# %% elements
import minigrad as mg

x = mg.tensor([0.5, -1.0, 2.0], requires_grad=True)
y = x.tanh()
y.backward(mg.tensor([1.0, 10.0, 100.0]))
print(x.grad)
print((1 - y.detach() ** 2) * mg.tensor([1.0, 10.0, 100.0]))

# %% broadcast
rows = mg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
bias = mg.tensor([0.1, 0.2], requires_grad=True)
z = rows + bias
print(z.shape)

# %% summed
z.backward(mg.tensor([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]]))
print(rows.grad)
print(bias.grad)

# %% picture
names = {"rows": rows, "bias": bias}
total = (rows + bias).sum()
picture = mg.draw(total, names, direction="both", show="shape", legend=False)

# %% source
mg.manual_seed(0)
x, bias = mg.randn(3, 2), mg.tensor([0.1, 0.2], requires_grad=True)
print(mg.source(((x + bias) ** 2).sum(), inputs={"x": x, "bias": bias}))

# %% wrong
import numpy as np

from minigrad.testing import GradcheckError, check_vjp


def add(x, b):
    return x + b


def forgetful(x, b, g):
    return g, g


try:
    check_vjp(add, forgetful, (np.ones((3, 2)), np.ones(2)))
except GradcheckError as error:
    print(error)

# %% mean
x = mg.arange(4.0).requires_grad_()
x.mean().backward()
print(x.grad)

"""Matrix products: two gradients that need no index."""

# %% index
import numpy as np

import minigrad as mg

rng = np.random.default_rng(0)
x, W = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
g = rng.normal(size=(4, 2))  # the gradient that arrives at y = x @ W

dW = np.zeros_like(W)
for i in range(4):  # y[i, j] = sum over k of x[i, k] * W[k, j]
    for j in range(2):
        for k in range(3):
            dW[k, j] += g[i, j] * x[i, k]
print(np.allclose(dW, x.T @ g))

# %% both
tx, tW = mg.tensor(x, requires_grad=True), mg.tensor(W, requires_grad=True)
(tx @ tW).backward(mg.tensor(g))
print(np.allclose(tW.grad.numpy(), x.T @ g), np.allclose(tx.grad.numpy(), g @ W.T))

# %% layer
layer = mg.nn.Linear(3, 2)
rows = mg.randn(4, 3)
loss = layer(rows).square().mean()
print(mg.source(loss, layer))

# %% picture
picture = mg.draw(loss, layer, direction="both", show="shape", legend=False)

# %% cost
# a layer of 64 neurons with 64 inputs, and 1,000 examples
forward = 1000 * 64 * 64
print(f"forward {forward:,} multiplications, backward {2 * forward:,}")

"""Convolution: one small weight, used at every place."""

# %% slide
import minigrad as mg
from minigrad.nn.functional import conv1d, conv2d

signal = mg.tensor([0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0])
kernel = mg.tensor([-1.0, 1.0])
by_hand = [signal[i] * kernel[0] + signal[i + 1] * kernel[1] for i in range(6)]
print(mg.stack(by_hand))
print(conv1d(signal[None, None], kernel[None, None])[0, 0])

# %% shared
kernel.requires_grad_()
signal.requires_grad_()
g = mg.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
conv1d(signal[None, None], kernel[None, None])[0, 0].backward(g)
print(kernel.grad)
places = [g[i] * signal.detach()[i : i + 2] for i in range(6)]
print(sum(places))

# %% flipped
print(signal.grad)
padded = mg.nn.functional.pad(g, (1, 1))
flipped = kernel.detach().flip(0)
print(conv1d(padded[None, None], flipped[None, None])[0, 0])

# %% image
image = mg.zeros(8, 8)
image[2:6, 3:7] = 1.0
edge = mg.tensor([[-1.0, 1.0]])
found = conv2d(image[None, None], edge[None, None])[0, 0]
for row in found.tolist():
    print("".join({-1.0: "<", 0.0: ".", 1.0: ">"}[v] for v in row))

# %% edges
colours = {-1.0: "#d55e00", 1.0: "#0072b2"}
svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 380 170" width="380">'
for left, cells, shade in (
    (5, image.tolist(), {1.0: "#999"}),
    (205, found.tolist(), colours),
):
    for i, row in enumerate(cells):
        for j, v in enumerate(row):
            place = f'x="{left + 20 * j}" y="{20 * i + 5}" width="19" height="19"'
            paint = f'fill="{shade[v]}"' if v else 'fill="none" stroke="#8886"'
            svg += f"<rect {place} {paint} />"
svg += "</svg>"

# %% learn
mg.manual_seed(0)
images = (mg.rand(200, 1, 8, 8) > 0.5).float()
wanted = images[..., 1:] - images[..., :-1]
weight = mg.nn.Parameter(mg.randn(1, 1, 1, 2))
optimizer = mg.optim.SGD([weight], lr=0.5)
for _ in range(100):
    loss = mg.nn.functional.mse_loss(conv2d(images, weight), wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(weight.detach().flatten())

# %% count
convolution, dense = mg.nn.Conv2d(1, 1, 3), mg.nn.Linear(28 * 28, 26 * 26)
for layer in (convolution, dense):
    count = sum(p.numel() for p in layer.parameters())
    print(f"{type(layer).__name__:7} {count:,} numbers")

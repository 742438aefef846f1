"""What the article leaves for later: annealing, sigmoid, softmax and dropout, measured on its problem."""

# %% problem
import minigrad as mg
from minigrad import nn


def surface(points):
    x, y = points[:, :1], points[:, 1:]
    return x.sin() + x * y.cos() + y + 3 ** (x / 3)


mg.manual_seed(99)
points = 20 * mg.rand(1000, 2) - 10
side = mg.linspace(-10, 10, 60)
grid = mg.stack(mg.meshgrid(side, -side, indexing="xy"), -1).reshape(-1, 2)
mean, std = surface(grid).mean(), surface(grid).std()


def truth(points):
    return (surface(points) - mean) / std


# %% network
def network(dropped=0.0, outputs=1):
    layers = []
    for fan_in in (2, 64, 64):
        layers += [nn.Linear(fan_in, 64), nn.ReLU(), nn.Dropout(dropped)]
    return nn.Sequential(*layers, nn.Linear(64, outputs))


def train(net, optimizer, schedule=None, points=points, noise=0.0, steps=2000):
    """Trains, and returns what the network says on the grid."""
    inputs, target = points / 10, truth(points) + noise

    @mg.compile
    def step():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(inputs), target)
        loss.backward()
        optimizer.step()

    for _ in range(steps):
        step()
        if schedule is not None:
            schedule.step()
    net.eval()
    with mg.no_grad():
        return net(grid / 10)


def explained(fit):
    return 1 - ((fit - truth(grid)) ** 2).mean().item() / truth(grid).var().item()


# %% annealing
def anneal(optimizer):
    return mg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2000)


def up_and_down(optimizer):
    return mg.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.5, total_steps=2001, cycle_momentum=False
    )


fits = {}
for name, rate, schedule in (
    ("0.1 all the time", 0.1, None),
    ("0.3 all the time", 0.3, None),
    ("0.3, annealed", 0.3, anneal),
    ("up to 0.5, and down", 0.1, up_and_down),
):
    mg.manual_seed(0)
    net = network()
    optimizer = mg.optim.SGD(net.parameters(), lr=rate)
    fits[name] = train(net, optimizer, schedule and schedule(optimizer))
    print(f"{name:<20} explains {explained(fits[name]):.1%}")

# %% errors
import base64
import struct
import zlib

import numpy as np


def png(values, most):
    """Blue below 0, white at 0, orange above."""
    share = np.clip(values / most, -1, 1)[..., None]
    end = np.where(share < 0, [0, 114, 178], [213, 94, 0])
    rows = (255 + (end - 255) * abs(share)).astype(np.uint8)

    def chunk(kind, data):
        size, check = (
            struct.pack(">I", n) for n in (len(data), zlib.crc32(kind + data))
        )
        return size + kind + data + check

    size = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = (b"IHDR", size), (b"IDAT", data), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def maps(named, most):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 212" role="img"'
    svg += ' font-family="sans-serif" font-size="13" fill="#7a7a7a">'
    for k, (name, values) in enumerate(named.items()):
        url = base64.b64encode(png(values.reshape(60, 60).numpy(), most)).decode()
        at = f'x="{205 * k}" y="22" width="190" height="190"'
        svg += f'<text x="{205 * k}" y="14">{name}</text>'
        svg += f'<image {at} href="data:image/png;base64,{url}"/>'
    return svg + "</svg>"


off = {name: fit - truth(grid) for name, fit in fits.items()}
by_rate = maps({name: off[name] for name in list(off)[1:]}, most=0.6)

# %% dropout
few = points[:200]
mg.manual_seed(1)
noise = 0.3 * mg.randn(200, 1)
noisy = {}
for dropped in (0.0, 0.1, 0.2):
    mg.manual_seed(0)
    net = network(dropped)
    optimizer = mg.optim.Adam(net.parameters(), lr=0.01)
    fit = train(net, optimizer, points=few, noise=noise, steps=1000)
    noisy[f"dropout {dropped}"] = fit - truth(grid)
    print(f"dropout {dropped}  explains {explained(fit):.1%}")

# %% noisy
by_dropout = maps(noisy, most=1.5)


# %% sigmoid
def answers(outputs, loss, points, target, seed):
    """What a network says on the grid that was trained with this loss."""
    mg.manual_seed(seed)
    net = network(outputs=outputs)
    optimizer = mg.optim.Adam(net.parameters(), lr=0.003)
    for _ in range(300):
        optimizer.zero_grad()
        loss(net(points / 10), target).backward()
        optimizer.step()
    with mg.no_grad():
        return net(grid / 10)


def right(answer, correct):
    return (answer == correct).float().mean().item()


few = points[:400]
above, truly = (truth(few) > 1).float(), truth(grid) > 1
# The border between no and yes: half of 1, and the score whose sigmoid is that.
for name, loss, border in (
    ("squared error", nn.MSELoss(), 0.5),
    ("sigmoid, cross entropy", nn.BCEWithLogitsLoss(), 0.0),
):
    said = [answers(1, loss, few, above, seed) > border for seed in range(3)]
    print(f"{name:<23} right at {sum(right(s, truly) for s in said) / 3:.1%}")

# %% softmax
steps = mg.tensor([-1.0, -0.33, 0.33, 1.0])
level, true = (mg.bucketize(truth(p).flatten(), steps) for p in (points, grid))
number = answers(1, nn.MSELoss(), points, level.float()[:, None], seed=0)
scores = answers(5, nn.CrossEntropyLoss(), points, level, seed=0)
print(f"as a number   right at {right(number.flatten().round(), true):.1%}")
print(f"with softmax  right at {right(scores.argmax(1), true):.1%}")
print(scores[1000].softmax(0).round(decimals=3))

"""Compiling: a training step is recorded once, and replayed."""

# %% step
import minigrad as mg
from minigrad import nn


def training():
    mg.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = mg.optim.SGD(net.parameters(), lr=0.1)

    def step(x, target):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return step


eager, compiled = training(), mg.compile(training())
for _ in range(100):
    x = mg.randn(32, 2)
    target = x.prod(1, keepdim=True)
    assert compiled(x, target).item() == eager(x, target).item()
print(compiled)

# %% plan
print(compiled.report()[0])

# %% memory
import re

program = mg.source(compiled)
head, _, body = program.partition("def run(")
lines = re.findall(r"^ {8,12}\(?(\w.*)$", body, re.MULTILINE)
places = {}
for name, start, end in re.findall(r"(\w+) = memory\[(\d+):(\d+)\]", head):
    places[name] = (int(start), int(end))
for name, other in re.findall(r"^    (\w+) = (\w+)(?:\.T)?$", head, re.MULTILINE):
    if other in places:
        places[name] = places[other]
lives = {}
for k, line in enumerate(lines):
    for name in re.findall(r"\w+", line):
        if name in places:
            lives.setdefault(places[name], []).append((k, name))
wide, high = 640 / len(lines), 240 / max(end for _, end in places.values())
shapes = []
for (start, end), uses in lives.items():
    left, right = uses[0][0] * wide, (uses[-1][0] + 1) * wide
    names = ", ".join(dict.fromkeys(n for _, n in uses if "permute" not in n))
    shapes.append(
        f'<rect x="{left:.1f}" y="{start * high:.1f}" width="{right - left:.1f}" '
        f'height="{(end - start) * high:.1f}" fill="#bfd3e6" '
        f'stroke="#4878a8"><title>{names}</title></rect>'
    )
    if end - start > 1000:
        at = f'x="{left + 6:.1f}" y="{(start + end) / 2 * high + 4:.1f}"'
        shapes.append(f'<text {at} fill="#222">{names}</text>')
shapes.append('<text y="262" fill="#7a7a7a">first call</text>')
shapes.append('<text x="580" y="262" fill="#7a7a7a">last call</text>')
memory = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -16 650 287" '
    'font-size="12" font-family="sans-serif">' + "".join(shapes) + "</svg>"
)

# %% shape
for rows in (32, 32, 16, 32, 16):
    compiled(mg.randn(rows, 2), mg.randn(rows, 1))
print(compiled)


# %% value
@mg.compile
def shrink(x):
    return x if x.abs().max() < 1 else x / 2


try:
    shrink(mg.tensor([3.0, 0.5]))
except RuntimeError as error:
    print(error)


# %% where
@mg.compile
def shrink(x):
    return mg.where(x.abs().max() < 1, x, x / 2)


print(shrink(mg.tensor([3.0, 0.5])), shrink(mg.tensor([0.3, 0.5])))


# %% number
@mg.compile
def scaled(w, k):
    return w * k


for k in range(2, 6):
    scaled(mg.ones(2), k)
print(scaled)


@mg.compile
def first(w, k):
    return w[:k]


for k in range(2, 6):
    first(mg.ones(6), k)
print(first)

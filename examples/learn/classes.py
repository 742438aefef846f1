"""Classification: from scores to probabilities, and the loss that fits."""

# %% sigmoid
import minigrad as mg
from minigrad import nn

scores = mg.tensor([-4.0, -1.0, 0.0, 1.0, 4.0])
print(mg.sigmoid(scores))

# %% softmax
scores = mg.tensor([2.0, 1.0, -1.0], requires_grad=True)
probabilities = mg.softmax(scores, 0)
print(probabilities.detach(), probabilities.sum().item())

# %% loss
loss = -mg.log(probabilities[1])  # class 1 is the right one
loss.backward()
print(f"loss = {loss.item():.4f}")
print(scores.grad)
print(probabilities.detach() - mg.tensor([0.0, 1.0, 0.0]))

# %% large
large = mg.tensor([1000.0, 0.0], requires_grad=True)
naive = large.exp() / large.exp().sum()
print(naive.detach(), mg.softmax(large, 0).detach())

# %% data
mg.manual_seed(0)
turn = mg.linspace(0.3, 3.2, 60)
arms = []
for k in range(3):
    angle = 2 * turn + 2.094 * k + 0.15 * mg.randn(60)
    arms.append(mg.stack([turn * angle.cos(), turn * angle.sin()], 1))
points, labels = mg.cat(arms), mg.arange(3).repeat_interleave(60)

# %% train
net = nn.Sequential(
    nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 3)
)
optimizer = mg.optim.Adam(net.parameters(), lr=0.02)
for epoch in range(301):
    scores = net(points)
    loss = nn.functional.cross_entropy(scores, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 100 == 0:
        right = (scores.argmax(1) == labels).float().mean().item()
        print(f"epoch {epoch:3}  loss {loss.item():.4f}  right {right:.0%}")

# %% map
pale, strong = ("#cfe8f7", "#fbe3b5", "#d9f0e3"), ("#0072b2", "#d07000", "#00684a")
side = 36
axis = mg.linspace(-3.5, 3.5, side)
with mg.no_grad():
    grid = mg.stack(mg.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)
    classes = net(grid).argmax(1).reshape(side, side).tolist()
svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 360" width="360">'
for i, row in enumerate(classes):
    for j, c in enumerate(row):
        place = f'x="{10 * j}" y="{10 * i}"'
        svg += f'<rect {place} width="10.2" height="10.2" fill="{pale[c]}"/>'
for (x, y), c in zip(points.tolist(), labels.tolist(), strict=True):
    place = f'cx="{180 + 50 * x:.0f}" cy="{180 + 50 * y:.0f}"'
    svg += f'<circle {place} r="2.5" fill="{strong[c]}"/>'
svg += "</svg>"

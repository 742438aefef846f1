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
def network(activation=nn.ReLU, dropped=0.0):
    sizes, layers = [2, 64, 64, 64], []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(fan_in, fan_out), activation(), nn.Dropout(dropped)]
    return nn.Sequential(*layers, nn.Linear(64, 1))


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
fits = {}
for annealed in (False, True):
    mg.manual_seed(0)
    net = network()
    optimizer = mg.optim.SGD(net.parameters(), lr=0.1)
    schedule = mg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2000)
    name = "annealed" if annealed else "constant rate"
    fits[name] = train(net, optimizer, schedule if annealed else None)
    print(f"{name:<14} {explained(fits[name]):.1%}")

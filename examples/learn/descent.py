"""Gradient descent, learning rates and momentum, on a bowl."""

# %% bowl
import minigrad as mg


def bowl(p):
    return 0.5 * (p[0] ** 2 + 10 * p[1] ** 2)


def descend(steps, **options):
    """The positions that SGD visits from (10, 1)."""
    p = mg.nn.Parameter(mg.tensor([10.0, 1.0]))
    optimizer = mg.optim.SGD([p], **options)
    path = [p.tolist()]
    for _ in range(steps):
        optimizer.zero_grad()
        bowl(p).backward()
        optimizer.step()
        path.append(p.tolist())
    return path


# %% rates
for lr in (0.01, 0.05, 0.15, 0.19, 0.21):
    x, y = descend(40, lr=lr)[-1]
    print(f"lr {lr:<4}  after 40 steps x = {x:8.4f}, y = {y:8.4f}")

# %% factors
for lr in (0.05, 0.19, 0.21):
    print(
        f"lr {lr:<4}  x keeps {1 - lr:.2f} of itself a step, y {1 - lr * 10:+.2f}"
    )

# %% momentum
for momentum in (0.0, 0.5, 0.8):
    path = descend(40, lr=0.05, momentum=momentum)
    away = max(abs(c) for c in path[-1])
    print(f"momentum {momentum}  still {away:.4f} away")


# %% annealing
def noisy(annealed, seed):
    """How far above the bottom 200 steps end whose gradients are noisy."""
    mg.manual_seed(seed)
    p = mg.nn.Parameter(mg.tensor([10.0, 1.0]))
    optimizer = mg.optim.SGD([p], lr=0.15)
    schedule = mg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=200)
    for _ in range(200):
        optimizer.zero_grad()
        (bowl(p) + (mg.randn(2) * p).sum()).backward()
        optimizer.step()
        if annealed:
            schedule.step()
    return bowl(p).item()


for annealed in (False, True):
    ends = [noisy(annealed, seed) for seed in range(10)]
    name = "annealed" if annealed else "constant"
    print(f"{name}  {sum(ends) / len(ends):.3f} above the bottom, on average")


# %% path
def polyline(path, colour, scale=28):
    points = " ".join(
        f"{300 + scale * x:.1f},{70 - scale * y:.1f}" for x, y in path
    )
    look = f'fill="none" stroke="{colour}" stroke-width="1.5"'
    return f'<polyline points="{points}" {look}/>'


svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 140" role="img">'
thin = 'fill="none" stroke="#999" stroke-width="0.6"'
for height in (1, 5, 15, 30, 50):
    rx, ry = 28 * (2 * height) ** 0.5, 28 * (2 * height / 10) ** 0.5
    svg += f'<ellipse cx="300" cy="70" rx="{rx:.1f}" ry="{ry:.1f}" {thin}/>'
svg += polyline(descend(60, lr=0.19), "#d55e00")
svg += polyline(descend(60, lr=0.05), "#0072b2")
svg += polyline(descend(60, lr=0.05, momentum=0.8), "#009e73")
svg += "</svg>"

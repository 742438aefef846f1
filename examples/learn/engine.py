"""How the engine works: what a record holds, and the loop that walks back over the records."""

# %% record
import minigrad as mg
from minigrad.tape import tape

w = mg.tensor(2.0, requires_grad=True)
x = mg.tensor(0.5, requires_grad=True)
b = mg.tensor(-0.6, requires_grad=True)
y = (w * x + b).tanh()
records = tape([y.grad_fn])
for k, node in enumerate(records):
    name = node.op.name if node.op else "leaf"
    print(f"{k} {name:4}", [records.index(n) for n in node.inputs])

# %% picture
names = {"w": w, "x": x, "b": b, "y": y}
picture = mg.draw(y, names, direction="both", show=("value", "grad"), legend=False)

# %% rule
import inspect

steps = [node for node in records if node.op]
for node in steps:
    for name, rule in zip(node.op.inputs, node.op.rules, strict=True):
        reads = ", ".join(inspect.signature(rule).parameters)
        print(f"{node.op.name}: the rule of {name} reads {reads}")

# %% saved
for node in steps:
    print(f"{node.op.name} keeps {[round(float(a), 4) for a in node.saved]}")


# %% engine
def backward(y):
    """The gradients of all leaves, by their records."""
    grads = {y.grad_fn: 1.0}
    for node in reversed(tape([y.grad_fn])):
        if node.op is None:
            continue
        known = {"g": grads.pop(node)}
        names = (*node.op.inputs, "y")
        for place, array in zip(node.layout.keep, node.saved, strict=True):
            known[names[place]] = float(array)
        for n, rule in zip(node.inputs, node.op.rules, strict=True):
            g = rule(*(known[name] for name in inspect.signature(rule).parameters))
            grads[n] = grads.get(n, 0.0) + g
    return grads


for node, g in backward(y).items():
    print(records.index(node), f"{g:.4f}")

# %% same
y.backward()
print(w.grad, x.grad, b.grad)

# %% freed
try:
    y.backward()
except RuntimeError as error:
    print(error)

# %% again
y = (w * x + b).tanh()
(first,) = mg.autograd.grad(y, x, create_graph=True)
print([node.op.name for node in tape([first.grad_fn]) if node.op])
(second,) = mg.autograd.grad(first, x)
print(f"{first.item():.4f} {second.item():.4f}")

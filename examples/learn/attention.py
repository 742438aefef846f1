"""Attention: a lookup that can be differentiated."""

# %% lookup
import minigrad as mg

keys = mg.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
values = mg.tensor([10.0, 20.0, 30.0])
query = mg.tensor([0.9, 0.1])
scores = keys @ query
print(scores, values[scores.argmax()])

# %% soft
for sharpness in (1.0, 4.0, 16.0):
    weights = mg.softmax(sharpness * scores, 0)
    shown = "  ".join(f"{w:.3f}" for w in weights.tolist())
    value = (weights * values).sum().item()
    print(f"times {sharpness:<4}  weights {shown}  value {value:.2f}")

# %% gradient
query.requires_grad_()
weights = mg.softmax(4 * (keys @ query), 0)
(weights * values).sum().backward()
print(query.grad)

# %% whole
mg.manual_seed(0)
q, k, v = mg.randn(3, 5, 4)  # 5 places, 4 numbers each
weights = mg.softmax(q @ k.T / 4**0.5, 1)
ours = weights @ v
print(
    mg.allclose(
        ours, mg.nn.functional.scaled_dot_product_attention(q, k, v), atol=1e-6
    )
)

# %% causal
allowed = mg.ones(5, 5, dtype=mg.bool).tril()
scores = (q @ k.T / 4**0.5).masked_fill(~allowed, float("-inf"))
for row in mg.softmax(scores, 1).tolist():
    print("  ".join(f"{w:.2f}" for w in row))

# %% task
KINDS = 6


def batch(size):
    """Rows of symbols, one of each row that is asked for, and the one after it."""
    rows = mg.rand(size, KINDS).argsort(1)
    place = mg.randint(0, KINDS - 1, (size, 1))
    return rows, rows.gather(1, place)[:, 0], rows.gather(1, place + 1)[:, 0]


# %% model
mg.manual_seed(0)
embed = mg.nn.Embedding(KINDS, 16)
ask, offer, carry = (mg.nn.Linear(16, 16, bias=False) for _ in range(3))
answer = mg.nn.Linear(16, KINDS)
parts = mg.nn.ModuleList([embed, ask, offer, carry, answer])


def look(rows, asked):
    """The scores of the answers, and where each row was looked at."""
    symbols = embed(rows)
    query = ask(embed(asked))[:, None]  # one question a row
    weights = mg.softmax(query @ offer(symbols[:, :-1]).mT / 16**0.5, 2)
    # What follows the symbol that is looked at.
    read = weights @ carry(symbols[:, 1:])
    return answer(read[:, 0]), weights[:, 0]


# %% train
optimizer = mg.optim.Adam(parts.parameters(), lr=0.01)
for step in range(61):
    rows, asked, target = batch(64)
    loss = mg.nn.functional.cross_entropy(look(rows, asked)[0], target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step:3}  loss {loss.item():.3f}")

# %% see
rows, asked, target = batch(3)
scores, weights = look(rows, asked)
answered = scores.argmax(1)
for i in range(3):
    before, after = asked[i].item(), target[i].item()
    print(f"{rows[i].tolist()}  after {before} comes {after}: {answered[i].item()}")
    print("  looked at " + "  ".join(f"{p:.2f}" for p in weights[i].tolist()))

# %% map
svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 340 120" width="340" '
svg += (
    'font-family="sans-serif" font-size="15" text-anchor="middle" fill="#7a7a7a">'
)
for i in range(3):
    y = 40 * i + 26
    svg += f'<text x="30" y="{y}">{asked[i].item()} ?</text>'
    for j, p in enumerate([*weights[i].tolist(), 0.0]):
        box = f'x="{60 + 42 * j}" y="{40 * i + 4}" width="40" height="34" rx="4"'
        svg += f'<rect {box} fill="#0072b2" fill-opacity="{0.08 + 0.9 * p:.2f}" />'
        symbol = f'x="{80 + 42 * j}" y="{y}"'
        if p > 0.5:
            symbol += ' font-weight="bold" fill="#fff"'
        svg += f"<text {symbol}>{rows[i, j].item()}</text>"
svg += "</svg>"

# %% block
norm, into, back = mg.nn.LayerNorm(16), mg.nn.Linear(16, 48), mg.nn.Linear(16, 16)
block = mg.nn.ModuleDict({"norm": norm, "into": into, "back": back})
x = mg.randn(8, 16, requires_grad=True)  # 8 places, 16 numbers each


def attend(x):
    """Attention of two heads behind a layer norm, added to what comes in."""
    q, k, v = into(norm(x)).reshape(8, 3, 2, 8).permute(1, 2, 0, 3)
    read = mg.softmax(q @ k.mT / 8**0.5, -1) @ v
    return x + back(read.transpose(0, 1).reshape(8, 16))


loss = attend(x).square().mean()
program = mg.source(loss, block, inputs={"x": x})
functions = program.split("\n\n\n")
print("\n\n".join(f for f in functions if "_backward(" in f.partition("\n")[0]))
print(f"\n{len(program.splitlines())} lines in all")

# %% equal
namespace = {}
exec(program, namespace)
arrays = [p.detach().numpy() for p in block.parameters()]
_, gradients = namespace["run"](x.detach().numpy(), *arrays)
loss.backward()
pairs = [(gradients[name], p.grad.numpy()) for name, p in block.named_parameters()]
print(all((found == ours).all() for found, ours in pairs))

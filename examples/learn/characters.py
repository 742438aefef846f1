"""Embeddings, and a character model that invents names for Python modules."""

# %% words
import sys

import minigrad as mg
from minigrad import nn

words = sorted(w for w in sys.stdlib_module_names if w.isalpha())
# The dot begins and ends a word.
letters = [".", *sorted({c for w in words for c in w})]
number = {c: i for i, c in enumerate(letters)}
print(
    f"{len(words)} words of {len(letters) - 1} letters: {', '.join(words[:5])} ..."
)

# %% examples
LENGTH = 3


def examples(words):
    """Three characters each, as numbers, and the one that follows them."""
    before, after = [], []
    for word in words:
        text = "." * LENGTH + word + "."
        for i in range(LENGTH, len(text)):
            before.append([number[c] for c in text[i - LENGTH : i]])
            after.append(number[text[i]])
    return mg.tensor(before), mg.tensor(after)


x, target = examples(words)
for i in range(3):
    print(
        "".join(letters[k] for k in x[i].tolist()), "->", letters[target[i].item()]
    )

# %% lookup
table = mg.tensor([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], requires_grad=True)
chosen = nn.functional.embedding(mg.tensor([2, 0, 2]), table)
chosen.backward(mg.tensor([[1.0, 1.0], [10.0, 10.0], [100.0, 100.0]]))
print(table.grad)

# %% model
mg.manual_seed(1)
model = nn.Sequential(
    nn.Embedding(len(letters), 8),
    nn.Flatten(),
    nn.Linear(8 * LENGTH, 64),
    nn.Tanh(),
    nn.Linear(64, len(letters)),
)

# %% train
optimizer = mg.optim.Adam(model.parameters(), lr=0.01)
for step in range(601):
    batch = mg.randint(0, len(x), (64,))
    loss = nn.functional.cross_entropy(model(x[batch]), target[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 200 == 0:
        with mg.no_grad():
            whole = nn.functional.cross_entropy(model(x), target).item()
        print(f"step {step:3}  loss {whole:.3f}")
chance = mg.log(mg.tensor(float(len(letters)))).item()
print(f"guessing would give {chance:.3f}")


# %% next
svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 230" width="560" '
svg += 'font-family="monospace" font-size="13" text-anchor="middle" fill="#7a7a7a">'
for i, context in enumerate(("...", "sys", "ing")):
    ids = mg.tensor([[letters.index(c) for c in context]])
    with mg.no_grad():
        chances = mg.softmax(model(ids), 1)[0].tolist()
    base = 76 * i + 56
    svg += f'<text x="26" y="{base}">{context}</text>'
    for k, p in enumerate(chances):
        x = 64 + 500 * k / len(letters)
        bar = (
            f'x="{x:.0f}" y="{base - 50 * p:.1f}" width="12" height="{50 * p:.1f}"'
        )
        svg += f'<rect {bar} fill="#0072b2" />'
        svg += f'<text x="{x + 6:.0f}" y="{base + 14}">{letters[k]}</text>'
svg += "</svg>"


# %% sample
def invent():
    word, context = "", [0] * LENGTH
    while len(word) < 12:
        with mg.no_grad():
            probabilities = mg.softmax(model(mg.tensor([context])), 1)
        k = mg.multinomial(probabilities, 1).item()
        if k == 0:
            break
        word += letters[k]
        context = [*context[1:], k]
    return word


print(", ".join(invent() for _ in range(8)))

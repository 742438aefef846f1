"""Reading the generated backprop: as a program, as a picture, step by step."""

# %% network
import minigrad as mg
from minigrad import nn

mg.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
x = mg.tensor([[0.5, -1.0], [1.5, 2.0], [-1.0, 0.0], [0.0, 1.0]])
target = mg.tensor([[0.0], [1.0], [0.0], [1.0]])
loss = nn.functional.mse_loss(net(x), target)

# %% program
program = mg.source(loss, net, inputs={"x": x, "target": target}, name="step")
print(program)

# %% run
names = {}
exec(program, names)
weights = {name: p.detach().numpy().copy() for name, p in net.named_parameters()}
value, gradients = names["step"](x.numpy(), target.numpy(), *weights.values())
loss.backward(retain_graph=True)
for name, p in net.named_parameters():
    print(f"{name:<9} the same: {(gradients[name] == p.grad.numpy()).all()}")

# %% alone
for step in range(201):
    value, gradients = names["step"](x.numpy(), target.numpy(), *weights.values())
    if step % 50 == 0:
        print(f"step {step:3}  loss {value:.4f}")
    for name, gradient in gradients.items():
        weights[name] -= 0.3 * gradient

# %% picture
picture = mg.draw(loss, net, direction="both", show="shape", legend=False)

# %% steps
w, b = mg.tensor(0.5, requires_grad=True), mg.tensor(0.1, requires_grad=True)
y = (w * 2.0 + b).tanh()
error = (y - 1.0) ** 2
print(mg.explain(error))


# %% cut
class Cut(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(2, 3), nn.Linear(3, 1)

    def forward(self, x):
        h = self.first(x).tanh().detach()
        return self.last(h)


cut = Cut()
wrong = nn.functional.mse_loss(cut(x), target)
print("Backward" + str(mg.explain(wrong, cut)).partition("\nBackward")[2])

"""A library as users write them: modules, a differentiable function, hooks, and derivatives of several kinds."""

from __future__ import annotations

from typing import assert_type

import minigrad as mg
from minigrad import nn
from minigrad.autograd.function import FunctionCtx


class Softplus(mg.autograd.Function):
    """``log(1 + exp(beta * x)) / beta``, with a backward of its own."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: mg.Tensor, beta: float = 1.0) -> mg.Tensor:
        ctx.save_for_backward(x)
        ctx.beta = beta
        assert_type(ctx.needs_input_grad, tuple[bool, ...])
        return (x * beta).exp().log1p() / beta

    @staticmethod
    def backward(ctx: FunctionCtx, grad: mg.Tensor) -> tuple[mg.Tensor, None]:
        (x,) = ctx.saved_tensors
        assert_type(x, mg.Tensor)
        return grad * (x * ctx.beta).sigmoid(), None


class Split(mg.autograd.Function):
    """Two results, and the newer form: forward without ctx."""

    @staticmethod
    def forward(x: mg.Tensor) -> tuple[mg.Tensor, mg.Tensor]:
        return x.clamp(min=0), x.clamp(max=0)

    @staticmethod
    def setup_context(
        ctx: FunctionCtx, inputs: tuple[mg.Tensor], output: tuple[mg.Tensor, mg.Tensor]
    ) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: FunctionCtx, up: mg.Tensor, down: mg.Tensor) -> mg.Tensor:
        (x,) = ctx.saved_tensors
        return mg.where(x > 0, up, down)


class Residual(nn.Module):
    """Layers that are added to their input; returns what it was given and the result where asked to."""

    scale: mg.Tensor

    def __init__(self, width: int, depth: int = 2, *, shared: bool = False) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.norms = nn.ModuleDict({"first": nn.Identity()})
        self.gain = nn.Parameter(mg.ones(width), requires_grad=not shared)
        self.bias = nn.ParameterList([mg.zeros(width)])
        self.register_buffer("scale", mg.tensor(0.5))

    def forward(self, x: mg.Tensor, times: int = 1) -> tuple[mg.Tensor, mg.Tensor]:
        y = x
        for _ in range(times):
            for layer in self.layers:
                assert_type(layer, nn.Module)
                y = y + Softplus.apply(layer(y), 2.0)
        assert_type(self.gain, nn.Parameter)
        assert_type(self.scale, mg.Tensor)
        return x, y * self.gain * self.scale

    @mg.no_grad()
    def reset(self, spread: float = 0.1) -> int:
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -spread, spread)
        return len(self.layers)


class Gate(nn.Module):
    """One whose forward is compiled."""

    @mg.compile
    def forward(self, x: mg.Tensor) -> mg.Tensor:
        return x * x.sigmoid()


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = Residual(3)
        self.gate = Gate()
        self.head = nn.Linear(3, 1)

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        assert_type(self.body(x, times=2), tuple[mg.Tensor, mg.Tensor])
        _, y = self.body(x, times=2)
        assert_type(self.gate(y), mg.Tensor)
        return self.head(self.gate(y))

    @mg.compile
    def score(self, x: mg.Tensor) -> mg.Tensor:
        return self.head(x).sum()


def energy(x: mg.Tensor, stiffness: float = 1.0) -> mg.Tensor:
    return (Softplus.apply(x) * stiffness).sum()


def main() -> list[bool]:
    mg.manual_seed(0)
    x = mg.randn(4, 3, dtype=mg.float64, requires_grad=True)
    assert_type(Softplus.apply(x), mg.Tensor)
    assert_type(Softplus.apply(x, 2.0), mg.Tensor)
    assert_type(Split.apply(x), tuple[mg.Tensor, mg.Tensor])
    up, down = Split.apply(x)

    seen: list[mg.Tensor] = []
    handle = x.register_hook(seen.append)
    (up - down).sum().backward()
    handle.remove()
    assert_type(x.grad, mg.Tensor | None)
    assert x.grad is not None
    assert_type(x.grad * 2, mg.Tensor)

    gradients = mg.autograd.grad(energy(x), [x], create_graph=True)
    assert_type(gradients, tuple[mg.Tensor, ...])
    gradient = mg.func.grad(energy)
    assert_type(gradient(x), mg.Tensor)
    assert_type(gradient(x, 2.0), mg.Tensor)
    assert_type(mg.func.grad_and_value(energy)(x), tuple[mg.Tensor, mg.Tensor])
    assert_type(mg.func.jacrev(energy)(x), mg.Tensor)
    assert_type(mg.autograd.functional.hessian(energy, x), mg.Tensor)
    value, pull = mg.func.vjp(energy, x)
    assert_type(value, mg.Tensor)
    (product,) = pull(value)
    good = mg.autograd.gradcheck(energy, (x,))
    assert_type(good, bool)

    net = Net().double()
    assert_type(net, Net)
    assert_type(net.body.reset(), int)
    assert_type(net(x), mg.Tensor)
    assert_type(net.score(x), mg.Tensor)
    assert_type(net.train().requires_grad_(False), Net)

    shapes: list[tuple[int, ...]] = []

    def note(module: nn.Module, args: tuple[mg.Tensor, ...], output: mg.Tensor) -> None:
        shapes.append(tuple(output.shape))

    hook = net.head.register_forward_hook(note)
    with mg.enable_grad():
        net(x)
    hook.remove()
    with mg.autograd.set_detect_anomaly(True), mg.inference_mode():
        net(x)
    fused = nn.utils.fuse_conv_bn_eval(nn.Conv2d(1, 2, 3).eval(), nn.BatchNorm2d(2).eval())
    assert_type(fused, nn.Conv2d)
    agree = mg.equal(gradients[0], gradient(x)) and mg.equal(product, gradient(x) * value)
    return [good, agree, len(seen) == 1, set(shapes) == {(4, 1)}]


if __name__ == "__main__":
    assert all(main())

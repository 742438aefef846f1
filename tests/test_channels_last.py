"""The order of dimensions in memory: channels that lie last, operands that lie differently, draws that go by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import functional as F

BEHIND: Any = {"memory_format": mg.channels_last}
ROWS: Any = {"memory_format": mg.contiguous_format}


def images(*shape: int, last: bool = True) -> mg.Tensor:
    x = mg.manual_seed(0) and mg.randn(*shape)
    if last:
        x = x.to(memory_format=mg.channels_last if len(shape) == 4 else mg.channels_last_3d)
    return x.requires_grad_()


def is_behind(y: mg.Tensor) -> bool:
    return y.is_contiguous(memory_format=mg.channels_last if y.dim() == 4 else mg.channels_last_3d)


KEEP: list[Callable[[Any], Any]] = [
    F.relu, lambda x: x * 2 + 1, lambda x: F.dropout(x, 0.3), mg.nn.Conv2d(4, 3, 3), mg.nn.Conv2d(4, 4, 3, groups=4),
    mg.nn.ConvTranspose2d(4, 3, 2, 2), lambda x: F.max_pool2d(x, 2),
    lambda x: F.max_pool2d(x, 2, return_indices=True)[1], lambda x: F.avg_pool2d(x, 3, 1, 1),
    lambda x: F.adaptive_avg_pool2d(x, 3), mg.nn.BatchNorm2d(4),
    mg.nn.BatchNorm2d(4, affine=False), mg.nn.BatchNorm2d(4).eval(), mg.nn.GroupNorm(2, 4),
    mg.nn.GroupNorm(2, 4, affine=False), lambda x: F.interpolate(x, scale_factor=2),
    lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), lambda x: F.pad(x, (1, 2)),
    lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"), lambda x: mg.cat([x, x], 1), lambda x: x.roll(1, 2),
    lambda x: F.channel_shuffle(x, 2), mg.zeros_like, mg.randn_like, lambda x: x.clone(), lambda x: x.double(**BEHIND),
    lambda x: mg.stack([x, x], 1)[:, 0].clone(),
]  # fmt: skip
DO_NOT: list[Callable[[Any], Any]] = [
    mg.nn.InstanceNorm2d(4, affine=True), lambda x: F.pad(x, (1, 1, 1, 1), mode="circular"), lambda x: x.clone(**ROWS),
    lambda x: mg.cat([x, x.contiguous()], 1), lambda x: mg.zeros_like(x, **ROWS), lambda x: x.half(**ROWS),
    lambda x: x.to(**ROWS),
]  # fmt: skip


@pytest.mark.parametrize("f", range(len(KEEP)))
def test_channels_stay_last(f: int) -> None:
    x, rows = images(2, 4, 6, 5), images(2, 4, 6, 5, last=False)
    y, expected = (mg.manual_seed(1) and KEEP[f](t) for t in (x, rows))
    assert is_behind(y)
    assert expected.is_contiguous() or expected.dtype == mg.float64
    if y.requires_grad:
        y.sum().backward()
        assert x.grad.stride() == x.stride()
    if "rand" not in getattr(KEEP[f], "__name__", "") and f != 2:  # drawn in the order of memory
        np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("f", range(len(DO_NOT)))
def test_what_pytorch_lays_row_by_row(f: int) -> None:
    assert DO_NOT[f](images(2, 4, 6, 5)).is_contiguous()


def test_images_of_three_dimensions() -> None:
    x = images(2, 4, 4, 5, 3)
    for keeps in (
        mg.nn.Conv3d(4, 3, 2),
        mg.nn.BatchNorm3d(4),
        lambda x: F.max_pool3d(x, 2),
        lambda x: F.pad(x, (1,) * 6, mode="replicate"),
    ):
        assert is_behind(keeps(x))
    for f in (F.avg_pool3d, F.adaptive_avg_pool3d, F.adaptive_max_pool3d):
        assert f(x, 2).is_contiguous()


def test_a_module_with_channels_last() -> None:
    net = mg.nn.Sequential(mg.nn.Conv2d(3, 4, 3), mg.nn.Flatten(), mg.nn.Linear(64, 2)).to(**BEHIND)
    weight = net[0].weight
    assert (weight.stride(), net[2].weight.stride()) == ((27, 1, 9, 3), (64, 1))
    x = mg.randn(2, 3, 6, 6)
    assert is_behind(net[0](x))  # by its weight
    optimizer = mg.optim.Adam(net.parameters())
    net(x).sum().backward()
    optimizer.step()
    assert weight.grad.stride() == weight.stride() == optimizer.state[weight]["exp_avg"].stride()
    step = mg.compile(lambda x: net(x).square().sum())
    mg.testing.assert_close(step(x), net(x).square().sum())
    with pytest.raises(RuntimeError, match="required rank 4"):
        mg.nn.Conv1d(1, 1, 1).to(memory_format=mg.channels_last_3d).to(**BEHIND).weight.to(**BEHIND)


def test_weights_of_convolutions_alone() -> None:
    net = mg.nn.Sequential(
        mg.nn.Conv2d(3, 4, 3), mg.nn.Sequential(mg.nn.ConvTranspose2d(4, 2, 2)), mg.nn.Conv1d(2, 2, 1)
    )
    assert mg.nn.utils.convert_conv2d_weight_memory_format(net, mg.channels_last) is net
    assert [p.stride() for p in net.parameters() if p.dim() > 1] == [(27, 1, 9, 3), (8, 1, 4, 2), (2, 1, 1)]
    deep = mg.nn.utils.convert_conv3d_weight_memory_format(mg.nn.Conv3d(2, 2, 2), mg.channels_last_3d)
    assert deep.weight.stride() == (16, 1, 8, 4, 2)


def test_draws_go_in_the_order_of_memory() -> None:
    x = images(2, 3, 2, 2)
    for draw in (mg.rand_like, mg.randn_like, lambda x: mg.zeros_like(x).uniform_(), F.dropout):
        y = mg.manual_seed(3) and draw(x.detach())
        turned = mg.manual_seed(3) and draw(x.detach().permute(0, 2, 3, 1).contiguous())
        if draw is not mg.randn_like:  # row by row it draws in pairs
            assert mg.equal(y.permute(0, 2, 3, 1), turned)
    rows = mg.manual_seed(3) and mg.rand_like(x, **ROWS)
    assert mg.equal(rows, mg.manual_seed(3) and mg.rand(2, 3, 2, 2))
    assert is_behind(mg.empty(2, 3, 2, 2, **BEHIND))
    with pytest.raises(RuntimeError, match="required rank 4"):
        mg.empty(2, **BEHIND)


def test_a_leaf_gets_its_gradient_in_its_own_order() -> None:
    for x in (mg.zeros(3, 4).T, mg.zeros(2, 3, 4).permute(2, 0, 1), mg.zeros(4, 6)[:, ::2]):
        x.requires_grad_()
        (x.sum() + (x * mg.ones(x.shape)).sum()).backward()
        dense = x.numel() == 12 and x.dim() == 2 and x.stride() != (6, 2)
        assert x.grad.stride() == (x.stride() if dense or x.dim() == 3 else (3, 1))


# ---------------------------------------------------------------- operands that lie differently

# The strides are PyTorch's.
DIFFER = [
    "p + c: 1 2 6", "c + p: 12 4 1", "o * p: 4 8 1", "own + c: 3 1 6", "c * (p + c): 12 4 1", "(p + c) * c: 1 2 6",
    "p > c: 1 2 6", "(p > 0) & (c > 0): 1 2 6", "where(c > 0, p, o): 12 4 1", "where(p > 0, c, 0.0): 1 2 6",
    "addcmul(p, c, o): 1 2 6", "addcmul(c, p, o): 12 4 1", "lerp(p, c, 0.3): 1 2 6", "p.clamp(c, o): 1 2 6",
    "p + c.double(): 1 2 6", "p.long() + c: 1 2 6", "p.half() * c.half(): 1 2 6", "p.bfloat16() - c.bfloat16(): 1 2 6",
    "mg.complex(c, o): 12 4 1", "p + c[0]: 1 2 6",
    "c[0] + p: 1 8 2", "c[:, :1] + p: 12 1 3", "p[:1] + c[:, :1]: 12 1 3",
    "gaps * c: 1 2 6", "c * gaps: 12 4 1", "e * p: 1 2 6", "e + e: 12 4 1", "h + h.contiguous(): 48 1 12 3",
    "h.contiguous() + h: 48 16 4 1", "h * h.mT: 48 1 12 3", "add(p, c, out=empty(0)): 1 2 6", "rsub(p, c): 12 4 1",
    "add(p, c, out=empty_like(o)): 4 8 1", "p.clone().add_(c): 1 2 6", "c.clone().mul_(p): 12 4 1",
    "mg.rand_like(p + c): 1 2 6", "F.dropout(p + c, 0.5): 1 2 6", "F.l1_loss(p, c, reduction='none'): 1 2 6",
    "(p[..., None] + c[..., None])[..., 0]: 1 2 6", "from_numpy(p.numpy()) + c: 1 2 6",
    "p + from_numpy(c.numpy()): 1 2 6", "p.sort(1).values: 1 2 6", "p.sort(1)[1]: 1 2 6", "gaps.argsort(): 1 2 6",
    "e.nan_to_num(): 12 4 1", "e.erfc(): 12 4 1", "e.sort().values: 12 4 1",
    "from_numpy(c.numpy()[::-1]) + 1: 12 4 1", "from_numpy(c.numpy()[::-1]) + p: 12 4 1",
    "p[..., None, None] @ c[:1, ..., None, None]: 12 4 1 1 1",
    "h.msort(): 48 1 12 3", "F.rms_norm(p, (4,)): 12 4 1", "F.rms_norm(h, (4,)): 48 1 12 3",
    "F.binary_cross_entropy_with_logits(c, p, reduction='none'): 1 2 6",
    "p[:, tensor([1, 0])]: 1 2 4", "o[:, :, tensor([[0, 1, 1]])]: 3 6 3 1", "h[:, [0, 2]]: 32 16 4 1",
    "p[:, c[0, :, 0] < 9]: 1 2 6", "p[1:, [0, 1]]: 8 4 1", "p[[1, 0], :, [0, 1]]: 3 1",
    "c[:, tensor([[0, 1], [1, 2], [0, 0]]).T]: 24 4 8 1", "F.logsigmoid(p): 12 4 1", "2 ** p: 12 4 1",
    "mg.einsum('ij,jk->ki', c[0], c[0].T): 3 1", "einsum('bij,jk->kbi', p, c[0].T): 6 3 1",
    "mg.einsum('bij,bik->kji', p, c): 4 1 16", "einsum('ij,k->ikj', p[0], c[0, 0]): 1 3 12",
    "einsum('bij->ji', p): 3 1", "mg.einsum('bca,da->bdc', c, p[0]): 9 1 3",
]  # fmt: skip


def differ() -> dict[str, Any]:
    mg.manual_seed(0)
    c, p, o = mg.randn(2, 3, 4), mg.randn(4, 3, 2).permute(2, 1, 0), mg.randn(3, 2, 4).transpose(0, 1)
    gaps, e = mg.randn(8, 6, 4)[::2, ::2, ::2].permute(2, 1, 0), mg.randn(3, 1).expand(2, 3, 4)
    own, h = mg.randn(4, 2, 3).permute(1, 2, 0) * 1, mg.randn(2, 3, 4, 4).contiguous(**BEHIND)
    return {**vars(mg), "mg": mg, "F": F, "c": c, "p": p, "o": o, "own": own, "gaps": gaps, "e": e, "h": h}


@pytest.mark.parametrize("row", DIFFER)
def test_operands_that_lie_differently(row: str) -> None:
    code, _, strides = row.rpartition(": ")
    assert " ".join(map(str, eval(code, differ()).stride())) == strides


def test_every_reader_sees_the_order_of_a_result() -> None:
    names = differ()
    p, c, o = (names[k].detach().clone().requires_grad_() for k in "pco")
    y = p + c
    assert y.grad_fn.name() == "AddBackward0"
    assert [n.name() for n, _ in y.grad_fn.next_functions] == ["torch::autograd::AccumulateGrad"] * 2

    def f(p: Any, c: Any, o: Any) -> Any:
        y = F.dropout(mg.where(o > 0, p + c, c * o).tanh() / (o + p + 9), 0.4)
        y += c
        return y, (y * c).sum((0, 2)).exp().sum()

    def step(p: Any, c: Any, o: Any, create: bool = False) -> Any:
        y, loss = f(p, c, o)
        return y, loss, *mg.autograd.grad(loss, (p, c, o), create_graph=create)

    eager, created, again = (mg.manual_seed(1) and g(p, c, o, create) for g, create in (
        (step, False), (step, True), (mg.compile(step), False),
    ))  # fmt: skip
    assert eager[0].stride() == created[0].stride() == again[0].stride() == o.stride()
    for a, b, d in zip(eager, created, again, strict=True):
        assert mg.equal(a, b)
        assert mg.equal(a, d)
    loss = ((p + c) * o).sum((0, 2)).square().sum()
    made: dict[str, Any] = {}
    exec(mg.source(loss, inputs={"p": p, "c": c, "o": o}), made)
    value, grads = made["run"](p.detach().numpy(), c.detach().numpy(), o.detach().numpy())
    loss.backward()
    assert value == loss.item()
    for t, name in ((p, "p"), (c, "c"), (o, "o")):
        np.testing.assert_array_equal(grads[name], t.grad.numpy())


def test_an_operand_that_is_written_keeps_its_order_and_its_gradient() -> None:
    p = mg.randn(4, 3).T.requires_grad_()
    y, c = p * 1, mg.randn(3, 4)
    part = y[1:]
    part *= c[1:]  # which lies otherwise
    y.mul_(c)
    assert y.stride() == (1, 3)
    y.sum().backward()
    factor = c * c
    factor[0] = c[0]
    mg.testing.assert_close(p.grad, factor)


def test_a_tensor_with_other_memory_lies_otherwise() -> None:
    c = mg.zeros(4, 4)
    for change in (
        lambda x: setattr(x, "data", mg.ones(4, 4).T),
        lambda x: x.t_(),
        lambda x: mg.utils.swap_tensors(x, mg.ones(4, 4).T.clone()),
        lambda x: x.set_(mg.ones(4, 4).T),
    ):
        x = mg.ones(4, 4)
        assert (x + c).stride() == (4, 1)
        change(x)
        assert (x + c).stride() == (c + 1 + x).mT.stride() == (1, 4)

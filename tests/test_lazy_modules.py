"""Modules without sizes, and the ordinary ones that they become."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn.lazy import LazyModuleMixin
from minigrad.nn.parameter import is_lazy

SHAPES = {1: (2, 4, 5), 2: (2, 4, 5, 4), 3: (2, 4, 3, 3, 4)}
# the class, its arguments, its options, and the shape of an input with the number 4
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("Linear", (5,), {}, (3, 4)),
    ("Linear", (5,), {"bias": False}, (3, 4)),
    *((f"{kind}{n}d", (4, 3), {"groups": groups}, SHAPES[n])
      for kind, groups in (("Conv", 1), ("Conv", 2), ("ConvTranspose", 2)) for n in (1, 2, 3)),
    *((f"BatchNorm{n}d", (), {}, SHAPES[n]) for n in (1, 2, 3)),
    *((f"InstanceNorm{n}d", (), {"track_running_stats": True}, SHAPES[n]) for n in (1, 2, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "options", "shape"), CASES)
def test_it_becomes_the_ordinary_module(
    name: str, args: tuple[Any, ...], options: dict[str, Any], shape: tuple[int, ...]
) -> None:
    x = mg.randn(*shape)
    lazy: Any = getattr(nn, f"Lazy{name}")(*args, **options)
    others = [copy.deepcopy(lazy), pickle.loads(pickle.dumps(lazy))]
    others[0].load_state_dict(lazy.state_dict())
    assert "Lazy" in repr(lazy)
    assert all(is_lazy(t) for t in lazy.parameters())
    affine = {"affine": True} if "Instance" in name else {}
    mg.manual_seed(7)
    plain = getattr(nn, name)(4, *args, **options, **affine)
    y = plain(x)
    for module in (lazy, *others):
        mg.manual_seed(7)
        assert mg.equal(module(x), y)  # the draws are the same, in the same order
        assert type(module) is type(plain)
        assert repr(module) == repr(plain)
        assert all(type(p) is nn.Parameter for p in module.parameters())
        assert all(type(b) is mg.Tensor for b in module.buffers())
    # a state gives sizes too, and the first input then fits or does not
    loaded: Any = getattr(nn, f"Lazy{name}")(*args, **options)
    loaded.load_state_dict(plain.state_dict())
    wide = (3, 6) if name == "Linear" else (2, 6, *shape[2:])
    with pytest.raises(RuntimeError, match="was loaded"):
        loaded(mg.ones(*wide))
    assert mg.equal(loaded.eval()(x), plain.eval()(x))
    assert repr(loaded) == repr(plain)
    # a module that has sizes takes no state without
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized"):
        plain.load_state_dict(getattr(nn, f"Lazy{name}")(*args, **options).state_dict())


def test_what_is_loaded_stays_beside_what_is_drawn() -> None:
    lazy = nn.LazyLinear(3)
    lazy.load_state_dict({"bias": mg.tensor([1.0, 2.0, 3.0])}, strict=False)
    assert lazy(mg.zeros(1, 2)).tolist() == [[1.0, 2.0, 3.0]]
    assert lazy.weight.shape == (3, 2)


def test_the_dtype_and_the_optimizer_of_before_the_first_call_hold() -> None:
    net = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d()).double()
    optimizer = mg.optim.SGD(net.parameters(), lr=0.1)
    net(mg.randn(4, 2, dtype=mg.float64)).square().sum().backward()
    before = net[1].weight.detach().clone()
    optimizer.step()
    assert {t.dtype for t in net.state_dict().values()} == {mg.float64, mg.int64}
    assert not mg.equal(net[1].weight, before)


def test_a_tensor_without_size_says_so() -> None:
    p = nn.UninitializedParameter(dtype=mg.float64)
    assert (repr(p), p.dtype, p.requires_grad, p.is_leaf) == (
        "<UninitializedParameter>", mg.float64, True, True,
    )  # fmt: skip
    for use in (lambda: p + 1, lambda: mg.sin(p), lambda: p.sum(), lambda: nn.Linear(2, 2)(p)):
        with pytest.raises(ValueError, match=r"Attempted to use an uninitialized parameter.*Call `forward`"):
            use()
    with pytest.raises(RuntimeError, match="Can't access the shape"):
        print(p.shape)
    p.materialize((2, 3))
    assert (type(p), p.shape, p.dtype) == (nn.Parameter, (2, 3), mg.float64)
    with pytest.raises(
        RuntimeError, match=r"Expected 3D \(unbatched\) or 4D \(batched\) input to LazyConv2d"
    ):
        nn.LazyConv2d(2, 1)(mg.ones(2, 2))
    with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
        nn.LazyConv2d(2, 1, groups=2)(mg.ones(3, 2, 2))


class Scale(LazyModuleMixin, nn.Module):
    """One factor for each column."""

    calls = 0

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.UninitializedParameter()
        self.mean = nn.UninitializedBuffer(persistent=False)

    def initialize_parameters(self, input: mg.Tensor) -> None:
        self.calls += 1
        self.weight.materialize(input.shape[-1:])
        if input.dim() < 3:
            self.mean.materialize((1,))

    def forward(self, input: mg.Tensor) -> mg.Tensor:
        return input * self.weight


def test_a_class_of_ones_own() -> None:
    scale = Scale()
    assert list(scale.state_dict()) == ["weight"]
    assert [scale(mg.ones(n, 3)).shape for n in (2, 1)] == [(2, 3), (1, 3)]
    assert (scale.calls, type(scale)) == (1, Scale)
    with pytest.raises(RuntimeError, match="module Scale has not been fully initialized"):
        Scale()(mg.ones(1, 2, 3))


@pytest.mark.parametrize("persistent", [True, False])
def test_a_copy_of_a_buffer_without_size_is_saved_as_the_buffer_is(persistent: bool) -> None:
    buffer = nn.UninitializedBuffer(persistent=persistent)
    for copied in copy.copy(buffer), copy.deepcopy(buffer), pickle.loads(pickle.dumps(buffer)):
        module = nn.Module()
        module.mean = copied
        assert list(module.state_dict()) == ["mean"] * persistent


@pytest.mark.parametrize("read", [mg.tape_table, mg.explain, mg.source, lambda y, *net: mg.draw(y, *net).dot])
def test_readers_pass_over_parameters_without_a_size(read: Any) -> None:
    net, x = nn.LazyLinear(3), mg.ones(2, 2, requires_grad=True)
    y = (x * mg.rand(2, 2)).sum()
    assert "x" in str(read(y))
    if read is not mg.source:  # which takes no names that do not occur
        assert "x" in str(read(y, net))
    assert is_lazy(net.weight)

"""Parametrized modules, the older norms of weights, pruning, fused norms: PyTorch computed the expected numbers."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import utils
from minigrad.nn.utils import parametrizations, parametrize, prune


class Symmetric(nn.Module):
    def forward(self, X: Any) -> Any:
        return X.triu() + X.triu(1).mT

    def right_inverse(self, A: Any) -> Any:
        return A.triu()


class Halves(nn.Module):
    def forward(self, a: Any, b: Any) -> Any:
        return a + b

    def right_inverse(self, A: Any) -> Any:
        return A / 2, A / 2


class Twice(nn.Module):
    def forward(self, X: Any) -> Any:
        return X * 2


class First(nn.Module):
    def forward(self, X: Any) -> Any:
        return X[0]


def keys(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {k: tuple(v.shape) for k, v in module.state_dict().items()}


def close(tensor: Any, expected: list[float], tolerance: float = 1e-4) -> None:
    assert tensor.flatten().tolist() == pytest.approx(expected, abs=tolerance)


def test_a_parameter_that_is_computed() -> None:
    mg.manual_seed(0)
    layer = nn.Linear(3, 3)
    optimized = layer.weight
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    assert layer.parametrizations.weight.original is optimized
    parametrize.register_parametrization(layer, "bias", Halves())
    assert repr(layer) == (
        "ParametrizedLinear(\n  in_features=3, out_features=3, bias=True\n  (parametrizations): ModuleDict(\n"
        "    (weight): ParametrizationList(\n      (0): Symmetric()\n    )\n"
        "    (bias): ParametrizationList(\n      (0): Halves()\n    )\n  )\n)"
    )
    assert keys(layer) == {
        "parametrizations.weight.original": (3, 3), "parametrizations.bias.original0": (3,),
        "parametrizations.bias.original1": (3,),
    }  # fmt: skip
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "wieght")
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    layer(mg.ones(2, 3)).sum().backward()
    assert optimized.grad.tolist() == [[2.0, 4.0, 4.0], [0.0, 2.0, 4.0], [0.0, 0.0, 2.0]]

    layer.weight = mg.arange(9.0).reshape(3, 3)
    assert layer.weight.tolist() == [[0.0, 1.0, 2.0], [1.0, 4.0, 5.0], [2.0, 5.0, 8.0]]
    twin = copy.deepcopy(layer)
    assert optimized.tolist() == [[0.0, 1.0, 2.0], [0.0, 4.0, 5.0], [0.0, 0.0, 8.0]]
    parametrize.register_parametrization(layer, "weight", Twice())
    with pytest.raises(RuntimeError, match="Twice does not implement right_inverse"):
        layer.weight = mg.ones(3, 3)
    parametrize.remove_parametrizations(layer, "bias")
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert layer.weight is optimized
    assert layer.weight.tolist()[0] == [0.0, 2.0, 4.0]
    assert list(keys(layer)) == ["bias", "weight"]
    # the copy has what the original had then
    parametrize.remove_parametrizations(twin, "weight", leave_parametrized=False)
    assert twin.weight.tolist()[2] == [0.0, 0.0, 8.0]
    assert twin.bias.shape == (3,)
    other = parametrize.transfer_parametrizations_and_params(twin, nn.Linear(3, 3))
    assert other.parametrizations.bias.original0 is twin.parametrizations.bias.original0


def test_a_function_takes_the_mode_of_its_module() -> None:
    layer = nn.Linear(3, 3).eval()
    values = layer.weight.tolist()
    parametrize.register_parametrization(layer, "weight", nn.Dropout(0.9))
    assert layer.weight.tolist() == values
    assert layer.train().weight.tolist() != values


def test_what_is_computed_is_kept_while_cached() -> None:
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    assert layer.weight is not layer.weight
    with parametrize.cached():
        weight = layer.weight
        with parametrize.cached():
            assert layer.weight is weight
        assert layer.weight is weight
        assert copy.deepcopy(layer).weight is not weight
    assert layer.weight is not weight


def test_a_cell_asks_for_its_weights_once() -> None:
    calls: list[Any] = []
    for make in (nn.RNNCell, nn.LSTMCell, nn.GRUCell):
        cell: Any = make(2, 2)
        for name in ("weight_ih", "weight_hh", "bias_ih"):
            add(cell, name, Twice())
            cell.parametrizations[name][0].register_forward_hook(lambda *_, name=name: calls.append(name))
        calls.clear()
        cell(mg.ones(1, 2))
        assert calls == ["weight_ih", "weight_hh", "bias_ih"]


class Doubled(nn.Module):
    """Its inverse fits, and it does not."""

    def forward(self, x: Any) -> Any:
        return mg.cat([x, x])

    def right_inverse(self, x: Any) -> Any:
        return x + 1


def test_a_parametrization_that_is_refused_leaves_the_values() -> None:
    layer = nn.Linear(2, 2)
    weight, before = layer.weight, layer.weight.tolist()
    with pytest.raises(ValueError, match="may not change the shape"):
        add(layer, "weight", Doubled())
    assert layer.weight is weight
    assert weight.tolist() == before


def test_what_parametrize_refuses() -> None:
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "bias", Halves())
    for kind, match, call in (
        (
            ValueError,
            "may not change the shape of the tensor",
            lambda: add(nn.Linear(2, 2), "weight", First()),
        ),
        (ValueError, "may not change the shape of the tensor", lambda: add(layer, "bias", First())),
        (ValueError, "does not have a parameter, a buffer", lambda: add(layer, "basi", First())),
        (TypeError, "argument 'parametrization' must be a Module", lambda: add(layer, "weight", abs)),
        (
            ValueError,
            "in terms of a sequence",
            lambda: parametrize.remove_parametrizations(layer, "bias", False),
        ),
        (ValueError, "no.* parametriz", lambda: parametrize.remove_parametrizations(layer, "weight")),
        (RuntimeError, "only supported through state_dict", lambda: pickle.dumps(layer)),
        (
            KeyError,
            "weight",
            lambda: setattr(add(nn.Linear(2, 2), "weight", Twice()), "weight", layer.weight),
        ),
    ):
        with pytest.raises(kind, match=match):
            call()
    assert add(nn.Linear(2, 2), "weight", First(), unsafe=True).weight.shape == (2,)


add = parametrize.register_parametrization


def test_the_weight_norm_of_a_vector_is_that_of_each_element() -> None:
    layer = parametrizations.weight_norm(nn.Linear(3, 2), "bias")
    lengths = layer.parametrizations.bias.original0
    assert lengths.shape == (2,)
    close(lengths, layer.bias.abs().tolist())
    close(mg.norm_except_dim(mg.tensor([3.0, -4.0])), [3, 4])


def test_the_second_gradient_of_weight_norm() -> None:
    layer, x = parametrizations.weight_norm(nn.Linear(3, 2).double()), mg.rand(2, 3, dtype=mg.float64)
    names, values = zip(*layer.named_parameters(), strict=True)

    def run(*tensors: mg.Tensor) -> mg.Tensor:
        return mg.func.functional_call(layer, dict(zip(names, tensors, strict=True)), (x,)).sin()

    assert mg.autograd.gradgradcheck(run, values)


def test_weight_norm() -> None:
    mg.manual_seed(1)
    x = mg.arange(6.0).reshape(2, 3)
    for dim, shape, value, g in (
        (0, (2, 1), 1.642, [4.1179, 0.8913]),
        (1, (1, 3), 0.7028, [3.5543, -4.3876, 7.606]),
        (None, (), 14.6514, [41.5913]),
    ):
        layer = parametrizations.weight_norm(nn.Linear(3, 2), dim=dim)
        first = "parametrizations.weight.original"
        assert keys(layer) == {"bias": (2,), f"{first}0": shape, f"{first}1": (2, 3)}
        state, before = layer.state_dict(), layer.weight.detach()
        loss = (layer(x) ** 2).sum()
        loss.backward()
        close(loss, [value])
        close(layer.parametrizations.weight.original0.grad, g, 1e-3)
        with pytest.warns(FutureWarning, match="parametrizations.weight_norm"):
            old = utils.weight_norm(nn.Linear(3, 2), dim=dim)
        assert keys(old) == {"bias": (2,), "weight_g": shape, "weight_v": (2, 3)}
        old_state = dict(zip(old.state_dict(), state.values(), strict=True))
        old.load_state_dict(old_state)
        close((old(x) ** 2).sum(), [value])
        layer.load_state_dict(old_state)
        with pytest.warns(FutureWarning), pytest.raises(RuntimeError, match="two weight_norm hooks"):
            utils.weight_norm(old)
        assert utils.remove_weight_norm(old).weight.tolist() == before.tolist()
        with pytest.raises(ValueError, match="weight_norm of 'weight' not found"):
            utils.remove_weight_norm(old)
        plain = nn.Linear(3, 2)
        with pytest.warns(FutureWarning), pytest.raises(IndexError, match="Dimension out of range"):
            utils.weight_norm(plain, dim=2)
        assert keys(plain) == {"weight": (2, 3), "bias": (2,)}
        with pytest.raises(IndexError, match="Dimension out of range"):
            parametrizations.weight_norm(plain, dim=-3)
        mg.manual_seed(1)
        for _ in range((0, 1, None).index(dim) + 1):
            nn.Linear(3, 2)


@pytest.mark.parametrize("layer", [nn.Linear(3, 4), nn.Conv2d(2, 3, 2), nn.ConvTranspose2d(2, 3, 2)])
def test_spectral_norm(layer: Any) -> None:
    x = mg.ones(2, 3) if isinstance(layer, nn.Linear) else mg.ones(1, 2, 3, 3)
    transposed = isinstance(layer, nn.ConvTranspose2d)

    def largest(weight: Any) -> float:
        matrix = weight.detach().movedim(int(transposed), 0).flatten(1)
        return float(mg.linalg.svdvals(matrix)[0])

    old = utils.spectral_norm(copy.deepcopy(layer), n_power_iterations=3)
    assert set(keys(old)) == {"bias", "weight_orig", "weight_u", "weight_v"}
    assert old.state_dict()._metadata[""] == {"version": 1, "spectral_norm": {"weight.version": 1}}
    new = parametrizations.spectral_norm(copy.deepcopy(layer), n_power_iterations=3)
    assert {k: v for k, v in keys(new).items() if k != "bias"} == {
        "parametrizations.weight.original": tuple(layer.weight.shape),
        "parametrizations.weight.0._u": keys(old)["weight_u"],
        "parametrizations.weight.0._v": keys(old)["weight_v"],
    }
    for _ in range(200):  # as slow as the two largest singular values are near to each other
        old(x)
        new(x)
    assert largest(new.weight) == pytest.approx(1.0, abs=1e-3)
    assert largest(old.weight) == pytest.approx(1.0, abs=1e-3)
    a, b = old(x), new(x)  # training goes on while an earlier result is differentiated
    (a + old(x) + b + new(x)).sum().backward()
    assert old.weight_orig.grad.shape == new.parametrizations.weight.original.grad.shape == layer.weight.shape
    new.eval()
    assert new.weight.tolist() == new.weight.tolist()
    assert largest(utils.remove_spectral_norm(old).weight) == pytest.approx(1.0, abs=1e-3)
    assert "spectral_norm" not in old.state_dict()._metadata[""]


def test_spectral_norm_of_a_vector_is_its_length() -> None:
    for norm in (utils.spectral_norm, parametrizations.spectral_norm):
        layer = norm(nn.LayerNorm(4))
        layer(mg.ones(2, 4))
        assert layer.weight.tolist() == [0.5] * 4


@pytest.mark.parametrize("name", ["matrix_exp", "cayley", "householder"])
def test_orthogonal(name: str) -> None:
    for shape in ((3, 3), (2, 4), (4, 2)):
        for fixed in (True, False):
            layer = parametrizations.orthogonal(
                nn.Linear(*shape), orthogonal_map=name, use_trivialization=fixed
            )
            optimizer = mg.optim.SGD(layer.parameters(), lr=0.1)
            for _ in range(2):
                product = layer.weight @ layer.weight.mT
                product = layer.weight.mT @ layer.weight if shape[0] < shape[1] else product
                close(product, mg.eye(min(shape)).flatten().tolist(), 1e-5)
                (
                    layer.weight * mg.arange(float(layer.weight.numel())).reshape(layer.weight.shape)
                ).sum().backward()
                optimizer.step()
            target = mg.eye(4)[: shape[1], : shape[0]].flip(0).contiguous()
            if fixed or name == "householder":
                layer.weight = target
                close(layer.weight, target.flatten().tolist(), 1e-6)
            else:
                with pytest.raises(NotImplementedError, match="use_trivialization=False"):
                    layer.weight = target
    with pytest.raises(ValueError, match="matrix or batch of matrices"):
        parametrizations.orthogonal(nn.Linear(2, 2), "bias")


def test_orthogonal_gives_pytorchs_numbers() -> None:
    mg.manual_seed(3)
    square = parametrizations.orthogonal(nn.Linear(3, 3))
    close(square.weight, [-0.6725, -0.5187, -0.5279, -0.6417, 0.7641, 0.0666, 0.3688, 0.3836, -0.8467])
    (square.weight * mg.arange(9.0).reshape(3, 3)).sum().backward()
    close(square.parametrizations.weight.original.grad, [0, 0, 0, 5.2514, 0, 0, -3.277, -12.0395, 0])
    tall = parametrizations.orthogonal(nn.Linear(2, 4))
    close(tall.weight, [-0.4733, -0.1262, -0.6027, -0.0175, -0.4385, 0.7951, 0.4695, 0.5929])


@pytest.mark.parametrize(
    "make", [parametrizations.weight_norm, parametrizations.spectral_norm, parametrizations.orthogonal]
)
def test_parametrized_modules_compile(make: Any) -> None:
    losses = []
    for compiled in (False, True):
        mg.manual_seed(0)
        net = nn.Sequential(make(nn.Linear(3, 3)), nn.Tanh(), nn.Linear(3, 1))
        optimizer = mg.optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, net: Any = net, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = (net(x) ** 2).sum()
            loss.backward()
            optimizer.step()
            return loss

        run = mg.compile(step) if compiled else step
        losses.append([run(mg.arange(6.0).reshape(2, 3)).item() for _ in range(3)])
    assert losses[0] == losses[1]


# ---------------------------------------------------------------- pruning


def test_pruning() -> None:
    layer = nn.Linear(3, 2)
    with mg.no_grad():
        layer.weight.copy_(mg.tensor([[1.0, -2.0, 3.0], [-4.0, 5.0, 0.5]]))
    trained = layer.weight
    prune.l1_unstructured(layer, "weight", 2)
    assert keys(layer) == {"bias": (2,), "weight_orig": (2, 3), "weight_mask": (2, 3)}
    assert layer.weight_orig is trained
    assert layer.weight.tolist() == [[0.0, -2.0, 3.0], [-4.0, 5.0, 0.0]]
    prune.ln_structured(layer, "weight", 0.5, n=2, dim=0)  # the rows with what is left of them
    assert layer.weight.tolist() == [[0.0, 0.0, 0.0], [-4.0, 5.0, 0.0]]
    frobenius = nn.Linear(3, 2)
    frobenius.weight.data = mg.tensor([[0.0, -2.0, 3.0], [-4.0, 5.0, 0.0]])
    prune.ln_structured(frobenius, "weight", 0.5, n="fro", dim=0)
    assert mg.equal(frobenius.weight, layer.weight)
    (hook,) = layer._forward_pre_hooks.values()
    assert [type(method) for method in hook] == [prune.L1Unstructured, prune.LnStructured]
    assert hook._tensor_name == "weight"
    layer(mg.ones(1, 3)).sum().backward()
    assert trained.grad.tolist() == [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    for amount, kind in ((1.5, ValueError), (-1, ValueError), ("x", TypeError), (100, ValueError)):
        with pytest.raises(kind, match="amount"):
            prune.l1_unstructured(layer, "weight", amount)  # type: ignore[arg-type]
    assert prune.is_pruned(nn.Sequential(layer))
    assert prune.remove(layer, "weight").weight is trained
    assert trained.tolist()[0] == [0.0, 0.0, 0.0]
    assert not prune.is_pruned(layer)
    with pytest.raises(ValueError, match="has to be pruned"):
        prune.remove(layer, "weight")


def test_pruning_several_by_chance_and_by_hand() -> None:
    mg.manual_seed(4)
    net = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    pairs = [(net[0], "weight"), (net[1], "weight")]
    prune.global_unstructured(pairs, prune.L1Unstructured, amount=0.5)
    assert int(net[0].weight_mask.sum() + net[1].weight_mask.sum()) == 9
    prune.global_unstructured(pairs, prune.RandomUnstructured, amount=3)
    assert int(net[0].weight_mask.sum() + net[1].weight_mask.sum()) == 6
    with pytest.raises(TypeError, match='Only "unstructured" PRUNING_TYPE'):
        prune.global_unstructured(pairs, prune.LnStructured, amount=1, n=2)
    prune.identity(net[0], "bias")
    prune.custom_from_mask(net[1], "bias", mg.tensor([0, 1]))
    assert net[0].bias.tolist() == net[0].bias_orig.tolist()
    assert net[1].bias.tolist()[0] == 0.0

    class EveryOther(prune.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t: Any, default_mask: Any) -> Any:
            mask = default_mask.clone()
            mask.view(-1)[::2] = 0
            return mask

    layer = nn.Linear(4, 3)
    EveryOther.apply(layer, "bias")
    assert layer.bias_mask.tolist() == [0.0, 1.0, 0.0]
    prune.random_structured(layer, "weight", 1, dim=1)
    assert sorted(layer.weight_mask.sum(0).tolist()) == [0.0, 3.0, 3.0, 3.0]
    with pytest.raises(ValueError, match="multidimensional"):
        prune.random_structured(nn.Linear(2, 2), "bias", 1, dim=0)
    assert prune.L1Unstructured(2).prune(mg.arange(1.0, 5.0)).tolist() == [0.0, 0.0, 3.0, 4.0]


def test_fused_norms_compute_the_same() -> None:
    for layer, norm, x in (
        (nn.Conv2d(2, 3, 2, bias=False), nn.BatchNorm2d(3), mg.rand(2, 2, 4, 4)),
        (nn.ConvTranspose2d(2, 3, 2), nn.BatchNorm2d(3, affine=False), mg.rand(2, 2, 4, 4)),
        (nn.Linear(2, 3), nn.BatchNorm1d(3), mg.rand(4, 2)),
    ):
        norm(layer(x))
        with pytest.raises(RuntimeError, match="Fusion only for eval"):
            utils.fuse_conv_bn_eval(layer, norm)
        layer.eval(), norm.eval()
        if isinstance(layer, nn.Linear):
            fused = utils.fuse_linear_bn_eval(layer, norm)
        else:
            fused = utils.fuse_conv_bn_eval(layer, norm, transpose=isinstance(layer, nn.ConvTranspose2d))
        close(fused(x), norm(layer(x)).flatten().tolist(), 1e-5)

"""Modules that few programs use: fractional pooling, norms and losses with other names. Numbers are PyTorch's."""

from __future__ import annotations

import math
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.autograd import gradcheck
from minigrad.nn import functional as F


def test_fractional_pooling_draws_as_pytorch_does() -> None:
    mg.manual_seed(0)
    pool = nn.FractionalMaxPool2d((2, 3), output_ratio=(0.5, 0.4), return_indices=True)
    assert repr(pool) == "FractionalMaxPool2d()"
    assert pool.state_dict() == {}
    y, places = pool(mg.rand(1, 7, 9))
    assert y.flatten().tolist() == pytest.approx(FLAT, abs=1e-4)
    assert places.flatten().tolist() == PLACES
    image = mg.arange(25.0).reshape(1, 1, 5, 5)
    samples = mg.tensor([[[0.1, 0.9]]])
    y = F.fractional_max_pool2d(image, 2, 3, _random_samples=samples)
    assert y.flatten().tolist() == [6.0, 7.0, 9.0, 11.0, 12.0, 14.0, 21.0, 22.0, 24.0]
    volume = mg.arange(216.0).reshape(1, 1, 6, 6, 6).requires_grad_()
    three = F.fractional_max_pool3d(volume, 2, 3, _random_samples=mg.tensor([[[0.1, 0.5, 0.9]]]))
    three.sum().backward()
    assert volume.grad.sum().item() == 27.0
    assert three[0, 0, -1, -1, -1].item() == 215.0
    point = mg.rand(1, 2, 5, 5, 5, dtype=mg.float64, requires_grad=True)
    fixed = mg.full((1, 2, 3), 0.3, dtype=mg.float64)
    assert gradcheck(lambda x: F.fractional_max_pool3d(x, 2, 2, _random_samples=fixed), point)


FLAT = [0.7682, 0.6341, 0.8964, 0.9298, 0.932, 0.5846, 0.8352, 0.8198, 0.9971]
PLACES = [1, 5, 7, 37, 31, 42, 54, 50, 51]


def test_what_fractional_pooling_refuses() -> None:
    for kind, match, call in (
        (ValueError, "either an output size, or a pooling ratio", lambda: nn.FractionalMaxPool2d(2)),
        (ValueError, "only one of", lambda: nn.FractionalMaxPool2d(2, 2, 0.5)),
        (ValueError, "between 0 and 1", lambda: nn.FractionalMaxPool3d(2, output_ratio=1.5)),
        (ValueError, "greater than 0", lambda: nn.FractionalMaxPool3d(0, 2)),
        (
            RuntimeError,
            "3 windows of size 3 do not fit into a side of 4",
            lambda: pool2d(mg.rand(1, 1, 4, 4), 3, 3),
        ),
        (RuntimeError, "Expected 3D or 4D", lambda: pool2d(mg.rand(4, 4), 2, 2)),
        (ValueError, "output_size or an output_ratio", lambda: pool2d(mg.rand(1, 1, 4, 4), 2)),
        (RuntimeError, "_random_samples", lambda: pool2d(mg.rand(1, 1, 4, 4), 2, 2, None, False, mg.rand(2))),
    ):
        with pytest.raises(kind, match=match):
            call()


pool2d: Any = F.fractional_max_pool2d


def test_norms_of_several_processes_are_those_of_one() -> None:
    norm = nn.SyncBatchNorm(3)
    x = mg.rand(4, 3)
    assert repr(norm) == repr(nn.BatchNorm1d(3)).replace("BatchNorm1d", "SyncBatchNorm")
    assert norm(x).tolist() == nn.BatchNorm1d(3)(x).tolist()
    with pytest.raises(ValueError, match="at least 2D"):
        norm(mg.ones(3))
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Sequential(nn.BatchNorm2d(2, affine=False)))
    buffer = net[1][0].running_mean
    assert nn.SyncBatchNorm.convert_sync_batchnorm(net) is net
    assert type(net[1][0]) is nn.SyncBatchNorm
    assert net[1][0].running_mean is buffer


def test_losses_of_linear_maps() -> None:
    x = mg.arange(15.0).reshape(3, 5) / 9
    for options, target in (
        ({}, mg.tensor([1, 2, -100])),
        ({"bias": True, "reduction": "sum", "label_smoothing": 0.1}, mg.tensor([1, 2, 0])),
        ({"weight": mg.tensor([1.0, 2.0, 3.0, 4.0]), "reduction": "none"}, mg.tensor([1, 2, 0])),
        ({"out_features": (2, 3), "bias": True}, mg.zeros(3, 2, 3, dtype=mg.int64)),
        ({}, mg.full((3, 4), 0.25)),
    ):
        loss = nn.LinearCrossEntropyLoss(5, 4, **options)
        same = {k: v for k, v in options.items() if k not in ("bias", "out_features")}
        scores = loss.linear(x).reshape(3, 4, *options.get("out_features", ()))
        assert loss(x, target).tolist() == F.cross_entropy(scores, target, **same).tolist()
    assert list(loss.state_dict()) == ["linear.weight"]
    assert repr(loss).splitlines()[1] == (
        "  in_features=5, num_classes=4, out_features=(), bias=False, reduction=mean, ignore_index=None, "
        "label_smoothing=0.0, options=None"
    )
    assert loss(x[0], mg.tensor(2)).shape == ()
    with pytest.raises(RuntimeError, match="expected weight shape"):
        nn.LinearCrossEntropyLoss(5, 4, weight=mg.ones(3))
    options = nn.LinearCrossEntropyOptions(batch_chunk_size=2, acc_dtype=mg.float32)
    loss, target = nn.LinearCrossEntropyLoss(5, 4, options=options), mg.tensor([1, 2, 0])
    assert loss(x, target).tolist() == F.cross_entropy(loss.linear(x), target).tolist()
    assert repr(options) == (
        "LinearCrossEntropyOptions(allow_retain_graph=False, batch_chunk_size=2, chunking_method='auto', "
        "acc_policy='auto', acc_dtype=minigrad.float32)"
    )
    nn.LinearCrossEntropyOptions(chunking_method="aspect_ratio:4")
    for field, wrong in (
        ("acc_policy", "fast"), ("chunking_method", "aspect_ratio:0"), ("chunking_method", "aspect_ratio:"),
        ("batch_chunk_size", 0), ("acc_dtype", mg.int64),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=field):
            nn.LinearCrossEntropyOptions(**{field: wrong})
    for a, w, more, match in (
        (mg.ones(1, 2, 3), mg.ones(4, 3), {}, "dimensionality 1 or 2"),
        (mg.ones(3), mg.ones(3), {}, "dimensionality at least 2"),
        (mg.ones(2, 3), mg.ones(4, 2), {}, "expected equal"),
        (mg.ones(2, 3), mg.ones(4, 3), {"linear_bias": mg.ones(3)}, "linear_bias shape"),
        (mg.ones(3), mg.ones(4, 2, 3), {}, "requires batched"),
    ):
        with pytest.raises(RuntimeError, match=match):
            F.linear_cross_entropy(a, w, mg.tensor([0, 1]), **more)
    with pytest.raises(RuntimeError, match="ignore_index cannot"):
        F.linear_cross_entropy(mg.ones(2, 3), mg.ones(4, 3), mg.ones(2, 4), ignore_index=1)
    with pytest.warns(FutureWarning, match="Please use `NLLLoss`"):
        nn.NLLLoss2d()


def test_norms_of_little() -> None:
    """Where a norm is small what is added to it tells, and one number has no variance."""
    small = mg.full((2,), 1e-4)
    assert F.rms_norm(small, (2,)).tolist() == pytest.approx([0.2782] * 2, abs=1e-4)  # PyTorch's
    assert F.rms_norm(small.double(), (2,)).tolist() == pytest.approx([1, 1], abs=1e-4)
    with pytest.raises(
        ValueError, match=r"more than 1 value per channel when training, got input size \[1, 2\]"
    ):
        F.group_norm(mg.ones(1, 2), 2)
    assert F.group_norm(mg.ones(2, 2), 2).tolist() == [[0, 0], [0, 0]]


def test_functions_with_places() -> None:
    x = mg.rand(2, 6)
    for name, image in (("1d", x[None]), ("2d", x[None, None]), ("3d", x[None, None, None])):
        size = 2 if name == "1d" else (1, 2) if name == "2d" else (1, 1, 2)
        for function, argument in ((f"max_pool{name}", size), (f"adaptive_max_pool{name}", size)):
            expected = getattr(F, function)(image, argument, return_indices=True)
            both = getattr(F, f"{function}_with_indices")(image, argument)
            assert [t.tolist() for t in both] == [t.tolist() for t in expected]
    y = F.conv_tbc(mg.arange(24.0).reshape(4, 2, 3), mg.arange(18.0).reshape(2, 3, 3), mg.ones(3), 1)
    assert y.shape == (5, 2, 3)
    assert y[0, 0].tolist() == [1 + 2 * 15.0 + 12.0, 1 + 2 * 16.0 + 13.0, 1 + 2 * 17.0 + 14.0]


def test_targets_and_types_that_do_not_fit() -> None:
    x, whole = mg.ones(4, 3), mg.ones(4, 3, dtype=mg.int64)
    for kind, says, call in (
        (RuntimeError, "can't be cast", lambda: F.binary_cross_entropy_with_logits(x, whole)),
        (RuntimeError, "Integral inputs not supported", lambda: F.kl_div(x, whole, reduction="sum")),
        (
            RuntimeError,
            "doesn't match the broadcast shape",
            lambda: F.soft_margin_loss(mg.ones(4, 1), mg.ones(4)),
        ),
        (RuntimeError, "expected scalar type Long", lambda: F.multi_margin_loss(x, mg.zeros(4))),
        (
            RuntimeError,
            "target out of range: 3 for 3 classes",
            lambda: F.multi_margin_loss(x, mg.full((4,), 3)),
        ),
        (NotImplementedError, "not implemented", lambda: F.cross_entropy(whole, mg.zeros(4, dtype=mg.int64))),
        (RuntimeError, "mixed dtype", lambda: nn.BatchNorm1d(3)(x.double())),
        (RuntimeError, "mixed dtype", lambda: nn.LayerNorm(3)(x.double())),
    ):
        with pytest.raises(kind, match=says):
            call()
    assert F.smooth_l1_loss(x, whole.bool()).item() == 0.0
    assert nn.BatchNorm1d(3).eval()(x.half()).dtype is mg.float16


def test_a_step_in_training_does_not_touch_the_gradient_of_an_evaluation() -> None:
    norm = nn.BatchNorm1d(3)
    x = mg.randn(4, 3, requires_grad=True)
    y = norm.eval()(x)
    norm.train()(x.detach() * 5)
    y.sum().backward()
    assert mg.allclose(x.grad, mg.full((4, 3), (1 + norm.eps) ** -0.5))
    assert not mg.allclose(norm.running_var, mg.ones(3))


@pytest.mark.parametrize(("mode", "rank"), [("linear", 1), ("bilinear", 2), ("trilinear", 3)])
def test_a_size_that_resizing_keeps_keeps_its_values(mode: str, rank: int) -> None:
    x = mg.randn(1, 1, *[3] * rank)
    assert mg.equal(F.interpolate(x, scale_factor=1.3, mode=mode), x)
    wide = F.interpolate(x, scale_factor=(*[1.3] * (rank - 1), 1.5), mode=mode)
    rows = F.interpolate(x.reshape(1, -1, 3), scale_factor=1.5, mode="linear")
    assert mg.allclose(wide.reshape(rows.shape), rows)


def test_a_window_in_the_padding_alone_has_no_maximum() -> None:
    x = mg.ones(1, 1, 1, 2, requires_grad=True)
    y = F.max_pool2d(x, 2, stride=1, padding=1, dilation=2)
    assert y.tolist() == [[[[-math.inf, -math.inf]]]]
    y.exp().sum().backward()
    assert x.grad.tolist() == [[[[0.0, 0.0]]]]
    names: dict[str, Any] = {}
    exec(str(mg.source(F.max_pool2d(x, 2, stride=1, padding=1, dilation=2).sum())), names)
    assert names["run"](x.detach().numpy())[1]["x"].tolist() == [[[[0.0, 0.0]]]]
    z = F.max_pool1d(mg.tensor([[3.0]]), 2, stride=3, padding=1, dilation=2, ceil_mode=True)
    assert z.tolist() == [[-math.inf]]

"""The names of `grad_fn`, which are PyTorch's where an operation is one of PyTorch's."""

from __future__ import annotations

from typing import Any

from cases import case

import minigrad as mg
import minigrad.nn.functional as F


def of(*shape: int) -> Any:
    return mg.ones(*shape, requires_grad=True) * 1.0


def changed(change: Any) -> Any:
    y = of(3, 3).clone()
    change(y)
    return y


X, V, BATCH, IMAGE = of(3, 3), of(3), of(2, 3, 3), of(1, 2, 8, 8)
SYMMETRIC = mg.eye(3, requires_grad=True)
NAMES: list[tuple[str, Any]] = [
    ("RsubBackward1", lambda: 1 - X), ("SubBackward0", lambda: X - 1), ("AddBackward0", lambda: 1 + X),
    ("PowBackward0", lambda: X**2), ("PowBackward1", lambda: X**X), ("PowBackward2", lambda: 2**X),
    ("PowBackward0", lambda: X.square()), ("Log1PBackward0", lambda: X.log1p()),
    ("RemainderBackward0", lambda: X % 2), ("RemainderBackward1", lambda: X % X),
    ("LerpBackward0", lambda: mg.lerp(X, X, 0.5)), ("LerpBackward1", lambda: mg.lerp(X, X, X)),
    ("CopysignBackward0", lambda: mg.copysign(X, X)), ("CopysignBackward1", lambda: mg.copysign(X, 1.0)),
    ("RoundBackward0", lambda: X.round()), ("RoundBackward1", lambda: X.round(decimals=2)),
    ("DivBackward2", lambda: mg.div(X, X, rounding_mode="floor")), ("ClampBackward1", lambda: X.clamp(0, 1)),
    ("SumBackward0", lambda: X.sum()), ("SumBackward1", lambda: X.sum(1)), ("MeanBackward1", lambda: X.mean(0)),
    ("ProdBackward0", lambda: X.prod()), ("ProdBackward1", lambda: X.prod(0)), ("MaxBackward1", lambda: X.max()),
    ("LinalgVectorNormBackward0", lambda: X.norm()), ("DotBackward0", lambda: V @ V), ("MmBackward0", lambda: X @ X),
    ("UnsafeViewBackward0", lambda: BATCH @ BATCH), ("AddmmBackward0", lambda: F.linear(X, X, V)),
    ("MmBackward0", lambda: F.linear(X, X)), ("ViewBackward0", lambda: F.linear(BATCH, X, V)),
    ("ViewBackward0", lambda: X.view(9)), ("UnsqueezeBackward0", lambda: X.unsqueeze(1)),
    ("SqueezeBackward1", lambda: of(3, 1).squeeze(1)), ("SqueezeBackward0", lambda: of(1, 3, 1).squeeze()),
    ("PermuteBackward0", lambda: X.T), ("TransposeBackward0", lambda: BATCH.mT),
    ("PermuteBackward0", lambda: BATCH.permute(2, 0, 1)), ("CloneBackward0", lambda: X.T.contiguous()),
    ("ToCopyBackward0", lambda: X.double()), ("SelectBackward0", lambda: X[:, 0]), ("SliceBackward0", lambda: X[0, 1:]),
    ("UnsqueezeBackward0", lambda: X[:, None]), ("SliceBackward0", lambda: X[..., 1:]),
    ("TriuBackward0", lambda: X.triu()),
    ("TrilBackward0", lambda: X.tril()), ("UnfoldBackward0", lambda: V.unfold(0, 2, 1)),
    ("ConstantPadNdBackward0", lambda: F.pad(X, (1, 1))),
    ("ConvolutionBackward0", lambda: F.conv2d(IMAGE, of(2, 2, 3, 3))),
    ("MaxPool2DWithIndicesBackward0", lambda: F.max_pool2d(IMAGE, 2)),
    ("AvgPool2DBackward0", lambda: F.avg_pool2d(IMAGE, 2)),
    ("AdaptiveAvgPool2DBackward0", lambda: F.adaptive_avg_pool2d(IMAGE, 3)),
    ("AdaptiveMaxPool2DBackward0", lambda: F.adaptive_max_pool2d(IMAGE, 3)),
    ("UpsampleNearest2DBackward0", lambda: F.interpolate(IMAGE, 4)),
    ("UpsampleNearestExact2DBackward0", lambda: F.interpolate(IMAGE, 4, mode="nearest-exact")),
    ("UpsampleBilinear2DBackward0", lambda: F.interpolate(IMAGE, 4, mode="bilinear")),
    ("UpsampleBicubic2DBackward0", lambda: F.interpolate(IMAGE, 4, mode="bicubic")),
    ("NativeLayerNormBackward0", lambda: F.layer_norm(X, (3,))),
    ("NativeLayerNormBackward0", lambda: F.layer_norm(X, (3,), V, V)),
    ("NativeBatchNormBackward0", lambda: F.batch_norm(X, None, None, training=True)),
    ("NativeBatchNormBackward0", lambda: F.batch_norm(X, None, None, V, V, training=True)),
    ("NativeGroupNormBackward0", lambda: F.group_norm(X, 1, V, V)),
    ("LinalgInvExBackward0", lambda: mg.linalg.inv(SYMMETRIC)),
    ("LinalgEighBackward0", lambda: mg.linalg.eigh(SYMMETRIC)[1]),
    ("CopyBackwards", lambda: changed(lambda y: y.copy_(X))), ("CopySlices", lambda: changed(lambda y: y[0].mul_(2))),
]  # fmt: skip


def test_names_are_pytorch_s() -> None:
    for name, function in NAMES:
        with case(name):
            assert function().grad_fn.name() == name

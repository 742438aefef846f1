"""What PyTorch warns of, each time or once in a process, at the user's line."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import case

import minigrad as mg
from minigrad import errors

LEAF = mg.ones(2, requires_grad=True)
TOTAL = LEAF.sum()


def piece(**how: Any) -> mg.Tensor:
    """A transform of a signal of eight numbers, as it should be called but for what is given."""
    return mg.stft(mg.ones(8), 4, **{"return_complex": True, "window": mg.ones(4), **how})


ONCE: list[tuple[str, Callable[[], Any]]] = [
    ("x.T. on tensors of dimension other than 2", lambda: mg.ones(2, 3, 4).T),
    ("0-D tensors", lambda: mg.tensor(1.0).T),
    ("pass the indexing argument", lambda: mg.meshgrid(LEAF, LEAF)),
    ("without specifying the dim arg", lambda: mg.cross(mg.ones(3, 3), mg.ones(3, 3))),
    ("in favor of linalg.qr", lambda: mg.qr(mg.eye(2))), ("linalg.cholesky", lambda: mg.cholesky(mg.eye(2))),
    ("linalg.lu_factor", lambda: mg.lu(mg.eye(2))), ("linalg.multi_dot", lambda: mg.chain_matmul(mg.eye(2))),
    ("solve_triangular", lambda: mg.triangular_solve(mg.ones(2, 1), mg.eye(2))),
    ("set_default_tensor_type", lambda: mg.set_default_tensor_type("torch.FloatTensor")),
    ("uint8 condition", lambda: mg.where(mg.ones(2, dtype=mg.uint8), LEAF, LEAF)),
    ("requires_grad=True to a scalar", lambda: float(LEAF.sum())),
    ("discards the imaginary part", lambda: mg.ones(1, dtype=mg.complex64).float()),
    ("TypedStorage is deprecated", lambda: LEAF.storage()), ("window was not provided", lambda: piece(window=None)),
    ("return_complex=False is deprecated", lambda: piece(return_complex=False)),
    ("shorter than the length", lambda: mg.istft(piece(), 4, window=mg.ones(4), length=16)),
    ("reduce argument of scatter", lambda: LEAF.scatter(0, mg.tensor([0]), mg.ones(1), reduce="add")),
    ("create_graph=True", lambda: (LEAF * 2).sum().backward(create_graph=True)),
    (r"SparseTensor\(indices, values\) is deprecated", lambda: mg.sparse.FloatTensor(mg.tensor([[0]]), mg.ones(1))),
    (r"sparse_coo_tensor\(\(0,\), dtype=\)", lambda: mg.sparse.LongTensor()),
]  # fmt: skip
EACH: list[tuple[str, Callable[[], Any]]] = [
    ("copy construct", lambda: mg.tensor(LEAF)), ("copy construct", lambda: LEAF.new_tensor(LEAF)),
    ("dtype uint8 is now deprecated", lambda: LEAF[mg.tensor([1, 0], dtype=mg.uint8)]),
    ("Anomaly Detection", mg.autograd.detect_anomaly),
    ("use_reentrant", lambda: mg.utils.checkpoint.checkpoint(mg.exp, LEAF)),
    ("None of the inputs", lambda: mg.utils.checkpoint.checkpoint(mg.exp, mg.ones(1), use_reentrant=True)),
    ("batch_first was not True", lambda: mg.nn.TransformerEncoder(mg.nn.TransformerEncoderLayer(4, 2), 1)),
    ("Complex modules are a new feature", lambda: mg.nn.Linear(1, 1).to(mg.complex64)),
    ("Full backward hook is firing when gradients are computed with respect", lambda: hooked(mg.ones(1, 1)).backward()),
    ("Full backward hook is firing", lambda: hooked(mg.ones(1, 1), pre=True).backward()),
    ("`cuda.amp.autocast", lambda: mg.cuda.amp.autocast(enabled=False)),
    ("`cuda.amp.GradScaler", lambda: mg.cuda.amp.GradScaler(enabled=False)),
    ("`cuda.amp.custom_fwd.*device_type='cuda'", lambda: mg.cuda.amp.custom_fwd(loss)),
    ("`cuda.amp.custom_bwd", lambda: mg.cuda.amp.custom_bwd(loss)),
    ("`sample_n", lambda: mg.distributions.Normal(0.0, 1.0).sample_n(2)),
    ("renamed to cumulative_sizes", lambda: mg.utils.data.ConcatDataset([[1]]).cummulative_sizes),
    ("Decorating classes is deprecated", lambda: mg.no_grad()(type("Class", (), {}))),
    ("Decorating classes is deprecated", lambda: mg.inference_mode(type("Class", (), {}))),
]  # fmt: skip
QUIET: list[Callable[[], Any]] = [
    lambda: mg.eye(2).T, lambda: mg.meshgrid(LEAF, indexing="ij"), lambda: LEAF.sum().item(), lambda: int(LEAF.sum()),
    lambda: mg.linalg.cross(mg.ones(3, 3), mg.ones(3, 3)), lambda: mg.tensor([LEAF[0].detach()]),
    lambda: mg.nn.TransformerEncoder(mg.nn.TransformerEncoderLayer(4, 2, batch_first=True), 1),
    lambda: mg.autograd.grad(LEAF.sum(), LEAF, create_graph=True), lambda: mg.FloatTensor(LEAF),
    mg.no_grad()(lambda: float(TOTAL)),
    lambda: np.quantile(LEAF, mg.tensor(0.5)), lambda: mg.optim.LBFGS([LEAF]).step(loss),  # type: ignore[call-overload]
]  # fmt: skip


def hooked(x: mg.Tensor, pre: bool = False) -> mg.Tensor:
    layer = mg.nn.Linear(1, 1)
    (layer.register_full_backward_pre_hook if pre else layer.register_full_backward_hook)(lambda *given: None)
    return layer(x).sum()


def loss() -> mg.Tensor:
    y = LEAF.square().sum()
    y.backward()
    return y


def test_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "TOLD", set())
    for text, function in ONCE:
        with case(text):
            with pytest.warns(UserWarning, match=text) as told:
                function()
            assert told[0].filename == __file__
            function()


def test_each_time() -> None:
    for text, function in EACH * 2:
        category = FutureWarning if "classes" in text or "renamed" in text or text[0] == "`" else UserWarning
        with case(text), pytest.warns(category, match=text) as told:
            function()
        assert told[0].filename == __file__


def test_what_is_as_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "TOLD", set())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for function in QUIET:
            function()

"""Behaviours of modules and optimizers that PyTorch's own tests look at, and that nothing else here does."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
from cases import case

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import functional as F
from minigrad.nn.modules import module as hooks
from minigrad.utils.data import _utils


def test_a_state_dict_by_position_warns() -> None:
    model = nn.Sequential(nn.Linear(1, 1, bias=False))
    with pytest.warns(FutureWarning, match="Positional args are being deprecated"):
        state = model.state_dict(None, "a.", True)
    assert list(state) == ["a.0.weight"]
    assert state["a.0.weight"] is model[0].weight
    into: dict[str, Any] = {}
    with pytest.warns(FutureWarning):
        assert model.state_dict(into, prefix="b.") is into
    assert list(into) == ["b.0.weight"]
    with pytest.raises(TypeError, match="at most 3"), pytest.warns(FutureWarning):
        model.state_dict(None, "", False, 1)


def test_conversions_of_a_module_keep_its_gradients_themselves() -> None:
    model = nn.Linear(1, 1)
    model(mg.ones(1, 1)).sum().backward()
    before = model.weight.grad
    assert model.to(tensor=mg.ones(1, dtype=mg.float64)).weight.grad is before
    assert before is not None
    assert before.dtype == mg.float64
    assert model.type("torch.FloatTensor").weight.dtype == mg.float32
    with pytest.raises(RuntimeError, match="data set to a tensor that requires gradients"):
        model.type(mg.int32)
    assert model.weight.grad is before
    assert nn.Linear(1, 1).requires_grad_(False).type(mg.int32).weight.dtype == mg.int32


def test_a_parameter_to_come_is_not_told_to_hooks() -> None:
    seen: list[str] = []
    with hooks.register_module_parameter_registration_hook(lambda module, name, value: seen.append(name)):
        model = nn.Linear(1, 1, bias=False)
        model.bias = nn.Parameter(mg.ones(1))
    assert seen == ["weight", "bias"]
    seen.clear()
    with (
        hooks.register_module_buffer_registration_hook(lambda module, name, value: seen.append(name)),
        hooks.register_module_module_registration_hook(lambda module, name, value: seen.append(name)),
    ):
        norm = nn.BatchNorm1d(1, affine=False)
        norm.running_mean = mg.ones(1)
        norm.running_var = None
        outer = nn.Sequential(nn.Tanh())
        setattr(outer, "0", None)
    assert seen == [
        "running_mean",
        "running_var",
        "num_batches_tracked",
        "running_mean",
        "running_var",
        "0",
        "0",
    ]


def test_a_backward_hook_without_inputs_that_require_grad_warns() -> None:
    model = nn.Linear(1, 1)
    seen: list[Any] = []
    model.register_full_backward_hook(lambda module, inputs, outputs: seen.append(inputs))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        model(mg.ones(1, 1)).sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(mg.ones(1, 1, requires_grad=True)).sum().backward()
    assert seen[0] == (None,)
    assert seen[1][0].shape == (1, 1)


def test_a_handle_knows_its_table_and_a_size_may_be_a_number() -> None:
    model = nn.Tanh()
    handle = model.register_forward_hook(lambda module, args, result: None)
    assert handle.id in handle.hooks_dict_ref()
    handle.remove()
    assert not handle.hooks_dict_ref()
    parameter = nn.UninitializedParameter()
    parameter.materialize(3)
    assert parameter.shape == (3,)


def test_lists_and_dicts_of_parameters() -> None:
    with pytest.raises(TypeError, match="should be called with an iterable"):
        nn.ParameterList(mg.ones(2))  # type: ignore[arg-type]
    entries = nn.ParameterDict({"a": mg.ones(1)})
    joined = {"b": 2} | entries
    assert type(joined) is dict
    assert list(joined) == ["b", "a"]
    assert joined["a"] is entries["a"]


def _layers(norm: Any = None, nested: bool = True, **options: Any) -> Any:
    layer = nn.TransformerEncoderLayer(4, 2, 8, **{"batch_first": True, **options})
    return nn.TransformerEncoder(layer, 2, norm, nested).eval()


def test_padded_positions_of_an_encoder_are_zero_where_pytorch_has_no_place_for_them() -> None:
    x = mg.randn(2, 3, 4)
    ends = mg.tensor([[False, True, True], [False, False, False]])
    within = mg.tensor([[True, False, False], [False, False, True]])
    norm = nn.LayerNorm(4)
    mg.nn.init.constant_(norm.bias, 0.5)
    rows: list[tuple[str, Any, Any, Any]] = [
        ("ends", _layers(), ends, 0.0),
        ("numbers", _layers(), mg.zeros(2, 3).masked_fill(ends, -math.inf), 0.0),
        ("norm", _layers(norm), ends, 0.5),
        ("module", _layers(activation=nn.GELU()), ends, 0.0),
        ("within", _layers(), within, None),
        ("not nested", _layers(nested=False), ends, None),
        ("norm first", _layers(norm_first=True), ends, None),
        ("another activation", _layers(activation=mg.tanh), ends, None),
        ("training", _layers(dropout=0.0).train(), ends, None),
    ]
    for name, encoder, mask, expected in rows:
        with case(name):
            recorded = encoder(x, src_key_padding_mask=mask).detach()
            with mg.no_grad():
                y = encoder(x, src_key_padding_mask=mask)
            if expected is None:
                assert mg.equal(y, recorded)
            else:
                assert (y[0, 1:] == expected).all()
                assert not (recorded[0, 1:] == expected).all()
                mg.testing.assert_close(y[0, 0], recorded[0, 0])
                mg.testing.assert_close(y[1], recorded[1])
    encoder = _layers()
    with mg.no_grad():
        compiled = mg.compile(lambda x, mask: encoder(x, src_key_padding_mask=mask))
        for mask in (ends, within, ends):
            mg.testing.assert_close(compiled(x, mask), encoder(x, src_key_padding_mask=mask))
    with mg.no_grad():  # both masks: as it is
        encoder = _layers()
        assert not (encoder(x, mg.zeros(3, 3) > 1, ends)[0, 1:] == 0).all()


def test_pooling_by_an_infinite_norm() -> None:
    x = mg.tensor([[[-3.0, 1.0, 2.0, -0.5]]], requires_grad=True)
    y = F.lp_pool1d(x, math.inf, 2)
    assert y.tolist() == [[[3.0, 2.0]]]
    assert F.lp_pool1d(x, -math.inf, 2).tolist() == [[[1.0, 0.5]]]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[-1.0, 0.0, 1.0, 0.0]]]
    assert nn.LPPool2d(math.inf, 2)(x.unsqueeze(-1).expand(1, 1, 4, 2)).flatten().tolist() == [3.0, 2.0]


REFUSED: dict[str, tuple[type[Exception], str, Any]] = {
    "one matrix for two samples": (
        RuntimeError, "one affine matrix", lambda: F.affine_grid(mg.ones(1, 2, 3), [2, 1, 2, 2], False),
    ),
    "dropout of integers": (RuntimeError, "result type Float can't be cast", lambda: F.dropout(mg.arange(3), 0.5)),
    "dropout2d of integers": (
        RuntimeError, "result type Float can't be cast", lambda: F.dropout2d(mg.ones(1, 1, 2, 2, dtype=mg.int64)),
    ),
    "a circle of too many dimensions": (
        ValueError, r"expected 2D or 3D input \(got 4D input\)", lambda: nn.CircularPad1d(1)(mg.ones(1, 1, 1, 3)),
    ),
}  # fmt: skip


def test_bounds_under_their_older_names() -> None:
    with (
        pytest.warns(FutureWarning, match="`min_value` is"),
        pytest.warns(FutureWarning, match="`max_value` is"),
    ):
        layer = nn.Hardtanh(min_value=-3.0, max_value=2.0)
    assert (layer.min_val, layer.max_val) == (-3.0, 2.0)


def test_what_is_refused() -> None:
    for name, (kind, words, call) in REFUSED.items():
        with case(name), pytest.raises(kind, match=words):
            call()
    assert F.dropout(mg.arange(3), 0.0).dtype == F.dropout(mg.arange(3), training=False).dtype == mg.int64


def test_alpha_dropout_as_a_module_leaves_its_input() -> None:
    for kind in (nn.AlphaDropout, nn.FeatureAlphaDropout):
        x = mg.ones(4, 4, 2)
        y = kind(0.5, inplace=True)(x)
        assert y is not x
        assert (x == 1).all()
        assert not (y == 1).all()


def test_hooks_around_the_steps_of_all_optimizers() -> None:
    log: list[str] = []
    optimizer = optim.SGD([nn.Parameter(mg.ones(1))])
    with (
        optim.optimizer.register_optimizer_step_pre_hook(lambda o, args, kwargs: log.append("all")),
        optimizer.register_step_pre_hook(lambda o, args, kwargs: log.append("own")),
        optim.optimizer.register_optimizer_step_post_hook(lambda o, args, kwargs: log.append("all after")),
        optimizer.register_step_post_hook(lambda o, args, kwargs: log.append("own after")),
    ):
        optimizer.step()
        optim.Adam([nn.Parameter(mg.ones(1))]).step()
    optimizer.step()
    assert log == ["all", "own", "own after", "all after", "all", "all after"]
    named = optim.SGD(nn.Linear(1, 1).named_parameters())
    assert list(named.param_groups[0])[:3] == ["params", "param_names", "lr"]


def test_modules_without_a_start_and_under_an_older_name() -> None:
    before = mg.get_rng_state()
    assert nn.utils.skip_init(nn.Linear, 2, 3, bias=False).weight.shape == (3, 2)
    assert mg.equal(mg.get_rng_state(), before)
    for wrong, message in ((3, "Expected a Module"), (nn.Tanh, "must support a 'device'")):
        with pytest.raises(RuntimeError, match=message):
            nn.utils.skip_init(wrong)  # type: ignore[type-var]
    with pytest.warns(FutureWarning, match="deprecated"):
        y = nn.utils.stateless.functional_call(nn.Linear(1, 1, False), {"weight": mg.ones(1, 1)}, mg.ones(1))
    assert y.tolist() == [1.0]


def test_batches_by_functions_for_types() -> None:
    table = {int: lambda batch, *, collate_fn_map=None: sum(batch)}
    assert _utils.collate.collate([{"x": (1, 2)}, {"x": (3, 4)}], collate_fn_map=table) == {"x": [4, 6]}
    assert _utils.collate.collate([True, True], collate_fn_map=table) == 2
    with pytest.raises(TypeError, match="batch must contain"):
        _utils.collate.collate([1.5], collate_fn_map=table)
    batch = [(1, "a", {"b": mg.ones(1)}), (2, "c", {"b": mg.zeros(1)})]
    table = _utils.collate.default_collate_fn_map
    plain = _utils.collate.default_collate(batch)
    assert repr(_utils.collate.collate(batch, collate_fn_map=table)) == repr(plain)
    table[complex] = lambda batch, *, collate_fn_map: len(batch)
    try:
        assert _utils.collate.default_collate([(1j, "a"), (2j, "b")]) == [2, ("a", "b")]
    finally:
        del table[complex]
    assert _utils.worker.get_worker_info() is None


def test_rprop_passes_by_what_is_no_number() -> None:
    p = nn.Parameter(mg.tensor([1.0, 1.0]))
    optimizer = optim.Rprop([p], lr=0.5)
    for second in (1.0, 1.0):
        p.grad = mg.tensor([math.nan, second])
        optimizer.step()
    assert p.tolist() == pytest.approx([1.0, 1.0 - 0.5 - 0.6])
    assert optimizer.state[p]["step_size"].tolist() == pytest.approx([0.5, 0.6])

"""Names that modules and scripts copied out of PyTorch take from it."""

from __future__ import annotations

import hashlib
import io
import math
import subprocess
import sys
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.response import addinfourl

import pytest

import minigrad as mg
from minigrad import hub, nn
from minigrad.utils import checkpoint as ck


def test_copies_of_attention_find_the_projections() -> None:
    F, x, w, b = nn.functional, mg.rand(2, 3, 4), mg.rand(12, 4), mg.rand(12)
    right = F.linear(x, w, b).chunk(3, -1)
    apart = F._in_projection(x, x, x, *w.chunk(3), *b.chunk(3))
    for given in (F._in_projection_packed(x, x, x, w, b), apart):
        assert all(map(mg.allclose, given, right))
    assert mg.allclose(F._in_projection_packed(x, x, x, w)[2], F.linear(x, w[8:]))


def test_copies_of_functions_find_what_they_check_with() -> None:
    F, bits = nn.functional, mg.tensor([True, False])
    names = "key_padding_mask", F._none_or_dtype(mg.zeros(2)), "attn_mask", mg.float32
    with pytest.warns(UserWarning, match="mismatched key_padding_mask and attn_mask"):
        assert F._canonical_mask(bits, *names).tolist() == [-math.inf, 0]
    assert F._canonical_mask(bits, *names, check_other=False).dtype == mg.float32
    assert F._canonical_mask(None, *names) is F._none_or_dtype(None) is None
    for wrong, kind in (
        (lambda: F._canonical_mask(mg.ones(2, dtype=mg.int64), *names), AssertionError),
        (lambda: F._none_or_dtype([1.0]), RuntimeError),  # type: ignore[arg-type]
        (lambda: F._verify_batch_size([1, 3, 1]), ValueError),
        (
            lambda: nn.MultiheadAttention(2, 1)(*[mg.ones(2, 1, 2)] * 3, mg.ones(1, 2, dtype=mg.int64)),
            AssertionError,
        ),
    ):
        with pytest.raises(kind):
            wrong()
    F._verify_batch_size(mg.ones(1, 3, 2).shape)
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
        assert F._get_softmax_dim("softmax", 3, 3) == 0
    assert (F._Reduction.get_enum("sum"), F._pair(2)) == (2, (2, 2))


@pytest.mark.parametrize("differentiable", [False, True])
def test_copies_of_optimizers_find_what_they_step_with(differentiable: bool) -> None:
    o = mg.optim.optimizer

    class Copied(o.Optimizer):
        @o._use_grad_for_differentiable
        def step(self) -> Any:  # type: ignore[override]
            self._cuda_graph_capture_health_check()
            for group in self.param_groups:
                params, grads = [*group["params"]], [p.grad for p in group["params"]]
                assert o._default_to_fused_or_foreach(params, differentiable) == (False, False)
                o._view_as_real(params, grads)
                update(params, grads)
            return mg.is_grad_enabled()

    @o._disable_dynamo_if_unsupported(single_tensor_fn=None)
    def update(params: list[mg.Tensor], grads: list[mg.Tensor]) -> None:
        with mg.no_grad():
            for p, g in zip(params, grads, strict=True):
                p.sub_(g, alpha=o._get_value(mg.tensor(0.5)))

    leaves = [mg.ones(2, requires_grad=True), mg.ones(2, dtype=mg.complex64, requires_grad=True)]
    (leaves[0].sum() + (leaves[1].abs() ** 2).sum()).backward()
    assert Copied(leaves, {"differentiable": differentiable}).step() is differentiable
    assert [p.tolist() for p in leaves] == [[0.5, 0.5], [0, 0]]
    assert o._default_to_fused_or_foreach(leaves[:1], False, use_fused=True) == (True, False)
    assert (o._to_scalar(mg.ones(1)).shape, o._to_scalar(2), o._stack_if_compiling(leaves)) == ((), 2, leaves)
    assert (o._get_scalar_dtype(), o._foreach_doc) == (mg.float32, "")


def test_copies_of_the_initialisers_find_them() -> None:
    init, x = nn.init, mg.empty(50, requires_grad=True)
    assert init._no_grad_trunc_normal_(x, mean=0.0, std=1.0, a=-0.5, b=0.5) is x
    assert 0 < x.abs().max() <= 0.5
    assert (init._no_grad_uniform_(x, 2.0, 3.0) >= 2).all()
    assert init._no_grad_normal_(x, 9.0, 0.0).tolist() == [9.0] * 50
    assert init._no_grad_fill_(x, 4.0).sum() == 200
    assert init._no_grad_zero_(x).sum() == 0
    assert x.grad_fn is None


def test_a_size_may_be_a_tensor() -> None:
    x = mg.arange(16.0).reshape(1, 1, 4, 4)
    for size in (mg.tensor(6), mg.tensor([6]), (mg.tensor(6), 6)):
        assert nn.functional.interpolate(x, size).shape == (1, 1, 6, 6)  # type: ignore[arg-type]
    for wrong in ({"size": mg.tensor([6, 7])}, {"size": mg.tensor(6.0)}, {"scale_factor": mg.tensor(2.0)}):
        with pytest.raises(TypeError, match="interpolate"):
            nn.functional.interpolate(x, **wrong)  # type: ignore[arg-type]


def test_a_subclass_replaces_the_convolution() -> None:
    class Standardized(nn.Conv2d):
        def forward(self, input: mg.Tensor) -> mg.Tensor:
            w = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
            return self._conv_forward(input, w, self.bias)

    class Doubled(nn.Conv1d):
        def _conv_forward(self, input: mg.Tensor, weight: mg.Tensor, bias: mg.Tensor | None) -> mg.Tensor:
            return super()._conv_forward(input, 2 * weight, bias)

    c = Standardized(2, 3, 3, padding=1, padding_mode="circular")
    x = mg.rand(1, 2, 5, 5)
    right = nn.functional.conv2d(
        nn.functional.pad(x, (1, 1, 1, 1), "circular"), c.weight - c.weight.mean((1, 2, 3), True), c.bias
    )
    assert mg.allclose(c(x), right)
    d, y = Doubled(1, 2, 3, bias=False), mg.rand(1, 1, 6)
    assert mg.allclose(d(y), nn.functional.conv1d(y, 2 * d.weight))
    t = nn.ConvTranspose2d(1, 1, 3, stride=2)
    assert t._output_padding(x, [12, 12], t.stride, t.padding, t.kernel_size, 2) == (1, 1)


def test_private_names_of_modules() -> None:
    from minigrad.nn.modules.conv import _pair
    from minigrad.nn.modules.linear import NonDynamicallyQuantizableLinear
    from minigrad.nn.modules.module import _addindent
    from minigrad.nn.modules.transformer import _get_activation_fn, _get_clones

    assert (_pair(3), _addindent("a\nb", 2)) == ((3, 3), "a\n  b")
    assert type(nn.MultiheadAttention(2, 1).out_proj) is NonDynamicallyQuantizableLinear
    clones = _get_clones(nn.Linear(2, 2), 3)
    assert len(clones) == 3
    assert clones[0].weight is not clones[1].weight
    assert mg.equal(clones[0].weight, clones[1].weight)
    assert _get_activation_fn("gelu") is nn.functional.gelu
    with pytest.raises(RuntimeError, match="activation should be relu/gelu, not tanh"):
        _get_activation_fn("tanh")


def test_a_loss_of_ones_own_has_weights_of_classes() -> None:
    from minigrad.nn.loss import _Loss, _WeightedLoss

    assert nn.modules.loss._WeightedLoss is _WeightedLoss

    class Smooth(_WeightedLoss):
        def forward(self, input: mg.Tensor, target: mg.Tensor) -> mg.Tensor:
            return nn.functional.cross_entropy(input, target, self.weight, reduction=self.reduction)

    weight, x, y = mg.tensor([1.0, 3.0]), mg.randn(4, 2), mg.tensor([0, 1, 1, 0])
    loss = Smooth(weight, reduction="sum")
    assert mg.equal(loss(x, y), nn.CrossEntropyLoss(weight, reduction="sum")(x, y))
    assert [*loss.state_dict()] == ["weight"]
    assert Smooth().weight is None
    kinds = (nn.NLLLoss, nn.CrossEntropyLoss, nn.BCELoss, nn.MultiMarginLoss, nn.MultiLabelSoftMarginLoss)
    assert all(issubclass(kind, _WeightedLoss) for kind in kinds)
    assert issubclass(nn.BCEWithLogitsLoss, _Loss)
    assert not issubclass(nn.BCEWithLogitsLoss, _WeightedLoss)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_gradients_of_convolutions_by_hand(n: int) -> None:
    call, how = getattr(nn.functional, f"conv{n}d"), {"stride": 2, "padding": 1, "dilation": 1, "groups": 2}
    x = mg.randn(2, 4, *[6, 5, 4][:n], dtype=mg.float64, requires_grad=True)
    w = mg.randn(6, 2, *[3, 2, 3][:n], dtype=mg.float64, requires_grad=True)
    y = call(x, w, **how)
    g = mg.randn(y.shape, dtype=mg.float64)
    by_tape = mg.autograd.grad(y, (x, w), g)
    of_input, of_weight = getattr(nn.grad, f"conv{n}d_input"), getattr(nn.grad, f"conv{n}d_weight")
    with mg.no_grad():
        found = of_input(x.shape, w, g, **how), of_weight(x, w.shape, g, **how)
    assert not any(t.requires_grad for t in found)
    assert all(mg.allclose(a, b) for a, b in zip(found, by_tape, strict=True))
    # a second gradient: of <g2, conv_input(w)>, which is linear in w, so that its gradient is conv_weight(g2)
    g2 = mg.randn(x.shape, dtype=mg.float64)
    (second,) = mg.autograd.grad(of_input(x.shape, w, g, **how), w, g2)
    assert mg.allclose(second, of_weight(g2, w.shape, g, **how))
    with pytest.raises(RuntimeError):
        of_input((2, 5, *x.shape[2:]), w, g, **how)


def test_switches_of_attention_are_remembered() -> None:
    cuda = mg.backends.cuda
    assert (cuda.flash_sdp_enabled(), cuda.math_sdp_enabled(), cuda.cudnn_sdp_enabled()) == (True, True, True)
    try:
        cuda.enable_flash_sdp(False)
        assert not cuda.flash_sdp_enabled()
        with cuda.sdp_kernel(enable_math=False):
            assert (cuda.flash_sdp_enabled(), cuda.math_sdp_enabled()) == (True, False)
            assert cuda.mem_efficient_sdp_enabled()
        assert (cuda.flash_sdp_enabled(), cuda.math_sdp_enabled()) == (False, True)
    finally:
        cuda.enable_flash_sdp(True)
    assert not cuda.is_flash_attention_available()


def test_a_profiler_that_is_switched_off() -> None:
    profiler = mg.autograd.profiler
    with profiler.profile(enabled=False, record_shapes=True) as prof, profiler.record_function("step"):
        assert prof is None
    assert profiler.record_function("f")(abs)(-1) == 1


def test_parts_of_a_checkpoint_written_by_hand() -> None:
    x = mg.rand(2, requires_grad=True)
    assert ck.get_device_states(x, 1) == ([], [])
    ck.set_device_states([], [])
    with pytest.raises(RuntimeError, match="no card has a state"):
        ck.set_device_states([0], [mg.zeros(1)])
    y, n = ck.detach_variable((x, 3))
    assert (y.requires_grad, y.is_leaf, y is x, n) == (True, True, False, 3)
    assert y.data_ptr() == x.data_ptr()
    with pytest.raises(RuntimeError, match="Only tuple of tensors is supported"):
        ck.detach_variable([x])  # type: ignore[arg-type]
    ck.check_backward_validity([x])
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        ck.check_backward_validity([x.detach()])
    with ck.set_checkpoint_early_stop(False), ck.set_checkpoint_debug_enabled(True):
        assert mg.equal(ck.checkpoint(mg.exp, x), x.exp())
    assert mg.cuda._initialized is False


def test_switches_of_a_compiler_that_is_not_here() -> None:
    program = """if True:
        import torch
        torch._dynamo.config.suppress_errors = True
        torch._inductor.config.triton.unique_kernel_names = True
        import torch._dynamo.config, torch._inductor.config
        from torch._dynamo import config, reset
        assert config is torch._dynamo.config and config.suppress_errors
        assert torch._inductor.config.triton.unique_kernel_names and not config.cache_size_limit
        torch._dynamo.mark_dynamic(torch.ones(2), 0)
        torch._dynamo.mark_static_address(torch.ones(2))
        with config.patch(verbose=True):
            config.patch("verbose", False)(reset)()
        f = torch._dynamo.optimize("inductor")(lambda x: x + 1)
        assert f(torch.ones(1)).item() == 2
        try:
            import torch._dynamo.guards
        except ModuleNotFoundError as error:
            assert "torch._dynamo.guards" in str(error)
        else:
            raise AssertionError
    """
    code = f"from minigrad.standin.finder import install\ninstall()\n{program}"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stderr == ""
    assert run.returncode == 0


def test_subclasses_take_and_replace_the_parts_of_layers() -> None:
    class Seen(nn.TransformerEncoderLayer):
        def forward(self, src: mg.Tensor, *args: Any, **kwargs: Any) -> mg.Tensor:
            src = self.norm1(src + self._sa_block(src, None, None))
            return self.norm2(src + self._ff_block(src))

    class Gated(nn.TransformerDecoderLayer):
        def _ff_block(self, x: mg.Tensor) -> mg.Tensor:
            return 0 * super()._ff_block(x)

        def _mha_block(self, x: mg.Tensor, mem: mg.Tensor, *args: Any, **kwargs: Any) -> mg.Tensor:
            return 0 * super()._mha_block(x, mem, *args, **kwargs)

    class Channels(nn.modules.batchnorm._BatchNorm):
        def _check_input_dim(self, input: mg.Tensor) -> None:
            if input.dim() != 3:
                raise ValueError("three, please")

    x = mg.rand(3, 2, 4)
    plain, seen = nn.TransformerEncoderLayer(4, 2, 8, 0.0), Seen(4, 2, 8, 0.0)
    seen.load_state_dict(plain.state_dict())
    assert mg.allclose(seen(x), plain(x))
    gated = Gated(4, 2, 8, 0.0)
    right = gated.norm3(gated.norm2(gated.norm1(x + gated.self_attn(x, x, x)[0])))
    assert mg.allclose(gated(x, x), right, atol=1e-6)
    assert mg.allclose(Channels(2)(x), nn.BatchNorm1d(2)(x))
    with pytest.raises(ValueError, match="three, please"):
        Channels(2)(x[0])
    lstm = nn.LSTM(2, 3, 2, bidirectional=True, proj_size=1)
    assert lstm._flat_weights_names == [name for name, _ in lstm.named_parameters()]
    assert all(a is b for a, b in zip(lstm._flat_weights, lstm.parameters(), strict=True))


def test_a_module_is_compiled_in_place() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x = mg.rand(5, 3)
    right, keys = net(x), list(net.state_dict())
    assert net.compile(mode="default", fullgraph=True) is None
    assert mg.allclose(net(x), right)
    net(x).sum().backward()
    assert net[0].weight.grad is not None
    assert (type(net.forward).__name__, list(net.state_dict())) == ("Compiled", keys)


def test_nothing_that_is_downloaded_is_run() -> None:
    for name in ("load", "help", "list"):
        with pytest.raises(
            AttributeError, match=r"runs code that it downloads, .*; load_state_dict_from_url reads"
        ):
            getattr(hub, name)


def test_a_download_that_ends_early_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = Message()
    headers["Content-Length"] = "3"
    monkeypatch.setattr("urllib.request.urlopen", lambda url: addinfourl(io.BytesIO(b"ab"), headers, url))
    with pytest.raises(RuntimeError, match="ended after 2 of 3 bytes"):
        hub.download_url_to_file("https://example.org/net.pt", str(tmp_path / "net.pt"))
    assert not list(tmp_path.iterdir())


def test_a_download_takes_the_place_of_a_file_when_it_is_right(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.write_bytes(b"new")
    here.write_bytes(b"old")
    here.chmod(0o640)
    with pytest.raises(RuntimeError, match='expected "00", got'):
        hub.download_url_to_file(there.as_uri(), str(here), "00")
    assert here.read_bytes() == b"old"
    hub.download_url_to_file(there.as_uri(), str(here), hashlib.sha256(b"new").hexdigest()[:8])
    assert (here.read_bytes(), len(list(tmp_path.iterdir()))) == (b"new", 2)
    with pytest.raises(RuntimeError, match=r"Parent directory .*nix does not exist.*at .*test_private_names"):
        hub.download_url_to_file(there.as_uri(), str(tmp_path / "nix" / "f"))
    # others may read what others may read of a file that is written here
    hub.download_url_to_file(there.as_uri(), str(tmp_path / "fresh"))
    assert (tmp_path / "fresh").stat().st_mode == there.stat().st_mode

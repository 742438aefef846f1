"""What scripts for PyTorch begin with: true answers, settings that are taken, and errors where a card is needed."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.cuda import amp as older

# What PyTorch 2.13 answers on a machine without a card.
ANSWERS = {
    "cuda.is_available()": False, "cuda.device_count()": 0, "cuda.is_initialized()": False,
    "cuda.is_bf16_supported()": False, "cuda.manual_seed(0)": None, "cuda.manual_seed_all(0)": None,
    "cuda.seed()": None, "cuda.seed_all()": None, "cuda.empty_cache()": None, "cuda.memory_allocated()": 0,
    "cuda.max_memory_allocated()": 0, "cuda.memory_reserved()": 0, "cuda.max_memory_reserved()": 0,
    "cuda.get_rng_state_all()": [], "cuda.set_rng_state_all([1])": None,
    "cuda.set_rng_state(1)": None, "backends.mha.get_fastpath_enabled()": False, "cuda.reset_peak_memory_stats()": None,
    "backends.cudnn.benchmark": False, "backends.cudnn.deterministic": False, "backends.cudnn.enabled": True,
    "backends.cudnn.benchmark_limit": None, "backends.cuda.matmul.fp32_precision": "none",
    "backends.cudnn.is_available()": False, "backends.cudnn.version()": None, "backends.cuda.is_built()": False,
    "backends.mps.is_available()": False, "backends.mps.is_built()": False, "backends.mkl.is_available()": False,
    "backends.mkldnn.is_available()": False, "backends.openmp.is_available()": False,
    "backends.opt_einsum.is_available()": False, "backends.opt_einsum.enabled": False,
    "version.cuda": None, "version.hip": None,
    "cuda.memory_stats()": {}, "cuda.get_arch_list()": [], "cuda.set_stream(None)": None, "cuda.default_generators": (),
    "cuda.stream(None).__enter__()": None, "cuda.device(-1).__enter__()": None, "cuda.has_magma": False,
    "cuda.device_of(mg.ones(1)).__enter__()": None, "cuda.memory.memory_allocated()": 0,
    "cpu.is_available()": True, "cpu.device_count()": 1, "cpu.current_device()": "cpu", "cpu.synchronize()": None,
    "cpu.is_initialized()": True, "cpu.stream(None).__enter__()": None, "cpu.set_device('cpu')": None,
    "cpu.set_device(0)": None,
    "get_device_module() is mg.cpu": True, "get_device_module('cpu') is mg.cpu": True,
    "set_autocast_enabled(True)": None, "jit.fork(max, 1, 2).wait()": 2, "jit.wait(mg.jit.fork(max, 1, 2))": 2,
    "jit.set_fusion_strategy([('DYNAMIC', 3)])": [], "serialization.default_restore_location(3, 'cpu')": 3,
    "utils.backcompat.keepdim_warning.enabled": False,
    "isinstance(mg.ones(1), mg.cuda.FloatTensor)": False, "utils.deterministic.fill_uninitialized_memory": True,
    "accelerator.is_available()": False, "accelerator.device_count()": 0, "accelerator.current_accelerator()": None,
    "is_autocast_enabled()": False, "is_autocast_enabled('cuda')": False, "amp.is_autocast_available('cpu')": True,
    "xpu.is_available()": False, "xpu.device_count()": 0, "xpu.manual_seed(0)": None, "mps.is_available()": False,
    "mps.current_allocated_memory()": 0, "mps.empty_cache()": None, "jit.is_scripting()": False,
    "distributed.is_torchelastic_launched()": False, "jit.annotate(int, 3)": 3, "ones(2).element_size()": 4,
    "ones(1).is_sparse": False, "ones(1).is_meta": False, "ones(1).is_quantized": False, "ones(1).is_nested": False,
    "ones(1).is_mkldnn": False, "ones(1).is_mps": False, "ones(1).is_xpu": False, "ones(1).is_xla": False,
    "ones(1).is_mtia": False, "ones(1).is_sparse_csr": False, "ones(1).is_vulkan": False,
    "ones(1).is_signed()": True, "ones(1).byte().is_signed()": False,
    "ones(1).is_cuda": False, "ones(1).is_cpu": True, "ones(1).get_device()": -1, "ones(1).is_pinned()": False,
    "ones(1).cuda('cpu').tolist()": [1.0], "get_num_interop_threads()": 1, "set_num_interop_threads(2)": None,
    "isinstance(mg.ones(1), mg.autograd.Variable)": True, "isinstance(1, mg.autograd.Variable)": False,
}  # fmt: skip


@pytest.mark.parametrize("code", ANSWERS)
def test_an_answer(code: str) -> None:
    answer = eval(code if code.startswith("isinstance") else f"mg.{code}", {"mg": mg})
    assert answer == ANSWERS[code]
    assert type(answer) is type(ANSWERS[code])


def test_the_first_lines_of_a_script() -> None:
    program = """if True:
        import minigrad as torch
        import minigrad.backends.cudnn as cudnn
        from minigrad.autograd import Variable
        from minigrad.cuda.amp import GradScaler, autocast

        torch.backends.cudnn.deterministic = True
        cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = True
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        device = torch.device("mps" if torch.backends.mps.is_available() else device)
        x = Variable(torch.ones(2).to(device), requires_grad=True)
    """
    space: dict[str, Any] = {}
    cudnn, matmul = mg.backends.cudnn, mg.backends.cuda.matmul
    try:
        exec(program, space)
        assert (cudnn.benchmark, cudnn.deterministic, matmul.allow_tf32) == (True, True, True)
    finally:
        cudnn.benchmark = cudnn.deterministic = matmul.allow_tf32 = False
    assert space["x"].requires_grad
    assert space["x"].device == space["device"] == mg.device("cpu")


def test_flags_of_cudnn_for_a_while() -> None:
    def told() -> tuple[bool, ...]:
        return cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32

    cudnn = mg.backends.cudnn
    with cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        assert told() == (True, False, True, False)
        with pytest.raises(KeyError, match=r"^True$"), cudnn.flags(benchmark=True):
            raise KeyError(told() == (False, True, False, True))
        assert told() == (True, False, True, False)
    assert told() == (True, False, False, True)


CARD = "Torch not compiled with CUDA enabled: minigrad runs on the CPU only"
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "Tensor.cuda": (lambda: mg.ones(1).cuda(), AssertionError, CARD),
    "Tensor.cuda(1)": (lambda: mg.ones(1).cuda(1), AssertionError, CARD),
    "Tensor.to": (lambda: mg.ones(1).to("cuda"), AssertionError, CARD),
    "Tensor.to a number": (lambda: mg.ones(1).to("cuda:1"), AssertionError, CARD),
    "ones": (lambda: mg.ones(1, device="cuda"), AssertionError, CARD),
    "Module.cuda": (lambda: nn.Linear(1, 1).cuda(), AssertionError, CARD),
    "Module.to": (lambda: nn.Linear(1, 1).to("cuda"), AssertionError, CARD),
    "another card": (lambda: mg.ones(1).to("xpu"), AssertionError, "^Torch not compiled with XPU enabled"),
    "no values": (lambda: mg.device("meta"), RuntimeError, "Tensors without values are not there; nn.utils.skip_init"),
    "device": (lambda: mg.device("mps"), RuntimeError, "^minigrad runs on the CPU only, got device 'mps'"),
    "pinned": (lambda: mg.ones(1).pin_memory(), RuntimeError, "Cannot access accelerator device when none"),
    "Variable of a list": (lambda: mg.autograd.Variable([1.0]), TypeError, "has to be a tensor, but got list"),
    "a mode": (lambda: mg.use_deterministic_algorithms(1), TypeError, "must be bool, not int"),  # type: ignore[arg-type]
    "a precision": (lambda: mg.set_float32_matmul_precision("low"), RuntimeError, "'highest', 'high' or 'medium'"),
    "threads": (lambda: mg.set_num_interop_threads(0), RuntimeError, "positive integer, but got 0"),
    "a kind": (lambda: mg.autocast(3), ValueError, "`device_type` of type `str`"),  # type: ignore[arg-type]
    "no device": (lambda: mg.autocast("xyz"), RuntimeError, "Expected one of cpu, cuda"),
    "no type": (lambda: mg.autocast("cpu", "half"), TypeError, "'dtype' must be a dtype, not str"),
    "a switch": (lambda: mg.set_autocast_enabled("cpu", 1), TypeError, "'enabled' must be bool, not int"),  # type: ignore[arg-type]
    "no type to set": (lambda: mg.set_autocast_dtype("cpu", 3), TypeError, "must be a dtype"),  # type: ignore[arg-type]
    "a card": (lambda: mg.cuda.device(0), AssertionError, CARD),
    "its stream": (lambda: mg.cuda.default_stream(), AssertionError, CARD),
    "its numbers": (lambda: mg.cuda.FloatTensor(1), TypeError, CARD),
    "no accelerator": (lambda: mg.accelerator.synchronize(), RuntimeError, "Cannot access accelerator"),
    "its place": (lambda: mg.serialization.default_restore_location(3, "cuda:0"), RuntimeError, CARD),
    "no growth": (lambda: mg.amp.GradScaler("cpu", growth_factor=1.0), ValueError, "growth factor must be > 1"),
    "no retreat": (lambda: mg.amp.GradScaler("cpu", backoff_factor=1.0), ValueError, "backoff factor must be < 1"),
    "half": (lambda: step(mg.amp.GradScaler("cpu"), mg.float16), ValueError, "Attempting to unscale FP16 gradients"),
    "no loss": (lambda: mg.amp.GradScaler("cpu").scale(3), ValueError, "must be a Tensor or an iterable"),
    "no scale": (lambda: mg.amp.GradScaler("cpu").update(), RuntimeError, "Attempted update before scale"),
    **{
        f"cuda.{name}": (getattr(mg.cuda, name), kind, f"^Torch not compiled .* cuda.{name}\\(\\) needs")
        for name, kind in {
            "current_device": AssertionError, "get_device_name": AssertionError, "synchronize": AssertionError,
            "set_device": AssertionError, "get_rng_state": AssertionError, "init": AssertionError,
            "Stream": RuntimeError,
        }.items()
    },
    "a mark": (lambda: mg.cuda.nvtx.range_push("a"), RuntimeError, "NVTX functions not installed"),
    "the end of a part": (lambda: mg.cuda.nvtx.range_pop(), RuntimeError, "NVTX functions not installed"),
    "a part": (lambda: mg.cuda.nvtx.range("a").__enter__(), RuntimeError, "NVTX functions not installed"),
    "its profiler": (lambda: mg.cuda.profiler.profile().__enter__(), AssertionError, CARD),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_needs_a_card_is_refused(what: str) -> None:
    call, kind, says = REFUSED[what]
    with pytest.raises(kind, match=says):
        call()


@pytest.fixture
def settings() -> Iterator[None]:
    yield
    mg.use_deterministic_algorithms(False)
    mg.set_float32_matmul_precision("highest")


def test_settings_are_remembered(settings: None) -> None:
    for kind in ("overwrite", "swap"):
        ask, tell = (
            getattr(mg.__future__, f"{verb}_{kind}_module_params_on_conversion") for verb in ("get", "set")
        )
        assert [ask(), tell(True), ask(), tell(False), ask()] == [False, None, True, None, False]
    mg.backends.mha.set_fastpath_enabled(True)
    assert mg.backends.mha.get_fastpath_enabled()
    mg.backends.mha.set_fastpath_enabled(False)
    assert not mg.are_deterministic_algorithms_enabled()
    mg.use_deterministic_algorithms(True, warn_only=True)
    assert mg.are_deterministic_algorithms_enabled()
    assert mg.is_deterministic_algorithms_warn_only_enabled()
    mg.set_float32_matmul_precision("high")
    assert mg.get_float32_matmul_precision() == "high"


def test_a_variable_is_a_tensor() -> None:
    x = mg.ones(2, requires_grad=True)
    v = mg.autograd.Variable(x * 2, requires_grad=True)
    assert (type(v), v.is_leaf, v.requires_grad) == (mg.Tensor, True, True)
    assert not mg.autograd.Variable(x).requires_grad
    assert mg.autograd.Variable(x).data_ptr() == x.data_ptr()
    with pytest.warns(UserWarning, match="volatile was removed"):
        mg.autograd.Variable(x, volatile=True)


def test_names_that_are_missing_say_so() -> None:
    for owner in (mg.cuda, mg.backends, mg.amp):
        assert not hasattr(owner, "no_such_name")
    for name in ("amp.autocast_mode", "amp.grad_scaler", "cuda.amp", "backends.cudnn"):
        assert importlib.import_module(f"minigrad.{name}")


# ---------------------------------------------------------------- mixed precision


def test_switches_of_autocast() -> None:
    x = mg.ones(2, 2)
    try:
        mg.set_autocast_dtype("cpu", mg.float16)
        mg.set_autocast_enabled("cpu", True)
        assert mg.is_autocast_enabled("cpu")
        assert (x @ x).dtype is mg.get_autocast_dtype("cpu") is mg.float16
        with mg.autocast("cpu", enabled=False):
            assert (x @ x).dtype is mg.float32
        mg.set_autocast_cache_enabled(False)
        assert not mg.is_autocast_cache_enabled()
        with pytest.warns(DeprecationWarning, match=r"set_autocast_dtype\('cpu', ...\)"):
            mg.set_autocast_cpu_dtype(mg.bfloat16)
        assert mg.get_autocast_dtype("cpu") is mg.bfloat16
    finally:
        mg.set_autocast_cache_enabled(True)
        mg.set_autocast_dtype("cpu", mg.bfloat16)
        mg.set_autocast_enabled("cpu", False)
    assert (x @ x).dtype is mg.float32
    for told, name in ((mg.float16, "get_autocast_gpu_dtype"), (False, "is_autocast_cpu_enabled")):
        with pytest.warns(DeprecationWarning, match=name):
            assert getattr(mg, name)() is told
    with pytest.warns(FutureWarning, match="cpu.amp.autocast"), mg.cpu.amp.autocast(dtype=mg.float16):
        assert (x @ x).dtype is mg.float16
    with pytest.warns(FutureWarning, match="has been renamed to `cuda.memory_reserved`"):
        assert mg.cuda.memory_cached() == 0


@pytest.mark.filterwarnings("ignore:`cuda.amp:FutureWarning")
def test_autocast_that_is_off() -> None:
    x = mg.ones(2)

    @mg.autocast("cpu", enabled=False)
    def doubled() -> mg.Tensor:
        return x * 2

    assert doubled().dtype == mg.float32
    for make in (lambda: mg.autocast("cuda"), lambda: mg.amp.autocast("cuda", mg.float16), older.autocast):
        with pytest.warns(UserWarning, match="CUDA is not available. Disabling autocast"):
            manager = make()
        with manager:
            assert (x * 2).dtype == mg.float32
    with pytest.warns(UserWarning, match="target dtype is not supported"):
        mg.autocast("cpu", dtype=mg.float32)


def step(scaler: Any, dtype: mg.dtype = mg.float32) -> list[float]:
    x = mg.tensor([1.0, 2.0], dtype=dtype, requires_grad=True)
    optimizer = mg.optim.SGD([x], lr=0.25)
    for _ in range(2):
        optimizer.zero_grad()
        scaler.scale((x * x).sum()).backward()
        scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
    values: list[float] = x.tolist()
    return values


@pytest.mark.filterwarnings("ignore:`cuda.amp:FutureWarning")
def test_a_scaler_changes_nothing_on_or_off() -> None:
    with pytest.warns(UserWarning, match="GradScaler is enabled, but CUDA is not available. Disabling"):
        off = mg.amp.GradScaler()
    with pytest.warns(UserWarning, match="Disabling"):
        old = older.GradScaler()
    on = mg.amp.GradScaler("cpu", growth_interval=2)
    scalers = [off, old, mg.amp.GradScaler(enabled=False), on]
    assert [s.is_enabled() for s in scalers] == [False, False, False, True]
    assert [step(s) for s in scalers] == [[0.25, 0.5]] * 4
    assert [s.get_scale() for s in scalers] == [1, 1, 1, 2.0**17]
    assert (off.state_dict(), off.scale(3)) == ({}, 3)


def test_a_scaler_backs_off() -> None:
    """As PyTorch's on a CPU."""
    x = mg.ones(2, requires_grad=True)
    optimizer = mg.optim.SGD([x], lr=0.1)
    scaler = mg.amp.GradScaler("cpu")
    (scaler.scale(x.sum()) * float("inf")).backward()
    scaler.step(optimizer)
    assert x.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match=r"step\(\) has already been called"):
        scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="after step"):
        scaler.unscale_(optimizer)
    scaler.update()
    state = {
        "scale": 32768.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2000, "_growth_tracker": 0
    }  # fmt: skip
    assert scaler.state_dict() == state
    (first, (second,)) = scaler.scale((x.sum(), [x.sum()]))
    assert (first.item(), second.item()) == (65536, 65536)
    assert [t.item() for t in scaler.scale({mg.ones(()): 0})] == [32768]
    most = mg.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=1)
    optimizer.zero_grad()
    most.scale(1e-9 * x.sum()).backward()
    most.step(optimizer)
    most.update()
    assert most.get_scale() == 2.0**127  # twice that is no float32
    again = mg.amp.GradScaler("cpu")
    again.load_state_dict({**state, "_growth_tracker": 5})
    assert again.state_dict() == {**state, "_growth_tracker": 5}
    with pytest.raises(RuntimeError, match="source state dict is empty"):
        again.load_state_dict({})
    optimizer.zero_grad()
    first, [second] = again.scale((x.sum(), [x.sum()]))
    assert first.item() == second.item() == 65536
    first.backward()
    again.unscale_(optimizer)
    assert x.grad is not None
    assert np.array_equal(x.grad.numpy(), [1, 1])
    with pytest.raises(RuntimeError, match="already been called on this optimizer"):
        again.unscale_(optimizer)
    with pytest.raises(RuntimeError, match="Closure use"):
        again.step(optimizer, lambda: first)
    again.update(3.0)
    assert again.get_scale() == 3
    x.grad = None
    with pytest.raises(RuntimeError, match="No inf checks were recorded for this optimizer"):
        again.step(optimizer)
    with pytest.raises(RuntimeError, match="No inf checks"):
        again.update()


def test_the_older_names_of_types() -> None:
    x = mg.ones(2)
    assert x.type() == "minigrad.FloatTensor"
    for name, dtype in (
        (mg.LongTensor, mg.int64), ("torch.DoubleTensor", mg.float64), (mg.half, mg.float16), ("ByteTensor", mg.uint8),
        (float, mg.float64),
    ):  # fmt: skip
        assert x.type(name).dtype is dtype
        assert x.type(dtype=name).tolist() == [1, 1]
    assert isinstance(x, mg.FloatTensor)
    assert isinstance(nn.Parameter(x), mg.FloatTensor)
    assert not isinstance(x, mg.DoubleTensor)
    assert not isinstance(1.0, mg.FloatTensor)
    assert not issubclass(mg.FloatTensor, mg.Tensor)
    assert mg.FloatTensor.dtype is mg.float32
    for wrong in ("torch.FooTensor", "torch.cuda.FloatTensor", mg.ones):
        with pytest.raises(ValueError, match=r"invalid type: .* \(at .*test_script_names"):
            x.type(wrong)
    with pytest.raises(TypeError, match="element type 3"):
        x.type(3)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("obj", "kind", "fits"),
    [
        ([mg.ones(1)], list[mg.Tensor], True), ([1, "a"], list[int], False), ([], list[str], True),
        ([[1], [2.0]], list[list[int]], False), ({"a": [1]}, dict[str, list[int]], True),
        ({1: 2}, dict[str, int], False), ("a", int | str, True), (3, list[int], False),
        ((1, "a"), tuple[int, str], True), ((1,), tuple[int, str], False), (None, int | str, True),
        ([1], list[int] | None, True), (2.0, (int, float), True), (mg.ones(1), mg.Tensor, True), (1, mg.Tensor, False),
    ],
)  # fmt: skip
def test_jit_tells_what_containers_hold(obj: Any, kind: Any, fits: bool) -> None:
    assert mg.jit.isinstance(obj, kind) is fits
    with pytest.raises(RuntimeError, match=r"name it as in list\[int\]"):
        mg.jit.isinstance([1], list)


def test_jit_leaves_all_as_it_is() -> None:
    def f(x: mg.Tensor) -> mg.Tensor:
        return x * 2

    net = mg.nn.Linear(2, 1)
    for decorate in (mg.jit.script, mg.jit.ignore, mg.jit.ignore(drop=True), mg.jit.export, mg.jit.unused):
        assert decorate(f) is f
    assert mg.jit.trace(f, (mg.ones(1),)) is f
    assert mg.jit.freeze(mg.jit.script(net)) is net
    assert issubclass(mg.jit.ScriptModule, mg.nn.Module)
    assert mg.jit.Error.__bases__ == mg.jit.TracingCheckError.__bases__ == (Exception,)
    with mg.jit.optimized_execution(True), pytest.raises(NotImplementedError, match=r"no TorchScript.*load"):
        mg.jit.load("model.pt")
    with pytest.raises(NotImplementedError, match=r"no TorchScript.*save\(model, path\)"):
        mg.jit.save(net, "model.pt")


def test_a_checkpoint_gives_what_the_function_gives() -> None:
    net = mg.nn.Sequential(mg.nn.Linear(2, 2), mg.nn.Tanh())
    x = mg.ones(1, 2)
    calls = (
        mg.utils.checkpoint.checkpoint(net, x, use_reentrant=False),
        mg.utils.checkpoint.checkpoint(net, input=x, preserve_rng_state=True, use_reentrant=False),
        mg.utils.checkpoint.checkpoint_sequential(net, 2, x, use_reentrant=False),
    )
    assert all(mg.equal(y, net(x)) for y in calls)
    # As PyTorch's reentrant one: where no argument requires grad, nothing is recorded.
    with pytest.warns(UserWarning, match="Gradients will be None"):
        assert not mg.utils.checkpoint.checkpoint(net, x, use_reentrant=True).requires_grad
    x.requires_grad_()
    for more in (
        {"input": x},
        {"debug": True},
        {"context_fn": lambda: mg.utils.checkpoint.noop_context_fn()},
    ):
        with pytest.raises(
            ValueError, match=r"keyword arguments: input;|only supported when use_reentrant=False"
        ):
            mg.utils.checkpoint.checkpoint(net, *[x] * ("input" not in more), use_reentrant=True, **more)


def test_channels_last() -> None:
    x = mg.arange(24.0, requires_grad=True).view(1, 2, 3, 4)
    behind = {"memory_format": mg.channels_last}
    assert x.is_contiguous(memory_format=mg.contiguous_format)
    assert not x.is_contiguous(**behind)
    for y in (x.contiguous(**behind), x.to(**behind), mg.nn.Identity().to(**behind)(x).contiguous(**behind)):
        assert (y.stride(), y.tolist()) == ((24, 1, 8, 2), x.tolist())
        assert y.is_contiguous(**behind)
        assert y.contiguous(**behind).stride() == y.stride()
    with pytest.raises(RuntimeError, match="preserve memory format is unsupported"):
        y.contiguous(memory_format=mg.preserve_format)
    assert mg.zeros(1, 2, 1, 1, 3).contiguous(memory_format=mg.channels_last_3d).stride()[1] == 1
    assert (repr(mg.channels_last), repr(x.layout)) == ("minigrad.channels_last", "minigrad.strided")
    with pytest.raises(RuntimeError, match="required rank 4 tensor"):
        mg.ones(2).contiguous(**behind)
    with pytest.raises(TypeError, match="must be memory_format"):
        x.to(memory_format="channels_last")


def test_names_of_types() -> None:
    names = {
        3: "int",
        "x": "str",
        mg.nn.Linear: "minigrad.nn.linear.Linear",
        mg.ones(1): "minigrad.FloatTensor",
    }
    assert all(mg.typename(x) == name for x, name in names.items())
    assert mg.tensor([2**70, 0.5]).tolist() == [2.0**70, 0.5]


def test_what_is_computed_of_images_lies_as_they_do() -> None:
    """As PyTorch's kernels have it: dropout behind them, which draws in the order of memory, drops the same places."""
    rows = mg.arange(2 * 8 * 6 * 4.0).view(2, 8, 6, 4)
    x = rows.contiguous(memory_format=mg.channels_last)
    nn, F = mg.nn, mg.nn.functional
    layers: list[Any] = [
        nn.Conv2d(8, 4, 3), nn.ConvTranspose2d(8, 4, 2), nn.GroupNorm(2, 8), nn.BatchNorm2d(8),
        nn.BatchNorm2d(8).eval(),
        nn.BatchNorm2d(8, affine=False), nn.MaxPool2d(2), nn.AvgPool2d(2), nn.AvgPool2d(2, divisor_override=3),
        nn.AdaptiveAvgPool2d(2), nn.AdaptiveMaxPool2d(2), nn.Upsample(scale_factor=2), nn.PixelShuffle(2),
        nn.PixelUnshuffle(2), nn.ChannelShuffle(2), nn.ZeroPad2d(1), nn.ReflectionPad2d(1), nn.ReplicationPad2d(1),
        lambda x: mg.cat([x, x], 1),
    ]  # fmt: skip
    for layer in layers:
        y, expected = layer(x), layer(rows)
        assert y.is_contiguous(memory_format=mg.channels_last), layer
        assert not y.is_contiguous(), layer
        assert expected.is_contiguous(), layer
        assert y.tolist() == expected.tolist(), layer
    for layer in (nn.InstanceNorm2d(8), nn.CircularPad2d(1), lambda x: mg.cat([x, rows], 1)):
        assert layer(x).is_contiguous(), layer
    deep = mg.ones(2, 3, 4, 5, 6).contiguous(memory_format=mg.channels_last_3d)
    assert nn.Conv3d(3, 2, 2)(deep).is_contiguous(memory_format=mg.channels_last_3d)
    assert nn.AvgPool3d(2)(deep).is_contiguous()
    conv = nn.Conv2d(8, 4, 3).to(memory_format=mg.channels_last)
    assert conv.weight.stride() == (72, 1, 24, 8)
    assert conv(rows).is_contiguous(memory_format=mg.channels_last)

    def dropped(x: mg.Tensor) -> mg.Tensor:
        return F.dropout(F.pad(x, (1, 1)), 0.5) + 0.0

    mg.manual_seed(0)
    eager = dropped(x)
    compiled = mg.compile(dropped)
    for _ in range(3):
        mg.manual_seed(0)
        assert compiled(x).tolist() == eager.tolist()


def test_older_names_of_makers_and_types() -> None:
    x = mg.ones(2, dtype=mg.float64)
    assert (x.new(2, 3).shape, x.new(2, 3).dtype) == ((2, 3), mg.float64)
    assert (x.new([1, 2]).tolist(), x.new([1, 2]).dtype) == ([1, 2], mg.float64)
    # A whole number of NumPy's is a size, a Tensor is taken in its graph, and no other number is taken.
    leaf = mg.ones(2, requires_grad=True)
    for make in (mg.FloatTensor, mg.Tensor, leaf.new):
        assert [make(n).shape for n in (3, np.int64(3), np.uint8(3), np.array(3))] == [(3,)] * 4
        assert make(leaf).data_ptr() == leaf.data_ptr()
        assert make(leaf).requires_grad
        for bad in (1.0, True, np.float32(1), np.True_, None, "1"):
            with pytest.raises(TypeError, match="sequence"):
                make(bad)
    with pytest.raises(TypeError, match="float64"):
        mg.FloatTensor(x)
    try:
        for kind in ("torch.DoubleTensor", mg.DoubleTensor):
            mg.set_default_tensor_type(kind)
            assert mg.ones(1).dtype == mg.float64
            mg.set_default_tensor_type(mg.FloatTensor)
    finally:
        mg.set_default_dtype(mg.float32)
    for wrong in ("torch.LongTensor", "torch.cuda.FloatTensor", 3):
        with pytest.raises(TypeError, match="only floating-point types"):
            mg.set_default_tensor_type(wrong)
    p = mg.nn.Parameter(mg.ones(2))
    (p * 3).sum().backward()
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        assert mg.nn.utils.clip_grad_norm([p], 1.0).item() == pytest.approx(18**0.5)


IDLE = [
    "zeros_like(x, memory_format=f)", "rand_like(x, memory_format=f)", "empty(2, 3, memory_format=f)",
    "clone(x, memory_format=f)",
    "full_like(x, 2.0, memory_format=f)", "zeros(2, 3, layout=s, pin_memory=False)", "x.clone(memory_format=f)",
    "x.float(memory_format=f)", "x.cpu(memory_format=f)", "randn(2, 3, layout=s)",
    "normal(0.0, 1.0, (2, 3), layout=s, pin_memory=False)", "empty_strided((2, 3), (3, 1), layout=s)",
    "hann_window(6, layout=s, pin_memory=False).view(2, 3)", "fft.fftfreq(6, layout=s).view(2, 3)",
    "tril_indices(2, 2, layout=s)", "x.new_empty_strided((2, 3), (3, 1), pin_memory=False)",
]  # fmt: skip


@pytest.mark.parametrize("code", IDLE)
def test_arguments_that_ask_for_what_is_so_anyway(code: str) -> None:
    names = {**vars(mg), "x": mg.ones(2, 3), "f": mg.preserve_format, "s": mg.strided}
    names |= {name: getattr(mg, name) for name in re.findall(r"\w+(?=\()", code) if hasattr(mg, name)}
    assert eval(code, names).shape == (2, 3)


def test_arguments_that_would_change_something() -> None:
    x = mg.ones(2, 3)
    calls: list[Callable[[], Any]] = [
        lambda: mg.zeros(2, pin_memory=True), lambda: mg.zeros(2, layout="sparse"),
        lambda: mg.zeros(2, layout=mg.channels_last), lambda: mg.exp(x, memory_format=mg.preserve_format),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            call()


def test_values_are_close() -> None:
    close, x = mg.testing.assert_close, mg.ones(2)
    close(x, x + 1e-6)
    close({"a": [x, 1.0]}, {"a": [x, 1.0 + 1e-8]})
    close(np.ones(2), np.ones(2))
    close(x, x + 0.1, rtol=0, atol=0.2)
    close(mg.tensor(float("nan")), mg.tensor(float("nan")), equal_nan=True)
    failing: list[tuple[Any, Any, str]] = [
        (x, x + 1e-3, r"^Tensor-likes are not close! Mismatched elements: 2 / 2; greatest absolute difference: 0.001"),
        (1.0, 1.1, "^Scalars are not close!"), (x, mg.ones(1, 2), r"'shape' do not match: \[2\] != \[1, 2\]"),
        (x, x.double(), "'dtype' do not match: float32 != float64"), ({"a": x}, {"b": x}, "keys"),
        ([[x], x], [[x * 2], x], r"at \[0\]\[0\]$"), ([x], [x, x], "length"), (3, 4, "Scalars"),
    ]  # fmt: skip
    for actual, expected, says in failing:
        with pytest.raises(AssertionError, match=says):
            close(actual, expected)
    with pytest.raises(AssertionError, match=r"^mine$"):
        close(x, x + 1, msg="mine")
    with pytest.raises(ValueError, match="rtol and atol"):
        close(x, x, rtol=1.0)


def test_the_kernel_of_attention_may_be_chosen() -> None:
    from minigrad.nn.attention import SDPBackend, sdpa_kernel

    q = mg.randn(1, 2, 3, 4)
    for wrong in (3, [SDPBackend.MATH, "math"], None):
        with pytest.raises(ValueError, match="Backend must be an instance of SDPBackend"), sdpa_kernel(wrong):
            pass
    with sdpa_kernel([SDPBackend.MATH, SDPBackend.FLASH_ATTENTION], set_priority=True):
        pass
    assert sdpa_kernel(SDPBackend.MATH)(lambda: 3)() == 3  # as a decorator
    with sdpa_kernel(SDPBackend.MATH):
        inside = nn.functional.scaled_dot_product_attention(q, q, q)
    assert mg.equal(inside, nn.functional.scaled_dot_product_attention(q, q, q))


def test_names_that_libraries_for_pytorch_annotate_and_build_with() -> None:
    hooks = importlib.import_module("minigrad.utils.hooks")
    handle = mg.nn.Linear(1, 1).register_forward_hook(lambda *_: None)
    assert isinstance(handle, hooks.RemovableHandle)
    assert mg.utils.hooks is hooks
    assert "device" in str(importlib.import_module("minigrad.serialization").MAP_LOCATION)


def test_triangles_of_matrices_as_vectors() -> None:
    u = importlib.import_module("minigrad.distributions.utils")
    x = mg.arange(32.0, requires_grad=True).view(2, 4, 4)
    for diagonal in range(-4, 4):
        vector = u.tril_matrix_to_vec(x, diagonal)
        assert mg.equal(vector, mg.stack([m[np.tril(np.ones((4, 4), bool), diagonal)] for m in x]))
        if diagonal > -4:
            back = u.vec_to_tril_matrix(vector, diagonal)
            assert np.array_equal(back.detach().numpy(), np.tril(x.detach().numpy(), diagonal))
    (g,) = mg.autograd.grad(u.vec_to_tril_matrix(u.tril_matrix_to_vec(x)).sum(), x)
    assert np.array_equal(g.numpy(), np.tril(np.ones((2, 4, 4))))
    with pytest.raises(ValueError, match=r"diag \(4\) provided is outside \[-4, 3\]"):
        u.tril_matrix_to_vec(x, 4)
    with pytest.raises(
        ValueError, match="last dimension is 4 which cannot be expressed as the lower triangular"
    ):
        u.vec_to_tril_matrix(mg.ones(4))
    mg.manual_seed(1)
    drawn = u._standard_normal(mg.Size((2, 3)), dtype=mg.float64, device=mg.device("cpu"))
    mg.manual_seed(1)
    assert mg.equal(drawn, mg.randn(2, 3, dtype=mg.float64))


def test_a_summary_writer_takes_tensors(tmp_path: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event

    from minigrad.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        x = mg.ones(3, requires_grad=True)
        writer.add_scalar("loss", (x * 2).sum(), 7)
        writer.add_histogram("x", x, 7)
        writer.add_scalars("both", {"a": x.mean(), "b": 2.0}, 7)
        with pytest.warns(UserWarning, match="minigrad.draw"):
            writer.add_graph(mg.nn.Linear(2, 2), mg.ones(1, 2))
    [file] = tmp_path.glob("events*")
    data, values = file.read_bytes(), {}
    while data:
        size = int.from_bytes(data[:8], "little")
        event = Event.FromString(data[12 : 12 + size])
        values |= {v.tag: v.simple_value or v.histo.sum for v in event.summary.value}
        data = data[16 + size :]
    assert values == {"loss": 6.0, "x": 3.0}

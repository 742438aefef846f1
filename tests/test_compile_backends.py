"""Compiled functions beside the plain replay: Numba, checks, reports, the printed text."""

from __future__ import annotations

import copy
import gc
import itertools
import math
import pickle
import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


def network(dtype: mg.dtype, seed: int = 0, small: bool = False) -> Any:
    mg.manual_seed(seed)
    layers = [nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)]
    if small:
        del layers[2]
    return nn.Sequential(*layers).to(dtype)


def step_of(net: Any, opt: Any, zero_first: bool = True) -> Callable[[Any, Any], Any]:
    """A training step; with the gradients dropped at its end it takes one recording, at its beginning two."""

    def step(x: Any, t: Any) -> Any:
        if zero_first:
            opt.zero_grad()
        loss = nn.functional.mse_loss(net(x), t)
        loss.backward()
        opt.step()
        if not zero_first:
            opt.zero_grad()
        return loss

    return step


def batch(k: int, rows: int, dtype: mg.dtype) -> tuple[Any, Any]:
    random = np.random.default_rng(k)
    return tuple(mg.tensor(random.standard_normal((rows, n)), dtype=dtype) for n in (2, 1))  # type: ignore[return-value]


def trained(
    dtype: mg.dtype, size: int, count: int, small: bool = False, **options: Any
) -> tuple[list[float], list[Any], Any]:
    """Losses and parameters after some steps, and the compiled step (None for eager mode)."""
    net = network(dtype, small=small)
    opt = mg.optim.SGD(net.parameters(), lr=0.05)
    step: Any = step_of(net, opt, zero_first=options.get("backend") != "numba")
    compiled = mg.compile(step, **options) if options else None
    losses = [(compiled or step)(*batch(k, size, dtype)).item() for k in range(count)]
    return losses, [p.detach().numpy() for p in net.parameters()], compiled


def close(found: Any, expected: Any, dtype: mg.dtype) -> None:
    rtol = 2e-4 if dtype is mg.float32 else 1e-10
    np.testing.assert_allclose(found[0], expected[0], rtol=rtol)
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max())


# ---------------------------------------------------------------- Numba


pytestmark = pytest.mark.filterwarnings(
    "ignore::Warning:numba"
)  # of Numba's own making, on other versions of NumPy


def test_numba_trains_as_eager_mode_does() -> None:
    for dtype in (mg.float32, mg.float64):
        found = trained(dtype, 8, 5, small=True, backend="numba")
        close(found, trained(dtype, 8, 5, small=True), dtype)
        assert "np.dot(" in mg.source(found[2])


def test_numba_sees_another_learning_rate() -> None:
    net, twin = network(mg.float64, small=True), network(mg.float64, small=True)
    opts = [mg.optim.SGD(n.parameters(), lr=0.1) for n in (net, twin)]
    compiled = mg.compile(step_of(net, opts[0], zero_first=False), backend="numba")
    plain = step_of(twin, opts[1], zero_first=False)
    for k in range(4):
        for opt in opts:
            opt.param_groups[0]["lr"] = 0.1 / (k + 1)
        x, t = batch(k, 8, mg.float64)
        np.testing.assert_allclose(compiled(x, t).item(), plain(x, t).item(), rtol=1e-12)
    assert len(compiled.recordings) <= 2


def test_numba_says_what_it_cannot_do() -> None:
    for f, x, words in (
        (lambda x: x + mg.rand(3), mg.rand(3), "cannot draw"),
        (lambda x: x.var(0).sum(), mg.rand(3, 2), "Numba cannot compile"),
        (lambda x: x * 2.0, mg.rand(3).half(), r"compile\(backend='numba'\)"),
    ):
        with pytest.raises(NotImplementedError, match=words):
            mg.compile(f, backend="numba")(x)
    picked = mg.compile(lambda x, i: x[i], backend="numba")
    for _ in range(2):
        assert picked(mg.tensor([1.0, -2.0, 3.0]), mg.tensor([2, 0])).tolist() == [3.0, 1.0]
    with pytest.raises(IndexError):
        picked(mg.rand(3), mg.tensor([1, 200_000]))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.clamp(-0.5, 0.5) * x, lambda x: x.clamp(min=0.25), lambda x: x.abs() ** 2.5, lambda x: 2.0**x,
        lambda x: x % 0.7, lambda x: x // 0.7, lambda x: x.sum().clamp(max=0.5), lambda x: mg.where(x > 0, x, 0.0),
        lambda x: x * (x.double().sum() * 2.0).float(),  # as Adam has it
        mg.sigmoid, lambda x: x.abs().rsqrt(), lambda x: x.sum().sigmoid(), lambda x: (1.0 / (x + 0j) * 2.0).real,
    ],
)  # fmt: skip
def test_numba_keeps_the_element_type_where_numbers_are_met(f: Any) -> None:
    compiled = mg.compile(f, backend="numba")
    for k in range(3):
        x = mg.from_numpy(np.random.default_rng(k).normal(size=5).astype(np.float32))
        found, expected = compiled(x), f(x)
        assert found.dtype == expected.dtype == mg.float32
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5)


# ---------------------------------------------------------------- options


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    compiled = mg.compile(lambda x: (x * x).sum(), backend="numba")
    with pytest.raises(ImportError) as caught:
        compiled(batch(0, 1024, mg.float64)[0])
    assert "(the extra `numba`): pip install numba scipy" in str(caught.value)


def test_options_of_pytorch_change_nothing() -> None:
    def f(x: mg.Tensor) -> mg.Tensor:
        return x * 2

    compiled = mg.compile(
        f, mode="max-autotune", fullgraph=True, dynamic=False, options={}, backend="inductor"
    )
    assert (compiled(mg.ones(2)).tolist(), compiled.backend) == ([2, 2], "numpy")  # type: ignore[attr-defined]
    assert mg.compile(dynamic=True)(f)(mg.ones(1)).tolist() == [2]
    assert mg.compile(f, disable=True) is f
    with pytest.raises(TypeError, match=r"compile\(\) got an unexpected keyword argument 'full'"):
        mg.compile(f, full=True)  # type: ignore[call-overload]
    for backend in ("fortran", None):
        with pytest.raises(ValueError, match=r"compile\(\)"):
            mg.compile(f, backend=backend)  # type: ignore[arg-type]


def test_copies_are_made_without_the_recordings() -> None:
    net = network(mg.float64)
    compiled = mg.compile(net)
    x = batch(0, 4, mg.float64)[0]
    expected = compiled(x).tolist()
    twin = copy.deepcopy(compiled)
    with mg.no_grad():
        next(iter(net.parameters())).zero_()
    assert twin(x).tolist() == expected
    assert compiled(x).tolist() != expected
    assert pickle.loads(pickle.dumps(compiled))(x).tolist() == compiled(x).tolist()


def test_source_of_a_compiled_function_takes_nothing_else() -> None:
    compiled = trained(mg.float64, 4, 2, check=False)[2]
    with pytest.raises(TypeError, match="takes no other argument"):
        mg.source(compiled, name="other")


# ---------------------------------------------------------------- what a review found


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_values_that_are_overwritten_are_kept_where_they_are_needed(backend: str) -> None:
    def swap(a: Any, b: Any, x: Any) -> Any:
        t = mg.zeros(3)
        t.copy_(a)
        a.copy_(b)
        b.copy_(t)
        b.add_(x)
        return t

    compiled = mg.compile(swap, backend=backend)
    mine, other = ([mg.tensor([1.0, 2.0, 3.0]), mg.tensor([4.0, 5.0, 6.0])] for _ in range(2))
    for k in range(3):
        x = mg.full((3,), float(k))
        assert compiled(*mine, x).tolist() == swap(*other, x).tolist()
        assert [t.tolist() for t in mine] == [t.tolist() for t in other]


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_functions_of_math_are_computed_in_each_call(backend: str) -> None:
    compiled = mg.compile(lambda x, s: x * math.floor(s) + math.ceil(s / 2), backend=backend)
    for s in (1.5, 2.75, -3.5):
        assert compiled(mg.ones(2), s).tolist() == [math.floor(s) + math.ceil(s / 2)] * 2
    assert len(compiled.recordings) == 1
    assert "import math" in mg.source(compiled)


def test_second_gradients_through_a_call_are_refused() -> None:
    compiled = mg.compile(lambda x: (x**3).sum())
    inside = mg.compile(lambda x: mg.autograd.grad((x**3).sum(), x, create_graph=True)[0].sum())
    for _ in range(2):
        x = mg.tensor([2.0], requires_grad=True)
        with pytest.raises(RuntimeError, match="compile the function that takes the gradient"):
            mg.autograd.grad(compiled(x), x, create_graph=True)
        assert mg.autograd.grad(inside(x), x)[0].item() == 12.0


def test_a_copy_behind_the_tape_is_refused() -> None:
    with pytest.raises(RuntimeError, match="needs the values of a Tensor"):
        mg.compile(lambda x: x + copy.deepcopy(x))(mg.ones(3))
    assert mg.compile(lambda x: x + mg.Tensor(x * 2))(mg.ones(3)).tolist() == [3, 3, 3]


def test_a_recording_holds_neither_arguments_nor_activations() -> None:
    net = network(mg.float64)
    opt = mg.optim.SGD(net.parameters(), lr=0.05)
    compiled = mg.compile(step_of(net, opt))
    held = []
    for k in range(3):
        x, t = batch(k, 512, mg.float64)
        compiled(x, t)
        held += [weakref.ref(x), weakref.ref(x._array), weakref.ref(t._array)]
        del x, t
    outer = mg.compile(net)
    x = batch(5, 8, mg.float64)[0]
    y = outer(x)
    held += [weakref.ref(x._array), weakref.ref(y._array), weakref.ref(y.grad_fn)]
    del x, y
    gc.collect()
    assert [k for k, ref in enumerate(held) if ref() is not None] == []
    assert "np.ndarray.dot" in str(compiled.report(profile=True))


# ---------------------------------------------------------------- check=True


def test_check_passes_what_agrees_and_gives_what_the_function_gives() -> None:
    found = trained(mg.float64, 16, 5, check=True)
    assert found[0] == trained(mg.float64, 16, 5)[0]
    mg.manual_seed(5)
    drawing = mg.compile(lambda x: x + mg.rand(3), check=True)
    values = [drawing(mg.zeros(3)).tolist() for _ in range(3)]
    mg.manual_seed(5)
    assert values == [mg.rand(3).tolist() for _ in range(3)]


def test_check_finds_a_planted_error() -> None:
    net = network(mg.float64)
    opt = mg.optim.SGD(net.parameters(), lr=0.05)
    compiled = mg.compile(step_of(net, opt), check=True)
    for k in range(3):
        compiled(*batch(k, 1024, mg.float64))
    plan = compiled.recordings[0]
    enter = plan.enter

    def wrong(args: Any, kwargs: Any, mode: Any) -> Any:
        leaves, (x, *rest) = enter(args, kwargs, mode)
        return leaves, [x * 1.001, *rest]

    plan.enter = wrong
    with pytest.raises(RuntimeError, match="differs from that of the function itself"):
        compiled(*batch(4, 1024, mg.float64))


# ---------------------------------------------------------------- what it tells


def test_the_report_has_every_step_and_the_memory() -> None:
    compiled = trained(mg.float32, 100, 3, check=False)[2]
    [first, *rest] = compiled.report()
    assert [r.calls for r in (first, *rest)] == [1, 0] or first.calls == 2
    text = str(compiled.report())
    assert "np.ndarray.dot(x, weight_0_T, out=linear_" in text
    assert "lines of test_compile_backends.py" in " ".join(text.split())
    assert all(len(line) <= 80 for line in text.splitlines())
    assert first.fused > 5
    assert first.buffer_bytes > 0
    assert first.eager_bytes == 4 * (100 * 16 * 2 + 100)  # relu's and tanh's results, and the prediction
    timed = compiled.report(profile=True)[0]
    assert all(s.microseconds is not None and s.microseconds >= 0 for s in timed.steps)
    assert "µs" in str(timed)
    assert "Nothing has been recorded" in str(mg.compile(lambda x: x).report())


def test_a_step_keeps_less_than_half_of_what_eager_mode_holds() -> None:
    compiled = trained(mg.float32, 2000, 2, check=False)[2]
    widest = 2000 * 16 * 4
    report = compiled.report()[0]
    assert report.buffer_bytes < 5 * widest
    assert report.eager_bytes >= 2 * widest


@pytest.mark.parametrize("size", [1000, 1001])
def test_three_large_buffers_serve_the_article_s_network(size: int) -> None:
    sizes = [2, 64, 64, 64, 1]
    layers = [m for n, k in itertools.pairwise(sizes) for m in (nn.Linear(n, k), nn.ReLU())][:-1]
    net = nn.Sequential(*layers)
    compiled = mg.compile(step_of(net, mg.optim.SGD(net.parameters(), lr=0.01)))
    compiled(mg.randn(size, 2), mg.randn(size, 1))
    whole, one = compiled.report()[0], size * 64 * 4
    # three results, a mask, a repeated bias, zeros, small ones
    assert 3 * one < whole.buffer_bytes < 3.8 * one
    masks = [s.number for s in whole.steps if s.result.startswith("bool")]
    products = [s.number for s in whole.steps if s.result == f"f32 [{size}, 64]" and "matmul(d_" in s.call]
    assert len(masks) == 3
    assert all(mask < product for mask, product in zip(masks[1:], products, strict=True))


def test_source_prints_what_is_run() -> None:
    net = network(mg.float64)
    opt = mg.optim.SGD(net.parameters(), lr=0.05)
    compiled = mg.compile(step_of(net, opt))
    with pytest.raises(RuntimeError, match="recorded nothing yet"):
        mg.source(compiled)
    for k in range(2):
        compiled(*batch(k, 5, mg.float64))
    namespace: dict[str, Any] = {}
    text = mg.source(compiled)
    exec(text, namespace)
    assert [line for line in text.splitlines() if "import " in line] == ["import numpy as np"]
    twin = [p.detach().numpy().copy() for p in net.parameters()]
    names = text.partition("def bind(")[2].partition(")")[0].replace("\n", " ").split(",")
    own = dict(zip([n for n, _ in net.named_parameters()], twin, strict=True))
    arguments = [own[".".join(reversed(n.strip().split("_")))] for n in names if n.strip()]
    x, t = batch(7, 5, mg.float64)
    run = namespace["bind"](*arguments)
    results, writes = run(x.numpy(), t.numpy(), 0.05)
    for function, *operands in writes:
        function(*operands)
    loss = results[0]
    assert compiled(x, t).item() == loss
    for (name, p), q in zip(net.named_parameters(), twin, strict=True):
        assert (p.detach().numpy() == q).all(), name

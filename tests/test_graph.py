"""What the graph keeps: hooks on saved Tensors, checkpoints; several gradients together; dual Tensors."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.autograd import forward_ad as fw
from minigrad.autograd import graph
from minigrad.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential

V = mg.tensor([1.0, 2.0])


def leaf(*values: float) -> mg.Tensor:
    return mg.tensor(values, dtype=mg.float32, requires_grad=True)


# ---------------------------------------------------------------- hooks on what is saved


def test_hooks_see_what_is_saved_and_give_it_back() -> None:
    a, b, log = leaf(1, 1), leaf(2, 2) * 2, []

    def pack(t: mg.Tensor) -> Any:
        log.append((t.tolist(), t.requires_grad, t.is_leaf))
        return t.detach().numpy().copy()

    def unpack(array: Any) -> mg.Tensor:
        log.append(array.tolist())
        return mg.from_numpy(array)

    with graph.saved_tensors_hooks(pack, unpack):
        y = a * b
    (y * 3).sum().backward(retain_graph=True)
    y.sum().backward()
    assert log == [([4.0, 4.0], True, False), ([1.0, 1.0], True, True), *[[4.0, 4.0], [1.0, 1.0]] * 2]
    assert a.grad is not None
    assert a.grad.tolist() == [16.0, 16.0]


def test_hooks_and_changes_in_place() -> None:
    x, w = leaf(1, 2), leaf(3, 3)
    same: Callable[[Any], Any] = lambda t: t  # noqa: E731
    with graph.saved_tensors_hooks(same, same):
        y = x * 1
        y.mul_(w)  # reads the values that it writes over
    y.sum().backward()
    assert x.grad is not None
    assert w.grad is not None
    assert (x.grad.tolist(), w.grad.tolist()) == ([3.0, 3.0], [1.0, 2.0])
    with graph.saved_tensors_hooks(same, same):
        y = x.exp()
        z = y * 1
    with mg.no_grad():
        y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_hooks_of_derivatives_functions_and_readers() -> None:
    class Square(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: mg.Tensor) -> mg.Tensor:
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: mg.Tensor) -> mg.Tensor:
            (x,) = ctx.saved_tensors
            return 2 * x * g

    x, packed = leaf(2, 3), []
    with graph.saved_tensors_hooks(lambda t: packed.append(t.shape) or t.clone(), lambda t: t):
        y = Square.apply(x**3).sum()
    assert "freed" not in str(mg.tape_table(y))
    assert "is kept by hooks, or computed again" in mg.draw(y).dot
    assert "freed" not in mg.draw(y).dot
    (g,) = mg.autograd.grad(y, x, create_graph=True)
    (h,) = mg.autograd.grad(g.sum(), x, retain_graph=True)
    assert (g.tolist(), h.tolist()) == ([192.0, 1458.0], [480.0, 2430.0])
    assert packed
    with fw.dual_level():
        tangent = fw.unpack_dual(Square.apply(fw.make_dual(V, V))).tangent
    assert tangent is not None
    assert tangent.tolist() == [2.0, 8.0]
    assert "Square" in str(mg.tape_table(y))
    moments = [node.seq for node in mg.tape.tape(y)]
    assert mg.tape.tape(y) == mg.tape.tape(y.grad_fn) == mg.tape.tape([y, y.grad_fn])
    for wrong in (V.detach(), 3, [None]):
        with pytest.raises(TypeError, match=r"tape\(\) takes Tensors that have a grad_fn, or records, got"):
            mg.tape.tape(wrong)  # type: ignore[arg-type]
    assert "1458" in str(mg.explain(y))
    assert [node.seq for node in mg.tape.tape([y._node])] == moments


def test_hooks_nest_and_are_forbidden() -> None:
    x, log = leaf(1, 2), []
    outer = graph.saved_tensors_hooks(lambda t: log.append("outer") or t, lambda t: t)
    inner = graph.saved_tensors_hooks(lambda t: log.append("inner") or t, lambda t: t)
    with outer:
        x.exp()
        with inner, graph.save_on_cpu():
            x.exp()
        with inner:
            x.exp()
        x.exp()
    assert log == ["outer", "inner", "outer"]
    with graph.disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"), inner:
        pass
    with inner, pytest.raises(RuntimeError, match="not here"), graph.disable_saved_tensors_hooks("not here"):
        pass
    changing = graph.saved_tensors_hooks(lambda t: t.add_(1), lambda t: t)
    with changing, pytest.raises(RuntimeError, match="pack hook is modifying its input"):
        x.exp()
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t.sum()):
        y = x.exp()
    with pytest.raises(RuntimeError, match=r"shape \[\]; what ExpBackward0 has saved is of shape \[2\]"):
        y.sum().backward()
    with graph.saved_tensors_hooks(lambda t: t, lambda t: 1):  # type: ignore[arg-type, return-value]
        y = x.exp()
    with pytest.raises(TypeError, match="unpack_hook expected to be a Tensor"):
        y.sum().backward()

    def f(x: mg.Tensor) -> mg.Tensor:
        with outer:
            return x.exp()

    with pytest.raises(RuntimeError, match="saved_tensors_hooks"):
        mg.compile(f)(x)
    with graph.save_on_cpu(pin_memory=True):  # as PyTorch takes it where there is no card
        y = x.exp()
    assert mg.equal(*mg.autograd.grad(y.sum(), x), y)


def test_a_change_that_only_the_user_knows() -> None:
    x = leaf(1, 2)
    y = x.exp()
    y.detach().numpy()[0] = 5
    graph.increment_version(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_several_gradients_together() -> None:
    """The log is torch's."""
    x, y, z = leaf(1, 1), leaf(1, 1), leaf(1, 1)
    log: list[Any] = []
    firsts: list[Any] = []
    handle = graph.register_multi_grad_hook(
        (x, y, z), lambda gs: log.append([None if g is None else g[0].item() for g in gs])
    )
    graph.register_multi_grad_hook((x, mg.ones(2), y, z), firsts.append, mode="any")
    (x * 2 + y * 3).sum().backward()
    (x * y * z).sum().backward()
    handle.remove()
    (x * 1).sum().backward()
    assert log == [[2.0, 3.0, None], [1.0, 1.0, 1.0]]
    assert len(firsts) == 3
    seen: list[Any] = []
    w = leaf(1, 1)
    graph.register_multi_grad_hook((w,), lambda gs: seen.append(weakref.ref(gs[0]._array)))
    mg.autograd.grad((w * 2).sum(), w)
    assert seen[0]() is None, "the hook keeps no gradient"
    assert isinstance((x * 2).grad_fn, graph.Node)
    with pytest.raises(ValueError, match="mode to be one of"):
        graph.register_multi_grad_hook((x,), print, mode="some")


# ---------------------------------------------------------------- checkpoints


def test_a_checkpoint_runs_again_and_draws_the_same() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 3))
    x = mg.randn(5, 4).requires_grad_()
    runs: list[int] = []

    def f(x: mg.Tensor) -> mg.Tensor:
        runs.append(1)
        return net(x)  # type: ignore[no-any-return]

    gradients, after = [], []
    for call in (lambda: checkpoint(f, x, use_reentrant=False), lambda: net(x)):
        x.grad = None
        net.zero_grad()
        mg.manual_seed(3)
        call().sum().backward()
        gradients.append([x.grad, *(p.grad for p in net.parameters())])
        after.append(mg.rand(2).tolist())
    assert len(runs) == 2
    assert after[0] == after[1]  # the second run leaves the generator alone
    assert all(mg.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_a_checkpoint_in_a_checkpoint_with_second_derivatives_and_twice() -> None:
    """Literals are torch's."""
    x = leaf(0.5, 0.7)

    def inner(x: mg.Tensor) -> mg.Tensor:
        return x.exp().sin()

    def outer(x: mg.Tensor) -> mg.Tensor:
        return checkpoint(inner, x * x) * x  # type: ignore[no-any-return]

    y = checkpoint(outer, x).sum()
    (g,) = mg.autograd.grad(y, x, create_graph=True)
    (h,) = mg.autograd.grad(g.sum(), x)
    assert g.tolist() == pytest.approx([1.1407600, 0.8997601], rel=1e-5)
    assert h.tolist() == pytest.approx([0.48049, -4.2079101], rel=1e-5)
    y = checkpoint(inner, x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad is not None
    assert x.grad.tolist() == pytest.approx([-0.25669, -1.72624], rel=1e-4)
    with pytest.raises(RuntimeError, match=r"a second time.* or detach\(\) what one step of a loop passes"):
        y.backward()

    def in_place(x: mg.Tensor) -> mg.Tensor:
        w = mg.zeros(2)
        w[0] = 3.0
        y = x * 2
        y.mul_(w + x)
        return y.exp_()

    # Records that hold a number in their rules save nothing, in the second run too.
    held: list[Callable[[mg.Tensor], mg.Tensor]] = [
        lambda x: mg.add(x.exp(), x, alpha=-0.3), lambda x: mg.sub(x.sin(), x, alpha=2.0) * x,
        lambda x: mg.addcmul(x, x, x, value=0.5), lambda x: mg.lerp(x, x * x, 0.3),
    ]  # fmt: skip
    for f in (in_place, *held):
        expected = mg.autograd.grad(f(x).sum(), x)[0]
        assert mg.equal(mg.autograd.grad(checkpoint(f, x).sum(), x)[0], expected)


def test_a_checkpoint_that_does_something_else_is_an_error() -> None:
    x, turns = leaf(1, 2), [0]

    def f(x: mg.Tensor) -> mg.Tensor:
        turns[0] += 1
        return x.exp() if turns[0] % 2 else x.exp().sin()

    with pytest.raises(CheckpointError, match="different number of tensors"):
        checkpoint(f, x).sum().backward()
    widths = iter((2, 3))
    with pytest.raises(CheckpointError, match="different metadata"):
        checkpoint(lambda x: x.expand(next(widths), 2).exp(), x).sum().backward()
    y = checkpoint(mg.exp, x)
    with mg.no_grad():
        x.add_(1)
    with pytest.raises(RuntimeError, match="was changed in place since"):
        y.sum().backward()
    with pytest.raises(ValueError, match="determinism_check"):
        checkpoint(f, x, determinism_check="all")
    with mg.no_grad():
        assert not checkpoint(mg.exp, x).requires_grad
    compiled = mg.compile(lambda x: checkpoint(mg.exp, x).sum())
    assert compiled(x).item() == x.exp().sum().item()


def test_a_checkpoint_takes_less_memory() -> None:
    steps = [f for _ in range(8) for f in (nn.Linear(64, 64), nn.Tanh())]
    net = nn.Sequential(*steps)
    x = mg.randn(2000, 64)
    for p in net.parameters():
        p.grad = mg.zeros_like(p)

    def peak(call: Callable[[], mg.Tensor]) -> int:
        gc.collect()
        tracemalloc.start()
        try:
            call().sum().backward()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    plain = peak(lambda: net(x))
    # 16 arrays of 512 kB are saved, but for 4 at a time and the 3 between the parts
    assert peak(lambda: checkpoint_sequential(steps, 4, x, use_reentrant=False)) < 0.75 * plain
    assert (
        peak(lambda: checkpoint(net, x, use_reentrant=False).tanh()) > 0.9 * plain
    )  # one part needs all at once


def test_a_checkpointed_function_may_differentiate() -> None:
    """Also what it has recorded so far, twice and with dropout; literals are torch's."""
    x = leaf(1, 2)

    def slope(x: mg.Tensor) -> mg.Tensor:
        (g,) = mg.autograd.grad((x**3).sum(), x, create_graph=True)
        (h,) = mg.autograd.grad((g * mg.rand(2).clamp(1)).sum(), x, create_graph=True)
        return h * x * g

    checkpoint(slope, x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [72.0, 576.0]


def test_passes_in_several_threads_over_what_is_packed() -> None:
    """They find the records in their order, whoever unpacks one at that moment."""
    x, ready = leaf(*range(1, 9)), threading.Barrier(3)
    with graph.saved_tensors_hooks(lambda t: t.tolist(), mg.tensor):
        y = x * x
        for _ in range(40):
            y = y * x.cos()
    z = checkpoint(lambda x: (x * x).sin().exp().tanh(), x)
    slopes: list[Any] = []

    def walk() -> None:
        ready.wait()
        for root in (y, z):
            slopes.append(mg.autograd.grad(root.sum(), x, retain_graph=True)[0].tolist())

    threads = [threading.Thread(target=walk) for _ in range(3)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(before)
    assert len(slopes) == 6
    assert len({tuple(s) for s in slopes}) == 2


# ---------------------------------------------------------------- dual Tensors


def test_tangents_are_those_of_pytorch() -> None:
    x, w = mg.tensor([0.5, 0.7]), leaf(2, 3)
    with fw.dual_level():
        d = fw.make_dual(x, V)
        primal, tangent = fw.unpack_dual(d.sin() * d)
        assert tangent is not None
        assert primal.tolist() == pytest.approx([0.23971277, 0.4509524])
        assert tangent.tolist() == pytest.approx([0.9182168, 2.3592146])
        assert not primal.requires_grad
        assert fw.unpack_dual(x).tangent is None
        assert fw.unpack_dual(d).tangent is V
        primal, tangent = fw.unpack_dual((d * w * w).sum())
        assert tangent is not None
        (tangent * primal).backward()  # reverse over forward
    assert tangent.item() == 22.0
    assert w.grad is not None
    assert w.grad.tolist() == pytest.approx([77.2, 192.0])
    assert fw.unpack_dual(d).tangent is None
    with fw.dual_level():
        tangent = fw.unpack_dual((fw.make_dual(w, V) ** 3).sum()).tangent
        assert tangent is not None
        assert mg.autograd.grad(tangent, w)[0].tolist() == [12.0, 36.0]
    net = nn.Linear(2, 1)
    with fw.dual_level():
        duals = {n: fw.make_dual(p, mg.ones_like(p)) for n, p in net.named_parameters()}
        tangent = fw.unpack_dual(mg.func.functional_call(net, duals, (x,))).tangent
    assert tangent is not None
    assert tangent.tolist() == pytest.approx([2.2])
    with fw.dual_level():  # in the place of parameters, and with tangents of another element type
        for name, p in tuple(net.named_parameters()):
            delattr(net, name)
            setattr(net, name, fw.make_dual(p, mg.ones_like(p, dtype=mg.float64)))
        for y in (net(x), mg.func.functional_call(net, {"weight": net.weight}, (x,))):
            tangent = fw.unpack_dual(y).tangent
            assert tangent is not None
            assert (tangent.dtype, tangent.tolist()) == (mg.float32, pytest.approx([2.2]))
    assert fw.unpack_dual(net.weight).tangent is None


def test_what_is_no_dual_tensor() -> None:
    with pytest.raises(RuntimeError, match="no level exists"):
        fw.make_dual(V, V)
    with pytest.raises(RuntimeError, match="exit a forward AD level"):
        fw.exit_dual_level()
    with fw.dual_level() as level:
        assert level == 0
        for kind, says, call in (
            (RuntimeError, "different size", lambda: fw.make_dual(V, mg.ones(3))),
            (RuntimeError, "not complex", lambda: fw.make_dual(V, V * 1j)),
            (ValueError, "floating point", lambda: fw.make_dual(V.long(), V)),
            (TypeError, "tangent must be Tensor", lambda: fw.make_dual(V, 1.0)),  # type: ignore[arg-type]
            (RuntimeError, "Nested forward mode", fw.enter_dual_level),
        ):
            with pytest.raises(kind, match=says):
                call()
        d = fw.make_dual(V, V)
        for dual in (d, d * 2):
            with pytest.raises(RuntimeError, match="already has a forward gradient"):
                fw.make_dual(dual, V)
        assert mg.equal(fw.unpack_dual(fw.make_dual(d.detach(), V)).tangent, V)
        with mg.no_grad():
            for call in (lambda: fw.make_dual(V, V), lambda: fw.unpack_dual(d * 2)):
                with pytest.raises(RuntimeError, match="under no_grad"):
                    call()


def test_what_a_record_keeps_under_pytorchs_names() -> None:
    x = mg.rand(3).requires_grad_()
    y = x.exp()
    z: Any = (x * y).grad_fn
    result: Any = y.grad_fn
    assert result._saved_result.tolist() == y.tolist()
    assert result._saved_result.grad_fn is y.grad_fn
    assert z._saved_self.is_leaf
    assert z._saved_self.requires_grad
    assert z._saved_self.tolist() == x.tolist()
    assert z._saved_other.grad_fn is y.grad_fn
    assert not hasattr(result, "_saved_self")
    assert not hasattr(result, "_saved_other")  # the place of a second input, not the result after the first
    assert not hasattr((x + y).grad_fn, "_saved_other")
    with mg.autograd.graph.saved_tensors_hooks(lambda t: t * 2, lambda t: t / 2):
        packed: Any = x.exp().grad_fn
    assert packed._saved_result.tolist() == y.tolist()
    (x * y).sum().backward()
    with pytest.raises(RuntimeError, match="backward pass has freed it"):
        _ = result._saved_result
    changed = x.exp()
    square: Any = (changed * changed).grad_fn
    changed.detach().add_(1)
    with pytest.raises(RuntimeError, match="in place"):
        _ = square._saved_self


def test_what_a_record_saves_of_an_input_is_that_tensor() -> None:
    x = mg.ones(2, requires_grad=True)
    assert x.pow(2).grad_fn._saved_self is x
    y = x.exp()
    assert y.grad_fn._saved_result is not y
    assert mg.equal(y.grad_fn._saved_result, y)


def test_edges_stand_for_tensors() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    edge, leaf = graph.get_gradient_edge(y), graph.get_gradient_edge(x)
    assert (edge.node is y.grad_fn, edge.output_nr, leaf.node.name()) == (
        True,
        0,
        "torch::autograd::AccumulateGrad",
    )
    z = (y * 3).sum()
    del y
    first, second = mg.autograd.grad(z, (edge, leaf), retain_graph=True)
    assert (first.tolist(), second.tolist()) == ([3.0, 3.0], [6.0, 12.0])
    assert mg.autograd.grad(edge, x, mg.ones(2), retain_graph=True)[0].tolist() == [2.0, 4.0]
    unused = graph.get_gradient_edge(x * 2)
    assert mg.autograd.grad(z, unused, retain_graph=True, materialize_grads=True)[0].tolist() == [0.0, 0.0]
    end = graph.get_gradient_edge(z)
    mg.autograd.backward(end, retain_graph=True)
    mg.autograd.backward(end, inputs=leaf, retain_graph=True)
    assert x.grad is not None
    assert x.grad.tolist() == [12.0, 24.0]
    with pytest.raises(RuntimeError, match="must be that of a leaf"):
        mg.autograd.backward(end, inputs=[edge], retain_graph=True)
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        mg.autograd.grad(edge, x)
    with pytest.raises(RuntimeError, match="does not require gradients"):
        graph.get_gradient_edge(mg.ones(1))
    with pytest.raises(TypeError, match="must be a Tensor, not int"):
        graph.get_gradient_edge(3)  # type: ignore[arg-type]

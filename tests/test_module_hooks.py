"""Hooks of all modules, of states, of members and of records: PyTorch printed the expected values."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn.modules import module as every


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(2, 3)
        self.b = nn.BatchNorm1d(3)

    def forward(self, x: Any) -> Any:
        return self.b(self.a(x)) * 2


@pytest.fixture
def handles() -> Iterator[list[Any]]:
    kept: list[Any] = []
    yield kept
    for handle in kept:
        handle.remove()
    assert not nn.Module._hooked


def kind(module: nn.Module) -> str:
    return type(module).__name__


def test_hooks_of_all_modules_come_before_its_own(handles: list[Any]) -> None:
    log: list[Any] = []
    net = Net()
    x = mg.arange(8.0).reshape(4, 2).requires_grad_()
    without = net(x)
    net.a.register_forward_hook(lambda m, a, y: log.append("own"))
    handles += [
        every.register_module_forward_pre_hook(lambda m, a: log.append(("before", kind(m)))),
        every.register_module_forward_hook(lambda m, a, y: log.append(("after", kind(m)))),
        every.register_module_forward_hook(lambda m, a, k, y: log.append(k), with_kwargs=True),
        every.register_module_full_backward_pre_hook(lambda m, g: log.append(("pre", kind(m), len(g)))),
        every.register_module_full_backward_hook(lambda m, i, g: log.append(("full", kind(m), len(i)))),
    ]
    y = net(x)
    after = ("after", "Linear"), {}, "own"
    assert log == [
        ("before", "Net"), ("before", "Linear"), *after, ("before", "BatchNorm1d"), ("after", "BatchNorm1d"), {},
        ("after", "Net"), {},
    ]  # fmt: skip
    assert y.tolist() == without.tolist()
    log.clear()
    y.sum().backward()
    assert log == [
        ("pre", "Net", 1), ("pre", "BatchNorm1d", 1), ("full", "BatchNorm1d", 1), ("pre", "Linear", 1),
        ("full", "Linear", 1), ("full", "Net", 1),
    ]  # fmt: skip


def test_compiled_functions_see_hooks_of_all_modules_come_and_go(handles: list[Any]) -> None:
    net, x = nn.Sequential(nn.Linear(2, 3), nn.Tanh()), mg.ones(4, 2)
    compiled = mg.compile(lambda: net(x).sum())
    plain = compiled().item()
    handles.append(every.register_module_forward_hook(lambda m, a, y: y * 2))
    assert compiled().item() == net(x).sum().item() != plain
    handles.pop().remove()
    assert compiled().item() == plain


def test_what_is_registered_may_be_replaced(handles: list[Any]) -> None:
    log: list[Any] = []
    handles += [
        every.register_module_parameter_registration_hook(lambda m, n, p: log.append((kind(m), n))),
        every.register_module_buffer_registration_hook(lambda m, n, b: log.append((kind(m), n))),
        every.register_module_module_registration_hook(
            lambda m, n, child: nn.Identity() if n == "b" else log.append((kind(m), n))
        ),
    ]
    net = Net()
    assert isinstance(net.b, nn.Identity)
    assert log == [
        ("Linear", "weight"), ("Linear", "bias"), ("Net", "a"), ("BatchNorm1d", "weight"), ("BatchNorm1d", "bias"),
        ("BatchNorm1d", "running_mean"), ("BatchNorm1d", "running_var"), ("BatchNorm1d", "num_batches_tracked"),
    ]  # fmt: skip


def test_hooks_of_states() -> None:
    log: list[Any] = []
    net = Net()
    net.register_state_dict_pre_hook(lambda m, prefix, keep: log.append((prefix, keep)))
    net.a.register_state_dict_post_hook(
        lambda m, state, prefix, about: log.append((prefix, list(state), about))
    )
    net.b._register_state_dict_hook(lambda m, state, prefix, about: {"what an inner one returns": "is lost"})
    net._register_state_dict_hook(lambda m, state, prefix, about: {**state, "extra": 1})
    state = net.state_dict()
    assert list(state)[-2:] == ["b.num_batches_tracked", "extra"]
    assert log == [("", False), ("a.", ["a.weight", "a.bias"], {"version": 1})]
    net.a.register_state_dict_post_hook(lambda *about: {})
    with pytest.raises(RuntimeError, match="post-hook must return None"):
        net.state_dict()

    log.clear()
    other = Net()

    def rename(
        module: Any, state: Any, prefix: str, about: Any, strict: bool, missing: Any, *lists: Any
    ) -> None:
        log.append((module is other.a, list(state), about, strict))
        state[prefix + "bias"] = state.pop(prefix + "b")

    def forgive(module: Any, keys: Any) -> None:
        log.append((keys.unexpected_keys[:], module.a.bias.tolist()))
        keys.unexpected_keys.clear()

    del state["extra"]
    state["a.b"] = state.pop("a.bias") * 0 + 7.0
    state["c.d"] = mg.ones(1)
    handle = other.a.register_load_state_dict_pre_hook(rename)
    other.register_load_state_dict_post_hook(forgive)
    assert repr(other.load_state_dict(state)) == "<All keys matched successfully>"
    assert log == [(True, ["a.weight", "a.b"], {}, True), (["c.d"], [7.0, 7.0, 7.0])]
    twin = copy.deepcopy(other)
    assert next(iter(twin.a._load_state_dict_pre_hooks.values())).module() is twin.a
    handle.remove()
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "a.bias"'):
        other.load_state_dict(state)


def test_a_class_that_loads_itself() -> None:
    class Own(nn.Linear):
        def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
            if prefix + "w" in state_dict:
                state_dict[prefix + "weight"] = state_dict.pop(prefix + "w")
            super()._load_from_state_dict(state_dict, prefix, *rest)

    net = nn.Sequential(Own(2, 2))
    net.load_state_dict({"0.w": mg.ones(2, 2), "0.bias": mg.zeros(2)})
    assert net[0].weight.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict({"0.w": mg.ones(2, 3), "0.q": 1, "w": 2})
    assert str(caught.value).split("\n\t")[1:3] == [
        'Missing key(s) in state_dict: "0.bias". ', 'Unexpected key(s) in state_dict: "w", "0.q". '
    ]  # fmt: skip


def test_states_know_the_versions_of_their_classes() -> None:
    state = Net().state_dict()
    assert dict(state._metadata) == {"": {"version": 1}, "a": {"version": 1}, "b": {"version": 2}}
    del state["b.num_batches_tracked"]
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "b.num_batches_tracked"'):
        Net().load_state_dict(state)
    Net().load_state_dict(dict(state))  # as PyTorch before 0.4.1 wrote it
    one = nn.Module()
    one.scale = nn.Parameter(mg.tensor(1.0))
    one.load_state_dict({"scale": mg.tensor([3.0])})
    assert one.scale.item() == 3.0
    assert one.to_empty(device="cpu").scale.shape == ()


def test_hooks_of_records() -> None:
    log: list[Any] = []
    w, v = mg.tensor([1.0, 2.0], requires_grad=True), mg.tensor([3.0, 4.0], requires_grad=True)
    z = w * v

    def lists(grads: Any) -> list[Any]:
        return [None if g is None else g.tolist() for g in grads]

    z.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 10, inputs[1]))
    seen = z.grad_fn.register_hook(lambda inputs, outputs: log.append((lists(inputs), lists(outputs))))
    z.grad_fn.register_prehook(lambda outputs: (outputs[0] * 2,))
    z.register_hook(lambda g: log.append(g.tolist()))
    z.sum().backward(retain_graph=True)
    assert log == [[1.0, 1.0], ([[60.0, 80.0], [2.0, 4.0]], [[2.0, 2.0]])]
    assert w.grad.tolist() == [60.0, 80.0]
    assert v.grad.tolist() == [2.0, 4.0]
    seen.remove()
    (g,) = mg.autograd.grad((z * z).sum(), w, create_graph=True)  # the record of z*z has w*v at both places
    assert g.tolist() == [2 * 3.0 * 2 * 30.0, 2 * 8.0 * 2 * 40.0]
    w.grad = v.grad = None
    stopped = z.grad_fn.register_hook(lambda inputs, outputs: (None, inputs[1] * 5))
    z.sum().backward(retain_graph=True)
    assert w.grad is None
    assert v.grad.tolist() == [10.0, 20.0]
    stopped.remove()
    z.grad_fn.register_hook(lambda inputs, outputs: (inputs[0],))
    with pytest.raises(RuntimeError, match="must return gradients of the shapes"):
        z.sum().backward()
    # The record of a leaf, which adds its gradient to .grad.
    u = mg.ones(2, requires_grad=True)
    adds = (u * 2).grad_fn.next_functions[0][0]
    adds.register_prehook(lambda outputs: (outputs[0] * 5,))
    after = adds.register_hook(lambda *grads: log.append([*map(lists, grads), u.grad.tolist()]))
    for times in (1, 2):
        (u * 2).sum().backward()
        assert log[-1] == [[], [[10.0, 10.0]], [10.0 * times] * 2]
    after.remove()
    # What is asked for is the gradient before it goes through the record.
    assert mg.autograd.grad((u * 2).sum(), u)[0].tolist() == [2.0, 2.0]
    (u * 2).sum().backward()
    assert (log[-1][2], u.grad.tolist()) == ([20.0, 20.0], [30.0, 30.0])
    u.grad, log[:] = None, []
    adds.register_hook(lambda inputs, outputs: log.append("record"))
    u.register_post_accumulate_grad_hook(lambda t: log.append("tensor"))
    (u * 2).sum().backward(inputs=[u])
    assert (log, u.grad.tolist()) == (["tensor", "record"], [10.0, 10.0])
    adds.register_hook(lambda inputs, outputs: (outputs[0],))
    with pytest.raises(
        RuntimeError, match=r"AccumulateGrad must return gradients of the shapes \[\], or None"
    ):
        (u * 2).sum().backward()
    h = w * 3.0
    h.grad_fn.register_prehook(lambda outputs: (outputs[0] * 10,))
    h.retain_grad()
    found = mg.autograd.grad(h.sum(), (h, w), retain_graph=True)
    assert [g.tolist() for g in found] == [[1.0, 1.0], [30.0, 30.0]]
    h.sum().backward()
    assert (h.grad.tolist(), w.grad.tolist()) == ([2.0, 2.0], [30.0, 30.0])  # `grad` has filled it as well
    w.grad = None
    # What has come to an input before is not where the gradients of this record are added up.
    h, seed = w * 1.0, mg.tensor([1.0, 2.0])
    y = h + h
    y.grad_fn.register_hook(lambda inputs, outputs: log.append(lists(outputs)))
    mg.autograd.backward([y, h * 2, h * 3], [seed, mg.ones(2), mg.ones(2)])
    assert (log[-1], seed.tolist(), w.grad.tolist()) == ([[1.0, 2.0]], [1.0, 2.0], [7.0, 9.0])
    for y, expected in (
        (2 - w, [[-1.0, -1.0]]),
        (
            mg.nn.functional.linear(mg.ones(1, 2), w[None], w[:1]),
            [[1.0], None, [[1.0, 1.0]]],
        ),  # addmm(b, x, w)
    ):
        y.grad_fn.register_hook(lambda inputs, outputs: log.append(lists(inputs)))
        y.sum().backward()
        assert log[-1] == expected
    table = nn.Embedding(3, 1, sparse=True)
    y = table(mg.tensor([2, 2]))
    y.grad_fn.register_hook(lambda inputs, outputs: log.append(lists(inputs)))
    y.sum().backward()
    assert log[-1] == [[[0.0], [0.0], [2.0]]]
    assert table.weight.grad.is_sparse
    # An entry for each place of an input, in the order of the edges.
    for call, expected in (
        (lambda w: w * w, [[1.0, 2.0], [1.0, 2.0]]),
        (lambda w: w - w, [[1.0, 1.0], [-1.0, -1.0]]),
        (lambda w: 2 * w, [[2.0, 2.0], None]),
        (lambda w: mg.where(w > 1, w, w), [[0.0, 1.0], [1.0, 0.0]]),
        (lambda w: mg.stack([w, v, w]), [[1.0, 1.0], None, [1.0, 1.0]]),
    ):
        y = call(w)
        y.grad_fn.register_hook(lambda inputs, outputs: log.append(lists(inputs)))
        y.grad_fn.register_hook(lambda inputs, outputs: (*inputs[:-1], None))
        (g,) = mg.autograd.grad(y.sum(), w)
        assert log[-1] == expected
        kept = [
            d
            for d, (n, _) in zip(expected[:-1], y.grad_fn.next_functions, strict=False)
            if n and n.variable is w
        ]
        assert g.tolist() == mg.tensor(kept).sum(0).tolist()


def test_hooks_of_pytorch_before_full_ones() -> None:
    log: list[Any] = []
    layer = nn.Linear(2, 2)
    layer.register_backward_hook(lambda m, inputs, outputs: log.append((m is layer, outputs[0].shape)))
    layer(mg.ones(3, 2)).sum().backward()
    assert log == [(True, (3, 2))]
    with pytest.raises(RuntimeError, match="Cannot use both regular backward hooks and full backward hooks"):
        layer.register_full_backward_hook(print)

"""`copy`, `deepcopy` and `pickle` of Tensors, modules, optimizers and the small things: what PyTorch keeps is kept."""

from __future__ import annotations

import base64
import copy
import pickle
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def pickled(protocol: int) -> Callable[[Any], Any]:
    return lambda x: pickle.loads(pickle.dumps(x, protocol))


def saved(x: Any) -> Any:
    file = BytesIO()
    mg.save(x, file)
    file.seek(0)
    return mg.load(file)


AGAIN = [
    pytest.param(copy.copy, id="copy"),
    pytest.param(copy.deepcopy, id="deepcopy"),
    *[pytest.param(pickled(n), id=f"pickle{n}") for n in PROTOCOLS],
]
APART = AGAIN[1:]  # those that give memory of its own


class Sub(mg.Tensor):
    __slots__ = ("unit",)


class Own(mg.Tensor):
    def __getstate__(self) -> Any:
        return {"kept": "by itself"}

    def __setstate__(self, state: Any) -> None:
        self.found = state


class Weight(nn.Parameter):
    pass


@pytest.mark.parametrize("again", AGAIN)
def test_attributes_class_and_flag_are_kept(again: Any) -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    x.tag = ["a"]  # type: ignore[attr-defined]
    s = mg.Tensor._make_subclass(Sub, mg.tensor([3, 4]))
    s.unit, s.name = "m", "length"
    own = mg.Tensor._make_subclass(Own, mg.ones(1))
    buffer = nn.Buffer(mg.ones(2), persistent=False)
    for t in (x, s, own, buffer):
        t2 = again(t)
        assert type(t2) is type(t)
        assert (t2.tolist(), t2.dtype, t2.requires_grad, t2.is_leaf) == (
            t.tolist(),
            t.dtype,
            t.requires_grad,
            True,
        )
    assert again(x).tag == ["a"]
    assert (again(s).unit, again(s).name) == ("m", "length")
    assert again(own).found == {"kept": "by itself"}
    assert again(buffer).persistent is False
    assert (again(x).tag is x.tag) is (again is copy.copy)  # type: ignore[attr-defined]


@pytest.mark.parametrize("again", AGAIN)
def test_parameters_keep_their_class_and_a_deepcopy_begins_without_gradient_and_attributes(
    again: Any,
) -> None:
    for cls in (nn.Parameter, Weight):
        p = cls(mg.ones(2), requires_grad=False)
        p.tag = 1
        assert type(again(p)) is cls
        assert again(p).requires_grad is False
        assert hasattr(again(p), "tag") is (again is not copy.deepcopy)
    p = nn.Parameter(mg.ones(2))
    p.grad = mg.ones(2)
    assert again(p).grad is None
    assert again(p).requires_grad is True


def test_only_a_deepcopy_of_a_tensor_has_its_gradient() -> None:
    x = mg.ones(2, requires_grad=True)
    (x * 3.0).sum().backward()
    deep, grad = copy.deepcopy([x, x.grad])
    assert deep.grad is grad
    assert grad.tolist() == [3.0, 3.0]
    grad.zero_()
    assert x.grad is not None
    assert x.grad.tolist() == [3.0, 3.0]
    assert copy.copy(x).grad is None
    assert pickled(2)(x).grad is None


def test_a_copy_shares_memory_and_the_others_do_not() -> None:
    x = mg.arange(6.0).view(2, 3)
    for t in (x, x.t(), x[1], x[:, 1:], mg.zeros(3).expand(2, 3)):
        same, deep, loaded = copy.copy(t), copy.deepcopy(t), pickled(4)(t)
        assert same.data_ptr() == t.data_ptr()
        assert not np.shares_memory(deep.numpy(), x.numpy())
        for t2 in (same, deep, loaded):
            assert t2.tolist() == t.tolist()
            assert t2.stride() == t.stride()


def test_a_copy_of_a_result_is_a_leaf_over_its_memory() -> None:
    x = mg.ones(3, requires_grad=True)
    y = x * 2.0
    c = copy.copy(y)
    assert (c.is_leaf, c.requires_grad, c.grad_fn) == (True, True, None)
    assert c.data_ptr() == y.data_ptr()
    c.sum().backward()
    assert x.grad is None
    assert c.grad is not None
    assert pickled(2)(y).is_leaf
    assert pickled(2)(y).requires_grad
    with pytest.raises(RuntimeError, match="created explicitly by the user"):
        copy.deepcopy(y)
    # what drawing libraries do with data: a copy, and an array of it later
    with pytest.raises(
        RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad. Use tensor.detach"
    ):
        np.asarray(copy.copy(y))
    assert np.asarray(copy.copy(y.detach())).tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("again", APART)
def test_tensors_of_one_container_share_memory_as_before(again: Any) -> None:
    base = mg.arange(12.0).view(3, 4)
    large = mg.ones(300, 300) * 1.0  # on memory of minigrad's own
    array = np.zeros(3)
    found = again({"all": base, "row": base[1], "turned": base.t(), "large": large, "part": large[1:, ::2],
                   "twice": [base, base], "array": array, "over": mg.from_numpy(array)[1:]})  # fmt: skip
    found["row"].zero_()
    found["large"].zero_()
    found["array"][:] = 7.0
    assert found["all"].tolist()[1] == [0.0] * 4
    assert found["turned"].tolist()[0] == [0.0, 0.0, 8.0]
    assert found["part"].sum() == 0.0
    assert found["twice"][0] is found["twice"][1] is found["all"]
    assert found["over"].tolist() == [7.0, 7.0]
    assert base.tolist()[1] == [4.0, 5.0, 6.0, 7.0]
    assert large.sum() == 90000.0
    assert found["large"].stride() == (300, 1)


@pytest.mark.parametrize("again", AGAIN)
def test_odd_memory(again: Any) -> None:
    strange = np.zeros(4, [("x", "f4"), ("y", "O")])
    strange["x"] = [1, 2, 3, 4]
    fixed = np.lib.stride_tricks.as_strided(np.arange(6.0), (2, 3), (8, 8))
    arrays = [strange["x"], fixed, np.asfortranarray(np.ones((2, 3))), np.frombuffer(b"\1\2\3", np.uint8)[1:],
              np.arange(6.0)[::-1], np.zeros((2, 0))[:, :0], np.array(3.0),
              np.arange(4.0).view(np.int64)[1:]]  # fmt: skip
    for a in arrays:
        t2 = again(mg.from_numpy(a))
        assert t2.tolist() == a.tolist()
        assert t2.dtype == mg.from_numpy(a).dtype
        assert t2.numpy().dtype is np.dtype(a.dtype.str)


@pytest.mark.parametrize("again", [*AGAIN, pytest.param(saved, id="save")])
def test_the_order_in_memory_is_kept(again: Any) -> None:
    images = mg.arange(120.0).view(2, 3, 4, 5).to(memory_format=mg.channels_last) * 1.0
    turned = mg.arange(24).view(2, 3, 4).transpose(0, 1) * 1
    for t in (
        images,
        images[:, 1:, ::2],
        images > 7,
        turned,
        turned[1],
        images[..., None].expand(2, 3, 4, 5, 2),
    ):
        t2 = again(t)
        assert mg.equal(t2, t)
        assert (t2.stride(), t2.storage_offset()) == (t.stride(), t.storage_offset())
        assert t2.untyped_storage().tolist() == t.untyped_storage().tolist()
    assert (
        images.view_as(images).as_strided((3,), (1,)).tolist()
        == images[0, :, 0, 0].tolist()
        == [0.0, 20.0, 40.0]
    )


@pytest.mark.parametrize("again", APART)
def test_references_in_circles(again: Any) -> None:
    x = mg.ones(1)
    x.me, x.friends = x, [x]  # type: ignore[attr-defined]
    x2 = again(x)
    assert x2.me is x2
    assert x2.friends[0] is x2


def test_hooks_stay_behind_and_a_pickle_tells() -> None:
    calls: list[Any] = []
    x = mg.ones(2, requires_grad=True)
    x.register_hook(calls.append)
    for again in (copy.copy, pickled(4)):
        with pytest.warns(UserWarning, match="will not be serialized"):
            x2 = again(x)
        (x2 * 2.0).sum().backward()
    p = nn.Parameter(mg.ones(1))
    p.register_hook(calls.append)
    p.register_post_accumulate_grad_hook(calls.append)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for t in (copy.deepcopy(x), copy.copy(p), copy.deepcopy(p), pickled(4)(p)):
            (t * 2.0).sum().backward()
    assert calls == []


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)
        self.b.weight = self.a.weight
        self.register_buffer("mean", mg.zeros(2))
        self.handle = self.a.register_full_backward_hook(noted)


def noted(module: Any, grad_input: Any, grad_output: Any) -> None:
    module.calls = getattr(module, "calls", 0) + 1


@pytest.mark.parametrize("again", APART)
def test_modules_and_optimizers_go_together(again: Any) -> None:
    net = Net()
    opt = mg.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    opt.register_step_pre_hook(noted)
    net.a(mg.ones(1, 2, requires_grad=True)).sum().backward()
    opt.step()
    net2, opt2 = again((net, opt))
    assert net2.b.weight is net2.a.weight
    assert opt2.param_groups[0]["params"][0] is net2.a.weight
    assert set(map(id, opt2.state)) == set(map(id, net2.a.parameters()))
    assert opt2.state[net2.a.bias]["momentum_buffer"].tolist() == [1.0, 1.0]
    assert net2.a._backward_hooks
    assert not opt2._step_pre_hooks
    assert net2.a.calls == 1
    net2.a(mg.ones(1, 2, requires_grad=True)).sum().backward()
    assert (net2.a.calls, net.a.calls) == (2, 1)
    net2.handle.remove()
    assert not net2.a._backward_hooks
    assert net.a._backward_hooks


def test_a_copied_module_or_optimizer_shares_what_it_holds() -> None:
    net = Net()
    opt = mg.optim.SGD(net.parameters(), lr=0.1)
    assert copy.copy(net).a is net.a
    assert copy.copy(net)._parameters is net._parameters
    assert copy.copy(opt).param_groups is opt.param_groups


@pytest.mark.parametrize("again", AGAIN)
def test_small_things(again: Any) -> None:
    for x in (mg.float32, mg.int8, mg.bool, mg.Size([2, 3]), mg.device("cpu"), mg.relu, mg.no_grad):
        assert again(x) == x
        assert type(again(x)) is type(x)
    assert again(mg.float16) is mg.float16
    g = mg.random.Generator().manual_seed(1)
    mg.randn(3, generator=g)
    g2 = again(g)
    assert g2.initial_seed() == 1
    assert mg.randn(2, generator=g2).tolist() == mg.randn(2, generator=g).tolist()
    greatest = again(mg.tensor([1.0, 3.0]).max(0))
    assert (greatest.values.item(), greatest.indices.item()) == (3.0, 1)


OF_0_1_0 = (
    "c-noE&uiN-6vv%3O;b`<=vXg1mO^^*X~&I~Wv6+hWjz-m+j1mkOGZB^ITX4>x)=m2<n_?o{?ql@Zrn1)Brtk<->3I^&+le%|IiPb"
    "bqN!{UkEAYnx>&;(kKmnL^Ly2X$EWXhtd`0A|wggVc~KssMd4=eh*cNlE!M6*jl;WD8cW@w3VzO3YIYK#qblp!6fQM{Uz`nzn$7e"
    "**xCQ-a)l$y<5Kb9%i%Imp{0gPZU^)tLZ2RZayOHDWJK!MX^8Vn57JJAsI#N;n()ChLay~jg^h8rl^y1Sotw2sip<9Oq<3zykcU`"
    "E%-Mt-|9r*ch9@?8u%6;^4+=|KHe0A`xf}?YC71!RW)2oIEV!`z>ohKxZH%D{uSo1_p!^e7Sa!-vJCi<-^X6ZPUPv6w<bFB!%v;@"
    "-z>kMvsAU$__stVNlHv34E}YyNlFZ}@CzpV!yS?oDs?$)NDfG*^cB@9DK#TpsqY5-I8k}d5-V^D&^ps8(=7cgnsGS6CcNsR+6aD8"
    "-;RYO8Kc(WltI+<d&=3D7cOSuBZ(*oEd"
)


def test_pickles_of_0_1_0_load() -> None:
    x, linear = pickle.loads(zlib.decompress(base64.b85decode(OF_0_1_0)))
    assert (x.tolist(), x.requires_grad, x.is_leaf) == ([1.0, 2.0], True, True)
    assert (type(linear.note), linear.note.persistent) == (nn.Buffer, False)
    generator, other = mg.Generator().manual_seed(3), mg.Generator()
    other.__setstate__(generator.get_state().numpy())
    assert mg.rand(2, generator=other).tolist() == mg.rand(2, generator=generator).tolist()
    calls: list[Any] = []
    linear.register_full_backward_hook(lambda *given: calls.append(given))
    y = linear(x.view(2, 1))
    y.sum().backward()
    assert y.tolist() == [[5.0], [7.0]]
    assert len(calls) == 1
    assert x.numpy(force=True).dtype is np.dtype(np.float32)


def test_while_a_function_is_recorded_a_copy_is_refused() -> None:
    for again in (copy.copy, copy.deepcopy, pickled(4)):
        with pytest.raises(RuntimeError, match=r"a copy or a pickle of a Tensor|reaches the module pickle"):
            mg.compile(lambda x, again=again: again(x) * 2.0)(mg.ones(2))

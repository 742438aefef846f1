"""nn: Module, the containers, Linear, ReLU, the losses. Where a literal is given, torch 2.13 printed it."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.core.contents import Contents, join, walk
from minigrad.nn import functional as F
from minigrad.nn.utils import parametrizations

pytestmark = pytest.mark.filterwarnings("error")


class Net(nn.Module):
    """Two layers, a shared weight, buffers of both kinds, a plain attribute."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.second = nn.Linear(2, 3, bias=False)
        self.second.weight = self.first.weight
        self.scale = nn.Parameter(mg.ones(1))
        self.register_buffer("mean", mg.zeros(3))
        self.register_buffer("cache", mg.zeros(2), persistent=False)
        self.count = 0

    def forward(self, x):
        return self.first(x) * self.scale + self.second(x)


class Doubler(nn.Module):
    def forward(self, x, y=0):
        return x * 2 + y


def names(pairs):
    return [name for name, _ in pairs]


# -------------------------------------------------------------------- parameters


def test_parameter():
    data = mg.tensor([1.0, 2.0])
    p = nn.Parameter(data)
    assert isinstance(p, mg.Tensor)
    assert p.requires_grad
    assert p.is_leaf
    data[0] = 5.0
    assert p.tolist() == [5.0, 2.0]  # memory is shared
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert repr(p) == "Parameter containing:\ntensor([5., 2.], requires_grad=True)"
    assert nn.Parameter().shape == (0,)
    with mg.no_grad():
        assert nn.Parameter(data).requires_grad


def test_parameter_of_a_computed_tensor_forgets_its_history():
    x = mg.ones(2, requires_grad=True)
    p = nn.Parameter(x * 2)
    assert p.is_leaf
    assert p.grad_fn is None


def test_parameter_errors():
    with pytest.raises(TypeError, match=r"Parameter expects a Tensor, got list; .*minigrad\.tensor"):
        nn.Parameter([1.0])
    with pytest.raises(RuntimeError, match="floating point"):
        nn.Parameter(mg.tensor([1, 2]))
    assert not nn.Parameter(mg.tensor([1, 2]), requires_grad=False).requires_grad


def test_results_of_parameters_are_plain_tensors():
    p = nn.Parameter(mg.ones(2))
    for t in (p * 2, p + p, p.detach(), p.data, p.clone(), p[0], p.reshape(1, 2)):
        assert type(t) is mg.Tensor
    p.sum().backward()
    assert type(p.grad) is mg.Tensor


@pytest.mark.parametrize("again", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_parameter_copies_and_pickles(again):
    for flag in (True, False):
        p = nn.Parameter(mg.tensor([1.0, 2.0]), requires_grad=flag)
        q = again(p)
        assert type(q) is nn.Parameter
        assert q.requires_grad is flag
        assert q.tolist() == p.tolist()
        with mg.no_grad():
            q.add_(1)
        assert p.tolist() == [1.0, 2.0]
    b = again(nn.Buffer(mg.ones(2), persistent=False))
    assert type(b) is nn.Buffer
    assert not b.persistent


# -------------------------------------------------------------------- registering and attributes


def test_assignment_registers_in_order():
    net = Net()
    assert names(net.named_parameters()) == ["scale", "first.weight", "first.bias"]
    assert names(net.named_buffers()) == ["mean", "cache"]
    assert names(net.named_children()) == ["first", "second"]
    assert names(net.named_modules()) == ["", "first", "second"]
    net.first = nn.Linear(2, 2)  # replaced in place, not moved to the end
    assert names(net.named_children()) == ["first", "second"]


def test_shared_parameters_come_once():
    net = Net()
    assert len(list(net.parameters())) == 3
    every = ["scale", "first.weight", "first.bias", "second.weight"]
    assert names(net.named_parameters(remove_duplicate=False)) == every
    assert names(net.named_parameters("model", recurse=False)) == ["model.scale"]
    assert names(net.named_parameters("model"))[1] == "model.first.weight"
    assert next(net.parameters(recurse=False)) is net.scale


def test_shared_modules_come_once():
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, nn.ReLU(), layer)
    assert names(net.named_modules()) == ["", "0", "1"]
    assert names(net.named_modules(remove_duplicate=False)) == ["", "0", "1", "2"]
    assert names(net.named_modules(prefix="net")) == ["net", "net.0", "net.1"]
    assert len(list(net.children())) == 2
    assert len(list(net.modules())) == 3
    assert len(list(net.modules(remove_duplicate=False))) == 4
    assert len(list(net.parameters())) == 2
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_shared_buffers_come_once():
    net = nn.Module()
    net.a = nn.Buffer(mg.ones(1))
    net.b = net.a
    assert names(net.named_buffers()) == ["a"]
    assert names(net.named_buffers(remove_duplicate=False)) == ["a", "b"]
    assert len(list(net.buffers())) == 1


def test_functions_in_a_class_are_no_methods():
    class Net(nn.Module):
        act = mg.tanh

        def half(self, x):
            return self.act(x) / 2

    assert Net().half(mg.zeros(2)).tolist() == [0.0, 0.0]


def test_a_name_changes_its_kind():
    m = nn.Module()
    m.x = 1
    m.x = nn.Parameter(mg.ones(1))
    assert "x" not in m.__dict__
    assert names(m.named_parameters()) == ["x"]
    m.x = None
    assert m.x is None
    assert list(m.parameters()) == []
    m.x = nn.Parameter(mg.ones(1))
    del m.x
    assert not hasattr(m, "x")
    m.x = nn.Buffer(mg.ones(1))
    m.x = nn.Linear(1, 1)
    assert names(m.named_buffers()) == []
    assert names(m.named_children()) == ["x"]
    m.x = nn.Parameter(mg.ones(1))
    assert names(m.named_children()) == []
    del m.x
    m.x = 3
    assert m.__dict__["x"] == 3
    del m.x
    with pytest.raises(AttributeError):
        del m.x


def test_assigning_the_wrong_kind():
    m = nn.Linear(1, 1)
    with pytest.raises(
        TypeError,
        match=r"'minigrad.Tensor' as parameter 'weight' \(.*Parameter or None.*wrap it in nn.Parameter",
    ):
        m.weight = mg.ones(1, 1)
    with pytest.raises(TypeError, match=r"cannot assign .*ReLU' as parameter 'weight'"):
        m.weight = nn.ReLU()
    with pytest.raises(TypeError, match=r"cannot assign .*Buffer' as parameter 'weight'"):
        m.weight = nn.Buffer(mg.ones(1))
    net = Net()
    with pytest.raises(
        TypeError, match=r"cannot assign 'int' as child module 'first' \(.*Module or None expected\)"
    ):
        net.first = 3
    with pytest.raises(
        TypeError, match=r"cannot assign 'list' as buffer 'mean' \(.*Tensor or None expected\)"
    ):
        net.mean = [1.0]
    with pytest.raises(TypeError, match=r"None expected\); compile the outermost module"):
        net.first = mg.compile(net.first)
    net.mean = mg.ones(3)
    assert names(net.named_buffers()) == ["mean", "cache"]
    net.mean = None
    assert names(net.named_buffers()) == ["cache"]
    net.first = None
    assert names(net.named_children()) == ["second"]


def test_a_plain_tensor_is_not_registered():
    m = nn.Module()
    m.t = mg.ones(1)
    assert list(m.parameters()) == []
    assert list(m.buffers()) == []


def test_assigning_before_init():
    class Forgot(nn.Module):
        def __init__(self, value):
            self.value = value

    for value, kind in [
        (nn.ReLU(), "module"),
        (nn.Parameter(mg.ones(1)), "parameters"),
        (nn.Buffer(), "buffer"),
    ]:
        with pytest.raises(AttributeError, match=rf"cannot assign {kind} before Module.__init__\(\) call"):
            Forgot(value)
    m = Forgot(3)  # plain attributes are fine
    assert m.value == 3
    for use in (lambda: m(1), m.state_dict, lambda: list(m.parameters()), lambda: m.weight):
        with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
            use()
    for register in (m.register_buffer, m.register_parameter, m.add_module):
        with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
            register("x", None)


def test_a_property_that_finds_nothing_leaves_its_name_free():
    class Base(nn.Module):
        @property
        def best(self):
            return super().best

        @property
        def taken(self):
            return 1

    m = Base()
    m.register_buffer("best", mg.ones(1))
    assert [name for name, _ in m.named_buffers()] == ["best"]
    with pytest.raises(KeyError, match="'taken' already exists"):
        m.register_buffer("taken", mg.ones(1))


@pytest.mark.parametrize(
    "register", ["register_parameter", "register_buffer", "add_module", "register_module"]
)
def test_registering_errors(register):
    m = Net()
    add = getattr(m, register)
    with pytest.raises(KeyError, match="empty string"):
        add("", None)
    with pytest.raises(KeyError, match=r"name can.*contain"):
        add("a.b", None)
    with pytest.raises(TypeError, match=r"should be a string. Got int"):
        add(3, None)
    for taken in ("count", "forward", "training"):
        with pytest.raises(KeyError, match=f"attribute '{taken}' already exists"):
            add(taken, None)
    other = "mean" if register != "register_buffer" else "scale"
    with pytest.raises(KeyError, match="already exists"):
        add(other, None)
    with pytest.raises(TypeError, match=r"str is not a Module subclass|cannot assign 'str' object to"):
        add("fresh", "text")
    add("fresh", None)
    assert m.fresh is None


def test_registering_a_computed_tensor():
    p = nn.Parameter(mg.ones(2))
    m = nn.Module()
    with pytest.raises(
        TypeError, match=r"cannot assign 'minigrad.Tensor' object to parameter 'w' \(.*Parameter or None"
    ):
        m.register_parameter("w", p * 2)


def test_a_mistyped_attribute_is_named():
    layer = nn.Linear(2, 3)
    with pytest.raises(AttributeError) as caught:
        _ = layer.weigth
    assert str(caught.value) == "'Linear' object has no attribute 'weigth'. Did you mean: 'weight'?"
    assert caught.value.name == "weigth"
    with pytest.raises(AttributeError, match=r"'Linear' object has no attribute 'zzz'$"):
        _ = layer.zzz
    with pytest.raises(AttributeError, match=r"has no attribute 'frist'. Did you mean: 'first'\?"):
        _ = Net().frist
    assert getattr(layer, "absent", 7) == 7
    assert not hasattr(layer, "__array__")


def test_a_mistyped_attribute_is_suggested_once_in_a_traceback():
    import subprocess
    import sys

    code = "from minigrad import nn; nn.Linear(2, 3).weigth"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert shown.stderr.count("Did you mean") == 1


def test_an_error_in_a_property_is_not_hidden():
    class Odd(nn.Module):
        @property
        def size(self):
            return self.missing_thing

    with pytest.raises(AttributeError, match="missing_thing"):
        _ = Odd().size


def test_dir_lists_members():
    listed = dir(Net())
    for name in ("scale", "mean", "first", "count", "forward", "training"):
        assert name in listed
    assert listed == sorted(listed)
    assert "0" not in dir(nn.Sequential(nn.ReLU()))


def test_getting_by_path():
    net = nn.Sequential(OrderedDict(body=Net(), act=nn.ReLU()))
    assert net.get_submodule("") is net
    assert net.get_submodule("body.first") is net.body.first
    assert net.get_parameter("body.first.weight") is net.body.first.weight
    assert net.get_buffer("body.mean") is net.body.mean
    for get, path, message in [
        (net.get_submodule, "body.frist", "Net has no attribute `frist`. Did you mean: 'first'?"),
        (net.get_submodule, "body.scale", "`scale` is not an nn.Module"),
        (net.get_parameter, "body.first.weigth", "Linear has no attribute `weigth`. Did you mean: 'weight'?"),
        (net.get_parameter, "body.mean", "`mean` is not an nn.Parameter"),
        (net.get_buffer, "body.scale", "`scale` is not a buffer"),
        (net.get_buffer, "body.meen", "Net has no attribute `meen`. Did you mean: 'mean'?"),
    ]:
        with pytest.raises(AttributeError) as caught:
            get(path)
        assert str(caught.value) == message


def test_set_submodule():
    net = nn.Sequential(Net())
    new = nn.Linear(4, 4)
    net.set_submodule("0.first", new)
    assert net[0].first is new
    net.set_submodule("0.extra", new)
    assert net[0].extra is new
    with pytest.raises(AttributeError, match="Net has no attribute `nope`"):
        net.set_submodule("0.nope", new, strict=True)
    with pytest.raises(AttributeError, match=r"`count` is not an nn.Module"):
        net.set_submodule("0.count", new)
    with pytest.raises(ValueError, match="without a target name"):
        net.set_submodule("", new)
    with pytest.raises(ValueError, match=r"is not an nn.Module"):
        net.set_submodule("0.first", 3)


# -------------------------------------------------------------------- changing all at once


def test_train_and_eval():
    net = nn.Sequential(nn.Sequential(nn.ReLU()), nn.ReLU())
    assert all(m.training for m in net.modules())
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train() is net
    assert all(m.training for m in net.modules())
    with pytest.raises(ValueError, match="training mode is expected to be boolean"):
        net.train(1)


def test_requires_grad_():
    net = Net()
    assert net.requires_grad_(False) is net
    assert not any(p.requires_grad for p in net.parameters())
    net.requires_grad_()
    assert all(p.requires_grad for p in net.parameters())


def test_zero_grad():
    net = nn.Linear(2, 1)
    net(mg.ones(1, 2)).sum().backward()
    kept = net.weight.grad
    net.zero_grad(set_to_none=False)
    assert net.weight.grad is kept
    assert kept.tolist() == [[0.0, 0.0]]
    net.zero_grad()
    assert net.weight.grad is None
    assert net.bias.grad is None


def test_zero_grad_of_a_recorded_gradient():
    w = nn.Parameter(mg.tensor(3.0))
    m = nn.Module()
    m.w = w
    (w**3).backward(create_graph=True)
    assert w.grad.requires_grad
    m.zero_grad(set_to_none=False)
    assert not w.grad.requires_grad
    assert w.grad.item() == 0


def test_apply_visits_children_first():
    seen = []
    net = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Identity()))
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["ReLU", "Identity", "Sequential", "Sequential"]


def test_private_names_that_classes_override_and_call():
    class Own(nn.Linear):
        def _apply(self, fn, recurse=True):
            super()._apply(fn, recurse=recurse)
            self.seen = self.weight.dtype
            return self

        def __call__(self, *args):
            return self._call_impl(*args) * 2

    m = Own(2, 2)
    net = nn.Sequential(m)
    assert net.double()[0].seen is mg.float64
    assert net._apply(lambda t: t.float(), recurse=False)[0].weight.dtype is mg.float64
    assert net.to_empty(device="cpu") is net
    m.register_forward_hook(lambda module, args, y: y + 1)
    x = mg.ones(1, 2, dtype=mg.float64)
    nn.init.ones_(m.weight)
    assert mg.equal(m(x), 2 * (m.forward(x) + 1))
    members = lambda one: one._parameters.items()  # noqa: E731
    assert [name for name, _ in net._named_members(members, prefix="p")] == ["p.0.weight", "p.0.bias"]
    assert not list(net._named_members(members, recurse=False))

    class Stable(nn.Embedding):
        def reset_parameters(self):
            nn.init.xavier_uniform_(self.weight)
            self._fill_padding_idx_with_zero()

    assert Stable(3, 2, padding_idx=1).weight[1].tolist() == [0, 0]

    class Doubled(parametrizations._SpectralNorm):
        def _power_method(self, weight_mat, n_power_iterations):
            super()._power_method(weight_mat, 2 * n_power_iterations)

        def forward(self, weight):
            return 2 * self._reshape_weight_to_matrix(super().forward(weight))

    assert float(Doubled(mg.eye(3)).eval()(mg.eye(3)).norm(2, (0, 1)) ** 2) >= 12 - 1e-3

    class Told(mg.optim.lr_scheduler.ReduceLROnPlateau):
        def _reduce_lr(self, epoch):
            told.append(epoch)
            super()._reduce_lr(epoch)

    told = []
    scheduler = Told(mg.optim.SGD(net.parameters(), 1.0), patience=1)
    for metric in (1.0, 1.0, 1.0, 1.0):
        scheduler.step(metric)
    assert (told, scheduler.get_last_lr()) == ([3], [0.1])
    assert mg.Tensor.__rdiv__ is mg.Tensor.__rtruediv__
    assert mg.Tensor.__div__ is mg.Tensor.__truediv__
    assert mg.tensor(3.0).__idiv__(2.0) == 1.5
    assert mg.Tensor.__nonzero__(mg.tensor(3.0))


def test_dtype_conversions_keep_the_parameters_themselves():
    net = Net()
    net.register_buffer("steps", mg.tensor(3))
    net(mg.ones(1, 2)).sum().backward()
    weight, before = net.first.weight, net.first.weight.detach().clone()
    assert net.double() is net
    assert net.first.weight is weight
    assert net.second.weight is weight
    assert {p.dtype for p in net.parameters()} == {mg.float64}
    assert weight.grad.dtype is mg.float64
    assert weight.requires_grad
    assert weight.is_leaf
    assert net.mean.dtype is mg.float64
    assert net.steps.dtype is mg.int64
    assert weight.tolist() == before.double().tolist()
    net(mg.ones(1, 2, dtype=mg.float64)).sum().backward()
    for convert, dtype in [
        (net.float, mg.float32),
        (net.half, mg.float16),
        (lambda: net.to(mg.float64), mg.float64),
        (lambda: net.to("cpu", mg.float32), mg.float32),
        (lambda: net.to(dtype=mg.float64, non_blocking=True), mg.float64),
        (lambda: net.to(mg.ones(1)), mg.float32),
        (lambda: net.type(mg.float64), mg.float64),
        (lambda: net.to("cpu"), mg.float64),
        (lambda: net.to(device="cpu"), mg.float64),
        (lambda: net.to(net.scale.device), mg.float64),
        (net.cpu, mg.float64),
    ]:
        assert convert() is net
        assert {p.dtype for p in net.parameters()} == {dtype}
        assert weight.grad.dtype is dtype
        assert net.mean.dtype is dtype
    assert net.steps.dtype is mg.float64  # type() converts integers too


def test_to_errors():
    net = nn.Linear(1, 1)
    with pytest.raises(TypeError, match=r"only accepts floating point .*int64"):
        net.to(mg.int64)
    with pytest.raises(AssertionError, match="CPU only, got device 'cuda:0'"):
        net.to("cuda:0")
    with pytest.raises(AssertionError, match="CPU only"):
        nn.Linear(1, 1, device="cuda")
    with pytest.raises(TypeError):
        net.to(3.5)
    with pytest.raises(TypeError):
        net.to(dtype="float64")


# -------------------------------------------------------------------- state


def test_state_dict():
    net = Net()
    state = net.state_dict()
    assert list(state) == ["scale", "mean", "first.weight", "first.bias", "second.weight"]
    assert all(type(t) is mg.Tensor and not t.requires_grad for t in state.values())
    with mg.no_grad():
        net.scale.fill_(4.0)
    assert state["scale"].tolist() == [4.0]  # shares memory
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    given = {"old": 1}
    assert net.state_dict(destination=given, prefix="net.") is given
    assert list(given)[:2] == ["old", "net.scale"]


def test_load_state_dict():
    a, b = Net(), Net()
    state = copy.deepcopy(a.state_dict())
    kept = b.first.weight
    result = b.load_state_dict(state)
    assert repr(result) == str(result) == "<All keys matched successfully>"
    assert result.missing_keys == result.unexpected_keys == []
    assert b.first.weight is kept
    for name, t in b.state_dict().items():
        assert t.tolist() == state[name].tolist()
    b.load_state_dict({k: v.double() for k, v in state.items()})
    assert b.first.weight.dtype is mg.float32  # the module's dtype stays
    assert kept.requires_grad
    assert kept.is_leaf


def test_load_state_dict_lists_all_that_is_wrong_and_changes_nothing():
    net = Net()
    before = copy.deepcopy(net.state_dict())
    bad = {k: v + 1 for k, v in before.items()}
    del bad["scale"], bad["mean"]
    bad["first.weight"] = mg.ones(7, 7)
    bad["first.wieght"] = mg.ones(1)
    bad["other.weight"] = mg.ones(1)
    bad["first.bias"] = [1.0]
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(bad)
    lines = str(caught.value).split("\n\t")
    assert lines[:3] == [
        "Error(s) in loading state_dict for Net:",
        'Missing key(s) in state_dict: "scale", "mean". ',
        'Unexpected key(s) in state_dict: "other.weight", "first.wieght". ',
    ]
    assert lines[3].startswith("size mismatch for first.weight: copying a param with shape ")
    assert "7, 7" in lines[3]
    assert "3, 2" in lines[3]
    assert lines[4].startswith('While copying the parameter named "first.bias", expected minigrad.Tensor')
    for k, v in net.state_dict().items():
        assert v.tolist() == before[k].tolist(), k

    # Shapes must fit also when names need not.
    with pytest.raises(RuntimeError, match=r"size mismatch for first.weight") as caught:
        net.load_state_dict(bad, strict=False)
    assert "Missing" not in str(caught.value)
    for k, v in net.state_dict().items():
        assert v.tolist() == before[k].tolist(), k


def test_load_state_dict_not_strict():
    net = Net()
    result = net.load_state_dict({"scale": mg.tensor([9.0]), "nothing": mg.ones(1)}, strict=False)
    assert result.missing_keys == ["mean", "first.weight", "first.bias", "second.weight"]
    assert result.unexpected_keys == ["nothing"]
    assert "missing_keys=['mean'" in repr(result)
    assert net.scale.item() == 9.0
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like, got <class 'list'>"):
        net.load_state_dict([])


def test_load_state_dict_assign():
    net = Net().requires_grad_(False)
    state = {k: v.double() for k, v in net.state_dict().items()}
    net.load_state_dict(state, assign=True)
    assert net.scale.dtype is mg.float64
    assert isinstance(net.scale, nn.Parameter)
    assert not net.scale.requires_grad  # stays as it was
    assert net.mean is state["mean"]
    state["scale"].fill_(5.0)
    assert net.scale.item() == 5.0
    given = nn.Parameter(mg.ones(1))
    net.load_state_dict({**state, "scale": given}, assign=True)
    assert net.scale is given
    assert not given.requires_grad
    given = nn.Parameter(mg.ones(3))
    net.load_state_dict({**state, "mean": given}, assign=True)  # the buffer becomes a parameter
    assert net.mean is given
    assert ("mean" in dict(net.named_parameters()), "mean" in dict(net.named_buffers())) == (True, False)


def test_none_is_not_part_of_the_state():
    layer = nn.Linear(2, 2, bias=False)
    assert list(layer.state_dict()) == ["weight"]
    with pytest.raises(RuntimeError, match=r'Unexpected key.*"bias"'):
        layer.load_state_dict(nn.Linear(2, 2).state_dict())


def test_extra_state():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.n = 0

        def get_extra_state(self):
            return {"n": self.n}

        def set_extra_state(self, state):
            self.n = state["n"]

    a, b = nn.Sequential(Counter()), nn.Sequential(Counter())
    a[0].n = 5
    assert a.state_dict() == {"0._extra_state": {"n": 5}}
    b.load_state_dict(a.state_dict())
    assert b[0].n == 5
    with pytest.raises(RuntimeError, match=r'Missing key.*"0._extra_state"'):
        b.load_state_dict({})
    with pytest.raises(RuntimeError, match=r'Unexpected key.*"_extra_state"'):
        nn.ReLU().load_state_dict({"_extra_state": 1})


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_modules_copy_and_pickle(again):
    net = Net().eval()
    net.register_forward_hook(hook_add_one)
    net.register_buffer("later", mg.zeros(1), persistent=False)
    twin = again(net)
    assert not twin.training
    assert twin.second.weight is twin.first.weight  # shared stays shared
    assert twin.first.weight is not net.first.weight
    assert list(twin.state_dict()) == list(net.state_dict())
    x = mg.ones(1, 2)
    assert twin(x).tolist() == net(x).tolist()
    with mg.no_grad():
        twin.scale.add_(1.0)
    assert net.scale.item() == 1.0
    handle = twin.register_forward_hook(hook_add_one)
    assert len(twin._forward_hooks) == 2  # a new hook does not replace one that was pickled
    handle.remove()
    assert len(twin._forward_hooks) == 1


def hook_add_one(module, args, output):
    return output + 1


# -------------------------------------------------------------------- calls and hooks


def test_forward_is_required():
    with pytest.raises(
        NotImplementedError, match=r'Module \[Module\] is missing the required "forward" function'
    ):
        nn.Module()(1)

    class Net(nn.Module):
        def foward(self, x): ...

    with pytest.raises(NotImplementedError, match=r"Did you mean: 'foward'"):
        Net()(1)


class Held:
    """No Module: it publishes what it holds."""

    def __init__(self, **inner):
        self.own = {"weight": mg.ones(3, requires_grad=True), "none": None}
        self.mean = {"mean": mg.zeros(3)}
        self.inner = inner

    def __minigrad_contents__(self):
        return Contents(self.own, self.mean, self.inner)

    def __call__(self, x):
        x = x * self.own["weight"] - self.mean["mean"]
        for module in self.inner.values():
            x = module(x)
        return x


def test_every_reader_takes_an_object_that_publishes_what_it_holds():
    inner = Held()
    model, x = Held(first=inner, again=inner), mg.arange(3.0)
    loss = model(x).sum()
    assert "first_weight" in mg.source(loss, params=model, inputs={"x": x})
    assert {"weight", "first.weight"} <= {row.name for row in mg.tape_table(loss, model)}
    assert "first" in mg.draw(loss, params=model).dot
    names = ["weight", "mean", "first.weight", "first.mean", "again.weight", "again.mean"]
    assert [join(path, k) for path, _, held in walk(model, shared=True) for t in (held.parameters, held.buffers)
            for k, v in t.items() if v is not None] == names  # fmt: skip
    assert mg.func.functional_call(model, {"first.weight": mg.zeros(3)}, x).tolist() == [0, 0, 0]
    assert model(x).tolist() == x.tolist()


def test_compile_takes_an_object_that_publishes_what_it_holds():
    model, x = Held(first=nn.Linear(3, 3)), mg.arange(3.0)
    run = mg.compile(lambda x: model(x))
    assert run(x).tolist() == run(x).tolist() == model(x).tolist()
    model.own["weight"] = mg.full((3,), 2.0, requires_grad=True)
    assert run(x).tolist() == model(x).tolist()
    model.inner.clear()
    assert run(x).tolist() == [0, 2, 4]


def test_what_a_module_publishes_is_what_it_works_with():
    net = nn.Sequential(nn.Linear(2, 2, bias=False))
    net[0].register_buffer("mean", mg.zeros(2), persistent=False)
    contents = net[0].__minigrad_contents__()
    assert [*contents.parameters, *contents.buffers, *contents.unsaved] == ["weight", "bias", "mean", "mean"]
    contents.buffers["mean"] = mg.ones(2)
    assert net[0].mean.tolist() == [1, 1]
    assert [path for path, _, _ in walk(net)] == ["", "0"]
    opt = mg.optim.SGD(net.parameters(), momentum=0.9)
    assert opt.__minigrad_contents__().groups is opt.param_groups
    assert opt.__minigrad_contents__().state is opt.state


def test_forward_hooks():
    m = Doubler()
    seen = []
    first = m.register_forward_hook(lambda mod, args, out: seen.append((mod, args, out)))
    m.register_forward_hook(lambda mod, args, out: out + 1)
    m.register_forward_hook(lambda mod, args, kwargs, out: out * kwargs["y"], prepend=True, with_kwargs=True)
    assert m(5, y=3) == (5 * 2 + 3) * 3 + 1
    assert seen == [(m, (5,), 39)]
    first.remove()
    first.remove()
    assert m(5, y=3) == 40
    assert len(seen) == 1


def test_forward_pre_hooks():
    m = Doubler()
    with m.register_forward_pre_hook(lambda mod, args: args[0] + 1):
        assert m(5) == 12
        m.register_forward_pre_hook(lambda mod, args: (args[0] * 10,), prepend=True)
        m.register_forward_pre_hook(lambda mod, args: None)
        assert m(5) == 102
    assert m(5) == 100
    with m.register_forward_pre_hook(lambda mod, args, kwargs: (args, {"y": 7}), with_kwargs=True):
        assert m(5) == 107
    with (
        m.register_forward_pre_hook(lambda mod, args, kwargs: 3, with_kwargs=True),
        pytest.raises(
            RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\), but got 3"
        ),
    ):
        m(5)
    assert m(5) == 100


def test_forward_hooks_that_are_always_called():
    m = Doubler()
    seen = []
    m.register_forward_hook(lambda mod, args, out: seen.append("usual"))
    m.register_forward_hook(lambda mod, args, out: seen.append(out), always_call=True)
    m("a" * 2, y="b")
    assert seen == ["usual", "aaaab"]
    with pytest.raises(TypeError):
        m("a", y=1)
    assert seen == ["usual", "aaaab", None]

    def fails(mod, args, out):
        raise ValueError("second error")

    m.register_forward_hook(fails, always_call=True)
    with (
        pytest.warns(UserWarning, match="silenced as another error was raised in forward: second error"),
        pytest.raises(TypeError),
    ):
        m("a", y=1)


def test_a_hook_that_ran_is_not_called_again_when_a_later_one_fails():
    m = Doubler()
    seen = []
    m.register_forward_hook(lambda mod, args, out: seen.append(out), always_call=True)
    m.register_forward_hook(lambda mod, args, out: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        m(3)
    assert seen == [6]


def test_a_hook_may_remove_itself():
    m = Doubler()

    def once(mod, args, out):
        handle.remove()
        return 0

    handle = m.register_forward_hook(once)
    assert m(1) == 0
    assert m(1) == 2


# -------------------------------------------------------------------- printing


def test_repr():
    net = nn.Sequential(nn.Sequential(nn.Linear(1, 2), nn.Tanh()), nn.Flatten(), nn.ReLU(inplace=True))
    assert repr(net) == (
        "Sequential(\n"
        "  (0): Sequential(\n"
        "    (0): Linear(in_features=1, out_features=2, bias=True)\n"
        "    (1): Tanh()\n"
        "  )\n"
        "  (1): Flatten(start_dim=1, end_dim=-1)\n"
        "  (2): ReLU(inplace=True)\n"
        ")"
    )
    assert repr(nn.Module()) == "Module()"
    assert repr(nn.MSELoss()) == "MSELoss()"
    assert repr(nn.Linear(3, 1, bias=False)) == "Linear(in_features=3, out_features=1, bias=False)"

    class Wordy(nn.Module):
        def extra_repr(self):
            return "a=1\nb=2"

    assert repr(Wordy()) == "Wordy(\n  a=1\n  b=2\n)"
    wordy = Wordy()
    wordy.child = nn.Identity()
    assert repr(wordy) == "Wordy(\n  a=1\n  b=2\n  (child): Identity()\n)"


def test_repr_of_containers():
    assert repr(nn.ModuleList([nn.Linear(1, 2), nn.Linear(1, 2), nn.ReLU(True)])) == (
        "ModuleList(\n"
        "  (0-1): 2 x Linear(in_features=1, out_features=2, bias=True)\n"
        "  (2): ReLU(inplace=True)\n"
        ")"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"
    assert repr(nn.ModuleDict({"a": nn.ReLU()})) == "ModuleDict(\n  (a): ReLU()\n)"
    assert repr(nn.ParameterList([mg.zeros(2, 3), 5])) == (
        "ParameterList(\n"
        f"    (0): Parameter containing: [{mg.float32} of size 2x3]\n"
        "    (1): Object of type: int\n"
        ")"
    )


# -------------------------------------------------------------------- containers


def layers(n):
    return [nn.Linear(i + 1, i + 2) for i in range(n)]


def test_sequential_runs_in_order():
    mg.manual_seed(0)
    a, b = nn.Linear(2, 3), nn.Linear(3, 1)
    net = nn.Sequential(a, nn.ReLU(), b)
    x = mg.randn(4, 2)
    assert net(x).tolist() == b(a(x).relu()).tolist()
    assert nn.Sequential()(3) == 3
    named = nn.Sequential(OrderedDict([("in", a), ("out", b)]))
    assert names(named.named_children()) == ["in", "out"]
    assert named.out is b
    with pytest.raises(TypeError, match="int is not a Module subclass"):
        nn.Sequential(3)
    with pytest.raises(TypeError, match="Compiled is not a Module subclass; compile the outermost module"):
        nn.Sequential(mg.compile(a))


def test_sequential_is_a_sequence():
    a, b, c, d = layers(4)
    net = nn.Sequential(a, b, c)
    assert len(net) == 3
    assert list(net) == [a, b, c]
    assert net[0] is a
    assert net[-1] is c
    assert list(net[1:]) == [b, c]
    assert type(net[1:]) is nn.Sequential
    assert names(net[1:].named_children()) == ["1", "2"]  # a slice keeps the names
    assert list(net[::-2]) == [c, a]
    net[1] = d
    assert list(net) == [a, d, c]
    for bad in (3, -4):
        with pytest.raises(IndexError, match=f"index {bad} is out of range"):
            _ = net[bad]
    with pytest.raises(TypeError):
        _ = net["0"]
    with pytest.raises(TypeError, match="child module"):
        net[0] = 3


def test_sequential_grows_and_shrinks():
    a, b, c, d = layers(4)
    net = nn.Sequential(a)
    assert net.append(b) is net
    assert net.extend([c, d]) is net
    assert list(net) == [a, b, c, d]
    del net[1]
    assert list(net) == [a, c, d]
    assert names(net.named_children()) == ["0", "1", "2"]
    assert net.pop(-1) is d
    assert net.insert(1, b) is net
    assert net.insert(-1, d) is net
    assert list(net) == [a, b, d, c]
    assert names(net.named_children()) == ["0", "1", "2", "3"]
    assert net.insert(4, a)[4] is a
    del net[1:3]
    assert list(net) == [a, c, a]
    with pytest.raises(IndexError, match="Index out of range: 9"):
        net.insert(9, a)
    with pytest.raises(TypeError, match="module should be a Module, got int"):
        net.insert(0, 3)
    with pytest.raises(TypeError, match="iterable"):
        net.extend(3)
    net.extend(net)
    assert list(net) == [a, c, a] * 2


def test_names_of_modules_stay_when_others_are_put_in():
    a, b, c, d = layers(4)
    net = nn.Sequential(OrderedDict(first=a, second=b))
    assert list(net.insert(2, c)._modules) == ["first", "second", "2"]
    assert list(net.insert(-1, d)._modules) == ["first", "second", "2", "3"]
    assert list(net) == [a, b, d, c]
    with pytest.raises(KeyError, match="behind position 1 have the names"):
        net.insert(1, d)
    assert list(net) == [a, b, d, c]


def test_sequential_arithmetic():
    a, b, c, _ = layers(4)
    net, other = nn.Sequential(a, b), nn.Sequential(c)
    assert list(net + other) == [a, b, c]
    assert list(net) == [a, b]
    assert list(net * 2) == list(2 * net) == [a, b, a, b]
    same = net
    net += other
    assert net is same
    assert list(net) == [a, b, c]
    net *= 2
    assert net is same
    assert list(net) == [a, b, c] * 2
    with pytest.raises(ValueError, match="only objects of Sequential class"):
        _ = net + a
    with pytest.raises(ValueError, match="Non-positive multiplication factor 0"):
        net * 0
    with pytest.raises(TypeError, match="unsupported operand"):
        net * 1.5


def test_module_list():
    a, b, c, d = layers(4)
    held = nn.ModuleList([a, b])
    held.append(c).extend([d])
    assert len(held) == 4
    assert held[-1] is d
    assert list(held[1:3]) == [b, c]
    assert names(held[1:3].named_children()) == ["0", "1"]
    assert type(held[1:3]) is nn.ModuleList
    held[0] = d
    del held[1]
    assert list(held) == [d, c, d]
    assert held.pop(1) is c
    held.insert(0, a)
    held += [b]
    assert list(held) == [a, d, d, b]
    assert list(held + nn.ModuleList([c])) == [a, d, d, b, c]
    assert len(list(held.parameters())) == 6
    with pytest.raises(NotImplementedError):
        held(1)
    with pytest.raises(TypeError, match="iterable, but got int"):
        held.extend(3)


def test_module_dict():
    a, b, c, _ = layers(4)
    held = nn.ModuleDict({"z": a, "y": b})
    held["x"] = c
    assert list(held) == ["z", "y", "x"]
    assert list(held.keys()) == ["z", "y", "x"]
    assert list(held.values()) == [a, b, c]
    assert next(iter(held.items())) == ("z", a)
    assert "y" in held
    assert held.pop("y") is b
    assert len(held) == 2
    held.update([("w", b)])
    held.update(nn.ModuleDict({"v": a}))
    assert list(held) == ["z", "x", "w", "v"]
    del held["w"]
    with pytest.raises(KeyError):
        _ = held["w"]
    with pytest.raises(TypeError, match="iterable of key/value pairs, but got int"):
        held.update(3)
    with pytest.raises(ValueError, match="#0 has length 3; 2 is required"):
        held.update([(1, 2, 3)])
    with pytest.raises(KeyError, match="already exists"):
        held["pop"] = a
    held.clear()
    assert len(held) == 0


def test_parameter_list():
    p = nn.Parameter(mg.ones(2))
    held = nn.ParameterList([p, mg.zeros(3), "text"])
    assert held[0] is p
    assert isinstance(held[1], nn.Parameter)
    assert held[2] == "text"
    assert names(held.named_parameters()) == ["0", "1"]
    held.append(p)
    held += [mg.ones(1)]
    assert len(held) == 5
    assert held[-1].shape == (1,)
    held[1] = mg.ones(4)
    assert held[1].shape == (4,)
    assert [type(v).__name__ for v in held] == ["Parameter", "Parameter", "str", "Parameter", "Parameter"]
    assert list(held[2:3]) == ["text"]
    assert list(held.state_dict()) == ["0", "1", "3", "4"]
    with pytest.raises(IndexError, match="index 9 is out of range"):
        _ = held[9]
    with pytest.raises(RuntimeError, match="should not be called"):
        held()
    with pytest.raises(TypeError, match="iterable, but got int"):
        held.extend(3)


def test_parameter_dict():
    held = nn.ParameterDict({"b": mg.ones(1), "a": mg.zeros(2)})
    assert "(b): Parameter containing: [minigrad.FloatTensor of size 1]" in str(held)
    assert list(held) == ["a", "b"]  # PyTorch sorts a plain dict
    assert list(nn.ParameterDict(OrderedDict(b=mg.ones(1), a=mg.ones(1)))) == ["b", "a"]
    assert isinstance(held["b"], nn.Parameter)
    held["c"] = 3
    assert held.get("c") == 3
    assert held.get("d", 4) == 4
    assert held.setdefault("d", mg.ones(3)).requires_grad
    assert names(held.named_parameters()) == ["a", "b", "d"]
    assert held.pop("c") == 3
    assert held.popitem()[0] == "d"
    assert len(held) == 2
    assert "a" in held
    assert list(reversed(held)) == ["b", "a"]
    assert list((held | nn.ParameterDict({"e": 1})).keys()) == ["a", "b", "e"]
    held |= {"f": 2}
    assert dict(held.items())["f"] == 2
    assert list(held.values())[-1] == 2
    twin = held.copy()
    assert twin["a"] is held["a"]
    assert list(held.fromkeys(["x"], 1).items()) == [("x", 1)]
    held.clear()
    assert len(held) == 0
    for missing in (lambda: held["a"], lambda: held.pop("a")):
        with pytest.raises(AttributeError, match="has no attribute 'a'"):
            missing()
    with pytest.raises(KeyError):
        held.popitem()
    for key in (lambda: held[3], lambda: held.update({3: 1})):
        with pytest.raises(TypeError, match="as it is not a string"):
            key()
    with pytest.raises(RuntimeError, match="should not be called"):
        held()


# -------------------------------------------------------------------- layers and functions


@pytest.mark.parametrize("shape", [(2,), (5, 2), (4, 3, 2), (0, 2)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_linear(shape, bias, dtype):
    mg.manual_seed(1)
    layer = nn.Linear(2, 3, bias=bias, dtype=getattr(mg, dtype))
    assert layer.weight.shape == (3, 2)
    x = mg.randn(*shape, dtype=getattr(mg, dtype), requires_grad=True)
    y = layer(x)
    assert y.shape == (*shape[:-1], 3)
    assert y.dtype is getattr(mg, dtype)
    w = layer.weight.detach().numpy()
    expected = x.detach().numpy() @ w.T + (layer.bias.detach().numpy() if bias else 0)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    g = mg.randn(*y.shape, dtype=getattr(mg, dtype))
    y.backward(g)
    rows, gs = x.detach().numpy().reshape(-1, 2), g.numpy().reshape(-1, 3)
    np.testing.assert_allclose(layer.weight.grad.numpy(), gs.T @ rows, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(x.grad.numpy(), g.numpy() @ w, rtol=1e-4, atol=1e-6)
    assert x.grad.shape == x.shape
    if bias:
        np.testing.assert_allclose(layer.bias.grad.numpy(), gs.sum(0), rtol=1e-4, atol=1e-6)
    else:
        assert layer.bias is None


def test_linear_with_a_replaced_weight():
    layer = nn.Linear(2, 1)
    del layer.weight
    layer.weight = mg.ones(1, 2)  # a plain Tensor, as weight normalisation does
    layer.bias = None
    assert layer(mg.ones(3, 2)).tolist() == [[2.0]] * 3


def test_linear_without_inputs_starts_with_zero_bias():
    with pytest.warns(UserWarning, match="zero-element"):
        layer = nn.Linear(0, 2)
    assert layer.bias.tolist() == [0.0, 0.0]


def test_functional_linear_with_one_row_of_weights():
    x, w = mg.ones(3, 2), mg.tensor([1.0, 2.0])
    assert F.linear(x, w).tolist() == [3.0] * 3


def test_linear_names_shapes_that_do_not_fit():
    with pytest.raises(RuntimeError, match=r"5.*4|4.*5"):
        nn.Linear(4, 2)(mg.ones(3, 5))


def test_identity_and_flatten():
    x = mg.ones(2, 3, 4)
    assert nn.Identity(1, 2, k=3)(x) is x
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)


def test_relu():
    x = mg.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    y = nn.ReLU()(x)
    assert y.tolist() == [0.0, 0.0, 2.0]
    y.backward(mg.tensor([1.0, 1.0, 3.0]))
    assert x.grad.tolist() == [0.0, 0.0, 3.0]
    assert F.relu(mg.tensor([-3, 4])).tolist() == [0, 4]
    with pytest.raises(TypeError, match=r"must be (a )?Tensor, not list"):
        F.relu([1.0])


def test_relu_in_place():
    x = mg.tensor([-1.0, 2.0], requires_grad=True)
    h = x * 3
    y = nn.ReLU(inplace=True)(h)
    assert y is h
    assert h.tolist() == [0.0, 6.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 3.0]
    with pytest.raises(RuntimeError, match="leaf"):
        F.relu(x, inplace=True)


def test_tanh_and_sigmoid():
    x = mg.tensor([0.0, 1.0])
    np.testing.assert_allclose(nn.Tanh()(x).numpy(), np.tanh([0.0, 1.0]), rtol=1e-6)
    np.testing.assert_allclose(nn.Sigmoid()(x).numpy(), [0.5, 1 / (1 + np.exp(-1.0))], rtol=1e-6)
    # where exp(-x) is infinite it is 0, as in PyTorch
    ends = mg.tensor([-np.inf, -89.0, -87.0, 89.0, np.inf, np.nan], requires_grad=True)
    y = nn.Sigmoid()(ends)
    np.testing.assert_allclose(y.detach().numpy(), [0, 0, 1.645811e-38, 1, 1, np.nan], rtol=1e-6)
    y.sum().backward()
    np.testing.assert_allclose(ends.grad.numpy(), [0, 0, 1.645811e-38, 0, 0, np.nan], rtol=1e-6)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
def test_losses(name):
    a = np.array([[1.0, -2.0], [0.5, 4.0]])
    b = np.array([[0.0, 1.0], [1.5, 1.0]])
    w = np.array([[1.0, 2.0], [0.0, 3.0]])
    errors = (a - b) ** 2 if name == "mse_loss" else abs(a - b)
    slope = 2 * (a - b) if name == "mse_loss" else np.sign(a - b)
    loss = getattr(F, name)
    module = {"mse_loss": nn.MSELoss, "l1_loss": nn.L1Loss}[name]
    y = mg.tensor(b)
    for reduction, value, scale in [
        ("mean", errors.mean(), 0.25),
        ("sum", errors.sum(), 1.0),
        ("none", errors, 1.0),
    ]:
        for run in (
            lambda x, r=reduction: loss(x, y, reduction=r),
            lambda x, r=reduction: module(reduction=r)(x, y),
        ):
            x = mg.tensor(a, requires_grad=True)
            got = run(x)
            assert got.shape == np.shape(value)
            np.testing.assert_allclose(got.detach().numpy(), value)
            got.sum().backward()
            np.testing.assert_allclose(x.grad.numpy(), slope * scale)
    for reduction, value in [
        ("mean", (errors * w).sum() / w.sum()),
        ("sum", (errors * w).sum()),
        ("none", errors * w),
    ]:
        got = loss(mg.tensor(a), y, reduction=reduction, weight=mg.tensor(w))
        np.testing.assert_allclose(got.numpy(), value)
    with pytest.raises(ValueError, match="Weights and input must have the same size"):
        loss(mg.tensor(a), y, weight=mg.ones(2))
    for weight in (None, mg.tensor(w)):
        with pytest.raises(ValueError, match="average"):
            loss(mg.tensor(a), y, reduction="average", weight=weight)


def test_gradient_of_the_target():
    x, y = mg.tensor([1.0, 2.0], requires_grad=True), mg.tensor([3.0, 1.0], requires_grad=True)
    F.mse_loss(x, y).backward()
    assert x.grad.tolist() == [-2.0, 1.0]
    assert y.grad.tolist() == [2.0, -1.0]


def test_loss_twice_differentiated():
    x = mg.tensor([1.0, 2.0], dtype=mg.float64, requires_grad=True)
    (g,) = mg.autograd.grad(F.mse_loss(x**2, mg.zeros(2, dtype=mg.float64)), x, create_graph=True)
    (h,) = mg.autograd.grad(g.sum(), x)
    np.testing.assert_allclose(g.detach().numpy(), [2.0, 16.0])  # d/dx x^4/2 = 2x^3
    np.testing.assert_allclose(h.numpy(), [6.0, 24.0])


def test_loss_of_different_sizes_warns():
    x, y = mg.ones(4, 1), mg.zeros(4)
    with pytest.warns(
        UserWarning, match=r"target size .*4.* different to the input size .*4, 1.*same size"
    ) as seen:
        got = F.mse_loss(x, y)
    assert got.item() == 1.0
    assert seen[0].filename == __file__
    with pytest.warns(UserWarning, match="target size"):
        assert F.mse_loss(x, y, reduction="none").shape == (4, 4)
    with pytest.warns(UserWarning, match="target size"), pytest.raises(RuntimeError, match="3"):
        F.mse_loss(mg.ones(3), y)


@pytest.mark.parametrize(
    ("size_average", "reduce", "reduction"),
    [
        (True, None, "mean"),
        (False, None, "sum"),
        (None, True, "mean"),
        (None, False, "none"),
        (False, False, "none"),
    ],
)
def test_legacy_reductions_warn(size_average, reduce, reduction):
    with pytest.warns(UserWarning, match=f"please use reduction='{reduction}' instead"):
        loss = nn.MSELoss(size_average, reduce)
    assert loss.reduction == reduction
    with pytest.warns(UserWarning, match=f"please use reduction='{reduction}' instead"):
        F.mse_loss(mg.ones(1), mg.ones(1), size_average=size_average, reduce=reduce)


def test_a_network_learns():
    """A tour: 200 steps on y = |x|, which one hidden layer can represent."""
    mg.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))
    x = mg.linspace(-1, 1, 32).reshape(32, 1)
    y = x.abs()
    optimizer = mg.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(200):
        optimizer.zero_grad()
        loss = nn.MSELoss()(net(x), y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-3

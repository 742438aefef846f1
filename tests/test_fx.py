"""`minigrad.fx`: programs traced, printed, changed and run. The expected texts are PyTorch 2.13's."""

from __future__ import annotations

import copy
import math
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from test_lazy import each

import minigrad as mg
from minigrad import fx, nn
from minigrad.fx.passes.shape_prop import ShapeProp
from minigrad.nn import functional as F


def helper(x: Any, n: int) -> Any:
    return x * n if n else x


fx.wrap("helper")


def two(x: Any) -> Any:
    a, b = x
    return a + b


def several(*a: Any, **k: Any) -> Any:
    return a[0] + k["u"]


def stored(x: Any) -> Any:
    y = mg.zeros(2)
    y[0] = x
    return y


# A function, and the text of its steps.
TRACED: list[tuple[Callable[..., Any], str]] = [
    # First, while no call has met a proxy yet.
    (stored, "_tensor_constant0 = self._tensor_constant0|setitem = _tensor_constant0.__setitem__(0, x);  "
     "_tensor_constant0 = x = setitem = None|_tensor_constant0_1 = self._tensor_constant0|return _tensor_constant0_1"),
    (lambda x: mg.relu(x), "relu = torch.relu(x);  x = None|return relu"),
    (lambda x: F.relu(x), "relu = torch.nn.functional.relu(x, inplace = False);  x = None|return relu"),
    (lambda x: x.relu().view(x.size(0), -1),
     "relu = x.relu()|size = x.size(0);  x = None|view = relu.view(size, -1);  relu = size = None|return view"),
    (lambda x: x.shape[-1], "getattr_1 = x.shape;  x = None|getitem = getattr_1[-1];  getattr_1 = None|return getitem"),
    (lambda x: 1 - x**2 // 3, "pow_1 = x ** 2;  x = None|floordiv = pow_1 // 3;  pow_1 = None"
     "|sub = 1 - floordiv;  floordiv = None|return sub"),
    (lambda x: (-x, ~x, x == 1), "neg = -x|invert = ~x|eq = x == 1;  x = None|return (neg, invert, eq)"),
    (lambda x: x[..., None, 1:], "getitem = x[(Ellipsis, None, slice(1, None, None))];  x = None|return getitem"),
    (lambda x: {"a": [x, 1.5], "b": None}, "return {'a': [x, 1.5], 'b': None}"),
    (lambda x: x.to(mg.float64), "to = x.to(torch.float64);  x = None|return to"),
    (lambda x: mg.cat([x, x], dim=0), "cat = torch.cat([x, x], dim = 0);  x = None|return cat"),
    (lambda x: mg.einsum("ij,jk->ik", (x, x)), "einsum = torch.einsum('ij,jk->ik', x, x);  x = None|return einsum"),
    (lambda x: x * math.inf, "mul = x * inf;  x = None|return mul"),
    (two, "getitem = x[0]|getitem_1 = x[1];  x = None|add = getitem + getitem_1;  getitem = getitem_1 = None"
     "|return add"),
    (several, "_a = a|_k = k|getitem = _a[0];  _a = None|getitem_1 = _k['u'];  _k = None"
     "|add = getitem + getitem_1;  getitem = getitem_1 = None|return add"),
    (lambda x: math.sqrt(x), "sqrt = math_sqrt(x);  x = None|return sqrt"),
    (lambda x: helper(x, 2), "helper = test_fx_helper(x, 2);  x = None|return helper"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "text"), TRACED, ids=[text for _, text in TRACED])
def test_traced_functions_print_as_in_pytorch(function: Callable[..., Any], text: str) -> None:
    code = fx.symbolic_trace(function).code.replace(f"{__name__.replace('.', '_')}_helper", "test_fx_helper")
    body = code.split(":\n    ", 1)[1].rstrip()
    assert body.replace("\n    ", "|") == text


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2)
        self.register_buffer("scale", mg.ones(2, 1, 1))

    def forward(self, x: Any) -> Any:
        y = F.relu(self.bn(self.conv(x)), inplace=True)
        y += x
        return y * self.scale


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(Block(), Block())
        self.w, self.shift, self.fc = nn.Parameter(mg.ones(2, 4)), mg.ones(4), nn.Linear(4, 3)

    def forward(self, x: Any, factor: float = 2.0) -> Any:
        y = self.body(x).mean((2, 3)) @ self.w + self.shift
        return self.fc(y * factor)


@pytest.fixture
def net() -> nn.Module:
    mg.manual_seed(0)
    return Net()


FIRST = {
    "mg.zeros(2).clamp_(max=x)": "x _tensor_constant0 clamp_ output",
    "mg.conj(x)": "x conj output",
    "mg.zeros(2)[x]": "x _tensor_constant0 getitem output",
    "mg.zeros(2).to(x.dtype)": "x _tensor_constant0 getattr_1 to output",
}


def test_the_first_program_is_traced_like_those_after_it() -> None:
    head = "from minigrad import fx\nprint(*fx.symbolic_trace(lambda x: "
    assert each([f"{head}{code}).graph.nodes)" for code in FIRST]) == [[nodes] for nodes in FIRST.values()]


def test_a_traced_module_computes_trains_and_copies(net: nn.Module) -> None:
    traced = fx.symbolic_trace(net)
    x = mg.randn(2, 2, 5, 5)
    pickled = pickle.loads(pickle.dumps(traced))
    for m in (traced, copy.deepcopy(traced), copy.copy(traced), fx.symbolic_trace(traced), pickled):
        assert mg.equal(m.eval()(x), net.eval()(x))
        assert mg.equal(m(x, 3.0), net(x, 3.0))
        assert type(m).__name__ == "Net"
    assert sorted(traced.state_dict()) == sorted([*net.state_dict(), "shift"])
    traced(x).sum().backward()
    assert net.w.grad is not None  # parameters are shared
    assert mg.equal(fx.Interpreter(traced).run(x), net(x))
    assert 'body_0_conv = getattr(self.body, "0").conv(x)' in traced.code
    assert [n.name for n in traced.graph.nodes][:4] == ["x", "factor", "body_0_conv", "body_0_bn"]
    assert "%w : [num_users=1] = get_attr[target=w]" in str(traced.graph)
    traced.graph.lint()


def test_a_run_notes_shapes(net: nn.Module) -> None:
    traced = fx.symbolic_trace(net)
    ShapeProp(traced).propagate(mg.ones(2, 2, 5, 5))
    found = {n.name: n.meta["tensor_meta"].shape for n in traced.graph.nodes if "tensor_meta" in n.meta}
    assert [found[name] for name in ("relu", "matmul", "output")] == [(2, 2, 5, 5), (2, 4), (2, 3)]


def test_graphs_change(capsys: pytest.CaptureFixture[str]) -> None:
    traced = fx.symbolic_trace(nn.Sequential(nn.Linear(3, 3), nn.ReLU()))
    graph, x = traced.graph, mg.randn(2, 3)
    for node in graph.find_nodes(op="call_module", target="1"):
        with graph.inserting_after(node):
            new = graph.call_function(mg.tanh, node.args)
        assert node.replace_all_uses_with(new) == [graph.output_node()]
        with pytest.raises(RuntimeError, match="still had 2 users"):
            graph.erase_node(node.args[0])
        graph.erase_node(node)
    traced.recompile()
    assert mg.equal(traced(x), getattr(traced, "0")(x).tanh())
    traced.delete_all_unused_submodules()
    assert [name for name, _ in traced.named_children()] == ["0"]
    with graph.inserting_before(graph.output_node()):
        graph.call_function(mg.sin, (graph.find_nodes(op="placeholder")[0],))
    assert [graph.eliminate_dead_code(), graph.eliminate_dead_code()] == [True, False]
    graph.print_tabular()
    assert "call_function  tanh" in capsys.readouterr().out
    assert [traced.add_submodule("a.b", nn.ReLU()), traced.delete_submodule("a.b")] == [True, True]
    late = next(iter(reversed(graph.nodes))).prev
    late.append(graph.nodes.__iter__().__next__())
    with pytest.raises(RuntimeError, match="used before it has been defined"):
        graph.lint()


def test_a_graph_is_built_by_hand_and_transformed() -> None:
    graph = fx.Graph()
    x: Any = fx.Proxy(graph.placeholder("x"))
    graph.output(((x + 1).relu() * mg.cos(x)).node)
    module = fx.GraphModule(nn.Module(), graph)

    class Sines(fx.Transformer):
        def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
            return mg.sin(*args) if target is mg.cos else super().call_function(target, args, kwargs)

    value = mg.randn(3)
    assert mg.equal(module(value), (value + 1).relu() * value.cos())
    assert mg.equal(Sines(module).transform()(value), (value + 1).relu() * value.sin())
    lost = fx.Graph()
    lost.output(lost.get_attr("p"))
    with pytest.raises(RuntimeError, match="not provided in `root`"):
        fx.GraphModule({}, lost)


def test_a_tracer_says_what_a_step_is(net: nn.Module) -> None:
    class Blocks(fx.Tracer):
        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
            return isinstance(m, Block) or super().is_leaf_module(m, module_qualified_name)

    tracer = Blocks()
    graph = tracer.trace(net)
    assert [n.target for n in graph.nodes if n.op == "call_module"] == ["body.0", "body.1", "fc"]
    x = mg.ones(1, 2, 4, 4)
    assert mg.equal(fx.GraphModule(tracer.root, graph)(x), net(x))


def test_inputs_may_be_known() -> None:
    traced = fx.symbolic_trace(lambda x, n=1: x * n if n > 2 else x, concrete_args={"n": 3})
    assert traced(mg.ones(1), 3).item() == 3.0
    with pytest.raises(AssertionError, match="specialized to have value 3"):
        traced(mg.ones(1), 4)


# What a trace cannot follow, and what it says.
REFUSED: list[tuple[Callable[..., Any], type[Exception], str]] = [
    (lambda x: x if x.sum() > 0 else -x, ValueError, r"control flow.*test_fx\.py:"),
    (lambda x: [i for i in x], ValueError, r"cannot be iterated.*test_fx\.py:"),  # noqa: C416 (it is the loop that is asked for)
    (lambda x: len(x), RuntimeError, "'len' is not supported"),
    (lambda x: range(x.shape[0]), TypeError, "Proxy"),
    (lambda x: operator.setitem(x, 0, 1), TypeError, "item assignment"),
    (lambda x: x.node.append(x), TypeError, r"append\(\) move a Node, got Proxy.*test_fx\.py:"),
]


@pytest.mark.parametrize(("function", "kind", "match"), REFUSED, ids=[match for _, _, match in REFUSED])
def test_what_cannot_be_traced_says_so(
    function: Callable[..., Any], kind: type[Exception], match: str
) -> None:
    before = nn.Module.__call__, nn.Module.__getattr__, math.sqrt
    with pytest.raises(kind, match=match):
        fx.symbolic_trace(function)
    assert (nn.Module.__call__, nn.Module.__getattr__, math.sqrt) == before


def test_wrap_is_for_the_top_of_a_module() -> None:
    with pytest.raises(RuntimeError, match="takes a function or its name"):
        fx.wrap(3)  # type: ignore[type-var]
    with pytest.raises(NotImplementedError, match="top level"):
        fx.wrap("len")

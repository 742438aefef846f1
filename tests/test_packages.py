"""What packages built on PyTorch take from it beside what everybody does."""

from __future__ import annotations

import copy
import functools
import importlib
import warnings
from collections import OrderedDict, UserList, defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import linalg, nn
from minigrad.nn import functional as F
from minigrad.optim import lbfgs

# ---------------------------------------------------------------- names


def test_names_that_mark_functions_change_nothing(torch: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for mark in (torch.jit._script_if_tracing, torch.jit._overload_method):
        assert mark(abs) is abs
    assert importlib.import_module("torch.fx._symbolic_trace") is importlib.import_module(
        "minigrad.fx._symbolic_trace"
    )
    assert importlib.import_module("torch.jit.annotations").BroadcastingList2[int] is None
    assert torch._C._log_api_usage_once("package") is torch._C._get_tracing_state() is None
    assert not hasattr(torch._C, "_jit_pass_lint")
    assert torch.__name__ == "torch"
    assert torch.cuda.amp.grad_scaler.GradScaler is torch.amp.GradScaler
    assert importlib.import_module("torch.cuda.random").manual_seed is torch.cuda.manual_seed
    assert importlib.import_module("torch._vmap_internals")._vmap(abs)(mg.tensor([-1.0])).item() == 1
    monkeypatch.setenv("TORCH_HOME", "/somewhere")
    assert torch.hub._get_torch_home() == "/somewhere"
    # PyTorch's files import it, and programs take it from them.
    assert torch.torch is torch.sparse.torch is torch.nn.functional.torch is torch.fft.torch is torch
    assert importlib.import_module("torch.autograd.variable").torch is torch
    assert torch._C._are_functorch_transforms_active() is False
    assert torch.distributed.ReduceOp.RedOpType is torch.distributed.ReduceOp
    assert torch.distributed.group.WORLD is torch.distributed.GroupMember.WORLD
    assert torch.serialization.DEFAULT_PROTOCOL == 2


def test_claims_raise_what_they_are_named_after() -> None:
    for name, kind in {
        "_check": RuntimeError, "_check_index": IndexError, "_check_value": ValueError, "_check_type": TypeError,
        "_check_not_implemented": NotImplementedError,
    }.items():  # fmt: skip
        check = getattr(mg, name)
        check(True, lambda: 1 / 0)
        with pytest.raises(kind, match=r"^no 3$"):
            check(False, lambda: "no 3")
        with pytest.raises(kind, match="Expected cond to be True"):
            check(False)
        with pytest.raises(TypeError, match="must be a bool, but got a Tensor"):
            check(mg.tensor(True))
        with pytest.raises(TypeError, match="callable"):
            check(False, "no function")
    mg._check_tensor_all(mg.tensor([True, True]))
    with pytest.raises(RuntimeError, match=r"^not all$"):
        mg._check_tensor_all(mg.tensor([True, False]), lambda: "not all")
    with pytest.raises(TypeError, match=r"torch\.bool, but has dtype"):
        mg._check_tensor_all(mg.ones(2))
    mg._check_with(KeyError, True, lambda: "")
    one = mg.ones(2)
    assert [mg._has_compatible_shallow_copy_type(one, x) for x in (one.double(), one.to_sparse())] == [
        True,
        False,
    ]
    with pytest.raises(KeyError, match="no key"):
        mg._check_with(KeyError, False, lambda: "no key")
    mg._check_is_size(3)
    for size, most in ((-1, None), (5, 4)):
        with pytest.raises(RuntimeError, match="Expected cond"):
            mg._check_is_size(size, max=most)
    mg._assert_async(mg.tensor(True))
    with pytest.raises(RuntimeError, match=r"^none$"):
        mg._assert_async(mg.tensor(0), "none")
    mg._assert(mg.tensor([2.0]), "fine")
    with pytest.raises(AssertionError, match=r"^empty$"):
        mg._assert([], "empty")


# ---------------------------------------------------------------- Tensors


def test_arguments_that_change_nothing() -> None:
    x, y = mg.randn(2, 3), mg.zeros(2, 3)
    assert mg.equal(y.copy_(x, non_blocking=True), x)
    assert mg.equal(mg.zeros(2, 3).copy_(x, True), x)
    assert x.type(mg.float64, non_blocking=True).dtype == mg.float64
    assert x.real is x


A = np.arange(24).reshape(2, 3, 4)
AS_TUPLES: list[list[Any]] = [
    [slice(0, 2), 1], [[0, 1], [1, 2]], [None, 1], [..., 1], [slice(None), slice(None), [0, 2]],
    [[0, 1], slice(None), [1, 2]], [1, slice(None)], [range(2)], [(0, 1), (1, 2)], [[True, False]],
    [np.array([0, 1]), np.array([1, 2])], [[0]], [[[0, 1]]],
]  # fmt: skip


@pytest.mark.parametrize("key", AS_TUPLES, ids=repr)
def test_a_list_with_sequences_or_slices_indexes_as_a_tuple(key: list[Any]) -> None:
    x = mg.from_numpy(A.copy())
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        y = x[key]
    right = A[tuple(key)]
    assert (y.shape, y.tolist()) == (right.shape, right.tolist())
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        x[key] = -1
    changed = A.copy()
    changed[tuple(key)] = -1
    assert x.tolist() == changed.tolist()


def test_a_list_of_tensors_indexes_as_a_tuple_and_one_of_numbers_does_not() -> None:
    x = mg.from_numpy(A.copy())
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        assert x[[mg.tensor([0, 1]), mg.tensor(2)]].tolist() == A[[0, 1], 2].tolist()
    for key in ([0, 1, 1], [True, False], [[1]] * 32, np.array([[0, 1], [1, 1]])):
        assert x[key].tolist() == A[np.array(key)].tolist()


def test_a_sequence_of_a_class_of_its_own_is_an_index_as_a_list_is() -> None:
    x = mg.from_numpy(A.copy())
    subset = mg.utils.data.Subset([1, 0, 5], [0, 1])
    assert x[subset].tolist() == A[[1, 0]].tolist()
    assert x[0, UserList([2, 0]), 1].tolist() == A[0, [2, 0], 1].tolist()
    split = mg.utils.data.Subset(mg.arange(2), [1, 0] * 20)
    assert x[split].tolist() == A[[1, 0] * 20].tolist()
    x[UserList([True, False])] = -1
    assert x.eq(-1).flatten(1).all(1).tolist() == [True, False]
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        assert x[UserList([UserList([1]), 0])].tolist() == A[[1], 0].tolist()
    for wrong, told in (({0: 1}, "dict"), (MappingProxyType({0: 1}), "mappingproxy"), (UserList, "ABCMeta")):
        with pytest.raises(IndexError, match=f"got .*{told}"):
            x[wrong]
    with pytest.raises(TypeError, match="got bytes"):
        x[b"1"]

    class Foreign(UserList[int]):  # an array of another library
        def __index__(self) -> int:
            return 1

        def __len__(self) -> int:
            if not self.data:
                raise TypeError("len() of a 0-d array")
            return len(self.data)

    x = mg.from_numpy(A.copy())
    assert x[Foreign()].tolist() == A[1].tolist()
    assert x[0, Foreign([1, 0])].tolist() == A[0, [1, 0]].tolist()


def test_a_probability_of_dropout_is_any_number() -> None:
    half = np.float32(0.5)
    for layer in (nn.Dropout(half), nn.AlphaDropout(half), nn.LSTM(2, 2, 2, dropout=half)):
        assert layer(mg.ones(3, 2)) is not None
    assert str(nn.Dropout2d(half)) == "Dropout2d(p=0.5, inplace=False)"
    for wrong in (np.float32(2.0), np.float32(np.nan)):
        with pytest.raises(ValueError, match="in range"):
            nn.GRU(2, 2, 2, dropout=wrong)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_a_factorization_that_fails_leaves_what_it_had(order: int) -> None:
    m = mg.randn(4, 4, dtype=mg.float64)
    good = m @ m.mT + mg.eye(4, dtype=mg.float64)
    bad = good.clone()
    k = order - 1
    bad[k, k] = -1.5
    for upper in (False, True):
        L, info = linalg.cholesky_ex(mg.stack([bad, good]), upper=upper)
        L = L.mT if upper else L
        assert info.tolist() == [order, 0]
        assert mg.allclose(L[1] @ L[1].mT, good)
        # The columns before are those of the factor; then comes why it ends, and behind it the matrix.
        assert mg.allclose(L[0, :, :k], L[1, :, :k])
        assert mg.allclose(L[0, k, k], bad[k, k] - (L[1, k, :k] ** 2).sum())
        assert mg.equal(L[0, order:, k:], bad.tril()[order:, k:])
    with pytest.raises(linalg.LinAlgError, match=rf"\(Batch element 1\).*order {order} is"):
        linalg.cholesky(mg.stack([good, bad]))


# ---------------------------------------------------------------- functions of functions


def test_functorch_is_where_its_functions_were(torch: ModuleType) -> None:
    functorch = importlib.import_module("functorch")
    assert functorch.__version__ == torch.__version__
    model, x = nn.Sequential(nn.Linear(2, 3), nn.Tanh()), mg.randn(4, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        f, params = functorch.make_functional(model)
        g, states, buffers = functorch.combine_state_for_ensemble([model, model])
        f_constant, constants = functorch.make_functional(model, disable_autograd_tracking=True)
        jacobian = functorch.jacrev(f)(params, x)
    with pytest.warns(FutureWarning, match=r"functorch\.vmap is deprecated, use torch\.vmap"):
        squares = functorch.vmap(lambda v: v * v)(x)
    assert mg.allclose(f(params, x), model(x))
    with pytest.raises(RuntimeError, match="a functional module of 2 Tensors got 1"):
        f(params[:1], x)
    assert [p.requires_grad for p in (*params, *constants)] == [True, True, False, False]
    assert mg.allclose(f_constant(constants, x), model(x))
    assert jacobian[0].shape == (4, 3, 3, 2)
    assert mg.equal(squares, x * x)
    assert (len(buffers), [s.requires_grad for s in states]) == (0, [False, False])
    assert mg.allclose(mg.vmap(g, (0, 0, None))(states, buffers, x)[1], model(x), atol=1e-6)
    with pytest.warns(FutureWarning), pytest.raises(RuntimeError, match="make_functional_with_buffers"):
        functorch.make_functional(nn.BatchNorm1d(2))
    with pytest.warns(FutureWarning):
        h, p, b = functorch.make_functional_with_buffers(nn.BatchNorm1d(2).eval())
    assert mg.allclose(h(p, b, x), nn.BatchNorm1d(2).eval()(x))


def test_the_line_search_by_its_name_in_pytorch() -> None:
    a, x, d = mg.rand(3) + 0.5, mg.randn(3), mg.zeros(3)
    memory = mg.zeros(3)

    def objective(x: mg.Tensor, t: float, d: mg.Tensor) -> tuple[float, mg.Tensor]:
        """A quadratic, whose gradients are all written into one memory."""
        at = x + t * d
        return float((a * at * at).sum()), memory.copy_(2 * a * at)

    f, g = objective(x, 0.0, d)
    g = g.clone()
    d = -g
    slope = g.dot(d)
    lower, gradient, t, calls = lbfgs._strong_wolfe(objective, x, 4.0, d, f, g, slope)
    assert calls >= 1
    assert lower <= f + 1e-4 * t * float(slope) + 1e-6
    assert abs(float(gradient.dot(d))) <= 0.9 * abs(float(slope)) + 1e-6
    assert mg.allclose(gradient, 2 * a * (x + t * d), atol=1e-5)
    # Of t**3 - t, whose minimum is there.
    one = mg.tensor(2.0)
    assert lbfgs._cubic_interpolate(0.0, 0.0, -one / 2, 1.0, 0.0, one).item() == pytest.approx(
        3**-0.5, abs=1e-5
    )
    assert lbfgs._cubic_interpolate(0.0, 0.0, -one / 2, 1.0, 0.0, one, bounds=(0.7, 1.0)) == 0.7


# ---------------------------------------------------------------- compiled


@pytest.mark.parametrize("dim", [1, -2])
def test_a_compiled_cosine_has_the_numbers_of_an_eager_one(dim: int) -> None:
    x, y = (mg.randn(4, 3, requires_grad=True) for _ in range(2))
    with mg.no_grad():
        x[0] *= 1e-9  # shorter than eps
        y[:, 1] = 0.0

    def f() -> mg.Tensor:
        return (F.cosine_similarity(x, y, dim) * mg.arange(4.0 if dim == 1 else 3.0)).sum()

    steps: list[Callable[[], mg.Tensor]] = [f, mg.compile(f), mg.compile(f)]
    results = [(z, *mg.autograd.grad(z, (x, y))) for z in (step() for step in steps)]
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert mg.allclose(a, b, rtol=1e-5, atol=1e-6)


def test_no_warning_where_nothing_is_asked_of_the_older_forms() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mg.from_numpy(A)[(slice(0, 2), 1)].shape == (2, 4)


def test_each_output_of_a_function_is_printed_with_its_name() -> None:
    class Both(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: mg.Tensor) -> tuple[mg.Tensor, mg.Tensor]:
            return x * 1, x * 2

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0] + 2 * grads[1]

    one, two = Both.apply(mg.ones(2, requires_grad=True))
    assert [t.grad_fn.name() for t in (one, two)] == ["BothBackward"] * 2
    assert repr(two) == "tensor([2., 2.], grad_fn=<BothBackward>)"


# ---------------------------------------------------------------- what packages of several kinds use


def test_element_types_and_layouts_that_are_names() -> None:
    for name, size in {"complex32": 4, "chalf": 4, "uint16": 2, "float8_e5m2": 1, "quint4x2": 1}.items():
        kind = getattr(mg, name)
        assert kind.itemsize == size
        assert kind.is_complex == name.startswith("c")
        assert mg.ones(1).dtype != kind
        with pytest.raises(TypeError, match="is a name alone"):
            mg.ones(1, dtype=kind)
    assert (mg.finfo(mg.bfloat16).max, mg.finfo(mg.bfloat16).bits) == (3.3895313892515355e38, 16)
    assert mg.finfo(mg.float8_e4m3fn).min == -448
    assert mg.ones(1).layout is mg.strided != mg.sparse_coo


def test_an_operation_of_one_s_own_under_a_name() -> None:
    @mg.library.custom_op("tests::scale", mutates_args=())
    def scale(x: mg.Tensor, by: float) -> mg.Tensor:
        return mg.from_numpy(x.detach().numpy() * by)

    @scale.register_fake
    def _(x: mg.Tensor, by: float) -> mg.Tensor:
        return mg.empty_like(x)

    x = mg.ones(3, requires_grad=True)
    assert scale(x.detach(), 2.0).tolist() == [2, 2, 2]
    with pytest.raises(RuntimeError, match="no autograd formula was registered"):
        scale(x, 2.0).sum().backward()

    def keep(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.by = inputs[1]

    mg.library.register_autograd("tests::scale", lambda ctx, g: (g * ctx.by, None), setup_context=keep)
    scale(x, 3.0).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3, 3, 3]
    with pytest.raises(ValueError, match="namespace::name"):
        mg.library.custom_op("scale", abs, mutates_args=())
    with pytest.raises(RuntimeError, match="no operation 'tests::other'"):
        mg.library.register_autograd("tests::other", abs)

    def affine(x: mg.Tensor, y: mg.Tensor, k: float = 2.0, *, shift: float = 1.0) -> mg.Tensor:
        return x * y * k + shift

    def keep_all(ctx: Any, inputs: Any, output: Any, keyword_only_inputs: Any) -> None:
        ctx.x, ctx.y, ctx.k = inputs
        ctx.shift = keyword_only_inputs["shift"]

    op = mg.library.custom_op("tests::affine", affine, mutates_args=())
    backward = lambda ctx, g: (g * ctx.y * ctx.k, g * ctx.x * ctx.k + 0 * ctx.shift, None)  # noqa: E731
    op.register_autograd(backward, setup_context=keep_all)
    for k, shift, call in (
        (2, 1, lambda x, y: op(x, y)),  # defaults reach setup_context too
        (2, 1, lambda x, y: op(y=y, x=x)),
        (4, 5, lambda x, y: op(x, shift=5.0, k=4.0, y=y)),
    ):
        x, y = mg.tensor(2.0, requires_grad=True), mg.tensor(3.0, requires_grad=True)
        z = call(x, y)
        z.backward()
        assert x.grad is not None
        assert y.grad is not None
        assert (z.item(), x.grad.item(), y.grad.item()) == (6 * k + shift, 3 * k, 2 * k)
    several = mg.library.custom_op("tests::several", lambda x, ys, k=2.0: x + sum(ys) * k, mutates_args=())
    x, y, z = (mg.tensor(t, requires_grad=True) for t in (2.0, 3.0, 5.0))
    # Each item of a list has a gradient; one for an argument that has none may be left out at the end.
    gradients: Any
    for gradients, expected in (
        (lambda g: (g, [g, g * 2]), [1, 1, 2]),
        (lambda g: (g, None, None), [2, 1, 2]),
    ):
        several.register_autograd(lambda ctx, g, of=gradients: of(g))
        several(x, [y, mg.tensor(0.0)]).backward()
        several(mg.tensor(0.0), (mg.tensor(1.0), z), k=4.0).backward()
        assert [x.grad, y.grad, z.grad] == expected
    wanted = list[Any]()
    several.register_autograd(lambda ctx, g: (wanted.append(ctx.needs_input_grad), (g, [], None))[1])
    several(x, []).backward()
    several.register_autograd(lambda ctx, g: (wanted.append(ctx.needs_input_grad), (g, [g, None], None))[1])
    several(x, [y, mg.tensor(0.0)]).backward()
    assert wanted == [(True, [], False), (True, [True, False], False)]
    for few, told in ((lambda g: (g,), "Tensor"), (lambda g: (g, [g, g]), r"Tensor, \[Tensor, Tensor\]")):
        several.register_autograd(lambda ctx, g, of=few: of(g))
        with pytest.raises(
            RuntimeError, match=rf"tests::several: backward returns one .* of the 3 arguments.*got \({told}\)"
        ):
            several(x, [y]).backward()
    alone = mg.library.custom_op("tests::alone", lambda *, x: x * 2, mutates_args=())
    assert alone(x=x) == 4.0
    library = mg.library.Library("tests", "DEF")
    library.impl(library.define("twice(Tensor x) -> Tensor"), lambda x: 2 * x)
    mg.library.register_kernel("tests::twice", "cpu", lambda x: 4 * x)


def test_futures() -> None:
    first, second = mg.futures.Future[int](), mg.futures.Future[int]()
    both, then = mg.futures.collect_all([first, second]), first.then(lambda f: f.wait() + 1)
    with pytest.raises(RuntimeError, match="before the Future has a result"):
        first.value()
    first.set_result(1)
    assert (first.value(), then.wait(), both.done()) == (1, 2, False)
    with pytest.raises(RuntimeError, match="completed once"):
        first.set_result(2)
    second.set_exception(ValueError("no"))
    assert both.wait() == [first, second]
    with pytest.raises(ValueError, match=r"^no$"):
        mg.futures.wait_all([first, second])
    with pytest.raises(RuntimeError, match="when running the callback: ZeroDivisionError: "):
        first.then(lambda f: f.wait() // 0).wait()
    assert mg.Future is mg.futures.Future


def test_classes_that_are_trees(torch: ModuleType) -> None:
    tree = importlib.import_module("torch.utils._pytree")

    class Output(dict[str, Any]):
        pass

    tree.register_pytree_node(
        Output, lambda o: ([*o.values()], [*o]), lambda values, keys: Output(zip(keys, values, strict=True))
    )
    doubled = tree.tree_map(lambda x: 2 * x, [Output(a=1, b=(2, 3))])
    assert type(doubled[0]) is Output
    assert doubled == [{"a": 2, "b": (4, 6)}]
    for cls in (Output, dict, deque):
        with pytest.raises(ValueError, match="already registered"):
            tree.register_pytree_node(cls, abs, abs)
    added = tree.tree_map(lambda x, y: x + y, deque([1, 2], maxlen=4), deque([3, 4], maxlen=4))
    assert (added, added.maxlen) == (deque([4, 6]), 4)
    counts = tree.tree_map(lambda x: x + 1, defaultdict(int, a=1))
    assert (counts, counts["b"]) == ({"a": 2, "b": 0}, 0)
    assert tree.tree_map(lambda x, y: (x, y), {"a": 1, "b": 2}, {"b": [3], "a": ()}) == {
        "a": (1, ()),
        "b": (2, [3]),
    }
    # All kinds of dicts go with each other, and so do deques of other lengths.
    kinds: list[Any] = [dict, OrderedDict, lambda d: defaultdict(int, d), lambda d: defaultdict(list, d)]
    for first in kinds:
        for second in kinds:
            sums = tree.tree_map(lambda x, y: x + y, first({"a": 1, "b": 2}), second({"b": 20, "a": 10}))
            assert (sums, type(sums)) == ({"a": 11, "b": 22}, type(first({})))
    assert tree.tree_map(max, deque([1], maxlen=4), deque([2])).maxlen == 4
    assert len({tree.tree_structure(x) for x in (counts, counts, deque([1]), {"a": 1})}) == 3
    for one, other, what in (
        ([1], (1,), r"\[\*\], got \(\*,\)"),
        ({"a": 1}, defaultdict(int, b=1), "{'a': \\*}, got {'b': \\*}"),
        (deque([1]), deque([1, 2]), r"deque\(\*\), got deque\(\*, \*\)"),
    ):
        with pytest.raises(ValueError, match=f"expects trees of one structure, {what}"):
            tree.tree_map(max, one, other)
    grads = mg.func.grad(lambda o: (o["w"] ** 2).sum())(Output(w=mg.tensor([3.0])))
    assert type(grads) is Output
    assert grads["w"].tolist() == [6]


def test_a_wrapper_takes_the_class_of_an_optimizer() -> None:
    optimizer = mg.optim.AdamW([mg.ones(1, requires_grad=True)])

    class Wrapper:
        def __init__(self) -> None:
            self.__dict__ = dict(vars(optimizer))
            self.__class__ = type("Wrapped", (Wrapper, type(optimizer)), {})  # type: ignore[assignment]

    assert isinstance(Wrapper(), mg.optim.AdamW)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler = mg.optim.lr_scheduler.StepLR(optimizer, 1)
        optimizer.step()
        scheduler.step()
    with pytest.warns(UserWarning, match="before"):
        mg.optim.lr_scheduler.StepLR(mg.optim.SGD([mg.ones(1, requires_grad=True)], 0.1), 1).step()


def test_a_tensor_as_one_of_a_subclass() -> None:
    class Image(mg.Tensor):
        pass

    x = mg.ones(2, requires_grad=True)
    image = (x * 3).as_subclass(Image)
    assert type(image) is Image
    (image * image).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [18, 18]
    with pytest.raises(TypeError, match="takes a subclass"):
        x.as_subclass(dict)  # type: ignore[type-var]


def test_numpy_gives_the_array_where_no_gradients_flow() -> None:
    x = mg.ones(2, requires_grad=True)
    with mg.no_grad():
        assert np.asarray(x).tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="requires grad"):
        x.numpy()


def test_passes_over_data_by_their_names() -> None:
    loader = mg.utils.data.DataLoader([1, 2])  # type: ignore[arg-type]
    names = importlib.import_module("minigrad.utils.data.dataloader")
    assert isinstance(iter(loader), names._SingleProcessDataLoaderIter)
    assert not issubclass(names._SingleProcessDataLoaderIter, names._MultiProcessingDataLoaderIter)


def test_what_attention_returns_beside_its_result() -> None:
    flex = importlib.import_module("minigrad.nn.attention.flex_attention")
    q, k, v = (mg.arange(6.0).reshape(1, 1, 3, 2) * s for s in (0.1, 0.2, 0.3))
    y, aux = flex.flex_attention(q, k, v, scale=1.0, return_aux=flex.AuxRequest(lse=True, max_scores=True))
    scores = q @ k.mT
    assert mg.allclose(y, F.scaled_dot_product_attention(q, k, v, scale=1.0))
    assert mg.allclose(aux.lse, scores.logsumexp(-1))
    assert mg.equal(aux.max_scores, scores.amax(-1))


def test_operations_are_called_by_the_names_that_pytorch_compiles_them_under(torch: ModuleType) -> None:
    aten, x = torch.ops.aten, torch.arange(6.0).reshape(2, 3)
    for given, right in (
        (aten.add(x, 1), x + 1),
        (aten.add.Tensor(x, x), x + x),
        (aten.mm.default(x, x.T), x @ x.T),
        (aten.sum.dim_IntList(x, [0]), x.sum(0)),
        (aten.select.int(x, 0, 1), x[1]),
        (aten.copy_(x.clone(), x + 1), x + 1),
        (aten.leaky_relu(x - 3), torch.nn.functional.leaky_relu(x - 3)),
        (aten.slice(x), x),
        (aten.slice(x, -1, 0, 2**63 - 1, 2), x[:, ::2]),
        (aten.slice.Tensor(x, 1, 1), x[:, 1:]),
    ):
        assert torch.equal(given, right)
    with pytest.raises(NotImplementedError, match=r"torch\.ops\.aten\._efficient is a name alone"):
        aten._efficient(x)


def test_what_is_made_on_meta_has_values(torch: ModuleType) -> None:
    torch.manual_seed(0)
    with torch.device("meta"):
        layer = nn.Linear(2, 2)
        assert layer.weight.device.type == torch.tensor([]).device.type == "meta"
        assert torch.arange(3, device=layer.weight.device).to("meta").tolist() == [0, 1, 2]
    assert layer.weight.device == torch.device("cpu")
    with pytest.raises(RuntimeError, match="CPU only"):
        torch.arange(3, device="meta")
    skeleton = layer.to("meta").to(torch.device("meta"))  # as ensembles make one for functional_call
    assert skeleton is layer
    first = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(first, torch.rand(1))  # nothing was drawn
    with pytest.raises(AssertionError, match="CPU only"), torch.device("cuda"):
        pass


def test_the_bytes_of_a_file_as_a_storage(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(np.arange(4, dtype=np.float32).tobytes() + b"rest")
    storage = mg.UntypedStorage.from_file(str(tmp_path / "x"), False, 16)
    part = mg.asarray(storage[4:12], dtype=mg.uint8).view(mg.float32)
    assert (part.tolist(), len(storage), storage.untyped() is storage) == ([1.0, 2.0], 16, True)


def test_a_namespace_of_operations(torch: ModuleType) -> None:
    torch.library.custom_op("namespace_of_tests::twice", lambda x: 2 * x, mutates_args=())
    assert torch.ops.namespace_of_tests.twice(mg.ones(1)).item() == 2
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        assert torch.ops.nothing_of_this_name.twice


# ---------------------------------------------------------------- from books and trainers


def test_principal_directions_by_a_random_basis() -> None:
    A = mg.arange(12.0).reshape(4, 3).sin().requires_grad_()
    mg.manual_seed(0)
    u, s, v = mg.pca_lowrank(A, q=2)
    assert s.tolist() == pytest.approx([2.4194031, 0.3442131], rel=1e-5)
    assert mg.randn(2).tolist() == pytest.approx([0.4033468, 0.8380263], rel=1e-5)
    exact = linalg.svdvals(A - A.mean(0))
    assert s.tolist() == pytest.approx(exact[:2].tolist(), rel=1e-4)
    assert mg.allclose(u * s @ v.mT, A - A.mean(0), atol=1e-4)
    gradients = [mg.autograd.grad(x[:2].sum(), A)[0] for x in (s, exact)]
    assert mg.allclose(*gradients, atol=1e-3)
    for wide in (False, True):
        B = mg.randn(2, 5, 3).mT if wide else mg.randn(2, 5, 3)
        u, s, v = mg.svd_lowrank(B, q=3, niter=1, M=mg.ones(B.shape[-1]))
        assert mg.allclose((u * s.unsqueeze(-2)) @ v.mT, B - 1, atol=1e-4)
    assert mg.pca_lowrank(A, center=False)[1].shape == (3,)
    for wrong in ({"q": 4}, {"q": -1}, {"niter": -1}):
        with pytest.raises(ValueError, match="must be non-negative integer"):
            mg.pca_lowrank(A, **wrong)


def test_names_that_trainers_and_losses_ask_for(torch: ModuleType) -> None:
    assert issubclass(torch.OutOfMemoryError, RuntimeError)
    assert torch.cuda.OutOfMemoryError is torch.OutOfMemoryError
    assert torch.legacy_contiguous_format is torch.contiguous_format
    assert [s.name for s in importlib.import_module("torch.amp.grad_scaler").OptState] == [
        "READY",
        "UNSCALED",
        "STEPPED",
    ]
    assert torch.typename(mg.ones(1)) == "torch.FloatTensor"
    assert (torch.typename(3), torch.typename(len)) == ("int", "len")
    assert torch.typename(nn.Linear(1, 1)) == torch.typename(nn.Linear) == f"{nn.Linear.__module__}.Linear"
    assert importlib.import_module("torch.optim.optimizer")._params_t
    reduction = importlib.import_module("torch.nn._reduction")
    assert reduction is nn._reduction
    assert [reduction.get_enum(word) for word in ("none", "mean", "sum")] == [0, 1, 2]
    assert reduction.legacy_get_enum(False, None, emit_warning=False) == 2
    with pytest.warns(UserWarning, match="reduction='none'"):
        assert reduction.legacy_get_string(None, False) == "none"
    with pytest.raises(ValueError, match="not a valid value"):
        reduction.get_enum("all")
    utils = importlib.import_module("torch._utils")
    assert torch._utils is utils
    assert torch._tensor.Tensor is mg.Tensor
    assert nn.Linear.T_destination.__bound__ == dict[str, Any]
    assert torch.torch_version.TorchVersion("2.1") < "2.10"
    options = torch._tensor_str.PRINT_OPTS
    before = copy.copy(options)
    with torch._tensor_str.printoptions(precision=2, linewidth=60):
        assert (options.precision, options.linewidth) == (2, 60)
        options.precision = 1
        assert str(mg.tensor([0.5])) == "tensor([0.5])"
    assert vars(options) == vars(before) == torch._tensor_str.get_printoptions()
    assert torch._tensor_str._tensor_str(mg.tensor([[1, 20], [3, 4]]), indent=2) == "[[ 1, 20],\n   [ 3,  4]]"
    numbers = torch._tensor_str._Formatter(mg.tensor([0.5, -10.0]))
    assert (numbers.format(0.5), numbers.width()) == ("  0.5000", 8)
    parts = [mg.ones(2, 2), mg.zeros(3)]
    flat = utils._flatten_dense_tensors(parts)
    assert flat.shape == (7,)
    assert [t.shape for t in utils._unflatten_dense_tensors(flat, parts)] == [(2, 2), (3,)]


def test_a_pass_over_a_loader_of_a_package() -> None:
    loaders = importlib.import_module("minigrad.utils.data.dataloader")

    class Loader:
        _auto_collation, _index_sampler, _dataset_kind = False, range(99), loaders._DatasetKind.Iterable
        num_workers, drop_last, pin_memory, generator, dataset = 0, False, False, None, ["a", "b"]

        def collate_fn(self, x: str) -> str:
            return x * 2

    assert list(loaders._SingleProcessDataLoaderIter(Loader())) == ["aa", "bb"]
    assert mg.utils.data.DataLoader([1])._dataset_kind == loaders._DatasetKind.Map


def test_a_module_with_other_parameters_for_a_while() -> None:
    layer, ones = nn.Linear(2, 1, bias=False), mg.ones(1, 2)
    own = layer.weight
    with nn.utils.stateless._reparametrize_module(layer, {"weight": ones}, strict=True):
        assert layer(mg.ones(2)).item() == 2
        assert layer.weight is ones
    assert layer.weight is own
    with pytest.raises(ZeroDivisionError), nn.utils.stateless._reparametrize_module(layer, {"weight": ones}):
        1 / 0  # noqa: B018
    assert layer.weight is own


# ---------------------------------------------------------------- copies of layers


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
@pytest.mark.parametrize(
    ("both", "first", "bias"), [(False, False, True), (True, True, False), (True, False, True)]
)
def test_recurrent_functions_are_what_the_modules_compute(
    torch: ModuleType, name: str, both: bool, first: bool, bias: bool
) -> None:
    more: dict[str, Any] = {"nonlinearity": name.partition("_")[2]} if "_" in name else {}
    layer = getattr(nn, name.partition("_")[0].upper())(
        3, 4, 2, bidirectional=both, batch_first=first, bias=bias, dropout=0.5, **more
    )
    function, weights = getattr(torch._VF, name), layer._flat_weights
    assert function is getattr(importlib.import_module("torch._VF"), name)
    assert function is getattr(torch._C._VariableFunctions, name)
    x = mg.randn(2, 5, 3)
    shape = layer.get_expected_hidden_size(x, None)
    hx: Any = (mg.randn(shape), mg.randn(shape)) if name == "lstm" else mg.randn(shape)
    layer.check_forward_args(x, hx, None)
    with pytest.raises(RuntimeError, match=r"size \(\d, \d, 4\), got"):
        layer.check_forward_args(x, hx[:1] if name != "lstm" else (hx[0][:1], hx[1]), None)
    mg.manual_seed(0)
    y, *last = function(x, hx, weights, bias, 2, 0.5, True, both, first)
    mg.manual_seed(0)
    expected, states = layer(x, hx)
    mg.testing.assert_close((y, *last), (expected, *(states if name == "lstm" else (states,))))
    packed = nn.utils.rnn.pack_padded_sequence(x, [5, 3] if first else [2, 2, 1, 1, 1], batch_first=first)
    y, *_ = function(packed.data, packed.batch_sizes, hx, weights, bias, 2, 0.5, False, both)
    mg.testing.assert_close(y, layer.eval()(packed, hx)[0].data)
    assert layer.get_expected_hidden_size(packed.data, packed.batch_sizes) == shape
    flipped = layer.permute_hidden(hx, mg.arange(shape[1]).flip(0))
    assert mg.equal((flipped if name != "lstm" else flipped[1]).flip(1), hx if name != "lstm" else hx[1])
    assert layer.permute_hidden(hx, None) is hx


def test_a_path_can_be_given_to_the_classes_of_c(torch: ModuleType) -> None:
    assert torch.classes.__file__ == "_classes.py"
    torch.classes.__path__ = []
    with pytest.raises(OSError, match="compiled for PyTorch itself"):
        torch.classes.load_library("a.so")
    with pytest.raises(NotImplementedError, match=r"torch\.classes\.some\.Class is a name alone"):
        torch.classes.some.Class()


def test_functions_that_modules_of_pytorch_call(torch: ModuleType) -> None:
    x, w = mg.randn(2, 4, 5, 5), mg.randn(4, 2, 3, 3)
    for rank, at in ((1, (..., 0)), (2, (...,))):
        ones = [1] * rank
        strided = torch.convolution(x[at], w[at], None, [2] * rank, ones, ones, False, [0] * rank, 2)
        assert mg.equal(strided, getattr(F, f"conv{rank}d")(x[at], w[at], None, 2, 1, 1, 2))
    wider = torch.convolution(x, w, mg.ones(4), [2, 2], [1, 0], [1, 2], True, [1, 0], 2)
    assert mg.equal(wider, F.conv_transpose2d(x, w, mg.ones(4), 2, (1, 0), (1, 0), 2, (1, 2)))
    assert mg.equal(torch._softmax(x, 1, False), x.softmax(1))
    halves = torch._log_softmax(x.half(), -1, True)
    assert mg.equal(halves, x.half().float().log_softmax(-1))
    table, rows, starts = mg.randn(6, 3), mg.tensor([1, 2, 4, 5, 4, 3]), mg.tensor([0, 2, 2, 6])
    for number, mode in enumerate(("sum", "mean", "max")):
        bags, *rest = torch.embedding_bag(table, rows, starts, False, number, False, None, True, 4)
        bag = functools.partial(F.embedding_bag, rows, table, starts, mode=mode)
        assert mg.equal(bags, bag(include_last_offset=True, padding_idx=4))
        assert [t.numel() for t in rest] == [0, 0, 0]
    bags = torch.embedding_bag(table, rows, starts, False, 0, False, None, True, -2)[0]
    assert mg.equal(
        bags, F.embedding_bag(rows, table, starts, mode="sum", include_last_offset=True, padding_idx=4)
    )
    for wrong in ("embedding_bag(table, rows, starts, False, 9)", "convolution(x, x[0, 0], *[None] * 7)"):
        with pytest.raises(
            RuntimeError, match=r"`mode` must be sum, mean, or max|weight should have 3 to 5 dim"
        ):
            eval(f"torch.{wrong}", {"torch": torch, "table": table, "rows": rows, "starts": starts, "x": x})
    lstm, gru, rnn = nn.LSTM(4, 3, 2), nn.GRU(4, 3, batch_first=True), nn.RNN(4, 3, nonlinearity="relu")
    x, h = mg.randn(2, 2, 4), mg.randn(2, 2, 3)
    y, hn, cn = torch.lstm(x, (h, h), lstm._flat_weights, True, 2, 0.0, False, False, False)
    expected, (hidden, cell) = lstm(x, (h, h))
    assert all(map(mg.equal, (y, hn, cn), (expected, hidden, cell)))
    names = ("params", "has_biases", "num_layers", "dropout", "train", "bidirectional", "batch_first")
    rest = zip(names, (lstm._flat_weights, True, 2, 0.0, False, False, False), strict=True)
    assert mg.equal(torch.lstm(x, hx=(h, h), **dict(rest))[0], y)
    with pytest.raises(TypeError, match=r"lstm\(\) takes an input and batch_sizes, hx"):
        torch.lstm(x, (h, h))
    with pytest.raises(IndexError, match=r"gru\(\): expected an input of 3 dimensions, got \[2, 4\]"):
        torch.gru(x[0], h, gru._flat_weights, True, 1, 0.0, False, False, False)
    for cell, function in ((gru, torch.gru), (rnn, torch.rnn_relu)):
        given = function(x, h[:1], cell._flat_weights, True, 1, 0.0, False, False, cell.batch_first)
        assert all(map(mg.equal, given, cell(x, h[:1])))


def test_private_functions_that_copies_of_layers_call(torch: ModuleType) -> None:
    v, g = mg.randn(3, 4), mg.rand(3, 1)
    plain = torch._VF
    assert mg.allclose(torch._weight_norm(v, g, 0), v / v.norm(dim=1, keepdim=True) * g)
    assert torch._shape_as_tensor(v).tolist() == [3, 4]
    repeated = mg.tensor([3, 1, 3])
    assert [t.tolist() for t in torch._unique2(repeated, True, True, True)] == [[1, 3], [1, 0, 1], [1, 2]]
    assert [t.tolist() for t in torch._unique2(repeated)] == [[1, 3], [], []]
    assert mg.allclose(torch.frobenius_norm(v, -1, True), v.norm(dim=1, keepdim=True))
    assert torch.frobenius_norm(v, []).item() == pytest.approx(v.norm().item())
    for asked, expected in [((), ()), ((True,), (1, 1)), (((0, 1), True), (1, 1))]:
        nuclear = torch.nuclear_norm(v, *asked)
        assert nuclear.shape == expected
        assert nuclear.item() == pytest.approx(mg.linalg.svdvals(v).sum().item(), rel=1e-5)
    x, lengths = mg.randn(5, 2, 3), mg.tensor([5, 2])
    data, sizes = plain._pack_padded_sequence(x, lengths, False)
    padded, back = plain._pad_packed_sequence(data, sizes, True, 0.5, 7)
    assert (back.tolist(), padded.shape, padded[1, 2:].unique().tolist()) == ([5, 2], (2, 7, 3), [0.5])
    assert plain.relu is mg.relu
    assert mg.equal(torch._C._nn.gelu(v), nn.functional.gelu(v))
    permute = importlib.import_module("torch.nn.modules.rnn").apply_permutation
    assert permute(mg.eye(2), mg.tensor([1, 0])).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    attention = importlib.import_module("torch.nn.modules.activation")
    asked = [attention._arg_requires_grad(v), attention._arg_requires_grad(v.requires_grad_())]
    assert [*asked, attention._check_arg_device(v), attention._is_make_fx_tracing()] == [
        False,
        True,
        True,
        False,
    ]
    chosen = torch._jit_internal.boolean_dispatch(
        "flag", 1, False, lambda x, flag: 1, lambda x, flag=False: 2, None, "f"
    )
    assert [chosen(0), chosen(0, True), chosen(0, flag=True), chosen(0, False)] == [2, 1, 1, 2]
    assert importlib.import_module("torch._jit_internal").Optional[int] == int | None

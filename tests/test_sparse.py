"""Sparse Tensors: texts, numbers, gradients, errors as PyTorch's; and what has sparse gradients."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim

I = [[0, 1, 1, 0], [2, 0, 2, 2]]  # noqa: E741
DENSE = [[0.0, 0.0, 4.0], [4.0, 0.0, 5.0]]


def coo(**named: Any) -> mg.Tensor:
    """Two rows of three, in which a place stands twice."""
    return mg.sparse_coo_tensor(I, [3.0, 4.0, 5.0, 1.0], (2, 3), **named)


def cols() -> mg.Tensor:
    return mg.arange(6.0).reshape(3, 2)


TEXTS = {
    "coo()": """\
tensor(indices=tensor([[0, 1, 1, 0],
                       [2, 0, 2, 2]]),
       values=tensor([3., 4., 5., 1.]),
       size=(2, 3), nnz=4, layout=minigrad.sparse_coo)""",
    "coo().coalesce().to_sparse_csr().double()": """\
tensor(crow_indices=tensor([0, 1, 3]),
       col_indices=tensor([2, 0, 2]),
       values=tensor([4., 4., 5.]), size=(2, 3), nnz=3, dtype=minigrad.float64,
       layout=minigrad.sparse_csr)""",
    "mg.sparse.FloatTensor(2, 3)": """\
tensor(indices=tensor([], size=(2, 0)),
       values=tensor([], size=(0,)),
       size=(2, 3), nnz=0, layout=minigrad.sparse_coo)""",
    "mg.eye(2).requires_grad_().to_sparse(1)": """\
tensor(indices=tensor([[0, 1]]),
       values=tensor([[1., 0.],
                      [0., 1.]]),
       size=(2, 2), nnz=2, layout=minigrad.sparse_coo,
       grad_fn=<ToSparseBackward0>)""",
    "coo().t().to_sparse_csc()": """\
tensor(ccol_indices=tensor([0, 1, 3]),
       row_indices=tensor([2, 0, 2]),
       values=tensor([4., 4., 5.]), size=(3, 2), nnz=3,
       layout=minigrad.sparse_csc)""",
}


@pytest.mark.parametrize("code", TEXTS)
def test_it_looks_as_in_pytorch(code: str) -> None:
    assert repr(eval(code)) == TEXTS[code]


# Each for the coalesced and the other, and for rows: what a dense Tensor gives, the parts in their order.
SAME: list[Callable[[Any], Any]] = [
    lambda s: s @ cols(), lambda s: s @ cols()[:, 0], lambda s: mg.ones(2, 2) @ s, lambda s: mg.ones(2) @ s,
    lambda s: mg.mm(s, cols()), lambda s: mg.spmm(s, cols()), lambda s: mg.dsmm(s, cols()),
    lambda s: s.mv(cols()[:, 0]), lambda s: s @ s.t(),
    lambda s: mg.addmm(mg.ones(2, 2), s, cols(), beta=2, alpha=3), lambda s: nn.functional.linear(s, cols().t()),
    lambda s: s * 2, lambda s: 2 * s, lambda s: s / 2, lambda s: -s, lambda s: s + s, lambda s: s - 0.5 * s,
    lambda s: s * s, lambda s: s * cols().t(), lambda s: mg.ones(2, 1) * s, lambda s: cols().t() + s,
    lambda s: mg.sub(cols().t(), s, alpha=2), lambda s: s.sqrt(), lambda s: s**2, lambda s: s.t(), lambda s: s.sum(),
    lambda s: s.sum(1, keepdim=True), lambda s: s.double(), lambda s: s.to(mg.float16), lambda s: s.clone(),
    lambda s: s[1], lambda s: s[0, 2], lambda s: s.long(), lambda s: s.detach(), lambda s: s.transpose(0, 1),
    lambda s: s.relu(), lambda s: s.mul(mg.tensor(3.0)), lambda s: cols().t().clone().add_(s, alpha=2),
]  # fmt: skip
# Of these only with places.
BY_PLACES: list[Callable[[Any], Any]] = [
    lambda s: mg.cat([s, s]), lambda s: mg.cat([s, s], 1), lambda s: mg.stack([s, s]), lambda s: s.unsqueeze(0),
    lambda s: s[mg.tensor(1)],
    lambda s: mg.mm(s, cols(), out=mg.empty(2, 2)), lambda s: mg.add(s, s, out=mg.zeros_like(s)),
    lambda s: s.index_select(0, mg.tensor([1, 0, 1])), lambda s: s.index_select(1, mg.tensor([2, 0])),
    lambda s: s.sum(0),
    lambda s: s.sum((0, 1)), lambda s: s.norm(), lambda s: s.clone().mul_(2).add_(s), lambda s: s.T, lambda s: s[:, 2],
    lambda s: mg.zeros_like(s), lambda s: s.clone().zero_(), lambda s: mg.bmm(mg.stack([s, s]), mg.stack([cols()] * 2)),
    lambda s: s[None, 1], lambda s: s[..., None], lambda s: s[0, None, 2], lambda s: s.narrow_copy(1, 1, 2),
    lambda s: mg.permute(s, dims=(1, 0)), lambda s: cols().t().clone().mul_(s), lambda s: s.int().sum(0),
    lambda s: s.int()[1, 2], lambda s: s.half().add_(s), lambda s: s.new_zeros(size=(2, 3)),
    lambda s: s.new_zeros(2, 3, layout=mg.strided),
]  # fmt: skip


@pytest.mark.parametrize("k", range(len(SAME + BY_PLACES)))
def test_values_are_those_of_dense_tensors(k: int) -> None:
    f = (SAME + BY_PLACES)[k]
    right = f(mg.tensor(DENSE))
    forms = [coo(), coo().coalesce()] + (
        [coo().to_sparse_csr(), coo().to_sparse_csc()] if k < len(SAME) else []
    )
    for s in forms:
        y = f(s)
        y = y.to_dense()
        assert y.shape == right.shape
        assert y.dtype == right.dtype
        assert mg.allclose(y, right)


def test_parts_and_questions() -> None:
    s = coo()
    assert (s.layout, s.is_sparse, s.is_sparse_csr) == (mg.sparse_coo, True, False)
    assert (s.shape, s.size(1), s.dim(), s.numel(), len(s)) == ((2, 3), 3, 2, 6, 2)
    assert (s._nnz(), s.sparse_dim(), s.dense_dim(), s.is_coalesced()) == (4, 2, 0, False)
    assert (s.dtype, s.device, s.is_floating_point(), s.type()) == (
        mg.float32,
        mg.device("cpu"),
        True,
        "minigrad.sparse.FloatTensor",
    )
    assert isinstance(s, mg.Tensor)
    assert (s == None, s != None) == (False, True)  # noqa: E711
    assert mg.sparse_coo_tensor([[0, 0]], [True, True], (2,)).coalesce().values().tolist() == [True]
    assert isinstance(s, mg.sparse.FloatTensor)
    assert not isinstance(s, mg.FloatTensor)
    assert mg.is_tensor(s)
    assert s._indices().tolist() == I
    sums = mg.sparse.sum(s.int(), 0), s.int().sum(0), mg.sparse.sum(s, 0, mg.float64), s.int()[0][0]
    assert [t.dtype for t in sums] == [mg.int32, mg.int64, mg.float64, mg.int32]
    assert s.sum(()).to_dense().tolist() == DENSE
    assert all(s.new_zeros(2, 3, layout=k, requires_grad=True).requires_grad for k in (mg.strided, None))
    with mg.no_grad():
        assert mg.add(s, s, out=coo(requires_grad=True)).requires_grad
    assert s.index_select(1, mg.tensor([-1])).to_dense()[:, 0].tolist() == [row[-1] for row in DENSE]
    c = s.coalesce()
    assert c is c.coalesce()
    assert (c.indices().tolist(), c.values().tolist()) == ([[0, 1, 1], [2, 0, 2]], [4.0, 4.0, 5.0])
    r = c.to_sparse_csr()
    assert (r.crow_indices().tolist(), r.col_indices().tolist()) == ([0, 1, 3], [2, 0, 2])
    assert (r.layout, r.t().layout) == (mg.sparse_csr, mg.sparse_csc)
    batches = mg.stack([c, 2 * c])
    assert batches.mT.to_dense().equal(batches.to_dense().mT)
    assert batches.T.shape == (3, 2, 2)
    turned = (c * 1j).coalesce()
    assert turned.mH.to_dense().equal(turned.to_dense().mH)
    assert turned.adjoint().to_dense().equal(turned.H.to_dense())
    assert cols().t().sparse_mask(c).values().tolist() == [4.0, 1.0, 5.0]
    again = mg.sparse_csr_tensor(r.crow_indices(), r.col_indices(), r.values(), (2, 3))
    assert again.to_dense().tolist() == DENSE
    assert mg.sparse.spdiags(mg.ones(1, 3), mg.tensor([0]), (3, 3)).to_dense().equal(mg.eye(3))
    assert s.sparse_resize_((4, 5), 2, 0).shape == (4, 5)


@pytest.mark.parametrize(("reduce", "first"), [("sum", 13.0), ("mean", 6.5), ("amax", 12.0), ("amin", 1.0)])
def test_products_that_reduce(reduce: str, first: float) -> None:
    rows = mg.sparse_csr_tensor([0, 2, 2, 3], [0, 2, 1], [1.0, 4.0, 2.0], (3, 3), dtype=mg.float64)
    x = mg.tensor([[1.0], [2.0], [3.0]], dtype=mg.float64, requires_grad=True)
    assert mg.sparse.mm(rows, x, reduce).tolist() == [[first], [0.0], [4.0]]
    assert mg.autograd.gradcheck(lambda x: mg.sparse.mm(rows, x, reduce), (x,))


ERRORS: dict[str, tuple[type[Exception], str]] = {
    "coo().exp()": (NotImplementedError, r"'aten::exp'.*SparseCPU.*to_dense"),
    "mg.exp(coo())": (NotImplementedError, "exp"),
    "nn.functional.softmax(coo(), 1)": (NotImplementedError, "to_dense"),
    "coo() == coo()": (NotImplementedError, "eq"),
    "mg.equal(coo(), coo())": (NotImplementedError, "equal"),
    "coo()[0:1]": (NotImplementedError, "to_dense"),
    "mg.stack([coo(), coo()]).t()": (RuntimeError, "<= 2 sparse and 0 dense dimensions, but got 3 sparse"),
    "mg.stack([coo(), coo()]).H": (RuntimeError, r"only supported on matrices \(2-D tensors\). Got 3-D"),
    "coo()[0].mT": (RuntimeError, "matrices or batches of matrices. Got 1-D"),
    "coo().reshape(3, 2)": (NotImplementedError, "reshape"),
    "mg.zeros(2, layout=mg.sparse_coo)": (NotImplementedError, "use .to_sparse"),
    "mg.sparse.mm(coo().to_sparse_csr(), cols(), 'prod')": (RuntimeError, "reduce argument"),
    "mg.mv(coo(), mg.ones(2))": (RuntimeError, "size mismatch"),
    "coo(requires_grad=True).mul_(2)": (RuntimeError, "leaf Variable that requires grad"),
    "nn.functional.dropout(coo(), 0.5)": (NotImplementedError, "bernoulli_"),
    "coo() + 1": (RuntimeError, r"add\(sparse, dense\) is not supported"),
    "coo() + cols().t()": (RuntimeError, r"Use add\(dense, sparse\) instead"),
    "coo() / cols().t()": (RuntimeError, "Sparse division requires a scalar"),
    "coo().indices()": (RuntimeError, "uncoalesced tensor, please call"),
    "coo().values()": (RuntimeError, "uncoalesced tensor, please call"),
    "coo().crow_indices()": (RuntimeError, "sparse row compressed tensor layout but got Sparse"),
    "coo().to_sparse_csr().coalesce()": (RuntimeError, "but got SparseCsr"),
    "mg.ones(2).indices()": (RuntimeError, "but got Strided"),
    "mg.ones(2)._nnz()": (NotImplementedError, "_nnz"),
    "coo().numpy()": (TypeError, "can't convert Sparse layout tensor to numpy"),
    "coo().__setitem__(0, 1.0)": (TypeError, "Cannot assign to a sparse tensor"),
    "mg.mm(coo(), mg.ones(2, 2))": (RuntimeError, "2x3 and 2x2"),
    "mg.mm(coo(), cols().double())": (RuntimeError, "Float but found Double"),
    "mg.cat([coo(), mg.ones(2, 3)])": (RuntimeError, "a dense tensor was found at position 1"),
    "mg.sparse_coo_tensor(I, [1.0, 2.0], (2, 3))": (RuntimeError, "nnz from indices: 4, nnz from values: 2"),
    "mg.sparse_coo_tensor(I, [1.0] * 4, (2, 2))": (RuntimeError, "for dim 1, size is 2 but found index 2"),
    "mg.sparse_coo_tensor([[-1]], [1.0], (2,))": (RuntimeError, "negative index -1 for dim 0"),
    "mg.sparse_coo_tensor([0], [1.0])": (RuntimeError, "sparse_dim x nnz"),
    "mg.sparse_csr_tensor([0, 2, 1], [0, 1], [1.0, 2.0], (2, 2))": (RuntimeError, "rise from 0"),
    "mg.ones(2, 3).copy_(coo())": (RuntimeError, "between dense and sparse Tensors"),
    "coo().norm(dim=1)": (RuntimeError, "full reductions"),
    "coo().norm(dim=(0, 1), keepdim=True)": (RuntimeError, "does not support keepdim=True"),
    "coo().sparse_resize_((3, 3, 3), 2, 0)": (
        RuntimeError,
        r"len\(size\) = 3, sparse_dim = 2, dense_dim = 0",
    ),
    "coo().sparse_resize_and_clear_((3, 3), 3, -1)": (RuntimeError, r"len\(size\) = 2, sparse_dim = 3"),
    "mg.mm(coo(), cols(), out=mg.empty(0).to_sparse())": (
        RuntimeError,
        "has the layout minigrad.strided, and",
    ),
    "mg.mul(coo(), coo(), out=coo().long())": (RuntimeError, "mul: result type Float can't be cast"),
    "mg.sqrt(coo(requires_grad=True), out=coo())": (RuntimeError, "don't support automatic differentiation"),
    "mg.add(cols(), cols(), out=coo())": (NotImplementedError, "it is for sparse Tensors"),
    "mg.zeros(2, 3, out=coo())": (NotImplementedError, "zeros is not there for the layout"),
    "mg.ones(size=(2, 3), out=coo())": (NotImplementedError, "ones is not there for the layout"),
    "coo().permute()": (TypeError, r"permute\(\) of a sparse Tensor does not take \(\)"),
    "coo().index_select(0, mg.tensor([-3]))": (IndexError, r"out of the range \[-2, 2\)"),
    "coo().narrow_copy(1, 2, 2)": (RuntimeError, r"subset of range\(0, 3\), got start=2, length=2"),
    "coo().long().add(coo().long(), alpha=0.5)": (RuntimeError, "argument alpha must not be a float"),
    "mg.sub(coo(), coo(), alpha=True)": (RuntimeError, "Boolean alpha only supported"),
    "coo() - coo().bool()": (RuntimeError, "with a bool tensor is not supported"),
    "coo().long().div_(2)": (RuntimeError, "div_: result type Float can't be cast"),
    "coo().long().add_(coo())": (RuntimeError, "add_: result type Float can't be cast"),
    "coo().long().sqrt_()": (RuntimeError, "sqrt_: result type Float can't be cast"),
    "cols().t().long().add_(coo())": (RuntimeError, "add_: result type Float can't be cast"),
    "cols().div_(coo().t())": (RuntimeError, "Sparse division requires a scalar"),
    "mg.sparse.softmax(coo().long(), 0)": (NotImplementedError, "\"softmax\" not implemented for 'Long'"),
    "mg.utils.data.default_collate([coo(), coo()])": (RuntimeError, "Batches of sparse tensors"),
    "mg.mv(coo(), 'a')": (TypeError, r"mv\(\) of a sparse Tensor does not take \(str\).*<user>:1"),
    "coo() @ 'a'": (TypeError, "unsupported operand type"),
    "mg.bmm(coo(), cols())": (RuntimeError, r"got \[2, 3\] of the layout minigrad.sparse_coo"),
    "mg.stack([coo(), cols().t()])": (RuntimeError, "a dense tensor was found at position 1"),
    "mg.stack([coo(), coo().t()])": (RuntimeError, r"equal size, but got \[\[2, 3\], \[3, 2\]\]"),
    "coo().index_select(0, mg.tensor([[0]]))": (IndexError, "index must be 1-D"),
    "coo().to_sparse_csr().sub_(cols().t())": (RuntimeError, "the result is dense"),
    "coo().sparse_mask(cols().t())": (TypeError, "must be a sparse Tensor"),
    "cols().to_sparse(layout=mg.sparse_bsr)": (NotImplementedError, "not minigrad.sparse_bsr"),
    "mg.sparse.softmax(cols(), 0)": (NotImplementedError, r"'aten::_sparse_softmax'.*'CPU'.*to_sparse"),
    "mg.sparse.sum(cols(), 0)": (NotImplementedError, "it is for sparse Tensors"),
    "mg.sparse.sampled_addmm(coo(), cols(), cols())": (RuntimeError, r"no product of the shape \[2, 3\]"),
    "mg.sparse.spdiags(cols(), mg.tensor([0]), (2, 2, 2))": (RuntimeError, "output shape must be 2d"),
    "mg.compile(lambda x: coo() @ x)(cols())": (RuntimeError, "sparse|takes over"),
}


@pytest.mark.parametrize("code", ERRORS)
def test_errors_are_of_pytorch_s_kinds_and_name_the_line(code: str) -> None:
    kind, says = ERRORS[code]
    with pytest.raises(kind, match=says) as caught:
        eval(compile(code, "<user>", "eval"))
    assert "<user>:1" in str(caught.value) or "mg.compile" in code or kind is TypeError


# ---------------------------------------------------------------- gradients


GRADS: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
    "product": (lambda s: mg.sparse.mm(s, cols()), [9.0, 1.0, 9.0, 9.0]),
    "dense": (lambda s: s.to_dense() ** 2, [8.0, 8.0, 10.0, 8.0]),
    "coalesced": (lambda s: s.coalesce().values() * mg.tensor([1.0, 2.0, 3.0]), [1.0, 2.0, 3.0, 1.0]),
    "transposed": (lambda s: s.t() @ mg.ones(2, 2), [2.0] * 4),
    "sum": (lambda s: mg.sparse.sum(s, 1).to_dense() ** 2, [8.0, 18.0, 18.0, 8.0]),
    "twice": (lambda s: (s + s).to_dense(), [2.0] * 4),
    "softmax": (lambda s: mg.sparse.softmax(s, 1).to_dense()[:, 2], [0.0, -0.196612, 0.196612, 0.0]),
    "sparse": (lambda s: mg.sparse.mm(s, coo().t()).to_dense(), [9.0, 4.0, 9.0, 9.0]),
}


@pytest.mark.parametrize("case", GRADS)
def test_gradients_reach_the_numbers(case: str) -> None:
    f, right = GRADS[case]
    v = mg.tensor([3.0, 4.0, 5.0, 1.0], requires_grad=True)
    f(mg.sparse_coo_tensor(I, v, (2, 3))).sum().backward()
    assert np.allclose(v.grad, right, atol=1e-5)
    s = coo(requires_grad=True)
    f(s).sum().backward()
    assert s.is_leaf
    assert s.grad is not None
    assert s.grad.is_sparse  # at the places of the leaf, each once
    assert np.allclose(s.grad.values(), np.array(right)[[0, 1, 2]], atol=1e-5)


def test_second_derivatives_and_all_readers() -> None:
    v = mg.tensor([3.0, 4.0, 5.0, 1.0], dtype=mg.float64, requires_grad=True)
    d = cols().double().requires_grad_()
    product = lambda v, d: mg.sparse.mm(mg.sparse_coo_tensor(I, v, (2, 3)), d) ** 3  # noqa: E731
    assert mg.autograd.gradcheck(product, (v, d))
    assert mg.autograd.gradgradcheck(product, (v, d))
    log_softmax = lambda v: mg.sparse.log_softmax(mg.sparse_coo_tensor(I, v, (2, 3)).coalesce(), 1).values()  # noqa: E731
    assert mg.autograd.gradcheck(log_softmax, (v,))
    y = product(v, d).sum()
    assert "_product(" in str(mg.source(y))
    assert "sparse_product" in str(mg.tape_table(y))
    adjacency = coo()
    loss = (adjacency @ cols().requires_grad_()).sum()
    assert "sparse_product(adjacency" in str(mg.explain(loss))
    assert mg.draw(loss).dot
    model = nn.Module()
    model.register_buffer("adj", adjacency)
    model.forward = lambda x: model.adj @ x  # type: ignore[method-assign]
    assert mg.summary(model, cols())[0].multiply_adds == 8


def test_a_function_of_ones_own_keeps_a_sparse_tensor() -> None:
    class Spmm(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, at: Any, values: Any, shape: Any, b: Any) -> Any:
            a = mg.sparse_coo_tensor(at, values, shape)
            ctx.save_for_backward(a, b)
            return mg.matmul(a, b)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            a, b = ctx.saved_tensors
            at = a._indices()[0] * 3 + a._indices()[1]
            return None, (g @ b.t()).reshape(-1)[at], None, a.t().matmul(g)

    v, d = mg.ones(4, requires_grad=True), cols().requires_grad_()
    Spmm.apply(mg.tensor(I), v, (2, 3), d).sum().backward()
    assert v.grad.tolist() == [9.0, 1.0, 9.0, 9.0]
    assert d.grad.tolist() == [[1.0, 1.0], [0.0, 0.0], [3.0, 3.0]]


# ---------------------------------------------------------------- copies, files, modules


def test_copies_files_and_buffers(tmp_path: Any) -> None:
    for s in (coo(), coo().coalesce(), coo().to_sparse_csr(), coo().to_sparse_csc()):
        file = io.BytesIO()
        mg.save({"s": s, "again": s}, file)
        file.seek(0)
        loaded = mg.load(file)
        assert loaded["s"] is loaded["again"]
        for t in (loaded["s"], copy.deepcopy(s), pickle.loads(pickle.dumps(s)), s.clone()):
            assert repr(t) == repr(s)
            assert (not s.is_sparse) or t.is_coalesced() == s.is_coalesced()
    model = nn.Module()
    model.register_buffer("adj", coo())
    assert list(model.state_dict()) == ["adj"]
    for change in ("neg_", "sqrt_", "t_", "zero_"):
        s = coo()
        assert getattr(s, change)() is s
        assert mg.allclose(s.to_dense(), getattr(mg.tensor(DENSE), change)())
    model.weight = nn.Parameter(coo().coalesce())
    assert [*dict(model.named_parameters())] == ["weight"]
    assert repr(model.weight).startswith("Parameter containing:\ntensor(indices")
    (model.weight @ cols()).sum().backward()
    optim.SGD(model.parameters(), lr=1.0).step()
    assert model.weight.values().tolist() == [-5.0, 3.0, -4.0]
    other = copy.deepcopy(model)
    assert isinstance(other.weight, nn.Parameter)
    other.adj = other.adj * 2
    other.load_state_dict(model.state_dict())
    assert other.double().adj.to_dense().tolist() == DENSE


def test_values_are_close() -> None:
    close, s = mg.testing.assert_close, coo()
    for t in (s, s.coalesce(), s.to_sparse_csr()):
        close(t, t.clone() * (1 + 1e-7))
        for other in (
            t * 2,
            t.double(),
            t.to_dense(),
            t.neg(),
            mg.eye(2).to_sparse(),
            mg.ones(*t.shape).to_sparse(),
        ):
            with pytest.raises(AssertionError, match=r"do not match|does not match|not close"):
                close(t, other)
        close(t.to_dense(), t, check_layout=False)


# ---------------------------------------------------------------- sparse gradients


def table(**named: Any) -> nn.Embedding:
    return nn.Embedding(5, 2, sparse=True, _weight=mg.arange(10.0).reshape(5, 2) / 10, **named)


X = mg.tensor([1, 3, 1])


def test_the_gradient_of_an_embedding_is_sparse() -> None:
    e = table()
    e(X).pow(2).sum().backward()
    g = e.weight.grad
    assert (g.is_sparse, g.is_coalesced(), g._indices().tolist()) == (True, False, [[1, 3, 1]])
    e(X + 1).sum().backward()
    assert e.weight.grad._indices().tolist() == [[1, 3, 1, 2, 4, 2]]
    dense = nn.Embedding(5, 2, _weight=e.weight.detach())
    (dense(X).pow(2).sum() + dense(X + 1).sum()).backward()
    assert mg.allclose(e.weight.grad.to_dense(), dense.weight.grad)
    dense.weight.grad = e.weight.grad  # any table takes one
    optim.SGD(dense.parameters(), lr=1.0).step()
    assert dense.weight[0].tolist() == e.weight[0].tolist()
    e = table()
    (e(X).sum() + e(X + 1).sum()).backward()
    assert e.weight.grad._indices().tolist() == [[1, 3, 1, 2, 4, 2]]
    e = table()
    (e(X).sum() + e.weight.sum() + e(X).sum()).backward()  # on the way and in .grad
    e(X).sum().backward()
    e.weight.sum().backward()
    assert e.weight.grad.tolist() == [[2.0, 2.0], [8.0, 8.0], [2.0, 2.0], [5.0, 5.0], [2.0, 2.0]]
    e = table(padding_idx=1)
    assert mg.autograd.grad(e(X).sum(), e.weight)[0]._indices().tolist() == [[3]]
    seen = []
    e.weight.register_hook(lambda g: seen.append(g.is_sparse))
    e(X).sum().backward()
    assert seen == [True]
    y = (e := table())(X)
    y.grad_fn.register_hook(lambda grads, outputs: None)  # who looks at it there sees a dense one
    y.sum().backward()
    assert e.weight.grad.sum() == 6
    (bag := nn.EmbeddingBag(5, 2, sparse=True))(X[None]).sum().backward()
    assert np.allclose(bag.weight.grad._values(), 1 / 3)
    nn.functional.embedding(X, (w := table().weight) * 2, sparse=True).sum().backward()
    assert not w.grad.is_sparse
    half = table().half()
    (half(X).sum() + half(X + 1).sum()).backward()
    assert (half.weight.grad.dtype, half.weight.grad._indices().tolist()) == (
        mg.float16,
        [[1, 3, 1, 2, 4, 2]],
    )
    half.weight.sum().backward()
    assert (half.weight.grad.dtype, half.weight.grad[:, 0].tolist()) == (
        mg.float16,
        [1.0, 3.0, 3.0, 2.0, 2.0],
    )
    with pytest.raises(RuntimeError, match="scale_grad_by_freq not supported with sparse gradients"):
        table(scale_grad_by_freq=True)(X).sum().backward()


# What three steps of PyTorch make of the table.
STEPS: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
    "SGD": (lambda p: optim.SGD(p, lr=0.1), [0.0, 0.08, 0.12, 0.18, 0.24, 0.3, 0.288, 0.336, 0.64, 0.72]),
    "momentum": (
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5),
        [0.0, 0.09, -0.0168, -0.0252, 0.248, 0.31, 0.2004, 0.2338, 0.648, 0.729],
    ),
    "nesterov": (
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        [0.0, 0.062, -0.07512, -0.11268, -0.0336, -0.042, -0.021528, -0.025116, 0.3664, 0.4122],
    ),
    "Adagrad": (
        lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1),
        [0.0, 0.016667, 0.1, 0.2, 0.309091, 0.409091, 0.428542, 0.528018, 0.709091, 0.809091],
    ),
    "SparseAdam": (
        lambda p: optim.SparseAdam(p, lr=0.1),
        [0.0, 0.036119, 0.1, 0.2, 0.325586, 0.425586, 0.415631, 0.515841, 0.725586, 0.825586],
    ),
    "maximize": (
        lambda p: optim.SparseAdam(p, lr=0.1, maximize=True),
        [0.0, 0.163881, 0.3, 0.4, 0.474414, 0.574414, 0.78137, 0.881576, 0.874414, 0.974414],
    ),
}


@pytest.mark.parametrize("case", STEPS)
def test_steps_of_sparse_gradients(case: str) -> None:
    make, right = STEPS[case]
    e = table()
    o = make(list(e.parameters()))
    for i in range(3):
        o.zero_grad()
        e((X + i) % 5).pow(2).sum().backward()
        o.step()
    assert np.allclose(e.weight.detach().reshape(-1), right, atol=2e-6)


def test_a_count_of_steps_may_have_a_dimension() -> None:
    weights = []
    for shape in ((), (1,)):
        table = mg.nn.Embedding.from_pretrained(mg.ones(3, 2), freeze=False, sparse=True)
        optimizer, p = mg.optim.SparseAdam(table.parameters(), 0.1), table.weight
        optimizer.state[p] = {
            "step": mg.zeros(shape),
            "exp_avg": mg.zeros(3, 2),
            "exp_avg_sq": mg.zeros(3, 2),
        }
        table(mg.tensor([0, 2])).sum().backward()
        optimizer.step()
        weights.append(p.tolist())
    assert weights[0] == weights[1]


def test_optimizers_that_refuse() -> None:
    for name in "Adam AdamW RMSprop Adadelta Adamax NAdam RAdam ASGD Rprop Adafactor Muon".split():  # noqa: SIM905
        e = table()
        e(X).sum().backward()
        with pytest.raises(RuntimeError, match="does not support sparse gradients"):
            getattr(optim, name)(e.parameters()).step()
    with pytest.raises(RuntimeError, match="weight_decay option is not compatible"):
        optim.Adagrad(e.parameters(), weight_decay=0.1).step()
    with pytest.raises(RuntimeError, match="add"):
        optim.SGD(e.parameters(), weight_decay=0.1).step()
    p = nn.Parameter(mg.ones(2))
    p.grad = mg.ones(2)
    with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients"):
        optim.SparseAdam([p]).step()
    with pytest.raises(ValueError, match="Sparse params at indices"):
        optim.SparseAdam([coo()])
    with pytest.raises(NotImplementedError, match="norm"):
        nn.utils.clip_grad_norm_(e.parameters(), 1.0)
    optim.LBFGS(e.parameters(), lr=0.1).step(
        lambda: e.zero_grad() or (y := e(X).pow(2).sum()).backward() or y
    )
    optim.SGD(e.parameters()).zero_grad(set_to_none=False)
    assert e.weight.grad._nnz() == 0

"""`func.vmap`: results and derivatives are those of a loop, the arguments and errors PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import case

import minigrad as mg
from minigrad import func, nn
from minigrad.func import grad, hessian, jacrev, jvp, vmap

X = np.arange(6.0).reshape(3, 2)
TENS = np.array([10.0, 20.0])


def rows() -> Any:
    return mg.tensor(X, dtype=mg.float64)


def test_dimensions_come_and_go_where_they_are_said_to() -> None:
    x, y = rows(), mg.tensor([10.0, 20.0], dtype=mg.float64)
    assert mg.vmap is func.vmap
    cases: list[tuple[Any, Any]] = [
        (vmap(mg.dot)(x, x), (X * X).sum(1)),
        (vmap(lambda a, b: a + b, in_dims=(0, None))(x, y), X + TENS),
        (vmap(lambda a, b: a * b, in_dims=(-1, 0), out_dims=1)(x, y), X * TENS),
        (vmap(lambda p: p["a"] + p["b"], in_dims=({"a": 0, "b": None},))({"a": x, "b": y}), X + TENS),
        (vmap(lambda p, q: p[0] * p[1] - q, in_dims=((0, None), None))((x, y), 1.0), X * TENS - 1),
        (vmap(lambda a, k: a + k)(x, k=y), X + TENS),
        (vmap(vmap(lambda a: a * a))(x), X * X),
        (vmap(lambda a: y, out_dims=None)(x), [10, 20]),
        (vmap(lambda a: a[:1] * 0 + complex("nan"), out_dims=None)(x), [complex("nan")]),
        (vmap(lambda a: (a.sum(), [a]), out_dims=(0, [1]))(x)[1][0], X.T),
        (vmap(lambda a: {"k": a.sum()})(x)["k"], X.sum(1)),
    ]
    for i, (got, expected) in enumerate(cases):
        with case(i):
            np.testing.assert_array_equal(got.numpy(), expected)
    changed = rows()
    vmap(lambda a: a.mul_(2))(changed)
    assert changed.tolist() == (2 * X).tolist()


def test_it_nests_with_the_other_transforms() -> None:
    x = rows()

    def f(a: Any) -> Any:
        return (a**3).sum() * a[0]

    for name, got, one in [
        ("grad inside", vmap(grad(f))(x), grad(f)),
        ("jacrev inside", vmap(jacrev(f))(x), jacrev(f)),
        ("hessian inside", vmap(hessian(f))(x), hessian(f)),
        ("jvp inside", vmap(lambda a: jvp(f, (a,), (a,))[1])(x), lambda a: jvp(f, (a,), (a,))[1]),
    ]:
        with case(name):
            np.testing.assert_allclose(got.numpy(), np.stack([one(a).numpy() for a in rows()]))
    outer = grad(lambda t: vmap(f)(t).sum())(x)
    assert mg.equal(outer, vmap(grad(f))(x))
    jacobian = jacrev(vmap(f))(x)
    assert mg.equal(jacobian[1, 1], grad(f)(x[1]))
    assert not jacobian[1, 0].any()
    leaf = rows().requires_grad_()
    vmap(f)(leaf).sum().backward()
    assert mg.equal(leaf.grad, outer)  # type: ignore[arg-type]
    # Gradients of each sample by the parameters, as in PyTorch's tutorials.
    net = nn.Linear(2, 1).double()
    params = {k: p.detach() for k, p in net.named_parameters()}

    def loss(params: Any, a: Any) -> Any:
        return func.functional_call(net, params, (a,)).square().sum()

    each = vmap(grad(loss), in_dims=(None, 0))(params, x)
    assert each["weight"].shape == (3, 1, 2)
    loss(params, x)
    total = grad(lambda p: loss(p, x))(params)
    np.testing.assert_allclose(each["weight"].sum(0).numpy(), total["weight"].numpy())


def test_what_is_drawn_inside() -> None:
    x = rows()
    mg.manual_seed(0)
    drawn = vmap(lambda a: mg.rand(2), randomness="different")(x)
    mg.manual_seed(0)
    assert mg.equal(drawn, mg.rand(3, 2))
    same = vmap(lambda a: mg.rand(2), randomness="same")(x)
    assert mg.equal(same[0], same[2])
    mg.manual_seed(0)
    vmap(lambda a: mg.rand(2), randomness="same")(x)
    after = mg.rand(1)
    mg.manual_seed(0)
    mg.rand(2)
    assert mg.equal(after, mg.rand(1))


def test_storage_offsets_are_those_of_the_first_sample() -> None:
    def part(a: Any) -> Any:
        return a.as_strided((2,), (1,), first + 1)

    whole = mg.arange(48.0).reshape(8, 6)
    for x, first in ((whole, 0), (whole[2:6], 12), (whole.clone().requires_grad_(), 0)):
        expected = x[:, 1:3].tolist()
        assert vmap(part)(x).tolist() == expected
        assert vmap(lambda a: part(a.detach()))(x).tolist() == expected
        assert vmap(vmap(part))(x.reshape(2, -1, 6)).reshape(-1, 2).tolist() == expected
        assert vmap(lambda a: mg.tensor(a[2:].storage_offset()))(x).tolist() == [first + 2] * len(x)
        slope = vmap(func.grad(lambda a: part(a).square().sum()))(x)
        assert slope.tolist() == mg.nn.functional.pad(2 * x[:, 1:3], (1, 3)).tolist()
        # what the function reaches otherwise is no sample
        assert vmap(lambda a: whole.as_strided((1,), (1,), 3) + 0 * a[:1])(x).tolist() == [[3.0]] * len(x)
    assert vmap(lambda a: a.as_strided((2,), (6,), 1), 1)(whole).tolist() == whole[:2].T.add(1).tolist()
    vmap(lambda a: part(a).neg_())(whole)
    assert whole.lt(0).nonzero().tolist() == [[i, j] for i in range(8) for j in (1, 2)]


REFUSED: list[tuple[Any, type[Exception], str]] = [
    (lambda x: vmap(lambda a: a)(1.0), ValueError, "We cannot vmap over non-Tensor arguments"),
    (lambda x: vmap(lambda: 1)(), ValueError, "got no inputs"),
    (lambda x: vmap(mg.add)(x, mg.ones(4)), ValueError, r"got sizes \[3, 4\] for the mapped dimension"),
    (lambda x: vmap(mg.neg, in_dims=(None,))(x), ValueError, "Expected at least one Tensor to vmap over"),
    (lambda x: vmap(mg.neg, in_dims=2)(x), ValueError, "to satisfy -2 <= in_dim < 2"),
    (lambda x: vmap(mg.add, in_dims=(0,))(x, x), ValueError, "in_dims is not compatible with the structure of"),
    (lambda x: vmap(mg.neg, in_dims="a")(x), ValueError, "expected `in_dims` to be int or"),
    (lambda x: vmap(lambda a: 1)(x), ValueError, "must only return Tensors, got type <class 'int'>"),
    (lambda x: vmap(mg.sum, out_dims=1)(x), IndexError, "Dimension out of range"),
    (lambda x: vmap(mg.neg, out_dims=(1, 0))(x), ValueError, "out_dims is not compatible"),
    (lambda x: vmap(lambda a: [a], out_dims=(0,))(x), ValueError, "out_dims is not compatible"),
    (lambda x: vmap(mg.neg, out_dims=None)(x), ValueError, "when out_dim is None"),
    (lambda x: vmap(lambda a: a if a[0] else (a,))(x), ValueError, "different structures"),
    (lambda x: vmap(lambda a: mg.rand(2))(x), RuntimeError, "random operation while in randomness error mode"),
    (lambda x: vmap(mg.neg, randomness="none")(x), RuntimeError, "Only allowed values for randomness"),
    (lambda x: vmap(mg.neg, chunk_size=0)(x), ValueError, "greater than 0"),
    (lambda x: vmap(lambda a: a.as_strided((2,), (2,), 1))(x), RuntimeError, "outside of the sample"),
    (lambda x: vmap(lambda a: a[1:].as_strided((1,), (1,), 0))(x), RuntimeError, "outside of the sample"),
    (lambda x: vmap(mg.neg)(x[:0]), RuntimeError, "the mapped dimension is empty"),
]  # fmt: skip


def test_refusals_are_pytorch_s() -> None:
    for call, kind, text in REFUSED:
        x, before = rows(), mg.get_rng_state()
        with case(text), pytest.raises(kind, match=text):
            call(x)
        assert mg.equal(mg.get_rng_state(), before)  # nothing was drawn

"""`autograd.functional` and `func`: values, structures, nesting, errors, and that nothing is left behind.

Values are compared with formulas, with finite differences and with each other.  Structures and kinds of error are
PyTorch 2.13's, taken from runs of it.
"""

from __future__ import annotations

import gc
import inspect
import weakref
from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from cases import at_once
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import func, nn
from minigrad.autograd import Function, functional
from minigrad.func.trees import flatten, unflatten

RNG = np.random.default_rng


def tensor(*shape: int, seed: int = 0, requires_grad: bool = False) -> Any:
    return mg.tensor(RNG(seed).uniform(0.5, 1.5, shape), requires_grad=requires_grad)


def scalar(value: float, requires_grad: bool = False) -> Any:
    return mg.tensor(value, dtype=mg.float64, requires_grad=requires_grad)


def close(found: Any, wanted: Any, tolerance: float = 1e-10) -> None:
    a = found.detach().numpy() if isinstance(found, mg.Tensor) else np.asarray(found)
    b = wanted.detach().numpy() if isinstance(wanted, mg.Tensor) else np.asarray(wanted)
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def numeric(f: Callable[[Any], Any], x: Any, eps: float = 1e-6) -> Any:
    """The Jacobian by central differences, of shape output + input."""
    base = x.detach().numpy()
    columns = []
    for at in np.ndindex(base.shape):
        up, down = base.copy(), base.copy()
        up[at] += eps
        down[at] -= eps
        change = f(mg.tensor(up)).detach().numpy() - f(mg.tensor(down)).detach().numpy()
        columns.append(change / (2 * eps))
    return np.stack(columns, -1).reshape(columns[0].shape + base.shape)


def mixing(x: Any) -> Any:
    """Three outputs of four inputs, no two alike."""
    y = x.sin() * x.flip(0)
    return mg.stack([y.sum(), (x.exp() * x[0]).sum(), (x[1] / x[3]).tanh()])


def energy(x: Any) -> Any:
    return (x.sin() * x.flip(0)).sum() * x.prod()


def perceptron(parameters: dict[str, Any], x: Any) -> Any:
    hidden = (x @ parameters["w"] + parameters["b"]).tanh()
    return hidden @ parameters["v"]


def weights() -> dict[str, Any]:
    return {"w": tensor(3, 4, seed=1), "b": tensor(4, seed=2), "v": tensor(4, 2, seed=3)}


def tree_map(f: Callable[[Any], Any], tree: Any) -> Any:
    leaves, spec = flatten(tree)
    return unflatten([f(t) for t in leaves], spec)


def inner(a: Any, b: Any) -> float:
    return sum(float((x * y).sum()) for x, y in zip(flatten(a)[0], flatten(b)[0], strict=True))


@pytest.fixture(params=["grad", "no_grad"])
def mode(request: pytest.FixtureRequest) -> Any:
    return mg.enable_grad if request.param == "grad" else mg.no_grad


# ---------------------------------------------------------------- functional: values


def test_jacobian_is_the_matrix_of_finite_differences() -> None:
    x = tensor(4)
    wanted = numeric(mixing, x)
    close(functional.jacobian(mixing, x), wanted, 1e-7)
    for vectorize in (False, True):
        close(functional.jacobian(mixing, x, vectorize=vectorize), wanted, 1e-7)
    close(functional.jacobian(mixing, x, vectorize=True, strategy="forward-mode"), wanted, 1e-7)


def test_jacobian_has_the_shape_of_output_and_input() -> None:
    x, y = tensor(2, 3), tensor(3, 4, seed=1)
    by_x, by_y = functional.jacobian(lambda a, b: a @ b, (x, y))
    assert by_x.shape == (2, 4, 2, 3)
    assert by_y.shape == (2, 4, 3, 4)
    close(by_x, np.einsum("ik,lj->ijkl", np.eye(2), y.numpy()))
    close(by_y, np.einsum("il,jk->ijlk", x.numpy(), np.eye(4)))


def test_products_are_those_of_the_jacobian() -> None:
    x = tensor(4)
    jacobian = functional.jacobian(mixing, x).numpy()
    v, u = tensor(3, seed=1), tensor(4, seed=2)
    output, pulled = functional.vjp(mixing, x, v)
    close(output, mixing(x))
    close(pulled, v.numpy() @ jacobian)
    output, pushed = functional.jvp(mixing, x, u)
    close(output, mixing(x))
    close(pushed, jacobian @ u.numpy())


def test_hessian_and_its_products() -> None:
    x, u = tensor(4), tensor(4, seed=1)
    hessian = functional.hessian(energy, x)
    close(hessian, numeric(lambda t: functional.jacobian(energy, t), x), 1e-6)
    close(functional.hessian(energy, x, vectorize=True, outer_jacobian_strategy="forward-mode"), hessian)
    for product in (functional.hvp, functional.vhp):
        value, found = product(energy, x, u)
        close(value, energy(x))
        close(found, hessian.numpy() @ u.numpy())


def test_products_with_a_hessian_that_is_not_symmetric() -> None:
    class Twist(Function):
        """The identity, with a gradient that is no gradient of anything: its Jacobian is [[0, 2 y], [0, 0]]."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x.sum()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * mg.stack([x[1] * x[1], x[1] * 0])

    x, u = mg.tensor([1.0, 3.0]), mg.tensor([2.0, 5.0])
    close(functional.hessian(Twist.apply, x), [[0.0, 6.0], [0.0, 0.0]])
    close(functional.hvp(Twist.apply, x, u)[1], [30.0, 0.0])
    close(functional.vhp(Twist.apply, x, u)[1], [0.0, 12.0])


def test_of_one_element_the_vector_may_be_left_out() -> None:
    x = tensor(3)
    close(functional.vjp(lambda t: t.exp().sum(), x)[1], x.exp())
    close(functional.jvp(lambda t: t * mg.tensor([1.0, 2.0]), scalar(3.0))[1], [1.0, 2.0])
    for product in (functional.hvp, functional.vhp):
        close(product(lambda t: t**3, scalar(2.0))[1], 12.0)
        close(product(lambda t: (t**3).sum(), mg.tensor([2.0]))[1], [12.0])


def test_empty_outputs_and_inputs() -> None:
    empty = mg.tensor(np.zeros(0))
    assert functional.jacobian(lambda t: t * 2, empty).shape == (0, 0)
    assert func.jacrev(lambda t: t * 2)(empty).shape == (0, 0)
    assert func.jacfwd(lambda t: mg.stack([t.sum(), t.sum()]))(empty).shape == (2, 0)


def test_elements_keep_their_type() -> None:
    x = tensor(2).float()
    assert functional.jacobian(lambda t: t.double() * 2, x).dtype == mg.float32
    assert functional.jvp(lambda t: t.double() * 2, x, x)[1].dtype == mg.float64
    assert func.grad(lambda t: (t.double() * 2).sum())(x).dtype == mg.float32


# ---------------------------------------------------------------- functional: structures


def test_a_tensor_gives_a_tensor_and_tuples_tuples() -> None:
    x, y = tensor(2), tensor(3, seed=1)

    def one(a: Any) -> Any:
        return a * 2

    def two(a: Any) -> Any:
        return a * 2, a.sum()

    def both(a: Any, b: Any) -> Any:
        return a.sum() * b, a

    assert functional.jacobian(one, x).shape == (2, 2)
    assert [t.shape for t in functional.jacobian(one, (x,))] == [(2, 2)]
    assert [t.shape for t in functional.jacobian(two, x)] == [(2, 2), (2,)]
    assert [[t.shape for t in row] for row in functional.jacobian(two, (x,))] == [[(2, 2)], [(2,)]]
    found = functional.jacobian(both, (x, y))
    assert [[t.shape for t in row] for row in found] == [[(3, 2), (3, 3)], [(2, 2), (2, 3)]]
    assert isinstance(found, tuple)
    assert isinstance(found[0], tuple)
    assert functional.jacobian(lambda a: (a,), x)[0].shape == (2, 2)

    found = functional.hessian(lambda a, b: (a.sum() * b).sum(), (x, y))
    assert [[t.shape for t in row] for row in found] == [[(2, 2), (2, 3)], [(3, 2), (3, 3)]]
    assert functional.hessian(lambda a: (a * a).sum(), (x,))[0][0].shape == (2, 2)

    outputs, pulled = functional.vjp(both, (x, y), (y, x))
    assert [t.shape for t in outputs] == [(3,), (2,)]
    assert [t.shape for t in pulled] == [(2,), (3,)]
    outputs, pushed = functional.jvp(both, (x, y), (x, y))
    assert [t.shape for t in pushed] == [(3,), (2,)]
    for product in (functional.hvp, functional.vhp):
        value, found = product(lambda a, b: (a.sum() * b).sum(), (x, y), (x, y))
        assert value.shape == ()
        assert [t.shape for t in found] == [(2,), (3,)]


def test_what_does_not_depend_is_zero() -> None:
    x, y = tensor(2), tensor(3, seed=1)
    found = functional.jacobian(lambda a, b: (a * 2, b * b), (x, y))
    close(found[0][1], np.zeros((2, 3)))
    close(found[1][0], np.zeros((3, 2)))
    close(functional.jacobian(lambda a: mg.ones(3), x), np.zeros((3, 2), np.float32))
    close(functional.vjp(lambda a: mg.ones(()), x)[1], np.zeros(2))
    close(functional.jvp(lambda a: mg.ones(3), x, x)[1], np.zeros(3))
    close(functional.hessian(lambda a: a.sum(), x), np.zeros((2, 2)))
    for product in (functional.hvp, functional.vhp):
        close(product(lambda a: a.sum(), x, x)[1], np.zeros(2))


# ---------------------------------------------------------------- functional: options


def test_create_graph_ties_results_to_the_inputs() -> None:
    x = tensor(3, requires_grad=True)
    v = tensor(3, seed=1, requires_grad=True)

    def cube(t: Any) -> Any:
        return t**3

    close(mg.autograd.grad(functional.jacobian(cube, x, create_graph=True).sum(), x)[0], 6 * x)
    close(
        mg.autograd.grad(functional.hessian(lambda t: cube(t).sum(), x, create_graph=True).sum(), x)[0],
        [6.0] * 3,
    )
    for product in (functional.vjp, functional.jvp):
        output, found = product(cube, x, v, create_graph=True)
        by_x, by_v = mg.autograd.grad((found.sum() + output.sum()), (x, v))
        close(by_x, 6 * x * v + 3 * x**2)
        close(by_v, 3 * x**2)
    for product in (functional.hvp, functional.vhp):
        _, found = product(lambda t: cube(t).sum(), x, v, create_graph=True)
        by_x, by_v = mg.autograd.grad(found.sum(), (x, v))
        close(by_x, 6 * v)
        close(by_v, 6 * x)
    assert x.grad is None


def test_without_create_graph_results_are_constants(mode: Any) -> None:
    x = tensor(3, requires_grad=True)
    with mode():
        results = [
            functional.jacobian(lambda t: t**2, x),
            functional.hessian(lambda t: (t**3).sum(), x),
            *functional.vjp(lambda t: t**2, x, x),
            *functional.jvp(lambda t: t**2, x, x),
            *functional.hvp(lambda t: (t**3).sum(), x, x),
            *functional.vhp(lambda t: (t**3).sum(), x, x),
        ]
    close(results[0], np.diag(2 * x.detach().numpy()))
    close(results[1], np.diag(6 * x.detach().numpy()))
    assert not any(t.requires_grad for t in results)
    assert x.grad is None


def test_create_graph_holds_under_no_grad() -> None:
    x = scalar(2.0, requires_grad=True)
    with mg.no_grad():
        found = functional.jacobian(lambda t: t**3, x, create_graph=True)
        pushed = functional.jvp(lambda t: t**3, x, create_graph=True)[1]
    close(mg.autograd.grad(found, x)[0], 12.0)
    close(mg.autograd.grad(pushed, x)[0], 12.0)


def constant(t: Any) -> Any:
    return mg.ones_like(t)


def linear(t: Any) -> Any:
    return 2 * t


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: functional.jacobian(constant, x, strict=True), "does not require gradients"),
        (lambda x: functional.vjp(constant, x, x, strict=True), "does not require gradients"),
        (lambda x: functional.jvp(constant, x, x, strict=True), "does not require gradients"),
        (
            lambda x: functional.hvp(lambda t: constant(t).sum(), x, x, strict=True),
            "does not require gradients",
        ),
        (
            lambda x: functional.jacobian(lambda a, b: a, (x, x), strict=True),
            "Output 0 .* independent of input 1",
        ),
        (lambda x: functional.vjp(lambda a, b: a, (x, x), x, strict=True), "independent of input 1"),
        (lambda x: functional.jvp(lambda a, b: a, (x, x), (x, x), strict=True), "independent of input 1"),
        (lambda x: functional.jacobian(linear, x, create_graph=True, strict=True), "create_graph=True"),
        (lambda x: functional.vjp(linear, x, x, create_graph=True, strict=True), "create_graph=True"),
        (lambda x: functional.hessian(lambda t: linear(t).sum(), x, strict=True), "twice differentiable"),
        (lambda x: functional.hvp(lambda t: linear(t).sum(), x, x, strict=True), "twice differentiable"),
        (lambda x: functional.vhp(lambda t: linear(t).sum(), x, x, strict=True), "twice differentiable"),
        (
            lambda x: functional.vhp(lambda a, b: (a * a).sum() + b.sum(), (x, x), (x, x), strict=True),
            "with respect to input 1",
        ),
        (lambda x: functional.jacobian(linear, x, strict=True, vectorize=True), "not supported together"),
        (
            lambda x: functional.jacobian(linear, x, strict=True, strategy="forward-mode", vectorize=True),
            "not supported together",
        ),
    ],
)
def test_strict_refuses_what_does_not_depend(call: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        call(tensor(2))


def test_strict_lets_pass_what_depends() -> None:
    x = tensor(2, requires_grad=True)
    functional.jacobian(lambda a: a**2, x, strict=True, create_graph=True)
    functional.hessian(lambda a: (a**3).sum(), x, strict=True)
    functional.vjp(lambda a: a**2, x, x, strict=True)
    functional.jvp(lambda a: a**2, x, x, strict=True)
    functional.hvp(lambda a: (a**3).sum(), x, x, strict=True)
    functional.vhp(lambda a: (a**3).sum(), x, x, strict=True)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda x: functional.jacobian(linear, [x]), TypeError, "inputs given to jacobian .* has type list"),
        (lambda x: functional.vjp(linear, (x, 1)), TypeError, "value at index 1 has type int"),
        (lambda x: functional.jvp(lambda t: 1.0, x, x), TypeError, "outputs of the user-provided function"),
        (lambda x: functional.hessian(lambda t: [t], x), TypeError, "outputs"),
        (lambda x: functional.vjp(linear, x, 3.0), TypeError, "The v given to vjp"),
        (lambda x: functional.vjp(linear, x), RuntimeError, "v can only be None"),
        (lambda x: functional.jvp(linear, x), RuntimeError, "v can only be None"),
        (lambda x: functional.hvp(lambda t: t.sum(), x), RuntimeError, "v can only be None"),
        (
            lambda x: functional.vjp(linear, x, x[:1]),
            RuntimeError,
            "v has invalid size: should be .2. but got .1.",
        ),
        (lambda x: functional.vjp(linear, x, (x, x)), RuntimeError, "single Tensor"),
        (
            lambda x: functional.jvp(linear, (x,), (x, x)),
            RuntimeError,
            "invalid length: should be 1 but got 2",
        ),
        (lambda x: functional.jvp(linear, (x,), (x[:1],)), RuntimeError, "Entry 0 in v"),
        (lambda x: functional.hvp(linear, x, x), RuntimeError, "single element"),
        (lambda x: functional.vhp(lambda t: (t.sum(),), x, x), RuntimeError, "return a single Tensor"),
        (lambda x: functional.hessian(linear, x), RuntimeError, "single element"),
        (lambda x: functional.hessian(lambda t: (t.sum(),), x), RuntimeError, "return a single Tensor"),
        (lambda x: functional.jacobian(linear, x, strategy="sideways"), ValueError, "strategy"),
        (lambda x: functional.hessian(linear, x, outer_jacobian_strategy="x"), ValueError, "strategy"),
        (lambda x: functional.jacobian(linear, x, strategy="forward-mode"), NotImplementedError, "vectorize"),
        (
            lambda x: functional.jacobian(linear, x, True, vectorize=True, strategy="forward-mode"),
            NotImplementedError,
            "not supported together",
        ),
        (lambda x: functional.jacobian(linear, x.long()), RuntimeError, "floating point"),
    ],
)
def test_errors_of_functional(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call(tensor(2))


# ---------------------------------------------------------------- func: gradients


def test_grad_by_hand() -> None:
    x = tensor(3)
    close(func.grad(lambda t: (t**3).sum())(x), 3 * x**2)
    gradient, value = func.grad_and_value(lambda t: (t**3).sum())(x)
    close(gradient, 3 * x**2)
    close(value, (x**3).sum())
    value, gradient = func.value_and_grad(lambda t: (t**3).sum())(x)
    close(gradient, 3 * x**2)
    close(value, (x**3).sum())


def test_aux_comes_along() -> None:
    def f(t: Any) -> Any:
        return (t**2).sum(), {"twice": 2 * t, "more": (t, [t + 1])}

    x = tensor(2)
    gradient, aux = func.grad(f, has_aux=True)(x)
    close(gradient, 2 * x)
    close(aux["twice"], 2 * x)
    close(aux["more"][1][0], x + 1)
    gradient, (value, aux) = func.grad_and_value(f, has_aux=True)(x)
    (other, _), _ = func.value_and_grad(f, has_aux=True)(x)
    close(value, other)
    output, vjp_fn, aux = func.vjp(f, x, has_aux=True)
    close(vjp_fn(mg.ones(()))[0], 2 * x)
    output, pushed, aux = func.jvp(f, (x,), (x,), has_aux=True)
    close(output, (x**2).sum())
    close(pushed, 2 * (x**2).sum())
    for jacobian in (func.jacrev, func.jacfwd):
        found, aux = jacobian(f, has_aux=True)(x)
        close(found, 2 * x)
        close(aux["twice"], 2 * x)
        assert not aux["more"][0].requires_grad


def test_argnums() -> None:
    def f(a: Any, b: Any, *, c: Any) -> Any:
        return (a * b * b).sum() * c

    a, b = tensor(2), tensor(2, seed=1)
    close(func.grad(f)(a, b, c=2.0), 2 * b * b)
    close(func.grad(f, 1)(a, b, c=2.0), 4 * a * b)
    close(func.grad(f, -1)(a, b, c=2.0), 4 * a * b)
    found = func.grad(f, (1, 0))(a, b, c=2.0)
    assert isinstance(found, tuple)
    close(found[0], 4 * a * b)
    close(found[1], 2 * b * b)
    assert isinstance(func.grad(f, (0,))(a, b, c=2.0), tuple)
    for jacobian in (func.jacrev, func.jacfwd):
        by_b, by_a = jacobian(lambda a, b: a * b * b, argnums=(-1, 0))(a, b)
        close(by_a, np.diag((b * b).numpy()))
        close(by_b, np.diag((2 * a * b).numpy()))
    assert len(func.jacfwd(lambda a, b: a * b, argnums=None)(a, b)) == 2


def test_other_arguments_may_be_anything() -> None:
    found = func.grad(lambda x, n, s, d: x * n * len(s) + d["a"] * x)(scalar(2.0), 3, "ab", {"a": 1})
    close(found, 7.0)


def test_trees_in_and_out() -> None:
    point = namedtuple("point", "x y")
    x, y = scalar(2.0), scalar(3.0)
    found = func.grad(lambda p: p.x**2 * p.y)(point(x, y))
    assert isinstance(found, point)
    close(found.x, 12.0)
    close(found.y, 4.0)
    for kind in (dict, OrderedDict):
        found = func.grad(lambda d: d["x"] ** 2 * d["y"])(kind(x=x, y=y))
        assert type(found) is kind
        assert list(found) == ["x", "y"]
        close(found["x"], 12.0)
    assert func.grad(lambda d: d["x"] * 2)(defaultdict(list, x=x))["x"].item() == 2
    found = func.grad(lambda t: t[0][0] * t[1]["k"][1])(([x], {"k": (x, y)}))
    assert [type(found), type(found[0]), type(found[1]), type(found[1]["k"])] == [tuple, list, dict, tuple]
    close(found[0][0], 3.0)
    close(found[1]["k"][0], 0.0)
    close(found[1]["k"][1], 2.0)


def test_jacobians_are_trees_of_trees() -> None:
    x, y = tensor(2), tensor(3, seed=1)

    def f(a: Any, b: Any) -> Any:
        return {"p": a.sum() * b["b"], "q": [a, b["b"].sum()]}

    for jacobian in (func.jacrev, func.jacfwd):
        found = jacobian(f, argnums=(0, 1))(x, {"b": y})
        assert list(found) == ["p", "q"]
        assert isinstance(found["q"], list)
        assert found["p"][0].shape == (3, 2)
        assert found["p"][1]["b"].shape == (3, 3)
        assert found["q"][0][0].shape == (2, 2)
        assert found["q"][0][1]["b"].shape == (2, 3)
        assert found["q"][1][1]["b"].shape == (3,)
        close(found["p"][1]["b"], np.eye(3) * x.sum().item())
        close(found["q"][0][1]["b"], np.zeros((2, 3)))
    hessian = func.hessian(lambda a, b: (a.sum() * b * b).sum(), argnums=(0, 1))(x, y)
    assert [[t.shape for t in row] for row in hessian] == [[(2, 2), (2, 3)], [(3, 2), (3, 3)]]
    close(hessian[0][1], np.tile((2 * y).numpy(), (2, 1)))
    close(hessian[1][1], np.eye(3) * 2 * x.sum().item())


def test_jacobians_are_finite_differences() -> None:
    x = tensor(4)
    wanted = numeric(mixing, x)
    close(func.jacrev(mixing)(x), wanted, 1e-7)
    close(func.jacrev(mixing, chunk_size=2)(x), wanted, 1e-7)
    close(func.jacfwd(mixing, randomness="same")(x), wanted, 1e-7)
    close(func.hessian(energy)(x), functional.hessian(energy, x))
    close(func.jacfwd(func.jacrev(energy))(x), functional.hessian(energy, x))
    close(func.jacfwd(func.jacfwd(energy))(x), functional.hessian(energy, x))
    close(func.jacrev(func.jacfwd(energy))(x), functional.hessian(energy, x))
    third = numeric(lambda t: func.hessian(mixing)(t), x, 1e-5)
    close(func.jacrev(func.hessian(mixing))(x), third, 1e-6)


def test_the_hessian_of_a_perceptron() -> None:
    parameters, x, target = weights(), tensor(5, 3), tensor(5, 2, seed=9)

    def loss(p: dict[str, Any]) -> Any:
        return ((perceptron(p, x) - target) ** 2).mean()

    hessian = func.hessian(loss)(parameters)
    for one in parameters:
        for other in parameters:

            def gradient(t: Any, one: str = one, other: str = other) -> Any:
                return func.grad(loss)({**parameters, other: t})[one]

            close(hessian[one][other], numeric(gradient, parameters[other]), 1e-7)
    vector = tree_map(lambda t: t + 1, parameters)
    _, product = func.jvp(func.grad(loss), (parameters,), (vector,))
    for one in parameters:
        wanted = sum(
            np.tensordot(hessian[one][o].numpy(), vector[o].numpy(), vector[o].ndim) for o in parameters
        )
        close(product[one], wanted, 1e-9)


# ---------------------------------------------------------------- func: products


def test_vjp_and_jvp() -> None:
    x, y = tensor(3), tensor(3, seed=1)
    output, vjp_fn = func.vjp(lambda a, d: {"p": a * d["y"], "q": (a.exp(),)}, x, {"y": y})
    close(output["p"], x * y)
    for scale in (1.0, 3.0):  # it may be called again
        by_x, rest = vjp_fn({"p": mg.ones(3) * scale, "q": (x,)})
        close(by_x, y * scale + x * x.exp(), 1e-7)
        close(rest["y"], x * scale, 1e-7)
    output, pushed = func.jvp(lambda a, d: {"p": a * d["y"], "q": (a.exp(),)}, (x, {"y": y}), (y, {"y": x}))
    close(pushed["p"], y * y + x * x)
    close(pushed["q"][0], x.exp() * y)
    assert func.vjp(lambda t: t * 2, x)[1](x)[0].shape == (3,)
    assert func.vjp(lambda: x)[1](x) == ()


ZERO, FLAT = [0.0, 0.5, 2.0], [1.5, 1.5, 1.5]


# PyTorch's tangents.
@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [
        (lambda x: x.logcumsumexp(0), FLAT, [1.0, 1.5, 2 / 3]),
        (lambda x: (x - 800).logcumsumexp(0), FLAT, [1.0, 1.5, 2 / 3]),
        (lambda x: mg.pow(0.0, x), ZERO, [0.0, 0.0, 0.0]),
        (lambda x: x ** mg.tensor([0.0, 2.0, 3.0]), ZERO, [0.0, 2.0, -12.0]),
        (lambda x: x.std(), FLAT, 0.0),
        (lambda x: mg.complex(x, x).angle(), ZERO, [0.0, 0.0, 0.0]),
        (lambda x: mg.complex(x, x).sgn().real, ZERO, [0.0, 0.0, 0.0]),
    ],
)
def test_tangents_where_a_slope_is_infinite_or_masked(function: Any, at: Any, expected: Any) -> None:
    again = func.grad(func.grad(lambda y: mg.pow(0.0, y)))(mg.tensor(0.3, dtype=mg.float64))
    assert again.item() == 0.0
    x, v = mg.tensor(at, dtype=mg.float64), mg.tensor([1.0, 2.0, -1.0], dtype=mg.float64)
    close(func.jvp(function, (x,), (v,))[1], mg.tensor(expected, dtype=mg.float64))


def test_vjp_frees_when_told() -> None:
    _, vjp_fn = func.vjp(lambda t: t.exp(), tensor(2))
    vjp_fn(tensor(2), retain_graph=False)
    with pytest.raises(RuntimeError, match="a second time"):
        vjp_fn(tensor(2))


def test_what_does_not_depend_has_no_tangent() -> None:
    x = scalar(2.0)
    output, pushed = func.jvp(lambda t: (t, mg.tensor(3.0), mg.tensor(4)), (x,), (x,))
    assert [t.item() for t in pushed] == [2.0, 0.0, 0.0]
    assert [t.dtype for t in pushed] == [mg.float64, mg.float32, mg.int64]
    assert [t.item() for t in output] == [2.0, 3.0, 4.0]
    with pytest.raises(RuntimeError, match="independent of the inputs"):
        func.jvp(lambda t: mg.tensor(3.0), (x,), (x,), strict=True)
    close(func.grad(lambda t: mg.tensor(1.0))(x), 0.0)
    close(func.vjp(lambda t: (t, mg.tensor(1.0)), x)[1]((x, x))[0], 2.0)
    for jacobian in (func.jacrev, func.jacfwd):
        close(jacobian(lambda t: mg.ones(3).double())(tensor(2)), np.zeros((3, 2)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4))
def test_pulled_and_pushed_are_adjoint(seed: int, n: int, m: int) -> None:
    """<u, J v> = <Jᵀ u, v>, for a function of a tree."""
    rng = RNG(seed)

    def random(*shape: int) -> Any:
        return mg.tensor(rng.standard_normal(shape))

    def f(p: dict[str, Any], x: Any) -> Any:
        hidden = (x @ p["w"] + p["b"]).tanh()
        return {"mean": hidden.mean(0), "rest": [hidden.exp().sum(1) * x[:, 0], (x[0, 0] * p["b"]).sigmoid()]}

    primals = ({"w": random(n, m), "b": random(m)}, random(3, n))
    tangents = tree_map(lambda t: random(*t.shape), primals)
    output, pushed = func.jvp(f, primals, tangents)
    again, vjp_fn = func.vjp(f, *primals)
    cotangents = tree_map(lambda t: random(*t.shape), output)
    pulled = vjp_fn(cotangents)
    assert inner(cotangents, pushed) == pytest.approx(inner(pulled, tangents), rel=1e-9, abs=1e-12)
    assert inner(output, output) == inner(again, again)


def test_tangents_are_finite_differences_along_a_line() -> None:
    primals = (weights(), tensor(5, 3))
    tangents = tree_map(lambda t: mg.tensor(RNG(t.numel()).standard_normal(t.shape)), primals)
    _, pushed = func.jvp(perceptron, primals, tangents)

    def along(step: float) -> Any:
        leaves, spec = flatten(primals)
        moved = [t + step * d for t, d in zip(leaves, flatten(tangents)[0], strict=True)]
        return perceptron(*unflatten(moved, spec))

    close(pushed, (along(1e-6) - along(-1e-6)) / 2e-6, 1e-7)


# ---------------------------------------------------------------- func: nesting


def test_derivatives_of_derivatives() -> None:
    f: Any = lambda x: x**5  # noqa: E731
    for order, wanted in enumerate((5 * 16.0, 20 * 8.0, 60 * 4.0, 120 * 2.0, 120.0), start=1):
        f = func.grad(f)
        close(f(scalar(2.0)), wanted, 1e-9), order


def test_an_inner_variable_is_not_mistaken_for_an_outer_one() -> None:
    # d/dx (x · d/dy (x + y)) = 1, the classic of perturbation confusion
    def f(x: Any) -> Any:
        return x * func.grad(lambda y: x + y)(scalar(1.0))

    def g(x: Any) -> Any:
        return x * func.jvp(lambda y: x * y, (scalar(1.0),), (scalar(1.0),))[1]

    close(func.grad(f)(scalar(2.0)), 1.0)
    close(func.jvp(f, (scalar(2.0),), (scalar(1.0),))[1], 1.0)
    close(func.grad(g)(scalar(2.0)), 4.0)
    close(func.jvp(g, (scalar(2.0),), (scalar(1.0),))[1], 4.0)
    # the same Tensor inside and outside
    close(func.grad(lambda x: func.grad(lambda y: y * y * x)(x))(scalar(2.0)), 8.0)
    close(func.grad(lambda x: func.grad(lambda y: y * y * x.detach())(x))(scalar(2.0)), 4.0)
    w = scalar(3.0)
    close(func.grad(lambda x, y: x * y)(w, w), 3.0)


@pytest.mark.parametrize("outer", ["grad", "vjp", "jvp", "jacrev", "jacfwd"])
@pytest.mark.parametrize("within", ["grad", "vjp", "jvp", "jacrev", "jacfwd"])
def test_every_transform_in_every_other(outer: str, within: str, mode: Any) -> None:
    one = scalar(1.0)

    def derivative(kind: str, f: Any) -> Any:
        if kind == "vjp":
            return lambda x: func.vjp(f, x)[1](one)[0]
        if kind == "jvp":
            return lambda x: func.jvp(f, (x,), (one,))[1]
        return getattr(func, kind)(f)

    w = scalar(0.3)
    f: Any = lambda x: (x * w).sin() * x  # noqa: E731
    x = 1.1
    with mode():
        found = derivative(outer, derivative(within, f))(scalar(x))
    close(found, 2 * 0.3 * np.cos(0.3 * x) - x * 0.09 * np.sin(0.3 * x))
    assert not found.requires_grad


def test_autograd_works_inside() -> None:
    def f(x: Any) -> Any:
        (inside,) = mg.autograd.grad((x**3).sum(), x, create_graph=True)
        return inside.sum() + functional.jvp(lambda t: t * t, x, x, create_graph=True)[1].sum()

    x = tensor(2)
    close(func.grad(f)(x), 6 * x + 4 * x)


# ---------------------------------------------------------------- func: the world outside


def test_results_belong_to_the_outer_graph() -> None:
    w, x = scalar(3.0, requires_grad=True), scalar(2.0)
    gradient, value = func.grad_and_value(lambda t: t * t * w)(x)
    close(mg.autograd.grad(gradient + value, w)[0], 8.0)
    gradient = func.grad(lambda t: t**3)(w)
    close(mg.autograd.grad(gradient, w)[0], 18.0)
    output, vjp_fn = func.vjp(lambda t: t**3, w)
    weight = scalar(1.0, requires_grad=True)
    (pulled,) = vjp_fn(weight)
    assert [t.item() for t in mg.autograd.grad(pulled + output, (w, weight))] == [18.0 + 27.0, 27.0]
    _, pushed = func.jvp(lambda t: t**3, (w,), (weight,))
    assert [t.item() for t in mg.autograd.grad(pushed, (w, weight))] == [18.0, 27.0]
    for jacobian in (func.jacrev, func.jacfwd):
        (found,) = mg.autograd.grad(jacobian(lambda t: mg.stack([t**2, t**3]))(w).sum(), w)
        close(found, 2 + 18.0)
    assert w.grad is None


def test_results_that_depend_on_nobody_require_nothing() -> None:
    w, x = scalar(3.0, requires_grad=True), scalar(2.0)
    assert not func.grad(lambda t: t**3)(x).requires_grad
    assert not func.grad(lambda t: t**2 + w)(x).requires_grad
    gradient, value = func.grad_and_value(lambda t: t**2 + w)(x)
    assert (gradient.requires_grad, value.requires_grad) == (False, True)
    assert [t.requires_grad for t in func.vjp(lambda t: (t**2, w * 2), x)[0]] == [False, True]
    assert not func.vjp(lambda t: t, x)[0].requires_grad
    assert not func.grad(lambda t: (t**2, t), has_aux=True)(x)[1].requires_grad
    made = func.vjp(
        lambda t: t * mg.ones((), dtype=t.dtype, requires_grad=True), x
    )  # a leaf of the function's own
    assert not made[0].requires_grad
    assert made[1](scalar(1.0, requires_grad=True))[0].requires_grad
    with mg.no_grad():
        results = [
            func.grad(lambda t: t * w)(x), func.vjp(lambda t: t * w, x)[0], func.grad(lambda t: t**3)(w),
            func.jacfwd(lambda t: t * w)(x), *func.jvp(lambda t: t * w, (w,), (w,)),
        ]  # fmt: skip
    assert not any(t.requires_grad for t in results)


@pytest.mark.parametrize("inner", [func.grad, func.jacrev, func.jacfwd])
@pytest.mark.parametrize("outer", [func.grad, func.jacrev, func.jacfwd])
@pytest.mark.parametrize("places", [(0, 0), (0, 1), (1, 0)])
def test_leaves_of_inner_transforms_lead_nowhere(outer: Any, inner: Any, places: tuple[int, int]) -> None:
    def f(x: Any, y: Any) -> Any:
        return (x**3 * y**2).sin()

    both = outer(inner(f, places[0]), places[1])
    x, y = scalar(0.7), scalar(0.4)
    assert not both(x, y).requires_grad
    x.requires_grad_()
    found = both(x, y)
    assert found.requires_grad
    third = lambda t: both(t, y)  # noqa: E731
    close(mg.autograd.grad(found, x)[0], (third(x + 1e-5) - third(x - 1e-5)) / 2e-5, 1e-6)


def test_a_graph_shared_with_the_outside_survives() -> None:
    w, x = scalar(3.0, requires_grad=True), scalar(2.0)
    h = w.exp()
    func.grad(lambda t: t * h)(x)
    functional.vjp(lambda t: t * h, x)
    functional.jacobian(lambda t: (t * h, h * h), x)
    with mg.no_grad():
        func.grad(lambda t: t * h)(x)
    close(mg.autograd.grad(h, w, retain_graph=True)[0], np.exp(3.0))
    gradient, (value, aux) = func.grad_and_value(lambda t: ((t * h).exp(), (t * w).exp()), has_aux=True)(w)
    mg.autograd.grad(gradient + value + aux, w)


def test_inputs_are_not_changed(mode: Any) -> None:
    x, w = tensor(3), tensor(3, seed=1, requires_grad=True)
    before = x.numpy().copy(), w.detach().numpy().copy()
    with mode():
        for t in (x, w):
            func.grad(lambda a: (a**2).sum())(t)
            func.vjp(lambda a: a**2, t)[1](x)
            func.jvp(lambda a: a**2, (t,), (t,))
            func.hessian(lambda a: (a**3).sum())(t)
            functional.hessian(lambda a: (a**3).sum(), t, create_graph=True)
            with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
                func.grad(lambda a: a.sin_().sum())(t)
    assert not x.requires_grad
    assert x.is_leaf
    assert w.requires_grad
    assert w.is_leaf
    assert x.grad is None
    assert w.grad is None
    np.testing.assert_array_equal(x.numpy(), before[0])
    np.testing.assert_array_equal(w.detach().numpy(), before[1])


def test_inside_the_arguments_are_leaves() -> None:
    seen = []

    def f(t: Any) -> Any:
        seen.append((t.requires_grad, t.is_leaf, mg.is_grad_enabled()))
        return t * 2

    w = scalar(1.0, requires_grad=True)
    func.grad(f)(w * 2)
    with mg.no_grad():
        func.grad(f)(scalar(1.0))
        func.jvp(f, (w,), (w,))
    assert seen == [(True, True, True)] * 3


def test_no_grad_inside_holds() -> None:
    def f(x: Any) -> Any:
        with mg.no_grad():
            c = x**2
        return x - c

    close(func.grad(f)(scalar(2.0)), 1.0)
    close(func.jvp(f, (scalar(2.0),), (scalar(1.0),))[1], 1.0)
    with mg.no_grad():
        close(func.grad(f)(scalar(2.0)), 1.0)


def test_in_inference_mode() -> None:
    with mg.inference_mode():
        x, c = scalar(2.0), scalar(3.0)
        close(func.grad(lambda t, u: t * t * u)(x, c), 12.0)
        close(func.vjp(lambda t, d: t * t * d["c"], x, {"c": c})[1](c)[0], 36.0)
        close(func.jvp(lambda t: t * t, (x,), (c,))[1], 12.0)
        close(func.hessian(lambda t: t**3)(x), 12.0)


def test_vjp_fn_may_be_called_in_another_mode() -> None:
    w = scalar(2.0, requires_grad=True)
    _, vjp_fn = func.vjp(lambda t: t**3, w)
    with mg.no_grad():
        (found,) = vjp_fn(scalar(1.0))
        (recorded,) = vjp_fn(scalar(1.0), create_graph=True)
    assert not found.requires_grad
    close(mg.autograd.grad(recorded, w)[0], 12.0)


def test_hooks_and_modules_of_the_user_are_left_alone() -> None:
    layer = nn.Linear(2, 2)
    found = func.grad(lambda t: layer(t).sum())(mg.ones(3, 2))
    close(found, np.tile(layer.weight.detach().numpy().sum(0), (3, 1)), 1e-6)
    assert found.requires_grad
    assert all(p.grad is None for p in layer.parameters())


@pytest.mark.parametrize("name", ["grad", "vjp", "jvp", "jacrev", "jacfwd", "hessian"])
def test_after_an_exception_all_is_as_before(name: str, mode: Any) -> None:
    def fail(*_: Any) -> Any:
        raise KeyError("mine")

    x = scalar(2.0)
    calls = {"vjp": lambda: func.vjp(fail, x), "jvp": lambda: func.jvp(fail, (x,), (x,))}
    with mode():
        before = mg.is_grad_enabled()
        with pytest.raises(KeyError, match="mine"):
            calls.get(name, lambda: getattr(func, name)(fail)(x))()
        for name_ in functional.__all__:
            with pytest.raises(KeyError, match="mine"):
                getattr(functional, name_)(fail, x)
        assert mg.is_grad_enabled() == before


def test_nothing_is_left_to_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        x = tensor(3, requires_grad=True)
        inside: list[Any] = []

        def f(t: Any) -> Any:
            inside.append(weakref.ref(t.exp()))
            inside.append(weakref.ref(t))
            return (t.exp() * t).sum()

        results = [
            func.grad(f)(x),
            func.hessian(f)(x),
            func.jvp(f, (x,), (x,)),
            func.vjp(f, x)[1](mg.tensor(1.0)),
            functional.hessian(f, x, create_graph=True),
            functional.hvp(f, x, x),
        ]
        nodes = [weakref.ref(t._node) for t in flatten(results)[0] if t._node is not None]
        assert nodes
        del results
        assert [r() for r in (*inside, *nodes) if r() is not None] == []
    finally:
        gc.enable()


def test_threads_do_not_meet() -> None:
    found: dict[int, Any] = {}

    def work(i: int) -> None:
        x = scalar(float(i))
        with mg.no_grad() if i % 2 else mg.enable_grad():
            for _ in range(20):
                found[i] = func.grad(func.grad(lambda t: t**3))(x).item()

    at_once(*(partial(work, i) for i in range(4)))
    assert found == {i: pytest.approx(6.0 * i) for i in range(4)}


def test_wrappers_keep_name_and_doc() -> None:
    def f(x: Any) -> Any:
        """Mine."""
        return x

    for transform in (
        func.grad,
        func.grad_and_value,
        func.value_and_grad,
        func.jacrev,
        func.jacfwd,
        func.hessian,
    ):
        wrapped = transform(f)
        assert wrapped.__name__ == "f"
        assert wrapped.__doc__ == "Mine."


def test_signatures_are_pytorchs() -> None:
    wanted = {
        functional.vjp: "func inputs v=None create_graph=False strict=False",
        functional.jvp: "func inputs v=None create_graph=False strict=False",
        functional.hvp: "func inputs v=None create_graph=False strict=False",
        functional.vhp: "func inputs v=None create_graph=False strict=False",
        functional.jacobian: "func inputs create_graph=False strict=False vectorize=False strategy='reverse-mode'",
        functional.hessian: "func inputs create_graph=False strict=False vectorize=False "
        "outer_jacobian_strategy='reverse-mode'",
        func.grad: "func argnums=0 has_aux=False",
        func.grad_and_value: "func argnums=0 has_aux=False",
        func.vjp: "func *primals has_aux=False",
        func.jvp: "func primals tangents strict=False has_aux=False",
        func.jacrev: "func argnums=0 has_aux=False chunk_size=None",
        func.jacfwd: "func argnums=0 has_aux=False randomness='error'",
        func.hessian: "func argnums=0",
        func.functional_call: "module parameter_and_buffer_dicts args=None kwargs=None tie_weights=True strict=False",
    }
    for function, text in wanted.items():
        parameters = inspect.signature(function).parameters.values()
        assert " ".join(str(p.replace(annotation=p.empty)) for p in parameters) == text


# ---------------------------------------------------------------- func: errors


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda x: func.grad(lambda t: t)(x), RuntimeError, "scalar Tensor, got tensor with 1 dims"),
        (lambda x: func.grad(lambda t: 1.0)(x), RuntimeError, "to return a Tensor, got float"),
        (lambda x: func.grad(lambda t: t.sum())(2.0), ValueError, "must be Tensor, got float"),
        (lambda x: func.grad(lambda t: t["x"].sum())({"x": x, "y": None}), ValueError, "got NoneType"),
        (lambda x: func.grad(lambda t: t.sum())(x.long()), RuntimeError, "floating point"),
        (lambda x: func.grad(lambda t: t.sum(), 3)(x), RuntimeError, "argnum=3, but only 1"),
        (lambda x: func.grad(lambda t: t.sum(), ())(x), RuntimeError, "non-empty"),
        (lambda x: func.grad(lambda t, u: t.sum(), (0, -2))(x, x), RuntimeError, "unique"),
        (lambda x: func.grad(lambda t: t.sum(), [0])(x), RuntimeError, "must be int or Tuple"),
        (lambda x: func.grad(lambda t: t.sum(), None)(x), RuntimeError, "must be int or Tuple"),
        (lambda x: func.jacrev(lambda t: t.sum(), None)(x), RuntimeError, "must be int or Tuple"),
        (lambda x: func.grad(lambda t: t.sum(), (0.0,))(x), RuntimeError, "argnum must be int"),
        (lambda x: func.grad(lambda t: t.sum(), has_aux=True)(x), RuntimeError, "has_aux"),
        (lambda x: func.grad(lambda t: (t.sum(), 3), has_aux=True)(x), RuntimeError, "unsupported type int"),
        (lambda x: func.vjp(lambda t: t, 3.0), ValueError, "must be Tensor"),
        (lambda x: func.vjp(lambda t: t.long(), x), RuntimeError, "must be floating-point"),
        (lambda x: func.vjp(lambda t: (), x), RuntimeError, "non-empty output"),
        (lambda x: func.vjp(lambda t: None, x), RuntimeError, "non-empty output"),
        (lambda x: func.vjp(lambda t: (t, 1), x), RuntimeError, "unsupported type int"),
        (lambda x: func.vjp(lambda t: (t, t), x)[1](x), RuntimeError, "pytree structure"),
        (lambda x: func.vjp(lambda t: [t, t], x)[1]((x, x)), RuntimeError, "pytree structure"),
        (lambda x: func.vjp(lambda t: t, x)[1](x[:1]), RuntimeError, "Mismatch in shape"),
        (lambda x: func.vjp(lambda t: t, x)[1](1.0), TypeError, "got float"),
        (lambda x: func.jvp(lambda t: t, x, x), RuntimeError, "primals to be a tuple"),
        (lambda x: func.jvp(lambda t: t, (x,), x), RuntimeError, "same python structure"),
        (lambda x: func.jvp(lambda t: t, (x,), (x, x)), RuntimeError, "same python structure"),
        (lambda x: func.jvp(lambda: x, (), ()), RuntimeError, "at least one Tensor"),
        (lambda x: func.jvp(lambda t: t, (x,), (x[:1],)), RuntimeError, "different size"),
        (lambda x: func.jvp(lambda t: t, (1.0,), (x,)), RuntimeError, "primals to only contain Tensors"),
        (lambda x: func.jvp(lambda t: t, (x,), (1.0,)), RuntimeError, "tangents to only contain Tensors"),
        (lambda x: func.jvp(lambda t: t, (x.long(),), (x,)), ValueError, "floating point"),
        (lambda x: func.jvp(lambda t: t, (x,), (x,), has_aux=True), RuntimeError, "has_aux"),
        (lambda x: func.jvp(lambda t: (t, 1), (x,), (x,)), RuntimeError, "unsupported type int"),
        (lambda x: func.jacrev(lambda t: t, chunk_size=0), ValueError, "chunk_size"),
        (lambda x: func.jacrev(lambda t: t.long())(x), RuntimeError, "must be floating-point"),
        (lambda x: func.jacfwd(lambda t: t)(x.long()), ValueError, "floating point"),
        (lambda x: func.jacfwd(lambda t: t, randomness="much")(x), RuntimeError, "randomness"),
    ],
)
def test_errors_of_func(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call(tensor(2))


# ---------------------------------------------------------------- functional_call


def model() -> tuple[Any, Any]:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    return net, {name: p.detach() * 2 for name, p in net.named_parameters()}


def test_functional_call_uses_what_it_is_given() -> None:
    net, other = model()
    before = dict(net.named_parameters())
    x = mg.ones(4, 2)
    wanted = mg.tanh(x @ other["0.weight"].T + other["0.bias"]) @ other["2.weight"].T + other["2.bias"]
    close(func.functional_call(net, other, x), wanted, 1e-6)
    close(func.functional_call(net, other, (x,)), wanted, 1e-6)
    close(func.functional_call(net, other, kwargs={"input": x}), wanted, 1e-6)
    first, second = {"0.weight": other["0.weight"]}, {k: other[k] for k in other if k != "0.weight"}
    close(func.functional_call(net, (first, second), x), wanted, 1e-6)
    assert func.functional_call(net, {}, x).requires_grad
    net[0].weight = None
    net[0].__dict__["weight"] = plain = mg.zeros(3, 2)  # no parameter any more
    close(func.functional_call(net, other, x), wanted, 1e-6)
    assert net[0].weight is plain
    del net[0].weight
    net[0].weight = before["0.weight"]
    assert dict(net.named_parameters()).keys() == before.keys()
    assert all(p is before[name] for name, p in net.named_parameters())


def test_functional_call_gives_what_the_module_lacks() -> None:
    class Scaled(nn.Linear):
        scale: Any = None

        def forward(self, x: Any) -> Any:
            y = super().forward(x) + getattr(self, "shift", 0)
            return y if self.scale is None else y * self.scale

    net, x = Scaled(2, 2, bias=False), mg.ones(1, 2)
    given = {"bias": mg.ones(2), "scale": mg.tensor(3.0), "shift": mg.tensor(5.0), "weight": mg.eye(2)}
    for call in (func.functional_call, mg.compile(func.functional_call)):
        assert call(net, given, x).tolist() == [[21, 21]]
        assert call(net, {"bias": None, "weight": mg.eye(2)}, x).tolist() == [[1, 1]]
        assert (net.bias, net.scale, hasattr(net, "shift"), "scale" in vars(net)) == (
            None,
            None,
            False,
            False,
        )


def test_gradients_of_a_module_as_a_function() -> None:
    net, _ = model()
    x = mg.ones(4, 2)

    def loss(p: Any) -> Any:
        return (func.functional_call(net, p, x) ** 2).mean()

    found = func.grad(loss)({name: p.detach() for name, p in net.named_parameters()})
    assert all(p.grad is None for p in net.parameters())
    (net(x) ** 2).mean().backward()
    for name, p in net.named_parameters():
        close(found[name], p.grad, 1e-6)
        assert not found[name].requires_grad


def test_functional_call_puts_things_back_after_an_exception() -> None:
    net, other = model()
    weight = net[0].weight
    with pytest.raises(RuntimeError):
        func.functional_call(net, other, mg.ones(4, 7))
    assert net[0].weight is weight


def test_tied_weights() -> None:
    one, two = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    two.weight = one.weight
    net, eye, x = nn.Sequential(one, two), 2 * mg.eye(2), mg.ones(1, 2)
    close(func.functional_call(net, {"0.weight": eye}, x, strict=True), 4 * x)
    close(func.functional_call(net, {"0.weight": eye, "1.weight": eye}, x), 4 * x)
    close(func.functional_call(net, {"0.weight": eye}, x, tie_weights=False), 2 * one(x), 1e-6)
    with pytest.raises(ValueError, match="tied"):
        func.functional_call(net, {"0.weight": eye, "1.weight": 2 * eye}, x)
    assert one.weight is two.weight


def test_errors_of_functional_call() -> None:
    net, other = model()
    x = mg.ones(4, 2)
    cases: list[tuple[Any, type[Exception], str]] = [
        ({"9.weight": x}, AttributeError, "9"),
        ({"0.weight": 3}, TypeError, "must be a Tensor, got int"),
        ({"0.in_features": x}, TypeError, "`0.in_features`: int is not"),
        ((other, other), ValueError, "multiple dictionaries"),
        (3, ValueError, "but got int"),
        ((3,), ValueError, "to be dictionaries"),
    ]
    for parameters, kind, text in cases:
        with pytest.raises(kind, match=text):
            func.functional_call(net, parameters, x)
    with pytest.raises(RuntimeError, match=r"missing.*0\.bias.*unexpected.*0\.foo"):
        func.functional_call(net, {"0.weight": x, "0.foo": x}, x, strict=True)


def test_parts_that_programs_take_from_it() -> None:
    x, y = mg.ones(2, dtype=mg.float64, requires_grad=True), mg.ones(1)
    assert functional._as_tuple(x) == (False, (x,))
    with pytest.raises(TypeError, match="value at index 1 has type int"):
        functional._as_tuple((x, 1), "outputs", "mine")
    first, second = functional._construct_standard_basis_for((x, y), (2, 1))
    assert (first.dtype, first.tolist()) == (mg.float64, [[1, 0], [0, 1], [0, 0]])
    assert (second.dtype, second.tolist()) == (mg.float32, [[0], [0], [1]])
    for kept in (False, True):
        (again,) = functional._grad_preprocess((x,), kept, True)
        assert again is not x
        assert again.requires_grad
        assert again.is_leaf is not kept
        ((part,),) = functional._grad_postprocess(((x * 2,),), kept)
        assert part.requires_grad is kept
    rows = ((x, y), (y, x))
    outer, inner = (
        functional._tuple_postprocess(rows, False),
        functional._tuple_postprocess(rows, (True, False)),
    )
    assert outer == rows[0]
    assert inner == (x, y)
    assert functional._tuple_postprocess(rows, (False, False)) is x
    assert functional._tuple_postprocess(rows, (True, True)) is rows

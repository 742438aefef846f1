"""`source` knows no operation by name: one that it has never seen prints rightly, or is refused with what to do."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import case
from op_samples import ROWS, Row
from test_source import arrays, body, check, everything, load, same

import minigrad as mg
from minigrad import autograd
from minigrad.core.op import TABLE, Op
from minigrad.kernels import sums

ROOM = sorted((Path(mg.__file__).parent / "readers" / "source").glob("*.py"))


def op_names(text: str) -> list[str]:
    """The operations that a file names: as a string, or as an attribute or an import of a module of ops."""
    tree, names = ast.parse(text), []
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            ("minigrad.ops", "minigrad.core.basic")
        ):
            names += [a.name for a in node.names if a.name.rstrip("_") in TABLE]
            modules |= {a.asname or a.name for a in node.names}
        elif (
            isinstance(node, ast.ImportFrom)
            and node.module == "minigrad"
            and any(a.name == "ops" for a in node.names)
        ):
            modules.add("ops")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in TABLE:
            names.append(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            names.append(f"{node.value.id}.{node.attr}")
    return names


@pytest.mark.parametrize("file", ROOM, ids=[f.stem for f in ROOM])
def test_the_room_names_no_operation(file: Path) -> None:
    assert op_names(file.read_text(encoding="utf-8")) == []


def test_planted_names_are_seen() -> None:
    assert op_names("if v.op == 'permute': pass") == ["permute"]
    assert op_names("from minigrad.core.basic import reshape") == ["reshape"]
    assert op_names("from minigrad.ops import elementwise as e\ne.mul(x)") == ["e.mul"]


# ---------------------------------------------------------------- what records say of memory


@pytest.mark.parametrize("row", ROWS, ids=[r.id for r in ROWS])
def test_results_lie_in_memory_as_the_record_says(row: Row) -> None:
    for order in ("C", "F"):
        with case(order):
            lie_as_the_record_says(row, order)


def lie_as_the_record_says(row: Row, order: Any) -> None:
    """Of operands by rows, or of the same by columns."""
    seen: list[Any] = []
    kernels = {op: op.kernel for op in TABLE.values()}

    def watched(op: Op) -> Any:
        def kernel(*operands: Any, **params: Any) -> Any:
            y = kernels[op](*operands, **params)
            seen.append((op, [x for x in operands if isinstance(x, np.ndarray)], y))
            return y

        return kernel

    try:
        for op in kernels:
            op.kernel = watched(op)
        with everything():
            xs = [np.array(a, order=order) for a in row.draw(0)]
            y = row.run(*(mg.from_numpy(x).requires_grad_(i in row.wanted) for i, x in enumerate(xs)))
            if y.requires_grad:
                y.sum().backward()
    finally:
        for op, kernel in kernels.items():
            op.kernel = kernel
    assert seen
    for op, operands, y in seen:
        if not isinstance(y, np.ndarray):
            continue
        assert not op.new or not any(np.may_share_memory(x, y) for x in operands), op
        by_rows = all(x.flags.c_contiguous for x in operands)
        if op.new and (op.order == "C" or (op.order == "K" and by_rows)):
            assert y.flags.c_contiguous, op


# ---------------------------------------------------------------- operations that no reader has seen


@pytest.fixture(autouse=True)
def table_as_it_was() -> Iterator[None]:
    before = dict(TABLE)
    yield
    TABLE.clear()
    TABLE.update(before)


def half(x: Any) -> Any:
    return x[::2]


def unhalf(g: Any, n: int) -> Any:
    y = np.zeros((n, *g.shape[1:]), g.dtype)
    y[::2] = g
    return y


def planted_half(**facts: Any) -> Op:
    back: Op = Op("unhalf", unhalf, "g; n", lambda g: op(g))
    op: Op = Op("half", half, "x", lambda g, x_shape: back(g, n=x_shape[0]), **facts)
    return op


@pytest.mark.parametrize("view", [True, False])
@pytest.mark.parametrize(
    "f",
    [
        lambda op, x: op(x),
        lambda op, x: op(x).sum(),
        lambda op, x: op(x).sum(1) * op(x * 2.0).mean(0)[:3].sum(),
        lambda op, x: op(x.mT).mT.exp().cumsum(0),
        lambda op, x: op(op(x)).clone() @ op(x).mT,
        lambda op, x: op(x * 3.0).reshape(-1).expand(2, -1).sum(0),
        lambda op, x: op(x.relu()).flip(0).amax(1, keepdim=True) + op(x).contiguous(),
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_a_kernel_that_returns_a_view_whether_it_says_so_or_not(f: Any, view: bool, dtype: Any) -> None:
    op = planted_half(view=view)
    recorded, fresh = arrays([(60, 40)], 0, dtype), arrays([(60, 40)], 1, dtype)
    check(lambda x: f(op, x), recorded, fresh, (0,))


def diagonal(x: Any) -> Any:
    return np.diagonal(x)


def filled_diagonal(g: Any, n: int) -> Any:
    y = np.zeros((n, n), g.dtype)
    y[range(n), range(n)] = g
    return y


def test_gradients_and_results_of_views_are_the_callers() -> None:
    back: Op = Op("filled_diagonal", filled_diagonal, "g; n", lambda g: op(g))
    op: Op = Op("diagonal_", diagonal, "x", lambda g, x_shape: back(g, n=x_shape[0]), view=True)
    x, w = mg.randn(3, 3, requires_grad=True), mg.randn(3, requires_grad=True)
    text = mg.source((op(x) * w).sum(), {"x": x, "w": w})
    given = [np.arange(9.0).reshape(3, 3), np.ones(3)]
    _, gradients = load(text)(*given)
    gradients["w"][...] = -1.0  # it would be the diagonal of x
    gradients["x"][...] = -1.0
    assert given[0].tolist() == np.arange(9.0).reshape(3, 3).tolist()


def test_a_write_through_a_view_that_no_reader_knows() -> None:
    back: Op = Op("filled_diagonal", filled_diagonal, "g; n", lambda g: op(g))

    def writable(x: Any) -> Any:
        return np.einsum("ii->i", x)

    op: Op = Op("diagonal_", writable, "x", lambda g, x_shape: back(g, n=x_shape[0]), view=True)

    def f(x: Any) -> Any:
        y = x * 2.0
        op(y).mul_(3.0)
        op(y[1:, 1:]).add_(1.0)
        return (y * y).sum()

    recorded, fresh = arrays([(4, 4)], 0, np.float64), arrays([(4, 4)], 1, np.float64)
    check(f, recorded, fresh, (0,))


def noise(x: Any) -> Any:
    return x + np.random.standard_normal(x.shape)


def test_two_draws_are_two_values_in_their_order() -> None:
    op = Op("noise", noise, "x", lambda g: g, draws=True)
    x = mg.randn(3, dtype=mg.float64, requires_grad=True)

    def f(x: Any) -> Any:
        a, b = op(x), op(x)
        return (b * 2.0 + a.exp()).sum()

    text = mg.source(f(x), {"x": x})
    assert "\n".join(body(text)).count("_noise(") == 2
    np.random.seed(3)
    x = mg.ones(3, dtype=mg.float64).requires_grad_()
    y = f(x)
    y.backward()
    np.random.seed(3)
    value, gradients = load(text)(np.ones(3))
    same(value, y.detach().numpy(), text)
    same(gradients["x"], x.grad.numpy(), text)


def test_several_results_are_one_array() -> None:
    op = Op("modf", np.modf, "x", lambda g: g[0] + g[1])

    def parted(x: Any) -> Any:
        return x > 0, x * 2.0

    both = Op("parted", parted, "x", lambda g: g[1] * 2.0)
    recorded, fresh = arrays([(3, 4)], 0, np.float64), arrays([(3, 4)], 1, np.float64)
    check(lambda x: op(x).sum(0).mT * 2.0, recorded, fresh, (0,))
    check(lambda x: op(x)[1].reshape(-1), recorded, fresh, (0,))
    check(lambda x: both(x).mT.sum(0), recorded, fresh, (0,))


def positive(x: Any) -> None:
    if np.any(np.less(x, 0)):
        raise ValueError("negative")


def test_a_check_of_values_is_printed() -> None:
    op = Op("root", np.sqrt, "x", lambda g, y: g / (y * 2.0), check=positive, cast="float")
    own = Op("half_checked", half, "x", check=lambda x: None)
    x = mg.tensor([1.0, 4.0], dtype=mg.float64, requires_grad=True)
    run = load(mg.source(op(x).sum(), {"x": x}))
    value, gradients = run(np.array([4.0, 9.0]))
    assert (value, gradients["x"].tolist()) == (5.0, [0.25, 1 / 6])
    with pytest.raises(ValueError, match="negative"):
        run(np.array([4.0, -9.0]))
    with everything(), pytest.raises(NotImplementedError, match="half_checked cannot be printed"):
        mg.source(own(x))


def kept(x: Any, by: Any) -> Any:
    return x.copy()


@pytest.mark.parametrize(
    ("f", "line"),
    [(lambda x: x.triu(1), "np.triu(x0, 1)"), (lambda x: x.mT.tril(), "np.tril(np.ascontiguousarray(x0.T))")],
)
def test_what_numpy_has_prints_as_numpys(f: Any, line: str) -> None:
    assert line in check(f, arrays([(3, 4)], 0, np.float32), arrays([(3, 4)], 1, np.float32), (0,))


def test_functions_of_numpys_modules_and_kernels_that_are_no_functions() -> None:
    op = Op("spectrum", np.fft.fft, "x")
    x = mg.ones(4, dtype=mg.float64)
    with everything():
        text = mg.source(op(x), inputs={"x": x})
    assert "np.fft.fft(x)" in text
    own = Op("planted", functools.partial(scaled, by=2.0), "x", lambda g: g * 2.0, elementwise=True)
    with pytest.raises(NotImplementedError, match=r"planted cannot be printed: .* give its record a text="):
        mg.source(own(mg.ones(3, requires_grad=True)))


def scaled(x: Any, by: Any) -> Any:
    return x * by


def test_parameters_are_written_out_whole_or_refused() -> None:
    op = Op("scaled", scaled, "x; by", lambda g, by: op(g, by=by))
    one = np.arange(2000.0)
    other = one.copy()
    other[1000] = -1.0
    recorded, fresh = arrays([(2000,)], 0, np.float64), arrays([(2000,)], 1, np.float64)
    check(lambda x: op(x, by=one) + op(x, by=other), recorded, fresh, (0,))
    check(lambda x: op(x, by=2 + 0j).sum(), recorded, fresh, ())
    own = Op("planted", kept, "x; by", lambda g: g)
    x = mg.ones(3, requires_grad=True)
    with pytest.raises(
        NotImplementedError, match=r"planted cannot be printed: one of its parameters is a Fraction"
    ):
        mg.source(own(x, by=Fraction(1, 2)))


def test_a_text_that_names_its_operand_twice_and_one_that_is_a_function() -> None:
    op = Op(
        "cube",
        lambda x: x * x * x,
        "x",
        lambda g, x: g * x * x * 3.0,
        text="{0} * {0} * {0}",
        elementwise=True,
    )
    own = Op(
        "planted", scaled, "x; by", lambda g, by: own(g, by=by), text=lambda v: f"{{}} * {v.params['by']}"
    )
    recorded, fresh = arrays([(3, 4)], 0, np.float64), arrays([(3, 4)], 1, np.float64)
    text = check(lambda x: op(x.sin() + 1.0).mT.sum(0) * own(x, by=2.5).sum(), recorded, fresh, (0,))
    assert "\n".join(body(text)).count("np.sin(") == 1
    assert "_scaled" not in text


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [7, 2000])
def test_parts_of_programs_print(dtype: Any, n: int) -> None:
    recorded, fresh = arrays([(n, 3)], 0, dtype), arrays([(n, 3)], 1, dtype)
    for op, kernel in ((TABLE["square_sum"], sums.square_sum), (TABLE["mean_square"], sums.mean_square)):
        text = check(lambda x, op=op: op(x), recorded, fresh, ())
        same(load(text)(fresh[0])[0], kernel(fresh[0]), text)
    with pytest.raises(RuntimeError, match="does not require grad"):
        autograd.grad(TABLE["square_sum"](mg.ones(3, requires_grad=True)), [mg.ones(3)])

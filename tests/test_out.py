"""`out=`: results written into Tensors that the caller has."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.gate.out import TAKES

F: Any = mg.nn.functional

x = mg.rand(2, 3) + 0.5
square = mg.rand(3, 3) + 2 * mg.eye(3)
# Functions of each way to be declared: by a record, as a function, as a method, of several results, makers.
CALLS: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
    (mg.exp, (x,), {}),
    (mg.add, (x, x), {"alpha": 2}),
    (mg.gt, (x, 0.7), {}),
    (mg.sum, (x, 1), {"keepdim": True}),
    (mg.argmax, (x, 0), {}),
    (mg.cat, ([x, x],), {"dim": 1}),
    (mg.matmul, (x, square), {}),
    (mg.where, (x > 0.7, x, x), {}),
    (mg.max, (x, 1), {}),
    (mg.max, (x,), {}),
    (mg.sort, (x,), {"descending": True}),
    (mg.topk, (x, 2), {}),
    (mg.softmax, (x, 1), {}),
    (mg.tensordot, (x, square, 1), {}),
    (mg.linalg.svd, (square,), {}),
    (mg.linalg.inv, (square,), {}),
    (mg.special.expit, (x,), {}),
    (mg.fft.rfft, (x,), {}),
    (mg.fft.irfftn, (x,), {}),
    (mg.arange, (5,), {}),
    (mg.full, ((2, 2), 3.0), {}),
    (F.gelu, (x,), {}),
    (F.avg_pool2d, (x[None], 2), {}),
    (F.normalize, (x,), {"dim": 0}),
]


def test_element_types_of_out() -> None:
    wide, narrow = mg.empty(2, 3, dtype=mg.float64), mg.empty(2, 3, dtype=mg.int32)
    assert mg.exp(x, out=wide) is wide
    for wrong in (
        lambda: mg.neg(x, out=wide), lambda: mg.floor(x, out=wide), lambda: mg.amax(x, 1, out=wide),
        lambda: mg.argmax(x, 1, out=narrow), lambda: mg.all(x, 1, out=wide), lambda: mg.softmax(x, 1, out=wide),
        lambda: mg.sort(x, out=(wide, narrow)), lambda: mg.max(x, 1, out=(mg.empty(0), mg.empty(0))),
        lambda: mg.split_with_sizes_copy(x, [1, 2], 1, out=[wide, wide.clone()]),
        lambda: mg.lu_unpack(*mg.linalg.lu_factor(square), out=[wide, wide.clone(), wide.clone()]),
        lambda: mg.tril(x, out=wide), lambda: mg.exp(x, out=narrow),
        lambda: mg.where(x > 0, x, x, out=wide), lambda: mg.tensordot(x, square, 1, out=wide),
        lambda: mg.sum(x, 1, dtype=mg.float32, out=wide), lambda: mg.arange(6, dtype=mg.float32, out=wide),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match="can't be cast to the desired output type"):
            wrong()
    doubles = [mg.empty(0, dtype=mg.complex128) for _ in range(2)]
    for result in (mg.linalg.eigvals(square, out=doubles[0]), *mg.linalg.eig(square, out=doubles)):
        assert result.dtype == mg.complex128
    assert mg.lerp(x, x, 0.5, out=mg.empty(0, dtype=mg.float64)).dtype == mg.float64
    assert mg.fft.ifft(square + 0j, out=mg.empty(0, dtype=mg.complex128)).dtype == mg.complex128
    assert mg.matrix_power(square, 2, out=mg.empty(0, dtype=mg.float64)).dtype == mg.float64
    for kind in (mg.bool, mg.uint8):
        for data in (x, x.byte()):
            assert mg.any(data, 1, out=mg.empty(2, dtype=kind)).dtype is kind


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0].__name__)
def test_result_stands_in_out(call: Any) -> None:
    function, args, named = call
    result = function(*args, **named)
    results = (result,) if isinstance(result, mg.Tensor) else tuple(result)
    for shapes in ([(0,)] * len(results), [t.shape for t in results]):
        outs = tuple(mg.empty(s, dtype=t.dtype) for s, t in zip(shapes, results, strict=True))
        memory = [t.numpy() for t in outs]
        written = function(*args, **named, out=outs if len(outs) > 1 else outs[0])
        assert written is outs[0] or all(a is b for a, b in zip(written, outs, strict=True))
        for out, expected, array in zip(outs, results, memory, strict=True):
            assert np.array_equal(out.numpy(), expected.numpy())
            assert np.shares_memory(out.numpy(), array) or array.size == 0
    with mg.no_grad():
        assert function(*args, **named, out=None) is not None


def test_type_of_out_is_its_own() -> None:
    wide = mg.zeros(2, dtype=mg.float64)
    assert mg.sum(mg.full((2, 3), 0.1), 1, out=wide) is wide
    assert wide.tolist() == mg.full((2, 3), 0.1).sum(1, dtype=mg.float64).tolist()
    assert mg.arange(3, out=mg.empty(0, dtype=mg.int32)).dtype == mg.int32
    assert mg.zeros(2, out=mg.ones(2, dtype=mg.int64)).tolist() == [0, 0]
    assert mg.add(mg.tensor(1), mg.tensor(2), out=mg.tensor(0.0)).tolist() == 3.0
    # PyTorch's bernoulli writes what was drawn into whatever is given, masks most of all
    for kind in (mg.bool, mg.int64, mg.float64):
        assert mg.bernoulli(mg.tensor([1.0, 0.0]), out=mg.empty(2, dtype=kind)).tolist() == [1, 0]
    with pytest.raises(RuntimeError, match=r"add\(\): result type Float can't be cast to .* Long"):
        mg.add(x, 1.0, out=mg.zeros(2, 3, dtype=mg.int64))


def test_resized_with_a_warning_if_it_had_elements() -> None:
    out = mg.zeros(2)
    with pytest.warns(
        UserWarning, match=r"An output with one or more elements was resized since it had shape \[2\]"
    ):
        mg.exp(x, out=out)
    assert out.tolist() == x.exp().tolist()
    part = mg.zeros(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mg.add(mg.ones(3), 1.0, out=part[1])
        mg.transpose_copy(part, 0, 1, out=part.T)
    assert part.tolist() == [[0, 0, 0], [2, 2, 2]]
    with pytest.raises(RuntimeError, match="more than one element"):
        mg.exp(mg.rand(3), out=mg.zeros(1).expand(3))


def test_resized_out_shares_no_memory_with_an_operand() -> None:
    own = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    for function in (mg.chain_matmul, mg.conj_physical):
        out = mg.empty(0)
        function(own, out=out)
        out.add_(10.0)
        assert own.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_one_out_for_several_results_is_refused() -> None:
    with pytest.raises(RuntimeError, match="one Tensor for several results"):
        mg.linalg.svd(square, out=(mg.empty(0),) * 3)


def test_no_gradient_goes_through_out() -> None:
    w = mg.ones(3, requires_grad=True)
    out = mg.zeros(3)
    for args, target in (((w, 1.0), out), ((mg.ones(3), 1.0), w), ((mg.ones(3), 1.0), w * 1)):
        with pytest.raises(
            RuntimeError, match=r"add\(\): functions with out=.* don't support automatic differ"
        ):
            mg.add(*args, out=target)
    assert out.tolist() == [0, 0, 0]
    assert mg.gt(w, 0.5, out=out.bool()).all()
    with mg.no_grad():
        mg.add(w, 1.0, out=w)
    assert w.tolist() == [2, 2, 2]
    assert w.requires_grad
    # what backward reads is seen to have changed
    y = w * out
    mg.exp(mg.ones(3), out=out)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()


def test_out_is_refused_where_it_is_none() -> None:
    for call, match in (
        (lambda out: mg.reshape(x, (6,), out=out), "unexpected keyword argument 'out'"),
        (lambda out: F.relu(x, out=out), "unexpected keyword argument 'out'"),
        (lambda out: mg.exp(x, out=3), "must be Tensor, not int"),
        (lambda out: mg.max(x, 1, out=out), "must be tuple of 2 Tensors, not Tensor"),
        (lambda out: mg.max(x, 1, out=(out,)), "must be tuple of 2 Tensors"),
    ):
        with pytest.raises(TypeError, match=match):
            call(mg.empty(0))
    assert {call[0].__name__ for call in CALLS} <= TAKES


def test_compiled_out_is_written_at_each_call() -> None:
    out = mg.zeros(3)

    @mg.compile
    def f(a: mg.Tensor) -> mg.Tensor:
        return mg.add(a, 1.0, out=out) * 2

    for value in (1.0, 2.0, 3.0):
        assert f(mg.full((3,), value)).tolist() == [2 * value + 2] * 3
        assert out.tolist() == [value + 1] * 3

    with pytest.raises(RuntimeError, match=r"resizing the out= of add\(\)"):
        mg.compile(lambda a: mg.add(a, 1.0, out=mg.empty(0)))(out)


OUT: dict[str, tuple[Any, ...]] = {
    "add": (mg.ones(2, 3), 2.0), "mul": (mg.ones(2, 3), mg.ones(3)), "matmul": (mg.ones(2, 4), mg.ones(4, 3)),
    "exp": (mg.ones(2, 3),), "clamp": (mg.ones(2, 3), 0.0, 0.5), "cat": ([mg.ones(1, 3), mg.zeros(1, 3)],),
    "cumsum": (mg.ones(2, 3), 0), "zeros": (2, 3), "full": ((2, 3), 7.0), "where": (mg.ones(2, 3) > 0, mg.ones(3), 2.0),
}  # fmt: skip


def test_a_result_is_written_to_out() -> None:
    for name, args in OUT.items():
        function = getattr(mg, name)
        memory = np.full((2, 3), 9.0, np.float32)
        out = mg.from_numpy(memory)
        assert function(*args, out=out) is out, name
        assert (memory == function(*args).numpy()).all(), name
        assert mg.equal(function(*args, out=None), function(*args))


def test_an_out_of_another_shape_or_dtype() -> None:
    empty = mg.empty(0)
    assert mg.sum(mg.ones(2, 3), 1, out=empty) is empty
    assert empty.tolist() == [3.0, 3.0]
    with pytest.warns(UserWarning, match=r"resized since it had shape \[2\].* \[3\]"):
        mg.arange(3, out=empty)
    assert empty.tolist() == [0.0, 1.0, 2.0]
    double = mg.empty(2, dtype=mg.float64)
    state = mg.get_rng_state()
    mg.rand(2, out=double)  # the draws of its own dtype
    mg.set_rng_state(state)
    assert mg.equal(double, mg.rand(2, dtype=mg.float64))
    values, places = mg.empty(0), mg.empty(0, dtype=mg.int64)
    pair = mg.max(mg.tensor([[1.0, 5.0]]), 1, out=(values, places))
    assert (values.tolist(), places.tolist()) == ([5.0], [1])
    assert pair.values is values


def test_normalize_takes_out_by_place() -> None:
    out = mg.empty(1, 2)
    assert mg.nn.functional.normalize(mg.tensor([[3.0, 4.0]]), 2.0, 1, 1e-12, out) is out
    assert mg.allclose(out, mg.tensor([[0.6, 0.8]]))


def test_an_out_that_cannot_be() -> None:
    x, w = mg.ones(2), mg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"can't be cast to the desired output type"):
        mg.exp(x, out=mg.empty(2, dtype=mg.int64))
    for a, out in ((w, mg.empty(2)), (x, mg.empty(2, requires_grad=True))):
        with pytest.raises(RuntimeError, match=r"functions with out=... arguments don't support automatic"):
            mg.exp(a, out=out)
    with mg.no_grad():
        assert mg.exp(w, out=mg.empty(2)).shape == (2,)
    for several in ([mg.empty(2)], (mg.empty(2), mg.empty(2))):
        with pytest.raises(TypeError, match=r"argument 'out' must be Tensor, not (list|tuple)"):
            mg.exp(x, out=several)

"""Forms of calls that tutorials and small language models have, beside those of `test_script_forms`."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import func, nn


def test_buffers_become_vectors_over_their_memory() -> None:
    memory = bytearray(b"abcdefgh")
    t = mg.frombuffer(memory, dtype=mg.uint8)
    t[0] = 65
    assert memory == b"Abcdefgh"
    assert t.tolist() == list(memory)
    assert mg.frombuffer(memory, dtype=mg.int32).tolist() == np.frombuffer(memory, np.int32).tolist()
    part = mg.frombuffer(memory, dtype=mg.int16, count=2, offset=1)
    assert part.tolist() == np.frombuffer(memory, np.int16, 2, 1).tolist()
    assert mg.frombuffer(array.array("f", [1, 2]), dtype=mg.float32, requires_grad=True).requires_grad
    copied = mg.frombuffer(b"ab", dtype=mg.uint8)
    copied[0] = 0
    assert copied.tolist() == [0, 98]
    with pytest.raises(RuntimeError):
        mg.frombuffer(memoryview(b"ab"), dtype=mg.uint8)[0] = 0
    refused: list[tuple[Any, dict[str, Any], str]] = [
        (bytearray(7), {}, r"buffer length \(7 bytes\) .* must be a multiple of element size \(4\)"),
        (b"", {}, r"both buffer length \(0\) and count \(-1\) must not be 0"),
        (bytearray(8), {"count": 0}, "must not be 0"),
        (bytearray(8), {"count": 7}, r"requested buffer length \(7 \* 4 bytes\)"),
        (bytearray(8), {"offset": 8}, r"offset \(8 bytes\) must be non-negative"),
        (bytearray(8), {"offset": -1}, "must be non-negative"),
        ([1], {}, "does not implement Python buffer protocol"),
    ]  # fmt: skip
    for buffer, options, sentence in refused:
        with pytest.raises(ValueError, match=sentence):
            mg.frombuffer(buffer, dtype=mg.int32, **options)


def test_rows_and_values_meet_in_one_dtype() -> None:
    whole = mg.tensor([73, 76, 79])
    assert mg.bucketize(mg.tensor([70.0, 73.0, 73.5, 79.0]), whole, right=True).tolist() == [0, 1, 1, 3]
    assert mg.searchsorted(mg.tensor([1.5, 2.5]), mg.tensor([1, 2, 3])).tolist() == [0, 1, 2]
    assert mg.searchsorted(mg.tensor([1, 200], dtype=mg.uint8), mg.tensor([-5, 300])).tolist() == [0, 2]
    # float32 holds no 2**24 + 1
    large = mg.tensor([2**24 + 1])
    assert mg.searchsorted(large, mg.tensor([2.0**24]), right=True).tolist() == [1]
    rows = mg.searchsorted(mg.tensor([[1, 2], [3, 4]]), mg.tensor([[1.5], [4.5]], dtype=mg.float64))
    assert rows.tolist() == [[1], [2]]


def test_numbers_come_after_tensors_in_next_functions() -> None:
    x = mg.ones(2, requires_grad=True)
    for y in (2 * x.sin(), x.sin() * 2, 1 + x.sin(), x.sin() + 1):
        (first, _), (second, _) = y.grad_fn.next_functions
        assert first.name() == "SinBackward0"
        assert second is None
    (before, _), (after, _) = (x.sin() * x.cos()).grad_fn.next_functions
    assert (before.name(), after.name()) == ("SinBackward0", "CosBackward0")


def test_arguments_that_may_be_named_or_left_out() -> None:
    x = mg.linspace(0.0, 1.0, 5)
    counts, edges = mg.histogram(x, density=True)
    assert counts.shape == (100,)
    assert edges.shape == (101,)
    assert mg.ones(2).copy_(mg.zeros(2), non_blocking=True).tolist() == [0, 0]
    assert mg.ones(2).copy_(other=mg.zeros(1)).tolist() == [0, 0]
    assert x.gather(0, mg.tensor([4, 0]), sparse_grad=False).tolist() == [1, 0]
    assert mg.vdot(x, other=x) == x.vdot(other=x) == x.dot(x)


def test_the_state_of_several_modules_is_stacked() -> None:
    modules = [nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval() for _ in range(3)]
    params, buffers = func.stack_module_state(modules)
    assert params.keys() == dict(modules[0].named_parameters()).keys()
    assert buffers.keys() == dict(modules[0].named_buffers()).keys()
    assert all(t.is_leaf and t.requires_grad and t.shape[0] == 3 for t in params.values())
    x = mg.randn(4, 3)
    run = func.vmap(lambda p, b: func.functional_call(modules[0], (p, b), (x,)))
    together = run(params, buffers)
    assert mg.allclose(together, mg.stack([m(x) for m in modules]))
    together.sum().backward()
    assert all(t.grad is not None for t in params.values())
    other = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval()
    other[0].weight.requires_grad_(False)
    refused: list[tuple[list[nn.Module], str]] = [
        ([], "Expected at least one model, got 0"),
        ([modules[0], nn.Linear(3, 2).eval()], "the same class"),
        ([nn.Linear(3, 2), nn.Linear(3, 2).eval()], "the same training/eval mode"),
        ([modules[0], other], "Expected 0.weight from each model to have the same .requires_grad"),
        ([nn.Linear(3, 2), nn.Linear(2, 2)], "weight has another shape"),
    ]
    for several, sentence in refused:
        with pytest.raises(RuntimeError, match=sentence):
            func.stack_module_state(several)

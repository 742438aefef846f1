import pytest

import minigrad as mg


def network():
    w, x = (mg.tensor(v, dtype=mg.float64, requires_grad=True) for v in (0.7, -0.4))
    h = (w * x).tanh()
    return (h + h * w).tanh() * x, (w, x)


def test_in_order(work):
    y, _ = network()
    records = work.in_order(y)
    assert len(set(records)) == 8, "there are eight records behind y, that of y among them"
    assert len(records) == 8, "a record is there twice"
    for k, record in enumerate(records):
        assert set(record.inputs) <= set(records[:k]), f"record {k} comes before one of its inputs"


def test_backward(work):
    y, leaves = network()
    grads = {record.tensor(): float(g) for record, g in work.backward(y).items()}
    assert set(leaves) <= set(grads), "the gradient of a leaf is missing"
    y.backward()
    assert {leaf: grads[leaf] for leaf in leaves} == pytest.approx(
        {leaf: leaf.grad.item() for leaf in leaves}
    )


def test_kept(work):
    x = mg.ones(10, requires_grad=True)
    y = x.tanh()
    assert work.kept(y * y) == 40, "tanh and the product keep the same array of ten float32"
    assert work.kept((y * y).sum()) == 40, "a sum keeps nothing"
    assert work.kept(y * x) == 80, "two arrays: the result of tanh, and x"

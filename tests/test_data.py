"""`minigrad.utils.data`: PyTorch's order for the same seed, batches, and workers, also those that fail."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections import OrderedDict, UserDict, UserList, namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.kernels.sharing import THREADS
from minigrad.utils import data
from minigrad.utils.data import transport

pytestmark = [
    # Python 3.12 on warns of forks where BLAS has threads.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
    # On a machine with one processor.
    pytest.mark.filterwarnings("ignore:This DataLoader will create 2 worker:UserWarning"),
]
forks = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="the datasets of these tests reach workers by a fork"
)

Seven = range(7)


@pytest.fixture(autouse=True)
def _forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes begin by a fork, as they do by default before Python 3.14."""
    default, known = multiprocessing.get_context, multiprocessing.get_all_start_methods()
    how = "fork" if "fork" in known else None
    monkeypatch.setattr(multiprocessing, "get_context", lambda method=None: default(method or how))


def batches(loader: Any) -> list[Any]:
    return [plain(batch) for batch in loader]


def plain(value: Any) -> Any:
    """Tensors as lists."""
    if isinstance(value, mg.Tensor):
        return value.tolist()
    return [plain(v) for v in value] if isinstance(value, list) else value


# ---------------------------------------------------------------- the order

# What PyTorch 2.13 gives after manual_seed(0), and the next number that its default generator draws.
AFTER_TWO, AFTER_ONE = 0.307423, 0.088477  # seeds: that of a pass and of a sampler, or of one of them
ORDERS: dict[str, tuple[Callable[[], Any], Any, float]] = {
    "in order": (lambda: data.DataLoader(Seven, 4), [[0, 1, 2, 3], [4, 5, 6]], AFTER_ONE),
    "shuffled": (lambda: data.DataLoader(Seven, 3, shuffle=True), [[0, 4, 1], [5, 2, 6], [3]], AFTER_TWO),
    "without batches": (lambda: data.DataLoader(Seven, None, shuffle=True), [0, 4, 1, 5, 2, 6, 3], AFTER_TWO),
    "of a generator": (
        lambda: data.DataLoader(Seven, 4, shuffle=True, generator=mg.Generator().manual_seed(1)),
        [[4, 3, 5, 0], [6, 1, 2]], 0.496257,
    ),
    "with replacement": (lambda: data.RandomSampler(Seven, True), [0, 4, 0, 4, 2, 4, 1], AFTER_ONE),
    "many with replacement": (
        lambda: data.RandomSampler(Seven, True, 40),
        [int(c) for c in "0404241201161011314220415105135633313362"], AFTER_ONE,
    ),
    "more than there are": (lambda: data.RandomSampler(Seven, False, 10), [0, 3, 6, 4, 1, 2, 5, 1, 0, 6], AFTER_ONE),
    "of a part": (lambda: data.SubsetRandomSampler([5, 3, 8]), [8, 5, 3], AFTER_ONE),
    "by weight": (lambda: data.WeightedRandomSampler([0.1, 0.5, 3, 1], 8), [3, 2, 2, 3, 2, 3, 2, 2], 0.697668),
    "by weight, once": (lambda: data.WeightedRandomSampler([0.1, 0.5, 3, 1], 3, False), [2, 1, 3], 0.455628),
    "in batches": (
        lambda: data.BatchSampler(data.RandomSampler(Seven), 3, True), [[0, 3, 6], [4, 1, 2]], AFTER_ONE
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", ORDERS)
def test_the_order_is_pytorchs(how: str) -> None:
    make, order, after = ORDERS[how]
    mg.manual_seed(0)
    assert batches(make()) == order
    assert round(mg.rand(1).item(), 6) == after
    assert len(make()) == len(order)


def test_an_order_that_is_drawn_and_not_used_is_drawn() -> None:
    generator, other = (mg.Generator().manual_seed(0) for _ in range(2))
    assert list(data.RandomSampler(range(4), generator=generator)) == [0, 1, 3, 2]
    assert generator.permutation(4).tolist() == [3, 2, 0, 1], "as of torch"
    for _ in range(3):
        other.permutation(4)
    assert mg.equal(generator.get_state(), other.get_state())


def test_each_pass_has_an_order_of_its_own() -> None:
    mg.manual_seed(0)
    loader = data.DataLoader(Seven, 3, shuffle=True, drop_last=True)
    assert [batches(loader), batches(loader)] == [[[0, 4, 1], [5, 2, 6]], [[3, 1, 4], [2, 5, 0]]]
    assert len(loader) == 2


def test_a_random_split() -> None:
    mg.manual_seed(0)
    assert [s.indices for s in data.random_split(Seven, [3, 4])] == [[4, 0, 5], [3, 2, 6, 1]]
    mg.manual_seed(0)
    parts = data.random_split(Seven, [0.5, 0.5])
    assert [list(p) for p in parts] == [[4, 0, 5, 3], [2, 6, 1]]
    again = data.random_split(Seven, [1, 6], generator=mg.Generator().manual_seed(3))
    assert sorted(again[0].indices + again[1].indices) == list(Seven)
    for lengths, says in (
        ([3, 5], "Sum of input lengths does not equal"),
        ([1.5, -0.5], "Fraction at index 0"),
    ):
        with pytest.raises(ValueError, match=says):
            data.random_split(Seven, lengths)
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        data.random_split([1], [0.5, 0.5])


# ---------------------------------------------------------------- datasets


class Squares(data.Dataset[int]):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> int:
        return index**2


class Counting(data.IterableDataset[int]):
    """The numbers below ``n``, of which each worker has a part."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        info = data.get_worker_info()
        return iter(range(0, self.n) if info is None else range(info.id, self.n, info.num_workers))

    def __len__(self) -> int:
        return self.n


def test_datasets() -> None:
    x, y = mg.arange(6.0).reshape(3, 2), mg.tensor([7, 8, 9])
    pairs = data.TensorDataset(x, y)
    assert (len(pairs), plain(list(pairs[1]))) == (3, [[2, 3], 8])
    joined = Squares() + data.Subset([10, 20, 30], [2, 0])
    assert isinstance(joined, data.ConcatDataset)
    assert [joined[i] for i in (0, 4, 5, 6, -1, -7)] == [0, 16, 30, 10, 10, 0]
    assert len(joined) == 7
    assert data.StackDataset(Squares(), "abcde")[2] == (4, "c")
    named = data.StackDataset(a=Squares(), b=data.Subset(range(9), [8, 7, 6, 5, 4]))
    assert named[1] == {"a": 1, "b": 7}
    assert named.__getitems__([0, 4]) == [{"a": 0, "b": 8}, {"a": 16, "b": 4}]
    chain = Counting(2) + Counting(3)
    assert (list(chain), len(chain)) == ([0, 1, 0, 1, 2], 5)


class Overrides(data.Subset[int]):
    def __getitem__(self, index: int) -> int:
        return 0


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "sizes": (lambda: data.TensorDataset(mg.ones(2), mg.ones(3)), ValueError, r"Size mismatch .* \[2, 3\]"),
    "no datasets": (lambda: data.StackDataset(), ValueError, "At least one dataset"),
    "both": (lambda: data.StackDataset([1], a=[1]), ValueError, "not both"),
    "lengths": (lambda: data.StackDataset([1], [1, 2]), ValueError, r"Size mismatch .* \[1, 2\]"),
    "empty": (lambda: data.ConcatDataset([]), ValueError, "should not be an empty iterable"),
    "iterable": (lambda: data.ConcatDataset([Counting(2)]), ValueError, "ChainDataset is for these"),
    "not iterable": (lambda: list(data.ChainDataset([[1]])), ValueError, "only supports IterableDataset, got list"),
    "beyond": (lambda: data.ConcatDataset([[1]])[-2], ValueError, "should not exceed dataset length"),
    "no getitems": (lambda: Overrides([1], [0]), NotImplementedError, "def __getitems__"),
    "no getitem": (lambda: data.Dataset()[0], NotImplementedError, "should implement __getitem__"),
    "no iter": (lambda: data.IterableDataset(), TypeError, "abstract"),
    "no order": (lambda: iter(data.Sampler()), NotImplementedError, "should implement __iter__"),
    "no samples": (lambda: data.DataLoader([], shuffle=True), ValueError, "num_samples=0"),
    "a flag": (lambda: data.RandomSampler([1], 1), TypeError, "replacement=1"),  # type: ignore[arg-type]
    "a matrix": (lambda: data.WeightedRandomSampler([[1.0]], 1), ValueError, r"shape \(1, 1\)"),
    "too many": (lambda: list(data.WeightedRandomSampler([1.0], 2, False)), RuntimeError, "without replacement"),
    "weights": (lambda: data.WeightedRandomSampler([1.0], 1, 0), ValueError, "replacement=0"),  # type: ignore[arg-type]
    "batch_size": (lambda: data.DataLoader([1], 0), ValueError, "batch_size=0"),
    "drop_last": (lambda: data.BatchSampler([1], 1, 0), ValueError, "drop_last=0"),  # type: ignore[arg-type]
    "workers": (lambda: data.DataLoader([1], num_workers=-1), ValueError, "num_workers=0 to make batches"),
    "timeout": (lambda: data.DataLoader([1], num_workers=1, timeout=-1), ValueError, "timeout option should be"),
    "a timeout for none": (lambda: data.DataLoader([1], timeout=1), ValueError, "timeout option needs"),
    "ahead": (lambda: data.DataLoader([1], prefetch_factor=2), ValueError, "needs num_workers > 0"),
    "behind": (lambda: data.DataLoader([1], num_workers=1, prefetch_factor=0), ValueError, "should be positive"),
    "persistent": (lambda: data.DataLoader([1], persistent_workers=True), ValueError, "needs num_workers > 0"),
    "context": (lambda: data.DataLoader([1], multiprocessing_context="fork"), ValueError, "num_workers > 0"),
    "no context": (
        lambda: data.DataLoader([1], num_workers=1, multiprocessing_context="x"), ValueError, "a valid start method in"
    ),
    "an odd context": (
        lambda: data.DataLoader([1], num_workers=1, multiprocessing_context=3), TypeError, "but got int"  # type: ignore[arg-type]
    ),
    "two orders": (lambda: data.DataLoader([1], shuffle=True, sampler=[0]), ValueError, "exclusive with shuffle"),
    "two batches": (lambda: data.DataLoader([1], 2, batch_sampler=[[0]]), ValueError, "exclusive with batch_size"),
    "no batch to drop": (lambda: data.DataLoader([1], None, drop_last=True), ValueError, "disables auto-batching"),
    "no numbers": (lambda: data.DataLoader(Counting(1), shuffle=True), ValueError, "unspecified shuffle option"),
    "no sampler": (lambda: data.DataLoader(Counting(1), sampler=[0]), ValueError, "unspecified sampler option"),
    "later": (lambda: setattr(data.DataLoader([1]), "batch_size", 2), ValueError, "should not be set after"),
    "no length": (lambda: len(data.DataLoader([1], sampler=iter([0]))), TypeError, "has no len"),
    "ragged": (lambda: data.default_collate([[1], [1, 2]]), RuntimeError, r"of equal size, .* \[1, 2\] entries"),
    "shapes": (lambda: data.default_collate([mg.ones(1), mg.ones(2)]), RuntimeError, "equal size.* a collate_fn"),
    "arrays": (lambda: data.default_collate([np.ones(1), np.ones(2)]), RuntimeError, r"\[2\] at entry 1; a collate_fn"),
    "a Tensor and an array": (lambda: data.default_collate([mg.ones(2), np.ones(2)]), TypeError, "Tensor, ndarray"),
    "arrays for Tensors": (lambda: data.TensorDataset(np.ones(2)), TypeError, "got ndarray; minigrad.from"),  # type: ignore
    "objects": (lambda: data.default_collate([object()]), TypeError, "found <class 'object'>"),
    "texts": (lambda: data.default_collate([np.array("a")]), TypeError, "found <U1"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what: str) -> None:
    make, kind, says = REFUSED[what]
    with pytest.raises(kind, match=says):
        make()


# ---------------------------------------------------------------- batches

Point = namedtuple("Point", "x y")


class Mine(UserDict[str, Any]):
    tag = None


def test_what_becomes_of_samples() -> None:
    def dtype(batch: list[Any]) -> str:
        return str(data.default_collate(batch).dtype.name)

    assert [dtype([v]) for v in (1, True, 0.5, np.float32(1), np.int16(1), np.bool_(1), np.ones(1, np.uint8))] == [
        "int64", "bool", "float64", "float32", "int16", "bool", "uint8"
    ]  # fmt: skip
    assert data.default_collate([np.float64(1), np.float64(2)]).tolist() == [1, 2]
    assert data.default_collate(["a", "b"]) == ["a", "b"]
    assert plain(data.default_collate([(1, "a"), (2, "b")])) == [[1, 2], ("a", "b")]
    assert plain(data.default_collate([[1, 2], [3, 4]])) == [[1, 3], [2, 4]]
    point = data.default_collate([Point(1, [2]), Point(3, [4])])
    assert (type(point), plain(list(point))) == (Point, [[1, 3], [[2, 4]]])
    mine = Mine(a=1)
    mine.tag = "kept"
    batch = data.default_collate([mine, Mine(a=2)])
    assert (type(batch), batch.tag, batch["a"].tolist()) == (Mine, "kept", [1, 2])
    ordered = data.default_collate([OrderedDict(a=1), OrderedDict(a=2)])
    assert (type(ordered), ordered["a"].tolist()) == (OrderedDict, [1, 2])
    assert type(data.default_collate([UserList([1, 2])])) is UserList
    assert plain(data.default_collate([range(2), range(2)])) == [[0, 0], [1, 1]]
    x = mg.ones(2, requires_grad=True)
    data.default_collate([x, x]).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2, 2]


def test_what_becomes_of_a_single_sample() -> None:
    array = np.arange(2)
    value = {"a": array, "b": (1, np.float32(2)), "c": [array, "x"], "d": Point(1, np.int8(1)), "e": range(2)}
    converted = data.default_convert(value)
    assert converted["a"].tolist() == [0, 1]
    assert (converted["b"][0], converted["b"][1].dtype) == (1, mg.float32)
    assert (converted["c"][0].tolist(), converted["c"][1]) == ([0, 1], "x")
    assert (type(converted["d"]), converted["d"].y.dtype, converted["e"]) == (Point, mg.int8, [0, 1])
    assert data.default_convert(np.array(["a"])).dtype.kind == "U"


def test_rows_of_tensors_are_the_same_at_once_and_one_by_one() -> None:
    x, y = mg.arange(12.0).reshape(6, 2), mg.arange(6)
    whole = data.TensorDataset(x, y)
    for dataset in (whole, data.Subset(whole, [5, 0, 3]), data.Subset(data.Subset(whole, [5, 0, 3]), [2, 1])):
        one_by_one = data.DataLoader(dataset, 2, collate_fn=lambda samples: data.default_collate(samples))
        for a, b in zip(data.DataLoader(dataset, 2), one_by_one, strict=True):
            assert plain(a) == plain(b)
            assert [(t.dtype, t.is_contiguous()) for t in a] == [(t.dtype, t.is_contiguous()) for t in b]
    next(iter(data.DataLoader(whole, 2)))[0].zero_()
    assert x[1].tolist() == [2, 3]  # a batch is a copy
    w = mg.ones(3, 2, requires_grad=True)
    for (rows,) in data.DataLoader(data.TensorDataset(w), 2):
        (rows * 3).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [[3, 3]] * 3
    with pytest.raises(IndexError):
        next(iter(data.DataLoader(whole, 2, sampler=[7])))


def test_datasets_that_are_iterated_over() -> None:
    assert batches(data.DataLoader(Counting(5), 2)) == [[0, 1], [2, 3], [4]]
    assert batches(data.DataLoader(Counting(5), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert batches(data.DataLoader(Counting(3), None)) == [0, 1, 2]
    assert [len(data.DataLoader(Counting(5), n)) for n in (2, 5, None)] == [3, 1, 5]
    assert len(data.DataLoader(Counting(5), 2, drop_last=True)) == 2
    loader = data.DataLoader(data.ChainDataset([Counting(2), Counting(1)]), None)
    loader.dataset.datasets = [Counting(2)]
    assert len(loader) == 2
    loader.dataset.datasets = [Counting(2), Counting(1)]
    with pytest.warns(UserWarning, match="was reported to be 2 .* but 3 samples"):
        assert list(loader) == [0, 1, 0]


def test_pinned_memory_is_for_another_machine() -> None:
    with pytest.warns(UserWarning, match="'pin_memory' argument is set as true but no accelerator is found"):
        assert batches(data.DataLoader([1], pin_memory=True)) == [[1]]


def test_an_exception_names_the_item() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        batches(data.DataLoader(Fails(ZeroDivisionError, "no", 3), 2))
    assert caught.value.__notes__ == ["(at item 3 of the dataset)"]


# ---------------------------------------------------------------- workers


class Fails(data.Dataset[Any]):
    """Numbers, of which one raises."""

    def __init__(self, kind: Callable[..., BaseException], *arguments: Any) -> None:
        self.kind, self.arguments, self.at = kind, arguments[:-1], arguments[-1]

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> int:
        if index == self.at:
            raise self.kind(*self.arguments)
        return index


class Noise(data.Dataset[Any]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple[float, ...]:
        info = data.get_worker_info()
        assert info is not None
        assert (info.num_workers, info.dataset) == (2, self)
        assert THREADS.number() == 1
        return mg.rand(1).item(), random.random(), np.random.rand(), info.seed % 1000


@forks
def test_random_numbers_in_workers_are_pytorchs() -> None:
    mg.manual_seed(0)
    assert batches(data.DataLoader(Noise(), 2, num_workers=2)) == [
        [
            [0.7821398973464966, 0.053598999977111816], [0.21315340548154382, 0.2764485855185723],
            [0.8371640508861415, 0.38757835109739946], [455, 455],
        ],
        [
            [0.6938178539276123, 0.29795897006988525], [0.7733861492043289, 0.1634220007200502],
            [0.6702704958690073, 0.07589687641367027], [456, 456],
        ],
    ]  # fmt: skip
    assert round(mg.rand(1).item(), 6) == AFTER_ONE
    assert data.get_worker_info() is None


@forks
def test_workers_keep_the_order_and_persist() -> None:
    mg.manual_seed(0)
    loader = data.DataLoader(Seven, 3, shuffle=True, num_workers=2)
    assert batches(loader) == [[0, 4, 1], [5, 2, 6], [3]]
    loader = data.DataLoader(Seven, 2, num_workers=2, persistent_workers=True, prefetch_factor=1)
    first = iter(loader)
    next(first)
    processes = first._workers._processes  # type: ignore[attr-defined]
    assert batches(loader) == batches(loader) == [[0, 1], [2, 3], [4, 5], [6]]
    assert iter(loader)._workers._processes is processes  # type: ignore[attr-defined]
    del loader, first
    gc.collect()
    assert not any(p.is_alive() for p in processes)


@forks
def test_workers_of_a_dataset_that_is_iterated_over() -> None:
    assert batches(data.DataLoader(Counting(7), 2, num_workers=2)) == [[0, 2], [1, 3], [4, 6], [5]]
    loader = data.DataLoader(Counting(5), None, num_workers=2, persistent_workers=True)
    assert batches(loader) == batches(loader) == [0, 1, 2, 3, 4]


class Waits(data.Dataset[int]):
    """The first item waits for a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> int:
        until = time.monotonic() + 30
        while index == 0 and not self.path.exists() and time.monotonic() < until:
            time.sleep(0.001)
        return index


@forks
def test_batches_as_they_come(tmp_path: Path) -> None:
    loader = data.DataLoader(Waits(tmp_path / "go"), 1, num_workers=2, in_order=False, prefetch_factor=1)
    iterator = iter(loader)
    assert [next(iterator).item(), next(iterator).item()] == [1, 2]
    (tmp_path / "go").touch()
    assert [n for [n] in batches(iterator)] == [0]


class TwoParts(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one, two)


ERRORS: dict[str, tuple[Any, type[Exception]]] = {
    "plain": ((ZeroDivisionError, "no"), ZeroDivisionError),
    "a key": ((KeyError, "k"), KeyError),
    "of two parts": ((TwoParts, "a", "b"), RuntimeError),
    "of a local class": ((type("Local", (ValueError,), {}), "no"), ValueError),
}


@forks
@pytest.mark.parametrize("what", ERRORS)
def test_an_exception_in_a_worker_is_raised_here(what: str) -> None:
    (kind, *arguments), raised = ERRORS[what]
    loader = data.DataLoader(Fails(kind, *arguments, 3), 2, num_workers=2)
    iterator = iter(loader)
    assert next(iterator).tolist() == [0, 1]
    with pytest.raises(raised) as caught:
        next(iterator)
    assert type(caught.value) is raised
    text = str(caught.value)
    assert text.startswith(
        f"Caught {kind.__name__} in DataLoader worker process 1 (at item 3 of the dataset).\nOriginal Traceback"
    )
    assert "raise self.kind(*self.arguments)" in text
    assert next(iterator).tolist() == [4, 5]  # the pass goes on, as in PyTorch


def refuses(worker: int) -> None:
    if worker == 1:
        raise LookupError("not this one")


@forks
def test_what_else_goes_wrong_in_workers() -> None:
    iterator = iter(data.DataLoader(Seven, 1, num_workers=2, worker_init_fn=refuses))
    assert next(iterator).tolist() == [0]
    with pytest.raises(LookupError, match="DataLoader worker process 1"):
        next(iterator)
    loader = data.DataLoader(Seven, 1, num_workers=1, collate_fn=lambda batch: lambda: batch)
    with pytest.raises((AttributeError, pickle.PicklingError), match=r"(?i)can't (pickle|get local)"):
        next(iter(loader))


class Dies(data.Dataset[int]):
    def __init__(self, how: str) -> None:
        self.how = how

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        if index == 2 and self.how == "exits":
            os._exit(7)
        if index == 2 and self.how == "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if index == 2:
            time.sleep(60)
        return index


@forks
@pytest.mark.parametrize(
    ("how", "says"), [("exits", "with exit code 7"), ("is killed", "killed by signal 9")]
)
def test_a_worker_that_dies(how: str, says: str) -> None:
    iterator = iter(data.DataLoader(Dies(how), 2, num_workers=2))
    with pytest.raises(
        RuntimeError, match=rf"exited unexpectedly: worker 1 ended {says}.* the items \[2, 3\] \(at "
    ):
        batches(iterator)
    assert not any(p.is_alive() for p in iterator._workers._processes)  # type: ignore[attr-defined]


def test_what_cannot_be_pickled_starts_no_worker() -> None:
    class Local(data.Dataset[int]):
        pass

    loader = data.DataLoader(Local(), num_workers=1, multiprocessing_context="spawn")
    with (
        pytest.warns(UserWarning, match="a worker cannot start, .* importable"),
        pytest.raises((AttributeError, pickle.PicklingError), match="Local"),
    ):
        iter(loader)


@forks
def test_a_worker_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    from minigrad.utils.data import workers

    monkeypatch.setattr(workers, "_PATIENCE", 0.05)
    iterator = iter(data.DataLoader(Dies("sleeps"), 2, num_workers=1, timeout=0.1))
    assert next(iterator).tolist() == [0, 1]
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0\.1 seconds"):
        next(iterator)
    processes = iterator._workers._processes  # type: ignore[attr-defined]
    del iterator
    gc.collect()
    assert not any(p.is_alive() for p in processes)


class Large(data.Dataset[Any]):
    def __init__(self) -> None:
        self.rows = mg.arange(200_000.0).reshape(4, -1)

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        return self.rows[index], np.full((3, 10_001), index, np.int16), index


@forks
@pytest.mark.parametrize("shared", [True, False])
def test_large_arrays(shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_SHARES", shared and transport._SHARES)
    for k, (x, y, n) in enumerate(data.DataLoader(Large(), 2, num_workers=1)):
        assert (x.shape, y.shape, n.tolist()) == ((2, 50_000), (2, 3, 10_001), [2 * k, 2 * k + 1])
        assert (x[:, 3].tolist(), x.dtype) == ([100_000 * k + 3, 100_000 * k + 50_003], mg.float32)
        assert (y[1] == 2 * k + 1).all()
        x.zero_()  # it can be written to
    for samples in data.DataLoader(Large(), 2, num_workers=1, collate_fn=list):
        assert samples[1][0]._parts()[0].nbytes == 200_000  # of a row its own elements only
        assert samples[1][0][3].item() % 50_000 == 3


class Kinds(data.Dataset[Any]):
    """Tensors of classes that are pickled in their own way."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        row = mg.eye(3)[index]
        return row.to_sparse(), mg.nn.Parameter(row), mg.nn.UninitializedParameter()


@forks
def test_tensors_of_other_classes() -> None:
    for k, (sparse, parameter, later) in enumerate(data.DataLoader(Kinds(), None, num_workers=1)):
        assert sparse.to_dense().tolist() == parameter.tolist() == mg.eye(3)[k].tolist()
        assert parameter.requires_grad
        assert type(later) is mg.nn.UninitializedParameter


def test_workers_that_are_spawned() -> None:
    loader = data.DataLoader(Squares(), 3, num_workers=1, multiprocessing_context="spawn")
    assert batches(loader) == [[0, 1, 4], [9, 16]]


@forks
def test_a_dropped_pass_ends_its_workers() -> None:
    iterator = iter(data.DataLoader(Seven, 1, num_workers=2))
    next(iterator)
    processes = iterator._workers._processes  # type: ignore[attr-defined]
    other = iter(data.DataLoader(Seven, 1, num_workers=1))  # whose worker has copies of the first one's pipes
    next(other)
    begin = time.monotonic()
    del iterator
    gc.collect()
    assert not any(p.is_alive() for p in processes)
    assert time.monotonic() - begin < 3
    assert next(other).tolist() == [1]


PROGRAM = """if True:
    import sys, time
    from minigrad.utils.data import DataLoader, Dataset

    class Endless(Dataset):
        def __len__(self):
            return 10**6
        def __getitem__(self, index):
            time.sleep(0.01)
            return index

    for batch in DataLoader(Endless(), 1, num_workers=2, multiprocessing_context="fork"):
        print("ready", flush=True)
"""


@forks
@pytest.mark.parametrize("with_", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_the_program(with_: signal.Signals) -> None:
    program = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert program.stdout is not None
    assert [program.stdout.readline() for _ in range(2)] == ["ready\n"] * 2  # one of each worker
    if with_ == signal.SIGINT:  # Ctrl-C reaches the workers too
        os.killpg(program.pid, with_)
    else:
        program.send_signal(with_)
    try:
        # The workers have the pipes too: this waits until all processes have ended.
        _, errors = program.communicate(timeout=30)
    finally:
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGKILL)
    assert program.returncode in (-with_, 130, 1)
    if with_ == signal.SIGINT:
        assert errors.count("Traceback") == 1
        assert errors.rstrip().endswith("KeyboardInterrupt")
    else:
        assert errors == ""


def test_more_workers_than_processors() -> None:
    with pytest.warns(UserWarning, match="will create 10000 worker processes in total, and this machine has"):
        data.DataLoader([1], num_workers=10_000)

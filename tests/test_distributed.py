"""Several processes over MPI: what they send each other, replicas that stay equal, and how they end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad import distributed as dist
from minigrad import nn
from minigrad.utils.data import DistributedSampler

MPIEXEC = Path(sysconfig.get_path("scripts"), "mpiexec")
needs_mpi = pytest.mark.skipif(
    not dist.is_available() or not MPIEXEC.exists(),
    reason='several processes need mpi4py and mpich: pip install "minigrad-tape[mpi]"',
)

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(mg.__file__).parent.parent)}
BEGIN = """
import sys
import minigrad as mg
from minigrad import distributed as dist, nn, optim
from minigrad.nn.parallel import DistributedDataParallel
from minigrad.utils.data import DataLoader, DistributedSampler, TensorDataset

dist.init_process_group()
r, n = dist.get_rank(), dist.get_world_size()

def raises(kind, text, call):
    try:
        call()
    except kind as error:
        assert text in str(error), error
    else:
        raise AssertionError(text)

def everywhere(value):
    every = [None] * n
    dist.all_gather_object(every, value)
    return every

def bits(net):
    return [t.numpy().tobytes() for t in net.state_dict().values()]
"""


def start(
    folder: Path, processes: int, program: str, *options: str, begin: str = BEGIN
) -> subprocess.Popen[str]:
    """A program in several processes."""
    script = folder / "program.py"
    script.write_text(begin + program, encoding="utf-8")
    return subprocess.Popen(
        [MPIEXEC, "-n", str(processes), sys.executable, *options, script],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, processes: int, program: str, *options: str) -> str:
    """What a program prints in several processes; it must not fail."""
    out, err = start(folder, processes, program, *options).communicate(timeout=60)
    assert out.rstrip().endswith("over"), err
    return out


# ---------------------------------------------------------------- what processes send each other

TRANSFERS = """
def values(t):
    return t.tolist()

t = mg.full((3,), r + 1)
dist.all_reduce(t)
assert values(t) == [n * (n + 1) // 2] * 3
for op, expected in (("PRODUCT", [1, 2, 6][n - 1]), ("MIN", 1), ("MAX", n), ("BOR", 3)):
    t = mg.full((2, 1), r + 1)
    assert dist.all_reduce(t, getattr(dist.ReduceOp, op)) is None and values(t) == [[expected]] * 2
for dtype in (mg.float16, mg.float32, mg.float64):
    t = mg.full((), r + 1.0, dtype=dtype)
    work = dist.all_reduce(t, dist.ReduceOp.AVG, async_op=True)
    assert work.wait() and work.is_completed() and t.dtype == dtype and t.item() == (n + 1) / 2

t = mg.full((2,), r + 1.0)
dist.reduce(t, 1)
assert values(t) == ([n * (n + 1) / 2] * 2 if r == 1 else [r + 1.0] * 2)
t = mg.full((2,), r + 1.0, dtype=mg.float16)
dist.reduce(t, 0, dist.ReduceOp.AVG)
assert values(t) == [((n + 1) / 2 if r == 0 else r + 1.0)] * 2
t = mg.tensor([r == 1, False])
dist.broadcast(t, 1)
assert values(t) == [True, False]

rows = [mg.zeros(1, 2) for _ in range(n)]
dist.all_gather(rows, mg.full((1, 2), float(r)))
assert [values(t) for t in rows] == [[[k, k]] for k in range(n)]
t = mg.zeros(2 * n, dtype=mg.int64)
dist.all_gather_into_tensor(t, mg.tensor([r, -r]))
assert values(t) == [s * k for k in range(n) for s in (1, -1)]
rows = [mg.zeros(2) for _ in range(n)] if r == 0 else None
dist.gather(mg.full((2,), float(r)), rows)
assert r or [values(t) for t in rows] == [[k, k] for k in range(n)]
t = mg.zeros(2)
dist.scatter(t, [mg.full((2,), float(k)) for k in range(n)] if r == 1 else None, src=1)
assert values(t) == [r, r]
for dtype in (mg.float32, mg.float16):
    t = mg.zeros(2, dtype=dtype)
    dist.reduce_scatter(t, [mg.full((2,), float(k + r), dtype=dtype) for k in range(n)])
    assert values(t) == [n * r + n * (n - 1) / 2] * 2
rows = [mg.zeros(1 + k) for k in range(n)]
dist.all_to_all(rows, [mg.full((1 + r,), 10.0 * r + k) for k in range(n)])
assert [values(t) for t in rows] == [[10.0 * k + r] * (1 + k) for k in range(n)]
t = mg.zeros(n, 2)
dist.all_to_all_single(t, mg.stack([mg.full((2,), 10.0 * r + k) for k in range(n)]))
assert values(t) == [[10.0 * k + r] * 2 for k in range(n)]
t = mg.zeros(n * (n + 1) // 2)
dist.all_to_all_single(t, mg.full((n * (r + 1),), float(r)), [k + 1 for k in range(n)], [r + 1] * n)
assert values(t) == [float(k) for k in range(n) for _ in range(k + 1)]
for sizes in ([1] * (n + 1), [n + 1, *[0] * (n - 1)]):
    try: dist.all_to_all_single(mg.zeros(n), mg.zeros(n), sizes)
    except ValueError as error: assert "3 split sizes" in str(error)
    else: raise SystemExit("rows that do not add up")
t = mg.zeros(2)
dist.reduce_scatter_tensor(t, mg.arange(2.0 * n) + r)
assert values(t) == [n * 2 * r + n * (n - 1) / 2, n * (2 * r + 1) + n * (n - 1) / 2]

assert everywhere("a" * r) == ["a" * k for k in range(n)]
objects = [r, {"rank": r}]
dist.broadcast_object_list(objects, 1)
assert objects == [1, {"rank": 1}]
every = [None] * n if r == 1 else None
dist.gather_object(("a", r), every, dst=1)
assert every == ([("a", k) for k in range(n)] if r == 1 else None)
mine = [None]
dist.scatter_object_list(mine, [{k} for k in range(n)] if r == 1 else None, src=1)
assert mine == [{r}]
raises(ValueError, "on destination rank", lambda: dist.gather_object(1, dst=r))
raises(ValueError, f"a list of {n} objects", lambda: dist.scatter_object_list([0], [1], src=r))
if r == 0:
    dist.send_object_list(["a", {1: r}], 1)
if r == 1:
    objects = [None, None]
    assert dist.recv_object_list(objects) == 0 and objects == ["a", {1: 0}]
t, ring = mg.zeros(2), dist.P2POp
works = dist.batch_isend_irecv(
    [ring(dist.isend, mg.full((2,), 1.0 * r), (r + 1) % n), ring(dist.irecv, t, (r - 1) % n)]
)
assert all(work.wait() for work in works) and values(t) == [(r - 1) % n] * 2
raises(RuntimeError, "Invalid ``op``", lambda: ring(dist.send, t, 0))
dist.monitored_barrier()
if r == 0:
    dist.send(mg.arange(4), 1, tag=3)
    work = dist.isend(mg.ones(2), 1)
    assert work.wait()
if r == 1:
    t = mg.zeros(4, dtype=mg.int64)
    assert dist.recv(t, tag=3) == 0 and values(t) == [0, 1, 2, 3]
    work = dist.irecv(t := mg.zeros(2), 0)
    assert work.wait() and values(t) == [1, 1]

group = dist.new_group([n - 1, 0])
assert dist.get_process_group_ranks(None) == [*range(n)]
assert [dist.get_group_rank(group, dist.get_global_rank(group, k)) for k in (0, 1)] == [0, 1]
for wrong in (lambda: dist.get_global_rank(group, 2), lambda: dist.get_group_rank(group, n)):
    try: wrong()
    except ValueError as error: assert "is not part of group" in str(error)
    else: raise SystemExit("a number that is not there")
if r in (0, n - 1):
    t = mg.ones(1)
    dist.all_reduce(t, group=group)
    assert t.item() == 2 == dist.get_world_size(group) and dist.get_rank(group) == min(r, 1)
    t = mg.tensor(r)
    dist.broadcast(t, n - 1, group)
    assert t.item() == n - 1
else:
    import warnings
    with warnings.catch_warnings(record=True) as caught:
        assert dist.all_reduce(mg.ones(1), group=group) is None and dist.get_rank(group) == -1
    assert "does not belong to the given group" in str(caught[0].message)
dist.barrier()
mine, groups = dist.new_subgroups(1)
assert len(groups) == n and mine.ranks == [r] and mine is groups[r]
one, (two,) = dist.new_subgroups_by_enumeration([[n - 1, 0]])
assert (one is two) == (r in (0, n - 1)) and two.ranks == [0, n - 1]
for size in (0, n + 1):
    try: dist.new_subgroups(size)
    except ValueError as error: assert f"({n}) must be divisible by 'group_size={size}'" in str(error)
    else: raise SystemExit("a size that does not divide")
try: dist.new_subgroups_by_enumeration([[0], [0]])
except ValueError as error: assert "Rank 0 has appeared in two subgroups" in str(error)
else: raise SystemExit("a process in two groups")

# backward notices that a Tensor was changed
w = mg.ones(2, requires_grad=True)
x = mg.ones(2)
y = (w * x).sum()
dist.all_reduce(x)
raises(RuntimeError, "modified by an inplace operation", y.backward)
raises(TypeError, "got int", lambda: dist.all_reduce(3))
raises(ValueError, "contiguous", lambda: dist.all_reduce(mg.ones(2, 2)[:, 0]))
raises(TypeError, "op must be one of ReduceOp", lambda: dist.all_reduce(mg.ones(2), "sum"))
raises(RuntimeError, "not defined for bool", lambda: dist.all_reduce(mg.ones(2, dtype=mg.bool)))
raises(RuntimeError, "AVG is not defined for int64", lambda: dist.all_reduce(mg.tensor(1), dist.ReduceOp.AVG))
raises(ValueError, "not part of group", lambda: dist.broadcast(mg.ones(1), 9))
raises(ValueError, "one for each process, got 1", lambda: dist.all_gather([mg.ones(1)], mg.ones(1)))
raises(ValueError, "[2] float32 and [1] float32", lambda: dist.all_gather([mg.ones(2)] * n, mg.ones(1)))
raises(ValueError, "output must be", lambda: dist.all_gather_into_tensor(mg.ones(2), mg.ones(5)))
raises(ValueError, "twice", dist.init_process_group)
raises(RuntimeError, "needs the values", lambda: mg.compile(dist.all_reduce)(mg.ones(2)))
"""

# Of a network with norms and with parameters that are not used everywhere, or nowhere.
REPLICAS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.norm, self.b = nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)
        self.once, self.never, self.wide = nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 1).double()

    def forward(self, x):
        y = self.b(self.norm(self.a(x)).tanh())
        y = self.wide(y.double())
        return self.once(y.float()) if r == 1 else y

mg.manual_seed(r)  # each draws other weights, and then other data
net = DistributedDataParallel(Net(), find_unused_parameters=True)
assert len(set(map(str, everywhere(bits(net))))) == 1
optimizer = optim.Adam(net.parameters())
for k in range(4):
    optimizer.zero_grad()
    if k == 2:
        with net.no_sync():
            net(mg.randn(5, 3)).sum().backward()
        assert len(set(everywhere(net.module.a.weight.grad.numpy().tobytes()))) == n
    net(mg.randn(5, 3)).square().mean().backward()
    optimizer.step()
assert net.module.once.weight.grad.item() and net.module.never.weight.grad is None
states = everywhere(bits(net))
assert states == states[:1] * n
import copy
twin = copy.deepcopy(net)
twin(mg.randn(5, 3)).sum().backward()
assert len(set(everywhere(twin.module.a.weight.grad.numpy().tobytes()))) == 1
net.module.never.requires_grad_(False)
net.module.eval().requires_grad_(False)
net.module.b.requires_grad_(True)
net(mg.randn(5, 3)).sum().backward()
assert len(set(everywhere(net.module.b.weight.grad.numpy().tobytes()))) == 1

raises(RuntimeError, "modules differ: process 0 has", lambda: DistributedDataParallel(nn.Linear(1, 1 + r)))
raises(RuntimeError, "program.py", lambda: mg.compile(lambda x: net(x).sum().backward())(mg.ones(2, 3)))
raises(RuntimeError, "without inputs=", lambda: net(mg.ones(2, 3)).sum().backward(inputs=[net.module.b.weight]))
small = DistributedDataParallel(nn.Linear(3, 1))
raises(RuntimeError, "create_graph", lambda: small(mg.ones(2, 3)).square().sum().backward(create_graph=True))
in_parts = mg.in_parts(lambda x: net(x).sum().backward(), parts=2, batch=0, reduce="sum", gradients="sum")
raises(RuntimeError, "no_sync()", lambda: in_parts(mg.ones(2, 3)))
"""

# The same as one process that takes the shares of all as one batch.
TRAINING = """
data = TensorDataset(mg.linspace(-1, 1, 27).reshape(9, 3), mg.arange(9) % 2)

def shares(batch, epoch):  # of all processes, batch by batch
    samplers = [DistributedSampler(data, n, k, seed=1) for k in range(n)]
    for s in samplers:
        s.set_epoch(epoch)
    yield from zip(*(DataLoader(data, batch, sampler=s) for s in samplers))

def train(net, batches, whole):
    losses = []
    optimizer = optim.SGD(net.parameters(), 0.5, momentum=0.9)
    for parts in batches:
        x, y = (mg.cat(t) for t in zip(*parts)) if whole else parts[r]
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses

def network():
    mg.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))

batches = [parts for epoch in range(3) for parts in shares(2, epoch)]
assert len({len(parts[0][0]) for parts in batches}) == 2  # the last is smaller
alone = train(network(), batches, whole=True)
for compiled in (False, True):
    net = DistributedDataParallel(network())
    together = everywhere(train(mg.compile(net) if compiled else net, batches, whole=False))
    means = [sum(losses) / n for losses in zip(*together)]
    assert all(abs(a - b) < 1e-6 for a, b in zip(alone, means, strict=True)), (alone, means)
    states = everywhere(bits(net))
    assert states == states[:1] * n
mine = list(DistributedSampler(data, seed=1))
assert mine == list(DistributedSampler(data, n, r, seed=1)) and everywhere(len(mine)) == [-(-9 // n)] * n
"""


UNDER_TORCHS_NAMES = """
import os
import torch.distributed
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data.distributed import DistributedSampler as Sampler
assert (torch.distributed, DDP, Sampler) == (dist, DistributedDataParallel, DistributedSampler)
assert (os.environ["RANK"], os.environ["WORLD_SIZE"]) == (str(r), str(n))
"""
PARTS_OF_THE_STATE = """
from torch.distributed.optim import ZeroRedundancyOptimizer

def train_with(net, optimizer, steps):
    for k in range(steps):
        optimizer.zero_grad()
        loss = net(mg.linspace(-1, 1, 12).reshape(4, 3)).pow(2).sum()
        loss.backward()
        optimizer.step()
        optimizer.param_groups[1]["lr"] *= 0.9

def pairs(options):
    (a, b), groups = (network(), network()), []
    for net in (a, b):
        groups.append([{"params": list(net[0].parameters()), "lr": 0.1}, {"params": list(net[2].parameters())}])
    return (a, optim.AdamW(groups[0], **options)), (b, ZeroRedundancyOptimizer(groups[1], optim.AdamW, **options))

(net, whole), (replica, parts) = pairs({"lr": 0.05, "weight_decay": 0.1})
train_with(net, whole, 3)
train_with(replica, parts, 3)
assert bits(net) == bits(replica) and everywhere(bits(replica)) == [bits(net)] * n
held = everywhere(sum(t.numel() for s in parts.optim.state.values() for t in s.values()))
assert max(held) < sum(held) and repr(parts).count("Parameter Group") == 2
raises(RuntimeError, "has not been consolidated on this rank", parts.state_dict)
parts.consolidate_state_dict(1)
assert everywhere(parts.state_dict() if r == 1 else None)[1] is not None
saved = everywhere(parts.state_dict() if r == 1 else None)[1]
expected = whole.state_dict()
assert saved["param_groups"] == expected["param_groups"]
assert saved["state"].keys() == expected["state"].keys()
for k, entry in expected["state"].items():
    assert all(mg.equal(saved["state"][k][name], value) for name, value in entry.items())
(again, _), (other, third) = pairs({"lr": 0.7})
other.load_state_dict(replica.state_dict())
third.load_state_dict(saved)
train_with(other, third, 2)
train_with(net, whole, 2)
assert bits(net) == bits(other)
more = nn.Parameter(mg.ones(2))
third.add_param_group({"params": [more], "lr": 0.5})
more.sum().backward()
third.step()
assert everywhere(more.tolist()) == [more.tolist()] * n and more[0] < 1
third.consolidate_state_dict(r)
assert third.state_dict()["state"]
third.step()
raises(RuntimeError, "has not been consolidated", third.state_dict)
overlapping = lambda: ZeroRedundancyOptimizer([more], optim.SGD, overlap_with_ddp=True)
raises(NotImplementedError, "overlap_with_ddp", overlapping)
"""
OVER = """
dist.barrier()
dist.destroy_process_group()
raises(ValueError, "has not been initialized", dist.get_rank)
if r == 0:
    print("over")
"""


@needs_mpi
def test_three_processes(tmp_path: Path) -> None:
    run(tmp_path, 3, TRANSFERS + REPLICAS + TRAINING + OVER)


@needs_mpi
def test_two_processes_of_a_script_for_pytorch(tmp_path: Path) -> None:
    run(tmp_path, 2, UNDER_TORCHS_NAMES + TRAINING + PARTS_OF_THE_STATE + OVER, "-m", "minigrad")


@needs_mpi
def test_the_program_of_the_page_prints_what_the_page_shows(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "distributed.md").read_text(encoding="utf-8")
    parts = re.search(r":caption: train.py\n(.*?)```.*?```text\n(.*?)```", page, re.DOTALL)
    assert parts is not None
    out, err = start(tmp_path, 2, parts[1], begin="").communicate(timeout=60)
    assert out == parts[2], err


# ---------------------------------------------------------------- how they end

LOOP = """
import itertools
for k in itertools.count():
    dist.all_reduce(mg.ones(3))
    if r == 1 and k == 1:
        {}
    if r == 0 and k == 5:
        print("goes on", flush=True)
"""


def ends(folder: Path, what: str, interrupt: bool = False) -> tuple[int, str, str]:
    """The exit status of two processes, of which one does something in a loop, and what they print."""
    process = start(folder, 2, LOOP.format(what))
    try:
        if interrupt and process.stdout is not None:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, err


@needs_mpi
def test_an_error_in_one_process_ends_all(tmp_path: Path) -> None:
    status, out, err = ends(tmp_path, "raise KeyError('no such label')")
    assert (status, out) == (1, "")
    assert "KeyError: 'no such label'\nprocess 1 of 2 has failed: all end\n" in err


@needs_mpi
def test_a_process_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    status, _, err = ends(tmp_path, "sys.exit(0)")
    assert status == 1
    assert "waits for process 1, which has ended" in err
    assert "program.py:" in err


@needs_mpi
def test_an_interrupt_ends_all(tmp_path: Path) -> None:
    status, _, err = ends(tmp_path, "pass", interrupt=True)
    assert status == 130
    assert "KeyboardInterrupt" in err


# ---------------------------------------------------------------- in one process

ALONE = """
assert (r, n, dist.get_backend(), dist.is_initialized()) == (0, 1, "mpi", True)
t = mg.ones(2)
dist.all_reduce(t, dist.ReduceOp.AVG)
net = DistributedDataParallel(nn.Linear(2, 1))
net(t).sum().backward()
assert net.module.weight.grad.tolist() == [[1, 1]]
assert list(net.state_dict()) == ["module.weight", "module.bias"]
raises(ValueError, "only backend is MPI, on the CPU, got 'nccl'", lambda: dist.init_process_group("nccl"))
raises(ValueError, "device_ids [0]", lambda: DistributedDataParallel(nn.Linear(2, 1), device_ids=[0]))
raises(RuntimeError, "any parameters that require", lambda: DistributedDataParallel(nn.ReLU()))
raises(RuntimeError, "run a batch", lambda: DistributedDataParallel(nn.LazyLinear(1)))
raises(TypeError, "compile() goes around both", lambda: DistributedDataParallel(mg.compile(nn.Linear(2, 1))))
dist.destroy_process_group()
import os
os.environ.update(RANK="1", WORLD_SIZE="4")
raises(RuntimeError, "mpiexec -n 4 python -m minigrad program.py", lambda: dist.init_process_group("gloo"))
dist.init_process_group("gloo", init_method="tcp://127.0.0.1:1234", rank=0, world_size=1)
print("over")
"""


@needs_mpi
def test_one_process_needs_no_mpiexec(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(BEGIN + ALONE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "over\n", done.stderr


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    calls: list[Callable[[], Any]] = [
        dist.init_process_group,
        dist.get_rank,
        lambda: dist.all_reduce(mg.ones(1)),
        lambda: nn.parallel.DistributedDataParallel(nn.Linear(1, 1)),
        lambda: DistributedSampler([1, 2]),
    ]
    for call in calls:
        with pytest.raises(ImportError, match=r'pip install "minigrad-tape\[mpi\]"'):
            call()
    with pytest.raises(AttributeError, match="PyTorch has it, minigrad does not yet"):
        dist.split_group  # noqa: B018


def test_the_rank_on_a_machine_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    with pytest.raises(RuntimeError, match="LOCAL_RANK is not in the environment"):
        dist.get_node_local_rank()
    assert dist.get_node_local_rank(3) == 3
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert dist.get_node_local_rank(3) == 1


def test_data_parallel_calls_the_module() -> None:
    inner = nn.Linear(2, 1)
    net = nn.DataParallel(inner, device_ids=[0, 1])
    x = mg.ones(3, 2)
    assert net(x).tolist() == inner(x).tolist()
    assert net.module is inner
    assert list(net.state_dict()) == ["module.weight", "module.bias"]


# What PyTorch's sampler gives: samples, processes, shuffle, seed + epoch, drop_last, and the share of each process.
SHARES = [
    (7, 3, False, 0, False, [[0, 3, 6], [1, 4, 0], [2, 5, 1]]),
    (7, 3, False, 0, True, [[0, 3], [1, 4], [2, 5]]),
    (2, 5, False, 0, False, [[0], [1], [0], [1], [0]]),
    (11, 3, True, 2, False, [[3, 0, 5, 6], [8, 1, 2, 9], [10, 4, 7, 3]]),
    (11, 3, True, 2, True, [[3, 0, 5], [8, 1, 2], [10, 4, 7]]),
]


@pytest.mark.parametrize(("samples", "processes", "shuffle", "seed", "drop_last", "shares"), SHARES)
def test_the_shares_of_a_sampler(
    samples: int, processes: int, shuffle: bool, seed: int, drop_last: bool, shares: list[list[int]]
) -> None:
    for rank, share in enumerate(shares):
        sampler = DistributedSampler(range(samples), processes, rank, shuffle, seed - seed // 2, drop_last)
        sampler.set_epoch(seed // 2)
        assert list(sampler) == share
        assert len(sampler) == len(share)
    with pytest.raises(ValueError, match="Invalid rank"):
        DistributedSampler(range(samples), processes, processes)

"""Transfers between processes: Tensors, in place, and objects."""

from __future__ import annotations

import enum
import functools
import inspect
import pickle
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from minigrad.core.apply import needs_value
from minigrad.core.changes import changed
from minigrad.core.op import Array
from minigrad.core.tensor import Tensor
from minigrad.distributed.processes import ProcessGroup, Work, get_rank, mpi, of
from minigrad.errors import runtime_error, type_error, value_error, warn

__all__ = [
    "P2POp", "ReduceOp", "all_gather", "all_gather_into_tensor", "all_gather_object", "all_reduce", "all_to_all",
    "all_to_all_single", "barrier", "batch_isend_irecv", "broadcast", "broadcast_object_list", "gather",
    "gather_object", "irecv", "isend", "monitored_barrier", "recv", "recv_object_list", "reduce", "reduce_scatter",
    "reduce_scatter_tensor", "scatter", "scatter_object_list", "send", "send_object_list",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


class ReduceOp(enum.Enum):
    """How values are combined: by MPI's operation of this name. ``AVG`` is for floats, ``B...`` are for integers."""

    SUM, PRODUCT, MIN, MAX = "SUM", "PROD", "MIN", "MAX"
    BAND, BOR, BXOR = "BAND", "BOR", "BXOR"
    AVG = "AVG"


# PyTorch's operations with a factor are of another class, and these of this one.
ReduceOp.RedOpType = ReduceOp  # type: ignore[attr-defined]


def _transfer(function: F) -> F:
    """Gives a function its group, and waits for the `Work` that it returns, unless it is ``async_op``."""
    signature, user = inspect.signature(function), function.__name__

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        group = bound.arguments["group"] = of(user, bound.arguments["group"])
        needs_value(f"minigrad.distributed.{user}()")
        if group.comm is None:
            return warn(
                f"Running {user} on global rank {get_rank()} which does not belong to the given group."
            )
        work = function(*bound.args, **bound.kwargs)
        if bound.arguments.get("async_op", True):
            return work
        work.wait()
        return None

    return call  # type: ignore[return-value]


def _array(tensor: Tensor, writes: bool = False) -> Array:
    """The memory of a Tensor. TypeError for something else, ValueError where it has gaps."""
    if not isinstance(tensor, Tensor):
        raise type_error(f"only Tensors can be sent, got {type(tensor).__name__}; see all_gather_object")
    if not tensor._array.flags.c_contiguous:
        raise value_error("Tensors must be contiguous; use .contiguous()")
    if writes:
        changed(tensor._array)
    return tensor._array


def _arrays(tensors: Sequence[Tensor] | None, group: ProcessGroup, writes: bool = False) -> list[Array]:
    """The memory of a list of Tensors, one for each process."""
    if tensors is None or len(tensors) != group.size():
        raise value_error(
            f"expected a list of {group.size()} Tensors, one for each process, got {len(tensors or ())}"
        )
    return [_array(t, writes) for t in tensors]


def _rows(arrays: Sequence[Array], like: Array) -> Array:
    """Arrays, one after another. ValueError unless each is as large as another."""
    for a in arrays:
        if (a.size, a.dtype) != (like.size, like.dtype):
            raise value_error(
                f"all Tensors must be alike, got {list(a.shape)} {a.dtype} and {list(like.shape)} {like.dtype}"
            )
    return np.concatenate([a.reshape(-1) for a in arrays])


def as_bytes(array: Array) -> Any:
    """The memory of an array that lies row by row."""
    return array.reshape(-1).view(np.uint8)


def handed_out(memory: Any, arrays: Sequence[Array]) -> Callable[[], object]:
    """What puts the parts of memory, one after another, into arrays."""

    def then() -> None:
        at = 0
        for a in arrays:
            a[...] = memory[at : at + a.nbytes].view(a.dtype).reshape(a.shape)
            at += a.nbytes

    return then


def reduced(call: str, group: ProcessGroup, array: Array, out: Array, op: Any, *root: int) -> Work:
    """Starts a reduction of an array into another, or into itself. RuntimeError for a dtype that cannot be combined."""
    kind, library = array.dtype.kind, mpi()
    if not isinstance(op, ReduceOp):
        raise type_error(f"op must be one of ReduceOp, got {op!r}")
    if (
        kind not in "fiuV"
        or (kind in "fV" and op.value[0] == "B")
        or (kind not in "fV" and op is ReduceOp.AVG)
    ):
        raise runtime_error(f"{op} is not defined for {array.dtype}")
    sent, into = array, out
    if kind in "fV" and array.itemsize == 2:  # MPI has none: it is added up in float32, and rounded once
        sent = array.astype(np.float32)
        into = sent if array is out else np.empty(out.shape, np.float32)
    here = root in ((), (group.rank(),))
    source = library.IN_PLACE if here and sent is into else sent
    way = getattr(library, "SUM" if op is ReduceOp.AVG else op.value)
    request = getattr(group.comm, call)(source, into if here else None, way, *root)

    def then() -> None:
        if here and op is ReduceOp.AVG:
            np.divide(into, group.size(), out=into)
        if here and into is not out:
            out[...] = into

    return Work(request, then, None if root else group)


Started = Work | None  # None, unless it is ``async_op``

# ---------------------------------------------------------------- among all


@_transfer
def all_reduce(tensor: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Started:
    """Combines a Tensor of every process, and puts the result into it everywhere."""
    array = _array(tensor, writes=True)
    return reduced("Iallreduce", group, array, array, op)


@_transfer
def reduce(
    tensor: Tensor, dst: int, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Started:
    """Combines a Tensor of every process, and puts the result into that of process ``dst``."""
    array = _array(tensor, writes=True)
    return reduced("Ireduce", group, array, array, op, group.at(dst))


@_transfer
def reduce_scatter(
    output: Tensor,
    input_list: Sequence[Tensor],
    op: Any = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
) -> Started:
    """Combines the lists of Tensors of all processes, item by item; each process gets the item of its rank."""
    out = _array(output, writes=True)
    return reduced("Ireduce_scatter_block", group, _rows(_arrays(input_list, group), out), out, op)


@_transfer
def reduce_scatter_tensor(
    output: Tensor, input: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Started:
    """Combines a Tensor of every process; each process gets its part of the first dimension."""
    array, out = _array(input), _array(output, writes=True)
    if (array.size, array.dtype) != (out.size * group.size(), out.dtype):
        raise value_error(
            f"input must be {group.size()} times output {list(out.shape)} {out.dtype}, got {list(array.shape)} "
            f"{array.dtype}"
        )
    return reduced("Ireduce_scatter_block", group, array.reshape(-1), out, op)


@_transfer
def broadcast(tensor: Tensor, src: int, group: Any = None, async_op: bool = False) -> Started:
    """Puts the values of a Tensor of process ``src`` into that of every other."""
    return Work(group.comm.Ibcast(as_bytes(_array(tensor, writes=True)), group.at(src)))


@_transfer
def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Started:
    """Puts the Tensors of all processes into one, in the order of ranks."""
    array, out = _array(input_tensor), _array(output_tensor, writes=True)
    if (out.size, out.dtype) != (array.size * group.size(), array.dtype):
        raise value_error(
            f"output must be {group.size()} times input {list(array.shape)} {array.dtype}, got {list(out.shape)} "
            f"{out.dtype}"
        )
    return Work(group.comm.Iallgather(as_bytes(array), as_bytes(out)), among=group)


@_transfer
def all_gather(
    tensor_list: Sequence[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False
) -> Started:
    """Puts the Tensors of all processes into a list of Tensors, in the order of ranks."""
    array, outs = _array(tensor), _arrays(tensor_list, group, writes=True)
    memory = as_bytes(_rows(outs, array))
    return Work(group.comm.Iallgather(as_bytes(array), memory), handed_out(memory, outs), group)


@_transfer
def gather(
    tensor: Tensor, gather_list: Sequence[Tensor] | None = None, dst: int = 0, group: Any = None,
    async_op: bool = False,
) -> Started:  # fmt: skip
    """Puts the Tensors of all processes into a list of process ``dst``; the others pass None."""
    array, root = _array(tensor), group.at(dst)
    outs = _arrays(gather_list, group, writes=True) if root == group.rank() else []
    memory = as_bytes(_rows(outs, array)) if outs else None
    return Work(group.comm.Igather(as_bytes(array), memory, root), handed_out(memory, outs))


@_transfer
def scatter(
    tensor: Tensor, scatter_list: Sequence[Tensor] | None = None, src: int = 0, group: Any = None,
    async_op: bool = False,
) -> Started:  # fmt: skip
    """Puts the Tensors of a list of process ``src`` into those of all processes; the others pass None."""
    array, root = _array(tensor, writes=True), group.at(src)
    memory = as_bytes(_rows(_arrays(scatter_list, group), array)) if root == group.rank() else None
    return Work(group.comm.Iscatter(memory, as_bytes(array), root))


@_transfer
def all_to_all(
    output_tensor_list: Sequence[Tensor], input_tensor_list: Sequence[Tensor], group: Any = None,
    async_op: bool = False,
) -> Started:  # fmt: skip
    """Sends the Tensors of a list, one to each process, and fills another list; sizes may differ."""
    outs, ins = _arrays(output_tensor_list, group, writes=True), _arrays(input_tensor_list, group)
    memory = np.empty(sum(a.nbytes for a in outs), np.uint8)
    sent = np.concatenate([as_bytes(a) for a in ins]), [a.nbytes for a in ins]
    return Work(
        group.comm.Ialltoallv(sent, (memory, [a.nbytes for a in outs])), handed_out(memory, outs), group
    )


def _parts(array: Array, sizes: Sequence[int] | None, group: ProcessGroup) -> list[int]:
    """The bytes of each process's rows. ValueError where they do not add up to all rows."""
    rows = len(array)
    if sizes is None and rows % group.size():
        raise value_error(
            f"{rows} rows cannot be split into {group.size()} equal parts; pass the split sizes"
        )
    counts = [rows // group.size()] * group.size() if sizes is None else [int(n) for n in sizes]
    if len(counts) != group.size() or sum(counts) != rows:
        raise value_error(f"expected {group.size()} split sizes that add up to {rows} rows, got {counts}")
    return [n * (array.nbytes // max(rows, 1)) for n in counts]


@_transfer
def all_to_all_single(
    output: Tensor, input: Tensor, output_split_sizes: Sequence[int] | None = None,
    input_split_sizes: Sequence[int] | None = None, group: Any = None, async_op: bool = False,
) -> Started:  # fmt: skip
    """Sends rows of a Tensor to each process, and fills another with theirs; by default equally many."""
    out, array = _array(output, writes=True), _array(input)
    sent = as_bytes(array), _parts(array, input_split_sizes, group)
    return Work(
        group.comm.Ialltoallv(sent, (as_bytes(out), _parts(out, output_split_sizes, group))), among=group
    )


@_transfer
def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Started:
    """Waits until all processes have called it."""
    return Work(group.comm.Ibarrier(), among=group)


def monitored_barrier(group: Any = None, timeout: Any = None, wait_all_ranks: bool = False) -> None:
    """A `barrier`; ``timeout`` and ``wait_all_ranks`` change nothing."""
    barrier(group)


@_transfer
def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Puts an object of every process into a list, which has an item for each.

    Objects travel as pickles, which may execute code when they are read; they come from processes of this program
    only.
    """
    sent, sizes = np.frombuffer(pickle.dumps(obj), np.uint8), np.empty(group.size(), np.int64)
    Work(group.comm.Iallgather(np.array([len(sent)]), sizes), among=group).wait()
    memory = np.empty(sizes.sum(), np.uint8)
    Work(group.comm.Iallgatherv(sent, (memory, sizes.tolist())), among=group).wait()
    object_list[:] = [pickle.loads(part.tobytes()) for part in np.split(memory, np.cumsum(sizes)[:-1])]


@_transfer
def broadcast_object_list(
    object_list: list[Any], src: int = 0, group: Any = None, device: Any = None
) -> None:
    """Copies the list of objects of process ``src`` into those of the others, as pickles: see `all_gather_object`."""
    lists: list[Any] = [None] * group.size()
    all_gather_object(lists, list(object_list) if group.at(src) == group.rank() else None, group)
    object_list[:] = lists[group.at(src)]


@_transfer
def gather_object(
    obj: Any, object_gather_list: list[Any] | None = None, dst: int = 0, group: Any = None
) -> None:
    """Puts an object of every process into a list of process ``dst``, by pickles; the others pass None."""
    here = group.at(dst) == group.rank()
    if here and object_gather_list is None:
        raise value_error("Argument ``object_gather_list`` must be specified on destination rank.")
    lists: list[Any] = [None] * group.size()
    all_gather_object(lists, obj, group)
    if here and object_gather_list is not None:
        object_gather_list[:] = lists


@_transfer
def scatter_object_list(
    scatter_object_output_list: list[Any],
    scatter_object_input_list: list[Any] | None = None,
    src: int = 0,
    group: Any = None,
) -> None:
    """Puts an object of a list of process ``src`` into the first place of a list of each process, by pickles."""
    objects = list(scatter_object_input_list or ()) if group.at(src) == group.rank() else None
    if objects is not None and len(objects) != group.size():
        raise value_error(
            f"expected a list of {group.size()} objects, one for each process, got {len(objects)}"
        )
    lists = [objects]
    broadcast_object_list(lists, src, group)
    scatter_object_output_list[0] = (lists[0] or ())[group.rank()]


# ---------------------------------------------------------------- from one to one


@_transfer
def isend(tensor: Tensor, dst: int, group: Any = None, tag: int = 0) -> Started:
    """Starts to send a Tensor to process ``dst``."""
    return Work(group.comm.Isend(as_bytes(_array(tensor)), group.at(dst), tag))


@_transfer
def irecv(tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0) -> Started:
    """Starts to receive a Tensor from process ``src``, or from any that sends one."""
    at = mpi().ANY_SOURCE if src is None else group.at(src)
    return Work(group.comm.Irecv(as_bytes(_array(tensor, writes=True)), at, tag))


def send(tensor: Tensor, dst: int, group: ProcessGroup | None = None, tag: int = 0) -> None:
    """Sends a Tensor to process ``dst``."""
    if (work := isend(tensor, dst, group, tag)) is not None:
        work.wait()


def recv(tensor: Tensor, src: int | None = None, group: ProcessGroup | None = None, tag: int = 0) -> int:
    """Receives a Tensor from process ``src``, or from any that sends one; returns its rank."""
    if (work := irecv(tensor, src, group, tag)) is None:
        return -1
    work.wait()
    return of("recv", group).ranks[work._source]


@_transfer
def send_object_list(object_list: list[Any], dst: int, group: Any = None, device: Any = None) -> None:
    """Sends objects to process ``dst``, by pickles: see `all_gather_object`."""
    sent = np.frombuffer(pickle.dumps(list(object_list)), np.uint8)
    for part in (np.array([len(sent)]), sent):
        Work(group.comm.Isend(part, group.at(dst))).wait()


@_transfer
def recv_object_list(
    object_list: list[Any], src: int | None = None, group: Any = None, device: Any = None
) -> int:
    """Receives what `send_object_list` sends from process ``src``, or from any; returns its rank."""
    size = np.empty(1, np.int64)
    work = Work(group.comm.Irecv(size, mpi().ANY_SOURCE if src is None else group.at(src)))
    work.wait()
    memory = np.empty(size[0], np.uint8)
    Work(group.comm.Irecv(memory, work._source)).wait()
    object_list[:] = pickle.loads(memory.tobytes())
    return int(group.ranks[work._source])


class P2POp:
    """A transfer for `batch_isend_irecv`: ``op`` is `isend` or `irecv`, and ``peer`` the other process.

    RuntimeError for another ``op``.
    """

    def __init__(
        self, op: Any, tensor: Tensor, peer: int, group: ProcessGroup | None = None, tag: int = 0
    ) -> None:
        if op not in (isend, irecv):
            raise runtime_error("Invalid ``op``. Expected ``op`` to be ``isend`` or ``irecv``.")
        self.op, self.tensor, self.peer, self.group, self.tag = op, tensor, peer, group, tag


def batch_isend_irecv(p2p_op_list: list[P2POp]) -> list[Work]:
    """Starts several transfers, and returns the `Work` of each."""
    works = [p.op(p.tensor, p.peer, p.group, p.tag) for p in p2p_op_list]
    return [work for work in works if work is not None]

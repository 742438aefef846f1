"""The processes of a program: how they begin, wait and end."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, ClassVar, Self

from minigrad.errors import runtime_error, value_error

__all__ = [
    "Backend", "GroupMember", "ProcessGroup", "Work", "destroy_process_group", "get_backend",
    "get_global_rank", "get_group_rank", "get_node_local_rank", "get_process_group_ranks", "get_rank",
    "get_world_size", "group", "init_process_group", "is_available", "is_gloo_available", "is_initialized",
    "is_mpi_available", "is_nccl_available", "is_torchelastic_launched", "new_group",
    "new_subgroups", "new_subgroups_by_enumeration",
]  # fmt: skip

_ENDED = 32767  # the tag by which a process tells the others that it ends
_give_way: Callable[[], Any] = getattr(os, "sched_yield", functools.partial(time.sleep, 0))


class Backend(str):
    """The name of a backend, in lower case; whichever it is, MPI does the work."""

    __slots__ = ()

    UNDEFINED, GLOO, NCCL, UCC, MPI, XCCL = "undefined", "gloo", "nccl", "ucc", "mpi", "xccl"
    backend_list: ClassVar = [UNDEFINED, GLOO, NCCL, XCCL, UCC, MPI]

    def __new__(cls, name: str) -> Self:
        """ValueError if ``name`` is not a string."""
        if not isinstance(name, str):
            raise value_error(f"Backend(): the name of a backend is a string, got {name!r}")
        return super().__new__(cls, name.lower())


class Work:
    """A transfer in progress; in some (``among``) all processes of a group wait for each other."""

    def __init__(
        self, request: Any, then: Callable[[], object] = lambda: None, among: ProcessGroup | None = None
    ) -> None:
        self._request, self._then, self._among, self._source = request, then, among, -1

    def is_completed(self) -> bool:
        """Whether it is over, without waiting."""
        if self._request is not None:
            status = mpi().Status()
            if not self._request.Test(status):
                return False
            self._request, self._source = None, status.source
            self._then()
        return True

    def wait(self, timeout: Any = None) -> bool:
        """Waits until it is over, whatever ``timeout`` says; returns True.

        RuntimeError if another process has ended, so nothing will come.
        """
        polls, late = 0, 0.0
        while not self.is_completed():  # MPI's own waiting would let no interrupt through
            polls += 1
            if polls < 50:
                continue
            if polls < 500:  # others may want this core
                _give_way()
                continue
            time.sleep(5e-5)
            if polls % 1000 == 0 and (ended := self._waits_for()):
                late = late or time.monotonic() + 1  # what they sent before may still come
                if time.monotonic() > late:
                    raise runtime_error(
                        f"this process waits for process {min(ended)}, which has ended: all must call the same "
                        "functions, equally often. Have they equally many batches?"
                    )
        return True

    def _waits_for(self) -> set[int]:
        """The processes that have ended, where this can never be completed because of it."""
        comm = mpi().COMM_WORLD
        others = {*range(comm.size)} - {comm.rank}
        ended = {r for r in others if comm.Iprobe(r, _ENDED)}
        # Who has only sent something may end before others have received it.
        return (
            ended & {*self._among.ranks} if self._among is not None else ended if ended == others else set()
        )


class ProcessGroup:
    """Processes that communicate: all, or those given to `new_group`."""

    def __init__(self, comm: Any, ranks: Sequence[int]) -> None:
        self.comm, self.ranks = comm, list(ranks)  # None: this process is not in it

    def size(self) -> int:
        """How many processes there are; -1 outside of the group."""
        return -1 if self.comm is None else len(self.ranks)

    def rank(self) -> int:
        """The rank of this process in the group; -1 outside of it."""
        return -1 if self.comm is None else int(self.comm.rank)

    def at(self, rank: int) -> int:
        """The rank in the group of process ``rank``. ValueError if it is not in the group."""
        if rank not in self.ranks:
            raise value_error(f"process {rank} is not part of group {self.ranks}")
        return self.ranks.index(rank)


_world: ProcessGroup | None = None


class _HasWorld(type):
    @property
    def WORLD(cls) -> ProcessGroup | None:
        """The group of all processes; None before `init_process_group`."""
        return _world


class group(metaclass=_HasWorld):
    """``group.WORLD`` is the group of all processes."""


class GroupMember(metaclass=_HasWorld):
    """The older name of `group`."""


# ---------------------------------------------------------------- begin and end


def is_available() -> bool:
    """Whether mpi4py is installed."""
    return find_spec("mpi4py") is not None


is_mpi_available = is_available


def is_gloo_available() -> bool:
    """False. `init_process_group` takes the name, and MPI does the work."""
    return False


def is_torchelastic_launched() -> bool:
    """False: MPI starts the processes."""
    return False


def is_nccl_available() -> bool:
    """False: NCCL is for graphics cards."""
    return False


def is_initialized() -> bool:
    """Whether `init_process_group` was called."""
    return _world is not None


def init_process_group(
    backend: str | None = None, init_method: str | None = None, timeout: Any = None, world_size: int = -1,
    rank: int = -1, store: Any = None, group_name: str = "", pg_options: Any = None, device_id: Any = None,
) -> None:  # fmt: skip
    """Makes the group of all processes that ``mpiexec`` has started; without it, of this one alone.

    What is not listed here is accepted for PyTorch's sake.

    Args:
        backend: None, ``"mpi"`` or ``"gloo"``, which all mean MPI.
        world_size: how many processes the program expects; by default ``WORLD_SIZE`` in the environment.
        rank: which of them the program expects to be; by default ``RANK`` in the environment.

    Raises:
        ImportError: mpi4py, or a library of MPI, is missing.
        ValueError: another backend, or the group is there already.
        RuntimeError: the program expects other processes than MPI has started, as under ``torchrun``.
    """
    global _world
    if backend is not None and backend.lower() not in ("mpi", "gloo", "cpu:gloo", "cpu:mpi"):
        raise value_error(f"init_process_group(): the only backend is MPI, on the CPU, got {backend!r}")
    if _world is not None:
        raise value_error("trying to initialize the default process group twice!")
    comm = mpi().COMM_WORLD
    environment = os.environ if init_method in (None, "env://") and store is None else {}
    size = world_size if world_size > 0 else int(environment.get("WORLD_SIZE", comm.size))
    at = rank if rank >= 0 else int(environment.get("RANK", comm.rank))
    if (size, at) != (comm.size, comm.rank):
        raise runtime_error(
            f"init_process_group(): the program expects to be process {at} of {size}; for MPI it is {comm.rank} of "
            f"{comm.size}. minigrad's processes are started by MPI, and not by torchrun or spawn: mpiexec -n "
            f"{max(size, 2)} python -m minigrad {os.path.basename(sys.argv[0]) or 'train.py'}"
        )
    _world = ProcessGroup(comm, range(comm.size))
    if comm.size > 1 and not isinstance(sys.excepthook, _EndsAll):
        sys.excepthook = _EndsAll(comm, sys.excepthook)
        atexit.register(_tell_end, comm, os.getpid())


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """Removes a group, or all; then `init_process_group` may be called again."""
    global _world
    if of("destroy_process_group", group) is _world:
        _world = None


def get_rank(group: ProcessGroup | None = None) -> int:
    """The rank of this process, from 0 on; -1 outside of the group."""
    return of("get_rank", group).rank()


def get_world_size(group: ProcessGroup | None = None) -> int:
    """How many processes there are; -1 outside of the group."""
    return of("get_world_size", group).size()


def get_process_group_ranks(group: ProcessGroup | None) -> list[int]:
    """The global ranks of the processes of a group."""
    return list(of("get_process_group_ranks", group).ranks)


def get_global_rank(group: ProcessGroup, group_rank: int) -> int:
    """The global rank of a rank in ``group``. ValueError for one that the group does not have."""
    if not 0 <= group_rank < len(group.ranks):
        raise value_error(f"Group rank {group_rank} is not part of group {group}")
    return group.ranks[group_rank]


def get_group_rank(group: ProcessGroup, global_rank: int) -> int:
    """The rank in ``group`` of a global rank. ValueError for one that is not in the group."""
    if global_rank not in group.ranks:
        raise value_error(f"Global rank {global_rank} is not part of group {group}")
    return group.ranks.index(global_rank)


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """The rank among the processes of this machine, as ``LOCAL_RANK`` in the environment, or ``fallback_rank``.

    RuntimeError if there is neither.  ``python -m minigrad`` sets it.
    """
    rank = os.environ.get("LOCAL_RANK", fallback_rank)
    if rank is None:
        raise runtime_error(
            "LOCAL_RANK is not in the environment. Consider passing fallback_rank, or start the program by "
            "mpiexec -n 2 python -m minigrad"
        )
    return int(rank)


def get_backend(group: ProcessGroup | None = None) -> str:
    """``"mpi"``, whatever `init_process_group` was told."""
    of("get_backend", group)
    return "mpi"


def new_group(ranks: Sequence[int] | None = None, *args: Any, **kwargs: Any) -> ProcessGroup:
    """Makes a group of some of the processes; all processes must call it. Other arguments change nothing.

    In processes outside of the group its functions do nothing, and warn. ValueError for a rank out of range.
    """
    world = of("new_group", None)
    numbers = sorted({*(world.ranks if ranks is None else ranks)})
    key = [world.at(r) for r in numbers]
    comm = world.comm.Split(0 if world.rank() in key else mpi().UNDEFINED, world.rank())
    return ProcessGroup(comm if world.rank() in key else None, numbers)


def new_subgroups(
    group_size: int, group: ProcessGroup | None = None, *args: Any, **kwargs: Any
) -> tuple[ProcessGroup, list[ProcessGroup]]:
    """Groups of ``group_size`` processes whose ranks follow each other: that of this process, and the list of all.

    All processes must call it; other arguments change nothing. ValueError unless ``group_size`` divides their number.
    """
    ranks = of("new_subgroups", group).ranks
    if group_size < 1 or len(ranks) % group_size:
        raise value_error(f"The world size ({len(ranks)}) must be divisible by 'group_size={group_size}'")
    mine, groups = new_subgroups_by_enumeration(
        [ranks[i : i + group_size] for i in range(0, len(ranks), group_size)]
    )
    return mine or groups[0], groups


def new_subgroups_by_enumeration(
    ranks_per_subgroup_list: Sequence[Sequence[int]], *args: Any, **kwargs: Any
) -> tuple[ProcessGroup | None, list[ProcessGroup]]:
    """A group of each list of ranks: that of this process (None where it is in none), and the list of all.

    All processes must call it; other arguments change nothing. ValueError for no list, and for a rank in two.
    """
    if not ranks_per_subgroup_list:
        raise value_error("The arg 'ranks_per_subgroup_list' cannot be empty")
    ranks = [rank for some in ranks_per_subgroup_list for rank in some]
    for rank in ranks:
        if ranks.count(rank) > 1:
            raise value_error(f"Rank {rank} has appeared in two subgroups of {list(ranks_per_subgroup_list)}")
    groups = [new_group(some) for some in ranks_per_subgroup_list]
    return next((group for group in groups if group.comm is not None), None), groups


class _EndsAll:
    """An excepthook after which all processes end, for the others may wait for this one."""

    def __init__(self, comm: Any, hook: Any) -> None:
        self.comm, self.hook, self.pid = comm, hook, os.getpid()

    def __call__(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        self.hook(kind, error, trace)
        if os.getpid() == self.pid:  # a fork is no process of MPI's
            print(f"process {self.comm.rank} of {self.comm.size} has failed: all end", file=sys.stderr)
            _hand_over()
            self.comm.Abort(130 if issubclass(kind, KeyboardInterrupt) else 1)


def _hand_over() -> None:
    """Waits until mpiexec has read what was printed; what it has not read is lost when it ends the processes."""
    end = time.monotonic() + 5
    with contextlib.suppress(Exception):  # no pipe, no such calls on this system
        from fcntl import ioctl
        from termios import FIONREAD

        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            while any(ioctl(stream.fileno(), FIONREAD, bytes(4))) and time.monotonic() < end:
                time.sleep(0.01)


def _tell_end(comm: Any, pid: int) -> None:
    """Tells all others that this process ends, and waits until they end too: MPI must not lose a message."""
    if os.getpid() == pid:
        others = {*range(comm.size)} - {comm.rank}
        works = [Work(comm.Isend(b"", other, _ENDED)) for other in others]
        for work in [*works, *(Work(comm.Irecv(bytearray(), other, _ENDED)) for other in others)]:
            work.wait()


# ---------------------------------------------------------------- MPI, and the group of a call


def mpi() -> Any:
    """The module of mpi4py; the first call starts MPI. ImportError where it, or MPI's library, is missing."""
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise ImportError(
            "minigrad.distributed needs mpi4py and a library of MPI (the extra `mpi`): "
            f'pip install "minigrad-tape[mpi]" ({error})'
        ) from error
    return MPI


def of(user: str, group: ProcessGroup | None) -> ProcessGroup:
    """The group of a call. ValueError before `init_process_group`."""
    if _world is None:
        mpi()
        raise value_error(
            f"Default process group has not been initialized: call init_process_group() before {user}()"
        )
    return _world if group is None else group

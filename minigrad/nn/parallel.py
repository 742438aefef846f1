"""A module in several processes: `DistributedDataParallel`; and `DataParallel`, which is for graphics cards."""

from __future__ import annotations

import contextlib
import itertools
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad import distributed
from minigrad.core.apply import needs_value
from minigrad.core.changes import RUNNING, changed, part
from minigrad.core.contents import walk
from minigrad.core.hooks import AT_END
from minigrad.core.op import Array
from minigrad.core.tensor import Tensor, wrap
from minigrad.distributed.processes import Work, of
from minigrad.distributed.transfers import as_bytes, handed_out, reduced
from minigrad.errors import runtime_error, type_error, value_error
from minigrad.hints import module_getattr
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter, is_lazy

__all__ = ["DataParallel", "DistributedDataParallel"]


class DataParallel(Module):
    """Calls its ``module``: there is no graphics card to spread a batch over.

    The other arguments are accepted for PyTorch's sake. `minigrad.in_parts` splits a batch over threads.
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        self.module = module
        self.dim, self.device_ids = dim, list[Any]()

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module returns."""
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """A module of which every process has a replica, trained on its own part of the data.

    At the beginning all replicas get the parameters and buffers of process 0.  At the end of each ``backward()`` the
    gradients of all processes are averaged, in one exchange for all parameters of a dtype, and buffers become those of
    process 0; so equal optimizers keep replicas equal, to the bit.  A parameter that some processes do not use counts
    as zero there; one that no process uses keeps its ``.grad``.  Every process must call ``backward()`` equally often.
    What is not listed here is accepted for PyTorch's sake.

    Args:
        module: kept as the submodule ``module``, so keys of a ``state_dict`` begin with ``module.``.
        device_ids: None, as there is no graphics card.
        output_device: None likewise.
        broadcast_buffers: False leaves buffers to each process.
        init_sync: False does not check and broadcast at the beginning.
        process_group: the processes; all, unless given.

    Raises:
        RuntimeError: no parameter requires grad, or the processes' modules differ; in ``backward()``, if it is
            recorded by `compile` (compile the module instead), in a part of `in_parts`, with ``inputs`` or with
            ``create_graph``.
        ValueError: ``device_ids``, or `init_process_group` was not called.
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0,
        broadcast_buffers: bool = True, init_sync: bool = True, process_group: Any = None, bucket_cap_mb: Any = None,
        find_unused_parameters: bool = False, check_reduction: bool = False, gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if not isinstance(module, Module):
            raise type_error(
                f"DistributedDataParallel takes a Module, got {type(module).__name__}; compile() goes around both"
            )
        if device_ids or output_device is not None:
            raise value_error(
                "DistributedDataParallel device_ids and output_device arguments only work with graphics cards, and "
                f"there is none: got device_ids {device_ids}, output_device {output_device}"
            )
        params = list(module.parameters())
        if any(map(is_lazy, params)):
            raise runtime_error(
                "DistributedDataParallel: run a batch through the module first, which sizes lazy ones"
            )
        if not any(p.requires_grad for p in params):
            raise runtime_error(
                "DistributedDataParallel is not needed when a module doesn't have any parameters that require a "
                "gradient."
            )
        self.module, self.broadcast_buffers = module, broadcast_buffers
        self.require_backward_grad_sync = True
        self._begin(process_group)
        if init_sync:
            self._compare()
            self._replicate([*params, *module.buffers()])

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module returns."""
        if any(p.requires_grad for p in self._unwatched):
            self._watch()
        return self.module(*inputs, **kwargs)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """A context in which ``backward()`` averages nothing: gradients add up until a ``backward()`` outside."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    # ---------------------------------------------------------------- beginning

    def _begin(self, group: Any = None) -> None:
        """Asks the parameters to tell of their gradients."""
        if of("DistributedDataParallel", group).rank() < 0:
            raise value_error("DistributedDataParallel: this process does not belong to process_group")
        self.process_group = group
        self._flat = dict[Any, Array]()
        self._params = list(self.module.parameters())
        self._buffer_tables = [held.buffers for _, _, held in walk(self.module) if held.buffers]
        self._unwatched = self._params
        self._watch()

    def _watch(self) -> None:
        me = weakref.ref(self)

        def arrived(p: Tensor) -> None:
            ddp = me()
            if ddp is not None and ddp.require_backward_grad_sync:
                ddp._arrived()

        for p in self._unwatched:
            if p.requires_grad:
                p.register_post_accumulate_grad_hook(arrived)
        self._unwatched = [p for p in self._unwatched if not p.requires_grad]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "process_group": None, "_flat": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._begin()  # copies of parameters have no hooks

    def _compare(self) -> None:
        """RuntimeError where the module of this process is not that of the first."""
        named = [*self.module.named_parameters(), *self.module.named_buffers()]
        mine = [(name, t.dtype, list(t.shape), t.requires_grad) for name, t in named]
        group = of("DistributedDataParallel", self.process_group)
        every: list[Any] = [None] * group.size()
        distributed.all_gather_object(every, [str(entry) for entry in mine], self.process_group)
        for k, theirs in enumerate(every):
            for a, b in itertools.zip_longest(every[0], theirs, fillvalue="nothing"):
                if a != b:
                    raise runtime_error(
                        f"DistributedDataParallel: the processes' modules differ: process {group.ranks[0]} has {a}, "
                        f"process {group.ranks[k]} has {b}"
                    )

    # ---------------------------------------------------------------- at the end of a backward pass

    def _arrived(self) -> None:
        """A parameter has a gradient; all have, when the pass is over."""
        needs_value("DistributedDataParallel, which averages gradients in backward(),")
        if RUNNING and part() is not None:
            raise runtime_error(
                "in_parts() of a DistributedDataParallel: call it under no_sync(), average afterwards"
            )
        at_end = AT_END.get(None)
        if at_end is None:
            raise runtime_error("DistributedDataParallel averages gradients in a backward() without inputs=")
        if self._average not in at_end:
            at_end.append(self._average)

    def _average(self) -> None:
        """Averages ``.grad`` over the processes, where one has it. Beside each stands how many processes have it."""
        group = of("backward", self.process_group)
        kinds: dict[Any, list[Parameter]] = {}
        for p in self._params:
            if p.requires_grad:
                kinds.setdefault(p._array.dtype, []).append(p)
        for dtype, params in kinds.items():
            ends = list(itertools.accumulate(p._array.size for p in params))
            flat = self._flat.get(dtype)
            if flat is None or len(flat) != ends[-1] + len(params):
                flat = self._flat[dtype] = np.empty(ends[-1] + len(params), dtype)
            for k, (p, end) in enumerate(zip(params, ends, strict=True), ends[-1]):
                g = p._grad
                if g is not None and g.requires_grad:
                    raise runtime_error(
                        "DistributedDataParallel averages no gradients made with create_graph=True"
                    )
                flat[end - p._array.size : end] = 0 if g is None else g._array.reshape(-1)
                flat[k] = g is not None
            reduced("Iallreduce", group, flat, flat, distributed.ReduceOp.AVG).wait()
            changed(*(p._grad._array for p in params if p._grad is not None))
            for k, (p, end) in enumerate(zip(params, ends, strict=True), ends[-1]):
                mean = flat[end - p._array.size : end].reshape(p._array.shape)
                if p._grad is not None:
                    p._grad._array[...] = mean
                elif flat[k]:
                    p._grad = wrap(mean.copy())
        if self.broadcast_buffers and self._buffer_tables:
            self._replicate([t for table in self._buffer_tables for t in table.values() if t is not None])

    def _replicate(self, tensors: list[Tensor]) -> None:
        """Puts the values of process 0 into those of all, in one exchange."""
        group, arrays = of("backward", self.process_group), [t._array for t in tensors]
        memory = np.concatenate([as_bytes(np.ascontiguousarray(a)) for a in arrays])
        if group.rank() == 0:
            Work(group.comm.Ibcast(memory, 0)).wait()
            return
        changed(*arrays)
        Work(group.comm.Ibcast(memory, 0), handed_out(memory, arrays)).wait()


module_getattr(globals())

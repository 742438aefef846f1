"""`ZeroRedundancyOptimizer`: each process keeps the optimizer's state of a part of the parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import distributed
from minigrad.distributed.processes import of
from minigrad.errors import not_implemented_error, runtime_error
from minigrad.optim.optimizer import Optimizer, ParamsT
from minigrad.tensor import Tensor

__all__ = ["ZeroRedundancyOptimizer"]


class ZeroRedundancyOptimizer(Optimizer):
    """An optimizer whose state is split among processes: each updates its part, then all get the new parameters.

    A group's parameters, the largest first, go to the process with the fewest elements so far.  Gradients must be
    those of all processes, as `DistributedDataParallel` leaves them.  For the idea see Rajbhandari et al., ZeRO (2020),
    stage 1.

    Args:
        params: as for any optimizer; the same in all processes.
        optimizer_class: the optimizer that each process runs.
        process_group: the processes; all, unless given.
        parameters_as_bucket_view: accepted for PyTorch's sake.
        overlap_with_ddp: NotImplementedError, if True.
        **defaults: the options of ``optimizer_class``.

    Raises:
        ValueError: `distributed.init_process_group` was not called.
    """

    def __init__(
        self,
        params: ParamsT,
        optimizer_class: type[Optimizer],
        process_group: Any = None,
        parameters_as_bucket_view: bool = False,
        overlap_with_ddp: bool = False,
        **defaults: Any,
    ) -> None:
        if overlap_with_ddp:
            raise not_implemented_error(
                "ZeroRedundancyOptimizer: the step begins after backward(); leave overlap_with_ddp out"
            )
        group = of("ZeroRedundancyOptimizer", process_group)
        self.process_group, self._ranks, self._rank = process_group, group.ranks, group.rank()
        self._sizes = [0] * group.size()
        self._parts: list[list[list[Tensor]]] = []  # of each group, by process
        self._collected: list[dict[int, Any]] | None = None
        self._local: Optimizer | None = None
        super().__init__(params, defaults)
        self._local = optimizer_class([self._share(k) for k in range(len(self._parts))], **defaults)
        _copy_options(self._local.param_groups, self.param_groups)

    @property
    def optim(self) -> Optimizer:
        """The optimizer of this process's part."""
        if self._local is None:
            raise runtime_error(
                "ZeroRedundancyOptimizer: it has no optimizer before the end of its constructor"
            )
        return self._local

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group, and shares its parameters out."""
        super().add_param_group(param_group)
        parts: list[list[Tensor]] = [[] for _ in self._ranks]
        for p in sorted(param_group["params"], key=lambda p: p.numel(), reverse=True):
            rank = self._sizes.index(min(self._sizes))
            parts[rank].append(p)
            self._sizes[rank] += p.numel()
        self._parts.append(parts)
        if self._local is not None:
            self._local.add_param_group(self._share(len(self._parts) - 1))
            _copy_options(self.optim.param_groups, self.param_groups)

    def _share(self, k: int) -> dict[str, Any]:
        """A group with the parameters of this process."""
        options = {key: v for key, v in self.param_groups[k].items() if key not in ("params", "param_names")}
        return {**options, "params": list(self._parts[k][self._rank])}

    def step(self, closure: Callable[[], Any] | None = None, **kwargs: Any) -> Any:
        """One step with the part of this process, then the new parameters of all; the loss that ``closure`` returns."""
        local = self.optim
        self._collected = None  # what was collected is the state before this step
        _copy_options(self.param_groups, local.param_groups)
        loss: Any = local.step(**kwargs) if closure is None else local.step(closure, **kwargs)
        _copy_options(local.param_groups, self.param_groups)
        started = [
            distributed.broadcast(p.detach(), rank, self.process_group, async_op=True)
            for parts in self._parts
            for rank, part in zip(self._ranks, parts, strict=True)
            for p in part
        ]
        for work in started:
            if work is not None:
                work.wait()
        return loss

    def consolidate_state_dict(self, to: int = 0) -> None:
        """Collects the state of all parts in process ``to``, which may then ask for `state_dict`."""
        every: list[Any] = [None] * len(self._ranks)
        distributed.all_gather_object(every, self.optim.state_dict()["state"], self.process_group)
        self._collected = every if self._ranks[self._rank] == to else None

    def state_dict(self) -> dict[str, Any]:
        """The state of the whole optimizer, as if it ran in one process.

        RuntimeError where `consolidate_state_dict` has not collected it since the last step.
        """
        if self._collected is None:
            raise runtime_error(
                "Optimizer state has not been consolidated on this rank: all ranks call consolidate_state_dict(to="
                f"{self._ranks[self._rank]}) after the last step, then this one may ask for it"
            )
        whole = super().state_dict()
        for rank, state in enumerate(self._collected):
            whole["state"].update((k, state[i]) for i, k in enumerate(self._numbers(rank)) if i in state)
        whole["state"] = dict(sorted(whole["state"].items()))
        return whole

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over options and state from `state_dict`, each process those of its part."""
        super().load_state_dict({**state_dict, "state": {}})
        local, state = self.optim, state_dict["state"]
        _copy_options(self.param_groups, local.param_groups)
        mine = {i: state[k] for i, k in enumerate(self._numbers(self._rank)) if k in state}
        local.load_state_dict({**local.state_dict(), "state": mine})

    def _numbers(self, rank: int) -> list[int]:
        """The numbers, counted through all groups, of the parameters of a process, in its order."""
        places: dict[int, int] = {}
        for group in self.param_groups:
            for p in group["params"]:
                places.setdefault(id(p), len(places))
        return [places[id(p)] for parts in self._parts for p in parts[rank]]


def _copy_options(source: list[dict[str, Any]], target: list[dict[str, Any]]) -> None:
    for a, b in zip(source, target, strict=True):
        b.update((key, value) for key, value in a.items() if key not in ("params", "param_names"))

"""`ModuleTracker`: which modules run, forwards or backwards."""

from __future__ import annotations

from collections import Counter
from typing import Any, Self
from weakref import WeakKeyDictionary, WeakSet

from minigrad.autograd.graph import register_multi_grad_hook
from minigrad.core.hooks import AT_END
from minigrad.core.tensor import Tensor
from minigrad.func.trees import flatten
from minigrad.nn.module import register_module_forward_hook, register_module_forward_pre_hook

__all__ = ["ModuleTracker"]


class ModuleTracker:
    """A context in which ``parents`` has the names of the modules that run now, and ``"Global"``.

    A module's name is that of its class, with the names of the attributes below it: ``"Net.layers.0"``. In a backward
    pass a module runs from the gradients of its results to those of its arguments.
    """

    def __init__(self) -> None:
        # How often each runs: backward may compute a part of the forward pass again.
        self._running = Counter({"Global": 1})
        self._names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._seen: WeakSet[Any] = WeakSet()
        self._hooks: list[Any] = []

    @property
    def parents(self) -> set[str]:
        """The names."""
        return {name for name, times in self._running.items() if times > 0}

    @property
    def is_bw(self) -> bool:
        """Whether a backward pass runs."""
        return AT_END.get(None) is not None

    def __enter__(self) -> Self:
        self._hooks = [
            register_module_forward_pre_hook(self._enter),
            register_module_forward_hook(self._leave),
        ]
        return self

    def __exit__(self, *exc: object) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def _name(self, module: Any) -> str:
        name = self._names.setdefault(module, type(module).__name__)
        if module not in self._seen:
            self._seen.add(module)
            for attribute, child in module.named_children():
                self._names[child] = f"{name}.{attribute}"
                self._name(child)
        return name

    def _enter(self, module: Any, args: Any) -> None:
        name = self._name(module)
        self._running[name] += 1
        self._when_reached(args, lambda grads: self._end_of(name), "all")

    def _leave(self, module: Any, args: Any, result: Any) -> None:
        name = self._name(module)
        self._end_of(name)

        def begin(grad: Any) -> None:
            self._running[name] += 1
            if (at_end := AT_END.get(None)) is not None and self._end not in at_end:
                at_end.append(self._end)

        # The first of several results begins it: nothing may come to the others, such as the weights of an attention.
        self._when_reached(result, begin, "any")

    def _end_of(self, name: str) -> None:
        self._running[name] = max(0, self._running[name] - 1)

    def _end(self) -> None:
        self._running = Counter({"Global": 1})

    def _when_reached(self, values: Any, fn: Any, mode: str) -> None:
        """Calls a function in backward once there are the gradients of "all" Tensors among values, or of "any"."""
        tensors = [t for t in flatten(values)[0] if isinstance(t, Tensor) and t.requires_grad]
        if tensors:
            self._hooks.append(register_multi_grad_hook(tensors, fn, mode=mode))

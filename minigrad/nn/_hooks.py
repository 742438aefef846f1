"""The hooks of a Module: the call that runs them, and how they come to the backward pass."""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from minigrad.autograd import Function
from minigrad.autograd.grad_mode import is_grad_enabled
from minigrad.core.mode import MODE
from minigrad.errors import runtime_error, type_error, warn
from minigrad.functions.creation import zeros
from minigrad.tensor import Tensor

TABLES = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
# The hooks of all modules: each the name of a table, and what would stand in it.
EVERY: OrderedDict[int, tuple[str, Any]] = OrderedDict()
# By kind, what is called when a member is registered.
REGISTRATION: dict[str, OrderedDict[int, Any]] = {
    kind: OrderedDict() for kind in ("parameter", "buffer", "module")
}
H = TypeVar("H")


class Table(Generic[H]):
    """A table of hooks of a Module, made with the others when one is asked for; from then on calls look for hooks."""

    def __set_name__(self, owner: Any, name: str) -> None:
        self.name = name

    def __get__(self, module: Any, owner: Any = None) -> OrderedDict[int, H]:
        if module is None:
            raise AttributeError(self.name)
        own = module.__dict__
        if "_hooked" not in own:
            own.update({"_hooked": True, **{name: own.get(name, OrderedDict()) for name in TABLES}})
        return own.setdefault(self.name, OrderedDict())


class StateTable(Table[H]):
    """A table of hooks that calls of the module do not run."""

    def __get__(self, module: Any, owner: Any = None) -> OrderedDict[int, H]:
        if module is None:
            raise AttributeError(self.name)
        return module.__dict__.setdefault(self.name, OrderedDict())


class ForwardHook(NamedTuple):
    """A function that is called before or after ``forward``; with ``always`` also where ``forward`` raised.

    A hook without keywords and without ``always`` stands in its table as it is.
    """

    call: Callable[..., Any]
    with_kwargs: bool
    always: bool = False


def registered(module: Any, kind: str, name: str, value: Any) -> Any:
    """A member as the hooks for its registration leave it."""
    for hook in list(REGISTRATION[kind].values()):
        changed = hook(module, name, value)
        value = value if changed is None else changed
    return value


def hooks_of(module: Any, table: str) -> list[Any]:
    """The hooks that a call runs: those of all modules, then the module's own, as they stand now."""
    hooks = [hook for kind, hook in EVERY.values() if kind == table]
    hooks += module.__dict__.get(table, {}).values()
    if not table.startswith("_forward"):
        return hooks
    return [hook if type(hook) is ForwardHook else ForwardHook(hook, False) for hook in hooks]


def call(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward`` with all hooks around it."""
    result: Any = None
    # those that are called also where an error comes before them
    waiting = [hook for hook in hooks_of(module, "_forward_hooks") if hook.always]

    def run(hook: ForwardHook) -> Any:
        changed = (
            hook.call(module, args, kwargs, result) if hook.with_kwargs else hook.call(module, args, result)
        )
        return result if changed is None else changed

    try:
        for pre in hooks_of(module, "_forward_pre_hooks"):
            args, kwargs = _before(module, pre, args, kwargs)
        backward: BackwardHooks | None = None
        both = hooks_of(module, "_backward_hooks"), hooks_of(module, "_backward_pre_hooks")
        old = [hook for hook in both[0] if type(hook) is OldHook]
        full = [hook for hook in both[0] if type(hook) is not OldHook]
        if full or both[1]:
            backward = BackwardHooks(module, full, both[1])
            args = backward.arguments(args)
        result = module.forward(*args, **kwargs)
        for hook in hooks_of(module, "_forward_hooks"):
            if hook in waiting:
                waiting.remove(hook)
            result = run(hook)
        for hook in old:
            hook.follow(module, result)
        if backward is not None:
            if not isinstance(result, (Tensor, tuple)):
                warnings.warn(
                    "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but "
                    f"received {type(result)}",
                    stacklevel=3,
                )
            result = backward.results(result)
        return result
    except Exception:
        for hook in waiting:
            try:
                result = run(hook)
            except Exception as second:  # the first error is the one to report
                warnings.warn(
                    "module forward hook with ``always_call=True`` raised an exception that was silenced "
                    f"as another error was raised in forward: {second}",
                    stacklevel=2,
                )
        raise


class OldHook(NamedTuple):
    """A hook of PyTorch before 1.8, ``hook(module, grad_input, grad_output)``, of the record of a module's result."""

    call: Callable[..., Any]

    def follow(self, module: Any, result: Any) -> None:
        """Puts the hook on the record of the first Tensor of a result, if it has one."""
        while not isinstance(result, Tensor):
            if isinstance(result, dict):
                result = next(t for t in result.values() if isinstance(t, Tensor))
            else:
                result = result[0]
        if result.grad_fn is not None:
            result.grad_fn.register_hook(functools.partial(self.call, module))


def _before(
    module: Any, hook: ForwardHook, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments as a hook that comes before ``forward`` leaves them."""
    changed = hook.call(module, args, kwargs) if hook.with_kwargs else hook.call(module, args)
    if changed is None:
        return args, kwargs
    if not hook.with_kwargs:
        return (changed if isinstance(changed, tuple) else (changed,)), kwargs
    if not (isinstance(changed, tuple) and len(changed) == 2):
        raise runtime_error(
            f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
        )
    return changed


# ---------------------------------------------------------------- the backward pass


class BackwardHookFunction(Function):
    """The identity of Tensors; ``arrive(grads)`` gets their gradients, None for what was not used."""

    _facts = {"reads": "with_hooks(*xs)", "derives": "g, if the hooks of the module change nothing"}  # noqa: RUF012

    @staticmethod
    def forward(ctx: Any, arrive: Any, *tensors: Tensor) -> Any:
        """The Tensors themselves."""
        ctx.arrive = arrive
        # code of the user, which `compile` guards
        ctx.calls = [*arrive.__self__.hooks, *arrive.__self__.pre_hooks]
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*(t for t in tensors if not t.requires_grad))
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """The gradients that ``arrive`` returns."""
        return None, *(ctx.arrive(grads) if MODE.get().hooks else grads)


class BackwardHooks:
    """One call of a module: its arguments and its results are led through a record each, which calls the hooks.

    The gradients of the results come first; hooks that want both sides wait for those of the arguments, unless no
    argument requires grad.
    """

    def __init__(self, module: Any, hooks: Sequence[Any], pre_hooks: Sequence[Any]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        # the shape and dtype of each argument, None for anything but a Tensor
        self.inputs: tuple[Any, ...] = ()
        # which results are Tensors
        self.outputs: tuple[bool, ...] = ()
        # whether hooks wait for gradients of arguments
        self.waits = False
        self.grad_outputs: Any = None

    def arguments(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments with a record that calls the hooks."""
        self.inputs = tuple((t.shape, t.dtype) if isinstance(t, Tensor) else None for t in args)
        passed = _through(args, self._reached_inputs)
        self.waits = passed is not None
        return args if passed is None else passed

    def results(self, result: Any) -> Any:
        """The results with a record that notes their gradients and calls the hooks before."""
        many = result if isinstance(result, tuple) else (result,)
        self.outputs = tuple(isinstance(t, Tensor) for t in many)
        passed = _through(many, self._reached_outputs)
        if passed is None:
            return result
        return passed if isinstance(result, tuple) else passed[0]

    def _reached_outputs(self, grads: Sequence[Any]) -> Sequence[Any]:
        arrived = iter(grads)
        grad_outputs = tuple(next(arrived) if is_tensor else None for is_tensor in self.outputs)
        for hook in self.pre_hooks:
            changed = hook(self.module, grad_outputs)
            if changed is not None:
                grad_outputs = _checked("Backward pre hook", "grad_output", changed, grad_outputs)
        if self.waits:
            self.grad_outputs = grad_outputs
        else:
            warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients; it gets None for each grad_input"
            )
            nothing = (None,) * len(self.inputs)
            for hook in self.hooks:
                changed = hook(self.module, nothing, grad_outputs)
                if changed is not None and not (
                    isinstance(changed, tuple) and all(g is None for g in changed)
                ):
                    raise runtime_error(
                        "Backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
        return [g for g, is_tensor in zip(grad_outputs, self.outputs, strict=True) if is_tensor]

    def _reached_inputs(self, grads: Sequence[Any]) -> Sequence[Any]:
        # Where the results got no gradient, these come from elsewhere.
        if self.grad_outputs is None:
            return grads
        arrived = iter(grads)
        grad_inputs: tuple[Any, ...] = tuple(
            None if of is None else zeros(of[0], dtype=of[1]) if (g := next(arrived)) is None else g
            for of in self.inputs
        )
        for hook in self.hooks:
            changed = hook(self.module, grad_inputs, self.grad_outputs)
            if changed is not None:
                grad_inputs = _checked("Backward hook", "grad_input", changed, grad_inputs)
        self.grad_outputs = None
        return [g for g, of in zip(grad_inputs, self.inputs, strict=True) if of is not None]


def _through(values: tuple[Any, ...], arrive: Callable[[Sequence[Any]], Sequence[Any]]) -> Any:
    """The values with the Tensors led through a record; None where nothing is recorded."""
    tensors = [t for t in values if isinstance(t, Tensor)]
    if not (is_grad_enabled() and any(t.requires_grad for t in tensors)):
        return None
    passed = iter(BackwardHookFunction.apply(arrive, *tensors))
    items = [next(passed) if isinstance(t, Tensor) else t for t in values]
    return type(values)(*items) if hasattr(values, "_fields") else tuple(items)


def _checked(hook: str, what: str, changed: Any, before: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a hook returned, as a tuple; an error unless it has the length and the shapes of ``before``."""
    if not isinstance(changed, (Tensor, tuple, list)):
        raise type_error(
            f"{hook} must return None, a Tensor or a tuple of them, got {type(changed).__name__}"
        )
    grads = (changed,) if isinstance(changed, Tensor) else tuple(changed)
    if len(grads) != len(before):
        raise runtime_error(
            f"{hook} returned an invalid number of {what}, got {len(grads)}, but expected {len(before)}"
        )
    for g, old in zip(grads, before, strict=True):
        if isinstance(g, Tensor) and old is not None and g.shape != old.shape:
            raise runtime_error(
                f"{hook} has changed the size of value: a {what} has shape {list(old.shape)}, it returned "
                f"{list(g.shape)}"
            )
    return grads
